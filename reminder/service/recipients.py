"""Who hears what a unit is told: its people, each by one channel, or its group in their place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from reminder.core.occurrences import Key
from reminder.core.outbox import Draft, Person
from reminder.core.schedule import Item, Message, MessageKind, Stage, local_day
from reminder.service.office import GROUP, TELEGRAM, Office

Items = Mapping[str, Sequence[Item]]  # by unit


def drafts(
    office: Office, messages: Iterable[Message], now: datetime, *, insist: str = ""
) -> list[Draft]:
    """The messages of one tick, one row a recipient, slot and kind; several units share it.

    `insist`: who of the office wants it said, whatever was put off or waits for a signature.
    """
    rows: dict[tuple[datetime, MessageKind, str, str], dict[str, Sequence[Item]]] = {}
    for message in messages:
        for recipient, channel in told(office, message.unit, message.kind, local_day(now)):
            place = (message.at, message.kind, recipient, channel)
            rows.setdefault(place, {})[message.unit] = message.items
    return [
        Draft(
            slot=slot,
            recipient=recipient,
            kind=kind.value,
            channel=channel,
            payload={"items": packed(by_unit), **({"insist": insist} if insist else {})},
            due_at=now,
        )
        for (slot, kind, recipient, channel), by_unit in rows.items()
    ]


def told(office: Office, unit: str, kind: str, today: date) -> list[tuple[str, str]]:
    """Each (recipient, channel) by which `unit` hears a message of this kind.

    A bound group stands in for its officers' private nudges on Telegram, not for their e-mail. Who
    is away is not nudged; where that leaves nobody who can be reached, the office hears it. A
    digest goes to each person by every way: in short by Telegram, in full by mail.
    """
    if kind == MessageKind.DIGEST:
        return [pair for person in office.members(unit) for pair in _ways(office, person)]
    if kind != MessageKind.NUDGE:
        return [_way(office, person) for person in office.members(unit)]
    group = f"{GROUP}{unit}"
    in_group = TELEGRAM in office.channels and bool(office.address(group, TELEGRAM))
    there = [p for p in office.members(unit) if not office.away_until(p.id, today)]
    ways = [_way(office, person) for person in there]
    found = [way for way in ways if not (in_group and way[1] == TELEGRAM)]
    if in_group:
        return [(group, TELEGRAM), *found]
    away = [person for person in office.members(unit) if person not in there]
    if away and not any(office.ways(person.id) for person in there):
        found += _stand_ins(office, unit, today) or [_way(office, person) for person in away]
    return found


def _ways(office: Office, person: Person) -> list[tuple[str, str]]:
    ways = office.ways(person.id) or [office.channels[0]]  # which fails, and says so
    return [(person.id, way) for way in ways]


def _way(office: Office, person: Person) -> tuple[str, str]:
    return _ways(office, person)[0]


def _stand_ins(office: Office, unit: str, today: date) -> list[tuple[str, str]]:
    """The people of the office who are there, for a unit whose own are away."""
    return [
        _way(office, person)
        for person in office.files.people
        if set(person.units) & office.offices_over(unit)
        if office.ways(person.id) and not office.away_until(person.id, today)
    ]


def empty(office: Office) -> list[str]:
    """Units that lead work, or follow it, and have nobody in them."""
    needed = {unit for plan in office.plans for task in plan.tasks for unit in task.lead}
    needed |= office.offices | office.leaders
    return [unit for unit in office.units if unit in needed and not office.members(unit)]


def headless(office: Office) -> list[str]:
    """Offices of which nobody can be reached: what they should decide and hear reaches nobody."""
    return [
        unit
        for unit in sorted(office.offices)
        if not any(office.ways(person.id) for person in office.members(unit))
    ]


def packed(items: Items) -> list[list[Any]]:
    """Items as JSON values, for the payload of a row."""
    return [
        [unit, *item.key, item.due.isoformat(), str(item.stage)]
        for unit, of_unit in items.items()
        for item in of_unit
    ]


def unpacked(payload: Mapping[str, Any]) -> dict[str, list[Item]]:
    """The items of a payload, by unit."""
    found: dict[str, list[Item]] = {}
    for unit, plan, task, number, period, due, stage in payload.get("items", ()):
        key = Key(plan, task, number, period)
        item = Item(key, date.fromisoformat(due), Stage.parse(stage))
        found.setdefault(unit, []).append(item)
    return found
