"""The weekly digest: its figures, what is late, what is due next, what the office has to decide.

It is computed from the events before one point in time, so that the digest of any week can be
computed again. Each occurrence counts as one: each month of a monthly task, each check-in. Shared
work that all units must confirm (Confirm.ALL) is closed when the last of them has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from reminder.domain.calendar import instant, local_day, monday_of
from reminder.domain.ledger import Event, State, fold, folded
from reminder.domain.plan import Key, Plan, occurrences
from reminder.domain.schedule import Scheduler

AHEAD = timedelta(days=14)  # after the Sunday of the week, listed as “the next two weeks”


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The numbers of occurrences by their state.

    Each one that is closed or has begun counts in exactly one of `in_time`, `done_late`, `open`.
    The other three are subsets of `open`, and may overlap.
    """

    in_time: int = 0  # closed by the due day rolled forward to a working day, or undated
    done_late: int = 0  # closed after that day
    open: int = 0  # not closed, and its period has begun or it is late
    late: int = 0  # open, and at least one working day past the rolled due day
    signing: int = 0  # open, and a unit has handed it in for signature (chờ ký)
    awaiting: int = 0  # open, and without a date (chưa có hạn)


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitFigures:
    """The numbers of one unit's parts.

    Of work that all units must confirm, its own part; other shared work counts as a whole for each
    of its lead units.
    """

    unit: str
    done: int
    open: int  # has begun, and is not late
    late: int

    @property
    def total(self) -> int:
        return self.done + self.open + self.late


@dataclass(frozen=True, kw_only=True, slots=True)
class Digest:
    """The state of the work at `at`; each list is in the order of the due days."""

    at: datetime
    day: date  # the local day at `at`
    since: datetime | None  # the time of the digest before; None: this is the first
    plans: tuple[Plan, ...]  # those that speak on `day`
    figures: Figures
    before: Figures | None  # of the same plans at `since`
    units: tuple[UnitFigures, ...]  # those that lead anything closed or begun, in the plan's order
    late: tuple[State, ...]
    this_week: tuple[State, ...]  # due by Sunday, and not late
    next_weeks: tuple[State, ...]  # due in the two weeks after it
    done: tuple[State, ...]  # closed from `since` on
    answered: tuple[State, ...]  # check-ins of the running period that are closed
    missing: tuple[State, ...]  # check-ins of the running period that are open
    signing: tuple[State, ...]  # chờ ký
    awaiting: tuple[State, ...]  # chưa có hạn
    assumed: tuple[State, ...]  # hạn dự kiến, including what has not begun
    requests: tuple[State, ...]  # undecided requests for an extension


def digest(
    plans: Sequence[Plan],
    events: Sequence[Event],
    scheduler: Scheduler,
    at: datetime,
    *,
    started: datetime | None = None,
    initial: Mapping[Key, State] | None = None,
) -> Digest:
    """Return the digest at `at`, from the `events` before it.

    A plan that begins within the next weeks counts in what is due, and in nothing else. A digest
    before `started`, the first start of the program, was never sent: none is compared with it.
    `initial`: the states of these plans without events, where they are known.
    """
    day = local_day(at)
    mine = speaking(plans, scheduler, day)
    since = previous(mine, scheduler, day)
    if since and started and local_day(since) < local_day(started):
        since = None
    sunday = monday_of(day) + timedelta(days=6)

    def of_years(states: Iterable[State], last: date) -> list[State]:
        """Those of plan years that speak, and have begun by `last`."""
        over = scheduler.policy.is_over
        return [s for s in states if s.occurrence.year.first <= last and not over(s, day)]

    states = of_years(_states(mine, events, at, initial), day)
    alive = [s for s in states if not s.closed]
    coming = [p for p in plans if day < p.first_day <= sunday + AHEAD]
    ids = {plan.id for plan in (*mine, *coming)}
    events = [event for event in events if event.key.plan in ids]  # not those of earlier years
    dated = [
        s
        for s in of_years(_states([*mine, *coming], events, at, initial), sunday + AHEAD)
        if not s.closed and s.due and not scheduler.days_late(s, day)
    ]
    earlier = of_years(_states(mine, events, since, initial), day) if since else []
    before = figures(earlier, scheduler, local_day(since)) if since else None
    check_ins = [s for s in states if s.occurrence.is_check_in]
    running = [s for s in check_ins if s.occurrence.period.covers(day)]
    return Digest(
        at=at,
        day=day,
        since=since,
        plans=tuple(mine),
        figures=figures(states, scheduler, day),
        before=before,
        units=tuple(_of_units(mine, states, scheduler, day)),
        late=_those(alive, lambda s: scheduler.days_late(s, day) > 0),
        this_week=_those(dated, lambda s: _due(s) <= sunday),
        next_weeks=_those(dated, lambda s: sunday < _due(s) <= sunday + AHEAD),
        done=_those(states, lambda s: bool(s.closed and (since is None or s.closed.at >= since))),
        answered=_those(running, lambda s: s.closed is not None),
        missing=_those(running, lambda s: s.closed is None),
        signing=_those(alive, lambda s: bool(s.submitted)),
        awaiting=_those(alive, lambda s: s.due is None),
        assumed=_those(alive, lambda s: s.assumed),
        requests=_those(alive, lambda s: s.request is not None),
    )


