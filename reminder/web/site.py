"""What every page looks at: the office, who is signed in, the clock; and how a page is made."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, ClassVar, Protocol
from urllib.parse import parse_qsl

from jinja2 import Environment
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from reminder.domain.calendar import local, local_day, monday_of
from reminder.domain.context import Sender
from reminder.domain.digest import Figures, digest
from reminder.domain.outbox import Draft, Invited
from reminder.domain.payloads import SignIn
from reminder.domain.people import Person
from reminder.domain.plan import Key
from reminder.domain.text import one_line
from reminder.domain.tokens import hash_code, normal_address
from reminder.domain.weblinks import WebLinks
from reminder.files.documents import Documents
from reminder.messages.compose import environment
from reminder.messages.context import Context
from reminder.services.office import Files, Office
from reminder.services.service import Service
from reminder.services.status import first_start
from reminder.store.records import StoreBusyError
from reminder.store.store import Store
from reminder.store.web import Session, Sight
from reminder.web.twins import place_of, plain
from reminder.web.uploads import Reader
from reminder.web.words import to_decide

IDLE = timedelta(hours=12)  # after which a session ends
KEPT = timedelta(days=30)  # the same on a device of one's own
NOTED = timedelta(minutes=5)  # how often the use of a session is written down
FIELDS = 500  # of a form, at most
ANSWERS = 500  # of acts, that are kept until their page is read
NAME = "web"  # the channel of what is done here


class LoginSite(Protocol):
    """What people sign in to: the page of an office, or that of a province."""

    links: WebLinks
    cookies: ClassVar[str]  # what the names of its cookies have
    do: Callable[[Callable[[], Any]], Awaitable[Any]]  # runs work in the store's thread
    now: Callable[[], datetime]
    wake: Callable[[], None]  # has what was queued sent

    @property
    def store(self) -> Store:
        """Where sessions, requests and tries are kept."""

    @property
    def root(self) -> str:
        """What the paths of its pages begin with; empty where it has the whole host."""
        return self.links.root

    @property
    def https(self) -> bool:
        """Whether browsers send its cookies over https alone."""
        return self.links.base_url.startswith("https:")

    @property
    def cookie(self) -> str:
        """The name of the session's cookie; browsers drop `__Host-` over http or with a path."""
        if not self.https:
            return self.cookies
        return f"__Secure-{self.cookies}" if self.root else f"__Host-{self.cookies}"

    @property
    def asking(self) -> str:
        """The name of the cookie that binds a code to the browser that asked for it."""
        return f"{self.cookies}-dn"

    @property
    def mails(self) -> bool:
        """Whether it can send mail."""

    def known(self, address: str) -> str:
        """Return who has this mail address; empty: nobody."""

    def name_of(self, person: str) -> str:
        """Return a person's name; empty for who is not known."""

    def post_code(self, login: str, person: str, now: datetime) -> None:
        """Queue the mail of a request to sign in."""


