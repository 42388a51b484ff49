"""A small HTTP/1.1 client for requests to a provider: POST, over connections that are kept.

It leaves out what these don't need: redirects, cookies, compression, proxies. A request takes a
fifth of the processor time of a general client's, and nothing is imported for it
(docs/performance.md).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

KEEP_ALIVE = 5.0  # seconds that an idle connection is used again; servers close it later
NEXT_ADDRESS = 0.25  # seconds after which a server's next address is tried beside the first
LARGEST = 1 << 24  # bytes of an answer
_END = b"\r\n\r\n"
_SAFE = "/:%@!$&'()*+,;=~"  # what stays in a path; quote keeps letters and digits
_CHUNK = re.compile(rb"([0-9A-Fa-f]+)[^\r\n]*\r\n")


class HttpError(Exception):
    """No answer was had."""


class UnreachableError(HttpError):
    """No connection came about: nothing was sent."""


class BusyError(HttpError):
    """All connections are in use: nothing was sent."""


class CutError(HttpError):
    """The connection broke, or the answer is no HTTP; the request may have been taken."""


class SilentError(CutError):
    """No answer came in time; the request may have been taken."""


class Answer(NamedTuple):
    """A whole answer, and whether its connection can be used again."""

    status: int
    body: bytes
    reusable: bool


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a URL leads, and what a request to it begins with."""

    host: str
    port: int
    secure: bool
    head: bytes

    @property
    def place(self) -> tuple[str, int, bool]:
        return self.host, self.port, self.secure


