"""The weekly digest's figures: what is late, what comes, what was done, what has to be decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from reminder.core.ledger import State
from reminder.core.occurrences import Key
from reminder.core.plan import Plan
from reminder.core.schedule import Scheduler
from reminder.core.workdays import local

AHEAD = timedelta(days=14)  # how far the digest looks beyond the week


@dataclass(frozen=True, kw_only=True, slots=True)
class Digest:
    """One week as the office sees it on `day`; each list is in the order of the due days."""

    day: date
    late: tuple[State, ...]
    this_week: tuple[State, ...]  # due from `day` to Sunday
    next_weeks: tuple[State, ...]  # due in the two weeks after it
    done: tuple[State, ...]  # closed in the seven days before `day`
    signing: tuple[State, ...]  # chờ ký
    awaiting: tuple[State, ...]  # chưa có hạn
    assumed: tuple[State, ...]  # hạn dự kiến
    requests: tuple[State, ...]  # extensions that wait for a decision

    @property
    def all_is_well(self) -> bool:
        return not self.late


def digest(
    plans: Sequence[Plan], states: Mapping[Key, State], scheduler: Scheduler, day: date
) -> Digest:
    """The digest of `day`; an event after that day's start counts as told already."""
    speaking = {plan.id for plan in plans if plan.first_day <= day + timedelta(days=7)}
    mine = sorted(
        (s for s in states.values() if s.key.plan in speaking), key=lambda s: s.due or date.max
    )
    alive = [s for s in mine if not s.closed]
    sunday = day + timedelta(days=6 - day.weekday())
    return Digest(
        day=day,
        late=tuple(s for s in alive if scheduler.days_late(s, day)),
        this_week=tuple(s for s in alive if s.due and _not_late(scheduler, s, day, sunday)),
        next_weeks=tuple(s for s in alive if s.due and sunday < s.due <= sunday + AHEAD),
        done=tuple(s for s in mine if _closed_since(s, day - timedelta(days=7), day)),
        signing=tuple(s for s in alive if s.submitted),
        awaiting=tuple(s for s in alive if s.due is None),
        assumed=tuple(s for s in alive if s.assumed),
        requests=tuple(s for s in alive if s.request),
    )


def _not_late(scheduler: Scheduler, state: State, day: date, sunday: date) -> bool:
    return bool(state.due and state.due <= sunday and not scheduler.days_late(state, day))


def _closed_since(state: State, first: date, day: date) -> bool:
    return bool(state.closed and first <= local(state.closed.at).date() < day)
