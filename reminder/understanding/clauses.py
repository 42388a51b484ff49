"""From items to clauses: which work a text names, and what is said about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from types import UnionType

from reminder.domain.calendar import Cycle
from reminder.domain.plan import Confirm, Every, instance_ids
from reminder.domain.text import words
from reminder.understanding.codes import Code, CodeBook
from reminder.understanding.lexer import (
    CitedItem,
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
from reminder.understanding.lexicon import Mood
from reminder.understanding.spelling import tokenise

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
