"""PgQueuer's engine over processes: one that dies, one that is frozen, connections that are cut."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest
from sqlalchemy import make_url

from reminder.engine.port import Jobs
from reminder.engine.queue import PgQueue
from tests.conftest import ROOT
from tests.engine.kit import QUICK, Gate, has_jobs, running
from tests.postgres import Server, server
from tests.waiting import until, within

pytestmark = pytest.mark.asyncio


@dataclass
class Worker:
    """A process of `tests.engine.process`, and what it has told."""

    process: asyncio.subprocess.Process
    told: list[str] = field(default_factory=list)

    async def hear(self) -> None:
        """Note what it tells, until its end."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.told.append(line.decode().strip())

    @property
    def begun(self) -> list[str]:
        """The keys that it has begun, in this order."""
        return [line.removeprefix("begun ") for line in self.told if line.startswith("begun")]

    def has_begun(self, keys: set[str]) -> bool:
        """Return whether it has begun these keys, and perhaps others."""
        return keys <= set(self.begun)

    def let_go(self, key: str) -> None:
        """Have a run end."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{key}\n".encode())

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.process.pid, number)


@asynccontextmanager
async def worker(url: str) -> AsyncIterator[Worker]:
    """Start a process; kill it at the end, if it has not ended."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.engine.process", url),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    started = Worker(process)
    hearing = asyncio.create_task(started.hear())
    try:
        await until(lambda: started.told == ["ready"])
        yield started
    finally:
        if process.returncode is None:
            process.kill()
        await within(process.wait(), "the end of a worker")
        await hearing


def database_of(url: str) -> str:
    """Return the name of the database of an address."""
    return make_url(url).database or ""


@asynccontextmanager
async def waking(url: str) -> AsyncIterator[PgQueue]:
    """An engine that wakes only."""
    engine = PgQueue(url)
    async with running(engine, {}):
        yield engine


async def test_of_three_processes_one_dies_and_one_is_frozen(postgres_url: str) -> None:
    """The third takes over their keys; the frozen one comes back, and disturbs nothing."""
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(waking(postgres_url))
        workers = [await stack.enter_async_context(worker(postgres_url)) for _ in range(3)]
        dead, frozen, rest = workers
        for each in workers:
            each.send(signal.SIGSTOP)
        # Each gets two, while the others can't take them; on a slow machine it may also take over
        # those of one that is frozen already.
        for number, each in enumerate(workers):
            each.send(signal.SIGCONT)
            own = {f"k{2 * number}", f"k{2 * number + 1}"}
            for key in own:
                await engine.wake("send", key)
            await until(partial(each.has_begun, own), more=lambda: [w.told for w in workers])
            if each is not rest:
                each.send(signal.SIGSTOP)
        dead.send(signal.SIGKILL)
        keys = [f"k{number}" for number in range(6)]
        await until(lambda: sorted(rest.begun) == keys, more=lambda: [w.told for w in workers])

        held = list(frozen.begun)
        frozen.send(signal.SIGCONT)
        lost = {f"lost {key}" for key in held}
        await until(lambda: lost <= set(frozen.told), more=lambda: [w.told for w in workers])
        assert frozen.begun == held  # it has begun nothing anew
        assert await engine.jobs() == {"send": Jobs(running=6)}

        # Each key is run once more after its run, by whoever; none beside it.
        for key in held:
            await engine.wake("send", key)
        assert await engine.jobs() == {"send": Jobs(running=6)}
        for key in held:
            rest.let_go(key)
        await until(lambda: len(rest.begun) + len(frozen.begun) == 6 + 2 * len(held))
        for key in keys:
            assert (rest.begun + frozen.begun).count(key) == (3 if key in held else 1)


