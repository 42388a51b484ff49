"""The data of buttons: at most 64 bytes (Bot API), without state, valid after a restart.

A button names its verb and a digest of the occurrence and unit that it is about; a press is looked
up among all that there are, so that nothing a stranger sends can name anything else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from reminder.domain.ledger import State
from reminder.domain.payloads import ExtensionAsked, HowNo, HowNote, HowSetDue, Payload
from reminder.domain.plan import Confirm, Key, Plan
from reminder.understanding.model import Command, Target
from reminder.understanding.verbs import Verb

_DIGITS = 20  # hex digits of SHA-256: 80 bits tell a few thousand apart for good
_VERBS = {verb.row.button: verb for verb in Verb if verb.row.button}


def encode(verb: str, key: Key, unit: str) -> str:
    """The data of a button that does `verb` for `unit` to the occurrence `key`."""
    return f"{verb}:{_digest(key, unit)}"


def dated(data: str, day: date) -> str:
    """The data of the same button, which names a day besides."""
    verb, _, digest = data.partition(":")
    return f"{verb}@{day:%Y%m%d}:{digest}"


def day_of(verb: str) -> tuple[str, date | None]:
    """A decoded verb without the day that it names, and that day."""
    word, _, day = verb.partition("@")
    try:
        return word, datetime.strptime(day, "%Y%m%d").date() if day else None  # noqa: DTZ007  a day
    except ValueError:
        return verb, None


def decode(data: str, keys: Iterable[Key], units: Iterable[str]) -> tuple[str, Key, str] | None:
    """The verb, occurrence and unit of a button; None if it is about none of these."""
    verb, _, digest = data.partition(":")
    known = list(units)
    for key in keys:
        for unit in known:
            if _digest(key, unit) == digest:
                return verb, key, unit
    return None


_HOW: Mapping[str, type[HowSetDue | HowNote | HowNo]] = {
    "set-due": HowSetDue,
    "note": HowNote,
    "no": HowNo,
}


def meant(
    data: str, states: Mapping[Key, State], plans: Mapping[str, Plan], units: Iterable[str]
) -> Command | Payload | None:
    """The command that a button stands for; a Payload where it only says how to type it."""
    found = decode(data, states, ("", *units))  # "": of no one unit
    if found is None:
        return None
    word, day = day_of(found[0])
    _, key, unit = found
    target, state = target_of(key, states, plans), states[key]
    if word == "both":
        return Command(verb=Verb.DONE, targets=(replace(target, deliverables=(), every=True),))
    if word in _HOW:
        return _HOW[word](key=key)
    if word == "confirm-all":
        return Command(verb=Verb.CONFIRM, everything=True, period=str(plans[key.plan].year))
    if word == "confirm":  # of all periods
        return Command(verb=Verb.CONFIRM, targets=(replace(target, period=None),))
    if word == "move" and day:
        return Command(verb=Verb.SETDUE, targets=(target,), until=day)
    verb = _VERBS.get(word)
    if verb is None:
        return None
    if day and state.request and state.request.until != day:  # another request than the button's
        return ExtensionAsked(key=key)
    if unit and verb is Verb.DONE and state.occurrence.task.confirm is Confirm.ALL:
        target = replace(target, unit=unit)
    return Command(verb=verb, targets=(target,), days=1 if verb is Verb.SNOOZE else None)


def target_of(key: Key, states: Mapping[Key, State], plans: Mapping[str, Plan]) -> Target:
    """The occurrence, as one would name it in a command."""
    recurs = states[key].occurrence.deliverable.recurs
    return Target(
        task=key.task,
        deliverables=(key.deliverable,),
        period=key.period if recurs else None,
        plan=key.plan if len(plans) > 1 else None,
    )


def _digest(key: Key, unit: str) -> str:
    text = "\x1f".join((key.plan, key.task, str(key.deliverable), key.period, unit))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
