"""Zalo under a running daemon: nudges, answers, and what the Bot Platform does to both."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from reminder.app.wiring import Program
from reminder.channels.zalo.send import ZaloChannel
from tests.app.kit import (
    REPEAT,
    Mailbox,
    SetClock,
    enrolled,
    logged,
    quiet,
    reserved_port,
    running,
)
from tests.fakes.telegram import FakeTelegram
from tests.fakes.zalo import FakeZalo, Mode, chat_of
from tests.people import officer
from tests.services.world import at
from tests.waiting import until

PEOPLE = officer("an", "zalo", "email") + officer("chi", "email")
DEAD, DOWN = "không gửi được tin qua Zalo cho An (an)", "kênh Zalo không gửi được"


def said(mailbox: Mailbox, words: str) -> list[str]:
    """The mails to the office that hold `words`."""
    return [text for text in mailbox.to("chi") if words in text]


@asynccontextmanager
async def office(
    folder: Path,
    clock: SetClock,
    zalo: FakeZalo,
    mailbox: Mailbox,
    telegram: FakeTelegram | None = None,
    *,
    people: str = PEOPLE,
    more: str = "",
) -> AsyncIterator[Program]:
    """The daemon with Zalo and mail; An is bound to a chat."""
    section = f'[zalo]\ntoken = "{zalo.token}"\nbase_url = "{zalo.base_url}"\npoll_seconds = 1\n'
    made = running(folder, clock, telegram, mailbox, people=people, more=section + more)
    async with made as wired:
        bind = wired.store.bind
        await wired.daemon.do(lambda: bind("an", "zalo", chat_of("an"), clock.now()))
        zalo.wrote("an")
        yield wired


@pytest.mark.asyncio
@pytest.mark.parametrize("mode", Mode)
async def test_a_nudge_and_its_answer(tmp_path: Path, mailbox: Mailbox, mode: Mode) -> None:
    """The 08:00 nudge comes as plain text; what is answered is on record once, and receipted."""
    clock = SetClock(at("24/01", "07:58"))
    async with FakeZalo(mode=mode) as zalo, office(tmp_path, clock, zalo, mailbox) as wired:
        clock.moment = at("24/01", "08:00")
        await until(lambda: zalo.sent_to("an") != [])
        await until(lambda: zalo.being_polled)
        zalo.says("an", "xong 1c")
        await until(lambda: len(zalo.sent_to("an")) == 2)
        polls = len(zalo.called("getUpdates"))
        await until(lambda: len(zalo.called("getUpdates")) > polls + 2)
        await until(lambda: quiet(wired))
        events = [recorded.event for recorded in wired.store.events() if recorded.event.by]
    nudge, receipt = zalo.sent_to("an")
    assert "1c Danh mục VBQPPL hết hiệu lực năm 2023" in nudge
    assert "<" not in nudge
    assert receipt.startswith("✅ Đã ghi 1c")
    assert [(e.kind.value, e.key.task, e.by, e.channel) for e in events] == [
        ("done", "1c", "an", "zalo")
    ]
    assert mailbox.to("an") == []


@pytest.mark.asyncio
async def test_a_dead_address_is_told_once_and_lives_again(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """That nudge goes by mail at once, the office reads who and where; a new message revives."""
    clock = SetClock(at("24/01", "07:58"))
    async with FakeZalo() as zalo, office(tmp_path, clock, zalo, mailbox):
        zalo.fail_next("sendMessage", 410, "The chat_id is invaild")
        clock.moment = at("24/01", "08:00")
        await until(lambda: any("1c" in text for text in mailbox.to("an")))
        await until(lambda: said(mailbox, DEAD) != [])
        told = said(mailbox, DEAD)
        clock.moment = at("30/01", "08:00")
        await until(lambda: len([text for text in mailbox.to("an") if "1c" in text]) == 2)
        zalo.says("an", "/viec")
        await until(lambda: len(zalo.sent_to("an")) == 1)
        clock.moment = at("31/01", "08:00")
        await until(lambda: len(zalo.sent_to("an")) == 2)
        assert said(mailbox, DEAD) == told
    assert "reminder invite an --channel zalo" in told[0]
    assert len(told) == 1


@pytest.mark.asyncio
async def test_a_refused_token_leaves_the_others_and_needs_no_new_pairing(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Mail comes at once, the office is told once, Zalo is asked seldom; a new token is enough."""
    caplog.set_level(logging.DEBUG)
    clock = SetClock(at("24/01", "07:58"))
    async with FakeZalo() as zalo, office(tmp_path, clock, zalo, mailbox) as wired:
        await until(lambda: zalo.being_polled)
        channel = wired.daemon.channels["zalo"]
        assert isinstance(channel, ZaloChannel)
        channel.client._monotonic = lambda: 0.0  # it asks no more once it was refused
        good, zalo.token = zalo.token, "99:renewed"
        zalo.says("an", "x")  # ends the poll
        before = len(zalo.calls)
        clock.moment = at("24/01", "08:00")
        await until(lambda: any("1c" in text for text in mailbox.to("an")))
        await until(lambda: wired.store.meta("down:zalo") == clock.moment.isoformat())
        clock.moment = at("24/01", "08:16")
        await until(lambda: said(mailbox, DOWN) != [])
        clock.moment = at("24/01", "08:40")
        await until(lambda: quiet(wired))
        assert len(zalo.calls) - before <= 3
        assert len(said(mailbox, DOWN)) == 1
    assert len(logged(caplog, "channel zalo refuses everything")) == 1
    assert not any(good in record.getMessage() for record in caplog.records)
    zalo_again = FakeZalo(token="99:renewed")
    clock.moment = at("30/01", "07:58")
    async with zalo_again as zalo:
        section = (
            f'[zalo]\ntoken = "{zalo.token}"\nbase_url = "{zalo.base_url}"\npoll_seconds = 1\n'
        )
        async with running(tmp_path, clock, None, mailbox, people=PEOPLE, more=section):
            zalo.wrote("an")
            clock.moment = at("30/01", "08:00")
            await until(lambda: zalo.sent_to("an") != [])


