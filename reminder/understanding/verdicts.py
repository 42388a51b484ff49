"""The moods of a whole clause, and when what is said of standing work is its answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import date
from itertools import pairwise, zip_longest

from reminder.domain.plan import Task
from reminder.understanding.clauses import Clause, is_evidence, moods, planned
from reminder.understanding.lexer import (
    DayItem,
    DaysItem,
    EveryItem,
    Item,
    MoodItem,
    NumberItem,
    PaperItem,
    PoliteItem,
    SepItem,
    WordItem,
)
from reminder.understanding.lexicon import Role
from reminder.understanding.speaker import Speaker
from reminder.understanding.targets import spoken
from reminder.understanding.verbs import Mood, Verb

_HINDERS = frozenset({Mood.NOT, Mood.YET, Mood.PARTIAL, Mood.PLAN, Mood.SOON, Mood.UNSIGNED})
_NEWS = frozenset({"gop y", "lay y kien", "bo sung", "chinh sua"})  # of standing work: done
_FINISHED = frozenset({Mood.DONE, Mood.ISSUED, Mood.DID, Mood.JUST})
_STAGES = frozenset({"buoc", "khau", "doan"})  # bước, khâu, giai đoạn
_ROUNDS = frozenset({"dot", "vong", "chuong"})  # đợt 2, vòng 1, chương 3
_STAGE_LEADS = {"doan": ("giai", "cong")}  # but đoàn, đoạn đường
_HOUR = re.compile(r"\d{1,2}[hg]", re.ASCII)
_HOUR_WORDS = frozenset({"h", "g", "gio"})
_LAST_HOUR = 24
_WHEN_DONE = frozenset({"khi nao xong", "luc nao xong"})  # asked, where nothing follows
_MAY_I = frozenset({"duoc khong", "duoc chua", "khong a", "?"})  # behind a request


def said_in(clause: Clause, speaker: Speaker, forced: Verb | None) -> list[Mood]:
    """The moods of a clause; a day still to come is a plan, where no paper is named."""
    found = [*moods(clause.before), *moods(clause.after)]
    if clause.before and clause.after:
        joined = moods(clause.items)
        found += [Mood.ASK] if Mood.ASK in joined else []
    said = [i for i in clause.items if not (isinstance(i, PoliteItem) and i.role is Role.PARTICLE)]
    found += [Mood.ASK] if said and _word(said[-1]) in _WHEN_DONE else []
    if Mood.ASK in found and _asks_nothing(clause.items, found):
        found = [mood for mood in found if mood is not Mood.ASK]
    if any(isinstance(item, EveryItem) and item.rest for item in clause.items):
        found.append(Mood.PARTIAL)
    late = any(isinstance(item, PoliteItem) and item.role is Role.LATE for item in clause.items)
    found += [Mood.NOT] if late and not _FINISHED & set(found) else []
    found += [Mood.PARTIAL for item in clause.items if _remains(item)]
    found += [Mood.PARTIAL] if _counts(clause.before) or _counts(clause.after) else []
    if forced in (Verb.DONE, Verb.SUBMIT):
        found += forced.row.moods
    if forced is None and clause.inherits and not found:
        found.append(Mood.DONE)
    if any(isinstance(item, MoodItem) and _gone_by(item) for item in clause.items):
        found.append(Mood.PAST)
    if forced is None and _FINISHED & set(found) and _at_an_hour(clause.items, speaker.today):
        found.append(Mood.SOON)
    if (forced is None and _to_come(clause, speaker.today, past=Mood.PAST in found)) or (
        forced and _later(clause, speaker.today)
    ):
        found.append(Mood.PLAN)
    return found


def _asks_nothing(items: Sequence[Item], found: Sequence[Mood]) -> bool:
    """“bữa nào xong em báo”, a promise; “dời tới 20/3 được không”, a request."""
    asked = [
        (item.word, following)
        for item, following in zip_longest(items, items[1:])
        if isinstance(item, MoodItem) and item.mood is Mood.ASK
    ]
    if Mood.EXTEND in found and any(isinstance(item, DayItem | DaysItem) for item in items):
        return all(word in _MAY_I for word, _ in asked)
    return bool(asked) and all(
        word.endswith((" nao", "bao gio")) and _promises(following) for word, following in asked
    )


def _word(item: Item | None) -> str:
    return item.word if isinstance(item, MoodItem) else ""


def _promises(item: Item | None) -> bool:
    told = isinstance(item, MoodItem) and item.mood is Mood.PLAN
    return told and _word(item).startswith("xong ")


def _at_an_hour(items: Sequence[Item], today: date) -> bool:
    """“lúc 16h xong”: nothing here knows the hour it is, so only a past day makes this told.

    A paper's number and day stand for themselves.
    """
    if any(isinstance(item, PaperItem) for item in items):
        return False
    days = [item.day.day for item in items if isinstance(item, DayItem)]
    if any(day is not None and day < today for day in days):
        return False
    return any(
        _is_hour(item, following, last)
        for item, following, last in zip_longest(items, items[1:], items[2:])
    )


def _is_hour(item: Item, following: Item | None, last: Item | None) -> bool:
    """16h, 16g; 16 giờ, 16h30; 16:30."""
    if isinstance(item, WordItem):
        return bool(_HOUR.fullmatch(item.word))
    if not isinstance(item, NumberItem) or item.number > _LAST_HOUR:
        return False
    if isinstance(following, WordItem):
        return following.word in _HOUR_WORDS
    colon = isinstance(following, SepItem) and following.sign == ":"
    minutes = isinstance(last, NumberItem) and last.start == item.end + 1
    return colon and minutes


def _gone_by(item: MoodItem) -> bool:
    return item.mood is Mood.JUST or item.word.startswith("da ") or item.word.endswith(" roi")


def _remains(item: Item) -> bool:
    return isinstance(item, SepItem) and item.sign == "còn"


def partial(clause: Clause, said: Collection[Mood], names: Collection[str]) -> bool:
    """Whether only a step is done: “xong bước 1”, “xong khâu in”, “xong phần rà soát”.

    `names` are the words that name a part of the plan: “xong phần báo cáo” is that part.
    """
    claimed = bool(_FINISHED & set(said)) or is_evidence(clause.items)
    return claimed and any(
        isinstance(item, WordItem | PoliteItem) and _stage(item, before, behind, names)
        for before, item, behind in zip_longest(
            (None, *clause.items[:-1]), clause.items, clause.items[1:]
        )
    )


def _stage(
    item: WordItem | PoliteItem, before: Item | None, behind: Item | None, names: Collection[str]
) -> bool:
    ahead = before.word if isinstance(before, WordItem) else ""
    if isinstance(item, WordItem):
        if item.word in _ROUNDS:
            return isinstance(behind, NumberItem)
        return item.word in _STAGES and ahead in _STAGE_LEADS.get(item.word, (ahead,))
    if item.word != "phan" or item.end - item.start != len("phan"):
        return False
    return isinstance(behind, WordItem) and not set(spoken(behind)) <= set(names)


def _counts(items: Sequence[Item]) -> bool:
    """“xong 3 văn bản”: so many are done, not the whole."""
    return any(
        isinstance(item, MoodItem) and item.mood is Mood.DONE and isinstance(behind, NumberItem)
        for item, behind in pairwise(items)
    )


def _to_come(clause: Clause, today: date, *, past: bool) -> bool:
    """Whether a day still to come, or today without “đã” and “rồi”, makes this a plan."""
    if any(isinstance(item, PaperItem) for item in clause.items):
        return False
    days = [item.day for item in clause.items if isinstance(item, DayItem)]
    today_or_later = any(day.day is not None and day.day >= today for day in days if day.relative)
    later = any(day.day is not None and (day.past or day.day) > today for day in days)
    return _later(clause, today) or (not past and (today_or_later or later))


def _later(clause: Clause, today: date) -> bool:
    """Whether “mai”, “thứ sáu”, “tuần sau” are named."""
    if any(isinstance(item, PaperItem) for item in clause.items):
        return False
    days = [item.day for item in clause.items if isinstance(item, DayItem)]
    return any(day.relative and day.day is not None and day.day > today for day in days)


def counted(items: Sequence[Item]) -> bool:
    """Whether `items` count something; a share (80%) is no count."""
    return any(
        isinstance(item, NumberItem) and not (isinstance(behind, MoodItem) and behind.word == "%")
        for item, behind in zip_longest(items, items[1:])
    )


def _tells_nothing_done(items: Sequence[Item]) -> bool:
    """“chưa tổ chức buổi nào”, “65%”: a true answer about standing work, complete as it is."""
    said = set(moods(items))
    words = [item.word for item in items if isinstance(item, WordItem)]
    if said <= {Mood.NOT, Mood.YET, Mood.PAST}:
        return bool(words) and words[-1] == "nao"
    share = any(isinstance(i, MoodItem) and i.word in ("%", "phan tram") for i in items)
    return share and said <= {Mood.PARTIAL, Mood.PAST}


def as_answer(task: Task, mood: Mood, clause: Clause, content: bool) -> Verb | None:
    """UPDATE, where what is said of standing work is its answer; None where it is not."""
    only = not task.products
    counts = counted(clause.before) or counted(clause.after)
    evidence = is_evidence(clause.items)
    if mood is Mood.STANDING:
        return Verb.UPDATE
    if mood is Mood.DOING:
        return Verb.UPDATE if only else None
    if mood is Mood.DONE and content and counts and not evidence:
        return Verb.UPDATE if only or counts else None
    if mood is Mood.NOT and only and _tells_nothing_done(clause.items):
        return Verb.UPDATE
    if mood is Mood.NOT and only and counts and not planned(clause.items):
        said = moods(clause.items)
        first = next((i for i in clause.after if not isinstance(i, PoliteItem | SepItem)), None)
        hindered = (
            isinstance(first, MoodItem) and first.mood in _HINDERS and first.word not in _NEWS
        )
        return None if hindered or Mood.PLAN in said else Verb.UPDATE
    return None
