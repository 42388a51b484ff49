"""Files of every kind, and those that are refused."""

from __future__ import annotations

import hashlib
import os
import struct
import unicodedata
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from reminder.importing.layout import Document, Paragraph, RefusedError
from reminder.importing.reading import read_document
from tests.importing.words import docx, p, packed, table, tc, tr, written

TEXT = "1. Báo cáo quý\n\n- Chủ trì: Văn phòng\n- Hạn: chậm nhất ngày 31/3/2026\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def refusal(folder: Path, content: bytes) -> str:
    with pytest.raises(RefusedError) as refused:
        read_document(written(folder, "KH.docx", content))
    text = str(refused.value)
    assert text.startswith("không đọc KH.docx: ")
    assert "\n" not in text
    return text.removeprefix("không đọc KH.docx: ")


def test_a_word_file_is_read(tmp_path: Path) -> None:
    """The file's name and digest come with its paragraphs, but for those that were deleted."""
    content = docx(p("Kế hoạch") + p("<w:del><w:r><w:delText>Bỏ</w:delText></w:r></w:del>"))
    assert read_document(written(tmp_path, "KH 2027.docx", content)) == Document(
        name="KH 2027.docx",
        sha256=hashlib.sha256(content).hexdigest(),
        kind="docx",
        blocks=(Paragraph("Kế hoạch", "p:0"),),
    )


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        unicodedata.normalize("NFD", TEXT).encode(),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace(" ", "\u00a0").encode(),
        TEXT.replace("Chủ", "C\u200bhủ").encode(),
    ],
    ids=lambda content: ascii(content[:12]),
)
def test_a_text_file_in_any_form(tmp_path: Path, content: bytes) -> None:
    """Its lines are those of UTF-8 in NFC; empty lines are left out and count."""
    assert read_document(written(tmp_path, "a.txt", content)).blocks == (
        Paragraph("1. Báo cáo quý", "line:1"),
        Paragraph("- Chủ trì: Văn phòng", "line:3"),
        Paragraph("- Hạn: chậm nhất ngày 31/3/2026", "line:4"),
    )


def test_a_text_in_windows_1258(tmp_path: Path) -> None:
    """Tones stand after their letters there."""
    tones = "\u0300\u0301\u0303\u0309\u0323"
    apart = "".join(_split(char, tones) for char in TEXT)
    found = read_document(written(tmp_path, "a.txt", apart.encode("cp1258")))
    assert [b.text for b in found.blocks if isinstance(b, Paragraph)] == [
        *["1. Báo cáo quý", "- Chủ trì: Văn phòng", "- Hạn: chậm nhất ngày 31/3/2026"],
    ]


def _split(char: str, tones: str) -> str:
    decomposed = unicodedata.normalize("NFD", char)
    tone = "".join(c for c in decomposed if c in tones)
    rest = "".join(c for c in decomposed if c not in tones)
    return unicodedata.normalize("NFC", rest) + tone


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "tệp rỗng"),
        (b"  \r\n\r\n", "không có chữ nào"),
        (docx(""), "không có chữ nào"),
        (docx(p("a"))[:300], "chưa trọn"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "mật khẩu"),
        (OLE + "WordDocument".encode("utf-16-le"), "(.doc)"),
        (OLE + "Workbook".encode("utf-16-le"), "(.xls)"),
        (OLE, "có lẽ là tệp Word kiểu cũ"),
        (b"K\xe1\xba\xbf ho\xe1\xba\xa1ch\n" * 500_000, "dài hơn 4 MB"),
        (b"{\\rtf1 Ke hoach}", "RTF"),
        (packed({"mimetype": "", "content.xml": "<x/>"}), "OpenDocument"),
        (packed({"ppt/presentation.xml": ""}), "PowerPoint"),
        (packed({"a.txt": "Kế hoạch"}), "tệp nén"),
        (b"\x89PNG\r\n\x1a\n", "ảnh"),
        (b"\xff\xd8\xff\xe0JFIF", "ảnh"),
        (b"<!DOCTYPE html><p>Ke hoach", "trang web"),
        (b"MZ\x90\0\x03\0\0\0\x04", "không phải văn bản"),
        (bytes(range(256)) * 20, "không phải văn bản"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, why: str) -> None:
    """One sentence says what the file is, and what to do."""
    assert why in refusal(tmp_path, content)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A folder, a device without end, a pipe that nobody writes to, nothing at all."""
    pipe = tmp_path / "ong"
    os.mkfifo(pipe)
    for path, why in (
        (tmp_path, "thư mục"),
        (Path("/dev/zero"), "thiết bị"),
        (pipe, "thiết bị hoặc ống dẫn"),
        (tmp_path / "khong-co.docx", "không có tệp này"),
    ):
        with pytest.raises(RefusedError, match=why):
            read_document(path)


@pytest.mark.thorough
def test_a_bomb_is_refused_by_its_directory(tmp_path: Path) -> None:
    """Before anything of it is unpacked; one file of it may be too large as well."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for n in range(3):
            with archive.open(f"word/media/{n}.bin", "w") as file:
                for _ in range(100):
                    file.write(bytes(1024 * 1024))
    assert "bung ra quá lớn" in refusal(tmp_path, out.getvalue())
    assert "bung ra quá lớn" in refusal(tmp_path, docx("<w:p/>" * 7_000_000))


