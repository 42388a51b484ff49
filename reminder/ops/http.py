"""The HTTP server of [watch] listen, on aiohttp; loaded only where that is set."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

log = logging.getLogger(__name__)
logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # a malformed request is no news

TIMEOUT = 5.0  # seconds that a connection may last, from its first byte to its last
MAX_CONNECTIONS = 128  # open at once; one more closes the oldest


Handler = Callable[[], Awaitable[web.Response]]


def of_probe(probe: Callable[[], Awaitable[tuple[int, str, bytes]]]) -> Handler:
    """Return the handler of a probe, which gives a status, a media type and a body."""

    async def handler() -> web.Response:
        status, media_type, body = await probe()
        return web.Response(status=status, body=body, headers={"Content-Type": media_type})

    return handler


class HttpServer:
    """Serve each path's response to GET; close the connection after it."""

    def __init__(self, routes: Mapping[str, Handler]) -> None:
        self._routes = routes
        self._web = web.Server(self._respond, access_log=None)
        self._server: asyncio.Server | None = None
        self._connections: deque[RequestHandler] = deque(maxlen=MAX_CONNECTIONS)

    async def start(self, host: str, port: int) -> bool:
        """Listen; log one line and return False if that fails: the daemon goes on without."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._connection, host, port)
        except OSError as error:
            why = error.strerror or error
            log.error("[watch] listen %s:%d: %s; the daemon goes on without it", host, port, why)
            return False
        log.info("/healthz and /metrics are at http://%s:%d", host, self.port)
        return True

    @property
    def port(self) -> int:
        """Return the port, or 0 if it does not listen."""
        if self._server is None or not self._server.sockets:
            return 0
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def stop(self) -> None:
        """Stop listening and cut off open connections."""
        if self._server is None:
            return
        self._server.close()
        for connection in self._web.connections:
            connection.force_close()
        await self._web.shutdown(0.01)  # 0 would wait for handlers without end
        self._server = None

    def _connection(self) -> RequestHandler:
        if len(self._connections) == MAX_CONNECTIONS:
            self._connections[0].force_close()
        connection = self._web()
        self._connections.append(connection)
        asyncio.get_running_loop().call_later(TIMEOUT, connection.force_close)
        return connection

    async def _respond(self, request: web.BaseRequest) -> web.Response:
        response = await self._route(request)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.force_close()
        return response

    async def _route(self, request: web.BaseRequest) -> web.Response:
        handler = self._routes.get(request.path)
        if handler is None:
            return web.Response(status=404, text="here are /healthz and /metrics\n")
        if request.method not in ("GET", "HEAD"):
            allow = {"Allow": "GET, HEAD"}
            return web.Response(status=405, text="only GET\n", headers=allow)
        try:
            return await handler()
        except Exception as error:  # noqa: BLE001  a request must not end the daemon
            log.error("%s failed: %s: %s", request.path, type(error).__name__, error)
            return web.Response(status=500, text="see the log\n")
