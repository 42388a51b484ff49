"""Forms: each is one command, by the same use case as chat and mail.

A form carries the revision of the work that it showed: on any other nothing is recorded, and its
page says what has changed. It carries a nonce too, by which the same form acts once, also where the
program died between the record and its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from reminder.decisions import buttons
from reminder.domain import payloads
from reminder.domain.ledger import State
from reminder.domain.payloads import Payload
from reminder.domain.plan import Confirm, Key
from reminder.domain.weblinks import TaskLink
from reminder.messages.rows import render as render_message
from reminder.services.handle import Outcome
from reminder.services.office import Office
from reminder.understanding.dates import day_at
from reminder.understanding.model import Command, Target
from reminder.understanding.spelling import tokenise
from reminder.understanding.verbs import Takes, Verb, verb_called
from reminder.web.pages import GONE, answers_for, part, refused, said_of, task_page
from reminder.web.site import (
    NAME,
    FieldError,
    Site,
    Visit,
    form_of,
    is_nonce,
    key_of,
    signed_in,
    told,
)
from reminder.web.twins import place_of
from reminder.web.words import INCOMPLETE

LONGEST = 1000  # characters of a field
REFUSED: Mapping[type[Payload], int] = {
    payloads.NotYourUnit: 403,
    payloads.OfficeOnly: 403,
    payloads.NeedsProof: 403,
    payloads.ToldTooOften: 429,
}
ONCE = "Đã ghi rồi: mỗi biểu mẫu chỉ ghi một lần."
SPENT = "Đường dẫn này đã dùng."
TOO_FAST = "Gửi quá nhanh. Xin chờ một phút rồi gửi tiếp."


Fields = Mapping[str, str]


def _text(fields: Fields, name: str) -> str:
    return fields.get(name, "").strip()[:LONGEST]


def _needed(fields: Fields, name: str, say: str) -> str:
    found = _text(fields, name)
    if not found:
        raise FieldError(name, say)
    return found


def day_in(fields: Fields, today: date, names: tuple[str, ...] = ("ngay",)) -> date:
    """The day in the first of these fields that is filled."""
    name = next((n for n in names if _text(fields, n)), names[-1])
    typed = _text(fields, name)
    if not typed:
        raise FieldError(name, "Xin ghi ngày, ví dụ 28/02")
    with suppress(ValueError):
        return date.fromisoformat(typed)
    tokens = tokenise(typed)
    found = day_at(typed, tokens, 0, today) if tokens else None
    if found is None or found.value.day is None or found.size < len(tokens):
        raise FieldError(name, f"“{typed[:40]}” không phải một ngày; xin ghi như 28/02")
    return found.value.day


# The acts as addresses have them; without hyphens, the Vietnamese names of their verbs.
ACTS = (
    "xong", "cap-nhat", "trinh-ky", "tra-lai", "ghi-chu", "hoan-tac", "gia-han", "nhac-sau",
    "mo-lai", "dat-han", "xac-nhan", "dong-y", "khong-dong-y", "nhac-ngay",
)  # fmt: skip


def verb_of(act: str) -> Verb:
    """Return what one of ACTS means."""
    verb = verb_called(act.replace("-", ""))
    assert verb is not None
    return verb


def _command(name: str, target: Target, state: State, fields: Fields, today: date) -> Command:
    """Return what a form of the act `name` says; FieldError for a field that can't be read."""
    verb = verb_of(name)
    command, why = Command(verb=verb, targets=(target,)), _text(fields, "ly-do")
    match verb.row.takes:
        case Takes.TEXT:
            return replace(command, note=_needed(fields, "noi-dung", "Xin ghi nội dung"))
        case Takes.REASON:
            return replace(command, note=_needed(fields, "ly-do", "Xin ghi lý do mở lại"))
        case Takes.DAY:
            return replace(command, until=day_in(fields, today), note=why)
        case Takes.DATE:
            return replace(command, until=day_in(fields, today, ("khac", "ngay")), note=why)
        case Takes.MAYBE_DAY:
            asked = state.request.until if state.request else None
            given = day_in(fields, today) if _text(fields, "ngay") else None
            return replace(command, until=given or asked)
    if verb is Verb.UPDATE:
        said = _needed(fields, "noi-dung", "Xin ghi tình hình, ví dụ: vẫn làm thường xuyên")
        return replace(command, answers=((target, said),))
    if verb is Verb.UNDO:
        moments = (event.at for event in said_of(state))
        at = next((at for at in moments if at.isoformat() == fields.get("luc", "")), None)
        return replace(command, event_at=at)
    if verb is Verb.DONE:
        return replace(command, evidence=_text(fields, "van-ban"))
    return replace(command, note=why or _text(fields, "van-ban"))


_SHARED = ("xong", "trinh-ky", "hoan-tac")  # of one unit's part of shared work


