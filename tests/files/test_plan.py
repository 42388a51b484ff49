"""The plan file: what a clerk may write, and how each slip is told."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.domain.errors import FileError
from reminder.domain.plan import Plan, occurrences
from reminder.files.plan import load_plan

PLAN = """\
[plan]
id = "thu"
title = "Kế hoạch thử"
year = 2024
office = "van-phong"
leaders = "lanh-dao"

[sections]
1 = "Phần một"

[unit.van-phong]
name = "Văn phòng"

[unit.lanh-dao]
name = "Lãnh đạo"

[[task]]
code = "1a"
title = "Việc một"
section = "1"
lead = ["van-phong"]

  [[task.deliverable]]
  name = "Báo cáo"
  product = "Báo cáo"
  phrase = "Chậm nhất 31/01"
  due = 2024-01-31
"""


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "thu.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults(folder: Path, text: str | bytes) -> list[str]:
    """The faults of a plan of this text, each as “line: message”."""
    path = written(folder, text)
    with pytest.raises(FileError) as caught:
        load_plan(path)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


def changed(old: str, new: str) -> str:
    assert old in PLAN
    return PLAN.replace(old, new)


def test_a_sound_plan_has_no_fault(tmp_path: Path) -> None:
    """The plan that the tests below break is sound as it stands."""
    plan = load_plan(written(tmp_path, PLAN))
    assert [(o.key, o.due) for o in occurrences(plan)] == [
        (("thu", "1a", 1, "2024"), date(2024, 1, 31))
    ]


def test_decomposed_letters_count_as_one(tmp_path: Path) -> None:
    """A title of 48 characters that an editor saved in NFD is no longer than in NFC."""
    title = "Đánh giá chất lượng phục vụ của Bộ phận Một cửa."
    plain = changed("Việc một", title)
    decomposed = normalize("NFD", plain)
    assert len(title) == 48
    assert len(normalize("NFD", title)) > 60
    assert load_plan(written(tmp_path, decomposed)) == load_plan(written(tmp_path, plain))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "due = 2024-01-31",
            "due = 2024-02-30",
            "27: ngày không có trong lịch: “due = 2024-02-30”",
        ),
        ("due = 2024-01-31", "due = 31/01/2024", "27: ngày viết sai cách: “due = 31/01/2024”"),
        ("due = 2024-01-31", 'due = "31/01"', "27: `due` phải là ngày"),
        ("due = 2024-01-31", "due = 2024-01-31T08:00:00", "27: `due` phải là ngày"),
        ("due = 2024-01-31", "due = 2025-01-31", "27: 31/01/2025 không nằm trong năm 2024"),
        ("due = 2024-01-31", "duo = 2024-01-31", "27: không có khóa “duo”; có phải là “due”?"),
        ("due = 2024-01-31", "awaiting = false", "27: `awaiting` chỉ ghi true"),
        ("due = 2024-01-31", "", "23: thiếu hạn"),
        (
            "due = 2024-01-31",
            'due = 2024-01-31\nevery = "month"',
            "28: ghi hạn hai cách (due, every)",
        ),
        (
            "due = 2024-01-31",
            'every = "moth"',
            "27: `every` không nhận “moth”; có phải là “month”?",
        ),
        ("due = 2024-01-31", 'every = "month"\nday = 32', "28: `day` = 32: phải từ 1 đến 31"),
        ("due = 2024-01-31", 'every = "quarter"\nonly = ["Q5"]', "28: `only` không nhận “Q5”"),
        ("due = 2024-01-31", 'within = "quý 1"', "27: `within` không nhận “quý 1”"),
        ("due = 2024-01-31", "due = 2024-01-31\nday = 3", "28: `day` chỉ đi với `every`"),
        ("due = 2024-01-31", "due = 2024-01-31\nleads = [7, -1]", "28: `leads` có -1"),
        (
            "due = 2024-01-31",
            'rrule = "FREQ=DAILY"',
            "27: rrule “FREQ=DAILY” không dùng được: quy tắc",
        ),
        (
            "due = 2024-01-31",
            'rrule = "FREQ=DAILY;COUNT=9999999"',
            "27: rrule “FREQ=DAILY;COUNT=9999999”",
        ),
        (
            "due = 2024-01-31",
            'rrule = "FREQ=YEARLY;COUNT=3"',
            "27: rrule có ngày 01/01/2025 ngoài năm",
        ),
        ("due = 2024-01-31", 'rrule = "FREQ=DAILY;COUNT=-2"', "27: rrule không có ngày nào"),
        ("due = 2024-01-31", "awaiting = true\nassumed = true", "28: `assumed` cần một ngày"),
        (
            "due = 2024-01-31",
            'due = 2024-01-31\nkind = "checkin"',
            "28: `kind` không nhận “checkin”; có",
        ),
        ("due = 2024-01-31", "due = 2024-01-31\nnumber = 0", "28: `number` phải từ 1"),
        (
            'lead = ["van-phong"]',
            'lead = ["van-phng"]',
            "21: không có bộ phận “van-phng”; có phải là",
        ),
        ('lead = ["van-phong"]', "lead = [1]", "21: mỗi mục của `lead` phải là chữ"),
        ('lead = ["van-phong"]', "", "17: nhiệm vụ 1a thiếu `lead`"),
        (
            'lead = ["van-phong"]',
            'lead = ["van-phong", "van-phong"]',
            "21: `lead` ghi một bộ phận hai",
        ),
        ('office = "van-phong"', 'office = "vp"', "5: không có bộ phận “vp”"),
        ("year = 2024", 'year = "2024"', "4: `year` phải là số nguyên"),
        ("year = 2024", "year = 24", "4: `year` phải là năm của kế hoạch"),
        ('id = "thu"', 'id = "Thử"', "2: `id` chỉ gồm chữ thường"),
        ('code = "1a"', 'code = "a1"', "18: mã “a1” không đúng"),
        ('code = "1a"', "code = 3", "18: `code` phải là chữ trong dấu nháy kép"),
        ('title = "Việc một"', f'title = "{"x" * 61}"', "19: `title` dài 61 ký tự, tối đa 60"),
        ('title = "Việc một"', 'title = "a\\nb"', "19: `title` phải nằm trên một dòng"),
        ('section = "1"', 'section = "2"', "20: không có phần “2”"),
        ("[unit.lanh-dao]", "[unit.lanh-đạo]", "14: không đọc được dòng"),
        ("[[task]]", "[[tasks]]", "17: không có khóa “tasks”; có phải là “task”?"),
        ("[plan]", "[plan", "1: không đọc được dòng “[plan”"),
        ('name = "Văn phòng"', 'name = "Văn phòng', "12: không đọc được dòng"),
    ],
)
def test_each_slip_is_told_with_its_line_and_the_right_word(
    old: str, new: str, told: str, tmp_path: Path
) -> None:
    """The line, what is wrong, and the nearest right word; no cascade of other faults."""
    found = faults(tmp_path, changed(old, new))
    assert [line for line in found if line.startswith(told)] != []
    assert len(found) <= 3


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """A file with several slips tells them all, in the order of their lines."""
    text = changed("year = 2024", "year = 2024\ncolor = 1").replace(
        'section = "1"', 'section = "9"'
    )
    text += text[text.index("[[task]]") :]
    assert [re.split("[;:]", fault)[1].strip() for fault in faults(tmp_path, text)] == [
        "không có khóa “color”",
        "không có phần “9”",
        "mã “1a” có hai lần",
        "không có phần “9”",
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "1: thiếu bảng [plan]"),
        (b"\xff\xfe[plan]", "1: không phải chữ UTF-8"),
        (b"x" * 10_000_000, " tệp nặng 10,000,000 byte, quá lớn"),
        (b"[" * 100_000, "1: không đọc được dòng"),
        (b"a = " + b"[" * 50_000, "1: không đọc được dòng"),
        (PLAN[: PLAN.index("[[task]]")].encode(), "1: kế hoạch chưa có nhiệm vụ nào"),
        (b"task = 1\nplan = 2\nunit = 3", "1: `task` phải viết thành từng mục"),
    ],
)
def test_what_is_no_plan_is_told_as_such(content: bytes, told: str, tmp_path: Path) -> None:
    """Empty files, junk of any size and plans without tasks each get one clear line first."""
    assert [fault for fault in faults(tmp_path, content) if fault.startswith(told)] != []


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    """A path that leads to no file says so, by its name."""
    for path, told in ((tmp_path / "x.toml", "không có tệp này"), (tmp_path, "không đọc được tệp")):
        with pytest.raises(FileError, match=f"^{re.escape(str(path))}: {told}"):
            load_plan(path)


@pytest.mark.parametrize("place", ["/dev/zero", "/dev/null", "pipe"])
def test_what_has_no_end_or_waits_is_refused_unopened(place: str, tmp_path: Path) -> None:
    """A device, a pipe without a writer: one sentence, at once."""
    path = tmp_path / place
    if place == "pipe":
        os.mkfifo(path)
    with pytest.raises(FileError) as caught:
        load_plan(path)
    assert str(caught.value) == (
        f"{path}: không phải tệp mà là thiết bị hoặc ống dẫn: ghi tên một tệp"
    )


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    """Notepad writes one in front of UTF-8."""
    assert load_plan(written(tmp_path, b"\xef\xbb\xbf" + PLAN.encode())).id == "thu"


def test_numbers_follow_the_due_days_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    """By due day, then awaiting ones, then the check-in; a `number` in the file stays."""
    more = """
  [[task.deliverable]]
  name = "Cập nhật"
  product = "x"
  phrase = "x"
  every = "quarter"
  kind = "check-in"

  [[task.deliverable]]
  name = "Chưa hạn"
  product = "x"
  phrase = "x"
  awaiting = true

  [[task.deliverable]]
  name = "Sớm"
  product = "x"
  phrase = "x"
  due = 2024-01-15
