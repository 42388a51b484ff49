"""The sockets of the house: what the services need of a store and a renderer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from reminder.domain.channels import Outbound
from reminder.domain.errors import ReminderError
from reminder.domain.ledger import Event
from reminder.domain.occurrences import Key
from reminder.domain.outbox import Draft, Row, RowState
from reminder.domain.people import Address

# Names in the store's `meta` that several rooms know.
ENDED = "ended"  # when the last run came to its good end; empty while one is under way
RESTORED = "restored"  # when a copy took the database's place, after the program had run on
BACKED_UP, BACKED_UP_AWAY = "last_backup", "last_backup_away"  # here, in the second folder


class Clock(Protocol):
    """Tells the time; only the outermost loop asks it."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...


class StoreBusyError(ReminderError):
    """The database can't be written now (locked, read-only, full disk); nothing was changed."""


class StoreRefusedError(ReminderError):
    """The database is a newer program's, damaged, or another daemon has it: a person must act."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """An event of the ledger as it is kept."""

    number: int  # its place in the chain, from 1
    event: Event
    unit_name: str  # as it stood when the event was written
    hash: str  # hex SHA-256 over the hash before and this row's canonical form


@dataclass(frozen=True, kw_only=True, slots=True)
class Spoken:
    """One stage of one occurrence that was said to a unit, or skipped, and never is again."""

    key: Key
    unit: str
    kind: str  # nudge | escalation | request | digest
    stage: str
    due: str  # ISO date: a moved date speaks anew
    at: datetime
    skipped: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """The first event of the ledger that is not as it was written."""

    number: int
    what: str  # changed | missing | added | rewritten: all of it, against a head told elsewhere
    # The times that the rows around it give, as they are kept (codec.stamp), for people to look:
    before: str = field(default="", compare=False)  # of the last sound one; empty: of none
    at: str = field(default="", compare=False)  # of this, or where it is missing of the next


class Store(Protocol):
    """What is remembered. Each method is one transaction: all of it happened, or nothing.

    Times are aware and come back in UTC; a naive one is a ValueError. Every method raises
    StoreBusyError where it can't read or write now, and StoreRefusedError on a damaged database.
    """

    def together(self) -> AbstractContextManager[None]:
        """All that is asked of the store in it is one transaction; an exception undoes it all."""
        ...

    def record(
        self,
        events: Sequence[Event],
        *,
        unit_names: Mapping[str, str],
        drafts: Iterable[Draft] = (),
        spoken: Iterable[Spoken] = (),
        seen: tuple[str, str] | None = None,
        meta: Mapping[str, str] | None = None,
        at: datetime,
    ) -> bool:
        """Appends to the ledger, the outbox and what was spoken, and marks an update as seen.

        `seen` is (channel, id of the update). False, and nothing is changed, if it was seen.
        A draft that is already in the outbox (its unique columns), and a Spoken already noted,
        change nothing. A unit without a name in `unit_names` is kept by its id.
        """
        ...

    def events(self, after: int = 0) -> list[Recorded]:
        """The ledger's events with a number above `after`, in order."""
        ...

    def revision(self) -> tuple[int, str]:
        """Two marks: the number of the ledger's last event, and one that each address changes.

        Whoever has read both ledger and addresses at these marks need not read them again.
        """
        ...

    def head(self) -> tuple[int, str]:
        """Number and hash of the ledger's last event; (0, 64 zeros) of an empty one."""
        ...

    def verify(self, heads: Iterable[tuple[int, str]] = ()) -> Broken | None:
        """The first event that was changed, removed or slipped in; None: the chain is whole.

        `heads`, each a number and the hash told of it elsewhere or the beginning of that hash, find
        a ledger that was rewritten as a whole. Nothing of the ledger needs to be readable for it.
        """
        ...

    def spoken(self, plan: str) -> list[Spoken]:
        """What was said of `plan`, in no order."""
        ...

    def spoken_of(self, keys: Iterable[Key]) -> list[Spoken]:
        """What was said of these occurrences, in no order."""
        ...

    def lease(
        self, now: datetime, limit: int, hold: timedelta, channels: Iterable[str]
    ) -> list[Row]:
        """Claims up to `limit` pending rows whose time has come: the oldest slot first.

        Where answers are among them, those alone: whoever has written waits, and a morning's
        nudges would hold the answer up for long.
        Each is the caller's until `now + hold`, and nobody else gets it before a sweep. Possible
        repeats come after all others, those tried least first: a program that dies of a send, or
        right after it, gets to all rows before it comes back to one.
        """
        ...

    def mark_sent(self, row: Row, provider_id: str, at: datetime) -> bool:
        """The row is sent, and what went wrong before is forgotten.

        False if the row's lease is no longer the caller's (the fence): nothing is changed.
        """
        ...

    def mark_sent_together(self, sent: Sequence[tuple[Row, str, datetime]]) -> list[bool]:
        """`mark_sent` of each, all in one commit; whether each row was still the caller's."""
        ...

    def mark_retry(self, row: Row, due_at: datetime, error: str, *, unknown: bool) -> bool:
        """Pending again from `due_at`; `unknown`: the provider may have taken it."""
        ...

    def mark_ended(
        self, row: Row, state: RowState, reason: str, *, drafts: Iterable[Draft] = (), at: datetime
    ) -> bool:
        """Dead or superseded; `drafts` (the next channel, a word to the office) go with it.

        `reason` is the row's error from then on. False, as in mark_sent, changes nothing.
        """
        ...

    def sweep(self, now: datetime, but: Iterable[int] = ()) -> int:
        """Leases that ran out are pending again, as possible repeats; how many.

        Rows with an id in `but` are under way still, and stay. The error of the others is LOST,
        or LOST_AGAIN of what was a repeat already.
        """
        ...

    def release_all(self, now: datetime) -> int:
        """All leases are pending again, due at once, as possible repeats; how many.

        Their errors are those of `sweep`. Only for a daemon at its start: its lock on the database
        says that their holders are dead.
        """
        ...

    def bring_forward(self, now: datetime, wait: timedelta, hold: timedelta) -> int:
        """After a clock that ran ahead was set back; how many rows that changes.

        What would wait beyond `now + wait` is due at once; no lease runs beyond `now + hold`.
        """
        ...

    def next_due(self) -> datetime | None:
        """When the earliest pending row is due."""
        ...

    def rows(
        self,
        *,
        states: Iterable[RowState] = (),
        kind: str = "",
        recipient: str = "",
        since: datetime | None = None,
        limit: int = 1000,
    ) -> list[Row]:
        """Rows of the outbox with a slot from `since` on, the newest slot first.

        An empty filter lets all pass.
        """
        ...

    def newest_slots(
        self, kind: str, recipients: Collection[str], since: datetime
    ) -> dict[str, datetime]:
        """The latest slot, of those from `since` on, of the rows of a kind to each of these."""
        ...

    def counts(self) -> dict[str, int]:
        """How many rows the outbox has in each state, and “unknown”: rows marked as repeats."""
        ...

    def revive(self, row_id: int, due_at: datetime) -> bool:
        """A dead or dropped row is pending again, its error forgotten; False if it is neither."""
        ...

    def drop(self, row_id: int) -> bool:
        """A pending or dead row is dropped, for the operator; False if it is neither."""
        ...

    def bind(self, recipient: str, channel: str, value: str, at: datetime) -> None:
        """`value` becomes the one address of `recipient` on `channel`, alive."""
        ...

    def unbind(self, recipient: str, channel: str | None = None) -> int:
        """Forgets the addresses of `recipient`, on one channel or on all; how many."""
        ...

    def addresses(self) -> list[Address]:
        """All addresses, by recipient and channel."""
        ...

    def mark_address_dead(
        self, channel: str, value: str, reason: str, at: datetime, *, drafts: Iterable[Draft] = ()
    ) -> bool:
        """True if it was alive until now; only then `drafts` are written."""
        ...

    def move_address(self, channel: str, old: str, new: str) -> bool:
        """A group that became a supergroup has a new id, alive; False if none was at `old`."""
        ...

    def invite(self, person: str, code_hash: str, expires_at: datetime) -> None:
        """A one-time invitation; an older unused one of the person has expired by it."""
        ...

    def redeem(self, code_hash: str, now: datetime, channel: str, value: str) -> str | None:
        """The person whose invitation this is, once: binds the address too. None: no such code."""
        ...

    def invitation_fault(self, code_hash: str, now: datetime) -> str:
        """Why a code was not redeemed: “unknown”, “used”, “expired”; empty: it still holds."""
        ...

    def meta(self, name: str) -> str | None:
        """What set_meta or record kept under `name`."""
        ...

    def metas(self) -> dict[str, str]:
        """All that is kept so, by name."""
        ...

    def set_meta(self, name: str, value: str) -> None:
        """Keeps one value under `name`."""
        ...

    def backup(self, target: str) -> None:
        """Writes a copy of the database to the file `target`, once it was opened and verified.

        ReminderError if the target can't be written, or is the database itself.
        """
        ...

    def close(self) -> None:
        """Lets go of the database, and of the daemon's lock on it."""
        ...


class Renderer(Protocol):
    """Turns a row of the outbox into words, at the moment of sending."""

    def render(self, view: Any, row: Row) -> Outbound | None:
        """The message; None if there is nothing left to say (all has closed, a newer one says it).

        `view` is the service's own view of the office and the hour.
        """
        ...
