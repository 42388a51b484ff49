"""The state of the work and the program: a snapshot, and the health since the last digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from reminder.domain import digest
from reminder.domain.calendar import local_day
from reminder.domain.digest import previous, speaking
from reminder.domain.outbox import AddressSource, Row, RowState, incoming
from reminder.domain.people import Person
from reminder.domain.plan import Plan
from reminder.domain.schedule import MessageKind
from reminder.services.office import Office
from reminder.services.quota import Quota, quotas
from reminder.store.records import (
    BACKED_UP,
    BACKED_UP_AWAY,
    FORGED,
    NOT_TAKEN,
    meta_moment,
    meta_number,
    place_of,
)

if TYPE_CHECKING:
    from reminder.store.store import Store

GRACE = timedelta(minutes=10)  # a slot that has only just come may still be on its way
QUIET = timedelta(days=35)  # a channel's last message is looked for so far before the rest
MOST = 100_000  # rows that are looked through; years of them
_DECEMBER = 12
_UNHEARD = {RowState.DEAD, RowState.RETURNED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """A slot at which nothing was sent on its day."""

    at: datetime
    said: datetime | None  # when the first of it was said; None: never


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """What went right and wrong since the last digest, or the first start."""

    slots: int = 0  # of nudges and escalations, that had anything to say
    broken: tuple[Slot, ...] = ()  # those of them of which nothing was said on their own day
    waiting: int = 0  # messages that are not sent yet, though their time has come
    lost: int = 0  # messages that no channel took
    unknown: int = 0  # messages that may have come twice
    sent: Mapping[str, datetime] = field(default_factory=dict)  # channel → its last message
    # channel → when it was last asked for messages
    polled: Mapping[str, datetime] = field(default_factory=dict)
    down: Mapping[str, datetime] = field(default_factory=dict)  # channel → refuses all since
    quotas: Mapping[str, Quota] = field(default_factory=dict)  # channel → what this month has used
    head: tuple[int, str] = (0, "")  # of the ledger's chain: number and hash
    started: datetime | None = None  # the first start with one of the plans that speak

    @property
    def kept(self) -> int:
        """The slots with a message sent on their day."""
        return self.slots - len(self.broken)


def health(
    office: Office, store: Store, at: datetime, *, head: tuple[int, str] | None = None
) -> Health:
    """The health at `at`; for a past time, as far as the outbox still shows it.

    `head`: the ledger's, where it was told before; None: as it is.
    """
    kept = store.metas()
    first = first_start(office, kept, at)
    since = _since(office, first, at)
    rows = [] if since is None else store.rows(since=since, limit=MOST)
    sent = _last_sent(rows, at)
    if set(sent) < set(office.channels):
        earlier = (since or at) - QUIET
        sent = _last_sent(store.rows(states=[RowState.SENT], since=earlier, limit=MOST), at)
    rows = [row for row in rows if row.draft.slot + GRACE <= at]
    slots = {} if since is None else _slots(office, store, since, at)
    return Health(
        slots=len(slots),
        broken=tuple(
            Slot(at=slot, said=said)
            for slot, said in sorted(slots.items())
            if said is None or local_day(said) > local_day(slot)
        ),
        waiting=sum(row.state in (RowState.PENDING, RowState.LEASED) for row in rows),
        lost=len(_lost(rows)),
        unknown=sum(row.repeat for row in rows),
        sent=sent,
        polled=_moments(kept, "last_poll", office.outside, at),
        down=_moments(kept, "down", (traits.name for traits in office.known), at),
        quotas=quotas(office, store, at, kept),
        head=head or store.head(),
        started=first,
    )


def first_start(office: Office, kept: Mapping[str, str], at: datetime) -> datetime | None:
    """Return the first start with one of the plans that speak at `at`; None if there was none.

    `kept`: the values of the table meta.
    """
    plans = speaking(office.plans, office.scheduler, local_day(at))
    return min((s for p in plans if (s := _moment(kept, f"started:{p.id}", at))), default=None)


def _since(office: Office, started: datetime | None, at: datetime) -> datetime | None:
    """From when on slots are counted: the digest before, or the first start."""
    if started is None:
        return None
    day = local_day(at)
    plans = speaking(office.plans, office.scheduler, day)
    return max(started, previous(plans, office.scheduler, day) or started)


def _slots(
    office: Office, store: Store, since: datetime, at: datetime
) -> dict[datetime, datetime | None]:
    """Each slot with messages → when the first of them was sent."""
    last_day = office.scheduler.policy.last_day
    plans = [plan for plan in office.plans if local_day(since) <= last_day(plan)]
    found: dict[datetime, datetime | None] = {}
    messages = office.scheduler.messages(plans, office.by_key, since, at - GRACE)
    keys = {item.key for message in messages for item in message.items}
    said = {one.place: one for one in store.spoken_of(keys) if not one.skipped}
    for message in messages:
        if message.kind is MessageKind.DIGEST:
            continue
        first = found.setdefault(message.at, None)
        for item in message.items:
            spoken = said.get(place_of(message.unit, message.kind, item))
            if spoken and spoken.at <= at and (first is None or spoken.at < first):
                first = found[message.at] = spoken.at
    return found


def _lost(rows: Sequence[Row]) -> set[tuple[object, ...]]:
    """Each (slot, recipient, kind, subject) that no channel delivered: given up, or returned."""
    by_message: dict[tuple[object, ...], set[RowState]] = {}
    for row in rows:
        draft = row.draft
        place = (draft.slot, draft.recipient, draft.kind, draft.subject)
        by_message.setdefault(place, set()).add(row.state)
    return {place for place, states in by_message.items() if states <= _UNHEARD}


def _last_sent(rows: list[Row], at: datetime) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for row in rows:
        if row.sent_at and row.sent_at <= at:
            channel = row.draft.channel
            found[channel] = max(row.sent_at, found.get(channel, row.sent_at))
    return found


def _moment(kept: Mapping[str, str], name: str, at: datetime | None = None) -> datetime | None:
    """Return the instant kept under `name`, if it had come by `at`."""
    moment = meta_moment(name, kept.get(name))
    return None if at and moment and moment > at else moment


def _moments(
    kept: Mapping[str, str], name: str, channels: Iterable[str], at: datetime | None = None
) -> dict[str, datetime]:
    """Return the instants kept under “NAME:CHANNEL”."""
    found = ((channel, _moment(kept, f"{name}:{channel}", at)) for channel in channels)
    return {channel: moment for channel, moment in found if moment}


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """The marks of the program: last tick, copies, channels that are down."""

    last_tick: datetime | None
    last_poll: datetime | None  # of any channel
    polled: Mapping[str, datetime]  # channel → when it was last asked for messages
    last_backup: datetime | None
    last_backup_away: datetime | None  # in the second folder
    down: Mapping[str, datetime]  # channel → since when it refuses everything
    deaf: Mapping[str, datetime]  # channel → since when nothing comes in, as far as it is known
    not_taken: int  # of all so far, messages that a fault kept from being taken
    inbox_looked: datetime | None
    inbox_unknown: int  # mails that are left unread, for a person
    inbox_forged: int  # of all so far, those that pretended to be an answer
    inbox_bounces: int  # of all so far, bounces that changed nothing
    inbox_put_aside: int  # of all so far, those that no process could read


def marks(store: Store, channels: Iterable[str]) -> Marks:
    """Return the marks; of `channels` whether they are down."""
    names, kept = tuple(channels), store.metas()

    def number(name: str) -> int:
        return meta_number(name, kept.get(name))

    return Marks(
        last_tick=_moment(kept, "last_tick"),
        last_poll=_moment(kept, "last_poll"),
        polled=_moments(kept, "last_poll", names),
        last_backup=_moment(kept, BACKED_UP),
        last_backup_away=_moment(kept, BACKED_UP_AWAY),
        down=_moments(kept, "down", names),
        deaf={c: at for c in names if (at := _moment(kept, f"down:{incoming(c)}"))},
        not_taken=number(NOT_TAKEN),
        inbox_looked=_moment(kept, "inbox:last_look"),
        inbox_unknown=number("inbox:unknown"),
        inbox_forged=number(FORGED),
        inbox_bounces=number("inbox:bounces"),
        inbox_put_aside=number("inbox:put_aside"),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusSnapshot:
    """The state of the work and the program at one time."""

    at: datetime
    plans: Sequence[Plan]  # those that still speak
    work: digest.Figures
    messages: Mapping[str, int]  # by state
    repeats: int  # messages that may have come twice
    events: int  # of the ledger
    channels: Sequence[str]  # those that are set up, without the console
    quotas: Mapping[str, Quota]  # of those that have one: what this month has used
    marks: Marks
    unreachable: Sequence[Unreachable]  # people whom no channel reaches, units that have nobody
    headless: Sequence[str]  # offices of which nobody is reached
    unconfirmed_years: Sequence[int]


def snapshot(office: Office, store: Store, now: datetime) -> StatusSnapshot:
    """Return the state at `now`."""
    plans = office.speaking(now)
    counts, speaking = store.counts(), {plan.id for plan in plans}
    return StatusSnapshot(
        at=now,
        plans=plans,
        work=digest.figures(
            [s for s in office.current(now).values() if s.key.plan in speaking],
            office.scheduler,
            local_day(now),
        ),
        messages={state: count for state, count in counts.items() if state != "unknown"},
        repeats=counts["unknown"],
        events=store.head()[0],
        channels=office.outside,
        quotas=quotas(office, store, now),
        marks=marks(store, office.outside),
        unreachable=unreachable(office, plans),
        headless=headless(office, plans),
        unconfirmed_years=sorted(
            calendar_years(office, now) & office.scheduler.calendar.unconfirmed
        ),
    )


def calendar_years(office: Office, now: datetime) -> set[int]:
    """Return the years whose days off count at `now`; the next one's are announced by December."""
    today = local_day(now)
    years = {today.year, *(y for plan in office.speaking(now) for y in plan.years_by(today))}
    return years | {today.year + 1} if today.month == _DECEMBER else years


# ---- who can't be reached


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
                # A channel that the office does not use is named only where there is no other.
                kept = tuple(f for f in kept if f.why is not Why.NOT_SET_UP) or kept
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
