"""`reminder plan`: what it prints and how it ends, run as a user would from the checkout's root."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reminder.app import bootstrap
from reminder.cli import app
from reminder.domain.errors import FileError
from tests.cli.test_people import Terminal
from tests.conftest import ROOT


def run(*arguments: str) -> str:
    """The output of a command that succeeds."""
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(tmp_path, monkeypatch)


def test_check_lists_the_questions_for_the_office() -> None:
    """A sound plan: 15 check-ins, 4b and 3 kinds of BC are assumed, 3 deliverables have no date."""
    lines = run("plan", "check", "data/plan2024.toml").splitlines()
    assert lines[0] == (
        "data/plan2024.toml: tốt. Kế hoạch cải cách hành chính năm 2024: 24 nhiệm vụ và BC."
    )
    starts = [line.split(":")[0].split()[:3] for line in lines[1:]]
    assert (starts.count(["chưa", "có", "hạn"]), len(starts)) == (3, 3 + 15 + 1 + 3)
    assert (
        "  hạn dự kiến 31/01: 4b Quyết định – Dự toán ngân sách nhà nước năm 2024 "
        "(“Đầu năm 2024”). Đúng không?" in lines
    )


DOCUMENTED = """\
[plan]
id = "ke-hoach-2026"
title = "Kế hoạch thử năm 2026"
year = 2026
office = "Văn phòng"
leaders = "lanh-dao"
document = "KH-2026.docx"

[sections]
1 = "Phần một"

[unit.van-phong]
name = "Văn phòng"

[unit.tu-phap]
name = "Tư pháp"
spellings = ["Bộ phận Tư pháp"]

[unit.lanh-dao]
name = "Lãnh đạo"

[[task]]
code = "1a"
title = "Việc một"
full_title = "Việc một của phường, viết dài như trong văn bản"
section = "1"
lead = ["Bộ phận Tư pháp"]
source = "t:1 r:7"

  [[task.deliverable]]
  name = "Báo cáo"
  product = "Báo cáo"
  phrase = "trước ngày 15/6"
  due = 2026-06-15
  before = true

[[task]]
code = "1b"
title = "Báo cáo quý"
section = "1"
lead = ["tu-phap"]
source = "t:1 r:8"

  [[task.deliverable]]
  name = "Báo cáo"
  product = "Báo cáo"
  phrase = "ngày 05 tháng đầu quý sau"
  due = [2026-04-05, 2026-07-05, 2026-10-05, 2027-01-05]
  periods = ["Q1", "Q2", "Q3", "Q4"]

[[task]]
code = "1c"
title = "Trả lời kiến nghị"
section = "1"
lead = ["tu-phap"]

  [[task.deliverable]]
  name = "Văn bản"
  product = "Văn bản trả lời"
  phrase = "trong 05 ngày làm việc kể từ ngày nhận văn bản"
  awaiting = true
  event = { name = "nhận văn bản", offset = 5, unit = "working-day" }

[[task]]
code = "1đ"
title = "Tuyên truyền"
section = "1"
lead = ["van-phong"]

  [[task.deliverable]]
  name = "Tuyên truyền"
  product = "Buổi tuyên truyền"
  phrase = "02 lần/quý"
  every = "quarter"
  times = 2
