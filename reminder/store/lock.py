"""One daemon per database: a lock that is freed when its holder dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from reminder.store.database import Database, explain
from reminder.store.files import PRIVATE, beside, unwritable

STEP = 0.25  # seconds between two tries
_ADVISORY = 0x72656D696E64  # “remind”; an advisory lock is of one database, its number of one use
_LOCKED_BYTE = 1 << 30  # Windows does not allow reading locked bytes: far behind the process id

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """A lock on a file beside the database; the file is never removed, or two could hold it.

    The kernel frees it when the process ends, by kill -9 too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> bool:
        """Take it; False if another process holds it."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, PRIVATE)
        except OSError as error:
            raise unwritable(self._path, error) from error
        try:
            _lock(file)
        except OSError:
            os.close(file)
            return False
        # On a full disk the number can't be written, and the lock holds all the same.
        with suppress(OSError):
            os.ftruncate(file, 0)
            os.lseek(file, 0, os.SEEK_SET)
            os.write(file, str(os.getpid()).encode())
        self._file = file
        return True

    def release(self) -> None:
        """Release it, if it is held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def holder(self) -> str:
        """The holder, if known: “process 123”; otherwise empty."""
        with suppress(OSError, ValueError):
            return f"process {int(self._path.read_text('ascii'))}"
        return ""


class AdvisoryLock:
    """An advisory lock of PostgreSQL, held by one open connection."""

    def __init__(self, database: Database) -> None:
        self._name = database.name
        self._engine = create_engine(database.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._connection: Connection | None = None

    def take(self) -> bool:
        """Take it; False if another session holds it."""
        asked = text("SELECT pg_try_advisory_lock(:number)")
        try:
            connection = self._engine.connect()
            taken = bool(connection.execute(asked, {"number": _ADVISORY}).scalar())
        except DBAPIError as error:
            raise explain(self._name, error) or error from error
        if taken:
            self._connection = connection
        else:
            connection.close()
        return taken

    def release(self) -> None:
        """Release it, if it is held."""
        if self._connection is not None:
            self._connection.close()  # with NullPool the session ends, and its locks with it
            self._connection = None

    def holder(self) -> str:
        """Empty: PostgreSQL knows sessions, not processes."""
        return ""


DaemonLock = FileLock | AdvisoryLock


def lock_of(database: Database) -> DaemonLock:
    """The daemon's lock on `database`, not taken yet."""
    if database.path is None:
        return AdvisoryLock(database)
    return FileLock(beside(database.path, ".lock"))


def take_within(lock: DaemonLock, wait: float, sleep: Callable[[float], None]) -> bool:
    """Try to take `lock` for `wait` seconds; False if another process holds it."""
    waited = 0.0
    while not lock.take():
        if waited >= wait:
            return False
        sleep(STEP)
        waited += STEP
    return True
