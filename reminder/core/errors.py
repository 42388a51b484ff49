"""What can go wrong, as a family: each message says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
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
