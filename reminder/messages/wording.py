"""Phrases of time that messages share, true on the day of sending."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta

from reminder.domain.calendar import WorkCalendar, local, local_day, vn_date, vn_day, vn_weekday

LONG_REST = 3  # days off in a row from which a message speaks of the holiday
LOOK_AHEAD = 7  # days before its start from which it does
_KINDS = {
    "nudge": "tin nhắc",
    "escalation": "báo quá hạn",
    "digest": "bản tổng hợp",
    "request": "tin xin gia hạn",
    "reply": "tin trả lời",
    "notice": "thông báo",
    "edit": "tin sửa",
}
HolidayName = Callable[[date, date], str]  # a run's first and last day → “Tết”; "" if it has none


def kind_words(kind: str) -> str:
    """“báo quá hạn” of an “escalation”: what kind of message a row of the outbox is."""
    return _KINDS.get(kind, kind)


def day_words(day: date, today: date) -> str:
    """“Thứ Tư 31/01”; with the year where it is not the reader's own."""
    if day.year == today.year:
        return vn_day(day)
    return f"{vn_weekday(day)} {vn_date(day, year=True)}"


def moment_words(at: datetime, today: date) -> str:
    """“09:12 Thứ Ba 30/01”, or “08:40 hôm nay”."""
    here = local(at)
    day = "hôm nay" if here.date() == today else day_words(here.date(), today)
    return f"{here:%H:%M} {day}"


def left_words(due: date, today: date, calendar: WorkCalendar) -> str:
    """“còn 5 ngày (3 ngày làm việc)”; the working days only where they differ."""
    days, working = (due - today).days, calendar.count(today, due)
    if days == working:
        return f"còn {days} ngày"
    return f"còn {days} ngày ({working} ngày làm việc)"


def due_words(due: date, today: date, calendar: WorkCalendar, name: str = "hạn") -> str:
    """How a due day stands on `today`; never “hôm nay là hạn” on any other day."""
    late = calendar.count(calendar.roll_forward(due), today)
    written = f"{name} {day_words(due, today)}"
    if late:
        return f"quá hạn {late} ngày làm việc ({written})"
    if due == today:
        return f"hôm nay là {name}"
    if due < today:  # a day off: it counts until the end of the working day after it
        last = calendar.roll_forward(due)
        until = "hôm nay" if last == today else day_words(last, today)
        return f"{written}, nhận đến hết {until}"
    if calendar.roll_back(due) == today:
        return f"hôm nay là ngày làm việc cuối cùng trước {written}"
    return f"{written}, {left_words(due, today, calendar)}"


def taken_words(due: date, today: date, calendar: WorkCalendar, name: str) -> str:
    """Until when an answer due on `due` counts: “hạn Chủ Nhật 10/3, nhận đến hết Thứ Hai 11/3”."""
    last = calendar.roll_forward(due)
    written = f"{name} {day_words(due, today)}"
    if late := calendar.count(last, today):
        return f"{written}, quá hạn {late} ngày làm việc"
    if last == today:
        return f"{written}, nhận đến hết hôm nay"
    return written if last == due else f"{written}, nhận đến hết {day_words(last, today)}"


def closed_words(at: datetime, due: date | None, today: date, calendar: WorkCalendar) -> str:
    """“lúc 09:12 Thứ Ba 30/01, trước hạn 1 ngày”."""
    day = local_day(at)
    when = f"lúc {moment_words(at, today)}"
    if due is None:
        return when
    if day < due:
        return f"{when}, trước hạn {(due - day).days} ngày"
    late = calendar.count(calendar.roll_forward(due), day)
    return f"{when}, quá hạn {late} ngày làm việc" if late else f"{when}, đúng hạn"


def coming_rest(today: date, calendar: WorkCalendar) -> tuple[date, date] | None:
    """The first and last day of a long rest that starts within a week after `today`."""
    day = calendar.roll_back(today)
    while day < today + timedelta(days=LOOK_AHEAD):
        rest = calendar.days_off_after(day)
        if rest and (rest[1] - rest[0]).days + 1 >= LONG_REST and rest[0] > today:
            return rest
        day = calendar.after(day, 1)
    return None


def rest_words(
    rest: tuple[date, date], dues: Iterable[date], calendar: WorkCalendar, name: str
) -> str:
    """“Nghỉ Tết từ Thứ Năm 08/02 đến hết Thứ Tư 14/02, sau Tết còn 4 ngày làm việc.”"""
    first, last = rest
    called = f" {name}" if name else ""
    sentence = f"Nghỉ{called} từ {vn_day(first)} đến hết {vn_day(last)}"
    after = {due for due in dues if due > last}
    if len(after) == 1:
        left = calendar.count(last, after.pop())
        sentence += f", sau {name or 'kỳ nghỉ'} còn {left} ngày làm việc"
    return f"{sentence}."


def together(names: Sequence[str]) -> str:
    """“tháng 01, 02” of “tháng 01” and “tháng 02”: what the names share is said once."""
    heads = {name.rpartition(" ")[0] for name in names}
    if len(names) > 1 and len(heads) == 1 and heads != {""}:
        head, _, first = names[0].rpartition(" ")
        return f"{head} " + ", ".join([first, *(n.rpartition(" ")[2] for n in names[1:])])
    return ", ".join(names)


def some(codes: Sequence[str], most: int = 12) -> list[str]:
    """The first of `codes`, and how many more there are."""
    left = len(codes) - most
    return [*codes[:most], f"và {left} việc nữa"] if left > 0 else list(codes)


def listed(names: Sequence[str]) -> str:
    """“Tư pháp và Văn phòng”; “A, B và C”."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} và {names[-1]}"
