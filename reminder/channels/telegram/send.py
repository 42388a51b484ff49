"""Telegram as a channel, over python-telegram-bot."""

from __future__ import annotations

import asyncio
import logging
import math
import warnings
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from telegram import Bot, InputFile
from telegram.error import BadRequest, RetryAfter, TelegramError
from telegram.warnings import PTBDeprecationWarning

from reminder.channels import NOT_BEGUN, Ours, always, begin
from reminder.channels.telegram import TRAITS
from reminder.channels.telegram.errors import says, send_error
from reminder.channels.telegram.http import TelegramRequest, call, load_client
from reminder.channels.telegram.pacer import HeldError, Pacer
from reminder.domain.outbox import Outbound, SendError
from reminder.domain.text import clip_plain, units
from reminder.messages.compose import BUTTON_BYTES, TELEGRAM_LONGEST, clip, plain

DEFAULT_BASE_URL = "https://api.telegram.org/bot"
ANSWER_SECONDS = 10.0
CAPTION_LONGEST = 1024  # of the text below a file, in UTF-16 units
CONNECTIONS = 16  # more that are in flight wait for one
Attachment = tuple[str, str, bytes]  # file name, media type, content
_FORMATTED = "HTML"  # the parse_mode of our texts
_NO_PREVIEW = {"is_disabled": True}


def quiet_libraries() -> None:
    """Keep the libraries' chatter out of the log: each URL in it holds the token, and an answer
    that can't be decoded is logged whole, with what officers wrote.

    A logger that is quieter already stays so.
    """
    for name, level in (
        ("httpx", logging.WARNING),
        ("httpcore", logging.WARNING),
        ("telegram", logging.INFO),
        ("telegram.request", logging.CRITICAL),
    ):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, level))
    # Each 429 would warn that the type of retry_after is going to change: both are read here.
    warnings.filterwarnings("ignore", message=".*retry_after", category=PTBDeprecationWarning)


def make_bot(token: str, base_url: str = "", *, answer_seconds: float = ANSWER_SECONDS) -> Bot:
    """Return a bot whose requests end in time; `base_url` as the library takes it, with /bot."""
    quiet_libraries()
    return Bot(
        token,
        base_url=base_url or DEFAULT_BASE_URL,
        request=TelegramRequest(CONNECTIONS, answer_seconds),
        get_updates_request=TelegramRequest(1, answer_seconds),
    )


@dataclass(frozen=True)
class _Place:
    """Where a message goes."""

    chat: int
    topic: int | None  # in a group with topics

    @staticmethod
    def of(address: str) -> _Place:
        """Read “chat” or “chat/topic”; SendError if it is neither."""
        chat, _, topic = address.partition("/")
        try:
            return _Place(int(chat), int(topic) if topic else None)
        except ValueError:
            reason = f"“{address}” không phải số hiệu cuộc trò chuyện Telegram"
            raise SendError(reason, retry=False, address_dead=True) from None


