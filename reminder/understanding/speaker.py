"""The text of one sender: slices of it, and the day and the reason that a request gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from reminder.domain.text import squeeze, words
from reminder.understanding import say
from reminder.understanding.clauses import parts
from reminder.understanding.codes import CodeBook
from reminder.understanding.dates import sensible
from reminder.understanding.lexer import (
    CodeItem,
    DayItem,
    DaysItem,
    EveryItem,
    Item,
    MoodItem,
    PartItem,
    PoliteItem,
    SepItem,
    WordItem,
)
from reminder.understanding.model import Command, CommandError, Meaning
from reminder.understanding.targets import Targets
from reminder.understanding.verbs import Mood, Verb

# Words that join an answer's text to what stands before or behind it.
_JOINTS = words(
    """
    voi ly do kem vi den toi ngay them roi la thi ma o tai cu the rang som nhat khoang truoc
    sang het lui tu lam viec
    """
)


@dataclass(frozen=True)
class Speaker:
    """The sender's side of a text: who may be meant by it, and the text itself."""

    text: str
    book: CodeBook
    meaning: Meaning
    today: date

    @property
    def targets(self) -> Targets:
        return Targets(self.book, self.meaning, self.text)

    @property
    def replies(self) -> bool:
        return self.meaning.is_reply or bool(self.meaning.reply_to)

    def slice(self, items: Sequence[Item], keep: Callable[[Item], bool]) -> str:
        """The text of `items` from the first that is kept to the last, without those dropped."""
        pieces: list[str] = []
        start = end = -1
        for item in (*items, None):
            if item is not None and keep(item):
                start, end = (item.start if start < 0 else start), item.end
            elif (item is None or _cuts(item)) and start >= 0:
                pieces.append(self.text[start:end])
                start = -1
        return squeeze(" - ".join(pieces))

    def first_word(self, items: Sequence[Item]) -> str:
        """The first of `items` as it was typed; empty where there is none."""
        return self.text[items[0].start : items[0].end] if items else ""


def _cuts(item: Item) -> bool:
    if isinstance(item, SepItem):
        return item.sign in (";", "\n")
    return not isinstance(item, PoliteItem)


def is_content(item: Item) -> bool:
    """Whether `item` tells more than that, and to whom, something is done."""
    return not isinstance(item, MoodItem | PoliteItem | SepItem | EveryItem | CodeItem | PartItem)


def trimmed(items: Sequence[Item]) -> Sequence[Item]:
    """`items` without politeness and signs at both ends."""
    first, last = 0, len(items)
    while first < last and _is_trim(items[first]):
        first += 1
    while last > first and _is_trim(items[last - 1]):
        last -= 1
    return items[first:last]


def _is_trim(item: Item) -> bool:
    return isinstance(item, SepItem) or (isinstance(item, PoliteItem) and item.courtesy)


def until(
    blank: Command, items: Sequence[Item], speaker: Speaker, code: str
) -> Command | CommandError:
    """A command with the day, or the number of days, that `items` name; the rest is its note."""
    for item in items:
        if isinstance(item, DayItem):
            if item.day.day is None:
                return say.bad_date(speaker.text[item.start : item.end])
            return replace(blank, until=item.day.day, note=_why(blank, items, item, speaker))
        if isinstance(item, DaysItem):
            if not sensible(item.days):
                return say.bad_days()
            return replace(blank, days=item.days, note=_why(blank, items, item, speaker))
    return say.needs_date(blank.verb, code)


def _why(blank: Command, items: Sequence[Item], used: Item, speaker: Speaker) -> str:
    return "" if blank.verb is Verb.SNOOZE else reason(items, used, speaker)


def reason(items: Sequence[Item], used: Item | None, speaker: Speaker) -> str:
    """What is said besides the day: without “kèm lý do”, “vì”, “đến” around it."""
    index = next((i for i, item in enumerate(items) if item is used), -1)
    behind = _without(items[index + 1 :], _is_joint)
    told = [part for part in parts(items[: max(index, 0)]) if not any(map(_asks, part))]
    ahead = [_without(part, _is_ahead) for part in told]
    pieces = (speaker.slice(part, lambda _: True) for part in (*ahead, behind))
    return squeeze(" ".join(piece for piece in pieces if piece))


def _without(items: Sequence[Item], drop: Callable[[Item], bool]) -> Sequence[Item]:
    """`items` without what is dropped at their beginning, and courtesies at their end."""
    first, last = 0, len(items)
    while first < last and drop(items[first]):
        first += 1
    while last > first and _is_trim(items[last - 1]):
        last -= 1
    return items[first:last]


def _is_joint(item: Item) -> bool:
    return _is_trim(item) or (isinstance(item, WordItem) and item.word in _JOINTS)


def _asks(item: Item) -> bool:
    return isinstance(item, MoodItem) and item.mood in (Mood.EXTEND, Mood.SNOOZE)


def _is_ahead(item: Item) -> bool:
    """Before the day: also moods and codes; “xin gia hạn 1c đến” tells no reason."""
    return _is_joint(item) or isinstance(item, MoodItem | PoliteItem | CodeItem)
