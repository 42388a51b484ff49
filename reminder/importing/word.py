"""Word's .docx → paragraphs and tables: numbers, tracked changes, content controls, merged cells.

python-docx drops what stands in content controls and tracked changes, and knows no numbers, so the
parts are read here. A place counts as its `doc.paragraphs` and `table.rows` do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from zipfile import ZipFile

from reminder.domain.text import normal, squeeze
from reminder.importing.archive import TOO_DEEP, part, read_xml
from reminder.importing.layout import Block, Cell, Change, Paragraph, RefusedError, Row, Table
from reminder.importing.numbering import Numbered, W, child_value, is_on, read_numbering

MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
DEEPEST = 10  # tables within tables
MOST_PARAGRAPHS = 100_000
MOST_COLUMNS = 200  # of a table; Word itself allows 63
_DELETED = (f"{W}del", f"{W}moveFrom")
_INSERTED = (f"{W}ins", f"{W}moveTo")
# What only wraps runs, paragraphs, rows or cells.
_WRAPPERS = frozenset(
    W + name
    for name in ("hyperlink", "smartTag", "customXml", "fldSimple", "dir", "bdo", "sdtContent")
)
_BREAKS = frozenset(W + name for name in ("br", "cr"))
_BLANKS = frozenset(W + name for name in ("tab", "ptab"))
# Ticks and crosses of the Wingdings fonts, with which offices mark a table's columns.
_TICKS = frozenset("\u00fb\u00fc\u00fd\u00fe\u0052\u0053\u0054\u0050\u004f")


@dataclass(slots=True)
class _Style:
    name: str = ""
    parent: str = ""
    numbered: tuple[str, int | None] = ("", None)
    bold: bool | None = None


class _Piece(NamedTuple):
    """Some text of a paragraph, with what it was in a tracked change."""

    text: str
    state: str  # "", "inserted" or "deleted"
    bold: bool


@dataclass(slots=True)
class _Reader:
    styles: dict[str, _Style]
    default_style: str
    numbering: Any
    count: int = 0  # paragraphs so far
    depth: int = 0  # tables within tables
    # The pieces of paragraphs whose mark was deleted; they go on in the next.
    open_pieces: list[_Piece] = field(default_factory=list)

    def body(self, body: Any) -> Iterator[Block]:
        """Yield what stands in the document's body."""
        paragraphs = tables = 0
        for element, in_control in _flat(body, (f"{W}p", f"{W}tbl")):
            if element.tag == f"{W}p":
                where = "sdt" if in_control else f"p:{paragraphs}"
                paragraphs += not in_control
                yield from (p for p in self.lines(element, where) if p.text)
            else:
                index = None if in_control else tables
                tables += not in_control
                yield self.table(element, index)

    def table(self, element: Any, index: int | None) -> Table:
        self.depth += 1
        if self.depth > DEEPEST:
            raise RefusedError(TOO_DEEP)
        place = "sdt" if index is None else f"t:{index}"
        rows = []
        direct = 0
        for tr, in_control in _flat(element, (f"{W}tr",)):
            where = place if in_control or index is None else f"{place} r:{direct}"
            direct += not in_control
            properties = tr.find(f"{W}trPr")
            cells = tuple(self.cells(tr, where))  # also of a deleted row: its lists count on
            if properties is None or all(properties.find(tag) is None for tag in _DELETED):
                rows.append(Row(cells, where))
        self.depth -= 1
        return Table(index, tuple(rows))

    def cells(self, tr: Any, where: str) -> Iterator[Cell]:
        properties = tr.find(f"{W}trPr")
        if before := _integer(properties, "gridBefore"):
            yield Cell(span=min(before, MOST_COLUMNS))
        for tc, _ in _flat(tr, (f"{W}tc",)):
            own = tc.find(f"{W}tcPr")
            span = min(max(_integer(own, "gridSpan"), 1), MOST_COLUMNS)
            merged = None if own is None else own.find(f"{W}vMerge")
            if merged is not None and merged.get(f"{W}val") != "restart":
                yield Cell(span=span, above=True)
                continue
            yield Cell(_trimmed(self.inside(tc, where)), span)

    def inside(self, tc: Any, where: str) -> list[Paragraph]:
        found: list[Paragraph] = []
        for element, _ in _flat(tc, (f"{W}p", f"{W}tbl")):
            if element.tag == f"{W}p":
                found += self.lines(element, where)
            else:
                nested = self.table(element, None)
                for row in nested.rows:
                    for cell in row.cells:
                        found += (replace(p, where=where) for p in cell.paragraphs)
        return found

    def lines(self, p: Any, where: str) -> list[Paragraph]:
        """Return the lines of a paragraph, and of the text boxes anchored in it."""
        self.count += 1
        if self.count > MOST_PARAGRAPHS:
            raise RefusedError(f"tệp dài hơn {MOST_PARAGRAPHS} đoạn văn nên không đọc")
        properties = p.find(f"{W}pPr")
        style_id = child_value(properties, "pStyle") or self.default_style
        pieces = [*self.open_pieces, *self.pieces(p, bold=self.style_bold(style_id))]
        mark_deleted = properties is not None and any(
            properties.find(f"{W}rPr/{tag}") is not None for tag in _DELETED
        )
        kept = any(piece.text.strip() for piece in pieces if piece.state != "deleted")
        self.open_pieces = []
        if mark_deleted and kept:
            self.open_pieces = pieces
            return self.boxes(p, where)
        gone = any(normal(piece.text).strip() for piece in pieces if piece.state == "deleted")
        label, level = "", 0
        if (kept or not gone) and not mark_deleted:
            label, level = self.label(properties, style_id, kept=kept)
        changes = tuple(_changes(pieces))
        bold = all(piece.bold for piece in pieces if piece.text.strip())
        name = self.styles.get(style_id, _Style()).name
        whole = normal("".join(piece.text for piece in pieces if piece.state != "deleted"))
        first, *more = map(squeeze, whole.split("\n"))
        found = [Paragraph(first, where, label, level, name, bold and bool(first), changes)]
        found += (Paragraph(text, where, "", 0, name, bold, changes) for text in more)
        return found + self.boxes(p, where)

    def boxes(self, p: Any, where: str) -> list[Paragraph]:
        """Return the text of text boxes and shapes; of two versions of one the first."""
        found: list[Paragraph] = []
        for box in p.iterfind(f".//{W}txbxContent"):
            is_second = any(parent.tag == f"{MC}Fallback" for parent in box.iterancestors())
            if is_second or next(box.iterancestors(f"{W}p")) is not p:
                continue
            for inner, _ in _flat(box, (f"{W}p",)):
                found += (line for line in self.lines(inner, where) if line.text)
        return found

    def label(self, properties: Any, style_id: str, *, kept: bool) -> tuple[str, int]:
        """Return the number that Word makes, which an empty paragraph takes up but hides."""
        numbered = self.numbered(properties, style_id)
        if numbered is None:
            return "", 0
        label = self.numbering.next(numbered)
        return (label, numbered.level) if kept else ("", numbered.level)

    def numbered(self, properties: Any, style_id: str) -> Numbered | None:
        own = None if properties is None else properties.find(f"{W}numPr")
        list_id = child_value(own, "numId")
        level = _integer(own, "ilvl") if child_value(own, "ilvl") else None
        style = style_id
        for _ in range(20):  # styles built one on another
            if list_id or style not in self.styles:
                break
            list_id, of_style = self.styles[style].numbered
            if list_id and level is None:
                level = of_style
                if level is None:
                    level = self.numbering.level_of_style(list_id, style)
            style = self.styles[style].parent
        return Numbered(list_id, level or 0) if list_id not in ("", "0") else None

    def style_bold(self, style_id: str) -> bool:
        for _ in range(20):
            style = self.styles.get(style_id)
            if style is None:
                return False
            if style.bold is not None:
                return style.bold
            style_id = style.parent
        return False

    def pieces(self, parent: Any, state: str = "", *, bold: bool) -> Iterator[_Piece]:
        for element in parent:
            tag = element.tag
            if tag == f"{W}r":
                yield from self.run(element, state, bold=bold)
            elif tag in _WRAPPERS:
                yield from self.pieces(element, state, bold=bold)
            elif tag in _INSERTED:
                yield from self.pieces(element, state or "inserted", bold=bold)
            elif tag in _DELETED:
                yield from self.pieces(element, "deleted", bold=bold)
            elif tag == f"{W}sdt" and not _is_left_out(element.find(f"{W}sdtPr")):
                yield from self.pieces(element, state, bold=bold)

    def run(self, run: Any, state: str, *, bold: bool) -> Iterator[_Piece]:
        properties = run.find(f"{W}rPr")
        font = ""
        if properties is not None:
            if (hidden := properties.find(f"{W}vanish")) is not None and is_on(hidden):
                return
            if (toggle := properties.find(f"{W}b")) is not None:
                bold = is_on(toggle)
            if (fonts := properties.find(f"{W}rFonts")) is not None:
                font = fonts.get(f"{W}ascii", "")
        text = "".join(_text(child) for child in run)
        if font.startswith("Wingdings"):
            text = "".join("x" if char in _TICKS else char for char in text)
        if text:
            yield _Piece(text, state, bold)


