"""`reminder log`: the events in order; whether the ledger is unchanged; who was told what.

What reads the outbox takes a while to load, so that `--verify` and `--export` import it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from reminder.app import bootstrap
from reminder.cli import options
from reminder.cli.options import Config, day_option, option
from reminder.domain.calendar import local, local_day, vn_date
from reminder.domain.errors import ReminderError
from reminder.domain.ledger import Event, absence_of
from reminder.domain.people import Person
from reminder.domain.plan import Key, Plan
from reminder.domain.text import one_line
from reminder.files.toml import write_file

EXAMPLES = """Ví dụ: reminder log --task 1c --json

Ví dụ: reminder log --verify --head 123:ab12cd34ef56ab12

Ví dụ: reminder log --export bang-chung.csv --since 2024-01-01 --until 2024-03-31"""


def log(
    task: Annotated[str | None, option("MÃ", "Chỉ việc này: 1c, 1đ, BC.")] = None,
    since: Annotated[date | None, day_option("Từ ngày này.")] = None,
    until: Annotated[date | None, day_option("Đến hết ngày này.")] = None,
    as_json: options.AsJsonLines = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Sổ ghi có còn nguyên vẹn không? Mã thoát 1 nếu không.")
    ] = False,
    head: Annotated[
        list[str] | None,
        option("SỐ:MÃ", "Đối chiếu với mã in trong bản tổng hợp; ghi được nhiều lần."),
    ] = None,
    export: Annotated[
        Path | None, option("TỆP", "Ghi tệp CSV: ai được báo gì, lúc nào, bằng kênh nào.")
    ] = None,
    config: Config = None,
) -> None:
    """Xem tất cả những gì đã ghi, cũ trước mới sau: ai, lúc nào, bằng kênh nào.

    --verify đối chiếu sổ ghi với chuỗi mã của nó và với mã mà các bản tổng hợp đã in. --export ghi
    bằng chứng đã báo, mỗi tin và mỗi việc một dòng, có mã tin của nhà cung cấp và địa chỉ cá nhân.
    docs/security.md nói rõ mỗi thứ chứng minh được gì và không chứng minh được gì.
    """
    if (verify or head) and (task or since or until or as_json or export):
        raise ReminderError("--verify xem cả sổ: xin dùng riêng, chỉ kèm --head và --config")
    if verify or head or export:
        bootstrap.need_database(config)
    if verify or head:
        return _verify(config, head or ())
    if export and as_json:
        raise ReminderError("--export ghi các tin nhắc, --json in các mục của sổ: xin chọn một")
    if since and until and until < since:
        raise ReminderError(f"--until {until} đứng trước --since {since}")
    with bootstrap.office(config) as opened:
        events, plans, people = opened.office.events, opened.office.plans, opened.office.people
    if task is not None:
        work = [e for e in events if not absence_of(e)]
        known = {t.code for plan in plans for t in plan.tasks} | {e.key.task for e in work}
        options.check_code(task, known)

    def wanted(key: Key | None, day: date) -> bool:
        return (
            (task is None or (key is not None and key.task == task))
            and (since is None or day >= since)
            and (until is None or day <= until)
        )

    if export:
        return _export(config, export, wanted)
    shown = [event for event in events if wanted(event.key, local_day(event.at))]
    for event in shown:
        if as_json:
            print(json.dumps(event_fields(event), ensure_ascii=False))
        else:
            print(_line(event, plans, people))
    if not shown and not as_json:
        print("Chưa ghi nhận việc gì.")
    return None


def event_fields(event: Event) -> dict[str, Any]:
    """Return the event under the names of the contract; `until` only where it says something.

    An absence is of no work: it names the person, and the first day as `since`.
    """
    key, absence = event.key, absence_of(event)
    about: dict[str, Any] = {
        "plan": key.plan,
        "task": key.task,
        "deliverable": key.deliverable,
        "period": key.period,
    }
    more: dict[str, Any] = {"evidence": event.evidence, "note": event.note}
    if absence:
        since, until = absence.since.isoformat(), absence.until.isoformat()
        about, more = {"person": absence.person, "since": since, "until": until}, {}
    elif event.until:
        more["until"] = event.until.isoformat()
    if event.happened:
        more["day"] = event.happened.isoformat()
        del more["evidence"]
    return {
        "at": local(event.at).isoformat(),
        "event": event.kind.value,
        **about,
        "unit": event.unit,
        "by": event.by,
        "channel": event.channel,
        **more,
    }


def _line(event: Event, plans: Sequence[Plan], people: Mapping[str, Person]) -> str:
    from reminder.messages.proof import EVENT_WORDS, what_words

    who = people[event.by].name if event.by in people else event.by or "chương trình"
    unit = next((p.by_unit[event.unit].label for p in plans if event.unit in p.by_unit), event.unit)
    parts = [
        f"{local(event.at):%d/%m/%Y %H:%M}",
        EVENT_WORDS[event.kind] + (f" {vn_date(event.until, year=True)}" if event.until else ""),
        _whose(event, people) or what_words(event, plans),
        unit,
        f"{who} ({event.channel})" if event.channel else who,
        vn_date(event.happened, year=True) if event.happened else event.evidence,
        event.note,
    ]
    return one_line(" · ".join(part for part in parts if part))


def _whose(event: Event, people: Mapping[str, Person]) -> str:
    """Return who is away and from when, for an absence; empty for work."""
    absence = absence_of(event)
    if absence is None:
        return ""
    name = people[absence.person].name if absence.person in people else absence.person
    return f"{name}, từ {vn_date(absence.since, year=True)}"


def _verify(config: Path | None, typed: Sequence[str]) -> None:
    """Print that the ledger is unchanged; ReminderError says where it is not, and what to do."""
    from reminder.messages.proof import verdict_words
    from reminder.services import proof

    told = [proof.typed(text) for text in typed]
    with bootstrap.database(config) as store:
        verdict = proof.verify(store, told)
        number, last = store.head()
    said = verdict_words(verdict, number, last)
    if verdict.broken is not None:
        raise ReminderError(said)
    print(said)


def _export(config: Path | None, target: Path, wanted: Callable[[Key | None, date], bool]) -> None:
    """Write the proof of notice: who was told what, when, by which channel."""
    from reminder.messages.proof import proof_file
    from reminder.services import proof

    with bootstrap.office(config) as opened:
        rows = opened.store.rows(limit=proof.EVERY_ROW)
        found = [
            notice
            for notice in proof.notices(opened.office, rows)
            if wanted(notice.work.key if notice.work else None, local(notice.row.draft.slot).date())
        ]
    write_file(target, proof_file(found))
    messages = len({notice.row.id for notice in found})
    print(f"Đã ghi {target}: {len(found)} dòng của {messages} tin.")
