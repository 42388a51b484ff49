"""E-mail as a channel, over aiosmtplib: one connection for each message."""

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
from reminder.channels.email.errors import Step, send_error
from reminder.channels.email.message import build, checked_address, valid_address
from reminder.domain import tokens
from reminder.domain.channels import Outbound, SendError
from reminder.domain.tokens import Purpose

Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MailServer:
    """The mail server and its login."""

    host: str
    port: int
    security: Security = "starttls"
    username: str = ""
    password: str = ""
    sender: str
    sender_name: str = "Nhắc việc"
    seconds: float = 30.0  # for any one answer of the server
    certificates: str = ""  # a file of certificates to trust instead of the system's

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port}, {self.security}, {self.sender})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """What a mail is known by when it is answered or comes back."""

    message_id: str
    reply_to: str  # empty where nobody reads the mailbox
    bounces_to: str  # the envelope's sender; empty as above


@dataclass(frozen=True, kw_only=True, slots=True)
class MailIdentity:
    """How a mail can be known again; `secret` signs what only this program can have written."""

    secret: bytes = field(repr=False)
    inbox: str = ""  # the mailbox that answers and bounces come to; empty: nobody reads any

    def marks(self, key: str, sender: str, recipient: str, at: datetime) -> Marks:
        """The marks of the mail from `sender`, the same at every attempt at `key` on one day."""
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
    """Sends mail. `now` gives the Date header; it decides nothing."""

    name = TRAITS.name

    def __init__(
        self, server: MailServer, identity: MailIdentity, now: Callable[[], datetime]
    ) -> None:
        valid_address(server.sender)
        self._server, self._identity, self._now = server, identity, now
        self._trust: ssl.SSLContext | None = None

    async def start(self) -> None:
        """Nothing to open: each mail has a connection of its own."""

    def halt(self) -> None:
        """Nothing waits here: each send begins at once."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def check(self) -> None:
        """Connects and logs in, to see that it works; SendError says what does not."""
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
        """A client that has shaken hands and logged in."""
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
        """The TLS context; certificates and host names are always checked."""
        if self._trust is None:
            file = self._server.certificates
            try:
                self._trust = ssl.create_default_context(cafile=file or None)
            except OSError as error:
                why = (
                    "tệp không có chứng thư" if isinstance(error, ssl.SSLError) else error.strerror
                )
                reason = f"ca_file: không đọc được chứng thư ở {file}: {why}"
                raise SendError(reason, retry=True, channel_down=True) from None
        return self._trust


async def _goodbye(client: aiosmtplib.SMTP) -> None:
    """QUIT is a courtesy: the mail's fate was decided before it."""
    try:
        await client.quit(timeout=2.0)
    except (SMTPException, OSError):
        pass
    finally:
        client.close()
