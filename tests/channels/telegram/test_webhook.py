"""Telegram's webhook: set, kept and watched; each delivery proves itself and is taken once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from reminder.channels import Webhook
from reminder.channels.telegram.receive import KINDS, TelegramListener
from reminder.channels.telegram.send import make_bot
from reminder.domain.context import Inbound
from reminder.domain.outbox import SendError
from tests.fakes.telegram import FakeTelegram
from tests.waiting import until

pytestmark = pytest.mark.asyncio
HOOK = Webhook("https://nhac.example.vn/tin", "0123456789abcdef")
HEADER = TelegramListener.header
PROOF = {HEADER: HOOK.secret.encode()}
CHI = 13


@dataclass
class Heard:
    """A backend and what was told to it; each wait is skipped, and noted."""

    inbounds: list[Inbound] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    deafness: list[str] = field(default_factory=list)
    polls: int = 0
    fails: int = 0  # of the next messages, how many can't be taken
    full: bool = False  # nothing can be recorded
    waits: list[float] = field(default_factory=list)

    async def take(self, inbound: Inbound) -> bool:
        if self.fails or self.full:
            self.fails -= 1
            raise OSError("the disk is full")
        new = inbound.update not in [each.update for each in self.inbounds]
        if new:
            self.inbounds.append(inbound)
        return new

    async def reached(self, channel: str, bot_name: str) -> None: ...

    def polled(self, channel: str) -> None:
        del channel
        self.polls += 1

    async def not_taken(self, inbound: Inbound) -> None:
        if self.full:
            raise OSError("the disk is full")
        self.lost.append(inbound.update)

    async def failed(self, channel: str, error: SendError) -> None: ...

    async def deaf(self, channel: str, reason: str) -> None:
        del channel
        self.deafness.append(reason)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0.001)

    @property
    def texts(self) -> list[str]:
        return [inbound.text for inbound in self.inbounds]


@asynccontextmanager
async def listening(
    telegram: FakeTelegram, heard: Heard, webhook: Webhook = HOOK
) -> AsyncIterator[TelegramListener]:
    """A listener that runs until the test is through."""
    bot = make_bot(telegram.token, telegram.base_url)
    listener = TelegramListener(bot, heard, webhook=webhook, sleep=heard.sleep)
    task = asyncio.create_task(listener.run(heard.take))
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bot.shutdown()


def update(number: int, text: str = "xong 1c", **more: Any) -> bytes:
    """The body of a delivery."""
    chat = {"id": CHI, "type": "private"}
    message = {"message_id": number, "date": 1_706_000_000, "chat": chat, "text": text}
    message |= {"from": {"id": CHI, "is_bot": False, "first_name": "Chi"}, **more}
    return json.dumps({"update_id": number, "message": message}).encode()


def calls(telegram: FakeTelegram, method: str) -> list[dict[str, str]]:
    return [call.params for call in telegram.calls if call.method == method]


async def test_it_is_set_once_and_looked_at() -> None:
    """With the secret and the kinds of updates that are read; a webhook as it was set is kept."""
    heard = Heard()
    async with FakeTelegram() as telegram, listening(telegram, heard):
        await until(lambda: len(calls(telegram, "getWebhookInfo")) > 3)
    [asked] = calls(telegram, "setWebhook")
    assert (asked["url"], asked["secret_token"]) == (HOOK.url, HOOK.secret)
    assert json.loads(asked["allowed_updates"]) == KINDS
    assert (calls(telegram, "getUpdates"), heard.deafness) == ([], [])
    assert heard.polls > 1


async def test_a_certificate_of_ones_own_goes_with_it() -> None:
    """Telegram trusts the page by it."""
    pem = b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
    async with (
        FakeTelegram() as telegram,
        listening(telegram, Heard(), Webhook(HOOK.url, HOOK.secret, pem)),
    ):
        await until(lambda: telegram.webhook.certificate == pem)
        await until(lambda: len(calls(telegram, "getWebhookInfo")) > 2)
    assert len(calls(telegram, "setWebhook")) == 1


@pytest.mark.parametrize("change", ["url", "removed", "kinds"])
async def test_a_webhook_that_another_program_changed_is_set_again(change: str) -> None:
    """Wherever it leads meanwhile, is gone, or brings other kinds of updates."""
    seconds = iter(range(10**9))  # each look at the clock a second later: no setWebhook is refused
    async with (
        FakeTelegram(clock=lambda: float(next(seconds))) as telegram,
        listening(telegram, heard := Heard()),
    ):
        await until(lambda: heard.polls > 0)
        if change == "kinds":
            telegram._updates.allow(["message"])
        else:
            telegram.webhook.url = "https://elsewhere.example/hook" if change == "url" else ""
        await until(lambda: len(calls(telegram, "setWebhook")) == 2)
        await until(lambda: telegram.webhook.url == HOOK.url)
        assert telegram._updates.allowed == set(KINDS)
    assert heard.deafness == []


async def test_one_that_is_stolen_again_and_again_is_told() -> None:
    """The office hears that another program has the bot."""
    seconds = iter(range(10**9))
    async with (
        FakeTelegram(clock=lambda: float(next(seconds))) as telegram,
        listening(telegram, heard := Heard()),
    ):

        def stolen() -> bool:
            telegram.webhook.url = "https://elsewhere.example/hook"
            return bool(heard.deafness)

        await until(stolen)
    assert set(heard.deafness) == {"chương trình khác đặt webhook của bot ở nơi khác"}


async def test_an_address_that_telegram_refuses_is_told() -> None:
    """With Telegram's words; it is tried again."""
    webhook = Webhook("http://nhac.example.vn/tin", HOOK.secret)
    async with FakeTelegram() as telegram, listening(telegram, heard := Heard(), webhook):
        await until(lambda: len(heard.deafness) > 0)
    refused = "Bad webhook: an https url must be provided for webhook"
    assert set(heard.deafness) <= {f"Telegram không đặt được webhook ({refused})"}


