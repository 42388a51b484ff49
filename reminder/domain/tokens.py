"""Proofs that only this program can have made: tokens in mail addresses, and invitation codes.

A mail is sent from `base+<purpose><message><expiry>.<mac>@domain`. The MAC covers the recipient,
so that a reply from anybody else is refused. Message-IDs carry a proof of the same kind, which
tells a bounce of our own mail from a forged one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

TOKEN_LIFETIME = timedelta(days=60)  # from the day of the mail
BOUNCE_LIFETIME = timedelta(days=7)  # servers give up after five (RFC 5321, 4.5.4.1)
MAX_LOCAL_PART = 64  # octets before @ (RFC 5321, 4.5.3.1.1)
_ID, _EXPIRY, _MAC, _PROOF = 10, 4, 18, 24  # characters of 5 bits: a MAC has 90 bits, a proof 120
MAX_BASE_LOCAL_PART = MAX_LOCAL_PART - len("+r.") - _ID - _EXPIRY - _MAC
_EPOCH = date(2020, 1, 1)
_TAG = re.compile(rf"([rbp])([a-z2-7]{{{_ID}}})([a-z2-7]{{{_EXPIRY}}})\.([a-z2-7]{{{_MAC}}})")


class Purpose(StrEnum):
    """What mail to the address is for; a token for one purpose is refused for another."""

    REPLY = "r"
    BOUNCE = "b"
    PROBE = "p"  # `reminder doctor` writes to itself


class Verdict(StrEnum):
    """The result of checking a token."""

    GOOD = "good"
    EXPIRED = "expired"
    WRONG = "wrong"  # altered, invented, or another recipient's


@dataclass(frozen=True, kw_only=True, slots=True)
class MailToken:
    """A token as read from an address, not verified."""

    purpose: Purpose
    message: str
    expiry: str
    mac: str


def normal_address(address: str) -> str:
    """Return `address` in lower case, for comparisons."""
    return address.strip().lower()


def message_key(secret: bytes, key: str) -> str:
    """Return the id of a message in its tokens; `key` is the same for all attempts to send it."""
    return _signed(secret, ["message", key], _ID)


def message_id(secret: bytes, message: str, recipient: str, domain: str) -> str:
    """Return `<id.proof@domain>`, the same at every attempt."""
    proof = _signed(secret, ["message-id", message, normal_address(recipient)], _PROOF)
    return f"<{message}.{proof}@{normal_address(domain)}>"


def plus_address(
    base: str, secret: bytes, purpose: Purpose, message: str, recipient: str, expires: date
) -> str:
    """Return `base` with a token; raise ValueError if the part before @ would be too long."""
    local, _, domain = base.rpartition("@")
    days = (expires - _EPOCH).days.to_bytes(5, "big")  # eight characters
    expiry = base64.b32encode(days).decode().lower()[-_EXPIRY:]
    mac = _mac(secret, purpose, message, expiry, recipient)
    local = f"{local}+{purpose}{message}{expiry}.{mac}"
    if len(local.encode()) > MAX_LOCAL_PART:
        raise ValueError(f"{base}: the part before @ may have {MAX_BASE_LOCAL_PART} octets at most")
    return f"{local}@{domain}"


def read_plus_address(address: str, base: str) -> MailToken | None:
    """Return the token in `address`; None if that is no plus-address of `base` with a token."""
    local, _, domain = normal_address(address).rpartition("@")
    own, _, own_domain = normal_address(base).rpartition("@")
    if domain != own_domain or not local.startswith(f"{own}+"):
        return None
    found = _TAG.fullmatch(local.removeprefix(f"{own}+"))
    if found is None:
        return None
    return MailToken(purpose=Purpose(found[1]), message=found[2], expiry=found[3], mac=found[4])


def verify_token(token: MailToken, secret: bytes, recipient: str, today: date) -> Verdict:
    """Return whether `token` was issued to `recipient` and has not expired on `today` (UTC)."""
    mac = _mac(secret, token.purpose, token.message, token.expiry, recipient)
    if not hmac.compare_digest(mac, token.mac):
        return Verdict.WRONG
    days = int.from_bytes(base64.b32decode(token.expiry.upper().rjust(8, "A")), "big")
    return Verdict.GOOD if today <= _EPOCH + timedelta(days=days) else Verdict.EXPIRED


def _mac(secret: bytes, purpose: Purpose, message: str, expiry: str, recipient: str) -> str:
    return _signed(secret, ["address", purpose, message, expiry, normal_address(recipient)], _MAC)


def _signed(secret: bytes, parts: list[str], length: int) -> str:
    digest = hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode().lower()[:length]


def webhook_secret(token: str, account: str) -> str:
    """Return the secret by which a provider's deliveries for an account prove themselves."""
    return hmac.new(token.encode(), f"webhook\0{account}".encode(), hashlib.sha256).hexdigest()


