"""Closing work and answering check-ins; taking that back (undo), and reopening by the office."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter

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
    Choice,
    Closes,
    Which,
    Work,
    choice,
    instead,
    is_named,
    parts,
    recur_together,
    resolve,
    unclosable,
    waits,
    which,
)
from reminder.domain.context import Context, Decision, Notice
from reminder.domain.ledger import Event, EventKind, State
from reminder.domain.payloads import (
    AlreadyDone,
    Claimed,
    Done,
    Evidence,
    ExtensionWithdrawn,
    ListedBack,
    Noted,
    NotYourUnit,
    ReopenAsked,
    Reopened,
    ReopenRequested,
    Seen,
    Undone,
    Updated,
    WhichOccurrence,
)
from reminder.domain.plan import Confirm, Key, Plan
from reminder.domain.text import fold
from reminder.understanding.model import Command, Target

STEADY = "thuong xuyen"  # “vẫn làm thường xuyên”: the work goes on as always


def done(context: Context, command: Command, target: Target) -> Decision:
    """“xong 1c”: closes what choose() says; where that is nothing, asks or tells why."""
    work, units, made = _meant(context, command, target)
    match made:
        case Closes(states) if target.every and recur_together(states):
            raise _instances(command, target, states)
        case Closes(states):
            told = {"evidence": command.evidence, "note": command.note}
            events = [e for s in states for e in closing(context, s.key, units, **told)]
            other = instead(context, target)
            return said(Done(events=tuple(events), unit=events[0].unit, instead=other), events)
        case Which(states):
            raise _which(context, work, target, states, units)
        case Already(last, _) if command.evidence and command.evidence != last.evidence:
            return _told_after(context, last, units, command.evidence)
        case _:
            raise with_instead(context, target, unclosable(made, target))


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
    _, units, made = _meant(context, command, target)
    if isinstance(made, Closes | Which):
        keys = tuple(state.key for state in made.states)
        return said(Claimed(keys=keys, unit=units[0], words=context.words or command.note))
    raise with_instead(context, target, unclosable(made, target))


def _meant(
    context: Context, command: Command, target: Target
) -> tuple[Work, tuple[str, ...], Choice]:
    """The work, whose part of it, and what of it would close.

    Products are meant, not check-ins, unless the check-in is named or all that there is.
    """
    open_now, named = waits(context, target), target.deliverables or target.period

    def wanted(state: State) -> bool:
        check_in = state.occurrence.is_check_in and bool(state.occurrence.task.products)
        return open_now(state) and (bool(named) or not check_in)

    work = resolve(context, command, target, wanted)
    units = parts(context, work, target)
    return work, units, choice(context, work, target, units)


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
            events = [made for s in states for made in closing(context, s.key, units, note=text)]
            steady = STEADY in fold(text)
            return said(Updated(events=tuple(events), units=units, steady=steady), events)
        case Already(last, _) if last.closed and text and text not in _evidence_told(last):
            note = event(context, EventKind.NOTED, last.key, units[0], note=text)
            return said(Noted(event=note, added=True), [note])
        case _:
            raise unclosable(made, asked)


def _evidence_told(state: State) -> list[str]:
    return [each.note for each in (*state.parts.values(), *state.notes)]


def _rest(context: Context, text: str, *, alone: bool) -> Decision:
    """All check-ins that still wait for the sender's own units."""
    plans = {plan.id for plan in context.plans}
    events: list[Event] = []
    answering: dict[str, None] = {}
    for key, state in context.states.items():
        units = own_units(context, state.occurrence.task)
        live = key.plan in plans and state.occurrence.opens <= context.today
        open_units = tuple(unit for unit in units if unit in state.open_units)
        if state.occurrence.task.confirm is Confirm.ANY:
            open_units = open_units[:1]
        if state.occurrence.is_check_in and live and open_units:
            events += closing(context, key, open_units, note=text)
            answering |= dict.fromkeys(open_units)
    if events:
        return said(Updated(events=tuple(events), units=tuple(answering), steady=False), events)
    if alone:
        raise refusal("nothing-to-update")
    return Decision()


def doing(context: Context, command: Command, target: Target) -> Decision:
    """“đang làm”: of standing work it answers the check-in; of a product it is kept, no more."""
    open_now = waits(context, target)
    work = resolve(context, command, target)
    live = [s for s in work.named(target) if open_now(s)]
    standing = bool(live) and all(s.occurrence.is_check_in for s in live)
    if standing or not work.task.products:
        return answer(context, command, target, command.note or "đang làm")
    units = [u for u in own_units(context, work.task) if live and u in live[0].open_units]
    if units and recur_together(live):
        raise which(command, tuple(live), units[0], context.words)
    events = answered(context, live[0], units[0], command.note or "đang làm") if units else []
    return said(Seen(keys=tuple(state.key for state in live[:1])), events)


UNDO_WITHIN = timedelta(hours=1)
_act = attrgetter("at", "by", "key", "kind", "message")
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
    if standing and not mine:
        raise refusal("undo-others", key=standing[0].key, event=standing[0])
    if not mine:
        work = resolve(context, command, target)
        raise refusal("nothing-to-undo", key=work.named(target)[0].key)
    newest = mine[0]
    office = plans[newest.key.plan].office
    asked = newest.kind is EventKind.EXTENSION_ASKED  # which waits, and may be withdrawn till then
    if context.now - newest.at > UNDO_WITHIN and not asked:
        return _too_late(context, command, newest, office)
    # One message closed several units' parts at once: they are taken back at once.
    alike = [e for e in context.events if _act(e) == _act(newest) and _holds(context, e)]
    events = [event(context, _TAKES_BACK[e.kind], e.key, e.unit, note=command.note) for e in alike]
    decision = said(Undone(event=newest), events)
    if asked:
        withdrawn = ExtensionWithdrawn(event=newest)
        decision = also(decision, Notice(to=f"unit:{office}", payload=withdrawn))
    return decision


def _too_late(context: Context, command: Command, newest: Event, office: str) -> Decision:
    """Ask the office, if it has members, to reopen what the unit closed more than an hour ago."""
    closed = newest.kind in (EventKind.DONE, EventKind.UPDATED)
    if context.sender.office or not closed or not context.has_members(office):
        raise refusal("undo-late", key=newest.key, event=newest)
    asked = event(context, EventKind.UNDONE, newest.key, newest.unit, note=command.note)
    request = Notice(to=f"unit:{office}", payload=ReopenAsked(event=asked))
    return also(said(ReopenRequested(event=newest)), request)


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
    of_task = key.plan in plans and key.task == target.task and is_named(key, target)
    return of_task and target.unit in (None, "*", said_before.unit)


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
    return bool(shared & set(own)) or (context.sender.office and bool(shared & context.offices))


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
            kind, unit = EventKind.UNDONE, target.unit
        else:
            kind = EventKind.REOPENED
            unit = state.closed.unit if state.closed else next(iter(state.parts))
        events.append(event(context, kind, state.key, unit, note=command.note))
    notices = [  # to the units whose work is open again, but the sender's own
        Notice(to=f"unit:{unit}", payload=Reopened(event=made))
        for made in events
        for unit in ((made.unit,) if made.kind is EventKind.UNDONE else work.task.lead)
        if unit not in context.sender.units
    ]
    answers = tuple(Reopened(event=made) for made in events)
    return Decision(events=tuple(events), answers=answers, notices=tuple(notices))


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
