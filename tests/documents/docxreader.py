"""Reads a .docx as a zip of XML, without the library that wrote it (ECMA-376-1, clause 17)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from xml.etree import ElementTree as ET
from zipfile import ZipFile

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
TWIPS_A_MM = 1440 / 25.4
KINDS = ("ascii", "hAnsi", "eastAsia", "cs")


@dataclass(frozen=True)
class Run:
    """Words in one dress; `size` in points, `fonts` of the four kinds of script."""

    text: str
    size: float
    bold: bool
    italic: bool
    fonts: frozenset[str]
    colour: str


@dataclass(frozen=True)
class Line:
    """A paragraph; lengths in points, the indents in millimetres."""

    runs: tuple[Run, ...]
    align: str
    before: float
    after: float
    spacing: float  # lines; 0 where it is an exact height
    first_line: float
    left: float
    right: float
    bordered: bool
    style: str

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)

    @property
    def sizes(self) -> set[float]:
        return {run.size for run in self.runs if run.text.strip()}

    @property
    def is_bold(self) -> bool:
        return all(run.bold for run in self.runs if run.text.strip())

    @property
    def is_italic(self) -> bool:
        return all(run.italic for run in self.runs if run.text.strip())


@dataclass(frozen=True)
class Grid:
    """A table: its cells' lines by row, which rows repeat, and whether it has rules."""

    rows: tuple[tuple[tuple[Line, ...], ...], ...]
    widths: tuple[int, ...]
    repeats: tuple[bool, ...]
    ruled: bool

    @property
    def texts(self) -> list[list[str]]:
        return [[" ".join(line.text for line in cell).strip() for cell in row] for row in self.rows]


@dataclass(frozen=True)
class Sheet:
    """A section's paper; sides in millimetres."""

    size: tuple[float, float]
    landscape: bool
    margins: dict[str, float]
    first_differs: bool
    starts_at: str
    headers: dict[str, str]  # type → part; empty where the section before gives it


