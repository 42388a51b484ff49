"""A backup is whole, verified, private and usable, or it is not there."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from reminder.domain.errors import ReminderError
from reminder.store.records import StoreBusyError
from reminder.store.store import Store, open_store
from tests.store.conftest import no_sleep
from tests.store.samples import CHANNELS, HOLD, NOW, UNITS, draft, event


def test_a_backup_goes_on_where_it_was_taken(sql: Store, tmp_path: Path) -> None:
    """One file, for its owner only, taken while the store is in use; an older one is replaced."""
    target = tmp_path / "disk 2" / "reminder.bak"
    target.parent.mkdir()
    target.write_text("an older one")
    sql.record([event()], unit_names=UNITS, drafts=[draft()], seen=("telegram", "1"), at=NOW)
    sql.backup(str(target))
    later = sql.record([event("later")], unit_names=UNITS, at=NOW)
    assert [file.name for file in target.parent.iterdir()] == ["reminder.bak"]
    assert (later, stat.S_IMODE(target.stat().st_mode)) == (True, 0o600)
    with closing(open_store(f"sqlite:///{target}", exclusive=True, sleep=no_sleep)) as restored:
        assert restored.events() == sql.events()[:1]
        assert restored.verify() is None
        assert restored.rows() == sql.rows()
        assert not restored.record([], unit_names={}, seen=("telegram", "1"), at=NOW)
        assert len(restored.lease(NOW, 1, HOLD, CHANNELS)) == 1


def test_a_backup_takes_place_beside_a_writer(sql: Store, path: Path, tmp_path: Path) -> None:
    """What is not committed yet is not in it."""
    sql.record([event()], unit_names=UNITS, at=NOW)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE event SET note = 'not yet'")
        sql.backup(str(tmp_path / "copy.db"))
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT note FROM event").fetchall() == [("",)]


def test_a_backup_over_the_database_itself_is_refused(sql: Store, path: Path) -> None:
    alias = path.with_name("alias.db")
    alias.symlink_to(path)
    for target in (path, alias):
        with pytest.raises(ReminderError, match="is the database itself"):
            sql.backup(str(target))
    assert sql.record([event()], unit_names=UNITS, at=NOW)


def test_a_place_that_cannot_be_written_is_one_sentence(sql: Store, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(ReminderError, match=r"file/copy.db can't be written: Not a dir"):
        sql.backup(str(tmp_path / "file" / "copy.db"))
    with pytest.raises(ReminderError, match=r"folder can't be written: Is a directory"):
        sql.backup(str(tmp_path / "folder"))
    assert sorted(item.name for item in tmp_path.iterdir()) == ["file", "folder", "var"]


def test_a_database_held_by_another_program_alone_is_not_waited_for(
    sql: Store, path: Path, tmp_path: Path
) -> None:
    """Python's own backup would try for ever."""
    sql.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE head SET number = 0")
        with pytest.raises(StoreBusyError, match="is locked by another program"):
            sql.backup(str(tmp_path / "copy.db"))
    assert not list(tmp_path.glob("copy*"))
