"""What a “done” closes: the rules of the contract, each on the plan of 2024."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pytest

from reminder.decisions.targets import Already, Choice, Closes, Nothing, NotOpen, Which, choose
from reminder.domain.ledger import fold
from reminder.domain.plan import Plan, occurrences
from reminder.services.simulation import closing_events
from reminder.understanding.model import Target


def told(choice: Choice) -> str:
    match choice:
        case Closes(states):
            return "closes " + " ".join(f"{s.key.deliverable}:{s.key.period}" for s in states)
        case Which(states):
            return "which " + " ".join(f"{s.key.deliverable}:{s.key.period}" for s in states)
        case Already(last, following):
            later = f", then {following.key.period}" if following else ""
            return f"already {last.key.deliverable}:{last.key.period}{later}"
        case NotOpen(following):
            return f"not open {following.key.period}"
        case Nothing():
            return "nothing"


def chosen(plan: Plan, target: Target, day: str, closed: Iterable[str]) -> str:
    """What `target` means on `day` when the occurrences “task.number:period” are closed."""
    all_occurrences = occurrences(plan)
    done = set(closed)
    events = [
        event
        for state in fold(all_occurrences, []).values()
        if f"{state.key.task}.{state.key.deliverable}:{state.key.period}" in done
        for event in closing_events(state, date(2024, 1, 2))
    ]
    states = [s for s in fold(all_occurrences, events).values() if s.key.task == target.task]
    return told(choose(plan.by_code[target.task], states, target, date.fromisoformat(day)))


@pytest.mark.parametrize(
    ("target", "day", "closed", "expected"),
    [
        # the only product: its only open, undone occurrence; of several none is guessed
        (Target(task="1c"), "2024-01-30", "", "closes 1:2024"),
        (Target(task="1c"), "2024-01-30", "1c.1:2024", "already 1:2024"),
        (Target(task="2c"), "2024-03-05", "", "which 1:2024-01 1:2024-02 1:2024-03"),
        (Target(task="2c"), "2024-03-05", "2c.1:2024-01", "which 1:2024-02 1:2024-03"),
        (Target(task="2c"), "2024-01-30", "", "closes 1:2024-01"),
        (Target(task="2c", every=True), "2024-02-05", "", "closes 1:2024-01 1:2024-02"),
        # several products: a bare code asks, even when one is closed
        (Target(task="1d"), "2024-02-19", "", "which 1:2024 2:2024"),
        (Target(task="1d"), "2024-02-19", "1d.1:2024", "which 2:2024"),
        (Target(task="1d"), "2024-02-19", "1d.1:2024 1d.2:2024", "already 1:2024"),
        (Target(task="1d", deliverables=(2,)), "2024-02-19", "", "closes 2:2024"),
        (Target(task="1d", deliverables=(1, 2)), "2024-02-19", "", "closes 1:2024 2:2024"),
        (Target(task="1d", every=True), "2024-02-19", "", "closes 1:2024 2:2024"),
        (Target(task="1d", every=True), "2024-02-19", "1d.2:2024", "closes 1:2024"),
        # products, not check-ins; a task with only a check-in answers it
        (Target(task="2a"), "2024-03-05", "", "closes 1:2024"),
        (Target(task="2a"), "2024-03-05", "2a.1:2024", "already 1:2024"),
        (Target(task="1a"), "2024-03-05", "", "closes 1:2024-Q1"),
        (Target(task="1a"), "2024-03-05", "1a.1:2024-Q1", "already 1:2024-Q1, then 2024-Q2"),
        # awaiting: closed like any other
        (Target(task="5a"), "2024-03-05", "", "closes 1:2024"),
        (Target(task="1đ"), "2024-03-05", "", "closes 1:2024"),
        # not open yet: only by naming the period
        (Target(task="6b"), "2024-03-05", "", "not open 2024"),
        (Target(task="2c", period="2024-04"), "2024-03-05", "", "closes 1:2024-04"),
        (Target(task="2c"), "2024-01-30", "2c.1:2024-01", "already 1:2024-01, then 2024-02"),
        (Target(task="2c", period="2024-01"), "2024-03-05", "2c.1:2024-01", "already 1:2024-01"),
        (Target(task="2c", period="2024-Q1"), "2024-03-05", "", "nothing"),
        # BC: which of the three
        (Target(task="BC"), "2024-03-05", "", "which 1:2024-Q1 2:2024-H1 3:2024"),
        (Target(task="BC"), "2024-03-05", "BC.1:2024-Q1", "which 2:2024-H1 3:2024"),
        (Target(task="BC", period="2024-Q3"), "2024-03-05", "", "closes 1:2024-Q3"),
        (Target(task="BC", deliverables=(3,)), "2024-03-05", "", "closes 3:2024"),
    ],
)
def test_what_closes(target: Target, day: str, closed: str, expected: str, plan2024: Plan) -> None:
    """Each target on its day, with what was closed before: what closes, or what is asked."""
    assert chosen(plan2024, target, day, closed.split()) == expected
