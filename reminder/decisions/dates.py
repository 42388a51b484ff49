"""Snoozes, requests for more time, dates set and confirmed, reminders now, absences."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from reminder.decisions.outcome import (
    RefusalError,
    event,
    head,
    on_record,
    per_target,
    refusal,
    said,
)
from reminder.decisions.targets import Already, Work, resolve, unclosable
from reminder.domain import payloads
from reminder.domain.calendar import days_between, local_day
from reminder.domain.context import Asked, Context, Decision, Notice
from reminder.domain.errors import CalendarError
from reminder.domain.ledger import (
    ENDS_REQUEST,
    MAX_ABSENCE_DAYS,
    Absence,
    Event,
    EventKind,
    State,
    absence_key,
    absences,
    away_until,
)
from reminder.domain.people import Person
from reminder.domain.text import fold
from reminder.understanding.model import Command, Target
from reminder.understanding.verbs import Verb


def snooze(context: Context, command: Command, target: Target) -> Decision:
    """Silence the own unit's nudges until a working day, never past the due day."""
    work = resolve(context, command, target)
    units = work.own_parts()
    state = work.open(units)[0]
    calendar = context.scheduler.calendar
    wished = _wished(work, state, context.today)
    if state.due is None:
        raise refusal("snooze-awaiting", key=state.key)
    if context.scheduler.days_late(state, context.today):
        raise refusal("snooze-late", key=state.key)
    if wished <= context.today:
        raise refusal("not-after-today", key=state.key, day=wished)
    last = calendar.roll_back(state.due)
    if last <= context.today:
        raise refusal("snooze-last-day", key=state.key)
    day = last if wished >= last else calendar.roll_forward(wished)
    events = [
        event(context, EventKind.SNOOZED, state.key, unit, until=day)
        for unit in units
        if unit in state.open_units
    ]
    return said(payloads.Snoozed(key=state.key, until=day, capped=wished > last), events)


def _wished(work: Work, state: State, start: date | None) -> date:
    """Return the day that the command names, or so many days after `start`."""
    command = work.command
    if command.until is not None:
        return command.until
    if command.days is None or start is None:
        raise refusal("needs-date", verb=command.verb.value, key=state.key)
    return start + timedelta(days=command.days)


def extend(context: Context, command: Command, target: Target) -> Decision:
    """Ask the office for more time; the date stays until it decides."""
    work = resolve(context, command, target)
    if context.sender.office:
        return _asks_to_set_due(context, work)
    units = work.own_parts()
    state = work.open(units)[0]
    if state.due is None:
        raise refusal("extend-awaiting", key=state.key)
    day = _wished(work, state, max(state.due, context.today))
    if day <= state.due:
        raise refusal("not-after-due", key=state.key, day=day)
    _check_day(work, state, day, today_too=False)
    request = state.request
    nobody = not context.has_members(work.plan.office)
    if request and (request.until, request.note, request.unit) == (day, command.note, units[0]):
        return said(payloads.ExtensionRequested(event=request, again=True, nobody=nobody))
    kind = EventKind.EXTENSION_ASKED
    asked = event(context, kind, state.key, units[0], until=day, note=command.note)
    before = request.until if request and request.until != day else None
    answer = payloads.ExtensionRequested(event=asked, again=False, nobody=nobody, before=before)
    question = payloads.ExtensionAsked(key=state.key, before=before)
    return said(answer, [asked], Notice(to=f"unit:{work.plan.office}", payload=question))


def _check_day(work: Work, state: State, day: date, *, today_too: bool) -> None:
    """Raise unless a due day is still to come, within the plan's year, once the work is open."""
    today, words = work.context.today, head(work.command.verb)
    if day < today or (day == today and not today_too):
        raise refusal("not-after-today", key=state.key, day=day, head=words)
    if not work.plan.first_day <= day <= work.plan.movable_until(state.occurrence.due):
        raise refusal("outside-year", key=state.key, day=day, year=work.plan.year, head=words)
    if day < state.occurrence.opens:
        raise refusal("before-open", key=state.key, day=day, head=words)


