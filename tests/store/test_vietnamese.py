"""What stops the program from below is said in Vietnamese to whoever types a command."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from reminder.domain.errors import ReminderError
from reminder.store import database
from reminder.store.files import FileLock, beside, unwritable
from reminder.store.store import open_store
from tests.conftest import ROOT
from tests.store.conftest import no_sleep

OF_THE_DATABASE = [
    words
    for known in (
        database._BUSY,
        database._DAMAGED,
        database._BUSY_SERVER,
        database._REFUSED_BY_SERVER,
    )
    for words in known.values()
] + [database._POOL_EXHAUSTED]
ENGLISH = re.compile(r"\b(the|is|its|can't|by|this|program|daemon)\b")


@pytest.mark.parametrize("words", OF_THE_DATABASE)
def test_each_error_of_the_database_is_said_in_vietnamese(words: tuple[str, str]) -> None:
    """It names the database, and no English is left."""
    english, vietnamese = words
    error = database._fault(ReminderError, "var/r.db", words)
    assert str(error) == f"the database var/r.db {english}"
    assert ("{name}" in vietnamese, ENGLISH.search(error.vietnamese)) == (True, None)
    assert "var/r.db" in error.vietnamese


@pytest.mark.parametrize(
    ("holder", "who", "ai"), [("12", " (process 12)", " (tiến trình 12)"), ("", "", "")]
)
def test_a_daemon_that_runs_is_named_in_both(
    tmp_path: Path, holder: str, who: str, ai: str
) -> None:
    path = tmp_path / "r.db"
    lock = FileLock(beside(path, ".lock"))
    assert lock.take()
    beside(path, ".lock").write_text(holder, "ascii")
    with pytest.raises(ReminderError) as raised:
        open_store(f"sqlite:///{path}", exclusive=True, sleep=no_sleep, wait=0)
    lock.release()
    assert str(raised.value) == (
        f"another reminder daemon{who} runs on {path}: stop it first, or name another database "
        "under [store] url"
    )
    assert raised.value.vietnamese == (
        f"máy nhắc việc khác{ai} đang chạy trên {path}: dừng máy ấy trước, hoặc ghi cơ sở dữ liệu "
        "khác ở [store] url"
    )


def test_what_the_system_says_of_a_file_is_said_in_vietnamese() -> None:
    error = unwritable(Path("/a b/x.db"), OSError(28, "No space left on device"))
    assert (str(error), error.vietnamese) == (
        "/a b/x.db can't be written: No space left on device",
        "không ghi được /a b/x.db: ổ đĩa đã đầy, xóa bớt tệp",
    )


def test_an_error_in_vietnamese_is_said_as_it_is() -> None:
    assert ReminderError("thiếu `name`").vietnamese == "thiếu `name`"


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
