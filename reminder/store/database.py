"""The engines on one database, its errors in words, and what the parts of the store share."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    URL,
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    Executable,
    Select,
    Table,
    TableValuedAlias,
    Text,
    and_,
    bindparam,
    cast,
    column,
    create_engine,
    event,
    func,
    make_url,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    DisconnectionError,
    InterfaceError,
    InternalError,
    OperationalError,
    PendingRollbackError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import StaticPool
from sqlalchemy.sql.dml import UpdateBase

from reminder.domain.errors import ReminderError
from reminder.domain.outbox import Draft
from reminder.domain.plan import Key
from reminder.store import tables
from reminder.store.records import StoreBusyError, StoreRefusedError

# What is wrong with a database, and the same in Vietnamese, as both follow its name or hold it.
_LOCKED = (
    "is locked by another program",
    "chương trình khác đang giữ dữ liệu {name}: đóng chương trình ấy rồi thử lại",
)
_MAY_NOT_WRITE = "người dùng này không ghi được vào {name}: đổi chủ của tệp và thư mục ấy"
_DISK_FAULT = (
    "ổ đĩa của dữ liệu {name} báo lỗi: xem còn chỗ trống không, rồi xem ổ đĩa có hỏng không"
)
_DISK_FULL = "ổ đĩa của dữ liệu {name} đã đầy: xóa bớt tệp rồi thử lại"
_NO_MEMORY = "hết bộ nhớ khi dùng dữ liệu {name}: đóng bớt chương trình rồi thử lại"
DAMAGED = "dữ liệu {name} bị hỏng: dừng máy nhắc việc rồi gõ reminder restore và bản sao mới nhất"
_IS_DAMAGED = ("is damaged: stop the program and restore the newest backup", DAMAGED)
_OTHER_SCHEMA = (
    "has another schema than this program: run the newest program on it",
    "dữ liệu {name} đã theo bản chương trình mới hơn: cài bản mới nhất",
)
_BUSY = {  # temporary, or to be mended by a person while the program runs
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_PROTOCOL: _LOCKED,
    sqlite3.SQLITE_READONLY: (
        "is read-only: give this user the right to write it",
        _MAY_NOT_WRITE,
    ),
    sqlite3.SQLITE_PERM: ("may not be written by this user", _MAY_NOT_WRITE),
    sqlite3.SQLITE_IOERR: ("can't be reached: the disk reports an error", _DISK_FAULT),
    sqlite3.SQLITE_FULL: ("can't grow: the disk is full", _DISK_FULL),
    sqlite3.SQLITE_CANTOPEN: (
        "can't be opened: see its folder's rights and the disk's space",
        "không mở được dữ liệu {name}: xem quyền của thư mục, chỗ trống của ổ đĩa",
    ),
    sqlite3.SQLITE_NOMEM: ("can't be used: there is no memory left", _NO_MEMORY),
}
_UNREADABLE = sqlite3.SQLITE_CORRUPT
_DAMAGED = {
    _UNREADABLE: _IS_DAMAGED,
    sqlite3.SQLITE_NOTADB: (
        "is no SQLite file: name another under [store] url, or move it away",
        "{name} không phải tệp dữ liệu: chuyển tệp ấy đi, hoặc ghi tệp khác ở [store] url",
    ),
}
# Of PostgreSQL by the beginning of an SQLSTATE.
_BUSY_SERVER = {
    "53100": ("can't grow: its server's disk is full", _DISK_FULL),
    "53200": ("can't be used: its server has no memory left", _NO_MEMORY),
    "53300": (
        "has too many connections: raise max_connections, or run fewer programs on it",
        "máy chủ của {name} hết kết nối: tăng max_connections, hoặc chạy ít tiến trình hơn",
    ),
    "25006": (
        "is read-only: its server is a standby, or default_transaction_read_only is on",
        "máy chủ của {name} chỉ cho đọc: trỏ [store] url tới máy chủ chính",
    ),
    "55P03": _LOCKED,
    "57P0": (
        "can't be used now: its server is being stopped or started",
        "máy chủ của {name} đang dừng hoặc đang khởi động: thử lại sau",
    ),
    "58030": ("can't be reached: its server's disk reports an error", _DISK_FAULT),
}
# Words of a server, or of libpq, that has let no session come about → the SQLSTATE.
_NO_SESSION = {
    "too many clients": "53300",
    "too many connections": "53300",
    "connection slots are reserved": "53300",
    "session is read-only": "25006",
    "the database system is": "57P0",  # starting up, shutting down, in recovery mode
}
_REFUSED_BY_SERVER = {
    "42501": (
        "does not let this role do what it must: make the role of [store] url its owner",
        "người dùng ở [store] url thiếu quyền: cho làm chủ cơ sở dữ liệu {name}",
    ),
    "42P01": _OTHER_SCHEMA,
    "42703": _OTHER_SCHEMA,
    "XX00": _IS_DAMAGED,
}
_POOL_EXHAUSTED = (
    "can't be used now: all connections of this program are in use",
    "chương trình này đã dùng hết kết nối tới {name}: thử lại sau",
)
_BROKEN_OFF = (
    "can't be used now: it has broken off what was begun",
    "{name} đã ngắt giao dịch đang làm dở: thử lại sau",
)
_PRIMARY = 0xFF  # an extended result code keeps the primary one in its low byte
_OF_THE_SYSTEM = {  # what an operating system says, in Vietnamese
    "No space left on device": "ổ đĩa đã đầy, xóa bớt tệp",
    "Permission denied": "người dùng này không có quyền ghi ở đó",
    "No such file or directory": "không có tệp hay thư mục ấy",
    "Read-only file system": "ổ đĩa chỉ cho đọc",
}


def in_vietnamese(said: str) -> str:
    """Return what an operating system said in Vietnamese; what is not known as it is."""
    return _OF_THE_SYSTEM.get(said, said)


def explain(name: str, error: Exception) -> ReminderError | None:
    """Return the sentence for `error` of the database `name`; None if it is a bug of ours."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        code = _code(cause) & _PRIMARY
        if code in _BUSY:
            return _fault(StoreBusyError, name, _BUSY[code])
        if code in _DAMAGED:
            return _fault(StoreRefusedError, name, _DAMAGED[code])
        return None
    if isinstance(error, PoolTimeout):
        return _fault(StoreBusyError, name, _POOL_EXHAUSTED)
    if isinstance(error, PendingRollbackError):  # whoever has asked before this heard why
        return _fault(StoreBusyError, name, _BROKEN_OFF)
    state = _state(cause)
    for known, words in _REFUSED_BY_SERVER.items():
        if state.startswith(known):
            return _fault(StoreRefusedError, name, words, f" ({_said(cause)})")
    for known, words in _BUSY_SERVER.items():
        if state.startswith(known):
            return _fault(StoreBusyError, name, words)
    if isinstance(error, OperationalError | InternalError | InterfaceError):
        said = _said(cause)
        known = in_vietnamese(said)
        if state or "FATAL:" in str(cause):
            return StoreBusyError(
                f"the database {name} can't be used now: {said}",
                f"chưa dùng được {name} lúc này ({known}): xem lại [store] url và máy chủ",
            )
        return StoreBusyError(
            f"the database {name} can't be reached ({said}): is its server running, at that "
            "address?",
            f"không nối được với {name} ({known}): xem máy chủ có chạy không, địa chỉ có đúng "
            "không",
        )
    return None