def _asks_to_set_due(context: Context, work: Work) -> Decision:
    """Ask the office, which decides on requests, whether it sets the date itself."""
    on_record(context, work.task)
    state = work.open(unopened=True)[0]
    day = _wished(work, state, max(state.due or context.today, context.today))
    _check_day(work, state, day, today_too=True)
    return said(payloads.SetDueAsked(key=state.key, until=day, words=work.command.note))


def set_due(context: Context, command: Command, target: Target) -> Decision:
    """Give the work a date, or move it; the old one is kept beside it."""
    work = resolve(context, command, target)
    state = work.open(unopened=True)[0]
    day = _wished(work, state, state.due)
    _check_day(work, state, day, today_too=True)
    if day == state.due and not state.assumed:
        raise refusal("already-due", key=state.key)
    unit = on_record(context, work.task)
    moved = event(context, EventKind.DUE_SET, state.key, unit, until=day, note=command.note)
    told = payloads.DateSet(event=moved, before=state.due)
    others = [Notice(to=f"unit:{each}", payload=told) for each in state.open_units]
    return said(replace(told, ask=not command.note), [moved], *others)


def name_event(context: Context, command: Command, target: Target) -> Decision:
    """Set the due day that is counted from an event, from the day of the event."""
    work = resolve(context, command, target, lambda s: _waits_for_event(s) and not s.closed)
    bound = [state for state in work.named if _waits_for_event(state)]
    if not bound:
        raise refusal("no-event", key=work.named[0].key)
    live = [state for state in bound if not state.closed]
    if not live:
        raise unclosable(Already(bound[-1]), target)
    if len(live) > 1:
        raise work.which(live)
    state = live[0]
    rule, day = state.occurrence.deliverable.event, command.until
    assert rule is not None
    assert day is not None  # its verb takes a date
    if not work.plan.first_day <= day <= work.plan.last_day:
        raise refusal("event-outside", key=state.key, day=day)
    try:
        due = rule.due(day, context.scheduler.calendar)
    except CalendarError as error:  # of a year that nobody has confirmed
        raise refusal("event-outside", key=state.key, day=day) from error
    unit = on_record(context, work.task)
    named = event(
        context,
        EventKind.EVENT_NAMED,
        state.key,
        unit,
        until=due,
        evidence=day.isoformat(),
        note=command.note,
    )
    standing = state.named
    if standing and (standing.evidence, state.due) == (named.evidence, due):
        return said(payloads.EventNamed(event=standing, own=True, again=True))
    told = payloads.EventNamed(event=named, before=state.due)
    others = [Notice(to=f"unit:{each}", payload=told) for each in state.open_units]
    return said(replace(told, own=True), [named], *others)


def _waits_for_event(state: State) -> bool:
    return state.occurrence.deliverable.event is not None


def confirm(context: Context, command: Command) -> Decision:
    """Confirm assumed dates as they are: those of a task (“/xacnhan 4b”), or all."""
    if not command.everything:
        return per_target(_confirm_one)(context, command)
    year = command.period
    plans = {p.id for p in context.plans if year is None or year in {y.id for y in p.years}}
    waiting = [s for k, s in context.states.items() if k.plan in plans and _unconfirmed(context, s)]
    if not waiting:
        raise refusal("nothing-assumed")
    return _confirmed(context, waiting)


def _confirm_one(context: Context, command: Command, target: Target) -> Decision:
    """Confirm all dates of the target that wait for it; it has none: its own date is told."""
    work = resolve(context, command, target, lambda state: _unconfirmed(context, state))
    waiting = [state for state in work.named if _unconfirmed(context, state)]
    if not waiting:
        live = [s for s in work.named if not s.closed] or work.named
        raise refusal("not-assumed", key=live[0].key)
    return _confirmed(context, waiting)


def _unconfirmed(context: Context, state: State) -> bool:
    """Return whether it is assumed still, or late at the plan's start and held back."""
    return not state.closed and (state.assumed or _is_held(context, state))


