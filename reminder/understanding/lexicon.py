"""The words that are understood, as lexicon.toml lists them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator
from enum import StrEnum
from importlib import resources
from typing import Any

from reminder.domain.text import Phrases, Spelling, Token, fold, spelling, tokenise
from reminder.understanding.verbs import Mood


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


def _read() -> dict[str, Any]:
    source = resources.files(__package__).joinpath("lexicon.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))


def _listed(text: str, sign: str = ";") -> Iterator[str]:
    for each in text.split(sign):
        if squeezed := " ".join(each.split()):
            yield squeezed


_DATA = _read()


def _moods() -> dict[str, Mood | None]:
    table: dict[str, Mood | None] = {}
    for name, text in _DATA["intent"].items():
        mood = None if name == "neutral" else Mood(name)
        for phrase in _listed(text):
            table.setdefault(phrase, mood)
    return table


MOODS: Phrases[Mood | None] = Phrases(_moods())
HARMLESS: Phrases[Role] = Phrases(
    {
        phrase: Role(name)
        for name, text in reversed(_DATA["harmless"].items())
        for phrase in _listed(text)
    }
)
NOUNS = frozenset(map(spelling, _DATA["nouns"]["words"].split()))
PAPERS = frozenset(map(spelling, _DATA["nouns"]["papers"].split()))
REMARK = re.compile(f"(?:{'|'.join(_DATA['remarks']['patterns'])})(?= |$)")
OWN_WORDS: tuple[str, ...] = tuple(_DATA["own-words"]["marks"])
SHORT: dict[Spelling, str] = {
    spelling(typed): meant
    for entry in _listed(_DATA["spelling"]["short"])
    for typed, _, meant in [entry.partition(" ")]
}
SHORT_PAIRS: dict[tuple[str, ...], str] = {
    tuple(typed.split()): meant.strip()
    for entry in _listed(_DATA["spelling"]["phrases"])
    for typed, _, meant in [entry.partition(":")]
}


def _answers() -> dict[str, bool]:
    return {
        fold(phrase): name == "yes"
        for name, text in _DATA["answers"].items()
        for phrase in _listed(text)
    }


ANSWERS = _answers()


def words() -> Iterator[Token]:
    """Every word that is understood, with its marks."""
    for tables in (_DATA["intent"], _DATA["harmless"]):
        for text in tables.values():
            for phrase in _listed(text):
                yield from tokenise(phrase.lstrip("="))


__all__ = [
    "ANSWERS",
    "COURTESY",
    "HARMLESS",
    "MOODS",
    "NOUNS",
    "OWN_WORDS",
    "PAPERS",
    "REMARK",
    "SHORT",
    "SHORT_PAIRS",
    "Mood",
    "Role",
    "fold",
    "verdict",
    "words",
]

_CLOSING = frozenset({Mood.DONE, Mood.ISSUED})
_HINDERED = frozenset({Mood.NOT, Mood.YET, Mood.PARTIAL, Mood.PLAN})
_IN_ORDER = (Mood.ASK, Mood.EXTEND, Mood.SNOOZE, Mood.UNDO, Mood.RETURNED)


def verdict(moods: Collection[Mood], *, reply: bool, alone: bool) -> Mood | None:
    """What a clause says in all. Not done, partial, planned or asked always wins over done.

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
    """“đã trình mà chưa ký” awaits it, “mai trình ký” does not yet, “đã ban hành” has it."""
    if said & (_HINDERED - {Mood.YET}):
        return Mood.NOT
    return Mood.DONE if Mood.ISSUED in said and Mood.UNSIGNED not in said else Mood.SUBMITTED
