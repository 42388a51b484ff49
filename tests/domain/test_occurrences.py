"""Due rules → occurrences: the whole plan of 2024, and the laws of cycles."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.calendar import Cycle, Period, WorkCalendar, vn_date, vn_day, with_period
from reminder.domain.plan import (
    AfterEvent,
    Awaiting,
    Before,
    Deliverable,
    DueRule,
    EventUnit,
    Every,
    Kind,
    OnDay,
    OnDays,
    Plan,
    Recurrence,
    Task,
    Unit,
    Within,
    code_order,
    occurrences,
    place_words,
    recurrence_days,
)

# task, number of the deliverable, period → opens, due (month-day; “-”: awaiting), assumed
QUARTERS = (("Q1", "01-01", "03-10"), ("Q2", "04-01", "06-10"), ("Q3", "07-01", "09-10"))
CHECK_INS = "1a.1 1b.1 1đ.2 1e.1 2a.2 2b.2 2d.1 2đ.1 2e.1 2h.1 2i.1 2k.1 3.1 5b.1 6a.2"
MONTH_ENDS = "31 29 31 30 31 30 31 31 30 31 30 31"
ONCE = """
1c.1 01-01 01-31     1d.1 01-01 02-20    1d.2 01-01 03-01    1đ.1 01-01 -
2a.1 01-01 03-31     2b.1 01-01 03-31    2g.1 01-01 -        4a.1 01-01 12-31
4b.1 01-01 01-31*    5a.1 01-01 -        5c.1 01-01 03-31    6a.1 01-01 03-31
6b.1 10-01 12-31     BC.3 01-01 12-15*
"""

Row = tuple[str, int, str, str, str, bool]


def expected_rows() -> set[Row]:
    words = ONCE.split()
    rows: set[Row] = set()
    for name, opens, due in zip(words[::3], words[1::3], words[2::3], strict=True):
        task, number = name.split(".")
        rows.add((task, int(number), "2024", opens, due.rstrip("*"), due.endswith("*")))
    for name in CHECK_INS.split():
        task, number = name.split(".")
        for quarter, opens, due in (*QUARTERS, ("Q4", "10-01", "12-10")):
            rows.add((task, int(number), f"2024-{quarter}", opens, due, True))
    for month, day in enumerate(MONTH_ENDS.split(), start=1):
        rows.add(("2c", 1, f"2024-{month:02}", f"{month:02}-01", f"{month:02}-{day}", False))
    rows |= {
        ("BC", 1, "2024-Q1", "01-01", "03-15", True),
        ("BC", 1, "2024-Q3", "07-01", "09-15", True),
    }
    return rows | {("BC", 2, "2024-H1", "01-01", "06-15", True)}


def test_the_plan_of_2024_has_these_occurrences_and_no_other(plan2024: Plan) -> None:
    """Every task of the plan, with the days on which each part opens and is due."""
    rows = {
        (
            o.key.task,
            o.key.deliverable,
            o.key.period,
            f"{o.opens:%m-%d}",
            f"{o.due:%m-%d}" if o.due else "-",
            o.deliverable.assumed,
        )
        for o in occurrences(plan2024)
    }
    assert rows == expected_rows()


def test_who_leads_what(plan2024: Plan) -> None:
    """Lead units are those under “chủ trì”; “các bộ phận liên quan” adds nobody; 2c needs all."""
    assert {task.code: (" ".join(task.lead), task.confirm.value) for task in plan2024.tasks} == {
        **dict.fromkeys(["1a", "1c", "1đ", "1e", "2g", "2h"], ("tu-phap", "any")),
        **dict.fromkeys(
            ["1b", "2a", "2b", "2d", "2e", "2i", "2k", "3", "5a", "5b", "5c", "6b", "BC"],
            ("van-phong", "any"),
        ),
        "1d": ("tu-phap van-phong", "any"),
        "2c": ("van-phong tu-phap van-hoa-xa-hoi dia-chinh-xay-dung", "all"),
        "2đ": ("van-phong van-hoa-thong-tin", "any"),
        **dict.fromkeys(["4a", "4b"], ("tai-chinh-ke-toan", "any")),
        "6a": ("van-hoa-thong-tin", "any"),
    }
    assert len(plan2024.tasks) == 24 + 1
    assert max(len(task.title) for task in plan2024.tasks) <= 60


def a_plan(rule: DueRule) -> Plan:
    deliverable = Deliverable(number=1, name="x", product="x", phrase="x", rule=rule)
    task = Task(code="1a", title="x", section="1", lead=("u",), deliverables=(deliverable,))
    unit = Unit(id="u", name="U")
    return Plan(
        id="p",
        title="p",
        year=2024,
        office="u",
        leaders="u",
        units=(unit,),
        sections={},
        tasks=(task,),
    )


@given(st.sampled_from(Cycle), st.none() | st.integers(1, 31))
def test_a_cycle_tiles_the_year(cycle: Cycle, day: int | None) -> None:
    """The periods of a cycle cover the year without gap, and each is due within itself."""
    found = occurrences(a_plan(Every(cycle, day)))
    assert found[0].opens == date(2024, 1, 1)
    assert [o.period.last.toordinal() + 1 for o in found[:-1]] == [
        o.opens.toordinal() for o in found[1:]
    ]
    assert found[-1].period.last == date(2024, 12, 31)
    assert all(o.due and o.opens <= o.due <= o.period.last for o in found)


def test_a_raw_rule_gives_each_day_a_period_of_its_own() -> None:
    """Instances of an rrule open the day after the one before, and are named by their day."""
    found = occurrences(a_plan(Recurrence("FREQ=MONTHLY;BYDAY=2FR;UNTIL=20240401")))
    assert [(o.key.period, o.opens, o.due) for o in found] == [
        ("2024-01-12", date(2024, 1, 1), date(2024, 1, 12)),
        ("2024-02-09", date(2024, 1, 13), date(2024, 2, 9)),
        ("2024-03-08", date(2024, 2, 10), date(2024, 3, 8)),
    ]


DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))
EVERY = st.builds(
    Every, st.sampled_from(Cycle), st.none() | st.integers(1, 31), following=st.booleans()
)
RULES = (
    EVERY
    | st.builds(OnDay, DAYS)
    | st.lists(DAYS, min_size=1, max_size=5, unique=True).map(lambda d: OnDays(tuple(sorted(d))))
    | st.builds(Within, st.sampled_from(["2024", "2024-Q3", "2025-02"]).map(Period.parse))
    | st.builds(Recurrence, st.sampled_from(["FREQ=WEEKLY;COUNT=9", "FREQ=DAILY;UNTIL=20240301"]))
    | st.just(Awaiting())
)
TIMES = st.sampled_from(
    [
        {},
        {"last_year": 2024},
        {"last_year": 2027},
        {"span": (date(2024, 9, 5), date(2025, 5, 31))},
        {"span": (date(2024, 1, 15), date(2024, 11, 30))},
    ]
)


@given(RULES, TIMES, st.none() | st.sampled_from(Before))
def test_occurrences_lie_in_the_plans_years(
    rule: DueRule, time: dict[str, Any], before: Before | None
) -> None:
    """Of any rule and any years: in order, no key twice, each in a year of the plan's.

    A cycle's work is due in the plan's time, or its period ends there if it is due after that.
    """
    plan = replace(a_plan(rule), **time)
    deliverable = replace(plan.tasks[0].deliverables[0], before=before)
    plan = replace(plan, tasks=(replace(plan.tasks[0], deliverables=(deliverable,)),))
    found = occurrences(plan)
    assert len({o.key for o in found}) == len(found)
    assert [o.key for o in found] == [o.key for o in sorted(found, key=lambda o: o.due or date.max)]
    assert all(o.year in plan.years and (o.due is None or o.opens <= o.due) for o in found)
    if isinstance(rule, Every | Recurrence | Awaiting):
        shift = timedelta(days=before is Before.DAY_BEFORE)
        ends = [
            o.period.last if isinstance(rule, Every) and rule.following else o.due + shift
            for o in found
            if o.due
        ]
        assert all(plan.first_day <= end <= plan.last_day for end in ends)


@given(EVERY, st.integers(2024, 2030))
def test_each_year_of_a_plan_is_as_a_plan_of_that_year(rule: Every, last: int) -> None:
    """A plan of several years has the occurrences of as many plans of one year."""

    def rows(plan: Plan) -> list[tuple[str, date, date | None, Period]]:
        return [(o.key.period, o.opens, o.due, o.year) for o in occurrences(plan)]

    alone = [replace(a_plan(rule), year=year) for year in range(2024, last + 1)]
    assert rows(replace(a_plan(rule), last_year=last)) == [r for plan in alone for r in rows(plan)]


@pytest.mark.parametrize(
    ("offset", "unit", "due", "words"),
    [
        (5, "working-day", "2024-02-20", "trong 05 ngày làm việc kể từ khi nhận"),
        (0, "working-day", "2024-02-06", "ngay khi nhận"),
        (-2, "working-day", "2024-02-02", "chậm nhất 02 ngày làm việc trước khi nhận"),
        (5, "day", "2024-02-11", "trong 05 ngày kể từ khi nhận"),
        (1, "month", "2024-03-06", "trong 01 tháng kể từ khi nhận"),
        (48, "hour", "2024-02-08", "trong 48 giờ kể từ khi nhận"),
        (2, "hour", "2024-02-06", "trong 02 giờ kể từ khi nhận"),
    ],
)
def test_a_day_after_an_event_is_counted_from_it(
    offset: int, unit: str, due: str, words: str, calendar2024: WorkCalendar
) -> None:
    """From Tuesday 6/2/2024, before Tết: working days skip it, other units do not."""
    event = AfterEvent(name="nhận", offset=offset, unit=EventUnit(unit))
    assert (f"{event.due(date(2024, 2, 6), calendar2024)}", event.words) == (due, words)


def test_a_month_after_an_event_ends_on_the_same_day_or_the_months_last() -> None:
    """One month after 31 January is 29 February; the name of the event may have its own word."""
    event = AfterEvent(name="ngày ban hành", offset=1, unit=EventUnit.MONTH)
    assert event.due(date(2024, 1, 31), WorkCalendar(2024, 2024)) == date(2024, 2, 29)
    assert event.words == "trong 01 tháng kể từ ngày ban hành"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("t:1 r:7", "bảng 1, dòng 7"),
        ("t:1 r:7..9", "bảng 1, dòng 7–9"),
        ("t:2 r:4 line:2", "bảng 2, dòng 4 (dòng thứ 2 trong ô)"),
        ("p:11..15", "đoạn 11–15"),
        ("p:11", "đoạn 11"),
        ("line:30", "dòng 30"),
        ("tr:3 dòng 7", "trang 3, dòng 7"),
        ("sdt", "khung nhập nội dung"),
        ("bảng 1, cột Thời gian", "bảng 1, cột Thời gian"),
    ],
)
def test_a_place_in_a_document_is_told_in_vietnamese(source: str, words: str) -> None:
    """What is no place of the known kinds is shown as it stands."""
    assert place_words(source) == words


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("FREQ=DAILY", "điểm dừng"),
        ("FREQ=DAILY;COUNT=1000000", "tối đa 400"),
        ("FREQ=SECONDLY;COUNT=10", "trong ngày"),
        ("FREQ=NEVER;COUNT=1", "RFC 5545"),
        ("", "điểm dừng"),
    ],
)
def test_a_rule_that_can_not_be_kept_is_refused(rule: str, why: str) -> None:
    """Endless, huge and unreadable rules are refused, without computing their days."""
    with pytest.raises(ValueError, match=why):
        recurrence_days(rule, (Period.parse("2024"),))


@pytest.mark.parametrize(
    ("period", "first", "last", "name"),
    [
        ("2024", "2024-01-01", "2024-12-31", "năm 2024"),
        ("2024-H1", "2024-01-01", "2024-06-30", "6 tháng đầu năm"),
        ("2024-H2", "2024-07-01", "2024-12-31", "6 tháng cuối năm"),
        ("2024-Q3", "2024-07-01", "2024-09-30", "quý III"),
        ("2024-02", "2024-02-01", "2024-02-29", "tháng 02"),
        ("2024-03-08", "2024-03-08", "2024-03-08", "ngày 08/3"),
    ],
)
def test_a_period_is_its_name(period: str, first: str, last: str, name: str) -> None:
    """An identifier says its first day, its last day and its Vietnamese name."""
    found = Period.parse(period)
    assert (f"{found.first}", f"{found.last}", found.name) == (first, last, name)


@pytest.mark.parametrize(
    ("title", "period", "joined"),
    [
        ("Kết quả cải cách", "quý I", "Kết quả cải cách quý I"),
        ("Báo cáo quý", "quý I", "Báo cáo quý I"),
        ("Báo cáo năm 2026", "năm 2026", "Báo cáo năm 2026"),
        ("Báo cáo Quý", "quý II năm 2026", "Báo cáo quý II năm 2026"),
        ("Kế hoạch năm 2026", "quý II năm 2026", "Kế hoạch quý II năm 2026"),
        ("Báo cáo năm", "6 tháng đầu năm", "Báo cáo 6 tháng đầu năm"),
        ("Báo cáo hằng tháng", "tháng 01", "Báo cáo hằng tháng tháng 01"),
        ("Kế hoạch năm 2027", "năm 2026", "Kế hoạch năm 2027 năm 2026"),
        ("quý", "quý I", "quý quý I"),
    ],
)
def test_a_title_does_not_repeat_its_period(title: str, period: str, joined: str) -> None:
    """Words that end the title and begin or end the period's name are written once."""
    assert with_period(title, period) == joined


