"""The ledger's events, and what follows from them: states of occurrences, absences of people.

Events are appended and never changed. A state is a fold over the events of its occurrence: `apply`
is one step, `fold` the state of all occurrences, `history` each state with its time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from reminder.domain.plan import Confirm, Key, Occurrence


class EventKind(StrEnum):
    """The kinds of events; the values are stored, and shown by `reminder log --json`."""

    DONE = "done"
    UPDATED = "updated"  # a check-in was answered
    UNDONE = "undone"  # a unit takes back its own done or updated
    REOPENED = "reopened"  # the office opens what was closed
    SUBMITTED = "submitted"  # đã trình ký
    RETURNED = "returned"  # taken back from signature
    SNOOZED = "snoozed"
    EVIDENCE = "evidence"  # number and date of what was handed in, told after the fact
    NOTED = "noted"
    ANSWERED = "answered"  # chưa xong, đang làm: an answer that changes nothing; `note`: its words
    DUE_SET = "due-set"  # the office gives or moves a date
    # The office names the day of the event that a due day is counted from: `evidence` is that day
    # in ISO form, `until` the due day, `note` the words.
    EVENT_NAMED = "event-named"
    EVENT_WITHDRAWN = "event-withdrawn"  # and takes the newest one back
    CONFIRMED = "confirmed"  # the office takes an assumed date as it is
    EXTENSION_ASKED = "extension-asked"
    EXTENSION_GRANTED = "extension-granted"
    EXTENSION_REFUSED = "extension-refused"
    EXTENSION_WITHDRAWN = "extension-withdrawn"
    HELD = "held"  # already late at a plan's first start: silent until `until`
    AWAY = "away"  # a person is off until `until`; about no occurrence, see `absences`
    BACK = "back"  # an absence ends early, or is cancelled


CLOSING = frozenset({EventKind.DONE, EventKind.UPDATED})
# What ends a request for more time, beside the close of its work.
ENDS_REQUEST = frozenset(
    {
        EventKind.EXTENSION_GRANTED,
        EventKind.EXTENSION_REFUSED,
        EventKind.EXTENSION_WITHDRAWN,
        EventKind.DUE_SET,
        EventKind.EVENT_NAMED,
    }
)
# What the office decides of dates.
SETTLING = frozenset(
    {
        EventKind.DUE_SET,
        EventKind.EVENT_NAMED,
        EventKind.CONFIRMED,
        EventKind.HELD,
        EventKind.EXTENSION_GRANTED,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something said or done about one occurrence."""

    at: datetime  # aware
    kind: EventKind
    key: Key
    unit: str  # the unit whose part it concerns
    by: str = ""  # the person's id; empty: the program itself
    channel: str = ""  # telegram, email, cli, …
    message: str = ""  # the channel's id of the message that said it
    evidence: str = ""  # number and date of the product
    note: str = ""
    until: date | None = None  # the day that a snooze, a hold, a date or a request names

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("an event's time must be aware")

    @property
    def happened(self) -> date | None:
        """The day that the office named; None of other kinds."""
        named = self.kind is EventKind.EVENT_NAMED
        return date.fromisoformat(self.evidence) if named else None


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """The state of an occurrence after some events."""

    occurrence: Occurrence
    due: date | None  # the current due day; the plan's own is `occurrence.due`
    assumed: bool  # hạn dự kiến: nobody has confirmed the due day
    parts: Mapping[str, Event] = field(default_factory=dict)  # unit → what closed its part
    closed: Event | None = None  # the event that closed the whole
    submitted: Mapping[str, Event] = field(default_factory=dict)  # unit → its submission (chờ ký)
    snoozed: Mapping[str, date] = field(default_factory=dict)  # unit → nudged again from this day
    request: Event | None = None  # the request for an extension, undecided
    evidence: str = ""
    notes: tuple[Event, ...] = ()
    reopened: Event | None = None  # the last reopening
    answer: Event | None = None  # the latest “chưa xong”, “đang làm”
    held_until: date | None = None
    # The version of the state, for files that replace an older one (iCalendar). An undo counts too.
    revision: int = field(default=0, compare=False)  # the number of events that changed it
    changed: datetime | None = field(default=None, compare=False)  # the time of the last one
    why: str = ""  # the reason for the date that the office set or granted
    named: Event | None = None  # the naming of the event that the due day is counted from
    unnamed: State | None = None  # the state before it, for who takes it back

    @property
    def key(self) -> Key:
        return self.occurrence.key

    @property
    def open_units(self) -> tuple[str, ...]:
        """The lead units whose part is open; empty once the whole is closed."""
        if self.closed:
            return ()
        return tuple(unit for unit in self.occurrence.task.lead if unit not in self.parts)

    @property
    def reasons(self) -> tuple[Event, ...]:
        """The words that may still tell why it is open, in their order.

        Once it was reopened, those of that and later ones; none of a unit whose part is closed.
        """
        again, told = self.reopened, self.notes
        if again is not None:
            told = (again, *(note for note in told if note.at >= again.at))
        done = () if self.closed else self.parts
        return tuple(event for event in told if event.note.strip() and event.unit not in done)

    @property
    def papers(self) -> tuple[str, ...]:
        """The numbers of the papers handed in, without repetition; of shared work each unit's."""
        told = [part.evidence for part in self.parts.values()] if len(self.parts) > 1 else []
        return tuple(dict.fromkeys(text for text in (*told, self.evidence) if text))

    def closed_by(self, unit: str) -> Event | None:
        """Return the event that closed the part of `unit`; None while that is open."""
        return self.parts.get(unit, self.closed)

    def is_held(self, day: date) -> bool:
        """Return whether nothing is said of it on `day`, since it was late when the plan began."""
        return self.held_until is not None and day < self.held_until

    def may_be_nudged(self, unit: str, day: date) -> bool:
        """Return whether the part of `unit` is open, not put off on `day`, and waits for nobody."""
        put_off = day < self.snoozed.get(unit, day)
        return unit in self.open_units and not put_off and not self.awaits_signature(unit)

    def awaits_signature(self, unit: str) -> Event | None:
        """Return the submission because of which `unit` is not nudged.

        Its own; of work that any lead unit may close, that of any unit.
        """
        if self.occurrence.task.confirm is Confirm.ANY:
            return next(iter(self.submitted.values()), None)
        return self.submitted.get(unit)


