"""Word files made for tests: a body of raw XML, with the parts that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_WPS = "http://schemas.microsoft.com/office/word/2010/wordprocessingShape"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
NAMESPACES = f'xmlns:w="{_W}" xmlns:mc="{_MC}" xmlns:wps="{_WPS}"'


def p(*inside: str, properties: str = "") -> str:
    """Return a paragraph; what is no XML is a run of text."""
    runs = "".join(one if one.startswith("<") else run(one) for one in inside)
    return f"<w:p>{f'<w:pPr>{properties}</w:pPr>' if properties else ''}{runs}</w:p>"


def run(text: str, properties: str = "", tag: str = "t") -> str:
    """Return a run of text."""
    rpr = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r>{rpr}<w:{tag} xml:space="preserve">{text}</w:{tag}></w:r>'


def changed(kind: str, text: str) -> str:
    """Return a tracked change: `ins`, `del`, `moveFrom` or `moveTo`."""
    tag = "delText" if kind in ("del", "moveFrom") else "t"
    return f'<w:{kind} w:id="1" w:author="Văn thư">{run(text, tag=tag)}</w:{kind}>'


def item(text: str, level: int = 0, list_id: int = 1) -> str:
    """Return a paragraph that Word numbers."""
    return p(text, properties=numbered(level, list_id))


def numbered(level: int = 0, list_id: int = 1) -> str:
    return f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>'


def table(*rows: str) -> str:
    return f"<w:tbl>{''.join(rows)}</w:tbl>"


def tr(*cells: str, properties: str = "") -> str:
    """Return a row; what is no XML is the text of a cell."""
    inside = "".join(one if one.startswith("<") else tc(one) for one in cells)
    return f"<w:tr>{f'<w:trPr>{properties}</w:trPr>' if properties else ''}{inside}</w:tr>"


def tc(*inside: str, properties: str = "") -> str:
    """Return a cell; what is no XML is the text of a paragraph."""
    paragraphs = "".join(one if one.startswith("<") else p(one) for one in inside)
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraphs}</w:tc>"


def level(n: int, form: str, text: str, more: str = "") -> str:
    """Return a level of a list's definition."""
    return (
        f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
        f'<w:lvlText w:val="{text}"/>{more}</w:lvl>'
    )


def docx(
    body: str,
    *,
    numbering: str = "",
    styles: str = "",
    more: Mapping[str, str | bytes] | None = None,
) -> bytes:
    """Return a Word file; `numbering` and `styles` are what stands in these parts."""
    document = f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>"
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{_TYPE}.document.main+xml"/>'
        "</Types>",
        "_rels/.rels": relations(("officeDocument", "word/document.xml")),
        "word/_rels/document.xml.rels": relations(
            ("numbering", "numbering.xml"), ("styles", "styles.xml")
        ),
        "word/document.xml": document,
        "word/numbering.xml": f"<w:numbering {NAMESPACES}>{numbering}</w:numbering>",
        "word/styles.xml": f"<w:styles {NAMESPACES}>{styles}</w:styles>",
        **(more or {}),
    }
    return packed(parts)


def relations(*targets: tuple[str, str]) -> str:
    inside = "".join(
        f'<Relationship Id="r{n}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inside}</Relationships>'


def packed(parts: Mapping[str, str | bytes]) -> bytes:
    """Return an archive of these files."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
