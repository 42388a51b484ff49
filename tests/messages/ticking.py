"""A clock that moves only when everybody waits for it."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Coroutine
from typing import Any


class Ticking:
    """Monotonic seconds, and a sleep that waits on them; nothing sleeps on the wall clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Returns once the clock was moved on by `seconds`."""
        self._count += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self.now + seconds, self._count, future))
        await future

    async def skip(self, seconds: float) -> None:
        """A sleep for one caller at a time: the clock jumps at once."""
        self.now += seconds

    async def run(self, *work: Coroutine[Any, Any, object]) -> None:
        """Runs `work` side by side to its end, moving the clock whenever all of it waits."""
        tasks = [asyncio.ensure_future(one) for one in work]
        while not all(task.done() for task in tasks):
            for _ in range(10):  # what can go on without time passing goes on first
                await asyncio.sleep(0)
            while self._waiting and self._waiting[0][2].cancelled():
                heapq.heappop(self._waiting)
            if self._waiting:
                self.now, _, future = heapq.heappop(self._waiting)
                future.set_result(None)
        for task in tasks:
            task.result()