def to_settle(occurrence: Occurrence) -> bool:
    """Return whether the office still sets its date: the plan has none, or an assumed one."""
    return occurrence.due is None or occurrence.deliverable.assumed


def initial(occurrence: Occurrence) -> State:
    """Return the state of an occurrence without events."""
    return State(
        occurrence=occurrence,
        due=occurrence.due,
        assumed=occurrence.deliverable.assumed and occurrence.due is not None,
    )


def fold(
    occurrences: Iterable[Occurrence], events: Iterable[Event], *, until: datetime | None = None
) -> dict[Key, State]:
    """Return the state of each occurrence after the events before `until` (None: all events).

    Events of occurrences that the plan no longer has are left out.
    """
    states = {occurrence.key: initial(occurrence) for occurrence in occurrences}
    return folded(states, (e for e in events if until is None or e.at < until))


def folded(states: Mapping[Key, State], events: Iterable[Event]) -> dict[Key, State]:
    """Return the states once `events` have happened too."""
    found = dict(states)
    for event in events:
        if event.key in found:
            found[event.key] = apply(found[event.key], event)
    return found


def by_key(events: Iterable[Event]) -> dict[Key, list[Event]]:
    """Return the events of each occurrence, in their order."""
    found: dict[Key, list[Event]] = defaultdict(list)
    for event in events:
        found[event.key].append(event)
    return found


def history(occurrence: Occurrence, events: Iterable[Event]) -> list[tuple[datetime | None, State]]:
    """Return each state of `occurrence` and the time from which it holds; None: the beginning."""
    states: list[tuple[datetime | None, State]] = [(None, initial(occurrence))]
    for event in events:
        states.append((event.at, apply(states[-1][1], event)))
    return states


def apply(state: State, event: Event) -> State:
    """Return the state after `event`; the same object if nothing changes."""
    after = _applied(state, event)
    if after == state:
        return state
    return replace(after, revision=state.revision + 1, changed=event.at)


def _applied(state: State, event: Event) -> State:
    if event.kind in _MOVES and event.until is not None:
        # A new date ends snoozes, holds and requests that were about the old one.
        granted = event.kind is EventKind.EXTENSION_GRANTED
        names = event.kind is EventKind.EVENT_NAMED
        asked = state.request.note if granted and state.request else ""
        return replace(
            state,
            due=event.until,
            assumed=False,
            request=None,
            snoozed={},
            held_until=None,
            why=asked or event.note,
            named=event if names else state.named,
            unnamed=state if names else state.unnamed,
        )
    change = _CHANGES.get(event.kind)
    return change(state, event) if change else state


