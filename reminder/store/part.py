"""What the parts of the store share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from reminder.core.outbox import Draft
from reminder.store import tables
from reminder.store.codec import from_draft
from reminder.store.database import Database

MANY = 50  # rows from which on it pays to compile the statement once more


class Part:
    """A part of the store, on the connections of all."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert_draft = database.insert(tables.outbox).on_conflict_do_nothing()

    def _put(self, connection: Connection, drafts: Iterable[Draft], at: datetime) -> None:
        """Adds to the outbox what is not there yet."""
        put_all(connection, self._insert_draft, [from_draft(draft, at) for draft in drafts])


def put_all(connection: Connection, insert: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Executes `insert` for each of `rows`, whose columns are the same and need no conversion.

    Many by the driver itself: SQLAlchemy would spend as long on the values as SQLite does.
    """
    if len(rows) < MANY:
        if rows:
            connection.execute(insert, rows)
        return
    made = insert.compile(dialect=connection.dialect, column_keys=list(rows[0]))
    values: Any = rows
    if made.positiontup is not None:
        values = list(map(itemgetter(*made.positiontup), rows))
    connection.exec_driver_sql(str(made), values)
