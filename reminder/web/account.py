"""One's own account: sessions, tokens for other programs, addresses of calendars."""

from __future__ import annotations

import asyncio
import secrets
from datetime import time, timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from reminder.decisions.outcome import reads_all
from reminder.documents.ics import MEDIA_TYPE, unit_calendar
from reminder.domain.calendar import instant
from reminder.domain.tokens import hash_code
from reminder.services.office import Office
from reminder.store.web import Sight, Token
from reminder.web.signin import ask_again
from reminder.web.site import Site, Visit, files_at, form_of, forms_at

PREFIX = "nv_"
LONGEST = 365  # days of a token
NAME = 60  # characters of its name
GENERATION = "feed:"  # in the table meta, with the person's id


def routes() -> list[Route]:
    """The page of the account, its forms, and the calendars."""
    forms = {
        "/tai-khoan/thoat-het": leave_others,
        "/tai-khoan/ma": make_token,
        "/tai-khoan/ma/bo": end_token,
        "/tai-khoan/lich": new_feeds,
    }
    return [
        *files_at({"/tai-khoan": account}),
        *forms_at(forms),
        Route("/lich/{token}", feed, methods=["GET"]),
    ]


async def account(visit: Visit, made: str = "", fault: str = "", status: int = 200) -> Response:
    """Where one is signed in, one's tokens and calendars; `made`: a new token's secret."""
    store, who = visit.site.service.store, visit.person.id
    sessions, tokens, generation = await visit.site.do(
        lambda: (store.sessions(who), store.tokens(person=who), _generation(visit.site, who))
    )
    links = visit.site.links
    feeds = [
        (visit.context.unit(unit), links.feed(who, unit, generation))
        for unit in _calendars(visit.office, visit)
    ]
    return await visit.page(
        "account.html", status, sessions=sessions, tokens=tokens, feeds=feeds, made=made,
        fault=fault, here="/tai-khoan",
    )  # fmt: skip


def _calendars(office: Office, visit: Visit) -> list[str]:
    """The units whose calendar somebody may read: the own ones; who reads all, all."""
    led = {u for plan in office.speaking(visit.now) for task in plan.tasks for u in task.lead}
    own = led if reads_all(visit.sender) else led & set(visit.person.units)
    return sorted(own)


def _generation(site: Site, person: str) -> int:
    kept = site.service.store.meta(f"{GENERATION}{person}") or "0"
    return int(kept) if kept.isdecimal() else 0


async def leave_others(visit: Visit) -> Response:
    """End all sessions of the reader but this one."""
    here, store = visit.session, visit.site.service.store

    def end() -> None:
        found = store.sessions(visit.person.id)
        store.end_sessions(*(s.hash for s in found if here is None or s.hash != here.hash))

    await visit.site.do(end)
    return RedirectResponse("/tai-khoan", 303)


async def make_token(visit: Visit) -> Response:
    """Make a token, which is shown this once."""
    form = await form_of(visit.request)
    if (asked := await ask_again(visit, form)) is not None:
        return asked
    name, days = form.get("ten").strip()[:NAME], form.get("ngay").strip()
    if not name:
        return await account(visit, fault="Xin đặt tên cho mã, ví dụ: bảng của quận", status=422)
    if not days.isdecimal() or not 1 <= int(days[:6]) <= LONGEST:
        return await account(visit, fault=f"Số ngày phải từ 1 đến {LONGEST}", status=422)
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token(
        hash=hash_code(secret),
        person=visit.person.id,
        name=name,
        acts=form.get("quyen") == "ghi" and not visit.sender.only_reads,
        expires_at=visit.now + timedelta(days=int(days)),
    )
    await visit.site.do(lambda: visit.site.service.store.add_token(token))
    await visit.note("token", name)
    return await account(visit, made=secret)


async def end_token(visit: Visit) -> Response:
    """End one of the reader's tokens."""
    hashed = (await form_of(visit.request)).get("ma")
    await visit.site.do(lambda: visit.site.service.store.end_token(hashed, visit.person.id))
    return RedirectResponse("/tai-khoan", 303)


async def new_feeds(visit: Visit) -> Response:
    """Give the reader's calendars new addresses; the old ones end."""

    def turn() -> None:
        following = str(_generation(visit.site, visit.person.id) + 1)
        visit.site.service.store.set_meta(f"{GENERATION}{visit.person.id}", following)

    await visit.site.do(turn)
    return RedirectResponse("/tai-khoan", 303)


async def feed(request: Request) -> Response:
    """A unit's due days, for a calendar that fetches them by a secret address."""
    site: Site = request.app.state.site
    found = site.links.read_feed(request.path_params["token"])
    now = site.now()
    if found is None:
        return PlainTextResponse("không có lịch này\n", 404)
    person, unit, generation = found
    office, current = await site.do(lambda: (site.service.refresh(), _generation(site, person)))
    if person not in office.people or generation != current:
        return PlainTextResponse("không có lịch này\n", 404)
    visit = Visit(
        site=site, request=request, office=office, person=office.people[person], now=now,
        public=True,
    )  # fmt: skip
    if unit not in _calendars(office, visit):
        return PlainTextResponse("không có lịch này\n", 404)
    entry = Sight(at=now, person=person, what="feed", detail=unit)
    day = instant(visit.context.today, time.min)
    await site.do(partial(site.service.store.note_sight, entry, once_since=day))
    make = partial(unit_calendar, office.plans, office.states, office.scheduler, unit, now)
    made = await asyncio.to_thread(make)  # beside the loop, which sends messages meanwhile
    return Response(made, media_type=MEDIA_TYPE)
