"""Who said what of a task, when, and by which channel."""

from __future__ import annotations

from collections.abc import Callable

from reminder.channels.context import Context, evidence_words, title
from reminder.channels.views_kit import Data, day_of, known, listing
from reminder.channels.wording import channel_words, day_words, moment_words
from reminder.core.decide.packing import event_of
from reminder.core.ledger import Event, EventKind
from reminder.core.plan import Confirm
from reminder.ports import Outbound

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
    tasks = [t for p, code in data["tasks"] if (t := known(context, p, code))]
    if not tasks:
        return None
    events = [event_of(packed) for packed in data["events"]]
    head = f"Lịch sử {tasks[0].code} {tasks[0].title}"
    return listing(
        subject=f"Lịch sử {tasks[0].code}",
        head=f"{head}:" if events else f"{head}: chưa ai báo gì.",
        rows=[
            ("row", "", _line(context, event, before), "")
            for event, before in zip(events, data["befores"], strict=True)
        ],
        lines=[f"và {data['more']} dòng cũ hơn"] if data["more"] else [],
    )


def _line(context: Context, event: Event, before: str) -> str:
    """“09:12 Thứ Ba 30/01, Nguyễn Thị An qua Telegram: báo xong, số 12/QĐ-UBND”."""
    who = context.person(event) if event.by else "máy"
    channel = channel_words(event.channel)
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


HISTORY: dict[str, Callable[[Context, Data], Outbound | None]] = {"history": _history}
