"""Which silence is a fault, and which of them a restart could mend."""

from __future__ import annotations

import pytest

from reminder.ops.liveness import PARTS, Liveness


class Steady:
    """A clock in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def steady() -> Steady:
    return Steady()


def begun(steady: Steady, *, polls: tuple[str, ...] = ("telegram", "sms")) -> Liveness:
    liveness = Liveness(steady, polls)
    liveness.start()
    for part in PARTS:
        liveness.mark(part)
    return liveness


def test_a_start_is_no_fault_of_the_parts_but_not_well_yet(steady: Steady) -> None:
    """Until the first tick is written down nothing is well; long without one is its own fault."""
    liveness = Liveness(steady, polls=())
    waits = {"start": "the first tick has not been written down yet"}
    assert (liveness.faults(), liveness.is_alive()) == (waits, True)
    liveness.start()
    steady.now += PARTS["ticked"].longest
    for part in ("tried", "sending"):
        liveness.mark(part)
    assert (liveness.faults(), liveness.is_alive()) == (waits, True)
    steady.now += 1
    assert liveness.faults() == {"ticked": "no tick was written down for 151 s"}
    liveness.mark("ticked")
    assert liveness.faults() == {}


@pytest.mark.parametrize("silent", list(PARTS))
def test_each_part_has_its_own_patience(steady: Steady, silent: str) -> None:
    """Up to its longest silence all is well, beyond it the part is named, and nothing else."""
    liveness = begun(steady)
    steady.now += PARTS[silent].longest
    for part in (*PARTS, "polled:telegram", "polled:sms"):
        if part != silent and not (silent == "polled" and part == "polled:sms"):
            liveness.mark(part)
    assert liveness.faults() == {}
    steady.now += 1
    assert list(liveness.faults()) == [silent]


def test_a_restart_is_asked_for_only_where_it_helps(steady: Steady) -> None:
    """A full disk (nothing is written) or a cut line (no poll) lasts over a restart; a dead
    dispatcher or timer does not."""
    liveness = begun(steady)
    steady.now += 1000
    liveness.mark("tried")
    liveness.mark("sending")
    assert sorted(liveness.faults()) == ["polled", "ticked"]
    assert liveness.is_alive()
    steady.now += 121
    assert not liveness.is_alive()


def test_without_telegram_nobody_polls(steady: Steady) -> None:
    liveness = begun(steady, polls=())
    steady.now += 1000
    for part in ("tried", "ticked", "sending"):
        liveness.mark(part)
    assert liveness.faults() == {}
