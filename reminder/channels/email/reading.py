"""Bytes → what a mail is, says of itself and says; a stranger's bytes never raise."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from enum import StrEnum

from reminder.channels.email import bounces, headers
from reminder.channels.email.body import decoded, is_file, parts, text_of
from reminder.channels.email.bounces import Failure
from reminder.channels.email.quotes import own_text

LONGEST_ID = 200  # characters of a Message-ID that is kept as it stands

# Where servers leave the address to which a mail came.
_TO = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-RcptTo",
       "X-Forwarded-To", "Apparently-To")  # fmt: skip
_AUTO_FIELDS = (
    *("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Response", "X-Auto-Reply"),
    *("X-AutoReply-From", "X-Mail-Autoreply", "X-Vacation-From", "X-FC-MachineGenerated"),
)
_AUTO_SUBJECT = re.compile(
    r"(?i)^\W*(?:re:\s*)?(?:automatic reply|auto(?:matic)?[- ]?(?:reply|response|responder)|"
    r"out of (?:the )?office|on vacation|trả lời tự động|tự động trả lời|thư trả lời tự động|"
    r"vắng mặt|đi vắng|ngoài văn phòng|read:|đã đọc:|not read:|chưa đọc:)"
)
_MACHINES = re.compile(
    r"(?i)^(?:mailer-daemon|postmaster|mail-daemon|no-?reply|do-?not-?reply|donotreply|autoreply|"
    r"auto-reply|daemon|root|bounces?)(?:[+.-].*)?@"
)
# Of RFC 5546: an answer to an invitation, or one; “publish” is a file like any other.
_METHOD = re.compile(
    r"\bmethod\W{1,3}(?:reply|counter|declinecounter|refresh|request|cancel|add)\b"
)


class Kind(StrEnum):
    """What a mail is; only an answer is ever acted on."""

    ANSWER = "answer"
    BOUNCE = "bounce"
    AUTO_REPLY = "auto-reply"
    LIST = "list"
    CALENDAR = "calendar"
    RECEIPT = "receipt"
    EMPTY = "empty"  # nothing but a quote or a signature


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail as read; nothing of it is believed yet."""

    kind: Kind
    identity: str  # its Message-ID, or a digest where it has none
    author: str  # the one address of From; empty where that is not clear
    recipients: tuple[str, ...]
    subject: str
    references: tuple[str, ...]
    results: tuple[str, ...]  # its Authentication-Results, top first
    at: datetime | None
    text: str  # its own words
    failures: tuple[Failure, ...] = ()
    returned: tuple[str, ...] = ()  # Message-IDs of what came back


def read(content: bytes) -> Mail:
    """The mail; of one that is cut off in its middle, what there is."""
    message = _parsed(content)
    failed = bounces.failures(message)
    text = "" if failed else own_text(text_of(message))
    return Mail(
        kind=Kind.BOUNCE if failed else _kind(message, text),
        identity=_identity(message, content),
        author=headers.author(message),
        recipients=tuple(headers.addresses(message, *_TO)),
        subject=headers.words(headers.field(message, "Subject"))[:300],
        references=(*headers.ids(message, "References"), *headers.ids(message, "In-Reply-To")),
        results=tuple(headers.fields(message, "Authentication-Results")),
        at=headers.written(message),
        text=text,
        failures=failed,
        returned=bounces.original(message) if failed else (),
    )


def _parsed(content: bytes) -> Message:
    try:
        return BytesParser(policy=compat32).parsebytes(content)
    except Exception:  # noqa: BLE001  a tree that breaks the parser is read as a text
        message = Message()
        head, _, body = content.replace(b"\r\n", b"\n").partition(b"\n\n")
        for line in head.decode("utf-8", "replace").split("\n"):
            name, colon, value = line.partition(":")
            if colon and name.isascii() and name.replace("-", "").isalnum():
                message[name] = value.strip()
        del message["Content-Type"], message["Content-Transfer-Encoding"]
        message.set_payload(body.decode("utf-8", "replace"))
        return message


def _identity(message: Message, content: bytes) -> str:
    found = headers.field(message, "Message-ID")
    if 2 < len(found) <= LONGEST_ID and not re.search(r"\s", found):
        return found
    return f"sha256:{hashlib.sha256(found.encode() if found else content).hexdigest()}"


def _kind(message: Message, text: str) -> Kind:
    """By RFC 3834 and its kin: whatever was not written by a person, now, is no answer."""
    kinds = [part.get_content_type() for part in parts(message)]
    if kinds[0] == "multipart/report" or "message/disposition-notification" in kinds:
        return Kind.RECEIPT
    if _is_automatic(message):
        return Kind.AUTO_REPLY
    if headers.fields(message, "List-Id") or headers.fields(message, "List-Post"):
        return Kind.LIST
    if any(_METHOD.search(_scheduling(part)) for part in parts(message)):
        return Kind.CALENDAR
    return Kind.ANSWER if text else Kind.EMPTY


def _scheduling(part: Message) -> str:
    """What a part says to a calendar program; empty of a file that a person has attached."""
    if part.get_content_type() != "text/calendar" or is_file(part):
        return ""
    declared = headers.field(part, "Content-Type").lower()
    return f"{declared}\n{decoded(part)[:2000].lower()}"


def _is_automatic(message: Message) -> bool:
    submitted = headers.field(message, "Auto-Submitted").lower().partition(";")[0].partition("(")[0]
    if submitted.strip() not in ("", "no"):
        return True
    paths = headers.fields(message, "Return-Path")
    if paths and not paths[0].strip().strip("<>").strip():
        return True
    precedence = headers.field(message, "Precedence").lower().strip()
    if precedence in ("bulk", "junk", "list", "auto_reply", "auto-reply"):
        return True
    suppresses = headers.field(message, "X-Auto-Response-Suppress").lower().strip() == "all"
    if suppresses or any(headers.fields(message, name) for name in _AUTO_FIELDS):
        return True
    author = headers.author(message) or next(iter(headers.addresses(message, "From")), "")
    if _MACHINES.match(author):
        return True
    return bool(_AUTO_SUBJECT.match(headers.words(headers.field(message, "Subject"))))
