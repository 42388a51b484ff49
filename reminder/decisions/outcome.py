"""What decisions are made of: refusals, events, one answer; who may; commands as one types them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from reminder.domain.calendar import vn_date
from reminder.domain.context import Context, Decision, Notice, Sender
from reminder.domain.ledger import Event, EventKind, folded
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
from reminder.domain.plan import Key, Task
from reminder.understanding.model import Command, Target, format_command
from reminder.understanding.verbs import Verb, Who

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
    return Decision(
        events=tuple(e for made in done for e in made.events),
        answers=tuple(a for made in done for a in made.answers),
        notices=tuple(n for made in done for n in made.notices),
        remind=tuple(r for made in done for r in made.remind),
        states=context.states if any(made.events for made in done) else None,
    )


def per_target(handler: TargetHandler) -> Handler:
    """`handler` for each target of a command."""

    def run(context: Context, command: Command) -> Decision:
        if not command.targets:
            raise refusal("needs-code", verb=command.verb.value)
        targets = dict.fromkeys(command.targets)
        return in_turn(context, [_bound(handler, command, target) for target in targets])

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


# ---- who may do and read what, by the files as they are at the time of the message


def may(sender: Sender, verb: Verb) -> bool:
    """Return whether `sender` may do this to any work at all."""
    match verb.row.who:
        case Who.OFFICE:
            return sender.office
        case Who.READERS:
            return reads_all(sender)
    return True


def own_units(context: Context, task: Task) -> tuple[str, ...]:
    """Return the lead units of `task` for which the sender answers; leaders only read."""
    leaders = context.leaders
    return tuple(u for u in task.lead if u in context.sender.units and u not in leaders)


def reads_all(sender: Sender) -> bool:
    """Return whether `sender` reads of the work of all units."""
    return sender.office or sender.leader


def may_read(sender: Sender, task: Task) -> bool:
    """Return whether `sender` reads all of `task`; of other tasks the dates alone."""
    return reads_all(sender) or bool({*task.lead, *task.support} & set(sender.units))


# ---- commands as one types them, which refusals offer


def head(verb: Verb) -> str:
    """The words that open a command: “xong”, “/dathan”."""
    return verb.row.typed("{}").partition(" {}")[0]


def tail(command: Command) -> str:
    """What stands behind the code: the day, the number of days, the text."""
    words = [vn_date(command.until, year=True)] if command.until else []
    words += [f"{command.days} ngày"] if command.days else []
    words += [text] if (text := command.evidence or command.note) else []
    return " ".join(words)


def typed(command: Command) -> str:
    """`command` alone as typed, lists one by one; it is parsed to the same again."""
    line = format_command(replace(command, also=(), listed_back=False))
    _, _, rest = line.partition(" ")
    return f"{head(command.verb)} {rest}".replace("\n", "; ")


def of_plan(command: Command, target: Target, year: int) -> str:
    """`command` on `target` alone, in the plan of `year`: “xong 2025/1c”."""
    named = replace(target, plan=str(year))
    answers = tuple((named, text) for each, text in command.answers if each == target)
    return typed(replace(command, targets=(named,), answers=answers, everything=False))
