"""What closes: done, the answer to a check-in, and the number of a paper told after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reminder.core.closing import Already, Closes, Which
from reminder.core.commands import Command, Target
from reminder.core.decide.common import (
    RefusalError,
    Step,
    event,
    in_turn,
    refusal,
    said,
)
from reminder.core.decide.matters import Matter, find, instead, own_units, parts, waits
from reminder.core.decide.packing import pack_event, pack_key
from reminder.core.decide.remarks import answered
from reminder.core.decide.subjects import choice, unclosable
from reminder.core.desk import Decision, Desk
from reminder.core.ledger import Event, EventKind, State
from reminder.core.occurrences import Key
from reminder.core.plan import Confirm
from reminder.core.text import fold

STEADY = "thuong xuyen"  # “vẫn làm thường xuyên”: the work goes on as always


def done(desk: Desk, command: Command, target: Target) -> Decision:
    """“xong 1c”: closes what choose() says; where that is nothing, asks or tells why."""
    open_now = waits(desk, target)
    matter = find(desk, command, target, lambda s: open_now(s) and _is_meant(target, s))
    units = parts(desk, matter, target)
    made = choice(desk, matter, target, units)
    match made:
        case Closes(states):
            return _closed(desk, command, target, states, units)
        case Which(states):
            raise _which(desk, matter, target, states, units)
        case Already(last, _) if command.evidence and command.evidence != last.evidence:
            return _told_after(desk, last, units, command.evidence)
        case _:
            raise with_instead(desk, target, unclosable(made, target))


def _is_meant(target: Target, state: State) -> bool:
    """Products, not check-ins, unless the check-in is named or all that there is."""
    named = bool(target.deliverables or target.period)
    return named or not state.occurrence.is_check_in or not state.occurrence.task.products


def _closed(
    desk: Desk, command: Command, target: Target, states: Sequence[State], units: tuple[str, ...]
) -> Decision:
    events = [
        made
        for state in states
        for made in closing(desk, state.key, units, evidence=command.evidence, note=command.note)
    ]
    packed = [pack_event(made) for made in events]
    return said("done", events, events=packed, unit=events[0].unit, instead=instead(desk, target))


def closing(
    desk: Desk, key: Key, units: tuple[str, ...], *, evidence: str = "", note: str = ""
) -> list[Event]:
    """The events that close the open parts of `units`: never one that is closed already."""
    state = desk.states[key]
    kind = EventKind.UPDATED if state.occurrence.is_check_in else EventKind.DONE
    return [
        event(desk, kind, key, unit, evidence=evidence, note=note)
        for unit in units
        if unit in state.open_units
    ]


def _which(
    desk: Desk, matter: Matter, target: Target, states: Sequence[State], units: tuple[str, ...]
) -> RefusalError:
    """The question; where one of the products is done, “and the other?”."""
    closed = [s for s in matter.states if s.closed and not s.occurrence.is_check_in]
    closed.sort(key=lambda s: s.closed.at.timestamp() if s.closed else 0.0)
    return RefusalError(
        "which",
        keys=[pack_key(state.key) for state in states],
        unit=units[0],
        instead=instead(desk, target),
        closed=pack_key(closed[-1].key) if closed and len(states) == 1 else None,
    )


def _told_after(desk: Desk, state: State, units: tuple[str, ...], evidence: str) -> Decision:
    """The number and date of what is closed already; another one is replaced, and that is said."""
    told = event(desk, EventKind.EVIDENCE, state.key, units[0], evidence=evidence)
    return said("evidence", [told], event=pack_event(told), before=state.evidence)


def with_instead(desk: Desk, target: Target, refused: RefusalError) -> RefusalError:
    """A refusal that also offers 1đ, where a bare “1d” was typed."""
    other = instead(desk, target)
    if other is None:
        return refused
    return RefusalError(refused.view.name, **{**refused.view.data, "instead": other})


def update(desk: Desk, command: Command) -> Decision:
    """Each answer to its check-in; “tất cả”: to all check-ins that are open, to nothing else."""
    steps: list[Step] = [_answering(command, target, text) for target, text in command.answers]
    if command.everything and command.targets and not command.answers:
        steps += [_answering(command, target, command.note) for target in command.targets]
    elif command.everything:
        steps.append(lambda later: _rest(later, command.note, alone=not command.answers))
    if not steps:
        raise refusal("needs-code", verb=command.verb.value)
    return in_turn(desk, steps)


def _answering(command: Command, target: Target, text: str) -> Step:
    return lambda desk: answer(desk, command, target, text)


def answer(desk: Desk, command: Command, target: Target, text: str) -> Decision:
    """The answer to the task's check-in; what is told of an answered one is kept as a note."""
    open_now = waits(desk, target)
    matter = find(desk, command, target, lambda s: s.occurrence.is_check_in and open_now(s))
    units = parts(desk, matter, target)
    check_in = matter.task.check_in
    if check_in is None:
        key = pack_key((matter.named(target) or matter.states)[0].key)
        raise refusal("no-check-in", key=key, text=text)
    asked = replace(target, deliverables=(check_in.number,))
    match made := choice(desk, matter, asked, units):
        case Closes(states):
            return _updated(desk, [s.key for s in states], units, text)
        case Already(last, _) if last.closed and text and text not in _told(last):
            note = event(desk, EventKind.NOTED, last.key, units[0], note=text)
            return said("noted", [note], event=pack_event(note), added=True)
        case _:
            raise unclosable(made, asked)


def _told(state: State) -> list[str]:
    return [each.note for each in (*state.parts.values(), *state.notes)]


def _updated(
    desk: Desk, keys: Sequence[Key], units: tuple[str, ...], text: str, *, everything: bool = False
) -> Decision:
    events = [made for key in keys for made in closing(desk, key, units, note=text)]
    return said(
        "updated",
        events,
        events=[pack_event(made) for made in events],
        units=list(units),
        steady=STEADY in fold(text) and not everything,
    )


def _rest(desk: Desk, text: str, *, alone: bool) -> Decision:
    """All check-ins that still wait for the sender's own units."""
    plans = {plan.id for plan in desk.plans}
    steps: list[Step] = []
    for key, state in desk.states.items():
        units = own_units(desk, state.occurrence.task)
        live = key.plan in plans and state.occurrence.opens <= desk.today
        open_units = tuple(unit for unit in units if unit in state.open_units)
        if state.occurrence.task.confirm is Confirm.ANY:
            open_units = open_units[:1]
        if state.occurrence.is_check_in and live and open_units:
            steps.append(_standing(key, open_units, text))
    if not steps and alone:
        raise refusal("nothing-to-update")
    return in_turn(desk, steps)


def _standing(key: Key, units: tuple[str, ...], text: str) -> Step:
    return lambda desk: _updated(desk, [key], units, text, everything=True)


def doing(desk: Desk, command: Command, target: Target) -> Decision:
    """“đang làm”: of standing work it answers the check-in; of a product it is kept, no more."""
    open_now = waits(desk, target)
    matter = find(desk, command, target)
    live = [s for s in matter.named(target) if open_now(s)]
    standing = bool(live) and all(s.occurrence.is_check_in for s in live)
    if standing or not matter.task.products:
        return answer(desk, command, target, command.note or "đang làm")
    keys = [pack_key(state.key) for state in live[:1]]
    units = [u for u in own_units(desk, matter.task) if live and u in live[0].open_units]
    events = answered(desk, live[0], units[0], command.note or "đang làm") if units else []
    return said("seen", events, keys=keys)
