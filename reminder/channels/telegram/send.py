"""Telegram as a channel, over python-telegram-bot."""

from __future__ import annotations

import asyncio
import logging
import math
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest, RetryAfter, TelegramError
from telegram.warnings import PTBDeprecationWarning

from reminder.channels.telegram import TRAITS
from reminder.channels.telegram.errors import says, send_error
from reminder.channels.telegram.http import TelegramRequest
from reminder.channels.telegram.pacer import HeldError, Pacer
from reminder.domain.channels import Outbound, SendError
from reminder.messages.limits import (
    BUTTON_BYTES,
    CAPTION_LONGEST,
    clip,
    clip_plain,
    plain,
    units,
)

DEFAULT_BASE_URL = "https://api.telegram.org/bot"
ANSWER_SECONDS = 10.0
CONNECTIONS = 16  # sends in flight are the dispatcher's setting; this is the roof
NOT_BEGUN = "chương trình dừng trước khi gửi tin này"
T = TypeVar("T")
Attachment = tuple[str, str, bytes]  # file name, media type, content
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


def quiet_libraries() -> None:
    """The libraries below log each URL, which holds the token: only what is no chatter passes.

    A logger that is quieter already stays so.
    """
    for name, level in (
        ("httpx", logging.WARNING),
        ("httpcore", logging.WARNING),
        ("telegram", logging.INFO),
    ):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, level))
    # Each 429 would warn that the type of retry_after is going to change: both are read here.
    warnings.filterwarnings("ignore", message=".*retry_after", category=PTBDeprecationWarning)


def make_bot(token: str, base_url: str = "", *, answer_seconds: float = ANSWER_SECONDS) -> Bot:
    """A bot whose requests end in time; `base_url` as the library takes it, ending in /bot."""
    quiet_libraries()

    return Bot(
        token,
        base_url=base_url or DEFAULT_BASE_URL,
        request=TelegramRequest(CONNECTIONS, answer_seconds),
        get_updates_request=TelegramRequest(1, answer_seconds),
    )


