"""The handler of each verb; ranges and several commands in a message; one answer to all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from inspect import signature

from reminder.decisions.outcome import (
    DISOWNED,
    Handler,
    RefusalError,
    Step,
    after,
    in_turn,
    may,
    one_answer,
    own_units,
    per_target,
    refusal,
    said,
    typed,
)
from reminder.decisions.targets import Closes, Which, resolve
from reminder.domain import payloads
from reminder.domain.context import Context, Decision, Notice
from reminder.domain.ledger import Event, State
from reminder.domain.plan import Key
from reminder.understanding.model import Command, CommandError, Reason, Target
from reminder.understanding.verbs import Row, Verb, Who


def _function(name: str) -> Handler:
    """Return the function of `decisions` with this name; it is called for each target it takes."""
    module, _, function = name.partition(".")
    found: Callable[..., Decision] = getattr(
        import_module(f"reminder.decisions.{module}"), function
    )
    return per_target(found) if "target" in signature(found).parameters else found


def _handler(row: Row) -> Handler:
    """Return what decides a verb; another function may decide it where no work is named."""
    handler = _function(row.handler)
    if not row.without:
        return handler
    without = _function(row.without)
    return lambda context, command: (handler if command.targets else without)(context, command)


HANDLERS: Mapping[Verb, Handler] = {verb: _handler(verb.row) for verb in Verb}


def may_change(commands: Iterable[Command], states: Mapping[Key, State]) -> list[Key]:
    """Return the occurrences that `commands` may close or open again."""
    parts = [each for each in commands if each.verb.row.closes]
    codes = {t.task for each in parts for t in (*each.targets, *(a for a, _ in each.answers))}
    rest = any(each.everything and not each.targets for each in parts)  # all open check-ins
    # Of any work.
    last = any(each.verb in (Verb.UNDO, Verb.DISOWN) and not each.targets for each in parts)
    return [
        key
        for key, state in states.items()
        if key.task in codes or (rest and state.occurrence.is_check_in) or (last and state.parts)
    ]


def decide(command: Command, context: Context) -> Decision:
    """Decide `command`: the events, the answer, and what others are told."""
    made = in_turn(context, [_step(each) for each in (replace(command, also=()), *command.also)])
    notices = (*made.notices, *_notices_above(context, after(context, made), made.events))
    return replace(made, answers=one_answer(made.answers), notices=notices)


def _step(command: Command) -> Step:
    def run(context: Context) -> Decision:
        verb = command.verb
        if command.listed_back and not verb.row.reads:
            return _list_back(context, command)
        sender = context.sender
        offices_view = verb.row.reads and verb.row.who in (Who.READERS, Who.OFFICE)
        if offices_view and sender.in_public and (sender.office or sender.leader):
            raise refusal("not-in-public", verb=verb.value)
        if not may(sender, verb):
            if verb.row.who is Who.READERS:
                raise refusal("reads-all-only", verb=verb.value)
            codes = tuple(target.task for target in command.targets)
            raise RefusalError(payloads.OfficeOnly(verb=verb.value, codes=codes))
        if verb.row.who is Who.OFFICE and not verb.row.reads and not context.proved:
            raise RefusalError(payloads.NeedsProof(verb=verb.value))
        # Typed, it would hide an act of somebody else from “không phải tôi”.
        note = "" if command.note == DISOWNED else command.note
        return HANDLERS[verb](context, replace(command, note=note))

    return run


def _notices_above(before: Context, later: Context, events: Sequence[Event]) -> Iterator[Notice]:
    """Tell each unit above that was told of the delay that the work is done, or open again."""
    closed: dict[str, list[Key]] = {}
    reopened: list[tuple[str, Event]] = []
    for key, last in {event.key: event for event in events}.items():
        was, now = before.states.get(key), later.states.get(key)
        if was is None or now is None or bool(was.closed) is bool(now.closed):
            continue
        for unit in sorted(before.told.get(key, ())):
            if now.closed:
                closed.setdefault(unit, []).append(key)
            else:
                reopened.append((unit, last))
    for unit, keys in closed.items():
        word = payloads.ClosedNotice(keys=tuple(keys), leaders=unit in before.leaders)
        yield Notice(to=f"unit:{unit}", payload=word)
    for unit, event in reopened:
        again = payloads.ReopenedNotice(event=event, leaders=unit in before.leaders)
        yield Notice(to=f"unit:{unit}", payload=again)


def _list_back(context: Context, command: Command) -> Decision:
    """List what “1a-1e xong” covers, with what one types to mean it; record nothing."""
    keys = tuple(key for target in command.targets for key in _covered(context, command, target))
    return said(payloads.ListedBack(keys=keys, typed=typed(command)))


def _covered(context: Context, command: Command, target: Target) -> list[Key]:
    """Return what the target may mean; nothing where it is refused: once typed, it is told why."""
    try:
        work = resolve(context, command, target)
    except RefusalError:
        return []
    made = work.choice(work.own)
    return [state.key for state in made.states] if isinstance(made, Closes | Which) else []


def decide_error(error: CommandError, context: Context) -> Decision:
    """Return the answer to a text that was not understood, with buttons for what it offers."""
    offered: list[Key] = []
    for target in dict.fromkeys(error.targets):
        if f"xong {target.task}" in error.say:
            offered += _offered(context, target)
    if error.reason is Reason.WHICH_CODE and len(offered) > 1:
        unit = context.sender.units[0] if context.sender.units else ""
        return said(payloads.WhichOccurrence(keys=tuple(dict.fromkeys(offered[:8])), unit=unit))
    keys = tuple(dict.fromkeys(offered[:8]))
    return said(payloads.NotUnderstood(say=error.say, reason=error.reason.value, keys=keys))


def _offered(context: Context, target: Target) -> list[Key]:
    """Return what the sender may close of `target`, where it is one thing."""
    keys = _covered(context, Command(verb=Verb.DONE, targets=(target,)), target)
    task = context.states[keys[0]].occurrence.task if keys else None
    mine = task is not None and (context.sender.office or bool(own_units(context, task)))
    return keys if mine and len(keys) == 1 else []