@pytest.mark.parametrize("text", ["2024-13", "24", "2024-Q5", "2024-02-30", ""])
def test_what_names_no_period_is_refused(text: str) -> None:
    """Anything but a period's identifier is a ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011  date() and parse() word it differently
        Period.parse(text)


def test_days_are_written_as_official_papers_write_them() -> None:
    """A leading zero for days under 10 and for the months 1 and 2 only (NĐ 30/2020/NĐ-CP)."""
    days = [date(2024, 1, 31), date(2024, 2, 5), date(2024, 3, 1), date(2024, 12, 9)]
    assert [vn_date(d) for d in days] == ["31/01", "05/02", "01/3", "09/12"]
    assert vn_date(days[2], year=True) == "01/3/2024"
    assert vn_day(days[0]) == "Thứ Tư 31/01"


def test_a_deliverable_is_found_by_its_number(plan2024: Plan) -> None:
    """Numbers are those of the ledger; check-ins are no products."""
    task = plan2024.by_code["1đ"]
    assert (task.deliverable(2).kind, task.products, task.check_in) == (
        Kind.CHECK_IN,
        (task.deliverable(1),),
        task.deliverable(2),
    )
    with pytest.raises(KeyError):
        task.deliverable(3)


def test_codes_are_in_the_order_of_their_pieces() -> None:
    """1.2 before 1.10, 1đ before 1e and II before IX; words such as BC come last."""
    ordered = ["1", "1.1", "1.1.2", "1.2", "1.10", "1a", "1c", "1d", "1đ", "1e", "2", "2c", "10a"]
    ordered += ["II.3", "II.10", "IV.1", "V.1", "IX.2", "A.5", "BC"]
    mixed = [*ordered[::2], *ordered[1::2]]
    assert sorted(mixed, key=code_order) == ordered
