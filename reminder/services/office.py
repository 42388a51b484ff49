"""Files and Office: all that is known at one time, who is reached where, and drafts for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property

from reminder.domain.calendar import local, local_day
from reminder.domain.context import Inbound, Sender
from reminder.domain.ledger import Absence, Event, State, absences, away_until, by_key, folded
from reminder.domain.outbox import AddressSource, ChannelTraits, Draft
from reminder.domain.payloads import Digest, Escalation, Nudge, Payload, Request
from reminder.domain.people import Address, Person
from reminder.domain.plan import Key, Plan, Unit
from reminder.domain.report import Letterhead
from reminder.domain.schedule import Item, Message, MessageKind, Scheduler, StageIndex

CONSOLE = "console"
_EVER = datetime(1970, 1, 1, tzinfo=UTC)  # a console needs no enrolment
STRANGER = "stranger:"  # a recipient that is not enrolled
RECHECK = "recheck"  # the subject of a nudge that tries a dead address again
GROUP = "group:"  # a recipient that is a unit's group, not a person


@dataclass(frozen=True)
class Files:
    """The plans, people, calendar and letterhead, as last read without a fault."""

    plans: tuple[Plan, ...]
    people: tuple[Person, ...]
    scheduler: Scheduler
    letterhead: Letterhead = field(default_factory=Letterhead)  # the names on the office's papers

    @cached_property
    def stage_index(self) -> StageIndex:
        """What can speak on which day."""
        return StageIndex(self.scheduler, tuple(sorted(self.plans, key=lambda plan: plan.year)))

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The people's names, by id."""
        return {person.id: person.name for person in self.people}

    @cached_property
    def members(self) -> Mapping[str, Sequence[Person]]:
        """The people of each unit, in the order of the file."""
        found: dict[str, list[Person]] = defaultdict(list)
        for person in self.people:
            for unit in dict.fromkeys(person.units):
                found[unit].append(person)
        return dict(found)


