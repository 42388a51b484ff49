"""A province: the morning's tick of many wards on PostgreSQL beside SQLite, and their memory.

A third of the nation's wards, what one of three processes has. Seeded as `make scale` does it:
copies of the plan of 2024, each tenth with words of its own, a task due today for each of seven
units. That is done once, on SQLite, and its rows are copied to PostgreSQL. The plans began three
days ago, and the tick finds all offices warm, as the job of 07:50 leaves them. PostgreSQL is a
server of its own, whose data is not flushed; what its side of a connection takes is said beside it.
A process that is measured loads none of the tests, but what its role loads.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from bench.quiet import peak
from bench.rows import Row, at_most, row
from bench.sides import result
from bench.wards import NATION
from reminder.files.settings import load_settings
from reminder.province.cache import ROOM, TICK_ROOM, OfficeCache
from reminder.province.ticking import SHARDS, Ticker, parts_of
from reminder.store.offices import Stores
from reminder.store.store import Store, open_store
from reminder.store.tables import metadata

if TYPE_CHECKING:
    from tests.postgres import Server

TODAY = datetime(2026, 11, 30, 1, 1, tzinfo=UTC)  # 08:01 on a Monday
BEGUN = TODAY - timedelta(days=3)  # a Friday
OFFICES = NATION // 3


def run() -> Iterator[Row]:
    """The rows, one after the other."""
    from tests.postgres import WHY_NOT, programs, server

    if programs() is None:
        yield row("a province", WHY_NOT)
        return
    with tempfile.TemporaryDirectory() as name, server() as postgres:
        yield from _rows(Path(name), postgres)


def _rows(folder: Path, postgres: Server) -> Iterator[Row]:
    config, file = seeded(folder, OFFICES)
    name = postgres.make()
    copy_to(postgres, name, file)
    worker = result("bench.province", postgres.url(name), str(config), "worker")["memory"]
    ours = result("bench.province", postgres.url(name), str(config), "tick")
    peer = result("bench.province", f"sqlite:///{file}", str(config), "tick")
    what = f"tick of a third of the nation, {OFFICES} offices"
    yield row(
        f"{what}, PostgreSQL / SQLite, CPU s (one round)",
        f"{ours['cpu']:.2f}", f"{peer['cpu']:.2f}",
        figure=ours["cpu"] / peer["cpu"], goal=at_most(1.3),
    )  # fmt: skip
    yield row(
        f"{what}, CPU s (one round)", f"{ours['cpu']:.2f}", figure=ours["cpu"], goal=at_most(2)
    )
    yield row("at PostgreSQL's side, beside it, CPU s", f"{ours['server']:.2f}")
    yield row(
        f"memory of the role worker with {OFFICES} offices, MB",
        f"{worker:.0f}", figure=worker, goal=at_most(150),
    )  # fmt: skip
    yield row("memory of the role tick, after it, MB", f"{ours['memory']:.0f}")


def seeded(folder: Path, offices: int) -> tuple[Path, Path]:
    """Make the province on SQLite, three days old; return its settings and its file."""
    from tests.scale.province import Province, seed, settings_text

    province = Province(offices=offices, more=0, answers=0, today=TODAY)
    file, config = folder / "seeded.db", folder / "reminder.toml"
    config.write_text(settings_text(province, folder, "sqlite:///unused.db", "1"), "utf-8")
    with closing(Stores(_opened(f"sqlite:///{file}"))) as stores:
        with stores.database.together():
            seed(stores, province, folder, 1, 2)
        _ticked(stores, config, BEGUN)
    return config, file


def copy_to(postgres: Server, name: str, file: Path) -> None:
    """Copy all rows of a SQLite file into a migrated database."""
    known = [table.name for table in metadata.sorted_tables]
    with (
        closing(sqlite3.connect(file)) as source,
        closing(postgres.connect(name)) as connection,
        connection.transaction(),
        connection.cursor() as into,
    ):
        into.execute(f"TRUNCATE {', '.join(known)}")
        for table in known:
            rows = source.execute(f"SELECT * FROM {table}")
            columns = ", ".join(column[0] for column in rows.description)
            with into.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for each in rows:
                    copy.write_row(each)
        into.execute("SELECT setval(oid::regclass, 10000000) FROM pg_class WHERE relkind = 'S'")
    postgres.ask("ANALYZE", database=name)


def _opened(url: str) -> Store:
    return open_store(url, exclusive=False, sleep=time.sleep)


def _ticked(stores: Stores, config: Path, now: datetime) -> dict[str, float]:
    """Tick all offices, all of them warm; return what that took."""
    cache = OfficeCache(stores, load_settings(config, {}), lambda: now, room=TICK_ROOM)
    ticker = Ticker(cache, lambda: now)
    for shard in range(SHARDS):
        for office in stores.due_offices(now, shard, SHARDS):
            cache.service(office)
    before, cpu = _server(stores), time.process_time()
    for shard in range(SHARDS):
        due, claimed = ticker.claim(shard)
        together, alone = parts_of(due)
        for some in together:
            if ticker.tick_together(some, claimed) is None:
                alone += some
        for each in alone:
            ticker.tick(each, claimed)
    spent = {"cpu": time.process_time() - cpu, "server": _server(stores) - before}
    return {**spent, "memory": peak() / 1024}


def _server(stores: Stores) -> float:
    """Return the processor time of PostgreSQL's side of the connections so far; of SQLite, 0."""
    if stores.database.is_sqlite:
        return 0.0
    asked = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    with stores.database.reading() as connection:
        pids = connection.execute(asked).scalars().all()
    took = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        took += int(fields[11]) + int(fields[12])
    return took / os.sysconf("SC_CLK_TCK")


def process(url: str, config: Path, role: str) -> dict[str, float]:
    """What a role does: the morning's tick, or a look at each office."""
    loaded = ["reminder.province.roles", "reminder.engine.queue"]
    if role == "worker":
        loaded += [f"reminder.channels.{name}.send" for name in ("telegram", "zalo", "email")]
    for name in loaded:
        import_module(name)
    with closing(Stores(_opened(url))) as stores:
        if role == "tick":
            return _ticked(stores, config, TODAY)
        cache = OfficeCache(stores, load_settings(config, {}), lambda: TODAY, room=ROOM)
        for office in stores.offices():
            cache.service(office.id)
        return {"memory": peak() / 1024}


if __name__ == "__main__":
    print(json.dumps(process(sys.argv[1], Path(sys.argv[2]), sys.argv[3])))
