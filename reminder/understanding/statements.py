"""Whether a clause states that work is done: a closed world.

Each item of the clause becomes one letter, and what is not understood becomes “?”. Only a clause
of known letters in a known order closes work; whatever else speaks of “xong” is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache

from reminder.domain.periods import Period
from reminder.domain.plan import Task
from reminder.domain.text import Spelling, normal, spelling
from reminder.understanding.lexer import (
    CitedItem,
    CodeItem,
    DayItem,
    DaysItem,
    EveryItem,
    Item,
    MoodItem,
    NumberItem,
    PaperItem,
    PartItem,
    PeriodItem,
    PoliteItem,
    SepItem,
    UnitItem,
    WordItem,
)
from reminder.understanding.lexicon import NOUNS, PAPERS, Role
from reminder.understanding.model import Meaning
from reminder.understanding.targets import ABBREVIATIONS
from reminder.understanding.verbs import Mood

# a particle or greeting, A “em báo cáo anh”, n “nhé”, y person, Y the sender, N a name, Q several
# people, s whose work it is, R the sender's unit, w the work, W what its product is called,
# F a paper, E its kind, e its number or day, K the code, p “đã”, P “mới”, V done, S sent, I issued,
# D worked on, r “rồi”, t a day gone by, T today, M this morning, H an hour, # a number,
# d a number of days, m how, l late, g “cách đây”, f “từ”, B “trước”, c “cho, lên, qua”, x a place
# or a way, i “thì”, j “là”, o “của”, k “mà”, b “được”, v “đã có”, q “check”, G “giúp”, z a remark,
# X a copy of it, ~ “bên”, u handed in for signature, h what hinders, “,” a break,
# “?” what is not understood.
_OF_ROLE = {
    Role.PARTICLE: "a", Role.GENTLE: "n", Role.PERSON: "y", Role.SAYING: "A", Role.CROWD: "Q",
    Role.OWN: "s",
    Role.WORK: "w", Role.PIECE: "F", Role.COPY: "X",
    Role.ACT: "D", Role.SEND: "S", Role.ISSUE: "I", Role.HAVING: "v",
    Role.RECENT: "P",
    Role.GONE_BY: "t", Role.TODAY: "T", Role.MANNER: "m", Role.LATE: "l", Role.AGO: "g",
    Role.FROM: "f",
    Role.TO: "c", Role.PLACE: "x", Role.REMARK: "z", Role.SIGN: "a",
    Role.NAME: "N",
}  # fmt: skip
_OF_WORD = {
    "da": "p", "vua": "p", "moi": "p", "xong": "V", "xuoi": "m", "thanh": "V", "tat": "V",
    "done": "V", "finish": "V", "finished": "V", "complete": "V", "completed": "V", "gui": "S",
    "nop": "S", "cao": "S", "hanh": "I", "ky": "I", "cong": "I", "phat": "I", "roi": "r",
    "lam": "D", "hien": "D", "khai": "D", "hoan": "", "ban": "", "bao": "", "thuc": "",
    "trien": "", "bo": "", "duoc": "", "va": "", "viec": "w", "is": "", "100": "m", "%": "m",
}  # fmt: skip
_TOLD = frozenset({Mood.DONE, Mood.ISSUED, Mood.DID, Mood.JUST, Mood.PAST})
_OF_ITEM: dict[type[Item], str] = {
    PaperItem: "e", CitedItem: "e", PartItem: "w", CodeItem: "w", DaysItem: "d"
}  # fmt: skip
_HOUR = re.compile(r"\d{1,2}[hg]")
_WORDS = {
    "truoc": "B", "check": "q", "luc": "U", "khoang": "U", "tam": "U", "gio": "O", "h": "O",
    "g": "O", "phan": "F", "ben": "~",
}  # fmt: skip
_SELF = frozenset({"em", "e", "toi", "minh", "chau", "con", "chung"})
# Small words that only join what stands around them.
_JOINED = (
    (re.compile("q(K?)G[yY]?"), r"\1"),
    (re.compile("k(?=[aynY]*(,|$))"), ""),
    (re.compile("vW+"), "pI"),
    (re.compile("W|F+(?=[KWw])"), "w"),
    (re.compile("E(?=e)|f(?=K)"), ""),
    (re.compile("V{5,}"), "?"),  # “xong” a hundred times tells nothing
    (re.compile("V+"), "V"),
    (re.compile("~(?=R)|(?<=S)X"), ""),
    (re.compile("[yY]?N(?=a|,)"), "a"),
    (re.compile("(?<=[r])([aynY]*)[yY]N"), r"\1y"),
    (re.compile("U?(H#?|#:[#w]|#O#?)"), "T"),
    (re.compile("Tt|tT"), "t"),
    (re.compile(":"), ","),
    (re.compile("ld|l"), "m"),
    (re.compile("gd|dB|[cf]t"), "t"),
    (re.compile("cx"), "x"),
    (re.compile("b(?=[IV])|(?<=p)b|o(?=[sYKw])|i(?=[pVDSIY])|j(?=[wK])"), ""),
    (re.compile("u(?=.*I)"), ""),
)
_REST = "[aynsYwKtTMrmexzQR]*"
_TELLS = re.compile(
    f"(?P<lead>[aAynsYwKtTMmzrQR]*)(?P<verb>p*P?D?[VSI]++)(?P<tail>{_REST}(?:p*P?D?[VSI]++{_REST})*)"
)


def letters(
    before: Sequence[Item],
    after: Sequence[Item],
    task: Task | None,
    meaning: Meaning,
    today: date,
    *,
    coded: bool = True,
) -> str:
    """The clause as letters, with K in the place of its codes."""
    read = _Letters(meaning, today, task)
    ahead = "".join(read.of(before))
    found = f"{ahead}{'K' if coded else ''}{''.join(read.of(after))}"
    for pattern, put in _JOINED:
        found = pattern.sub(put, found)
    return found


def claims(read: str) -> bool:
    """Whether anything is said of being done, sent or issued."""
    return bool(set(read) & set("VSI")) or "p?" in read


def states(read: str) -> bool:
    """Whether `read` says without any doubt that the work is done."""
    parts = read.split(",")
    spoken = [part for part in parts if set(part) & set("VSIDpP")]
    if not spoken or not all(map(_tells, spoken)):
        return False
    first = parts.index(spoken[0])
    opening = all(re.fullmatch(f"[A{_REST[1:]}", part) for part in parts[:first])
    return opening and all(re.fullmatch(_REST, p) for p in parts[first:] if p not in spoken)


def goes_on(read: str) -> bool:
    """Whether a later clause of a list says nothing of its own: “xong 1c, 1d và 2c ạ”."""
    return re.fullmatch("[aAynsYwKtr,]*", read) is not None


def is_just_done(read: str) -> bool:
    """“rồi ạ”, “em làm rồi ạ”, in answer to a reminder."""
    return re.fullmatch("K([aynY]*|[aYs]*p?D)r[aynYt]*", read) is not None


def understood(read: str) -> bool:
    """Whether every word is known, as is needed where a paper's number tells that it is done."""
    return not set(read) & set("?hjokqGuvX~")


