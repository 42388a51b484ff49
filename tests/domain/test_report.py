"""The office's report: its period, its figures, and its entries."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.calendar import Period
from reminder.domain.ledger import EventKind, fold
from reminder.domain.plan import Plan, occurrences
from reminder.domain.report import (
    CLOSED,
    Entry,
    Report,
    ReportPeriodError,
    Status,
    data_span,
    draft_report,
    find_report,
    full_name,
    next_period,
    report_periods,
)
from reminder.domain.schedule import Scheduler, Stage
from tests.domain.reportstory import Q1, story
from tests.messages import office
from tests.messages.office import at, done, key, said

SCHEDULER = Scheduler(office.calendar())
PLAN = office.plan()
MARCH = date(2024, 3, 15)


def report(day: date = MARCH, period: str = Q1, plan: Plan = PLAN) -> Report:
    return draft_report(plan, story(), SCHEDULER, Period.parse(period), day)


def entry(code: str, number: int = 0, period: str = "", of: Report | None = None) -> Entry:
    """The one entry of this code; `number` counts the task's entries from 1."""
    found = [
        e
        for e in (of or report()).entries
        if e.code == code and period in ("", e.period.id if e.period else "2024")
    ]
    return found[number - 1] if number else found[0]


@pytest.mark.parametrize(
    ("period", "first", "last", "name"),
    [
        ("2024-Q1", date(2023, 12, 15), date(2024, 3, 14), "quý I năm 2024"),
        ("2024-H1", date(2023, 12, 15), date(2024, 6, 14), "6 tháng đầu năm 2024"),
        ("2024-Q3", date(2024, 6, 15), date(2024, 9, 14), "quý III năm 2024"),
        ("2024", date(2023, 12, 15), date(2024, 12, 14), "năm 2024"),
        ("2024-03", date(2024, 2, 15), date(2024, 3, 14), "tháng 03 năm 2024"),
    ],
)
def test_figures_run_as_the_decree_has_them(
    period: str, first: date, last: date, name: str
) -> None:
    """NĐ 09/2019/NĐ-CP: from the 15th of the month before to the 14th of the last month."""
    found = Period.parse(period)
    assert (*data_span(found), full_name(found)) == (first, last, name)


def test_four_reports_a_year_follow_one_another() -> None:
    """Quý I, 6 tháng, quý III, năm: no separate quý II or IV."""
    periods = report_periods(PLAN)
    assert [p.id for p in periods] == ["2024-Q1", "2024-H1", "2024-Q3", "2024"]
    assert [next_period(PLAN, p) for p in periods] == [*periods[1:], None]


@pytest.mark.parametrize(
    ("text", "day", "said"),
    [
        ("2024-q5", MARCH, "“2024-q5” không phải kỳ báo cáo"),
        ("２０２４", MARCH, "không phải kỳ báo cáo"),
        ("", MARCH, "không phải kỳ báo cáo"),
        ("2024-13", MARCH, "không phải kỳ báo cáo"),
        ("2024-Q2", MARCH, "không có báo cáo quý II năm 2024. Có các kỳ: 2024-Q1, 2024-H1"),
        ("2024-03", MARCH, "không có báo cáo tháng 03 năm 2024"),
        ("2025-Q1", MARCH, "Không có kế hoạch năm 2025 (các năm đang dùng: 2024)"),
        ("2024-Q3", date(2024, 6, 30), "chưa bắt đầu nên chưa có gì để báo cáo"),
        ("2024-Q1", date(2023, 12, 31), "mở từ Thứ Hai 01/01/2024"),
    ],
)
def test_what_cannot_be_reported_is_said(text: str, day: date, said: str) -> None:
    """No period, not one of the plan's, no plan, or not begun: each has its own sentence."""
    with pytest.raises(ReportPeriodError) as caught:
        find_report([PLAN], {}, text, day)
    assert said in str(caught.value)


def test_a_period_may_be_reported_from_its_first_day() -> None:
    """Typed in small letters too."""
    assert find_report([PLAN], {}, " 2024-q3 ", date(2024, 7, 1))[1].id == "2024-Q3"


@pytest.mark.parametrize(
    ("day", "handed_in", "expected"),
    [
        ("2024-01-02", "", "2024-Q1"),
        ("2024-03-15", "", "2024-Q1"),
        ("2024-03-30", "", "2024-Q1"),  # 15 days late: still the one to write
        ("2024-03-31", "", "2024-H1"),
        ("2024-03-15", "1 2024-Q1", "2024-H1"),
        ("2024-12-20", "", "2024"),
        ("2025-01-20", "", "2024"),
        ("2024-12-20", "3 2024", "2024"),
    ],
)
def test_without_a_period_it_is_the_one_in_hand(day: str, handed_in: str, expected: str) -> None:
    """The first that has begun, is open and not long overdue; otherwise the one due last."""
    events = []
    if handed_in:
        number, period = handed_in.split()
        events = [done(at(day, "07:00"), key("BC", int(number), period), "van-phong")]
    states = fold(occurrences(PLAN), events)
    assert find_report([PLAN], states, None, date.fromisoformat(day))[1].id == expected


