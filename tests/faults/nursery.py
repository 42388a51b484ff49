"""The harness's side of a nursery: starts daemons, kills them, and reads their log."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.conftest import ROOT
from tests.waiting import within


class Nursery:
    """Daemons in processes of their own; `log` holds the lines of all of them."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.log: list[str] = []

    async def start(self, config: Path, clock: Path) -> int:
        """A daemon on these files; its process's number."""
        return await self._ask("start", str(config), str(clock))

    async def wait(self, number: int) -> int:
        """The exit code of a daemon that ends; -9 of one that was killed."""
        return await self._ask("wait", str(number))

    async def kill(self, number: int) -> None:
        """kill -9; it is gone when this returns."""
        os.kill(number, signal.SIGKILL)
        assert await self.wait(number) == -signal.SIGKILL

    async def read_log(self) -> None:
        """Collects the lines until the nursery and all its daemons have ended."""
        assert self._process.stderr is not None
        while line := await self._process.stderr.readline():
            self.log.append(line.decode("utf-8", "replace").rstrip())

    async def _ask(self, *words: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(("\t".join(words) + "\n").encode())
        answer = await within(self._process.stdout.readline(), " ".join(words))
        assert answer, "\n".join(self.log[-20:])
        return int(answer)


@asynccontextmanager
async def nursery() -> AsyncIterator[Nursery]:
    """A nursery; what it has started is killed at the end, whatever happened."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.process"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PTB_TIMEDELTA": "true"},
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        start_new_session=True,  # of its own and of all that it forks
    )
    found = Nursery(process)
    reading = asyncio.create_task(found.read_log())
    try:
        yield found
    finally:
        # The whole group: a daemon that was forked and not yet answered for would hold the pipe of
        # the log open, and the reading of it would never end.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await within(process.wait(), "the nursery's end")
        await within(reading, "the end of the daemons' log")
