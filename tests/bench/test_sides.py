"""What `make bench` compares: both sides do the same work on the same data."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from bench import planning, wards
from bench.province import TODAY, copy_to, process, seeded
from reminder.store.offices import Stores
from reminder.store.store import open_store
from tests.postgres import Server


def test_each_round_of_the_tick_finds_the_database_as_the_one_before() -> None:
    """Its rows, which the bare driver inserts after it, are taken back."""
    plan, scheduler = wards.base()
    rounds = planning.rounds((plan,), scheduler)
    assert [min(next(rounds)) > 0 for _ in range(3)] == [True] * 3


@pytest.mark.thorough
def test_a_province_says_the_same_on_postgresql_as_on_sqlite(
    tmp_path: Path, postgres: Server
) -> None:
    """It was made on SQLite, and copied."""
    config, file = seeded(tmp_path, 11)
    name = postgres.make()
    copy_to(postgres, name, file)
    said = []
    for url in (f"sqlite:///{file}", postgres.url(name)):
        process(url, config, "tick")
        with closing(Stores(open_store(url, exclusive=False, sleep=lambda _: None))) as stores:
            rows = [
                (row.office, row.draft)
                for office in stores.offices()
                for row in stores.of(office.id).rows(limit=1000)
            ]
        assert any(draft.slot.date() == TODAY.date() for _, draft in rows)
        said.append(sorted(rows, key=repr))
    assert said[0] == said[1]
    postgres.drop(name)
