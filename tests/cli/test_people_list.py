"""`reminder people import` and `export`: the list goes in and out, and the file keeps its rest."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
from typer.testing import CliRunner

from reminder.cli import app
from reminder.domain.errors import ReminderError
from tests.cli.test_people import Terminal

FILE = """\
# Danh sách của phường

[[person]]  # trưởng bộ phận
id = "tp-1"
name = "Nguyễn An"  # tên đầy đủ: Nguyễn Văn An
unit = [
  "tu-phap",
  "van-phong",
]
channels = ["telegram"]
# số nhà riêng: hỏi Văn phòng

[[person]]
id = "vp-1"
name = "Trần Bình"
unit = "van-phong"
email = "binh@xa.example"
"""
LIST = """\
Họ và tên,Bộ phận,Thư,Điện thoại,Năm sinh
Nguyễn An,Tư pháp,an@xa.example,0912,1980
Lê Chi,Văn hóa - Xã hội,,,1990
"""


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal(tmp_path, monkeypatch)
    (tmp_path / "people.toml").write_text(FILE, "utf-8")
    (tmp_path / "ds.csv").write_text(LIST, "utf-8")
    return terminal


def test_the_diff_first_and_nothing_written(office: Terminal) -> None:
    """Where nobody can be asked, only --yes writes."""
    output = office.run("people", "import", str(office.folder / "ds.csv"))
    assert output == (
        "~ tp-1: bộ phận Tư pháp, Văn phòng → Tư pháp; thư (trống) → an@xa.example; "
        "điện thoại (trống) → 0912\n"
        "+ le-chi: Lê Chi; Văn hóa - Xã hội\n"
        "Không có trong bảng, giữ nguyên: Trần Bình. Muốn bỏ: thêm --drop.\n"
        "Cột không dùng: Năm sinh.\n"
        "Chưa ghi gì. Ghi: thêm --yes.\n"
    )
    assert (office.folder / "people.toml").read_text("utf-8") == FILE


def test_comments_and_other_keys_stay(office: Terminal) -> None:
    """Changed lines alone are changed; the same list once more changes nothing."""
    call = ("people", "import", str(office.folder / "ds.csv"), "--yes")
    office.run(*call)
    assert (office.folder / "people.toml").read_text("utf-8") == FILE.replace(
        'unit = [\n  "tu-phap",\n  "van-phong",\n]\nchannels = ["telegram"]\n',
        'unit = "tu-phap"\nchannels = ["telegram"]\nemail = "an@xa.example"\nphone = "0912"\n',
    ) + ('\n[[person]]\nid = "le-chi"\nname = "Lê Chi"\nunit = "van-hoa-xa-hoi"\n')
    assert "Không có gì thay đổi." in office.run(*call)


def test_who_is_dropped_leaves_the_comments(office: Terminal) -> None:
    """--drop takes the lines of the keys alone."""
    (office.folder / "ds.csv").write_text("Họ tên,Bộ phận\nTrần Bình,Văn phòng\n", "utf-8")
    output = office.run("people", "import", str(office.folder / "ds.csv"), "--drop", "--yes")
    assert output.splitlines()[0] == "- tp-1: Nguyễn An"
    assert (office.folder / "people.toml").read_text("utf-8") == (
        "# Danh sách của phường\n\n# số nhà riêng: hỏi Văn phòng\n\n"
        + FILE[FILE.index('[[person]]\nid = "vp-1"') :]
    )


def test_a_file_written_in_another_way_is_refused(office: Terminal) -> None:
    """One line for all people can't be changed line by line: nothing is written."""
    text = 'person = [{ id = "tp-1", name = "Nguyễn An", unit = "tu-phap" }]\n'
    (office.folder / "people.toml").write_text(text, "utf-8")
    (office.folder / "reminder.db").unlink()
    said = office.refused("people", "import", str(office.folder / "ds.csv"), "--yes")
    assert said.endswith("viết mỗi người thành một mục [[person]] riêng rồi làm lại")
    assert (office.folder / "people.toml").read_text("utf-8") == text
    assert sorted(path.name for path in office.folder.iterdir()) == [
        "ds.csv", "people.toml", "reminder.toml",
    ]  # fmt: skip


def test_a_first_list_makes_the_file(office: Terminal) -> None:
    """Beside the settings, where there was none."""
    (office.folder / "people.toml").unlink()
    office.run("people", "import", str(office.folder / "ds.csv"), "--yes")
    assert (office.folder / "people.toml").read_text("utf-8") == (
        '[[person]]\nid = "nguyen-an"\nname = "Nguyễn An"\nunit = "tu-phap"\n'
        'email = "an@xa.example"\nphone = "0912"\n\n'
        '[[person]]\nid = "le-chi"\nname = "Lê Chi"\nunit = "van-hoa-xa-hoi"\n'
    )


@pytest.mark.parametrize("name", ["ra.csv", "ra.xlsx"])
def test_what_goes_out_comes_in_again(office: Terminal, name: str) -> None:
    """The exported table, imported, changes nothing."""
    office.run("people", "import", str(office.folder / "ds.csv"), "--yes")
    path = office.folder / name
    assert office.run("people", "export", "-o", str(path)) == f"Đã ghi 3 người vào {path}.\n"
    assert office.run("people", "import", str(path)) == "Không có gì thay đổi.\n"
    assert path.stat().st_mode & 0o077 == 0


def test_the_exported_workbook(office: Terminal) -> None:
    """Headings and texts, no formula."""
    path = office.folder / "ra.xlsx"
    office.run("people", "export", "-o", str(path))
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    assert [list(row) for row in sheet.iter_rows(values_only=True)] == [
        ["Mã", "Họ và tên", "Chức danh", "Bộ phận", "Thư", "Điện thoại"],
        ["tp-1", "Nguyễn An", "", "Tư pháp, Văn phòng", "", ""],
        ["vp-1", "Trần Bình", "", "Văn phòng", "binh@xa.example", ""],
    ]


def test_another_ending_is_refused(office: Terminal) -> None:
    said = office.refused("people", "export", "-o", str(office.folder / "ra.doc"))
    assert said == "ra.doc: tên tệp phải kết thúc bằng .xlsx hoặc .csv"


def test_the_list_itself_is_still_shown(office: Terminal) -> None:
    """`reminder people` alone, and its help with the two commands below it."""
    assert "Nguyễn An" in office.run("people")
    help_page = CliRunner().invoke(app, ["people", "--help"]).stdout
    assert "import" in help_page
    assert "Ví dụ: reminder people" in help_page


def test_a_list_that_is_not_there(office: Terminal) -> None:
    said = office.refused("people", "import", str(office.folder / "khong-co.csv"))
    assert "không có tệp này" in said
    assert issubclass(ReminderError, Exception)


@pytest.mark.thorough
def test_a_hostile_workbook_is_refused(office: Terminal) -> None:
    """In a sentence, by the guard that plan documents have: here an archive of 300 MB of zeros."""
    path = office.folder / "bom.xlsx"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<a/>")
        for number in range(3):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", b"\0" * 100_000_000)
    said = office.refused("people", "import", str(path), "--yes")
    assert said.startswith("không đọc bom.xlsx: ")
    assert (office.folder / "people.toml").read_text("utf-8") == FILE
