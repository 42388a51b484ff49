"""The plan's page, and how its text is changed: seen before it counts, recorded with a reason.

A form makes a new text of the newest version. The text is read as files are; what it changes, in
the plan and in its reminders, is shown; the same form with a reason records it. A form carries the
number of the version that it showed: on any other nothing is recorded.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from reminder.decisions.outcome import may_read, reads_all
from reminder.domain.errors import FileError, Problem, ReminderError
from reminder.domain.plan import Plan
from reminder.files.documents import (
    PEOPLE,
    Documents,
    StaleVersionError,
    one_way,
    people_changes,
    plan_changes,
    plan_in,
    plan_name,
)
from reminder.files.people import load_people
from reminder.files.plan import load_plan
from reminder.files.toml import Text
from reminder.services.office import Files
from reminder.services.simulation import changed_nudges
from reminder.store.documents import Version
from reminder.store.records import StoreBusyError
from reminder.store.web import Sight
from reminder.web.acts import ONCE
from reminder.web.pages import flash, refused, turned
from reminder.web.signin import ask_again
from reminder.web.site import (
    NAME,
    Fault,
    FieldError,
    Form,
    Page,
    Visit,
    files_at,
    form_of,
    forms_at,
    is_nonce,
    shown_at,
)
from reminder.web.words import ABOVE, INCOMPLETE

NOT_HERE = "Kế hoạch nằm trong tệp: sửa tệp, không sửa ở đây."
NOT_YOURS = "Chỉ người có tên trong [web] editors được sửa kế hoạch."
NO_TEXT = "Không có văn bản này."
UNCHANGED = "Chưa có gì thay đổi."
STEPS = ("nonce", "buoc", "ly-do")  # the fields of the preview, which its form does not carry
# The steps of a form: empty for its first sending, then those of the preview's buttons.
RECORD, BACK = "ghi", "sua"
TOLD = 40  # faults and changes that are listed
VERSIONS = 10  # on a page
HIGHEST = 10**6  # number of a version that is asked for


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a text would change."""

    files: Files  # as they would be
    changes: tuple[str, ...]
    reminders: tuple[str, ...]


def preview(
    visit: Visit, documents: Documents, name: str, text: str, among: Sequence[Version]
) -> Preview:
    """Return what a text would change; FileError with all its faults. It asks no store.

    `among`: the newest versions of all texts.
    """
    files = documents.check(name, one_way(text), among)
    changes, before = documents.changes(name, files, among), visit.office.files
    if name == PEOPLE:
        reminders = _hearers(before, files)
    else:
        old, new = (plan_in(each, name) for each in (before, files))
        reminders = changed_nudges(
            (old, before.scheduler), (new, files.scheduler), visit.office.by_key, visit.now
        )
    return Preview(files=files, changes=_few(changes), reminders=_few(reminders))


def recorded(
    visit: Visit, documents: Documents, name: str, text: str, *, seen: int, why: str, mark: str
) -> Version | None:
    """Record a text, which counts from now on; None if the form `mark` was recorded already.

    FileError with all its faults; StaleVersionError if `seen` is not the newest. In the store's
    thread.
    """
    service, by, now = visit.site.service, visit.person.id, visit.now
    with service.store.together():
        if not service.store.record([], unit_names={}, seen=(NAME, mark), at=now):
            return None
        version, files = documents.record(name, text, seen=seen, by=by, why=why, at=now)
        detail = f"{name}, bản {version.version}: {why}"
        service.store.note_sight(Sight(at=now, person=by, what="plan", detail=detail))
    with suppress(StoreBusyError):  # it is recorded; the daemon's next look takes it up
        service.reload(files, now)
    return version


def _few(lines: Sequence[str]) -> tuple[str, ...]:
    more = len(lines) - TOLD
    return (*lines[:TOLD], f"… và {more} điều nữa") if more > 1 else tuple(lines)


def _hearers(before: Files, after: Files) -> list[str]:
    """Return whose messages go to others than before."""
    units = {unit.id: unit.name for plan in after.plans for unit in plan.units}
    lines = []
    for unit, name in units.items():
        was, now = (
            ", ".join(p.name for p in files.members.get(unit, ())) for files in (before, after)
        )
        if was != now:
            lines.append(f"tin của {name}: {was or 'không ai'} → {now or 'không ai nhận'}")
    return lines


# ---- the save flow


Edit = Callable[[Version | None, Form], str]  # the newest version and the form → the new text


@dataclass(frozen=True)
class Result:
    """What became of a form: an error, a preview, or where to go. Without a form: an empty one."""

    newest: Version | None = None
    fault: Fault | None = None
    status: int = 200
    preview: Preview | None = None
    once: bool = False
    form: Form | None = None

    @property
    def seen(self) -> str:
        """The version that the form is shown on: the newest, unless nothing was said of it."""
        if self.form is not None and self.fault is None:
            return self.form.get("ban")
        return str(self.newest.version if self.newest else 0)


