"""The office's reports: their periods, and the figures and facts of each.

The figures end on the drafting day, at most on the decree's cut-off (`data_span`). Work that closed
later counts in the next report, and is mentioned in this one. Texts (numbers of papers, answers to
check-ins, reasons) are those of the drafting day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from enum import StrEnum

from reminder.domain.calendar import Period, instant, local_day, vn_date, vn_day
from reminder.domain.errors import ReminderError
from reminder.domain.ledger import Event, EventKind, State, by_key, history
from reminder.domain.plan import Key, Kind, Occurrence, Plan, occurrences, place_words
from reminder.domain.schedule import Scheduler
from reminder.domain.text import fold, one_line

DOTS = "…………"  # for a person to fill in
_COMMITTEE = "Ủy ban nhân dân"
CUT_OFF_DAY = 14  # NĐ 09/2019/NĐ-CP: figures run from the 15th to the 14th
GRACE = timedelta(days=15)  # so long after its due day an open report is still the one in hand
_USUAL = ("Q1", "H1", "Q3", "")  # the yearly reports on administrative reform: 2024-Q1 … 2024


class ReportPeriodError(ReminderError):
    """No report can be drafted for what was asked; the text says why, in Vietnamese."""


def data_span(period: Period) -> tuple[date, date]:
    """Return the first and last day of the figures of a report on `period`.

    NĐ 09/2019/NĐ-CP has one rule for months, quarters, halves and years: from the 15th of the month
    before the period to the 14th of its last month. So quý I/2024 is 15/12/2023 to 14/3/2024.
    """
    before = period.first - timedelta(days=1)
    return before.replace(day=CUT_OFF_DAY + 1), period.last.replace(day=CUT_OFF_DAY)


def full_name(period: Period) -> str:
    """Return the period with its year: “quý I năm 2024”, “6 tháng đầu năm 2024”, “năm 2024”."""
    name = period.name
    if name.endswith(f"{period.year}"):
        return name
    return f"{name} {period.year}" if name.endswith("năm") else f"{name} năm {period.year}"


def _reports(plan: Plan) -> list[Key]:
    return [o.key for o in occurrences(plan) if o.deliverable.kind is Kind.REPORT]


def report_periods(plan: Plan) -> list[Period]:
    """Return the periods on which `plan` reports, in the order in which they end.

    The periods of its own reports (BC), or the four usual ones if it has none.
    """
    own = {key.period for key in _reports(plan)}
    years = range(plan.first_day.year, plan.last_day.year + 1)
    usual = {f"{year}-{name}".rstrip("-") for year in years for name in _USUAL}
    periods = [Period.parse(identifier) for identifier in own or usual]
    if plan.span:
        periods = [p for p in periods if own or plan.first_day <= p.last <= plan.last_day]
    return sorted(periods, key=lambda p: (p.last, p.last - p.first))


def next_period(plan: Plan, period: Period) -> Period | None:
    """Return the period of the report after the one on `period`; None after the year's last."""
    return next((p for p in report_periods(plan) if p.last > period.last), None)


def find_report(
    plans: Sequence[Plan], states: Mapping[Key, State], text: str | None, day: date
) -> tuple[Plan, Period]:
    """Return the plan and the period of the report that `text` names: 2024-Q1, 2024-H1, 2024.

    None: of the one that the office writes on `day`. ReportPeriodError if there is no such report,
    or its period begins after `day`.
    """
    if text is None:
        return _in_hand(plans, states, day)
    period = _parsed(text.strip(), plans)
    having = (p for p in plans if period in report_periods(p))
    of_year = (p for p in plans if p.first_day.year <= period.year <= p.last_day.year)
    plan = next(having, next(of_year, None))
    if plan is None:
        years = ", ".join(p.time.partition(" ")[2] for p in plans) or "chưa có năm nào"
        raise ReportPeriodError(
            f"Không có kế hoạch năm {period.year} (các năm đang dùng: {years}) nên không lập được "
            f"báo cáo {full_name(period)}. Thêm tệp kế hoạch của năm ấy, xem docs/plan-format.md."
        )
    if period not in report_periods(plan):
        raise ReportPeriodError(
            f"Kế hoạch {plan.time} không có báo cáo {full_name(period)}. "
            f"Có các kỳ: {_listed([plan])}."
        )
    if day < period.first:
        raise ReportPeriodError(
            f"Kỳ {full_name(period)} chưa bắt đầu nên chưa có gì để báo cáo: kỳ này mở từ "
            f"{vn_day(period.first)}/{period.year}, mà số liệu mới đến "
            f"{vn_date(day, year=True)}."
        )
    return plan, period


def _parsed(text: str, plans: Sequence[Plan]) -> Period:
    try:
        if text.isascii():
            return Period.parse(text.upper())
    except ValueError:
        pass
    known = _listed(plans) or "2024-Q1, 2024-H1, 2024-Q3, 2024"
    raise ReportPeriodError(f"“{text[:40]}” không phải kỳ báo cáo. Có các kỳ: {known}.")


def _listed(plans: Sequence[Plan]) -> str:
    return ", ".join(period.id for plan in plans for period in report_periods(plan))


