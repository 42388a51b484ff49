"""What a clause says about the work it names → commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from reminder.domain.plan import Task
from reminder.domain.text import fold, squeeze
from reminder.understanding import say, statements
from reminder.understanding.asides import report_apart
from reminder.understanding.clauses import (
    Clause,
    is_break,
    is_evidence,
    names_paper,
    parts,
    planned,
)
from reminder.understanding.lexer import (
    DayItem,
    Item,
    MoodItem,
    PaperItem,
    PeriodItem,
    PoliteItem,
    SepItem,
    UnitItem,
)
from reminder.understanding.lexicon import Role, verdict
from reminder.understanding.model import Command, CommandError, Target
from reminder.understanding.runs import Named
from reminder.understanding.speaker import Speaker, is_content, trimmed, until
from reminder.understanding.targets import match_part, spoken, word_groups
from reminder.understanding.verbs import BY_MOOD, Mood, Takes, Verb
from reminder.understanding.verdicts import as_answer, counted, partial, said_in

_SHARE = re.compile(r"(\d{1,2})/(\d{1,2})", re.ASCII)

# What else is said of work that is told done in the same clause: to be asked about.
_DENIED = frozenset({Mood.NOT, Mood.DOING, Mood.STANDING})


_KEPT = frozenset({Role.GONE_BY, Role.LATE, Role.AGO, Role.REMARK})


class Speech:
    """Decides what each clause means, task by task."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self._stated = False  # whether the clause that opens a list states that it is done

    def commands(self, clause: Clause, forced: Verb | None) -> list[Command] | CommandError:
        """What a clause with a run says; of its parts one by one where it tells them apart."""
        apart: list[Command] = []
        for each in self._by_parts(clause) if forced is None else ():
            made = self._commands(each, forced)
            apart += [] if isinstance(made, CommandError) else made
        verbs = {command.verb for command in apart}
        left = len(apart) == 1 and apart[0].verb is Verb.DONE and _is_left(clause)
        if (len(verbs) > 1 or left) and all(map(_of_parts, verbs)):
            return self._without_plans(apart)
        return self._commands(clause, forced)

    def _without_plans(self, apart: list[Command]) -> list[Command]:
        """“báo cáo xong, quyết định mai nộp”: what is to come is kept with what is done."""
        done = next((c for c in apart if c.verb is Verb.DONE), None)
        if done is None:
            return apart
        kept = [c for c in apart if c.verb is not Verb.NOT_DONE or not _only_plans(c)]
        told = [c.note for c in apart if c not in kept]
        note = " - ".join(text for text in (done.note, *told) if text)
        return [replace(c, note=note) if c is done and not c.evidence else c for c in kept]

    def _by_parts(self, clause: Clause) -> list[Clause]:
        """“1d báo cáo xong, quyết định chưa”: a clause each part, if each says one thing of one.

        A part that is only left over (“còn qđ”) stays open, and nothing is said of it.
        """
        assert clause.run is not None
        named = clause.run.named[0] if len(clause.run.named) == 1 else None
        if named is None or clause.run.ranges or clause.run.colon or named != Named(named.code):
            return []
        task = self.speaker.book.task(named.code.task, named.code.plan)
        if task is None or any(isinstance(item, SepItem | MoodItem) for item in clause.before):
            return []
        found: dict[int | None, Clause] = {}
        stretch: Sequence[Item] = clause.items
        if any("bao cao" in fold(product.name) for product in task.products):
            stretch = report_apart(stretch, self.speaker.text)
        for opening, part in _opened(stretch):
            groups = list(word_groups(task, part))
            number = match_part(task, groups[0]) if len(groups) == 1 else None
            says = planned(part) or any(isinstance(item, MoodItem) for item in part)
            if opening == "còn" and number and not says:
                continue
            run = replace(clause.run, named=(replace(named, numbers=[number or 0]),))
            if number in found:
                return []
            found[number if says else None] = Clause(run, (), tuple(part))
        return [] if None in found else list(found.values())

    def _commands(self, clause: Clause, forced: Verb | None) -> list[Command] | CommandError:
        """What a clause says as a whole; each of its tasks may make it another verb."""
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
        return self._refined(clause, made, forced)

    def _refined(
        self, clause: Clause, made: list[Command], forced: Verb | None
    ) -> list[Command] | CommandError:
        """The targets again, now that the verb is known: parts and periods depend on it."""
        assert clause.run is not None
        items: Sequence[Item] = clause.items
        if forced and clause.run.colon:  # verbatim: only a paper still chooses its product
            items = [item for item in items if isinstance(item, PaperItem)]
        refined: list[Command] = []
        for command in made:
            found = self.speaker.targets.all(clause.run, command.verb, items)
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
        assert clause.run is not None
        content = full if forced and clause.run.colon else self._content(clause, task)
        said = said_in(clause, self.speaker, forced)
        names = {word for group in word_groups(task, clause.items) for word in group}
        said += [Mood.PARTIAL] if partial(clause, said, names) else []
        mood = verdict(said, reply=self.speaker.replies, alone=not content)
        if forced is Verb.UPDATE:
            return _answer(mood, full, bool(content), clause)
        read = self._letters(clause, task)
        odd = "?" in read.partition("K")[0] and forced is None
        proof = names_paper(clause.items) and statements.understood(read)
        answering = as_answer(task, mood, clause, bool(content)) if mood and not odd else None
        if task.check_in and answering:
            return answering, full
        if forced is None:
            mood = self._asserted(mood, clause, read, proof=proof)
        if mood is None:
            return self._plain(task, clause, full, content, read, odd=odd, proof=proof)
        verb = BY_MOOD[mood]
        if verb is Verb.UPDATE:  # “bình thường” of a product tells nothing of its being done
            return Verb.DOING, full
        if verb is Verb.CLAIM:
            return verb, full
        if verb in (Verb.DONE, Verb.SUBMIT):
            return verb, content if forced else self._told(clause, task)
        return verb, full if content else ""

    def _asserted(
        self, mood: Mood | None, clause: Clause, read: str, *, proof: bool
    ) -> Mood | None:
        """DONE only where `read` states it, or a paper's number proves it; else a doubt."""
        if mood not in (None, Mood.DONE, Mood.DOUBT):
            denied = mood in _DENIED and statements.denies_itself(read)
            return Mood.DOUBT if denied else mood
        stated = statements.states(read)
        if clause.inherits:
            stated |= self._stated and statements.goes_on(read)
        else:
            self._stated = stated
        just = self.speaker.replies and statements.is_just_done(read)
        if stated or just:
            return Mood.DONE
        if not proof and (mood is not None or statements.claims(read)):
            return Mood.DOUBT
        return mood

    def _letters(self, clause: Clause, task: Task) -> str:
        speaker = self.speaker
        return statements.letters(clause.before, clause.after, task, speaker.meaning, speaker.today)

    def _plain(
        self,
        task: Task,
        clause: Clause,
        full: str,
        content: str,
        read: str,
        *,
        odd: bool,
        proof: bool,
    ) -> tuple[Verb, str]:
        """A code and words without a mood: evidence, an answer, or a note."""
        has = any(i.role is Role.HAVING for i in clause.items if isinstance(i, PoliteItem))
        if not content and not has:
            return Verb.TASK, ""
        order = fold(full).split()[-1:] == ["di"] or re.search("n[yY]|N", read)
        if odd:  # “phòng 1c”, “cho em 1c cà phê”
            return Verb.CLAIM, full
        evidence = is_evidence(clause.items)
        told = has or any(map(is_content, clause.after)) or counted(clause.before)
        if task.check_in and told and not (evidence and self._names_product(task, clause)):
            assert clause.run is not None
            tells = has or clause.run.colon or counted(clause.items)
            return (Verb.UPDATE if tells and not order else Verb.CLAIM), full
        if evidence:  # a bare day is no paper's number
            return (Verb.DONE, content) if proof else (Verb.CLAIM, full)
        return Verb.NOTE, full

    def _names_product(self, task: Task, clause: Clause) -> bool:
        """Whether the evidence is of a product, in a task that has a check-in too."""
        assert clause.run is not None
        named = next((n for n in clause.run.named if n.code.task == task.code), None)
        if named is None:
            return False
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
            end = next((item.end for item in reversed(trimmed(clause.after))), clause.run.end)
            return squeeze(self.speaker.text[clause.run.end : end])
        after = self.speaker.slice(trimmed(clause.after), lambda _: True)
        if after:
            return after
        ahead = (self.speaker.slice(trimmed(p), lambda _: True) for p in parts(clause.before))
        return " - ".join(piece for piece in ahead if piece)

    def _told(self, clause: Clause, task: Task) -> str:
        """What is kept with what is done: also when, how late, and what was remarked."""
        kept = any(isinstance(i, PoliteItem) and i.role in _KEPT for i in clause.items)
        return self._content(clause, task, also=_KEPT if kept else frozenset())

    def _content(self, clause: Clause, task: Task, *, also: frozenset[Role] = frozenset()) -> str:
        """What is told besides: evidence, or a remark."""
        names = {word for words in word_groups(task, clause.items) for word in words}
        several = len(task.deliverables) > 1

        def keep(item: Item) -> bool:
            said = spoken(item)
            named = several and bool(said) and names.issuperset(said)
            dated = isinstance(item, PeriodItem) and any(d.recurs for d in task.products)
            owned = isinstance(item, UnitItem) and item in clause.before[:1]
            besides = isinstance(item, PoliteItem) and item.role in also
            return besides or (is_content(item) and not (named or dated or owned))

        if is_evidence(clause.items):
            return self._slices(clause, is_content)
        return self._slices(clause, keep)

    def _slices(self, clause: Clause, keep: Callable[[Item], bool]) -> str:
        pieces = (self.speaker.slice(trimmed(half), keep) for half in (clause.before, clause.after))
        return squeeze(" - ".join(piece for piece in pieces if piece))

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
            told = [item for item in clause.items if not _asks(item)]
            return until(blank, told, self.speaker, code)
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


