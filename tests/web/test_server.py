"""The page on a real port: slow, silent and many clients hold nobody up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from reminder.web import server
from reminder.web.server import PageServer
from tests.web.browser import Town


@asynccontextmanager
async def served(town: Town) -> AsyncIterator[int]:
    page = PageServer(town.app, "127.0.0.1", 0)
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
        async with asyncio.timeout(30):
            assert b"200" not in (await reader.read())[:20]
        writer.close()


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
        assert not await PageServer(town.app, "127.0.0.1", port).start()
    assert f"[web] listen 127.0.0.1:{port}" in caplog.text
    assert "the daemon goes on without it" in caplog.text
