"""What is said to which unit at which time, and what a tick sends of it.

A stage is a day on which an occurrence speaks; a message carries the stages of one unit and slot.
Intervals of time are half-open, [since, until): splitting one yields the same messages. A tick
takes the stages since the tick before; of several of one occurrence, after a stop, the newest is
sent and the others are noted as skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import NamedTuple

from reminder.domain.calendar import Period, WorkCalendar, days_between, instant, local, local_day
from reminder.domain.ledger import (
    CLOSING,
    Event,
    Span,
    State,
    fold,
    history,
    initial,
    spans,
)
from reminder.domain.plan import Deliverable, Key, Kind, Occurrence, Plan, occurrences


class Stage(NamedTuple):
    """A moment when an occurrence speaks, by its distance from the due day.

    Negative: calendar days before the written due day. Positive: working days after the due day
    rolled forward. A greater one is more urgent. `again`: a snooze ends.
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
        """Return the stage that `str` wrote; raise ValueError if it is none."""
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


# Days. Up to this length of an interval, looking up its days is faster than going through all
# stages of an occurrence.
SHORT_INTERVAL = 14
WINDOWS = 4  # sets of slots of which an index keeps what is said: most offices tick alike
_TICK = timedelta(microseconds=1)  # turns (since, now] into a half-open interval


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """When messages are sent; every value is a setting ([schedule] in config/reminder.toml)."""

    once: Timing = Timing(leads=(14, 7, 3, 1, 0), late=(1, 3, 5), late_every=5)
    recurring: Timing = Timing(leads=(3, 0), late=(1, 3, 5))
    check_in: Timing = Timing(leads=(3, 0), late=(1, 3))
    report: Timing = Timing(leads=(7, 1, 0), late=(1, 3, 5))
    office_after: int = 1  # the late stage at which the office is told
    leaders_after: int = 3  # the late stage at which the leaders are told
    slot: time = time(8, 0)  # of nudges and escalations, local time
    digest: time = time(7, 30)  # of the weekly digest, local time
    catch_up_until: time = time(17, 0)  # missed messages are sent at once until then
    speaks_until: tuple[int, int] = (1, 31)  # month and day of the year after the plan's

    def timing(self, deliverable: Deliverable) -> Timing:
        """Return the timing of its kind, with the deliverable's own days where it has some."""
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

    def last_day(self, plan: Plan) -> date:
        """Return the last day on which `plan` speaks: so long after its year, or last due day."""
        return max(plan.last_day, plan.last_due) + self._grace(plan.last_day.year)

    def last_day_of(self, state: State) -> date:
        """Return the last day on which `state` speaks."""
        end = state.occurrence.year.last
        return max(end, state.due or end) + self._grace(end.year)

    def last_day_of_year(self, year: Period) -> date:
        """Return the last day on which a year of a plan speaks."""
        return year.last + self._grace(year.last.year)

    def is_over(self, state: State, day: date) -> bool:
        """Return whether the year that `state` belongs to has fallen silent by `day`."""
        return day > self.last_day_of(state)

    def _grace(self, year: int) -> timedelta:
        return date(year + 1, *self.speaks_until) - date(year, 12, 31)


class MessageKind(StrEnum):
    """The kinds of messages that the schedule sends."""

    DIGEST = "digest"
    NUDGE = "nudge"
    ESCALATION = "escalation"
    REQUEST = "request"  # an extension that the office has not decided


class Item(NamedTuple):
    """One occurrence in a message."""

    key: Key
    due: date  # the written due day
    stage: Stage


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """The message to one unit at one time."""

    at: datetime  # UTC
    unit: str
    kind: MessageKind
    items: tuple[Item, ...] = ()


Said = tuple[datetime, MessageKind, str, Item]  # when, how, to which unit, what


