"""The HTTP requests of python-telegram-bot, most of them through a faster client.

A text takes 1.6 ms of processor time by the library and its httpx, and 0.5 by `call` and aiohttp
(docs/performance.md). Files stay with httpx, which allows an upload more time; so does all that
comes before the first text, since importing aiohttp takes 0.1 s. If the environment names a proxy,
all requests go through httpx, which supports more kinds.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus
from urllib.request import getproxies

import httpx
from telegram import Bot
from telegram.error import EndPointNotFound, InvalidToken, NetworkError
from telegram.request import BaseRequest, HTTPXRequest, RequestData

from reminder.channels import trust

if TYPE_CHECKING:
    from aiohttp import ClientSession, ClientTimeout

CONNECT_SECONDS = 5.0  # for the connection, and for a free one among those allowed
KEEP_ALIVE = 5.0  # seconds that an idle connection is kept, as httpx does
SHORT = 40  # characters of a value that is escaped only where it must be
_PROXIES = frozenset({"http", "https", "all"})
_FORM = "application/x-www-form-urlencoded"
_TEXTS = ("sendMessage", "editMessageText")


class TelegramRequest(HTTPXRequest):
    """Requests with timeouts: `answer_seconds` for an answer, at most `connections` at once."""

    __slots__ = ("_answer_seconds", "_by_proxy", "_connections", "_session")

    def __init__(self, connections: int, answer_seconds: float) -> None:
        super().__init__(
            connection_pool_size=connections,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=answer_seconds,
            write_timeout=answer_seconds,
            pool_timeout=CONNECT_SECONDS,
            httpx_kwargs={"verify": trust()},
        )
        self._connections, self._answer_seconds = connections, answer_seconds
        self._by_proxy = not _PROXIES.isdisjoint(getproxies())
        self._session: ClientSession | None = None

    async def shutdown(self) -> None:
        """Close the connections of both clients."""
        await super().shutdown()
        session, self._session = self._session, None
        if session:
            await session.close()

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
        name = url.rpartition("/")[2].partition("?")[0]
        fast = name in _TEXTS or "aiohttp" in sys.modules
        if not fast or self._by_proxy or request_data is None or request_data.contains_files:
            more = (request_data, read_timeout, *args)
            return await super().do_request(url, method, *more, **options)
        import aiohttp

        default = read_timeout is BaseRequest.DEFAULT_NONE
        limit = _limit(self._answer_seconds if default else read_timeout)
        try:
            # As bytes: given a form, aiohttp would first generate a multipart boundary.
            body = form(request_data.json_parameters)
            async with self._texts().post(
                url, data=body, timeout=limit, allow_redirects=False
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            cause: httpx.HTTPError = httpx.ConnectError(str(error))
            kind = type(error).__name__
        except (aiohttp.ClientError, TimeoutError) as error:
            cause, kind = httpx.ReadError(str(error)), type(error).__name__
        raise NetworkError(f"{kind}: {cause}") from cause

    def _texts(self) -> ClientSession:
        """Return the session; aiohttp needs a running loop to create it."""
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections, ssl=trust(), keepalive_timeout=KEEP_ALIVE
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self.USER_AGENT, "Content-Type": _FORM},
            )
        return self._session


def load_client() -> None:
    """Load the client of texts ahead of the first one."""
    import aiohttp  # noqa: F401


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


@cache
def _limit(answer_seconds: float) -> ClientTimeout:
    """Return the time limits of a request whose answer may take so long."""
    import aiohttp

    return aiohttp.ClientTimeout(
        total=2 * (CONNECT_SECONDS + answer_seconds),
        connect=2 * CONNECT_SECONDS,
        sock_connect=CONNECT_SECONDS,
        sock_read=answer_seconds,
    )
