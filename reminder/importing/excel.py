"""Excel's .xlsx → its sheets as tables, and the lines above and below them as paragraphs.

Row m of sheet n is `t:n r:m`, both from 0, so that row 5 of Excel is `r:4`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from zipfile import ZipFile

from reminder.domain.text import normal, squeeze
from reminder.importing.archive import part, read_xml, related
from reminder.importing.layout import Block, Cell, Paragraph, RefusedError, Row, Table

MOST_CELLS = 200_000  # with something in them
MOST_ROWS = 20_000
MOST_COLUMNS = 100
_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_LONG = f"tệp Excel dài hơn {MOST_ROWS} dòng hoặc {MOST_CELLS} ô có chữ; xin giữ lại phần kế hoạch"
_FEW = 2  # cells: a row with no more, above or below a table, is a line of text
# Formats of dates that every Excel has, by number (ECMA-376, 18.8.30).
_DATE_FORMATS = frozenset((*range(14, 18), 22, *range(27, 37), *range(50, 59)))
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_FIRST_DAY, _FIRST_DAY_1904 = date(1899, 12, 30), date(1904, 1, 1)
_LAST_SERIAL = 100_000  # days; the year 2173


def read_excel(archive: ZipFile, name: str) -> list[Block]:
    """Return what stands in the sheets that are not hidden."""
    book = read_xml(archive, name)
    properties = book.find(f"{_S}workbookPr")
    is_1904 = properties is not None and properties.get("date1904") in ("1", "true")
    first_day = _FIRST_DAY_1904 if is_1904 else _FIRST_DAY
    texts = _shared_texts(part(archive, name, "sharedStrings"))
    dates = _date_styles(part(archive, name, "styles"))
    sheets = related(archive, name, "worksheet")
    blocks: list[Block] = []
    index = 0
    for sheet in book.iterfind(f"{_S}sheets/{_S}sheet"):
        target = sheets.get(sheet.get(f"{_R}id", ""))
        if sheet.get("state", "visible") != "visible" or target not in archive.namelist():
            continue
        root = read_xml(archive, target)
        values = _values(root, texts, dates, first_day)
        blocks += _blocks(index, values, _merged(root))
        index += 1
    return blocks


def _shared_texts(root: Any) -> list[str]:
    if root is None:
        return []
    return [_text_of(element) for element in root.iterfind(f"{_S}si")]


def _text_of(element: Any) -> str:
    """Return a text without its phonetic guides."""
    parts = [*element.iterfind(f"{_S}t"), *element.iterfind(f"{_S}r/{_S}t")]
    return "".join(part.text or "" for part in parts)


def _date_styles(root: Any) -> frozenset[int]:
    """Return the cell styles that show a number as a date."""
    if root is None:
        return frozenset()
    own = {
        element.get("numFmtId"): _QUOTED.sub("", element.get("formatCode", "")).lower()
        for element in root.iterfind(f"{_S}numFmts/{_S}numFmt")
    }
    found = set()
    for n, style in enumerate(root.iterfind(f"{_S}cellXfs/{_S}xf")):
        form = style.get("numFmtId", "0")
        code = own.get(form)
        if code is None:
            is_date = form.isdecimal() and int(form) in _DATE_FORMATS
        else:
            is_date = "d" in code or "yy" in code
        if is_date:
            found.add(n)
    return frozenset(found)


def _values(
    root: Any, texts: list[str], dates: frozenset[int], first_day: date
) -> dict[int, dict[int, str]]:
    """Return the text of each cell that is not empty, by row and column from 0."""
    found: dict[int, dict[int, str]] = {}
    count = 0
    row = -1
    for element in root.iterfind(f"{_S}sheetData/{_S}row"):
        row = _int(element.get("r"), row + 2) - 1
        column = -1
        for cell in element.iterfind(f"{_S}c"):
            column = _column(cell.get("r", ""), column + 1)
            text = normal(_value(cell, texts, dates, first_day)).strip()
            if not text or column >= MOST_COLUMNS:
                continue
            count += 1
            if row >= MOST_ROWS or count > MOST_CELLS:
                raise RefusedError(_LONG)
            found.setdefault(row, {})[column] = text
    return found


def _value(cell: Any, texts: list[str], dates: frozenset[int], first_day: date) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        inline = cell.find(f"{_S}is")
        return "" if inline is None else _text_of(inline)
    raw = cell.findtext(f"{_S}v") or ""
    if kind == "s":
        n = _int(raw, -1)
        return texts[n] if 0 <= n < len(texts) else ""
    if kind == "e":
        return ""
    if kind == "d":
        return raw[:10]
    if kind != "n":
        return raw
    try:
        number = float(raw)
    except ValueError:
        return ""
    if _int(cell.get("s"), 0) in dates and 0 < number < _LAST_SERIAL:
        day = first_day + timedelta(days=int(number))
        return f"{day.day:02}/{day.month:02}/{day.year}"
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else raw


def _column(place: str, default: int) -> int:
    """Return the column of “AB12”, from 0."""
    letters = place.rstrip("0123456789")[:3].upper()
    if not letters.isascii() or not letters.isalpha():
        return default
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1


def _int(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 9 else default


def _merged(root: Any) -> list[tuple[int, int, int, int]]:
    """Return the merged ranges: first row, first column, last row, last column."""
    found = []
    for element in root.iterfind(f"{_S}mergeCells/{_S}mergeCell"):
        first, _, last = element.get("ref", "").partition(":")
        rows = [_int(re.sub("[A-Za-z]", "", place), 0) - 1 for place in (first, last)]
        columns = [_column(place, -1) for place in (first, last)]
        if min(*rows, *columns) >= 0 and rows[0] <= rows[1] and columns[0] <= columns[1]:
            found.append((rows[0], columns[0], rows[1], columns[1]))
    return found


def _blocks(
    index: int, values: dict[int, dict[int, str]], merged: list[tuple[int, int, int, int]]
) -> Iterator[Block]:
    """Yield a sheet's lines above its table, the table, and the lines below."""
    wide = [row for row in values if len(values[row]) > _FEW]
    if not wide:
        for row in sorted(values):
            yield from _lines(index, row, values[row])
        return
    first, last = min(wide), max(wide)
    width = 1 + max(column for row in wide for column in values[row])
    for row in sorted(row for row in values if row < first):
        yield from _lines(index, row, values[row])
    covers = _covers(merged, first, last, width)
    rows: list[Row] = []
    for row in range(first, last + 1):
        cells = tuple(_cells(f"t:{index} r:{row}", values.get(row, {}), covers.get(row, {}), width))
        if any(cell.paragraphs or cell.above for cell in cells):
            rows.append(Row(cells, f"t:{index} r:{row}"))
    yield Table(index, tuple(rows))
    for row in sorted(row for row in values if row > last):
        yield from _lines(index, row, values[row])


