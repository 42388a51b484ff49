"""Days and periods in the tokens of a phrase: one, a list or a range → the days they span."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from reminder.domain.calendar import in_month, last_of_month
from reminder.importing.readings import Kind
from reminder.importing.tokens import Token

DAY = timedelta(days=1)
OPS = frozenset(["before", "by", "until", "until_end"])
SKIPPED = frozenset(["filler", "within", "clock"])  # words that change nothing
_MOST_ITEMS = 36  # of a list: three years by months
_LONGEST_CROSSING = 240  # days over New Year; “từ 30/6 đến 15/6/2026” is a slip
_ROMANS = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
MONTHS = {"monthly": 1, "quarterly": 3, "half-yearly": 6, "yearly": 12}


@dataclass(frozen=True, slots=True)
class PlanYear:
    """What days without a year, “từ nay” and “trong tháng” are read by."""

    year: int
    issued: date | None = None  # the day of “từ nay”
    school: bool = False  # a school year: from September on of `year`, the rest of the next
    month: date | None = None  # the first day of “trong tháng”: the month of the heading above

    def year_of(self, month: int, day: int = 28) -> int:
        """Return the year of a month that is written without one."""
        if self.month and month == self.month.month:
            return self.month.year
        if not self.school or month >= 9:
            return self.year
        if month == 8 and self.issued and self.issued <= last_of_month(self.year, 8):
            return self.year + (self.issued > date(self.year, 8, min(day, 31)))
        return self.year + 1

    @property
    def months(self) -> list[date]:
        """The last day of each month; a school year has nine."""
        if self.school:
            return [last_of_month(self.year + (m > 12), (m - 1) % 12 + 1) for m in range(9, 18)]
        return [last_of_month(self.year, month) for month in range(1, 13)]

    @property
    def first(self) -> date:
        return self.months[0].replace(day=1)

    @property
    def last(self) -> date:
        return self.months[-1]

    def ends(self, every: str) -> list[date]:
        """Return the last days of the periods of a cycle of months."""
        if every == "yearly":
            return [self.last]
        return [last for last in self.months if last.month % MONTHS.get(every, 1) == 0]


@dataclass(frozen=True, slots=True)
class Span:
    """A day, or a stretch of days."""

    kind: Kind
    first: date
    last: date

    @property
    def is_dated(self) -> bool:
        return self.kind in (Kind.DATE, Kind.DATE_RANGE)


@dataclass(slots=True)
class Chain:
    """A day or a period, several of them, or a range, with the words before it."""

    start: int
    end: int
    text: str = ""
    kind: str = "chain"
    spans: list[Span] = field(default_factory=list)
    days: list[tuple[int, int]] = field(default_factory=list)  # of a month that is not named
    op: str = ""  # by, before
    is_end: bool = False  # “đến …” without a beginning
    opens: bool = False  # “từ …” without an end
    fuzzy: str = ""  # đầu, giữa, cuối
    whys: list[str] = field(default_factory=list)  # what a person has to confirm

    @property
    def is_dated(self) -> bool:
        return any(span.is_dated for span in self.spans)

    @property
    def is_named(self) -> bool:
        """Whether days are named, be they impossible."""
        return bool(self.spans or self.days or self.whys)


@dataclass(slots=True)
class _Item:
    """A day, a month, a quarter … as written; a year that is not written is None."""

    kind: Kind
    first: tuple[int, int] = (0, 0)  # month and day
    last: tuple[int, int] = (0, 0)  # of the last day; 31 in a shorter month is its end
    year: int | None = None
    number: int = 0  # a bare number, that is a day, a month or a quarter by its neighbours
    now: bool = False
    wrong: bool = False  # the calendar has no such day
    guessed: bool = False  # `year` is that of the item behind
    why: str = ""


@dataclass(slots=True)
class _Prefix:
    """The words before the first item, and the place behind them."""

    at: int
    ops: list[str] = field(default_factory=list)
    opens: bool = False
    clock: bool = False
    fuzzy: str = ""


def month_shift(last: date, months: int) -> date:
    """Return the last day of the month that is `months` after that of `last`."""
    index = last.year * 12 + last.month - 1 + months
    return last_of_month(index // 12, index % 12 + 1)


def chain_at(tokens: Sequence[Token], at: int, plan: PlanYear) -> tuple[Chain | None, int]:
    """Return the days named at `at`, or None; and the place behind them."""
    prefix = _prefix(tokens, at)
    items, marks, before, end = _items(tokens, prefix, plan)
    if not items or (_all_numbers(items) and not _is_day_of_month(tokens, at, end, prefix)):
        return None, at
    if any(item.now for item in items[1:]) or (items[0].now and marks[:1] != ["-"]):
        return None, at  # “nay” is but the beginning of a range
    chain = Chain(tokens[at].start, tokens[end - 1].end, tokens[at].text)
    chain.op = "by" if prefix.ops else ""
    if before or ("before" in prefix.ops and not prefix.clock):  # “trước 17 giờ ngày …” is by
        chain.op = "before"
    chain.is_end = bool(prefix.ops) and set(prefix.ops) <= {"until", "until_end"}
    chain.opens = prefix.opens and not prefix.ops and "-" not in marks
    if chain.opens and marks:
        chain.whys.append("từ khi nào đến khi nào?")
    chain.fuzzy = prefix.fuzzy
    if prefix.ops[:1] == ["until_end"] and not prefix.opens:
        chain.whys.append("“đến cuối” chưa rõ là ngày nào")
    chain.whys += [item.why for item in items if item.why]
    _resolve(chain, items, marks, plan, tokens[at:end])
    return chain, end


def _prefix(tokens: Sequence[Token], at: int) -> _Prefix:
    found = _Prefix(at)
    while found.at < len(tokens):
        token = tokens[found.at]
        if token.kind in OPS:
            found.ops.append(token.kind)
        elif token.kind == "from":
            found.opens = True
        elif token.kind == "clock":
            found.clock = True
        elif token.kind == "fuzzy":
            found.fuzzy = token["where"]
        elif token.kind not in SKIPPED or found.at == at:
            break
        found.at += 1
    return found


def _items(
    tokens: Sequence[Token], prefix: _Prefix, plan: PlanYear
) -> tuple[list[_Item], list[str], bool, int]:
    """Return the items, the marks between them, whether “trước” ends the range, and the end.

    A mark is “-” within a range, “,” within a list.
    """
    items: list[_Item] = []
    marks: list[str] = []
    before = False
    at = end = prefix.at
    led = bool(prefix.ops or prefix.opens or prefix.fuzzy)
    while at < len(tokens) and len(items) < _MOST_ITEMS:
        item = _item(tokens, at, plan, first=not items, led=led)
        if item is None or (items and marks[-1] == "," and not _alike(items, item)):
            break
        items.append(item)
        end = at + 1
        mark, at, is_before = _mark(tokens, end)
        before = before or (is_before and at < len(tokens))
        if not mark:
            break
        marks.append(mark)
    return items, marks[: max(0, len(items) - 1)], before and len(items) > 1, end


def _mark(tokens: Sequence[Token], at: int) -> tuple[str, int, bool]:
    """Return the mark between two items, the place behind it, and whether “trước” is in it."""
    mark = ""
    before = False
    while at < len(tokens):
        kind = tokens[at].kind
        if kind in ("dash", "until", "until_end"):
            mark = "-"
        elif kind == "before" and mark == "-":
            before = True
        elif kind == "comma" and mark != "-":
            mark = ","
        elif (kind == "from" and mark == ",") or (kind in SKIPPED and (mark or kind != "clock")):
            pass
        else:
            break
        at += 1
    return mark, at, before


def _alike(items: Sequence[_Item], item: _Item) -> bool:
    """Return whether `item` may go on a list: “tháng 3, 6” does, “25/3, quý II” does not."""
    return item.number > 0 or any(i.number or i.kind is item.kind for i in items[-1:])


def _all_numbers(items: Sequence[_Item]) -> bool:
    return all(item.number for item in items)


def _is_day_of_month(tokens: Sequence[Token], at: int, end: int, prefix: _Prefix) -> bool:
    """Return whether bare numbers are days of a month: “ngày 15”, “trước 25 hàng tháng”."""
    behind = next((t.kind for t in tokens[end:] if t.kind not in SKIPPED), "")
    if tokens[at]["lead"]:
        return True
    if behind in ("until", "dash"):  # “từ 2 đến 3 buổi”
        return False
    return bool(prefix.ops) or prefix.opens or behind in ("each", "month_of", "interval")


def _item(
    tokens: Sequence[Token], at: int, plan: PlanYear, *, first: bool, led: bool
) -> _Item | None:
    token = tokens[at]
    match token.kind:
        case "date":
            return _day(token, plan)
        case "slashed":
            return _Item(Kind.DATE, wrong=True)
        case "now":
            return _Item(Kind.DATE, now=True)
        case "number":
            behind = next((t.kind for t in tokens[at + 1 :] if t.kind not in SKIPPED), "")
            counts = behind in ("word", "number", "figure") and not token["lead"]
            return None if counts else _Item(Kind.DATE, number=int(token["n"]) or 99)
        case "bare_unit":
            return _whole(token, plan, led=led)
        case "roman" if first:
            return None
        case "month" | "month_in" | "quarter" | "roman" | "part" | "year":
            return _period(token, plan)
    return None


def _whole(token: Token, plan: PlanYear, *, led: bool) -> _Item | None:
    """Return “trong tháng” under the heading of a month, or “đến hết năm”."""
    if token.text == "nam" and led:
        return _Item(Kind.YEAR, (1, 1), (12, 31))
    if token.text == "thang" and plan.month:
        month = plan.month.month
        return _Item(Kind.MONTH, (month, 1), (month, 31), plan.month.year)
    return None


def _period(token: Token, plan: PlanYear) -> _Item:
    year = _year(token, plan)
    match token.kind:
        case "month":
            month = int(token["month"] or token["bare"])
        case "month_in":
            month = _quarter(token["of_q"]) * 3 - (2 if token["at"] == "dau" else 0)
        case "quarter" | "roman":
            if "all" in token.groups:
                return _Item(Kind.YEAR, (1, 1), (12, 31))
            last = _quarter(token["quarter"]) * 3
            wrong = not 3 <= last <= 12
            return _Item(Kind.QUARTER, (last - 2, 1), (last, 31), year, wrong=wrong)
        case "part":
            months = int(token["months"] or 6)
            first, last = (
                (1, months) if "dau" in token["edge"] + token["half"] else (13 - months, 12)
            )
            wrong = not 1 <= months <= 11
            return _Item(Kind.MONTH, (first, 1), (last, 31), year, wrong=wrong)
        case _:
            return _Item(Kind.YEAR, (1, 1), (12, 31), year)
    item = _Item(Kind.MONTH, (month, 1), (month, 31), year, wrong=not 1 <= month <= 12)
    if token["t"] and 2 <= month <= 7 and year is None:
        item.why = f"“{token.text.upper()}” là tháng hay là thứ?"
    return item


def _quarter(figure: str) -> int:
    return _ROMANS.get(figure) or int(figure)


def _year(token: Token, plan: PlanYear) -> int | None:
    if near := token["near"]:
        return plan.year + {"nay": 0, "truoc": -1, "lien truoc": -1}.get(near, 1)
    for group in ("iso", "year", "long", "inner", "of", "bare"):
        if len(token[group]) == 4 and token[group].isdigit():
            return int(token[group])
    return 2000 + int(token["short"]) if len(token["short"]) == 2 else None


def _day(token: Token, plan: PlanYear) -> _Item:
    year = _year(token, plan)
    if token["last_of"]:
        month = int(token["last_of"])
        return _Item(Kind.DATE, (month, 31), (month, 31), year, wrong=not 1 <= month <= 12)
    day = int(token["iso_day"] or token["day"])
    written = ("iso_month", "month", "other_month", "bare_month", "spelt")
    month = next(int(token[group]) for group in written if token[group])
    item = _Item(Kind.DATE, (month, day), (month, day), year)
    item.wrong = not _exists(plan, month, day, year)
    if token["bare"] and year is None and not token["lead"] and day <= 12:
        item.why = f"“{token.text}” là ngày, hay là số khác?"
    return item


def _exists(plan: PlanYear, month: int, day: int, year: int | None) -> bool:
    if not 1 <= month <= 12:
        return False
    year = plan.year_of(month, day) if year is None else year
    return 1 <= day <= calendar.monthrange(year, month)[1]


# --- items → spans


def _resolve(
    chain: Chain, items: list[_Item], marks: list[str], plan: PlanYear, tokens: Sequence[Token]
) -> None:
    written = " ".join(token.text for token in tokens)
    if _all_numbers(items):
        chain.days = [(group[0].number, group[-1].number) for group in _ranges(items, marks)]
        if any(item.number > 31 for item in items):
            chain.days.clear()
            chain.whys.append(f"lịch không có ngày ấy: “{written}”")
        return
    _name_numbers(items, plan)
    _name_years(items)
    if any(item.wrong for item in items):
        chain.whys.append(f"lịch không có ngày ấy: “{written}”")
        return
    spans: list[Span] = []
    for group in _ranges(items, marks):
        span, why = _span(group, items, plan)
        if why:
            chain.whys.append(why)
        if span is None:
            return
        spans.append(span)
    chain.spans, adjoin = _merged(spans)
    if adjoin:
        chain.whys.append("mỗi kỳ một lần, hay xong vào cuối kỳ cuối?")


def _name_numbers(items: list[_Item], plan: PlanYear) -> None:
    """Make bare numbers days, months or quarters, by the items around them."""
    for place in range(len(items) - 1, -1, -1):
        number = items[place].number
        if not number:
            continue
        behind = items[place + 1] if place + 1 < len(items) else None
        others = [i for i in items[:place] if not i.number] or [i for i in items if not i.number]
        if behind and behind.kind is Kind.DATE and not behind.now:
            month = behind.first[0]
            items[place] = _Item(Kind.DATE, (month, number), (month, number), behind.year)
            wrong = behind.wrong or not _exists(plan, month, number, behind.year)
            items[place].wrong = wrong
        elif others[-1].kind is Kind.MONTH and number <= 12:
            items[place] = _Item(Kind.MONTH, (number, 1), (number, 31))
        elif others[-1].kind is Kind.QUARTER and number <= 4:
            items[place] = _Item(Kind.QUARTER, (number * 3 - 2, 1), (number * 3, 31))
        else:
            items[place].wrong = True


def _name_years(items: Sequence[_Item]) -> None:
    """Give an item the year that is written behind it, or the year before that."""
    for item, behind in zip(reversed(items[:-1]), reversed(items[1:]), strict=True):
        if item.year is None and behind.year is not None and not item.now:
            item.year = behind.year - (item.first > behind.last)
            item.guessed = True


def _ranges(items: Sequence[_Item], marks: Sequence[str]) -> Iterator[list[_Item]]:
    """Yield each item of a list; both ends of a range together."""
    group = [items[0]]
    for mark, item in zip(marks, items[1:], strict=True):
        if mark == "-" and len(group) == 1:
            group.append(item)
        else:
            yield group
            group = [item]
    yield group


def _span(group: list[_Item], items: list[_Item], plan: PlanYear) -> tuple[Span | None, str]:
    """Return the days of an item, or from one to another; and what is doubtful."""
    first, last = group[0], group[-1]
    place = next(k for k, item in enumerate(items) if item is first)
    before = [item.year for item in items[:place] if item.year is not None]
    stated = last.year or first.year or (before[-1] if before else None)
    why = ""
    end = _date(plan.year_of(*last.last) if stated is None else stated, last.last)
    if first is last:
        begin = _date(end.year, first.first)
    elif first.now:
        begin = plan.issued or plan.first
    else:
        begin = _date(first.year or stated or plan.year_of(*first.first), first.first)
        if begin > end and last.year is None:
            end = _date(end.year + 1, last.last)
            why = "" if stated else "khoảng này vắt qua năm: từ năm nào đến năm nào?"
    crossed = first is not last and first.guessed and begin.year < end.year
    if begin > end or (crossed and (end - begin).days > _LONGEST_CROSSING):
        return None, "ngày đầu đứng sau ngày cuối"
    if end.year - begin.year > 1 and first.kind is last.kind is Kind.YEAR:
        why = "việc nhiều năm: hạn mỗi năm, hay chỉ năm cuối?"
    kinds = [item.kind for item in group]
    if Kind.DATE in kinds:
        return Span(Kind.DATE if len(group) == 1 else Kind.DATE_RANGE, begin, end), why
    finest = next(kind for kind in (Kind.MONTH, Kind.QUARTER, Kind.YEAR) if kind in kinds)
    return Span(finest, begin, end), why


def _date(year: int, day: tuple[int, int]) -> date:
    return in_month(last_of_month(year, day[0]), day[1])


def _merged(spans: Sequence[Span]) -> tuple[list[Span], bool]:
    """Join neighbours that adjoin; and whether they are periods, which may be meant apart."""
    merged: list[Span] = []
    adjoin = False
    for span in spans:
        last = merged[-1] if merged else None
        alike = last is not None and (last.kind is span.kind or (last.is_dated and span.is_dated))
        if last and alike and last.last + DAY == span.first:
            adjoin = adjoin or not span.is_dated
            kind = Kind.DATE_RANGE if span.is_dated else span.kind
            merged[-1] = Span(kind, last.first, span.last)
        else:
            merged.append(span)
    return merged, adjoin
