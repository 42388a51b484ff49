"""The short form of `make scale`: a few offices, real processes, real limits, each fault once.

What must hold is the same but for the silence, which is a matter of the machine's load: nothing is
lost, what came twice was under way and says so, order is kept, no account asks too often, nothing
of one office is seen or changed by another, each answer is recorded once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.postgres import Server
from tests.scale.province import Province
from tests.scale.run import Faults, played
from tests.scale.verdict import Tally

TIMED = "was silent for"


def promises(tally: Tally) -> list[str]:
    """What is not as promised, whatever the machine's load."""
    return [why for why in tally.why if TIMED not in why]


@pytest.mark.thorough
@pytest.mark.asyncio
async def test_a_worker_is_killed(tmp_path: Path, postgres: Server) -> None:
    province = Province(offices=8, accounts=4, more=20, answers=4, today=datetime.now(UTC))
    faults = Faults(freeze=False, cut=False)
    tally, _ = await played(tmp_path, postgres, province, faults, workers=2)
    assert promises(tally) == []
    assert (tally.due, tally.answers) == (len(province.readers), 4)


@pytest.mark.thorough
@pytest.mark.asyncio
async def test_another_is_frozen_and_comes_back_and_all_connections_are_cut(
    tmp_path: Path, postgres: Server
) -> None:
    """While the clocks of their machines are minutes apart."""
    province = Province(offices=60, accounts=20, more=100, answers=20, today=datetime.now(UTC))
    clocks = {"worker-1": -120, "worker-2": 120, "tick": 120, "web": 60}
    tally, _ = await played(tmp_path, postgres, province, Faults(), clocks=clocks)
    assert promises(tally) == []
    assert (tally.due, tally.answers) == (len(province.readers), 20)
