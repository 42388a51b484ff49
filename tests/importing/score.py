"""Scores a draft plan against what a document's readers made of it.

`cases/NAME.expected.json` says what the document NAME holds; a draft is read as a plan file, with
nothing of the project but its text. The figures that a draft must never have are INVENTED (a firm
day that the document does not give), UNFLAGGED (an open question that is not shown) and TRAP (a
passage that is no task).
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from dateutil.rrule import rrulestr

_CYCLES = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}
_PREFIX = {"month": "", "quarter": "Q", "half-year": "H"}
_RULES = ("due", "within", "every", "rrule", "awaiting")
_PLACE = re.compile(r" (phường|xã|tỉnh|huyện|thành phố)$")
_CLOSED = ("literal", "period")
_GOOD = {
    "check-in": {"check-in"},
    "assumed": {"assumed", "awaiting"},
    "awaiting": {"awaiting", "assumed"},
}

Json = dict[str, Any]


def _month_day(year: int, month: int, day: int = 31) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def days_of(deliverable: Json, year: int) -> list[date]:
    """All due days of a deliverable; ValueError unless it has exactly one rule."""
    if sum(bool(deliverable.get(rule)) for rule in _RULES) != 1:
        raise ValueError("needs exactly one of " + ", ".join(_RULES))
    if deliverable.get("awaiting"):
        return []
    if "due" in deliverable:
        due = deliverable["due"]
        return due if isinstance(due, list) else [due]
    if "within" in deliverable:
        within = str(deliverable["within"])
        if within == "year":
            return [date(year, 12, 31)]
        if within[0] in "QH":
            return [_month_day(year, int(within[1:]) * (3 if within[0] == "Q" else 6))]
        return [_month_day(year, int(within))]
    if "every" in deliverable:
        length = _CYCLES[deliverable["every"]]
        only = deliverable.get("only")
        days = []
        for n in range(1, 12 // length + 1):
            name = f"{n:02d}" if length == 1 else f"{_PREFIX.get(deliverable['every'], '')}{n}"
            if length == 12 or not only or name in only:
                days.append(_month_day(year, n * length, deliverable.get("day", 31)))
        return days
    raw = re.sub(r"(UNTIL=\d{8})T?\d*Z?", r"\1T235959", deliverable["rrule"])
    start = datetime(year, 1, 1)  # noqa: DTZ001  (rrule's days have no zone)
    return [found.date() for found in rrulestr(raw, dtstart=start)][:1000]


def _words(text: object) -> set[str]:
    return set(re.findall(r"\w+", unicodedata.normalize("NFC", str(text)).casefold()))


def _f1(a: set[str], b: set[str]) -> float:
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0


def _unit_name(name: str) -> str:
    text = unicodedata.normalize("NFC", name).casefold()
    return _PLACE.sub("", re.sub(r"\s+", " ", text).strip(" .;,:"))


def _where(place: str) -> tuple[str, int, int] | None:
    """'p:11..15' → ('p', 11, 15); 't:1 r:4' → ('t1', 4, 4)."""
    if found := re.fullmatch(r"\s*(p|line):(\d+)(?:\.\.(\d+))?.*", place):
        return found[1], int(found[2]), int(found[3] or found[2])
    if found := re.match(r"\s*t:(\d+) r:(\d+)(?:\.\.(\d+))?", place):
        return f"t{found[1]}", int(found[2]), int(found[3] or found[2])
    return None


def _meet(a: tuple[str, int, int] | None, b: tuple[str, int, int] | None) -> bool:
    return bool(a and b and a[0] == b[0] and a[1] <= b[2] and b[1] <= a[2])


@dataclass
class _Task:
    """A task of the draft: its words, units and days."""

    code: str
    title: set[str]
    products: set[str]
    phrase: set[str]
    lead: list[set[str]]
    support: list[set[str]]
    sources: list[str]
    phrases: list[str]
    firm: set[str] = field(default_factory=set)
    soft: set[str] = field(default_factory=set)
    status: set[str] = field(default_factory=set)


def _task(raw: Json, plan: Json) -> _Task:
    def names(unit_id: str) -> set[str]:
        unit = plan["unit"].get(unit_id, {})
        known = (unit.get("name", unit_id), unit.get("short", unit_id), *unit.get("spellings", []))
        return {_unit_name(name) for name in known}

    deliverables = raw.get("deliverable", [])
    task = _Task(
        code=raw["code"],
        title=_words(raw["title"]),
        products=_words(" ".join(f"{d['name']} {d['product']}" for d in deliverables)),
        phrase=_words(" ".join(d["phrase"] for d in deliverables)),
        lead=[names(unit) for unit in raw.get("lead", [])],
        support=[names(unit) for unit in raw.get("support", [])],
        sources=[s for s in (raw.get("source"), *(d.get("source") for d in deliverables)) if s],
        phrases=[d["phrase"] for d in deliverables],
    )
    for one in deliverables:
        days = {day.isoformat() for day in days_of(one, plan["plan"]["year"])}
        if one.get("kind") == "check-in":
            task.status.add("check-in")
            task.soft |= days
        elif one.get("awaiting"):
            task.status.add("awaiting")
        elif one.get("assumed"):
            task.status.add("assumed")
            task.soft |= days
        else:
            task.firm |= days
    return task


def _matched(expected: list[Json], tasks: list[_Task]) -> tuple[dict[int, list[_Task]], set[int]]:
    """The tasks of the draft that answer each expected one, and which were used."""
    pairs = []
    for i, wanted in enumerate(expected):
        keywords = _words(" ".join(wanted["title_keywords"]))
        place, code = _where(wanted["where"]), re.sub(r"\W", "", wanted["code"]).casefold()
        for j, task in enumerate(tasks):
            is_there = any(_meet(place, _where(source)) for source in task.sources)
            near = len(keywords & (task.title | task.products)) / max(1, len(keywords))
            if near < 0.6 and not (is_there and near >= 0.3):
                continue
            days = {day for part in wanted["reading"]["parts"] for day in part["due"]}
            points = 4 * near + 4 * _f1(_words(wanted["title"]), task.title)
            points += 2 * _f1(_words(wanted["phrase"]), task.phrase) + 3 * is_there
            points += bool(code) and re.sub(r"\W", "", task.code).casefold().endswith(code)
            points += any(names & _lead_names(wanted) for names in task.lead)
            points += 0.01 * len(days & (task.firm | task.soft))
            pairs.append((points, i, j))
    pairs.sort(reverse=True)
    pool: dict[int, list[_Task]] = {}
    taken: set[int] = set()
    for _, i, j in pairs:
        if i not in pool and j not in taken:
            pool[i] = [tasks[j]]
            taken.add(j)
    for points, i, j in pairs:  # a task that the draft splits, one for each part
        has_room = i in pool and len(expected[i]["reading"]["parts"]) > len(pool[i])
        if has_room and j not in taken and points >= 6:
            pool[i].append(tasks[j])
            taken.add(j)
    index = {wanted["code"]: i for i, wanted in enumerate(expected)}
    for i, wanted in enumerate(expected):  # two places of the document, one task in the draft
        other = index.get(wanted.get("same_as", ""))
        if i not in pool and other in pool:
            pool[i] = pool[other]
    return pool, taken


def _lead_names(wanted: Json) -> set[str]:
    return {_unit_name(name) for name in [*wanted["lead"], *wanted.get("lead_also", [])]}


def score(expected: Json, plan: Json) -> Counter[str]:
    """Return the figures of a draft."""
    figures: Counter[str] = Counter()
    tasks = [_task(raw, plan) for raw in plan.get("task", [])]
    wanted = expected["tasks"]
    pool, taken = _matched(wanted, tasks)
    for j, task in enumerate(tasks):
        if j not in taken:
            text = task.title | task.products | task.phrase
            figures["made_up"] += 1
            figures["TRAP"] += any(_words(n) <= text for n in expected.get("not_tasks") or [])
    by_code = {one["code"]: one for one in wanted}
    for i, one in enumerate(wanted):
        other = by_code.get(one.get("same_as", ""))
        figures.update(_score_one(one, pool.get(i), other, plan["plan"]["year"]))
    return figures


def _score_one(
    wanted: Json, tasks: list[_Task] | None, other: Json | None, year: int
) -> Counter[str]:
    reading = wanted["reading"]
    parts, ambiguous = reading["parts"], reading.get("ambiguous")
    figures: Counter[str] = Counter()
    if tasks is None:
        if not wanted.get("optional"):
            closed = sum(part["status"] in _CLOSED for part in parts)
            figures["tasks"] += 1
            figures["hidden"] += bool(ambiguous)
            figures["days_lost"] += 0 if ambiguous else closed
            figures["open_wrong"] += 0 if ambiguous else len(parts) - closed
        return figures
    firm = set().union(*(task.firm for task in tasks))
    soft = set().union(*(task.soft for task in tasks))
    status = set().union(*(task.status for task in tasks))
    allowed: set[str] = set()
    stand_in: set[str] = set()
    for part in [*parts, *(other["reading"]["parts"] if other else [])]:
        found = allowed if part["status"] in _CLOSED else stand_in
        found.update(part["due"], part.get("accept", []))
        allowed.update(part.get("optional", []))
    figures["INVENTED"] += bool(firm - allowed - stand_in)
    is_open = ambiguous or wanted.get("optional")
    figures["UNFLAGGED"] += bool((is_open and not status) or firm & (stand_in - allowed))
    if wanted.get("optional"):
        return figures
    figures.update(tasks=1, found=1, lead_right=_same_units(wanted, tasks))
    places = [_where(source) for task in tasks for source in task.sources]
    figures["source_right"] += any(_meet(_where(wanted["where"]), place) for place in places)
    if ambiguous:
        figures["shown" if status else "hidden"] += 1
    if mended := reading.get("mended"):
        figures["mended"] += 1
        kept = [spoilt.strip().casefold() for spoilt in mended.split(",")]
        phrases = [phrase.casefold() for task in tasks for phrase in task.phrases]
        is_shown = status or any(spoilt in phrase for spoilt in kept for phrase in phrases)
        figures["mended_silently"] += not is_shown
    if not ambiguous:
        for part in parts:
            figures.update(_score_part(part, firm | soft, status, year))
    return figures


def _score_part(part: Json, got: set[str], status: set[str], year: int) -> Counter[str]:
    if part["status"] not in _CLOSED:
        is_good = bool(_GOOD[part["status"]] & status)
        return Counter({"open_right" if is_good else "open_wrong": 1})
    accepted = part.get("accept") or part["due"]
    is_hit = all(
        day in got or also in got or (int(day[:4]) != year and bool(status))
        for day, also in zip(part["due"], accepted, strict=True)
    )
    return Counter({"days_right" if is_hit else "days_lost": 1})


def _same_units(wanted: Json, tasks: list[_Task]) -> bool:
    leads = [names for task in tasks for names in task.lead]
    want = [{_unit_name(name)} for name in wanted["lead"]]
    if wanted.get("lead_also"):
        want = [_lead_names(wanted)]
    every = all(any(w & names for names in leads) for w in want)
    return every and all(any(w & names for w in want) for names in leads)
