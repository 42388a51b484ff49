"""What a clause says about the work it names → commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise, zip_longest

from reminder.core.codes import CodeBook
from reminder.core.commands import say
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
from reminder.core.commands.model import Command, CommandError, Meaning, Target, Verb
from reminder.core.commands.runs import Clause, is_evidence, moods, planned
from reminder.core.commands.targets import Targets, spoken, word_groups
from reminder.core.moments import sensible
from reminder.core.moods import Mood, verdict
from reminder.core.plan import Task
from reminder.core.text import squeeze, words

_SHARE = re.compile(r"(\d{1,2})/(\d{1,2})", re.ASCII)
# Words that join an answer's text to what stands before or behind it.
_JOINTS = words(
    """
    voi ly do kem vi den toi ngay them roi la thi ma o tai cu the rang som nhat khoang truoc
    sang het lui tu lam viec
    """
)

VERB_OF = {
    Mood.DONE: Verb.DONE,
    Mood.NOT: Verb.NOT_DONE,
    Mood.DOING: Verb.DOING,
    Mood.STANDING: Verb.UPDATE,
    Mood.ASK: Verb.ASK,
    Mood.SUBMITTED: Verb.SUBMIT,
    Mood.RETURNED: Verb.RETURN,
    Mood.UNDO: Verb.UNDO,
    Mood.EXTEND: Verb.EXTEND,
    Mood.SNOOZE: Verb.SNOOZE,
    Mood.SEEN: Verb.SEEN,
    Mood.AGREED: Verb.SEEN,
}
_HINDERS = frozenset({Mood.NOT, Mood.YET, Mood.PARTIAL, Mood.PLAN, Mood.SOON, Mood.UNSIGNED})
_MOOD_OF = {Verb.DONE: Mood.DONE, Verb.SUBMIT: Mood.SUBMITTED}


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
        return squeeze(" ".join(pieces))

    def verbatim(self, start: int) -> str:
        return squeeze(self.text[start:])


def _cuts(item: Item) -> bool:
    return not isinstance(item, PoliteItem | SepItem)


def is_content(item: Item) -> bool:
    """Whether `item` tells more than that, and to whom, something is done."""
    return not isinstance(item, MoodItem | PoliteItem | SepItem | EveryItem | CodeItem | PartItem)


def said_in(clause: Clause, speaker: Speaker, forced: Verb | None) -> list[Mood]:
    """The moods of a clause; a day still to come is a plan, where no paper is named."""
    found = [*moods(clause.before), *moods(clause.after)]
    if clause.before and clause.after:
        joined = moods(clause.items)
        found += [Mood.ASK] if Mood.ASK in joined else []
    if any(isinstance(item, EveryItem) and item.rest for item in clause.items):
        found.append(Mood.PARTIAL)
    found += [Mood.PARTIAL for item in clause.items if _remains(item)]
    found += [Mood.PARTIAL] if _counts(clause.before) or _counts(clause.after) else []
    if forced in _MOOD_OF:
        found.append(_MOOD_OF[forced])
    if forced is None and clause.inherits and not found:
        found.append(Mood.DONE)
    if _to_come(clause, speaker.today, forced) and Mood.PAST not in found:
        found.append(Mood.PLAN)
    return found


def _remains(item: Item) -> bool:
    return isinstance(item, SepItem) and item.sign == "còn"


def _counts(items: Sequence[Item]) -> bool:
    """“xong 3 văn bản”: so many are done, not the whole."""
    return any(
        isinstance(item, MoodItem) and item.mood is Mood.DONE and isinstance(behind, NumberItem)
        for item, behind in pairwise(items)
    )


def _to_come(clause: Clause, today: date, forced: Verb | None) -> bool:
    days = [item.day for item in clause.items if isinstance(item, DayItem)]
    later = [day for day in days if day.day is not None and day.day > today]
    if any(isinstance(item, PaperItem) for item in clause.items):
        return False
    return any(day.relative or forced is None for day in later)


class Speech:
    """Decides what each clause means, task by task."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker

    def commands(self, clause: Clause, forced: Verb | None) -> list[Command] | CommandError:
        """What a clause with a run says; each of its tasks may make it another verb."""
        assert clause.run is not None
        fault = self.speaker.targets.fault(clause.run)
        if fault:
            return fault
        targets = self.speaker.targets.all(clause.run, Verb.TASK)
        if isinstance(targets, CommandError):
            return targets
        made: list[Command] = []
        for target in targets:
            verb, text = self._verb(clause, target, forced)
            if not any(command.verb is verb for command in made):
                command = self._command(clause, verb, text, bool(clause.run.ranges))
                if isinstance(command, CommandError):
                    return command
                made.append(command)
            made = [_with(command, target) if command.verb is verb else command for command in made]
        return self._refined(clause, made)

    def _refined(self, clause: Clause, made: list[Command]) -> list[Command] | CommandError:
        """The targets again, now that the verb is known: parts and periods depend on it."""
        assert clause.run is not None
        refined: list[Command] = []
        for command in made:
            found = self.speaker.targets.all(clause.run, command.verb, clause.items)
            if isinstance(found, CommandError):
                return found
            mine = {target.task for target in command.targets}
            targets = tuple(target for target in found if target.task in mine)
            answers = tuple(
                (target, command.answers[0][1]) for target in targets if command.answers
            )
            refined.append(replace(command, targets=targets, answers=answers))
        return refined

    def _verb(self, clause: Clause, target: Target, forced: Verb | None) -> tuple[Verb, str]:
        """What the clause says of one task, and the text that goes with it."""
        task = self.speaker.book.task(target.task, target.plan)
        assert task is not None
        full = self._full(clause)
        if forced not in (None, Verb.DONE, Verb.UPDATE, Verb.SUBMIT):
            return forced, full
        content = self._content(clause, task)
        said = said_in(clause, self.speaker, forced)
        mood = verdict(said, reply=self.speaker.replies, alone=not content)
        if forced is Verb.UPDATE:
            return self._answer(mood, full, bool(content))
        if mood is None:
            return self._plain(task, clause, full, content)
        if task.check_in and (verb := _as_answer(task, mood, clause, bool(content))):
            return verb, full
        verb = VERB_OF[mood]
        if verb is Verb.UPDATE:  # “bình thường” of a product tells nothing of its being done
            return Verb.DOING, full
        return verb, content if verb in (Verb.DONE, Verb.SUBMIT) else full if content else ""

    def _answer(self, mood: Mood | None, full: str, content: bool) -> tuple[Verb, str]:
        if mood is Mood.ASK:
            return Verb.ASK, full
        if mood is Mood.NOT and not content:
            return Verb.NOT_DONE, ""
        return Verb.UPDATE, full

    def _plain(self, task: Task, clause: Clause, full: str, content: str) -> tuple[Verb, str]:
        """A code and words without a mood: evidence, an answer, or a note."""
        if not content:
            return Verb.TASK, ""
        evidence = is_evidence(clause.items)
        if task.check_in and not (evidence and self._names_product(task, clause)):
            return Verb.UPDATE, full
        return (Verb.DONE, content) if evidence else (Verb.NOTE, full)

    def _names_product(self, task: Task, clause: Clause) -> bool:
        """Whether the evidence is of a product, in a task that has a check-in too."""
        assert clause.run is not None
        named = next(n for n in clause.run.named if n.code.task == task.code)
        found = self.speaker.targets.one(named, Verb.DONE, clause.items)
        products = {d.number for d in task.products}
        return (
            not isinstance(found, CommandError)
            and bool(products)
            and all(set(target.deliverables) <= products for target in found)
        )

    def _full(self, clause: Clause) -> str:
        """All that is said behind the code; before it, if nothing stands behind."""
        assert clause.run is not None
        if clause.run.colon and clause.after:
            return self.speaker.text[clause.run.end : clause.after[-1].end].strip()
        after = self.speaker.slice(trimmed(clause.after), lambda _: True)
        return after or self.speaker.slice(trimmed(clause.before), lambda _: True)

    def _content(self, clause: Clause, task: Task) -> str:
        """What is told besides: evidence, or a remark."""
        names = {word for words in word_groups(task, clause.items) for word in words}
        several = len(task.deliverables) > 1

        def keep(item: Item) -> bool:
            said = spoken(item)
            named = several and bool(said) and names.issuperset(said)
            dated = isinstance(item, PeriodItem) and any(d.recurs for d in task.products)
            owned = isinstance(item, UnitItem) and item in clause.before[:1]
            return is_content(item) and not (named or dated or owned)

        if is_evidence(clause.items):
            return self._slices(clause, is_content)
        return self._slices(clause, keep)

    def _slices(self, clause: Clause, keep: Callable[[Item], bool]) -> str:
        pieces = (self.speaker.slice(trimmed(half), keep) for half in (clause.before, clause.after))
        return squeeze(" ".join(piece for piece in pieces if piece))

    def _command(
        self, clause: Clause, verb: Verb, text: str, ranged: bool
    ) -> Command | CommandError:
        assert clause.run is not None
        code = clause.run.named[0].code.task if clause.run.named else clause.run.ranges[0][0].task
        blank = Command(verb=verb, listed_back=ranged)
        if verb in (Verb.DONE, Verb.SUBMIT):
            return self._evidence(clause, blank, text, code)
        if verb is Verb.UPDATE:
            if not text:
                return say.needs_text(verb, code)
            return replace(blank, answers=((Target(task=code), text),))
        if verb in (Verb.EXTEND, Verb.SNOOZE):
            return until(blank, clause.items, self.speaker, code)
        if verb in (Verb.ASK, Verb.SEEN, Verb.TASK):
            return blank
        return replace(blank, note=text)

    def _evidence(
        self, clause: Clause, blank: Command, text: str, code: str
    ) -> Command | CommandError:
        for item in clause.items:
            if not isinstance(item, DayItem):
                continue
            said = self.speaker.text[item.start : item.end]
            if item.day.day is None:
                return say.bad_date(said)
            if _is_share(said, clause, item):
                return say.share_or_date(said, code)
        return (
            replace(blank, evidence=text)
            if is_evidence(clause.items)
            else replace(blank, note=text)
        )


