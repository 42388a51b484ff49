"""The log: one line for each event on stderr, as text or JSON, without secrets.

It is in English. Faults of files, and what the office is told, are in Vietnamese, and are quoted as
they are. Times are local.

The program and its libraries log by the standard module. `extra` of a call becomes a field of the
JSON, and stands at the end of a line of text; so does what `bound` has named, such as the office
that is at work.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from reminder.domain.calendar import local
from reminder.domain.errors import scrub
from reminder.domain.text import one_line

if TYPE_CHECKING:
    from reminder.files.settings import Settings

LIBRARIES = (
    "aiohttp",
    "apscheduler",
    "httpx",
    "httpcore",
    "telegram",
    "alembic",
    "aiosmtplib",
    "mail.log",
)
LONGEST = 4000  # characters of a message, or of a field
_OURS = "reminder_line"  # marks our handler among those of others
_FIRST = ("at", "level", "from", "message")
# What a record has of itself; all else was added by the call.
_STANDARD = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime"))
_BOUND: ContextVar[dict[str, str]] = ContextVar("bound")


def set_up(shape: str, level: str, secrets: Sequence[str]) -> None:
    """Send all logs from `level` on to stderr, in `shape` (text, json), without `secrets`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.set_name(_OURS)
    handler.setFormatter(_Line(shape, tuple(secret for secret in secrets if secret)))
    root = logging.getLogger()
    others = [h for h in root.handlers if h.get_name() != _OURS]
    root.handlers[:] = [*others, handler]
    root.setLevel(level.upper())
    for name in LIBRARIES:  # their chatter says nothing to an administrator
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.getLogger("apscheduler").setLevel(max(logging.ERROR, root.level))


def follow(settings: Settings, also: Sequence[str] = ()) -> None:
    """Set up the log from `settings`; their secrets and `also` are removed from its lines."""
    secrets = [*secrets_of(settings), *also]
    set_up(settings.log.format, settings.log.level, secrets)


@contextmanager
def bound(**fields: str) -> Iterator[None]:
    """Add these fields to each line that is logged meanwhile."""
    token = _BOUND.set(_BOUND.get({}) | fields)
    try:
        yield
    finally:
        _BOUND.reset(token)


def catch_strays() -> None:
    """Log warnings and exceptions that nothing catches, each on a line with its last place."""
    log = logging.getLogger("reminder")

    def told(_: object, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None and not isinstance(error, SystemExit | KeyboardInterrupt):
            last = traceback.extract_tb(trace)[-1:]
            place = "".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in last)
            log.error("uncaught at %s", place, exc_info=error)

    logging.captureWarnings(True)
    sys.excepthook = told
    threading.excepthook = lambda e: told(e.exc_type, e.exc_value, e.exc_traceback)
    sys.unraisablehook = lambda e: told(e.exc_type, e.exc_value, e.exc_traceback)


def secrets_of(settings: Settings) -> list[str]:
    """Return the secrets of the settings."""
    url = settings.store.url if "@" in settings.store.url else ""  # a file's name is no secret
    return [*settings.secrets(), url, _path(settings)]


def _path(settings: Settings) -> str:
    """Return the path of the heartbeat's address, which libraries may log without the host."""
    _, _, rest = settings.watch.heartbeat_url.value.partition("://")
    path = rest.partition("/")[2]
    return (
        path if len(path) >= 8 else ""
    )  # a shorter one is no secret, and would match ordinary words


class _Line(logging.Formatter):
    """An event as one line, in `shape` (text, json), without `secrets`."""

    def __init__(self, shape: str, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._as_json, self._secrets = shape == "json", secrets

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; what the program says of an exception is one word."""
        fields = {
            _line(key, self._secrets): _clean(value, self._secrets)
            for key, value in _fields(record).items()
        }
        return json.dumps(fields, ensure_ascii=False) if self._as_json else _text(fields)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return time, level, logger and message, then what the call adds; an exception as one line."""
    said = record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        said = f"{said}: {type(error).__name__}: {error}"
    at = local(datetime.fromtimestamp(record.created, UTC)).isoformat(timespec="seconds")
    given = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    known = {"at": at, "level": record.levelname.lower(), "from": record.name, "message": said}
    return known | _BOUND.get({}) | given


def _clean(value: Any, secrets: tuple[str, ...]) -> Any:
    """Numbers unchanged; all else as a line."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return _line(str(value), secrets)


def _line(text: str, secrets: tuple[str, ...]) -> str:
    """Return `text` without secrets, on one line that moves no cursor."""
    # Again after cleaning: an invisible character may have split a secret.
    return scrub(one_line(scrub(text, secrets), LONGEST), secrets)


def _text(fields: dict[str, Any]) -> str:
    line = f"{fields['at']} {fields['level']:7} {fields['message']}"
    more = [f"{key}={value}" for key, value in fields.items() if key not in _FIRST]
    return " ".join([line, *more])
