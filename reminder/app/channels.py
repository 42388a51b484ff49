"""The channels that the program has, each made from its settings. To add one, add to CHANNELS.

What only a running channel needs is imported where it is used, since every command knows CHANNELS.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from reminder.channels import Channel, Webhook, console, email, telegram, zalo
from reminder.domain.errors import ReminderError
from reminder.domain.outbox import AddressSource, ChannelTraits, Invited, incoming
from reminder.domain.tokens import (
    CODE_BYTES,
    CODE_LENGTH,
    CODE_LETTERS,
    INVITATION_LIFETIME,
    MailIdentity,
    hash_code,
    hash_typed_code,
    invitation_link,
)
from reminder.domain.weblinks import WebLinks
from reminder.files.toml import nearest, read_bytes
from reminder.ops.liveness import POLLED
from reminder.store.records import SECRET

if TYPE_CHECKING:
    from reminder.app.daemon import Daemon, Listener
    from reminder.channels.email.classify import InboxRules
    from reminder.channels.email.mailbox import ImapServer
    from reminder.channels.email.send import MailChannel, MailServer
    from reminder.channels.taking import Backend
    from reminder.channels.telegram.send import TelegramChannel
    from reminder.channels.zalo.send import ZaloChannel
    from reminder.domain.context import Inbound
    from reminder.domain.outbox import SendError
    from reminder.domain.people import Person
    from reminder.files.settings import EmailSection, InboxSection, Settings
    from reminder.store.store import Store

PATIENCE = 5.0  # seconds that a send waits for its chat; one held longer leaves its place to others
POLL_MARK = timedelta(seconds=30)  # the last poll is noted no more often than this


def _telegram(settings: Settings, *_: object) -> TelegramChannel:
    """Return the channel with the bot of the settings."""
    from reminder.channels.telegram.pacer import Pacer
    from reminder.channels.telegram.send import TelegramChannel, make_bot

    def monotonic() -> float:
        return asyncio.get_running_loop().time()

    bot = make_bot(settings.telegram.token.value, settings.telegram.base_url)
    return TelegramChannel(bot, Pacer(monotonic, patience=PATIENCE))


def _telegram_listeners(settings: Settings, channel: Channel, daemon: Daemon) -> Sequence[Listener]:
    """Return the listener that polls for updates, or takes what the webhook is sent."""
    from reminder.channels.telegram.receive import TelegramListener
    from reminder.channels.telegram.send import TelegramChannel

    assert isinstance(channel, TelegramChannel)
    section, webhook = settings.telegram, None
    daemon.service.bot_names[telegram.TRAITS.name] = section.bot_name
    if section.webhook_url:
        file = section.webhook_certificate
        certificate = read_bytes(file) if file else b""
        webhook = Webhook(section.webhook_url, section.webhook_secret.value, certificate)
    return (TelegramListener(channel.bot, DaemonBackend(daemon), webhook=webhook),)


def _zalo(settings: Settings, *_: object) -> ZaloChannel:
    """The channel with the bot of the settings."""
    from reminder.channels.zalo.client import ZaloClient
    from reminder.channels.zalo.send import ZaloChannel

    return ZaloChannel(ZaloClient(settings.zalo.token.value, settings.zalo.base_url))


def _zalo_listeners(settings: Settings, channel: Channel, daemon: Daemon) -> Sequence[Listener]:
    """The listener that polls, or takes what the webhook is sent."""
    from reminder.channels.zalo.receive import ZaloListener
    from reminder.channels.zalo.send import ZaloChannel

    assert isinstance(channel, ZaloChannel)
    section = settings.zalo
    webhook = None
    if section.webhook_url:
        webhook = Webhook(section.webhook_url, section.webhook_secret.value)
    backend = DaemonBackend(daemon)
    return (
        ZaloListener(channel.client, backend, poll_seconds=section.poll_seconds, webhook=webhook),
    )


def _telegram_receiver(section: Any, backend: Backend, webhook: Webhook | None) -> AccountReceiver:
    """Receive by a bot that serves many offices."""
    from reminder.channels.telegram.receive import TelegramListener
    from reminder.channels.telegram.send import make_bot

    bot = make_bot(section.token.value, section.base_url)

    async def close() -> None:
        await bot.shutdown()
        await bot.request.shutdown()

    return AccountReceiver(TelegramListener(bot, backend, webhook=webhook), close)


def _zalo_receiver(section: Any, backend: Backend, webhook: Webhook | None) -> AccountReceiver:
    """Receive by a bot that serves many offices."""
    from reminder.channels.zalo.client import ZaloClient
    from reminder.channels.zalo.receive import ZaloListener

    client = ZaloClient(section.token.value, section.base_url)
    listener = ZaloListener(client, backend, poll_seconds=section.poll_seconds, webhook=webhook)
    return AccountReceiver(listener, client.stop)


def mail_secret(store: Store) -> bytes:
    """Return the secret that signs addresses and Message-IDs; it is made once and kept."""
    kept = store.meta(SECRET)
    if not kept:
        kept = secrets.token_hex(32)
        store.set_meta(SECRET, kept)
    try:
        return bytes.fromhex(kept)
    except ValueError:
        raise ReminderError(
            f"table meta, row “{SECRET}”: it was altered; delete it, and another is made, with "
            "which no answer to an older mail counts"
        ) from None


def web_links(settings: Settings, store: Store) -> WebLinks | None:
    """Return what makes the page's links; None where [web] is off."""
    if not settings.web.is_on:
        return None
    web = settings.web
    return WebLinks(base_url=web.url, secret=mail_secret(store), here=web.is_here)


