"""All providers of a province, in a process of their own: python -m tests.scale.providers LOG

Bots of Telegram and Zalo behind one HTTP port, mail senders behind one SMTP port, each account with
the real limits of its kind. Prints both ports, then notes each arrival in the file LOG, a line each
(`Arrival`). A bot's token is NUMBER:ACCOUNT; a mail sender's account is the name before its “@”.
"""

from __future__ import annotations

import argparse
import asyncio
import email
import json
import re
import sys
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from email import policy
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import unquote

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.fakes.telegram.http import (
    HttpServer,
    Misbehaviour,
    Request,
    Response,
    envelope,
    refusal,
)
from tests.fakes.telegram.limits import Limits
from tests.fakes.telegram.model import ApiError
from tests.fakes.zalo import LONGEST, MOST_PEOPLE, MOST_POLLS, QUOTA

SENDS = ("sendMessage", "sendDocument", "sendPhoto", "mail")  # what brings a message
WEBHOOK = "setWebhook"
TOO_MANY = 429
MAIL_REFUSED = 451
_PATH = re.compile(r"/(?P<kind>telegram|zalo)/bot(?P<token>\d+:[\w-]+)/(?P<method>[A-Za-z]+)")
_POLL_SECONDS = 5.0  # a poll waits no longer here: nobody writes but by webhooks


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """A request of an account, and what it was answered."""

    at: float  # Unix time
    account: str
    method: str  # the Bot API's, or `mail`
    chat: str = ""  # or the address of a mail
    text: str = ""
    id: str = ""  # what the provider calls the message that it took
    status: int = 200

    @property
    def taken(self) -> bool:
        """Whether this is a message that its reader has got."""
        return self.status == 200 and self.method in SENDS


@dataclass(frozen=True, slots=True)
class Noted:
    """A piece of the log: its arrivals, and how many bytes it has."""

    arrivals: list[Arrival]
    length: int


def read_log(path: Path, offset: int = 0) -> Noted:
    """Return the arrivals noted after so many bytes of the log, oldest first."""
    with path.open("rb") as log:
        log.seek(offset)
        whole = log.read()
    whole = whole[: whole.rfind(b"\n") + 1]  # a line may be half written
    return Noted([Arrival(**json.loads(line)) for line in whole.splitlines()], len(whole))


@dataclass
class Bot:
    """A bot of Telegram or Zalo."""

    number: int
    account: str
    limits: Limits
    webhook: str = ""
    messages: int = 0
    people: set[str] | None = None  # of a bot of Zalo: to whom it may write
    polls: deque[float] | None = None


