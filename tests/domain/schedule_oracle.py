"""The schedule of 2024, worked out a second time, day by day and without the program.

Written from the contract alone by somebody who had not seen reminder/core; it knows nothing of
plan files, due rules or working-day arithmetic, and shares no line with what it judges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from tests.domain.test_calendar import OFFICIAL

PLAN_FIRST, PLAN_LAST = date(2024, 1, 1), date(2025, 1, 31)
OFFICE, LEADERS = "van-phong", "lanh-dao"
ONE = timedelta(days=1)
FREE, SATURDAYS = (
    {date.fromisoformat(f"{year}-{d}") for year, days in OFFICIAL.items() for d in days[n].split()}
    for n in (0, 1)
)


class Part(NamedTuple):
    """One dated thing of the plan: what it is called, who must, and when."""

    task: str
    number: int
    period: str
    units: tuple[str, ...]
    kind: str  # once, month, check, report
    assumed: bool
    opens: date
    due: date


LEAD_DAYS = {"once": (14, 7, 3, 1, 0), "month": (3, 0), "check": (3, 0), "report": (7, 1, 0)}
UNITS = {
    "TP": "tu-phap",
    "VP": "van-phong",
    "TC": "tai-chinh-ke-toan",
    "VH": "van-hoa-xa-hoi",
    "DC": "dia-chinh-xay-dung",
    "TT": "van-hoa-thong-tin",
}
ONCE = """1c.1 TP 01-31; 1d.1 TP,VP 02-20; 1d.2 TP,VP 03-01; 2a.1 VP 03-31; 2b.1 VP 03-31;
    4a.1 TC 12-31; 4b.1 TC 01-31 assumed; 5c.1 VP 03-31; 6a.1 TT 03-31; 6b.1 VP 12-31 10-01"""
CHECKS = """1a.1 TP; 1b.1 VP; 1đ.2 TP; 1e.1 TP; 2a.2 VP; 2b.2 VP; 2d.1 VP; 2đ.1 VP,TT; 2e.1 VP;
    2h.1 TP; 2i.1 VP; 2k.1 VP; 3.1 VP; 5b.1 VP; 6a.2 TT"""
REPORTS = "1 2024-Q1 01-01 03-15; 1 2024-Q3 07-01 09-15; 2 2024-H1 01-01 06-15; 3 2024 01-01 12-15"
QUARTERS = (("Q1", "01-01", "03-10"), ("Q2", "04-01", "06-10"), ("Q3", "07-01", "09-10"))
MONTH_ENDS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def day(text: str) -> date:
    return date.fromisoformat(f"2024-{text}")


@cache
def all_parts() -> tuple[Part, ...]:
    return tuple(parts())


def parts() -> Iterator[Part]:
    for line in ONCE.split(";"):
        name, units, due, *more = line.split()
        opens = day(more[0]) if more and more[0] != "assumed" else PLAN_FIRST
        yield part(name, "2024", units, "once", "assumed" in more, opens, day(due))
    for line in CHECKS.split(";"):
        name, units = line.split()
        for quarter, opens_, due in (*QUARTERS, ("Q4", "10-01", "12-10")):
            yield part(name, f"2024-{quarter}", units, "check", True, day(opens_), day(due))
    for month, last in enumerate(MONTH_ENDS, start=1):
        first = date(2024, month, 1)
        period = f"2024-{month:02}"
        yield part("2c.1", period, "VP,TP,VH,DC", "month", False, first, first.replace(day=last))
    for line in REPORTS.split(";"):
        number, period, opens_, due = line.split()
        yield part(f"BC.{number}", period, "VP", "report", True, day(opens_), day(due))


def part(
    name: str, period: str, units: str, kind: str, assumed: bool, opens: date, due: date
) -> Part:
    task, number = name.split(".")
    names = tuple(UNITS[u] for u in units.split(","))
    return Part(task, int(number), period, names, kind, assumed, opens, due)


def works(when: date) -> bool:
    return when in SATURDAYS or (when.weekday() < 5 and when not in FREE)


def first_of_its_week(when: date) -> bool:
    earlier = (when - n * ONE for n in range(1, when.weekday() + 1))
    return works(when) and not any(works(d) for d in earlier)


def lead_on(p: Part, when: date) -> int | None:
    """The smallest lead of `p` that speaks on `when`."""
    found = []
    for lead in LEAD_DAYS[p.kind]:
        moved = p.due - lead * ONE
        while not works(moved):
            moved -= ONE
        if moved == when >= p.opens:
            found.append(lead)
    return min(found, default=None)


def late_on(p: Part, when: date) -> int:
    """How many working days `p` is late on `when`."""
    rolled = p.due
    while not works(rolled):
        rolled += ONE
    return sum(works(rolled + n * ONE) for n in range(1, (when - rolled).days + 1))


def nags(kind: str, late: int) -> bool:
    if kind == "once":
        return late in (1, 3, 5) or (late >= 10 and late % 5 == 0)
    return late in ((1, 3) if kind == "check" else (1, 3, 5))


Said = dict[tuple[str, str, str], set[tuple[str, int, str, str, str]]]  # (at, unit, kind) → items


def schedule(first: date, last: date, closed: Mapping[tuple[str, int, str], date]) -> Said:
    """All that is said from `first` to `last`; `closed`: the day at whose 16:00 a part closed."""
    said: Said = {}
    for n in range((last - first).days + 1):
        when = first + n * ONE
        if not (works(when) and PLAN_FIRST <= when <= PLAN_LAST):
            continue
        if first_of_its_week(when):
            said[f"{when}T07:30:00+07:00", OFFICE, "digest"] = set()
        for p in all_parts():
            if when <= closed.get(p[:3], date.max):
                for unit, kind, stage in spoken(p, when):
                    slot = (f"{when}T08:00:00+07:00", unit, kind)
                    said.setdefault(slot, set()).add((*p[:3], str(p.due), stage))
    return said


@cache
def spoken(p: Part, when: date) -> tuple[tuple[str, str, str], ...]:
    return tuple(reckon(p, when))


def reckon(p: Part, when: date) -> Iterator[tuple[str, str, str]]:
    lead, late = lead_on(p, when), late_on(p, when) if when > p.due else 0
    for unit in p.units:
        if lead is not None:
            yield unit, "nudge", "due" if lead == 0 else f"lead-{lead}"
        if late and nags(p.kind, late):
            yield unit, "nudge", f"late-{late}"
    if late == 1 and OFFICE not in p.units:
        yield OFFICE, "escalation", "late-1"
    if late == 3 and not p.assumed and p.kind != "check":
        yield LEADERS, "escalation", "late-3"
