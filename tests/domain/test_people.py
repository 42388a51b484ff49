"""Absences, as the ledger's events announce and end them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.ledger import Event, EventKind, absence_key, absences, away_until

NOW = datetime(2024, 1, 30, 2, 12, tzinfo=UTC)

days = st.dates(date(2024, 1, 1), date(2024, 3, 31))


@given(st.lists(st.tuples(days, st.integers(0, 40), st.booleans()), max_size=8), days)
def test_a_person_is_away_on_the_days_of_an_absence(
    told: list[tuple[date, int, bool]], day: date
) -> None:
    """The last event of each first day counts; of several absences over a day, the longest."""
    events = [
        Event(
            at=NOW + timedelta(minutes=n),
            kind=EventKind.BACK if over else EventKind.AWAY,
            key=absence_key("an", since),
            unit="tu-phap",
            until=since + timedelta(days=length),
        )
        for n, (since, length, over) in enumerate(told)
    ]
    last = {since: None if over else since + timedelta(days=n) for since, n, over in told}
    ends = [end for since, end in last.items() if end and since <= day <= end]
    assert away_until(absences(events), "an", day) == max(ends, default=None)
    assert away_until(absences(events), "dung", day) is None
