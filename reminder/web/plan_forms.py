"""The forms of a plan and of the people's list: fields → a new text of the newest version.

What a form does not show, or shows unchanged, stays as it is written. A time is read as the
importer reads a document's: “31/01”, “Quý I”, “hàng tháng”, “chưa có hạn”.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from reminder.domain.errors import FileError
from reminder.domain.outbox import AddressSource
from reminder.domain.plan import Deliverable, Kind, Plan, Task
from reminder.domain.text import fold, one_line
from reminder.files.documents import PEOPLE
from reminder.files.editing import Editor, NotEditableError
from reminder.files.plan import CODE, load_plan
from reminder.files.toml import Text, unused_id
from reminder.store.documents import Version
from reminder.web.pages import GONE, flash, refused
from reminder.web.plans import FormPage, Result, no_editor, opened, save
from reminder.web.site import FieldError, Form, Page, Visit, files_at, forms_at

NEW = "moi"  # in the names of fields: of a product that is added
# The keys of a due rule (docs/plan-format.md), in the order in which they are written.
RULE = ("due", "within", "every", "rrule", "awaiting", "day", "month", "following", "only",
        "periods", "times", "from", "before", "event", "assumed")  # fmt: skip
KINDS = {"product": "sản phẩm", "check-in": "cập nhật tình hình", "report": "báo cáo của Văn phòng"}
CONFIRM = {"any": "một bộ phận báo là xong", "all": "mỗi bộ phận báo phần mình"}
EXAMPLES = "31/01, Quý I, hàng tháng, ngày 10 tháng cuối mỗi quý, trong năm, chưa có hạn"
# The visit, the newest version and the form → the new text.
Change = Callable[[Visit, Version | None, Form], str]
BY_HAND = "Máy không sửa được văn bản này bằng biểu mẫu: xin dùng Sửa cả văn bản."


def routes() -> list[Route]:
    """The forms."""
    both: dict[str, tuple[FormPage, Change]] = {
        "/ke-hoach/people/nguoi-moi": (_person_page, _person_edit),
        "/ke-hoach/people/nguoi/{person}": (_person_page, _person_edit),
        "/ke-hoach/{name}/viec-moi": (_new_task_page, _new_task),
        "/ke-hoach/{name}/viec/{code}": (_task_page, _task_edit),
        "/ke-hoach/{name}/chung": (_head_page, _head_edit),
    }
    return [
        *files_at({"/ke-hoach/people/nguoi": people}),
        *files_at({path: opened(page) for path, (page, _) in both.items()}),
        *forms_at({path: _taken(page, change) for path, (page, change) in both.items()}),
    ]


def _taken(page: FormPage, change: Change) -> Page:
    """Return what takes the form of `page`, and records the text that `change` makes of it."""

    async def endpoint(visit: Visit) -> Response:
        name = visit.request.path_params.get("name", PEOPLE)
        back = "/ke-hoach/people/nguoi" if name == PEOPLE else "/ke-hoach"
        return await save(visit, name, partial(change, visit), page, back)

    return endpoint


def said(form: Form, name: str, say: str = "") -> str:
    """Return a field on one line; FieldError with `say` if it is empty."""
    found = one_line(form.get(name), 1000).strip()
    if say and not found:
        raise FieldError(name, say)
    return found


def editor_of(newest: Version | None) -> Editor:
    """Return the text under change."""
    return Editor(newest.text if newest else "")


def _plan_of(newest: Version | None) -> Plan:
    if newest is None or not newest.text or newest.name == PEOPLE:
        raise FieldError("", GONE)
    try:
        return load_plan(Text(newest.name, newest.text))
    except FileError:  # an older program took it
        raise FieldError("", BY_HAND) from None


def _or_gone(page: FormPage) -> FormPage:
    """Return `page`, which says so where there is nothing that it could show."""

    async def shown(visit: Visit, result: Result) -> Response:
        try:
            return await page(visit, result)
        except FieldError as error:
            return await refused(visit, error.say, 404)

    return shown


async def _shown(
    visit: Visit, template: str, result: Result, fields: dict[str, Any], **values: Any
) -> Response:
    """Show a form with its `fields` as they stand, or as they were typed."""
    boxes = ("chu-tri", "phoi-hop", "bo-phan", "kenh")  # of which all that are ticked count
    if (form := result.form) is not None:
        fields |= {**form.first, **{name: form.all(name) for name in boxes}}
    return await visit.page(
        template, result.status, error=result.fault, seen=result.seen, here="/ke-hoach",
        kinds=KINDS, confirms=CONFIRM, examples=EXAMPLES, typed=fields, **values,
    )  # fmt: skip


# ---- times


def rule_of(words: str, plan: Plan, field: str) -> dict[str, Any]:
    """Return the keys of the due rule that `words` name; FieldError for what can't be read."""
    if fold(words).startswith("chua"):
        return {"awaiting": True}
    from reminder.importing.days import PlanYear
    from reminder.importing.phrases import read
    from reminder.importing.readings import Kind as Named
    from reminder.importing.rules import rule

    year = PlanYear(plan.year, school=plan.span is not None)
    reading = read(words, year)
    unread = any(part.kind is Named.NONE and not part.proposed for part in reading.parts)
    if not reading.parts or (reading.ask and unread):
        raise FieldError(field, f"Không đọc được thời gian “{words[:60]}”; ghi như: {EXAMPLES}")
    found = [rule(part, year) for part in reading.parts]
    for each, part in zip(found, reading.parts, strict=True):
        if "within" in each and plan.last_year and part.due:  # it would come each year
            del each["within"]
            each["due"] = part.due[-1]
    if len(found) == 1:
        return found[0]
    if all(set(each) == {"due"} and not isinstance(each["due"], list) for each in found):
        return {"due": sorted({each["due"] for each in found})}
    raise FieldError(field, "Có nhiều thời gian khác cách: ghi mỗi sản phẩm một thời gian")


