"""An office's list of people, a .csv file or a workbook → people, or all its faults.

Columns may stand in any order and under the names that offices give them; rows above the headings
and columns of other names are left out. A row that has a unit's name alone heads the rows below it.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from reminder.domain.errors import FileError, Problem
from reminder.domain.people import Person, address_fault
from reminder.domain.plan import Unit
from reminder.domain.text import composed, folded_words, one_line
from reminder.files.toml import ID, LONGEST_ID, nearest, read_bytes, unused_id

MOST_ROWS = 2000
MOST_COLUMNS = 60


class Column(StrEnum):
    """What a column holds."""

    ID = "Mã"
    NAME = "Họ và tên"
    FAMILY = "Họ và tên đệm"
    GIVEN = "Tên"
    TITLE = "Chức danh"
    UNIT = "Bộ phận"
    EMAIL = "Thư"
    PHONE = "Điện thoại"
    NUMBER = "STT"  # of no use


_HEADINGS: Mapping[Column, tuple[str, ...]] = {  # as `folded_words` makes them
    Column.ID: ("ma", "ma nguoi", "ma can bo", "id"),
    Column.NAME: (
        *("ho va ten", "ho ten", "ten can bo", "ho va ten can bo", "ho ten can bo", "can bo"),
        *("ho va ten cong chuc", "ho ten cong chuc", "cong chuc", "nguoi nhan", "name"),
        *("can bo cong chuc", "ho va ten can bo cong chuc", "full name"),
    ),
    Column.FAMILY: ("ho", "ho dem", "ho va dem", "ho lot", "ho va ten dem", "ho va chu dem"),
    Column.GIVEN: ("ten",),
    Column.TITLE: (
        *("chuc danh", "chuc vu", "vi tri", "vi tri viec lam", "chuc danh chuc vu"),
        *("chuc vu chuc danh", "nhiem vu", "title"),
    ),
    Column.UNIT: (
        *("bo phan", "don vi", "phong", "phong ban", "don vi cong tac", "to", "linh vuc"),
        *("bo phan cong tac", "phong ban don vi", "co quan don vi", "phong bo phan", "unit"),
        *("bo phan phong", "don vi bo phan", "bo phan don vi", "noi cong tac"),
    ),
    Column.EMAIL: (
        *("thu", "thu dien tu", "email", "e mail", "mail", "dia chi thu", "hop thu", "gmail"),
        *(
            "dia chi email",
            "dia chi thu dien tu",
            "email cong vu",
            "thu cong vu",
            "hop thu cong vu",
        ),
    ),
    Column.PHONE: (
        *("dien thoai", "so dien thoai", "sdt", "dt", "di dong", "so dt", "phone", "so di dong"),
        *("dien thoai di dong", "so may", "dtdd", "zalo", "so zalo"),
    ),
    Column.NUMBER: ("stt", "tt", "so tt", "so thu tu"),
}
_BY_HEADING = {name: column for column, names in _HEADINGS.items() for name in names}
_NOTHING = frozenset({"", "-", "–", "—", "không", "không có", "chưa có", "x"})
_NUMBERING = re.compile(r"[\dIVX]+[.)]?")
_NUMBERED = re.compile(r"^\s*[\dIVXA-H]+\s*[.)/-]\s*")
_FOOT = re.compile(r"tong|cong|nguoi lap|lap bieu|ghi chu|danh sach|ngay|ky|xac nhan|thu truong")
_UNIT_WORDS = re.compile(
    r"^(?:bo phan|phong|ban|to|cong chuc|can bo|chuyen vien) | (?:phuong|xa|thi tran)$"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A row of the list; empty where it says nothing."""

    row: int  # from 1
    id: str = ""
    name: str = ""
    title: str = ""
    units: tuple[str, ...] = ()
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Roster:
    """What a list says, and the headings of the columns that are left out."""

    people: tuple[Listed, ...]
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What becomes of one person; `before` or `after` is None of whom the list adds or drops."""

    before: Person | None
    after: Person | None


def read_roster(path: Path, units: Sequence[Unit]) -> Roster:
    """Return the people in a list, whose units are among `units`; FileError with all faults."""
    return _Reader(path, units).roster(_grid(path))


Grid = Sequence[tuple[int, Sequence[str]]]  # each row with its number, from 1


def _grid(path: Path) -> Grid:
    """Return the rows of a .csv file, or of a workbook's first sheet that has any."""
    from reminder.importing.layout import Table
    from reminder.importing.reading import LARGEST, read_document

    if read_bytes(path, LARGEST).startswith((b"PK", b"\xd0\xcf\x11\xe0", b"%PDF")):
        tables = [block for block in read_document(path).blocks if isinstance(block, Table)]
        return [
            (int(row.where.rpartition(":")[2]) + 1, [one_line(c.text, 300) for c in row.columns])
            for table in tables[:1]
            for row in table.rows
        ]
    text = _decoded(read_bytes(path))
    head = "\n".join(text.splitlines()[:20])
    delimiter = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [
            (number, [one_line(cell, 300) for cell in row[:MOST_COLUMNS]])
            for number, row in enumerate(rows, start=1)
        ]
    except csv.Error as error:
        raise _fault(path, rows.line_num, f"không đọc được dòng này: {error}") from None


