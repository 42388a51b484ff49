"""A document → the draft of a plan: its tasks, units and open questions.

Nothing is made up: a day stands in the draft only if the document names it, or it is marked as
assumed; what the document leaves open is asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import product

from rapidfuzz import fuzz

from reminder.domain.plan import MAX_NAME, MAX_PHRASE, MAX_PRODUCT, MAX_TITLE, Plan
from reminder.domain.text import one_line, squeeze, words
from reminder.files.plan import CODE
from reminder.importing import phrases, rules
from reminder.importing.days import PlanYear
from reminder.importing.draft import (
    NO_PHRASE,
    Deliverable,
    Draft,
    Note,
    Question,
    Task,
    Unit,
)
from reminder.importing.layout import Document, RefusedError
from reminder.importing.outline import read_outline
from reminder.importing.passages import Passage, find_passages
from reminder.importing.readings import Found, Kind, Part, Reading, Status
from reminder.importing.units import Registry
from reminder.importing.vocabulary import is_everybody, is_title, plain

SHORTEST_TITLE = 20  # of one that is cut
_HEAD_PARAGRAPHS = 60


class NoYearError(RefusedError):
    """A document that does not say which year it plans."""


# --- the head of the document


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of a document says of the plan."""

    title: str
    year: int
    issued: date | None = None
    school_year: bool = False
    last_year: int | None = None


def read_head(document: Document) -> Head:
    """Return the title, the year and the day of issue."""
    first = [p.text for _, p in zip(range(_HEAD_PARAGRAPHS), document.paragraphs(), strict=False)]
    issued = _issued(" ".join(first))
    title = _title(first) or document.name.rsplit(".", 1)[0]
    for text in (title, " ".join(first)):
        if found := re.search(r"năm học\s+(20\d\d)\s*[-–/]\s*(20\d\d)", text, re.IGNORECASE):
            return Head(title, int(found[1]), issued, school_year=True)
        if found := re.search(r"\bnăm (20\d\d)(?!\s*[-–]\s*20\d\d)\b", text, re.IGNORECASE):
            return Head(title, int(found[1]), issued)
        if found := re.search(r"(20\d\d)\s*[-–]\s*(20\d\d)", text):
            return Head(title, int(found[1]), issued, last_year=int(found[2]))
    years = Counter(re.findall(r"\b20\d\d\b", " ".join(p.text for p in document.paragraphs())))
    year = int(years.most_common(1)[0][0]) if years else (issued.year if issued else 0)
    return Head(title, year, issued)


def _issued(text: str) -> date | None:
    found = re.search(r"ngày\s+(\d{1,2})\s+tháng\s+(\d{1,2})\s+năm\s+.{0,60}?(20\d\d)", text)
    if found is None:
        return None
    try:
        return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        return None


def _title(texts: list[str]) -> str:
    """Return the lines after “KẾ HOẠCH”, up to the first that is no title."""
    for place, text in enumerate(texts):
        if not is_title(text):
            continue
        lines = [text]
        for line in texts[place + 1 : place + 4]:
            is_first = len(lines) == 1 and not re.search(r"\bnăm 20\d\d", text, re.IGNORECASE)
            ends = line.endswith(":") or (_ENDS_TITLE.match(plain(line)) and not is_first)
            if ends or len(" ".join([*lines, line])) > 200:
                break
            lines.append(line)
            if re.search(r"\b20\d\d\b", line):
                break
        lines = [line.lower() if line.isupper() else line for line in lines]
        made = squeeze(" ".join(lines))
        return made[:1].upper() + made[1:]
    return ""


_ENDS_TITLE = re.compile(
    r"(?:can cu|thuc hien|ubnd|uy ban|nha truong|trung tam|ban |de |so |nham |[ivx]+\.|\d+\.|phan )"
)


# --- the whole


def make_draft(
    document: Document, *, like: Plan | Draft | None = None, year: int | None = None
) -> Draft:
    """Return the draft of the plan that `document` holds.

    `like` is a former plan: its units, spellings and short titles are used. `year` is the plan's,
    where the document does not say it; NoYearError if neither does.
    """
    head = read_head(document)
    if year is not None:
        head = replace(head, year=year)
    if not head.year:
        raise NoYearError("không thấy năm của kế hoạch trong văn bản")
    return _Maker(document, head, like).make()