def in_words(deliverable: Deliverable, plan: Plan, table: Mapping[str, Any]) -> str:
    """Return how a time is understood."""
    from reminder.importing import draft
    from reminder.importing.wording import understood

    one = draft.Deliverable(name=deliverable.name, rule={k: table[k] for k in RULE if k in table})
    if "kind" in table:
        one.rule["kind"] = table["kind"]
    head = draft.Draft(id=plan.id, title=plan.title, year=plan.year)
    head.before = plan.before.value
    if plan.span:
        head.first_day, head.last_day = plan.span
    return understood(one, head)


# ---- one task


def _place_of(editor: Editor, code: str) -> tuple[str, int]:
    tables = editor.data.get("task", [])
    for number, table in enumerate(tables):
        if str(table.get("code", "")).replace("\u00f0", "đ").replace("\u00d0", "Đ") == code:
            return "task", number
    raise FieldError("", GONE)


def _products(editor: Editor, place: tuple[str, int], task: Task) -> list[Deliverable]:
    """Return the deliverables in the order of their tables, which have unique names."""
    by_name = {d.name.casefold(): d for d in task.deliverables}
    tables = editor.table(place).get("deliverable", [])
    return [by_name[one_line(str(table["name"])).strip().casefold()] for table in tables]


@_or_gone
async def _task_page(visit: Visit, result: Result) -> Response:
    code = visit.request.path_params["code"]
    plan, editor = _plan_of(result.newest), editor_of(result.newest)
    place = _place_of(editor, code)
    products = _products(editor, place, plan.by_code[code])
    tables = editor.table(place).get("deliverable", [])
    shown = plan.by_code[code]
    fields: dict[str, Any] = {
        "ten": shown.title, "nguyen-van": shown.full_title, "phan": shown.section,
        "xac-nhan": shown.confirm.value, "chu-tri": shown.lead, "phoi-hop": shown.support,
    }  # fmt: skip
    rows = []
    for number, (one, table) in enumerate(zip(products, tables, strict=True)):
        fields |= {
            f"sp{number}-ten": one.name, f"sp{number}-sp": one.product,
            f"sp{number}-thoi-gian": one.phrase, f"sp{number}-loai": one.kind.value,
        }  # fmt: skip
        rows.append((number, one, in_words(one, plan, table)))
    return await _shown(
        visit, "plan_task.html", result, fields,
        plan=plan, code=code, rows=rows, units=_names(plan),
    )  # fmt: skip


def _names(plan: Plan) -> dict[str, str]:
    return {unit.id: unit.name for unit in plan.units}


