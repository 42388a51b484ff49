"""How long each state of an occurrence holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from reminder.core.ledger import State


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A state from one event to the next."""

    state: State
    start: datetime | None  # None: from ever
    end: datetime | None  # None: for good
    closed: tuple[tuple[datetime, datetime, date | None], ...]  # before: from, until, due then

    def holds(self, at: datetime) -> bool:
        """Whether the state is so at `at`."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)


def spans(states: Sequence[tuple[datetime | None, State]]) -> Iterator[Span]:
    """Each of `states` with its end, and the closes before it."""
    closed: list[tuple[datetime, datetime, date | None]] = []
    for n, (start, state) in enumerate(states):
        end = states[n + 1][0] if n + 1 < len(states) else None
        yield Span(state=state, start=start, end=end, closed=tuple(closed))
        if state.closed and start is not None and end is not None:
            closed.append((start, end, state.due))
