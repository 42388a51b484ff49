"""Telegram's updates → Inbound, by long polling or by a webhook.

The next getUpdates confirms an update. The library's own updater may ask for it before a handler
has run, so that a crash loses a message; here it is asked for only after `take` has returned. So
does the answer to a delivery, of which any but 2xx has Telegram deliver the update again, for a
day; one that comes again acts no second time, by its number. Of one chat Telegram delivers no
update before the last one was taken.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from telegram import Bot, CallbackQuery, Message, Update, WebhookInfo
from telegram.error import (
    BadRequest,
    Conflict,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from reminder.channels import Webhook
from reminder.channels.taking import (
    Backend,
    BotListener,
    NotRecordedError,
    Outage,
    Sleep,
    Take,
    hand_over,
)
from reminder.channels.telegram import TRAITS
from reminder.channels.telegram.errors import seconds_asked, send_error
from reminder.channels.telegram.http import call
from reminder.channels.telegram.send import ANSWER_SECONDS
from reminder.domain.context import Inbound
from reminder.domain.errors import ReminderError
from reminder.domain.text import one_line

log = logging.getLogger(__name__)

POLL_SECONDS = 50  # the longest that the server keeps a poll open
KINDS = ["message", "edited_message", "callback_query"]
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0  # seconds between tries while the network is away
EMPTY_WAIT = 0.5  # seconds after an empty answer that came at once: a server that does not wait
REMEMBERED = 2000  # messages whose text is remembered, to distinguish an edit from a reaction
LARGEST = 2**52  # of the numbers of updates; a larger one would confirm all that ever follow
# Presses of one person, and of all, that are acknowledged at a time; the rest spin on. Files need
# the other half of the connections (send.CONNECTIONS).
ACKNOWLEDGED, ACKNOWLEDGED_OF_ALL = 4, 8
LOOK_AGAIN = 60.0  # seconds between two looks at the webhook
DELIVERIES = 8  # that Telegram begins at once; of one chat it waits for each
TAKEN_WITHIN = 8.0  # seconds for a delivery to be recorded; the page's server gives 10
K = TypeVar("K")
V = TypeVar("V")


class TelegramListener(BotListener):
    """Receives updates until cancelled, through any failure of the network."""

    name, title = TRAITS.name, "Telegram"
    header = b"x-telegram-bot-api-secret-token"

    def __init__(
        self,
        bot: Bot,
        backend: Backend,
        *,
        sleep: Sleep = asyncio.sleep,
        poll_seconds: int = POLL_SECONDS,
        webhook: Webhook | None = None,
    ) -> None:
        super().__init__(backend, webhook, sleep, Outage(FIRST_WAIT, LONGEST_WAIT))
        self._bot, self._poll_seconds = bot, poll_seconds
        if webhook is None:
            self._receiving = "polling"
        self._offset = 0
        self._texts: OrderedDict[tuple[str, str], int] = OrderedDict()  # (chat, message) → hash
        self._albums: OrderedDict[str, None] = OrderedDict()
        self._acknowledging: dict[asyncio.Task[None], int] = {}  # → who has pressed
        self._looks = 0  # at the webhook that this run has set
        self._stolen = 0  # looks in a row that found another program's
        self._last_error: object = None  # when a delivery failed last, as Telegram tells
        self._fails = False  # deliveries fail, and nothing came since

    async def begin(self) -> None:
        """Try once: a wrong token stops the start of the program, a missing network does not."""
        try:
            await self._bot.initialize()
        except InvalidToken:
            refused = True
        except TelegramError as error:
            refused = False
            reason = send_error(error, self._bot.token).reason
            log.warning("Telegram is unreachable (%s); retrying", reason)
        else:
            return
        if refused:  # raised here, where no traceback carries the library's words with the token
            raise ReminderError(
                "[telegram] token: Telegram does not accept it; copy it again from @BotFather "
                "into config/reminder.toml or REMINDER_TELEGRAM__TOKEN",
                "[telegram] token: Telegram không nhận mã bot: lấy lại mã ở @BotFather, ghi vào "
                "config/reminder.toml hoặc REMINDER_TELEGRAM__TOKEN",
            )

    async def keep(self) -> None:
        """Set the webhook if it is not as it was set, and tell where deliveries fail."""
        try:
            await self._introduce()
            await self._look()
        except TelegramError as error:
            await self._failed(error)

    async def run(self, take: Take, until: Callable[[], bool] = lambda: False) -> None:
        """Hand each update to `take`, in order, and confirm it only then; between polls, `until`
        says whether that is enough."""
        self.take_by(take)
        loop = asyncio.get_running_loop()
        try:
            while not until():
                began = loop.time()
                try:
                    await self._introduce()
                    waiting = await (self._look() if self._webhook else self._poll())
                except TelegramError as error:
                    await self._sleep(await self._failed(error))
                    continue
                except Exception as error:  # noqa: BLE001  the library reads few shapes of answers
                    await self._sleep(await self._failed(TelegramError(type(error).__name__)))
                    continue
                if self._webhook is not None:
                    await self._sleep(LOOK_AGAIN)
                    continue
                self._recovered()
                for number, raw in self._numbered(waiting):
                    await self._hand_over(number, raw, take, self._sleep)
                    self._offset = number + 1
                if loop.time() - began < EMPTY_WAIT and not any(map(_number, waiting)):
                    await self._sleep(EMPTY_WAIT)
        finally:
            for task in self._acknowledging:
                task.cancel()

    async def _introduce(self) -> None:
        """Ask once who the bot is."""
        if not self._reached:
            await self._bot.initialize()
            await self._backend.reached(self.name, self._bot.username)
            self._reached = True

    async def _poll(self) -> Sequence[Any]:
        """Return the waiting updates as they came.

        The library's own get_updates decodes all of a poll or nothing, and one that is never
        confirmed comes with every poll, and blocks all others.
        """
        asked = {
            "offset": self._offset,
            "timeout": self._poll_seconds,
            "allowed_updates": KINDS,
        }
        longest = ANSWER_SECONDS + self._poll_seconds
        found = await call(self._bot, "getUpdates", asked, seconds=longest)
        return found if isinstance(found, list) else []

    def _numbered(self, waiting: Sequence[Any]) -> list[tuple[int, Any]]:
        """Each update with its number; numbers are consecutive where one can't be read."""
        numbers = [_number(raw) for raw in waiting]
        first = next((number - at for at, number in enumerate(numbers) if number), self._offset)
        return [
            (first + at if number is None else number, raw)
            for at, (number, raw) in enumerate(zip(numbers, waiting, strict=True))
        ]

    async def _hand_over(self, number: int, raw: Any, take: Take, sleep: Sleep | None) -> None:
        """Have one update taken. Of one that can't be read the sender is told, if there is one."""
        try:
            update = Update.de_json(raw, self._bot)
            if update.callback_query is not None:
                self._acknowledge(update.callback_query)
            inbound = to_inbound(update)
            if inbound is None or not self._is_news(update.effective_message, inbound):
                return
            text = hash(inbound.text)  # which can't be had of every shape that a server may send
        except Exception as error:  # noqa: BLE001  one poisoned update must not stop all others
            log.error("update %d can't be read: %s", number, type(error).__name__)
            await hand_over(_least(number, raw), take, self._backend, sleep, tries=0)
        else:
            await hand_over(inbound, take, self._backend, sleep)
            self._remember(update.effective_message, inbound, text)

    def _is_news(self, message: Message | None, inbound: Inbound) -> bool:
        """Whether somebody has said something.

        Not where a reaction arrives as an edit that changes nothing, nor of the second picture of
        an album. Of an edit of something older than this run, the date of the edit decides.
        """
        if message is None or inbound.press:
            return True
        if inbound.edited:
            before = self._texts.get((inbound.chat, inbound.message))
            return message.edit_date is not None if before is None else before != hash(inbound.text)
        return not (inbound.wordless and str(message.media_group_id or "") in self._albums)

    def _remember(self, message: Message | None, inbound: Inbound, text: int) -> None:
        """Note what was handed over, to tell what comes after it from news."""
        if message is None or inbound.press:
            return
        _keep(self._texts, (inbound.chat, inbound.message), text)
        if message.media_group_id:
            _keep(self._albums, str(message.media_group_id), None)

    def _acknowledge(self, query: CallbackQuery) -> None:
        """Stop the button's spinner, in a task of its own; the answer itself is a message."""

        async def acknowledge() -> None:
            try:
                await self._bot.answer_callback_query(query.id)
            except Exception as error:  # noqa: BLE001  nobody waits for it
                log.debug("a press was not acknowledged: %s", type(error).__name__)

        presser = query.from_user.id
        under_way = Counter(self._acknowledging.values())
        if under_way[presser] < ACKNOWLEDGED and under_way.total() < ACKNOWLEDGED_OF_ALL:
            task = asyncio.create_task(acknowledge())
            self._acknowledging[task] = presser
            task.add_done_callback(self._acknowledging.pop)

    # ---- a webhook

    async def _look(self) -> Sequence[Any]:
        """Set the webhook at the start, and whenever it is not as it was set; see whether
        Telegram's deliveries arrive. Nothing is polled."""
        webhook = self._webhook
        assert webhook is not None
        info = await self._bot.get_webhook_info()
        as_set = (
            info.url == webhook.url
            and info.has_custom_certificate == bool(webhook.certificate)
            and set(info.allowed_updates or ()) == set(KINDS)
        )
        if self._looks and as_set:
            self._stolen = 0
        else:  # at the start too: the secret that it has is not told
            if self._looks:
                self._stolen += 1
                log.warning("Telegram: %s", _STOLEN)
            if refusal := await self._set_webhook(webhook):
                await self._heard(f"Telegram không đặt được webhook ({refusal})")
                return ()
        self._looks += 1
        why = self._undelivered(info)
        await self._heard(_ELSEWHERE if self._stolen > 1 else why)
        return ()

    async def _heard(self, why: str) -> None:
        """Note that deliveries come, or tell why they don't; that is logged once."""
        if not why:
            self._recovered()
            return
        if why != self._outage.why:
            log.warning("Telegram: %s", why)
            self._outage.why = why
        await self._backend.deaf(self.name, why)

    async def _set_webhook(self, webhook: Webhook) -> str:
        """Set the webhook; return why Telegram refuses it."""
        try:
            await self._bot.set_webhook(
                webhook.url,
                certificate=webhook.certificate or None,
                max_connections=DELIVERIES,
                allowed_updates=KINDS,
                secret_token=webhook.secret,
            )
        except BadRequest as error:
            return one_line(error.message, 200)
        if not self._looks:
            log.info("Telegram delivers to [telegram] webhook_url")
        return ""

    def _undelivered(self, info: WebhookInfo) -> str:
        """Return why Telegram can't deliver what waits; empty if it can, or nothing waits.

        Its last error stays on record: it tells of now where it came since the look before.
        """
        came, self._last_error = info.last_error_date != self._last_error, info.last_error_date
        if self.delivered or not info.pending_update_count:
            self._fails = False
        elif came and self._looks > 1:
            self._fails = True
        self.delivered = False
        said = one_line(info.last_error_message or "", 120)
        return f"Telegram không chuyển được tin tới máy ({said})" if self._fails else ""

    async def _delivered(self, raw: Any) -> int | None:
        number = _number(raw)
        if number is None:
            return None
        try:
            async with asyncio.timeout(TAKEN_WITHIN):
                await self._begun.wait()
                assert self._take is not None
                await self._hand_over(number, raw, self._take, None)
        except (NotRecordedError, TimeoutError):
            return 503
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return 503  # the daemon ends, and has not recorded it
        self.delivered = True
        self._backend.polled(self.name)
        return 200

    # ---- trouble

    async def _failed(self, error: TelegramError) -> float:
        """Log what is wrong, once a minute at most; return the seconds until the next try."""
        words = _words(error) if self._webhook is None else _webhook_words(error)
        if self._outage.is_news(words):
            log.warning("Telegram: %s", words)
            if not isinstance(error, RetryAfter):
                await self._backend.failed(self.name, send_error(error, self._bot.token))
        if self._webhook is None and _has_webhook(error):  # what waits comes with the next poll
            try:
                await self._bot.delete_webhook()
            except TelegramError as refusal:
                log.warning("the webhook was not removed: %s", type(refusal).__name__)
        return self._outage.wait(seconds_asked(error) if isinstance(error, RetryAfter) else None)


