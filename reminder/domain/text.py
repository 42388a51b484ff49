"""Vietnamese text: its normal form, tokens, words with and without diacritics, phrase tables.

People type with all diacritics, with some, or with none. A typed word matches a word of a table if
it lacks some of its diacritics, not if it has others: “vang” matches “vâng”, “vắng” does not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_LOOK_ALIKES = str.maketrans({"\u00d0": "Đ", "\u00f0": "đ"})  # Eth, used for đ in some texts
_WIDE = {0xFF00 + n: 0x20 + n for n in range(1, 95)} | {0x3000: " "}  # full-width forms
_DASHES = frozenset("-‐‑‒–—−")
# A task code is one token (1c, 1dd, 1d9); other digits and letters are split (3ngày, xong1c).
_TOKEN = re.compile(
    r"[0-9]{1,2}(?:dd|d9|[a-zđ])(?![^\W_]|[\u0300-\u036f])"
    r"|[0-9]+"
    r"|[^\W\d_](?:[^\W\d_]|[\u0300-\u036f])*"
    r"|\n"
    r"|[^\s]",
    re.IGNORECASE,
)


class Found(NamedTuple, Generic[T]):
    """A value read from tokens, and the number of tokens that it takes."""

    size: int
    value: T


class Spelling(NamedTuple):
    """A word as its letters without diacritics, the mark of each letter, and the tone.

    The tone belongs to the word, so that hòa and hoà are the same.
    """

    base: str
    marks: tuple[str, ...]
    tone: str

    def is_meant_by(self, typed: Spelling) -> bool:
        """Whether `typed` is this word, or this word without some of its marks."""
        if typed.base != self.base or typed.tone not in ("", self.tone):
            return False
        if typed.marks == self.marks:
            return True
        return all(own in ("", mine) for own, mine in zip(typed.marks, self.marks, strict=True))


def normal(text: str) -> str:
    """`text` in NFC, with đ for its look-alikes, and without invisible characters."""
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", text).translate(_LOOK_ALIKES).translate(_WIDE)
    return "".join(_visible(c) for c in composed.replace("\r\n", "\n").replace("\r", "\n"))


@lru_cache(4096)
def _visible(char: str) -> str:
    if char in "\n\t":
        return char
    category = unicodedata.category(char)
    if category in ("Cf", "Cs") or char == "\ufe0f":
        return ""
    return " " if category.startswith(("C", "Z")) else char


@lru_cache(8192)  # without the cache reading a message takes twice as long
def spelling(word: str) -> Spelling:
    letters: list[str] = []
    marks: list[str] = []
    tone = ""
    for char in unicodedata.normalize("NFD", word.lower()):
        if char in _TONES:
            tone = char
        elif unicodedata.combining(char):
            if marks:
                marks[-1] += char
        else:
            letters.append("d" if char == "đ" else "-" if char in _DASHES else char)
            marks.append("-" if char == "đ" else "")
    return Spelling("".join(letters), tuple(marks), tone)


def words(table: str) -> frozenset[str]:
    """The words of a table."""
    return frozenset(table.split())


def phrases(table: str) -> list[str]:
    """The phrases of a table, separated by semicolons."""
    return [" ".join(phrase.split()) for phrase in table.split(";")]


def fold(text: str) -> str:
    """`text` in lower case without diacritics; đ becomes d."""
    return spelling(normal(text)).base


def squeeze(text: str) -> str:
    """`text` on one line, with single spaces."""
    return " ".join(text.split())


def one_line(text: str) -> str:
    """`text` in its normal form, on one line."""
    return squeeze(normal(text))


def evidence_words(evidence: str) -> str:
    """“số 12/QĐ-UBND”; `evidence` itself if it begins with a word."""
    return f"số {evidence}" if evidence[:1].isdigit() else evidence


@dataclass(frozen=True)
class Token:
    """A word, a number or one other character, and its place in the text."""

    text: str
    start: int
    glued: bool  # follows the token before without a space
    meant: str = ""  # the word that is meant, where `text` is a slip or a short form

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @cached_property
    def spelling(self) -> Spelling:
        return spelling(self.meant or self.text)

    @property
    def plain(self) -> str:
        return self.spelling.base

    @cached_property
    def number(self) -> int | None:
        return int(self.text) if self.text.isascii() and self.text.isdigit() else None


def tokenise(text: str) -> tuple[Token, ...]:
    """The tokens of a normal text; a line end is a token."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        glued = bool(tokens) and tokens[-1].end == match.start()
        tokens.append(Token(match[0], match.start(), glued))
    return tuple(tokens)


def plain_at(tokens: Sequence[Token], index: int) -> str:
    """The plain word at `index`; empty outside the text."""
    return tokens[index].plain if 0 <= index < len(tokens) else ""


class _Entry(NamedTuple, Generic[T]):
    words: tuple[Spelling, ...]
    marked: bool  # written with “=”: must be typed with all marks, being another word without them
    value: T


class Phrases(Generic[T]):
    """A table from phrases, written with all diacritics, to values; the longest match wins."""

    def __init__(self, table: Mapping[str, T]) -> None:
        self._index: dict[str, list[_Entry[T]]] = {}
        for phrase, value in table.items():
            words = tuple(t.spelling for t in tokenise(normal(phrase.lstrip("="))))
            entry = _Entry(words, phrase.startswith("="), value)
            self._index.setdefault(words[0].base, []).append(entry)
        for entries in self._index.values():
            entries.sort(key=lambda entry: (-len(entry.words), not entry.marked))

    def at(self, tokens: Sequence[Token], index: int) -> Found[T] | None:
        """The longest phrase that begins at `index`."""
        for entry in self._index.get(plain_at(tokens, index), ()):
            size = len(entry.words)
            if index + size <= len(tokens) and _is(entry, tokens, index):
                return Found(size, entry.value)
        return None


def _is(entry: _Entry[T], tokens: Sequence[Token], index: int) -> bool:
    for place, word in enumerate(entry.words, index):
        typed = tokens[place].spelling
        if not (word == typed if entry.marked else word.is_meant_by(typed)):
            return False
    return True
