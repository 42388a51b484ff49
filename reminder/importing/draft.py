"""The draft of a plan: what was read from a document, and the questions still open.

A draft is a plan file with some more tables: `[[question]]` for what a person has to confirm,
`[[leftover]]` for passages that may be tasks and became none, `[[note]]` for what was read in a
special way. The comments in the file are made from the data, so a draft that is read and written
again keeps them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from reminder.domain.plan import place_words
from reminder.domain.text import one_line
from reminder.files.toml import as_toml, toml_key

RULES = ("due", "within", "every", "rrule", "awaiting")
RULE_KEYS = (
    *RULES,
    *("periods", "day", "month", "following", "only", "times", "from", "before", "event"),
    *("kind", "assumed", "leads", "late"),
)
KINDS = ("unit", "date", "contradiction", "ocr", "before", "title")
NO_PHRASE = "(không ghi thời gian)"  # where the document names no time


@dataclass(slots=True, kw_only=True)
class Unit:
    id: str
    name: str
    short: str = ""
    spellings: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Deliverable:
    name: str
    product: str = ""
    phrase: str = ""  # the time as the document writes it
    rule: dict[str, Any] = field(default_factory=dict)  # of RULE_KEYS, exactly one of RULES
    source: str = ""

    @property
    def is_flagged(self) -> bool:
        """Whether the day is not firm: assumed, awaiting, or a check-in."""
        rule = self.rule
        return bool(rule.get("assumed") or rule.get("awaiting") or rule.get("kind") == "check-in")


@dataclass(slots=True, kw_only=True)
class Task:
    code: str
    title: str
    full_title: str = ""  # where it differs from `title`
    written: str = ""  # the code in the document, where it differs from `code`
    section: str = ""
    lead: list[str] = field(default_factory=list)  # unit ids
    support: list[str] = field(default_factory=list)
    confirm: str = ""
    deliverables: list[Deliverable] = field(default_factory=list)
    source: str = ""


@dataclass(slots=True, kw_only=True)
class Question:
    """Something that a person has to confirm.

    `kind` says what `answer` may be: `unit` the id of a known unit or "new"; `date` days as
    "2027-01-31, 2027-06-30", "yes" for the days as they stand, or "awaiting"; `contradiction` and
    `ocr` one of `choices` or days; `before` "day-before" or "same-day"; `title` a title.
    """

    id: str
    kind: str
    ask: str  # the question, in Vietnamese
    place: str = ""  # as `source`
    text: str = ""  # what the document says
    task: str = ""  # a code
    deliverable: int = 0  # its place in the task from 1; 0: the whole task
    unit: str = ""  # of a `unit` question: the unit's id in this draft
    choices: list[str] = field(default_factory=list)
    answer: str = ""
    by: str = ""
    at: str = ""


@dataclass(slots=True, kw_only=True)
class Leftover:
    """A passage that has a date or names a unit in charge, and became no task."""

    place: str
    text: str
    why: str = ""


@dataclass(slots=True, kw_only=True)
class Note:
    """Something to see that needs no answer: a tracked change, a slip of OCR that was mended."""

    place: str
    text: str
    task: str = ""


@dataclass(slots=True, kw_only=True)
class Draft:
    id: str
    title: str
    year: int
    office: str = ""
    leaders: str = ""
    first_day: date | None = None  # of a period that crosses a year
    last_day: date | None = None
    last_year: int | None = None
    before: str = ""  # "day-before" or "same-day", where a text says “trước ngày”
    document: str = ""
    sha256: str = ""
    issued: date | None = None
    sections: dict[str, str] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def task(self, code: str) -> Task:
        """Return the task of this code; raise KeyError without one."""
        for task in self.tasks:
            if task.code == code:
                return task
        raise KeyError(code)

    def task_of(self, question: Question) -> Task | None:
        """Return the task that a question is about."""
        return next((task for task in self.tasks if task.code == question.task), None)

    def unit(self, unit_id: str) -> Unit:
        """Return the unit of this id; raise KeyError without one."""
        for unit in self.units:
            if unit.id == unit_id:
                return unit
        raise KeyError(unit_id)


def dumps(draft: Draft, *, open_tables: bool = True) -> str:
    """Return the draft as TOML; without `open_tables` as a plan file, without what is open."""
    parts = [_head(draft, open_tables=open_tables)]
    if draft.sections:
        lines = [f"{toml_key(code)} = {as_toml(title)}" for code, title in draft.sections.items()]
        parts.append("\n".join(["[sections]", *lines]))
    parts += [
        _table(f"[unit.{unit.id}]", _filled(unit, "name", "short", "spellings"))
        for unit in draft.units
    ]
    for task in draft.tasks:
        parts += _task_tables(task)
    if open_tables:
        rest: list[Question | Leftover | Note] = [*draft.questions, *draft.leftovers, *draft.notes]
        for one in rest:
            keys = (each.name for each in fields(one))
            parts.append(_table(f"[[{type(one).__name__.lower()}]]", _filled(one, *keys)))
    return "\n\n".join(parts) + "\n"


def plan_text(draft: Draft, made_from: str, place: str) -> str:
    """Return the text of the draft's plan; its first line tells where the answers are kept."""
    head = f"Ghi từ {made_from}, theo văn bản {draft.document}; ai trả lời gì: ở {place} ấy."
    return f"# {one_line(head)}\n\n{dumps(draft, open_tables=False)}"


