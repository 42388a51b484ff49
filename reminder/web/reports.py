"""The year in pictures, one unit, the week's digest, the office's report."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import zip_longest
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from reminder.decisions.outcome import reads_all
from reminder.domain import digest as figures_of
from reminder.domain.calendar import Period, instant, last_of_month, local_day, monday_of
from reminder.domain.ledger import State
from reminder.domain.plan import Plan
from reminder.domain.report import (
    Report,
    ReportPeriodError,
    draft_report,
    find_report,
    full_name,
    report_periods,
)
from reminder.messages.context import Context
from reminder.messages.digest import digest_of, page_sections, zalo
from reminder.services.status import unreachable
from reminder.web import words
from reminder.web.pages import YEARS, attached, bars, refused
from reminder.web.site import Visit, files_at, shown_at
from reminder.web.words import ABOVE, Filter

WEEK = timedelta(days=7)
WIDE, HIGH = 600, 150  # of the picture of the year
CELL = 11  # of a day on the heat map, with the gap to the next
HEAT = ("#e9edf1", "#ffe3a3", "#f5b942", "#e07b1f", "#b23a12")  # by how many are due
OFF = "#f7f8fa"


def routes() -> list[Route]:
    """The pages that sum up, and the report's file."""
    pages = {
        "/tien-do": progress,
        "/bo-phan/{unit}": unit,
        "/tong-hop": week,
        "/bao-cao": report,
    }
    files = {"/bao-cao.docx": report_file, "/bao-cao/{plan}/{period}.docx": report_by_link}
    return [*files_at(files), *shown_at(pages)]


# ---- the year in pictures


async def progress(visit: Visit) -> Response:
    """Planned against done, bars a unit, and the working year as a heat map."""
    if not reads_all(visit.sender):
        return await refused(visit, ABOVE)
    query = visit.request.query_params
    return await visit.page(
        "progress.html", mark="", make=partial(_progress, visit, query.get("bo-phan", ""))
    )


def _progress(visit: Visit, unit: str) -> dict[str, Any]:
    context = visit.context
    states = words.states_of(context)
    known = dict(words.units(context))
    unit = unit if unit in known else ""
    shown = figures_of.parts_of(states, unit) if unit else states
    plans = visit.office.speaking(visit.now)
    year = max((plan.first_day.year for plan in plans), default=context.today.year)
    return {
        "unit": unit,
        "units": list(known.items()),
        "year": year,
        "months": months(context, shown, year),
        "bars": bars(visit, states),
        "heat": heat(context, shown, year),
        "here": "/tien-do",
    }


def months(context: Context, states: Sequence[State], year: int) -> dict[str, Any]:
    """How many were due and done by the end of each month, as numbers and as two lines."""
    dues = [s.due for s in states if s.due]
    done = [local_day(s.closed.at) for s in states if s.closed]
    ends = [last_of_month(year, month) for month in range(1, 13)]
    planned = [sum(day <= last for day in dues) for last in ends]
    so_far = [
        sum(day <= last for day in done) for last in ends if context.today >= last.replace(day=1)
    ]
    most = max([1, len(dues), len(done)])
    x = [round(WIDE * (n + 1) / 12) for n in range(12)]

    def line(counts: Sequence[int]) -> str:
        points = [f"{at},{round(HIGH - HIGH * n / most)}" for at, n in zip(x, counts, strict=False)]
        return " ".join([f"0,{HIGH}", *points])

    return {
        "rows": [
            {"month": Period.parse(f"{last:%Y-%m}").name, "due": due, "done": count}
            for last, due, count in zip_longest(ends, planned, so_far)
        ],
        "planned": line(planned),
        "done": line(so_far),
        "wide": WIDE,
        "high": HIGH,
    }


