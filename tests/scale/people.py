"""The people of a run: they answer by webhooks once they have read their message; others try to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp

from tests.scale.providers import WEBHOOK, Arrival
from tests.scale.province import ANSWERS_OF, UNITS, URL, Answer, Province, Reader, code_of

TRIES = 30  # a second apart: a provider calls again until it is answered 200
STRANGER = {"telegram": "66", "zalo": "0" * 20}
_HEADERS = {
    "telegram": "X-Telegram-Bot-Api-Secret-Token",
    "zalo": "X-Bot-Api-Secret-Token",
}


@dataclass
class People:
    """Calls of the webhooks that the accounts have set."""

    province: Province
    place: str  # where the web process listens: http://…
    session: aiohttp.ClientSession
    hooks: dict[str, tuple[str, str]] = field(default_factory=dict)  # account → URL and secret
    asked: dict[Reader, float] = field(default_factory=dict)  # when their answer was taken
    failed: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: count(1))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _waiting: dict[tuple[str, str], Answer] | None = None

    def hear(self, arrivals: list[Arrival]) -> None:
        """Take in what the providers noted; whoever has read what they answer answers it."""
        if self._waiting is None:
            asked = self.province.asked
            self._waiting = {(a.reader.account, a.reader.chat): a for a in asked}
        for arrival in arrivals:
            if arrival.method == WEBHOOK and arrival.status == 200:
                url, _, secret = arrival.text.partition(" ")
                self.hooks[arrival.account] = (url, secret)
            place = (arrival.account, arrival.chat)
            answer = self._waiting.get(place)
            if answer and arrival.taken and any(due in arrival.text for due in answer.reader.due):
                del self._waiting[place]
                self._later(answer)

    @property
    def busy(self) -> bool:
        """Whether somebody has not been heard yet."""
        return bool(self._waiting) or bool(self._tasks)

    def _later(self, answer: Answer) -> None:
        task = asyncio.create_task(self._answers(answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answers(self, answer: Answer) -> None:
        reader = answer.reader
        others = code_of(next(unit for unit in UNITS if unit not in (ANSWERS_OF, "van-phong")))
        kind = "telegram" if reader.account.startswith("tele") else "zalo"
        # Somebody who pretends to be the provider, and somebody whom no office knows.
        forged = await self._post(reader.account, reader.chat, f"xong {others}", forged=True)
        if forged == 200:
            self.failed.append(f"a webhook of {reader.account} took a wrong secret")
        await self._post(reader.account, STRANGER[kind], answer.text)
        identity = next(self._numbers)
        for _ in range(TRIES):
            if await self._post(reader.account, reader.chat, answer.text, identity) == 200:
                self.asked[reader] = time.time()
                return
            await asyncio.sleep(1)
        self.failed.append(f"the webhook of {reader.account} did not take {answer}")

    async def _post(
        self, account: str, chat: str, text: str, identity: int = 0, *, forged: bool = False
    ) -> int:
        """Return the status; 0 without an answer."""
        if account not in self.hooks:
            return 0
        kind = "telegram" if account.startswith("tele") else "zalo"
        hook, secret = self.hooks[account]
        url = hook.replace(URL, self.place)  # as the proxy passes it on
        body = (_telegram if kind == "telegram" else _zalo)(
            chat, text, identity or next(self._numbers)
        )
        headers = {_HEADERS[kind]: "wrong-secret" if forged else secret}
        limit = aiohttp.ClientTimeout(total=15)
        try:
            async with self.session.post(url, json=body, headers=headers, timeout=limit) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0


def _telegram(chat: str, text: str, identity: int) -> Mapping[str, Any]:
    person = {"id": int(chat), "first_name": "Công chức"}
    message = {
        "message_id": 900_000 + identity,
        "date": int(time.time()),
        "chat": {**person, "type": "private"},
        "from": {**person, "is_bot": False},
        "text": text,
    }
    return {"update_id": identity, "message": message}


def _zalo(chat: str, text: str, identity: int) -> Mapping[str, Any]:
    message = {
        "from": {"id": chat, "display_name": "Công chức", "is_bot": False},
        "chat": {"id": chat, "chat_type": "PRIVATE"},
        "message_id": f"{identity:020x}",
        "date": int(time.time() * 1000),
        "text": text,
    }
    return {"ok": True, "result": {"event_name": "message.text.received", "message": message}}