def read_word(archive: ZipFile, name: str) -> list[Block]:
    """Return the blocks of the part `name`."""
    styles, default_style, style_lists = _read_styles(part(archive, name, "styles"))
    lists = read_numbering(part(archive, name, "numbering"), style_lists)
    body = read_xml(archive, name).find(f"{W}body")
    if body is None:
        raise RefusedError("tệp Word không có phần nội dung nên không đọc được")
    return list(_Reader(styles, default_style, lists).body(body))


def _read_styles(root: Any) -> tuple[dict[str, _Style], str, dict[str, str]]:
    styles: dict[str, _Style] = {}
    style_lists: dict[str, str] = {}
    default = ""
    if root is None:
        return styles, default, style_lists
    for element in root.iterfind(f"{W}style"):
        style_id = element.get(f"{W}styleId", "")
        numbered = element.find(f"{W}pPr/{W}numPr")
        list_id = child_value(numbered, "numId")
        if element.get(f"{W}type") == "numbering":
            style_lists[style_id] = list_id
            continue
        if element.get(f"{W}type") != "paragraph":
            continue
        level = _integer(numbered, "ilvl") if child_value(numbered, "ilvl") else None
        toggle = element.find(f"{W}rPr/{W}b")
        styles[style_id] = _Style(
            name=child_value(element, "name"),
            parent=child_value(element, "basedOn"),
            numbered=(list_id, level),
            bold=None if toggle is None else is_on(toggle),
        )
        if element.get(f"{W}default") in ("1", "true", "on"):
            default = style_id
    return styles, default, style_lists


