"""What each answer of Zalo means for a message."""

from __future__ import annotations

from typing import Any

import pytest

from reminder.channels.zalo.send import ZaloChannel
from reminder.domain.outbox import Outbound, SendError
from tests.channels.zalo.line import client_of
from tests.fakes.zalo import FakeZalo, How, chat_of

NUDGE = Outbound(subject="", html="<b>Nhắc</b>", text="Nhắc việc 1c")


async def failure(
    zalo: FakeZalo, who: str = "an", token: str = "", answer_seconds: float = 60.0
) -> dict[str, Any]:
    """What the error of a send says, without what it does not."""
    channel = ZaloChannel(client_of(zalo, token, answer_seconds=answer_seconds))
    try:
        with pytest.raises(SendError) as caught:
            await channel.send(chat_of(who), NUDGE, "key")
    finally:
        await channel.stop()
    said = vars(caught.value)
    return {name: value for name, value in said.items() if value and name not in ("begun", "said")}


@pytest.mark.asyncio
async def test_a_message_is_sent_as_plain_text() -> None:
    """The text arrives, and Zalo's id of it is returned, through a doubled header."""
    async with FakeZalo() as zalo:
        zalo.wrote("an")
        channel = ZaloChannel(client_of(zalo))
        sent = await channel.send(chat_of("an"), NUDGE, "key")
        await channel.stop()
    assert [(m.text, m.id) for m in zalo.sent] == [("Nhắc việc 1c", sent)]


@pytest.mark.asyncio
@pytest.mark.parametrize("as_status", [False, True])
async def test_refusals(as_status: bool) -> None:
    """The body's code counts, whatever the HTTP status is."""
    async with FakeZalo(errors_as_status=as_status, codes_as_text=not as_status) as zalo:
        assert await failure(zalo, "nobody") == {
            "reason": "Zalo không còn biết cuộc trò chuyện này", "address_dead": True,
        }  # fmt: skip
        zalo.account("an")
        doubtful = "Zalo không cho bot nhắn người này (đã chặn, hoặc bot đã đủ người)"
        assert await failure(zalo) == {
            "reason": doubtful, "address_dead": True, "recheck": True,
        }  # fmt: skip
        zalo.wrote("an")
        zalo.quota = 0
        assert await failure(zalo) == {
            "reason": "Zalo đã hết lượt tin của tháng", "retry": True, "quota": True,
        }  # fmt: skip
        assert await failure(zalo, token="1:another") == {
            "reason": "Zalo không nhận mã bot: xem lại thiết lập zalo.token",
            "retry": True,
            "channel_down": True,
        }


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("cut-before", {"retry", "unknown", "unreachable"}),
        ("cut-after", {"retry", "unknown", "unreachable"}),
        ("hang-after", {"retry", "unknown", "unreachable"}),
        ("page-502", {"retry", "unknown", "unreachable"}),
        ("page-429", {"retry", "retry_after"}),
        ("empty", {"retry", "unknown"}),
        ("half", {"retry", "unknown"}),
        (403, {"retry", "unreachable"}),
        (404, {"retry", "unreachable"}),
        (408, {"retry", "unknown"}),
        (400, set()),
    ],
)
async def test_faults(how: How | int, said: set[str]) -> None:
    """What may have arrived says so; what was refused is tried again, or is not."""
    async with FakeZalo() as zalo:
        zalo.wrote("an")
        zalo.fail_next("sendMessage", how, "Some words")
        found = await failure(zalo, answer_seconds=0.2 if how == "hang-after" else 60.0)
    assert found.keys() - {"reason"} == said


@pytest.mark.asyncio
async def test_who_has_lost_the_account_begins_no_message() -> None:
    """Not even one that was ready before."""
    async with FakeZalo() as zalo:
        zalo.wrote("an")
        channel = ZaloChannel(client_of(zalo))

        async def ours() -> bool:
            return False

        channel.ours = ours
        with pytest.raises(SendError) as lost:
            await channel.send(chat_of("an"), NUDGE, "key")
        await channel.stop()
    assert (lost.value.begun, zalo.sent) == (False, [])
