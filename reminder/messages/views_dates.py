"""Refusals about days, with a form that would be accepted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from reminder.domain.channels import Outbound
from reminder.domain.ledger import State
from reminder.domain.periods import vn_date
from reminder.messages.context import Context, handle
from reminder.messages.views_kit import Data, day_of, speak
from reminder.messages.wording import day_words, moment_words

Says = Callable[[Context, State, Data], Outbound]


def _later(context: Context, state: State) -> str:
    """A day that a request or a date might name: a few working days on, within the calendar."""
    calendar = context.scheduler.calendar
    after = max(state.due or context.today, context.today)
    last = date(context.plan(state).year, 12, 31)
    return vn_date(
        calendar.roll_back(last) if calendar.count(after, last) < 3 else calendar.after(after, 3)
    )


def rest_lines(context: Context, due: date) -> list[str]:
    """Of a due day that is not worked: until when the work is to be done, and when it is late."""
    calendar = context.scheduler.calendar
    if calendar.is_working(due):
        return []
    last = day_words(calendar.roll_back(due), context.today)
    rolled = day_words(calendar.roll_forward(due), context.today)
    written = day_words(due, context.today)
    return [f"{written} là ngày nghỉ: xong trước hết {last} là tốt; quá {rolled} mới là quá hạn."]


def _extend(context: Context, state: State) -> str:
    return f"gia hạn {handle(context, state)} {_later(context, state)} lý do"


def _set_due(context: Context, state: State) -> str:
    return f"/dathan {handle(context, state)} {_later(context, state)} lý do"


def _snooze_awaiting(context: Context, state: State, data: Data) -> Outbound:
    del data
    return speak(context, "", state, " chưa có hạn nên máy chưa nhắc; không cần hoãn.")


def _snooze_late(context: Context, state: State, data: Data) -> Outbound:
    del data
    end = f" {context.due(state)} nên không hoãn nhắc được. Cần thêm thời gian thì xin gia hạn."
    return speak(context, "Chưa ghi gì.", state, end, typed=[_extend(context, state)])


def _snooze_last_day(context: Context, state: State, data: Data) -> Outbound:
    del data
    end = f": {context.due(state)}, không còn ngày nào để hoãn. Cần thêm thời gian thì xin gia hạn."
    return speak(context, "Chưa ghi gì.", state, end, typed=[_extend(context, state)])


def _not_after_today(context: Context, state: State, data: Data) -> Outbound:
    head = data.head or "nhắc sau"
    end = f": ngày {day_of(context, data.day)} không còn ở phía trước."
    form = f"{head} {handle(context, state)} {_later(context, state)}"
    if head == "nhắc sau":
        form = f"nhắc sau {handle(context, state)} 3 ngày"
    return speak(context, "Chưa ghi gì.", state, end, typed=[form])


def _not_after_due(context: Context, state: State, data: Data) -> Outbound:
    due = context.due(state, ahead=False)
    end = f": ngày {day_of(context, data.day)} không sau hạn đang có ({due})."
    return speak(context, "Chưa ghi gì.", state, end, typed=[_extend(context, state)])


def _outside_year(context: Context, state: State, data: Data) -> Outbound:
    end = f": ngày {day_of(context, data.day)} nằm ngoài năm {data.year} của kế hoạch."
    form = f"{data.head} {handle(context, state)} 31/12/{data.year}"
    return speak(context, "Chưa ghi gì.", state, end, typed=[form])


def _before_open(context: Context, state: State, data: Data) -> Outbound:
    opens = day_of(context, state.occurrence.opens)
    end = f": ngày {day_of(context, data.day)} ở trước ngày việc này mở ({opens})."
    return speak(context, "Chưa ghi gì.", state, end)


def _extend_awaiting(context: Context, state: State, data: Data) -> Outbound:
    del data
    office = context.unit(context.plan(state).office)
    return speak(context, "", state, f" chưa có hạn nên chưa cần gia hạn; {office} sẽ đặt hạn.")


def _office_extends(context: Context, state: State, data: Data) -> Outbound:
    end = ": anh/chị tự đặt hạn được, không cần xin."
    tail = data.tail
    form = f"/dathan {handle(context, state)} {tail}" if tail else _set_due(context, state)
    return speak(context, "Chưa ghi gì.", state, end, typed=[form])


def _needs_date(context: Context, state: State, data: Data) -> Outbound:
    del data
    end = " chưa có hạn để tính ngày." if state.due is None else ": chưa rõ đến ngày nào."
    return speak(context, "Chưa ghi gì.", state, end, typed=[_set_due(context, state)])


def _not_assumed(context: Context, state: State, data: Data) -> Outbound:
    del data
    if state.closed:
        when = moment_words(state.closed.at, context.today)
        return speak(context, "Không ghi thêm.", state, f" đã xong lúc {when}.")
    if state.due is None:
        return speak(context, "", state, " chưa có hạn.", typed=[_set_due(context, state)])
    return speak(
        context, "Không ghi thêm.", state, f" không còn hạn dự kiến: {context.due(state)}."
    )


def _already_due(context: Context, state: State, data: Data) -> Outbound:
    del data
    return speak(context, "Không ghi thêm.", state, f" đã có {context.due(state)}.")


def _remind_awaiting(context: Context, state: State, data: Data) -> Outbound:
    del data
    end = " chưa có hạn nên chưa nhắc được. Xin đặt hạn trước."
    return speak(context, "", state, end, typed=[_set_due(context, state)])


OF_DATES: dict[str, Says] = {
    "snooze-awaiting": _snooze_awaiting,
    "snooze-late": _snooze_late,
    "snooze-last-day": _snooze_last_day,
    "not-after-today": _not_after_today,
    "not-after-due": _not_after_due,
    "outside-year": _outside_year,
    "before-open": _before_open,
    "extend-awaiting": _extend_awaiting,
    "office-extends": _office_extends,
    "needs-date": _needs_date,
    "not-assumed": _not_assumed,
    "already-due": _already_due,
    "remind-awaiting": _remind_awaiting,
}
