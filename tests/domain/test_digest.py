"""The digest of any week equals a second count of the ledger (digest_count)."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.domain.calendar import Period, instant
from reminder.domain.digest import Digest, Figures, digest, digest_day
from reminder.domain.ledger import Event, EventKind, State
from reminder.domain.plan import Key, Plan, occurrences
from reminder.domain.schedule import Scheduler
from tests.conftest import examples
from tests.domain import digest_count as hand
from tests.understanding.commands_kit import PLAN

LISTS = (
    "late", "this_week", "next_weeks", "done", "answered", "missing", "signing", "awaiting",
    "assumed", "requests",
)  # fmt: skip
SHARED = ("van-phong", "tu-phap", "van-hoa-xa-hoi", "dia-chinh-xay-dung")


def monday(text: str, clock: str = "07:30") -> datetime:
    return instant(date.fromisoformat(text), time.fromisoformat(clock))


def event(kind: EventKind, day: str, task: str, number: int, unit: str, **more: object) -> Event:
    period = str(more.pop("period", "2024"))
    at = monday(day, str(more.pop("clock", "09:00")))
    key = Key("cchc-2024", task, number, period)
    return Event(at=at, kind=kind, key=key, unit=unit, **more)  # type: ignore[arg-type]


def names(states: tuple[State, ...]) -> set[str]:
    return {f"{s.key.task}.{s.key.deliverable} {s.key.period}" for s in states}


def assert_counted(
    found: Digest, plan: Plan, events: list[Event], scheduler: Scheduler, since: str
) -> None:
    """`found` equals the second count; `since` is the day of the digest before."""
    works = scheduler.calendar.is_working
    before, now = monday(since), hand.sheet(plan, events, found.at)
    assert found.since == before
    assert asdict(found.figures) == hand.figures(now, found.day, works)
    assert found.before is not None
    last_week = hand.figures(hand.sheet(plan, events, before), hand.day_of(before), works)
    assert asdict(found.before) == last_week
    counted = {unit: n for unit, n in hand.by_unit(now, found.day, works).items() if any(n)}
    assert {u.unit: (u.done, u.open, u.late) for u in found.units} == counted
    listed = hand.lists(now, found.day, before, works)
    assert {name: names(getattr(found, name)) for name in LISTS} == listed


K = EventKind
YEAR = [
    *(event(K.DONE, "2024-01-31", "2c", 1, u, period="2024-01") for u in SHARED),
    event(K.DONE, "2024-02-01", "4b", 1, "tai-chinh-ke-toan"),
    event(K.DONE, "2024-02-05", "1c", 1, "tu-phap", clock="07:29"),
    event(K.DONE, "2024-02-05", "1d", 1, "tu-phap", clock="07:30"),
    event(K.UNDONE, "2024-02-05", "1d", 1, "tu-phap", clock="08:10"),
    event(K.DONE, "2024-02-20", "1d", 1, "van-phong"),
    event(K.EXTENSION_ASKED, "2024-02-27", "1d", 2, "tu-phap", until=date(2024, 3, 8)),
    event(K.EXTENSION_GRANTED, "2024-02-28", "1d", 2, "van-phong", until=date(2024, 3, 8)),
    *(event(K.DONE, "2024-02-29", "2c", 1, u, period="2024-02") for u in SHARED[:2]),
    event(K.DONE, "2024-03-08", "1d", 2, "tu-phap"),
    event(K.UPDATED, "2024-03-08", "1a", 1, "tu-phap", period="2024-Q1"),
    event(K.UPDATED, "2024-03-11", "2e", 1, "van-phong", period="2024-Q1"),
    event(K.UPDATED, "2024-03-12", "3", 1, "van-phong", period="2024-Q1"),
    event(K.SUBMITTED, "2024-03-13", "5c", 1, "van-phong"),
    event(K.EXTENSION_ASKED, "2024-03-14", "2b", 1, "van-phong", until=date(2024, 4, 5)),
    event(K.DONE, "2024-03-15", "BC", 1, "van-phong", period="2024-Q1"),
    event(K.DUE_SET, "2024-03-15", "5a", 1, "van-phong", until=date(2024, 9, 15)),
    event(K.DONE, "2024-04-01", "5c", 1, "van-phong"),
    event(K.DONE, "2024-04-02", "2a", 1, "van-phong"),
    event(K.REOPENED, "2024-04-03", "4b", 1, "van-phong"),
    event(K.CONFIRMED, "2024-04-04", "BC", 3, "van-phong"),
    event(K.DONE, "2024-04-05", "4b", 1, "tai-chinh-ke-toan"),
]


@pytest.mark.parametrize(
    ("day", "since", "figures"),
    [
        # in time: 2c of January; late: 4b by a day, 1c a minute before the digest
        ("2024-02-05", "2024-01-29", (1, 2, 29, 0, 0, 3)),
        ("2024-02-15", "2024-02-05", (1, 2, 29, 0, 0, 3)),  # the week of Tết begins on a Thursday
        ("2024-02-19", "2024-02-15", (1, 2, 29, 0, 0, 3)),
        # in time: 2c of January, both of 1d (one by its moved date), 1a, 2e on the rolled day, BC;
        # late: 1c, 4b, 3; open and late: 12 check-ins, and 2c of February, of which half is done
        ("2024-03-18", "2024-03-11", (6, 3, 24, 13, 1, 2)),
        # 31/3 is a Sunday: 5c on 01/4 is in time, 2a on 02/4 is not. 31 began on 01/01, then 2c of
        # three months and 15 check-ins: 49, less 11 closed. Late: 12 check-ins, 2c of two months,
        # 2b and 6a
        ("2024-04-08", "2024-04-01", (7, 4, 38, 16, 0, 2)),
    ],
)
def test_a_lively_year_in_five_weeks(
    plan2024: Plan, scheduler: Scheduler, day: str, since: str, figures: tuple[int, ...]
) -> None:
    """Figures counted by hand from the events above, and the rest by the second count."""
    found = digest([plan2024], YEAR, scheduler, monday(day))
    assert tuple(asdict(found.figures).values()) == figures
    assert_counted(found, plan2024, YEAR, scheduler, since)


ALL = occurrences(PLAN)
_KINDS = [k for k in EventKind if k is not EventKind.UNDONE]


@st.composite
def ledgers(draw: st.DrawFn) -> list[Event]:
    """A year of random events in order; only what is closed is undone."""
    drawn = draw(st.lists(st.tuples(
        st.integers(0, 390 * 24 * 60), st.sampled_from(ALL), st.sampled_from(_KINDS),
        st.integers(0, 3), st.integers(-20, 40),
    ), max_size=80))  # fmt: skip
    start = monday("2024-01-01", "00:00")
    events = []
    for minutes, occurrence, kind, who, days in sorted(drawn, key=lambda each: each[0]):
        at = start + timedelta(minutes=minutes)
        until = max(date(2024, 1, 1), hand.day_of(at) + timedelta(days=days))
        unit = occurrence.task.lead[who % len(occurrence.task.lead)]
        events.append(Event(at=at, kind=kind, key=occurrence.key, unit=unit, until=until))
    return events


@settings(max_examples=examples(40))
@given(events=ledgers(), week=st.integers(1, 55))
def test_any_week_of_any_ledger_is_as_counted(
    scheduler: Scheduler, events: list[Event], week: int
) -> None:
    """For any events and any week, each figure and list equals the second count."""
    day = digest_day(scheduler, date(2024, 1, 1) + timedelta(weeks=week))
    earlier = (digest_day(scheduler, date(2024, 1, 1) + timedelta(weeks=n)) for n in range(week))
    before = max(each for each in earlier if each)
    if day is None or day > date(2025, 1, 31):
        return
    found = digest([PLAN], events, scheduler, monday(day.isoformat()))
    assert_counted(found, PLAN, events, scheduler, before.isoformat())
    figures = found.figures
    closed = hand.sheet(PLAN, events, found.at)
    assert figures.in_time + figures.done_late == sum(line.closed is not None for line in closed)
    assert max(figures.late, figures.signing, figures.awaiting) <= figures.open


def test_the_first_week_has_nothing_to_compare_with(plan2024: Plan, scheduler: Scheduler) -> None:
    """01/01/2024 is a day off: the first digest is on Tuesday, and lists all that was done."""
    assert digest_day(scheduler, date(2024, 1, 3)) == date(2024, 1, 2)
    done = [event(K.DONE, "2024-01-01", "1c", 1, "tu-phap")]
    found = digest([plan2024], done, scheduler, monday("2024-01-02"))
    assert (found.since, found.before) == (None, None)
    assert names(found.done) == {"1c.1 2024"}
    assert found.figures == Figures(in_time=1, open=30, awaiting=3)


@pytest.mark.parametrize(("started", "compared"), [("2024-03-11", True), ("2024-03-12", False)])
def test_no_digest_before_the_first_start_is_compared_with(
    started: str, compared: bool, plan2024: Plan, scheduler: Scheduler
) -> None:
    """First started on Monday 11/3, it sent that day's digest; on the Tuesday, none before 18/3."""
    first = monday(started, "09:00")
    found = digest([plan2024], [], scheduler, monday("2024-03-18"), started=first)
    assert (found.since is not None, found.before is not None) == (compared, compared)


