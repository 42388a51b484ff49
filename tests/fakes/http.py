"""A small HTTP server for tests: each path's response to GET."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

Handler = Callable[[], Awaitable[web.Response]]


class HttpServer:
    """Serve paths until it is stopped."""

    def __init__(self, routes: Mapping[str, Handler]) -> None:
        app = web.Application()
        for path, handler in routes.items():
            app.router.add_get(path, _of(handler))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)

    async def start(self, host: str, port: int) -> None:
        """Listen."""
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()

    @property
    def port(self) -> int:
        """The port."""
        found: int = self._runner.addresses[0][1]
        return found

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()


def _of(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def run(_: web.Request) -> web.Response:
        return await handler()

    return run
