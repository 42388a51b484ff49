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
    OnDay,
    Plan,
    Task,
    Within,
    period_ids,
)
from reminder.domain.text import fold, squeeze
from reminder.understanding import errors
from reminder.understanding.clauses import Named, Run, parts, says_nothing, sign_of
from reminder.understanding.codes import Code, CodeBook
from reminder.understanding.lexer import (
    CodeItem,
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
from reminder.understanding.model import Meaning, Refused, Target
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


@dataclass(frozen=True)
class Resolver:
    """The sender's side of a text: who and what may be meant by it, and the text itself."""

    text: str
    book: CodeBook
    meaning: Meaning
    today: date

    @property
    def replies(self) -> bool:
        return self.meaning.is_reply or bool(self.meaning.reply_to)

    def typed(self, *items: Item) -> str:
        """Return `items`, which stand in a row, as they were typed."""
        return squeeze(self.text[items[0].start : items[-1].end]) if items else ""

    def slice(self, items: Sequence[Item], keep: Callable[[Item], bool] = lambda _: True) -> str:
        """The text of `items` from the first that is kept to the last, without those dropped."""
        pieces: list[str] = []
        start = end = -1
        for item in (*items, None):
            if item is not None and keep(item):
                start, end = (item.start if start < 0 else start), item.end
            elif start >= 0 and not (item and _bridges(item)):
                pieces.append(self.text[start:end])
                start = -1
        return squeeze(" - ".join(pieces))

    def check(self, run: Run, verb: Verb | None = None) -> None:
        """Raise Refused if `run`, which `verb` is about, names what the plans don't have."""
        ends = [code for pair in run.ranges for code in pair]
        for code in (*ends, *(named.code for named in run.named)):
            if not code.known or self.book.task(code.task, code.plan) is None:
                raise Refused(errors.unknown_code(code.task, self.book, verb, self.meaning))
        for first, last in run.ranges:
            if not self._range(first, last):
                raise Refused(errors.nothing_in_range(first.task, last.task))

    def tasks(self, run: Run) -> list[Task]:
        """Return the tasks that a run without fault names, each once."""
        named = [*self._ranged(run), *(named.code for named in run.named)]
        return list({code.task: self._task(code) for code in named}.values())

    def targets(self, run: Run, verb: Verb, items: Sequence[Item] = ()) -> tuple[Target, ...]:
        """Return the targets of a run without fault; `items` may name parts of the last one."""
        found = [Target(task=code.task, plan=code.plan) for code in self._ranged(run)]
        for named in run.named:
            last = named is run.named[-1]
            only = len(run.named) == 1 and not run.ranges
            full = self._enriched(named, verb, items, run.end) if only else named
            papers = [item for item in items if isinstance(item, PaperItem)]
            found += self.one(full, verb, (*named.ahead, *(items if last else papers)))
        if run.ranges:  # the list that is read back shows what was meant
            order = list(self.book.tasks)
            found = sorted(
                (replace(target, also_meant=None) for target in found),
                key=lambda target: order.index(target.task),
            )
        return tuple(dict.fromkeys(found))

    def _task(self, code: Code) -> Task:
        task = self.book.task(code.task, code.plan)
        assert task is not None
        return task

    def _enriched(self, named: Named, verb: Verb, items: Sequence[Item], end: int) -> Named:
        """Return one task's time, parts and unit where they don't stand right behind its code."""
        task = self._task(named.code)
        rich = replace(named, periods=list(named.periods), numbers=list(named.numbers))
        rich.numbers += [item.number for item in items if isinstance(item, PartItem)]
        if verb is not Verb.UPDATE and any(d.recurs for d in task.products) and not named.periods:
            rich.periods += [item for item in items if isinstance(item, PeriodItem)]
        if verb is not Verb.UPDATE and not rich.numbers:
            rich.every |= any(isinstance(item, EveryItem) and not item.rest for item in items)
        opening = next((item for item in items if not isinstance(item, PoliteItem)), None)
        if task.confirm is Confirm.ALL and isinstance(opening, UnitItem) and opening.start < end:
            rich.unit = named.unit or opening.unit
        return rich

    def _ranged(self, run: Run) -> Iterator[Code]:
        for first, last in run.ranges:
            yield from self._range(first, last)

    def _range(self, first: Code, last: Code) -> list[Code]:
        """Return the codes from `first` to `last` that the sender's units lead."""
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

    def one(self, named: Named, verb: Verb, items: Sequence[Item] = ()) -> list[Target]:
        """Return the targets of one code: one a period that it names."""
        task = self._task(named.code)
        several = len(task.deliverables) > 1
        known = {d.number for d in task.deliverables}
        for number in named.numbers:
            if not several or number not in known:
                raise Refused(errors.bare_number(task, number))
        numbers = set(named.numbers)
        if several and not numbers and verb is not Verb.UPDATE and not named.every:
            numbers = self._named_parts(task, items)
        shared = task.confirm is Confirm.ALL
        alone = not several and not shared and task.deliverables[0].recurs
        target = Target(
            task=task.code,
            deliverables=tuple(sorted(numbers)),
            every=(several or alone) and named.every,
            plan=named.code.plan,
            unit="*" if shared and named.every else named.unit,
            also_meant=named.code.also_meant,
        )
        if not named.periods:
            return [target]
        return [self._in_period(task, target, item, verb) for item in named.periods]

    def _in_period(self, task: Task, target: Target, item: PeriodItem, verb: Verb) -> Target:
        plan = next(p for p in self.book.plans if task in p.tasks)
        dated = item.dated or not item.period
        period = item.period if dated else _in_plan(plan, task, item.period, self.today)
        period = _within_check_in(plan, task, period)
        found = in_period(plan, task, target, period, answers=verb is Verb.UPDATE)
        if found is None:
            parts = [d for d in task.products or task.deliverables if d.recurs]
            known = [Period.parse(i) for d in parts for i in period_ids(d, plan.years)]
            near = [p for p in known if p.year == self.today.year] if len(known) > 12 else known
            names = [plan.period_name(each) for each in near or known]
            raise Refused(errors.bad_period(task, self.text[item.start : item.end], names))
        return found

    def _named_parts(self, task: Task, items: Sequence[Item]) -> set[int]:
        """Return the parts that are named in words; else those whose kind of paper is named."""
        numbers: set[int] = set()
        for group in word_groups(task, items):
            match = match_part(task, group)
            if match is None and group in _KINDS:
                raise Refused(errors.unknown_deliverable(task, " ".join(group)))
            numbers |= {match} if match else set()
        if numbers:
            return numbers
        papers = [item for item in items if isinstance(item, PaperItem)]
        kinds = {kind for paper in papers for kind in self._kinds(paper)}
        return {n for kind in kinds if (n := match_part(task, kind)) is not None}

    def _kinds(self, paper: Item) -> Iterator[tuple[str, ...]]:
        """Yield the kind of paper in a paper's number: QĐ of 12/QĐ-UBND."""
        pieces = fold(self.text[paper.start : paper.end]).replace("-", "/").split("/")
        return (ABBREVIATIONS[piece] for piece in pieces if piece in ABBREVIATIONS)


def _bridges(item: Item) -> bool:
    """Return whether a text goes on over `item`, though it is dropped itself."""
    return says_nothing(item) and sign_of(item) not in (";", "\n")


def is_content(item: Item) -> bool:
    """Return whether `item` tells more than that, and to whom, something is done."""
    return not isinstance(item, MoodItem | PoliteItem | SepItem | EveryItem | CodeItem | PartItem)


def trimmed(items: Sequence[Item], drop: Callable[[Item], bool] | None = None) -> Sequence[Item]:
    """Return `items` without politeness and signs at both ends."""
    drop = drop or is_trim
    first, last = 0, len(items)
    while first < last and drop(items[first]):
        first += 1
    while last > first and is_trim(items[last - 1]):
        last -= 1
    return items[first:last]


def is_trim(item: Item) -> bool:
    return isinstance(item, SepItem) or (isinstance(item, PoliteItem) and item.courtesy)


def word_groups(task: Task, items: Sequence[Item]) -> Iterator[tuple[str, ...]]:
    """Words in a row that all occur in the task's names of parts, or name a kind of paper."""
    vocabulary = frozenset().union(*(_words(d) for d in task.deliverables), *_KINDS)
    for part in parts(items):
        group: list[str] = []
        for item in (*part, None):
            words = full_words(item)
            if words and set(words) <= vocabulary:
                group += words
                continue
            if len(group) > 1 or (group and group[0] in _SHORT_NAMES):
                yield tuple(group)
            group = []


def full_words(item: Item | None) -> tuple[str, ...]:
    """Return the words of `item` that may name a part, in full."""
    match item:
        case WordItem(word=word) | PoliteItem(word=word):
            return ABBREVIATIONS.get(word, (word,) if isinstance(item, WordItem) else ())
    return ()


def match_part(task: Task, words: Sequence[str]) -> int | None:
    """Return the one part whose name, or else whose product, has all `words`.

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


def _in_plan(plan: Plan, task: Task, period: str, today: date) -> str:
    """Return `period`, said without its year, as the task's nearest to `today` of that name."""
    rest = period[4:]
    known = (i for d in task.deliverables for i in period_ids(d, plan.years) if i[4:] == rest)
    years = range(plan.first_day.year, plan.last_day.year + 1)
    spans = [*map(Period.parse, known)] or [*map(Period.parse, (f"{y}{rest}" for y in years))]
    return min(spans, key=lambda p: max(p.first - today, today - p.last)).id


def _within_check_in(plan: Plan, task: Task, period: str) -> str:
    """Return the period of standing work that `period` lies in: a month's news is its quarter's."""
    if task.products or task.check_in is None or not period:
        return period
    span = Period.parse(period)
    for known in map(Period.parse, period_ids(task.check_in, plan.years)):
        if known.first <= span.first and span.last <= known.last:
            return known.id
    return period


def in_period(
    plan: Plan, task: Task, target: Target, period: str, *, answers: bool
) -> Target | None:
    """Return `target` in `period`; None if none of its parts has such a time.

    A period names the occurrence with this identifier, or a one-off whose due day lies in it.
    """
    named = target.deliverables
    chosen = [d for d in task.deliverables if period and (not named or d.number in named)]
    first = [d for d in chosen if (d == task.check_in) == answers]
    for group in (first, [d for d in chosen if d not in first]):
        exact = [d.number for d in group if period in period_ids(d, plan.years)]
        loose = [d.number for d in group if not d.recurs and _lies_in(d, period)]
        if numbers := exact or loose:
            one = len(task.deliverables) > 1 and len(numbers) == 1
            return replace(
                target,
                deliverables=named or (tuple(numbers) if one else ()),
                period=period if exact else None,
            )
    return None


def _lies_in(deliverable: Deliverable, period: str) -> bool:
    span = Period.parse(period)
    match deliverable.rule:
        case OnDay(day=day):
            return span.first <= day <= span.last
        case Within(period=own):
            return span.first <= own.first + (own.last - own.first) / 2 <= span.last
    return False
