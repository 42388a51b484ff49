"""Who hears what a unit is told: its people, each by one channel, or its group in their place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from reminder.core.occurrences import Key
from reminder.core.outbox import Draft
from reminder.core.schedule import Item, Message, MessageKind, Stage
from reminder.service.office import GROUP, TELEGRAM, Office

Items = Mapping[str, Sequence[Item]]  # by unit


def drafts(office: Office, messages: Iterable[Message], now: datetime) -> list[Draft]:
    """The messages of one tick, one row a recipient, slot and kind; several units share it."""
    rows: dict[tuple[datetime, MessageKind, str, str], dict[str, Sequence[Item]]] = {}
    for message in messages:
        for recipient, channel in told(office, message.unit, message.kind):
            place = (message.at, message.kind, recipient, channel)
            rows.setdefault(place, {})[message.unit] = message.items
    return [
        Draft(
            slot=slot,
            recipient=recipient,
            kind=kind.value,
            channel=channel,
            payload={"items": packed(by_unit)},
            due_at=now,
        )
        for (slot, kind, recipient, channel), by_unit in rows.items()
    ]


def told(office: Office, unit: str, kind: str) -> list[tuple[str, str]]:
    """Each (recipient, channel) by which `unit` hears a message of this kind.

    A bound group stands in for its officers' private nudges on Telegram, not for their e-mail. A
    digest goes to each person by every way: in short by Telegram, in full by mail.
    """
    group = f"{GROUP}{unit}"
    in_group = kind == MessageKind.NUDGE and bool(office.address(group, TELEGRAM))
    found = [(group, TELEGRAM)] if in_group and TELEGRAM in office.channels else []
    for person in office.members(unit):
        ways = office.ways(person.id) or [office.channels[0]]  # which fails, and says so
        if kind == MessageKind.DIGEST:
            found += [(person.id, way) for way in ways]
            continue
        if not (found and found[0][0] == group and ways[0] == TELEGRAM):
            found.append((person.id, ways[0]))
    return found


def empty(office: Office) -> list[str]:
    """Units that lead work, or follow it, and have nobody in them."""
    needed = {unit for plan in office.plans for task in plan.tasks for unit in task.lead}
    needed |= office.offices | office.leaders
    return [unit for unit in office.units if unit in needed and not office.members(unit)]


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
