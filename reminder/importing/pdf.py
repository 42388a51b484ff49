"""PDF with text → paragraphs and tables.

A PDF has words at places only. Lines are made of words, paragraphs of lines: a line goes on in the
next where the next one's first word did not fit on it. Tables are found by their rules, and go on
over page breaks.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

from reminder.domain.text import normal, squeeze
from reminder.importing.layout import Block, Cell, Paragraph, RefusedError, Row, Table

MOST_PAGES = 60  # at 0.2 s a page
_LOCKED = "tệp PDF đặt mật khẩu; xin lấy bản không có mật khẩu"
_GARBLED = "chữ trong tệp PDF không đọc ra được; xin lấy bản Word (.docx)"
_SCAN = "trang {} không có chữ, là ảnh quét; xin lấy bản Word (.docx) hoặc PDF xuất từ Word"
_NEAR = 3.0  # points within which edges and lines are the same
_PADDING = 6.0  # points between a cell's text and its rule, and what a margin may vary
_SLACK, _MORE_SLACK = 2.0, 12.0  # points by which a word has to fit, to have fitted
_GAP = 2.0  # of the letters' height: a wider gap parts two columns
_MARGIN = 0.12  # of the page's height, at its top and bottom, where page numbers stand
_FEWEST_LETTERS = 3  # a page with fewer, and with something drawn on it, is a scan
_PAGE_NUMBER = re.compile(r"(?i)(?:trang\s*)?[-–—]?\s*\d{1,3}\s*(?:/\s*\d{1,3})?\s*[-–—]?")
_LABEL = re.compile(
    r"(?:[-–—+•*▪]|(?:\d{1,2}|[IVX]{1,5})(?:\.\d{1,2})*[.)]|[a-zđ]\)|\d{1,2}(?:\.\d{1,2})+)\s"
)
_GOES_ON = re.compile(r"\b(?:ngày|tháng|năm|quý|số)$", re.IGNORECASE)
_BROKEN_DATE = re.compile(r"\d/$|\d/\d{1,2}/\d{1,3}$")
# The first half of names with a dash: “Văn hóa - Xã hội”.
_HALF_NAME = re.compile(
    r"\b(?:văn hóa|tài chính|địa chính|tư pháp|kinh tế|lao động|quốc phòng|nông nghiệp"
    r"|hạ tầng|dân số|thông tin|xây dựng|giáo dục)$",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Line:
    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    first_word: float  # its width
    bold: bool
    number: int = 0  # on its page, from 1
    outer: bool = False  # in the margin at the page's top or bottom


@dataclass(slots=True)
class _Grid:
    """A table as it stands on one page."""

    columns: list[float]  # the left edges
    rows: list[list[Cell]]
    tall: set[tuple[int, int]]  # row and cell that take several rows
    bottom: float


@dataclass(slots=True)
class _Reader:
    blocks: list[Block] = field(default_factory=list)
    tables: int = 0
    open_table: _Grid | None = None  # stands last on its page, so that it may go on
    open_lines: list[_Line] = field(default_factory=list)  # of the paragraph that may go on
    rights: dict[tuple[int, int], float] = field(default_factory=dict)  # margins by page size
    heads: frozenset[str] = frozenset()  # lines that stand on most pages
    place: str = ""  # of the paragraph that may go on

    def page(self, number: int, right: float, lines: list[_Line], grids: list[_Grid]) -> None:
        """Take a page's lines and tables in their order."""
        parts: list[_Line | _Grid] = [
            *(line for line in lines if not line.outer or line.text not in self.heads)
        ]
        for grid in grids:
            at = next((n for n, one in enumerate(parts) if one.bottom > grid.bottom), len(parts))
            parts.insert(at, grid)
        for n, part in enumerate(parts):
            if isinstance(part, _Grid):
                self.end_paragraph()
                if n == 0 and self.open_table is not None and _is_same(self.open_table, part):
                    self.extend(part, number)
                else:
                    self.begin(part, number)
                self.open_table = part
                continue
            self.open_table = None
            before = self.open_lines
            goes_on = bool(before) and (
                self.is_broken(part, right) if n == 0 else _continues(before, part, right)
            )
            if not goes_on:
                self.end_paragraph()
                self.place = f"tr:{number} dòng {part.number}"
            self.open_lines.append(part)

    def is_broken(self, line: _Line, right: float) -> bool:
        """Whether the paragraph at the end of a page goes on with the first line of the next."""
        last = self.open_lines[-1]
        return (
            _goes_on(last, line, right)
            and not _LABEL.match(line.text)
            and line.bold == last.bold
            and not last.text.endswith((".", ";", ":", "/"))
        )

    def end_paragraph(self) -> None:
        lines, self.open_lines = self.open_lines, []
        if lines:
            bold = all(line.bold for line in lines)
            self.blocks.append(Paragraph(_joined(lines), self.place, bold=bold))

    def begin(self, grid: _Grid, number: int) -> None:
        self.tables += 1
        rows = [self.row(cells, number, n) for n, cells in enumerate(grid.rows)]
        self.blocks.append(Table(self.tables, tuple(rows)))

    def row(self, cells: Sequence[Cell], number: int, n: int) -> Row:
        where = f"tr:{number} bảng {self.tables} dòng {n}"
        placed = [
            replace(cell, paragraphs=tuple(replace(p, where=where) for p in cell.paragraphs))
            for cell in cells
        ]
        return Row(tuple(placed), where)

    def extend(self, grid: _Grid, number: int) -> None:
        """Go on with the table of the page before: without its head, and with its broken row."""
        table = self.blocks.pop()
        assert isinstance(table, Table)
        rows = list(table.rows)
        cells = grid.rows
        skipped = 0
        while skipped < min(len(cells), len(rows)) and _same_text(cells[skipped], rows[skipped]):
            skipped += 1
        fresh = [
            # An empty cell over several rows goes on from the page before.
            [
                Cell(span=cell.span, above=True)
                if n == skipped and not cell.paragraphs and (n, _column(row, at)) in grid.tall
                else cell
                for at, cell in enumerate(row)
            ]
            for n, row in enumerate(cells)
            if n >= skipped
        ]
        if fresh and _is_rest(rows, fresh[0]):
            rest = self.row(fresh.pop(0), number, 0)
            rows[-1] = _with_rest(rows[-1], rest)
        rows += [self.row(cells, number, len(rows) + n) for n, cells in enumerate(fresh)]
        self.blocks.append(Table(table.index, tuple(rows)))


