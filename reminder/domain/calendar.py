"""Working days of a Vietnamese office, and the way from its local time to UTC and back.

The working week is Monday to Friday; the yearly notices take days off it and add working Saturdays.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from reminder.domain.errors import CalendarError

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def local(at: datetime) -> datetime:
    """The aware instant `at` on the office's clock."""
    if at.tzinfo is None:
        raise ValueError("a naive datetime names no instant")
    return at.astimezone(ZONE)


def instant(day: date, clock: time) -> datetime:
    """The instant, in UTC, at which the office's clock shows `clock` on `day`."""
    return datetime.combine(day, clock, ZONE).astimezone(UTC)


class WorkCalendar:
    """Which days of `first_year` to `last_year` are worked."""

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
        self.unconfirmed = frozenset(unconfirmed)  # years whose notice nobody has entered yet
        start = date(first_year, 1, 1).toordinal()
        end = date(last_year, 12, 31).toordinal()
        days = (date.fromordinal(n) for n in range(start, end + 1))
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
        """`day` if it is worked, else the last working day before it."""
        return self._at(bisect_right(self._working, self._covered(day)) - 1, day)

    def roll_forward(self, day: date) -> date:
        """`day` if it is worked, else the first working day after it (Civil Code 2015, 148(5))."""
        return self._at(bisect_left(self._working, self._covered(day)), day)

    def after(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`, which itself does not count; `count` from 1."""
        if count < 1:
            raise ValueError("count starts at 1")
        return self._at(bisect_right(self._working, self._covered(day)) + count - 1, day)

    def before(self, day: date) -> date:
        """The last working day before `day`."""
        return self.roll_back(day - timedelta(days=1))

    def count(self, after: date, until: date) -> int:
        """How many working days lie after `after`, up to and including `until`."""
        first = bisect_right(self._working, self._covered(after))
        return max(0, bisect_right(self._working, self._covered(until)) - first)

    def between(self, first: date, last: date) -> list[date]:
        """The working days from `first` to `last`, both included."""
        return self._working[bisect_left(self._working, first) : bisect_right(self._working, last)]

    def days_off_after(self, day: date) -> tuple[date, date] | None:
        """The run of days off that starts right after the worked `day`: its first and last day."""
        first, last = day + timedelta(days=1), self.after(day, 1) - timedelta(days=1)
        return (first, last) if first <= last else None

    def _at(self, index: int, day: date) -> date:
        if not 0 <= index < len(self._working):
            raise CalendarError(
                f"the working calendar ends before it can answer for {day:%d/%m/%Y}"
            )
        return self._working[index]
