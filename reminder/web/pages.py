"""The pages that show the work: decisions, the board, a task, own work, the calendar."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from reminder.decisions.answers import UNDO_WITHIN
from reminder.decisions.outcome import may_read, reads_all
from reminder.documents.workbook import csv_file
from reminder.domain import digest
from reminder.domain.calendar import Period, last_of_month, local_day
from reminder.domain.ledger import Event, State
from reminder.domain.outbox import STATE_WORDS
from reminder.domain.payloads import History
from reminder.domain.plan import Key, Plan, Task
from reminder.messages.compose import capital
from reminder.messages.context import Context, Work
from reminder.messages.digest import XLSX
from reminder.messages.rows import render as render_message
from reminder.services.proof import Notice, notices
from reminder.services.status import unreachable
from reminder.web import words
from reminder.web.site import Visit, files_at, shown_at
from reminder.web.words import Filter, Shown

EVENTS = 60  # lines of a task's log
NUDGES = 60  # of a task, that are shown
YEARS = 10  # before and after this one, of the calendar
CSV = "text/csv; charset=utf-8"
GONE = "Không có việc này trong kế hoạch."


def routes() -> list[Route]:
    """The pages that show, and their files."""
    pages = {
        "/quyet": decisions,
        "/bang": board,
        "/cua-toi": mine,
        "/viec/{plan}/{code}": task,
        "/lich": calendar,
    }
    files = {
        "/": start,
        "/bang.xlsx": workbook,
        "/bang.csv": board_file,
    }
    return [*shown_at(pages), *files_at(files)]


async def start(visit: Visit) -> Response:
    """Where each begins."""
    sender = visit.sender
    place = "/quyet" if sender.office else "/bang" if sender.leader else "/cua-toi"
    return RedirectResponse(place, 303)


async def refused(visit: Visit, why: str, status: int = 403) -> Response:
    """A page that says why it shows nothing."""
    if status == 403:
        await visit.note("refused", visit.request.url.path)
    return await visit.page("refused.html", status, why=why)


async def decisions(visit: Visit) -> Response:
    """What the office has to decide."""
    if not visit.sender.office:
        return await refused(visit, "Trang này của Văn phòng.")
    return await visit.page("decisions.html", mark="", make=partial(_decisions, visit))


def _decisions(visit: Visit) -> dict[str, Any]:
    context = visit.context
    found = words.to_decide(context)
    return {
        "desk": found,  # so called in its JSON
        "days": {work.state.key: suggested(visit, work) for work in found.undated},
        "follows": {w.state.key: _follows(context, w) for w in found.requests},
        "away": [
            (p.name, until)
            for p in visit.office.files.people
            if (until := visit.office.away_until(p.id, context.today))
        ],
        "reach": unreachable(visit.office, visit.office.speaking(visit.now)),
        "flash": flash(visit),
        "here": "/quyet",
    }


def _follows(context: Context, work: Shown) -> str:
    """What the day asked for comes to, for what else of the task is to come; empty: nothing."""
    until = work.asked.until if work.asked else None
    others = [
        s
        for s in words.states_of(context)
        if s.key[:2] == work.state.key[:2] and s.key != work.state.key and s.due and not s.closed
    ]
    nearest = min((s for s in others if s.due), key=lambda s: s.due or date.max, default=None)
    after = [s for s in others if until and s.due and s.due > until]
    if until and nearest and nearest.due and nearest.due <= until:
        other = Shown(context, nearest)
        return f"Ngày ấy không trước {other.due_day} của “{other.title}”."
    if not until or not after:
        return ""
    other = Shown(context, words.in_order(after)[0])
    left = context.scheduler.calendar.count(until, other.state.due or until)
    return f"Sau ngày ấy còn {left} ngày làm việc đến {other.due_day} của “{other.title}”."


def suggested(visit: Visit, work: Work) -> list[tuple[str, date]]:
    """Days that a missing date might be: in two weeks, at the end of the quarter, the half-year."""
    today, calendar = visit.context.today, visit.context.scheduler.calendar
    first = work.plan.first_day
    quarter = last_of_month(today.year, (today.month + 2) // 3 * 3)
    half = last_of_month(today.year, 6 if today.month <= 6 else 12)
    last = last_of_month(today.year, 12)
    found = [
        ("Hai tuần nữa", calendar.roll_forward(today + timedelta(days=14))),
        ("Hết quý", calendar.roll_back(quarter)),
        ("Hết 6 tháng" if today.month <= 6 else "Hết năm", calendar.roll_back(half)),
        ("Hết năm", calendar.roll_back(last)),
    ]
    days: dict[date, str] = {}
    for label, day in found:
        if today < day <= work.plan.last_day and day >= first:
            days.setdefault(day, label)
    return [(label, day) for day, label in days.items()][:3]


def flash(visit: Visit) -> str:
    """What was said to the act that led here; “Đã ghi” where that is no longer known."""
    mark = visit.request.query_params.get("ghi", "")
    return visit.site.answers.get(mark, "Đã ghi.") if mark else ""


async def board(visit: Visit) -> Response:
    """All work: figures that filter, then groups by urgency or the rows of a filter."""
    if not reads_all(visit.sender):
        return visit.go("/cua-toi")
    before = await visit.site.do(partial(visit.site.figures_before, visit.office, visit.now))
    make = partial(_board, visit, _chosen(visit), before)
    return await visit.page("board.html", mark="", make=make)


def _chosen(visit: Visit) -> Filter:
    """The filter of the address; a value that there is not filters nothing."""
    query = visit.request.query_params

    def known(name: str, values: Container[str]) -> str:
        value = query.get(name, "")
        return value if value in values else ""

    return Filter(
        unit=known("bo-phan", dict(words.units(visit.context))),
        standing=known("tinh-trang", words.STANDINGS),
        due=known("han", words.DUE),
        text=query.get("q", "").strip()[:100],
    )


def _board(visit: Visit, chosen: Filter, before: digest.Figures | None) -> dict[str, Any]:
    context = visit.context
    states = words.states_of(context)
    given = chosen.unit and Filter(unit=chosen.unit)
    of_unit = [s for s in states if not given or given.takes(context, s)]
    found = [s for s in states if chosen.takes(context, s)] if chosen.is_on else []
    by_plan = visit.request.query_params.get("xep") == "ke-hoach"
    if by_plan and not chosen.is_on:
        found = states
    order = found if by_plan else words.in_order(found)
    return {
        **turned(visit, [Shown(context, state) for state in order]),
        "figures": words.figures(context, of_unit, None if chosen.unit else before),
        "intro": _intro(context, states),
        "by_plan": by_plan,
        "wall": "tv" in visit.request.query_params,
        "units": words.units(context),
        "speaking": visit.office.speaking(visit.now),
        "chosen": chosen,
        "standings": words.STANDINGS,
        "dues": words.DUE,
        "groups": []
        if chosen.is_on or by_plan
        else words.groups(context, states, visit.at("/bang")),
        "ahead": sum(
            words.counts_in(words.AHEAD, s, context.scheduler, context.today) for s in states
        ),
        "bars": bars(visit, states),
        "here": "/bang",
    }


def turned(visit: Visit, rows: Sequence[Any]) -> dict[str, Any]:
    """The page of `rows` that the address names, and what a template needs to turn it."""
    page = visit.page_number
    start = (page - 1) * words.PAGE
    return {
        "rows": rows[start : start + words.PAGE],
        "total": len(rows),
        "page": page,
        "pages": -(-len(rows) // words.PAGE),
        "query": _query(visit),
    }


def _query(visit: Visit) -> str:
    """The filter as it stands in the address, without the page."""
    kept = [
        (k, v)
        for k, v in visit.request.query_params.multi_items()
        if k not in ("trang", "ghi") and v
    ]
    return urlencode(kept)


def _intro(context: Context, states: Sequence[State]) -> str:
    """How much is late, and what comes next."""
    today, scheduler = context.today, context.scheduler
    alive = [s for s in states if not s.closed and digest.begun(s, scheduler, today)]
    late = sum(scheduler.days_late(s, today) > 0 for s in alive)
    said = f"{late} việc quá hạn." if late else "Không việc nào quá hạn."
    following = [s for s in words.in_order(alive) if s.due and not scheduler.days_late(s, today)]
    if not following:
        return said
    first = Shown(context, following[0])
    return f"{said} Hạn gần nhất: {first.code} {first.title}, {first.due}."


async def board_file(visit: Visit) -> Response:
    """The rows of the board as CSV."""
    if not reads_all(visit.sender):
        return await refused(visit, "Tệp này của Văn phòng và Lãnh đạo.")
    context, chosen = visit.context, _chosen(visit)
    found = [s for s in words.states_of(context) if chosen.takes(context, s)]
    heads = ("Kế hoạch", "Mã", "Nhiệm vụ, sản phẩm", "Kỳ", "Chủ trì", "Hạn", "Tình trạng", "Xong",
             "Văn bản")  # fmt: skip
    rows = [
        (
            w.plan.id, w.state.key.task, w.title, w.period, w.lead,
            w.state.due.isoformat() if w.state.due else "", w.standing,
            local_day(w.state.closed.at).isoformat() if w.state.closed else "", w.state.evidence,
        )
        for w in words.rows(context, found)
    ]  # fmt: skip
    return await attached(visit, "bang-theo-doi.csv", csv_file(heads, rows))


async def attached(
    visit: Visit, name: str, content: bytes | str, kind: str = CSV, *, what: str = "export",
    said: str = "",
) -> Response:  # fmt: skip
    """Return a file to keep; the log of sight tells who took it along, as `said` or its name."""
    await visit.note(what, said or name)
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind, headers=disposition)


def bars(visit: Visit, states: Sequence[State]) -> list[dict[str, Any]]:
    """One bar a unit: done, open, late."""
    context = visit.context
    found = []
    for unit, name in words.units(context):
        count = digest.figures(digest.parts_of(states, unit), context.scheduler, context.today)
        done, late = count.in_time + count.done_late, count.late
        total = done + count.open
        if total:
            found.append(
                {"unit": unit, "name": name, "done": done, "open": count.open - late, "late": late,
                 "total": total}
            )  # fmt: skip
    return found


async def workbook(visit: Visit) -> Response:
    """The workbook of `reminder digest --xlsx`."""
    from reminder.documents.workbook import workbook as made

    speaking = visit.office.speaking(visit.now)
    if not reads_all(visit.sender) or not speaking:
        return await refused(visit, "Tệp này của Văn phòng và Lãnh đạo.")
    wanted = visit.request.query_params.get("ke-hoach", "")
    plan = next((p for p in speaking if p.id == wanted), speaking[-1])
    context = visit.context
    make = partial(made, plan, visit.office.states, context.scheduler, context.today)
    content = await asyncio.to_thread(make)
    return await attached(visit, f"{plan.id}-{context.today.isoformat()}.xlsx", content, XLSX)


async def mine(visit: Visit) -> Response:
    """One's own open work."""
    return await visit.page("mine.html", mark="", make=partial(_mine, visit))


