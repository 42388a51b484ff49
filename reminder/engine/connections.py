"""The connections of an engine to PostgreSQL, made anew whenever they are cut."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Self, TypeVar

import psycopg
from pgqueuer.core.tm import TaskManager
from pgqueuer.ports.driver import Driver, NotifyCallback
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.errors import DeadlockDetected
from psycopg.rows import dict_row
from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from reminder.ops.supervisor import Troubles, pause_until
from reminder.store.database import explain
from reminder.store.records import StoreBusyError

log = logging.getLogger(__name__)
T = TypeVar("T")

ENGINE = "the engine"  # in the log
# What is said of a connection that has ended; whether the server is away the next one shows.
LOST = (
    "the connection is closed",
    "the connection is lost",
    "server closed the connection",
    "consuming input failed",
)
PAUSE = 0.5  # seconds before a server that is away is tried again
GATHER = 0.02  # seconds within which notices are one notice
# SQLSTATEs of a server that is full, ending, broken, or not yet the first after a failover.
TEMPORARY = ("53", "57", "58", "25006")
OPTIONS: dict[
    str, str | int
] = {  # a server that has vanished without a word is noticed after some ten seconds
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "options": "-c synchronous_commit=off",
}


class Connections(Driver):
    """Two connections for PgQueuer: one for statements, one that listens for notices.

    PgQueuer's own driver has one for both, whose statements wait up to a second for the listener,
    and which stays cut. `patience`: seconds after which a statement gives up on a server that is
    away; None: it waits for it.
    """

    def __init__(self, url: URL, troubles: Troubles) -> None:
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._conninfo = make_conninfo(plain, application_name="reminder engine", **OPTIONS)
        self._name = url.render_as_string(hide_password=True)
        self._statements: psycopg.AsyncConnection | None = None
        self._opening = asyncio.Lock()
        self._callbacks: dict[str, list[NotifyCallback]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._told = 0.0  # when a notice was passed on last, on the loop's clock
        self._gathered: asyncio.TimerHandle | None = None
        self._shutdown = asyncio.Event()
        self._tasks = TaskManager()
        self._troubles = troubles
        self.why: StoreBusyError | None = None  # the server can't be used, as far as is known
        self.patience: float | None = None
        self.since = 0.0  # when the connection for statements was made, on the loop's clock

    @property
    def shutdown(self) -> asyncio.Event:
        """Set when no more notices are listened for."""
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        """PgQueuer's background tasks."""
        return self._tasks

    async def __aenter__(self) -> Self:
        self._shutdown.clear()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End listening; statements go on until `close`."""
        self._shutdown.set()
        while self._listening is not None and not self._listening.done():
            # Once more if need be: asyncio.wait_for, by which psycopg waits, may lose a
            # cancellation before Python 3.12 (github.com/python/cpython/issues/86296).
            self._listening.cancel()
            await asyncio.wait({self._listening}, timeout=PAUSE)
        self._listening = None
        if self._gathered is not None:
            self._gathered.cancel()
            self._gathered = None
        self._callbacks.clear()
        await self._tasks.gather_tasks()

    async def close(self) -> None:
        """Close the connection for statements; the next one opens it anew."""
        if self._statements is not None:
            await self._statements.close()
            self._statements = None

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Execute a statement; return its rows."""
        return await self._done(partial(self._fetch, query, args))

    async def execute(self, query: str, *args: object) -> str:
        """Execute a statement; return its status."""
        return await self._done(partial(self._execute, query, args))

    async def notify(self, channel: str, payload: str) -> None:
        """Send a notice to all who listen."""
        await self.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Call `callback` with each notice of a channel, as long as the driver is entered."""
        self._callbacks.setdefault(channel, []).append(callback)
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(channel))

    async def _done(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what `work` does, which is begun anew as long as the server can't do it.

        A statement whose connection was cut may have been done: each is one that may be repeated.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            try:
                done = await work()
            except DeadlockDetected:
                continue
            except psycopg.Error as error:
                if str(error).startswith(LOST):
                    continue
                if (error.sqlstate or "").startswith(TEMPORARY):
                    await self.close()  # another server may have become the first
                elif not _is_cut(self._statements):
                    raise
                self.why = _explained(self._name, error)
                self._troubles.waits(ENGINE, self.why)
                if self.patience is not None and loop.time() > began + self.patience:
                    raise
                await asyncio.sleep(PAUSE)
            else:
                self.why = None
                self._troubles.over(ENGINE)
                return done

    async def _fetch(self, query: str, args: tuple[object, ...]) -> list[dict[str, object]]:
        cursor = psycopg.AsyncRawCursor(await self._connection(), row_factory=dict_row)
        await cursor.execute(query, args or None)
        return await cursor.fetchall()

    async def _execute(self, query: str, args: tuple[object, ...]) -> str:
        cursor = psycopg.AsyncRawCursor(await self._connection())
        await cursor.execute(query, args or None)
        return cursor.statusmessage or ""

    async def _connection(self) -> psycopg.AsyncConnection:
        async with self._opening:
            if self._statements is None or _is_cut(self._statements):
                await self.close()
                self._statements = await self._connect()
                self.since = asyncio.get_running_loop().time()
            return self._statements

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)

    async def _listen(self, channel: str) -> None:
        """Pass on notices; what is sent while no connection is there, the next look finds."""
        away = False
        while not self._shutdown.is_set():
            try:
                async with await self._connect() as connection:
                    away = False
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                    async for notice in connection.notifies():
                        self._take(channel, notice.payload)
            except psycopg.Error as error:
                if not away:
                    first = next(iter(str(error).splitlines()), type(error).__name__)
                    log.info("listening again: %s", first)
                away = True
            await pause_until(self._shutdown, PAUSE)

    def _take(self, channel: str, payload: str) -> None:
        """Pass on a notice; of many within a short time, of changes to the queue, one."""
        if '"table_changed_event"' not in payload:
            self._tell(channel, payload)
        elif '"delete"' not in payload and self._gathered is None:
            loop = asyncio.get_running_loop()
            at = max(loop.time(), self._told + GATHER)
            self._gathered = loop.call_at(at, self._tell_gathered, channel, payload)

    def _tell_gathered(self, channel: str, payload: str) -> None:
        self._gathered = None
        self._told = asyncio.get_running_loop().time()
        self._tell(channel, payload)

    def _tell(self, channel: str, payload: str) -> None:
        for callback in self._callbacks.get(channel, []):
            callback(payload)


def _is_cut(connection: psycopg.AsyncConnection | None) -> bool:
    return connection is None or connection.closed or connection.broken


def _explained(name: str, error: psycopg.Error) -> StoreBusyError:
    """Return the sentence that the store has for an error of the server."""
    found = explain(name, OperationalError("", {}, error))
    return found if isinstance(found, StoreBusyError) else StoreBusyError(str(found))
