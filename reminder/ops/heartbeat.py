"""A request to an outside monitor after each good tick, so that a dead program is noticed."""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

from reminder.domain.errors import ReminderError
from reminder.ops.supervisor import Troubles

log = logging.getLogger(__name__)

PAUSE = 55.0  # seconds from one call to the next at least: ticks come each minute
TIMEOUT = 10.0  # seconds


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
    """The certificates that httpx trusts, read once."""
    import httpx

    return httpx.create_ssl_context()


async def call(url: str) -> None:
    """Send one GET; NotTakenError, without the address, if it was not accepted."""
    # Loaded for the first call: a program without a heartbeat does not pay for it.
    import httpx

    try:
        async with httpx.AsyncClient(
            timeout=TIMEOUT, follow_redirects=True, verify=trust()
        ) as client:
            answer = await client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise NotTakenError(type(error).__name__) from None
    if not answer.is_success:
        raise NotTakenError(f"HTTP {answer.status_code}")
