"""What a person answers about a draft → the draft changed, with who answered and when."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from itertools import count

from reminder.domain.calendar import local_day, vn_date
from reminder.domain.errors import FileError, Problem, ReminderError
from reminder.domain.plan import MAX_TITLE, MAX_UNIT, Plan
from reminder.domain.text import fold, one_line, squeeze
from reminder.files.plan import YEARS_BEHIND, load_plan
from reminder.files.toml import Text, unused_id
from reminder.importing.draft import (
    NO_PHRASE,
    Deliverable,
    Draft,
    Leftover,
    Note,
    Question,
    Task,
    Unit,
    dumps,
)

BLOCKING = frozenset({"unit", "contradiction", "ocr"})  # without an answer there is no plan
CHECK_IN = {"every": "quarter", "day": 10, "kind": "check-in"}
_YES = frozenset(["yes", "y", "co", "c", "dung", "ok"])
_DAY = re.compile(r"(?:(\d{4})-(\d{1,2})-(\d{1,2}))|(?:(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}))?)")
_CORRECTED = {"unit": "Bộ phận chủ trì.", "title": "Tên rút gọn.", "date": "Thời hạn."}


class AnswerError(ReminderError):
    """An answer that can't be read, or does not fit its question."""


def open_questions(draft: Draft) -> list[Question]:
    """Return the questions without an answer; those that hinder a plan first."""
    still = [question for question in draft.questions if not question.answer]
    return sorted(still, key=lambda question: question.kind not in BLOCKING)


def hindrances(draft: Draft) -> list[str]:
    """Return what has to be answered before the draft can be a plan."""
    still = open_questions(draft)
    found = [f"{question.id}: {question.ask}" for question in still if question.kind in BLOCKING]
    asked = {question.task for question in still if question.kind == "unit"}
    return found + [
        f"việc {task.code} chưa có bộ phận chủ trì"
        for task in draft.tasks
        if not task.lead and task.code not in asked
    ]


def answer_question(draft: Draft, question_id: str, answer: str, by: str, at: str) -> None:
    """Change the draft as `answer` says; raise AnswerError, and nothing changed, if it can't be."""
    question = next((q for q in draft.questions if q.id == question_id), None)
    if question is None:
        raise AnswerError(f"không có câu hỏi “{one_line(question_id, 40)}”")
    if question.answer and (question.unit or question.kind == "contradiction"):
        raise AnswerError(f"câu hỏi {question.id} đã trả lời “{question.answer}”: sửa trong tệp")
    _take(draft, question, answer, by, at)


def _take(draft: Draft, question: Question, answer: str, by: str, at: str) -> None:
    taken = _TAKERS[question.kind](draft, question, squeeze(answer))
    question.answer, question.by, question.at = taken, one_line(by, 100), at


def correct_task(
    draft: Draft, kind: str, task: Task, answer: str, by: str, at: str, deliverable: int = 0
) -> None:
    """Change who leads a task, its title, or the days of a deliverable, as `answer_question` does.

    `kind` is “unit”, “title” or “date”. The question about it is answered; where the document left
    none open, one is made, so that who corrected what is kept.
    """
    kinds = ("date", "ocr") if kind == "date" else (kind,)
    asked = next(
        (
            question
            for question in draft.questions
            if question.kind in kinds
            and (question.task, question.deliverable) == (task.code, deliverable)
        ),
        None,
    )
    if asked is not None:
        _take(draft, asked, answer, by, at)
        return
    numbers = [int(q.id[1:]) for q in draft.questions if re.fullmatch(r"q\d+", q.id)]
    one = task.deliverables[deliverable - 1] if deliverable else None
    made = Question(
        id=f"q{max(numbers, default=0) + 1}",
        kind=kind,
        ask=_CORRECTED[kind],
        place=(one.source if one else "") or task.source,
        text=one.phrase if one else "",
        task=task.code,
        deliverable=deliverable,
    )
    _take(draft, made, answer, by, at)
    draft.questions.append(made)


def drop_task(draft: Draft, task: Task, by: str, at: str) -> None:
    """Take a task out of the draft; its text stays among what may be one, with who did it."""
    draft.tasks.remove(task)
    draft.questions = [question for question in draft.questions if question.task != task.code]
    why = f"{one_line(by, 100)} bỏ khỏi các việc ngày {_day_of(at)}"
    draft.leftovers.append(Leftover(place=task.source, text=task.full_title or task.title, why=why))