class HttpClient:
    """Posts over at most `connections` connections at once; each is made within `connect_seconds`.

    `trust` returns the certificates to trust; it is called for the first https address.
    """

    def __init__(
        self, connections: int, connect_seconds: float, trust: Callable[[], ssl.SSLContext]
    ) -> None:
        self._connect_seconds, self._trust = connect_seconds, trust
        self._free = asyncio.Semaphore(connections)
        self._idle: dict[tuple[str, int, bool], list[_Connection]] = defaultdict(list)

    async def post(
        self, url: str, body: bytes, seconds: float, *, media_type: str
    ) -> tuple[int, bytes]:
        """Return status and body of the answer, which comes within `seconds`; HttpError."""
        target = _target(url, media_type)
        await self._place()
        try:
            connection = self._kept(target) or await self._connect(target)
            try:
                async with asyncio.timeout(seconds):
                    request = b"%s%d%s%s" % (target.head, len(body), _END, body)
                    status, answered, reusable = await connection.ask(request)
            except TimeoutError:
                raise SilentError(f"no answer within {seconds:g} s") from None
            finally:
                if not connection.is_answered:
                    connection.abort()
            if reusable:
                self._keep(target, connection)
            else:
                connection.abort()
            return status, answered
        finally:
            self._free.release()

    async def connect(self, url: str) -> None:
        """Have a connection ready for the next request; HttpError."""
        target = _target(url, "")
        connection = self._kept(target) or await self._connect(target)
        self._keep(target, connection)

    def close(self) -> None:
        """Close the connections that are idle."""
        for connections in self._idle.values():
            for connection in connections:
                connection.abort()
        self._idle.clear()

    async def _place(self) -> None:
        """Wait for one of the connections that may be in use."""
        if not self._free.locked():
            await self._free.acquire()  # returns at once
            return
        try:
            async with asyncio.timeout(self._connect_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise BusyError("all connections are in use") from None

    def _kept(self, target: _Target) -> _Connection | None:
        """Return an idle connection that is still open and not too old."""
        kept = self._idle[target.place]
        oldest = asyncio.get_running_loop().time() - KEEP_ALIVE
        while kept:
            connection = kept.pop()
            if connection.is_open and connection.idle_since > oldest:
                return connection
            connection.abort()
        return None

    def _keep(self, target: _Target, connection: _Connection) -> None:
        connection.idle_since = asyncio.get_running_loop().time()
        self._idle[target.place].append(connection)

    async def _connect(self, target: _Target) -> _Connection:
        try:
            async with asyncio.timeout(self._connect_seconds):
                connection: _Connection
                _, connection = await asyncio.get_running_loop().create_connection(
                    _Connection,
                    target.host,
                    target.port,
                    ssl=self._trust() if target.secure else None,
                    happy_eyeballs_delay=NEXT_ADDRESS,
                )
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            raise UnreachableError(str(error) or type(error).__name__) from None
        return connection


class _Connection(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self.is_open = False
        self._got = bytearray()
        self._answer: asyncio.Future[Answer] | None = None

    @property
    def is_answered(self) -> bool:
        """Whether nothing is asked that has no answer."""
        return self._answer is None

    async def ask(self, request: bytes) -> Answer:
        """Send a request and return its answer; CutError."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        answer = await self._answer
        self._answer = None
        return answer

    def abort(self) -> None:
        """End the connection at once."""
        self.is_open = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self.is_open = transport, True

    def data_received(self, data: bytes) -> None:
        self._got += data
        self._look()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        self._look(ended=True, why=str(error or "the connection was closed"))

    def _look(self, why: str = "", *, ended: bool = False) -> None:
        """Hand on the answer once it is whole; what comes unasked ends the connection."""
        if self._answer is None or self._answer.done():
            self.abort()
            return
        try:
            answer = read(self._got, ended=ended)
        except (ValueError, CutError) as error:
            self._answer.set_exception(CutError(str(error)))
        else:
            if answer is not None:
                self._got.clear()
                self._answer.set_result(answer)
            elif ended:
                self._answer.set_exception(CutError(why))


def read(got: bytes | bytearray, *, ended: bool) -> Answer | None:
    """Return the answer in what has come; None while it is not whole.

    `ended`: nothing more comes. CutError or ValueError if it is no answer in HTTP/1.
    """
    if len(got) > LARGEST:
        raise CutError(f"an answer of more than {LARGEST} bytes")
    head_end = got.find(_END)
    if head_end < 0:
        return None
    first, *lines = bytes(got[:head_end]).split(b"\r\n")
    version, code, *_ = [*first.split(None, 2), b"", b""]
    if not version.startswith(b"HTTP/1."):
        raise CutError("the answer is no HTTP/1")
    status, body_at = int(code), head_end + len(_END)
    if 100 <= status < 200:
        return read(got[body_at:], ended=ended)
    fields = (line.partition(b":") for line in lines)
    headers = {name.strip().lower(): value.strip().lower() for name, _, value in fields}
    closes = version == b"HTTP/1.0" or b"close" in headers.get(b"connection", b"")
    if status in (204, 304):
        body, end = b"", body_at
    elif b"chunked" in headers.get(b"transfer-encoding", b""):
        chunks = _chunks(got, body_at)
        if chunks is None:
            return None
        body, end = chunks
    elif b"content-length" in headers:
        length = headers[b"content-length"]
        if not length.isdigit():
            raise CutError("the answer's length can't be read")
        end = body_at + int(length)
        if len(got) < end:
            return None
        body = bytes(got[body_at:end])
    elif ended:
        body, end, closes = bytes(got[body_at:]), len(got), True
    else:
        return None
    return Answer(status, body, not (ended or closes) and end == len(got))


def _chunks(got: bytes | bytearray, at: int) -> tuple[bytes, int] | None:
    """Return the chunks from `at` on in one, and where they end; None while they don't."""
    if not got.endswith(b"\r\n"):  # as the last chunk does, and what may come behind it
        return None
    found: list[bytes] = []
    while size := _CHUNK.match(got, at):
        begin, length = size.end(), int(size[1], 16)
        if not length:
            end = got.find(_END, begin - 2)  # behind the empty line, before which trailers may be
            return None if end < 0 else (b"".join(found), end + len(_END))
        found.append(bytes(got[begin : begin + length]))
        at = begin + length + 2
    if at < len(got):
        raise CutError("the answer's chunks can't be read")
    return None


@lru_cache(maxsize=1024)  # a process of a province asks for a dozen methods of each bot
def _target(url: str, media_type: str) -> _Target:
    """Return where `url` leads; UnreachableError if it can't be read."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port
        secure = parts.scheme == "https"
        if not host or parts.scheme not in ("http", "https"):
            raise ValueError("no address of http or https")
        named = parts.netloc.rpartition("@")[2].encode("ascii" if "[" in host else "idna")
    except ValueError as error:  # of which UnicodeError is one
        raise UnreachableError(str(error)) from None
    path = quote(parts.path or "/", safe=_SAFE) + (f"?{parts.query}" if parts.query else "")
    lines = [
        b"POST " + path.encode() + b" HTTP/1.1",
        b"Host: " + named,
        b"User-Agent: reminder",
        b"Content-Type: " + media_type.encode(),
    ]
    if parts.username is not None:
        who = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(b"Authorization: Basic " + b64encode(who.encode()))
    head = b"\r\n".join([*lines, b"Content-Length: "])
    return _Target(host, port or (443 if secure else 80), secure, head)