def read_pdf(source: BytesIO) -> Iterator[tuple[int, int, list[Block]]]:
    """Yield the pages read, of how many, and what was found so far."""
    import pdfplumber  # slow to import, and needed for PDF alone
    from pdfplumber.utils.exceptions import PdfminerException

    try:
        opened = pdfplumber.open(source)
        count = len(opened.pages)
    except PdfminerException as error:
        if "Password" in repr(error) or "Encryption" in repr(error):
            raise RefusedError(_LOCKED) from None
        raise
    if count > MOST_PAGES:
        raise RefusedError(
            f"tệp PDF có {count} trang, chỉ đọc được đến {MOST_PAGES}; xin tách phần kế hoạch"
        )
    if count == 0:
        raise RefusedError("tệp PDF không có trang nào")
    reader = _Reader()
    pages = []
    for number, page in enumerate(opened.pages, start=1):
        lines, grids = _page(page, number, is_last=number == count)
        pages.append(((round(page.width), round(page.height)), lines, grids))
        page.close()
        yield number, count, []
    reader.heads = _running_heads([lines for _, lines, _ in pages])
    for size, lines, _ in pages:
        furthest = max((line.x1 for line in lines), default=0.0)
        reader.rights[size] = max(reader.rights.get(size, 0.0), furthest)
    for number, (size, lines, grids) in enumerate(pages, start=1):
        reader.page(number, reader.rights[size], lines, grids)
    reader.end_paragraph()
    yield count, count, reader.blocks


def _is_same(before: _Grid, grid: _Grid) -> bool:
    """Return whether two tables have the same columns."""
    pairs = zip(before.columns, grid.columns, strict=False)
    return len(before.columns) == len(grid.columns) and all(abs(a - b) <= _NEAR for a, b in pairs)


def _same_text(cells: Sequence[Cell], row: Row) -> bool:
    texts = [squeeze(cell.text) for cell in cells]
    return any(texts) and texts == [squeeze(cell.text) for cell in row.cells]


def _column(row: Sequence[Cell], at: int) -> int:
    return sum(cell.span for cell in row[:at])


