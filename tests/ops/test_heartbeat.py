"""The call to an outside watch, to a real server: at most once a minute, its path never told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web

from reminder.ops import liveness
from reminder.ops.liveness import REDIRECTS, Heartbeat, NotTakenError, call, trust
from tests.fakes.http import HttpServer
from tests.waiting import within

PATH = "/ping/7f2c-secret"


class Watch:
    """Counts the calls, and answers with `status`."""

    def __init__(self) -> None:
        self.calls, self.status = 0, 200
        self.server = HttpServer({PATH: self._take})

    async def _take(self) -> web.Response:
        self.calls += 1
        return web.Response(status=self.status, text="OK")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}{PATH}"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(liveness, "TIMEOUT", 3600.0)  # no busy machine takes it up


async def beaten(heart: Heartbeat) -> None:
    """One beat, and its call's end."""
    heart.beat()
    if heart._call:
        await within(asyncio.gather(heart._call), "the call")


@pytest.mark.asyncio
async def test_one_call_a_minute() -> None:
    """Ticks that come quicker (a changed file, a clock set) call nobody."""
    watch = Watch()
    await watch.server.start("127.0.0.1", 0)
    heart = Heartbeat(watch.url)
    for _ in range(3):
        await beaten(heart)
    assert watch.calls == 1
    heart.pause = 0.0
    await beaten(heart)
    assert watch.calls == 2
    assert trust.cache_info().misses <= 1  # the certificates are read once, not each minute
    await heart.stop()
    await watch.server.stop()


@pytest.mark.asyncio
async def test_a_trouble_is_told_once_without_the_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error's answer, then its end; a dead server."""
    caplog.set_level(logging.INFO, "reminder")
    watch = Watch()
    await watch.server.start("127.0.0.1", 0)
    heart = Heartbeat(watch.url, pause=0.0)
    watch.status = 503
    for _ in range(3):
        await beaten(heart)
    watch.status = 200
    for _ in range(2):
        await beaten(heart)
    await watch.server.stop()
    for _ in range(2):
        await beaten(heart)
    lines = [r.getMessage() for r in caplog.records if r.name == "reminder.ops.supervisor"]
    assert lines == [
        "the heartbeat to 127.0.0.1 failed: HTTP 503",
        "the heartbeat to 127.0.0.1 works again",
        "the heartbeat to 127.0.0.1 failed: ConnectError",
    ]
    assert "secret" not in caplog.text


@asynccontextmanager
async def answering(head: bytes, more: bytes, pause: float) -> AsyncIterator[str]:
    """The address of a server that says `head`, and then `more` after each pause, without end."""
    over = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head)
            while not reader.at_eof():
                writer.write(more)
                await writer.drain()
                await asyncio.sleep(pause)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        over.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{PATH}"
        await within(over.wait(), "the end of the answer")


@pytest.mark.asyncio
async def test_an_answer_without_end_is_not_read() -> None:
    """The call is over with the head of the answer, which says that it was taken."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 400000000\r\n\r\n"
    async with answering(head, bytes(1000), 0.001) as url:
        await within(call(url), "the call")


@pytest.mark.asyncio
async def test_a_redirect_leads_to_no_other_host() -> None:
    """On the same host it is followed, a few times; to another it is a refusal, and not called."""
    inside, watch, hops = Watch(), Watch(), 0
    await inside.server.start("localhost", 0)
    await watch.server.start("127.0.0.1", 0)

    def to(url: str) -> Callable[[], Awaitable[web.Response]]:
        async def redirect() -> web.Response:
            nonlocal hops
            hops += 1
            return web.Response(status=302, headers={"Location": url})

        return redirect

    internal = inside.url.replace("127.0.0.1", "localhost")
    server = HttpServer({"/there": to(watch.url), "/inside": to(internal), "/round": to("/round")})
    await server.start("127.0.0.1", 0)
    here = f"http://127.0.0.1:{server.port}"
    await call(f"{here}/there")
    for path in ("/inside", "/round"):
        with pytest.raises(NotTakenError, match="HTTP 302"):
            await call(f"{here}{path}")
    assert (watch.calls, inside.calls, hops) == (1, 0, 2 + REDIRECTS + 1)
    for one in (server, inside.server, watch.server):
        await one.stop()


@pytest.mark.asyncio
async def test_a_call_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends its head a byte at a time, each within the time for a read."""
    monkeypatch.setattr(liveness, "TIMEOUT", 0.2)

    async with answering(b"", b"H", 0.01) as url:
        with pytest.raises(NotTakenError):
            await within(call(url), "the call")


@pytest.mark.asyncio
async def test_without_an_address_nobody_is_called() -> None:
    heart = Heartbeat("")
    heart.beat()
    assert heart._call is None
    await heart.stop()


@pytest.mark.asyncio
async def test_the_end_does_not_wait_for_a_watch_that_hangs() -> None:
    hangs = asyncio.Event()

    async def never() -> web.Response:
        hangs.set()
        await asyncio.sleep(3600)
        raise AssertionError

    server = HttpServer({PATH: never})
    await server.start("127.0.0.1", 0)
    heart = Heartbeat(f"http://127.0.0.1:{server.port}{PATH}")
    heart.beat()
    await within(hangs.wait(), "the call")
    await within(heart.stop(), "the end")
    await server.stop()
