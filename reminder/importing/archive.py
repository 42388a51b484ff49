"""The ZIP archives that .docx and .xlsx are: what may be read of them, and their XML.

Everything is judged by the directory of the archive, before anything is unpacked, and nothing is
unpacked onto the disk.
"""

from __future__ import annotations

import posixpath
import zlib
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from reminder.importing.layout import RefusedError

MOST_BYTES = 150 * 1024 * 1024  # of all files of an archive together, as it declares them
MOST_XML = 30 * 1024 * 1024  # of one XML file: a table of 24,000 cells has 10 to 20 MB
MOST_FILES = 5000
BROKEN = "tệp bị hỏng hoặc tải về chưa trọn; xin lấy lại tệp gốc"
TOO_BIG = "bung ra quá lớn, không giống tệp kế hoạch; xin mở bằng Word và lưu thành tệp mới"
TOO_DEEP = "có quá nhiều bảng lồng trong bảng; xin chép phần kế hoạch sang tệp mới"
_ENTITIES = "có khai báo XML mà Word không bao giờ ghi (DOCTYPE), nên không an toàn để mở"
_LOCKED = "tệp nén đặt mật khẩu; xin bỏ mật khẩu rồi lưu lại"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships/"
_PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_KINDS = {  # a file that such an archive has → what it is
    "content.xml": "tệp OpenDocument (.odt, .ods); xin mở và lưu thành .docx hoặc .xlsx",
    "ppt/presentation.xml": "tệp trình chiếu PowerPoint; xin chép kế hoạch sang Word",
    "xl/workbook.bin": "tệp Excel nhị phân (.xlsb); xin lưu thành .xlsx",
}


def open_archive(source: IO[bytes]) -> ZipFile:
    """Return the archive; raise RefusedError if its directory says that it should not be read."""
    try:
        archive = ZipFile(source)
    except (BadZipFile, NotImplementedError, ValueError, OSError, EOFError):
        raise RefusedError(BROKEN) from None
    entries = archive.infolist()
    if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise RefusedError(TOO_BIG)
    for entry in entries:
        _check(entry)
    return archive


def _check(entry: ZipInfo) -> None:
    if entry.flag_bits & 1:
        raise RefusedError(_LOCKED)
    name = entry.orig_filename.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or ":" in name or "\0" in name:
        raise RefusedError("có tên tệp trỏ ra ngoài tệp nén, nên không an toàn để mở")


def main_part(archive: ZipFile) -> str:
    """Return the name of the document or workbook; raise RefusedError if there is none."""
    names = set(archive.namelist())
    for name, what in _KINDS.items():
        if name in names:
            raise RefusedError(f"đây là {what}")
    if "[Content_Types].xml" not in names:
        raise RefusedError("đây là tệp nén, không phải tệp Word hay Excel")
    found = next(iter(related(archive, "", "officeDocument").values()), None)
    if found not in names:
        raise RefusedError(BROKEN)
    return found


def related(archive: ZipFile, name: str, kind: str) -> dict[str, str]:
    """Return the files that the file `name` names as `kind`, by the ids of their relations."""
    folder, base = posixpath.split(name)
    place = posixpath.join(folder, "_rels", f"{base}.rels")
    found: dict[str, str] = {}
    if place not in archive.namelist():
        return found
    for relation in read_xml(archive, place).iterfind(f"{_PACKAGE}Relationship"):
        is_external = relation.get("TargetMode") == "External"
        if not is_external and relation.get("Type") in (_OFFICE + kind, _STRICT + kind):
            path = posixpath.join("/", folder, relation.get("Target", ""))
            found[relation.get("Id", "")] = posixpath.normpath(path).lstrip("/")
    return found


def part(archive: ZipFile, name: str, kind: str) -> Any:
    """Return the XML of what the file `name` names as `kind`; None if there is none."""
    found = next(iter(related(archive, name, kind).values()), None)
    return read_xml(archive, found) if found in archive.namelist() else None


def read_xml(archive: ZipFile, name: str) -> Any:
    """Return the root element of an XML file; raise RefusedError if it can't be read safely."""
    from lxml import etree  # slow to import

    content = read_part(archive, name)
    # UTF-16, which Office can read and never writes, has a zero in each of these letters.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content or b"\0" in content[:200]:
        raise RefusedError(_ENTITIES)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True,
        remove_pis=True,
    )  # fmt: skip
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise RefusedError(TOO_DEEP if "depth" in str(error) else BROKEN) from None


def read_part(archive: ZipFile, name: str) -> bytes:
    """Return a file of the archive; no more of it is unpacked than its directory declares."""
    entry = archive.getinfo(name)
    if entry.file_size > MOST_XML:
        raise RefusedError(TOO_BIG)
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise RefusedError(BROKEN)
    try:
        with archive.open(entry) as file:
            return file.read(entry.file_size)  # so much is unpacked at once, and no more
    except (BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError):
        raise RefusedError(BROKEN) from None
