"""The page on a real port: slow, silent and many clients hold nobody up; /healthz, /metrics."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.types import ASGIApp

from reminder.web import server
from reminder.web.app import make_app, make_watch
from reminder.web.server import BoundedProtocol, PageServer
from tests.waiting import within
from tests.web.browser import Town


@asynccontextmanager
async def served(town: Town, app: ASGIApp | None = None) -> AsyncIterator[int]:
    page = PageServer(app or town.app, "127.0.0.1", 0)
    assert await page.start()
    try:
        yield page.port
    finally:
        await page.stop()


async def answer(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    found = await reader.read()
    writer.close()
    return found


GET = b"GET /dang-nhap HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: close\r\n\r\n"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HTTP/1.1\r\n",
        (
            b"POST /dang-nhap HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nOrigin: http://127.0.0.1:8080\r\n"
            b"Content-Length: 100\r\n\r\nx"
        ),
    ],
    ids=["silent", "head", "body"],
)
async def test_a_request_that_never_ends_is_cut_and_others_are_answered(
    town: Town, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(server, "LONGEST", 1.0)
    async with served(town) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        assert (await answer(port, GET)).startswith(b"HTTP/1.1 200")
        assert b"200" not in (await within(reader.read(), "the cut"))[:20]
        writer.close()


@pytest.mark.asyncio
async def test_a_body_follows_its_head_at_once(town: Town) -> None:
    """Nagle's algorithm is off on each connection: it would wait for the client's word 40 ms."""
    page = PageServer(town.app, "127.0.0.1", 0)
    assert await page.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
    writer.write(GET.replace(b"Connection: close\r\n", b""))
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    [connection] = page._server.server_state.connections
    assert isinstance(connection, BoundedProtocol)
    ours = connection.transport.get_extra_info("socket")
    assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    writer.close()
    await page.stop()


@pytest.mark.asyncio
async def test_a_client_that_does_not_read_is_cut(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks again and again; `close` alone would wait for it to read."""
    monkeypatch.setattr(server, "LONGEST", 0.5)
    monkeypatch.setattr(server, "ANSWERED", 0.5)
    async with served(town) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)

        async def ask_without_end() -> None:
            while True:
                writer.write(GET.replace(b"close", b"keep-alive") * 50)
                await writer.drain()

        with pytest.raises(ConnectionError):
            await within(ask_without_end(), "the end of the connection")
        assert (await answer(port, GET)).startswith(b"HTTP/1.1 200")
        writer.close()


@pytest.mark.asyncio
async def test_a_connection_in_use_is_not_cut(town: Town) -> None:
    """Each request has its own time, from the end of the answer before it."""
    page = PageServer(town.app, "127.0.0.1", 0)
    assert await page.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
    ends = []
    for _ in range(3):
        writer.write(GET.replace(b"close", b"keep-alive"))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))
        (connection,) = page._server.server_state.connections
        assert isinstance(connection, BoundedProtocol)
        ends.append(connection._timer.when())
    assert ends == sorted(set(ends))
    writer.close()
    await page.stop()
    await page.stop()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("behind", "counted"), [((), "127.0.0.1"), (("192.0.2.1",), "127.0.0.1"),
                            (("127.0.0.1",), "203.0.113.9")]
)  # fmt: skip
async def test_a_proxys_word_counts_from_the_named_proxies_alone(
    town: Town, behind: tuple[str, ...], counted: str
) -> None:
    """Else whoever asks would choose the address by which tries are counted."""
    page = PageServer(town.app, "127.0.0.1", 0, behind)
    assert await page.start()
    body = b"dia-chi=x%40example.vn"
    said = await answer(
        page.port,
        b"POST /dang-nhap HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nOrigin: http://127.0.0.1:8080\r\n"
        b"X-Forwarded-For: 198.51.100.7, 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"
        b"X-Forwarded-Host: evil.example\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
    )
    await page.stop()
    assert said.startswith(b"HTTP/1.1 303")
    assert b"evil" not in said
    with town.world.store.database.reading() as connection:
        tries = connection.exec_driver_sql("SELECT what FROM web_try WHERE what LIKE 'ask:%'").all()
    assert [what for (what,) in tries] == [f"ask:{counted}"]