def _fault(
    kind: type[ReminderError], name: str, words: tuple[str, str], more: str = ""
) -> ReminderError:
    english, vietnamese = words
    return kind(f"the database {name} {english}{more}", vietnamese.format(name=name))


def _state(cause: BaseException | None) -> str:
    """Return the SQLSTATE of an error of PostgreSQL; empty where there is none."""
    if state := getattr(cause, "sqlstate", None):
        return str(state)
    said = _said(cause)
    return next((code for words, code in _NO_SESSION.items() if words in said), "")


def _said(cause: BaseException | None) -> str:
    """Return what a driver's error says, in one line; of several addresses tried, the last."""
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    fatal = [line for line in lines if "FATAL:" in line or "failed:" in line]
    said = (fatal or lines or [type(cause).__name__])[-1]
    for before in ("FATAL:", "failed:"):
        said = said.rpartition(before)[2].strip()
    return said


def _code(error: sqlite3.Error) -> int:
    # Python's own complaint, of text that is no UTF-8, carries no code.
    undecodable = "Could not decode to UTF-8" in str(error)
    without = _UNREADABLE if undecodable else sqlite3.SQLITE_ERROR
    return getattr(error, "sqlite_errorcode", without)


T = TypeVar("T")
Values = Mapping[str, ColumnElement[Any]]
Chosen = Callable[[Values], Select[Any]]
NewRow = Callable[[Table], Any]  # the dialect's, with its on_conflict_…: no common type has them
EVERY = "*"  # in the place of an office's id: what spans offices
_SHOW = text("SELECT set_config('reminder.office', :office, true)")


