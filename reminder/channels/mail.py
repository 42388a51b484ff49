"""E-mail as a channel, over aiosmtplib: a connection a message, each step's failure told apart."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Literal

from aiosmtplib import SMTP, SMTPException

from reminder.channels.mail_errors import Step, send_error
from reminder.channels.mailmessage import build, checked_address, message_id, valid_address
from reminder.ports import Capabilities, Outbound, SendError

Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MailServer:
    """Where mail is handed in, and as whom."""

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
class MailIdentity:
    """How a mail can be known again; `secret` signs what only this program can have written."""

    secret: bytes
    reply_to: Callable[[str, str], str] | None = None  # recipient, key → address for answers
    bounce_to: Callable[[str, str], str] | None = None  # recipient, key → envelope sender (VERP)


class MailChannel:
    """Sends mail. `now` gives the Date header; it decides nothing."""

    name = "email"
    capabilities = Capabilities(buttons=False, edits=False, html=True, longest=1_000_000)

    def __init__(
        self, server: MailServer, identity: MailIdentity, now: Callable[[], datetime]
    ) -> None:
        valid_address(server.sender)
        self._server, self._identity, self._now = server, identity, now
        self._trust: ssl.SSLContext | None = None

    async def start(self) -> None:
        """Nothing to open: each mail has a connection of its own."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def check(self) -> None:
        """Connects and logs in, to see that it works; SendError says what does not."""
        client = await self._connected()
        await _goodbye(client)

    async def send(self, address: str, message: Outbound, key: str) -> str:
        """Hands the mail in; its Message-ID, which is the same at every attempt at `key`."""
        recipient = checked_address(address)
        identity = self._identity
        domain = self._server.sender.rpartition("@")[2]
        mail = build(
            message,
            sender=self._server.sender,
            sender_name=self._server.sender_name,
            recipient=recipient,
            identity=message_id(identity.secret, key, recipient, domain),
            reply_to=identity.reply_to(recipient, key) if identity.reply_to else "",
            at=self._now(),
        )
        bounce = identity.bounce_to(recipient, key) if identity.bounce_to else self._server.sender
        client = await self._connected()
        try:
            await self._hand_in(client, valid_address(bounce), recipient, mail)
        finally:
            await _goodbye(client)
        return str(mail["Message-ID"])

    async def _hand_in(
        self, client: SMTP, envelope: str, recipient: str, mail: EmailMessage
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

    async def _connected(self) -> SMTP:
        """A client that has shaken hands and logged in."""
        server, secure = self._server, self._server.security
        client = SMTP(
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
        """Certificates and host names are checked, always."""
        if self._trust is None:
            self._trust = ssl.create_default_context(cafile=self._server.certificates or None)
        return self._trust


async def _goodbye(client: SMTP) -> None:
    """QUIT is a courtesy: the mail's fate was decided before it."""
    try:
        await client.quit(timeout=2.0)
    except (SMTPException, OSError):
        pass
    finally:
        client.close()
