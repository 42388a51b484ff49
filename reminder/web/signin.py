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

from reminder.domain.tokens import hash_code, normal_address
from reminder.domain.weblinks import LOGIN_LIFETIME, LOGIN_TRIES
from reminder.store.web import Session, Sight
from reminder.web.site import KEPT, Fault, Form, LoginSite, Visit, form_of, render, signed_in, told

HOUR = timedelta(hours=1)
ASKED_BY_IP = 20  # requests to sign in an hour
MAILED = 10  # sign-in mails an hour to an address
CODES_BY_IP = 60  # codes typed an hour
SPENT = "Đường dẫn đã dùng hoặc đã hết hạn. Xin mở trang này và lấy đường dẫn khác."
WRONG_CODE = "Mã không đúng."
TOO_OFTEN = "Hỏi quá nhiều lần. Xin thử lại sau một giờ."


def routes() -> list[Route]:
    """The pages of signing in."""
    return [
        Route("/dang-nhap", _form, methods=["GET"]),
        Route("/dang-nhap", _ask, methods=["POST"]),
        Route("/dang-nhap/ma", _code_form, methods=["GET"]),
        Route("/dang-nhap/ma", _code, methods=["POST"]),
        Route("/dang-nhap/{token}", _link, methods=["GET"]),
        Route("/dang-nhap/{token}", _use_link, methods=["POST"]),
    ]


def leaving() -> list[Route]:
    """The form that ends an office's session."""
    return [Route("/thoat", signed_in(_leave), methods=["POST"])]


def _site(request: Request) -> LoginSite:
    found: LoginSite = request.app.state.site
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


async def _form(request: Request) -> Response:
    return _page(_site(request), "ask")


async def _ask(request: Request) -> Response:
    """Mail a link and a code to a known address; the answer to any address is the same."""
    site = _site(request)
    now = site.now()
    form = await form_of(request)
    address = normal_address(form.get("dia-chi"))[:254]
    if "@" not in address:
        return _page(site, "ask", "Xin ghi địa chỉ thư của anh/chị, ví dụ an@example.vn", 422)
    browser = secrets.token_urlsafe(24)
    asked = await site.do(partial(_asked, site, _ip(request), address, browser, now))
    if not asked:
        return _page(site, "ask", TOO_OFTEN, 429)
    site.wake()
    response = RedirectResponse("/dang-nhap/ma", 303)
    _set(
        site,
        response,
        site.asking,
        f"{asked}.{browser}",
        int(LOGIN_LIFETIME / timedelta(seconds=1)),
    )
    return response


def _asked(site: LoginSite, ip: str, address: str, browser: str, now: datetime) -> str:
    """Queue the mail; return the id of the request, made up where nobody has the address.

    Empty if this was one too many.
    """
    with site.store.together():
        if not site.store.count_try(f"ask:{ip}", now, now - HOUR, ASKED_BY_IP):
            _refused(site, "", f"{TOO_OFTEN} {ip}", now)
            return ""
        mailed = _mail_code(site, address, site.known(address), browser, now)
        return mailed or secrets.token_urlsafe(16)


def _mail_code(site: LoginSite, address: str, person: str, browser: str, now: datetime) -> str:
    """Queue the mail of a request; return its id, empty if none goes. In the store's thread."""
    store = site.store
    with store.together():
        may_mail = store.count_try(f"mail:{address}", now, now - HOUR, MAILED)
        if not person or not may_mail or not site.mails:
            return ""
        login = store.add_login(person, now, browser)
        site.post_code(login, person, now)
    return login


def _refused(site: LoginSite, person: str, why: str, now: datetime) -> None:
    """Log a refusal, once an hour for each reason. In the store's thread."""
    entry = Sight(at=now, person=person, what="refused", detail=why)
    site.store.note_sight(entry, once_since=now - HOUR)


def _page(
    site: LoginSite, step: str, fault: str = "", status: int = 200, *, name: str = ""
) -> Response:
    """Return a step of signing in."""
    made = render("signin.html", site.root, fault=fault, step=step, mails=site.mails, name=name)
    return HTMLResponse(made, status)


def _spent(site: LoginSite) -> Response:
    return told(SPENT, site.root)


async def _code_form(request: Request) -> Response:
    return _page(_site(request), "code")


async def _code(request: Request) -> Response:
    site, now = _site(request), _site(request).now()
    form = await form_of(request)
    typed = "".join(form.get("ma").split())
    login, _, browser = request.cookies.get(site.asking, "").partition(".")
    try_it = partial(_right_code, site, _ip(request), login, browser, typed, now)
    fault, person = await site.do(try_it)
    if person:
        return await _signed(request, person, kept=bool(form.get("giu")))
    return _page(_site(request), "code", fault, 429 if fault == TOO_OFTEN else 422)


def _right_code(
    site: LoginSite, ip: str, login: str, browser: str, typed: str, now: datetime
) -> tuple[str, str]:
    """Return why the code does not sign in, or who it signs in."""
    store = site.store
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

    def found() -> tuple[bool, str]:
        asked = site.store.login(login) if login else None
        if asked is None or asked.used_at or asked.expires_at <= now:
            return False, ""
        return True, site.name_of(asked.person)

    alive, name = await site.do(found)
    return _page(site, "link", name=name) if alive else _spent(site)


async def _use_link(request: Request) -> Response:
    site, now = _site(request), _site(request).now()
    store = site.store
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
    secret = secrets.token_urlsafe(32)
    session = Session(
        hash=hash_code(secret),
        person=person,
        made_at=now,
        seen_at=now,
        kept=kept,
        agent=agent_of(request),
    )
    older = hash_code(request.cookies.get(site.cookie, ""))
    if not await site.do(partial(begin, site, session, older)):
        return _spent(site)
    response = RedirectResponse("/", 303)
    keep_session(site, response, secret, kept=kept)
    response.delete_cookie(site.asking, path=_path(site))
    return response


def agent_of(request: Request) -> str:
    """Return what the browser calls itself."""
    return request.headers.get("user-agent", "")[:200]


def begin(site: LoginSite, session: Session, *older: str) -> bool:
    """Begin a session in the place of older ones; False for who is not known any more.

    In the store's thread.
    """
    if not site.name_of(session.person):
        return False
    entry = Sight(
        at=session.seen_at, person=session.person, what="sign-in", detail=session.agent,
        session=session.hash[:8],
    )  # fmt: skip
    with site.store.together():
        site.store.end_sessions(*older)
        site.store.add_session(session)
        site.store.note_sight(entry)
    return True


def keep_session(site: LoginSite, response: Response, secret: str, *, kept: bool) -> None:
    """Have the browser keep a session: while it is open, or for weeks."""
    _set(site, response, site.cookie, secret, int(KEPT / timedelta(seconds=1)) if kept else None)


def drop_session(site: LoginSite, response: Response) -> None:
    """Have the browser forget its session."""
    response.delete_cookie(site.cookie, path=_path(site), secure=site.https, httponly=True)


def _set(site: LoginSite, response: Response, name: str, value: str, seconds: int | None) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path=_path(site), secure=site.https, httponly=True,
        samesite="lax",
    )  # fmt: skip


def _path(site: LoginSite) -> str:
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
            await site.do(lambda: site.store.prove_session(session.hash, now))
            return None
    elif not login or form.get("gui"):
        address = normal_address(visit.person.email)
        mail = partial(_mail_code, site, address, visit.person.id, session.hash, now)
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
        await site.do(lambda: site.store.end_sessions(session.hash))
        await visit.note("sign-out")
    response = RedirectResponse("/dang-nhap", 303)
    drop_session(site, response)
    return response
