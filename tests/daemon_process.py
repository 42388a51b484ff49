"""The daemon as a process of its own, wired as ever, on a clock that is the machine's, shifted.

usage: python -m tests.daemon_process CONFIG SECONDS
SECONDS are added to the machine's clock. For tests that kill it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reminder.app.wiring import program
from reminder.domain.errors import ReminderError

os.environ.setdefault("PTB_TIMEDELTA", "true")


class ShiftedClock:
    """The machine's clock, shifted by a fixed span."""

    def __init__(self, shift: timedelta) -> None:
        self._shift = shift

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift


async def main(config: Path, shift: timedelta) -> None:
    """Runs until killed."""
    await program(config, ShiftedClock(shift), tick_seconds=0.2).run()


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1]), timedelta(seconds=float(sys.argv[2]))))
    except ReminderError as error:
        sys.exit(str(error))
