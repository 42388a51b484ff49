"""From what a text names to targets: which part of a task, which period, whose part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from reminder.domain.calendar import Period
from reminder.domain.plan import (
    Confirm,
    Deliverable,
    Every,
    OnDay,
    Plan,
    Recurrence,
    Task,
    Within,
    instance_ids,
)
from reminder.domain.text import fold, squeeze, words
from reminder.understanding import say
from reminder.understanding.clauses import Named, Run, parts
from reminder.understanding.codes import Code, CodeBook
from reminder.understanding.dates import sensible
from reminder.understanding.lexer import (
    CodeItem,
    DayItem,
    DaysItem,
    EveryItem,
    Item,
    MoodItem,
    PaperItem,
    PartItem,
    PeriodItem,
    PoliteItem,
    SepItem,
    UnitItem,
    WordItem,
)
from reminder.understanding.lexicon import Mood
from reminder.understanding.model import Command, CommandError, Meaning, Target
from reminder.understanding.verbs import Verb

ABBREVIATIONS = {
    "qd": ("quyet", "dinh"),
    "bc": ("bao", "cao"),
    "kh": ("ke", "hoach"),
    "tb": ("thong", "bao"),
    "ttr": ("to", "trinh"),
}
_KINDS = frozenset(ABBREVIATIONS.values())
_SHORT_NAMES = frozenset({"quy", "nam"})  # single words that name a part of BC


class Targets:
    """Reads runs of codes for one sender; `text` is what the items were read from."""

    def __init__(self, book: CodeBook, meaning: Meaning, text: str) -> None:
        self.book = book
        self.meaning = meaning
        self.text = text

    def fault(self, run: Run, verb: Verb | None = None) -> CommandError | None:
        """What is wrong with the codes of `run`, which `verb` is about."""
        ends = [code for pair in run.ranges for code in pair]
        for code in (*ends, *(named.code for named in run.named)):
            if not code.known or self.book.task(code.task, code.plan) is None:
                return say.unknown_code(code.task, self.book, verb, self.meaning)
        for first, last in run.ranges:
            if not self._range(first, last):
                return say.nothing_in_range(first.task, last.task)
        return None

    def all(
        self, run: Run, verb: Verb, items: Sequence[Item] = ()
    ) -> tuple[Target, ...] | CommandError:
        """The targets of a run without fault; `items` may name parts of the last one."""
        found = [Target(task=code.task, plan=code.plan) for code in self._ranged(run)]
        for named in run.named:
            last = named is run.named[-1]
            only = len(run.named) == 1 and not run.ranges
            whole = self._enriched(named, verb, items, run.end) if only else named
            papers = [item for item in items if isinstance(item, PaperItem)]
            each = self.one(whole, verb, items if last else papers)
            if isinstance(each, CommandError):
                return each
            found += each
        if run.ranges:
            order = list(self.book.tasks)
            found = sorted(map(_listed, found), key=lambda target: order.index(target.task))
        return tuple(dict.fromkeys(found))

    def _enriched(self, named: Named, verb: Verb, items: Sequence[Item], end: int) -> Named:
        """One task's time, parts and unit where they don't stand right behind its code."""
        task = self.book.task(named.code.task, named.code.plan)
        assert task is not None
        rich = replace(named, periods=list(named.periods), numbers=list(named.numbers))
        if any(d.recurs for d in task.products) and verb is not Verb.UPDATE and not named.periods:
            rich.periods += [item for item in items if isinstance(item, PeriodItem)]
        rich.numbers += [item.number for item in items if isinstance(item, PartItem)]
        if not rich.numbers and verb is not Verb.UPDATE:
            rich.every |= any(isinstance(item, EveryItem) and not item.rest for item in items)
        opening = next((item for item in items if not isinstance(item, PoliteItem)), None)
        if task.confirm is Confirm.ALL and isinstance(opening, UnitItem) and opening.start < end:
            rich.unit = named.unit or opening.unit
        return rich

    def _ranged(self, run: Run) -> Iterator[Code]:
        for first, last in run.ranges:
            yield from self._range(first, last)

    def _range(self, first: Code, last: Code) -> list[Code]:
        """The codes from `first` to `last` that the sender's units lead; a range of one is it."""
        if first.task == last.task:
            return [Code(first.task, first.plan)]
        plan = next(p for p in self.book.plans if self.book.task(first.task, first.plan) in p.tasks)
        order = [task.code for task in plan.tasks]
        if last.task not in order:
            return []
        low, high = sorted((order.index(first.task), order.index(last.task)))
        own = set(self.meaning.units)
        return [
            Code(task.code, first.plan)
            for task in plan.tasks[low : high + 1]
            if own & set(task.lead)
        ]

    def one(
        self, named: Named, verb: Verb, items: Sequence[Item] = ()
    ) -> list[Target] | CommandError:
        """The targets of one code: one a period that it names."""
        task = self.book.task(named.code.task, named.code.plan)
        assert task is not None
        several = len(task.deliverables) > 1
        known = {d.number for d in task.deliverables}
        for number in named.numbers:
            if not several or number not in known:
                return say.bare_number(task, number)
        numbers = tuple(named.numbers)
        if several and not numbers and verb is not Verb.UPDATE and not named.every:
            in_words = self._named_parts(task, items)
            if isinstance(in_words, CommandError):
                return in_words
            numbers = in_words
        whole = task.confirm is Confirm.ALL and named.every
        target = Target(
            task=task.code,
            deliverables=tuple(sorted(set(numbers))),
            every=(several or _recurs_alone(task)) and named.every,
            plan=named.code.plan,
            unit="*" if whole else named.unit,
            also_meant=named.code.also_meant,
        )
        return self._in_periods(task, target, named, verb)

    def _in_periods(
        self, task: Task, target: Target, named: Named, verb: Verb
    ) -> list[Target] | CommandError:
        plan = next(p for p in self.book.plans if task in p.tasks)
        if not named.periods:
            return [target]
        found: list[Target] = []
        for item in named.periods:
            if not item.period:
                return say.bad_period(
                    task, self.text[item.start : item.end], _period_names(plan, task)
                )
            period = item.period if item.dated else f"{plan.year}{item.period[4:]}"
            period = _within_check_in(plan, task, period)
            each = in_period(plan, task, target, period, answers=verb is Verb.UPDATE)
            if each is None:
                known = _period_names(plan, task)
                return say.bad_period(task, self.text[item.start : item.end], known)
            found.append(each)
        return found

    def _named_parts(self, task: Task, items: Sequence[Item]) -> tuple[int, ...] | CommandError:
        """The parts that are named in words; else those whose kind of paper is named."""
        numbers: list[int] = []
        for group in word_groups(task, items):
            match = match_part(task, group)
            if match is None and group in _KINDS:
                return say.unknown_deliverable(task, " ".join(group))
            numbers += [match] if match else []
        if not numbers:
            kinds = {
                kind for item in items if isinstance(item, PaperItem) for kind in self._kinds(item)
            }
            numbers = [n for kind in kinds if (n := match_part(task, kind)) is not None]
        return tuple(numbers)

    def _kinds(self, paper: Item) -> Iterator[tuple[str, ...]]:
        """The kind of paper in a paper's number: QĐ of 12/QĐ-UBND."""
        pieces = fold(self.text[paper.start : paper.end]).replace("-", "/").split("/")
        for piece in pieces:
            if piece in ABBREVIATIONS:
                yield ABBREVIATIONS[piece]


