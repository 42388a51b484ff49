"""What an officer types → a Command, or a CommandError that says what to type instead.

Nothing is guessed towards closing work: a text that says “not done”, “in part”, “tomorrow” or asks
never closes anything, and one that can be read in two ways does nothing and says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from reminder.domain.text import fold, normal, squeeze
from reminder.understanding import say, spelling, statements
from reminder.understanding.clauses import (
    Clause,
    Named,
    Run,
    clauses,
    corrects,
    denied,
    expects_code,
    misnamed,
    runs,
    settle,
    settled_asides,
    tidied,
)
from reminder.understanding.codes import Code, CodeBook
from reminder.understanding.lexer import (
    HARMLESS,
    MOODS,
    ORDINALS,
    DayItem,
    DaysItem,
    EveryItem,
    Item,
    Lexer,
    MoodItem,
    PaperItem,
    PeriodItem,
    PoliteItem,
    SepItem,
    UnitItem,
    WordItem,
)
from reminder.understanding.lexicon import ANSWERS, COURTESY, OWN_WORDS, Mood, verdict
from reminder.understanding.model import Command, CommandError, Meaning, Target
from reminder.understanding.spelling import Found, tokenise
from reminder.understanding.statements import Speech, said_in
from reminder.understanding.targets import Speaker, is_content
from reminder.understanding.verbs import BY_MOOD, HEADS, LISTED, Opens, Takes, Verb, verb_called
from reminder.understanding.whole import whole

_SLASH = re.compile(r"/[ ]?([^\W_]+)(?:@(\w+))?", re.UNICODE)
_GLUED = re.compile(r"([^\W\d_]+)(\d.*)")
_MILD = frozenset({Mood.SEEN, Mood.AGREED, Mood.EXTEND, Mood.SNOOZE, Mood.PAST})

Result = Command | CommandError


def parse(text: str, today: date, meaning: Meaning) -> Result:
    """The one meaning of `text` for this sender on this day.

    Its work grows as the text does (tests/fuzz/test_work.py counts it), and a text is bounded, so
    that no message holds up the others: see say.MAX_TOKENS for what was measured.
    """
    if len(text) > say.MAX_CHARS:
        return say.too_long()
    clean = _unaddressed(normal(text), meaning.bot_name)
    if not clean:
        return say.empty()
    if len(tokenise(clean)) > say.MAX_TOKENS:
        return say.too_many_words()
    if not clean.startswith("/") and any(mark in fold(clean) for mark in OWN_WORDS):
        return say.not_understood(meaning)
    reader = _Reader(today, meaning)
    return _together([reader.block(block) for block in _blocks(clean)], meaning)


def _unaddressed(text: str, bot: str) -> str:
    """`text` without the bot's own @name around it."""
    if bot:
        mention = re.escape(bot.lstrip("@"))
        text = re.sub(rf"(?<![\w/])@{mention}\b[,:]?", " ", text, flags=re.IGNORECASE)
    return text.strip()


def _blocks(text: str) -> Iterator[str]:
    """The text cut before each line that begins with a slash."""
    block: list[str] = []
    for line in text.split("\n"):
        if line.lstrip().startswith("/") and block:
            yield "\n".join(block).strip()
            block = []
        block.append(line)
    yield "\n".join(block).strip()


def _together(results: Sequence[Result], meaning: Meaning) -> Result:
    """All that was said as one command; one fault, and nothing is done."""
    commands: list[Command] = []
    for result in results:
        if isinstance(result, CommandError):
            return result
        commands += [replace(result, also=()), *result.also]
    merged = _merged(_consistent(commands))
    if not merged:
        return say.not_understood(meaning)
    return replace(merged[0], also=tuple(merged[1:]))


def _consistent(commands: Sequence[Command]) -> list[Command]:
    """Without the done of what the same text also calls not done."""
    hindered = {t for command in commands if command.verb.row.denies for t in command.targets}
    kept: list[Command] = []
    for command in commands:
        if command.verb is Verb.DONE and hindered & set(command.targets):
            left = tuple(t for t in command.targets if t not in hindered)
            kept += [replace(command, targets=left)] if left else []
        else:
            kept.append(command)
    return kept


