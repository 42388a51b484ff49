"""The outbox: messages to one recipient on one channel, and the wait between attempts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

# The errors of rows whose lease ended without a record: of a first such send, and of a repeat.
LOST = "không rõ tin đã đi hay chưa"
LOST_AGAIN = "gửi lại rồi, vẫn không rõ tin đã đi hay chưa"


class RowState(StrEnum):
    """Where a row of the outbox stands."""

    PENDING = "pending"  # to be sent from `due_at` on; a retry is pending again
    LEASED = "leased"  # a dispatcher holds it until `lease_until`
    SENT = "sent"  # the provider accepted it
    DEAD = "dead"  # given up on this channel
    SUPERSEDED = "superseded"  # its items have closed, or a newer nudge says it all
    DROPPED = "dropped"  # by the operator


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A row to be: unique on (slot, recipient, kind, subject, channel)."""

    slot: datetime  # the instant for which it is said, UTC
    recipient: str  # a person's id, or “group:UNIT”
    kind: str  # nudge, escalation, digest, reply, notice, edit …
    subject: str = ""  # tells apart rows of one slot and kind: an update's id, an address
    channel: str  # telegram, email, console
    payload: Mapping[str, Any] = field(default_factory=dict)  # *what* is said; JSON values only
    due_at: datetime  # not to be sent before, UTC


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row of the outbox as it stands."""

    id: int
    draft: Draft
    state: RowState
    due_at: datetime
    attempts: int = 0  # leases so far; also the fence: only its holder may mark the row
    lease_until: datetime | None = None
    repeat: bool = False  # an earlier attempt's outcome is unknown: it may have arrived
    provider_id: str = ""  # the provider's own id of what it accepted
    error: str = ""
    sent_at: datetime | None = None


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

    def retry_at(self, failures: int, now: datetime, *, asked: timedelta | None = None) -> datetime:
        """The instant of the next attempt; never sooner than `asked`, the provider's own wait."""
        return now + max(self.wait(failures), asked or timedelta(0))