@pytest.mark.asyncio
async def test_an_endless_head_is_refused(town: Town) -> None:
    async with served(town) as port:
        found = await answer(port, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10_000)
        assert found.startswith(b"HTTP/1.1 400")
        assert (await answer(port, GET)).startswith(b"HTTP/1.1 200")


@pytest.mark.asyncio
async def test_a_port_that_is_taken_is_told_and_ends_nothing(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(town) as port:
        caplog.clear()
        assert not await PageServer(town.app, "127.0.0.1", port, of="watch").start()
    assert [record.getMessage() for record in caplog.records] == [
        f"[watch] listen 127.0.0.1:{port}: Address already in use; the daemon goes on without it"
    ]


@pytest.mark.asyncio
async def test_silent_connections_do_not_keep_others_out(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are open, the next caller is answered; the oldest is closed for it."""
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 5)
    monkeypatch.setattr(server, "LONGEST", 3600.0)
    async with served(town) as port:
        lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        assert (await answer(port, GET)).startswith(b"HTTP/1.1 200")
        assert await within(lines[0][0].read(), "the end of the oldest") == b""
        assert not any(reader.at_eof() for reader, _ in lines[1:])
        at_once = (asyncio.open_connection("127.0.0.1", port) for _ in range(40))
        lines += await asyncio.gather(*at_once)
        assert (await answer(port, GET)).startswith(b"HTTP/1.1 200")
        for _, writer in lines:
            writer.close()


async def _well() -> tuple[int, str, bytes]:
    return 200, "text/plain", b"well\n"


async def _odd() -> tuple[int, str, bytes]:
    raise ValueError("a slip")


@pytest.mark.asyncio
@pytest.mark.parametrize("page_on", [True, False])
@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/healthz", 200, "well\n"),
        ("GET", "/healthz?full=1", 200, "well\n"),
        ("HEAD", "/healthz", 200, ""),
        ("GET", "/metrics", 500, "see the log\n"),
    ],
)
async def test_the_probes_need_no_session_and_no_name_of_the_page(
    town: Town, page_on: bool, method: str, path: str, status: int, body: str
) -> None:
    """At the address of [web] and at that of [watch], with the page and without."""
    probes = {"/healthz": _well, "/metrics": _odd}
    app = make_app(town.site, probes) if page_on else make_watch(probes)
    async with served(town, app) as port, httpx.AsyncClient(trust_env=False) as client:
        found = await client.request(method, f"http://127.0.0.1:{port}{path}")
    assert (found.status_code, found.text) == (status, body)
    assert (found.headers["cache-control"], found.headers["x-content-type-options"]) == (
        "no-store",
        "nosniff",
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("POST", "/healthz", 405, "only GET\n"),
        ("GET", "/../etc/passwd", 404, "here are /healthz and /metrics\n"),
        ("GET", "/bang", 404, "here are /healthz and /metrics\n"),
    ],
)
async def test_where_the_page_is_off_there_is_nothing_else(
    town: Town, method: str, path: str, status: int, body: str
) -> None:
    app = make_watch({"/healthz": _well})
    async with served(town, app) as port, httpx.AsyncClient(trust_env=False) as client:
        found = await client.request(method, f"http://127.0.0.1:{port}{path}")
    assert (found.status_code, found.text) == (status, body)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "request_",
    [b"\0\xff\r\n\r\n", b"GET / SIP/2.0\r\n\r\n", b"x" * 100_000 + b"\r\n\r\n"],
    ids=["bytes", "protocol", "long"],
)
async def test_what_is_no_request_is_told_so_and_logs_nothing(
    town: Town, caplog: pytest.LogCaptureFixture, request_: bytes
) -> None:
    async with served(town) as port:
        caplog.clear()
        assert (await answer(port, request_)).startswith(b"HTTP/1.1 400")
        assert (await answer(port, GET)).startswith(b"HTTP/1.1 200")
    assert caplog.records == []
