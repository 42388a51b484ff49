"""What a button sends back: at most 64 bytes (Bot API), no state kept, good after a restart.

A button names its verb and a digest of the occurrence and unit that it is about; a press is looked
up among all that there are, so that nothing a stranger sends can name anything else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, datetime

from reminder.domain.occurrences import Key

_DIGITS = 20  # hex digits of SHA-256: 80 bits tell a few thousand apart for good


def encode(verb: str, key: Key, unit: str) -> str:
    """The data of a button that does `verb` for `unit` to the occurrence `key`."""
    return f"{verb}:{_digest(key, unit)}"


def dated(data: str, day: date) -> str:
    """The data of the same button, which names a day besides."""
    verb, _, digest = data.partition(":")
    return f"{verb}@{day:%Y%m%d}:{digest}"


def day_of(verb: str) -> tuple[str, date | None]:
    """A decoded verb without the day that it names, and that day."""
    word, _, day = verb.partition("@")
    try:
        return word, datetime.strptime(day, "%Y%m%d").date() if day else None  # noqa: DTZ007  a day
    except ValueError:
        return verb, None


def decode(data: str, keys: Iterable[Key], units: Iterable[str]) -> tuple[str, Key, str] | None:
    """The verb, occurrence and unit of a button; None if it is about none of these."""
    verb, _, digest = data.partition(":")
    known = list(units)
    for key in keys:
        for unit in known:
            if _digest(key, unit) == digest:
                return verb, key, unit
    return None


def _digest(key: Key, unit: str) -> str:
    text = "\x1f".join((key.plan, key.task, str(key.deliverable), key.period, unit))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
