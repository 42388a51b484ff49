"""The processes of a run: the providers, and `reminder run` in each of its roles."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import ROOT
from tests.waiting import within

_REMINDER = "from reminder.cli import main; main()"
_WRONG_CLOCK = f"""
from datetime import timedelta
from reminder.app import bootstrap
now = bootstrap.SystemClock.now
bootstrap.SystemClock.now = lambda clock: now(clock) + timedelta(seconds={{}})
{_REMINDER}"""


@dataclass
class Process:
    """A process of ours; its log is a file."""

    name: str
    log: Path
    process: asyncio.subprocess.Process
    killed: bool = False

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; one that has ended gets none."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def says(self, words: str) -> None:
        """Wait until it has logged these words."""
        while words not in self.log.read_text("utf-8", "replace"):
            assert self.process.returncode is None, self.log.read_text("utf-8", "replace")[-2000:]
            await asyncio.sleep(0.05)

    @property
    def memory(self) -> int:
        """The most that it has used, in MB; 0 when it has ended."""
        with suppress(FileNotFoundError):
            status = Path(f"/proc/{self.process.pid}/status").read_text()
            if found := re.search(r"VmHWM:\s+(\d+) kB", status):
                return int(found[1]) // 1024
        return 0

    @property
    def seconds(self) -> float:
        """The processor time that it has used."""
        with suppress(FileNotFoundError):
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0


@dataclass
class Processes:
    """All of them; ended when the block ends, whatever happened."""

    folder: Path
    all: list[Process] = field(default_factory=list)

    async def start(self, name: str, *words: str, **environ: str) -> Process:
        """Start a Python with these words; its output goes to NAME.log."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            made = await asyncio.create_subprocess_exec(
                *(sys.executable, *words),
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        found = Process(name, log, made)
        self.all.append(found)
        return found

    async def providers(self, log: Path, refuse: int) -> tuple[int, int]:
        """Start the providers; return the ports of HTTP and SMTP."""
        words = ("-m", "tests.scale.providers", str(log), "--refuse", str(refuse))
        found = await self.start("providers", *words)

        async def ports() -> tuple[int, int]:
            while not (said := found.log.read_text()).endswith("\n"):
                assert found.process.returncode is None, said
                await asyncio.sleep(0.01)
            http, smtp = said.split()
            return int(http), int(smtp)

        return await within(ports(), "the providers' ports")

    async def reminder(self, name: str, config: Path, role: str, ahead: int = 0) -> Process:
        """Start `reminder run` in this role; `ahead`: seconds of its clock."""
        program = _WRONG_CLOCK.format(ahead) if ahead else _REMINDER
        return await self.start(name, "-c", program, "run", "--role", role, "--config", str(config))

    async def end(self) -> dict[str, int]:
        """SIGTERM to all that run; return the exit codes by name, of what was not killed."""
        for each in self.all:
            each.signal(signal.SIGCONT)
            each.signal(signal.SIGTERM)
        for each in self.all:
            await within(each.process.wait(), f"the end of {each.name}", 30)
        of_ours = [each for each in self.all if not each.killed and each.name != "providers"]
        return {each.name: each.process.returncode or 0 for each in of_ours}


@asynccontextmanager
async def processes(folder: Path) -> AsyncIterator[Processes]:
    """Processes whose groups are killed at the end."""
    found = Processes(folder)
    try:
        yield found
    finally:
        for each in found.all:
            with suppress(ProcessLookupError):
                os.killpg(each.process.pid, signal.SIGKILL)
            await each.process.wait()
