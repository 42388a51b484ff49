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
from typing import Literal

Kind = Literal["docx", "pdf", "txt", "xlsx"]


@dataclass(frozen=True, slots=True)
class Change:
    """A tracked change: what somebody deleted, and what was put in its place."""

    deleted: str = ""
    inserted: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; its text is NFC, on one line, with insertions in and deletions out."""

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
    # Word keeps the deleted paragraphs of tracked changes; they are no part of the blocks.
    deleted: tuple[Paragraph, ...] = ()

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
