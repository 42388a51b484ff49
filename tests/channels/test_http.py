"""The HTTP client: answers in any form and in any pieces, connections kept, and what goes wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.channels.http import (
    Answer,
    BusyError,
    CutError,
    HttpClient,
    HttpError,
    SilentError,
    UnreachableError,
    read,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TURNS = 10  # of the event loop, within which a closed connection is seen to be closed
FORMS = {
    "length": (OK, Answer(200, b"ok", reusable=True)),
    "chunks": (
        b"HTTP/1.1 200\r\ntransfer-ENCODING: Chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n",
        Answer(200, b"ok", reusable=True),
    ),
    "trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\r\n\r\n0\r\na: b\r\n\r\n",
        Answer(200, b"\r\n", reusable=True),
    ),
    "closing": (
        b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        Answer(404, b"", reusable=False),
    ),
    "old": (
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        Answer(200, b"ok", reusable=False),
    ),
    "empty": (b"HTTP/1.1 204 No Content\r\n\r\n", Answer(204, b"", reusable=True)),
    "after 100": (
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        Answer(200, b"ok", reusable=True),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_is_read_once_it_is_whole(form: str) -> None:
    """None of its beginnings is an answer; an unasked byte behind it ends the connection."""
    came, answer = FORMS[form]
    assert [read(came[:size], ended=False) for size in range(len(came))] == [None] * len(came)
    assert read(came, ended=False) == answer
    assert read(came + b"x", ended=False) in (None, answer._replace(reusable=False))


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    """As of servers that know HTTP/1.0."""
    came = b"HTTP/1.1 200 OK\r\n\r\nok"
    assert read(came, ended=False) is None
    assert read(came, ended=True) == Answer(200, b"ok", reusable=False)


@pytest.mark.parametrize(
    "came",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"\r\n\r\n",
        b"HTTP/1.1 many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nok\r\n",
    ],
)
def test_what_is_no_answer_is_refused(came: bytes) -> None:
    """The connection ends; nothing is made up."""
    with pytest.raises((CutError, ValueError)):
        read(came, ended=False)


@given(st.binary(max_size=60), st.booleans())
def test_no_bytes_break_the_reader(came: bytes, ended: bool) -> None:
    """An answer, nothing yet, or one of two errors."""
    for beginning in (b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"):
        try:
            found = read(beginning + came, ended=ended)
        except (CutError, ValueError):
            continue
        assert found is None or isinstance(found, Answer)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def requested(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Return the head and the body of the next request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return head, await reader.readexactly(length)


def over(
    serve: Serve,
    test: Callable[[HttpClient, str], Awaitable[None]],
    *,
    connections: int = 2,
) -> None:
    """Run `test` with a client, and the address of a server that serves each connection."""

    async def main() -> None:
        async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await serve(reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(served, "127.0.0.1", 0)
        client = HttpClient(connections, 5.0, ssl.create_default_context)
        try:
            await test(client, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        finally:
            client.close()
            server.close()

    asyncio.run(main())


async def post(client: HttpClient, url: str, seconds: float = 5.0) -> tuple[int, bytes]:
    return await client.post(url, b"a=1", seconds, media_type="text/x")


def test_a_connection_is_used_again_until_its_server_ends_it() -> None:
    """Two requests over the first connection, the third over another."""
    heads: list[tuple[int, bytes, bytes]] = []
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        number = count
        for _ in range(2):
            heads.append((number, *await requested(reader)))
            writer.write(OK)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def test(client: HttpClient, url: str) -> None:
        await client.connect(url)
        assert not heads
        for _ in range(3):
            assert await post(client, f"{url}/bot1:x/a b") == (200, b"ok")
            for _ in range(TURNS):
                await asyncio.sleep(0)
        place = url.removeprefix("http://").encode()
        head = (
            b"POST /bot1:x/a%20b HTTP/1.1\r\nHost: " + place + b"\r\nUser-Agent: reminder\r\n"
            b"Content-Type: text/x\r\nContent-Length: 3\r\n\r\n"
        )
        assert heads == [(1, head, b"a=1"), (1, head, b"a=1"), (2, head, b"a=1")]

    over(serve, test)


@pytest.mark.parametrize(
    ("said", "fault"),
    [(b"", CutError), (OK[:-1], CutError), (b"garbage\r\n\r\n", CutError), (None, SilentError)],
)
def test_a_request_without_a_whole_answer_fails(said: bytes | None, fault: type[HttpError]) -> None:
    """It may have been taken; the next request goes over another connection, and gets its own."""
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        await requested(reader)
        if count > 1:
            writer.write(OK)
        elif said is None:
            await reader.read()  # until the client gives up
        else:
            writer.write(said)

    async def test(client: HttpClient, url: str) -> None:
        with pytest.raises(fault) as caught:
            await post(client, url, 0.05 if said is None else 5.0)
        assert type(caught.value) is fault
        assert await post(client, url) == (200, b"ok")

    over(serve, test)


def test_no_more_connections_are_made_than_are_allowed() -> None:
    """Who waits gets the next free one, whose turn it is."""
    at_once = most = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal at_once, most
        while True:
            await requested(reader)
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0)
            at_once -= 1
            writer.write(OK)

    async def test(client: HttpClient, url: str) -> None:
        found = await asyncio.gather(*(post(client, url) for _ in range(8)))
        assert found == [(200, b"ok")] * 8
        assert most <= 2

    over(serve, test)


def test_a_request_that_finds_no_free_connection_in_time_is_not_sent() -> None:
    """It fails as busy."""

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await requested(reader)
        await reader.read()

    async def test(client: HttpClient, url: str) -> None:
        client._connect_seconds = 0.05
        first = asyncio.create_task(post(client, url))
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await post(client, url)
        first.cancel()

    over(serve, test, connections=1)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "ftp://a/x", "http:///x", "http://a:b/x"])
def test_an_address_that_leads_nowhere_is_unreachable(url: str) -> None:
    """Nothing was sent."""

    async def main() -> None:
        with pytest.raises(UnreachableError):
            await post(HttpClient(1, 5.0, ssl.create_default_context), url)

    asyncio.run(main())
