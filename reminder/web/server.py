"""uvicorn on the daemon's own loop, with limits for slow and many clients."""

from __future__ import annotations

import asyncio
import logging

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

log = logging.getLogger(__name__)
logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # that it runs is told below

MAX_CONNECTIONS = 128  # at once; more are answered 503
LONGEST = 20.0  # seconds that a connection lasts: uvicorn has no limit for what trickles in
HEAD = 16 * 1024  # bytes of a request's head


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 on a connection that ends after some seconds, however slowly it is filled."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection, and its time."""
        super().connection_made(transport)
        asyncio.get_running_loop().call_later(LONGEST, transport.close)


class PageServer:
    """Serve an app at one address until it is stopped; its trouble ends nothing else."""

    def __init__(self, app: ASGIApp, host: str, port: int, behind: tuple[str, ...] = ()) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            lifespan="off",
            http=BoundedProtocol,
            ws="none",
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=HEAD,
            proxy_headers=bool(behind),
            forwarded_allow_ips=list(behind),
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._place = (host, port)
        self._serving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Return the port, or 0 if it does not listen."""
        servers = getattr(self._server, "servers", [])
        for server in servers:
            for socket in server.sockets:
                found: int = socket.getsockname()[1]
                return found
        return 0

    async def start(self) -> bool:
        """Listen; log one line and return False if that fails: the daemon goes on without."""
        host, port = self._place
        self._server.config.load()
        self._server.lifespan = self._server.config.lifespan_class(self._server.config)
        try:
            await self._server.startup()
        except (SystemExit, OSError) as error:
            log.error("[web] listen %s:%d: %s; the daemon goes on without it", host, port, error)
            return False
        self._serving = asyncio.create_task(self._server.main_loop())
        log.info("the page is at http://%s:%d", host, self.port)
        return True

    async def stop(self) -> None:
        """Stop listening, and end open requests."""
        if self._serving is None:
            return
        self._server.should_exit = True
        await self._serving
        await self._server.shutdown()
        self._serving = None
