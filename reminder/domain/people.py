"""Who receives messages, where, and who is away when."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from reminder.domain.ledger import Event, EventKind
from reminder.domain.plan import Key

# The part before @ has at most 64 octets (RFC 5321, 4.5.3.1.1). ASCII only, no quoted part: the
# program hands these to mail servers that need not offer SMTPUTF8.
MAIL_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """An officer, as config/people.toml lists them."""

    id: str
    name: str
    units: tuple[str, ...]
    email: str = ""
    channels: tuple[str, ...]  # in the order in which they are tried


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a recipient is reached on a channel."""

    recipient: str  # a person's id, or “group:UNIT”
    channel: str
    value: str  # a chat id, a mail address
    bound_at: datetime
    dead_since: datetime | None = None  # nothing was accepted there from then on
    dead_reason: str = ""


MAX_ABSENCE_DAYS = 366  # a typing error in the year would make it longer


@dataclass(frozen=True, kw_only=True, slots=True)
class Absence:
    """Days off of a person, both days included."""

    person: str
    since: date
    until: date

    def covers(self, day: date) -> bool:
        return self.since <= day <= self.until


def absence_key(person: str, since: date) -> Key:
    """The ledger's key of an absence: no plan, the person as the task, the first day as the period.

    A second event under the same key replaces the first, and BACK ends it.
    """
    return Key("", person, 0, since.isoformat())


def absence_of(event: Event) -> Absence | None:
    """The absence that `event` announces or ends; None if it is about work."""
    if event.kind not in (EventKind.AWAY, EventKind.BACK):
        return None
    since = date.fromisoformat(event.key.period)
    return Absence(person=event.key.task, since=since, until=event.until or since)


def absences(events: Iterable[Event]) -> tuple[Absence, ...]:
    """The absences after `events`, in the order of their announcement."""
    standing: dict[Key, Absence] = {}
    for event in events:
        if event.kind is EventKind.BACK:
            standing.pop(event.key, None)
        elif (told := absence_of(event)) is not None:
            standing[event.key] = told
    return tuple(standing.values())


def away_until(found: Iterable[Absence], person: str, day: date) -> date | None:
    """The last day off of `person`; None if the person is not away on `day`."""
    return max((a.until for a in found if a.person == person and a.covers(day)), default=None)
