"""Any bytes at all in the files that people write: a sound value, or where and what is wrong.

Nothing but the family's own error comes of a file, each of its faults names the file, and a fault
of the settings never quotes a secret.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reminder.app.channels import known_channels
from reminder.domain.errors import FileError, Problem
from reminder.domain.plan import occurrences
from reminder.domain.schedule import Scheduler
from reminder.files.calendar import load_calendar
from reminder.files.people import load_people
from reminder.files.plan import load_plan
from reminder.files.settings import load_settings
from reminder.files.toml import MAX_LINE, MOST_FAULTS
from tests.conftest import ROOT, examples

TOKEN = "987654321:AAFuzzedTokenThatNobodyMayRead_0123"
PASSWORD = "mat-khau-không-ai-được-đọc"
SETTINGS = f"""
[plan]
files = ["plan.toml"]
people = "people.toml"
[store]
url = "postgresql://r:{PASSWORD}@db.example/reminder"
[telegram]
token = "{TOKEN}"
base_url = "http://127.0.0.1:9/bot"
[email]
host = "mail.example"
port = 587
security = "starttls"
username = "nhac"
password = "{PASSWORD}"
sender = "nhac@xa.example"
[schedule]
slot = 08:00:00
[schedule.once]
leads = [14, 7, 3, 1, 0]
[log]
format = "json"
level = "info"
"""
PLAN = (ROOT / "data/plan2024.toml").read_text(encoding="utf-8")
TIMES = """
  due = [2024-04-05, 2024-07-05, 2025-01-05]
  periods = ["Q1", "Q2", "Q4"]
---
  every = "quarter"
  day = 5
  following = true
  before = true
---
  every = "half-year"
  month = 2
  times = 2
---
  within = "Q3"
  from = 2024-04-01
  source = "t:1 r:7"
---
  awaiting = true
  event = { name = "nhận văn bản", offset = 5, unit = "working-day" }
---
  due = 2025-06-15
  before = true
"""
TASK = """
[[task]]
code = "9.{number}"
title = "Việc {number}"
full_title = "Việc {number} của phường"
written = "{number}"
section = "1"
lead = ["Tư pháp"]
  [[task.deliverable]]
  name = "x"
  product = "x"
  phrase = "x"