@dataclass
class Site(LoginSite):
    """One office's page."""

    cookies = "nv"

    service: Service
    do: Callable[[Callable[[], Any]], Awaitable[Any]]
    wake: Callable[[], None]  # what was decided is sent
    now: Callable[[], datetime]
    links: WebLinks
    reader: Reader  # of documents that are sent in
    holiday: Callable[..., str] = Context.holiday
    editors: frozenset[str] = frozenset()  # who of the office may change the plan here
    # The texts of plans and people, where they are in the database; None: they are files.
    documents: Callable[[], Documents | None] = lambda: None
    plan_folder: Path | None = None  # where the office keeps its plan files
    plan_paths: Callable[[], Sequence[Path]] = tuple  # the files that are read
    # Makes an invitation, in the store's thread; None: nobody can be invited here.
    invite: Callable[[Person], Invited] | None = None
    is_heard: bool = False  # others can hear what goes over the line
    open_to: str = ""  # a person as whom anybody reads and acts: of a made-up office alone
    # By its nonce, what was said to an act: shown once on the page that follows it.
    answers: dict[str, str] = field(default_factory=dict)
    salt: str = field(default_factory=lambda: secrets.token_hex(4))  # of this process' ETags
    _before: tuple[Files | None, date | None, Figures | None] = (None, None, None)
    _marked: tuple[Office | None, int] = (None, 0)  # an office, and how many came before it

    @property
    def store(self) -> Store:
        """The office's store."""
        return self.service.store

    @property
    def mails(self) -> bool:
        """Whether the office has a channel that sends mail."""
        return bool(self._mail_channel)

    @property
    def _mail_channel(self) -> str:
        office = self.service.office
        return next((c for c in office.channels if office.traits(c).mail), "")

    def known(self, address: str) -> str:
        """Return who has this mail address; empty: nobody. In the store's thread."""
        people = self.service.refresh().files.people
        return next((p.id for p in people if normal_address(p.email) == address), "")

    def name_of(self, person: str) -> str:
        """Return the name of a person; empty where the office has none. In the store's thread."""
        found = self.service.refresh().people.get(person)
        return found.name if found else ""

    def post_code(self, login: str, person: str, now: datetime) -> None:
        """Queue the mail of a request to sign in. In the store's thread."""
        self.store.record([], unit_names={}, at=now, drafts=[
            sign_in_mail(SignIn(login=login), person, self._mail_channel, now)
        ])  # fmt: skip

    def context(self, office: Office, now: datetime) -> Context:
        """What messages and pages are made from."""
        return Context(office=office, at=now, holiday=self.holiday)

    def mark_of(self, office: Office) -> str:
        """Return a mark that ledger, addresses, files and each act change."""
        if office is not self._marked[0]:
            self._marked = (office, self._marked[1] + 1)
        return f"{self.salt}-{self._marked[1]}"

    def figures_before(self, office: Office, now: datetime) -> Figures | None:
        """Return the figures of the last digest, which stay as they are for a week.

        In the store's thread.
        """
        files, monday, found = self._before
        if files is not office.files or monday != monday_of(local_day(now)):
            started = first_start(office, self.service.store.metas(), now)
            compared = digest(office.plans, office.events, office.scheduler, now, started=started)
            found = compared.before
            self._before = (office.files, monday_of(local_day(now)), found)
        return found

    def keep(self, nonce: str, said: str) -> None:
        """Keep the answer to an act until its page is read; its form is not to be sent again."""
        self._marked = (None, self._marked[1])
        self.answers[nonce] = said
        while len(self.answers) > ANSWERS:
            self.answers.pop(next(iter(self.answers)))

    def session_of(self, secret: str, now: datetime) -> tuple[Session | None, Office]:
        """Return the live session of a cookie, and the office. In the store's thread."""
        office = self.service.refresh()
        return live_session(self.store, secret, now, office.people.__contains__), office


def live_session(
    store: Store, secret: str, now: datetime, is_known: Callable[[str], bool]
) -> Session | None:
    """Return the live session of a cookie; one of who is not known any more ends."""
    found = store.session(hash_code(secret)) if secret else None
    if found is None:
        return None
    limit = found.made_at + KEPT if found.kept else found.seen_at + IDLE
    if now >= limit or not is_known(found.person):
        store.end_sessions(found.hash)
        return None
    if now - found.seen_at >= NOTED:
        with suppress(StoreBusyError):  # noted by a later request
            store.touch_session(found.hash, now)
    return found


