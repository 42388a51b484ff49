"""The wait between attempts to send a message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.outbox import Retries

NOW = datetime(2024, 1, 26, 1, tzinfo=UTC)


def test_waits_double_from_two_seconds_to_five_minutes() -> None:
    """The first waits are short, later ones double, none is longer than five minutes."""
    waits = [Retries().wait(failures).total_seconds() for failures in range(1, 11)]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_failures_are_counted_from_one() -> None:
    """A wait after no failure is refused."""
    with pytest.raises(ValueError, match="from 1"):
        Retries().wait(0)


def test_what_the_provider_asked_for_is_never_undercut() -> None:
    """The longer of the two waits holds: the provider's, or our own."""
    retries = Retries()
    assert retries.retry_at(1, NOW, asked=timedelta(seconds=40)) == NOW + timedelta(seconds=40)
    assert retries.retry_at(9, NOW, asked=timedelta(seconds=40)) == NOW + timedelta(minutes=5)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_waits_never_shrink(one: int, other: int) -> None:
    """A later failure never means a shorter wait."""
    retries = Retries(first=timedelta(days=1), longest=timedelta(days=400))
    assert (retries.wait(one) <= retries.wait(other)) or one > other