def _covers(
    merged: list[tuple[int, int, int, int]], first: int, last: int, width: int
) -> dict[int, dict[int, tuple[int, bool]]]:
    """Return by row and column: how many columns are one cell, and whether it stands above."""
    found: dict[int, dict[int, tuple[int, bool]]] = {}
    for top, left, bottom, right in merged:
        if left >= width:
            continue
        span = min(right, width - 1) - left + 1
        for row in range(max(top, first), min(bottom, last) + 1):
            found.setdefault(row, {})[left] = (span, row > max(top, first))
    return found


def _cells(
    where: str, values: dict[int, str], covers: dict[int, tuple[int, bool]], width: int
) -> Iterator[Cell]:
    column = 0
    while column < width:
        span, above = covers.get(column, (1, False))
        if above:
            yield Cell(span=span, above=True)
        else:
            yield Cell(tuple(_paragraphs(values.get(column, ""), where)), span)
        column += span


def _lines(index: int, row: int, values: dict[int, str]) -> Iterator[Paragraph]:
    where = f"t:{index} r:{row}"
    for column in sorted(values):
        yield from (p for p in _paragraphs(values[column], where) if p.text)


def _paragraphs(text: str, where: str) -> Iterator[Paragraph]:
    if text:
        yield from (Paragraph(squeeze(line), where) for line in text.split("\n"))