def _mine(visit: Visit) -> dict[str, Any]:
    context, own = visit.context, set(visit.sender.units)
    states = [
        state
        for state in words.states_of(context)
        if any(state.closed_by(unit) is None for unit in own & set(state.occurrence.task.lead))
        and digest.begun(state, context.scheduler, context.today)
    ]
    return {**turned(visit, words.rows(context, states)), "here": "/cua-toi"}


# ---- one task


@dataclass(frozen=True)
class Part:
    """One occurrence on its task's page, with the forms that its reader may send."""

    work: Shown
    acts: frozenset[str]
    undo: datetime | None  # when what may be taken back was said
    suggested: list[tuple[str, date]]

    @property
    def key(self) -> Key:
        return self.work.state.key


@dataclass(frozen=True)
class Line:
    """One line of a task's timeline."""

    at: str
    words: str
    act: bool = False  # a person's; else the program's


async def task(visit: Visit) -> Response:
    """One task: what the plan says, its parts, and all that was said and sent."""
    path = visit.request.path_params
    return await task_page(visit, path["plan"], path["code"])


async def task_page(
    visit: Visit, plan: str, code: str, status: int = 200, **values: Any
) -> Response:
    """The page of a task; `values` are an error and what was typed."""
    found = visit.office.by_plan.get(plan)
    each = found.by_code.get(code) if found else None
    if found is None or each is None:
        return await refused(visit, GONE, 404)
    proof = await visit.site.do(partial(_sent, visit, found, each))
    return await visit.page(
        "task.html",
        status,
        mark=" ".join(f"{notice.row.id}{notice.row.state}" for notice in proof),
        make=partial(_task, visit, found, each, proof, values),
    )


