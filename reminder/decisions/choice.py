"""What a “done” means: which occurrences close, or which question has to be asked first.

The rules are those of “What closes what” in the contract: nothing is closed on a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from reminder.domain.ledger import State
from reminder.domain.plan import Deliverable, Kind, Task
from reminder.understanding import Target


@dataclass(frozen=True, slots=True)
class Closes:
    """These close, in this order."""

    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Which:
    """Several products could be meant: nothing closes, each is offered."""

    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Already:
    """All that is open by now is closed; `last` is what closed last."""

    last: State
    following: State | None = None  # the next occurrence, not open yet


@dataclass(frozen=True, slots=True)
class NotOpen:
    """Nothing is open yet; `following` opens next and is closed only by naming its period."""

    following: State


@dataclass(frozen=True, slots=True)
class Nothing:
    """The task has no such deliverable or period."""


Choice = Closes | Which | Already | NotOpen | Nothing


def choose(task: Task, states: Iterable[State], target: Target, today: date) -> Choice:
    """What `target` means of `task`, whose occurrences stand as in `states`."""
    wanted = _wanted(task, target)
    mine = sorted((s for s in states if s.occurrence.deliverable in wanted), key=_urgency)
    if target.period is not None:
        mine = [s for s in mine if s.key.period == target.period]
        if not mine:
            return Nothing()
        return Closes(_open(mine)) if _open(mine) else Already(mine[-1])
    opened = [s for s in mine if s.occurrence.opens <= today]
    if _asks(task, target, wanted) and opened:
        undone = _open(opened)
        return Which(undone) if undone else Already(_latest(opened))
    chosen = _earliest_each(wanted, opened, together=not (target.deliverables or target.every))
    if chosen:
        return Closes(chosen)
    following = next((s for s in mine if not s.closed and s.occurrence.opens > today), None)
    if any(s.closed for s in opened):
        return Already(_latest([s for s in opened if s.closed]), following)
    return NotOpen(following) if following else Nothing()


def _wanted(task: Task, target: Target) -> tuple[Deliverable, ...]:
    """The deliverables that may be meant: those named, else the products, else the check-in."""
    if target.deliverables:
        return tuple(d for d in task.deliverables if d.number in target.deliverables)
    if target.period is not None and not target.every:
        return task.products or task.deliverables
    return task.products or task.deliverables


def _asks(task: Task, target: Target, wanted: Sequence[Deliverable]) -> bool:
    """Several products and none named: a bare code is a question. BC's follow one another."""
    named = bool(target.deliverables) or target.every
    return not named and len(wanted) > 1 and any(d.kind is not Kind.REPORT for d in task.products)


def _earliest_each(
    wanted: Sequence[Deliverable], opened: Sequence[State], *, together: bool
) -> tuple[State, ...]:
    """The earliest open occurrence of each wanted deliverable, or of all of them `together`."""
    undone = _open(opened)
    if together:
        return undone[:1]
    firsts = [next((s for s in undone if s.occurrence.deliverable == d), None) for d in wanted]
    return tuple(s for s in firsts if s is not None)


def _open(states: Iterable[State]) -> tuple[State, ...]:
    return tuple(state for state in states if not state.closed)


def _latest(states: Sequence[State]) -> State:
    return max(states, key=lambda s: s.closed.at.timestamp() if s.closed else 0.0)


def _urgency(state: State) -> tuple[date, int]:
    return state.due or date.max, state.key.deliverable