class Database:
    """Two engines on one database: writers take the write lock at once, readers never wait.

    `busy`: seconds to wait for another program's lock before StoreBusyError. `in_memory`: of
    SQLite, one connection and no file.
    """

    def __init__(self, url: str, *, busy: float, in_memory: bool = False) -> None:
        self.url = _parsed(url)
        self.busy = busy
        self.path = None if in_memory else _path(self.url)  # of the SQLite file, if any
        self.name = str(self.path or self.url.render_as_string(hide_password=True))
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        make = _sqlite if self.is_sqlite else _postgresql
        self._writer, self._reader, self.new = make(self.url, self.path, busy)
        self._mine = threading.local()
        self._kept: list[Connection] = []  # of all threads
        self._before: Callable[[], None] | None = None

    def writing(self) -> AbstractContextManager[Connection]:
        """Open a transaction that holds the write lock from its beginning."""
        return self._joined(self._writer)

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a read-only snapshot."""
        return self._joined(self._reader)

    def before_writing(self, look: Callable[[], None] | None) -> None:
        """Have `look` called before each transaction that writes; what it raises prevents it."""
        self._before = look

    @contextmanager
    def of(self, office: str, *, writes: bool) -> Iterator[OfficeConnection]:
        """Open a transaction in which PostgreSQL shows the rows of one office only."""
        with self._joined(self._writer if writes else self._reader) as connection:
            if self.is_sqlite:
                yield OfficeConnection(connection, office)
                return
            with self.showing(connection, office):
                yield OfficeConnection(connection, office)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make one transaction of all that this thread reads and writes within the block."""
        with self.writing() as connection:
            outer, self._mine.joint = getattr(self._mine, "joint", None), connection
            try:
                yield
            finally:
                self._mine.joint = outer

    @contextmanager
    def gathering(self, connection: Connection) -> Iterator[None]:
        """Write the rows that are added within the block all at once.

        That is at its end, or before the next statement of the block. `connection`: of `together`.
        """
        self._mine.gathered = defaultdict(list)
        try:
            yield
            self._write_gathered(connection)
        finally:
            self._mine.gathered = None

    @property
    def gathered(self) -> dict[Put, list[dict[str, Any]]] | None:
        """The rows that `gathering` has yet to write, by how; None: each is written at once."""
        found: dict[Put, list[dict[str, Any]]] | None = getattr(self._mine, "gathered", None)
        return found

    def _write_gathered(self, connection: Connection) -> None:
        gathered = self.gathered
        if not gathered:
            return
        self._mine.gathered = defaultdict(list)
        with nullcontext() if self.is_sqlite else self.showing(connection, EVERY):
            for put, rows in gathered.items():
                put.execute(connection, rows)

    @contextmanager
    def showing(self, connection: Connection, office: str) -> Iterator[None]:
        """Have PostgreSQL show this transaction the rows of one office only, within the block."""
        outer: str | None = getattr(self._mine, "shown", None)
        if outer != office:
            connection.execute(_SHOW, {"office": office})
            self._mine.shown = office
        try:
            yield
        finally:
            self._mine.shown = outer
        if outer not in (None, office):
            connection.execute(_SHOW, {"office": outer})

    @contextmanager
    def _joined(self, engine: Engine) -> Iterator[Connection]:
        joint: Connection | None = getattr(self._mine, "joint", None)
        with self._explained():
            if joint is not None:  # a reader of its own would not see what was just written
                self._write_gathered(joint)
                yield joint
                return
            if self._before is not None and engine is self._writer:
                self._before()
            with self._transaction(engine) as connection:
                yield connection

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        kept = self.kept(engine) if self.is_sqlite else None
        if kept is None or kept.in_transaction():  # PostgreSQL's may have been cut meanwhile
            with engine.begin() as connection:
                yield connection
            return
        try:
            with kept.begin():
                yield kept
        except BaseException:
            # A COMMIT that SQLite has refused stays open: the pool's reset ends it.
            kept.close()
            self._kept.remove(kept)
            raise

    def kept(self, engine: Engine) -> Connection:
        """Return this thread's connection; the pool would cost as much as the statement."""
        mine: dict[Engine, Connection] = vars(self._mine).setdefault("connections", {})
        found = mine.get(engine)
        if found is None or found.closed:
            found = mine[engine] = engine.connect()
            self._kept.append(found)
        return found

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PendingRollbackError, PoolTimeout, sqlite3.Error) as error:
            raise explain(self.name, error) or error from error

    def insert(self, table: Table, *changed: str) -> Any:
        """Return the insert of a row; where its key is there, `changed` columns are written over.

        Without `changed` such a row stays as it is.
        """
        return _unless_there(self.new(table), changed)

    def put(self, table: Table, *changed: str, chosen: Chosen | None = None) -> Put:
        """Return how many rows are added, each as by `insert`.

        `chosen` makes the query for what is added of the values given; None: it is these.
        """
        return Put(self.new, table, changed, chosen, at_once=not self.is_sqlite)

    def prepare(self) -> None:
        """Switch a SQLite file to WAL mode for good: readers and a writer work side by side."""
        if self.path is not None:
            with self._explained(), closing(self._writer.raw_connection()) as raw:
                # Not within a transaction. A network's file system may refuse it.
                (mode,) = raw.cursor().execute("PRAGMA journal_mode=WAL").fetchone()
            if mode != "wal":
                raise ReminderError(
                    f"{self.name} can't be kept in SQLite's WAL mode (it stays in {mode}): "
                    "put it on a disk of this machine, not on a network share",
                    f"không dùng được dữ liệu {self.name} ở đó: đặt trên ổ đĩa của chính máy này, "
                    "đừng ở thư mục mạng",
                )

    def limit_idle(self, seconds: float) -> None:
        """Have PostgreSQL end a transaction in which nothing is done for so long.

        A process that is frozen within one would else keep others from what it has locked.
        """
        if self.is_sqlite:
            return

        def limit(raw: Any, _: object) -> None:
            raw.execute(f"SET idle_in_transaction_session_timeout = {int(seconds * 1000)}")
            raw.commit()

        for engine in (self._writer, self._reader):
            event.listen(engine.pool, "connect", limit)
            engine.dispose()

    def close(self) -> None:
        """Close all connections."""
        for connection in self._kept:
            connection.close()
        self._kept.clear()
        self._writer.dispose()
        self._reader.dispose()


