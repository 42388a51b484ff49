"""The services' tests on PostgreSQL too: a part of them each time, the others in `make check`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import delete, insert, select, text

from reminder.store.database import EVERY, OfficeDatabase
from reminder.store.store import Store, open_store
from reminder.store.tables import metadata
from tests.postgres import Server
from tests.services import world
from tests.store.conftest import no_sleep

QUICK = ("test_trouble",)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test of a module that makes worlds runs in memory and on PostgreSQL."""
    if not hasattr(metafunc.module, "world"):
        return
    name = metafunc.module.__name__.rpartition(".")[2]
    marks = () if name in QUICK else (pytest.mark.thorough,)
    where = ["memory", pytest.param("postgres", marks=marks)]
    metafunc.parametrize("_kept_in", where, indirect=True)


@pytest.fixture(autouse=True)
def _kept_in(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where the test's worlds, and copies of a module's, keep what they remember."""
    if getattr(request, "param", "memory") == "memory":
        yield
        return
    server: Server = request.getfixturevalue("postgres")
    with ExitStack() as stack:

        def on_postgres(of: Store | None) -> Store:
            url = server.url(stack.enter_context(server.lend()))
            store = open_store(url, exclusive=False, sleep=no_sleep)
            stack.callback(store.close)
            if of is not None:
                fill(store, of)
            return store

        monkeypatch.setattr(world, "make_store", on_postgres)
        yield


def fill(store: Store, of: Store) -> None:
    """Have an empty store hold what another one, on any database, holds."""
    with (
        OfficeDatabase(of.database, EVERY).reading() as source,
        OfficeDatabase(store.database, EVERY).writing() as target,
    ):
        for table in metadata.sorted_tables:
            target.raw.execute(delete(table))
            if rows := [row._asdict() for row in source.raw.execute(select(table))]:
                target.raw.execute(insert(table), rows)
        for name in ("outbox", "web_try", "web_log"):
            newest = f"(SELECT coalesce(max(id), 0) + 1 FROM {name})"
            sequence = f"pg_get_serial_sequence('{name}', 'id')"
            target.raw.execute(text(f"SELECT setval({sequence}, {newest}, false)"))