def _close(state: State, event: Event) -> State:
    if state.closed or event.unit in state.parts:
        return state
    parts = {**state.parts, event.unit: event}
    task = state.occurrence.task
    whole = task.confirm is Confirm.ANY or all(unit in parts for unit in task.lead)
    return replace(
        state,
        parts=parts,
        closed=event if whole else None,
        submitted={} if whole else _without(state.submitted, event.unit),
        request=None if whole else state.request,
        evidence=event.evidence or state.evidence,
    )


def _reopen(state: State, parts: Mapping[str, Event]) -> State:
    evidence = state.evidence if parts else ""
    return replace(state, parts=parts, closed=None, evidence=evidence)


def _without(mapping: Mapping[str, Event], key: str) -> Mapping[str, Event]:
    return {k: v for k, v in mapping.items() if k != key}


def _snooze(state: State, event: Event) -> State:
    if event.until is None:
        return state
    return replace(state, snoozed={**state.snoozed, event.unit: event.until})


def _unname(state: State, _: Event) -> State:
    before = state.unnamed
    if before is None:
        return state
    return replace(
        state,
        due=before.due,
        assumed=before.assumed,
        request=None,
        snoozed={},
        why=before.why,
        named=before.named,
        unnamed=before.unnamed,
    )


_MOVES = (EventKind.DUE_SET, EventKind.EVENT_NAMED, EventKind.EXTENSION_GRANTED)
_CHANGES: dict[EventKind, Callable[[State, Event], State]] = {
    EventKind.DONE: _close,
    EventKind.UPDATED: _close,
    EventKind.UNDONE: lambda state, event: _reopen(state, _without(state.parts, event.unit)),
    EventKind.REOPENED: lambda state, event: _reopen(
        replace(state, evidence="", submitted={}, reopened=event), {}
    ),
    EventKind.SUBMITTED: lambda state, event: replace(
        state, submitted={**state.submitted, event.unit: event}
    ),
    EventKind.RETURNED: lambda state, event: replace(
        state, submitted=_without(state.submitted, event.unit)
    ),
    EventKind.SNOOZED: _snooze,
    EventKind.EVIDENCE: lambda state, event: replace(state, evidence=event.evidence),
    EventKind.NOTED: lambda state, event: replace(state, notes=(*state.notes, event)),
    EventKind.ANSWERED: lambda state, event: replace(state, answer=event),
    EventKind.EVENT_WITHDRAWN: _unname,
    EventKind.CONFIRMED: lambda state, _: replace(state, assumed=False),
    EventKind.EXTENSION_ASKED: lambda state, event: replace(state, request=event),
    EventKind.EXTENSION_REFUSED: lambda state, _: replace(state, request=None),
    EventKind.EXTENSION_WITHDRAWN: lambda state, _: replace(state, request=None),
    EventKind.HELD: lambda state, event: replace(state, held_until=event.until),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A state with its interval, from one event to the next."""

    state: State
    start: datetime | None  # None: from the beginning
    end: datetime | None  # None: without end
    closed: tuple[tuple[datetime, datetime, date | None], ...]  # earlier: closed, reopened, due day

    def covers(self, at: datetime) -> bool:
        """Return whether `at` lies in the interval."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)


def spans(states: Sequence[tuple[datetime | None, State]]) -> Iterator[Span]:
    """Yield each state of a `history` with its end, and when it was closed before."""
    closed: list[tuple[datetime, datetime, date | None]] = []
    for n, (start, state) in enumerate(states):
        end = states[n + 1][0] if n + 1 < len(states) else None
        yield Span(state=state, start=start, end=end, closed=tuple(closed))
        if state.closed and start is not None and end is not None:
            closed.append((start, end, state.due))


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
    """Return the key of an absence: no plan, the person as the task, the first day as period.

    A second event under the same key replaces the first, and BACK ends it.
    """
    return Key("", person, 0, since.isoformat())


def absence_of(event: Event) -> Absence | None:
    """Return the absence that `event` announces or ends; None if it is about work."""
    if event.kind not in (EventKind.AWAY, EventKind.BACK):
        return None
    since = date.fromisoformat(event.key.period)
    return Absence(person=event.key.task, since=since, until=event.until or since)


def absences(events: Iterable[Event]) -> tuple[Absence, ...]:
    """Return the absences after `events`, in the order of their announcement."""
    standing: dict[Key, Absence] = {}
    for event in events:
        if event.kind is EventKind.BACK:
            standing.pop(event.key, None)
        elif (told := absence_of(event)) is not None:
            standing[event.key] = told
    return tuple(standing.values())


def away_until(found: Iterable[Absence], person: str, day: date) -> date | None:
    """Return the last day off of `person`; None if the person is not away on `day`."""
    return max((a.until for a in found if a.person == person and a.covers(day)), default=None)
