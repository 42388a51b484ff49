"""What a clause says about the work it names → commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from itertools import zip_longest

from reminder.domain.calendar import Period
from reminder.domain.plan import Confirm, Task
from reminder.domain.text import Spelling, fold, normal, spelling, squeeze
from reminder.understanding import errors
from reminder.understanding.arguments import named_day, until
from reminder.understanding.clauses import (
    Clause,
    Named,
    is_break,
    is_evidence,
    mood_of,
    moods,
    parts,
    planned,
    says_nothing,
    sign_of,
    word_of,
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
from reminder.understanding.model import Command, Meaning, Refused
from reminder.understanding.spelling import tokenise
from reminder.understanding.targets import (
    ABBREVIATIONS,
    Resolver,
    full_words,
    is_content,
    match_part,
    trimmed,
    word_groups,
)
from reminder.understanding.verbs import BY_MOOD, Takes, Verb

_HINDERS = frozenset({Mood.NOT, Mood.YET, Mood.PARTIAL, Mood.PLAN, Mood.SOON, Mood.UNSIGNED})
_NEWS = frozenset({"gop y", "lay y kien", "bo sung", "chinh sua"})  # of standing work: done
_MAY_I = frozenset({"duoc khong", "duoc chua", "khong a", "?"})  # behind a request
# What else is said of work that is told done in the same clause: to be asked about.
_DENIED = frozenset({Mood.NOT, Mood.DOING, Mood.STANDING})
_KEPT = frozenset({Role.GONE_BY, Role.LATE, Role.AGO, Role.REMARK})  # in the note of a done
_REPORT = "bao cao "
_UPDATE = re.compile(r"(?:cập|cap) (?:nhật|nhat) ?: ?", re.IGNORECASE)  # ahead of what is told

# a particle or greeting, A “em báo cáo anh”, n “nhé”, y person, Y the sender, N a name, Q several
# people, s whose work it is, R the sender's unit, w the work, W what its product is called,
# F a paper, E its kind, e its number or day, K the code, p “đã”, P “mới”, V done, S sent, I issued,
# D worked on, r “rồi”, t a day gone by, T today, M this morning, H an hour, # a number,
# d a number of days, m how, l late, g “cách đây”, f “từ”, B “trước”, c “cho, lên, qua”, x a place
# or a way, i “thì”, j “là”, o “của”, k “mà”, b “được”, v “đã có”, q “check”, G “giúp”, z a remark,
# X a copy of it, ~ “bên”, u handed in for signature, h what hinders, “,” a break, & “và”,
# C “nhưng”, L an elder, who may be the sender, Z “cho anh”, U “lúc”, O “giờ”,
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
    "trien": "", "bo": "", "duoc": "", "va": "", "viec": "w", "is": "", "di": "", "dat": "",
    "hi": "", "100": "V", "%": "",
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
_OF_FILLER = {"ma": "k", "giup": "G", "ghi": "q", "danh": "q", "tick": "q", "cho": "Z"}
_SELF = frozenset({"em", "e", "toi", "minh", "chau", "con", "chung"})
# Small words that only join what stands around them.
_JOINED = (
    (re.compile("[yY]?q([KVpr]*)G[yY]?"), r"\1"),
    (re.compile("k(?=[aynY]*(,|$))"), ""),
    (re.compile("vW+|v(?=E?e)"), "pI"),
    (re.compile("W|F+(?=[KWw])"), "w"),
    (re.compile("E(?=e)|f(?=K)"), ""),
    (re.compile("V{5,}"), "?"),  # “xong” a hundred times tells nothing
    (re.compile("V&[SI]X?(?![yYN])"), "V"),  # “xong và gửi”
    (re.compile("&"), ","),
    (re.compile("[SI]V"), "V"),  # “gửi xong”
    (re.compile("V+"), "V"),
    (re.compile("(?<=V)Kw?V"), "K"),
    (re.compile("(?<=[rna])Q"), "a"),
    (re.compile("c(?=[EFw]*e)"), ""),
    (re.compile("~(?=[Rx])|(?<=S)X"), ""),
    (re.compile("[yY]?N(?=a|,)"), "a"),
    (re.compile("(?<=[r])([aynY]*)[yY]N|(?<=[nV,])([anY]*)[yY]N(?=a*$)"), r"\1\2y"),
    (re.compile("C(?=[lmz])"), ","),  # “nhưng hơi muộn”
    (re.compile("C"), "?"),
    (re.compile("U(?=t)"), ""),
    (re.compile("U?(H#?|#:[#w]|#O#?)"), "T"),
    (re.compile("Tt|tT"), "t"),
    (re.compile(":"), ","),
    (re.compile("[lm]d|l"), "m"),
    (re.compile("f?(?:gd|dB)|[cf]t"), "t"),
    (re.compile("(?<=S)(?:c?yN|ZN?)x"), "x"),  # “cho chị Hiền văn thư”
    (re.compile("cx"), "x"),
    (re.compile("(?<=x)Z"), ""),
    (re.compile("Z"), "?"),
    (re.compile("b(?=[IV])|(?<=p)b|o(?=[sYKw])|i(?=[pVDSIYr])|j(?=[wK])"), ""),
    (re.compile("u,(?=p*[IV])|u(?=p+I)"), ""),
)
_JUNIOR = frozenset({"a", "da", "thua", "kinh"})  # dạ, ạ: to an elder
_ELDERS = frozenset({"anh", "chi", "co", "chu", "bac", "thay"})
# “anh xong 1c rồi em”: of himself
_OF_ELDER = re.compile("((?:(?<=,)|^)[aA]*K?)L(?=pD?V|D?V[^,]*r)")
_REST = "[aynsYwKtTMrmexzQR]*"
_BESIDES = f"A*{_REST}A*{_REST}"
_SENT = re.compile("[aYs]*[SI][xXemQtM]+[aynr]*")  # behind what is told: “gửi qua email”
_TELLS = re.compile(
    f"(?P<lead>[aAynsYwKtTMmzrQR]*)(?P<verb>p*P?D?[VSI]++)(?P<tail>{_REST}(?:p*P?D?[VSI]++{_REST})*)"
)


def as_letters(
    before: Sequence[Item],
    after: Sequence[Item],
    task: Task | None,
    meaning: Meaning,
    today: date,
) -> str:
    """Return the clause as letters, with K in the place of its codes."""
    read = _Letters(meaning, today, task)
    ahead = "".join(read.of(before))
    found = f"{ahead}K{''.join(read.of(after))}"
    if not any(word_of(item) in _JUNIOR for item in (*before, *after)):
        found = _OF_ELDER.sub(r"\1Y", found)
    found = found.replace("L", "y")
    for pattern, put in _JOINED:
        found = pattern.sub(put, found)
    return found


def mentions_done(read: str) -> bool:
    """Return whether anything is said of being done, sent or issued."""
    return bool(re.search("[VSI]|p\\?", read))


def is_clearly_done(read: str) -> bool:
    """Return whether `read` says without any doubt that the work is done."""
    if re.fullmatch("[aAY]*K[aAYs]*p?Dr[aynYtT]*|[aAYs]*p?DKr[aynYtT]*", read):
        return True  # the sender's own work: “1c em làm rồi ạ”
    parts = read.split(",")
    told = [part for part in parts if set(part) & set("VSIDpP")]
    if not told or not _tells(told[0]):
        return False
    if not all(_tells(part) or _SENT.fullmatch(part) for part in told[1:]):
        return False
    first = parts.index(told[0])
    opening = all(re.fullmatch(f"[A{_REST[1:]}", part) for part in parts[:first])
    return opening and all(re.fullmatch(_BESIDES, p) for p in parts[first:] if p not in told)


def goes_on(read: str) -> bool:
    """Return whether a later clause of a list says nothing of its own: “xong 1c, 1d và 2c ạ”."""
    return re.fullmatch("[aAynsYwKtr,]*", read) is not None


def is_just_done(read: str) -> bool:
    """Return whether a reply says no more than done: “rồi ạ”, “em làm rồi ạ”."""
    return re.fullmatch("K([aynY]*|[aYs]*p?D)r[aynYt]*", read) is not None


def understood(read: str) -> bool:
    """Whether every word is known, as is needed where a paper's number tells that it is done."""
    return not set(read) & set("?hjokqGuvX~")


