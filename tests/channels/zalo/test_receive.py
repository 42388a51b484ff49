"""Zalo's events: taken once each, in every mode, and empty polls in all their forms."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.channels.zalo.line import Heard, listening
from tests.fakes.zalo import FakeZalo, Mode, chat_of
from tests.waiting import until


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
    assert all(seconds > 0.9 for seconds in heard.waits)
