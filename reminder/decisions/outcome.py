"""The parts of a decision: refusals, events, and one answer out of several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from itertools import chain
from typing import Any

from reminder.domain.context import Context, Decision, Notice
from reminder.domain.ledger import Event, EventKind, folded
from reminder.domain.occurrences import Key
from reminder.domain.payloads import (
    Claimed,
    Confirmed,
    Done,
    DueDates,
    Payload,
    Refused,
    Seen,
    Several,
    TaskDetails,
    Updated,
)
from reminder.understanding import Command, Target

Step = Callable[[Context], Decision]
Handler = Callable[[Context, Command], Decision]
TargetHandler = Callable[[Context, Command, Target], Decision]


class RefusalError(Exception):
    """Nothing is recorded of this target; `payload` says why, and what to type instead."""

    def __init__(self, payload: Payload) -> None:
        super().__init__(payload.view)
        self.payload = payload


def refusal(reason: str, **data: Any) -> RefusalError:
    """A refusal in one or two sentences, which the renderer knows by `reason`."""
    return RefusalError(Refused(reason=reason, **data))


def said(payload: Payload, events: Iterable[Event] = ()) -> Decision:
    """These events, and this answer."""
    return Decision(events=tuple(events), answers=(payload,))


def also(decision: Decision, *more: Notice) -> Decision:
    """`decision`, and words to others besides."""
    return replace(decision, notices=(*decision.notices, *more))


def event(context: Context, kind: EventKind, key: Key, unit: str, **more: Any) -> Event:
    """What the sender says or does now about the part of `unit`."""
    return Event(
        at=context.now,
        kind=kind,
        key=key,
        unit=unit,
        by=context.sender.person.id,
        channel=context.channel,
        message=context.message,
        **more,
    )


def after(context: Context, made: Decision) -> Context:
    """Return the context once the events of `made` are recorded."""
    if not made.events:
        return context
    states = made.states or folded(context.states, made.events)
    return replace(context, states=states, events=(*context.events, *made.events))


def in_turn(context: Context, steps: Iterable[Step]) -> Decision:
    """Take each step in the context that the one before left; a refused one records nothing."""
    done: list[Decision] = []
    for step in steps:
        try:
            made = step(context)
        except RefusalError as refused:
            made = Decision(answers=(refused.payload,))
        context = after(context, made)
        done.append(made)
    events = tuple(chain.from_iterable(made.events for made in done))
    return Decision(
        events=events,
        answers=tuple(chain.from_iterable(made.answers for made in done)),
        notices=tuple(chain.from_iterable(made.notices for made in done)),
        remind=tuple(chain.from_iterable(made.remind for made in done)),
        states=context.states if events else None,
    )


def per_target(handler: TargetHandler) -> Handler:
    """`handler` for each target of a command."""

    def run(context: Context, command: Command) -> Decision:
        if not command.targets:
            raise refusal("needs-code", verb=command.verb.value)
        return in_turn(
            context, [_bound(handler, command, target) for target in dict.fromkeys(command.targets)]
        )

    return run


def _bound(handler: TargetHandler, command: Command, target: Target) -> Step:
    return lambda context: handler(context, command, target)


# Answers of one kind that are told as one, and which of their fields are lists to be joined.
_JOINED: Mapping[type[Payload], tuple[str, ...]] = {
    Done: ("events",),
    Updated: ("events", "units"),
    Seen: ("keys",),
    Confirmed: ("keys",),
    TaskDetails: ("tasks",),
    DueDates: ("tasks",),
    Claimed: ("keys",),
}


def one_answer(answers: Iterable[Payload]) -> tuple[Payload, ...]:
    """The answers to the sender as one."""
    found: list[Payload] = []
    for answer in answers:
        same = next((n for n, each in enumerate(found) if _joins(each, answer)), None)
        if same is None:
            found.append(answer)
        else:
            found[same] = _joined(found[same], answer)
    return (Several(parts=tuple(found)),) if len(found) > 1 else tuple(found)


def _joins(one: Payload, other: Payload) -> bool:
    return one == other or (type(one) is type(other) and type(one) in _JOINED)


def _joined(one: Payload, other: Payload) -> Payload:
    if one == other:
        return one
    data = {f.name: getattr(one, f.name) or getattr(other, f.name) for f in fields(one)}
    for name in _JOINED[type(one)]:
        data[name] = tuple(dict.fromkeys((*getattr(one, name), *getattr(other, name))))
    return replace(one, **data)
