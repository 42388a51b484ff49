"""Which engine a database gets."""

from __future__ import annotations

import sys

import pytest

from reminder.domain.errors import ReminderError
from reminder.engine import open_engine
from reminder.engine.embedded import Embedded
from reminder.engine.queue import PgQueue
from reminder.store.records import StoreBusyError
from tests.engine.kit import RealClock

POSTGRESQL = "postgresql+psycopg://app@/reminder"


@pytest.mark.asyncio
async def test_a_wake_gives_up_on_a_server_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence; who wakes may try again, or leave it to a sweep."""
    monkeypatch.setattr("reminder.engine.queue.PATIENCE", 0.1)
    url = "postgresql://app@127.0.0.1:1/reminder"
    with pytest.raises(StoreBusyError) as refused:
        await PgQueue(url).wake("send", "a")
    why = "can't be reached (Connection refused): is its server running, at that address?"
    silent = "the engine's database has not answered for 0.1 s"  # nor has it refused by then
    assert str(refused.value) in (f"the database {url} {why}", silent)


@pytest.mark.parametrize(
    ("url", "engine"), [("sqlite:///var/reminder.db", Embedded), (POSTGRESQL, PgQueue)]
)
def test_postgresql_has_the_engine_of_many_processes(url: str, engine: type) -> None:
    """SQLite has that of one; neither connects before it is used."""
    assert type(open_engine(url, RealClock())) is engine


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do, in one sentence."""
    monkeypatch.setitem(sys.modules, "reminder.engine.queue", None)  # as if it were missing
    with pytest.raises(ReminderError) as refused:
        open_engine(POSTGRESQL, RealClock())
    assert str(refused.value) == (
        "[store] url names PostgreSQL, and the engine for it is missing:"
        " pip install “reminder[scale]”"
    )
