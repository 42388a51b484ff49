"""The office's report on a period, drawn from the plan and the ledger.

What counts as done is what was done by the last day of the figures: the drafting day, at most the
decree's cut-off (`reportperiods.data_span`); what closed later counts with the next report, and is
told here beside its delay. Words (numbers of papers, check-ins, reasons) are taken as they stand on
the drafting day, since a number told late is still the number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum

from reminder.core.ledger import Event, EventKind, State, apply, by_key, initial
from reminder.core.occurrences import Occurrence, occurrences
from reminder.core.periods import Period
from reminder.core.plan import Kind, Plan
from reminder.core.reportperiods import data_span, following, full_name
from reminder.core.schedule import Scheduler, Stage, local_day
from reminder.core.text import normal, squeeze
from reminder.core.workdays import instant


class Status(StrEnum):
    """How an occurrence stands on the last day of the figures."""

    DONE = "done"
    DONE_LATE = "done-late"
    LATE = "late"
    SIGNING = "signing"  # chờ ký: handed in for signature by all who still have to act, late or not
    OPEN = "open"
    AWAITING = "awaiting"  # chưa có hạn


CLOSED = frozenset({Status.DONE, Status.DONE_LATE})


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """Words of a unit, on one line, without control characters."""

    unit: str  # its name
    on: date
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Extension:
    """A due day that the office moved later."""

    unit: str  # who asked; empty: the office moved it by itself
    on: date
    was: date
    until: date
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One occurrence as the report tells of it; days are the office's."""

    code: str
    title: str
    part: str  # the deliverable's name, where the task has several
    product: str
    section: str
    period: Period | None  # of recurring work
    check_in: bool
    units: tuple[str, ...]  # the lead units' names
    due: date | None
    original: date | None  # the plan's own day, where it was moved
    assumed: bool
    status: Status
    days_late: int  # working days; of what was done late, on the day on which it was
    closed_on: date | None  # perhaps after the figures' last day: then the status is not closed
    closed_by: str
    evidence: str
    answers: tuple[Said, ...]  # to a check-in
    notes: tuple[Said, ...]  # reasons, and what else the units told
    missing: tuple[str, ...]  # units that still have to act
    signing_since: date | None
    extensions: tuple[Extension, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """A draft of the office's report; entries stand in the plan's order."""

    plan: Plan
    period: Period
    name: str  # “quý I năm 2024”
    first: date  # of the figures
    last: date  # of the figures: the drafting day, at most the cut-off
    drafted: date
    entries: tuple[Entry, ...]
    coming: tuple[Entry, ...]  # late, or due after the figures' last day up to `coming_until`
    coming_until: date

    def of(self, section: str) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.section == section)

    def count(self, *statuses: Status, check_ins: bool) -> int:
        """How many entries have one of these statuses, among check-ins or among products."""
        return sum(e.status in statuses and e.check_in is check_ins for e in self.entries)


def draft(
    plan: Plan, events: Sequence[Event], scheduler: Scheduler, period: Period, day: date
) -> Report:
    """The report of `plan` on `period` as the ledger stands at the end of `day`.

    In it: what closed between the figures' first and last day, and what was open on the last. The
    report's own occurrence is left out, and so are other reports that are not due yet.
    """
    first, cut_off = data_span(period)
    last = min(day, cut_off)
    after = following(plan, period)
    until = data_span(after)[1] if after else plan.last_day
    end = instant(day + timedelta(days=1), time(0))
    known = by_key(event for event in events if event.key.plan == plan.id and event.at < end)
    entries, coming = [], []
    for occurrence in occurrences(plan):
        if _is_itself(occurrence, period):
            continue
        desk = _Desk(plan, scheduler, occurrence, known.get(occurrence.key, ()), last)
        entry = desk.entry()
        if _belongs(desk, entry, first):
            entries.append(entry)
        if entry.status not in CLOSED and _comes(entry, last, until):
            coming.append(entry)
    return Report(
        plan=plan,
        period=period,
        name=full_name(period),
        first=first,
        last=last,
        drafted=day,
        entries=tuple(entries),
        coming=tuple(sorted(coming, key=lambda e: e.due or date.max)),
        coming_until=until,
    )


def is_last_call(scheduler: Scheduler, state: State, stage: Stage) -> bool:
    """Whether `stage` is the last at which a report is asked for by its due day."""
    if state.occurrence.deliverable.kind is not Kind.REPORT or stage.again:
        return False
    asking = [each for each in scheduler.stages(state).values() if each.offset <= 0]
    return bool(asking) and stage == max(asking)


def _is_itself(occurrence: Occurrence, period: Period) -> bool:
    is_report = occurrence.deliverable.kind is Kind.REPORT
    return is_report and occurrence.period.id == period.id


def _belongs(desk: _Desk, entry: Entry, first: date) -> bool:
    if entry.status in CLOSED:
        return entry.closed_on is not None and entry.closed_on >= first
    ahead = desk.occurrence.deliverable.kind is Kind.REPORT and entry.status is not Status.LATE
    return desk.occurrence.opens <= desk.last and not ahead


