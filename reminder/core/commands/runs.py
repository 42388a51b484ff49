"""Runs of codes: which work a text names, and where one thing said ends and the next begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from reminder.core.codes import Code, CodeBook
from reminder.core.commands.lexer import (
    CodeItem,
    DayItem,
    DaysItem,
    EveryItem,
    Item,
    MoodItem,
    NumberItem,
    PaperItem,
    PartItem,
    PeriodItem,
    PoliteItem,
    SepItem,
    UnitItem,
    WordItem,
)
from reminder.core.moods import Mood
from reminder.core.plan import Confirm
from reminder.core.text import words

_BREAKS = frozenset({",", ";", "\n", ".", "và", "nhưng", "còn"})
_LISTS = frozenset({",", ";", "\n", "và", "/"})
_MARKERS = frozenset({"viec", "muc", "nhiem", "cong", "nv", "ma", "task"})
_PARTS = frozenset({"viec", "muc", "nhiem", "cong", "phan"})
# What people count: in “3 văn bản” 3 is no code.
_COUNTED = words(
    """
    van cong to buoi cuoc luot lan nguoi ho bo ban cai dot vu truong don thu co phuong phieu
    y trang % trieu ty dong hom bai tin lop hoi xa khu mo de dich kien phan chiec con loai
    noi chi danh buoc ky tren thang nam quy gio h phut quyet ke bao ngay tuan dau tai giay
    bien phong nghi thong can vi lanh mau doan hang chuyen diem
    """
)


@dataclass
class Named:
    """One task as a text names it, with what it says about which part and which time."""

    code: Code
    numbers: list[int] = field(default_factory=list)
    periods: list[PeriodItem] = field(default_factory=list)
    every: bool = False
    unit: str | None = None


@dataclass(frozen=True)
class Run:
    """Codes in a row: 1đ, 2a và 2b; their details; and a colon, if what follows is verbatim."""

    named: tuple[Named, ...]
    first: int  # index of the first item
    after: int  # index of the first item behind
    end: int  # offset in the text
    ranges: tuple[tuple[Code, Code], ...] = ()
    colon: bool = False


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
            place = _expects_code(before) and _closes(items, index)
            return item if place else WordItem(start=item.start, end=item.end, word=code.task)
        case PoliteItem(word=word) | WordItem(word=word) if word in book.words:
            if not before and at_start:
                return _code(item, Code(book.words[word]))
            place = _expects_code(before) and _closes(items, index, names=True)
            if place and (before or not lettered):
                return _code(item, Code(book.words[word]))
    return item


def _code(item: Item, code: Code) -> CodeItem:
    return CodeItem(start=item.start, end=item.end, code=code)


def _numeral_is_code(
    before: Sequence[Item], items: Sequence[Item], index: int, book: CodeBook
) -> bool:
    if not _expects_code(before) or _is_part(before, items[index], book):
        return False
    if _closes(items, index):
        return True
    following = items[index + 1]
    opening = not before or (isinstance(before[-1], SepItem) and before[-1].sign in "\n;")
    if not (opening and isinstance(following, WordItem)) or following.word in _COUNTED:
        return False
    return following.start > items[index].end


def _is_part(before: Sequence[Item], item: Item, book: CodeBook) -> bool:
    """The second number of “1d 1, 2” and of “tháng 1, 2”."""
    parts = [b for b in before if not isinstance(b, SepItem | PoliteItem)]
    if len(parts) < 2 or not isinstance(item, NumberItem):
        return False
    if isinstance(parts[-1], PeriodItem):
        return _next_month(parts[-1], item, item.number) is not None
    if not (isinstance(parts[-1], NumberItem) and isinstance(parts[-2], CodeItem)):
        return False
    task = book.task(parts[-2].code.task)
    return task is not None and item.number in [d.number for d in task.deliverables]


def _expects_code(before: Sequence[Item]) -> bool:
    """Whether a code may stand here: at the start, after a verb, in a list, after “việc”."""
    if before and isinstance(before[-1], PoliteItem) and before[-1].word in _MARKERS:
        return True
    significant = [b for b in before if not isinstance(b, PoliteItem)]
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
    return previous is None or isinstance(previous, CodeItem | PeriodItem | NumberItem | MoodItem)


def _closes(items: Sequence[Item], index: int, *, names: bool = False) -> bool:
    """Whether nothing counted, and no paper, follows the item at `index`."""
    if index + 1 == len(items):
        return True
    following = items[index + 1]
    if isinstance(following, PoliteItem):
        return following.word not in _PARTS
    if isinstance(following, WordItem) and names:
        return following.word in ("quy", "nam")
    if isinstance(following, SepItem):
        return following.sign not in ("/", "-") or following.start > items[index].end
    if isinstance(following, MoodItem):
        return following.word != "%"
    return isinstance(following, PeriodItem | EveryItem)


def runs(items: Sequence[Item], book: CodeBook) -> list[Run]:
    """The runs of codes in `items`, in order."""
    found: list[Run] = []
    index = 0
    while index < len(items):
        if isinstance(items[index], CodeItem):
            found.append(_Reader(items, book, index).run())
            index = found[-1].after
        else:
            index += 1
    return found


class _Reader:
    """Reads one run from its first code on."""

    def __init__(self, items: Sequence[Item], book: CodeBook, first: int) -> None:
        self.items = items
        self.book = book
        self.first = first
        self.index = first
        self.end = first  # behind what surely belongs to the run
        self.named: list[Named] = []
        self.ranges: list[tuple[Code, Code]] = []

    def run(self) -> Run:
        while self._step():
            self.end = self.index
        colon = self._peek(":")
        last = self.items[self.end] if colon else self.items[self.end - 1]
        return Run(
            tuple(self.named),
            self.first,
            self.end + colon,
            last.end,
            tuple(self.ranges),
            colon,
        )

    def _peek(self, sign: str) -> bool:
        item = self.items[self.end] if self.end < len(self.items) else None
        return isinstance(item, SepItem) and item.sign == sign

    def _step(self) -> bool:
        """Takes one code or one detail; False at the run's end."""
        item = self.items[self.index] if self.index < len(self.items) else None
        match item:
            case CodeItem(code=code):
                self.named.append(Named(code))
                self.index += 1
                return True
            case None:
                return False
        return self._detail(item) or self._range(item) or self._list(item)

    def _detail(self, item: Item) -> bool:
        if not self.named:
            return False
        last = self.named[-1]
        match item:
            case WordItem(word="nam") if last.code.task.isalpha():
                last.periods.append(_this_year(item))
            case NumberItem(number=number) if _bare(self.items, self.index):
                last.numbers.append(number)
            case PeriodItem():
                last.periods.append(item)
            case EveryItem(rest=False):
                last.every = True
            case UnitItem(unit=unit) if self._shared(last):
                last.unit = unit
            case PartItem(number=number):
                last.numbers.append(number)
            case _:
                return False
        self.index += 1
        return True

    def _shared(self, named: Named) -> bool:
        task = self.book.task(named.code.task, named.code.plan)
        return task is not None and task.confirm is Confirm.ALL and named.unit is None

    def _follows(self, kind: type[Item]) -> bool:
        return self.index + 1 < len(self.items) and isinstance(self.items[self.index + 1], kind)

    def _range(self, item: Item) -> bool:
        """1a-1e, 1a đến 1e, 1a-e."""
        if not isinstance(item, SepItem) or item.sign not in ("-", "đến") or not self.named:
            return False
        following = self.items[self.index + 1] if self._follows(Item) else None
        last = self._range_end(item, following)
        if last is None:
            return False
        self.ranges.append((self.named[-1].code, last))
        self.named.pop()
        self.index += 2
        return True

    def _range_end(self, dash: Item, following: Item | None) -> Code | None:
        if isinstance(following, CodeItem):
            return following.code
        if not isinstance(following, PoliteItem | WordItem) or following.start != dash.end:
            return None
        number = "".join(c for c in self.named[-1].code.task if c.isdigit())
        code = number + following.word
        return Code(code) if code in self.book.tasks else None

    def _list(self, item: Item) -> bool:
        """A separator and, behind it, another code, period or part."""
        index = self.index
        while index < len(self.items) and _joins(self.items[index]):
            index += 1
        following = self.items[index] if index < len(self.items) else None
        if following is None or not _joins(item):
            return False
        if isinstance(following, CodeItem):
            self.index = index
            return True
        return self._more(index, following)

    def _more(self, index: int, following: Item) -> bool:
        if not self.named:
            return False
        last = self.named[-1]
        match following:
            case PeriodItem() if last.periods:
                last.periods.append(following)
            case NumberItem(number=number) if last.periods or last.numbers:
                if not _bare(self.items, index):
                    return False
                if last.periods:
                    month = _next_month(last.periods[-1], following, number)
                    if month is None:
                        return False
                    last.periods.append(month)
                else:
                    last.numbers.append(number)
            case _:
                return False
        self.index = index + 1
        return True