@dataclass(frozen=True)
class Scheduler:
    """Works out messages under a calendar and a policy."""

    calendar: WorkCalendar
    policy: Policy = field(default_factory=Policy)

    def stages(self, state: State) -> Mapping[date, Stage]:
        """Return the days on which `state` speaks to its lead units, each with its stage."""
        if state.due is None:
            return {}
        occurrence = state.occurrence
        timing = self.policy.timing(occurrence.deliverable)
        return self._stages(state.due, occurrence.opens, self.policy.last_day_of(state), timing)

    @cached_property
    def _stages(self) -> Callable[[date, date, date, Timing], Mapping[date, Stage]]:
        """Many occurrences share a due day and a timing; a year of one plan has about sixty."""
        return lru_cache(10_000)(self._compute_stages)

    def _compute_stages(
        self, due: date, opens: date, until: date, timing: Timing
    ) -> dict[date, Stage]:
        days: dict[date, Stage] = {}
        for lead in sorted(timing.leads, reverse=True):  # the more urgent ones overwrite
            day = self.calendar.roll_back(due - timedelta(days=lead))
            if day >= opens:
                days[day] = Stage(-lead)
        first_late = self.calendar.roll_forward(due) + timedelta(days=1)
        late_days = self.calendar.between(first_late, until)
        for number, day in enumerate(late_days, start=1):
            if _speaks_late(timing, number):
                days[day] = Stage(number)
        return days

    def escalation_stages(self, state: State, plan: Plan) -> dict[str, tuple[date, Stage]]:
        """Return the units to which `state` escalates, each with the day and the stage.

        The office is told of everything that it does not lead itself, the leaders of firm dates.
        """
        if state.due is None:
            return {}
        told = {}
        last = self.policy.last_day_of(state)
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
        """Return how many working days `state` is past its due day on `today`; 0 if it is not."""
        return 0 if state.due is None else self.calendar.count(self._rolled(state), today)

    def _rolled(self, state: State) -> date:
        assert state.due is not None
        return self.calendar.roll_forward(state.due)

    def speaks(
        self, state: State, days: Sequence[date] | None = None
    ) -> Iterator[tuple[date, str, Stage]]:
        """Yield each (day, unit, stage) at which a unit with an open part is nudged.

        `days` limits the result to these days, and the days on which a snooze ends.
        """
        stages = self.stages(state)
        spoken = stages.items() if days is None else [(d, stages[d]) for d in days if d in stages]
        if (freed := self._hold_ends(state)) and freed[0] not in stages:
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
                if not state.is_held(day) and (silent_until is None or day >= silent_until):
                    yield day, unit, stage

    def _hold_ends(self, state: State) -> tuple[date, Stage] | None:
        """Return the day on which held work (EventKind.HELD) speaks again, if it is late by then.

        Its next stage may be a week away, and a check-in may have none left.
        """
        if state.held_until is None:
            return None
        day = self.calendar.roll_forward(state.held_until)
        late = self.days_late(state, day)
        within = day <= self.policy.last_day_of(state)
        return (day, Stage(late)) if late and within else None

    def escalates(self, state: State, plan: Plan) -> Iterator[tuple[date, str, Stage]]:
        """Yield each (day, unit, stage) at which `state` escalates to the office or the leaders."""
        if state.closed:
            return
        for unit, (day, stage) in self.escalation_stages(state, plan).items():
            if not state.is_held(day):
                yield day, unit, stage

    def asks_again(self, state: State, plan: Plan) -> Iterator[tuple[date, str, Stage]]:
        """Yield the reminder of an undecided request, on the working day before the due day."""
        if state.closed or state.due is None or state.request is None:
            return
        day = self.calendar.before(state.due)
        if day > local_day(state.request.at):
            yield day, plan.office, Stage((day - state.due).days)

    def digest_days(self, plans: Sequence[Plan]) -> list[date]:
        """Return the first working day of each week in which a plan speaks."""
        if not plans:
            return []
        first = min(plan.first_day for plan in plans)
        last = max(self.policy.last_day(plan) for plan in plans)
        spoken = [(plan.first_day, self.policy.last_day(plan)) for plan in plans]
        weeks = self._weeks(first, last)
        return [d for d in weeks if any(start <= d <= end for start, end in spoken)]

    def _weeks(self, first: date, last: date) -> Iterable[date]:
        """Return the first working day of each week between two days."""
        days: dict[tuple[int, int], date] = {}
        for day in self.calendar.between(first - timedelta(days=6), last):
            days.setdefault(day.isocalendar()[:2], day)
        return days.values()

    def messages(
        self,
        plans: Sequence[Plan],
        events: Mapping[Key, Sequence[Event]],
        since: datetime,
        until: datetime,
        some: Iterable[tuple[Plan, Occurrence]] | None = None,
    ) -> list[Message]:
        """Return the messages of [since, until) in order, given the `events` of the occurrences.

        Of `some` of the plans' occurrences, given in the plans' order; None: of all.
        """
        if some is None:
            some = ((plan, occurrence) for plan in plans for occurrence in occurrences(plan))
        said = (
            each
            for plan, occurrence in some
            for each in self.said(plan, occurrence, events.get(occurrence.key, ()), since, until)
        )
        return self.gathered(plans, said, since, until)

    def gathered(
        self, plans: Sequence[Plan], said: Iterable[Said], since: datetime, until: datetime
    ) -> list[Message]:
        """Return the messages that say `said`, and the digests of [since, until), in order."""
        items: dict[tuple[datetime, MessageKind, str], list[Item]] = {}
        for at, kind, unit, item in said:
            items.setdefault((at, kind, unit), []).append(item)
        for plan in plans:
            for at in self._digests(plan.first_day, self.policy.last_day(plan)):
                if since <= at < until:
                    items.setdefault((at, MessageKind.DIGEST, plan.office), [])
        order = {unit.id: n for plan in plans for n, unit in enumerate(plan.units)}
        return [
            Message(at=at, unit=unit, kind=kind, items=by_due(items[at, kind, unit]))
            for at, kind, unit in sorted(
                items, key=lambda slot: (slot[0], list(MessageKind).index(slot[1]), order[slot[2]])
            )
        ]

    @cached_property
    def _digests(self) -> Callable[[date, date], Sequence[datetime]]:
        """The times of the digests of a plan that speaks from one day to another."""
        return lru_cache(1000)(self._compute_digests)

    def _compute_digests(self, first: date, last: date) -> list[datetime]:
        days = (day for day in self._weeks(first, last) if first <= day <= last)
        return [instant(day, self.policy.digest) for day in days]

    def said(
        self,
        plan: Plan,
        occurrence: Occurrence,
        events: Sequence[Event],
        since: datetime,
        until: datetime,
        state: State | None = None,
    ) -> Iterator[Said]:
        """Yield what is said of an occurrence in [since, until), in no order.

        `state`: the one that follows from `events`, where it is known.
        """
        first, last = local_day(since), local_day(until)
        short = (last - first).days < SHORT_INTERVAL
        days = days_between(first, last) if short else None
        for span in _spans(occurrence, events, since, state):
            state = span.state
            if state.due is None or state.closed:
                continue
            asks = state.snoozed or state.request or span.closed
            if state.is_held(last) and not asks:
                continue
            spoken = [
                (MessageKind.NUDGE, self.speaks(state, days)),
                (MessageKind.ESCALATION, self.escalates(state, plan)),
                (MessageKind.REQUEST, self.asks_again(state, plan)),
            ]
            for kind, moments in spoken:
                for day, unit, stage in moments:
                    if not (span.closed or first <= day <= last):
                        continue  # computing the instant costs more than all of the rest
                    at = instant(day, self.policy.slot)
                    if kind is MessageKind.ESCALATION:
                        at = self._once_open(span, at, state.due)
                    if since <= at < until and span.covers(at):
                        yield at, kind, unit, Item(occurrence.key, state.due, stage)

    def _once_open(self, span: Span, at: datetime, due: date) -> datetime:
        """Return `at`, or the first slot after the reopening if the work was closed at `at`."""
        for start, end, then in span.closed:
            if start <= at < end and then == due:
                at = self._slot_from(end)
        return at

    def _slot_from(self, start: datetime) -> datetime:
        """Return the first slot of a working day at or after `start`."""
        day = self.calendar.roll_forward(local_day(start))
        at = instant(day, self.policy.slot)
        return at if at >= start else instant(self.calendar.after(day, 1), self.policy.slot)

    def next_wake(
        self,
        plans: Sequence[Plan],
        events: Mapping[Key, Sequence[Event]],
        now: datetime,
    ) -> datetime | None:
        """Return the time of the next message after `now`; None if there is none."""
        if not plans:
            return None
        end = instant(max(self.policy.last_day(p) for p in plans), time(23, 59))
        said = self.messages(plans, events, now + _TICK, end)
        return said[0].at if said else None

    def is_last_call(self, state: State, stage: Stage) -> bool:
        """Return whether `stage` is a report's last one by its due day; its draft goes along."""
        if state.occurrence.deliverable.kind is not Kind.REPORT or stage.again:
            return False
        return stage == max((s for s in self.stages(state).values() if s.offset <= 0), default=None)