def _in_hand(plans: Sequence[Plan], states: Mapping[Key, State], day: date) -> tuple[Plan, Period]:
    """Return the first report that has begun, is not handed in, and was due at most GRACE ago.

    Otherwise the one that was due last.
    """
    waiting, begun = [], []
    for plan in plans:
        for period in report_periods(plan):
            own = [states[k] for k in _reports(plan) if k.period == period.id and k in states]
            # The day after the cut-off where the plan has no such report.
            cut_off = data_span(period)[1] + timedelta(days=1)
            due = next((state.due for state in own if state.due), cut_off)
            if period.first <= day:
                begun.append((due, plan.year, plan, period))
                if due >= day - GRACE and not (own and all(state.closed for state in own)):
                    waiting.append(begun[-1])
    if not begun:
        raise ReportPeriodError(
            "Chưa kỳ báo cáo nào bắt đầu nên chưa có gì để báo cáo. "
            f"Có các kỳ: {_listed(plans) or 'chưa có kế hoạch nào'}."
        )
    begun.sort(key=lambda each: each[:2])
    past = [each for each in begun if each[0] < day]
    found = min(waiting, key=lambda each: each[:2]) if waiting else (past[-1:] or begun)[0]
    return found[2:]


@dataclass(frozen=True, kw_only=True, slots=True)
class Letterhead:
    """The names on the report; `fill_from_plan` fills the empty ones.

    No person's name is among them: a draft is not signed.
    """

    parent: str = ""  # cơ quan chủ quản trực tiếp; an Ủy ban nhân dân has none on its papers
    authority: str = ""  # “Ủy ban nhân dân phường …”
    symbol: str = ""  # behind “BC-” in the paper's number: UBND
    place: str = ""  # địa danh, before the date
    addressees: tuple[str, ...] = ()  # Kính gửi
    recipients: tuple[str, ...] = ()  # Nơi nhận, between “Như trên” and “Lưu”
    archive: str = "VT"  # behind “Lưu:”
    on_behalf: str = ""  # “TM. ỦY BAN NHÂN DÂN”
    signer: str = "Chủ tịch"  # the title of who signs
    subject: str = ""  # trích yếu without the period; empty: from the plan's own task

    @property
    def is_committee(self) -> bool:
        return fold(self.authority).startswith(fold(_COMMITTEE))

    @property
    def lines(self) -> tuple[str, ...]:
        """The authority's name as at the head of the paper: ỦY BAN NHÂN DÂN / PHƯỜNG …"""
        if not self.is_committee:
            return (self.authority.upper(),)
        size = len(_COMMITTEE.split())
        words = self.authority.upper().split()
        return tuple(line for line in (" ".join(words[:size]), " ".join(words[size:])) if line)


def fill_from_plan(letterhead: Letterhead, plan: Plan) -> Letterhead:
    """Return `letterhead`, its empty names taken from `plan`, or dots to be filled in."""
    leaders = plan.by_unit[plan.leaders].name
    authority = letterhead.authority or _authority(leaders)
    named = replace(letterhead, authority=authority)
    return replace(
        named,
        symbol=named.symbol or ("UBND" if named.is_committee else DOTS),
        place=named.place or DOTS,
        addressees=named.addressees or (DOTS,),
        recipients=named.recipients or (leaders,),
        on_behalf=named.on_behalf or (f"TM. {_COMMITTEE}" if named.is_committee else ""),
    )


def _authority(leaders: str) -> str:
    """Return “Ủy ban nhân dân phường …………”; the place's own name is in the settings."""
    _, found, kind = leaders.partition("UBND")
    return f"{_COMMITTEE}{kind} {DOTS}" if found else DOTS


class Status(StrEnum):
    """The state of an occurrence on the last day of the figures."""

    DONE = "done"
    DONE_LATE = "done-late"
    LATE = "late"
    SIGNING = "signing"  # chờ ký: all units whose part is open wait for a signature; may be late
    OPEN = "open"
    AWAITING = "awaiting"  # chưa có hạn


CLOSED = frozenset({Status.DONE, Status.DONE_LATE})


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What a unit said, on one line, without control characters."""

    unit: str  # its name
    on: date
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Extension:
    """A due day that the office moved later."""

    unit: str  # the unit that asked; empty: the office moved it unasked
    on: date
    was: date
    until: date
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One occurrence in the report; days are local."""

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
    days_late: int  # working days; of closed work, on the day on which it was closed
    closed_on: date | None  # if after the last day of the figures, `status` is not a closed one
    closed_by: str
    evidence: str
    answers: tuple[Said, ...]  # to a check-in
    notes: tuple[Said, ...]  # reasons and remarks
    missing: tuple[str, ...]  # units whose part is open
    signing_since: date | None
    extensions: tuple[Extension, ...]
    place: str = ""  # of its date in the plan's document: “bảng 1, dòng 7”
    waits_for: str = ""  # the event that its due day is counted from


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
        """Return how many entries have one of these statuses, among check-ins or among products."""
        return sum(e.status in statuses and e.check_in is check_ins for e in self.entries)


