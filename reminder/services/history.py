"""What was said before: read off the outbox, which is the truth about messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from reminder.decisions.serialization import key_of
from reminder.domain.calendar import instant
from reminder.domain.context import Asked, Inbound
from reminder.domain.occurrences import Key
from reminder.domain.outbox import Row, RowState
from reminder.domain.schedule import Item, MessageKind, local_day
from reminder.services.office import Office
from reminder.services.recipients import unpacked
from reminder.services.status import health

if TYPE_CHECKING:
    from reminder.store.store import Store

_GONE = (RowState.DEAD, RowState.SUPERSEDED, RowState.DROPPED)
MOST = 100_000  # rows that are looked through: more than a plan of any size sends
NEWEST = 50  # nudges of a recipient that are looked through for the one that is meant


def newest_nudges(store: Store, rows: Iterable[Row]) -> dict[str, datetime]:
    """The slot of the newest nudge to each who gets one of `rows`, asked for all at once."""
    nudges = [row.draft for row in rows if row.draft.kind == MessageKind.NUDGE]
    if not nudges:
        return {}
    since = min(draft.slot for draft in nudges)
    return store.newest_slots(MessageKind.NUDGE, {draft.recipient for draft in nudges}, since)


def completed(
    office: Office, store: Store, row: Row, now: datetime, newest: Mapping[str, datetime]
) -> Row:
    """`row` with what its words need of the past; `newest`, as `newest_nudges` has found it.

    A nudge loses the items that a newer one to the same recipient also tells, by whatever way; an
    escalation learns how often its items were nudged about, and what the others above the work
    were told of them; a digest how the program has fared, with the head of the ledger that its own
    row has kept, and whether a newer one is on its way.
    """
    payload = dict(row.draft.payload)
    if row.draft.kind == MessageKind.NUDGE:
        later = newest.get(row.draft.recipient, row.draft.slot) > row.draft.slot
        newer = _newer(store, row) if later else set()
        payload["items"] = [i for i in payload.get("items", ()) if tuple(i[:5]) not in newer]
    elif row.draft.kind == MessageKind.ESCALATION:
        keys = {item.key for items in unpacked(payload).values() for item in items}
        since = _beginning(office, keys)
        payload["reminded"] = _reminded(store, keys, row.draft.slot, since)
        payload["told"], payload["leaving"] = _told_others(store, unpacked(payload), since)
        payload["silent"] = [
            unit
            for unit in sorted(office.leaders)
            if not any(office.ways(person.id) for person in office.members(unit))
        ]
    elif row.draft.kind == MessageKind.DIGEST or payload.get("view") == MessageKind.DIGEST:
        number, last_hash = payload.get("head") or store.head()
        payload["outdated"] = _outdated(store, row)
        payload["health"] = health(office, store, now, head=(int(number), str(last_hash)))
    return replace(row, draft=replace(row.draft, payload=payload))


def _outdated(store: Store, row: Row) -> bool:
    """Whether a newer digest goes the same way: this one would say the same words once more."""
    draft = row.draft
    return draft.kind == MessageKind.DIGEST and any(
        other.draft.slot > draft.slot
        and other.draft.channel == draft.channel
        and other.state not in _GONE
        for other in store.rows(kind=draft.kind, recipient=draft.recipient, since=draft.slot)
    )


def _newer(store: Store, row: Row) -> set[tuple[Any, ...]]:
    """(unit, key) of all that a newer nudge says."""
    later = store.rows(kind="nudge", recipient=row.draft.recipient, since=row.draft.slot)
    return {
        tuple(item[:5])
        for other in later
        if other.draft.slot > row.draft.slot and other.state not in _GONE
        for item in other.draft.payload.get("items", ())
    }


def _beginning(office: Office, keys: Iterable[Key]) -> datetime | None:
    """Before this nothing was ever said of `keys`: the first hour of their plans' first year."""
    plans = [office.by_plan.get(key.plan) for key in keys]
    first_days = [plan.first_day for plan in plans if plan is not None]
    return instant(min(first_days), time()) if first_days and None not in plans else None


def _reminded(
    store: Store, keys: Iterable[Key], slot: datetime, since: datetime | None
) -> list[list[Any]]:
    """For each key: how many nudges were sent, by which channels, when the last.

    One of the same `slot` that is on its way for the first time counts as sent: the two leave
    together.
    """
    wanted = set(keys)
    found: dict[Key, list[tuple[datetime, datetime, str]]] = {}
    states = [RowState.SENT, RowState.LEASED]
    for row in store.rows(kind="nudge", states=states, since=since, limit=MOST):
        leaving = row.draft.slot == slot and row.attempts <= 1
        if row.state is RowState.LEASED and not leaving:
            continue
        for items in unpacked(row.draft.payload).values():
            for item in items:
                if item.key in wanted:
                    at = row.sent_at or row.draft.slot
                    found.setdefault(item.key, []).append((row.draft.slot, at, row.draft.channel))
    return [
        [
            list(key),
            len({slot for slot, *_ in sends}),  # one slot is one reminder, however many hear it
            sorted({channel for *_, channel in sends}),
            max(at for _, at, _ in sends).isoformat(),
        ]
        for key, sends in found.items()
    ]


def _told_others(
    store: Store, said: Mapping[str, Sequence[Item]], since: datetime | None
) -> tuple[list[list[Any]], list[list[Any]]]:
    """Of the items that other units above were told of, with this due day: when first, by key.

    And the keys of those of which such a message is only on its way.
    """
    wanted = {(item.key, item.due) for items in said.values() for item in items}
    first: dict[Key, datetime] = {}
    leaving: dict[Key, None] = {}
    for row in store.rows(kind="escalation", since=since, limit=MOST):
        if row.state in _GONE:
            continue
        for unit, items in unpacked(row.draft.payload).items():
            for item in items:
                if unit in said or (item.key, item.due) not in wanted:
                    continue
                if row.state is RowState.SENT:
                    at = row.sent_at or row.draft.slot
                    first[item.key] = min(at, first.get(item.key, at))
                else:
                    leaving[item.key] = None
    told = [[list(key), at.isoformat()] for key, at in first.items()]
    return told, [list(key) for key in leaving if key not in first]


