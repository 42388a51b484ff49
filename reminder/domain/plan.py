"""A year's plan: its units, tasks, deliverables and due rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property

from reminder.domain.periods import Cycle, Period

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
