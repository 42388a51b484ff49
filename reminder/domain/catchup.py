"""The messages that a tick has to send.

A tick takes the stages since the tick before. In an ordinary week these are the stages of one
slot. After a stop there may be several of one occurrence: the newest is sent, the others are noted
as skipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property

from reminder.domain.calendar import days_between, instant, local, local_day
from reminder.domain.ledger import Event, State, initial
from reminder.domain.occurrences import Key, Occurrence, occurrences
from reminder.domain.plan import Plan
from reminder.domain.schedule import Item, Message, MessageKind, Scheduler, by_due

Place = tuple[int, int]  # an occurrence: the index of its plan, its index in the plan


@dataclass(frozen=True)
class StageIndex:
    """Which occurrences may speak on which day, so that a tick need not go through all of them."""

    scheduler: Scheduler
    plans: Sequence[Plan]

    @cached_property
    def occurrences(self) -> tuple[tuple[Occurrence, ...], ...]:
        """The occurrences of each plan."""
        return tuple(tuple(occurrences(plan)) for plan in self.plans)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The index of each plan, by its id."""
        return {plan.id: n for n, plan in enumerate(self.plans)}

    @cached_property
    def places(self) -> Mapping[Key, Place]:
        """The place of each occurrence."""
        return {
            occurrence.key: (n, m)
            for n, of_plan in enumerate(self.occurrences)
            for m, occurrence in enumerate(of_plan)
        }

    @cached_property
    def _by_day(self) -> Mapping[date, Sequence[Place]]:
        """The occurrences that speak on each day as long as they have no events."""
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
        """As `Scheduler.messages`, for some of the index's plans.

        `states` are those that follow from `events`.
        """
        wanted = {plan.id for plan in plans}
        touched = {key: self.places[key] for key in events if key in self.places}
        days = days_between(local_day(since), local_day(until))
        places = {place for day in days for place in self._by_day.get(day, ())}
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


def _is_over(state: State, said: Sequence[Event], since: datetime) -> bool:
    """Whether it was closed before `since` and has no later event: it does not speak."""
    return state.closed is not None and all(event.at < since for event in said)


_TICK = timedelta(microseconds=1)  # turns (since, now] into a half-open interval


@dataclass(frozen=True, slots=True)
class Skipped:
    """A stage that is not sent: a newer one is, or it is no longer true."""

    unit: str
    kind: MessageKind
    item: Item


@dataclass(frozen=True, slots=True)
class DueMessages:
    """The messages that a tick sends, all for today's slot, and the stages that it skips."""

    messages: tuple[Message, ...]
    skipped: tuple[Skipped, ...]


def speaking_hours(scheduler: Scheduler, kind: MessageKind, now: datetime) -> bool:
    """Whether `kind` may be sent at `now`: on a working day, from its slot to `catch_up_until`."""
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
    """The messages of `kinds` for (since, now], with the newest stage of each occurrence.

    `plans` are some of the index's, `states` follow from `events`. Empty outside the speaking
    hours: the caller then keeps `since` for its next call.
    """
    scheduler = index.scheduler
    open_kinds = [kind for kind in kinds if speaking_hours(scheduler, kind, now)]
    if not open_kinds or now <= since:
        return DueMessages((), ())
    if not any(_anything_between(scheduler, kind, since, now) for kind in open_kinds):
        return DueMessages((), ())
    window = since + _TICK, now + _TICK
    if open_kinds == [MessageKind.DIGEST]:
        found = scheduler.messages_of(plans, (), events, *window)
    else:
        found = index.messages(plans, events, states, *window)
    return _newest([m for m in found if m.kind in open_kinds], states, scheduler, now)


def _anything_between(
    scheduler: Scheduler, kind: MessageKind, since: datetime, now: datetime
) -> bool:
    """Whether a slot of `kind` lies in (since, now]; for most ticks none does."""
    days = days_between(local_day(since), local_day(now))
    return any(since < instant(day, _slot(scheduler, kind)) <= now for day in days)


def _newest(
    found: Sequence[Message], states: Mapping[Key, State], scheduler: Scheduler, now: datetime
) -> DueMessages:
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
    """Whether a stage that was missed is still true."""
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
