"""`reminder plan` and `reminder simulate`: plans in files and in the database, and all they say."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminder.app import bootstrap
from reminder.cli import asking, options
from reminder.cli.options import Commands, day_option, option
from reminder.documents.workbook import standing_words
from reminder.domain.calendar import local, local_day, vn_date, vn_day
from reminder.domain.errors import FileError, ReminderError
from reminder.domain.ledger import State, fold
from reminder.domain.plan import (
    Awaiting,
    Key,
    Kind,
    Occurrence,
    OnDay,
    OnDays,
    Plan,
    occurrences,
    origin,
)
from reminder.domain.plan_diff import diff
from reminder.domain.schedule import Item, Message, MessageKind, Scheduler, Stage
from reminder.files.plan import read_plan
from reminder.files.toml import read_text, write_file

if TYPE_CHECKING:
    from reminder.understanding.model import Target

app = Commands(help="Kiểm tra, xem và so sánh tệp kế hoạch.")

Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[TỆP]...", help="Các tệp kế hoạch. [data/plan*.toml]"),
]


@app.command(epilog="Ví dụ: reminder plan check data/plan2025.toml")
def check(files: Files = None, config: options.Config = None) -> None:
    """Tìm mọi lỗi của tệp kế hoạch cùng lúc, và kể những hạn Văn phòng còn phải định.

    Mã thoát 1 nếu có lỗi.
    """
    paths = bootstrap.plan_sources(files, config)
    plans = bootstrap.load_plans(paths)
    scheduler, today = bootstrap.scheduler_for(plans), bootstrap.today()
    over = [] if files else _over(plans, scheduler, today)
    checked = zip(paths, plans, strict=True)
    for path, plan in sorted(checked, key=lambda pair: pair[1] in over):
        print(f"{path}: tốt. {plan.title}: {_count(plan)}{_ended(plan, over, scheduler)}.")
        if plan not in over:
            advice = (f"dòng {advice.line}: {advice.message}" for advice in read_plan(path)[1])
            for line in (*advice, *_questions(plan, scheduler, today)):
                print(f"  {line}")


def _over(plans: Sequence[Plan], scheduler: Scheduler, today: date) -> list[Plan]:
    """Return the plans that are over on `today`."""
    return [plan for plan in plans if scheduler.policy.last_day(plan) < today]


def _ended(plan: Plan, over: Sequence[Plan], scheduler: Scheduler) -> str:
    last = vn_date(scheduler.policy.last_day(plan), year=True)
    return f"; theo dõi đến hết {last}, nay máy không nhắc nữa" if plan in over else ""


def _count(plan: Plan) -> str:
    reports = [t.code for t in plan.tasks if all(d.kind is Kind.REPORT for d in t.deliverables)]
    tasks = f"{len(plan.tasks) - len(reports)} nhiệm vụ"
    return f"{tasks} và {', '.join(reports)}" if reports else tasks


def _questions(plan: Plan, scheduler: Scheduler, today: date) -> list[str]:
    """Return what the office has to look at: open or ambiguous dates, and holidays."""
    lines, before = [], []
    dues = occurrences(plan)
    for task in plan.tasks:
        for deliverable in task.deliverables:
            mine = [o for o in dues if o.deliverable is deliverable and o.year == plan.years[0]]
            days = ", ".join(_day(o.due, plan) for o in mine if o.due)
            name = f"{task.code} {deliverable.name} – {task.title} (“{deliverable.phrase}”)"
            far = [o.due for o in dues if o.deliverable is deliverable and _is_outside(o, plan)]
            if deliverable.event:
                how = f"Có ngày ấy, Văn phòng nhắn: /sukien {task.code} NGÀY"
                lines.append(f"chờ sự kiện, {deliverable.event.words}: {name}. {how}")
            elif deliverable.assumed:
                times = f", {deliverable.times_words}" if deliverable.times_words else ""
                lines.append(f"hạn dự kiến {days}{times}: {name}. Đúng không?")
            elif isinstance(deliverable.rule, Awaiting):
                lines.append(f"chưa có hạn: {name}. Hạn là ngày nào?")
            if far and not deliverable.assumed:
                days = ", ".join(_day(day, plan) for day in far if day)
                lines.append(f"hạn {days} ngoài {plan.time}: {name}. Đúng không?")
            before += [task.code] if deliverable.before else []
    if before:
        lines.append(
            f"“trước ngày …” ở {', '.join(dict.fromkeys(before))}: {plan.before.words} "
            f'(before = "{plan.before}" ở [plan]). Đúng không?'
        )
    unconfirmed = scheduler.calendar.unconfirmed.intersection(plan.years_by(today))
    lines += [
        f"lịch nghỉ năm {year} chưa ai xác nhận: đối chiếu thông báo nghỉ lễ, Tết "
        "rồi ghi năm vào `confirmed` của config/calendar.toml"
        for year in sorted(unconfirmed)
    ]
    return lines


def _day(day: date, plan: Plan) -> str:
    """Return “31/01”; with its year where that is not the plan's only one."""
    return vn_date(day, year=(day.year, plan.last_day.year) != (plan.year, plan.year))


