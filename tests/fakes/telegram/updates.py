"""The queue of updates and the long poll that empties it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .model import JSON, ApiError

MESSAGE_SECONDS = 24 * 3600.0  # a message that nobody fetches is dropped after a day
PRESS_SECONDS = 150.0  # a press is dropped much sooner
LONGEST_POLL = 50.0  # a longer timeout is cut to this
MOST_UPDATES = 100
_LOOK_AGAIN = 0.01  # real seconds between two looks at an injected clock

# Left out unless they are asked for by name.
_UNASKED = {"chat_member", "message_reaction", "message_reaction_count"}
WEBHOOK_CONFLICT = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)
_CONFLICT = (
    "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running"
)


@dataclass(frozen=True)
class _Update:
    id: int
    body: Any  # JSON, but for what a broken server sends
    expires: float


class Updates:
    """What happened and was not confirmed yet; a later poll's offset confirms everything below."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.time = clock
        self._queue: list[_Update] = []
        self._next_id = 1000
        self._waiting: asyncio.Future[None] | None = None
        self.allowed: set[str] | None = None  # None: everything except what must be asked for
        self.on_news: Callable[[], None] = lambda: None  # there is an update more

    @property
    def being_polled(self) -> bool:
        """True while a long poll waits for something to happen."""
        return self._waiting is not None and not self._waiting.done()

    @property
    def pending(self) -> list[JSON]:
        """The updates that are neither confirmed nor expired."""
        now = self.time()
        self._queue = [update for update in self._queue if update.expires > now]
        return [update.body for update in self._queue]

    def allow(self, kinds: Iterable[str]) -> None:
        """Remember the wish for every later update; an empty list means the default again."""
        self.allowed = set(kinds) or None

    def add(self, kind: str, body: JSON, seconds: float = MESSAGE_SECONDS) -> None:
        """Queue an update if its kind is allowed now: the wish is applied at creation."""
        if not self._allows(kind):
            return
        self.add_raw({"update_id": self._next_id, kind: body}, seconds)

    def add_raw(self, update: Any, seconds: float = MESSAGE_SECONDS) -> None:
        """Queue an update of any shape; this server confirms it by its place all the same."""
        self._queue.append(_Update(self._next_id, update, self.time() + seconds))
        self._next_id += 1
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
        self.on_news()

    def clear(self) -> None:
        """Forget the whole queue, as drop_pending_updates does."""
        self._queue.clear()

    def queued(self) -> list[tuple[int, JSON]]:
        """The updates that wait, each with the number by which it is confirmed."""
        now = self.time()
        return [(update.id, update.body) for update in self._queue if update.expires > now]

    def delivered(self, number: int) -> None:
        """Confirm one update alone, as a webhook does."""
        self._queue = [update for update in self._queue if update.id != number]

    def end_poll(self, words: str) -> None:
        """End the poll that waits, with a conflict."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ApiError(409, words))

    def revoke(self) -> None:
        """End the poll that waits: its token counts no more."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ApiError(401, "Unauthorized"))

    async def poll(self, offset: int, limit: int, seconds: float) -> list[JSON]:
        """What waits above the offset; with nothing there, wait for it and end an older wait."""
        self._confirm(offset)
        if self.pending or seconds <= 0:
            return self.pending[:limit]
        self.end_poll(_CONFLICT)
        await self._wait(min(seconds, LONGEST_POLL))
        return self.pending[:limit]

    async def _wait(self, seconds: float) -> None:
        """Until an update, a newer poll, or the end by the injected or by the real clock."""
        loop = asyncio.get_running_loop()
        self._waiting = waiting = loop.create_future()
        real_end, end = loop.time() + seconds, self.time() + seconds
        while not waiting.done() and self.time() < end and loop.time() < real_end:
            await asyncio.wait([waiting], timeout=_LOOK_AGAIN)
        if self._waiting is waiting:
            self._waiting = None
        if waiting.done():
            waiting.result()

    def _confirm(self, offset: int) -> None:
        if offset < 0:  # a negative offset keeps that many of the newest and forgets the others
            self._queue = self._queue[offset:]
        else:
            self._queue = [update for update in self._queue if update.id >= offset]

    def _allows(self, kind: str) -> bool:
        return kind not in _UNASKED if self.allowed is None else kind in self.allowed
