"""The end of a run: what is under way is waited for, what has not begun is left as it was."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from pathlib import Path

import pytest

from reminder.channels.telegram.pacer import Pacer
from reminder.channels.telegram.send import TelegramChannel
from reminder.store.store import open_store
from tests.app.kit import Mailbox, SetClock, enrolled, mail_server, quiet, settings, wired_fast
from tests.app.kit import runs as run_through
from tests.fakes.telegram import FakeTelegram
from tests.services.world import at
from tests.waiting import until


@pytest.mark.asyncio
async def test_what_waits_for_its_turn_is_no_possible_repeat(
    tmp_path: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telegram has one chat wait a minute; at the end its answers are pending and unmarked."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    clock = SetClock(at("22/01", "09:00"))
    async with FakeTelegram() as telegram, mail_server(mailbox) as port:
        config = settings(tmp_path, telegram, port)
        wired = wired_fast(config, clock)
        enrolled(wired, telegram, clock, "an")
        channel = wired.daemon.channels["telegram"]
        assert isinstance(channel, TelegramChannel)
        channel._pacer = Pacer(time.monotonic)  # which waits for its turn, however long that takes
        async with run_through(wired):
            await telegram.until(lambda: telegram.being_polled)
            await until(lambda: wired.store.meta("last_tick") is not None and quiet(wired))
            telegram.fail_next("sendMessage", 429, retry_after=60)
            for _ in range(3):
                telegram.user_sends(11, "/viec")
            await telegram.until(lambda: any(c.outcome == 429 for c in telegram.calls))
            await until(lambda: not telegram.pending and wired.store.counts()["leased"] == 2)
        said = len(telegram.sent_to(11))
    store = open_store(f"sqlite:///{tmp_path / 'r.db'}", exclusive=False, sleep=lambda _: None)
    replies = store.rows(kind="reply")
    store.close()
    assert said == 0
    assert [(row.state.value, row.repeat) for row in replies] == [("pending", False)] * 3
    refused = [row for row in replies if row.error == "Telegram yêu cầu chờ 60 giây"]
    given_back = {row.error for row in replies if row not in refused}
    # Empty: leased ahead, and given back before it came to a channel.
    assert (len(refused), given_back <= {"", "chương trình dừng trước khi gửi tin này"}) == (
        1,
        True,
    )


@pytest.mark.asyncio
async def test_a_refused_file_is_told_at_once(tmp_path: Path, mailbox: Mailbox) -> None:
    """Between two ticks, and while the dispatcher sleeps: the office hears of it all the same."""
    clock = SetClock(at("23/01", "09:00"))
    async with mail_server(mailbox) as port:
        config = settings(tmp_path, None, port)
        wired = wired_fast(config, clock, tick_seconds=3600)
        async with run_through(wired):
            await until(lambda: wired.store.meta("last_tick") is not None)
            await until(lambda: wired.store.next_due() is None)
            (tmp_path / "people.toml").write_text('[[person]]\nid = "an', encoding="utf-8")
            await until(lambda: any("people.toml" in text for text in mailbox.to("chi")))


@pytest.mark.asyncio
async def test_a_stop_in_the_middle_of_a_tick_is_no_failure(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The tick waits for a database that another program writes: the end is silent about it."""
    clock = SetClock(at("23/01", "09:00"))
    async with mail_server(mailbox) as port:
        wired = wired_fast(settings(tmp_path, None, port), clock)
        async with run_through(wired):
            await until(lambda: wired.store.meta("last_tick") is not None and quiet(wired))
            other = sqlite3.connect(tmp_path / "r.db", isolation_level=None)
            stopped: list[str] = []

            def mark(kind: str) -> None:  # the tick is about to be given to the store's thread
                if kind == "tried" and not stopped:
                    other.execute("BEGIN IMMEDIATE")
                    wired.daemon.stop()
                    stopped.append(kind)

            wired.daemon.mark = mark
            await until(lambda: stopped != [])
            await asyncio.sleep(0.01)  # the daemon's end begins, and cuts the tick short
            other.execute("ROLLBACK")
            other.close()
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []
