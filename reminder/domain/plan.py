"""A plan: units, tasks, deliverables, due rules, and the dated occurrences of them.

A plan has one year, several, or one that crosses into the next (a school year). Occurrences are
made year by year.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import islice, pairwise
from typing import NamedTuple

from dateutil.rrule import rrulestr

from reminder.domain.calendar import (
    Cycle,
    Period,
    WorkCalendar,
    in_month,
    last_of_month,
    with_period,
)

MAX_TITLE = 60  # characters; one or two lines on a phone
MAX_UNIT = 60  # of a unit's name
MAX_NAME, MAX_PRODUCT, MAX_PHRASE = 40, 80, 120  # of a deliverable


class Kind(StrEnum):
    """The kinds of deliverables; each has its own timing (schedule.Policy)."""

    PRODUCT = "product"  # something to hand in
    CHECK_IN = "check-in"  # cập nhật: asks how standing work goes; any answer closes it
    REPORT = "report"  # the office's own report on the plan (BC)


class Confirm(StrEnum):
    """Which of several lead units must confirm to close an occurrence."""

    ANY = "any"
    ALL = "all"


class Before(StrEnum):
    """How the plan reads “trước ngày D”; the values are those of `before` in [plan]."""

    DAY_BEFORE = "day-before"  # due on the day before D
    SAME_DAY = "same-day"  # due on D

    @property
    def words(self) -> str:
        if self is Before.SAME_DAY:
            return "hạn tính cả ngày ấy"
        return "hạn tính đến hết ngày liền trước"


class EventUnit(StrEnum):
    """What the time after an event is counted in."""

    WORKING_DAY = "working-day"
    DAY = "day"
    MONTH = "month"
    HOUR = "hour"

    @property
    def words(self) -> str:
        return {"working-day": "ngày làm việc", "day": "ngày", "month": "tháng", "hour": "giờ"}[
            self
        ]


@dataclass(frozen=True, kw_only=True, slots=True)
class AfterEvent:
    """A due day so long after an event, or before it (`offset` < 0): known once that has a day."""

    name: str  # “nhận văn bản”
    offset: int
    unit: EventUnit

    def due(self, day: date, calendar: WorkCalendar) -> date:
        """Return the due day if the event is on `day`; of hours only whole days count."""
        match self.unit:
            case EventUnit.WORKING_DAY:
                if self.offset > 0:
                    return calendar.after(day, self.offset)
                for _ in range(-self.offset):
                    day = calendar.before(day)
                return day
            case EventUnit.DAY:
                return day + timedelta(days=self.offset)
            case EventUnit.MONTH:
                return _months_on(day, self.offset)
            case EventUnit.HOUR:
                return day + timedelta(days=self.offset // 24)

    @property
    def longest(self) -> timedelta:
        """How long after the event the due day may lie at most, Tết included."""
        days = {"working-day": self.offset * 7 // 5 + 10, "month": self.offset * 31}
        days |= {"day": self.offset, "hour": self.offset // 24}
        return timedelta(days=max(0, days[self.unit]))

    @property
    def words(self) -> str:
        """Return “trong 05 ngày làm việc kể từ khi nhận văn bản”."""
        named = self.name.partition(" ")[0].casefold() in ("ngày", "khi")
        event = self.name if named else f"khi {self.name}"
        time = f"{abs(self.offset):02} {self.unit.words}"
        if self.offset > 0:
            return f"trong {time} kể từ {event}"
        return f"chậm nhất {time} trước {event}" if self.offset else f"ngay {event}"


def _months_on(day: date, months: int) -> date:
    """Return the same day `months` later, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return in_month(last_of_month(year, month + 1), day.day)


@dataclass(frozen=True, slots=True)
class OnDay:
    """Once, due on `day`, which may lie outside the plan's years."""

    day: date


@dataclass(frozen=True, slots=True)
class OnDays:
    """On each of `days`, in their order."""

    days: tuple[date, ...]
    periods: tuple[str, ...] = ()  # their periods' identifiers; empty: each day is its own period


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
    month: int | None = None  # counted from the period's first; None: its last
    following: bool = False  # in the first month after the period

    def due(self, period: Period) -> date:
        """Return the due day of `period`."""
        if self.following:
            month = period.last + timedelta(days=1)
        else:
            month = period.last if self.month is None else _months_on(period.first, self.month - 1)
        last = last_of_month(month.year, month.month)
        return last if self.day is None else in_month(last, self.day)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """On the days of an RFC 5545 rule that starts on the plan's first day."""

    rule: str


