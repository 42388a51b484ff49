"""Send e-mail over aiosmtplib, with one connection per message."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from typing import Literal

import aiosmtplib
from aiosmtplib import SMTPException

from reminder.channels.email import TRAITS
from reminder.channels.email.errors import CaFileError, Step, send_error, tls_context
from reminder.channels.email.message import build, checked_address, valid_address
from reminder.domain import tokens
from reminder.domain.outbox import Outbound, SendError
from reminder.domain.tokens import Purpose

Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MailServer:
    """The SMTP server and account."""

    host: str
    port: int
    security: Security = "starttls"
    username: str = ""
    password: str = ""
    sender: str
    sender_name: str = "Nhắc việc"
    seconds: float = 30.0  # time-out of any one command
    certificates: str = ""  # a file of certificates to trust instead of the system's

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port}, {self.security}, {self.sender})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """The identifiers by which an answer or a bounce is matched to a mail."""

    message_id: str
    reply_to: str  # empty where nobody reads the mailbox
    bounces_to: str  # the envelope's sender; empty as above


@dataclass(frozen=True, kw_only=True, slots=True)
class MailIdentity:
    """What signs our addresses and Message-IDs, so that only this program can make them."""

    secret: bytes = field(repr=False)
    inbox: str = ""  # the mailbox for answers and bounces; empty: there is none

    def marks(self, key: str, sender: str, recipient: str, at: datetime) -> Marks:
        """Return the marks of a mail; the same at every attempt at `key` on one day."""
        message = tokens.message_key(self.secret, key)
        expires = at.date() + tokens.TOKEN_LIFETIME

        def address(purpose: Purpose) -> str:
            if not self.inbox:
                return ""
            return tokens.plus_address(
                self.inbox, self.secret, purpose, message, recipient, expires
            )

        return Marks(
            message_id=tokens.message_id(
                self.secret, message, recipient, sender.rpartition("@")[2]
            ),
            reply_to=address(Purpose.REPLY),
            bounces_to=address(Purpose.BOUNCE),
        )


class MailChannel:
    """The e-mail channel. `now` only gives the Date header and the tokens' expiry."""

    name = TRAITS.name

    def __init__(
        self, server: MailServer, identity: MailIdentity, now: Callable[[], datetime]
    ) -> None:
        valid_address(server.sender)
        self._server, self._identity, self._now = server, identity, now
        self._tls_context: ssl.SSLContext | None = None

    def halt(self) -> None:
        """Do nothing: each send begins at once."""

    async def stop(self) -> None:
        """Do nothing."""

    async def check(self) -> None:
        """Connect and log in; SendError says what fails."""
        client = await self._connected()
        await _goodbye(client)

    async def send(self, address: str, message: Outbound, key: str) -> str:
        """Send the mail; return its Message-ID, the same at every attempt at `key`."""
        recipient = checked_address(address)
        sender, at = self._server.sender, self._now()
        marks = self._identity.marks(key, sender, recipient, at)
        mail = build(
            message,
            sender=sender,
            sender_name=self._server.sender_name,
            recipient=recipient,
            identity=marks.message_id,
            reply_to=marks.reply_to,
            at=at,
        )
        bounce = marks.bounces_to or sender  # VERP
        client = await self._connected()
        try:
            await self._hand_in(client, valid_address(bounce), recipient, mail)
        finally:
            await _goodbye(client)
        return str(mail["Message-ID"])

    async def _hand_in(
        self, client: aiosmtplib.SMTP, envelope: str, recipient: str, mail: EmailMessage
    ) -> None:
        step = Step.SENDER
        failure: SendError
        try:
            await client.mail(envelope)
            step = Step.RECIPIENT
            await client.rcpt(recipient)
            step = Step.DATA
            await client.data(mail.as_bytes())
        except (SMTPException, OSError) as error:
            failure = self._failure(error, step)
        else:
            return
        raise failure

    async def _connected(self) -> aiosmtplib.SMTP:
        """Return a client that is connected and logged in."""
        server, secure = self._server, self._server.security
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.seconds,
            use_tls=secure == "tls",
            start_tls=False,
            tls_context=self._context() if secure != "none" else None,
        )
        step = Step.CONNECT
        try:
            await client.connect()
            if secure == "starttls":
                step = Step.TLS
                await client.starttls(tls_context=self._context())
            if server.username:
                step = Step.LOGIN
                await client.login(server.username, server.password)
        except (SMTPException, OSError) as error:
            failure = self._failure(error, step)
        else:
            return client
        client.close()
        raise failure

    def _failure(self, error: Exception, step: Step) -> SendError:
        server = self._server
        return send_error(error, step, f"{server.host}:{server.port}", [server.password])

    def _context(self) -> ssl.SSLContext:
        if self._tls_context is None:
            try:
                self._tls_context = tls_context(self._server.certificates)
            except CaFileError as error:
                raise SendError(str(error), retry=True, channel_down=True) from None
        return self._tls_context


async def _goodbye(client: aiosmtplib.SMTP) -> None:
    """Send QUIT; the mail is accepted or refused already."""
    try:
        await client.quit(timeout=2.0)
    except (SMTPException, OSError):
        pass
    finally:
        client.close()
