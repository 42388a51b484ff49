"""The head of a mail, read from bytes of strangers: each value as text, nothing raises."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from unicodedata import normalize

from reminder.channels.email.body import text_in
from reminder.domain.people import MAIL_ADDRESS

LONGEST = 20_000  # characters that are read of one field
_QUOTED_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)")
_ID = re.compile(r"<[^<>\s]{1,240}>")


def fields(message: Message, name: str) -> list[str]:
    """All fields of this name, top first, unfolded; encoded words as they stand."""
    found: list[str] = []
    try:
        values = message.get_all(name, [])
    except Exception:  # noqa: BLE001  a field that the parser itself can't give
        return []
    for value in values:
        try:
            text = str(value)
        except Exception:  # noqa: BLE001, S112  bytes in no charset
            continue
        found.append(re.sub(r"[\r\n]+[ \t]*", " ", text[:LONGEST]).strip())
    return found


def field(message: Message, name: str) -> str:
    """The first field of this name; empty if there is none."""
    return next(iter(fields(message, name)), "")


def words(text: str) -> str:
    """A field with its encoded words read (RFC 2047), on one line."""
    try:
        pieces = decode_header(text)
    except Exception:  # noqa: BLE001  base64 that is none
        pieces = [(text, None)]
    said = (
        piece if isinstance(piece, str) else text_in(piece, charset or "ascii")
        for piece, charset in pieces
    )
    return " ".join(normalize("NFC", "".join(said)).split())


def author(message: Message) -> str:
    """The one address of the one From; empty if there are several, or it can be read in two ways.

    A From that two programs read differently would let one check what the other believes.
    """
    values = fields(message, "From")
    if len(values) != 1:
        return ""
    bare = _QUOTED_STRING.sub(" ", values[0])
    for _ in range(5):
        bare = _COMMENT.sub(" ", bare)
    if "<" not in bare:
        found = MAIL_ADDRESS.fullmatch(bare.strip())
        return found[0] if found else ""
    name, _, rest = bare.partition("<")
    inner, closed, tail = rest.partition(">")
    if not closed or tail.strip() or "<" in rest or re.search(r"[>(),;:]", name):
        return ""
    if "@" in name and name.strip().lower() != inner.strip().lower():
        return ""
    found = MAIL_ADDRESS.fullmatch(inner.strip())
    return found[0] if found else ""


def addresses(message: Message, *names: str) -> list[str]:
    """All addresses of these fields, in order."""
    values = [value for name in names for value in fields(message, name)]
    try:
        pairs = getaddresses(values)
    except Exception:  # noqa: BLE001  nested beyond sense
        pairs = []
    found = [address for _, address in pairs if address]
    found += [match[0] for value in values for match in MAIL_ADDRESS.finditer(value)]
    return list(dict.fromkeys(found))


def ids(message: Message, name: str) -> tuple[str, ...]:
    """The Message-IDs of a field, in order."""
    return tuple(dict.fromkeys(_ID.findall(" ".join(fields(message, name)))))


def written(message: Message) -> datetime | None:
    """When it was written, by its own word."""
    try:
        at = parsedate_to_datetime(field(message, "Date"))
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except Exception:  # noqa: BLE001  years beyond counting, zones beyond the earth
        return None
