"""The workers of a province through real HTTP: their rate, the accounts' limits, a worker's death.

As `make scale` plays it: `reminder run --role worker` as processes on PostgreSQL, all providers in
another with their real limits. For the rates everything is queued before the workers start. The
peer is one ward's daemon, which sends the same kind of messages without limits (bench.dispatch).
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.dispatch import daemon_rate
from bench.rows import Row, at_least, at_most, row
from tests.postgres import WHY_NOT, Server, programs, server
from tests.scale.province import Province
from tests.scale.run import Faults, played
from tests.scale.verdict import Tally

CALM = Faults(kill=False, freeze=False, cut=False)
DEATH = Faults(freeze=False, cut=False)
ACCOUNTS, OFFICES = 68, 204  # so many accounts that their limits hold nobody up
PACED, PACED_OFFICES = 6, 200  # so few that nothing else does
ENOUGH = 5  # cores from which on three workers have one each


def run() -> Iterator[Row]:
    """The rows, one after the other."""
    if programs() is None:
        yield row("the workers of a province", WHY_NOT)
        return
    with server() as postgres:
        yield from _rows(postgres)


def _rows(postgres: Server) -> Iterator[Row]:
    embedded = daemon_rate(1000, 8)
    one = _rate(_played(postgres, CALM, OFFICES, ACCOUNTS, workers=1))
    three = _rate(_played(postgres, CALM, OFFICES, ACCOUNTS, workers=3))
    yield row(
        "messages a second of one worker of a province, of one ward's daemon",
        f"{one:.0f}", f"{embedded:.0f}", figure=one / embedded, goal=at_least(0.8),
    )  # fmt: skip
    cores = os.cpu_count() or 1
    yield row(
        f"three workers against one, {cores} cores",
        f"{three:.0f}", f"{one:.0f}", figure=three / one,
        goal=at_least(2) if cores >= ENOUGH else None,
    )  # fmt: skip
    paced = _played(postgres, CALM, PACED_OFFICES, PACED, workers=3)
    yield row(
        "slowest account of Telegram beside its limit of 30 a second",
        f"{paced.pace:.1f}", "30", figure=paced.pace / 30, goal=at_least(0.95),
    )  # fmt: skip
    yield row("429s", f"{paced.refused}", figure=paced.refused, goal=at_most(0))
    killed = _played(postgres, DEATH, OFFICES, ACCOUNTS, workers=3)
    yield row(
        "longest silence of an account when a worker is killed, s",
        f"{killed.silence:.1f}", figure=killed.silence, goal=at_most(10),
    )  # fmt: skip


def _rate(tally: Tally) -> float:
    return tally.arrived / tally.seconds


def _played(
    postgres: Server, faults: Faults, offices: int, accounts: int, *, workers: int
) -> Tally:
    province = Province(
        offices=offices, accounts=accounts, more=0, answers=0, today=datetime.now(UTC)
    )
    with tempfile.TemporaryDirectory() as folder:
        work = played(Path(folder), postgres, province, faults, workers=workers, ahead=True)
        tally, _ = asyncio.run(work)
    return tally