# Words before a time that say nothing without it.
_LED_IN = re.compile(
    r"(?:[,;]?\s+(?:trong|vào|từ|trước|đến|xong|hoàn thành|chậm nhất|định kỳ|lúc|ngày))+$"
)


@dataclass(slots=True)
class _Made:
    """A task with the passage it comes from."""

    task: Task
    passage: Passage
    days: set[date]


class _Maker:
    def __init__(self, document: Document, head: Head, like: Plan | Draft | None) -> None:
        self.document, self.head, self.like = document, head, like
        self.year = PlanYear(head.year, head.issued, head.school_year)
        self.units = Registry()
        self.made: list[_Made] = []
        self.questions: list[Question] = []
        self.notes: list[Note] = []
        if like is not None:
            for unit in like.units:
                self.units.learn(
                    Unit(id=unit.id, name=unit.name, short=unit.short, spellings=[*unit.spellings])
                )

    def make(self) -> Draft:
        has_time = cache(lambda text: bool(self._find(text)))
        found = find_passages(read_outline(self.document), has_time)
        passages = _one_report(found.tasks)
        codes = make_codes(passages)
        for passage, (code, written) in zip(passages, codes, strict=True):
            self.made.append(self._task(passage, code, written))
        self._contradictions()
        sections = self._sections(found.sections)
        head = self.head
        draft = Draft(
            id=f"kh-{head.year}",
            title=one_line(head.title, 150),
            year=head.year,
            last_year=head.last_year,
            document=self.document.name,
            sha256=self.document.sha256,
            issued=head.issued,
            sections=sections,
            units=self.units.units,
            tasks=[made.task for made in self.made],
            leftovers=found.leftovers,
            notes=self.notes,
        )
        if head.school_year:
            self._school_days(draft)
        self._ask(draft)
        draft.questions = self.questions
        return draft

    def _sections(self, found: dict[str, str]) -> dict[str, str]:
        """Return the sections by short keys: the last label of the path where it is the only one.

        A heading without a label gets a made-up key; what stands under none is one section.
        """
        last = Counter(key.rpartition(".")[2] for key in found)
        keys: dict[str, str] = {}
        for key in found:
            end = key.rpartition(".")[2]
            is_label = re.fullmatch(r"[A-Za-zĐ0-9.]{1,12}", key)
            keys[key] = f"M{len(keys) + 1}" if not is_label else end if last[end] == 1 else key
        sections = {keys[key]: text for key, text in found.items()}
        for made in self.made:
            if made.task.section not in keys:
                sections.setdefault("M", "Nhiệm vụ")
            made.task.section = keys.get(made.task.section, "M")
        return sections

    def _find(self, text: str, month: date | None = None) -> tuple[Found, ...]:
        return phrases.find(text, replace(self.year, month=month))

    def _read(self, text: str, month: date | None = None) -> Reading:
        return phrases.read(text, replace(self.year, month=month))

    # --- one task

    def _task(self, passage: Passage, code: str, written: str) -> _Made:
        text, timed = self._times(passage)
        full = _full_title(text, passage)
        short = self._short_title(full)
        task = Task(
            code=code,
            title=short,
            full_title=full if full != short else "",
            written=written if written != code else "",
            section=passage.section,
            lead=[self.units.take(name).id for name in passage.lead],
            source=passage.where,
        )
        support = [self.units.take(name).id for name in passage.support]
        task.support = [unit for unit in dict.fromkeys(support) if unit not in task.lead]
        task.lead = list(dict.fromkeys(task.lead))
        products = split_products(passage.products)
        unsure = passage.is_report or passage.is_inherited or all(map(is_everybody, passage.lead))
        read: list[tuple[Reading, Part]] = []  # of each deliverable
        for phrase, reading in timed:
            for part in reading.parts:
                place = (len(read), len(reading.parts) if len(timed) == 1 else len(timed))
                one = self._deliverable(phrase, reading, part, products, place)
                if unsure and not one.is_flagged:
                    one.rule["assumed"] = True
                if one not in task.deliverables:
                    task.deliverables.append(one)
                    read.append((reading, part))
        if code == "BC":
            for one in task.deliverables:
                one.rule.setdefault("kind", "report")
        _name_all(task, products)
        self._questions(task, passage, read)
        return _Made(task, passage, {day for _, part in read for day in part.due or part.proposed})

    def _times(self, passage: Passage) -> tuple[str, list[tuple[str, Reading]]]:
        """Return the passage's text without its time, and each time phrase with its reading."""
        month = _first_of_month(self._read(passage.heading_time)) if passage.heading_time else None
        if passage.marks:
            return passage.text, [self._marked(passage)]
        if passage.times:
            timed = self._lines(passage, month)
            if passage.finer:
                timed = [self._finest(passage, timed)]
            return passage.text, self._with_note(passage, timed)
        if passage.note:
            found = self._find(passage.note)
            if found and found[0].reading.parts[0].status is not Status.AWAITING:
                return passage.text, [(passage.note, found[0].reading)]
        if not passage.in_table:
            for text, is_title in ((passage.text, True), (passage.body, False)):
                rest, inside = self._inside(text, month)
                if inside:
                    if not is_title:
                        says_more = len(rest.split()) > 3
                        rest = f"{passage.text}: {rest}" if says_more else passage.text
                    return rest, inside
        if passage.heading_time and not passage.has_periods:
            return passage.text, [(passage.heading_time, self._of_heading(passage.heading_time))]
        return passage.text, [("", self._read("", month))]

    def _finest(self, passage: Passage, timed: list[tuple[str, Reading]]) -> tuple[str, Reading]:
        """Of two columns of times the one that says more; the other gives its month."""
        phrase, first = timed[0]
        month = _first_of_month(first)
        if month and re.fullmatch(r"\d{1,2}(?:\s*[-–]\s*\d{1,2})?", passage.finer):
            passage.finer += f"/{month.month}/{month.year}"  # days of the month
        second = self._read(passage.finer, month)
        best = min((first, second), key=_width)
        return f"{phrase}; {passage.finer}", best

    def _with_note(
        self, passage: Passage, timed: list[tuple[str, Reading]]
    ) -> list[tuple[str, Reading]]:
        """Return `timed`, or the day of a remark that says more than its month or quarter."""
        if not passage.note or len(timed) != 1:
            return timed
        phrase, reading = timed[0]
        wide = {Kind.MONTH, Kind.QUARTER, Kind.YEAR, Kind.PERIODIC}
        if any(p.kind not in wide or p.status is Status.LITERAL for p in reading.parts):
            return timed
        month = _first_of_month(reading)
        note = self._read(passage.note, month)
        both = f"{phrase}; {passage.note}"
        if all(part.status is Status.LITERAL for part in note.parts):
            is_cycle = any(part.kind is Kind.PERIODIC for part in reading.parts)
            return [(both, replace(note, ask=note.ask or is_cycle))]
        if any(part.kind in (Kind.EXTERNAL, Kind.EVENT) for part in note.parts):
            return [(both, replace(reading, ask=True))]
        return timed

    def _lines(self, passage: Passage, month: date | None) -> list[tuple[str, Reading]]:
        """Return a phrase for each line of a time field, or one of all lines together."""
        lines = [line.strip(" -+•").rstrip(" .;") for line in passage.times]
        whole = " ".join(lines) if len(lines) < 2 else "; ".join(lines)
        if len(lines) > 1:
            readings = [self._read(line, month) for line in lines]
            if all(reading.parts[0].kind is not Kind.NONE for reading in readings):
                return list(zip(lines, readings, strict=True))
            joined = " ".join(lines)
            if (reading := self._read(joined, month)).parts[0].kind is not Kind.NONE:
                return [(joined, reading)]
        return [(whole, self._read(whole, month))]

    def _inside(self, text: str, month: date | None) -> tuple[str, list[tuple[str, Reading]]]:
        """Return the time in a sentence, and the sentence without it."""
        for bracket in reversed(list(re.finditer(r"\s*\(([^()]*)\)", text))):
            reading = self._read(bracket[1], month)
            rest = text[: bracket.start()] + text[bracket.end() :]
            is_time = reading.parts[0].kind is not Kind.NONE or reading.parts[0].fuzzy
            if is_time and not self._find(rest, month):
                return rest.strip(" .;,"), [(bracket[1].strip(), reading)]
        found = self._find(text, month)
        if not found:
            return text, []
        rest = text
        for one in reversed(found):
            before = _LED_IN.sub("", rest[: one.start].rstrip(" ,;:–-("))
            after = rest[one.end :].lstrip(" ),")
            rest = f"{before} {after}" if after[:1] not in ".;" else before + after
        phrase = "; ".join(text[one.start : one.end].strip(" ,;.") for one in found)
        parts = tuple(part for one in found for part in one.reading.parts)
        reading = Reading(
            parts=parts,
            ask=any(one.reading.ask for one in found),
            why="; ".join(filter(None, (one.reading.why for one in found))),
            mended=", ".join(filter(None, (one.reading.mended for one in found))),
        )
        rest = re.sub(r"\s+([.,;])", r"\1", squeeze(rest)).strip(" .;,:")
        return rest if len(rest) > 5 else text, [(phrase, reading)]

    def _of_heading(self, heading: str) -> Reading:
        """Return the time of a heading for a task without one: its months' end."""
        reading = self._read(heading)
        parts = reading.parts
        if all(part.status is Status.PERIOD for part in parts):
            ask = len(parts) > 1 or reading.ask
            return replace(reading, parts=(replace(parts[-1], start=parts[0].start),), ask=ask)
        return replace(reading, ask=True)

    def _marked(self, passage: Passage) -> tuple[str, Reading]:
        """Marks under periods: side by side one job until the end of the last, else one each.

        A remark with a day, or that says the work is standing, takes their place.
        """
        year = self.head.year
        phrase = f"x ({', '.join(passage.marks)})"
        note = passage.note or "; ".join(passage.times)
        if note:
            phrase += f"; {note}"
            reading = self._read(note)
            statuses = {part.status for part in reading.parts}
            if statuses <= {Status.LITERAL, Status.CHECK_IN, Status.PERIOD}:
                return phrase, reading
        marks = [m if m.startswith("Năm") else f"{m}/{year}" for m in passage.marks]
        parts = [self._read(mark).parts[0] for mark in marks]
        times = re.search(r"\b0?(\d+) (?:lan|dot|ky|cuoc)\b", plain(passage.note))
        each = times is not None and int(times[1]) == len(parts)
        groups: list[list[Part]] = []
        for part in parts:
            before = groups[-1][-1] if groups else None
            adjoins = (
                before and before.due and part.start and (part.start - before.due[-1]).days == 1
            )
            if adjoins and not each:
                groups[-1].append(part)
            else:
                groups.append([part])
        merged = tuple(replace(group[-1], start=group[0].start) for group in groups)
        ask = (times is not None and not each) or (len(passage.marks) > 2 and len(merged) == 1)
        ask |= bool(passage.times)  # figures or words in the place of marks
        return phrase, Reading(parts=merged, ask=ask)

    # --- deliverables

    def _deliverable(
        self,
        phrase: str,
        reading: Reading,
        part: Part,
        products: list[str],
        place: tuple[int, int],
    ) -> Deliverable:
        """Make the deliverable of one part of the time; `place`: its number, of how many."""
        head = self.head
        rule = rules.rule(part, self.year)
        if "within" in rule and head.last_year and part.due:
            del rule["within"]  # it would come each year
            rule = {"due": part.due[-1], **rule}
        one = Deliverable(
            name="",
            product=_product_for(part, products, *place) or part.label,
            phrase=one_line(phrase, MAX_PHRASE) or NO_PHRASE,
            rule=rule,
        )
        if (reading.ask or reading.mended) and not one.is_flagged:
            rule["assumed"] = True
        return one

    def _short_title(self, full: str) -> str:
        if self.like is not None:
            best, score = "", 0.0
            for old in self.like.tasks:
                for known in (old.title, old.full_title):
                    if known and (found := fuzz.token_set_ratio(plain(known), plain(full))) > score:
                        best, score = old.title, found
            if score >= 90:
                return best
        return short_title(full)

    def _questions(self, task: Task, passage: Passage, read: list[tuple[Reading, Part]]) -> None:
        """Ask about each day that the document does not name clearly."""
        for number, (one, (reading, part)) in enumerate(
            zip(task.deliverables, read, strict=True), start=1
        ):
            days = ", ".join(day.isoformat() for day in part.due or part.proposed)
            why = f" ({reading.why})" if reading.why else ""
            choices = [days] if days else []
            if reading.mended:
                ask = f"Văn bản ghi “{reading.mended}”, có thể nhận dạng sai: hạn này đúng chưa?"
                self._add("ocr", ask, task, number, text=one.phrase, choices=choices)
            elif one.rule.get("kind") == "check-in":
                continue
            elif one.rule.get("assumed"):
                ask = f"Văn bản không ghi rõ ngày{why}: hạn là ngày nào?"
                self._add("date", ask, task, number, text=one.phrase, choices=choices)
            elif reading.ask and part.kind not in (Kind.EXTERNAL, Kind.EVENT):
                ask = f"Văn bản không ghi thời gian{why}: hạn là ngày nào, hay việc thường xuyên?"
                choices = ["check-in", "awaiting"]
                self._add("date", ask, task, number, text=one.phrase, choices=choices)
        if not task.lead:
            ask = "Việc này chưa rõ ai chủ trì: bộ phận nào?"
            self._add("unit", ask, task, text=passage.text)
        for change in passage.changes:
            if change.deleted.strip() or change.inserted.strip():
                words = f"đã sửa trong văn bản: “{change.deleted}” thành “{change.inserted}”"
                place, code = task.source, task.code
                self.notes.append(Note(place=place, text=one_line(words, 300), task=code))

    def _add(
        self,
        kind: str,
        ask: str,
        task: Task | None = None,
        deliverable: int = 0,
        *,
        text: str = "",
        choices: Iterable[str] = (),
        unit: str = "",
        place: str = "",
    ) -> None:
        self.questions.append(
            Question(
                id=f"q{len(self.questions) + 1}",
                kind=kind,
                ask=ask,
                place=place or (task.source if task else ""),
                text=one_line(text, 300),
                task=task.code if task else "",
                deliverable=deliverable,
                unit=unit,
                choices=list(choices),
            )
        )

    # --- the draft as a whole

    def _contradictions(self) -> None:
        """Two places that name one piece of work and different days: both are flagged."""
        prose = [m for m in self.made if not m.passage.in_table]
        tables = [m for m in self.made if m.passage.in_table]
        by_word: dict[str, list[_Made]] = {}
        for made in prose:
            for word in _title_words(made):
                by_word.setdefault(word, []).append(made)
        for made in tables:
            own = _title_words(made)
            shared = Counter(id(other) for word in own for other in by_word.get(word, ()))
            near = {id(m): m for word in own for m in by_word.get(word, ())}
            for key, count in shared.most_common(3):
                other = near[key]
                less = min(len(own), len(_title_words(other)))
                if less < 3 or count < 0.8 * less or not _same_units(made.task, other.task):
                    continue
                self._compare(other, made)
                break

    def _compare(self, first: _Made, second: _Made) -> None:
        if first.days == second.days:
            return
        for one in (*first.task.deliverables, *second.task.deliverables):
            if not one.is_flagged:
                one.rule["assumed"] = True
        texts = [f"“{m.task.deliverables[0].phrase}”" for m in (first, second)]
        choices = [", ".join(d.isoformat() for d in sorted(m.days)) for m in (first, second)]
        self._add(
            "contradiction",
            f"Hai chỗ trong văn bản nói khác nhau: {texts[0]} và {texts[1]} "
            f"(việc {first.task.code} và {second.task.code}). Theo chỗ nào?",
            first.task,
            text=f"{first.task.title} / {second.task.title}",
            choices=[c for c in choices if c],
            place=f"{first.task.source}; {second.task.source}",
        )

    def _school_days(self, draft: Draft) -> None:
        """Let the plan go from September to May, and as far as its days do."""
        year = self.head.year
        days = {day for made in self.made for day in made.days}
        near = {day for day in days if date(year, 6, 1) <= day <= date(year + 1, 8, 31)}
        draft.first_day = min({date(year, 9, 1), *near})
        draft.last_day = max({date(year + 1, 5, 31), *near})

    def _ask(self, draft: Draft) -> None:
        """Ask what concerns the whole plan: “trước ngày”, the units, the office."""
        if any(one.rule.get("before") for task in draft.tasks for one in task.deliverables):
            draft.before = "day-before"
            self._add(
                "before",
                "Văn bản ghi “trước ngày D”: hạn cuối là ngày D−1 hay chính ngày D?",
                choices=["day-before", "same-day"],
            )
        if self.like is not None:
            draft.office, draft.leaders = self.like.office, self.like.leaders
            known = {u.id: plain(u.name) for u in draft.units if u.id in self.units.known}
            for unit in draft.units:
                if unit.id not in self.units.known:
                    near = sorted(
                        known, key=lambda k: -fuzz.token_set_ratio(known[k], plain(unit.name))
                    )
                    self._add(
                        "unit",
                        f"Bộ phận “{unit.name}” chưa có trong kế hoạch trước: là bộ phận nào?",
                        text=unit.name,
                        choices=[*near[:3], "new"],
                        unit=unit.id,
                    )
            return
        draft.office = _office(draft)
        draft.leaders = _leaders(draft)
        for task in draft.tasks:
            if task.full_title:
                self._add(
                    "title",
                    "Tên rút gọn này được chưa?",
                    task,
                    text=task.full_title,
                    choices=[task.title],
                )


