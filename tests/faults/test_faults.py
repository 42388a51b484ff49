"""The short form of `make torture`: a part of the month, a few kills, and each other fault once.

What must hold is the same: all that the pure schedule had to say has reached its recipients or has
its reason on record, what came twice was in flight and says so, each answer stands in the ledger
once, nobody without a right changed anything, and the log has told of every fault.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.faults.crashpoints import crash_everywhere
from tests.faults.happenings import FAULTS
from tests.faults.office import ANSWERS, DAYS
from tests.faults.play import AWAY, KILL, played

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and limits of processes")
OTHERS = tuple(fault.name for fault in FAULTS if fault.name not in (AWAY, KILL))
LINES = tuple(name for name in OTHERS if name.startswith(("Telegram", "Zalo", "SMTP", "IMAP")))
REST = tuple(name for name in OTHERS if name not in LINES)
WEEK = DAYS[2:11]  # 24/01 – 01/02: the busiest mornings


@pytest.mark.asyncio
@pytest.mark.parametrize("kills", [5, pytest.param(10, marks=pytest.mark.thorough)])
async def test_kills(tmp_path: Path, kills: int) -> None:
    """kill -9 at some moments, the first of them while the database is being made."""
    tally = await played(tmp_path, [KILL], "short", kills, WEEK)
    assert tally.why == []
    assert (tally.runs, tally.lost, tally.answers_lost, tally.rights_broken) == (kills, 0, 0, 0)
    assert tally.due > 40
    assert tally.answers >= 8


@pytest.mark.thorough
@pytest.mark.asyncio
@pytest.mark.parametrize(("faults", "met"), [(LINES, 8), (REST, len(REST))], ids=["lines", "rest"])
async def test_other_faults(tmp_path: Path, faults: tuple[str, ...], met: int) -> None:
    """Each once, at a moment of the seed's choice; some of a line meet no message to fail."""
    tally = await played(tmp_path, faults, "short", len(faults), WEEK)
    assert tally.why == []
    assert (tally.lost, tally.answers_lost, tally.rights_broken) == (0, 0, 0)
    assert tally.runs >= met
    assert tally.survived == tally.said == tally.runs


@pytest.mark.thorough
@pytest.mark.asyncio
async def test_three_days_without_telegram(tmp_path: Path) -> None:
    """The mail takes over; what people wrote meanwhile is taken in afterwards."""
    tally = await played(tmp_path, [AWAY], "short", 1, WEEK)
    assert tally.why == []
    assert (tally.runs, tally.lost, tally.answers_lost, tally.twice) == (1, 0, 0, 0)


@pytest.mark.thorough
def test_each_crash_point() -> None:
    """Some of those of `make crashpoints`, from the first mornings to the first late work."""
    month, verdict = crash_everywhere(DAYS[:12], every=13, twice=4, seed=2024, jobs=2)
    written = [answer for answer in ANSWERS if answer.day in DAYS[:12]]
    assert len(month.expected[-1].events) == len(written) > 8
    assert verdict.why == []
    assert (verdict.lost, verdict.answers_lost) == (0, 0)
    assert verdict.points == month.points // 13 > 15
    assert verdict.twice > 0
