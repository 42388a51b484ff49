"""Word's .docx: numbers, tracked changes, content controls, merged cells."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

import docx as python_docx
import pytest

from reminder.importing.layout import Change, Paragraph, Table
from reminder.importing.numbering import formatted
from reminder.importing.word import read_word
from tests.importing.words import (
    changed,
    docx,
    item,
    level,
    numbered,
    p,
    run,
    table,
    tc,
    tr,
)


def read(content: bytes) -> list[Paragraph | Table]:
    with ZipFile(BytesIO(content)) as archive:
        return read_word(archive, "word/document.xml")


def texts(content: bytes) -> list[str]:
    return [one.full for one in read(content) if isinstance(one, Paragraph)]


def rows(content: bytes) -> list[list[tuple[str, int, bool]]]:
    (found,) = (one for one in read(content) if isinstance(one, Table))
    return [[(cell.text, cell.span, cell.above) for cell in row.cells] for row in found.rows]


OUTLINE = (
    '<w:abstractNum w:abstractNumId="7">'
    + level(0, "upperRoman", "%1.")
    + level(1, "decimal", "%2.")
    + level(2, "decimal", "%2.%3.")
    + level(3, "lowerLetter", "%4)")
    + "</w:abstractNum>"
    '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
)


def test_the_levels_of_a_list_count_apart() -> None:
    """A level counts on until a higher one begins anew; its text may name the levels above."""
    body = "".join(
        item(text, n)
        for text, n in [
            *[("Mục tiêu", 0), ("Nhiệm vụ", 0), ("Thể chế", 1), ("Rà soát", 2), ("Công bố", 2)],
            *[("Lần một", 3), ("Lần hai", 3), ("Thủ tục", 1), ("Niêm yết", 2), ("Tổ chức", 0)],
            ("Văn phòng", 1),
        ]
    )
    assert texts(docx(body, numbering=OUTLINE)) == [
        *["I. Mục tiêu", "II. Nhiệm vụ", "1. Thể chế", "1.1. Rà soát", "1.2. Công bố"],
        *["a) Lần một", "b) Lần hai", "2. Thủ tục", "2.1. Niêm yết", "III. Tổ chức"],
        "1. Văn phòng",
    ]


def test_two_lists_of_one_definition_count_on_or_begin_anew() -> None:
    """A list continues another of its definition, unless it says where to start."""
    numbering = (
        f'<w:abstractNum w:abstractNumId="7">{level(0, "decimal", "%1)")}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
        '<w:num w:numId="2"><w:abstractNumId w:val="7"/></w:num>'
        '<w:num w:numId="3"><w:abstractNumId w:val="7"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>'
    )
    body = item("a") + item("b", list_id=2) + item("c", list_id=3) + item("d", list_id=3)
    assert texts(docx(body, numbering=numbering)) == ["1) a", "2) b", "1) c", "2) d"]


def test_a_level_begins_anew_as_its_definition_says() -> None:
    """Never (0), or only after a given level; and all figures where the level is legal."""
    numbering = (
        '<w:abstractNum w:abstractNumId="7">'
        + level(0, "upperRoman", "Phần %1")
        + level(1, "decimal", "Điều %2.", '<w:lvlRestart w:val="0"/>')
        + level(2, "decimal", "%1.%2.%3", "<w:isLgl/>")
        + '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
    )
    body = "".join(item("x", n) for n in (0, 1, 1, 2, 0, 1, 2))
    assert [text.removesuffix(" x") for text in texts(docx(body, numbering=numbering))] == [
        *["Phần I", "Điều 1.", "Điều 2.", "1.2.1", "Phần II", "Điều 3.", "2.3.1"],
    ]


@pytest.mark.parametrize(
    ("number", "form", "text"),
    [
        *[(4, "upperRoman", "IV"), (14, "lowerRoman", "xiv"), (2, "lowerLetter", "b")],
        *[(28, "upperLetter", "BB"), (5, "decimalZero", "05"), (3, "none", "")],
        *[(7, "chicago", "7"), (99999, "upperRoman", "99999")],
    ],
)
def test_formats_of_numbers(number: int, form: str, text: str) -> None:
    """Roman figures, letters and figures; an unknown format is in figures."""
    assert formatted(number, form) == text


def test_bullets_are_dashes_unless_they_are_signs() -> None:
    """A bullet from a font of symbols is “-”."""
    numbering = "".join(
        f'<w:abstractNum w:abstractNumId="{n}">{level(0, "bullet", sign)}</w:abstractNum>'
        f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n}"/></w:num>'
        for n, sign in ((1, "\uf0b7"), (2, "+"))
    )
    body = item("a", list_id=1) + item("b", list_id=2) + item("c", list_id=0)
    assert texts(docx(body, numbering=numbering)) == ["- a", "+ b", "c"]


def test_a_style_may_number_its_paragraphs() -> None:
    """The level is the one that names the style; a style built on it numbers too."""
    styles = (
        '<w:style w:type="paragraph" w:styleId="H1"><w:name w:val="Heading 1"/><w:pPr><w:numPr>'
        '<w:numId w:val="1"/></w:numPr></w:pPr><w:rPr><w:b/></w:rPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="H2"><w:name w:val="Heading 2"/><w:basedOn '
        'w:val="H1"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    )
    numbering = (
        '<w:abstractNum w:abstractNumId="7">'
        + level(0, "upperRoman", "%1.", '<w:pStyle w:val="H1"/>')
        + level(1, "decimal", "%2.", '<w:pStyle w:val="H2"/>')
        + '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
    )
    body = "".join(
        p(text, properties=f'<w:pStyle w:val="{style}"/>')
        for text, style in (("Nhiệm vụ", "H1"), ("Thể chế", "H2"), ("Thủ tục", "H2"))
    )
    assert read(docx(body, numbering=numbering, styles=styles)) == [
        Paragraph("Nhiệm vụ", "p:0", "I.", 0, "Heading 1", bold=True),
        Paragraph("Thể chế", "p:1", "1.", 1, "Heading 2", bold=True),
        Paragraph("Thủ tục", "p:2", "2.", 1, "Heading 2", bold=True),
    ]


def test_tracked_changes_are_accepted_and_told() -> None:
    """Insertions are in, deletions out; what replaced what stands beside the text."""
    body = p(
        "Chậm nhất ", changed("del", "30/4/2026"), changed("ins", "31/5/2026"), " tại ",
        changed("moveFrom", "xã"), changed("moveTo", "phường"),
    )  # fmt: skip
    assert read(docx(body)) == [
        Paragraph(
            "Chậm nhất 31/5/2026 tại phường",
            "p:0",
            changes=(Change("30/4/2026", "31/5/2026"), Change("xã", "phường")),
        )
    ]


def test_a_deleted_paragraph_is_gone_and_takes_no_number() -> None:
    """It counts as a paragraph of the file."""
    gone = p(
        changed("del", "Mua áo phao."),
        properties=numbered(1) + '<w:rPr><w:del w:id="9" w:author="Văn thư"/></w:rPr>',
    )
    content = docx(item("Một", 1) + gone + item("Hai", 1), numbering=OUTLINE)
    assert read(content) == [
        Paragraph("Một", "p:0", "1.", 1),
        Paragraph("Hai", "p:2", "2.", 1),
    ]


def test_a_deleted_mark_joins_two_paragraphs() -> None:
    """The text goes on in the next paragraph, whose properties hold."""
    first = p("Báo cáo ", properties='<w:rPr><w:del w:id="9" w:author="x"/></w:rPr>')
    assert read(docx(first + p("quý I."))) == [Paragraph("Báo cáo quý I.", "p:1")]


def test_a_deleted_row_is_gone_and_counts() -> None:
    """The row after it keeps its number in the file."""
    row = tr("2", "Bỏ", properties='<w:del w:id="9" w:author="x"/>')
    (found,) = read(docx(table(tr("1", "Giữ"), row, tr("3", "Thêm"))))
    assert isinstance(found, Table)
    assert [(row.where, row.cells[1].text) for row in found.rows] == [
        ("t:0 r:0", "Giữ"),
        ("t:0 r:2", "Thêm"),
    ]


def test_content_controls_are_read_but_not_their_prompts() -> None:
    """In a line, around paragraphs, rows and cells; python-docx doesn't count them."""

    def control(inside: str, properties: str = "") -> str:
        return (
            f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{inside}</w:sdtContent></w:sdt>"
        )

    body = (
        p("Hạn: ", control(run("20/5/2026")), ".")
        + p("Hạn: ", control(run("Bấm để chọn ngày"), "<w:showingPlcHdr/>"))
        + control(p("Việc thêm"))
        + control(p("Mục lục"), '<w:docPartObj><w:docPartGallery w:val="Table of Contents"/>'
                  "</w:docPartObj>")
        + p("Sau")
        + table(tr("a", control(tc("b"))), control(tr("c", "d")), tr("e", "f"))
    )  # fmt: skip
    found = read(docx(body))
    assert found[:4] == [
        Paragraph("Hạn: 20/5/2026.", "p:0"),
        Paragraph("Hạn:", "p:1"),
        Paragraph("Việc thêm", "sdt"),
        Paragraph("Sau", "p:2"),
    ]
    assert isinstance(found[4], Table)
    assert [(row.where, [cell.text for cell in row.cells]) for row in found[4].rows] == [
        ("t:0 r:0", ["a", "b"]),
        ("t:0", ["c", "d"]),
        ("t:0 r:1", ["e", "f"]),
    ]