def mail_server(settings: Settings) -> MailServer:
    from reminder.channels.email.send import MailServer

    return MailServer(**_server(settings.email, "sender", "sender_name", "per_minute"))


def imap_server(settings: Settings) -> ImapServer:
    from reminder.channels.email.mailbox import ImapServer

    return ImapServer(**_server(settings.inbox, "folder", "processed"))


def inbox_rules(section: InboxSection, secret: bytes, sender: str, name: str) -> InboxRules:
    """Return what mails to a mailbox have to prove; they answer mails of `sender`."""
    from reminder.channels.email.classify import InboxRules

    return InboxRules(
        secret=secret,
        address=section.address,
        sender=sender,
        sender_name=name,
        trust=section.trust,
        authserv_id=section.authserv_id,
        login_header=section.login_header,
    )


def _server(section: EmailSection | InboxSection, *more: str) -> dict[str, Any]:
    """Return the values of a channels.email.errors.Server, and `more`."""
    names = ("host", "port", "security", "username", *more)
    return {name: getattr(section, name) for name in names} | {
        "password": section.password.value,
        "certificates": str(section.ca_file or ""),
    }


def _email(settings: Settings, store: Store, now: Callable[[], datetime]) -> MailChannel:
    """Return the channel."""
    from reminder.channels.email.send import MailChannel

    return MailChannel(mail_server(settings), mail_identity(settings, store), now)


def mail_identity(settings: Settings, store: Store) -> MailIdentity:
    """Return what mails have of their office; with [inbox], addresses for answers and bounces."""
    titles = {wiring.traits.name: wiring.traits.title for wiring in CHANNELS}
    read = [titles[c] for c in channel_names(settings) if c in titles and c != email.TRAITS.name]
    return MailIdentity(
        secret=mail_secret(store),
        inbox=settings.inbox.address if settings.inbox.is_on else "",
        elsewhere=" hoặc ".join(read),
        page=settings.web.url if settings.web.is_on else "",
    )


def _email_listeners(settings: Settings, _: Channel, daemon: Daemon) -> Sequence[Listener]:
    """Return the listener of the mailbox; none without [inbox]."""
    section = settings.inbox
    if not section.is_on:
        return ()
    from reminder.channels.email.mailbox import Mailbox
    from reminder.channels.email.receive import MailListener, OneOffice

    secret, mail = mail_secret(daemon.service.store), settings.email
    rules = inbox_rules(section, secret, mail.sender, mail.sender_name)
    return (
        MailListener(
            box=Mailbox(imap_server(settings)),
            offices=OneOffice(daemon.service, rules),
            do=daemon.do,
            wake=daemon.wake,
            now=daemon.clock.now,
            poll_seconds=section.poll_seconds,
        ),
    )


