"""Classify a mail: what it is, who proved to have sent it, and what is done with it.

An answer counts only if all of this holds: the token in the address is genuine and unexpired, From
is whom it was issued to, and our own server vouches for that (`trust = "auth-results"`). From alone
proves nothing; In-Reply-To and References are hints, which some clients drop.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import Message
from enum import StrEnum
from itertools import islice
from typing import Literal

from reminder.channels.email import TRAITS, bounces, mime
from reminder.channels.email.authentication import (
    Person,
    distrust,
    own_results,
    person,
    results_of,
)
from reminder.channels.email.bounces import Failure
from reminder.channels.email.mime import is_file, parse, parts, text_in, text_of
from reminder.channels.email.quotes import MARK, NO_MARKS, OwnMarks, split_reply, without_courtesy
from reminder.domain.charset import is_garbled
from reminder.domain.context import Inbound
from reminder.domain.tokens import (
    MailToken,
    Purpose,
    Verdict,
    message_id,
    normal_address,
    read_plus_address,
    verify_token,
)

LONGEST_ID = 200  # characters of a Message-ID that is kept as it stands
MOST_TOKENS = 20  # of one mail that are checked, each against all officers; an answer has one
Trust = Literal["auth-results", "token"]

# Where servers leave the address to which a mail came.
_TO = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-RcptTo",
       "X-Forwarded-To", "Apparently-To")  # fmt: skip
_AUTO_FIELDS = (
    *("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Response", "X-Auto-Reply"),
    *("X-AutoReply-From", "X-Mail-Autoreply", "X-Vacation-From", "X-FC-MachineGenerated"),
)
_NO = ("", "no", "false", "0", "none", "off")
_AUTO_SUBMITTED = ("auto-replied", "auto-generated", "auto-notified")
_REACTION = "text/vnd.google.email-reaction+json"
# Of RFC 5546: an answer to an invitation, or one; “publish” is a file like any other.
_METHOD = re.compile(
    r"\bmethod\W{1,3}(?:reply|counter|declinecounter|refresh|request|cancel|add)\b"
)


class Kind(StrEnum):
    """The kind of a mail; only an answer is acted on."""

    ANSWER = "answer"
    BOUNCE = "bounce"
    AUTO_REPLY = "automatic"
    LIST = "list"
    CALENDAR = "calendar"
    RECEIPT = "receipt"
    EMPTY = "empty"  # nothing but a quote or a signature


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A parsed mail; nothing of it is trusted, and its own words are not yet extracted."""

    kind: Kind  # by its head and its parts
    identity: str  # its Message-ID, or a digest where it has none
    author: str  # the one address of From; empty where that is not clear
    author_name: str = ""
    recipients: tuple[str, ...]
    subject: str
    results: tuple[str, ...]  # its Authentication-Results, top first
    logins: Mapping[str, str] = field(default_factory=dict)  # headers that may name a login
    at: datetime | None
    failures: tuple[Failure, ...] = ()
    returned_to: tuple[str, ...] = ()  # to whom the mail was written that a bounce brings back
    message: Message | None = field(default=None, repr=False, compare=False)  # for its words


def read(content: bytes) -> Mail:
    """Parse a mail, also one that is cut off; never raises."""
    message = parse(content)
    failed = bounces.failures(message)
    subject = mime.unencoded(mime.field(message, "Subject"))[:300]
    return Mail(
        kind=Kind.BOUNCE if failed else _kind(message, subject),
        identity=_identity(message, content),
        author=mime.author(message),
        author_name=mime.author_name(message),
        recipients=tuple(mime.addresses(message, *_TO)),
        subject=subject,
        results=results_of(message),
        logins=mime.logins(message),
        at=mime.written(message),
        failures=failed,
        returned_to=tuple(islice(_returned_to(message), MOST_TOKENS)) if failed else (),
        message=message,
    )


def _returned_to(message: Message) -> Iterator[str]:
    """Yield the addresses in To of the mails within a mail, also where only their heads are."""
    for part in islice(message.walk(), 1, 50):
        yield from mime.addresses(part, "To")
        if part.get_content_type() == "text/rfc822-headers":
            yield from mime.addresses(parse(text_in(part).encode("utf-8", "replace")), "To")


def _identity(message: Message, content: bytes) -> str:
    found = mime.field(message, "Message-ID")
    if 2 < len(found) <= LONGEST_ID and not re.search(r"\s", found):
        return found
    return f"sha256:{hashlib.sha256(found.encode() if found else content).hexdigest()}"