def _merged(commands: Sequence[Command]) -> list[Command]:
    merged: list[Command] = []
    for command in commands:
        same = next((i for i, m in enumerate(merged) if _joins(m, command)), None)
        if same is None:
            merged.append(command)
        else:
            merged[same] = _joined(merged[same], command)
    return merged


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


def _listed_back(result: Result) -> Result:
    """`result`, to be read back before it acts; what is read back needs no “or did you mean”."""
    if isinstance(result, CommandError):
        return result
    return replace(
        result,
        listed_back=True,
        targets=tuple(replace(target, also_meant=None) for target in result.targets),
        answers=tuple((replace(target, also_meant=None), text) for target, text in result.answers),
        also=tuple(
            each for every in result.also if isinstance(each := _listed_back(every), Command)
        ),
    )


class _Reader:
    """Reads the blocks of one text."""

    def __init__(self, today: date, meaning: Meaning) -> None:
        self.today = today
        self.meaning = meaning
        self.book = CodeBook(meaning.plans)
        self.lexer = Lexer(self.book, meaning, today)
        self._named = 0  # codes so far, in all blocks; a range counts for all it may cover

    def block(self, text: str) -> Result:
        match = _SLASH.match(text)
        if match is None:
            return self._free(text)
        bot = self.meaning.bot_name.lstrip("@").lower()
        if bot and match[2] and match[2].lower() != bot:
            return say.not_for_us()
        verb = verb_called(match[1])
        if verb is not None:
            return self._command(verb, text[match.end() :])
        return self._misspelt(text, match[1])

    def _misspelt(self, text: str, name: str) -> Result:
        """/trình ký 5c, /xong1c, /1c xong; else the nearest known command."""
        bare = text[1:].strip()
        head = HEADS.at(tokenise(bare), 0)
        if head:
            return self._command(head.value, bare[tokenise(bare)[head.size - 1].end :])
        glued = _GLUED.match(name)
        verb = verb_called(glued[1]) if glued else None
        if glued and verb:
            return self._command(verb, bare[len(glued[1]) :])
        if self.book.at(tokenise(bare), 0) or MOODS.at(tokenise(bare), 0):
            return self._free(bare)
        return say.unknown_command(name)

    def _command(self, verb: Verb, rest: str) -> Result:
        """A command with a slash, or a head that governs all of the text."""
        text = rest.strip()
        if fold(text[: len(LISTED)]) == fold(LISTED):
            return _listed_back(self._command(verb, text[len(LISTED) :]))
        if verb.row.takes is Takes.INVITATION:
            code = squeeze(text)
            return Command(verb=verb, code=code) if code else say.needs_invitation()
        speaker = self._speaker(text)
        items = self._items(text, at_start=True)
        if verb.row.takes is Takes.CLAUSES:
            return self._clauses(items, speaker, verb)
        return whole(verb, items, speaker)

    def _free(self, text: str) -> Result:
        """A text without a slash."""
        head = self._head(text)
        if head:
            verb, rest = head
            if found := self._headed(verb, rest):
                return found
        return self._clauses(self._items(text, at_start=False), self._speaker(text), None)

    def _head(self, text: str) -> tuple[Verb, str] | None:
        """The verb that opens the text, behind politeness, and what follows it."""
        tokens = tokenise(text)
        index = 0
        while index < len(tokens):
            head: Found[Verb] | None = HEADS.at(tokens, index)
            if head:
                return head.value, text[tokens[index + head.size - 1].end :].strip()
            polite = self.lexer.polite(tokens, index)
            if polite == 0:
                return None
            index += polite
        return None

    def _headed(self, verb: Verb, rest: str) -> Result | None:
        """The command of an opening verb; None where the words are everyday ones."""
        items = self._items(rest, at_start=True)
        moods = {item.mood for item in items if isinstance(item, MoodItem)}
        days = any(isinstance(item, DayItem | DaysItem) for item in items)
        if verb is Verb.REMIND and days:
            verb = Verb.SNOOZE
        if verb.row.opens is not Opens.ALWAYS and moods - _MILD:
            return None
        if verb is Verb.APPROVE and not self.meaning.office and not runs(items, self.book):
            return None
        if verb.row.opens is Opens.ALONE and not _says_nothing(verb, items):
            return None
        return self._command(verb, rest)

    def _items(self, text: str, *, at_start: bool) -> list[Item]:
        items = settle(self.lexer.items(text), self.book, at_start=at_start)
        return settled_asides(items, self.book, self.today)

    def _speaker(self, text: str) -> Speaker:
        return Speaker(text, self.book, self.meaning, self.today)

    def _clauses(self, items: Sequence[Item], speaker: Speaker, forced: Verb | None) -> Result:
        found = runs(items, self.book)
        if not found:
            return codeless(items, speaker, forced)
        self._named += sum(len(r.named) + len(r.ranges) * len(self.book.tasks) for r in found)
        if self._named > say.MAX_CODES:
            return say.too_many_codes()
        if forced is None and corrects(items):
            return _corrected(clauses(items, found))
        main, rest = _apart(items)
        speech = Speech(speaker)
        commands: list[Command] = []
        for clause in self._cut(main, forced):
            made = speech.commands(clause, forced)
            if isinstance(made, CommandError):
                return made
            commands += made
        if rest and all(command.verb is Verb.UPDATE for command in commands):
            note = speaker.slice(_behind_colon(rest), lambda _: True)
            commands.append(Command(verb=Verb.UPDATE, everything=True, note=note))
        elif rest:
            return self._clauses_plain(items, speaker, forced)
        return _together(commands, self.meaning)

    def _cut(self, items: Sequence[Item], forced: Verb | None) -> list[Clause]:
        """The clauses of `items`, without those that only say which code is not meant."""
        found = runs(items, self.book)
        if forced is Verb.UPDATE:
            found = [run for run in found if run is found[0] or _opens_answer(items, run)]
        made = [tidied(clause) for clause in clauses(items, found)]
        return [c for c in made if not denied(c)] or made

    def _clauses_plain(
        self, items: Sequence[Item], speaker: Speaker, forced: Verb | None
    ) -> Result:
        commands: list[Command] = []
        speech = Speech(speaker)
        for clause in self._cut(items, forced):
            made = speech.commands(clause, forced)
            if isinstance(made, CommandError):
                return made
            commands += made
        return _together(commands, self.meaning)


