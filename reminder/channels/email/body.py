"""The text of a mail, whatever its charsets, encodings and tree; nothing here raises."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from email.message import Message
from html.parser import HTMLParser
from unicodedata import normalize

from reminder.domain.text import words

LONGEST_HTML = 200_000  # characters that are read of an HTML part
DEEPEST = 40  # parts within parts; beyond that a tree is made to be a trap
MOST_PARTS = 200

# Text codecs of Python that no mail is written in, and that cost time or warn.
_NO_CHARSETS = frozenset(
    ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem")
)
_BLOCKS = words(
    "address article aside blockquote br center dd div dl dt fieldset footer form h1 h2 h3 h4 h5 "
    "h6 header hr li main nav ol p pre section table td tfoot th thead tr ul"
)
_SPACE = re.compile(r"\s+")
_UNSEEN = frozenset(("script", "style", "head", "title", "template", "noscript", "svg"))
_QUOTE = "-----Original Message-----"  # what quotes.py cuts at
# Where a client begins the mail it quotes, without a line that says so.
_QUOTE_IDS = re.compile(
    r"(?i)^(?:x_)?(?:divRplyFwdMsg|appendonsend|mail-editor-reference-message-container|"
    r"OLK_SRC_BODY_SECTION|isForwardContent|replySplit|zwchr|yahoo_quoted\S*|ymail_android_\S*|"
    r"composeWebView_previouse_content)$"
)
_QUOTE_CLASSES = frozenset(
    ("gmail_quote", "gmail_quote_container", "yahoo_quoted", "zmail_extra",
     "protonmail_quote", "WordSection1_quote", "ms-outlook-mobile-reference-message")
)  # fmt: skip
_CITES = "moz-cite-prefix"  # Thunderbird's “On … wrote:”, in whichever language
_QUOTED = "\n> "  # a line of a quote that ends: what stands below it may be the answer
_SIGNATURE = "--"
_SIGNATURES = frozenset(("gmail_signature", "ms-outlook-mobile-signature", "moz-signature"))
_SIGNATURE_IDS = re.compile(r"(?i)^(?:x_)?(?:Signature|ms-outlook-mobile-signature)$")
_BORDER = re.compile(r"(?i)border:\s*none;\s*border-top:\s*solid\s*#(?:E1E1E1|B5C4DF|CCCCCC)")


def parts(message: Message) -> Iterator[Message]:
    """All parts, the message first; bounded in depth and number."""
    waiting: list[tuple[Message, int]] = [(message, 0)]
    seen = 0
    while waiting and seen < MOST_PARTS:
        part, depth = waiting.pop()
        seen += 1
        yield part
        if depth < DEEPEST and not _is_enclosed(part):
            waiting.extend((sub, depth + 1) for sub in reversed(children(part)))


def children(part: Message) -> list[Message]:
    """The parts right below; none of what only says that it has some."""
    payload = part.get_payload() if part.is_multipart() else []
    return [sub for sub in payload if isinstance(sub, Message)]


def _is_enclosed(part: Message) -> bool:
    """A mail within the mail: what it says is not what this mail says."""
    return part.get_content_maintype() == "message"


def text_of(message: Message) -> str:
    """The text that a reader sees: the plain parts; of HTML its words; empty if there is none."""
    plain: list[str] = []
    html = ""
    for part in parts(message):
        if is_file(part):
            continue
        kind = part.get_content_type()
        if kind == "text/plain" or (kind.startswith("multipart/") and not part.is_multipart()):
            plain.append(decoded(part).strip())
        elif kind == "text/html":
            html = html or decoded(part)
    return "\n".join(text for text in plain if text) or html_text(html)


def is_file(part: Message) -> bool:
    """Whether a part is shown as a file; Apple's mail parts the text around pictures, unnamed."""
    try:
        return part.get_content_disposition() == "attachment" or bool(part.get_filename())
    except Exception:  # noqa: BLE001  a name in RFC 2231 gone wrong
        return True


def decoded(part: Message) -> str:
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
    return normalize("NFC", text_in(content, _charset(part)))


def _charset(part: Message) -> str:
    try:
        return part.get_content_charset() or ""
    except Exception:  # noqa: BLE001  as above: a parameter of RFC 2231 gone wrong
        return ""


def text_in(content: bytes, charset: str) -> str:
    """`content` by its charset; by UTF-8, then Windows' Vietnamese, where that one can't be."""
    name = _known(charset)
    for codec in dict.fromkeys((name, "utf-8", "cp1258")):
        if codec:
            try:
                return content.decode(codec)
            except (UnicodeError, LookupError):
                continue
    return content.decode(name or "utf-8", "replace")


def _known(charset: str) -> str:
    """The codec of a charset; empty if Python has none, or none for text."""
    try:
        found = codecs.lookup(charset.strip().strip("'\"")[:40])
    except (LookupError, ValueError, TypeError):
        return ""
    name = found.name.replace("-", "_")
    is_text: bool = getattr(found, "_is_text_encoding", True)
    return "" if name in _NO_CHARSETS or not is_text else found.name


def html_text(html: str) -> str:
    """The words of an HTML part, a block a line, quoted ones marked as in plain text.

    A quoted mail whose end can't be seen begins with a line that says so, and ends the text.
    """
    reader = _Words()
    reader.feed(_without_remarks(html[:LONGEST_HTML]))
    reader.close()
    lines = "".join(reader.pieces).split("\n")
    return normalize("NFC", "\n".join(" ".join(line.split()) for line in lines)).strip()


def _without_remarks(html: str) -> str:
    """`html` without comments and declarations, on which HTMLParser may take time without end."""
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


class _Words(HTMLParser):
    """Gathers what is seen, in one pass, up to a quoted mail whose end can't be seen."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = ""  # the element within which nothing is seen
        self._kept_lines = 0  # <pre>s that are open
        self._quotes = 0  # <blockquote>s that are open
        self._ended = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._ended or self._unseen:
            return
        if tag in _UNSEEN:
            self._unseen = tag
        elif _opens_quote(dict(attrs)):
            self.pieces.append(f"\n{_QUOTE}\n")
            self._ended = True
        elif _opens_signature(dict(attrs)) and not self._quotes:
            self.pieces.append(f"\n{_SIGNATURE}\n")
        elif tag in _BLOCKS:
            self._quotes += tag == "blockquote"
            self._kept_lines += tag == "pre"
            cites = _CITES in (dict(attrs).get("class") or "").split()
            self.pieces.append(_QUOTED if self._quotes or cites else "\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _UNSEEN:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._unseen:
            self._unseen = ""
        elif tag in _BLOCKS and not self._ended and not self._unseen:
            self._quotes -= tag == "blockquote" and self._quotes > 0
            self._kept_lines -= tag == "pre" and self._kept_lines > 0
            self.pieces.append(_QUOTED if self._quotes else "\n")

    def handle_data(self, data: str) -> None:
        if not self._ended and not self._unseen:
            said = data if self._kept_lines else _SPACE.sub(" ", data)
            self.pieces.append(said.replace("\n", _QUOTED) if self._quotes else said)


def _opens_quote(attributes: dict[str, str | None]) -> bool:
    if _QUOTE_CLASSES.intersection((attributes.get("class") or "").split()):
        return True
    if _QUOTE_IDS.match(attributes.get("id") or ""):
        return True
    return bool(_BORDER.search(attributes.get("style") or ""))


def _opens_signature(attributes: dict[str, str | None]) -> bool:
    if _SIGNATURES.intersection((attributes.get("class") or "").split()):
        return True
    return bool(_SIGNATURE_IDS.match(attributes.get("id") or ""))
