"""Small events, drafts and words for the store's tests, and a hand on its connection."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import Draft
from reminder.domain.payloads import Bound, Digest, Nudge
from reminder.domain.plan import Key
from reminder.domain.schedule import Item, Stage
from reminder.store import tables
from reminder.store.database import EVERY
from reminder.store.offices import Stores
from reminder.store.records import Spoken, stamp
from reminder.store.store import Store
from reminder.store.tables import SPOKEN

NOW = datetime(2024, 1, 24, 1, 0, tzinfo=UTC)  # 08:00 in Việt Nam
HOLD = timedelta(minutes=2)
KEY = Key("cchc-2024", "1c", 1, "2024")
UNITS = {"tu-phap": "Công chức Tư pháp – Hộ tịch"}
CHANNELS = ("telegram", "email")


def minutes(number: float) -> datetime:
    """`number` minutes after NOW."""
    return NOW + timedelta(minutes=number)


def set_next(stores: Stores, office: str, at: datetime | None = None) -> None:
    """Have an office speak next at `at`; None: at once."""
    values = {"next_at": None if at is None else stamp(at)}
    change = update(tables.office).where(tables.office.c.id == office).values(values)
    with stores.database.of(EVERY, writes=True) as connection:
        connection.raw.execute(change)


def event(note: str = "", **changes: Any) -> Event:
    """A “done” of 1c by tu-phap."""
    values: dict[str, Any] = {
        "at": NOW,
        "kind": EventKind.DONE,
        "key": KEY,
        "unit": "tu-phap",
        "by": "an",
        "channel": "telegram",
        "message": "77",
        "evidence": "QĐ 12/QĐ-UBND",
        "note": note,
        "until": date(2024, 1, 31),
    }
    return Event(**{**values, **changes})


def draft(recipient: str = "an", **changes: Any) -> Draft:
    """A nudge by Telegram, due at its slot."""
    values: dict[str, Any] = {
        "slot": NOW,
        "recipient": recipient,
        "kind": "nudge",
        "channel": "telegram",
    }
    values |= changes
    payloads = {
        "nudge": Nudge(items=(("tu-phap", Item(KEY, date(2024, 1, 31), Stage(-1))),)),
        "digest": Digest(),
    }
    payload = payloads.get(values["kind"], Bound(unit="tu-phap"))
    return Draft(**{"due_at": values["slot"], "payload": payload, **values})


def said(stage: str = "lead-7", **changes: Any) -> Spoken:
    """A stage of 1c, said to tu-phap."""
    values: dict[str, Any] = {"unit": "tu-phap", "kind": "nudge", "due": "2024-01-31", "at": NOW}
    return Spoken(**{"key": KEY, "stage": stage, **values, **changes})


def on_writer(store: Store, statement: str) -> Any:
    """The first value that `statement` yields on the connection that the store writes with."""
    database = store.database
    cursor = database.kept(database._writer).connection.cursor()
    cursor.execute(statement)
    found = cursor.fetchone()
    return found and found[0]


def traced(store: Store, take: Callable[[str], object]) -> None:
    """Has SQLite tell `take` each statement on the connection that this thread writes with."""
    database = store.database
    raw: Any = database.kept(database._writer).connection.dbapi_connection
    raw.set_trace_callback(take)


def spoken(store: Store, plan: str = KEY.plan) -> list[Spoken]:
    """All that was said of `plan`, in no order."""
    with store.database.of(store.office, writes=False) as connection:
        rows = connection.execute(select(SPOKEN.table).where(SPOKEN.table.c.plan == plan))
        return [SPOKEN.read(row) for row in rows]
