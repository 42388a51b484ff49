"""Zalo's events → Inbound, by long polling or by a webhook.

Zalo has nothing by which a poll confirms what it handed out. So an event is on record before the
next poll, which loses one only if the program dies in between; and one that comes again acts no
second time, by its message's id.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from reminder.channels import Webhook
from reminder.channels.taking import Backend, BotListener, Outage, Sleep, Take, hand_over
from reminder.channels.zalo import TRAITS
from reminder.channels.zalo.client import (
    NOT_FOUND,
    TIMED_OUT,
    TOO_MANY,
    TOO_OFTEN,
    UNAUTHORIZED,
    Fault,
    ZaloClient,
    ZaloError,
)
from reminder.channels.zalo.errors import is_quota, send_error
from reminder.domain.context import Inbound
from reminder.domain.text import one_line

log = logging.getLogger(__name__)

POLL_SECONDS = 30
LATE = 5.0  # seconds beyond those asked for, after which a poll counts as empty
NEWS_GAP, IDLE_GAP = 0.2, 1.05  # seconds between polls after news, and after nothing new
FIRST_WAIT, LONGEST_WAIT = 1.5, 30.0  # seconds between polls while they fail
WEBHOOK_KEPT = 60.0  # seconds between two looks at our own webhook
LIMITED_WAIT = 3600.0  # seconds after setWebhook was asked for too often today
QUOTA_WAIT = 60.0  # seconds between polls once the month's messages are used up
WEBHOOK_LOOK = 30.0  # seconds between two looks at a webhook that keeps us from polling
WEBHOOK_LATER = 300.0  # the same where polls come back without news
REMEMBERED = 2000  # messages that were handled lately
EARLIEST, LATEST = 1_000_000_000_000, 4_000_000_000_000  # ms of a date that can be meant
_BROKEN = (Fault.UNREACHABLE, Fault.CUT, Fault.SILENT)


class ZaloListener(BotListener):
    """Receives until cancelled, through any failure of the network."""

    name, title = TRAITS.name, "Zalo"
    header = b"x-bot-api-secret-token"

    def __init__(
        self,
        client: ZaloClient,
        backend: Backend,
        *,
        poll_seconds: int = POLL_SECONDS,
        webhook: Webhook | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        super().__init__(backend, webhook, sleep, Outage(FIRST_WAIT, LONGEST_WAIT))
        self._client, self._poll_seconds, self._late = client, poll_seconds, LATE
        self._known: OrderedDict[str, None] = OrderedDict()  # messages that were handled lately
        self._looked = float("-inf")  # when the webhook was last asked for
        self._set = False  # whether this run has set the webhook

    async def begin(self) -> None:
        """Do nothing: a token that Zalo refuses is told by `run`, and other channels go on."""

    async def keep(self) -> None:
        """Set the webhook if it is not set."""
        assert self._webhook is not None
        try:
            await self._introduce()
            await self._keep_webhook(self._webhook)
        except ZaloError as error:
            await self._failed(error)

    async def run(self, take: Take, until: Callable[[], bool] = lambda: False) -> None:
        """Hand each event to `take`, in order, and ask for the next only then; between polls,
        `until` says whether that is enough."""
        self.take_by(take)
        while not until():
            began = self._now()
            try:
                await self._introduce()
                if self._webhook is not None:
                    gap = await self._keep_webhook(self._webhook)
                elif await self._is_polled_in_vain():
                    gap = WEBHOOK_LOOK
                else:
                    gap = await self._poll(take)
            except ZaloError as error:
                gap = await self._failed(error)
            await self._sleep(max(0.0, began + gap - self._now()))

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _introduce(self) -> None:
        """Ask once who the bot is; where Zalo does not tell, that holds up nothing."""
        if self._reached:
            return
        try:
            me = await self._client.call("getMe")
        except ZaloError as error:
            if error.fault in _BROKEN or error.code in (UNAUTHORIZED, TOO_MANY):
                raise
            log.warning("Zalo does not tell the bot's name: %s", error)
        else:
            account = me.get("account_name") if isinstance(me, dict) else None
            await self._backend.reached(self.name, str(account or ""))
        self._reached = True

    async def _poll(self, take: Take) -> float:
        """Poll once and have its events taken; return the least seconds until the next poll."""
        try:
            found = await self._client.call(
                "getUpdates",
                {"timeout": str(self._poll_seconds)},
                seconds=self._poll_seconds + self._late,
            )
        except ZaloError as error:
            if not _is_empty(error):
                raise
            found = None
            if error.fault is Fault.SILENT:  # nothing was answered
                return IDLE_GAP
        self._recovered()
        news = [await self._handle(event, take) for event in events(found)]
        return NEWS_GAP if any(news) else IDLE_GAP

    async def _handle(self, event: Mapping[str, Any], take: Take) -> bool:
        """Have one event taken; return whether it is news."""
        try:
            inbound = to_inbound(event)
        except Exception as error:  # noqa: BLE001  one poisoned event must not stop all others
            log.error("an event of Zalo can't be read: %s", type(error).__name__)
            return False
        if inbound is None or inbound.update in self._known:
            return False
        taken = not inbound.private or await hand_over(inbound, take, self._backend, self._sleep)
        self._known[inbound.update] = None
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return taken

    # ---- a webhook

    async def _webhook_url(self) -> str | None:
        """Return where Zalo delivers to; empty: nowhere, so that it can be polled; None: it does
        not tell."""
        self._looked = self._now()
        try:
            found = await self._client.call("getWebhookInfo")
        except ZaloError as error:
            if error.fault is Fault.REFUSED and error.code == NOT_FOUND:
                return ""
            if error.fault in _BROKEN or error.code == UNAUTHORIZED:
                raise
            return None
        return str(found.get("url") or "") if isinstance(found, dict) else None

    async def _is_polled_in_vain(self) -> bool:
        """Whether a webhook keeps events from polls, which is told, and left alone."""
        if self._outage.why != _WEBHOOK and self._now() - self._looked < WEBHOOK_LATER:
            return False
        if await self._webhook_url():
            if self._outage.why != _WEBHOOK:
                log.warning("Zalo: %s", _WEBHOOK)
                self._outage.why = _WEBHOOK
            await self._backend.deaf(self.name, _HAS_WEBHOOK)
            return True
        if self._outage.why == _WEBHOOK:
            self._recovered()
        return False

    async def _keep_webhook(self, webhook: Webhook) -> float:
        """Set the webhook if it is not set; return the seconds until the next look."""
        found = await self._webhook_url()
        if found != webhook.url and not (found is None and self._set):
            params = {"url": webhook.url, "secret_token": webhook.secret}
            result = await self._client.call("setWebhook", params)
            self._set = True
            check = _table(result, "verification") if isinstance(result, dict) else {}
            if check.get("ok") is False:
                hint = one_line(f"{check.get('outcome', '')} {check.get('hint', '')}", 200)
                log.warning("Zalo keeps [zalo] webhook_url, but could not reach it: %s", hint)
            else:
                log.info("Zalo delivers to [zalo] webhook_url")
        self._recovered()
        return WEBHOOK_KEPT

    async def _delivered(self, raw: Any) -> int:
        await self._begun.wait()
        assert self._take is not None
        for event in events(raw):
            await self._handle(event, self._take)
        return 200

    # ---- trouble

    async def _failed(self, error: ZaloError) -> float:
        """Log what is wrong, once a minute at most; return the seconds until the next try.

        They grow with each failure.
        """
        if error.fault is Fault.REFUSED and error.code not in (UNAUTHORIZED, TOO_MANY):
            self._looked = float("-inf")  # a webhook may be why
        words = _words(error)
        if self._outage.is_news(words):
            log.warning("Zalo: %s", words)
            await self._backend.failed(self.name, send_error(error))
        limited = LIMITED_WAIT if error.code == TOO_OFTEN else None
        return self._outage.wait(limited or (QUOTA_WAIT if is_quota(error) else None))


_WEBHOOK = (
    "this bot has a webhook that this program has not set: it can't be polled until the webhook "
    "is deleted; sending goes on"
)
_HAS_WEBHOOK = "bot đang đặt webhook ở nơi khác"


def _words(error: ZaloError) -> str:
    """One line for the log."""
    match error.fault:
        case Fault.UNREACHABLE:
            return "unreachable; retrying"
        case Fault.CUT | Fault.SILENT:
            return "the connection breaks; retrying"
        case Fault.EMPTY | Fault.UNREADABLE:
            return f"an answer can't be read (HTTP {error.code}): an event in it is lost; retrying"
    if error.code == UNAUTHORIZED:
        return "the token is not accepted: check [zalo] token"
    if is_quota(error):
        return "the month's messages are used up"
    if error.code == TOO_MANY:
        return "asked to poll more slowly"
    return f"polling was refused ({error.code} {error.said}); retrying"


def _is_empty(error: ZaloError) -> bool:
    """Whether a failed poll means that there was nothing to hand out."""
    match error.fault:
        case Fault.REFUSED:
            return error.code == TIMED_OUT
        case Fault.EMPTY:
            return error.code < 300
        case Fault.UNREADABLE:
            return error.page and error.code < 300
        case Fault.SILENT:
            return True
    return False


def events(found: Any) -> list[Mapping[str, Any]]:
    """Return the events in a result or a delivery, wrapped or flat, one or a list."""
    if isinstance(found, dict) and isinstance(found.get("result"), dict | list):
        found = found["result"]
    listed = found if isinstance(found, list) else [found]
    return [event for event in listed if isinstance(event, dict)]


def to_inbound(event: Mapping[str, Any]) -> Inbound | None:
    """The event as the services take it, of a group as one that is not private; None if there is
    nobody to answer."""
    message = _table(event, "message")
    sender, chat = _table(message, "from"), _table(message, "chat")
    who, where = _id(sender.get("id")), _id(chat.get("id")) or _id(sender.get("id"))
    name = str(event.get("event_name") or "")
    kind = name.removeprefix("message.").removesuffix(".received")
    if not who or not where or str(sender.get("is_bot", "")).lower() in ("true", "1"):
        return None
    if name and not (name.startswith("message.") and name.endswith(".received")):
        return None
    readable = not name or kind in ("text", "image")
    text = message.get("text") or message.get("caption") if readable else ""
    text = str(text) if isinstance(text, str | int) else ""
    at = _moment(message.get("date"))
    return Inbound(
        channel=TRAITS.name,
        update=_id(message.get("message_id")) or _made_up(event),
        sender=who,
        chat=where,
        private=_is_private(chat, where, who),
        text=text,
        message=_id(message.get("message_id")),
        wordless=not text.strip(),
        at=at,
    )


def _is_private(chat: Mapping[str, Any], where: str, who: str) -> bool:
    told = str(chat.get("chat_type") or "").upper()
    return told == "PRIVATE" if told else where == who


def _table(outer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = outer.get(name)
    return found if isinstance(found, dict) else {}


def _id(value: Any) -> str:
    """An id, which is a text or, from older servers, a number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def _made_up(event: Mapping[str, Any]) -> str:
    """An id for a message without one: the same for the same event."""
    told = json.dumps(event, sort_keys=True, ensure_ascii=False, default=str)
    return f"~{hashlib.sha256(told.encode('utf-8', 'replace')).hexdigest()[:40]}"


def _moment(value: Any) -> datetime | None:
    """A date in milliseconds, which may be a text; None if it can't be meant."""
    try:
        date = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if not EARLIEST <= date <= LATEST:
        return None
    return datetime.fromtimestamp(date / 1000, UTC)