def speaking(plans: Iterable[Plan], scheduler: Scheduler, day: date) -> list[Plan]:
    """Return the plans that speak on `day`, the earlier year first."""
    last_day = scheduler.policy.last_day
    found = (p for p in plans if p.first_day <= day <= last_day(p))
    return sorted(found, key=lambda plan: plan.year)


def digest_day(scheduler: Scheduler, day: date) -> date | None:
    """Return the first working day of the week of `day`, Monday to Sunday; None without one."""
    monday = monday_of(day)
    return next(iter(scheduler.calendar.between(monday, monday + timedelta(days=6))), None)


def previous(plans: Sequence[Plan], scheduler: Scheduler, day: date) -> datetime | None:
    """Return the time of the last digest before the week of `day`; None if there was none.

    That is not always a week ago: the week of Tết has no digest.
    """
    before = [each for each in scheduler.digest_days(plans) if each < monday_of(day)]
    return instant(max(before), scheduler.policy.digest) if before else None


def figures(states: Iterable[State], scheduler: Scheduler, day: date) -> Figures:
    """Return the figures of `states` on `day`."""
    return Figures(**Counter(name for s in states for name in figures_of(s, scheduler, day)))


def figures_of(state: State, scheduler: Scheduler, day: date) -> list[str]:
    """Return the names of the figures in which `state` counts; none if it has not begun."""
    if state.closed:
        return ["in_time" if closed_in_time(state, scheduler) else "done_late"]
    late = scheduler.days_late(state, day) > 0
    if not late and state.occurrence.opens > day:
        return []
    subsets = {"late": late, "signing": state.submitted, "awaiting": state.due is None}
    return ["open", *(name for name, counts in subsets.items() if counts)]


def begun(state: State, scheduler: Scheduler, day: date) -> bool:
    """Return whether its period has begun, or it is late."""
    return state.occurrence.opens <= day or scheduler.days_late(state, day) > 0


def closed_in_time(state: State, scheduler: Scheduler) -> bool:
    """Return whether `state` was closed by its current due day, rolled forward to a working day.

    A term that ends on a day off ends with the next working day (Civil Code 2015, art. 148(5)).
    """
    return bool(state.closed and not scheduler.days_late(state, local_day(state.closed.at)))


def _states(
    plans: Sequence[Plan],
    events: Iterable[Event],
    at: datetime,
    initial: Mapping[Key, State] | None,
) -> list[State]:
    """Return the states by due day, undated ones last; in the plan's order within a day."""
    if initial is None:
        found = fold((o for plan in plans for o in occurrences(plan)), events, until=at)
    else:
        ids = {plan.id for plan in plans}
        mine = {key: state for key, state in initial.items() if key.plan in ids}
        found = folded(mine, (event for event in events if event.at < at))
    return sorted(found.values(), key=lambda s: s.due or date.max)


def _those(states: Iterable[State], wanted: Callable[[State], bool]) -> tuple[State, ...]:
    return tuple(filter(wanted, states))


def _due(state: State) -> date:
    return state.due or date.max


def parts_of(states: Iterable[State], unit: str) -> list[State]:
    """Return the states of what `unit` leads, each reduced to its own part."""
    return [
        replace(
            state,
            closed=state.closed_by(unit),
            submitted=state.submitted if state.awaits_signature(unit) else {},
        )
        for state in states
        if unit in state.occurrence.task.lead
    ]


def _of_units(
    plans: Sequence[Plan], states: Sequence[State], scheduler: Scheduler, day: date
) -> Iterator[UnitFigures]:
    for unit in dict.fromkeys(unit.id for plan in plans for unit in plan.units):
        found = figures(parts_of(states, unit), scheduler, day)
        done = found.in_time + found.done_late
        if done or found.open:
            yield UnitFigures(unit=unit, done=done, open=found.open - found.late, late=found.late)
