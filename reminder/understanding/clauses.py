"""From items to clauses: which work a text names, and what is said about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice, pairwise, takewhile

from reminder.domain.calendar import Cycle
from reminder.domain.plan import Confirm, Every, period_ids
from reminder.domain.text import words
from reminder.understanding import errors
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
from reminder.understanding.model import Meaning, Refused
from reminder.understanding.verbs import Takes

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
_DETAILS = CodeItem | NumberItem | PeriodItem | EveryItem | UnitItem | PartItem
# “kế hoạch 2a và kế hoạch 2b”
_KINDS = words("bao cao ke hoach danh muc quyet dinh ho so van ban to trinh ket qua bc kh qd ttr")
_LISTS = frozenset({",", ";", "\n", "và", "/"})
_BREAKS = frozenset({",", ";", "\n", ".", "và", "nhưng", "còn"})
_BEFORE_DAY = words("tu vao truoc sau het ngay hom mung")
_TOLD = frozenset({Mood.DONE, Mood.ISSUED})
_OPEN = frozenset({Mood.DOING, Mood.PARTIAL, Mood.PLAN, Mood.SUBMITTED, Mood.NOT})
_ASKED_AFTER = _TOLD | {Mood.DID, Mood.SUBMITTED, Mood.PAST, Mood.JUST}
_NO = frozenset({"khong", "ko", "k", "hok", "khum", "hong"})
PAPER_WORDS = frozenset({"so", "qd", "kh", "bc", "tb", "cv", "ttr", "tr"})
_CITING = {"cu": ("can",), "vao": ("dua",), "tren": ("dua",)}  # căn cứ, dựa vào, dựa trên
_LONGEST_CITATION = 8  # words before its number


def word_of(item: Item | None) -> str:
    """Return the plain word of a mere word or a harmless phrase; empty for any other item."""
    return item.word if isinstance(item, WordItem | PoliteItem) else ""


def sign_of(item: Item | None) -> str:
    return item.sign if isinstance(item, SepItem) else ""


def mood_of(item: Item | None) -> Mood | None:
    return item.mood if isinstance(item, MoodItem) else None


def says_nothing(item: Item) -> bool:
    """Return whether `item` is politeness or a sign."""
    return isinstance(item, PoliteItem | SepItem)


def is_break(item: Item) -> bool:
    return sign_of(item) in _BREAKS


def _at(items: Sequence[Item], index: int) -> Item | None:
    return items[index] if 0 <= index < len(items) else None


def resolve_dotted(
    items: Sequence[Item], book: CodeBook, meaning: Meaning, takes: Takes | None = None
) -> list[Item]:
    """Return `items` with each “2.3” resolved to a code or a day by its context.

    `takes`: what the verb that governs the text takes. Raise Refused where it may be both.
    """
    found = list(items)
    if not book.has_pieced:
        return found
    for index, item in enumerate(items):
        if isinstance(item, NumberItem) and (code := _with_comma(items, index, book)):
            raise Refused(errors.comma(code))
        if not isinstance(item, CodeItem) or item.day is None or item.day.day is None:
            continue
        is_day = _is_day(items, found, index, meaning, takes)
        if is_day is None:
            raise Refused(errors.code_or_day(item.code.task, item.day.day))
        plain: Item = DayItem(start=item.start, end=item.end, day=item.day)
        found[index] = plain if is_day else replace(item, day=None)
    return found


def _is_day(
    read: Sequence[Item],
    items: Sequence[Item],
    index: int,
    meaning: Meaning,
    takes: Takes | None,
) -> bool | None:
    """Return whether the “2.3” at `index` is a day; None: it may be a code as well.

    `read`: the text as it is; `items`: with what is told apart ahead of it.
    """
    item, before = items[index], _at(items, index - 1)
    assert isinstance(item, CodeItem)
    if takes is Takes.ABSENCE or isinstance(before, PaperItem):
        return True
    named = before.word if isinstance(before, PoliteItem | MoodItem) else ""
    if named.rpartition(" ")[2] in _MARKERS or _is_denial(before):
        return False
    ahead = [i for i in range(index) if isinstance(items[i], CodeItem)]
    replied = {target.task for target in meaning.reply_to}
    dated = any(isinstance(each, DayItem | DaysItem) for each in items)
    wanted = not dated and (
        takes in (Takes.DAY, Takes.DATE) or {Mood.EXTEND, Mood.SNOOZE} & set(map(mood_of, items))
    )
    if word_of(before) in _BEFORE_DAY:
        return True
    if sign_of(before) in ("đến", "-"):
        first = _at(items, index - 2)
        if isinstance(first, CodeItem):  # a range of codes, or “gia hạn 1.1 đến 12.5”
            return bool(wanted)
        if sign_of(before) == "đến" or isinstance(first, DayItem | NumberItem):
            return True
    if wanted:
        row = takewhile(
            lambda i: isinstance(i, CodeItem | SepItem | NumberItem), items[index + 1 :]
        )
        later = any(_may_be_day(each) or isinstance(each, NumberItem) for each in row)
        return (bool(ahead) or bool(replied - {item.code.task})) and not later
    if takes not in (None, Takes.CLAUSES, Takes.MAYBE_DAY):
        return False
    if not ahead:
        alone = not any(isinstance(each, CodeItem) for each in items[index + 1 :])
        return None if alone and replied and item.code.task not in replied else False
    between = items[ahead[-1] + 1 : index]
    if not between:  # “xong 1.1 2.3”; three in a row are a list
        in_row = [
            two for one, two in pairwise(read) if isinstance(one, CodeItem) and _may_be_day(two)
        ]
        return None if len(in_row) == 1 else False
    *broken, last = parts(between)
    behind = parts(items[index + 1 :])[0]
    if any(map(mood_of, last)):  # “1.1 xong 2.3”, but “1.1 chưa, xong 1.2”
        return False if broken or any(map(mood_of, behind)) else None
    told = any(mood_of(each) for part in broken for each in part)
    apart = {";", "\n"} & set(map(sign_of, between))
    return None if told and not apart and not any(map(mood_of, behind)) else False


def _may_be_day(item: Item) -> bool:
    return isinstance(item, DayItem) or (isinstance(item, CodeItem) and item.day is not None)


def _with_comma(items: Sequence[Item], index: int, book: CodeBook) -> str:
    """Return the code that “1,1” may be meant for; empty: none."""
    row = items[index : index + 3]
    match row:
        case [NumberItem(number=first), SepItem(sign=","), NumberItem(number=second)]:
            code = f"{first}.{second}"
            glued = all(one.end == two.start for one, two in pairwise(row))
            counts = isinstance(_at(items, index + 3), WordItem)
            return code if glued and not counts and code in book.tasks else ""
    return ""


def resolve_numerals(
    items: Sequence[Item], book: CodeBook, meaning: Meaning, today: date, *, at_start: bool
) -> list[Item]:
    """Return `items` with numerals, and words that may be codes, resolved by their context.

    A citation becomes one item, and a denial a clause of its own. `at_start`: the text's first
    word stands where a command expects a code.
    """
    lettered = sum(1 for item in items if isinstance(item, CodeItem) and item.code.known)
    found: list[Item] = []
    for index, item in enumerate(items):
        code = _code_at(found, items, index, book, at_start and not found, lettered)
        code = code or _numbered(found, items, index, book, meaning)
        if code is not None:
            found.append(CodeItem(start=item.start, end=item.end, code=code))
        elif isinstance(item, CodeItem):
            found.append(WordItem(start=item.start, end=item.end, word=item.code.task))
        elif not _cites(found, item, today):
            found.append(item)
    return _parted(found)


def _code_at(
    before: Sequence[Item],
    items: Sequence[Item],
    index: int,
    book: CodeBook,
    first: bool,
    lettered: int,
) -> Code | None:
    """Return the code that `items[index]` is; None where it only has the shape of one."""
    item, behind = items[index], _at(items, index + 1)
    match item:
        case CodeItem(code=code):
            room = bool(before) and isinstance(before[-1], WordItem) and before[-1].word == "phong"
            certain = (
                code.known or "/" in code.task or (expects_code(before) and _closes(items, index))
            )
            return code if certain and not room else None
        case NumberItem(number=number):
            opens = first and isinstance(behind, NumberItem | DayItem | DaysItem)
            if opens or _numeral_is_code(before, items, index, book):
                return Code(str(number), known=str(number) in book.numerals())
        case PoliteItem(word=word) | WordItem(word=word) if word in book.words:
            whole = _closes(items, index, names=True) or _has_part(items, index, book)
            place = whole and expects_code(before)
            listed = bool(before) and isinstance(before[-1], SepItem)
            if first or (place and (listed or not lettered)):
                return Code(book.words[word])
    return None


def _numbered(
    before: Sequence[Item], items: Sequence[Item], index: int, book: CodeBook, meaning: Meaning
) -> Code | None:
    """Return the clause of “xong BC số 15/BC-UBND”: a code that is a word, with its paper.

    Of anybody else, or in a reply, it is only what kind of paper it is.
    """
    code = book.words.get(word_of(items[index]))
    task = book.task(code) if code else None
    if code is None or task is None or meaning.is_reply or meaning.reply_to:
        return None
    behind = index + 1 + (word_of(_at(items, index + 1)) == "so")
    ahead = _last_two(before, says_nothing)
    leads = not meaning.units or bool(set(meaning.units) & set(task.lead))
    place = not before or (ahead and isinstance(ahead[-1], MoodItem))  # not “xin BC số …”
    return Code(code) if isinstance(_at(items, behind), PaperItem) and leads and place else None


def _numeral_is_code(
    before: Sequence[Item], items: Sequence[Item], index: int, book: CodeBook
) -> bool:
    if not expects_code(before) or _is_part(before, items[index], book):
        return False
    if _closes(items, index):
        return True
    behind = items[index + 1]
    opening = not before or sign_of(before[-1]) in ("\n", ";")
    counted = not isinstance(behind, WordItem) or behind.word in _COUNTED
    return opening and not counted and behind.start > items[index].end


def _is_part(before: Sequence[Item], item: Item, book: CodeBook) -> bool:
    """Return whether this is the second number of “1d 1, 2” or of “tháng 1, 2”."""
    ahead = _last_two(before, says_nothing)
    if len(ahead) < 2 or not isinstance(item, NumberItem) or sign_of(before[-1]) in ("\n", ";"):
        return False
    match ahead:
        case [_, PeriodItem() as period]:
            return next_month(period, item) is not None
        case [CodeItem(code=code), NumberItem()]:
            task = book.task(code.task)
            return task is not None and item.number in [d.number for d in task.deliverables]
    return False


def _has_part(items: Sequence[Item], index: int, book: CodeBook) -> bool:
    """Return whether a code that is a word has a deliverable and its period: “BC 1 2024-Q1”.

    Without the period “bc 1” may as well be a report of section 1.
    """
    behind, task = _at(items, index + 1), book.task(book.words[word_of(items[index])])
    if task is None or not isinstance(behind, NumberItem):
        return False
    is_part = behind.number in [d.number for d in task.deliverables]
    return is_part and isinstance(_at(items, index + 2), PeriodItem)


def _last_two(before: Sequence[Item], but: Callable[[Item], bool]) -> list[Item]:
    """Return the last two of `before` that are no `but`, in order.

    Looked for from the end: a long list of numbers is read once, not once a number.
    """
    return list(islice((item for item in reversed(before) if not but(item)), 2))[::-1]


def expects_code(before: Sequence[Item]) -> bool:
    """Return whether a code may stand here: at the start, after a verb, in a list, after “việc”."""
    if before and isinstance(before[-1], PoliteItem) and before[-1].word in _MARKERS:
        return True
    ahead = _last_two(before, lambda item: isinstance(item, PoliteItem))
    last = ahead[-1] if ahead else None
    if last is None or isinstance(last, EveryItem) or mood_of(last) not in (None, Mood.PARTIAL):
        return True
    sign, previous = sign_of(last), ahead[-2] if len(ahead) > 1 else None
    if not sign or (sign == ":" and isinstance(previous, CodeItem)):
        return False
    if sign in ("\n", ";"):
        return True
    if isinstance(previous, MoodItem):
        return sign == ":"
    return previous is None or isinstance(previous, _DETAILS)


def _closes(items: Sequence[Item], index: int, *, names: bool = False) -> bool:
    """Return whether nothing counted, and no paper, follows the item at `index`."""
    match _at(items, index + 1):
        case None | PeriodItem() | EveryItem():
            return True
        case PoliteItem(word=word):
            return word not in _PARTS
        case WordItem(word=word):
            return names and word in ("quy", "nam")
        case SepItem(sign=sign, start=start):
            return sign not in ("/", "-") or start > items[index].end
        case MoodItem(word=word):
            return word not in ("%", "du thao", "ban nhap")
    return False


def _cites(found: list[Item], item: Item, today: date) -> bool:
    """Join the words of “theo KH số 232/KH-UBND ngày 28/12”: a paper that is not the work's own."""
    last = found[-1] if found else None
    if isinstance(last, CitedItem) and _dates(item, today):
        found[-1] = replace(last, end=item.end)
        return True
    numbered = isinstance(item, NumberItem) and word_of(last) in PAPER_WORDS
    if not numbered and not isinstance(item, PaperItem):
        return False
    for index in range(len(found) - 1, max(len(found) - _LONGEST_CITATION, 0) - 1, -1):
        if not (word := word_of(found[index])):
            return False
        ahead = _at(found, index - 1)
        if mood_of(ahead) is Mood.ISSUED:  # “đã ban hành theo QĐ số …”: its own
            return False
        if word == "theo" or word_of(ahead) in _CITING.get(word, ()):
            found[index:] = [CitedItem(start=found[index].start, end=item.end)]
            return True
    return False


