"""Snoozes, requests for more time, dates set and confirmed by the office, reminders now."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from reminder.decisions.outcome import (
    RefusalError,
    also,
    event,
    head,
    per_target,
    refusal,
    said,
    tail,
)
from reminder.decisions.targets import (
    Work,
    on_record,
    open_states,
    own_parts,
    resolve,
    which,
)
from reminder.domain.calendar import local_day
from reminder.domain.context import Asked, Context, Decision, Notice
from reminder.domain.ledger import Event, EventKind, State
from reminder.domain.payloads import (
    Confirmed,
    DateSet,
    ExtensionAsked,
    ExtensionDecided,
    ExtensionRequested,
    NoRequest,
    Reminded,
    Snoozed,
)
from reminder.understanding.model import Command, Target


def snooze(context: Context, command: Command, target: Target) -> Decision:
    """“nhắc sau 1c 3”: silent for the own unit until a working day, never past the due day."""
    work = resolve(context, command, target)
    units = own_parts(context, work, target)
    state = open_states(context, command, target, work, units)[0]
    wished = _wished(command, context.today)
    if wished is None:
        raise refusal("needs-date", verb=command.verb.value, key=state.key)
    day, capped = _silent_until(context, state, wished)
    events = [
        event(context, EventKind.SNOOZED, state.key, unit, until=day)
        for unit in units
        if unit in state.open_units
    ]
    return said(Snoozed(key=state.key, until=day, capped=capped), events)


def _silent_until(context: Context, state: State, wished: date) -> tuple[date, bool]:
    """The working day on which it speaks again, and whether the due day cut it short."""
    key, calendar = state.key, context.scheduler.calendar
    if state.due is None:
        raise refusal("snooze-awaiting", key=key)
    if context.scheduler.days_late(state, context.today):
        raise refusal("snooze-late", key=key)
    if wished <= context.today:
        raise refusal("not-after-today", key=key, day=wished)
    last = calendar.roll_back(state.due)
    if last <= context.today:
        raise refusal("snooze-last-day", key=key)
    day = last if wished >= last else calendar.roll_forward(wished)
    return day, wished > last


def _wished(command: Command, start: date | None) -> date | None:
    """The day that the command names, or so many days after `start`."""
    if command.until is not None:
        return command.until
    if command.days is None or start is None:
        return None
    return start + timedelta(days=command.days)


def extend(context: Context, command: Command, target: Target) -> Decision:
    """“gia hạn 1c 05/02 lý do”: a request to the office; the date stays until it decides."""
    work = resolve(context, command, target)
    if context.sender.office:
        state = open_states(context, command, target, work, ())[0]
        raise refusal("office-extends", key=state.key, tail=tail(command))
    units = own_parts(context, work, target)
    state = open_states(context, command, target, work, units)[0]
    day = _later_due(context, work, command, state)
    request = state.request
    nobody = not context.has_members(work.plan.office)
    if request and (request.until, request.note, request.unit) == (day, command.note, units[0]):
        return said(ExtensionRequested(event=request, again=True, nobody=nobody))
    asked = event(
        context, EventKind.EXTENSION_ASKED, state.key, units[0], until=day, note=command.note
    )
    before = request.until if request and request.until != day else None
    answer = ExtensionRequested(event=asked, again=False, nobody=nobody, before=before)
    office = ExtensionAsked(key=state.key, before=before)
    return also(said(answer, [asked]), Notice(to=f"unit:{work.plan.office}", payload=office))


def _later_due(context: Context, work: Work, command: Command, state: State) -> date:
    key = state.key
    if state.due is None:
        raise refusal("extend-awaiting", key=key)
    day = _wished(command, max(state.due, context.today))
    if day is None:
        raise refusal("needs-date", verb=command.verb.value, key=key)
    if day <= state.due:
        raise refusal("not-after-due", key=key, day=day)
    check_day(context, work, state, day, today_too=False, verb=head(command.verb))
    return day


def check_day(
    context: Context, work: Work, state: State, day: date, *, today_too: bool, verb: str
) -> None:
    """A due day is still to come, within the plan's year, and not before the work opens."""
    key = state.key
    if day < context.today or (day == context.today and not today_too):
        raise refusal("not-after-today", key=key, day=day, head=verb)
    if day.year != work.plan.year:
        raise refusal("outside-year", key=key, day=day, year=work.plan.year, head=verb)
    if day < state.occurrence.opens:
        raise refusal("before-open", key=key, day=day, head=verb)


