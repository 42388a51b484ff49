"""A year's plan: units, tasks, deliverables, due rules, and the dated occurrences of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import islice
from typing import NamedTuple

from dateutil.rrule import rrulestr

from reminder.domain.calendar import Cycle, Period, with_period

MAX_TITLE = 60  # characters; one or two lines on a phone


class Kind(StrEnum):
    """The kinds of deliverables; each has its own timing (schedule.Policy)."""

    PRODUCT = "product"  # something to hand in
    CHECK_IN = "check-in"  # cập nhật: asks how standing work goes; any answer closes it
    REPORT = "report"  # the office's own report on the plan (BC)


class Confirm(StrEnum):
    """Which of several lead units must confirm to close an occurrence."""

    ANY = "any"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class OnDay:
    """Once, due on `day`; open from the first day of the year."""

    day: date


@dataclass(frozen=True, slots=True)
class Within:
    """Once, due on the last day of `period` and open from its first (“Quý I”, “trong năm”)."""

    period: Period


@dataclass(frozen=True, slots=True)
class Every:
    """In each period of a cycle, due on its last day or on `day` of its last month."""

    cycle: Cycle
    day: int | None = None  # None: the month's last day; 31 in a shorter month is its last day too
    only: frozenset[str] = frozenset()  # identifiers without the year (“Q1”, “03”); empty: all


@dataclass(frozen=True, slots=True)
class Recurrence:
    """On the days of an RFC 5545 rule that starts on the first day of the year."""

    rule: str


@dataclass(frozen=True, slots=True)
class Awaiting:
    """Chưa có hạn: no due day until the office sets one."""


DueRule = OnDay | Within | Every | Recurrence | Awaiting


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """Bộ phận: a unit of the office that answers for tasks."""

    id: str  # ASCII; stored in the ledger, so it never changes
    name: str  # as people read it
    short: str = ""  # for narrow places; the name if empty
    spellings: tuple[str, ...] = ()  # as the plan's text and officers write it

    @property
    def label(self) -> str:
        return self.short or self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Deliverable:
    """Sản phẩm: one thing to hand in, with one due rule."""

    number: int  # from 1 within its task; stored in the ledger, so it never changes
    name: str  # short: what an officer types after the code
    product: str  # what is handed in, in a few words
    phrase: str  # the time as the plan writes it
    rule: DueRule
    kind: Kind = Kind.PRODUCT
    assumed: bool = False  # hạn dự kiến: the plan names no date, this one was chosen
    leads: tuple[int, ...] | None = None  # days before the due day; None: the policy's
    late: tuple[int, ...] | None = None  # working days after it; None: the policy's

    @property
    def recurs(self) -> bool:
        return isinstance(self.rule, Every | Recurrence)


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """Nhiệm vụ: a lettered item of the plan, or BC."""

    code: str  # as written, without punctuation: 1c, 1đ, 3, BC
    title: str
    section: str  # key of the plan's section
    lead: tuple[str, ...]  # unit ids
    support: tuple[str, ...] = ()
    confirm: Confirm = Confirm.ANY
    deliverables: tuple[Deliverable, ...]

    def deliverable(self, number: int) -> Deliverable:
        """The deliverable with this number; KeyError if there is none."""
        for deliverable in self.deliverables:
            if deliverable.number == number:
                return deliverable
        raise KeyError(number)

    @property
    def products(self) -> tuple[Deliverable, ...]:
        """The deliverables that `/done` closes: products and reports, not check-ins."""
        return tuple(d for d in self.deliverables if d.kind is not Kind.CHECK_IN)

    @property
    def check_in(self) -> Deliverable | None:
        return next((d for d in self.deliverables if d.kind is Kind.CHECK_IN), None)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Kế hoạch: one document for one year."""

    id: str
    title: str
    year: int
    office: str  # unit id: gets digests, settles dates, grants extensions
    leaders: str  # unit id: is told once of late work with a firm date
    units: tuple[Unit, ...]
    sections: Mapping[str, str] = field(hash=False)  # key → heading, in the plan's order
    tasks: tuple[Task, ...]

    @cached_property
    def by_code(self) -> dict[str, Task]:
        return {task.code: task for task in self.tasks}

    @cached_property
    def by_unit(self) -> dict[str, Unit]:
        return {unit.id: unit for unit in self.units}

    @property
    def first_day(self) -> date:
        return date(self.year, 1, 1)

    @property
    def last_day(self) -> date:
        return date(self.year, 12, 31)


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
        for period, opens, due in instances(deliverable, plan.year)
    ]


def instances(deliverable: Deliverable, year: int) -> Iterator[tuple[Period, date, date | None]]:
    """The period of each instance, the day on which it opens, and the day on which it is due."""
    whole_year = Period.parse(str(year))
    match deliverable.rule:
        case OnDay(day):
            yield whole_year, whole_year.first, day
        case Within(period):
            yield whole_year, period.first, period.last
        case Awaiting():
            yield whole_year, whole_year.first, None
        case Every() as rule:
            for period in Period.each(rule.cycle, year):
                if not rule.only or period.id.partition("-")[2] in rule.only:
                    last = period.last
                    due = last if rule.day is None else last.replace(day=min(rule.day, last.day))
                    yield period, period.first, due
        case Recurrence(rule):
            yield from _recurrence(rule, whole_year)


@lru_cache(1024)
def instance_ids(deliverable: Deliverable, year: int) -> tuple[str, ...]:
    """The days on which a raw rule recurs, as the identifiers of its periods; else none."""
    if not isinstance(deliverable.rule, Recurrence):
        return ()
    return tuple(period.id for period, _, _ in instances(deliverable, year))


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
