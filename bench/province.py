"""A province: the morning's tick of all wards on PostgreSQL beside SQLite, and the wards' memory.

Seeded as `make scale` does it: copies of the plan of 2024, each tenth with words of its own, a task
due today for each of seven units. The plans began three days ago, and the tick finds all offices
warm, as the job of 07:50 leaves them; a third of the shards is what one of three processes has.
PostgreSQL is a server of its own, whose data is not flushed.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.quiet import peak
from bench.rows import Row, at_most, in_turn, row
from bench.sides import result
from bench.wards import NATION
from reminder.files.settings import load_settings
from reminder.province.cache import OfficeCache
from reminder.province.ticking import SHARDS, Ticker
from reminder.store.offices import Stores
from reminder.store.store import open_store
from tests.postgres import WHY_NOT, Server, programs, server
from tests.scale.province import Province, office_id, seed, settings_text

TODAY = datetime(2026, 11, 30, 1, 1, tzinfo=UTC)  # 08:01 on a Monday
BEGUN = TODAY - timedelta(days=3)  # a Friday
WORKERS = 3
SHARE = 1100  # offices of one of three workers
ROUNDS = 3


def run() -> Iterator[Row]:
    """The rows, one after the other."""
    if programs() is None:
        yield row("a province", WHY_NOT)
        return
    with tempfile.TemporaryDirectory() as name, server() as postgres:
        yield from _rows(Path(name), postgres)


def _rows(folder: Path, postgres: Server) -> Iterator[Row]:
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

    def ticked(kind: str, shards: int = SHARDS) -> float:
        copy = postgres.make(template) if kind == "postgresql" else str(folder / "copy.db")
        url = postgres.url(copy) if kind == "postgresql" else f"sqlite:///{copy}"
        if kind == "sqlite":
            shutil.copy(file, copy)
        seconds = result("bench.province", url, str(config), str(shards))["cpu"]
        if kind == "postgresql":
            postgres.drop(copy)
        return float(seconds)

    ours, peer = in_turn(lambda: ticked("postgresql"), lambda: ticked("sqlite"), rounds=ROUNDS)
    yield row(
        f"tick of {NATION} offices, PostgreSQL against SQLite, CPU s",
        f"{ours:.2f}", f"{peer:.2f}", figure=ours / peer, goal=at_most(1.3),
    )  # fmt: skip
    (third,) = in_turn(lambda: ticked("postgresql", SHARDS // WORKERS), rounds=ROUNDS)
    yield row("CPU of a third of its shards, s", f"{third:.2f}", figure=third, goal=at_most(2))
    memory = result("bench.province", postgres.url(template), str(config), "0")["memory"]
    yield row(
        f"memory with {SHARE} warm offices, MB", f"{memory:.0f}", figure=memory, goal=at_most(150)
    )


def _ticked(stores: Stores, config: Path, now: datetime, shards: int = SHARDS) -> dict[str, float]:
    """Tick the offices of so many shards, all of them warm; return what that took."""
    cache = OfficeCache(stores, load_settings(config, {}), lambda: now)
    ticker = Ticker(cache, lambda: now)
    for shard in range(shards):
        for office in stores.due_offices(now, shard, SHARDS):
            cache.service(office)
    began, cpu = time.perf_counter(), time.process_time()
    for shard in range(shards):
        ticker.tick_shard(shard)
    return {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}


def _process(url: str, config: Path, shards: int) -> dict[str, float]:
    """The morning's tick of so many shards; of none: SHARE offices are warm."""
    with closing(Stores(open_store(url, exclusive=False, sleep=time.sleep))) as stores:
        if shards:
            return _ticked(stores, config, TODAY, shards)
        cache = OfficeCache(stores, load_settings(config, {}), lambda: TODAY)
        for number in range(1, SHARE + 1):
            cache.service(office_id(number))
        return {"memory": peak() / 1024}


if __name__ == "__main__":
    print(json.dumps(_process(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
