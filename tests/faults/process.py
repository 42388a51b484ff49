"""A nursery of daemons: loads the program once, then forks a daemon whenever it is asked to.

usage: python -m tests.faults.process
Lines on stdin: “start CONFIG CLOCK” answers the process's number, “wait NUMBER” its exit code.
A daemon is `wiring.program` on a clock of the test's own, which stands in the file CLOCK; each is
a process of its own, which the harness kills. Its log goes to the nursery's stderr.

What is bound here and nowhere else: the clock; the pauses of the real clock, cut short as the
clock runs ahead of it; a read-only database (SIGUSR1, SIGUSR2), which root can't have by rights;
and the row's key beside each request to Telegram, by which the harness tells repeats for certain.
"""

from __future__ import annotations

import asyncio
import gc
import mmap
import os
import signal
import struct
import sys
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

os.environ.setdefault("PTB_TIMEDELTA", "true")


from reminder.app import bootstrap, logs, wiring
from reminder.channels import Channel
from reminder.channels.email.receive import MailListener
from reminder.channels.telegram import send
from reminder.channels.telegram.http import TelegramRequest
from reminder.channels.telegram.pacer import Pacer
from reminder.channels.telegram.receive import TelegramListener
from reminder.channels.telegram.send import TelegramChannel, make_bot
from reminder.channels.zalo.client import ZaloClient
from reminder.channels.zalo.receive import ZaloListener
from reminder.channels.zalo.send import ZaloChannel
from reminder.domain.errors import ReminderError
from reminder.domain.outbox import Outbound
from reminder.messages import compose
from reminder.store.store import Store

# What the program loads late is loaded here, once, and not by each daemon.
for late in (
    *("alembic.command", "apscheduler.triggers.cron", "apscheduler.triggers.interval"),
    *("holidays.countries.vietnam", "reminder.files.settings", "sqlalchemy.dialects.sqlite"),
):
    import_module(late)

HURRY = 25.0  # how much faster than the real clock the pauses of a line run
ANSWER_SECONDS = 0.4  # real; how long an answer of Telegram is waited for
ROW: ContextVar[str] = ContextVar("row", default="")


class FileClock:
    """Shows what stands in a file: microseconds since 1970 as one 64-bit number."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._shown = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)

    def now(self) -> datetime:
        (shown,) = struct.unpack("<q", self._shown[:8])
        return datetime.fromtimestamp(shown // 1_000_000, UTC)


class Keyed:
    """A channel whose requests carry the key of the row that they are for."""

    def __init__(self, channel: Channel) -> None:
        self.name = channel.name
        self.stop, self.halt, self.turn = channel.stop, channel.halt, channel.turn
        self._channel = channel

    async def send(self, address: str, message: Outbound, key: str) -> str:
        ROW.set(key)
        return await self._channel.send(address, message, key)


def keyed_requests() -> None:
    """Each request to Telegram and Zalo says which row it is for, beside its own parameters."""
    plain = TelegramRequest.do_request

    async def do_request(self: TelegramRequest, url: str, *more: Any, **named: Any) -> Any:
        key = ROW.get()
        return await plain(self, f"{url}?row={quote(key, safe='')}" if key else url, *more, **named)

    TelegramRequest.do_request = do_request  # type: ignore[method-assign]
    plainly = ZaloClient._post

    async def post(self: ZaloClient, method: str, params: Any, seconds: float | None) -> Any:
        return await plainly(self, method, params | {"row": ROW.get()}, seconds)

    ZaloClient._post = post  # type: ignore[method-assign]


async def hurried(seconds: float) -> None:
    """A pause on a line that runs faster."""
    await asyncio.sleep(seconds / HURRY)


def pragma(store: Store, words: str) -> None:
    """Says it on the connection that the daemon writes with."""
    database = store.database
    database.kept(database._writer).connection.cursor().execute(f"PRAGMA {words}")


async def daemon(config: Path, clock: Path) -> None:
    """Runs one until SIGTERM."""
    wired = wiring.program(config, FileClock(clock), tick_seconds=0.5)
    inner, store = wired.daemon, wired.store
    assert isinstance(store, Store)
    pragma(store, "busy_timeout=50")
    inner.watch_seconds, inner.sweep_seconds, inner.worker.busy_pause = 0.02, 0.2, 0.1
    inner.reload_seconds, inner.backup_seconds, inner.restart_pause = 0.15, 0.3, 0.05
    for one in inner.listeners:
        if isinstance(one, TelegramListener | ZaloListener):
            one._sleep = hurried
        if isinstance(one, MailListener):
            one.sleep = hurried
    channel = wired.daemon.channels["telegram"]
    assert isinstance(channel, TelegramChannel)
    channel._pacer = Pacer(lambda: asyncio.get_running_loop().time() * HURRY, hurried, patience=5.0)
    loop = asyncio.get_running_loop()
    wired.daemon.channels["telegram"] = Keyed(channel)
    if "zalo" in wired.daemon.channels:
        zalo = wired.daemon.channels["zalo"]
        assert isinstance(zalo, ZaloChannel)
        zalo.client._monotonic = lambda: loop.time() * HURRY
        zalo.client._answer_seconds = ANSWER_SECONDS
        wired.daemon.channels["zalo"] = Keyed(zalo)

    def switches() -> None:
        for number, switch in ((signal.SIGUSR1, "ON"), (signal.SIGUSR2, "OFF")):
            words = f"query_only={switch}"
            loop.add_signal_handler(number, inner.worker._thread.submit, pragma, store, words)

    loop.call_soon(switches)  # once the program has taken these signals for itself
    await wired.run()


def born(config: Path, clock: Path) -> int:
    """The whole life of a daemon, as `reminder run` would have it; its exit code."""
    send.make_bot = partial(make_bot, answer_seconds=ANSWER_SECONDS)
    bootstrap.pause = lambda seconds: time.sleep(seconds / HURRY)
    keyed_requests()
    try:
        logs.follow(bootstrap.load_settings(config))
        asyncio.run(daemon(config, clock))
    except ReminderError as error:
        sys.stderr.write(f"refused: {error}\n")
        return 1
    return 0


def main() -> None:
    """Forks and waits as it is told, until stdin ends."""
    # What all daemons then share: the certificates are read, the templates compiled.
    make_bot("1:read")
    for name in (templates := compose._environment()).list_templates():
        templates.get_template(name)
    gc.freeze()
    for line in sys.stdin:
        word, *values = line.rstrip("\n").split("\t")
        if word == "wait":
            _, status = os.waitpid(int(values[0]), 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if not answer:
                os.close(0)
                code = 1
                try:
                    code = born(*map(Path, values))
                finally:
                    sys.stderr.flush()
                    os._exit(code)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
