"""The Vietnamese calendar: local time, periods, how days are written, and working days.

Identifiers of periods are stored in the ledger: 2024, 2024-H1, 2024-Q1, 2024-01, and for an
instance of an RFC 5545 rule its day, 2024-05-13. The working week is Monday to Friday; yearly
notices add days off and working Saturdays.
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from reminder.domain.errors import CalendarError

_SHAPE = re.compile(r"(\d{4})(?:-(?:Q([1-4])|H([12])|(\d{2})(?:-(\d{2}))?))?")
_ROMAN = ("I", "II", "III", "IV")


class Cycle(StrEnum):
    """The cycles of recurring work; the values are those of `every` in the plan file."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half-year"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """A part of one calendar year, from `first` to `last` inclusive."""

    id: str
    first: date
    last: date

    @classmethod
    def parse(cls, text: str) -> Period:
        """Return the period that `text` names; raise ValueError if it names none."""
        match = _SHAPE.fullmatch(text)
        if match is None:
            raise ValueError(f"“{text}” is no period: write 2024, 2024-H1, 2024-Q1 or 2024-01")
        year = int(match[1])
        if match[5]:
            day = date(year, int(match[4]), int(match[5]))
            return cls(text, day, day)
        if match[4]:
            month, months = int(match[4]), 1
        elif match[2]:
            month, months = int(match[2]) * 3 - 2, 3
        elif match[3]:
            month, months = int(match[3]) * 6 - 5, 6
        else:
            month, months = 1, 12
        return cls(text, date(year, month, 1), last_of_month(year, month + months - 1))

    @classmethod
    def each(cls, cycle: Cycle, year: int) -> Iterator[Period]:
        """Yield the periods of `cycle` in `year`, in order."""
        names = {
            Cycle.MONTH: [f"-{month:02}" for month in range(1, 13)],
            Cycle.QUARTER: ["-Q1", "-Q2", "-Q3", "-Q4"],
            Cycle.HALF_YEAR: ["-H1", "-H2"],
            Cycle.YEAR: [""],
        }
        return (cls.parse(f"{year}{name}") for name in names[cycle])

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last

    @property
    def year(self) -> int:
        return self.first.year

    @property
    def name(self) -> str:
        """The period in Vietnamese, as officers say it: “tháng 01”, “quý I”, “năm 2024”."""
        match = _SHAPE.fullmatch(self.id)
        if match is None or match[5]:
            return f"ngày {vn_date(self.first)}"
        if match[4]:
            return f"tháng {match[4]}"
        if match[2]:
            return f"quý {_ROMAN[int(match[2]) - 1]}"
        if match[3]:
            return ("6 tháng đầu năm", "6 tháng cuối năm")[int(match[3]) - 1]
        return f"năm {match[1]}"

    @property
    def dated_name(self) -> str:
        """The period with its year: “tháng 01/2027”, “quý I/2027”, “năm 2026–2027”."""
        if self.first.year != self.last.year:
            return f"năm {self.first.year}–{self.last.year}"
        if len(self.id) == len("2024-05-13"):
            return f"ngày {vn_date(self.first, year=True)}"
        if self.name.endswith(f"{self.year}"):
            return self.name
        return f"{self.name}{' ' if self.name.endswith('năm') else '/'}{self.year}"


_EVERY = ("hằng", "hàng", "mỗi", "từng")  # “hằng tháng” is no beginning of “tháng 01”


def with_period(title: str, period: str) -> str:
    """Return `title` and the period's name, without a repetition between them.

    “Báo cáo quý” of “quý I” is “Báo cáo quý I”, “Báo cáo năm 2026” of “quý I năm 2026” is “Báo cáo
    quý I năm 2026”.
    """
    words, name = title.split(), period.split()
    folded, ends = [w.casefold() for w in words], [w.casefold() for w in name]
    for size in range(min(len(words) - 1, len(name)), 0, -1):
        rest, repeated = folded[:-size], folded[-size:]
        if repeated in (ends[:size], ends[-size:]) and rest[-1] not in _EVERY:
            return " ".join([*words[:-size], *name])
    return f"{title} {period}"


