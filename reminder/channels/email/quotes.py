"""A reply's own words: without the mail that it quotes, greeting, signature, banner, disclaimer.

The quoted mail begins where our own words do: at a line with an address or Message-ID of ours, or
at a line of the very mail that is answered, whatever the client or its language; else at the marks
that clients write. What stands below a quote is taken only where nothing stands above it (people
who answer at the bottom): otherwise the words of an older mail would be taken for this one's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

LONGEST_READ = 60_000  # characters of a mail that are looked at: an answer stands at an end of it
MOST_LINES = 1500
LONGEST_LINE = 500  # characters of a line that are held against a pattern
LONGEST = 4000  # characters of an answer that are kept; more is no answer
WRAPPED = 4  # lines over which a client may wrap “Vào … đã viết:”
_SHORTEST_QUOTED = 16  # letters and digits of a line of ours that is known by its words alone
_SHORTEST_PIECE = 25  # the same of a piece of a line: clients wrap anew
_LONGEST_PIECE = 90  # the same of the beginning of a line that several of ours were joined to

# Any word by which a line says how work stands, or a task's code: such a line is no greeting.
_STATES = re.compile(
    r"(?i)(?<!\w)(?:xong|xog|chưa|chua|rồi|roi|hoàn thành|hoàn tất|done|finish(?:ed)?)(?!\w)"
    r"|(?<![\w@.+/-])(?:\d{1,2}(?:[a-zđ]|dd)|\d{1,2}(?:\.\d{1,2}){1,2}(?:\.[a-z])?|BC|/[a-z]{3,})"
    r"(?![\w@/-])"
)
# Any word by which a paragraph answers or asks for something.
_ANSWERS = re.compile(
    r"(?i)(?<!\w)(?:đã|nộp|trình|ban hành|gửi|gia hạn|xin|lùi|nghỉ|vướng|hủy|huỷ|nhầm|hoàn tác|"
    r"thu hồi|báo cáo)(?!\w)"
)
_CODE = re.compile(r"(?i)(?<![\w@.+/-])(?:\d{1,2}(?:[a-zđ]|dd)|BC)(?![\w@/-])")

_SPACES = re.compile(r"[^\S\n]+")
_OFFERS = re.compile(r"(?i)(?<!\w)(?:xin|hoặc) nhắn(?: cho máy)?\s?:")  # as our messages do
_QUOTED = re.compile(r"\s*(?:[A-Z]{0,4}>|[›|]|&gt;)")
_WHEN = re.compile(
    r"(?i)\d{1,2}\s?[:h]\s?\d{2}|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|(?<!\d)20\d\d(?!\d)|thg \d|"
    r"tháng \d|\d\s?[年月日]"
)
_WROTE = re.compile(
    r"(?i)(?<!\w)(?:viết|wrote|writes|писал\w?|писали|schrieb|a écrit|écrit|escribió|"
    r"escreveu|ha scritto|skrev|napsala?|написала?|пишет|schreef|kirjoitti|yazdı|bởi|by|从|写道|"
    r"さんは)(?!\w)|写道|書きました|작성"
)
_RULE = re.compile(r"\s*[-_*–—=]{2,}\s*([^-_*–—=]{0,80}?)\s*[-_*–—=]*\s*")
_FORWARDED = re.compile(r"(?i)\W*(?:begin forwarded message|bắt đầu thư được chuyển tiếp)\s*:\s*")
_LABELLED = re.compile(r"\W{0,4}(\w[\w .]{0,25}?)\W{0,3}[:：]\W{0,3}\S")
_FROM_LABELS = frozenset(
    ("từ", "người gửi", "from", "von", "de", "da", "van", "fra", "från", "od", "kimden", "от",
     "от кого", "发件人", "寄件者", "寄件人", "差出人", "보낸 사람", "보낸사람")
)  # fmt: skip
_FIELD_LABELS = frozenset(
    ("đã gửi", "gửi lúc", "gửi", "ngày gửi", "ngày", "thời gian", "đến", "tới", "người nhận",
     "kính gửi", "cc", "đồng gửi", "chủ đề", "tiêu đề", "mức độ quan trọng", "sent", "date", "to",
     "subject", "importance", "gesendet", "an", "betreff", "datum", "envoyé", "à", "objet",
     "enviado", "enviado el", "para", "asunto", "assunto", "inviato", "a", "oggetto", "дата",
     "отправлено", "кому", "тема", "发送时间", "日期", "收件人", "主题", "送信日時", "宛先", "件名",
     "보낸 날짜", "받는 사람", "제목", "wysłano", "do", "temat", "data")
)  # fmt: skip

_DEVICE = re.compile(
    r"(?i)\W*(?:(?:(?:đã|được) )?gửi (?:từ|bằng|qua|với) (?:iphone|ipad|ios|mac|điện thoại|"
    r"thiết bị|samsung|galaxy|android|outlook|yahoo|zalo|zimbra|thư|gmail|mail|hộp thư|ứng dụng|"
    r"máy|windows|proton|spark|bluemail|synology|cốc cốc)\b.{0,80}"
    r"|(?:sent|composed) (?:from|with|using|via) .{1,80}"
    r"|(?:get|tải|lấy|nhận|tải xuống|download) outlook\b.{0,80}"
    r"|virus-free\b.{0,80}|không có vi-?rút\b.{0,80})"
)
_PRODUCT = re.compile(
    r"\W*(?:(?:Đã|Được) g|[Gg])ửi (?:từ|bằng|qua) (?:my )?[A-Z][A-Za-z]{2,}.{0,60}"
)
_SIGN_OFF = re.compile(
    r"(?i)\W*(?:xin |dạ |em xin )?(?:trân trọng(?: (?:cảm ơn|cám ơn|kính chào|báo cáo|kính thư|"
    r"và cảm ơn))?|kính thư|kính báo|thân ái|thân mến|thân|chào trân trọng|kính chào|"
    r"(?:cảm ơn|cám ơn) (?:và|&) trân trọng|(?:thanks?(?: you)?\W{1,3}(?:and|&)?\W{0,2})?"
    r"(?:(?:with )?(?:best|kind|warm|many)?\W?regards|best wishes|sincerely|yours sincerely)|"
    r"brgds?|brs?|best|cheers|thanks and regards|many thanks|thanks|thank you|tks|thx)"
    r"(?:\s+(?:anh/chị|anh chị|anh|chị|các anh chị|quý anh chị|ạ|nhiều))?\W*"
)
_SALUTES = re.compile(
    r"(?i)\W*(?:dạ,? )?(?:em |tôi )?(?:xin )?(?:kính gửi|kính thưa|thưa|kính chào|thân gửi|gửi|"
    r"chào|dear|hi|hello|hey)(?!\w)"
)
_TO_SOMEBODY = re.compile(
    r"(?i)\W*(?:gửi|chào|xin chào|dear|hi|hello)\s(?:các |quý |cả )?"
    r"(?:anh|chị|em|cô|chú|bác|sếp|thầy|văn phòng|nhà)(?!\w)"
)
_WISH = re.compile(
    r"(?i)(?:^|[\n.!])\s*(?:kính |xin |em )?chúc (?:các |quý |cả )?"
    r"(?:anh|chị|em|cô|chú|bác|sếp|thầy|mọi người|phòng|nhà)(?!\w)[^\n.!]{0,80}[.!]?\s*$"
)
_CALLS = re.compile(
    r"(?i)\W*(?:dạ,? )?(?:thưa )?(?:các |quý )?(?:anh/chị|anh chị|anh|chị|em|cô|chú|bác|sếp|thầy)"
    r"(?: \w+){0,3}?(?: (?:ơi|à|ạ))?\s*[,:!;.]?\s*"
)
_PICTURE = re.compile(r"(?i)\[(?:cid|image|hình ảnh|inline image|logo)\b[^\]\n]{0,200}\]")
_SIGNED = re.compile(r"-----BEGIN PGP SIGNED MESSAGE-----\n(?:Hash: [^\n]{1,40}\n)?")
_LINK = re.compile(r"<(?:https?://|mailto:)[^<>\s]{1,400}>")
_BANNER = re.compile(
    r"(?i)\W*(?:cảnh báo|cảnh giác|caution|warning|external\b.{0,20}(?:mail|message|sender)|"
    r"\[?external\]|thư (?:từ )?bên ngoài|bạn không thường xuyên nhận được|"
    r"you don'?t often get|some people who received|nhận từ bên ngoài|this (?:e-?mail|message) "
    r"(?:originated|came|was sent) from outside)"
)
_WARNS = re.compile(
    r"(?i)(?<!\w)(?:bên ngoài|ngoài cơ quan|ngoài tổ chức|outside|external|tệp đính kèm|"
    r"liên kết|links?|attachments?|người gửi|sender|lừa đảo|phishing|tin cậy|bảo mật|mã độc)(?!\w)"
)
_CONTACT = re.compile(
    r"(?i)\W*(?:(?:đt|đtdđ|sđt|điện thoại|di động|tel|phone|mobile|mob|cell|fax|e-?mail|website|"
    r"web|địa chỉ|đ/c|address|add|zalo|skype|hotline)\b\W{0,3}[:.]?\W{0,3}\S"
    r"|[mtpeaf]\s?:\s*\S|.{0,60}(?<![\w.])[\w.+-]{1,64}@[\w-]{1,60}\.\w"
    r"|\W*\(?\+?(?:84|0)[\d .()-]{8,})"
)
_TITLE = re.compile(
    r"(?i)\W*(?:công chức|cán bộ|chuyên viên|trưởng|phó|ubnd|ủy ban|uỷ ban|phòng|bộ phận|"
    r"văn phòng|chủ tịch|kế toán|số \d+)\b.{0,100}"
)
_DIVIDER = re.compile(r"[-_=*~–—•.]{3,}")
_SURNAMES = frozenset(
    ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ",
     "Hồ", "Ngô", "Dương", "Lý", "Đinh", "Trịnh", "Mai", "Đào", "Lâm", "Phùng", "Trương", "Cao",
     "Tạ", "Hà", "Đoàn", "Tô", "Lưu", "Thái", "Châu", "Nguyen", "Tran", "Pham", "Hoang")
)  # fmt: skip


@dataclass(frozen=True)
class OwnMarks:
    """The marks by which our own words are recognized in a reply."""

    addresses: tuple[str, ...] = ()  # the mailbox, and From of what we send
    name: str = ""  # that stands before the latter
    said: str = field(default="", repr=False)  # the text of the mail that is answered

    @cached_property
    def _places(self) -> re.Pattern[str] | None:
        """Match an address of ours, with any token, or a Message-ID that we make."""
        found = []
        for address in self.addresses:
            local, _, domain = address.partition("@")
            found.append(rf"{re.escape(local)}(?:\+[\w.+=-]{{0,80}})?@{re.escape(domain)}")
            found.append(rf"[a-z2-7]{{10}}\.[a-z2-7]{{24}}@{re.escape(domain)}")
        pattern = "|".join(found)
        return re.compile(rf"(?i)(?<![\w.+-])(?:{pattern})") if found else None

    @cached_property
    def _lines(self) -> frozenset[str]:
        lines = (*self.said[:LONGEST_READ].split("\n"), *_told(self.said))
        return frozenset(one for one in map(_folded, lines) if len(one) >= _SHORTEST_QUOTED)

    @cached_property
    def _text(self) -> str:
        return _folded(" ".join(_told(self.said)))

    def matches(self, line: str) -> bool:
        """Return whether `line` is ours: by an address, our name with a date, or its words."""
        if self._places is not None and self._places.search(line):
            return True
        if len(self.name) > 5 and self.name.lower() in line.lower() and _WHEN.search(line):
            return not _STATES.search(line)
        words = _folded(line)
        if words in self._lines or _OFFERS.search(line):
            return True
        return len(words) >= _SHORTEST_PIECE and words[:_LONGEST_PIECE] in self._text


NO_MARKS = OwnMarks()


def _told(said: str) -> Iterator[str]:
    """Yield the lines of our mail without the forms that answers repeat (“xong 1c”)."""
    for line in said[:LONGEST_READ].split("\n"):
        before, _, _ = line.partition("nhắn:")
        yield before if before != line else line


def _folded(text: str) -> str:
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFC", text).lower()))


@dataclass(frozen=True)
class Reply:
    """What the sender has written."""

    unquoted: str  # all that is not of the quoted mail
    words: str  # the answer; empty where there is nothing but a quote


def split_reply(text: str, ours: OwnMarks = NO_MARKS, author: str = "") -> Reply:
    """Split a reply from what it quotes. `author`: the sender's name, for the signature."""
    lines = _tidy(text[:LONGEST_READ]).split("\n")[:MOST_LINES]
    cut = _first_quote(lines, ours)
    own = lines[:cut]
    answer = _answer(own, author)
    if not answer and cut < len(lines):
        own = _below(lines[cut:], ours)
        answer = _answer(own, author)
    words = "\n".join(answer).strip()[:LONGEST].strip()
    return Reply("\n".join(own).strip(), words)


