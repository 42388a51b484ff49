"""Invitations: what a code looks like, what is kept of it, the link that carries it."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.tokens import hash_code, invitation_link, make_code


@given(st.binary(min_size=16, max_size=48), st.from_regex(r"@?[A-Za-z0-9_]{5,32}", fullmatch=True))
def test_a_code_travels_in_a_deep_link_as_it_is(random_bytes: bytes, bot: str) -> None:
    """Telegram takes 1 to 64 of [A-Za-z0-9_-] as a payload, and nothing needs quoting."""
    code = make_code(random_bytes)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22,64}", code)
    parts = urlsplit(invitation_link(bot, code))
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "t.me", f"/{bot.lstrip('@')}")
    assert parse_qs(parts.query) == {"start": [code]}


def test_different_bytes_make_different_codes() -> None:
    """Nothing of the randomness is lost."""
    assert len({make_code(n.to_bytes(16, "big")) for n in range(1000)}) == 1000


@pytest.mark.parametrize("size", [0, 15, 49])
def test_too_little_or_too_much_randomness_is_refused(size: int) -> None:
    """Fewer than 128 bits could be guessed; more than 48 bytes are no payload."""
    with pytest.raises(ValueError, match="16 to 48"):
        make_code(bytes(size))


def test_only_a_hash_is_kept() -> None:
    """SHA-256 of the code; whatever a stranger types has one too."""
    assert hash_code("abc") == hashlib.sha256(b"abc").hexdigest()
    assert len({hash_code("mã"), hash_code("\ud800"), hash_code("")}) == 3