def _number(raw: Any) -> int | None:
    """The number of an update; None if it can't be read."""
    number = raw.get("update_id") if isinstance(raw, dict) else None
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    return number if 0 < number < LARGEST else None


def _least(number: int, raw: Any) -> Inbound:
    """What is known of an update that can't be read: who wrote, and where, or neither."""

    def at(*path: str) -> Any:
        found = raw
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    kind = next((kind for kind in KINDS if at(kind)), "")
    place = (kind, "message") if kind == "callback_query" else (kind,)
    who, chat = at(kind, "from", "id"), at(*place, "chat", "id")
    known = isinstance(who, int) and isinstance(chat, int)
    return Inbound(
        channel=TRAITS.name,
        update=str(number),
        sender=str(who) if known else "",
        chat=str(chat) if known else "",
        private=at(*place, "chat", "type") == "private",
    )


def _has_webhook(error: TelegramError) -> bool:
    """Whether the bot has a webhook, which has to be removed before it can be polled."""
    return isinstance(error, Conflict) and "webhook" in error.message.lower()


def _words(error: TelegramError) -> str:
    """One line for the log, without the library's own words, which may hold the token."""
    if _has_webhook(error):
        return "this bot has a webhook: it is removed, since this program polls"
    if isinstance(error, Conflict):
        return (
            "another program polls with this bot's token: stop it, or give this one a bot of its "
            "own; sending goes on"
        )
    if isinstance(error, InvalidToken):
        return "the token is not accepted any more: check [telegram] token"
    if isinstance(error, RetryAfter):
        return "asked to poll more slowly"
    if isinstance(error, NetworkError):
        return "unreachable; retrying"
    return f"polling failed ({type(error).__name__}): retrying"


