"""The providers of `make scale` hold each account to its kind's limits, and note all that came."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import Envelope

from tests.fakes.telegram.http import Request, Response
from tests.scale.providers import Arrival, Providers, read_log

NOW = 1_700_000_000.0


class Line:
    """Providers on a clock that stands still until it is moved."""

    def __init__(self, refuse: int = 0) -> None:
        self.seconds = 0.0
        self.log = io.StringIO()
        self.providers = Providers(
            self.log, refuse=refuse, clock=lambda: self.seconds, now=lambda: NOW
        )

    async def calls(self, bot: str, method: str, **params: str) -> tuple[int, dict[str, Any]]:
        """A bot calls a method; the status and the envelope."""
        kind = "zalo" if bot.startswith("zalo") else "telegram"
        request = Request(f"/{kind}/bot77:{bot}/{method}", params)
        answer = await self.providers.answer(request)
        assert isinstance(answer, Response)
        return answer.status, json.loads(answer.body)

    @property
    def noted(self) -> list[tuple[str, str, str, int]]:
        """Account, method, chat and status of each arrival."""
        lines = [Arrival(**json.loads(line)) for line in self.log.getvalue().splitlines()]
        return [(a.account, a.method, a.chat, a.status) for a in lines]


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.mark.asyncio
async def test_thirty_a_second_a_bot_of_telegram(line: Line) -> None:
    """The thirty-first is told how long to wait; another bot is not concerned."""
    for chat in range(1, 31):
        status, _ = await line.calls("tele-1", "sendMessage", chat_id=str(chat), text="a")
        assert status == 200
    status, said = await line.calls("tele-1", "sendMessage", chat_id="31", text="a")
    assert (status, said["parameters"]) == (429, {"retry_after": 1})
    assert (await line.calls("tele-2", "sendMessage", chat_id="31", text="a"))[0] == 200
    line.seconds = 1.0
    assert (await line.calls("tele-1", "sendMessage", chat_id="31", text="a"))[0] == 200
    assert line.noted[-3:] == [
        ("tele-1", "sendMessage", "31", 429),
        ("tele-2", "sendMessage", "31", 200),
        ("tele-1", "sendMessage", "31", 200),
    ]


@pytest.mark.asyncio
async def test_one_a_second_a_chat_and_twenty_a_minute_a_group(line: Line) -> None:
    assert (await line.calls("tele-1", "sendMessage", chat_id="5", text="a"))[0] == 200
    assert (await line.calls("tele-1", "sendMessage", chat_id="5", text="b"))[0] == 429
    for second in range(20):
        line.seconds = 2.0 + second
        assert (await line.calls("tele-1", "sendMessage", chat_id="-5", text="a"))[0] == 200
    assert (await line.calls("tele-1", "sendMessage", chat_id="-5", text="a"))[0] == 429


@pytest.mark.asyncio
async def test_fifty_people_a_bot_of_zalo(line: Line) -> None:
    for chat in range(50):
        _, said = await line.calls("zalo-1", "sendMessage", chat_id=f"z{chat}", text="a")
        assert said["ok"]
    _, said = await line.calls("zalo-1", "sendMessage", chat_id="z50", text="a")
    assert said["error_code"] == 422
    assert line.noted[-1] == ("zalo-1", "sendMessage", "z50", 422)


@pytest.mark.asyncio
async def test_a_webhook_is_noted_with_its_secret_and_ends_polling(line: Line) -> None:
    hook = {"url": "https://example.vn/vao", "secret_token": "s3cret"}
    for bot, refused in (("tele-1", 409), ("zalo-1", 400)):
        await line.calls(bot, "setWebhook", **hook)
        assert json.loads(line.log.getvalue().splitlines()[-1])["text"] == (
            "https://example.vn/vao s3cret"
        )
        status, said = await line.calls(bot, "getUpdates", timeout="0")
        assert refused in (status, said.get("error_code"))


@pytest.mark.asyncio
async def test_every_so_often_a_mail_is_told_to_come_again() -> None:
    """Each sender's third; the account is the name before the “@”, whatever its return path."""
    line = Line(refuse=3)
    said = []
    for n in range(4):
        mail = Envelope()
        mail.rcpt_tos = [f"p{n}@example.vn"]
        mail.content = b"Message-ID: <1@a>\r\nContent-Type: text/plain\r\n\r\nXin\r\n"
        sender = "mail-1+b.77@example.vn"
        server: Any = None
        answer = await line.providers.handle_MAIL(server, server, mail, sender, [])
        said.append(answer[:3])
        if answer.startswith("250"):
            await line.providers.handle_DATA(server, server, mail)
    assert said == ["250", "250", "451", "250"]
    assert line.noted == [
        ("mail-1", "mail", "p0@example.vn", 200),
        ("mail-1", "mail", "p1@example.vn", 200),
        ("mail-1", "mail", "", 451),
        ("mail-1", "mail", "p3@example.vn", 200),
    ]


def test_the_log_is_read_on_from_where_it_ended(tmp_path: Path) -> None:
    """A line that is still being written is left to the next look."""
    log = tmp_path / "log"
    one = json.dumps({"at": 1.0, "account": "a", "method": "mail"})
    log.write_text(f"{one}\n{one[:20]}", "utf-8")
    noted = read_log(log)
    assert ([a.account for a in noted.arrivals], noted.length) == (["a"], len(one) + 1)
    log.write_text(f"{one}\n{one}\n", "utf-8")
    assert read_log(log, noted.length) == noted