class OfficeConnection:
    """A connection within a transaction whose statements are about one office.

    A new row gets the column `office`; any other statement the value of tables.OFFICE.
    """

    __slots__ = ("office", "raw")

    def __init__(self, raw: Connection, office: str) -> None:
        self.raw, self.office = raw, office

    def execute(self, statement: Any, values: Any = None) -> CursorResult[Any]:
        """Execute a statement, once or for each of many values."""
        name = "office" if statement.is_insert else "of_office"
        if values is None:
            return self.raw.execute(statement, {name: self.office})
        if isinstance(values, dict):
            return self.raw.execute(statement, {name: self.office, **values})
        return self.raw.execute(statement, [{name: self.office, **each} for each in values])


@dataclass(frozen=True, slots=True)
class OfficeDatabase:
    """A database as one office sees it."""

    whole: Database
    office: str

    def writing(self) -> AbstractContextManager[OfficeConnection]:
        """Open a transaction that holds the write lock from its beginning."""
        return self.whole.of(self.office, writes=True)

    def reading(self) -> AbstractContextManager[OfficeConnection]:
        """Open a read-only snapshot."""
        return self.whole.of(self.office, writes=False)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make one transaction of all that this thread reads and writes within the block."""
        with self.whole.together(), self.writing():  # shown once, not by each statement
            yield

    def gather(self, rows: Mapping[Put, list[dict[str, Any]]]) -> None:
        """Have rows of this office added together with those of others (`gathering`)."""
        gathered = self.whole.gathered
        assert gathered is not None
        for put, some in rows.items():
            gathered[put] += [{"office": self.office, **row} for row in some]

    def all(self, query: Executable, **values: Any) -> Sequence[Any]:
        """Return the rows of a query."""
        with self.reading() as connection:
            return connection.execute(query, values).all()


def file_of(url: str) -> Path | None:
    """Return the SQLite file at `url`; None for PostgreSQL. ReminderError if it is neither."""
    return _path(_parsed(url))


def name_of(url: str) -> str:
    """Return the name of the database at `url` at its server."""
    return str(_parsed(url).database or "reminder")


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # the latter of a port
        raise ReminderError(
            "[store] url can't be read: write sqlite:///PATH or postgresql://USER@HOST/NAME, with "
            "several servers postgresql://USER@/NAME?host=A,B&port=5432,5432",
            "không đọc được [store] url: ghi sqlite:///ĐƯỜNG-DẪN hoặc postgresql://NGƯỜI@MÁY/TÊN, "
            "nhiều máy chủ thì postgresql://NGƯỜI@/TÊN?host=A,B&port=5432,5432",
        ) from error
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise ReminderError(f"[store] url names {backend}: only sqlite and postgresql are known")
    return parsed


def _path(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite":
        return None
    if url.database in (None, "", ":memory:"):
        raise ReminderError("[store] url names no file: write sqlite:///PATH")
    # Resolved, so that two names of one file are one database to the daemon's lock.
    return Path(str(url.database)).resolve()


def _sqlite(url: URL, path: Path | None, busy: float) -> tuple[Engine, Engine, NewRow]:
    from sqlalchemy.dialects.sqlite import insert

    def engine(begin: str, *pragmas: str) -> Engine:
        # Python's own transactions begin late and lose updates: with isolation_level None
        # nothing begins but what the listener below says.
        made = create_engine(
            URL.create("sqlite", database=str(path or ":memory:"), query=url.query),
            hide_parameters=True,  # an error's text, which is logged, would hold officers' words
            connect_args={"isolation_level": None, "check_same_thread": False, "timeout": busy},
            **({"pool_size": 1} if path else {"poolclass": StaticPool}),
        )

        @event.listens_for(made, "connect")
        def connected(raw: sqlite3.Connection, _: object) -> None:
            for pragma in pragmas:
                raw.execute(f"PRAGMA {pragma}")

        @event.listens_for(made, "begin")
        def begun(connection: Connection) -> None:
            # Past SQLAlchemy, which would take longer over it than SQLite does.
            connection.connection.cursor().execute(begin)

        return made

    writer = engine("BEGIN IMMEDIATE", "synchronous=FULL")
    if path is None:  # a database in memory has no second connection
        return writer, writer, insert
    return writer, engine("BEGIN", "query_only=ON"), insert


def connect_options(url: URL, busy: float) -> dict[str, Any]:
    """Return how PostgreSQL is connected to; what `url` says itself goes before.

    Either side learns within half a minute that the other has vanished: this one first, so that it
    never believes in a lock that the server has freed.
    """
    given = {"connect_timeout": 5, "application_name": "reminder"}
    given |= {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
    given |= {"tcp_user_timeout": 20_000}  # milliseconds until what was sent is acknowledged
    session = {
        "lock_timeout": int(busy * 1000),
        "idle_in_transaction_session_timeout": 60_000,  # a frozen process holds up no other
        "tcp_keepalives_idle": 20,
        "tcp_keepalives_interval": 10,
        "tcp_keepalives_count": 3,
    }
    said = [f"-c {name}={value}" for name, value in session.items()]
    options = " ".join([*said, str(url.query.get("options", ""))])
    return {**given, **url.query, "options": options.strip()}


def _postgresql(url: URL, _: Path | None, busy: float) -> tuple[Engine, Engine, NewRow]:
    from sqlalchemy.dialects.postgresql import insert

    try:
        engine = partial(
            create_engine,
            url,
            connect_args=connect_options(url, busy),
            pool_size=1,
            pool_timeout=max(busy, 1.0),
            hide_parameters=True,
        )
        writer, reader = engine(), engine(isolation_level="REPEATABLE READ")
    except ImportError as error:
        raise ReminderError(
            "[store] url names PostgreSQL, and its driver is missing: pip install “psycopg[binary]”"
        ) from error
    for made in (writer, reader):
        event.listen(made, "checkout", _look)
    return writer, reader.execution_options(postgresql_readonly=True), insert


def _look(raw: Any, _: object, __: object) -> None:
    """Have a connection that was cut while it was idle made anew.

    This reads what the server has sent, if anything. SQLAlchemy's pool_pre_ping would ask the
    server before each transaction: one round trip in five.
    """
    try:
        raw.pgconn.consume_input()  # why the server has ended it
        raw.pgconn.consume_input()  # that it has
    except Exception as error:
        raise DisconnectionError from error


MANY = 50  # rows from which on compiling the statement once more pays


class Part:
    """The base of the store's parts, which share one database and speak of one office."""

    wakes = True  # what may have an office speak sooner has it looked at at once

    def __init__(self, database: Database, office: str = "") -> None:
        self._database = OfficeDatabase(database, office)
        self._put_draft = database.put(tables.outbox)
        self._put_naming = database.put(tables.naming, chosen=_named)

    def _one(self, shape: tables.Shape[T], *where: ColumnElement[bool]) -> T | None:
        """Return the office's value in a table for which all of `where` holds."""
        asked = select(shape.table).where(tables.mine(shape.table), *where)
        return next(map(shape.read, self._database.all(asked)), None)

    def _set(self, table: Table, where: ColumnElement[bool], **values: Any) -> None:
        """Change the office's rows of `table` for which `where` holds."""
        self._change(update(table).where(tables.mine(table), where).values(values))

    def _change(self, statement: UpdateBase, **values: Any) -> int:
        """Execute a statement in a transaction of its own; return how many rows it changed."""
        with self._database.writing() as connection:
            return connection.execute(statement, values).rowcount

    def _changed(self, returning: Executable, **values: Any) -> bool:
        """Execute a statement with a RETURNING clause; return whether it changed a row."""
        with self._database.writing() as connection:
            return connection.execute(returning, values).first() is not None

    def _wake(self, connection: OfficeConnection) -> None:
        """Have the office ticked at the next minute, where the database has many offices."""
        if connection.office and self.wakes:
            connection.execute(_WAKE)

    def _put(self, connection: OfficeConnection, drafts: Iterable[Draft], at: datetime) -> None:
        """Add to the outbox what is not there yet, with the occurrences that it names."""
        put_all(connection, self._rows_of(drafts, at))

    def _rows_of(self, drafts: Iterable[Draft], at: datetime) -> dict[Put, list[dict[str, Any]]]:
        """Return the rows of drafts, and of the occurrences that they name."""
        kept = [(draft, tables.from_draft(draft, at)) for draft in drafts]
        named = [
            {name: row[name] for name in _UNIQUE[1:]} | key._asdict()
            for draft, row in kept
            for key in draft.payload.occurrences()
        ]
        return {self._put_draft: [row for _, row in kept], self._put_naming: named}


