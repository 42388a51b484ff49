"""The engine of many processes: PgQueuer, on the program's PostgreSQL.

A key that has work is a row of PgQueuer's table. PgQueuer picks rows, hands out their work, marks
those who work as alive, and picks anew what the dead have left. Added here are a wake that
arrives during a run, and that each run's row has an id of its own: who was thought dead and comes
back holds an id that is gone, and so can neither end nor repeat the work of its successor.

Its commits are not waited for, since what is to be done stands in the program's tables: a crash of
the server may cost the last half second of them, and a sweep or period wakes those keys anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job, TracebackRecord
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import (
    JOB_STATUS,
    Channel,
    JobId,
    QueueEntrypoint,
    QueueManagerId,
)
from pgqueuer.ports.repository import EntrypointExecutionParameter
from pgqueuer.queries import Queries
from sqlalchemy import make_url

from reminder.engine.connections import Connections
from reminder.engine.port import Begun, Handler, Jobs, Pauses, Period, keep
from reminder.ops.supervisor import Troubles, pause_until, supervise
from reminder.store.records import StoreBusyError

log = logging.getLogger(__name__)
logging.getLogger("pgqueuer").setLevel(logging.ERROR)  # a handler that fails is told of below

BEAT = timedelta(seconds=1)  # between two signs of life of a run
DEAD_AFTER = 3  # signs that are missing: another process takes the key
NOBODY = timedelta(days=1)  # the time without one, while it can't be told who is alive
GRACE = 3.0  # seconds after a connection was made in which all can give a sign of life
LOOK = timedelta(seconds=0.5)  # between two looks for work of which no notice came
AT_ONCE = 200  # keys that one process works on
BATCH = 10  # keys that are picked by one statement, so that other processes get some
PATIENCE = 10.0  # seconds that a wake, and at the end all, waits for a server that is away
PRUNE_SECONDS = 600.0
LOG_KEPT = timedelta(hours=1)  # of PgQueuer's table of who picked what

SETTINGS = DBSettings(  # each by name, so that no variable of the environment changes them
    prefix="",
    db_schema="pgqueuer",
    channel=Channel("reminder_engine"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,  # an unlogged table's sequence is broken after a failover
    widen_id=True,
)

# A run gets an id of its own, and a wake is one of before it.
BEGIN = """
UPDATE pgqueuer.pgqueuer
SET id = nextval(pg_get_serial_sequence('pgqueuer.pgqueuer', 'id')), headers = NULL
WHERE id = ANY($1::bigint[]) AND queue_manager_id = $2 AND status = 'picked'
RETURNING *"""

BEAT_OF = "UPDATE pgqueuer.pgqueuer SET heartbeat = now() WHERE id = ANY($1::bigint[]) RETURNING id"

# What was woken meanwhile waits again, behind all others.
END = """
WITH ended AS (
    DELETE FROM pgqueuer.pgqueuer WHERE id = ANY($1::bigint[])
    RETURNING entrypoint, payload, dedupe_key, headers
)
INSERT INTO pgqueuer.pgqueuer (priority, entrypoint, payload, dedupe_key, status)
SELECT 0, entrypoint, payload, dedupe_key, 'queued' FROM ended WHERE headers IS NOT NULL"""

GIVE_BACK = """
UPDATE pgqueuer.pgqueuer SET status = 'queued', queue_manager_id = NULL, updated = now()
WHERE id = ANY($1::bigint[])"""

WOKEN = """
INSERT INTO pgqueuer.pgqueuer AS row (priority, entrypoint, payload, dedupe_key, status)
SELECT 0, role, convert_to(key, 'UTF8'), role || ' ' || key, 'queued'
FROM woken ORDER BY role, key
ON CONFLICT (dedupe_key)
    WHERE status IN ('queued', 'picked') AND dedupe_key IS NOT NULL
