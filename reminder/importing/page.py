"""The review page of a draft: HTML for a screen and for paper, in the order of the plan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reminder.domain.calendar import local
from reminder.domain.plan import place_words
from reminder.domain.text import fold
from reminder.importing.answers import BLOCKING
from reminder.importing.draft import Draft, Note, Question, Task
from reminder.importing.wording import class_of_deliverable, counts, understood

_TEMPLATE = Path(__file__).with_name("review.html.j2")


@dataclass(frozen=True)
class Meant:
    """A deliverable: what the document says, and what was understood."""

    name: str
    product: str
    phrase: str  # empty where it is that of the line before
    understood: str
    kind: str
    open: tuple[Question, ...]


@dataclass(frozen=True)
class Entry:
    """A task as the page shows it."""

    task: Task
    written: str  # the code in the document, where it is no end of the plan's
    place: str
    lead: str
    support: str
    lines: tuple[Meant, ...]
    contradictions: tuple[str, ...]  # the questions about it and another passage
    open: tuple[Question, ...]  # about the task as a whole
    answered: tuple[Question, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Side:
    place: str
    title: str
    phrases: tuple[str, ...]


def review_page(draft: Draft) -> str:
    """Return the page."""
    from jinja2 import Environment  # only this page needs it here

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["place"] = places
    environment.filters["when"] = when
    template = environment.from_string(_TEMPLATE.read_text("utf-8"))
    sections: list[tuple[str, list[Entry]]] = []
    for task in draft.tasks:
        if not sections or sections[-1][0] != task.section:
            sections.append((task.section, []))
        sections[-1][1].append(entry_of(draft, task))
    still = [question for question in draft.questions if not question.answer]
    codes = {task.code for task in draft.tasks}
    return template.render(
        draft=draft,
        counts=counts(draft),
        sections=[(code, draft.sections.get(code, ""), found) for code, found in sections],
        contradictions=[(q, sides_of(draft, q)) for q in still if q.kind == "contradiction"],
        slips=[question for question in draft.questions if question.kind == "ocr"],
        units=[question for question in still if question.kind == "unit" and question.unit],
        general=[question for question in still if question.kind == "before"],
        notes=[note for note in draft.notes if note.task not in codes],
        hindering=[question for question in still if question.kind in BLOCKING],
        still=still,
    )


def places(source: str) -> str:
    """Places in the document, in words."""
    return "; ".join(place_words(place) for place in source.split("; ") if place)


def when(at: str) -> str:
    """Return an hour as it was in the office; as it stands if it is none."""
    try:
        return f"{local(datetime.fromisoformat(at)):%H:%M %d/%m/%Y}"
    except ValueError:
        return at


def entry_of(draft: Draft, task: Task) -> Entry:
    mine = [question for question in draft.questions if question.task == task.code]
    still = [q for q in mine if not q.answer and q.kind != "contradiction"]
    pieces = {task.code, *re.split(r"[.]|(?<=\d)(?=[a-zđ])", task.code)}
    is_known = task.written in pieces or task.code.endswith(f".{task.written}")
    titles = {fold(task.title), fold(task.full_title or task.title)}
    phrases = ["", *(one.phrase for one in task.deliverables)]
    numbers = range(1, len(task.deliverables) + 1)
    return Entry(
        task=task,
        written="" if is_known else task.written,
        place=place_words(task.source),
        lead=_names(draft, task.lead),
        support=_names(draft, task.support),
        lines=tuple(
            Meant(
                name=one.name,
                product=one.product if fold(one.product) not in titles else "",
                phrase=one.phrase if one.phrase != before else "",
                understood=understood(one, draft),
                kind=class_of_deliverable(one),
                open=tuple(q for q in still if q.deliverable == number),
            )
            for number, (one, before) in enumerate(
                zip(task.deliverables, phrases, strict=False), start=1
            )
        ),
        open=tuple(q for q in still if q.deliverable not in numbers),
        contradictions=tuple(
            q.id
            for q in draft.questions
            if q.kind == "contradiction" and not q.answer and task.source in q.place.split("; ")
        ),
        answered=tuple(q for q in mine if q.answer),
        notes=tuple(note for note in draft.notes if note.task == task.code),
    )


def _names(draft: Draft, ids: list[str]) -> str:
    names = {unit.id: unit.name for unit in draft.units}
    return ", ".join(names.get(unit, unit) for unit in ids)


def sides_of(draft: Draft, question: Question) -> list[Side]:
    """Return the passages that contradict each other."""
    sides = []
    for place in question.place.split("; "):
        task = next((task for task in draft.tasks if task.source == place), None)
        title = (task.full_title or task.title) if task else ""
        phrases = tuple(one.phrase for one in task.deliverables) if task else ()
        sides.append(Side(place_words(place), title, phrases))
    return sides