async def test_deliveries_that_fail_are_told_until_one_comes() -> None:
    """By Telegram's own words; its last error of long ago is none."""
    async with FakeTelegram() as telegram, listening(telegram, heard := Heard()) as listener:
        await until(lambda: heard.polls > 1)
        telegram.webhook._error = (1, "Connection refused")
        polls = heard.polls
        await until(lambda: heard.polls > polls + 1)  # nothing waits
        telegram._updates.on_news = lambda: None  # deliveries fail, and come no further
        telegram.user_sends(CHI, "xong 1c")
        telegram.webhook._error = (2, "Wrong response from the webhook: 502 Bad Gateway")
        await until(lambda: len(heard.deafness) > 1)
        assert await listener.deliver(PROOF, json.dumps(telegram.pending[0]).encode()) == 200
        polls = heard.polls
        await until(lambda: heard.polls > polls)
    assert set(heard.deafness) == {
        "Telegram không chuyển được tin tới máy (Wrong response from the webhook: 502 Bad Gateway)"
    }
    assert heard.texts == ["xong 1c"]


async def test_a_delivery_proves_itself() -> None:
    """Another secret, none, or a body that is no update: nothing is taken."""
    async with FakeTelegram() as telegram, listening(telegram, heard := Heard()) as listener:
        for headers in ({}, {HEADER: b"another-secret-01"}, {HEADER: HOOK.secret[:-1].encode()}):
            assert await listener.deliver(headers, update(1)) == 403
        for body in (b"{", b"[]", b"null", b'{"update_id": "1"}', b"[" * 100_000):
            assert await listener.deliver(PROOF, body) == 200
        assert heard.inbounds == []
        assert await listener.deliver(PROOF, update(2)) == 200
    assert list(listener.hooks) == ["/tin"]
    assert [(one.update, one.text, one.sender) for one in heard.inbounds] == [
        ("2", "xong 1c", str(CHI))
    ]


async def test_what_can_not_be_recorded_is_delivered_again() -> None:
    """503 as long as nothing is recorded, an edit and an album too; then once each."""
    edit = json.loads(update(7, "xong 2c", edit_date=1_706_000_001))
    bodies = [
        update(5),
        json.dumps({"update_id": 7, "edited_message": edit["message"]}).encode(),
        update(8, "", media_group_id="a", photo=[{"file_id": "f", "file_unique_id": "f", "width": 1,
                                                  "height": 1}]),
    ]  # fmt: skip
    async with FakeTelegram() as telegram, listening(telegram, heard := Heard()) as listener:
        heard.full = True
        assert [await listener.deliver(PROOF, body) for body in bodies * 2] == [503] * 6
        heard.full, heard.fails = False, 0
        assert [await listener.deliver(PROOF, body) for body in bodies * 2] == [200] * 6
    assert [one.update for one in heard.inbounds] == ["5", "7", "8"]
    assert heard.lost == []


async def test_a_poisoned_update_does_not_hold_up_its_chat() -> None:
    """Its sender is told that it was not taken, which is on record: Telegram goes on."""
    async with FakeTelegram() as telegram, listening(telegram, heard := Heard()) as listener:
        heard.fails = 2
        assert await listener.deliver(PROOF, update(5)) == 200
        assert await listener.deliver(PROOF, json.dumps({"update_id": 6, "message": 5}).encode())
        assert await listener.deliver(PROOF, update(7)) == 200
    assert (heard.lost, heard.texts) == (["5", "6"], ["xong 1c"])


async def test_what_takes_too_long_is_delivered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the daemon has not begun, or ends before it was recorded."""
    monkeypatch.setattr("reminder.channels.telegram.receive.TAKEN_WITHIN", 0.01)
    heard = Heard()
    async with FakeTelegram() as telegram:
        bot = make_bot(telegram.token, telegram.base_url)
        listener = TelegramListener(bot, heard, webhook=HOOK)
        assert await listener.deliver(PROOF, update(1)) == 503  # it has not begun
    ended: Callable[[Inbound], Any] = _ends
    async with FakeTelegram() as telegram, listening(telegram, heard) as listener:
        await until(lambda: heard.polls > 0)
        listener._take = ended
        assert await listener.deliver(PROOF, update(1)) == 503
        listener._take = lambda _: asyncio.sleep(60, True)
        assert await listener.deliver(PROOF, update(1)) == 503
    assert heard.inbounds == []


async def _ends(_: Inbound) -> bool:
    """What the daemon's `take` raises at its end."""
    raise asyncio.CancelledError


async def test_any_delivery_is_taken_or_let_be() -> None:
    """A delivery is answered with 200 whatever its shape, as a poll would pass it over."""
    shapes: list[Any] = [
        {"update_id": 1},
        {"update_id": 2, "message": None},
        {"update_id": 3, "message": {"chat": {}}},
        {"update_id": 4, "callback_query": {"id": 1}},
        {"update_id": 5, "my_chat_member": {"chat": {"id": 1, "type": "private"}}},
        {"update_id": 2**60, "message": {}},
    ]
    async with FakeTelegram() as telegram, listening(telegram, heard := Heard()) as listener:
        for shape in shapes:
            assert await listener.deliver(PROOF, json.dumps(shape).encode()) == 200
    assert heard.inbounds == []
