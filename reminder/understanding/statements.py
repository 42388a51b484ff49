"""What a clause says about the work it names → commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from itertools import pairwise, zip_longest

from reminder.domain.calendar import Period
from reminder.domain.plan import Task
from reminder.domain.text import Spelling, fold, normal, spelling, squeeze
from reminder.understanding import say
from reminder.understanding.clauses import (
    Clause,
    Named,
    is_break,
    is_evidence,
    moods,
    names_paper,
    parts,
    planned,
    report_apart,
)
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
from reminder.understanding.lexicon import NOUNS, PAPERS, Mood, Role, verdict
from reminder.understanding.model import Command, CommandError, Meaning, Target
from reminder.understanding.targets import (
    ABBREVIATIONS,
    Speaker,
    is_content,
    match_part,
    spoken,
    trimmed,
    until,
    word_groups,
)
from reminder.understanding.verbs import BY_MOOD, Takes, Verb

_HINDERS = frozenset({Mood.NOT, Mood.YET, Mood.PARTIAL, Mood.PLAN, Mood.SOON, Mood.UNSIGNED})
_NEWS = frozenset({"gop y", "lay y kien", "bo sung", "chinh sua"})  # of standing work: done
_FINISHED = frozenset({Mood.DONE, Mood.ISSUED, Mood.DID, Mood.JUST})
_STAGES = frozenset({"buoc", "khau", "doan"})  # bước, khâu, giai đoạn
_ROUNDS = frozenset({"dot", "vong", "chuong"})  # đợt 2, vòng 1, chương 3
_STAGE_LEADS = {"doan": ("giai", "cong")}  # but đoàn, đoạn đường
_CLOCK = re.compile(r"\d{1,2}[hg]", re.ASCII)
_HOUR_WORDS = frozenset({"h", "g", "gio"})
_LAST_HOUR = 24
_WHEN_DONE = frozenset({"khi nao xong", "luc nao xong"})  # asked, where nothing follows
_MAY_I = frozenset({"duoc khong", "duoc chua", "khong a", "?"})  # behind a request


def said_in(clause: Clause, speaker: Speaker, forced: Verb | None) -> list[Mood]:
    """The moods of a clause; a day still to come is a plan, where no paper is named."""
    found = [*moods(clause.before), *moods(clause.after)]
    if clause.before and clause.after:
        joined = moods(clause.items)
        found += [Mood.ASK] if Mood.ASK in joined else []
    said = [i for i in clause.items if not (isinstance(i, PoliteItem) and i.role is Role.PARTICLE)]
    found += [Mood.ASK] if said and _word(said[-1]) in _WHEN_DONE else []
    if Mood.ASK in found and _asks_nothing(clause.items, found):
        found = [mood for mood in found if mood is not Mood.ASK]
    if any(isinstance(item, EveryItem) and item.rest for item in clause.items):
        found.append(Mood.PARTIAL)
    late = any(isinstance(item, PoliteItem) and item.role is Role.LATE for item in clause.items)
    found += [Mood.NOT] if late and not _FINISHED & set(found) else []
    found += [Mood.PARTIAL for item in clause.items if _remains(item)]
    found += [Mood.PARTIAL] if _counts(clause.before) or _counts(clause.after) else []
    if forced in (Verb.DONE, Verb.SUBMIT):
        found += forced.row.moods
    if forced is None and clause.inherits and not found:
        found.append(Mood.DONE)
    if any(isinstance(item, MoodItem) and _gone_by(item) for item in clause.items):
        found.append(Mood.PAST)
    if forced is None and _FINISHED & set(found) and _at_an_hour(clause.items, speaker.today):
        found.append(Mood.SOON)
    if (forced is None and _to_come(clause, speaker.today, past=Mood.PAST in found)) or (
        forced and _later(clause, speaker.today)
    ):
        found.append(Mood.PLAN)
    return found


def _asks_nothing(items: Sequence[Item], found: Sequence[Mood]) -> bool:
    """“bữa nào xong em báo”, a promise; “dời tới 20/3 được không”, a request."""
    asked = [
        (item.word, following)
        for item, following in zip_longest(items, items[1:])
        if isinstance(item, MoodItem) and item.mood is Mood.ASK
    ]
    if Mood.EXTEND in found and any(isinstance(item, DayItem | DaysItem) for item in items):
        return all(word in _MAY_I for word, _ in asked)
    return bool(asked) and all(
        word.endswith((" nao", "bao gio")) and _promises(following) for word, following in asked
    )


def _word(item: Item | None) -> str:
    return item.word if isinstance(item, MoodItem) else ""


def _promises(item: Item | None) -> bool:
    told = isinstance(item, MoodItem) and item.mood is Mood.PLAN
    return told and _word(item).startswith("xong ")


def _at_an_hour(items: Sequence[Item], today: date) -> bool:
    """“lúc 16h xong”: nothing here knows the hour it is, so only a past day makes this told.

    A paper's number and day stand for themselves.
    """
    if any(isinstance(item, PaperItem) for item in items):
        return False
    days = [item.day.day for item in items if isinstance(item, DayItem)]
    if any(day is not None and day < today for day in days):
        return False
    return any(
        _is_hour(item, following, last)
        for item, following, last in zip_longest(items, items[1:], items[2:])
    )


def _is_hour(item: Item, following: Item | None, last: Item | None) -> bool:
    """16h, 16g; 16 giờ, 16h30; 16:30."""
    if isinstance(item, WordItem):
        return bool(_CLOCK.fullmatch(item.word))
    if not isinstance(item, NumberItem) or item.number > _LAST_HOUR:
        return False
    if isinstance(following, WordItem):
        return following.word in _HOUR_WORDS
    colon = isinstance(following, SepItem) and following.sign == ":"
    minutes = isinstance(last, NumberItem) and last.start == item.end + 1
    return colon and minutes


def _gone_by(item: MoodItem) -> bool:
    return item.mood is Mood.JUST or item.word.startswith("da ") or item.word.endswith(" roi")


def _remains(item: Item) -> bool:
    return isinstance(item, SepItem) and item.sign == "còn"


def partial(clause: Clause, said: Collection[Mood], names: Collection[str]) -> bool:
    """Whether only a step is done: “xong bước 1”, “xong khâu in”, “xong phần rà soát”.

    `names` are the words that name a part of the plan: “xong phần báo cáo” is that part.
    """
    claimed = bool(_FINISHED & set(said)) or is_evidence(clause.items)
    return claimed and any(
        isinstance(item, WordItem | PoliteItem) and _stage(item, before, behind, names)
        for before, item, behind in zip_longest(
            (None, *clause.items[:-1]), clause.items, clause.items[1:]
        )
    )


def _stage(
    item: WordItem | PoliteItem, before: Item | None, behind: Item | None, names: Collection[str]
) -> bool:
    ahead = before.word if isinstance(before, WordItem) else ""
    if isinstance(item, WordItem):
        if item.word in _ROUNDS:
            return isinstance(behind, NumberItem)
        return item.word in _STAGES and ahead in _STAGE_LEADS.get(item.word, (ahead,))
    if item.word != "phan" or item.end - item.start != len("phan"):
        return False
    return isinstance(behind, WordItem) and not set(spoken(behind)) <= set(names)


def _counts(items: Sequence[Item]) -> bool:
    """“xong 3 văn bản”: so many are done, not the whole."""
    return any(
        isinstance(item, MoodItem) and item.mood is Mood.DONE and isinstance(behind, NumberItem)
        for item, behind in pairwise(items)
    )


def _to_come(clause: Clause, today: date, *, past: bool) -> bool:
    """Whether a day still to come, or today without “đã” and “rồi”, makes this a plan."""
    if any(isinstance(item, PaperItem) for item in clause.items):
        return False
    days = [item.day for item in clause.items if isinstance(item, DayItem)]
    today_or_later = any(day.day is not None and day.day >= today for day in days if day.relative)
    later = any(day.day is not None and (day.past or day.day) > today for day in days)
    return _later(clause, today) or (not past and (today_or_later or later))


def _later(clause: Clause, today: date) -> bool:
    """Whether “mai”, “thứ sáu”, “tuần sau” are named."""
    if any(isinstance(item, PaperItem) for item in clause.items):
        return False
    days = [item.day for item in clause.items if isinstance(item, DayItem)]
    return any(day.relative and day.day is not None and day.day > today for day in days)


def counted(items: Sequence[Item]) -> bool:
    """Whether `items` count something; a share (80%) is no count."""
    return any(
        isinstance(item, NumberItem) and not (isinstance(behind, MoodItem) and behind.word == "%")
        for item, behind in zip_longest(items, items[1:])
    )


def _tells_nothing_done(items: Sequence[Item]) -> bool:
    """“chưa tổ chức buổi nào”, “65%”: a true answer about standing work, complete as it is."""
    said = set(moods(items))
    words = [item.word for item in items if isinstance(item, WordItem)]
    if said <= {Mood.NOT, Mood.YET, Mood.PAST}:
        return bool(words) and words[-1] == "nao"
    share = any(isinstance(i, MoodItem) and i.word in ("%", "phan tram") for i in items)
    return share and said <= {Mood.PARTIAL, Mood.PAST}


def as_answer(task: Task, mood: Mood, clause: Clause, content: bool) -> Verb | None:
    """UPDATE, where what is said of standing work is its answer; None where it is not."""
    only = not task.products
    counts = counted(clause.before) or counted(clause.after)
    evidence = is_evidence(clause.items)
    if mood is Mood.STANDING:
        return Verb.UPDATE
    if mood is Mood.DOING:
        return Verb.UPDATE if only else None
    if mood is Mood.DONE and content and counts and not evidence:
        return Verb.UPDATE if only or counts else None
    if mood is Mood.NOT and only and _tells_nothing_done(clause.items):
        return Verb.UPDATE
    if mood is Mood.NOT and only and counts and not planned(clause.items):
        said = moods(clause.items)
        first = next((i for i in clause.after if not isinstance(i, PoliteItem | SepItem)), None)
        hindered = (
            isinstance(first, MoodItem) and first.mood in _HINDERS and first.word not in _NEWS
        )
        return None if hindered or Mood.PLAN in said else Verb.UPDATE
    return None


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


_SHARE = re.compile(r"(\d{1,2})/(\d{1,2})", re.ASCII)

# What else is said of work that is told done in the same clause: to be asked about.
_DENIED = frozenset({Mood.NOT, Mood.DOING, Mood.STANDING})


_KEPT = frozenset({Role.GONE_BY, Role.LATE, Role.AGO, Role.REMARK})


class Speech:
    """Decides what each clause means, task by task."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self._stated = False  # whether the clause that opens a list states that it is done

    def commands(self, clause: Clause, forced: Verb | None) -> list[Command] | CommandError:
        """What a clause with a run says; of its parts one by one where it tells them apart."""
        apart: list[Command] = []
        for each in self._by_parts(clause) if forced is None else ():
            made = self._commands(each, forced)
            apart += [] if isinstance(made, CommandError) else made
        verbs = {command.verb for command in apart}
        left = len(apart) == 1 and apart[0].verb is Verb.DONE and _is_left(clause)
        if (len(verbs) > 1 or left) and all(map(_of_parts, verbs)):
            return self._without_plans(apart)
        return self._commands(clause, forced)

    def _without_plans(self, apart: list[Command]) -> list[Command]:
        """“báo cáo xong, quyết định mai nộp”: what is to come is kept with what is done."""
        done = next((c for c in apart if c.verb is Verb.DONE), None)
        if done is None:
            return apart
        kept = [c for c in apart if c.verb is not Verb.NOT_DONE or not _only_plans(c)]
        told = [c.note for c in apart if c not in kept]
        note = " - ".join(text for text in (done.note, *told) if text)
        return [replace(c, note=note) if c is done and not c.evidence else c for c in kept]

    def _by_parts(self, clause: Clause) -> list[Clause]:
        """“1d báo cáo xong, quyết định chưa”: a clause each part, if each says one thing of one.

        A part that is only left over (“còn qđ”) stays open, and nothing is said of it.
        """
        assert clause.run is not None
        named = clause.run.named[0] if len(clause.run.named) == 1 else None
        if named is None or clause.run.ranges or clause.run.colon or named != Named(named.code):
            return []
        task = self.speaker.book.task(named.code.task, named.code.plan)
        if task is None or any(isinstance(item, SepItem | MoodItem) for item in clause.before):
            return []
        found: dict[int | None, Clause] = {}
        stretch: Sequence[Item] = clause.items
        if any("bao cao" in fold(product.name) for product in task.products):
            stretch = report_apart(stretch, self.speaker.text)
        for opening, part in _opened(stretch):
            groups = list(word_groups(task, part))
            number = match_part(task, groups[0]) if len(groups) == 1 else None
            says = planned(part) or any(isinstance(item, MoodItem) for item in part)
            if opening == "còn" and number and not says:
                continue
            run = replace(clause.run, named=(replace(named, numbers=[number or 0]),))
            if number in found:
                return []
            found[number if says else None] = Clause(run, (), tuple(part))
        return [] if None in found else list(found.values())

    def _commands(self, clause: Clause, forced: Verb | None) -> list[Command] | CommandError:
        """What a clause says as a whole; each of its tasks may make it another verb."""
        assert clause.run is not None
        fault = self.speaker.targets.fault(clause.run)
        if fault:
            return fault
        targets = self.speaker.targets.all(clause.run, Verb.TASK)
        if isinstance(targets, CommandError):
            return targets
        made: list[Command] = []
        for target in targets:
            verb, text = self._verb(clause, target, forced)
            if not any(command.verb is verb for command in made):
                command = self._command(clause, verb, text, bool(clause.run.ranges))
                if isinstance(command, CommandError):
                    return command
                made.append(command)
            made = [_with(command, target) if command.verb is verb else command for command in made]
        return self._refined(clause, made, forced)

    def _refined(
        self, clause: Clause, made: list[Command], forced: Verb | None
    ) -> list[Command] | CommandError:
        """The targets again, now that the verb is known: parts and periods depend on it."""
        assert clause.run is not None
        items: Sequence[Item] = clause.items
        if forced and clause.run.colon:  # verbatim: only a paper still chooses its product
            items = [item for item in items if isinstance(item, PaperItem)]
        refined: list[Command] = []
        for command in made:
            found = self.speaker.targets.all(clause.run, command.verb, items)
            if isinstance(found, CommandError):
                return found
            mine = {target.task for target in command.targets}
            targets = tuple(target for target in found if target.task in mine)
            answers = tuple(
                (target, command.answers[0][1]) for target in targets if command.answers
            )
            refined.append(replace(command, targets=targets, answers=answers))
        return refined

    def _verb(self, clause: Clause, target: Target, forced: Verb | None) -> tuple[Verb, str]:
        """What the clause says of one task, and the text that goes with it."""
        task = self.speaker.book.task(target.task, target.plan)
        assert task is not None
        full = self._full(clause)
        if forced not in (None, Verb.DONE, Verb.UPDATE, Verb.SUBMIT):
            return forced, full
        assert clause.run is not None
        content = full if forced and clause.run.colon else self._content(clause, task)
        said = said_in(clause, self.speaker, forced)
        names = {word for group in word_groups(task, clause.items) for word in group}
        said += [Mood.PARTIAL] if partial(clause, said, names) else []
        mood = verdict(said, reply=self.speaker.replies, alone=not content)
        if forced is Verb.UPDATE:
            return _answer(mood, full, bool(content), clause)
        read = self._letters(clause, task)
        odd = "?" in read.partition("K")[0] and forced is None
        proof = names_paper(clause.items) and understood(read)
        answering = as_answer(task, mood, clause, bool(content)) if mood and not odd else None
        if task.check_in and answering:
            return answering, full
        if forced is None:
            mood = self._asserted(mood, clause, read, proof=proof)
        if mood is None:
            return self._plain(task, clause, full, content, read, odd=odd, proof=proof)
        verb = BY_MOOD[mood]
        if verb is Verb.UPDATE:  # “bình thường” of a product tells nothing of its being done
            return Verb.DOING, full
        if verb is Verb.CLAIM:
            return verb, full
        if verb in (Verb.DONE, Verb.SUBMIT):
            return verb, content if forced else self._told(clause, task)
        return verb, full if content else ""

    def _asserted(
        self, mood: Mood | None, clause: Clause, read: str, *, proof: bool
    ) -> Mood | None:
        """DONE only where `read` states it, or a paper's number proves it; else a doubt."""
        if mood not in (None, Mood.DONE, Mood.DOUBT):
            denied = mood in _DENIED and denies_itself(read)
            return Mood.DOUBT if denied else mood
        stated = states(read)
        if clause.inherits:
            stated |= self._stated and goes_on(read)
        else:
            self._stated = stated
        just = self.speaker.replies and is_just_done(read)
        if stated or just:
            return Mood.DONE
        if not proof and (mood is not None or claims(read)):
            return Mood.DOUBT
        return mood

    def _letters(self, clause: Clause, task: Task) -> str:
        speaker = self.speaker
        return letters(clause.before, clause.after, task, speaker.meaning, speaker.today)

    def _plain(
        self,
        task: Task,
        clause: Clause,
        full: str,
        content: str,
        read: str,
        *,
        odd: bool,
        proof: bool,
    ) -> tuple[Verb, str]:
        """A code and words without a mood: evidence, an answer, or a note."""
        has = any(i.role is Role.HAVING for i in clause.items if isinstance(i, PoliteItem))
        if not content and not has:
            return Verb.TASK, ""
        order = fold(full).split()[-1:] == ["di"] or re.search("n[yY]|N", read)
        if odd:  # “phòng 1c”, “cho em 1c cà phê”
            return Verb.CLAIM, full
        evidence = is_evidence(clause.items)
        told = has or any(map(is_content, clause.after)) or counted(clause.before)
        if task.check_in and told and not (evidence and self._names_product(task, clause)):
            assert clause.run is not None
            tells = has or clause.run.colon or counted(clause.items)
            return (Verb.UPDATE if tells and not order else Verb.CLAIM), full
        if evidence:  # a bare day is no paper's number
            return (Verb.DONE, content) if proof else (Verb.CLAIM, full)
        return Verb.NOTE, full

    def _names_product(self, task: Task, clause: Clause) -> bool:
        """Whether the evidence is of a product, in a task that has a check-in too."""
        assert clause.run is not None
        named = next((n for n in clause.run.named if n.code.task == task.code), None)
        if named is None:
            return False
        found = self.speaker.targets.one(named, Verb.DONE, clause.items)
        products = {d.number for d in task.products}
        return (
            not isinstance(found, CommandError)
            and bool(products)
            and all(set(target.deliverables) <= products for target in found)
        )

    def _full(self, clause: Clause) -> str:
        """All that is said behind the code; before it, if nothing stands behind."""
        assert clause.run is not None
        if clause.run.colon and clause.after:
            end = next((item.end for item in reversed(trimmed(clause.after))), clause.run.end)
            return squeeze(self.speaker.text[clause.run.end : end])
        after = self.speaker.slice(trimmed(clause.after), lambda _: True)
        if after:
            return after
        ahead = (self.speaker.slice(trimmed(p), lambda _: True) for p in parts(clause.before))
        return " - ".join(piece for piece in ahead if piece)

    def _told(self, clause: Clause, task: Task) -> str:
        """What is kept with what is done: also when, how late, and what was remarked."""
        kept = any(isinstance(i, PoliteItem) and i.role in _KEPT for i in clause.items)
        return self._content(clause, task, also=_KEPT if kept else frozenset())

    def _content(self, clause: Clause, task: Task, *, also: frozenset[Role] = frozenset()) -> str:
        """What is told besides: evidence, or a remark."""
        names = {word for words in word_groups(task, clause.items) for word in words}
        several = len(task.deliverables) > 1

        def keep(item: Item) -> bool:
            said = spoken(item)
            named = several and bool(said) and names.issuperset(said)
            dated = isinstance(item, PeriodItem) and any(d.recurs for d in task.products)
            owned = isinstance(item, UnitItem) and item in clause.before[:1]
            besides = isinstance(item, PoliteItem) and item.role in also
            return besides or (is_content(item) and not (named or dated or owned))

        if is_evidence(clause.items):
            return self._slices(clause, is_content)
        return self._slices(clause, keep)

    def _slices(self, clause: Clause, keep: Callable[[Item], bool]) -> str:
        pieces = (self.speaker.slice(trimmed(half), keep) for half in (clause.before, clause.after))
        return squeeze(" - ".join(piece for piece in pieces if piece))

    def _command(
        self, clause: Clause, verb: Verb, text: str, ranged: bool
    ) -> Command | CommandError:
        assert clause.run is not None
        code = clause.run.named[0].code.task if clause.run.named else clause.run.ranges[0][0].task
        blank = Command(verb=verb, listed_back=ranged)
        if verb in (Verb.DONE, Verb.SUBMIT):
            return self._evidence(clause, blank, text, code)
        if verb is Verb.UPDATE:
            if not text:
                return say.needs_text(verb, code)
            return replace(blank, answers=((Target(task=code), text),))
        if verb in (Verb.EXTEND, Verb.SNOOZE):
            told = [item for item in clause.items if not _asks(item)]
            return until(blank, told, self.speaker, code)
        if verb in (Verb.ASK, Verb.SEEN, Verb.TASK):
            return blank
        return replace(blank, note=text)

    def _evidence(
        self, clause: Clause, blank: Command, text: str, code: str
    ) -> Command | CommandError:
        for item in clause.items:
            if not isinstance(item, DayItem):
                continue
            said = self.speaker.text[item.start : item.end]
            if item.day.day is None:
                return say.bad_date(said)
            if _is_share(said, clause, item):
                return say.share_or_date(said, code)
        return (
            replace(blank, evidence=text)
            if is_evidence(clause.items)
            else replace(blank, note=text)
        )