def _office(draft: Draft) -> str:
    """Return the unit that follows the plan: a “Văn phòng”, else the one that leads most."""
    for unit in draft.units:
        if plain(unit.name).startswith("van phong"):
            return unit.id
    leads = Counter(unit for task in draft.tasks for unit in task.lead)
    return leads.most_common(1)[0][0] if leads else ""


def _leaders(draft: Draft) -> str:
    for unit in draft.units:
        if plain(unit.name).startswith(("lanh dao", "ban giam hieu", "chu tich", "ban giam doc")):
            return unit.id
    unit = Unit(id="lanh-dao", name="Lãnh đạo")
    draft.units.append(unit)
    return unit.id


def is_report(passage: Passage) -> bool:
    """Return whether a passage of the part on how to organise is the office's own report."""
    return passage.is_report and "bao cao" in plain(passage.text)


def _one_report(passages: list[Passage]) -> list[Passage]:
    """Keep the last of the office's own reports; its code is BC."""
    last = next((p for p in reversed(passages) if is_report(p)), None)
    return [p for p in passages if p is last or not is_report(p)]


_WIDTHS = (
    *((Kind.DATE, Kind.DATE_RANGE), (Kind.EVENT, Kind.EXTERNAL), (Kind.PERIODIC,)),
    *((Kind.MONTH,), (Kind.QUARTER,), (Kind.YEAR,), (Kind.ONGOING,)),
)


