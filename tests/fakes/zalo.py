"""A Zalo that runs inside a test: the Bot Platform's rules, and the things that go wrong.

Where the sources contradict each other, a switch chooses: docs/zalo.md tells of them.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import unquote

import aiohttp

from tests.fakes.telegram.http import HttpServer, Misbehaviour, Request, Response

_PATH = re.compile(r"/bot(?P<token>[^/]+)/(?P<method>[A-Za-z]+)")
LONGEST, MOST_POLLS, MOST_PEOPLE, QUOTA = 2000, 10, 50, 3000
PAGE = b"<html><head><title>429 Too Many Requests</title></head><body>nginx</body></html>"
JAVA = "Java/1.8.0_192"
Json = dict[str, Any]
# before: nothing was taken; after: the request had its effect, and its answer is lost.
How = Literal[
    "cut-before", "cut-after", "hang-before", "hang-after", "page-502", "page-429", "page-200",
    "empty", "half",
]  # fmt: skip


class Mode(StrEnum):
    """What becomes of an event that was handed out."""

    POPPED = "popped"  # it is gone
    LOST = "lost"  # one that comes while nobody polls is gone too
    REPEATED = "repeated"  # the last one comes with every poll


class RefusedError(Exception):
    """An error that Zalo answers with."""

    def __init__(self, code: int, description: str, *, name: str = "error_code") -> None:
        super().__init__(description)
        self.code, self.description, self.name = code, description, name


@dataclass(frozen=True)
class Doubled(Response):
    """A response with two Server headers, as Zalo's have."""

    def encode(self) -> bytes:
        first, _, rest = super().encode().partition(b"\r\n")
        return first + b"\r\nServer: nginx\r\nServer: ZaloPlatforms\r\n" + rest


@dataclass
class Account:
    """A person's account."""

    name: str
    wrote: bool = False  # without it, and beyond the 50th, the bot may not write
    blocked: bool = False
    protected: bool = False  # its texts arrive as “unsupported”


@dataclass(frozen=True)
class Sent:
    """A message of the bot."""

    chat: str
    text: str
    id: str
    row: str  # what the harness of the faults adds to a request


