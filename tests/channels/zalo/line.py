"""A client, a channel and a listener on a made-up Zalo, without pauses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from reminder.channels import Webhook
from reminder.channels.zalo.client import ZaloClient
from reminder.channels.zalo.receive import ZaloListener
from reminder.domain.context import Inbound
from reminder.domain.outbox import SendError
from tests.fakes.zalo import FakeZalo


@dataclass
class Heard:
    """What a listener has told."""

    inbounds: list[Inbound] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    lost: list[Inbound] = field(default_factory=list)
    polls: int = 0
    account: str = ""
    waits: list[float] = field(default_factory=list)  # seconds between requests, that were skipped
    fails: int = 0  # of the next messages, how many can't be taken
    seen: set[str] = field(default_factory=set)

    async def take(self, inbound: Inbound) -> bool:
        if self.fails:
            self.fails -= 1
            raise OSError("the disk is full")
        new = inbound.update not in self.seen
        self.seen.add(inbound.update)
        if new:
            self.inbounds.append(inbound)
        return new

    async def reached(self, channel: str, bot_name: str) -> None:
        del channel
        self.account = bot_name

    def polled(self, channel: str) -> None:
        del channel
        self.polls += 1

    async def not_taken(self, inbound: Inbound) -> None:
        self.lost.append(inbound)

    async def failed(self, channel: str, error: SendError) -> None:
        del channel
        self.failures.append(error.reason)

    async def deaf(self, channel: str, reason: str) -> None:
        del channel
        self.failures.append(reason)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0.001)

    @property
    def texts(self) -> list[str]:
        return [inbound.text for inbound in self.inbounds]


def client_of(zalo: FakeZalo, token: str = "", *, answer_seconds: float = 60.0) -> ZaloClient:
    """A client of the server, by its token or another."""
    return ZaloClient(token or zalo.token, zalo.base_url, answer_seconds=answer_seconds)


@asynccontextmanager
async def listening(
    zalo: FakeZalo, heard: Heard, webhook: Webhook | None = None
) -> AsyncIterator[ZaloListener]:
    """A listener that runs until the test is through."""
    client = client_of(zalo)
    listener = ZaloListener(client, heard, poll_seconds=1, webhook=webhook, sleep=heard.sleep)
    listener._now = lambda: 0.0  # type: ignore[method-assign]  # each wait is as long as it is meant
    task = asyncio.create_task(listener.run(heard.take))
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.stop()