DO UPDATE SET headers = '{"again": true}' WHERE row.status = 'picked' AND row.headers IS NULL"""

OF_A_ROLE = "WITH woken AS (SELECT DISTINCT $1::text AS role, key FROM unnest($2::text[]) AS key)"

# The first process to name a period's begin has it; what lies ahead is of a clock since set back.
DUE = """
WITH due AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
        AS each (expression, role, key, began)
), claimed AS (
    INSERT INTO pgqueuer.pgqueuer_schedules AS held (expression, entrypoint, last_run)
    SELECT expression, role || ' ' || key, began FROM due ORDER BY role, key, expression
    ON CONFLICT (expression, entrypoint) DO UPDATE SET last_run = excluded.last_run
        WHERE held.last_run < excluded.last_run OR held.last_run > now() + interval '5 seconds'
    RETURNING expression, entrypoint
), woken AS (
    SELECT DISTINCT role, key FROM due
    JOIN claimed ON claimed.expression = due.expression AND entrypoint = role || ' ' || key
)"""

# As versions of before November 2026 made them.
UNLOGGED = """
SELECT oid::regclass::text AS name FROM pg_class
WHERE relnamespace = 'pgqueuer'::regnamespace AND relkind = 'r' AND relpersistence = 'u'"""

PRUNE = "DELETE FROM pgqueuer.pgqueuer_log WHERE created < now() - $1::interval"


class _Queries(Queries):
    """PgQueuer's statements, with an id for each run, and wakes that arrive during it."""

    def __init__(self, connections: Connections, lost: Callable[[Iterable[JobId]], None]) -> None:
        super().__init__(
            connections,
            QueryBuilderEnvironment(SETTINGS),
            QueryQueueBuilder(SETTINGS),
            QuerySchedulerBuilder(SETTINGS),
        )
        self._connections = connections
        self._lost = lost

    async def dequeue(
        self,
        batch_size: int,
        entrypoints: dict[QueueEntrypoint, EntrypointExecutionParameter],
        queue_manager_id: QueueManagerId,
        global_concurrency_limit: int | None,
        heartbeat_timeout: timedelta,
    ) -> list[Job]:
        """Pick rows that wait and those of the dead; begin a run of each."""
        connected = asyncio.get_running_loop().time() - self._connections.since
        # PgQueuer gives two signs of life in a time-out, and would lose a key by a late one.
        dead = heartbeat_timeout / 2 * DEAD_AFTER if connected > GRACE else NOBODY
        picked = await super().dequeue(
            batch_size, entrypoints, queue_manager_id, global_concurrency_limit, dead
        )
        if not picked:
            return []
        rows = await self.driver.fetch(BEGIN, [job.id for job in picked], queue_manager_id)
        return [Job.model_validate(row) for row in rows]

    async def update_heartbeat(self, job_ids: list[JobId]) -> None:
        """Give a sign of life of these runs; those that another process has taken are lost."""
        rows = await self.driver.fetch(BEAT_OF, job_ids)
        self._lost(set(job_ids) - {JobId(int(str(row["id"]))) for row in rows})

    async def log_jobs(
        self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]
    ) -> None:
        """End runs: those that went well are gone, others wait again."""
        ended = [job.id for job, status, _ in job_status if status == "successful"]
        await self.driver.execute(END, ended)
        if back := [job.id for job, status, _ in job_status if status != "successful"]:
            await self.driver.execute(GIVE_BACK, back)


