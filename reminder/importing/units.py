"""Unit names as documents write them: found in texts, split from lists, matched with each other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from reminder.domain.plan import MAX_UNIT
from reminder.domain.text import squeeze
from reminder.files.toml import unused_id
from reminder.importing.draft import Unit
from reminder.importing.vocabulary import plain

_TYPES = (
    "so|phong|ban|van phong|cong an|tram|truong|hoi|doan|ubnd|uy ban|hdnd|bo phan|to|trung tam"
    "|chi cuc|cuc|mttq|mat tran|lien doan|thanh tra|ke toan|cong chuc|dai|bao|buu dien|ngan hang"
    "|kho bac|hieu truong|pho hieu truong|giao vien|nhan vien|cong doan|chi doan|khu pho|thon"
    "|ap|toan truong|bo chi huy|ban chi huy|lanh dao|chu tich|pho chu tich|vien|toa an|bhxh"
    "|bao hiem xa hoi|thu vien|nha van hoa|hop tac xa|cong ty|doi|to truong|tong phu trach"
    "|quan su|dan quan|tu phap|dia chinh|cac to|cac thon|cac khu|cac khoi|cac truong|cac hoi"
    "|cac phong|cac ban|cac xa|cac don vi|cac co quan|cac so|khoa|vu|thuong truc|nong hoi|y te"
    "|can bo|quy|khoi|doan thanh nien|benh vien|nha truong|bi thu|truong ban|truong phong|hat"
    "|thue|hai quan|chi bo|dang uy"
    "|dong chi|nguoi phu trach|thu quy|van thu|bep|ban giam hieu|xi nghiep|thu ky|giam doc"
    "|thuong binh"
)
_TYPE = re.compile(rf"(?:{_TYPES})\b")
# What begins with the word of a unit and is none.
_NOT_UNIT = re.compile(
    r"ban hanh|khoa hoc|hoi nghi|hoi thi|hoi thao|hoi dien|hoi cho|hoi trai|hoi khoe|to chuc"
    r"|bao cao|phong chong"
    r"|phong, chong|phong ngua|so ket|so hoa|so lieu|so tay|so kiem|so theo|so ho|bao dam"
    r"|bao ve moi"
    r"|bao ton|bao duong|bao tri|hop |to khai|ban giao|doan kiem tra|so sanh|so tuyen|cong khai"
    r"|cong tac|cong bo|cong nhan|cong khai|to roi|doi moi|doi chieu|doi voi|quy i|quy [1-4]|quyet"
    r"|bao hiem y te|truong hop|thon tinh|vien phi|vu mua|vu viec|van ban|bao quan|doi thoai"
    r"|dai hoi"
    r"|to dan pho so|so bo|bao gom|quy che|quy dinh|quy hoach|quy trinh|quy mo|quy dat|can bo ky"
)
_PLACE = re.compile(r" (?:phuong|xa|tinh|huyen|thanh pho|thi tran|quan)$")
_RELATED = re.compile(r"\b(?:lien quan|co lien quan|co lq|khac)\b")
_PREFIX = re.compile(r"(?:phong|bo phan|cong chuc|bp|p\.)\s*")
_INTRO = re.compile(  # with its marks: “Giáo viên” is no “giao”
    r"(?:đối với|đề nghị|giao cho|giao|yêu cầu|trách nhiệm của|nhiệm vụ của)\s+", re.IGNORECASE
)
MOST_UNITS = 200


def is_unit_start(text: str) -> bool:
    """Return whether a text begins as the name of a unit does."""
    base = plain(text).strip()
    return bool(_TYPE.match(base)) and not _NOT_UNIT.match(base)


def clean(name: str) -> str:
    """Return a name without what stands around it: a colon, brackets, “giao”."""
    name = re.sub(r"\s*\([^)]*\)", "", name).strip(" .,;:-–*+")
    if found := _INTRO.match(name):
        name = name[found.end() :]
    return squeeze(name)


def heading_unit(text: str) -> str:
    """Return the unit that a heading names and nothing else: “1. Sở Y tế (thường trực):”."""
    name = clean(text)
    if not name or len(name) > 90 or not is_unit_start(name) or re.search(r"\d{3,}|[.;?!]", name):
        return ""
    inside = name.partition(" ")[2]
    return "" if _SURE_VERB.search(inside) else name


_SURE_VERB = re.compile(
    r"\b(?:chủ trì|có trách nhiệm|phối hợp|tham mưu|thực hiện|xây dựng kế hoạch|kiểm tra việc"
    r"|hướng dẫn|tổng hợp|báo cáo|theo dõi|triển khai|rà soát|tuyên truyền|ban hành|đôn đốc"
    r"|tiếp tục|tăng cường|đẩy mạnh|hoàn thành|đề xuất|thành lập|định kỳ|chủ động|căn cứ"
    r"|h[àằ]ng (?:ngày|tuần|tháng|quý|năm))\b"
)


def split_names(value: str) -> list[str]:
    """Return the names in a list of units; “các bộ phận liên quan” is none."""
    names: list[str] = []
    for line in re.split(r"[;\n]|\s[-–+]\s(?=[A-ZĐ][a-zà-ỹ]+ [A-ZĐ]?[a-zà-ỹ]*:)", value):
        names += _split_line(re.sub(r"\s*\([^)]*\)", "", line))
    kept = []
    for name in names:
        cleaned = clean(name)
        if len(cleaned) > 1 and not _RELATED.search(plain(cleaned)) and cleaned not in kept:
            kept.append(cleaned)
    return kept


def _split_line(line: str) -> list[str]:
    """Split at commas and “và” that stand between names, not inside one."""
    names = [""]
    for piece in re.split(r"(\s*,\s*|\s+và\s+|\s*&\s*|\s+\+\s+)", line):
        if re.fullmatch(r"\s*,\s*|\s+và\s+|\s*&\s*|\s+\+\s+", piece):
            names.append(piece)
            continue
        if len(names) == 1:
            names[0] = piece
            continue
        joint = names.pop()
        before = names[-1]
        if _parts(before, joint, piece):
            names.append(piece)
        else:
            names[-1] = before + joint + piece
    return names


def _parts(before: str, joint: str, after: str) -> bool:
    """Return whether `joint` separates two names."""
    base = plain(after).strip()
    if re.search(r"(?:hdnd|hoi dong nhan dan)$", plain(before).strip()):
        return False
    if _RELATED.search(base) or re.match(r"cac\b", base):
        return not before.strip().casefold().startswith("các") or bool(_RELATED.search(base))
    if is_unit_start(after) and after.strip()[:1].isupper():
        return True
    if "," not in joint or not after.strip()[:1].isupper():
        return False
    # “Sở Văn hóa, Thể thao và Du lịch” is one; “Văn phòng, Tư pháp” are two.
    is_whole = plain(before).strip() in ("van phong", "tu phap", "ke toan", "dia chinh", "cong an")
    return not is_unit_start(before) or is_whole


def subject(text: str, known: Iterable[str]) -> tuple[str, str]:
    """Return the unit that a sentence begins with, and the rest; empty without one."""
    base = plain(text)
    start = found.end() if (found := _INTRO.match(text)) else 0
    for name in known:
        if base.startswith(plain(name), start) and not base[start + len(name) :][:1].isalnum():
            return text[start : start + len(name)], text[start + len(name) :].lstrip(" ,:")
    if not is_unit_start(text[start:]):
        return "", text
    verb = _SUBJECT_END.search(text, start + 3)
    if verb is None or verb.start() - start > 90:
        return "", text
    name = clean(text[start : verb.start()])
    return (name, text[verb.start() :].lstrip(" ,:")) if len(name) > 2 else ("", text)


# Where a unit's name ends and what it does begins. With marks, as “tặng” is not in “Hạ tầng”, and
# in lower case, as in “Phòng Quản lý đô thị”.
_SUBJECT_END = re.compile(
    r":|,? ?\b(?:chủ trì|có|chịu trách nhiệm|phối hợp|tham mưu|thực hiện|tổng hợp|báo cáo|theo dõi"
    r"|triển khai|rà soát|tuyên truyền|ban hành|đôn đốc|tiếp tục|tăng cường|hướng dẫn|là|được"
    r"|(?<!công )(?<!chương )(?<!quy )(?<!lộ )(?<!giáo )(?<!tiến )(?<!quá )trình(?! độ)"
    r"|hoàn thành|xây dựng|lập|tổ chức|kiểm tra|cập nhật|gửi|bố trí|định kỳ|chủ động|phụ trách|cần"
    r"|h[àằ]ng (?:ngày|tuần|tháng|quý|năm)|giúp|căn cứ|đề xuất|thành lập|cung cấp|niêm yết|đăng tải"
    r"|công khai|mở|đánh giá|khảo sát|ra quân|khám|tư vấn|mời|vận hành|tuần tra|bảo vệ|bảo đảm"
    r"|đảm bảo|xử lý|tiếp nhận|chi trả|hỗ trợ|tập huấn|bồi dưỡng|in|dự thảo|soạn thảo|thống kê"
    r"|cân đối|quyết toán|phát động|phát|phun|trồng|nạo vét|sửa|duy tu|lắp|mua|làm|đưa|cấp|dạy"
    r"|cùng|tham gia|vận động|nghiên cứu|giám sát|thẩm định|chỉ đạo|thu thập|số hóa|lưu trữ|đón"
    r"|tiêm|trực|nghiệm thu|giải quyết|chuẩn bị|họp|gặp|tặng|trao|ký|trước|trong|thường xuyên"
    r"|đẩy mạnh|khắc phục|chăm sóc|bàn giao|thu gom|nộp|điều tra|xác minh|quản lý|phân công|để|khi"
    r"|phân bổ|tập trung|vào|từ|chậm nhất|nghiêm túc|quán triệt|phổ biến|đăng ký|phê duyệt|công bố"
    r"|biên soạn|treo|dọn|truy quét|diễn tập|nhập|kết nối|thông báo|tiến hành|kiện toàn|củng cố)\b"
)


@dataclass(slots=True)
class Registry:
    """The units of a draft: each name as written is matched with the units known so far."""

    units: list[Unit] = field(default_factory=list)
    known: frozenset[str] = frozenset()  # ids that come from a former plan
    _by_key: dict[str, Unit] = field(default_factory=dict)

    def learn(self, unit: Unit) -> None:
        """Add a unit of a former plan."""
        self.units.append(unit)
        self.known |= {unit.id}
        for name in (unit.name, unit.short, *unit.spellings):
            if name:
                self._by_key.setdefault(_key(name), unit)

    def find(self, name: str) -> Unit | None:
        """Return the unit that `name` means: the same words, an abbreviation, or its short form."""
        key = _key(name)
        if key in self._by_key:
            return self._by_key[key]
        bare = _bare(key)
        found: list[Unit] = []
        if len(self._by_key) > MOST_UNITS:  # no office has so many; each would be compared with all
            return None
        for other, unit in self._by_key.items():
            same = bare == _bare(other) and (bare == key or _bare(other) == other)
            short = _stands_for(name, other) or any(
                _stands_for(known, key) for known in (unit.name, *unit.spellings)
            )
            if (same or short) and unit not in found:
                found.append(unit)
        return found[0] if len(found) == 1 else None

    def take(self, name: str) -> Unit:
        """Return the unit of this name; a new one if none is meant by it."""
        unit = self.find(name)
        if unit is None:
            ids = {unit.id for unit in self.units}
            new_id = unused_id(_PLACE.sub("", plain(name))[:36], ids, "bo-phan")
            unit = Unit(id=new_id, name=name[:MAX_UNIT].strip())
            self.units.append(unit)
        elif name.casefold() not in {
            s.casefold() for s in (unit.name, unit.short, *unit.spellings)
        }:
            if _stands_for(unit.name, _key(name)) and unit.id not in self.known:
                unit.name, name = (
                    name[:MAX_UNIT].strip(),
                    unit.name,
                )  # the full name, not the abbreviation
            unit.spellings.append(name)
        self._by_key.setdefault(_key(name), unit)
        return unit


def _stands_for(short: str, key: str) -> bool:
    """Whether `short` has capitals that abbreviate the name of this key: “VHTT”, “VP HĐND”."""
    letters = _initials(short)
    return (
        bool(re.search(r"[A-ZĐ]{2}", short))
        and len(letters) > 1
        and letters == _initials_of_key(key)
    )


def _key(name: str) -> str:
    base = re.sub(r"[^a-z0-9]+", " ", plain(name).replace(" va ", " ")).strip()
    return _PLACE.sub("", base)


def _bare(key: str) -> str:
    return _PREFIX.sub("", key, count=1) if _PREFIX.match(key) else key


def _initials(name: str) -> str:
    """Return vphdndubnd for “VP HĐND&UBND” and for “Văn phòng HĐND và UBND”."""
    made = ""
    base = name[: len(_PLACE.sub("", plain(name)))]
    for word in re.findall(r"[^\W_]+", base):
        if word.casefold() != "và":
            made += plain(word if word.isupper() else word[0])
    return made


def _initials_of_key(key: str) -> str:
    acronyms = {"ubnd", "hdnd", "mttq", "vhxh", "bchqs"}
    return "".join(word if word in acronyms else word[0] for word in key.split())
