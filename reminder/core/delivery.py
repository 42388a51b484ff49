"""When a message that was not accepted is tried again, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Retries:
    """How patience grows: doubled at each failure, up to a longest wait."""

    first: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(minutes=5)

    def wait(self, failures: int) -> timedelta:
        """How long to wait after the `failures`-th failure in a row, counted from 1."""
        if failures < 1:
            raise ValueError("failures are counted from 1")
        if self.first <= timedelta(0):
            return timedelta(0)
        doublings = min(failures - 1, 20)  # longer than `longest` by far
        grown: timedelta = self.first * 2**doublings
        return min(self.longest, grown)

    def retry_at(
        self,
        failures: int,
        now: datetime,
        *,
        asked: timedelta | None = None,
        give_up_at: datetime | None = None,
    ) -> datetime | None:
        """The instant of the next attempt; None to give up here and go to the next channel.

        `asked` is the wait that the provider named: it is never undercut. No attempt starts at or
        after `give_up_at`; None there means never to give up.
        """
        at = now + max(self.wait(failures), asked or timedelta(0))
        return None if give_up_at is not None and at >= give_up_at else at
