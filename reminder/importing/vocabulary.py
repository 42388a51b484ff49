"""The words by which parts of an office plan are known: fields, columns, headings, units, traps.

Words are compared without diacritics and in lower case, since OCR loses marks (“Kêt quả”).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from reminder.domain.text import words


@lru_cache(4096)
def _plain_char(char: str) -> str:
    base = unicodedata.normalize("NFD", char)[0].lower()
    return {"đ": "d", "–": "-", "—": "-", "−": "-", "\xa0": " "}.get(base, base)[:1]


def plain(text: str) -> str:
    """Return `text` in lower case without diacritics, character by character: same length."""
    return "".join(map(_plain_char, text))


# --- fields: “Cơ quan chủ trì: …”

FIELD_KEYS = {  # the first that is found decides
    "time": (
        "thoi gian|thoi han|tien do|han hoan thanh|thoi diem|moc thoi gian|han|moc|hoan thanh|lich"
    ),
    "support": "phoi hop|ph|ho tro",
    "lead": (
        "chu tri|ct|phu trach|nguoi thuc hien|don vi thuc hien|co quan thuc hien|thuc hien"
        "|bo phan thuc hien|to chuc thuc hien|chiu trach nhiem|phan cong|dau moi|tham muu"
        "|trach nhiem"
        "|giao|don vi|co quan|bo phan|nguoi lam|nguoi phu trach"
    ),
    "product": "san pham|ket qua|dau ra|hoan thanh san pham|san luong",
    "other": (
        "kinh phi|nguon kinh phi|nguon von|dia diem|doi tuong|muc tieu|muc dich|ghi chu|so luong"
        "|chi tieu|yeu cau|hinh thuc|thanh phan|pham vi|can cu|noi nhan|bien phap|don vi tinh"
    ),
    "task": "noi dung|nhiem vu|cong viec|ten viec|viec|hoat dong",
}
_KEYS = {kind: re.compile(rf"\b(?:{keys})\b") for kind, keys in FIELD_KEYS.items()}
# A head of a field is made of these words alone, so that no sentence is taken for one.
_HEAD_WORDS = words(
    "thoi gian han diem tien do moc hoan thanh thuc hien du kien bat dau ket thuc lich trien khai "
    "phoi hop ph ho tro chu tri ct phu trach nguoi don vi co quan bo phan to chuc chiu nhiem phan "
    "cong dau moi tham muu giao lam san pham qua ra luong kinh phi nguon von dia doi tuong muc "
    "tieu "
    "dich ghi chu so chi yeu cau hinh thuc pham can cu nhan bien phap tinh noi dung viec ten hoat "
    "dong chinh thuong va hoac tong hop theo doi tiep lanh dao xay dung ban dat duoc trong can cac "
    "truong phong ca truc tiep cua can bo tien trinh ky nam"
)
_MOST_HEAD = 9  # words
_BARE = re.compile(
    r"(?:chu tri|phu trach|phoi hop|thoi gian(?: hoan thanh| thuc hien)?|thoi han|san pham|ket qua"
    r"|nguoi thuc hien|co quan chu tri|don vi chu tri|co quan phoi hop|don vi phoi hop)(?=\s)"
)


def head_kind(head: str) -> str:
    """Return what a field's or a column's head stands for; empty for a head of another sort."""
    base = re.sub(r"\([^)]*\)|[^\w\s]", " ", plain(head)).split()
    if not base or len(base) > _MOST_HEAD or any(word not in _HEAD_WORDS for word in base):
        return ""
    return _head_key(" ".join(base))


def _head_key(base: str) -> str:
    if re.match(r"(?:noi dung|nhiem vu|cong viec)\b", base) and "chu tri" not in base:
        return "task"
    if re.search(r"\bchu tri\b", base) or base == "ct":
        return "lead"
    if re.match(r"(?:(?:du kien|yeu cau) )?(?:ket qua|san pham|dau ra)\b", base):
        return "product"
    if re.search(r"\bthuc hien\b", base) and not re.search(
        r"thoi|phu trach|phoi hop|ket qua|kinh phi|tien do|dia diem|lich|moc|chiu trach nhiem", base
    ):
        return "doer"  # in charge, unless somebody else is named as such
    if re.match(r"(?:so luong|kinh phi|nguon|dia diem|doi tuong|muc|chi tieu|yeu cau)\b", base):
        return "other"
    for kind, pattern in _KEYS.items():
        if pattern.search(base):
            return kind
    return ""


def split_field(text: str, *, bare: bool = False) -> tuple[str, str] | None:
    """Return a field's kind and value; None for a text that is no field.

    A semicolon may stand for the colon (OCR). `bare`: the colon may be missing before a capital
    letter or a figure, as the lines beside it are fields.
    """
    if found := re.match(r"([^:;.]{2,60})([:;])\s*", text):
        kind = head_kind(found[1])
        if kind == "task":
            kind = "content"
        if kind and (found[2] == ":" or kind == "time" or bare):
            return kind, text[found.end() :].strip(" .;")
    if bare and (found := _BARE.match(plain(text))):
        rest = text[found.end() :].strip()
        if rest[:1].isupper() or rest[:1].isdigit():
            return head_kind(text[: found.end()]), rest.strip(" .;")
    return None


_INLINE = re.compile(r"(?:^|(?<=[.;,(–—-])\s*|(?<=\n))([^:;.,()\n]{2,50}):[ \t]*")


def inline_fields(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return a text without the fields inside it, and these: “…; sản phẩm: Kế hoạch. Chủ trì: "
    "A”."""
    marks = [
        (m.start(), m.end(), kind)
        for m in _INLINE.finditer(text)
        if (kind := head_kind(m[1])) and kind != "task"
    ]
    while marks and marks[0][2] == "other":
        marks.pop(0)
    if not marks:
        return text, []
    fields = []
    for place, (_, end, kind) in enumerate(marks):
        stop = marks[place + 1][0] if place + 1 < len(marks) else len(text)
        fields.append((kind, text[end:stop].strip(" .;,()–-\n")))
    kept = [(kind, value) for kind, value in fields if kind != "other"]
    return text[: marks[0][0]].strip(" ;,(–-\n"), kept


