"""Proof of notice: who was told what; the ledger verified against heads that digests told."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile
from typing import TYPE_CHECKING

from reminder.domain.calendar import local_day
from reminder.domain.errors import ReminderError
from reminder.domain.ledger import Event, State, apply, by_key, initial
from reminder.domain.outbox import Draft, Row, RowState
from reminder.domain.payloads import Digest, Items, Nudge, Unreadable
from reminder.domain.plan import Key
from reminder.domain.schedule import Item, MessageKind
from reminder.services.office import GROUP, STRANGER, Office
from reminder.store.records import Broken

if TYPE_CHECKING:
    from reminder.store.store import Store

_NEVER = (RowState.DEAD, RowState.SUPERSEDED, RowState.DROPPED, RowState.RETURNED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """One task in a message."""

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

    row: Row
    name: str  # of its recipient
    address: str  # where it went; empty where that is no longer known
    said: str  # of a message without tasks: the name of what it says
    work: Work | None
    left_out: str  # why the message as it was sent did not tell this task; empty: it did


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
        first = bisect_right(nudges, row.draft.slot, key=lambda row: row.draft.slot)
        newer = (nudges[n] for n in range(first, len(nudges)))
        return any(
            any(named == unit and item.key == key for named, item in other.draft.items)
            for other in takewhile(lambda other: other.draft.slot <= at, newer)
        )


def _of(office: Office, past: _Past, row: Row) -> Iterator[Notice]:
    items = row.draft.items
    if not items:
        yield _notice(office, row, None, "")
    at = row.sent_at or row.draft.slot
    for unit, item in items:
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
    if not isinstance(row.draft.payload, Nudge) or row.draft.payload.insist is None:
        if state.awaits_signature(unit):
            return "việc đang chờ ký lúc gửi"
        if state.snoozed.get(unit, date.min) > local_day(row.sent_at):
            return "đã hẹn nhắc lại sau"
    newer = past.told_newer(row, unit, item.key, row.sent_at)
    return "tin mới hơn đã nói" if newer else ""


def _notice(office: Office, row: Row, work: Work | None, left_out: str) -> Notice:
    return Notice(
        row=row,
        name=_name(office, row.draft.recipient),
        address=_address(office, row),
        said=_said(row.draft),
        work=work,
        left_out=left_out,
    )


def _said(draft: Draft) -> str:
    """The name of what the message says; empty where it names its work."""
    match draft.payload:
        case Unreadable(raw=raw):
            return str(raw.get("view", ""))
        case Items():
            return ""
    return "" if draft.kind == MessageKind.DIGEST else draft.payload.view


def _work(office: Office, unit: str, item: Item, state: State | None, at: datetime) -> Work:
    key = item.key
    late = office.scheduler.days_late(state, local_day(at)) if state else 0
    return Work(
        key=key,
        unit=office.unit_names.get(unit, unit),
        title=state.occurrence.title if state else "",
        product=state.occurrence.deliverable.product if state else "",
        period=state.occurrence.period_name if state else key.period,
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
    """Where it was sent, as kept or as it can be known of a message of an earlier release."""
    if kept := row.address or row.draft.envelope.chat:
        return kept
    here = (row.draft.recipient, row.draft.channel)
    bound = next((a for a in office.addresses if (a.recipient, a.channel) == here), None)
    if bound is None or row.sent_at is None or bound.bound_at > row.sent_at:
        return ""
    return bound.value


SHORTEST = 8  # hex digits of a head that is typed: 32 bits, beyond chance
_TYPED = re.compile(rf"\s*(\d{{1,9}})\s*[:=]\s*([0-9a-f]{{{SHORTEST},64}})\s*")
_WHOLE = re.compile(r"[0-9a-f]{64}")
EVERY_ROW = 10_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A head of the ledger in a digest: the number of events, and the last one's hash."""

    number: int
    hash: str  # lower case hex; whole, or its beginning
    row: int = 0  # of the outbox, which carried it; 0: typed by the operator
    slot: datetime | None = None  # of that row


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What the ledger came to, held against what was told."""

    told: tuple[Told, ...]  # by number
    broken: Broken | None
    against: tuple[Told, ...] = ()  # those that the first broken event contradicts
    agreed: int = 0  # the last number up to which a head that was told agrees


def typed(text: str) -> Told:
    """A head as a digest prints it: 123:ab12cd34ef56ab12; ReminderError if it is none."""
    found = _TYPED.fullmatch(text.lower())
    if found is None:
        raise ReminderError(
            f"“{text:.80}” không phải mã sổ: ghi số mục, dấu hai chấm và mã mục cuối như trong bản "
            f"tổng hợp (ít nhất {SHORTEST} ký tự), ví dụ 123:ab12cd34ef56ab12"
        )
    return Told(number=int(found[1]), hash=found[2])


def carried(store: Store) -> list[Told]:
    """The heads that the outbox says were told, in digests of any state, the oldest first.

    ReminderError where a row carries something else in its place: the program never writes that.
    """
    found = []
    for row in reversed(store.rows(kind=MessageKind.DIGEST, limit=EVERY_ROW)):
        match row.draft.payload:
            case Digest(head=(number, hash_)) if number >= 0 and _WHOLE.fullmatch(hash_):
                found.append(Told(number=number, hash=hash_, row=row.id, slot=row.draft.slot))
            case Digest(head=(_, _)) | Unreadable(raw={"head": _}):
                raise ReminderError(
                    f"tin số {row.id} trong hàng đợi ghi một mã sổ mà máy không bao giờ ghi: "
                    "cơ sở dữ liệu đã bị sửa; xin lấy lại bản sao lưu"
                )
    return found


def verify(store: Store, more: Sequence[Told] = ()) -> Verdict:
    """Holds the ledger against its own chain, the heads of past digests, and `more`."""
    told = sorted([*carried(store), *more], key=lambda each: each.number)
    # A digest of an empty ledger says nothing that could be held against it.
    told = [each for each in told if each.number]
    broken = store.verify([(each.number, each.hash) for each in told])
    if broken is None:
        return Verdict(told=tuple(told), broken=None)
    if broken.what == "rewritten":
        against = [each for each in told if each.number == broken.number]
    else:
        against = [each for each in told if each.number >= broken.number]
    sound = [each.number for each in told if each.number < broken.number]
    return Verdict(
        told=tuple(told), broken=broken, against=tuple(against), agreed=max(sound, default=0)
    )
