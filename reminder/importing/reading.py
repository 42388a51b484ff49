"""A file → its paragraphs and tables, or one sentence that says why it is not read.

What a file is, its first bytes and the directory of its archive say. It is then parsed in a process
of its own with limits of time and memory, so that a parser dies alone.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from reminder.domain.text import one_line
from reminder.importing import archive
from reminder.importing.layout import Document, Kind, RefusedError, block, plain

LARGEST = 40 * 1024 * 1024  # bytes of a file
SECONDS = 120  # processor time of the process that parses; 60 dense pages of PDF take about 40
LONGEST = 300.0  # seconds by the clock
MEMORY = 512 * 1024 * 1024  # bytes of address space of that process; 60 dense pages take 300 MB
MOST_ANSWER = 80 * 1024 * 1024  # bytes of its answer
COMMAND = (sys.executable, "-P", "-m", "reminder.importing.reading")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_IMAGES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*", b"RIFF", b"BM")
_WEB = (b"<html", b"<!doctype html", b"mime-version:", b"<?xml")

Progress = Callable[[int, int], None]  # pages read, of how many


def read_document(
    path: Path,
    progress: Progress | None = None,
    *,
    seconds: int = SECONDS,
    memory: int = MEMORY,
) -> Document:
    """Return what `path` holds; raise RefusedError if it is not read.

    The parser may use `seconds` of processor time and `memory` bytes of address space.
    """
    try:
        content = content_of(path)
        kind = kind_of(content)
        answer = told_apart([*COMMAND, kind, str(seconds), str(memory)], content, progress)
    except RefusedError as error:
        raise RefusedError(refusal(path.name, error)) from None
    return as_document(path.name, content, kind, answer)


def refusal(name: str, why: RefusedError) -> str:
    """Return the sentence for a file that is not read."""
    return f"không đọc {one_line(name)}: {why}"


def as_document(name: str, content: bytes, kind: Kind, answer: Any) -> Document:
    """Return the document of the last answer of `parsed`, as JSON holds it."""
    blocks = tuple(map(block, answer["blocks"]))
    return Document(name, hashlib.sha256(content).hexdigest(), kind, blocks)


def content_of(path: Path) -> bytes:
    """Return the bytes of an ordinary file; a pipe is not waited for."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise RefusedError("không phải tệp mà là thiết bị hoặc ống dẫn")
            content = file.read(LARGEST + 1)
    except IsADirectoryError:
        raise RefusedError("đây là một thư mục; xin ghi cả tên tệp") from None
    except FileNotFoundError:
        raise RefusedError("không có tệp này") from None
    except OSError as error:
        raise RefusedError(error.strerror or type(error).__name__) from None
    if not content:
        raise RefusedError("tệp rỗng")
    if len(content) > LARGEST:
        raise RefusedError(f"tệp lớn hơn {LARGEST // 1024 // 1024} MB")
    return content


def kind_of(content: bytes) -> Kind:
    """Return what the first bytes say the file is."""
    head = content[:1024]
    if head.startswith(b"PK"):
        with archive.open_archive(BytesIO(content)) as found:
            return "xlsx" if "xl/workbook.xml" in found.namelist() else "docx"
    if b"%PDF-" in head:
        if b"%%EOF" not in content[-4096:]:
            raise RefusedError(archive.BROKEN)
        return "pdf"
    if head.startswith(_OLE):
        raise RefusedError(_ole(content))
    if head.startswith(b"{\\rtf"):
        raise RefusedError("đây là tệp RTF; xin mở bằng Word và lưu thành .docx")
    if head.startswith(_IMAGES):
        raise RefusedError("đây là ảnh, không có chữ để đọc; xin lấy bản .docx hoặc PDF có chữ")
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(_WEB):
        raise RefusedError("đây là trang web hoặc XML; xin mở bằng Word và lưu thành .docx")
    return "txt"


def _ole(content: bytes) -> str:
    """Return what an OLE file is: Office before 2007, or encrypted since."""

    def has(name: str) -> bool:
        return name.encode("utf-16-le") in content

    if has("EncryptedPackage"):
        return "tệp đặt mật khẩu; xin mở bằng Word, bỏ mật khẩu rồi lưu lại"
    if has("WordDocument"):
        return "đây là tệp Word kiểu cũ (.doc); xin mở bằng Word và lưu thành .docx"
    if has("Workbook"):
        return "đây là tệp Excel kiểu cũ (.xls); xin mở bằng Excel và lưu thành .xlsx"
    return "có lẽ là tệp Word kiểu cũ (.doc) hoặc bị hỏng; xin mở bằng Word và lưu thành .docx"


def told_apart(command: Sequence[str], stdin: bytes, progress: Progress | None = None) -> Any:
    """Return what a process that calls `tell_all` tells at last; RefusedError as it says."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REMINDER_")}
    process = subprocess.Popen(  # noqa: S603  our own interpreter and module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=kept,
    )
    given, told = process.stdin, process.stdout
    assert given is not None
    assert told is not None
    timer = threading.Timer(LONGEST, process.kill)
    timer.start()
    try:
        with suppress(BrokenPipeError), given:
            given.write(stdin)
        while line := told.readline(MOST_ANSWER):
            answer = json.loads(line)
            if "refused" in answer:
                raise RefusedError(answer["refused"])
            if "pages" not in answer:
                return answer
            if progress is not None:
                progress(*answer["pages"])
    except ValueError:
        pass  # an answer that was cut off
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        told.close()
    raise RefusedError("nội dung quá lớn hoặc quá lạ, đọc mãi không xong")


def main() -> None:
    """Parse the file that stands on standard input."""
    kind, seconds, memory = sys.argv[1:]
    limit_process(int(seconds), int(memory))
    tell_all(parsed(kind, sys.stdin.buffer.read()))


def tell_all(answers: Iterable[dict[str, Any]]) -> None:
    """Write the answers to standard output, a line of JSON each; at last why there are no more."""
    try:
        for answer in answers:
            _tell(answer)
    except MemoryError:
        raise
    except RefusedError as error:
        _tell({"refused": str(error)})
    except Exception:  # noqa: BLE001  whatever a library makes of a broken file
        _tell({"refused": archive.BROKEN})


def _tell(answer: Any) -> None:
    sys.stdout.buffer.write(json.dumps(answer, default=plain).encode() + b"\n")
    sys.stdout.buffer.flush()


def parsed(kind: str, content: bytes) -> Iterator[dict[str, Any]]:
    """Yield the pages read, at last what was found. Each parser is imported where it is needed."""
    blocks: list[Any] = []
    if kind == "txt":
        from reminder.importing.plaintext import read_text

        blocks += read_text(content)
    elif kind == "pdf":
        from reminder.importing.pdf import read_pdf

        for done, pages, found in read_pdf(BytesIO(content)):
            blocks = found
            yield {"pages": [done, pages]}
    else:
        with archive.open_archive(BytesIO(content)) as opened:
            part = archive.main_part(opened)
            if kind == "xlsx":
                from reminder.importing.excel import read_excel

                blocks += read_excel(opened, part)
            else:
                from reminder.importing.word import read_word

                blocks += read_word(opened, part)
    if not blocks:
        raise RefusedError("tệp không có chữ nào")
    yield {"blocks": blocks}


def limit_process(seconds: int, memory: int) -> None:
    """Limit time and memory, as far as the system can: Windows can't, macOS only time."""
    gc.disable()  # the process ends soon
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


if __name__ == "__main__":
    main()
