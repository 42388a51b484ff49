"""TOML files that people write: all faults at once, each with its line and the nearest word.

tomllib gives no positions, so the lines of headers and keys are found by a scan of the text.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import stat
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar
from unicodedata import normalize

from reminder.domain.errors import FileError, Problem, ReminderError
from reminder.domain.text import folded_words, has_controls, one_line
from reminder.files.repair import as_day, masked, read_on, repaired

NO_RIGHT = (
    "người dùng đang gõ lệnh không có quyền đọc, ghi ở đây: gõ lệnh bằng người dùng của máy nhắc "
    "việc (sudo -u reminder …), hoặc giao lại tệp cho người ấy bằng chown"
)
MAX_BYTES = 1_000_000  # a plan of 24 tasks has 15 kB
MOST_FAULTS = 100  # told at once; what comes behind them is not read
ALIKE = 10  # more lines with one slip are told together
SHOWN_ALIKE = 3  # but for the first ones
MAX_LINE = 10_000  # characters; tomllib takes quadratic time for a dotted key
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=""")
ID = re.compile(r"[a-z0-9][a-z0-9-]*")
LONGEST_ID = 40
_LINE = re.compile(r"\(at line (\d+), column \d+\)")

_RULE = "chữ phải nằm trong dấu nháy kép, mỗi khóa và mỗi bảng chỉ ghi một lần"
UNREADABLE = f"không đọc được dòng này: {_RULE}"

UTF_16 = (
    "không phải chữ UTF-8 mà là UTF-16 (Notepad gọi là Unicode): mở tệp, chọn Lưu thành (Save As), "
    "mục Mã hóa (Encoding) chọn UTF-8"
)

Read = TypeVar("Read")
Where = tuple[str | int, ...]  # the keys and indices that lead to a value


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is read as a file is, and stands in none: one of the database."""

    name: str
    text: str

    def __str__(self) -> str:
        return self.name


Source = Path | Text


def read_text(path: Source) -> str:
    """Return the text of a UTF-8 file; raise FileError if it can't be read or is too large."""
    content = read_bytes(path)
    if _utf_16(content):
        raise _fault(path, 1, UTF_16)
    return _decoded(path, content)


