"""A typed text as a row of items: codes, days, periods, papers, moods, names, and mere words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import accumulate

from reminder.domain.plan import Unit
from reminder.domain.text import Spelling, fold
from reminder.understanding import spelling
from reminder.understanding.codes import Code, CodeBook
from reminder.understanding.dates import Day, day_at, days_at, period_at
from reminder.understanding.lexicon import (
    COURTESY,
    SEPARATORS,
    WORDS,
    Mood,
    Role,
    listed,
    pattern,
)
from reminder.understanding.model import Meaning
from reminder.understanding.spelling import Found, Phrases, Token, plain_at


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something read, and the stretch of text that it takes."""

    start: int = 0
    end: int = 0


@dataclass(frozen=True, kw_only=True)
class CodeItem(Item):
    code: Code
    day: Day | None = None  # which it may be as well: 2.3


@dataclass(frozen=True, kw_only=True)
class NumberItem(Item):
    number: int
    marked: bool = False  # “việc 3”: surely meant as a code


@dataclass(frozen=True, kw_only=True)
class DayItem(Item):
    day: Day
    month: str = ""  # “t2” may be one


@dataclass(frozen=True, kw_only=True)
class DaysItem(Item):
    days: int


@dataclass(frozen=True, kw_only=True)
class PeriodItem(Item):
    period: str
    dated: bool  # its year was said


@dataclass(frozen=True, kw_only=True)
class PaperItem(Item):
    """A paper's number: 12/QĐ-UBND."""


@dataclass(frozen=True, kw_only=True)
class CitedItem(Item):
    """A paper that the work follows, and not the work's own: theo KH 232/KH-UBND."""


@dataclass(frozen=True, kw_only=True)
class MoodItem(Item):
    mood: Mood
    word: str


@dataclass(frozen=True, kw_only=True)
class EveryItem(Item):
    rest: bool = False  # “còn lại”: all but those named


@dataclass(frozen=True, kw_only=True)
class UnitItem(Item):
    unit: str


@dataclass(frozen=True, kw_only=True)
class PoliteItem(Item):
    """What takes nothing from a statement; a courtesy is no part of any text that is kept."""

    word: str
    role: Role = Role.PARTICLE

    @property
    def courtesy(self) -> bool:
        return self.role in COURTESY


@dataclass(frozen=True, kw_only=True)
class PartItem(Item):
    """Phần 2."""

    number: int


@dataclass(frozen=True, kw_only=True)
class SepItem(Item):
    sign: str


@dataclass(frozen=True, kw_only=True)
class WordItem(Item):
    word: str  # plain
    spelt: Spelling | None = None  # with the marks that were typed


MOODS: Phrases[Mood | None] = Phrases(
    {phrase: None if name == "neutral" else Mood(name) for phrase, name in listed("intent").items()}
)
HARMLESS = Phrases({phrase: Role(name) for phrase, name in reversed(listed("harmless").items())})
_MOOD_NAMES = frozenset(Mood)
ORDINALS = Phrases({phrase: int(place) for phrase, place in listed("ordinals").items()})
EVERY = Phrases({phrase: name == "rest" for phrase, name in listed("every").items()})
_SEPARATORS = Phrases({phrase: sign for sign, all_ in SEPARATORS.items() for phrase in all_})
_DATED = re.compile(r"20\d\d|này|nay|trước|truoc|rồi|roi", re.IGNORECASE)
# A paper's number, with the kind of paper or the issuing body after it.
_PAPER = re.compile(r"\d{1,5}[a-zđ]?(?:/20\d\d)?[/-]([^\W\d_]+)(?:[-/.&]\w+)*", re.IGNORECASE)
_LONGEST_NAME = 4  # words
_NAME_ENDS = frozenset(":,.-\n")


@lru_cache(maxsize=8)
def _spellings(units: tuple[Unit, ...]) -> Phrases[str]:
    """Return unit ids by what units are called; cached, as it takes longer than reading."""
    return Phrases(
        {
            spelling: unit.id
            for unit in reversed(units)
            for spelling in (*unit.spellings, unit.short, unit.name, unit.id)
            if spelling
        }
    )


