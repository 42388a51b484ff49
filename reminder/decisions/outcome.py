"""What every decision is made of: refusals, events, and one answer out of several outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reminder.domain.context import Decision, Desk, View
from reminder.domain.ledger import Event, EventKind, State, apply
from reminder.domain.occurrences import Key
from reminder.understanding import Command, Target, Verb

Step = Callable[[Desk], Decision]
Handler = Callable[[Desk, Command], Decision]
TargetHandler = Callable[[Desk, Command, Target], Decision]


class RefusalError(Exception):
    """Nothing is recorded of this target; `view` says why, and what to type instead."""

    def __init__(self, name: str, **data: Any) -> None:
        super().__init__(name)
        self.view = View(name=name, data=data)


def refusal(reason: str, **data: Any) -> RefusalError:
    """A refusal in one or two sentences, which the renderer knows by `reason`."""
    return RefusalError("refused", reason=reason, **data)


def said(name: str, events: Iterable[Event] = (), /, to: str = "", **data: Any) -> Decision:
    """These events, and this view of them."""
    return Decision(events=tuple(events), views=(View(name=name, data=data, to=to),))


def also(decision: Decision, *more: View) -> Decision:
    """`decision`, and words to others besides."""
    return replace(decision, views=(*decision.views, *more))


def event(desk: Desk, kind: EventKind, key: Key, unit: str, **more: Any) -> Event:
    """What the sender says or does now about the part of `unit`."""
    return Event(
        at=desk.now,
        kind=kind,
        key=key,
        unit=unit,
        by=desk.sender.person.id,
        channel=desk.channel,
        message=desk.message,
        **more,
    )


def after(desk: Desk, events: Sequence[Event]) -> Desk:
    """The desk once `events` are recorded."""
    if not events:
        return desk
    states: dict[Key, State] = dict(desk.states)
    for each in events:
        if each.key in states:
            states[each.key] = apply(states[each.key], each)
    return replace(desk, states=states, events=(*desk.events, *events))


def in_turn(desk: Desk, steps: Iterable[Step]) -> Decision:
    """Each step on the desk as the one before left it; a refused one records nothing."""
    events: list[Event] = []
    views: list[View] = []
    remind: list[tuple[Key, str]] = []
    for step in steps:
        try:
            made = step(desk)
        except RefusalError as refused:
            made = Decision(views=(refused.view,))
        desk = after(desk, made.events)
        events += made.events
        views += made.views
        remind += made.remind
    return Decision(events=tuple(events), views=tuple(views), remind=tuple(remind))


def per_target(handler: TargetHandler) -> Handler:
    """`handler` for each target of a command."""

    def run(desk: Desk, command: Command) -> Decision:
        if not command.targets:
            raise refusal("needs-code", verb=command.verb.value)
        return in_turn(
            desk, [_bound(handler, command, target) for target in dict.fromkeys(command.targets)]
        )

    return run


def _bound(handler: TargetHandler, command: Command, target: Target) -> Step:
    return lambda desk: handler(desk, command, target)


def office_only(verb: Verb, handler: Handler) -> Handler:
    """`handler`, for the office alone."""

    def run(desk: Desk, command: Command) -> Decision:
        if not desk.sender.office:
            codes = [target.task for target in command.targets]
            raise RefusalError("office-only", verb=verb.value, codes=codes)
        return handler(desk, command)

    return run


# Views of one answer that are told as one, and which of their data are lists to be joined.
_JOINED: Mapping[str, tuple[str, ...]] = {
    "done": ("events",),
    "updated": ("events", "units"),
    "seen": ("keys",),
    "confirmed": ("keys",),
    "task": ("tasks",),
    "due": ("tasks",),
    "claimed": ("keys",),
}


def one_answer(views: Sequence[View]) -> tuple[View, ...]:
    """The answer first, made of all that is said to the sender; then what others hear."""
    answers: list[View] = []
    for view in (view for view in views if not view.to):
        same = next((n for n, a in enumerate(answers) if _joins(a, view)), None)
        if same is None:
            answers.append(view)
        else:
            answers[same] = _joined(answers[same], view)
    others = tuple(view for view in views if view.to)
    if len(answers) > 1:
        parts = [[view.name, dict(view.data)] for view in answers]
        return (View(name="several", data={"parts": parts}), *others)
    return (*answers, *others)


def _joins(one: View, other: View) -> bool:
    return one == other or (one.name == other.name and one.name in _JOINED)


def _joined(one: View, other: View) -> View:
    if one == other:
        return one
    data = {**other.data, **{name: value for name, value in one.data.items() if value}}
    for name in _JOINED[one.name]:
        more = [each for each in other.data[name] if each not in one.data[name]]
        data[name] = [*one.data[name], *more]
    return View(name=one.name, data=data)