def _width(reading: Reading) -> int:
    """Return how much time a reading spans: the smaller, the more it says."""
    widths = []
    for part in reading.parts:
        found = (n for n, kinds in enumerate(_WIDTHS) if part.kind in kinds)
        widths.append(next(found, 1 if part.fuzzy else len(_WIDTHS)))
    return max(widths)


def _first_of_month(reading: Reading) -> date | None:
    part = reading.parts[0]
    return part.start if part.kind is Kind.MONTH else None


# --- codes


def make_codes(passages: Sequence[Passage]) -> list[tuple[str, str]]:
    """Return each task's code, unique in the plan, and the code as the document writes it.

    The code is the shortest end of the path that no other task has: 1a, else II.1a.
    """
    paths = _numbered(passages)
    made: list[str] = []
    for depth in range(1, 5):
        made = [
            _code(path, depth + (len(path) > len(passage.path) > 0))  # a made-up number
            for path, passage in zip(paths, passages, strict=True)
        ]
        if len(set(made)) == len(made):
            break
    wanted, taken = set(made), set[str]()
    numbers = (c for size in (1, 2, 3) for c in product(range(1, 100), repeat=size))
    spare = (".".join(map(str, pieces)) for pieces in numbers)
    codes = []
    for passage, code in zip(passages, made, strict=True):
        near = (code, *(f"{code}.{n}" for n in range(2, 10)))
        good = (c for c in near if CODE.fullmatch(c) and c not in taken)
        given = "BC" if is_report(passage) else next(good, "")
        given = given or next(c for c in spare if c not in taken and c not in wanted)
        taken.add(given)
        codes.append((given, passage.path[-1] if passage.path else ""))
    return codes


