"""The store: opening, migrations, one daemon at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, select, text

from reminder.store.database import Database, OfficeDatabase
from reminder.store.documents import IMPORT, VERSION, DocumentPart, ImportPart
from reminder.store.files import (
    DaemonLock,
    FileLock,
    beside,
    copy_verified,
    lock_of,
    make_private,
    see_replaced,
    take_within,
)
from reminder.store.ledger import LedgerPart
from reminder.store.outbox import OutboxPart
from reminder.store.records import MOVED, StoreRefusedError, UnreadableRowError, move_of
from reminder.store.tables import (
    ADDRESS,
    EVENT,
    INVITATION,
    SEEN,
    SPOKEN,
    Shape,
    mine,
    outbox,
    to_row,
)
from reminder.store.web import LOGIN, SESSION, SIGHT, TOKEN, WebPart

log = logging.getLogger(__name__)

WAIT = 15.0  # seconds for the daemon before this one to end
BUSY = 5.0  # seconds for another program's transaction to end
# One module a step; a step that was shipped is never changed.
MIGRATIONS = Path(__file__).with_name("migrations")
_VERSION = text("SELECT version_num FROM alembic_version")


class Store(LedgerPart, OutboxPart, DocumentPart, WebPart, ImportPart):
    """What is remembered. Each method is one transaction: all of it happened, or nothing.

    Synchronous; any one thread at a time may use it. Times are aware and come back in UTC; a naive
    one is a ValueError. Every method raises StoreBusyError where it can't read or write now, and
    StoreRefusedError on a damaged database.
    """

    def __init__(
        self, database: Database, lock: DaemonLock | None = None, *, office: str = ""
    ) -> None:
        super().__init__(database, office)
        self._lock = lock

    @property
    def office(self) -> str:
        """Whose records these are; empty where the database has one office."""
        return self._database.office

    @property
    def database(self) -> Database:
        """The database with all its offices."""
        return self._database.whole

    def of(self, office: str) -> Store:
        """Return the same store for another office."""
        found = copy(self)
        found._database = OfficeDatabase(self.database, office)  # noqa: SLF001  a copy of this
        return found

    def term(self) -> int | None:
        """Return which holding of the daemon's lock this is; None while it may be lost.

        Whatever was leased in another one may be another daemon's by now.
        """
        return self._lock.term() if self._lock is not None else 0

    def together(self) -> AbstractContextManager[None]:
        """Make all calls in the block one transaction; an exception rolls it back."""
        return self._database.together()

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Record what a tick says, within a transaction: that does not have it done once more."""
        self.wakes = False
        try:
            yield
        finally:
            self.wakes = True

    def unreadable(self) -> list[UnreadableRowError]:
        """Return the error of each row that this program can't have written, in any table."""
        shapes: tuple[Shape[Any], ...] = (
            *(EVENT, SPOKEN, ADDRESS, SEEN, INVITATION),
            *(VERSION, LOGIN, SESSION, TOKEN, SIGHT, IMPORT),
        )
        readers = [(shape.table, shape.read) for shape in shapes] + [(outbox, to_row)]
        found: list[UnreadableRowError] = []
        with self._database.reading() as connection:
            for table, read in readers:
                for row in connection.execute(select(table).where(mine(table))):
                    try:
                        read(row)
                    except UnreadableRowError as error:
                        found.append(error)
        return found

    def backup(self, target: str) -> None:
        """Write a verified copy of the database to the file `target`.

        ReminderError if the target can't be written, or is the database itself.
        """
        database = self.database
        if database.path is None:
            from reminder.store.dump import dump

            dump(database.url, Path(target))
            return
        copy_verified(database.path, Path(target), database.busy)

    def close(self) -> None:
        """Close the database, and release the daemon's lock."""
        self.database.close()
        if self._lock is not None:
            self._lock.release()


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """The schema that a program works with: its newest migration, and where they all lie."""

    version: str  # four digits that only grow
    folders: tuple[Path, ...]


SHIPPED = Schema(version="0014", folders=(MIGRATIONS / "versions",))


def open_store(
    url: str,
    *,
    exclusive: bool,
    sleep: Callable[[float], None],
    wait: float = WAIT,
    busy: float = BUSY,
    schema: Schema = SHIPPED,
) -> Store:
    """Return the store at `url` (sqlite:///PATH, postgresql://…), made or migrated where needed.

    `exclusive`: for a daemon, the only one until it closes the store or dies; others (the command
    line) read and write beside it. `wait` and `busy` are in seconds, `sleep` lets them pass.
    StoreRefusedError: another daemon, a newer schema, or no database of this program; of a daemon
    also: a file that was moved.
    StoreBusyError: it can't be read now. ReminderError: a path or an address that can't be used.
    """
    database = Database(url, busy=busy)
    lock = lock_of(database)
    try:
        if database.path is not None:
            make_private(database.path)
        if exclusive:
            _take(lock, wait, sleep, _RUNS, database.name)
            refuse_moved(database)
        database.prepare()
        if not is_current(database, schema):
            if not exclusive:
                _take(lock, wait, sleep, _TO_MIGRATE, database.name)
            migrate(database, schema)
            if not exclusive:
                lock.release()
        if exclusive and database.path is not None:
            database.before_writing(see_replaced(database.path, database.name))
    except BaseException:
        database.close()
        lock.release()
        raise
    return Store(database, lock if exclusive else None)


