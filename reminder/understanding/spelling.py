"""The spelling stage: what is typed → the words that are meant, each with its place in the text.

Shortened words, Telex and VNI that the keyboard left undone, doubled letters and words run
together are mended here once, so that everything behind reads one spelling. A word that is
understood as it stands is never changed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from reminder.domain.text import Spelling, Token, spelling, tokenise
from reminder.understanding import lexicon

_VNI = re.compile(r"(?<![^\W_])[^\W\d_]+[0-9][^\W_]*(?![^\W_])")
_VNI_MARKS = {
    "1": "\u0301", "2": "\u0300", "3": "\u0309", "4": "\u0303", "5": "\u0323", "6": "\u0302",
    "7": "\u031b", "8": "\u0306",
}  # fmt: skip
_TELEX_TONES = {"s": "\u0301", "f": "\u0300", "r": "\u0309", "x": "\u0303", "j": "\u0323"}
_VOWELS = frozenset("aeiouy")
_LONGEST = 14  # letters of a word that is worth mending
_RUN_TOGETHER = ("chưa", "xong", "rồi", "đã", "đang", "gửi", "nộp", "làm", "nhé", "nha")


def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of a normal text as they are meant."""
    read = list(_mended(_with_vni(text, tokenise(text))))
    return tuple(_pairs(read))


def _with_vni(text: str, plain: Sequence[Token]) -> Iterator[Token]:
    """Words that VNI digits cut in pieces, as one token each."""
    meant = {}
    for match in _VNI.finditer(text):
        word = _vni(match[0])
        if word is not None:
            meant[match.start()] = (match.end(), match[0], word)
    end = -1
    for token in plain:
        if token.start in meant:
            end, typed, word = meant[token.start]
            yield replace(token, text=typed, meant=word)
        elif token.start >= end:
            yield token


@lru_cache(1024)
def _vni(typed: str) -> str | None:
    short = lexicon.SHORT.get(spelling(typed))
    if short or len(typed) > _LONGEST:
        return short
    letters: list[str] = []
    for char in typed.lower():
        if char == "9" and "d" in letters:
            letters[letters.index("d")] = "đ"
        elif char in _VNI_MARKS:
            at = _vowel_for(letters, char)
            if at is None:
                return None
            letters[at] += _VNI_MARKS[char]
        elif char.isdigit():
            return None
        else:
            letters.append(char)
    return _if_known("".join(letters))


def _vowel_for(letters: Sequence[str], digit: str) -> int | None:
    fits = {"6": "aeo", "7": "ou", "8": "a"}.get(digit, "aeiouy")
    places = [i for i, letter in enumerate(letters) if letter[0] in fits]
    return places[-1] if places else None


def _mended(read: Iterable[Token]) -> Iterator[Token]:
    for token in read:
        if token.meant or not token.text[0].isalpha():
            yield token
            continue
        yield from _split(token, _meant(token.text))


def _split(token: Token, meant: str) -> Iterator[Token]:
    """`token` as the words of `meant`; their places part the place of what was typed."""
    if not meant:
        yield token
        return
    words = meant.split()
    typed = token.text
    at = 0
    for number, word in enumerate(words):
        last = number + 1 == len(words)
        end = len(typed) if last else min(at + 1, len(typed) - 1)
        yield Token(typed[at:end], token.start + at, token.glued if not at else False, word)
        at = end


@lru_cache(8192)
def _meant(typed: str) -> str:
    """What is meant by `typed`; empty: what it says."""
    word = typed.lower()
    if short := lexicon.SHORT.get(spelling(word)):
        return short if len(short.split()) <= len(word) else ""
    if is_known(word) or not 2 <= len(word) <= _LONGEST:
        return ""
    single = _undoubled(word)
    if short := lexicon.SHORT.get(spelling(single)):
        return short
    if single != word and (is_known(single) and len(single) > 1):
        return single
    return _telex(word) or (_telex(single) if single != word else "") or _parted(word)


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
    if tone:
        marked = [i for i in vowels if len(letters[i]) > 1]
        letters[(marked or vowels)[-1]] += tone
    found = _if_known("".join(letters))
    return found if found and found != word else ""


def _parted(word: str) -> str:
    """chưaxong → chưa xong."""
    for first in _RUN_TOGETHER:
        if len(word) > len(first) and spelling(first).is_meant_by(spelling(word[: len(first)])):
            rest = word[len(first) :]
            if short := lexicon.SHORT.get(spelling(rest)):
                return f"{first} {short}"
            if is_known(rest) and len(rest) > 1:
                return f"{first} {rest}"
    return ""


def _if_known(decomposed: str) -> str | None:
    word = unicodedata.normalize("NFC", decomposed)
    return lexicon.SHORT.get(spelling(word)) or (word if is_known(word) else None)


@lru_cache(1)
def _vocabulary() -> dict[str, tuple[Spelling, ...]]:
    found: dict[str, dict[Spelling, None]] = {}
    for token in lexicon.words():
        found.setdefault(token.plain, {})[token.spelling] = None
    return {base: tuple(each) for base, each in found.items()}


@lru_cache(8192)
def is_known(word: str) -> bool:
    """Whether `word` is one of the lexicon's, perhaps with fewer marks."""
    typed = spelling(word)
    return any(each.is_meant_by(typed) for each in _vocabulary().get(typed.base, ()))


@lru_cache(8192)
def is_spelt(word: str) -> bool:
    """Whether `word` is one of the lexicon's with just these marks."""
    typed = spelling(word)
    return typed in _vocabulary().get(typed.base, ())


def _pairs(read: list[Token]) -> Iterator[Token]:
    """Two short words that mean something together: kh xong, bao h."""
    index = 0
    while index < len(read):
        pair = tuple((t.meant or t.text).lower() for t in read[index : index + 2])
        meant = lexicon.SHORT_PAIRS.get(pair)
        if meant is None:
            yield read[index]
            index += 1
            continue
        for token, word in zip(read[index : index + 2], meant.split(), strict=True):
            yield replace(token, meant=word)
        index += 2
