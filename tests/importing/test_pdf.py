"""PDF with text: paragraphs over lines and pages, tables over pages, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from reminder.importing.layout import Paragraph, RefusedError, Table
from reminder.importing.reading import read_document
from tests.importing.pdfs import HEIGHT, Item, Picture, Rule, Text, grid, pdf, prose
from tests.importing.words import written

COLUMNS = (60, 100, 300, 420, 540)
HEAD = ["STT", "Nội dung", "Chủ trì", "Thời hạn"]
BOTTOM = HEIGHT - 90


def read(folder: Path, pages: list[list[Item]]) -> list[Paragraph | Table]:
    return list(read_document(written(folder, "a.pdf", pdf(pages))).blocks)


def texts(blocks: list[Paragraph | Table]) -> list[str]:
    return [one.text for one in blocks if isinstance(one, Paragraph)]


def cells(blocks: list[Paragraph | Table]) -> list[list[tuple[str, int, bool]]]:
    (table,) = (one for one in blocks if isinstance(one, Table))
    return [[(cell.text, cell.span, cell.above) for cell in row.cells] for row in table.rows]


def plain(*rows: list[str]) -> list[list[tuple[str, int, bool]]]:
    return [[(text, 1, False) for text in row] for row in rows]


def test_lines_make_paragraphs(tmp_path: Path) -> None:
    """A line that was full goes on in the next; a label begins a paragraph."""
    wide = "Căn cứ Nghị quyết số 02 của Hội đồng nhân dân phường về nhiệm vụ năm 2027, ngày"
    page = prose(100, [wide, "05 tháng 12, như sau:", "1. Văn phòng:", "- Báo cáo quý.", "Ký."])
    assert read(tmp_path, [page]) == [
        Paragraph(f"{wide} 05 tháng 12, như sau:", "tr:1 dòng 1"),
        Paragraph("1. Văn phòng:", "tr:1 dòng 3"),
        Paragraph("- Báo cáo quý.", "tr:1 dòng 4"),
        Paragraph("Ký.", "tr:1 dòng 5"),
    ]


def test_names_with_a_dash(tmp_path: Path) -> None:
    """“Văn hóa - Xã hội” broken before its dash is one name; a list's items stay apart."""
    cell = ["Phòng Văn hóa", "- Xã hội"]
    items = ["- Kế hoạch", "- Báo cáo"]
    wide = "- Bộ phận chủ trì tham mưu, tổng hợp, theo dõi và báo cáo kết quả: Phòng Văn hóa"
    page: list[Item] = [
        *grid(100, (60, 150, 240), [[cell, items]]),
        *prose(300, [wide, "- Xã hội.", "- Phối hợp: Trạm Y tế."]),
    ]
    found = read(tmp_path, [page])
    assert cells(found) == [
        [("Phòng Văn hóa - Xã hội", 1, False), ("- Kế hoạch\n- Báo cáo", 1, False)]
    ]
    assert texts(found) == [f"{wide} - Xã hội.", "- Phối hợp: Trạm Y tế."]


def test_a_date_broken_in_a_narrow_column(tmp_path: Path) -> None:
    """Its pieces are one date, though the column is narrower than the date."""
    columns = (60, 110, 200)
    rows = [[["Trước", "15/12/202", "6"], ["Ngày 30/9/", "2026 họp"]]]
    assert cells(read(tmp_path, [grid(100, columns, rows)])) == [
        [("Trước 15/12/2026", 1, False), ("Ngày 30/9/2026 họp", 1, False)]
    ]