def _sent(visit: Visit, plan: Plan, task: Task) -> list[Notice]:
    """What was sent of the task, the newest first. In the store's thread."""
    if not may_read(visit.sender, task):
        return []
    keys = [s.key for s in visit.office.of_plan(plan) if s.key.task == task.code]
    rows = visit.site.service.store.rows(naming=keys, limit=200)
    found = [n for n in notices(visit.office, rows) if n.work and n.work.key.task == task.code]
    return sorted(found, key=lambda n: n.row.sent_at or n.row.draft.slot, reverse=True)[:NUDGES]


def _task(
    visit: Visit, plan: Plan, task: Task, proof: list[Notice], values: dict[str, Any]
) -> dict[str, Any]:
    context = visit.context
    reads = may_read(visit.sender, task)
    states = [s for s in visit.office.of_plan(plan) if s.key.task == task.code]
    shown = [s for s in states if digest.begun(s, context.scheduler, context.today)]
    shown += [s for s in states if s not in shown][:1]  # and what opens next
    shown.sort(key=lambda s: (bool(s.closed), s.due or date.max, s.key.deliverable))
    alive = [s for s in shown if not s.closed]
    closed = [s for s in reversed(shown) if s.closed][: max(3, 8 - len(alive))]
    return {
        "plan": plan,
        "task": task,
        "shared": any(Shown(context, state).shared for state in states[:1]),
        "reads": reads,
        "parts": [part(visit, state) for state in (*alive, *closed)] if reads else [],
        "dates": [(w.title, w.due_day) for w in words.rows(context, states)] if not reads else [],
        "grid": _grid(visit, task, states) if reads else [],
        "log": _timeline(visit, states, proof) if reads else [],
        "flash": flash(visit),
        "here": "",
        "error": None,
        "typed": {},
    } | values


