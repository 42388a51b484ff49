"""Retries: quick at first, patient later, never quicker than the provider asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.outbox import Retries

NOW = datetime(2024, 1, 26, 1, tzinfo=UTC)


def test_waits_double_from_two_seconds_to_five_minutes() -> None:
    """A short outage costs seconds, a long one is not hammered at."""
    waits = [Retries().wait(failures).total_seconds() for failures in range(1, 11)]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_failure_that_never_happened_is_a_mistake() -> None:
    """Failures are counted from one."""
    with pytest.raises(ValueError, match="from 1"):
        Retries().wait(0)


def test_what_the_provider_asked_for_is_never_undercut() -> None:
    """retry_after wins where it is longer, and only there."""
    retries = Retries()
    assert retries.retry_at(1, NOW, asked=timedelta(seconds=40)) == NOW + timedelta(seconds=40)
    assert retries.retry_at(9, NOW, asked=timedelta(seconds=40)) == NOW + timedelta(minutes=5)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_patience_never_shrinks(one: int, other: int) -> None:
    """More failures never mean a shorter wait, whatever their number."""
    retries = Retries(first=timedelta(days=1), longest=timedelta(days=400))
    assert (retries.wait(one) <= retries.wait(other)) or one > other