def loads(text: str) -> Draft:
    """Return the draft that `dumps` wrote; ValueError or KeyError if the text is none."""
    data = tomllib.loads(text)
    plan = data["plan"]
    known = {f.name for f in fields(Draft)}
    draft = Draft(**{key: value for key, value in plan.items() if key in known})
    draft.sections = {str(key): value for key, value in data.get("sections", {}).items()}
    draft.units = [Unit(id=key, **value) for key, value in data.get("unit", {}).items()]
    draft.tasks = [_read_task(raw) for raw in data.get("task", [])]
    draft.questions = [Question(**raw) for raw in data.get("question", [])]
    draft.leftovers = [Leftover(**raw) for raw in data.get("leftover", [])]
    draft.notes = [Note(**raw) for raw in data.get("note", [])]
    return draft


def _read_task(raw: Mapping[str, Any]) -> Task:
    known = {f.name for f in fields(Task)} - {"deliverables"}
    task = Task(**{key: value for key, value in raw.items() if key in known})
    for found in raw.get("deliverable", []):
        own = {key: value for key, value in found.items() if key not in RULE_KEYS}
        rule = {key: found[key] for key in RULE_KEYS if key in found}
        task.deliverables.append(Deliverable(rule=rule, **own))
    return task


def _head(draft: Draft, *, open_tables: bool) -> str:
    keys = ("id", "title", "year", "office", "leaders", "first_day", "last_day", "last_year")
    more = ("issued",) if open_tables else ()
    return _table("[plan]", _filled(draft, *keys, "before", "document", "sha256", *more))


def _task_tables(task: Task) -> list[str]:
    keys = ("code", "title", "full_title", "written", "section", "lead", "support", "confirm")
    parts = [_table("[[task]]", _filled(task, *keys, "source"))]
    for one in task.deliverables:
        pairs = _filled(one, "name", "product", "phrase")
        pairs += [(key, one.rule[key]) for key in RULE_KEYS if key in one.rule]
        pairs += _filled(one, "source")
        parts.append(_table("[[task.deliverable]]", pairs, indent="  "))
    return parts


def _filled(value: object, *keys: str) -> list[tuple[str, Any]]:
    """Return the attributes that are neither empty nor zero."""
    pairs = ((key, getattr(value, key)) for key in keys)
    return [(key, found) for key, found in pairs if found not in (None, "", 0, [])]


def _table(header: str, pairs: Iterable[tuple[str, Any]], indent: str = "") -> str:
    lines = [indent + header]
    for key, value in pairs:
        if key == "source":
            lines.append(f"{indent}{key} = {as_toml(value)}  # {place_words(value)}")
        else:
            lines.append(f"{indent}{toml_key(key)} = {as_toml(value)}")
    return "\n".join(lines)
