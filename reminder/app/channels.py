"""The channels that the program has, each made from its settings. To add one, add to CHANNELS.

What only a running channel needs is imported where it is used, since every command knows CHANNELS.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from reminder.channels import Channel, email, telegram
from reminder.domain.outbox import ChannelTraits
from reminder.domain.tokens import normal_address

if TYPE_CHECKING:
    from reminder.app.daemon import Daemon, Listener
    from reminder.channels.email.mailbox import ImapServer
    from reminder.channels.email.send import MailChannel, MailServer
    from reminder.channels.telegram.send import TelegramChannel
    from reminder.files.settings import Settings
    from reminder.services.deliver import Bounce
    from reminder.services.service import Service
    from reminder.store.store import Store

PATIENCE = 5.0  # seconds that a send waits for its chat; one held longer leaves its place to others
POLL_MARK = timedelta(seconds=30)  # the last poll is noted no more often than this


def _telegram(settings: Settings, *_: object) -> TelegramChannel:
    """The channel with the bot of the settings."""
    from reminder.channels.telegram.pacer import Pacer
    from reminder.channels.telegram.send import TelegramChannel, make_bot

    def monotonic() -> float:
        return asyncio.get_running_loop().time()

    bot = make_bot(settings.telegram.token.value, settings.telegram.base_url)
    return TelegramChannel(bot, Pacer(monotonic, patience=PATIENCE))


def _telegram_listeners(settings: Settings, channel: Channel, daemon: Daemon) -> Sequence[Listener]:
    """The listener that polls for updates."""
    from reminder.channels.telegram.receive import TelegramListener
    from reminder.channels.telegram.send import TelegramChannel

    assert isinstance(channel, TelegramChannel)
    daemon.service.bot_name = settings.telegram.bot_name
    return (TelegramListener(channel.bot, DaemonBackend(daemon)),)


_SECRET = "mail_secret"  # noqa: S105  the name under which it is kept


def _mail_secret(store: Store) -> bytes:
    """The secret that signs addresses and Message-IDs; made once and kept in the database."""
    kept = store.meta(_SECRET)
    if not kept:
        kept = secrets.token_hex(32)
        store.set_meta(_SECRET, kept)
    return bytes.fromhex(kept)


def mail_server(settings: Settings) -> MailServer:
    from reminder.channels.email.send import MailServer

    section = settings.email
    return MailServer(
        host=section.host,
        port=section.port,
        security=section.security,
        username=section.username,
        password=section.password.value,
        sender=section.sender,
        sender_name=section.sender_name,
        certificates=str(section.ca_file) if section.ca_file else "",
    )


def imap_server(settings: Settings) -> ImapServer:
    from reminder.channels.email.mailbox import ImapServer

    section = settings.inbox
    return ImapServer(
        host=section.host,
        port=section.port,
        security=section.security,
        username=section.username,
        password=section.password.value,
        folder=section.folder,
        processed=section.processed,
        certificates=str(section.ca_file) if section.ca_file else "",
    )


def _email(settings: Settings, store: Store, now: Callable[[], datetime]) -> MailChannel:
    """The channel; with [inbox], mails carry addresses for answers and bounces."""
    from reminder.channels.email.send import MailChannel, MailIdentity

    inbox = settings.inbox.address if settings.inbox.is_on else ""
    identity = MailIdentity(secret=_mail_secret(store), inbox=inbox)
    return MailChannel(mail_server(settings), identity, now)


def _email_listeners(settings: Settings, _: Channel, daemon: Daemon) -> Sequence[Listener]:
    """The listener of the mailbox; none without [inbox]."""
    section = settings.inbox
    if not section.is_on:
        return ()
    from reminder.channels.email.classify import InboxRules
    from reminder.channels.email.mailbox import Mailbox
    from reminder.channels.email.receive import MailListener

    rules = InboxRules(
        secret=_mail_secret(daemon.service.store),
        address=section.address,
        sender=settings.email.sender,
        sender_name=settings.email.sender_name,
        trust=section.trust,
        authserv_id=section.authserv_id,
    )
    return (
        MailListener(
            box=Mailbox(imap_server(settings)),
            rules=rules,
            backend=DaemonBackend(daemon),
            now=daemon.clock.now,
            poll_seconds=section.poll_seconds,
        ),
    )


def mail_text(service: Service, address: str, message_id: str) -> str:
    """The text of a mail that was sent, in both of its forms, for who looks for a quote of it."""
    from reminder.channels.email.body import html_text
    from reminder.channels.email.message import ANSWERABLE

    message = service.rendered_again(email.TRAITS.name, address, message_id)
    if message is None:
        return ""
    return "\n".join((message.subject, message.text, html_text(message.mail_html), ANSWERABLE))


@dataclass
class DaemonBackend:
    """What listeners need of the daemon: its service, in the store's one thread."""

    daemon: Daemon
    _polled: datetime | None = None  # when the last poll was noted
    _noting: asyncio.Future[None] | None = None  # that note, which no poll waits for

    async def reached(self, channel: str, bot_name: str) -> None:
        service = self.daemon.service
        service.bot_name = bot_name
        await self._attempt("accepted", lambda: service.accepted(channel))
        await self._attempt("bot_name", lambda: service.store.set_meta("bot_name", bot_name))

    def polled(self) -> None:
        self.daemon.mark("polled")
        at, store = self.daemon.clock.now(), self.daemon.service.store
        if self._polled is None or not timedelta(0) <= at - self._polled < POLL_MARK:
            self._polled = at
            note = partial(store.set_meta, "last_poll", at.isoformat())
            self._noting = asyncio.ensure_future(self._attempt("last_poll", note))

    async def refused(self, channel: str, reason: str) -> None:
        service, at = self.daemon.service, self.daemon.clock.now()
        await self._attempt("refused", lambda: service.refused(channel, reason, at))
        self.daemon.wake()

    async def _attempt(self, what: str, work: Callable[[], object]) -> None:
        """Do what is not tried again, if the database can be written now."""
        await self.daemon.worker.attempt(what, work, again=False)

    async def known(self) -> Mapping[str, str]:
        def found() -> dict[str, str]:
            office = self.daemon.service.refresh()
            return {
                normal_address(address.value): address.value
                for address in office.addresses
                if address.channel == email.TRAITS.name and address.recipient in office.people
            }

        return await self.daemon.do(found)

    async def text_of(self, address: str, message_id: str) -> str:
        service = self.daemon.service
        return await self.daemon.do(lambda: mail_text(service, address, message_id))

    async def was_seen(self, message_id: str) -> bool:
        store = self.daemon.service.store
        return await self.daemon.do(lambda: store.was_seen(email.TRAITS.name, message_id))

    async def bounced(self, bounce: Bounce) -> None:
        daemon = self.daemon
        await daemon.do(lambda: daemon.service.bounced(bounce, daemon.clock.now()))
        daemon.wake()

    async def meta(self, name: str) -> str:
        return await self.daemon.do(lambda: self.daemon.service.store.meta(name)) or ""

    async def set_meta(self, name: str, value: str) -> None:
        await self.daemon.do(lambda: self.daemon.service.store.set_meta(name, value))


@dataclass(frozen=True, kw_only=True)
class ChannelWiring:
    """How a channel is made from its settings: the section that has the channel's name."""

    traits: ChannelTraits
    connect: Callable[[Settings, Store, Callable[[], datetime]], Channel]
    listen: Callable[[Settings, Channel, Daemon], Sequence[Listener]] = lambda *_: ()
    live: bool = False  # a changed section is taken up at once, by a new channel
    polls: bool = False  # its listener marks each poll


CHANNELS = (  # in the order in which they are tried
    ChannelWiring(
        traits=telegram.TRAITS, connect=_telegram, listen=_telegram_listeners, polls=True
    ),
    ChannelWiring(traits=email.TRAITS, connect=_email, listen=_email_listeners, live=True),
)


def known_channels() -> tuple[ChannelTraits, ...]:
    """Return the traits of all channels, the terminal's last."""
    from reminder.channels import console  # rich takes 50 ms to import

    return (*(wiring.traits for wiring in CHANNELS), console.TRAITS)


def channel_names(settings: Settings) -> tuple[str, ...]:
    """Return the channels that are set up; the terminal where none is."""
    *others, terminal = (traits.name for traits in known_channels())
    return tuple(name for name in others if getattr(settings, name).is_on) or (terminal,)
