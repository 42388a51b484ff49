"""What runs in the background of the daemon never ends without a word, and loses no send."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from reminder.app.wiring import Program
from reminder.domain.context import Inbound
from reminder.domain.outbox import RowState
from reminder.store.store import Store
from tests.app.kit import (
    REPEAT,
    Mailbox,
    SetClock,
    logged,
    mail_server,
    quiet,
    running,
    runs,
    settings,
    wired_fast,
)
from tests.people import officers
from tests.services.world import at
from tests.store.samples import on_writer
from tests.waiting import until


class Fragile:
    """A listener that dies of its first and its second life, and hears one message in each."""

    name = "fragile"

    def __init__(self) -> None:
        self.lives = 0

    async def begin(self) -> None: ...

    async def run(self, take: Callable[[Inbound], Awaitable[bool]]) -> None:
        self.lives += 1
        await take(
            Inbound(
                channel="telegram",
                update=str(self.lives),
                sender="66",
                chat="66",
                private=True,
                text="/viec",
                message="1",
            )
        )
        if self.lives < 3:
            raise LookupError("an answer of a shape that nobody foresaw")
        await asyncio.Event().wait()


@pytest.mark.asyncio
async def test_a_listener_that_dies_listens_again(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """A line each time, and the program goes on; at the end it is stopped as any other."""
    clock, fragile = SetClock(at("24/01")), Fragile()
    async with mail_server(mailbox) as port:
        wired = wired_fast(settings(tmp_path, None, port), clock)
        wired.daemon.listeners = (fragile,)
        async with runs(wired):
            await until(lambda: fragile.lives == 3 and mailbox.to("binh") != [])
    assert logged(caplog, "listening to fragile") == [
        f"listening to fragile has ended (LookupError: an answer of a shape that nobody foresaw): "
        f"restarted in {pause} s"
        for pause in ("0.01", "0.02")
    ]


async def trigger(wired: Program, words: str) -> None:
    """A fault that is no lock and no full disk: the database itself refuses one change."""
    store = wired.store
    assert isinstance(store, Store)
    await wired.daemon.do(lambda: on_writer(store, words))


REFUSE_MARKS = (
    "CREATE TRIGGER odd BEFORE UPDATE OF provider_id ON outbox WHEN new.recipient = 'an' "
    "BEGIN SELECT RAISE(ABORT, 'odd'); END"
)


@pytest.mark.asyncio
async def test_a_record_that_fails_is_said_and_the_send_repeated_once(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Meanwhile another send hangs: it keeps its lease, however long; the lost one gets a new one.

    The second mail is marked as a possible repeat.
    """
    caplog.set_level(logging.INFO)
    clock, answer = SetClock(at("24/01", "07:58")), asyncio.Event()

    async def hold(address: str) -> None:
        if address.startswith("binh"):
            await answer.wait()

    people = officers("an", "binh")
    async with running(tmp_path, clock, None, mailbox, people=people) as wired:
        await until(lambda: wired.store.meta("last_tick") is not None and quiet(wired))
        await trigger(wired, REFUSE_MARKS)
        mailbox.hold = hold
        clock.moment = at("24/01", "08:00")
        await until(lambda: len(logged(caplog, "can't be recorded")) == 1)
        await until(lambda: len(mailbox.to("binh")) == 1)
        await trigger(wired, "DROP TRIGGER odd")
        clock.moment += timedelta(minutes=6)
        await until(lambda: len(mailbox.to("an")) == 2)
        await until(lambda: len(wired.store.rows(states=[RowState.SENT], recipient="an")) == 1)
        held = wired.store.rows(states=[RowState.LEASED])
        assert [row.draft.recipient for row in held] == ["binh"]
        answer.set()
        await until(lambda: quiet(wired))
    first, again = mailbox.to("an")
    assert first in again
    assert again.startswith(REPEAT)
    assert len(mailbox.to("binh")) == 1
    assert logged(caplog, "lease ended") == ["1 lease ended without a record: sent once more"]
    (line,) = logged(caplog, "can't be recorded")
    assert line.startswith("what became of row ")
    assert line.endswith("it is sent once more, marked, when its lease has ended")
