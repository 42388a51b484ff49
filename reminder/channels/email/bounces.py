"""Bounces: whom a mail did not reach, and whether it ever will (RFC 3464; else flufl.bounce)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message

from flufl.bounce import all_failures

from reminder.channels.email import mime
from reminder.channels.email.errors import ENHANCED_CODE, UNKNOWN_USER
from reminder.channels.email.mime import children, parts, text_of

_UNKNOWN_USER = re.compile(
    rf"(?i){UNKNOWN_USER}|does(?: not|n't) exist|recipient not found|account .{{0,30}}disabled|"
    r"mailbox unavailable"
)
# Of the 5.x.x (RFC 3463) those that blame a full box, the mail, the way or a rule: the address
# may be alive, so that they only count.
_PASSING = re.compile(r"5\.(?:2\.[0234]|3\.\d+|4\.[23567]|6\.\d+|7\.\d+|1\.[78])")
# Of a bounce in words: lines, each of which is held against some fifty patterns; their characters
# (RFC 5322 has no longer ones), and those of a field, whose addresses take squared time.
MOST_LINES, LONGEST_LINE = 500, 998
_MAILER = re.compile(r"(?i)^(?:mailer-daemon|postmaster|mail-daemon|mdaemon|maildelivery)\b")
_SUBJECTS = re.compile(
    r"(?i)^\W*(?:undeliver|delivery (?:status|failure|has failed|incomplete|delayed)|"
    r"mail delivery (?:failed|system|subsystem)|returned mail|failure notice|"
    r"delivery notification|không gửi được|thư không gửi được|thông báo trạng thái gửi|"
    r"gửi thư không thành công|warning: could not send)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """One recipient that a mail did not reach, or not yet."""

    recipient: str  # empty: the bounce does not name it
    reason: str  # what the other server said
    hard: bool  # the address itself is refused: it never will
    final: bool  # nobody tries any longer


def failures(message: Message) -> tuple[Failure, ...]:
    """Return the failures that a bounce reports; empty if the mail is no bounce."""
    told = [one for part in parts(message) for one in _of_report(part)]
    if told:
        return tuple(told)
    if not _looks_returned(message):
        return ()
    return _of_text(message)


def _of_report(part: Message) -> list[Failure]:
    """Return the failed recipients of a message/delivery-status part."""
    if part.get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
        return []
    found = []
    for block in children(part):
        action = mime.field(block, "Action").lower().partition("(")[0].strip()
        if action not in ("failed", "delayed"):
            continue
        said = mime.unencoded(mime.field(block, "Diagnostic-Code"))
        status = mime.field(block, "Status")
        final = action == "failed"
        address = _typed(mime.field(block, "Original-Recipient")) or _typed(
            mime.field(block, "Final-Recipient")
        )
        reason = " ".join(f"{_code(status)} {said.partition(';')[2] or said}".split())[:200]
        hard = final and _is_hard(status, said)
        found.append(Failure(recipient=address, reason=reason, hard=hard, final=final))
    return found


def _is_hard(status: str, said: str) -> bool:
    if _UNKNOWN_USER.search(said):
        return True
    code = _code(status)
    if code in ("", "5.0.0") and (better := ENHANCED_CODE.search(said)):
        code = better[0]
    return code.startswith("5") and not _PASSING.fullmatch(code)


def _code(status: str) -> str:
    found = ENHANCED_CODE.search(status)
    return found[0] if found else ""


def _typed(value: str) -> str:
    """“rfc822; an@xa.example” → the address."""
    address = value.rpartition(";")[2].strip().strip("<>")
    return address if "@" in address else ""


def _looks_returned(message: Message) -> bool:
    sender = mime.author(message) or next(iter(mime.addresses(message, "From")), "")
    if _MAILER.match(sender) or mime.field(message, "X-Failed-Recipients"):
        return True
    return bool(_SUBJECTS.match(mime.unencoded(mime.field(message, "Subject"))))


def _shortened(message: Message) -> Message:
    """Return the head and the parts, each cut to what the server itself says first."""
    short = Message()
    for name in ("From", "Subject", "Content-Type", "X-Failed-Recipients"):
        for value in mime.fields(message, name)[:1]:
            short[name] = value[:LONGEST_LINE]
    for part in parts(message):
        try:
            payload = part.get_payload()
        except (ValueError, TypeError):  # it decodes by the charset that is named, which is none
            del part["Content-Type"]
            payload = part.get_payload()
        if isinstance(payload, str):
            lines = (line[:LONGEST_LINE] for line in payload.split("\n", MOST_LINES)[:MOST_LINES])
            part.set_payload("\n".join(lines))
    short.set_payload(message.get_payload())
    return short


def _of_text(message: Message) -> tuple[Failure, ...]:
    """Return the failures of a bounce in words, as flufl.bounce reads it."""
    message = _shortened(message)
    try:
        passing, lasting = all_failures(message)
    except Exception:  # noqa: BLE001  its detectors read what strangers wrote
        passing, lasting = frozenset(), frozenset()
    text = text_of(message)[:20_000]
    code = ENHANCED_CODE.search(text)
    reason = code[0] if code else ""
    named = [a.decode("ascii", "replace") for a in sorted(lasting)]
    named = named or mime.addresses(message, "X-Failed-Recipients")
    hard = _is_hard(reason, text) if reason else True
    found = [Failure(recipient=a, reason=reason, hard=hard, final=True) for a in named]
    for address in sorted(passing - lasting):
        name = address.decode("ascii", "replace")
        found.append(Failure(recipient=name, reason=reason, hard=False, final=False))
    if not found and reason:
        passes = reason.startswith("4")
        found.append(Failure(recipient="", reason=reason, hard=hard, final=not passes))
    return tuple(found)
