"""The text of a time phrase → tokens: days, periods, cycles, and the words between them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from reminder.domain.text import Spelling, normal, spelling

_WORD = re.compile(r"[^\W\d_]+|\d+|\s+|.", re.DOTALL)
_NUMBERS = {
    word: n
    for n, word in enumerate(
        ["một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín", "mười"], 1
    )
}
_NUMBERS |= {"tư": 4, "bẩy": 7}
_GLUED = frozenset(["ngay", "thang", "nam", "truoc", "den", "tu", "het", "tuan", "gio"])
_COUNTED = frozenset(
    ["thang", "quy", "thu", "dot", "mung", "mong", "ky", "tuan"]
)  # a number word may follow
_COUNTING = frozenset(
    ["thang", "tuan", "lan", "ngay", "quy", "gio"]
)  # a number word may stand before
_RECURRING = frozenset(["hang", "moi", "tung", "dau", "cuoi", "trong"])  # “hàng tháng, năm 2026”
_NO_FIVE = frozenset(["hoc", "sau", "truoc", "nay"])  # “tháng năm sau” is no May

# What OCR makes of figures, in runs that look like a part of a day and hold a real figure.
_SPOILT = str.maketrans("lI|iOoSB", "11110058")
_RUN = "[0-9lI|OoSB]"
_SPOILT_DAY = re.compile(
    rf"(?<![\w/.-])(?={_RUN}*[/.-])(?=[0-9/.-]*[lI|OoSB]){_RUN}{{1,2}}"
    rf"(?:\s?[/.-]\s?{_RUN}{{1,2}}(?:\s?[/.-]\s?{_RUN}{{4}})?|[/.-]{_RUN}{{4}})(?![\w/])"
)
_SPOILT_NUMBER = re.compile(
    r"(?<![\w/.-])(?:[lI|OoSB][0-9]|[0-9][lI|OoSB])(?![\w/])"
    r"|(?<!\w)(?=[0-9]*[OolI])2[0Oo][0-9OolI]{2}(?![\w/])"
)
_SPOILT_QUARTER = re.compile(
    r"(?i:\bq[uú][yýiíì])\s?([lI1|i]{0,3}[l|][lI1|i]{0,2}[Vv]?|1[Vv]|11|111)(?!\w)"
)
_ELEVEN = frozenset(["ll", "lI", "Il", "II", "||"])
_QUARTER_FIGURES = str.maketrans("l1|i", "IIII")
_WRONG_TONE = re.compile(
    r"\b([^\W\d_]{3,5})(?=\s(?:[0-9]|[IVX]+\b|(?i:hàng|hằng|ngày)\b|đầu năm|cuối năm))"
)
_ALIASES = {"digits": "number", "this_year": "year", "other_word": "word"}
_ALIASES |= {"doubt": "hedge", "sign": "filler"}
# Words of their own in a text with diacritics: quy định, Việt Nam, thu phí.
_UNMARKED = frozenset(["quy", "nam", "thu", "tu", "hang"])
_FIGURE = re.compile(r"\d+|i{1,3}|iv")
_TIME_WORDS = ("tháng", "ngày", "quý", "năm", "trước")


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a kind of phrases.toml, and its place in the text."""

    kind: str
    text: str  # in lower case without diacritics
    start: int
    end: int
    groups: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, group: str) -> str:
        """Return what a group of the kind's pattern matched; empty if nothing."""
        return self.groups.get(group, "")


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a text in its normal form, with its mended figures."""

    text: str
    tokens: tuple[Token, ...]
    mended: tuple[str, ...]  # what was spoilt, as it stands
    is_plain: bool  # without any diacritics


def tokenise(text: str) -> Tokens:
    """Return the tokens of `text`, after slips of OCR in its figures are mended."""
    before = normal(text)
    after, mended = _mend(before)
    return Tokens(after, tuple(_scan(after, *_plain(after))), mended, before.isascii())


# --- the patterns


def _folded(pattern: str) -> str:
    return "".join(c if c.isascii() else spelling(c).base for c in pattern)


@cache
def _tables() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("phrases.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _shapes() -> dict[str, str]:
    """Return the regular expressions, with the pieces in their places."""
    pieces: dict[str, str] = {}

    def whole(pattern: str) -> str:
        joined = "".join(line.strip() for line in pattern.splitlines())
        for name, piece in pieces.items():
            joined = joined.replace(f"{{{name}}}", piece)
        return joined

    for name, piece in _tables()["pieces"].items():
        pieces[name] = whole(piece)
    return {kind: whole(pattern) for kind, pattern in _tables()["shapes"].items()}


@cache
def _kinds() -> dict[str, list[tuple[list[Spelling], str]]]:
    """Return how each folded phrase is spelt, and of which kind it is then."""
    found: dict[str, list[tuple[list[Spelling], str]]] = {}
    for kind, listed in _tables()["words"].items():
        for phrase in listed:
            spelt = [spelling(word) for word in phrase.split()]
            found.setdefault(_folded(phrase), []).append((spelt, kind))
    return found


def _kind_of(plain: str, typed: str) -> str:
    """Return the kind of a phrase as typed: “tới” is until, and “tối” is not; else nothing."""
    words = [spelling(word) for word in typed.split()]
    for spelt, kind in _kinds()[plain]:
        if len(spelt) != len(words) or all(
            one.is_meant_by(word) for one, word in zip(spelt, words, strict=True)
        ):
            return kind
    return ""


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the patterns in order; phrases stand before bare months, numbers and words."""
    listed = sorted(_kinds(), key=len, reverse=True)
    phrases = re.compile(rf"(?:{'|'.join(map(re.escape, listed))})(?!\w)")
    found = [(kind, re.compile(_folded(shape))) for kind, shape in _shapes().items()]
    found.insert([kind for kind, _ in found].index("month"), ("phrase", phrases))
    return tuple(found)


