"""Handing a message over so that it is recorded, or on record that it was not taken."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

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
