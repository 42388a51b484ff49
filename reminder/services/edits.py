"""Edits of sent messages that are no longer true, on channels that can edit.

After a close, the newest nudge that named the work: done, by whom. Once that is taken back, what
was edited is edited again; a nudge that never changed is true still. What the office was asked, a
request for more time or a date to settle, once it is decided: by whom, and its buttons go.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from reminder.domain.ledger import Event, EventKind, to_settle
from reminder.domain.outbox import Draft, Row, RowState
from reminder.domain.payloads import Envelope, ExtensionAsked, HowSetDue, PlanStarted, Request
from reminder.services import history
from reminder.services.office import GROUP, Office

if TYPE_CHECKING:
    from reminder.store.store import Store

# What a close or its undoing makes untrue in a nudge that was read already.
_CLOSING = (EventKind.DONE, EventKind.UPDATED)
_OPENING = (EventKind.UNDONE, EventKind.REOPENED)


_SETTLING = (
    EventKind.DUE_SET,
    EventKind.CONFIRMED,
    EventKind.HELD,
    EventKind.EXTENSION_GRANTED,
)  # what the office decides of dates
_REQUESTS = (
    EventKind.EXTENSION_ASKED,  # in the place of an earlier one
    EventKind.EXTENSION_GRANTED,
    EventKind.EXTENSION_REFUSED,
    EventKind.EXTENSION_WITHDRAWN,
    EventKind.DUE_SET,
)
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
        if any(t.edits and office.address(person, t.name) for t in office.known)
        for row in _questions(store, person, decided, now - ASKED)
        if office.traits(row.draft.channel).edits
        and row.provider_id
        and _asks(office, row, decided)
        if not isinstance(row.draft.payload, _ONCE) or not history.was_edited(store, row)
    ]


def _questions(store: Store, person: str, decided: Sequence[Event], since: datetime) -> list[Row]:
    """The messages to `person` that may have asked what is `decided`, the newest first."""
    keys = {event.key for event in decided}
    sent = partial(store.rows, recipient=person, states=[RowState.SENT], since=since)
    rows = sent(naming=keys, limit=history.MOST)
    # A plan's start also asks about dates that it does not name one by one.
    for plan in {key.plan for key in keys}:
        rows += sent(kind="notice", subject=f"{PlanStarted.view}:{plan}", limit=history.MOST)
    found = {row.id: row for row in rows}
    return sorted(found.values(), key=lambda row: (row.draft.slot, row.id), reverse=True)


def _decides(office: Office, event: Event) -> bool:
    """Whether `event` settles a date, or ends a request: the close of what one was made of too."""
    if event.kind in _CLOSING:
        asked = (e.kind is EventKind.EXTENSION_ASKED for e in office.by_key.get(event.key, ()))
        return office.states[event.key].closed is not None and any(asked)
    return event.kind in (*_SETTLING, *_REQUESTS)


def _asks(office: Office, row: Row, decided: Sequence[Event]) -> bool:
    """Whether the message of `row` asked what is `decided` now."""
    if row.draft.kind == "edit":
        return False
    of_requests = {e.key for e in decided if e.kind in (*_REQUESTS, *_CLOSING)}
    match row.draft.payload:
        case Request() | ExtensionAsked() as asked:
            return not of_requests.isdisjoint(asked.occurrences())
        case HowSetDue(key=key):
            return any(e.kind is EventKind.DUE_SET and e.key == key for e in decided)
        case PlanStarted(plan=plan, late=late):
            settled = (e.key for e in decided if e.kind in _SETTLING and e.key.plan == plan)
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
        envelope=Envelope(edit=row.provider_id, asked=asked),
        due_at=now,
    )


def _of_nudges(
    store: Store, office: Office, actor: str, tag: str, events: Sequence[Event], now: datetime
) -> list[Draft]:
    rows = {}
    for event in events:
        if event.kind not in (*_CLOSING, *_OPENING) or event.key not in office.states:
            continue
        opening = event.kind in _OPENING
        for unit in office.states[event.key].occurrence.task.lead:
            # Also people of the office who were told it in place of a unit that was away.
            heard = {unit, *office.offices_over(unit)}
            people = [p.id for p in office.files.people if heard & set(p.units)]
            for recipient in (*people, f"{GROUP}{unit}"):
                if recipient == actor and not opening:  # has the answer
                    continue
                row = history.newest_naming(store, recipient, event.key)
                if row is None or not row.provider_id:
                    continue
                if not office.traits(row.draft.channel).edits:
                    continue
                if not opening or history.was_edited(store, row):
                    rows[row.id] = row
    return [_edit(row, tag, now) for row in rows.values()]