"""
    plan = load_plan(written(tmp_path, PLAN + more))
    names = [(d.number, d.name) for d in plan.tasks[0].deliverables]
    assert names == [(1, "Sớm"), (2, "Báo cáo"), (3, "Chưa hạn"), (4, "Cập nhật")]
    kept = load_plan(written(tmp_path, PLAN + "  number = 1\n" + more))
    assert [(d.number, d.name) for d in kept.tasks[0].deliverables] == [
        (1, "Báo cáo"),
        (2, "Sớm"),
        (3, "Chưa hạn"),
        (4, "Cập nhật"),
    ]
    twice = faults(tmp_path, PLAN + more.replace("Sớm", "BÁO CÁO"))
    assert twice == ["17: hai sản phẩm của 1a cùng `name` “báo cáo”"]


@settings(max_examples=80)
@given(data=st.data())
def test_a_damaged_plan_is_a_plan_or_a_clear_refusal(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever happens to the file, the answer is a plan or a FileError with its lines."""
    lines = (Path("data/plan2024.toml")).read_text(encoding="utf-8").splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = data.draw(st.sampled_from(lines) | st.text(max_size=30))
    path = written(tmp_path_factory.getbasetemp(), "\n".join(lines).encode("utf-8", "replace"))
    assert outcome(path) == [] or all(line.startswith(str(path)) for line in outcome(path))


def outcome(path: Path) -> list[str]:
    """The faults of a plan file; none if it is a plan. Anything else is raised."""
    try:
        return [] if isinstance(load_plan(path), Plan) else ["no plan"]
    except FileError as error:
        return [str(problem) for problem in error.problems]
