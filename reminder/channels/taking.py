"""Handing a message over so that it is recorded, or on record that it was not taken."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from reminder.channels import Hook, Webhook
from reminder.domain.context import Inbound
from reminder.domain.outbox import SendError, backoff

log = logging.getLogger(__name__)

TRIES = 2  # at taking a message, before its sender is told that it was not taken
HELD = 30.0  # seconds between tries where not even that can be recorded
Take = Callable[[Inbound], Awaitable[bool]]
Sleep = Callable[[float], Awaitable[object]]


@dataclass
class Outage:
    """Why nothing is received: the same reason is told once in a while, and the waits grow."""

    first: float  # seconds before the next try
    longest: float
    growth: float = 1.5
    say_again: float = 60.0  # seconds of silence after which the same reason is told again
    why: str | None = ""  # empty: all is well; None: not tried yet
    _failures: int = 0
    _silent_for: float = 0.0

    def is_news(self, why: str) -> bool:
        """Note why a try failed; return whether that is to be told."""
        if why == self.why and self._silent_for < self.say_again:
            return False
        self.why, self._silent_for = why, 0.0
        return True

    def wait(self, asked: float | None = None) -> float:
        """Return the seconds until the next try: those `asked`, else more after each failure."""
        self._failures += 1
        grown = backoff(self._failures, self.first, self.longest, self.growth)
        seconds = grown if asked is None else asked
        self._silent_for += seconds
        return seconds

    def over(self) -> bool:
        """Note that it works; return whether it did not."""
        ended = bool(self.why)
        self.why, self._failures, self._silent_for = "", 0, 0.0
        return ended


class NotRecordedError(Exception):
    """Neither a message nor that it was not taken can be recorded now."""


class Backend(Protocol):
    """What a listener tells the program."""

    async def reached(self, channel: str, bot_name: str) -> None:
        """Note that the provider is reached, and as whom it knows the bot."""
        ...

    def polled(self, channel: str) -> None:
        """Note a successful poll."""
        ...

    async def deaf(self, channel: str, reason: str) -> None:
        """Note that the provider takes messages, and hands out none."""
        ...

    async def not_taken(self, inbound: Inbound) -> None:
        """Count a message that could not be taken, and tell its sender."""
        ...

    async def failed(self, channel: str, error: SendError) -> None:
        """Note that the provider is not reached, or refuses everything."""
        ...


class BotListener:
    """What the listeners of bots share: troubles told once, and deliveries to a webhook."""

    name: str  # of the channel
    title: str  # of the provider, in the log
    header: bytes  # in which a delivery carries the webhook's secret

    def __init__(
        self, backend: Backend, webhook: Webhook | None, sleep: Sleep, outage: Outage
    ) -> None:
        self._backend, self._webhook, self._sleep = backend, webhook, sleep
        self._outage = outage
        self._receiving = "receiving from"
        self._reached = False  # whether it is known who the bot is
        self._take: Take | None = None
        self._begun = asyncio.Event()
        self.delivered = False  # since the last look at the webhook

    def take_by(self, take: Take) -> None:
        """Have what is delivered taken from now on."""
        self._take = take
        self._begun.set()

    @property
    def hooks(self) -> Mapping[str, Hook]:
        """Where the webhook's requests are taken, on the page."""
        return {self._webhook.path: self.deliver} if self._webhook else {}

    async def deliver(self, headers: Mapping[bytes, bytes], body: bytes) -> int:
        """Have what is in a webhook's request taken; return the HTTP status of the answer."""
        if self._webhook is None or not self._webhook.is_proved(headers.get(self.header)):
            return 403
        try:
            raw = json.loads(body)
        except (ValueError, RecursionError):
            raw = None
        status = None if raw is None else await self._delivered(raw)
        if status is None:
            log.warning("a delivery of %s can't be read: %d bytes", self.title, len(body))
            return 200  # it would be as unreadable once more
        return status

    async def _delivered(self, raw: Any) -> int | None:
        """Have `raw` taken; return the HTTP status, None if it can't be read."""
        raise NotImplementedError

    def _recovered(self) -> None:
        if self._outage.over():
            log.info("%s %s works again", self._receiving, self.title)
        self._backend.polled(self.name)


async def hand_over(
    inbound: Inbound, take: Take, backend: Backend, sleep: Sleep | None, *, tries: int = TRIES
) -> bool:
    """Return what `take` returns, or False once it is on record that it failed.

    Without `sleep` it is not tried for as long as it takes: NotRecordedError.
    """
    while True:
        for _ in range(tries):
            try:
                return await take(inbound)
            except Exception as error:  # noqa: BLE001  whatever it is, the message is not lost
                log.error("update %s failed: %s: %s", inbound.update, type(error).__name__, error)
        try:
            await backend.not_taken(inbound)
        except Exception as error:  # noqa: BLE001  as long as it lasts, nothing is confirmed
            log.error("update %s waits: %s: %s", inbound.update, type(error).__name__, error)
            if sleep is None:
                raise NotRecordedError from None
            await sleep(HELD)
        else:
            return False