def sign_in_mail(payload: SignIn, person: str, channel: str, now: datetime) -> Draft:
    """Return the mail with the link and the code of a request to sign in."""
    return Draft(
        slot=now, recipient=person, kind="notice", subject=f"sign-in:{payload.login}",
        channel=channel, payload=payload, due_at=now,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A request of somebody who is signed in."""

    site: Site
    request: Request
    office: Office
    person: Person
    now: datetime
    session: Session | None = None  # None: by the link of a mail
    public: bool = False  # of a mail's link: no other page
    as_json: bool = False
    twinned: bool = False  # the page has its JSON

    @cached_property
    def sender(self) -> Sender:
        return self.office.as_sender(self.person)

    @property
    def edits(self) -> bool:
        """Whether the reader may change the plan here."""
        return self.sender.office and self.person.id in self.site.editors

    @cached_property
    def context(self) -> Context:
        return self.site.context(self.office, self.now)

    async def note(self, what: str, detail: str = "") -> None:
        """Write an entry of the log of sight: what the reader took along, or was refused."""
        session = self.session.hash[:8] if self.session else ""
        entry = Sight(at=self.now, person=self.person.id, what=what, detail=detail, session=session)
        await self.site.do(partial(self.site.service.store.note_sight, entry))

    @property
    def address(self) -> str:
        """The address that was asked for, without what was said to an act."""
        url = self.request.url.remove_query_params("ghi")
        return f"{url.path}?{url.query}" if url.query else url.path

    @property
    def twin(self) -> str:
        """The address of the page's JSON; empty where it has none."""
        path, _, query = self.address.partition("?")
        if self.request.method != "GET" or not self.twinned:
            return ""
        return f"{path}.json?{query}" if query else f"{path}.json"

    def at(self, place: str) -> str:
        """Return the path of one of the pages."""
        return f"{self.site.root}{place}"

    @property
    def page_number(self) -> int:
        """The number of the page that the address names; 1 where it names none."""
        asked = self.request.query_params.get("trang", "")
        return int(asked) if re.fullmatch(r"[1-9]\d{0,5}", asked, re.ASCII) else 1

    def go(self, place: str) -> Response:
        """Return what leads to another page, or to its JSON from JSON."""
        return RedirectResponse(f"{place}.json" if self.as_json else place, 303)

    async def page(
        self, template: str, status: int = 200, *, mark: str | None = None, **values: Any
    ) -> Response:
        """Return a page; it is made beside the loop, which sends messages meanwhile.

        `mark`: what the page shows besides the office as it is this hour; None: what no mark can
        tell. The same page is not made again where a browser has it.
        """
        headers = {}
        if mark is not None and status == 200 and "ghi" not in self.request.query_params:
            hour = f"{local(self.now):%Y-%m-%dT%H}"
            of = (self.site.mark_of(self.office), hour, self.person.id, self.as_json, mark)
            tag = f'"{hash_code(repr(of))[:24]}"'
            headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Cookie"}
            if tag in self.request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers=headers)
        make = self._twin if self.as_json else partial(self._made, template)
        made = await asyncio.to_thread(partial(make, **values))
        kind = JSONResponse if self.as_json else HTMLResponse
        return kind(made, status, headers=headers)

    def _twin(self, make: Callable[[], dict[str, Any]] | None = None, **values: Any) -> Any:
        return {"at": plain(self.now), **plain(values | (make() if make else {}))}

    def _made(self, template: str, make: Callable[[], dict[str, Any]] | None = None,
              **values: Any) -> str:  # fmt: skip
        values |= make() if make else {}
        sender, context = self.sender, self.context
        waits = sender.office and not self.public
        shown = {
            "visit": self,
            "c": context,
            "sender": sender,
            "decides": sender.office,
            "waiting": (values.get("desk") or to_decide(context)).count if waits else 0,
            "error": None,
            "flash": "",
            "here": "",
        }
        return render(template, self.site.root, **(shown | values))


async def visit(site: Site, request: Request) -> Visit | None:
    """Return who is signed in; None: nobody."""
    now = site.now()
    secret = request.cookies.get(site.cookie, "")
    session, office = await site.do(lambda: site.session_of(secret, now))
    person = office.people.get(session.person if session else site.open_to)
    if person is None:
        return None
    return Visit(site=site, request=request, office=office, person=person, now=now, session=session)