def _opens_answer(items: Sequence[Item], run: Run) -> bool:
    """Whether a code behind “/update 1a” begins an answer of its own, and is no part of the text.

    It does on a line of its own, behind “;”, and with a colon behind it.
    """
    for item in reversed(items[: run.first]):
        if isinstance(item, SepItem) and item.sign in (";", "\n"):
            return True
        if not isinstance(item, PoliteItem | SepItem):
            break
    return run.colon and isinstance(items[run.first - 1], SepItem)


def _corrected(found: Sequence[Clause]) -> CommandError:
    return say.corrected(
        [code for clause in found if misnamed(clause) for code in _codes(clause)],
        [code for clause in found if not misnamed(clause) for code in _codes(clause)],
    )


def _codes(clause: Clause) -> list[str]:
    return [named.code.task for named in clause.run.named] if clause.run else []


def _says_nothing(verb: Verb, items: Sequence[Item]) -> bool:
    """Whether nothing is said but the head; /viec may name a unit, /han a task."""
    allowed: tuple[type[Item], ...] = (PoliteItem, SepItem)
    if verb.row.takes is Takes.UNIT_OR_TASK:
        allowed += (UnitItem, EveryItem)
    if verb.row.takes is Takes.TASKS_OR_NONE:
        return not any(is_content(item) for item in items)
    return all(isinstance(item, allowed) for item in items)