def _spans(
    occurrence: Occurrence, events: Sequence[Event], since: datetime, state: State | None
) -> Iterable[Span]:
    """Return the spans of an occurrence that matter from `since` on.

    The last alone where all events are older, and none has closed it.
    """
    if state is not None and all(e.at < since and e.kind not in CLOSING for e in events):
        return (Span(state=state, start=None, end=None, closed=()),)
    return spans(history(occurrence, events))


def by_due(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return the order of states: the earlier due day first, within a day the plan's."""
    return tuple(sorted(items, key=lambda item: item.due))


def _speaks_late(timing: Timing, number: int) -> bool:
    if number in timing.late:
        return True
    beyond = not timing.late or number > max(timing.late)
    return bool(timing.late_every and beyond and number % timing.late_every == 0)


@dataclass(frozen=True)
class StageIndex:
    """Which occurrences may speak on which day, so that a tick need not go through all of them."""

    scheduler: Scheduler
    plans: Sequence[Plan]

    @cached_property
    def occurrences(self) -> Mapping[str, Sequence[Occurrence]]:
        """The occurrences of each plan, by its id."""
        return {plan.id: occurrences(plan) for plan in self.plans}

    @cached_property
    def initial(self) -> Mapping[Key, State]:
        """The state of each occurrence without events."""
        return fold((each for of_plan in self.occurrences.values() for each in of_plan), ())

    @cached_property
    def shared(self) -> StageIndex:
        """The index whose parts this one has: itself, but where it is of `for_twins`."""
        return self

    def for_twins(self, plans: Sequence[Plan]) -> StageIndex:
        """Return the index of plans that differ in nothing that a schedule depends on."""
        found = StageIndex(self.scheduler, plans)
        parts = ("occurrences", "initial", "shared", "_places", "_by_day", "_unchanged")
        vars(found).update({name: getattr(self, name) for name in parts})
        return found

    @cached_property
    def _all(self) -> Sequence[tuple[Plan, Occurrence]]:
        return [(plan, each) for plan in self.plans for each in self.occurrences[plan.id]]

    @cached_property
    def _places(self) -> Mapping[Key, int]:
        return {occurrence.key: n for n, (_, occurrence) in enumerate(self._all)}

    @cached_property
    def _by_day(self) -> Mapping[date, Sequence[int]]:
        """The places of the occurrences that speak on each day as long as they have no events."""
        found: dict[date, list[int]] = {}
        for n, (plan, occurrence) in enumerate(self._all):
            state = initial(occurrence)
            days = set(self.scheduler.stages(state))
            days |= {day for day, _ in self.scheduler.escalation_stages(state, plan).values()}
            for day in days:
                found.setdefault(day, []).append(n)
        return found

    def messages(
        self,
        plans: Sequence[Plan],
        events: Mapping[Key, Sequence[Event]],
        states: Mapping[Key, State],
        since: datetime,
        until: datetime,
    ) -> list[Message]:
        """As `Scheduler.messages`, for some of the index's plans.

        `states` are those that follow from `events`.
        """
        wanted = {plan.id for plan in plans}
        touched = {key: self._places[key] for key in events if key in self._places}
        days = days_between(local_day(since), local_day(until))
        places = {place for day in days for place in self._by_day.get(day, ())}
        places.difference_update(touched.values())
        places.update(
            place for key, place in touched.items() if not _is_over(states[key], events[key], since)
        )
        unchanged = self._of_slots(since, until, days)
        said: list[Said] = []
        for n in sorted(places):
            plan, occurrence = self._all[n]
            key = occurrence.key
            if plan.id not in wanted:
                continue
            if key in touched:
                known = events[key], since, until, states[key]
                said += self.scheduler.said(plan, occurrence, *known)
            else:
                if n not in unchanged:
                    unchanged[n] = tuple(
                        self.scheduler.said(plan, occurrence, (), since, until, states[key])
                    )
                said += unchanged[n]
        return self.scheduler.gathered(plans, said, since, until)

    def _of_slots(
        self, since: datetime, until: datetime, days: Iterable[date]
    ) -> dict[int, tuple[Said, ...]]:
        """Return what occurrences without events say, by place, as far as that is known.

        It is the same between two times that have the same slots between them.
        """
        slots = [instant(day, self.scheduler.policy.slot) for day in days]
        within = tuple(slot for slot in slots if since <= slot < until)
        if within not in self._unchanged and len(self._unchanged) >= WINDOWS:
            self._unchanged.clear()
        return self._unchanged.setdefault(within, {})

    @cached_property
    def _unchanged(self) -> dict[tuple[datetime, ...], dict[int, tuple[Said, ...]]]:
        return {}


def _is_over(state: State, said: Sequence[Event], since: datetime) -> bool:
    """Return whether it was closed before `since` and has no later event: it does not speak."""
    return state.closed is not None and all(event.at < since for event in said)


@dataclass(frozen=True, slots=True)
class DueMessages:
    """The messages that a tick sends, all for today's slot, and the stages that it skips.

    A stage is skipped if a newer one is sent, or it is no longer true.
    """

    messages: tuple[Message, ...]
    skipped: tuple[tuple[str, MessageKind, Item], ...]  # each with its unit


def speaking_hours(scheduler: Scheduler, kind: MessageKind, now: datetime) -> bool:
    """Return whether `kind` may be sent at `now`: a working day, from its slot on."""
    policy = scheduler.policy
    start = policy.digest if kind is MessageKind.DIGEST else policy.slot
    clock = local(now).time()
    return scheduler.calendar.is_working(local_day(now)) and start <= clock < policy.catch_up_until


def due_now(
    index: StageIndex,
    plans: Sequence[Plan],
    events: Mapping[Key, Sequence[Event]],
    states: Mapping[Key, State],
    since: datetime,
    now: datetime,
    kinds: Sequence[MessageKind],
) -> DueMessages:
    """Return the messages of `kinds` for (since, now], with the newest stage of each occurrence.

    `plans` are some of the index's, `states` follow from `events`. Empty outside the speaking
    hours: the caller then keeps `since` for its next call.
    """
    scheduler = index.scheduler
    open_kinds = [kind for kind in kinds if speaking_hours(scheduler, kind, now)]
    days = days_between(local_day(since), local_day(now))
    slots = (instant(day, _slot(scheduler, kind)) for day in days for kind in open_kinds)
    if not any(since < slot <= now for slot in slots):  # as between most ticks
        return DueMessages((), ())
    window = since + _TICK, now + _TICK
    if open_kinds == [MessageKind.DIGEST]:
        found = scheduler.messages(plans, events, *window, some=())
    else:
        found = index.messages(plans, events, states, *window)
    return _newest([m for m in found if m.kind in open_kinds], states, scheduler, now)


def _newest(
    found: Sequence[Message], states: Mapping[Key, State], scheduler: Scheduler, now: datetime
) -> DueMessages:
    newest: dict[tuple[MessageKind, str, Key], Item] = {}
    skipped: list[tuple[str, MessageKind, Item]] = []
    for message in found:  # in order of time: a later stage replaces an earlier one
        for item in message.items:
            place = (message.kind, message.unit, item.key)
            if place in newest:
                skipped.append((message.unit, message.kind, newest[place]))
            newest[place] = item
    said: dict[tuple[MessageKind, str], list[Item]] = {
        (m.kind, m.unit): [] for m in found if m.kind is MessageKind.DIGEST
    }
    for (kind, unit, key), item in newest.items():
        if _still_true(states[key], kind, unit, item, now):
            said.setdefault((kind, unit), []).append(item)
        else:
            skipped.append((unit, kind, item))
    today = local_day(now)
    messages = [
        Message(
            at=instant(today, _slot(scheduler, kind)), unit=unit, kind=kind, items=by_due(items)
        )
        for (kind, unit), items in said.items()
    ]
    return DueMessages(tuple(messages), tuple(skipped))


def _slot(scheduler: Scheduler, kind: MessageKind) -> time:
    return scheduler.policy.digest if kind is MessageKind.DIGEST else scheduler.policy.slot


def _still_true(state: State, kind: MessageKind, unit: str, item: Item, now: datetime) -> bool:
    """Return whether a stage that was missed is still true."""
    today = local_day(now)
    if state.closed or state.due != item.due or state.is_held(today):
        return False
    if kind is MessageKind.ESCALATION:
        return True
    if kind is MessageKind.REQUEST:
        return state.request is not None
    return state.may_be_nudged(unit, today)
