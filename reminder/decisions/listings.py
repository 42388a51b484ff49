"""Lists, a task, its history, help, the report and the digest on request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from reminder.decisions.outcome import may_read, reads_all, refusal, said
from reminder.decisions.targets import in_plans, is_named
from reminder.domain import payloads
from reminder.domain.context import Context, Decision
from reminder.domain.ledger import Event, apply, initial
from reminder.domain.plan import Plan, Task
from reminder.domain.report import ReportPeriodError, find_report
from reminder.understanding.model import Command, Target
from reminder.understanding.verbs import Verb

HISTORY = 30  # events that a history shows; more would not be read


def tasks(context: Context, command: Command) -> Decision:
    """The open work of the own units; leaders and the office see all, or the unit they name."""
    known = {unit.id for plan in context.plans for unit in plan.units}
    if reads_all(context.sender):
        units = (command.unit,) if command.unit in known else ()
        return said(payloads.OpenTasks(units=units, every=not units))
    own = context.sender.units
    other = command.unit if command.unit not in own else ""
    mine = (command.unit,) if command.unit in own else own
    return said(payloads.OpenTasks(units=mine, every=False, asked=other))


def due(context: Context, command: Command) -> Decision:
    """Return the dates of the tasks named, else those that come; anybody may ask."""
    if command.targets:
        named = [pair for target in command.targets for pair in in_plans(context, target)]
        return said(_dates(context, named))
    everything = reads_all(context.sender) or command.everything
    return said(
        payloads.DueDates(units=() if everything else context.sender.units, every=everything)
    )


def task(context: Context, _command: Command, target: Target) -> Decision:
    """Return one task: who does it, by when, how far it is; to other units its dates alone."""
    found = in_plans(context, target)
    mine = [(plan, each) for plan, each in found if may_read(context.sender, each)]
    return said(payloads.TaskDetails(tasks=_named(mine)) if mine else _dates(context, found))


def _dates(context: Context, found: Sequence[tuple[Plan, Task]]) -> payloads.DueDates:
    """Return the dates of tasks; of other units' without who said what."""
    others = [(plan, each) for plan, each in found if not may_read(context.sender, each)]
    return payloads.DueDates(tasks=_named(found), others=_named(others))


def history(context: Context, _command: Command, target: Target) -> Decision:
    """Return who said what of it, when, and by which channel; the newest last."""
    named = in_plans(context, target)
    found = [(plan, each) for plan, each in named if may_read(context.sender, each)]
    if not found:
        raise refusal("history-closed", code=target.task)
    keys = {(plan.id, each.code) for plan, each in found}
    events = [e for e in context.events if e.key[:2] in keys and is_named(e.key, target)]
    return said(
        payloads.History(
            tasks=_named(found),
            events=tuple(events[-HISTORY:]),
            befores=tuple(_dues_before(context, events)[-HISTORY:]),
            more=max(0, len(events) - HISTORY),
        )
    )


def _dues_before(context: Context, events: Sequence[Event]) -> list[date | None]:
    """Return the date until then of each event that moves a date; None for all else."""
    keys = {event.key for event in events} & context.states.keys()
    states = {key: initial(context.states[key].occurrence) for key in keys}
    before: list[date | None] = []
    for event in events:
        was = states.get(event.key)
        if was:
            states[event.key] = apply(was, event)
        before.append(was.due if was and was.due != states[event.key].due else None)
    return before


def _named(found: Iterable[tuple[Plan, Task]]) -> tuple[tuple[str, str], ...]:
    return tuple((plan.id, task.code) for plan, task in found)


def help_text(context: Context, _command: Command) -> Decision:
    return said(payloads.Help(office=context.sender.office, leader=context.sender.only_reads))


def report(context: Context, command: Command) -> Decision:
    """Return a draft of the office's report: on the period named, else on the one in hand."""
    try:
        plan, period = find_report(context.plans, context.states, command.period, context.today)
    except ReportPeriodError as error:
        raise refusal("no-report", say=str(error)) from None
    return said(payloads.ReportDraft(plan=plan.id, period=period.id))


def unhandled(_context: Context, command: Command) -> Decision:
    """Return what the service does itself."""
    return said(payloads.Unhandled(verb=command.verb.value))


def digest(_context: Context, command: Command) -> Decision:
    """Return `/digest` and `/zalo`: a view of that name, made when it is sent."""
    return said(payloads.Zalo() if command.verb is Verb.ZALO else payloads.Digest())
