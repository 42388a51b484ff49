"""Runs of codes: which work a text names, one behind the other, with its details."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from reminder.domain.occurrences import instance_ids
from reminder.domain.plan import Confirm
from reminder.understanding.codes import Code, CodeBook
from reminder.understanding.lexer import (
    CodeItem,
    DayItem,
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
from reminder.understanding.verbs import Mood

_LISTS = frozenset({",", ";", "\n", "và", "/"})
_TOLD = frozenset({Mood.DONE, Mood.ISSUED})
_OPEN = frozenset({Mood.DOING, Mood.PARTIAL, Mood.PLAN, Mood.SUBMITTED})
PARTS = frozenset({"viec", "muc", "nhiem", "cong", "phan"})


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


_DETAILS = CodeItem | NumberItem | PeriodItem | EveryItem | UnitItem | PartItem


def _is_detail(item: Item) -> bool:
    """What may stand between a code and its colon: a part, a period, a unit, a range's end."""
    dash = isinstance(item, SepItem) and item.sign in ("-", "đến")
    return dash or isinstance(item, _DETAILS)


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
            case DayItem(day=day) if self._is_instance(last, day.day):
                last.periods.append(_instance(item))
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

    def _is_instance(self, named: Named, day: date | None) -> bool:
        """“6c ngày 22/01”: whether this work recurs on that day, and no other day is meant."""
        if day is None or named.periods:
            return False
        plan, task = self.book.found(named.code.task, named.code.plan)
        return (
            task is not None
            and plan is not None
            and any(
                f"{plan.year}-{day.month:02}-{day.day:02}" in instance_ids(d, plan.year)
                for d in task.deliverables
            )
        )

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
            if self._begins_line(index) or self._tells_apart(item, index):
                return False
            self.index = index
            return True
        return self._more(index, following)

    def _tells_apart(self, sign: Item, index: int) -> bool:
        """“xong 1c, 1d đang làm”: the last code has a verdict of its own."""
        behind = self.items[index + 1] if index + 1 < len(self.items) else None
        before = self.items[self.first - 1] if self.first else None
        if not (isinstance(sign, SepItem) and sign.sign == "," and isinstance(behind, MoodItem)):
            return False
        return isinstance(before, MoodItem) and before.mood in _TOLD and behind.mood in _OPEN

    def _begins_line(self, index: int) -> bool:
        """Whether the code at `index` opens a line of its own: a break, the code, a colon."""
        between = [i.sign for i in self.items[self.index : index] if isinstance(i, SepItem)]
        if not {"\n", ";"} & set(between):
            return False
        index += 1
        while index < len(self.items) and _is_detail(self.items[index]):
            index += 1
        following = self.items[index] if index < len(self.items) else None
        return isinstance(following, SepItem) and following.sign == ":"

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
                    month = next_month(last.periods[-1], following, number)
                    if month is None:
                        return False
                    last.periods.append(month)
                else:
                    last.numbers.append(number)
            case _:
                return False
        self.index = index + 1
        return True


def _instance(item: DayItem) -> PeriodItem:
    """The instance of this day; the year is the plan's, unless it was said."""
    day = item.day.day
    assert day is not None
    return PeriodItem(start=item.start, end=item.end, period=day.isoformat(), dated=False)


def _this_year(item: Item) -> PeriodItem:
    """“BC năm”; the year is the plan's."""
    return PeriodItem(start=item.start, end=item.end, period="0000", dated=False)


def next_month(period: PeriodItem, item: Item, number: int) -> PeriodItem | None:
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
        return following.word not in PARTS
    if isinstance(following, WordItem):
        return following.word == "so"
    if isinstance(following, MoodItem):
        return following.word != "%"
    if isinstance(following, SepItem) and following.start == items[index].end:
        return following.sign not in ("/", "-", ".") or index + 2 == len(items)
    return True