class PgQueue:
    """An engine whose keys are rows in PostgreSQL, for any number of processes."""

    def __init__(
        self, url: str, pauses: Pauses | None = None, troubles: Troubles | None = None
    ) -> None:
        self._pauses = pauses or Pauses()
        self._periods: list[Period] = []
        self._running: dict[tuple[str, str], tuple[JobId, asyncio.Task[object]]] = {}
        self._handlers: Mapping[str, Handler] = {}
        self._troubles = troubles or Troubles()
        self._connections = Connections(make_url(url), self._troubles)
        self._queries = _Queries(self._connections, self._lose)
        self._preparing = asyncio.Lock()
        self._is_prepared = False

    def every(self, period: float, role: str, key: str) -> None:
        """Wake a key once a period, over all processes."""
        self._periods.append(Period(every=period, role=role, key=key))

    async def wake(self, role: str, *keys: str) -> None:
        """Have the handler run for these keys soon; StoreBusyError if the server is away."""
        if not keys:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await self._prepare()
                await self._queries.driver.execute(OF_A_ROLE + WOKEN, role, list(keys))
        except TimeoutError as error:
            away = f"the engine's database has not answered for {PATIENCE:g} s"
            raise self._connections.why or StoreBusyError(away) from error

    async def run(self, handlers: Mapping[str, Handler], stop: asyncio.Event) -> None:
        """Run the handlers until `stop`, then wait for those under way."""
        self._handlers = handlers
        self._connections.patience = None
        kept = [self._keep_periods, self._prune]
        kept += [self._work] if handlers else []
        tasks = [
            asyncio.create_task(supervise("the engine", partial(each, stop), stop, 1.0))
            for each in kept
        ]
        try:
            await stop.wait()
            self._connections.patience = PATIENCE
            for task in tasks[:2]:
                task.cancel()
        finally:
            if not stop.is_set():
                for task in tasks:
                    task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._connections.close()

    async def jobs(self) -> dict[str, Jobs]:
        """Return how many keys wait and run, by role."""
        found: dict[str, Jobs] = {}
        for row in await self._queries.queue_size():
            known = found.get(row.entrypoint, Jobs())
            found[row.entrypoint] = Jobs(
                waiting=known.waiting + row.count * (row.status == "queued"),
                running=known.running + row.count * (row.status == "picked"),
            )
        return found

    async def _prepare(self) -> None:
        """Make PgQueuer's tables, or bring them up to its version, once."""
        async with self._preparing:
            if not self._is_prepared:
                await self._queries.upgrade()
                for row in await self._queries.driver.fetch(UNLOGGED):
                    await self._queries.driver.execute(f"ALTER TABLE {row['name']} SET LOGGED")
                self._is_prepared = True

    async def _work(self, stop: asyncio.Event) -> None:
        """Hand out work until `stop`; return when the handlers under way have ended."""
        await self._prepare()
        manager = QueueManager(self._queries, SETTINGS.channel)
        manager.shutdown = stop
        for role in self._handlers:
            manager.entrypoint(role)(self._handle)
        await manager.run(
            dequeue_timeout=LOOK,
            batch_size=BATCH,
            max_concurrent_tasks=AT_ONCE,
            heartbeat_timeout=2 * BEAT,
            log_aggregation_interval=timedelta(0),
        )

    async def _handle(self, job: Job) -> None:
        """Run a handler; if it fails, its key waits, the longer the more often it failed."""
        role, key = job.entrypoint, (job.payload or b"").decode()
        if former := self._running.get((role, key)):
            # Frozen for so long that it thinks itself dead: the new run alone holds the key.
            former[1].cancel()
            await asyncio.wait({former[1]})
        task = asyncio.current_task()
        assert task is not None
        self._running[role, key] = job.id, task
        name = f"{role} {key}".strip()
        try:
            await self._handlers[role](key)
        except Exception as error:
            if isinstance(error, StoreBusyError):
                self._troubles.waits(name, error, again=False)  # maybe by another process
            else:
                self._troubles.fails(name, error)
            pause = self._pauses.after(job.attempts + 1)
            raise RetryRequested(timedelta(seconds=pause)) from error
        else:
            self._troubles.over(name)
        finally:
            if self._running.get((role, key), (None,))[0] == job.id:
                del self._running[role, key]

    def _lose(self, ids: Iterable[JobId]) -> None:
        """Stop the runs whose keys another process has taken."""
        gone = set(ids)
        for (role, key), (job_id, task) in list(self._running.items()):
            if job_id in gone:
                log.warning("%s was taken over by another process: stopped here", f"{role} {key}")
                task.cancel()

    async def _keep_periods(self, stop: asyncio.Event) -> None:
        await self._prepare()
        await keep(self._periods, self._now, self._due, stop)

    async def _now(self) -> datetime:
        """Return the server's time, which is the same for all processes."""
        [row] = await self._queries.driver.fetch("SELECT clock_timestamp() AS now")
        now = row["now"]
        assert isinstance(now, datetime)
        return now.astimezone(UTC)

    async def _due(self, begun: Begun) -> None:
        await self._queries.driver.execute(
            DUE + WOKEN,
            [str(period.every) for period, _ in begun],
            [period.role for period, _ in begun],
            [period.key for period, _ in begun],
            [began for _, began in begun],
        )

    async def _prune(self, stop: asyncio.Event) -> None:
        await self._prepare()
        while not stop.is_set():
            await self._queries.driver.execute(PRUNE, LOG_KEPT)
            await pause_until(stop, PRUNE_SECONDS)
