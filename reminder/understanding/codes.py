"""Codes of tasks as people type them: 1đ, 1dd, 1d9, 1.đ, 1 đ), mục 1 điểm đ, 2025/1c, BC.

A bare `1d` is 1d, and the code says that 1đ may have been meant. Bare numerals (`3`) are left to
the grammar: whether one is a code depends on what stands around it. So are codes of figures that
may be a day (`2.3`). Codes of several pieces (1.1.2, II.3, 3.1.a) are read in any letter case and
as people join them: ii.3, II-3, 3.1a, mục 3 phần II.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reminder.domain.plan import Plan, Task, code_pieces
from reminder.understanding.lexicon import listed
from reminder.understanding.spelling import Found, Phrases, Token, plain_at

_LETTERED = re.compile(r"0?(\d{1,2})([a-zđ]|dd|d9)", re.ASCII | re.IGNORECASE)
_STROKED = ("đ", "dd", "d9")
_HOURS_BEFORE = frozenset({"luc", "khoang", "truoc", "den", "vao", "tam", "toi"})
_HOURS_AFTER = frozenset({"sang", "trua", "chieu", "toi", "dem", "kem", "ruoi"})

_MOST_PIECES = 6  # of a code such as 1.1.2; what has more is something else
_SHAPE = re.compile(r"(?:[0-9]{1,2}|[ivx]{1,5})(?:\.[0-9]{1,2})+(?:\.?[a-zđ])?", re.IGNORECASE)
_INSIDE = frozenset("@_=\\")  # what joins digits to a mail address or the like
# “mục 3 phần II”: the words, the outer ones first.
_LEVELS = {
    **dict.fromkeys(("phan", "chuong", "nhom"), 0),
    **dict.fromkeys(("muc",), 1),
    **dict.fromkeys(("khoan", "viec", "stt"), 2),
    **dict.fromkeys(("diem", "y"), 3),
}
# What a decimal counts, as typed: “1.2 tỷ”. Not what is another word without its marks.
_UNITS = {
    *("%", "triệu", "trieu", "tr", "tỷ", "ty", "tỉ", "nghìn", "nghin", "ngàn", "vnd", "usd"),
    *("km", "m", "m2", "ha", "hecta", "mét", "kg", "lít", "tấn"),
}


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
        self._pieced = _by_pieces(self.plans)
        self._plan_ids = Phrases({plan.id: plan for plan in self.plans})

    def task(self, code: str, plan: str | None = None) -> Task | None:
        """Return the task with this code in the named plan, or in the first that has it."""
        return self.found(code, plan)[1]

    def found(self, code: str, plan: str | None = None) -> tuple[Plan | None, Task | None]:
        """Return the task with this code, and the plan that it is of."""
        for candidate in self.plans:
            if plan in (None, candidate.id) and code in candidate.by_code:
                return candidate, candidate.by_code[code]
        return None, None

    @property
    def has_pieced(self) -> bool:
        """Whether a plan has codes of several pieces."""
        return bool(self._pieced)

    def numerals(self) -> tuple[str, ...]:
        """Return the codes without a letter."""
        return tuple(code for code in self.tasks if code.isdigit())

    def under(self, number: int) -> tuple[str, ...]:
        """Return the codes of section `number`: 2a, 2b …, or 2.1, 2.2 …"""
        shape = re.compile(rf"{number}(?:\D+|[.-].+)")
        return tuple(code for code in self.tasks if shape.fullmatch(code))

    def beside(self, code: Code, piece: str) -> Code | None:
        """Return the code that differs in its last piece: 1e of “1a-e”, II.5 of “II.3-5”."""
        head = re.sub(r"(?:[0-9]+|[^\W\d_])$", "", code.task)
        name = next((each for each in self.tasks if each.lower() == f"{head}{piece}".lower()), None)
        return Code(name, code.plan) if name and head else None

    def at(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        """Return the lettered code, or code in words, that begins at `index`."""
        return (
            self._of_pieces(tokens, index)
            or self._of_plan(tokens, index)
            or self._marked(tokens, index)
            or self._unknown(tokens, index)
        )

    def _of_pieces(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        """Return a code of several pieces; only what the plans have."""
        if not self._pieced or not self._may_begin(tokens, index):
            return None
        return self._run(tokens, index) or self._by_levels(tokens, index)

    def _may_begin(self, tokens: Sequence[Token], index: int) -> bool:
        """Whether the token at `index` begins something, rather than goes on: not 1 of “v2.1”."""
        if index == 0 or not tokens[index].glued:
            return True
        sign = tokens[index - 1].text
        if sign not in ("-", "/"):
            return sign != "." and sign not in _INSIDE and (len(sign) > 1 or not sign.isalnum())
        # 1.1-1.5, 1.1/1.2: the codes of a glued run, one after the other.
        start = at = _run_start(tokens, index)
        while at < index - 1:
            found = self._run(tokens, at)
            if found is None:
                return False
            at += found.size + (at + found.size < index - 1)
        return at == index - 1 > start

    def _run(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        """Return the longest code of glued pieces that begins at `index`."""
        found: Found[Code] | None = None
        read: list[str] = []
        joints = ""
        end = index
        while end < len(tokens) and len(read) < _MOST_PIECES:
            if tokens[end].meant and tokens[end].text[-1].isdigit():  # VNI: “a5” is “ạ”
                break
            here = code_pieces(tokens[end].text)
            if not here:
                break
            read += here
            end += 1
            sign = _joint(tokens, end)
            code = self._with(read, joints)
            if code and sign is not None and not self._ends(tokens, end, sign, code):
                code = None
            decimal = len(read) == 2 and all(piece.isdigit() for piece in read)
            if code and not (decimal and _measures(tokens, index, end)):
                found = Found(end - index + _bracket(tokens, end), code)
            if sign is None:
                break
            joints += sign
            end += len(sign)
        return found

    def _ends(self, tokens: Sequence[Token], end: int, sign: str, code: Code) -> bool:
        """Whether `code` ends at a glued sign, because another one follows: 1.1/1.2, 3.1.a-c."""
        if sign not in ("-", "/"):
            return False
        last = sign == "-" and _joint(tokens, end + 2) is None
        return self._begins(tokens, end + 1) or bool(
            last and self.beside(code, tokens[end + 1].text)
        )

    def _begins(self, tokens: Sequence[Token], index: int) -> bool:
        """Return whether a code with points alone begins at `index`."""
        read: list[str] = []
        while index < len(tokens) and len(read) < _MOST_PIECES:
            read += code_pieces(tokens[index].text)
            index += 1
            if ".".join(read) in self._pieced:
                return True
            sign = _joint(tokens, index)
            if sign not in (".", ""):
                break
            index += len(sign)
        return False

    def _with(self, read: Sequence[str], joints: str) -> Code | None:
        """Return the code that has the pieces `read`, which `joints` join."""
        figures = all(piece.isdigit() for piece in read)
        if figures and set(joints) != {"."}:  # 1-1 and 1/1 are days
            return None
        if len(read[0]) == 1 and read[0].isalpha() and not joints:  # A4
            return None
        typed = "".join(map("".join, zip(read, [*joints, ""], strict=False)))
        key = ".".join(read)
        stroked = f"{key[:-1]}đ" if read[-1] == "d" else ""
        code = self._one_of(key, typed) or self._one_of(stroked, typed)
        if code is None:
            return None
        other = self._one_of(stroked, typed)
        return Code(code, also_meant=other if other != code else None)

    def _one_of(self, key: str, typed: str) -> str | None:
        known = self._pieced.get(key, [])
        exact = [code for code in known if code.lower() == typed]
        return known[0] if len(known) == 1 else exact[0] if exact else None

    def _by_levels(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        """Mục 3 phần II; điểm a mục 3.1; điểm 3.1.a."""
        named: dict[int, list[str]] = {}
        found: Found[Code] | None = None
        at = index
        inner = tokens[index].number is not None and _LEVELS.get(plain_at(tokens, at + 1), 9) < 2
        level = 9 if inner else _LEVELS.get(plain_at(tokens, at))  # “3 mục II”
        while level is not None and level not in named:
            at += level < 9
            named[level] = []
            while at < len(tokens) and len(named[level]) < _MOST_PIECES:
                named[level] += code_pieces(tokens[at].text)
                at += 1
                sign = _joint(tokens, at)
                if sign not in (".", ""):
                    break
                at += len(sign)
            read = [piece for level in sorted(named) for piece in named[level]]
            code = self._with(read, "." * (len(read) - 1)) if read else None
            figures = all(piece.isdigit() for piece in read)
            if code and (len(named) > 1 or not figures or len(read) > 2):
                found = Found(at - index, code)
            at += plain_at(tokens, at) == ","
            level = _LEVELS.get(plain_at(tokens, at))
        return found

    def figures_at(self, tokens: Sequence[Token], index: int, *, measured: bool) -> int:
        """Return how many tokens figures with points take that are no code (192.168.1.1); 0: none.

        `measured`: only where they measure something (1.2 tỷ) or tell an hour.
        """
        end = index
        last = index + 3 if measured else len(tokens)
        while self._pieced and end < len(tokens) and tokens[end].number is not None:
            end += 1
            if _joint(tokens, end) != "." or end >= last:
                break
            end += 1
        size = end - index
        if measured:
            return size if size == 3 and _measures(tokens, index, end) else 0
        return size if size > 1 else 0

    def _unknown(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        """Return what only has the shape of such a code: 9.9.9, where the plans have 1.1.2."""
        if not self._pieced or not self._may_begin(tokens, index):
            return None
        typed, end = "", index
        while end < len(tokens) and (end == index or tokens[end].glued):
            typed += tokens[end].text
            end += 1
            if end - index > 2 * _MOST_PIECES:
                return None
        size = end - index
        if typed.endswith((".", ",", ":", ";", "!", "?", ")")):
            typed, size = typed[:-1], size - 1
        return Found(size, Code(typed, known=False)) if _SHAPE.fullmatch(typed) else None

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
        plan = by_id.value if by_id else _of_year(self.plans, year)
        value = code.value
        known = plan is not None and value.known and value.task in plan.by_code
        name = value.task if plan else f"{year}/{value.task}"
        named = Code(name, plan.id if plan else None, value.also_meant, known)
        return Found(size + 1 + code.size, named)

    def _inside(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        """Return the code behind “2025/”: lettered, in words, or a numeral."""
        text = tokens[index].text if index < len(tokens) else ""
        if text and self._pieced and (found := self._run(tokens, index)):
            return found
        word = self.words.get(text.lower())
        if text in self.numerals() or word:
            return Found(1, Code(word or text))
        code = self._spelt(text)
        return Found(1, code) if code else None

    def _marked(self, tokens: Sequence[Token], index: int) -> Found[Code] | None:
        """Return a code, with “việc”, “mục” … before it."""
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


def _of_year(plans: Sequence[Plan], year: int | None) -> Plan | None:
    """Return the plan of `year`, which may be one of several years."""
    own = (plan for plan in plans if plan.year == year)
    return next(own, next((p for p in plans if f"{year}" in {y.id for y in p.years}), None))


def _by_pieces(plans: Sequence[Plan]) -> dict[str, list[str]]:
    """Return the codes of several pieces of all `plans`, by their pieces."""
    if len(plans) == 1:
        return plans[0].by_pieces
    found: dict[str, list[str]] = {}
    for plan in plans:
        for key, codes in plan.by_pieces.items():
            found[key] = list(dict.fromkeys((*found.get(key, ()), *codes)))
    return found


def _run_start(tokens: Sequence[Token], index: int) -> int:
    """Return where the text that is glued to the token at `index` begins."""
    start = index
    while start > 0 and tokens[start].glued and index - start < 8 * _MOST_PIECES:
        start -= 1
    return start


def _joint(tokens: Sequence[Token], index: int) -> str | None:
    """Return how the code goes on at `index`: by a sign, without one; None: not at all."""
    if index >= len(tokens) or not tokens[index].glued:
        return None
    if tokens[index].text[0].isalnum():
        return ""
    behind = tokens[index + 1] if index + 1 < len(tokens) else None
    goes_on = behind is not None and behind.glued and behind.text[0].isalnum()
    sign = tokens[index].text
    return sign if goes_on and (sign in ".-/" or sign in _INSIDE) else None


def _measures(tokens: Sequence[Token], index: int, end: int) -> bool:
    """Whether the decimal at `index` measures something or tells an hour: 1.2 tỷ, lúc 8.30."""
    unit = tokens[end].text.lower() if end < len(tokens) else ""
    percent = (plain_at(tokens, end), plain_at(tokens, end + 1)) == ("phan", "tram")
    return unit in _UNITS or percent or plain_at(tokens, index - 1) == "luc"


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
    """Return whether this is an hour: 2h chiều, lúc 2h, 2h30."""
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
