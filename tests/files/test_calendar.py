"""The calendar file: overrides over the library, and years that nobody confirmed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from reminder.domain.errors import FileError
from reminder.files.calendar import load_calendar


def written(folder: Path, text: str) -> Path:
    path = folder / "lich.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_overrides_win_over_the_library(tmp_path: Path) -> None:
    """A day off, a worked Saturday and a removal each change just their day."""
    path = written(
        tmp_path,
        'confirmed = [2024]\n[[change]]\nnotice = "Số 1/TB"\n'
        "off = [2024-03-04]\nworked = [2024-03-09]\nremove = [2024-04-30]\n",
    )
    plain = load_calendar(written(tmp_path / "..", ""), [2024])
    calendar = load_calendar(path, [2024])
    changed = {
        date.fromordinal(n): calendar.is_working(date.fromordinal(n))
        for n in range(date(2024, 1, 1).toordinal(), date(2025, 1, 1).toordinal())
        if calendar.is_working(date.fromordinal(n)) != plain.is_working(date.fromordinal(n))
    }
    assert changed == {
        date(2024, 3, 4): False,
        date(2024, 3, 9): True,
        date(2024, 4, 30): True,
    }


def test_a_year_without_notice_is_unconfirmed(tmp_path: Path) -> None:
    """The library guesses for years not announced yet: they are marked."""
    calendar = load_calendar(written(tmp_path, "confirmed = [2023, 2024]"), [2024])
    assert (calendar.first_year, calendar.last_year) == (2023, 2025)
    assert calendar.unconfirmed == frozenset({2025})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[change]]\noff = [2024-03-04]", "1: thiếu `notice`"),
        ('[[change]]\nnotice = "x"\noff = ["4/3"]', "3: mỗi mục của `off` phải là ngày"),
        ('[[change]]\nnotice = "x"\noff = [2024-03-09]', "3: 09/03/2024 vốn đã là ngày nghỉ"),
        ('[[change]]\nnotice = "x"\nworked = [2024-03-08]', "3: 08/03/2024 không phải Thứ Bảy"),
        ('[[change]]\nnotice = "x"', "1: mục này không có ngày nào"),
        ('[[change]]\nnotice = "x"\nof = [2024-03-04]', "1: mục này không có ngày nào"),
        ('confirm = ["2024"]', "1: không có khóa “confirm”; có phải là “confirmed”?"),
        ("[[change]]\noff = [2024-02-30]", "2: ngày không có trong lịch"),
    ],
)
def test_each_slip_is_told_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    """The line, what is wrong, and what to write instead."""
    path = written(tmp_path, text)
    with pytest.raises(FileError) as caught:
        load_calendar(path, [2024])
    assert str(caught.value.problems[0]).removeprefix(f"{path}:").startswith(told)
