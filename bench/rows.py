"""Rows of the table: what was measured, against whom, and whether the goal is met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure beside its peer's, and one ratio or figure beside its goal."""

    what: str
    ours: str
    peer: str = ""
    figure: float | None = None  # what the goal is about
    goal: str = ""  # as it is read: “≥ 0.6”
    met: bool | None = None

    def cells(self) -> list[str]:
        met = "" if self.met is None else ("yes" if self.met else "NO")
        figure = "" if self.figure is None else f"{self.figure:.3g}"
        return [self.what, self.ours, self.peer, figure, self.goal, met]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


HEAD = ["What", "Here", "Peer", "Figure", "Goal", "Met"]


def at_least(least: float) -> Callable[[float], tuple[str, bool]]:
    return lambda figure: (f"≥ {least:g}", figure >= least)


def at_most(most: float) -> Callable[[float], tuple[str, bool]]:
    return lambda figure: (f"≤ {most:g}", figure <= most)


def row(
    what: str,
    ours: str,
    peer: str = "",
    *,
    figure: float | None = None,
    goal: Callable[[float], tuple[str, bool]] | None = None,
) -> Row:
    """A row, judged."""
    if goal is None or figure is None:
        return Row(what=what, ours=ours, peer=peer, figure=figure)
    words, met = goal(figure)
    return Row(what=what, ours=ours, peer=peer, figure=figure, goal=words, met=met)


def in_turn(*sides: Callable[[], float], rounds: int = ROUNDS) -> list[float]:
    """The median of each side, the sides taking turns so that all meet the same machine."""
    found: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for figures, side in zip(found, sides, strict=True):
            figures.append(side())
    return [median(figures) for figures in found]


def table(rows: Sequence[Row], *, markdown: bool) -> str:
    """For the terminal, or for docs/performance.md."""
    cells = [HEAD, *(each.cells() for each in rows)]
    widths = [max(len(line[n]) for line in cells) for n in range(len(HEAD))]
    edge, between = ("| ", " | ") if markdown else ("", "  ")
    end = " |" if markdown else ""
    lines = [
        edge
        + between.join(f"{text:{width}}" for text, width in zip(line, widths, strict=True))
        + end
        for line in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|" if markdown else ""
    return "\n".join([lines[0], rule or "-" * len(lines[0]), *lines[1:]])
