"""Taking back: for an hour by the unit itself, later and with a reason by the office."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from reminder.decisions.choice import Already, Closes, Which
from reminder.decisions.outcome import RefusalError, Step, also, event, in_turn, refusal, said
from reminder.decisions.remarks import answered
from reminder.decisions.targets import (
    Matter,
    choice,
    find,
    instead,
    own_units,
    parts,
    unclosable,
    waits,
    which,
)
from reminder.domain.context import Decision, Desk, Notice
from reminder.domain.ledger import Event, EventKind, State
from reminder.domain.occurrences import Key
from reminder.domain.payloads import (
    AlreadyDone,
    Claimed,
    Done,
    Evidence,
    ExtensionWithdrawn,
    Noted,
    NotYourUnit,
    Reopened,
    Seen,
    Undone,
    Updated,
    WhichOccurrence,
)
from reminder.domain.plan import Confirm, Plan
from reminder.domain.text import fold
from reminder.understanding import Command, Target

STEADY = "thuong xuyen"  # “vẫn làm thường xuyên”: the work goes on as always


def done(desk: Desk, command: Command, target: Target) -> Decision:
    """“xong 1c”: closes what choose() says; where that is nothing, asks or tells why."""
    open_now = waits(desk, target)
    matter = find(desk, command, target, lambda s: open_now(s) and _is_meant(target, s))
    units = parts(desk, matter, target)
    made = choice(desk, matter, target, units)
    match made:
        case Closes(states):
            return _closing_event_of(desk, command, target, states, units)
        case Which(states):
            raise _which(desk, matter, target, states, units)
        case Already(last, _) if command.evidence and command.evidence != last.evidence:
            return _told_after(desk, last, units, command.evidence)
        case _:
            raise with_instead(desk, target, unclosable(made, target))


def claim(desk: Desk, command: Command, target: Target) -> Decision:
    """Ask whether the work is done; record nothing until the answer comes."""
    open_now = waits(desk, target)
    matter = find(desk, command, target, lambda s: open_now(s) and _is_meant(target, s))
    units = parts(desk, matter, target)
    made = choice(desk, matter, target, units)
    if isinstance(made, Closes | Which):
        keys = tuple(state.key for state in made.states)
        return said(Claimed(keys=keys, unit=units[0], words=desk.words or command.note))
    raise with_instead(desk, target, unclosable(made, target))


def _is_meant(target: Target, state: State) -> bool:
    """Products, not check-ins, unless the check-in is named or all that there is."""
    named = bool(target.deliverables or target.period)
    return named or not state.occurrence.is_check_in or not state.occurrence.task.products


def _closing_event_of(
    desk: Desk, command: Command, target: Target, states: Sequence[State], units: tuple[str, ...]
) -> Decision:
    events = [
        made
        for state in states
        for made in closing(desk, state.key, units, evidence=command.evidence, note=command.note)
    ]
    answer = Done(events=tuple(events), unit=events[0].unit, instead=instead(desk, target))
    return said(answer, events)


def closing(
    desk: Desk, key: Key, units: tuple[str, ...], *, evidence: str = "", note: str = ""
) -> list[Event]:
    """The events that close the open parts of `units`: never one that is closed already."""
    state = desk.states[key]
    kind = EventKind.UPDATED if state.occurrence.is_check_in else EventKind.DONE
    return [
        event(desk, kind, key, unit, evidence=evidence, note=note)
        for unit in units
        if unit in state.open_units
    ]


def _which(
    desk: Desk, matter: Matter, target: Target, states: Sequence[State], units: tuple[str, ...]
) -> RefusalError:
    """The question; where one of the products is done, “and the other?”."""
    closed = [s for s in matter.states if s.closed and not s.occurrence.is_check_in]
    closed.sort(key=lambda s: s.closed.at.timestamp() if s.closed else 0.0)
    return RefusalError(
        WhichOccurrence(
            keys=tuple(state.key for state in states),
            unit=units[0],
            instead=instead(desk, target),
            closed=closed[-1].key if closed and len(states) == 1 else None,
            words=desk.words,
        )
    )


def _told_after(desk: Desk, state: State, units: tuple[str, ...], evidence: str) -> Decision:
    """The number and date of what is closed already; another one is replaced, and that is said."""
    told = event(desk, EventKind.EVIDENCE, state.key, units[0], evidence=evidence)
    return said(Evidence(event=told, before=state.evidence), [told])


def with_instead(desk: Desk, target: Target, refused: RefusalError) -> RefusalError:
    """A refusal that also offers 1đ, where a bare “1d” was typed."""
    other = instead(desk, target)
    match refused.payload:
        case AlreadyDone() | NotYourUnit() as payload if other is not None:
            return RefusalError(replace(payload, instead=other))
    return refused


def update(desk: Desk, command: Command) -> Decision:
    """Each answer to its check-in; “tất cả”: to all check-ins that are open, to nothing else."""
    steps: list[Step] = [_answering(command, target, text) for target, text in command.answers]
    if command.everything and command.targets and not command.answers:
        steps += [_answering(command, target, command.note) for target in command.targets]
    elif command.everything:
        steps.append(lambda later: _rest(later, command.note, alone=not command.answers))
    if not steps:
        raise refusal("needs-code", verb=command.verb.value)
    return in_turn(desk, steps)


def _answering(command: Command, target: Target, text: str) -> Step:
    return lambda desk: answer(desk, command, target, text)


def answer(desk: Desk, command: Command, target: Target, text: str) -> Decision:
    """The answer to the task's check-in; what is told of an answered one is kept as a note."""
    open_now = waits(desk, target)
    matter = find(desk, command, target, lambda s: s.occurrence.is_check_in and open_now(s))
    units = parts(desk, matter, target)
    check_in = matter.task.check_in
    if check_in is None:
        key = (matter.named(target) or matter.states)[0].key
        raise refusal("no-check-in", key=key, text=text)
    asked = replace(target, deliverables=(check_in.number,))
    match made := choice(desk, matter, asked, units):
        case Closes(states):
            return _updated(desk, [s.key for s in states], units, text)
        case Already(last, _) if last.closed and text and text not in _evidence_told(last):
            note = event(desk, EventKind.NOTED, last.key, units[0], note=text)
            return said(Noted(event=note, added=True), [note])
        case _:
            raise unclosable(made, asked)


