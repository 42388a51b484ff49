"""The numbers and bullets that Word makes: “II.”, “1.2.”, “a)”, “-”.

They stand in no paragraph's text. A paragraph, or its style, names a list (`w:num`) and a level;
the list's definition (`w:abstractNum`) has the text and the format of each level.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
LEVELS = 9
LARGEST = 1000  # of a number that is written in letters or Roman figures
LONGEST = 40  # characters of a label's text
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l")),
    *((40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)


class Numbered(NamedTuple):
    """Where a paragraph's number comes from."""

    list_id: str
    level: int


@dataclass(slots=True)
class Level:
    """A level of a list's definition."""

    start: int = 1
    form: str = "decimal"
    text: str = ""
    legal: bool = False  # all numbers in figures
    restart: int | None = None  # the level, from 1, after which it begins anew; 0: never
    style: str = ""  # the paragraph style that has this level


@dataclass(slots=True)
class Numbering:
    """The lists of a document, and how far each has got. One document, in its order."""

    levels: dict[str, dict[int, Level]] = field(default_factory=dict)  # by abstractNumId
    lists: dict[str, str] = field(default_factory=dict)  # numId → abstractNumId
    overrides: dict[str, dict[int, int]] = field(default_factory=dict)  # numId → level → start
    own_levels: dict[str, dict[int, Level]] = field(default_factory=dict)  # numId → its levels
    _counts: dict[str, dict[int, int]] = field(default_factory=dict)  # by abstractNumId
    _begun: set[str] = field(default_factory=set)  # numIds that were met

    def level_of_style(self, list_id: str, style: str) -> int:
        """Return the level of the list that belongs to a paragraph style; 0 if none does."""
        levels = self.levels.get(self.lists.get(list_id, ""), {})
        return next((n for n, level in levels.items() if level.style == style), 0)

    def next(self, numbered: Numbered) -> str:
        """Return the label of the next paragraph of this list and level."""
        abstract = self.lists.get(numbered.list_id)
        if abstract is None or not 0 <= numbered.level < LEVELS:
            return ""
        levels = {**self.levels.get(abstract, {}), **self.own_levels.get(numbered.list_id, {})}
        starts = self.overrides.get(numbered.list_id, {})
        counts = self._counts.setdefault(abstract, {})
        if numbered.list_id not in self._begun:
            self._begun.add(numbered.list_id)
            for n in starts:
                counts.pop(n, None)
        own = levels.get(numbered.level, Level())
        before = starts.get(numbered.level, own.start) - 1
        counts[numbered.level] = counts.get(numbered.level, before) + 1
        for deeper in [n for n in counts if n > numbered.level]:
            restart = levels.get(deeper, Level()).restart
            if restart is None or numbered.level < restart:
                del counts[deeper]
        if own.form == "bullet":
            return own.text if own.text.strip() and own.text < "\ue000" else "-"
        return self._label(own, levels, counts)

    def _label(self, own: Level, levels: dict[int, Level], counts: dict[int, int]) -> str:
        def number(found: re.Match[str]) -> str:
            n = int(found[1]) - 1
            level = levels.get(n, Level())
            return formatted(counts.get(n, level.start), "decimal" if own.legal else level.form)

        return re.sub(r"%([1-9])", number, own.text).strip()


def formatted(number: int, form: str) -> str:
    """Return a number as a format of Word writes it; in figures if the format is unknown."""
    if form == "none":
        return ""
    if form == "decimalZero":
        return f"{number:02}"
    if not 0 < number < LARGEST:
        return str(number)
    if form in ("upperRoman", "lowerRoman"):
        text = roman(number)
    elif form in ("upperLetter", "lowerLetter"):
        text = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
    else:
        return str(number)
    return text.upper() if form.startswith("upper") else text


def roman(number: int) -> str:
    """Return a number in small Roman figures."""
    text = ""
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        text += letters * count
    return text


def read_numbering(root: Any, style_lists: dict[str, str]) -> Numbering:
    """Return the lists of numbering.xml; `style_lists` has the numId of each numbering style."""
    numbering = Numbering()
    if root is None:
        return numbering
    linked: dict[str, str] = {}  # abstractNumId → the style that defines it
    for abstract in root.iterfind(f"{W}abstractNum"):
        name = abstract.get(f"{W}abstractNumId", "")
        numbering.levels[name] = _levels(abstract)
        if link := child_value(abstract, "numStyleLink"):
            linked[name] = link
    for num in root.iterfind(f"{W}num"):
        name = num.get(f"{W}numId", "")
        numbering.lists[name] = child_value(num, "abstractNumId")
        for override in num.iterfind(f"{W}lvlOverride"):
            n = _number(override.get(f"{W}ilvl"), 0)
            if (start := child_value(override, "startOverride")) != "":
                numbering.overrides.setdefault(name, {})[n] = _number(start, 1)
            if own := _levels(override):
                numbering.own_levels.setdefault(name, {}).update(own)
    for name, style in linked.items():
        target = numbering.lists.get(style_lists.get(style, ""), name)
        numbering.levels[name] = numbering.levels.get(target, {})
    return numbering


def _levels(parent: Any) -> dict[int, Level]:
    found = {}
    for lvl in parent.iterfind(f"{W}lvl"):
        restart = child_value(lvl, "lvlRestart")
        legal = lvl.find(f"{W}isLgl")
        found[_number(lvl.get(f"{W}ilvl"), 0)] = Level(
            start=_number(child_value(lvl, "start"), 1),
            form=child_value(lvl, "numFmt") or "decimal",
            text=child_value(lvl, "lvlText")[:LONGEST],
            legal=legal is not None and is_on(legal),
            restart=_number(restart, 0) if restart else None,
            style=child_value(lvl, "pStyle"),
        )
    return found


def is_on(toggle: Any) -> bool:
    """Return whether a property such as `w:b` is switched on."""
    return toggle.get(f"{W}val", "true") not in ("0", "false", "off")


def child_value(parent: Any, name: str) -> str:
    """Return the value of the property `name`; empty where there is none."""
    child = None if parent is None else parent.find(f"{W}{name}")
    return "" if child is None else child.get(f"{W}val", "")


def _number(text: str | None, default: int) -> int:
    try:
        return int(text or "")
    except ValueError:
        return default
