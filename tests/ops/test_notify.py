"""systemd's protocol, on a real datagram socket."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reminder.ops.liveness import Notifier
from tests.waiting import LONGEST

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="systemd is Linux's")


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """A socket as systemd binds one, and what NOTIFY_SOCKET says of it."""
    if request.param == "abstract" and sys.platform != "linux":
        pytest.skip("abstract sockets are Linux's")
    name = f"reminder-test-{os.getpid()}"
    bound, told = (f"\0{name}", f"@{name}") if request.param == "abstract" else (None, None)
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as heard:
        heard.bind(bound or str(tmp_path / "s"))
        heard.setblocking(False)
        yield told or str(tmp_path / "s"), heard


def taken(heard: socket.socket) -> list[str]:
    """All datagrams so far."""
    found = []
    while True:
        try:
            found.append(heard.recv(4096).decode())
        except BlockingIOError:
            return found


def test_a_word_is_a_datagram(systemd: tuple[str, socket.socket]) -> None:
    address, heard = systemd
    notifier = Notifier.of({"NOTIFY_SOCKET": address})
    notifier.say("READY=1", "STATUS=runs")
    assert taken(heard) == ["READY=1\nSTATUS=runs"]


def test_nobody_listens_and_nothing_happens(tmp_path: Path) -> None:
    """No socket, or a dead one: no error, no word."""
    Notifier.of({}).say("READY=1")
    Notifier.of({"NOTIFY_SOCKET": str(tmp_path / "gone")}).say("READY=1")


@pytest.mark.parametrize(
    ("environ", "span"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),  # another process is meant
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_as_systemd_says(environ: dict[str, str], span: float | None) -> None:
    assert Notifier.of(environ).watchdog == span


@pytest.mark.asyncio
async def test_signs_of_life_end_with_life(systemd: tuple[str, socket.socket]) -> None:
    """As long as the program lives, more often than asked; a changed status is told once."""
    address, heard = systemd
    lives = True
    notifier = Notifier(address, watchdog=0.02)
    status = iter(["runs", "runs", "no poll", *["no poll"] * 1000])
    watching = asyncio.create_task(notifier.watch(lambda: lives, lambda: next(status)))
    words: list[str] = []
    async with asyncio.timeout(LONGEST):
        while words.count("WATCHDOG=1") < 4:
            await asyncio.sleep(0.005)
            words += taken(heard)
    assert [w for w in words if w != "WATCHDOG=1"] == ["STATUS=runs", "STATUS=no poll"]
    lives = False
    await asyncio.sleep(0.03)
    taken(heard)
    await asyncio.sleep(0.06)
    assert taken(heard) == []
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
