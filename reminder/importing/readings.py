"""What a time phrase is read into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from reminder.domain.calendar import vn_date


class Kind(StrEnum):
    """What sort of time a phrase names."""

    DATE = "date"
    DATE_RANGE = "date_range"
    MONTH = "month"  # also 6 tháng đầu năm
    QUARTER = "quarter"
    YEAR = "year"
    PERIODIC = "periodic"
    ONGOING = "ongoing"  # standing work
    EVENT = "event-relative"
    EXTERNAL = "by-external-schedule"
    NONE = "none"  # no time, or a vague one


class Status(StrEnum):
    """How a plan may take a part over."""

    LITERAL = "literal"  # the text writes the day, or a cycle with its day
    PERIOD = "period"  # the text names a period, whose last day is due
    ASSUMED = "assumed"  # any day is a guess that has to be confirmed
    CHECK_IN = "check-in"  # standing work
    AWAITING = "awaiting"  # somebody else or an event decides


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One thing with one time."""

    kind: Kind
    status: Status
    due: tuple[date, ...] = ()  # the last permissible days; none where the text names none
    proposed: tuple[date, ...] = ()  # stand-in days where the text names none
    op: str = ""  # "by": the written day is included; "before": due is the day before it
    start: date | None = None
    until: date | None = None  # the last day of standing work
    open_end: bool = False  # “và các năm tiếp theo”
    every: str = ""  # daily, weekly, monthly, quarterly, half-yearly, yearly, unspecified
    times: int = 0  # in each period
    weekday: str = ""  # as RFC 5545 writes it: MO, 1MO
    label: str = ""  # the words that tie the part to one of the products
    event: str = ""
    offset: int | None = None  # negative before the event
    unit: str = ""  # of the offset: day, working-day, month, hour
    fuzzy: str = ""  # start-of-year, middle-of-month, …


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a phrase means."""

    parts: tuple[Part, ...]
    ask: bool = False  # a person has to confirm
    why: str = ""  # in Vietnamese
    mended: str = ""  # the words as they stand, where OCR spoilt a figure


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A time phrase inside a sentence, and its place there."""

    start: int
    end: int
    reading: Reading


_EVERY = {
    "daily": "hằng ngày",
    "weekly": "hằng tuần",
    "monthly": "hằng tháng",
    "quarterly": "hằng quý",
    "half-yearly": "6 tháng một lần",
    "yearly": "hằng năm",
    "unspecified": "định kỳ, chưa rõ kỳ nào",
}
OFFSETS = {"day": "ngày", "working-day": "ngày làm việc", "month": "tháng", "hour": "giờ"}
_MOST_DAYS = 4  # listed one by one


def in_words(part: Part) -> str:
    """Return what was understood, in Vietnamese."""
    if part.kind is Kind.EVENT:
        return _event_words(part)
    if part.kind is Kind.EXTERNAL:
        return "theo lịch của cơ quan khác: chờ ngày"
    words = [_EVERY[part.every]] if part.every else []
    if part.times:
        words.append(f"{part.times} lần mỗi kỳ")
    if part.kind is Kind.ONGOING:
        words.insert(0, "việc thường xuyên")
        if part.start:
            words.append(f"từ {vn_date(part.start, year=True)}")
        if part.until:
            words.append(f"đến {vn_date(part.until, year=True)}")
    elif part.due:
        words.append(_due_words(part))
    elif part.proposed:
        words.append(f"không ghi ngày; tạm lấy {_days(part.proposed)}")
    else:
        words.append("chưa có ngày")
    return ", ".join(words)


def _due_words(part: Part) -> str:
    if part.op == "before":
        return f"trước {_days([day + timedelta(days=1) for day in part.due])}"
    if part.start and len(part.due) == 1:
        return f"từ {vn_date(part.start, year=True)} đến {_days(part.due)}"
    return f"chậm nhất {_days(part.due)}"


def _days(days: Sequence[date]) -> str:
    if len(days) <= _MOST_DAYS:
        return ", ".join(vn_date(day, year=True) for day in days)
    listed = ", ".join(vn_date(day, year=True) for day in days[:2])
    return f"{listed}, …, {vn_date(days[-1], year=True)} ({len(days)} ngày)"


def _event_words(part: Part) -> str:
    event = f"“{part.event}”" if part.event else "một sự kiện chưa rõ"
    if part.offset is None:
        side = "trước" if part.op == "before" else "sau"
        return f"{side} {event}: chờ ngày của sự kiện"
    side = "trước" if part.offset < 0 else "kể từ"
    return f"{abs(part.offset)} {OFFSETS[part.unit]} {side} {event}: chờ ngày của sự kiện"
