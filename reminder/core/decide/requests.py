"""What the office decides on its desk: extensions, and who is reminded now."""

from __future__ import annotations

from datetime import date
from typing import Any

from reminder.core.commands import Command, Target
from reminder.core.decide.common import RefusalError, also, event, refusal, said
from reminder.core.decide.dates import check_day
from reminder.core.decide.forms import head
from reminder.core.decide.matters import Matter, find
from reminder.core.decide.packing import pack_event, pack_key
from reminder.core.decide.subjects import subject, which
from reminder.core.desk import Asked, Decision, Desk, View
from reminder.core.ledger import Event, EventKind, State
from reminder.core.schedule import local_day

_ENDS = frozenset(
    {
        EventKind.EXTENSION_GRANTED,
        EventKind.EXTENSION_REFUSED,
        EventKind.EXTENSION_WITHDRAWN,
        EventKind.DUE_SET,
    }
)  # what ends a request; a task that closes ends it too
_ANEW = frozenset(
    {
        EventKind.UNDONE,
        EventKind.REOPENED,
        EventKind.RETURNED,
        EventKind.DUE_SET,
        EventKind.EXTENSION_GRANTED,
    }
)  # after these a reminder is another than the one before


def approve(desk: Desk, command: Command, target: Target) -> Decision:
    """“/dongy 1c”: the date asked for, or the one that the office names, is the due day."""
    matter, state, request = _asked(desk, command, target)
    day = command.until or request.until
    assert day is not None
    check_day(desk, matter, state, day, today_too=True, verb=head(command.verb))
    told = dict.fromkeys((request.unit, *state.open_units))  # the date is the others' too
    return _decided(desk, command, request, EventKind.EXTENSION_GRANTED, day, tuple(told))


def reject(desk: Desk, command: Command, target: Target) -> Decision:
    """“/khongdongy 1c”: the date stays as it is."""
    _, _, request = _asked(desk, command, target)
    return _decided(desk, command, request, EventKind.EXTENSION_REFUSED, None, (request.unit,))


def _asked(desk: Desk, command: Command, target: Target) -> tuple[Matter, State, Event]:
    """The one request that stands; else what became of it."""
    matter = find(desk, command, target, lambda state: state.request is not None)
    asked = [state for state in matter.named(target) if state.request]
    if len(asked) > 1:
        raise which(command, tuple(asked))
    if not asked or asked[0].request is None:
        raise _no_request(desk, matter, target)
    return matter, asked[0], asked[0].request


def _no_request(desk: Desk, matter: Matter, target: Target) -> RefusalError:
    """“đã đồng ý lúc …, người quyết …”; “đã rút”; or that nobody asked."""
    keys = {state.key for state in matter.named(target)}
    asked = {e.key for e in desk.events if e.kind is EventKind.EXTENSION_ASKED and e.key in keys}
    closed = {state.closed for state in matter.states if state.closed and state.key in asked}
    ended = next(
        (e for e in reversed(desk.events) if e.key in asked and (e.kind in _ENDS or e in closed)),
        None,
    )
    key = ended.key if ended else next(s.key for s in matter.states if s.key in keys)
    return RefusalError("no-request", key=pack_key(key), event=pack_event(ended) if ended else None)


def _decided(
    desk: Desk,
    command: Command,
    request: Event,
    kind: EventKind,
    day: date | None,
    told: tuple[str, ...],
) -> Decision:
    made = event(desk, kind, request.key, request.unit, until=day, note=command.note)
    data: dict[str, Any] = {
        "key": pack_key(request.key),
        "granted": kind is EventKind.EXTENSION_GRANTED,
        "note": command.note,
    }
    words = [View(name="extension-decided", data=data, to=f"unit:{unit}") for unit in told]
    return also(said("extension-decided", [made], **data), *words)


def remind(desk: Desk, command: Command, target: Target) -> Decision:
    """“/nhacngay 1c”: a nudge now to each unit that still has to act, once a day and due day."""
    matter = find(desk, command, target)
    state = subject(desk, command, target, matter, ())[0]
    if state.due is None:
        raise refusal("remind-awaiting", key=pack_key(state.key))
    open_units = state.open_units
    named = (target.unit,) if target.unit in open_units and target.unit else open_units
    before = {unit: asked for unit in named if (asked := _asked_today(desk, state, unit))}
    now = [unit for unit in named if unit not in before]
    told = [[unit, asked.at.isoformat(), asked.by] for unit, asked in before.items()]
    heard = {unit for person in desk.people.values() for unit in person.units}
    nobody = [unit for unit in now if unit not in heard]
    answer = said("reminded", key=pack_key(state.key), units=now, before=told, nobody=nobody)
    return Decision(views=answer.views, remind=tuple((state.key, unit) for unit in now))


def _asked_today(desk: Desk, state: State, unit: str) -> Asked | None:
    """Who has had `unit` reminded of this today, unless something has changed since."""
    asked = desk.reminded.get((state.key, unit))
    if asked is None or local_day(asked.at) != desk.today:
        return None
    changed = any(e.kind in _ANEW and e.at >= asked.at for e in desk.events if e.key == state.key)
    return None if changed else asked
