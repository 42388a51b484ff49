"""The proof of notice: each message with each task that it told, from what the outbox kept."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile

from reminder.core.ledger import Event, State, apply, by_key, initial
from reminder.core.occurrences import Key
from reminder.core.outbox import Row, RowState
from reminder.core.periods import Period
from reminder.core.schedule import Item, MessageKind, local_day
from reminder.core.workdays import local
from reminder.service.office import GROUP, STRANGER, Office
from reminder.service.recipients import unpacked

_NEVER = (RowState.DEAD, RowState.SUPERSEDED, RowState.DROPPED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """One task as a message told of it."""

    key: Key
    unit: str  # the unit's name, whose part it is
    title: str
    product: str
    period: str  # “tháng 01”
    due: date | None  # as it stood when the message was sent
    stage: str  # as schedule.Stage writes it: lead-3, due, late-5, again
    days_late: int  # working days, on the day of sending


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """One message and one task of it; a message that names none stands alone."""

    row: int
    slot: datetime
    sent_at: datetime | None  # the provider had accepted it
    recipient: str
    name: str
    channel: str
    address: str  # where it went; empty where that is no longer known
    kind: str
    said: str  # of a message without tasks: the name of what it says
    work: Work | None
    state: RowState
    attempts: int
    provider_id: str
    repeat: bool
    left_out: str  # why the message as it was sent did not tell this task; empty: it did
    error: str


def notices(office: Office, rows: Iterable[Row]) -> list[Notice]:
    """What `rows` told, the oldest first; a message about several tasks is several notices.

    The words of a message are not kept, but made when it is sent: from the ledger of that moment,
    which is all here still. So each task is looked at as it stood at `sent_at`.
    """
    kept = sorted(rows, key=lambda row: (row.draft.slot, row.id))
    past = _Past(office, kept)
    return [notice for row in kept for notice in _of(office, past, row)]


class _Past:
    """The office as it stood at any instant."""

    def __init__(self, office: Office, rows: Iterable[Row]) -> None:
        """`rows` in the order of their slots."""
        self._office = office
        self._events: Mapping[Key, list[Event]] = by_key(office.events)
        self._nudges: dict[str, list[Row]] = {}
        for row in rows:
            if row.draft.kind == MessageKind.NUDGE and row.state not in _NEVER:
                self._nudges.setdefault(row.draft.recipient, []).append(row)

    def state(self, key: Key, at: datetime) -> State | None:
        """How `key` stood at `at`; None where no plan has it any more."""
        now = self._office.states.get(key)
        if now is None:
            return None
        state = initial(now.occurrence)
        for event in self._events.get(key, ()):
            if event.at < at:
                state = apply(state, event)
        return state

    def told_newer(self, row: Row, unit: str, key: Key, at: datetime) -> bool:
        """Whether a newer nudge to the same person said it, so that this one did not."""
        nudges = self._nudges.get(row.draft.recipient, [])
        first = bisect_right(nudges, row.draft.slot, key=_slot)
        newer = (nudges[n] for n in range(first, len(nudges)))
        return any(
            any(item.key == key for item in unpacked(other.draft.payload).get(unit, ()))
            for other in takewhile(lambda other: other.draft.slot <= at, newer)
        )


def _slot(row: Row) -> datetime:
    return row.draft.slot


def _of(office: Office, past: _Past, row: Row) -> Iterator[Notice]:
    by_unit = unpacked(row.draft.payload)
    if not by_unit:
        yield _notice(office, row, None, "")
    at = row.sent_at or row.draft.slot
    for unit, items in by_unit.items():
        for item in items:
            state = past.state(item.key, at)
            work = _work(office, unit, item, state, at)
            yield _notice(office, row, work, _left_out(past, row, unit, item, state))


def _left_out(past: _Past, row: Row, unit: str, item: Item, state: State | None) -> str:
    """Why a message that was sent was silent about one of its tasks."""
    if row.sent_at is None or state is None:
        return ""
    if not state.open_units or (row.draft.kind == MessageKind.NUDGE and unit in state.parts):
        return "việc đã xong trước khi gửi"
    if row.draft.kind != MessageKind.NUDGE:
        return ""
    if "insist" not in row.draft.payload:
        if state.awaits_signature(unit):
            return "việc đang chờ ký lúc gửi"
        if state.snoozed.get(unit, date.min) > local_day(row.sent_at):
            return "đã hẹn nhắc lại sau"
    newer = past.told_newer(row, unit, item.key, row.sent_at)
    return "tin mới hơn đã nói" if newer else ""


def _notice(office: Office, row: Row, work: Work | None, left_out: str) -> Notice:
    draft = row.draft
    return Notice(
        row=row.id,
        slot=local(draft.slot),
        sent_at=local(row.sent_at) if row.sent_at else None,
        recipient=draft.recipient,
        name=_name(office, draft.recipient),
        channel=draft.channel,
        address=_address(office, row),
        kind=draft.kind,
        said=str(draft.payload.get("view", "")),
        work=work,
        state=row.state,
        attempts=row.attempts,
        provider_id=row.provider_id,
        repeat=row.repeat,
        left_out=left_out,
        error=row.error,
    )


def _work(office: Office, unit: str, item: Item, state: State | None, at: datetime) -> Work:
    key = item.key
    late = office.scheduler.days_late(state, local_day(at)) if state else 0
    return Work(
        key=key,
        unit=office.unit_names.get(unit, unit),
        title=state.occurrence.title if state else "",
        product=state.occurrence.deliverable.product if state else "",
        period=Period.parse(key.period).name if state else key.period,
        due=state.due if state else item.due,
        stage=str(item.stage),
        days_late=late,
    )


def _name(office: Office, recipient: str) -> str:
    if recipient.startswith(STRANGER):
        return "người lạ"
    if recipient.startswith(GROUP):
        unit = recipient.removeprefix(GROUP)
        return f"nhóm {office.unit_names.get(unit, unit)}"
    person = office.people.get(recipient)
    return person.name if person else ""


def _address(office: Office, row: Row) -> str:
    """The chat that asked; else the address of today, where it has been the same since."""
    if chat := row.draft.payload.get("chat"):
        return str(chat)
    here = (row.draft.recipient, row.draft.channel)
    bound = next((a for a in office.addresses if (a.recipient, a.channel) == here), None)
    if bound is None or row.sent_at is None or bound.bound_at > row.sent_at:
        return ""
    return bound.value