def _numbered(passages: Sequence[Passage]) -> list[tuple[str, ...]]:
    """Return the paths, with a number for each task that the document writes no label for."""
    counts = Counter(p.path for p in passages)
    seen: Counter[tuple[str, ...]] = Counter()
    paths = []
    for passage in passages:
        seen[passage.path] += 1
        bare = counts[passage.path] > 1 or not passage.path
        paths.append((*passage.path, str(seen[passage.path])) if bare else passage.path)
    return paths


def _code(path: tuple[str, ...], depth: int) -> str:
    """Return the last `depth` labels of a path as a code; a letter needs the number before it."""
    start = len(path) - 1
    while start > 0 and re.fullmatch(r"[a-zđ]", path[start]):
        start -= 1
    pieces: list[str] = []
    for label in path[max(0, start - depth + 1) :]:
        whole = label.split(".")
        if pieces and len(whole) > len(pieces) and whole[: len(pieces)] == pieces:
            pieces = whole  # 1.1 under 1
        elif pieces and whole[0] == pieces[-1] and len(whole) > 1:
            pieces += whole[1:]
        else:
            pieces += whole
    if len(pieces) > 1 and re.fullmatch(r"[a-zđ]", pieces[-1]) and pieces[-2].isdigit():
        pieces[-2:] = [pieces[-2] + pieces[-1]]
    return ".".join(pieces)


