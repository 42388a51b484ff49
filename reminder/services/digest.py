"""The weekly digest and the draft of a report on their way; copies that were not made."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reminder.domain.calendar import instant, local_day
from reminder.domain.catchup import speaking_hours
from reminder.domain.ledger import State
from reminder.domain.outbox import Draft, Row
from reminder.domain.payloads import CopiesOverdue, Digest, ReportDraft
from reminder.domain.report import is_last_call
from reminder.domain.schedule import Item, Message, MessageKind
from reminder.services import recipients
from reminder.services.office import Office
from reminder.store.records import BACKED_UP_AWAY

if TYPE_CHECKING:
    from reminder.store.store import Store

log = logging.getLogger(__name__)

BY_HAND = "by-hand"  # the subject of a digest sent by hand


def with_head(store: Store, drafts: Iterable[Draft]) -> list[Draft]:
    """`drafts`, with the ledger's head, its number and hash, in each digest.

    Who can write the database can forge the whole chain, but not a digest that was sent;
    and its row says in full what the mail says in short.
    """
    kept = list(drafts)
    if not any(draft.kind == MessageKind.DIGEST for draft in kept):
        return kept
    head = store.head()
    return [
        replace(draft, payload=Digest(head=head)) if draft.kind == MessageKind.DIGEST else draft
        for draft in kept
    ]


def empty_offices(office: Office, units: Iterable[str] | None = None) -> list[str]:
    """The offices without people, whose digest goes to nobody."""
    wanted = office.offices if units is None else office.offices & frozenset(units)
    return [unit for unit in office.units if unit in wanted and not office.members(unit)]


def warn_of_nobody(office: Office, units: Iterable[str]) -> None:
    """Log each digest that nobody gets."""
    for unit in empty_offices(office, units):
        log.warning("the digest goes to nobody: %s has no one in people.toml", unit)


def send_by_hand(office: Office, store: Store, now: datetime) -> list[Row]:
    """Queue a digest for every office, once a day; return its rows, new or old."""
    slot = instant(local_day(now), office.scheduler.policy.digest)
    messages = [
        Message(at=slot, unit=unit, kind=MessageKind.DIGEST, items=())
        for unit in sorted(office.offices)
    ]
    drafts = [replace(d, subject=BY_HAND) for d in recipients.drafts(office, messages, now)]
    store.record([], unit_names={}, drafts=with_head(store, drafts), at=now)
    rows = store.rows(kind=MessageKind.DIGEST.value, since=slot)
    return [row for row in rows if row.draft.slot == slot and row.draft.subject == BY_HAND]


def due_reports(office: Office, items: Mapping[str, Sequence[Item]]) -> list[State]:
    """The open reports that `items`, by unit, ask for the last time by their due day; each once."""
    found = {
        item.key: state
        for of_unit in items.values()
        for item in of_unit
        if (state := office.states.get(item.key)) is not None
        and not state.closed
        and is_last_call(office.scheduler, state, item.stage)
    }
    return list(found.values())


def mailed(office: Office, messages: Iterable[Message], now: datetime) -> list[Draft]:
    """A mail with the draft to each officer who hears the call by another channel and has mail.

    Who hears it by mail gets the draft with that mail.
    """
    return [
        Draft(
            slot=message.at,
            recipient=person.id,
            kind="notice",
            subject=f"report-draft:{state.key.plan}:{state.key.period}",
            channel=mail,
            payload=ReportDraft(plan=state.key.plan, period=state.key.period),
            due_at=now,
        )
        for message in messages
        if message.kind is MessageKind.NUDGE
        for state in due_reports(office, {message.unit: message.items})
        for person in office.members(message.unit)
        for mail in _mails_besides(office, person.id)
    ]


def _mails_besides(office: Office, person: str) -> list[str]:
    """The channel by which the person gets mail, where the first way is another."""
    mails = [office.traits(way).mail for way in office.ways(person)]
    if not any(mails) or mails[0]:
        return []
    return [office.ways(person)[mails.index(True)]]


OVERDUE = timedelta(days=3)


def say_overdue(office: Office, store: Store, marks: Sequence[str], now: datetime) -> None:
    """Tells once of each of `marks` (ports.BACKED_UP …) that is overdue, until it is made again;
    at an hour in which nudges are said.

    What was never made is overdue from the first look for it on.
    """
    for mark in marks:
        made, told = store.meta(mark), store.meta(f"overdue:{mark}")
        since = made or store.meta(f"wanted:{mark}")
        if since is None:
            store.set_meta(f"wanted:{mark}", now.isoformat())
        elif now - datetime.fromisoformat(since) < OVERDUE:
            if told:
                store.set_meta(f"overdue:{mark}", "")
        elif not told and speaking_hours(office.scheduler, MessageKind.NUDGE, now):
            away, at = mark == BACKED_UP_AWAY, datetime.fromisoformat(since)
            payload = CopiesOverdue(away=away, since=at, ever=made is not None)
            drafts = recipients.to_offices(office, payload, now, subject=f"{mark}:{since}")
            meta = {f"overdue:{mark}": now.isoformat()}
            store.record([], unit_names={}, drafts=drafts, meta=meta, at=now)
