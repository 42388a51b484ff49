"""When an occurrence speaks: stages, and the messages that carry them.

Everything here is a function of its arguments; an interval of time is half-open, [since, until),
and splitting it yields the same messages as the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from reminder.domain.calendar import WorkCalendar, instant, local
from reminder.domain.ledger import Event, Span, State, history, spans
from reminder.domain.occurrences import Key, Occurrence, occurrences
from reminder.domain.plan import Deliverable, Kind, Plan


class Stage(NamedTuple):
    """A moment when an occurrence speaks, by its distance from the due day.

    Negative: calendar days before the written due day. Positive: working days after the due day
    rolled forward. A greater one is more urgent. `again`: a snooze that ends.
    """

    offset: int
    again: bool = False

    def __str__(self) -> str:
        if self.again:
            return "again"
        if self.offset == 0:
            return "due"
        return f"lead{self.offset}" if self.offset < 0 else f"late-{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Stage:
        """The stage that `str` gave; ValueError if it is none."""
        if text in ("again", "due"):
            return AGAIN if text == "again" else cls(0)
        word, _, number = text.partition("-")
        return cls(-int(number) if word == "lead" else int(number))


AGAIN = Stage(-10_000, again=True)  # less urgent than any stage of the same day


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """When one kind of deliverable speaks."""

    leads: tuple[int, ...]  # calendar days before the due day
    late: tuple[int, ...]  # working days after it
    late_every: int | None = None  # then on every multiple of this many working days


_Course = tuple[date, date, int, Timing]  # due, opens, the plan's year, timing
SHORT = 14  # days of an interval that are looked up one by one
COURSES = 10_000  # kept in mind; a year of one plan has some sixty


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The office's habits; every value is a setting, the defaults are the contract's."""

    once: Timing = Timing(leads=(14, 7, 3, 1, 0), late=(1, 3, 5), late_every=5)
    recurring: Timing = Timing(leads=(3, 0), late=(1, 3, 5))
    check_in: Timing = Timing(leads=(3, 0), late=(1, 3))
    report: Timing = Timing(leads=(7, 1, 0), late=(1, 3, 5))
    office_after: int = 1  # late-n that goes to the office
    leaders_after: int = 3  # late-n that goes to the leaders
    slot: time = time(8, 0)  # nudges and escalations, local time
    digest: time = time(7, 30)
    catch_up_until: time = time(17, 0)  # what a stop missed is said at once before this hour
    speaks_until: tuple[int, int] = (1, 31)  # month, day of the year after the plan's

    def timing(self, deliverable: Deliverable) -> Timing:
        """The timing of `deliverable`: its own where it has one."""
        base = {
            Kind.CHECK_IN: self.check_in,
            Kind.REPORT: self.report,
            Kind.PRODUCT: self.recurring if deliverable.recurs else self.once,
        }[deliverable.kind]
        return Timing(
            leads=base.leads if deliverable.leads is None else deliverable.leads,
            late=base.late if deliverable.late is None else deliverable.late,
            late_every=base.late_every if deliverable.late is None else None,
        )

    def last_day(self, plan_year: int) -> date:
        """The last day on which a plan of `plan_year` speaks."""
        return date(plan_year + 1, *self.speaks_until)


class MessageKind(StrEnum):
    """What kind of message is said."""

    DIGEST = "digest"
    NUDGE = "nudge"
    ESCALATION = "escalation"
    REQUEST = "request"  # an extension that the office has not decided