def _of_parts(verb: Verb) -> bool:
    """Whether it may be said of one part of a task, while something else is of another."""
    return verb.row.takes is Takes.CLAUSES or (verb.row.denies and verb is not Verb.UNDO)


def _asks(item: Item) -> bool:
    return isinstance(item, MoodItem) and item.mood is Mood.ASK


def _is_left(clause: Clause) -> bool:
    """Whether a last part is only named as what is left: “còn qđ”."""
    return any(isinstance(item, SepItem) and item.sign == "còn" for item in clause.after)


def _only_plans(command: Command) -> bool:
    """Whether what is not done is only put off: no “chưa”, “không” stands in its words."""
    words = fold(command.note).split()
    return bool(words) and not {"chua", "khong", "ko", "k", "cho", "thieu", "vuong"} & set(words)


def _opened(items: Sequence[Item]) -> Iterator[tuple[str, list[Item]]]:
    """The parts of `items` that say anything, each with the sign that opens it."""
    opening, part = "", list[Item]()
    for item in (*items, None):
        if item is None or is_break(item):
            if not all(map(_says_nothing, part)):
                yield opening, part
            if isinstance(item, SepItem):
                opening, part = item.sign, []
        else:
            part.append(item)


def _says_nothing(item: Item) -> bool:
    return isinstance(item, PoliteItem | SepItem)


def _answer(mood: Mood | None, full: str, content: bool, clause: Clause) -> tuple[Verb, str]:
    """Behind “/update 1a” all is text, but a bare “chưa xong” and what ends as a question."""
    last = next((item for item in reversed(clause.items) if not _says_nothing(item)), None)
    asks = not content or (isinstance(last, MoodItem) and last.mood is Mood.ASK)
    if mood is Mood.ASK and asks:
        return Verb.ASK, full
    if mood is Mood.NOT and not content:
        return Verb.NOT_DONE, ""
    return Verb.UPDATE, full


def _is_share(said: str, clause: Clause, item: Item) -> bool:
    """“xong 2/3”: a day, or two thirds?"""
    match = _SHARE.fullmatch(said)
    if match is None or not int(match[1]) < int(match[2]) <= 10:
        return False
    index = clause.after.index(item) if item in clause.after else 0
    return index > 0 and isinstance(clause.after[index - 1], MoodItem)


def _with(command: Command, target: Target) -> Command:
    return replace(command, targets=(*command.targets, target))