def _decoded(content: bytes) -> str:
    """Return the text of a file that a spreadsheet has saved."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return composed(content.decode("cp1258", "replace"))


def _fault(path: Path, row: int | None, message: str) -> FileError:
    return FileError([Problem(str(path), row, message)])


class UnitNames:
    """The units by any of their names: in full and short, with or without marks."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.units = units
        self._ids: dict[str, str] = {}  # of the names that one unit alone has
        for form in (_short, folded_words):  # a full name has precedence over a short form
            meant: dict[str, set[str]] = defaultdict(set)
            for unit in units:
                for name in (unit.id, unit.name, unit.short, *unit.spellings):
                    meant[form(name)].add(unit.id)
            self._ids |= {name: ids.pop() for name, ids in meant.items() if len(ids) == 1}
        self._ids.pop("", None)

    def one(self, text: str) -> str | None:
        """Return the unit that `text` names."""
        return self._ids.get(folded_words(text)) or self._ids.get(_short(text))

    def all(self, text: str) -> list[str] | None:
        """Return the units of “Tư pháp, Văn phòng”; None if one of them is unknown."""
        if whole := self.one(text):
            return [whole]
        for separator in (r"\s*[,;/+\n]\s*", r"\s+và\s+"):
            parts = re.split(separator, text)
            if len(parts) > 1:
                found = [self.all(part) for part in parts if part]
                return None if None in found else [u for units in found for u in units or ()]
        return None

    def unknown(self, text: str) -> str:
        """Return what to say of a unit that is not there, with the nearest."""
        names = [unit.name for unit in self.units]
        known = nearest(text, names) or f"; có: {', '.join(names)}"
        return f"không có bộ phận “{text:.60}” trong kế hoạch{known}"


class _Reader:
    def __init__(self, path: Path, units: Sequence[Unit]) -> None:
        self._path, self._units = path, UnitNames(units)
        self._problems: list[Problem] = []

    def roster(self, grid: Grid) -> Roster:
        header, columns = self._columns(grid)
        ignored = tuple(
            cell
            for place, cell in enumerate(grid[header][1])
            if cell and place not in columns.values() and folded_words(cell) not in _BY_HEADING
        )
        people: list[Listed] = []
        heading: tuple[str, ...] = ()
        for number, row in grid[header + 1 :]:
            cells = {column: self._cell(row, place) for column, place in columns.items()}
            said = list(dict.fromkeys(c for c in row if c and not _NUMBERING.fullmatch(c)))
            if len(said) == 1 and not (
                Column.UNIT in columns and said[0] == cells.get(Column.NAME)
            ):
                heading = self._heading(number, said[0])
            elif any(cells[column] for column in cells if column is not Column.NUMBER):
                people.append(self._person(number, cells, heading))
        if len(people) > MOST_ROWS:
            raise _fault(self._path, None, f"{len(people)} dòng, quá nhiều (tối đa {MOST_ROWS})")
        if not people and not self._problems:
            raise _fault(self._path, grid[header][0], "dưới dòng tiêu đề không có ai")
        self._tell_twice(people)
        if self._problems:
            raise FileError(self._problems)
        return Roster(people=tuple(people), ignored=ignored)

    def _heading(self, row: int, text: str) -> tuple[str, ...]:
        """Return the unit of the rows below, where a row names one alone."""
        name = _NUMBERED.sub("", text)
        if unit := self._units.one(name):
            return (unit,)
        if not _FOOT.match(folded_words(name)):
            self._complain(row, self._units.unknown(name))
        return ()

    def _columns(self, grid: Grid) -> tuple[int, dict[Column, int]]:
        """Return the headings' row and the place of each column; raise FileError without names."""
        for number, (_, row) in enumerate(grid[:30]):
            found: dict[Column, int] = {}
            for place, cell in enumerate(row):
                if column := _BY_HEADING.get(folded_words(cell)):
                    found.setdefault(column, place)
            if Column.NAME not in found and Column.GIVEN in found and Column.FAMILY not in found:
                found[Column.NAME] = found.pop(Column.GIVEN)
            if len(found) >= 2 and (Column.NAME in found or Column.GIVEN in found):
                return number, found
        raise _fault(
            self._path,
            None,
            "không thấy dòng tiêu đề: cần một dòng có “Họ và tên” và “Bộ phận” (thêm được: Chức "
            "danh, Thư, Điện thoại)",
        )

    @staticmethod
    def _cell(row: Sequence[str], place: int) -> str:
        text = row[place].lstrip("'").strip() if place < len(row) else ""
        return "" if text.casefold() in _NOTHING else text

    def _person(self, row: int, cells: Mapping[Column, str], heading: tuple[str, ...]) -> Listed:
        name = cells.get(Column.NAME, "")
        if not name:
            name = f"{cells.get(Column.FAMILY, '')} {cells.get(Column.GIVEN, '')}".strip()
        if not name:
            self._complain(row, "thiếu họ và tên")
        elif len(name) > 60:
            self._complain(row, f"họ và tên dài {len(name)} ký tự, tối đa 60")
        email = cells.get(Column.EMAIL, "").removeprefix("mailto:")
        if email and (fault := address_fault(email)):
            self._complain(row, fault)
        title = cells.get(Column.TITLE, "")
        unit = cells.get(Column.UNIT, "")
        units = self._units_of(row, unit) if unit else heading
        if not units and (known := self._units.one(title)):
            units = (known,)
        if not units and not unit:
            self._complain(row, f"{name or 'người này'} thuộc bộ phận nào? Ô bộ phận trống")
        return Listed(
            row=row,
            id=cells.get(Column.ID, ""),
            name=name,
            title=title[:100],
            units=units,
            email=email,
            phone=_phone(cells.get(Column.PHONE, "")),
        )

    def _units_of(self, row: int, text: str) -> tuple[str, ...]:
        """Return the units that a cell names; an unknown one is a fault."""
        found = self._units.all(text)
        if found is None:
            self._complain(row, self._units.unknown(text))
        return tuple(dict.fromkeys(found or ()))

    def _tell_twice(self, people: Sequence[Listed]) -> None:
        seen: dict[tuple[str, str], int] = {}
        for person in people:
            key = (person.name.casefold(), person.email.casefold())
            if key in seen and person.name:
                self._complain(person.row, f"{person.name} đã có ở dòng {seen[key]}")
            seen.setdefault(key, person.row)

    def _complain(self, row: int, message: str) -> None:
        self._problems.append(Problem(str(self._path), row, message))


