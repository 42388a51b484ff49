"""A daemon that others watch: its pulse, its pages, its heartbeat, its word to systemd."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from reminder.domain.errors import ReminderError
from reminder.domain.outbox import Draft
from reminder.ops.heartbeat import Heartbeat
from reminder.ops.page import Page, Pages
from reminder.ops.systemd import Notifier
from reminder.services.status import Figures

if TYPE_CHECKING:
    from reminder.ops.metrics import Metrics


class Beat(StrEnum):
    """A sign of life; its value is what a daemon calls out."""

    TRIED = "tried"  # a tick was begun
    TICKED = "ticked"  # a tick was written down
    SENDING = "sending"  # the dispatcher has looked for messages
    POLLED = "polled"  # Telegram has answered a poll


# Seconds of silence. A tick comes each minute, the dispatcher turns at least every 30 s, a poll is
# kept open for 50 s and tried again within 30 s.
LONGEST = {Beat.TRIED: 180.0, Beat.TICKED: 150.0, Beat.SENDING: 120.0, Beat.POLLED: 180.0}
_OURS = (Beat.TRIED, Beat.SENDING)
_WORDS = {
    Beat.TRIED: "the timer is dead: no tick was tried",
    Beat.TICKED: "no tick was written down",
    Beat.SENDING: "the dispatcher does not turn",
    Beat.POLLED: "Telegram has answered no poll",
}


@dataclass
class Pulse:
    """The signs of one daemon, on a clock that is never set."""

    steady: Callable[[], float]  # seconds
    polls: bool  # whether Telegram is set up
    _last: dict[Beat, float] = field(default_factory=dict)
    _begun: float | None = None

    def begin(self) -> None:
        """The daemon is on its way: from now on its parts have to show signs of life."""
        self._begun = self.steady()

    def beat(self, name: str) -> None:
        """A sign of life."""
        self._last[Beat(name)] = self.steady()

    def faults(self) -> dict[str, str]:
        """What is silent for too long → a sentence; nothing is: all is well."""
        waits = Beat.TICKED not in self._last and not self._overdue(Beat.TICKED)
        if self._begun is None or waits:
            return {"start": "the first tick has not been written down yet"}
        wanted = [beat for beat in Beat if beat is not Beat.POLLED or self.polls]
        return {
            beat.value: f"{_WORDS[beat]} for {self._silent(beat):.0f} s"
            for beat in wanted
            if self._overdue(beat)
        }

    def lives(self) -> bool:
        """Whether the program's own parts move: what is left is a fault that no restart mends."""
        return self._begun is None or not any(self._overdue(beat) for beat in _OURS)

    def _silent(self, beat: Beat) -> float:
        now = self.steady()
        begun = now if self._begun is None else self._begun
        return now - self._last.get(beat, begun)

    def _overdue(self, beat: Beat) -> bool:
        return self._silent(beat) > LONGEST[beat]


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
