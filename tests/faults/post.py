"""A mail server that misbehaves as it is told."""

from __future__ import annotations

import asyncio
import email
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

REFUSALS = {  # fault → at which command, and the server's answer
    "4xx": ("MAIL", "451 4.3.0 try again later"),
    "5xx": ("DATA", "554 5.6.0 not accepted"),
    "greylisting": ("RCPT", "450 4.2.0 greylisted, come back in 5 minutes"),
    "dropped before": ("DATA", ""),
    "dropped after": ("DATA", ""),
}
TAKEN = "dropped after"


class MailServer:
    """Takes every mail, but as many as `faults` lists go wrong first, in that order."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.happened: Counter[str] = Counter()
        self.mails: list[tuple[str, str, str]] = []  # recipient, Message-ID, text
        self.newest: dict[str, EmailMessage] = {}  # by recipient: what an answer is written to

    def _refusal(self, command: str) -> str:
        if not self.faults or command != REFUSALS[self.faults[0]][0]:
            return ""
        fault = self.faults.pop(0)
        self.happened[fault] += 1
        return REFUSALS[fault][1] or fault

    async def handle_MAIL(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self._refusal("MAIL") or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        if refusal := self._refusal("RCPT"):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        refusal = self._refusal("DATA")
        if refusal in ("", TAKEN):
            self._take(envelope)
        if refusal.startswith("dropped"):
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
            return "250 OK"  # which nobody hears
        return refusal or "250 OK"

    def _take(self, envelope: Envelope) -> None:
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, policy=policy.default)
        body = mail.get_body(("plain",))
        assert body is not None
        self.mails.append((envelope.rcpt_tos[0], mail["Message-ID"], body.get_content()))
        self.newest[envelope.rcpt_tos[0]] = mail

    @asynccontextmanager
    async def served(self) -> AsyncIterator[int]:
        """Serves on a port of 127.0.0.1."""
        loop = asyncio.get_running_loop()
        smtp = await loop.create_server(lambda: SMTP(self, hostname="mail"), "127.0.0.1", 0)
        try:
            yield smtp.sockets[0].getsockname()[1]
        finally:
            smtp.close()
