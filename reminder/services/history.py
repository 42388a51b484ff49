"""What was sent before, read from the outbox; edits of what is no longer true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING

from reminder.domain.calendar import instant, local_day
from reminder.domain.context import Asked, Inbound
from reminder.domain.ledger import CLOSING, ENDS_REQUEST, SETTLING, Event, EventKind, to_settle
from reminder.domain.outbox import Draft, Row, RowState, chat_of
from reminder.domain.payloads import (
    Claimed,
    Digest,
    Envelope,
    Escalation,
    ExtensionAsked,
    HowSetDue,
    Nudge,
    PlanStarted,
    Request,
    SetDueAsked,
    TaskDetails,
    WhichOccurrence,
    WhichOfNudge,
    WhichPart,
    parts_of,
)
from reminder.domain.plan import Key
from reminder.domain.schedule import Item, MessageKind
from reminder.services.office import GROUP, Office
from reminder.services.status import Health, first_start, health

if TYPE_CHECKING:
    from reminder.store.store import Store


_GONE = (RowState.DEAD, RowState.SUPERSEDED, RowState.DROPPED, RowState.RETURNED)
MOST = 100_000  # rows that are looked through: more than a plan of any size sends
NEWEST = 50  # rows of a recipient that are looked through for the one that is meant


def newest_nudges(store: Store, rows: Iterable[Row]) -> dict[str, datetime]:
    """The slot of the newest nudge to each who gets one of `rows`, asked for all at once."""
    nudges = [row.draft for row in rows if row.draft.kind == MessageKind.NUDGE]
    if not nudges:
        return {}
    since = min(draft.slot for draft in nudges)
    return store.newest_slots(MessageKind.NUDGE, {draft.recipient for draft in nudges}, since)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reminded:
    """The nudges about a late occurrence: how many, by which channels, when the last."""

    count: int = 0
    channels: tuple[str, ...] = ()
    last: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """A question whether work is done, which has not been answered."""

    at: datetime
    words: str  # of the message that was asked about


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """What a message needs to know of earlier messages."""

    reminded: Mapping[Key, Reminded] = field(default_factory=dict)
    told: Mapping[Key, datetime] = field(default_factory=dict)  # when others above first heard it
    leaving: frozenset[Key] = frozenset()  # what is on its way to those
    silent: frozenset[str] = frozenset()  # units above of which nobody can be reached
    outdated: bool = False  # a newer digest goes the same way
    health: Health | None = None  # how the program has fared
    started: datetime | None = None  # the first start with one of the plans that speak
    asked: Mapping[Key, Asking] = field(default_factory=dict)  # questions without an answer


NO_PAST = Past()


def completed(
    office: Office, store: Store, row: Row, now: datetime, newest: Mapping[str, datetime]
) -> tuple[Row, Past]:
    """`row` with what its message needs of earlier ones; `newest` as from `newest_nudges`.

    A nudge loses the items that a newer one to the same recipient also tells, by whatever way.
    """
    payload = row.draft.payload
    if isinstance(payload, Nudge) and row.draft.kind == MessageKind.NUDGE:
        later = newest.get(row.draft.recipient, row.draft.slot) > row.draft.slot
        newer = _newer(store, row) if later else set()
        kept = tuple(pair for pair in payload.items if (pair[0], pair[1].key) not in newer)
        narrowed = replace(payload, items=kept)
        return replace(row, draft=replace(row.draft, payload=narrowed)), NO_PAST
    if isinstance(payload, Escalation):
        keys = set(payload.occurrences())
        since = _beginning(office, keys)
        told, leaving = _told_others(store, payload.by_unit(), since)
        members = {unit: office.members(unit) for unit in office.leaders}
        silent = (u for u in members if not any(office.ways(p.id) for p in members[u]))
        return row, Past(
            reminded=_reminded(store, keys, row.draft.slot, since),
            told=told,
            leaving=leaving,
            silent=frozenset(silent),
        )
    # The payload may hold a digest beside other answers.
    digest = next((part for part in parts_of(payload) if isinstance(part, Digest)), None)
    if digest is not None:
        past = Past(
            outdated=_outdated(store, row),
            started=first_start(office, store.metas(), now),
            asked=asked_back(office, store, now),
        )
        if not office.in_short(row.draft):
            past = replace(past, health=health(office, store, now, head=digest.head))
        return row, past
    if any(isinstance(part, TaskDetails) for part in parts_of(payload)):
        return row, Past(asked=asked_back(office, store, now))
    return row, NO_PAST


def _outdated(store: Store, row: Row) -> bool:
    """Whether a newer digest goes by the same way, with the same words."""
    draft = row.draft
    return draft.kind == MessageKind.DIGEST and any(
        other.draft.slot > draft.slot
        and other.draft.channel == draft.channel
        and other.state not in _GONE
        for other in store.rows(kind=draft.kind, recipient=draft.recipient, since=draft.slot)
    )


def _newer(store: Store, row: Row) -> set[tuple[str, Key]]:
    """(unit, key) of everything in a newer nudge."""
    later = store.rows(kind="nudge", recipient=row.draft.recipient, since=row.draft.slot)
    newer = (other for other in later if other.draft.slot > row.draft.slot)
    return {(unit, item.key) for _, unit, item in _items(newer)}


def _items(rows: Iterable[Row]) -> Iterator[tuple[Row, str, Item]]:
    """Yield each item of the rows that were not given up, with its unit."""
    for row in rows:
        if row.state not in _GONE:
            for unit, item in row.draft.items:
                yield row, unit, item


def _beginning(office: Office, keys: Iterable[Key]) -> datetime | None:
    """Before this nothing was ever said of `keys`: the first hour of their plans' first year."""
    plans = [office.by_plan.get(key.plan) for key in keys]
    first_days = [plan.first_day for plan in plans if plan is not None]
    return instant(min(first_days), time()) if first_days and None not in plans else None


