"""The workers of a province through real HTTP: their rate, and their accounts' limits.

As `make scale` plays it: `reminder run --role worker` as processes on PostgreSQL, all providers in
another with their real limits. Everything is queued before the workers start. For the rates each
office has a bot of its own; the peer is one ward's daemon, which sends the same kind of messages
(bench.dispatch). The accounts' limits are tried with 840 messages instead of 100,000. A worker's
death is part of `make scale`.
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
OFFICES, PEOPLE = 40, 2  # a bot each, so that no limit holds anybody up; of each unit
PACED_OFFICES, PACED_PEOPLE, PACED_ACCOUNTS = 30, 4, 3  # so few accounts that nothing else does
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
    one = _rate(_played(postgres, OFFICES, OFFICES, people=PEOPLE, workers=1))
    three = _rate(_played(postgres, OFFICES, OFFICES, people=PEOPLE, workers=3))
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
    paced = _played(postgres, PACED_OFFICES, PACED_ACCOUNTS, people=PACED_PEOPLE, workers=3)
    yield row(
        "slowest account of Telegram beside its limit of 30 a second",
        f"{paced.pace:.1f}", "30", figure=paced.pace / 30, goal=at_least(0.95),
    )  # fmt: skip
    yield row("429s", f"{paced.refused}", figure=paced.refused, goal=at_most(0))


def _rate(tally: Tally) -> float:
    return tally.arrived / tally.seconds


def _played(postgres: Server, offices: int, accounts: int, *, people: int, workers: int) -> Tally:
    province = Province(
        offices=offices,
        accounts=accounts,
        people=people,
        more=0,
        answers=0,
        today=datetime.now(UTC),
    )
    with tempfile.TemporaryDirectory() as folder:
        work = played(Path(folder), postgres, province, CALM, workers=workers, ahead=True)
        tally, _ = asyncio.run(work)
    return tally
