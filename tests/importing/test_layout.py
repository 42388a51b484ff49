"""A document as its paragraphs and tables."""

from __future__ import annotations

import json

from reminder.importing.layout import Cell, Change, Document, Paragraph, Row, Table, block, plain


def test_a_row_gives_each_column_its_cell() -> None:
    """A cell over two columns stands in both."""
    wide = Cell((Paragraph("Quý", "t:0 r:0"),), span=2)
    last = Cell((Paragraph("Ghi chú", "t:0 r:0"),))
    assert Row((wide, last), "t:0 r:0").columns == (wide, wide, last)


def test_paragraphs_come_in_order_and_merged_cells_once() -> None:
    """Paragraphs and cells in the document's order; what repeats the cell above is left out."""
    head, unit, after = (Paragraph(text, "") for text in ("Đầu", "Bộ phận", "Sau"))
    table = Table(0, (Row((Cell((unit,)),), ""), Row((Cell((unit,), above=True),), "")))
    document = Document("a.docx", "", "docx", (head, table, after))
    assert list(document.paragraphs()) == [head, unit, after]


def test_a_cell_is_read_line_by_line() -> None:
    """Each paragraph is a line, with the label that Word makes."""
    cell = Cell((Paragraph("Phương án", "", label="-"), Paragraph("Hợp đồng", "")))
    assert cell.text == "- Phương án\nHợp đồng"


def test_blocks_pass_between_processes() -> None:
    """What JSON carries is read as it was; a cell merged down repeats the cell above."""
    paragraph = Paragraph("Hạn 31/5", "p:3", "a)", 2, "Normal", True, (Change("30/4", "31/5"),))
    table = Table(
        1,
        (
            Row((Cell((paragraph,), 2), Cell()), "t:1 r:0"),
            Row((Cell(span=2, above=True), Cell(above=True)), "t:1 r:1"),
        ),
    )
    passed = [block(json.loads(json.dumps(one, default=plain))) for one in (paragraph, table)]
    rows = (table.rows[0], Row((Cell((paragraph,), 2, above=True), Cell(above=True)), "t:1 r:1"))
    assert passed == [paragraph, Table(1, rows)]
