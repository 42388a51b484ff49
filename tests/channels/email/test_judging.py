"""An answer counts only if token, sender and our own server's word hold together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from hashlib import sha256
from typing import Any

import pytest

from reminder.channels.email.bounces import Failure
from reminder.channels.email.classify import (
    MOST_TOKENS,
    Answer,
    Authenticated,
    Bounced,
    Disposition,
    InboxRules,
    Kind,
    LeftUnread,
    Mail,
    Processed,
    extract_answer,
    own_words,
    triage,
)
from reminder.domain.context import Inbound
from reminder.domain.tokens import TOKEN_LIFETIME, Purpose, message_id, message_key, plus_address
from tests.services.world import at

NOW = at("24/01", "09:12")
AN, BINH, BOX = "An@xa.example", "binh@xa.example", "nhac@xa.example"
KNOWN = {"an@xa.example": AN, "binh@xa.example": BINH}
RULES = InboxRules(
    secret=b"bi-mat", address=BOX, sender=BOX, trust="auth-results", authserv_id="mx"
)
NUDGE = message_key(b"bi-mat", "row-1")
GENUINE = "mx; dmarc=pass header.from=xa.example"
FAILURE = Failure(recipient="an@xa.example", reason="5.1.1 no", hard=True, final=True)


def token(recipient: str = AN, purpose: Purpose = Purpose.REPLY) -> str:
    return plus_address(BOX, b"bi-mat", purpose, NUDGE, recipient, NOW.date() + TOKEN_LIFETIME)


def mail(**more: Any) -> Mail:
    values: dict[str, Any] = {
        "kind": Kind.ANSWER,
        "identity": "<r@mail>",
        "author": "an@XA.example",
        "recipients": (BOX, token()),
        "subject": "Re: Nhắc việc",
        "results": (GENUINE,),
        "at": NOW,
        "message": message_from_bytes(b"\nxong 1c"),
    }
    return Mail(**{**values, **more})


def fate(rules: InboxRules = RULES, **more: Any) -> Disposition:
    found = triage(mail(**more), rules, KNOWN, NOW)
    if isinstance(found, Authenticated):
        found = extract_answer(found, *own_words(found.mail))
    return found


def test_an_answer_is_the_officers_by_the_address_as_it_is_bound() -> None:
    """Sender and chat as the people file has them; the mail that it answers, known by its id."""
    assert fate() == Answer(
        Inbound(
            channel="email",
            update=f"<r@mail>#{sha256(b'xong 1c').hexdigest()[:12]}",
            sender=AN,
            chat=AN,
            private=True,
            text="xong 1c",
            message="<r@mail>",
            reply_to=message_id(b"bi-mat", NUDGE, AN, "xa.example"),
            subject="Re: Nhắc việc",
            at=NOW,
            proved=False,
        ),
        "xong 1c",
    )


@pytest.mark.parametrize("purpose", [Purpose.REPLY, Purpose.BOUNCE])
def test_of_thousands_of_tokens_the_first_ones_are_checked(purpose: Purpose) -> None:
    """A mail that tries many costs no more than one that tries a few."""
    kind = Kind.BOUNCE if purpose is Purpose.BOUNCE else Kind.ANSWER
    wrong, right = token("nobody@xa.example", purpose), token(AN, purpose)
    more: dict[str, Any] = {"kind": kind, "failures": (FAILURE,)}
    taken = fate(recipients=(*[wrong] * (MOST_TOKENS - 1), right), **more)
    assert isinstance(taken, Answer | Bounced)
    assert isinstance(fate(recipients=(*[wrong] * MOST_TOKENS, right), **more), LeftUnread)


LOGGED_IN = f"{GENUINE}; auth=pass smtp.auth={AN}"


@pytest.mark.parametrize(
    ("more", "header", "proved"),
    [
        ({}, "", False),
        ({"results": (LOGGED_IN,)}, "", True),
        ({"results": (LOGGED_IN.replace(AN, "an"),)}, "", True),  # a login without a domain
        ({"logins": {"x-auth-user": AN.upper()}}, "X-Auth-User", True),
        ({"logins": {"x-auth-user": AN}}, "", False),  # anybody may have written it
        ({"results": (GENUINE, "mx.evil; auth=pass smtp.auth=an@xa.example")}, "", False),
    ],
)
def test_the_person_is_proved_by_the_login_alone(
    more: dict[str, Any], header: str, *, proved: bool
) -> None:
    """DKIM, SPF and DMARC prove the domain."""
    found = fate(replace(RULES, login_header=header), **more)
    assert isinstance(found, Answer)
    assert found.inbound.proved is proved


@pytest.mark.parametrize(
    "more",
    [
        {"results": (LOGGED_IN.replace(AN, BINH),)},
        {"results": (LOGGED_IN,), "logins": {"x-auth-user": "binh"}},
        {"results": (LOGGED_IN.replace(AN, "an@mail.example"),)},
    ],
)
def test_a_colleagues_login_speaks_for_nobody_else(more: dict[str, Any]) -> None:
    """With From and token of the officer: forged."""
    found = fate(replace(RULES, login_header="X-Auth-User"), **more)
    assert found == LeftUnread(f"an answer from {AN}: somebody else had logged in", forged=True)


def test_the_same_id_with_other_words_is_another_mail() -> None:
    """Some clients write a Message-ID twice: each text acts, and each only once."""
    first, again, other = fate(), fate(), fate(message=message_from_bytes(b"\nxong 2c"))
    assert isinstance(first, Answer)
    assert isinstance(other, Answer)
    assert first == again
    assert first.inbound.update != other.inbound.update
    assert first.inbound.message == other.inbound.message


def test_words_that_can_not_be_made_out_are_taken_and_shown_to_a_person() -> None:
    """The officer is answered, and the mail stays unread."""
    found = fate(message=message_from_bytes("\nEm ch\ufffda xong 1c".encode()))
    assert isinstance(found, Answer)
    assert found.is_garbled


@pytest.mark.parametrize(
    "more",
    [
        {"author": "la@xa.example"},
        {"author": ""},
        {"author": BINH},  # a token for another person
        {"recipients": (token()[:-20] + "a" + token()[-19:],)},
        {"recipients": (token(purpose=Purpose.BOUNCE).replace("+b", "+r"),)},
        {"recipients": ("nhac+x@xa.example",)},
        {"results": ()},
        {"results": ("mx.evil; dmarc=pass",)},
        {"results": ("mx; dmarc=fail", GENUINE)},
    ],
)
def test_a_forged_mail_is_left_and_counted(more: dict[str, Any]) -> None:
    """Each of the three conditions alone refuses it."""
    found = fate(**more)
    assert isinstance(found, LeftUnread)
    assert found.forged


def test_what_pretends_nothing_is_left_but_no_forgery() -> None:
    """Ordinary mail, an answer without words, an answer that comes too late, our own mail."""
    late = triage(mail(), RULES, KNOWN, NOW + TOKEN_LIFETIME + timedelta(days=1))
    for found in (fate(recipients=(BOX,)), fate(message=message_from_bytes(b"")), late):
        assert isinstance(found, LeftUnread)
        assert (found.forged, found.own) == (False, False)
    assert fate(author=BOX) == LeftUnread("our own mail", own=True)


def test_token_trust_needs_no_word_of_the_server() -> None:
    """Token and sender suffice; another's token still does not."""
    rules = replace(RULES, trust="token")
    assert isinstance(fate(rules, results=()), Answer)
    assert isinstance(fate(rules, results=(), author=BINH), LeftUnread)


