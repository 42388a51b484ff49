"""Build e-mails and send them over aiosmtplib, with one connection per message."""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from functools import cached_property
from unicodedata import normalize
from urllib.parse import quote

import aiosmtplib
from aiosmtplib import SMTPException
from markupsafe import escape

from reminder.channels.email import TRAITS
from reminder.channels.email.errors import Server, Step, TooLargeError, send_error
from reminder.domain import tokens
from reminder.domain.calendar import local
from reminder.domain.outbox import Outbound, SendError
from reminder.domain.people import MAIL_ADDRESS
from reminder.domain.text import one_line
from reminder.domain.tokens import BOUNCE_LIFETIME, TOKEN_LIFETIME, Purpose
from reminder.messages.compose import FOOTER_SLOT, Line, mail_document, with_footer

log = logging.getLogger(__name__)

ANSWERABLE = "Trả lời ngay thư này, viết dòng ấy ở đầu thư. Thư tự động của máy nhắc việc."
NOT_ME = "không phải tôi"
DISOWN = (
    f"Anh/chị không gửi câu trả lời này? Trả lời “{NOT_ME}” trong 24 giờ, "
    "máy rút lại và báo văn phòng."
)
WITHOUT_FILES = "Thư này không kèm tệp, vì máy chủ thư không nhận thư lớn."
ON_THE_PAGE = "Xem đầy đủ ở trang theo dõi: {}/bang"
ONE_WAY = "Thư tự động, không nhận thư trả lời. Xin báo người theo dõi kế hoạch để ghi giúp."
ONE_WAY_HERE = (  # {}: a channel where answers are read
    "Thư tự động, không nhận thư trả lời. Xin nhắn cho máy qua {}, "
    "hoặc nhờ người theo dõi kế hoạch ghi giúp."
)
_ID = re.compile(r"<[!-;=?-~]{3,400}>")  # longer ones are left out: a line has 998 octets
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_OURS = re.compile(
    r"(?i)from|to|cc|bcc|sender|subject|date|message-id|in-reply-to|references|reply-to|"
    r"return-path|received|mime-version|auto-submitted|x-auto-response-suppress|content-.*|resent-.*"
)


