"""How the work and the program stand, in numbers; no name and no word of anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reminder.core import digest
from reminder.core.schedule import local_day
from reminder.ports import BACKED_UP, BACKED_UP_AWAY, Store
from reminder.service.office import CONSOLE, Office
from reminder.service.reach import unreachable


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The state of one moment."""

    messages: Mapping[str, int]  # by state
    repeats: int  # messages that may have come twice
    events: int  # of the ledger
    open: int  # not closed, and begun: as the digest counts; the late and the awaiting among them
    late: int
    awaiting: int  # without a date
    unreachable: int  # people whom no channel reaches, and units that have nobody
    channels_down: int  # that refuse everything
    marks: Mapping[str, datetime]  # last_tick, last_poll, last_backup …, as far as they happened


def of_work(office: Office, now: datetime) -> digest.Figures:
    """How the work of the plans that speak stands, as the digest counts it."""
    states = (state for plan in office.speaking(now) for state in office.of_plan(plan))
    return digest.figures(states, office.scheduler, local_day(now))


def figures(office: Office, store: Store, now: datetime) -> Figures:
    """The figures at `now`."""
    plans = office.speaking(now)
    work = of_work(office, now)
    channels = [channel for channel in office.channels if channel != CONSOLE]
    counts = store.counts()
    return Figures(
        messages={state: count for state, count in counts.items() if state != "unknown"},
        repeats=counts["unknown"],
        events=store.head()[0],
        open=work.open,
        late=work.late,
        awaiting=work.awaiting,
        unreachable=len(unreachable(plans, office.people, store.addresses(), channels)),
        channels_down=sum(bool(store.meta(f"down:{channel}")) for channel in channels),
        marks={
            name: datetime.fromisoformat(kept)
            for name in ("last_tick", "last_poll", BACKED_UP, BACKED_UP_AWAY)
            if (kept := store.meta(name))
        },
    )