@cache
def _vocabulary() -> dict[str, tuple[str, ...]]:
    """Return how each folded word of the patterns may be spelt."""
    listed = [phrase for phrases in _tables()["words"].values() for phrase in phrases]
    text = " ".join([*_shapes().values(), *listed, "kì quí hằng lễ ngay"])
    text = re.sub(r"\?P<\w+>|\\.", " ", text).replace("[ỳì]", "ỳ").replace("[ýí]", "ý")
    found: dict[str, set[str]] = {}
    for word in re.findall(r"[^\W\d_]+", text):
        found.setdefault(spelling(word).base, set()).add(word)
    return {base: tuple(sorted(spelt)) for base, spelt in found.items()}


def _is_known(word: str) -> bool:
    typed = spelling(word)
    return any(spelling(one).is_meant_by(typed) for one in _vocabulary().get(typed.base, ()))


def _scan(text: str, plain: str, origin: Sequence[int]) -> Iterator[Token]:
    at = 0
    while at < len(plain):
        for name, pattern in _patterns():
            match = pattern.match(plain, at)
            if match is None or match.end() == at:
                continue
            start, end = origin[at], origin[match.end() - 1] + 1
            kind = _ALIASES.get(name, name)
            if name == "phrase" and not (kind := _kind_of(match[0], text[start:end])):
                continue
            groups = {key: found for key, found in match.groupdict().items() if found is not None}
            yield Token(kind, match[0], start, end, groups)
            at = match.end()
            break
        else:
            at += 1


# --- slips of OCR


