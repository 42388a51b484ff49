"""The daemon on PostgreSQL: a server that goes away and comes back, a lock that is cut."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reminder.app.wiring import Program
from reminder.store.records import LockLostError, StoreBusyError
from reminder.store.store import Store, open_store
from tests.app.kit import (
    REPEAT,
    Mailbox,
    SetClock,
    logged,
    mail_server,
    quiet,
    running,
    settings,
    wired_fast,
)
from tests.conftest import ROOT
from tests.fakes.telegram import FakeTelegram
from tests.postgres import Server
from tests.services.world import at
from tests.store.conftest import no_sleep
from tests.store.test_postgres import LOCKS_HERE, cut_lock
from tests.waiting import LONGEST, until, within

OFFICERS = 12
PEOPLE = "".join(
    f'[[person]]\nid = "p{n}"\nname = "P{n}"\nunit = "tu-phap"\nemail = "p{n}@example.vn"\n'
    for n in range(OFFICERS)
)


class Way:
    """A way to the server that can be closed, as a cable can be drawn."""

    def __init__(self, server: Server, database: str, folder: Path) -> None:
        self._server, self._database, self._folder = server, database, folder
        self._socket = ".s.PGSQL.5432"
        folder.mkdir()
        self.open()
        self.url = server.url(database, socket=folder)

    def open(self) -> None:
        (self._folder / self._socket).symlink_to(self._server.folder / self._socket)

    def shut(self) -> None:
        (self._folder / self._socket).unlink()
        self._server.cut(self._database)


@pytest.fixture
def way(postgres: Server, postgres_database: str, tmp_path: Path) -> Way:
    return Way(postgres, postgres_database, tmp_path / "way")


async def settled(wired: Program) -> None:
    """Wait until nothing is on its way; the connection of this thread may be a cut one."""

    def holds() -> bool:
        with suppress(StoreBusyError):
            return quiet(wired)
        return False

    await until(holds)


@pytest.mark.asyncio
async def test_a_morning_without_the_server_is_made_up_for(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture, way: Way
) -> None:
    """It is away for an hour: nothing is sent, no traceback; back, each hears once, unmarked."""
    caplog.set_level(logging.INFO)
    clock = SetClock(at("24/01", "07:58"))
    async with running(tmp_path, clock, None, mailbox, people=PEOPLE, url=way.url) as wired:
        await settled(wired)
        before = len(mailbox.mails)
        way.shut()
        for hour in ("08:00", "08:30", "09:00"):
            clock.moment = at("24/01", hour)
            await wired.daemon.tick()
            wired.daemon.wake()
        assert len(mailbox.mails) == before
        way.open()
        await until(lambda: len({who for who, text in mailbox.mails if "1c" in text}) == OFFICERS)
        await settled(wired)
    assert len(set(mailbox.mails)) == len(mailbox.mails)
    assert logged(caplog, REPEAT) == []
    assert [record for record in caplog.records if record.exc_info] == []
    lines = logged(caplog, "the database")
    assert len(lines) == len(set(lines)) <= 4
    assert logged(caplog, "is its server running, at that address?") != []
    assert logged(caplog, "works again") != []


@pytest.mark.asyncio
async def test_a_failover_while_messages_are_sent_repeats_none_unmarked(
    tmp_path: Path, mailbox: Mailbox, postgres: Server, way: Way, postgres_database: str
) -> None:
    """All connections are cut at each third mail."""
    clock = SetClock(at("24/01", "07:58"))

    async def cut(_: str) -> None:
        if len(mailbox.mails) % 3 == 0:
            await asyncio.to_thread(postgres.cut, postgres_database)

    async with running(tmp_path, clock, None, mailbox, people=PEOPLE, url=way.url) as wired:
        await settled(wired)
        mailbox.hold = cut
        clock.moment = at("24/01", "08:00")
        await until(lambda: len({who for who, text in mailbox.mails if "1c" in text}) == OFFICERS)
        mailbox.hold = None
        await settled(wired)
    first = Counter(who for who, text in mailbox.mails if "1c" in text and REPEAT not in text)
    assert set(first.values()) == {1}


@pytest.mark.asyncio
async def test_a_daemon_that_lost_its_lock_ends(
    tmp_path: Path, mailbox: Mailbox, postgres: Server, postgres_url: str, postgres_database: str
) -> None:
    """With the sentence, and without the mark of a clean end, which is the other one's."""
    clock = SetClock(at("24/01", "07:58"))
    async with mail_server(mailbox) as port:
        config = settings(tmp_path, None, port, people=PEOPLE, url=postgres_url)
        wired = wired_fast(config, clock, tick_seconds=3600)
        wired.daemon.sweep_seconds = wired.daemon.reload_seconds = 3600
        task = asyncio.create_task(wired.run())
        await until(lambda: wired.daemon._ticked > 0)
        await settled(wired)

        def take_over() -> Store:
            cut_lock(postgres, postgres_database)
            return open_store(postgres_url, exclusive=True, sleep=no_sleep, wait=0)

        # In the store's thread, so that the daemon writes nothing meanwhile.
        with closing(await wired.daemon.do(take_over)) as other:
            clock.moment = at("24/01", "08:00")
            await wired.daemon.tick()
            with pytest.raises(LockLostError, match="this one ends"):
                await within(task, "the daemon's end")
            assert other.meta("ended") == ""
            assert "1c" not in "".join(text for _, text in mailbox.mails)


async def start(config: Path, seconds: float) -> Process:
    command = [sys.executable, "-m", "tests.daemon_process", str(config), f"{seconds}"]
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=PIPE, stdout=PIPE)


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="stops and wakes a process")
@pytest.mark.asyncio
async def test_of_two_daemons_one_sends_when_the_lock_is_cut(
    tmp_path: Path, postgres: Server, postgres_url: str, postgres_database: str
) -> None:
    """One is frozen among its sends and loses the lock; woken, it ends and sends no more."""
    async with FakeTelegram() as telegram:
        people = PEOPLE.replace('email = "p', 'channels = ["telegram"] # "')
        config = settings(tmp_path, telegram, 1, people=people, url=postgres_url)
        with closing(open_store(postgres_url, exclusive=False, sleep=no_sleep)) as store:
            for n in range(OFFICERS):
                store.bind(f"p{n}", "telegram", f"{1000 + n}", at("22/01"))
                telegram.start(1000 + n)
        shift = (at("24/01", "08:00") - datetime.now(UTC)).total_seconds()
        first = await start(config, shift)
        await telegram.until(lambda: len(telegram.accepted) >= 3, seconds=LONGEST)
        second = await start(config, shift)
        os.kill(first.pid, signal.SIGSTOP)
        cut_lock(postgres, postgres_database)
        await until(lambda: bool(postgres.ask(LOCKS_HERE, [postgres_database])), apart=True)
        os.kill(first.pid, signal.SIGCONT)
        _, said = await within(first.communicate(), "the first daemon's end")
        assert b"another reminder daemon has taken over" in said
        assert first.returncode == 1
        await telegram.until(
            lambda: len({m.chat_id for m in telegram.sent if "1c" in m.text}) == OFFICERS,
            seconds=LONGEST,
        )
        os.kill(second.pid, signal.SIGTERM)
        await within(second.communicate(), "the second daemon's end")
        unmarked = Counter(
            m.chat_id for m in telegram.sent if "1c" in m.text and REPEAT not in m.text
        )
        assert max(unmarked.values()) == 1
