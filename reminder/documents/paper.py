"""An official paper as .docx, laid out as NĐ 30/2020/NĐ-CP, appendix I, says.

A4 upright, Times New Roman in black; the page number is in the middle of the top margin, not on the
first page of a part. The same calls give the same bytes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from io import BytesIO
from typing import Literal, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.section import Section
from docx.shared import Cm, Pt, Twips
from docx.table import Table, _Cell, _Row
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from reminder.domain.text import normal

TWIPS_A_POINT = 20
_USUAL = 500  # digits, and letters that are not listed
# Advance widths of the font in bold, in thousandths of its size; diacritics have none.
_GROUPS = {
    250: " .,",
    278: "il/",
    333: "fjt-;:()",
    389: "Is",
    444: "cerz",
    556: "Sbdhknpquđ",
    611: "FP",
    667: "BELTZ",
    722: "ACDNRUVXYwĐ",
    778: "GHKOQ",
    833: "m",
    944: "M",
    1000: "W…",
}
_WIDTHS = {char: width for width, group in _GROUPS.items() for char in group}


def bold_width(text: str, points: float) -> int:
    """Return the width of `text` in bold at `points`, in twips."""
    thousandths = sum(
        _WIDTHS.get(char, _USUAL)
        for char in unicodedata.normalize("NFD", text)
        if not unicodedata.combining(char)
    )
    return round(thousandths * points * TWIPS_A_POINT / 1000)


FONT = "Times New Roman"
BODY = 14.0  # points of the text; the decree allows 13 and 14
PAGE = (11_906, 16_838)  # A4 in twips
TOP, BOTTOM, LEFT, RIGHT = 1134, 1134, 1701, 851  # 20, 20, 30 and 15 mm, rounded up
WIDTH = PAGE[0] - LEFT - RIGHT  # of the text
FIRST_LINE = Cm(1.27)
SPACING = 1.15  # lines; the decree allows 1 to 1.5
HEADER = Cm(1.0)  # from the edge to the page's number
_FONT_KINDS = ("ascii", "hAnsi", "eastAsia", "cs")


class Piece(NamedTuple):
    """A run of text in one style."""

    text: str
    bold: bool = False
    italic: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """The format of a paragraph; lengths in points, `indent` in twips."""

    size: float = BODY
    align: Literal["left", "center", "right", "justify"] = "justify"
    before: float = 0
    after: float = 6
    spacing: float = SPACING
    indent: int = 0
    first_line: bool = True
    together: bool = False  # on the same page as the next paragraph
    style: str = ""  # the style of a heading, from which Word makes a table of contents


TEXT = Look()
CENTRED = Look(align="center", after=0, spacing=1, first_line=False)
FLUSH = replace(CENTRED, align="left")
_ALIGN = {
    "left": WD_ALIGN_PARAGRAPH.LEFT,
    "center": WD_ALIGN_PARAGRAPH.CENTER,
    "right": WD_ALIGN_PARAGRAPH.RIGHT,
    "justify": WD_ALIGN_PARAGRAPH.JUSTIFY,
}


class Paper:
    """A paper to which paragraphs and tables are added; texts may hold any characters."""

    def __init__(self, title: str, day: date) -> None:
        """`title` and `day` go into the properties of the file."""
        self._day = day
        self.document = Document()
        _format_styles(self.document.styles.element)
        properties = self.document.core_properties
        properties.title, properties.author = clean(title)[:250], ""
        properties.comments = properties.last_modified_by = ""
        properties.created = properties.modified = datetime.combine(day, time())
        self._sheet(self.document.sections[0])

    def _sheet(self, section: Section) -> None:
        section.page_width, section.page_height = (Twips(side) for side in PAGE)
        section.top_margin, section.bottom_margin = Twips(TOP), Twips(BOTTOM)
        section.left_margin, section.right_margin = Twips(LEFT), Twips(RIGHT)
        section.header_distance = section.footer_distance = HEADER
        section.different_first_page_header_footer = True

    def add_header(self, mark: str) -> None:
        """Add the header: the page number; on the first page of a part `mark`."""
        section = self.document.sections[0]
        number = section.header.paragraphs[0]
        number.alignment = _ALIGN["center"]
        _page_number(number)
        first = section.first_page_header.paragraphs[0]
        first.alignment = _ALIGN["right"]
        _format(first.add_run(clean(mark)), 12, bold=True)

    def add_part(self) -> None:
        """Begin an annex on a new page, with page numbers from 1."""
        self._sheet(section := self.document.add_section())
        # The schema's order: behind the margins, before the columns.
        margins = section._sectPr.find(qn("w:pgMar"))  # noqa: SLF001 - python-docx has no way
        margins.addnext(_xml('<w:pgNumType w:start="1"/>'))

    def add(self, *pieces: Piece | str, look: Look = TEXT, into: _Cell | None = None) -> Paragraph:
        """Add a paragraph to the body, or to the cell `into`."""
        paragraph = self.document.add_paragraph() if into is None else _added(into)
        if look.style:
            paragraph.style = self.document.styles[look.style]
        paragraph.alignment = _ALIGN[look.align]
        shape = paragraph.paragraph_format
        shape.space_before, shape.space_after = Pt(look.before), Pt(look.after)
        shape.line_spacing = look.spacing
        shape.left_indent = Twips(look.indent) if look.indent else None
        shape.first_line_indent = FIRST_LINE if look.first_line else None
        shape.keep_with_next = look.together or None
        for piece in pieces:
            words = Piece(piece) if isinstance(piece, str) else piece
            run = paragraph.add_run(clean(words.text))
            _format(run, look.size, bold=words.bold, italic=words.italic)
        return paragraph

    def add_rule(self, length: int, width: int = WIDTH, into: _Cell | None = None) -> None:
        """Add a line of `length` twips in the middle of `width`.

        It is the border of an empty paragraph, which all word processors show alike.
        """
        paragraph = self.add(look=replace(CENTRED, size=2, after=2, before=3), into=into)
        side = max(0, (width - length) // 2)
        paragraph.paragraph_format.left_indent = Twips(side)
        paragraph.paragraph_format.right_indent = Twips(side)
        paragraph.paragraph_format.line_spacing = Pt(4)
        # The schema's order: before the spacing.
        spacing = paragraph.paragraph_format.element.get_or_add_pPr().find(qn("w:spacing"))
        spacing.addprevious(_xml(f"<w:pBdr>{_border('top', 6)}</w:pBdr>"))

    def add_table(self, widths: Sequence[int], *, ruled: bool = False) -> Table:
        """Add a table without rows; `widths` of the columns in twips, `ruled` with borders."""
        table: Table = self.document.add_table(0, len(widths))
        table.autofit = False
        for column, width in zip(table.columns, widths, strict=True):
            column.width = Twips(width)
        properties = table._tbl.tblPr  # noqa: SLF001 - python-docx has no way to what follows
        layout = properties.find(qn("w:tblLayout"))
        if ruled:
            sides = ("top", "left", "bottom", "right", "insideH", "insideV")
            borders = "".join(_border(side, 4) for side in sides)
            layout.addprevious(_xml(f"<w:tblBorders>{borders}</w:tblBorders>"))
        margin = f'w:w="{70 if ruled else 0}" w:type="dxa"'
        layout.addnext(_xml(f"<w:tblCellMar><w:left {margin}/><w:right {margin}/></w:tblCellMar>"))
        return table

    def save(self) -> bytes:
        """Return the file; its parts are packed anew, since python-docx dates them by the clock."""
        raw, packed = BytesIO(), BytesIO()
        self.document.save(raw)
        stamp = (max(self._day.year, 1980), self._day.month, self._day.day, 0, 0, 0)
        with ZipFile(raw) as old, ZipFile(packed, "w") as new:
            for name in old.namelist():
                part = ZipInfo(name, stamp)
                part.compress_type = ZIP_DEFLATED
                part.create_system = 0  # the same on every system
                new.writestr(part, old.read(name))
        return packed.getvalue()


def add_row(table: Table, *, repeat: bool = False) -> tuple[_Cell, ...]:
    """Add a row that is not split between pages; `repeat` it at the top of each page."""
    added: _Row = table.add_row()  # type: ignore[no-untyped-call]  # python-docx leaves it out
    properties = added._tr.get_or_add_trPr()  # noqa: SLF001 - python-docx has no way
    properties.append(_xml("<w:cantSplit/>"))
    if repeat:
        properties.append(_xml("<w:tblHeader/>"))
    cells: tuple[_Cell, ...] = added.cells
    return cells


def clean(text: str) -> str:
    """Return `text` on one line, without characters that XML can't hold."""
    return normal(text).replace("\n", " ").replace("\t", " ")