def _mend(text: str) -> tuple[str, tuple[str, ...]]:
    """Return `text` with the figures that OCR spoilt, each as long as it was; and those."""
    found: list[tuple[int, str]] = []

    def day(match: re.Match[str]) -> str:
        runs = re.split(r"[/.-]", match[0])
        good = match[0].translate(_SPOILT)
        figures = [any(map(str.isdigit, run)) or run in _ELEVEN for run in runs]
        if good == match[0] or not all(figures) or runs[0] in _ELEVEN:
            return match[0]
        found.append((match.start(), match[0]))
        return good

    def quarter(match: re.Match[str]) -> str:
        figure = match[1]
        good = figure[:-1].translate(_QUARTER_FIGURES) + ("V" if figure[-1] in "Vv" else "I")
        if figure == good or good not in ("I", "II", "III", "IV"):
            return match[0]
        found.append((match.start(), match[0]))
        return match[0][: -len(figure)] + good

    def tone(match: re.Match[str]) -> str:
        base = spelling(match[1]).base
        if base == "ouy":
            found.append((match.start(), match[1]))
            return "quý"
        for word in _TIME_WORDS:
            if base == spelling(word).base and not _is_known(match[1]):
                found.append((match.start(), match[1]))
                return word
        return match[0]

    text = _SPOILT_QUARTER.sub(quarter, text)
    text = _SPOILT_DAY.sub(day, text)
    text = _SPOILT_NUMBER.sub(day, text)
    text = _WRONG_TONE.sub(tone, text)
    return text, tuple(spoilt for _, spoilt in sorted(found))


# --- the plain text that the patterns match


def _plain(text: str) -> tuple[str, list[int]]:
    """Return `text` in lower case without diacritics, and the place of each of its characters.

    A word that is another one with its diacritics (quỹ, hạng) begins with “_”; a number in
    words that counts a period is a figure; a line end is “;”.
    """
    is_plain = text.isascii()
    words = [(m[0], m.start()) for m in _WORD.finditer(text)]
    spelt = [word for word, _ in words if not word.isspace()]
    bases = [spelling(word).base for word in spelt]
    chars: list[str] = []
    origin: list[int] = []
    place = -1
    skip = 0
    for word, start in words:
        if word.isspace():
            if not skip and ("\n" in word or chars[-1:] != [" "]):
                chars.append(";" if "\n" in word else " ")
                origin.append(start)
            continue
        place += 1
        if skip:
            skip -= 1
            origin[-1] = start + len(word) - 1
            continue
        shown = bases[place]
        number, size = _number(spelt, bases, place)
        if number:
            shown, skip = str(number), size - 1
        elif word.isalpha() and shown in _vocabulary():
            unmarked = shown in _UNMARKED and word.isascii() and not is_plain
            counted = place + 1 < len(bases) and _FIGURE.fullmatch(bases[place + 1])
            if not _is_known(word) or (unmarked and not counted):
                shown = f"_{shown[1:]}"
        chars += shown
        origin += [start + min(k, len(word) - 1) for k in range(len(shown))]
        if number:
            origin[-1] = start + len(word) - 1
        if _is_glued(spelt, bases, place) and text[start + len(word)] == spelt[place + 1][0]:
            chars.append(" ")
            origin.append(origin[-1])
    return "".join(chars), origin


def _is_glued(words: Sequence[str], bases: Sequence[str], at: int) -> bool:
    """Return whether a space may be missing behind a word: “ngày15/6”, “15tháng 6”."""
    if at + 1 == len(words):
        return False
    figures = words[at].isdigit(), words[at + 1].isdigit()
    return (figures == (False, True) and bases[at] in _GLUED) or (
        figures == (True, False) and bases[at + 1] in _GLUED
    )


def _number(words: Sequence[str], bases: Sequence[str], at: int) -> tuple[int, int]:
    """Return the number that a word counts a period with, or 0; and how many words it takes."""
    number = _NUMBERS.get(words[at].lower(), 0)
    if not number:
        return 0, 1
    before = bases[at - 1] if at else ""
    after = bases[at + 1] if at + 1 < len(bases) else ""
    if before not in _COUNTED:
        counts = after in _COUNTING and number != 5 and before != "thu"
        return (number, 1) if counts else (0, 1)
    earlier = bases[at - 2] if at > 1 else ""
    if number == 5 and before in ("thang", "quy", "tuan", "ky"):
        five = len(after) != 4 and after not in _NO_FIVE
        if not five or earlier in _RECURRING or earlier.isdigit():
            return 0, 1
    more = _NUMBERS.get(words[at + 1].lower(), 0) if number == 10 and after else 0
    return (10 + more, 2) if before == "thang" and 0 < more < 3 else (number, 1)
