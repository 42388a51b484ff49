"""The port of an engine: wake a key, every so often, run roles; the periods of a key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from reminder.domain.outbox import backoff
from reminder.ops.supervisor import pause_until

LONGEST_LOOK = 5.0  # seconds after which the clock is read again: it may have been set
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Handler = Callable[[str], Awaitable[None]]  # does the work of a role for a key


@dataclass(frozen=True, kw_only=True, slots=True)
class Jobs:
    """The keys of a role that have work, over all processes."""

    waiting: int = 0
    running: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pauses:
    """How long a key whose handler failed waits before it is run again, in seconds."""

    first: float = 1.0
    longest: float = 8.0  # no account is silent for longer than ten seconds

    def after(self, failures: int) -> float:
        """Return the pause after so many failures without a success between."""
        return backoff(failures, self.first, self.longest)


class Engine(Protocol):
    """Has handlers run for keys, each key on one process at a time.

    What is to be done is not here but in the tables of the program: a handler looks there.
    """

    def every(self, period: float, role: str, key: str) -> None:
        """Wake a key once a period, over all processes; declared before `run`.

        It is of seconds, counted from the epoch. One that has begun counts at the start; of those
        that nothing could wake in, the last is made up for.
        """
        ...

    async def wake(self, role: str, *keys: str) -> None:
        """Have the handler of `role` run for each of these keys soon.

        A key that waits already is not run twice; one that is running is run once more after it.
        """
        ...

    async def run(self, handlers: Mapping[str, Handler], stop: asyncio.Event) -> None:
        """Run the handlers of these roles for the keys that are woken, until `stop`.

        Then nothing new is begun, handlers under way are waited for, and their keys are free. A
        handler that fails is run again after a growing pause, which no wake shortens. The keys of
        a process that has died are run by another within ten seconds.
        """
        ...

    async def jobs(self) -> dict[str, Jobs]:
        """Return how many keys wait and run, by role; a role without work may be missing."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """A key that is woken every so often."""

    every: float  # seconds
    role: str
    key: str

    def __post_init__(self) -> None:
        if self.every <= 0:
            raise ValueError(f"a period of {self.every} seconds")

    def following(self, moment: datetime) -> datetime:
        """Return when the first period after `moment` begins."""
        length = timedelta(seconds=self.every)
        return EPOCH + ((moment - EPOCH) // length + 1) * length

    def begun(self, since: datetime, now: datetime) -> datetime | None:
        """Return when the last period began that did so after `since`, and not after `now`."""
        began = self.following(now) - timedelta(seconds=self.every)
        return began if began > since else None


Begun = Sequence[tuple[Period, datetime]]  # periods, and when each began


async def keep(
    periods: Sequence[Period],
    now: Callable[[], Awaitable[datetime]],
    wake: Callable[[Begun], Awaitable[object]],
    stop: asyncio.Event,
) -> None:
    """Call `wake` with the periods that have begun, as long as nothing stops it."""
    moment = await now()
    since = [EPOCH] * len(periods)
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