def draft_report(
    plan: Plan, events: Sequence[Event], scheduler: Scheduler, period: Period, day: date
) -> Report:
    """Return the report of `plan` on `period`, from the events up to the end of `day`.

    It holds what closed between the first and last day of the figures, and what was open on the
    last; not its own occurrence, nor other reports that are not late.
    """
    first, cut_off = data_span(period)
    last = min(day, cut_off)
    after = next_period(plan, period)
    until = data_span(after)[1] if after else plan.last_day
    end = instant(day + timedelta(days=1), time(0))
    known = by_key(event for event in events if event.key.plan == plan.id and event.at < end)
    entries, coming = [], []
    for occurrence in occurrences(plan):
        if occurrence.deliverable.kind is Kind.REPORT and occurrence.period.id == period.id:
            continue
        if len(plan.years) > 1 and occurrence.year.last < period.first:
            continue  # each year reports on its own work
        item = _Item(plan, scheduler, occurrence, known.get(occurrence.key, ()), last)
        entry = item.entry()
        if _belongs(item, entry, first):
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


def _belongs(item: _Item, entry: Entry, first: date) -> bool:
    if entry.status in CLOSED:
        return entry.closed_on is not None and entry.closed_on >= first
    ahead = item.occurrence.deliverable.kind is Kind.REPORT and entry.status is not Status.LATE
    return item.occurrence.opens <= item.last and not ahead


def _comes(entry: Entry, last: date, until: date) -> bool:
    """Return whether it is still to be done by `until`."""
    if entry.closed_on is not None or entry.due is None:
        return False
    return entry.due <= until and (entry.days_late > 0 or entry.due > last)


@dataclass(frozen=True)
class _Item:
    """One occurrence and its events, seen from the last day of the figures."""

    plan: Plan
    scheduler: Scheduler
    occurrence: Occurrence
    events: Sequence[Event]
    last: date

    def entry(self) -> Entry:
        """Return the occurrence as an entry of the report."""
        occurrence, state = self.occurrence, history(self.occurrence, self.events)[-1][1]
        closed_on = local_day(state.closed.at) if state.closed else None
        status, days_late = self._status(state, closed_on)
        event = occurrence.deliverable.event
        waiting = () if status in CLOSED else tuple(state.submitted.values())
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
            original=occurrence.due if occurrence.due != state.due else None,
            assumed=state.assumed,
            status=status,
            days_late=days_late,
            closed_on=closed_on,
            closed_by=self._name(state.closed.unit) if state.closed else "",
            evidence="; ".join(dict.fromkeys(filter(None, map(_plain, state.papers)))),
            answers=tuple(self._answers(state)),
            notes=() if occurrence.is_check_in and state.closed else tuple(self._notes(state)),
            missing=self._names(state.open_units),
            signing_since=min((local_day(event.at) for event in waiting), default=None),
            extensions=tuple(self._extensions()),
            place=place_words(occurrence.deliverable.source or occurrence.task.source),
            waits_for=event.words if event and state.due is None else "",
        )

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
        """Yield the answers to a check-in, with later additions, each text once."""
        if not self.occurrence.is_check_in or not state.parts:
            return
        told = (*state.parts.values(), *state.notes)
        yield from dict.fromkeys(self._said(event) for event in sorted(told, key=lambda e: e.at))

    def _notes(self, state: State) -> Iterator[Said]:
        """Notes, and the reasons of requests that were not granted, in the order of their times.

        Of open work only what may still be true.
        """
        heard = [
            *(state.notes if state.closed else state.reasons),
            *self._ungranted_requests(state),
        ]
        closing = state.closed
        if closing and not self.occurrence.is_check_in:
            heard.append(closing)
        yield from dict.fromkeys(
            self._said(event) for event in sorted(heard, key=lambda e: e.at) if event.note.strip()
        )

    def _ungranted_requests(self, state: State) -> Iterator[Event]:
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
        """Yield the moves of the due day to a later day."""
        states = [state for _, state in history(self.occurrence, self.events)]
        for before, event, after in zip(states, self.events, states[1:], strict=False):
            granted = event.kind is EventKind.EXTENSION_GRANTED
            moved = granted or event.kind is EventKind.DUE_SET
            if moved and before.due and after.due and after.due > before.due:
                why = before.request.note if granted and before.request else event.note
                yield Extension(
                    unit=self._name(event.unit) if granted else "",
                    on=local_day(event.at),
                    was=before.due,
                    until=after.due,
                    why=_plain(why),
                )

    def _said(self, event: Event) -> Said:
        unit = self.plan.office if event.kind is EventKind.REOPENED else event.unit
        return Said(unit=self._name(unit), on=local_day(event.at), text=_plain(event.note))

    def _names(self, units: Sequence[str]) -> tuple[str, ...]:
        return tuple(self._name(unit) for unit in units)

    def _name(self, unit: str) -> str:
        found = self.plan.by_unit.get(unit)
        return found.name if found else _plain(unit)


def _plain(text: str) -> str:
    """Typed text on one line, without characters that XML can't hold, and without a full stop."""
    return one_line(text).rstrip(" .;")
