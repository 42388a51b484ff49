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

from reminder.domain.calendar import Cycle
from reminder.domain.errors import FileError
from reminder.domain.plan import AfterEvent, Awaiting, EventUnit, Every, Plan, occurrences
from reminder.files.plan import load_plan, read_plan
from tests.conftest import examples

SEVERAL = "due = [2024-04-05, 2024-07-05, 2025-01-05]"
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


@pytest.mark.parametrize(
    ("head", "rule", "told"),
    [
        ("", "due = 2025-01-15", "2024 2024-01-01 2025-01-15"),
        ("", "due = 2023-12-20", "2024 2023-12-01 2023-12-20"),
        ("", "due = 2024-05-15\nfrom = 2024-04-01", "2024 2024-04-01 2024-05-15"),
        ("", 'within = "Q3"\nfrom = 2024-04-01', "2024 2024-04-01 2024-09-30"),
        (
            "",
            SEVERAL,
            (
                "2024-04-05 2024-01-01 2024-04-05; 2024-07-05 2024-04-06 2024-07-05; "
                "2025-01-05 2024-07-06 2025-01-05"
            ),
        ),
        (
            "",
            f'{SEVERAL}\nperiods = ["Q1", "Q2", "Q4"]',
            (
                "2024-Q1 2024-01-01 2024-04-05; 2024-Q2 2024-04-01 2024-07-05; "
                "2024-Q4 2024-10-01 2025-01-05"
            ),
        ),
        (
            "",
            'every = "half-year"\nday = 5\nfollowing = true',
            "2024-H1 2024-01-01 2024-07-05; 2024-H2 2024-07-01 2025-01-05",
        ),
        (
            "",
            'every = "half-year"\nday = 31\nmonth = 2',
            "2024-H1 2024-01-01 2024-02-29; 2024-H2 2024-07-01 2024-08-31",
        ),
        ("", "due = 2024-06-15\nbefore = true", "2024 2024-01-01 2024-06-14"),
        ('before = "same-day"', "due = 2024-06-15\nbefore = true", "2024 2024-01-01 2024-06-15"),
        (
            "last_year = 2025",
            'every = "year"\nmonth = 3',
            "2024 2024-01-01 2024-03-31; 2025 2025-01-01 2025-03-31",
        ),
        ("last_year = 2026", "due = 2025-06-15", "2025 2025-01-01 2025-06-15"),
        ("last_year = 2026", 'within = "Q2"', "2024 2024-04-01 2024-06-30"),
        ("last_year = 2026", 'within = "2026-Q2"', "2026 2026-04-01 2026-06-30"),
        (
            "first_day = 2024-09-05\nlast_day = 2025-05-31",
            'every = "quarter"',
            (
                "2024-Q3 2024-09-05 2024-09-30; 2024-Q4 2024-10-01 2024-12-31; "
                "2025-Q1 2025-01-01 2025-03-31"
            ),
        ),
        (
            "first_day = 2024-09-05\nlast_day = 2025-05-31",
            'within = "03"',
            "2024 2025-03-01 2025-03-31",
        ),
        (
            "first_day = 2024-09-05\nlast_day = 2025-05-31",
            'within = "year"',
            "2024 2024-09-05 2025-05-31",
        ),
        (
            "first_day = 2024-09-05\nlast_day = 2025-05-31",
            'every = "year"\nday = 20',
            "2024 2024-09-05 2025-05-20",
        ),
    ],
)
def test_each_time_has_its_days(head: str, rule: str, told: str, tmp_path: Path) -> None:
    """Of each key beside the five rules: the periods, when they open and when they are due."""
    text = changed("year = 2024", f"year = 2024\n{head}").replace("due = 2024-01-31", rule)
    found = occurrences(load_plan(written(tmp_path, text)))
    assert "; ".join(f"{o.key.period} {o.opens} {o.due}" for o in found) == told


def test_what_has_no_day_keeps_what_the_text_says(tmp_path: Path) -> None:
    """So many times a quarter is assumed; an event is carried by an awaiting date."""
    text = changed("due = 2024-01-31", 'every = "quarter"\ntimes = 2')
    (often,) = load_plan(written(tmp_path, text)).tasks[0].deliverables
    assert (often.times, often.assumed, often.rule) == (2, True, Every(Cycle.QUARTER))
    event = 'event = { name = "nhận văn bản", offset = 5, unit = "working-day" }'
    text = changed("due = 2024-01-31", f"awaiting = true\n{event}")
    (bound,) = load_plan(written(tmp_path, text)).tasks[0].deliverables
    after = AfterEvent(name="nhận văn bản", offset=5, unit=EventUnit.WORKING_DAY)
    assert (bound.rule, bound.event) == (Awaiting(after), after)


