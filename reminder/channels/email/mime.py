"""The head and the text of a mail from bytes of strangers, whatever its charsets and its tree.

Each step reads a bounded part, in one pass.
"""

from __future__ import annotations

import base64
import binascii
import html as entities
import quopri
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime

from reminder.channels.email.quotes import LISTS, MARK
from reminder.domain.charset import decoded, repaired
from reminder.domain.people import MAIL_ADDRESS
from reminder.domain.text import composed, one_line

LONGEST_HTML = 200_000  # characters that are read of an HTML part
LONGEST_TEXT = 100_000  # bytes that are read of a text part
LONGEST_HEAD = 130_000  # bytes of the head
LONGEST_CONTENT_FIELD = 2_000  # bytes: the library takes squared time for its parameters
LONGEST_FIELD = 20_000  # characters of any other field
LONGEST_ADDRESS = 254  # octets (RFC 5321, 4.5.3.1.3, less the brackets)
LONGEST_LOGIN, MOST_LOGINS = 320, 20  # characters of a name that logged in, fields read
LONGEST_WORDS = 2_000  # the same of one whose encoded words are read
MOST_BOUNDARIES = 20  # each line is held against all boundaries that are open
DEEPEST = 40  # parts within parts; beyond that a tree is made to be a trap
MOST_PARTS = 200
LONGEST_REPORT = 30_000  # bytes of a report and what follows it: each block of it is a part

