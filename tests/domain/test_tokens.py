"""Mail tokens, Message-IDs and invitation codes can't be altered or used by others."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.tokens import (
    CODE_BYTES,
    MAX_BASE_LOCAL_PART,
    TOKEN_LIFETIME,
    MailToken,
    Purpose,
    Verdict,
    hash_code,
    invitation_link,
    message_id,
    message_key,
    plus_address,
    read_plus_address,
    verify_token,
)

SECRET, BASE, AN = b"bi-mat", "nhac@xa.example", "an@xa.example"
DAY = date(2024, 1, 24)
MESSAGE = message_key(SECRET, "2024-01-24/nudge//an")


def address(purpose: Purpose = Purpose.REPLY, recipient: str = AN, base: str = BASE) -> str:
    return plus_address(base, SECRET, purpose, MESSAGE, recipient, DAY + TOKEN_LIFETIME)


def read(text: str) -> MailToken:
    token = read_plus_address(text, BASE)
    assert token is not None
    return token


def test_a_token_says_which_message_and_holds_for_its_recipient_sixty_days() -> None:
    """Good until the sixtieth day, expired on the next; wrong for another recipient."""
    token = read(address())
    assert (token.purpose, token.message) == (Purpose.REPLY, MESSAGE)
    assert verify_token(token, SECRET, AN, DAY + TOKEN_LIFETIME) is Verdict.GOOD
    assert (
        verify_token(token, SECRET, AN, DAY + TOKEN_LIFETIME + timedelta(days=1)) is Verdict.EXPIRED
    )
    assert verify_token(token, SECRET, "binh@xa.example", DAY) is Verdict.WRONG
    assert verify_token(token, b"khac", AN, DAY) is Verdict.WRONG


def test_an_address_for_bounces_is_none_for_answers() -> None:
    """The MAC covers the purpose: changing its letter makes the token wrong."""
    local = address(Purpose.BOUNCE).replace("+b", "+r")
    assert verify_token(read(local), SECRET, AN, DAY) is Verdict.WRONG


@given(st.data())
def test_letter_case_does_not_matter_and_any_other_change_does(data: st.DataObject) -> None:
    """Servers may alter case; one other letter anywhere in the token refuses it."""
    text = address()
    shouted = "".join(data.draw(st.sampled_from([c.lower(), c.upper()])) for c in text)
    assert verify_token(read(shouted), SECRET, AN.upper(), DAY) is Verdict.GOOD
    place = data.draw(st.integers(len("nhac+r"), text.index("@") - 1))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz234567."))
    altered = read_plus_address(text[:place] + letter + text[place + 1 :], BASE)
    if letter != text[place]:
        assert altered is None or verify_token(altered, SECRET, AN, DAY) is Verdict.WRONG


@pytest.mark.parametrize(
    "text", ["", "nhac@xa.example", "nhac+x@xa.example", "nhac+r.@xa.example", "@", "nhac+r"]
)
def test_what_is_no_token_is_none(text: str) -> None:
    """An ordinary address, a stub, another host's."""
    assert read_plus_address(text, BASE) is None
    assert read_plus_address(address(), "nhac@khac.example") is None
    assert read_plus_address(address(), "khac@xa.example") is None


def test_the_local_part_fits_into_64_octets_or_is_refused() -> None:
    """The longest base just fits; one more octet is a ValueError that says how many may be."""
    fits = address(base="a" * MAX_BASE_LOCAL_PART + "@xa.example")
    assert len(fits.partition("@")[0]) == 64
    with pytest.raises(ValueError, match=str(MAX_BASE_LOCAL_PART)):
        address(base="a" * (MAX_BASE_LOCAL_PART + 1) + "@xa.example")


def test_a_message_id_proves_itself() -> None:
    """The same for a repeat, another for another row, person or secret; nobody else makes one."""
    ids = {
        message_id(secret, message_key(secret, key), person, "xa.example")
        for secret in (SECRET, b"khac")
        for key in ("row-1", "row-2")
        for person in (AN, "binh@xa.example")
    }
    assert len(ids) == 8


@given(st.from_regex(r"@?[A-Za-z0-9_]{5,32}", fullmatch=True))
def test_a_code_travels_in_a_deep_link_as_it_is(bot: str) -> None:
    """Telegram takes 1 to 64 of [A-Za-z0-9_-] as a payload, and nothing needs quoting."""
    code = secrets.token_urlsafe(CODE_BYTES)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22,64}", code)
    parts = urlsplit(invitation_link(bot, code))
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "t.me", f"/{bot.lstrip('@')}")
    assert parse_qs(parts.query) == {"start": [code]}


def test_only_a_hash_is_kept() -> None:
    """SHA-256 of the code; whatever a stranger types has one too."""
    assert hash_code("abc") == hashlib.sha256(b"abc").hexdigest()
    assert len({hash_code("mã"), hash_code("\ud800"), hash_code("")}) == 3
