"""The engine of one process: a task for each key that has work, no server."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from reminder.engine.port import Begun, Handler, Jobs, Pauses, Period, keep
from reminder.ops.supervisor import Clock, Troubles, pause_until, supervise

Key = tuple[str, str]  # role, key


class Embedded:
    """An engine whose keys are in memory; one process alone may use it."""

    def __init__(self, clock: Clock, pauses: Pauses | None = None) -> None:
        self._clock = clock
        self._pauses = pauses or Pauses()
        self._periods: list[Period] = []
        self._waiting: set[Key] = set()
        self._running: dict[Key, asyncio.Task[None]] = {}
        self._paused: set[Key] = set()  # of those: whose handler failed, and is run again later
        self._handlers: Mapping[str, Handler] = {}
        self._troubles = Troubles()
        self._stop = asyncio.Event()

    def every(self, period: float, role: str, key: str) -> None:
        """Wake a key once a period."""
        self._periods.append(Period(every=period, role=role, key=key))

    async def wake(self, role: str, *keys: str) -> None:
        """Have the handler of `role` run for each of these keys soon."""
        for key in keys:
            self._waiting.add((role, key))
            self._begin((role, key))

    async def run(self, handlers: Mapping[str, Handler], stop: asyncio.Event) -> None:
        """Run the handlers until `stop`, then wait for those under way."""
        self._stop, self._handlers = stop, handlers
        for key in list(self._waiting):
            self._begin(key)
        timing = asyncio.create_task(
            supervise("timing", partial(keep, self._periods, self._now, self._due, stop), stop, 1.0)
        )
        try:
            await stop.wait()
        finally:
            self._handlers = {}
            timing.cancel()
            running = list(self._running.values())
            if not stop.is_set():
                for task in running:
                    task.cancel()
            await asyncio.gather(timing, *running, return_exceptions=True)

    async def jobs(self) -> dict[str, Jobs]:
        """Return how many keys wait and run, by role."""
        at_work = self._running.keys() - self._paused
        waiting = Counter(role for role, _ in self._waiting - at_work)
        running = Counter(role for role, _ in at_work)
        return {
            role: Jobs(waiting=waiting[role], running=running[role])
            for role in sorted(waiting | running)
        }

    async def _now(self) -> datetime:
        return self._clock.now()

    async def _due(self, begun: Begun) -> None:
        for period, _ in begun:
            await self.wake(period.role, period.key)

    def _begin(self, key: Key) -> None:
        if key[0] in self._handlers and key not in self._running:
            self._running[key] = asyncio.create_task(self._work(key))

    async def _work(self, key: Key) -> None:
        """Run the handler as long as the key is woken."""
        failures = 0
        try:
            while key in self._waiting and key[0] in self._handlers:
                self._waiting.discard(key)
                try:
                    await self._handlers[key[0]](key[1])
                except Exception as error:  # noqa: BLE001  it costs no other key
                    failures += 1
                    self._waiting.add(key)
                    self._paused.add(key)
                    self._troubles.fails(" ".join(key).strip(), error)
                    await pause_until(self._stop, self._pauses.after(failures))
                    self._paused.discard(key)
                else:
                    failures = 0
                    self._troubles.over(" ".join(key).strip())
        finally:
            self._paused.discard(key)
            del self._running[key]