def _apart(items: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
    """What is said of named work, and of “còn lại”."""
    for index, item in enumerate(items):
        if isinstance(item, EveryItem) and item.rest and index:
            behind = items[index + 1 :]
            moods = {each.mood for each in behind if isinstance(each, MoodItem)}
            colon = behind and isinstance(behind[0], SepItem) and behind[0].sign == ":"
            if colon or moods & {Mood.STANDING, Mood.NO_NEWS}:
                return items[:index], behind
    return items, ()


def _behind_colon(items: Sequence[Item]) -> Sequence[Item]:
    first = 0
    while first < len(items) and isinstance(items[first], PoliteItem | SepItem):
        first += 1
    return items[first:]


_BESIDE = (PoliteItem, SepItem, MoodItem, PaperItem, PeriodItem, DayItem)
_ANSWERS = frozenset({Mood.STANDING, Mood.NO_NEWS})


def codeless(
    items: Sequence[Item], speaker: Speaker, forced: Verb | None
) -> Command | CommandError:
    """What a text without a code says."""
    clause = Clause(None, (), tuple(items))
    found = said_in(clause, speaker, forced)
    every = any(isinstance(item, EveryItem) for item in items) or _ends_in_all(items)
    if (forced is Verb.UPDATE and every) or (every and _ANSWERS & set(found) and not forced):
        return _answer_all(items, speaker)
    replied = speaker.meaning.reply_to
    place = _place(speaker)
    if place and place[1] < len(replied) > 1:
        rest = [item for item in items if not place[0] <= item.start < place[2]]
        return _replied(replied[place[1]], rest, speaker, forced)
    if len(replied) == 1:
        return _replied(replied[0], items, speaker, forced)
    if not replied and (numbered := _numbered(items, speaker)):
        target, at = numbered
        return _replied(target, [*items[:at], *items[at + 1 :]], speaker, forced)
    content = any(is_content(item) for item in items)
    mood = verdict(found, reply=speaker.replies, alone=not content)
    if mood is None:
        return _unclear(items, speaker, forced, content)
    if mood is Mood.DONE and forced is None and not _states(items, speaker):
        mood = Mood.DOUBT
    verb = forced if forced is Verb.UPDATE else BY_MOOD[mood]
    if verb is Verb.UPDATE and len(replied) > 1:
        return _answer_all(items, speaker)
    if verb.row.small_talk and not (content and (verb is Verb.SEEN or not speaker.replies)):
        return Command(verb=verb, targets=replied)
    if len(replied) > 1:
        return _of_several(verb, every, speaker)
    return _without_code(verb, items, speaker)


def _without_code(verb: Verb, items: Sequence[Item], speaker: Speaker) -> Command | CommandError:
    if verb.row.small_talk:
        return say.not_understood(speaker.meaning)
    if verb is Verb.UPDATE:
        return say.needs_all_text()
    if verb is Verb.UNDO:  # what was said last
        return Command(verb=verb)
    return say.needs_code(verb, speaker.meaning, speaker.first_word(items))


def _states(items: Sequence[Item], speaker: Speaker) -> bool:
    read = statements.letters((), items, None, speaker.meaning, speaker.today)
    return statements.states(read)


def _place(speaker: Speaker) -> tuple[int, int, int] | None:
    """Where “cái đầu” stands, which of the message's tasks it means, and where it ends."""
    tokens = spelling.tokens(speaker.text)
    for index, token in enumerate(tokens):
        if found := ORDINALS.at(tokens, index):
            return token.start, found.value, tokens[index + found.size - 1].end
    return None


def _ends_in_all(items: Sequence[Item]) -> bool:
    """“xong cả”, “xong cả rồi ạ”."""
    said = [i for i in items if not (isinstance(i, PoliteItem) and i.courtesy)]
    last = said[-1] if said else None
    return isinstance(last, PoliteItem) and last.word == "ca"


def _numbered(items: Sequence[Item], speaker: Speaker) -> tuple[Target, int] | None:
    """“xong BC số 15/BC-UBND”: a code that is a word, told with its paper by who leads it.

    With the word's place. Of anybody else, or in a reply, it is only what kind of paper it is.
    """
    index, code = next(_word_codes(items, speaker), (-1, ""))
    if index < 0 or not expects_code(items[:index]):
        return None
    behind = items[index + 1 :]
    if behind and isinstance(behind[0], WordItem | PoliteItem) and behind[0].word == "so":
        behind = behind[1:]
    if not behind or not isinstance(behind[0], PaperItem):
        return None
    spoken = any(isinstance(item, MoodItem) for item in items)
    rest = [item for item in (*items[:index], *behind) if not isinstance(item, _BESIDE)]
    if rest or not (spoken or index == 0):  # “xin BC số …”, “gửi các bộ phận BC số …”
        return None
    task, units = speaker.book.task(code), speaker.meaning.units
    leads = task is not None and (not units or bool(set(units) & set(task.lead)))
    return (Target(task=code), index) if leads else None


def _word_codes(items: Sequence[Item], speaker: Speaker) -> Iterator[tuple[int, str]]:
    for index, item in enumerate(items):
        if isinstance(item, WordItem | PoliteItem) and item.word in speaker.book.words:
            yield index, speaker.book.words[item.word]


def _unclear(
    items: Sequence[Item], speaker: Speaker, forced: Verb | None, content: bool
) -> Command | CommandError:
    replied = speaker.meaning.reply_to
    polite = [item for item in items if isinstance(item, PoliteItem)]
    if forced:
        return say.needs_code(forced, speaker.meaning, speaker.first_word(items))
    if len(replied) > 1 and content:
        return say.which_code(Verb.NOTE, replied)
    if polite and not content and not any(isinstance(item, MoodItem) for item in items):
        return Command(verb=Verb.SEEN, targets=replied)
    return say.not_understood(speaker.meaning)


def _of_several(verb: Verb, every: bool, speaker: Speaker) -> Command | CommandError:
    replied = speaker.meaning.reply_to
    if every and verb in (Verb.DONE, Verb.SUBMIT):
        return Command(verb=verb, targets=replied, everything=True)
    return say.which_code(Verb.DONE if verb is Verb.CLAIM else verb, replied)


def _answer_all(items: Sequence[Item], speaker: Speaker) -> Command | CommandError:
    """“cập nhật tất cả bình thường”: one text for all that waits for an answer."""
    rest = [item for item in items if not isinstance(item, EveryItem)]
    while rest and isinstance(rest[0], PoliteItem | SepItem):
        rest.pop(0)
    while rest and isinstance(rest[-1], PoliteItem):
        rest.pop()
    note = speaker.slice(rest, lambda _: True)
    if not note:
        return say.needs_all_text()
    tasks = speaker.meaning.reply_to
    answered = tuple(t for t in tasks if _has_check_in(t, speaker))
    return Command(verb=Verb.UPDATE, targets=answered, everything=True, note=note)


def _has_check_in(target: Target, speaker: Speaker) -> bool:
    task = speaker.book.task(target.task, target.plan)
    return task is not None and task.check_in is not None


def _replied(
    target: Target, items: Sequence[Item], speaker: Speaker, forced: Verb | None
) -> Command | CommandError:
    """The text as if the one task of the message replied to had been named."""
    named = Named(Code(target.task, target.plan, target.also_meant), unit=target.unit)
    if target.period:
        named.periods.append(PeriodItem(start=0, end=0, period=target.period, dated=True))
    task = speaker.book.task(target.task, target.plan)
    if task and len(task.deliverables) > 1:
        named.numbers += target.deliverables
        named.every = target.every
    clause = Clause(Run((named,), 0, 0, 0), (), tuple(items))
    made = Speech(speaker).commands(clause, forced)
    if isinstance(made, CommandError):
        return made
    if not made:
        return say.not_understood(speaker.meaning)
    if made[0].verb is Verb.TASK:  # politeness alone
        return Command(verb=Verb.SEEN, targets=made[0].targets)
    return replace(made[0], also=tuple(made[1:]))


_LONGEST = 40  # characters of a bare answer


def yes_or_no(text: str) -> bool | None:
    """What `text` answers, politeness aside; None if it says anything else."""
    if len(text) > _LONGEST:
        return None
    tokens = spelling.tokens(normal(text).strip())
    words: list[str] = []
    index = 0
    while index < len(tokens):
        polite, mood = HARMLESS.at(tokens, index), MOODS.at(tokens, index)
        if polite and polite.value in COURTESY and not (mood and mood.size >= polite.size):
            index += polite.size
        else:
            if tokens[index].text[0].isalnum():
                words.append(tokens[index].plain)
            elif tokens[index].text == "?":
                return None
            index += 1
    return ANSWERS.get(" ".join(words)) if words else None
