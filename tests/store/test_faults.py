"""A database that can't be written: one sentence, nothing half-written, and on when it clears."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from reminder.domain.outbox import RowState
from reminder.domain.payloads import Bound
from reminder.store.database import Database
from reminder.store.records import (
    NOT_TAKEN,
    Broken,
    StoreBusyError,
    StoreRefusedError,
    UnreadableRowError,
    meta_number,
)
from reminder.store.store import Store
from tests.store.conftest import Opener
from tests.store.samples import (
    CHANNELS,
    HOLD,
    NOW,
    UNITS,
    draft,
    event,
    minutes,
    on_writer,
    said,
    spoken,
)


@contextmanager
def locked(_: Store, path: Path) -> Iterator[str]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield "is locked by another program"


@contextmanager
def full(store: Store, _: Path) -> Iterator[str]:
    pages = on_writer(store, "PRAGMA page_count")
    on_writer(store, f"PRAGMA max_page_count={pages}")
    yield "can't grow: the disk is full"
    on_writer(store, "PRAGMA max_page_count=1000000")


@contextmanager
def read_only(store: Store, _: Path) -> Iterator[str]:
    on_writer(store, "PRAGMA query_only=ON")
    yield "is read-only: give this user the right to write it"
    on_writer(store, "PRAGMA query_only=OFF")


@contextmanager
def broken_disk(_: Store, path: Path) -> Iterator[str]:
    """The system refuses to let a file grow beyond the size that the log has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.with_name(path.name + "-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield "can't be reached: the disk reports an error"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


Fault = Callable[[Store, Path], AbstractContextManager[str]]


def everything(store: Store) -> Any:
    return (
        store.events(),
        store.head(),
        store.verify(),
        store.rows(),
        store.counts(),
        set(spoken(store)),
        store.meta("offset"),
        store.addresses(),
    )


@pytest.mark.parametrize("fault", [locked, full, read_only, broken_disk])
def test_nothing_is_half_written_and_it_goes_on(sql: Store, path: Path, fault: Fault) -> None:
    """An answer too big for what is left: no event, no reply, no mark; the same call works later.

    Readers go on all the while.
    """
    answer: dict[str, Any] = {
        "unit_names": UNITS,
        "drafts": [draft(str(n), payload=Bound(unit="x" * 1_000)) for n in range(100)],
        "spoken": [said()],
        "seen": ("telegram", "77"),
        "meta": {"offset": "78"},
        "at": NOW,
    }
    sql.record([event("trước")], unit_names=UNITS, drafts=[draft()], at=NOW)
    before = everything(sql)
    with fault(sql, path) as why:
        for _ in range(3):
            with pytest.raises(StoreBusyError) as busy:
                sql.record([event("sau")], **answer)
            assert str(busy.value) == f"the database {path} {why}"
            assert everything(sql) == before
    assert sql.record([event("sau")], **answer)
    assert [one.event.note for one in sql.events()] == ["trước", "sau"]
    assert len(sql.rows()) == 101


@pytest.mark.parametrize("fault", [locked, read_only])
def test_no_write_is_silently_lost(sql: Store, path: Path, fault: Fault) -> None:
    """Each method that writes says that it did not."""
    sql.record([], unit_names={}, drafts=[draft("an"), draft("binh")], at=NOW)
    sql.bind("an", "telegram", "1", NOW)
    sql.invite("an", "hash", minutes(5))
    (row,) = sql.lease(NOW, 1, HOLD, CHANNELS)
    writes: list[Callable[[], object]] = [
        lambda: sql.record([event()], unit_names={}, at=NOW),
        lambda: sql.lease(NOW, 1, HOLD, CHANNELS),
        lambda: sql.mark_sent(row, "1", NOW),
        lambda: sql.mark_retry(row, NOW, "", unknown=True),
        lambda: sql.mark_ended(row, RowState.DEAD, "", at=NOW),
        lambda: sql.sweep(minutes(9)),
        lambda: sql.release_all(minutes(9)),
        lambda: sql.bring_forward(minutes(9), HOLD, HOLD),
        lambda: sql.revive(1, NOW),
        lambda: sql.drop(2),
        lambda: sql.bind("an", "telegram", "2", NOW),
        lambda: sql.unbind("an"),
        lambda: sql.mark_address_dead("telegram", "1", "", NOW),
        lambda: sql.move_address("telegram", "1", "2"),
        lambda: sql.invite("an", "other", minutes(5)),
        lambda: sql.redeem("hash", NOW, "telegram", "2"),
        lambda: sql.set_meta("offset", "1"),
    ]
    before = everything(sql)
    with fault(sql, path):
        for write in writes:
            with pytest.raises(StoreBusyError):
                write()
    assert everything(sql) == before
    assert sql.mark_sent(row, "1", NOW)


def test_a_store_can_be_opened_while_another_program_writes(opened: Opener, path: Path) -> None:
    opened().close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert opened(exclusive=True).head()[0] == 0


def test_a_damaged_database_says_what_to_do(opened: Opener, path: Path) -> None:
    """Pages torn in the middle: refused in one sentence, by a backup too."""
    store = opened()
    drafts = [draft(str(n), payload=Bound(unit="x" * 2_000)) for n in range(100)]
    store.record([], unit_names={}, drafts=drafts, at=NOW)
    store.close()
    torn = bytearray(path.read_bytes())
    middle = len(torn) // 4096 // 2 * 4096
    torn[middle : middle + 4096 * 20] = b"\xff" * 4096 * 20
    path.write_bytes(torn)
    store = opened()
    with pytest.raises(StoreRefusedError, match=r"is damaged.* restore the newest backup"):
        store.rows()
    with pytest.raises(StoreRefusedError, match=r"is damaged.* restore the newest backup"):
        store.backup(str(path.with_name("copy.db")))
    assert not list(path.parent.glob("copy*"))


def test_an_event_that_cannot_be_read_is_named(sql: Store) -> None:
    """A kind of event that this program does not know."""
    sql.record([event(), event()], unit_names=UNITS, at=NOW)
    on_writer(sql, "UPDATE event SET kind = 'danced' WHERE number = 2")
    with pytest.raises(StoreRefusedError, match="row 2 of the table event can't be read"):
        sql.events()
    assert sql.verify() == Broken(number=2, what="changed")


def test_text_that_no_database_keeps_is_kept_all_but(sql: Store) -> None:
    """NUL and half a surrogate pair become U+FFFD; the chain is over what is kept."""
    odd = "a\0b\ud83dc"
    sql.record([event(note=odd, by=odd)], unit_names={"tu-phap": odd}, at=NOW)
    sql.record([], unit_names={}, drafts=[draft(subject=odd, payload=Bound(unit=odd))], at=NOW)
    (kept,) = sql.events()
    assert {kept.event.note, kept.event.by, kept.unit_name} == {"a\ufffdb\ufffdc"}
    assert sql.rows()[0].draft.payload == Bound(unit=odd)
    assert sql.verify() is None


def test_hostile_text_is_only_text(sql: Store) -> None:
    text = "'); DROP TABLE event; -- %s :x ? {}"
    sql.record([event(text, by=text)], unit_names={"tu-phap": text}, seen=(text, text), at=NOW)
    sql.bind(text, text, text, NOW)
    assert [one.event.note for one in sql.events()] == [text]
    assert sql.unbind(text, text) == 1


def test_a_naive_time_is_refused(sql: Store) -> None:
    """It could be anywhere on earth; nothing is written."""
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError, match="must be aware"):
        sql.record([event()], unit_names={}, drafts=[draft(slot=naive)], at=NOW)
    assert sql.events() == []