@dataclass
class DaemonBackend:
    """What a bot's listener reports to the daemon."""

    daemon: Daemon
    _polled: datetime | None = None  # when the last poll was noted
    _noting: asyncio.Future[None] | None = None  # that note, which no poll waits for

    async def reached(self, channel: str, bot_name: str) -> None:
        service = self.daemon.service
        service.bot_names[channel] = bot_name
        await self._attempt("accepted", lambda: service.accepted(self.daemon.clock.now(), channel))
        name = f"bot_name:{channel}"
        await self._attempt("bot_name", lambda: service.store.set_meta(name, bot_name))
        self.daemon.wake()

    def polled(self, channel: str) -> None:
        self.daemon.mark(f"{POLLED}:{channel}")
        at, service = self.daemon.clock.now(), self.daemon.service
        if self._polled is None or not timedelta(0) <= at - self._polled < POLL_MARK:
            self._polled = at

            def note() -> None:
                with service.store.together():  # one commit, which an answer may wait for
                    for name in ("last_poll", f"last_poll:{channel}"):
                        service.store.set_meta(name, at.isoformat())
                service.accepted(at, channel, incoming(channel))

            self._noting = asyncio.ensure_future(self._attempt("last_poll", note))
            self._noting.add_done_callback(lambda _: self.daemon.wake())

    async def failed(self, channel: str, error: SendError) -> None:
        service, at, down = self.daemon.service, self.daemon.clock.now(), error.channel_down
        note = partial(service.in_trouble, channel, error.reason, at, refuses=down)
        await self._attempt("in_trouble", note)
        self.daemon.wake()

    async def deaf(self, channel: str, reason: str) -> None:
        service, at = self.daemon.service, self.daemon.clock.now()
        note = partial(service.in_trouble, incoming(channel), reason, at, refuses=True)
        await self._attempt("in_trouble", note)

    async def not_taken(self, inbound: Inbound) -> None:
        def told() -> bool:
            self.daemon.service.not_taken(inbound, self.daemon.clock.now())
            return True

        if await self.daemon.worker.retry("an incoming message", told) is None:
            raise asyncio.CancelledError  # the end: it must not be confirmed
        self.daemon.wake()

    async def _attempt(self, what: str, work: Callable[[], object]) -> None:
        """Do what is not tried again, if the database can be written now."""
        await self.daemon.worker.attempt(what, work, again=False)


