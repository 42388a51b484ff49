"""/nghiphep 01/02-10/02, “xin nghỉ phép 3 ngày từ mai”; the office names whose: /away an 01/02."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from reminder.domain.text import fold, tokenise, words
from reminder.understanding import say
from reminder.understanding.dates import near
from reminder.understanding.lexer import DayItem, DaysItem, Item
from reminder.understanding.model import Command, CommandError
from reminder.understanding.speaker import Speaker
from reminder.understanding.verbs import Verb

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
