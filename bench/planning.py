"""Planning: the day's tick and the year, against one APScheduler job a reminder.

What is compared: after it, the reminders of a day are known and durable. APScheduler gets there by
adding one job for each (occurrence, unit, stage) of the year to its SQLAlchemy job store on SQLite,
through its own `add_job`; here a tick reckons the day anew from plan and ledger and writes it to
the outbox on SQLite. The peer adds as many jobs as a second allows, and is scaled by its own cost a
job, which does not fall with size; it runs no work, its executor returns at once. For the sake of
fairness its other half stands beside the same tick: finding and removing the jobs of one day that
it already holds. Beside the nation's tick stands what the bare driver takes to insert its rows. The
day is 26 January 2024, when all units are reminded of the month's end: the most that one day
brings.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from bench import wards
from bench.quiet import peak
from bench.rows import Row, at_least, at_most, in_turn, row
from reminder.domain.calendar import instant
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.services.simulation import simulate
from reminder.store.database import Database

DAY = date(2024, 1, 26)
FIRST, LAST = date(2024, 1, 1), date(2025, 1, 31)
PEER_JOBS = 100  # that a round of the peer adds
DAY_JOBS = 50
_NEW = {"outbox": "slot >= '2024-01-26'", "spoken": "at >= '2024-01-26'"}  # of the day's tick


def run() -> Iterator[Row]:
    """The rows, one after the other."""
    plan, scheduler = wards.base()
    yield _year(plan, scheduler)
    year = simulate([plan], scheduler, FIRST, LAST).messages
    reminders = sum(max(1, len(m.items)) for m in year)
    today = sum(len(m.items) for m in year if m.at == instant(DAY, wards.SLOT))
    for count in (1, 100, wards.NATION):
        yield from _day(plan, scheduler, count, reminders, today)


def _year(plan: Plan, scheduler: Scheduler) -> Row:
    def ours() -> float:
        began = time.perf_counter()
        simulate([plan], Scheduler(scheduler.calendar, scheduler.policy), FIRST, LAST)
        return time.perf_counter() - began

    (took,) = in_turn(ours)
    return row(
        "a ward's year simulated, ms", f"{took * 1e3:.1f}", figure=took * 1e3, goal=at_most(50)
    )


def _day(plan: Plan, scheduler: Scheduler, count: int, reminders: int, today: int) -> Iterator[Row]:
    plans = wards.copies(plan, count)
    days, inserted = iter(rounds(plans, scheduler)), list[float]()

    def ticked() -> float:
        took, insert = next(days)
        inserted.append(insert)
        return took

    tick, add, wake = in_turn(ticked, _adding, _waking)
    memory = peak() / 1024
    planned, woken = add * reminders * count, wake * today * count
    nation = count == wards.NATION
    name = f"{count} ward{'s' if count > 1 else ''}"
    yield row(
        f"{name}: the day's tick / the peer's planning, s",
        f"{tick:.4g}",
        f"{planned:.4g}",
        figure=planned / tick,
        goal=at_least(100) if nation else None,
    )
    yield row(
        f"{name}: the day's tick / the peer's day alone, s",
        f"{tick:.4g}",
        f"{woken:.4g}",
        figure=woken / tick,
        goal=at_least(30) if nation else None,
    )
    yield row(f"{name}: rows a year", "0 ahead", f"{reminders * count} ahead")
    if nation:
        bare = median(inserted)
        yield row(
            "the nation's tick / the bare driver's insert of its rows, s",
            f"{tick:.3f}", f"{bare:.3f}", figure=tick / bare, goal=at_most(4),
        )  # fmt: skip
        yield row("the nation's daily tick, s", f"{tick:.3f}", figure=tick, goal=at_most(2))
        yield row("the nation's memory, MB", f"{memory:.0f}")


def rounds(plans: tuple[Plan, ...], scheduler: Scheduler) -> Iterator[tuple[float, float]]:
    """Seconds of the same tick again and again, and of the bare driver for the rows it wrote.

    What either wrote is taken back.
    """
    with wards.service(plans, scheduler) as made:
        made.begin(instant(date(2024, 1, 22), wards.BEFORE))
        for day in (22, 23, 24, 25):
            made.tick(instant(date(2024, 1, day), wards.SLOT))
        made.tick(instant(DAY, wards.BEFORE))
        marks = made.store.metas()
        gc.collect()
        gc.freeze()  # as the daemon does once it is wired
        while True:
            began = time.perf_counter()
            made.tick(instant(DAY, wards.SLOT))
            took = time.perf_counter() - began
            database = made.store.database
            rows = {table: _new_rows(database, table) for table in _NEW}
            _take_back(database)
            began = time.perf_counter()
            with database.writing() as connection:
                for table, values in rows.items():
                    places = ", ".join("?" * len(values[0]))
                    driver = connection.connection.driver_connection
                    assert driver is not None
                    driver.executemany(f"INSERT INTO {table} VALUES ({places})", values)
            inserted = time.perf_counter() - began
            _take_back(database)
            kept = {name: marks[name] for name in ("tick:slot", "tick:digest", "last_tick")}
            made.store.record([], unit_names={}, meta=kept, at=instant(DAY, wards.BEFORE))
            yield took, inserted


def _new_rows(database: Database, table: str) -> list[tuple[Any, ...]]:
    with database.reading() as connection:
        found = connection.exec_driver_sql(f"SELECT * FROM {table} WHERE {_NEW[table]}")
        return [tuple(each) for each in found]


def _take_back(database: Database) -> None:
    with database.writing() as connection:
        for table, new in _NEW.items():
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE {new}")


def remind() -> None:
    """What the peer's jobs name."""


class Idle(BaseExecutor):  # type: ignore[misc]
    """Runs nothing, at once."""

    def _do_submit_job(self, job: Any, _: Any) -> None:
        self._run_job_success(job.id, [])


@contextmanager
def _peer() -> Iterator[BackgroundScheduler]:
    with tempfile.TemporaryDirectory() as folder:
        store = SQLAlchemyJobStore(url=f"sqlite:///{Path(folder) / 'jobs.db'}")
        peer = BackgroundScheduler(
            jobstores={"default": store},
            executors={"default": Idle()},
            timezone="UTC",
            job_defaults={"misfire_grace_time": None},
        )
        peer.start(paused=True)
        try:
            yield peer
        finally:
            peer.shutdown()


def _add(peer: BackgroundScheduler, count: int, first: datetime) -> None:
    for n in range(count):
        at = first + timedelta(seconds=n % 1000)
        peer.add_job(remind, "date", run_date=at, id=f"{first.year}-{n}")


def _adding() -> float:
    """Seconds for one job."""
    with _peer() as peer:
        began = time.perf_counter()
        _add(peer, PEER_JOBS, datetime(2100, 1, 1, tzinfo=UTC))
        return (time.perf_counter() - began) / PEER_JOBS


def _waking() -> float:
    """Seconds for one job that is due: found, run and removed."""
    with _peer() as peer:
        _add(peer, DAY_JOBS, datetime(2024, 1, 26, tzinfo=UTC))
        peer.state = 1  # running, but for its own thread: the wake-up is taken here
        began = time.perf_counter()
        peer._process_jobs()
        return (time.perf_counter() - began) / DAY_JOBS