def _is_rest(rows: Sequence[Row], cells: Sequence[Cell]) -> bool:
    """Whether the first row of a page is what the last row of the page before had no room for.

    Its first cell, with the number, is empty, while those of all other rows are filled; or it goes
    on in the middle of a sentence.
    """
    last = rows[-1].cells
    if len(last) != len(cells) or not any(cell.paragraphs for cell in cells):
        return False
    if not cells[0].paragraphs and not cells[0].above:
        if all(row.cells[0].paragraphs or row.cells[0].above for row in rows):
            return True
    elif re.fullmatch(r"[\dIVX.]+\W?", cells[0].text):
        return False
    return any(
        new.text[:1].islower() and old.paragraphs and not old.text.endswith((".", ";", ":"))
        for old, new in zip(last, cells, strict=True)
    )


def _with_rest(row: Row, rest: Row) -> Row:
    cells = []
    for old, new in zip(row.cells, rest.cells, strict=True):
        before, after = list(old.paragraphs), list(new.paragraphs)
        is_open = before and not before[-1].text.endswith((".", ";", ":"))
        if is_open and after and not _LABEL.match(after[0].text):
            before[-1] = replace(before[-1], text=_joined([before[-1], after.pop(0)]))
        after = [replace(p, where=row.where) for p in after]
        cells.append(replace(old, paragraphs=(*before, *after)))
    return Row(tuple(cells), row.where)


def _page(page: Any, number: int, *, is_last: bool) -> tuple[list[_Line], list[_Grid]]:
    """Return the lines outside of tables, and the tables."""
    page = page.dedupe_chars(tolerance=1)
    words = page.extract_words(return_chars=True)
    letters = sum(char.isalpha() for word in words for char in word["text"])
    if letters < _FEWEST_LETTERS:
        if page.images or page.curves or page.rects or not is_last:
            raise RefusedError(_SCAN.format(number))
        return [], []
    if sum("(cid:" in word["text"] for word in words) * 4 > len(words):
        raise RefusedError(_GARBLED)
    grids: list[_Grid] = []
    outside = words
    for table in page.find_tables():
        if len(table.cells) > 1:
            left, top, right, bottom = table.bbox
            inside = [word for word in outside if _is_in(word, left, top, right, bottom)]
            outside = [word for word in outside if not _is_in(word, left, top, right, bottom)]
            grids.append(_grid(table.cells, inside))
    lines = _lines(outside)
    low, high = page.height * _MARGIN, page.height * (1 - _MARGIN)
    for line in lines:
        line.outer = line.bottom < low or line.top > high
    for at in (0, -1):
        if lines and lines[at].outer and _PAGE_NUMBER.fullmatch(lines[at].text):
            del lines[at]
    for n, line in enumerate(lines, start=1):
        line.number = n
    return lines, grids


def _is_in(word: Any, left: float, top: float, right: float, bottom: float) -> bool:
    x, y = (word["x0"] + word["x1"]) / 2, (word["top"] + word["bottom"]) / 2
    return bool(left <= x <= right and top <= y <= bottom)


def _lines(words: Sequence[Any]) -> list[_Line]:
    """Return the lines of some words, from top to bottom; columns side by side apart."""
    rows: list[list[Any]] = []
    for word in sorted(words, key=lambda word: (word["bottom"], word["x0"])):
        if rows and abs(rows[-1][-1]["bottom"] - word["bottom"]) <= _NEAR:
            rows[-1].append(word)
        else:
            rows.append([word])
    lines = []
    for row in rows:
        row.sort(key=lambda word: word["x0"])
        run: list[Any] = []
        for word in row:
            height = word["bottom"] - word["top"]
            is_label = len(run) == 1 and _LABEL.match(run[0]["text"] + " ")
            if run and not is_label and word["x0"] - run[-1]["x1"] > _GAP * height:
                lines.append(_line(run))
                run = []
            run.append(word)
        lines.append(_line(run))
    return lines


def _line(words: Sequence[Any]) -> _Line:
    # A dash at a line's start, as in “Văn hóa - Xã hội”, is kept with the word behind it.
    is_dash = len(words) > 1 and words[0]["text"] in ("-", "–")
    fonts = [char["fontname"] for word in words for char in word["chars"]]
    return _Line(
        text=squeeze(normal(" ".join(word["text"] for word in words))),
        x0=words[0]["x0"],
        x1=words[-1]["x1"],
        top=min(word["top"] for word in words),
        bottom=max(word["bottom"] for word in words),
        first_word=words[1 if is_dash else 0]["x1"] - words[0]["x0"],
        bold=all("bold" in font.lower() for font in fonts),
    )


