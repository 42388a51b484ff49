"""Vietnamese text: its normal form, words with and without diacritics.

People type with all diacritics, with some, or with none. A typed word matches a word of a table if
it lacks some of its diacritics, not if it has others: “vang” matches “vâng”, “vắng” does not.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_LOOK_ALIKES = str.maketrans({"\u00d0": "Đ", "\u00f0": "đ"})  # Eth, used for đ in some texts
_WIDE = {0xFF00 + n: 0x20 + n for n in range(1, 95)} | {0x3000: " "}  # full-width forms
_DASHES = frozenset("-‐‑‒–—−")


MOST_MARKS = 30  # combining marks in a row (UAX #15, 13): to sort more takes squared time
_LONG_RUN = re.compile(rf"[^\x00-\u02ff]{{{MOST_MARKS + 1},}}")


class Spelling(NamedTuple):
    """A word as its letters without diacritics, the mark of each letter, and the tone.

    The tone belongs to the word, so that hòa and hoà are the same.
    """

    base: str
    marks: tuple[str, ...]
    tone: str

    def is_meant_by(self, typed: Spelling) -> bool:
        """Return whether `typed` is this word, or this word without some of its marks."""
        if typed.base != self.base or typed.tone not in ("", self.tone):
            return False
        if typed.marks == self.marks:
            return True
        return all(own in ("", mine) for own, mine in zip(typed.marks, self.marks, strict=True))


def composed(text: str) -> str:
    """Return `text` in NFC; of combining marks in a row the first `MOST_MARKS`."""
    return unicodedata.normalize("NFC", _LONG_RUN.sub(_with_few_marks, text))


def _with_few_marks(run: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for char in run[0]:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def normal(text: str) -> str:
    """Return `text` in NFC, with đ for its look-alikes, and without invisible characters."""
    if text.isascii() and text.isprintable():
        return text
    plain = composed(text).translate(_LOOK_ALIKES).translate(_WIDE)
    if plain.isprintable() and "\ufe0f" not in plain:
        return plain
    return "".join(_visible(c) for c in plain.replace("\r\n", "\n").replace("\r", "\n"))


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
    """Return the words of a table."""
    return frozenset(table.split())


def fold(text: str) -> str:
    """Return `text` in lower case without diacritics; đ becomes d."""
    return spelling(normal(text)).base


def folded_words(text: str) -> str:
    """Return the letters and figures of `text`, folded, with single spaces between the words."""
    return " ".join(re.findall(r"[a-z0-9]+", fold(text)))


def squeeze(text: str) -> str:
    """Return `text` on one line, with single spaces."""
    return " ".join(text.split())


def has_controls(text: str) -> bool:
    """Return whether `text` has a control character or a line end of any kind."""
    return any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in text)


def one_line(text: str, longest: int = 10_000) -> str:
    """Return `text` as it may be shown anywhere: NFC, on one line, at most `longest` characters.

    What moves a terminal's cursor, turns the direction of the text, or can't be seen is left out.
    """
    # Nothing that is printable is dropped, and no mark but the space is a blank: most text is so.
    if len(text) <= longest and text.isprintable() and unicodedata.is_normalized("NFC", text):
        return squeeze(text)
    kept = (
        " " if c.isspace() else c
        for c in composed(text[: longest * 8])
        if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf", "Cs")
    )
    flat = squeeze("".join(kept))
    return flat if len(flat) <= longest else f"{flat[: longest - 1].rstrip()}…"


def evidence_words(evidence: str) -> str:
    """Return “số 12/QĐ-UBND”; `evidence` itself if it begins with a word."""
    return f"số {evidence}" if evidence[:1].isdigit() else evidence


def units(text: str) -> int:
    """The length of `text` in UTF-16 units, as messengers count it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clip_plain(text: str, longest: int) -> str:
    """Return `text` cut to `longest` units."""
    while units(text) > longest:
        text = text[: len(text) - max(1, (units(text) - longest) // 2)]
    return text


def divided(text: str, longest: int) -> list[str]:
    """Return `text` in as many parts of at most `longest` units as it takes, none of them blank.

    It is divided between lines; a line that is too long between words, and a word only where it
    is too long itself.
    """
    parts: list[str] = []
    open_part = ""
    for line in text.split("\n"):
        joint = f"{open_part}\n{line}" if open_part else line
        if units(joint) <= longest:
            open_part = joint
            continue
        parts.append(open_part)
        *full, open_part = _pieces(line, longest)
        parts += full
    return [part for part in (*parts, open_part) if part.strip()]


def _pieces(line: str, longest: int) -> list[str]:
    """One line in pieces of at most `longest` units."""
    pieces = []
    while units(line) > longest:
        head = clip_plain(line, longest)
        end = head.rfind(" ") if not line[len(head)].isspace() else len(head)
        head = head[:end] if end > 0 else head
        pieces.append(head.rstrip())
        line = line[len(head) :].lstrip()
    return [*pieces, line]
