"""Answers about requests for more time."""

from __future__ import annotations

from collections.abc import Callable

from reminder.domain import payloads
from reminder.domain.channels import Outbound
from reminder.domain.ledger import Event, EventKind, State
from reminder.messages.context import Context, handle
from reminder.messages.views_dates import rest_lines
from reminder.messages.views_kit import Data, day_of, of_event, speak
from reminder.messages.wording import day_words, moment_words

_ENDED = {
    EventKind.EXTENSION_GRANTED: "đã được đồng ý gia hạn",
    EventKind.EXTENSION_REFUSED: "đã bị từ chối gia hạn",
    EventKind.EXTENSION_WITHDRAWN: "đã được bộ phận rút việc xin gia hạn",
    EventKind.DUE_SET: "đã được đặt hạn mới",
    EventKind.DONE: "đã được báo xong",
    EventKind.UPDATED: "đã được cập nhật",
}


def _requested(context: Context, state: State, event: Event, data: Data) -> Outbound:
    assert event.until is not None
    office = context.unit(context.plan(state).office)
    until = day_words(event.until, context.today)
    instead = f", thay cho lần xin đến {day_of(context, data.before)}" if data.before else ""
    before = "Đã ghi từ trước: xin gia hạn" if data.again else f"Đã chuyển {office}: xin gia hạn"
    lines = [f"Máy vẫn nhắc như lịch cho đến khi {office} quyết ({context.due(state)})."]
    if data.nobody:
        before = "Đã ghi: xin gia hạn"
        lines = [
            f"{office} chưa có ai trong danh sách nên chưa có người quyết.",
            f"Máy vẫn nhắc như lịch ({context.due(state)}). Xin báo trực tiếp {office}.",
        ]
    lines += rest_lines(context, event.until)
    lines += [] if event.note else ["Chưa có lý do: xin nhắn lại kèm một dòng lý do."]
    return speak(
        context,
        before,
        state,
        f" đến {until}{instead}.",
        lines=lines,
        typed=[f"hoàn tác {handle(context, state)}"],
        ask="Muốn rút lại, xin nhắn",
    )


def _withdrawn(context: Context, state: State, event: Event, data: Data) -> Outbound:
    del data
    unit = context.unit(event.unit)
    return speak(context, f"{unit} đã rút việc xin gia hạn", state, ", không cần quyết nữa.")


def _no_request(context: Context, data: Data) -> Outbound | None:
    """What became of a request: decided by whom, withdrawn, or never made."""
    state = context.states.get(data.key)
    if state is None:
        return None
    if not data.event:
        return speak(
            context, "", state, f" không có ai đang xin gia hạn. {_sentence(context, state)}"
        )
    event = data.event
    when, who = moment_words(event.at, context.today), context.person(event)
    what = _ENDED.get(event.kind, "đã được quyết")
    end = f" {what} lúc {when}, người ghi: {who}. {_sentence(context, state)}"
    return speak(context, "Không ghi thêm.", state, end)


def _sentence(context: Context, state: State) -> str:
    if state.closed:
        return "Việc đã xong."
    words = context.due(state)
    return f"{words[0].upper()}{words[1:]}."


REQUESTS: dict[type[payloads.Payload], Callable[[Context, Data], Outbound | None]] = {
    payloads.ExtensionRequested: of_event(_requested),
    payloads.ExtensionWithdrawn: of_event(_withdrawn),
    payloads.NoRequest: _no_request,
}