_UNIQUE = ("office", "slot", "recipient", "kind", "subject", "channel")


def _named(values: Values) -> Select[Any]:
    """Return the row of the table naming for a row of the outbox and an occurrence."""
    key = [values[name].label(name) for name in ("office", *Key._fields)]
    unique = (tables.outbox.c[name] == values[name] for name in _UNIQUE)
    return select(*key, tables.outbox.c.id.label("outbox_id")).where(*unique)


_WAKE = (
    update(tables.office)
    .where(tables.office.c.id == tables.OFFICE, tables.office.c.next_at.is_not(None))
    .values(next_at=None)
)


def of_places(table: Table) -> ColumnElement[bool]:
    """Return the office's rows of `table` with one of the keys in `places_of`.

    SQLite has no index for the whole tuple, but one for each of its first columns.
    """
    return and_(
        tables.mine(table),
        table.c.plan.in_(bindparam("plans", expanding=True)),
        table.c.task.in_(bindparam("tasks", expanding=True)),
        tuple_(*(table.c[name] for name in Key._fields)).in_(bindparam("places", expanding=True)),
    )


def places_of(keys: Iterable[Key]) -> dict[str, Any]:
    """Return the values of `of_places`."""
    places = list(dict.fromkeys(keys))
    plans, tasks = {key.plan for key in places}, {key.task for key in places}
    return {"plans": sorted(plans), "tasks": sorted(tasks), "places": [tuple(k) for k in places]}


