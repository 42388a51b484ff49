"""A process of its own for the store's tests: python -m tests.store.worker JOB URL."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from itertools import count

from reminder.domain.outbox import Draft
from reminder.store.store import Store, open_store
from tests.store.conftest import no_sleep
from tests.store.samples import CHANNELS, HOLD, NOW, UNITS, draft, event, minutes, said


def tell(*words: object) -> None:
    """A line to the test, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def write(store: Store) -> None:
    """Records answers for ever, three events, two drafts and a word each; says which it has."""
    for number in count():
        store.record(
            [event(note=str(number))] * 3,
            unit_names=UNITS,
            drafts=[draft("an", slot=minutes(number)), draft("binh", slot=minutes(number))],
            spoken=[said(stage=str(number))],
            seen=("telegram", str(number)),
            at=NOW,
        )
        tell(number)


def die_midway(store: Store) -> None:
    """Is killed between the drafts and the words of one transaction."""

    def deadly() -> Iterator[Draft]:
        yield from (draft(str(number)) for number in range(5_000))
        os.kill(os.getpid(), signal.SIGKILL)

    store.record([event()], unit_names=UNITS, drafts=deadly(), seen=("telegram", "0"), at=NOW)


def lease(store: Store) -> None:
    """Waits for a line, leases until nothing is left, and says which rows it got."""
    tell("ready")
    sys.stdin.readline()
    while rows := store.lease(NOW, 3, HOLD, CHANNELS):
        tell(*(row.id for row in rows))


def hold(store: Store) -> None:
    """Leases one row, and keeps it and the lock until it is killed."""
    store.lease(NOW, 1, HOLD, CHANNELS)
    tell("ready")
    sys.stdin.readline()


def look(store: Store) -> None:
    """Says what a start has loaded."""
    tell(store.counts()["pending"], "alembic" in sys.modules, "sqlalchemy.orm" in sys.modules)


JOBS = {job.__name__: job for job in (write, die_midway, lease, hold, look)}

if __name__ == "__main__":
    _, job, url = sys.argv
    JOBS[job](open_store(url, exclusive=job in ("write", "hold"), sleep=no_sleep, wait=0))