class Docx:
    """A document by its parts."""

    def __init__(self, content: bytes) -> None:
        with ZipFile(BytesIO(content)) as archive:
            assert archive.testzip() is None
            self.parts = {name: archive.read(name) for name in archive.namelist()}
            self.stamps = {info.date_time for info in archive.infolist()}
        self._styles = {
            str(style.get(f"{W}styleId")): style
            for style in self.xml("word/styles.xml").iter(f"{W}style")
        }
        body = self.xml("word/document.xml").find(f"{W}body")
        assert body is not None
        self.blocks = [b for node in body if (b := self._block(node)) is not None]
        self.sheets = [self._sheet(node) for node in body.iter(f"{W}sectPr")]

    def xml(self, part: str) -> ET.Element:
        return ET.fromstring(self.parts[part])

    @property
    def lines(self) -> list[Line]:
        """The paragraphs outside of tables."""
        return [block for block in self.blocks if isinstance(block, Line)]

    @property
    def grids(self) -> list[Grid]:
        return [block for block in self.blocks if isinstance(block, Grid)]

    @property
    def every_line(self) -> Iterator[Line]:
        """All paragraphs, those in tables and headers too."""
        for part in self.parts:
            if part == "word/document.xml" or part.startswith("word/header"):
                for node in self.xml(part).iter(f"{W}p"):
                    yield self._line(node)

    def header(self, part: str) -> tuple[Line, str]:
        """The first line of a header, and the fields that it computes."""
        node = self.xml(part)
        first = node.find(f"{W}p")
        assert first is not None
        fields = "".join(code.text or "" for code in node.iter(f"{W}instrText"))
        return self._line(first), fields.strip()

    def _block(self, node: ET.Element) -> Line | Grid | None:
        if node.tag == f"{W}p":
            return self._line(node)
        return self._grid(node) if node.tag == f"{W}tbl" else None

    def _grid(self, node: ET.Element) -> Grid:
        rows = node.findall(f"{W}tr")
        return Grid(
            rows=tuple(
                tuple(
                    tuple(self._line(p) for p in cell.findall(f"{W}p"))
                    for cell in row.findall(f"{W}tc")
                )
                for row in rows
            ),
            widths=tuple(int(col.get(f"{W}w", "0")) for col in node.iter(f"{W}gridCol")),
            repeats=tuple(row.find(f"{W}trPr/{W}tblHeader") is not None for row in rows),
            ruled=node.find(f"{W}tblPr/{W}tblBorders") is not None,
        )

    def _line(self, node: ET.Element) -> Line:
        style = self._value(node, "pPr/pStyle") or "Normal"
        where = [node, *self._based(style)]
        spacing = {key: self._first(where, "pPr/spacing", key) for key in _SPACING}
        exact = spacing["lineRule"] in ("exact", "atLeast")
        indents = {
            key: self._first(where, "pPr/ind", key) for key in ("firstLine", "left", "right")
        }
        return Line(
            runs=tuple(self._run(run, style) for run in node.iter(f"{W}r")),
            align=self._first(where, "pPr/jc", "val") or "left",
            before=int(spacing["before"] or 0) / 20,
            after=int(spacing["after"] or 0) / 20,
            spacing=0 if exact else int(spacing["line"] or 240) / 240,
            first_line=int(indents["firstLine"] or 0) / TWIPS_A_MM,
            left=int(indents["left"] or 0) / TWIPS_A_MM,
            right=int(indents["right"] or 0) / TWIPS_A_MM,
            bordered=node.find(f"{W}pPr/{W}pBdr") is not None,
            style=style,
        )

    def _run(self, node: ET.Element, style: str) -> Run:
        where = [node, *self._based(style)]
        fonts = [self._first(where, "rPr/rFonts", kind) for kind in KINDS]
        return Run(
            text="".join(text.text or "" for text in node.iter(f"{W}t")),
            size=int(self._first(where, "rPr/sz", "val") or 20) / 2,
            bold=self._is_on(where, "rPr/b"),
            italic=self._is_on(where, "rPr/i"),
            fonts=frozenset(font or "(theme)" for font in fonts),
            colour=self._first(where, "rPr/color", "val") or "auto",
        )

    def _based(self, style: str) -> Iterator[ET.Element]:
        """The style and those it is based on."""
        while style:
            node = self._styles[style]
            yield node
            style = self._value(node, "basedOn")

    @staticmethod
    def _find(node: ET.Element, path: str) -> ET.Element | None:
        return node.find("/".join(f"{W}{step}" for step in path.split("/")))

    def _value(self, node: ET.Element, path: str) -> str:
        found = self._find(node, path)
        return "" if found is None else found.get(f"{W}val", "")

    def _first(self, where: list[ET.Element], path: str, key: str) -> str:
        for node in where:
            found = self._find(node, path)
            if found is not None and found.get(f"{W}{key}") is not None:
                return str(found.get(f"{W}{key}"))
        return ""

    def _is_on(self, where: list[ET.Element], path: str) -> bool:
        for node in where:
            found = self._find(node, path)
            if found is not None:
                return found.get(f"{W}val", "1") not in ("0", "false")
        return False

    def _sheet(self, node: ET.Element) -> Sheet:
        size, margins = node.find(f"{W}pgSz"), node.find(f"{W}pgMar")
        assert size is not None
        assert margins is not None
        number = node.find(f"{W}pgNumType")
        targets = {
            rel.get("Id"): f"word/{rel.get('Target')}"
            for rel in self.xml("word/_rels/document.xml.rels")
        }
        width, height = (int(size.get(f"{W}{side}", "0")) for side in ("w", "h"))
        return Sheet(
            size=(width / TWIPS_A_MM, height / TWIPS_A_MM),
            landscape=size.get(f"{W}orient") == "landscape",
            margins={
                key: int(margins.get(f"{W}{key}", "0")) / TWIPS_A_MM
                for key in ("top", "bottom", "left", "right", "header")
            },
            first_differs=node.find(f"{W}titlePg") is not None,
            starts_at="" if number is None else number.get(f"{W}start", ""),
            headers={
                str(ref.get(f"{W}type")): targets[ref.get(f"{R}id")]
                for ref in node.findall(f"{W}headerReference")
            },
        )


_SPACING = ("before", "after", "line", "lineRule")
