"""A document becomes a plan: sent in, read, reviewed, taken.

The draft and its answers stand in the database, also where the plans are files: the daemon can
write it in any set-up, it is in the daily copies, and of several who review none writes over
another's answers.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from reminder.domain.text import one_line
from reminder.importing.answers import (
    AnswerError,
    answer_question,
    carry_over,
    correct_task,
    drop_task,
    is_another,
    set_aside,
    take_up,
)
from reminder.importing.draft import Draft, dumps, loads
from reminder.importing.drafting import Drafted, Line
from reminder.importing.page import places, review_page, when
from reminder.importing.wording import answer_words, asked_alike
from reminder.store.documents import ImportState, PlanImport
from reminder.web.pages import attached, flash, refused
from reminder.web.plans import NOT_YOURS
from reminder.web.review import mark_of, page_with, review
from reminder.web.site import Form, Page, Visit, files_at, form_of, forms_at, nonce
from reminder.web.uploads import Asked, UploadError, UploadTooLargeError, received

PLACE = "/ke-hoach/nhap"  # its POST alone takes more than a form
GONE = "Không có bản nháp này."
REFRESH = "2"  # seconds until the page of a reading opens itself again; a <meta> fails axe
TRIES = 5  # of a change, while others change the same draft
LONGEST = 300  # characters of an answer
NAME = 120  # characters of a document's name
BUSY = "Bạn đang có một văn bản chưa xong. Xin soát tiếp, hoặc bỏ bản nháp ấy rồi gửi văn bản khác."


class ChangedError(Exception):
    """What a form showed has changed meanwhile; the text says by whom."""


def routes() -> list[Route]:
    """The pages and forms of documents on their way to a plan."""
    one = f"{PLACE}/{{id}}"
    pages = {PLACE: start, one: show, f"{one}/soat.html": printable}
    forms = {
        PLACE: upload,
        f"{one}/tra-loi": answer,
        f"{one}/ca-loai": answer_alike,
        f"{one}/sua": correct,
        f"{one}/doan": settle,
        f"{one}/bo": drop,
    }
    return editors_at(pages, forms)


def editors_at(pages: Mapping[str, Page], forms: Mapping[str, Page]) -> list[Route]:
    """Return the routes of pages and forms that are for editors."""
    return [
        *files_at({path: editors_only(page) for path, page in pages.items()}),
        *forms_at({path: editors_only(form) for path, form in forms.items()}),
    ]


def editors_only(page: Page) -> Page:
    """Return the page for editors; others are told that it is not theirs."""

    async def endpoint(visit: Visit) -> Response:
        return await page(visit) if visit.edits else await refused(visit, NOT_YOURS)

    return endpoint


# ---- sending in


async def start(visit: Visit, fault: str = "", status: int = 200) -> Response:
    """The form to send a document, and the documents that are here."""
    found = await visit.site.do(visit.site.service.store.imports)
    under_way = (ImportState.READING, ImportState.OPEN)
    own = (i for i in found if i.person == visit.person.id and i.state in under_way)
    return await visit.page(
        "import.html", status, imports=found, mine=next(own, None), fault=fault, here="/ke-hoach",
        plans=sorted(visit.office.plans, key=lambda plan: -plan.year), flash=flash(visit),
        states=ImportState,
    )  # fmt: skip


async def upload(visit: Visit) -> Response:
    """Take a document, and lead to its page; `lai` names a draft whose answers are kept."""
    try:
        async with received(visit.request) as form:
            found = await _taken(visit, form)
    except UploadTooLargeError as error:
        return await start(visit, str(error), 413)
    except UploadError as error:
        return await start(visit, str(error), 422)
    if found is None:
        return await start(visit, BUSY, 409)
    await visit.note("import", found.name)
    return RedirectResponse(f"{PLACE}/{found.id}", 303)


async def _taken(visit: Visit, form: FormData) -> PlanImport | None:
    """Keep a document that was sent in; None where its person has another."""
    file, year = form.get("tep"), str(form.get("nam") or "").strip()
    if not isinstance(file, UploadFile) or not file.filename:
        raise UploadError("Xin chọn tệp kế hoạch rồi gửi.")
    if year and not re.fullmatch(r"20\d\d", year, re.ASCII):
        raise UploadError("Năm phải có bốn chữ số, ví dụ 2027.")
    asked = Asked(str(form.get("theo") or ""), int(year) if year else None)
    before = await _load(visit, str(form.get("lai") or ""))
    store, now = visit.site.service.store, visit.now
    new = PlanImport(
        id=secrets.token_urlsafe(12), person=visit.person.id, made_at=now, changed_at=now,
        name=one_line(re.split(r"[\\/]", file.filename)[-1], NAME) or "văn bản",
        state=ImportState.READING, asked=json.dumps(asdict(asked)),
    )  # fmt: skip
    if before is not None and before.state is not ImportState.OPEN:
        return None
    import_id = before.id if before else new.id
    await asyncio.to_thread(visit.site.reader.keep, import_id, file.file)
    if before is None:
        added = await visit.site.do(partial(store.add_import, new))
        if not added:
            visit.site.reader.forget(import_id)
        return new if added else None
    again = {"name": new.name, "state": new.state, "asked": new.asked, "said": ""}
    changed: PlanImport | None = await visit.site.do(
        partial(store.change_import, before, now, **again)
    )
    return changed


async def _load(visit: Visit, import_id: str) -> PlanImport | None:
    found: PlanImport | None = await visit.site.do(
        partial(visit.site.service.store.import_of, import_id)
    )
    return found


async def draft_of(visit: Visit) -> PlanImport | None:
    """Return the document of an address if its draft is under review."""
    found = await _load(visit, visit.request.path_params["id"])
    return found if found is not None and found.state is ImportState.OPEN else None


async def gone(visit: Visit) -> Response:
    """The page for a draft that is not there, or no more under review."""
    return await refused(visit, GONE, 404)


# ---- one document


async def show(visit: Visit) -> Response:
    """The page of a document: being read, refused, reviewed, or taken."""
    found = await _load(visit, visit.request.path_params["id"])
    if found is None:
        return await refused(visit, GONE, 404)
    if found.state is ImportState.READING:
        asked = Asked(**json.loads(found.asked))
        likes = {plan.id: plan for plan in visit.office.plans}
        job = visit.site.reader.job(found.id, found.name, likes, asked)
        if not job.ended.is_set():
            response = await visit.page("reading.html", found=found, job=job, here="/ke-hoach")
            response.headers["Refresh"] = REFRESH
            return response
        await _finish(visit, found, job.made, job.refused)
        return RedirectResponse(f"{PLACE}/{found.id}", 303)
    if found.state is ImportState.OPEN:
        return await _review(visit, found)
    return await visit.page("import_done.html", found=found, states=ImportState, here="/ke-hoach")


async def _finish(visit: Visit, found: PlanImport, made: Drafted | None, why: str) -> None:
    """Keep what was read; where it was refused, a draft that was there stays as it is."""
    kept: dict[str, Any] = {"state": ImportState.OPEN if found.draft else ImportState.REFUSED}
    if made is not None and found.draft:
        why = await asyncio.to_thread(_carry, loads(found.draft), made.draft, found.name)
    if made is not None and not why:
        kept = {"state": ImportState.OPEN, "draft": dumps(made.draft)}
        kept["lines"] = json.dumps(made.lines, ensure_ascii=False)
    store = visit.site.service.store
    await visit.site.do(partial(store.change_import, found, visit.now, said=why, **kept))
    visit.site.reader.forget(found.id)


def _carry(before: Draft, new: Draft, name: str) -> str:
    """Keep the answers that still hold; return why the new one is not taken instead."""
    if is_another(before, new):
        return f"{name} không có việc nào của bản nháp này: đây là văn bản khác"
    carry_over(before, new)
    return ""


async def _review(
    visit: Visit,
    found: PlanImport,
    fault: str = "",
    status: int = 200,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """The review; `typed` are the fields of a form that is shown again with its `fault`."""
    query = {**visit.request.query_params, **(typed or {})}
    only_open = query.get("loc") == "hoi"
    asked_page = query.get("trang", "")
    page = int(asked_page) if re.fullmatch(r"[1-9]\d{0,3}", asked_page, re.ASCII) else 1

    def make() -> dict[str, Any]:
        draft = loads(found.draft)
        lines = [Line(*line) for line in json.loads(found.lines)]
        code = query.get("viec", "")
        number = (page_with(draft, lines, code, only_open=only_open) if code else 0) or page
        return {
            "review": review(draft, lines, number, only_open=only_open),
            "units": draft.units,
            "editor": visit.office.people.get(found.person),
        }

    return await visit.page(
        "review.html", status, make=make, found=found, fault=fault, typed=typed or {},
        places=places, when=when, answer_words=answer_words, flash=flash(visit),
        only_open=only_open, here="/ke-hoach",
    )  # fmt: skip


async def answer(visit: Visit) -> Response:
    """Answer one question."""
    form = await form_of(visit.request)
    question_id = form.get("cau")
    value = form.get("khac").strip()[:LONGEST] or form.get("tra-loi").strip()[:LONGEST]

    def change(draft: Draft) -> str:
        question = next((q for q in draft.questions if q.id == question_id), None)
        if question is None:
            raise ChangedError("Câu hỏi này không còn: văn bản vừa thay đổi.")
        if question.answer:
            if question.answer != value:
                who = f"{question.by} đã trả lời “{question.answer}”"
                raise ChangedError(f"Câu này vừa thay đổi: {who}. Xin xem lại.")
            return ""
        if not value:
            raise AnswerError("xin chọn hoặc gõ câu trả lời")
        answer_question(draft, question_id, value, *_who(visit))
        return "Đã ghi câu trả lời."

    return await _changed(visit, form, change)


def _who(visit: Visit) -> tuple[str, str]:
    person = visit.person
    by = f"{person.name}, {person.title}" if person.title else person.name
    return by, visit.now.isoformat(timespec="seconds")


async def answer_alike(visit: Visit) -> Response:
    """Answer all open questions of a kind that offer the same answer."""
    form = await form_of(visit.request)
    kind, value = form.get("loai"), form.get("tra-loi")

    def change(draft: Draft) -> str:
        alike = asked_alike(draft, kind, value)
        for question in alike:
            answer_question(draft, question.id, value, *_who(visit))
        return f"Đã ghi {len(alike)} câu trả lời." if alike else "Đã ghi rồi."

    return await _changed(visit, form, change)


async def correct(visit: Visit) -> Response:
    """Correct who leads a task, its title or its days, whatever of them was changed in the form."""
    form = await form_of(visit.request)
    code = form.get("viec")

    def change(draft: Draft) -> str:
        task = next((task for task in draft.tasks if task.code == code), None)
        if task is None:
            raise ChangedError("Việc này không còn trong bản nháp.")
        if form.get("dang") != mark_of(task):
            raise ChangedError(f"Việc {code} vừa thay đổi. Xin xem lại rồi sửa.")
        if form.get("lam") == "bo":
            drop_task(draft, task, *_who(visit))
            return f"Đã bỏ việc {code}; đoạn ấy vẫn ở dưới đây, lấy lại được."
        before = mark_of(task)
        for name, kind, number in _fields(len(task.deliverables)):
            typed = form.get(name).strip()[:LONGEST]
            if typed and typed != form.get(f"{name}-cu"):
                correct_task(draft, kind, task, typed, *_who(visit), deliverable=number)
        return f"Đã sửa việc {code}." if mark_of(task) != before else "Không có gì thay đổi."

    return await _changed(visit, form, change)


async def settle(visit: Visit) -> Response:
    """Make a task of a passage that became none, or say that it is none."""
    form = await form_of(visit.request)

    def change(draft: Draft) -> str:
        left = next((x for x in draft.leftovers if mark_of(x) == form.get("dang")), None)
        if left is None:
            raise ChangedError("Đoạn này vừa thay đổi. Xin xem lại.")
        if form.get("lam") == "bo":
            set_aside(draft, left, *_who(visit))
            return "Đã ghi: không phải việc."
        typed = [form.get(name).strip()[:LONGEST] for name in ("ten", "chu-tri", "han")]
        task = take_up(draft, left, typed[0], typed[1], typed[2], *_who(visit))
        return f"Đã lấy làm việc {task.code}."

    return await _changed(visit, form, change)


async def printable(visit: Visit) -> Response:
    """The page of the command `plan review`, to print and to write on."""
    found = await draft_of(visit)
    if found is None:
        return await gone(visit)
    text = await asyncio.to_thread(lambda: review_page(loads(found.draft)))
    said = f"{found.name}, trang soát"
    return await attached(visit, "soat-ke-hoach.html", text, "text/html; charset=utf-8", said=said)


def _fields(deliverables: int) -> list[tuple[str, str, int]]:
    """The fields of a task's form: the name, the kind of question, the deliverable."""
    days = [(f"han-{number}", "date", number) for number in range(1, deliverables + 1)]
    return [("chu-tri", "unit", 0), ("ten", "title", 0), *days]