def denies_itself(read: str) -> bool:
    """Return whether what is told done is followed by something that may be of another matter."""
    head = read.partition("h")[0]
    *before, last = head.split(",")
    told = any(_tells(part) or re.search("K[aynY]*r", part) for part in before)
    return told or bool(re.search("[VSI][KaynYws]*r", last) and _tells(last))


def _tells(part: str) -> bool:
    """Whether this part of a clause tells a thing done, and is no order, promise or question."""
    found = _TELLS.fullmatch(part)
    if found is None or re.search("S[yY]|(?<![rna])Q", part):  # “gửi sếp”: to be signed or read
        return False
    lead, verb, tail = found["lead"], found["verb"], found["tail"]
    if re.search("r[aynY]*D?[VSI]", part):  # “xong rồi gửi”: what is to follow
        return False
    if "P" in verb and re.search("[tTMrmz]", lead):  # “hết tháng mới xong”
        return False
    if re.search("[yn]A*$", lead):  # “sếp ký 1c rồi”: somebody else
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
                return self._harmless(role, word, item.end - item.start)
            case MoodItem(mood=mood, word=word):
                return self._mood(mood, word)
            case SepItem(sign=sign):
                if sign == "đến" and before is None and not self.told:
                    return "Y"  # “toi da xong”: tôi
                return {"và": "&", "nhưng": "C", "còn": "h", "đến": "c", "/": "?", ":": ":"}.get(
                    sign, ","
                )
            case UnitItem(unit=unit):
                if self.told:
                    return "x" if unit in self.offices else "?"
                return "R" if unit in self.units else "?"
            case DayItem():
                return "?" if _is_share(item, before) else self._day(item)
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

    def _harmless(self, role: Role, word: str, size: int) -> str:
        if role is Role.NAMING:
            return {"thi": "i", "la": "j", "cua": "o"}.get(word, "?")
        if role is Role.BEING:
            return "b" if word == "duoc" else "p"
        if role is Role.TODAY and word in ("sang", "hoi"):
            return "M"
        if role is Role.FILLER and size <= len("cho mình"):  # but “cho lãnh đạo”
            return _OF_FILLER.get(word) or self._word(word, spelling(word))
        if role is Role.PERSON and word in _ELDERS and size == len(word):
            return "L"
        return "Y" if role is Role.PERSON and word in _SELF else _OF_ROLE.get(role, "?")

    def _mood(self, mood: Mood, word: str) -> str:
        if mood is Mood.SUBMITTED:
            return "pu" if word.startswith("da ") else "u"
        if mood in (Mood.SEEN, Mood.AGREED):
            return "a"
        if mood is Mood.SOON:
            return "T" if "nay" in word or word in ("trua", "chieu", "toi") else "h"
        if mood not in _TOLD:
            return "h"
        if word == "sang nay":
            return "M"
        if word == "bao xong":
            return "AV"
        if not word[0].isalnum() and self.told:  # “hoàn thành 1c ✅”
            return "a"
        if word == "roi" and mood is Mood.DONE:  # “báo cáo rồi”, its report told apart
            return "Vr"
        unknown = "" if mood is Mood.ISSUED else "?"  # by whom it was signed
        return "".join(
            _OF_WORD.get(each, unknown if each.isalnum() else "V") for each in word.split()
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
        """Return a word of the title: behind the verb it may be but a piece of the work."""
        if any(each.is_meant_by(spelt) for each in NOUNS):
            return "w"
        if any(each.is_meant_by(spelt) for each in self.names):
            return "F" if self.told else "w"
        if any(each.is_meant_by(spelt) for each in PAPERS):
            return "F"
        return "c" if spelt.base == "theo" else "?"

    def _is_over(self, period: str) -> bool:
        return bool(period) and Period.parse(period).last < self.today


def _is_share(item: DayItem, before: Item | None) -> bool:
    """Return whether “2/3” may be two thirds rather than a day."""
    day = item.day.day
    short = isinstance(before, MoodItem) and item.end - item.start <= len("9/10")
    return short and day is not None and day.day < day.month <= 10


def _names(task: Task | None) -> tuple[frozenset[Spelling], frozenset[Spelling]]:
    """Return the words of what the products are called, and all that name the task or a paper."""
    if task is None:
        return frozenset(), NOUNS
    names = [task.title, *(f"{d.name} {d.product}" for d in task.deliverables)]
    names += ["báo cáo"] if task.check_in else []
    return _spelt(" ".join(d.name for d in task.deliverables)), NOUNS | _spelt(" ".join(names))


@lru_cache(1024)  # of a plan's few names, asked for at each code
def _spelt(names: str) -> frozenset[Spelling]:
    return frozenset(spelling(word) for word in re.findall(r"[^\W\d]+", normal(names)))


def said_in(clause: Clause, resolver: Resolver, forced: Verb | None) -> list[Mood]:
    """Return the moods of a clause; a day still to come is a plan, where no paper is named."""
    items, today = clause.items, resolver.today
    found = [*moods(clause.before), *moods(clause.after)]
    if clause.before and clause.after and Mood.ASK in moods(items):
        found.append(Mood.ASK)
    if Mood.ASK in found and (leave := _asks_leave(items, today, found)):
        found = [leave, *(mood for mood in found if mood is not Mood.ASK)]
    if any(isinstance(item, EveryItem) and item.rest for item in items):
        found.append(Mood.PARTIAL)
    if forced in (Verb.DONE, Verb.SUBMIT):
        found += forced.row.moods
    if forced is None and clause.inherits and not found:
        found.append(Mood.DONE)
    if any(isinstance(item, MoodItem) and _gone_by(item) for item in items):
        found.append(Mood.PAST)
    if any(isinstance(item, PaperItem) for item in items):
        return found
    for day in (item.day for item in items if isinstance(item, DayItem)):
        latest = day.past or day.day
        later = latest is not None and latest > today
        if (later and day.relative) or (
            forced is None
            and Mood.PAST not in found
            and (later or (day.relative and day.day == today))
        ):
            found.append(Mood.PLAN)
    return found


def _asks_leave(items: Sequence[Item], today: date, found: Sequence[Mood]) -> Mood | None:
    """EXTEND, for “dời tới 20/3 được không”, “em nộp 20/3 được không”: a request."""
    asked = {item.word for item in items if isinstance(item, MoodItem) and item.mood is Mood.ASK}
    days = [item.day.day for item in items if isinstance(item, DayItem)]
    dated = bool(days) or any(isinstance(item, DaysItem) for item in items)
    later = "duoc khong" in asked and any(day is not None and day > today for day in days)
    return Mood.EXTEND if asked <= _MAY_I and dated and (later or Mood.EXTEND in found) else None


def _of_own_part(items: Sequence[Item]) -> bool:
    """Return whether only “phần em” makes it a part: of work of several units, it may be theirs."""
    partial = {i.word for i in items if isinstance(i, MoodItem) and i.mood is Mood.PARTIAL}
    return bool(partial) and partial <= {"phan em", "phan toi", "phan minh"}


def _gone_by(item: MoodItem) -> bool:
    return item.mood is Mood.JUST or item.word.startswith("da ") or item.word.endswith(" roi")


def counted(items: Sequence[Item]) -> bool:
    """Return whether `items` count something; a share (80%) is no count."""
    return any(
        isinstance(item, NumberItem) and not (isinstance(behind, MoodItem) and behind.word == "%")
        for item, behind in zip_longest(items, items[1:])
    )


def _answers(task: Task, mood: Mood, clause: Clause, content: bool) -> bool:
    """Return whether what is said of standing work is the answer to its check-in."""
    only = not task.products
    counts = counted(clause.before) or counted(clause.after)
    match mood:
        case Mood.STANDING:
            return True
        case Mood.DOING:
            return only
        case Mood.DONE:
            return content and counts and not is_evidence(clause.items)
        case Mood.NOT if only:
            said = set(moods(clause.items))
            words = [item.word for item in clause.items if isinstance(item, WordItem)]
            if said <= {Mood.NOT, Mood.YET, Mood.PAST}:  # “chưa tổ chức buổi nào”
                none = words[-1:] == ["nao"]
            else:
                share = any(_word(item) in ("%", "phan tram") for item in clause.items)
                none = share and said <= {Mood.PARTIAL, Mood.PAST}  # “65%”
            first = next((item for item in clause.after if not says_nothing(item)), None)
            hindered = mood_of(first) in _HINDERS and _word(first) not in _NEWS
            open_ = planned(clause.items) or hindered or Mood.PLAN in said
            return none or (counts and not open_)
    return False


def _word(item: Item | None) -> str:
    return item.word if isinstance(item, MoodItem) else ""


def states_done(items: Sequence[Item], resolver: Resolver) -> bool:
    """Return whether a text without a code says without any doubt that something is done."""
    return is_clearly_done(as_letters((), items, None, resolver.meaning, resolver.today))


class ClauseReader:
    """Decides what each clause of a text means, task by task."""

    def __init__(self, resolver: Resolver, said: Collection[Mood] = ()) -> None:
        self.resolver = resolver
        self.asked = Mood.ASK in said  # anything in the text: “1c xong, 1d chưa?”
        self.contrasts = not self.asked and bool({Mood.NOT, Mood.YET} & set(said))
        self._stated = False  # whether the clause that opens a list states that it is done

    def commands(self, clause: Clause, forced: Verb | None) -> list[Command]:
        """What a clause with a run says; of its parts one by one where it tells them apart."""
        self.resolver.check(clause.run)
        by_parts = self._by_parts(clause) if forced is None else []
        apart = [command for each in by_parts for command in self._commands(each, None)]
        verbs = {command.verb for command in apart}
        left = verbs == {Verb.DONE} and any(sign_of(item) == "còn" for item in clause.after)
        if (len(verbs) > 1 or (left and len(apart) == 1)) and all(map(_of_parts, verbs)):
            return _without_plans(apart)
        return self._commands(clause, forced)

    def _by_parts(self, clause: Clause) -> list[Clause]:
        """Return a clause for each part that says one thing: “báo cáo xong, quyết định chưa”.

        A part that is only left over (“còn qđ”) stays open, and nothing is said of it.
        """
        run = clause.run
        named = run.named[0] if len(run.named) == 1 else None
        if named is None or run.ranges or run.colon or named != Named(named.code):
            return []
        if any(isinstance(item, SepItem | MoodItem) for item in clause.before):
            return []
        (task,) = self.resolver.tasks(run)
        if len(task.deliverables) == 1:
            return []
        stretch: Sequence[Item] = clause.items
        if any("bao cao" in fold(product.name) for product in task.products):
            stretch = _report_apart(stretch, self.resolver.text)
        found: dict[int, Clause] = {}
        opening = ""
        for part in _split(stretch):
            groups = list(word_groups(task, part))
            number = match_part(task, groups[0]) if len(groups) == 1 else None
            says = planned(part) or any(isinstance(item, MoodItem) for item in part)
            opening = sign_of(part[0])
            if opening == "còn" and number and not says:
                continue
            if not number or not says or number in found:
                return []
            of_part = replace(run, named=(replace(named, numbers=[number]),))
            found[number] = Clause(of_part, (), tuple(part))
        return list(found.values())

    def _commands(self, clause: Clause, forced: Verb | None) -> list[Command]:
        """Return what a clause says as a whole; each of its tasks may make it another verb."""
        items: Sequence[Item] = clause.items
        if forced and clause.run.colon:  # verbatim: only a paper still chooses its product
            items = [item for item in items if isinstance(item, PaperItem)]
        said: dict[Verb, tuple[str, set[str]]] = {}
        for task in self.resolver.tasks(clause.run):
            verb, text = self._verb(clause, task, forced)
            said.setdefault(verb, (text, set()))[1].add(task.code)
        made: list[Command] = []
        for verb, (text, codes) in said.items():
            command = self._command(clause, verb, text)
            found = self.resolver.targets(clause.run, verb, items)
            targets = tuple(target for target in found if target.task in codes)
            told = text[match.end() :] if (match := _UPDATE.match(text)) else text
            answers = tuple((t, told) for t in targets) if verb is Verb.UPDATE else ()
            made.append(replace(command, targets=targets, answers=answers))
        return made

    def _verb(self, clause: Clause, task: Task, forced: Verb | None) -> tuple[Verb, str]:
        """Return what the clause says of one task, and the text that goes with it."""
        full = self._full(clause)
        content = full if forced and clause.run.colon else self._content(clause, task)
        said = said_in(clause, self.resolver, forced)
        if task.confirm is Confirm.ALL and _of_own_part(clause.items):
            said = [Mood.DOUBT if mood is Mood.PARTIAL else mood for mood in said]
        mood = verdict(said, reply=self.resolver.replies, alone=not content)
        if forced is Verb.UPDATE:
            return _update(mood, full, bool(content), clause)
        meaning, today = self.resolver.meaning, self.resolver.today
        read = as_letters(clause.before, clause.after, task, meaning, today)
        odd = "?" in read.partition("K")[0] and forced is None
        proof = is_evidence(clause.items) and understood(read)
        if task.check_in and mood and not odd and _answers(task, mood, clause, bool(content)):
            return Verb.UPDATE, full
        news = mood is None and not task.products and counted(clause.items)
        if forced is None and not news:
            mood = self._asserted(mood, clause, read, proof=proof)
        if mood is None:
            return self._plain(task, clause, full, content, read, odd=odd, proof=proof)
        match BY_MOOD[mood]:
            case Verb.UPDATE:  # “bình thường” of a product tells nothing of its being done
                return Verb.DOING, full
            case Verb.CLAIM:
                return Verb.CLAIM, full
            case Verb.DONE | Verb.SUBMIT as verb:
                return verb, content if forced else self._told(clause, task)
            case verb:
                return verb, full if content else ""

    def _asserted(
        self, mood: Mood | None, clause: Clause, read: str, *, proof: bool
    ) -> Mood | None:
        """DONE only where `read` states it, or a paper's number proves it; else a doubt."""
        if mood is Mood.SUBMITTED and set("IV") & set(read) and is_clearly_done(read):
            return Mood.DONE
        if mood not in (None, Mood.DONE, Mood.DOUBT):
            return Mood.DOUBT if mood in _DENIED and denies_itself(read) else mood
        stated = is_clearly_done(read) and not (self.asked and not set("rp") & set(read))
        if clause.inherits:
            stated |= self._stated and goes_on(read)
        else:
            self._stated = stated
        if stated or ((self.resolver.replies or self.contrasts) and is_just_done(read)):
            return Mood.DONE
        return Mood.DOUBT if not proof and (mood or mentions_done(read)) else mood

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
        """Return what a code and words without a mood mean: evidence, an answer, or a note."""
        has = any(i.role is Role.HAVING for i in clause.items if isinstance(i, PoliteItem))
        if not content and not has:
            return (Verb.CLAIM, full) if "r" in read else (Verb.TASK, "")
        if odd:  # “phòng 1c”, “cho em 1c cà phê”
            return Verb.CLAIM, full
        evidence = is_evidence(clause.items)
        told = has or any(map(is_content, clause.after)) or counted(clause.before)
        if task.check_in and told and not (evidence and self._names_product(task, clause)):
            order = fold(full).endswith(" di") or re.search("n[yY]|N", read)
            tells = has or clause.run.colon or counted(clause.items)
            return (Verb.UPDATE if tells and not order else Verb.CLAIM), full
        dated = any(isinstance(item, DayItem) and not item.day.relative for item in clause.items)
        if evidence or dated:  # a day alone is asked about
            return (Verb.DONE, content) if proof else (Verb.CLAIM, full)
        return (Verb.CLAIM if "r" in read else Verb.NOTE), full

    def _names_product(self, task: Task, clause: Clause) -> bool:
        """Return whether the evidence is of a product, in a task that has a check-in too."""
        named = next((n for n in clause.run.named if n.code.task == task.code), None)
        if named is None:
            return False
        found = self.resolver.one(named, Verb.DONE, clause.items)
        products = {d.number for d in task.products}
        return bool(products) and all(set(target.deliverables) <= products for target in found)

    def _full(self, clause: Clause) -> str:
        """Return all that is said behind the code; before it, if nothing stands behind."""
        if clause.run.colon and clause.after:
            end = next((item.end for item in reversed(trimmed(clause.after))), clause.run.end)
            return squeeze(self.resolver.text[clause.run.end : end])
        ahead = (self.resolver.slice(trimmed(part)) for part in parts(clause.before))
        return self.resolver.slice(trimmed(clause.after)) or " - ".join(filter(None, ahead))

    def _told(self, clause: Clause, task: Task) -> str:
        """Return what is kept with what is done: also when, how late, and what was remarked."""
        kept = any(isinstance(i, PoliteItem) and i.role in _KEPT for i in clause.items)
        return self._content(clause, task, also=_KEPT if kept else frozenset())

    def _content(self, clause: Clause, task: Task, *, also: frozenset[Role] = frozenset()) -> str:
        """Return what is told besides: evidence, or a remark."""
        names = {word for words in word_groups(task, clause.items) for word in words}
        several = len(task.deliverables) > 1

        def keep(item: Item) -> bool:
            said = full_words(item)
            named = several and bool(said) and names.issuperset(said)
            dated = isinstance(item, PeriodItem) and any(d.recurs for d in task.products)
            owned = isinstance(item, UnitItem) and item in clause.before[:1]
            besides = isinstance(item, PoliteItem) and item.role in also
            return besides or (is_content(item) and not (named or dated or owned))

        kept: Callable[[Item], bool] = is_content if is_evidence(clause.items) else keep
        after = clause.after
        first, *others = parts(after)
        if others and first and not any(map(keep, first)) and not is_evidence(first):
            after = after[len(first) :]  # “xong 1d báo cáo, số 12/BC-UBND”: the product's name
        pieces = (self.resolver.slice(trimmed(half), kept) for half in (clause.before, after))
        return squeeze(" - ".join(filter(None, pieces)))

    def _command(self, clause: Clause, verb: Verb, text: str) -> Command:
        code = self.resolver.tasks(clause.run)[0].code
        blank = Command(verb=verb, listed_back=bool(clause.run.ranges))
        match verb:
            case Verb.DONE | Verb.SUBMIT:
                for item in clause.items:
                    if isinstance(item, DayItem):
                        named_day(item, self.resolver)
                if is_evidence(clause.items):
                    return replace(blank, evidence=text)
            case Verb.UPDATE:
                if not text:
                    raise Refused(errors.needs_text(verb, code))
                return blank
            case Verb.EXTEND | Verb.SNOOZE:
                told = [item for item in clause.items if mood_of(item) is not Mood.ASK]
                return until(blank, told, self.resolver, code)
            case Verb.ASK | Verb.SEEN | Verb.TASK:
                return blank
        return replace(blank, note=text)


def _of_parts(verb: Verb) -> bool:
    """Return whether it may be said of one part of a task, while something else is of another."""
    return verb.row.takes is Takes.CLAUSES or (verb.row.denies and verb is not Verb.UNDO)


def _without_plans(apart: list[Command]) -> list[Command]:
    """Keep what is to come as a note of what is done: “báo cáo xong, quyết định mai nộp”."""
    done = next((c for c in apart if c.verb is Verb.DONE), None)
    if done is None:
        return apart
    plans = [c for c in apart if c.verb is Verb.NOT_DONE and _only_plans(c)]
    note = " - ".join(filter(None, (done.note, *(c.note for c in plans))))
    said = done if done.evidence else replace(done, note=note)
    return [said if c is done else c for c in apart if c not in plans]


def _only_plans(command: Command) -> bool:
    """Return whether what is not done is only put off: no “chưa”, “không” stands in its words."""
    words = fold(command.note).split()
    return bool(words) and not {"chua", "khong", "ko", "k", "cho", "thieu", "vuong"} & set(words)


def _split(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Yield the parts of `items` that say anything, each with the break that opens it."""
    part: list[Item] = []
    for item in (*items, None):
        if item is not None and not is_break(item):
            part.append(item)
            continue
        if not all(map(says_nothing, part)):
            yield part
        part = [item] if item else []


def _report_apart(items: Sequence[Item], text: str) -> list[Item]:
    """Read “báo cáo rồi” as the report, and done, where a task's parts are told apart."""
    found: list[Item] = []
    for item in items:
        if not isinstance(item, MoodItem) or not item.word.startswith(_REPORT):
            found.append(item)
            continue
        starts = [item.start + token.start for token in tokenise(text[item.start : item.end])]
        for word, start in zip(_REPORT.split(), starts, strict=False):
            found.append(WordItem(start=start, end=start + len(word), word=word))
        found.append(replace(item, start=starts[2], word=item.word.removeprefix(_REPORT)))
    return found


def _update(mood: Mood | None, full: str, content: bool, clause: Clause) -> tuple[Verb, str]:
    """Behind “/update 1a” all is text, but a bare “chưa xong” and what ends as a question."""
    last = next((item for item in reversed(clause.items) if not says_nothing(item)), None)
    if mood is Mood.ASK and (not content or mood_of(last) is Mood.ASK):
        return Verb.ASK, full
    if mood is Mood.NOT and not content:
        return Verb.NOT_DONE, ""
    return Verb.UPDATE, full
