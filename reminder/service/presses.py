"""What a pressed button means: the command that it stands for, as if it had been typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reminder.core import buttons
from reminder.core.commands import Command, Target, Verb
from reminder.core.desk import Decision, View
from reminder.core.occurrences import Key
from reminder.service.office import Office

_VERBS: Mapping[str, Verb] = {
    "done": Verb.DONE,
    "undo": Verb.UNDO,
    "remind": Verb.REMIND,
    "approve": Verb.APPROVE,
    "refuse": Verb.REJECT,
    "snooze": Verb.SNOOZE,
}


def meant(office: Office, data: str) -> Command | Decision | None:
    """The command that a button stands for; a Decision where it only says how to type it."""
    found = buttons.decode(data, office.states, ("", *office.units))  # "": of no one unit
    if found is None:
        return None
    word, day = buttons.day_of(found[0])
    _, key, unit = found
    target, state = target_of(office, key), office.states[key]
    if word == "both":
        return Command(verb=Verb.DONE, targets=(replace(target, deliverables=(), every=True),))
    if word in ("set-due", "note", "no"):
        return Decision(views=(View(name=f"how-{word}", data={"key": list(key)}),))
    if word == "confirm-all":
        year = str(office.by_plan[key.plan].year)
        return Command(verb=Verb.CONFIRM, everything=True, period=year)
    if word == "confirm":  # of all periods
        return Command(verb=Verb.CONFIRM, targets=(replace(target, period=None),))
    if word == "move" and day:
        return Command(verb=Verb.SETDUE, targets=(target,), until=day)
    verb = _VERBS.get(word)
    if verb is None:
        return None
    if day and state.request and state.request.until != day:  # another request than the button's
        return Decision(views=(View(name="extension-asked", data={"key": list(key)}),))
    shared = state.occurrence.task.confirm.value == "all"
    if shared and unit and verb is Verb.DONE:
        target = replace(target, unit=unit)
    return Command(verb=verb, targets=(target,), days=1 if verb is Verb.SNOOZE else None)


def target_of(office: Office, key: Key) -> Target:
    """The occurrence, as one would name it in a command."""
    several = len(office.by_plan) > 1
    state = office.states[key]
    once = state.occurrence.deliverable.recurs
    return Target(
        task=key.task,
        deliverables=(key.deliverable,),
        period=key.period if once else None,
        plan=key.plan if several else None,
    )
