"""A reviewed draft becomes a plan: what it changes is shown, and one press takes it.

Where the texts are in the database, it is recorded there as a version (`plans.save`); where the
plans are files, it is written beside them if the daemon may, else given to take along.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from reminder.domain.calendar import vn_date
from reminder.domain.errors import FileError, ReminderError
from reminder.domain.plan import Plan
from reminder.domain.plan_diff import diff
from reminder.files.documents import Documents
from reminder.files.plan import load_plan
from reminder.files.toml import unused_id, write_file
from reminder.importing.answers import as_plan, hindrances
from reminder.importing.draft import Draft, loads, plan_text
from reminder.store.documents import ImportState, PlanImport, Version
from reminder.web.drafts import PLACE, draft_of, editors_at, gone
from reminder.web.pages import attached, refused
from reminder.web.plans import EMPTY, Edit, Result, save
from reminder.web.signin import ask_again
from reminder.web.site import Fault, FieldError, Form, Visit, form_of

MOST = 40  # changes that are listed
CHANGED = "Bản nháp vừa thay đổi từ lúc mở trang này. Xin xem lại rồi bấm."
MADE_FROM = ("trang theo dõi", "trang")


def routes() -> list[Route]:
    """The page that shows what a draft would change, its form, and the plan's text."""
    one = f"{PLACE}/{{id}}"
    return editors_at({f"{one}/dung": look, f"{one}/plan.toml": text_of}, {f"{one}/dung": take})


@dataclass(frozen=True)
class Choice:
    """A plan that the draft may become: a new one, or one of the same year that it replaces."""

    name: str  # the plan's id
    seen: int  # the newest version of its text; 0: it is new
    title: str  # of the plan that is replaced


@dataclass(frozen=True)
class Target:
    """The file that the draft would be written to."""

    path: Path
    writable: bool
    mark: str  # of what the file holds; empty: there is none
    plan: Plan | None  # that it holds


async def look(visit: Visit, result: Result = EMPTY) -> Response:
    """What the plan would be, and what is missing."""
    found = await draft_of(visit)
    if found is None:
        return await gone(visit)
    draft = await asyncio.to_thread(loads, found.draft)
    documents = await visit.site.do(visit.site.documents)
    target = choices = None
    if documents is None:
        target = await asyncio.to_thread(_target, visit, draft)
    else:
        choices = await visit.site.do(partial(_choices, visit, documents, draft))

    def make() -> dict[str, Any]:
        return _values(visit, draft, target)

    return await visit.page(
        "accept.html", result.status, make=make, found=found, error=result.fault, target=target,
        choices=choices, here="/ke-hoach",
    )  # fmt: skip


def _values(visit: Visit, draft: Draft, target: Target | None) -> dict[str, Any]:
    faults, changes, former, plan = hindrances(draft), [], None, None
    if not faults:
        try:
            plan = as_plan(draft)
        except FileError as error:
            faults = [problem.message for problem in error.problems]
    if plan is not None:
        former = target.plan if target and target.plan else _former(visit, plan)
        changes = diff(former, plan) if former is not None else []
    led = {unit for task in draft.tasks for unit in task.lead}
    members, today = visit.office.files.members, visit.context.today
    return {
        "draft": draft,
        "faults": faults,
        "former": former,
        "changes": changes[:MOST],
        "more": max(0, len(changes) - MOST),
        "silent": [u.name for u in draft.units if u.id in led and not members.get(u.id)],
        "starts": vn_date(plan.first_day, year=True) if plan and plan.first_day > today else "",
    }


def _former(visit: Visit, plan: Plan) -> Plan | None:
    """Return the plan to compare with: the newest of an earlier year that has a task of it."""
    titles = {task.title for task in plan.tasks}
    earlier = [
        p
        for p in visit.office.plans
        if p.year < plan.year and not titles.isdisjoint(task.title for task in p.tasks)
    ]
    return max(earlier, key=lambda p: p.year, default=None)


def _choices(visit: Visit, documents: Documents, draft: Draft) -> list[Choice]:
    """Return the plans that the draft may become. In the store's thread."""
    newest = {version.name: version for version in documents.store.documents()}
    new = unused_id(draft.id, newest, "ke-hoach")
    old = [plan for plan in visit.office.plans if plan.year == draft.year and plan.id in newest]
    replaced = [Choice(plan.id, newest[plan.id].version, plan.title) for plan in old]
    return [Choice(new, 0, ""), *replaced]


