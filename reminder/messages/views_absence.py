"""Who is away, until when, and who hears the reminders meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from reminder.domain import payloads
from reminder.domain.channels import Outbound
from reminder.messages.context import Context
from reminder.messages.views_kit import Data, day_of, speak
from reminder.messages.wording import day_words, listed

_NAMED = 4  # colleagues by name; of more only the unit's


def _away(context: Context, data: Data) -> Outbound:
    """To who is away, or to the office that wrote it down."""
    who = "anh/chị" if data.own else str(data.name)
    mark = "Đã ghi từ trước" if data.again else "Đã ghi"
    form = "/nghiphep hủy" if data.own else f"/nghiphep {data.person} hủy"
    return speak(
        context,
        f"{mark}: {who} {_stretch(context, data)}.",
        None,
        "",
        lines=_meanwhile(context, data),
        typed=[form],
        ask="Về sớm, hoặc không nghỉ nữa, xin nhắn",
    )


def _away_word(context: Context, data: Data) -> Outbound:
    """To the office, and to whom the office wrote down as away."""
    units = context.units([unit for unit, _ in data.others])
    of = f" ({units})" if units else ""
    return speak(
        context,
        f"{data.name}{of} {_stretch(context, data)}.",
        None,
        "",
        lines=_meanwhile(context, data),
    )


def _stretch(context: Context, data: Data) -> str:
    since, until = data.since, data.until
    if since == until:
        return f"nghỉ {day_words(since, context.today)}"
    return f"nghỉ từ {day_words(since, context.today)} đến hết {day_words(until, context.today)}"


def _meanwhile(context: Context, data: Data) -> list[str]:
    """Of each unit, to whom its reminders go."""
    return [
        f"Tin nhắc của {context.unit(unit)} gửi {_stand_ins(context, names)}."
        for unit, names in data.others
    ]


def _stand_ins(context: Context, names: list[str]) -> str:
    if not names:
        return f"{context.office_name}, vì bộ phận không còn ai khác"
    if len(names) > _NAMED:
        return f"{len(names)} người khác của bộ phận"
    return listed(names)


def _back(context: Context, data: Data) -> Outbound:
    who = "anh/chị" if data.own else str(data.name)
    return speak(context, f"Đã ghi: {who} không nghỉ nữa. Máy lại nhắc như lịch.", None, "")


def _back_word(context: Context, data: Data) -> Outbound:
    return speak(context, f"{data.name} không nghỉ nữa. Máy lại nhắc như lịch.", None, "")


def _past(context: Context, data: Data) -> str:
    return f"Ngày {day_of(context, data.until)} đã qua nên chưa ghi gì."


def _long(_context: Context, _data: Data) -> str:
    return "Nghỉ quá một năm thì máy không ghi: xin bỏ người ấy khỏi people.toml."


def _not_away(_context: Context, data: Data) -> str:
    who = "anh/chị" if data.own else data.who
    return f"Không có kỳ nghỉ nào của {who} đang chờ hay đang tính; không ghi thêm."


def _no_person(_context: Context, data: Data) -> str:
    known = ", ".join(data.known[:12])
    return f"Không có ai tên “{data.typed}” nên chưa ghi gì. Có các mã: {known}"


def _whose(context: Context, data: Data) -> str:
    return (
        f"Chưa ghi gì: danh sách không có ai tên “{data.typed}”, và chỉ {context.office_name} "
        f"ghi được ngày nghỉ của người khác. Anh/chị nghỉ thì nhắn: /nghiphep {data.days}"
    )


OF_ABSENCE: dict[str, Callable[[Context, Data], str]] = {
    "away-past": _past,
    "away-long": _long,
    "not-away": _not_away,
    "no-person": _no_person,
    "whose-absence": _whose,
}
ABSENCE: dict[type[payloads.Payload], Callable[[Context, Data], Outbound | None]] = {
    payloads.Away: _away,
    payloads.AwayWord: _away_word,
    payloads.Back: _back,
    payloads.BackWord: _back_word,
}
