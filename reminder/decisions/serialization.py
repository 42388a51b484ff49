"""Occurrences and events as JSON values, and back: what a view holds while it waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from reminder.domain.ledger import Event, EventKind
from reminder.domain.occurrences import Key


def pack_key(key: Key) -> list[Any]:
    return list(key)


def key_of(packed: Sequence[Any]) -> Key:
    plan, task, deliverable, period = packed
    return Key(plan, task, int(deliverable), period)


def pack_event(event: Event) -> dict[str, Any]:
    """All of `event`; what is empty is left out."""
    packed = {
        "at": event.at.isoformat(),
        "kind": event.kind.value,
        "key": pack_key(event.key),
        "unit": event.unit,
        "by": event.by,
        "channel": event.channel,
        "message": event.message,
        "evidence": event.evidence,
        "note": event.note,
        "until": event.until.isoformat() if event.until else "",
    }
    return {name: value for name, value in packed.items() if value}


def event_of(packed: Mapping[str, Any]) -> Event:
    """The event that `pack_event` gave."""
    until = packed.get("until")
    return Event(
        at=datetime.fromisoformat(packed["at"]),
        kind=EventKind(packed["kind"]),
        key=key_of(packed["key"]),
        unit=packed["unit"],
        by=packed.get("by", ""),
        channel=packed.get("channel", ""),
        message=packed.get("message", ""),
        evidence=packed.get("evidence", ""),
        note=packed.get("note", ""),
        until=date.fromisoformat(until) if until else None,
    )
