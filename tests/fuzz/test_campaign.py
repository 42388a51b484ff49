"""The attack of `make fuzz`, in small: every target takes its seeds, and what is made of them."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.campaign import LONGEST, NAMES, varied
from tests.fuzz.targets import TARGETS


def test_each_target_has_a_name() -> None:
    assert tuple(TARGETS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_target_holds(name: str) -> None:
    """Against some of its seeds, and thirty inputs made of them."""
    target = TARGETS[name]
    seeds, chance = target.seeds(), random.Random(1)
    for data in chance.sample(seeds, min(20, len(seeds))):
        target.take(data)
    for _ in range(30):
        data = varied(seeds, chance)
        assert len(data) <= LONGEST
        target.take(data)