def open_in_memory() -> Store:
    """Return an empty store in memory; its contents are gone when it is closed."""
    database = Database("sqlite://", busy=0.0, in_memory=True)
    migrate(database, SHIPPED)
    return Store(database)


def discard(path: Path, *, sleep: Callable[[float], None], wait: float = WAIT) -> None:
    """Remove the SQLite database at `path`, if it is there; never one that a daemon has open.

    StoreRefusedError: a daemon has it. ReminderError: its folder can't be written.
    """
    if not path.exists():
        return
    lock = FileLock(beside(path, ".lock"))
    _take(lock, wait, sleep, _RUNS, str(path))
    try:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    finally:
        lock.release()


# Why a daemon's lock is wanted, in English and in Vietnamese.
_RUNS = (
    "another reminder daemon{who} runs on {name}",
    (
        "máy nhắc việc khác{who} đang chạy trên {name}: dừng máy ấy trước, hoặc ghi cơ sở dữ liệu "
        "khác ở [store] url"
    ),
)
_TO_MIGRATE = (
    "{name} must be migrated and a daemon{who} has it",
    "cần nâng cấp {name} mà máy nhắc việc{who} đang chạy: dừng máy ấy trước",
)


def _take(
    lock: DaemonLock,
    wait: float,
    sleep: Callable[[float], None],
    what: tuple[str, str],
    name: str,
) -> None:
    if lock.take():
        return
    if wait:
        who = f" ({lock.holder()})" if lock.holder() else ""
        log.warning(
            "another reminder%s uses this database: waiting up to %g s for it to end", who, wait
        )
    if not take_within(lock, wait, sleep):
        who = f" ({lock.holder()})" if lock.holder() else ""
        english, vietnamese = what
        raise StoreRefusedError(
            english.format(who=who, name=name)
            + ": stop it first, or name another database under [store] url",
            vietnamese.format(who=who.replace("process", "tiến trình"), name=name),
        )


def refuse_moved(database: Database) -> None:
    """Raise StoreRefusedError for a ward's file that was moved into a database of many offices."""
    if database.path is None:
        return
    with database.reading() as connection:
        if not inspect(connection).has_table("meta"):
            return
        asked = text("SELECT value FROM meta WHERE name = :name")
        move = move_of(connection.execute(asked, {"name": MOVED}).scalar())
    if move is None:
        return
    what = f"was moved on {move.day}" if move.done else "is being moved"
    back = (
        f"there “reminder export-office {move.office} FILE --leave” gives the file to go on with"
        if move.done
        else "run that “reminder import-office” again to its end"
    )
    raise StoreRefusedError(
        f"{database.name} {what} into {move.to}, as its office {move.office}: nothing may be sent"
        f" or recorded from here; {back}"
    )


def schema_version(database: Database) -> str:
    """Return the version of the schema of `database`; empty if it has no table yet.

    StoreRefusedError if its tables are another program's.
    """
    with database.reading() as connection:
        names = inspect(connection).get_table_names()
        tracked = "alembic_version" in names
        versions = connection.execute(_VERSION).scalars().all() if tracked else []
    if names and len(versions) != 1:
        raise StoreRefusedError(
            f"the database {database.name} holds tables of another program:"
            " give this one a database of its own under [store] url",
            f"{database.name} là dữ liệu của chương trình khác: ghi cơ sở dữ liệu khác ở [store] "
            "url",
        )
    return str(versions[0]) if versions else ""


def is_current(database: Database, schema: Schema) -> bool:
    """Return whether nothing is to be migrated; raise StoreRefusedError for a newer schema."""
    version = schema_version(database)
    if version > schema.version:
        raise StoreRefusedError(
            f"the database {database.name} was written by a newer program (schema {version}, this"
            f" one knows {schema.version}): install that program again, or restore an older backup",
            f"dữ liệu {database.name} do bản mới hơn ghi: cài lại bản ấy, hoặc khôi phục bản sao "
            "cũ hơn",
        )
    return version == schema.version


def migrate(database: Database, schema: Schema) -> None:
    """Bring `database` to `schema`; a SQLite file that has an older one is copied first.

    The copy is named after the file, with “.schema-VERSION.bak”. The caller holds the daemon's
    lock.
    """
    if is_current(database, schema):  # another process has migrated it
        return
    version = schema_version(database)
    if version and database.path is not None:
        backup = beside(database.path, f".schema-{version}.bak")
        copy_verified(database.path, backup, database.busy)
    with database.writing() as connection:
        _upgrade(connection, schema)


def _upgrade(connection: Connection, schema: Schema) -> None:
    # Alembic takes 0.2 s and 10 MB: only a start that migrates pays for it.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    places = {
        "script_location": MIGRATIONS.as_posix(),
        "path_separator": "newline",
        "version_locations": "\n".join(folder.as_posix() for folder in schema.folders),
    }
    for name, place in places.items():
        config.set_main_option(name, place.replace("%", "%%"))  # as configparser wants it
    command.upgrade(config, schema.version)