def answers_for(visit: Visit, state: State) -> set[str]:
    """The lead units for which the reader answers; leaders only read."""
    units = visit.sender.units
    return {
        unit
        for unit in state.occurrence.task.lead
        if unit in units and unit not in visit.office.leaders
    }


def part(visit: Visit, state: State) -> Part:
    """One occurrence with the acts that its reader may try; `decide` has the last word."""
    work, sender = Shown(visit.context, state), visit.sender
    own = answers_for(visit, state)
    acts: set[str] = set()
    if own or sender.office:
        acts.add("ghi-chu")
        if not state.closed:
            acts.add("cap-nhat" if work.occurrence.is_check_in else "xong")
            if not work.occurrence.is_check_in:
                acts.add("tra-lai" if state.submitted else "trinh-ky")
    if own and not state.closed and state.due and not sender.office:
        acts.add("gia-han")
    if sender.office:
        if state.closed or state.parts:
            acts.add("mo-lai")
        if not state.closed:
            acts |= {"dat-han", "nhac-ngay"}
            if state.assumed:
                acts.add("xac-nhan")
            if state.request and state.request.until:
                acts |= {"dong-y", "khong-dong-y"}
    undo = _undoable(visit, state, own)
    if undo:
        acts.add("hoan-tac")
    return Part(
        work=work,
        acts=frozenset(acts),
        undo=undo,
        suggested=suggested(visit, work) if state.due is None else [],
    )


def said_of(state: State) -> list[Event]:
    """What holds of a state because somebody said so, and may be taken back."""
    request = [state.request] if state.request else []
    return [*state.parts.values(), *state.submitted.values(), *request]


