"""Answers and notices on their way to the outbox: a payload for each who hears it."""

from __future__ import annotations

from datetime import datetime

from reminder.domain.outbox import Draft
from reminder.domain.payloads import Payload
from reminder.services.office import Office


def view_drafts(
    office: Office,
    to: str,
    payload: Payload,
    now: datetime,
    *,
    subject: str,
    slot: datetime | None = None,
    avoid: tuple[str, str] | None = None,
    but: str = "",
) -> list[Draft]:
    """Rows that say `payload` to “unit:ID” or to a person, each by the first channel.

    `avoid`: a (recipient, channel) that has just failed. `but`: a person who knows it already.
    """
    if to.startswith("unit:"):
        heard = [person.id for person in office.members(to.removeprefix("unit:"))]
    else:
        heard = [to]
    return [
        Draft(
            slot=slot or now,
            recipient=recipient,
            kind="notice",
            subject=f"{payload.view}:{subject}",
            channel=ways[0],
            payload=payload,
            due_at=now,
        )
        for recipient in heard
        if recipient != but
        and (ways := [w for w in office.ways(recipient) if (recipient, w) != avoid])
    ]
