"""`reminder plan`: check, show and compare plan files."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from reminder.app import bootstrap
from reminder.cli import options
from reminder.cli.usage import Commands
from reminder.domain.ledger import initial
from reminder.domain.occurrences import Occurrence, occurrences
from reminder.domain.periods import vn_date, vn_day
from reminder.domain.plan import Kind, Plan
from reminder.domain.plan_diff import diff
from reminder.domain.schedule import Scheduler

app = Commands(help="Kiểm tra, xem và so sánh tệp kế hoạch.")

Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[TỆP]...", help="Các tệp kế hoạch. [data/plan*.toml]"),
]


@app.command(epilog="Ví dụ: reminder plan check data/plan2025.toml")
def check(files: Files = None) -> None:
    """Tìm mọi lỗi của tệp kế hoạch cùng lúc, và kể những hạn Văn phòng còn phải định.

    Mã thoát 1 nếu có lỗi.
    """
    paths = bootstrap.plan_paths(files or [])
    plans = bootstrap.load_plans(paths)
    scheduler = bootstrap.scheduler_for(plans)
    for path, plan in zip(paths, plans, strict=True):
        print(f"{path}: tốt. {plan.title}: {_count(plan)}.")
        for line in _questions(plan, scheduler):
            print(f"  {line}")


def _count(plan: Plan) -> str:
    reports = [t.code for t in plan.tasks if all(d.kind is Kind.REPORT for d in t.deliverables)]
    tasks = f"{len(plan.tasks) - len(reports)} nhiệm vụ"
    return f"{tasks} và {', '.join(reports)}" if reports else tasks


def _questions(plan: Plan, scheduler: Scheduler) -> list[str]:
    """What is assumed or awaiting, as questions for the office; and an unconfirmed calendar."""
    lines = []
    for task in plan.tasks:
        for deliverable in task.deliverables:
            mine = [o for o in occurrences(plan) if o.deliverable is deliverable]
            days = ", ".join(vn_date(o.due) for o in mine if o.due)
            name = f"{task.code} {deliverable.name} – {task.title} (“{deliverable.phrase}”)"
            if not days:
                lines.append(f"chưa có hạn: {name}. Hạn là ngày nào?")
            elif deliverable.assumed:
                lines.append(f"hạn dự kiến {days}: {name}. Đúng không?")
    if plan.year in scheduler.calendar.unconfirmed:
        lines.append(
            f"lịch nghỉ năm {plan.year} chưa ai xác nhận: đối chiếu thông báo nghỉ lễ, Tết "
            "rồi ghi năm vào `confirmed` của config/calendar.toml"
        )
    return lines


@app.command(epilog="Ví dụ: reminder plan show --unit tu-phap --on 2024-01-26")
def show(
    files: options.PlanFiles = None,
    unit: options.UnitOption = None,
    on: Annotated[
        str | None, typer.Option(metavar="NGÀY", help="Xem như vào ngày này. [hôm nay]")
    ] = None,
) -> None:
    """Xem các việc thành bảng: hạn, và còn bao lâu."""
    plans = bootstrap.load_plans(bootstrap.plan_paths(files or []))
    options.unit(unit, plans)
    seen_on = options.day(on) if on else bootstrap.today()
    scheduler = bootstrap.scheduler_for(plans, [seen_on])
    for plan in plans:
        _print_table(plan, scheduler, seen_on, unit)


def _print_table(plan: Plan, scheduler: Scheduler, today: date, unit: str | None) -> None:
    # rich takes 40 ms to load: only the commands that print a table pay for it.
    from rich.console import Console
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
    for task in plan.tasks:
        if unit is not None and unit not in task.lead:
            continue
        for number, deliverable in enumerate(task.deliverables):
            mine = [o for o in occurrences(plan) if o.deliverable is deliverable]
            upcoming = next((o for o in mine if o.due and o.due >= today), mine[-1])
            table.add_row(
                Text("" if number else task.code),
                Text("" if number else task.title),
                Text(_with_period(upcoming)),
                Text("" if number else ", ".join(plan.by_unit[u].label for u in task.lead)),
                Text(_due_words(upcoming)),
                Text(_left(upcoming, scheduler, today), style=_colour(upcoming, today)),
            )
        table.add_section()
    console = Console()
    if not console.is_terminal:
        console.width = 120
    console.print(table)
    print("* hạn dự kiến, chờ Văn phòng xác nhận")


def _with_period(occurrence: Occurrence) -> str:
    name = occurrence.deliverable.name
    return f"{name} ({occurrence.period.name})" if occurrence.deliverable.recurs else name


def _due_words(occurrence: Occurrence) -> str:
    if occurrence.due is None:
        return "chưa có hạn"
    return f"{vn_day(occurrence.due)}{'*' if occurrence.deliverable.assumed else ''}"


def _left(occurrence: Occurrence, scheduler: Scheduler, today: date) -> str:
    """How long is left of calendar and of working days, or how late it would be."""
    due = occurrence.due
    if due is None:
        return ""
    if due == today:
        return "hôm nay"
    if due > today:
        working = scheduler.calendar.count(today, due)
        return f"{(due - today).days} ngày ({working} làm việc)"
    late = scheduler.days_late(initial(occurrence), today)
    return f"đã qua {late} ngày làm việc" if late else "đã qua, chưa tính quá hạn"


def _colour(occurrence: Occurrence, today: date) -> str:
    if occurrence.due is None:
        return "dim"
    days = (occurrence.due - today).days
    return "red" if days < 0 else "yellow" if days <= 14 else "green"


@app.command("diff", epilog="Ví dụ: reminder plan diff data/plan2024.toml plan2024-moi.toml")
def show_diff(
    old: Annotated[Path, typer.Argument(metavar="CŨ", help="Kế hoạch trước khi sửa.")],
    new: Annotated[Path, typer.Argument(metavar="MỚI", help="Kế hoạch sau khi sửa.")],
) -> None:
    """Xem kế hoạch mới thêm, bỏ và dời những gì."""
    before, after = (bootstrap.load_plans([path])[0] for path in (old, new))
    changes = diff(before, after)
    for change in changes:
        print(change)
    if not changes:
        print("Không có gì thay đổi.")
