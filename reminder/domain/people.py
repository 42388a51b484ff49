"""Who receives messages, and where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

# The part before @ has at most 64 octets (RFC 5321, 4.5.3.1.1). ASCII only, no quoted part: the
# program hands these to mail servers that need not offer SMTPUTF8.
MAIL_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
)


def address_fault(email: str) -> str:
    """Return what is wrong with a mail address that somebody wrote; nothing if it is one."""
    if MAIL_ADDRESS.fullmatch(email):
        return ""
    return f"“{email:.60}” không phải địa chỉ thư; ví dụ ten@xa.example"


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """An officer, as config/people.toml lists them."""

    id: str
    name: str
    units: tuple[str, ...]
    email: str = ""
    title: str = ""  # chức danh, as the office's list has it
    phone: str = ""
    channels: tuple[str, ...]  # in the order in which they are tried


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a recipient is reached on a channel."""

    recipient: str  # a person's id, or “group:UNIT”
    channel: str
    value: str  # a chat id, a mail address
    bound_at: datetime
    dead_since: datetime | None = None  # nothing was accepted there from then on
    dead_reason: str = ""
