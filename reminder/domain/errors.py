"""Keeps secrets out of whatever is said or logged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class ReminderError(Exception):
    """Anything a person can mend; its text is one clear sentence and never needs a traceback."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a file that a person writes: where it stands and what is wrong with it."""

    where: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = self.where if self.line is None else f"{self.where}:{self.line}"
        return f"{place}: {self.message}"


class FileError(ReminderError):
    """A plan, calendar, people or settings file is faulty; holds every fault found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


class CalendarError(ReminderError):
    """A day outside the years for which the working calendar was built."""


HIDDEN = "[đã che]"
_BOT_TOKEN = re.compile(r"\b\d{3,}:[A-Za-z0-9_-]{20,}")


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without any of `secrets`, nor anything that looks like a bot's token."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    return _BOT_TOKEN.sub(HIDDEN, text)
