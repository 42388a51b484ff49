"""Lists of tasks, one task, and its history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta

from reminder.domain import payloads
from reminder.domain.channels import Outbound
from reminder.domain.ledger import Event, EventKind, State
from reminder.domain.periods import vn_day
from reminder.domain.plan import Confirm, Task
from reminder.messages.context import (
    Context,
    evidence_words,
    heard_words,
    named,
    signing_words,
    title,
    waiting_units,
)
from reminder.messages.views_kit import Data, Row, day_of, known, listing, spoken_of
from reminder.messages.wording import day_words, moment_words

SHOWN = 20  # tasks of a list
AHEAD = timedelta(days=31)  # how far “hạn sắp tới” looks


def _open_states(context: Context, data: Data) -> list[State]:
    """What is open and waits for the units, the earliest due first, undated last."""
    units = set(data.units)
    live = [
        s for s in spoken_of(context) if not s.closed if data.every or units & set(waiting_units(s))
    ]
    return sorted(live, key=lambda s: (s.due or date.max, s.key.task))


def _row(context: Context, state: State, *, units: bool) -> Row:
    late = context.scheduler.days_late(state, context.today)
    words = [context.units(waiting_units(state))] if units else []
    words += [context.due(state), *filter(None, [context.moved(state)])]
    words += [signing_words(context, state)] if state.submitted else []
    words += ["đang xin gia hạn"] if state.request else []
    kind = "late" if late else "item"
    return (kind, *named(context, state), ", ".join(words))


def _tasks(context: Context, data: Data) -> Outbound:
    live = _open_states(context, data)
    late = sum(1 for s in live if context.scheduler.days_late(s, context.today))
    who = "các bộ phận" if data.every else context.units(data.units)
    more_late = f", {late} việc quá hạn" if late else ""
    summary = f"có {len(live)} việc đang mở{more_late}:" if live else "không còn việc nào đang mở."
    lines = []
    if data.asked:
        lines.append(
            "Anh/chị xem được việc của bộ phận mình; hạn của việc khác, nhắn: hạn và mã việc."
        )
    return listing(
        subject=f"Việc đang mở: {len(live)}",
        head=f"{vn_day(context.today)}, {who} {summary}",
        rows=[_row(context, s, units=len(data.units) != 1) for s in live[:SHOWN]],
        more=max(0, len(live) - SHOWN),
        lines=lines,
    )


def _due(context: Context, data: Data) -> Outbound | None:
    if data.tasks:
        rows = [row for pair in data.tasks for row in _dates(context, *pair)]
        if not rows:
            return None
        return listing(subject="Hạn", head="", rows=rows)
    last = context.today + AHEAD
    live = [s for s in _open_states(context, data) if s.due and s.due <= last]
    return listing(
        subject="Những hạn sắp tới",
        head="Những hạn trong 31 ngày tới:" if live else "31 ngày tới không có hạn nào.",
        rows=[_row(context, s, units=True) for s in live[:SHOWN]],
        more=max(0, len(live) - SHOWN),
    )


def _dates(context: Context, plan: str, code: str) -> list[Row]:
    """The dates of a task that are not past: who leads it, and whether it is done."""
    return [
        (
            "item",
            context.code(s),
            title(s),
            f"{context.units(s.occurrence.task.lead)}, {_stands(context, s)}",
        )
        for s in _current(context, plan, code)
    ]


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
        when = moment_words(state.closed.at, context.today)
        paper = f", {evidence_words(state.evidence)}" if state.evidence else ""
        return f"đã xong {when}{paper}, người báo: {context.person(state.closed)}"
    words = [context.due(state)]
    moved = context.moved(state, why=True)
    words += [moved] if moved else []
    words += [signing_words(context, state)] if state.submitted else []
    words += [f"còn chờ {context.units(state.open_units)}"] if state.parts else []
    if state.request and state.request.until:
        words.append(f"đang xin gia hạn đến {day_words(state.request.until, context.today)}")
    if state.occurrence.opens > context.today:
        words.append(f"mở từ {day_words(state.occurrence.opens, context.today)}")
    return ", ".join(words)


def _task(context: Context, data: Data) -> Outbound | None:
    tasks = [(p, t) for p, code in data.tasks if (t := known(context, p, code))]
    if not tasks:
        return None
    rows = [row for plan, task in tasks for row in _about(context, plan, task)]
    codes = list(dict.fromkeys(task.code for _, task in tasks))
    return listing(
        subject=f"Việc {', '.join(codes[:6])}",
        head="",
        rows=rows,
        typed=[f"lịch sử {code}" for code in codes[:3]],
        ask="Ai báo gì, khi nào, xin nhắn",
    )


def _about(context: Context, plan: str, task: Task) -> Iterable[Row]:
    yield ("text", task.code, task.title, f"{context.units(task.lead)} chủ trì")
    for state in _current(context, plan, task.code)[:SHOWN]:
        yield ("item", "", _product(state), _stands(context, state))
        for note in state.notes[-1:]:
            yield ("row", "", f"Ghi chú: {note.note}", context.person(note))
        if heard := heard_words(context, state):
            yield ("row", "", f"Phản hồi gần nhất: {heard}", "")


def _product(state: State) -> str:
    name = state.occurrence.deliverable.product
    if state.occurrence.deliverable.recurs:
        return f"{name}, {state.occurrence.period.name}"
    return name


LISTS: dict[type[payloads.Payload], Callable[[Context, Data], Outbound | None]] = {
    payloads.OpenTasks: _tasks,
    payloads.TaskDetails: _task,
    payloads.DueDates: _due,
}


_WHAT = {
    EventKind.DONE: "báo xong",
    EventKind.UPDATED: "cập nhật",
    EventKind.UNDONE: "hoàn tác",
    EventKind.REOPENED: "mở lại",
    EventKind.SUBMITTED: "đã trình ký",
    EventKind.RETURNED: "bị trả lại, không còn chờ ký",
    EventKind.SNOOZED: "hoãn nhắc đến",
    EventKind.EVIDENCE: "ghi văn bản",
    EventKind.NOTED: "ghi chú",
    EventKind.ANSWERED: "trả lời",
    EventKind.DUE_SET: "đặt hạn",
    EventKind.CONFIRMED: "xác nhận hạn dự kiến",
    EventKind.EXTENSION_ASKED: "xin gia hạn đến",
    EventKind.EXTENSION_GRANTED: "đồng ý gia hạn đến",
    EventKind.EXTENSION_REFUSED: "không đồng ý gia hạn",
    EventKind.EXTENSION_WITHDRAWN: "rút việc xin gia hạn",
    EventKind.HELD: "tạm chưa nhắc đến",
    EventKind.AWAY: "nghỉ đến hết",
    EventKind.BACK: "không nghỉ nữa",
}


def _history(context: Context, data: Data) -> Outbound | None:
    tasks = [t for p, code in data.tasks if (t := known(context, p, code))]
    if not tasks:
        return None
    events = data.events
    head = f"Lịch sử {tasks[0].code} {tasks[0].title}"
    return listing(
        subject=f"Lịch sử {tasks[0].code}",
        head=f"{head}:" if events else f"{head}: chưa ai báo gì.",
        rows=[
            ("row", "", _line(context, event, before), "")
            for event, before in zip(events, data.befores, strict=True)
        ],
        lines=[f"và {data.more} dòng cũ hơn"] if data.more else [],
    )


def _line(context: Context, event: Event, before: date | None) -> str:
    """“09:12 Thứ Ba 30/01, Nguyễn Thị An qua Telegram: báo xong, số 12/QĐ-UBND”."""
    who = context.person(event) if event.by else "máy"
    channel = context.channel(event.channel)
    state = context.states.get(event.key)
    of = f" {title(state)}" if state and len(state.occurrence.task.deliverables) > 1 else ""
    if state and not of and state.occurrence.deliverable.recurs:
        of = f" {state.occurrence.period.name}"
    moved = f" (trước là {day_of(context, before)})" if before else ""
    words = [f"{_WHAT[event.kind]}{_until(context, event)}{moved}{of}"]
    words += [evidence_words(event.evidence)] if event.evidence else []
    words += [event.note] if event.note else []
    through = f" qua {channel}" if channel else ""
    shared = state is not None and state.occurrence.task.confirm is Confirm.ALL
    part = f" (phần của {context.unit(event.unit)})" if shared else ""
    return f"{moment_words(event.at, context.today)}, {who}{part}{through}: {', '.join(words)}"


def _until(context: Context, event: Event) -> str:
    return f" {day_words(event.until, context.today)}" if event.until else ""


HISTORY: dict[type[payloads.Payload], Callable[[Context, Data], Outbound | None]] = {
    payloads.History: _history
}