def _target(visit: Visit, draft: Draft) -> Target | None:
    """Return the file for the draft; None where the office's plan files have no folder."""
    folder = visit.site.plan_folder
    if folder is None:
        return None
    path, mark, plan = folder / f"plan{draft.year}.toml", "", None
    with suppress(OSError):
        mark = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    if mark:
        with suppress(FileError):
            plan = load_plan(path)
    return Target(path, os.access(folder, os.W_OK), mark, plan)


async def take(visit: Visit) -> Response:
    """Take the draft as a plan: show what it changes, or record it, as the form's step says."""
    found = await draft_of(visit)
    if found is None:
        return await gone(visit)
    draft = await asyncio.to_thread(loads, found.draft)
    if await visit.site.do(visit.site.documents) is None:
        return await _take_as_file(visit, found, draft)
    name = (await form_of(visit.request)).get("ma")[:60]
    back = f"{PLACE}/{found.id}"
    response = await save(visit, name, _edit(found, replace(draft, id=name)), look, back)
    if isinstance(response, RedirectResponse):
        await _mark_taken(visit, found, f"Đã dùng làm kế hoạch {name}: {draft.title}.")
    return response


def _edit(found: PlanImport, draft: Draft) -> Edit:
    def edit(newest: Version | None, form: Form) -> str:
        del newest
        if form.get("dang") != str(found.revision):
            raise FieldError("", CHANGED)
        if problems := hindrances(draft):
            raise FieldError("", f"Còn phải trả lời: {'; '.join(problems)}")
        return plan_text(draft, *MADE_FROM)

    return edit


async def _mark_taken(visit: Visit, found: PlanImport, said: str) -> None:
    change = partial(
        visit.site.service.store.change_import, found, visit.now, state=ImportState.TAKEN, said=said
    )
    await visit.site.do(change)


async def _take_as_file(visit: Visit, found: PlanImport, draft: Draft) -> Response:
    form = await form_of(visit.request)
    if (asked := await ask_again(visit, form)) is not None:
        return asked
    target = await asyncio.to_thread(_target, visit, draft)
    if target is None or not target.writable:
        return await refused(visit, "Máy không ghi được vào thư mục kế hoạch.", 403)
    if (form.get("dang"), form.get("tep")) != (str(found.revision), target.mark):
        return await look(visit, Result(None, Fault(CHANGED), 409))
    if problems := hindrances(draft):
        return await look(
            visit, Result(None, Fault(f"Còn phải trả lời: {'; '.join(problems)}"), 422)
        )
    if target.plan is not None:
        draft.id = target.plan.id  # what was recorded of it stays with it
    try:
        await asyncio.to_thread(as_plan, draft)
        text = plan_text(draft, *MADE_FROM)
        await asyncio.to_thread(write_file, target.path, text.encode(), 0o644)
    except ReminderError as error:
        return await look(visit, Result(None, Fault(str(error)), 422))
    await visit.note("plan", f"ghi {target.path.name} theo {found.name}")
    used = target.path.resolve() in {path.resolve() for path in visit.site.plan_paths()}
    then = (
        "Máy nhận trong một phút."
        if used
        else f"Máy chưa dùng kế hoạch này: quản trị thêm “{target.path.resolve()}” vào files dưới "
        "[plan] trong reminder.toml."
    )
    await _mark_taken(visit, found, f"Đã ghi {target.path.name}: {draft.title}. {then}")
    return RedirectResponse(f"{PLACE}/{found.id}", 303)


async def text_of(visit: Visit) -> Response:
    """The plan's text, to put among the plan files by hand."""
    found = await draft_of(visit)
    if found is None:
        return await gone(visit)
    draft = await asyncio.to_thread(loads, found.draft)
    if hindrances(draft):
        return RedirectResponse(f"{PLACE}/{found.id}/dung", 303)
    target = await asyncio.to_thread(_target, visit, draft)
    if target is not None and target.plan is not None:
        draft.id = target.plan.id
    text, kind = plan_text(draft, *MADE_FROM), "application/toml; charset=utf-8"
    return await attached(visit, f"plan{draft.year}.toml", text, kind)