def _kind(message: Message, subject: str) -> Kind:
    """Return the kind by the headers and parts (RFC 3834 and its kin)."""
    kinds = [part.get_content_type() for part in parts(message)]
    subject = MARK["prefixes"].sub("", subject)
    if kinds[0] == "multipart/report" or "message/disposition-notification" in kinds:
        return Kind.RECEIPT
    if MARK["receipt-subject"].match(subject):
        return Kind.RECEIPT
    if _REACTION in kinds or MARK["automatic-subject"].match(subject) or _is_automatic(message):
        return Kind.AUTO_REPLY
    if mime.fields(message, "List-Id") and (
        mime.fields(message, "List-Unsubscribe") or mime.fields(message, "List-Post")
    ):
        return Kind.LIST
    invited = any(_METHOD.search(_scheduling(part)) for part in parts(message))
    if invited or MARK["calendar-subject"].match(subject):
        return Kind.CALENDAR
    return Kind.ANSWER


def _scheduling(part: Message) -> str:
    """Return what a part tells a calendar program; empty for an attached file."""
    if part.get_content_type() != "text/calendar" or is_file(part):
        return ""
    declared = mime.field(part, "Content-Type").lower()
    return f"{declared}\n{text_in(part)[:2000].lower()}"


def _is_automatic(message: Message) -> bool:
    """Return whether the headers say that a machine wrote the mail.

    Gateways add Precedence, List-Id and X-Auto-Response-Suppress to people's mails, and forwarding
    rules add “auto-forwarded”, so these count for nothing.
    """
    submitted = mime.field(message, "Auto-Submitted").lower()
    returns_to = mime.fields(message, "Return-Path")[:1]
    said = (value for name in _AUTO_FIELDS for value in mime.fields(message, name))
    author = mime.author(message) or next(iter(mime.addresses(message, "From")), "")
    return (
        submitted.startswith(_AUTO_SUBMITTED)
        or any(not path.strip("<> ") for path in returns_to)
        or mime.field(message, "Precedence").lower() in ("auto_reply", "auto-reply")
        or any(value.lower() not in _NO for value in said)
        or bool(MARK["machine"].match(author))
    )


def own_words(mail: Mail, ours: OwnMarks = NO_MARKS) -> tuple[Kind, str]:
    """Return the kind by the mail's own words too, and these words if it is an answer."""
    if mail.kind is not Kind.ANSWER:
        return mail.kind, ""
    assert mail.message is not None
    reply = split_reply(text_of(mail.message), ours, mail.author_name)
    text = " ".join(reply.unquoted[:3000].split())
    absent = MARK["absent"].search(text) and MARK["later"].search(text)
    if absent or MARK["automatic-words"].search(text):
        return Kind.AUTO_REPLY, ""
    return (Kind.ANSWER if reply.words else Kind.EMPTY), reply.words


@dataclass(frozen=True, kw_only=True)
class InboxRules:
    """The mailbox, and what a sender has to prove; `secret` signs our outgoing mail."""

    secret: bytes = field(repr=False)
    address: str  # the mailbox; answers come to plus-addresses of it
    sender: str  # From of what the program sends
    sender_name: str = ""
    trust: Trust
    authserv_id: str = ""
    login_header: str = ""  # in which our server writes who had logged in

    @property
    def domain(self) -> str:
        return self.sender.rpartition("@")[2]

    def marks(self, said: str) -> OwnMarks:
        """Return what tells our own words from an answer to the mail with the text `said`."""
        return OwnMarks((self.address, self.sender), self.sender_name, said)


@dataclass(frozen=True, kw_only=True, slots=True)
class Authenticated:
    """A mail proved to be an officer's; its words are not yet extracted."""

    mail: Mail
    inbound: Inbound  # without its text


@dataclass(frozen=True, slots=True)
class Answer:
    """An officer's answer."""

    inbound: Inbound
    words: str  # its text with the greeting and the good wishes around it
    is_garbled: bool = False  # some words are unreadable: a person should look at the mail


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounced:
    """A mail of ours that did not reach `recipient`."""

    recipient: str
    message_id: str
    failure: Failure
    claimed_by: str  # From of the bounce


@dataclass(frozen=True, slots=True)
class Processed:
    """A machine's reply to one of our mails: moved to the processed folder."""

    why: str
    kind: Kind = Kind.AUTO_REPLY


@dataclass(frozen=True, slots=True)
class LeftUnread:
    """The mail stays unread, for a person."""

    why: str
    kind: Kind | None = None
    forged: bool = False  # it pretends to be an officer's
    own: bool = False  # the program wrote it itself


Disposition = Authenticated | Answer | Bounced | Processed | LeftUnread