def set_aside(draft: Draft, leftover: Leftover, by: str, at: str) -> None:
    """Take a passage away that is no task; a note keeps who said so."""
    draft.leftovers.remove(leftover)
    words = f"{by} xem ngày {_day_of(at)}, không phải việc: {leftover.text}"
    draft.notes.append(Note(place=leftover.place, text=one_line(words, 300)))


def take_up(
    draft: Draft, leftover: Leftover, title: str, lead: str, days: str, by: str, at: str
) -> Task:
    """Make a task of a passage; AnswerError, and nothing changed, if a field can't be."""
    title = _title(title)
    if days:
        days_in(days, draft)
    codes = {task.code for task in draft.tasks}
    one = Deliverable(name="Kết quả", product=title, phrase=NO_PHRASE, rule={"awaiting": True})
    task = Task(
        code=next(code for n in count(1) if (code := f"B.{n}") not in codes),
        title=title,
        full_title=leftover.text if leftover.text != title else "",
        section=draft.tasks[-1].section if draft.tasks else next(iter(draft.sections), ""),
        deliverables=[one],
        source=leftover.place,
    )
    draft.tasks.append(task)
    try:
        correct_task(draft, "unit", task, lead, by, at)
    except AnswerError:
        draft.tasks.remove(task)
        raise
    if days:
        correct_task(draft, "date", task, days, by, at, deliverable=1)
    draft.leftovers.remove(leftover)
    return task


def _day_of(at: str) -> str:
    """Return the day of an answer, as people write it."""
    return vn_date(local_day(datetime.fromisoformat(at)), year=True)


def _take_unit(draft: Draft, question: Question, answer: str) -> str:
    if not question.unit:
        return _take_lead(draft, draft.task(question.task), answer)
    if fold(answer) in ("new", "moi"):
        return "new"
    known = _known_unit(draft, answer)
    if known is None or known.id == question.unit:
        names = ", ".join(unit.id for unit in draft.units if unit.id != question.unit)
        raise AnswerError(f"không có bộ phận “{one_line(answer, 60)}”. Có: {names}; hoặc gõ new")
    _merge(draft, draft.unit(question.unit), known)
    return known.id


def _take_lead(draft: Draft, task: Task, answer: str) -> str:
    """Set who leads a task; a unit that is not known yet is a new one."""
    names = [
        name.strip()
        for part in answer.split(";")
        for name in ([part] if _known_unit(draft, part) else part.split(","))
        if name.strip()
    ]
    if not names or fold(answer) in ("new", "moi"):
        raise AnswerError("xin gõ tên bộ phận chủ trì")
    found = []
    for name in names:
        unit = _known_unit(draft, name)
        if unit is None:
            taken = {unit.id for unit in draft.units}
            unit = Unit(id=unused_id(name, taken, "bo-phan"), name=one_line(name, MAX_UNIT))
            draft.units.append(unit)
        found.append(unit)
    task.lead = list(dict.fromkeys(unit.id for unit in found))
    task.support = [unit for unit in task.support if unit not in task.lead]
    return "; ".join(unit.name for unit in found)


def _known_unit(draft: Draft, text: str) -> Unit | None:
    for unit in draft.units:
        names = (unit.id, unit.name, unit.short, *unit.spellings)
        if fold(text) in {fold(name) for name in names if name}:
            return unit
    return None


def _merge(draft: Draft, gone: Unit, kept: Unit) -> None:
    """Let `kept` take the place of `gone`, whose names become its spellings."""
    names = {fold(name) for name in (kept.name, kept.short, *kept.spellings)}
    kept.spellings += [n for n in (gone.name, *gone.spellings) if fold(n) not in names]
    draft.units.remove(gone)
    for task in draft.tasks:
        task.lead = _replaced(task.lead, gone.id, kept.id)
        support = _replaced(task.support, gone.id, kept.id)
        task.support = [unit for unit in support if unit not in task.lead]
    draft.office = kept.id if draft.office == gone.id else draft.office
    draft.leaders = kept.id if draft.leaders == gone.id else draft.leaders
    for question in draft.questions:
        question.choices = _replaced(question.choices, gone.id, kept.id)


