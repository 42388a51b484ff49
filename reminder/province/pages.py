"""The pages of many offices in one app, each under its own path, and the page of the province.

An office's page is the one that a single office has, under `/p/OFFICE`. The province's page lists
the offices that its reader serves; for the operators, all. Who serves an office goes on to its
page without signing in again, by a session of that office that ends with the province's own.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from reminder.app.bootstrap import scheduler_for
from reminder.app.channels import CHANNELS, invite
from reminder.documents.workbook import csv_file
from reminder.domain.calendar import local_day
from reminder.domain.errors import ReminderError
from reminder.domain.outbox import AddressSource, Invited, SendError
from reminder.domain.payloads import SignIn
from reminder.domain.people import Person
from reminder.domain.tokens import hash_code, normal_address
from reminder.domain.weblinks import WebLinks
from reminder.files.calendar import holiday_name
from reminder.messages.context import Context, moment_words
from reminder.messages.rows import render as render_message
from reminder.province.cache import OfficeCache
from reminder.province.figures import LONG, SHOWN, Late, late_work
from reminder.province.operators import write_to
from reminder.province.process import Part, Province
from reminder.province.sending import SEND
from reminder.services.office import Files, Office
from reminder.services.service import Service
from reminder.store.figures import FiguresTable, Listed, Sums
from reminder.store.offices import OfficeState
from reminder.store.store import Store
from reminder.store.web import Session, Sight
from reminder.web.app import guarded, looks, office_routes
from reminder.web.pages import CSV
from reminder.web.signin import agent_of, begin, drop_session, keep_session
from reminder.web.signin import routes as signing_in
from reminder.web.site import LoginSite, Site, form_of, live_session, render, sign_in_mail, told
from reminder.web.twins import plain
from reminder.web.uploads import Reader

log = logging.getLogger(__name__)

SITES = 500  # offices whose pages are kept ready
LONGEST = 100  # characters of an office's id that is looked for
PAGE = 60  # offices on a page of the list
LATE_PAGE = 20  # offices on a page of late work
OFFICES = "/p/"  # what the paths of the offices' pages begin with
FAULTY = "Trang của xã, phường này đang có lỗi trong kế hoạch hoặc danh sách; đã báo quản trị."
MAIL = tuple(w.traits.name for w in CHANNELS if w.traits.addresses is AddressSource.PEOPLE_FILE)
_PLACE = re.compile(r"/(viec/[^/?#\s]{1,60}/[^/?#\s]{1,60})?")  # to which one may go on


@dataclass
class ProvinceSite(LoginSite):
    """The province's page: what people sign in to, and what they see of the offices.

    The offices' pages are sent its session's cookie too.
    """

    cookies = "nv-tinh"
    cache: OfficeCache
    links: WebLinks
    do: Callable[[Callable[[], Any]], Awaitable[Any]]
    now: Callable[[], datetime]
    send: Callable[[str], Coroutine[Any, Any, None]]  # has an account send what is queued for it
    is_heard: bool = False
    mails: bool = True
    _accounts: set[str] = field(default_factory=set)  # that have something to send
    _mails: list[tuple[str, str]] = field(default_factory=list)  # (login, operator) to be mailed
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def name(self) -> str:
        return self.cache.base.province.name

    @cached_property
    def store(self) -> Store:
        """The records of no office: the sessions here, and who was refused."""
        return self.cache.stores.of("")

    @cached_property
    def table(self) -> FiguresTable:
        """The figures of the offices."""
        return FiguresTable(self.cache.stores)

    def operates(self, mail: str) -> bool:
        """Return whether somebody may see the figures and faults of all offices."""
        return mail in self.cache.base.province.operators

    def serves(self, mail: str) -> dict[str, str]:
        """Return the offices in whose lists a mail address stands, each with the person's id.

        In the store's thread. The address table finds them, the list of people decides.
        """
        found: dict[str, str] = {}
        for office, person in self.table.served_by(mail, MAIL):
            try:
                listed = self.cache.service(office).refresh().people.get(person)
            except ReminderError:
                continue  # an office whose list can't be read grants nothing
            if listed is not None and normal_address(listed.email) == mail:
                found.setdefault(office, person)
        return found

    def known(self, address: str) -> str:
        """Return the address if its owner may sign in; else nothing. In the store's thread."""
        return address if self.name_of(address) else ""

    def name_of(self, person: str) -> str:
        """Return a person's name, or an operator's address; empty for others."""
        return self._named(person, self.serves(person))

    def _named(self, mail: str, serves: Mapping[str, str]) -> str:
        for office, person in serves.items():
            return self.cache.service(office).office.people[person].name
        return mail if self.operates(mail) else ""

    def reading(self, request: Request) -> Reading | None:
        """Return who is signed in; None: nobody. In the store's thread."""
        now, secret = self.now(), request.cookies.get(self.cookie, "")
        serves: dict[str, str] = {}

        def is_known(mail: str) -> bool:
            serves.update(self.serves(mail))
            return bool(serves) or self.operates(mail)

        session = live_session(self.store, secret, now, is_known)
        if session is None:
            return None
        mail = session.person
        return Reading(
            site=self, request=request, session=session, secret=secret, now=now,
            name=self._named(mail, serves), serves=serves, operates=self.operates(mail),
        )  # fmt: skip

    def post_code(self, login: str, person: str, now: datetime) -> None:
        """Queue the mail of a request to sign in, by the account of an office of theirs.

        An operator who serves no office is written to at once, by `wake`. In the store's thread.
        """
        for office, found in self.serves(person).items():
            service = self.cache.service(office)
            channel = next((c for c in service.office.channels if c in MAIL), "")
            if channel:
                payload = SignIn(login=login, province=True)
                draft = sign_in_mail(payload, found, channel, now)
                service.store.record([], unit_names={}, drafts=[draft], at=now)
                self._accounts.add(self.cache.accounts(office)[channel])
                return
        self._mails.append((login, person))

    def wake(self) -> None:
        """Send what was queued."""
        while self._accounts:
            self.soon(partial(self.send, self._accounts.pop()))
        while self._mails:
            self.soon(partial(self._mail, *self._mails.pop()))

    def soon(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin work beside the answer to a request."""
        task = asyncio.create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until what `wake` began has ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _mail(self, login: str, address: str) -> None:
        """Write to an operator by the first account that takes the mail."""
        try:
            now = self.now()
            files = Files((), (), scheduler_for((), (local_day(now),)))
            context = Context(office=Office(files=files), at=now, links=self.links)
            message = render_message(context, SignIn(login=login))
            assert message is not None
            await write_to(self.do, self.cache, self.now, address, message, f"sign-in:{login}")
        except (ReminderError, SendError, OSError) as error:
            log.error("no sign-in mail to an operator could be sent: %s", error)

    def lines(self, reader: Reading, *, behind: bool = False) -> tuple[list[Listed], Sums]:
        """Return the offices of a page of the list, and the sums of all. In the store's thread."""
        if reader.operates:
            found = self.table.lines(
                province=reader.province,
                behind=behind,
                limit=reader.size,
                skip=(reader.page - 1) * reader.size,
            )
            return found, self.table.sums(province=reader.province)
        mine = sorted(filter(None, map(self.table.line, reader.serves)), key=_worst_first)
        told = [replace(each, fault="") for each in mine]
        sums = _sums(told)
        told = [each for each in told if not behind or (each.figures and each.figures.late)]
        start = (reader.page - 1) * reader.size
        return told[start : start + reader.size], sums


def _worst_first(each: Listed) -> tuple[Any, ...]:
    f = each.figures
    numbers = (-f.long_late, -f.late, -f.undated) if f else (0, 0, 0)
    return (*numbers, each.name, each.id)


def _sums(lines: Sequence[Listed]) -> Sums:
    known = [each.figures for each in lines if each.figures]
    added = ("open", "late", "long_late", "undated")
    return Sums(
        offices=len(lines),
        unreached=sum(f.reached == 0 for f in known),
        behind=sum(f.late > 0 for f in known),
        **{name: sum(getattr(f, name) for f in known) for name in added},
    )


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A request of somebody who is signed in to the province's page."""

    site: ProvinceSite
    request: Request
    session: Session
    secret: str  # of the session
    now: datetime
    name: str
    serves: Mapping[str, str]  # office → who the reader is there
    operates: bool
    size: int = PAGE

    @property
    def province(self) -> str:
        """The province by which the list is filtered."""
        return self.request.query_params.get("tinh", "")[:100] if self.operates else ""

    @property
    def page(self) -> int:
        asked = self.request.query_params.get("trang", "")
        return int(asked) if re.fullmatch(r"[1-9]\d{0,4}", asked, re.ASCII) else 1

    def secret_for(self, office: str) -> str:
        """Return the secret of the session of an office that goes with this one."""
        return hmac.new(self.secret.encode(), f"vao {office}".encode(), hashlib.sha256).hexdigest()

    async def note(self, what: str, detail: str) -> None:
        """Write an entry of the log of sight."""
        entry = Sight(at=self.now, person=self.session.person, what=what, detail=detail,
                      session=self.session.hash[:8])  # fmt: skip
        await self.site.do(partial(self.site.store.note_sight, entry))


Page = Callable[[Reading], Awaitable[Response]]


def _signed_in(page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        site: ProvinceSite = request.app.state.site
        found = await site.do(partial(site.reading, request))
        return RedirectResponse("/dang-nhap", 303) if found is None else await page(found)

    return endpoint


def _routes(pages: Pages) -> list[Route]:
    shown: dict[str, Page] = {
        "/": _list,
        "/phuong.json": partial(_list, as_json=True),
        "/phuong.csv": _file,
        "/qua-han": _late,
        "/qua-han.json": partial(_late, as_json=True),
    }
    forms: dict[str, Page] = {"/thoat": _leave, OFFICES + "{office}/vao": pages.enter}
    return [
        *looks(),
        *signing_in(),
        *(Route(path, _signed_in(page), methods=["GET"]) for path, page in shown.items()),
        *(Route(path, _signed_in(form), methods=["POST"]) for path, form in forms.items()),
        *(
            Route(OFFICES + path, pages.missing, methods=["GET", "POST"])
            for path in ("{office}", "{office}/{rest:path}")
        ),
    ]


def _page(reader: Reading, template: str, twin: str, values: dict[str, Any]) -> Response:
    """Return a page of the province."""
    query = {k: v for k, v in reader.request.query_params.items() if k in ("tinh", "trang") and v}
    told = f"?{urlencode(query)}" if query else ""
    made = render(
        template, reader.site.root, reader=reader, site=reader.site, long=LONG, error=None,
        flash="", twin=f"{twin}{told}", moment=lambda at: moment_words(at, local_day(reader.now)),
        query=urlencode({"tinh": reader.province}) if reader.province else "",
        page=reader.page, **values,
    )  # fmt: skip
    return HTMLResponse(made)


async def _list(reader: Reading, *, as_json: bool = False) -> Response:
    """The offices with their figures, the worst first."""
    site = reader.site

    def read() -> tuple[list[Listed], Sums, list[str]]:
        return *site.lines(reader), site.table.provinces() if reader.operates else []

    lines, sums, provinces = await site.do(read)
    if as_json:
        offices = [_told(each, reader) for each in lines]
        return JSONResponse({"at": plain(reader.now), "sums": plain(sums), "offices": offices})
    return _page(reader, "province.html", "/phuong.json", {
        "lines": lines, "sums": sums, "provinces": provinces, "here": "/",
        "pages": -(-sums.offices // reader.size),
    })  # fmt: skip


def _told(each: Listed, reader: Reading) -> dict[str, Any]:
    """Return an office as JSON has it; without its late work, which has a page of its own."""
    figures = plain(each.figures) if each.figures else {}
    figures.pop("late_work", None)
    own = each.id in reader.serves
    return {
        "id": each.id, "name": each.name, "province": each.province, "fault": each.fault,
        "last_tick": plain(each.last_tick), "figures": figures,
        "page": f"{reader.site.links.base_url}{OFFICES}{each.id}/" if own else "",
    }  # fmt: skip


async def _file(reader: Reading) -> Response:
    """All offices as CSV."""
    whole = replace(reader, size=1_000_000)
    lines, _ = await reader.site.do(partial(reader.site.lines, whole))
    heads = ("Mã", "Xã, phường", "Tỉnh", "Đang mở", "Quá hạn", f"Quá hạn trên {LONG} ngày",
             "Chưa có hạn", "Cán bộ", "Liên lạc được", "Quét lần cuối", "Lỗi")  # fmt: skip
    rows = [
        (
            each.id, each.name, each.province,
            *((f.open, f.late, f.long_late, f.undated, f.people, f.reached) if (
                f := each.figures) else ("",) * 6),
            str(plain(each.last_tick) or ""), each.fault,
        )
        for each in lines
    ]  # fmt: skip
    await reader.note("export", "xa-phuong.csv")
    disposition = {"Content-Disposition": 'attachment; filename="xa-phuong.csv"'}
    return Response(csv_file(heads, rows), media_type=CSV, headers=disposition)


async def _late(reader: Reading, *, as_json: bool = False) -> Response:
    """The late work of each office, by office, the worst first."""
    reader = replace(reader, size=LATE_PAGE)
    lines, sums = await reader.site.do(partial(reader.site.lines, reader, behind=True))
    late: list[tuple[Listed, list[Late]]] = [
        (each, late_work(each.figures.late_work)) for each in lines if each.figures
    ]
    if as_json:
        told = [
            {**_told(each, reader), "late": [plain(work) for work in works]} for each, works in late
        ]
        return JSONResponse({"at": plain(reader.now), "offices": told})
    return _page(reader, "province_late.html", "/qua-han.json", {
        "late": late, "sums": sums, "shown": SHOWN, "here": "/qua-han",
        "pages": -(-sums.behind // reader.size),
    })  # fmt: skip


async def _leave(reader: Reading) -> Response:
    """End the session, and those of the offices that went with it."""
    site = reader.site

    def end() -> None:
        for office in reader.serves:
            hashed = hash_code(reader.secret_for(office))
            site.cache.stores.of(office).end_sessions(hashed)
        site.store.end_sessions(reader.session.hash)

    await site.do(end)
    await reader.note("sign-out", "")
    response = RedirectResponse("/dang-nhap", 303)
    drop_session(site, response)
    return response


class Pages:
    """The app: an office's page under its path, the province's elsewhere."""

    def __init__(self, site: ProvinceSite) -> None:
        self.site = site
        self._reader = Reader(Path(gettempdir()))
        self._offices: OrderedDict[str, tuple[Site, ASGIApp]] = OrderedDict()
        self._whole = guarded(site, _routes(self))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        app = self._whole
        if scope["type"] == "http":
            prefix = f"{self.site.root}{OFFICES}"
            office, _, place = scope["path"].removeprefix(prefix).partition("/")
            entering = (scope["method"], place) == ("POST", "vao")
            if scope["path"].startswith(prefix) and not entering:
                found = await self.office(office)
                app = found[1] if found else app
        await app(scope, receive, send)

    async def office(self, office: str) -> tuple[Site, ASGIApp] | None:
        """Return the page of an office; None where it has none, or can't be made."""
        found: tuple[Site, ASGIApp] | None = await self.site.do(partial(self._office, office))
        return found

    def _office(self, office: str) -> tuple[Site, ASGIApp] | None:
        cache = self.site.cache
        try:
            service = cache.service(office) if len(office) <= LONGEST else None
        except ReminderError as error:
            log.debug("no page of office %s: %s", office, error)
            service = None
        if service is None or (links := cache.links(office)) is None:
            self._offices.pop(office, None)
            return None
        kept = self._offices.pop(office, None) or self._made(office, service, links)
        site = kept[0]
        if site.service is not service:
            site.service, site.links = service, links
            site.editors, site.invite = self._editors(office), self._inviter(office)
        self._offices[office] = kept
        while len(self._offices) > SITES:
            self._offices.popitem(last=False)
        return kept

    def _made(self, office: str, service: Service, links: WebLinks) -> tuple[Site, ASGIApp]:
        site = Site(
            service=service,
            do=self.site.do,
            wake=partial(self.site.soon, partial(self._send, office)),
            now=self.site.now,
            links=links,
            reader=self._reader,
            holiday=holiday_name,
            invite=self._inviter(office),
            is_heard=self.site.is_heard,
            editors=self._editors(office),
            documents=partial(self.site.cache.documents, office),
        )
        return site, guarded(site, office_routes())

    def _editors(self, office: str) -> frozenset[str]:
        return frozenset(self.site.cache.settings(office).web.editors)

    def _inviter(self, office: str) -> Callable[[Person], Invited] | None:
        cache = self.site.cache
        settings, store = cache.settings(office), cache.stores.of(office)
        known = cache.service(office).office
        if not any(
            known.traits(channel).addresses is AddressSource.INVITATION
            for channel in known.channels
        ):
            return None
        return lambda person: invite(settings, store, person, "", self.site.now())

    async def _send(self, office: str) -> None:
        accounts = await self.site.do(lambda: {*self.site.cache.accounts(office).values()})
        for account in accounts:
            await self.site.send(account)

    async def enter(self, reader: Reading) -> Response:
        """Open the page of an office that the reader serves, signed in as who they are there."""
        office = reader.request.path_params["office"]
        person, found = reader.serves.get(office), await self.office(office)
        if person is None or found is None:
            await reader.note("refused", f"{OFFICES}{office}")
            raise HTTPException(404)
        site, secret = found[0], reader.secret_for(office)
        session = replace(
            reader.session, hash=hash_code(secret), person=person, seen_at=reader.now,
            agent=agent_of(reader.request),
        )  # fmt: skip
        older = hash_code(reader.request.cookies.get(site.cookie, ""))
        if not await self.site.do(partial(begin, site, session, older, session.hash)):
            raise HTTPException(404)
        wanted = (await form_of(reader.request)).get("den")
        place = wanted if _PLACE.fullmatch(wanted) else "/"
        response = RedirectResponse(f"{OFFICES}{office}{place}", 303)
        keep_session(site, response, secret, kept=session.kept)
        return response

    async def missing(self, request: Request) -> Response:
        """Tell that an office has no page, or that its page can't be made now."""
        office = request.path_params["office"]
        record = await self.site.do(lambda: self.site.cache.stores.office(office))
        if record is None or record.state is not OfficeState.ACTIVE:
            raise HTTPException(404)
        return told(FAULTY, self.site.root, 503)


def part(province: Province) -> Part:
    """Return what the role web does: all pages."""
    links = province.cache.province_links
    if links is None:
        return Part()

    async def send(account: str) -> None:
        await province.engine.wake(SEND, account)

    heard = province.settings.web.is_heard
    site = ProvinceSite(
        cache=province.cache, links=links, do=province.do, now=province.clock.now, send=send,
        is_heard=heard,
    )  # fmt: skip
    return Part(app=Pages(site), end=site.settled)
