"""Zalo's events: taken once each, in every mode, and empty polls in all their forms."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any, Literal

import pytest

from reminder.channels import Webhook
from reminder.channels.zalo.receive import IDLE_GAP, events, to_inbound
from reminder.domain.context import Inbound
from tests.channels.zalo.line import Heard, listening
from tests.fakes.zalo import FakeZalo, How, Mode, chat_of
from tests.waiting import until

MESSAGE = {
    "from": {"id": "a1", "display_name": "An", "is_bot": False},
    "chat": {"id": "a1", "chat_type": "PRIVATE"},
    "message_id": "m1",
    "date": 1_706_000_000_000,
    "text": "xong 1c",
}
EVENT = {"event_name": "message.text.received", "message": MESSAGE}
READ = Inbound(
    channel="zalo",
    update="m1",
    sender="a1",
    chat="a1",
    private=True,
    text="xong 1c",
    message="m1",
    at=datetime(2024, 1, 23, 8, 53, 20, tzinfo=UTC),
)


@pytest.mark.asyncio
@pytest.mark.parametrize("mode", Mode)
async def test_each_message_is_taken_once(mode: Mode) -> None:
    """Whether Zalo forgets what it handed out, or hands it out for ever: one act a message."""
    heard = Heard()
    async with FakeZalo(mode=mode) as zalo, listening(zalo, heard):
        await until(lambda: zalo.being_polled)
        zalo.says("an", "xong 1c")
        await until(lambda: heard.texts == ["xong 1c"])
        polls = len(zalo.called("getUpdates"))
        await until(lambda: len(zalo.called("getUpdates")) > polls + 1)
        await until(lambda: mode is Mode.REPEATED or zalo.being_polled)
        zalo.says("an", "xong 2c")
        await until(lambda: heard.texts == ["xong 1c", "xong 2c"])
    [first, _] = heard.inbounds
    assert (first.sender, first.chat, first.private) == (chat_of("an"), chat_of("an"), True)
    assert first.update == first.message != ""


@pytest.mark.asyncio
@pytest.mark.parametrize("empty", ["408", "empty", "page", "null", "list"])
async def test_an_empty_poll_is_no_trouble(
    empty: Literal["408", "empty", "page", "null", "list"],
) -> None:
    """Each form of an empty poll counts as a poll, at most one a second."""
    heard = Heard()
    async with FakeZalo(empty=empty, at_once=True) as zalo, listening(zalo, heard):
        await until(lambda: heard.polls >= 3)
    assert heard.failures == []
    assert set(heard.waits) == {IDLE_GAP}


@pytest.mark.asyncio
async def test_a_poll_that_never_ends_is_empty() -> None:
    """Zalo's silence beyond the time asked for is no trouble, and no sign of life."""
    heard = Heard()
    async with FakeZalo(silent=True) as zalo, listening(zalo, heard) as listener:
        listener._late = 0.1
        listener._poll_seconds = 0
        await until(lambda: len(zalo.called("getUpdates")) >= 3)
    assert (heard.polls, heard.failures) == (0, [])


@pytest.mark.asyncio
@pytest.mark.parametrize("how", ["half", "page-502", "page-429", "cut-before", 500, 400])
async def test_a_failed_poll_is_told_once_and_waited_out(how: How | int) -> None:
    """The waits grow, and what was written meanwhile is taken."""
    heard = Heard()
    async with FakeZalo() as zalo, listening(zalo, heard):
        await until(lambda: zalo.being_polled)
        zalo.fail_next("getUpdates", how, times=4)
        zalo.says_in_group("an", "xong 1c")  # ends the poll
        await until(lambda: not zalo._faults)
        zalo.says("an", "xong 2c")
        await until(lambda: heard.texts == ["xong 2c"])
    assert [seconds for seconds in heard.waits if seconds >= 1.5] == [1.5, 2.25, 3.375, 5.0625]
    assert len(heard.failures) == 1