class _Spaced(EmailPolicy):
    """The SMTP policy, keeping spaces in Subject and From, and Message-IDs unbroken.

    The library loses or adds a space where it folds between encoded words, and writes an id that is
    longer than a line as such words (seen in Python 3.11).
    """

    def fold(self, name: str, value: str) -> str:
        text, end = str(value), ""
        if name.lower() in ("in-reply-to", "references"):
            return f"{name}: {f'{self.linesep} '.join(text.split())}{self.linesep}"
        if name.lower() == "from":
            text, _, address = text.rpartition(" <")
            end = f"{self.linesep} <{address}"
        if name.lower() not in ("subject", "from") or text.isascii():
            return str(super().fold(name, value))
        words = Header(text.strip('"'), "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {words}{end}{self.linesep}"

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii", "surrogateescape")


_POLICY = _Spaced(linesep=SMTP.linesep)


def build(
    message: Outbound,
    *,
    sender: str,
    sender_name: str,
    recipient: str,
    identity: str,
    reply_to: str,
    at: datetime,
    html: bool = True,
    elsewhere: str = "",
) -> EmailMessage:
    """Return the mail with its text, perhaps in HTML too, and its attachments.

    `elsewhere`: the channels where answers are read, in words, for a mail that takes none.
    """
    one_way = ONE_WAY_HERE.format(elsewhere) if elsewhere else ONE_WAY
    footer = ANSWERABLE if reply_to else one_way
    link = ""
    if message.disowns and reply_to:
        link = f"mailto:{reply_to}?subject={quote(NOT_ME)}&body={quote(NOT_ME)}"
        footer = f"{DISOWN}\n{footer}"
    footed = with_footer(_with_document(message), footer, link)
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = Address(_phrase(sender_name), addr_spec=sender)
    mail["To"] = recipient
    mail["Subject"] = _phrase(message.subject)
    mail["Date"] = format_datetime(local(at))
    mail["Message-ID"] = identity
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if _ID.fullmatch(message.reply_to):
        before = [one for one in message.thread if _ID.fullmatch(one)]
        mail["In-Reply-To"] = message.reply_to
        mail["References"] = " ".join(dict.fromkeys([*before, message.reply_to]))
    if reply_to:
        mail["Reply-To"] = reply_to
    for name, value in message.headers:
        if _HEADER.fullmatch(name) and not _OURS.fullmatch(name):
            mail[name] = _phrase(value)
    mail.set_content(normalize("NFC", footed.text), cte="base64")
    if html:
        mail.add_alternative(normalize("NFC", footed.mail_html), subtype="html", cte="base64")
    for name, kind, content in message.attachments:
        main, _, sub = kind.partition("/")
        mail.add_attachment(
            content, maintype=main or "application", subtype=sub or "octet-stream",
            filename=_phrase(name),
        )  # fmt: skip
    return mail


def _lighter(message: Outbound, place: str) -> list[Outbound]:
    """The mail, and for a server that takes no large ones: without files, without HTML.

    `place`: the address of the page, where all is to be seen; empty: there is none.
    """
    if not message.attachments:
        return [message, message]
    page = _with_document(message).mail_html
    said = f"{WITHOUT_FILES} {ON_THE_PAGE.format(place)}" if place else WITHOUT_FILES
    bare = replace(
        message,
        text=f"{message.text}\n\n{said}",
        mail_html=page.replace(FOOTER_SLOT, f"{said}<br>{FOOTER_SLOT}"),
        attachments=(),
    )
    return [message, bare, bare]


def _with_document(message: Outbound) -> Outbound:
    if message.mail_html:
        return message
    lines = [Line("text", str(escape(line))) for line in message.text.split("\n") if line.strip()]
    return replace(message, mail_html=mail_document(one_line(message.subject, 150), lines))


def _phrase(text: str) -> str:
    """Return `text` for a header: on one line, without encoded words."""
    return one_line(text, 150).replace("=?", "= ?").replace("?=", "? =")


@dataclass(frozen=True, kw_only=True, slots=True)
class MailServer(Server):
    """The SMTP server and whom its mails come from."""

    sender: str
    sender_name: str = "Nhắc việc"


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """The identifiers by which an answer or a bounce is matched to a mail."""

    message_id: str
    reply_to: str = ""  # empty where nobody reads the mailbox
    bounces_to: str = ""  # the envelope's sender; empty as above


@dataclass(frozen=True, kw_only=True, slots=True)
class MailIdentity:
    """What signs our addresses and Message-IDs, so that only this program can make them."""

    secret: bytes = field(repr=False)
    inbox: str = ""  # the mailbox for answers and bounces; empty: there is none

    def marks(self, key: str, sender: str, recipient: str, at: datetime) -> Marks:
        """Return the marks of a mail; the same at every attempt at `key` on one day."""
        message = tokens.message_key(self.secret, key)
        identity = tokens.message_id(self.secret, message, recipient, sender.rpartition("@")[2])
        if not self.inbox:
            return Marks(message_id=identity)
        lifetimes = ((Purpose.REPLY, TOKEN_LIFETIME), (Purpose.BOUNCE, BOUNCE_LIFETIME))
        reply_to, bounces_to = (
            tokens.plus_address(
                self.inbox, self.secret, purpose, message, recipient, at.date() + lifetime
            )
            for purpose, lifetime in lifetimes
        )
        return Marks(message_id=identity, reply_to=reply_to, bounces_to=bounces_to)


class MailChannel:
    """The e-mail channel. `now` only gives the Date header and the tokens' expiry.

    `elsewhere`: the other channels where answers are read, in words. `page`: the address of the
    office's page, where it is on.
    """

    name = TRAITS.name

    def __init__(
        self,
        server: MailServer,
        identity: MailIdentity,
        now: Callable[[], datetime],
        *,
        elsewhere: str = "",
        page: str = "",
    ) -> None:
        self._server, self._identity, self._now = server, identity, now
        self._elsewhere, self._page = elsewhere, page

    def turn(self, address: str) -> None:
        """Nobody waits for a turn."""

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
        if not MAIL_ADDRESS.fullmatch(address):
            reason = f"“{one_line(address, 80)}” không phải địa chỉ thư"
            raise SendError(reason, retry=False, address_dead=True)
        server, at = self._server, self._now()
        marks = self._identity.marks(key, server.sender, address, at)
        forms = _lighter(message, self._page)
        for number, form in enumerate(forms, start=1):
            mail = build(
                form,
                sender=server.sender,
                sender_name=server.sender_name,
                recipient=address,
                identity=marks.message_id,
                reply_to=marks.reply_to,
                at=at,
                html=number < len(forms),
                elsewhere=self._elsewhere,
            )
            try:
                await self._hand_in(mail.as_bytes(), address, marks)
            except TooLargeError as error:
                if number == len(forms):
                    raise
                log.warning("a mail to %s is sent lighter: %s", address, error.said or error.reason)
            else:
                break
        return marks.message_id

    async def _hand_in(self, content: bytes, address: str, marks: Marks) -> None:
        server, client = self._server, await self._connected()
        step = Step.SENDER
        try:
            limit = client.esmtp_extensions.get("size", "")  # RFC 1870; empty or 0: none is told
            if limit.isdigit() and 0 < int(limit) < len(content):
                raise TooLargeError(f"{len(content)} of {limit} bytes")
            await client.mail(marks.bounces_to or server.sender)  # VERP
            step = Step.RECIPIENT
            await client.rcpt(address)
            step = Step.DATA
            await client.data(content)
        except (SMTPException, OSError) as error:
            raise send_error(error, step, server) from None
        finally:
            await _goodbye(client)

    async def _connected(self) -> aiosmtplib.SMTP:
        """Return a client that is connected and logged in."""
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.seconds,
            use_tls=server.security == "tls",
            start_tls=False,
        )
        step = Step.CONNECT
        try:
            context = self._tls_context if server.security != "none" else None
            await client.connect(tls_context=context)
            if server.security == "starttls":
                step = Step.TLS
                await client.starttls(tls_context=context)
            if server.username:
                step = Step.LOGIN
                await client.login(server.username, server.password)
        except (SMTPException, OSError) as error:
            client.close()
            raise send_error(error, step, server) from None
        return client

    @cached_property
    def _tls_context(self) -> ssl.SSLContext:
        return self._server.tls_context()


async def _goodbye(client: aiosmtplib.SMTP) -> None:
    """Send QUIT; the mail is accepted or refused already."""
    try:
        await client.quit(timeout=2.0)
    except (SMTPException, OSError):
        pass
    finally:
        client.close()
