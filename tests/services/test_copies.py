"""Copies that are not made for days: the office hears of it once, and again after a new trouble."""

from __future__ import annotations

from datetime import datetime

import pytest

from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.store.records import BACKED_UP, BACKED_UP_AWAY
from tests.services.world import World, at, world


@pytest.fixture(scope="module")
def begun(plan2024: Plan, scheduler: Scheduler) -> World:
    made = world(plan2024, scheduler)
    made.tick(at("22/01", "07:00"))
    return made


@pytest.fixture
def office(begun: World) -> World:
    return begun.copy()


def heard(office: World, now: datetime, *marks: str) -> list[tuple[str, str]]:
    """Who heard of copies at this look, and the first line."""
    office.service.watch_copies(marks or (BACKED_UP,), now)
    return [(line.split()[1], line.split(": ", 1)[1]) for line in office.deliver(now)]


def test_three_days_without_a_copy_are_told_once(office: World) -> None:
    """Then nothing, until one was made and three days more have passed without another."""
    office.store.set_meta(BACKED_UP, at("22/01", "02:30").isoformat())
    overdue = "Đã ba ngày máy không sao lưu được dữ liệu. Bản sao cuối: 02:30 Thứ Hai 22/01."
    assert heard(office, at("25/01", "02:29")) == []
    assert heard(office, at("25/01", "02:30")) == []  # nobody is woken by it
    assert heard(office, at("25/01", "08:00")) == [("chi", overdue)]
    assert heard(office, at("26/01", "08:00")) == []
    office.store.set_meta(BACKED_UP, at("26/01", "03:00").isoformat())
    assert heard(office, at("26/01", "03:01")) == []
    again = overdue.replace("02:30 Thứ Hai 22/01", "03:00 Thứ Sáu 26/01")
    assert heard(office, at("29/01", "08:00")) == [("chi", again)]


def test_what_was_never_made_is_overdue_from_the_first_look_on(office: World) -> None:
    """The second disk that was never there, while the first copies are made each day."""
    both = (BACKED_UP, BACKED_UP_AWAY)
    for day in ("22/01", "23/01", "24/01", "25/01"):
        office.store.set_meta(BACKED_UP, at(day, "02:30").isoformat())
        told = heard(office, at(day, "08:00"), *both)
        assert bool(told) == (day == "25/01")
    assert told == [
        (
            "chi",
            "Đã ba ngày máy không sao lưu được dữ liệu sang ổ đĩa thứ hai. Chưa có bản nào.",
        )
    ]
