"""The small server, over real sockets: it answers what is asked, and nothing shakes it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from reminder.ops import page
from reminder.ops.page import Page, Pages


async def _well() -> Page:
    return Page(200, b"well\n")


async def _odd() -> Page:
    raise ValueError("a slip")


@pytest_asyncio.fixture
async def pages() -> AsyncIterator[Pages]:
    served = Pages({"/healthz": _well, "/odd": _odd})
    assert await served.start("127.0.0.1", 0)
    yield served
    await served.stop()


async def raw(pages: Pages, request: bytes) -> bytes:
    """What comes back for these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", pages.port)
    writer.write(request)
    if not request.endswith(b"\r\n\r\n"):
        writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(), 10)
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
async def test_what_is_asked(pages: Pages, method: str, path: str, status: int, body: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.request(method, f"http://127.0.0.1:{pages.port}{path}")
    assert (answer.status_code, answer.text) == (status, body)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "request_",
    [b"", b"\r\n\r\n", b"GET /healthz\r\n\r\n", b"\0\xff\r\n\r\n", b"GET / SIP/2.0\r\n\r\n",
     b"x" * 100_000 + b"\r\n\r\n", b"GET /healthz HTTP/1.1\r\n"],
)  # fmt: skip
async def test_what_is_no_request(pages: Pages, request_: bytes) -> None:
    """400 or a closed line; the next caller is served."""
    answer = await raw(pages, request_)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert (await raw(pages, b"GET /healthz HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.asyncio
async def test_callers_who_say_nothing_are_let_go(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait no longer than the patience; beyond the most at once they are turned away."""
    monkeypatch.setattr(page, "PATIENCE", 0.2)
    lines = [await asyncio.open_connection("127.0.0.1", pages.port) for _ in range(page.MOST + 5)]
    ends = await asyncio.wait_for(asyncio.gather(*(reader.read() for reader, _ in lines)), 10)
    assert set(ends) == {b""}
    for _, writer in lines:
        writer.close()
    assert (await raw(pages, b"GET /healthz HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.asyncio
async def test_a_taken_port_is_one_line(pages: Pages, caplog: pytest.LogCaptureFixture) -> None:
    other = Pages({})
    assert not await other.start("127.0.0.1", pages.port)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert re.fullmatch(
        rf"\[watch\] listen 127.0.0.1:{pages.port}: .*address.*; the daemon goes on without it",
        told[0],
    )
    await other.stop()


@pytest.mark.asyncio
async def test_the_end_cuts_callers_off() -> None:
    """A page that is under way holds nothing up."""
    begun = asyncio.Event()

    async def slow() -> Page:
        begun.set()
        await asyncio.sleep(3600)
        raise AssertionError

    served = Pages({"/metrics": slow})
    await served.start("127.0.0.1", 0)
    asking = asyncio.create_task(raw(served, b"GET /metrics HTTP/1.1\r\n\r\n"))
    await begun.wait()
    await asyncio.wait_for(served.stop(), 5)
    assert await asking == b""
