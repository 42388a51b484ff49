"""`reminder doctor` on PostgreSQL: what the server tells, each fault a sentence with what to do."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from reminder.app import bootstrap
from reminder.store.offices import OfficeRecord, Stores
from reminder.store.store import open_store
from tests.cli.test_doctor import MAIL, looked, sound
from tests.cli.test_people import NOW, Terminal
from tests.postgres import ADMIN, Server


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str) -> Terminal:
    return on(Terminal(tmp_path, monkeypatch, MAIL), postgres_url)


def on(terminal: Terminal, url: str) -> Terminal:
    """The same office on another database."""
    text = terminal.config.read_text("utf-8")
    terminal.config.write_text(text.replace(terminal.url, url), "utf-8")
    terminal.url = url
    return terminal


def test_a_sound_server_has_nothing_to_mend(terminal: Terminal) -> None:
    with closing(open_store(terminal.url, exclusive=True, sleep=bootstrap.pause)) as daemon:
        sound(daemon)
        code, found = looked(terminal)
    assert code == 0
    names = ("server", "role", "connections", "archive", "database", "daemon", "backup")
    assert {name: found[name]["verdict"] for name in names} == dict.fromkeys(names, "ok")
    assert found["server"]["sentence"].startswith("PostgreSQL ")
    assert found["durability"]["remedy"] == "đặt fsync = on"  # which the tests' server goes without
    assert "không lưu trữ WAL" in found["archive"]["sentence"]


def test_a_superuser_is_told_of_and_a_fault_with_many_offices(
    terminal: Terminal, postgres: Server, postgres_database: str
) -> None:
    on(terminal, postgres.url(postgres_database, role=ADMIN))
    with closing(open_store(terminal.url, exclusive=True, sleep=bootstrap.pause)) as daemon:
        sound(daemon)
        _, found = looked(terminal)
        assert found["role"]["verdict"] == "warn"
        record = OfficeRecord(id="a", name="A", province="", made_at=NOW)
        assert Stores(daemon).add_office(record)
        code, found = looked(terminal)
    assert (code, found["role"]["verdict"]) == (1, "fault")
    assert found["role"]["remedy"] == (
        "ALTER ROLE admin NOSUPERUSER NOBYPASSRLS, hoặc dùng người dùng riêng"
    )


def test_tables_without_row_level_security_are_a_fault(
    terminal: Terminal, postgres: Server, postgres_database: str
) -> None:
    postgres.ask("ALTER TABLE event NO FORCE ROW LEVEL SECURITY", database=postgres_database)
    code, found = looked(terminal)
    assert (code, found["role"]["sentence"]) == (
        1,
        "Bảng event không chia theo đơn vị (row-level security tắt).",
    )


def test_without_copies_of_anybodys_the_archive_is_a_fault(terminal: Terminal) -> None:
    with terminal.config.open("a", encoding="utf-8") as file:
        file.write("[backup]\ndaily = false\n")
    code, found = looked(terminal)
    assert (code, found["archive"]["verdict"]) == (1, "fault")
    assert "backup" not in found


def test_a_server_that_is_away_is_one_line(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "nowhere").mkdir()
    on(terminal, f"postgresql://app@/x?host={tmp_path}/nowhere")
    code, found = looked(terminal)
    assert code == 1
    assert (
        "(không có tệp hay thư mục ấy): xem máy chủ có chạy không" in found["database"]["sentence"]
    )
    assert "server" not in found
