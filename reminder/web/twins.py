"""What a page shows, as JSON: the twin that each page has under its address with `.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from reminder.domain.calendar import local
from reminder.domain.ledger import Event
from reminder.domain.people import Person
from reminder.domain.plan import Key, Plan, Task
from reminder.web.words import Shown

HIDDEN = frozenset({"here", "flash", "error", "typed", "suggested", "acts", "undo"})  # of forms


def place_of(key: Key) -> str:
    """Return the part of an address that names an occurrence."""
    return f"{key.plan}/{key.task}/{key.deliverable}/{key.period}"


def item_of(work: Shown) -> dict[str, Any]:
    """Return one occurrence, with the revision that an act on it has to name."""
    state = work.state
    return {
        "key": place_of(state.key),
        "revision": state.revision,
        "code": state.key.task,
        "title": work.title,
        "lead": list(work.task.lead),
        "due": state.due.isoformat() if state.due else None,
        "assumed": state.assumed,
        "standing": work.standing,
        "closed": state.closed.at.isoformat() if state.closed else None,
    }


_PLAIN: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((bool, int, float, str, type(None)), lambda value: value),
    (Key, place_of),
    (datetime, lambda at: local(at).isoformat()),
    (date, date.isoformat),
    (Shown, item_of),
    (Plan, lambda plan: {"id": plan.id, "title": plan.title, "year": plan.year}),
    (Task, lambda task: {"code": task.code, "title": task.title, "lead": list(task.lead)}),
    (Person, lambda person: {"id": person.id, "name": person.name}),
    (Event, lambda e: {"at": plain(e.at), "event": e.kind.value, "by": e.by}),
    (Mapping, lambda m: {str(plain(k)): plain(each) for k, each in m.items() if k not in HIDDEN}),
    (frozenset, lambda values: sorted(map(plain, values))),
    ((list, tuple), lambda values: list(map(plain, values))),
)


def plain(value: Any) -> Any:
    """Return `value` as JSON has it; TypeError for what no page shows."""
    if isinstance(value, Enum):
        return value.value
    make = next((make for kinds, make in _PLAIN if isinstance(value, kinds)), None)
    if make is not None:
        return make(value)
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} is on no page")
    shown = [field.name for field in fields(value) if field.name not in HIDDEN]
    return {name: plain(getattr(value, name)) for name in shown}
