"""How a SQLite store is opened: one daemon, private files, the right schema, clear refusals."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import column, create_engine, insert, table

from reminder.domain.errors import ReminderError
from reminder.store import tables
from reminder.store.ledger import GENESIS, link
from reminder.store.records import LockLostError, Recorded, StoreRefusedError
from reminder.store.store import SHIPPED, Schema, Store, open_store
from tests.store.conftest import Opener, no_sleep
from tests.store.samples import KEY, NOW, UNITS, draft, event

STOP_IT = "stop it first, or name another database under [store] url"
FIRST = Schema(version="0001", folders=SHIPPED.folders)
LATER = f"{int(SHIPPED.version) + 1:04}"
NEXT = f"""
from alembic import op
import sqlalchemy as sa
revision, down_revision = "{LATER}", "{SHIPPED.version}"
def upgrade():
    op.create_table("novelty", sa.Column("id", sa.Integer, primary_key=True))
"""


@pytest.fixture
def migrates() -> bool:
    return True


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def tables_of(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as raw:
        return {
            name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type='table'")
        }


def statements(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as raw:
        return dict(_in_a_line(row) for row in raw.execute("SELECT name, sql FROM sqlite_master"))


def _in_a_line(row: Sequence[Any]) -> tuple[str, str]:
    """A name and its statement, in the form that SQLite keeps of a table made at once."""
    name, sql = row
    return name, " ".join((sql or "").replace(f'TABLE "{name}"', f"TABLE {name}").split())


def set_version(path: Path, version: str) -> None:
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = ?", [version])


def next_schema(tmp_path: Path, source: str = NEXT) -> Schema:
    """The schema of a later program."""
    folder = tmp_path / "100% later"
    folder.mkdir()
    (folder / f"v{LATER}_novelty.py").write_text(source)
    return Schema(version=LATER, folders=(*SHIPPED.folders, folder))


def test_the_second_daemon_waits_for_the_first_to_end(
    opened: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    """And says at once what it waits for."""
    first = opened(exclusive=True)
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        (record,) = caplog.records
        assert record.getMessage() == (
            f"another reminder (process {os.getpid()}) uses this database: waiting up to 15 s for "
            "it to end"
        )
        waits.append(seconds)
        if sum(waits) >= 5:
            first.close()

    second = opened(exclusive=True, sleep=sleep)
    assert 5 <= sum(waits) < 6
    assert second.record([event()], unit_names=UNITS, at=NOW)


def test_the_second_daemon_gives_up_after_fifteen_seconds(path: Path, opened: Opener) -> None:
    """And the first one works on."""
    first = opened(exclusive=True)
    waits: list[float] = []
    with pytest.raises(StoreRefusedError, match=rf"another reminder daemon .* runs on {path}"):
        opened(exclusive=True, sleep=waits.append)
    assert sum(waits) == 15
    assert first.record([event()], unit_names=UNITS, at=NOW)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_daemon_ends_whose_file_was_taken_away(
    path: Path, opened: Opener, replaced: bool
) -> None:
    """Before it writes what nobody would find."""
    daemon = opened(exclusive=True)
    daemon.set_meta("a", "1")
    path.unlink()
    if replaced:
        path.write_bytes(b"")
    words = "was deleted or replaced while this daemon ran: put the file back, or restore"
    for _ in range(2):
        with pytest.raises(LockLostError, match=words):
            daemon.set_meta("a", "2")


def test_two_names_of_one_file_are_one_database(path: Path, opened: Opener) -> None:
    opened(exclusive=True)
    alias = path.parent.parent / "alias"
    alias.symlink_to(path.parent)
    with pytest.raises(StoreRefusedError, match="another reminder daemon"):
        open_store(f"sqlite:///{alias}/reminder.db", exclusive=True, sleep=no_sleep, wait=0)


def test_the_command_line_and_a_daemon_share_a_database(opened: Opener) -> None:
    daemon, command = opened(exclusive=True), opened()
    assert command.record([event(note="cli")], unit_names=UNITS, at=NOW)
    assert daemon.record([event(note="daemon")], unit_names=UNITS, at=NOW)
    assert command.events() == daemon.events()
    assert command.verify() is None


def test_files_are_for_their_owner_only(path: Path, opened: Opener) -> None:
    """All that SQLite and the store put beside the database, and the folder that was missing."""
    store = opened(exclusive=True)
    store.record([event()], unit_names=UNITS, at=NOW)
    names = {file.name: mode(file) for file in path.parent.iterdir()}
    sides = ("reminder.db", "reminder.db-shm", "reminder.db-wal", "reminder.db.lock")
    assert names == dict.fromkeys(sides, 0o600)
    assert mode(path.parent) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(path: Path, opened: Opener) -> None:
    opened().close()
    path.chmod(0o644)
    opened()
    assert mode(path) == 0o600


def test_the_migrations_add_up_to_the_tables(sql: Store) -> None:
    """Statement by statement, indexes too."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        tables.metadata.create_all(connection)
        wanted = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master").all()
    engine.dispose()
    with sql.database.reading() as connection:
        found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master").all()
    names = {"alembic_version", "sqlite_autoindex_alembic_version_1"}
    made = {_in_a_line(row) for row in found if row[0] not in names}
    assert made == {_in_a_line(row) for row in wanted}


