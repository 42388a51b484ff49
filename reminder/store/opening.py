"""How a store is opened: private files, one daemon, the right schema."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from reminder.services.ports import StoreRefusedError
from reminder.store.database import Database
from reminder.store.files import beside, make_private
from reminder.store.lock import DaemonLock, FileLock, lock_of, take_within
from reminder.store.repository import SqlStore
from reminder.store.schema import SHIPPED, Schema, is_current, migrate

log = logging.getLogger(__name__)

WAIT = 15.0  # seconds for the daemon before this one to end
BUSY = 5.0  # seconds for another program's transaction to end


def open_store(
    url: str,
    *,
    exclusive: bool,
    sleep: Callable[[float], None],
    wait: float = WAIT,
    busy: float = BUSY,
    schema: Schema = SHIPPED,
) -> SqlStore:
    """The store at `url` (sqlite:///PATH, postgresql://…), made or migrated where needed.

    `exclusive`: for a daemon, the only one until it closes the store or dies; others (the command
    line) read and write beside it. `wait` and `busy` are in seconds, `sleep` lets them pass.
    StoreRefusedError: another daemon, a newer schema, or no database of this program.
    StoreBusyError: it can't be read now. ReminderError: a path or an address that can't be used.
    """
    database = Database(url, busy=busy)
    lock = lock_of(database)
    try:
        if database.path is not None:
            make_private(database.path)
        if exclusive:
            _take(lock, wait, sleep, f"another reminder daemon{{}} runs on {database.name}")
        database.prepare()
        if not is_current(database, schema):
            if not exclusive:
                _take(
                    lock, wait, sleep, f"{database.name} must be migrated and a daemon{{}} has it"
                )
            migrate(database, schema)
            if not exclusive:
                lock.release()
    except BaseException:
        database.close()
        lock.release()
        raise
    return SqlStore(database, lock if exclusive else None)


def open_in_memory() -> SqlStore:
    """A fresh store that no file holds; it ends with its `close`."""
    database = Database("sqlite://", busy=0.0, in_memory=True)
    migrate(database, SHIPPED)
    return SqlStore(database)


def discard(path: Path, *, sleep: Callable[[float], None], wait: float = WAIT) -> None:
    """Removes the SQLite database at `path`, if it is there; never one that a daemon has open.

    StoreRefusedError: a daemon has it. ReminderError: its folder can't be written.
    """
    if not path.exists():
        return
    lock = FileLock(beside(path, ".lock"))
    _take(lock, wait, sleep, f"another reminder daemon{{}} runs on {path}")
    try:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    finally:
        lock.release()


def _take(lock: DaemonLock, wait: float, sleep: Callable[[float], None], what: str) -> None:
    if lock.take():
        return
    if wait:
        who = f" ({lock.holder()})" if lock.holder() else ""
        log.warning(
            "another reminder%s uses this database: waiting up to %g s for it to end", who, wait
        )
    if not take_within(lock, wait, sleep):
        who = lock.holder()
        raise StoreRefusedError(
            what.format(f" ({who})" if who else "")
            + ": stop it first, or name another database under [store] url"
        )
