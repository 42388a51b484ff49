"""Ways to reach people: one folder a channel, which sends, receives and explains failures."""

from __future__ import annotations

import hmac
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit

from reminder.domain.outbox import Outbound, SendError

NOT_BEGUN = "chương trình dừng trước khi gửi tin này"

# What a provider posts to the page → the HTTP status of the answer. It has to prove itself. Among
# the headers is the path, as “:path”, which no client can send as a header.
Hook = Callable[[Mapping[bytes, bytes], bytes], Awaitable[int]]  # headers by lower-case name, body


@dataclass(frozen=True)
class Webhook:
    """Where a provider posts what it hands out, instead of being polled."""

    url: str
    secret: str = field(repr=False)
    certificate: bytes = field(default=b"", repr=False)  # of a server that nobody vouches for

    @property
    def path(self) -> str:
        """The path of the page at which it is taken."""
        return urlsplit(self.url).path

    def is_proved(self, given: bytes | None) -> bool:
        """Return whether a request carries the secret, in the same time whatever it carries."""
        return hmac.compare_digest(given or b"", self.secret.encode())


@runtime_checkable
class Hooked(Protocol):
    """A listener to which the provider posts, at paths of the page."""

    @property
    def hooks(self) -> Mapping[str, Hook]:
        """The hooks by their paths."""
        ...


class Channel(Protocol):
    """Sends messages. Its ChannelTraits say what it can do."""

    name: str

    async def send(self, address: str, message: Outbound, key: str) -> str:
        """Deliver, and return the provider's id; SendError if it was not accepted.

        `key` is stable over all attempts at one row, for providers that can tell repeats.
        """
        ...

    def turn(self, address: str) -> Awaitable[object] | None:
        """Return None if the address may be sent to now, else what waits until it may."""
        ...

    def halt(self) -> None:
        """Begin no more sends: one that waits for its turn fails at once, to be retried.

        What is under way goes on. For the end of the program.
        """
        ...

    async def stop(self) -> None: ...


@runtime_checkable
class Ready(Protocol):
    """A channel whose first message after a while takes longer, unless it is made ready for it."""

    async def make_ready(self) -> None:
        """Load and connect what the next message needs; what fails then, fails in `send` too."""
        ...


@cache
def trust() -> ssl.SSLContext:
    """Return the certificates that httpx trusts; read once, as it takes 30 ms and a megabyte."""
    import httpx

    return httpx.create_ssl_context()


Ours = Callable[[], Awaitable[bool]]  # whether this process still sends by the account


async def always() -> bool:
    """Return True: nobody else sends by the account."""
    return True


async def begin(ours: Ours) -> None:
    """Ask as a message goes out, after all waiting; SendError, not begun, if it must not."""
    if not await ours():
        raise SendError(NOT_BEGUN, retry=True, begun=False)


@runtime_checkable
class Paced(Channel, Protocol):
    """A channel that keeps a pace, also over a change of the process that sends by its account."""

    ours: Ours  # asked as each message goes out

    @property
    def gap(self) -> float:
        """The seconds from one message to the next, at least."""
        ...

    def limit(self, rate: int) -> None:
        """Send no more than `rate` messages a second."""
        ...

    def pace(self) -> object:
        """Return, as JSON has it, what another process must know to go on at the same pace."""
        ...

    def resume(self, pace: object, passed: float) -> None:
        """Go on at the pace that another process told `passed` seconds ago."""
        ...