_ID = re.compile(r"<[^<>\s]{1,240}>")
_FOLDS = re.compile(r"[\r\n]+[ \t]*")
_REPORT = re.compile(rb"(?i)content-type:\s{0,9}message/(?:global-)?delivery-status")
_END_OF_HEAD = re.compile(rb"(?:\A|\r?\n)\r?\n")  # the head may be empty
_CONTENT_FIELD = re.compile(
    rb"(?i)(?:\A|(?<=[\r\n]))content-[^\r\n]*(?:(?:\r\n|\r|\n)[ \t][^\r\n]*)*"
)
_SPACE = re.compile(r"\s+")
# A comment or declaration, to its end or that of the text.
_REMARK = re.compile(r"(?s)<!(?=--).*?(?:-->|\Z)|<[!?][^>]*(?:>|\Z)")
# Attributes hold no “<”: a tag that is not closed can't make the search go on to the end.
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]{0,60})((?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*+)>")
_ATTRIBUTE = re.compile(r"([a-zA-Z-]{1,30})\s?=\s?(\"[^\"]*\"|'[^']*'|[^\s\"'<>]+)")
_LONGEST_ATTRIBUTES = 4_000
_QUOTE = "-----Original Message-----"  # what quotes.py cuts at
_CITES = "moz-cite-prefix"  # Thunderbird's “On … wrote:”, in whichever language
_QUOTED = "\n> "  # the last line of a quote; the answer may follow
_META = re.compile(rb"(?i)<meta[^<>]{0,200}?charset\s?=\s?[\"']?([a-z0-9_.:-]{2,40})")
_LONGEST_STAND_IN = 300
_UNDONE_QP = re.compile(r"(?i)=C[2-9A-F]=[89AB][0-9A-F]|=E[0-9A-F]=[89AB][0-9A-F]=[89AB]")
_LOOKS_LIKE_HTML = re.compile(rb"(?i)\s{0,100}(?:<!doctype html|<html|<body|<div|<p\b)")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{16,}+={0,2}\s*+")  # possessive: one pass
_LOGIN = re.compile(r"(?i)x-[a-z0-9-]{0,60}(?:auth|login|sasl|sender|user)[a-z0-9-]{0,60}")


def parse(content: bytes) -> Message:
    """The mail as a tree, without what costs the parser more than it is worth."""
    blank = _END_OF_HEAD.search(content)
    end = blank.start() if blank else len(content)  # some mails are a head alone
    if end > LONGEST_HEAD:
        last = content.rfind(b"\n", 0, LONGEST_HEAD)
        content = content[: last if last > 0 else LONGEST_HEAD] + content[end:]
    if (report := _REPORT.search(content)) is not None:
        content = content[: report.end() + LONGEST_REPORT]
    for number, found in enumerate(re.finditer(rb"(?i)boundary", content)):
        if number == MOST_BOUNDARIES:
            content = content[: found.start()]
            break
    return message_from_bytes(
        _CONTENT_FIELD.sub(lambda field: field[0][:LONGEST_CONTENT_FIELD], content)
    )


def fields(message: Message, name: str) -> list[str]:
    """All fields of this name, top first, unfolded; encoded words as they stand."""
    return [value for _, value in named_fields(message, name)]


def named_fields(message: Message, *names: str) -> Iterator[tuple[str, str]]:
    """The fields of these names as (name in lower case, value), in the order of the head.

    Bytes beyond ASCII are read as what they most likely are.
    """
    wanted = {name.lower() for name in names}
    for name, value in message.raw_items():
        if name.lower() in wanted:
            text = str(value)
            if not text.isascii():
                text = decoded(_cut(text.encode("utf-8", "surrogateescape"), LONGEST_FIELD), "")
            yield name.lower(), _FOLDS.sub(" ", text[:LONGEST_FIELD]).strip()


def field(message: Message, name: str) -> str:
    """The first field of this name; empty if there is none."""
    return next(iter(fields(message, name)), "")


def logins(message: Message) -> dict[str, str]:
    """The topmost value of each field in which servers write who had logged in, by its name."""
    found: dict[str, str] = {}
    for name, value in message.raw_items():
        if _LOGIN.fullmatch(name) and len(found) < MOST_LOGINS:
            found.setdefault(name.lower(), str(value)[:LONGEST_LOGIN].strip())
    return found


def unencoded(text: str) -> str:
    """A field with its encoded words read (RFC 2047), on one line that may be shown anywhere."""
    text = text[:LONGEST_WORDS]
    try:
        pieces = decode_header(text)
    except Exception:  # noqa: BLE001  base64 that is none
        pieces = [(text, None)]
    return one_line("".join(_unencoded_piece(*piece) for piece in pieces))


def _unencoded_piece(piece: str | bytes, label: str | None) -> str:
    if isinstance(piece, str):
        return piece
    if label is None:  # what stands beside encoded words, which the library escapes
        return piece.decode("raw-unicode-escape", "replace")
    return decoded(piece, label)


def author(message: Message) -> str:
    """The one address of the one From; empty if there are several, or it can be read in two ways.

    A From that two programs read differently would let one check what the other believes.
    """
    values = fields(message, "From")
    if len(values) != 1 or len(values[0]) >= LONGEST_FIELD:
        return ""
    address = without_comments(values[0], quoted=" ").strip()
    if "<" in address:
        name, _, rest = address.partition("<")
        address, _, tail = rest.strip().rpartition(">")
        other = "@" in name and name.strip().lower() != address.strip().lower()
        if other or tail or re.search(r"[>(),;:]", name):
            return ""
    found = MAIL_ADDRESS.fullmatch(address.strip())
    return found[0] if found and len(found[0]) <= LONGEST_ADDRESS else ""


def author_name(message: Message) -> str:
    """The name that stands in From before the address."""
    return unencoded(field(message, "From").rpartition("<")[0].strip().strip('"'))[:100]


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


def parts(message: Message) -> Iterator[Message]:
    """All parts, the message first; bounded in depth and number.

    None of a mail within the mail: what it says is not what this mail says.
    """
    waiting: list[tuple[Message, int]] = [(message, 0)]
    for _ in range(MOST_PARTS):
        if not waiting:
            return
        part, depth = waiting.pop()
        yield part
        if depth < DEEPEST and part.get_content_maintype() != "message":
            waiting.extend((sub, depth + 1) for sub in reversed(children(part)[:MOST_PARTS]))


def children(part: Message) -> list[Message]:
    """The parts right below; none of what only says that it has some."""
    payload = part.get_payload() if part.is_multipart() else []
    return [sub for sub in payload if isinstance(sub, Message)]


def text_of(message: Message) -> str:
    """The text that a reader sees: the plain parts; of HTML its words; empty if there is none.

    A text part that only says “this is HTML” gives way to the HTML.
    """
    plain: list[str] = []
    html = ""
    for part in parts(message):
        if is_file(part):
            continue
        kind = part.get_content_type()
        if kind == "text/plain" or (kind.startswith("multipart/") and not part.is_multipart()):
            plain.append(text_in(part).strip())
        elif kind == "text/html":
            html = html or text_in(part, is_html=True)
    text = "\n".join(one for one in plain if one)
    stands_in = len(text) < _LONGEST_STAND_IN and bool(MARK["stands-in"].search(text))
    if html and (not text or stands_in):
        return html_text(html) or text
    return text


def is_file(part: Message) -> bool:
    """Whether a part is shown as a file; Apple's mail parts the text around pictures, unnamed."""
    try:
        return part.get_content_disposition() == "attachment" or bool(part.get_filename())
    except Exception:  # noqa: BLE001  a name in RFC 2231 gone wrong
        return True


def text_in(part: Message, *, is_html: bool = False) -> str:
    """A part's text in NFC; what its charset can't read is guessed, then marked."""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    if is_html or _LOOKS_LIKE_HTML.match(content):
        content = _cut(content, LONGEST_HTML * 2)
        named = _META.search(content[:4_000])
        label = named[1].decode("ascii", "replace") if named else _charset(part)
        html = _without_quoted_printable(decoded(content, label))
        return html if is_html else html_text(html)
    text = _without_quoted_printable(decoded(_cut(content, LONGEST_TEXT), _charset(part)))
    if text.isascii() and _BASE64.fullmatch(text):
        try:
            found = base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            return text
        text = found if found.isprintable() or "\n" in found else text
    return _unescaped(text) if "&#" in text else text


def _cut(content: bytes, most: int) -> bytes:
    """The first bytes of a text, at most `most`, to the end of a letter in UTF-8."""
    while most < len(content) and content[most] & 0xC0 == 0x80:
        most -= 1
    return content[:most]


def _charset(part: Message) -> str:
    try:
        return part.get_content_charset() or ""
    except Exception:  # noqa: BLE001  a parameter of RFC 2231 gone wrong
        return ""


def _without_quoted_printable(text: str) -> str:
    if text.isascii() and _UNDONE_QP.search(text):
        return decoded(quopri.decodestring(text.encode()), "")
    return text


def _unescaped(text: str) -> str:
    try:
        return entities.unescape(text)
    except ValueError:  # a number of more digits than Python counts
        return text


def html_text(html: str) -> str:
    """The words of an HTML part, a block a line, quoted ones marked as in plain text.

    A quoted mail whose end can't be seen begins with a line that says so, and ends the text.
    """
    reader = _Words()
    start = 0
    text = _REMARK.sub("", html[:LONGEST_HTML])
    for tag in _TAG.finditer(text):
        reader.data(text[start : tag.start()])
        reader.tag(tag[2].lower(), tag[3][:_LONGEST_ATTRIBUTES], is_end=bool(tag[1]))
        start = tag.end()
    reader.data(text[start:])
    lines = "".join(reader.pieces).split("\n")
    return repaired(composed("\n".join(" ".join(line.split()) for line in lines)).strip())


class _Words:
    """Gathers what is seen, in one pass, up to a quoted mail whose end can't be seen."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._unseen = ""  # the element within which nothing is seen
        self._depth = 0  # how many of these are open within it
        self._kept_lines = 0  # <pre>s that are open
        self._quotes = 0  # <blockquote>s that are open
        self._ended = False

    def tag(self, name: str, attributes: str, *, is_end: bool) -> None:
        """The next tag; `attributes` as they stand."""
        if self._ended:
            return
        if self._unseen == "head" and name == "body":  # its end tag may be left out
            self._unseen = ""
        if self._unseen:
            if name == self._unseen and not attributes.endswith("/"):
                self._depth += -1 if is_end else 1
                self._unseen = self._unseen if self._depth else ""
        elif not is_end:
            if not (name in LISTS["unseen-tags"] and attributes.endswith("/")):
                self._start(name, attributes)
        elif name in LISTS["block-tags"]:
            self._quotes -= name == "blockquote" and self._quotes > 0
            self._kept_lines -= name == "pre" and self._kept_lines > 0
            self.pieces.append(_QUOTED if self._quotes else "\n")

    def _start(self, name: str, written: str) -> None:
        found = {key.lower(): value.strip("\"'") for key, value in _ATTRIBUTE.findall(written)}
        identity, style = found.get("id", ""), found.get("style", "")
        classes = frozenset(found.get("class", "").split())
        hidden = name not in LISTS["void-tags"] and bool(MARK["hidden"].search(style))
        quotes = classes & LISTS["quote-classes"] or MARK["quote-id"].match(identity)
        signs = classes & LISTS["signature-classes"] or MARK["signature-id"].match(identity)
        if name in LISTS["unseen-tags"] or hidden:
            self._unseen, self._depth = name, 1
        elif quotes or MARK["border"].search(style):
            self.pieces.append(f"\n{_QUOTE}\n")
            self._ended = True
        elif signs and not self._quotes:
            self.pieces.append("\n--\n")
        elif name in LISTS["block-tags"]:
            self._quotes += name == "blockquote"
            self._kept_lines += name == "pre"
            self.pieces.append(_QUOTED if self._quotes or _CITES in classes else "\n")

    def data(self, text: str) -> None:
        """Text between two tags."""
        if text and not self._ended and not self._unseen:
            text = _unescaped(text)
            said = text if self._kept_lines else _SPACE.sub(" ", text)
            self.pieces.append(said.replace("\n", _QUOTED) if self._quotes else said)
