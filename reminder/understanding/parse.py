"""What an officer types → a Command, or a CommandError that says what to type instead.

Nothing is guessed towards closing work: a text that says “not done”, “in part”, “tomorrow” or asks
never closes anything, and one that can be read in two ways does nothing and says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import takewhile

from reminder.domain.text import fold, normal, squeeze
from reminder.understanding import errors, spelling
from reminder.understanding.arguments import with_arguments
from reminder.understanding.clauses import (
    NO_RUN,
    Clause,
    Named,
    Run,
    clauses,
    corrects,
    denied,
    mood_of,
    moods,
    resolve_dotted,
    resolve_numerals,
    runs,
    says_nothing,
    sign_of,
    word_of,
)
from reminder.understanding.codes import Code, CodeBook
from reminder.understanding.lexer import (
    EVERY,
    HARMLESS,
    MOODS,
    ORDINALS,
    DayItem,
    DaysItem,
    EveryItem,
    Item,
    Lexer,
    MoodItem,
    NumberItem,
    PeriodItem,
    PoliteItem,
    SepItem,
    UnitItem,
)
from reminder.understanding.lexicon import ANSWERS, COURTESY, OWN_WORDS, Mood, verdict
from reminder.understanding.model import Command, CommandError, Meaning, Refused, Target
from reminder.understanding.spelling import tokenise
from reminder.understanding.statements import ClauseReader, said_in, states_done
from reminder.understanding.targets import Resolver, is_content, trimmed
from reminder.understanding.verbs import (
    BY_MOOD,
    HEADS,
    LISTED,
    Opens,
    Takes,
    Verb,
    verb_called,
)

_SLASH = re.compile(r"/[ ]?([^\W_]+)(?:@(\w+))?", re.UNICODE)
_GLUED = re.compile(r"([^\W\d_]+)(\d.*)")
_EMOTICON = re.compile(r"(?<!\w)(?:[:;=]['-]?[)(DdpPvV3]+|\^_*\^|[oO]_[oO])(?!\w)")
_MILD = frozenset({Mood.SEEN, Mood.AGREED, Mood.EXTEND, Mood.SNOOZE, Mood.PAST})
_ANSWERS = frozenset({Mood.STANDING, Mood.NO_NEWS})
_LONGEST_ANSWER = 40  # characters of a bare “đúng”
_CHOOSING = frozenset({"so", "va", "viec", "xong", "roi", "da", "cai"})  # around numbers


def parse(text: str, today: date, meaning: Meaning) -> Command | CommandError:
    """Return the one meaning of `text` for this sender on this day.

    Its work grows as the text does (tests/fuzz/test_work.py counts it), and a text is bounded, so
    that no message holds up the others: see errors.MAX_TOKENS for what was measured.
    """
    if len(text) > errors.MAX_CHARS:
        return errors.TOO_LONG
    clean = _unaddressed(normal(text), meaning.bot_name)
    if not clean:
        return errors.EMPTY
    if len(tokenise(clean)) > errors.MAX_TOKENS:
        return errors.TOO_MANY_WORDS
    if not clean.startswith("/") and any(mark in fold(clean) for mark in OWN_WORDS):
        return errors.not_understood(meaning)
    reader = _Reader(today, meaning)
    try:
        return _together([c for block in _blocks(clean) for c in reader.block(block)], meaning)
    except Refused as refusal:
        return refusal.error


def yes_or_no(text: str) -> bool | None:
    """Return what a bare “đúng” or “chưa” answers to a question; None for other texts."""
    if len(text) > _LONGEST_ANSWER:
        return None
    tokens = spelling.tokens(normal(text).strip())
    words: list[str] = []
    index = 0
    while index < len(tokens):
        polite, mood = HARMLESS.at(tokens, index), MOODS.at(tokens, index)
        if polite and polite.value in COURTESY and not (mood and mood.size >= polite.size):
            index += polite.size
            continue
        if tokens[index].text[0].isalnum():
            words.append(tokens[index].plain)
        elif tokens[index].text == "?":
            return None
        index += 1
    return ANSWERS.get(" ".join(words)) if words else None


def chosen(text: str, most: int, codes: Collection[str]) -> tuple[int, ...] | None:
    """The places, from 1, that “1”, “số 1 và 2” or “tất cả” choose of `most`; None: something else.

    “xong 3” names the work with the code 3 where `codes` has it.
    """
    if len(text) > _LONGEST_ANSWER:
        return None
    tokens = spelling.tokens(normal(text).strip())
    found: list[int] = []
    index, names_work = 0, False
    while index < len(tokens):
        if (every := EVERY.at(tokens, index)) and not every.value:
            found += range(1, most + 1)
            index += every.size
        elif (number := tokens[index].number) is not None:
            found.append(number)
            index += 1
        elif tokens[index].plain in _CHOOSING:
            names_work |= tokens[index].plain not in ("so", "va")
            index += 1
        elif (polite := HARMLESS.at(tokens, index)) and polite.value in COURTESY:
            index += polite.size
        elif tokens[index].text in ",.;&+!":
            index += 1
        else:
            return None
    places = tuple(dict.fromkeys(found))
    if not all(1 <= place <= most for place in places):
        return None
    if names_work and any(str(place) in codes for place in places):
        return None
    return places or None


def _unaddressed(text: str, bot: str) -> str:
    """Return `text` without the bot's own @name around it, and without emoticons."""
    if bot:
        mention = re.escape(bot.lstrip("@"))
        text = re.sub(rf"(?<![\w/])@{mention}\b[,:]?", " ", text, flags=re.IGNORECASE)
    return _EMOTICON.sub(" ", text).strip()