def heat(context: Context, states: Sequence[State], year: int) -> dict[str, Any]:
    """Each day of the year as a cell, by how many are due on it; days off apart."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    due = Counter(s.due for s in states if s.due and first <= s.due <= last)
    working = set(context.scheduler.calendar.between(first, last))
    start = monday_of(first)
    cells = []
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        count = due[day]
        fill = HEAT[min(count, len(HEAT) - 1)] if day in working or count else OFF
        column = (day - start).days // 7
        cells.append({"x": column * CELL, "y": day.weekday() * CELL, "fill": fill, "day": day,
                      "count": count})  # fmt: skip
    return {
        "cells": cells,
        "size": CELL - 1,
        "wide": ((last - start).days // 7 + 1) * CELL,
        "high": 7 * CELL,
        "busy": sorted(due.items(), key=lambda pair: (-pair[1], pair[0]))[:10],
        "working": len(working),
    }


# ---- one unit


async def unit(visit: Visit) -> Response:
    """The work of one unit: its figures, its groups by urgency, its people."""
    wanted = visit.request.path_params["unit"]
    names = {u.id: u.name for plan in visit.office.speaking(visit.now) for u in plan.units}
    if wanted not in names:
        return await refused(visit, "Không có bộ phận này trong kế hoạch.", 404)
    if not reads_all(visit.sender) and wanted not in visit.sender.units:
        return await refused(visit, "Trang này của bộ phận khác.")
    make = partial(_unit, visit, wanted, names[wanted])
    return await visit.page("unit.html", mark="", make=make)


def _unit(visit: Visit, wanted: str, name: str) -> dict[str, Any]:
    context = visit.context
    chosen = Filter(unit=wanted)
    states = [s for s in words.states_of(context) if chosen.takes(context, s)]
    return {
        "unit": wanted,
        "name": name,
        "figures": words.figures(context, states),
        "groups": words.groups(context, states, visit.at("/bang"), f"bo-phan={wanted}"),
        "people": [
            {"name": person.name, "away": visit.office.away_until(person.id, context.today)}
            for person in visit.office.members(wanted)
        ],
        "here": "",
    }


# ---- the week's digest


async def week(visit: Visit) -> Response:
    """The digest of this week, or of an earlier one as it was known then."""
    if not reads_all(visit.sender):
        return await refused(visit, ABOVE)
    asked = visit.request.query_params.get("tuan", "")
    try:
        day = date.fromisoformat(asked) if asked else visit.context.today
    except ValueError:
        day = visit.context.today
    if abs(day.year - visit.context.today.year) > YEARS:
        day = visit.context.today
    return await visit.page("week.html", mark="", make=partial(_week, visit, day))


def _week(visit: Visit, day: date) -> dict[str, Any]:
    office, now, scheduler = visit.office, visit.now, visit.office.scheduler
    at: datetime | None = now
    if monday_of(day) != monday_of(visit.context.today):
        first = figures_of.digest_day(scheduler, day)
        at = instant(first, scheduler.policy.digest) if first else None
    if at is None or at > now or not figures_of.speaking(office.plans, scheduler, local_day(at)):
        at = now
    then = replace(office, events=tuple(e for e in office.events if e.at < at))
    context = visit.site.context(then, at)
    found = digest_of(context)
    monday = monday_of(local_day(at))
    earlier = figures_of.digest_day(scheduler, monday - WEEK)
    is_now = monday == monday_of(visit.context.today)
    cut_off = unreachable(office, found.plans) if is_now else []
    return {
        "found": found.plans,
        "day": local_day(at),
        "figures": [
            (said, getattr(found.figures, field), words.changed(field, found.figures, found.before))
            for _, field, said in words.FIGURES
        ],
        "compared": context.day(local_day(found.since)) if found.since else "",
        "units": [(context.unit(u.unit), u.done, u.open, u.late) for u in found.units],
        "sections": page_sections(context, found, cut_off),
        "before": (monday - WEEK).isoformat()
        if earlier and figures_of.speaking(office.plans, scheduler, earlier)
        else "",
        "after": "" if is_now else (monday + WEEK).isoformat(),
        "pasted": zalo(context).text if is_now else "",
        "here": "/tong-hop",
    }


# ---- the office's report


async def report(visit: Visit) -> Response:
    """The periods on which the office reports, and what the draft of one of them counts."""
    if not reads_all(visit.sender):
        return await refused(visit, ABOVE)
    asked = visit.request.query_params.get("ky")
    found = _drafted(visit, visit.office.plans, asked) if asked is not None else None
    if isinstance(found, str):
        return await refused(visit, found, 404)
    return await visit.page("report.html", mark="", make=partial(_report, visit, found))


def _drafted(visit: Visit, plans: Sequence[Plan], asked: str) -> Report | str:
    """The draft of a period, or why there is none."""
    office, today = visit.office, visit.context.today
    try:
        plan, period = find_report(plans, office.states, asked[:20], today)
    except ReportPeriodError as error:
        return str(error)
    return draft_report(plan, office.events, office.scheduler, period, today)


def _report(visit: Visit, found: Report | None) -> dict[str, Any]:
    today = visit.context.today

    def periods(plan: Plan) -> list[tuple[str, str, bool]]:
        return [(p.id, full_name(p), p.first <= today) for p in report_periods(plan)]

    return {
        "plans": [(plan.title, periods(plan)) for plan in visit.office.speaking(visit.now)],
        "name": found.name if found else "",
        "period": found.period.id if found else "",
        "first": found.first if found else None,
        "last": found.last if found else None,
        "counts": Counter(e.status.value for e in found.entries) if found else {},
        "entries": [(e.code, e.title, e.status.value) for e in found.entries] if found else [],
        "here": "/bao-cao",
    }


async def report_file(visit: Visit) -> Response:
    """The draft as a Word file, as `reminder report` writes it."""
    if not reads_all(visit.sender):
        return await refused(visit, ABOVE)
    asked = visit.request.query_params.get("ky")
    if asked is None:
        return await refused(visit, "Xin chọn kỳ báo cáo.", 404)
    return await _as_word(visit, _drafted(visit, visit.office.plans, asked), "bao-cao-{}.docx")


async def report_by_link(visit: Visit) -> Response:
    """The same by the link of a message to the office, which names the plan."""
    if not visit.sender.office:
        return await refused(visit, "Tệp này của Văn phòng.")
    asked = visit.request.path_params
    plans = [plan for plan in visit.office.plans if plan.id == asked["plan"]]
    return await _as_word(visit, _drafted(visit, plans, asked["period"]), "du-thao-bao-cao-{}.docx")


async def _as_word(visit: Visit, found: Report | str, name: str) -> Response:
    if isinstance(found, str):
        return await refused(visit, found, 404)
    from reminder.documents.report import MEDIA_TYPE, docx

    content = await asyncio.to_thread(docx, found, visit.office.files.letterhead)
    return await attached(visit, name.format(found.period.id), content, MEDIA_TYPE)