def _dates(item: Item, today: date) -> bool:
    """Return whether `item` may be the day or the year of a paper that is there already."""
    if isinstance(item, DayItem):
        day = item.day
        return not day.relative and day.day is not None and day.day <= today
    return isinstance(item, PeriodItem) and item.period.isdigit()


def _parted(items: Sequence[Item]) -> list[Item]:
    """Return a break before “chứ không”, “chứ chưa”, and before “không phải” that denies a code."""
    found: list[Item] = []
    for index, item in enumerate(items):
        contrasts = isinstance(item, MoodItem) and item.word.startswith("chu ")
        if (contrasts or denies(items, index)) and found and not is_break(found[-1]):
            found.append(SepItem(start=item.start, end=item.start, sign="nhưng"))
        found.append(item)
    return found


def denies(items: Sequence[Item], index: int) -> bool:
    """Return whether “không phải” stands here, and a code behind it."""
    if not _is_denial(items[index]):
        return False
    behind = next((item for item in items[index + 1 :] if not isinstance(item, PoliteItem)), None)
    return isinstance(behind, CodeItem)


def _is_denial(item: Item | None) -> bool:
    """Return whether this is “không phải”, “ko phải” …"""
    return isinstance(item, MoodItem) and item.mood is Mood.NOT and item.word.endswith("phai")


