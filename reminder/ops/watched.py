"""A daemon that others watch: its pulse, its pages, its heartbeat, its word to systemd."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reminder.core.errors import ReminderError
from reminder.core.outbox import Draft
from reminder.ops.heartbeat import Heartbeat
from reminder.ops.notify import Notifier
from reminder.ops.page import Page, Pages
from reminder.ops.pulse import Beat, Pulse
from reminder.service.figures import Figures

if TYPE_CHECKING:
    from reminder.ops.metrics import Metrics

FIGURES_WITHIN = 3.0  # seconds; a database that is locked must not hold up the page


@dataclass
class Watched:
    """Begins and ends with the daemon."""

    pulse: Pulse
    notifier: Notifier
    heartbeat: Heartbeat
    figures: Callable[[], Awaitable[Figures]]
    database: Path | None = None
    place: tuple[str, int] | None = None
    pages: Pages | None = None
    _metrics: Metrics | None = None
    _telling: asyncio.Task[None] | None = field(default=None)

    async def start(self) -> None:
        """From now on others can see how the daemon stands."""
        self.pulse.begin()
        if self.place is not None:
            # Loaded only where somebody asks for it: it takes 0.15 s.
            from reminder.ops.metrics import Metrics

            self._metrics = Metrics()
            self.pages = Pages({"/healthz": self._health, "/metrics": self._measures})
            await self.pages.start(*self.place)
        if self.notifier.address:
            self.notifier.say("READY=1")
            watching = self.notifier.watch(self.pulse.lives, self._status)
            self._telling = asyncio.create_task(watching)

    def beat(self, name: str) -> None:
        """A sign of life of the daemon; a good tick is told outside."""
        self.pulse.beat(name)
        if name == Beat.TICKED:
            self.heartbeat.beat()

    def sent(self, draft: Draft, at: datetime) -> None:
        """A message was accepted."""
        if self._metrics is not None:
            self._metrics.sent(draft, at)

    async def stop(self) -> None:
        """Nobody watches any more."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)
        if self.pages is not None:
            await self.pages.stop()
        await self.heartbeat.stop()

    def _status(self) -> str:
        return "; ".join(self.pulse.faults().values()) or "runs"

    async def _health(self) -> Page:
        faults = self.pulse.faults()
        body = {"status": "fault" if faults else "ok", "faults": faults}
        text = json.dumps(body, ensure_ascii=False).encode() + b"\n"
        return Page(503 if faults else 200, text, "application/json; charset=utf-8")

    async def _measures(self) -> Page:
        from reminder.ops.metrics import CONTENT_TYPE

        assert self._metrics is not None
        figures: Figures | None = None
        try:
            async with asyncio.timeout(FIGURES_WITHIN):
                figures = await self.figures()
        except (ReminderError, TimeoutError):
            pass  # what needs no database is told all the same
        body = self._metrics.page(figures, self._bytes(), healthy=not self.pulse.faults())
        return Page(200, body, CONTENT_TYPE)

    def _bytes(self) -> int | None:
        if self.database is None:
            return None
        found = (self.database, self.database.with_name(f"{self.database.name}-wal"))
        return sum(file.stat().st_size for file in found if file.exists())
