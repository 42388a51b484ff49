"""What is to be said now: the stages of this hour, and the newest one that a stop has missed.

A tick looks at all that fell due since the tick before. It happens at the slot, so in an ordinary
week it finds just the messages of that slot; after a stop it finds several stages of an occurrence,
of which the newest speaks and the older ones are noted as skipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property

from reminder.domain.calendar import instant, local
from reminder.domain.ledger import Event, State, initial
from reminder.domain.occurrences import Key, Occurrence, occurrences
from reminder.domain.plan import Plan
from reminder.domain.schedule import Item, Message, MessageKind, Scheduler, local_day

Place = tuple[int, int]  # of an occurrence: the plan's number, its own number there


@dataclass(frozen=True)
class Agenda:
    """The days of some plans. It holds for as long as they and the scheduler do."""

    scheduler: Scheduler
    plans: Sequence[Plan]

    @cached_property
    def occurrences(self) -> tuple[tuple[Occurrence, ...], ...]:
        """Of each plan."""
        return tuple(tuple(occurrences(plan)) for plan in self.plans)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Of the plans, by their ids."""
        return {plan.id: n for n, plan in enumerate(self.plans)}

    @cached_property
    def places(self) -> Mapping[Key, Place]:
        """Where each occurrence stands."""
        return {
            occurrence.key: (n, m)
            for n, of_plan in enumerate(self.occurrences)
            for m, occurrence in enumerate(of_plan)
        }

    @cached_property
    def _by_day(self) -> Mapping[date, Sequence[Place]]:
        """On each day, what would speak if nothing were ever said about it."""
        found: dict[date, list[Place]] = {}
        for n, plan in enumerate(self.plans):
            for m, occurrence in enumerate(self.occurrences[n]):
                state = initial(occurrence)
                days = set(self.scheduler.stages(state))
                days |= {day for day, _ in self.scheduler.escalation_stages(state, plan).values()}
                for day in days:
                    found.setdefault(day, []).append((n, m))
        return found

    def messages(
        self,
        plans: Sequence[Plan],
        events: Mapping[Key, Sequence[Event]],
        states: Mapping[Key, State],
        since: datetime,
        until: datetime,
    ) -> list[Message]:
        """As `Scheduler.messages` of these `plans`, each of which is one of the agenda's.

        `states`: those that follow from `events`.
        """
        wanted = {plan.id for plan in plans}
        touched = {key: self.places[key] for key in events if key in self.places}
        places = {place for day in _days(since, until) for place in self._by_day.get(day, ())}
        places.difference_update(touched.values())
        places.update(
            place for key, place in touched.items() if not _is_over(states[key], events[key], since)
        )
        some = (
            (self.plans[n], self.occurrences[n][m])
            for n, m in sorted(places)
            if self.plans[n].id in wanted
        )
        return self.scheduler.messages_of(plans, some, events, since, until)


def _days(since: datetime, until: datetime) -> list[date]:
    first, last = local_day(since), local_day(until)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _is_over(state: State, said: Sequence[Event], since: datetime) -> bool:
    """Whether it was closed before `since`, for good: nothing is said of it from then on."""
    return state.closed is not None and all(event.at < since for event in said)


_TICK = timedelta(microseconds=1)  # turns “up to and including now” into a half-open interval


@dataclass(frozen=True, slots=True)
class Skipped:
    """A stage that is not said any more: a newer one speaks, or it is no longer true."""

    unit: str
    kind: MessageKind
    item: Item


@dataclass(frozen=True, slots=True)
class Due:
    """What a tick has to say, and what it passes over; all messages carry today's slot."""

    messages: tuple[Message, ...]
    skipped: tuple[Skipped, ...]


