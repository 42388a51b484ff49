"""A copy that takes the database's place: verified, the old one aside, doubts marked."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reminder.domain.errors import ReminderError
from reminder.domain.outbox import RowState
from reminder.store.records import ENDED, RESTORED, Restored, StoreRefusedError
from reminder.store.restore import restore
from reminder.store.store import SHIPPED, Schema, Store, open_store
from tests.store.conftest import Opener, no_sleep
from tests.store.samples import CHANNELS, HOLD, NOW, UNITS, draft, event, minutes

LATER = minutes(60)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy.db"


def put_back(copy: Path, path: Path, at: datetime = LATER) -> Restored:
    return restore(copy, f"sqlite:///{path}", at, sleep=no_sleep)


def lived(store: Store, *, ended: bool) -> None:
    """An event, a sent message, one on its way, one that waits, one for tomorrow; a tick."""
    names = ("sent", "leased", "waits")
    tomorrow = draft("tomorrow", due_at=NOW + timedelta(days=1))
    drafts = [*map(draft, names), tomorrow]
    store.record([event()], unit_names=UNITS, drafts=drafts, seen=("telegram", "1"), at=NOW)
    sent, _ = sorted(store.lease(NOW, 2, HOLD, CHANNELS), key=lambda row: row.id)
    store.mark_sent(sent, "77", NOW)
    store.set_meta("last_tick", NOW.isoformat())
    store.set_meta(ENDED, NOW.isoformat() if ended else "")


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir() if file.suffix != ".lock")


def repeats(store: Store) -> dict[str, bool]:
    return {row.draft.recipient: row.repeat for row in store.rows()}


def test_a_stopped_programs_copy_goes_on_as_if_nothing_had_happened(
    opened: Opener, path: Path, copy: Path
) -> None:
    """Nothing is marked; the rows, the ledger, what was seen are those of the stop. It does not
    matter whether the replaced database is still there."""
    store = opened()
    lived(store, ended=True)
    before = (store.rows(), store.events(), store.addresses())
    store.backup(str(copy))
    store.close()
    done = put_back(copy, path)
    aside = path.with_name("reminder.db.before-2024-01-24-090000")
    assert done == Restored(ticked=NOW, events=1, missing=0, aside=aside, ran_on=False)
    for file in path.parent.iterdir():
        file.unlink()
    assert put_back(copy, path) == Restored(
        ticked=NOW, events=1, missing=0, aside=None, ran_on=False
    )
    again = opened(exclusive=True)
    assert (again.rows(), again.events(), again.addresses()) == before
    assert not again.record([], unit_names={}, seen=("telegram", "1"), at=NOW)
    assert again.meta(RESTORED) is None


def test_what_a_running_programs_copy_cannot_know_is_marked(
    opened: Opener, path: Path, copy: Path
) -> None:
    """What waits may have been sent since; what is due only later can't have been."""
    store = opened()
    lived(store, ended=False)
    store.backup(str(copy))
    store.close()
    done = put_back(copy, path)
    assert (done.ran_on, done.missing) == (True, 0)
    again = opened()
    assert again.meta(RESTORED) == LATER.isoformat()
    assert repeats(again) == {"sent": False, "leased": False, "waits": True, "tomorrow": False}
    again.release_all(LATER)  # as each start does
    assert repeats(again)["leased"]


def _to_first_schema(copy: Path) -> None:
    """Put what the tables of the first schema can hold of `copy` in its place."""
    newer = copy.rename(copy.with_suffix(".newer"))
    first = Schema(version="0001", folders=SHIPPED.folders)
    open_store(f"sqlite:///{copy}", exclusive=False, sleep=no_sleep, schema=first).close()
    with closing(sqlite3.connect(copy)) as raw, raw:
        raw.execute("ATTACH ? AS newer", [str(newer)])
        for name in ("event", "outbox", "spoken", "seen", "address", "invitation", "meta"):
            columns = ", ".join(row[1] for row in raw.execute(f"PRAGMA main.table_info({name})"))
            raw.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM newer.{name}")
        raw.execute("UPDATE head SET (number, hash) = (SELECT number, hash FROM newer.head)")


def test_a_copy_of_an_older_schema_is_brought_to_this_one(
    opened: Opener, path: Path, copy: Path
) -> None:
    """All that it held is there, and nothing of the migration lies about."""
    store = opened()
    lived(store, ended=True)
    before = (store.rows(), store.events(), store.addresses())
    store.backup(str(copy))
    store.close()
    _to_first_schema(copy)
    put_back(copy, path)
    assert not [name for name in names(path) if "restoring" in name or "schema" in name]
    again = opened(exclusive=True)
    assert (again.rows(), again.events(), again.addresses()) == before


def test_a_program_that_ran_on_after_its_stop_is_found_out(
    opened: Opener, path: Path, copy: Path
) -> None:
    """The replaced database knows of later ticks and events: they are counted, and it is kept."""
    store = opened()
    lived(store, ended=True)
    store.backup(str(copy))
    store.record([event("b"), event("c")], unit_names=UNITS, at=NOW)
    store.set_meta("last_tick", minutes(5).isoformat())
    store.close()
    done = put_back(copy, path)
    assert (done.ran_on, done.missing, done.events) == (True, 2, 1)
    assert done.aside is not None
    with closing(open_store(f"sqlite:///{done.aside}", exclusive=False, sleep=no_sleep)) as old:
        assert [one.event.note for one in old.events()] == ["", "b", "c"]


