"""A mail server in the test's own loop: aiosmtpd, with scripted refusals and a certificate."""

# ruff: noqa: ARG002 - aiosmtpd names the arguments

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Post:
    """What arrived, and what the server is to say at each step; empty: it accepts."""

    mail: str = ""
    rcpt: str = ""
    data: str = ""
    limit: int = 0  # bytes of a mail; 0: any
    drop_after_data: bool = False
    most: int = 0  # mails in a session; 0: any
    sessions: list[SMTP] = field(default_factory=list)
    received: list[Envelope] = field(default_factory=list)
    handed_in: list[SMTP] = field(default_factory=list)  # the session of each mail
    logins: list[str] = field(default_factory=list)
    secure: list[bool] = field(default_factory=list)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if 0 < self.most <= self.handed_in.count(server):
            return "421 4.7.0 too many mails in this session"
        if not self.mail:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self.mail or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self.rcpt:
            envelope.rcpt_tos.append(address)
        return self.rcpt or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data:
            return self.data
        assert isinstance(envelope.content, bytes)
        if 0 < self.limit < len(envelope.content):
            return "552 5.3.4 Message size exceeds fixed limit"
        self.received.append(envelope)
        self.handed_in.append(server)
        assert server.transport is not None
        self.secure.append(server.transport.get_extra_info("sslcontext") is not None)
        if self.drop_after_data:
            server.transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password == b"dung-mat-khau", handled=False)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for `name` that signs itself, and its key."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    kind = "IP" if name[0].isdigit() else "DNS"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={kind}:{name}",
         "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


def server_context(pair: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    return context


@asynccontextmanager
async def serving(
    post: Post,
    *,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    login: bool = False,
    size: int | None = None,
) -> AsyncIterator[int]:
    """The server's port."""

    def protocol() -> SMTP:
        session = SMTP(
            post,
            hostname="may-chu-thu.test",
            tls_context=starttls,
            authenticator=post.authenticate if login else None,
            auth_required=login,
            auth_require_tls=True,
            data_size_limit=size,
        )
        post.sessions.append(session)
        return session

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
