"""What a button sends back: at most 64 bytes (Bot API), no state kept, good after a restart.

A button names its verb and a digest of the occurrence and unit that it is about; a press is looked
up among all that there are, so that nothing a stranger sends can name anything else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from reminder.core.occurrences import Key

_DIGITS = 20  # hex digits of SHA-256: 80 bits tell a few thousand apart for good


def encode(verb: str, key: Key, unit: str) -> str:
    """The data of a button that does `verb` for `unit` to the occurrence `key`."""
    return f"{verb}:{_digest(key, unit)}"


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