FormPage = Callable[[Visit, Result], Awaitable[Response]]
EMPTY = Result()


async def save(visit: Visit, name: str, edit: Edit, page: FormPage, back: str) -> Response:
    """Take a form that changes the text `name`: show what it changes, then record it.

    `page` shows the form with what was typed; `back` is the page that follows the record.
    """
    if (refusal := await no_editor(visit)) is not None:
        return refusal
    form = await form_of(visit.request)
    if (asked := await ask_again(visit, form)) is not None:
        return asked
    result = await _saved(visit, name, edit, form)
    office = await visit.site.do(visit.site.service.refresh)
    visit = replace(visit, office=office)
    if result.preview is not None:
        fields = [(field, value) for field, value in form.pairs if field not in STEPS]
        return await visit.page(
            "plan_preview.html", result.status, name=name, found=result.preview, fields=fields,
            error=result.fault, typed=form.get("ly-do"), here="/ke-hoach",
        )  # fmt: skip
    if result.fault is not None or form.get("buoc") == BACK:
        return await page(visit, replace(result, form=form))
    mark = form.get("nonce")
    visit.site.keep(mark, ONCE if result.once else "Đã ghi. Máy nhắc theo bản mới từ bây giờ.")
    visit.site.wake()
    return RedirectResponse(f"{back}?ghi={mark}", 303)


async def _saved(visit: Visit, name: str, edit: Edit, form: Form) -> Result:
    """Try the form; record it if that is its step."""
    site, mark, why = visit.site, form.get("nonce"), form.get("ly-do").strip()
    store = site.service.store
    documents, among, was_seen = await site.do(
        lambda: (site.documents(), store.documents(), store.was_seen(NAME, mark))
    )
    newest = next((version for version in among if version.name == name), None)
    if form.get("buoc") == BACK:
        return Result(newest)
    if was_seen:
        return Result(newest, once=True)
    if not is_nonce(mark):
        return Result(newest, Fault(INCOMPLETE), 422)
    seen, text = newest.version if newest else 0, ""
    if form.get("ban") != str(seen):
        return Result(newest, Fault(_stale(visit, newest)), 409)
    try:
        # It takes a second for a plan of hundreds of tasks; the store's thread goes on meanwhile.
        text = await asyncio.to_thread(edit, newest, form)
        if newest is not None and one_way(text) == newest.text:
            return Result(newest, Fault(UNCHANGED), 422)
        found = await asyncio.to_thread(preview, visit, documents, name, text, among)
        if form.get("buoc") != RECORD:
            return Result(newest, preview=found)
        if not why:
            return Result(newest, Fault("Xin ghi lý do", "ly-do"), 422, preview=found)
        record = partial(recorded, visit, documents, name, text, seen=seen, why=why, mark=mark)
        version = await site.do(record)
    except FieldError as error:
        return Result(newest, Fault(error.say, error.field), 422)
    except FileError as error:
        return Result(newest, _faults(error.problems, name, text), 422)
    except StaleVersionError as error:
        return Result(error.newest, Fault(_stale(visit, error.newest)), 409)
    return Result(newest, once=version is None)


def _stale(visit: Visit, newest: Version | None) -> str:
    """Return “vừa thay đổi”, by whom."""
    if newest is None:
        return "Văn bản này vừa thay đổi. Xin xem lại rồi gửi."
    who, when = who_of(visit, newest), visit.context.moment(newest.at)
    return f"Văn bản này vừa thay đổi ({who}, {when}: {newest.why}). Xin xem lại rồi gửi."


def who_of(visit: Visit, version: Version) -> str:
    """Return who recorded a version, as people read it."""
    known = visit.office.people.get(version.by)
    return known.name if known else version.by or "dòng lệnh"


def _faults(problems: Sequence[Problem], name: str, text: str) -> Fault:
    """Return the faults of the text `name` or of another, each with its line."""
    written = one_way(text).split("\n")
    lines = []
    for problem in problems:
        place = f"dòng {problem.line}" if problem.line else ""
        if problem.where != name:
            other = "danh sách cán bộ" if problem.where == PEOPLE else problem.where
            place = ", ".join(filter(None, (other, place)))
        elif problem.line and (found := written[problem.line - 1 : problem.line]):
            place += f" ({found[0].strip()[:60]})" if found[0].strip() else ""
        lines.append(f"{place}: {problem.message}" if place else problem.message)
    said = "Văn bản có lỗi:" if len(lines) == 1 else f"Văn bản có {len(lines)} lỗi:"
    return Fault(said, "van-ban", _few(lines))


