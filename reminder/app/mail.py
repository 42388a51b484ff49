"""Mail from the settings: the channel that sends, and the listener of the mailbox.

The modules that read a mailbox are imported only with [inbox].
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from reminder.app.daemon import Daemon
from reminder.channels.email import TRAITS
from reminder.channels.email.message import ANSWERABLE
from reminder.channels.email.send import MailChannel, MailIdentity, MailServer
from reminder.domain.tokens import normal_address
from reminder.files.settings import Settings
from reminder.services.deliver import Bounce
from reminder.services.service import Service
from reminder.store.store import Store

if TYPE_CHECKING:
    from reminder.channels.email.mailbox import ImapServer
    from reminder.channels.email.receive import MailListener

_SECRET = "mail_secret"  # noqa: S105  the name under which it is kept


def secret_of(store: Store) -> bytes:
    """The secret that signs addresses and Message-IDs; made once and kept in the database."""
    kept = store.meta(_SECRET)
    if not kept:
        kept = secrets.token_hex(32)
        store.set_meta(_SECRET, kept)
    return bytes.fromhex(kept)


def mail_server(settings: Settings) -> MailServer:
    section = settings.email
    return MailServer(
        host=section.host,
        port=section.port,
        security=section.security,
        username=section.username,
        password=section.password.get_secret_value(),
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
        password=section.password.get_secret_value(),
        folder=section.folder,
        processed=section.processed,
        certificates=str(section.ca_file) if section.ca_file else "",
    )


def mail_channel(settings: Settings, store: Store, now: Callable[[], datetime]) -> MailChannel:
    """The channel; with [inbox], mails carry addresses for answers and bounces."""
    inbox = settings.inbox.address if settings.inbox.is_on else ""
    identity = MailIdentity(secret=secret_of(store), inbox=inbox)
    return MailChannel(mail_server(settings), identity, now)


def listeners(
    settings: Settings, store: Store, daemon: Daemon, now: Callable[[], datetime]
) -> tuple[MailListener, ...]:
    """The listener of the mailbox; none without [inbox]."""
    section = settings.inbox
    if not section.is_on:
        return ()
    from reminder.channels.email.classify import InboxRules
    from reminder.channels.email.mailbox import Mailbox
    from reminder.channels.email.receive import MailListener

    rules = InboxRules(
        secret=secret_of(store),
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
            now=now,
            poll_seconds=section.poll_seconds,
        ),
    )


def text_of(service: Service, address: str, message_id: str) -> str:
    """The text of a mail that was sent, in both of its forms, for who looks for a quote of it."""
    from reminder.channels.email.body import html_text

    message = service.rendered_again(TRAITS.name, address, message_id)
    if message is None:
        return ""
    return "\n".join((message.subject, message.text, html_text(message.mail_html), ANSWERABLE))


@dataclass(frozen=True)
class DaemonBackend:
    """channels.email.receive.Back: the daemon's service, in the store's one thread."""

    daemon: Daemon

    async def known(self) -> Mapping[str, str]:
        def found() -> dict[str, str]:
            office = self.daemon.service.refresh()
            return {
                normal_address(address.value): address.value
                for address in office.addresses
                if address.channel == TRAITS.name and address.recipient in office.people
            }

        return await self.daemon.do(found)

    async def text_of(self, address: str, message_id: str) -> str:
        service = self.daemon.service
        return await self.daemon.do(lambda: text_of(service, address, message_id))

    async def was_seen(self, message_id: str) -> bool:
        store = self.daemon.service.store
        return await self.daemon.do(lambda: store.was_seen(TRAITS.name, message_id))

    async def bounced(self, bounce: Bounce) -> None:
        daemon = self.daemon
        await daemon.do(lambda: daemon.service.bounced(bounce, daemon.clock.now()))
        daemon.wake()

    async def meta(self, name: str) -> str:
        return await self.daemon.do(lambda: self.daemon.service.store.meta(name)) or ""

    async def set_meta(self, name: str, value: str) -> None:
        await self.daemon.do(lambda: self.daemon.service.store.set_meta(name, value))
