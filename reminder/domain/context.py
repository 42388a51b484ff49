"""A message comes in, a decision goes out: the words that both sides use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from reminder.domain.ledger import Event, State
from reminder.domain.payloads import Payload
from reminder.domain.people import Person
from reminder.domain.plan import Key, Plan
from reminder.domain.schedule import Scheduler


@dataclass(frozen=True, kw_only=True, slots=True)
class Inbound:
    """One message or press of a button, as a channel understood it."""

    channel: str  # telegram, email, console, cli
    update: str  # the provider's id: the same one twice acts once; empty: there is none
    sender: str  # the address of who wrote: a chat's user id, a mail address
    chat: str  # the address to answer to, “chat/topic” in a topic of a group
    private: bool  # no group
    text: str = ""
    press: str = ""  # what a pressed button sent back
    message: str = ""  # the provider's id of the message (of a press: of the one with the button)
    reply_to: str = ""  # the provider's id of the message that this answers
    subject: str = ""  # of a mail: the answer goes into its thread
    edited: bool = False
    forwarded: bool = False
    wordless: bool = False  # a sticker, a photo, a voice message: nothing that can be read
    anonymous: bool = False  # by an administrator of the group who does not show who it is
    person: str = ""  # whom of those who share `sender` it is from, where that is known
    at: datetime | None = None  # when it was written, by the provider's clock
    again: bool = False  # read again after an older copy was restored: it may have been answered
    proved: bool = True  # the channel proves the person; False: only where the mail comes from
    answered: bool = True  # through the outbox; False: the front shows the answer itself
    office: str = ""  # whose it is, where that is known before it is handled


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """Who writes, and what that person may do."""

    person: Person
    units: tuple[str, ...]
    office: bool  # closes, reopens and dates anything
    leader: bool  # reads all
    only_reads: bool = False  # a leader, and nothing besides
    in_public: bool = False  # in a group of others than the office or the leaders


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The office had a unit reminded now, beside what the schedule says."""

    at: datetime
    by: str  # a person's id; empty: not on record


@dataclass(frozen=True, kw_only=True)
class Context:
    """All that a decision looks at; nothing else does."""

    plans: Sequence[Plan]  # those that speak, the earlier year first
    states: Mapping[Key, State]
    events: Sequence[Event]  # the ledger, in order
    people: Mapping[str, Person]  # by id
    scheduler: Scheduler
    sender: Sender
    now: datetime
    today: date
    channel: str = ""
    message: str = ""
    words: str = ""  # the message as it was typed
    proved: bool = True  # as Inbound.proved
    receipt_of: str = ""  # whose message the answer that is replied to answered
    told: Mapping[Key, frozenset[str]] = field(default_factory=dict)  # key → units above, told late
    reminded: Mapping[tuple[Key, str], Asked] = field(
        default_factory=dict
    )  # (key, unit) → who had it reminded now, today

    @property
    def leaders(self) -> set[str]:
        """The units of the leaders, who only read."""
        return {plan.leaders for plan in self.plans}

    @property
    def offices(self) -> set[str]:
        """The units that are the office of a plan."""
        return {plan.office for plan in self.plans}

    def has_members(self, unit: str) -> bool:
        """Return whether anybody of people.toml is in `unit`."""
        return any(unit in person.units for person in self.people.values())


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What others than the sender are told."""

    to: str  # “unit:ID”: all of a unit; a person's id
    payload: Payload


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a command comes to: what is recorded, and what is said."""

    events: tuple[Event, ...] = ()
    answers: tuple[Payload, ...] = ()  # to the sender; `decide` makes them one
    notices: tuple[Notice, ...] = ()
    remind: tuple[tuple[Key, str], ...] = ()  # (occurrence, unit) to nudge again, now
    states: Mapping[Key, State] | None = None  # once `events` are recorded; None: not reckoned