class TelegramChannel:
    """Sends and edits messages; the bot may be shared with whoever polls for updates."""

    name = TRAITS.name

    def __init__(self, bot: Bot, pacer: Pacer) -> None:
        quiet_libraries()
        self._bot, self._pacer = bot, pacer
        self._waiting: set[asyncio.Task[object]] = set()  # for their turn
        self._halted = asyncio.Event()

    @property
    def bot(self) -> Bot:
        """The bot, for whoever polls for updates."""
        return self._bot

    async def start(self) -> None:
        """Asks who the bot is; SendError says whether the token or only the network is bad."""
        try:
            await self._ask(0, self._bot.initialize)
        except _RefusedError as refused:
            raise send_error(refused.error, self._bot.token) from None

    def halt(self) -> None:
        """What waits for its turn, which may take a minute, has not been sent, and says so."""
        self._halted.set()
        for task in self._waiting:
            task.cancel()

    async def stop(self) -> None:
        await self._bot.shutdown()

    async def send(self, address: str, message: Outbound, key: str) -> str:  # noqa: ARG002 - port
        """Sends, or edits where `message.edit` is set; the message's id in its chat.

        A file carries the message as its caption, so that both arrive or neither; a text too long
        for a caption goes first, each file after it in a message of its own. If that breaks off in
        between, the next attempt sends all of it again: at least once, never half.
        Telegram can't tell repeats, so `key` is of no use here.
        """
        try:
            chat = int(address)
        except ValueError:
            reason = f"“{address}” không phải số hiệu cuộc trò chuyện Telegram"
            raise SendError(reason, retry=False, address_dead=True) from None
        if message.edit:
            return await self._edit(chat, message)
        return await self._send(chat, message)

    async def _send(self, chat: int, message: Outbound) -> str:
        files = list(message.attachments)
        with_text = files.pop(0) if files and _is_caption(message) else None
        sent = await self._either_form(chat, message, with_text)
        for file in files:
            bare = Outbound(subject="", html="", text="", reply_to=sent)
            try:
                await self._either_form(chat, bare, file)
            except SendError as error:
                error.unknown = True  # a part of it has arrived: whatever comes again is a repeat
                raise
        return sent

    async def _either_form(self, chat: int, message: Outbound, file: Attachment | None) -> str:
        """One message, formatted; plain where Telegram can't read the format."""
        reply = message.reply_to
        for formatted in (True, False):
            try:
                sent = await self._say(chat, message, reply, file, formatted=formatted)
            except _RefusedError as refused:
                if not formatted or not says(refused.error, "can't parse entities"):
                    raise send_error(refused.error, self._bot.token) from None
            else:
                return str(sent.message_id)
        raise AssertionError("the plain form was sent or refused")

    async def _say(
        self,
        chat: int,
        message: Outbound,
        reply: str,
        file: Attachment | None,
        *,
        formatted: bool,
    ) -> Message:
        """One message; without its reply where the message it answers is gone."""

        def post() -> Awaitable[Message]:
            body = _body(message, formatted=formatted)
            mode = ParseMode.HTML if formatted else None
            if file is None:
                return self._bot.send_message(
                    chat,
                    body,
                    parse_mode=mode,
                    link_preview_options=_NO_PREVIEW,
                    reply_markup=_keyboard(message),
                    reply_parameters=_reply(reply),
                )
            name, _, content = file
            return self._bot.send_document(
                chat,
                content,
                filename=name,
                caption=body or None,
                parse_mode=mode,
                reply_markup=_keyboard(message),
                reply_parameters=_reply(reply),
            )

        try:
            return await self._ask(chat, post)
        except _RefusedError as refused:
            if not reply or not says(refused.error, "replied not found", "reply not found"):
                raise
        return await self._say(chat, message, "", file, formatted=formatted)

    async def _edit(self, chat: int, message: Outbound) -> str:
        """Replaces the text; a message that is gone, or already says so, is well enough."""
        if not message.edit.isdecimal():
            raise SendError("tin cần sửa không có số hiệu Telegram", retry=False)

        def change() -> Awaitable[Message | bool]:
            return self._bot.edit_message_text(
                _body(message, formatted=True),
                chat_id=chat,
                message_id=int(message.edit),
                parse_mode=ParseMode.HTML,
                link_preview_options=_NO_PREVIEW,
                reply_markup=_keyboard(message),
            )

        try:
            await self._ask(chat, change)
        except _RefusedError as refused:
            harmless = ("message is not modified", "message to edit not found", "can't be edited")
            if not says(refused.error, *harmless):
                raise send_error(refused.error, self._bot.token) from None
        return message.edit

    @asynccontextmanager
    async def _turn(self, chat: int) -> AsyncIterator[None]:
        """The pacer's turn; SendError where `halt` comes before it, or the chat must wait long."""
        task = asyncio.current_task()
        assert task is not None
        if self._halted.is_set():
            raise SendError(NOT_BEGUN, retry=True)
        self._waiting.add(task)
        try:
            async with self._pacer.turn(chat):
                self._waiting.discard(task)
                yield
        except asyncio.CancelledError:
            if self._halted.is_set() and task in self._waiting:
                task.uncancel()
                raise SendError(NOT_BEGUN, retry=True) from None
            raise
        except HeldError as held:
            reason = f"Telegram yêu cầu chờ {math.ceil(held.seconds)} giây"
            raise SendError(reason, retry=True, retry_after=held.seconds) from None
        finally:
            self._waiting.discard(task)

    async def _ask(self, chat: int, request: Callable[[], Awaitable[T]]) -> T:
        """One paced request. _RefusedError for a 400, SendError for all else that went wrong."""
        raised: TelegramError
        try:
            if not chat:
                return await request()
            async with self._turn(chat):
                return await request()
        except TelegramError as error:
            raised = error
        if type(raised) is BadRequest:
            raise _RefusedError(raised)
        if isinstance(raised, RetryAfter):
            self._pacer.hold(chat, send_error(raised, self._bot.token).retry_after or 1.0)
        # Raised out here, so that no traceback carries the library's error and its words.
        raise send_error(raised, self._bot.token)


class _RefusedError(Exception):
    """Telegram found fault with the request itself."""

    def __init__(self, error: BadRequest) -> None:
        super().__init__()
        self.error = error


def _body(message: Outbound, *, formatted: bool) -> str:
    if formatted:
        return clip(message.html)
    return clip_plain(message.text)


def _is_caption(message: Outbound) -> bool:
    """Whether either form of the text fits below a file."""
    return max(units(plain(message.html)), units(message.text)) <= CAPTION_LONGEST


def _keyboard(message: Outbound) -> InlineKeyboardMarkup | None:
    rows = [
        [
            InlineKeyboardButton(action.label, callback_data=action.data)
            for action in row
            if 0 < len(action.data.encode()) <= BUTTON_BYTES
        ]
        for row in message.actions
    ]
    return InlineKeyboardMarkup([row for row in rows if row]) if any(rows) else None


def _reply(message_id: str) -> ReplyParameters | None:
    if not message_id.isdecimal():
        return None
    return ReplyParameters(int(message_id), allow_sending_without_reply=True)