@dataclass(frozen=True)
class Office:
    """One office: its files, ledger and addresses; a snapshot."""

    files: Files
    id: str = ""  # [office] id; tells offices apart that share a process or a database
    events: tuple[Event, ...] = ()
    last_number: int = 0  # of the ledger's newest event here
    addresses: tuple[Address, ...] = field(default=())
    channels: tuple[str, ...] = (CONSOLE,)  # those that are set up
    one_way: frozenset[str] = frozenset()  # of those, where nobody reads what people write back
    known: tuple[ChannelTraits, ...] = ()  # all that the program has
    # Dead addresses that the next nudge tries.
    doubtful: frozenset[tuple[str, str]] = frozenset()  # (recipient, channel)
    quotas: Mapping[str, int] = field(
        default_factory=dict
    )  # channel → messages a month, in and out

    @cached_property
    def plans(self) -> tuple[Plan, ...]:
        """The plans in the order of their years."""
        return tuple(self.files.stage_index.plans)

    @cached_property
    def by_plan(self) -> dict[str, Plan]:
        return {plan.id: plan for plan in self.plans}

    @cached_property
    def people(self) -> dict[str, Person]:
        return {person.id: person for person in self.files.people}

    @cached_property
    def units(self) -> dict[str, Unit]:
        """All units of all plans, named as the newest plan names them."""
        return {unit.id: unit for plan in self.plans for unit in plan.units}

    @cached_property
    def unit_names(self) -> dict[str, str]:
        return {unit.id: unit.name for unit in self.units.values()}

    @cached_property
    def states(self) -> dict[Key, State]:
        return folded(self.files.stage_index.initial, self.events)

    def current(self, now: datetime) -> Mapping[Key, State]:
        """The states without those of past years, of plans that go on."""
        today, policy = local_day(now), self.scheduler.policy
        going = {plan.id for plan in self.speaking(now) if plan.last_due > plan.years[0].last}
        if not going:
            return self.states
        return {
            key: state
            for key, state in self.states.items()
            if key.plan not in going or not policy.is_over(state, today)
        }

    def of_plan(self, plan: Plan) -> list[State]:
        """The states of one plan, in its order."""
        return [self.states[o.key] for o in self.files.stage_index.occurrences[plan.id]]

    @cached_property
    def by_key(self) -> Mapping[Key, Sequence[Event]]:
        """The events of each occurrence."""
        return by_key(self.events)

    def after(
        self,
        events: Sequence[Event],
        *,
        states: Mapping[Key, State] | None = None,
        last_number: int | None = None,
        addresses: tuple[Address, ...] | None = None,
    ) -> Office:
        """The office once `events` have happened too; None: `last_number`, `addresses` as before.

        What was reckoned from the ledger is carried on: only the new events are folded, and that
        where `states` does not tell already what they come to.
        """
        office = replace(
            self,
            events=(*self.events, *events),
            last_number=self.last_number if last_number is None else last_number,
            addresses=self.addresses if addresses is None else addresses,
        )
        known = dict(self.by_key)
        for event in events:
            known[event.key] = (*known.get(event.key, ()), event)
        vars(office).update(states=states or folded(self.states, events), by_key=known)
        return office

    @cached_property
    def absences(self) -> tuple[Absence, ...]:
        return absences(self.events)

    def away_until(self, person: str, day: date) -> date | None:
        """The last day off of somebody who is away on `day`; None: there."""
        return away_until(self.absences, person, day)

    @cached_property
    def _traits(self) -> dict[str, ChannelTraits]:
        return {traits.name: traits for traits in self.known}

    def traits(self, channel: str) -> ChannelTraits:
        """What `channel` can do; nothing, if the program has no such channel."""
        return self._traits.get(channel) or ChannelTraits(
            name=channel, title=channel, addresses=AddressSource.INVITATION
        )

    def has_mail(self, recipient: str) -> bool:
        """Whether `recipient` can be reached by a channel that takes whole documents."""
        return any(self.traits(channel).mail for channel in self.ways(recipient))

    def in_short(self, draft: Draft) -> bool:
        """Whether of the week's digest the short form alone is read: by a chat."""
        traits = self.traits(draft.channel)
        chat = not traits.mail and traits.addresses is not AddressSource.NONE
        return chat and draft.kind == MessageKind.DIGEST

    @cached_property
    def outside(self) -> tuple[str, ...]:
        """The channels that are set up and lead away from this terminal."""
        return tuple(c for c in self.channels if self.traits(c).addresses is not AddressSource.NONE)

    @cached_property
    def group_channels(self) -> tuple[str, ...]:
        """The channels that are set up and have group chats."""
        return tuple(c for c in self.channels if self.traits(c).groups)

    @property
    def scheduler(self) -> Scheduler:
        return self.files.scheduler

    @cached_property
    def offices(self) -> frozenset[str]:
        return frozenset(plan.office for plan in self.plans)

    def offices_over(self, unit: str) -> frozenset[str]:
        """The offices of the plans in which `unit` has work."""
        return frozenset(plan.office for plan in self.plans if unit in plan.by_unit)

    @cached_property
    def leaders(self) -> frozenset[str]:
        return frozenset(plan.leaders for plan in self.plans)

    def members(self, unit: str) -> list[Person]:
        return list(self.files.members.get(unit, ()))

    def address(self, recipient: str, channel: str, *, dead: bool = False) -> Address | None:
        """Where `recipient` is reached on `channel`; None if nowhere. With `dead`: or was."""
        if self.traits(channel).addresses is AddressSource.NONE:
            return Address(recipient=recipient, channel=channel, value=recipient, bound_at=_EVER)
        found = self._addresses.get((recipient, channel))
        return found if found and (dead or found.dead_since is None) else None

    @cached_property
    def _addresses(self) -> dict[tuple[str, str], Address]:
        return {(a.recipient, a.channel): a for a in self.addresses}

    def ways(self, recipient: str) -> list[str]:
        """The channels on which `recipient` can be reached now, in the order to try them."""
        if not self.outside:
            return list(self.channels)
        person = self.people.get(recipient)
        wished: Iterable[str] = person.channels if person else self.group_channels
        return [c for c in wished if c in self.channels and self.address(recipient, c)]

    def bound(self, channel: str, value: str) -> list[Address]:
        """Whose address this is, dead or alive: a chat may be the group of several units."""
        return [a for a in self.addresses if (a.channel, a.value) == (channel, value)]

    def sender(self, inbound: Inbound) -> Sender | None:
        """Who wrote: the person bound to the address, even where nothing reaches it any more.

        None for a stranger or a removed person. Of several who share a mailbox it is the one whom
        the answered mail went to, else the first of them by id.
        """
        owners = [a.recipient for a in self.bound(inbound.channel, inbound.sender)]
        if inbound.person in owners:
            owners = [inbound.person]
        person = next((self.people[owner] for owner in owners if owner in self.people), None)
        if self.traits(inbound.channel).addresses is AddressSource.NONE:
            person = self.people.get(inbound.sender)
        return self.as_sender(person) if person else None

    def as_sender(self, person: Person) -> Sender:
        units = frozenset(person.units)
        return Sender(
            person=person,
            units=person.units,
            office=bool(units & self.offices),
            leader=bool(units & self.leaders),
            only_reads=bool(units) and units <= self.leaders,
        )

    def speaking(self, now: datetime) -> Sequence[Plan]:
        """The plans that have not fallen silent by `now`."""
        today = local_day(now)
        return [p for p in self.plans if today <= self.scheduler.policy.last_day(p)]


def counted(number: int, noun: str) -> str:
    """“1 message”, “2 messages”."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def minute(at: datetime) -> str:
    """`at` to the minute, with the office's offset: 2024-01-26T08:00+07:00."""
    return local(at).isoformat(timespec="minutes")


# ---- who is told, and the drafts for them


def drafts_of(
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
            subject=RECHECK if (recipient, channel) in office.doubtful else "",
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
    ways = [_doubtful(office, person) or _way(office, person) for person in there]
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


def _doubtful(office: Office, person: Person) -> tuple[str, str] | None:
    """A dead address to be tried again, before the channels that the person wished for less."""
    for channel in person.channels:
        if (person.id, channel) in office.doubtful:
            return person.id, channel
        if office.address(person.id, channel):
            break
    return None


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