def _is_outside(occurrence: Occurrence, plan: Plan) -> bool:
    """Return whether it is due outside the plan's time, though the plan names the day itself."""
    named = isinstance(occurrence.deliverable.rule, OnDay | OnDays)
    due = occurrence.due or plan.first_day
    return named and not plan.first_day <= due <= plan.last_day


@app.command(epilog="Ví dụ: reminder plan show --unit tu-phap --on 2024-01-26")
def show(
    files: options.PlanFiles = None,
    unit: options.UnitOption = None,
    on: Annotated[date | None, day_option("Xem như vào ngày này. [hôm nay]")] = None,
    sources: Annotated[
        bool, typer.Option("--sources", help="Thêm cột: hạn lấy từ câu nào, chỗ nào của văn bản.")
    ] = False,
    config: options.Config = None,
) -> None:
    """Xem các việc thành bảng: hạn, và còn bao lâu; có dữ liệu thì việc xong rồi ghi là xong."""
    plans = bootstrap.load_plans(bootstrap.plan_sources(files, config))
    options.unit(unit, plans)
    seen_on = on or bootstrap.today()
    scheduler = bootstrap.scheduler_for(plans, [seen_on])
    events = [e for e in bootstrap.recorded_events(config) if local_day(e.at) <= seen_on]
    over = [] if files else _over(plans, scheduler, seen_on)
    for plan in plans:
        if plan not in over:
            states = fold(occurrences(plan), events)
            _print_table(plan, states, scheduler, seen_on, unit, sources=sources)
    for plan in over:
        print(f"{plan.title}{_ended(plan, over, scheduler)}.")


def _print_table(
    plan: Plan,
    states: Mapping[Key, State],
    scheduler: Scheduler,
    today: date,
    unit: str | None,
    *,
    sources: bool,
) -> None:
    # rich takes 40 ms to load: only the commands that print a table pay for it.
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{plan.title} – xem {vn_day(today)}/{today.year}", title_justify="left")
    for heading, options_ in (
        ("Mã", {"style": "bold"}),
        ("Nhiệm vụ", {"ratio": 3}),
        ("Sản phẩm", {"ratio": 2}),
        ("Chủ trì", {"ratio": 2}),
        ("Hạn", {"no_wrap": True}),
        ("Còn", {"ratio": 2}),
    ):
        table.add_column(heading, **options_)
    if sources:
        table.add_column("Văn bản ghi", ratio=3)
    for task in plan.tasks:
        if unit is not None and unit not in task.lead:
            continue
        for number, deliverable in enumerate(task.deliverables):
            mine = [s for s in states.values() if s.occurrence.deliverable is deliverable]
            shown = _next(mine, today)
            table.add_row(
                Text("" if number else task.code),
                Text("" if number else task.title),
                Text(_with_period(shown.occurrence)),
                Text("" if number else ", ".join(plan.by_unit[u].label for u in task.lead)),
                Text(_due_words(shown, today)),
                Text(_left(shown, scheduler, today), style=_colour(shown, today)),
                *([Text(_source(plan, shown))] if sources else []),
            )
        table.add_section()
    options.print_wide(table, 120)
    print("* hạn dự kiến, chờ Văn phòng xác nhận")


def _with_period(occurrence: Occurrence) -> str:
    name = occurrence.deliverable.name
    return f"{name} ({occurrence.period_name})" if occurrence.deliverable.recurs else name


