"""The weekly digest on its way: the ledger's head that it tells, and the one sent by hand."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from reminder.core.outbox import Draft, Row
from reminder.core.schedule import Message, MessageKind, local_day
from reminder.core.workdays import instant
from reminder.ports import Store
from reminder.service import recipients
from reminder.service.office import Office

log = logging.getLogger(__name__)

BY_HAND = "by-hand"  # the subject that tells it apart from the week's own


def with_head(store: Store, drafts: Iterable[Draft]) -> list[Draft]:
    """`drafts`, with the ledger's head in each digest's payload: [number, hash].

    Whoever can write the database can forge the whole chain; what a digest told is out of reach,
    and its row says in full what the mail says in short.
    """
    kept = list(drafts)
    if not any(draft.kind == MessageKind.DIGEST for draft in kept):
        return kept
    head = list(store.head())
    return [
        replace(draft, payload={**draft.payload, "head": head})
        if draft.kind == MessageKind.DIGEST
        else draft
        for draft in kept
    ]


def empty_offices(office: Office, units: Iterable[str] | None = None) -> list[str]:
    """The offices that have nobody: their digest goes to no one."""
    wanted = office.offices if units is None else office.offices & frozenset(units)
    return [unit for unit in office.units if unit in wanted and not office.members(unit)]


def warn_of_nobody(office: Office, units: Iterable[str]) -> None:
    """A digest that nobody gets is said in the log."""
    for unit in empty_offices(office, units):
        log.warning("the digest goes to nobody: %s has no one in people.toml", unit)


def send_by_hand(office: Office, store: Store, now: datetime) -> list[Row]:
    """Puts a digest into the outbox for every office, once a day; its rows, new or of before."""
    slot = instant(local_day(now), office.scheduler.policy.digest)
    messages = [
        Message(at=slot, unit=unit, kind=MessageKind.DIGEST, items=())
        for unit in sorted(office.offices)
    ]
    drafts = [replace(d, subject=BY_HAND) for d in recipients.drafts(office, messages, now)]
    store.record([], unit_names={}, drafts=with_head(store, drafts), at=now)
    rows = store.rows(kind=MessageKind.DIGEST.value, since=slot)
    return [row for row in rows if row.draft.slot == slot and row.draft.subject == BY_HAND]
