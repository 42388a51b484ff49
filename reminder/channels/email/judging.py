"""What is done with a mail: taken as an answer, noted as a bounce, put away, or left for a person.

An answer counts only if all of this holds: the token in the address is genuine and unexpired, From
is whom it was issued to, and our own server vouches for that (`trust = "auth-results"`). From alone
proves nothing; In-Reply-To and References are hints, which some clients drop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from reminder.channels.email.bounces import Failure
from reminder.channels.email.reading import Kind, Mail
from reminder.channels.email.trust import distrust
from reminder.domain.context import Inbound
from reminder.domain.tokens import (
    MailToken,
    Purpose,
    Verdict,
    message_id,
    normal_address,
    read_message_id,
    read_plus_address,
    verify_token,
)
from reminder.services.office import EMAIL

Trust = Literal["auth-results", "token"]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Whose mail this is, and what has to be proved; `secret` is that of our outgoing mail."""

    secret: bytes = field(repr=False)
    address: str  # the mailbox; answers come to plus-addresses of it
    sender: str  # From of what the program sends
    trust: Trust
    authserv_id: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An officer's words, proved to be theirs."""

    inbound: Inbound


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounced:
    """A mail of ours that did not reach `recipient`."""

    recipient: str
    message_id: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class PutAway:
    """It belongs to our traffic and is no answer: nobody needs to see it."""

    why: str


@dataclass(frozen=True, slots=True)
class Left:
    """It stays in the folder, unread, for a person."""

    why: str
    forged: bool = False  # it pretends to be an answer
    own: bool = False  # we wrote it: not counted


Fate = Answer | Bounced | PutAway | Left


def judge(mail: Mail, rules: Rules, known: Mapping[str, str], now: datetime) -> Fate:
    """What becomes of `mail`; `known`: the officers' addresses, folded → as they are bound."""
    if normal_address(mail.author) in (normal_address(rules.address), normal_address(rules.sender)):
        return Left("our own mail", own=True)
    tokens = [t for a in mail.recipients if (t := read_plus_address(a, rules.address)) is not None]
    if mail.kind is Kind.BOUNCE:
        return _bounced(mail, rules, tokens, known, now)
    answers = [token for token in tokens if token.purpose is Purpose.REPLY]
    if not answers:
        return _untold(mail, rules, tokens, known, now)
    address = known.get(normal_address(mail.author))
    if address is None:
        who = mail.author or "nobody, or several"
        return Left(f"an answer from {who}, whom no token was issued to", forged=True)
    verdicts = [verify_token(token, rules.secret, address, now.date()) for token in answers]
    if Verdict.GOOD not in verdicts:
        if Verdict.EXPIRED in verdicts:
            return Left(f"an answer of {address} to a mail that is too old")
        return Left(f"an answer from {address} with a token that is not theirs", forged=True)
    if rules.trust == "auth-results":
        doubt = distrust(mail.results, rules.authserv_id, mail.author)
        if doubt:
            return Left(f"an answer from {address}: {doubt}", forged=True)
    if mail.kind is Kind.EMPTY:
        return Left(f"an answer of {address} without any words of its own")
    if mail.kind is not Kind.ANSWER:
        return PutAway(f"{mail.kind} of {address}")
    token = answers[verdicts.index(Verdict.GOOD)]
    return Answer(_inbound(mail, rules, token, address))


def _inbound(mail: Mail, rules: Rules, token: MailToken, address: str) -> Inbound:
    domain = rules.sender.rpartition("@")[2]
    return Inbound(
        channel=EMAIL,
        update=mail.identity,
        sender=address,
        chat=address,
        private=True,
        text=mail.text,
        message=mail.identity,
        reply_to=message_id(rules.secret, token.message, address, domain),
        subject=mail.subject,
        at=mail.at,
    )


def _untold(
    mail: Mail, rules: Rules, tokens: Sequence[MailToken], known: Mapping[str, str], now: datetime
) -> Fate:
    """A mail to nobody's token: a machine's word to where bounces go is put away."""
    automatic = mail.kind not in (Kind.ANSWER, Kind.EMPTY)
    if automatic and _issued(tokens, rules, known, now):
        return PutAway(f"{mail.kind} to an address for bounces")
    local, _, domain = normal_address(rules.address).rpartition("@")
    ours = (normal_address(a).rpartition("@") for a in mail.recipients)
    if any(own.startswith(f"{local}+") and there == domain for own, _, there in ours):
        return Left("an answer to an address that was never given out", forged=True)
    return Left(f"{mail.kind} that answers no mail of ours")


def _bounced(
    mail: Mail, rules: Rules, tokens: Sequence[MailToken], known: Mapping[str, str], now: datetime
) -> Fate:
    """A bounce is believed only if it comes to an address, or bears a Message-ID, that is ours.

    Which of the two is a proof in itself: nobody but whoever handles our mail has seen them.
    """
    domain = rules.sender.rpartition("@")[2]
    found = _issued(tokens, rules, known, now)
    for identity in mail.returned if found is None else ():
        for address in known.values():
            message = read_message_id(rules.secret, identity, address)
            if message is not None:
                found = (address, message)
    if found is None:
        return Left("a bounce of no mail of ours", forged=bool(tokens))
    address, message = found
    named = [
        one
        for one in mail.failures
        if normal_address(one.recipient) in ("", normal_address(address))
    ]
    failure = next(iter(named), mail.failures[0])  # an alias may have been named in its place
    identity = message_id(rules.secret, message, address, domain)
    return Bounced(recipient=address, message_id=identity, failure=failure)


def _issued(
    tokens: Sequence[MailToken], rules: Rules, known: Mapping[str, str], now: datetime
) -> tuple[str, str] | None:
    """Whose token this is, and of which message: the MAC itself is the address book."""
    for token in tokens:
        for address in known.values():
            if verify_token(token, rules.secret, address, now.date()) is Verdict.GOOD:
                return address, token.message
    return None
