"""What a draft says of its days, and how many of each kind there are, in Vietnamese."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from reminder.domain.calendar import Period, vn_date
from reminder.importing.answers import open_questions
from reminder.importing.draft import Deliverable, Draft, Question, Task
from reminder.importing.readings import OFFSETS

_CYCLES = {"month": "tháng", "quarter": "quý", "half-year": "6 tháng", "year": "năm"}
_WEEKDAYS = {
    "MO": "thứ Hai",
    "TU": "thứ Ba",
    "WE": "thứ Tư",
    "TH": "thứ Năm",
    "FR": "thứ Sáu",
    "SA": "thứ Bảy",
    "SU": "Chủ nhật",
}
ALL = "tất cả"  # answers every open question of a kind as it stands
_ANSWERS = {
    ALL: "dùng mọi tên rút gọn còn lại như máy đề xuất",
    "new": "bộ phận mới, giữ tên này",
    "awaiting": "chưa định được: Văn phòng định sau",
    "check-in": "việc thường xuyên: chỉ hỏi tình hình mỗi quý",
    "both": "hai việc khác nhau: giữ cả hai",
    "day-before": "“trước ngày D” là hạn cuối D−1",
    "same-day": "“trước ngày D” là hạn cuối ngày D",
}
_TO_ALL = (  # the kind of question, the answer, and its words
    ("date", "yes", "mọi hạn còn lại đúng như máy hiểu"),
    ("title", "yes", "mọi tên rút gọn còn lại như máy đề xuất"),
    ("unit", "new", "mọi bộ phận còn lại là bộ phận mới, giữ tên này"),
)
_MOST_UNITS = 15  # that are offered to lead a task
_MOST_DAYS = 4  # that are named one by one
_CLASSES = {  # of a task, the least certain last → how they are counted
    "literal": "hạn có trong văn bản",
    "period": "cuối kỳ",
    "check-in": "việc thường xuyên",
    "assumed": "dự kiến",
    "awaiting": "chưa có hạn",
}


def class_of(task: Task) -> str:
    """Return which kind of day the least certain of the task's days is."""
    order = list(_CLASSES)
    return max(
        (class_of_deliverable(one) for one in task.deliverables),
        key=order.index,
        default="awaiting",
    )


def class_of_deliverable(one: Deliverable) -> str:
    """Return which kind of day a deliverable has."""
    rule = one.rule
    if rule.get("awaiting"):
        return "awaiting"
    if rule.get("kind") == "check-in":
        return "check-in"
    if rule.get("assumed") or rule.get("times"):
        return "assumed"
    return "literal" if "due" in rule or "rrule" in rule or "day" in rule else "period"


def counts(draft: Draft) -> str:
    """Return “14 việc: 8 hạn có trong văn bản, 3 cuối kỳ, …”, and what else is open."""
    found = Counter(map(class_of, draft.tasks))
    kinds = ", ".join(f"{found[key]} {words}" for key, words in _CLASSES.items() if found[key])
    asked = Counter(question.kind for question in open_questions(draft))
    more = [
        (len(draft.leftovers), "đoạn có thể là việc nhưng chưa lấy"),
        (asked["unit"], "bộ phận chưa biết"),
        (asked["contradiction"], "chỗ mâu thuẫn"),
        (asked["ocr"], "chỗ có thể nhận dạng sai"),
    ]
    head = f"{len(draft.tasks)} việc: {kinds}" if kinds else "0 việc"
    return "; ".join([head, *(f"{number} {words}" for number, words in more if number)])


def understood(one: Deliverable, draft: Draft) -> str:
    """Return what was understood of a deliverable's time."""
    rule = one.rule
    if rule.get("awaiting"):
        return _awaiting(rule)
    words = _days(rule, draft) if "due" in rule else _within(rule, draft) or _cycle(rule)
    if "from" in rule:
        words = f"từ {vn_date(rule['from'])} – {words}"
    if rule.get("before") and "due" not in rule:
        same = draft.before == "same-day"
        words += f" (văn bản ghi “trước”: hạn là {'chính' if same else 'hôm trước'} ngày ấy)"
    if rule.get("kind") == "check-in":
        return f"việc thường xuyên, hỏi tình hình {words}"
    return f"dự kiến {words}" if rule.get("assumed") else words


def _awaiting(rule: dict[str, Any]) -> str:
    event = rule.get("event")
    if not event:
        return "chưa có hạn: Văn phòng định sau"
    offset = int(event.get("offset", 0))
    unit = OFFSETS.get(event.get("unit", "day"), "ngày")
    when = "sau" if offset >= 0 else "trước"
    name = event.get("name", "sự kiện")
    return f"{abs(offset)} {unit} {when} khi {name}: chờ Văn phòng báo ngày ấy"


def _days(rule: dict[str, Any], draft: Draft) -> str:
    due = rule["due"]
    days: list[date] = due if isinstance(due, list) else [due]
    written = _listed(days, draft)
    if not rule.get("before"):
        return f"hạn {written}"
    if draft.before != "same-day":
        days = [day - timedelta(days=1) for day in days]
    return f"trước {written}: hạn {_listed(days, draft)}"


def _listed(days: Sequence[date], draft: Draft) -> str:
    years = {day.year for day in days}
    shown = [vn_date(day, year=years != {draft.year}) for day in days[:_MOST_DAYS]]
    more = f" … ({len(days)} ngày)" if len(days) > _MOST_DAYS else ""
    return ", ".join(shown) + more


