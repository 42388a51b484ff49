"""An empty database of the newest schema, as a first start leaves it: made once, then copied.

That it is made rightly, and whatever breaks off meanwhile, is the matter of tests/store and of the
trials of kills.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from reminder.store.database import Database
from reminder.store.store import Store, open_in_memory, open_store


def memory_store(contents: bytes | None = None) -> Store:
    """A store in memory: empty, or with the `contents` of another one."""
    database = Database("sqlite://", busy=0.0, in_memory=True)
    _raw(database).deserialize(contents or _in_memory())
    return Store(database)


def contents_of(store: Store) -> bytes:
    """All that a store in memory holds."""
    return _raw(store.database).serialize()


def lay_blank(path: Path) -> None:
    """Puts the empty database there, for its owner only, if there is none."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(_made())


@cache
def _made() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "blank.db"
        open_store(f"sqlite:///{path}", exclusive=False, sleep=lambda _: None).close()
        return path.read_bytes()


@cache
def _in_memory() -> bytes:
    # Not the file's bytes: they say WAL, which a database in memory can't have.
    with closing(open_in_memory()) as store:
        return contents_of(store)


def _raw(database: Database) -> sqlite3.Connection:
    raw: Any = database.kept(database._writer).connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw
