"""What a database's driver complains of, as one sentence for the operator."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError

from reminder.core.errors import ReminderError
from reminder.ports import StoreBusyError, StoreRefusedError

_BUSY = {  # what passes, or a person can mend while the program runs
    sqlite3.SQLITE_BUSY: "is locked by another program",
    sqlite3.SQLITE_LOCKED: "is locked by another program",
    sqlite3.SQLITE_PROTOCOL: "is locked by another program",
    sqlite3.SQLITE_READONLY: "is read-only: give this user the right to write it",
    sqlite3.SQLITE_PERM: "may not be written by this user",
    sqlite3.SQLITE_IOERR: "can't be reached: the disk reports an error",
    sqlite3.SQLITE_FULL: "can't grow: the disk is full",
    sqlite3.SQLITE_CANTOPEN: "can't be opened: see its folder's rights and the disk's space",
    sqlite3.SQLITE_NOMEM: "can't be used: there is no memory left",
}
_UNREADABLE = sqlite3.SQLITE_CORRUPT
_DAMAGED = {
    _UNREADABLE: "is damaged: stop the program and restore the newest backup",
    sqlite3.SQLITE_NOTADB: "is no SQLite file: name another under [store] url, or move it away",
}
_PRIMARY = 0xFF  # an extended result code keeps the primary one in its low byte


def explain(name: str, error: Exception) -> ReminderError | None:
    """The sentence for `error` of the database `name`; None if it is the program's own slip."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        code = _code(cause) & _PRIMARY
        if code in _BUSY:
            return StoreBusyError(f"the database {name} {_BUSY[code]}")
        if code in _DAMAGED:
            return StoreRefusedError(f"the database {name} {_DAMAGED[code]}")
        return None
    if isinstance(error, OperationalError | InternalError | InterfaceError):
        first, *_ = str(cause).splitlines() or [type(cause).__name__]
        return StoreBusyError(f"the database {name} can't be used now: {first}")
    return None


def _code(error: sqlite3.Error) -> int:
    # Python's own complaint, of text that is no UTF-8, carries no code.
    undecodable = "Could not decode to UTF-8" in str(error)
    without = _UNREADABLE if undecodable else sqlite3.SQLITE_ERROR
    return getattr(error, "sqlite_errorcode", without)