class Providers:
    """The accounts, made when they are first heard of; `clock` drives the limits."""

    def __init__(
        self,
        log: TextIO,
        *,
        refuse: int = 0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._log, self._refuse = log, refuse
        self._clock, self._now = clock, now
        self._bots: dict[str, Bot] = {}
        self._mails: Counter[str] = Counter()
        self.refused: defaultdict[str, int] = defaultdict(int)

    def note(self, account: str, method: str, **more: Any) -> None:
        """Write an arrival down."""
        arrival = Arrival(at=self._now(), account=account, method=method, **more)
        self._log.write(json.dumps(asdict(arrival), ensure_ascii=False) + "\n")
        self._log.flush()

    async def answer(self, request: Request) -> Response | Misbehaviour:
        """Answer a request to a bot, by the rules of its kind."""
        found = _PATH.fullmatch(unquote(request.path))
        if found is None:
            return refusal(ApiError(404, "Not Found"))
        bot = self._bot(found["token"])
        method, params = found["method"], request.params
        telegram = found["kind"] == "telegram"
        chat = params.get("chat_id", "")
        text = params.get("text", params.get("caption", ""))
        try:
            result = await (self._telegram if telegram else self._zalo)(bot, method, params)
        except ApiError as error:
            self.note(bot.account, method, chat=chat, text=text, status=error.code)
            if telegram:
                return refusal(error)
            body = {"ok": False, "error_code": error.code, "description": error.description}
            return envelope(200, body)  # Zalo answers errors with HTTP 200
        sent = result.get("message_id") if isinstance(result, dict) else None
        said = params.get("url", "") + " " + params.get("secret_token", "")
        self.note(
            bot.account,
            method,
            chat=chat,
            text=said if method == WEBHOOK else text,
            id=str(sent or ""),
        )
        return envelope(
            200, {"ok": True, "result": result} | ({} if telegram else {"error_code": 0})
        )

    def _bot(self, token: str) -> Bot:
        number, _, account = token.partition(":")
        if token not in self._bots:
            limits = Limits(self._clock, enforce=True)
            self._bots[token] = Bot(int(number), account, limits, people=set(), polls=deque())
        return self._bots[token]

    async def _telegram(self, bot: Bot, method: str, params: Mapping[str, str]) -> Any:
        if method in ("sendMessage", "sendDocument", "editMessageText"):
            chat = int(params["chat_id"])
            bot.limits.take(chat)
            bot.messages += 1
            number = int(params.get("message_id", bot.messages))
            kind = {"id": chat, "type": "private" if chat > 0 else "group"}
            sent = {"message_id": number, "date": int(self._now()), "chat": kind}
            return sent | {"text": params.get("text", "")}
        if method == "getUpdates":
            if bot.webhook:
                words = "Conflict: can't use getUpdates method while webhook is active"
                raise ApiError(409, words)
            await asyncio.sleep(min(float(params.get("timeout", "0")), _POLL_SECONDS))
            return []
        if method == "getMe":
            name = f"scale_{bot.number}_bot"
            return {"id": bot.number, "is_bot": True, "first_name": name, "username": name}
        if method in (WEBHOOK, "deleteWebhook"):
            bot.webhook = params.get("url", "") if method == WEBHOOK else ""
        if method == "getWebhookInfo":
            info = {"has_custom_certificate": False, "pending_update_count": 0}
            return info | {"url": bot.webhook}
        return True

    async def _zalo(self, bot: Bot, method: str, params: Mapping[str, str]) -> Any:
        assert bot.people is not None
        assert bot.polls is not None
        if method == "sendMessage":
            chat, text = params.get("chat_id", ""), params.get("text", "")
            if not text or len(text.encode("utf-16-le")) // 2 > LONGEST:
                raise ApiError(400, f"Bad request: text must be between 1 and {LONGEST} characters")
            if len(bot.people | {chat}) > MOST_PEOPLE:
                raise ApiError(422, "You are not permitted to send messages to this chat_id")
            if bot.messages >= QUOTA:
                raise ApiError(TOO_MANY, "Quota exceeded")
            bot.people.add(chat)
            bot.messages += 1
            sent = f"{bot.number:x}{bot.messages:016x}"
            return {"message_id": sent, "date": int(self._now() * 1000)}
        if method == "getUpdates":
            if bot.webhook:
                raise ApiError(400, "Bad request: can't use getUpdates while a webhook is active")
            now = self._clock()
            bot.polls.append(now)
            while bot.polls[0] <= now - 1:
                bot.polls.popleft()
            if len(bot.polls) > MOST_POLLS:
                raise ApiError(TOO_MANY, "Too Many Requests")
            await asyncio.sleep(min(float(params.get("timeout", "30")), _POLL_SECONDS))
            raise ApiError(408, "Request timeout")
        if method == "getMe":
            name = f"bot.scale{bot.number}"
            return {"id": str(bot.number), "account_name": name, "account_type": "BASIC"}
        if method in (WEBHOOK, "deleteWebhook"):
            bot.webhook = params.get("url", "") if method == WEBHOOK else ""
            return {"url": bot.webhook, "updated_at": 0}
        if method == "getWebhookInfo" and not bot.webhook:
            raise ApiError(404, "Not Found")
        return {"url": bot.webhook, "updated_at": 0}

    # aiosmtpd's names

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, mail: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the sender; every so often it is told to come again."""
        mail.mail_from = address
        mail.mail_options.extend(options)
        account = _local(address)
        self._mails[account] += 1
        if self._refuse and self._mails[account] % self._refuse == 0:
            self.note(account, "mail", status=MAIL_REFUSED)
            return "451 4.7.1 too many mails for now, come again later"
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, mail: Envelope
    ) -> str:
        """Take a mail."""
        assert isinstance(mail.content, bytes)
        read = email.message_from_bytes(mail.content, policy=policy.default)
        body = read.get_body(("plain",))
        text = body.get_content() if body else ""
        account = _local(mail.mail_from or "")
        self.note(account, "mail", chat=mail.rcpt_tos[0], text=text, id=str(read["Message-ID"]))
        return "250 OK"


def _local(address: str) -> str:
    return address.partition("@")[0].partition("+")[0]


async def serve(log: TextIO, refuse: int) -> None:
    """Serve until the process is ended; print the ports first."""
    providers = Providers(log, refuse=refuse)
    http = HttpServer(providers.answer)
    await http.open()
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(lambda: SMTP(providers, hostname="mail"), "127.0.0.1", 0)
    sys.stdout.write(f"{http.port} {smtp.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main(arguments: Iterable[str] | None = None) -> None:
    """Run the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--refuse", type=int, default=0, help="451 for each such mail of a sender")
    asked = parser.parse_args(None if arguments is None else list(arguments))
    with asked.log.open("a", encoding="utf-8") as log:
        asyncio.run(serve(log, asked.refuse))


if __name__ == "__main__":
    main()