def speaking_hours(scheduler: Scheduler, kind: MessageKind, now: datetime) -> bool:
    """Whether messages of `kind` may be said at `now`: on a working day, from the slot to 17:00."""
    policy = scheduler.policy
    start = policy.digest if kind is MessageKind.DIGEST else policy.slot
    clock = local(now).time()
    return scheduler.calendar.is_working(local_day(now)) and start <= clock < policy.catch_up_until


def due_now(
    agenda: Agenda,
    plans: Sequence[Plan],
    events: Mapping[Key, Sequence[Event]],
    states: Mapping[Key, State],
    since: datetime,
    now: datetime,
    kinds: Sequence[MessageKind],
) -> Due:
    """What fell due in (since, now], of these kinds, with the newest stage of each occurrence.

    `plans` are some of the agenda's, `states` follow from `events`. Empty outside the speaking
    hours; the caller then keeps `since`, and nothing is lost.
    """
    scheduler = agenda.scheduler
    open_kinds = [kind for kind in kinds if speaking_hours(scheduler, kind, now)]
    if not open_kinds or now <= since:
        return Due((), ())
    if not any(_anything_between(scheduler, kind, since, now) for kind in open_kinds):
        return Due((), ())
    window = since + _TICK, now + _TICK
    if open_kinds == [MessageKind.DIGEST]:
        found = scheduler.messages_of(plans, (), events, *window)
    else:
        found = agenda.messages(plans, events, states, *window)
    return _newest([m for m in found if m.kind in open_kinds], states, scheduler, now)


def _anything_between(
    scheduler: Scheduler, kind: MessageKind, since: datetime, now: datetime
) -> bool:
    """Whether an hour at which `kind` is ever said lies in (since, now]: most ticks end here."""
    first, today = local_day(since), local_day(now)
    days = (first + timedelta(days=n) for n in range((today - first).days + 1))
    return any(since < instant(day, _slot(scheduler, kind)) <= now for day in days)


def _newest(
    found: Sequence[Message], states: Mapping[Key, State], scheduler: Scheduler, now: datetime
) -> Due:
    newest: dict[tuple[MessageKind, str, Key], Item] = {}
    skipped: list[Skipped] = []
    for message in found:  # in order of time: a later stage replaces an earlier one
        for item in message.items:
            place = (message.kind, message.unit, item.key)
            if place in newest:
                skipped.append(Skipped(message.unit, message.kind, newest[place]))
            newest[place] = item
    said: dict[tuple[MessageKind, str], list[Item]] = {
        (m.kind, m.unit): [] for m in found if m.kind is MessageKind.DIGEST
    }
    for (kind, unit, key), item in newest.items():
        if _still_true(states[key], kind, unit, item, now):
            said.setdefault((kind, unit), []).append(item)
        else:
            skipped.append(Skipped(unit, kind, item))
    return Due(tuple(_messages(said, scheduler, now)), tuple(skipped))


def _messages(
    said: Mapping[tuple[MessageKind, str], Sequence[Item]], scheduler: Scheduler, now: datetime
) -> list[Message]:
    today = local_day(now)
    return [
        Message(
            at=instant(today, _slot(scheduler, kind)),
            unit=unit,
            kind=kind,
            items=tuple(sorted(items, key=lambda item: item.due)),
        )
        for (kind, unit), items in said.items()
    ]


def _slot(scheduler: Scheduler, kind: MessageKind) -> time:
    return scheduler.policy.digest if kind is MessageKind.DIGEST else scheduler.policy.slot


def _still_true(state: State, kind: MessageKind, unit: str, item: Item, now: datetime) -> bool:
    """Whether what was due to be said earlier still holds now."""
    if state.closed or state.due != item.due:
        return False
    if state.held_until is not None and local_day(now) < state.held_until:
        return False
    if kind is MessageKind.ESCALATION:
        return True
    if kind is MessageKind.REQUEST:
        return state.request is not None
    snoozed = state.snoozed.get(unit)
    silent = snoozed is not None and local_day(now) < snoozed
    return unit in state.open_units and not state.awaits_signature(unit) and not silent