def own_text(text: str, ours: OwnMarks = NO_MARKS, author: str = "") -> str:
    """The words of `split_reply`."""
    return split_reply(text, ours, author).words


def without_courtesy(words: str) -> str:
    """Return an answer without “Kính gửi anh/chị,” before it and “Chúc anh/chị …” behind it."""
    head, rest = words, ""
    if (end := re.search(r"[,:\n]", words)) and end[0] != "\n":
        head, rest = words[: end.start()], words[end.end() :].strip()
    salute = _SALUTES.match(head)
    is_greeting = salute and len(head) <= 60 and not _STATES.search(head)
    if is_greeting and rest and salute and not _ANSWERS.search(head[salute.end() :]):
        words = rest
    return _WISH.sub("", words).strip() or words


def _tidy(text: str) -> str:
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cf")
    text = _LINK.sub("", _PICTURE.sub("", _SIGNED.sub("", text)))
    return _SPACES.sub(" ", text)


def _first_quote(lines: Sequence[str], ours: OwnMarks) -> int:
    """Return the index of the first quoted line; len(lines) if none is."""
    for number, line in enumerate(lines):
        short = line[:LONGEST_LINE]
        if not short.strip():
            continue
        if _QUOTED.match(short) or _is_rule(short) or _FORWARDED.fullmatch(short):
            return number
        if _is_attribution(lines, number) or _is_header_block(lines, number):
            return number
        if ours.matches(short):
            return _beginning(lines, number)
    return len(lines)


