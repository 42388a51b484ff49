"""The HTTP server over real sockets: what it answers, and what it does with bad callers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from aiohttp import web

from reminder.ops import http
from reminder.ops.http import HttpServer
from tests.waiting import within


async def _well() -> web.Response:
    return web.Response(text="well\n")


async def _odd() -> web.Response:
    raise ValueError("a slip")


@pytest_asyncio.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HttpServer]:
    """A server whose time for a connection no busy machine takes up."""
    monkeypatch.setattr(http, "TIMEOUT", 3600.0)
    served = HttpServer({"/healthz": _well, "/odd": _odd})
    assert await served.start("127.0.0.1", 0)
    yield served
    await served.stop()


async def raw(server: HttpServer, request: bytes) -> bytes:
    """What comes back for these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    if not request.endswith(b"\r\n\r\n"):
        writer.write_eof()
    try:
        return await within(reader.read(), "the end of the answer")
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/healthz", 200, "well\n"),
        ("GET", "/healthz?full=1", 200, "well\n"),
        ("HEAD", "/healthz", 200, ""),
        ("POST", "/healthz", 405, "only GET\n"),
        ("GET", "/../etc/passwd", 404, "here are /healthz and /metrics\n"),
        ("GET", "/", 404, "here are /healthz and /metrics\n"),
        ("GET", "/odd", 500, "see the log\n"),
    ],
)
async def test_what_is_asked(
    server: HttpServer, method: str, path: str, status: int, body: str
) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.request(method, f"http://127.0.0.1:{server.port}{path}")
    assert (answer.status_code, answer.text) == (status, body)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "request_",
    [b"", b"\r\n\r\n", b"\0\xff\r\n\r\n", b"GET / SIP/2.0\r\n\r\n",
     b"x" * 100_000 + b"\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"],
)  # fmt: skip
async def test_what_is_no_request(
    server: HttpServer, request_: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """400 or a closed line; the next caller is served."""
    with monkeypatch.context() as short:
        short.setattr(http, "TIMEOUT", 0.1)
        answer = await raw(server, request_)
    assert answer == b"" or re.match(rb"HTTP/1\.[01] 400 ", answer)
    assert (await raw(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")).startswith(
        b"HTTP/1.1 200 "
    )


@pytest.mark.asyncio
async def test_silent_connections_time_out(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller who sends nothing is cut off, and nothing is logged of it."""
    monkeypatch.setattr(http, "TIMEOUT", 0.1)
    lines = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
    ends = await within(asyncio.gather(*(reader.read() for reader, _ in lines)), "the ends")
    assert ends == [b"", b"", b""]
    for _, writer in lines:
        writer.close()


@pytest.mark.asyncio
async def test_silent_connections_do_not_keep_others_out(server: HttpServer) -> None:
    """However many are open, the next caller is answered; the oldest are closed for it."""
    most = http.MAX_CONNECTIONS
    lines = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(most + 5)]
    assert (await raw(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")).startswith(
        b"HTTP/1.1 200 "
    )
    closed = [await within(reader.read(), "the end of the oldest") for reader, _ in lines[:6]]
    assert closed == [b""] * 6
    assert not any(reader.at_eof() for reader, _ in lines[6:])
    for _, writer in lines:
        writer.close()


@pytest.mark.asyncio
async def test_a_taken_port_is_one_line(
    server: HttpServer, caplog: pytest.LogCaptureFixture
) -> None:
    other = HttpServer({})
    assert not await other.start("127.0.0.1", server.port)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert re.fullmatch(
        rf"\[watch\] listen 127.0.0.1:{server.port}: .*address.*; the daemon goes on without it",
        told[0],
    )
    await other.stop()


@pytest.mark.asyncio
async def test_the_end_cuts_callers_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is under way holds nothing up."""
    monkeypatch.setattr(http, "TIMEOUT", 3600.0)
    begun = asyncio.Event()

    async def slow() -> web.Response:
        begun.set()
        await asyncio.sleep(3600)
        raise AssertionError

    served = HttpServer({"/metrics": slow})
    await served.start("127.0.0.1", 0)
    asking = asyncio.create_task(raw(served, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"))
    await begun.wait()
    await within(served.stop(), "the end")
    assert await asking == b""
