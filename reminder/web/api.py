"""The API: figures, tasks and acts as JSON, for other programs; the rights are the token's owner's.

Errors are problem details (RFC 9457) with the sentence that a page would show.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reminder import __version__
from reminder.decisions.outcome import may_read, reads_all
from reminder.domain import digest
from reminder.domain.plan import Key
from reminder.domain.tokens import hash_code
from reminder.understanding.verbs import Takes, Verb
from reminder.web import acts, ledger, pages, words
from reminder.web.site import Page, Site, Visit, key_of, visit
from reminder.web.twins import item_of
from reminder.web.words import Shown

ROOT = "/api/v1"
PROBLEM = "application/problem+json"
_ONCE = "[!-~]{1,200}"  # an Idempotency-Key
LAST = 999_999  # page of a list that may be asked for
_FIELDS = {"note": ("ly-do", "noi-dung"), "evidence": ("van-ban",), "until": ("ngay", "khac")}


def routes() -> list[Route]:
    """The API's routes."""
    return [
        Route(f"{ROOT}/openapi.json", _openapi, methods=["GET"]),
        Route(f"{ROOT}/bang", _for(_board), methods=["GET"]),
        Route(f"{ROOT}/viec/{{plan}}/{{code}}", _for(_task), methods=["GET"]),
        Route(f"{ROOT}/acts", _for(_act, acting=True), methods=["POST"]),
        *(Route(f"{ROOT}/{name}", _for(_twin(page)), methods=["GET"]) for name, page in TWINS),
    ]


def _twin(page: Page) -> Page:
    """Return what answers with the JSON of a page."""

    async def run(visit: Visit) -> Response:
        found = await page(replace(visit, as_json=True))
        if found.status_code >= 400:
            raise ProblemError(found.status_code, json.loads(bytes(found.body))["why"])
        return found

    return run


TWINS: tuple[tuple[str, Page], ...] = (
    ("quyet", pages.decisions),
    ("lich", pages.calendar),
    ("so-ghi", ledger.ledger),
)
_ASKED = {"lich": ("thang",), "so-ghi": ("viec", "nguoi", "loai", "tu", "den", "trang")}


@dataclass(frozen=True)
class ProblemError(Exception):
    """What is answered instead."""

    status: int
    title: str

    def response(self) -> Response:
        """Return the problem as its JSON."""
        body = {"type": "about:blank", "title": self.title, "status": self.status}
        asks = {"WWW-Authenticate": "Bearer"} if self.status == 401 else None
        return JSONResponse(body, self.status, headers=asks, media_type=PROBLEM)


Endpoint = Callable[[Visit], Awaitable[Response]]


def _for(endpoint: Endpoint, *, acting: bool = False) -> Callable[[Request], Awaitable[Response]]:
    """Return the route's function: who asks is known by a token, or reads in a session."""

    async def run(request: Request) -> Response:
        try:
            return await endpoint(await _who(request, acting=acting))
        except ProblemError as problem:
            return problem.response()

    return run


async def _who(request: Request, *, acting: bool) -> Visit:
    site: Site = request.app.state.site
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        found = await visit(site, request)
        if found is None or acting:
            raise ProblemError(401, "Cần mã: Authorization: Bearer nv_…")
        return found
    now = site.now()

    def looked() -> tuple[list[Any], Any]:
        store = site.service.store
        return store.tokens(hashed=hash_code(secret.strip())), site.service.refresh()

    tokens, office = await site.do(looked)
    token = tokens[0] if tokens and scheme.lower() == "bearer" else None
    if token is None or token.expires_at <= now or token.person not in office.people:
        raise ProblemError(401, "Mã không đúng hoặc đã hết hạn.")
    if acting and not token.acts:
        raise ProblemError(403, "Mã này chỉ được đọc.")
    person = office.people[token.person]
    return Visit(site=site, request=request, office=office, person=person, now=now, public=True)


