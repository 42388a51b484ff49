"""Whatever a Bot API server sends: it is taken or let be, and what comes behind it is heard."""

from __future__ import annotations

import asyncio
import copy
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.channels.telegram.receive import TelegramListener
from reminder.channels.telegram.send import make_bot
from reminder.domain.context import Inbound
from reminder.domain.outbox import SendError
from tests.channels.telegram.line import Told
from tests.conftest import examples
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram.http import HttpServer, Request, Response, envelope

USER = {"id": 11, "is_bot": False, "first_name": "An", "username": "an_tp"}
CHAT = {"id": -100, "type": "supergroup", "title": "Tư pháp"}
MESSAGE: dict[str, Any] = {
    "message_id": 7,
    "date": 1706000000,
    "chat": CHAT,
    "from": USER,
    "text": "/done 1c",
    "entities": [{"type": "bot_command", "offset": 0, "length": 5}],
    "reply_to_message": {"message_id": 6, "date": 1706000000, "chat": CHAT, "text": "nhắc"},
    "forward_origin": {"type": "user", "date": 1706000000, "sender_user": USER},
}
PRESS = {"id": "1", "from": USER, "chat_instance": "x", "message": MESSAGE, "data": "done:0123"}
SHAPES: list[dict[str, Any]] = [
    {"update_id": 1, "message": MESSAGE},
    {"update_id": 1, "edited_message": MESSAGE},
    {"update_id": 1, "callback_query": PRESS},
    {"update_id": 1, "message": {**MESSAGE, "text": None, "caption": "xong 1c", "photo": []}},
    {"update_id": 1, "callback_query": {**PRESS, "message": {**MESSAGE, "date": 0}}},
    {"update_id": 1, "my_chat_member": {"chat": CHAT, "from": USER}},
]
BOT = make_bot("4242:fake", "http://127.0.0.1:1/bot")
JUNK: list[Any] = [None, "", "x", 0, -1, 2**70, 1.5, True, [], {}, [None], {"x": 1}, "đ" * 5000]


def twisted(shape: dict[str, Any], seed: int) -> dict[str, Any]:
    """`shape` with a few of its fields, at any depth, missing or of another kind."""
    chance = random.Random(seed)
    made = copy.deepcopy(shape)
    for _ in range(chance.randint(0, 3)):
        place: Any = made
        while True:
            key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
            deeper = place[key]
            if isinstance(deeper, dict | list) and deeper and chance.random() < 0.75:
                place = deeper
                continue
            if place is made and key == "update_id":
                break
            if chance.random() < 0.3:
                del place[key]
            else:
                place[key] = chance.choice(JUNK)
            break
        if len(made) < 2:
            break
    return made


@settings(max_examples=examples(300))
@given(st.sampled_from(SHAPES), st.integers(0, 2**32))
def test_any_update_is_taken_or_let_be(shape: dict[str, Any], seed: int) -> None:
    """Nothing is raised: it is handed on, once, or told as not taken, or carries no answer."""
    assert_let_be(twisted(shape, seed))


@pytest.mark.parametrize("raw", JUNK)
def test_what_is_no_update_is_let_be(raw: Any) -> None:
    """A null, a text, a list in the place of an update."""
    assert_let_be(raw)


def assert_let_be(raw: Any) -> None:
    async def main() -> None:
        taken: list[Inbound] = []

        async def take(inbound: Inbound) -> bool:
            taken.append(inbound)
            return True

        told = Told()
        try:
            await TelegramListener(BOT, told)._hand_over(1, raw, take, None)
        finally:
            await BOT.request.shutdown()
        assert all(isinstance(one, Inbound) for one in taken)
        assert len(taken) + len(told.said) <= 1

    asyncio.run(main())


class EnoughError(Exception):
    """All that waited was heard."""


@pytest.mark.asyncio
async def test_an_update_of_any_shape_is_passed_over_and_confirmed() -> None:
    """What can't be read between messages, behind the last, and alone holds up no other."""
    heard: list[str] = []
    told, polls = Told(), 0

    async def take(inbound: Inbound) -> bool:
        heard.append(inbound.text)
        if inbound.text == "ba":
            raise RuntimeError("a fault while it is taken")
        return True

    async def sleep(_: float) -> None:
        nonlocal polls
        polls += 1
        if polls == 1:  # alone in its poll, and behind a number that is known
            telegram._updates.add_raw(None)
            telegram._updates.add_raw({"update_id": "x", "message": None})
        elif not telegram.pending:
            raise EnoughError

    async with FakeTelegram() as telegram:
        bot = make_bot(telegram.token, telegram.base_url)
        await bot.initialize()
        telegram.start(11)
        telegram._updates.add_raw(None)
        telegram.user_sends(11, "một")
        telegram._updates.add("message", {"message_id": "x"})
        telegram._updates.add_raw({**telegram.pending[1], "update_id": "1003"})
        telegram._updates.add_raw([])
        telegram.user_sends(11, "ba")
        telegram._updates.add_raw({"update_id": 2**70})
        telegram.user_sends(11, "bốn")
        telegram._updates.add_raw(True)
        try:
            with pytest.raises(EnoughError):
                await TelegramListener(bot, told, sleep=sleep, poll_seconds=0).run(take)
        finally:
            await bot.shutdown()
        assert telegram.pending == []
    assert heard == ["một", "một", "ba", "ba", "bốn"]
    assert [line for line in told.said if line.startswith("not taken: 1005")] == [
        "not taken: 1005 from 11"
    ]


class Troubled(Told):
    """Also what passes."""

    async def failed(self, channel: str, error: SendError) -> None:  # noqa: ARG002 - port
        self.said.append(f"{channel} fails")


ODD = {
    "null": b"null",
    "a list": b"[]",
    "no result": b'{"ok":true}',
    "nested": b'{"ok":true,"result":[' + b"[" * 20_000,
    "cut off": b'{"ok":true,"result":[{"text":"xong 1c"',
}


@pytest.mark.asyncio
@pytest.mark.parametrize("body", ODD.values(), ids=ODD)
async def test_an_answer_of_any_shape_is_a_trouble_that_passes(
    body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """It is noted as Telegram's, the next poll is made, and no officer's words are logged."""
    answers = [body, b'{"ok":true,"result":[]}']

    async def answer(request: Request) -> Response:
        if request.path.endswith("/getMe"):
            return envelope(200, {"ok": True, "result": {**USER, "is_bot": True}})
        return Response(200, answers.pop(0))

    async def sleep(_: float) -> None:
        if not answers:
            raise EnoughError

    server, told = HttpServer(answer), Troubled()
    await server.open()
    bot = make_bot("4242:fake", f"http://127.0.0.1:{server.port}/bot")
    try:
        with pytest.raises(EnoughError):
            await TelegramListener(bot, told, sleep=sleep, poll_seconds=0).run(unheard)
    finally:
        await bot.shutdown()
        await server.close()
    assert told.said == ["telegram reached as an_tp", "telegram fails"]
    assert "xong 1c" not in caplog.text


async def unheard(_: Inbound) -> bool:
    raise AssertionError