class Lexer:
    """Reads texts of one sender."""

    def __init__(self, book: CodeBook, meaning: Meaning, today: date) -> None:
        self.book = book
        self.today = today
        self._marked = False  # whether the text is written with marks
        self.units = _spellings(tuple(unit for plan in meaning.plans for unit in plan.units))

    def polite(self, tokens: Sequence[Token], index: int) -> int:
        """Return how many tokens of politeness, or of signs, begin at `index`."""
        found = HARMLESS.at(tokens, index)
        return found.size if found else int(not tokens[index].text[0].isalnum())

    def items(self, text: str) -> list[Item]:
        """Return the items of a normal text, in order."""
        tokens = spelling.tokens(text)
        self._marked = not text.isascii()
        remarks = _Remarks(tokens)
        items: list[Item] = []
        index = 0
        opening = True
        while index < len(tokens):
            found = self._at(text, tokens, index, remarks)
            framed = self._frame(tokens, index) if opening else None
            if framed and (found is None or framed.size >= found.size):
                found = framed
            if found:
                end = index + found.size
                span = {"start": tokens[index].start, "end": tokens[end - 1].end}
                read = [replace(found.value, **span)]
            else:
                neutral = MOODS.at(tokens, index)
                end = index + (neutral.size if neutral else 1)
                read = [_word(token) for token in tokens[index:end]]
            opening = opening and all(map(_opens, read))
            items += read
            index = end
        return items

    def _at(
        self, text: str, tokens: Sequence[Token], index: int, remarks: _Remarks
    ) -> Found[Item] | None:
        return (
            self._paper(text, tokens, index)
            or self._code(tokens, index, text)
            or _part(tokens, index)
            or self._name(text, tokens, index)
            or remarks.talk(index)
            or self._figures(tokens, index, measured=True)
            or self._moment(text, tokens, index)
            or self._phrase(tokens, index, remarks)
            or self._figures(tokens, index, measured=False)
        )

    def _figures(
        self, tokens: Sequence[Token], index: int, *, measured: bool
    ) -> Found[Item] | None:
        """1.2 tỷ; 192.168.1.1: no numeral that might be a code."""
        size = self.book.figures_at(tokens, index, measured=measured)
        return Found(size, WordItem(word=tokens[index].text)) if size else None

    def _frame(self, tokens: Sequence[Token], index: int) -> Found[Item] | None:
        """Return the politeness of “em xin báo cáo anh Dũng”, “báo cáo kết quả” before a code."""
        at = _behind(tokens, index, WORDS["reporters"])
        if plain_at(tokens, at) == "bc":
            at += 1
        elif (plain_at(tokens, at), plain_at(tokens, at + 1)) == ("bao", "cao"):
            at += 2
        elif plain_at(tokens, at) == "bao" and plain_at(tokens, at + 1) in WORDS["addressed"]:
            at += 1  # “báo chị 1c xong”
        else:
            return None
        if plain_at(tokens, at) == ":" and at > index + 1:  # “báo cáo: 1c đã xong”
            return Found(at + 1 - index, PoliteItem(word="bao", role=Role.SAYING))
        told = at
        at = _behind(tokens, at, WORDS["addressed"])
        addressed = at > told
        if addressed:  # and a name
            name = next((k for k in range(3) if self._ends_name(tokens, at + k)), 0)
            if not any(plain_at(tokens, at + k) in WORDS["no-names"] for k in range(name)):
                at += name
        topic = _behind(tokens, at, WORDS["topics"])
        if topic > at and (self._code(tokens, topic) or plain_at(tokens, topic) == ":"):
            at = topic
        elif not addressed:
            return None
        return Found(at - index, PoliteItem(word="bao", role=Role.SAYING))

    def _ends_name(self, tokens: Sequence[Token], index: int) -> bool:
        """Whether an addressee's name has ended: a code, what is reported or a sign follows."""
        word = plain_at(tokens, index)
        ends = word in _NAME_ENDS or word in WORDS["topics"] or word in WORDS["reporters"]
        return ends or bool(self._code(tokens, index))

    def _paper(self, text: str, tokens: Sequence[Token], index: int) -> Found[Item] | None:
        start = tokens[index].start
        if text[start] > "9" or (tokens[index].glued and tokens[index - 1].plain in ("/", "-")):
            return None
        match = _PAPER.match(text, start)
        if match is None or fold(match[1]) not in WORDS["papers"]:
            return None
        size = sum(1 for token in tokens[index : index + 40] if token.start < match.end())
        return Found(size, PaperItem())

    def _code(self, tokens: Sequence[Token], index: int, text: str = "") -> Found[Item] | None:
        found = self.book.at(tokens, index) if index < len(tokens) else None
        if found is None:
            return None
        code, size = found.value, found.size
        if not text or not self.book.has_pieced or tokens[index].number is None:
            return Found(size, CodeItem(code=code))
        day = day_at(text, tokens, index, self.today)
        if day is None or day.value.day is None or (code.known and day.size != size):
            return Found(size, CodeItem(code=code))
        return Found(size, CodeItem(code=code, day=day.value)) if code.known else None

    def _name(self, text: str, tokens: Sequence[Token], index: int) -> Found[Item] | None:
        """Return the name of “chị Mai”: a capital behind a word for a person is no day."""
        if plain_at(tokens, index - 1) not in WORDS["called"]:
            return None
        end = index
        while end < min(index + _LONGEST_NAME, len(tokens)) and _is_capital(text, tokens[end]):
            if end > index and self._code(tokens, end):
                break
            end += 1
        return Found(end - index, PoliteItem(word="", role=Role.NAME)) if end > index else None

    def _moment(self, text: str, tokens: Sequence[Token], index: int) -> Found[Item] | None:
        period = period_at(text, tokens, index, self.today)
        day = day_at(text, tokens, index, self.today)
        if day and (period is None or day.size >= period.size):
            month = period.value if period and day.size == period.size else ""
            return Found(day.size, DayItem(day=day.value, month=month))
        if period:
            end = tokens[index + period.size - 1].end
            dated = bool(_DATED.search(text, tokens[index].start, end))
            return Found(period.size, PeriodItem(period=period.value, dated=dated))
        if days := days_at(tokens, index):
            if _is_dated_paper(text, tokens, index, self.today):
                return None
            return Found(days.size, DaysItem(days=days.value))
        return _no_period(tokens, index)

    def _phrase(self, tokens: Sequence[Token], index: int, remarks: _Remarks) -> Found[Item] | None:
        """Return the longest of what the tables of phrases know; a mood, if equally long."""
        found: list[Found[Item]] = []
        mood = MOODS.at(tokens, index)
        if mood and mood.value is Mood.ASK and _exclaims(tokens, index, mood.size, remarks):
            mood = None
        if mood and mood.size == 1 and self._marked and tokens[index].text.lower() == "cho":
            mood = None  # no “chờ”, in a text with marks
        if mood and mood.value is not None:
            word = " ".join(token.plain for token in tokens[index : index + mood.size])
            found.append(Found(mood.size, MoodItem(mood=mood.value, word=word)))
        neutral = mood.size if mood and mood.value is None else 0
        found += self._names(tokens, index)
        if remark := remarks.at(index):
            word = plain_at(tokens, index)
            said: Item = (
                MoodItem(mood=remark.value, word=word)
                if isinstance(remark.value, Mood)
                else PoliteItem(word=word, role=remark.value)
            )
            found.insert(0 if isinstance(said, MoodItem) else len(found), Found(remark.size, said))
        best = max(found, key=lambda each: each.size, default=None)
        return best if best and best.size >= neutral else None

    def _names(self, tokens: Sequence[Token], index: int) -> Iterator[Found[Item]]:
        if every := EVERY.at(tokens, index):
            yield Found(every.size, EveryItem(rest=every.value))
        if unit := self.units.at(tokens, index):
            yield Found(unit.size, UnitItem(unit=unit.value))
        if self._marked and _may_be_name(tokens[index]):
            return
        if (sep := _SEPARATORS.at(tokens, index)) and not _is_child(
            tokens, index, marked=self._marked
        ):
            yield Found(sep.size, SepItem(sign=sep.value))
        if polite := HARMLESS.at(tokens, index):
            word = plain_at(tokens, index)
            yield Found(polite.size, PoliteItem(word=word, role=polite.value))


