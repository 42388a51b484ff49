"""What stops the program from below is said in Vietnamese to whoever types a command."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from reminder.app.faults import in_vietnamese
from reminder.store import database
from tests.conftest import ROOT

OF_THE_DATABASE = [
    f"the database var/r.db {words}"
    for known in (
        database._BUSY,
        database._DAMAGED,
        database._BUSY_SERVER,
        database._REFUSED_BY_SERVER,
    )
    for words in known.values()
] + [f"the database var/r.db {database._POOL_EXHAUSTED}"]
ENGLISH = re.compile(r"\b(the|is|its|can't|by|this|program|daemon)\b")


@pytest.mark.parametrize("sentence", OF_THE_DATABASE)
def test_each_error_of_the_database_is_known(sentence: str) -> None:
    """It names the database, and no English is left but what a server itself said."""
    said = in_vietnamese(sentence)
    left = ENGLISH.search(re.sub(r"\(.*\)", "", said))
    assert ("var/r.db" in said, left) == (True, None)


RUNS = "runs on var/r.db: stop it first, or name another database under [store] url"
STOP = "đang chạy trên var/r.db: dừng máy ấy trước, hoặc ghi cơ sở dữ liệu khác ở [store] url"


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        (
            f"another reminder daemon (process 12) {RUNS}",
            f"máy nhắc việc khác (tiến trình 12) {STOP}",
        ),
        (f"another reminder daemon {RUNS}", f"máy nhắc việc khác {STOP}"),
        (
            "/a b/x.db can't be written: No space left on device",
            "không ghi được /a b/x.db: ổ đĩa đã đầy, xóa bớt tệp",
        ),
        ("config/people.toml:3: thiếu `name`", "config/people.toml:3: thiếu `name`"),
    ],
)
def test_names_and_numbers_are_kept(sentence: str, said: str) -> None:
    assert in_vietnamese(sentence) == said


def test_a_command_says_it(tmp_path: Path) -> None:
    """In one line, with the exit code 1."""
    (tmp_path / "var").mkdir()
    (tmp_path / "var/reminder.db").write_bytes(b"no database" * 100)
    (tmp_path / "config").mkdir()
    (tmp_path / "config/reminder.toml").write_text("", "utf-8")
    code = "from reminder.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code, "log"],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip
    said = "không phải tệp dữ liệu: chuyển tệp ấy đi, hoặc ghi tệp khác ở [store] url"
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert ran.stderr.decode() == f"{tmp_path}/var/reminder.db {said}\n"