"""


@pytest.fixture
def documented(tmp_path: Path) -> Path:
    """A plan made from a document, with all that a time may be besides a day of the year."""
    path = tmp_path / "ke-hoach-2026.toml"
    path.write_text(DOCUMENTED, encoding="utf-8")
    return path


def test_check_tells_how_times_are_read(documented: Path) -> None:
    """Ids for units written by name; days outside the year, events, “02 lần”, “trước ngày”."""
    assert run("plan", "check", str(documented)).splitlines() == [
        f"{documented}: tốt. Kế hoạch thử năm 2026: 4 nhiệm vụ.",
        "  dòng 5: bộ phận “Văn phòng”: nên ghi mã “van-phong”",
        "  dòng 27: bộ phận “Bộ phận Tư pháp”: nên ghi mã “tu-phap”",
        (
            "  hạn 05/01/2027 ngoài năm 2026: 1b Báo cáo – Báo cáo quý (“ngày 05 tháng đầu quý "
            "sau”). Đúng không?"
        ),
        (
            "  chờ sự kiện, trong 05 ngày làm việc kể từ khi nhận văn bản: 1c Văn bản – Trả lời "
            "kiến nghị (“trong 05 ngày làm việc kể từ ngày nhận văn bản”). Có ngày ấy, Văn phòng "
            "nhắn: /sukien 1c NGÀY"
        ),
        (
            "  hạn dự kiến 31/3, 30/6, 30/9, 31/12, 02 lần mỗi quý: 1đ Tuyên truyền – Tuyên truyền "
            "(“02 lần/quý”). Đúng không?"
        ),
        (
            '  “trước ngày …” ở 1a: hạn tính đến hết ngày liền trước (before = "day-before" ở '
            "[plan]). Đúng không?"
        ),
    ]


def test_show_tells_the_sources(documented: Path) -> None:
    """With --sources: what the text says, where, and how it is read."""
    shown = run("plan", "show", "--on", "2026-11-01", "--sources", "--plan", str(documented))
    last = [line.rpartition("│")[0].rpartition("│")[2].strip() for line in shown.splitlines()]
    assert " ".join(" ".join(last).split()) == (
        "“trước ngày 15/6”; bảng 1, dòng 7, KH-2026.docx; hạn tính đến hết ngày liền trước "
        "“ngày 05 tháng đầu quý sau”; bảng 1, dòng 8, KH-2026.docx "
        "“trong 05 ngày làm việc kể từ ngày nhận văn bản”; KH-2026.docx “02 lần/quý”; KH-2026.docx"
    )


def test_diff_tells_of_the_document_and_how_times_are_read(
    documented: Path, tmp_path: Path
) -> None:
    """The decision on “trước ngày”, the opening day, “02 lần”, an event, a day of next year."""
    text = DOCUMENTED
    for old, new in (
        ("year = 2026\n", 'year = 2026\nbefore = "same-day"\n'),
        ('"KH-2026.docx"', '"KH-2026-sua.docx"'),
        ("2027-01-05]", "2027-01-15]"),
        ("offset = 5", "offset = 7"),
        ("times = 2", "times = 3"),
        ("  before = true", "  before = true\n  from = 2026-04-01"),
    ):
        assert old in text
        text = text.replace(old, new)
    new_file = tmp_path / "moi.toml"
    new_file.write_text(text, encoding="utf-8")
    assert run("plan", "diff", str(documented), str(new_file)).splitlines() == [
        "sửa kế hoạch: văn bản: KH-2026.docx → KH-2026-sua.docx",
        "sửa kế hoạch: “trước ngày”: hạn tính đến hết ngày liền trước → hạn tính cả ngày ấy",
        "dời 1a: Báo cáo: mở từ 01/01/2026 → 01/4/2026",
        "dời 1a: Báo cáo: hạn 14/6/2026 → hạn 15/6/2026",
        "dời 1b: Báo cáo quý IV: hạn 05/01/2027 → hạn 15/01/2027",
        (
            "dời 1c: Văn bản: chưa có hạn (trong 05 ngày làm việc kể từ khi nhận văn bản) → "
            "chưa có hạn (trong 07 ngày làm việc kể từ khi nhận văn bản)"
        ),
        "sửa 1đ: Tuyên truyền: 02 lần mỗi quý → 03 lần mỗi quý",
    ]


def test_check_tells_the_faults_of_all_files(tmp_path: Path) -> None:
    """Several faulty files are told in one go; the sound one between them changes nothing."""
    bad = tmp_path / "xau.toml"
    bad.write_text("[plan]\nyear = 2024\n", encoding="utf-8")
    files = [str(tmp_path / "khong-co.toml"), "data/plan2024.toml", str(bad)]
    result = CliRunner().invoke(app, ["plan", "check", *files])
    assert isinstance(result.exception, FileError)
    told = {Path(problem.where).name for problem in result.exception.problems}
    assert (result.exit_code, told) == (1, {"khong-co.toml", "xau.toml"})


def test_check_refuses_a_plan_twice() -> None:
    """Two files of one plan would say everything twice."""
    result = CliRunner().invoke(app, ["plan", "check", "data/plan2024.toml", "data/plan2024.toml"])
    assert str(result.exception) == "data/plan2024.toml: kế hoạch “cchc-2024” có hai tệp"


@pytest.fixture
def two_years(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the plan of 2024 and the same for 2026, seen on 10/3/2026."""
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "data/plan2024.toml").read_text(encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/plan2024.toml").write_text(text, encoding="utf-8")
    (tmp_path / "data/plan2026.toml").write_text(
        text.replace("2025-", "2027-").replace("2024", "2026").replace("2026-02-29", "2026-02-28"),
        encoding="utf-8",
    )
    monkeypatch.setattr(bootstrap, "today", lambda: date(2026, 3, 10))


@pytest.mark.usefixtures("two_years")
def test_a_plan_that_is_over_stands_last_and_asks_nothing() -> None:
    """`check` and `show` begin with this year's; a file that is named is looked at in full."""
    ended = "theo dõi đến hết 31/01/2025, nay máy không nhắc nữa."
    checked = run("plan", "check").splitlines()
    assert checked[0].startswith("data/plan2026.toml: tốt. ")
    assert checked[-1] == (
        "data/plan2024.toml: tốt. Kế hoạch cải cách hành chính năm 2024: 24 nhiệm vụ và BC; "
        + ended
    )
    assert sum(line.startswith("data/") for line in checked) == 2
    shown = run("plan", "show").splitlines()
    assert shown[0].rstrip() == "Kế hoạch cải cách hành chính năm 2026 – xem Thứ Ba 10/3/2026"
    assert shown[-1] == f"Kế hoạch cải cách hành chính năm 2024; {ended}"
    assert sum("Mã" in line for line in shown) == 1
    assert run("plan", "check", "data/plan2024.toml").count("chưa có hạn") == 3
    assert "Mã" in run("plan", "show", "--plan", "data/plan2024.toml")


def test_show_knows_what_the_ledger_knows(terminal: Terminal) -> None:
    """Finished work is finished, and a date that the office has moved is the one shown."""
    late = terminal.run("plan", "show", "--unit", "tu-phap", "--on", "2024-02-05")
    assert "đã qua 3 ngày" in late
    terminal.run("done", "1c", "--by", "tp-1")
    terminal.run("setdue", "1đ", "20/02", "--by", "vp-1")
    shown = terminal.run("plan", "show", "--unit", "tu-phap", "--on", "2024-02-05")
    cells = [[c.strip() for c in line.strip("│").split("│")] for line in shown.splitlines()]
    assert [row[4:] for row in cells if row[0] == "1c"] == [["Thứ Tư 31/01", "Xong đúng hạn"]]
    assert [row[4:] for row in cells if row[0] == "1đ"] == [
        ["Thứ Ba 20/02", "15 ngày (6 làm việc)"]
    ]
    before = terminal.run("plan", "show", "--unit", "tu-phap", "--on", "2024-01-29")
    assert "Xong" not in before


def test_show_makes_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(tmp_path, monkeypatch, started=False)
    terminal.run("plan", "show")
    assert not (terminal.folder / "reminder.db").exists()


def test_show_says_how_long_is_left() -> None:
    """A row a deliverable: when it is due next, in calendar and in working days."""
    rows = [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in run(
            "plan", "show", "--unit", "tai-chinh-ke-toan", "--on", "2024-01-26"
        ).splitlines()
        if line.startswith("│")
    ]
    assert rows == [
        ["4a", "Tự chủ tài chính đơn vị sự nghiệp", "Báo cáo", "TCKT", "Thứ Ba 31/12",
         "340 ngày (232 làm việc)"],
        ["4b", "Dự toán ngân sách nhà nước năm 2024", "Quyết định", "TCKT", "Thứ Tư 31/01*",
         "5 ngày (3 làm việc)"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "left"),
    [
        ("2024-01-31", "hôm nay"),
        ("2024-02-01", "đã qua 1 ngày làm việc"),
        ("2024-02-15", "đã qua 6 ngày làm việc"),
    ],
)
def test_show_counts_what_is_past_in_working_days(day: str, left: str) -> None:
    """On the due day it says so; afterwards it counts working days, over Tết too."""
    assert left in run("plan", "show", "--unit", "tai-chinh-ke-toan", "--on", day)


def test_diff_tells_what_a_changed_plan_adds_drops_and_moves(tmp_path: Path) -> None:
    """Titles, units, dates, deliverables and tasks: a line a change, in the tasks' order."""
    text = Path("data/plan2024.toml").read_text(encoding="utf-8")
    changes = [
        ("\n  due = 2024-01-31", "\n  due = 2024-02-02"),
        ('title = "Kiểm soát thủ tục hành chính"', 'title = "Kiểm soát TTHC"'),
        ('code = "5a"', 'code = "5d"'),
        ('lead = ["van-phong", "van-hoa-thong-tin"]', 'lead = ["van-phong"]'),
        ('every = "half-year"\n  only = ["H1"]', 'every = "half-year"'),
    ]
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    new_file = tmp_path / "moi.toml"
    new_file.write_text(text, encoding="utf-8")
    assert run("plan", "diff", "data/plan2024.toml", str(new_file)).splitlines() == [
        "bỏ 5a: Đánh giá chỉ số chuyển đổi số",
        "dời 1c: Quyết định: hạn 31/01/2024 → hạn 02/02/2024",
        "sửa 2a: tên: Kiểm soát thủ tục hành chính → Kiểm soát TTHC",
        "sửa 2đ: chủ trì: Văn phòng, Văn hóa - Thông tin → Văn phòng",
        "thêm 5d: Đánh giá chỉ số chuyển đổi số",
        "thêm BC: Báo cáo 6 tháng cuối năm, hạn dự kiến 15/12/2024",
    ]
    assert (
        run("plan", "diff", "data/plan2024.toml", "data/plan2024.toml") == "Không có gì thay đổi.\n"
    )
