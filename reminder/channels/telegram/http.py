"""The HTTP requests of python-telegram-bot, of which texts go through a faster client.

A text or an edit takes 1.6 ms of processor time through httpx, and 0.6 through aiohttp
(docs/performance.md). Files stay with the library's httpx, which allows an upload more time; so do
the requests of a start, since importing aiohttp takes 0.1 s. If the environment names a proxy, all
requests go through httpx, which supports more kinds.
"""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

import httpx
from telegram.error import NetworkError
from telegram.request import HTTPXRequest, RequestData

if TYPE_CHECKING:
    from aiohttp import ClientSession

CONNECT_SECONDS = 5.0  # for the connection, and for a free one among those allowed
KEEP_ALIVE = 5.0  # seconds that an idle connection is kept, as httpx does
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
            httpx_kwargs={"verify": _trust()},
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
        *args: Any,
        **options: Any,
    ) -> tuple[int, bytes]:
        """Return status and body; NetworkError, caused by the httpx error of that kind."""
        name = url.rpartition("/")[2].partition("?")[0]
        if (
            name not in _TEXTS
            or self._by_proxy
            or request_data is None
            or request_data.contains_files
        ):
            return await super().do_request(url, method, request_data, *args, **options)
        import aiohttp

        try:
            # As bytes: given a form, aiohttp would first generate a multipart boundary.
            body = request_data.url_encoded_parameters().encode()
            async with self._texts().post(url, data=body, allow_redirects=False) as answer:
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

            limit = aiohttp.ClientTimeout(
                total=2 * (CONNECT_SECONDS + self._answer_seconds),
                connect=2 * CONNECT_SECONDS,
                sock_connect=CONNECT_SECONDS,
                sock_read=self._answer_seconds,
            )
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections, ssl=_trust(), keepalive_timeout=KEEP_ALIVE
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self.USER_AGENT, "Content-Type": _FORM},
                timeout=limit,
            )
        return self._session


@cache
def _trust() -> ssl.SSLContext:
    """The certificates that httpx trusts; read once, as that takes 30 ms and a megabyte."""
    return httpx.create_ssl_context()
