"""Plans and people in the database: in and out by commands, and read by all others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_people import PEOPLE, Terminal
from tests.conftest import ROOT

PLAN = (ROOT / "data/plan2024.toml").read_text(encoding="utf-8")


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """An office whose plan is in the database, which has taken up the files."""
    terminal = Terminal(tmp_path, monkeypatch)
    text = terminal.config.read_text("utf-8").replace("[plan]", '[plan]\nsource = "database"')
    terminal.config.write_text(text, "utf-8")
    (tmp_path / "moi.toml").write_text(
        PLAN.replace("  due = 2024-01-31\n", "  due = 2024-02-15\n", 1), "utf-8"
    )
    return terminal


def listed(office: Terminal, *name: str) -> list[tuple[str, int, str, str]]:
    lines = office.run("plan", "versions", *name, "--json").splitlines()
    found = map(json.loads, lines)
    return [(one["name"], one["version"], one["by"], one["why"]) for one in found]


def test_a_plan_goes_in_after_its_changes_were_seen(office: Terminal) -> None:
    """Where nobody can be asked, only --yes writes; all commands read what is in the database."""
    moved = "dời 1c: Quyết định: hạn 31/01/2024 → hạn 15/02/2024\n"
    call = ("plan", "put", str(office.folder / "moi.toml"))
    assert office.run(*call) == f"{moved}Chưa ghi gì. Ghi: thêm --yes.\n"
    said = office.run(*call, "--why", "theo công văn 12", "--by", "vp-1", "--yes")
    assert said == (f"{moved}Đã ghi bản 2 của cchc-2024. Máy đang chạy thì nhận trong vài giây.\n")
    assert listed(office, "cchc-2024") == [
        ("cchc-2024", 2, "vp-1", "theo công văn 12"),
        ("cchc-2024", 1, "", "lấy từ tệp plan2024.toml"),
    ]
    assert office.run(*call, "--yes") == "Không có gì thay đổi.\n"
    shown = office.run("plan", "show", "--on", "2024-02-01")
    assert "15/02" in next(line for line in shown.splitlines() if "Danh mục VBQPPL" in line)
    assert office.run("plan", "check").startswith("cchc-2024: tốt.")


def test_versions_are_compared_by_their_names(office: Terminal) -> None:
    office.run("plan", "put", str(office.folder / "moi.toml"), "--yes")
    moved = "dời 1c: Quyết định: hạn 31/01/2024 → hạn 15/02/2024\n"
    assert office.run("plan", "diff", "cchc-2024@1", "cchc-2024") == moved
    assert "không có tệp này" in office.refused("plan", "diff", "cchc-2024@9", "cchc-2024")


def test_texts_come_out_as_they_went_in(office: Terminal) -> None:
    office.run("plan", "put", str(office.folder / "moi.toml"), "--yes")
    assert office.run("plan", "get", "cchc-2024", "--version", "1") == PLAN
    out = office.folder / "ra.toml"
    assert office.run("plan", "get", "people", "-o", str(out)) == (
        f"Đã ghi bản 1 của people vào {out}.\n"
    )
    assert out.read_text("utf-8") == PEOPLE
    assert office.refused("plan", "get", "cchc-2025") == (
        "không có “cchc-2025”: xem reminder plan versions"
    )


def test_a_faulty_text_does_not_go_in(office: Terminal) -> None:
    people = office.folder / "people.toml"
    people.write_text(PEOPLE.replace('"tu-phap"', '"thue"'), "utf-8")
    said = office.refused("plan", "put", str(people), "--people", "--yes")
    assert "không có bộ phận “thue”" in said


def test_the_list_of_people_is_recorded_and_given_from_the_database(office: Terminal) -> None:
    office.run("plan", "put", str(office.folder / "people.toml"), "--people")
    table = office.folder / "ds.csv"
    table.write_text("Họ và tên,Bộ phận\nLê Chi,Tư pháp\n", "utf-8")
    said = office.run("people", "import", str(table), "--yes")
    assert said.endswith("Đã ghi bản 2 của danh sách. Máy đang chạy thì nhận trong vài giây.\n")
    assert (office.folder / "people.toml").read_text("utf-8") == PEOPLE
    assert listed(office, "people")[0] == ("people", 2, "", "nhập từ ds.csv")
    out = office.folder / "ra.csv"
    assert office.run("people", "export", "-o", str(out)) == f"Đã ghi 4 người vào {out}.\n"


def test_where_plans_are_files_none_goes_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Terminal(tmp_path, monkeypatch)
    said = office.refused("plan", "put", str(ROOT / "data/plan2024.toml"), "--yes")
    assert said == (
        'kế hoạch đang nằm trong tệp: sửa tệp, hoặc ghi source = "database" dưới [plan] trong '
        "config/reminder.toml"
    )
