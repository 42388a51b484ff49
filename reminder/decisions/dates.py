"""What the office decides on its desk: extensions, and who is reminded now."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from reminder.decisions.forms import head, tail
from reminder.decisions.outcome import RefusalError, also, event, per_target, refusal, said
from reminder.decisions.targets import Matter, find, on_record, own_parts, own_units, subject, which
from reminder.domain.context import Asked, Decision, Desk, Notice
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
from reminder.domain.schedule import local_day
from reminder.understanding import Command, Target


def snooze(desk: Desk, command: Command, target: Target) -> Decision:
    """“nhắc sau 1c 3”: silent for the own unit until a working day, never past the due day."""
    matter = find(desk, command, target)
    units = own_parts(desk, matter, target)
    state = subject(desk, command, target, matter, units)[0]
    wished = _wished(command, desk.today)
    if wished is None:
        raise refusal("needs-date", verb=command.verb.value, key=state.key)
    day, capped = _silent_until(desk, state, wished)
    events = [
        event(desk, EventKind.SNOOZED, state.key, unit, until=day)
        for unit in units
        if unit in state.open_units
    ]
    return said(Snoozed(key=state.key, until=day, capped=capped), events)


def _silent_until(desk: Desk, state: State, wished: date) -> tuple[date, bool]:
    """The working day on which it speaks again, and whether the due day cut it short."""
    key, calendar = state.key, desk.scheduler.calendar
    if state.due is None:
        raise refusal("snooze-awaiting", key=key)
    if desk.scheduler.days_late(state, desk.today):
        raise refusal("snooze-late", key=key)
    if wished <= desk.today:
        raise refusal("not-after-today", key=key, day=wished)
    last = calendar.roll_back(state.due)
    if last <= desk.today:
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


def extend(desk: Desk, command: Command, target: Target) -> Decision:
    """“gia hạn 1c 05/02 lý do”: a request on the office's desk; the date stays until it decides."""
    matter = find(desk, command, target)
    if desk.sender.office:
        state = subject(desk, command, target, matter, (), any_of=True)[0]
        raise refusal("office-extends", key=state.key, tail=tail(command))
    units = own_parts(desk, matter, target)
    state = subject(desk, command, target, matter, units)[0]
    day = _later_due(desk, matter, command, state)
    request = state.request
    nobody = not any(matter.plan.office in person.units for person in desk.people.values())
    if request and (request.until, request.note, request.unit) == (day, command.note, units[0]):
        return said(ExtensionRequested(event=request, again=True, nobody=nobody))
    asked = event(
        desk, EventKind.EXTENSION_ASKED, state.key, units[0], until=day, note=command.note
    )
    before = request.until if request and request.until != day else None
    answer = ExtensionRequested(event=asked, again=False, nobody=nobody, before=before)
    office = ExtensionAsked(key=state.key, before=before)
    return also(said(answer, [asked]), Notice(to=f"unit:{matter.plan.office}", payload=office))


def _later_due(desk: Desk, matter: Matter, command: Command, state: State) -> date:
    key = state.key
    if state.due is None:
        raise refusal("extend-awaiting", key=key)
    day = _wished(command, state.due)
    if day is None:
        raise refusal("needs-date", verb=command.verb.value, key=key)
    if day <= state.due:
        raise refusal("not-after-due", key=key, day=day)
    check_day(desk, matter, state, day, today_too=False, verb=head(command.verb))
    return day


def check_day(
    desk: Desk, matter: Matter, state: State, day: date, *, today_too: bool, verb: str
) -> None:
    """A due day is still to come, within the plan's year, and not before the work opens."""
    key = state.key
    if day < desk.today or (day == desk.today and not today_too):
        raise refusal("not-after-today", key=key, day=day, head=verb)
    if day.year != matter.plan.year:
        raise refusal("outside-year", key=key, day=day, year=matter.plan.year, head=verb)
    if day < state.occurrence.opens:
        raise refusal("before-open", key=key, day=day, head=verb)


def set_due(desk: Desk, command: Command, target: Target) -> Decision:
    """“/dathan 5a 15/9/2024”: the office gives or moves a date; the old one is kept beside it."""
    matter = find(desk, command, target)
    unit = on_record(matter.task, own_units(desk, matter.task))
    state = subject(desk, command, target, matter, (), unopened=True)[0]
    day = _wished(command, state.due)
    if day is None:
        raise refusal("needs-date", verb=command.verb.value, key=state.key)
    check_day(desk, matter, state, day, today_too=True, verb=head(command.verb))
    if day == state.due and not state.assumed:
        raise refusal("already-due", key=state.key)
    moved = event(
        desk,
        EventKind.DUE_SET,
        state.key,
        unit,
        until=day,
        note=command.note,
    )
    told = DateSet(event=moved, before=state.due)
    others = [Notice(to=f"unit:{unit}", payload=told) for unit in state.open_units]
    return also(said(replace(told, ask=not command.note), [moved]), *others)


def _confirm_one(desk: Desk, command: Command, target: Target) -> Decision:
    """All dates of the target that wait to be confirmed; it has none: its own date is told."""
    matter = find(desk, command, target, lambda state: _unconfirmed(desk, state))
    waiting = [state for state in matter.named(target) if _unconfirmed(desk, state)]
    if not waiting:
        live = [s for s in matter.named(target) if not s.closed] or list(matter.named(target))
        raise refusal("not-assumed", key=live[0].key)
    return _confirmed(desk, waiting)


