"""The draft of a report goes to its office by mail with the last call for it by its due day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from reminder.core.ledger import State
from reminder.core.outbox import Draft
from reminder.core.report import is_last_call
from reminder.core.schedule import Item, Message, MessageKind
from reminder.service.office import EMAIL, Office


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
            channel=EMAIL,
            payload={
                "view": "report-draft",
                "data": {"plan": state.key.plan, "period": state.key.period},
            },
            due_at=now,
        )
        for message in messages
        if message.kind is MessageKind.NUDGE
        for state in due_reports(office, {message.unit: message.items})
        for person in office.members(message.unit)
        if EMAIL in (ways := office.ways(person.id)) and ways[0] != EMAIL
    ]