def test_asked_in_mid_week_it_compares_with_last_weeks(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """On a Wednesday the digest of the same week is not the one before."""
    found = digest([plan2024], YEAR, scheduler, monday("2024-03-13", "15:00"))
    assert (found.day, found.since) == (date(2024, 3, 13), monday("2024-03-04"))


def test_before_and_after_its_plan_there_is_nothing(plan2024: Plan, scheduler: Scheduler) -> None:
    """The last day of a plan is 31 January after its year."""
    found = [
        digest([plan2024], YEAR, scheduler, monday(day)).plans
        for day in ("2023-12-29", "2024-01-02", "2025-01-31", "2025-02-03")
    ]
    assert found == [(), (plan2024,), (plan2024,), ()]


def test_what_comes_is_told_of_next_years_plan_too(plan2024: Plan, scheduler: Scheduler) -> None:
    """On 30/12 work due on 10 January is listed; the figures are those of the running plan."""
    from reminder.domain.plan import OnDay

    task = plan2024.by_code["1c"]
    early = replace(task.deliverables[0], rule=OnDay(date(2025, 1, 10)))
    soon = replace(
        plan2024, id="cchc-2025", year=2025, tasks=(replace(task, deliverables=(early,)),)
    )
    at = monday("2024-12-30")
    alone, both = (digest(plans, [], scheduler, at) for plans in ([plan2024], [plan2024, soon]))
    assert names(both.next_weeks) - names(alone.next_weeks) == {"1c.1 2025"}
    assert (both.figures, both.before, both.plans) == (alone.figures, alone.before, (plan2024,))


def test_a_week_without_a_working_day_has_no_digest(scheduler: Scheduler) -> None:
    """Tết of 2025 takes Monday to Friday; working Saturdays count."""
    assert digest_day(scheduler, date(2025, 1, 29)) is None
    assert digest_day(scheduler, date(2024, 5, 3)) == date(2024, 5, 2)


def test_periods_run_to_their_last_day(plan2024: Plan, scheduler: Scheduler) -> None:
    """Check-ins of the first quarter are asked for until 31/3; then they are late work."""
    q1, q2 = Period.parse("2024-Q1"), Period.parse("2024-Q2")
    for day, period in (("2024-03-25", q1), ("2024-04-01", q2)):
        found = digest([plan2024], [], scheduler, monday(day))
        assert {s.occurrence.period for s in found.missing} == {period}
        assert len(found.missing) == 15
