"""Work that is named by its title and not by its code: “danh mục vbqppl xong rồi”."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

from reminder.domain.text import fold, normal
from reminder.understanding import errors
from reminder.understanding.codes import CodeBook
from reminder.understanding.lexer import Item, Lexer, NumberItem, PeriodItem, PoliteItem, WordItem
from reminder.understanding.lexicon import IN_FULL, Role
from reminder.understanding.model import Command, CommandError, Meaning, Target
from reminder.understanding.parse import parse
from reminder.understanding.verbs import Takes, Verb

_ALIKE = 82  # of 100: how much of the words must be the title's
_APART = 8  # how much better a match must be than the next to stand alone
_MOST = 4  # that are offered
_SHORTEST = 7  # letters that name a title at all
_LONGEST = 400  # characters of a message that names work by its title
_NAMING = frozenset({Role.WORK, Role.FILLER, Role.PLACE})


def by_title(
    text: str, today: date, meaning: Meaning, work: Sequence[tuple[Target, str, str]]
) -> Command | CommandError | None:
    """Return what `text` says of open `work`, each with its title and all that it is called.

    A question at best: a title alone never closes anything. None if no title is meant.
    """
    if len(text) > _LONGEST:
        return None
    typed = normal(text)
    items = Lexer(CodeBook(meaning.plans), meaning, today).items(typed)
    periods = {item.period for item in items if isinstance(item, PeriodItem)}
    named = _words(items, typed)
    if len(named.replace(" ", "")) < _SHORTEST or " " not in named:
        return None
    found = _alike(named, work, periods)
    if not found:
        return None
    said = parse(text, today, replace(meaning, reply_to=found[:1], is_reply=True))
    if not isinstance(said, Command) or said.verb in (Verb.SEEN, Verb.TASK, Verb.ASK):
        return None
    if said.verb.row.takes is Takes.CLAUSES or said.verb is Verb.CLAIM:
        return Command(verb=Verb.CLAIM, targets=found, note=said.note)
    return errors.which_code(said.verb, found)


def _words(items: Sequence[Item], text: str) -> str:
    """Return the words that may be a title's, without marks; what is only counted is none."""
    kept: list[str] = []
    for before, item in pairwise((None, *items)):
        named = isinstance(item, PoliteItem) and item.role in _NAMING
        if not (named or isinstance(item, WordItem)) or isinstance(before, NumberItem):
            continue
        assert item is not None
        word = item.word if isinstance(item, WordItem) else fold(text[item.start : item.end])
        if len(word) > 1 and word.replace(" ", "").isalpha():
            kept.append(IN_FULL.get(word, word))
    return " ".join(kept)


def _alike(
    named: str, work: Sequence[tuple[Target, str, str]], periods: set[str]
) -> tuple[Target, ...]:
    from rapidfuzz import fuzz

    scored: list[tuple[float, Target]] = []
    for target, title, every in work:
        if periods and target.period and target.period not in periods:
            continue
        whole = fuzz.token_set_ratio(named, _full(every))
        scored.append(((whole * 2 + fuzz.token_set_ratio(named, _full(title))) / 3, target))
    best = max((score for score, _ in scored), default=0)
    if best < _ALIKE:
        return ()
    scored.sort(key=lambda one: -one[0])
    return tuple(target for score, target in scored if score > best - _APART)[:_MOST]


def _full(name: str) -> str:
    words = re.findall(r"\w+", fold(name))
    return " ".join(IN_FULL.get(word, word) for word in words)