def _flat(parent: Any, tags: tuple[str, ...], *, control: bool = False) -> Iterator[Any]:
    """Yield the elements with one of `tags`, and whether they stand in a content control."""
    for element in parent:
        tag = element.tag
        if tag in tags:
            yield element, control
        elif tag == f"{W}sdt" and not _is_left_out(element.find(f"{W}sdtPr")):
            yield from _flat(element, tags, control=True)
        elif tag in _INSERTED or tag in _WRAPPERS:
            yield from _flat(element, tags, control=control)
        elif tag == f"{MC}AlternateContent":
            choice = element.find(f"{MC}Choice")
            if choice is not None:
                yield from _flat(choice, tags, control=control)


def _is_left_out(properties: Any) -> bool:
    """Return whether a content control shows its prompt only, or is the table of contents."""
    if properties is None:
        return False
    gallery = properties.find(f"{W}docPartObj/{W}docPartGallery")
    is_contents = gallery is not None and gallery.get(f"{W}val") == "Table of Contents"
    return is_contents or properties.find(f"{W}showingPlcHdr") is not None


def _text(child: Any) -> str:
    tag = child.tag
    if tag in (f"{W}t", f"{W}delText"):
        return child.text or ""
    if tag in _BREAKS:
        return "\n"
    if tag in _BLANKS:
        return " "
    if tag == f"{W}noBreakHyphen":
        return "-"
    if tag == f"{W}sym" and child.get(f"{W}font", "").startswith("Wingdings"):
        code = child.get(f"{W}char", "")[-2:]
        return "x" if code and chr(int(code, 16)) in _TICKS else ""
    return ""


def _changes(pieces: list[_Piece]) -> Iterator[Change]:
    """Yield the changes of a paragraph; what replaces something stands beside it."""
    deleted = inserted = ""
    for piece in [*pieces, _Piece("", "", bold=False)]:
        if piece.state == "deleted" and not inserted:
            deleted += piece.text
        elif piece.state == "inserted":
            inserted += piece.text
        else:
            if deleted or inserted:
                yield Change(squeeze(normal(deleted)), squeeze(normal(inserted)))
            deleted, inserted = (piece.text, "") if piece.state == "deleted" else ("", "")


def _trimmed(paragraphs: list[Paragraph]) -> tuple[Paragraph, ...]:
    """Return `paragraphs` without the empty ones at both ends."""
    while paragraphs and not paragraphs[-1].text:
        paragraphs.pop()
    first = next((n for n, p in enumerate(paragraphs) if p.text), 0)
    return tuple(paragraphs[first:])


def _integer(parent: Any, name: str) -> int:
    text = child_value(parent, name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
