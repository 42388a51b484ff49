"""What the parts of the store share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from reminder.core.outbox import Draft
from reminder.store import tables
from reminder.store.codec import from_draft
from reminder.store.database import Database


class Part:
    """A part of the store, on the connections of all."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert_draft = database.insert(tables.outbox).on_conflict_do_nothing()

    def _put(self, connection: Connection, drafts: Iterable[Draft], at: datetime) -> None:
        """Adds to the outbox what is not there yet."""
        rows = [from_draft(draft, at) for draft in drafts]
        if rows:
            connection.execute(self._insert_draft, rows)
