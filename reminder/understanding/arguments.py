"""Commands that take the whole text: /extend 1c 15/3 lý do, /setdue, /note, /bind, /away …"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import takewhile

from reminder.domain.text import fold, squeeze, words
from reminder.understanding import errors
from reminder.understanding.clauses import Run, mood_of, parts, runs, sign_of
from reminder.understanding.dates import near, sensible
from reminder.understanding.lexer import (
    CodeItem,
    DayItem,
    DaysItem,
    EveryItem,
    Item,
    MoodItem,
    PeriodItem,
    PoliteItem,
    UnitItem,
    WordItem,
)
from reminder.understanding.lexicon import Mood
from reminder.understanding.model import Command, Refused
from reminder.understanding.spelling import tokenise
from reminder.understanding.targets import Resolver, full_words, is_trim, match_part, trimmed
from reminder.understanding.verbs import Takes, Verb

_LONGEST_PART = 8  # words of a part's name
_TEXT = frozenset({Takes.NOTE, Takes.TEXT, Takes.REASON})
_DAY = frozenset({Takes.DAY, Takes.DATE})
# Words that join an answer's text to what stands before or behind it.
_JOINTS = words(
    """
    voi ly do kem vi den toi ngay them roi la thi ma o tai cu the rang som nhat khoang truoc
    sang het lui tu lam viec
    """
)
_ENDS = words("huy cancel")  # “hủy”: back at work, or not leaving at all
_AROUND = words(
    "xin cho giup dum ho tu ngay den toi het sang em anh chi toi minh dong da a ah nghi phep cua la"
)  # what may stand around a name
_UNTIL_ONLY = (["den"], ["toi"], ["het"])
_LONGEST_NAME = 64
_SHORT = re.compile(
    r"(?<![\w-])(\d{1,2})\s*(?:[-–~]|đến|den|tới|toi)\s*$", re.IGNORECASE
)  # 05-10/02


def with_arguments(verb: Verb, items: Sequence[Item], resolver: Resolver) -> Command:
    """Return the command `verb` with `items` as what it is about."""
    unit = next((item.unit for item in items if isinstance(item, UnitItem)), "")
    match verb.row.takes:
        case Takes.NOTHING:
            return Command(verb=verb)
        case Takes.UNIT:
            if not unit:
                units = [unit.id for plan in resolver.meaning.plans for unit in plan.units]
                raise Refused(errors.unknown_unit(resolver.typed(*items), dict.fromkeys(units)))
            return Command(verb=verb, unit=unit)
        case Takes.UNIT_OR_TASK:  # /viec; of another unit, /viec tư pháp; of one task, /viec 1c
            if runs(items, resolver.book):
                return _of_tasks(Verb.TASK, items, resolver)
            return Command(verb=verb, unit=unit)
        case Takes.PERIOD:  # what is no period is asked again, not passed over
            period = next((item.period for item in items if isinstance(item, PeriodItem)), None)
            if items and period is None:
                raise Refused(errors.no_period(resolver.typed(*items)))
            return Command(verb=verb, period=period)
        case Takes.ABSENCE:
            return _away(items, resolver)
    return _of_tasks(verb, items, resolver)


def _of_tasks(verb: Verb, items: Sequence[Item], resolver: Resolver) -> Command:
    found = runs(items, resolver.book)
    if not found:
        return _without_run(verb, items, resolver)
    run, days = _taken_days(verb, found[0], items)
    ahead, behind = items[: run.first], items[run.after :]
    named = _parts(verb, run, behind, resolver)
    resolver.check(run, verb)
    targets = resolver.targets(run, verb, named)
    blank = Command(verb=verb, targets=targets, listed_back=bool(run.ranges))
    if any(target.deliverables for target in targets):
        behind = behind[len(named) :]
    return _completed(blank, ahead, behind, run, days, resolver)


def _parts(verb: Verb, run: Run, behind: Sequence[Item], resolver: Resolver) -> Sequence[Item]:
    """Return the words that name a part: /setdue 1d quyết định 05/3, hoàn tác 1d báo cáo."""
    if run.colon:
        return ()
    # What is said of an event names no part: “/sukien 3b có quyết định 12/5”.
    if verb.row.takes in _DAY and verb is not Verb.EVENT:
        days = (i for i, item in enumerate(behind) if isinstance(item, DayItem | DaysItem))
        return behind[: next(days, 0)]
    named = run.named[0] if len(run.named) == 1 else None
    task = resolver.book.task(named.code.task, named.code.plan) if named else None
    if named is None or task is None or named.numbers or len(task.deliverables) < 2:
        return ()
    said = list(takewhile(bool, map(full_words, behind[:_LONGEST_PART])))
    for size in range(len(said), 0, -1):
        group = tuple(word for each in said[:size] for word in each)
        if len(group) > 1 and match_part(task, group):
            return behind[:size]
    return ()


def _taken_days(verb: Verb, run: Run, items: Sequence[Item]) -> tuple[Run, int | None]:
    """Take the last bare number of /snooze 1c 3 as days, not as a part."""
    if verb is not Verb.SNOOZE or not run.named or not run.named[-1].numbers:
        return run, None
    if any(isinstance(item, DayItem | DaysItem) for item in items):
        return run, None
    *numbers, days = run.named[-1].numbers
    return replace(run, named=(*run.named[:-1], replace(run.named[-1], numbers=numbers))), days


def _without_run(verb: Verb, items: Sequence[Item], resolver: Resolver) -> Command:
    takes, replied = verb.row.takes, resolver.meaning.reply_to
    every = any(isinstance(item, EveryItem) for item in items)
    if every and takes in (Takes.TASKS_OR_ALL, Takes.TASKS_OR_NONE):
        years = [item.period for item in items if isinstance(item, PeriodItem)]
        return Command(verb=verb, everything=True, period=years[0] if years else None)
    codeless = verb.row.small_talk or takes is Takes.TASKS_OR_NONE
    if not replied and not codeless:
        raise Refused(errors.needs_code(verb, resolver.meaning, resolver.typed(*items[:1])))
    if len(replied) > 1 and not codeless:
        raise Refused(errors.which_code(verb, replied))
    run = Run((), 0, 0, items[0].start if items else len(resolver.text))
    return _completed(Command(verb=verb, targets=replied), (), items, run, None, resolver)


def _completed(
    blank: Command,
    ahead: Sequence[Item],
    behind: Sequence[Item],
    run: Run,
    days: int | None,
    resolver: Resolver,
) -> Command:
    """Return `blank` with the day and the text that its verb takes."""
    verb, takes = blank.verb, blank.verb.row.takes
    code = blank.targets[0].task if blank.targets else "1c"
    if days is not None:
        if not sensible(days):
            raise Refused(errors.BAD_DAYS)
        return replace(blank, days=days)
    if takes is Takes.DATE and not any(isinstance(item, DayItem) for item in (*behind, *ahead)):
        raise Refused(errors.needs_date(verb, code))
    if takes in _DAY:
        colon = _colon(behind)
        head = behind if colon is None else behind[:colon]
        found = until(blank, (*head, *ahead), resolver, code)
        if colon is None or verb is Verb.SNOOZE:
            return found
        return replace(found, note=squeeze(resolver.text[behind[colon].end :]))
    if takes is Takes.MAYBE_DAY and any(isinstance(item, DayItem) for item in behind):
        return replace(until(blank, behind, resolver, code), note="")
    if takes not in _TEXT:
        return blank
    if run.colon:
        note = squeeze(resolver.text[run.end :])
    else:
        note = _reason(behind, None, resolver) or resolver.slice(trimmed(ahead))
    if not note and takes is Takes.REASON:
        raise Refused(errors.needs_reason(verb, code))
    if not note and takes is Takes.TEXT:
        raise Refused(errors.needs_text(verb, code))
    return replace(blank, note=note)


def _colon(items: Sequence[Item]) -> int | None:
    """Return the place of the colon that closes a day, if it does."""
    days = (i for i, item in enumerate(items) if isinstance(item, DayItem | DaysItem))
    at = next(days, len(items)) + 1
    return at if at < len(items) and sign_of(items[at]) == ":" else None


def until(blank: Command, items: Sequence[Item], resolver: Resolver, code: str) -> Command:
    """Return a command with the day, or number of days, that `items` name."""
    for item in items:
        if not isinstance(item, DayItem | DaysItem):
            continue
        note = "" if blank.verb is Verb.SNOOZE else _reason(items, item, resolver)
        if isinstance(item, DayItem):
            return replace(blank, until=named_day(item, resolver), note=note)
        if not sensible(item.days):
            raise Refused(errors.BAD_DAYS)
        return replace(blank, days=item.days, note=note)
    raise Refused(errors.needs_date(blank.verb, code))


def named_day(item: DayItem, resolver: Resolver) -> date:
    """Return the day of `item`; raise Refused if the calendar has no such day."""
    if item.day.day is None:
        raise Refused(errors.bad_date(resolver.text[item.start : item.end]))
    return item.day.day


def _reason(items: Sequence[Item], used: Item | None, resolver: Resolver) -> str:
    """Return what is said besides the day: without “kèm lý do”, “vì”, “đến” around it."""
    index = next((i for i, item in enumerate(items) if item is used), -1)
    told = [
        trimmed(part, _is_ahead)
        for part in parts(items[: max(index, 0)])
        if not any(mood_of(item) in (Mood.EXTEND, Mood.SNOOZE) for item in part)
    ]
    pieces = map(resolver.slice, (*told, trimmed(items[index + 1 :], _is_behind)))
    return squeeze(" ".join(piece for piece in pieces if piece))


def _is_joint(item: Item) -> bool:
    return is_trim(item) or (isinstance(item, WordItem) and item.word in _JOINTS)


def _is_behind(item: Item) -> bool:
    """Return whether `item` stands behind the day and tells no reason: “10 ngày nữa ạ, …”."""
    return _is_joint(item) or (isinstance(item, MoodItem) and item.word == "nua")


def _is_ahead(item: Item) -> bool:
    """Return whether `item` stands before the day and tells no reason: “xin gia hạn 1c đến”."""
    return _is_joint(item) or isinstance(item, MoodItem | PoliteItem | CodeItem)


def _away(items: Sequence[Item], resolver: Resolver) -> Command:
    """Return a stretch of days off, or its end; both days count. A single day is a stretch of one.

    “xin nghỉ phép 3 ngày từ mai”; the office names whose it is: /away an 01/02.
    """
    ending = next((t for t in tokenise(resolver.text) if t.plain in _ENDS), None)
    days = [item for item in items if isinstance(item, DayItem)]
    named = [named_day(item, resolver) for item in days]
    if ending and not named:
        return Command(verb=Verb.AWAY, person=_name(resolver.text[: ending.start]))
    count = next((item for item in items if isinstance(item, DaysItem)), None)
    if not named and not count:
        raise Refused(errors.needs_date(Verb.AWAY, ""))
    before = resolver.text[: min(item.start for item in (*days, count) if item)]
    short = _SHORT.search(before) if len(days) == 1 else None
    if short is not None:  # 05-10/02
        first = near(int(short[1]), named[0].month, resolver.today, named[0].year)
        if first is None:
            raise Refused(errors.bad_date(resolver.text[short.start() : days[0].end].strip()))
        before, named = before[: short.start()], [first, *named]
    elif len(named) == 1 and count is None and fold(before).split()[-1:] in _UNTIL_ONLY:
        named = [resolver.today, *named]  # “đến 10/02”: from today on
    since = named[0] if named else resolver.today
    until = named[-1] if named else since
    if count is not None and len(named) < 2:  # the first day counted
        until = since + timedelta(days=count.days - 1)
    if until < since:
        raise Refused(errors.turned_round(since, until))
    return Command(verb=Verb.AWAY, since=since, until=until, person=_name(before))


def _name(before: str) -> str:
    """Return whose absence it is, as typed before the days; empty: the sender's own."""
    typed = [word.strip(",.:;") for word in before.split()]
    while typed and (fold(typed[0]) in _AROUND or not typed[0]):
        typed.pop(0)
    while typed and (fold(typed[-1]) in _AROUND or not typed[-1]):
        typed.pop()
    return " ".join(typed)[:_LONGEST_NAME]
