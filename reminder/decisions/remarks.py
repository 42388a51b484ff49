"""Remarks about work that close nothing: not done, seen, questions, notes, signatures."""

from __future__ import annotations

from reminder.decisions.outcome import event, own_units, refusal, said
from reminder.decisions.targets import (
    Already,
    NotOpen,
    choice,
    open_states,
    parts,
    recur_together,
    resolve,
    which,
)
from reminder.domain.calendar import local_day
from reminder.domain.context import Context, Decision
from reminder.domain.ledger import Event, EventKind, State
from reminder.domain.payloads import (
    Heard,
    NotDone,
    Noted,
    Returned,
    Seen,
    StatusAsked,
    Submitted,
)
from reminder.domain.plan import Confirm
from reminder.understanding.model import Command, Target

MOST_TOLD = 8  # instances of one product in an answer


def not_done(context: Context, command: Command, target: Target) -> Decision:
    """“chưa xong”: the work stays open; the answer is kept, further words as a note."""
    work = resolve(context, command, target)
    units = parts(context, work, target)
    state = open_states(context, command, target, work, units, any_of=True)[0]
    if command.note:
        events = [event(context, EventKind.NOTED, state.key, units[0], note=command.note)]
    else:
        events = answered(context, state, units[0], "chưa xong")
    return said(NotDone(key=state.key, noted=command.note), events)


def answered(context: Context, state: State, unit: str, words: str) -> list[Event]:
    """The answer for the record; the same words by the same person count once a day."""
    made = event(context, EventKind.ANSWERED, state.key, unit, note=words)
    last = state.answer
    same = last is not None and (last.unit, last.by, last.note) == (unit, made.by, words)
    return [] if same and last and local_day(last.at) == context.today else [made]


def any_not_done(context: Context, command: Command) -> Decision:
    """“chưa” to nothing in particular."""
    del context, command
    return said(Heard(still_open=True))


def seen(context: Context, command: Command, target: Target) -> Decision:
    """“vâng”, “ok”: read; the work stays open."""
    work = resolve(context, command, target)
    live = [s for s in work.named(target) if not s.closed and s.occurrence.opens <= context.today]
    live.sort(key=lambda state: state.occurrence.is_check_in)
    first = [state.key for state in live if state.key.deliverable == live[0].key.deliverable]
    return said(Seen(keys=tuple(first[:MOST_TOLD])))


def any_seen(context: Context, command: Command) -> Decision:
    """“ok” to nothing in particular."""
    del context, command
    return said(Heard(still_open=False))


def ask(context: Context, command: Command, target: Target) -> Decision:
    """“xong chưa?”: anybody enrolled may ask."""
    work = resolve(context, command, target)
    states = work.named(target)
    waiting = [s for s in states if not s.closed and s.occurrence.opens <= context.today]
    if recur_together(waiting) and not target.period:
        return Decision(answers=tuple(StatusAsked(key=s.key) for s in waiting[:MOST_TOLD]))
    state = open_states(context, command, target, work, (), any_of=True)[0]
    return said(StatusAsked(key=state.key))


def note(context: Context, command: Command, target: Target) -> Decision:
    """A note is kept with what is open, else with what closed last or opens next."""
    work = resolve(context, command, target)
    units = parts(context, work, target)
    if not command.note:
        raise refusal("needs-text", code=target.task)
    match choice(context, work, target, ()):
        case Already(last, _) | NotOpen(last):
            state = last
        case _:
            state = open_states(context, command, target, work, (), any_of=True)[0]
    own = own_units(context, work.task)
    office = next(plan.office for plan in context.plans if plan.id == state.key.plan)
    unit = units[0] if own else office  # the office's note is not the unit's word
    noted = event(context, EventKind.NOTED, state.key, unit, note=command.note)
    return said(Noted(event=noted), [noted])


def submit(context: Context, command: Command, target: Target) -> Decision:
    """“đã trình ký”: the unit's nudges rest until the paper is out, or back."""
    work = resolve(context, command, target)
    units = parts(context, work, target)
    states = open_states(context, command, target, work, units)
    check_ins = [state for state in states if state.occurrence.is_check_in]
    if check_ins:
        raise refusal("no-signature", key=check_ins[0].key)
    text = " ".join(filter(None, (command.evidence, command.note)))
    events: list[Event] = []
    answers: list[Submitted] = []
    for state in states:
        before = [state.submitted[u] for u in units if u in state.submitted]
        made = [
            event(context, EventKind.SUBMITTED, state.key, unit, note=text)
            for unit in units
            if unit not in state.submitted and unit in state.open_units
        ]
        events += made
        answers.append(Submitted(event=(made or before)[0], again=not made))
    return Decision(events=tuple(events), answers=tuple(answers))


def give_back(context: Context, command: Command, target: Target) -> Decision:
    """“bị trả lại”: what waited for a signature is the unit's again."""
    work = resolve(context, command, target, lambda state: bool(state.submitted))
    units = parts(context, work, target)
    waiting = [state for state in work.named(target) if _submitters(state, units)]
    if not waiting:
        raise refusal("not-submitted", key=work.named(target)[0].key)
    if len(waiting) > 1 and not (target.deliverables or target.every or target.period):
        raise which(command, tuple(waiting))
    events = [
        event(context, EventKind.RETURNED, state.key, unit, note=command.note)
        for state in waiting
        for unit in _submitters(state, units)
    ]
    return Decision(
        events=tuple(events),
        answers=tuple(Returned(key=state.key) for state in waiting),
    )


def _submitters(state: State, units: tuple[str, ...]) -> tuple[str, ...]:
    """Whose submission comes back: of one product for all anybody's, else the own."""
    if state.occurrence.task.confirm is Confirm.ANY:
        return tuple(state.submitted)
    return tuple(unit for unit in units if unit in state.submitted)