def _added(cell: _Cell) -> Paragraph:
    """Return a new paragraph in `cell`, or the empty one with which a cell is made."""
    only: Paragraph = cell.paragraphs[0]
    fresh = (
        len(cell.paragraphs) == 1 and not only.runs and only.paragraph_format.line_spacing is None
    )
    return only if fresh else cell.add_paragraph()


def _xml(text: str) -> BaseOxmlElement:
    """Return an element of WordprocessingML."""
    element: BaseOxmlElement = parse_xml(f"<x {nsdecls('w')}>{text}</x>")[0]
    return element


def _border(side: str, size: int) -> str:
    return f'<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="000000"/>'


def _format(run: Run, size: float, *, bold: bool = False, italic: bool = False) -> None:
    run.font.size, run.font.name = Pt(size), FONT
    run.bold, run.italic = bold, italic
    properties = run._r.get_or_add_rPr()  # noqa: SLF001 - python-docx sets two of four fonts only
    _same_font(properties.find(qn("w:rFonts")))
    properties.find(qn("w:sz")).addnext(_xml(f'<w:szCs w:val="{round(size * 2)}"/>'))


def _same_font(fonts: BaseOxmlElement) -> None:
    fonts.attrib.clear()
    for kind in _FONT_KINDS:
        fonts.set(qn(f"w:{kind}"), FONT)


def _page_number(paragraph: Paragraph) -> None:
    for mark in (
        '<w:fldChar w:fldCharType="begin"/>',
        "<w:instrText>PAGE</w:instrText>",
        '<w:fldChar w:fldCharType="separate"/>',
        "<w:t>2</w:t>",
        '<w:fldChar w:fldCharType="end"/>',
    ):
        run = paragraph.add_run()
        _format(run, BODY)
        run._r.append(_xml(mark))  # noqa: SLF001 - python-docx has no fields


def _format_styles(styles: BaseOxmlElement) -> None:
    """Set the font, the colour and the language of all styles of python-docx's template."""
    for fonts in styles.iter(qn("w:rFonts")):
        _same_font(fonts)
    for colour in styles.iter(qn("w:color")):
        colour.attrib.clear()
        colour.set(qn("w:val"), "000000")
    for language in styles.iter(qn("w:lang")):
        language.attrib.clear()
        for kind in ("val", "eastAsia", "bidi"):
            language.set(qn(f"w:{kind}"), "vi-VN")