def _replaced(ids: Sequence[str], old: str, new: str) -> list[str]:
    return list(dict.fromkeys(new if unit == old else unit for unit in ids))


def _take_date(draft: Draft, question: Question, answer: str) -> str:
    """Confirm the days as they stand, name others, or leave them to the office."""
    task = draft.task(question.task)
    number = question.deliverable
    mine = task.deliverables[number - 1 : number] if number else task.deliverables
    word = fold(answer)
    if word in _YES:
        if any(one.rule.get("awaiting") for one in mine):
            raise AnswerError("chưa có ngày nào để đồng ý: xin gõ ngày, awaiting hoặc check-in")
        for one in mine:
            one.rule.pop("assumed", None)
        return "yes"
    if word == "awaiting":
        for one in mine:
            event = {"event": one.rule["event"]} if "event" in one.rule else {}
            one.rule = {"awaiting": True, **event}
        return "awaiting"
    if word == "check-in":
        others = [one for one in task.deliverables if one not in mine]
        if len(mine) > 1 or any(one.rule.get("kind") == "check-in" for one in others):
            raise AnswerError("mỗi việc chỉ có một mục cập nhật (check-in): xin gõ ngày")
        mine[0].rule = dict(CHECK_IN)
        return "check-in"
    if found := re.fullmatch(r"ngay (\d{1,2})", word):
        return _take_day(mine, int(found[1]))
    days = days_in(answer, draft)
    for one in mine:
        one.rule = _on(days)
    return ", ".join(day.isoformat() for day in days)


def _take_day(mine: Sequence[Deliverable], day: int) -> str:
    """Set the day of each period, as in “ngày 25” for “hằng tháng”."""
    if not 1 <= day <= 31 or not all("every" in one.rule for one in mine):
        raise AnswerError("“ngày 25” chỉ dùng cho việc lặp lại mỗi kỳ: xin gõ ngày như 31/12")
    for one in mine:
        kept = {k: v for k, v in one.rule.items() if k not in ("assumed", "times")}
        one.rule = {**kept, "day": day}
    return f"ngày {day}"


def _on(days: Sequence[date]) -> dict[str, object]:
    return {"due": days[0] if len(days) == 1 else list(days)}


def _take_contradiction(draft: Draft, question: Question, answer: str) -> str:
    """Follow one of two passages about one piece of work, whose second task is dropped."""
    first = draft.task(question.task)
    _, _, place = question.place.partition("; ")
    second = next((t for t in draft.tasks if t.source == place and t is not first), None)
    if fold(answer) == "both":
        for task in filter(None, (first, second)):
            _firm(draft, task)
        return "both"
    days = days_in(answer, draft)
    taken = ", ".join(day.isoformat() for day in days)
    if second is not None and taken == days_of(second.deliverables):
        first.deliverables = second.deliverables
    if taken != days_of(first.deliverables):
        for one in first.deliverables:
            one.rule = _on(days)
    _firm(draft, first)
    if second is not None:
        draft.tasks.remove(second)
        draft.questions = [q for q in draft.questions if q.task != second.code]
    return taken


def days_of(deliverables: Iterable[Deliverable]) -> str:
    """Return the due days that are written out, as a `contradiction` question offers them."""
    days: set[date] = set()
    for one in deliverables:
        due = one.rule.get("due", [])
        days.update(due if isinstance(due, list) else [due])
    return ", ".join(day.isoformat() for day in sorted(days))


def _firm(draft: Draft, task: Task) -> None:
    """Take away the flags that the contradiction put up, and no other question needs."""
    asked = {
        question.deliverable
        for question in open_questions(draft)
        if question.task == task.code and question.kind in ("date", "ocr")
    }
    for number, one in enumerate(task.deliverables, start=1):
        if number not in asked:
            one.rule.pop("assumed", None)


def _take_before(draft: Draft, _question: Question, answer: str) -> str:
    if answer not in ("day-before", "same-day"):
        raise AnswerError("xin chọn day-before (hạn là hôm trước) hoặc same-day (đúng ngày ấy)")
    draft.before = answer
    return answer


