"""A text file → its lines, whatever charset it was saved in."""

from __future__ import annotations

import re

from reminder.domain.charset import decoded, is_lost
from reminder.domain.text import normal, squeeze
from reminder.importing.layout import Paragraph, RefusedError

MOST_BYTES = 4_000_000  # 100,000 lines of 40 bytes
MOST_LINES = 100_000
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SAMPLE = 4000  # bytes in which the zeros of UTF-16 are counted
_NO_TEXT = "không phải văn bản đọc được; xin mở bằng Notepad và lưu lại với mã UTF-8"


def read_text(content: bytes) -> list[Paragraph]:
    """Return the lines that are not empty; raise RefusedError if it is no text."""
    if len(content) > MOST_BYTES:
        raise RefusedError(
            f"văn bản dài hơn {MOST_BYTES // 1_000_000} MB; xin giữ lại phần kế hoạch"
        )
    text = _text(content)
    lines = re.split("\r\n|\r|\n", text)
    if len(lines) > MOST_LINES:
        raise RefusedError(f"tệp dài hơn {MOST_LINES} dòng")
    plain = [squeeze(normal(line)) for line in lines]
    return [Paragraph(line, f"line:{n}") for n, line in enumerate(plain, start=1) if line]


def _text(content: bytes) -> str:
    try:
        for bom, codec in _BOMS:
            if content.startswith(bom):
                return content.decode(codec)
        if codec := _wide(content):
            return content.decode(codec)
    except UnicodeDecodeError:
        raise RefusedError(_NO_TEXT) from None
    text = decoded(content, "")
    if b"\0" in content or is_lost(text):
        raise RefusedError(_NO_TEXT)
    return text


def _wide(content: bytes) -> str:
    """Return the codec of UTF-16 without a mark, whose every other byte is mostly zero."""
    sample = content[:_SAMPLE]
    for codec, high, low in (
        ("utf-16-le", sample[1::2], sample[::2]),
        ("utf-16-be", sample[::2], sample[1::2]),
    ):
        if high.count(0) * 4 > len(high) and not low.count(0):
            return codec
    return ""
