"""The sandbox tells its story, and obeys who types at it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from reminder.app.sandbox import converse, open_sandbox, play
from reminder.store.records import StoreRefusedError

HEADING = re.compile(r"(?m)^╭─ (.+?) ─+╮$")


def test_the_story_runs_from_the_first_nudge_to_the_digest(tmp_path: Path) -> None:
    """Each unit hears of its own work in the order of the days; the digest ends it, in full."""
    seen = io.StringIO()
    play(seen, tmp_path / "sandbox.db")
    text = seen.getvalue()
    officers = [h for h in HEADING.findall(text) if "Tư pháp" in h]
    assert officers == [
        "→ Công chức Tư pháp · 08:00 Thứ Tư 24/01",
        "→ Công chức Tư pháp · 08:00 Thứ Sáu 26/01",
        "→ Công chức Tư pháp · 08:20 Thứ Sáu 26/01",
        "→ Công chức Tư pháp · 08:00 Thứ Ba 30/01",
        "→ Công chức Tư pháp · 09:12 Thứ Ba 30/01",
        "→ Công chức Tư pháp · 09:14 Thứ Ba 30/01",
        "→ Công chức Tư pháp · 08:00 Thứ Tư 31/01",
        "→ Công chức Tư pháp · 10:04 Thứ Tư 31/01",
        "→ Công chức Tư pháp · 10:05 Thứ Tư 31/01",
        "→ Công chức Tư pháp · 09:40 Thứ Sáu 02/02",
    ]
    asked = "Chưa ghi gì. Xin nhắn: đúng · chưa"  # once, of a word that the program does not know
    assert text.count(asked) == 1
    assert HEADING.findall(text)[-2:] == [
        "→ Công chức Văn phòng · 07:30 Thứ Hai 05/02",
        "Bản tổng hợp ấy, đầy đủ như trong thư",
    ]
    short, full = text.split("Tổng hợp tuần – Thứ Hai 05/02")[1:]
    assert ("CÁC BỘ PHẬN" in short, "CÁC BỘ PHẬN" in full) == (False, True)
    assert "Xong đúng hạn: 3 (+3) · Xong quá hạn: 1 (+1)" in full


def test_a_second_sandbox_takes_nothing_from_the_first(tmp_path: Path) -> None:
    """It is refused while the first is open, and its database stays; later it begins anew."""
    place = tmp_path / "sandbox.db"
    first = open_sandbox(io.StringIO(), place)
    first.say("tu-phap", "/done 1c")
    with pytest.raises(StoreRefusedError, match="another reminder daemon"):
        open_sandbox(io.StringIO(), place)
    assert len(first.service.store.events()) == 1
    assert place.exists()
    first.service.store.close()
    second = open_sandbox(io.StringIO(), place)
    assert second.service.store.events() == []
    second.service.store.close()


def test_who_types_is_the_unit_that_was_named(tmp_path: Path) -> None:
    """`as`, `next` and `next week` move the office; all else is what an officer says."""
    seen = io.StringIO()
    lines = ["next", "/done 1c", "as nowhere", "as van-phong", "/done 4b", "next week", "quit", "x"]
    converse(iter(lines), seen, tmp_path / "sandbox.db")
    text = seen.getvalue()
    assert re.findall(r"(?m)^(\d\d:\d\d .+?)  (.*?)> ", text) == [
        ("07:00 Thứ Hai 22/01", "tu-phap"),
        ("07:30 Thứ Hai 22/01", "tu-phap"),
        ("07:30 Thứ Hai 22/01", "tu-phap"),
        ("07:30 Thứ Hai 22/01", "tu-phap"),
        ("07:30 Thứ Hai 22/01", "van-phong"),
        ("07:30 Thứ Hai 22/01", "van-phong"),
        ("07:30 Thứ Hai 29/01", "van-phong"),
    ]
    assert "Không có bộ phận “nowhere”" in text
    assert "Đã ghi 1c" in text
    assert "Đã ghi 4b" in text
