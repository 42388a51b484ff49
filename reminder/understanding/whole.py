"""Commands that take the whole text: /extend 1c 15/3 lý do, /setdue, /note, /bind, /away …"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import takewhile

from reminder.domain.text import fold, squeeze, words
from reminder.understanding import say
from reminder.understanding.clauses import Named, Run, runs
from reminder.understanding.codes import CodeBook
from reminder.understanding.dates import near, sensible
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
from reminder.understanding.spelling import tokenise
from reminder.understanding.targets import Speaker, match_part, reason, spoken, trimmed, until
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


_ENDS = words("huy cancel")  # “hủy”: back at work, or not leaving at all
_AROUND = words(
    "xin cho giup dum ho tu ngay den toi het sang em anh chi toi minh dong da a ah nghi phep cua la"
)  # what may stand around a name
_UNTIL = words("den toi het")
_LONGEST_NAME = 64
_SHORT = re.compile(
    r"(?<![\w-])(\d{1,2})\s*(?:[-–~]|đến|den|tới|toi)\s*$", re.IGNORECASE
)  # 05-10/02


def away(items: Sequence[Item], speaker: Speaker) -> Command | CommandError:
    """A stretch of days off, or its end; both days count. A single day is a stretch of one."""
    ending = next((t for t in tokenise(speaker.text) if t.plain in _ENDS), None)
    days = [item for item in items if isinstance(item, DayItem)]
    for item in days:
        if item.day.day is None:
            return say.bad_date(speaker.text[item.start : item.end])
    named = [item.day.day for item in days if item.day.day]
    if ending and not named:
        return Command(verb=Verb.AWAY, person=_name(speaker.text[: ending.start]))
    count = next((item for item in items if isinstance(item, DaysItem)), None)
    if not named and not count:
        return say.needs_date(Verb.AWAY, "")
    opening = min(item.start for item in (*days, *([count] if count else [])))
    before = speaker.text[:opening]
    short = _SHORT.search(before) if len(days) == 1 else None
    if short is not None:  # 05-10/02
        first = near(int(short[1]), named[0].month, speaker.today, named[0].year)
        if first is None:
            return say.bad_date(speaker.text[short.start() : days[0].end].strip())
        before, named = before[: short.start()], [first, *named]
    elif len(named) == 1 and count is None and _is_end(before):
        named = [speaker.today, *named]
    since, until = _span(named, count, speaker.today)
    if until < since:
        return say.turned_round(since, until)
    return Command(verb=Verb.AWAY, since=since, until=until, person=_name(before))


def _span(named: Sequence[date], count: DaysItem | None, today: date) -> tuple[date, date]:
    """From the first day named to the last; “3 ngày”: so many days, the first one counted."""
    since = named[0] if named else today
    if count is not None and len(named) < 2:
        return since, since + timedelta(days=count.days - 1)
    return since, named[-1]


def _is_end(text: str) -> bool:
    """Whether `text` ends in “đến”: the stretch begins today."""
    return fold(text).split()[-1:] in [[word] for word in _UNTIL]


def _name(before: str) -> str:
    """Whose absence it is, as typed before the days; empty: the sender's own."""
    typed = [word.strip(",.:;") for word in before.split()]
    while typed and (fold(typed[0]) in _AROUND or not typed[0]):
        typed.pop(0)
    while typed and (fold(typed[-1]) in _AROUND or not typed[-1]):
        typed.pop()
    return " ".join(typed)[:_LONGEST_NAME]
