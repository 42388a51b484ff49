"""The libraries log each request: no peer is slowed by that here, nor the table's reader."""

from __future__ import annotations

import logging
from pathlib import Path


def quiet() -> None:
    """Warnings only; of ours errors, since each copied database is one that was not closed."""
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("reminder").setLevel(logging.ERROR)
    for name in ("httpx", "httpcore", "telegram", "apscheduler"):
        logging.getLogger(name).setLevel(logging.WARNING)


def peak() -> int:
    """The most memory that this process has held, in kB.

    Of /proc, Linux only: getrusage would tell the parent's, if that was more before the exec.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])
