"""The log: one line an event, on stderr, for people or as JSON; no secret ever reaches it.

It is in English, and so is what stops the program; faults in the files that people write, and what
the office is told, are in Vietnamese, and are quoted as they are. Times are the office's.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reminder.channels.scrubbing import scrub
from reminder.core.workdays import local

if TYPE_CHECKING:
    from reminder.files.settings import Settings

LIBRARIES = ("apscheduler", "httpx", "httpcore", "telegram", "alembic", "aiosmtplib", "mail.log")


class _Line(logging.Formatter):
    """Text or JSON; tracebacks are one word, the error's own."""

    def __init__(self, *, as_json: bool, secrets: Sequence[str]) -> None:
        super().__init__()
        self._as_json, self._secrets = as_json, tuple(s for s in secrets if s)

    def format(self, record: logging.LogRecord) -> str:
        at = local(datetime.fromtimestamp(record.created, UTC)).isoformat(timespec="seconds")
        said = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            said = f"{said}: {type(error).__name__}: {error}"
        said = " ".join(scrub(said, self._secrets).split())
        if self._as_json:
            fields = {"at": at, "level": record.levelname.lower(), "from": record.name}
            return json.dumps({**fields, "message": said}, ensure_ascii=False)
        return f"{at} {record.levelname.lower():7} {said}"


def set_up(shape: str, level: str, secrets: Sequence[str]) -> None:
    """All loggers to stderr in `shape` (text | json), from `level` on, without `secrets`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line(as_json=shape == "json", secrets=secrets))
    root = logging.getLogger()
    others = [h for h in root.handlers if not isinstance(h.formatter, _Line)]
    root.handlers[:] = [*others, handler]
    root.setLevel(level.upper())
    for name in LIBRARIES:  # their chatter says nothing to an administrator
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def follow(settings: Settings, also: Sequence[str] = ()) -> None:
    """The log as `settings` say; their secrets, and those in `also`, stay out of it."""
    secrets = [*secrets_of(settings), *also]
    set_up(settings.log.format, settings.log.level, secrets)


def secrets_of(settings: Settings) -> list[str]:
    """What no line of the log may hold."""
    keys = (settings.telegram.token, settings.email.password, settings.inbox.password)
    url = settings.store.url if "@" in settings.store.url else ""  # a file's name is no secret
    return [*(key.get_secret_value() for key in keys), url]
