"""Deliveries to a webhook, with the rules of the real server.

Updates of one chat are delivered one after the other, each until it is answered with 2xx; those of
different chats, and the presses of one person, side by side.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from .input import Params
from .limits import too_many
from .model import JSON, File, bad_request
from .updates import Updates

PORTS = (443, 80, 88, 8443)
CONNECTIONS, MOST_CONNECTIONS = 40, 100
SECRET = "X-Telegram-Bot-Api-Secret-Token"
LONGEST_WAIT = 60.0  # seconds between two deliveries of one update
ANSWER_SECONDS = 10.0
_CONFLICT = "Conflict: terminated by setWebhook request"


class Webhook:
    """Where updates are delivered to; nowhere at first, so that they are polled.

    `local`: a server of one's own, which takes http and any port. `pace`: seconds that a second of
    waiting before another delivery takes in the test.
    """

    def __init__(
        self,
        updates: Updates,
        now: Callable[[], float],
        clock: Callable[[], float],
        *,
        local: bool,
        pace: float = 0.01,
    ) -> None:
        self._updates, self._now, self._clock = updates, now, clock
        self._local, self._pace = local, pace
        self.url, self.secret, self.certificate = "", "", b""
        self.connections = CONNECTIONS
        self.by = ""  # the address of the proxy that has the webhook's name; empty: as it is
        self.answers: list[int] = []  # the statuses of all deliveries; 0: there was no answer
        self._error: tuple[int, str] | None = None
        self._set_at = float("-inf")
        self._queues: dict[Hashable, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(CONNECTIONS)
        updates.on_news = self._look

    async def set(self, params: Params) -> bool:
        """setWebhook: at most one a second, https on four ports, a secret of plain letters."""
        url, secret = params.text("url"), params.text("secret_token")
        if not url:
            return await self.delete(params)
        if self._clock() - self._set_at < 1:
            raise too_many(1)
        self._set_at = self._clock()
        if len(secret) > 256:
            raise bad_request("secret token is too long")
        if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
            raise bad_request("secret token contains unallowed characters")
        self._check(url)
        allowed = params.json("allowed_updates", "allowed updates")
        if allowed is not None:
            self._updates.allow(allowed)
        if params.flag("drop_pending_updates"):
            self._updates.clear()
        self._updates.end_poll(_CONFLICT)
        wanted = params.number("max_connections", CONNECTIONS)
        file = params.files.get(
            params.text("certificate").removeprefix("attach://") or "certificate"
        )
        self.connections = max(1, min(wanted, MOST_CONNECTIONS))
        self.certificate = file.content if isinstance(file, File) else b""
        self.url, self.secret, self._error = url, secret, None
        self._places = asyncio.Semaphore(self.connections)
        self._look()
        return True

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise bad_request("invalid webhook URL specified")
        if self._local:
            return
        if parts.scheme != "https":
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if (parts.port or 443) not in PORTS:
            words = "Webhook can be set up only on ports 80, 88, 443 or 8443"
            raise bad_request(f"bad webhook: {words}")
        if parts.hostname == "localhost" or parts.hostname.startswith("127."):
            raise bad_request(f"bad webhook: IP address {parts.hostname} is reserved")

    async def delete(self, params: Params) -> bool:
        """deleteWebhook: what waits can be polled."""
        if params.flag("drop_pending_updates"):
            self._updates.clear()
        self.stop()
        self.url, self.secret, self.certificate, self._error = "", "", b"", None
        return True

    async def info(self, _: Params) -> JSON:
        """getWebhookInfo: the last error stays there, whatever came after it."""
        found: JSON = {"url": self.url, "has_custom_certificate": bool(self.certificate)}
        found["pending_update_count"] = len(self._updates.pending)
        if self._error:
            found["last_error_date"], found["last_error_message"] = self._error
        if self.url:
            found |= {"max_connections": self.connections, "ip_address": "192.0.2.7"}
        if self._updates.allowed is not None:
            found["allowed_updates"] = sorted(self._updates.allowed)
        return found

    def _place(self) -> str:
        return f"{self.by}{urlsplit(self.url).path}" if self.by else self.url

    def stop(self) -> None:
        """Break off all deliveries."""
        for task in self._queues.values():
            task.cancel()
        self._queues.clear()

    def _look(self) -> None:
        """Begin the deliveries of each queue that has any."""
        if not self.url:
            return
        for _, body in self._updates.queued():
            queue = _queue(body)
            if queue not in self._queues:
                task = asyncio.get_running_loop().create_task(self._deliver_all(queue))
                self._queues[queue] = task

    async def _deliver_all(self, queue: Hashable) -> None:
        """Deliver the updates of one queue, each until it is taken."""
        delay, fails = 1.0, 0
        async with aiohttp.ClientSession() as session:
            while found := self._first(queue):
                number, body = found
                status, wait = await self._post(session, body)
                if 200 <= status < 300:
                    self._updates.delivered(number)
                    delay, fails = 1.0, 0
                    continue
                if fails and not wait:
                    delay = min(LONGEST_WAIT, delay * 2)
                    wait = delay
                fails += 1
                await asyncio.sleep(wait * self._pace)
        if self._queues.get(queue) is asyncio.current_task():
            del self._queues[queue]

    def _first(self, queue: Hashable) -> tuple[int, JSON] | None:
        found = (each for each in self._updates.queued() if _queue(each[1]) == queue)
        return next(found, None)

    async def _post(self, session: aiohttp.ClientSession, body: Any) -> tuple[int, float]:
        """Return the status of one delivery, and how long it asks to wait."""
        headers = {SECRET: self.secret} if self.secret else {}
        status, wait, words = 0, 0.0, "Connection refused"
        async with self._places:
            with suppress(aiohttp.ClientError, TimeoutError, OSError):
                limit = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
                async with session.post(
                    self._place(), json=body, headers=headers, timeout=limit, allow_redirects=False
                ) as answer:
                    status, wait = answer.status, float(answer.headers.get("Retry-After", 0))
                    words = f"Wrong response from the webhook: {status} {answer.reason}"
        self.answers.append(status)
        if not 200 <= status < 300:
            self._error = (int(self._now()), words)
        return status, wait


def _queue(body: Any) -> Hashable:
    """The queue of an update: of its chat, or of who has pressed."""
    if not isinstance(body, dict):
        return None
    for kind, content in body.items():
        if kind != "update_id" and isinstance(content, dict):
            pressed = kind == "callback_query"
            who = content.get("from" if pressed else "chat")
            return pressed, who.get("id") if isinstance(who, dict) else None
    return None