# --- titles and products

_LEAD_INS = re.compile(
    r"(?:(?:tiếp tục|tập trung|chủ động|tích cực|tham mưu(?: ubnd (?:phường|xã)"
    r"| cho ubnd (?:phường|xã))?"
    r"|triển khai(?: thực hiện)?(?: có hiệu quả)?|thực hiện(?: tốt| việc| có hiệu quả)?"
    r"|đẩy mạnh|tăng cường)(?: thực hiện)?[,]?\s+)+",
    re.IGNORECASE,
)
_TAILS = re.compile(
    r"\s*(?:\([^)]*\)|,?\s*(?:theo|tại|căn cứ|thực hiện) (?:đúng )?(?:quy định|nghị định"
    r"|quyết định|thông tư|luật|nghị quyết|chỉ thị"
    r"|kế hoạch số|công văn|hướng dẫn|điều \d).*$|,?\s*(?:nhằm|để|góp phần|bảo đảm|đảm bảo"
    r"|tạo điều kiện) .*$)",
    re.IGNORECASE,
)
_LOOSE = words(
    "và của với các cho về theo tại trong trên để những việc là do từ đến thuộc có được hoặc "
    "bằng cùng bởi một kỳ năm số khoản điều giai đoạn"
)
_LOOSE_WORD = re.compile(rf"\s(?:{'|'.join(sorted(_LOOSE))})(?=\s)")


