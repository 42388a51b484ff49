"""Days: a later nudge, more time, a date set or confirmed by the office."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from reminder.core.commands import Command, Target
from reminder.core.decide.common import (
    also,
    event,
    per_target,
    refusal,
    said,
)
from reminder.core.decide.forms import head, tail
from reminder.core.decide.matters import Matter, find, on_record, own_parts, own_units
from reminder.core.decide.packing import pack_event, pack_key
from reminder.core.decide.subjects import subject
from reminder.core.desk import Decision, Desk, View
from reminder.core.ledger import Event, EventKind, State


def snooze(desk: Desk, command: Command, target: Target) -> Decision:
    """“nhắc sau 1c 3”: silent for the own unit until a working day, never past the due day."""
    matter = find(desk, command, target)
    units = own_parts(desk, matter, target)
    state = subject(desk, command, target, matter, units)[0]
    wished = _wished(command, desk.today)
    if wished is None:
        raise refusal("needs-date", verb=command.verb.value, key=pack_key(state.key))
    day, capped = _silent_until(desk, state, wished)
    events = [
        event(desk, EventKind.SNOOZED, state.key, unit, until=day)
        for unit in units
        if unit in state.open_units
    ]
    return said("snoozed", events, key=pack_key(state.key), until=day.isoformat(), capped=capped)


def _silent_until(desk: Desk, state: State, wished: date) -> tuple[date, bool]:
    """The working day on which it speaks again, and whether the due day cut it short."""
    key, calendar = pack_key(state.key), desk.scheduler.calendar
    if state.due is None:
        raise refusal("snooze-awaiting", key=key)
    if desk.scheduler.days_late(state, desk.today):
        raise refusal("snooze-late", key=key)
    if wished <= desk.today:
        raise refusal("not-after-today", key=key, day=wished.isoformat())
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
        raise refusal("office-extends", key=pack_key(state.key), tail=tail(command))
    units = own_parts(desk, matter, target)
    state = subject(desk, command, target, matter, units)[0]
    day = _later_due(desk, matter, command, state)
    request = state.request
    nobody = not any(matter.plan.office in person.units for person in desk.people.values())
    stands: dict[str, Any] = {"nobody": nobody, "before": ""}
    if request and (request.until, request.note, request.unit) == (day, command.note, units[0]):
        return said("extension-requested", event=pack_event(request), again=True, **stands)
    asked = event(
        desk, EventKind.EXTENSION_ASKED, state.key, units[0], until=day, note=command.note
    )
    if request and request.until != day and request.until:
        stands["before"] = request.until.isoformat()
    office = View(
        name="extension-asked",
        data={"key": pack_key(state.key), "before": stands["before"]},
        to=f"unit:{matter.plan.office}",
    )
    packed = pack_event(asked)
    answer = said("extension-requested", [asked], event=packed, again=False, **stands)
    return also(answer, office)


def _later_due(desk: Desk, matter: Matter, command: Command, state: State) -> date:
    key = pack_key(state.key)
    if state.due is None:
        raise refusal("extend-awaiting", key=key)
    day = _wished(command, state.due)
    if day is None:
        raise refusal("needs-date", verb=command.verb.value, key=key)
    if day <= state.due:
        raise refusal("not-after-due", key=key, day=day.isoformat())
    check_day(desk, matter, state, day, today_too=False, verb=head(command.verb))
    return day


def check_day(
    desk: Desk, matter: Matter, state: State, day: date, *, today_too: bool, verb: str
) -> None:
    """A due day is still to come, within the plan's year, and not before the work opens."""
    key = pack_key(state.key)
    if day < desk.today or (day == desk.today and not today_too):
        raise refusal("not-after-today", key=key, day=day.isoformat(), head=verb)
    if day.year != matter.plan.year:
        raise refusal(
            "outside-year", key=key, day=day.isoformat(), year=matter.plan.year, head=verb
        )
    if day < state.occurrence.opens:
        raise refusal("before-open", key=key, day=day.isoformat(), head=verb)


def set_due(desk: Desk, command: Command, target: Target) -> Decision:
    """“/dathan 5a 15/9/2024”: the office gives or moves a date; the old one is kept beside it."""
    matter = find(desk, command, target)
    unit = on_record(matter.task, own_units(desk, matter.task))
    state = subject(desk, command, target, matter, (), unopened=True)[0]
    day = _wished(command, state.due)
    if day is None:
        raise refusal("needs-date", verb=command.verb.value, key=pack_key(state.key))
    check_day(desk, matter, state, day, today_too=True, verb=head(command.verb))
    if day == state.due and not state.assumed:
        raise refusal("already-due", key=pack_key(state.key))
    moved = event(
        desk,
        EventKind.DUE_SET,
        state.key,
        unit,
        until=day,
        note=command.note,
    )
    before = state.due.isoformat() if state.due else ""
    data: dict[str, Any] = {"event": pack_event(moved), "before": before}
    others = [
        View(name="date-set", data={**data, "ask": False}, to=f"unit:{unit}")
        for unit in state.open_units
    ]
    return also(said("date-set", [moved], **data, ask=not command.note), *others)


def _confirm_one(desk: Desk, command: Command, target: Target) -> Decision:
    """All dates of the target that wait to be confirmed; it has none: its own date is told."""
    matter = find(desk, command, target, lambda state: _unconfirmed(desk, state))
    waiting = [state for state in matter.named(target) if _unconfirmed(desk, state)]
    if not waiting:
        live = [s for s in matter.named(target) if not s.closed] or list(matter.named(target))
        raise refusal("not-assumed", key=pack_key(live[0].key))
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
    return said("confirmed", events, keys=[pack_key(state.key) for state in states])


def confirm(desk: Desk, command: Command) -> Decision:
    """“/xacnhan 4b”, “/xacnhan tất cả”: the office takes dates as they are."""
    if not command.everything:
        return per_target(_confirm_one)(desk, command)
    plans = {plan.id for plan in desk.plans if command.period in (None, str(plan.year))}
    waiting = [s for k, s in desk.states.items() if k.plan in plans and _unconfirmed(desk, s)]
    if not waiting:
        raise refusal("nothing-assumed")
    return _confirmed(desk, waiting)