_STOLEN = "another program has set or removed this bot's webhook: it is set again"
_ELSEWHERE = "chương trình khác đặt webhook của bot ở nơi khác"


def _webhook_words(error: TelegramError) -> str:
    """The same where nothing is polled."""
    if isinstance(error, Conflict):
        return _STOLEN
    if isinstance(error, RetryAfter):
        return "asked to set the webhook less often"
    return _words(error).replace("polling failed", "asking for the webhook failed")


def _keep(memory: OrderedDict[K, V], key: K, value: V) -> None:
    memory[key] = value
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)


def to_inbound(update: Update) -> Inbound | None:
    """The update as the services take it; None if it carries nothing to answer."""
    if update.callback_query is not None:
        return _from_press(update.update_id, update.callback_query)
    message = update.message or update.edited_message
    if message is None or message.from_user is None:
        return None
    # Who writes in the name of the group, as an administrator may, is shown as a bot.
    anonymous = message.sender_chat is not None and message.sender_chat.id == message.chat.id
    if message.from_user.is_bot and not anonymous:
        return None
    text = message.text or message.caption or ""
    private = message.chat.type == "private"
    wordless = not text and private and message.effective_attachment is not None
    if not text and not wordless:
        return None
    answered = message.reply_to_message
    if answered and message.is_topic_message and answered.message_id == message.message_thread_id:
        answered = None  # what answers nothing in a topic is shown as an answer to its beginning
    return Inbound(
        channel=TRAITS.name,
        update=str(update.update_id),
        sender=str(message.from_user.id),
        chat=_address(message),
        private=private,
        text=text,
        message=str(message.message_id),
        reply_to=str(answered.message_id) if answered else "",
        edited=update.edited_message is not None,
        # Servers older than Bot API 7.0 say it so.
        forwarded=message.forward_origin is not None or "forward_date" in message.api_kwargs,
        wordless=wordless,
        anonymous=anonymous,
        at=message.date,
    )


def _address(message: Message) -> str:
    """The chat, and in a group with topics the topic: “-1001234/7”."""
    topic = message.message_thread_id if message.is_topic_message else None
    return f"{message.chat.id}/{topic}" if topic else str(message.chat.id)


def _from_press(update_id: int, query: CallbackQuery) -> Inbound | None:
    message = query.message
    if message is None or not query.data:
        return None
    return Inbound(
        channel=TRAITS.name,
        update=str(update_id),
        sender=str(query.from_user.id),
        chat=_address(message) if isinstance(message, Message) else str(message.chat.id),
        private=message.chat.type == "private",
        press=query.data,
        message=str(message.message_id),
    )
