"""Telegram's HTML: tags in, text and entities out, or a refusal in the server's own words.

Errors count bytes, because the server reads UTF-8; entities count UTF-16 units.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from .model import ApiError, Entity, Formatted, bad_request, utf16

KINDS = {
    "a": "text_link",
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}  # no others: &nbsp; stays as it is
_REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-zA-Z]+));?")
_SPACE = re.compile(rb"[ \t\r\n\v]*")
_TAG_NAME = re.compile(rb"[^ \t\r\n\v>]*")
_ATTRIBUTE_NAME = re.compile(rb"[^ \t\r\n\v=]*")
_TOKEN = re.compile(rb"[A-Za-z0-9.-]*")
_EXPANDABLE = re.compile(rb"expandable(?=[ \t\r\n\v>])")


def parse_html(raw: str) -> Formatted:
    """The text without its tags, and the spans that they marked."""
    parser = _Parser(raw)
    parser.run()
    found = sorted(parser.found, key=lambda entity: (entity.offset, -entity.length))
    return Formatted("".join(parser.out), tuple(map(_without_spare_language, found)))


def _without_spare_language(entity: Entity) -> Entity:
    """Only a block has a language; inline code loses the one that it was given."""
    return replace(entity, language=None) if entity.type == "code" else entity


def _decode(text: str) -> str:
    return _REFERENCE.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    hexadecimal, decimal, name = match.groups()
    if name:
        return _NAMED.get(name, match[0])
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    usable = 0 < code < 0x10FFFF and not 0xD800 <= code <= 0xDFFF
    return chr(code) if usable else match[0]


@dataclass(frozen=True)
class _Open:
    """A tag that waits for its end."""

    name: str
    argument: str
    offset: int
    piece: int  # the first piece of output inside it


class _Parser:
    """Reads bytes from left to right; `at` is the next byte, `length` the UTF-16 units written."""

    def __init__(self, raw: str) -> None:
        self.data = raw.encode()
        self.at = 0
        self.length = 0
        self.out: list[str] = []
        self.open: list[_Open] = []
        self.found: list[Entity] = []

    def run(self) -> None:
        while not self._ended():
            begin = self.at
            if self._peek() != b"<":
                self._plain()
            elif self.data[begin + 1 : begin + 2] == b"/":
                self._end_tag(begin)
            else:
                self._start_tag(begin)
        if self.open:
            raise _error(f'Can\'t find end tag corresponding to start tag "{self.open[-1].name}"')

    def _plain(self) -> None:
        stop = self.data.find(b"<", self.at)
        stop = len(self.data) if stop < 0 else stop
        piece = _decode(self.data[self.at : stop].decode())
        self.at = stop
        self.out.append(piece)
        self.length += utf16(piece)

    def _start_tag(self, begin: int) -> None:
        self.at = begin + 1
        name = self._take(_TAG_NAME).lower()
        if self._ended():
            raise _error(f"Unclosed start tag at byte offset {begin}")
        if name not in KINDS:
            raise _error(f'Unsupported start tag "{name}" at byte offset {begin}')
        argument = self._attributes(name, begin)
        self.open.append(_Open(name, argument, self.length, len(self.out)))

    def _attributes(self, tag: str, begin: int) -> str:
        argument = ""
        while True:
            self._take(_SPACE)
            if self._peek() == b">":
                self.at += 1
                return argument
            if tag == "blockquote" and (match := _EXPANDABLE.match(self.data, self.at)):
                self.at, argument = match.end(), "expandable"
                continue
            name, value = self._attribute(tag, begin)
            if tag == "a" and name == "href":
                argument = value
            elif tag == "code" and name == "class" and value.startswith("language-"):
                argument = value.removeprefix("language-")

    def _attribute(self, tag: str, begin: int) -> tuple[str, str]:
        where = f'the tag "{tag}" at byte offset {begin}'
        name = self._take(_ATTRIBUTE_NAME)
        if not name:
            raise _error(f"Empty attribute name in {where}")
        self._take(_SPACE)
        if self._peek() != b"=":
            raise _error(f"Expected equal sign in declaration of an attribute of {where}")
        self.at += 1
        self._take(_SPACE)
        if self._ended():
            raise _error(f'Unclosed start tag "{tag}" at byte offset {begin}')
        value = self._quoted() if self._peek() in (b'"', b"'") else self._token()
        if self._ended():
            raise _error(f"Unclosed start tag at byte offset {begin}")
        return name, value

    def _quoted(self) -> str:
        quote = self._peek()
        stop = self.data.find(quote, self.at + 1)
        stop = len(self.data) if stop < 0 else stop
        value = self.data[self.at + 1 : stop].decode()
        self.at = min(stop + 1, len(self.data))
        return _decode(value)

    def _token(self) -> str:
        begin = self.at
        value = self._take(_TOKEN).lower()
        if not self._ended() and self._peek() not in (b" ", b"\t", b"\r", b"\n", b"\v", b">"):
            raise _error(f"Unexpected end of name token at byte offset {begin}")
        return value

    def _end_tag(self, begin: int) -> None:
        if not self.open:
            raise _error(f"Unexpected end tag at byte offset {begin}")
        self.at = begin + 2
        name = self._take(_TAG_NAME).lower()
        self._take(_SPACE)
        if self._peek() != b">":
            raise _error(f"Unclosed end tag at byte offset {begin}")
        self.at += 1
        expected = self.open[-1].name
        if name not in ("", expected):
            raise _error(
                f"Unmatched end tag at byte offset {begin}, "
                f'expected "</{expected}>", found "</{name}>"'
            )
        self._close(self.open.pop())

    def _close(self, tag: _Open) -> None:
        length = self.length - tag.offset
        if length == 0:
            return
        if tag.name == "a":
            url = _link(tag.argument or "".join(self.out[tag.piece :]))
            if url:
                self.found.append(Entity("text_link", tag.offset, length, url=url))
        elif tag.name in ("pre", "code"):
            self._close_code(tag, length)
        else:
            kind = "expandable_blockquote" if tag.argument == "expandable" else KINDS[tag.name]
            self.found.append(Entity(kind, tag.offset, length))

    def _close_code(self, tag: _Open, length: int) -> None:
        """`<pre><code class="language-x">` is one block with a language, not two spans."""
        last = self.found[-1] if self.found else Entity("", 0, 0)
        inner = (last.type, last.offset, last.length) == ("code", tag.offset, length)
        if tag.name == "pre" and inner and last.language:
            self.found[-1] = replace(last, type="pre")
            return
        language = tag.argument if tag.name == "code" else None
        self.found.append(Entity(tag.name, tag.offset, length, language=language))

    def _take(self, pattern: re.Pattern[bytes]) -> str:
        match = pattern.match(self.data, self.at)
        assert match is not None  # every pattern here also matches nothing
        self.at = match.end()
        return match[0].decode()

    def _peek(self) -> bytes:
        return self.data[self.at : self.at + 1]

    def _ended(self) -> bool:
        return self.at >= len(self.data)


def _link(address: str) -> str:
    """A link without a scheme is http; one that leads nowhere leaves plain text behind."""
    url = address if "://" in address else f"http://{address}"
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme == "tg":
        return url
    if parts.scheme not in ("http", "https") or "." not in (parts.hostname or ""):
        return ""
    return parts._replace(path=parts.path or "/").geturl()


def _error(words: str) -> ApiError:
    return bad_request(f"can't parse entities: {words}")
