"""Restoring a copy: it is verified, and what it replaces is kept.

An old SQLite file lies beside the new one; old tables of PostgreSQL are moved to a schema aside, by
pg_restore and psql in one transaction.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from glob import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL, Connection, text, update

from reminder.domain.calendar import local
from reminder.domain.errors import ReminderError
from reminder.domain.outbox import RowState
from reminder.store.database import EVERY, Database, OfficeDatabase, file_of
from reminder.store.dump import NO_OWNER, SCHEMA, run
from reminder.store.files import (
    LOGS,
    PRIVATE,
    AdvisoryLock,
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
from reminder.store.store import BUSY, SHIPPED, Store, migrate, open_store
from reminder.store.tables import mine, outbox

_NEW = ".restoring"


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
        return _put_back(source, url, at)
    if source == database:
        raise ReminderError(f"{source} chính là tệp dữ liệu: ghi tên một bản sao của nó")
    make_folder(database)
    new = beside(database, _NEW)
    with locked(database, "khôi phục"), _swept(new):
        take_copy(source, new)
        with closing(open_copy(new, source, sleep)) as copy:
            _verify(copy, source)
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
    places = [new, *(beside(new, side) for side in (*LOGS, ".lock"))]

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


def _expect(source: Path, magic: bytes, what: str) -> None:
    """Raise StoreRefusedError unless the file `source` begins as a copy does."""
    with source.open("rb") as file:
        if file.read(len(magic)) != magic:
            raise StoreRefusedError(
                f"{source} không phải bản sao {what}: ghi tên một bản sao của `reminder backup`"
            )


def _of_another_program(copy: Path) -> StoreRefusedError:
    return StoreRefusedError(
        f"{copy} không có dữ liệu của chương trình này: ghi tên một bản sao khác"
    )


def _verify(copy: Store, source: Path) -> None:
    """Raise StoreRefusedError if the ledger of the copy was changed."""
    broken = copy.verify()
    if broken is not None:
        raise StoreRefusedError(
            f"{source}: sổ ghi đã bị sửa từ mục {broken.number}: lấy một bản sao cũ hơn"
        )


def take_copy(source: Path, new: Path) -> None:
    """Write a verified copy of a database to `new`; StoreRefusedError if `source` is not sound."""
    _expect(source, b"SQLite format 3\0", "dữ liệu")
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
        raise _of_another_program(called)
    try:
        return open_store(url_of(path), exclusive=False, sleep=sleep)
    except StoreRefusedError as error:
        texts = (text.replace(str(path), str(called)) for text in (str(error), error.vietnamese))
        raise StoreRefusedError(*texts) from error


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
        for side in LOGS:
            beside(database, side).unlink(missing_ok=True)
    new.chmod(PRIVATE)
    new.replace(database)
    make_private(database)
    if sys.platform != "win32":  # Windows opens no folders
        flush(database.parent, os.O_RDONLY)
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


# ---- PostgreSQL

_UNDER_WAY = "restoring "  # before the schema's version: until it is done no program begins on it
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND pid <> :lock"
)


def _put_back(source: Path, url: str, at: datetime) -> Restored:
    """Put the copy `source` in the place of the tables at `url`; those move to a schema aside.

    Where the copy proves faulty the tables that were there are put back.
    """
    _expect(source, b"PGDMP", "dữ liệu PostgreSQL")
    listed = run("pg_restore", ["--list", str(source)])
    if not all(f" TABLE {SCHEMA} {name} " in listed for name in ("alembic_version", "event")):
        raise _of_another_program(source)
    with closing(Database(url, busy=BUSY)) as database, _alone(database):
        before = _present(database)
        aside = f"before_{local(at):%Y%m%d_%H%M%S}" if before is not None else None
        _swap_in(source, database.url, aside)
        try:
            return _completed(database, before or {}, aside, at, source)
        except BaseException:
            _swap_out(database, aside)
            raise


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    """Hold the daemon's lock; raise StoreRefusedError while any program is connected."""
    lock = AdvisoryLock(database)
    if not lock.take():
        raise StoreRefusedError(
            f"máy nhắc việc đang chạy trên {database.name}: dừng máy trước rồi khôi phục"
        )
    try:
        with database.reading() as connection:
            others = connection.execute(_OTHERS, {"lock": lock.session}).scalar_one()
        if others:
            raise StoreRefusedError(
                f"còn {others} kết nối khác tới {database.name}: dừng hết tiến trình của máy nhắc "
                "việc và mọi chương trình đang mở dữ liệu ấy rồi khôi phục"
            )
        yield
    finally:
        lock.release()


