"""Numerals and words that may be codes, read by what stands around them: 3, BC, 2, 9z."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from types import UnionType

from reminder.domain.text import words
from reminder.understanding.codes import Code, CodeBook
from reminder.understanding.lexer import (
    CodeItem,
    DayItem,
    DaysItem,
    EveryItem,
    Item,
    MoodItem,
    NumberItem,
    PartItem,
    PeriodItem,
    PoliteItem,
    SepItem,
    UnitItem,
    WordItem,
)
from reminder.understanding.runs import PARTS, next_month

_MARKERS = frozenset({"viec", "muc", "nhiem", "cong", "nv", "ma", "task"})
# What people count: in “3 văn bản” 3 is no code.
COUNTED = words(
    """
    van cong to buoi cuoc luot lan nguoi ho bo ban cai dot vu truong don thu co phuong phieu
    y trang % trieu ty dong hom bai tin lop hoi xa khu mo de dich kien phan chiec con loai
    noi chi danh buoc ky tren thang nam quy gio h phut quyet ke bao ngay tuan dau tai giay
    bien phong nghi thong can vi lanh mau doan hang chuyen diem
    """
)


_LISTED = (
    CodeItem | PeriodItem | NumberItem | PartItem | EveryItem | UnitItem
)  # ends of a list's part


def settle(items: Sequence[Item], book: CodeBook, *, at_start: bool) -> list[Item]:
    """`items` with each numeral, and each word that may be a code, read by what is around it.

    `at_start`: the text's first word stands where a command expects a code.
    """
    lettered = sum(1 for item in items if isinstance(item, CodeItem) and item.code.known)
    settled: list[Item] = []
    for index, item in enumerate(items):
        settled.append(_settled(settled, items, index, item, book, at_start, lettered))
    return settled


def _settled(
    before: Sequence[Item],
    items: Sequence[Item],
    index: int,
    item: Item,
    book: CodeBook,
    at_start: bool,
    lettered: int,
) -> Item:
    match item:
        case NumberItem(number=number):
            following = items[index + 1] if index + 1 < len(items) else None
            first = (
                at_start and not before and isinstance(following, NumberItem | DayItem | DaysItem)
            )
            if not first and not _numeral_is_code(before, items, index, book):
                return item
            return _code(item, Code(str(number), known=str(number) in book.numerals()))
        case CodeItem(code=code) if not code.known and "/" not in code.task:
            place = expects_code(before) and _closes(items, index)
            return item if place else WordItem(start=item.start, end=item.end, word=code.task)
        case PoliteItem(word=word) | WordItem(word=word) if word in book.words:
            if not before and at_start:
                return _code(item, Code(book.words[word]))
            place = expects_code(before) and _closes(items, index, names=True)
            listed = bool(before) and isinstance(before[-1], SepItem)
            if place and (listed or not lettered):
                return _code(item, Code(book.words[word]))
    return item


def _code(item: Item, code: Code) -> CodeItem:
    return CodeItem(start=item.start, end=item.end, code=code)


def _numeral_is_code(
    before: Sequence[Item], items: Sequence[Item], index: int, book: CodeBook
) -> bool:
    if not expects_code(before) or _is_part(before, items[index], book):
        return False
    if _closes(items, index):
        return True
    following = items[index + 1]
    opening = not before or (isinstance(before[-1], SepItem) and before[-1].sign in "\n;")
    if not (opening and isinstance(following, WordItem)) or following.word in COUNTED:
        return False
    return following.start > items[index].end


def _is_part(before: Sequence[Item], item: Item, book: CodeBook) -> bool:
    """The second number of “1d 1, 2” and of “tháng 1, 2”."""
    parts = _last_two(before, SepItem | PoliteItem)
    if len(parts) < 2 or not isinstance(item, NumberItem):
        return False
    if isinstance(before[-1], SepItem) and before[-1].sign in ("\n", ";"):
        return False
    if isinstance(parts[-1], PeriodItem):
        return next_month(parts[-1], item, item.number) is not None
    if not (isinstance(parts[-1], NumberItem) and isinstance(parts[-2], CodeItem)):
        return False
    task = book.task(parts[-2].code.task)
    return task is not None and item.number in [d.number for d in task.deliverables]


def _last_two(before: Sequence[Item], but: type[Item] | UnionType) -> list[Item]:
    """The last two of `before` that are no `but`, in order.

    Looked for from the end: a long list of numbers is read once, not once a number.
    """
    kept = islice((item for item in reversed(before) if not isinstance(item, but)), 2)
    return list(kept)[::-1]


def expects_code(before: Sequence[Item]) -> bool:
    """Whether a code may stand here: at the start, after a verb, in a list, after “việc”."""
    if before and isinstance(before[-1], PoliteItem) and before[-1].word in _MARKERS:
        return True
    significant = _last_two(before, PoliteItem)
    if not significant:
        return True
    last = significant[-1]
    if isinstance(last, MoodItem | EveryItem):
        return True
    if not isinstance(last, SepItem):
        return False
    previous = significant[-2] if len(significant) > 1 else None
    if last.sign == ":" and isinstance(previous, CodeItem):
        return False
    if last.sign in ("\n", ";"):
        return True
    if isinstance(previous, MoodItem):
        return last.sign == ":"
    return previous is None or isinstance(previous, _LISTED)


def _closes(items: Sequence[Item], index: int, *, names: bool = False) -> bool:
    """Whether nothing counted, and no paper, follows the item at `index`."""
    if index + 1 == len(items):
        return True
    following = items[index + 1]
    if isinstance(following, PoliteItem):
        return following.word not in PARTS
    if isinstance(following, WordItem) and names:
        return following.word in ("quy", "nam")
    if isinstance(following, SepItem):
        return following.sign not in ("/", "-") or following.start > items[index].end
    if isinstance(following, MoodItem):
        return following.word not in ("%", "du thao", "ban nhap")
    return isinstance(following, PeriodItem | EveryItem)
