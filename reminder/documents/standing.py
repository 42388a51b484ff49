"""How an occurrence stands on a day, in the words of a table's column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from reminder.core import digest
from reminder.core.ledger import Event, State
from reminder.core.plan import Plan
from reminder.core.schedule import Scheduler
from reminder.core.workdays import local


class Standing(StrEnum):
    """What an occurrence counts as; each is exactly one of these."""

    DONE = "Xong đúng hạn"
    DONE_LATE = "Xong quá hạn"
    SIGNING = "Chờ ký"  # a unit has handed it in for signature, late or not
    LATE = "Quá hạn"
    OPEN = "Đang mở"
    AHEAD = "Chưa đến kỳ"  # its period has not begun
    AWAITING = "Chưa có hạn"


def standing(state: State, scheduler: Scheduler, day: date, unit: str | None = None) -> Standing:
    """How `state` stands on `day`; with `unit`, how that unit's own part does.

    Late is counted from the due day rolled forward to a working day, done or not (Civil Code 2015,
    art. 148(5)).
    """
    closing = closed_by(state, unit)
    if closing is not None:
        late = scheduler.days_late(state, local(closing.at).date())
        return Standing.DONE_LATE if late else Standing.DONE
    if _signing(state, unit):
        return Standing.SIGNING
    if state.due is None:
        return Standing.AWAITING
    if scheduler.days_late(state, day):
        return Standing.LATE
    return Standing.OPEN if state.occurrence.opens <= day else Standing.AHEAD


def _signing(state: State, unit: str | None) -> bool:
    return bool(state.submitted if unit is None else state.awaits_signature(unit))


def closed_by(state: State, unit: str | None = None) -> Event | None:
    """The event that closed `state`, or the part of `unit`; None if that is still open."""
    if unit is not None and unit in state.parts:
        return state.parts[unit]
    return state.closed


def standing_words(state: State, scheduler: Scheduler, day: date) -> str:
    """`standing` with how late: “Quá hạn 3 ngày làm việc”, “Chờ ký, quá hạn 2 ngày làm việc”."""
    found = standing(state, scheduler, day)
    until = local(state.closed.at).date() if state.closed else day
    late = scheduler.days_late(state, until)
    if not late:
        return found.value
    joint = ", quá hạn" if found is Standing.SIGNING else ""
    return f"{found.value}{joint} {late} ngày làm việc"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """How many occurrences stand how: the first three are all that were closed or have begun.

    `late`, `signing` and `awaiting` are among the open ones, and may overlap.
    """

    name: str  # of the unit, or of all
    total: int
    in_time: int
    done_late: int
    open: int
    late: int
    signing: int
    awaiting: int
    ahead: int  # neither closed nor begun


def figures(plan: Plan, states: Sequence[State], scheduler: Scheduler, day: date) -> list[Figures]:
    """The figures of each unit that leads anything, and in the last place those of the whole plan.

    A unit's are of its own parts, so that who has done its share of shared work is not late.
    """
    lines = [
        _figures(unit.name, mine, scheduler, day)
        for unit in plan.units
        if (mine := [_part(s, unit.id) for s in states if unit.id in s.occurrence.task.lead])
    ]
    return [*lines, _figures("Cả kế hoạch", states, scheduler, day)]


def _part(state: State, unit: str) -> State:
    """`state` as far as the part of `unit` goes."""
    submitted = state.submitted if _signing(state, unit) else {}
    return replace(state, closed=closed_by(state, unit), submitted=submitted)


def _figures(name: str, states: Sequence[State], scheduler: Scheduler, day: date) -> Figures:
    """Counted as the weekly digest counts."""
    made = digest.figures(states, scheduler, day)
    return Figures(
        name=name,
        total=len(states),
        in_time=made.in_time,
        done_late=made.done_late,
        open=made.open,
        late=made.late,
        signing=made.signing,
        awaiting=made.awaiting,
        ahead=len(states) - made.in_time - made.done_late - made.open,
    )
