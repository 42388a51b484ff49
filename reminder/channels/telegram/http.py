"""The HTTP requests of python-telegram-bot, most of them by a faster client than its own.

A text takes 1.6 ms of processor time by the library and its httpx, and 0.4 by `channels/http.py`
(docs/performance.md). Files stay with httpx, which allows an upload more time. If the environment
names a proxy, all requests go through httpx, which supports many kinds.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote_plus
from urllib.request import getproxies

import httpx
from telegram import Bot
from telegram.error import EndPointNotFound, InvalidToken, NetworkError, TimedOut
from telegram.request import BaseRequest, HTTPXRequest, RequestData

from reminder.channels.http import BusyError, HttpClient, HttpError, SilentError, UnreachableError

CONNECT_SECONDS = 5.0  # for the connection, and for a free one among those allowed
SHORT = 40  # characters of a value that is escaped only where it must be
_PROXIES = frozenset({"http", "https", "all"})
_FORM = "application/x-www-form-urlencoded"


class TelegramRequest(BaseRequest):
    """Requests with timeouts: `answer_seconds` for an answer, at most `connections` at once."""

    def __init__(self, connections: int, answer_seconds: float) -> None:
        self._connections, self._answer_seconds = connections, answer_seconds
        self._by_proxy = not _PROXIES.isdisjoint(getproxies())
        self._client = HttpClient(connections, CONNECT_SECONDS, _trust)
        self._httpx: HTTPXRequest | None = None  # made for the first file

    @property
    def read_timeout(self) -> float:
        """The seconds for an answer, to which a poll adds its own."""
        return self._answer_seconds

    async def initialize(self) -> None:
        """Do nothing: connections are made when they are needed."""

    async def shutdown(self) -> None:
        """Close the connections of both clients."""
        self._client.close()
        if self._httpx is not None:
            await self._httpx.shutdown()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        *args: Any,
        **options: Any,
    ) -> tuple[int, bytes]:
        """Return status and body; NetworkError, caused by the httpx error of that kind."""
        if self._by_proxy or (request_data is not None and request_data.contains_files):
            more = (request_data, read_timeout, *args)
            return await self._of_library().do_request(url, method, *more, **options)
        body = form(request_data.json_parameters) if request_data else b""
        seconds = self._answer_seconds if read_timeout is BaseRequest.DEFAULT_NONE else read_timeout
        try:
            return await self._client.post(url, body, seconds, media_type=_FORM)
        except HttpError as error:
            kind = TimedOut if isinstance(error, SilentError) else NetworkError
            raise kind(f"{type(error).__name__}: {error}") from _as_httpx(error)

    async def connect(self, url: str) -> None:
        """Have a connection ready for the next text; HttpError."""
        if not self._by_proxy:
            await self._client.connect(url)

    def _of_library(self) -> HTTPXRequest:
        """Return the library's own client."""
        if self._httpx is None:
            self._httpx = HTTPXRequest(
                connection_pool_size=self._connections,
                connect_timeout=CONNECT_SECONDS,
                read_timeout=self._answer_seconds,
                write_timeout=self._answer_seconds,
                pool_timeout=CONNECT_SECONDS,
                httpx_kwargs={"verify": _trust()},
            )
        return self._httpx


async def call(
    bot: Bot, method: str, values: Mapping[str, Any], *, seconds: float | None = None
) -> Any:
    """Return the result of a method of the Bot API as it came; TelegramError.

    The library's own methods make objects of what is sent and of the answer, and take as long for
    that as the request does. `seconds`: the longest wait for the answer.
    """
    wait = BaseRequest.DEFAULT_NONE if seconds is None else seconds
    given = {name: value for name, value in values.items() if value is not None}
    try:
        # In this form, “send_Message”, the library does not look for its own method of that name.
        named = re.sub(r"(?=[A-Z])", "_", method, count=1)
        return await bot.do_api_request(named, api_kwargs=given, read_timeout=wait)
    except EndPointNotFound:  # what the library calls a token that is refused later
        raise InvalidToken from None


def form(values: Mapping[str, str]) -> bytes:
    """Return the values as a form; all of a long one is escaped, which is fifty times as quick."""
    return "&".join(
        f"{name}={quote_plus(value) if len(value) < SHORT else '%' + value.encode().hex('%')}"
        for name, value in values.items()
    ).encode()


def _as_httpx(error: HttpError) -> httpx.HTTPError:
    """Return the error of httpx that means the same."""
    if isinstance(error, UnreachableError):
        return httpx.ConnectError(str(error))
    if isinstance(error, BusyError):
        return httpx.PoolTimeout(str(error))
    return httpx.ReadError(str(error))


@cache
def _trust() -> ssl.SSLContext:
    """The certificates that httpx trusts; read once, as that takes 30 ms and a megabyte."""
    return httpx.create_ssl_context()
