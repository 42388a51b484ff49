"""Taking back: for an hour by the unit itself, later and with a reason by the office."""

from __future__ import annotations

from datetime import timedelta

from reminder.core.commands import Command, Target
from reminder.core.decide.common import RefusalError, also, event, refusal, said
from reminder.core.decide.matters import Matter, find, own_units
from reminder.core.decide.packing import pack_event, pack_key
from reminder.core.decide.subjects import which
from reminder.core.desk import Decision, Desk, View
from reminder.core.ledger import Event, EventKind, State
from reminder.core.plan import Confirm, Plan

UNDO_WITHIN = timedelta(hours=1)
_TAKES_BACK = {
    EventKind.DONE: EventKind.UNDONE,
    EventKind.UPDATED: EventKind.UNDONE,
    EventKind.SUBMITTED: EventKind.RETURNED,
    EventKind.EXTENSION_ASKED: EventKind.EXTENSION_WITHDRAWN,
}


def undo(desk: Desk, command: Command, target: Target) -> Decision:
    """“hoàn tác 1c”: the newest thing that the sender's own unit said of it, within the hour."""
    plans = {plan.id: plan for plan in desk.plans if target.plan in (None, plan.id)}
    standing = [e for e in reversed(desk.events) if _names(e, target, plans) and _holds(desk, e)]
    mine = [e for e in standing if _is_own(desk, e)]
    if not mine:
        raise _not_mine(desk, command, target, standing)
    newest = mine[0]
    asked = newest.kind is EventKind.EXTENSION_ASKED  # which waits, and may be withdrawn till then
    if desk.now - newest.at > UNDO_WITHIN and not asked:
        raise refusal("undo-late", key=pack_key(newest.key), event=pack_event(newest))
    alike = [e for e in desk.events if _same_act(e, newest) and _holds(desk, e)]
    events = [event(desk, _TAKES_BACK[e.kind], e.key, e.unit, note=command.note) for e in alike]
    decision = said("undone", events, event=pack_event(newest))
    if asked:
        office = f"unit:{plans[newest.key.plan].office}"
        decision = also(
            decision,
            View(name="extension-withdrawn", data={"event": pack_event(newest)}, to=office),
        )
    return decision


def _names(said_before: Event, target: Target, plans: dict[str, Plan]) -> bool:
    key = said_before.key
    return (
        key.plan in plans
        and key.task == target.task
        and (not target.deliverables or key.deliverable in target.deliverables)
        and target.period in (None, key.period)
        and target.unit in (None, "*", said_before.unit)
    )


def _holds(desk: Desk, before: Event) -> bool:
    """Whether what `before` said is still so."""
    state = desk.states.get(before.key)
    if state is None:
        return False
    match before.kind:
        case EventKind.DONE | EventKind.UPDATED:
            return state.parts.get(before.unit) == before
        case EventKind.SUBMITTED:
            return state.submitted.get(before.unit) == before
        case EventKind.EXTENSION_ASKED:
            return state.request == before
    return False


def _is_own(desk: Desk, before: Event) -> bool:
    """Whether the sender's unit said it: a colleague, or whoever it was for the own unit."""
    own = own_units(desk, desk.states[before.key].occurrence.task)
    person = desk.people.get(before.by)
    if person is None:
        return before.unit in own
    shared = set(person.units) & set(desk.sender.units)
    return bool(shared & set(own)) or (desk.sender.office and bool(shared & _offices(desk)))


def _offices(desk: Desk) -> set[str]:
    return {plan.office for plan in desk.plans}


def _same_act(one: Event, other: Event) -> bool:
    """One message closed several units' parts at once: they are taken back at once."""
    return (one.at, one.by, one.key, one.kind, one.message) == (
        other.at,
        other.by,
        other.key,
        other.kind,
        other.message,
    )


def _not_mine(desk: Desk, command: Command, target: Target, standing: list[Event]) -> RefusalError:
    if standing:
        return refusal("undo-others", key=pack_key(standing[0].key), event=pack_event(standing[0]))
    matter = find(desk, command, target)
    return refusal("nothing-to-undo", key=pack_key(matter.named(target)[0].key))


def reopen(desk: Desk, command: Command, target: Target) -> Decision:
    """The office opens what was closed, with a reason; one unit's part where it is named."""
    matter = find(desk, command, target, lambda state: bool(state.parts))
    if not command.note:
        raise refusal("needs-reason", code=target.task)
    states = _closed(matter, command, target)
    events: list[Event] = []
    for state in states:
        shared = state.occurrence.task.confirm is Confirm.ALL
        if shared and target.unit in state.parts and target.unit:
            events.append(event(desk, EventKind.UNDONE, state.key, target.unit, note=command.note))
        else:
            unit = state.closed.unit if state.closed else next(iter(state.parts))
            events.append(event(desk, EventKind.REOPENED, state.key, unit, note=command.note))
    views = [
        View(name="reopened", data={"event": pack_event(made)}, to=to)
        for made in events
        for to in ("", *_told(desk, matter, made))
    ]
    return Decision(events=tuple(events), views=tuple(views))


def _told(desk: Desk, matter: Matter, made: Event) -> list[str]:
    """The units whose work is open again, but the sender's own."""
    units = (made.unit,) if made.kind is EventKind.UNDONE else matter.task.lead
    return [f"unit:{unit}" for unit in units if unit not in desk.sender.units]


def _closed(matter: Matter, command: Command, target: Target) -> list[State]:
    """The newest closed occurrence of each deliverable that is meant; products before check-ins."""
    closed = [state for state in matter.named(target) if state.parts]
    if target.unit and target.unit != "*" and matter.task.confirm is Confirm.ALL:
        closed = [state for state in closed if target.unit in state.parts]
    if not closed:
        raise refusal("not-closed", key=pack_key(matter.named(target)[0].key))
    if not (target.deliverables or target.period):
        closed = [s for s in closed if not s.occurrence.is_check_in] or closed
    newest = {s.key.deliverable: s for s in sorted(closed, key=_closed_at)}
    states = list(newest.values())
    if len(states) > 1 and not (target.deliverables or target.every):
        raise which(command, tuple(states))
    return states


def _closed_at(state: State) -> float:
    return max(part.at.timestamp() for part in state.parts.values())