"""
MORE = PLAN + "".join(
    TASK.format(number=n) + time for n, time in enumerate(TIMES.split("---"), start=1)
)
SEEDS = {
    "plan": PLAN,
    "years": MORE.replace("year = 2024", 'year = 2024\nlast_year = 2026\nbefore = "same-day"'),
    "school": MORE.replace(
        "year = 2024", "year = 2024\nfirst_day = 2024-01-05\nlast_day = 2025-05-31"
    ),
    "people": (ROOT / "config/people.toml").read_text(encoding="utf-8"),
    "calendar": (ROOT / "config/calendar.toml").read_text(encoding="utf-8"),
    "settings": SETTINGS,
}
UNITS = re.findall(r"(?m)^\[unit\.([a-z-]+)\]", PLAN)
VALUES = [
    "", "0", "-1", "9" * 30, "1e999", "nan", "true", '""', '"x"', '"' + "đ" * 300 + '"', "[]",
    "[[]]", "{}", "[1, 'a', {}]", "2024-02-30", "2024-01-31", "0001-01-01", "9999-12-31",
    "2024-01-31T08:00:00Z", "08:00:00", '"2024-13"', '"2024-Q5"', '"../../etc/passwd"',
    '"\\u0000"', "'''\nx\n'''", '"2h"', '["tu-phap", "tu-phap"]', '"FREQ=SECONDLY"',
    '"FREQ=DAILY;COUNT=999999999"', '"FREQ=MONTHLY;BYMONTHDAY=31"', "9223372036854775808",
]  # fmt: skip


def mutated(text: str, seed: int) -> str:
    """`text` with a few of its lines dropped, doubled, swapped, cut short or given other values."""
    chance = random.Random(seed)
    lines = text.split("\n")
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines))
        key, equals, value = lines[at].partition("=")
        other = chance.randrange(len(lines))
        match chance.randrange(7):
            case 0:
                del lines[at]
            case 1:
                lines.insert(other, lines[at])
            case 2:
                lines[at], lines[other] = lines[other], lines[at]
            case 3 if equals:
                lines[at] = f"{key}= {chance.choice(VALUES)}"
            case 4 if equals:
                lines[at] = f"{key.strip()}x = {value}"
            case 5 if equals:
                lines[at] = f"{chance.choice(VALUES)} = {value}"
            case _:
                lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
        lines = lines or [""]
    return "\n".join(lines)


def read(kind: str, path: Path) -> object:
    """What the file comes to, used as the program would use it."""
    if kind in ("plan", "years", "school"):
        plan = load_plan(path)
        years = [plan.year, plan.last_due.year]
        scheduler = Scheduler(load_calendar(ROOT / "config/calendar.toml", years))
        return [list(scheduler.digest_days([plan])), occurrences(plan)]
    if kind == "people":
        return load_people(path, UNITS, known_channels())
    if kind == "calendar":
        return load_calendar(path, [2024])
    return load_settings(path, {})


def told(kind: str, path: Path) -> str:
    """All that is said of a faulty file; empty of a sound one."""
    problems: tuple[Problem, ...] = ()
    try:
        read(kind, path)
    except FileError as error:
        problems = error.problems
    assert all(p.where == str(path) and p.message for p in problems), problems
    return "\n".join(map(str, problems))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


steady = settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow])
kinds = pytest.mark.parametrize("kind", SEEDS)


@kinds
def test_the_seeds_are_sound(kind: str, folder: Path) -> None:
    path = folder / f"{kind}-sound.toml"
    path.write_text(SEEDS[kind], encoding="utf-8")
    assert told(kind, path) == ""


@kinds
@steady
@given(seed=st.integers(0, 2**32))
def test_a_slip_in_a_sound_file(kind: str, folder: Path, seed: int) -> None:
    path = folder / f"{kind}.toml"
    path.write_text(mutated(SEEDS[kind], seed), encoding="utf-8")
    said = told(kind, path)
    if kind == "settings":
        assert not [secret for secret in (TOKEN, PASSWORD) if secret in said]


@kinds
@steady
@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
@example(content=b"\xff\xfe[\x00p\x00")
@example(content=b"[" * 5000)
@example(content=b"a=" + b"[" * 5000)
@example(content=b"a." * 5000 + b"b=1")
@example(content=b'"' * 5000)
def test_rubbish(kind: str, folder: Path, content: bytes) -> None:
    path = folder / f"{kind}-rubbish.toml"
    path.write_bytes(content)
    told(kind, path)


LONG: dict[str, Callable[[int], str]] = {
    "keys": lambda n: "a" * n + " = 1",
    "dots": lambda n: ".".join("a" * (n // 2)) + " = 1",
    "quotes": lambda n: '"x". ' * (n // 5),
    "spaces": lambda n: "[" + " " * n,
    "days": lambda n: "2024-02-30 " * (n // 11),
    "brackets": lambda n: "[[" + "]" * n,
}


@pytest.mark.parametrize("shape", LONG)
@kinds
def test_a_line_of_one_piece(shape: str, kind: str, folder: Path) -> None:
    """What a careless pattern would try again and again, as long as a line may be; and longer.

    tomllib's own work on a dotted key grows with the square of its parts: 50,000 of them took a
    minute (measured by hand, 11/2026), 5,000 take a quarter of a second.
    """
    path = folder / f"{kind}-long.toml"
    path.write_text(LONG[shape](MAX_LINE - 20), encoding="utf-8")
    assert told(kind, path)
    path.write_text("# x\n" + LONG[shape](900_000), encoding="utf-8")
    said = told(kind, path)
    assert said.startswith(f"{path}:2: ")
    assert kind == "settings" or "tối đa 10,000" in said


MANY: dict[str, Callable[[int], str]] = {  # each with faults or words without end
    "tasks": lambda n: "[[task]]\n" * n,
    "deliverables": lambda n: "[[task]]\n" + "[[task.deliverable]]\n" * n,
    "people": lambda n: "[[person]]\n" * n,
    "changes": lambda n: "[[change]]\n" * n,
    "keys": lambda n: "".join(f"k{i} = 1\n" for i in range(n)),
    "units": lambda n: "".join(f"[unit.u{i}]\n" for i in range(n)),
    "words": lambda n: "[[person]]\nunit = [" + "".join(f"'x{i}',\n" for i in range(n)) + "]",
}
SOUND: dict[str, Callable[[int], str]] = {
    "people": lambda n: "".join(
        f'[[person]]\nid = "a{i}"\nname = "x"\nunit = "{UNITS[0]}"\n' for i in range(n)
    ),
    "plan": lambda n: (
        HEAD + "".join(f'[[task]]\ncode = "{i % 99}.{i // 99}"\n{WORK}' for i in range(n))
    ),
}
HEAD = """
[plan]
id = "a"
title = "x"
year = 2024
office = "u"
leaders = "u"
[sections]
1 = "x"
[unit.u]
name = "x"
"""
WORK = """title = "x"
section = "1"
lead = "u"
[[task.deliverable]]
name = "x"
product = "x"
phrase = "x"
due = 2024-01-31
"""


def calls(kind: str, path: Path, text: str) -> int:
    """How many functions are called to read a file of this text."""
    path.write_text(text, encoding="utf-8")
    counted = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        told(kind, path)
    finally:
        sys.setprofile(before)
    return counted


@pytest.mark.parametrize("shape", MANY)
@kinds
def test_faults_without_end_are_told_in_part(shape: str, kind: str, folder: Path) -> None:
    """The first hundred or so; the rest is not read, since each fault looks for its line."""
    path = folder / f"{kind}-many.toml"
    path.write_text(MANY[shape](5000), encoding="utf-8")
    said = told(kind, path).splitlines()
    assert 1 <= len(said) <= MOST_FAULTS + 1
    few, many = (calls(kind, path, MANY[shape](n)) for n in (500, 1000))
    assert many <= 2.2 * few


@pytest.mark.parametrize("kind", SOUND)
def test_twice_the_file_is_twice_the_work(kind: str, folder: Path) -> None:
    path = folder / f"{kind}-long.toml"
    few, many = (calls(kind, path, SOUND[kind](n)) for n in (100, 200))
    assert told(kind, path) == ""
    assert many <= 2.2 * few
