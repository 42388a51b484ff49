"""A reply's own words: what stands above the quoted mail and the signature.

What stands below a quote is taken only where nothing stands above it (people who answer at the
bottom): otherwise the words of an older mail would be taken for this one's. Client by client: Gmail
and iPhone (“Vào Th 4, 24 thg 1, 2024 vào lúc 08:00 … đã viết:”), Outlook (“Từ: … Đã gửi: …”),
Thunderbird, Yahoo, Zimbra and their English twins.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

LONGEST = 4000  # characters of an answer that are read; more is no answer
WRAPPED = 3  # lines over which a client may wrap “Vào … đã viết:”

_SPACES = re.compile(r"[^\S\n]+")
_QUOTED = re.compile(r"\s*(?:[>›|]|&gt;)")
_WROTE = re.compile(
    r"(?i)(?:.*(?:\d|@|<).*(?:đã viết|viết|wrote|writes|a écrit)\s*:"
    r"|(?:on|vào|ngày|lúc|am|le)\b.*(?:đã viết|viết|wrote|writes|a écrit|schrieb.*)\s*:)\W*"
)
_OPENS = re.compile(r"(?i)\W{0,3}(?:on|vào|ngày|lúc|am|le)\b.*\d.*|.*<[^<>\s]+@[^<>\s]+>?.*")
_LINE = re.compile(
    r"(?i)\s*[-_*–—=]{2,}\s*(?:thư gốc|tin nhắn gốc|thư ban đầu|original message|original|"
    r"thư đã chuyển tiếp|forwarded message|tin nhắn được chuyển tiếp|thư được chuyển tiếp|"
    r"bắt đầu thư được chuyển tiếp|reply message|trả lời thư gốc)\s*[-_*–—=]*\s*"
    r"|\s*_{16,}\s*"
    r"|(?:begin forwarded message|bắt đầu thư được chuyển tiếp)\s*:\s*"
)
_FROM = re.compile(r"(?i)\W*(?:từ|người gửi|from)\W*:\W*\S.*")
_FIELD = re.compile(
    r"(?i)\W*(?:đã gửi|gửi lúc|gửi|ngày|thời gian|đến|tới|người nhận|kính gửi|cc|đồng gửi|chủ đề|"
    r"tiêu đề|sent|date|to|subject|importance|mức độ quan trọng)\W*:.*"
)
_PHONE = re.compile(
    r"(?i)\W*(?:(?:được )?gửi (?:từ|bằng) (?:iphone|ipad|iphone của|ipad của|điện thoại|thiết bị|"
    r"samsung|galaxy|android|outlook|yahoo|zalo|zimbra|thư|gmail|mail|hộp thư|ứng dụng|máy).*"
    r"|đã gửi từ (?:iphone|ipad|điện thoại|thiết bị|samsung|galaxy|android|outlook|yahoo|thư|gmail|"
    r"ứng dụng|máy|mail|hộp thư|zimbra).*"
    r"|sent from (?:my|mail|outlook|yahoo|samsung|gmail|an?|the|proton|zimbra|windows).*"
    r"|get outlook for .*|tải outlook cho .*|lấy outlook cho .*|nhận outlook (?:cho|dành cho) .*"
    r"|tải xuống outlook .*|virus-free\b.*|không có vi-?rút\b.*)"
)
_SIGN_OFF = re.compile(
    r"(?i)\W*(?:xin )?(?:trân trọng(?: (?:cảm ơn|kính chào|báo cáo|kính thư|./\.))*|kính thư|"
    r"kính báo|thân ái|thân mến|thân|chào trân trọng|kính chào|best regards|kind regards|"
    r"warm regards|regards|sincerely|yours sincerely|thanks and regards|thanks & regards|brgds?|"
    r"trân trọng và cảm ơn|trân trọng cám ơn|cảm ơn và trân trọng)"
    r"(?:\s+(?:anh/chị|anh chị|anh|chị|các anh chị|quý anh chị|ạ))?\W*"
)
_SALUTE = re.compile(
    r"(?i)\W*(?:kính gửi|kính thưa|kính chào|thân gửi|gửi|chào|xin chào|dear|hi|hello)\b[^\d]{0,80}"
    r"[,:;.!]\W*"
    r"|\W*kính (?:gửi|thưa)\b(?!.*(?:xong|rồi|chưa|báo cáo))[^\d]{0,80}"
)


def own_text(text: str) -> str:
    """What whoever replied has written; empty where there is nothing but a quote."""
    lines = _tidy(text).split("\n")
    cut = _first_quote(lines)
    above = _signed_off(lines[:cut])
    if not above and cut < len(lines):
        above = _signed_off(_below(lines[cut:]))
    return "\n".join(above).strip()[:LONGEST].strip()


def _tidy(text: str) -> str:
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c for c in text if c == "\n" or c == "\t" or unicodedata.category(c) != "Cf")
    return _SPACES.sub(" ", text)


def _first_quote(lines: Sequence[str]) -> int:
    """The index of the first line that belongs to the quoted mail; len(lines) if none does."""
    for number, line in enumerate(lines):
        if _QUOTED.match(line) or _LINE.fullmatch(line) or _wrote(lines, number):
            return number
        if _is_header_block(lines, number):
            return number
    return len(lines)


def _wrote(lines: Sequence[str], start: int) -> bool:
    """“Vào … đã viết:”, on one line or wrapped over several."""
    if not lines[start].strip():
        return False
    joined = ""
    for number, line in enumerate(lines[start : start + WRAPPED]):
        joined = f"{joined} {line.strip()}".strip()
        if len(joined) > 400 or not line.strip():
            return False
        if number and not _OPENS.fullmatch(lines[start].strip()):
            return False
        if _WROTE.fullmatch(joined):
            return True
    return False


def _is_header_block(lines: Sequence[str], start: int) -> bool:
    """“Từ: …” with another field of a mail's head within the lines below it."""
    if not _FROM.fullmatch(lines[start]):
        return False
    following = [line for line in lines[start + 1 : start + 6] if line.strip()]
    return any(_FIELD.fullmatch(line) for line in following[:3])


def _below(lines: Sequence[str]) -> list[str]:
    """What stands below a quote of “>” lines, for who answers at the bottom.

    Words between such lines mean what they stand under, which a line of text can't say; and a quote
    that is not marked line by line (Outlook) has no end that can be seen: of both nothing is taken.
    """
    marked = [number for number, line in enumerate(lines) if _QUOTED.match(line)]
    if not marked:
        return []
    between = lines[marked[0] : marked[-1]]
    if any(line.strip() and not _QUOTED.match(line) for line in between):
        return []
    below = lines[marked[-1] + 1 :]
    return list(below[: _first_quote(below)])


def _signed_off(lines: Sequence[str]) -> list[str]:
    """`lines` without greeting, signature and what a telephone adds."""
    kept: list[str] = []
    for line in lines:
        if line.rstrip() in ("--", "—", "––") or _PHONE.fullmatch(line):
            break
        if _SIGN_OFF.fullmatch(line) and any(one.strip() for one in kept):
            break
        kept.append(line.strip())
    while kept and (not kept[0] or (_SALUTE.fullmatch(kept[0]) and any(kept[1:]))):
        kept.pop(0)
    while kept and not kept[-1]:
        kept.pop()
    return kept