Page = Callable[[Visit], Awaitable[Response]]


def shown_at(pages: Mapping[str, Page]) -> list[Route]:
    """Return the routes of pages that show, each with its JSON."""
    return [
        Route(path + more, signed_in(page, as_json=bool(more)), methods=["GET"])
        for more in (".json", "")
        for path, page in pages.items()
    ]


def signed_in(
    page: Page, *, as_json: bool | None = None
) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of a page for people who are signed in; others are asked to.

    `as_json`: whether it is the page's JSON; None: the page has none.
    """

    async def endpoint(request: Request) -> Response:
        found = await visit(request.app.state.site, request)
        if found is None:
            return RedirectResponse("/dang-nhap", 303)
        has_twin = as_json is not None
        return await page(replace(found, as_json=bool(as_json), twinned=has_twin))

    return endpoint


def files_at(pages: Mapping[str, Page]) -> list[Route]:
    """Return the routes of what is shown or taken along, without a JSON of its own."""
    return [Route(path, signed_in(page), methods=["GET"]) for path, page in pages.items()]


def forms_at(forms: Mapping[str, Page]) -> list[Route]:
    """Return the routes of forms."""
    return [Route(path, signed_in(form), methods=["POST"]) for path, form in forms.items()]


class FieldError(Exception):
    """A field that can't be read; the page shows it beside the field, with what was typed."""

    def __init__(self, field: str, say: str) -> None:
        super().__init__(say)
        self.field, self.say = field, say


@dataclass(frozen=True)
class Fault:
    """What is wrong with a form, for the page that shows it again."""

    said: str
    field: str = ""
    more: tuple[str, ...] = ()  # each fault of a text


@dataclass(frozen=True)
class Form:
    """The fields of a form that was sent, as text."""

    pairs: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """Return the first field of this name; empty if there is none."""
        return self.first.get(name, "")

    @property
    def first(self) -> dict[str, str]:
        """The first field of each name."""
        return dict(reversed(self.pairs))

    def all(self, name: str) -> list[str]:
        """Return all fields of this name."""
        return [value for field, value in self.pairs if field == name]


async def form_of(request: Request) -> Form:
    """Return the form in the body; an empty one where there is none."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return Form(tuple(parse_qsl(body, keep_blank_values=True, max_num_fields=FIELDS)))
    except ValueError:
        return Form(())


def nonce() -> str:
    """Return what tells one form from another: the same one twice acts once."""
    return secrets.token_urlsafe(12)


def is_nonce(text: str) -> bool:
    """Return whether `text` can be a form's."""
    return re.fullmatch(r"[\w-]{8,64}", text) is not None


def key_of(place: str) -> Key | None:
    """Return the key that `place_of` wrote; None for anything else."""
    parts = place.split("/")
    if len(parts) != len(Key._fields) or not re.fullmatch(r"\d{1,4}", parts[2], re.ASCII):
        return None
    return Key(parts[0], parts[1], int(parts[2]), parts[3])


def told(message: str, root: str, status: int = 200) -> Response:
    """Return a page of one sentence to somebody who is not signed in."""
    return HTMLResponse(render("told.html", root, title=message, message=message), status)


@cache
def _environment() -> Environment:
    made = environment("reminder.web", _clean)
    made.filters |= {
        "place": place_of,
        "whole": escape,  # with its line ends, and however long
    }
    made.globals["nonce"] = nonce
    return made


def _clean(value: object) -> object:
    """Texts from files and people are shown without control characters."""
    return (
        one_line(value, 2000) if isinstance(value, str) and not isinstance(value, Markup) else value
    )


def render(template: str, root: str, **values: Any) -> str:
    """Return the page of a template; the paths of its links begin with `root`."""
    return _environment().get_template(template).render(root=root, **values)
