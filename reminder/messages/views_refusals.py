"""Why nothing was recorded, and what to type instead: one or two sentences each."""

from __future__ import annotations

from collections.abc import Callable

from reminder.domain import payloads
from reminder.domain.channels import Outbound
from reminder.domain.ledger import State
from reminder.messages.context import Context, handle
from reminder.messages.views_absence import OF_ABSENCE
from reminder.messages.views_dates import OF_DATES, Says
from reminder.messages.views_kit import Data, day_of, speak
from reminder.messages.wording import moment_words
from reminder.understanding import Verb
from reminder.understanding.names import NAMES
from reminder.understanding.say import typed as example


def _no_check_in(context: Context, state: State, data: Data) -> Outbound:
    name = handle(context, state)
    end = " là việc phải nộp sản phẩm, không có phần cập nhật. Ghi lại lời này, hoặc báo xong:"
    return speak(
        context,
        "Chưa ghi gì.",
        state,
        end,
        typed=[f"ghi chú {name}: {data.text}", f"xong {name}"],
    )


def _no_signature(context: Context, state: State, data: Data) -> Outbound:
    del data
    end = " là việc cập nhật, không có văn bản chờ ký. Xin nhắn mã việc rồi tình hình."
    return speak(context, "Chưa ghi gì.", state, end)


def _not_submitted(context: Context, state: State, data: Data) -> Outbound:
    del data
    return speak(context, "Chưa ghi gì.", state, " không có văn bản nào đang chờ ký.")


def _not_closed(context: Context, state: State, data: Data) -> Outbound:
    del data
    return speak(context, "Không ghi thêm.", state, f" đang để mở, {context.due(state)}.")


def _undo_late(context: Context, state: State, data: Data) -> Outbound:
    event = data.event
    office = context.unit(context.plan(state).office)
    when = moment_words(event.at, context.today)
    end = f" được ghi lúc {when}, đã quá 1 giờ nên không tự hoàn tác được. Nhờ {office} mở lại:"
    return speak(
        context, "Chưa ghi gì.", state, end, typed=[f"/molai {handle(context, state)} lý do"]
    )


def _undo_others(context: Context, state: State, data: Data) -> Outbound:
    event = data.event
    office = context.unit(context.plan(state).office)
    end = (
        f" do {context.unit(event.unit)} báo ({context.person(event)}, "
        f"{moment_words(event.at, context.today)}). Nhờ người báo, hoặc {office}, hoàn tác giúp."
    )
    return speak(context, "Chưa ghi gì.", state, end)


def _nothing_to_undo(context: Context, state: State, data: Data) -> Outbound:
    del data
    end = f" không có gì để hoàn tác ({context.due(state)})."
    return speak(context, "Chưa ghi gì.", state, end)


_OF_STATE: dict[str, Says] = {
    **OF_DATES,
    "no-check-in": _no_check_in,
    "no-signature": _no_signature,
    "not-submitted": _not_submitted,
    "not-closed": _not_closed,
    "undo-late": _undo_late,
    "undo-others": _undo_others,
    "nothing-to-undo": _nothing_to_undo,
}


def _plain(context: Context, data: Data) -> tuple[str, list[str]]:
    """The refusals that are about no occurrence: a sentence, and typed forms."""
    code = data.code
    if says := OF_ABSENCE.get(data.reason):
        return says(context, data), []
    match data.reason:
        case "no-such":
            return f"Kế hoạch không có phần hoặc kỳ ấy của {code} nên chưa ghi gì.", [
                f"việc {code}"
            ]
        case "needs-code":
            form = example(Verb(data.verb), "1c")
            return "Chưa rõ việc nào nên chưa ghi gì. Anh/chị nhắn kèm mã, ví dụ:", [form]
        case "needs-text":
            return "Chưa có nội dung nên chưa ghi gì.", [f"ghi chú {code} nội dung"]
        case "needs-reason":
            return "Cần một dòng lý do nên chưa ghi gì.", [f"/molai {code} lý do"]
        case "nothing-to-update":
            return "Không còn việc nào chờ cập nhật; không ghi thêm.", []
        case "nothing-assumed":
            return "Không còn hạn dự kiến nào; không ghi thêm.", []
        case "no-report":
            return data.say, []
        case "reads-all-only":
            name = NAMES[Verb(data.verb)][-1]
            sentence = f"Lệnh /{name} dành cho {context.office_name} và Lãnh đạo."
            return f"{sentence} Anh/chị muốn xem việc của bộ phận mình?", ["/viec"]
        case "history-closed":
            office = context.office_name
            return f"Lịch sử của {code} xem được ở bộ phận chủ trì và {office}.", [f"hạn {code}"]
    raise KeyError(data.reason)


def _refused(context: Context, data: Data) -> Outbound | None:
    says = _OF_STATE.get(data.reason)
    if says is None:
        sentence, forms = _plain(context, data)
        return speak(context, sentence, None, "", typed=forms)
    state = context.states.get(data.key)
    return says(context, state, data) if state else None


def _not_open(context: Context, data: Data) -> Outbound | None:
    """Only its own period, named, closes it before it opens."""
    state = context.states.get(data.key)
    if state is None:
        return None
    name, period = handle(context, state), state.occurrence.period.name
    form = f"xong {name}" if period in name else f"xong {name} {period}"
    opens = day_of(context, state.occurrence.opens)
    end = f" mở từ {opens}. Đã xong sớm thì xin nhắn rõ kỳ:"
    return speak(context, "Chưa ghi gì.", state, end, typed=[form])


_OFFICE_VERBS = {
    "reopen": "mở lại việc",
    "setdue": "đặt hạn",
    "confirm": "xác nhận hạn",
    "approve": "quyết việc xin gia hạn",
    "reject": "quyết việc xin gia hạn",
    "remind": "cho nhắc ngay",
    "report": "lấy dự thảo báo cáo",
    "away": "ghi ngày nghỉ của người khác",
}
_WAYS = {"reopen": "hoàn tác {}", "setdue": "gia hạn {} 15/3 kèm lý do"}


def _office_only(context: Context, data: Data) -> Outbound:
    code = next(iter(data.codes), "")
    way = _WAYS.get(data.verb, "") if code else ""
    sentence = f"Chưa ghi gì: chỉ {context.office_name} {_OFFICE_VERBS[data.verb]} được."
    return speak(context, sentence, None, "", typed=[way.format(code)] if way else [])


def _unhandled(context: Context, data: Data) -> Outbound | None:
    """What an earlier release could not do; None for what the service answers itself."""
    if not data.later:
        return None
    name = NAMES[Verb(data.verb)][-1]
    sentence = f"Lệnh /{name} chưa dùng được ở bản này, nên máy chưa ghi gì. Các lệnh có: /trogiup"
    return speak(context, sentence, None, "")


REFUSALS: dict[type[payloads.Payload], Callable[[Context, Data], Outbound | None]] = {
    payloads.Refused: _refused,
    payloads.NotOpenYet: _not_open,
    payloads.OfficeOnly: _office_only,
    payloads.Unhandled: _unhandled,
}