def _blocks(text: str) -> Iterator[str]:
    """Yield the text cut before each line that begins with a slash."""
    block: list[str] = []
    for line in text.split("\n"):
        if line.lstrip().startswith("/") and block:
            yield "\n".join(block).strip()
            block = []
        block.append(line)
    yield "\n".join(block).strip()


def _together(commands: Sequence[Command], meaning: Meaning) -> Command:
    """Return all that was said as one command; “not done” wins over “done”."""
    hindered = {t for command in commands if command.verb.row.denies for t in command.targets}
    merged: list[Command] = []
    for command in commands:
        left = tuple(t for t in command.targets if t not in hindered)
        if command.verb is not Verb.DONE or left == command.targets:
            said = command
        elif left:
            said = replace(command, targets=left)
        else:
            continue
        same = next((i for i, m in enumerate(merged) if _joins(m, said)), None)
        if same is None:
            merged.append(said)
        else:
            merged[same] = _joined(merged[same], said)
    if not merged:
        raise Refused(errors.not_understood(meaning))
    return replace(merged[0], also=tuple(merged[1:]))


def _joins(one: Command, other: Command) -> bool:
    if one.verb is not other.verb or one.listed_back != other.listed_back:
        return False
    if one.everything and other.everything:
        return False
    if one.verb is Verb.UPDATE:
        return True
    both = bool(one.targets and other.targets)
    return both and replace(one, targets=()) == replace(other, targets=())


def _joined(one: Command, other: Command) -> Command:
    return replace(
        one,
        targets=tuple(dict.fromkeys((*one.targets, *other.targets))),
        answers=(*one.answers, *other.answers),
        everything=one.everything or other.everything,
        note=one.note or other.note,
    )


def _listed_back(command: Command) -> Command:
    """Return `command`, to be read back before it acts; that needs no “or did you mean”."""
    return replace(
        command,
        listed_back=True,
        targets=tuple(replace(target, also_meant=None) for target in command.targets),
        answers=tuple((replace(target, also_meant=None), text) for target, text in command.answers),
    )


