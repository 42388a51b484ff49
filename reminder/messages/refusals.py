"""Why nothing was recorded, and what to type instead; the words are in templates/refusals.j2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reminder.domain.outbox import Outbound
from reminder.domain.payloads import NotOpenYet, OfficeOnly, Payload, Refused, Unhandled
from reminder.messages.compose import message
from reminder.messages.context import Context, Work
from reminder.understanding.verbs import Verb


def refused(context: Context, p: Refused) -> Outbound | None:
    """The words of its reason; None if the occurrence is gone."""
    values: dict[str, Any] = {"c": context, "p": p}
    if p.key is not None:
        if p.key not in context.states:
            return None
        values["work"] = Work(context, context.states[p.key])
    if p.verb:
        row = Verb(p.verb).row
        values |= {"command": row.slash, "example": row.typed("1c")}
    return message("refusals", p.reason, **values)


def not_open_yet(context: Context, p: NotOpenYet) -> Outbound | None:
    state = context.states.get(p.key)
    if state is None:
        return None
    period = state.occurrence.period.name
    return message("refusals", p.view, c=context, work=Work(context, state), period=period)


def office_only(context: Context, p: OfficeOnly) -> Outbound:
    return message("refusals", p.view, c=context, p=p, deed=Verb(p.verb).row.deed)


def unhandled(_context: Context, p: Unhandled) -> Outbound | None:
    """What an earlier release could not do; None for what the service answers itself."""
    return message("refusals", p.view, command=Verb(p.verb).row.slash) if p.later else None


REFUSALS: Mapping[type[Payload], Callable[[Context, Any], Outbound | None]] = {
    Refused: refused,
    NotOpenYet: not_open_yet,
    OfficeOnly: office_only,
    Unhandled: unhandled,
}
