"""A made-up channel, as a folder under reminder/channels would have it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

from reminder.domain.context import Inbound
from reminder.domain.outbox import AddressSource, ChannelTraits, Outbound

TRAITS = ChannelTraits(name="sms", title="tin SMS", addresses=AddressSource.INVITATION)


class Gateway:
    """The operator: carries texts both ways."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []  # to whom, what
        self.received: asyncio.Queue[tuple[str, str]] = asyncio.Queue()  # from whom, what


class SmsChannel:
    """Sends a message's plain form."""

    name = TRAITS.name

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def turn(self, address: str) -> None: ...

    def halt(self) -> None: ...

    async def stop(self) -> None: ...

    async def send(self, address: str, message: Outbound, key: str) -> str:
        del key
        self.gateway.sent.append((address, message.text))
        return str(len(self.gateway.sent))


class SmsListener:
    """Hands over each text that comes in."""

    name = TRAITS.name

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def begin(self) -> None: ...

    async def run(self, take: Callable[[Inbound], Awaitable[bool]]) -> None:
        for number in count(1):
            sender, text = await self.gateway.received.get()
            said = Inbound(
                channel=TRAITS.name,
                update=str(number),
                sender=sender,
                chat=sender,
                private=True,
                text=text,
                message=str(number),
            )
            await take(said)
            self.gateway.received.task_done()