@dataclass
class Named:
    """One task as a text names it, with what it says about which part and which time."""

    code: Code
    numbers: list[int] = field(default_factory=list)
    periods: list[PeriodItem] = field(default_factory=list)
    every: bool = False
    unit: str | None = None
    ahead: tuple[Item, ...] = ()  # “báo cáo” of “1c và báo cáo 1d”


@dataclass(frozen=True)
class Run:
    """Codes in a row: 1đ, 2a và 2b; their details; and a colon, if what follows is verbatim."""

    named: tuple[Named, ...]
    first: int  # index of the first item
    after: int  # index of the first item behind
    end: int  # offset in the text
    ranges: tuple[tuple[Code, Code], ...] = ()
    colon: bool = False


NO_RUN = Run((), 0, 0, 0)


def runs(items: Sequence[Item], book: CodeBook) -> list[Run]:
    """Return the runs of codes in `items`, in order."""
    found: list[Run] = []
    index = 0
    asks = max((n for n, item in enumerate(items) if mood_of(item) is Mood.ASK), default=-1)
    while index < len(items):
        if isinstance(items[index], CodeItem):
            found.append(_Reader(items, book, index, asks).run())
            index = found[-1].after
        else:
            index += 1
    return found


class _Reader:
    """Reads one run from its first code on."""

    def __init__(self, items: Sequence[Item], book: CodeBook, first: int, asks: int) -> None:
        self.items = items
        self.asks = asks  # index of the last item that asks; -1: none does
        self.book = book
        self.first = first
        self.index = first
        self.named: list[Named] = []
        self.ranges: list[tuple[Code, Code]] = []
        self.ahead: list[Item] = []

    def run(self) -> Run:
        while (item := _at(self.items, self.index)) and self._takes(item):
            pass
        after = self.index
        colon = sign_of(_at(self.items, after)) == ":"
        end = self.items[after if colon else after - 1].end
        return Run(tuple(self.named), self.first, after + colon, end, tuple(self.ranges), colon)

    def _takes(self, item: Item) -> bool:
        """Take one code or one detail; return False at the run's end."""
        if isinstance(item, CodeItem):
            self.named.append(Named(item.code, ahead=tuple(self.ahead)))
            self.index += 1
            self.ahead = []
            return True
        return (bool(self.named) and self._detail(item)) or self._range(item) or self._list(item)

    def _detail(self, item: Item) -> bool:
        last = self.named[-1]
        match item:
            case WordItem(word="nam") if last.code.task.isalpha():
                last.periods.append(_period(item, "0000"))
            case NumberItem(number=number) if _bare(self.items, self.index):
                last.numbers.append(number)
            case PeriodItem():
                last.periods.append(item)
            case DayItem() if (period := self._instance(last, item)) and not last.periods:
                last.periods.append(_period(item, period))
            case EveryItem(rest=False):
                last.every = True
            case UnitItem(unit=unit) if last.unit is None and self._shared(last):
                last.unit = unit
            case PartItem(number=number):
                last.numbers.append(number)
            case PoliteItem(word="#") if part := _glued_number(self.items, self.index):
                last.numbers.append(part)  # 1d#2
                self.index += 1
            case _:
                return False
        self.index += 1
        return True

    def _instance(self, named: Named, item: DayItem) -> str:
        """Return the instance of “2c t2”, or of “6c ngày 22/01” if the work recurs on that day."""
        plan, task = self.book.found(named.code.task, named.code.plan)
        if plan is None or task is None:
            return ""
        rules = [d.rule for d in task.deliverables]
        ids = {i[4:] for d in task.deliverables for i in period_ids(d, plan.years)}
        monthly = any(isinstance(r, Every) and r.cycle is Cycle.MONTH for r in rules)
        if item.month and (monthly or item.month[4:] in ids):
            return item.month
        day = item.day.day
        return day.isoformat() if day and day.isoformat()[4:] in ids else ""

    def _shared(self, named: Named) -> bool:
        task = self.book.task(named.code.task, named.code.plan)
        return task is not None and task.confirm is Confirm.ALL

    def _range(self, item: Item) -> bool:
        """Take a range such as 1a-1e, 1a đến 1e, 1a-e."""
        if sign_of(item) not in ("-", "đến") or not self.named:
            return False
        behind = _at(self.items, self.index + 1)
        first = self.named[-1].code
        glued = behind is not None and behind.start == item.end
        piece = str(behind.number) if isinstance(behind, NumberItem) else word_of(behind)
        last = behind.code if isinstance(behind, CodeItem) else None
        if last and glued and not (last.known or first.task.isalnum()):  # II.3-5
            piece, last = last.task, None
        if last is None and piece and glued:
            last = self.book.beside(first, piece)
        if last is None:
            return False
        self.ranges.append((self.named.pop().code, last))
        self.index += 2
        return True

    def _list(self, item: Item) -> bool:
        """Take a separator and, behind it, another code, period or part."""
        index = self.index
        while index < len(self.items) and _joins(self.items[index]):
            index += 1
        behind = _at(self.items, index)
        if behind is None or index == self.index or isinstance(item, WordItem):
            return False
        if isinstance(behind, CodeItem):
            apart = self._begins_line(index) or self._has_its_own_verdict(item, index)
            if not apart:
                between = self.items[self.index : index]
                self.ahead = [item for item in between if isinstance(item, WordItem)]
                self.index = index
            return not apart
        if not self.named or not self._goes_on(self.named[-1], behind, index):
            return False
        self.index = index + 1
        return True

    def _has_its_own_verdict(self, sign: Item, index: int) -> bool:
        """Return whether the next code has a verdict of its own: “xong 1c, 1d đang làm”."""
        before = _at(self.items, self.first - 1)
        if sign_of(sign) != ",":
            return False
        index += 1
        while isinstance(_at(self.items, index), PoliteItem | PeriodItem | NumberItem | PartItem):
            index += 1
        own = mood_of(_at(self.items, index))
        told = mood_of(before) in _TOLD and own in _OPEN
        return (told or (_is_denial(before) and own is not None)) and self.asks < index

    def _begins_line(self, index: int) -> bool:
        """Whether the code at `index` opens a line of its own: a break, the code, a colon."""
        if not {"\n", ";"} & set(map(sign_of, self.items[self.index : index])):
            return False
        index += 1
        while index < len(self.items) and _is_detail(self.items[index]):
            index += 1
        return sign_of(_at(self.items, index)) == ":"

    def _goes_on(self, last: Named, behind: Item, index: int) -> bool:
        """Take the second month of “tháng 1, 2”, the second part of “1d 1, 2”."""
        if isinstance(behind, PeriodItem) and last.periods:
            last.periods.append(behind)
            return True
        if not isinstance(behind, NumberItem) or not _bare(self.items, index):
            return False
        month = next_month(last.periods[-1], behind) if last.periods else None
        if month:
            last.periods.append(month)
        elif last.numbers and not last.periods:
            last.numbers.append(behind.number)
        else:
            return False
        return True


