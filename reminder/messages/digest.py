"""The weekly digest, in short and in full; the words are in templates/digest*.j2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from html import escape

from markupsafe import Markup

from reminder.domain import payloads
from reminder.domain.calendar import local, vn_date
from reminder.domain.digest import Digest, UnitFigures, closed_in_time, digest
from reminder.domain.ledger import State
from reminder.domain.outbox import Outbound
from reminder.domain.plan import Kind, Plan
from reminder.messages.compose import as_line, block_lines, block_text, message, page
from reminder.messages.context import Context, Work, coming_rest, some
from reminder.services.status import Health, Unreachable
from reminder.services.status import unreachable as unreachable_people

SHOWN = 8  # lines of each part of the short form; the rest is a number
MOST = 20  # entries of a section; with all sections full a mail stays below what Gmail clips
PASTED = 10  # tasks of the lines for a group
BARS = 30  # units that have a bar
BLOCKS = 20  # of a bar in plain text
CODES = 24  # of one line
SETTLED = 12  # codes of the dates to settle, in short
SOON = timedelta(days=14)  # from today to the date of an example


def digest_of(context: Context) -> Digest:
    """Return the digest at the context's time."""
    plans = list(context.plans.values())
    return digest(
        plans,
        context.events,
        context.scheduler,
        context.at,
        started=context.past.started,
        initial=context.office.files.stage_index.initial,
    )


def weekly_digest(context: Context, _: payloads.Digest) -> Outbound | None:
    """Return the digest of a row, in the form of its channel; None if a newer one is queued."""
    if context.past.outdated:
        return None
    row, office = context.row, context.office
    by_itself = row is not None and row.draft.kind == "digest" and not context.by_mail
    mailed = row is not None and by_itself and office.has_mail(row.draft.recipient)
    return made(context, mailed=mailed, attached=context.by_mail)


def made(context: Context, *, mailed: bool, attached: bool) -> Outbound:
    """Return the digest; with the whole plan if it is `attached`."""
    found = digest_of(context)
    cut_off = unreachable_people(context.office, found.plans)
    attached = attached and bool(found.plans)
    message = weekly(
        context,
        found,
        health=context.past.health,
        cut_off=cut_off,
        mailed=mailed,
        attached=attached,
    )
    files = workbooks(context, found.plans, found.day) if attached else ()
    return replace(message, attachments=files)


def weekly(
    context: Context,
    found: Digest,
    *,
    health: Health | None = None,
    cut_off: Sequence[Unreachable] = (),
    mailed: bool = False,
    attached: bool = False,
) -> Outbound:
    """Return the digest of the week; said also when all is well.

    `html` and `short` are the short form, `text` and `mail_html` the full one, where it is read.
    `mailed`: the reader gets the full form by mail as well; `attached`: the whole plan comes with
    it.
    """
    if not found.plans:
        return nothing(context, found.day)
    (week,), (counted,) = _week(context, found), block_text("counted")
    people: dict[str, Unreachable] = {}  # each person once, and each empty unit
    for one in cut_off:
        people.setdefault(one.person.id if one.person else f"unit:{one.unit}", one)
    since = local(found.since).date() if found.since else None
    short = message(
        context,
        "short",
        d=_parts(context, found, SHOWN, grouped=True),
        week=week,
        now=found.figures,
        before=found.before,
        counted=counted,
        since=since,
        whole_week=since is not None and found.day - since == timedelta(days=7),
        settle=_to_settle(context, found),
        cut_off=list(people.values()),
        mailed=mailed,
    )
    if context.in_short:
        return replace(short, short=short.text)
    full = {
        "c": context,
        "subject": short.subject,
        "week": week,
        "now": found.figures,
        "before": found.before,
        "counted": counted,
        "compared": context.day(since) if since else "",
        "bars": bars(found.units),
        "attached": attached,
    }
    parts = _full_parts(context, found, health, list(people.values())) | {"attached": attached}
    lines = page("digest_full", sections=_sections("digest_parts.j2", parts), **full).splitlines()
    text = "\n".join(as_line(line).plain for line in map(str.strip, lines) if line)
    html = _sections("digest_parts.html.j2", parts) if context.page else ""
    page_html = page("digest_mail.html", sections=html, **full) if context.page else ""
    return replace(short, short=short.text, text=text, mail_html=page_html)


def _sections(form: str, parts: Mapping[str, object]) -> Markup:
    """Return all parts below the figures, as the macros of `form` write them."""
    return Markup("\n".join(block_text("sections", form=form, **parts)))  # noqa: S704 - escaped