def short_title(full: str) -> str:
    """Return a title of at most MAX_TITLE characters: the core of the first sentence."""
    if len(full) <= MAX_TITLE:
        return full
    text = re.split(r"(?<=\w{3})[.;:]\s", full, maxsplit=1)[0]
    if len(text) < SHORTEST_TITLE:  # a heading before a colon
        text = full
    for shorten in (_without_tails, _without_lead_in):
        if len(text) <= MAX_TITLE:
            break
        text = shorten(text)
    return _cut(text, MAX_TITLE)


def _without_tails(text: str) -> str:
    short = _TAILS.sub("", text).strip(" ,;")
    return short if len(short) >= 15 else text


def _without_lead_in(text: str) -> str:
    found = _LEAD_INS.match(text)
    rest = text[found.end() :] if found else text
    return rest[:1].upper() + rest[1:] if len(rest) >= 15 else text


def _cut(text: str, longest: int) -> str:
    """Return `text` cut at a word, not after a word that needs another."""
    if len(text) <= longest:
        return text
    kept = text[: longest + 1].rsplit(" ", 1)[0]
    comma = max(kept.rfind(","), kept.rfind(";"))
    if comma > longest // 2:
        kept = kept[:comma]
    elif loose := [m.start() for m in _LOOSE_WORD.finditer(kept) if m.start() > 0.6 * longest]:
        kept = kept[: loose[-1]]
    parts = kept.split()
    while len(parts) > 2 and parts[-1].casefold().strip(",;") in _LOOSE:
        parts.pop()
    return " ".join(parts).strip(" ,;:–-(")[:longest]


