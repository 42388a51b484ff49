"""A Telegram that answers at once, in a process of its own: python -m bench.server [--limits] …

It keeps to what the two clients need. With --limits it counts arrivals as the fake of the tests
does, and refuses with 429. With --script it writes to the bot by itself, one message after the
answer to the one before, and takes the time of each answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import time
from typing import Any

from tests.fakes.telegram.limits import Limits
from tests.fakes.telegram.model import ApiError

PAUSE = 0.05  # seconds from an answer to the next message: whoever answers is idle by then
OFFICER = 11  # the chat that writes in a script
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_CHAT = re.compile(rb"chat_id=(-?\d+)|\"chat_id\": *\"?(-?\d+)|name=\"chat_id\"\r\n\r\n(-?\d+)")
_BOT = {"id": 4242, "is_bot": True, "first_name": "Bench", "username": "bench_bot"}


class Telegram:
    """What is known of the conversation so far."""

    def __init__(self, *, limits: bool, script: list[str], rounds: int, jitter: float) -> None:
        self.limits = Limits(time.monotonic, enforce=True) if limits else None
        self.script = script * rounds
        self.jitter = jitter  # seconds: the longest that a request or an answer is under way
        self.arrivals: list[float] = []  # of sends and edits
        self.polled: list[float] = []  # when each poll came
        self.took: list[float] = []  # of each line of the script
        self._asked: float | None = None
        self._polls: list[asyncio.Future[list[dict[str, Any]]]] = []
        self._next = 0
        self._owes = False  # an officer has something to say, and nobody polls

    async def answer(self, method: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """The status and the envelope."""
        name = method.lower()
        if name in ("sendmessage", "editmessagetext"):
            return self._sent(body)
        if name == "getupdates":
            self.polled.append(time.time())
            return 200, {"ok": True, "result": await self._poll()}
        if name == "getme":
            return 200, {"ok": True, "result": _BOT}
        if name == "stats":
            return 200, {
                "arrivals": self.arrivals,
                "refused": self.limits.refused if self.limits else 0,
                "took": self.took,
                "polled": self.polled,
            }
        return 200, {"ok": True, "result": True}

    def _sent(self, body: bytes) -> tuple[int, dict[str, Any]]:
        found = _CHAT.search(body)
        chat = int(next(g for g in found.groups() if g)) if found else 0
        if self.limits is not None:
            try:
                self.limits.take(chat)
            except ApiError as error:
                refused = {"ok": False, "error_code": 429, "description": error.description}
                return 429, {**refused, "parameters": error.parameters}
        self.arrivals.append(time.time())
        if self._asked is not None:
            self.took.append(time.perf_counter() - self._asked)
            self._asked = None
            asyncio.get_running_loop().call_later(PAUSE, self._say)
        message = {"message_id": len(self.arrivals), "date": 1706230800, "text": "x"}
        return 200, {"ok": True, "result": {**message, "chat": {"id": chat, "type": "private"}}}

    async def _poll(self) -> list[dict[str, Any]]:
        waits = asyncio.get_running_loop().create_future()
        self._polls.append(waits)
        if not self._next or self._owes:
            self._say()
        try:
            return await asyncio.wait_for(waits, 50)
        except TimeoutError:
            return []

    def _say(self) -> None:
        waiting = [poll for poll in self._polls if not poll.done()]
        self._owes = not waiting  # the next poll comes late
        if not waiting or self._next >= len(self.script):
            return
        self._polls.clear()
        text = self.script[self._next]
        self._next += 1
        officer = {"id": OFFICER, "is_bot": False, "first_name": "An"}
        message = {
            "message_id": 100_000 + self._next,
            "date": 1706230800,
            "chat": {"id": OFFICER, "type": "private", "first_name": "An"},
            "from": officer,
            "text": text,
            "entities": [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}],
        }
        self._asked = time.perf_counter()
        waiting[-1].set_result([{"update_id": self._next, "message": message}])


async def _converse(
    telegram: Telegram, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1])) if length else b""
            await _delay(telegram)
            method = head.split(b" ", 2)[1].rsplit(b"/", 1)[-1].decode()
            status, envelope = await telegram.answer(method, body)
            await _delay(telegram)
            said = json.dumps(envelope).encode()
            writer.write(
                b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (status, len(said), said)
            )
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _delay(telegram: Telegram) -> None:
    if telegram.jitter:
        await asyncio.sleep(random.uniform(0, telegram.jitter))


async def main() -> None:
    """Serves until it is killed; prints its port first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("--jitter", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--script", nargs="*", default=[])
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    telegram = Telegram(
        limits=given.limits, script=given.script, rounds=given.rounds, jitter=given.jitter
    )
    server = await asyncio.start_server(
        lambda reader, writer: _converse(telegram, reader, writer), "127.0.0.1", 0, backlog=200
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