def _next(states: Sequence[State], today: date) -> State:
    """Return the open occurrence that is due next, else the last open one, else the last one."""
    still_open = [state for state in states if not state.closed] or states
    return next((s for s in still_open if s.due and s.due >= today), still_open[-1])


def _due_words(state: State, today: date) -> str:
    if state.due is None:
        return "chưa có hạn"
    year = f"/{state.due.year}" if state.due.year != today.year else ""
    return f"{vn_day(state.due)}{year}{'*' if state.assumed else ''}"


def _source(plan: Plan, state: State) -> str:
    """Return what the plan's document says of its date, where, and how that is read."""
    occurrence = state.occurrence
    deliverable = occurrence.deliverable
    place = origin(plan, occurrence.task, deliverable)
    reading = deliverable.before.words if deliverable.before else ""
    return "; ".join(filter(None, (f"“{deliverable.phrase}”", place, reading)))


def _left(state: State, scheduler: Scheduler, today: date) -> str:
    """Return how long is left of calendar and working days, how late it is, or that it is done."""
    if state.closed or state.submitted:
        return standing_words(state, scheduler, today)
    due = state.due
    if due is None:
        event = state.occurrence.deliverable.event
        return event.words if event else ""
    if due == today:
        return "hôm nay"
    if due > today:
        working = scheduler.calendar.count(today, due)
        return f"{(due - today).days} ngày ({working} làm việc)"
    late = scheduler.days_late(state, today)
    return f"đã qua {late} ngày làm việc" if late else "đã qua, chưa tính quá hạn"


def _colour(state: State, today: date) -> str:
    if state.due is None or state.closed:
        return "dim"
    days = (state.due - today).days
    return "red" if days < 0 else "yellow" if days <= 14 else "green"


@app.command("diff", epilog="Ví dụ: reminder plan diff data/plan2024.toml plan2024-moi.toml")
def show_diff(
    old: Annotated[Path, typer.Argument(metavar="CŨ", help="Kế hoạch trước khi sửa.")],
    new: Annotated[Path, typer.Argument(metavar="MỚI", help="Kế hoạch sau khi sửa.")],
    config: options.Config = None,
) -> None:
    """Xem kế hoạch mới thêm, bỏ và dời những gì.

    Kế hoạch trong cơ sở dữ liệu thì ghi mã, hoặc mã@bản: reminder plan diff cchc-2026@1 cchc-2026
    """
    sources = [bootstrap.plan_source(path, config) for path in (old, new)]
    before, after = (bootstrap.load_plans([source])[0] for source in sources)
    changes = diff(before, after)
    for change in changes:
        print(change)
    if not changes:
        print("Không có gì thay đổi.")


# ---- texts in the database

Name = Annotated[
    str, typer.Argument(metavar="MÃ", help="Mã kế hoạch; danh sách cán bộ thì people.")
]


@app.command(
    epilog='Ví dụ: reminder plan put data/plan2026.toml --why "theo KH 12/KH-UBND"; '
    "reminder plan put config/people.toml --people"
)
def put(
    file: Annotated[Path, typer.Argument(metavar="TỆP", help="Tệp kế hoạch, hoặc people.toml.")],
    people: Annotated[
        bool, typer.Option("--people", help="TỆP là danh sách cán bộ, không phải kế hoạch.")
    ] = False,
    own: Annotated[
        bool, typer.Option("--own", help="TỆP là cài đặt riêng của một phường (--office).")
    ] = False,
    why: Annotated[str, option("LÝ-DO", "Vì sao đổi; nằm trong Các bản đã ghi.")] = "",
    by: Annotated[str, option("NGƯỜI", "Mã người đổi, trong danh sách cán bộ.")] = "",
    agreed: Annotated[bool, typer.Option("--yes", help="Ghi luôn, không hỏi.")] = False,
    config: options.Config = None,
) -> None:
    """Đưa tệp vào cơ sở dữ liệu thành bản mới nhất ([plan] source = "database"): xem khác gì trước.

    Tệp có lỗi thì kể lỗi và không ghi. Máy đang chạy nhận trong vài giây.
    """
    from reminder.files.documents import OWN, PEOPLE, one_way, plan_name

    if own and not bootstrap.chosen():
        raise ReminderError("--own đi cùng --office MÃ: cài đặt riêng của phường nào?")
    text = one_way(read_text(file))
    name = OWN if own else PEOPLE if people else plan_name(text, str(file))
    with bootstrap.texts(config) as documents:
        among = documents.store.documents()
        newest = next((version for version in among if version.name == name), None)
        try:
            after = documents.check(name, text, among)
        except FileError as error:
            raise error.of_file(str(file), name) from None
        if by and by not in after.names:
            raise ReminderError(f"không có người “{by}” trong danh sách cán bộ")
        if newest is not None and newest.text == text:
            print("Không có gì thay đổi.")
            return
        for change in documents.changes(name, after, among):
            print(change)
        if not asking.agreed(f"Ghi thành bản mới của {name}?", agreed):
            return
        seen = newest.version if newest else 0
        reason = why or f"đưa vào từ tệp {file.name}"
        at = bootstrap.time_of(documents.store)
        version, _ = documents.record(name, text, seen=seen, by=by, why=reason, at=at)
    print(f"Đã ghi bản {version.version} của {name}. Máy đang chạy thì nhận trong vài giây.")


