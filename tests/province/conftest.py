"""The offices of the tests: in memory, and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from reminder.app import bootstrap
from reminder.store.offices import Stores
from reminder.store.store import open_store
from tests.fakes.blank import memory_store
from tests.province.kit import Clock, add_account


@pytest.fixture(params=["memory", "postgres"])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    if request.param == "memory":
        store = memory_store()
    else:
        url = request.getfixturevalue("lent_postgres_url")
        store = open_store(url, exclusive=False, sleep=bootstrap.pause)
    with closing(Stores(store)) as stores:
        add_account(stores, "bot")
        yield stores


@pytest.fixture
def clock() -> Clock:
    return Clock()
