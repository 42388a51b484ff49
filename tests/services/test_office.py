"""What the office knows is carried on, and is what a fresh start would know."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.services.office import Files, Office
from tests.conftest import examples
from tests.domain.test_schedule import random_events
from tests.services.world import PEOPLE, at, world


@settings(max_examples=examples(25), deadline=None)
@given(data=st.data())
def test_an_office_after_events_is_the_one_that_has_read_them(
    data: st.DataObject, plan2024: Plan, scheduler: Scheduler
) -> None:
    """In whatever portions they come."""
    events = data.draw(random_events(plan2024))
    parts = data.draw(st.lists(st.integers(0, len(events)), max_size=4))
    edges = [0, *sorted(parts), len(events)]
    office = Office(files=Files(plans=(plan2024,), people=(), scheduler=scheduler))
    fresh = replace(office, events=tuple(events))
    for start, end in pairwise(edges):
        office = office.after(events[start:end])
    assert office == fresh
    assert office.states == fresh.states
    assert {k: list(v) for k, v in office.by_key.items()} == fresh.by_key


def test_what_another_process_changes_is_known_at_the_next_step(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """An address that `reminder people` binds, moves or forgets; the marks of the store tell."""
    here = world(plan2024, scheduler, people=PEOPLE, bound=())
    who = PEOPLE[0].id
    seen = []
    for change in (
        lambda: here.store.bind(who, "telegram", "7", at("22/01", "07:00")),
        lambda: here.store.move_address("telegram", "7", "8"),
        lambda: here.store.mark_address_dead("telegram", "8", "", at("22/01", "07:00")),
        lambda: here.store.unbind(who, "telegram"),
    ):
        change()
        office = here.service.refresh()
        seen.append(
            [
                (a.value, a.dead_since is None)
                for a in office.addresses
                if a.recipient == who and a.channel == "telegram"
            ]
        )
    assert seen == [[("7", True)], [("8", True)], [("8", False)], []]
