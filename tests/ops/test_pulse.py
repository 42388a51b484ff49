"""Which silence is a fault, and which of them a restart could mend."""

from __future__ import annotations

import pytest

from reminder.ops.liveness import LONGEST, Beat, Pulse


class Steady:
    """A clock in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def steady() -> Steady:
    return Steady()


def begun(steady: Steady, *, polls: bool = True) -> Pulse:
    pulse = Pulse(steady, polls)
    pulse.begin()
    for beat in Beat:
        pulse.beat(beat)
    return pulse


def test_a_start_is_no_fault_of_the_parts_but_not_well_yet(steady: Steady) -> None:
    """Until the first tick is written down nothing is well; long without one is its own fault."""
    pulse = Pulse(steady, polls=False)
    waits = {"start": "the first tick has not been written down yet"}
    assert (pulse.faults(), pulse.lives()) == (waits, True)
    pulse.begin()
    steady.now += LONGEST[Beat.TICKED]
    for beat in (Beat.TRIED, Beat.SENDING):
        pulse.beat(beat)
    assert (pulse.faults(), pulse.lives()) == (waits, True)
    steady.now += 1
    assert pulse.faults() == {"ticked": "no tick was written down for 151 s"}
    pulse.beat(Beat.TICKED)
    assert pulse.faults() == {}


@pytest.mark.parametrize("silent", list(Beat))
def test_each_part_has_its_own_patience(steady: Steady, silent: Beat) -> None:
    """Up to its longest silence all is well, beyond it the part is named, and nothing else."""
    pulse = begun(steady)
    steady.now += LONGEST[silent]
    for beat in Beat:
        if beat is not silent:
            pulse.beat(beat)
    assert pulse.faults() == {}
    steady.now += 1
    assert list(pulse.faults()) == [silent.value]


def test_a_restart_is_asked_for_only_where_it_helps(steady: Steady) -> None:
    """A full disk (nothing is written) or a cut line (no poll) lasts over a restart; a dead
    dispatcher or timer does not."""
    pulse = begun(steady)
    steady.now += 1000
    pulse.beat(Beat.TRIED)
    pulse.beat(Beat.SENDING)
    assert sorted(pulse.faults()) == ["polled", "ticked"]
    assert pulse.lives()
    steady.now += 121
    assert not pulse.lives()


def test_without_telegram_nobody_polls(steady: Steady) -> None:
    pulse = begun(steady, polls=False)
    steady.now += 1000
    for beat in (Beat.TRIED, Beat.TICKED, Beat.SENDING):
        pulse.beat(beat)
    assert pulse.faults() == {}