def _is_held(context: Context, state: State) -> bool:
    """Return whether it is held for longer than a confirmation would hold it."""
    tomorrow = context.scheduler.calendar.after(context.today, 1)
    return state.is_held(tomorrow)


def _confirmed(context: Context, states: list[State]) -> Decision:
    """Confirm; what was held back is spoken of again from the next working day."""
    tomorrow = context.scheduler.calendar.after(context.today, 1)
    events: list[Event] = []
    for state in states:
        unit = on_record(context, state.occurrence.task)
        if state.assumed:
            events.append(event(context, EventKind.CONFIRMED, state.key, unit))
        if _is_held(context, state):
            events.append(event(context, EventKind.HELD, state.key, unit, until=tomorrow))
    return said(payloads.Confirmed(keys=tuple(state.key for state in states)), events)


_ANEW = frozenset(
    {
        EventKind.UNDONE,
        EventKind.REOPENED,
        EventKind.RETURNED,
        EventKind.DUE_SET,
        EventKind.EVENT_NAMED,
        EventKind.EXTENSION_GRANTED,
    }
)  # after these a reminder is another than the one before


def approve(context: Context, command: Command, target: Target) -> Decision:
    """Grant a request: the date asked for, or the one that the office names, is the due day."""
    work, state, request = _asked(context, command, target)
    day = command.until or request.until
    assert day is not None
    _check_day(work, state, day, today_too=True)
    told = (request.unit, *state.open_units)  # the date is the others' too
    return _decided(work, request, day, *told)


def reject(context: Context, command: Command, target: Target) -> Decision:
    """Refuse a request: the date stays as it is."""
    work, _, request = _asked(context, command, target)
    return _decided(work, request, None, request.unit)


def _asked(context: Context, command: Command, target: Target) -> tuple[Work, State, Event]:
    """Return the one request that stands; raise what became of it otherwise."""
    work = resolve(context, command, target, lambda state: state.request is not None)
    asked = [(state, state.request) for state in work.named if state.request]
    if len(asked) > 1:
        raise work.which(state for state, _ in asked)
    if asked:
        return work, *asked[0]
    # “đã đồng ý lúc …, người quyết …”; “đã rút”; or that nobody asked.
    keys = {state.key for state in work.named}
    once = {e.key for e in context.events if e.kind is EventKind.EXTENSION_ASKED and e.key in keys}
    closed = {state.closed for state in work.named if state.closed}
    later = (e for e in reversed(context.events) if e.key in once)
    ended = next((e for e in later if e.kind in ENDS_REQUEST or e in closed), None)
    key = ended.key if ended else work.named[0].key
    raise RefusalError(payloads.NoRequest(key=key, event=ended))


def _decided(work: Work, request: Event, day: date | None, *told: str) -> Decision:
    """Grant the request until `day`, or refuse it; tell the units."""
    kind = EventKind.EXTENSION_GRANTED if day else EventKind.EXTENSION_REFUSED
    note = work.command.note
    made = event(work.context, kind, request.key, request.unit, until=day, note=note)
    answer = payloads.ExtensionDecided(key=request.key, granted=day is not None, note=note)
    others = (Notice(to=f"unit:{unit}", payload=answer) for unit in dict.fromkeys(told))
    return said(answer, [made], *others)


def remind(context: Context, command: Command, target: Target) -> Decision:
    """Nudge each unit that still has to act now, once a day and due day."""
    state = resolve(context, command, target).open()[0]
    if state.due is None:
        raise refusal("remind-awaiting", key=state.key)
    units = state.open_units
    named = (target.unit,) if target.unit in units and target.unit else units
    before = {unit: asked for unit in named if (asked := _asked_today(context, state, unit))}
    now = tuple(unit for unit in named if unit not in before)
    answer = payloads.Reminded(
        key=state.key,
        units=now,
        before=tuple((unit, asked.at, asked.by) for unit, asked in before.items()),
        nobody=tuple(unit for unit in now if not context.has_members(unit)),
    )
    return Decision(answers=(answer,), remind=tuple((state.key, unit) for unit in now))