def _unconfirmed(desk: Desk, state: State) -> bool:
    """Assumed still, or late at the plan's start and held back until the office has looked."""
    return not state.closed and (state.assumed or _is_held(desk, state))


def _is_held(desk: Desk, state: State) -> bool:
    """Held for longer than a confirmation would hold it."""
    tomorrow = desk.scheduler.calendar.after(desk.today, 1)
    return state.held_until is not None and state.held_until > tomorrow


def _confirmed(desk: Desk, states: list[State]) -> Decision:
    """What was held back is spoken of again from the next working day."""
    tomorrow = desk.scheduler.calendar.after(desk.today, 1)
    events: list[Event] = []
    for state in states:
        task = state.occurrence.task
        unit = on_record(task, own_units(desk, task))
        if state.assumed:
            events.append(event(desk, EventKind.CONFIRMED, state.key, unit))
        if _is_held(desk, state):
            events.append(event(desk, EventKind.HELD, state.key, unit, until=tomorrow))
    return said(Confirmed(keys=tuple(state.key for state in states)), events)


def confirm(desk: Desk, command: Command) -> Decision:
    """“/xacnhan 4b”, “/xacnhan tất cả”: the office takes dates as they are."""
    if not command.everything:
        return per_target(_confirm_one)(desk, command)
    plans = {plan.id for plan in desk.plans if command.period in (None, str(plan.year))}
    waiting = [s for k, s in desk.states.items() if k.plan in plans and _unconfirmed(desk, s)]
    if not waiting:
        raise refusal("nothing-assumed")
    return _confirmed(desk, waiting)


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


def approve(desk: Desk, command: Command, target: Target) -> Decision:
    """“/dongy 1c”: the date asked for, or the one that the office names, is the due day."""
    matter, state, request = _asked(desk, command, target)
    day = command.until or request.until
    assert day is not None
    check_day(desk, matter, state, day, today_too=True, verb=head(command.verb))
    told = dict.fromkeys((request.unit, *state.open_units))  # the date is the others' too
    return _decided(desk, command, request, EventKind.EXTENSION_GRANTED, day, tuple(told))


def reject(desk: Desk, command: Command, target: Target) -> Decision:
    """“/khongdongy 1c”: the date stays as it is."""
    _, _, request = _asked(desk, command, target)
    return _decided(desk, command, request, EventKind.EXTENSION_REFUSED, None, (request.unit,))


def _asked(desk: Desk, command: Command, target: Target) -> tuple[Matter, State, Event]:
    """The one request that stands; else what became of it."""
    matter = find(desk, command, target, lambda state: state.request is not None)
    asked = [state for state in matter.named(target) if state.request]
    if len(asked) > 1:
        raise which(command, tuple(asked))
    if not asked or asked[0].request is None:
        raise _no_request(desk, matter, target)
    return matter, asked[0], asked[0].request


def _no_request(desk: Desk, matter: Matter, target: Target) -> RefusalError:
    """“đã đồng ý lúc …, người quyết …”; “đã rút”; or that nobody asked."""
    keys = {state.key for state in matter.named(target)}
    asked = {e.key for e in desk.events if e.kind is EventKind.EXTENSION_ASKED and e.key in keys}
    closed = {state.closed for state in matter.states if state.closed and state.key in asked}
    ended = next(
        (e for e in reversed(desk.events) if e.key in asked and (e.kind in _ENDS or e in closed)),
        None,
    )
    key = ended.key if ended else next(s.key for s in matter.states if s.key in keys)
    return RefusalError(NoRequest(key=key, event=ended))


def _decided(
    desk: Desk,
    command: Command,
    request: Event,
    kind: EventKind,
    day: date | None,
    told: tuple[str, ...],
) -> Decision:
    made = event(desk, kind, request.key, request.unit, until=day, note=command.note)
    granted = kind is EventKind.EXTENSION_GRANTED
    answer = ExtensionDecided(key=request.key, granted=granted, note=command.note)
    return also(said(answer, [made]), *(Notice(to=f"unit:{unit}", payload=answer) for unit in told))


def remind(desk: Desk, command: Command, target: Target) -> Decision:
    """“/nhacngay 1c”: a nudge now to each unit that still has to act, once a day and due day."""
    matter = find(desk, command, target)
    state = subject(desk, command, target, matter, ())[0]
    if state.due is None:
        raise refusal("remind-awaiting", key=state.key)
    open_units = state.open_units
    named = (target.unit,) if target.unit in open_units and target.unit else open_units
    before = {unit: asked for unit in named if (asked := _asked_today(desk, state, unit))}
    now = [unit for unit in named if unit not in before]
    heard = {unit for person in desk.people.values() for unit in person.units}
    answer = Reminded(
        key=state.key,
        units=tuple(now),
        before=tuple((unit, asked.at, asked.by) for unit, asked in before.items()),
        nobody=tuple(unit for unit in now if unit not in heard),
    )
    return Decision(answers=(answer,), remind=tuple((state.key, unit) for unit in now))


def _asked_today(desk: Desk, state: State, unit: str) -> Asked | None:
    """Who has had `unit` reminded of this today, unless something has changed since."""
    asked = desk.reminded.get((state.key, unit))
    if asked is None or local_day(asked.at) != desk.today:
        return None
    changed = any(e.kind in _ANEW and e.at >= asked.at for e in desk.events if e.key == state.key)
    return None if changed else asked
