"""A document as its paragraphs and tables, whatever format it came in.

A place (`where`) is written so that people and tests can find it again:

- `p:11` is the paragraph `doc.paragraphs[11]` of python-docx, `t:1 r:4` the fifth row of the second
  table (the letterhead is table 0), `sdt` a block content control of Word;
- `line:30` is the 30th line of a text file;
- `tr:2 dòng 5` is the fifth line of a PDF's second page, `tr:2 bảng 1 dòng 3` the third row of the
  PDF's first table, on the second page;
- `t:0 r:4` is the row 5 of the first sheet of a workbook.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from reminder.domain.errors import ReminderError

Kind = Literal["docx", "pdf", "txt", "xlsx"]


class RefusedError(ReminderError):
    """A document that is not read; the text is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Change:
    """A tracked change: what somebody deleted, and what was put in its place."""

    deleted: str = ""
    inserted: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A line of a paragraph: NFC, with insertions in and deletions out.

    A paragraph with line breaks gives several, of one place.
    """

    text: str
    where: str
    label: str = ""  # the number or bullet that Word makes: “1.”, “a)”, “-”
    level: int = 0  # of the label's list, from 0
    style: str = ""  # Word's name of the style: “Heading 1”
    bold: bool = False  # all of it
    changes: tuple[Change, ...] = ()

    @property
    def full(self) -> str:
        """The text as people see it, with its label."""
        return f"{self.label} {self.text}".strip()


@dataclass(frozen=True, slots=True)
class Cell:
    """A table's cell; what stands in nested tables follows as paragraphs."""

    paragraphs: tuple[Paragraph, ...] = ()
    span: int = 1  # columns that it takes
    above: bool = False  # merged with the cell above, whose paragraphs it repeats

    @property
    def text(self) -> str:
        """The paragraphs, a line each."""
        return "\n".join(p.full for p in self.paragraphs)


@dataclass(frozen=True, slots=True)
class Row:
    """A table's row."""

    cells: tuple[Cell, ...]
    where: str

    @property
    def columns(self) -> tuple[Cell, ...]:
        """The cell of each column; one that spans several stands there as often."""
        return tuple(cell for cell in self.cells for _ in range(cell.span))


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `index` counts from 0, and is None within a content control."""

    index: int | None
    rows: tuple[Row, ...]


Block = Paragraph | Table


@dataclass(frozen=True, slots=True)
class Document:
    """What was read: paragraphs and tables in the document's order."""

    name: str  # the file's name without its folder
    sha256: str
    kind: Kind
    blocks: tuple[Block, ...]

    def paragraphs(self) -> Iterator[Paragraph]:
        """Yield every paragraph, those of tables too; a cell that is merged down once."""
        for block in self.blocks:
            if isinstance(block, Paragraph):
                yield block
                continue
            for row in block.rows:
                for cell in row.cells:
                    if not cell.above:
                        yield from cell.paragraphs


def plain(value: Any) -> Any:
    """Return what `json.dumps` is to write for a block, row, cell, paragraph or change."""
    match value:
        case Change():
            return [value.deleted, value.inserted]
        case Paragraph():
            p = value
            return [p.text, p.where, p.label, p.level, p.style, p.bold, p.changes]
        case Cell():
            return [value.paragraphs, value.span, value.above]
        case Row():
            return [value.cells, value.where]
        case Table():
            return {"index": value.index, "rows": value.rows}
    raise TypeError(type(value))


def block(raw: Any) -> Block:
    """Return the block that `plain` wrote; a merged cell gets the paragraphs of the cell above."""
    if isinstance(raw, list):
        return _paragraph(raw)
    rows: list[Row] = []
    for cells, where in raw["rows"]:
        above = rows[-1].columns if rows else ()
        found: list[Cell] = []
        column = 0
        for paragraphs, span, merged in cells:
            if merged and column < len(above):
                found.append(Cell(above[column].paragraphs, span, above=True))
            else:
                found.append(Cell(tuple(map(_paragraph, paragraphs)), span))
            column += span
        rows.append(Row(tuple(found), where))
    return Table(raw["index"], tuple(rows))


def _paragraph(raw: Any) -> Paragraph:
    text, where, label, level, style, bold, changes = raw
    found = tuple(Change(*change) for change in changes)
    return Paragraph(text, where, label, level, style, bold, found)