def _listed(target: Target) -> Target:
    """A target of a range: the list that is read back shows what was meant."""
    return Target(
        task=target.task,
        deliverables=target.deliverables,
        every=target.every,
        period=target.period,
        plan=target.plan,
        unit=target.unit,
    )


def word_groups(task: Task, items: Sequence[Item]) -> Iterator[tuple[str, ...]]:
    """Words in a row that all occur in the task's names of parts, or name a kind of paper."""
    vocabulary = frozenset().union(*(_words(d) for d in task.deliverables), *_KINDS)
    for part in parts(items):
        group: list[str] = []
        for item in (*part, None):
            words = spoken(item)
            if words and set(words) <= vocabulary:
                group += words
                continue
            yield from _kept(group)
            group = []


def _kept(group: Sequence[str]) -> Iterator[tuple[str, ...]]:
    if len(group) > 1 or (group and group[0] in _SHORT_NAMES):
        yield tuple(group)


def spoken(item: Item | None) -> tuple[str, ...]:
    match item:
        case WordItem(word=word) | PoliteItem(word=word):
            return ABBREVIATIONS.get(word, (word,) if isinstance(item, WordItem) else ())
    return ()


def match_part(task: Task, words: Sequence[str]) -> int | None:
    """The one part whose name, or else whose product, has all `words`.

    A report of standing work is its check-in, where no product is called a report.
    """
    wanted = set(words)
    by_name = [d.number for d in task.deliverables if wanted <= set(fold(d.name).split())]
    if len(by_name) == 1:
        return by_name[0]
    by_product = [d.number for d in task.deliverables if wanted <= _words(d)]
    if not by_name and len(by_product) == 1:
        return by_product[0]
    if tuple(words) == ("bao", "cao") and not by_name and task.check_in:
        return task.check_in.number
    return None


