"""The libraries log each request: no peer is slowed by that here."""

from __future__ import annotations

import logging


def quiet() -> None:
    """Warnings only."""
    logging.basicConfig(level=logging.WARNING)
    for name in ("httpx", "httpcore", "telegram", "apscheduler"):
        logging.getLogger(name).setLevel(logging.WARNING)