def _glued_number(items: Sequence[Item], index: int) -> int | None:
    """Return the 2 of “#2”."""
    behind = _at(items, index + 1)
    glued = isinstance(behind, NumberItem) and behind.start == items[index].end
    return behind.number if glued and isinstance(behind, NumberItem) else None


def _is_detail(item: Item) -> bool:
    """Return whether a part, a period, a unit or a range's end stands before the colon."""
    return isinstance(item, _DETAILS) or sign_of(item) in ("-", "đến")


def _period(item: Item, period: str) -> PeriodItem:
    """Return a period that was named without its year: the year is the plan's."""
    return PeriodItem(start=item.start, end=item.end, period=period, dated=False)


def next_month(period: PeriodItem, item: NumberItem) -> PeriodItem | None:
    """Return the 2 of “tháng 1, 2”."""
    year, _, month = period.period.partition("-")
    if not month.isdigit() or not 1 <= item.number <= 12:
        return None
    return replace(period, start=item.start, end=item.end, period=f"{year}-{item.number:02}")


def _joins(item: Item) -> bool:
    if isinstance(item, PoliteItem) and item.word in ("ca", "viec", "muc", "nhiem"):
        return True
    return _is_kind(item) or sign_of(item) in _LISTS


def _bare(items: Sequence[Item], index: int) -> bool:
    """Return whether the number at `index` stands for itself rather than counts what follows."""
    match _at(items, index + 1):
        case PoliteItem(word=word):
            return word not in _PARTS
        case WordItem(word=word):
            return word == "so"
        case MoodItem(word=word):
            return word != "%"
        case SepItem(sign=sign, start=start) if start == items[index].end:
            return sign not in ("/", "-", ".") or index + 2 == len(items)
    return True