def _task_edit(visit: Visit, newest: Version | None, form: Form) -> str:
    """Return the plan with one task changed or withdrawn."""
    plan, editor, code = _plan_of(newest), editor_of(newest), visit.request.path_params["code"]
    place = _place_of(editor, code)
    known = plan.by_code[code]
    try:
        if form.get("bo-viec"):
            editor.remove(place)
            return editor.text
        _set_texts(editor, place, {
            "title": said(form, "ten", "Xin ghi tên nhiệm vụ"),
            "full_title": said(form, "nguyen-van"),
            "section": form.get("phan"),
            "confirm": form.get("xac-nhan"),
        }, {"confirm": "any"})  # fmt: skip
        _set_units(editor, place, "lead", known.lead, _units(form, "chu-tri", plan))
        _set_units(editor, place, "support", known.support, _units(form, "phoi-hop", plan, least=0))
        _set_products(visit, editor, place, plan, known, form)
    except NotEditableError:
        raise FieldError("", BY_HAND) from None
    return editor.text


def _set_texts(
    editor: Editor, place: tuple[str | int, ...], texts: Mapping[str, str],
    defaults: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Write the texts that are others than those that stand there; an empty one goes."""
    for key, text in texts.items():
        was = str(editor.table(place).get(key, (defaults or {}).get(key, "")))
        if one_line(was).strip() != text:
            editor.set(place, {key: text or None})


def _units(form: Form, name: str, plan: Plan, least: int = 1) -> list[str]:
    found = [unit for unit in dict.fromkeys(form.all(name)) if unit in plan.by_unit]
    if len(found) < least:
        raise FieldError(name, "Xin chọn ít nhất một bộ phận chủ trì")
    return found


def _set_units(
    editor: Editor, place: tuple[str, int], key: str, known: Sequence[str], units: Sequence[str]
) -> None:
    if set(known) != set(units):
        kept = [unit for unit in known if unit in units]
        kept += [unit for unit in units if unit not in known]
        editor.set(place, {key: kept or None})


def _set_products(
    visit: Visit, editor: Editor, place: tuple[str, int], plan: Plan, task: Task, form: Form
) -> None:
    """Write the products; each keeps its number, by which the ledger knows it."""
    known = _products(editor, place, task)
    adds = bool(said(form, f"sp{NEW}-ten") or said(form, f"sp{NEW}-sp"))
    gone = [n for n in range(len(known)) if form.get(f"sp{n}-bo")]
    changes = [_rule_change(form, f"sp{n}", one, plan) for n, one in enumerate(known)]
    if len(gone) == len(known) and not adds:
        raise FieldError(f"sp{gone[0]}-bo", "Nhiệm vụ cần ít nhất một sản phẩm")
    for number, one in enumerate(known):
        at = (*place, "deliverable", number)
        if adds or (len(known) > 1 and (gone or any(changes))):
            editor.set(at, {"number": one.number})
        if number in gone:
            continue
        where = f"sp{number}"
        _set_texts(editor, at, {
            "name": said(form, f"{where}-ten", "Xin ghi tên ngắn của sản phẩm"),
            "product": said(form, f"{where}-sp", "Xin ghi sản phẩm"),
            "phrase": said(form, f"{where}-thoi-gian", "Xin ghi thời gian như kế hoạch ghi"),
        })  # fmt: skip
        _set_rule(editor, at, changes[number])
        kind = form.get(f"{where}-loai")
        if kind in KINDS and kind != one.kind.value:
            editor.set(at, {"kind": None if kind == Kind.PRODUCT else kind})
    for number in reversed(gone):
        editor.remove((*place, "deliverable", number))
    if adds:
        used = [e.key.deliverable for e in visit.office.events if e.key[:2] == (plan.id, task.code)]
        free = max([*used, *(one.number for one in known)], default=0) + 1
        editor.append((*place, "deliverable"), {"number": free, **_new_product(form, plan)})


def _rule_change(form: Form, where: str, known: Deliverable, plan: Plan) -> dict[str, Any] | None:
    """Return the rule that a form asks for; None if the time stays as it is."""
    if said(form, f"{where}-han"):
        return rule_of(said(form, f"{where}-han"), plan, f"{where}-han")
    phrase = said(form, f"{where}-thoi-gian")
    if not phrase or phrase == known.phrase:
        return None
    try:
        found = rule_of(phrase, plan, f"{where}-thoi-gian")
    except FieldError:
        return None  # other words for the same time
    return found


def _set_rule(editor: Editor, at: tuple[str | int, ...], rule: dict[str, Any] | None) -> None:
    if rule is None:
        return
    editor.set(at, {key: rule.get(key) for key in RULE})
    if "kind" in rule:
        editor.set(at, {"kind": rule["kind"]})


def _new_product(form: Form, plan: Plan) -> dict[str, Any]:
    """Return the table of a product that is added."""
    where = f"sp{NEW}"
    name = said(form, f"{where}-ten", "Xin ghi tên ngắn của sản phẩm")
    product = said(form, f"{where}-sp") or name
    phrase = said(form, f"{where}-thoi-gian") or said(form, f"{where}-han")
    if not phrase:
        raise FieldError(f"{where}-thoi-gian", f"Xin ghi thời gian, như: {EXAMPLES}")
    field = f"{where}-han" if said(form, f"{where}-han") else f"{where}-thoi-gian"
    rule = rule_of(said(form, field), plan, field)
    kind = rule.pop("kind", None) or form.get(f"{where}-loai")
    found: dict[str, Any] = {"name": name, "product": product, "phrase": phrase, **rule}
    return found if kind not in KINDS or kind == Kind.PRODUCT else {**found, "kind": kind}


@_or_gone
async def _new_task_page(visit: Visit, result: Result) -> Response:
    plan = _plan_of(result.newest)
    return await _shown(
        visit, "plan_task.html", result,
        {"chu-tri": [], "phoi-hop": [], "xac-nhan": "any"},
        plan=plan, code="", rows=[], units=_names(plan),
    )  # fmt: skip


def _new_task(_: Visit, newest: Version | None, form: Form) -> str:
    """Return the plan with a task behind the last one of its section."""
    plan, editor = _plan_of(newest), editor_of(newest)
    code = said(form, "ma", "Xin ghi mã, ví dụ 1c")
    if not CODE.fullmatch(code):
        raise FieldError(
            "ma", f"Mã “{code[:20]}” không đúng: viết như 1c, 1đ, 3, 1.1, II.3 hoặc BC"
        )
    if code in plan.by_code:
        raise FieldError("ma", f"Mã {code} đã dùng: {plan.by_code[code].title}")
    if form.get("phan") not in plan.sections:
        raise FieldError("phan", "Xin chọn phần")
    support, confirm = _units(form, "phoi-hop", plan, least=0), form.get("xac-nhan")
    full = said(form, "nguyen-van")
    values: dict[str, Any] = {
        "code": code,
        "title": said(form, "ten", "Xin ghi tên nhiệm vụ"),
        **({"full_title": full} if full else {}),
        "section": form.get("phan"),
        "lead": _units(form, "chu-tri", plan),
        **({"support": support} if support else {}),
        **({"confirm": confirm} if confirm == "all" else {}),
    }
    product = _new_product(form, plan)
    tables = editor.data.get("task", [])
    same = [n for n, each in enumerate(tables) if str(each.get("section")) == form.get("phan")]
    try:
        place = editor.append(("task",), values, ("task", same[-1]) if same else None)
        editor.append((*place, "deliverable"), product)
    except NotEditableError:
        raise FieldError("", BY_HAND) from None
    return editor.text


# ---- the plan's head: title, sections, units


@_or_gone
async def _head_page(visit: Visit, result: Result) -> Response:
    plan = _plan_of(result.newest)
    typed: dict[str, Any] = {"ten": plan.title}
    typed |= {f"ph-{key}": title for key, title in plan.sections.items()}
    for unit in plan.units:
        typed |= {f"bp-{unit.id}-ten": unit.name, f"bp-{unit.id}-ngan": unit.short,
                  f"bp-{unit.id}-cach": "; ".join(unit.spellings)}  # fmt: skip
    return await _shown(
        visit, "plan_head.html", result, typed, plan=plan
    )  # fmt: skip


def _head_edit(_: Visit, newest: Version | None, form: Form) -> str:
    """Return the plan with its title, sections and units as the form has them."""
    plan, editor = _plan_of(newest), editor_of(newest)
    try:
        _set_texts(editor, ("plan",), {"title": said(form, "ten", "Xin ghi tên kế hoạch")})
        for key in plan.sections:
            _set_texts(editor, ("sections",), {key: said(form, f"ph-{key}", "Xin ghi tên phần")})
        if new := said(form, "phm-ten"):
            editor.set(("sections",), {said(form, "phm-ma", "Xin ghi số của phần mới"): new})
        for unit in plan.units:
            field, at = f"bp-{unit.id}", ("unit", unit.id)
            _set_texts(editor, at, {
                "name": said(form, f"{field}-ten", "Xin ghi tên bộ phận"),
                "short": said(form, f"{field}-ngan"),
            })  # fmt: skip
            spellings = [
                s for each in form.get(f"{field}-cach").split(";") if (s := one_line(each))
            ]
            if spellings != list(unit.spellings):
                editor.set(at, {"spellings": spellings or None})
        if name := said(form, "bpm-ten"):
            made = {"name": name, "short": said(form, "bpm-ngan")}
            unit_id = unused_id(name, plan.by_unit, "bo-phan")
            last = ("unit", plan.units[-1].id)
            editor.add(("unit", unit_id), {k: v for k, v in made.items() if v}, last)
    except NotEditableError:
        raise FieldError("", BY_HAND) from None
    return editor.text


# ---- people


async def people(visit: Visit) -> Response:
    """The people, each with a link to the form."""
    if (refusal := await no_editor(visit)) is not None:
        return refusal
    return await visit.page("plan_people.html", flash=flash(visit), here="/ke-hoach")


async def _person_page(visit: Visit, result: Result) -> Response:
    known = visit.request.path_params.get("person", "")
    tables = editor_of(result.newest).data.get("person", [])
    table = next((each for each in tables if each.get("id") == known), None)
    if known and table is None:
        return await refused(visit, "Không có người này.", 404)
    typed: dict[str, Any] = {"bo-phan": [], "kenh": []}
    if table is not None:
        unit, channels = table.get("unit", []), table.get("channels", [])
        typed = {
            "ten": table.get("name", ""), "chuc-danh": table.get("title", ""),
            "thu": table.get("email", ""), "dien-thoai": table.get("phone", ""),
            "bo-phan": [unit] if isinstance(unit, str) else unit,
            "kenh": [channels] if isinstance(channels, str) else channels,
        }  # fmt: skip
    return await _shown(
        visit, "plan_person.html", result, typed,
        known=known, units=visit.office.unit_names, channels=_channels(visit),
    )  # fmt: skip


def _channels(visit: Visit) -> dict[str, str]:
    """Return the channels that a person may have."""
    known = visit.office.known
    return {t.name: t.title for t in known if t.addresses is not AddressSource.NONE}


def _person_edit(visit: Visit, newest: Version | None, form: Form) -> str:
    """Return the list with one person changed, added or gone."""
    known = visit.request.path_params.get("person", "")
    editor = editor_of(newest)
    tables = editor.data.get("person", [])
    ids = [str(table.get("id", "")) for table in tables]
    if known and known not in ids:
        raise FieldError("", "Không có người này.")
    try:
        if known and form.get("bo"):
            editor.remove(("person", ids.index(known)))
            return editor.text
        name = said(form, "ten", "Xin ghi họ tên")
        texts = {
            "name": name, "title": said(form, "chuc-danh"),
            "email": said(form, "thu"), "phone": said(form, "dien-thoai"),
        }  # fmt: skip
        units = [u for u in dict.fromkeys(form.all("bo-phan")) if u in visit.office.units]
        if not units:
            raise FieldError("bo-phan", "Xin chọn ít nhất một bộ phận")
        unit: object = units[0] if len(units) == 1 else units
        channels = [c for c in dict.fromkeys(form.all("kenh")) if c in _channels(visit)]
        if not known:
            values = {"id": unused_id(name, ids, "nguoi"), "name": name, "unit": unit, **texts}
            values |= {"channels": channels} if channels else {}
            editor.append(("person",), {key: value for key, value in values.items() if value})
            return editor.text
        at = ("person", ids.index(known))
        _set_texts(editor, at, texts)
        was = editor.table(at).get("unit")
        if ([was] if isinstance(was, str) else was) != units:
            editor.set(at, {"unit": unit})
        was = editor.table(at).get("channels", [])
        if ([was] if isinstance(was, str) else was) != channels:
            editor.set(at, {"channels": channels or None})
    except NotEditableError:
        raise FieldError("", BY_HAND) from None
    return editor.text