def test_a_damaged_database_is_replaced_and_kept(opened: Opener, path: Path, copy: Path) -> None:
    """What it held is not known, so all that waits is doubtful; its log never meets the copy."""
    store = opened()
    lived(store, ended=True)
    store.backup(str(copy))
    store.close()
    path.write_bytes(b"SQLite format 3\0" + b"x" * 9000)
    path.with_name("reminder.db-wal").write_bytes(b"torn")
    done = put_back(copy, path)
    assert (done.ran_on, done.missing) == (True, None)
    assert opened().verify() is None
    assert done.aside is not None
    assert done.aside.read_bytes().endswith(b"x" * 9000)
    assert done.aside.with_name(f"{done.aside.name}-wal").read_bytes() == b"torn"


def test_what_was_written_and_not_yet_in_the_file_is_kept_aside(
    opened: Opener, path: Path, copy: Path, tmp_path: Path
) -> None:
    """A power cut leaves the newest events in SQLite's log: the kept database holds them."""
    store = opened()
    lived(store, ended=False)
    store.backup(str(copy))
    store.record([event("newest")], unit_names=UNITS, at=NOW)
    cut = tmp_path / "cut" / "reminder.db"
    cut.parent.mkdir()
    for side in ("", "-wal"):
        file = path.with_name(path.name + side)
        cut.with_name(file.name).write_bytes(file.read_bytes())
    done = put_back(copy, cut)
    assert done.missing == 1
    assert done.aside is not None
    with closing(open_store(f"sqlite:///{done.aside}", exclusive=False, sleep=no_sleep)) as old:
        assert [one.event.note for one in old.events()] == ["", "newest"]


def test_a_running_daemon_is_not_robbed(opened: Opener, path: Path, copy: Path) -> None:
    store = opened(exclusive=True)
    lived(store, ended=False)
    store.backup(str(copy))
    me = f"máy nhắc việc (tiến trình {os.getpid()}) đang chạy trên {path}"
    with pytest.raises(StoreRefusedError) as caught:
        put_back(copy, path)
    assert str(caught.value) == f"{me}: dừng máy trước rồi khôi phục"
    assert store.record([event("still mine")], unit_names=UNITS, at=NOW)


def garbage(copy: Path) -> None:
    copy.write_bytes(b"no database at all")


def another_program(copy: Path) -> None:
    copy.unlink()
    with closing(sqlite3.connect(copy)) as raw:
        raw.execute("CREATE TABLE notes (words)")


def newer(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")


def torn(copy: Path) -> None:
    whole = copy.read_bytes()
    copy.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))


def cut_off(copy: Path) -> None:
    """As a stick that was pulled out leaves it."""
    copy.write_bytes(copy.read_bytes()[:50_000])


def tampered(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as raw, raw:
        raw.execute("UPDATE event SET person = 'somebody'")


def gone(copy: Path) -> None:
    copy.unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (garbage, "không phải bản sao dữ liệu: ghi tên một bản sao của `reminder backup`"),
        (another_program, "không có dữ liệu của chương trình này: ghi tên một bản sao khác"),
        (newer, "was written by a newer program (schema 9999"),
        (torn, "đã hỏng: lấy một bản sao khác"),
        (cut_off, "đã hỏng: lấy một bản sao khác"),
        (tampered, "sổ ghi đã bị sửa từ mục 1: lấy một bản sao cũ hơn"),
        (gone, "ghi tên một bản sao của `reminder backup`"),
    ],
)
def test_a_bad_copy_changes_nothing(
    opened: Opener, path: Path, copy: Path, spoil: Callable[[Path], None], words: str
) -> None:
    """One sentence that names the copy; the database goes on, and nothing lies about."""
    store = opened()
    lived(store, ended=True)
    store.backup(str(copy))
    rows = store.rows()
    store.close()
    spoil(copy)
    before = names(path)
    with pytest.raises(ReminderError) as caught:
        put_back(copy, path)
    told = str(caught.value)
    assert words in told
    assert str(copy) in told
    assert "\n" not in told
    assert names(path) == before
    assert opened().rows() == rows


def test_the_database_is_no_copy_of_itself(opened: Opener, path: Path) -> None:
    lived(opened(), ended=True)
    with pytest.raises(ReminderError, match="chính là tệp dữ liệu"):
        put_back(path, path)
    assert opened().counts()[RowState.SENT.value] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="rights are the folder's there")
def test_all_that_is_made_is_the_owners(opened: Opener, copy: Path, tmp_path: Path) -> None:
    """Database, log, lock and what was set aside: 0600, in a folder 0700; umask or not."""
    store = opened()
    lived(store, ended=True)
    store.backup(str(copy))
    copy.chmod(0o644)
    there = tmp_path / "new machine" / "var" / "r.db"
    mask = os.umask(0)
    try:
        put_back(copy, there)
        put_back(copy, there)
        with closing(open_store(f"sqlite:///{there}", exclusive=True, sleep=no_sleep)) as again:
            again.set_meta("a", "b")
            modes = {
                file.name: stat.S_IMODE(file.stat().st_mode) for file in there.parent.iterdir()
            }
    finally:
        os.umask(mask)
    assert set(modes) == {
        "r.db", "r.db-wal", "r.db-shm", "r.db.lock", "r.db.before-2024-01-24-090000",
    }  # fmt: skip
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(there.parent.stat().st_mode) == 0o700