def told_late(store: Store, keys: Iterable[Key]) -> dict[Key, frozenset[str]]:
    """Which units above the work were told that it is late: of each of `keys` that some were.

    Of what was never late nothing is read, of the rest only the outbox since it was first told.
    """
    wanted = list(keys)
    said = [
        spoken
        for spoken in (store.spoken_of(wanted) if wanted else ())
        if spoken.kind == MessageKind.ESCALATION and not spoken.skipped
    ]
    if not said:
        return {}
    late = {spoken.key for spoken in said}
    since = instant(local_day(min(spoken.at for spoken in said)), time())
    found: dict[Key, set[str]] = {}
    for row in store.rows(kind="escalation", since=since, limit=MOST):
        if row.state not in (RowState.SENT, RowState.LEASED):
            continue
        for unit, items in unpacked(row.draft.payload).items():
            for item in items:
                if item.key in late:
                    found.setdefault(item.key, set()).add(unit)
    return {key: frozenset(units) for key, units in found.items()}


def reminded_on(store: Store, day: date) -> dict[tuple[Key, str], Asked]:
    """What the office had reminded now, beside the schedule, on one day: by (key, unit).

    A row that was given up has reached nobody and counts for nothing.
    """
    found: dict[tuple[Key, str], Asked] = {}
    for row in store.rows(kind="nudge", since=instant(day, time()), limit=MOST):
        by = row.draft.payload.get("insist")
        if not by or row.state in _GONE:
            continue
        asked = Asked(at=row.draft.slot, by=by if isinstance(by, str) else "")
        for unit, items in unpacked(row.draft.payload).items():
            found |= {(item.key, unit): asked for item in items}  # the rows: newest first
    return found


def named_in(store: Store, recipient: str, channel: str, message: str) -> list[tuple[str, Key]]:
    """The (unit, occurrence) pairs of the message that an answer replies to; none if unknown."""
    if not message:
        return []
    for row in store.rows(recipient=recipient, limit=NEWEST):
        same = row.draft.channel == channel and row.provider_id == message
        if same and row.draft.kind in ("nudge", "escalation", "request"):
            by_unit = unpacked(row.draft.payload)
            return [(unit, item.key) for unit, items in by_unit.items() for item in items]
        if same and row.draft.payload.get("view") == "extension-asked":
            return [("", key_of(row.draft.payload["data"]["key"]))]
    return []


ANSWERED_WITHIN = timedelta(days=3)  # how long “đúng” is taken for the answer to a question


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """Whether work is done, as it was asked after a message that was not quite understood."""

    keys: tuple[Key, ...]
    unit: str
    words: str  # of the message


def question(store: Store, recipient: str, inbound: Inbound, now: datetime) -> Question | None:
    """The question that `inbound` answers: the message with the button, the one replied to, or
    else the last thing that was said to `recipient`.
    """
    named = inbound.message if inbound.press else inbound.reply_to
    since = None if named else now - ANSWERED_WITHIN
    rows = store.rows(recipient=recipient, states=[RowState.SENT], since=since, limit=NEWEST)
    for row in rows:
        if row.draft.kind == "edit":
            continue
        if named and (row.draft.channel, row.provider_id) != (inbound.channel, named):
            continue
        return _question_in(row.draft.payload)
    return None


def _question_in(payload: Mapping[str, Any]) -> Question | None:
    parts = [(payload.get("view"), payload.get("data", {}))]
    if parts[0][0] == "several":
        parts = [(name, data) for name, data in payload["data"]["parts"]]
    for name, data in parts:
        if name in ("claimed", "which"):
            keys = tuple(key_of(packed) for packed in data["keys"])
            return Question(keys=keys, unit=data["unit"], words=data.get("words", ""))
    return None


def last_named(store: Store, recipient: str, since: datetime) -> list[Key]:
    """What the newest nudge to `recipient` named, if it was sent for a slot from `since` on."""
    rows = store.rows(
        kind="nudge", recipient=recipient, states=[RowState.SENT], since=since, limit=1
    )
    return [
        item.key for row in rows for items in unpacked(row.draft.payload).values() for item in items
    ]


def addressee(store: Store, people: Sequence[str], channel: str, message: str) -> str:
    """Whom of `people`, who share an address, the message `message` went to; empty if unknown."""
    if not message or len(people) < 2:
        return ""
    return next(
        (
            person
            for person in people
            for row in store.rows(recipient=person, limit=NEWEST)
            if row.draft.channel == channel and row.provider_id == message
        ),
        "",
    )


def newest_naming(store: Store, recipient: str, key: Key) -> Row | None:
    """The newest nudge to `recipient` that named `key` and was sent by a channel."""
    for row in store.rows(kind="nudge", recipient=recipient, states=[RowState.SENT], limit=NEWEST):
        if any(item.key == key for items in unpacked(row.draft.payload).values() for item in items):
            return row
    return None


def was_edited(store: Store, row: Row) -> bool:
    """Whether the message of `row` no longer stands as it was sent, or soon will not."""
    later = store.rows(kind="edit", recipient=row.draft.recipient, since=row.draft.slot, limit=MOST)
    edits = (e for e in later if e.draft.payload.get("edit") == row.provider_id)
    return any(edit.state not in _GONE for edit in edits)
