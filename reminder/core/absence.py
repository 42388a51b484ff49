"""Who is away when: an absence is told in the ledger like all else, under a key of its own.

The key names no plan; its task is the person's id and its period the first day, so that what is
said again of one absence moves it, and what ends it names it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from reminder.core.ledger import Event, EventKind
from reminder.core.occurrences import Key

LONGEST = 366  # days; who is away for longer leaves people.toml


@dataclass(frozen=True, kw_only=True, slots=True)
class Absence:
    """A stretch of days off; both days count."""

    person: str
    since: date
    until: date

    def covers(self, day: date) -> bool:
        return self.since <= day <= self.until


def absence_key(person: str, since: date) -> Key:
    """What the absence of `person` from `since` on is called in the ledger."""
    return Key("", person, 0, since.isoformat())


def absence_of(event: Event) -> Absence | None:
    """The absence that `event` tells of or ends; None if it tells of work."""
    if event.kind not in (EventKind.AWAY, EventKind.BACK):
        return None
    since = date.fromisoformat(event.key.period)
    return Absence(person=event.key.task, since=since, until=event.until or since)


def absences(events: Iterable[Event]) -> tuple[Absence, ...]:
    """The absences that stand after `events`, in the order in which they were told."""
    standing: dict[Key, Absence] = {}
    for event in events:
        if event.kind is EventKind.BACK:
            standing.pop(event.key, None)
        elif (told := absence_of(event)) is not None:
            standing[event.key] = told
    return tuple(standing.values())


def away_until(found: Iterable[Absence], person: str, day: date) -> date | None:
    """The last day off of `person`, who is away on `day`; None: the person is there."""
    return max((a.until for a in found if a.person == person and a.covers(day)), default=None)