NO_LINK = "Đường dẫn này không còn. Xin mở thư mới nhất."


def routes() -> list[Route]:
    """The forms of tasks, of what is to be decided, and of a mail's link."""
    return [
        Route("/viec/{plan}/{code}/{number}/{period}/{act}", signed_in(act), methods=["POST"]),
        Route("/quyet/xac-nhan", signed_in(confirm), methods=["POST"]),
        Route("/tu-thu/{token}", by_mail, methods=["GET"]),
        Route("/tu-thu/{token}/{act}", act_by_mail, methods=["POST"]),
    ]


@dataclass(frozen=True)
class Result:
    """What became of a form."""

    said: str
    status: int = 200  # 409: the work is another than the form showed
    field: str = ""  # the one at fault


class _RefusedError(Exception):
    """Ends the transaction of an act that was refused, so that the same form may be sent again."""

    def __init__(self, result: Result) -> None:
        self.result = result


async def act(visit: Visit) -> Response:
    """One form of a task."""
    path = visit.request.path_params
    key = key_of("/".join(path[name] for name in ("plan", "code", "number", "period")))
    if key is None or path["act"] not in ACTS or key not in visit.office.states:
        return await refused(visit, GONE, 404)
    fields = (await form_of(visit.request)).first
    result = await tried(visit, path["act"], key, fields)
    if result.status != 200:
        if result.status == 403:
            await visit.note("refused", f"{path['act']} {place_of(key)}")
        fault = {"error": result, "typed": fields, "at": (key, path["act"])}
        office = await visit.site.do(visit.site.service.refresh)
        fresh = replace(visit, office=office)
        return await task_page(fresh, key.plan, key.task, result.status, **fault)
    mark = fields.get("nonce", "")
    back = "/quyet" if fields.get("ve") == "quyet" else f"/viec/{key.plan}/{key.task}"
    return RedirectResponse(f"{back}?ghi={mark}", 303)


async def tried(
    visit: Visit, name: str, key: Key, fields: Fields, link: TaskLink | None = None
) -> Result:
    """Do one act; what became of it. A mail's `link` is spent with the record of the act."""
    mark = fields.get("nonce", "")
    if not is_nonce(mark):
        return Result(INCOMPLETE, 422)
    return await _done(visit, mark, partial(_decided, visit, name, key, fields, mark, link))


async def _done(visit: Visit, mark: str, decide: Callable[[], Result]) -> Result:
    """Decide in the store's thread; keep what is said of it for the page that follows."""
    try:
        result: Result = await visit.site.do(decide)
    except _RefusedError as why:
        return why.result
    if result.status == 200:
        visit.site.keep(mark, result.said)
        visit.site.wake()
    return result


def _decided(
    visit: Visit, name: str, key: Key, fields: Fields, mark: str, link: TaskLink | None
) -> Result:
    """Decide and record one form, in one transaction. In the store's thread."""
    service, now = visit.site.service, visit.now
    with service.store.together():
        office = service.refresh()
        state = office.states.get(key)
        if state is None:
            return Result(GONE, 404)
        if not service.limits.may_speak(f"{NAME}:{visit.person.id}", now):
            return Result(TOO_FAST, 429)
        if service.store.was_seen(NAME, mark):
            return Result(ONCE)
        if link is not None and service.store.spent_at(link.mac) is not None:
            return Result(SPENT, 409)
        may_act = visit.sender.office or answers_for(visit, state)
        if fields.get("revision") != str(state.revision) and may_act:
            return Result(_changed(visit, office, state), 409)
        target = buttons.target_of(key, office.states, office.by_plan)
        unit = fields.get("phan", "")
        shared = state.occurrence.task.confirm is Confirm.ALL and name in _SHARED
        if shared and (unit == "*" or unit in state.occurrence.task.lead):
            target = replace(target, unit=unit)
        try:
            command = _command(name, target, state, fields, visit.context.today)
        except FieldError as fault:
            return Result(fault.say, 422, fault.field)
        outcome = service.handle(visit.person, command, now, channel=NAME, update=mark)
        result = _result(visit, service.refresh(), outcome)
        if link is not None:
            service.store.spend(link.mac, now)
        return result


def _result(visit: Visit, office: Office, outcome: Outcome) -> Result:
    """Return what was recorded; _RefusedError, by which nothing stays, where that is nothing."""
    if outcome.seen:
        return Result(ONCE)
    said = _said(visit, office, outcome.answer)
    if outcome.acted:
        return Result(f"Đã ghi. {said}")
    status = next((n for kind, n in REFUSED.items() if isinstance(outcome.answer, kind)), 409)
    raise _RefusedError(Result(said or "Không ghi được.", status))


