"""Closing work and answering check-ins; taking that back (undo), and reopening by the office."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from reminder.decisions.outcome import (
    RefusalError,
    Step,
    also,
    event,
    in_turn,
    own_units,
    refusal,
    said,
    typed,
)
from reminder.decisions.remarks import answered
from reminder.decisions.targets import (
    Already,
    Closes,
    Which,
    Work,
    choice,
    instead,
    parts,
    resolve,
    unclosable,
    waits,
    which,
)
from reminder.domain.context import Context, Decision, Notice
from reminder.domain.ledger import Event, EventKind, State
from reminder.domain.occurrences import Key
from reminder.domain.payloads import (
    AlreadyDone,
    Claimed,
    Done,
    Evidence,
    ExtensionWithdrawn,
    ListedBack,
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


def done(context: Context, command: Command, target: Target) -> Decision:
    """“xong 1c”: closes what choose() says; where that is nothing, asks or tells why."""
    open_now = waits(context, target)
    work = resolve(context, command, target, lambda s: open_now(s) and _is_meant(target, s))
    units = parts(context, work, target)
    made = choice(context, work, target, units)
    match made:
        case Closes(states) if target.every and _recur_together(states):
            raise _instances(command, target, states)
        case Closes(states):
            return _closing_event_of(context, command, target, states, units)
        case Which(states):
            raise _which(context, work, target, states, units)
        case Already(last, _) if command.evidence and command.evidence != last.evidence:
            return _told_after(context, last, units, command.evidence)
        case _:
            raise with_instead(context, target, unclosable(made, target))


def _recur_together(states: Sequence[State]) -> bool:
    """Whether several instances of one product are among `states`."""
    return len({state.key.deliverable for state in states}) < len(states)


def _instances(command: Command, target: Target, states: Sequence[State]) -> RefusalError:
    """“xong 3b tất cả”: its open instances, listed back with what closes just these."""
    several = len(states[0].occurrence.task.deliverables) > 1
    targets = tuple(
        replace(
            target,
            deliverables=(state.key.deliverable,) if several else (),
            every=False,
            period=state.key.period,
        )
        for state in states
    )
    named = replace(command, targets=targets)
    keys = tuple(state.key for state in states)
    return RefusalError(ListedBack(keys=keys, typed=typed(named)))


def claim(context: Context, command: Command, target: Target) -> Decision:
    """Ask whether the work is done; record nothing until the answer comes."""
    open_now = waits(context, target)
    work = resolve(context, command, target, lambda s: open_now(s) and _is_meant(target, s))
    units = parts(context, work, target)
    made = choice(context, work, target, units)
    if isinstance(made, Closes | Which):
        keys = tuple(state.key for state in made.states)
        return said(Claimed(keys=keys, unit=units[0], words=context.words or command.note))
    raise with_instead(context, target, unclosable(made, target))


def _is_meant(target: Target, state: State) -> bool:
    """Products, not check-ins, unless the check-in is named or all that there is."""
    named = bool(target.deliverables or target.period)
    return named or not state.occurrence.is_check_in or not state.occurrence.task.products


def _closing_event_of(
    context: Context,
    command: Command,
    target: Target,
    states: Sequence[State],
    units: tuple[str, ...],
) -> Decision:
    events = [
        made
        for state in states
        for made in closing(context, state.key, units, evidence=command.evidence, note=command.note)
    ]
    answer = Done(events=tuple(events), unit=events[0].unit, instead=instead(context, target))
    return said(answer, events)


def closing(
    context: Context, key: Key, units: tuple[str, ...], *, evidence: str = "", note: str = ""
) -> list[Event]:
    """The events that close the open parts of `units`: never one that is closed already."""
    state = context.states[key]
    kind = EventKind.UPDATED if state.occurrence.is_check_in else EventKind.DONE
    return [
        event(context, kind, key, unit, evidence=evidence, note=note)
        for unit in units
        if unit in state.open_units
    ]


def _which(
    context: Context, work: Work, target: Target, states: Sequence[State], units: tuple[str, ...]
) -> RefusalError:
    """The question; where one of the products is done, “and the other?”."""
    closed = [s for s in work.states if s.closed and not s.occurrence.is_check_in]
    closed.sort(key=lambda s: s.closed.at.timestamp() if s.closed else 0.0)
    return RefusalError(
        WhichOccurrence(
            keys=tuple(state.key for state in states),
            unit=units[0],
            instead=instead(context, target),
            closed=closed[-1].key if closed and len(states) == 1 else None,
            words=context.words,
        )
    )


def _told_after(context: Context, state: State, units: tuple[str, ...], evidence: str) -> Decision:
    """Record the number and date of closed work; replacing another one is mentioned."""
    told = event(context, EventKind.EVIDENCE, state.key, units[0], evidence=evidence)
    return said(Evidence(event=told, before=state.evidence), [told])


def with_instead(context: Context, target: Target, refused: RefusalError) -> RefusalError:
    """A refusal that also offers 1đ, where a bare “1d” was typed."""
    other = instead(context, target)
    match refused.payload:
        case AlreadyDone() | NotYourUnit() as payload if other is not None:
            return RefusalError(replace(payload, instead=other))
    return refused


def update(context: Context, command: Command) -> Decision:
    """Each answer to its check-in; “tất cả”: to all check-ins that are open, to nothing else."""
    steps: list[Step] = [_answering(command, target, text) for target, text in command.answers]
    if command.everything and command.targets and not command.answers:
        steps += [_answering(command, target, command.note) for target in command.targets]
    elif command.everything:
        steps.append(lambda later: _rest(later, command.note, alone=not command.answers))
    if not steps:
        raise refusal("needs-code", verb=command.verb.value)
    return in_turn(context, steps)


def _answering(command: Command, target: Target, text: str) -> Step:
    return lambda context: answer(context, command, target, text)


def answer(context: Context, command: Command, target: Target, text: str) -> Decision:
    """Answer the task's check-in; on an answered one the text is kept as a note."""
    open_now = waits(context, target)
    work = resolve(context, command, target, lambda s: s.occurrence.is_check_in and open_now(s))
    units = parts(context, work, target)
    check_in = work.task.check_in
    if check_in is None:
        key = (work.named(target) or work.states)[0].key
        raise refusal("no-check-in", key=key, text=text)
    asked = replace(target, deliverables=(check_in.number,))
    match made := choice(context, work, asked, units):
        case Closes(states):
            return _updated(context, [s.key for s in states], units, text)
        case Already(last, _) if last.closed and text and text not in _evidence_told(last):
            note = event(context, EventKind.NOTED, last.key, units[0], note=text)
            return said(Noted(event=note, added=True), [note])
        case _:
            raise unclosable(made, asked)


