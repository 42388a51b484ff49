"""Signing in without a password: a link or six digits by mail, or a link from the terminal.

A link shows a button and acts on POST alone: scanners of mail servers and previews of messengers
open links (GET), and must not spend them.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import partial
from ipaddress import IPv4Address, IPv6Network, ip_address

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from reminder.domain.outbox import Draft
from reminder.domain.payloads import SignIn
from reminder.domain.people import Person
from reminder.domain.tokens import hash_code, normal_address
from reminder.domain.weblinks import LOGIN_LIFETIME, LOGIN_TRIES
from reminder.services.office import Office
from reminder.store.web import Session, Sight
from reminder.web.site import KEPT, Fault, Form, Site, Visit, form_of, render, signed_in, told

HOUR = timedelta(hours=1)
ASKED_BY_IP = 20  # requests to sign in an hour
MAILED = 10  # sign-in mails an hour to an address
CODES_BY_IP = 60  # codes typed an hour
BROWSER = "nv-dn"  # the cookie that binds a code to the browser that asked for it
SPENT = "Đường dẫn đã dùng hoặc đã hết hạn. Xin mở trang này và lấy đường dẫn khác."
WRONG_CODE = "Mã không đúng."
TOO_OFTEN = "Hỏi quá nhiều lần. Xin thử lại sau một giờ."


def routes() -> list[Route]:
    """The pages of signing in and out."""
    return [
        Route("/dang-nhap", _form, methods=["GET"]),
        Route("/dang-nhap", _ask, methods=["POST"]),
        Route("/dang-nhap/ma", _code_form, methods=["GET"]),
        Route("/dang-nhap/ma", _code, methods=["POST"]),
        Route("/dang-nhap/{token}", _link, methods=["GET"]),
        Route("/dang-nhap/{token}", _use_link, methods=["POST"]),
        Route("/thoat", signed_in(_leave), methods=["POST"]),
    ]


def _site(request: Request) -> Site:
    found: Site = request.app.state.site
    return found


def _ip(request: Request) -> str:
    """The address of who asks; behind a proxy that uvicorn trusts, the one that it names.

    Of IPv6 the network: one customer has 2**64 addresses.
    """
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:  # a proxy's “unknown”
        return host
    if isinstance(address, IPv4Address) or address.ipv4_mapped:
        return host
    return str(IPv6Network((address, 64), strict=False))


def _mail(office: Office) -> str:
    """The channel that sends mail; empty if there is none."""
    return next((c for c in office.channels if office.traits(c).mail), "")


async def _form(request: Request) -> Response:
    return _shown(request, "")


def _shown(request: Request, fault: str, status: int = 200) -> Response:
    mails = bool(_mail(_site(request).service.office))
    return _page(request, "ask", fault, status, mails=mails)


async def _ask(request: Request) -> Response:
    """Mail a link and a code to a known address; the answer to any address is the same."""
    site = _site(request)
    now = site.now()
    form = await form_of(request)
    address = normal_address(form.get("dia-chi"))[:254]
    if "@" not in address:
        return _shown(request, "Xin ghi địa chỉ thư của anh/chị, ví dụ an@example.vn", 422)
    browser = secrets.token_urlsafe(24)
    asked = await site.do(partial(_asked, site, _ip(request), address, browser, now))
    if not asked:
        return _shown(request, TOO_OFTEN, 429)
    site.wake()
    response = RedirectResponse("/dang-nhap/ma", 303)
    _set(site, response, BROWSER, f"{asked}.{browser}", int(LOGIN_LIFETIME / timedelta(seconds=1)))
    return response


def _asked(site: Site, ip: str, address: str, browser: str, now: datetime) -> str:
    """Queue the mail; return the id of the request, made up where nobody has the address.

    Empty if this was one too many.
    """
    service = site.service
    with service.store.together():
        if not service.store.count_try(f"ask:{ip}", now, now - HOUR, ASKED_BY_IP):
            _refused(site, "", f"{TOO_OFTEN} {ip}", now)
            return ""
        office = service.refresh()
        person = next((p for p in office.files.people if normal_address(p.email) == address), None)
        mailed = _mail_code(site, office, address, person, browser, now)
        return mailed or secrets.token_urlsafe(16)


def _mail_code(
    site: Site, office: Office, address: str, person: Person | None, browser: str, now: datetime
) -> str:
    """Queue the mail of a request; return its id, empty if none goes. In the store's thread."""
    service = site.service
    with service.store.together():
        may_mail = service.store.count_try(f"mail:{address}", now, now - HOUR, MAILED)
        if person is None or not may_mail or not (channel := _mail(office)):
            return ""
        login = service.store.add_login(person.id, now, browser)
        draft = Draft(
            slot=now,
            recipient=person.id,
            kind="notice",
            subject=f"sign-in:{login}",
            channel=channel,
            payload=SignIn(login=login),
            due_at=now,
        )
        service.store.record([], unit_names={}, drafts=[draft], at=now)
    return login


def _refused(site: Site, person: str, why: str, now: datetime) -> None:
    """Log a refusal, once an hour for each reason. In the store's thread."""
    entry = Sight(at=now, person=person, what="refused", detail=why)
    site.service.store.note_sight(entry, once_since=now - HOUR)


def _page(
    request: Request,
    step: str,
    fault: str = "",
    status: int = 200,
    *,
    mails: bool = True,
    name: str = "",
) -> Response:
    """Return a step of signing in."""
    root = _site(request).root
    made = render("signin.html", root, fault=fault, step=step, mails=mails, name=name)
    return HTMLResponse(made, status)


def _spent(site: Site) -> Response:
    return told(SPENT, site.root)


async def _code_form(request: Request) -> Response:
    return _page(request, "code")


