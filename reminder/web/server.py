"""uvicorn on the daemon's own loop, with limits for slow and many clients."""

from __future__ import annotations

import asyncio
import logging
import os
import socket

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

log = logging.getLogger(__name__)
# That it runs is told below; what strangers send would fill the log.
logging.getLogger("uvicorn.error").setLevel(logging.ERROR)

MAX_CONNECTIONS = 128  # at once; for one more the oldest ends that waits for its client
LONGEST = 20.0  # seconds for a request to arrive: uvicorn has no limit for what trickles in
ANSWERED = 10.0  # further seconds for its answer to be made, and read
HEAD = 16 * 1024  # bytes of a request's head


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 whose requests arrive, and whose answers are read, within some seconds."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection, and its time; where there are too many, end the oldest idle one."""
        super().connection_made(transport)
        app = self.app

        async def prolonging(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "prolong": self.prolong}, receive, send)

        self.app = prolonging
        self.began = self.loop.time()
        self._timer = self.loop.call_later(LONGEST, self._late)
        if len(self.connections) > MAX_CONNECTIONS:
            others = (c for c in self.connections if isinstance(c, BoundedProtocol))
            waiting = [c for c in others if c is not self and not (c.answering or c.is_closing)]
            if waiting:
                min(waiting, key=lambda connection: connection.began).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the connection's time."""
        super().connection_lost(exc)
        self._timer.cancel()

    def on_response_complete(self) -> None:
        """Begin the time of the next request."""
        self.prolong()
        super().on_response_complete()

    def prolong(self) -> None:
        """Begin the connection's time anew, also for a large upload that gets on."""
        self._timer.cancel()
        self._timer = self.loop.call_later(LONGEST, self._late)

    @property
    def answering(self) -> bool:
        """Whether a request has arrived, and its answer is not complete."""
        cycle = self.cycle
        return cycle is not None and not cycle.more_body and not cycle.response_complete

    @property
    def is_closing(self) -> bool:
        """Whether it has been cut; that is known one turn of the loop before it is gone."""
        return self.transport.is_closing()

    def _late(self) -> None:
        """Cut what does not arrive; `close` would wait for a client that does not read."""
        if self.answering:
            self._timer = self.loop.call_later(ANSWERED, self.transport.abort)
        else:
            self.transport.abort()


class PageServer:
    """Serve an app at one address until it is stopped; its trouble ends nothing else."""

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        behind: tuple[str, ...] = (),
        *,
        of: str = "web",
        otherwise: str = "the daemon goes on without it",
    ) -> None:
        """`behind`: the proxies whose word on the client's address counts; `of`: the section.

        `otherwise`: what the process does if it can't listen, for the log.
        """
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            lifespan="off",
            http=BoundedProtocol,
            ws="none",
            limit_concurrency=2 * MAX_CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=HEAD,
            proxy_headers=bool(behind),
            forwarded_allow_ips=list(behind),
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._place = (host, port)
        self._of, self._otherwise = of, otherwise
        self._serving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Return the port, or 0 if it does not listen."""
        servers = getattr(self._server, "servers", [])
        for server in servers:
            for bound in server.sockets:
                found: int = bound.getsockname()[1]
                return found
        return 0

    async def start(self) -> bool:
        """Listen; log one line and return False if that fails."""
        host, port = self._place
        self._server.config.load()
        self._server.lifespan = self._server.config.lifespan_class(self._server.config)
        sockets: list[socket.socket] = []
        try:
            for family, _, _, _, address in await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            ):
                made = socket.create_server(address[:2], family=family)
                # Connections inherit it; asyncio sets it only where a socket names its protocol.
                # Without it the body waits 40 ms behind its head on a connection that is kept.
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sockets.append(made)
            await self._server.startup(sockets)
        except OSError as error:
            for made in sockets:
                made.close()
            why = os.strerror(error.errno) if error.errno else error
            log.error("[%s] listen %s:%d: %s; %s", self._of, host, port, why, self._otherwise)
            return False
        self._serving = asyncio.create_task(self._server.main_loop())
        what = "the page is" if self._of == "web" else "/healthz and /metrics are"
        log.info("%s at http://%s:%d", what, host, self.port)
        return True

    async def stop(self) -> None:
        """Stop listening, and end open requests."""
        if self._serving is None:
            return
        self._server.should_exit = True
        await self._serving
        await self._server.shutdown()
        self._serving = None
