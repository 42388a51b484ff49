"""The store as a whole."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from reminder.domain.errors import ReminderError
from reminder.store.database import Database
from reminder.store.files import copy_verified
from reminder.store.ledger import LedgerPart
from reminder.store.lock import DaemonLock
from reminder.store.outbox import OutboxPart
from reminder.store.people import PeoplePart


class SqlStore(LedgerPart, OutboxPart, PeoplePart):
    """ports.Store on a SQL database. Synchronous; may be driven from any one thread at a time."""

    def __init__(self, database: Database, lock: DaemonLock | None = None) -> None:
        super().__init__(database)
        self._lock = lock

    def together(self) -> AbstractContextManager[None]:
        return self._database.together()

    def backup(self, target: str) -> None:
        if self._database.path is None:
            raise ReminderError(f"{self._database.name} is PostgreSQL: back it up with pg_dump")
        copy_verified(self._database.path, Path(target), self._database.busy)

    def close(self) -> None:
        self._database.close()
        if self._lock is not None:
            self._lock.release()