def test_a_plan_of_several_years_reports_on_each() -> None:
    """Each year has its four reports; a school year those that end in it."""
    several = replace(PLAN, last_year=2025)
    assert find_report([several], {}, "2025-H1", date(2025, 2, 1)) == (
        several, Period.parse("2025-H1"),
    )  # fmt: skip
    silent = replace(PLAN, tasks=(), span=(date(2024, 9, 5), date(2025, 5, 31)))
    assert [p.id for p in report_periods(silent)] == ["2024-Q3", "2024", "2025-Q1"]
    with pytest.raises(ReportPeriodError, match="các năm đang dùng: 2024–2025"):
        find_report([silent], {}, "2027-Q1", MARCH)


def test_before_the_year_no_report_is_in_hand() -> None:
    """There is no report in hand, and that is an error."""
    with pytest.raises(ReportPeriodError, match="Chưa kỳ báo cáo nào bắt đầu"):
        find_report([PLAN], {}, None, date(2023, 12, 31))


def test_each_piece_of_work_stands_as_on_the_figures_last_day() -> None:
    """Done in time, late, extended; late; waiting for a signature; open; without a date."""
    found = {
        (e.code, e.product if not e.check_in else "cập nhật", e.period.id if e.period else ""): (
            e.status, e.days_late,
        )
        for e in report().entries
        if e.code in ("1c", "1d", "1đ", "2a", "2c", "4a", "4b", "5c")
    }  # fmt: skip
    assert found == {
        ("1c", "Quyết định công bố Danh mục", ""): (Status.DONE, 0),
        ("1d", "Báo cáo hệ thống hóa VBQPPL 2019–2023", ""): (Status.DONE, 0),
        ("1d", "Quyết định công bố kết quả hệ thống hóa VBQPPL", ""): (Status.LATE, 9),
        ("1đ", "Kế hoạch theo dõi thi hành pháp luật năm 2024", ""): (Status.AWAITING, 0),
        ("1đ", "cập nhật", Q1): (Status.LATE, 3),
        ("2a", "Các kế hoạch về kiểm soát TTHC", ""): (Status.OPEN, 0),
        ("2a", "cập nhật", Q1): (Status.LATE, 3),
        ("2c", "Kết quả đánh giá chất lượng giải quyết TTHC", "2024-01"): (Status.DONE, 0),
        ("2c", "Kết quả đánh giá chất lượng giải quyết TTHC", "2024-02"): (Status.LATE, 10),
        ("2c", "Kết quả đánh giá chất lượng giải quyết TTHC", "2024-03"): (Status.OPEN, 0),
        ("4a", "Báo cáo kết quả tự chủ tài chính", ""): (Status.OPEN, 0),
        ("4b", "Quyết định của UBND phường", ""): (Status.DONE_LATE, 3),
        ("5c", "Kế hoạch của Chủ tịch UBND phường", ""): (Status.SIGNING, 0),
    }


def test_the_words_of_the_units_come_along() -> None:
    """Paper numbers, late ones too; reasons; extensions; answers, and units without one."""
    assert entry("1c").evidence == "12/QĐ-UBND ngày 30/01"
    assert entry("2c", period="2024-01").evidence == "05/BC-UBND"
    (extension,) = entry("1d", 1).extensions
    assert (extension.unit, extension.was, extension.until, extension.why) == (
        "Tư pháp", date(2024, 2, 20), date(2024, 2, 26), "chờ số liệu HĐND",
    )  # fmt: skip
    late = entry("1d", 2)
    assert [(s.unit, s.on, s.text) for s in late.notes] == [
        ("Tư pháp", date(2024, 3, 5), "đang lấy ý kiến HĐND")
    ]
    assert late.closed_on == date(2024, 3, 15)
    assert [(s.unit, s.text) for s in entry("1a").answers] == [("Tư pháp", "thẩm định 03 văn bản")]
    assert entry("2c", period="2024-02").missing == ("Văn hóa - Xã hội", "Địa chính - Xây dựng")


def test_an_answer_after_the_figures_day_is_quoted_and_not_counted() -> None:
    """It is quoted with its day; the figures are those of the last day."""
    after = entry("1e")
    assert (after.status, [s.text for s in after.answers]) == (
        Status.LATE,
        ["tuyên truyền 02 buổi"],
    )
    assert report().count(*CLOSED, check_ins=True) == 2
    assert report(date(2024, 3, 14)).count(*CLOSED, check_ins=True) == 2
    assert entry("1e", of=report(date(2024, 3, 14))).answers == ()