def denies_itself(read: str) -> bool:
    """Whether what is told done is followed by something that may be of another matter."""
    head = read.partition("h")[0]
    *before, last = head.split(",")
    return any(map(_tells, before)) or bool(re.search("[VSI][KaynYws]*r", last) and _tells(last))


def _tells(part: str) -> bool:
    """Whether this part of a clause tells a thing done, and is no order, promise or question."""
    found = _TELLS.fullmatch(part)
    if found is None or re.search(
        "S[yY]|(?<![rna])Q", part
    ):  # “gửi sếp”: to be signed, or to be read
        return False
    lead, verb, tail = found["lead"], found["verb"], found["tail"]
    if "P" in verb and re.search("[tTMrmz]", lead):  # “hết tháng mới xong”
        return False
    if lead.endswith(("y", "n")):  # “sếp ký 1c rồi”: somebody else
        return False
    if set(verb) & set("pP") or "r" in tail:
        return True
    if re.search("[TMRQz]", lead) or re.search("[TQVSI]", tail):
        return False  # “hôm nay xong”, “các phòng xong 1c”, “xong 1c em gửi”
    if "t" in part:
        return "V" in verb or bool(re.search("[Ys]", lead))
    if verb not in ("V", "DV"):  # “nộp 1c”: who shall?
        return False
    return bool(re.search("[Kws]", lead)) or not re.search("[nxmz]", tail)


