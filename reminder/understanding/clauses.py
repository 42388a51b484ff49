"""Where one thing said ends and the next begins, and what a clause's items tell in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reminder.understanding.lexer import (
    DayItem,
    EveryItem,
    Item,
    MoodItem,
    NumberItem,
    PaperItem,
    PoliteItem,
    SepItem,
    WordItem,
)
from reminder.understanding.runs import Run
from reminder.understanding.verbs import Mood

_NO = frozenset({"khong", "ko", "k", "hok", "khum", "hong"})
_BREAKS = frozenset({",", ";", "\n", ".", "và", "nhưng", "còn"})


@dataclass(frozen=True)
class Clause:
    """A run and what is said about it."""

    run: Run | None
    before: tuple[Item, ...]
    after: tuple[Item, ...]
    inherits: bool = False  # a later item of a list that its verb precedes

    @property
    def items(self) -> tuple[Item, ...]:
        return self.before + self.after


def clauses(items: Sequence[Item], found: Sequence[Run]) -> list[Clause]:
    """Each run with what is said about it: before it, behind it, or both.

    Between two runs the last break decides: what stands behind it belongs to the next run if it
    says something of its own, all else to the run before.
    """
    found = _own_clauses(items, found)
    if not found:
        return [Clause(None, (), tuple(items))]
    before: Sequence[Item] = items[: found[0].first]
    verb_first = any(isinstance(item, MoodItem) for item in before)
    made: list[Clause] = []
    for number, run in enumerate(found):
        end = found[number + 1].first if number + 1 < len(found) else len(items)
        stretch = items[run.after : end]
        after, following = _divide(stretch) if number + 1 < len(found) else (stretch, ())
        made.append(Clause(run, tuple(before), tuple(after), verb_first and number > 0))
        before = following
    return made


def _own_clauses(items: Sequence[Item], found: Sequence[Run]) -> list[Run]:
    """Without the codes that only occur in what is said of another: “phối hợp làm 1c”."""
    own: list[Run] = []
    for run in found:
        if own and not _opens_clause(items[own[-1].after : run.first], own[-1].colon):
            continue
        own.append(run)
    return own


def _opens_clause(stretch: Sequence[Item], colon: bool) -> bool:
    breaks = [i for i, item in enumerate(stretch) if is_break(item)]
    if colon and not breaks:
        return False
    behind = stretch[breaks[-1] + 1 :] if breaks else stretch
    return all(isinstance(item, PoliteItem | MoodItem | EveryItem | SepItem) for item in behind)


def _divide(stretch: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
    breaks = [i for i, item in enumerate(stretch) if is_break(item)]
    if not breaks:
        return stretch, ()
    last = breaks[-1]
    behind = stretch[last + 1 :]
    own = any(isinstance(item, MoodItem) for item in behind)
    if own or all(isinstance(item, PoliteItem) for item in behind):
        return stretch[:last], behind
    return stretch, ()


def is_break(item: Item) -> bool:
    return isinstance(item, SepItem) and item.sign in _BREAKS


def parts(items: Sequence[Item]) -> list[list[Item]]:
    """`items` between their breaks."""
    found: list[list[Item]] = [[]]
    for item in items:
        if is_break(item):
            found.append([])
        else:
            found[-1].append(item)
    return found


def names_paper(items: Sequence[Item]) -> bool:
    """Whether a paper's number is among `items`; a day alone is none."""
    return is_evidence([item for item in items if not isinstance(item, DayItem)])


def is_evidence(items: Sequence[Item]) -> bool:
    """Whether a paper's number, or a day in figures, is among `items`."""
    for index, item in enumerate(items):
        if isinstance(item, PaperItem) or (isinstance(item, DayItem) and not item.day.relative):
            return True
        if isinstance(item, WordItem) and item.word in PAPER_WORDS and index + 1 < len(items):
            following = items[index + 1]
            if isinstance(following, NumberItem) and _ends_number(items, index + 2):
                return True
    return False


PAPER_WORDS = frozenset({"so", "qd", "kh", "bc", "tb", "cv", "ttr", "tr"})


def _ends_number(items: Sequence[Item], index: int) -> bool:
    return index >= len(items) or not isinstance(items[index], WordItem)


def planned(items: Sequence[Item]) -> bool:
    """Whether a bare “mai” or “thứ sáu” puts what is said into the future."""
    return any(isinstance(item, DayItem) and item.day.relative for item in items)


def moods(items: Sequence[Item]) -> list[Mood]:
    """The moods of `items`, a last “chưa”, “không” behind done read as a question."""
    said = [item for item in items if not isinstance(item, PoliteItem | SepItem)]
    found = [item.mood for item in said if isinstance(item, MoodItem)]
    last = said[-1] if said else None
    if isinstance(last, WordItem) and last.word == "sao" and found:
        found.append(Mood.ASK)
    if _asks_why(said) or (isinstance(last, WordItem) and last.word == "nao" and not _no(found)):
        found.append(Mood.ASK)
    within = parts(items)[-1]
    if isinstance(last, MoodItem) and _may_ask(last) and last in within and len(found) > 1:
        done = {Mood.DONE, Mood.DID, Mood.ISSUED, Mood.SUBMITTED, Mood.PAST, Mood.JUST}
        told = {item.mood for item in within if isinstance(item, MoodItem)}
        others = [item for item in said if isinstance(item, MoodItem) and item is not last]
        if done & told and not any(item.mood is Mood.NOT for item in others):
            found.append(Mood.ASK)
    return found


def _asks_why(said: Sequence[Item]) -> bool:
    """“sao 1c chưa xong”."""
    opening = said[0] if len(said) > 1 else None
    if not isinstance(opening, WordItem) or opening.word != "sao":
        return False
    return isinstance(said[1], MoodItem) and _no([said[1].mood])


def _no(moods: Sequence[Mood]) -> bool:
    return bool({Mood.NOT, Mood.YET} & set(moods))


def _may_ask(item: MoodItem) -> bool:
    """Whether this is the question's word at the end: “xong chưa”, “xong ko”."""
    return item.mood is Mood.YET or item.word in _NO