def set_due(context: Context, command: Command, target: Target) -> Decision:
    """“/dathan 5a 15/9/2024”: the office gives or moves a date; the old one is kept beside it."""
    work = resolve(context, command, target)
    unit = on_record(context, work.task)
    state = open_states(context, command, target, work, (), unopened=True)[0]
    day = _wished(command, state.due)
    if day is None:
        raise refusal("needs-date", verb=command.verb.value, key=state.key)
    check_day(context, work, state, day, today_too=True, verb=head(command.verb))
    if day == state.due and not state.assumed:
        raise refusal("already-due", key=state.key)
    moved = event(context, EventKind.DUE_SET, state.key, unit, until=day, note=command.note)
    told = DateSet(event=moved, before=state.due)
    others = [Notice(to=f"unit:{unit}", payload=told) for unit in state.open_units]
    return also(said(replace(told, ask=not command.note), [moved]), *others)


def _confirm_one(context: Context, command: Command, target: Target) -> Decision:
    """All dates of the target that wait to be confirmed; it has none: its own date is told."""
    work = resolve(context, command, target, lambda state: _unconfirmed(context, state))
    waiting = [state for state in work.named(target) if _unconfirmed(context, state)]
    if not waiting:
        live = [s for s in work.named(target) if not s.closed] or list(work.named(target))
        raise refusal("not-assumed", key=live[0].key)
    return _confirmed(context, waiting)


def _unconfirmed(context: Context, state: State) -> bool:
    """Assumed still, or late at the plan's start and held back until the office has looked."""
    return not state.closed and (state.assumed or _is_held(context, state))


def _is_held(context: Context, state: State) -> bool:
    """Held for longer than a confirmation would hold it."""
    tomorrow = context.scheduler.calendar.after(context.today, 1)
    return state.held_until is not None and state.held_until > tomorrow


def _confirmed(context: Context, states: list[State]) -> Decision:
    """What was held back is spoken of again from the next working day."""
    tomorrow = context.scheduler.calendar.after(context.today, 1)
    events: list[Event] = []
    for state in states:
        unit = on_record(context, state.occurrence.task)
        if state.assumed:
            events.append(event(context, EventKind.CONFIRMED, state.key, unit))
        if _is_held(context, state):
            events.append(event(context, EventKind.HELD, state.key, unit, until=tomorrow))
    return said(Confirmed(keys=tuple(state.key for state in states)), events)


def confirm(context: Context, command: Command) -> Decision:
    """“/xacnhan 4b”, “/xacnhan tất cả”: the office takes dates as they are."""
    if not command.everything:
        return per_target(_confirm_one)(context, command)
    plans = {plan.id for plan in context.plans if command.period in (None, str(plan.year))}
    waiting = [s for k, s in context.states.items() if k.plan in plans and _unconfirmed(context, s)]
    if not waiting:
        raise refusal("nothing-assumed")
    return _confirmed(context, waiting)


_ENDS = frozenset(
    {
        EventKind.EXTENSION_GRANTED,
        EventKind.EXTENSION_REFUSED,
        EventKind.EXTENSION_WITHDRAWN,
        EventKind.DUE_SET,
    }
)  # what ends a request; a task that closes ends it too
_ANEW = frozenset(
    {
        EventKind.UNDONE,
        EventKind.REOPENED,
        EventKind.RETURNED,
        EventKind.DUE_SET,
        EventKind.EXTENSION_GRANTED,
    }
)  # after these a reminder is another than the one before


