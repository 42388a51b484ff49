"""Periods: when a key is woken by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from apscheduler.triggers.cron import CronTrigger

from reminder.ops.supervisor import pause_until

LONGEST_LOOK = 5.0  # seconds after which the clock is read again: it may have been set
LONGEST_BACK = timedelta(days=1)  # cron periods further back are not made up for
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """A key that is woken every so often."""

    every: float | str  # seconds, or a cron expression
    role: str
    key: str
    zone: tzinfo

    def __post_init__(self) -> None:
        if not isinstance(self.every, str) and self.every <= 0:
            raise ValueError(f"a period of {self.every} seconds")
        self.following(EPOCH)  # raises ValueError for what is no cron expression

    def following(self, moment: datetime) -> datetime:
        """Return when the first period after `moment` begins."""
        if isinstance(self.every, str):
            trigger = CronTrigger.from_crontab(self.every, timezone=self.zone)
            found: datetime = trigger.get_next_fire_time(moment, moment)
            return found.astimezone(UTC)
        length = timedelta(seconds=self.every)
        return EPOCH + ((moment - EPOCH) // length + 1) * length

    def begun(self, since: datetime, now: datetime) -> datetime | None:
        """Return when the last period began that did so after `since`, and not after `now`."""
        if not isinstance(self.every, str):
            began = self.following(now) - timedelta(seconds=self.every)
            return began if began > since else None
        found, ahead = None, self.following(max(since, now - LONGEST_BACK))
        while ahead <= now:
            found, ahead = ahead, self.following(ahead)
        return found


Begun = Sequence[tuple[Period, datetime]]  # periods, and when each began


async def keep(
    periods: Sequence[Period],
    now: Callable[[], Awaitable[datetime]],
    wake: Callable[[Begun], Awaitable[object]],
    stop: asyncio.Event,
) -> None:
    """Call `wake` with the periods that have begun, as long as nothing stops it."""
    moment = await now()
    since = [EPOCH if not isinstance(each.every, str) else moment for each in periods]
    while not stop.is_set():
        begun = []
        for number, period in enumerate(periods):
            if since[number] > moment:  # the clock was set back
                since[number] = moment
            if (began := period.begun(since[number], moment)) is not None:
                begun.append((period, began))
                since[number] = began
        if begun:
            await wake(begun)
        ahead = [(period.following(moment) - moment).total_seconds() for period in periods]
        await pause_until(stop, min([LONGEST_LOOK, *ahead]))
        moment = await now()