@dataclass(frozen=True)
class Clause:
    """A run and what is said about it."""

    run: Run
    before: tuple[Item, ...]
    after: tuple[Item, ...]
    inherits: bool = False  # a later item of a list that its verb precedes

    @property
    def items(self) -> tuple[Item, ...]:
        return self.before + self.after


def clauses(items: Sequence[Item], found: Sequence[Run]) -> list[Clause]:
    """Return each run with what is said about it: before it, behind it, or both.

    Between two runs the last break decides: what stands behind it belongs to the next run if it
    says something of its own, all else to the run before.
    """
    own: list[Run] = []
    for number, run in enumerate(found):
        # A code in what is said of another opens none: “1a phối hợp làm 1c”.
        end = found[number + 1].first if number + 1 < len(found) else len(items)
        told = any(isinstance(item, MoodItem) for item in items[run.after : end])
        if not own:
            own.append(run)
            continue
        last = found[number - 1]
        inside = last.colon or last is not own[-1]
        if _opens_clause(items[last.after : run.first], inside, told=told):
            own.append(run)
    before: Sequence[Item] = items[: own[0].first]
    verb_first = any(isinstance(item, MoodItem) for item in before)
    made: list[Clause] = []
    for number, run in enumerate(own):
        after, following = items[run.after :], items[:0]
        if number + 1 < len(own):
            after, following = _divided(items[run.after : own[number + 1].first])
        made.append(_tidied(Clause(run, tuple(before), tuple(after), verb_first and number > 0)))
        before = following
    return made