@dataclass(frozen=True, slots=True)
class Awaiting:
    """Chưa có hạn: no due day until the office sets one, or names the day of `event`."""

    event: AfterEvent | None = None


DueRule = OnDay | OnDays | Within | Every | Recurrence | Awaiting


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


def units_named(units: Iterable[Unit]) -> dict[str, list[str]]:
    """Return the ids of the units by name and spelling, without regard to case."""
    named: dict[str, list[str]] = {}
    for unit in units:
        for name in {n.casefold() for n in (unit.name, unit.short, *unit.spellings) if n}:
            named.setdefault(name, []).append(unit.id)
    return named


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
    opens: date | None = None  # of a one-off: “từ 01/4”; None: its period's first day
    before: Before | None = None  # the text says “trước ngày D”, and this is how the plan reads it
    times: int = 0  # “02 lần mỗi quý”, without days; 0: the text names no number
    source: str = ""  # its place in the plan's document, see `place_words`

    @property
    def recurs(self) -> bool:
        return isinstance(self.rule, OnDays | Every | Recurrence)

    @property
    def times_words(self) -> str:
        """Return “02 lần mỗi quý”; empty where the text names no number."""
        words = {Cycle.MONTH: "tháng", Cycle.QUARTER: "quý", Cycle.HALF_YEAR: "6 tháng"}
        if not self.times or not isinstance(self.rule, Every):
            return ""
        return f"{self.times:02} lần mỗi {words.get(self.rule.cycle, 'năm')}"

    @property
    def event(self) -> AfterEvent | None:
        """The event that its due day is counted from, if there is one."""
        return self.rule.event if isinstance(self.rule, Awaiting) else None


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
    full_title: str = ""  # as the document has it, where `title` is shortened
    written: str = ""  # the code as the document writes it, where `code` is a path
    source: str = ""  # its place in the plan's document, see `place_words`

    def deliverable(self, number: int) -> Deliverable:
        """Return the deliverable with this number; raise KeyError if there is none."""
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
    """Kế hoạch: one document, mostly for one year."""

    id: str
    title: str
    year: int  # the first, where it has several
    office: str  # unit id: gets digests, settles dates, grants extensions
    leaders: str  # unit id: is told once of late work with a firm date
    units: tuple[Unit, ...]
    sections: Mapping[str, str] = field(hash=False)  # key → heading, in the plan's order
    tasks: tuple[Task, ...]
    last_year: int | None = None  # None: `year`
    span: tuple[date, date] | None = None  # its first and last day, where it crosses a year
    before: Before = Before.DAY_BEFORE  # how “trước ngày D” is read
    document: str = ""  # the name of the document that it was made from
    sha256: str = ""  # and its digest

    @cached_property
    def by_code(self) -> dict[str, Task]:
        return {task.code: task for task in self.tasks}

    @cached_property
    def by_pieces(self) -> dict[str, list[str]]:
        """The codes of several pieces (1.1.2, II.3), by these: two may have the same ones."""
        found: dict[str, list[str]] = {}
        for code in self.by_code:
            if not code.isalnum():
                found.setdefault(".".join(code_pieces(code)), []).append(code)
        return found

    @cached_property
    def by_unit(self) -> dict[str, Unit]:
        return {unit.id: unit for unit in self.units}

    @cached_property
    def years(self) -> tuple[Period, ...]:
        """The plan's years; one that crosses a year is one, named by its first."""
        if self.span:
            return (Period(str(self.year), *self.span),)
        last = self.last_year or self.year
        return tuple(Period.parse(str(year)) for year in range(self.year, last + 1))

    @property
    def first_day(self) -> date:
        return self.years[0].first

    @property
    def last_day(self) -> date:
        return self.years[-1].last

    @property
    def time(self) -> str:
        """Its time in Vietnamese: “năm 2024”, “năm 2026–2030”."""
        if len(self.years) > 1:
            return f"năm {self.year}–{self.last_day.year}"
        return self.years[0].dated_name

    def movable_until(self, due: date | None) -> date:
        """Return the last day to which work due on `due` may be moved."""
        return date(due.year, 12, 31) if due and due > self.last_day else self.last_day

    def is_dated(self, period: Period) -> bool:
        """Return whether the plan may have several periods of this name, in different years."""
        return period.year != self.year or self.first_day.year != self.last_day.year

    def period_name(self, period: Period) -> str:
        """Return `period` in Vietnamese: “tháng 01”; “tháng 01/2027” where there may be another."""
        return period.dated_name if self.is_dated(period) else period.name

    def years_by(self, day: date) -> range:
        """Return the calendar years that it has days in, up to that of `day`; never none."""
        last = min(self.last_day.year, max(day.year, self.year))
        return range(self.first_day.year, last + 1)

    @cached_property
    def last_due(self) -> date:
        """Its last day, or the last due day beyond it: its own, or after an event on that day."""
        events = [d.event for task in self.tasks for d in task.deliverables if d.event]
        after = [self.last_day + event.longest for event in events if event.offset > 0]
        return max([self.last_day, *after, *(o.due for o in occurrences(self) if o.due)])