def test_merged_cells() -> None:
    """A cell spans columns, or repeats the cell above; columns may be left out at the start."""
    down, on = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    content = docx(
        table(
            tr("STT", tc("Thời gian", properties='<w:gridSpan w:val="2"/>')),
            tr("1", tc("Quý I", properties=down), "x"),
            tr("2", tc("", properties=on), "y"),
            tr("z", properties='<w:gridBefore w:val="2"/>'),
        )
    )
    assert rows(content) == [
        [("STT", 1, False), ("Thời gian", 2, False)],
        [("1", 1, False), ("Quý I", 1, False), ("x", 1, False)],
        [("2", 1, False), ("", 1, True), ("y", 1, False)],
        [("", 2, False), ("z", 1, False)],
    ]


def test_lines_of_a_cell() -> None:
    """A line break makes a line, an empty paragraph between two stays, nested tables follow."""
    nested = table(tr("c", "d"))
    cell = tc(p(run("a"), "<w:r><w:br/></w:r>", run("b")), "", nested, "")
    assert rows(docx(table(tr(cell)))) == [[("a\nb\n\nc\nd", 1, False)]]


def test_marks_from_symbol_fonts_are_crosses() -> None:
    """A tick of Wingdings is “x”, whether it is a symbol or a letter in that font."""
    symbol = '<w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>'
    letter = run("\u00fc", '<w:rFonts w:ascii="Wingdings"/>')
    assert texts(docx(p(symbol) + p(letter))) == ["x", "x"]