def page_sections(context: Context, found: Digest, cut_off: Sequence[Unreachable] = ()) -> Markup:
    """Return the parts below the figures as a page shows them, without a style of their own."""
    parts = _full_parts(context, found, None, list(cut_off)) | {
        "attached": False,
        "any_assumed": False,
    }
    return _sections("digest_parts.page.j2", parts)


def nothing(context: Context, day: date) -> Outbound:
    """Return why there is no digest of `day`: no plan yet, or none any more."""
    coming = [p for p in context.plans.values() if p.first_day > day]
    return message(context, "nothing", coming=min(coming, key=lambda p: p.year, default=None))


def zalo(context: Context, _: payloads.Zalo | None = None) -> Outbound:
    """Return a few plain lines on the week, to paste into a group: no mark-up, no figures."""
    found = digest_of(context)
    if not found.plans:
        return nothing(context, found.day)
    monday = found.day - timedelta(days=found.day.weekday())
    worked = context.scheduler.calendar.between(monday, monday + timedelta(days=6)) or [found.day]
    subject, *lines = block_lines(
        "zalo",
        buttons=False,
        span="–".join(dict.fromkeys(vn_date(day) for day in (worked[0], worked[-1]))),
        this_week=_grouped(context, found.this_week, PASTED),
        next_weeks=_grouped(context, found.next_weeks, PASTED),
        late=_grouped(context, found.late, PASTED),
        office=context.office_name,
    )
    text = (" " if len(lines) == 2 else "\n").join(line.plain for line in lines)
    return Outbound(subject=subject.plain, html=escape(text, quote=False), text=text)


def _week(context: Context, found: Digest) -> list[str]:
    """Return how many working days this week has left, and the rest that comes."""
    calendar = context.scheduler.calendar
    left = len(calendar.between(found.day, found.day + timedelta(days=6 - found.day.weekday())))
    rest = coming_rest(found.day, calendar)
    holiday = context.holiday(*rest) if rest else ""
    return block_text("week", left=left, rest=rest, holiday=holiday)


@dataclass(frozen=True)
class Row(Work):
    """What a line of the digest tells: one occurrence, or the check-ins of one period and day."""

    states: tuple[State, ...] = ()

    @property
    def code(self) -> str:
        return _codes(self.context, self.states)

    @property
    def waiting(self) -> tuple[str, ...]:
        works = [Work(self.context, state) for state in self.states]
        return tuple(dict.fromkeys(unit for work in works for unit in work.waiting))

    @property
    def closed_late(self) -> bool:
        return not closed_in_time(self.state, self.context.scheduler)


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a part that are shown."""

    rows: Sequence[object]  # Row; where dates are to settle with what it is, and the dates
    count: int  # of the occurrences of the whole part
    more: int  # of those that are left out


def _part(context: Context, groups: Iterable[Sequence[State]], most: int) -> Part:
    rows = [Row(context, group[0], tuple(group)) for group in groups]
    counts = [len(row.states) for row in rows]
    return Part(rows=rows[:most], count=sum(counts), more=sum(counts[most:]))


def _grouped(context: Context, states: Sequence[State], most: int) -> Part:
    """Return the rows in order; check-ins of one period and day stand where the first does."""
    groups: dict[tuple[object, ...], list[State]] = {}
    for state in states:
        occurrence = state.occurrence
        apart = () if occurrence.is_check_in else state.key
        key = (state.key.plan, occurrence.period, state.due, state.assumed, apart)
        groups.setdefault(key, []).append(state)
    return _part(context, groups.values(), most)


def _done(context: Context, states: Sequence[State], most: int) -> Part:
    """Return a line for each product; the check-ins that were answered share one a period."""
    periods: dict[str, list[State]] = {}
    for state in states:
        if state.occurrence.is_check_in:
            periods.setdefault(state.occurrence.period_name, []).append(state)
    products = [(state,) for state in states if not state.occurrence.is_check_in]
    return _part(context, [*products, *periods.values()], most)


def _parts(context: Context, found: Digest, most: int, *, grouped: bool) -> dict[str, Part]:
    """Return the lists of the digest; `grouped`: answered check-ins share a line."""

    def each(states: Sequence[State]) -> Part:
        return _part(context, [(state,) for state in states], most)

    return {
        "late": each(found.late),
        "this_week": _grouped(context, found.this_week, most),
        "next_weeks": _grouped(context, found.next_weeks, most),
        "done": _done(context, found.done, most) if grouped else each(found.done),
        "answered": each(found.answered),
        "signing": each(found.signing),
        "requests": each(found.requests),
    }


def _codes(context: Context, states: Iterable[State], most: int = CODES) -> str:
    return ", ".join(some(list(dict.fromkeys(Work(context, s).code for s in states)), most))


def _to_settle(context: Context, found: Digest) -> dict[str, object]:
    """Return what waits for the office's decision on its date: codes, and how many."""
    check_ins = {s.key[:3] for s in found.assumed if s.occurrence.is_check_in}
    dated = [s for s in found.assumed if not s.occurrence.is_check_in]
    reports = [s for s in dated if s.occurrence.deliverable.kind is Kind.REPORT]
    others = [s for s in dated if s.occurrence.deliverable.kind is not Kind.REPORT]
    return {
        "undated": _codes(context, found.awaiting, SETTLED),
        "codes": _codes(context, others, SETTLED),
        "check_ins": len(check_ins),
        "reports": len(reports),
        "report_codes": _codes(context, reports),
    }


