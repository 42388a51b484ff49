"""The outbox: messages to one recipient on one channel, and the wait between attempts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from reminder.domain.payloads import PLAIN, Envelope, Items, Payload
from reminder.domain.schedule import Item

# The error of a row whose lease ended without a result: after a first send, after a repeat.
LOST = "không rõ tin đã đi hay chưa"
LOST_AGAIN = "gửi lại rồi, vẫn không rõ tin đã đi hay chưa"


class RowState(StrEnum):
    """The state of a row."""

    PENDING = "pending"  # to be sent from `due_at` on; a retry is pending again
    LEASED = "leased"  # a dispatcher holds it until `lease_until`
    SENT = "sent"  # the provider accepted it
    DEAD = "dead"  # given up on this channel
    SUPERSEDED = "superseded"  # its items have closed, or a newer nudge says it all
    DROPPED = "dropped"  # by the operator


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A message to be queued; unique on (slot, recipient, kind, subject, channel)."""

    slot: datetime  # the time that it is for, UTC
    recipient: str  # a person's id, or “group:UNIT”
    kind: str  # nudge, escalation, digest, reply, notice, edit …
    subject: str = ""  # distinguishes rows of one slot and kind: an update's id, an address
    channel: str  # telegram, email, console
    payload: Payload  # what to say
    envelope: Envelope = PLAIN
    due_at: datetime  # not to be sent before, UTC

    @property
    def items(self) -> tuple[tuple[str, Item], ...]:
        """The occurrences that the message tells its recipient of, each with its unit."""
        return self.payload.items if isinstance(self.payload, Items) else ()

    def marked_again(self) -> Draft:
        """Return the draft with a mark that its reader may have it already."""
        return replace(self, envelope=replace(self.envelope, again=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row of the outbox."""

    id: int
    draft: Draft
    state: RowState
    due_at: datetime
    attempts: int = 0  # leases so far; the holder of an older lease may no longer mark the row
    lease_until: datetime | None = None
    repeat: bool = False  # the result of an earlier attempt is unknown: it may have arrived
    provider_id: str = ""  # the provider's own id of what it accepted
    error: str = ""
    sent_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Retries:
    """The wait between attempts: doubled at each failure, up to `longest`."""

    first: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(minutes=5)

    def wait(self, failures: int) -> timedelta:
        """The wait after the `failures`-th failure in a row, counted from 1."""
        if failures < 1:
            raise ValueError("failures are counted from 1")
        if self.first <= timedelta(0):
            return timedelta(0)
        doublings = min(failures - 1, 20)  # longer than `longest` by far
        grown: timedelta = self.first * 2**doublings
        return min(self.longest, grown)

    def retry_at(self, failures: int, now: datetime, *, asked: timedelta | None = None) -> datetime:
        """The time of the next attempt; `asked` is the provider's own wait, never undercut."""
        return now + max(self.wait(failures), asked or timedelta(0))
