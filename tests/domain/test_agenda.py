"""The agenda passes over what can't speak, and over nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.domain.catchup import StageIndex
from reminder.domain.ledger import by_key, fold
from reminder.domain.occurrences import occurrences
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from tests.domain.test_schedule import midnight, random_events


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_it_says_what_the_schedule_says(
    data: st.DataObject, plan2024: Plan, scheduler: Scheduler
) -> None:
    """Of any stretch, with all that had happened by its end, and of any of its plans."""
    other = replace(plan2024, id="other")
    index = StageIndex(scheduler, [plan2024, other])
    drawn = [replace(e, at=e.at - timedelta(days=30)) for e in data.draw(random_events(plan2024))]
    first = data.draw(st.dates(date(2024, 1, 1), date(2025, 1, 20)))
    window = midnight(first), midnight(first + timedelta(days=data.draw(st.integers(1, 20))))
    events = [e for e in drawn if e.at < window[1]]
    plans = data.draw(st.sampled_from([[plan2024], [other], [plan2024, other]]))
    states = fold((o for plan in index.plans for o in occurrences(plan)), events)
    said = index.messages(plans, by_key(events), states, *window)
    assert said == scheduler.messages(plans, by_key(events), *window)