def test_a_commit_that_is_refused_leaves_nothing_open(path: Path) -> None:
    """Not in WAL mode a reader holds up the COMMIT: the next write works all the same."""
    path.parent.mkdir(exist_ok=True)
    database = Database(f"sqlite:///{path.as_posix()}", busy=0)
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a)")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM t").fetchall()
        with pytest.raises(StoreBusyError), database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (2)")
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT a FROM t").all() == [(2,)]
    database.close()


def test_what_is_done_together_is_kept_or_undone_as_one(store: Store) -> None:
    """And sees itself meanwhile."""
    with store.together():
        assert store.record([], unit_names={}, drafts=[draft("an", kind="reply")], at=NOW)
        store.set_meta("a", "b")
        assert store.meta("a") == "b"
        assert [row.draft.recipient for row in store.lease(NOW, 2, HOLD, CHANNELS)] == ["an"]

    def broken() -> None:
        with store.together():
            store.record([event()], unit_names=UNITS, seen=("telegram", "1"), at=NOW)
            store.set_meta("a", "c")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert (store.meta("a"), store.events(), store.counts()["leased"]) == ("b", [], 1)
    assert store.record([event()], unit_names=UNITS, seen=("telegram", "1"), at=NOW)


def recorded(store: Store) -> None:
    """One more event."""
    store.record([event()], unit_names=UNITS, at=NOW)


