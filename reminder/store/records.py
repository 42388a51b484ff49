"""What the store keeps besides the domain's values; its errors; texts and times as it keeps them.

Free of SQLAlchemy, so that a command that opens no database loads none.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from reminder.domain.calendar import local
from reminder.domain.errors import ReminderError
from reminder.domain.ledger import Event
from reminder.domain.plan import Key
from reminder.domain.schedule import Item, MessageKind

# Names in the store's `meta` that several rooms know.
ENDED = "ended"  # when the last run ended cleanly; empty while one is under way
RESTORED = "restored"  # when a copy took the database's place, after the program had run on
MOVED = "moved"  # of a ward's file: into which database of many offices it was moved
MOVED_FROM = "moved_from"  # of an office there: the id of that move
NOT_TAKEN = "not_taken"  # how many messages a fault kept from being taken
BACKED_UP, BACKED_UP_AWAY = "last_backup", "last_backup_away"  # here, in the second folder
FORGED = "inbox:forged"  # mails so far that pretended to be an officer's

# Signs addresses, Message-IDs and links; the key of typed codes.
SECRET = "mail_secret"  # noqa: S105  the name under which it is kept

DIGITS = 18  # of a number in `meta` at most; a longer one was never written


class StoreBusyError(ReminderError):
    """The database can't be written now (locked, read-only, full disk); nothing was changed."""


class StoreRefusedError(ReminderError):
    """The database is a newer program's, damaged, or another daemon has it: a person must act."""


class LockLostError(StoreRefusedError):
    """Another daemon has taken the database over while this one was cut off: it must end."""


class UnreadableRowError(StoreRefusedError):
    """This program can't have written a row: something else has changed the database."""

    def __init__(self, table: str, row: object, what: str) -> None:
        look = "see “reminder log --verify”, or " if table == "event" else ""
        super().__init__(
            f"row {row} of the table {table} can't be read ({what}): the database was changed by"
            f" something else; {look}restore a backup"
        )
        self.table, self.row, self.what = table, row, what


def meta_moment(name: str, kept: str | None) -> datetime | None:
    """Return the time that is kept under `name` in the table meta; None if there is none."""
    if not kept:
        return None
    try:
        at = datetime.fromisoformat(kept)
        at.astimezone(UTC)  # also refuses years that are none
    except (TypeError, ValueError, OverflowError) as error:
        raise UnreadableRowError("meta", name, f"value is {kept!r:.40}") from error
    if at.tzinfo is None:
        raise UnreadableRowError("meta", name, f"value is {kept!r:.40}")
    return at


def meta_number(name: str, kept: str | None) -> int:
    """Return the number that is kept under `name` in the table meta; 0 if there is none."""
    if kept and not (kept.isascii() and kept.isdigit() and len(kept) <= DIGITS):
        raise UnreadableRowError("meta", name, f"value is {kept!r:.40}")
    return int(kept or 0)


def meta_list(name: str, kept: str | None) -> list[Any]:
    """Return the list that is kept under `name` in the table meta as JSON; [] if there is none."""
    try:
        found = json.loads(kept or "[]")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise UnreadableRowError("meta", name, f"value is {kept!r:.40}")
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """The result of a restore."""

    ticked: datetime | None  # the last tick that the copy knows of; None: it never ran
    events: int  # of the ledger, in the copy
    missing: int | None  # events of the replaced database that the copy lacks; None: unreadable
    aside: Path | None  # where the replaced database lies; None: there was none
    schema: str | None = None  # the same, of PostgreSQL: a schema in the same database
    ran_on: bool  # the program has run, or may have, since the copy was taken


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A move of a ward's file into a database of many offices, as MOVED keeps it."""

    id: str
    to: str  # the database, without its password
    office: str
    at: str  # ISO 8601
    done: bool  # False: begun; whether it came about, only that database knows

    @property
    def day(self) -> str:
        """When it was, for people; empty if that is not known."""
        try:
            return f"{local(datetime.fromisoformat(self.at)):%d/%m/%Y}"
        except ValueError:
            return ""


def move_of(kept: str | None) -> Move | None:
    """Return the move that is kept under MOVED in the table meta; None if there is none."""
    if not kept:
        return None
    try:
        return Move(**json.loads(kept))
    except (TypeError, ValueError) as error:
        raise UnreadableRowError("meta", MOVED, f"value is {kept!r:.40}") from error


class Seen(NamedTuple):
    """An update or a mail that was handled."""

    channel: str
    update_id: str
    at: datetime


class Invitation(NamedTuple):
    """An invitation that was made."""

    code_hash: str
    person: str
    expires_at: datetime
    used_at: datetime | None
    channel: str  # empty: of an earlier release, which invited to one channel


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """An event of the ledger as it is kept."""

    number: int  # its place in the chain, from 1
    event: Event
    unit_name: str  # as it stood when the event was written
    hash: str  # hex SHA-256 over the hash before and this row's canonical form


@dataclass(frozen=True, kw_only=True, slots=True)
class Spoken:
    """A stage of an occurrence that was queued for a unit, or skipped."""

    key: Key
    unit: str
    kind: str  # nudge | escalation | request | digest
    stage: str
    due: str  # ISO date: a moved date speaks anew
    at: datetime
    skipped: bool = False

    @property
    def place(self) -> Place:
        """What it is noted once for."""
        return self.key, self.unit, self.kind, self.stage, self.due


Place = tuple[Key, str, str, str, str]


def place_of(unit: str, kind: MessageKind, item: Item) -> Place:
    """Return the place of `item` in a message to `unit`."""
    return item.key, unit, kind.value, str(item.stage), item.due.isoformat()


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """The first event of the ledger that is not as it was written."""

    number: int
    what: str  # changed | missing | added | rewritten: all of it, against a head told elsewhere
    # The times that the rows around it give, as they are kept (`stamp`), for people to look:
    before: str = field(default="", compare=False)  # of the last sound one; empty: of none
    at: str = field(default="", compare=False)  # of this, or where it is missing of the next


# No database takes a lone surrogate, PostgreSQL no NUL; both can come in a message.
_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")


@lru_cache(maxsize=64)  # a tick writes the same few moments thousands of times
def stamp(at: datetime) -> str:
    """Return `at` in UTC, of one width, so that text sorts as time; ValueError if it is naive."""
    if at.tzinfo is None:
        raise ValueError("a time in the store must be aware")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@lru_cache(maxsize=1024)
def moment(text: str) -> datetime:
    """Return the instant that `stamp` wrote; raise ValueError for anything else."""
    at = datetime.fromisoformat(text)
    if stamp(at) != text:
        raise ValueError("a time in the store is in UTC, to the microsecond")
    return at


def words(text: str) -> str:
    """Return `text` as every database can keep it: U+FFFD for NUL and for half a surrogate pair."""
    return text if text.isascii() and "\0" not in text else _UNKEEPABLE.sub("\ufffd", text)
