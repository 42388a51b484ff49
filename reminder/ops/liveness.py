"""Whether the daemon's parts are alive, and who is told: /healthz, a heartbeat, systemd."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reminder.domain.errors import ReminderError
from reminder.domain.outbox import Draft
from reminder.ops.supervisor import Troubles
from reminder.services.status import StatusSnapshot

if TYPE_CHECKING:
    from reminder.ops.metrics import Metrics

    Probe = Callable[[], Awaitable[tuple[int, str, bytes]]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """What the daemon does again and again; a long silence of it is a fault."""

    longest: float  # seconds of silence
    words: str
    restart_helps: bool = False  # a full disk or a cut line outlasts a restart


POLLED = "polled"  # with “:CHANNEL” behind it in a mark
# A tick comes each minute, the dispatcher turns at least every 30 s, a poll is kept open for 50 s
# and tried again within 30 s.
PARTS = {
    "tried": Part(180.0, "the timer is dead: no tick was tried", restart_helps=True),
    "ticked": Part(150.0, "no tick was written down"),
    "sending": Part(120.0, "the dispatcher does not turn", restart_helps=True),
    POLLED: Part(180.0, "no poll was answered"),
}


@dataclass
class Liveness:
    """When each part was last seen at work, on a monotonic clock."""

    monotonic: Callable[[], float]  # seconds
    polls: Collection[str] = ()  # the channels that are polled
    _last: dict[str, float] = field(default_factory=dict)
    _started: float | None = None

    def start(self) -> None:
        """Expect activity from now on."""
        self._started = self.monotonic()

    def mark(self, name: str) -> None:
        """Note activity of the part `name`."""
        self._last[name] = self.monotonic()

    def faults(self) -> dict[str, str]:
        """Return a sentence for each part that is silent for too long; empty if all is well."""
        overdue = self._overdue()
        if self._started is None or not ("ticked" in self._last or "ticked" in overdue):
            return {"start": "the first tick has not been written down yet"}
        return {name: f"{PARTS[name].words} for {silent:.0f} s" for name, silent in overdue.items()}

    def is_alive(self) -> bool:
        """Return False if a restart would help."""
        return not any(PARTS[name].restart_helps for name in self._overdue())

    def _overdue(self) -> dict[str, float]:
        """Return the parts that are silent for too long, and for how long."""
        if self._started is None:
            return {}
        now, started = self.monotonic(), self._started
        silent = {name: now - self._last.get(name, started) for name in PARTS if name != POLLED}
        polled = (now - self._last.get(f"{POLLED}:{each}", started) for each in self.polls)
        silent[POLLED] = max(polled, default=0.0)
        return {name: seconds for name, seconds in silent.items() if seconds > PARTS[name].longest}


@dataclass(frozen=True)
class Notifier:
    """Notifies systemd by sd_notify(3); does nothing without a socket."""

    address: str = ""  # empty: no socket
    watchdog: float | None = None  # most seconds between two WATCHDOG=1

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Notifier:
        """Return the notifier from the environment, as in sd_watchdog_enabled(3)."""
        span, process = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
        meant = span.isdecimal() and int(span) > 0 and process in ("", str(os.getpid()))
        return cls(environ.get("NOTIFY_SOCKET", ""), int(span) / 1e6 if meant else None)

    def say(self, *lines: str) -> None:
        """Send READY=1, STOPPING=1, WATCHDOG=1, STATUS=…; errors are logged."""
        if not self.address or not hasattr(socket, "AF_UNIX"):
            return
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.settimeout(1)
                out.connect(address)
                out.sendall("\n".join(lines).encode())
        except OSError as error:
            log.debug("systemd can't be notified: %s", error)

    async def watch(self, lives: Callable[[], bool], status: Callable[[], str]) -> None:
        """Send WATCHDOG=1 twice as often as asked while `lives`, until cancelled."""
        told = ""
        while True:
            words = status()
            if words != told:
                self.say(f"STATUS={words}")
                told = words
            if self.watchdog and lives():
                self.say("WATCHDOG=1")
            await asyncio.sleep(min(self.watchdog / 2 if self.watchdog else 10.0, 10.0))


PAUSE = 55.0  # seconds from one call to the next at least: ticks come each minute
TIMEOUT = 10.0  # seconds for a call, with its redirects
REDIRECTS = 3


class NotTakenError(ReminderError):
    """The monitor has answered with an error."""


@dataclass
class Heartbeat:
    """Calls one address. Its path is a secret: whoever knows it can fake the heartbeat."""

    url: str
    pause: float = PAUSE
    _last: float | None = None
    _call: asyncio.Task[None] | None = None
    _troubles: Troubles = field(default_factory=Troubles)

    def beat(self) -> None:
        """Begin a call, unless one is under way or only just ended."""
        now = asyncio.get_running_loop().time()
        if not self.url or (self._call and not self._call.done()):
            return
        if self._last is not None and now - self._last < self.pause:
            return
        self._last = now
        self._call = asyncio.get_running_loop().create_task(self._get())

    async def _get(self) -> None:
        what = f"the heartbeat to {urlsplit(self.url).hostname}"
        try:
            await call(self.url)
        except NotTakenError as error:
            self._troubles.fails(what, error)
        else:
            self._troubles.over(what)

    async def stop(self) -> None:
        """Cancel a call that is under way."""
        if self._call:
            self._call.cancel()
            await asyncio.gather(self._call, return_exceptions=True)


@cache
def trust() -> ssl.SSLContext:
    """Return the certificates that httpx trusts, read once."""
    import httpx

    return httpx.create_ssl_context()


async def call(url: str) -> None:
    """Send one GET; raise NotTakenError, without the address, if it was not accepted.

    No body is read. A redirect is followed on the same host alone: what a monitor's server answers
    must not have this program call an address within the office.
    """
    # Loaded for the first call: a program without a heartbeat does not pay for it.
    import httpx

    try:
        async with (
            asyncio.timeout(TIMEOUT),
            httpx.AsyncClient(timeout=TIMEOUT, verify=trust()) as client,
        ):
            request = client.build_request("GET", url)
            for _ in range(REDIRECTS + 1):
                answer = await client.send(request, stream=True)
                await answer.aclose()
                following = answer.next_request
                if following is None or following.url.host != request.url.host:
                    break
                request = following
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as error:
        raise NotTakenError(type(error).__name__) from None
    if not answer.is_success:
        raise NotTakenError(f"HTTP {answer.status_code}")


STATUS_TIMEOUT = 3.0  # seconds; a locked database must not hold up /metrics


@dataclass
class Monitor:
    """What outside observers are told; it starts and stops with the daemon."""

    liveness: Liveness
    notifier: Notifier
    heartbeat: Heartbeat
    status: Callable[[], Awaitable[StatusSnapshot]]
    database: Path | None = None
    _metrics: Metrics | None = None
    _notifying: asyncio.Task[None] | None = None

    def probes(self) -> dict[str, Probe]:
        """Return what answers /healthz and /metrics: a status, a media type and a body."""
        # Loaded only where it is used: it takes 0.1 s.
        from reminder.ops.metrics import Metrics

        self._metrics = self._metrics or Metrics()
        return {"/healthz": self._health, "/metrics": self._measures}

    async def start(self) -> None:
        """Start the notifications."""
        self.liveness.start()
        if self.notifier.address:
            self.notifier.say("READY=1")
            watching = self.notifier.watch(self.liveness.is_alive, self._words)
            self._notifying = asyncio.create_task(watching)

    def mark(self, name: str) -> None:
        """Note an activity; a committed tick sends the heartbeat."""
        self.liveness.mark(name)
        if name == "ticked":
            self.heartbeat.beat()

    def sent(self, draft: Draft, at: datetime) -> None:
        """Note a message that was accepted at `at`."""
        if self._metrics is not None:
            self._metrics.sent(draft, at)

    async def stop(self) -> None:
        """Stop the notifications."""
        if self._notifying is not None:
            self._notifying.cancel()
            await asyncio.gather(self._notifying, return_exceptions=True)
        await self.heartbeat.stop()

    def _words(self) -> str:
        return "; ".join(self.liveness.faults().values()) or "runs"

    async def _health(self) -> tuple[int, str, bytes]:
        faults = self.liveness.faults()
        body = json.dumps({"status": "fault" if faults else "ok", "faults": faults})
        return 503 if faults else 200, "application/json", body.encode()

    async def _measures(self) -> tuple[int, str, bytes]:
        from reminder.ops.metrics import CONTENT_TYPE

        assert self._metrics is not None
        status: StatusSnapshot | None = None
        try:
            async with asyncio.timeout(STATUS_TIMEOUT):
                status = await self.status()
        except (ReminderError, TimeoutError):
            pass  # what needs no database is shown all the same
        body = self._metrics.page(status, self._bytes(), healthy=not self.liveness.faults())
        return 200, CONTENT_TYPE, body

    def _bytes(self) -> int | None:
        if self.database is None:
            return None
        found = (self.database, self.database.with_name(f"{self.database.name}-wal"))
        return sum(file.stat().st_size for file in found if file.exists())
