"""A Telegram that runs inside a test: the real client library talks to it over HTTP.

It keeps the rules of the real server (the words of its errors, its limits, its long poll) and
gives the test both other sides: the people, and the things that go wrong.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from tests.waiting import LONGEST, until

from .faults import Fault, FaultName, Faults
from .http import HttpServer, Misbehaviour, Request, Response, envelope, refusal
from .input import Params
from .limits import Limits
from .methods import Methods
from .model import JSON, Answer, ApiError, Button, Call, Entity, File, Message
from .people import TELEGRAM, People
from .updates import Updates
from .webhook import Webhook
from .world import World

__all__ = ["Answer", "Button", "Call", "Entity", "FakeTelegram", "File", "Message"]

_PATH = re.compile(r"/bot(?P<token>[0-9]+:[A-Za-z0-9_-]+)/(?P<method>[A-Za-z]+)")


class FakeTelegram:
    """The server. `clock` drives limits, polls and expiry; `now` (Unix time) dates the messages."""

    def __init__(
        self,
        token: str = "4242:fake",
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        enforce_limits: bool = True,
        username: str = "fake_bot",
        privacy_mode: bool = True,
        local: bool = False,
    ) -> None:
        """`local`: a server of one's own, which delivers to any address."""
        self._token = token
        self.calls: list[Call] = []
        bot: JSON = {"id": int(token.partition(":")[0]), "is_bot": True, "first_name": "Fake"}
        bot |= {"username": username, "can_join_groups": True, "supports_inline_queries": False}
        bot["can_read_all_group_messages"] = not privacy_mode
        self._world = World(bot, now)
        self._updates = Updates(clock)
        self._limits = Limits(clock, enforce=enforce_limits)
        self.webhook = Webhook(self._updates, now, clock, local=local)
        self._methods = Methods(self._world, self._updates, self._limits, clock, self.webhook)
        self._people = People(self._world, self._updates, self._methods, privacy_mode=privacy_mode)
        self._faults = Faults()
        self._http = HttpServer(self._answer)
        self._bugs: list[Exception] = []

    async def __aenter__(self) -> Self:
        await self._http.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.webhook.stop()
        await self._http.close()
        if self._bugs and error is None:
            raise self._bugs[0]

    @property
    def token(self) -> str:
        """The bot's token; to set another one revokes it, which ends a poll that waits."""
        return self._token

    @token.setter
    def token(self, token: str) -> None:
        self._token = token
        self._updates.revoke()

    # What the test can look at.

    @property
    def base_url(self) -> str:
        """What the client library takes as base_url; it appends the token."""
        return f"http://127.0.0.1:{self._http.port}/bot"

    @property
    def sent(self) -> list[Message]:
        """What the bot has sent, oldest first, as it looks now; deleted ones are marked."""
        return [message for message in self._world.messages.values() if message.sender is None]

    def sent_to(self, chat_id: int) -> list[Message]:
        """What a person finds in that chat from the bot: no deleted messages."""
        return [found for found in self.sent if found.chat_id == chat_id and not found.deleted]

    @property
    def answers(self) -> list[Answer]:
        """What presses were answered with."""
        return self._methods.answers

    @property
    def commands(self) -> dict[str, dict[str, str]]:
        """The menu by scope type (`default` without a scope): name to description."""
        return self._methods.commands

    @property
    def pending(self) -> list[JSON]:
        """The updates that the bot has not confirmed yet."""
        return self._updates.pending

    @property
    def being_polled(self) -> bool:
        """True while a long poll waits."""
        return self._updates.being_polled

    @property
    def too_many(self) -> int:
        """How many sends and edits the limits refused (scripted 429s don't count)."""
        return self._limits.refused

    @property
    def accepted(self) -> list[tuple[float, int]]:
        """The clock and the chat of every send and edit that was accepted."""
        return self._limits.accepted

    async def until(self, condition: Callable[[], bool], seconds: float = LONGEST) -> None:
        """Wait in real time for something that a daemon should bring about by itself."""
        await until(condition, seconds, more=lambda: f"; last calls: {self.calls[-5:]}")

    # What people do.

    def start(self, user_id: int, *, first_name: str | None = None) -> None:
        """The person pressed Start: without it the bot can't write to them. Queues no update;
        for that let them send `/start` or `/start PAYLOAD`."""
        self._world.user(user_id, first_name=first_name).started = True

    def user_sends(
        self,
        user_id: int,
        text: str,
        chat_id: int | None = None,
        *,
        reply_to: int | None = None,
        edited: bool | int = False,
        forwarded: bool = False,
        anonymous: bool = False,
        topic: int | None = None,
        more: JSON | None = None,
        username: str | None = None,
        first_name: str | None = None,
    ) -> int:
        """A person writes (in private without chat_id); the message's id. `edited` is True for
        their last message there, or a message's id: an edit is an update of its own. `more` is
        what the message has beside its text: {"sticker": {…}}."""
        user = self._world.user(user_id, first_name=first_name, username=username)
        chat = user_id if chat_id is None else chat_id
        if edited is False:
            return self._people.send(
                user,
                chat,
                text,
                reply_to=reply_to,
                forwarded=forwarded,
                anonymous=anonymous,
                topic=topic,
                more=more or {},
            ).message_id
        message_id = None if edited is True else edited
        return self._people.edit(user, chat, text, message_id).message_id

    def reacts(self, chat_id: int, message_id: int) -> None:
        """Somebody reacts to a person's message: an edit that changes nothing."""
        self._people.react(chat_id, message_id)

    def user_presses(self, user_id: int, message_id: int, chat_id: int, data: str) -> str:
        """A person presses a button; the query's id. It is lost after 150 s in the queue."""
        return self._people.press(self._world.user(user_id), chat_id, message_id, data)

    def block(self, user_id: int) -> None:
        """The person blocks the bot: 403, and a my_chat_member update."""
        self._world.user(user_id).blocked = True
        self._people.membership(user_id, user_id, "member", "kicked")

    def unblock(self, user_id: int) -> None:
        """The person lets the bot write again."""
        self._world.user(user_id).blocked = False
        self._people.membership(user_id, user_id, "kicked", "member")

    def deactivate(self, user_id: int) -> None:
        """The account is deleted: 403 for good."""
        self._world.user(user_id).deactivated = True

    def add_group(self, chat_id: int, title: str | None = None) -> None:
        """The bot is in this group; in an unknown one `chat not found` is the answer."""
        self._world.group(chat_id, title)

    def add_topic(self, chat_id: int) -> int:
        """Somebody opens a topic in the forum; its id."""
        made = self._world.post(chat_id, "", sender=TELEGRAM)
        self._world.group(chat_id).topics[made.message_id] = True
        return made.message_id

    def close_topic(self, chat_id: int, topic: int) -> None:
        """An administrator closes the topic: nobody else writes there."""
        self._world.group(chat_id).topics[topic] = False

    def kick(self, chat_id: int) -> None:
        """The bot is thrown out of the group: 403, and a my_chat_member update."""
        self._world.group(chat_id).kicked = True
        self._people.membership(chat_id, None, "member", "kicked")

    def migrate(self, old: int, new: int) -> None:
        """The group becomes a supergroup: writing to the old id is 400 with the new id."""
        self._people.migrate(old, new)

    # What goes wrong.

    def fail_next(
        self,
        method: str,
        status: int | FaultName = 500,
        *,
        times: int = 1,
        retry_after: int | None = None,
        description: str | None = None,
    ) -> None:
        """Let the next requests for the method (`*` for any) fail with a status or in a way:
        timeout, timeout-after, reset-before, reset-after (after: the request was taken)."""
        self._faults.script(Fault(method, status, times, retry_after, description))

    def go_offline(self) -> None:
        """Connections are reset and new ones refused; people's messages wait in the queue."""
        self._http.go_offline()

    def go_online(self) -> None:
        """The same port answers again."""
        self._http.go_online()

    async def _answer(self, request: Request) -> Response | Misbehaviour:
        found = _PATH.fullmatch(unquote(request.path))
        if found is None:
            return refusal(ApiError(404, "Not Found"))
        if found["token"] != self.token:
            return refusal(ApiError(401, "Unauthorized"))
        call = Call(found["method"], request.params)
        self.calls.append(call)
        fault = self._faults.next_for(call.method)
        reply = await self._reply(call, request, fault)
        if isinstance(reply, Response):
            call.outcome = reply.status
        elif fault is not None:
            call.outcome = fault.status
        return reply

    async def _reply(
        self, call: Call, request: Request, fault: Fault | None
    ) -> Response | Misbehaviour:
        try:
            if fault is not None and not fault.takes_the_request:
                return fault.reply()
            result = await self._methods.run(call.method, Params(request.params, request.files))
            return envelope(200, {"ok": True, "result": result}) if fault is None else fault.reply()
        except ApiError as refused:
            return refusal(refused)
        except Exception as bug:  # noqa: BLE001 - a mistake in the fake must fail the test
            self._bugs.append(bug)
            return refusal(ApiError(500, f"Internal Server Error: {bug!r}"))