class _Reader:
    """Reads the blocks of one text."""

    def __init__(self, today: date, meaning: Meaning) -> None:
        self.today = today
        self.meaning = meaning
        self.book = CodeBook(meaning.plans)
        self.lexer = Lexer(self.book, meaning, today)
        self._named = 0  # codes so far, in all blocks; a range counts for all it may cover

    def block(self, text: str) -> list[Command]:
        match = _SLASH.match(text)
        if match is None:
            return self._free(text)
        bot = self.meaning.bot_name.lstrip("@").lower()
        if bot and match[2] and match[2].lower() != bot:
            raise Refused(errors.NOT_FOR_US)
        verb = verb_called(match[1])
        if verb is not None:
            return self._command(verb, text[match.end() :])
        return self._misspelt(text, match[1])

    def _misspelt(self, text: str, name: str) -> list[Command]:
        """Read /trình ký 5c, /xong1c, /1c xong; else tell the nearest known command."""
        bare = text[1:].strip()
        tokens = tokenise(bare)
        if head := HEADS.at(tokens, 0):
            return self._command(head.value, bare[tokens[head.size - 1].end :])
        glued = _GLUED.match(name)
        if glued and (verb := verb_called(glued[1])):
            return self._command(verb, bare[len(glued[1]) :])
        if self.book.at(tokens, 0) or MOODS.at(tokens, 0):
            return self._free(bare)
        raise Refused(errors.unknown_command(name))

    def _command(self, verb: Verb, rest: str) -> list[Command]:
        """Return a command with a slash, or a head that governs all of the text."""
        text = rest.strip()
        if fold(text[: len(LISTED)]) == fold(LISTED):
            return [_listed_back(each) for each in self._command(verb, text[len(LISTED) :])]
        if verb.row.takes is Takes.INVITATION:
            if not text:
                raise Refused(errors.NEEDS_INVITATION)
            return [Command(verb=verb, code=squeeze(text))]
        items = self._items(text, at_start=True, takes=verb.row.takes)
        resolver = Resolver(text, self.book, self.meaning, self.today)
        if verb.row.takes is Takes.CLAUSES:
            return self._clauses(items, resolver, verb)
        return [with_arguments(verb, items, resolver)]

    def _free(self, text: str) -> list[Command]:
        """Read a text without a slash."""
        verb, rest = self._head(text)
        verb = self._governing(verb, rest) if verb else None
        if verb:
            return self._command(verb, rest)
        if self._tells_absence(text):
            return self._command(Verb.AWAY, text)
        items = self._items(text, at_start=False)
        return self._clauses(items, Resolver(text, self.book, self.meaning, self.today), None)

    def _head(self, text: str) -> tuple[Verb | None, str]:
        """Return the verb that opens the text, behind politeness, and what follows it."""
        tokens = tokenise(text)
        index = 0
        while index < len(tokens):
            if head := HEADS.at(tokens, index):
                return head.value, text[tokens[index + head.size - 1].end :].strip()
            polite = self.lexer.polite(tokens, index)
            if polite == 0:
                break
            index += polite
        return None, ""

    def _tells_absence(self, text: str) -> bool:
        """Return whether a text is an absence and nothing of work: “từ 12/3 đến 14/3 em nghỉ”."""
        tokens = tokenise(text)
        heads = (HEADS.at(tokens, index) for index in range(len(tokens)))
        if not any(head is not None and head.value is Verb.AWAY for head in heads):
            return False
        items = self._items(text, at_start=False, takes=Takes.ABSENCE)
        days = any(isinstance(item, DayItem) for item in items)
        said = {item.mood for item in items if isinstance(item, MoodItem)}
        return days and not said - _MILD and not runs(items, self.book)

    def _governing(self, verb: Verb, rest: str) -> Verb | None:
        """Return the verb that the opening one means for the whole text; None for none."""
        items = self._items(rest, at_start=True, takes=verb.row.takes)
        if verb is Verb.REMIND and any(isinstance(item, DayItem | DaysItem) for item in items):
            verb = Verb.SNOOZE
        said = {item.mood for item in items if isinstance(item, MoodItem)}
        if verb.row.opens is not Opens.ALWAYS and said - _MILD:
            return None
        everyday = verb in (Verb.APPROVE, Verb.EVENT) and not self.meaning.office
        if everyday and not runs(items, self.book):
            return None
        if verb.row.opens is Opens.ALONE and not _is_alone(verb, items):
            return None
        return verb

    def _items(self, text: str, *, at_start: bool, takes: Takes | None = None) -> list[Item]:
        items = resolve_dotted(self.lexer.items(text), self.book, self.meaning, takes)
        return resolve_numerals(items, self.book, self.meaning, self.today, at_start=at_start)

    def _clauses(
        self, items: Sequence[Item], resolver: Resolver, forced: Verb | None
    ) -> list[Command]:
        found = runs(items, self.book)
        if not found:
            return _codeless(items, resolver, forced)
        self._named += sum(len(r.named) + len(r.ranges) * len(self.book.tasks) for r in found)
        if self._named > errors.MAX_CODES:
            raise Refused(errors.TOO_MANY_CODES)
        if forced is None and corrects(items):
            sorted_out: dict[bool, list[str]] = {True: [], False: []}
            for clause in clauses(items, found):
                sorted_out[denied(clause)] += [task.code for task in resolver.tasks(clause.run)]
            raise Refused(errors.corrected(sorted_out[True], sorted_out[False]))
        at = _rest(items)
        if at > found[0].first:
            made = self._said(items[:at], resolver, forced)
            if all(command.verb is Verb.UPDATE for command in made):
                note = resolver.slice(trimmed(items[at + 1 :], says_nothing))
                made.append(Command(verb=Verb.UPDATE, everything=True, note=note))
                return made
        return self._said(items, resolver, forced)

    def _said(
        self, items: Sequence[Item], resolver: Resolver, forced: Verb | None
    ) -> list[Command]:
        """Return what the clauses say, without those that only say which code is not meant."""
        found = runs(items, self.book)
        if forced is Verb.UPDATE:
            found = [run for run in found if run is found[0] or _opens_answer(items, run)]
        made = clauses(items, found)
        reader = ClauseReader(resolver, moods(items) if len(made) > 1 else ())
        meant = [clause for clause in made if not denied(clause)] or made
        return [command for clause in meant for command in reader.commands(clause, forced)]