async def _code(request: Request) -> Response:
    site, now = _site(request), _site(request).now()
    form = await form_of(request)
    typed = "".join(form.get("ma").split())
    login, _, browser = request.cookies.get(BROWSER, "").partition(".")
    try_it = partial(_right_code, site, _ip(request), login, browser, typed, now)
    fault, person = await site.do(try_it)
    if person:
        return await _signed(request, person, kept=bool(form.get("giu")))
    return _page(request, "code", fault, 429 if fault == TOO_OFTEN else 422)


def _right_code(
    site: Site, ip: str, login: str, browser: str, typed: str, now: datetime
) -> tuple[str, str]:
    """Return why the code does not sign in, or who it signs in."""
    store = site.service.store
    with store.together():
        if not store.count_try(f"code:{ip}", now, now - HOUR, CODES_BY_IP):
            _refused(site, "", f"{TOO_OFTEN} {ip}", now)
            return TOO_OFTEN, ""
        found = store.login(login) if login else None
        if found is None or found.tries >= LOGIN_TRIES or found.browser != hash_code(browser):
            return "Mã không đúng hoặc đã hết hạn. Xin lấy mã khác.", ""
        if not secrets.compare_digest(typed.encode(), site.links.code(login).encode()):
            store.miss_login(login)
            _refused(site, found.person, WRONG_CODE, now)
            return f"{WRONG_CODE} Xin xem lại sáu chữ số trong thư.", ""
        if not store.use_login(login, now):
            return "Mã đã dùng hoặc đã hết hạn. Xin lấy mã khác.", ""
    return "", found.person


async def _link(request: Request) -> Response:
    site, now = _site(request), _site(request).now()
    login = site.links.read_login(request.path_params["token"])
    found = await site.do(lambda: site.service.store.login(login)) if login else None
    if found is None or found.used_at or found.expires_at <= now:
        return _spent(site)
    person = site.service.office.people.get(found.person)
    name = person.name if person else ""
    return _page(request, "link", name=name)


async def _use_link(request: Request) -> Response:
    site, now = _site(request), _site(request).now()
    store = site.service.store
    login = site.links.read_login(request.path_params["token"])
    form = await form_of(request)

    def use() -> str:
        found = store.login(login) if login else None
        return found.person if found and store.use_login(login, now) else ""

    person = await site.do(use)
    return await _signed(request, person, kept=bool(form.get("giu"))) if person else _spent(site)


async def _signed(request: Request, person: str, *, kept: bool) -> Response:
    """Begin a session, and leave an older one of this browser."""
    site, now = _site(request), _site(request).now()
    store = site.service.store
    secret = secrets.token_urlsafe(32)
    session = Session(
        hash=hash_code(secret),
        person=person,
        made_at=now,
        seen_at=now,
        kept=kept,
        agent=request.headers.get("user-agent", "")[:200],
    )
    older = hash_code(request.cookies.get(site.cookie, ""))

    def begin() -> bool:
        if person not in site.service.refresh().people:
            return False
        with store.together():
            store.end_sessions(older)
            store.add_session(session)
            store.note_sight(
                Sight(
                    at=now, person=person, what="sign-in", detail=session.agent,
                    session=session.hash[:8],
                )
            )  # fmt: skip
        return True

    if not await site.do(begin):
        return _spent(site)
    response = RedirectResponse("/", 303)
    _set(site, response, site.cookie, secret, int(KEPT / timedelta(seconds=1)) if kept else None)
    response.delete_cookie(BROWSER, path=_path(site))
    return response


def _set(site: Site, response: Response, name: str, value: str, seconds: int | None) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path=_path(site), secure=site.https, httponly=True,
        samesite="lax",
    )  # fmt: skip


def _path(site: Site) -> str:
    """Return where the page's cookies are sent: to no other page of the host."""
    return site.root or "/"


# ---- a code once more, before what changes rights and plans

FRESH = timedelta(minutes=30)  # after a sign-in or a code, in which none is asked for
_AGAIN = ("ma-xac-nhan", "lan", "gui")  # the fields of the page that asks


async def ask_again(visit: Visit, form: Form) -> Response | None:
    """Return None if the sign-in is fresh, or `form` has the code; else the page that asks for it.

    The page carries the form's fields and sends them again, to the same address.
    """
    site, session, now = visit.site, visit.session, visit.now
    if session is None:
        return None  # of a made-up office, which asks nobody to sign in
    if now - max(session.made_at, session.proved_at or session.made_at) < FRESH:
        return None
    login, typed, fault = form.get("lan"), "".join(form.get("ma-xac-nhan").split()), ""
    if typed and not form.get("gui"):
        ip = _ip(visit.request)
        try_it = partial(_right_code, site, ip, login, session.hash, typed, now)
        fault, person = await site.do(try_it)
        if person == visit.person.id:
            await site.do(lambda: site.service.store.prove_session(session.hash, now))
            return None
    elif not login or form.get("gui"):
        address = normal_address(visit.person.email)
        mail = partial(_mail_code, site, visit.office, address, visit.person, session.hash, now)
        login = await site.do(mail) if address else ""
        site.wake()
    else:
        fault = "Xin gõ mã sáu chữ số trong thư."
    fields = [(name, value) for name, value in form.pairs if name not in _AGAIN]
    error = Fault(fault, "ma-xac-nhan") if fault else None
    return await visit.page(
        "again.html", 422 if fault else 200, error=error, login=login, fields=fields
    )


async def _leave(visit: Visit) -> Response:
    site, session = visit.site, visit.session
    if session is not None:
        await site.do(lambda: site.service.store.end_sessions(session.hash))
        await visit.note("sign-out")
    response = RedirectResponse("/dang-nhap", 303)
    response.delete_cookie(site.cookie, path=_path(site), secure=site.https, httponly=True)
    return response