def _words(deliverable: Deliverable) -> frozenset[str]:
    return _words_of(f"{deliverable.name} {deliverable.product}")


@lru_cache(1024)  # of a plan's few names, asked for at each code
def _words_of(names: str) -> frozenset[str]:
    return frozenset(fold(names).split())


def _recurs_alone(task: Task) -> bool:
    """Whether “tất cả” of the task means all that is open of its one product."""
    return task.confirm is Confirm.ANY and task.deliverables[0].recurs


def _within_check_in(plan: Plan, task: Task, period: str) -> str:
    """The period of standing work that `period` lies in: a month's news is its quarter's."""
    if task.products or task.check_in is None or not period:
        return period
    span = Period.parse(period)
    for known in map(Period.parse, period_ids(plan, task.check_in)):
        if known.first <= span.first and span.last <= known.last:
            return known.id
    return period


def in_period(
    plan: Plan, task: Task, target: Target, period: str, *, answers: bool
) -> Target | None:
    """`target` in `period`; None if none of its parts has such a time.

    A period names the occurrence with this identifier, or a one-off whose due day lies in it.
    """
    chosen = [
        d for d in task.deliverables if not target.deliverables or d.number in target.deliverables
    ]
    first = [d for d in chosen if (d == task.check_in) == answers]
    for group in (first, [d for d in chosen if d not in first]):
        exact = [d.number for d in group if period in period_ids(plan, d)]
        loose = [d.number for d in group if not d.recurs and _lies_in(d, period)]
        if exact or loose:
            numbers = tuple(exact or loose) if len(task.deliverables) > 1 else ()
            return Target(
                task=target.task,
                deliverables=target.deliverables or (numbers if len(numbers) == 1 else ()),
                every=target.every,
                period=period if exact else None,
                plan=target.plan,
                unit=target.unit,
                also_meant=target.also_meant,
            )
    return None


def period_ids(plan: Plan, deliverable: Deliverable) -> list[str]:
    """The identifiers of the deliverable's occurrences."""
    match deliverable.rule:
        case Every(cycle=cycle, only=only):
            ids = [period.id for period in Period.each(cycle, plan.year)]
            return [i for i in ids if not only or i.partition("-")[2] in only]
        case Recurrence():
            return list(instance_ids(deliverable, plan.year))
    return [f"{plan.year}"]


def _lies_in(deliverable: Deliverable, period: str) -> bool:
    span = Period.parse(period)
    match deliverable.rule:
        case OnDay(day=day):
            return span.first <= day <= span.last
        case Within(period=own):
            return span.first <= _middle(own) <= span.last
    return False


def _middle(period: Period) -> date:
    return period.first + (period.last - period.first) / 2


def _period_names(plan: Plan, task: Task) -> list[str]:
    ids = [i for d in task.products or task.deliverables for i in period_ids(plan, d) if d.recurs]
    return [Period.parse(i).name for i in ids]


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