def _asked_today(context: Context, state: State, unit: str) -> Asked | None:
    """Return who had `unit` reminded of this today, unless something has changed since."""
    asked = context.reminded.get((state.key, unit))
    if asked is None or local_day(asked.at) != context.today:
        return None
    changed = any(
        e.kind in _ANEW and e.at >= asked.at for e in context.events if e.key == state.key
    )
    return None if changed else asked


def away(context: Context, command: Command) -> Decision:
    """A stretch of days off, the own one, or as the office somebody's; without days, its end."""
    person = _whose(context, command)
    known = absences(context.events)
    own = person == context.sender.person
    who: dict[str, Any] = {"person": person.id, "name": person.name, "own": own}
    if command.since is None or command.until is None:  # all that are not over end
        left = [a for a in known if a.person == person.id and a.until >= context.today]
        if not left:
            raise refusal("not-away", who=person.name, own=own)
        back = [_absence(context, person, EventKind.BACK, a) for a in left]
        return said(
            payloads.Back(**who), back, *_notices(context, person, payloads.BackNotice(**who))
        )
    stretch = Absence(person=person.id, since=command.since, until=command.until)
    if stretch.until < context.today:
        raise refusal("away-past", until=stretch.until)
    if (stretch.until - stretch.since).days >= MAX_ABSENCE_DAYS:
        raise refusal("away-long", until=stretch.until)

    def others(day: date) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Of each unit, who is there on `day`; leaders are not nudged."""
        return tuple(
            (unit, tuple(
                p.name
                for p in context.people.values()
                if unit in p.units and p.id != person.id and not away_until(known, p.id, day)
            ))
            for unit in person.units
            if unit not in context.leaders
        )  # fmt: skip

    first, *later = days_between(max(stretch.since, context.today), stretch.until)
    days: dict[str, Any] = {
        "since": stretch.since,
        "until": stretch.until,
        "others": others(first),
        "varies": any(others(day) != others(first) for day in later if day.weekday() < 5),
    }
    told = payloads.Away(**who, **days)
    if stretch in known:
        return said(replace(told, again=True))
    made = _absence(context, person, EventKind.AWAY, stretch)
    return said(told, [made], *_notices(context, person, payloads.AwayNotice(**who, **days)))


def _whose(context: Context, command: Command) -> Person:
    """Return the person named by id or by name, for the office; else the sender."""
    sender, typed = context.sender.person, command.person
    everybody = context.people.values()
    known = {fold(p.name): p for p in everybody} | {fold(p.id): p for p in everybody}
    found = known.get(fold(typed)) if typed else sender
    if found == sender:
        return sender
    if found is None and context.sender.office:
        raise refusal("no-person", typed=typed, known=tuple(sorted(context.people)))
    if found is None:  # a name that nobody has, or a reason
        stretch = dict.fromkeys(day for day in (command.since, command.until) if day)
        days = "-".join(f"{day:%d/%m/%Y}" for day in stretch) or "hủy"
        raise refusal("whose-absence", typed=typed, days=days)
    if not context.sender.office:
        raise RefusalError(payloads.OfficeOnly(verb=Verb.AWAY.value))
    if not context.proved:
        raise RefusalError(payloads.NeedsProof(verb=Verb.AWAY.value))
    return found


def _absence(context: Context, person: Person, kind: EventKind, stretch: Absence) -> Event:
    unit = person.units[0] if person.units else ""
    return event(context, kind, absence_key(person.id, stretch.since), unit, until=stretch.until)


def _notices(context: Context, person: Person, word: payloads.Payload) -> list[Notice]:
    """Return the word to the office, and to the person where the office recorded it."""
    offices = sorted(context.offices)
    told = [Notice(to=f"unit:{office}", payload=word) for office in offices]
    if person != context.sender.person and not set(person.units) & set(offices):
        told.append(Notice(to=person.id, payload=word))
    return told
