"""Codes of tasks as people type them: 1đ, 1dd, 1d9, 1.đ, 1 đ), mục 1 điểm đ, 2025/1c, BC.

A bare `1d` is 1d, and the code says that 1đ may have been meant. Bare numerals (`3`) are left to
the grammar: whether one is a code depends on what stands around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reminder.domain.plan import Plan, Task
from reminder.understanding.lexicon import listed
from reminder.understanding.spelling import Found, Phrases, Token, plain_at

_LETTERED = re.compile(r"0?(\d{1,2})([a-zđ]|dd|d9)", re.ASCII | re.IGNORECASE)
_STROKED = ("đ", "dd", "d9")
_HOURS_BEFORE = frozenset({"luc", "khoang", "truoc", "den", "vao", "tam", "toi"})
_HOURS_AFTER = frozenset({"sang", "trua", "chieu", "toi", "dem", "kem", "ruoi"})

_LONGEST = 9  # tokens of a code such as 1.1.2


def _goes_with(tokens: Sequence[Token], end: int) -> bool:
    """Whether the token at `end` goes on with a code, rather than ends a sentence."""
    if tokens[end].text[0].isalnum():
        return True
    behind = tokens[end + 1 : end + 2]
    return tokens[end].plain in ".-/" and bool(behind) and behind[0].glued


_MARKERS = Phrases(listed("codes"))
_ARTICLES = (("muc", "diem"), ("khoan", "diem"), ("diem", "muc"), ("diem", "khoan"))


@dataclass(frozen=True, slots=True)
class Code:
    """A task's code; `known` is False for what only has the shape of one."""

    task: str
    plan: str | None = None
    also_meant: str | None = None
    known: bool = True