def test_what_closed_after_the_figures_day_counts_with_the_next_report() -> None:
    """1d's decision of 15/3 is late in quý I and done in the half-year's report."""
    half = report(date(2024, 6, 17), "2024-H1")
    assert entry("1d", 2, of=half).status is Status.DONE_LATE
    third = report(date(2024, 9, 16), "2024-Q3")
    assert not [e for e in third.entries if e.code in ("1c", "1d")]


def test_the_draft_of_a_day_before_the_cut_off_ends_on_that_day() -> None:
    """On 20/02 the figures run to 20/02."""
    early = report(date(2024, 2, 20))
    assert (early.last, entry("1d", 1, of=early).status) == (date(2024, 2, 20), Status.OPEN)


def test_what_comes_is_late_or_due_before_the_next_cut_off() -> None:
    """Up to 14/6; done meanwhile is left out, and so is the report itself."""
    found = report()
    assert found.coming_until == date(2024, 6, 14)
    codes = [(e.code, e.period.id if e.period else "") for e in found.coming if not e.check_in]
    assert codes == [
        ("2c", "2024-02"), ("2a", ""), ("2b", ""), ("2c", "2024-03"), ("5c", ""), ("6a", ""),
        ("2c", "2024-04"), ("2c", "2024-05"),
    ]  # fmt: skip
    assert not any(e.code == "BC" for e in (*found.entries, *found.coming))


def test_a_report_handed_in_is_told_in_the_years_report() -> None:
    """The year's report counts those of the quarters among what was done, and not itself."""
    events = [done(at("2024-03-15"), key("BC", 1, Q1), "van-phong", evidence="40/BC-UBND")]
    year = draft_report(PLAN, events, SCHEDULER, Period.parse("2024"), date(2024, 12, 16))
    found = [(e.period.id, e.status) for e in year.entries if e.code == "BC" and e.period]
    assert found == [
        (Q1, Status.DONE), ("2024-Q3", Status.LATE), ("2024-H1", Status.LATE),
    ]  # fmt: skip


@given(day=st.integers(0, 400), period=st.sampled_from(["2024-Q1", "2024-H1", "2024-Q3", "2024"]))
def test_every_occurrence_of_the_period_is_counted_once(day: int, period: str) -> None:
    """The figures add up to the table's rows; nothing done is done after the figures' last day."""
    made = report(date(2024, 1, 1) + timedelta(days=day % 366), period)
    counted = sum(made.count(*Status, check_ins=kind) for kind in (True, False))
    assert counted == len(made.entries) == sum(len(made.of(s)) for s in PLAN.sections)
    for each in made.entries:
        if each.status in CLOSED:
            assert each.closed_on is not None
            assert made.first <= each.closed_on <= made.last


def test_the_last_call_for_a_report_is_the_last_stage_by_its_due_day() -> None:
    """15/3 itself; for Sunday 15/9 the Friday before; no other work has one."""
    states = fold(occurrences(PLAN), [])
    assert SCHEDULER.is_last_call(states[key("BC", 1, Q1)], Stage(0))
    assert not SCHEDULER.is_last_call(states[key("BC", 1, Q1)], Stage(-1))
    assert not SCHEDULER.is_last_call(states[key("BC", 1, Q1)], Stage(1))
    assert SCHEDULER.is_last_call(states[key("BC", 1, "2024-Q3")], Stage(0))
    assert not SCHEDULER.is_last_call(states[key("1c")], Stage(0))


def test_the_reason_of_open_work_is_that_of_who_is_late_and_of_today() -> None:
    """None from before a reopening, whose words are the office's; nor of a unit that is done."""
    shared, reopened = key("2c", period="2024-02"), key("1c")
    events = [
        said(EventKind.NOTED, at("2024-02-28"), shared, "tu-phap", by="an", note="chờ phiếu"),
        done(at("2024-02-29"), shared, "tu-phap"),
        said(EventKind.NOTED, at("2024-01-29"), reopened, "tu-phap", by="an", note="chờ ký"),
        done(at("2024-01-30"), reopened, "tu-phap"),
        said(
            EventKind.REOPENED, at("2024-02-02"), reopened, "tu-phap", by="binh",
            note="thiếu phụ lục",
        ),
    ]  # fmt: skip
    found = draft_report(PLAN, events, SCHEDULER, Period.parse(Q1), date(2024, 3, 14))
    notes = {e.code: [(n.unit, n.text) for n in e.notes] for e in found.entries if e.notes}
    assert notes == {"1c": [("Văn phòng", "thiếu phụ lục")]}