def _decoded(path: Source, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _fault(path, line, "không phải chữ UTF-8: hãy lưu lại tệp với mã UTF-8") from None


def _utf_16(content: bytes) -> str:
    """Return the codec of a file in UTF-16, as Notepad's “Unicode” is, with or without its mark."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    begin = content[:200]
    even, odd = begin[::2].count(0), begin[1::2].count(0)
    if max(even, odd) * 4 < max(len(begin), 8) or min(even, odd):
        return ""
    return "utf-16-le" if odd else "utf-16-be"


def read_bytes(path: Source, most: int = MAX_BYTES) -> bytes:
    """Return the content of a file of at most `most` bytes; raise FileError if it can't be read.

    A device or a pipe is refused before it is opened: it may have no end, or wait for a writer.
    """
    if isinstance(path, Text):
        content = path.text.encode()
        if len(content) > most:
            raise _fault(path, None, _too_large(len(content), most))
        return content
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise _fault(path, None, "không phải tệp mà là thư mục: ghi tên một tệp trong đó")
        if not stat.S_ISREG(found.st_mode):
            raise _fault(path, None, "không phải tệp mà là thiết bị hoặc ống dẫn: ghi tên một tệp")
        with path.open("rb") as file:
            content = file.read(most + 1)
    except FileNotFoundError:
        raise _fault(path, None, "không có tệp này: kiểm tra lại tên và thư mục") from None
    except PermissionError:
        raise _fault(path, None, NO_RIGHT) from None
    except OSError as error:
        raise _fault(path, None, f"không đọc được tệp: {error.strerror}") from None
    if len(content) > most:
        size = max(found.st_size, len(content))
        raise _fault(path, None, _too_large(size, most))
    return content


def _too_large(size: int, most: int) -> str:
    return f"tệp nặng {size:,} byte, quá lớn (tối đa {most:,})"


def _fault(path: Source, line: int | None, message: str) -> FileError:
    return FileError([Problem(str(path), line, message)])


def as_toml(value: object) -> str:
    """Return a value as TOML; a text on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # A JSON string is a basic string of TOML, apart from DEL, which `one_line` leaves out.
        return json.dumps(one_line(value), ensure_ascii=False)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        pairs = (f"{toml_key(key)} = {as_toml(each)}" for key, each in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, Iterable):
        return f"[{', '.join(map(as_toml, value))}]"
    return str(value)


def toml_key(key: str) -> str:
    """Return a key as TOML: in quotes where it has to be."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else as_toml(key)


def extent(lines: Sequence[str], first: int) -> int:
    """Return the number of lines that the key in `lines[first]` takes with its value."""
    for count in range(1, len(lines) - first + 1):
        try:
            tomllib.loads("\n".join(lines[first : first + count]))
        except ValueError:
            continue
        return count
    raise ValueError("no whole value stands there")


def check_target(path: Path) -> None:
    """Raise ReminderError if a device or a pipe stands where a file would be written."""
    if path.exists() and not path.is_file():
        raise ReminderError(f"không ghi được {path}: không phải tệp mà là thiết bị hoặc ống dẫn")


def write_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace a file atomically; only its owner may read it, since it holds names and addresses."""
    if path.is_dir():
        raise ReminderError(f"không ghi được {path}: là một thư mục; ghi cả tên tệp")
    check_target(path)
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            out.write(content)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        why = error.strerror or type(error).__name__
        raise ReminderError(f"không ghi được {path}: {why}") from error


def unused_id(name: str, taken: Collection[str], default: str) -> str:
    """Return an id made of `name`, with a number where it is taken; `default` for no letters.

    “nguyen-van-an” for Nguyễn Văn An, “nguyen-van-an-2” for the second one.
    """
    base = folded_words(name).replace(" ", "-")[:LONGEST_ID].strip("-") or default
    numbered = (f"{base[: LONGEST_ID - 4]}-{n}" for n in range(2, len(taken) + 3))
    return next(one for one in (base, *numbered) if one not in taken)


def replace_key(lines: list[str], first: int, name: str, value: str) -> None:
    """Write `name = value` in place of the key at `lines[first]`, whose comment stays."""
    count = extent(lines, first)
    comment = _trailing_comment(lines[first]) if count == 1 else ""
    lines[first : first + count] = [f"{name} = {value}" + (f"  {comment}" if comment else "")]


def _trailing_comment(line: str) -> str:
    """Return the comment behind a key and its value; empty without one."""
    for place in (n for n, char in enumerate(line) if char == "#"):
        with suppress(ValueError):
            tomllib.loads(line[:place])
            return line[place:].rstrip()
    return ""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return “; có phải là X?” with the most similar known word; empty without one."""
    folded = {k.casefold(): k for k in known}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.55)
    return f"; có phải là “{folded[close[0]]}”?" if close else ""


class Document:
    """A parsed file, the lines of its keys, and the problems found in it so far.

    Faults of the syntax are noted, and what is sound is read all the same: `check` refuses the file
    with all faults.
    """

    def __init__(
        self,
        path: Source,
        *,
        lists: Collection[str] = (),
        tables: Collection[str] = (),
        quote: bool = True,
    ) -> None:
        """`lists` are the tables that are written [[…]], `tables` those that are written […].

        `quote=False`: no line that can't be parsed is quoted, since it may hold a secret.
        """
        self.path = path
        self.folder = path.parent if isinstance(path, Path) else Path()
        self.problems: list[Problem] = []
        self.advice: list[Problem] = []  # what is understood, and might be written better
        self._incomplete: set[Where] = set()  # tables with lines that could not be read
        content = read_bytes(path)
        if codec := _utf_16(content):
            self._note(1, UTF_16)
            text = content.decode(codec, errors="replace").removeprefix("\ufeff")
        else:
            text = _decoded(path, content)
        # Some editors save decomposed letters (NFD), which would count as several characters.
        text = normalize("NFC", text)
        for number, line in enumerate(text.split("\n"), start=1):
            if len(line) > MAX_LINE:
                raise _fault(
                    path,
                    number,
                    f"không đọc được dòng này: dài {len(line):,} ký tự, tối đa {MAX_LINE:,}",
                )
        self.data: dict[str, Any] = {}
        self.text = text
        try:
            self.data = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, ValueError, RecursionError):
            text = self._repair(text, lists, tables, quote=quote)
        else:
            if not _has_shape(self.data, lists, tables):
                text = self._repair(text, lists, tables, quote=quote)
        self._lines, _ = index(text)

    def _repair(
        self, text: str, lists: Collection[str], tables: Collection[str], *, quote: bool
    ) -> str:
        """Note what is wrong with `text`, and read it as it was meant; return what was read."""
        found = repaired(text, lists, tables)
        data = read_on(found, _syntax if quote else _syntax_unquoted)
        for number, words, line in _in_short(found.faults)[:MOST_FAULTS]:
            right = line if quote else masked(line)
            self._note(number, f"{words}; viết: {right}" if right else words)
        if data is None:
            self.check()
        self.data = data or {}
        _, tables_of = index(found.text)
        self._incomplete = {tables_of[number - 1] for number in found.unread}
        return found.text

    def _note(self, line: int | None, message: str) -> None:
        problem = Problem(str(self.path), line, message)
        if problem not in self.problems:
            self.problems.append(problem)
        if len(self.problems) == MOST_FAULTS:
            self.check()

    def root(self) -> Table:
        return Table(self, (), self.data)

    def line(self, where: Where) -> int | None:
        """Return the line of a header or a key, from 1; None: it has none of its own."""
        return self._lines.get(where)

    def complain(self, where: Where, message: str) -> None:
        """Note a fault of the value at `where`; raise FileError if there are MOST_FAULTS now."""
        problem = self._problem(where, message)
        self._note(problem.line, message)

    def is_incomplete(self, where: Where) -> bool:
        """Return whether a line of this table could not be read, so that it may lack nothing."""
        return where in self._incomplete

    def advise(self, where: Where, message: str) -> None:
        """Note how the value at `where` might be written better."""
        self.advice.append(self._problem(where, message))

    def _problem(self, where: Where, message: str) -> Problem:
        known = (where[:n] for n in range(len(where), 0, -1) if where[:n] in self._lines)
        below = (path for path in self._lines if path[: len(where)] == where)
        line = self._lines.get(next(known, next(below, ())), 1)
        return Problem(str(self.path), line, message)

    def check(self) -> None:
        """Raise FileError with the faults noted so far, in the order of their lines."""
        if self.problems:
            told = sorted(self.problems, key=lambda p: p.line or 0)
            if len(told) == MOST_FAULTS:
                words = "có thể còn lỗi nữa: sửa những lỗi trên rồi kiểm tra lại"
                told.append(Problem(str(self.path), None, words))
            raise FileError(told)


def _in_short(faults: Sequence[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """Return `faults`; of those that many lines share, only the first ones one by one."""
    lines: dict[str, list[int]] = {}
    for number, words, line in faults:
        if line:
            lines.setdefault(words, []).append(number)
    often = {words: at for words, at in lines.items() if len(at) > ALIKE}
    told = [f for f in faults if f[1] not in often or not f[2] or f[0] in often[f[1]][:SHOWN_ALIKE]]
    for words, at in often.items():
        rest = at[SHOWN_ALIKE:]
        some = ", ".join(map(str, rest[:ALIKE])) + (", …" if len(rest) > ALIKE else "")
        told.append((rest[0], f"{words}: {len(rest)} dòng nữa cũng vậy ({some})", ""))
    return told


def _has_shape(data: Any, lists: Collection[str], tables: Collection[str]) -> bool:
    """Return whether `lists` are lists of tables, and `tables` tables, where written."""
    if any(isinstance(data.get(name), list) or _holds(data.get(name), name) for name in tables):
        return False
    if any(name.rpartition(".")[2] in data for name in lists if "." in name):
        return False
    for name in lists:
        found = [data]
        for part in name.split("."):
            values = [table.get(part, []) for table in found if isinstance(table, dict)]
            if any(isinstance(value, dict) for value in values):
                return False
            found = [each for value in values if isinstance(value, list) for each in value]
    return True


def _holds(table: Any, name: str) -> bool:
    """Return whether the table `name` has a key of its own name: `plan.year` in [plan]."""
    return isinstance(table, dict) and isinstance(table.get(name), dict)


def _syntax(text: str, error: Exception) -> tuple[int, str]:
    """Return the line that tomllib could not read, and a sentence about it in Vietnamese."""
    found = _LINE.search(str(error))
    if found is None:
        # tomllib names no line for 2024-02-30, nor for an error at the end of the text.
        bad = re.search(r"(?m)^.*?(\d{4}-(?:0[1-9]|1[0-2])-(?:29|30|31))\b.*$", _impossible(text))
        line = text.count("\n", 0, bad.start(1)) + 1 if bad else text.count("\n") + 1
        return line, _syntax_words(text, line)
    return int(found[1]), _syntax_words(text, int(found[1]))


def _syntax_unquoted(text: str, error: Exception) -> tuple[int, str]:
    return _syntax(text, error)[0], UNREADABLE


def _impossible(text: str) -> str:
    """Return `text` with all existing dates replaced by spaces."""

    def blank(match: re.Match[str]) -> str:
        try:
            date.fromisoformat(match[0])
        except ValueError:
            return match[0]
        return " " * len(match[0])

    return re.sub(r"\d{4}-\d{2}-\d{2}", blank, text)


def _syntax_words(text: str, line: int) -> str:
    lines = text.split("\n")
    found = lines[line - 1].strip()[:60] if 0 < line <= len(lines) else ""
    if re.search(r"\d{4}-\d{2}-\d{2}", _impossible(found)):
        return f"ngày không có trong lịch: “{found}”; ghi năm-tháng-ngày, ví dụ due = 2024-01-31"
    if re.search(r"=\s*\d{1,2}/\d{1,2}", found):
        return f"ngày viết sai cách: “{found}”; ghi năm-tháng-ngày, ví dụ due = 2024-01-31"
    return f"không đọc được dòng “{found}”; {_RULE}"


def index(text: str) -> tuple[dict[Where, int], list[Where]]:
    """Return the line of each header and key, and the table of each line.

    A text that looks like a header or a key adds a harmless entry.
    """
    lines: dict[Where, int] = {}
    tables: list[Where] = []
    counts: dict[Where, int] = {}
    here: Where = ()
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _HEADER.match(line):
            here = _resolve(_parts(header[2]), counts, is_list=header[1] == "[[")
            lines.setdefault(here, number)
        elif key := _KEY.match(line):
            lines.setdefault((*here, *_parts(key[1])), number)
        tables.append(here)
    return lines, tables


def _resolve(names: Where, counts: dict[Where, int], *, is_list: bool) -> Where:
    """Return the path of a header, with indices for the lists of tables in it."""
    path: Where = ()
    for name in names[:-1]:
        path = (*path, name)
        if path in counts:
            path = (*path, counts[path])
    path = (*path, names[-1])
    if is_list:
        counts[path] = counts.get(path, -1) + 1
        return (*path, counts[path])
    return path


def _parts(dotted: str) -> Where:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


class Table:
    """A table of a document, whose typed getters note faults instead of raising."""

    def __init__(self, document: Document, where: Where, data: dict[str, Any]) -> None:
        self.document, self.where, self.data = document, where, data
        self._asked: set[str] = set()

    def complain(self, key: str | None, message: str) -> None:
        self.document.complain(self.where if key is None else (*self.where, key), message)

    def advise(self, key: str, message: str) -> None:
        self.document.advise((*self.where, key), message)

    def lacks(self, message: str) -> None:
        """Note that something is missing, unless a line that can't be read may have it."""
        if not self.document.is_incomplete(self.where):
            self.complain(None, message)

    def has(self, key: str) -> bool:
        self._asked.add(key)
        return key in self.data

    def _get(self, key: str, kind: type | tuple[type, ...], wanted: str) -> Any:
        """Return the value; None if it is missing, or of another type, which is a fault."""
        if not self.has(key):
            return None
        value = self.data[key]
        # To Python a bool is an int, and a datetime a date.
        wrong_bool = isinstance(value, bool) and kind is not bool
        if not isinstance(value, kind) or wrong_bool or isinstance(value, datetime):
            day = as_day(value) if kind is date and isinstance(value, str) else None
            right = f"; viết: {key} = {day}" if day else ""
            self.complain(key, f"`{key}` phải là {wanted}, không phải {value!r:.60}{right}")
            return None
        return value

    def text(self, key: str, *, required: bool = False, longest: int = 200) -> str:
        value: str = self._get(key, str, "chữ trong dấu nháy kép") or ""
        value = self._clean(key, value)
        if required and not value and (not self.has(key) or isinstance(self.data[key], str)):
            if self.has(key):
                self.complain(key, f"thiếu `{key}`")
            else:
                self.lacks(f"thiếu `{key}`")
        if len(value) > longest:
            self.complain(key, f"`{key}` dài {len(value)} ký tự, tối đa {longest}")
        return value

    def _clean(self, key: str, value: str) -> str:
        """Return `value` without invisible characters; a line end in it is a fault."""
        value = value.strip()
        if has_controls(value):
            self.complain(key, f"`{key}` phải nằm trên một dòng")
        return one_line(value)

    def identifier(self, key: str) -> str:
        """Return a text of lower-case letters without marks, digits and hyphens."""
        value = self.text(key, required=True, longest=LONGEST_ID)
        if value and not ID.fullmatch(value):
            words = "chỉ gồm chữ thường không dấu, số và gạch nối"
            self.complain(key, f"`{key}` {words}: “{value}”")
        return value

    def integer(self, key: str) -> int | None:
        value: int | None = self._get(key, int, "số nguyên")
        return value

    def flag(self, key: str) -> bool:
        return bool(self._get(key, bool, "true hoặc false"))

    def day(self, key: str) -> date | None:
        wanted = "ngày ghi theo năm-tháng-ngày, không có nháy, ví dụ 2024-01-31"
        value: date | None = self._get(key, date, wanted)
        return value

    def choice(self, key: str, known: Collection[str], default: str) -> str:
        value = self.text(key) or default
        words = f" ({', '.join(known)})"
        return value if self.knows(key, value, known, more=words) else default

    def knows(
        self,
        key: str,
        word: str,
        known: Collection[str],
        what: str = "",
        *,
        listed: bool = False,
        more: str = "",
    ) -> bool:
        """Return whether `word`, of the value of `key`, is in `known`; if not it is a fault.

        `what` is the kind of thing that `word` names; `listed` tells all that are known if none is
        near.
        """
        if word in known:
            return True
        fault = f"không có {what}" if what else f"`{key}` không nhận"
        hint = nearest(word, known) or (f"; có: {', '.join(known)}" if listed else "")
        self.complain(key, f"{fault} “{word:.40}”{hint}{more}")
        return False

    def items(self, key: str, kind: type, wanted: str) -> list[Any]:
        """Return the elements of a list; one value counts as a list, other types are faults."""
        if self.has(key) and isinstance(self.data[key], kind):
            values = [self.data[key]]
        else:
            wanted_list = f"danh sách trong ngoặc vuông, mỗi mục là {wanted}"
            values = self._get(key, list, wanted_list) or []
        good = [v for v in values if isinstance(v, kind) and not isinstance(v, bool | datetime)]
        if len(good) != len(values):
            self.complain(key, f"mỗi mục của `{key}` phải là {wanted}")
        return good

    def words(self, key: str) -> list[str]:
        return [self._clean(key, w) for w in self.items(key, str, "chữ trong dấu nháy kép")]

    def table(self, key: str) -> Table:
        value = self._get(key, dict, f"một bảng [{key}]") or {}
        return Table(self.document, (*self.where, key), value)

    def tables(self, key: str) -> list[Table]:
        """Return the tables of a list `[[key]]`."""
        if not self.has(key):
            return []
        values = self.data[key]
        if not isinstance(values, list) or not all(isinstance(v, dict) for v in values):
            name = ".".join(str(part) for part in (*self.where, key) if isinstance(part, str))
            self.complain(key, f"`{key}` phải viết thành từng mục [[{name}]]")
            return []
        return [Table(self.document, (*self.where, key, n), v) for n, v in enumerate(values)]

    def each(self, key: str, read: Callable[[Table], Read]) -> list[Read]:
        """Return what `read` makes of each table of `[[key]]`; keys that it ignores are faults."""
        found = []
        for table in self.tables(key):
            found.append(read(table))
            table.finish()
        return found

    def named_tables(self) -> list[tuple[str, Table]]:
        """Return the tables of this table by their names; another value is a fault."""
        found = []
        for key, value in self.data.items():
            if isinstance(value, dict):
                found.append((key, Table(self.document, (*self.where, key), value)))
            else:
                self.complain(key, f"`{key}` phải là một bảng")
        return found

    def finish(self) -> None:
        """Note each key that no getter asked for as a fault, with the nearest known key."""
        for key in self.data:
            if key not in self._asked:
                self.complain(key, f"không có khóa “{key}”{nearest(key, self._asked)}")
