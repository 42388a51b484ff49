"""Time phrases of office plans."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from reminder.cli import app
from reminder.domain.plan import instances
from reminder.files.plan import read_plan
from reminder.files.toml import as_toml
from reminder.importing.days import PlanYear
from reminder.importing.phrases import LONGEST, find, read
from reminder.importing.readings import Kind, Part, Reading, Status, in_words
from reminder.importing.rules import rule
from tests.conftest import examples

CASES = Path(__file__).parent / "cases"
PLAN = PlanYear(2026)
AUGUST, OCTOBER = date(2026, 8, 1), date(2026, 10, 1)


def documents() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each task of the ten documents that has a time phrase, with its document."""
    for path in sorted(CASES.glob("*.expected.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for task in document["tasks"]:
            if task["phrase"] not in ("", "-nt-"):
                yield document, task


def read_task(document: dict[str, Any], task: dict[str, Any]) -> Reading:
    under_heading = {"Trong tháng": OCTOBER, "xong trước 28/8": AUGUST, "25 - 29/8": AUGUST}
    return read(
        task["phrase"],
        PlanYear(
            document["year"],
            issued=date.fromisoformat(document["issued"]),
            school=bool(document.get("school_year")),
            month=under_heading.get(task["phrase"]),
        ),
    )


@pytest.mark.parametrize(
    ("document", "task"),
    list(documents()),
    ids=[f"{d['file']} {t['code']}" for d, t in documents()],
)
def test_the_phrases_of_ten_documents(document: dict[str, Any], task: dict[str, Any]) -> None:
    """Kinds, days and open questions are those that two readers agreed on."""
    expected = task["reading"]
    got = read_task(document, task)
    assert [part.kind for part in got.parts] == [part["kind"] for part in expected["parts"]]
    if expected["ambiguous"]:
        # That two places of a document disagree is not for a phrase to tell.
        assert got.ask or "prose" in expected["why"]
        return
    for part, right in zip(got.parts, expected["parts"], strict=True):
        days = {day.isoformat() for day in part.due}
        optional = {*right.get("optional", ()), *right.get("accept", ())}
        if right["status"] in ("literal", "period"):
            assert set(right["due"]) <= days | optional
            assert days <= set(right["due"]) | optional
        else:
            assert days == set()
        assert part.status == right["status"]


def recorded() -> list[list[str]]:
    lines = (CASES / "phrases.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [[*line.replace("\\n", "\n").split("\t"), ""][:3] for line in lines]


def written(part: Part) -> str:
    days = [day.isoformat() for day in part.due]
    if len(days) > 12:
        days = [days[0], "…", days[-1], str(len(days))]
    return " ".join([part.kind.value, *(["<"] if part.op == "before" else []), *days])


@pytest.mark.parametrize(("phrase", "parts", "ask"), recorded())
def test_phrases_as_plans_write_them(phrase: str, parts: str, ask: str) -> None:
    """Each way to write a time is read as recorded, and asked about where it is open."""
    got = read(phrase, PLAN)
    assert "; ".join(map(written, got.parts)) == parts
    assert got.ask == (ask == "hỏi")


def test_a_spoilt_figure_is_mended_aloud() -> None:
    """The words as they stand are kept, and a person has to confirm."""
    got = read("trước l5/6/2026, Quý ll", PLAN)
    assert (got.ask, got.mended) == (True, "l5/6/2026, Quý ll")


def test_decomposed_letters_capitals_and_missing_diacritics_change_nothing() -> None:
    days = {read(text, PLAN).parts[0].due for text in ("trước ngày 15/6", "TRƯỚC NGÀY 15/6")}
    days |= {read(text, PLAN).parts[0].due for text in ("trước ngày 15/6", "truoc ngay 15/6")}
    assert days == {(date(2026, 6, 14),)}


PIECES = (
    "trước ngày", "chậm nhất", "từ", "đến", "hết", "ngày", "tháng", "quý", "năm", "hằng tháng",
    "hàng quý", "15/6", "31/12/2026", "25", "10 - 20/11", "6 tháng", "II", "2026", ",", ";", "và",
    "05 ngày làm việc", "kể từ khi", "thứ Hai", "theo", "của", "tháng cuối quý", "3l/5", "(", ")",
    "báo cáo", "thường xuyên", "đợt 1", "Nghị định 15/2026", "dịp 20/11", "cuối", "tuần", "02 lần",
)  # fmt: skip
DAYS = {
    6,
    15,
    31,
    25,
    20,
    10,
    30,
    28,
    29,
    14,
    24,
    19,
    9,
    5,
    4,
}  # written, the day before, month ends


@given(st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join))
@settings(max_examples=examples(300), deadline=None)
def test_no_day_is_invented(phrase: str) -> None:
    """A day that is not asked about is one of the figures, the day before it, or a period's end."""
    for part in read(phrase, PLAN).parts:
        if part.kind in (Kind.DATE, Kind.DATE_RANGE) and part.status is Status.LITERAL:
            assert {day.day for day in part.due} <= DAYS
        assert all(date(2025, 1, 1) <= day <= date(2027, 12, 31) for day in part.due)
        assert in_words(part)


TABLE = resources.files("reminder.importing").joinpath("phrases.toml").read_text(encoding="utf-8")
WORDS = [word for listed in tomllib.loads(TABLE)["words"].values() for word in listed]


@pytest.mark.parametrize(
    "phrase", ["tháng cuối quý 10 - 20/11", "thứ Hai hằng tuần từ 10/11 đến 12/11/2026"]
)
def test_a_cycle_without_a_day_in_its_bounds_is_asked_about(phrase: str) -> None:
    """No day is made up, and none is missing: the office names it."""
    reading = read(phrase, PLAN)
    assert (reading.why, [rule(part, PLAN) for part in reading.parts]) == (
        "có kỳ, không có ngày",
        [{"awaiting": True}],
    )


@given(st.lists(st.sampled_from([*PIECES, *WORDS]), max_size=9).map(" ".join), st.booleans())
@settings(max_examples=examples(300), deadline=None)
def test_any_row_of_time_words_is_read(phrase: str, school: bool) -> None:
    """Each part comes to one due rule, and the same text in prose is read too."""
    plan = replace(PLAN, school=school)
    for part in read(phrase, plan).parts:
        keys = rule(part, plan)
        assert sum(key in keys for key in ("due", "within", "every", "rrule", "awaiting")) == 1
    find(phrase, plan)


@given(st.text(max_size=200))
@settings(max_examples=examples(200), deadline=None)
def test_any_text_is_read(text: str) -> None:
    """What is no time phrase names no day and is asked; nothing fails."""
    got = read(text, PLAN)
    assert got.parts
    assert got.ask or any(part.kind is not Kind.NONE for part in got.parts)
    assert all(0 <= f.start < f.end for f in find(text, PLAN))


def test_a_text_that_is_too_long_is_asked_about() -> None:
    got = read("15/6 và " * LONGEST, PLAN)
    assert (got.ask, got.parts[0].due) == (True, ())
    assert len(find("chậm nhất 15/6. " * 2_000, PLAN)) > 1_900


# --- prose


def found(text: str) -> list[str]:
    return [text[f.start : f.end] for f in find(text, PlanYear(2027))]


def test_time_phrases_are_found_in_prose() -> None:
    """A year alone, a paper's number and somebody's schedule are none."""
    assert found(
        "Văn phòng trình kế hoạch năm 2027 theo Nghị định 15/2026 trước ngày 15/02/2027, gửi Sở."
    ) == ["trước ngày 15/02/2027"]
    assert found("Gửi kết quả trong 05 ngày kể từ ngày có kết quả, lưu hồ sơ") == [
        "05 ngày kể từ ngày có kết quả"
    ]
    assert found("sơ kết 6 tháng trước ngày 05/7/2027, tổng kết năm trước ngày 20/12/2027") == [
        "trước ngày 05/7/2027",
        "trước ngày 20/12/2027",
    ]
    assert found("Căn cứ Luật Thủ đô ngày 28/6/2024; chào mừng Cách mạng tháng Tám") == []
    assert found("Số liệu tính từ 15/12/2026 đến 14/6/2027, gửi trước ngày 20/6/2027") == [
        "trước ngày 20/6/2027"
    ]
    assert found("Quý cơ quan chịu trách nhiệm trước pháp luật; hỗ trợ từ 10 đến 15 hộ") == []
    assert found("Phấn đấu đến năm 2030 đạt 90%, giai đoạn 2026-2030") == []


# --- due rules

HEAD = """
[plan]
id = "thu"
title = "Kế hoạch thử"
year = {year}
office = "vp"
leaders = "vp"
before = "day-before"
[sections]
1 = "Phần"
[unit.vp]
name = "Văn phòng"
[[task]]
code = "1a"
title = "Việc"
section = "1"
lead = ["vp"]
[[task.deliverable]]
name = "Việc"
product = "Việc"
phrase = "như trên"
"""


def days_of(folder: Path, keys: dict[str, Any], year: int) -> list[date]:
    """The due days that the program makes of a rule's keys."""
    path = folder / "thu.toml"
    lines = [f"{key} = {as_toml(value)}" for key, value in keys.items()]
    path.write_text(HEAD.format(year=year) + "\n".join(lines), encoding="utf-8")
    plan, _ = read_plan(path)
    made = instances(plan.tasks[0].deliverables[0], plan.years)
    return [due for _, _, due in made if due is not None]


@pytest.mark.parametrize("phrase", [row[0] for row in recorded()][::5])
def test_a_rule_comes_to_the_days_that_were_read(phrase: str, tmp_path: Path) -> None:
    """Firm days are exactly those of the text; all others are flagged."""
    for part in read(phrase, PLAN).parts:
        keys = rule(part, PLAN)
        if keys.get("awaiting"):
            assert days_of(tmp_path, keys, 2026) == []
        elif part.status in (Status.LITERAL, Status.PERIOD):
            assert "assumed" not in keys
            assert days_of(tmp_path, keys, 2026) == list(part.due)
        else:
            assert keys["assumed"]


@pytest.mark.parametrize(
    ("phrase", "keys"),
    [
        ("Trước 15/6/2026", {"due": date(2026, 6, 15), "before": True}),
        ("từ 01/4 đến 15/5", {"due": date(2026, 5, 15), "from": date(2026, 4, 1)}),
        ("Quý II–III", {"within": "Q3", "from": date(2026, 4, 1)}),
        ("6 tháng cuối năm", {"within": "H2"}),
        ("ngày 25 hàng tháng", {"every": "month", "day": 25}),
        ("Hằng quý", {"every": "quarter", "assumed": True}),
        ("02 lần/tháng", {"every": "month", "times": 2, "assumed": True}),
        ("thứ Tư hằng tuần", {"rrule": "FREQ=WEEKLY;BYDAY=WE;UNTIL=20261230"}),
        ("Thường xuyên", {"every": "quarter", "day": 10, "kind": "check-in", "assumed": True}),
        ("theo quy định", {"awaiting": True}),
        (
            "trong 05 ngày làm việc kể từ ngày nhận văn bản",
            {
                "awaiting": True,
                "event": {"name": "ngày nhận văn bản", "offset": 5, "unit": "working-day"},
            },
        ),
        (
            "ngày 05 tháng đầu quý sau",
            {"due": [date(2026, m, 5) for m in (4, 7, 10)] + [date(2027, 1, 5)]},
        ),
    ],
)
def test_the_rule_of_a_part(phrase: str, keys: dict[str, Any]) -> None:
    assert rule(read(phrase, PLAN).parts[0], PLAN) == keys


def test_a_school_year_has_lists_of_days() -> None:
    """Its periods lie in two calendar years."""
    plan = replace(PLAN, school=True)
    part = read("ngày 25 hàng tháng", plan).parts[0]
    assert rule(part, plan)["due"][-1] == date(2027, 5, 25)


# --- the command


def test_the_command_reads_a_file_of_phrases(tmp_path: Path) -> None:
    """One JSON object a row; without --json, in words."""
    path = tmp_path / "phrases.tsv"
    path.write_text('phrase\tyear\nQuý I\t2027\n"Hằng quý\t2026\n', encoding="utf-8")
    done = CliRunner().invoke(app, ["plan", "phrase", "--batch", str(path), "--json"])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["phrase"], row["ask"], row["parts"][0]["due"]) for row in rows] == [
        ("Quý I", False, ["2027-03-31"]),
        ('"Hằng quý', True, []),
    ]
    done = CliRunner().invoke(app, ["plan", "phrase", "Trước 15/6", "--year", "2026"])
    assert done.stdout == "trước 15/6/2026\n"


