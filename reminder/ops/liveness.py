"""Whether the daemon's parts are alive, and who is told: /healthz, a heartbeat, systemd."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from reminder.domain.errors import ReminderError
from reminder.domain.outbox import Draft
from reminder.ops.heartbeat import Heartbeat
from reminder.ops.systemd import Notifier
from reminder.services.status import StatusSnapshot

if TYPE_CHECKING:
    from aiohttp import web

    from reminder.ops.http import HttpServer
    from reminder.ops.metrics import Metrics


class Activity(StrEnum):
    """What the daemon does again and again; a long silence of it is a fault."""

    TRIED = "tried"  # a tick was started
    TICKED = "ticked"  # a tick was committed
    SENDING = "sending"  # the dispatcher has looked for messages
    POLLED = "polled"  # Telegram has answered a poll


# Seconds of silence. A tick comes each minute, the dispatcher turns at least every 30 s, a poll is
# kept open for 50 s and tried again within 30 s.
LONGEST = {
    Activity.TRIED: 180.0,
    Activity.TICKED: 150.0,
    Activity.SENDING: 120.0,
    Activity.POLLED: 180.0,
}
_RESTART_HELPS = (Activity.TRIED, Activity.SENDING)
_WORDS = {
    Activity.TRIED: "the timer is dead: no tick was tried",
    Activity.TICKED: "no tick was written down",
    Activity.SENDING: "the dispatcher does not turn",
    Activity.POLLED: "Telegram has answered no poll",
}


@dataclass
class Liveness:
    """When each activity was last seen, on a monotonic clock."""

    monotonic: Callable[[], float]  # seconds
    polls: bool  # whether Telegram is set up
    _last: dict[Activity, float] = field(default_factory=dict)
    _started: float | None = None

    def start(self) -> None:
        """Expect activity from now on."""
        self._started = self.monotonic()

    def mark(self, name: str) -> None:
        """Note an activity."""
        self._last[Activity(name)] = self.monotonic()

    def faults(self) -> dict[str, str]:
        """Return a sentence for each activity that is silent for too long; empty if all is well."""
        waits = Activity.TICKED not in self._last and not self._overdue(Activity.TICKED)
        if self._started is None or waits:
            return {"start": "the first tick has not been written down yet"}
        expected = [one for one in Activity if one is not Activity.POLLED or self.polls]
        return {
            one.value: f"{_WORDS[one]} for {self._silent(one):.0f} s"
            for one in expected
            if self._overdue(one)
        }

    def is_alive(self) -> bool:
        """Return False if a restart would help; a full disk or a cut line outlasts one."""
        return self._started is None or not any(map(self._overdue, _RESTART_HELPS))

    def _silent(self, activity: Activity) -> float:
        now = self.monotonic()
        started = now if self._started is None else self._started
        return now - self._last.get(activity, started)

    def _overdue(self, activity: Activity) -> bool:
        return self._silent(activity) > LONGEST[activity]


STATUS_TIMEOUT = 3.0  # seconds; a locked database must not hold up /metrics


@dataclass
class Monitor:
    """What outside observers are told; it starts and stops with the daemon."""

    liveness: Liveness
    notifier: Notifier
    heartbeat: Heartbeat
    status: Callable[[], Awaitable[StatusSnapshot]]
    database: Path | None = None
    listen: tuple[str, int] | None = None
    server: HttpServer | None = None
    _metrics: Metrics | None = None
    _notifying: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the HTTP server and the notifications."""
        self.liveness.start()
        if self.listen is not None:
            # Loaded only where they are used: both take 0.3 s.
            from reminder.ops.http import HttpServer
            from reminder.ops.metrics import Metrics

            self._metrics = Metrics()
            self.server = HttpServer({"/healthz": self._health, "/metrics": self._measures})
            await self.server.start(*self.listen)
        if self.notifier.address:
            self.notifier.say("READY=1")
            watching = self.notifier.watch(self.liveness.is_alive, self._words)
            self._notifying = asyncio.create_task(watching)

    def mark(self, name: str) -> None:
        """Note an activity; a committed tick sends the heartbeat."""
        self.liveness.mark(name)
        if name == Activity.TICKED:
            self.heartbeat.beat()

    def sent(self, draft: Draft, at: datetime) -> None:
        """Note a message that was accepted at `at`."""
        if self._metrics is not None:
            self._metrics.sent(draft, at)

    async def stop(self) -> None:
        """Stop the server and the notifications."""
        if self._notifying is not None:
            self._notifying.cancel()
            await asyncio.gather(self._notifying, return_exceptions=True)
        if self.server is not None:
            await self.server.stop()
        await self.heartbeat.stop()

    def _words(self) -> str:
        return "; ".join(self.liveness.faults().values()) or "runs"

    async def _health(self) -> web.Response:
        from aiohttp import web

        faults = self.liveness.faults()
        body = {"status": "fault" if faults else "ok", "faults": faults}
        return web.json_response(body, status=503 if faults else 200)

    async def _measures(self) -> web.Response:
        from aiohttp import web

        from reminder.ops.metrics import CONTENT_TYPE

        assert self._metrics is not None
        status: StatusSnapshot | None = None
        try:
            async with asyncio.timeout(STATUS_TIMEOUT):
                status = await self.status()
        except (ReminderError, TimeoutError):
            pass  # what needs no database is shown all the same
        body = self._metrics.page(status, self._bytes(), healthy=not self.liveness.faults())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    def _bytes(self) -> int | None:
        if self.database is None:
            return None
        found = (self.database, self.database.with_name(f"{self.database.name}-wal"))
        return sum(file.stat().st_size for file in found if file.exists())