def _running_heads(pages: Sequence[Sequence[_Line]]) -> frozenset[str]:
    """Return the lines that stand first or last on at least three pages, and on half of them."""
    ends: Counter[str] = Counter()
    for lines in pages:
        ends.update({line.text for line in (*lines[:1], *lines[-1:]) if line.outer})
    return frozenset(text for text, n in ends.items() if n >= 3 and 2 * n >= len(pages))


def _grid(boxes: Sequence[tuple[float, float, float, float]], words: Sequence[Any]) -> _Grid:
    """Return a table of cells at places, with the words inside."""
    columns = _edges([box[0] for box in boxes])
    tops = _edges([box[1] for box in boxes])
    starts: dict[tuple[int, int], Cell] = {}
    covered: dict[tuple[int, int], int] = {}  # → the columns of the cell that covers it from above
    tall = set()
    for left, top, right, bottom in boxes:
        row, column = _index(tops, top), _index(columns, left)
        span = max(1, _index(columns, right) - column)
        depth = max(1, _index(tops, bottom) - row)
        inside = [word for word in words if _is_in(word, left, top, right, bottom)]
        paragraphs = tuple(
            Paragraph(_joined(lines), "", bold=all(line.bold for line in lines))
            for lines in _paragraphs(_lines(inside), right - _PADDING)
        )
        starts[row, column] = Cell(paragraphs, span)
        covered.update({(row + n, column): span for n in range(1, depth)})
        if depth > 1:
            tall.add((row, column))
    rows = []
    for row in range(len(tops)):
        cells = []
        column = 0
        while column < len(columns):
            at = (row, column)
            cell = starts.get(at) or Cell(span=covered.get(at, 1), above=at in covered)
            cells.append(cell)
            column += cell.span
        rows.append(cells)
    return _Grid(columns, rows, tall, max(box[3] for box in boxes))


def _edges(places: Sequence[float]) -> list[float]:
    """Return the places in order, those close together once."""
    found: list[float] = []
    for place in sorted(places):
        if not found or place - found[-1] > _NEAR:
            found.append(place)
    return found


def _index(edges: Sequence[float], place: float) -> int:
    return bisect_left(edges, place - _NEAR)


def _paragraphs(lines: Sequence[_Line], right: float) -> list[list[_Line]]:
    found: list[list[_Line]] = []
    for line in lines:
        if found and _continues(found[-1], line, right):
            found[-1].append(line)
        else:
            found.append([line])
    return found


def _continues(before: Sequence[_Line], line: _Line, right: float) -> bool:
    """Return whether `line` goes on with the paragraph of the lines `before`."""
    last = before[-1]
    height = last.bottom - last.top
    if line.bold != last.bold and (last.bold or line.x0 > last.x0 + _PADDING):
        return False
    is_below = 0 < line.bottom - last.bottom < 2.2 * height
    overlaps = line.x0 < last.x1 and last.x0 < line.x1
    if not is_below or not overlaps:
        return False
    opened = _GOES_ON.search(last.text) or _BROKEN_DATE.search(last.text)
    if line.text[:1].isdigit() and opened and not _LABEL.match(line.text):
        return True
    is_name = line.text.startswith(("- ", "– ")) and _HALF_NAME.search(last.text)
    is_list = not is_name and _LABEL.match(line.text) and _LABEL.match(before[0].text)
    return _goes_on(last, line, right) and not is_list and line.x0 <= before[0].x0 + height


def _goes_on(last: _Line, line: _Line, right: float) -> bool:
    """Return whether the first word of `line` did not fit behind `last`."""
    blank = (last.bottom - last.top) / 4
    ends = last.text.endswith((".", ";", ":", "/"))
    # A small letter in the middle of a sentence hardly ever begins a paragraph.
    slack = _SLACK if ends or not line.text[:1].islower() else _MORE_SLACK
    if last.x1 + blank + line.first_word <= right - slack:
        return False
    return not (_LABEL.match(line.text) and (ends or abs(line.x0 - last.x0) > _NEAR))


def _joined(lines: Sequence[_Line | Paragraph]) -> str:
    """Return the lines as one text; a date that was broken in a narrow column is whole."""
    text = lines[0].text
    for line in lines[1:]:
        is_date = _BROKEN_DATE.search(text) and line.text[:1].isdigit()
        text += line.text if is_date else f" {line.text}"
    return text