def _undoable(visit: Visit, state: State, own: set[str]) -> datetime | None:
    """When the newest thing was said that may still be taken back."""
    since, by = visit.now - UNDO_WITHIN, visit.person.id
    lately = [e for e in said_of(state) if e.at >= since and (e.unit in own or e.by == by)]
    return max((e.at for e in lately), default=None)


def _grid(visit: Visit, task: Task, states: Sequence[State]) -> list[dict[str, Any]]:
    """Shared or recurring work as units by months; empty where that says nothing."""
    context = visit.context
    cycles = [s for s in states if s.occurrence.deliverable.recurs and s.due]
    if len(cycles) < 3:
        return []
    by_unit = []
    units = task.lead if task.confirm.value == "all" else task.lead[:1]
    for unit in units:
        cells = []
        for state in sorted(cycles, key=lambda s: s.due or date.max):
            mine = digest.parts_of([state], unit)
            shown = Shown(context, mine[0] if mine else state)
            cells.append(shown)
        by_unit.append({"unit": context.unit(unit), "cells": cells})
    return by_unit


def said_by(context: Context, event: Event) -> str:
    """Return who said what, in the words of `/lichsu` without the time; empty of no work."""
    key = event.key
    history = History(tasks=((key.plan, key.task),), events=(event,), befores=(None,), more=0)
    made = render_message(context, history)
    if made is None:
        return ""
    line = made.text.splitlines()[-1].removeprefix("• ").removeprefix(context.moment(event.at))
    return capital(line.removeprefix(",").strip())


def _timeline(visit: Visit, states: Sequence[State], proof: Sequence[Notice]) -> list[Line]:
    """What was said of a task, and whom the program told of it, the newest first."""
    context = visit.context
    events = [e for s in states for e in visit.office.by_key.get(s.key, ())]
    found = [
        (e.at, Line(context.moment(e.at), words, act=True))
        for e in sorted(events, key=lambda e: e.at)[-EVENTS:]
        if (words := said_by(context, e))
    ]
    told: dict[tuple[datetime, str, str, str], list[str]] = {}
    for notice in proof:
        row = notice.row
        at = (row.sent_at or row.draft.slot).replace(second=0, microsecond=0)
        place = (at, row.draft.channel, row.state.value, notice.left_out)
        told.setdefault(place, []).append(notice.name)
    for (at, channel, state, left_out), names in told.items():
        who = ", ".join(dict.fromkeys(names))
        words = f"Máy nhắc {who} qua {context.channel(channel)}: {STATE_WORDS[state]}"
        more = f" ({left_out})" if left_out else ""
        found.append((at, Line(context.moment(at), f"{words}{more}.")))
    return [line for _, line in sorted(found, key=lambda pair: pair[0], reverse=True)]


# ---- the others


async def calendar(visit: Visit) -> Response:
    """The days of a month with what is due."""
    asked = visit.request.query_params.get("thang", "")
    today = visit.context.today
    try:
        first = date.fromisoformat(f"{asked}-01") if asked else today.replace(day=1)
    except ValueError:
        first = today.replace(day=1)
    if abs(first.year - today.year) > YEARS:
        first = today.replace(day=1)
    return await visit.page("calendar.html", mark="", make=partial(_month, visit, first))


def _month(visit: Visit, first: date) -> dict[str, Any]:
    context = visit.context
    last = last_of_month(first.year, first.month)
    everything = reads_all(visit.sender)
    own = set(visit.sender.units)
    due: dict[date, list[Shown]] = {}
    for state in words.states_of(context):
        task = state.occurrence.task
        if (
            state.due
            and first <= state.due <= last
            and (everything or own & {*task.lead, *task.support})
        ):
            due.setdefault(state.due, []).append(Shown(context, state))
    working = set(context.scheduler.calendar.between(first, last))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    before, after = first - timedelta(days=1), last + timedelta(days=1)
    return {
        "name": Period.parse(f"{first:%Y-%m}").name,
        "year": first.year,
        "days": [(day, day in working, due.get(day, [])) for day in days],
        "before": f"{before:%Y-%m}",
        "after": f"{after:%Y-%m}",
        "here": "/lich",
    }
