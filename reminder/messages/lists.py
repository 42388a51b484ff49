"""Lists: open work, one task, dates, and who said what; the words are in templates/lists.j2."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from reminder.domain import payloads
from reminder.domain.ledger import Event, State
from reminder.domain.outbox import Outbound
from reminder.domain.plan import Confirm, Task
from reminder.messages.answers import begun
from reminder.messages.compose import message
from reminder.messages.context import (
    Context,
    Work,
    evidence_words,
    heard_words,
    signing_words,
    title,
    waiting_units,
)

SHOWN = 20  # tasks of a list
AHEAD = timedelta(days=31)  # how far “hạn sắp tới” looks
Row = tuple[str, str, str, str]  # kind of line, code, title, what stands behind the dash


def tasks(context: Context, p: payloads.OpenTasks) -> Outbound:
    live = _waiting(context, p)
    return message(
        "lists",
        p.view,
        c=context,
        p=p,
        count=len(live),
        late=sum(1 for s in live if context.scheduler.days_late(s, context.today)),
        rows=[_row(context, s, units=len(p.units) != 1) for s in live[:SHOWN]],
        more=max(0, len(live) - SHOWN),
    )


def due(context: Context, p: payloads.DueDates) -> Outbound | None:
    if p.tasks:
        rows = [row for plan, code in p.tasks for row in _dates(context, plan, code)]
        return message("lists", "due-of", rows=rows, more=0) if rows else None
    last = context.today + AHEAD
    live = [s for s in _waiting(context, p) if s.due and s.due <= last]
    rows = [_row(context, s, units=True) for s in live[:SHOWN]]
    return message("lists", p.view, rows=rows, more=max(0, len(live) - SHOWN))


def _waiting(context: Context, p: payloads.OpenTasks | payloads.DueDates) -> list[State]:
    """What is open and waits for the units, the earliest due first, undated last."""
    units = set(p.units)
    live = (s for s in begun(context) if not s.closed)
    mine = (s for s in live if p.every or units & set(waiting_units(s)))
    return sorted(mine, key=lambda s: (s.due or date.max, s.key.task))


def _row(context: Context, state: State, *, units: bool) -> Row:
    work = Work(context, state)
    late = context.scheduler.days_late(state, context.today)
    words = [context.units(waiting_units(state))] if units else []
    words += [work.due, *filter(None, [context.moved(state)])]
    words += [signing_words(context, state)] if state.submitted else []
    words += ["đang xin gia hạn"] if state.request else []
    return ("late" if late else "item", work.name, work.title_after_name, ", ".join(words))


def _dates(context: Context, plan: str, code: str) -> Iterator[Row]:
    """The dates of a task that are not past: who leads it, and whether it is done."""
    for state in _current(context, plan, code):
        work, lead = Work(context, state), context.units(state.occurrence.task.lead)
        yield ("item", work.code, work.title, f"{lead}, {_stands(context, state)}")


def _current(context: Context, plan: str, code: str) -> list[State]:
    """Of each deliverable what is open; else what closed last; else what opens next."""
    states = [s for k, s in context.states.items() if k[:2] == (plan, code)]
    kept: list[State] = []
    for number in dict.fromkeys(s.key.deliverable for s in states):
        mine = [s for s in states if s.key.deliverable == number]
        live = [s for s in mine if not s.closed and s.occurrence.opens <= context.today]
        closed = [s for s in mine if s.closed]
        coming = [s for s in mine if not s.closed and s not in live]
        kept += live or closed[-1:] or coming[:1]
    return kept


def _stands(context: Context, state: State) -> str:
    """How it stands: done by whom, or the date and who is waited for."""
    if state.closed:
        paper = f", {evidence_words(state.evidence)}" if state.evidence else ""
        by = context.person(state.closed)
        return f"đã xong {context.moment(state.closed.at)}{paper}, người báo: {by}"
    words = [context.due(state)]
    moved = context.moved(state, why=True)
    words += [moved] if moved else []
    words += [signing_words(context, state)] if state.submitted else []
    words += [f"còn chờ {context.units(state.open_units)}"] if state.parts else []
    if state.request and state.request.until:
        words.append(f"đang xin gia hạn đến {context.day(state.request.until)}")
    if state.occurrence.opens > context.today:
        words.append(f"mở từ {context.day(state.occurrence.opens)}")
    return ", ".join(words)


def task(context: Context, p: payloads.TaskDetails) -> Outbound | None:
    found = _known(context, p.tasks)
    if not found:
        return None
    rows = [row for plan, each in found for row in _about(context, plan, each)]
    codes = list(dict.fromkeys(each.code for _, each in found))
    return message("lists", p.view, rows=rows, more=0, codes=codes)


def _known(context: Context, tasks: Sequence[tuple[str, str]]) -> list[tuple[str, Task]]:
    """The tasks that the plans still have."""
    return [
        (plan, found)
        for plan, code in tasks
        if plan in context.plans and (found := context.plans[plan].by_code.get(code))
    ]


def _about(context: Context, plan: str, task: Task) -> Iterator[Row]:
    yield ("text", task.code, task.title, f"{context.units(task.lead)} chủ trì")
    for state in _current(context, plan, task.code)[:SHOWN]:
        product = state.occurrence.deliverable.product
        if state.occurrence.deliverable.recurs:
            product = f"{product}, {state.occurrence.period.name}"
        yield ("item", "", product, _stands(context, state))
        for note in state.notes[-1:]:
            yield ("row", "", f"Ghi chú: {note.note}", context.person(note))
        if heard := heard_words(context, state):
            yield ("row", "", f"Phản hồi gần nhất: {heard}", "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One event of a history."""

    event: Event
    before: date | None  # the due day that it moved
    of: str  # of which product or period, where there are several
    shared: bool  # whether each unit does its part


def history(context: Context, p: payloads.History) -> Outbound | None:
    found = _known(context, p.tasks)
    if not found:
        return None
    pairs = zip(p.events, p.befores, strict=True)
    lines = [_line(context, event, before) for event, before in pairs]
    return message("lists", p.view, c=context, p=p, task=found[0][1], lines=lines)


def _line(context: Context, event: Event, before: date | None) -> Line:
    state, of, shared = context.states.get(event.key), "", False
    if state is not None:
        occurrence = state.occurrence
        shared = occurrence.task.confirm is Confirm.ALL
        if len(occurrence.task.deliverables) > 1:
            of = title(state)
        elif occurrence.deliverable.recurs:
            of = occurrence.period.name
    return Line(event=event, before=before, of=of, shared=shared)


LISTS: Mapping[type[payloads.Payload], Callable[[Context, Any], Outbound | None]] = {
    payloads.OpenTasks: tasks,
    payloads.DueDates: due,
    payloads.TaskDetails: task,
    payloads.History: history,
}
