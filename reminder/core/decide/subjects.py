"""Which occurrences of a matter are spoken of, or why none can be acted on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from reminder.core.closing import Already, Choice, Closes, NotOpen, Which, choose
from reminder.core.commands import Command, Target
from reminder.core.decide.common import RefusalError, refusal
from reminder.core.decide.forms import head, tail
from reminder.core.decide.matters import Matter
from reminder.core.decide.packing import pack_event, pack_key
from reminder.core.desk import Desk
from reminder.core.ledger import Event, State

TOGETHER = timedelta(minutes=1)  # two colleagues who report the same thing at once


def choice(desk: Desk, matter: Matter, target: Target, units: tuple[str, ...]) -> Choice:
    """What `target` means for `units`: of shared work, what they have confirmed is closed."""
    seen = [_as_seen(state, units) for state in matter.states]
    made = choose(matter.task, seen, target, desk.today)
    if not isinstance(made, Closes):
        return made
    if len(made.states) > 1 and not (target.deliverables or target.every):
        return Which(made.states)
    twice = _just_closed(desk, made.states[0], units) if target.period is None else None
    return Already(twice, made.states[0]) if twice else made


def _as_seen(state: State, units: tuple[str, ...]) -> State:
    if state.closed or not units or any(unit not in state.parts for unit in units):
        return state
    return replace(state, closed=state.parts[units[-1]])


def _just_closed(desk: Desk, state: State, units: tuple[str, ...]) -> State | None:
    """An earlier occurrence that a colleague closed this minute: the same is meant, no other."""
    for other in desk.states.values():
        if other.key[:3] != state.key[:3] or other.key == state.key:
            continue
        if not units or any(unit not in other.parts for unit in units):
            continue
        closing = other.parts[units[-1]]
        colleague = closing.by != desk.sender.person.id
        if colleague and abs(desk.now - closing.at) < TOGETHER:
            return replace(other, closed=closing)
    return None


def subject(
    desk: Desk,
    command: Command,
    target: Target,
    matter: Matter,
    units: tuple[str, ...],
    *,
    unopened: bool = False,
    any_of: bool = False,
) -> tuple[State, ...]:
    """The open occurrences that are spoken of; where no product is open, the check-in.

    `unopened`: one not open yet will do; `any_of`: of several products the earliest will do.
    """
    made = choice(desk, matter, target, units)
    check_in = matter.task.check_in
    named = target.deliverables or target.period
    if not isinstance(made, Closes | Which) and check_in and not named:
        standing = choice(desk, matter, replace(target, deliverables=(check_in.number,)), units)
        made = standing if isinstance(standing, Closes) else made
    match made:
        case Closes(states):
            return _as_kept(desk, states)
        case Which(states) if any_of:
            return _as_kept(desk, states[:1])
        case Which(states):
            raise which(command, states)
        case Already(_, State() as following) | NotOpen(following) if unopened:
            return _as_kept(desk, (following,))
    raise unclosable(made, target)


def _as_kept(desk: Desk, states: tuple[State, ...]) -> tuple[State, ...]:
    return tuple(desk.states[state.key] for state in states)


def which(command: Command, states: tuple[State, ...]) -> RefusalError:
    """The question which of `states` is meant, with a typed form for each."""
    return RefusalError(
        "which-part",
        keys=[pack_key(state.key) for state in states],
        head=head(command.verb),
        tail=tail(command),
    )


def unclosable(made: Choice, target: Target) -> RefusalError:
    """Why there is nothing to act on: all is done, or nothing is open yet."""
    match made:
        case Already(last, following):
            return already(last, last.closed, following)
        case NotOpen(following):
            return RefusalError("not-open", key=pack_key(following.key))
        case _:
            return refusal("no-such", code=target.task)


def already(state: State, closing: Event | None, following: State | None = None) -> RefusalError:
    assert closing is not None
    return RefusalError(
        "already-done",
        key=pack_key(state.key),
        event=pack_event(closing),
        next=pack_key(following.key) if following else None,
    )
