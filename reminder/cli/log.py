"""`reminder log`: the events in order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from reminder.app import bootstrap
from reminder.cli import options
from reminder.cli.options import Config
from reminder.domain.calendar import local
from reminder.domain.errors import ReminderError
from reminder.domain.ledger import Event, EventKind
from reminder.domain.people import Person, absence_of
from reminder.domain.periods import vn_date
from reminder.domain.plan import Plan
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
    EventKind.ANSWERED: "trả lời",
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


EXAMPLES = """Ví dụ: reminder log --task 1c --json

Ví dụ: reminder log --verify --head 123:ab12cd34ef56ab12

Ví dụ: reminder log --export bang-chung.csv --since 2024-01-01 --until 2024-03-31"""


def log(
    task: Annotated[
        str | None, typer.Option(metavar="MÃ", help="Chỉ việc này: 1c, 1đ, BC.")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="NGÀY", help="Từ ngày này.")] = None,
    until: Annotated[str | None, typer.Option(metavar="NGÀY", help="Đến hết ngày này.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Mỗi dòng một đối tượng JSON.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Sổ ghi có còn nguyên vẹn không? Mã thoát 1 nếu không.")
    ] = False,
    head: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SỐ:MÃ",
            help="Đối chiếu với mã in trong bản tổng hợp; ghi được nhiều lần.",
        ),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(metavar="TỆP", help="Ghi tệp CSV: ai được báo gì, lúc nào, bằng kênh nào."),
    ] = None,
    config: Config = None,
) -> None:
    """Xem tất cả những gì đã ghi, cũ trước mới sau: ai, lúc nào, bằng kênh nào.

    --verify đối chiếu sổ ghi với chuỗi mã của nó và với mã mà các bản tổng hợp đã in. --export ghi
    bằng chứng đã báo, mỗi tin và mỗi việc một dòng, có mã tin của nhà cung cấp và địa chỉ cá nhân.
    docs/security.md nói rõ mỗi thứ chứng minh được gì và không chứng minh được gì.
    """
    # What reads the outbox is needed by few commands, and takes a while to load.
    from reminder.cli import audit

    if (verify or head) and (task or since or until or as_json or export):
        raise ReminderError("--verify xem cả sổ: xin dùng riêng, chỉ kèm --head và --config")
    if verify or head or export:
        bootstrap.need_database(config)
    if verify or head:
        return audit.verify(config, head or ())
    if export and as_json:
        raise ReminderError("--export ghi các tin nhắc, --json in các mục của sổ: xin chọn một")
    first, last = options.day_or_none(since), options.day_or_none(until)
    if first and last and last < first:
        raise ReminderError(f"--until {until} đứng trước --since {since}")
    with bootstrap.office(config) as office:
        events, plans, people = office.events, office.plans, office.people
    if task is not None:
        work = [e for e in events if not absence_of(e)]
        known = {t.code for plan in plans for t in plan.tasks} | {e.key.task for e in work}
        if task not in known:
            raise ReminderError(f"không có nhiệm vụ “{task}”{nearest(task, known)}")
    if export:
        return audit.export(config, export, task, first, last)
    _print([e for e in events if _wanted(e, task, first, last)], plans, people, as_json=as_json)
    return None


def _wanted(event: Event, task: str | None, since: date | None, until: date | None) -> bool:
    day = local(event.at).date()
    return (
        (task is None or event.key.task == task)
        and (since is None or day >= since)
        and (until is None or day <= until)
    )


def _print(
    events: Sequence[Event],
    plans: Sequence[Plan],
    people: Mapping[str, Person],
    *,
    as_json: bool,
) -> None:
    for event in events:
        print(
            json.dumps(event_fields(event), ensure_ascii=False)
            if as_json
            else _line(event, plans, people)
        )
    if not events and not as_json:
        print("Chưa ghi nhận việc gì.")


def event_fields(event: Event) -> dict[str, Any]:
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
    """Who is away and from when, for an absence; empty for work."""
    absence = absence_of(event)
    if absence is None:
        return ""
    name = people[absence.person].name if absence.person in people else absence.person
    return f"{name}, từ {vn_date(absence.since, year=True)}"


def _what(event: Event, plans: Sequence[Plan]) -> str:
    """“1c Quyết định”, with the period of recurring work; else the code alone."""
    key = event.key
    plan = next((p for p in plans if p.id == key.plan), None)
    task = plan.by_code.get(key.task) if plan else None
    name = ""
    if task and 1 <= key.deliverable <= len(task.deliverables):
        name = task.deliverable(key.deliverable).name
    period = key.period if "-" in key.period else ""
    year = f"{plan.year}/" if plan and len(plans) > 1 else ""
    return " ".join(part for part in (f"{year}{key.task}", name, period) if part)
