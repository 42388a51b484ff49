"""Growth: ten years of one ward in SQLite beside an empty database, in turn.

One year is played through the program; the nine before it are its copies, moved back by whole
weeks and named as plans of their years, so that ledger, outbox, spoken stages and seen updates are
as ten years leave them. Then the same three acts on a copy of each database: the tick of a slot,
all that goes out on that Monday with the weekly digest, and an officer's answer with its reply.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median

from bench import wards
from bench.rows import Row, at_most, row
from bench.sides import result
from bench.year import _from, _send
from reminder.domain.calendar import instant
from reminder.domain.ledger import Event
from reminder.domain.plan import Key, Plan
from reminder.domain.schedule import Scheduler
from reminder.services.service import Service
from reminder.store.store import Store

YEARS = 10
ROUNDS = 5
DAY = date(2024, 1, 29)  # a Monday: a digest in the morning, and nudges
YEAR = timedelta(weeks=52)
_SHIFT = "strftime('%Y-%m-%dT%H:%M:%S', {0}, '-{1} days') || substr({0}, 20)"


def run() -> Iterator[Row]:
    """The rows, one after the other."""
    plan, scheduler = wards.base()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        year = result("bench.year", str(folder / "year.db"))["memory"] / 1024
        yield row(
            "memory after a simulated year, MB", f"{year:.0f}", figure=year, goal=at_most(100)
        )
        grown = _grow(folder, plan, scheduler)
        empty = folder / "empty.db"
        with wards.service((plan,), scheduler, empty) as fresh:
            _start(fresh)
        megabytes = grown.stat().st_size / 1e6
        yield row("ten years of one ward, MB of SQLite", f"{megabytes:.0f}")
        took = {path: list[tuple[float, ...]]() for path in (grown, empty)}
        for _ in range(ROUNDS):
            for path, found in took.items():
                found.append(_timed(path, folder, plan, scheduler))
        medians = [map(median, zip(*found, strict=True)) for found in took.values()]
        for act, large, small in zip(("tick", "digest", "answer"), *medians, strict=True):
            yield row(
                f"{act} after ten years / on an empty database, ms",
                f"{large * 1e3:.1f}",
                f"{small * 1e3:.1f}",
                figure=large / small,
                goal=at_most(2),
            )


def _grow(folder: Path, plan: Plan, scheduler: Scheduler) -> Path:
    """The year's database with nine copies before it, whose own year has just begun."""
    path = folder / "grown.db"
    with wards.service((plan,), scheduler, folder / "year.db") as played:
        year = [recorded.event for recorded in played.store.events()]
    with wards.service((plan,), scheduler, path) as grown:
        store = grown.store
        assert isinstance(store, Store)
        for back in range(YEARS, 0, -1):
            moved = [_moved(event, back) for event in year]
            store.record(moved, unit_names={}, at=moved[-1].at)
        with store.database.writing() as connection:
            connection.exec_driver_sql("ATTACH ? AS year", (str(folder / "year.db"),))
        with store.database.writing() as connection:
            for back in range(YEARS, 0, -1):
                _copy_rows(connection.exec_driver_sql, back)
        _start(grown)
    return path


def _moved(event: Event, back: int) -> Event:
    key = Key(f"cchc-{2024 - back}", *event.key[1:])
    return replace(event, at=event.at - back * YEAR, key=key)


def _copy_rows(execute: object, back: int) -> None:
    assert callable(execute)
    days, plan = back * YEAR.days, f"cchc-{2024 - back}"

    def shifted(column: str) -> str:
        return _SHIFT.format(column, days)

    execute(
        "INSERT INTO outbox (slot, recipient, kind, subject, channel, payload, drafted_due, state,"
        " due_at, attempts, repeat, provider_id, error, created_at, ended_at)"
        f" SELECT {shifted('slot')}, recipient, kind, subject || '-{back}', channel,"
        f" replace(payload, 'cchc-2024', '{plan}'), {shifted('drafted_due')}, state,"
        f" {shifted('due_at')}, attempts, repeat, provider_id, error, {shifted('created_at')},"
        f" {shifted('ended_at')} FROM year.outbox"
    )
    execute(
        f"INSERT INTO spoken SELECT office, '{plan}', task, deliverable, period, unit, kind,"
        f" stage, due, {shifted('at')}, skipped FROM year.spoken"
    )
    execute(f"INSERT INTO seen SELECT office, channel, update_id || '-{back}', at FROM year.seen")


def _start(service: Service) -> None:
    """The plan of 2024 has begun, and a week of it has passed."""
    service.begin(instant(date(2024, 1, 1), wards.BEFORE))
    for day in (date(2024, 1, 22) + timedelta(days=n) for n in range(5)):
        service.tick(instant(day, wards.SLOT))
        _send(service, instant(day, wards.SLOT))


def _timed(
    source: Path, folder: Path, plan: Plan, scheduler: Scheduler
) -> tuple[float, float, float]:
    """Seconds of tick, digest and answer, on a fresh copy that has been warmed up."""
    path = folder / "trial.db"
    for suffix in ("-wal", "-shm", ".lock"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copy(source, path)
    with wards.service((plan,), scheduler, path) as service:
        before, at = instant(DAY, wards.BEFORE), instant(DAY, wards.SLOT)
        service.begin(before)
        service.tick(before)
        _send(service, before)
        return _tick(service, at), _digest(service, at), _answer(service, at)


def _tick(service: Service, at: datetime) -> float:
    began = time.perf_counter()
    assert service.tick(at) > 0
    return time.perf_counter() - began


def _digest(service: Service, at: datetime) -> float:
    """All that goes out on a Monday morning, rendered and on record."""
    began = time.perf_counter()
    _send(service, at)
    return time.perf_counter() - began


def _answer(service: Service, at: datetime) -> float:
    chats = {a.recipient: a.value for a in service.store.addresses()}
    service.receive(_from(chats["tu-phap"], "/viec", 10**6), at)
    _send(service, at)
    began = time.perf_counter()
    service.receive(_from(chats["tu-phap"], "/done 1c", 10**6 + 1), at)
    _send(service, at)
    return time.perf_counter() - began
