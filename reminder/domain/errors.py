"""The errors that people can mend, and how secrets are kept out of their text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reminder.domain.text import one_line


class ReminderError(Exception):
    """The base of all errors that are shown as their text, without a traceback.

    What stops the program from below is English, as the log is; `vietnamese` is what a terminal
    says instead.
    """

    def __init__(self, text: str = "", vietnamese: str = "") -> None:
        super().__init__(text)
        self.vietnamese = vietnamese or text


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of a file or variable that a person writes."""

    where: str  # the file, or the environment variable
    line: int | None
    message: str

    def __str__(self) -> str:
        place = self.where if self.line is None else f"{self.where}:{self.line}"
        return f"{place}: {one_line(self.message)}"


class FileError(ReminderError):
    """A plan, calendar, people or settings file is faulty; `problems` holds every fault."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))

    def of_file(self, file: str, name: str) -> FileError:
        """Return the error with the file that the text `name` was read from in its place."""
        named = (replace(one, where=file) if one.where == name else one for one in self.problems)
        return FileError(tuple(named))


class CalendarError(ReminderError):
    """A day outside the years of the working calendar."""


HIDDEN = "[đã che]"
_BOT_TOKEN = re.compile(r"\b\d{3,}:[A-Za-z0-9_-]{20,}")


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` with `secrets`, and whatever looks like a bot's token, replaced by HIDDEN."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    return _BOT_TOKEN.sub(HIDDEN, text)
