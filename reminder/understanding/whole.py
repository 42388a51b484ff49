"""Commands that take the whole text: /extend 1c 15/3 lý do, /setdue, /note, /bind, /away …"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from reminder.domain.text import squeeze
from reminder.understanding import say
from reminder.understanding.away import away
from reminder.understanding.codes import CodeBook
from reminder.understanding.dates import sensible
from reminder.understanding.lexer import (
    DayItem,
    DaysItem,
    EveryItem,
    Item,
    PeriodItem,
    SepItem,
    UnitItem,
)
from reminder.understanding.model import Command, CommandError
from reminder.understanding.runs import Named, Run, runs
from reminder.understanding.speaker import Speaker, reason, trimmed, until
from reminder.understanding.targets import match_part, spoken
from reminder.understanding.verbs import Takes, Verb

_LONGEST_PART = 8  # words of a part's name
_TEXT = frozenset({Takes.NOTE, Takes.TEXT, Takes.REASON})
_DAY = frozenset({Takes.DAY, Takes.DATE})


def whole(verb: Verb, items: Sequence[Item], speaker: Speaker) -> Command | CommandError:
    """The command `verb` with `items` as what it is about."""
    match verb.row.takes:
        case Takes.NOTHING:
            return Command(verb=verb)
        case Takes.UNIT:
            return _unit(verb, items, speaker)
        case Takes.UNIT_OR_TASK:
            return _unit_or_task(verb, items, speaker)
        case Takes.PERIOD:
            return _period(verb, items, speaker)
        case Takes.ABSENCE:
            return away(items, speaker)
    return _of_tasks(verb, items, speaker)


def _period(verb: Verb, items: Sequence[Item], speaker: Speaker) -> Command | CommandError:
    """/baocao, /baocao quý I; what is no period is asked again, not passed over."""
    period = next((item.period for item in items if isinstance(item, PeriodItem)), None)
    if items and period is None:
        return say.no_period(squeeze(speaker.text[items[0].start : items[-1].end]))
    return Command(verb=verb, period=period)


def _unit(verb: Verb, items: Sequence[Item], speaker: Speaker) -> Command | CommandError:
    unit = next((item.unit for item in items if isinstance(item, UnitItem)), None)
    if unit:
        return Command(verb=verb, unit=unit)
    units = [unit.id for plan in speaker.meaning.plans for unit in plan.units]
    word = squeeze(speaker.text[items[0].start : items[-1].end]) if items else ""
    return say.unknown_unit(word, dict.fromkeys(units))


def _unit_or_task(verb: Verb, items: Sequence[Item], speaker: Speaker) -> Command | CommandError:
    """/viec; of another unit, /viec tư pháp; of one task, /viec 1c."""
    if runs(items, speaker.book):
        return _of_tasks(Verb.TASK, items, speaker)
    unit = next((item.unit for item in items if isinstance(item, UnitItem)), "")
    return Command(verb=verb, unit=unit)


def _of_tasks(verb: Verb, items: Sequence[Item], speaker: Speaker) -> Command | CommandError:
    found = runs(items, speaker.book)
    if not found:
        return _without_run(verb, items, speaker)
    run, days = _taken_days(verb, found[0], items)
    ahead, behind = items[: run.first], items[run.after :]
    parts = _parts(verb, run, behind, speaker.book)
    fault = speaker.targets.fault(run, verb)
    targets = fault or speaker.targets.all(run, verb, parts)
    if isinstance(targets, CommandError):
        return targets
    blank = Command(verb=verb, targets=targets, listed_back=bool(run.ranges))
    named = any(target.deliverables for target in targets)
    return _completed(blank, ahead, behind[len(parts) * named :], run, days, speaker)


def _parts(verb: Verb, run: Run, behind: Sequence[Item], book: CodeBook) -> Sequence[Item]:
    """The words that name a part: /setdue 1d quyết định 05/3, hoàn tác 1d báo cáo."""
    if run.colon:
        return ()
    if verb.row.takes not in _DAY:
        return _leading_part(run, behind, book)
    days = (i for i, item in enumerate(behind) if isinstance(item, DayItem | DaysItem))
    return behind[: next(days, 0)]


def _leading_part(run: Run, behind: Sequence[Item], book: CodeBook) -> Sequence[Item]:
    """The words right behind one code that name one of its task's parts."""
    named = run.named[0] if len(run.named) == 1 else None
    task = book.task(named.code.task, named.code.plan) if named else None
    if named is None or task is None or named.numbers or len(task.deliverables) < 2:
        return ()
    said = list(takewhile(bool, map(spoken, behind[:_LONGEST_PART])))
    for size in range(len(said), 0, -1):
        words = tuple(word for each in said[:size] for word in each)
        if len(words) > 1 and match_part(task, words):
            return behind[:size]
    return ()


