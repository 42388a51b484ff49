"""The head of a mail, read from bytes of strangers: each value as text, nothing raises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime
from unicodedata import normalize

from reminder.channels.email.charset import decoded
from reminder.domain.people import MAIL_ADDRESS

LONGEST = 20_000  # characters that are read of one field
LONGEST_WORDS = 2_000  # the same of one whose encoded words are read
_ID = re.compile(r"<[^<>\s]{1,240}>")
_FOLDS = re.compile(r"[\r\n]+[ \t]*")


def fields(message: Message, name: str) -> list[str]:
    """All fields of this name, top first, unfolded; encoded words as they stand."""
    return [value for _, value in named_fields(message, name)]


def named_fields(message: Message, *names: str) -> Iterator[tuple[str, str]]:
    """The fields of these names as (name in lower case, value), in the order of the head."""
    wanted = {name.lower() for name in names}
    try:
        raw = message.raw_items()
    except Exception:  # noqa: BLE001  a head that the parser itself can't give
        return
    for name, value in raw:
        if name.lower() in wanted:
            yield name.lower(), _FOLDS.sub(" ", _text(value)[:LONGEST]).strip()


def _text(value: object) -> str:
    """A field as it stands; bytes beyond ASCII are read as what they most likely are."""
    text = str(value)
    if text.isascii():
        return text
    return decoded(text[:LONGEST].encode("utf-8", "surrogateescape"), "")


def field(message: Message, name: str) -> str:
    """The first field of this name; empty if there is none."""
    return next(iter(fields(message, name)), "")


def words(text: str) -> str:
    """A field with its encoded words read (RFC 2047), on one line."""
    text = text[:LONGEST_WORDS]
    try:
        pieces = decode_header(text)
    except Exception:  # noqa: BLE001  base64 that is none
        pieces = [(text, None)]
    said = (
        piece if isinstance(piece, str) else decoded(piece, charset or "")
        for piece, charset in pieces
    )
    return " ".join(normalize("NFC", "".join(said)).split())


def author(message: Message) -> str:
    """The one address of the one From; empty if there are several, or it can be read in two ways.

    A From that two programs read differently would let one check what the other believes.
    """
    values = fields(message, "From")
    if len(values) != 1 or len(values[0]) >= LONGEST:
        return ""
    bare = without_comments(values[0], quoted=" ")
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


def author_name(message: Message) -> str:
    """The name that stands in From before the address."""
    return words(field(message, "From").rpartition("<")[0].strip().strip('"'))[:100]


def without_comments(text: str, quoted: str | None = None) -> str:
    """`text` without (comments), which may be nested.

    Quoted strings stay as they are, or each becomes `quoted`.
    """
    kept: list[str] = []
    depth, in_quotes, escaped = 0, False, False
    for char in text:
        inside = in_quotes
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"' and not depth:
            in_quotes = not in_quotes
            if not in_quotes and quoted is not None:
                kept.append(quoted)
        elif char == "(" and not in_quotes:
            depth += 1
        elif char == ")" and not in_quotes and depth:
            depth -= 1
            kept.append(" ")
            continue
        if not depth and (quoted is None or not (inside or in_quotes)):
            kept.append(char)
    return "".join(kept)


def addresses(message: Message, *names: str) -> list[str]:
    """All addresses of these fields, in the order of `names`."""
    values = [value for name in names for value in fields(message, name)]
    return list(dict.fromkeys(m[0] for value in values for m in MAIL_ADDRESS.finditer(value)))


def ids(message: Message, name: str) -> tuple[str, ...]:
    """The Message-IDs of a field, in order."""
    return tuple(dict.fromkeys(_ID.findall(" ".join(fields(message, name)))))


def written(message: Message) -> datetime | None:
    """When it was written, by its own word."""
    try:
        at = parsedate_to_datetime(field(message, "Date")[:200])
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except Exception:  # noqa: BLE001  years beyond counting, zones beyond the earth
        return None