def test_a_false_size_unpacks_no_more_than_it_says(tmp_path: Path) -> None:
    """A file that is longer than the directory declares is cut there, and found broken."""
    content = bytearray(docx(p("a" * 100_000)))
    name = b"word/document.xml"
    at = content.rindex(name)
    content[at - 46 + 24 : at - 46 + 28] = struct.pack("<I", 500)
    assert "hỏng" in refusal(tmp_path, bytes(content))


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE d [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE d SYSTEM "http://127.0.0.1/x.dtd">',
    ],
)
def test_entities_are_refused(tmp_path: Path, declared: str) -> None:
    """Neither those that grow, nor those that read other files, whatever the encoding."""
    body = f"{declared}<w:document xmlns:w='x'/>"
    content = docx("", more={"word/document.xml": body})
    assert "DOCTYPE" in refusal(tmp_path, content)


def test_deep_tables_are_refused(tmp_path: Path) -> None:
    """Three thousand within one another, and a dozen."""
    for depth in (3000, 12):
        body = "<w:tbl><w:tr><w:tc>" * depth + p("a") + "</w:tc></w:tr></w:tbl>" * depth
        assert "lồng trong bảng" in refusal(tmp_path, docx(body))


def test_names_that_lead_out_of_the_archive_are_refused(tmp_path: Path) -> None:
    """Though nothing is unpacked onto the disk."""
    for name in ("../../x", "/etc/x", "a/../../x", "..\\x", "C:\\x"):
        assert "trỏ ra ngoài" in refusal(tmp_path, docx(p("a"), more={name: ""}))


def test_an_external_part_is_not_followed(tmp_path: Path) -> None:
    """A relation that leaves the file names no part of it."""
    link = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/officeDocument" Target="file:///etc/passwd" TargetMode="External"/>'
        "</Relationships>"
    )
    assert "hỏng" in refusal(tmp_path, docx(p("a"), more={"_rels/.rels": link}))


def test_macros_are_left_alone(tmp_path: Path) -> None:
    """A file with macros is read as any other."""
    content = docx(p("Kế hoạch"), more={"word/vbaProject.bin": "Sub AutoOpen()"})
    assert read_document(written(tmp_path, "a.docm", content)).blocks == (
        Paragraph("Kế hoạch", "p:0"),
    )


@pytest.mark.thorough
def test_a_long_table_is_read(tmp_path: Path) -> None:
    """24,000 cells."""
    content = docx(table(*(tr(*(tc(f"{row}.{n}") for n in range(6))) for row in range(4000))))
    (found,) = read_document(written(tmp_path, "a.docx", content)).blocks
    assert not isinstance(found, Paragraph)
    assert found.rows[3999].cells[5].text == "3999.5"
    assert found.rows[3999].where == "t:0 r:3999"