def _is_rule(line: str) -> bool:
    """“-----Thư gốc-----” in any language, or a long line of dashes; not “--” of a signature."""
    found = _RULE.fullmatch(line)
    if found is None or _STATES.search(found[1]):
        return False
    dashes = len(line.strip()) - len(found[1])
    return dashes >= (4 if found[1].strip() else 16)


def _is_attribution(lines: Sequence[str], start: int) -> bool:
    """“Vào … đã viết:” in any of the languages known, on one line or wrapped over several."""
    joined = ""
    for number, line in enumerate(lines[start : start + WRAPPED]):
        if not line.strip():
            return False
        joined = f"{joined} {line.strip()}".strip()
        if len(joined) > LONGEST_LINE:
            return False
        if number == 0 and not (_WHEN.search(joined) or "<" in joined or _ends_in_wrote(joined)):
            return False
        if _STATES.search(_without_addresses(joined)):
            return False
        if joined.rstrip("*_ \xa0-").endswith((":", "：")):
            is_dated = bool(_WHEN.search(joined)) or "@" in joined
            return is_dated and bool(_WROTE.search(joined) or "@" in joined)
    return False


def _ends_in_wrote(line: str) -> bool:
    return bool(re.search(r"(?i)(?:viết|wrote)\s*:$", line[-40:]))


