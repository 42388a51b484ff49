"""Excel's .xlsx: a table of tasks as offices keep it."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from reminder.importing.layout import Paragraph, RefusedError, Table
from reminder.importing.reading import read_document
from tests.importing.words import written

Blocks = list[Paragraph | Table]


def made() -> tuple[Workbook, Worksheet]:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    return book, sheet


def read(folder: Path, book: Workbook) -> Blocks:
    out = BytesIO()
    book.save(out)
    return list(read_document(written(folder, "a.xlsx", out.getvalue())).blocks)


def cells(table: Paragraph | Table) -> list[tuple[str, list[tuple[str, int, bool]]]]:
    assert isinstance(table, Table)
    return [
        (row.where, [(cell.text, cell.span, cell.above) for cell in row.cells])
        for row in table.rows
    ]


def test_a_table_of_tasks(tmp_path: Path) -> None:
    """Lines above and below are paragraphs; dates are written as people write them."""
    book, sheet = made()
    sheet["A1"] = "UBND PHƯỜNG"
    sheet["A2"] = "KẾ HOẠCH NĂM 2027"
    sheet.merge_cells("A2:D2")
    for column, text in zip("ABCD", ("STT", "Việc", "Chủ trì", "Hạn"), strict=True):
        sheet[f"{column}4"] = text
    sheet["A5"], sheet["B5"], sheet["C5"] = 1, "Rà soát\nhộ nghèo", "Văn phòng"
    sheet["D5"] = date(2027, 3, 31)
    sheet["D5"].number_format = "dd/mm/yyyy"
    sheet["A7"], sheet["B7"], sheet["D7"] = 2.5, "Báo cáo", "Quý I"
    sheet.merge_cells("C5:C7")
    sheet["A9"] = "Người lập"
    found = read(tmp_path, book)
    assert found[0:2] == [
        Paragraph("UBND PHƯỜNG", "t:0 r:0"),
        Paragraph("KẾ HOẠCH NĂM 2027", "t:0 r:1"),
    ]
    assert cells(found[2]) == [
        ("t:0 r:3", [(text, 1, False) for text in ("STT", "Việc", "Chủ trì", "Hạn")]),
        (
            "t:0 r:4",
            [("1", 1, False), ("Rà soát\nhộ nghèo", 1, False), ("Văn phòng", 1, False),
             ("31/03/2027", 1, False)],
        ),
        ("t:0 r:5", [("", 1, False), ("", 1, False), ("Văn phòng", 1, True), ("", 1, False)]),
        (
            "t:0 r:6",
            [("2.5", 1, False), ("Báo cáo", 1, False), ("Văn phòng", 1, True),
             ("Quý I", 1, False)],
        ),
    ]  # fmt: skip
    assert found[3:] == [Paragraph("Người lập", "t:0 r:8")]


def test_cells_over_columns(tmp_path: Path) -> None:
    """A head over four quarters spans their columns."""
    book, sheet = made()
    sheet.append(["Việc", "Chủ trì", "Thời gian", None, None, None])
    sheet.append([None, None, "I", "II", "III", "IV"])
    sheet.append(["Rà soát", "Văn phòng", "x", None, None, "x"])
    for area in ("A1:A2", "B1:B2", "C1:F1"):
        sheet.merge_cells(area)
    (table,) = read(tmp_path, book)
    assert cells(table) == [
        ("t:0 r:0", [("Việc", 1, False), ("Chủ trì", 1, False), ("Thời gian", 4, False)]),
        (
            "t:0 r:1",
            [("Việc", 1, True), ("Chủ trì", 1, True), *((n, 1, False) for n in ("I", "II")),
             *((n, 1, False) for n in ("III", "IV"))],
        ),
        ("t:0 r:2", [(text, 1, False) for text in ("Rà soát", "Văn phòng", "x", "", "", "x")]),
    ]  # fmt: skip


def test_hidden_sheets_are_left_out(tmp_path: Path) -> None:
    """Sheets count from 0 without them."""
    book, sheet = made()
    sheet.append(["Ẩn", "đi", "nhé"])
    sheet.sheet_state = "hidden"
    book.create_sheet("Kế hoạch").append(["Việc", "Chủ trì", "Hạn"])
    book.create_sheet("Ghi chú").append(["Một dòng"])
    table, line = read(tmp_path, book)
    assert cells(table) == [("t:0 r:0", [(t, 1, False) for t in ("Việc", "Chủ trì", "Hạn")])]
    assert line == Paragraph("Một dòng", "t:1 r:0")


def test_numbers_formulas_and_faults(tmp_path: Path) -> None:
    """Whole numbers have no point; a formula that was never computed and an error are empty."""
    book, sheet = made()
    sheet.append([45000, 0.5, True, "=1+1", "#N/A", "chữ"])
    (table,) = read(tmp_path, book)
    assert [text for text, _, _ in cells(table)[0][1]] == ["45000", "0.5", "1", "", "", "chữ"]


@pytest.mark.parametrize(
    ("row", "column", "text"), [(30_000, 1, "dài hơn"), (1_048_576, 2, "dài hơn")]
)
def test_a_sheet_that_is_too_long(tmp_path: Path, row: int, column: int, text: str) -> None:
    """Refused in a sentence."""
    book, sheet = made()
    sheet.cell(row, column, "x")
    with pytest.raises(RefusedError, match=text):
        read(tmp_path, book)