async def no_editor(visit: Visit) -> Response | None:
    """Return the page that refuses who may not change plans, or where they are files."""
    if not visit.edits:
        return await refused(visit, NOT_YOURS)
    if await visit.site.do(visit.site.documents) is None:
        return await refused(visit, NOT_HERE)
    return None


# ---- pages


def routes() -> list[Route]:
    """The plan as it is read; its texts as TOML, and their versions."""
    return [
        *shown_at(
            {
                "/ke-hoach": plans,
                "/ke-hoach/{name}/ban": versions,
                "/ke-hoach/{name}/ban/{version:int}": one_version,
            }
        ),
        *files_at({"/ke-hoach-moi": new_text, "/ke-hoach/{name}/van-ban": opened(_raw_page)}),
        *forms_at(
            {
                "/ke-hoach-moi": add_text,
                "/ke-hoach/{name}/van-ban": change_raw,
                "/ke-hoach/{name}/bo": withdraw,
                "/ke-hoach/{name}/ban/{version:int}": take_back,
            }
        ),
    ]


async def plans(visit: Visit) -> Response:
    """The plans as they are read: each task with its products and dates."""
    here = await visit.site.do(partial(_kept, visit))
    edits = visit.edits and here is not None
    page = visit.request.query_params.get("trang", "")
    make = partial(_plans, visit, here, edits=edits)
    return await visit.page("plans.html", mark=f"{here} {edits} {page}", make=make)


def _plans(visit: Visit, here: list[Kept] | None, *, edits: bool) -> dict[str, Any]:
    speaking = visit.office.speaking(visit.now)
    rows = [
        (plan, task) for plan in speaking for task in plan.tasks if may_read(visit.sender, task)
    ]
    shown = turned(visit, rows)
    page = shown.pop("rows")
    found = [(plan, [task for of, task in page if of is plan]) for plan in speaking]
    texts = None if here is None else [one for one in here if may_see(visit, one.name)]
    return {
        **shown,
        "plans": [(plan, tasks) for plan, tasks in found if tasks or not rows],
        "texts": texts,
        "edits": edits,
        "told": reads_all(visit.sender),
        "flash": flash(visit),
        "here": "/ke-hoach",
    }


@dataclass(frozen=True)
class Kept:
    """The newest version of a text, without it."""

    name: str
    version: int
    at: datetime
    why: str
    used: bool


def _kept(visit: Visit) -> list[Kept] | None:
    """Return the newest versions; None where they are files. In the store's thread."""
    documents = visit.site.documents()
    if documents is None:
        return None
    found = documents.store.documents()
    return [Kept(v.name, v.version, v.at, v.why, bool(v.text)) for v in found]


def may_see(visit: Visit, name: str) -> bool:
    """Return whether the reader may see a text: the people's has their addresses."""
    return visit.sender.office or (name != PEOPLE and reads_all(visit.sender))


async def newest_of(visit: Visit, name: str) -> Version | None:
    """Return the newest version of a text."""
    documents = await visit.site.do(visit.site.documents)
    found: Version | None = await visit.site.do(partial(documents.newest, name))
    return found


def opened(page: FormPage) -> Page:
    """Return the empty form that `page` shows, on the newest version, for who may change it."""

    async def endpoint(visit: Visit) -> Response:
        if (refusal := await no_editor(visit)) is not None:
            return refusal
        newest = await newest_of(visit, visit.request.path_params.get("name", PEOPLE))
        return await page(visit, Result(newest))

    return endpoint


async def _raw_page(visit: Visit, result: Result) -> Response:
    """The text itself, in a field of its own."""
    name, newest, form = visit.request.path_params.get("name", ""), result.newest, result.form
    if form is None and newest is None and name not in ("", PEOPLE):
        return await refused(visit, NO_TEXT, 404)
    text = form.get("van-ban") if form is not None else newest.text if newest else ""
    return await visit.page(
        "plan_text.html", result.status, name=name, text=text, seen=result.seen,
        error=result.fault, here="/ke-hoach",
    )  # fmt: skip


async def change_raw(visit: Visit) -> Response:
    """Take the whole text."""
    name = visit.request.path_params["name"]
    back = f"/ke-hoach/{name}/ban"
    return await save(visit, name, lambda _, form: form.get("van-ban"), _raw_page, back)


async def new_text(visit: Visit) -> Response:
    """An empty field for a new plan."""
    if (refusal := await no_editor(visit)) is not None:
        return refusal
    return await _raw_page(visit, EMPTY)


async def add_text(visit: Visit) -> Response:
    """Take the text of a new plan, under its own id."""
    form = await form_of(visit.request)
    text = form.get("van-ban")
    try:
        name = plan_name(text)
    except FileError as error:
        fault = _faults(error.problems, error.problems[0].where, text)
        return await _raw_page(visit, Result(None, fault, 422, form=form))
    return await save(visit, name, lambda _, form: form.get("van-ban"), _raw_page, "/ke-hoach")


