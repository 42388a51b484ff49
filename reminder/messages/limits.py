"""Cutting messages to what a channel takes: between lines, never within a tag."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

TELEGRAM_LONGEST = 4096  # characters after parsing; counted in UTF-16 units, the stricter way
BUTTON_BYTES = 64  # of a button's data
SPARE = 96  # room for what is added to a finished message: the mark of a repeat, the cut's line
_TAG = re.compile(r"<[^<>]*>")

LineKind = Literal["subject", "text", "item", "late", "done", "row", "gap"]
_BULLETS: dict[LineKind, str] = {"item": "• ", "late": "• ", "done": "✅ "}
_LISTED = frozenset({"item", "late", "done", "row"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a message, in Telegram's HTML."""

    kind: LineKind
    html: str

    @property
    def shown(self) -> str:
        """The line with its bullet."""
        return _BULLETS.get(self.kind, "") + self.html

    @property
    def plain(self) -> str:
        return plain(self.shown)


def plain(markup: str) -> str:
    """The text that a reader sees of Telegram's HTML."""
    return html.unescape(_TAG.sub("", markup) if "<" in markup else markup)


def units(text: str) -> int:
    """The length of `text` as Telegram counts entities: in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def fit(lines: Sequence[Line], longest: int = TELEGRAM_LONGEST - SPARE) -> list[Line]:
    """`lines` cut to `longest`: the last of the listed ones go first, and are counted."""
    kept = list(lines)
    dropped, place = 0, 0
    size = sum(units(line.plain) + 1 for line in kept)
    while size > longest:
        listed = [n for n, line in enumerate(kept) if line.kind in _LISTED]
        if not listed and len(kept) == 1:
            return [_shortened(kept[0], longest)]
        place = listed[-1] if listed else len(kept) - 1
        size -= units(kept.pop(place).plain) + 1
        dropped += 1
    if dropped:
        kept.insert(place, Line("text", f"và {dropped} dòng nữa: /viec"))
    return kept


def _shortened(line: Line, longest: int) -> Line:
    return Line("text", html.escape(clip_plain(line.plain, longest), quote=False))


def clip_plain(text: str, longest: int = TELEGRAM_LONGEST) -> str:
    """Text without any markup, cut to `longest`."""
    while units(text) > longest:
        text = text[: len(text) - max(1, (units(text) - longest) // 2)]
    return text


def clip(markup: str, longest: int = TELEGRAM_LONGEST) -> str:
    """A finished HTML message cut to what Telegram takes; as it is where it fits."""
    if units(plain(markup)) <= longest:
        return markup
    lines = [Line("text", line) for line in markup.split("\n")]
    if any(line.html.count("<") != 2 * line.html.count("</") for line in lines):
        return html.escape(clip_plain(plain(markup), longest), quote=False)  # a tag spans lines
    return "\n".join(line.shown for line in fit(lines, longest - SPARE))