async def _changed(visit: Visit, form: Form, change: Callable[[Draft], str]) -> Response:
    """Change a draft, keep it, and lead back to where the form stood."""
    found = None
    for _ in range(TRIES):
        found = await _load(visit, visit.request.path_params["id"])
        if found is None:
            break
        if found.state is not ImportState.OPEN:
            return RedirectResponse(f"{PLACE}/{found.id}", 303)

        def changed(text: str = found.draft) -> tuple[str, str]:
            draft = loads(text)
            said = change(draft)
            return said, dumps(draft)

        try:
            said, text = await asyncio.to_thread(changed)
        except AnswerError as error:
            say = str(error)
            return await _review(visit, found, f"{say[:1].upper()}{say[1:]}.", 422, form.first)
        except ChangedError as error:
            return await _review(visit, found, str(error), 409, form.first)
        store = visit.site.service.store
        if text == found.draft or await visit.site.do(
            partial(store.change_import, found, visit.now, draft=text)
        ):
            mark = nonce()
            visit.site.keep(mark, said or "Đã ghi rồi: mỗi câu chỉ ghi một lần.")
            code = form.get("ve")[:40]
            kept = {"trang": form.get("trang"), "loc": form.get("loc"), "viec": code, "ghi": mark}
            query = urlencode({name: value for name, value in kept.items() if value})
            place = f"{PLACE}/{found.id}?{query}"
            return RedirectResponse(f"{place}#v-{quote(code)}" if code else place, 303)
    if found is None:
        return await refused(visit, GONE, 404)
    return await _review(visit, found, "Bản nháp vừa thay đổi. Xin gửi lại.", 409, form.first)


async def drop(visit: Visit) -> Response:
    """Forget a document and its draft; one that became a plan stays."""
    found = await _load(visit, visit.request.path_params["id"])
    if found is not None and found.state is not ImportState.TAKEN:
        await visit.site.do(partial(visit.site.service.store.drop_import, found.id))
        visit.site.reader.forget(found.id)
        await visit.note("import", f"bỏ {found.name}")
    return RedirectResponse(PLACE, 303)
