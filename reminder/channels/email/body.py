"""The text of a mail, whatever its charsets, encodings and tree; nothing here raises.

Each step reads a bounded part, in one pass.
"""

from __future__ import annotations

import base64
import binascii
import html as entities
import quopri
import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from unicodedata import normalize

from reminder.channels.email.charset import decoded, repaired
from reminder.domain.text import words

LONGEST_HTML = 200_000  # characters that are read of an HTML part
LONGEST_TEXT = 100_000  # bytes that are read of a text part
LONGEST_HEAD = 130_000  # bytes of the head
LONGEST_FIELD = 2_000  # bytes of a Content-… field, whose parameters the library reads in squares
MOST_BOUNDARIES = 20  # each line is held against all boundaries that are open
DEEPEST = 40  # parts within parts; beyond that a tree is made to be a trap
MOST_PARTS = 200

_BLOCKS = words(
    "address article aside blockquote br center dd div dl dt fieldset footer form h1 h2 h3 h4 h5 "
    "h6 header hr li main nav ol p pre section table td tfoot th thead tr ul"
)
_VOID = words("area base br col embed hr img input link meta source track wbr")
_SPACE = re.compile(r"\s+")
_UNSEEN = frozenset(("script", "style", "head", "title", "template", "noscript", "svg"))
# Attributes hold no “<”: a tag that is not closed can't make the search go on to the end.
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]{0,60})((?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*+)>")
_ATTRIBUTE = re.compile(r"([a-zA-Z-]{1,30})\s?=\s?(\"[^\"]*\"|'[^']*'|[^\s\"'<>]+)")
_LONGEST_ATTRIBUTES = 4_000
_HIDDEN = re.compile(r"(?i)display\s{0,3}:\s{0,3}none|mso-hide\s{0,3}:\s{0,3}all")
_QUOTE = "-----Original Message-----"  # what quotes.py cuts at
# Where a client begins the mail it quotes, without a line that says so.
_QUOTE_IDS = re.compile(
    r"(?i)^(?:x_|ydp\w{0,20}?)?(?:divRplyFwdMsg|appendonsend|mail-editor-reference-message-container|"
    r"OLK_SRC_BODY_SECTION|isForwardContent|replySplit|zwchr|yahoo_quoted\S*|ymail_android_\S*|"
    r"composeWebView_previouse_content|reply-intro|isReplyContent|QuotedText\S*)$"
)
_QUOTE_CLASSES = frozenset(
    ("gmail_quote", "gmail_quote_container", "yahoo_quoted", "zmail_extra", "tutanota_quote",
     "protonmail_quote", "WordSection1_quote", "ms-outlook-mobile-reference-message",
     "moz-forward-container", "netease-mail-quote", "mailplus_quote")
)  # fmt: skip
_CITES = "moz-cite-prefix"  # Thunderbird's “On … wrote:”, in whichever language
_QUOTED = "\n> "  # the last line of a quote; the answer may follow
_SIGNATURE = "--"
_SIGNATURES = frozenset(
    ("gmail_signature", "gmail_signature_prefix", "ms-outlook-mobile-signature", "moz-signature",
     "protonmail_signature_block")
)  # fmt: skip
_SIGNATURE_IDS = re.compile(r"(?i)^(?:x_)?(?:Signature|ms-outlook-mobile-signature)$")
_BORDER = re.compile(r"(?i)border:\s?none;\s?border-top:\s?solid\s?#(?:E1E1E1|B5C4DF|CCCCCC)")
_META = re.compile(rb"(?i)<meta[^<>]{0,200}?charset\s?=\s?[\"']?([a-z0-9_.:-]{2,40})")
# A text part that stands in for the HTML beside it.
_STANDS_IN = re.compile(
    r"(?i)html|trình duyệt|browser|(?:xem|view|display|hiển thị).{0,60}(?:thư|mail|message)"
)
_LONGEST_STAND_IN = 300
_UNDONE_QP = re.compile(r"(?i)=C[2-9A-F]=[89AB][0-9A-F]|=E[0-9A-F]=[89AB][0-9A-F]=[89AB]")
_LOOKS_LIKE_HTML = re.compile(rb"(?i)\s{0,100}(?:<!doctype html|<html|<body|<div|<p\b)")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{16,}={0,2}\s*")


def parse(content: bytes) -> Message:
    """The mail as a tree; one that breaks the parser is read as a text."""
    tamed = _tamed(content)
    try:
        return BytesParser(policy=compat32).parsebytes(tamed)
    except Exception:  # noqa: BLE001  the library's parser meets bytes of strangers
        message = Message()
        head, _, body = tamed.replace(b"\r\n", b"\n").partition(b"\n\n")
        for line in head.decode("utf-8", "replace").split("\n"):
            name, colon, value = line.partition(":")
            if colon and name.isascii() and name.replace("-", "").isalnum():
                message[name] = value.strip()
        del message["Content-Type"], message["Content-Transfer-Encoding"]
        message.set_payload(body.decode("utf-8", "replace"))
        return message


def _tamed(content: bytes) -> bytes:
    """`content` without what costs the parser more than it is worth."""
    end = re.search(rb"\r?\n\r?\n", content)
    if end is not None and end.start() > LONGEST_HEAD:
        last = content.rfind(b"\n", 0, LONGEST_HEAD)
        content = content[:last] + content[end.start() :]
    for number, found in enumerate(re.finditer(rb"(?i)boundary", content)):
        if number == MOST_BOUNDARIES:
            content = content[: found.start()]
            break
    kept: list[bytes] = []
    room = 0  # bytes that the field at hand may still take; 0: no such field
    for line in content.splitlines(keepends=True):
        if line[:8].lower() == b"content-":
            room = LONGEST_FIELD
        elif line[:1] not in (b" ", b"\t"):
            room = 0
        if room or (kept and line[:8].lower() == b"content-"):
            short, room = line[:room], max(1, room - len(line))
            kept.append(short if short.endswith(b"\n") else short + b"\r\n")
        else:
            kept.append(line)
    return b"".join(kept)


def parts(message: Message) -> Iterator[Message]:
    """All parts, the message first; bounded in depth and number."""
    waiting: list[tuple[Message, int]] = [(message, 0)]
    seen = 0
    while waiting and seen < MOST_PARTS:
        part, depth = waiting.pop()
        seen += 1
        yield part
        if depth < DEEPEST and not _is_enclosed(part):
            waiting.extend((sub, depth + 1) for sub in reversed(children(part)[:MOST_PARTS]))


def children(part: Message) -> list[Message]:
    """The parts right below; none of what only says that it has some."""
    payload = part.get_payload() if part.is_multipart() else []
    return [sub for sub in payload if isinstance(sub, Message)]


def _is_enclosed(part: Message) -> bool:
    """A mail within the mail: what it says is not what this mail says."""
    return part.get_content_maintype() == "message"


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
    stands_in = len(text) < _LONGEST_STAND_IN and bool(_STANDS_IN.search(text))
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
    content: object = None
    for decode in (True, False):
        try:
            content = part.get_payload(decode=decode)
        except Exception:  # noqa: BLE001, S112  the library's decoders meet bytes of strangers
            continue
        break
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogateescape")
    if not isinstance(content, bytes):
        return ""
    if is_html or _LOOKS_LIKE_HTML.match(content):
        content = content[: LONGEST_HTML * 2]
        named = _META.search(content[:4_000])
        label = named[1].decode("ascii", "replace") if named else _charset(part)
        html = _without_quoted_printable(decoded(content, label))
        return html if is_html else html_text(html)
    return _undone(decoded(content[:LONGEST_TEXT], _charset(part)))


def _charset(part: Message) -> str:
    try:
        return part.get_content_charset() or ""
    except Exception:  # noqa: BLE001  a parameter of RFC 2231 gone wrong
        return ""


def _undone(text: str) -> str:
    """`text` with what was left in place undone: quoted-printable, base64, entities."""
    text = _without_quoted_printable(text)
    if text.isascii() and _BASE64.fullmatch(text):
        try:
            found = base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            return text
        text = found if found.isprintable() or "\n" in found else text
    return _unescaped(text) if "&#" in text else text


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
    text = _without_remarks(html[:LONGEST_HTML])
    for tag in _TAG.finditer(text):
        reader.data(text[start : tag.start()])
        reader.tag(tag[2].lower(), tag[3][:_LONGEST_ATTRIBUTES], is_end=bool(tag[1]))
        start = tag.end()
    reader.data(text[start:])
    lines = "".join(reader.pieces).split("\n")
    return repaired(normalize("NFC", "\n".join(" ".join(line.split()) for line in lines)).strip())


def _without_remarks(html: str) -> str:
    """`html` without comments and declarations."""
    kept: list[str] = []
    start = 0
    while (found := html.find("<", start)) >= 0:
        following = html[found + 1 : found + 2]
        if following not in ("!", "?"):
            kept.append(html[start : found + 1])
            start = found + 1
            continue
        kept.append(html[start:found])
        end = "-->" if html.startswith("<!--", found) else ">"
        closed = html.find(end, found)
        if closed < 0:
            return "".join(kept)
        start = closed + len(end)
    return "".join([*kept, html[start:]])


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
        elif is_end:
            self._end(name)
        elif not (name in _UNSEEN and attributes.endswith("/")):
            found = {
                key.lower(): value.strip("\"'") for key, value in _ATTRIBUTE.findall(attributes)
            }
            self._start(name, found)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        hidden = name not in _VOID and bool(_HIDDEN.search(attributes.get("style", "")))
        classes = attributes.get("class", "").split()
        if name in _UNSEEN or hidden:
            self._unseen, self._depth = name, 1
        elif _opens_quote(attributes, classes):
            self.pieces.append(f"\n{_QUOTE}\n")
            self._ended = True
        elif _opens_signature(attributes, classes) and not self._quotes:
            self.pieces.append(f"\n{_SIGNATURE}\n")
        elif name in _BLOCKS:
            self._quotes += name == "blockquote"
            self._kept_lines += name == "pre"
            self.pieces.append(_QUOTED if self._quotes or _CITES in classes else "\n")

    def _end(self, name: str) -> None:
        if name in _BLOCKS:
            self._quotes -= name == "blockquote" and self._quotes > 0
            self._kept_lines -= name == "pre" and self._kept_lines > 0
            self.pieces.append(_QUOTED if self._quotes else "\n")

    def data(self, text: str) -> None:
        """Text between two tags."""
        if text and not self._ended and not self._unseen:
            text = _unescaped(text)
            said = text if self._kept_lines else _SPACE.sub(" ", text)
            self.pieces.append(said.replace("\n", _QUOTED) if self._quotes else said)


def _opens_quote(attributes: dict[str, str], classes: list[str]) -> bool:
    if _QUOTE_CLASSES.intersection(classes) or _QUOTE_IDS.match(attributes.get("id", "")):
        return True
    return bool(_BORDER.search(attributes.get("style", "")))


def _opens_signature(attributes: dict[str, str], classes: list[str]) -> bool:
    return bool(_SIGNATURES.intersection(classes) or _SIGNATURE_IDS.match(attributes.get("id", "")))
