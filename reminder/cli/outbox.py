"""`reminder outbox`: the messages, and retrying or dropping one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from reminder.app import bootstrap
from reminder.app.bootstrap import Opened
from reminder.cli.options import STATES, Commands, Config, print_table
from reminder.domain.calendar import local
from reminder.domain.errors import ReminderError

if TYPE_CHECKING:
    from reminder.domain.outbox import Row
    from reminder.domain.payloads import Payload
    from reminder.store.store import Store

app = Commands(help="Xem các tin; gửi lại hoặc bỏ một tin.")

CODES = 6  # that a line names


class Shown(StrEnum):
    """The values of `--state`: the states of a row, and “unknown” for possible repeats."""

    PENDING = "pending"
    LEASED = "leased"
    SENT = "sent"
    DEAD = "dead"
    SUPERSEDED = "superseded"
    DROPPED = "dropped"
    UNKNOWN = "unknown"


RowId = Annotated[int, typer.Argument(metavar="SỐ", help="Số của tin trong `outbox list`.")]


@app.command("list", epilog="Ví dụ: reminder outbox list --state dead")
def show(
    state: Annotated[
        list[Shown] | None,
        typer.Option(metavar="TRẠNG-THÁI", help="Chỉ những tin này; ghi được nhiều lần."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="SỐ", help="Nhiều nhất bấy nhiêu.")] = 100,
    config: Config = None,
) -> None:
    """Xem các tin, mới nhất trước: nội dung, người nhận, kênh, trạng thái và lý do.

    Trạng thái: pending (chờ gửi), leased (đang gửi), sent (đã gửi), dead (không gửi được),
    superseded (không cần gửi nữa), dropped (đã bỏ), unknown (có thể đã đến hai lần).
    """
    with bootstrap.office(config) as opened:
        rows = _rows(opened.store, state or (), limit)
        glance = _glance(opened)
        titles = {traits.name: traits.title for traits in opened.office.known}
        cells = [_cells(row, *glance(row), titles) for row in rows]
    headers = ("Số", "Giờ", "Nội dung", "Người nhận", "Kênh", "Trạng thái", "Lần", "Ghi chú")
    print_table(headers, cells) if cells else print("Không có tin nào.")


def _rows(store: Store, shown: Sequence[Shown], limit: int) -> list[Row]:
    from reminder.domain.outbox import RowState

    states = [RowState(each.value) for each in shown if each is not Shown.UNKNOWN]
    if Shown.UNKNOWN not in shown:
        return store.rows(states=states, limit=limit)
    every = store.rows(limit=100_000)  # of several years
    return [row for row in every if row.repeat or row.state in states][:limit]


def _glance(opened: Opened) -> Callable[[Row], tuple[str, str]]:
    """The subject and the recipient of a row."""
    # Payloads and templates take a while to load.
    from reminder.domain.payloads import Items
    from reminder.messages.rows import RowRenderer
    from reminder.messages.wording import kind_words
    from reminder.services.office import STRANGER

    renderer = RowRenderer()
    context = renderer.context(opened.office, opened.now)

    def about(row: Row) -> str:
        kind = kind_words(row.draft.kind)
        payload = row.draft.payload
        items = payload.items if isinstance(payload, Items) else ()
        codes = list(dict.fromkeys(item.key.task for _, item in items))
        if codes:
            more = f" và {len(codes) - CODES} việc nữa" if len(codes) > CODES else ""
            return f"{kind} {', '.join(codes[:CODES])}{more}"
        if row.draft.kind not in ("reply", "notice"):
            return kind
        try:
            message = renderer.render(opened.office, opened.now, row)
        except Exception:  # noqa: BLE001  a row of an older program must not hide the others
            message = None
        return f"{kind}: {message.subject if message else _name(payload)}"

    def to_whom(recipient: str) -> str:
        if recipient.startswith(STRANGER):
            return f"người lạ ({recipient.removeprefix(STRANGER)})"
        name = context.name(recipient)
        return name if name == recipient else f"{name} ({recipient})"

    return lambda row: (about(row), to_whom(row.draft.recipient))


def _name(payload: Payload) -> str:
    from reminder.domain.payloads import Unreadable

    return str(payload.raw.get("view")) if isinstance(payload, Unreadable) else payload.view


def _cells(row: Row, about: str, to_whom: str, titles: Mapping[str, str]) -> tuple[object, ...]:
    notes = [
        row.error,
        f"gửi {local(row.sent_at):%d/%m %H:%M:%S}" if row.sent_at else "",
        f"thử lại {local(row.due_at):%d/%m %H:%M:%S}"
        if row.state == "pending" and row.attempts
        else "",
        "có thể đã đến hai lần" if row.repeat else "",
    ]
    draft = row.draft
    return (
        row.id,
        f"{local(draft.slot):%d/%m/%Y %H:%M}",
        about,
        to_whom,
        titles.get(draft.channel, draft.channel),
        STATES[row.state],
        row.attempts,
        "; ".join(note for note in notes if note),
    )


@app.command(epilog="Ví dụ: reminder outbox retry 17")
def retry(row: RowId, config: Config = None) -> None:
    """Gửi lại ngay một tin không gửi được (dead) hoặc đã bỏ (dropped)."""
    with bootstrap.office(config) as office:
        if not office.store.revive(row, office.now):
            raise ReminderError(
                f"tin số {row} không có, hoặc không phải tin không gửi được hay đã bỏ"
            )
    print(f"Tin số {row} sẽ được gửi lại ngay.")


@app.command(epilog="Ví dụ: reminder outbox drop 17")
def drop(row: RowId, config: Config = None) -> None:
    """Bỏ một tin đang chờ (pending) hoặc không gửi được (dead): tin ấy không gửi nữa."""
    with bootstrap.office(config) as office:
        if not office.store.drop(row):
            raise ReminderError(
                f"tin số {row} không có, hoặc không phải tin đang chờ hay không gửi được"
            )
    print(f"Đã bỏ tin số {row}.")
