"""PDF files made for tests: text at places, and rules. A letter is half as wide as it is high."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600, 800
SIZE = 10.0


@dataclass(frozen=True)
class Text:
    x: float
    top: float  # of its baseline, from the page's top
    text: str
    bold: bool = False


@dataclass(frozen=True)
class Rule:
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True)
class Picture:
    """A filled area over the whole page, as a scan is."""


_DESCRIPTOR = (
    "<< /Type /FontDescriptor /FontName /{name} /Flags 4 /FontBBox [0 -200 1000 800] "
    "/ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>"
)
_PAGE = (
    f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents {{contents}} 0 R "
    "/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>"
)

Item = Text | Rule | Picture


def prose(top: float, lines: Iterable[str], x: float = 60, step: float = 15) -> list[Item]:
    """Return lines one below another."""
    return [Text(x, top + n * step, line) for n, line in enumerate(lines)]


def grid(
    top: float, columns: Sequence[float], rows: Sequence[Sequence[Sequence[str] | str | None]]
) -> list[Item]:
    """Return a table; a cell is a text, its lines, or None where the cell above goes on."""
    items: list[Item] = []
    y = top
    for row in rows:
        cells = [[cell] if isinstance(cell, str) else list(cell or ()) for cell in row]
        height = 8 + 15 * max(len(lines) for lines in cells)
        for n, lines in enumerate(cells):
            if row[n] is not None:
                items.append(Rule(columns[n], y, columns[n + 1], y))
            items += prose(y + 15, lines, columns[n] + 5)
            items.append(Rule(columns[n], y, columns[n], y + height))
        items.append(Rule(columns[-1], y, columns[-1], y + height))
        y += height
    items.append(Rule(columns[0], y, columns[-1], y))
    return items


def pdf(pages: Sequence[Sequence[Item]], *, trailer: str = "", blanks: int = 0) -> bytes:
    """Return a PDF file; `blanks` stand on each page besides, compressed twice."""
    letters = sorted(
        {c for page in pages for one in page if isinstance(one, Text) for c in one.text}
    )
    codes = {letter: n for n, letter in enumerate(letters, start=1)}
    pairs = "\n".join(f"<{n:04X}> <{ord(letter):04X}>" for letter, n in codes.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def\n"
        "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
        f"{len(codes)} beginbfchar\n{pairs}\nendbfchar\nendcmap end end"
    )
    kids = " ".join(f"{10 + 2 * n} 0 R" for n in range(len(pages)))
    objects: list[str | bytes] = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>",
        *(_font("Plain", 5), _font("Plain-Bold", 6)),
        *(_descendant("Plain", 8), _descendant("Plain-Bold", 9)),
        _stream(cmap.encode()),
        *(_DESCRIPTOR.format(name="Plain"), _DESCRIPTOR.format(name="Plain-Bold")),
    ]
    for n, page in enumerate(pages):
        content = "\n".join(_drawn(one, codes) for one in page).encode()
        objects += [
            _PAGE.format(contents=11 + 2 * n),
            _stream(content, blanks),
        ]
    out = b"%PDF-1.7\n"
    places = []
    for n, value in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{n} 0 obj\n".encode() + _bytes(value) + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\n".encode()
    return out + f"startxref\n{start}\n%%EOF\n".encode()


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _font(name: str, descendant: int) -> str:
    return (
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H "
        f"/DescendantFonts [{descendant} 0 R] /ToUnicode 7 0 R >>"
    )


def _descendant(name: str, descriptor: int) -> str:
    return (
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /DW 500 "
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
        f"/FontDescriptor {descriptor} 0 R >>"
    )


def _stream(content: bytes, blanks: int = 0) -> bytes:
    packing = zlib.compressobj()
    packed = packing.compress(content)
    million = b" " * 1_000_000
    packed += b"".join(packing.compress(million) for _ in range(blanks // len(million)))
    packed = zlib.compress(packed + packing.flush())
    head = f"<< /Length {len(packed)} /Filter [/FlateDecode /FlateDecode] >>\nstream\n"
    return head.encode() + packed + b"\nendstream"


def _drawn(item: Item, codes: dict[str, int]) -> str:
    if isinstance(item, Rule):
        return f"{item.x0} {HEIGHT - item.y0} m {item.x1} {HEIGHT - item.y1} l S"
    if isinstance(item, Picture):
        return f"0.5 g 0 0 {WIDTH} {HEIGHT} re f"
    text = "".join(f"{codes[letter]:04X}" for letter in item.text)
    font = "F2" if item.bold else "F1"
    return f"BT /{font} {SIZE} Tf {item.x} {HEIGHT - item.top} Td <{text}> Tj ET"