def _reminded(
    store: Store, keys: Iterable[Key], slot: datetime, since: datetime | None
) -> dict[Key, Reminded]:
    """For each key: how many nudges were sent, by which channels, when the last.

    One of the same `slot` that is on its way for the first time counts as sent: the two leave
    together.
    """
    wanted = set(keys)
    found: dict[Key, list[tuple[datetime, datetime, str]]] = {}
    states = [RowState.SENT, RowState.LEASED]
    rows = store.rows(kind="nudge", states=states, since=since, naming=wanted, limit=MOST)
    for row, _, item in _items(rows):
        leaving = row.draft.slot == slot and row.attempts <= 1
        if item.key in wanted and (row.state is RowState.SENT or leaving):
            at = row.sent_at or row.draft.slot
            found.setdefault(item.key, []).append((row.draft.slot, at, row.draft.channel))
    return {
        key: Reminded(
            count=len({slot for slot, *_ in sends}),  # one slot is one reminder to all recipients
            channels=tuple(sorted({channel for *_, channel in sends})),
            last=max(at for _, at, _ in sends),
        )
        for key, sends in found.items()
    }


def _told_others(
    store: Store, said: Mapping[str, Sequence[Item]], since: datetime | None
) -> tuple[dict[Key, datetime], frozenset[Key]]:
    """Of the items that other units above were told of, with this due day: when first, by key.

    And the keys of those of which such a message is only on its way.
    """
    wanted = {(item.key, item.due) for items in said.values() for item in items}
    first: dict[Key, datetime] = {}
    leaving: set[Key] = set()
    keys = {key for key, _ in wanted}
    rows = store.rows(kind="escalation", since=since, naming=keys, limit=MOST)
    for row, unit, item in _items(rows):
        if unit in said or (item.key, item.due) not in wanted:
            continue
        if row.state is RowState.SENT:
            at = row.sent_at or row.draft.slot
            first[item.key] = min(at, first.get(item.key, at))
        else:
            leaving.add(item.key)
    return first, frozenset(leaving - first.keys())


