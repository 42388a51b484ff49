"""The daemon, killed (SIGKILL) in the gap: a reply is read, and not yet, or just now, on record.

usage: python -m tests.channels.email.gap_process CONFIG SECONDS before|after
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from reminder.app.wiring import program
from reminder.domain.context import Inbound
from tests.daemon_process import ShiftedClock


async def main(config: Path, shift: timedelta, when: str) -> None:
    """Runs until the first reply."""
    wired = program(config, ShiftedClock(shift), tick_seconds=0.2)
    take = wired.daemon.take

    async def killed(inbound: Inbound) -> bool:
        if when == "after":
            await take(inbound)
        os.kill(os.getpid(), signal.SIGKILL)
        return True

    wired.daemon.take = killed  # type: ignore[method-assign]
    await wired.run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), timedelta(seconds=float(sys.argv[2])), sys.argv[3]))
