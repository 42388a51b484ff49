"""Build an e-mail from a rendered message: headers, parts, attachments."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from unicodedata import normalize

from markupsafe import escape

from reminder.domain.calendar import local
from reminder.domain.outbox import Outbound, SendError
from reminder.domain.people import MAIL_ADDRESS
from reminder.messages.compose import mail_document, with_footer
from reminder.messages.limits import Line
from reminder.messages.wording import one_line

ANSWERABLE = "Trả lời ngay thư này, viết dòng ấy ở đầu thư. Thư tự động của máy nhắc việc."
ONE_WAY = (
    "Thư tự động, không nhận thư trả lời. Xin nhắn cho máy qua Telegram, "
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


def checked_address(address: str) -> str:
    """Return `address`; SendError with address_dead if it is no mail address."""
    if not MAIL_ADDRESS.fullmatch(address):
        reason = f"“{one_line(address, 80)}” không phải địa chỉ thư"
        raise SendError(reason, retry=False, address_dead=True)
    return address


def valid_address(address: str) -> str:
    """Return `address`, which the program or its settings made; ValueError if it is none."""
    if not MAIL_ADDRESS.fullmatch(address):
        raise ValueError(f"no mail address: {address!r}")
    return address


def build(
    message: Outbound,
    *,
    sender: str,
    sender_name: str,
    recipient: str,
    identity: str,
    reply_to: str,
    at: datetime,
) -> EmailMessage:
    """Return the mail with text and HTML parts and attachments."""
    footed = with_footer(_with_document(message), ANSWERABLE if reply_to else ONE_WAY)
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
        mail["Reply-To"] = valid_address(reply_to)
    for name, value in message.headers:
        if _HEADER.fullmatch(name) and not _OURS.fullmatch(name):
            mail[name] = _phrase(value)
    mail.set_content(normalize("NFC", footed.text), cte="base64")
    mail.add_alternative(normalize("NFC", footed.mail_html), subtype="html", cte="base64")
    for name, kind, content in message.attachments:
        main, _, sub = kind.partition("/")
        mail.add_attachment(
            content, maintype=main or "application", subtype=sub or "octet-stream",
            filename=_phrase(name),
        )  # fmt: skip
    return mail


def _with_document(message: Outbound) -> Outbound:
    if message.mail_html:
        return message
    lines = [Line("text", str(escape(line))) for line in message.text.split("\n") if line.strip()]
    return replace(message, mail_html=mail_document(one_line(message.subject, 150), lines))


def _phrase(text: str) -> str:
    """Return `text` for a header: on one line, without encoded words."""
    return one_line(text, 150).replace("=?", "= ?").replace("?=", "? =")
