"""Spacing, so that Telegram never says 429: no burst, whatever the queue holds.

The limit of 30 in any second counts arrivals, and a line that jitters brings evenly spaced requests
closer together. A request arrives after it was started and before it was answered; the quickest
answer of late tells how much of that time the way there and back takes at least. So two requests
arrive at least (start of the later − answer to the earlier + quickest answer) apart, and the pacer
keeps that at a second between any request and the thirtieth before it.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

OVERALL_GAP = 1 / 29  # seconds between the starts of two sends
OVERALL_SENDS, OVERALL_SECONDS = 30, 1.002  # 30 in any second, and a little for two clocks
SLOW = 0.5  # seconds: an answer that takes longer was slow on its way back, not on its way there
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

    def ready(self, gap: float, *, group: bool) -> float:
        """From when the next send is allowed."""
        ready = self.held_until
        if self.sends:
            ready = max(ready, self.sends[-1] + gap)
        if group and len(self.sends) == GROUP_SENDS:
            ready = max(ready, self.sends[0] + GROUP_SECONDS)
        return ready


@dataclass(slots=True)
class _Send:
    """One of the last sends to anybody."""

    start: float
    took: float | None = None  # seconds until the answer; None: under way


@dataclass(frozen=True, kw_only=True, slots=True)
class Gaps:
    """Seconds between two sends; 0: for a server without limits."""

    overall: float = OVERALL_GAP
    chat: float = CHAT_GAP


class Pacer:
    """Lets one send or edit at a time through to a chat, and all of them evenly spaced.

    `clock` is monotonic, in seconds; `sleep` waits on that clock. Who would wait for a chat longer
    than `patience` seconds gets HeldError instead of a turn.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        gaps: Gaps | None = None,
        *,
        patience: float = math.inf,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._gaps, self._patience = gaps or Gaps(), patience
        self._chats: dict[int, _Chat] = {}
        self._full = REMEMBERED
        self._gate = asyncio.Lock()  # fair: who came first goes first
        self._next = float("-inf")
        self._sends: deque[_Send] = deque(maxlen=OVERALL_SENDS)
        self._held: dict[int, float] = {}  # chats that were refused → until when
        self._all_held_until = float("-inf")

    @asynccontextmanager
    async def turn(self, chat: int) -> AsyncIterator[None]:
        """The caller's turn to send to `chat`; others of that chat wait until it is over."""
        state = self._remember(chat)
        state.users += 1
        try:
            async with state.turn:

                def ready() -> float:
                    return state.ready(self._gaps.chat, group=chat < 0)

                if (wait := ready() - self._clock()) > self._patience:
                    raise HeldError(wait)
                await self._until(ready)
                send = await self._slot()
                state.sends.append(send.start)
                try:
                    yield
                finally:  # what took long on its way may arrive late: space from then on
                    state.sends[-1] = self._clock()
                    send.took = state.sends[-1] - send.start
        finally:
            state.users -= 1

    def hold(self, chat: int, seconds: float) -> None:
        """Telegram asked to wait: the chat does; all do once two chats were refused."""
        until = self._clock() + seconds
        self._held = {c: t for c, t in self._held.items() if t > self._clock()} | {chat: until}
        self._remember(chat).held_until = until
        if len(self._held) > 1:
            self._all_held_until = max(self._all_held_until, until)

    async def _slot(self) -> _Send:
        """Waits for the next start that meets no limit of all chats together."""
        async with self._gate:
            due = max(self._clock(), self._ready())
            await self._until(self._ready)
            start, gap = self._clock(), self._gaps.overall
            # A late start is made up by the next, so that the loop's lateness does not add up.
            self._next = max(due, start - gap) + gap
            self._sends.append(send := _Send(start))
        return send

    def _ready(self) -> float:
        ready = max(self._next, self._all_held_until)
        if len(self._sends) < OVERALL_SENDS or not self._gaps.overall:
            return ready
        quickest = min((s.took for s in self._sends if s.took is not None), default=0.0)
        earliest = self._sends[0]
        jitter = 0.0 if earliest.took is None else min(earliest.took, SLOW) - quickest
        return max(ready, earliest.start + max(0.0, jitter) + OVERALL_SECONDS)

    async def _until(self, ready: Callable[[], float]) -> None:
        while (wait := ready() - self._clock()) > 0:
            await self._sleep(wait)

    def _remember(self, chat: int) -> _Chat:
        if chat not in self._chats and len(self._chats) >= self._full:
            old = self._clock() - GROUP_SECONDS
            self._chats = {
                number: state
                for number, state in self._chats.items()
                if state.users or state.held_until > old or (state.sends and state.sends[-1] > old)
            }
            self._full = max(REMEMBERED, 2 * len(self._chats))  # or each newcomer would look anew
        return self._chats.setdefault(chat, _Chat())