def _full_title(text: str, passage: Passage) -> str:
    title = squeeze(text).strip(" .;,:")
    return one_line(title or passage.body or "(không tên)", 1000)


def split_products(values: Sequence[str]) -> list[str]:
    """Return the products in a field or a cell: “- Kế hoạch; báo cáo” are two."""
    products = []
    for value in values:
        for piece in re.split(r"\s*;\s*|\n", value):
            cleaned = re.sub(r"^[-+*•–]\s*", "", piece.strip()).strip(" .;,")
            if cleaned:
                products.append(cleaned)
    return products


def _product_for(part: Part, products: list[str], number: int, count: int) -> str:
    """Return the product that a part of the time is of: by its label, else in the order written."""
    if not products:
        return ""
    if part.label:
        own = set(plain(part.label).split())
        best = max(products, key=lambda p: len(own & set(plain(p).split())) / (1 + 0.01 * len(p)))
        if own & set(plain(best).split()):
            return best
    if count == 1 or len(products) == 1:
        return "; ".join(products)
    return products[min(number, len(products) - 1)]


def _name_all(task: Task, products: list[str]) -> None:
    """Give each deliverable a short name, unique in its task; no product is left out."""
    named = " ".join(plain(one.product) for one in task.deliverables)
    missing = [p for p in products if plain(p) not in named]
    if missing and task.deliverables:
        first = task.deliverables[0]
        first.product = "; ".join(filter(None, [first.product, *missing]))
    seen: Counter[str] = Counter()
    for one in task.deliverables:
        name = _cut(one.product.split(";")[0], MAX_NAME)
        if one.rule.get("kind") == "check-in" and not one.product:
            name = "Cập nhật"
        elif one.rule.get("kind") == "report" or task.code == "BC":
            name = {
                "quarter": "Báo cáo quý",
                "half-year": "Báo cáo 6 tháng",
                "year": "Báo cáo năm",
            }.get(one.rule.get("every", ""), "Báo cáo")
        name = name or "Kết quả"
        seen[name.casefold()] += 1
        if seen[name.casefold()] > 1:
            name = f"{name[: MAX_NAME - 3]} {seen[name.casefold()]}"
        one.name = name
        one.product = _cut(one.product or task.title, MAX_PRODUCT)


# --- small helpers


_COMMON = words("va cua cac cho ve tai theo to chuc xay dung thuc hien gui viec lap ban hanh")


def _title_words(made: _Made) -> frozenset[str]:
    words = re.findall(r"\w+", plain(made.task.full_title or made.task.title))
    return frozenset(words) - _COMMON


def _same_units(first: Task, second: Task) -> bool:
    return bool(set(first.lead) & set(second.lead)) or not first.lead or not second.lead
