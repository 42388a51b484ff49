"""Restoring a copy: it is verified, and the old database is kept beside it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from glob import escape
from pathlib import Path

from sqlalchemy import URL, update

from reminder.domain.calendar import local
from reminder.domain.errors import ReminderError
from reminder.domain.outbox import RowState
from reminder.store.database import file_of
from reminder.store.files import (
    PRIVATE,
    FileLock,
    beside,
    copy_verified,
    flush,
    make_private,
    unwritable,
)
from reminder.store.records import (
    ENDED,
    RESTORED,
    Restored,
    StoreRefusedError,
    meta_moment,
    stamp,
)
from reminder.store.restore_dump import put_back
from reminder.store.store import Store, open_store
from reminder.store.tables import mine, outbox

BUSY = 5.0  # seconds for another program's transaction to end
_NEW = ".restoring"
_LOGS = ("-wal", "-shm", "-journal")  # what SQLite would read together with the file


def restore(source: Path, url: str, at: datetime, *, sleep: Callable[[float], None]) -> Restored:
    """Put the copy `source` in the place of the database at `url`.

    Should the program have run after the copy was taken, what it may have sent since is marked:
    messages that still wait in the copy, and the hours up to `at` for the ticks to come.
    StoreRefusedError: a daemon has the database, or the copy is damaged, another program's, or its
    ledger was changed. ReminderError: a file that can't be read or written. Nothing has changed
    then; a crash leaves the old database or the new one, and a second call mends the rest.
    """
    database = file_of(url)
    source = source.resolve()
    if not source.is_file():
        raise ReminderError(f"không có tệp {source}: ghi tên một bản sao của `reminder backup`")
    if database is None:
        return put_back(source, url, at)
    if source == database:
        raise ReminderError(f"{source} chính là tệp dữ liệu: ghi tên một bản sao của nó")
    make_folder(database)
    new = beside(database, _NEW)
    with locked(database, "khôi phục"), _swept(new):
        take_copy(source, new)
        with closing(open_copy(new, source, sleep)) as copy:
            broken = copy.verify()
            if broken is not None:
                raise StoreRefusedError(
                    f"{source}: sổ ghi đã bị sửa từ mục {broken.number}: lấy một bản sao cũ hơn"
                )
            done = _prepared(copy, database, at)
        into_one_file(new)
        return _put_in_place(new, database, at, done)


def make_folder(database: Path) -> None:
    """Create the folder of `database`, for its owner only."""
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(database, error) from error


@contextmanager
def locked(database: Path, purpose: str) -> Iterator[None]:
    """Hold the daemon's lock; StoreRefusedError: a daemon has it, to be stopped for `purpose`."""
    lock = FileLock(beside(database, ".lock"))
    if not lock.take():
        who = f" ({lock.holder()})".replace("process", "tiến trình") if lock.holder() else ""
        raise StoreRefusedError(
            f"máy nhắc việc{who} đang chạy trên {database}: dừng máy trước rồi {purpose}"
        )
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _swept(new: Path) -> Iterator[None]:
    """Remove the new file if anything fails."""
    places = [new, *(beside(new, side) for side in (*_LOGS, ".lock"))]

    def made() -> list[Path]:  # of an older schema's copy also the one that its migration takes
        return [*places, *new.parent.glob(f"{escape(new.name)}.schema-*")]

    try:
        for place in made():
            place.unlink(missing_ok=True)
        yield
    except OSError as error:
        raise unwritable(new, error) from error
    finally:
        for place in made():
            with suppress(OSError):
                place.unlink(missing_ok=True)


def take_copy(source: Path, new: Path) -> None:
    """Write a verified copy of a database to `new`; StoreRefusedError if `source` is not sound."""
    with source.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            raise StoreRefusedError(
                f"{source} không phải bản sao dữ liệu: ghi tên một bản sao của `reminder backup`"
            )
    try:
        copy_verified(source, new, BUSY)
    except StoreRefusedError as error:
        # The fault is the copy's, whichever file SQLite met it in; nothing is to be restored first.
        raise StoreRefusedError(f"{source} đã hỏng: lấy một bản sao khác") from error