_PLACE = re.compile(
    r"(?:(?P<part>p|line|tr):(?P<first>\d+)(?:\.\.(?P<last>\d+))?"
    r"|t:(?P<table>\d+) r:(?P<row>\d+)(?:\.\.(?P<last_row>\d+))?(?: line:(?P<line>\d+))?|sdt)"
    r"(?P<rest>\b.*)?"
)
_PARTS = {"p": "đoạn", "line": "dòng", "tr": "trang"}


def place_words(source: str) -> str:
    """A place in a document in Vietnamese: “bảng 1, dòng 7” of “t:1 r:7”, “đoạn 11–15” of p:11..15.

    What is written otherwise is taken for words already.
    """
    found = _PLACE.fullmatch(source.strip())
    if found is None:
        return source.strip()
    if found["table"]:
        words = f"bảng {found['table']}, dòng {found['row']}"
        words += f"–{found['last_row']}" if found["last_row"] else ""
        words += f" (dòng thứ {found['line']} trong ô)" if found["line"] else ""
    elif found["part"]:
        words = f"{_PARTS[found['part']]} {found['first']}"
        words += f"–{found['last']}" if found["last"] else ""
    else:
        words = "khung nhập nội dung"
    rest = (found["rest"] or "").strip(" ,;")
    return f"{words}, {rest}" if rest else words


def origin(plan: Plan, task: Task, deliverable: Deliverable) -> str:
    """Return where the plan has it from: “mục 3, bảng 1, KH-2026.docx”; empty if nobody said."""
    code = task.written and f"mục {task.written}"
    place = place_words(deliverable.source or task.source)
    return ", ".join(filter(None, (code, place, plan.document)))


_PIECES = re.compile(r"[0-9]+|[^\W\d_]+")


def code_pieces(code: str) -> list[str]:
    """Return the pieces of a code, in small letters: 3, 1, a of “3.1.A” and of “3.1a”."""
    return _PIECES.findall(code.lower().replace("dd", "đ").replace("d9", "đ"))


_ROMAN = {"I": 1, "V": 5, "X": 10}


def code_order(code: str) -> tuple[tuple[int, int, str], ...]:
    """The place of a code among others: 1.2 before 1.10, 1đ before 1e, II before IX, BC last."""
    return tuple(map(_piece_order, _PIECES.findall(code)))


def _piece_order(piece: str) -> tuple[int, int, str]:
    if piece.isdigit():
        return 0, int(piece), ""
    if set(piece) <= set(_ROMAN):
        values = [_ROMAN[letter] for letter in piece]
        less = sum(one for one, two in pairwise(values) if one < two)
        return 1, sum(values) - 2 * less, ""
    return 2, 0, piece.replace("đ", "d~").replace("Đ", "D~")  # between d and e


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
    year: Period  # the plan's year that it belongs to
    dated: bool = False  # whether its period is named with the year, see `Plan.is_dated`

    @property
    def period_name(self) -> str:
        """The period as `Plan.period_name` has it."""
        return self.period.dated_name if self.dated else self.period.name

    @property
    def is_check_in(self) -> bool:
        return self.deliverable.kind is Kind.CHECK_IN

    @property
    def title(self) -> str:
        """The name in messages: the task's title, or the product if the task has several."""
        if self.deliverable.recurs:
            return with_period(self.task.title, self.period_name)
        if len(self.task.deliverables) > 1:
            return self.deliverable.product
        return self.task.title


def occurrences(plan: Plan) -> list[Occurrence]:
    """Return all occurrences of `plan`, in the order of its tasks, deliverables and periods."""
    return [
        Occurrence(
            key=Key(plan.id, task.code, deliverable.number, period.id),
            task=task,
            deliverable=deliverable,
            period=period,
            opens=opens,
            due=due,
            year=_year_of(period.first, plan.years),
            dated=plan.is_dated(period),
        )
        for task in plan.tasks
        for deliverable in task.deliverables
        for period, opens, due in instances(deliverable, plan.years)
    ]


def _year_of(day: date, years: tuple[Period, ...]) -> Period:
    """Return the one of `years` that has `day`, or that is nearest to it."""
    return next((year for year in years if day <= year.last), years[-1])


