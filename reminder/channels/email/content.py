"""The bytes of a mail: head, text, HTML and files.

They are those of email.message but for the boundaries, in a tenth of its time: only what has to be
encoded or folded goes through the library.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from datetime import datetime
from email import base64mime, quoprimime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256
from unicodedata import normalize
from urllib.parse import quote

from markupsafe import escape

from reminder.domain.calendar import local
from reminder.domain.outbox import Outbound
from reminder.domain.text import one_line
from reminder.messages.compose import Line, mail_document, with_footer

ANSWERABLE = "Trả lời ngay thư này, viết dòng ấy ở đầu thư. Thư tự động của máy nhắc việc."
NOT_ME = "không phải tôi"
DISOWN = (
    f"Anh/chị không gửi câu trả lời này? Trả lời “{NOT_ME}” trong 24 giờ, "
    "máy rút lại và báo văn phòng."
)
AUTOMATIC = "Thư tự động, không nhận thư trả lời."
ONE_WAY = f"{AUTOMATIC} Xin báo người theo dõi kế hoạch để ghi giúp."
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
_VERSION = b"MIME-Version: 1.0\r\n"
_LINE = 78  # characters of a line of the head (RFC 5322, 2.1.1)
_AROUND = len("=?utf-8?b??=")
_ENCODED_LINE = 76  # of a body in base64 (RFC 2045, 6.8)


class _Spaced(EmailPolicy):
    """The SMTP policy, keeping spaces in Subject and From.

    The library loses or adds a space where it folds between encoded words (seen in Python 3.11).
    """

    def fold(self, name: str, value: str) -> str:
        text, end = str(value), ""
        if name.lower() == "from":
            text, _, address = text.rpartition(" <")
            end = f"{self.linesep} <{address}"
        if name.lower() not in ("subject", "from") or text.isascii():
            return str(super().fold(name, value))
        return f"{name}: {_words(name, text)}{end}{self.linesep}"

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii", "surrogateescape")


_POLICY = _Spaced(linesep=SMTP.linesep)


def mail_bytes(
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
) -> bytes:
    """Return the mail with its text, perhaps in HTML too, and its attachments.

    `elsewhere`: the channels where answers are read, in words, for a mail that takes none.
    """
    one_way = ONE_WAY_HERE.format(elsewhere) if elsewhere else ONE_WAY
    footer = AUTOMATIC if message.automatic else ANSWERABLE if reply_to else one_way
    link = ""
    if message.disowns and reply_to:
        link = f"mailto:{reply_to}?subject={quote(NOT_ME)}&body={quote(NOT_ME)}"
        footer = f"{DISOWN}\n{footer}"
    footed = with_footer(with_document(message), footer, link)
    head = [
        _from(_phrase(sender_name), sender),
        _unfolded("To", recipient),
        _field("Subject", _phrase(message.subject)),
        _field("Date", format_datetime(local(at))),
        _unfolded("Message-ID", identity),
        b"Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n",
    ]
    if _ID.fullmatch(message.reply_to):
        before = [one for one in message.thread if _ID.fullmatch(one)]
        # Unbroken: the library writes an id that is longer than a line as encoded words.
        ids = "\r\n ".join(dict.fromkeys([*before, message.reply_to]))
        head.append(f"In-Reply-To: {message.reply_to}\r\nReferences: {ids}\r\n".encode("ascii"))
    if reply_to:
        head.append(_unfolded("Reply-To", reply_to))
    head += [
        _field(name, _phrase(value))
        for name, value in message.headers
        if _HEADER.fullmatch(name) and not _OURS.fullmatch(name)
    ]
    kind, body = _text("plain", footed.text)
    if not html and not message.attachments:
        return b"".join([*head, kind, _VERSION, b"\r\n", body])
    number = int.from_bytes(sha256(identity.encode()).digest()[:7])
    content = b"%b\r\n%b" % (kind, body)
    if html:
        kind, body = _text("html", footed.mail_html)
        page = b"%b%b\r\n%b" % (kind, _VERSION, body)
        content = _multipart("alternative", [content, page], number)
    if message.attachments:
        files = [
            _file_head(_phrase(name), kind) + _encoded(file)
            for name, kind, file in message.attachments
        ]
        content = _multipart("mixed", [content, *files], number + 1)
    return b"".join([*head, _VERSION, content])


def _field(name: str, value: str) -> bytes:
    """Return a field of the head; what is short and ASCII is its own folded form."""
    if name == "Subject" and not value.isascii():
        return f"{name}: {_words(name, value)}\r\n".encode("ascii")
    line = f"{name}: {value}"
    if value and len(line) <= _LINE and line.isascii() and line.isprintable():
        return f"{line}\r\n".encode("ascii")
    return _POLICY.fold_binary(name, _POLICY.header_factory(name, value))


def _words(name: str, text: str) -> str:
    """Return `text` as encoded words (RFC 2047), folded as email.header.Header does it."""
    text = text.strip('"')
    whole = text.encode()
    shortest = min((quoprimime, base64mime), key=lambda coding: coding.header_length(whole))
    lines, line, room = list[str](), b"", _LINE - len(f"{name}: ") - _AROUND
    for char in text:
        longer = line + char.encode()
        if shortest.header_length(longer) > room:
            lines.append(shortest.header_encode(line, "utf-8"))
            longer, room = char.encode(), _LINE - 1 - _AROUND
        line = longer
    return "\r\n ".join([*lines, shortest.header_encode(line, "utf-8")])


def _unfolded(name: str, value: str) -> bytes:
    """Return a field with one address or id, which has no place to fold."""
    if value.isascii() and value.isprintable() and " " not in value:
        return f"{name}: {value}\r\n".encode("ascii")
    return _field(name, value)


@lru_cache(maxsize=16)
def _from(name: str, address: str) -> bytes:
    value = _POLICY.header_factory("From", Address(name, addr_spec=address))
    return _POLICY.fold_binary("From", value)


def _text(kind: str, text: str) -> tuple[bytes, bytes]:
    """Return the content fields and the body of a text part."""
    lines = normalize("NFC", text).encode().splitlines()
    fields = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n'
    return fields.encode("ascii"), _encoded(b"\r\n".join([*lines, b""]))


def _encoded(content: bytes) -> bytes:
    """Return `content` in base64, in lines."""
    encoded = b64encode(content)
    lines = [encoded[at : at + _ENCODED_LINE] for at in range(0, len(encoded), _ENCODED_LINE)]
    return b"\r\n".join([*lines, b""])


@lru_cache(maxsize=64)
def _file_head(name: str, kind: str) -> bytes:
    """Return the fields of an attached file, and the empty line after them."""
    main, _, sub = kind.partition("/")
    part = EmailMessage(policy=_POLICY)
    part.set_content(
        b"", maintype=main or "application", subtype=sub or "octet-stream",
        disposition="attachment", filename=name,
    )  # fmt: skip
    return part.as_bytes()


def _multipart(kind: str, parts: list[bytes], number: int) -> bytes:
    """Return the parts as one: no encoded body has a line that begins with “--”."""
    boundary = f"==============={number:019d}=="
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n'
    if len(head) > _LINE + 2:
        head = head.replace("; ", ";\r\n ", 1)
    line = f"--{boundary}".encode("ascii")
    pieces = [head.encode("ascii"), b"\r\n"]
    for part in parts:
        pieces += [line, b"\r\n", part, b"\r\n"]
    return b"".join([*pieces, line, b"--\r\n"])


def with_document(message: Outbound) -> Outbound:
    """Return `message` with its text in HTML too."""
    if message.mail_html:
        return message
    lines = [Line("text", str(escape(line))) for line in message.text.split("\n") if line.strip()]
    return replace(message, mail_html=mail_document(one_line(message.subject, 150), lines))


def _phrase(text: str) -> str:
    """Return `text` for a header: on one line, without encoded words."""
    return one_line(text, 150).replace("=?", "= ?").replace("?=", "? =")
