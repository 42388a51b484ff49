"""Work that waits for an event: the office names its day, and the due day is counted from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import pytest

from reminder.domain.context import Decision
from reminder.domain.ledger import State
from reminder.domain.plan import AfterEvent, Awaiting, EventUnit, Key, Plan
from reminder.domain.schedule import Scheduler
from tests.decisions.decide_kit import Room, answered, told_of
from tests.domain.test_schedule import speaks
from tests.understanding.commands_kit import PLAN


@cache
def plan(offset: int = 5, unit: EventUnit = EventUnit.WORKING_DAY) -> Plan:
    """The plan of 2024, in which 2g waits for a paper."""
    rule = Awaiting(AfterEvent(name="nhận văn bản", offset=offset, unit=unit))
    tasks = tuple(
        replace(task, deliverables=(replace(task.deliverables[0], rule=rule),))
        if task.code == "2g"
        else task
        for task in PLAN.tasks
    )
    return replace(PLAN, tasks=tasks)


def kinds(decision: Decision) -> list[str]:
    """The answer, and what others are told."""
    return told_of(decision)[1]


def state(room: Room) -> State:
    return room.context("binh", "2024-12-30").states[Key(PLAN.id, "2g", 1, "2024")]


@pytest.mark.parametrize(
    ("offset", "unit", "due"),
    [
        (5, EventUnit.WORKING_DAY, date(2024, 3, 8)),
        (0, EventUnit.WORKING_DAY, date(2024, 3, 1)),
        (-2, EventUnit.WORKING_DAY, date(2024, 2, 28)),
        (5, EventUnit.DAY, date(2024, 3, 6)),
        (-1, EventUnit.DAY, date(2024, 2, 29)),
        (1, EventUnit.MONTH, date(2024, 4, 1)),
        (24, EventUnit.HOUR, date(2024, 3, 2)),
        (4, EventUnit.HOUR, date(2024, 3, 1)),
    ],
)
def test_the_due_day_is_counted_from_the_day_that_the_office_names(
    offset: int, unit: EventUnit, due: date
) -> None:
    """In working days, days, months or hours; before it where the offset is negative."""
    room = Room(plan(offset, unit))
    made = room.say("binh", "2024-03-04", "/sukien 2g 01/3 nhận công văn 15/UBND")
    [named] = made.events
    assert (str(named.kind), named.happened, named.until) == ("event-named", date(2024, 3, 1), due)
    assert (named.note, state(room).due) == ("nhận công văn 15/UBND", due)
    assert kinds(made) == ["event-named", "event-named>tu-phap"]


def test_naming_it_again_moves_the_due_day_and_undoing_restores_it() -> None:
    """The newest naming counts; taken back, the one before; and the work awaits its date again."""
    room = Room(plan())
    room.say("binh", "2024-03-04 09:00", "/sukien 2g 01/3")
    moved = room.say("hoa", "2024-03-04 09:10", "sự kiện 2g ngày 04/3")
    assert (state(room).due, kinds(moved)[0]) == (date(2024, 3, 11), "event-named")
    again = room.say("hoa", "2024-03-04 09:11", "/sukien 2g 04/3")
    assert (again.events, kinds(again)) == ((), ["event-named"])
    undone = room.say("hoa", "2024-03-05 09:20", "hoàn tác 2g")
    assert kinds(undone) == ["undone", "event-withdrawn>tu-phap"]
    assert state(room).due == date(2024, 3, 8)
    room.say("binh", "2024-03-05 09:21", "hoàn tác 2g")
    assert (state(room).due, state(room).named) == (None, None)


def test_it_is_nudged_about_like_any_other_work(scheduler: Scheduler) -> None:
    """From its naming on: before the due day, on it, and when it is late."""
    room = Room(plan())
    room.say("binh", "2024-03-04 14:00", "/sukien 2g 01/3")
    assert [line for line in speaks(scheduler, plan(), room.events, "2g") if "/03 " in line][
        :7
    ] == [
        "05/03 tu-phap lead-3",
        "07/03 tu-phap lead-1",
        "08/03 tu-phap due",
        "11/03 tu-phap late-1",
        "11/03 van-phong late-1",
        "13/03 tu-phap late-3",
        "13/03 lanh-dao late-3",
    ]


def test_a_date_that_the_office_sets_stands_over_the_event() -> None:
    """It can't be undone as the event's any more; naming the event again moves it back."""
    room = Room(plan())
    room.say("binh", "2024-03-04 09:00", "/sukien 2g 01/3")
    room.say("binh", "2024-03-04 09:01", "/dathan 2g 20/3")
    assert state(room).due == date(2024, 3, 20)
    assert kinds(room.say("binh", "2024-03-04 09:02", "hoàn tác 2g")) == ["refused:nothing-to-undo"]
    room.say("binh", "2024-03-04 09:03", "/sukien 2g 01/3")
    assert state(room).due == date(2024, 3, 8)


@pytest.mark.parametrize(
    ("who", "text", "said"),
    [
        ("an", "/sukien 2g 01/3", "office-only"),
        ("chu", "/sukien 2g 01/3", "office-only"),
        ("binh", "/sukien 1c 01/3", "refused:no-event"),
        ("binh", "/sukien 2g 01/3/2023", "refused:event-outside"),
        ("binh", "/sukien 2g", "error"),
        ("binh", "/sukien 9z 01/3", "error"),
    ],
)
def test_what_is_refused_records_nothing(who: str, text: str, said: str) -> None:
    """Only the office names it, of work that waits for one, on a day within the plan."""
    room = Room(plan())
    made = room.say(who, "2024-03-04", text)
    assert (made.events, kinds(made)) == ((), [said])


def test_only_the_office_takes_it_back() -> None:
    """The unit that leads the work can't, and an unproved mail of the office neither."""
    room = Room(plan())
    room.say("binh", "2024-03-04 09:00", "/sukien 2g 01/3")
    made = room.say("an", "2024-03-04 09:01", "hoàn tác 2g")
    assert (made.events, kinds(made)) == ((), ["refused:undo-others"])
    for text in ("hoàn tác 2g", "/sukien 2g 02/3"):
        unproved = replace(room.context("binh", "2024-03-04 09:02"), proved=False)
        made = answered(text, unproved)
        assert (made.events, kinds(made)) == ((), ["needs-proof"])


def test_closed_work_is_not_dated() -> None:
    """What is done needs no date."""
    room = Room(plan())
    room.say("an", "2024-03-04 09:00", "xong 2g")
    made = room.say("binh", "2024-03-04 09:01", "/sukien 2g 01/3")
    assert (made.events, kinds(made)) == ((), ["already-done"])
