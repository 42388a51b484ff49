"""The plan of 2024 on a given morning: the stage on which the messages are rendered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reminder.app.channels import known_channels
from reminder.domain.calendar import WorkCalendar, instant
from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import Outbound
from reminder.domain.people import Person
from reminder.domain.plan import AfterEvent, Awaiting, Before, EventUnit, Key, Plan
from reminder.domain.schedule import Item, MessageKind, Scheduler
from reminder.domain.text import one_line
from reminder.files.calendar import load_calendar
from reminder.files.plan import load_plan
from reminder.messages.compose import Line, outbound
from reminder.messages.context import Context
from reminder.services.office import Files, Office

ROOT = Path(__file__).parents[2]
NAMES = {"an": "Nguyễn Thị An", "binh": "Trần Văn Bình", "cuc": "Lê Thị Cúc"}
TET = (date(2024, 2, 8), date(2024, 2, 14))


@cache
def plan() -> Plan:
    return load_plan(ROOT / "data" / "plan2024.toml")


@cache
def documented() -> Plan:
    """The plan as if made from a document: with places, an event, “trước ngày” and “02 lần”."""
    changed: dict[str, dict[str, Any]] = {
        "1a": {"times": 2},
        "1c": {"before": Before.DAY_BEFORE, "source": "t:1 r:7"},
        "2g": {"rule": Awaiting(AfterEvent(name="nhận", offset=5, unit=EventUnit.WORKING_DAY))},
    }
    tasks = []
    for task in plan().tasks:
        first, *others = task.deliverables
        first = replace(first, **changed.get(task.code, {}))
        tasks.append(replace(task, deliverables=(first, *others)))
    told: dict[str, Any] = {
        "full_title": "Rà soát, công bố danh mục văn bản hết hiệu lực",
        "written": "1.c",
    }
    tasks = [replace(task, **told) if task.code == "1c" else task for task in tasks]
    return replace(plan(), tasks=tuple(tasks), document="KH-2024.docx")


@cache
def calendar() -> WorkCalendar:
    return load_calendar(ROOT / "config" / "calendar.toml", [2024])


def key(task: str, deliverable: int = 1, period: str = "2024") -> Key:
    return Key("cchc-2024", task, deliverable, period)


def at(day: str, clock: str = "09:12") -> datetime:
    """The instant of the office's `clock` on `day`, an ISO date."""
    return instant(date.fromisoformat(day), time.fromisoformat(clock))


def said(kind: EventKind, when: datetime, what: Key, unit: str, **more: Any) -> Event:
    return Event(at=when, kind=kind, key=what, unit=unit, **more)


def done(when: datetime, what: Key, unit: str, by: str = "an", evidence: str = "") -> Event:
    return said(EventKind.DONE, when, what, unit, by=by, evidence=evidence)


def scene(day: str, events: Iterable[Event] = (), plans: Sequence[Plan] = ()) -> Context:
    """The situation on `day` after `events`."""
    files = Files(
        plans=tuple(plans or (plan(),)),
        people=tuple(
            Person(id=who, name=name, units=(), channels=("telegram",))
            for who, name in NAMES.items()
        ),
        scheduler=Scheduler(calendar()),
    )
    return Context(
        office=Office(files, events=tuple(events), known=known_channels()),
        at=instant(date.fromisoformat(day), time(7, 30)),
        holiday=lambda first, last: "Tết" if (first, last) == TET else "",
    )


def items(
    context: Context, unit: str, kind: MessageKind = MessageKind.NUDGE, events: Iterable[Event] = ()
) -> tuple[Item, ...]:
    """What the schedule says to `unit` on the context's day."""
    by_key: dict[Key, list[Event]] = {}
    for event in events:
        by_key.setdefault(event.key, []).append(event)
    messages = context.scheduler.messages(
        list(context.plans.values()),
        by_key,
        instant(context.today, time(8)),
        instant(context.today, time(8, 1)),
    )
    return next((m.items for m in messages if m.unit == unit and m.kind is kind), ())


def nudged(
    context: Context, *units: str, events: Iterable[Event] = ()
) -> Mapping[str, Sequence[Item]]:
    """The items of a recipient of `units`."""
    kept = list(events)
    return {unit: items(context, unit, events=kept) for unit in units}


def answer(lines: Sequence[str], *, subject: str = "Trả lời") -> Outbound:
    """A message of these lines."""
    shown = [Line("row", str(Markup.escape(one_line(line)))) for line in lines]
    return outbound(subject, shown, shown)