_TYPES: dict[str, Any] = {c.name: c.type for c in (*tables.naming.c, *tables.outbox.c)}
as_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Put:
    """How rows with the same columns, which need no conversion, are added to a table.

    PostgreSQL gets all of them as one value: a statement for each costs more on either side.
    """

    def __init__(
        self,
        new: NewRow,
        table: Table,
        changed: Sequence[str] | None,  # as of Database.insert; None: an error where a key is there
        chosen: Chosen | None = None,
        *,
        at_once: bool = False,
    ) -> None:
        self._new, self._table, self._changed = new, table, changed
        self._chosen, self._at_once = chosen, at_once
        self._made = cache(self._make)

    def execute(self, raw: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Add the rows, each with its office."""
        if not rows:
            return
        statement = self._made(tuple(rows[0]))
        if self._at_once:
            raw.execute(statement, {"given": as_json(self._last(rows))})
        elif len(rows) < MANY:
            raw.execute(statement, rows)
        else:  # to the driver: SQLAlchemy would spend as long on the values as SQLite
            made = statement.compile(dialect=raw.dialect, column_keys=list(rows[0]))
            values: Any = rows
            if made.positiontup is not None:
                values = list(map(itemgetter(*made.positiontup), rows))
            raw.exec_driver_sql(str(made), values)

    def _make(self, names: tuple[str, ...]) -> Any:
        """Return the insert of rows with these columns."""
        values: Values
        types = _TYPES if self._chosen else {c.name: c.type for c in self._table.c}
        if self._at_once:
            values = given({name: types[name] for name in names})
        else:
            values = {name: bindparam(name, type_=types[name]) for name in names}
        if self._chosen is not None:
            chosen = self._chosen(values)
        elif self._at_once:
            chosen = select(*(values[name] for name in names))
        else:
            return _unless_there(self._new(self._table), self._changed)
        made = self._new(self._table).from_select(chosen.selected_columns.keys(), chosen)
        return _unless_there(made, self._changed)

    def _last(self, rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        """Return the last row of each key, where a later one is written over an earlier one."""
        if not self._changed:
            return rows
        key = itemgetter(*(column.name for column in self._table.primary_key))
        return list({key(row): row for row in rows}.values())


def put_all(connection: OfficeConnection, rows: Mapping[Put, Sequence[dict[str, Any]]]) -> None:
    """Add rows of the connection's office."""
    for put, some in rows.items():
        for row in some:
            row["office"] = connection.office
        put.execute(connection.raw, some)


def given(columns: Mapping[str, Any]) -> Values:
    """Return the columns, of these types, of the rows in the value `given`."""
    made = func.json_to_recordset(cast(bindparam("given", type_=Text), JSON))
    rows = made.table_valued(*(column(name, type_) for name, type_ in columns.items()))
    found = rows.render_derived(name="given_rows", with_types=True)
    return {name: found.c[name] for name in columns}


@compiles(TableValuedAlias, "sqlite")
def _given_to_sqlite(alias: TableValuedAlias, compiler: Any, **_: Any) -> str:
    """Return the rows of `given` in SQLite's words."""
    extracts = (
        f"json_extract(value, '$.{each.name}') AS \"{each.name}\"" for each in alias.columns
    )
    rows = compiler.process(bindparam("given", type_=Text))
    return f"(SELECT {', '.join(extracts)} FROM json_each({rows})) AS {alias.name}"  # noqa: S608  our own names


def _unless_there(insert: Any, changed: Sequence[str] | None) -> Any:
    if changed is None:
        return insert
    if not changed:
        return insert.on_conflict_do_nothing()
    values = {name: insert.excluded[name] for name in changed}
    return insert.on_conflict_do_update(index_elements=insert.table.primary_key, set_=values)
