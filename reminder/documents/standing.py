"""How an occurrence stands on a day, in the words of a table's column."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from reminder.core.ledger import Event, State
from reminder.core.plan import Plan
from reminder.core.schedule import Scheduler
from reminder.core.workdays import local


class Standing(StrEnum):
    """What an occurrence counts as; each is exactly one of these."""

    DONE = "Xong đúng hạn"
    DONE_LATE = "Xong quá hạn"
    SIGNING = "Chờ ký"  # handed in for signature by all who still have to act, late or not
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
    waiting = state.open_units if unit is None else (unit,)
    if waiting and all(state.awaits_signature(each) for each in waiting):
        return Standing.SIGNING
    if state.due is None:
        return Standing.AWAITING
    if scheduler.days_late(state, day):
        return Standing.LATE
    return Standing.OPEN if state.occurrence.opens <= day else Standing.AHEAD


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


def figures(
    plan: Plan, states: Sequence[State], scheduler: Scheduler, day: date
) -> list[tuple[str, list[int]]]:
    """Each leading unit's name and its counts in the order of Standing; the whole plan's last.

    A unit's counts are of its own parts, so that who has done its share of shared work is not late.
    """
    lines = []
    for unit in plan.units:
        found = [
            standing(state, scheduler, day, unit.id)
            for state in states
            if unit.id in state.occurrence.task.lead
        ]
        if found:
            lines.append((unit.name, [found.count(each) for each in Standing]))
    whole = [standing(state, scheduler, day) for state in states]
    return [*lines, ("Cả kế hoạch", [whole.count(each) for each in Standing])]