@dataclass
class FakeZalo:
    """The server. `now` (Unix time) tells the month; polls wait in real time."""

    token: str = "7788:zalo-secret-of-the-fake"
    mode: Mode = Mode.POPPED
    now: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic  # on which polls are too many
    errors_as_status: bool = False  # HTTP = the error's code, instead of 200
    codes_as_text: bool = False  # error_code and ids of messages as JSON texts or numbers
    code_points: bool = False  # 2,000 of them, instead of UTF-16 units
    quota: int = QUOTA
    both_ways: bool = False  # what comes in counts as well
    empty: Literal["408", "empty", "page", "null", "list"] = "408"
    at_once: bool = False  # an empty poll is answered at once
    silent: bool = False  # an empty poll is never answered
    https: bool = True  # setWebhook takes https alone
    flat: bool = False  # deliveries carry the event itself
    people: dict[str, Account] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    calls: list[tuple[float, str]] = field(default_factory=list)
    delivered: list[int] = field(default_factory=list)  # the statuses of deliveries
    webhook: tuple[str, str] | None = None  # address and secret
    counts: dict[str, int] = field(default_factory=dict)  # month → messages that counted
    queue: list[Json] = field(default_factory=list)
    handed_out: list[str] = field(default_factory=list)  # the ids of messages
    happened: Counter[str] = field(default_factory=Counter)  # faults that met a call
    on_hand_out: Callable[[], None] | None = None  # called once, before an event is answered
    _last: Json | None = None
    _polls: int = 0  # that wait now
    _open: bool = False  # an event was handed out, and no poll has come since
    _faults: list[tuple[str, How | int, str]] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _bugs: list[Exception] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._news = asyncio.Condition()
        self._http = HttpServer(self._answer)
        await self._http.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await self._http.close()
        if self._bugs and error is None:
            raise self._bugs[0]

    # ---- what the test looks at

    @property
    def base_url(self) -> str:
        """What stands before the token."""
        return f"http://127.0.0.1:{self._http.port}/bot"

    @property
    def being_polled(self) -> bool:
        """Whether a poll waits."""
        return self._polls > 0

    @property
    def coming(self) -> set[str]:
        """The ids of messages that a poll will bring."""
        repeated = [self._last] if self._last and self.mode is Mode.REPEATED else []
        return {
            str((event.get("message") or {}).get("message_id"))
            for event in (*self.queue, *repeated)
        }

    @property
    def busy(self) -> bool:
        """Whether an event waits, or was handed out to who has not polled since."""
        return bool(self.queue) or self._open

    def sent_to(self, who: str) -> list[str]:
        """The texts that a person has got, oldest first."""
        return [sent.text for sent in self.sent if sent.chat == chat_of(who)]

    def called(self, method: str) -> list[float]:
        """When a method was called."""
        return [at for at, name in self.calls if name == method]

    # ---- what people do

    def account(self, who: str) -> Account:
        return self.people.setdefault(chat_of(who), Account(who))

    def wrote(self, *who: str) -> None:
        """These people have written once, before the test."""
        for each in who:
            self.account(each).wrote = True

    def says(self, who: str, text: str, **more: Any) -> str:
        """A person writes to the bot; return the message's id. `more` changes the message."""
        kind = "unsupported" if self.account(who).protected else "text"
        return self.arrives(who, kind, **({} if kind == "unsupported" else {"text": text}) | more)

    def arrives(self, who: str, kind: str, **more: Any) -> str:
        """An event of a kind comes in from a person; return its message's id."""
        self.account(who).wrote = True
        message: Json = {
            "from": {"id": chat_of(who), "display_name": who, "is_bot": False},
            "chat": {"id": chat_of(who), "chat_type": "PRIVATE"},
            "message_id": secrets.token_hex(10),
            "date": int(self.now() * 1000),
            **more,
        }
        self.happens({"event_name": f"message.{kind}.received", "message": message})
        return str(message["message_id"])

    def says_in_group(self, who: str, text: str) -> str:
        """A person mentions the bot in a group."""
        group = {"id": f"zgr-{hashlib.sha256(b'group').hexdigest()[:20]}", "chat_type": "GROUP"}
        return self.says(who, f"@Bot Nhắc việc {text}", chat=group)

    def happens(self, event: Json) -> None:
        """Any event comes in."""
        if self.both_ways:
            self._count()
        if self.webhook is not None:
            self._later(self.deliver(event))
        elif self.mode is not Mode.LOST or self._polls:
            self.queue.append(event)
            self._later(self.wake())

    def block(self, who: str) -> None:
        self.account(who).blocked = True

    def unblock(self, who: str) -> None:
        self.account(who).blocked = False

    async def deliver(
        self, event: Json, *, secret: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Post an event to the webhook, once."""
        assert self.webhook is not None
        url, kept = self.webhook
        body = event if self.flat else {"ok": True, "result": event}
        asked = {"X-Bot-Api-Secret-Token": kept if secret is None else secret, "User-Agent": JAVA}
        asked |= dict(headers or {})
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json=body, headers=asked, allow_redirects=False) as answer,
        ):
            self.delivered.append(answer.status)

    # ---- what goes wrong

    def fail_next(self, method: str, how: How | int, said: str = "", *, times: int = 1) -> None:
        """Let the next calls of a method (“*”: any) fail in a way, or with an error's code."""
        self._faults += [(method, how, said)] * times

    def go_offline(self) -> None:
        """Connections are reset and new ones refused."""
        self._http.go_offline()

    def go_online(self) -> None:
        """The same port answers again."""
        self._http.go_online()

    # ---- the server

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wake(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _answer(self, request: Request) -> Response | Misbehaviour:
        found = _PATH.fullmatch(unquote(request.path))
        method = found["method"] if found else ""
        self.calls.append((self.clock(), method))
        multipart = request.headers.get("content-type", "").startswith("multipart/")
        params = {} if multipart else request.params
        self._gone = request.gone
        how, said = self._fault(method)
        if isinstance(how, str) and not how.endswith("-after"):
            return _misbehaviour(how)
        try:
            if found is None:
                raise RefusedError(404, "Not Found")
            if found["token"] != self.token:
                raise RefusedError(401, "Unauthorized")
            if isinstance(how, int):
                raise RefusedError(how, said)
            run = _METHODS.get(method)
            if run is None:
                raise RefusedError(404, "Not Found")
            result: Json | Response | Misbehaviour = await run(self, params)
        except RefusedError as refused:
            code: Any = str(refused.code) if self.codes_as_text else refused.code
            body = {"ok": False, "description": refused.description, refused.name: code}
            reply: Response | Misbehaviour = self._json(body, refused.code)
        except Exception as bug:  # noqa: BLE001  a mistake in the fake must fail the test
            self._bugs.append(bug)
            reply = self._json({"ok": False, "error_code": 500, "description": repr(bug)}, 500)
        else:
            reply = self._json(result, 200) if isinstance(result, dict) else result
        return _misbehaviour(how) if isinstance(how, str) else reply

    def _json(self, body: Any, status: int) -> Response:
        kind = {"Content-Type": "application/json"}
        shown = status if self.errors_as_status else 200
        return Doubled(shown, json.dumps(body).encode(), kind)

    def _fault(self, method: str) -> tuple[How | int | None, str]:
        for fault in self._faults:
            if fault[0] in (method, "*"):
                self._faults.remove(fault)
                self.happened[str(fault[1])] += 1
                return fault[1], fault[2]
        return None, ""

    def _good(self, result: Any) -> Json:
        return {"ok": True, "result": result, "error_code": 0}

    def _count(self) -> None:
        month = f"{datetime.fromtimestamp(self.now(), UTC):%Y-%m}"
        self.counts[month] = self.counts.get(month, 0) + 1

    async def _get_me(self, _: Mapping[str, str]) -> Json:
        account = {"id": "1234567890123456789", "account_name": "bot.VDKyGxQvc"}
        return self._good(account | {"account_type": "BASIC", "can_join_groups": False})

    async def _get_updates(self, params: Mapping[str, str]) -> Json | Response | Misbehaviour:
        if self.webhook is not None:
            raise RefusedError(400, "Bad request: can't use getUpdates while a webhook is active")
        recent = [at for at in self.called("getUpdates") if at > self.clock() - 1]
        if len(recent) > MOST_POLLS:
            return Doubled(429, PAGE, {"Content-Type": "text/html"})
        raw = params.get("timeout", "30")
        seconds = 0.0 if self.at_once else float(raw)
        token, gone = self.token, self._gone
        self._open = False
        self._polls += 1
        try:
            async with self._news:
                repeated = self.mode is Mode.REPEATED and self._last is not None
                await asyncio.wait_for(
                    self._news.wait_for(
                        lambda: (
                            self.queue or repeated or self.webhook or self.token != token or gone()
                        )
                    ),
                    seconds or 0.001,
                )
        except TimeoutError:
            return self._nothing()
        finally:
            self._polls -= 1
        if gone():
            return "reset"
        if self.token != token:
            raise RefusedError(401, "Unauthorized")
        if self.webhook is not None:
            raise RefusedError(400, "Bad request: can't use getUpdates while a webhook is active")
        if self.queue:
            self._last, self._open = self.queue.pop(0), True
            message = self._last.get("message")
            self.handed_out.append(str((message or {}).get("message_id")))
            act, self.on_hand_out = self.on_hand_out, None
            if act is not None:
                act()
                return "reset"
        return self._good(self._last)

    def _nothing(self) -> Json | Response | Misbehaviour:
        if self.silent:
            return "hang"
        match self.empty:
            case "empty":
                return Doubled(200, b"")
            case "page":
                return Doubled(200, PAGE, {"Content-Type": "text/html"})
            case "null":
                return self._good(None)
            case "list":
                return self._good([])
        raise RefusedError(408, "Request timeout")

    async def _send_message(self, params: Mapping[str, str]) -> Json:
        chat, text = params.get("chat_id", ""), params.get("text", "")
        if not chat:
            raise RefusedError(400, "Bad request: The chat_id must not be empty")
        length = len(text) if self.code_points else len(text.encode("utf-16-le")) // 2
        if not text or length > LONGEST:
            raise RefusedError(400, "Bad request: The text must be between 1 and 2000 characters")
        return self._send(chat, text, params.get("row", ""))

    async def _send_photo(self, params: Mapping[str, str]) -> Json:
        if not params.get("photo", "").startswith(("http://", "https://")):
            raise RefusedError(400, "Bad request: The photo must start with http:// or https://")
        return self._send(params.get("chat_id", ""), params.get("caption", ""))

    def _send(self, chat: str, text: str, row: str = "") -> Json:
        found = self.people.get(chat)
        if found is None:
            raise RefusedError(410, "The chat_id is invaild")
        writers = [each for each, account in self.people.items() if account.wrote]
        if not found.wrote or found.blocked or chat not in writers[:MOST_PEOPLE]:
            raise RefusedError(422, "You are not permitted to send messages to this chat_id")
        month = f"{datetime.fromtimestamp(self.now(), UTC):%Y-%m}"
        if self.counts.get(month, 0) >= self.quota:
            raise RefusedError(429, "Quota exceeded")
        self._count()
        sent = Sent(chat, text, secrets.token_hex(10), row)
        self.sent.append(sent)
        return self._good({"message_id": sent.id, "date": int(self.now() * 1000)})

    async def _chat_action(self, _: Mapping[str, str]) -> Json:
        return {"ok": True, "error_code": 0}

    async def _set_webhook(self, params: Mapping[str, str]) -> Json:
        url, secret = params.get("url", ""), params.get("secret_token", "")
        if (self.https and not url.startswith("https://")) or not 8 <= len(secret) <= 256:
            raise RefusedError(400, "Bad request: url or secret_token is invalid")
        self.webhook = (url, secret)
        await self.wake()
        check = {"ok": True, "url": url, "outcome": "webhook.ok", "hint": ""}
        return self._good({"url": url, "updated_at": 0, "verification": check})

    async def _delete_webhook(self, _: Mapping[str, str]) -> Json:
        self.webhook = None
        return self._good({"url": "", "updated_at": 0})

    async def _webhook_info(self, _: Mapping[str, str]) -> Json:
        if self.webhook is None:
            raise RefusedError(404, "Not Found")
        return self._good({"url": self.webhook[0], "updated_at": 0})

    async def _test_webhook(self, _: Mapping[str, str]) -> Json:
        raise RefusedError(426, "", name="errorCode")


def chat_of(who: str) -> str:
    """The id of a person's chat: 20 hex digits."""
    return hashlib.sha256(who.encode()).hexdigest()[:20]


def _misbehaviour(how: str) -> Response | Misbehaviour:
    match how.partition("-"):
        case ("cut", _, _):
            return "reset"
        case ("hang", _, _):
            return "hang"
        case ("page", _, status):
            return Doubled(int(status), PAGE, {"Content-Type": "text/html"})
        case ("empty", _, _):
            return Doubled(200, b"")
    return Doubled(200, b'{"ok": true, "result": {"event_na', {"Content-Type": "application/json"})


_METHODS: dict[str, Callable[[FakeZalo, Mapping[str, str]], Any]] = {
    "getMe": FakeZalo._get_me,
    "getUpdates": FakeZalo._get_updates,
    "sendMessage": FakeZalo._send_message,
    "sendPhoto": FakeZalo._send_photo,
    "sendChatAction": FakeZalo._chat_action,
    "setWebhook": FakeZalo._set_webhook,
    "testWebhook": FakeZalo._test_webhook,
    "deleteWebhook": FakeZalo._delete_webhook,
    "getWebhookInfo": FakeZalo._webhook_info,
}
