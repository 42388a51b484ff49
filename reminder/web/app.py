"""The app: its routes, and what holds for every answer: headers, origin, host, size."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reminder.channels import Hook
from reminder.domain.errors import ReminderError
from reminder.web import (
    acceptance,
    account,
    acts,
    api,
    drafts,
    ledger,
    pages,
    people,
    plan_forms,
    plans,
    reports,
    signin,
)
from reminder.web.site import LoginSite, Site, told

log = logging.getLogger(__name__)

LARGEST = 64 * 1024  # bytes of a form
LARGEST_TEXT = 512 * 1024  # of one with the text of a plan, which has 100 kB for a hundred tasks
# Of what a provider posts: an update of Telegram may carry two texts of 4,096 letters, each of them
# six bytes, and their formats and buttons.
LARGEST_POSTED = 256 * 1024
LONGEST_PATH = 2000  # characters: a number of more digits than `int` takes is a fault of ours
CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action {forms}; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer browsers send “Origin: null”
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" '
    'rx="3" fill="#1f4e79"/><path d="M4 8l3 3 5-6" fill="none" stroke="#fff" stroke-width="2"/>'
    "</svg>"
)
PROBED = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
FOREIGN = "Yêu cầu này không đến từ trang theo dõi. Xin mở lại trang rồi gửi."
_PROBES = ("/healthz", "/metrics")
MISSING = "Không có trang này."
TOO_LARGE = "Nội dung gửi lên quá dài."
WRONG_HOST = "Trang theo dõi không ở địa chỉ này."
Probe = Callable[[], Awaitable[tuple[int, str, bytes]]]  # status, media type, body


def make_app(
    site: Site,
    probes: Mapping[str, Probe] | None = None,
    hooks: Mapping[str, Hook] | None = None,
) -> ASGIApp:
    """The app of one office's page; `probes` are /healthz and /metrics, which need no session.

    `hooks` take what providers post, by any name of the host, and prove each request themselves.
    """
    taken = dict(hooks or {})
    of_host = [Route(path, _hooked(hook), methods=["POST"]) for path, hook in taken.items()]
    return guarded(site, [*_probes(probes or {}), *of_host, *office_routes()], frozenset(taken))


def guarded(
    site: LoginSite, routes: Sequence[Route], hooks: frozenset[str] = frozenset()
) -> ASGIApp:
    """Return the app of these pages, which look at `site`, with what holds for every answer."""
    app = Starlette(
        routes=routes,
        exception_handlers={HTTPException: _http_error, ReminderError: _busy, Exception: _fault},
    )
    app.state.site = site
    return Guard(app, site.links.base_url, hooks)


@cache
def office_routes() -> tuple[Route, ...]:
    """The pages of an office; the same for each."""
    return (
        *looks(),
        *signin.routes(),
        *signin.leaving(),
        *drafts.routes(),
        *acceptance.routes(),
        *pages.routes(),
        *plan_forms.routes(),
        *plans.routes(),
        *ledger.routes(),
        *people.routes(),
        *reports.routes(),
        *acts.routes(),
        *account.routes(),
        *api.routes(),
    )


def looks() -> list[Route]:
    """The style of all pages, and their icon."""
    style = files("reminder.web").joinpath("templates/style.css").read_bytes()

    async def stylesheet(_: Request) -> Response:
        cached = {"Cache-Control": "public, max-age=3600"}
        return Response(style, media_type="text/css; charset=utf-8", headers=cached)

    async def icon(_: Request) -> Response:
        cached = {"Cache-Control": "public, max-age=86400"}
        return Response(ICON, media_type="image/svg+xml", headers=cached)

    return [
        Route("/kieu.css", stylesheet, methods=["GET"]),
        Route("/favicon.ico", icon, methods=["GET"]),
    ]


def _hooked(hook: Hook) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        headers = {**dict(request.headers.raw), b":path": request.url.path.encode()}
        return Response(status_code=await hook(headers, await request.body()))

    return endpoint


def make_front(
    probes: Mapping[str, Probe], hooks: Mapping[str, Hook], pages: ASGIApp | None
) -> ASGIApp:
    """The app of a province's process: probes, what providers post, then the pages, if any.

    A hook whose path ends with “/” takes what is posted to any path beneath it.
    """
    posted = [
        Route(f"{path}{{beneath:path}}" if path.endswith("/") else path, _hooked(hook),
              methods=["POST"])
        for path, hook in hooks.items()
    ]  # fmt: skip
    taken = Guard(Starlette(routes=[*_probes(probes), *posted]), "", frozenset(hooks))

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        ours = path in probes or taken.is_posted(path)
        await ((taken if ours else pages) or taken)(scope, receive, send)

    return front


def make_watch(probes: Mapping[str, Probe]) -> ASGIApp:
    """The app where the page is off: /healthz and /metrics alone."""

    async def others(_: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 500)
        say = {404: "here are /healthz and /metrics", 405: "only GET"}.get(status, "see the log")
        return PlainTextResponse(f"{say}\n", status, headers=PROBED)

    return Starlette(routes=_probes(probes), exception_handlers={HTTPException: others})


def _probes(probes: Mapping[str, Probe]) -> list[Route]:
    return [Route(path, _probe(probe), methods=["GET"]) for path, probe in probes.items()]


def _probe(probe: Probe) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            status, media_type, body = await probe()
        except Exception as error:  # noqa: BLE001  a request must not end the daemon
            log.error("%s failed: %s: %s", request.url.path, type(error).__name__, error)
            status, media_type, body = 500, "text/plain", b"see the log\n"
        return Response(body, status, headers=PROBED, media_type=media_type)

    return endpoint


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: MISSING, 405: "Trang này không nhận yêu cầu ấy."}
    say = words.get(error.status_code, "Không làm được việc này.")
    response = _sentence(request.scope, say, error.status_code)
    response.headers.update(error.headers or {})
    return response


async def _busy(request: Request, error: Exception) -> Response:
    log.warning("a page could not be made: %s", error)
    say = "Máy đang bận, chưa ghi được gì. Xin thử lại sau một phút."
    return _sentence(request.scope, say, 503)


async def _fault(request: Request, error: Exception) -> Response:
    log.error("%s %s failed: %s: %s", request.method, request.url.path, type(error).__name__, error)
    say = "Trang này gặp lỗi, chưa ghi được gì. Xin báo quản trị."
    return _sentence(request.scope, say, 500)


class Guard:
    """Refuse wrong hosts, foreign forms and large bodies; add the headers to every answer.

    Where the page's address has a path, what is asked for beyond it is not found, and the path is
    set before the place to which an answer leads.
    """

    def __init__(self, app: ASGIApp, base_url: str, hooks: frozenset[str] = frozenset()) -> None:
        self._app, self._hooks = app, hooks  # hooks: paths to which providers post
        self._beneath = tuple(path for path in hooks if path.endswith("/"))  # and any beneath these
        parts = urlsplit(base_url)
        self._origin, self._root = f"{parts.scheme}://{parts.netloc}", parts.path
        self._host = parts.netloc
        # Under a path the forms of one page are sent to no other page of the host.
        forms = f"{base_url}/" if self._root else "'self'"
        self._headers = {"Content-Security-Policy": CSP.format(forms=forms), **HEADERS}
        if base_url.startswith("https:"):
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        root = "" if self._is_known(scope["path"]) else self._root
        scope = {**scope, "root_path": root}

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name.lower() for name, _ in message["headers"]}
                added = {"Cache-Control": "no-store", **self._headers}
                message["headers"] = [
                    *(
                        (name, root.encode() + value)
                        if name.lower() == b"location" and value.startswith(b"/")
                        else (name, value)
                        for name, value in message["headers"]
                    ),
                    *(
                        (name.encode(), value.encode())
                        for name, value in added.items()
                        if name.lower().encode() not in names
                    ),
                ]
            await send(message)

        fault = self._fault(scope, headers)
        if fault is not None:
            await fault(scope, receive, with_headers)
            return
        if _is_upload(scope):  # it counts its bytes itself
            await self._app(scope, receive, with_headers)
            return
        body = b""
        if scope["method"] in ("POST", "PUT", "PATCH"):
            more = True
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    return
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > self._largest(scope):
                    await _sentence(scope, TOO_LARGE, 413)(scope, receive, with_headers)
                    return
        given = False

        async def whole() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, whole, with_headers)

    def _fault(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Response | None:
        path, place = scope["path"], _place(scope)
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if not self._is_known(path) and host != self._host:
            return _sentence(scope, WRONG_HOST, 421)
        if path == scope["root_path"]:
            return RedirectResponse("/", 308)
        if len(path) > LONGEST_PATH or not path.startswith(f"{scope['root_path']}/"):
            return _sentence(scope, MISSING, 404)
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or (int(length) > self._largest(scope) and not _is_upload(scope)):
            return _sentence(scope, TOO_LARGE, 413)
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return None
        if self.is_posted(path) or place.startswith(f"{api.ROOT}/"):
            return None  # these need a token, which browsers do not send by themselves
        site = headers.get(b"sec-fetch-site", b"").decode("latin-1")
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        ours = origin == self._origin or (not origin and site == "same-origin")
        if not ours or site in ("cross-site", "same-site"):
            return _sentence(scope, FOREIGN, 403)
        return None

    def _is_known(self, path: str) -> bool:
        """Return whether a path is of the host, by any of its names."""
        return path in _PROBES or self.is_posted(path)

    def is_posted(self, path: str) -> bool:
        """Return whether providers post to `path`."""
        return path in self._hooks or path.startswith(self._beneath)

    def _largest(self, scope: Scope) -> int:
        """Return how many bytes a request may have."""
        if self.is_posted(scope["path"]):
            return LARGEST_POSTED
        place = _place(scope)
        plans = place.startswith("/ke-hoach/") and place.endswith("/van-ban")
        return LARGEST_TEXT if plans or place == "/ke-hoach-moi" else LARGEST


def _place(scope: Scope) -> str:
    """Return the path of a request within the page."""
    found: str = scope["path"].removeprefix(scope["root_path"])
    return found


def _is_upload(scope: Scope) -> bool:
    return (scope["method"], _place(scope)) == ("POST", drafts.PLACE)


def _sentence(scope: Scope, say: str, status: int) -> Response:
    """A page of one sentence; to a program, a problem."""
    if _place(scope).startswith(f"{api.ROOT}/"):
        return api.ProblemError(status, say).response()
    return told(say, scope["root_path"], status)
