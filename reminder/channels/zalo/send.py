"""Zalo as a channel."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from reminder.channels import Ours, always, begin
from reminder.channels.zalo import TRAITS
from reminder.channels.zalo.client import ZaloClient, ZaloError
from reminder.channels.zalo.errors import send_error
from reminder.domain.outbox import Outbound, SendError
from reminder.messages.compose import chat_parts


class ZaloChannel:
    """Sends plain texts; the client may be shared with whoever polls."""

    name = TRAITS.name

    def __init__(self, client: ZaloClient) -> None:
        self.client = client
        self.gap = 0.0  # seconds between two messages: Zalo names no pace, and took ten at once
        self._next = 0.0  # when the next may begin, on the loop's clock
        self.ours: Ours = always

    def turn(self, address: str) -> Awaitable[object] | None:
        """Return None and count one message if it may begin now, else the wait until it may."""
        del address
        if not self.gap:
            return None
        now = asyncio.get_running_loop().time()
        if self._next > now:
            return asyncio.sleep(self._next - now)
        self._next = now + self.gap
        return None

    def limit(self, rate: int) -> None:
        """Send no more than `rate` messages a second."""
        self.gap = 1 / rate

    def pace(self) -> object:
        """Return the seconds until the next message may begin."""
        return max(0.0, self._next - asyncio.get_running_loop().time())

    def resume(self, pace: Any, passed: float) -> None:
        """Go on after another process, which told its pace `passed` seconds ago."""
        self._next = max(self._next, asyncio.get_running_loop().time() + pace - passed)

    def halt(self) -> None:
        """Do nothing: each send begins at once."""

    async def stop(self) -> None:
        """Close the connections."""
        await self.client.stop()

    async def send(self, address: str, message: Outbound, key: str) -> str:  # noqa: ARG002 - port
        """Send the texts one after the other; return Zalo's id of the last.

        Zalo can't tell repeats, so `key` is of no use here.
        """
        sent = ""
        await begin(self.ours)
        for number, text in enumerate(chat_parts(message, TRAITS.longest)):
            outcome = await self._outcome({"chat_id": address, "text": text})
            if isinstance(outcome, ZaloError):
                error = send_error(outcome)
                error.unknown = error.unknown or (error.retry and number > 0)  # a part has arrived
                raise error
            sent = outcome
        if not sent:
            raise SendError("tin không có chữ nào để gửi", retry=False)
        return sent

    async def _outcome(self, params: dict[str, Any]) -> str | ZaloError:
        """Return the id of a sent message, or the error: raised by the caller, where no traceback
        carries what was under way here."""
        try:
            result = await self.client.call("sendMessage", params)
        except ZaloError as error:
            return error
        found = result.get("message_id") if isinstance(result, dict) else None
        return str(found or "accepted")
