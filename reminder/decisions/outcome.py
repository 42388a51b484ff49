"""What every decision is made of: refusals, events, and one answer out of several outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from reminder.domain.context import Decision, Context, Notice
from reminder.domain.ledger import Event, EventKind, State, apply
from reminder.domain.occurrences import Key
from reminder.domain.payloads import (
    Claimed,
    Confirmed,
    Done,
    DueDates,
    OfficeOnly,
    Payload,
    Refused,
    Seen,
    Several,
    TaskDetails,
    Updated,
)
from reminder.understanding import Command, Target, Verb

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


def after(context: Context, events: Sequence[Event]) -> Context:
    """Return the context once `events` are recorded."""
    if not events:
        return context
    states: dict[Key, State] = dict(context.states)
    for each in events:
        if each.key in states:
            states[each.key] = apply(states[each.key], each)
    return replace(context, states=states, events=(*context.events, *events))


def in_turn(context: Context, steps: Iterable[Step]) -> Decision:
    """Take each step in the context that the one before left; a refused one records nothing."""
    events: list[Event] = []
    answers: list[Payload] = []
    notices: list[Notice] = []
    remind: list[tuple[Key, str]] = []
    for step in steps:
        try:
            made = step(context)
        except RefusalError as refused:
            made = Decision(answers=(refused.payload,))
        context = after(context, made.events)
        events += made.events
        answers += made.answers
        notices += made.notices
        remind += made.remind
    return Decision(
        events=tuple(events),
        answers=tuple(answers),
        notices=tuple(notices),
        remind=tuple(remind),
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


def office_only(verb: Verb, handler: Handler) -> Handler:
    """`handler`, for the office alone."""

    def run(context: Context, command: Command) -> Decision:
        if not context.sender.office:
            codes = tuple(target.task for target in command.targets)
            raise RefusalError(OfficeOnly(verb=verb.value, codes=codes))
        return handler(context, command)

    return run


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
    """All that is said to the sender as one message."""
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