def _without_addresses(line: str) -> str:
    return re.sub(r"<[^<>]*>|\S{0,80}@\S{0,80}", " ", line)


def _is_header_block(lines: Sequence[str], start: int) -> bool:
    """The head of a quoted mail: “Từ: …” with another field, or several fields with an address."""
    first = _label(lines[start])
    if first is None:
        return False
    block = [line for line in lines[start : start + 7] if line.strip()][:4]
    labels = [_label(line) for line in block]
    if first in _FROM_LABELS and any(one in _FIELD_LABELS for one in labels[1:]):
        return True
    known = sum(one in _FIELD_LABELS or one in _FROM_LABELS for one in labels)
    return first in _FIELD_LABELS and known >= 3 and any("@" in line for line in block)


def _label(line: str) -> str | None:
    found = _LABELLED.match(line[:LONGEST_LINE])
    return found[1].strip().lower() if found else None


def _beginning(lines: Sequence[str], number: int) -> int:
    """Return the first line of the wrapped attribution whose line `number` is ours."""
    first = number
    for above in range(number - 1, max(-1, number - 1 - WRAPPED), -1):
        line = lines[above]
        if not line.strip() or _STATES.search(line):
            break
        if _WHEN.search(line) or _label(line) or _is_rule(line):
            first = above
    return first


def _below(lines: Sequence[str], ours: OwnMarks) -> list[str]:
    """Return what stands below a quote of “>” lines, for people who answer at the bottom.

    Nothing is taken from between such lines, because it refers to the line above it, nor from below
    a quote without marks (Outlook), whose end can't be seen.
    """
    marked = [number for number, line in enumerate(lines) if _QUOTED.match(line)]
    if not marked:
        return []
    between = lines[marked[0] : marked[-1]]
    if any(line.strip() and not _QUOTED.match(line) for line in between):
        return []
    below = lines[marked[-1] + 1 :]
    return list(below[: _first_quote(below, ours)])