@pytest.mark.parametrize(
    ("change", "table", "row", "read"),
    [
        ("UPDATE head SET number = 'x'", "head", "1", Store.head),
        ("UPDATE head SET number = 1.5", "head", "1", Store.revision),
        ("DELETE FROM head", "head", "1", Store.verify),
        ("UPDATE address SET bound_at = 'soon'", "address", "an/telegram", Store.addresses),
        ("UPDATE outbox SET due_at = 'x'", "outbox", "1", Store.next_due),
        ("UPDATE outbox SET due_at = '2024-01-24'", "outbox", "1", Store.rows),
        ("UPDATE outbox SET attempts = 'x'", "outbox", "1", Store.rows),
        ("UPDATE outbox SET payload = '{'", "outbox", "1", Store.rows),
        ("UPDATE outbox SET payload = '5'", "outbox", "1", Store.rows),
        ("UPDATE head SET number = 0", "head", "1", recorded),
        ("UPDATE event SET at = '2024-01-24T01:00'", "event", "1", Store.events),
        ("UPDATE event SET deliverable = 'x'", "event", "1", Store.events),
        ("UPDATE meta SET value = 'x'", "meta", "taken", lambda s: s.number("taken")),
    ],
)
def test_a_row_altered_by_hand_is_told_with_its_table_and_the_remedy(
    sql: Store, change: str, table: str, row: str, read: Callable[[Store], object]
) -> None:
    """Where it is read, in one sentence."""
    sql.record([event()], unit_names=UNITS, drafts=[draft()], at=NOW)
    sql.bind("an", "telegram", "1", NOW)
    sql.count("taken")
    on_writer(sql, change)
    told = rf"row {row} of the table {table} can't be read \(.*restore a backup"
    with pytest.raises(UnreadableRowError, match=told):
        read(sql)


@pytest.mark.parametrize("value", ["x", "", "1.5", "-1", "9" * 5000])
def test_a_count_that_was_altered_is_told_and_begins_anew(sql: Store, value: str) -> None:
    """What can't be counted must not keep a message from being taken."""
    sql.set_meta(NOT_TAKEN, value)
    if value:
        with pytest.raises(UnreadableRowError, match="row not_taken of the table meta can't be"):
            meta_number(NOT_TAKEN, sql.meta(NOT_TAKEN))
    sql.count(NOT_TAKEN)
    assert meta_number(NOT_TAKEN, sql.meta(NOT_TAKEN)) == 1


def test_each_row_that_cannot_be_read_is_found(sql: Store) -> None:
    """In all tables at once."""
    drafts = [draft("an"), draft("binh")]
    sql.record([event()], unit_names=UNITS, drafts=drafts, spoken=[said()], at=NOW)
    sql.record([], unit_names={}, seen=("telegram", "7"), at=NOW)
    sql.bind("an", "telegram", "1", NOW)
    sql.invite("an", "ab12", NOW)
    assert sql.unreadable() == []
    on_writer(sql, "UPDATE outbox SET repeat = 0, lease_until = 'x' WHERE id = 2")
    on_writer(sql, "UPDATE spoken SET at = ''")
    on_writer(sql, "UPDATE address SET dead_since = 5")
    on_writer(sql, "UPDATE seen SET at = 'hôm qua'")
    on_writer(sql, "UPDATE invitation SET expires_at = 'z'")
    found = [(error.table, error.what) for error in sql.unreadable()]
    assert found == [
        ("spoken", "at is ''"),
        ("address", "dead_since is '5'"),
        ("seen", "at is 'hôm qua'"),
        ("invitation", "expires_at is 'z'"),
        ("outbox", "lease_until is 'x'"),
    ]


def test_a_row_that_cannot_be_read_holds_up_no_other(sql: Store) -> None:
    """It is dead, and the rest is leased."""
    sql.record([], unit_names={}, drafts=[draft("an"), draft("binh")], at=NOW)
    on_writer(sql, "UPDATE outbox SET due_at = '2024' WHERE id = 1")
    assert [row.id for row in sql.lease(NOW, 5, HOLD, CHANNELS)] == [2]
    assert sql.counts()["dead"] == 1
    assert sql.lease(NOW, 5, HOLD, CHANNELS) == []
    sql.drop(1)
    assert [row.state for row in sql.rows()] == [RowState.LEASED, RowState.DROPPED]
