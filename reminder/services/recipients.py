"""The messages of a tick → drafts for people and groups; people and units that are unreachable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from reminder.domain.calendar import local_day
from reminder.domain.outbox import AddressSource, Draft
from reminder.domain.payloads import Digest, Escalation, Nudge, Payload, Request
from reminder.domain.people import Person
from reminder.domain.plan import Plan
from reminder.domain.schedule import Item, Message, MessageKind
from reminder.services.office import GROUP, Office


def drafts(
    office: Office, messages: Iterable[Message], now: datetime, *, insist: str | None = None
) -> list[Draft]:
    """The drafts of one tick, one for each recipient, slot and kind, for several units.

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
            payload=_payload(kind, by_unit, insist),
            due_at=now,
        )
        for (slot, kind, recipient, channel), by_unit in rows.items()
    ]


def _payload(
    kind: MessageKind, by_unit: Mapping[str, Sequence[Item]], insist: str | None
) -> Payload:
    items = tuple((unit, item) for unit, of_unit in by_unit.items() for item in of_unit)
    match kind:
        case MessageKind.NUDGE:
            return Nudge(items=items, insist=insist)
        case MessageKind.ESCALATION:
            return Escalation(items=items)
        case MessageKind.REQUEST:
            return Request(items=items)
        case MessageKind.DIGEST:
            return Digest()


def told(office: Office, unit: str, kind: str, today: date) -> list[tuple[str, str]]:
    """Each (recipient, channel) to which a message of this kind to `unit` goes.

    A bound group stands in for its officers' private nudges on its channel, not on others. Who is
    away is not nudged; where that leaves nobody who can be reached, the office hears it. A digest
    goes to each person by every way: in short by Telegram, in full by mail.
    """
    if kind == MessageKind.DIGEST:
        return [pair for person in office.members(unit) for pair in _ways(office, person)]
    if kind != MessageKind.NUDGE:
        return [_way(office, person) for person in office.members(unit)]
    group = f"{GROUP}{unit}"
    here = next((c for c in office.group_channels if office.address(group, c)), None)
    there = [p for p in office.members(unit) if not office.away_until(p.id, today)]
    ways = [_way(office, person) for person in there]
    found = [way for way in ways if way[1] != here]
    if here:
        return [(group, here), *found]
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


def notice_drafts(
    office: Office,
    to: str,
    payload: Payload,
    now: datetime,
    *,
    subject: str,
    slot: datetime | None = None,
    avoid: tuple[str, str] | None = None,
    but: str = "",
) -> list[Draft]:
    """Return rows that say `payload` to “unit:ID” or to a person, each by the first channel.

    `avoid`: a (recipient, channel) that has just failed. `but`: a person who knows it already.
    """
    if to.startswith("unit:"):
        heard = [person.id for person in office.members(to.removeprefix("unit:"))]
    else:
        heard = [to]
    return [
        Draft(
            slot=slot or now,
            recipient=recipient,
            kind="notice",
            subject=f"{payload.view}:{subject}",
            channel=ways[0],
            payload=payload,
            due_at=now,
        )
        for recipient in heard
        if recipient != but
        and (ways := [w for w in office.ways(recipient) if (recipient, w) != avoid])
    ]


def to_offices(
    office: Office,
    payload: Payload,
    now: datetime,
    *,
    subject: str,
    slot: datetime | None = None,
    avoid: tuple[str, str] | None = None,
) -> list[Draft]:
    """Return rows that say `payload` to every office."""
    return [
        draft
        for unit in sorted(office.offices)
        for draft in notice_drafts(
            office, f"unit:{unit}", payload, now, subject=subject, slot=slot, avoid=avoid
        )
    ]


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
    """A person or a unit whom no message reaches."""

    unit: str
    person: Person | None  # None: the unit has nobody
    faults: tuple[Fault, ...] = ()  # one for each channel that the person wished for


def unreachable(office: Office, plans: Sequence[Plan]) -> list[Unreachable]:
    """Each person whom no channel reaches, and each unit with work and without people.

    By unit, in the order of `plans`: pass those that still speak. The console reaches everybody.
    """
    needed = {u for plan in plans for task in plan.tasks for u in task.lead}
    needed |= {u for plan in plans for u in (plan.office, plan.leaders)}
    found = []
    for unit in dict.fromkeys(u.id for plan in plans for u in plan.units if u.id in needed):
        members = office.members(unit)
        if not members:
            found.append(Unreachable(unit=unit, person=None))
        for person in members if office.outside else []:
            faults = [_fault(office, person, channel) for channel in person.channels]
            if all(faults):
                kept = tuple(fault for fault in faults if fault)
                found.append(Unreachable(unit=unit, person=person, faults=kept))
    return found


def headless(office: Office, plans: Sequence[Plan]) -> list[str]:
    """Offices of `plans` in which nobody is reached, so that nobody decides."""
    cut_off = {one.person.id for one in unreachable(office, plans) if one.person}
    return sorted(
        unit
        for unit in {plan.office for plan in plans}
        if all(person.id in cut_off for person in office.members(unit))
    )


def _fault(office: Office, person: Person, channel: str) -> Fault | None:
    """Why `channel` does not reach the person; None: it does."""
    if channel not in office.channels:
        return Fault(channel=channel, why=Why.NOT_SET_UP)
    address = office.address(person.id, channel, dead=True)
    if office.traits(channel).addresses is AddressSource.PEOPLE_FILE:
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
