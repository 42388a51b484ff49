"""Who is away when: an absence is told in the ledger like all else, under a key of its own.

The key names no plan; its task is the person's id and its period the first day, so that what is
said again of one absence moves it, and what ends it names it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from reminder.domain.occurrences import Key, Occurrence
from reminder.domain.plan import Confirm


class EventKind(StrEnum):
    """What an event of the ledger says; the values are those of `reminder log --json`."""

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
    CONFIRMED = "confirmed"  # the office takes an assumed date as it is
    EXTENSION_ASKED = "extension-asked"
    EXTENSION_GRANTED = "extension-granted"
    EXTENSION_REFUSED = "extension-refused"
    EXTENSION_WITHDRAWN = "extension-withdrawn"
    HELD = "held"  # already late at a plan's first start: silent until `until`
    AWAY = "away"  # a person is off until `until`: of no work, see absence.py
    BACK = "back"  # an absence is over early, or not taken


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One thing that was said or done about one occurrence; never changed, never removed."""

    at: datetime  # aware
    kind: EventKind
    key: Key
    unit: str  # whose part it concerns
    by: str = ""  # the person's id; empty: the program itself
    channel: str = ""  # telegram, email, cli, …
    message: str = ""  # the channel's id of the message that said it
    evidence: str = ""  # number and date of the product
    note: str = ""
    until: date | None = None  # the day a snooze, a hold, a date or a request names

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("an event's time must be aware")


@dataclass(frozen=True, kw_only=True)
class State:
    """How an occurrence stands after some events."""

    occurrence: Occurrence
    due: date | None  # as it stands now
    assumed: bool  # hạn dự kiến, still
    parts: Mapping[str, Event] = field(default_factory=dict)  # unit → what closed its part
    closed: Event | None = None  # the event that closed the whole
    submitted: Mapping[str, Event] = field(default_factory=dict)  # unit → chờ ký
    snoozed: Mapping[str, date] = field(default_factory=dict)  # unit → speaks again on
    request: Event | None = None  # an extension that waits for the office
    evidence: str = ""
    notes: tuple[Event, ...] = ()
    answer: Event | None = None  # the latest “chưa xong”, “đang làm”
    held_until: date | None = None
    # Which edition of the state this is, for files that replace an older one; an undo is a new one.
    revision: int = field(default=0, compare=False)  # how many events changed it
    changed: datetime | None = field(default=None, compare=False)  # by the last of them
    why: str = ""  # the reason for the date that the office set or granted

    @property
    def key(self) -> Key:
        return self.occurrence.key

    @property
    def original_due(self) -> date | None:
        """The plan's own date, kept beside the one that the office set."""
        return self.occurrence.due

    @property
    def awaiting(self) -> bool:
        return self.due is None

    @property
    def open_units(self) -> tuple[str, ...]:
        """The lead units that still have to act; empty once closed."""
        if self.closed:
            return ()
        return tuple(unit for unit in self.occurrence.task.lead if unit not in self.parts)

    def awaits_signature(self, unit: str) -> Event | None:
        """The submission that silences `unit`: its own, or any where one product serves all."""
        if self.occurrence.task.confirm is Confirm.ANY:
            return next(iter(self.submitted.values()), None)
        return self.submitted.get(unit)


def to_settle(occurrence: Occurrence) -> bool:
    """Whether the plan leaves its date to the office: it has none, or one only stands in."""
    return occurrence.due is None or occurrence.deliverable.assumed


def initial(occurrence: Occurrence) -> State:
    """The state of an occurrence about which nothing was said yet."""
    return State(
        occurrence=occurrence,
        due=occurrence.due,
        assumed=occurrence.deliverable.assumed and occurrence.due is not None,
    )


def fold(
    occurrences: Iterable[Occurrence], events: Iterable[Event], *, until: datetime | None = None
) -> dict[Key, State]:
    """The state of each occurrence after the events before `until` (None: all).

    Events of occurrences that the plan no longer has are kept in the ledger and pass by here.
    """
    states = {occurrence.key: initial(occurrence) for occurrence in occurrences}
    for event in events:
        if event.key in states and (until is None or event.at < until):
            states[event.key] = apply(states[event.key], event)
    return states


