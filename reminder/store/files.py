"""Private files, verified copies of a SQLite database, and the lock of its one daemon."""

from __future__ import annotations

import logging
import os
import selectors
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from reminder.domain.errors import ReminderError
from reminder.store.database import DAMAGED, Database, connect_options, explain, in_vietnamese
from reminder.store.records import LockLostError, StoreBusyError, StoreRefusedError

log = logging.getLogger(__name__)

PRIVATE = 0o600
PRIVATE_FOLDER = 0o700
_FOR_OTHERS = 0o077
LOGS = ("-wal", "-shm", "-journal")  # what SQLite reads together with the database
_SIDES = ("", *LOGS, ".lock")


def beside(path: Path, suffix: str) -> Path:
    """Return the path with `suffix` added to its name."""
    return path.with_name(path.name + suffix)


def unwritable(path: Path, error: OSError) -> ReminderError:
    """Return the error for a file that can't be written."""
    if isinstance(error, FileExistsError):
        return ReminderError(
            f"{path} can't be written: a file stands where its folder should be",
            f"không ghi được {path}: chỗ của thư mục có một tệp cùng tên",
        )
    said = error.strerror or str(error)
    return ReminderError(
        f"{path} can't be written: {said}", f"không ghi được {path}: {in_vietnamese(said)}"
    )


def make_private(path: Path) -> None:
    """Create the file `path` and its folder if missing; allow no other user to read it.

    ReminderError if that can't be done.
    """
    try:
        path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        # A file that is there is not opened: closing it would free SQLite's locks on it.
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE))
        for side in _SIDES:
            _tighten(beside(path, side))
    except OSError as error:
        raise unwritable(path, error) from error
    if not path.is_file():
        raise ReminderError(
            f"{path} can't be written: it is no file",
            f"không ghi được {path}: ở đó không phải một tệp",
        )


def _tighten(path: Path) -> None:
    with suppress(FileNotFoundError, PermissionError):  # another's file: its owner's matter
        mode = path.stat().st_mode
        if mode & _FOR_OTHERS:
            path.chmod(mode & ~_FOR_OTHERS & 0o777)


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Yield a private file that becomes `target` once it is written and on the disk.

    Should anything fail it is removed, with what SQLite has put beside it; ReminderError if the
    target can't be written.
    """
    part = beside(target, ".part")
    try:
        _remove(part)
        make_private(part)
        yield part
        flush(part)
        part.replace(target)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        with suppress(OSError):
            _remove(part)


def _remove(part: Path) -> None:
    for side in _SIDES:
        beside(part, side).unlink(missing_ok=True)


def copy_verified(source: Path, target: Path, busy: float) -> None:
    """Copy the SQLite database `source`, even in use, to `target` atomically.

    The copy is checked before it gets its name. `busy`: seconds to wait for
    another program's lock.
    ReminderError if the target can't be written, StoreRefusedError if the copy is not sound.
    """
    target = target.resolve()
    if target == source:
        raise ReminderError(f"{target} is the database itself: name another file for its copy")
    with written_whole(target) as part:
        try:
            _copy(source, part, busy)
        except sqlite3.Error as error:
            raise explain(str(part), error) or error from error


def _copy(source: Path, part: Path, busy: float) -> None:
    with (
        closing(sqlite3.connect(source, timeout=busy)) as old,
        closing(sqlite3.connect(part)) as new,
    ):
        old.execute("PRAGMA query_only=ON")
        old.backup(new, progress=_no_waiting)
        # One file that can be read anywhere: the source's WAL mode would want files beside it.
        new.execute("PRAGMA journal_mode=DELETE")
    if (verdict := integrity(part)) != "ok":
        raise StoreRefusedError(
            f"{source} is damaged ({verdict}): restore the newest backup",
            DAMAGED.format(name=source),
        )


def integrity(path: Path) -> str:
    """Return “ok”, or the first thing that is wrong in a SQLite file; raise ReminderError.

    Nothing is written, so a damaged file stays as it is.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as raw:
            verdict, *_ = raw.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CORRUPT:
            return str(error)  # damaged where the tables are listed: nothing can be checked
        raise explain(str(path), error) or error from error
    return str(verdict).splitlines()[-1]


def _no_waiting(status: int, _remaining: int, _total: int) -> None:
    # Python's backup would retry without end.
    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise StoreBusyError(
            "the database is locked by another program: no copy was made",
            "chương trình khác đang giữ dữ liệu, chưa sao được: đóng chương trình ấy rồi thử lại",
        )


def flush(path: Path, flags: int = os.O_RDWR) -> None:
    """Have the disk keep what was written to `path`."""
    file = os.open(path, flags)
    try:
        os.fsync(file)
    finally:
        os.close(file)


# ---- one daemon per database: a lock that is freed when its holder dies

