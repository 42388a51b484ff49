"""What is typed beside the work: a paper merely cited, a room, a denial, a count of the codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from reminder.domain.periods import Cycle
from reminder.domain.plan import Every
from reminder.domain.text import tokenise, words
from reminder.understanding.clauses import PAPER_WORDS, Clause, is_break
from reminder.understanding.codes import CodeBook
from reminder.understanding.lexer import (
    CitedItem,
    CodeItem,
    DayItem,
    Item,
    MoodItem,
    NumberItem,
    PaperItem,
    PeriodItem,
    PoliteItem,
    SepItem,
    WordItem,
)
from reminder.understanding.verbs import Mood

_CITING = {"cu": ("can",), "vao": ("dua",), "tren": ("dua",)}  # căn cứ; dựa vào, dựa trên
_KIND_WORDS = words(
    """
    qd kh bc tb cv ttr tr ct nq hd quyet dinh ke hoach cong van thong bao cao to trinh chi thi nghi
    huong dan luat so tu van ban tinh than noi dung cua ubnd hdnd thanh pho tinh phuong chinh phu
    """
)
_COUNTING = frozenset({"sau", "gom", "do"})
_REPORT = "bao cao "


def settled_asides(items: Sequence[Item], book: CodeBook, today: date) -> list[Item]:
    """`items` with citations as one item each, rooms as words, t2 as a month, denials apart."""
    return _parted(_with_months(_cited(_roomless(items), today), book))


def _roomless(items: Sequence[Item]) -> list[Item]:
    """“phòng 2c”: a room, no code."""
    found: list[Item] = []
    for item in items:
        before = found[-1] if found else None
        if isinstance(item, CodeItem) and isinstance(before, WordItem) and before.word == "phong":
            found.append(WordItem(start=item.start, end=item.end, word=item.code.task))
        else:
            found.append(item)
    return found


def _cited(items: Sequence[Item], today: date) -> list[Item]:
    """“theo KH số 232/KH-UBND ngày 28/12”, “căn cứ quyết định”: no paper of the work itself."""
    found: list[Item] = []
    index = 0
    while index < len(items):
        end = _citation(items, index, today)
        if end:
            found.append(CitedItem(start=items[index].start, end=items[end - 1].end))
            index = end
        else:
            found.append(items[index])
            index += 1
    return found


def _citation(items: Sequence[Item], index: int, today: date) -> int:
    """The end of the citation that `items[index]` opens; 0 if it opens none."""
    opening, before = _word(items, index), _word(items, index - 1)
    if opening != "theo" and before not in _CITING.get(opening, ()):
        return 0
    end = index + 1
    while _word(items, end) in _KIND_WORDS:
        end += 1
    kinds = end - index - 1
    if end < len(items) and isinstance(items[end], PaperItem):
        end += 1
    elif kinds and end < len(items) and isinstance(items[end], NumberItem):
        end += _word(items, end - 1) in PAPER_WORDS
    elif not kinds:
        return 0
    return end + (end < len(items) and _dates(items[end], today))


def _dates(item: Item, today: date) -> bool:
    """Whether `item` may be the day or the year of a paper that is there already."""
    if isinstance(item, DayItem):
        day = item.day
        return not day.relative and day.day is not None and day.day <= today
    return isinstance(item, PeriodItem) and item.period.isdigit()


def _word(items: Sequence[Item], index: int) -> str:
    item = items[index] if 0 <= index < len(items) else None
    return item.word if isinstance(item, WordItem | PoliteItem) else ""


def _with_months(items: Sequence[Item], book: CodeBook) -> list[Item]:
    """“2c t2”: behind the code of monthly work t2 is February, not Monday."""

    def monthly(index: int) -> bool:
        item = items[index] if index >= 0 else None
        task = book.task(item.code.task, item.code.plan) if isinstance(item, CodeItem) else None
        rules = [d.rule for d in task.deliverables] if task else []
        return any(isinstance(rule, Every) and rule.cycle is Cycle.MONTH for rule in rules)

    return [
        PeriodItem(start=item.start, end=item.end, period=item.month, dated=False)
        if isinstance(item, DayItem) and item.month and monthly(i - 1)
        else item
        for i, item in enumerate(items)
    ]


def _parted(items: Sequence[Item]) -> list[Item]:
    """A break before “chứ không”, “chứ chưa”, and before “không phải” that denies a code."""
    found: list[Item] = []
    for index, item in enumerate(items):
        opens = isinstance(item, MoodItem) and (
            item.word.startswith("chu ") or _denies(items, index)
        )
        if opens and found and not is_break(found[-1]):
            found.append(SepItem(start=item.start, end=item.start, sign="nhưng"))
        found.append(item)
    return found


def _denies(items: Sequence[Item], index: int) -> bool:
    """Whether “không phải” stands here, and a code behind it."""
    if not _is_denial(items[index]):
        return False
    behind = index + 1
    while behind < len(items) and isinstance(items[behind], PoliteItem):
        behind += 1
    return behind < len(items) and isinstance(items[behind], CodeItem)


def _is_denial(item: Item | None) -> bool:
    """“không phải”, “ko phải” …"""
    return isinstance(item, MoodItem) and item.mood is Mood.NOT and item.word.endswith("phai")


def denied(clause: Clause) -> bool:
    """Whether a clause only says that its codes are not meant: “chứ không phải 2b”."""
    said = [i for i in clause.items if not isinstance(i, PoliteItem | SepItem)]
    only = said[0] if len(said) == 1 else None
    return _is_denial(only) and only in clause.before


def misnamed(clause: Clause) -> bool:
    """Whether the codes of a clause were said by mistake: “nhầm, không phải 2c”."""
    said = [i for i in clause.before if not isinstance(i, PoliteItem | SepItem)]
    return bool(said) and _is_denial(said[-1])


def corrects(items: Sequence[Item]) -> bool:
    """“nhầm, 1đ chứ không phải 1d”: one code said for another."""
    if not any(isinstance(item, MoodItem) and item.mood is Mood.UNDO for item in items):
        return False
    meant = any(isinstance(item, PoliteItem) and item.word == "y" for item in items)
    return meant or any(_denies(items, index) for index in range(len(items)))


def tidied(clause: Clause) -> Clause:
    """`clause` without the count of its own codes: “xong 3 việc: 2a, 2b, 5c”."""
    if clause.run is None or clause.run.ranges:
        return clause
    kept = list(clause.before)
    while kept and (
        isinstance(kept[-1], SepItem)
        or _word(kept, len(kept) - 1) in _COUNTING
        or isinstance(kept[-1], PoliteItem)
    ):
        kept.pop()
    last = kept[-1] if kept else None
    if not isinstance(last, NumberItem) or last.number != len(clause.run.named):
        return clause
    return replace(clause, before=tuple(kept[:-1]))


def report_apart(items: Sequence[Item], text: str) -> list[Item]:
    """“báo cáo rồi” as the report, and done: where the parts of one task are told apart."""
    found: list[Item] = []
    for item in items:
        if not isinstance(item, MoodItem) or not item.word.startswith(_REPORT):
            found.append(item)
            continue
        starts = [item.start + token.start for token in tokenise(text[item.start : item.end])]
        for word, start in zip(_REPORT.split(), starts, strict=False):
            found.append(WordItem(start=start, end=start + len(word), word=word))
        found.append(replace(item, start=starts[2], word=item.word.removeprefix(_REPORT)))
    return found