def _is_share(said: str, clause: Clause, item: Item) -> bool:
    """“xong 2/3”: a day, or two thirds?"""
    match = _SHARE.fullmatch(said)
    if match is None or not int(match[1]) < int(match[2]) <= 10:
        return False
    index = clause.after.index(item) if item in clause.after else 0
    return index > 0 and isinstance(clause.after[index - 1], MoodItem)


def _counted(items: Sequence[Item]) -> bool:
    """Whether `items` count something; a share (80%) is no count."""
    return any(
        isinstance(item, NumberItem) and not (isinstance(behind, MoodItem) and behind.word == "%")
        for item, behind in zip_longest(items, items[1:])
    )


def _as_answer(task: Task, mood: Mood, clause: Clause, content: bool) -> Verb | None:
    """UPDATE, where what is said of standing work is its answer; None where it is not."""
    only = not task.products
    counted = _counted(clause.before) or _counted(clause.after)
    evidence = is_evidence(clause.items)
    if mood is Mood.STANDING:
        return Verb.UPDATE
    if mood is Mood.DOING:
        return Verb.UPDATE if only else None
    if mood is Mood.DONE and content and not evidence:
        return Verb.UPDATE if only or counted else None
    if mood is Mood.NOT and only and counted and not planned(clause.items):
        said = moods(clause.items)
        first = next((i for i in clause.after if not isinstance(i, PoliteItem | SepItem)), None)
        hindered = isinstance(first, MoodItem) and first.mood in _HINDERS
        return None if hindered or Mood.PLAN in said else Verb.UPDATE
    return None


def _with(command: Command, target: Target) -> Command:
    return replace(command, targets=(*command.targets, target))


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
    ahead = _without(items[: max(index, 0)], _is_ahead)
    pieces = (speaker.slice(part, lambda _: True) for part in (ahead, behind))
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


def _is_ahead(item: Item) -> bool:
    """Before the day: also moods and codes; “xin gia hạn 1c đến” tells no reason."""
    return _is_joint(item) or isinstance(item, MoodItem | PoliteItem | CodeItem)
