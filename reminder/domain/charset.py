"""Bytes or misread text → the Vietnamese that was written, whatever charset was declared.

Vietnamese was typed in many 8-bit charsets, and gateways label what they pass on as they like. Each
possible reading is judged by how many of its accented words are Vietnamese syllables. Libraries
that guess charsets know none of TCVN3, VISCII and VNI, and read a short mail in windows-1258 as
Big5.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from unicodedata import normalize

from reminder.domain.text import composed, words

LONGEST_JUDGED = 4000  # characters that are judged to choose between readings

# Text codecs of Python that no mail is written in, and that cost time or warn.
_NO_CHARSETS = frozenset(
    ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem")
)
# Charsets whose bytes may be valid UTF-8 too: for them the label is believed first.
_SEVEN_BITS = ("utf_7", "iso2022", "hz")
_WIDE = ("utf_16", "utf_32")
_GUESSES = ("cp1258", "tcvn3", "viscii", "cp1252")
_EAST_ASIAN = ("gb", "big5", "euc", "shift_jis", "cp932", "cp949", "cp950", "johab")

_TCVN3 = (
    "\u00a0ĂÂÊÔƠƯĐăâêôơưđ\u00af\u00b0\u00b1\u00b2\u00b3\u00b4àảãáạ\u00baằẳẵắ\u00bf\u00c0\u00c1\u00c2"
    "\u00c3\u00c4\u00c5ặầẩẫấậè\u00cdẻẽéẹềểễếệìỉ\u00d9\u00da\u00dbĩíịò\u00e0ỏõóọồổỗốộờởỡớợù"
    "\u00f0ủũúụừửữứựỳỷỹýỵ\u00ff"
)  # from A0
_VISCII = (
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵ"
    "ÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
)  # from 80 (RFC 1456)
_TABLES = {  # of the upper half; the lower is ASCII
    name: dict(enumerate(table, start=first))
    for name, first, table in (("tcvn3", 0xA0, _TCVN3), ("viscii", 0x80, _VISCII))
}
# VNI: a vowel is followed by a letter that stands for its marks.
_VNI_LETTERS = str.maketrans("ñÑöÖôÔæÆîÎ", "đĐưƯơƠỉỈịỊ")
_VNI_MARKS = {
    sign: hat + tone
    for hat, signs in (("", "ùøûõï"), ("\u0302", "âáàåãä"), ("\u0306", "êéèúüë"))
    for sign, tone in zip(reversed(signs), (*"\u0323\u0303\u0309\u0300\u0301", ""), strict=False)
}
_VNI_PAIR = re.compile(f"(?i)([aeouyöô])([{''.join(_VNI_MARKS)}])")
_VNI_SIGNS = re.compile(rb"[\xf1\xf6\xf4\xd6\xd4\xd1]|[aeouyAEOUY][\xe0-\xfc\xc0-\xdc]")
# What windows-1252 makes of each byte; where it has no character, and in Latin-1, it is the byte's.
_WESTERN = {
    char: n
    for n in range(256)
    for char in (chr(n), bytes((n,)).decode("cp1252", "replace"))
    if char != "\ufffd"
}

# A piece of a line between blanks and the signs of every charset.
_PIECE = re.compile(r"[^\s\x00-/:-@\[-`{-\x7f\u2010-\u2027]+")
_SYLLABLE = re.compile(
    r"(?:ngh?|gh|gi|kh|ch|nh|ph|qu|th|tr|[bcdđghklmnprstvx])?"
    r"(?:oai|oay|oao|oeo|uay|uây|uôi|uya|uyê|uyu|ươi|ươu|iêu|yêu|ai|ao|au|ay|âu|ây|eo|êu|ia|iê|iu|"
    r"oa|oă|oe|oi|oo|ôi|ơi|ua|uâ|uê|ui|uô|uơ|uy|ưa|ưi|ươ|ưu|yê|[aăâeêioôơuưy])"
    r"(?:ch|ng|nh|[cmnpt])?"
)
_TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
# Common words of answers; they outweigh syllables that are only possible.
_COMMON = words(
    "chưa đã rồi dạ ạ được không báo cáo việc tháng hạn gửi đang làm trình ký số ngày phường nhé "
    "chị thành hoàn nộp quyết định còn để và là của này"
)
_BROKEN = re.compile("[\ufffd\x00-\x08\x0e-\x1f\x7f-\x9f]")
# UTF-8 that was read as an 8-bit charset: a lead byte with a continuation as letters or signs.
_MOJIBAKE = re.compile("[ÂÃÄÅÆáâ][\u0080-\u00bf\u0152-\u017e\u02c6\u02dc\u2013-\u203a\u20ac\u2122]")


def decoded(content: bytes, label: str) -> str:
    """Return `content` in NFC, by its charset `label` or by what reads best; never raises."""
    name = known(label)
    kind = name.replace("-", "_")
    if kind.startswith(_SEVEN_BITS) or (kind.startswith(_WIDE) and b"\0" in content):
        tried: tuple[str, ...] = (name, "utf-8")
    else:
        tried = ("utf-8", name) if kind.startswith((*_WIDE, *_EAST_ASIAN)) else ("utf-8",)
    for codec in tried:
        try:
            text = composed(content.decode(codec))
            text.encode()  # UTF-7 may hold half a surrogate pair
        except (UnicodeError, LookupError):
            continue
        return repaired(text) if codec == "utf-8" else text
    if name in tried:
        name = ""
    damaged = composed(content.decode("utf-8", "replace"))
    judged = damaged[:LONGEST_JUDGED]
    sound = sum(char > "\x7f" for char in judged) - judged.count("\ufffd")
    found = _best(list(_readings(content, name)) or [damaged])
    # Bytes of another charset are hardly ever whole UTF-8 sequences.
    if sound and sound + _vietnamese(damaged) >= _vietnamese(found):
        return damaged
    is_guess = name in ("", "ascii", "utf-8")
    return damaged if is_guess and _vietnamese(found) < 0 else found


def known(label: str) -> str:
    """Return the codec of a charset; empty if there is none for text."""
    name = label.strip().strip("'\"")[:40]
    if name.lower() in ("viscii", "csviscii", "viscii1.1-1"):
        return "viscii"
    if name.lower().replace("-", "") in ("tcvn3", "tcvn5712", "tcvn57121:1993", "xtcvn", "abc"):
        return "tcvn3"
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError, TypeError):
        return ""
    is_text: bool = getattr(found, "_is_text_encoding", True)
    return "" if found.name.replace("-", "_") in _NO_CHARSETS or not is_text else found.name


def repaired(text: str) -> str:
    """Return `text`, or what its letters are as bytes of another charset where that reads better.

    UTF-8 read as Latin-1, perhaps twice, and text typed in a TCVN3 or VNI font are mended.
    """
    best = text
    for _ in range(3):
        content = _as_bytes(best)
        if content is None:
            break
        readings = list(_readings(content, "utf-8"))
        # Letters of another charset are hardly ever whole UTF-8 sequences.
        is_utf8 = _is_utf8(content)
        found = readings[0] if is_utf8 else _best(readings)
        gain = _vietnamese(found) - _vietnamese(best)
        if gain < 0 or (gain == 0 and not is_utf8):
            break
        best = found
    return best


def is_garbled(text: str) -> bool:
    """Return whether some of `text` was lost or is misread, so that its words may mean anything."""
    return bool(_BROKEN.search(text) or _MOJIBAKE.search(text))


def is_lost(text: str) -> bool:
    """Return whether most words of `text` are garbled."""
    pieces = text.split()
    return 2 * sum(map(is_garbled, pieces)) > len(pieces)


def _readings(content: bytes, label: str) -> Iterator[str]:
    """Yield `content` in NFC in each charset that can read it, the declared one first."""
    western = label in ("", "ascii", "iso8859-1", "cp1252", "iso8859-15")
    for name in dict.fromkeys((*(() if western else (label,)), *_GUESSES)):
        try:
            if name in _TABLES:
                yield composed(content.decode("latin-1").translate(_TABLES[name]))
            else:
                yield composed(content.decode(name))
        except (UnicodeError, LookupError):
            continue
    if _VNI_SIGNS.search(content):
        text = _VNI_PAIR.sub(
            lambda pair: pair[1].translate(_VNI_LETTERS) + _VNI_MARKS[pair[2].lower()],
            content.decode("latin-1"),
        )
        yield composed(text.translate(_VNI_LETTERS))


def _as_bytes(text: str) -> bytes | None:
    """Return the bytes that an 8-bit charset has read as `text`; None if none of them can have."""
    if text.isascii():
        return None
    try:
        return bytes([_WESTERN[char] for char in text])
    except KeyError:
        pass
    try:
        return text.encode("cp1258")
    except UnicodeEncodeError:
        return None


def _best(readings: list[str]) -> str:
    """Return the first, unless another reads clearly better."""
    found = max(readings, key=_vietnamese)
    least = _vietnamese(readings[0])
    return found if _vietnamese(found) > least + (least >= 0) else readings[0]


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _vietnamese(text: str) -> int:
    """Return how many accented words of `text` are Vietnamese, less those that are not."""
    score = 0
    for piece in _PIECE.findall(text[:LONGEST_JUDGED]):
        if piece.isascii():
            continue
        word = normalize("NFC", _TONES.sub("", normalize("NFD", piece.lower())))
        score += 1 if _SYLLABLE.fullmatch(word) else -1
        score += piece.lower() in _COMMON
        score -= 2 * len(_BROKEN.findall(piece))
    return score