def _phone(text: str) -> str:
    """Return the number as it is dialled: a cell that holds a number has lost the leading zero."""
    return f"0{text}" if re.fullmatch(r"[1-9]\d{8}", text) else text[:40]


def _short(name: str) -> str:
    """Return a unit's name without the words that any unit may have."""
    return _UNIT_WORDS.sub("", folded_words(name)).strip()


def changes(people: Sequence[Person], listed: Sequence[Listed], *, drop: bool) -> list[Change]:
    """Return what the list changes of `people`, in their order, then whom it adds.

    Somebody is known by the id, else the mail address, else the name if one person alone has it.
    An empty cell keeps what is written. With `drop` who is not in the list goes.
    """
    taken = {person.id for person in people}
    found: dict[str, Listed] = {}
    added: list[Change] = []
    for row in listed:
        known = _known(people, row, found)
        if known is not None:
            found[known.id] = row
            continue
        made = new_person(row, taken)
        taken.add(made.id)
        added.append(Change(before=None, after=made))
    kept = []
    for person in people:
        if person.id in found:
            kept.append(Change(before=person, after=_after(person, found[person.id])))
        else:
            kept.append(Change(before=person, after=None if drop else person))
    return kept + added


def _known(people: Sequence[Person], row: Listed, found: Mapping[str, Listed]) -> Person | None:
    free = [person for person in people if person.id not in found]
    for same in (
        [person for person in free if row.id and person.id == row.id],
        [p for p in free if row.email and p.email.casefold() == row.email.casefold()],
        [person for person in free if folded_words(person.name) == folded_words(row.name)],
    ):
        if len(same) == 1:
            return same[0]
    return None


def _after(person: Person, row: Listed) -> Person:
    return replace(
        person,
        name=row.name,
        units=row.units or person.units,
        title=row.title or person.title,
        email=row.email or person.email,
        phone=row.phone or person.phone,
    )


def new_person(row: Listed, taken: Collection[str]) -> Person:
    """Return the person of a row, with an id that is not among `taken`."""
    wished = row.id if ID.fullmatch(row.id) and len(row.id) <= LONGEST_ID else ""
    return Person(
        id=unused_id(wished or row.name, taken, "nguoi"),
        name=row.name,
        units=row.units,
        email=row.email,
        title=row.title,
        phone=row.phone,
        channels=(),
    )