def test_the_command_refuses_a_file_without_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "phrases.tsv"
    path.write_text("Quý I\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["plan", "phrase", "--batch", str(path), "--json"])
    said = "dòng đầu phải có tên cột phrase và year, cách nhau bằng tab"
    assert str(done.exception) == f"{path}: {said}"


def test_what_was_understood_is_said_in_words() -> None:
    texts = ("Từ 01/4 đến 15/5", "Hằng quý", "3 ngày trước ngày họp", "Theo lịch của Sở", "Từ 01/7")
    assert [in_words(read(text, PLAN).parts[0]) for text in texts] == [
        "từ 01/4/2026 đến 15/5/2026",
        "hằng quý, không ghi ngày; tạm lấy 31/3/2026, 30/6/2026, 30/9/2026, 31/12/2026",
        "3 ngày trước “ngày họp”: chờ ngày của sự kiện",
        "theo lịch của cơ quan khác: chờ ngày",
        "việc thường xuyên, từ 01/7/2026",
    ]


def test_a_day_of_a_month_under_its_heading() -> None:
    """“Ngày 15” and “trong tháng” are of the heading's month."""
    day = read("trước ngày 15", PlanYear(2026, month=OCTOBER)).parts[0]
    assert day.due == (date(2026, 10, 15) - timedelta(days=1),)
    assert read("Trong tháng", PlanYear(2026, month=OCTOBER)).parts[0].due == (date(2026, 10, 31),)
