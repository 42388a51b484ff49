"""Checks the whole set-up of an office, and says what is wrong and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The verdict of a check."""

    OK = "ok"
    WARN = "warn"  # it works, and somebody should see to it
    FAULT = "fault"  # something does not work


_SIGNS = {Verdict.OK: "✓", Verdict.WARN: "!", Verdict.FAULT: "✗"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One line for the administrator; never a secret."""

    name: str  # stable, for programs: “token”, “disk”
    verdict: Verdict
    sentence: str
    remedy: str = ""  # what to do; empty if nothing is, or the sentence says it

    def __str__(self) -> str:
        return f"{_SIGNS[self.verdict]} {self.sentence}"


def ok(name: str, sentence: str) -> Check:
    return Check(name=name, verdict=Verdict.OK, sentence=sentence)


def warn(name: str, sentence: str, remedy: str) -> Check:
    return Check(name=name, verdict=Verdict.WARN, sentence=sentence, remedy=remedy)


def fault(name: str, sentence: str, remedy: str = "") -> Check:
    """Return a fault; `remedy` is empty where the sentence says it."""
    return Check(name=name, verdict=Verdict.FAULT, sentence=sentence, remedy=remedy)
