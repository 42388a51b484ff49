"""Working days in Vietnam, and the conversion between local time and UTC.

The working week is Monday to Friday. Yearly notices add days off and working Saturdays.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from reminder.domain.errors import CalendarError

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def local(at: datetime) -> datetime:
    """The aware datetime `at` in local time."""
    if at.tzinfo is None:
        raise ValueError("a naive datetime has no time zone")
    return at.astimezone(ZONE)


@lru_cache(maxsize=1024)  # a tick asks for the same few times thousands of times
def local_day(at: datetime) -> date:
    """The day in the office at `at`."""
    return local(at).date()


def instant(day: date, clock: time) -> datetime:
    """The time in UTC at which it is `clock` on `day` in local time."""
    return datetime.combine(day, clock, ZONE).astimezone(UTC)


def days_between(first: date, last: date) -> list[date]:
    """The days from `first` to `last`, inclusive."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def monday_of(day: date) -> date:
    """The Monday of the week of `day`."""
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
        """`day` if it is a working day, otherwise the last one before it."""
        return self._at(bisect_right(self._working, self._covered(day)) - 1, day)

    def roll_forward(self, day: date) -> date:
        """`day` if it is a working day, otherwise the next one (Civil Code 2015, art. 148(5))."""
        return self._at(bisect_left(self._working, self._covered(day)), day)

    def after(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`; `count` starts at 1."""
        if count < 1:
            raise ValueError("count starts at 1")
        return self._at(bisect_right(self._working, self._covered(day)) + count - 1, day)

    def before(self, day: date) -> date:
        """The last working day before `day`."""
        return self.roll_back(day - timedelta(days=1))

    def count(self, after: date, until: date) -> int:
        """The number of working days after `after`, up to and including `until`."""
        first = bisect_right(self._working, self._covered(after))
        return max(0, bisect_right(self._working, self._covered(until)) - first)

    def between(self, first: date, last: date) -> list[date]:
        """The working days from `first` to `last`, inclusive."""
        return self._working[bisect_left(self._working, first) : bisect_right(self._working, last)]

    def days_off_after(self, day: date) -> tuple[date, date] | None:
        """The first and last of the days off right after the working day `day`, if any."""
        first, last = day + timedelta(days=1), self.after(day, 1) - timedelta(days=1)
        return (first, last) if first <= last else None

    def _at(self, index: int, day: date) -> date:
        if not 0 <= index < len(self._working):
            raise CalendarError(
                f"the working calendar ends before it can answer for {day:%d/%m/%Y}"
            )
        return self._working[index]
