"""Working days: the official calendars of 2023–2026; the laws of rolling and counting."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.calendar import WorkCalendar, instant, local
from reminder.domain.errors import CalendarError

# Weekday days off and working Saturdays, as the yearly notices on holidays name them.
OFFICIAL = {
    2023: (
        "01-02 01-20 01-23 01-24 01-25 01-26 05-01 05-02 05-03 09-01 09-04",
        "",
    ),
    2024: (
        "01-01 02-08 02-09 02-12 02-13 02-14 04-18 04-29 04-30 05-01 09-02 09-03",
        "05-04",
    ),
    2025: (
        "01-01 01-27 01-28 01-29 01-30 01-31 04-07 04-30 05-01 05-02 09-01 09-02",
        "04-26",
    ),
    2026: (
        "01-01 01-02 02-16 02-17 02-18 02-19 02-20 04-27 04-30 05-01 08-31 09-01 09-02",
        "01-10 08-22",
    ),
}


def days_of(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(n) for n in range(366) if (first + timedelta(n)).year == year]


@pytest.mark.parametrize("year", OFFICIAL)
def test_working_days_are_those_of_the_notices(year: int, calendar2024: WorkCalendar) -> None:
    """Monday to Friday without the official days off, and the working Saturdays."""
    off, saturdays = (
        {date.fromisoformat(f"{year}-{day}") for day in days.split()} for days in OFFICIAL[year]
    )
    expected = [d for d in days_of(year) if (d.weekday() < 5 and d not in off) or d in saturdays]
    assert [d for d in days_of(year) if calendar2024.is_working(d)] == expected


def random_calendar() -> st.SearchStrategy[WorkCalendar]:
    """A calendar of 2024 with random days off and extra working days."""
    day = st.dates(date(2024, 1, 1), date(2024, 12, 31))
    return st.builds(
        lambda off, worked: WorkCalendar(2023, 2025, off=off, worked=worked),
        st.frozensets(day, max_size=60),
        st.frozensets(day, max_size=20),
    )


@given(random_calendar(), st.dates(date(2024, 1, 1), date(2024, 12, 31)))
def test_rolling_ends_on_the_nearest_working_day(calendar: WorkCalendar, day: date) -> None:
    """roll_back and roll_forward end on a working day, and none lies between it and the day."""
    back, forward = calendar.roll_back(day), calendar.roll_forward(day)
    between = [back + timedelta(n) for n in range(1, (forward - back).days)]
    assert back <= day <= forward
    assert calendar.is_working(back)
    assert calendar.is_working(forward)
    assert [d for d in between if calendar.is_working(d)] == []


@given(random_calendar(), st.dates(date(2024, 1, 1), date(2024, 12, 31)), st.integers(1, 120))
def test_the_nth_working_day_after_is_n_working_days_away(
    calendar: WorkCalendar, day: date, count: int
) -> None:
    """`count` is the inverse of `after`; one more is one working day later."""
    reached = calendar.after(day, count)
    assert calendar.is_working(reached)
    assert calendar.count(day, reached) == count
    assert calendar.after(reached, 1) == calendar.after(day, count + 1)


def test_the_days_off_after_a_working_day(calendar2024: WorkCalendar) -> None:
    """After Wednesday 07/02/2024 the office is closed from Thursday 8/2 to Wednesday 14/2."""
    assert calendar2024.days_off_after(date(2024, 2, 7)) == (date(2024, 2, 8), date(2024, 2, 14))
    assert calendar2024.days_off_after(date(2024, 2, 5)) is None


def test_a_day_outside_the_calendar_is_refused(calendar2024: WorkCalendar) -> None:
    """A year outside the calendar is an error; its weekdays are not taken for working days."""
    with pytest.raises(CalendarError, match="01/01/2031"):
        calendar2024.is_working(date(2031, 1, 1))
    with pytest.raises(CalendarError, match="ends before"):
        WorkCalendar(2024, 2024).after(date(2024, 12, 30), 9)


_FIRST, _LAST = datetime(2023, 1, 1), datetime(2026, 12, 31)  # noqa: DTZ001  hypothesis adds zones


@given(st.datetimes(_FIRST, _LAST, timezones=st.just(UTC)))
def test_local_time_goes_to_utc_and_back(at: datetime) -> None:
    """Local time is seven hours ahead of UTC all year."""
    here = local(at)
    assert here.utcoffset() == timedelta(hours=7)
    assert instant(here.date(), here.time()) == at


def test_a_naive_time_is_refused() -> None:
    """A datetime without a time zone is refused."""
    with pytest.raises(ValueError, match="naive"):
        local(datetime(2024, 1, 1, 8))  # noqa: DTZ001  naive on purpose
    assert instant(date(2024, 1, 24), time(8)) == datetime(2024, 1, 24, 1, tzinfo=UTC)
