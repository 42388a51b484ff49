"""The digest at any time, and its plain form for a group: for the office and the leaders."""

from __future__ import annotations

from collections.abc import Sequence

from reminder.decisions.outcome import refusal, said
from reminder.decisions.serialization import pack_event
from reminder.domain.context import Decision, Desk
from reminder.domain.ledger import Event, State, apply, initial
from reminder.domain.occurrences import Key
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
        units = [command.unit] if command.unit in known else []
        return said("tasks", units=units, all=not units, asked="")
    own = list(desk.sender.units)
    other = command.unit if command.unit not in own else ""
    mine = [command.unit] if command.unit in own else own
    return said("tasks", units=mine, all=False, asked=other)


def due(desk: Desk, command: Command) -> Decision:
    """Dates, for everybody: of the tasks named, else those that come."""
    if command.targets:
        named = [_pair(plan, task) for t in command.targets for plan, task in _found(desk, t)]
        return said("due", tasks=named, units=[], all=False)
    everything = reads_all(desk) or command.everything
    units = [] if everything else list(desk.sender.units)
    return said("due", tasks=[], units=units, all=everything)


def task(desk: Desk, command: Command, target: Target) -> Decision:
    """One task: who does it, by when, how far it is; to other units its dates alone."""
    del command
    found = _found(desk, target)
    mine = [_pair(plan, each) for plan, each in found if _reads(desk, each)]
    if mine:
        return said("task", tasks=mine)
    return said("due", tasks=[_pair(plan, each) for plan, each in found], units=[], all=False)


def history(desk: Desk, command: Command, target: Target) -> Decision:
    """Who said what of it, when, and by which channel; the newest last."""
    del command
    found = [(plan, each) for plan, each in _found(desk, target) if _reads(desk, each)]
    if not found:
        raise refusal("history-closed", code=target.task)
    keys = {(plan.id, each.code) for plan, each in found}
    events = [e for e in desk.events if e.key[:2] in keys and _is_named(e, target)]
    return said(
        "history",
        tasks=[_pair(plan, each) for plan, each in found],
        events=[pack_event(e) for e in events[-HISTORY:]],
        befores=_dues_before(desk, events)[-HISTORY:],
        more=max(0, len(events) - HISTORY),
    )


def _dues_before(desk: Desk, events: Sequence[Event]) -> list[str]:
    """For each event that moves a date, the date until then; empty for all else."""
    dues: dict[Key, State] = {}
    before: list[str] = []
    for event in events:
        state = dues.get(event.key)
        if state is None and event.key in desk.states:
            state = initial(desk.states[event.key].occurrence)
        if state is None:
            before.append("")
            continue
        dues[event.key] = after = apply(state, event)
        before.append(state.due.isoformat() if state.due and state.due != after.due else "")
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


def _pair(plan: Plan, task: Task) -> list[str]:
    return [plan.id, task.code]


def help_text(desk: Desk, command: Command) -> Decision:
    del command
    return said("help", office=desk.sender.office, leader=desk.sender.only_reads)


def report(desk: Desk, command: Command) -> Decision:
    """A draft of the office's report: on the period named, else on the one in hand."""
    try:
        if command.period is None:
            found = current_report(desk.plans, desk.states, desk.today)
        else:
            found = find_report(desk.plans, command.period, desk.today)
    except ReportPeriodError as error:
        raise refusal("no-report", say=str(error)) from None
    return said("report-draft", plan=found.plan.id, period=found.period.id)


def unhandled(desk: Desk, command: Command) -> Decision:
    """What the service does itself, or what the program can't do yet."""
    del desk
    known = command.verb in (Verb.START, Verb.BIND)
    return said("unhandled", verb=command.verb.value, later=not known)


def digest(desk: Desk, command: Command) -> Decision:
    """`/digest` and `/zalo`: a view of that name, made when it is sent."""
    if not reads_all(desk):
        raise refusal("reads-all-only", verb=command.verb.value)
    return said(command.verb.value)