def _said(visit: Visit, office: Office, answer: Payload | None) -> str:
    if answer is None:
        return ""
    made = render_message(visit.site.context(office, visit.now), answer)
    return " ".join(made.text.split("\n")) if made else ""


def _changed(visit: Visit, office: Office, state: State) -> str:
    """“Việc vừa thay đổi: …”, by whom."""
    newest = next(reversed(office.by_key.get(state.key, ())), None)
    context = visit.site.context(office, visit.now)
    if newest is None:
        return "Việc này đã thay đổi. Xin xem lại rồi gửi."
    who = context.person(newest) if newest.by else "máy"
    when = context.moment(newest.at)
    return f"Việc này vừa thay đổi ({who}, {when}). Xin xem lại rồi gửi."


async def recorded(visit: Visit, mark: str, make: Callable[[Office], Command]) -> Result:
    """Record a command that no revision was shown for, in one transaction, once a form."""

    def decided() -> Result:
        service = visit.site.service
        with service.store.together():
            command = make(service.refresh())
            if not service.limits.may_speak(f"{NAME}:{visit.person.id}", visit.now):
                return Result(TOO_FAST, 429)
            outcome = service.handle(visit.person, command, visit.now, channel=NAME, update=mark)
            return _result(visit, service.refresh(), outcome)

    return await _done(visit, mark, decided)


async def confirm(visit: Visit) -> Response:
    """Keep the assumed dates that were ticked."""
    form = await form_of(visit.request)
    mark = form.get("nonce")
    named = map(key_of, form.all("viec"))
    keys = [key for key in named if key in visit.office.states and key is not None]
    if not keys or not is_nonce(mark):
        return await refused(visit, "Xin chọn ít nhất một hạn để giữ.", 422)

    def command(office: Office) -> Command:
        named = (buttons.target_of(key, office.states, office.by_plan) for key in keys)
        targets = tuple(replace(target, period=None) for target in named)  # of all periods
        return Command(verb=Verb.CONFIRM, targets=targets)

    result = await recorded(visit, mark, command)
    if result.status != 200:
        return await refused(visit, result.said, result.status)
    return RedirectResponse(f"/quyet?ghi={mark}", 303)


# ---- by the link of a reminder mail: one task, one person, its own acts, without a session


async def by_mail(request: Request) -> Response:
    """The work that a mail's link names; nothing is changed by looking."""
    found = await _of_mail(request)
    if isinstance(found, Response):
        return found
    visit, link = found
    return await _mail_page(visit, link, 200)


async def act_by_mail(request: Request) -> Response:
    """One act by a mail's link, which spends it."""
    found = await _of_mail(request)
    if isinstance(found, Response):
        return found
    visit, link = found
    name, fields = request.path_params["act"], (await form_of(request)).first
    allowed = part(visit, visit.office.states[link.key]).acts
    if name not in allowed:
        return told(GONE, visit.site.root)
    result = await tried(visit, name, link.key, fields, link)
    if result.status != 200:
        found = await _of_mail(request)  # as it is now
        if isinstance(found, Response):
            return found
        return await _mail_page(*found, result.status, error=result, typed=fields, at=name)
    return await visit.page("mail_done.html", said=result.said, work=None)


async def _of_mail(request: Request) -> tuple[Visit, TaskLink] | Response:
    """Who a mail's link is for, and its work; or the page that says why it opens nothing."""
    site: Site = request.app.state.site
    now = site.now()
    link = site.links.read_task(request.path_params["token"])
    if link is None:
        return told(NO_LINK, site.root)

    def looked() -> tuple[Office, bool]:
        store = site.service.store
        return site.service.refresh(), store.spent_at(link.mac) is not None

    office, spent = await site.do(looked)
    person = office.people.get(link.person)
    if person is None or link.key not in office.states:
        return told(NO_LINK, site.root)
    visit = Visit(site=site, request=request, office=office, person=person, now=now, public=True)
    state = office.states[link.key]
    if spent or visit.context.today > link.until:
        words = "đã dùng" if spent else "đã hết hạn"
        task = state.occurrence.task
        say = (
            f"Đường dẫn này {words}. Đây là việc {task.code} {task.title} của "
            f"{visit.context.units(task.lead)}. Muốn báo tiếp, xin trả lời thư nhắc mới nhất, "
            "hoặc đăng nhập trang theo dõi."
        )
        return told(say, site.root)
    return visit, link


async def _mail_page(visit: Visit, link: TaskLink, status: int, **values: object) -> Response:
    state = visit.office.states[link.key]

    def make() -> dict[str, object]:
        token = visit.request.path_params["token"]
        return {
            "part": part(visit, state),
            "action": visit.at(f"/tu-thu/{token}"),
            "error": None,
            "typed": {},
            "at": next((a for a in ACTS if a in visit.request.query_params), ""),
        } | values

    return await visit.page("mail_task.html", status, make=make)
