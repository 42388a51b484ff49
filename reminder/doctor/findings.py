"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one thing."""

    sound: bool
    said: str

    def __str__(self) -> str:
        return f"{'✓' if self.sound else '✗'} {self.said}"


def good(said: str) -> Finding:
    return Finding(True, said)


def fault(said: str) -> Finding:
    return Finding(False, said)
