"""The digest at any time, and its plain form for a group: for the office and the leaders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from reminder.decisions.outcome import refusal, said
from reminder.domain.context import Decision, Desk
from reminder.domain.ledger import Event, State, apply, initial
from reminder.domain.occurrences import Key
from reminder.domain.payloads import (
    Digest,
    DueDates,
    Help,
    History,
    OpenTasks,
    ReportDraft,
    TaskDetails,
    Unhandled,
    Zalo,
)
from reminder.domain.plan import Plan, Task
from reminder.domain.report_periods import ReportPeriodError, current_report, find_report
from reminder.understanding import Command, Target, Verb

HISTORY = 30  # events that a history shows; more would not be read


def reads_all(desk: Desk) -> bool:
    return desk.sender.office or desk.sender.leader


def tasks(desk: Desk, command: Command) -> Decision:
    """The open work of the own units; leaders and the office see all, or the unit they name."""
    known = {unit.id for plan in desk.plans for unit in plan.units}
    if reads_all(desk):
        units = (command.unit,) if command.unit in known else ()
        return said(OpenTasks(units=units, every=not units))
    own = desk.sender.units
    other = command.unit if command.unit not in own else ""
    mine = (command.unit,) if command.unit in own else own
    return said(OpenTasks(units=mine, every=False, asked=other))


def due(desk: Desk, command: Command) -> Decision:
    """Dates, for everybody: of the tasks named, else those that come."""
    if command.targets:
        named = [pair for target in command.targets for pair in _found(desk, target)]
        return said(DueDates(tasks=_named(named)))
    everything = reads_all(desk) or command.everything
    return said(DueDates(units=() if everything else desk.sender.units, every=everything))


def task(desk: Desk, command: Command, target: Target) -> Decision:
    """One task: who does it, by when, how far it is; to other units its dates alone."""
    del command
    found = _found(desk, target)
    mine = [(plan, each) for plan, each in found if _reads(desk, each)]
    return said(TaskDetails(tasks=_named(mine)) if mine else DueDates(tasks=_named(found)))


def history(desk: Desk, command: Command, target: Target) -> Decision:
    """Who said what of it, when, and by which channel; the newest last."""
    del command
    found = [(plan, each) for plan, each in _found(desk, target) if _reads(desk, each)]
    if not found:
        raise refusal("history-closed", code=target.task)
    keys = {(plan.id, each.code) for plan, each in found}
    events = [e for e in desk.events if e.key[:2] in keys and _is_named(e, target)]
    return said(
        History(
            tasks=_named(found),
            events=tuple(events[-HISTORY:]),
            befores=tuple(_dues_before(desk, events)[-HISTORY:]),
            more=max(0, len(events) - HISTORY),
        )
    )


def _dues_before(desk: Desk, events: Sequence[Event]) -> list[date | None]:
    """For each event that moves a date, the date until then; None for all else."""
    dues: dict[Key, State] = {}
    before: list[date | None] = []
    for event in events:
        state = dues.get(event.key)
        if state is None and event.key in desk.states:
            state = initial(desk.states[event.key].occurrence)
        if state is None:
            before.append(None)
            continue
        dues[event.key] = after = apply(state, event)
        before.append(state.due if state.due != after.due else None)
    return before


def _is_named(event: Event, target: Target) -> bool:
    by_number = not target.deliverables or event.key.deliverable in target.deliverables
    return by_number and target.period in (None, event.key.period)


def _found(desk: Desk, target: Target) -> list[tuple[Plan, Task]]:
    """The task in each plan that has it."""
    found = [
        (plan, plan.by_code[target.task])
        for plan in desk.plans
        if target.plan in (None, plan.id) and target.task in plan.by_code
    ]
    if not found:
        raise refusal("no-such", code=target.task)
    return found


def _reads(desk: Desk, task: Task) -> bool:
    return reads_all(desk) or bool({*task.lead, *task.support} & set(desk.sender.units))


def _named(found: Iterable[tuple[Plan, Task]]) -> tuple[tuple[str, str], ...]:
    return tuple((plan.id, task.code) for plan, task in found)


def help_text(desk: Desk, command: Command) -> Decision:
    del command
    return said(Help(office=desk.sender.office, leader=desk.sender.only_reads))


def report(desk: Desk, command: Command) -> Decision:
    """A draft of the office's report: on the period named, else on the one in hand."""
    try:
        if command.period is None:
            found = current_report(desk.plans, desk.states, desk.today)
        else:
            found = find_report(desk.plans, command.period, desk.today)
    except ReportPeriodError as error:
        raise refusal("no-report", say=str(error)) from None
    return said(ReportDraft(plan=found.plan.id, period=found.period.id))


def unhandled(desk: Desk, command: Command) -> Decision:
    """What the service does itself."""
    del desk
    return said(Unhandled(verb=command.verb.value))


def digest(desk: Desk, command: Command) -> Decision:
    """`/digest` and `/zalo`: a view of that name, made when it is sent."""
    if not reads_all(desk):
        raise refusal("reads-all-only", verb=command.verb.value)
    return said(Zalo() if command.verb is Verb.ZALO else Digest())