def told_late(store: Store, keys: Iterable[Key]) -> dict[Key, frozenset[str]]:
    """The units that were told of the lateness of each of `keys`, if any.

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
    states = [RowState.SENT, RowState.LEASED]
    rows = store.rows(kind="escalation", states=states, since=since, naming=late, limit=MOST)
    for _, unit, item in _items(rows):
        if item.key in late:
            found.setdefault(item.key, set()).add(unit)
    return {key: frozenset(units) for key, units in found.items()}


def reminded_on(store: Store, day: date) -> dict[tuple[Key, str], Asked]:
    """What the office had reminded now, beside the schedule, on one day: by (key, unit).

    A row that was given up has reached nobody and counts for nothing.
    """
    found: dict[tuple[Key, str], Asked] = {}
    for row in store.rows(kind="nudge", since=instant(day, time()), limit=MOST):
        payload = row.draft.payload
        if not isinstance(payload, Nudge) or payload.insist is None or row.state in _GONE:
            continue
        asked = Asked(at=row.draft.slot, by=payload.insist)
        found |= {(item.key, unit): asked for unit, item in payload.items}  # newest first
    return found


def sent_as(store: Store, recipient: str, channel: str, message: str, chat: str) -> list[Row]:
    """The rows that `recipient` has got in `chat` as the provider's `message`.

    A provider may count its messages anew in each chat. An empty `chat`: the ids are unique.
    """
    return [
        row
        for row in (store.rows(recipient=recipient, provider_id=message) if message else ())
        if row.draft.channel == channel
        and (not chat or (row.address and chat_of(row.address) == chat_of(chat)))
    ]


def receipt_of(store: Store, recipient: str, inbound: Inbound, chat: str) -> str:
    """Return the id of the message that our answer, which `inbound` replies to, answered."""
    rows = sent_as(store, recipient, inbound.channel, inbound.reply_to, chat)
    return rows[0].draft.envelope.reply_to if rows else ""


def named_in(store: Store, recipient: str, inbound: Inbound, chat: str) -> list[Key]:
    """The occurrences of the message that `inbound` replies to; none if it is unknown."""
    for row in sent_as(store, recipient, inbound.channel, inbound.reply_to, chat):
        if row.draft.kind in ("nudge", "escalation", "request"):
            return [item.key for _, item in row.draft.items]
        if isinstance(row.draft.payload, ExtensionAsked):
            return [row.draft.payload.key]
    return []


ASKED_SINCE = timedelta(days=30)  # how long an unanswered question is told of
ANSWERED_WITHIN = timedelta(days=3)  # how long “đúng” is taken for the answer to a question


Question = (
    Claimed | SetDueAsked | WhichOccurrence | WhichOfNudge | WhichPart
)  # asked after a message that was not quite understood


def question(
    store: Store, recipient: str, inbound: Inbound, chat: str, now: datetime
) -> Question | None:
    """The question that `inbound` answers: the message with the button, the one replied to, or
    else the last thing that was said to `recipient`.
    """
    named = inbound.message if inbound.press else inbound.reply_to
    if named:
        rows = sent_as(store, recipient, inbound.channel, named, chat)
    else:
        since, states = now - ANSWERED_WITHIN, [RowState.SENT]
        rows = store.rows(recipient=recipient, states=states, since=since, limit=NEWEST)
    for row in rows:
        if row.draft.kind == "edit":
            continue
        return next((p for p in parts_of(row.draft.payload) if isinstance(p, Question)), None)
    return None


def asked_back(office: Office, store: Store, now: datetime) -> dict[Key, Asking]:
    """The questions of the last weeks that nobody has answered, by occurrence."""
    found: dict[Key, Asking] = {}
    rows = store.rows(kind="reply", states=[RowState.SENT], since=now - ASKED_SINCE, limit=MOST)
    for row in rows:  # the newest first
        for part in parts_of(row.draft.payload):
            if not isinstance(part, Claimed):
                continue
            for key in part.keys:
                answered = any(event.at > row.draft.slot for event in office.by_key.get(key, ()))
                state = office.states.get(key)
                if key not in found and not answered and state and not state.closed:
                    found[key] = Asking(at=row.draft.slot, words=part.words)
    return found


def last_named(store: Store, recipient: str, since: datetime) -> list[Key]:
    """What the newest nudge to `recipient` named, if it was sent for a slot from `since` on."""
    rows = store.rows(
        kind="nudge", recipient=recipient, states=[RowState.SENT], since=since, limit=1
    )
    return [item.key for row in rows for _, item in row.draft.items]


def addressee(store: Store, people: Sequence[str], channel: str, message: str) -> str:
    """Whom of `people`, who share an address, the message `message` went to; empty if unknown."""
    if len(people) < 2:
        return ""
    return next((who for who in people if sent_as(store, who, channel, message, "")), "")


def newest_naming(store: Store, recipient: str, key: Key) -> Row | None:
    """The newest nudge to `recipient` that named `key` and was sent by a channel."""
    states = [RowState.SENT]
    found = store.rows(kind="nudge", recipient=recipient, states=states, naming=[key], limit=1)
    return found[0] if found else None


def was_edited(store: Store, row: Row) -> bool:
    """Whether the message of `row` no longer stands as it was sent, or soon will not."""
    later = store.rows(kind="edit", recipient=row.draft.recipient, since=row.draft.slot, limit=MOST)
    edits = (e for e in later if e.draft.subject.startswith(f"{row.id}:"))
    return any(edit.state not in _GONE for edit in edits)


# ---- edits, on channels that can edit
#
# After a close, the newest nudge that named the work: done, by whom. Once that is taken back, what
# was edited is edited again; a nudge that never changed is true still. What the office was asked,
# a request for more time or a date to settle, once it is decided: by whom, and its buttons go.

# What a close or its undoing makes untrue in a nudge that was read already.
_OPENING = frozenset({EventKind.UNDONE, EventKind.REOPENED})
_REQUESTS = ENDS_REQUEST | {EventKind.EXTENSION_ASKED}  # one in the place of an earlier one too
_DATED = (EventKind.DUE_SET, EventKind.EVENT_NAMED)
_ONCE = (ExtensionAsked, HowSetDue)  # they ask one thing, which is decided once
ASKED = timedelta(days=92)  # how old a message may be that is edited for what it asked


def edit_drafts(
    store: Store, office: Office, actor: str, tag: str, events: Sequence[Event], now: datetime
) -> list[Draft]:
    """The edits that follow from `events` of the person `actor`; `tag` is unique to the act."""
    return [
        *_of_nudges(store, office, actor, tag, events, now),
        *_of_questions(store, office, tag, events, now),
    ]


def _of_questions(
    store: Store, office: Office, tag: str, events: Sequence[Event], now: datetime
) -> list[Draft]:
    """Edits for all people of the office: each has a message with buttons."""
    decided = [e for e in events if e.key in office.states and _decides(office, e)]
    if not decided:
        return []
    plans = {e.key.plan: office.by_plan[e.key.plan].office for e in decided}
    people = [p.id for p in office.files.people if set(plans.values()) & set(p.units)]
    return [
        _edit(row, tag, now, asked=row.draft.slot)
        for person in people
        if _may_stand(office, person)
        for row in _questions(store, person, decided, now - ASKED)
        if _stands(office, row) and _asks(office, row, decided)
        if not isinstance(row.draft.payload, _ONCE) or not was_edited(store, row)
    ]


def _questions(store: Store, person: str, decided: Sequence[Event], since: datetime) -> list[Row]:
    """The messages to `person` that may have asked what is `decided`, the newest first."""
    keys = {event.key for event in decided}
    sent = partial(store.rows, recipient=person, states=[RowState.SENT], since=since)
    rows = sent(naming=keys, limit=MOST)
    # A plan's start also asks about dates that it does not name one by one.
    for plan in {key.plan for key in keys}:
        rows += sent(kind="notice", subject=f"{PlanStarted.view}:{plan}", limit=MOST)
    found = {row.id: row for row in rows}
    return sorted(found.values(), key=lambda row: (row.draft.slot, row.id), reverse=True)


def _decides(office: Office, event: Event) -> bool:
    """Whether `event` settles a date, or ends a request: the close of what one was made of too."""
    if event.kind in CLOSING:
        asked = (e.kind is EventKind.EXTENSION_ASKED for e in office.by_key.get(event.key, ()))
        return office.states[event.key].closed is not None and any(asked)
    return event.kind in SETTLING | _REQUESTS


def _asks(office: Office, row: Row, decided: Sequence[Event]) -> bool:
    """Whether the message of `row` asked what is `decided` now."""
    if row.draft.kind == "edit":
        return False
    of_requests = {e.key for e in decided if e.kind in _REQUESTS | CLOSING}
    match row.draft.payload:
        case Request() | ExtensionAsked() as asked:
            return not of_requests.isdisjoint(asked.occurrences())
        case HowSetDue(key=key):
            return any(e.kind in _DATED and e.key == key for e in decided)
        case PlanStarted(plan=plan, late=late):
            settled = (e.key for e in decided if e.kind in SETTLING and e.key.plan == plan)
            return any(k in late or to_settle(office.states[k].occurrence) for k in settled)
    return False


def _edit(row: Row, tag: str, now: datetime, *, asked: datetime | None = None) -> Draft:
    return Draft(
        slot=now,
        recipient=row.draft.recipient,
        kind="edit",
        subject=f"{row.id}:{tag}",
        channel=row.draft.channel,
        payload=row.draft.payload,
        envelope=Envelope(edit=row.provider_id, chat=row.address, asked=asked),
        due_at=now,
    )


def _may_stand(office: Office, recipient: str) -> bool:
    """Whether `recipient` has an address at which a message can be edited."""
    return any(traits.edits and office.address(recipient, traits.name) for traits in office.known)


def _stands(office: Office, row: Row) -> bool:
    """Whether the message of `row` can be edited: in a chat that is its recipient's still."""
    draft = row.draft
    if not (row.provider_id and row.address and office.traits(draft.channel).edits):
        return False
    bound = office.address(draft.recipient, draft.channel)
    here = bound is not None and chat_of(bound.value) == chat_of(row.address)
    return here or bool(draft.envelope.chat)


def _of_nudges(
    store: Store, office: Office, actor: str, tag: str, events: Sequence[Event], now: datetime
) -> list[Draft]:
    rows = {}
    for event in events:
        if event.kind not in CLOSING | _OPENING or event.key not in office.states:
            continue
        opening = event.kind in _OPENING
        for unit in office.states[event.key].occurrence.task.lead:
            # Also people of the office who were told it in place of a unit that was away.
            heard = {unit, *office.offices_over(unit)}
            people = [p.id for p in office.files.people if heard & set(p.units)]
            for recipient in (*people, f"{GROUP}{unit}"):
                if recipient == actor and not opening:  # has the answer
                    continue
                if not _may_stand(office, recipient):
                    continue
                row = newest_naming(store, recipient, event.key)
                if row is None or not _stands(office, row):
                    continue
                if not opening or was_edited(store, row):
                    rows[row.id] = row
    return [_edit(row, tag, now) for row in rows.values()]
