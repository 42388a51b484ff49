"""A province: the morning's tick of all wards on PostgreSQL beside SQLite, and the wards' memory.

Seeded as `make scale` does it: copies of the plan of 2024, each tenth with words of its own, a task
due today for each of seven units. The plans began three days ago, and the tick finds all offices
warm, as the job of 07:50 leaves them; a third of the shards is what one of three processes has.
PostgreSQL is a server of its own, whose data is not flushed; what its side of a connection takes is
said beside it. A process that is measured loads none of the tests, but what its role loads.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from sqlalchemy import text

from bench.quiet import peak
from bench.rows import Row, at_most, in_turn, row
from bench.sides import result
from bench.wards import NATION
from reminder.files.settings import load_settings
from reminder.province.cache import ROOM, TICK_ROOM, OfficeCache
from reminder.province.ticking import SHARDS, Ticker
from reminder.store.offices import Stores
from reminder.store.store import open_store

if TYPE_CHECKING:
    from tests.postgres import Server

TODAY = datetime(2026, 11, 30, 1, 1, tzinfo=UTC)  # 08:01 on a Monday
BEGUN = TODAY - timedelta(days=3)  # a Friday
WORKERS = 3
SHARE = 1100  # offices of one of three workers
ROUNDS = 3


def run() -> Iterator[Row]:
    """The rows, one after the other."""
    from tests.postgres import WHY_NOT, programs, server

    if programs() is None:
        yield row("a province", WHY_NOT)
        return
    with tempfile.TemporaryDirectory() as name, server() as postgres:
        yield from _rows(Path(name), postgres)


def _rows(folder: Path, postgres: Server) -> Iterator[Row]:
    from tests.scale.province import Province, seed, settings_text

    province = Province(offices=NATION, more=0, answers=0, today=TODAY)
    file, template = folder / "seeded.db", postgres.make()
    config = folder / "reminder.toml"
    config.write_text(settings_text(province, folder, "sqlite:///unused.db", "1"), "utf-8")
    for url in (f"sqlite:///{file}", postgres.url(template)):
        into = folder / url.partition(":")[0]
        into.mkdir()
        store = open_store(url, exclusive=False, sleep=time.sleep)
        with closing(Stores(store)) as stores:
            seed(stores, province, into, 1, 2)
            _ticked(stores, config, BEGUN)

    backend: list[float] = []

    def ticked(kind: str, shards: int = SHARDS) -> float:
        copy = postgres.make(template) if kind == "postgresql" else str(folder / "copy.db")
        url = postgres.url(copy) if kind == "postgresql" else f"sqlite:///{copy}"
        if kind == "sqlite":
            shutil.copy(file, copy)
        took = result("bench.province", url, str(config), "tick", str(shards))
        if kind == "postgresql":
            postgres.drop(copy)
            backend.append(took["server"])
        return float(took["cpu"])

    ours, peer = in_turn(lambda: ticked("postgresql"), lambda: ticked("sqlite"), rounds=ROUNDS)
    yield row(
        f"tick of {NATION} offices, PostgreSQL against SQLite, CPU s",
        f"{ours:.2f}", f"{peer:.2f}", figure=ours / peer, goal=at_most(1.3),
    )  # fmt: skip
    yield row("of that at PostgreSQL's side, beside it, CPU s", f"{median(backend):.2f}")
    (third,) = in_turn(lambda: ticked("postgresql", SHARDS // WORKERS), rounds=ROUNDS)
    yield row("CPU of a third of its shards, s", f"{third:.2f}", figure=third, goal=at_most(2))
    for role in ("tick", "worker"):
        memory = result("bench.province", postgres.url(template), str(config), role, "0")["memory"]
        yield row(
            f"memory of the role {role} with {SHARE} offices, MB", f"{memory:.0f}",
            figure=memory, goal=at_most(150),
        )  # fmt: skip


def _ticked(stores: Stores, config: Path, now: datetime, shards: int = SHARDS) -> dict[str, float]:
    """Tick the offices of so many shards, all of them warm; return what that took."""
    settings, room = load_settings(config, {}), TICK_ROOM * max(1, shards * WORKERS // SHARDS)
    cache = OfficeCache(stores, settings, lambda: now, room=room)
    ticker = Ticker(cache, lambda: now)
    for shard in range(shards):
        for office in stores.due_offices(now, shard, SHARDS):
            cache.service(office)
    before, cpu = _server(stores), time.process_time()
    for shard in range(shards):
        ticker.tick_shard(shard)
    return {"cpu": time.process_time() - cpu, "server": _server(stores) - before}


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


def _process(url: str, config: Path, role: str, shards: int) -> dict[str, float]:
    """The morning's tick of so many shards; of none: SHARE offices are looked at."""
    with closing(Stores(open_store(url, exclusive=False, sleep=time.sleep))) as stores:
        if shards:
            return _ticked(stores, config, TODAY, shards)
        loaded = ["reminder.province.roles", "reminder.engine.queue"]
        if role == "worker":
            loaded += [f"reminder.channels.{name}.send" for name in ("telegram", "zalo", "email")]
        for name in loaded:
            import_module(name)
        room = TICK_ROOM if role == "tick" else ROOM
        cache = OfficeCache(stores, load_settings(config, {}), lambda: TODAY, room=room)
        for office in stores.offices()[:SHARE]:
            cache.service(office.id)
        return {"memory": peak() / 1024}


if __name__ == "__main__":
    print(json.dumps(_process(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))))