# --- headings

_DEAD = re.compile(r"noi nhan\b|tm\. ?(?:uy ban|ubnd)|kt\. ?chu tich|tl\. ?|tren day la ke hoach")
_MONTHS = r"(?:0?[1-9]|1[0-2]|0l|l[0-2]|1o)"
_TIME_HEADING = re.compile(
    rf"(?:cong viec |nhiem vu |trong )?(?:thang {_MONTHS}(?:(?:[, /-]|va|den|thang)*{_MONTHS})*"
    rf"(?:[/ ]*(?:nam )?\d{{4}})?|quy (?:i{{1,3}}|iv|[1-4])(?:[/ ]*(?:nam )?\d{{4}})?"
    r"|hoc ky (?:i{1,2}|[12])\b.*|(?:thuong xuyen|hang (?:ngay|tuan|thang|quy|nam)"
    r"|6 thang (?:dau|cuoi) nam)(?:[, ]*(?:va |hang |ngay|tuan|thang|quy|nam)*)(?:\d{4})?)\s*:?"
)
_GOALS = re.compile(  # at the start of a heading: “Kiểm tra, đánh giá” heads tasks
    r"(?:(?:nhung|mot so|cac|cong tac|ve) )*"
    r"(?:muc tieu|muc dich|yeu cau|chi tieu|quan diem|nguyen tac|tinh hinh|thuan loi|kho khan"
    r"|can cu|dac diem|boi canh"
    r"|phuong cham|pham vi|doi tuong|dinh huong|han che|ton tai|nguyen nhan"
    r"|thanh tich|uu diem|bai hoc|co so phap ly|giai thich|thuc trang|su can thiet"
    r"|danh gia(?: (?:tinh hinh|ket qua|chung|thuc trang|cong tac|viec thuc hien).*)?$"
    r"|ket qua(?: (?:thuc hien|cong tac|hoat dong|trien khai|dat duoc|nam|chu yeu|noi bat).*)?$"
    r"|tinh hinh thuc hien)\b"
)
_NOT_GOALS = re.compile(r"nhiem vu|giai phap|noi dung|cong viec|phan cong")
_MEANS = re.compile(r"\b(?:kinh phi|nguon luc|du toan|nguon von)\b")
_ORGANISATION = re.compile(
    r"(?:cong tac )?(?:to chuc (?:thuc hien|trien khai)|trach nhiem|phan cong trach nhiem"
    r"|dieu khoan|che do (?:thong tin|bao cao)|thong tin,?(?: va)? bao cao)\b"
)