def test_the_document_and_the_places_in_it_are_kept(tmp_path: Path) -> None:
    """Where each task and deliverable comes from, the whole title, the code as it is written."""
    text = changed("year = 2024", f'year = 2024\ndocument = "KH.docx"\nsha256 = "{"0f" * 32}"')
    text = text.replace(
        'section = "1"',
        'section = "1"\nwritten = "1"\nfull_title = "Việc một của phường"\nsource = "t:1 r:7"',
    )
    plan = load_plan(written(tmp_path, f'{text}  source = "t:1 r:8"\n'))
    (task,) = plan.tasks
    assert (plan.document, plan.sha256) == ("KH.docx", "0f" * 32)
    assert (task.full_title, task.written, task.source) == ("Việc một của phường", "1", "t:1 r:7")
    assert task.deliverables[0].source == "t:1 r:8"


def test_units_may_be_written_by_name(tmp_path: Path) -> None:
    """A full name or a spelling is taken for the unit, and its id is proposed."""
    text = changed('name = "Văn phòng"', 'name = "Văn phòng"\nspellings = ["Bộ phận VP"]')
    text = text.replace('office = "van-phong"', 'office = "Văn phòng"')
    text = text.replace('lead = ["van-phong"]', 'lead = ["bộ phận VP"]\nsupport = ["Lãnh đạo"]')
    path = written(tmp_path, text)
    plan, advice = read_plan(path)
    task = plan.tasks[0]
    assert (plan.office, task.lead, task.support) == ("van-phong", ("van-phong",), ("lanh-dao",))
    assert [str(a).removeprefix(f"{path}:") for a in advice] == [
        "5: bộ phận “Văn phòng”: nên ghi mã “van-phong”",
        "22: bộ phận “bộ phận VP”: nên ghi mã “van-phong”",
        "23: bộ phận “Lãnh đạo”: nên ghi mã “lanh-dao”",
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
        (
            "due = 2024-01-31",
            "due = 31/01/2024",
            "27: ngày viết sai cách; viết: due = 2024-01-31",
        ),
        ("due = 2024-01-31", "due = 31/01", "27: ngày viết sai cách: “due = 31/01”"),
        ("due = 2024-01-31", 'due = "31/01"', "27: `due` phải là ngày"),
        ("due = 2024-01-31", "due = 2024-01-31T08:00:00", "27: `due` phải là ngày"),
        ("due = 2024-01-31", "due = 2062-01-31", "27: 31/01/2062 ở xa năm 2024 của kế hoạch"),
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
        ("due = 2024-01-31", "due = []", "27: `due` = [] không có ngày nào"),
        (
            "due = 2024-01-31",
            "due = [2024-02-01, 2024-01-01]",
            "27: các ngày của `due` phải xếp theo thứ tự",
        ),
        ("due = 2024-01-31", f'{SEVERAL}\nperiods = ["Q1"]', "28: `periods` có 1 mục, `due` có 3"),
        (
            "due = 2024-01-31",
            f'{SEVERAL}\nperiods = ["Q1", "Q9", "Q4"]',
            "28: `periods` không nhận “Q9”",
        ),
        (
            "due = 2024-01-31",
            f'{SEVERAL}\nperiods = ["Q1", "Q1", "Q4"]',
            "28: `periods` ghi một kỳ hai lần",
        ),
        (
            "due = 2024-01-31",
            'due = 2024-01-31\nperiods = ["Q1"]',
            "28: `periods` chỉ đi với `due` có nhiều ngày",
        ),
        ("due = 2024-01-31", f"{SEVERAL}\nfrom = 2024-02-01", "28: `from` chỉ đi với một ngày"),
        ("due = 2024-01-31", "due = 2024-01-31\nfrom = 2024-02-01", "28: `from` 01/02/2024 phải"),
        ("due = 2024-01-31", 'every = "month"\nmonth = 2', "28: `month` = 2: phải từ 1 đến 1"),
        (
            "due = 2024-01-31",
            'every = "quarter"\nmonth = 2\nfollowing = true',
            "28: chọn một: `month` hoặc `following`",
        ),
        ("due = 2024-01-31", 'every = "month"\ntimes = 0', "28: `times` = 0: phải từ 1"),
        ("due = 2024-01-31", 'every = "month"\nday = 3\ntimes = 2', "29: `times` là số lần"),
        ("due = 2024-01-31", 'within = "Q1"\nbefore = true', "28: `before` chỉ đi với `due` hoặc"),
        (
            "due = 2024-01-31",
            'awaiting = true\nevent = { name = "x", offset = 1, unit = "workday" }',
            "28: `unit` không nhận “workday”; có phải là “working-day”?",
        ),
        (
            "due = 2024-01-31",
            'awaiting = true\nevent = { name = "x", unit = "day" }',
            "28: thiếu `offset`",
        ),
        (
            "due = 2024-01-31",
            'due = 2024-01-31\nevent = { name = "x", offset = 1, unit = "day" }',
            "28: `event` chỉ đi với `awaiting`",
        ),
        ("year = 2024", "year = 2024\nlast_year = 2023", "5: `last_year` phải từ 2024 đến 2033"),
        ("year = 2024", "year = 2024\nlast_day = 2025-05-31", "5: `last_day` phải đi với `first_"),
        (
            "year = 2024",
            "year = 2024\nfirst_day = 2025-01-01\nlast_day = 2025-05-31",
            "5: `first_day` phải nằm trong năm 2024",
        ),
        (
            "year = 2024",
            "year = 2024\nfirst_day = 2024-09-01\nlast_day = 2026-05-31",
            "6: `last_day` phải sau `first_day`, đến hết năm 2025",
        ),
        (
            "year = 2024",
            'year = 2024\nbefore = "day before"',
            "5: `before` không nhận “day before”",
        ),
        ("year = 2024", 'year = 2024\nsha256 = "abc"', "5: `sha256` phải gồm 64 chữ số"),
        (
            'lead = ["van-phong"]',
            'lead = ["Văn phong"]',
            "21: không có bộ phận “Văn phong”; có phải là “van-phong”?",
        ),
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
        ("[[task]]", "[[tasks]]", "17: không có khóa “tasks”; có phải là “task”?"),
        ('section = "1"', 'section = "1"\n***', "21: không đọc được dòng “***”; chữ phải nằm"),
    ],
)
def test_each_slip_is_told_with_its_line_and_the_right_word(
    old: str, new: str, told: str, tmp_path: Path
) -> None:
    """The line, what is wrong, and the nearest right word; no cascade of other faults."""
    found = faults(tmp_path, changed(old, new))
    assert [line for line in found if line.startswith(told)] != []
    assert len(found) <= 3


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"Việc một"',
            '“Việc "một"”',
            ['19: dấu nháy cong của Word; viết: title = "Việc \\"một\\""'],
        ),
        (
            '"Việc một"',
            "‘Việc một’ # “x”",
            ['19: dấu nháy cong của Word; viết: title = "Việc một" # “x”'],
        ),
        ('"Việc một"', '"Việc một”', ['19: dấu nháy cong của Word; viết: title = "Việc một"']),
        (
            'lead = ["van-phong"]',
            "lead = [“van-phong”, “lanh-dao”]",
            ['21: dấu nháy cong của Word; viết: lead = ["van-phong", "lanh-dao"]'],
        ),
        (
            'section = "1"',
            '\u00a0section\u00a0= "1"',
            ['20: dấu cách không ngắt dòng của Word; viết: section = "1"'],
        ),
        ("[unit.lanh-dao]", "[unit.lanh‑dao]", ["14: gạch nối của Word; viết: [unit.lanh-dao]"]),
        ("2024-01-31", "2024–01–31", ["27: gạch nối của Word; viết: due = 2024-01-31"]),
        (
            "[unit.lanh-dao]",
            "\ufeff[unit.lanh-dao]",
            ["14: ký tự không nhìn thấy; viết: [unit.lanh-dao]"],
        ),
        ("[[task]]", "[task]", ["17: bảng này ghi hai lần ngoặc vuông; viết: [[task]]"]),
        (
            "[[task.deliverable]]",
            "[task.deliverable]",
            ["23: bảng này ghi hai lần ngoặc vuông; viết: [[task.deliverable]]"],
        ),
        (
            "[[task.deliverable]]",
            "[[deliverable]]",
            ["23: bảng này thuộc một mục khác; viết: [[task.deliverable]]"],
        ),
        ("[plan]", "[[plan]]", ["1: bảng này ghi một lần ngoặc vuông; viết: [plan]"]),
        ("[plan]", "[plan", ["1: bảng này ghi một lần ngoặc vuông; viết: [plan]"]),
        (
            "[unit.lanh-dao]",
            '[unit.van-phong]\nname = "x"\n[unit.lanh-dao]',
            ["14: bảng [unit.van-phong] đã có ở dòng 11: gộp làm một, hoặc đặt mã khác"],
        ),
        (
            "[unit.lanh-dao]",
            "[unit.Lãnh đạo]",
            [
                (
                    "14: tên bảng [unit.Lãnh đạo] chỉ gồm chữ thường không dấu, số và gạch nối; "
                    "viết: [unit.lanh-dao]"
                )
            ],
        ),
        (
            'section = "1"',
            'section = "1"\ntitle = "Việc hai"',
            ["21: khóa `title` đã có ở dòng 19: bỏ một dòng, hoặc thiếu dòng [[task]] ở trên"],
        ),
        (
            'section = "1"',
            'section = "1"\ndeliverable.name = "Tờ trình"',
            [
                (
                    "21: khóa “deliverable.name” có dấu chấm: mở mục [[task.deliverable]], dưới "
                    'đó; viết: name = "Tờ trình"'
                )
            ],
        ),
        (
            "year = 2024",
            "plan.year = 2024",
            ["4: khóa “plan.year” có dấu chấm, bảng [plan] không cần viết lại; viết: year = 2024"],
        ),
        (
            'title = "Việc một"',
            "title = Việc một",
            ['19: chữ phải nằm trong dấu nháy kép; viết: title = "Việc một"'],
        ),
        (
            '"Việc một"',
            '"Việc "một" của phường" # x',
            [('19: dấu nháy kép nằm bên trong chữ; viết: title = "Việc \\"một\\" của phường" # x')],
        ),
        ('"1a"', "1a", ['18: chữ phải nằm trong dấu nháy kép; viết: code = "1a"']),
        ('"1a"', '"1A"', ["18: mã “1A” không đúng: viết 1a"]),
        ('"1a"', '"1a)"', ["18: mã “1a)” không đúng: viết 1a"]),
        (
            'title = "Việc một"',
            'title: "Việc một"',
            ['19: sau khóa là dấu =, không phải dấu hai chấm; viết: title = "Việc một"'],
        ),
        ('"Văn phòng"', '"Văn phòng', ['12: thiếu dấu nháy kép ở cuối; viết: name = "Văn phòng"']),
        (
            '["van-phong"]',
            '["van-phong"',
            ['21: thiếu ngoặc vuông đóng; viết: lead = ["van-phong"]'],
        ),
        ("due = 2024-01-31", "awaiting = True", ["27: ghi true hoặc false; viết: awaiting = true"]),
        (
            "due = 2024-01-31",
            "due = [31/1/2024, 15.4.2024, 2024-7-5]",
            ["27: ngày viết sai cách; viết: due = [2024-01-31, 2024-04-15, 2024-07-05]"],
        ),
        (
            "due = 2024-01-31",
            'due = "31/1/2024"',
            [
                (
                    "27: `due` phải là ngày ghi theo năm-tháng-ngày, không có nháy, ví dụ "
                    "2024-01-31, không phải '31/1/2024'; viết: due = 2024-01-31"
                )
            ],
        ),
        (
            "due = 2024-01-31",
            'due = 2024-01-31\nkind = "chekin"',
            ["28: `kind` không nhận “chekin”; có phải là “check-in”? (product, check-in, report)"],
        ),
    ],
)
def test_what_word_and_people_write_is_told_as_it_should_read(
    old: str, new: str, told: list[str], tmp_path: Path
) -> None:
    """The line, what it is, and the line to write instead; the rest of the file is read on."""
    assert faults(tmp_path, changed(old, new)) == told
    more = changed(old, new).replace('title = "Kế hoạch thử"', 'title = "Kế hoạch thử"\ncolor = 1')
    assert len(faults(tmp_path, more)) == len(told) + 1