def instances(
    deliverable: Deliverable, years: tuple[Period, ...]
) -> Iterator[tuple[Period, date, date | None]]:
    """Yield the period of each instance, the day on which it opens, and its due day."""
    shift = timedelta(days=deliverable.before is Before.DAY_BEFORE)
    for period, start, written in _written(deliverable, years):
        opens = deliverable.opens or start
        due = written - shift if written else None
        # A day before the plan's first opens with its month.
        yield period, (due.replace(day=1) if due and due < opens else opens), due


def _written(
    deliverable: Deliverable, years: tuple[Period, ...]
) -> Iterator[tuple[Period, date, date | None]]:
    """Yield the instances with the days that the plan writes."""
    match deliverable.rule:
        case OnDay(day):
            year = _year_of(day, years)
            yield Period.parse(year.id), year.first, day
        case OnDays(days, periods):
            yield from _on_days(days, [Period.parse(name) for name in periods], years)
        case Within(period):
            year = _year_of(period.last, years)
            yield Period.parse(year.id), max(period.first, years[0].first), period.last
        case Awaiting():
            yield Period.parse(years[0].id), years[0].first, None
        case Every() as rule:
            for period in cycle_periods(rule.cycle, years):
                due = rule.due(period)
                # A year may begin or end within a period: that counts if its due day lies in the
                # year, or its last day where it is due after it.
                end = period.last if rule.following else due
                counts = years[0].first <= end <= years[-1].last
                if counts and (not rule.only or period.id.partition("-")[2] in rule.only):
                    yield period, max(period.first, years[0].first), due
        case Recurrence(rule):
            inside = [day for day in recurrence_days(rule, years) if day <= years[-1].last]
            yield from _on_days(inside, [], years)


def _on_days(
    days: Sequence[date], periods: Sequence[Period], years: tuple[Period, ...]
) -> Iterator[tuple[Period, date, date]]:
    """Yield each day with its period, and the day from which it is open."""
    opens = years[0].first
    for number, day in enumerate(days):
        period = periods[number] if periods else Period.parse(day.isoformat())
        begins = max(period.first, years[0].first)
        yield period, begins if periods and begins <= day else opens, day
        opens = day + timedelta(days=1)


def cycle_periods(cycle: Cycle, years: tuple[Period, ...]) -> list[Period]:
    """Return the periods of `cycle` that overlap with `years`, in order."""
    if cycle is Cycle.YEAR:
        return list(years)
    first, last = years[0].first, years[-1].last
    found = (p for year in range(first.year, last.year + 1) for p in Period.each(cycle, year))
    return [period for period in found if period.first <= last and period.last >= first]


@lru_cache(1024)
def period_ids(deliverable: Deliverable, years: tuple[Period, ...]) -> tuple[str, ...]:
    """Return the identifiers of the deliverable's occurrences."""
    return tuple(period.id for period, _, _ in instances(deliverable, years))


def recurrence_days(rule: str, years: tuple[Period, ...]) -> list[date]:
    """Return the days of the RFC 5545 `rule` from the first day of `years` on.

    ValueError, in Vietnamese, if the rule can't be read, has no end, recurs within a day, or has
    more than MAX_INSTANCES days a year.
    """
    parts = re.sub(r"(UNTIL=\d{8})T\d{6}Z?", r"\1", rule.upper().removeprefix("RRULE:"))
    if "COUNT=" not in parts and "UNTIL=" not in parts:
        raise ValueError(f"quy tắc không có điểm dừng: thêm ;UNTIL={years[-1].last:%Y%m%d}")
    if any(f"FREQ={step}" in parts for step in ("SECONDLY", "MINUTELY", "HOURLY")):
        raise ValueError("lặp trong ngày: chỉ dùng FREQ=DAILY, WEEKLY, MONTHLY hoặc YEARLY")
    # Naive: days have no time zone, and dateutil refuses a naive UNTIL with an aware start.
    start = datetime.combine(years[0].first, time())
    most = MAX_INSTANCES * len(years)
    try:
        moments = list(islice(rrulestr(parts, dtstart=start), most + 1))
    except (ValueError, TypeError, AttributeError, OverflowError, IndexError) as error:
        # dateutil raises any of these for a rule that it can't parse.
        raise ValueError("không phải quy tắc RFC 5545, ví dụ FREQ=MONTHLY;COUNT=12") from error
    if len(moments) > most:
        raise ValueError(f"quá nhiều ngày: tối đa {most}")
    return sorted({moment.date() for moment in moments})
