"""What Telegram does to a running daemon: a refused token, another poller, no network."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path

import pytest

from reminder.app.wiring import program
from reminder.domain.errors import ReminderError
from tests.app.kit import (
    Mailbox,
    SetClock,
    enrolled,
    logged,
    mail_server,
    quiet,
    running,
    runs,
    settings,
    wired_fast,
)
from tests.conftest import ROOT
from tests.fakes.telegram import FakeTelegram
from tests.services.world import at
from tests.waiting import until, within

REFUSED = (
    "[telegram] token: Telegram does not accept it; copy it again from @BotFather into "
    "config/reminder.toml or REMINDER_TELEGRAM__TOKEN"
)


@pytest.mark.asyncio
@pytest.mark.parametrize("token", ["999:falsch", "falsch"], ids=["401", "404"])
async def test_a_wrong_token_stops_the_start_with_one_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, token: str
) -> None:
    """401 and 404 from getMe: it names the setting and not the token, and nothing “runs”."""
    caplog.set_level(logging.INFO)
    async with FakeTelegram() as telegram:
        config = settings(tmp_path, telegram, 1, token=token)
        with pytest.raises(ReminderError) as caught:
            await program(config, SetClock(at("24/01", "07:58"))).run()
    assert str(caught.value) == REFUSED
    assert [r.getMessage() for r in caplog.records if r.name.startswith("reminder")] == []


@pytest.mark.asyncio
async def test_the_command_ends_with_one_line_and_exit_code_1(tmp_path: Path) -> None:
    """`reminder run` with a wrong token, as an administrator sees it."""
    async with FakeTelegram() as telegram:
        config = settings(tmp_path, telegram, 1, token="999:falsch")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", "from reminder.cli import main; main()", "run", "--config", str(config)),
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        told = await within(process.communicate(), "its end")
    assert (process.returncode, *told) == (1, b"", f"{REFUSED}\n".encode())


@pytest.mark.asyncio
async def test_a_token_refused_later_leaves_mail_and_tells_the_office(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """401 at the nudge: marked as down, the mail comes at once; said once after 15 minutes."""
    caplog.set_level(logging.INFO)
    clock = SetClock(at("24/01", "07:58"))
    async with (
        FakeTelegram() as telegram,
        running(tmp_path, clock, telegram, mailbox) as wired,
    ):
        enrolled(wired, telegram, clock, "an")
        await telegram.until(lambda: telegram.being_polled)
        good, telegram.token = telegram.token, "4242:renewed"
        clock.moment = at("24/01", "08:00")
        await until(lambda: any("1c" in text for text in mailbox.to("an")))
        await until(lambda: wired.store.meta("down:telegram") == clock.moment.isoformat())
        clock.moment = at("24/01", "08:15")
        await until(lambda: any("Telegram" in text for text in mailbox.to("chi")))
        assert len(logged(caplog, "channel telegram refuses everything")) == 1

        telegram.token = good
        clock.moment = at("30/01", "08:00")
        await telegram.until(lambda: telegram.sent_to(11) != [])
        await until(lambda: len(logged(caplog, "channel telegram works again")) == 1)
        assert wired.store.meta("down:telegram") == ""


@pytest.mark.asyncio
async def test_a_token_that_was_mended_is_no_fault_after_the_restart(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """The mark of the refusal goes as Telegram lets the program in, not with the next nudge."""
    clock = SetClock(at("24/01", "19:00"))
    async with FakeTelegram() as telegram, mail_server(mailbox) as port:
        wired = wired_fast(settings(tmp_path, telegram, port), clock)
        wired.store.set_meta("down:telegram", at("24/01", "18:00").isoformat())
        async with runs(wired):
            await until(lambda: wired.store.meta("down:telegram") == "")
            assert telegram.sent_to(11) == []


@pytest.mark.asyncio
async def test_a_second_poller_is_said_and_sending_goes_on(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """409 for each poll: one line; the nudge arrives by Telegram all the same."""
    clock = SetClock(at("24/01", "07:58"))
    async with FakeTelegram() as telegram:
        telegram.fail_next("getUpdates", 409, times=1000)
        async with running(tmp_path, clock, telegram, mailbox) as wired:
            enrolled(wired, telegram, clock, "an")
            await until(lambda: logged(caplog, "another program polls") != [])
            clock.moment = at("24/01", "08:00")
            await telegram.until(lambda: any("1c" in m.text for m in telegram.sent_to(11)))
    (line,) = logged(caplog, "another program polls")
    assert line == (
        "Telegram: another program polls with this bot's token: stop it, or give this one a bot of "
        "its own; sending goes on"
    )


@pytest.mark.asyncio
async def test_no_network_at_the_start_is_waited_out(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Mail goes out meanwhile; a try a minute is told; the network back, Telegram is heard."""
    caplog.set_level(logging.INFO)
    clock = SetClock(at("24/01", "08:00"))
    async with FakeTelegram() as telegram, mail_server(mailbox) as port:
        telegram.go_offline()
        wired = wired_fast(settings(tmp_path, telegram, port), clock)
        enrolled(wired, telegram, clock, "an")
        async with runs(wired):
            await until(lambda: mailbox.to("binh") != [])
            await until(lambda: len(logged(caplog, "unreachable")) >= 2)
            telegram.go_online()
            telegram.user_sends(11, "/viec")
            await telegram.until(lambda: not telegram.pending and telegram.sent_to(11) != [])
            assert len(logged(caplog, "polling Telegram works again")) == 1


@pytest.mark.thorough
@pytest.mark.asyncio
async def test_a_chat_that_must_wait_holds_up_nobody_else(
    tmp_path: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telegram has one chat wait an hour; its answers, more than go at once, leave room."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    clock = SetClock(at("22/01", "09:00"))
    more = "[delivery]\nin_flight = 2"
    async with FakeTelegram() as telegram, mail_server(mailbox) as port:
        wired = wired_fast(settings(tmp_path, telegram, port, more=more), clock)
        enrolled(wired, telegram, clock, "an", "chi")
        async with runs(wired):
            await telegram.until(lambda: telegram.being_polled)
            await until(lambda: wired.store.meta("last_tick") is not None and quiet(wired))
            before = len(telegram.sent_to(13))
            telegram.fail_next("sendMessage", 429, retry_after=3600)
            for _ in range(5):
                telegram.user_sends(11, "/viec")
            await telegram.until(lambda: any(c.outcome == 429 for c in telegram.calls))
            telegram.user_sends(13, "/viec")
            await telegram.until(lambda: len(telegram.sent_to(13)) > before)
        assert telegram.sent_to(11) == []