class Item(NamedTuple):
    """One occurrence in a message, at the stage that makes it speak."""

    key: Key
    due: date  # the written due day
    stage: Stage


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What is said to one unit at one instant."""

    at: datetime  # UTC
    unit: str
    kind: MessageKind
    items: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Scheduler:
    """The calendar and the policy under which plans speak."""

    calendar: WorkCalendar
    policy: Policy = field(default_factory=Policy)
    # Many occurrences share a due day and a timing: their stages are reckoned once.
    _stages: dict[_Course, Mapping[date, Stage]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def stages(self, state: State) -> Mapping[date, Stage]:
        """Each day on which `state` speaks to its units, with the most urgent stage of that day."""
        if state.due is None:
            return {}
        occurrence = state.occurrence
        course = (
            state.due,
            occurrence.opens,
            occurrence.period.year,
            self.policy.timing(occurrence.deliverable),
        )
        if course not in self._stages:
            if len(self._stages) >= COURSES:
                self._stages.clear()
            self._stages[course] = self._course(*course)
        return self._stages[course]

    def _course(self, due: date, opens: date, year: int, timing: Timing) -> dict[date, Stage]:
        days: dict[date, Stage] = {}
        for lead in sorted(timing.leads, reverse=True):  # the more urgent ones overwrite
            day = self.calendar.roll_back(due - timedelta(days=lead))
            if day >= opens:
                days[day] = Stage(-lead)
        first_late = self.calendar.roll_forward(due) + timedelta(days=1)
        late_days = self.calendar.between(first_late, self.policy.last_day(year))
        for number, day in enumerate(late_days, start=1):
            if _speaks_late(timing, number):
                days[day] = Stage(number)
        return days

    def escalation_stages(self, state: State, plan: Plan) -> dict[str, tuple[date, Stage]]:
        """Each unit above the work that hears of `state` when it is late, with day and stage.

        The office hears of everything it does not lead itself; the leaders only of firm dates.
        """
        if state.due is None:
            return {}
        told = {}
        last = self.policy.last_day(state.occurrence.period.year)
        late_days = self.calendar.between(self._rolled(state) + timedelta(days=1), last)
        if plan.office not in state.occurrence.task.lead:
            told[plan.office] = self.policy.office_after
        if not state.assumed and not state.occurrence.is_check_in:
            told[plan.leaders] = self.policy.leaders_after
        return {
            unit: (late_days[number - 1], Stage(number))
            for unit, number in told.items()
            if number <= len(late_days)
        }

    def days_late(self, state: State, today: date) -> int:
        """How many working days `state` is late on `today`; 0 if it is not."""
        return 0 if state.due is None else self.calendar.count(self._rolled(state), today)

    def _rolled(self, state: State) -> date:
        assert state.due is not None
        return self.calendar.roll_forward(state.due)

    def speaks(
        self, state: State, days: Sequence[date] | None = None
    ) -> Iterator[tuple[date, str, Stage]]:
        """Each (day, unit, stage) at which `state` nudges a unit that still has to act.

        `days`: no other days are looked at, but for the end of a snooze; None: all.
        """
        stages = self.stages(state)
        spoken = stages.items() if days is None else [(d, stages[d]) for d in days if d in stages]
        if (freed := self._freed(state)) and freed[0] not in stages:
            spoken = [*spoken, *([freed] if days is None or freed[0] in days else [])]
        if not spoken and not state.snoozed:
            return
        for unit in state.open_units:
            if state.awaits_signature(unit):
                continue
            silent_until = state.snoozed.get(unit)
            if silent_until is not None:
                silent_until = self.calendar.roll_forward(silent_until)
            if silent_until is not None and silent_until not in stages:
                yield silent_until, unit, AGAIN
            for day, stage in spoken:
                held = state.held_until is not None and day < state.held_until
                if not held and (silent_until is None or day >= silent_until):
                    yield day, unit, stage

    def _freed(self, state: State) -> tuple[date, Stage] | None:
        """Late work that was held back since a first start speaks on the day on which that ends.

        Its next stage may be a week away, or, of a check-in, none may be left.
        """
        if state.held_until is None:
            return None
        day = self.calendar.roll_forward(state.held_until)
        late = self.days_late(state, day)
        within = day <= self.policy.last_day(state.occurrence.period.year)
        return (day, Stage(late)) if late and within else None

    def escalates(self, state: State, plan: Plan) -> Iterator[tuple[date, str, Stage]]:
        """Each (day, unit, stage) at which `state` is told to the office or the leaders."""
        if state.closed:
            return
        for unit, (day, stage) in self.escalation_stages(state, plan).items():
            if state.held_until is None or day >= state.held_until:
                yield day, unit, stage

    def asks_again(self, state: State, plan: Plan) -> Iterator[tuple[date, str, Stage]]:
        """The working day before the due day: what was asked earlier still waits for the office."""
        if state.closed or state.due is None or state.request is None:
            return
        day = self.calendar.before(state.due)
        if day > local_day(state.request.at):
            yield day, plan.office, Stage((day - state.due).days)

    def digest_days(self, plans: Sequence[Plan]) -> list[date]:
        """The first working day of each week in which a plan speaks."""
        if not plans:
            return []
        first = min(plan.first_day for plan in plans)
        last = max(self.policy.last_day(plan.year) for plan in plans)
        days: dict[tuple[int, int], date] = {}
        for day in self.calendar.between(first - timedelta(days=6), last):
            days.setdefault(day.isocalendar()[:2], day)
        spoken = [(plan.first_day, self.policy.last_day(plan.year)) for plan in plans]
        return [d for d in days.values() if any(start <= d <= end for start, end in spoken)]

    def messages(
        self,
        plans: Sequence[Plan],
        events: Mapping[Key, Sequence[Event]],
        since: datetime,
        until: datetime,
    ) -> list[Message]:
        """All that is said in [since, until), in order, when `events` happen at their times."""
        every = ((plan, occurrence) for plan in plans for occurrence in occurrences(plan))
        return self.messages_of(plans, every, events, since, until)

    def messages_of(
        self,
        plans: Sequence[Plan],
        some: Iterable[tuple[Plan, Occurrence]],
        events: Mapping[Key, Sequence[Event]],
        since: datetime,
        until: datetime,
    ) -> list[Message]:
        """As `messages`, but only `some` of the plans' occurrences speak, in their order there."""
        items: dict[tuple[datetime, MessageKind, str], list[Item]] = {}
        for plan, occurrence in some:
            said = self._said(plan, occurrence, events.get(occurrence.key, ()), since, until)
            for at, kind, unit, item in said:
                items.setdefault((at, kind, unit), []).append(item)
        digests: dict[int, list[datetime]] = {}
        for plan in plans:
            if plan.year not in digests:
                moments = (instant(d, self.policy.digest) for d in self.digest_days([plan]))
                digests[plan.year] = [at for at in moments if since <= at < until]
            for at in digests[plan.year]:
                items.setdefault((at, MessageKind.DIGEST, plan.office), [])
        order = {unit.id: n for plan in plans for n, unit in enumerate(plan.units)}
        return [
            Message(
                at=at, unit=unit, kind=kind, items=tuple(sorted(items[at, kind, unit], key=_by_due))
            )
            for at, kind, unit in sorted(
                items, key=lambda slot: (slot[0], list(MessageKind).index(slot[1]), order[slot[2]])
            )
        ]

    def _said(
        self,
        plan: Plan,
        occurrence: Occurrence,
        events: Sequence[Event],
        since: datetime,
        until: datetime,
    ) -> Iterator[tuple[datetime, MessageKind, str, Item]]:
        first, last = local_day(since), local_day(until)
        short = (last - first).days < SHORT
        days = (
            [first + timedelta(days=n) for n in range((last - first).days + 1)] if short else None
        )
        for span in spans(history(occurrence, events)):
            state = span.state
            if state.due is None or state.closed:
                continue
            spoken = [
                (MessageKind.NUDGE, self.speaks(state, days)),
                (MessageKind.ESCALATION, self.escalates(state, plan)),
                (MessageKind.REQUEST, self.asks_again(state, plan)),
            ]
            for kind, moments in spoken:
                for day, unit, stage in moments:
                    if not (span.closed or first <= day <= last):
                        continue  # before its instant is reckoned, which costs more than the rest
                    at = instant(day, self.policy.slot)
                    if kind is MessageKind.ESCALATION:
                        at = self._once_open(span, at, state.due)
                    if since <= at < until and span.holds(at):
                        yield at, kind, unit, Item(occurrence.key, state.due, stage)

    def _once_open(self, span: Span, at: datetime, due: date) -> datetime:
        """`at`, or the first slot after it at which what was thought done was open again."""
        for start, end, then in span.closed:
            if start <= at < end and then == due:
                at = self._slot_from(end)
        return at

    def _slot_from(self, start: datetime) -> datetime:
        """The first slot of a working day at or after `start`."""
        day = self.calendar.roll_forward(local_day(start))
        at = instant(day, self.policy.slot)
        return at if at >= start else instant(self.calendar.after(day, 1), self.policy.slot)

    def next_wake(
        self,
        plans: Sequence[Plan],
        events: Mapping[Key, Sequence[Event]],
        now: datetime,
    ) -> datetime | None:
        """The next instant after `now` at which anything is said; None if nothing ever is."""
        if not plans:
            return None
        end = instant(max(self.policy.last_day(p.year) for p in plans), time(23, 59))
        step = now + timedelta(microseconds=1)
        while step < end:
            following = min(end, step + timedelta(days=14))
            said = self.messages(plans, events, step, following)
            if said:
                return said[0].at
            step = following
        return None


def _by_due(item: Item) -> date:
    """What is due first stands first; ties keep the plan's order."""
    return item.due


def _speaks_late(timing: Timing, number: int) -> bool:
    if number in timing.late:
        return True
    beyond = not timing.late or number > max(timing.late)
    return bool(timing.late_every and beyond and number % timing.late_every == 0)


@lru_cache(maxsize=1024)  # a tick asks for the same few moments thousands of times
def local_day(at: datetime) -> date:
    """The office's day at the instant `at`."""
    return local(at).date()
