"""The daemon, killed (SIGKILL) in the gap: a form is decided, and not yet, or just now, on record.

usage: python -m tests.web.gap_process CONFIG SECONDS before|after
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from reminder.app.wiring import program
from reminder.services.service import Service
from reminder.web.site import Site
from tests.daemon_process import ShiftedClock


def killed(*_: Any, **__: Any) -> Any:
    """End at once."""
    os.kill(os.getpid(), signal.SIGKILL)


async def main(config: Path, shift: timedelta, when: str) -> None:
    """Runs until the first form."""
    if when == "after":
        Site.keep = killed  # type: ignore[method-assign]
    else:
        handle = Service.handle

        def handled(*given: Any, **more: Any) -> Any:
            killed(handle(*given, **more))  # within the transaction

        Service.handle = handled  # type: ignore[method-assign]
    await program(config, ShiftedClock(shift), tick_seconds=60).run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), timedelta(seconds=float(sys.argv[2])), sys.argv[3]))
