"""Ways to reach people: one folder a channel, which sends, receives and explains failures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, runtime_checkable

from reminder.domain.outbox import Outbound

# What a provider posts to the page → the HTTP status of the answer. It has to prove itself.
Hook = Callable[[Mapping[bytes, bytes], bytes], Awaitable[int]]  # headers by lower-case name, body


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
