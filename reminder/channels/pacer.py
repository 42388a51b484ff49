"""Spacing, so that Telegram never says 429: no burst, whatever the queue holds."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

OVERALL_GAP = 1 / 26  # seconds between any two sends: 30 in any second are allowed, less jitter
CHAT_GAP = 1.05  # one a second in a chat, and a little for the line's jitter
GROUP_SENDS, GROUP_SECONDS = 20, 61.0  # 20 in any minute in a group
REMEMBERED = 500  # chats kept in mind before idle ones are forgotten


class HeldError(Exception):
    """A chat must wait longer than its senders should: others can go meanwhile."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds  # until the chat takes a message again


@dataclass(slots=True)
class _Chat:
    """What is known of one chat's recent past."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    sends: deque[float] = field(default_factory=lambda: deque(maxlen=GROUP_SENDS))
    held_until: float = float("-inf")
    users: int = 0  # who waits or sends now

    def ready(self, *, group: bool) -> float:
        """From when the next send is allowed."""
        ready = self.held_until
        if self.sends:
            ready = max(ready, self.sends[-1] + CHAT_GAP)
        if group and len(self.sends) == GROUP_SENDS:
            ready = max(ready, self.sends[0] + GROUP_SECONDS)
        return ready


class Pacer:
    """Lets one send or edit at a time through to a chat, and all of them evenly spaced.

    `clock` is monotonic, in seconds; `sleep` waits on that clock. Who would wait for a chat longer
    than `patience` seconds gets HeldError instead of a turn.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        *,
        patience: float = math.inf,
    ) -> None:
        self._clock, self._sleep, self._patience = clock, sleep, patience
        self._chats: dict[int, _Chat] = {}
        self._next = float("-inf")
        self._held: dict[int, float] = {}  # chats that were refused → until when
        self._all_held_until = float("-inf")

    @asynccontextmanager
    async def turn(self, chat: int) -> AsyncIterator[None]:
        """The caller's turn to send to `chat`; others of that chat wait until it is over."""
        state = self._remember(chat)
        state.users += 1
        try:
            async with state.turn:
                if (wait := state.ready(group=chat < 0) - self._clock()) > self._patience:
                    raise HeldError(wait)
                await self._until(lambda: state.ready(group=chat < 0))
                await self._slot()
                state.sends.append(self._clock())
                try:
                    yield
                finally:  # what took long on its way may arrive late: space from then on
                    state.sends[-1] = self._clock()
        finally:
            state.users -= 1

    def hold(self, chat: int, seconds: float) -> None:
        """Telegram asked to wait: the chat does; all do once two chats were refused."""
        until = self._clock() + seconds
        self._held = {c: t for c, t in self._held.items() if t > self._clock()} | {chat: until}
        self._remember(chat).held_until = until
        if len(self._held) > 1:
            self._all_held_until = max(self._all_held_until, until)

    async def _slot(self) -> None:
        now = self._clock()
        mine = max(now, self._next, self._all_held_until)
        self._next = mine + OVERALL_GAP
        await self._until(lambda: max(mine, self._all_held_until))

    async def _until(self, ready: Callable[[], float]) -> None:
        while (wait := ready() - self._clock()) > 0:
            await self._sleep(wait)

    def _remember(self, chat: int) -> _Chat:
        if chat not in self._chats and len(self._chats) >= REMEMBERED:
            old = self._clock() - GROUP_SECONDS
            self._chats = {
                number: state
                for number, state in self._chats.items()
                if state.users or state.held_until > old or (state.sends and state.sends[-1] > old)
            }
        return self._chats.setdefault(chat, _Chat())