def _title(text: str) -> str:
    title = one_line(text, 1000)
    if not title or len(title) > MAX_TITLE:
        raise AnswerError(f"tên dài {len(title)} ký tự: xin ghi từ 1 đến {MAX_TITLE}")
    return title


def _take_title(draft: Draft, question: Question, answer: str) -> str:
    task = draft.task(question.task)
    if fold(answer) in _YES:
        return task.title
    title = _title(answer)
    task.full_title = task.full_title or task.title
    task.title = title
    return title


_TAKERS = {
    "unit": _take_unit,
    "date": _take_date,
    "ocr": _take_date,
    "contradiction": _take_contradiction,
    "before": _take_before,
    "title": _take_title,
}


def days_in(text: str, draft: Draft) -> list[date]:
    """Return the days in “31/3, 30/6/2027” in order; raise AnswerError if it has anything else."""
    rest = _DAY.sub("", text)
    if not _DAY.search(text) or re.sub(r"\bva\b|[\s,;.]", "", fold(rest)):
        raise AnswerError(
            f"“{one_line(text, 40)}” không phải ngày: xin gõ như 31/12 hoặc 31/12/{draft.year}"
        )
    return sorted({_day(found, draft) for found in _DAY.finditer(text)})


def _day(found: re.Match[str], draft: Draft) -> date:
    year, month, day = (
        (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
    )
    number = int(year) if year else draft.year
    if not year and draft.first_day and int(month) < draft.first_day.month:
        number += 1
    last = (draft.last_year or draft.year) + YEARS_BEHIND
    try:
        made = date(number, int(month), int(day))
    except ValueError:
        raise AnswerError(f"không có ngày {found[0]}") from None
    if not draft.year - 1 <= made.year <= last:
        raise AnswerError(f"ngày {found[0]} ở xa năm {draft.year} của kế hoạch")
    return made


def carry_over(old: Draft, new: Draft) -> None:
    """Answer the questions of `new` as those of `old` about the same text were answered."""
    unused = {question.id: _key(new, question) for question in new.questions}
    for question in old.questions:
        key = _key(old, question)
        match = next((id_ for id_, other in unused.items() if other == key), None)
        if question.answer and match is not None:
            del unused[match]
            with suppress(AnswerError, KeyError):
                answer_question(new, match, question.answer, question.by, question.at)


def is_another(old: Draft, new: Draft) -> bool:
    """Return whether `new` is of another document: it has no task of `old`."""
    titles = {task.title for task in old.tasks}
    return bool(titles) and titles.isdisjoint(task.title for task in new.tasks)


def lost(old: Draft, new: Draft) -> list[Question]:
    """Return the questions of `old` whose answers `carry_over` did not keep."""
    kept = Counter((q.kind, q.text, q.answer, q.by, q.at) for q in new.questions if q.answer)
    gone = []
    for question in old.questions:
        mark = (question.kind, question.text, question.answer, question.by, question.at)
        if question.answer and not kept[mark]:
            gone.append(question)
        kept[mark] -= 1
    return gone


def _key(draft: Draft, question: Question) -> tuple[object, ...]:
    """Return what makes a question the same in another version of the document."""
    task = draft.task_of(question)
    title = (task.full_title or task.title) if task is not None else ""
    named = "" if question.kind in ("contradiction", "before") else fold(title)
    days = tuple(question.choices) if question.kind == "contradiction" else ()
    return (question.kind, named, question.deliverable, fold(question.text), days)


def as_plan(draft: Draft, *, lenient: bool = False) -> Plan:
    """Return the draft as a plan; raise FileError with all its faults.

    `lenient` lets a task that nobody leads yet be led by the office.
    """
    if lenient:
        office = draft.office or (draft.units[0].id if draft.units else "")
        tasks = [task if task.lead else replace(task, lead=[office]) for task in draft.tasks]
        draft = replace(draft, tasks=tasks)
    where = draft.document or "bản nháp"
    try:
        return load_plan(Text(where, dumps(draft, open_tables=False)))
    except FileError as error:
        # The lines are those of a text that nobody sees.
        faults = dict.fromkeys(problem.message for problem in error.problems)
        raise FileError([Problem(where, None, fault) for fault in faults]) from None
