"""A very small HTTP server for one machine's own watchers: GET, a page, the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

log = logging.getLogger(__name__)

PATIENCE = 5.0  # seconds for a request to come in whole, and for an answer to be taken
LONGEST = 8192  # bytes of a request's head
MOST = 16  # callers at once; more are turned away
_REASONS = {
    200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
    500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """An answer."""

    status: int
    body: bytes
    kind: str = "text/plain; charset=utf-8"


class Pages:
    """Serves pages made when they are asked for."""

    def __init__(self, pages: Mapping[str, Callable[[], Awaitable[Page]]]) -> None:
        self._pages = pages
        self._server: asyncio.Server | None = None
        self._callers: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> bool:
        """Listens; False, and a line in the log, if it can't: the daemon goes on without."""
        try:
            self._server = await asyncio.start_server(self._call, host, port, limit=LONGEST)
        except OSError as error:
            why = error.strerror or error
            log.error("[watch] listen %s:%d: %s; the daemon goes on without it", host, port, why)
            return False
        log.info("/healthz and /metrics are at http://%s:%d", host, self.port)
        return True

    @property
    def port(self) -> int:
        """Where it listens; 0: it does not."""
        if self._server is None or not self._server.sockets:
            return 0
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def stop(self) -> None:
        """Closes; callers are cut off."""
        if self._server is None:
            return
        self._server.close()
        for caller in list(self._callers):
            caller.cancel()
        await asyncio.gather(*self._callers, return_exceptions=True)
        self._server = None

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._callers) >= MOST:
            writer.close()
            return
        self._callers.add(task)
        # A caller who goes away, or never says what is wanted, is no news.
        with contextlib.suppress(OSError, asyncio.CancelledError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                method, page = await self._answer(reader)
                writer.write(_written(page, body=method != "HEAD"))
                await writer.drain()
        writer.close()
        self._callers.discard(task)

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[str, Page]:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, target, version = head.split("\r\n", 1)[0].split(" ")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            return "", Page(400, b"not a request\n")
        make = self._pages.get(target.split("?", 1)[0])
        if not version.startswith("HTTP/1."):
            return method, Page(400, b"not a request\n")
        if make is None:
            return method, Page(404, b"here are /healthz and /metrics\n")
        if method not in ("GET", "HEAD"):
            return method, Page(405, b"only GET\n")
        try:
            return method, await make()
        except Exception as error:  # noqa: BLE001  a watcher must not end the daemon
            log.error("%s failed: %s: %s", target.split("?", 1)[0], type(error).__name__, error)
            return method, Page(500, b"see the log\n")


def _written(page: Page, *, body: bool) -> bytes:
    lines = [
        f"HTTP/1.1 {page.status} {_REASONS[page.status]}",
        f"Content-Type: {page.kind}",
        f"Content-Length: {len(page.body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    ]
    if page.status == 405:
        lines.append("Allow: GET, HEAD")
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return head + page.body if body else head
