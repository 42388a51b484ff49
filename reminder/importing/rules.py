"""A part of a time phrase → the due rule of a `[[task.deliverable]]`.

The days that a rule comes to are those that the text writes; where no rule comes to just them, the
rule is a list of days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from reminder.domain.calendar import Cycle, Period, in_month, last_of_month
from reminder.domain.plan import recurrence_days
from reminder.importing.days import DAY, PlanYear
from reminder.importing.readings import Kind, Part, Status

_EVERY = {
    "monthly": Cycle.MONTH,
    "quarterly": Cycle.QUARTER,
    "half-yearly": Cycle.HALF_YEAR,
    "yearly": Cycle.YEAR,
}
CHECK_IN_DAY = 10  # of a quarter's last month: the office needs it for its own report


def rule(part: Part, plan: PlanYear) -> dict[str, Any]:
    """Return the keys of the due rule of `part` in a plan, flags included.

    A rule is firm only where the text writes the day or names the period.
    """
    match part.status:
        case Status.CHECK_IN:
            return _check_in(part, plan)
        case Status.AWAITING:
            return _awaiting(part)
        case Status.ASSUMED:
            days = part.due or part.proposed
            if not days:
                return _awaiting(part)
            found = _days(part, sorted(set(days)), plan)
            if part.times and "every" in found and "day" not in found:
                found["times"] = part.times
            return {**found, "assumed": True}
    before = part.op == "before"
    written = sorted({day + DAY if before else day for day in part.due})
    found = _days(part, written, plan)
    if before and "within" not in found:
        found["before"] = True
    return found


def _awaiting(part: Part) -> dict[str, Any]:
    found: dict[str, Any] = {"awaiting": True}
    if part.kind is Kind.EVENT and part.event:
        offset = part.offset if part.offset is not None else -1 if part.op == "before" else 0
        found["event"] = {"name": part.event, "offset": offset, "unit": part.unit or "day"}
    return found


def _check_in(part: Part, plan: PlanYear) -> dict[str, Any]:
    flags = {"kind": "check-in", "assumed": True}
    ends = [month for month in plan.months if month.month % 3 == 0]
    days = [end.replace(day=CHECK_IN_DAY) for end in ends]
    first, last = part.start or plan.first, part.until or plan.last
    within = [day for day in days if first <= day <= last]
    if plan.school or not within:
        return {"due": within or [min(last, plan.last)], **flags}
    found: dict[str, Any] = {"every": Cycle.QUARTER.value, "day": CHECK_IN_DAY}
    if within != days:
        found["only"] = [f"Q{day.month // 3}" for day in within]
    return {**found, **flags}


def _days(part: Part, days: Sequence[date], plan: PlanYear) -> dict[str, Any]:
    """Return the rule that comes to `days`, as near to the text as one does."""
    if not plan.school:
        if part.kind is Kind.PERIODIC and (found := _cycle(part, days, plan)):
            return found
        if part.status is Status.PERIOD and len(days) == 1 and part.op != "before":
            return _within(part, days[0], plan)
    if len(days) > 1:
        return {"due": list(days)}
    return {"due": days[0], **_from(part, days[0], plan)}


def _from(part: Part, due: date, plan: PlanYear) -> dict[str, Any]:
    """Return the first day of “từ 01/4 đến 15/5” as the key `from`."""
    opens = part.start is not None and plan.first < part.start <= due
    return {"from": part.start} if opens else {}


def _within(part: Part, due: date, plan: PlanYear) -> dict[str, Any]:
    """Return the rule of “quý II–III”: within Q3, open from 1 April."""
    for cycle in (Cycle.YEAR, Cycle.HALF_YEAR, Cycle.QUARTER, Cycle.MONTH):
        for period in Period.each(cycle, plan.year):
            if (period.first, period.last) == (part.start, due):
                return {"within": period.id.partition("-")[2] or "year"}
    if due.year == plan.year and due == last_of_month(due.year, due.month):
        if part.kind is Kind.QUARTER:
            return {"within": f"Q{due.month // 3}", **_from(part, due, plan)}
        return {"within": f"{due.month:02}", **_from(part, due, plan)}
    return {"due": due, **_from(part, due, plan)}


def _cycle(part: Part, days: Sequence[date], plan: PlanYear) -> dict[str, Any]:
    """Return the `every` or the `rrule` that comes to just these days; empty if none does."""
    if part.weekday and len(days) > 1:
        step = "WEEKLY" if part.every == "weekly" else "MONTHLY"
        raw = f"FREQ={step};BYDAY={part.weekday};UNTIL={days[-1]:%Y%m%d}"
        years = (Period.parse(str(plan.year)),)
        return {"rrule": raw} if recurrence_days(raw, years) == list(days) else {}
    if part.every not in _EVERY:
        return {}
    cycle = _EVERY[part.every]
    day = max(day.day for day in days)
    for number in (None, day):
        due = {
            p.id.partition("-")[2]: p.last if number is None else in_month(p.last, number)
            for p in Period.each(cycle, plan.year)
        }
        only = [name for name, each in due.items() if each in days]
        if [due[name] for name in only] == list(days):
            found: dict[str, Any] = {"every": cycle.value}
            if number is not None:
                found["day"] = number
            if len(only) < len(due):
                found["only"] = only
            return found
    return {}