def approve(context: Context, command: Command, target: Target) -> Decision:
    """“/dongy 1c”: the date asked for, or the one that the office names, is the due day."""
    work, state, request = _asked(context, command, target)
    day = command.until or request.until
    assert day is not None
    check_day(context, work, state, day, today_too=True, verb=head(command.verb))
    told = dict.fromkeys((request.unit, *state.open_units))  # the date is the others' too
    return _decided(context, command, request, EventKind.EXTENSION_GRANTED, day, tuple(told))


def reject(context: Context, command: Command, target: Target) -> Decision:
    """“/khongdongy 1c”: the date stays as it is."""
    _, _, request = _asked(context, command, target)
    return _decided(context, command, request, EventKind.EXTENSION_REFUSED, None, (request.unit,))


def _asked(context: Context, command: Command, target: Target) -> tuple[Work, State, Event]:
    """The one request that stands; else what became of it."""
    work = resolve(context, command, target, lambda state: state.request is not None)
    asked = [state for state in work.named(target) if state.request]
    if len(asked) > 1:
        raise which(command, tuple(asked))
    if not asked or asked[0].request is None:
        raise _no_request(context, work, target)
    return work, asked[0], asked[0].request


def _no_request(context: Context, work: Work, target: Target) -> RefusalError:
    """“đã đồng ý lúc …, người quyết …”; “đã rút”; or that nobody asked."""
    keys = {state.key for state in work.named(target)}
    asked = {e.key for e in context.events if e.kind is EventKind.EXTENSION_ASKED and e.key in keys}
    closed = {state.closed for state in work.states if state.closed and state.key in asked}
    later = (e for e in reversed(context.events) if e.key in asked)
    ended = next((e for e in later if e.kind in _ENDS or e in closed), None)
    key = ended.key if ended else next(s.key for s in work.states if s.key in keys)
    return RefusalError(NoRequest(key=key, event=ended))


def _decided(
    context: Context,
    command: Command,
    request: Event,
    kind: EventKind,
    day: date | None,
    told: tuple[str, ...],
) -> Decision:
    made = event(context, kind, request.key, request.unit, until=day, note=command.note)
    granted = kind is EventKind.EXTENSION_GRANTED
    answer = ExtensionDecided(key=request.key, granted=granted, note=command.note)
    return also(said(answer, [made]), *(Notice(to=f"unit:{unit}", payload=answer) for unit in told))


def remind(context: Context, command: Command, target: Target) -> Decision:
    """“/nhacngay 1c”: a nudge now to each unit that still has to act, once a day and due day."""
    work = resolve(context, command, target)
    state = open_states(context, command, target, work, ())[0]
    if state.due is None:
        raise refusal("remind-awaiting", key=state.key)
    open_units = state.open_units
    named = (target.unit,) if target.unit in open_units and target.unit else open_units
    before = {unit: asked for unit in named if (asked := _asked_today(context, state, unit))}
    now = [unit for unit in named if unit not in before]
    heard = {unit for person in context.people.values() for unit in person.units}
    answer = Reminded(
        key=state.key,
        units=tuple(now),
        before=tuple((unit, asked.at, asked.by) for unit, asked in before.items()),
        nobody=tuple(unit for unit in now if unit not in heard),
    )
    return Decision(answers=(answer,), remind=tuple((state.key, unit) for unit in now))


def _asked_today(context: Context, state: State, unit: str) -> Asked | None:
    """Who has had `unit` reminded of this today, unless something has changed since."""
    asked = context.reminded.get((state.key, unit))
    if asked is None or local_day(asked.at) != context.today:
        return None
    changed = any(
        e.kind in _ANEW and e.at >= asked.at for e in context.events if e.key == state.key
    )
    return None if changed else asked
