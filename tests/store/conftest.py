"""The stores under test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reminder.store.store import Store, open_store
from tests.fakes.blank import lay_blank, memory_store


def no_sleep(seconds: float) -> None:
    """A wait where none is expected."""
    raise AssertionError(f"nothing should wait here, not even {seconds} s")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "reminder.db"


Opener = Callable[..., Store]


@pytest.fixture
def migrates() -> bool:
    """Whether `opened` makes a new database by all migrations; otherwise it lays a copy of one."""
    return False


@pytest.fixture
def opened(path: Path, migrates: bool) -> Iterator[Opener]:
    """Opens the store at `path`, as a command line does unless told otherwise; closes it after."""
    stores: list[Store] = []

    def opened(**changes: object) -> Store:
        if not migrates:
            lay_blank(path)
        options: dict[str, object] = {"exclusive": False, "sleep": no_sleep, "busy": 0}
        store = open_store(f"sqlite:///{path}", **{**options, **changes})  # type: ignore[arg-type]
        stores.append(store)
        return store

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def sql(opened: Opener) -> Store:
    return opened()


@pytest.fixture(params=["memory", pytest.param("file", marks=pytest.mark.thorough), "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        memory = memory_store()
        yield memory
        memory.close()
    elif request.param == "postgres":
        url = request.getfixturevalue("lent_postgres_url")
        with closing(open_store(url, exclusive=False, sleep=no_sleep)) as found:
            yield found
    else:
        yield request.getfixturevalue("sql")