def test_a_number_and_its_text_may_stand_far_apart(tmp_path: Path) -> None:
    """Word puts a tab behind a number; columns side by side are apart all the same."""
    page: list[Item] = [
        *(Text(60, 100, "UBND PHƯỜNG"), Text(350, 100, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA")),
        *(Text(60, 130, "1."), Text(110, 130, "Phòng ngừa", bold=True)),
    ]
    assert texts(read(tmp_path, [page])) == [
        *["UBND PHƯỜNG", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA", "1. Phòng ngừa"],
    ]


def test_bold_paragraphs(tmp_path: Path) -> None:
    """The font's name says so; a heading is not joined with the text below."""
    long = "NHIỆM VỤ TRỌNG TÂM " * 5
    page: list[Item] = [Text(60, 100, long.strip(), bold=True), Text(60, 115, "Các bộ phận")]
    assert [(p.text, p.bold) for p in read(tmp_path, [page]) if isinstance(p, Paragraph)] == [
        (long.strip(), True),
        ("Các bộ phận", False),
    ]


def test_a_paragraph_over_a_page_break(tmp_path: Path) -> None:
    """Page numbers and running heads are no part of it."""
    wide = "Các bộ phận gửi báo cáo về Văn phòng để tổng hợp trình Chủ tịch xem xét trước ngày"
    pages: list[list[Item]] = []
    for n in range(3):
        page: list[Item] = [Text(300, 40, str(n + 1)), Text(60, 55, "Kế hoạch năm 2027")]
        pages.append([*page, *prose(100, [f"{n + 1}. Mục.", f"Trong quý {n}, {wide}"])])
    pages.append([Text(300, 40, "- 4 -"), Text(60, 55, "Kế hoạch năm 2027"),
                  *prose(100, ["15/12/2027.", "5. Mục cuối."])])  # fmt: skip
    assert texts(read(tmp_path, pages)) == [
        *["1. Mục.", f"Trong quý 0, {wide}", "2. Mục.", f"Trong quý 1, {wide}"],
        *["3. Mục.", f"Trong quý 2, {wide} 15/12/2027.", "5. Mục cuối."],
    ]


def test_a_table_with_merged_cells(tmp_path: Path) -> None:
    """A cell over several rows is merged down, a cell over several columns spans them."""
    rows = grid(100, COLUMNS, [HEAD, ["1", "Rà soát", "Văn phòng", "31/3"]])
    band: list[Item] = [
        *(Rule(60, 146, 60, 169), Rule(540, 146, 540, 169)),
        Text(65, 161, "I. PHẦN MỘT"),
    ]
    below = grid(169, COLUMNS, [["2", "Lập", "Tư pháp", "Quý I"], ["3", "Gửi", None, "Quý II"]])
    assert cells(read(tmp_path, [[*rows, *band, *below]])) == [
        *plain(HEAD, ["1", "Rà soát", "Văn phòng", "31/3"]),
        [("I. PHẦN MỘT", 4, False)],
        *plain(["2", "Lập", "Tư pháp", "Quý I"]),
        [("3", 1, False), ("Gửi", 1, False), ("Tư pháp", 1, True), ("Quý II", 1, False)],
    ]


def test_a_table_over_a_page_break(tmp_path: Path) -> None:
    """The head that is repeated is dropped, a row that was broken is joined."""
    first = grid(BOTTOM - 90, COLUMNS, [
        HEAD, ["1", "Rà soát", "Văn phòng", "31/3"],
        ["2", "Lập danh sách", "Tư pháp", "Trước ngày"],
    ])  # fmt: skip
    second = grid(60, COLUMNS, [
        HEAD, ["", "hộ nghèo", "", "15/8/2027"], ["3", "Báo cáo", "Văn phòng", "Quý IV"],
    ])  # fmt: skip
    blocks = read(tmp_path, [[*prose(100, ["Kế hoạch:"]), *first], [*second, *prose(300, ["Ký."])]])
    assert cells(blocks) == plain(
        HEAD,
        ["1", "Rà soát", "Văn phòng", "31/3"],
        ["2", "Lập danh sách hộ nghèo", "Tư pháp", "Trước ngày 15/8/2027"],
        ["3", "Báo cáo", "Văn phòng", "Quý IV"],
    )
    assert texts(blocks) == ["Kế hoạch:", "Ký."]
    (table,) = (one for one in blocks if isinstance(one, Table))
    assert [row.where for row in table.rows] == [
        *["tr:1 bảng 1 dòng 0", "tr:1 bảng 1 dòng 1", "tr:1 bảng 1 dòng 2", "tr:2 bảng 1 dòng 3"],
    ]


def test_a_row_without_a_number_is_a_row_where_others_have_none(tmp_path: Path) -> None:
    """Only the rest of a sentence is joined there."""
    first = grid(BOTTOM - 60, COLUMNS, [HEAD, ["", "Rà soát.", "Văn phòng", "31/3"]])
    second = grid(60, COLUMNS, [["", "Báo cáo", "Tư pháp", "Quý II"]])
    assert cells(read(tmp_path, [first, second])) == plain(
        HEAD, ["", "Rà soát.", "Văn phòng", "31/3"], ["", "Báo cáo", "Tư pháp", "Quý II"]
    )


def test_a_cell_over_rows_goes_on_over_the_page(tmp_path: Path) -> None:
    """It is empty on the next page, and holds for the rows there too."""
    first = grid(BOTTOM - 60, COLUMNS, [HEAD, ["1", "Rà soát", "Văn phòng", "31/3"]])
    second = grid(60, COLUMNS, [["2", "Lập", "", "Quý I"], ["3", "Gửi", None, "Quý II"]])
    assert cells(read(tmp_path, [first, second])) == [
        *plain(HEAD, ["1", "Rà soát", "Văn phòng", "31/3"]),
        [("2", 1, False), ("Lập", 1, False), ("Văn phòng", 1, True), ("Quý I", 1, False)],
        [("3", 1, False), ("Gửi", 1, False), ("Văn phòng", 1, True), ("Quý II", 1, False)],
    ]


def test_two_tables_on_two_pages(tmp_path: Path) -> None:
    """A table with other columns, or with text before it, is one of its own."""
    first = grid(BOTTOM - 60, COLUMNS, [HEAD, ["1", "Rà soát", "Văn phòng", "31/3"]])
    other = grid(60, (60, 200, 540), [["Mốc", "Việc"], ["31/3", "Lễ"]])
    same = grid(100, COLUMNS, [["2", "Lập", "Tư pháp", "Quý I"]])
    found = read(tmp_path, [first, other, [*prose(80, ["Phụ lục"]), *same]])
    assert [len(one.rows) if isinstance(one, Table) else one.text for one in found] == [
        *[2, 2, "Phụ lục", 1],
    ]


def test_progress_is_told(tmp_path: Path) -> None:
    """Page by page."""
    told: list[tuple[int, int]] = []
    path = written(tmp_path, "a.pdf", pdf([prose(100, ["Kế hoạch"])] * 3))
    read_document(path, lambda *pages: told.append(pages))
    assert told[:3] == [(1, 3), (2, 3), (3, 3)]


SECRET = (
    "/ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 "
    f"/O <{'1f' * 32}> /U <{'2e' * 32}> >>"
)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (pdf([prose(100, ["Kế hoạch"]), [Picture()]]), "trang 2 không có chữ, là ảnh quét"),
        (pdf([[Picture()]]), "trang 1 không có chữ, là ảnh quét"),
        (pdf([[], prose(100, ["Kế hoạch"])]), "trang 1 không có chữ"),
        (pdf([prose(100, ["Kế hoạch"])], trailer=SECRET), "mật khẩu"),
        (pdf([prose(100, ["Kế hoạch"])] * 61), "61 trang"),
        (pdf([]), "không có trang nào"),
        (pdf([[]]), "không có chữ nào"),
        (pdf([prose(100, ["Kế hoạch"])])[:700], "chưa trọn"),
        (b"%PDF-1.7\nlon xon\n%%EOF", "hỏng"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    """Scans, also of one page among others; passwords; too many pages; broken files."""
    with pytest.raises(RefusedError, match=why):
        read_document(written(tmp_path, "a.pdf", content))


def test_an_empty_last_page_is_left_out(tmp_path: Path) -> None:
    """Word leaves one behind now and then."""
    assert texts(read(tmp_path, [prose(100, ["Kế hoạch"]), []])) == ["Kế hoạch"]


@pytest.mark.thorough
def test_a_page_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    """The process that reads it may use so much memory and no more."""
    content = pdf([prose(100, ["Kế hoạch"])], blanks=400_000_000)
    assert len(content) < 10_000
    with pytest.raises(RefusedError, match=r"hỏng|quá lớn"):
        read_document(written(tmp_path, "a.pdf", content), memory=300 * 1024 * 1024)


@pytest.mark.thorough
def test_a_page_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    """The process that reads it may use so much time and no more."""
    page: list[Item] = [*prose(100, ["Kế hoạch"]), *[Rule(0, 0, 1, 1)] * 300_000]
    content = pdf([page])
    with pytest.raises(RefusedError, match="đọc mãi không xong"):
        read_document(written(tmp_path, "a.pdf", content), seconds=1)