@pytest.mark.parametrize("kind", [Kind.AUTO_REPLY, Kind.LIST, Kind.CALENDAR, Kind.RECEIPT])
@pytest.mark.parametrize("purpose", [Purpose.REPLY, Purpose.BOUNCE])
def test_what_a_machine_says_to_our_mail_is_put_away(kind: Kind, purpose: Purpose) -> None:
    """An out-of-office comes to Reply-To or to the envelope's sender; neither is answered."""
    assert isinstance(fate(kind=kind, recipients=(token(purpose=purpose),)), Processed)
    assert isinstance(fate(kind=kind, recipients=(BOX,)), LeftUnread)


def test_a_bounce_is_believed_by_the_token_of_the_envelope_alone() -> None:
    """Not by a Message-ID, which a forwarded mail shows; nor late, nor if it names another."""
    bounce: dict[str, Any] = {
        "kind": Kind.BOUNCE,
        "failures": (FAILURE,),
        "author": "mailer-daemon@xa.example",
        "results": (),
    }
    to_envelope = (token(purpose=Purpose.BOUNCE),)
    assert fate(**bounce, recipients=to_envelope) == Bounced(
        recipient=AN,
        message_id=message_id(b"bi-mat", NUDGE, AN, "xa.example"),
        failure=FAILURE,
        claimed_by="mailer-daemon@xa.example",
    )
    others = (replace(FAILURE, recipient=BINH),)
    for found in (
        fate(**bounce, recipients=(BOX,)),
        fate(**bounce, recipients=(token(),)),  # of an answer
        fate(**{**bounce, "failures": others}, recipients=to_envelope),
    ):
        assert isinstance(found, LeftUnread)
        assert (found.kind, found.forged) == (Kind.BOUNCE, False)