def _part(tokens: Sequence[Token], index: int) -> Found[Item] | None:
    number = tokens[index + 1].number if index + 1 < len(tokens) else None
    if plain_at(tokens, index) != "phan" or number is None or not 1 <= number <= 9:
        return None
    if plain_at(tokens, index + 2) in ("%", "/"):
        return None
    return Found(2, PartItem(number=number))


def _no_period(tokens: Sequence[Token], index: int) -> Found[Item] | None:
    """Tháng 13, quý 5: a period that no year has."""
    number = tokens[index + 1].number if index + 1 < len(tokens) else None
    if plain_at(tokens, index) not in ("thang", "quy", "qui") or number is None:
        return None
    return Found(2, PeriodItem(period="", dated=True))


def _exclaims(tokens: Sequence[Token], index: int, size: int, remarks: _Remarks) -> bool:
    """Return whether a question word only calls: “À, 1c xong rồi”, “xong rồi sao máy cứ nhắc”."""
    opens = index == 0 or tokens[index - 1].plain in ("\n", ".", ";")
    if opens and tokens[index].text.lower() in ("à", "ủa"):
        return True
    last = index + size - 1
    remark = remarks.at(last)
    return tokens[last].plain == "sao" and remark is not None and remark.size > 1


def _is_capital(text: str, token: Token) -> bool:
    """Return whether the word has a capital, as “Mai”, in a text that is not all capitals."""
    word = token.text
    return word[:1].isupper() and not word.isupper() and not text.isupper()