def _answer(lines: Sequence[str], author: str) -> list[str]:
    """Return the first paragraph that answers, and later ones that name work of their own."""
    paragraphs = _paragraphs(_without_head(_signed_off(lines)))
    for number, paragraph in enumerate(paragraphs):
        text = "\n".join(paragraph)
        if _STATES.search(text) or _ANSWERS.search(text):
            lead = paragraphs[number - 1] if number and _leads_on(paragraphs[number - 1]) else []
            more = [
                line for later in paragraphs[number + 1 :] if _stands_alone(later) for line in later
            ]
            return [*lead, *_without_signature(paragraph, author), *more]
    return _without_signature(paragraphs[0], author) if paragraphs else []


def _without_signature(paragraph: list[str], author: str) -> list[str]:
    """Return the paragraph without names and titles at its end."""
    signed = (n for n, line in enumerate(paragraph) if n and _is_name_of(line, author))
    kept = paragraph[: next(signed, len(paragraph))]
    while _is_signature(kept):
        kept.pop()
    return kept


def _is_name_of(line: str, author: str) -> bool:
    name = re.sub(r"(?i)^(?:em|e|tôi|anh|chị)\s", "", _first_words(line)).lower()
    return bool(name and author) and name in (author.lower(), author.lower().split()[-1])


def _first_words(line: str) -> str:
    """Return what stands before a bar, a dash or a comma: “Nguyễn Văn An | Công chức”."""
    return re.split(r"\s[|–—-]\s|,\s", line.strip("*_ ,."))[0]


def _leads_on(paragraph: Sequence[str]) -> bool:
    """Return whether the next paragraph continues this one: “Anh Tuấn báo em là:”."""
    last = paragraph[-1].rstrip()
    return len(paragraph) == 1 and len(last) < 80 and last.endswith((":", ",", "…", "..."))


def _stands_alone(paragraph: Sequence[str]) -> bool:
    text = "\n".join(paragraph)
    return bool(
        _CODE.search(text) and (_ANSWERS.search(text) or _STATES.search(_CODE.sub("", text)))
    )


def _signed_off(lines: Sequence[str]) -> list[str]:
    """Return the lines above the signature, sign-off or device footer."""
    kept: list[str] = []
    said = False
    for line in lines:
        short = line[:LONGEST_LINE].strip()
        if short in ("--", "—", "––") or (said and _DIVIDER.fullmatch(short)):
            break
        if _DEVICE.fullmatch(short):
            break
        if _PRODUCT.fullmatch(short):
            break
        if said and (_SIGN_OFF.fullmatch(short) or _is_contact(short)):
            break
        kept.append(line.strip())
        said = said or bool(short)
    return kept


def _is_contact(line: str) -> bool:
    return bool(_CONTACT.match(line)) and not _STATES.search(
        _without_addresses(line).partition(":")[0]
    )


def _is_signature(lines: Sequence[str]) -> bool:
    """Return whether the last line is a name or a title below other words."""
    if len(lines) < 2 or _STATES.search(lines[-1]) or not any(lines[:-1]):
        return False
    line = _first_words(lines[-1])
    words = line.split()
    is_name = 1 < len(words) < 7 and words[0] in _SURNAMES and line == line.title()
    return is_name or bool(_TITLE.fullmatch(line) and not _ANSWERS.search(line))


def _without_head(lines: Iterable[str]) -> list[str]:
    """Return the lines without banners and greeting at the top."""
    kept = list(lines)
    first = 0
    while first < len(kept) - 1:
        line = kept[first][:LONGEST_LINE]
        is_head = (
            not line or _is_banner(line) or (_is_greeting(line) and any(kept[first + 1 :][:20]))
        )
        if not is_head:
            break
        first += 1
    return kept[first:]


def _is_banner(line: str) -> bool:
    """Return whether a gateway wrote the line above a mail from outside."""
    if _CODE.search(line):
        return False
    return bool(_BANNER.match(line)) or len(_WARNS.findall(line)) >= 2


def _is_greeting(line: str) -> bool:
    """Return whether a line only greets: nothing follows its first comma or colon."""
    if _STATES.search(line) or len(line) > 120:
        return False
    if _SALUTES.match(line):
        head, mark, rest = re.match(r"([^,:;!]*)([,:;!]?)(.*)", line).groups()  # type: ignore[union-attr]
        if head.lower().strip() in ("kính gửi", "kính thưa", "dear") and mark == ":":
            return True
        is_short = len(line.split()) < 7 and bool(_TO_SOMEBODY.match(line))
        return not rest.strip(" .!") and bool(mark or line.lower().startswith("kính") or is_short)
    return bool(_CALLS.fullmatch(line)) and line.rstrip().endswith((",", ":", "!", "ơi", "à"))


def _paragraphs(lines: Sequence[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for line in lines:
        if line:
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [paragraph for paragraph in found if paragraph]