class _Letters:
    def __init__(self, meaning: Meaning, today: date, task: Task | None) -> None:
        self.units = meaning.units
        self.offices = {plan.office for plan in meaning.plans}
        self.today = today
        self.told = self.proved = False
        self.products, self.names = _names(task)
        self.kinds = {Spelling(s.base, ("",) * len(s.base), "") for s in self.names}
        self.recurs = task is None or any(d.recurs for d in task.deliverables)

    def of(self, items: Sequence[Item]) -> Iterator[str]:
        before: Item | None = None
        self.proved = any(isinstance(item, PaperItem) for item in items)
        for item in items:
            letter = self._letter(item, before)
            self.told = self.told or bool(set(letter) & set("VSIc"))
            yield letter
            before = item

    def _letter(self, item: Item, before: Item | None) -> str:
        match item:
            case PoliteItem(role=role, word=word):
                return self._harmless(role, word)
            case MoodItem(mood=mood, word=word):
                return self._mood(mood, word)
            case SepItem(sign=sign):
                return {"nhưng": "?", "còn": "h", "đến": "c", "/": "?", ":": ":"}.get(sign, ",")
            case UnitItem(unit=unit):
                if self.told:
                    return "x" if unit in self.offices else "?"
                return "R" if unit in self.units else "?"
            case DayItem():
                return self._day(item)
            case WordItem(word=word, spelt=spelt):
                return self._word(word, spelt or spelling(word))
            case NumberItem():
                marked = isinstance(before, WordItem) and before.word in ("so", "qd", "kh", "bc")
                return "e" if marked else "#"
            case PeriodItem(period=period):
                return "w" if self.recurs else "t" if self._is_over(period) else "?"
            case EveryItem(rest=rest):
                return "h" if rest else "w"
        return _OF_ITEM.get(type(item), "?")

    def _harmless(self, role: Role, word: str) -> str:
        if role is Role.NAMING:
            return {"thi": "i", "la": "j", "cua": "o"}.get(word, "?")
        if role is Role.BEING:
            return "p" if word == "da" else "b"
        if role is Role.TODAY and word in ("sang", "hoi"):
            return "M"
        if role is Role.FILLER:
            return {"ma": "k", "giup": "G"}.get(word) or self._word(word, spelling(word))
        return "Y" if role is Role.PERSON and word in _SELF else _OF_ROLE.get(role, "?")

    def _mood(self, mood: Mood, word: str) -> str:
        if mood is Mood.SUBMITTED:
            return "u"
        if mood in (Mood.SEEN, Mood.AGREED):
            return "a"
        if mood is Mood.SOON and "nay" in word:
            return "T"
        if mood not in _TOLD:
            return "h"
        if word == "sang nay":
            return "M"
        if word == "roi" and mood is Mood.DONE:  # “báo cáo rồi”, its report told apart
            return "Vr"
        return "".join(
            _OF_WORD.get(each, "V" if not each.isalnum() else "?") for each in word.split()
        )

    def _day(self, item: DayItem) -> str:
        day = item.day.past or item.day.day
        if self.proved and not item.day.relative:
            return "e"
        if day is None:  # refused for its own reason
            return "t"
        if day > self.today:
            return "h"
        if day == self.today and not item.day.relative:
            return "M"
        if day == self.today and item.day.relative:
            return "T"
        return "t"

    def _word(self, word: str, spelt: Spelling) -> str:
        if _HOUR.fullmatch(word):
            return "H"
        if letter := _WORDS.get(word):
            return letter
        if word in ABBREVIATIONS:
            return "w" if {spelling(each) for each in ABBREVIATIONS[word]} <= self.kinds else "E"
        if any(each.is_meant_by(spelt) for each in self.products):
            return "W"
        return self._naming(spelt)

    def _naming(self, spelt: Spelling) -> str:
        """A word of the title: behind the verb it may be but a piece of the work."""
        if any(each.is_meant_by(spelt) for each in NOUNS):
            return "w"
        if any(each.is_meant_by(spelt) for each in self.names):
            return "F" if self.told else "w"
        return "F" if any(each.is_meant_by(spelt) for each in PAPERS) else "?"

    def _is_over(self, period: str) -> bool:
        return bool(period) and Period.parse(period).last < self.today


def _names(task: Task | None) -> tuple[frozenset[Spelling], frozenset[Spelling]]:
    """The words of what the products are called, and all that name the task or a paper."""
    if task is None:
        return frozenset(), NOUNS
    names = [task.title, *(f"{d.name} {d.product}" for d in task.deliverables)]
    names += ["báo cáo"] if task.check_in else []
    return _spelt(" ".join(d.name for d in task.deliverables)), NOUNS | _spelt(" ".join(names))


@lru_cache(1024)  # of a plan's few names, asked for at each code
def _spelt(names: str) -> frozenset[Spelling]:
    return frozenset(spelling(word) for word in re.findall(r"[^\W\d]+", normal(names)))