_AH = spelling.tokenise("ạ")[0].spelling


class _Remarks:
    """Finds what the patterns of lexicon.toml match, which are of words without marks."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        words = ["ạ" if token.spelling == _AH else token.plain for token in tokens]
        self._text = " ".join(words)
        self._starts = list(accumulate((len(word) + 1 for word in words), initial=0))
        self._ends = {start - 1: index for index, start in enumerate(self._starts)}
        told = (index for index, word in enumerate(words) if word in WORDS["told"])
        self._told = next(told, len(words))
        self._words = words

    def talk(self, index: int) -> Found[Item] | None:
        """Return what the sender is about besides, behind what is told done."""
        before = self._words[index - 1]
        if index <= self._told or not (before == "\n" or before in WORDS["breaks"]):
            return None
        match = pattern(talk=True).match(self._text, self._starts[index])
        if match is None:
            return None
        size = self._ends[match.end()] - index
        return Found(size, PoliteItem(word=self._words[index], role=Role.REMARK))

    def at(self, index: int) -> Found[Role | Mood] | None:
        match = pattern(talk=False).match(self._text, self._starts[index])
        if match is None or match.lastgroup is None:
            return None
        name = match.lastgroup.replace("_", "-")
        kind = Mood(name) if name in _MOOD_NAMES else Role(name)
        return Found(self._ends[match.end()] - index, kind)


def _is_dated_paper(text: str, tokens: Sequence[Token], index: int, today: date) -> bool:
    """Return whether “QĐ 34 ngày 5/3” is a paper's number and its day, not 34 days."""
    numbered = plain_at(tokens, index - 1) in ("so", *WORDS["papers"])
    return numbered and day_at(text, tokens, index + 1, today) is not None


def _may_be_name(token: Token) -> bool:
    """Return whether a word without marks among marked ones is a name: “Minh”, “Lan”."""
    word = token.text
    return (
        word.isascii() and word[:1].isupper() and not word.isupper() and not spelling.is_spelt(word)
    )


def _is_child(tokens: Sequence[Token], index: int, *, marked: bool) -> bool:
    """Return whether “con” is the sender (“Con xong 1c rồi cô”) and not “còn”."""
    opens = index == 0 or tokens[index - 1].plain in ("da", "\n")
    return tokens[index].text.lower() == "con" and (opens or marked)


def _behind(tokens: Sequence[Token], index: int, table: frozenset[str]) -> int:
    """Return the place behind a few words of `table` from `index` on."""
    end = min(index + 6, len(tokens))
    while index < end and plain_at(tokens, index) in table:
        index += 1
    return index


def _opens(item: Item) -> bool:
    """Return whether only politeness has been said so far."""
    seen = isinstance(item, MoodItem) and item.mood is Mood.SEEN
    return seen or isinstance(item, PoliteItem | SepItem)


def _word(token: Token) -> Item:
    if token.number is not None and len(token.text) <= 4:
        return NumberItem(start=token.start, end=token.end, number=token.number)
    if not token.text[0].isalnum():
        return PoliteItem(start=token.start, end=token.end, word=token.text, role=Role.SIGN)
    return WordItem(start=token.start, end=token.end, word=token.plain, spelt=token.spelling)
