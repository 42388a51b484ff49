"""The timer of the recurring ticks: APScheduler."""

from __future__ import annotations

import asyncio

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler


class Jobs(AsyncIOExecutor):  # type: ignore[misc]  # the library has no types
    """An executor that waits for running jobs at shutdown; the library's own cancels them.

    The store's thread would do that work to its end all the same.
    """

    def shutdown(self, wait: bool = True) -> None:
        """Begin no new jobs; `over` waits for those under way."""

    async def over(self) -> None:
        """Wait until the jobs under way have ended."""
        await asyncio.gather(*self._pending_futures, return_exceptions=True)


def make_timer() -> tuple[AsyncIOScheduler, Jobs]:
    """Return a timer that runs no job twice at once and makes up for late ones, and its jobs."""
    jobs = Jobs()
    timer = AsyncIOScheduler(
        executors={"default": jobs},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        timezone="UTC",
    )
    return timer, jobs
