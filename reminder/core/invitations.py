"""One-time invitations: the code, what is kept of it, and the link that carries it to the bot."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta

HOLDS = timedelta(hours=72)  # an officer is invited on Friday and presses Start on Monday
CODE_BYTES = 16  # 128 bits: nobody guesses one within its 72 hours


def make_code(random_bytes: bytes) -> str:
    """A code of [A-Za-z0-9_-], as Telegram takes it behind `?start=` (up to 64 characters)."""
    if not CODE_BYTES <= len(random_bytes) <= 48:
        raise ValueError(f"an invitation is made of {CODE_BYTES} to 48 random bytes")
    return base64.urlsafe_b64encode(random_bytes).rstrip(b"=").decode("ascii")


def hash_code(code: str) -> str:
    """All that is kept of a code: who reads the database can't use it."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


def link(bot_name: str, code: str) -> str:
    """The link that opens a chat with the bot and sends it `/start CODE` at the press of Start."""
    return f"https://t.me/{bot_name.removeprefix('@')}?start={code}"