def _comes(entry: Entry, last: date, until: date) -> bool:
    """Whether it is still to do in the time after; what closed since the figures' day is not."""
    if entry.closed_on is not None or entry.due is None:
        return False
    return entry.due <= until and (entry.days_late > 0 or entry.due > last)


@dataclass(frozen=True)
class _Desk:
    """One occurrence and its events, looked at from the figures' last day."""

    plan: Plan
    scheduler: Scheduler
    occurrence: Occurrence
    events: Sequence[Event]
    last: date

    def entry(self) -> Entry:
        """What the report has to say of it."""
        occurrence, state = self.occurrence, self.state
        closed_on = local_day(state.closed.at) if state.closed else None
        status, days_late = self._status(state, closed_on)
        waiting = () if status in CLOSED else tuple(state.submitted.values())
        moved = state.original_due is not None and state.original_due != state.due
        return Entry(
            code=occurrence.task.code,
            title=occurrence.task.title,
            part=occurrence.deliverable.name if len(occurrence.task.deliverables) > 1 else "",
            product=occurrence.deliverable.product,
            section=occurrence.task.section,
            period=occurrence.period if occurrence.deliverable.recurs else None,
            check_in=occurrence.is_check_in,
            units=self._names(occurrence.task.lead),
            due=state.due,
            original=state.original_due if moved else None,
            assumed=state.assumed,
            status=status,
            days_late=days_late,
            closed_on=closed_on,
            closed_by=self._name(state.closed.unit) if state.closed else "",
            evidence=_evidence(state),
            answers=tuple(self._answers(state)),
            notes=() if occurrence.is_check_in and state.closed else tuple(self._notes(state)),
            missing=self._names(state.open_units),
            signing_since=min((local_day(event.at) for event in waiting), default=None),
            extensions=tuple(self._extensions()),
        )

    @property
    def state(self) -> State:
        state = initial(self.occurrence)
        for event in self.events:
            state = apply(state, event)
        return state

    def _status(self, state: State, closed_on: date | None) -> tuple[Status, int]:
        if closed_on is not None and closed_on <= self.last:
            late = self.scheduler.days_late(state, closed_on)
            return (Status.DONE_LATE if late else Status.DONE), late
        late = self.scheduler.days_late(state, self.last)
        if state.open_units and all(state.awaits_signature(u) for u in state.open_units):
            return Status.SIGNING, late
        if late:
            return Status.LATE, late
        return (Status.AWAITING if state.due is None else Status.OPEN), 0

    def _answers(self, state: State) -> Iterator[Said]:
        """What a check-in was answered with, later additions too; once each."""
        if not self.occurrence.is_check_in or not state.parts:
            return
        told = (*state.parts.values(), *state.notes)
        yield from dict.fromkeys(self._said(event) for event in sorted(told, key=lambda e: e.at))

    def _notes(self, state: State) -> Iterator[Said]:
        """Notes, and the reasons of requests that were not granted, in the order of their time."""
        heard = [*state.notes, *self._asked_in_vain(state)]
        closing = state.closed
        if closing and not self.occurrence.is_check_in:
            heard.append(closing)
        yield from dict.fromkeys(
            self._said(event) for event in sorted(heard, key=lambda e: e.at) if event.note.strip()
        )

    def _asked_in_vain(self, state: State) -> Iterator[Event]:
        request: Event | None = None
        for event in self.events:
            if event.kind is EventKind.EXTENSION_ASKED:
                request = event
            elif event.kind is EventKind.EXTENSION_REFUSED and request:
                yield request
                request = None
        if state.request:
            yield state.request

    def _extensions(self) -> Iterator[Extension]:
        """Each time that the office moved the due day later."""
        state = initial(self.occurrence)
        for event in self.events:
            was, request = state.due, state.request
            state = apply(state, event)
            granted = event.kind is EventKind.EXTENSION_GRANTED
            moved = granted or event.kind is EventKind.DUE_SET
            if moved and was is not None and state.due is not None and state.due > was:
                why = request.note if granted and request else event.note
                yield Extension(
                    unit=self._name(event.unit) if granted else "",
                    on=local_day(event.at),
                    was=was,
                    until=state.due,
                    why=_plain(why),
                )

    def _said(self, event: Event) -> Said:
        return Said(unit=self._name(event.unit), on=local_day(event.at), text=_plain(event.note))

    def _names(self, units: Sequence[str]) -> tuple[str, ...]:
        return tuple(self._name(unit) for unit in units)

    def _name(self, unit: str) -> str:
        found = self.plan.by_unit.get(unit)
        return found.name if found else _plain(unit)


def _evidence(state: State) -> str:
    """The number of what was handed in; of shared work each unit's."""
    told = [state.evidence]
    if len(state.parts) > 1:
        told = [*(part.evidence for part in state.parts.values()), state.evidence]
    return "; ".join(dict.fromkeys(plain for text in told if (plain := _plain(text))))


def _plain(text: str) -> str:
    """What somebody typed, fit for a paper: one line, no sign that XML can't hold."""
    return squeeze(normal(text)).rstrip(" .;")