def _taken_days(verb: Verb, run: Run, items: Sequence[Item]) -> tuple[Run, int | None]:
    """In /snooze 1c 3 the last bare number is days, not a part."""
    if verb is not Verb.SNOOZE or not run.named or not run.named[-1].numbers:
        return run, None
    if any(isinstance(item, DayItem | DaysItem) for item in items):
        return run, None
    last = run.named[-1]
    *numbers, days = last.numbers
    shorter = Named(last.code, numbers, last.periods, last.every, last.unit)
    return replace(run, named=(*run.named[:-1], shorter)), days


def _without_run(verb: Verb, items: Sequence[Item], speaker: Speaker) -> Command | CommandError:
    every = any(isinstance(item, EveryItem) for item in items)
    if every and verb.row.takes in (Takes.TASKS_OR_ALL, Takes.TASKS_OR_NONE):
        years = [item.period for item in items if isinstance(item, PeriodItem)]
        return Command(verb=verb, everything=True, period=years[0] if years else None)
    replied = speaker.meaning.reply_to
    codeless = verb.row.small_talk or verb.row.takes is Takes.TASKS_OR_NONE
    if not replied and not codeless:
        return say.needs_code(verb, speaker.meaning, speaker.first_word(items))
    if len(replied) > 1 and not codeless:
        return say.which_code(verb, replied)
    run = Run((), 0, 0, items[0].start if items else len(speaker.text))
    return _completed(Command(verb=verb, targets=replied), (), items, run, None, speaker)


def _completed(
    blank: Command,
    ahead: Sequence[Item],
    behind: Sequence[Item],
    run: Run,
    days: int | None,
    speaker: Speaker,
) -> Command | CommandError:
    """`blank` with the day and the text that its verb takes."""
    verb, takes = blank.verb, blank.verb.row.takes
    code = blank.targets[0].task if blank.targets else "1c"
    if days is not None:
        return replace(blank, days=days) if sensible(days) else say.bad_days()
    if takes is Takes.DATE and not any(isinstance(item, DayItem) for item in (*behind, *ahead)):
        return say.needs_date(verb, code)
    if takes in _DAY:
        return _dated(blank, ahead, behind, speaker, code)
    if takes is Takes.MAYBE_DAY and any(isinstance(item, DayItem) for item in behind):
        return _only_day(until(blank, behind, speaker, code))
    if takes not in _TEXT:
        return blank
    note = _text(ahead, behind, run, speaker)
    if not note and takes is Takes.REASON:
        return say.needs_reason(verb, code)
    if not note and takes is Takes.TEXT:
        return say.needs_text(verb, code)
    return replace(blank, note=note)


def _only_day(command: Command | CommandError) -> Command | CommandError:
    return replace(command, note="") if isinstance(command, Command) else command


def _dated(
    blank: Command, ahead: Sequence[Item], behind: Sequence[Item], speaker: Speaker, code: str
) -> Command | CommandError:
    colon = _colon(behind)
    head = behind if colon is None else behind[:colon]
    found = until(blank, (*head, *ahead), speaker, code)
    if isinstance(found, CommandError) or colon is None or blank.verb is Verb.SNOOZE:
        return found
    return replace(found, note=squeeze(speaker.text[behind[colon].end :]))


def _colon(items: Sequence[Item]) -> int | None:
    """The place of the colon that closes a day, if it does."""
    days = [i for i, item in enumerate(items) if isinstance(item, DayItem | DaysItem)]
    at = days[0] + 1 if days else 0
    item = items[at] if at < len(items) else None
    return at if days and isinstance(item, SepItem) and item.sign == ":" else None


def _text(ahead: Sequence[Item], behind: Sequence[Item], run: Run, speaker: Speaker) -> str:
    if run.colon:
        return squeeze(speaker.text[run.end :])
    after = reason(behind, None, speaker)
    return after or speaker.slice(trimmed(ahead), lambda _: True)
