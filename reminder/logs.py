"""The log: one line an event, on stderr, for people or as JSON; no secret ever reaches it."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from reminder.channels.scrubbing import scrub

LIBRARIES = ("apscheduler", "httpx", "httpcore", "telegram", "alembic", "aiosmtplib", "mail.log")


class _Line(logging.Formatter):
    """Text or JSON; tracebacks are one word, the error's own."""

    def __init__(self, *, as_json: bool, secrets: Sequence[str]) -> None:
        super().__init__()
        self._as_json, self._secrets = as_json, tuple(s for s in secrets if s)

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        said = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            said = f"{said}: {type(error).__name__}: {error}"
        said = " ".join(scrub(said, self._secrets).split())
        if self._as_json:
            fields = {"at": at.isoformat(), "level": record.levelname.lower(), "from": record.name}
            return json.dumps({**fields, "message": said}, ensure_ascii=False)
        return f"{at:%Y-%m-%d %H:%M:%S} {record.levelname.lower():7} {said}"


def set_up(shape: str, level: str, secrets: Sequence[str]) -> None:
    """All loggers to stderr in `shape` (text | json), from `level` on, without `secrets`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line(as_json=shape == "json", secrets=secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in LIBRARIES:  # their chatter says nothing to an administrator
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