@pytest.mark.asyncio
async def test_a_refused_token_is_asked_for_seldom() -> None:
    """The token reset: three requests at most in the first quarter of a minute, then fewer."""
    heard = Heard()
    async with FakeZalo() as zalo, listening(zalo, heard) as listener:
        now = 0.0

        def clock() -> float:
            return now

        listener._client._monotonic = clock
        await until(lambda: zalo.being_polled)
        zalo.token = "1:another"
        await zalo.wake()
        asked: list[int] = []
        for _ in range(60):
            waited = len(heard.waits)
            await until(lambda: len(heard.waits) > waited)  # noqa: B023
            now += heard.waits[-1]
            asked.append(len(zalo.calls))
    assert asked[-1] - asked[0] <= now / 20
    assert heard.failures[0] == "Zalo không nhận mã bot: xem lại thiết lập zalo.token"


@pytest.mark.asyncio
async def test_a_message_that_cannot_be_taken_is_told_to_its_sender() -> None:
    """Tried twice, then on record as not taken; the next one is taken."""
    heard = Heard(fails=2)
    async with FakeZalo() as zalo, listening(zalo, heard):
        zalo.says("an", "xong 1c")
        zalo.says("an", "xong 2c")
        await until(lambda: heard.texts == ["xong 2c"])
    assert [inbound.text for inbound in heard.lost] == ["xong 1c"]


@pytest.mark.asyncio
async def test_a_server_that_tells_little_is_polled_all_the_same() -> None:
    """Neither the bot's name nor its webhook is needed to take what people write."""
    heard = Heard()
    async with FakeZalo() as zalo:
        zalo.fail_next("getMe", 404, "Not Found", times=9)
        zalo.fail_next("getWebhookInfo", "page-502", times=9)
        async with listening(zalo, heard):
            zalo.says("an", "xong 1c")
            await until(lambda: heard.texts == ["xong 1c"])
    assert (heard.account, heard.failures) == ("", [])


@pytest.mark.asyncio
async def test_two_listeners_share_what_comes() -> None:
    """Each message goes to one of the two, as Zalo has it."""
    one, two = Heard(), Heard()
    async with FakeZalo() as zalo, listening(zalo, one), listening(zalo, two):
        for number in range(4):
            zalo.says("an", f"xong {number}")
        await until(lambda: len(one.texts + two.texts) == 4)
    assert sorted(one.texts + two.texts) == [f"xong {number}" for number in range(4)]


@pytest.mark.asyncio
async def test_events_that_nobody_can_read_do_no_harm() -> None:
    """Unknown shapes, groups and bots pass by, at most one poll a second; the next is taken."""
    heard = Heard()
    strange: list[Any] = [
        *({}, {"event_name": "message.unsupported.received"}, {"message": None}, {"message": []}),
        *({"event_name": 5, "message": {"from": "x"}}, {"event_name": "user.follow"}),
        {"event_name": "message.text.received", "message": {"from": {"id": True}}},
        replace_in(EVENT, "from", {"id": "b1", "is_bot": True}),
    ]
    async with FakeZalo(clock=count().__next__) as zalo, listening(zalo, heard):
        for event in strange:
            zalo.happens(event)
        zalo.says_in_group("an", "xong 1c")
        zalo.says("an", "xong 2c")
        await until(lambda: heard.texts == ["xong 2c"])
        await until(lambda: zalo.being_polled)
    assert heard.failures == []
    assert heard.waits.count(IDLE_GAP) >= len(strange)


