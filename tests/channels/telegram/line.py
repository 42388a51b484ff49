"""A Telegram server and a channel to it, over HTTP, on a clock of their own."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from reminder.channels.telegram.pacer import Pacer
from reminder.channels.telegram.send import TelegramChannel, make_bot
from reminder.domain.context import Inbound
from reminder.domain.outbox import Action, Outbound, SendError
from tests.fakes.telegram import FakeTelegram
from tests.messages.ticking import Ticking

TOKEN = "424242:AAF-realistic-looking_token-of-35-chars"
PERSON, GROUP = 7, -100
BUTTON = Action(label="✅ 1c", data="d:1", typed="xong 1c")
HELLO = Outbound(
    subject="Nhắc việc",
    html="<b>1c</b> Danh mục &amp; quyết định",
    text="1c Danh mục & quyết định",
    actions=((BUTTON,),),
)


class Told:
    """receive.Backend: what the listener has told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def reached(self, channel: str, bot_name: str) -> None:
        self.said.append(f"{channel} reached as {bot_name}")

    def polled(self, channel: str) -> None: ...

    async def not_taken(self, inbound: Inbound) -> None:
        self.said.append(f"not taken: {inbound.update} from {inbound.chat or 'nobody'}")

    async def deaf(self, channel: str, reason: str) -> None: ...

    async def failed(self, channel: str, error: SendError) -> None:
        if error.channel_down:
            self.said.append(f"{channel} refused: {error.reason}")


@asynccontextmanager
async def line(
    *, answer_seconds: float = 5.0
) -> AsyncIterator[tuple[FakeTelegram, TelegramChannel]]:
    """A server with one person and one group, and a channel to it on a clock of its own."""
    time = Ticking()
    async with FakeTelegram(TOKEN, clock=time.clock) as server:
        server.start(PERSON)
        server.add_group(GROUP)
        bot = make_bot(TOKEN, server.base_url, answer_seconds=answer_seconds)
        channel = TelegramChannel(bot, Pacer(time.clock, time.skip))
        await bot.initialize()
        yield server, channel
        await channel.stop()


def worded(**more: Any) -> Outbound:
    """A small message of its own."""
    return replace(Outbound(subject="s", html="<b>x</b>", text="x"), **more)


Test = Callable[[FakeTelegram, TelegramChannel], Awaitable[None]]


def over(test: Test, *, answer_seconds: float = 5.0) -> None:
    """Runs `test` with a server and a channel."""

    async def main() -> None:
        async with line(answer_seconds=answer_seconds) as (server, channel):
            await test(server, channel)

    asyncio.run(main())


async def refusal(
    channel: TelegramChannel, message: Outbound = HELLO, address: str = str(PERSON)
) -> SendError:
    """The error that sending `message` raises."""
    with pytest.raises(SendError) as caught:
        await channel.send(address, message, "row-1")
    shown = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in shown
    return caught.value


def known(error: SendError) -> dict[str, object]:
    """What an error says, but its words."""
    said = {
        name: getattr(error, name)
        for name in ("retry", "retry_after", "unknown", "address_dead", "channel_down", "moved_to")
    }
    return {name: value for name, value in said.items() if value or name == "retry"}
