"""The log: one line an event, the office's time with its offset, no secret."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reminder.app.logs import follow, set_up
from reminder.channels.telegram.send import make_bot
from reminder.domain.errors import HIDDEN
from reminder.files.settings import load_settings

pytestmark = pytest.mark.usefixtures("root")


def record(words: str, error: Exception | None = None) -> logging.LogRecord:
    """A warning at 08:00 of the office's morning, 24/01/2024."""
    made = logging.LogRecord(
        name="reminder.app.daemon",
        level=logging.WARNING,
        pathname="",
        lineno=0,
        msg=words,
        args=(),
        exc_info=(type(error), error, None) if error else None,
    )
    made.created = datetime(2024, 1, 24, 1, 0, 0, 999_000, tzinfo=UTC).timestamp()
    return made


def shown(capsys: pytest.CaptureFixture[str], shape: str, line: logging.LogRecord) -> str:
    set_up(shape, "info", ["4242:kín", ""])
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            handler.handle(line)
    return capsys.readouterr().err


def test_a_line_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback is one word, a line break a space, a secret gone."""
    told = shown(capsys, "text", record("token 4242:kín\nlost", OSError("bot4242:kín")))
    assert told == (
        f"2024-01-24T08:00:00+07:00 warning token {HIDDEN} lost: OSError: bot{HIDDEN}\n"
    )


def test_nothing_in_a_line_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences, C1 controls, line ends in disguise and marks of direction are left out."""
    words = "a\x1b[2J\x9b31m\u2028b\u202ec\u2066d\x85e"
    line = record(words, OSError("x\x1b]0;y\x07"))
    line.__dict__ |= {"to\x1b": [words], "raw": words}
    clean = "a[2J31m bcd e"
    for shape in ("text", "json"):
        told = shown(capsys, shape, line)
        assert told.removesuffix("\n").isprintable()
        assert clean in told
        assert "OSError: x]0;y" in told


def test_a_secret_with_a_mark_inside_is_still_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert "kín" not in shown(capsys, "text", record("x 4242:\u200bkín y"))


def test_what_nothing_catches_is_one_line() -> None:
    """A warning of a library, a thread that fails, an object whose end fails: no traceback."""
    program = """
import threading, warnings
from reminder.app.logs import catch_strays, set_up
set_up("text", "info", [])
catch_strays()
warnings.warn("old\\nway")
thread = threading.Thread(target=lambda: 1 / 0, name="worker")
thread.start()
thread.join()
class Bad:
    def __del__(self):
        raise ValueError("a\\nb")
Bad()
raise LookupError("the end")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, text=True
    )
    lines = [line.partition(" ")[2] for line in done.stderr.splitlines()]
    assert [line.split()[0] for line in lines] == ["warning", *["error"] * 3]
    assert "UserWarning: old way" in lines[0]
    assert lines[1].endswith("uncaught at <string>:7: ZeroDivisionError: division by zero")
    assert lines[2].endswith("ValueError: a b")
    assert lines[3].endswith("LookupError: the end")


@pytest.mark.parametrize(("level", "quiet"), [("debug", "warning"), ("error", "error")])
def test_the_libraries_are_never_louder_than_the_settings_say(level: str, quiet: str) -> None:
    """Nor than warnings; a bot that is made afterwards changes nothing of it."""
    set_up("text", level, [])
    make_bot("1:a")
    found = {name: logging.getLogger(name).level for name in ("httpx", "httpcore", "telegram")}
    assert found == dict.fromkeys(found, getattr(logging, quiet.upper()))
    assert logging.getLogger("apscheduler").level == logging.ERROR


def test_a_line_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(shown(capsys, "json", record("quá hạn"))) == {
        "at": "2024-01-24T08:00:00+07:00",
        "level": "warning",
        "from": "reminder.app.daemon",
        "message": "quá hạn",
    }


def test_what_a_call_adds_is_a_field(capsys: pytest.CaptureFixture[str]) -> None:
    """In JSON with its type, in text at the line's end; a secret is in neither, keys included."""
    line = record("sent")
    line.__dict__ |= {"row": 3, "to": ["4242:kín"], "4242:kín": "x\ny"}
    found = json.loads(shown(capsys, "json", line))
    assert {key: found[key] for key in (*found,)[4:]} == {
        "row": 3,
        "to": f"['{HIDDEN}']",
        HIDDEN: "x y",
    }
    assert shown(capsys, "text", line).endswith(f" sent row=3 to=['{HIDDEN}'] {HIDDEN}=x y\n")


def test_the_lines_of_libraries_hold_no_secret_of_the_settings(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Token, passwords, the heartbeat's address, whole or its path alone, whoever logs them."""
    keep = {
        "telegram": ("token", "123:abc_not_a_real_shape"),
        "email": ("password", "rất kín"),
        "watch": ("heartbeat_url", "https://hc.example/ping/7f2c-1111"),
    }
    path = tmp_path / "reminder.toml"
    tables = [f'[{table}]\n{key} = "{value}"' for table, (key, value) in keep.items()]
    tables[1] += '\nhost = "smtp.example"\nusername = "nhac"\nsender = "nhac@xa.example"'
    path.write_text("\n".join(tables), "utf-8")
    follow(load_settings(path, {}))
    for _, value in keep.values():
        logging.getLogger("httpcore.connection").warning("request %r failed", value)
    logging.getLogger("httpx").error('HTTP Request: GET "/ping/7f2c-1111"')
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 4
    assert not [v for _, v in keep.values() if v in told]
    assert "7f2c" not in told


def test_a_second_set_up_takes_the_place_of_the_first(root: logging.Logger) -> None:
    """Others' handlers stay; no line comes twice."""
    other = logging.NullHandler()
    root.addHandler(other)
    set_up("text", "info", [])
    before = len(root.handlers)
    set_up("json", "error", [])
    assert len(root.handlers) == before
    assert other in root.handlers
    assert root.level == logging.ERROR