def test_what_is_not_seen_is_not_read() -> None:
    """Hidden text, field codes; of a shape's two versions the first, once."""
    box = (
        "<w:r><mc:AlternateContent><mc:Choice><w:txbxContent>{0}</w:txbxContent></mc:Choice>"
        "<mc:Fallback><w:txbxContent>{0}</w:txbxContent></mc:Fallback></mc:AlternateContent></w:r>"
    ).format(p("trong khung"))
    body = (
        p("a", run("ẩn", "<w:vanish/>"), run("PAGE", tag="instrText"), "b")
        + p("ngoài", box)
        + p("link: ", "<w:hyperlink>" + run("đây") + "</w:hyperlink>")
    )
    assert texts(docx(body)) == ["ab", "ngoài", "trong khung", "link: đây"]


def test_paragraphs_count_as_in_python_docx() -> None:
    """`p:n` is `doc.paragraphs[n]`, `t:n r:m` is `doc.tables[n].rows[m]`."""
    made = python_docx.Document()
    made.add_paragraph("đầu")
    made.add_paragraph("")
    made.add_table(2, 2).cell(1, 0).text = "ô"
    made.add_paragraph("giữa")
    made.add_table(1, 1).cell(0, 0).text = "ô cuối"
    out = BytesIO()
    made.save(out)
    paragraphs = {f"p:{n}": one.text for n, one in enumerate(made.paragraphs) if one.text}
    found = read(out.getvalue())
    assert {one.where: one.text for one in found if isinstance(one, Paragraph)} == paragraphs
    assert [
        (row.where, cell.text)
        for one in found
        if isinstance(one, Table)
        for row in one.rows
        for cell in row.cells
        if cell.text
    ] == [("t:0 r:1", "ô"), ("t:1 r:0", "ô cuối")]
