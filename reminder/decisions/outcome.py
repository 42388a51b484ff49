"""What decisions are made of: refusals, events, one answer; who may; commands as one types them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any

from reminder.domain import payloads
from reminder.domain.calendar import vn_date
from reminder.domain.context import Context, Decision, Notice, Sender
from reminder.domain.ledger import Event, EventKind, folded
from reminder.domain.plan import Key, Task
from reminder.understanding.model import Command, Target, format_command
from reminder.understanding.verbs import Verb, Who

Step = Callable[[Context], Decision]
Handler = Callable[[Context, Command], Decision]
DISOWNED = "không phải người này gửi"  # the note of what “không phải tôi” takes back
TargetHandler = Callable[[Context, Command, Target], Decision]


class RefusalError(Exception):
    """Nothing is recorded of this target; `payload` says why, and what to type instead."""

    def __init__(self, payload: payloads.Payload) -> None:
        super().__init__(payload.view)
        self.payload = payload


def refusal(reason: str, **data: Any) -> RefusalError:
    """Return a refusal in one or two sentences, which the renderer knows by `reason`."""
    return RefusalError(payloads.Refused(reason=reason, **data))


def said(payload: payloads.Payload, events: Iterable[Event] = (), *notices: Notice) -> Decision:
    """Return these events, this answer, and what others are told."""
    return Decision(events=tuple(events), answers=(payload,), notices=notices)


def event(context: Context, kind: EventKind, key: Key, unit: str, **more: Any) -> Event:
    """Return what the sender says or does now about the part of `unit`."""
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
    """Return the handler of a command that calls `handler` for each of its targets."""

    def run(context: Context, command: Command) -> Decision:
        def step(target: Target) -> Step:
            return lambda later: handler(later, command, target)

        if not command.targets:
            raise refusal("needs-code", verb=command.verb.value)
        return in_turn(context, map(step, dict.fromkeys(command.targets)))

    return run


# Answers of one kind that are told as one: their lists are joined.
_JOINED = (
    payloads.Done,
    payloads.Updated,
    payloads.Seen,
    payloads.Confirmed,
    payloads.TaskDetails,
    payloads.DueDates,
    payloads.Claimed,
)


def one_answer(answers: Iterable[payloads.Payload]) -> tuple[payloads.Payload, ...]:
    """Return the answers to the sender as one."""
    found: dict[object, payloads.Payload] = {}
    for answer in answers:
        kind: object = type(answer) if isinstance(answer, _JOINED) else answer
        found[kind] = _joined(found[kind], answer) if kind in found else answer
    return (
        (payloads.Several(parts=tuple(found.values())),)
        if len(found) > 1
        else tuple(found.values())
    )


def _joined(one: payloads.Payload, other: payloads.Payload) -> payloads.Payload:
    data: dict[str, Any] = {}
    for name in (each.name for each in fields(one)):
        mine, theirs = getattr(one, name), getattr(other, name)
        both = type(mine) is tuple  # not a Key
        data[name] = tuple(dict.fromkeys((*mine, *theirs))) if both else mine or theirs
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


def on_record(context: Context, task: Task) -> str:
    """Return the unit whose part an act of the office on the whole concerns."""
    return (own_units(context, task) or task.lead)[0]


def reads_all(sender: Sender) -> bool:
    """Return whether `sender` reads of the work of all units, where the answer goes."""
    return (sender.office or sender.leader) and not sender.in_public


def may_read(sender: Sender, task: Task) -> bool:
    """Return whether `sender` reads all of `task`; of other tasks the dates alone."""
    return reads_all(sender) or bool({*task.lead, *task.support} & set(sender.units))


# ---- commands as one types them, which refusals offer


def head(verb: Verb) -> str:
    """Return the words that open a command: “xong”, “/dathan”."""
    return verb.row.typed("{}").partition(" {}")[0]


def tail(command: Command) -> str:
    """Return what stands behind the code: the day, the number of days, the text."""
    words = [vn_date(command.until, year=True)] if command.until else []
    words += [f"{command.days} ngày"] if command.days else []
    words += [text] if (text := command.evidence or command.note) else []
    return " ".join(words)


def typed(command: Command) -> str:
    """Return `command` alone as typed, lists one by one; it is parsed to the same again."""
    line = format_command(replace(command, also=(), listed_back=False))
    _, _, rest = line.partition(" ")
    return f"{head(command.verb)} {rest}".replace("\n", "; ")


def of_plan(command: Command, target: Target, year: int) -> str:
    """Return `command` on `target` alone, in the plan of `year`: “xong 2025/1c”."""
    named = replace(target, plan=str(year))
    answers = tuple((named, text) for each, text in command.answers if each == target)
    return typed(replace(command, targets=(named,), answers=answers, everything=False))
