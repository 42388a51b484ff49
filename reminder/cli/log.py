"""`reminder log`: what was said and done, in order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from reminder import bootstrap
from reminder.cli.options import Config
from reminder.core.absence import absence_of
from reminder.core.errors import ReminderError
from reminder.core.ledger import Event, EventKind
from reminder.core.outbox import Person
from reminder.core.periods import vn_date
from reminder.core.plan import Plan
from reminder.core.workdays import local
from reminder.files.toml import nearest

_WORDS = {
    EventKind.DONE: "xong",
    EventKind.UPDATED: "đã cập nhật",
    EventKind.UNDONE: "hoàn tác",
    EventKind.REOPENED: "mở lại",
    EventKind.SUBMITTED: "đã trình ký",
    EventKind.RETURNED: "rút trình ký",
    EventKind.SNOOZED: "hẹn nhắc lại",
    EventKind.EVIDENCE: "số, ngày văn bản",
    EventKind.NOTED: "ghi chú",
    EventKind.DUE_SET: "đặt hạn",
    EventKind.CONFIRMED: "xác nhận hạn",
    EventKind.EXTENSION_ASKED: "xin gia hạn",
    EventKind.EXTENSION_GRANTED: "cho gia hạn",
    EventKind.EXTENSION_REFUSED: "không cho gia hạn",
    EventKind.EXTENSION_WITHDRAWN: "rút xin gia hạn",
    EventKind.HELD: "chờ Văn phòng",
    EventKind.AWAY: "nghỉ đến hết",
    EventKind.BACK: "không nghỉ nữa",
}


def log(
    task: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only this task: 1c, 1đ, BC.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    config: Config = None,
) -> None:
    """Show all that was recorded, the oldest first: who, when, by which channel."""
    with bootstrap.office(config) as office:
        events, plans, people = office.events, office.plans, office.people
    if task is not None:
        work = [e for e in events if not absence_of(e)]
        known = {t.code for plan in plans for t in plan.tasks} | {e.key.task for e in work}
        if task not in known:
            raise ReminderError(f"không có nhiệm vụ “{task}”{nearest(task, known)}")
        events = [event for event in events if event.key.task == task]
    for event in events:
        print(
            json.dumps(_as_json(event), ensure_ascii=False)
            if as_json
            else _line(event, plans, people)
        )
    if not events and not as_json:
        print("Chưa ghi nhận việc gì.")


def _as_json(event: Event) -> dict[str, Any]:
    """The event under the names of the contract; `until` only where it says something.

    An absence is of no work: it names the person, and the first day as `since`.
    """
    absence = absence_of(event)
    if absence:
        return {
            "at": local(event.at).isoformat(),
            "event": event.kind.value,
            "person": absence.person,
            "since": absence.since.isoformat(),
            "until": absence.until.isoformat(),
            "unit": event.unit,
            "by": event.by,
            "channel": event.channel,
        }
    fields: dict[str, Any] = {
        "at": local(event.at).isoformat(),
        "event": event.kind.value,
        "plan": event.key.plan,
        "task": event.key.task,
        "deliverable": event.key.deliverable,
        "period": event.key.period,
        "unit": event.unit,
        "by": event.by,
        "channel": event.channel,
        "evidence": event.evidence,
        "note": event.note,
    }
    return {**fields, "until": event.until.isoformat()} if event.until else fields


def _line(event: Event, plans: Sequence[Plan], people: Mapping[str, Person]) -> str:
    who = people[event.by].name if event.by in people else event.by or "chương trình"
    unit = next((p.by_unit[event.unit].label for p in plans if event.unit in p.by_unit), event.unit)
    parts = [
        f"{local(event.at):%d/%m/%Y %H:%M}",
        _WORDS[event.kind] + (f" {vn_date(event.until, year=True)}" if event.until else ""),
        _whose(event, people) or _what(event, plans),
        unit,
        f"{who} ({event.channel})" if event.channel else who,
        event.evidence,
        event.note,
    ]
    return " · ".join(part for part in parts if part)


def _whose(event: Event, people: Mapping[str, Person]) -> str:
    """Of an absence: who is away, and from when; empty of work."""
    absence = absence_of(event)
    if absence is None:
        return ""
    name = people[absence.person].name if absence.person in people else absence.person
    return f"{name}, từ {vn_date(absence.since, year=True)}"


def _what(event: Event, plans: Sequence[Plan]) -> str:
    """“1c Quyết định”; of recurring work with its period; bare where the plan lost it."""
    key = event.key
    plan = next((p for p in plans if p.id == key.plan), None)
    task = plan.by_code.get(key.task) if plan else None
    name = ""
    if task and 1 <= key.deliverable <= len(task.deliverables):
        name = task.deliverable(key.deliverable).name
    period = key.period if "-" in key.period else ""
    year = f"{plan.year}/" if plan and len(plans) > 1 else ""
    return " ".join(part for part in (f"{year}{key.task}", name, period) if part)