@app.command(
    epilog="Ví dụ: reminder plan get cchc-2026 -o plan2026.toml; "
    "reminder plan get people --version 3"
)
def get(
    name: Name,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="TỆP", help="Ghi vào tệp này.")
    ] = None,
    version: Annotated[int | None, option("SỐ", "Bản thứ mấy. [mới nhất]")] = None,
    config: options.Config = None,
) -> None:
    """Lấy văn bản của kế hoạch hay danh sách cán bộ từ cơ sở dữ liệu ra."""
    bootstrap.need_database(config)
    with bootstrap.database(config) as store:
        found, known = store.version(name, version), store.version(name)
    if found is None:
        which = f" bản {version}" if known else ""
        raise ReminderError(f"không có{which} “{name}”: xem reminder plan versions")
    if output is None:
        sys.stdout.write(found.text)
        return
    write_file(output, found.text.encode())
    print(f"Đã ghi bản {found.version} của {name} vào {output}.")


@app.command(epilog="Ví dụ: reminder plan versions cchc-2026")
def versions(
    name: Annotated[
        str | None, typer.Argument(metavar="[MÃ]", help="Mã kế hoạch, hoặc people. [mọi văn bản]")
    ] = None,
    as_json: options.AsJsonLines = False,
    config: options.Config = None,
) -> None:
    """Kể các bản đã ghi trong cơ sở dữ liệu: ai ghi, khi nào, vì sao; thiếu MÃ thì bản mới nhất."""
    bootstrap.need_database(config)
    with bootstrap.database(config) as store:
        found = store.versions(name, limit=1000) if name else store.documents()
    if as_json:
        for one in found:
            fields = {"name": one.name, "version": one.version, "by": one.by, "why": one.why}
            fields |= {"at": local(one.at).isoformat(), "sha256": one.sha256}
            print(json.dumps(fields, ensure_ascii=False))
        return
    rows = [
        (
            one.name,
            str(one.version),
            f"{local(one.at):%H:%M} {vn_date(local_day(one.at), year=True)}",
            one.by or "dòng lệnh",
            one.why if one.text else f"{one.why} (thôi dùng)",
        )
        for one in found
    ]
    headers = ("Mã", "Bản", "Lúc", "Ai", "Vì sao")
    options.print_table(headers, rows) if rows else print("Cơ sở dữ liệu chưa có văn bản nào.")


# ---- what would have been said

SIMULATE_EXAMPLES = (
    "Ví dụ: reminder simulate --from 2024-01-01 --to 2024-12-31 --done-on-due; "
    'reminder simulate --from 2024-01-15 --to 2024-02-15 --unit tu-phap --done "1c=2024-01-30"'
)


