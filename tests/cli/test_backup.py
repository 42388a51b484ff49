"""`reminder backup` and `reminder restore`, as an operator types them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reminder.app import bootstrap
from reminder.store.store import open_store
from tests.cli.test_people import NOW, Terminal
from tests.store.samples import UNITS, event


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(tmp_path, monkeypatch)


def test_there_and_back(terminal: Terminal) -> None:
    """A stopped program's copy goes on exactly; each command says in a line what it did."""
    with terminal.store() as store:
        store.record([event()], unit_names=UNITS, at=NOW)
        store.set_meta("last_tick", NOW.isoformat())
    copy = terminal.folder / "copy.db"
    told = terminal.run("backup", str(copy))
    assert told.startswith(f"Đã sao và kiểm tra: {copy} (1 ghi nhận, 0,2 MB).")
    assert told.splitlines()[1] == (
        "Bản sao này nằm cùng ổ đĩa với dữ liệu: ổ ấy hỏng thì mất cả hai."
    )
    lines = terminal.run("restore", str(copy)).splitlines()
    assert lines == [
        f"Đã khôi phục từ {copy}: dữ liệu đến 09:00 ngày 30/01/2024, 1 ghi nhận.",
        f"Dữ liệu trước đó giữ ở {terminal.folder}/reminder.db.before-2024-01-30-090000.",
        "Khi chạy lại, máy làm tiếp đúng từ chỗ đã dừng.",
    ]


def test_a_running_programs_copy_and_what_is_lost_by_it(terminal: Terminal) -> None:
    """The copy is made beside the daemon; restored later, it says what is missing and may repeat.
    While the daemon runs nothing is restored."""
    copy = terminal.folder / "copy.db"
    daemon = open_store(terminal.url, exclusive=True, sleep=bootstrap.pause)
    daemon.set_meta("last_tick", NOW.isoformat())
    terminal.run("backup", str(copy))
    daemon.record([event()], unit_names=UNITS, at=NOW)
    assert terminal.refused("restore", str(copy)) == (
        f"máy nhắc việc (tiến trình {os.getpid()}) đang chạy trên {terminal.folder}/reminder.db: "
        "dừng máy trước rồi khôi phục"
    )
    daemon.close()
    _, aside, then = terminal.run("restore", str(copy)).splitlines()
    assert aside.endswith("; 1 ghi nhận ở đó không có trong bản vừa khôi phục.")
    assert then == (
        "Khi chạy lại, máy nhắc bù từ lúc ấy; tin nào có thể đã gửi thì ghi “(có thể là tin gửi "
        "lại)”. Trả lời của cán bộ sau lúc ấy phải ghi lại: reminder done."
    )


def test_what_is_read_again_by_itself_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With [inbox], answers by mail lie in a folder; only the others are the operator's to do."""
    mailbox = """[email]
host = "127.0.0.1"
sender = "nhac@example.vn"
[inbox]
host = "127.0.0.1"
address = "nhac@example.vn"
username = "nhac"
password = "mat-khau"
trust = "token"
"""
    terminal = Terminal(tmp_path, monkeypatch, mailbox)
    copy = tmp_path / "copy.db"
    with terminal.store() as store:
        store.set_meta("last_tick", NOW.isoformat())
        store.backup(str(copy))
    *_, then = terminal.run("restore", str(copy)).splitlines()
    assert then == (
        "Khi chạy lại, máy nhắc bù từ lúc ấy; tin nào có thể đã gửi thì ghi “(có thể là tin gửi "
        "lại)”. Trả lời bằng thư sau lúc ấy được đọc lại từ thư mục “Da-xu-ly”; trả lời qua "
        "Telegram sau lúc ấy phải ghi lại: reminder done."
    )


def test_no_new_database_takes_the_place_of_a_lost_one(terminal: Terminal) -> None:
    """As long as copies of it lie there; the one that is named is put back as the sentence says."""
    newest = terminal.folder / "backups" / "reminder-2024-01-29.db"
    newest.parent.mkdir()
    with terminal.store() as store:
        store.record([event()], unit_names=UNITS, at=NOW)
        store.set_meta("last_tick", NOW.isoformat())
        store.backup(str(newest))
    newest.with_name("reminder-2024-01-28.db").touch()
    database = terminal.folder / "reminder.db"
    database.unlink()
    assert terminal.refused("run") == (
        f"Không thấy cơ sở dữ liệu {database}, mà ở {newest.parent} còn bản sao của nó. Lấy lại: "
        f"reminder restore {newest}. Muốn bắt đầu lại từ đầu: chuyển các bản sao ấy đi chỗ khác."
    )
    assert not database.exists()
    assert "1 ghi nhận" in terminal.run("restore", str(newest))
    assert terminal.run("log").count("\n") == 1


def test_a_folder_that_is_not_there_is_not_made(terminal: Terminal) -> None:
    """With the stick unplugged its folder is missing: no copy lands on the same disk."""
    terminal.store().__enter__().close()
    stick = terminal.folder / "usb"
    assert terminal.refused("backup", str(stick / "x.db")) == (
        f"không có thư mục {stick}: cắm ổ đĩa ấy hoặc tạo thư mục rồi sao lại"
    )
    assert not stick.exists()


def test_nothing_to_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No empty database is made in its stead."""
    terminal = Terminal(tmp_path, monkeypatch, started=False)
    database = terminal.folder / "reminder.db"
    assert terminal.refused("backup", str(terminal.folder / "copy.db")) == (
        f"chưa có dữ liệu ở {database}: không có gì để sao"
    )
    assert not database.exists()


def test_there_and_back_on_postgresql(terminal: Terminal, postgres_url: str) -> None:
    """As with a file; the tables that were there are in a schema aside."""
    terminal.config.write_text(
        terminal.config.read_text("utf-8").replace(terminal.url, postgres_url), "utf-8"
    )
    terminal.url = postgres_url
    with terminal.store() as store:
        store.record([event()], unit_names=UNITS, at=NOW)
        store.set_meta("last_tick", NOW.isoformat())
    copy = terminal.folder / "copy.dump"
    (told,) = terminal.run("backup", str(copy)).splitlines()
    assert told.startswith(f"Đã sao và kiểm tra: {copy} (1 ghi nhận, 0,0 MB).")
    with terminal.store() as store:
        store.record([event("since")], unit_names=UNITS, at=NOW)
    first, aside, then = terminal.run("restore", str(copy)).splitlines()
    assert first == f"Đã khôi phục từ {copy}: dữ liệu đến 09:00 ngày 30/01/2024, 1 ghi nhận."
    assert aside == (
        "Dữ liệu trước đó giữ ở lược đồ before_20240130_090000 của cùng cơ sở dữ liệu; 1 ghi nhận "
        "ở đó không có trong bản vừa khôi phục."
    )
    assert then.startswith("Khi chạy lại, máy nhắc bù từ lúc ấy; tin nào có thể đã gửi thì ghi")
