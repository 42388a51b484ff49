"""`reminder outbox`: messages on their way, and what the operator can do about one."""

from __future__ import annotations

from typing import Annotated

import typer

from reminder import bootstrap
from reminder.cli.options import Config
from reminder.cli.people import print_table
from reminder.core.errors import ReminderError
from reminder.core.outbox import Row, RowState
from reminder.core.workdays import local

app = typer.Typer(help="List messages; send one again, or drop it.", no_args_is_help=True)

RowId = Annotated[int, typer.Argument(metavar="ID", help="The number in `outbox list`.")]


@app.command("list", epilog="Example: reminder outbox list --state dead")
def show(
    state: Annotated[
        list[RowState] | None, typer.Option(metavar="S", help="Only these; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many.")] = 100,
    config: Config = None,
) -> None:
    """List messages, the newest slot first: to whom, by which channel, how it stands and why.

    S is one of pending, leased, sent, dead, superseded, dropped.
    """
    with bootstrap.office(config) as office:
        rows = office.store.rows(states=state or (), limit=limit)
    headers = ("Số", "Giờ", "Loại", "Người nhận", "Kênh", "Trạng thái", "Lần", "Ghi chú")
    print_table(headers, map(_cells, rows)) if rows else print("Không có tin nào.")


def _cells(row: Row) -> tuple[object, ...]:
    notes = [
        row.error,
        f"gửi {local(row.sent_at):%d/%m %H:%M:%S}" if row.sent_at else "",
        f"thử lại {local(row.due_at):%d/%m %H:%M:%S}" if _waits(row) else "",
        "có thể gửi lặp" if row.repeat else "",
    ]
    draft = row.draft
    return (
        row.id,
        f"{local(draft.slot):%d/%m/%Y %H:%M}",
        draft.kind,
        draft.recipient,
        draft.channel,
        row.state.value,
        row.attempts,
        "; ".join(note for note in notes if note),
    )


def _waits(row: Row) -> bool:
    return row.state is RowState.PENDING and row.attempts > 0


@app.command(epilog="Example: reminder outbox retry 17")
def retry(row: RowId, config: Config = None) -> None:
    """Send a dead or dropped message again, at once."""
    with bootstrap.office(config) as office:
        if not office.store.revive(row, office.now):
            raise ReminderError(f"tin số {row} không có, hoặc không phải dead hay dropped")
    print(f"Tin số {row} sẽ được gửi lại ngay.")


@app.command(epilog="Example: reminder outbox drop 17")
def drop(row: RowId, config: Config = None) -> None:
    """Drop a message that waits or is dead: it is not sent."""
    with bootstrap.office(config) as office:
        if not office.store.drop(row):
            raise ReminderError(f"tin số {row} không có, hoặc không phải pending hay dead")
    print(f"Đã bỏ tin số {row}.")