def by_key(events: Iterable[Event]) -> dict[Key, list[Event]]:
    """The events of each occurrence, in their order."""
    found: dict[Key, list[Event]] = defaultdict(list)
    for event in events:
        found[event.key].append(event)
    return found


def history(occurrence: Occurrence, events: Iterable[Event]) -> list[tuple[datetime | None, State]]:
    """The states of `occurrence` in order, each with the instant from which it holds."""
    states: list[tuple[datetime | None, State]] = [(None, initial(occurrence))]
    for event in events:
        states.append((event.at, apply(states[-1][1], event)))
    return states


def apply(state: State, event: Event) -> State:
    """`state` after `event`; an event that changes nothing here leaves it as it is."""
    after = _applied(state, event)
    if after == state:
        return state
    return replace(after, revision=state.revision + 1, changed=event.at)


def _applied(state: State, event: Event) -> State:
    if event.kind in _MOVES and event.until is not None:
        # Whatever held the old date back, or asked to move it, is answered by the new one.
        granted = event.kind is EventKind.EXTENSION_GRANTED
        asked = state.request.note if granted and state.request else ""
        return replace(
            state,
            due=event.until,
            assumed=False,
            request=None,
            snoozed={},
            held_until=None,
            why=asked or event.note,
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


def _undo(state: State, event: Event) -> State:
    return _reopen(state, _without(state.parts, event.unit))


def _open_again(state: State, event: Event) -> State:
    del event
    return _reopen(replace(state, evidence="", submitted={}), {})


def _submit(state: State, event: Event) -> State:
    return replace(state, submitted={**state.submitted, event.unit: event})


def _return(state: State, event: Event) -> State:
    return replace(state, submitted=_without(state.submitted, event.unit))


def _snooze(state: State, event: Event) -> State:
    if event.until is None:
        return state
    return replace(state, snoozed={**state.snoozed, event.unit: event.until})


_MOVES = (EventKind.DUE_SET, EventKind.EXTENSION_GRANTED)
_CHANGES: dict[EventKind, Callable[[State, Event], State]] = {
    EventKind.DONE: _close,
    EventKind.UPDATED: _close,
    EventKind.UNDONE: _undo,
    EventKind.REOPENED: _open_again,
    EventKind.SUBMITTED: _submit,
    EventKind.RETURNED: _return,
    EventKind.SNOOZED: _snooze,
    EventKind.EVIDENCE: lambda state, event: replace(state, evidence=event.evidence),
    EventKind.NOTED: lambda state, event: replace(state, notes=(*state.notes, event)),
    EventKind.ANSWERED: lambda state, event: replace(state, answer=event),
    EventKind.CONFIRMED: lambda state, _: replace(state, assumed=False),
    EventKind.EXTENSION_ASKED: lambda state, event: replace(state, request=event),
    EventKind.EXTENSION_REFUSED: lambda state, _: replace(state, request=None),
    EventKind.EXTENSION_WITHDRAWN: lambda state, _: replace(state, request=None),
    EventKind.HELD: lambda state, event: replace(state, held_until=event.until),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A state from one event to the next."""

    state: State
    start: datetime | None  # None: from ever
    end: datetime | None  # None: for good
    closed: tuple[tuple[datetime, datetime, date | None], ...]  # before: from, until, due then

    def holds(self, at: datetime) -> bool:
        """Whether the state is so at `at`."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)


def spans(states: Sequence[tuple[datetime | None, State]]) -> Iterator[Span]:
    """Each of `states` with its end, and the closes before it."""
    closed: list[tuple[datetime, datetime, date | None]] = []
    for n, (start, state) in enumerate(states):
        end = states[n + 1][0] if n + 1 < len(states) else None
        yield Span(state=state, start=start, end=end, closed=tuple(closed))
        if state.closed and start is not None and end is not None:
            closed.append((start, end, state.due))


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