async def withdraw(visit: Visit) -> Response:
    """Take a plan out of use; its versions stay."""
    name = visit.request.path_params["name"]
    if name == PEOPLE:
        return await refused(visit, NO_TEXT, 404)
    return await save(visit, name, lambda *_: "", versions, "/ke-hoach")


@dataclass(frozen=True)
class Told:
    """A version as a page shows it."""

    version: int
    by: str
    at: datetime
    why: str
    used: bool
    changes: tuple[str, ...]  # against the one before


async def versions(visit: Visit, result: Result = EMPTY) -> Response:
    """Who changed a text when, why, and what."""
    name, asked = visit.request.path_params["name"], visit.request.query_params.get("truoc", "")
    below = int(asked) if asked.isdecimal() and len(asked) < len("1000000") else None
    found = await _found(visit, name, below)
    if isinstance(found, Response):
        return found
    last = found.pop() if len(found) > VERSIONS else None
    return await visit.page(
        "plan_versions.html",
        result.status,
        make=lambda: {"told": _told(visit, [*found, *([last] if last else [])], len(found))},
        name=name,
        more=last is not None,
        edits=visit.edits,
        seen=found[0].version if below is None else 0,
        error=result.fault,
        flash=flash(visit),
        here="/ke-hoach",
    )


async def _found(visit: Visit, name: str, below: int | None) -> list[Version] | Response:
    """Return a page of versions and the one before them; or the page that says why not."""
    if not may_see(visit, name):
        return await refused(visit, ABOVE)

    def look() -> list[Version] | None:
        documents = visit.site.documents()
        if documents is None:
            return None
        return documents.store.versions(name, below=below, limit=VERSIONS + 1)

    found: list[Version] | None = await visit.site.do(look)
    if found is None:
        return await refused(visit, NOT_HERE)
    return found or await refused(visit, NO_TEXT, 404)


def _told(visit: Visit, found: Sequence[Version], most: int) -> list[Told]:
    """Return versions with what each changed; `found` has the one before the last of them too."""
    read: dict[int, Any] = {v.version: _read(visit, v) for v in found}
    told = []
    for number, version in enumerate(found[:most]):
        before = found[number + 1] if number + 1 < len(found) else None
        changes: list[str] = []
        if before is not None:
            was, now = read[before.version], read[version.version]
            if isinstance(was, ReminderError) or isinstance(now, ReminderError):
                changes = _lines(before.text, version.text)
            elif version.name == PEOPLE:
                changes = people_changes(was, now)
            else:
                changes = plan_changes(was, now)
            changes = changes or _lines(before.text, version.text)
        told.append(
            Told(
                version=version.version,
                by=who_of(visit, version),
                at=version.at,
                why=version.why,
                used=bool(version.text),
                changes=_few(changes),
            )
        )
    return told


def _read(visit: Visit, version: Version) -> Files | Plan | ReminderError | None:
    """Return what a version holds, None for nothing, or why this program can't read it."""
    text = Text(version.name, version.text)
    try:
        if version.name != PEOPLE:
            return load_plan(text) if version.text else None
        people = load_people(text, visit.office.units, visit.office.known)
    except ReminderError as error:
        return error
    return replace(visit.office.files, people=people)


def _lines(old: str, new: str) -> list[str]:
    """Return the lines of a text that came and went."""
    found = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
    return [line for line in found if not line.startswith(("---", "+++", "@@"))]


async def one_version(visit: Visit, result: Result = EMPTY) -> Response:
    """One version: its text, and the button that takes it back."""
    path = visit.request.path_params
    name, number = path["name"], path["version"]
    found = await _found(visit, name, min(number, HIGHEST) + 1)
    if isinstance(found, Response):
        return found
    if found[0].version != number:
        return await refused(visit, NO_TEXT, 404)
    newest = await newest_of(visit, name)
    assert newest is not None
    return await visit.page(
        "plan_version.html",
        result.status,
        make=lambda: {"one": _told(visit, found[:2], 1)[0]},
        name=name,
        text=found[0].text,
        edits=visit.edits and number != newest.version,
        seen=newest.version,
        error=result.fault,
        here="/ke-hoach",
    )


async def take_back(visit: Visit) -> Response:
    """Record an older version as the newest one."""
    path = visit.request.path_params
    name, number = path["name"], path["version"]
    store = visit.site.service.store
    found = await visit.site.do(lambda: store.version(name, min(number, HIGHEST)))
    if found is None:
        return await refused(visit, NO_TEXT, 404)
    text = found.text
    return await save(visit, name, lambda *_: text, one_version, f"/ke-hoach/{name}/ban")
