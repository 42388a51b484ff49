"""The digest's figures counted a second time, by hand as it were: event by event, day by day.

Nothing of the ledger's fold, the schedule or the digest is used; only what the plan says, and which
days are worked. Never mend it to fit the program: find out which of the two misreads the contract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from reminder.domain.ledger import Event
from reminder.domain.plan import Plan, occurrences

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
Works = Callable[[date], bool]


@dataclass
class Line:
    """One occurrence on the clerk's sheet."""

    name: str  # “2c.1 2024-01”
    opens: date
    last: date  # of its period
    due: date | None
    lead: tuple[str, ...]
    all_of_them: bool
    check_in: bool
    assumed: bool
    done_by: dict[str, datetime] = field(default_factory=dict)
    closed: datetime | None = None
    signing: set[str] = field(default_factory=set)
    asked: bool = False
    unnamed: list[tuple[date | None, bool]] = field(default_factory=list)  # before each event


def sheet(plan: Plan, events: Iterable[Event], until: datetime) -> list[Line]:
    """Each occurrence after all that was said before `until`."""
    lines = {
        o.key: Line(
            name=f"{o.key.task}.{o.key.deliverable} {o.key.period}",
            opens=o.opens,
            last=o.period.last,
            due=o.due,
            lead=o.task.lead,
            all_of_them=o.task.confirm.value == "all",
            check_in=o.deliverable.kind.value == "check-in",
            assumed=o.deliverable.assumed and o.due is not None,
        )
        for o in occurrences(plan)
    }
    for event in events:
        if event.at < until and event.key in lines:
            _write(lines[event.key], event)
    return list(lines.values())


def _write(line: Line, event: Event) -> None:
    kind = event.kind.value
    if kind in ("done", "updated") and line.closed is None and event.unit not in line.done_by:
        line.done_by[event.unit] = event.at
        line.signing.discard(event.unit)
        if not line.all_of_them or set(line.lead) <= set(line.done_by):
            line.closed, line.signing, line.asked = event.at, set(), False
    elif kind == "undone":
        line.done_by.pop(event.unit, None)
        line.closed = None
    elif kind == "reopened":
        line.done_by, line.closed, line.signing = {}, None, set()
    elif kind == "submitted":
        line.signing.add(event.unit)
    elif kind == "returned":
        line.signing.discard(event.unit)
    elif kind == "event-withdrawn" and line.unnamed:
        line.due, line.assumed = line.unnamed.pop()
        line.asked = False
    elif kind in ("due-set", "event-named", "extension-granted"):
        line.unnamed += [(line.due, line.assumed)] if kind == "event-named" else []
        line.due, line.assumed, line.asked = event.until, False, False
    elif kind == "confirmed":
        line.assumed = False
    elif kind == "extension-asked":
        line.asked = True
    elif kind in ("extension-refused", "extension-withdrawn"):
        line.asked = False


def is_late(due: date | None, day: date, works: Works) -> bool:
    """Whether a worked day after the last day on which it still counts has come by `day`."""
    if due is None:
        return False
    counts = due
    while not works(counts):
        counts += timedelta(days=1)
    return any(works(counts + timedelta(days=n)) for n in range(1, (day - counts).days + 1))


def day_of(at: datetime) -> date:
    return at.astimezone(HANOI).date()


def figures(lines: Iterable[Line], day: date, works: Works) -> dict[str, int]:
    """The six figures."""
    found = dict.fromkeys(("in_time", "done_late", "open", "late", "signing", "awaiting"), 0)
    for line in lines:
        late = is_late(line.due, day, works)
        if line.closed:
            after = is_late(line.due, day_of(line.closed), works)
            found["done_late" if after else "in_time"] += 1
        elif line.opens <= day or late:
            found["open"] += 1
            found["late"] += late
            found["signing"] += bool(line.signing)
            found["awaiting"] += line.due is None
    return found


def by_unit(lines: Iterable[Line], day: date, works: Works) -> dict[str, tuple[int, int, int]]:
    """Each unit's done, open and late."""
    found: dict[str, list[int]] = {}
    for line in lines:
        late = is_late(line.due, day, works)
        for unit in line.lead:
            mine = found.setdefault(unit, [0, 0, 0])
            if line.closed or unit in line.done_by:
                mine[0] += 1
            elif late:
                mine[2] += 1
            elif line.opens <= day:
                mine[1] += 1
    return {unit: (done, still, late) for unit, (done, still, late) in found.items()}


def lists(lines: Iterable[Line], day: date, since: datetime, works: Works) -> dict[str, set[str]]:
    """The names in each of the digest's lists."""
    sunday = day + timedelta(days=6 - day.weekday())
    kept = list(lines)
    alive = [x for x in kept if not x.closed]
    on_time = [x for x in alive if x.due and not is_late(x.due, day, works)]
    running = [x for x in kept if x.check_in and x.opens <= day <= x.last]
    return {
        "late": {x.name for x in alive if is_late(x.due, day, works)},
        "this_week": {x.name for x in on_time if x.due and x.due <= sunday},
        "next_weeks": {
            x.name for x in on_time if x.due and sunday < x.due <= sunday + timedelta(days=14)
        },
        "done": {x.name for x in kept if x.closed and x.closed >= since},
        "answered": {x.name for x in running if x.closed},
        "missing": {x.name for x in running if not x.closed},
        "signing": {x.name for x in alive if x.signing},
        "awaiting": {x.name for x in alive if x.due is None},
        "assumed": {x.name for x in alive if x.assumed},
        "requests": {x.name for x in alive if x.asked},
    }
