"""What is typed → tokens: words, numbers and signs, each with the word that is meant.

Shortened words, Telex and VNI that the keyboard left undone, doubled letters and words run
together are mended here once, so that everything behind reads one spelling. A word that is
understood as it stands is never changed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from operator import eq
from typing import Generic, NamedTuple, TypeVar

from reminder.domain.text import Spelling, normal, spelling
from reminder.understanding import lexicon

T = TypeVar("T")

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

    @cached_property
    def plain(self) -> str:
        return self.spelling.base

    @cached_property
    def number(self) -> int | None:
        return int(self.text) if self.text.isascii() and self.text.isdigit() else None


@lru_cache(16)  # each stage of reading asks for those of the same text
def tokenise(text: str) -> tuple[Token, ...]:
    """Return the tokens of a normal text as they stand; a line end is a token."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        glued = bool(tokens) and tokens[-1].end == match.start()
        tokens.append(Token(match[0], match.start(), glued))
    return tuple(tokens)


def plain_at(tokens: Sequence[Token], index: int) -> str:
    """Return the plain word at `index`; empty outside the text."""
    return tokens[index].plain if 0 <= index < len(tokens) else ""


class _Entry(NamedTuple, Generic[T]):
    words: tuple[Spelling, ...]
    marked: bool  # written with “=”: must be typed with all marks, being another word without them
    value: T

    def begins(self, tokens: Sequence[Token], index: int) -> bool:
        for place, word in enumerate(self.words, index):
            typed = tokens[place].spelling
            if not (word == typed if self.marked else word.is_meant_by(typed)):
                return False
        return True


class Phrases(Generic[T]):
    """A table from phrases, written with all diacritics, to values; the longest match wins."""

    def __init__(self, table: Mapping[str, T]) -> None:
        self._table = table

    @cached_property  # with the first text: all tables together take 60 ms
    def _index(self) -> dict[str, list[_Entry[T]]]:
        index: dict[str, list[_Entry[T]]] = {}
        for phrase, value in self._table.items():
            words = tuple(t.spelling for t in tokenise(normal(phrase.lstrip("="))))
            entry = _Entry(words, phrase.startswith("="), value)
            index.setdefault(words[0].base, []).append(entry)
        for entries in index.values():
            entries.sort(key=lambda entry: (-len(entry.words), not entry.marked))
        return index

    def at(self, tokens: Sequence[Token], index: int) -> Found[T] | None:
        """Return the longest phrase that begins at `index`; of several, the one typed exactly."""
        entries = self._index.get(tokens[index].plain) if 0 <= index < len(tokens) else None
        best: Found[T] | None = None
        for entry in entries or ():
            size = len(entry.words)
            if best and size < best.size:
                break
            if index + size <= len(tokens) and entry.begins(tokens, index):
                typed = (token.spelling for token in tokens[index : index + size])
                if all(map(eq, entry.words, typed)):
                    return Found(size, entry.value)
                best = best or Found(size, entry.value)
        return best


_SHORT = {spelling(typed): meant for typed, meant in lexicon.pairs("short")}
_SHORT_PAIRS = {tuple(typed.split()): meant for typed, meant in lexicon.pairs("phrases", ":")}
_VNI = re.compile(r"(?<![^\W_])[^\W\d_]+[0-9][^\W_]*(?![^\W_])")
_VNI_MARKS = dict(zip("12345678", "\u0301\u0300\u0309\u0303\u0323\u0302\u031b\u0306", strict=True))
_VNI_VOWELS = {"6": "aeo", "7": "ou", "8": "a"}  # of the other digits: any
_TELEX_TONES = dict(zip("sfrxj", "\u0301\u0300\u0309\u0303\u0323", strict=True))
_VOWELS = "aeiouy"
_LONGEST = 14  # letters of a word that is worth mending
_RUN_TOGETHER = ("chưa", "xong", "rồi", "đã", "đang", "gửi", "nộp", "làm", "nhé", "nha")


@lru_cache(16)
def tokens(text: str) -> tuple[Token, ...]:
    """Return the tokens of a normal text as they are meant."""
    return tuple(_pairs([each for token in _with_vni(text) for each in _mended(token)]))


def _with_vni(text: str) -> Iterator[Token]:
    """Yield the tokens, with words that VNI digits cut in pieces as one each."""
    cut = {match.start(): match for match in _VNI.finditer(text)}
    end = -1
    for token in tokenise(text):
        match = cut.get(token.start)
        if match and (word := _vni(match[0])):
            end = match.end()
            yield replace(token, text=match[0], meant=word)
        elif token.start >= end:
            yield token


