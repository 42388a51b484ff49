"""Which occurrences each row of the outbox names, of the rows that are there already too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

AT_ONCE = 1000  # rows of the outbox
KEY = [str, str, int, str]  # plan, task, deliverable, period
ITEM = [str, *KEY, str, str]  # unit, key, due day, stage


def upgrade() -> None:
    """Makes the table and fills it."""
    naming = op.create_table(
        "naming",
        sa.Column("plan", sa.Text, primary_key=True),
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("deliverable", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("period", sa.Text, primary_key=True),
        sa.Column(
            "outbox_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True
        ),
        sqlite_with_rowid=False,
    )
    outbox = sa.table("outbox", sa.column("id"), sa.column("payload"))
    some = sa.select(outbox).order_by(outbox.c.id).limit(AT_ONCE)
    connection, last = op.get_bind(), 0
    while rows := connection.execute(some.where(outbox.c.id > last)).all():
        last = rows[-1].id
        op.bulk_insert(naming, [each for row in rows for each in _named(row.id, row.payload)])


def _named(outbox_id: int, payload: str) -> list[dict[str, Any]]:
    try:
        keys = set(_keys(json.loads(payload)))
    except (ValueError, RecursionError):  # a row that was damaged is told of when it is read
        return []
    return [
        {
            "plan": plan,
            "task": task,
            "deliverable": deliverable,
            "period": period,
            "outbox_id": outbox_id,
        }
        for plan, task, deliverable, period in sorted(keys)
    ]


def _keys(value: Any) -> Iterator[tuple[Any, ...]]:
    """The keys within a payload, as lists of their four parts or as a part of an item's list."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _keys(each)
    elif isinstance(value, list):
        types = [type(each) for each in value]
        if types == KEY:
            yield tuple(value)
        elif types == ITEM:
            yield tuple(value[1:5])
        else:
            for each in value:
                yield from _keys(each)
