"""Periods: when they begin, and which are made up for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminder.engine.periods import Period

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def period(every: float | str) -> Period:
    return Period(every=every, role="tick", key="", zone=HANOI)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "moment", "following"),
    [
        (60, "01-15T08:00:00", "01-15T08:01:00"),
        (60, "01-15T08:00:59.9", "01-15T08:01:00"),
        (2.5, "01-15T08:00:00", "01-15T08:00:02.5"),
        ("50 7 * * *", "01-15T00:00:00", "01-15T00:50:00"),  # 07:50 of UTC+7
        ("50 7 * * *", "01-15T00:50:00", "01-16T00:50:00"),
        ("0 8 1 * *", "01-31T20:00:00", "02-01T01:00:00"),
    ],
)
def test_a_period_begins_at_the_same_moment_in_each_process(
    every: float | str, moment: str, following: str
) -> None:
    """Seconds are counted from the epoch, cron in the zone of the office; after the moment."""
    assert period(every).following(utc(moment)) == utc(following)


@pytest.mark.parametrize(
    ("every", "since", "now", "begun"),
    [
        (60, "01-15T08:00:00", "01-15T08:00:59", None),
        (60, "01-15T08:00:00", "01-15T08:01:00", "01-15T08:01:00"),
        (60, "01-15T08:00:00", "01-15T09:30:30", "01-15T09:30:00"),
        ("50 7 * * *", "01-15T00:00:00", "01-15T00:49:59", None),
        ("50 7 * * *", "01-15T00:00:00", "01-15T00:50:00", "01-15T00:50:00"),
        ("50 7 * * *", "01-15T00:50:00", "01-15T23:00:00", None),
        ("*/10 * * * *", "01-01T00:00:00", "01-15T08:05:00", "01-15T08:00:00"),
        ("50 7 * * *", "01-01T00:00:00", "01-15T00:00:00", "01-14T00:50:00"),
    ],
)
def test_of_the_periods_missed_the_last_has_begun(
    every: float | str, since: str, now: str, begun: str | None
) -> None:
    """However many passed, one is made up for."""
    assert period(every).begun(utc(since), utc(now)) == (begun and utc(begun))


@pytest.mark.parametrize("every", [0, -1, "every minute", "* * * *"])
def test_what_is_no_period_is_refused(every: float | str) -> None:
    """A fault of the program shows when it is declared, not when it is due."""
    with pytest.raises(ValueError, match=r"period of|fields|expression"):
        period(every)


def test_a_period_of_seconds_has_begun_at_the_start() -> None:
    """Measured from long ago, the one under way counts."""
    now = utc("01-15T08:00:30")
    assert period(60).begun(now - timedelta(days=365), now) == utc("01-15T08:00:00")