STEP = 0.25  # seconds between two tries
_ADVISORY = 0x72656D696E64  # “remind”; an advisory lock is of one database, its number of one use
_TAKE = text("SELECT pg_try_advisory_lock(:number)")
_SESSION = text("SELECT pg_backend_pid()")
_END_OURS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND (classid::bigint << 32) + objid::bigint = :number AND pid = :session"
)
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

    def term(self) -> int | None:
        """Return 0: the kernel frees it with the process alone."""
        return 0

    def holder(self) -> str:
        """Return the holder, if known: “process 123”; otherwise empty."""
        with suppress(OSError, ValueError):
            return f"process {int(self._path.read_text('ascii'))}"
        return ""


class AdvisoryLock:
    """An advisory lock of PostgreSQL, held by one open connection, which nothing else uses.

    Once taken it is looked at before each transaction that writes: a connection that was cut has
    freed it. Then it is taken anew, or LockLostError ends the daemon.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._engine = create_engine(
            database.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args=connect_options(database.url, database.busy),
        )
        self._connection: Connection | None = None
        self._socket = -1
        self.session = 0  # the process number of the server's side
        self._term = 0

    def take(self) -> bool:
        """Take it; False if another session holds it."""
        if not self._try():
            return False
        self._database.before_writing(self._look)
        return True

    def _try(self) -> bool:
        try:
            connection = self._engine.connect()
            taken = bool(connection.execute(_TAKE, {"number": _ADVISORY}).scalar())
            session = connection.execute(_SESSION).scalar_one()
        except DBAPIError as error:
            raise explain(self._database.name, error) or error from error
        if not taken:
            connection.close()
            return False
        raw: Any = connection.connection.dbapi_connection
        self._connection, self.session, self._socket = connection, session, raw.fileno()
        self._term += 1
        return True

    def term(self) -> int | None:
        """Return how often it has been taken; None if the connection may have been cut.

        In any thread, and without asking the server: to a connection at rest it says nothing, but
        that it is over.
        """
        with suppress(OSError, ValueError), selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            if not selector.select(0):
                return self._term
        return None

    def _look(self) -> None:
        """See that it is held before a transaction; else take it anew, or raise LockLostError."""
        if self.term() is not None or self._answers():
            return
        name, cut = self._database.name, self.session
        self._drop()
        if self._try():
            log.warning("the connection that held the daemon's lock was cut: it is taken anew")
            return
        with self._engine.connect() as connection:  # the server may not know yet that it is over
            ours = connection.execute(_END_OURS, {"number": _ADVISORY, "session": cut}).first()
        if ours is not None:
            raise StoreBusyError(f"the database {name} still holds this daemon's cut connection")
        raise LockLostError(
            f"another reminder daemon has taken over {name} while this one's connection was cut: "
            "this one ends",
            f"máy nhắc việc khác đã nhận dữ liệu {name}: máy này dừng",
        )

    def _answers(self) -> bool:
        """Return whether the connection is alive: a server may also send it a notice."""
        if self._connection is not None:
            with suppress(DBAPIError):
                return bool(self._connection.execute(_SESSION).scalar() == self.session)
        return False

    def _drop(self) -> None:
        self._socket = -1
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()  # with NullPool the session ends, and its locks with it
            self._connection = None

    def release(self) -> None:
        """Release it, if it is held."""
        self._database.before_writing(None)
        self._drop()

    def holder(self) -> str:
        """Empty: PostgreSQL knows sessions, not processes."""
        return ""


DaemonLock = FileLock | AdvisoryLock


def lock_of(database: Database) -> DaemonLock:
    """Return the daemon's lock on `database`, not taken yet."""
    if database.path is None:
        return AdvisoryLock(database)
    return FileLock(beside(database.path, ".lock"))


def see_replaced(path: Path, name: str) -> Callable[[], None]:
    """Return what raises LockLostError once another file, or none, is at `path`.

    A deleted file goes on taking records, and nobody finds them.
    """
    opened = path.stat()

    def look() -> None:
        with suppress(FileNotFoundError):
            if os.path.samestat(path.stat(), opened):
                return
        raise LockLostError(
            f"the database {name} was deleted or replaced while this daemon ran: put the file back,"
            " or restore the newest backup; this one ends",
            f"dữ liệu {name} bị xóa hoặc bị thay khi máy nhắc việc đang chạy nên máy dừng: để tệp "
            "lại chỗ cũ, hoặc gõ reminder restore và bản sao mới nhất",
        )

    return look


def take_within(lock: DaemonLock, wait: float, sleep: Callable[[float], None]) -> bool:
    """Try to take `lock` for `wait` seconds; return False if another process holds it."""
    waited = 0.0
    while not lock.take():
        if waited >= wait:
            return False
        sleep(STEP)
        waited += STEP
    return True
