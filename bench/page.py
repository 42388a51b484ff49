"""The office's page: how large, how fast while messages go out, and what it costs them and memory.

It is read as a browser with a session does, over one connection, by this process; the program and
the server of its messages have processes of their own. While 600 nudges go out under the real
limits, 20 pages a second are asked for, and a note is written now and then; the style sheet, which
is sent as it lies there, tells what of the time is the machine's. At the same time nudges go out
from another process with the page off.
"""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from statistics import median, quantiles
from urllib.parse import urlencode

from bench.ours import VISITOR
from bench.rows import Row, at_least, at_most, in_turn, row
from bench.sides import client, folder, server, stats, until, until_sent
from bench.weight import _resident

TASK = "/viec/cchc-2024/1c"
PAGES = {"board": "/bang", "desk": "/quyet", "task": "/viec/cchc-2024/2c"}
MESSAGES = 600  # about 20 s under the real limits
A_SECOND = 20
NOTE_EVERY = 30  # pages: that is some ten notes, and the page takes 30 acts a minute of one person
WARM = 30  # requests that do not count
AGAIN = 100  # of a page that the browser has


class Visitor:
    """A browser with a session, on one connection."""

    def __init__(self, port: int) -> None:
        self._host = f"127.0.0.1:{port}"
        self._line = HTTPConnection(self._host, timeout=30)

    def ask(self, method: str, url: str, body: str = "", **more: str) -> tuple[HTTPResponse, bytes]:
        headers = {"Cookie": f"nv={VISITOR}", "Origin": f"http://{self._host}", **more}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._line.request(method, url, body or None, headers)
        answer = self._line.getresponse()
        return answer, answer.read()

    def waits(self, process: subprocess.Popen[str]) -> Visitor:
        """Waits until the page of `process` is there."""
        while process.poll() is None:
            try:
                assert self.ask("GET", "/bang")[0].status == 200
            except (OSError, HTTPException):
                self._line.close()
                time.sleep(0.05)
            else:
                return self
        raise SystemExit("the program with the page has ended")

    def timed(self, method: str, url: str, body: str = "", **more: str) -> tuple[float, int]:
        began = time.perf_counter()
        answer, _ = self.ask(method, url, body, **more)
        return time.perf_counter() - began, answer.status

    def note(self) -> tuple[float, int]:
        """Writes a note on a task; the time and status of the form."""
        _, page = self.ask("GET", TASK)
        form = page.decode().partition(f'action="{TASK}/1/2024/ghi-chu"')[2].partition("</form>")[0]
        fields = re.findall(r'name="(\w+)" value="([^"]*)"', form)
        return self.timed(
            "POST", f"{TASK}/1/2024/ghi-chu", urlencode([*fields, ("noi-dung", "đo")])
        )


def run() -> Iterator[Row]:
    """The rows."""
    yield from _sizes()
    on, off = in_turn(lambda: _memory(_port()), lambda: _memory(0), rounds=1)
    yield row(
        "memory with the page on / off, MB",
        f"{on:.0f}",
        f"{off:.0f}",
        figure=on,
        goal=at_most(110),
    )
    yield from _busy()


def _sizes() -> Iterator[Row]:
    with _office() as visitor:
        for name, page in PAGES.items():
            yield _size(f"the {name}", visitor, page, 50)
        tag = visitor.ask("GET", "/bang")[0].headers["ETag"]
        again = [visitor.timed("GET", "/bang", **{"If-None-Match": tag}) for _ in range(AGAIN)]
    assert {status for _, status in again} == {304}
    took = median(seconds for seconds, _ in again) * 1e3
    yield row("a page that the browser has (304), ms", f"{took:.2f}", figure=took, goal=at_most(2))
    with _office("--tasks", "500") as visitor:
        for name in ("board", "desk"):
            yield _size(f"the {name} of 500 tasks", visitor, PAGES[name], 60)


@contextmanager
def _office(*words: str) -> Iterator[Visitor]:
    """A visitor of a program that has nothing else to do."""
    port = _port()
    with (
        server() as url,
        folder() as place,
        client("bench.ours", "answer", url, place, "--page", str(port), *words) as process,
    ):
        yield Visitor(port).waits(process)


def _size(what: str, visitor: Visitor, page: str, most: int) -> Row:
    kilobytes = len(visitor.ask("GET", page)[1]) / 1000
    return row(f"{what}, kB", f"{kilobytes:.1f}", figure=kilobytes, goal=at_most(most))


def _memory(port: int) -> float:
    """Megabytes once it polls; with a page, once that has been read."""
    with server() as url, folder() as place:
        words = ("--page", str(port)) if port else ()
        with client("bench.ours", "answer", url, place, *words) as process:
            until(lambda: stats(url)["polled"], pause=0.05)
            if port:
                visitor = Visitor(port).waits(process)
                for page in (*PAGES.values(), "/lich", "/so-ghi", "/nguoi"):
                    visitor.ask("GET", page)
            time.sleep(0.5)
            return _resident(process.pid)


def _busy() -> Iterator[Row]:
    with ThreadPoolExecutor() as pool:  # both at once: each waits for the limits most of the time
        alone = pool.submit(_alone)
        yield from _visited(alone)


def _alone() -> float:
    """Nudges a second with the page off."""
    with server("--limits") as url, folder() as place:
        words = ("--count", str(MESSAGES), "--paced")
        with client("bench.ours", "send", url, place, *words) as process:
            until_sent(url, MESSAGES, process)
            return _rate(url)


def _visited(off: Future[float]) -> Iterator[Row]:
    port, pages, notes, sheets = _port(), list[float](), list[float](), list[float]()
    with server("--limits") as url, folder() as place:
        words = ("--count", str(MESSAGES), "--paced", "--page", str(port))
        with client("bench.ours", "send", url, place, *words) as process:
            visitor = Visitor(port).waits(process)
            while len(stats(url)["arrivals"]) < MESSAGES - A_SECOND * 3:  # it ends with the last
                _visit(visitor, pages)
                sheets.append(visitor.timed("GET", "/kieu.css")[0])
                if len(pages) % NOTE_EVERY == 0:
                    seconds, status = visitor.note()
                    assert status == 303
                    notes.append(seconds)
            until_sent(url, MESSAGES, process)
            visited, alone = _rate(url), off.result()
    name = f"{A_SECOND} a second while {MESSAGES} messages go out"
    least = _tail(sheets)
    for what, tail, most in (
        (f"a page / a file, {name}, p95, ms", _tail(pages[WARM:]), 50),
        ("a note meanwhile, p95, ms", _tail(notes), 100),
    ):
        yield row(what, f"{tail:.1f}", f"{least:.1f}", figure=tail, goal=at_most(most))
    yield row(
        "nudges a second meanwhile / with the page off",
        f"{visited:.2f}",
        f"{alone:.2f}",
        figure=visited / alone,
        goal=at_least(0.95),
    )


def _visit(visitor: Visitor, pages: list[float]) -> None:
    """Ask for each of the pages at its time; how long each took."""
    for page in PAGES.values():
        began = time.monotonic()
        seconds, status = visitor.timed("GET", page)
        assert status == 200
        pages.append(seconds)
        time.sleep(max(0.0, began + 1 / A_SECOND - time.monotonic()))


def _tail(seconds: Sequence[float]) -> float:
    """The 95th percentile, in milliseconds."""
    return quantiles(seconds, n=20)[18] * 1e3


def _rate(url: str) -> float:
    arrivals = sorted(stats(url)["arrivals"])
    return (len(arrivals) - 1) / float(arrivals[-1] - arrivals[0])


def _port() -> int:
    """A port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