def _of_parts(verb: Verb) -> bool:
    """Whether it may be said of one part of a task, while something else is of another."""
    return verb.row.takes is Takes.CLAUSES or (verb.row.denies and verb is not Verb.UNDO)


def _asks(item: Item) -> bool:
    return isinstance(item, MoodItem) and item.mood is Mood.ASK


def _is_left(clause: Clause) -> bool:
    """Whether a last part is only named as what is left: “còn qđ”."""
    return any(isinstance(item, SepItem) and item.sign == "còn" for item in clause.after)


def _only_plans(command: Command) -> bool:
    """Whether what is not done is only put off: no “chưa”, “không” stands in its words."""
    words = fold(command.note).split()
    return bool(words) and not {"chua", "khong", "ko", "k", "cho", "thieu", "vuong"} & set(words)


def _opened(items: Sequence[Item]) -> Iterator[tuple[str, list[Item]]]:
    """The parts of `items` that say anything, each with the sign that opens it."""
    opening, part = "", list[Item]()
    for item in (*items, None):
        if item is None or is_break(item):
            if not all(map(_says_nothing, part)):
                yield opening, part
            if isinstance(item, SepItem):
                opening, part = item.sign, []
        else:
            part.append(item)


def _says_nothing(item: Item) -> bool:
    return isinstance(item, PoliteItem | SepItem)


def _answer(mood: Mood | None, full: str, content: bool, clause: Clause) -> tuple[Verb, str]:
    """Behind “/update 1a” all is text, but a bare “chưa xong” and what ends as a question."""
    last = next((item for item in reversed(clause.items) if not _says_nothing(item)), None)
    asks = not content or (isinstance(last, MoodItem) and last.mood is Mood.ASK)
    if mood is Mood.ASK and asks:
        return Verb.ASK, full
    if mood is Mood.NOT and not content:
        return Verb.NOT_DONE, ""
    return Verb.UPDATE, full


def _is_share(said: str, clause: Clause, item: Item) -> bool:
    """“xong 2/3”: a day, or two thirds?"""
    match = _SHARE.fullmatch(said)
    if match is None or not int(match[1]) < int(match[2]) <= 10:
        return False
    index = clause.after.index(item) if item in clause.after else 0
    return index > 0 and isinstance(clause.after[index - 1], MoodItem)


def _with(command: Command, target: Target) -> Command:
    return replace(command, targets=(*command.targets, target))