@dataclass(frozen=True)
class AccountReceiver:
    """What receives by a bot that serves many offices, and what ends its connection."""

    listener: Any  # takes what its provider hands out, by polls or a webhook
    close: Callable[[], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class ChannelWiring:
    """How a channel is made from its settings: the section that has the channel's name."""

    traits: ChannelTraits
    connect: Callable[[Settings, Store, Callable[[], datetime]], Channel]
    listen: Callable[[Settings, Channel, Daemon], Sequence[Listener]] = lambda *_: ()
    is_read: Callable[[Settings], bool] = lambda _: True  # what people write there arrives
    # The section of an account of many offices → its receiver; None: it hands out nothing itself.
    receive: Callable[[Any, Backend, Webhook | None], AccountReceiver] | None = None
    redelivers: bool = False  # a delivery that is not confirmed comes again, and holds up no other
    live: bool = False  # a changed section is taken up at once, by a new channel
    polls: bool = False  # its listener marks each poll
    # The bot's name and a code → what opens a chat with the bot.
    link: Callable[[str, str], str] = lambda *_: ""
    quota: Callable[[Settings], int] = lambda _: 0  # messages a month, in and out; 0: no limit


CHANNELS = (  # in the order in which they are tried
    ChannelWiring(
        traits=telegram.TRAITS,
        connect=_telegram,
        listen=_telegram_listeners,
        receive=_telegram_receiver,
        redelivers=True,
        polls=True,
        link=invitation_link,
    ),
    ChannelWiring(
        traits=zalo.TRAITS,
        connect=_zalo,
        listen=_zalo_listeners,
        receive=_zalo_receiver,
        polls=True,
        link=zalo.chat_link,
        quota=lambda settings: settings.zalo.monthly_quota,
    ),
    ChannelWiring(
        traits=email.TRAITS,
        connect=_email,
        listen=_email_listeners,
        is_read=lambda settings: settings.inbox.is_on,
        live=True,
    ),
)


RECEIVING = {  # channels whose accounts hand out what people write
    wiring.traits.name: wiring for wiring in CHANNELS if wiring.receive is not None
}


def known_channels() -> tuple[ChannelTraits, ...]:
    """Return the traits of all channels, the terminal's last."""
    return (*(wiring.traits for wiring in CHANNELS), console.TRAITS)


def channel_names(settings: Settings) -> tuple[str, ...]:
    """Return the channels that are set up; the terminal where none is."""
    *others, terminal = (traits.name for traits in known_channels())
    return tuple(name for name in others if getattr(settings, name).is_on) or (terminal,)


def one_way(settings: Settings) -> frozenset[str]:
    """Return the channels that are set up and on which nobody reads what people write back."""
    names = channel_names(settings)
    unread = (wiring.traits.name for wiring in CHANNELS if not wiring.is_read(settings))
    return frozenset(name for name in unread if name in names)


def invite(
    settings: Settings, store: Store, person: Person, channel: str, now: datetime
) -> Invited:
    """Make an invitation; the person's earlier ones end. The office needs no network for it.

    `channel`: “”: the first to which people are invited and that is set up.
    """
    wiring = _inviting(settings, channel)
    traits, expires_at = wiring.traits, now + INVITATION_LIFETIME
    if traits.typed_codes:
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        hashed = hash_typed_code(mail_secret(store).hex(), traits.name, code)
    else:
        code = secrets.token_urlsafe(CODE_BYTES)  # Telegram takes up to 64 of [A-Za-z0-9_-]
        hashed = hash_code(code)
    store.invite(person.id, hashed, expires_at, traits.name)
    store.set_meta(f"invited:{person.id}", now.isoformat())
    bot = _bot_name(settings, store, traits.name)
    url = wiring.link(bot, code) if bot else ""
    return Invited(channel=traits, code=code, url=url, expires_at=expires_at)


def _inviting(settings: Settings, channel: str) -> ChannelWiring:
    """Return the channel named, or the first to which people are invited and that is set up."""
    inviting = {
        wiring.traits.name: wiring
        for wiring in CHANNELS
        if wiring.traits.addresses is AddressSource.INVITATION
    }
    if channel and channel not in inviting:
        near = nearest(channel, inviting) or f". Có: {', '.join(inviting)}"
        raise ReminderError(f"không mời được vào kênh “{channel}”{near}")
    here = [name for name in channel_names(settings) if name in inviting]
    return inviting[channel or next(iter(here), next(iter(inviting)))]


def _bot_name(settings: Settings, store: Store, channel: str) -> str:
    """Return the bot's name at the provider: of the settings, or as the last run heard it."""
    set_up = getattr(getattr(settings, channel), "bot_name", "")
    if store.office:  # it may have had another bot, before it used this account
        from reminder.store.offices import Stores

        return set_up or Stores(store).bot_name(store.office, channel)
    heard = store.meta(f"bot_name:{channel}")
    earlier = store.meta("bot_name") if channel == CHANNELS[0].traits.name else ""
    return set_up or heard or earlier or ""


def quotas(settings: Settings) -> dict[str, int]:
    """Return how many messages a month each channel that is set up takes, where that is bounded."""
    names = channel_names(settings)
    bounded = {w.traits.name: w.quota(settings) for w in CHANNELS if w.traits.name in names}
    return {name: limit for name, limit in bounded.items() if limit}