def is_title(text: str) -> bool:
    """Return whether a line begins the title: “KẾ HOẠCH”, in capitals or alone."""
    begins = plain(text).startswith(("ke hoach", "chuong trinh", "lich cong tac"))
    return begins and (len(text) <= 20 or text.isupper())


def ends_document(text: str) -> bool:
    """Return whether a line begins the end of a document: whom it is sent to, the signature."""
    return bool(_DEAD.match(plain(text)))


def is_time_heading(text: str) -> bool:
    """Return whether a heading names months, a quarter, a term, or standing work."""
    return len(text) < 90 and bool(_TIME_HEADING.fullmatch(plain(text)))


def is_goals(heading: str) -> bool:
    """Return whether no work stands under this heading: aims, principles, last year's results."""
    base = plain(heading).strip(" .:")
    return len(heading) < 120 and bool(_GOALS.match(base)) and not _NOT_GOALS.search(base)


def names_tasks(heading: str) -> bool:
    """Return whether a heading says that tasks follow."""
    return bool(_NOT_GOALS.search(plain(heading)))


def is_funding(heading: str) -> bool:
    return len(heading) < 80 and bool(_MEANS.search(plain(heading)))


def is_organisation(heading: str) -> bool:
    return len(heading) < 80 and bool(_ORGANISATION.match(plain(heading)))


# --- traps

_TARGET = re.compile(
    r"(?:[-+]\s*)?(?:phan dau|dat |giam |tang ty le|den (?:het )?nam \d{4}|\d+(?:[.,]\d+)? ?%"
    r"|ty le |tren \d+"
    r"|toi thieu|it nhat|khong de|khong con|100|muc tieu|chi tieu|duy tri ty le|giu vung|nang ty le"
    r"|tu \d+ ?% |co \d+)"
)
_DATA_WINDOW = re.compile(
    r"\bso lieu\b.*\btinh tu\b|\bky bao cao\b.*\btinh tu\b|thoi diem chot so lieu"
)
_EVERYBODY = re.compile(
    r"(?:de nghi |yeu cau |giao )?(?:thu |to )?(?:truong |lanh dao |nguoi dung dau |cong chuc "
    r"|can bo "
    r"|giam doc )*(?:tat ca |toan the )?(?:cac|moi|tung|toan the) (?:co quan|don vi"
    r"|phong(?! kham)|ban"
    r"|bo phan|can bo|cong chuc|ca nhan|to chuc|nganh|dong chi|thanh vien|dia phuong|tap the)\b"
    r"|(?:tat ca|toan the|can bo, cong chuc|thu truong|nguoi dung dau|moi)\b"
)


def is_target(text: str) -> bool:
    """Return whether a text says what is to be reached, not what is to be done."""
    return bool(_TARGET.match(plain(text)))


def is_past(text: str) -> bool:
    """Return whether a sentence tells what was done: “Công an xã đã rà soát …”."""
    return bool(re.match(r"đã\s", text, re.IGNORECASE))


def is_data_window(text: str) -> bool:
    return bool(_DATA_WINDOW.search(plain(text)))


def is_everybody(text: str) -> bool:
    """Return whether a sentence is about all, and so nobody's task."""
    return bool(_EVERYBODY.match(plain(text)))
