"""Files and Office: all that is known at one time, and who is reached where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property

from reminder.domain.calendar import local, local_day
from reminder.domain.context import Inbound, Sender
from reminder.domain.ledger import Event, State, by_key, fold, folded
from reminder.domain.outbox import AddressSource, ChannelTraits
from reminder.domain.people import Absence, Address, Person, absences, away_until
from reminder.domain.plan import Key, Plan, Unit
from reminder.domain.report import Letterhead
from reminder.domain.schedule import Scheduler, StageIndex

CONSOLE = "console"
_EVER = datetime(1970, 1, 1, tzinfo=UTC)  # a console needs no enrolment
STRANGER = "stranger:"  # a recipient that is not enrolled
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
    known: tuple[ChannelTraits, ...] = ()  # all that the program has

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
        return fold(
            (o for of_plan in self.files.stage_index.occurrences for o in of_plan), self.events
        )

    def of_plan(self, plan: Plan) -> list[State]:
        """The states of one plan, in its order."""
        index = self.files.stage_index
        return [self.states[o.key] for o in index.occurrences[index.numbers[plan.id]]]

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
        return [p for p in self.plans if today <= self.scheduler.policy.last_day(p.year)]


def counted(number: int, noun: str) -> str:
    """“1 message”, “2 messages”."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def minute(at: datetime) -> str:
    """`at` to the minute, with the office's offset: 2024-01-26T08:00+07:00."""
    return local(at).isoformat(timespec="minutes")