def replace_in(event: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """The event with another value in its message."""
    return event | {"message": event["message"] | {key: value}}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (EVENT, READ),
        ({"message": MESSAGE}, READ),
        (replace_in(EVENT, "date", "1706000000000"), READ),
        (replace_in(EVENT, "date", 10**30), replace(READ, at=None)),
        (replace_in(EVENT, "message_id", 17), replace(READ, update="17", message="17")),
        (
            replace_in(replace_in(EVENT, "from", {"id": 5}), "chat", {"id": 5}),
            replace(READ, sender="5", chat="5"),
        ),
        (replace_in(EVENT, "text", 12), replace(READ, text="12")),
        (replace_in(EVENT, "text", ["x"]), replace(READ, text="", wordless=True)),
        (
            replace_in(EVENT, "chat", {"id": "zgr-1", "chat_type": "GROUP"}),
            replace(READ, chat="zgr-1", private=False),
        ),
        (replace_in(EVENT, "chat", {"id": "zgr-1"}), replace(READ, chat="zgr-1", private=False)),
        (
            replace_in(EVENT, "text", None)
            | {"event_name": "message.image.received", "caption": "x"},
            replace(READ, text="", wordless=True),
        ),
        (EVENT | {"event_name": "message.unsupported.received"},
         replace(READ, text="", wordless=True)),
        (EVENT | {"event_name": "message.something.received"},
         replace(READ, text="", wordless=True)),
        (EVENT | {"event_name": "message.reaction"}, None),
    ],
)  # fmt: skip
def test_events_are_read(event: dict[str, Any], expected: Inbound | None) -> None:
    """Texts for numbers and numbers for texts; what has no words is wordless; groups are shown."""
    assert to_inbound(event) == expected


def test_a_message_without_an_id_has_one_of_its_own() -> None:
    """The same for the same event, so that it acts once."""
    bare = {"from": {"id": "a1"}, "text": "xong 1c", "date": 1_706_000_000_000}
    first, again = to_inbound({"message": bare}), to_inbound({"message": dict(bare)})
    other = to_inbound({"message": bare | {"date": 1_706_000_000_001}})
    assert first is not None
    assert other is not None
    assert first == again
    assert (first.message, first.update[:1]) == ("", "~")
    assert first.update != other.update


@pytest.mark.parametrize(
    "body",
    [EVENT, [EVENT], {"ok": True, "result": EVENT}, {"result": [EVENT]}],
    ids=["flat", "list", "wrapped", "wrapped list"],
)
def test_events_come_wrapped_or_flat(body: object) -> None:
    """One or several, in a result or without."""
    assert events(json.loads(json.dumps(body))) == [EVENT]


@pytest.mark.parametrize("body", [None, [], {"ok": True, "result": None}, "text", 5, [None, 1]])
def test_no_events(body: object) -> None:
    """Whatever else comes holds none that says anything."""
    assert [to_inbound(event) for event in events(body) if to_inbound(event)] == []


@pytest.mark.asyncio
async def test_a_webhooks_request_proves_itself() -> None:
    """Another secret, none, or a body that is no JSON: nothing is taken."""
    heard = Heard()
    webhook = Webhook("https://nhac.example.vn/zalo", "mật khẩu dài".encode().decode("latin-1"))
    async with FakeZalo() as zalo, listening(zalo, heard, webhook) as listener:
        await until(lambda: zalo.webhook is not None)
        good, body = (
            {b"x-bot-api-secret-token": webhook.secret.encode()},
            json.dumps(EVENT).encode(),
        )
        wrong = {b"x-bot-api-secret-token": b"another"}
        statuses = [
            await listener.deliver(headers, sent)
            for headers, sent in ((wrong, body), ({}, body), (good, b"{"), (good, body))
        ]
    assert statuses == [403, 403, 200, 200]
    assert heard.inbounds == [READ]
    assert list(listener.hooks) == ["/zalo"]


@pytest.mark.asyncio
async def test_a_webhook_asked_for_too_often_is_left_for_an_hour() -> None:
    """426 comes as errorCode; the small daily number is not used up by asking."""
    heard = Heard()
    async with FakeZalo() as zalo:
        zalo.fail_next("setWebhook", 426)
        async with listening(zalo, heard, Webhook("https://nhac.example.vn/zalo", "x" * 8)):
            await until(lambda: zalo.webhook is not None)
    assert any(seconds > 3500 for seconds in heard.waits)