INVITATION_LIFETIME = timedelta(hours=72)  # from a Friday to the next Monday
CODE_BYTES = 16  # of randomness: 128 bits can't be guessed within the lifetime


def hash_code(code: str) -> str:
    """Return the hash of a code: only it is stored, so that the database gives no code away."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


# Of a code that is typed by hand: no 0 O, 1 I L, which are misread. 31**8 are 40 bits.
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 8
_TYPED = re.compile(r"[A-Z0-9]{6,8}")


def typed_code(text: str) -> str:
    """Return `text` as a typed code is written: in capitals, without blanks and hyphens."""
    return re.sub(r"[\s.–-]+", "", text).upper()


def is_typed_code(text: str) -> bool:
    """Return whether `text` has the form of a code that was issued."""
    code = typed_code(text)
    return len(code) == CODE_LENGTH and set(code) <= set(CODE_LETTERS)


def looks_like_code(text: str) -> bool:
    """Return whether `text` may be meant as a code, rightly typed or not; words are not."""
    one_word = len(text.split()) == 1 or text == text.upper() or re.search(r"\d", text)
    return is_typed_code(text) or bool(one_word and _TYPED.fullmatch(typed_code(text)))


def hash_typed_code(secret: str, channel: str, code: str) -> str:
    """Return the keyed hash of a channel's typed code: without the key 40 bits can be searched."""
    said = "\0".join(("invitation", channel, typed_code(code)))
    digest = hmac.new(secret.encode(), said.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return digest.hexdigest()


def invitation_link(bot_name: str, code: str) -> str:
    """Return the link that opens a chat with the bot; its Start button sends `/start CODE`."""
    return f"https://t.me/{bot_name.removeprefix('@')}?start={code}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """The identifiers by which an answer or a bounce is matched to a mail."""

    message_id: str
    reply_to: str = ""  # empty where nobody reads the mailbox
    bounces_to: str = ""  # the envelope's sender; empty as above


@dataclass(frozen=True, kw_only=True, slots=True)
class MailIdentity:
    """What the mails of an office have of its settings."""

    secret: bytes = field(repr=False)  # signs their addresses and Message-IDs
    inbox: str = ""  # the mailbox for answers and bounces; empty: there is none
    elsewhere: str = ""  # the other channels where answers are read, in words
    page: str = ""  # the address of the office's page; empty: it is off

    def marks(self, key: str, sender: str, recipient: str, at: datetime) -> Marks:
        """Return the marks of a mail; the same at every attempt at `key` on one day."""
        message = message_key(self.secret, key)
        identity = message_id(self.secret, message, recipient, sender.rpartition("@")[2])
        if not self.inbox:
            return Marks(message_id=identity)
        lifetimes = ((Purpose.REPLY, TOKEN_LIFETIME), (Purpose.BOUNCE, BOUNCE_LIFETIME))
        reply_to, bounces_to = (
            plus_address(self.inbox, self.secret, purpose, message, recipient, at.date() + lifetime)
            for purpose, lifetime in lifetimes
        )
        return Marks(message_id=identity, reply_to=reply_to, bounces_to=bounces_to)