def _evidence_told(state: State) -> list[str]:
    return [each.note for each in (*state.parts.values(), *state.notes)]


def _updated(
    context: Context,
    keys: Sequence[Key],
    units: tuple[str, ...],
    text: str,
    *,
    everything: bool = False,
) -> Decision:
    events = [made for key in keys for made in closing(context, key, units, note=text)]
    steady = STEADY in fold(text) and not everything
    return said(Updated(events=tuple(events), units=units, steady=steady), events)


def _rest(context: Context, text: str, *, alone: bool) -> Decision:
    """All check-ins that still wait for the sender's own units."""
    plans = {plan.id for plan in context.plans}
    steps: list[Step] = []
    for key, state in context.states.items():
        units = own_units(context, state.occurrence.task)
        live = key.plan in plans and state.occurrence.opens <= context.today
        open_units = tuple(unit for unit in units if unit in state.open_units)
        if state.occurrence.task.confirm is Confirm.ANY:
            open_units = open_units[:1]
        if state.occurrence.is_check_in and live and open_units:
            steps.append(_standing(key, open_units, text))
    if not steps and alone:
        raise refusal("nothing-to-update")
    return in_turn(context, steps)


def _standing(key: Key, units: tuple[str, ...], text: str) -> Step:
    return lambda context: _updated(context, [key], units, text, everything=True)


def doing(context: Context, command: Command, target: Target) -> Decision:
    """“đang làm”: of standing work it answers the check-in; of a product it is kept, no more."""
    open_now = waits(context, target)
    work = resolve(context, command, target)
    live = [s for s in work.named(target) if open_now(s)]
    standing = bool(live) and all(s.occurrence.is_check_in for s in live)
    if standing or not work.task.products:
        return answer(context, command, target, command.note or "đang làm")
    units = [u for u in own_units(context, work.task) if live and u in live[0].open_units]
    events = answered(context, live[0], units[0], command.note or "đang làm") if units else []
    return said(Seen(keys=tuple(state.key for state in live[:1])), events)


UNDO_WITHIN = timedelta(hours=1)
_TAKES_BACK = {
    EventKind.DONE: EventKind.UNDONE,
    EventKind.UPDATED: EventKind.UNDONE,
    EventKind.SUBMITTED: EventKind.RETURNED,
    EventKind.EXTENSION_ASKED: EventKind.EXTENSION_WITHDRAWN,
}


def undo(context: Context, command: Command, target: Target) -> Decision:
    """“hoàn tác 1c”: the newest thing that the sender's own unit said of it, within the hour."""
    plans = {plan.id: plan for plan in context.plans if target.plan in (None, plan.id)}
    standing = [
        e for e in reversed(context.events) if _names(e, target, plans) and _holds(context, e)
    ]
    mine = [e for e in standing if _is_own(context, e)]
    if not mine:
        raise _not_mine(context, command, target, standing)
    newest = mine[0]
    asked = newest.kind is EventKind.EXTENSION_ASKED  # which waits, and may be withdrawn till then
    if context.now - newest.at > UNDO_WITHIN and not asked:
        raise refusal("undo-late", key=newest.key, event=newest)
    alike = [e for e in context.events if _same_act(e, newest) and _holds(context, e)]
    events = [event(context, _TAKES_BACK[e.kind], e.key, e.unit, note=command.note) for e in alike]
    decision = said(Undone(event=newest), events)
    if asked:
        office = f"unit:{plans[newest.key.plan].office}"
        decision = also(decision, Notice(to=office, payload=ExtensionWithdrawn(event=newest)))
    return decision