@dataclass(frozen=True, slots=True)
class _Standing:
    """How far an office has come."""

    number: int  # of its ledger's last entry
    ticked: str | None


def _present(database: Database) -> dict[str, _Standing] | None:
    """Return how far each office has come; None where there are no tables of the program."""
    with database.reading() as connection:
        found = {
            name
            for (name,) in connection.execute(
                text("SELECT tablename FROM pg_tables WHERE schemaname = :here"), {"here": SCHEMA}
            )
        }
    if not {"head", "meta"} <= found:
        return {} if found else None
    with OfficeDatabase(database, EVERY).reading() as all_offices:
        return _standing(all_offices.raw)


_OF_OFFICES = text("SELECT count(*) FROM information_schema.columns WHERE table_schema = :here"
                   " AND table_name = 'head' AND column_name = 'office'")  # fmt: skip


def _standing(connection: Connection) -> dict[str, _Standing]:
    office = "office" if connection.execute(_OF_OFFICES, {"here": SCHEMA}).scalar_one() else "''"
    heads = connection.execute(text(f"SELECT {office}, number FROM head"))  # noqa: S608  constants
    ticks = connection.execute(
        text(f"SELECT {office}, value FROM meta WHERE name = 'last_tick'")  # noqa: S608
    )
    last = dict(tuple(row) for row in ticks)
    return {name: _Standing(number, last.get(name)) for name, number in heads}


def _swap_in(source: Path, url: URL, aside: str | None) -> None:
    """Put the tables of `source` in place in one transaction, as a restore that is under way."""
    with TemporaryDirectory(prefix="reminder-") as folder:
        script, wanted = Path(folder) / "copy.sql", Path(folder) / "wanted"
        listed = run("pg_restore", ["--list", str(source)]).splitlines()
        # The schema itself is made below, whether the copy makes it or not.
        wanted.write_text("\n".join(one for one in listed if " SCHEMA " not in one), "utf-8")
        options = ["--enable-row-security", *NO_OWNER, f"--use-list={wanted}", f"--file={script}"]
        run("pg_restore", [*options, str(source)])
        move = f"ALTER SCHEMA {SCHEMA} RENAME TO {aside}" if aside else f"DROP SCHEMA {SCHEMA}"
        mark = f"UPDATE {SCHEMA}.alembic_version SET version_num = '{_UNDER_WAY}' || version_num"  # noqa: S608
        run(
            "psql",
            [
                *("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"),
                f"--command={move}",
                f"--command=CREATE SCHEMA {SCHEMA}",
                f"--file={script}",
                f"--command={mark}",
            ],
            url,
        )


def _swap_out(database: Database, aside: str | None) -> None:
    """Put back the tables that were there."""
    with database.writing() as connection:
        connection.execute(text(f"DROP SCHEMA {SCHEMA} CASCADE"))
        again = f"ALTER SCHEMA {aside} RENAME TO {SCHEMA}" if aside else f"CREATE SCHEMA {SCHEMA}"
        connection.execute(text(again))


def _completed(
    database: Database,
    before: dict[str, _Standing],
    aside: str | None,
    at: datetime,
    source: Path,
) -> Restored:
    """Bring the copy to the newest schema, verify it, and mark what may have been sent since."""
    with database.together(), database.writing() as connection:
        version = "UPDATE alembic_version SET version_num = replace(version_num, :under_way, '')"
        connection.execute(text(version), {"under_way": _UNDER_WAY})
        migrate(database, SHIPPED)
        with OfficeDatabase(database, EVERY).writing() as all_offices:
            now = _standing(all_offices.raw)
        stood = True
        for office in now:
            stood &= _complete_office(Store(database, office=office), now[office],
                                      before.get(office), at, source)  # fmt: skip
    lacking = [max(0, were.number - now[name].number if name in now else were.number)
               for name, were in before.items()]  # fmt: skip
    ticks = [meta_moment("last_tick", one.ticked) for one in now.values() if one.ticked]
    return Restored(
        ticked=max((tick for tick in ticks if tick), default=None),
        events=sum(one.number for one in now.values()),
        missing=sum(lacking),
        aside=None,
        schema=aside,
        ran_on=not stood,
    )


def _complete_office(
    store: Store, now: _Standing, before: _Standing | None, at: datetime, source: Path
) -> bool:
    """Verify the records of an office; return whether it goes on exactly, else mark it."""
    _verify(store, source)
    if store.meta(ENDED) and before in (None, now):
        return True
    mark_doubtful(store, at)
    return False
