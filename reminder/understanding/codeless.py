"""A text that names no code: a reply to a message, an answer to all, or not enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reminder.understanding import say, spelling, statements
from reminder.understanding.clauses import Clause
from reminder.understanding.codes import Code
from reminder.understanding.lexer import (
    ORDINALS,
    DayItem,
    EveryItem,
    Item,
    MoodItem,
    PaperItem,
    PeriodItem,
    PoliteItem,
    SepItem,
    WordItem,
)
from reminder.understanding.lexicon import verdict
from reminder.understanding.model import Command, CommandError, Target
from reminder.understanding.runs import Named, Run
from reminder.understanding.settle import expects_code
from reminder.understanding.speaker import Speaker, is_content
from reminder.understanding.speech import Speech
from reminder.understanding.verbs import BY_MOOD, Mood, Verb
from reminder.understanding.verdicts import said_in

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
