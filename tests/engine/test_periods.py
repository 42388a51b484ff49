"""Periods: when they begin, and which are made up for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reminder.engine.port import Period


def period(every: float) -> Period:
    return Period(every=every, role="tick", key="")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "moment", "following"),
    [
        (60, "01-15T08:00:00", "01-15T08:01:00"),
        (60, "01-15T08:00:59.9", "01-15T08:01:00"),
        (2.5, "01-15T08:00:00", "01-15T08:00:02.5"),
    ],
)
def test_a_period_begins_at_the_same_moment_in_each_process(
    every: float, moment: str, following: str
) -> None:
    """Seconds are counted from the epoch; after the moment."""
    assert period(every).following(utc(moment)) == utc(following)


@pytest.mark.parametrize(
    ("every", "since", "now", "begun"),
    [
        (60, "01-15T08:00:00", "01-15T08:00:59", None),
        (60, "01-15T08:00:00", "01-15T08:01:00", "01-15T08:01:00"),
        (60, "01-15T08:00:00", "01-15T09:30:30", "01-15T09:30:00"),
    ],
)
def test_of_the_periods_missed_the_last_has_begun(
    every: float, since: str, now: str, begun: str | None
) -> None:
    """However many passed, one is made up for."""
    assert period(every).begun(utc(since), utc(now)) == (begun and utc(begun))


@pytest.mark.parametrize("every", [0, -1])
def test_what_is_no_period_is_refused(every: float) -> None:
    """A fault of the program shows when it is declared, not when it is due."""
    with pytest.raises(ValueError, match="period of"):
        period(every)


def test_a_period_of_seconds_has_begun_at_the_start() -> None:
    """Measured from long ago, the one under way counts."""
    now = utc("01-15T08:00:30")
    assert period(60).begun(now - timedelta(days=365), now) == utc("01-15T08:00:00")
