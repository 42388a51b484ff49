"""After a close, the newest nudge that named the work is edited for the others: done, by whom.

Once that is taken back, what was edited is edited again; a nudge that never changed is true still.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reminder.core.ledger import Event, EventKind
from reminder.core.outbox import Draft
from reminder.ports import Store
from reminder.service import past
from reminder.service.office import GROUP, TELEGRAM, Office

# What a close or its undoing makes untrue in a nudge that was read already.
_CLOSING = (EventKind.DONE, EventKind.UPDATED)
_OPENING = (EventKind.UNDONE, EventKind.REOPENED)


def edit_drafts(
    store: Store, office: Office, actor: str, tag: str, events: Iterable[Event], now: datetime
) -> list[Draft]:
    """The edits that follow from `events` of the person `actor`; `tag` tells acts apart."""
    rows = {}
    for event in events:
        if event.kind not in (*_CLOSING, *_OPENING) or event.key not in office.states:
            continue
        opening = event.kind in _OPENING
        for unit in office.states[event.key].occurrence.task.lead:
            # Also whoever of the office heard it in place of a unit that was away.
            heard = {unit, *office.offices_over(unit)}
            people = [p.id for p in office.files.people if heard & set(p.units)]
            for recipient in (*people, f"{GROUP}{unit}"):
                if recipient == actor and not opening:  # has the answer
                    continue
                row = past.newest_naming(store, recipient, event.key)
                if row is None or row.draft.channel != TELEGRAM or not row.provider_id:
                    continue
                if not opening or past.was_edited(store, row):
                    rows[row.id] = row
    return [
        Draft(
            slot=now,
            recipient=row.draft.recipient,
            kind="edit",
            subject=f"{row.id}:{tag}",
            channel=row.draft.channel,
            payload={**row.draft.payload, "edit": row.provider_id},
            due_at=now,
        )
        for row in rows.values()
    ]
