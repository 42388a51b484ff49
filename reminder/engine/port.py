"""The port of an engine: wake a key, every so often, run roles."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from reminder.domain.outbox import backoff

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

    def every(self, period: float | str, role: str, key: str) -> None:
        """Wake a key once a period, over all processes; declared before `run`.

        A number is of seconds, counted from the epoch; a text is a cron expression of five fields
        in the zone of the office. A period of seconds that has begun counts at the start, one of
        cron does not; of periods that nothing could wake in, the last is made up for.
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