@pytest.mark.thorough
async def test_a_process_that_ends_gives_its_keys_back_at_once(postgres_url: str) -> None:
    """It ends by itself, without an error, and another goes on with what is left."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(worker(postgres_url))
        engine = await stack.enter_async_context(waking(postgres_url))
        for key in ["a", "b"]:
            await engine.wake("send", key)
        await until(lambda: sorted(first.begun) == ["a", "b"])
        second = await stack.enter_async_context(worker(postgres_url))
        first.send(signal.SIGTERM)
        assert await within(first.process.wait(), "the end") == 0
        await until(lambda: sorted(second.begun) == ["a", "b"])
        assert await engine.jobs() == {"send": Jobs(running=2)}


async def test_connections_that_are_cut_cost_nothing(postgres: Server, postgres_url: str) -> None:
    """Runs under way go on, each once; wakes of before and after are heard."""
    gate, engine = Gate(), PgQueue(postgres_url, pauses=QUICK)
    database = database_of(postgres_url)
    async with running(engine, {"send": gate}, free=(gate,)):
        await engine.wake("send", "a")
        await gate.has_begun("a")
        await engine.wake("send", "a")
        for _ in range(3):
            assert await asyncio.to_thread(postgres.cut, database) >= 1
            await engine.jobs()
        await engine.wake("send", "b")
        await gate.has_begun("a", "b")
        gate.let_go("a", runs=2)
        gate.let_go("b")
        await until(lambda: sorted(gate.ended) == ["a", "a", "b"])
        await has_jobs(engine, {})


async def test_a_server_that_takes_no_changes_is_waited_for(
    postgres: Server, postgres_url: str
) -> None:
    """As one that a failover has not made the first yet: runs under way go on meanwhile."""
    gate, engine = Gate(), PgQueue(postgres_url, pauses=QUICK)
    database = database_of(postgres_url)
    async with running(engine, {"send": gate}, free=(gate,)):
        await engine.wake("send", "a")
        await gate.has_begun("a")
        postgres.ask(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
        postgres.cut(database)
        gate.let_go("a")
        await until(lambda: engine._connections.why is not None)
        postgres.ask(f"ALTER DATABASE {database} RESET default_transaction_read_only")
        await has_jobs(engine, {})
        await engine.wake("send", "a")
        await gate.has_begun("a", "a")


async def test_all_that_it_keeps_outlives_a_failover(postgres: Server, postgres_url: str) -> None:
    """A replica has nothing of an unlogged table, and its sequence is broken there."""
    database = database_of(postgres_url)
    unlogged = (
        "SELECT relname FROM pg_class WHERE relnamespace = 'pgqueuer'::regnamespace "
        "AND relpersistence = 'u'"
    )
    for _ in range(2):
        engine = PgQueue(postgres_url)
        async with running(engine, {}):
            await engine.wake("send", "a")
        assert postgres.ask(unlogged, database=database) == []
        postgres.ask("ALTER TABLE pgqueuer.pgqueuer_log SET UNLOGGED", database=database)


async def test_a_period_is_begun_by_one_of_many(postgres_url: str) -> None:
    """However many processes have declared it."""
    gate = Gate()
    async with AsyncExitStack() as stack:
        for number in range(3):
            engine = PgQueue(postgres_url)
            engine.every(1e9, "send", "of all")
            engine.every(0.05, "send", f"of {number}")
            await stack.enter_async_context(running(engine, {"send": gate}))
        gate.let_go("of all", runs=3)
        for number in range(3):
            gate.let_go(f"of {number}", runs=1000)
        await until(lambda: all(gate.begun.count(f"of {number}") > 2 for number in range(3)))
    assert gate.begun.count("of all") == 1


async def test_what_picked_what_is_forgotten_after_an_hour(
    postgres: Server, postgres_url: str
) -> None:
    """PgQueuer's tables hold what waits and runs, and an hour of its log."""
    database = database_of(postgres_url)

    def rows(table: str) -> int:
        [(found,)] = postgres.ask(f"SELECT count(*) FROM pgqueuer.{table}", database=database)
        return int(found)

    gate = Gate()
    gate.let_go("a", runs=10)
    engine = PgQueue(postgres_url)
    async with running(engine, {"send": gate}):
        await engine.wake("send", "a")
        await has_jobs(engine, {})
    assert (rows("pgqueuer"), rows("pgqueuer_log") > 0) == (0, True)
    old = "UPDATE pgqueuer.pgqueuer_log SET created = created - interval '1 hour'"
    postgres.ask(old, database=database)
    async with running(PgQueue(postgres_url), {"send": gate}):
        await until(lambda: rows("pgqueuer_log") == 0, apart=True)
    assert (rows("pgqueuer"), rows("pgqueuer_statistics")) == (0, 0)


@pytest.mark.thorough
async def test_a_server_that_is_started_anew_finds_each_run_where_it_was() -> None:
    """Handlers run on meanwhile; wakes wait for the server; nothing is begun twice."""
    gate = Gate()
    with server() as own:
        engine = PgQueue(own.url(own.make()))
        async with running(engine, {"send": gate}, free=(gate,)):
            for key in ["a", "b"]:
                await engine.wake("send", key)
            await gate.has_begun("a", "b")
            own.ask("CHECKPOINT")  # the tests' server doesn't flush what it has committed
            await asyncio.to_thread(own.end)
            waking = asyncio.create_task(engine.wake("send", "c"))
            gate.let_go("b")
            await until(lambda: gate.ended == ["b"])
            await asyncio.to_thread(own.launch)
            await waking
            await gate.has_begun("a", "b", "c")
            await has_jobs(engine, {"send": Jobs(running=2)})
