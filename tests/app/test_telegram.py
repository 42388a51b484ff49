"""What Telegram does to a running daemon: refused token, another poller, no network, webhook."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from reminder.app.wiring import program
from reminder.channels.telegram.receive import TelegramListener
from reminder.domain.errors import ReminderError
from tests.app.kit import (
    CHATS,
    Mailbox,
    SetClock,
    enrolled,
    logged,
    mail_server,
    quiet,
    reserved_port,
    running,
    runs,
    settings,
    wired_fast,
)
from tests.conftest import ROOT
from tests.fakes.telegram import FakeTelegram
from tests.services.world import at
from tests.waiting import until, within

HEADER = TelegramListener.header
SECRET, SECRET_HEADER = "0123456789abcdef", HEADER.decode()
REFUSED = (
    "[telegram] token: Telegram does not accept it; copy it again from @BotFather into "
    "config/reminder.toml or REMINDER_TELEGRAM__TOKEN"
)
REFUSED_AT_A_TERMINAL = (
    "[telegram] token: Telegram không nhận mã bot: lấy lại mã ở @BotFather, ghi vào "
    "config/reminder.toml hoặc REMINDER_TELEGRAM__TOKEN"
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
    assert (process.returncode, *told) == (1, b"", f"{REFUSED_AT_A_TERMINAL}\n".encode())


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


def hooked(folder: Path, telegram: FakeTelegram, smtp: int, port: int) -> tuple[Path, str]:
    """The settings of an office whose page takes Telegram's deliveries, and where."""
    url = f"http://127.0.0.1:{port}/tin/telegram"
    web = f'[web]\nlisten = "127.0.0.1:{port}"\n'
    config = settings(folder, telegram, smtp, more=web)
    hook = f'webhook_url = "{url}"\nwebhook_secret = "{SECRET}"\n'
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("[email]", f"{hook}[email]"), encoding="utf-8")
    return config, url


@pytest.mark.asyncio
async def test_a_webhook_is_served_by_the_page(tmp_path: Path, mailbox: Mailbox) -> None:
    """Each delivery acts once and is answered; another secret is refused; nothing is polled."""
    clock = SetClock(at("24/01", "09:00"))
    async with FakeTelegram(local=True) as telegram, mail_server(mailbox) as smtp:
        with reserved_port() as port:
            config, url = hooked(tmp_path, telegram, smtp, port)
            wired = wired_fast(config, clock)
            enrolled(wired, telegram, clock, "chi")
            async with runs(wired):
                await until(lambda: telegram.webhook.url == url)
                telegram.user_sends(CHATS["chi"], "/done 4b")
                await until(lambda: telegram.sent_to(CHATS["chi"]) != [])
                first = telegram.user_sends(CHATS["chi"], "ộ" * 4000)
                telegram.user_sends(CHATS["chi"], "/note 4b " + "ộ" * 4000, reply_to=first)
                await until(lambda: telegram.pending == [])
                await until(lambda: quiet(wired))
                events = [recorded.event for recorded in wired.store.events() if recorded.event.by]
                async with httpx.AsyncClient(trust_env=False) as stranger:
                    forged = {"update_id": 5, "message": {"text": "/done 1c"}}
                    answers = [
                        await stranger.post(url, json=forged, headers={SECRET_HEADER: secret})
                        for secret in ("another-secret", "")
                    ]
                    answers += [await stranger.get(url), await stranger.post(f"{url}/x")]
    assert [(event.kind.value, event.key.task) for event in events] == [
        ("done", "4b"),
        ("noted", "4b"),
    ]
    assert telegram.webhook.answers == [200, 200, 200]
    assert [answer.status_code for answer in answers] == [403, 403, 405, 403]
    assert [call.method for call in telegram.calls].count("setWebhook") == 1
    assert "getUpdates" not in [call.method for call in telegram.calls]


@pytest.mark.asyncio
async def test_a_delivery_that_is_cut_after_the_commit_acts_once(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """Telegram delivers it again, after a restart too; its answer comes once."""
    clock = SetClock(at("24/01", "09:00"))
    body = b""
    async with FakeTelegram(local=True) as telegram, mail_server(mailbox) as smtp:
        with reserved_port() as port:
            config, _ = hooked(tmp_path, telegram, smtp, port)
            for _ in range(2):  # two runs of the daemon
                wired = wired_fast(config, clock)
                enrolled(wired, telegram, clock, "chi")
                async with runs(wired):
                    [listener] = wired.daemon.listeners
                    assert isinstance(listener, TelegramListener)
                    await until(lambda: telegram.webhook.url != "")
                    if not body:
                        telegram.webhook.stop()
                        telegram._updates.on_news = lambda: None
                        telegram.user_sends(CHATS["chi"], "/done 4b")
                        body = json.dumps(telegram.pending[0]).encode()
                    for _ in range(2):
                        assert await listener.deliver({HEADER: SECRET.encode()}, body) == 200
                    await until(partial(quiet, wired))
                    told = [one.event for one in wired.store.events() if one.event.by]
    assert [event.key.task for event in told] == ["4b"]
    answers = [m for m in telegram.sent_to(CHATS["chi"]) if "Đã ghi 4b" in m.text]
    assert len(answers) == 1


@pytest.mark.asyncio
async def test_from_polling_to_a_webhook_and_back(tmp_path: Path, mailbox: Mailbox) -> None:
    """The settings decide; what waited for the one comes by the other."""
    clock = SetClock(at("24/01", "09:00"))
    async with FakeTelegram(local=True) as telegram, mail_server(mailbox) as smtp:
        with reserved_port() as port:
            config, url = hooked(tmp_path, telegram, smtp, port)
            hooks = config.read_text(encoding="utf-8")
            polls = "".join(
                line for line in hooks.splitlines(keepends=True) if not line.startswith("webhook_")
            )
            for number, text in enumerate([polls, hooks, polls], start=1):
                config.write_text(text, encoding="utf-8")
                wired = wired_fast(config, clock)
                enrolled(wired, telegram, clock, "chi")
                telegram.user_sends(CHATS["chi"], "/help")
                async with runs(wired):
                    await until(partial(_has, telegram, number))
                    await until(lambda: telegram.pending == [])
                    assert telegram.webhook.url == (url if number == 2 else "")


def _has(telegram: FakeTelegram, messages: int) -> bool:
    return len(telegram.sent_to(CHATS["chi"])) == messages


@pytest.mark.asyncio
async def test_a_slot_is_made_ready_for_a_moment_before_it(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """A connection is open and all is composed once before it; nothing is sent until it comes."""
    clock = SetClock(at("24/01", "07:59") + timedelta(seconds=59))
    async with FakeTelegram() as telegram, mail_server(mailbox) as port:
        wired = wired_fast(settings(tmp_path, telegram, port), clock)
        enrolled(wired, telegram, clock, "an")

        def asked(name: str) -> int:
            return sum(call.method == name for call in telegram.calls)

        async with runs(wired):
            await until(lambda: asked("getMe") == 2)
            assert telegram.sent_to(CHATS["an"]) == []
            clock.moment = at("24/01", "08:00")
            await until(lambda: len(telegram.sent_to(CHATS["an"])) == 1 and quiet(wired))
        assert asked("getMe") == 2
