"""A ward office in which people say things one after the other, and what each comes to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from functools import cache
from pathlib import Path

from reminder.decisions import decide, decide_error
from reminder.domain.calendar import WorkCalendar, instant
from reminder.domain.context import Context, Decision, Sender
from reminder.domain.ledger import Event, EventKind, fold
from reminder.domain.payloads import Payload, Refused, Several
from reminder.domain.people import Person
from reminder.domain.plan import Key, Plan, occurrences
from reminder.domain.schedule import Scheduler
from reminder.files.calendar import load_calendar
from reminder.understanding.model import Command, CommandError, Meaning, Target
from reminder.understanding.parse import parse
from tests.understanding.commands_kit import PLAN

UNITS = {
    "an": ("tu-phap",),
    "dung": ("tu-phap",),
    "binh": ("van-phong",),
    "hoa": ("van-phong",),
    "cuc": ("tai-chinh-ke-toan",),
    "giang": ("van-hoa-xa-hoi",),
    "kiem": ("van-hoa-xa-hoi", "dia-chinh-xay-dung"),
    "chu": ("lanh-dao",),
}
PEOPLE = {
    who: Person(id=who, name=who.capitalize(), units=units, channels=("telegram",))
    for who, units in UNITS.items()
}


@cache
def calendar() -> WorkCalendar:
    return load_calendar(Path(__file__).parents[2] / "config" / "calendar.toml", [2024, 2025])


@cache
def next_plan() -> Plan:
    """The plan of 2025, with the tasks of 2024 whose dates come round each year."""
    kept = tuple(t for t in PLAN.tasks if t.code in ("2c", "1a"))
    return replace(PLAN, id="cchc-2025", year=2025, tasks=kept)


def moment(text: str) -> datetime:
    """“2024-01-30 09:12”, on the office's clock."""
    day, _, clock = text.partition(" ")
    return instant(date.fromisoformat(day), time.fromisoformat(clock or "09:00"))


class Room:
    """Remembers what was recorded; `say` adds to it."""

    def __init__(self, *plans: Plan, told: dict[Key, frozenset[str]] | None = None) -> None:
        self.plans = plans or (PLAN,)
        self.events: list[Event] = []
        self.told = told or {}

    def context(self, who: str, when: str) -> Context:
        at, person = moment(when), PEOPLE[who]
        return Context(
            plans=self.plans,
            states=fold((o for plan in self.plans for o in occurrences(plan)), self.events),
            events=tuple(self.events),
            people=PEOPLE,
            scheduler=Scheduler(calendar()),
            sender=Sender(
                person=person,
                units=person.units,
                office="van-phong" in person.units,
                leader="lanh-dao" in person.units,
            ),
            now=at,
            today=date.fromisoformat(when[:10]),
            channel="telegram",
            message="m1",
            told=self.told,
        )

    def say(self, who: str, when: str, text: str, *, reply_to: tuple[Target, ...] = ()) -> Decision:
        context = self.context(who, when)
        decision = answered(text, context, reply_to=reply_to)
        self.events += decision.events
        return decision


def answered(text: str, context: Context, *, reply_to: tuple[Target, ...] = ()) -> Decision:
    """What `text` comes to in `context`, by the real parser."""
    meaning = Meaning(
        plans=tuple(context.plans),
        units=context.sender.units,
        office=context.sender.office,
        reply_to=reply_to,
        is_reply=bool(reply_to),
    )
    found: Command | CommandError = parse(text, context.today, meaning)
    return decide(found, context) if isinstance(found, Command) else decide_error(found, context)


def shown(event: Event) -> str:
    """“done 1c.1:2024 tu-phap [evidence] (note) →2024-02-05”."""
    key = event.key
    year = "" if key.plan == "cchc-2024" else f"{key.plan}/"
    words = [event.kind.value, f"{year}{key.task}.{key.deliverable}:{key.period}", event.unit]
    words += [f"[{event.evidence}]"] if event.evidence else []
    words += [f"({event.note})"] if event.note else []
    words += [f"→{event.until}"] if event.until else []
    return " ".join(words)


def named(payload: Payload) -> str:
    """“done”, “refused:snooze-late”, “done,which”."""
    match payload:
        case Several(parts=parts):
            return ",".join(map(named, parts))
        case Refused(reason=reason):
            return f"refused:{reason}"
    return payload.view


def told_of(decision: Decision) -> tuple[list[str], list[str]]:
    """The events; the answer and, as “closed-word>lanh-dao”, what others are told."""
    notices = (f"{named(n.payload)}>{n.to.removeprefix('unit:')}" for n in decision.notices)
    return [shown(e) for e in decision.events], [*map(named, decision.answers), *notices]


CLOSING = (EventKind.DONE, EventKind.UPDATED)