def _this_year(item: Item) -> PeriodItem:
    """“BC năm”; the year is the plan's."""
    return PeriodItem(start=item.start, end=item.end, period="0000", dated=False)


def _next_month(period: PeriodItem, item: Item, number: int) -> PeriodItem | None:
    """The 2 of “tháng 1, 2”."""
    year, _, month = period.period.partition("-")
    if not month.isdigit() or not 1 <= number <= 12:
        return None
    return replace(period, start=item.start, end=item.end, period=f"{year}-{number:02}")


def _joins(item: Item) -> bool:
    if isinstance(item, PoliteItem):
        return item.word in ("ca", "viec", "muc", "nhiem")
    return isinstance(item, SepItem) and item.sign in _LISTS


def _bare(items: Sequence[Item], index: int) -> bool:
    """Whether the number at `index` stands for itself rather than counts what follows."""
    if index + 1 == len(items):
        return True
    following = items[index + 1]
    if isinstance(following, PoliteItem):
        return following.word not in _PARTS
    if isinstance(following, WordItem):
        return following.word == "so"
    if isinstance(following, MoodItem):
        return following.word != "%"
    if isinstance(following, SepItem) and following.start == items[index].end:
        return following.sign not in ("/", "-", ".") or index + 2 == len(items)
    return True


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
        if own and not _opens_clause(items[own[-1].after : run.first]):
            continue
        own.append(run)
    return own


def _opens_clause(stretch: Sequence[Item]) -> bool:
    breaks = [i for i, item in enumerate(stretch) if is_break(item)]
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
    """The moods of `items`, a last “chưa” after a done phrase read as the question it is."""
    said = [item for item in items if not isinstance(item, PoliteItem | SepItem)]
    found = [item.mood for item in said if isinstance(item, MoodItem)]
    last = said[-1] if said else None
    if isinstance(last, MoodItem) and last.mood is Mood.YET and len(found) > 1:
        done = {Mood.DONE, Mood.DID, Mood.ISSUED, Mood.SUBMITTED, Mood.PAST, Mood.JUST}
        if done & set(found[:-1]) and Mood.NOT not in found:
            found.append(Mood.ASK)
    return found