def _opens_clause(stretch: Sequence[Item], inside: bool, *, told: bool) -> bool:
    """Return whether only a verb, politeness or the paper's name (“báo cáo 1d”) precede the code.

    `inside`: what stands there is the text of another code, up to a break.
    """
    *before, behind = parts(stretch)
    told = told or any(isinstance(item, MoodItem) for item in behind)
    known = PoliteItem | MoodItem | EveryItem | SepItem
    if {Mood.EXTEND, Mood.SNOOZE} & set(map(mood_of, behind)):  # “xin thêm 3 ngày cho 2c”
        known |= DayItem | DaysItem
    fits = (isinstance(i, known) or (told and bool(before) and _is_kind(i)) for i in behind)
    return bool(before or not inside) and all(fits)


def _is_kind(item: Item) -> bool:
    return isinstance(item, WordItem) and item.word in _KINDS


def _divided(stretch: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
    last = next((i for i in range(len(stretch) - 1, -1, -1) if is_break(stretch[i])), None)
    behind = stretch[last + 1 :] if last is not None else ()
    own = any(isinstance(item, MoodItem) for item in behind)
    polite = all(says_nothing(item) or _is_kind(item) for item in behind)
    if last is None or not (own or polite):
        return stretch, ()
    return stretch[:last], behind


def _tidied(clause: Clause) -> Clause:
    """Return `clause` without the count of its own codes: “xong 3 việc: 2a, 2b, 5c”."""
    kept = list(clause.before)
    while kept and (says_nothing(kept[-1]) or word_of(kept[-1]) in ("sau", "gom", "do")):
        kept.pop()
    last = kept.pop() if kept else None
    if not isinstance(last, NumberItem) or last.number != len(clause.run.named):
        return clause
    return clause if clause.run.ranges else replace(clause, before=tuple(kept))


def denied(clause: Clause) -> bool:
    """Whether a clause ends ahead of its codes in “không phải”: they are not what is meant."""
    said = [item for item in clause.before if not says_nothing(item)]
    return bool(said) and _is_denial(said[-1])


def corrects(items: Sequence[Item]) -> bool:
    """Return whether one code is said for another: “nhầm, 1đ chứ không phải 1d”."""
    if not any(mood_of(item) is Mood.UNDO for item in items):
        return False
    return any(word_of(item) == "y" or denies(items, i) for i, item in enumerate(items))


def parts(items: Sequence[Item]) -> list[list[Item]]:
    """Return `items` between their breaks."""
    found: list[list[Item]] = [[]]
    for item in items:
        if is_break(item):
            found.append([])
        else:
            found[-1].append(item)
    return found


def is_evidence(items: Sequence[Item]) -> bool:
    """Return whether a paper's number is among `items`; a day alone is none."""
    for index, item in enumerate(items):
        if isinstance(item, PaperItem):
            return True
        marked = isinstance(item, WordItem) and item.word in PAPER_WORDS
        numbered = marked and isinstance(_at(items, index + 1), NumberItem)
        if numbered and not isinstance(_at(items, index + 2), WordItem):
            return True
    return False


def planned(items: Sequence[Item]) -> bool:
    """Return whether a bare “mai” or “thứ sáu” puts what is said into the future."""
    return any(isinstance(item, DayItem) and item.day.relative for item in items)


def moods(items: Sequence[Item]) -> list[Mood]:
    """Return the moods of `items`; a question word makes a question of them."""
    said = [item for item in items if not says_nothing(item)]
    found = [item.mood for item in said if isinstance(item, MoodItem)]
    if not said:
        return found
    first, last, no = word_of(said[0]), said[-1], bool({Mood.NOT, Mood.YET} & set(found))
    why = first == "sao" and mood_of(_at(said, 1)) in (Mood.NOT, Mood.YET)
    whether = isinstance(last, MoodItem) and last.word in _NO and "co" in map(word_of, said)
    what = word_of(last) in ("nao", "gi", "may") and not no
    if why or whether or what or (word_of(last) == "sao" and found):
        return [*found, Mood.ASK]
    within = parts(items)[-1]
    may_ask = isinstance(last, MoodItem) and (last.mood is Mood.YET or last.word in _NO)
    if not (may_ask and last in within and _ASKED_AFTER & set(map(mood_of, within))):
        return found
    return found if Mood.NOT in map(mood_of, said[:-1]) else [*found, Mood.ASK]
