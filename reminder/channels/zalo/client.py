"""Requests to Zalo's Bot Platform, and its answers as they are meant.

Zalo answers most errors with HTTP 200, so the body is read first, and the status counts only where
the body is no JSON. The token is a part of the path, so no error here carries a URL.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from reminder.channels import trust
from reminder.domain.errors import scrub
from reminder.domain.outbox import backoff
from reminder.domain.text import one_line

if TYPE_CHECKING:
    from aiohttp import ClientSession

DEFAULT_BASE_URL = "https://bot-api.zaloplatforms.com/bot"
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
CONNECTIONS = 16  # more requests that are under way wait for one
KEEP_ALIVE = 5.0  # seconds that an idle connection is kept
LARGEST = 1 << 20  # bytes of an answer
LONGEST_SAID = 200  # characters of Zalo's own words that are kept
# Seconds without any request after a token was refused: the first wait, and the longest.
FIRST_HOLD, LONGEST_HOLD = 5.0, 30.0
UNAUTHORIZED, NOT_FOUND, TIMED_OUT, TOO_OFTEN, TOO_MANY = 401, 404, 408, 426, 429


class Fault(StrEnum):
    """How a request failed."""

    REFUSED = "refused"  # Zalo answered with an error
    UNREADABLE = "unreadable"  # the answer is no JSON, or is cut short
    EMPTY = "empty"  # the answer has no body
    UNREACHABLE = "unreachable"  # no connection was made: nothing was taken
    CUT = "cut"  # the connection broke, and the request may have been taken
    SILENT = "silent"  # the same, by a time-out


class ZaloError(Exception):
    """A request that failed; `code` is Zalo's, or the HTTP status where the body has none."""

    def __init__(self, fault: Fault, code: int = 0, said: str = "", *, page: bool = False) -> None:
        super().__init__(f"{fault} {code} {said}".strip())
        self.fault, self.code, self.said = fault, code, said
        self.page = page  # the body is an HTML page or none, as proxies answer


class ZaloClient:
    """One bot. After its token was refused it asks again only now and then."""

    def __init__(
        self,
        token: str,
        base_url: str = "",
        *,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        logging.getLogger("aiohttp").setLevel(logging.WARNING)  # a URL holds the token
        self.token, self._base_url = token, base_url or DEFAULT_BASE_URL
        self._answer_seconds = answer_seconds
        self._monotonic: Callable[[], float] = lambda: asyncio.get_running_loop().time()
        self._session: ClientSession | None = None
        self._held_until, self._refusals = float("-inf"), 0

    async def call(
        self, method: str, params: Mapping[str, Any] | None = None, *, seconds: float | None = None
    ) -> Any:
        """Return the result of a method; ZaloError. `seconds`: the longest wait for the answer."""
        if self._monotonic() < self._held_until:
            raise ZaloError(Fault.REFUSED, UNAUTHORIZED, "the token was refused a moment ago")
        status, body = await self._post(method, dict(params or {}), seconds)
        try:
            result = read(status, body)
        except ZaloError as error:
            error.said = one_line(scrub(error.said, [self.token]), LONGEST_SAID)
            self._note(refused=error.code == UNAUTHORIZED)
            raise
        self._note(refused=False)
        return result

    def _note(self, *, refused: bool) -> None:
        """Hold all requests for a while after a refused token, longer each time."""
        if not refused:
            self._refusals = 0
        elif self._monotonic() >= self._held_until:  # else it had left before the hold began
            self._refusals += 1
            hold = backoff(self._refusals, FIRST_HOLD, LONGEST_HOLD)
            self._held_until = self._monotonic() + hold

    async def _post(self, method: str, params: dict[str, Any], seconds: float | None) -> Any:
        """Return status and body. Errors are raised outside of the except clauses, so that no
        traceback carries the library's own, whose words may hold the token."""
        import aiohttp

        limit = aiohttp.ClientTimeout(
            total=seconds or self._answer_seconds, sock_connect=CONNECT_SECONDS
        )
        url = f"{self._base_url}{self.token}/{method}"
        try:
            async with self._client().post(
                url, json=params, timeout=limit, allow_redirects=False
            ) as answer:
                body = b""
                async for part in answer.content.iter_chunked(LARGEST):
                    body += part
                    if len(body) > LARGEST:
                        break
                return answer.status, body
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.InvalidURL,
        ):
            fault = Fault.UNREACHABLE
        except TimeoutError:
            fault = Fault.SILENT
        except (aiohttp.ClientError, OSError, ValueError):
            fault = Fault.CUT
        raise ZaloError(fault)

    def _client(self) -> ClientSession:
        """Return the session; aiohttp needs a running loop to create it."""
        if self._session is None:
            import aiohttp

            trusted = trust() if self._base_url.startswith("https:") else True
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=CONNECTIONS, ssl=trusted, keepalive_timeout=KEEP_ALIVE
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=True,
            )
        return self._session

    async def stop(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session:
            await session.close()


def read(status: int, body: bytes) -> Any:
    """Return the result in an answer; ZaloError if it is an error, or can't be read."""
    text = body.decode("utf-8", "replace").strip().removeprefix("\ufeff")
    page = text.startswith("<")
    if (page or not text) and status in (UNAUTHORIZED, NOT_FOUND, TIMED_OUT, TOO_MANY):
        raise ZaloError(Fault.REFUSED, status, page=True)
    if not text:
        raise ZaloError(Fault.EMPTY, status)
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise ZaloError(Fault.UNREADABLE, status, page=page) from None
    if not isinstance(answer, dict) or not {"ok", "error_code", "errorCode"} & answer.keys():
        if status >= 400:
            raise ZaloError(Fault.REFUSED, status)
        return answer
    code = _number(answer.get("error_code", answer.get("errorCode")))
    failed = str(answer.get("ok", True)).lower() in ("false", "0", "none")
    if code or failed:
        said = answer.get("description") or answer.get("message") or ""
        code = code or (status if status >= 400 else 0)
        raise ZaloError(Fault.REFUSED, code, said if isinstance(said, str) else "")
    return answer.get("result", answer)


def _number(value: Any) -> int:
    """Return a code that may be a text; 0 if it is none, -1 if it can't be read."""
    if value in (None, "", False):
        return 0
    try:
        return int(value)
    except (TypeError, ValueError):
        return -1
