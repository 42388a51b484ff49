"""A small HTTP/1.1 server on 127.0.0.1 that can also misbehave: hang, reset, refuse."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from .model import JSON, ApiError, File

Misbehaviour = Literal["hang", "reset"]


@dataclass(frozen=True)
class Request:
    """A request with its parameters, whichever of the four ways they came in."""

    path: str
    params: dict[str, str]
    files: dict[str, File] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)  # by lower-case name
    gone: Callable[[], bool] = lambda: False  # whether the client has left


@dataclass(frozen=True)
class Response:
    """A status, a body and the headers beside Content-Length."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The bytes on the wire."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode() + self.body


def envelope(status: int, body: JSON, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON body, as every answer of the server itself has one."""
    kind = {"Content-Type": "application/json"}
    return Response(status, json.dumps(body).encode(), kind | dict(headers or {}))


def refusal(error: ApiError) -> Response:
    """The envelope of an error; a 429 says how long to wait in a header too."""
    body: JSON = {"ok": False, "error_code": error.code, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    seconds = error.parameters.get("retry_after")
    return envelope(error.code, body, {"Retry-After": str(seconds)} if seconds else None)


Handler = Callable[[Request], Awaitable[Response | Misbehaviour]]


class HttpServer:
    """Serves with keep-alive; the port stays the same through offline and online."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._socket = _bind(0)
        self.port: int = self._socket.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def open(self) -> None:
        """Listen on the port that was bound."""
        self._server = await asyncio.start_server(self._connected, sock=self._socket)

    def go_offline(self) -> None:
        """Reset every connection and refuse new ones, but keep the port for the way back."""
        self._stop_listening()
        # A socket that is bound and doesn't listen refuses connections and keeps the port.
        self._socket = _bind(self.port)

    def go_online(self) -> None:
        """Listen again; connections may queue from this moment on."""
        self._socket.listen(100)
        self._opening = asyncio.get_running_loop().create_task(self.open())

    async def close(self) -> None:
        """Stop everything, also requests that hang."""
        tasks = list(self._connections)
        self._stop_listening()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _stop_listening(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
        if self._server is not None:
            self._server.close()
            self._server = None
        else:  # cancelled half open: the loop may watch the socket already
            asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        for task, writer in self._connections.items():
            _reset(writer)
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or the server was closed: nobody is there to be answered
        finally:
            del self._connections[task]
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = replace(await read_request(reader), gone=reader.at_eof)
            reply = await self._handler(request)
            if reply == "reset":
                return _reset(writer)
            if reply == "hang":
                await reader.read()  # ends when the client has waited long enough
                return None
            writer.write(reply.encode())
            await writer.drain()


def _bind(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST: lingering for 0 seconds throws away what was not sent yet."""
    raw: socket.socket | None = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def read_request(reader: asyncio.StreamReader) -> Request:
    """One request off the connection; raises IncompleteReadError when the client has left."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    url = urlsplit(first.split(" ")[1])
    params, files = read_body(headers.get("content-type", ""), body)
    params = dict(parse_qsl(url.query, keep_blank_values=True)) | params
    return Request(url.path, params, files, headers)


def read_body(kind: str, body: bytes) -> tuple[dict[str, str], dict[str, File]]:
    """Parameters and files out of a form, a multipart form or a JSON object."""
    if kind.startswith("multipart/form-data"):
        return _multipart(kind.partition("boundary=")[2].strip('"').encode(), body)
    if kind.startswith("application/json"):
        return {name: _as_text(value) for name, value in json.loads(body).items()}, {}
    return dict(parse_qsl(body.decode(), keep_blank_values=True)), {}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _multipart(boundary: bytes, body: bytes) -> tuple[dict[str, str], dict[str, File]]:
    params: dict[str, str] = {}
    files: dict[str, File] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:-1]:
        raw_head, _, content = part.partition(b"\r\n\r\n")
        head = raw_head.decode()
        name = _header_value(r'\bname="([^"]*)"', head)
        file_name = _header_value(r'filename="([^"]*)"', head)
        if file_name:
            mime = _header_value(r"(?i)content-type: *([^\r\n]+)", head)
            files[name] = File(file_name, content, mime or "application/octet-stream")
        else:
            params[name] = content.decode()
    return params, files


def _header_value(pattern: str, head: str) -> str:
    match = re.search(pattern, head)
    return match[1] if match else ""