class TelegramChannel:
    """Sends and edits messages; the bot may be shared with whoever polls for updates."""

    name = TRAITS.name

    def __init__(self, bot: Bot, pacer: Pacer) -> None:
        quiet_libraries()
        self._bot, self._pacer = bot, pacer
        self._waiting: set[asyncio.Task[object]] = set()  # for their turn
        self._halted = asyncio.Event()
        self.ours: Ours = always

    @property
    def bot(self) -> Bot:
        """The bot, for whoever polls for updates."""
        return self._bot

    def turn(self, address: str) -> Awaitable[object] | None:
        """The wait for the chat's turn; None if there is none, or it fails for its length."""
        try:
            return self._pacer.until_ready(_Place.of(address).chat)
        except SendError:
            return None  # `send` raises it

    def halt(self) -> None:
        """Fail all that waits for its turn, which may take a minute: it has not been sent."""
        self._halted.set()
        for task in self._waiting:
            task.cancel()

    @property
    def gap(self) -> float:
        """The seconds between two messages of the bot."""
        return self._pacer.gap

    def limit(self, rate: int) -> None:
        """Send no more than `rate` messages a second."""
        self._pacer.limit(rate)

    def pace(self) -> object:
        """Return what another process must know to go on within Telegram's limits."""
        return self._pacer.pace()

    def resume(self, pace: Any, passed: float) -> None:
        """Go on after another process, which told its pace `passed` seconds ago."""
        self._pacer.resume(pace, passed)

    async def stop(self) -> None:
        await self._bot.shutdown()
        await self._bot.request.shutdown()  # `Bot.shutdown` skips it if getMe was never called

    async def make_ready(self) -> None:
        """Load the client of texts, and have a connection open for the first of them."""
        with suppress(TelegramError):
            load_client()
            await call(self._bot, "getMe", {})

    async def send(self, address: str, message: Outbound, key: str) -> str:  # noqa: ARG002 - port
        """Send, or edit where `message.edit` is set; return the message's id in its chat.

        A file carries the message as its caption, so that both arrive or neither. A text too long
        for a caption goes first, and each file after it in a message of its own; if that breaks
        off in between, the next attempt sends all of it again.
        Telegram can't tell repeats, so `key` is of no use here.
        """
        place = _Place.of(address)
        if message.edit:
            return await self._edit(place, message)
        files = list(message.attachments)
        with_text = files.pop(0) if files and _is_caption(message) else None
        sent = await self._post(place, message, with_text)
        for file in files:
            bare = Outbound(subject="", html="", text="", reply_to=sent)
            try:
                await self._post(place, bare, file)
            except SendError as error:
                # A part of it has arrived: whatever comes again is a repeat.
                error.unknown = error.begun = True
                raise
        return sent

    async def _post(self, place: _Place, message: Outbound, file: Attachment | None) -> str:
        """Send one message; plain where its format can't be read, and without its reply where
        the message that it answers is gone."""
        formatted, reply = True, message.reply_to
        while True:
            method, values = _request(place, message, file, formatted=formatted, reply=reply)
            sent = await self._sent(place, method, values)
            if not isinstance(sent, BadRequest):
                return str(sent["message_id"])
            if formatted and says(sent, "can't parse entities"):
                formatted = False
            elif reply and says(sent, "replied not found", "reply not found"):
                reply = ""
            else:
                raise send_error(sent, self._bot.token)

    async def _edit(self, place: _Place, message: Outbound) -> str:
        """Replace the text; a message that is gone, or already says so, is well enough."""
        if not message.edit.isdecimal():
            raise SendError("tin cần sửa không có số hiệu Telegram", retry=False)

        values = {
            "chat_id": place.chat,
            "message_id": int(message.edit),
            **_text(clip(message.html), formatted=True),
            "reply_markup": _keyboard(message),
        }
        done = await self._sent(place, "editMessageText", values)
        harmless = ("message is not modified", "message to edit not found", "can't be edited")
        if isinstance(done, BadRequest) and not says(done, *harmless):
            raise send_error(done, self._bot.token)
        return message.edit

    async def _sent(self, place: _Place, method: str, values: Mapping[str, Any]) -> Any:
        """The result of a method in its turn; BadRequest, which another form may mend, returned.

        Errors are raised here, outside of the except clause, so that no traceback carries the
        library's own, whose words may hold the token.
        """
        async with self._turn(place.chat):
            result = await self._asked(method, values)
        if isinstance(result, BadRequest) or not isinstance(result, TelegramError):
            return result
        error = send_error(result, self._bot.token)
        if isinstance(result, RetryAfter):
            self._pacer.hold(place.chat, error.retry_after or 1.0)
        raise error

    async def _asked(self, method: str, values: Mapping[str, Any]) -> Any:
        try:
            return await call(self._bot, method, values)
        except TelegramError as error:
            return error

    @asynccontextmanager
    async def _turn(self, chat: int) -> AsyncIterator[None]:
        """The pacer's turn; SendError where `halt` comes before it, or the chat must wait long."""
        task = asyncio.current_task()
        assert task is not None
        if self._halted.is_set():
            raise SendError(NOT_BEGUN, retry=True, begun=False)
        self._waiting.add(task)
        try:
            async with self._pacer.turn(chat):
                self._waiting.discard(task)
                await begin(self.ours)
                yield
        except asyncio.CancelledError:
            if self._halted.is_set() and task in self._waiting:
                task.uncancel()
                raise SendError(NOT_BEGUN, retry=True, begun=False) from None
            raise
        except HeldError as held:
            reason = f"Telegram yêu cầu chờ {math.ceil(held.seconds)} giây"
            raise SendError(reason, retry=True, retry_after=held.seconds) from None
        finally:
            self._waiting.discard(task)


def _is_caption(message: Outbound) -> bool:
    """Whether either form of the text fits below a file."""
    return max(units(plain(message.html)), units(message.text)) <= CAPTION_LONGEST


def _request(
    place: _Place, message: Outbound, file: Attachment | None, *, formatted: bool, reply: str
) -> tuple[str, dict[str, Any]]:
    """One attempt at a message: a text, or a file with the text as its caption."""
    body = clip(message.html) if formatted else clip_plain(message.text, TELEGRAM_LONGEST)
    common = {
        "chat_id": place.chat,
        "message_thread_id": place.topic,
        "reply_parameters": _reply(reply),
        "reply_markup": _keyboard(message),
    }
    if file is None:
        return "sendMessage", {**common, **_text(body, formatted=formatted)}
    name, _, content = file
    caption = {"caption": body or None, "parse_mode": _FORMATTED if formatted else None}
    return "sendDocument", {**common, **caption, "document": InputFile(content, filename=name)}


def _text(body: str, *, formatted: bool) -> dict[str, Any]:
    parse_mode = _FORMATTED if formatted else None
    return {"text": body, "parse_mode": parse_mode, "link_preview_options": _NO_PREVIEW}


def _keyboard(message: Outbound) -> dict[str, Any] | None:
    rows = [
        [
            {"text": action.label, "callback_data": action.data}
            for action in row
            if 0 < len(action.data.encode()) <= BUTTON_BYTES
        ]
        for row in message.actions
    ]
    return {"inline_keyboard": [row for row in rows if row]} if any(rows) else None


def _reply(message_id: str) -> dict[str, Any] | None:
    if not message_id.isdecimal():
        return None
    return {"message_id": int(message_id), "allow_sending_without_reply": True}