def open_copy(path: Path, called: Path, sleep: Callable[[float], None]) -> Store:
    """Open the copy as a store at the current schema; `called` is its name in errors."""
    with closing(sqlite3.connect(path)) as raw:
        names = {row[0] for row in raw.execute("SELECT name FROM sqlite_schema")}
    if not {"alembic_version", "event", "outbox"} <= names:
        raise StoreRefusedError(
            f"{called} không có dữ liệu của chương trình này: ghi tên một bản sao khác"
        )
    try:
        return open_store(url_of(path), exclusive=False, sleep=sleep)
    except StoreRefusedError as error:
        raise StoreRefusedError(str(error).replace(str(path), str(called))) from error


def url_of(path: Path) -> str:
    """Return the address of a SQLite file."""
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def _prepared(copy: Store, database: Path, at: datetime) -> Restored:
    """Prepare the copy: mark in it what may have been sent since it was made."""
    kept = copy.meta("last_tick")
    ticked = meta_moment("last_tick", kept)
    events, _ = copy.head()
    missing: int | None = 0
    stood = bool(copy.meta(ENDED))
    if database.exists():
        before = _of_present(database)
        missing = None if before is None else max(0, before[0] - events)
        stood = stood and before is not None and before == (events, kept)
    if not stood:
        mark_doubtful(copy, at)
    return Restored(ticked=ticked, events=events, missing=missing, aside=None, ran_on=not stood)


def _of_present(database: Path) -> tuple[int, str | None] | None:
    """Return the database's number of events and last tick; None if it can't be read."""
    address = f"{database.as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY)) as present:
            number, *_ = present.execute("SELECT number FROM head").fetchone()
            tick = present.execute("SELECT value FROM meta WHERE name = 'last_tick'").fetchone()
    except (sqlite3.Error, TypeError):
        return None
    return int(number), tick[0] if tick else None


def mark_doubtful(copy: Store, at: datetime) -> None:
    """Mark what the program may have sent after the copy was taken, until `at`."""
    pending = outbox.c.state == RowState.PENDING.value
    waiting = update(outbox).where(mine(outbox), pending, outbox.c.due_at <= stamp(at))
    copy.set_meta(RESTORED, at.isoformat())
    copy.set_meta(ENDED, "")
    with copy.database.of(copy.office, writes=True) as connection:
        connection.execute(waiting.values(repeat=True))


def into_one_file(new: Path) -> None:
    """Have a closed database be one file, and on the disk."""
    with closing(sqlite3.connect(new)) as raw:
        raw.execute("PRAGMA journal_mode=DELETE")
    flush(new)


def _put_in_place(new: Path, database: Path, at: datetime, done: Restored) -> Restored:
    aside = None
    if database.exists():
        aside = _free_name(database, at)
        for side in ("", "-wal", "-journal"):  # -shm is but an index of -wal
            if beside(database, side).exists():
                _link(beside(database, side), beside(aside, side))
        # Read together with the new file they would damage it; set aside they are whole.
        for side in _LOGS:
            beside(database, side).unlink(missing_ok=True)
    new.chmod(PRIVATE)
    new.replace(database)
    make_private(database)
    _flush_folder(database.parent)
    return replace(done, aside=aside)


def _free_name(database: Path, at: datetime) -> Path:
    name = f".before-{local(at):%Y-%m-%d-%H%M%S}"
    found, number = beside(database, name), 1
    while found.exists():
        number += 1
        found = beside(database, f"{name}-{number}")
    return found


def _link(old: Path, new: Path) -> None:
    try:
        os.link(old, new)
    except OSError:  # a file system without links; on a full disk this fails too, and says so
        shutil.copy2(old, new)


def _flush_folder(folder: Path) -> None:
    if sys.platform != "win32":  # Windows opens no folders
        flush(folder, os.O_RDONLY)
