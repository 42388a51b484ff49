"""A database that can't be written under the running daemon: one line, nothing lost, no spin."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path

import pytest

from reminder.app.wiring import Program
from reminder.store.store import Store
from tests.app.kit import Mailbox, SetClock, enrolled, logged, quiet, running
from tests.fakes.telegram import FakeTelegram
from tests.services.world import at
from tests.store.samples import on_writer, spoken, traced
from tests.waiting import until

OFFICERS = 24  # so many rows that no database finds room for them in the pages that it has
PEOPLE = "".join(
    f'[[person]]\nid = "p{n}"\nname = "P{n}"\nunit = "tu-phap"\nemail = "p{n}@example.vn"\n'
    for n in range(OFFICERS)
)


def sql(wired: Program) -> Store:
    assert isinstance(wired.store, Store)
    return wired.store


async def pragma(wired: Program, words: str) -> object:
    """Says it on the one connection that the daemon writes with."""
    return await wired.daemon.do(lambda: on_writer(sql(wired), f"PRAGMA {words}"))


@asynccontextmanager
async def locked(_: Program, path: Path) -> AsyncIterator[str]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield "is locked by another program"


@asynccontextmanager
async def full(wired: Program, _: Path) -> AsyncIterator[str]:
    pages = await pragma(wired, "page_count")
    await pragma(wired, f"max_page_count={pages}")
    yield "can't grow: the disk is full"
    await pragma(wired, "max_page_count=1000000")


@asynccontextmanager
async def read_only(wired: Program, _: Path) -> AsyncIterator[str]:
    await pragma(wired, "query_only=ON")
    yield "is read-only: give this user the right to write it"
    await pragma(wired, "query_only=OFF")


Fault = Callable[[Program, Path], AbstractAsyncContextManager[str]]


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", [locked, full, read_only])
async def test_the_morning_waits_for_the_database(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    """At 08:00 nothing can be written: nothing is sent, one line; once it can, each hears once.

    Eight tries take their time: who spins would have done them in a thousandth of it.
    """
    caplog.set_level(logging.INFO)
    clock, tries = SetClock(at("24/01", "07:58")), 0
    async with running(tmp_path, clock, None, mailbox, people=PEOPLE) as wired:
        await until(lambda: wired.store.meta("last_tick") is not None and quiet(wired))
        await pragma(wired, "busy_timeout=0")
        before = len(mailbox.mails)

        def count(statement: str) -> None:
            nonlocal tries
            tries += statement == "BEGIN IMMEDIATE"

        async with fault(wired, tmp_path / "r.db") as why:
            await wired.daemon.do(lambda: traced(sql(wired), count))
            clock.moment = at("24/01", "08:00")
            began = asyncio.get_running_loop().time()
            await until(lambda: tries >= 8)
            assert asyncio.get_running_loop().time() - began > 0.1
            assert len(mailbox.mails) == before
            assert len(logged(caplog, why)) == 1
            assert spoken(wired.store) == []
        await until(lambda: len({who for who, text in mailbox.mails if "1c" in text}) == OFFICERS)
        await until(lambda: quiet(wired))
        assert logged(caplog, "works again") != []
    assert len(set(mailbox.mails)) == len(mailbox.mails)
    assert len(logged(caplog, "the database")) == 1


@pytest.mark.asyncio
async def test_an_answer_waits_for_the_database(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """/done while it is locked: not confirmed to Telegram, one line; then recorded once."""
    clock = SetClock(at("24/01", "09:00"))
    async with (
        FakeTelegram() as telegram,
        running(tmp_path, clock, telegram, mailbox) as wired,
    ):
        enrolled(wired, telegram, clock, "an")
        await pragma(wired, "busy_timeout=0")
        await telegram.until(lambda: telegram.being_polled and quiet(wired))
        said = len(telegram.sent_to(11))
        async with locked(wired, tmp_path / "r.db") as why:
            telegram.user_sends(11, "/done 1c")
            await until(lambda: len(logged(caplog, "waits", why)) == 1)
            assert len(telegram.pending) == 1
        await telegram.until(lambda: not telegram.pending)
        await telegram.until(lambda: len(telegram.sent_to(11)) == said + 1)
        kinds = [one.event.kind.value for one in await wired.daemon.do(wired.store.events)]
        assert [kind for kind in kinds if kind != "held"] == ["done"]


@pytest.mark.asyncio
async def test_the_record_of_a_send_waits_for_the_database(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Locked between the provider's acceptance and our record of it: no message comes twice."""
    clock = SetClock(at("24/01", "07:58"))
    accepted, answer = asyncio.Event(), asyncio.Event()

    async def hold(_: str) -> None:
        accepted.set()
        await answer.wait()

    async with running(tmp_path, clock, None, mailbox) as wired:
        await until(lambda: wired.store.meta("last_tick") is not None and quiet(wired))
        await pragma(wired, "busy_timeout=0")
        mailbox.hold = hold
        clock.moment = at("24/01", "08:00")
        await accepted.wait()
        async with locked(wired, tmp_path / "r.db") as why:
            answer.set()
            await until(lambda: len(logged(caplog, why)) == 1)
        await until(lambda: quiet(wired))
        assert wired.store.counts()["unknown"] == 0
    assert len(set(mailbox.mails)) == len(mailbox.mails)