class CodeBook:
    """The codes of the plans that the sender may mean."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        self.plans = tuple(plans)
        self.tasks: dict[str, Task] = {}
        for plan in self.plans:
            for task in plan.tasks:
                self.tasks.setdefault(task.code, task)
        self.words = {code.lower(): code for code in self.tasks if code.isalpha()}
        # Codes of other shapes: 1.1.2, II.3, 3.1.a.
        self._others = {code.lower(): code for code in self.tasks if not code.isalnum()}
        self._plan_ids = Phrases({plan.id: plan for plan in self.plans})

    def task(self, code: str, plan: str | None = None) -> Task | None:
        """The task with this code in the named plan, or in the first that has it."""
        return self.found(code, plan)[1]

    def found(self, code: str, plan: str | None = None) -> tuple[Plan | None, Task | None]:
        """The task with this code, and the plan that it is of."""
        for candidate in self.plans:
            if plan in (None, candidate.id) and code in candidate.by_code:
                return candidate, candidate.by_code[code]
        return None, None

    def numerals(self) -> tuple[str, ...]:
        """The codes without a letter."""
        return tuple(code for code in self.tasks if code.isdigit())

    def under(self, number: int) -> tuple[str, ...]:
        """The lettered codes of section `number`: 2a, 2b …"""
        shape = re.compile(rf"{number}\D+")
        return tuple(code for code in self.tasks if shape.fullmatch(code))

    def at(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        """The lettered code, or code in words, that begins at `index`."""
        return (
            self._other(tokens, index)
            or self._of_plan(tokens, index)
            or self._marked(tokens, index)
        )

    def _other(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        """A code of the plan's own shape: the longest that is typed without a gap."""
        if not self._others or (index and tokens[index].glued and tokens[index - 1].plain in ".-/"):
            return None
        found: Found[Code] | None = None
        typed, end = "", index
        while end < len(tokens) and end - index < _LONGEST and (end == index or tokens[end].glued):
            typed += tokens[end].text.lower()
            end += 1
            over = end == len(tokens) or not tokens[end].glued or not _goes_with(tokens, end)
            if over and typed in self._others:
                found = Found(end - index, Code(self._others[typed]))
        return found

    def _of_plan(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        """2025/1c, or with the plan's id: cchc-2025/1c; numerals too (2024/3)."""
        if index and tokens[index].glued and tokens[index - 1].plain in ("/", "-", "."):
            return None
        by_id = self._plan_ids.at(tokens, index)  # cchc-2025
        year = tokens[index].number
        size = by_id.size if by_id else 1
        if plain_at(tokens, index + size) != "/" or not (by_id or year in range(2000, 2100)):
            return None
        code = self._inside(tokens, index + size + 1)
        if code is None:
            return None
        plan = by_id.value if by_id else next((p for p in self.plans if p.year == year), None)
        value = code.value
        known = plan is not None and value.known and value.task in plan.by_code
        name = value.task if plan else f"{year}/{value.task}"
        named = Code(name, plan.id if plan else None, value.also_meant, known)
        return Found(size + 1 + code.size, named)

    def _other_behind(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        """A code of the plan's own shape behind “2024/”."""
        if index >= len(tokens):
            return None
        bare = [replace(tokens[index], glued=False), *tokens[index + 1 : index + _LONGEST]]
        return self._other(bare, 0)

    def _inside(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        """The code behind “2025/”: lettered, in words, or a numeral."""
        text = tokens[index].text if index < len(tokens) else ""
        word = self.words.get(text.lower())
        if text in self.numerals() or word:
            return Found(1, Code(word or text))
        if other := self._other_behind(tokens, index):
            return other
        code = self._spelt(text)
        return Found(1, code) if code else None

    def _marked(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        """A code, with “việc”, “mục” … before it."""
        article = self._article(tokens, index)
        if article:
            return article
        marker = _MARKERS.at(tokens, index)
        if marker is None:
            return self._plain(tokens, index)
        rest = self._article(tokens, index + marker.size) or self._plain(
            tokens, index + marker.size
        )
        return Found(marker.size + rest.size, rest.value) if rest and rest.value.known else None

    def _article(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        """Mục 1 điểm đ; điểm đ mục 1."""
        for outer, inner in _ARTICLES:
            if plain_at(tokens, index) != outer:
                continue
            second = index + 3 if plain_at(tokens, index + 2) == "," else index + 2
            if plain_at(tokens, second) != inner or second + 1 >= len(tokens):
                continue
            pair = tokens[index + 1].text, tokens[second + 1].text
            number, letter = reversed(pair) if outer == "diem" else pair
            code = self._spelt(number + letter)
            if code and code.known:
                return Found(second + 2 - index, code)
        return None

    def _plain(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        if index >= len(tokens) or _goes_on(tokens, index):
            return None
        if tokens[index].number is not None:
            return self._apart(tokens, index)
        code = self._spelt(tokens[index].text)
        if code is None or _is_hour(tokens, index):
            return None
        return Found(1 + _bracket(tokens, index + 1), code)

    def _apart(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        """1 đ, 1.đ, 1-đ, 1)đ; only what the plan has."""
        sign = plain_at(tokens, index + 1) in (".", ")", "-", "_") and tokens[index + 1].glued
        at = index + 1 + sign
        if at >= len(tokens) or (sign and not tokens[at].glued):
            return None
        letter, size = tokens[at].text, 1
        if letter.lower() == "d" and plain_at(tokens, at + 1) == "9" and tokens[at + 1].glued:
            letter, size = "d9", 2
        code = self._spelt(tokens[index].text + letter)
        if code is None or not code.known:
            return None
        end = at + size
        return Found(end - index + _bracket(tokens, end), code)

    def _spelt(self, text: str) -> Code | None:
        match = _LETTERED.fullmatch(text.lower().replace("đ", "dd"))
        if match is None or len(text) > 4:
            return None
        number, letter = str(int(match[1])), match[2]
        if letter in _STROKED:
            return self._known(f"{number}đ")
        if letter != "d":
            return self._known(f"{number}{letter}")
        plain, stroked = f"{number}d", f"{number}đ"
        if plain not in self.tasks and stroked in self.tasks:
            return Code(stroked)
        return Code(
            plain,
            also_meant=stroked if stroked in self.tasks else None,
            known=plain in self.tasks,
        )

    def _known(self, code: str) -> Code:
        return Code(code, known=code in self.tasks)


def _goes_on(tokens: Sequence[Token], index: int) -> bool:
    """Whether this is a piece of something longer, such as a paper's number: 12/1c, 1c/QĐ."""
    if tokens[index].glued and tokens[index - 1].plain in ("/", "-", "."):
        before = tokens[index - 2].text if index > 1 else ""
        return not _LETTERED.fullmatch(before)
    after = tokens[index + 1 : index + 3]
    if len(after) < 2 or after[0].plain != "/" or not (after[0].glued and after[1].glued):
        return False
    return not _LETTERED.fullmatch(after[1].text)


def _is_hour(tokens: Sequence[Token], index: int) -> bool:
    """2h chiều, lúc 2h, 2h30."""
    if not tokens[index].plain.endswith(("h", "g")):
        return False
    after = plain_at(tokens, index + 1)
    return (
        plain_at(tokens, index - 1) in _HOURS_BEFORE
        or after in _HOURS_AFTER
        or (after.isdigit() and tokens[index + 1].glued)
    )


def _bracket(tokens: Sequence[Token], index: int) -> int:
    """1 for the bracket of “1đ)”, else 0."""
    closes = plain_at(tokens, index) == ")" and tokens[index].glued
    return int(closes)
