"""A clock that jumps under the running daemon: nothing is lost, nothing said twice, one line."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from tests.app.kit import (
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
from tests.fakes.telegram import FakeTelegram
from tests.services.world import at
from tests.waiting import until

NOBODY = 1  # a port that nobody listens at
FAR = 3600.0  # seconds between two ticks: what is said, is said because the watch saw the jump


def of_1c(mailbox: Mailbox) -> list[str]:
    return [text for text in mailbox.to("binh") if "1c" in text]


@pytest.mark.asyncio
async def test_a_day_forward_is_made_up_at_once(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Past the slot of 24/01: what was missed is said, once, and the line names the jump."""
    caplog.set_level(logging.INFO)
    clock = SetClock(at("23/01", "09:00"))
    async with running(tmp_path, clock, None, mailbox, tick_seconds=FAR) as wired:
        await until(lambda: wired.store.meta("last_tick") is not None)
        clock.moment = at("24/01", "09:00")
        await until(lambda: len(of_1c(mailbox)) == 1 and quiet(wired))
        (line,) = logged(caplog, "clock")
        span = "(1 day, 0:00:00|23:59:[0-5][0-9])"  # less what passed since the watch last looked
        words = f"the clock went forward by {span} at once: missed messages are sent"
        assert re.fullmatch(words, line)
    assert len(of_1c(mailbox)) == 1


@pytest.mark.asyncio
async def test_a_day_back_says_nothing_twice_and_goes_on(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The nudge of 24/01, set back to 23/01, and the mornings again: each nudge came once."""
    caplog.set_level(logging.INFO)
    clock = SetClock(at("24/01"))
    async with running(tmp_path, clock, None, mailbox, tick_seconds=FAR) as wired:
        await until(lambda: len(of_1c(mailbox)) == 1 and quiet(wired))
        clock.moment = at("23/01", "09:00")
        await until(lambda: len(logged(caplog, "clock")) == 1)
        (line,) = logged(caplog, "clock")
        assert line == (
            "the clock was set back, before the last tick (2024-01-24T08:00+07:00): nothing is "
            "said twice, 0 waiting messages brought forward"
        )
        for day in ("24/01", "30/01"):
            clock.moment = at(day, "08:00")
            stamp = clock.moment.isoformat()
            await until(lambda s=stamp: wired.store.meta("last_tick") == s)  # type: ignore[misc]
        await until(lambda: len(of_1c(mailbox)) >= 2)
        await until(lambda: quiet(wired))
    assert len(set(mailbox.mails)) == len(mailbox.mails)


@pytest.mark.asyncio
async def test_a_restart_with_the_clock_set_right_waits_for_no_false_hour(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """No mail server while the clock ran a week ahead; after a restart in the true time, mail."""
    clock = SetClock(at("31/01"))
    async with runs(wired_fast(settings(tmp_path, None, NOBODY), clock)) as wired:
        await until(lambda: any(row.due_at > clock.moment for row in wired.store.rows()))
    clock.moment = at("24/01", "09:00")
    async with running(tmp_path, clock, None, mailbox):
        await until(lambda: mailbox.to("binh") != [])


@pytest.mark.asyncio
async def test_the_marks_of_a_false_hour_are_taken_back(tmp_path: Path, mailbox: Mailbox) -> None:
    """Last tick and last poll, which `reminder status` shows, are of the true time again."""
    clock = SetClock(at("30/01"))

    async with (
        FakeTelegram() as telegram,
        running(tmp_path, clock, telegram, mailbox) as wired,
    ):

        def marks(hour: str) -> bool:
            return wired.store.meta("last_tick") == wired.store.meta("last_poll") == hour

        telegram.user_sends(66, "/viec")  # whatever comes in ends a poll
        await until(lambda: marks(clock.moment.isoformat()))
        clock.moment = at("24/01")
        telegram.user_sends(66, "/viec")
        await until(lambda: marks(clock.moment.isoformat()))


@pytest.mark.asyncio
async def test_a_timer_that_has_died_is_set_anew(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """No tick for longer than any pause between two: said, and made up."""
    clock = SetClock(at("24/01", "07:59:45"))
    async with running(tmp_path, clock, None, mailbox, tick_seconds=FAR) as wired:
        await until(lambda: wired.store.meta("last_tick") is not None)
        wired.daemon.silent_seconds = 0.05
        clock.moment = at("24/01", "08:00")  # no jump that the watch would count as one
        await until(lambda: len(of_1c(mailbox)) == 1)
        assert logged(caplog, "the timer is restarted") != []


@pytest.mark.asyncio
async def test_a_jump_takes_back_no_row_that_is_about_to_be_sent(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """Leased, and the clock goes a day forward before the sends begin: each is sent once."""
    clock = SetClock(at("24/01"))
    async with mail_server(mailbox) as port:
        wired = wired_fast(settings(tmp_path, None, port), clock)
        daemon = wired.daemon
        await daemon._begin()
        await daemon.tick()
        leased, _ = await daemon.do(lambda: daemon.dispatcher._lease(8))
        assert leased
        clock.moment = at("25/01")
        await daemon._sweep()
        counts = wired.store.counts()
        assert (counts["leased"], counts["unknown"]) == (len(leased), 0)
        wired.store.close()
