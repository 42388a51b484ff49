"""Whom no message reaches, and why: people and units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reminder.core.outbox import Address, Person
from reminder.core.plan import Plan
from reminder.service.office import EMAIL


class Why(StrEnum):
    """Why a channel does not reach somebody."""

    NOT_SET_UP = "not-set-up"  # the program has no such channel
    NO_ADDRESS = "no-address"  # people.toml names none
    UNBOUND = "unbound"  # the person has not enrolled yet
    DEAD = "dead"  # the provider said that it takes nothing any more


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Why one channel does not reach a person."""

    channel: str
    why: Why
    since: datetime | None = None  # of a dead address
    reason: str = ""  # the provider's, of a dead address


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreachable:
    """Somebody, or a unit, whom no message reaches."""

    unit: str
    person: Person | None  # None: the unit has nobody
    faults: tuple[Fault, ...] = ()  # one for each channel that the person wished for


def unreachable(
    plans: Sequence[Plan],
    people: Mapping[str, Person],
    addresses: Sequence[Address],
    channels: Sequence[str],
) -> list[Unreachable]:
    """Each person whom no channel reaches, and each unit with work that has nobody.

    By unit, in the plans' order. `channels` without the console; where that leaves none, all is
    shown on the console, which reaches everybody.
    """
    by_place = {(a.recipient, a.channel): a for a in addresses}
    needed = {u for plan in plans for task in plan.tasks for u in task.lead}
    needed |= {u for plan in plans for u in (plan.office, plan.leaders)}
    found = []
    for unit in dict.fromkeys(u.id for plan in plans for u in plan.units if u.id in needed):
        members = [p for p in people.values() if unit in p.units]
        if not members:
            found.append(Unreachable(unit=unit, person=None))
        for person in members if channels else []:
            faults = [_fault(person, channel, by_place, channels) for channel in person.channels]
            if all(faults):
                kept = tuple(fault for fault in faults if fault)
                found.append(Unreachable(unit=unit, person=person, faults=kept))
    return found


def _fault(
    person: Person,
    channel: str,
    addresses: Mapping[tuple[str, str], Address],
    channels: Sequence[str],
) -> Fault | None:
    """Why `channel` does not reach the person; None: it does."""
    if channel not in channels:
        return Fault(channel=channel, why=Why.NOT_SET_UP)
    address = addresses.get((person.id, channel))
    if channel == EMAIL:
        if not person.email:
            return Fault(channel=channel, why=Why.NO_ADDRESS)
        if address is None or address.value != person.email:
            return None  # the daemon takes it from people.toml at its next look
    if address is None:
        return Fault(channel=channel, why=Why.UNBOUND)
    if address.dead_since is not None:
        return Fault(
            channel=channel, why=Why.DEAD, since=address.dead_since, reason=address.dead_reason
        )
    return None