def triage(mail: Mail, rules: InboxRules, known: Mapping[str, str], now: datetime) -> Disposition:
    """Return what is done with `mail`, its words not yet read.

    `known`: the officers' addresses, normalized → as bound.
    """
    if normal_address(mail.author) in (normal_address(rules.address), normal_address(rules.sender)):
        return LeftUnread("our own mail", own=True)
    found = (read_plus_address(address, rules.address) for address in mail.recipients)
    tokens = list(islice(filter(None, found), MOST_TOKENS))
    if mail.kind is Kind.BOUNCE:
        return _bounced(mail, rules, tokens, known, now)
    issued = _issued(tokens, rules, known, now)
    answers = [token for token in tokens if token.purpose is Purpose.REPLY]
    if not answers:
        return _without_token(mail, rules, issued=issued is not None)
    address = known.get(normal_address(mail.author))
    if address is None:
        nobody = mail.author or "nobody, or several"
        return LeftUnread(f"an answer from {nobody}, whom no token was issued to", forged=True)
    verdicts = [verify_token(token, rules.secret, address, now.date()) for token in answers]
    if Verdict.GOOD not in verdicts:
        if Verdict.EXPIRED in verdicts:
            return LeftUnread(f"an answer of {address} to a mail that is too old")
        return LeftUnread(f"an answer from {address} with a token that is not theirs", forged=True)
    results = own_results(mail.results, rules.authserv_id)
    if rules.trust == "auth-results":
        doubt = distrust(results, mail.author)
        if doubt:
            return LeftUnread(f"an answer from {address}: {doubt}", forged=True)
    login = mail.logins.get(rules.login_header.lower(), "")
    own = rules.address.rpartition("@")[2]
    who = person(results, mail.author, own, login)
    if who is Person.OTHER:
        return LeftUnread(f"an answer from {address}: somebody else had logged in", forged=True)
    if mail.kind is not Kind.ANSWER:
        return Processed(f"{mail.kind} of {address}", mail.kind)
    token = answers[verdicts.index(Verdict.GOOD)]
    inbound = Inbound(
        channel=TRAITS.name,
        update=mail.identity,
        sender=address,
        chat=address,
        private=True,
        message=mail.identity,
        reply_to=message_id(rules.secret, token.message, address, rules.domain),
        subject=mail.subject,
        at=mail.at,
        proved=who is Person.PROVED,
    )
    return Authenticated(mail=mail, inbound=inbound)


def extract_answer(authenticated: Authenticated, kind: Kind, words: str) -> Disposition:
    """Return the officer's answer, or why there is none, by what `own_words` found.

    The same Message-ID with other words is another mail: some clients use one twice.
    """
    address = authenticated.inbound.sender
    if kind is Kind.EMPTY:
        return LeftUnread(f"an answer of {address} without any words of its own", kind)
    if kind is not Kind.ANSWER:
        return Processed(f"{kind} of {address}", kind)
    digest = hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:12]
    inbound = replace(
        authenticated.inbound,
        update=f"{authenticated.mail.identity}#{digest}",
        text=without_courtesy(words),
    )
    return Answer(inbound, words, is_garbled(words))


def _without_token(mail: Mail, rules: InboxRules, *, issued: bool) -> Disposition:
    """Return what is done with a mail without a reply token; `issued`: it has another of ours."""
    if issued and mail.kind not in (Kind.ANSWER, Kind.EMPTY):
        return Processed(f"{mail.kind} to an address for bounces")
    local, _, domain = normal_address(rules.address).rpartition("@")
    ours = (normal_address(a).rpartition("@") for a in mail.recipients)
    if any(own.startswith(f"{local}+") and there == domain for own, _, there in ours):
        return LeftUnread("an answer to an address that was never given out", forged=True)
    return LeftUnread(f"{mail.kind} that answers no mail of ours")


def _bounced(
    mail: Mail,
    rules: InboxRules,
    tokens: list[MailToken],
    known: Mapping[str, str],
    now: datetime,
) -> Disposition:
    """Return the mail that bounced, if the bounce came to the envelope's address of that mail.

    Nothing else is believed: a Message-ID stands in whatever was forwarded.
    """
    found = _issued([t for t in tokens if t.purpose is Purpose.BOUNCE], rules, known, now)
    if found is None:
        return LeftUnread("a bounce without a valid token of ours", Kind.BOUNCE)
    address, message = found
    whom = ("", normal_address(address))
    failure = next((one for one in mail.failures if normal_address(one.recipient) in whom), None)
    if failure is None:
        return LeftUnread(f"a bounce to {address} that names another recipient", Kind.BOUNCE)
    identity = message_id(rules.secret, message, address, rules.domain)
    return Bounced(recipient=address, message_id=identity, failure=failure, claimed_by=mail.author)


def _issued(
    tokens: Iterable[MailToken], rules: InboxRules, known: Mapping[str, str], now: datetime
) -> tuple[str, str] | None:
    """Return to whom one of `tokens` was issued, and of which message."""
    for token in tokens:
        for address in known.values():
            if verify_token(token, rules.secret, address, now.date()) is Verdict.GOOD:
                return address, token.message
    return None