@lru_cache(1024)
def _vni(typed: str) -> str:
    if spelling(typed) in _SHORT or len(typed) > _LONGEST:
        return _SHORT.get(spelling(typed), "")
    letters: list[str] = []
    for char in typed.lower():
        if char == "9" and "d" in letters:
            letters[letters.index("d")] = "đ"
        elif char in _VNI_MARKS:
            fits = _VNI_VOWELS.get(char, _VOWELS)
            places = [i for i, letter in enumerate(letters) if letter[0] in fits]
            if not places:
                return ""
            letters[places[-1]] += _VNI_MARKS[char]
        elif char.isdigit():
            return ""
        else:
            letters.append(char)
    return _if_known(letters)


def _mended(token: Token) -> Iterator[Token]:
    """Yield `token` as the words that are meant, each with its letters of what was typed."""
    mends = not token.meant and token.text[0].isalpha()
    words = _meant(token.text).split() if mends else []
    last = len(words) - 1
    if last < 0:
        yield token
    for k, word in enumerate(words):
        typed = token.text[k:] if k == last else token.text[k]
        yield Token(typed, token.start + k, token.glued and not k, word)


@lru_cache(8192)
def _meant(typed: str) -> str:
    """Return what is meant by `typed`; empty: what it says."""
    word = typed.lower()
    if short := _SHORT.get(spelling(word)):
        return short if len(short.split()) <= len(word) else ""
    if is_known(word) or not 2 <= len(word) <= _LONGEST:
        return ""
    single = _undoubled(word)
    if short := _SHORT.get(spelling(single)):
        return short
    if single != word and (len(single) > 1 or not single.isascii()) and is_known(single):
        return single
    return _telex(word) or _telex(single) or _parted(word)


def _undoubled(word: str) -> str:
    """xonggg → xong, rồiii → rồi; of two alike the one with a mark stays."""
    kept: list[str] = []
    for char in word:
        if kept and spelling(kept[-1]).base == spelling(char).base:
            kept[-1] = max(kept[-1], char)  # a letter with a mark stands behind the bare one
        else:
            kept.append(char)
    return "".join(kept)


def _telex(word: str) -> str:
    if not word.isascii() or not word.isalpha():
        return ""
    letters: list[str] = []
    tone = ""
    for char in word:
        if char in _TELEX_TONES and any(each[0] in _VOWELS for each in letters):
            tone = _TELEX_TONES[char]
        elif char == "d" and letters and letters[0] == "d":
            letters[0] = "đ"
        elif char in "aeo" and char in letters and letters[-1] in (char, *"iuncmpt"):
            letters[letters.index(char)] += "\u0302"
        elif char == "w":
            at = [i for i, each in enumerate(letters) if each in ("a", "o", "u")]
            if not at:
                return ""
            for i in at if letters[at[0]] == "u" and len(at) > 1 else at[-1:]:
                letters[i] += "\u0306" if letters[i] == "a" else "\u031b"
        else:
            letters.append(char)
    vowels = [i for i, each in enumerate(letters) if each[0] in _VOWELS]
    if not vowels:
        return ""
    marked = [i for i in vowels if len(letters[i]) > 1]
    letters[(marked or vowels)[-1]] += tone
    found = _if_known(letters)
    return found if found != word else ""


def _parted(word: str) -> str:
    """chưaxong → chưa xong."""
    for first in _RUN_TOGETHER:
        rest = word[len(first) :]
        if rest and spelling(first).is_meant_by(spelling(word[: len(first)])):
            if short := _SHORT.get(spelling(rest)):
                return f"{first} {short}"
            if is_known(rest) and len(rest) > 1:
                return f"{first} {rest}"
    return ""


def _if_known(letters: Sequence[str]) -> str:
    word = unicodedata.normalize("NFC", "".join(letters))
    return _SHORT.get(spelling(word)) or (word if is_known(word) else "")


@cache
def _vocabulary() -> dict[str, set[Spelling]]:
    """Return every word that is understood: its plain form → as it is spelt."""
    found: dict[str, set[Spelling]] = {}
    for phrase in (*lexicon.listed("intent"), *lexicon.listed("harmless")):
        for token in tokenise(phrase.lstrip("=")):
            found.setdefault(token.plain, set()).add(token.spelling)
    return found


@lru_cache(8192)
def is_known(word: str) -> bool:
    """Return whether `word` is one of the lexicon's, perhaps with fewer marks."""
    typed = spelling(word)
    return any(each.is_meant_by(typed) for each in _vocabulary().get(typed.base, ()))


@lru_cache(8192)
def is_spelt(word: str) -> bool:
    """Return whether `word` is one of the lexicon's with just these marks."""
    typed = spelling(word)
    return typed in _vocabulary().get(typed.base, ())


def _pairs(read: Sequence[Token]) -> Iterator[Token]:
    """Two short words that mean something together: kh xong, bao h."""
    index = 0
    while index < len(read):
        pair = read[index : index + 2]
        meant = _SHORT_PAIRS.get(tuple((t.meant or t.text).lower() for t in pair))
        if meant is None:
            yield read[index]
            index += 1
            continue
        for token, word in zip(pair, meant.split(), strict=True):
            yield replace(token, meant=word)
        index += 2
