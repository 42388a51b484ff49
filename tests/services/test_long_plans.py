"""Plans of several years, and of one that crosses into the next: answers, digests, silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time

import pytest

from reminder.domain.calendar import Period, instant
from reminder.domain.digest import digest
from reminder.domain.plan import AfterEvent, Awaiting, EventUnit, OnDays, Plan
from reminder.domain.report import draft_report
from reminder.domain.schedule import Scheduler
from tests.services.world import World, world


def on(day: str, clock: str = "09:00") -> datetime:
    return instant(date.fromisoformat(day), time.fromisoformat(clock))


def of_2c(plan: Plan, **more: object) -> Plan:
    """`plan` with its monthly task alone, which any unit may close."""
    task = plan.by_code["2c"]
    task = replace(task, lead=("tu-phap",), confirm=plan.by_code["1c"].confirm)
    return replace(plan, tasks=(task,), **more)  # type: ignore[arg-type]


@pytest.fixture
def two_years(plan2024: Plan, scheduler: Scheduler) -> World:
    """The work of 2024 and 2025, of which nothing was done in 2024."""
    return world(of_2c(plan2024, last_year=2025), scheduler)


@pytest.mark.parametrize(
    ("day", "text", "closed"),
    [
        ("2025-03-05", "xong 2c tháng 02", "2025-02"),
        ("2025-03-05", "xong 2c tháng 02/2025", "2025-02"),
        ("2025-03-05", "/done 2c 2025-02", "2025-02"),
        ("2025-01-20", "xong 2c tháng 12/2024", "2024-12"),
        ("2025-01-20", "xong 2c tháng 12", "2024-12"),
        ("2025-01-20", "xong 2c tháng trước", "2024-12"),
        ("2025-11-20", "xong 2c tháng 11", "2025-11"),
    ],
)
def test_a_period_is_named_across_the_years(
    day: str, text: str, closed: str, two_years: World
) -> None:
    """With its year, or without it: then the nearest of that name."""
    two_years.says("an", text, on(day))
    assert two_years.events() == [f"done 2c.1 {closed} tu-phap an"]


def test_periods_are_shown_with_their_year(two_years: World) -> None:
    """So that they can be typed back; nothing is asked of a year that has fallen silent."""
    two_years.says("an", "xong 2c", on("2025-03-05"))
    assert two_years.outgoing[-1].message.text.splitlines() == [
        "Chưa ghi gì. 2c còn 3 kỳ, anh/chị xong kỳ nào?",
        "• 2c tháng 01/2025 Kết quả đánh giá chất lượng phục vụ – hạn Thứ Sáu 31/01",
        "• 2c tháng 02/2025 Kết quả đánh giá chất lượng phục vụ – hạn Thứ Sáu 28/02",
        "• 2c tháng 03/2025 Kết quả đánh giá chất lượng phục vụ – hạn Thứ Hai 31/3",
        (
            "Xin nhắn: xong 2c tháng 01/2025 · xong 2c tháng 02/2025 · xong 2c tháng 03/2025 · "
            "xong 2c tất cả"
        ),
    ]


def test_a_digest_counts_the_years_that_speak(plan2024: Plan, scheduler: Scheduler) -> None:
    """In 2025 the figures and lists are those of the plan of 2025 alone."""
    plan = of_2c(plan2024, last_year=2025)
    alone = replace(of_2c(plan2024), year=2025)
    for day in ("2025-02-03", "2025-06-02", "2026-01-26"):
        at = on(day, "07:30")
        both, one = (digest([each], (), scheduler, at) for each in (plan, alone))
        assert (both.figures, both.before) == (one.figures, one.before)
        assert [s.key for s in both.late] == [s.key for s in one.late]
        assert [s.key for s in both.next_weeks] == [s.key for s in one.next_weeks]


def test_the_office_is_told_when_a_year_is_over(two_years: World) -> None:
    """Once, on the first tick after it has fallen silent; the whole plan at its end."""
    said = [
        line.partition(": ")[2]
        for day in ("2024-02-01", "2025-01-31", "2025-02-01", "2025-02-02", "2026-02-01")
        for line in two_years.tick(on(day))
        if "thôi nhắc" in line and "chi" in line.split()
    ]
    assert said == [
        (
            "Từ hôm nay máy thôi nhắc việc năm 2024 của Kế hoạch cải cách hành chính năm 2024. "
            "Sổ ghi vẫn được giữ."
        ),
        "Từ hôm nay máy thôi nhắc về Kế hoạch cải cách hành chính năm 2024. Sổ ghi vẫn được giữ.",
    ]


def test_work_after_an_event_is_spoken_of_into_the_next_year(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """An event at the end of the year: its due day in March is nudged, and late after it."""
    event = AfterEvent(name="nhận", offset=45, unit=EventUnit.WORKING_DAY)
    plan = of_2c(plan2024)
    (task,) = plan.tasks
    bound = replace(task.deliverables[0], rule=Awaiting(event))
    office = world(replace(plan, tasks=(replace(task, deliverables=(bound,)),)), scheduler)
    office.says("chi", "/sukien 2c 30/12/2024", on("2024-12-31"))
    due = event.due(date(2024, 12, 30), scheduler.calendar)
    assert f"{due}" == "2025-03-11"
    told = [day for day in ("2025-03-04", "2025-03-11", "2025-03-12") if office.tick(on(day))]
    assert told == ["2025-03-04", "2025-03-11", "2025-03-12"]


def test_what_is_shown_is_of_the_years_that_speak(two_years: World) -> None:
    """A task, the open work and the report of 2025 hold nothing that 2024 left open."""
    two_years.says("an", "/nhiemvu 2c", on("2025-03-05"))
    shown = two_years.outgoing[-1].message.text
    two_years.says("an", "/viec", on("2025-03-05"))
    shown += two_years.outgoing[-1].message.text
    assert "tháng 01/2025" in shown
    assert "/2024" not in shown
    office = two_years.service.office
    (plan,) = office.plans
    late = draft_report(plan, (), office.scheduler, Period.parse("2025-Q1"), date(2025, 3, 10))
    assert [e.period.id for e in late.entries if e.period] == ["2025-01", "2025-02", "2025-03"]


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("xong 2c quý I", "2024-Q1"),
        ("xong 2c quý IV", "2024-Q4"),
        ("xong 2c quý IV/2024", "2024-Q4"),
        ("/done 2c 2024-Q4", "2024-Q4"),
    ],
)
def test_a_period_due_next_year_is_closed_by_its_name(
    text: str, closed: str, plan2024: Plan, scheduler: Scheduler
) -> None:
    """Quý IV, due on 05/01 of the next year, is the plan's own; its day falls in the new year."""
    days = (date(2024, 4, 5), date(2025, 1, 5))
    rule = OnDays(days, ("2024-Q1", "2024-Q4"))
    plan = of_2c(plan2024)
    (task,) = plan.tasks
    task = replace(task, deliverables=(replace(task.deliverables[0], rule=rule),))
    office = world(replace(plan, tasks=(task,)), scheduler)
    office.says("an", text, on("2025-01-03"))
    assert office.events() == [f"done 2c.1 {closed} tu-phap an"]