def _settling(context: Context, found: Digest) -> Part:
    """Dates to give, and to confirm: each a row, what it is, and the dates; work of one of both."""
    together: dict[tuple[str, str, int], list[State]] = {}
    for state in found.assumed:
        report = state.occurrence.deliverable.kind is Kind.REPORT
        place = (*state.key[:2], 0 if report else state.key.deliverable)
        together.setdefault(place, []).append(state)
    groups: dict[tuple[str, tuple[date, ...]], list[State]] = {}
    for of_one in together.values():
        days = tuple(s.due for s in of_one if s.due)
        groups.setdefault((_what(of_one[0]), days), []).append(of_one[0])
    rows: list[tuple[Row, str, tuple[date, ...]]] = [
        (Row(context, state, (state,)), state.occurrence.title, ()) for state in found.awaiting
    ]
    rows += [(Row(context, group[0], tuple(group)), *key) for key, group in groups.items()]
    return Part(rows=rows[:MOST], count=len(rows), more=max(0, len(rows) - MOST))


def _what(state: State) -> str:
    """Return what an assumed date is of; empty: of check-ins."""
    occurrence = state.occurrence
    if occurrence.is_check_in:
        return ""
    report = occurrence.deliverable.kind is Kind.REPORT
    several = len(occurrence.task.deliverables) > 1 and not report
    return occurrence.deliverable.product if several else occurrence.task.title


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A unit's parts; widths are per cent of the longest bar."""

    unit: UnitFigures
    done: int
    open: int
    late: int
    blocks: str  # the same in plain text


def bars(units: Sequence[UnitFigures]) -> list[Bar]:
    """Return a bar for each unit, all to one scale."""
    longest = max((unit.total for unit in units), default=1)
    return [_bar(unit, longest) for unit in units[:BARS]]


def _bar(unit: UnitFigures, longest: int) -> Bar:
    parts = (unit.done, unit.open, unit.late)
    done, still, late = (max(1, round(100 * n / longest)) if n else 0 for n in parts)
    over = max(0, done + still + late - 100)  # what rounding up the small ones has added
    if done >= still:
        done -= over
    else:
        still -= over
    marks = zip("█░▓", parts, strict=True)
    return Bar(
        unit=unit,
        done=done,
        open=still,
        late=late,
        blocks="".join(m * (max(1, round(BLOCKS * n / longest)) if n else 0) for m, n in marks),
    )


def _full_parts(
    context: Context, found: Digest, health: Health | None, people: Sequence[Unreachable]
) -> dict[str, object]:
    """Return what the parts below the figures are made from."""
    every = [*found.answered, *found.missing]
    missing: dict[str, list[State]] = {}
    for state in found.missing:
        missing.setdefault(context.units(state.open_units), []).append(state)
    soon = context.scheduler.calendar.roll_back(context.today + SOON)
    return {
        "c": context,
        "d": _parts(context, found, MOST, grouped=False),
        "since": context.day(local(found.since).date()) if found.since else "",
        "periods": ", ".join(dict.fromkeys(s.occurrence.period_name for s in every)),
        "asked": len(every),
        "missing": [(unit, _codes(context, s)) for unit, s in missing.items()][: MOST - 1],
        "settling": _settling(context, found),
        "any_assumed": bool(found.assumed),
        "some_day": vn_date(soon, year=True),
        "cut_off": people,
        "most": MOST,
        "health": health,
    }


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbooks(
    context: Context, plans: Iterable[Plan], day: date
) -> tuple[tuple[str, str, bytes], ...]:
    """Return (file name, media type, content) of each of `plans`, as it stands on `day`."""
    # xlsxwriter is loaded once a week, not at each start.
    from reminder.documents.workbook import workbook

    return tuple(
        (
            f"theo-doi-ke-hoach-{plan.year}_{day:%Y-%m-%d}.xlsx",
            XLSX,
            workbook(plan, context.states, context.scheduler, day),
        )
        for plan in plans
    )