def _within(rule: dict[str, Any], draft: Draft) -> str:
    word = rule.get("within")
    if not word:
        return ""
    try:
        named = f"{draft.year}" if word == "year" else f"{draft.year}-{word}"
        period = Period.parse(word if re.match(r"\d{4}", word) else named)
    except ValueError:
        return f"trong {word}"
    if draft.first_day and period.last < draft.first_day:
        period = Period.parse(period.id.replace(str(draft.year), str(draft.year + 1), 1))
    return f"cuối {period.name}, hạn {vn_date(period.last, year=True)}"


def _cycle(rule: dict[str, Any]) -> str:
    if "rrule" in rule:
        return _repeated(str(rule["rrule"]))
    cycle = str(rule.get("every", ""))
    name = _CYCLES.get(cycle, cycle)
    if "times" in rule:
        return f"{rule['times']} lần mỗi {name}"
    day = f"ngày {rule['day']}" if "day" in rule else "ngày cuối"
    if cycle == "month":
        where = ""
    elif "month" in rule:
        where = f" tháng thứ {rule['month']} của kỳ"
    else:
        where = " tháng cuối kỳ"
    if rule.get("following"):
        where = " tháng sau kỳ ấy"
    only = f" (chỉ {', '.join(rule['only'])})" if "only" in rule else ""
    return f"hằng {name}, {day}{where}{only}"


def _repeated(rule: str) -> str:
    parts = dict(part.split("=", 1) for part in rule.split(";") if "=" in part)
    name = {"WEEKLY": "tuần", "MONTHLY": "tháng", "DAILY": "ngày", "YEARLY": "năm"}.get(
        parts.get("FREQ", ""), ""
    )
    each = f"hằng {name}" if parts.get("INTERVAL", "1") == "1" else f"cứ {parts['INTERVAL']} {name}"
    on = [_weekday(day) for day in parts.get("BYDAY", "").split(",") if day]
    on += [
        "ngày cuối" if day == "-1" else f"ngày {day}"
        for day in parts.get("BYMONTHDAY", "").split(",")
        if day
    ]
    months = f" các tháng {parts['BYMONTH']}" if "BYMONTH" in parts else ""
    return f"{each}{months}, {', '.join(on)}" if on else f"{each}{months}"


def _weekday(word: str) -> str:
    name = _WEEKDAYS.get(word[-2:], word)
    nth = word[:-2].removeprefix("+")
    return f"{name} {'cuối' if nth == '-1' else f'thứ {nth}'}" if nth else name


def offered(draft: Draft, question: Question) -> list[tuple[str, str]]:
    """Return the answers that a question offers, each with its words."""
    names = {unit.id: unit.name for unit in draft.units}
    values = list(question.choices)
    found = []
    if question.kind in ("date", "ocr"):
        mine = _asked(draft, question)
        if mine is not None and not mine.rule.get("awaiting"):
            firm = replace(mine, rule={k: v for k, v in mine.rule.items() if k != "assumed"})
            found.append(("yes", f"đúng như máy hiểu: {understood(firm, draft)}"))
            # One choice alone is the day that stands in.
            values = values if len(question.choices) > 1 else []
        values += [word for word in ("awaiting", "check-in") if word not in values]
        if _has_check_in(draft, question):
            values.remove("check-in")
    if question.kind == "unit" and not question.unit:
        values = [unit.id for unit in draft.units[:_MOST_UNITS]]
    if question.kind == "contradiction":
        values.append("both")
    if question.kind == "title":
        values.append(ALL)
    return found + [(value, _words_of(value, names)) for value in values]


def answer_words(draft: Draft, question: Question) -> str:
    """Return what was answered, in words."""
    names = {unit.id: unit.name for unit in draft.units} if question.kind == "unit" else {}
    return "đúng như máy hiểu" if question.answer == "yes" else _words_of(question.answer, names)


def _words_of(value: str, names: Mapping[str, str]) -> str:
    return _ANSWERS.get(value) or names.get(value) or _day_words(value)


def offered_to_all(draft: Draft) -> list[tuple[str, str, str, int]]:
    """Return what one press may answer to all open questions of a kind.

    Each is the kind, the answer, its words, and to how many questions it is offered. Slips of OCR
    and contradictions are looked at one by one.
    """
    found = []
    for kind, value, words in _TO_ALL:
        number = len(asked_alike(draft, kind, value))
        if number:
            found.append((kind, value, words, number))
    return found


def asked_alike(draft: Draft, kind: str, value: str) -> list[Question]:
    """Return the open questions of a kind that offer this answer."""
    if not any((kind, value) == (known, answer) for known, answer, _ in _TO_ALL):
        return []
    return [
        question
        for question in open_questions(draft)
        if question.kind == kind and (kind == "title" or value in dict(offered(draft, question)))
    ]


def product_asked(draft: Draft, question: Question) -> str:
    """Return the product that a question is about, where its task has several."""
    task = draft.task_of(question)
    mine = _asked(draft, question)
    return mine.product if task and mine and len(task.deliverables) > 1 else ""


def _asked(draft: Draft, question: Question) -> Deliverable | None:
    task = draft.task_of(question)
    if task is None or not 0 < question.deliverable <= len(task.deliverables):
        return None
    return task.deliverables[question.deliverable - 1]


def _has_check_in(draft: Draft, question: Question) -> bool:
    task = draft.task_of(question)
    found = task.deliverables if task is not None else []
    return any(one.rule.get("kind") == "check-in" for one in found)


def _day_words(value: str) -> str:
    """Days as people write them; any other text as it is."""
    try:
        days = [date.fromisoformat(day) for day in value.split(", ")]
    except ValueError:
        return value
    return ", ".join(vn_date(day, year=True) for day in days)