@pytest.mark.asyncio
async def test_a_cut_answer_is_sent_once_more_and_says_so(tmp_path: Path, mailbox: Mailbox) -> None:
    """Zalo took it: nobody knows, so it comes again, marked, and no third time."""
    clock = SetClock(at("24/01", "07:58"))
    async with FakeZalo() as zalo, office(tmp_path, clock, zalo, mailbox) as wired:
        zalo.fail_next("sendMessage", "cut-after")
        clock.moment = at("24/01", "08:00")
        await until(lambda: wired.store.counts()["unknown"] == 1)
        clock.moment = at("24/01", "08:01")
        await until(lambda: len(zalo.sent_to("an")) == 2)
        await until(lambda: quiet(wired))
    first, second = zalo.sent_to("an")
    assert REPEAT not in first
    assert REPEAT in second


@pytest.mark.asyncio
async def test_a_foreign_webhook_is_said_and_left_alone(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Sending goes on; the office hears it once; polling goes on when the webhook is gone."""
    clock = SetClock(at("24/01", "07:58"))
    async with FakeZalo() as zalo:
        zalo.webhook = ("https://elsewhere.example/hook", "x" * 8)
        async with office(tmp_path, clock, zalo, mailbox):
            await until(lambda: logged(caplog, "this bot has a webhook") != [])
            clock.moment = at("24/01", "08:00")
            await until(lambda: zalo.sent_to("an") != [])
            clock.moment = at("24/01", "08:20")
            await until(lambda: said(mailbox, "webhook") != [])
            asked = len(zalo.called("getWebhookInfo"))
            await until(lambda: len(zalo.called("getWebhookInfo")) > asked + 2)
            assert zalo.called("getUpdates") == []
            zalo.webhook = None
            await until(lambda: zalo.being_polled)
            zalo.says("an", "xong 1c")
            await until(lambda: len(zalo.sent_to("an")) == 2)
    assert len(logged(caplog, "this bot has a webhook")) == 1
    assert zalo.called("setWebhook") == zalo.called("deleteWebhook") == []
    assert len(said(mailbox, "webhook")) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("flat", [False, True])
async def test_a_webhook_of_ours_is_served_by_the_page(
    tmp_path: Path, mailbox: Mailbox, flat: bool
) -> None:
    """Set once; each delivery acts once, wrapped or flat; a wrong secret is refused."""
    clock = SetClock(at("24/01", "09:00"))
    with reserved_port() as port:
        web = f'[web]\nlisten = "127.0.0.1:{port}"\n'
        url = f"http://127.0.0.1:{port}/zalo/tin"
        hook = f'webhook_url = "{url}"\nwebhook_secret = "mat-khau-webhook"\n'
        async with (
            FakeZalo(https=False, flat=flat) as zalo,
            office(tmp_path, clock, zalo, mailbox, more=hook + web) as wired,
        ):
            await until(lambda: zalo.webhook == (url, "mat-khau-webhook"))
            message = zalo.says("an", "xong 1c")
            await until(lambda: zalo.delivered == [200])
            zalo.says("an", "xong 2c", message_id=message)  # the same once more
            await until(lambda: zalo.delivered == [200, 200])
            forged = {"from": {"id": chat_of("an")}, "message_id": "1", "text": "xong 2c"}
            for secret in ("another-secret", ""):
                await zalo.deliver({"message": forged}, secret=secret)
            await until(lambda: quiet(wired))
            events = [recorded.event for recorded in wired.store.events() if recorded.event.by]
    assert [event.key.task for event in events] == ["1c"]
    assert zalo.delivered == [200, 200, 403, 403]
    assert zalo.called("getUpdates") == []
    assert len(zalo.called("setWebhook")) == 1


@pytest.mark.asyncio
async def test_zalo_and_telegram_side_by_side(tmp_path: Path, mailbox: Mailbox) -> None:
    """Each is nudged and answers on their own channel; a message of one is none of the other."""
    clock = SetClock(at("24/01", "07:58"))
    people = f'{PEOPLE}[[person]]\nid = "binh"\nname = "Bình"\nunit = "tu-phap"\n'
    async with (
        FakeZalo() as zalo,
        FakeTelegram() as telegram,
        office(tmp_path, clock, zalo, mailbox, telegram, people=people) as wired,
    ):
        enrolled(wired, telegram, clock, "binh")
        clock.moment = at("24/01", "08:00")
        await until(lambda: zalo.sent_to("an") != [] and telegram.sent_to(12) != [])
        telegram.user_sends(12, "/done 1c")
        await until(lambda: len(telegram.sent_to(12)) >= 2)
        zalo.says("an", "xong 2c")
        await until(lambda: len(zalo.sent_to("an")) >= 2)
        await until(lambda: quiet(wired))
        events = [recorded.event for recorded in wired.store.events() if recorded.event.by]
    assert [(e.key.task, e.by, e.channel) for e in events] == [
        ("1c", "binh", "telegram"), ("2c", "an", "zalo"),
    ]  # fmt: skip
