"""One-time invitations: the code, what is kept of it, and the link that carries it to the bot."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

HOLDS = timedelta(days=60)  # a token is good on that many days after its mail
LOCAL_LONGEST = 64
_ID, _EXPIRY, _MAC, _PROOF = 10, 4, 18, 24  # characters of 5 bits: a MAC of 90, a proof of 120
LONGEST_BASE = LOCAL_LONGEST - len("+r.") - _ID - _EXPIRY - _MAC
_EPOCH = date(2020, 1, 1)
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_TAG = re.compile(rf"([rbp])([a-z2-7]{{{_ID}}})([a-z2-7]{{{_EXPIRY}}})\.([a-z2-7]{{{_MAC}}})")
_MESSAGE_ID = re.compile(rf"<?([a-z2-7]{{{_ID}}})\.([a-z2-7]{{{_PROOF}}})@([^<>@\s]+)>?")


class Purpose(StrEnum):
    """What an address is for; one for answers is none for bounces."""

    REPLY = "r"
    BOUNCE = "b"
    PROBE = "p"  # `reminder doctor` writes to itself


class Verdict(StrEnum):
    """What a token is worth."""

    GOOD = "good"
    EXPIRED = "expired"
    WRONG = "wrong"  # altered, invented, or another recipient's


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A token as it stands in an address; nothing says yet that it is genuine."""

    purpose: Purpose
    message: str
    expiry: str
    mac: str


def folded(address: str) -> str:
    """`address` as all comparisons take it: without regard to the case of ASCII letters."""
    return address.strip().lower()


def message_key(secret: bytes, key: str) -> str:
    """The message's id in its tokens, from the key that is stable over all attempts at it."""
    return _signed(secret, ["message", key], _ID)


def message_id(secret: bytes, message: str, recipient: str, domain: str) -> str:
    """`<id.proof@domain>`: the same at every attempt, and nobody else can make it."""
    return f"<{message}.{_proof(secret, message, recipient)}@{folded(domain)}>"


def message_of(secret: bytes, identity: str, recipient: str) -> str | None:
    """The id within a Message-ID of ours that went to `recipient`; None if it is not that."""
    found = _MESSAGE_ID.fullmatch(folded(identity))
    if found is None:
        return None
    genuine = hmac.compare_digest(found[2], _proof(secret, found[1], recipient))
    return found[1] if genuine else None


def plus_address(
    base: str, secret: bytes, purpose: Purpose, message: str, recipient: str, expires: date
) -> str:
    """`base` with a token; ValueError if the local part would be too long."""
    local, _, domain = base.rpartition("@")
    expiry = _written((expires - _EPOCH).days)
    mac = _mac(secret, purpose, message, expiry, recipient)
    local = f"{local}+{purpose}{message}{expiry}.{mac}"
    if len(local.encode()) > LOCAL_LONGEST:
        raise ValueError(f"{base}: the part before @ may have {LONGEST_BASE} octets at most")
    return f"{local}@{domain}"


def token_in(address: str, base: str) -> Token | None:
    """The token that `address`, a plus-address of `base`, carries; None if there is none."""
    local, _, domain = folded(address).rpartition("@")
    own, _, own_domain = folded(base).rpartition("@")
    if domain != own_domain or not local.startswith(f"{own}+"):
        return None
    found = _TAG.fullmatch(local.removeprefix(f"{own}+"))
    if found is None:
        return None
    return Token(purpose=Purpose(found[1]), message=found[2], expiry=found[3], mac=found[4])


def judged(token: Token, secret: bytes, recipient: str, today: date) -> Verdict:
    """Whether `token` was issued to `recipient`, and holds on `today` (UTC)."""
    mac = _mac(secret, token.purpose, token.message, token.expiry, recipient)
    if not hmac.compare_digest(mac, token.mac):
        return Verdict.WRONG
    return (
        Verdict.GOOD if today <= _EPOCH + timedelta(days=_read(token.expiry)) else Verdict.EXPIRED
    )


def _mac(secret: bytes, purpose: Purpose, message: str, expiry: str, recipient: str) -> str:
    return _signed(secret, ["address", purpose, message, expiry, folded(recipient)], _MAC)


def _proof(secret: bytes, message: str, recipient: str) -> str:
    return _signed(secret, ["message-id", message, folded(recipient)], _PROOF)


def _signed(secret: bytes, parts: list[str], length: int) -> str:
    digest = hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode().lower()[:length]


def _written(number: int) -> str:
    digits = [_ALPHABET[(number >> shift) & 31] for shift in range(5 * (_EXPIRY - 1), -1, -5)]
    return "".join(digits)


def _read(text: str) -> int:
    value = 0
    for char in text:
        value = value * 32 + _ALPHABET.index(char)
    return value


INVITATION_HOLDS = timedelta(hours=72)  # long enough from a Friday to the Monday after
CODE_BYTES = 16  # 128 bits: nobody guesses one within its 72 hours


def make_code(random_bytes: bytes) -> str:
    """A code of [A-Za-z0-9_-], as Telegram takes it behind `?start=` (up to 64 characters)."""
    if not CODE_BYTES <= len(random_bytes) <= 48:
        raise ValueError(f"an invitation is made of {CODE_BYTES} to 48 random bytes")
    return base64.urlsafe_b64encode(random_bytes).rstrip(b"=").decode("ascii")


def hash_code(code: str) -> str:
    """All that is kept of a code: who reads the database can't use it."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


def link(bot_name: str, code: str) -> str:
    """The link that opens a chat with the bot and sends it `/start CODE` at the press of Start."""
    return f"https://t.me/{bot_name.removeprefix('@')}?start={code}"