def undo_last(context: Context, command: Command) -> Decision:
    """“em bấm nhầm”: the newest thing that the sender said of any work, within the hour."""
    since = context.now - UNDO_WITHIN
    mine = (
        e
        for e in reversed(context.events)
        if e.by == context.sender.person.id and e.kind in _TAKES_BACK and e.at >= since
    )
    newest = next((e for e in mine if _holds(context, e)), None)
    if newest is None:
        raise refusal("needs-code", verb=command.verb.value)
    key = newest.key
    target = Target(
        task=key.task, deliverables=(key.deliverable,), period=key.period, plan=key.plan
    )
    return undo(context, command, target)


def _names(said_before: Event, target: Target, plans: dict[str, Plan]) -> bool:
    key = said_before.key
    return (
        key.plan in plans
        and key.task == target.task
        and (not target.deliverables or key.deliverable in target.deliverables)
        and target.period in (None, key.period)
        and target.unit in (None, "*", said_before.unit)
    )


def _holds(context: Context, before: Event) -> bool:
    """Whether what `before` said is still so."""
    state = context.states.get(before.key)
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


def _is_own(context: Context, before: Event) -> bool:
    """Whether it was said for the sender's unit, by a colleague or by the office."""
    own = own_units(context, context.states[before.key].occurrence.task)
    person = context.people.get(before.by)
    if person is None:
        return before.unit in own
    shared = set(person.units) & set(context.sender.units)
    return bool(shared & set(own)) or (context.sender.office and bool(shared & _offices(context)))


def _offices(context: Context) -> set[str]:
    return {plan.office for plan in context.plans}


def _same_act(one: Event, other: Event) -> bool:
    """One message closed several units' parts at once: they are taken back at once."""
    return (one.at, one.by, one.key, one.kind, one.message) == (
        other.at,
        other.by,
        other.key,
        other.kind,
        other.message,
    )


def _not_mine(
    context: Context, command: Command, target: Target, standing: list[Event]
) -> RefusalError:
    if standing:
        return refusal("undo-others", key=standing[0].key, event=standing[0])
    work = resolve(context, command, target)
    return refusal("nothing-to-undo", key=work.named(target)[0].key)


def reopen(context: Context, command: Command, target: Target) -> Decision:
    """The office opens what was closed, with a reason; one unit's part where it is named."""
    work = resolve(context, command, target, lambda state: bool(state.parts))
    if not command.note:
        raise refusal("needs-reason", code=target.task)
    states = _closed_states(work, command, target)
    events: list[Event] = []
    for state in states:
        shared = state.occurrence.task.confirm is Confirm.ALL
        if shared and target.unit in state.parts and target.unit:
            events.append(
                event(context, EventKind.UNDONE, state.key, target.unit, note=command.note)
            )
        else:
            unit = state.closed.unit if state.closed else next(iter(state.parts))
            events.append(event(context, EventKind.REOPENED, state.key, unit, note=command.note))
    notices = [
        Notice(to=to, payload=Reopened(event=made))
        for made in events
        for to in _told_above(context, work, made)
    ]
    answers = tuple(Reopened(event=made) for made in events)
    return Decision(events=tuple(events), answers=answers, notices=tuple(notices))


def _told_above(context: Context, work: Work, made: Event) -> list[str]:
    """The units whose work is open again, but the sender's own."""
    units = (made.unit,) if made.kind is EventKind.UNDONE else work.task.lead
    return [f"unit:{unit}" for unit in units if unit not in context.sender.units]


def _closed_states(work: Work, command: Command, target: Target) -> list[State]:
    """The newest closed occurrence of each deliverable that is meant; products before check-ins."""
    closed = [state for state in work.named(target) if state.parts]
    if target.unit and target.unit != "*" and work.task.confirm is Confirm.ALL:
        closed = [state for state in closed if target.unit in state.parts]
    if not closed:
        raise refusal("not-closed", key=work.named(target)[0].key)
    if not (target.deliverables or target.period):
        closed = [s for s in closed if not s.occurrence.is_check_in] or closed
    newest = {s.key.deliverable: s for s in sorted(closed, key=_last_closed)}
    states = list(newest.values())
    if len(states) > 1 and not (target.deliverables or target.every):
        raise which(command, tuple(states))
    return states


def _last_closed(state: State) -> float:
    return max(part.at.timestamp() for part in state.parts.values())
