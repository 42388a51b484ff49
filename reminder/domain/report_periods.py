"""The periods on which the office reports, the days of their figures, and the report in hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from reminder.domain.errors import ReminderError
from reminder.domain.ledger import State
from reminder.domain.occurrences import Key, occurrences
from reminder.domain.periods import Period, vn_date, vn_day
from reminder.domain.plan import Kind, Plan
from reminder.domain.schedule import Scheduler, Stage

CUT_OFF_DAY = 14  # NĐ 09/2019/NĐ-CP: figures run from the 15th to the 14th
GRACE = timedelta(days=15)  # so long after its due day an open report is still the one in hand
_USUAL = ("Q1", "H1", "Q3", "")  # the yearly reports on administrative reform: 2024-Q1 … 2024


class ReportPeriodError(ReminderError):
    """No report can be drafted for what was asked; the text says why, in Vietnamese."""


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """A plan, and one of the periods on which it reports."""

    plan: Plan
    period: Period


def data_span(period: Period) -> tuple[date, date]:
    """The first and last day of the figures of a report on `period`.

    NĐ 09/2019/NĐ-CP has one rule for months, quarters, halves and years: from the 15th of the month
    before the period to the 14th of its last month. So quý I/2024 is 15/12/2023 to 14/3/2024.
    """
    before = period.first - timedelta(days=1)
    return before.replace(day=CUT_OFF_DAY + 1), period.last.replace(day=CUT_OFF_DAY)


def full_name(period: Period) -> str:
    """The period with its year: “quý I năm 2024”, “6 tháng đầu năm 2024”, “năm 2024”."""
    name = period.name
    if name.endswith(f"{period.year}"):
        return name
    return f"{name} {period.year}" if name.endswith("năm") else f"{name} năm {period.year}"


def report_periods(plan: Plan) -> list[Period]:
    """The periods on which `plan` reports, in the order in which they end.

    The periods of its own reports (BC), or the four usual ones if it has none.
    """
    own = {o.period.id for o in occurrences(plan) if o.deliverable.kind is Kind.REPORT}
    usual = {f"{plan.year}-{name}".rstrip("-") for name in _USUAL}
    periods = [Period.parse(identifier) for identifier in own or usual]
    return sorted(periods, key=lambda p: (p.last, p.last - p.first))


def next_period(plan: Plan, period: Period) -> Period | None:
    """The period of the report after the one on `period`; None after the year's last."""
    return next((p for p in report_periods(plan) if p.last > period.last), None)


def find_report(plans: Sequence[Plan], text: str, day: date) -> ReportTarget:
    """The report that `text` names: 2024-Q1, 2024-H1, 2024-Q3, 2024.

    ReportPeriodError if it names none, or a period that begins after `day`.
    """
    period = _parsed(text.strip(), plans)
    plan = next((p for p in plans if p.year == period.year), None)
    if plan is None:
        years = ", ".join(f"{p.year}" for p in plans) or "chưa có năm nào"
        raise ReportPeriodError(
            f"Không có kế hoạch năm {period.year} (các năm đang dùng: {years}) nên không lập được "
            f"báo cáo {full_name(period)}. Thêm tệp kế hoạch của năm ấy, xem docs/plan-format.md."
        )
    if period not in report_periods(plan):
        raise ReportPeriodError(
            f"Kế hoạch năm {plan.year} không có báo cáo {full_name(period)}. "
            f"Có các kỳ: {_listed([plan])}."
        )
    if day < period.first:
        raise ReportPeriodError(
            f"Kỳ {full_name(period)} chưa bắt đầu nên chưa có gì để báo cáo: kỳ này mở từ "
            f"{vn_day(period.first)}/{period.year}, mà số liệu mới đến "
            f"{vn_date(day, year=True)}."
        )
    return ReportTarget(plan, period)


def _parsed(text: str, plans: Sequence[Plan]) -> Period:
    try:
        if text.isascii():
            return Period.parse(text.upper())
    except ValueError:
        pass
    known = _listed(plans) or "2024-Q1, 2024-H1, 2024-Q3, 2024"
    raise ReportPeriodError(f"“{text[:40]}” không phải kỳ báo cáo. Có các kỳ: {known}.")


def _listed(plans: Sequence[Plan]) -> str:
    return ", ".join(period.id for plan in plans for period in report_periods(plan))


def current_report(plans: Sequence[Plan], states: Mapping[Key, State], day: date) -> ReportTarget:
    """The report that the office writes on `day`.

    The first that has begun, is not handed in, and was due at most GRACE ago; otherwise the one
    that was due last. ReportPeriodError if none has begun.
    """
    begun = sorted(
        (
            (_due(plan, period, states), plan.year, plan, period)
            for plan in plans
            for period in report_periods(plan)
            if period.first <= day
        ),
        key=lambda each: each[:2],
    )
    if not begun:
        raise ReportPeriodError(
            "Chưa kỳ báo cáo nào bắt đầu nên chưa có gì để báo cáo. "
            f"Có các kỳ: {_listed(plans) or 'chưa có kế hoạch nào'}."
        )
    waiting = [
        ReportTarget(plan, period)
        for due, _, plan, period in begun
        if due >= day - GRACE and not _handed_in(plan, period, states)
    ]
    past = [ReportTarget(plan, period) for due, _, plan, period in begun if due < day]
    return (waiting or past[-1:] or [ReportTarget(*begun[0][2:])])[0]


def _of(plan: Plan, period: Period, states: Mapping[Key, State]) -> list[State]:
    return [
        state
        for key, state in states.items()
        if key.plan == plan.id
        and key.period == period.id
        and state.occurrence.deliverable.kind is Kind.REPORT
    ]


def _due(plan: Plan, period: Period, states: Mapping[Key, State]) -> date:
    """The due day of the report; the day after the cut-off where the plan has no such report."""
    dues = [state.due for state in _of(plan, period, states) if state.due]
    return dues[0] if dues else data_span(period)[1] + timedelta(days=1)


def _handed_in(plan: Plan, period: Period, states: Mapping[Key, State]) -> bool:
    found = _of(plan, period, states)
    return bool(found) and all(state.closed for state in found)


def is_last_call(scheduler: Scheduler, state: State, stage: Stage) -> bool:
    """Whether `stage` is the last one by the due day of a report, which the draft goes with."""
    if state.occurrence.deliverable.kind is not Kind.REPORT or stage.again:
        return False
    asking = [each for each in scheduler.stages(state).values() if each.offset <= 0]
    return bool(asking) and stage == max(asking)
