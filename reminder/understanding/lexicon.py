"""The words that are understood, as lexicon.toml lists them, and what those of a clause say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator
from enum import StrEnum
from functools import cache
from importlib import resources
from itertools import product
from typing import Any

from reminder.domain.text import fold, spelling


class Mood(StrEnum):
    """What one phrase says of work."""

    DONE = "done"
    ISSUED = "issued"  # done, and stronger than “đã trình ký”
    DID = "did"  # “đã làm”
    JUST = "just"  # “rồi”: done only as a reply
    NOT = "not"  # chưa, không
    YET = "yet"  # a bare “chưa”, which after a done phrase is a question
    PARTIAL = "partial"
    PLAN = "plan"
    DOUBT = "doubt"  # hearsay, a wish, an order: says nothing that could be recorded
    SOON = "soon"  # an hour still to come, unless “đã” says that it has gone by
    PAST = "past"  # đã, vừa
    ASK = "ask"
    SUBMITTED = "submitted"
    UNSIGNED = "unsigned"  # “chưa ký”: not done, or, after “đã trình”, awaiting signature
    RETURNED = "returned"
    UNDO = "undo"
    EXTEND = "extend"
    SNOOZE = "snooze"
    DOING = "doing"
    STANDING = "standing"  # “vẫn làm thường xuyên”: an answer to a check-in
    NO_NEWS = "no-news"  # “không có gì phát sinh”: the same
    SEEN = "seen"
    AGREED = "agreed"  # “đồng ý”: the office's word, from others it is “đã rõ”


class Role(StrEnum):
    """What a harmless phrase is; the sections of lexicon.toml."""

    PARTICLE = "particle"
    GENTLE = "gentle"  # nhé, nha: behind a bare verb it asks somebody to do it
    PERSON = "person"
    CROWD = "crowd"
    SAYING = "saying"  # “em báo cáo anh”
    OWN = "own"
    WORK = "work"
    PIECE = "piece"  # of the work: done, it is not the whole
    COPY = "copy"  # on paper: handed in, it is the work; done, it is a piece
    ACT = "act"
    SEND = "send"
    ISSUE = "issue"
    BEING = "being"
    HAVING = "having"
    RECENT = "recent"
    GONE_BY = "gone-by"
    TODAY = "today"
    MANNER = "manner"
    LATE = "late"
    AGO = "ago"
    FROM = "from"
    TO = "to"
    PLACE = "place"
    NAMING = "naming"
    FILLER = "filler"
    REMARK = "remark"
    SIGN = "sign"
    NAME = "name"  # of a person, behind “anh”, “chị” …


COURTESY = frozenset(
    {Role.PARTICLE, Role.GENTLE, Role.PERSON, Role.CROWD, Role.SAYING}
)  # no part of a note


_DATA: dict[str, Any] = tomllib.loads(
    resources.files(__package__).joinpath("lexicon.toml").read_text(encoding="utf-8")
)


def listed(section: str) -> dict[str, str]:
    """Return each phrase of a section → the first name that it stands under."""
    found: dict[str, str] = {}
    for name, text in _DATA[section].items():
        for phrase in _parted(text):
            found.setdefault(phrase, name)
    return found


def _parted(text: str) -> Iterator[str]:
    """Yield the phrases of a list; one with (a|b|) stands for a phrase each."""
    for each in text.split(";"):
        for chosen in product(*(part.split("|") for part in re.split(r"[()]", each))):
            if phrase := " ".join("".join(chosen).split()):
                yield phrase


def pairs(name: str, sign: str = " ") -> Iterator[tuple[str, str]]:
    """Yield what is typed, and what is meant by it."""
    for entry in _parted(_DATA["spelling"][name]):
        typed, _, meant = entry.partition(sign)
        yield typed, meant.strip()


NOUNS = frozenset(map(spelling, _DATA["nouns"]["words"].split()))
PAPERS = frozenset(map(spelling, _DATA["nouns"]["papers"].split()))
WORDS = {name: frozenset(text.split()) for name, text in _DATA["words"].items()}


@cache  # compiled when the first message is read, for it takes a while
def pattern(*, talk: bool) -> re.Pattern[str]:
    """Return the pattern of talk, or of all else; its group names the mood or role."""
    groups = []
    for name, patterns in _DATA["patterns"].items():
        text = "|".join(patterns)
        for part, words in _DATA["pattern-words"].items():
            text = text.replace(f"{{{part}}}", f"(?:{words})")
        if (name == "talk") is talk:
            groups.append(f"(?P<{name}>{text})")
    return re.compile(f"(?:{'|'.join(groups)})(?= |$)")


SEPARATORS: dict[str, list[str]] = _DATA["separators"]
OWN_WORDS: tuple[str, ...] = tuple(_DATA["own-words"]["marks"])
IN_FULL: dict[str, str] = _DATA["in-full"]
ANSWERS = {fold(phrase): name == "yes" for phrase, name in listed("answers").items()}

_CLOSING = frozenset({Mood.DONE, Mood.ISSUED})
_HINDERED = frozenset({Mood.NOT, Mood.YET, Mood.PARTIAL, Mood.PLAN})
_IN_ORDER = (Mood.ASK, Mood.EXTEND, Mood.SNOOZE, Mood.UNDO, Mood.RETURNED)


def verdict(moods: Collection[Mood], *, reply: bool, alone: bool) -> Mood | None:
    """Return what a clause says in all. Not done, partial, planned or asked always wins over done.

    `reply`: the text answers a message; `alone`: it says nothing but its moods.
    """
    said = set(moods)
    for mood in _IN_ORDER:
        if mood in said:
            return mood
    if Mood.SOON in said and Mood.PAST not in said:
        said.add(Mood.PLAN)
    if Mood.SUBMITTED in said:
        return _submitted(said)
    if said & _HINDERED or Mood.UNSIGNED in said:
        return Mood.NOT
    if Mood.DOUBT in said:
        return Mood.DOUBT
    if Mood.STANDING in said or Mood.NO_NEWS in said:
        return Mood.STANDING
    if Mood.DOING in said:
        return Mood.DOING
    if (
        said & _CLOSING
        or (Mood.DID in said and alone)
        or (Mood.JUST in said and reply and alone and Mood.SEEN not in said)
    ):
        return Mood.DONE
    return next((mood for mood in (Mood.AGREED, Mood.SEEN) if mood in said), None)


def _submitted(said: set[Mood]) -> Mood:
    """Return the verdict on a signature: “đã trình mà chưa ký” awaits it, “đã ban hành” has it."""
    if said & (_HINDERED - {Mood.YET}):
        return Mood.NOT
    return Mood.DONE if Mood.ISSUED in said and Mood.UNSIGNED not in said else Mood.SUBMITTED
