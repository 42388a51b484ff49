"""The log: one line an event, the office's time with its offset, no secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from reminder.channels.scrubbing import HIDDEN
from reminder.logs import set_up


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    logger = logging.getLogger()
    level, handlers = logger.level, list(logger.handlers)
    yield logger
    logger.setLevel(level)
    logger.handlers[:] = handlers


def record(words: str, error: Exception | None = None) -> logging.LogRecord:
    """A warning at 08:00 of the office's morning, 24/01/2024."""
    made = logging.LogRecord(
        name="reminder.daemon",
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


def test_a_line_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(shown(capsys, "json", record("quá hạn"))) == {
        "at": "2024-01-24T08:00:00+07:00",
        "level": "warning",
        "from": "reminder.daemon",
        "message": "quá hạn",
    }


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
