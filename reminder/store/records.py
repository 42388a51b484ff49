"""What the store keeps besides the domain's values, and all of them as columns and back.

Free of SQLAlchemy, so that a command that opens no database loads none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from reminder.domain.errors import ReminderError
from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import Draft, Row, RowState
from reminder.domain.payloads import decode, encode
from reminder.domain.people import Address
from reminder.domain.plan import Key
from reminder.domain.schedule import Item, MessageKind

# Names in the store's `meta` that several rooms know.
ENDED = "ended"  # when the last run ended cleanly; empty while one is under way
RESTORED = "restored"  # when a copy took the database's place, after the program had run on
BACKED_UP, BACKED_UP_AWAY = "last_backup", "last_backup_away"  # here, in the second folder


class StoreBusyError(ReminderError):
    """The database can't be written now (locked, read-only, full disk); nothing was changed."""


class StoreRefusedError(ReminderError):
    """The database is a newer program's, damaged, or another daemon has it: a person must act."""


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
_compact = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make one each time


@lru_cache(maxsize=64)  # a tick writes the same few moments thousands of times
def stamp(at: datetime) -> str:
    """`at` in UTC, of one width, so that text sorts as time; ValueError if it is naive."""
    if at.tzinfo is None:
        raise ValueError("a time in the store must be aware")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """Return the instant that `stamp` wrote."""
    return datetime.fromisoformat(text)


def maybe_moment(text: str | None) -> datetime | None:
    """Return the instant that `stamp` wrote; None for None."""
    return None if text is None else datetime.fromisoformat(text)


def words(text: str) -> str:
    """`text` as every database can keep it: U+FFFD for NUL and for half a surrogate pair."""
    return text if text.isascii() and "\0" not in text else _UNKEEPABLE.sub("\ufffd", text)


def from_event(entry: Event) -> dict[str, Any]:
    """The columns of the table `event` that the event itself fills."""
    return {
        "at": stamp(entry.at),
        "kind": entry.kind.value,
        **entry.key._asdict(),
        "unit": entry.unit,
        "person": words(entry.by),
        "channel": entry.channel,
        "message": words(entry.message),
        "evidence": words(entry.evidence),
        "note": words(entry.note),
        "until": None if entry.until is None else entry.until.isoformat(),
    }


def to_recorded(columns: Mapping[str, Any]) -> Recorded:
    """A row of the table `event`; StoreRefusedError if this program can't have written it."""
    try:
        entry = Event(
            at=moment(columns["at"]),
            kind=EventKind(columns["kind"]),
            key=Key(*(columns[name] for name in Key._fields)),
            unit=columns["unit"],
            by=columns["person"],
            channel=columns["channel"],
            message=columns["message"],
            evidence=columns["evidence"],
            note=columns["note"],
            until=None if columns["until"] is None else date.fromisoformat(columns["until"]),
        )
    except (TypeError, ValueError) as error:
        raise StoreRefusedError(
            f"event {columns['number']} of the ledger can't be read ({error}):"
            " see “reminder log --verify”, or restore a backup"
        ) from error
    kept = {name: columns[name] for name in ("number", "unit_name", "hash")}
    return Recorded(event=entry, **kept)


def from_spoken(said: Spoken) -> dict[str, Any]:
    """The columns of the table `spoken`."""
    return {
        **said.key._asdict(),
        "unit": said.unit,
        "kind": said.kind,
        "stage": said.stage,
        "due": said.due,
        "at": stamp(said.at),
        "skipped": said.skipped,
    }


def to_spoken(columns: Sequence[Any]) -> Spoken:
    """A row of the table `spoken`, its columns in their order."""
    *key, unit, kind, stage, due, at, skipped = columns
    return Spoken(
        key=Key(*key),
        unit=unit,
        kind=kind,
        stage=stage,
        due=due,
        at=moment(at),
        skipped=skipped,
    )


def from_draft(draft: Draft, at: datetime) -> dict[str, Any]:
    """The columns of a new row of the outbox, written at `at`."""
    return {
        "slot": stamp(draft.slot),
        "recipient": words(draft.recipient),
        "kind": draft.kind,
        "subject": words(draft.subject),
        "channel": draft.channel,
        "payload": _compact(encode(draft.payload, draft.envelope)),
        "drafted_due": stamp(draft.due_at),
        "state": RowState.PENDING.value,
        "due_at": stamp(draft.due_at),
        "attempts": 0,
        "repeat": False,
        "provider_id": "",
        "error": "",
        "created_at": stamp(at),
    }


def to_row(columns: Sequence[Any]) -> Row:
    """A row of the outbox, its columns as outbox.COLUMNS has them.

    StoreRefusedError if this program can't have written it.
    """
    try:
        return _row(columns)
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreRefusedError(
            f"row {columns[0]} of the outbox can't be read ({type(error).__name__}): the database"
            " was changed by something else; restore a backup"
        ) from error


def _row(columns: Sequence[Any]) -> Row:
    id_, slot, recipient, kind, subject, channel, payload, drafted_due, *rest = columns
    state, due_at, attempts, lease_until, repeat, provider_id, error, ended_at = rest
    said, envelope = decode(kind, json.loads(payload))
    draft = Draft(
        slot=moment(slot),
        recipient=recipient,
        kind=kind,
        subject=subject,
        channel=channel,
        payload=said,
        envelope=envelope,
        due_at=moment(drafted_due),
    )
    return Row(
        id=id_,
        draft=draft,
        state=RowState(state),
        due_at=moment(due_at),
        attempts=attempts,
        lease_until=maybe_moment(lease_until),
        repeat=repeat,
        provider_id=provider_id,
        error=error,
        sent_at=maybe_moment(ended_at) if state == RowState.SENT else None,
    )


def to_address(columns: Sequence[Any]) -> Address:
    """A row of the table `address`, its columns in their order."""
    recipient, channel, value, bound_at, dead_since, dead_reason = columns
    return Address(
        recipient=recipient,
        channel=channel,
        value=value,
        bound_at=moment(bound_at),
        dead_since=maybe_moment(dead_since),
        dead_reason=dead_reason,
    )
