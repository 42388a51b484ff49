"""What tests of engines share: handlers that tell what they do, and run until they are let go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from reminder.engine.port import Engine, Handler, Jobs, Pauses
from tests.waiting import until, within

QUICK = Pauses(first=0.01, longest=0.02)


class RealClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Gate:
    """A handler that runs for each key until the key is let go."""

    begun: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    _free: dict[str, asyncio.Semaphore] = field(default_factory=dict)

    async def __call__(self, key: str) -> None:
        self.begun.append(key)
        await self._of(key).acquire()
        self.ended.append(key)

    def let_go(self, key: str, runs: int = 1) -> None:
        """Let so many runs of the key end."""
        for _ in range(runs):
            self._of(key).release()

    async def has_begun(self, *keys: str) -> None:
        """Wait until these runs have begun, in whatever order, and no others."""
        await until(lambda: sorted(self.begun) == sorted(keys), more=lambda: self.begun)

    def _of(self, key: str) -> asyncio.Semaphore:
        return self._free.setdefault(key, asyncio.Semaphore(0))


async def has_jobs(engine: Engine, jobs: dict[str, Jobs]) -> None:
    """Wait until an engine tells of these jobs."""
    while (found := await engine.jobs()) != jobs:
        await within(asyncio.sleep(0.01), f"{jobs}, not {found}")


@asynccontextmanager
async def running(
    engine: Engine, handlers: Mapping[str, Handler], *, free: tuple[Gate, ...] = ()
) -> AsyncIterator[asyncio.Event]:
    """Run an engine; at the end it is stopped, and waited for."""
    stop = asyncio.Event()
    task = asyncio.create_task(engine.run(handlers, stop))
    try:
        yield stop
    finally:
        stop.set()
        for gate in free:
            for key in gate.begun:
                gate.let_go(key)
        await within(task, "the engine's end")