def _opens_answer(items: Sequence[Item], run: Run) -> bool:
    """Whether a code behind “/update 1a” begins an answer of its own, and is no part of the text.

    It does on a line of its own, behind “;”, and with a colon behind it.
    """
    for item in takewhile(says_nothing, reversed(items[: run.first])):
        if sign_of(item) in (";", "\n"):
            return True
    return run.colon and isinstance(items[run.first - 1], SepItem)


def _is_alone(verb: Verb, items: Sequence[Item]) -> bool:
    """Return whether nothing is said but the head; /viec may name a unit, /han a task."""
    if verb.row.takes is Takes.TASKS_OR_NONE:
        return not any(map(is_content, items))
    named = UnitItem | EveryItem if verb.row.takes is Takes.UNIT_OR_TASK else SepItem
    return all(says_nothing(item) or isinstance(item, named) for item in items)


def _rest(items: Sequence[Item]) -> int:
    """Return where “còn lại: …”, “còn lại bình thường” stands; 0: nowhere."""
    for index, item in enumerate(items):
        if isinstance(item, EveryItem) and item.rest:
            behind = items[index + 1 :]
            if (behind and sign_of(behind[0]) == ":") or _ANSWERS & set(map(mood_of, behind)):
                return index
    return 0


def _codeless(items: Sequence[Item], resolver: Resolver, forced: Verb | None) -> list[Command]:
    """Return what a text without a code says: a reply, an answer to everything, or not enough."""
    meaning, replied = resolver.meaning, resolver.meaning.reply_to
    found = said_in(Clause(NO_RUN, (), tuple(items)), resolver, forced)
    items = [item for item in items if not _counts_all(item, replied)]
    every = any(isinstance(item, EveryItem) for item in items) or _means_all(items, replied)
    if every and (forced is Verb.UPDATE or (_ANSWERS & set(found) and not forced)):
        return [_answer_all(items, resolver)]
    if len(replied) == 1:
        return _replied(replied[0], items, resolver, forced)
    if len(replied) > 1 and (ordinal := _ordinal(resolver)) and ordinal[0] < len(replied):
        place, start, end = ordinal
        rest = [item for item in items if not start <= item.start < end]
        return _replied(replied[place], rest, resolver, forced)
    content = any(map(is_content, items))
    mood = verdict(found, reply=resolver.replies, alone=not content)
    if mood is Mood.DONE and forced is None and not states_done(items, resolver):
        mood = Mood.DOUBT
    if mood is not None:
        verb = forced if forced is Verb.UPDATE else BY_MOOD[mood]
        return [_of_no_one_work(verb, items, resolver, every=every, content=content)]
    if forced:
        raise Refused(errors.needs_code(forced, meaning, resolver.typed(*items[:1])))
    if len(replied) > 1 and content:
        raise Refused(errors.which_code(Verb.NOTE, replied))
    if content or found or not any(isinstance(item, PoliteItem) for item in items):
        raise Refused(errors.not_understood(meaning))
    return [Command(verb=Verb.SEEN, targets=replied)]


