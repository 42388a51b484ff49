"""Words of the log that several use cases need."""

from __future__ import annotations

from datetime import datetime

from reminder.core.workdays import local


def counted(number: int, noun: str) -> str:
    """“1 message”, “2 messages”."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def minute(at: datetime) -> str:
    """`at` to the minute, with the office's offset: 2024-01-26T08:00+07:00."""
    return local(at).isoformat(timespec="minutes")