def simulate(
    start: Annotated[date, day_option("Ngày đầu.", "--from")],
    end: Annotated[date, day_option("Ngày cuối.", "--to")],
    files: options.PlanFiles = None,
    unit: options.UnitOption = None,
    done: Annotated[
        list[str] | None, option("MÃ=NGÀY", "Xong lúc 16:00 ngày ấy; ghi được nhiều lần.")
    ] = None,
    done_on_due: Annotated[
        bool, typer.Option("--done-on-due", help="Việc nào cũng xong lúc 16:00 đúng ngày hạn.")
    ] = False,
    as_json: options.AsJsonLines = False,
    config: options.Config = None,
) -> None:
    """Xem mọi tin nhắc, tin báo quá hạn và bản tổng hợp sẽ có, theo thứ tự. Không gửi gì đi.

    Trước --from coi như chưa việc nào xong, và không nhắc bù. MÃ là gì cán bộ gõ được sau /done:
    "1d báo cáo", "2c 2024-03", "2c tư pháp".
    """
    plans = bootstrap.load_plans(bootstrap.plan_sources(files, config))
    options.unit(unit, plans)
    if end < start:
        raise ReminderError(f"--to {end} đứng trước --from {start}")
    wishes = [wish for text in done or [] for wish in _wishes(text, plans)]
    # What plays the days and reads the codes takes a while to load.
    from reminder.services import simulation

    result = simulation.simulate(
        plans,
        bootstrap.scheduler_for(plans),
        start,
        end,
        done=wishes,
        done_on_due=done_on_due,
    )
    for refusal in result.refused:
        print(f"chưa đóng: {refusal}", file=sys.stderr)
    messages = [m for m in result.messages if unit in (None, m.unit)]
    _print_json(messages) if as_json else _print_listing(messages, plans)


def _wishes(text: str, plans: Sequence[Plan]) -> list[tuple[date, str, Target]]:
    """Return the targets of one `--done CODE=DATE`."""
    from reminder.understanding.model import Command, CommandError, Meaning
    from reminder.understanding.parse import parse
    from reminder.understanding.verbs import Verb

    code, equals, day_text = text.rpartition("=")
    if not equals:
        raise ReminderError(f"--done {text}: xin ghi MÃ=NGÀY, ví dụ 1c=2024-01-30")
    day = options.day(day_text.strip())
    units = tuple(unit.id for plan in plans for unit in plan.units)
    command = parse(f"/done {code}", day, Meaning(plans=tuple(plans), units=units, office=True))
    if isinstance(command, CommandError):
        raise ReminderError(f"--done {text}: {command.say}")
    if not isinstance(command, Command) or command.verb is not Verb.DONE or not command.targets:
        raise ReminderError(f"--done {text}: “{code}” không nêu việc nào để đóng")
    return [
        (day, target.plan or next(p.id for p in plans if target.task in p.by_code), target)
        for target in command.targets
    ]


def _print_json(messages: Sequence[Message]) -> None:
    for message in messages:
        fields = {
            "at": local(message.at).isoformat(),
            "unit": message.unit,
            "kind": message.kind.value,
            "items": [
                {
                    **item.key._asdict(),
                    "due": item.due.isoformat(),
                    "stage": str(item.stage),
                }
                for item in message.items
            ],
        }
        print(json.dumps(fields, ensure_ascii=False))


_KINDS = {
    MessageKind.DIGEST: "tổng hợp tuần",
    MessageKind.NUDGE: "nhắc",
    MessageKind.ESCALATION: "báo quá hạn",
    MessageKind.REQUEST: "xin gia hạn chờ quyết",
}


def _print_listing(messages: Sequence[Message], plans: Sequence[Plan]) -> None:
    names = {unit.id: unit.label for plan in plans for unit in plan.units}
    width = max(map(len, names.values()))
    for day, of_day in groupby(messages, key=lambda m: local_day(m.at)):
        print(f"\n{vn_day(day)}/{day.year}")
        for m in of_day:
            items = "; ".join(_item(item) for item in m.items)
            words = f"{names[m.unit]:{width}}  {_KINDS[m.kind]}  {items}".rstrip()
            print(f"  {local(m.at):%H:%M}  {words}")
    print(f"\n{len(messages)} tin." if messages else "Không có tin nào trong những ngày này.")


def _item(item: Item) -> str:
    period = f" {item.key.period}" if "-" in item.key.period else ""
    return f"{item.key.task}{period} ({_stage_words(item.stage)})"


def _stage_words(stage: Stage) -> str:
    if stage.offset == 0:
        return "đến hạn"
    if stage.again:
        return "hẹn nhắc lại"
    return f"trước {-stage.offset} ngày" if stage.offset < 0 else f"quá hạn {stage.offset} ngày"
