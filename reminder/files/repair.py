"""What Word and people get wrong in TOML: told by its line and as it should read, and put right.

The text is repaired line by line, so that all faults of a file can be told at once; a file with any
is refused all the same.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from reminder.domain.text import fold

MOST_TRIES = 20  # lines that tomllib can't read, left out one by one
MOST_READ = 2_000_000  # characters that it reads in all of these tries
SHOWN = 200  # characters of a line
_OPENING = "“”„‟«»‘’‚‛″′＂"
_CLOSING = re.compile(r"[“”„‟«»‘’‚‛″′＂\"'](?=[\s\u200b\ufeff]*(?:[,\]}#]|$))")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'')
_BLANKS = "\u00a0\u2007\u202f\u3000\u2002\u2003\u2009"
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_DASHES = "‐‑‒–—−"
_SLASHED = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?![\d/])")
_SHORT = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?![\d-])")
_NAME = r"""(?:[^\s=#"'\[\]{},.:]+|"[^"]*"|'[^']*')"""
_KEY = re.compile(rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*=\s*(.*)", re.DOTALL)
_HEADER = re.compile(r"\s*(\[{1,2})([^\[\]=#]*)(\]{0,2})\s*(#.*)?")
_COLON = re.compile(r"(\s*[\w-]+)\s*:\s+(?=\S)")
_WORDS = re.compile(r"(?i)(true|đúng|có|yes|false|sai|không|no)")
_VALUE = re.compile(r"""["'\[{+-]|true\b|false\b|inf\b|nan\b""")
_DAY = re.compile(r"\d{4}-\d\d?-\d\d?|\d{1,2}[/.-]\d{1,2}")


@dataclass
class Repaired:
    """A text that tomllib may read, and what was wrong with it."""

    lines: list[str]
    # The line from 1, what is wrong, and the line as it should read, where that is known.
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    unread: set[int] = field(default_factory=set)  # lines that were left out

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def leave_out(self, number: int) -> None:
        """Empty a line from 1."""
        self.lines[number - 1] = ""
        self.unread.add(number)


def repaired(text: str, lists: Collection[str], tables: Collection[str]) -> Repaired:
    """Return `text` with what can be put right; `lists` are written [[…]] and `tables` […]."""
    found = Repaired(text.split("\n"))
    _Repair(found, lists, tables).run()
    return found


def read_on(
    found: Repaired, fault: Callable[[str, Exception], tuple[int, str]]
) -> dict[str, Any] | None:
    """Return what tomllib reads of `found`, without the lines that it can't read: each is a fault.

    `fault` tells the line and the sentence of an error of tomllib. None: it reads nothing.
    """
    tries = min(MOST_TRIES, MOST_READ // (len(found.text) + 1))
    for _ in range(tries + 1):
        try:
            return tomllib.loads(found.text)
        except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
            number, words = fault(found.text, error)
            found.faults.append((number, words, ""))
            if number > len(found.lines) or not found.lines[number - 1].strip():
                return None
            found.leave_out(number)
    return None


class _Repair:
    """One pass over the lines of a text."""

    def __init__(self, found: Repaired, lists: Collection[str], tables: Collection[str]) -> None:
        self.found, self.lists, self.tables = found, lists, tables
        self.section = ""  # the name of the table that is being read
        self.seen: dict[tuple[object, ...], int] = {}  # tables and keys → their line
        self.counts: dict[str, int] = {}  # of the tables of each list
        self.path: tuple[object, ...] = ()  # of the table, with the numbers of its lists
        self.skipping = False  # a table of this name was there before
        self.fence = ""  # the quotes that end a text of several lines
        self.depth = 0  # of square brackets
        self.opened = 0  # the line where they opened

    def run(self) -> None:
        for number, line in enumerate(self.found.lines, start=1):
            if self.fence:
                if self.fence in line:
                    self.fence = ""
                continue
            self._line(number, line.removesuffix("\r"))
        if self.depth:
            self._close()

    def _line(self, number: int, line: str) -> None:
        fixed, slips = _characters(line)
        header = _HEADER.fullmatch(fixed)
        key = None if header else _KEY.match(fixed)
        named = header[2].strip() if header else ""
        if self.depth and (named.split(".")[0] in (*self.lists, *self.tables) or key):
            self._close()
        if not self.depth and header and named:
            fixed = self._header(number, header, slips)
        elif self.skipping:
            fixed, slips = "", []
        elif not self.depth:
            fixed = self._key(number, fixed, slips)
        if slips:
            self._tell(number, ", ".join(dict.fromkeys(slips)), fixed)
        self.found.lines[number - 1] = fixed
        self._count(number, fixed)

    def _tell(self, number: int, words: str, line: str = "") -> None:
        self.found.faults.append((number, words, _shown(line)))

    def _header(self, number: int, header: re.Match[str], slips: list[str]) -> str:
        """Return the line of a header; a table that was there before is left out."""
        name = re.sub(r"\s*\.\s*", ".", header[2].strip())
        plain = self._plain_name(name)
        listed = plain in self.lists or (header[1] == "[[" and plain not in self.tables)
        listed = listed and plain.split(".")[0] not in set(self.tables) - set(self.lists)
        ends = ("[[", "]]") if listed else ("[", "]")
        if plain != name and plain in self.lists:
            slips.append("bảng này thuộc một mục khác")
        elif plain != name:
            slips.append(f"tên bảng [{name}] chỉ gồm chữ thường không dấu, số và gạch nối")
        elif (header[1], header[3]) != ends:
            slips.append(f"bảng này ghi {'hai' if listed else 'một'} lần ngoặc vuông")
        fixed = f"{ends[0]}{plain}{ends[1]}"
        self.skipping = False
        parent = plain.rpartition(".")[0]
        self.section, self.path = plain, self._path(plain, listed=listed)
        if listed and parent in self.lists and parent not in self.counts:
            self._tell(number, f"mục {fixed} đứng trước mọi mục [[{parent}]]: chuyển xuống dưới")
        elif not listed and self.path in self.seen:
            first = self.seen[self.path]
            self._tell(number, f"bảng {fixed} đã có ở dòng {first}: gộp làm một, hoặc đặt mã khác")
        else:
            self.seen.setdefault(self.path, number)
            return f"{fixed} {header[4]}" if header[4] else fixed
        self.skipping = True
        slips.clear()
        return ""

    def _plain_name(self, name: str) -> str:
        """Return the name of a table as TOML takes it: [deliverable] is [[task.deliverable]]."""
        if '"' in name or "'" in name:
            return name
        inside = [each for each in self.lists if each.rpartition(".")[2] == name]
        if name not in (*self.lists, *self.tables) and inside:
            return inside[0]
        if re.fullmatch(r"[A-Za-z0-9_.-]+", name):
            return name
        parts = [re.sub(r"[^a-z0-9_]+", "-", fold(part)).strip("-") for part in name.split(".")]
        return ".".join(part or "x" for part in parts)

    def _path(self, name: str, *, listed: bool) -> tuple[object, ...]:
        path: tuple[object, ...] = ()
        pieces = name.split(".")
        for size in range(1, len(pieces) + 1):
            of = ".".join(pieces[:size])
            last = size == len(pieces)
            if last and listed:
                self.counts[of] = self.counts.get(of, -1) + 1
                for each in [c for c in self.counts if c.startswith(f"{of}.")]:
                    del self.counts[each]
            path = (*path, pieces[size - 1])
            if of in self.counts:
                path = (*path, self.counts[of])
        return path

    def _key(self, number: int, fixed: str, slips: list[str]) -> str:
        """Return the line of a key and its value; a key that was there before is left out."""
        if colon := _COLON.match(fixed):
            fixed = f"{colon[1]} = {fixed[colon.end() :]}"
            slips.append("sau khóa là dấu =, không phải dấu hai chấm")
        key = _KEY.match(fixed)
        if key is None:
            return fixed
        name, value = re.sub(r"\s*\.\s*", ".", key[1]), key[2]
        indent = fixed[: len(fixed) - len(fixed.lstrip())]
        if not re.fullmatch(r"""[A-Za-z0-9_.-]+|.*["'].*""", name):
            name = f'"{name}"'  # the reader tells that there is no such key
            fixed = f"{indent}{name} = {value}"
        mended = self._value(value, slips)
        if mended != value:
            fixed = f"{indent}{name} = {mended}"
        dotted = "." in name and '"' not in name and "'" not in name
        first, _, rest = name.partition(".")
        of = f"{self.section}.{name}".strip(".").rpartition(".")[0] if dotted else ""
        if dotted and first == self.section.rpartition(".")[2]:
            slips.append(f"khóa “{name}” có dấu chấm, bảng [{self.section}] không cần viết lại")
            name, fixed = rest, f"{indent}{rest} = {mended}"
        elif dotted and of in self.lists:
            last = name.rpartition(".")[2]
            words = f"khóa “{name}” có dấu chấm: mở mục [[{of}]], dưới đó"
            self._tell(number, words, f"{last} = {mended}")
            slips.clear()
            self.found.unread.add(number)
            return ""
        place = (*self.path, "", *name.split("."))
        if place in self.seen:
            of = (
                f", hoặc thiếu dòng [[{self.section}]] ở trên" if self.section in self.lists else ""
            )
            self._tell(number, f"khóa `{name}` đã có ở dòng {self.seen[place]}: bỏ một dòng{of}")
            slips.clear()
            return ""
        self.seen[place] = number
        return fixed

    def _value(self, value: str, slips: list[str]) -> str:
        """Return the value of a key, with quotes around a text that has none, or one only."""
        if value[:1] == '"' and not value.startswith('"""'):
            whole, last = _STRING.match(value), value.rfind('"')
            if whole is None:
                slips.append("thiếu dấu nháy kép ở cuối")
                text, mark, comment = value[1:].partition(" #")
                return f'"{_escaped(text.rstrip())}"{mark}{comment}'
            if last >= whole.end() and value[whole.end() :].lstrip()[:1] not in ("#", ","):
                slips.append("dấu nháy kép nằm bên trong chữ")
                return f'"{_escaped(value[1:last])}"{value[last + 1 :]}'
            return value
        if not value.strip() or value.startswith("#") or _is_value(value):
            return value
        text, mark, comment = value.partition(" #")
        text = text.strip()
        behind = f" #{comment}" if mark else ""
        if _WORDS.fullmatch(text):
            slips.append("ghi true hoặc false")
            yes = text.casefold() in ("true", "đúng", "có", "yes")
            return f"{'true' if yes else 'false'}{behind}"
        slips.append("chữ phải nằm trong dấu nháy kép")
        return f'"{_escaped(text.strip(chr(34)))}"{behind}'

    def _count(self, number: int, line: str) -> None:
        """Follow the square brackets and the texts of several lines."""
        if "[" not in line and "]" not in line and '"""' not in line and "'''" not in line:
            return
        if not self.depth and _HEADER.fullmatch(line):
            return
        for fence in ('"""', "'''"):
            if line.count(fence) % 2:
                self.fence = fence
        bare = _STRING.sub("", line).partition("#")[0]
        before = self.depth
        self.depth = max(0, self.depth + bare.count("[") - bare.count("]"))
        if self.depth and not before:
            self.opened = number

    def _close(self) -> None:
        """Close the brackets that the line before leaves open."""
        line = self.found.lines[self.opened - 1]
        value, mark, comment = line.partition(" #")
        value = f"{value.rstrip().rstrip(',')}{']' * self.depth}"
        self._tell(self.opened, "thiếu ngoặc vuông đóng", value)
        for number in range(self.opened, len(self.found.lines)):
            rest = self.found.lines[number]
            if _KEY.match(rest) or (_HEADER.fullmatch(rest) and rest.strip(" [],\t")):
                break
            self.found.lines[number] = ""
        self.found.lines[self.opened - 1] = f"{value}{mark}{comment}"
        self.depth = 0


def _is_value(text: str) -> bool:
    """Return whether `text` is a value, or looks like one that can be put right."""
    if not text[0].isdigit():
        return _VALUE.match(text) is not None
    if _DAY.match(text):
        return True
    try:
        tomllib.loads(f"x = {text}")
    except (tomllib.TOMLDecodeError, ValueError):
        return False
    return True


def _shown(line: str) -> str:
    text = line.strip()
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def masked(line: str) -> str:
    """Return `line` without its value, which may be a secret."""
    key, equals, value = line.partition("=")
    if not equals:
        return line
    value = value.strip()
    marks = {'"': '"…"', "'": '"…"', "[": "[…]"}.get(value[:1], "…")
    return f"{key.rstrip()} = {marks}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


_WORD = {
    **dict.fromkeys(_BLANKS, (" ", "dấu cách không ngắt dòng của Word")),
    **dict.fromkeys(_UNSEEN, ("", "ký tự không nhìn thấy")),
    **dict.fromkeys(_DASHES, ("-", "gạch nối của Word")),
}


def _characters(line: str) -> tuple[str, list[str]]:
    """Return `line` with Word's characters put right outside texts, and what they were."""
    if line.isascii() and not _SLASHED.search(line) and not _SHORT.search(line):
        return line, []
    out: list[str] = []
    slips: list[str] = []
    ends = [match.start() for match in _CLOSING.finditer(line)]
    at = 0
    while at < len(line):
        char = line[at]
        if char in _OPENING or char in "\"'":
            text, end, slip = _quoted(line, at, ends)
        elif char == "#":
            text, end, slip = line[at:], len(line), ""
        elif char.isdigit() and not line[at - 1 : at].isalnum():
            text, end = _day(line, at)
            slip = "" if text == line[at:end] else "ngày viết sai cách"
        else:
            text, slip = _WORD.get(char, (char, ""))
            end = at + 1
        out.append(text)
        slips += [slip] if slip else []
        at = end
    return "".join(out), slips


def _quoted(line: str, at: int, ends: list[int]) -> tuple[str, int, str]:
    """Return the text in quotes that begins at `at`, its end, and what is wrong with its quotes.

    `ends` are the quotes of any kind that a comma, a bracket or the end of the line follows.
    """
    if line[at] in "\"'":
        whole = None if line.startswith(('"""', "'''"), at) else _STRING.match(line, at)
        if whole:
            return whole[0], whole.end(), ""
    place = bisect_right(ends, at)
    end = ends[place] if place < len(ends) else -1
    if line.startswith(('"""', "'''"), at) or (end < 0 and line[at] in "\"'"):
        return line[at:], len(line), ""  # the text goes on below, or has no end
    end = len(line.rstrip()) if end < 0 else end
    return f'"{_escaped(line[at + 1 : end])}"', end + 1, "dấu nháy cong của Word"


def as_day(text: str) -> date | None:
    """Return the day that `text` is, as 31/01/2024 or 2024-1-31."""
    found, end = _day(text.strip() or " ", 0)
    try:
        return date.fromisoformat(found) if end == len(text.strip()) else None
    except ValueError:
        return None


def _day(line: str, at: int) -> tuple[str, int]:
    """Return the day that begins at `at` as TOML writes it, and its end in `line`."""
    match = _SLASHED.match(line, at) or _SHORT.match(line, at)
    if match is None:
        return line[at], at + 1
    numbers = [int(part) for part in match.groups()]
    year, month, day = numbers if match.re is _SHORT else reversed(numbers)
    try:
        return date(year, month, day).isoformat(), match.end()
    except ValueError:
        return match[0], match.end()
