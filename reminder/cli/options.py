"""Options and tables that several commands share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminder.domain.errors import ReminderError
from reminder.domain.plan import Plan
from reminder.files.toml import nearest

if TYPE_CHECKING:
    from rich.table import Table


def day(text: str) -> date:
    """The day in an argument; ReminderError if it is none."""
    for shape in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text, shape).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    raise ReminderError(f"“{text}” không phải ngày: xin ghi 2024-01-31 (hoặc 31/01/2024)")


def day_or_none(text: str | None) -> date | None:
    """The day in an optional argument."""
    return None if text is None else day(text)


def unit(text: str | None, plans: Sequence[Plan]) -> str | None:
    """A unit's id as given on the command line; ReminderError if no plan has it."""
    known = {unit.id for plan in plans for unit in plan.units}
    if text is not None and text not in known:
        units = ", ".join(sorted(known))
        raise ReminderError(f"không có bộ phận “{text}”{nearest(text, known)} Có: {units}")
    return text


def code(text: str, plans: Sequence[Plan]) -> str:
    """A task's code as given on the command line; ReminderError if no plan has it."""
    known = {task.code for plan in plans for task in plan.tasks}
    if text not in known:
        raise ReminderError(f"không có nhiệm vụ “{text}”{nearest(text, known)}")
    return text


STATES = {  # of the outbox, in words; a key is what `outbox list --state` takes
    "pending": "chờ gửi",
    "leased": "đang gửi",
    "sent": "đã gửi",
    "dead": "không gửi được",
    "superseded": "không cần gửi nữa",
    "dropped": "đã bỏ",
    "unknown": "có thể đã đến hai lần",
}
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="TỆP",
        help="Tệp cài đặt. [$REMINDER_CONFIG, hoặc config/reminder.toml]",
    ),
]
PlanFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--plan", metavar="TỆP", help="Tệp kế hoạch; ghi được nhiều lần. [data/plan*.toml]"
    ),
]
UnitOption = Annotated[
    str | None, typer.Option("--unit", metavar="BỘ-PHẬN", help="Chỉ bộ phận này, theo mã: tu-phap.")
]


def print_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table of texts."""
    from rich.table import Table  # slow to import, and only tables need it
    from rich.text import Text

    table = Table(*headers)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    print_wide(table, 160)


def print_wide(table: Table, width: int) -> None:
    """Print a table; `width` where there is no terminal, as in a file or a pipe."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = width
    console.print(table)
