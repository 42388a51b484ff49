"""What was asked to be shown: open work, one task, dates, who said what, the report's draft.

The words are in templates/lists.j2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby, islice

from reminder.domain import payloads
from reminder.domain.calendar import Period
from reminder.domain.ledger import Event, State
from reminder.domain.outbox import Outbound
from reminder.domain.plan import Plan, Task, code_order
from reminder.domain.report import Report, draft_report
from reminder.messages.compose import message
from reminder.messages.context import Context, Work
from reminder.services.office import Office

SHOWN = 20  # tasks of a list
AHEAD = timedelta(days=31)  # how far “hạn sắp tới” looks
Attachment = tuple[str, str, bytes]


def tasks(context: Context, p: payloads.OpenTasks) -> Outbound:
    works = _waiting(context, p)
    late = sum(1 for work in works if work.days_late)
    return message(context, p, works=works, late=late, shown=SHOWN)


def due(context: Context, p: payloads.DueDates) -> Outbound | None:
    if p.tasks:
        works = [work for plan, code in p.tasks for work in _current(context, plan, code)]
        others = [work for work in works if work.state.key[:2] in p.others]
        return message(context, "due-of", works=works, others=others) if works else None
    last = context.today + AHEAD
    works = [w for w in _waiting(context, p) if w.state.due and w.state.due <= last]
    return message(context, p, works=works, shown=SHOWN)


def _waiting(context: Context, p: payloads.OpenTasks | payloads.DueDates) -> list[Work]:
    """Return what is open and waits for the units, the earliest due first, undated last."""
    units = set(p.units)
    live = (work for work in context.begun() if not work.state.closed)
    mine = (work for work in live if p.every or units & set(work.waiting))
    return sorted(mine, key=lambda work: (work.state.due or date.max, code_order(work.task.code)))


def _current(context: Context, plan: str, code: str) -> Iterator[Work]:
    """Of each deliverable what is open; else what closed last; else what opens next."""
    by_number: dict[int, list[State]] = {}
    for key, state in context.states.items():
        if key[:2] == (plan, code) and (state.closed or not context.is_past(state)):
            by_number.setdefault(key.deliverable, []).append(state)
    for mine in by_number.values():
        live = [s for s in mine if not s.closed and s.occurrence.opens <= context.today]
        closed = [s for s in mine if s.closed]
        coming = [s for s in mine if not s.closed and s not in live]
        yield from context.works(s.key for s in live or closed[-1:] or coming[:1])


def task(context: Context, p: payloads.TaskDetails) -> Outbound | None:
    found = _known(context, p.tasks)
    if not found:
        return None
    rows = [row for plan, each in found for row in _about(context, plan, each)]
    codes = list(dict.fromkeys(each.code for _, each in found))
    return message(context, p, rows=rows, codes=codes)


def _about(context: Context, plan: str, task: Task) -> Iterator[tuple[str, Task | Work | Event]]:
    """Yield what each line is of: the task, then its work with the latest note and answer."""
    yield "task", task
    if task.full_title:
        yield "full", task
    works = islice(_current(context, plan, task.code), SHOWN)
    for _, of_one in groupby(works, key=lambda work: work.state.key.deliverable):
        for work in of_one:
            yield "work", work
            if work.event and not work.state.closed:
                yield "awaited", work
            if work.state.named:
                yield "named", work
            for note in work.state.notes[-1:]:
                yield "note", note
            if work.heard:
                yield "heard", work
        if work.origin:
            yield "origin", work


def _known(context: Context, tasks: Sequence[tuple[str, str]]) -> list[tuple[str, Task]]:
    """Return the tasks that the plans still have."""
    return [
        (plan, found)
        for plan, code in tasks
        if plan in context.plans and (found := context.plans[plan].by_code.get(code))
    ]


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
    return message(context, p, task=found[0][1], lines=lines)


def _line(context: Context, event: Event, before: date | None) -> Line:
    work, of = context.work(event.key), ""
    if work and len(work.task.deliverables) > 1:
        of = work.title
    elif work and work.occurrence.deliverable.recurs:
        of = work.period
    return Line(event=event, before=before, of=of, shared=work is not None and work.shared)


def report(context: Context, p: payloads.ReportDraft) -> Outbound | None:
    """Return the draft as an answer; None where its plan is gone."""
    plan = context.plans.get(p.plan)
    if plan is None:
        return None
    from reminder.documents.report import summary

    report, file = drafted(context.office, plan, Period.parse(p.period), context.today)
    figures = list(summary(report))  # those of the paper itself, in its words
    links = context.open_links
    url = links.report(p.plan, p.period) if links else ""
    made = message(context, p, report=report, file=file[0], figures=figures, url=url)
    return replace(made, attachments=(file,)) if context.files == "attached" else made


def drafts(office: Office, reports: Iterable[State], today: date) -> tuple[Attachment, ...]:
    """Return the files of the reports' drafts."""
    return tuple(
        drafted(office, office.by_plan[state.key.plan], state.occurrence.period, today)[1]
        for state in reports
    )


def drafted(office: Office, plan: Plan, period: Period, today: date) -> tuple[Report, Attachment]:
    """Return the report as the ledger stands now, and its file."""
    # python-docx takes 0.2 s to load: a daemon that drafts nothing does without it.
    from reminder.documents.report import MEDIA_TYPE, docx, file_name

    report = draft_report(plan, office.events, office.scheduler, period, today)
    return report, (file_name(report), MEDIA_TYPE, docx(report, office.files.letterhead))
