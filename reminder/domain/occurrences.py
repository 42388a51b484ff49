"""Occurrences: the dated instances of a plan's deliverables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from dateutil.rrule import rrulestr

from reminder.domain.periods import Period, last_of_month, with_period
from reminder.domain.plan import (
    Awaiting,
    Deliverable,
    Every,
    Kind,
    OnDay,
    Plan,
    Recurrence,
    Task,
    Within,
)

MAX_INSTANCES = 400  # days of an RFC 5545 rule in a year; a daily one has 366


class Key(NamedTuple):
    """The identity of an occurrence; stored in the ledger, so it never changes."""

    plan: str
    task: str
    deliverable: int
    period: str


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One dated instance of a deliverable, as in the plan."""

    key: Key
    task: Task
    deliverable: Deliverable
    period: Period
    opens: date
    due: date | None  # None: awaiting a date

    @property
    def is_check_in(self) -> bool:
        return self.deliverable.kind is Kind.CHECK_IN

    @property
    def title(self) -> str:
        """The name in messages: the task's title, or the product if the task has several."""
        if self.deliverable.recurs:
            return with_period(self.task.title, self.period.name)
        if len(self.task.deliverables) > 1:
            return self.deliverable.product
        return self.task.title


def occurrences(plan: Plan) -> list[Occurrence]:
    """All occurrences of `plan`, in the order of its tasks, deliverables and periods."""
    return [
        Occurrence(
            key=Key(plan.id, task.code, deliverable.number, period.id),
            task=task,
            deliverable=deliverable,
            period=period,
            opens=opens,
            due=due,
        )
        for task in plan.tasks
        for deliverable in task.deliverables
        for period, opens, due in _instances(deliverable, plan.year)
    ]


def _instances(deliverable: Deliverable, year: int) -> Iterator[tuple[Period, date, date | None]]:
    whole_year = Period.parse(str(year))
    match deliverable.rule:
        case OnDay(day):
            yield whole_year, whole_year.first, day
        case Within(period):
            yield whole_year, period.first, period.last
        case Awaiting():
            yield whole_year, whole_year.first, None
        case Every() as rule:
            yield from _cycle(rule, year)
        case Recurrence(rule):
            yield from _recurrence(rule, whole_year)


def _cycle(rule: Every, year: int) -> Iterator[tuple[Period, date, date]]:
    for period in Period.each(rule.cycle, year):
        if rule.only and period.id.partition("-")[2] not in rule.only:
            continue
        last = last_of_month(year, period.last.month)
        due = last if rule.day is None else last.replace(day=min(rule.day, last.day))
        yield period, period.first, due


@lru_cache(1024)
def instance_ids(deliverable: Deliverable, year: int) -> tuple[str, ...]:
    """The days on which a raw rule recurs, as the identifiers of its periods; else none."""
    if not isinstance(deliverable.rule, Recurrence):
        return ()
    return tuple(period.id for period, _, _ in _instances(deliverable, year))


def _recurrence(rule: str, year: Period) -> Iterator[tuple[Period, date, date]]:
    """Each day is a period of its own, open from the day after the one before."""
    opens = year.first
    for day in recurrence_days(rule, year.year):
        if day.year != year.year:
            continue
        yield Period.parse(day.isoformat()), opens, day
        opens = day + timedelta(days=1)


def recurrence_days(rule: str, year: int) -> list[date]:
    """The days of the RFC 5545 `rule` from 1 January of `year` on.

    ValueError, in Vietnamese, if the rule can't be read, has no end, recurs within a day, or has
    more than MAX_INSTANCES days.
    """
    parts = re.sub(r"(UNTIL=\d{8})T\d{6}Z?", r"\1", rule.upper().removeprefix("RRULE:"))
    if "COUNT=" not in parts and "UNTIL=" not in parts:
        raise ValueError(f"quy tắc không có điểm dừng: thêm ;UNTIL={year}1231")
    if any(f"FREQ={step}" in parts for step in ("SECONDLY", "MINUTELY", "HOURLY")):
        raise ValueError("lặp trong ngày: chỉ dùng FREQ=DAILY, WEEKLY, MONTHLY hoặc YEARLY")
    # Naive: days have no time zone, and dateutil refuses a naive UNTIL with an aware start.
    start = datetime.combine(date(year, 1, 1), time())
    try:
        moments = list(islice(rrulestr(parts, dtstart=start), MAX_INSTANCES + 1))
    except (ValueError, TypeError, AttributeError, OverflowError, IndexError) as error:
        # dateutil raises any of these for a rule that it can't parse.
        raise ValueError("không phải quy tắc RFC 5545, ví dụ FREQ=MONTHLY;COUNT=12") from error
    if len(moments) > MAX_INSTANCES:
        raise ValueError(f"quá nhiều ngày: tối đa {MAX_INSTANCES}")
    return sorted({moment.date() for moment in moments})