def _evidence_told(state: State) -> list[str]:
    return [each.note for each in (*state.parts.values(), *state.notes)]


def _updated(
    desk: Desk, keys: Sequence[Key], units: tuple[str, ...], text: str, *, everything: bool = False
) -> Decision:
    events = [made for key in keys for made in closing(desk, key, units, note=text)]
    steady = STEADY in fold(text) and not everything
    return said(Updated(events=tuple(events), units=units, steady=steady), events)


def _rest(desk: Desk, text: str, *, alone: bool) -> Decision:
    """All check-ins that still wait for the sender's own units."""
    plans = {plan.id for plan in desk.plans}
    steps: list[Step] = []
    for key, state in desk.states.items():
        units = own_units(desk, state.occurrence.task)
        live = key.plan in plans and state.occurrence.opens <= desk.today
        open_units = tuple(unit for unit in units if unit in state.open_units)
        if state.occurrence.task.confirm is Confirm.ANY:
            open_units = open_units[:1]
        if state.occurrence.is_check_in and live and open_units:
            steps.append(_standing(key, open_units, text))
    if not steps and alone:
        raise refusal("nothing-to-update")
    return in_turn(desk, steps)


def _standing(key: Key, units: tuple[str, ...], text: str) -> Step:
    return lambda desk: _updated(desk, [key], units, text, everything=True)


def doing(desk: Desk, command: Command, target: Target) -> Decision:
    """“đang làm”: of standing work it answers the check-in; of a product it is kept, no more."""
    open_now = waits(desk, target)
    matter = find(desk, command, target)
    live = [s for s in matter.named(target) if open_now(s)]
    standing = bool(live) and all(s.occurrence.is_check_in for s in live)
    if standing or not matter.task.products:
        return answer(desk, command, target, command.note or "đang làm")
    units = [u for u in own_units(desk, matter.task) if live and u in live[0].open_units]
    events = answered(desk, live[0], units[0], command.note or "đang làm") if units else []
    return said(Seen(keys=tuple(state.key for state in live[:1])), events)


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
        raise refusal("undo-late", key=newest.key, event=newest)
    alike = [e for e in desk.events if _same_act(e, newest) and _holds(desk, e)]
    events = [event(desk, _TAKES_BACK[e.kind], e.key, e.unit, note=command.note) for e in alike]
    decision = said(Undone(event=newest), events)
    if asked:
        office = f"unit:{plans[newest.key.plan].office}"
        decision = also(decision, Notice(to=office, payload=ExtensionWithdrawn(event=newest)))
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
        return refusal("undo-others", key=standing[0].key, event=standing[0])
    matter = find(desk, command, target)
    return refusal("nothing-to-undo", key=matter.named(target)[0].key)


def reopen(desk: Desk, command: Command, target: Target) -> Decision:
    """The office opens what was closed, with a reason; one unit's part where it is named."""
    matter = find(desk, command, target, lambda state: bool(state.parts))
    if not command.note:
        raise refusal("needs-reason", code=target.task)
    states = _closed_states(matter, command, target)
    events: list[Event] = []
    for state in states:
        shared = state.occurrence.task.confirm is Confirm.ALL
        if shared and target.unit in state.parts and target.unit:
            events.append(event(desk, EventKind.UNDONE, state.key, target.unit, note=command.note))
        else:
            unit = state.closed.unit if state.closed else next(iter(state.parts))
            events.append(event(desk, EventKind.REOPENED, state.key, unit, note=command.note))
    notices = [
        Notice(to=to, payload=Reopened(event=made))
        for made in events
        for to in _told_above(desk, matter, made)
    ]
    answers = tuple(Reopened(event=made) for made in events)
    return Decision(events=tuple(events), answers=answers, notices=tuple(notices))


def _told_above(desk: Desk, matter: Matter, made: Event) -> list[str]:
    """The units whose work is open again, but the sender's own."""
    units = (made.unit,) if made.kind is EventKind.UNDONE else matter.task.lead
    return [f"unit:{unit}" for unit in units if unit not in desk.sender.units]


def _closed_states(matter: Matter, command: Command, target: Target) -> list[State]:
    """The newest closed occurrence of each deliverable that is meant; products before check-ins."""
    closed = [state for state in matter.named(target) if state.parts]
    if target.unit and target.unit != "*" and matter.task.confirm is Confirm.ALL:
        closed = [state for state in closed if target.unit in state.parts]
    if not closed:
        raise refusal("not-closed", key=matter.named(target)[0].key)
    if not (target.deliverables or target.period):
        closed = [s for s in closed if not s.occurrence.is_check_in] or closed
    newest = {s.key.deliverable: s for s in sorted(closed, key=_last_closed)}
    states = list(newest.values())
    if len(states) > 1 and not (target.deliverables or target.every):
        raise which(command, tuple(states))
    return states


def _last_closed(state: State) -> float:
    return max(part.at.timestamp() for part in state.parts.values())
