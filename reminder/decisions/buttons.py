"""The data of buttons: at most 64 bytes (Bot API), without state, valid after a restart.

A button names its verb and a digest of the occurrence and unit that it is about; a press is looked
up among all that there are, so that nothing a stranger sends can name anything else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Literal

from reminder.domain import payloads
from reminder.domain.ledger import State
from reminder.domain.plan import Confirm, Key, Plan
from reminder.understanding.model import Command, Target
from reminder.understanding.verbs import Verb

_DIGITS = 20  # hex digits of SHA-256: 80 bits tell a few thousand apart for good
_DAY, _TIME, _DAY_DIGITS = "%Y%m%d", "%Y%m%d%H%M%S%f", 8
_VERBS = {verb.row.button: verb for verb in Verb if verb.row.button}
_HOW = {
    "set-due": payloads.HowSetDue,
    "note": payloads.HowNote,
    "no": payloads.HowNo,
}  # these only say how to type it
Word = Literal[
    "done", "undo", "snooze", "approve", "refuse", "remind", "not-yet",  # verbs; see Verb
    "both",  # done: all open products of the task
    "set-due", "note",  # ask what to type
    "move",  # sets the due day that the button names
    "confirm", "confirm-all",  # the dates of the work; of the plan
    "no",  # nothing: “tôi chỉ báo lại”
]  # fmt: skip


def encode(word: str, key: Key, unit: str, of: date | None = None) -> str:
    """Return the data of a button that does `word` for `unit` to the occurrence.

    `of`: the day that it is about, or the time of the event that it takes back.
    """
    when = of.astimezone(UTC).strftime(_TIME) if isinstance(of, datetime) else ""
    named = f"{word}@{when or f'{of:%Y%m%d}'}" if of else word
    return f"{named}:{_digest(key, unit)}"


def meant(
    data: str, states: Mapping[Key, State], plans: Mapping[str, Plan], units: Iterable[str]
) -> Command | payloads.Payload | None:
    """Return the command that a button stands for; a Payload where it only says how to type it."""
    named, _, digest = data.partition(":")
    known = ("", *units)  # "": of no one unit
    pairs = ((key, unit) for key in states for unit in known)
    found = next((pair for pair in pairs if _digest(*pair) == digest), None)
    word, _, written = named.partition("@")
    form = _DAY if len(written) == _DAY_DIGITS else _TIME
    try:
        at = datetime.strptime(written, form).replace(tzinfo=UTC) if written else None
    except ValueError:
        return None
    day = at.date() if at else None
    if found is None:
        return None
    key, unit = found
    target, state = target_of(key, states, plans), states[key]
    if word in _HOW:
        return _HOW[word](key=key)
    if word == "both":
        return Command(verb=Verb.DONE, targets=(replace(target, deliverables=(), every=True),))
    if word == "confirm-all":
        return Command(verb=Verb.CONFIRM, everything=True, period=str(plans[key.plan].year))
    if word == "confirm":  # of all periods
        return Command(verb=Verb.CONFIRM, targets=(replace(target, period=None),))
    if word == "move" and day:
        return Command(verb=Verb.SETDUE, targets=(target,), until=day)
    verb = _VERBS.get(word)
    if verb is None:
        return None
    if verb is Verb.UNDO:  # an earlier release's button names no event
        return Command(verb=verb, targets=(target,), event_at=at) if at else None
    if day and state.request and state.request.until != day:  # another request than the button's
        return payloads.ExtensionAsked(key=key)
    if unit and verb is Verb.DONE and state.occurrence.task.confirm is Confirm.ALL:
        target = replace(target, unit=unit)
    return Command(verb=verb, targets=(target,), days=1 if verb is Verb.SNOOZE else None)


def target_of(key: Key, states: Mapping[Key, State], plans: Mapping[str, Plan]) -> Target:
    """Return the occurrence, as one would name it in a command."""
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
