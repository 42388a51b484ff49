"""`reminder report`: what it writes, and what it says where it can't."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.test_people import NOW, Terminal
from tests.documents.docxreader import Docx
from tests.domain.reportstory import story

MARCH = datetime(2024, 3, 18, 2, 0, tzinfo=UTC)
SETTINGS = """
[report]
authority = "Ủy ban nhân dân xã Lá Thắm"
place = "Lá Thắm"
addressees = ["Ủy ban nhân dân tỉnh"]
"""


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal(tmp_path, monkeypatch, SETTINGS)
    with terminal.store() as store:
        store.record(story(), unit_names={}, at=NOW)
    terminal.at(MARCH)
    return terminal


def texts(path: Path) -> list[str]:
    return [line.text for line in Docx(path.read_bytes()).lines]


def test_a_report_is_drafted_from_the_ledger(terminal: Terminal) -> None:
    """The file is there, under the settings' names, with the figures up to the cut-off."""
    file = terminal.folder / "bao-cao.docx"
    said = terminal.run("report", "--period", "2024-Q1", "-o", str(file))
    assert said == f"Dự thảo báo cáo quý I năm 2024, số liệu đến ngày 14/3/2024: {file}\n"
    found = texts(file)
    assert "Kính gửi: Ủy ban nhân dân tỉnh" in found
    assert any("Ủy ban nhân dân xã Lá Thắm báo cáo kết quả" in text for text in found)
    assert "(DỰ THẢO – Số liệu đến ngày 14/3/2024)" in found
    assert sorted(p.name for p in terminal.folder.glob("*bao-cao*")) == ["bao-cao.docx"]


def test_a_report_of_an_earlier_day_is_as_the_ledger_stood_then(terminal: Terminal) -> None:
    """--day 2024-02-20: no word of what came after."""
    file = terminal.folder / "b.docx"
    terminal.run("report", "--period", "2024-Q1", "--day", "20/02/2024", "-o", str(file))
    found = "\n".join(texts(file))
    assert "Số liệu đến ngày 20/02/2024" in found
    assert "21/BC-UBND" not in found


def test_without_a_period_it_is_the_report_in_hand(terminal: Terminal) -> None:
    """On 18/3, with quý I not handed in, that."""
    said = terminal.run("report", "-o", str(terminal.folder / "b.docx"))
    assert said.startswith("Dự thảo báo cáo quý I năm 2024")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--period", "2024-Q9"), "“2024-Q9” không phải kỳ báo cáo. Có các kỳ: 2024-Q1, 2024-H1"),
        (("--period", "2031-Q1"), "Không có kế hoạch năm 2031 (các năm đang dùng: 2024)"),
        (("--period", "2024-Q3"), "Kỳ quý III năm 2024 chưa bắt đầu"),
        (("--period", "2024-Q2"), "không có báo cáo quý II năm 2024"),
        (("--period", "2024-Q1", "--day", "2024-03-19"), "--day 19/3/2024 chưa đến"),
        (("--period", "2024-Q1", "--day", "2023-12-20"), "chưa bắt đầu"),
        (("--period", "2024-Q1", "--day", "hôm qua"), "“hôm qua” không phải ngày"),
    ],
)
def test_what_cannot_be_drafted_is_said_and_nothing_is_written(
    terminal: Terminal, arguments: tuple[str, ...], said: str
) -> None:
    """One sentence with what there is instead."""
    file = terminal.folder / "b.docx"
    assert said in terminal.refused("report", *arguments, "-o", str(file))
    assert not file.exists()


def test_a_file_that_cannot_be_written_is_named(terminal: Terminal) -> None:
    """A folder that is missing, a folder in the file's place: the old file stays as it was."""
    missing = terminal.folder / "khong-co" / "b.docx"
    assert terminal.refused("report", "-o", str(missing)).startswith(f"không ghi được {missing}: ")
    assert "là một thư mục" in terminal.refused("report", "-o", str(terminal.folder))