@pytest.mark.parametrize("shipped", ["at first", "for a while"])
def test_a_database_of_the_first_schema_comes_to_that_of_a_new_one(
    opened: Opener, path: Path, shipped: str
) -> None:
    """Statement by statement, and nothing in it is lost; for a while, the first step made the
    index of the second one too."""
    first = opened(schema=FIRST)
    row = tables.EVENT.columns(event()) | {"number": 1, "unit_name": UNITS[event().unit]}
    row["hash"] = link(GENESIS, row)
    sent = tables.from_draft(draft(), NOW)
    del sent["address"]  # a later column
    with first.database.writing() as connection:
        for name, values in (("event", row), ("outbox", sent)):
            columns: list[Any] = [column(each) for each in values]
            connection.execute(insert(table(name, *columns)), values)
        connection.exec_driver_sql("UPDATE head SET number = 1, hash = ?", (row["hash"],))
    kept = [Recorded(event=event(), number=1, unit_name=row["unit_name"], hash=row["hash"])]
    first.close()
    if shipped == "for a while":
        with closing(sqlite3.connect(path)) as raw, raw:
            raw.execute(
                "CREATE INDEX outbox_answer ON outbox (state, kind, slot, id)"
                " WHERE state = 'pending' AND kind = 'reply'"
            )
    store = opened(exclusive=True)
    assert (store.events(), [row.draft for row in store.rows()]) == (kept, [draft()])
    assert store.rows(naming=[KEY]) == store.rows()
    fresh = path.with_name("fresh.db")
    open_store(f"sqlite:///{fresh}", exclusive=False, sleep=no_sleep).close()
    assert statements(path) == statements(fresh)
    assert "outbox_answer" in statements(fresh)


def test_a_new_database_is_made_in_silence(
    opened: Opener, path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing on either stream, no backup of nothing, WAL for readers beside the writer."""
    store = opened()
    with store.database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    assert capfd.readouterr() == ("", "")
    assert not list(path.parent.glob("*.bak"))


def test_a_migration_takes_a_backup_first(
    opened: Opener, path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The copy is the old program's, readable by it, for the owner only."""
    old = opened()
    old.record([event()], unit_names=UNITS, drafts=[draft()], at=NOW)
    kept = old.events()
    old.close()
    new = opened(schema=next_schema(tmp_path))
    assert new.events() == kept
    assert "novelty" in tables_of(path)
    backup = path.with_name(f"reminder.db.schema-{SHIPPED.version}.bak")
    assert (mode(backup), "novelty" in tables_of(backup)) == (0o600, False)
    with closing(open_store(f"sqlite:///{backup}", exclusive=False, sleep=no_sleep)) as restored:
        assert restored.events() == kept
    assert capfd.readouterr() == ("", "")


def test_a_migration_that_fails_changes_nothing(opened: Opener, path: Path, tmp_path: Path) -> None:
    opened().close()
    before = tables_of(path)
    with pytest.raises(ZeroDivisionError):
        opened(schema=next_schema(tmp_path, f"{NEXT}    1 / 0\n"))
    assert tables_of(path) == before
    assert opened(exclusive=True).record([event()], unit_names=UNITS, at=NOW)


def test_nobody_migrates_under_a_running_daemon(opened: Opener, path: Path, tmp_path: Path) -> None:
    """The command line of a newer program says so, and changes nothing."""
    daemon = opened(exclusive=True)
    with pytest.raises(
        StoreRefusedError, match=r"must be migrated and a daemon .* has it: stop it"
    ):
        opened(schema=next_schema(tmp_path), wait=0)
    assert "novelty" not in tables_of(path)
    assert daemon.record([event()], unit_names=UNITS, at=NOW)


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_newer_schema_is_refused(opened: Opener, path: Path, exclusive: bool) -> None:
    opened().close()
    set_version(path, LATER)
    with pytest.raises(StoreRefusedError) as refusal:
        opened(exclusive=exclusive)
    assert str(refusal.value) == (
        f"the database {path} was written by a newer program (schema {LATER}, this one knows"
        f" {SHIPPED.version}): install that program again, or restore an older backup"
    )
    set_version(path, SHIPPED.version)
    opened(exclusive=True, wait=0)


def test_another_programs_database_is_refused(opened: Opener, path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE bookmarks (id)")
    with pytest.raises(StoreRefusedError, match="holds tables of another program"):
        opened()
    assert tables_of(path) == {"bookmarks"}


def test_a_file_that_is_no_database_is_refused(opened: Opener, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"x" * 10_000)
    with pytest.raises(StoreRefusedError) as refusal:
        opened()
    assert str(refusal.value) == (
        f"the database {path} is no SQLite file: name another under [store] url, or move it away"
    )
    assert path.read_bytes() == b"x" * 10_000


def test_a_place_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """A folder under a file, a folder as the file, a name too long."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    places = {
        "file/reminder.db": "a file stands where its folder should be",
        "folder": "it is no file",
        "x" * 300: "File name too long",
    }
    for place, why in places.items():
        with pytest.raises(ReminderError) as refusal:
            open_store(f"sqlite:///{tmp_path / place}", exclusive=True, sleep=no_sleep)
        assert str(refusal.value) == f"{tmp_path / place} can't be written: {why}"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("reminder.db", "[store] url can't be read"),
        ("sqlite://", "[store] url names no file: write sqlite:///PATH"),
        ("sqlite:///:memory:", "[store] url names no file: write sqlite:///PATH"),
        ("mysql://u@h/n", "[store] url names mysql: only sqlite and postgresql are known"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_sentence(url: str, why: str) -> None:
    with pytest.raises(ReminderError) as refusal:
        open_store(url, exclusive=True, sleep=no_sleep)
    assert str(refusal.value).startswith(why)