def test_a_slip_of_many_lines_is_told_once(tmp_path: Path) -> None:
    """A whole plan out of Word: the first lines as they should read, the others by number."""
    text = PLAN.replace('"', "”").replace("[[task]]", "[task]").replace("2024-01-31", "31/1/2024")
    assert faults(tmp_path, text) == [
        '2: dấu nháy cong của Word; viết: id = "thu"',
        '3: dấu nháy cong của Word; viết: title = "Kế hoạch thử"',
        '5: dấu nháy cong của Word; viết: office = "van-phong"',
        "6: dấu nháy cong của Word: 11 dòng nữa cũng vậy (6, 9, 12, 15, 18, 19, 20, 21, 24, 25, …)",
        "17: bảng này ghi hai lần ngoặc vuông; viết: [[task]]",
        "27: ngày viết sai cách; viết: due = 2024-01-31",
    ]


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_told_with_its_other_faults(codec: str, tmp_path: Path) -> None:
    """Notepad's “Unicode”, with its mark and without."""
    assert faults(tmp_path, changed('section = "1"', 'section = "2"').encode(codec)) == [
        (
            "1: không phải chữ UTF-8 mà là UTF-16 (Notepad gọi là Unicode): mở tệp, chọn Lưu thành "
            "(Save As), mục Mã hóa (Encoding) chọn UTF-8"
        ),
        "20: không có phần “2”",
    ]


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
    for path, told in (
        (tmp_path / "x.toml", "không có tệp này"),
        (tmp_path, "không phải tệp mà là thư mục"),
    ):
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


@settings(max_examples=examples(80))
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