async def _board(visit: Visit) -> Response:
    if not reads_all(visit.sender):
        raise ProblemError(403, "Bảng này của Văn phòng và Lãnh đạo.")
    context = visit.context
    states = words.states_of(context)
    query = visit.request.query_params
    page = query.get("page", "1")
    number = int(page) if page.isdecimal() and len(page) <= len(str(LAST)) else 0
    if not 0 < number <= LAST:
        raise ProblemError(422, f"page phải là một số từ 1 đến {LAST}")
    found = digest.figures(states, context.scheduler, context.today)
    rows = words.rows(context, states)
    start = (number - 1) * words.PAGE
    body = {
        "at": visit.now.isoformat(),
        "figures": {
            "in_time": found.in_time, "done_late": found.done_late, "open": found.open,
            "late": found.late, "signing": found.signing, "awaiting": found.awaiting,
        },
        "items": [item_of(row) for row in rows[start : start + words.PAGE]],
        "page": number,
        "pages": max(1, -(-len(rows) // words.PAGE)),
        "total": len(rows),
    }  # fmt: skip
    return JSONResponse(body)


async def _task(visit: Visit) -> Response:
    path = visit.request.path_params
    plan = visit.office.by_plan.get(path["plan"])
    task = plan.by_code.get(path["code"]) if plan else None
    if plan is None or task is None:
        raise ProblemError(404, pages.GONE)
    context = visit.context
    states = [s for s in visit.office.of_plan(plan) if s.key.task == task.code]
    items = [item_of(Shown(context, state)) for state in states]
    if not may_read(visit.sender, task):
        kept = ("key", "code", "title", "lead", "due")
        items = [{name: item[name] for name in kept} for item in items]
    body = {"plan": plan.id, "code": task.code, "title": task.title, "lead": list(task.lead)}
    return JSONResponse({**body, "items": items})


async def _act(visit: Visit) -> Response:
    """One act; the same Idempotency-Key with the same body is answered as done."""
    raw = await visit.request.body()
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise ProblemError(400, "Nội dung không phải JSON.") from None
    key, name, fields = _read(body)
    state, speaking = visit.office.states.get(key), visit.office.speaking(visit.now)
    if state is None or key.plan not in {p.id for p in speaking}:
        raise ProblemError(404, pages.GONE)
    asked = visit.request.headers.get("idempotency-key")
    if asked is not None and not re.fullmatch(_ONCE, asked):
        raise ProblemError(400, "Idempotency-Key phải gồm 1 đến 200 ký tự ASCII.")
    whole = json.dumps(body, sort_keys=True)
    mark = sha256(
        f"{visit.person.id}\0{asked or whole + visit.now.isoformat()}".encode()
    ).hexdigest()
    if asked:
        await visit.site.do(partial(_same, visit, mark, sha256(whole.encode()).hexdigest()))
    result = await acts.tried(visit, name, key, fields | {"nonce": mark[:40]})
    if result.status != 200:
        raise ProblemError(result.status, result.said)
    office = await visit.site.do(visit.site.service.refresh)
    item = item_of(Shown(visit.site.context(office, visit.now), office.states[key]))
    return JSONResponse({"said": result.said, "item": item})


def _same(visit: Visit, mark: str, body: str) -> None:
    """Keep the body of an Idempotency-Key; ProblemError for another one with the same key."""
    store, name = visit.site.service.store, f"web:idempotency:{mark[:40]}"
    kept = store.meta(name)
    if kept is None:
        store.set_meta(name, body)
    elif kept != body:
        raise ProblemError(409, "Idempotency-Key này đã dùng cho một nội dung khác.")


def _read(body: object) -> tuple[Key, str, dict[str, str]]:
    """The occurrence, the act and the fields of a form."""
    if not isinstance(body, Mapping):
        raise ProblemError(422, "Nội dung phải là một đối tượng JSON.")
    unknown = set(body) - {"key", "act", "revision", *_FIELDS}
    if unknown:
        raise ProblemError(422, f"Không có trường “{min(map(str, unknown))[:40]}”.")
    key = key_of(body["key"]) if isinstance(body.get("key"), str) else None
    if key is None:
        raise ProblemError(422, "key phải như kế-hoạch/mã/số/kỳ.")
    name, revision = body.get("act"), body.get("revision")
    if not isinstance(name, str) or name not in acts.ACTS:
        raise ProblemError(422, f"act phải là một trong: {', '.join(acts.ACTS)}.")
    if not isinstance(revision, int) or isinstance(revision, bool):
        raise ProblemError(422, "revision phải là số đã đọc được cùng việc này.")
    fields = {"revision": str(revision)}
    for field, names in _FIELDS.items():
        value = body.get(field)
        if value is not None and not isinstance(value, str):
            raise ProblemError(422, f"{field} phải là chữ.")
        fields |= dict.fromkeys(names, value or "")
    return key, name, fields


# ---- its description

_TEXT = {"type": "string"}
_ACT: Mapping[str, Any] = {
    "key": {"type": "string", "pattern": "^[^/]+/[^/]+/[0-9]{1,4}/[^/]+$"},
    "revision": {"type": "integer"},
    **{name: {"type": ["string", "null"]} for name in _FIELDS},
}
_DAY = {"until": {"type": "string", "format": "date"}}
_NOTE = {"note": {"type": "string", "pattern": "\\S"}}
# What the body of an act must have, beside key, act and revision.
_NEEDS: Mapping[Takes, Mapping[str, Any]] = {
    Takes.DAY: _DAY,
    Takes.DATE: _DAY,
    Takes.TEXT: _NOTE,
    Takes.REASON: _NOTE,
}
_ITEM = {
    "type": "object",
    "required": ["key", "code", "title", "lead", "due"],
    "properties": {
        "key": _TEXT, "revision": {"type": "integer"}, "code": _TEXT, "title": _TEXT,
        "lead": {"type": "array", "items": _TEXT},
        "due": {"type": ["string", "null"], "format": "date"},
        "assumed": {"type": "boolean"}, "standing": _TEXT,
        "closed": {"type": ["string", "null"], "format": "date-time"},
    },
}  # fmt: skip
_FIGURES = ("in_time", "done_late", "open", "late", "signing", "awaiting")


def _answers(schema: Mapping[str, Any], *statuses: int) -> dict[str, Any]:
    """The answers of an operation: 200 with `schema`, and problems."""
    problem = {"$ref": "#/components/schemas/Problem"}
    found: dict[str, Any] = {
        "200": {"description": "OK", "content": {"application/json": {"schema": schema}}}
    }
    for status in sorted({401, 403, 404, 413, 421, 429, 503, *statuses}):
        found[str(status)] = {
            "description": "Problem", "content": {PROBLEM: {"schema": problem}},
        }  # fmt: skip
    return found


def _body() -> dict[str, Any]:
    """The body of an act: one form for all acts that need the same."""
    forms: dict[str, tuple[Mapping[str, Any], list[str]]] = {}
    for act in acts.ACTS:
        verb = acts.verb_of(act)
        needs = _NOTE if verb is Verb.UPDATE else _NEEDS.get(verb.row.takes, {})
        maybe = verb.row.takes is Takes.MAYBE_DAY
        given = needs or ({"until": {"anyOf": [_DAY["until"], {"type": "null"}]}} if maybe else {})
        forms.setdefault("".join(needs) + "?" * maybe, ({**given}, []))[1].append(act)
    return {
        "anyOf": [
            {
                "type": "object",
                "required": ["key", "act", "revision", *(() if "?" in name else given)],
                "additionalProperties": False,
                "properties": {**_ACT, "act": {"enum": named}, **given},
            }
            for name, (given, named) in forms.items()
        ]
    }


def _parameter(name: str, where: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": where, "required": where == "path", "schema": schema}


def description(base_url: str) -> dict[str, Any]:
    """The API as OpenAPI 3.1."""
    item = {"$ref": "#/components/schemas/Item"}
    numbers = {name: {"type": "integer"} for name in _FIGURES}
    board = {
        "type": "object",
        "required": ["figures", "items"],
        "properties": {
            "figures": {"type": "object", "required": list(_FIGURES), "properties": numbers},
            "items": {"type": "array", "items": item},
            "page": {"type": "integer"}, "pages": {"type": "integer"}, "total": {"type": "integer"},
        },
    }  # fmt: skip
    task = {
        "type": "object",
        "required": ["items"],
        "properties": {"items": {"type": "array", "items": item}},
    }
    done = {"type": "object", "required": ["said"], "properties": {"said": _TEXT, "item": item}}
    path = [_parameter(name, "path", _TEXT) for name in ("plan", "code")]
    key = _parameter("Idempotency-Key", "header", {"type": "string", "pattern": f"^{_ONCE}$"})
    page = _parameter("page", "query", {"type": "integer", "minimum": 1, "maximum": LAST})
    body = {"required": True, "content": {"application/json": {"schema": _body()}}}
    problem = {
        "type": "object",
        "required": ["status", "title"],
        "properties": {"type": _TEXT, "status": {"type": "integer"}, "title": _TEXT},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Nhắc việc", "version": __version__},
        "servers": [{"url": base_url}],
        "security": [{"token": []}],
        "paths": {
            f"{ROOT}/bang": {"get": {"parameters": [page], "responses": _answers(board, 422)}},
            f"{ROOT}/viec/{{plan}}/{{code}}": {
                "get": {"parameters": path, "responses": _answers(task)}
            },
            **{
                f"{ROOT}/{name}": {
                    "get": {
                        "parameters": [_parameter(p, "query", _TEXT) for p in _ASKED.get(name, ())],
                        "responses": _answers({"type": "object"}),
                    }
                }
                for name, _ in TWINS
            },
            f"{ROOT}/acts": {
                "post": {
                    "parameters": [key],
                    "requestBody": body,
                    "responses": _answers(done, 400, 409, 422),
                }
            },
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Item": _ITEM, "Problem": problem},
        },
    }


async def _openapi(request: Request) -> Response:
    site: Site = request.app.state.site
    return JSONResponse(description(site.links.base_url))
