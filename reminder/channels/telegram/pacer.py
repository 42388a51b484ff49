"""Spaces requests so that Telegram never answers 429: no bursts, however long the queue is.

Telegram counts 30 arrivals in any second, and jitter brings evenly spaced requests closer together.
A request arrives between its start and its answer, and the round trip takes at least as long as the
fastest recent answer. Two requests therefore arrive at least (start of the later − answer to the
earlier + fastest answer) apart; the pacer keeps this above a second between any request and the
thirtieth before it.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

OVERALL_GAP = 1 / 29  # seconds between the starts of two sends
OVERALL_SENDS, OVERALL_SECONDS = 30, 1.002  # 30 in any second, and a little for two clocks
SLOW = 0.5  # seconds: a longer answer is taken to have been slow on its way back
CHAT_GAP = 1.05  # one a second in a chat, and a little for jitter
GROUP_SENDS, GROUP_SECONDS = 20, 61.0  # 20 in any minute in a group
REMEMBERED = 500  # chats whose last sends are kept before idle ones are dropped


class HeldError(Exception):
    """A chat has to wait longer than the pacer's patience; others can be served meanwhile."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds  # until the chat may be sent to again


@dataclass(slots=True)
class _Chat:
    """The recent sends to one chat."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    sends: deque[float] = field(default_factory=lambda: deque(maxlen=GROUP_SENDS))
    held_until: float = float("-inf")
    users: int = 0  # tasks that wait or send now

    def ready(self, gap: float, *, group: bool) -> float:
        """Return when the next send is allowed."""
        ready = self.held_until
        if self.sends:
            ready = max(ready, self.sends[-1] + gap)
        if group and len(self.sends) == GROUP_SENDS:
            ready = max(ready, self.sends[0] + GROUP_SECONDS)
        return ready


@dataclass(slots=True)
class _Send:
    """A recent send to any chat."""

    start: float
    took: float | None = None  # seconds until the answer; None: under way


@dataclass(frozen=True, kw_only=True, slots=True)
class Gaps:
    """Seconds between two sends; 0: for a server without limits."""

    overall: float = OVERALL_GAP
    chat: float = CHAT_GAP
    sends: int = OVERALL_SENDS  # in any second


class Pacer:
    """Allows one send or edit at a time in a chat, and spaces those of all chats evenly.

    `clock` is monotonic, in seconds; `sleep` waits on that clock. A turn that would have to wait
    longer than `patience` seconds for its chat raises HeldError.
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
        self._gate = asyncio.Lock()  # first come, first served
        self._next = float("-inf")
        self._sends: deque[_Send] = deque(maxlen=self._gaps.sends)
        self._held: dict[int, float] = {}  # chats that were refused → until when
        self._all_held_until = float("-inf")

    @asynccontextmanager
    async def turn(self, chat: int) -> AsyncIterator[None]:
        """Wait for the caller's turn in `chat`; other senders to it wait until this one is done."""
        state = self._remember(chat)
        state.users += 1
        try:
            async with state.turn:
                ready = partial(state.ready, self._gaps.chat, group=chat < 0)
                if (wait := ready() - self._clock()) > self._patience:
                    raise HeldError(wait)
                await self._until(ready)
                send = await self._slot()
                state.sends.append(send.start)
                try:
                    yield
                finally:  # a slow request may arrive late: count from its answer
                    state.sends[-1] = self._clock()
                    send.took = state.sends[-1] - send.start
        finally:
            state.users -= 1

    def until_ready(self, chat: int) -> Awaitable[None] | None:
        """The wait until `chat` may be sent to; None if it may, or waits beyond our patience."""
        state = self._chats.get(chat)
        if state is None:
            return None
        ready = partial(state.ready, self._gaps.chat, group=chat < 0)
        wait = ready() - self._clock()
        return self._until(ready) if 0 < wait <= self._patience else None

    def hold(self, chat: int, seconds: float) -> None:
        """Make the chat wait as Telegram asked, and all chats once two have been refused."""
        until = self._clock() + seconds
        self._held = {c: t for c, t in self._held.items() if t > self._clock()} | {chat: until}
        self._remember(chat).held_until = until
        if len(self._held) > 1:
            self._all_held_until = max(self._all_held_until, until)

    @property
    def gap(self) -> float:
        """The seconds between two sends."""
        return self._gaps.overall

    def limit(self, rate: int) -> None:
        """Allow `rate` sends in any second, to all chats together."""
        self._gaps = replace(self._gaps, overall=1 / rate, sends=rate)
        self._sends = deque(self._sends, maxlen=rate)

    def pace(self) -> dict[str, Any]:
        """Return the recent sends, in seconds before now, for `resume`."""
        now = self._clock()
        chats = {
            number: [now - at for at in state.sends]
            for number, state in self._chats.items()
            if state.sends and state.sends[-1] > now - (GROUP_SECONDS if number < 0 else CHAT_GAP)
        }
        held = {number: until - now for number, until in self._held.items() if until > now}
        return {
            "sends": [[now - send.start, send.took or 0.0] for send in self._sends],
            "chats": [[number, ages] for number, ages in chats.items()],
            "held": [[number, seconds] for number, seconds in held.items()],
        }

    def resume(self, pace: dict[str, Any], passed: float) -> None:
        """Go on as if the sends that another pacer told `passed` seconds ago were this one's."""
        told = self._clock() - passed
        for age, took in pace["sends"]:
            self._sends.append(_Send(told - age, took))
            self._next = told - age + self._gaps.overall
        for number, ages in pace["chats"]:
            self._remember(number).sends.extend(told - age for age in ages)
        for number, seconds in pace["held"]:
            self.hold(number, told + seconds - self._clock())

    async def _slot(self) -> _Send:
        """Wait until the limits of all chats together allow a send."""
        async with self._gate:
            due = max(self._clock(), self._ready())
            await self._until(self._ready)
            start, gap = self._clock(), self._gaps.overall
            # The next send makes up for a late start, so that delays of the loop don't add up.
            self._next = max(due, start - gap) + gap
            self._sends.append(send := _Send(start))
        return send

    def _ready(self) -> float:
        ready = max(self._next, self._all_held_until)
        if len(self._sends) < self._gaps.sends or not self._gaps.overall:
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
            # Larger than what is left, or every new chat would search for idle ones again.
            self._full = max(REMEMBERED, 2 * len(self._chats))
        return self._chats.setdefault(chat, _Chat())