def _of_no_one_work(
    verb: Verb, items: Sequence[Item], resolver: Resolver, *, every: bool, content: bool
) -> Command:
    """Return what `verb` means where neither a code nor a message names the work."""
    meaning, replied = resolver.meaning, resolver.meaning.reply_to
    if verb is Verb.UPDATE and len(replied) > 1:
        return _answer_all(items, resolver)
    if verb.row.small_talk and not (content and (verb is Verb.SEEN or not resolver.replies)):
        return Command(verb=verb, targets=replied)
    if len(replied) > 1 and every and verb in (Verb.DONE, Verb.SUBMIT):
        return Command(verb=verb, targets=replied, everything=True)
    if len(replied) > 1:
        raise Refused(errors.which_code(Verb.DONE if verb is Verb.CLAIM else verb, replied))
    if verb.row.small_talk:
        raise Refused(errors.not_understood(meaning))
    if verb is Verb.UPDATE:
        raise Refused(errors.NEEDS_ALL_TEXT)
    if verb is Verb.UNDO:  # what was said last
        return Command(verb=verb)
    verb = Verb.DONE if verb is Verb.CLAIM else verb
    raise Refused(errors.needs_code(verb, meaning, resolver.typed(*items[:1])))


def _ordinal(resolver: Resolver) -> tuple[int, int, int] | None:
    """Return which of the message's tasks “cái đầu” means, and where it begins and ends."""
    tokens = spelling.tokens(resolver.text)
    for index, token in enumerate(tokens):
        if found := ORDINALS.at(tokens, index):
            return found.value, token.start, tokens[index + found.size - 1].end
    return None


def _counts_all(item: Item, replied: Sequence[Target]) -> bool:
    """Return whether “2 việc đều xong” answers a message about two."""
    return len(replied) > 1 and isinstance(item, NumberItem) and item.number == len(replied)


def _means_all(items: Sequence[Item], replied: Sequence[Target]) -> bool:
    """Return whether “xong cả rồi ạ”, “đều đã nộp” answers a message about several."""
    said = [i for i in items if not (isinstance(i, PoliteItem) and i.courtesy)]
    ends = bool(said) and isinstance(said[-1], PoliteItem) and said[-1].word == "ca"
    return ends or (len(replied) > 1 and any(word_of(item) == "deu" for item in items))


def _answer_all(items: Sequence[Item], resolver: Resolver) -> Command:
    """Return the answer to all that waits for one: “cập nhật tất cả bình thường”."""
    said = [item for item in items if not isinstance(item, EveryItem)]
    note = resolver.slice(trimmed(said, says_nothing))
    if not note:
        raise Refused(errors.NEEDS_ALL_TEXT)
    tasks = [(t, resolver.book.task(t.task, t.plan)) for t in resolver.meaning.reply_to]
    answered = tuple(target for target, task in tasks if task and task.check_in)
    return Command(verb=Verb.UPDATE, targets=answered, everything=True, note=note)


def _replied(
    target: Target, items: Sequence[Item], resolver: Resolver, forced: Verb | None
) -> list[Command]:
    """Return the text as if the one task of the message replied to had been named."""
    named = Named(Code(target.task, target.plan, target.also_meant), unit=target.unit)
    if target.period:
        named.periods.append(PeriodItem(start=0, end=0, period=target.period, dated=True))
    task = resolver.book.task(target.task, target.plan)
    if task and len(task.deliverables) > 1:
        named.numbers += target.deliverables
        named.every = target.every
    made = ClauseReader(resolver).commands(Clause(Run((named,), 0, 0, 0), (), tuple(items)), forced)
    if made and made[0].verb is Verb.TASK:  # politeness alone
        return [Command(verb=Verb.SEEN, targets=made[0].targets)]
    return made