def last_of_month(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def in_month(last: date, day: int) -> date:
    """Return the `day` of the month that ends on `last`, or its last day."""
    return last.replace(day=min(day, last.day))


def vn_date(day: date, *, year: bool = False) -> str:
    """Return `day` as official papers write it: 31/01, 20/02, but 01/3.

    Days under 10 and the months 1 and 2 have a leading zero (NĐ 30/2020/NĐ-CP, appendix I).
    """
    month = f"{day.month:02}" if day.month <= 2 else str(day.month)
    text = f"{day.day:02}/{month}"
    return f"{text}/{day.year}" if year else text


def vn_weekday(day: date) -> str:
    """Return the weekday of `day` in Vietnamese: “Thứ Hai” … “Chủ Nhật”."""
    names = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật")
    return names[day.weekday()]


def vn_day(day: date) -> str:
    """Return `day` with its weekday, as every message writes it: “Thứ Tư 31/01”."""
    return f"{vn_weekday(day)} {vn_date(day)}"


ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def local(at: datetime) -> datetime:
    """Return the aware datetime `at` in local time."""
    if at.tzinfo is None:
        raise ValueError("a naive datetime has no time zone")
    return at.astimezone(ZONE)


@lru_cache(maxsize=1024)  # a tick asks for the same few times thousands of times
def local_day(at: datetime) -> date:
    """Return the day in the office at `at`."""
    return local(at).date()


def instant(day: date, clock: time) -> datetime:
    """Return the time in UTC at which it is `clock` on `day` in local time."""
    return datetime.combine(day, clock, ZONE).astimezone(UTC)


def days_between(first: date, last: date) -> list[date]:
    """Return the days from `first` to `last`, inclusive."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def monday_of(day: date) -> date:
    """Return the Monday of the week of `day`."""
    return day - timedelta(days=day.weekday())


class WorkCalendar:
    """The working days of `first_year` to `last_year`."""

    def __init__(
        self,
        first_year: int,
        last_year: int,
        *,
        off: Iterable[date] = (),
        worked: Iterable[date] = (),
        unconfirmed: Iterable[int] = (),
    ) -> None:
        """`off` are days off, `worked` extra working days; `worked` wins over both."""
        self.first_year, self.last_year = first_year, last_year
        self.off, self.worked = frozenset(off), frozenset(worked)
        self.unconfirmed = frozenset(unconfirmed)  # years whose notice has not been entered
        days = days_between(date(first_year, 1, 1), date(last_year, 12, 31))
        self._working = [day for day in days if self._is_worked(day)]

    def _is_worked(self, day: date) -> bool:
        return day in self.worked or (day.weekday() < 5 and day not in self.off)

    def _covered(self, day: date) -> date:
        if not self.first_year <= day.year <= self.last_year:
            raise CalendarError(
                f"no working calendar for {day:%d/%m/%Y}: "
                f"it covers the years {self.first_year} to {self.last_year}"
            )
        return day

    def is_working(self, day: date) -> bool:
        return self._is_worked(self._covered(day))

    def roll_back(self, day: date) -> date:
        """Return `day` if it is a working day, otherwise the last one before it."""
        return self._at(bisect_right(self._working, self._covered(day)) - 1, day)

    def roll_forward(self, day: date) -> date:
        """Return `day` if it is a working day, else the next one (Civil Code 2015, 148(5))."""
        return self._at(bisect_left(self._working, self._covered(day)), day)

    def after(self, day: date, count: int) -> date:
        """Return the `count`-th working day after `day`; `count` starts at 1."""
        if count < 1:
            raise ValueError("count starts at 1")
        return self._at(bisect_right(self._working, self._covered(day)) + count - 1, day)

    def before(self, day: date) -> date:
        """Return the last working day before `day`."""
        return self.roll_back(day - timedelta(days=1))

    def count(self, after: date, until: date) -> int:
        """Return the number of working days after `after`, up to and including `until`."""
        first = bisect_right(self._working, self._covered(after))
        return max(0, bisect_right(self._working, self._covered(until)) - first)

    def between(self, first: date, last: date) -> list[date]:
        """Return the working days from `first` to `last`, inclusive."""
        return self._working[bisect_left(self._working, first) : bisect_right(self._working, last)]

    def days_off_after(self, day: date) -> tuple[date, date] | None:
        """Return the first and last of the days off right after the working day `day`, if any."""
        first, last = day + timedelta(days=1), self.after(day, 1) - timedelta(days=1)
        return (first, last) if first <= last else None

    def _at(self, index: int, day: date) -> date:
        if not 0 <= index < len(self._working):
            raise CalendarError(
                f"the working calendar ends before it can answer for {day:%d/%m/%Y}"
            )
        return self._working[index]
