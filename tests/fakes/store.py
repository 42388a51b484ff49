"""A store in memory, under the contract of ports.Store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reminder.domain.ledger import Event
from reminder.domain.occurrences import Key
from reminder.domain.outbox import LOST, LOST_AGAIN, Draft, Row, RowState
from reminder.domain.people import Address
from reminder.services.ports import Broken, Recorded, Spoken
from reminder.store.chain import GENESIS, first_broken, link
from reminder.store.codec import from_event

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
DROPPABLE = (RowState.PENDING, RowState.DEAD)
REVIVABLE = (RowState.DEAD, RowState.DROPPED)


class FakeStore:
    """Forgets everything when it is dropped; `backup` writes an empty file."""

    def __init__(self) -> None:
        self._events: list[Recorded] = []
        self._rows: dict[int, Row] = {}
        self._drafts: set[tuple[object, ...]] = set()
        self._spoken: dict[tuple[object, ...], Spoken] = {}
        self._seen: set[tuple[str, str]] = set()
        self._addresses: dict[tuple[str, str], Address] = {}
        self._invitations: dict[str, tuple[str, datetime, bool]] = {}  # person, expiry, used
        self._meta: dict[str, str] = {}
        self._changes = 0  # of addresses

    @contextmanager
    def together(self) -> Iterator[None]:
        before = {name: copy(value) for name, value in vars(self).items()}
        try:
            yield
        except BaseException:
            vars(self).update(before)
            raise

    def record(
        self,
        events: Sequence[Event],
        *,
        unit_names: Mapping[str, str],
        drafts: Iterable[Draft] = (),
        spoken: Iterable[Spoken] = (),
        seen: tuple[str, str] | None = None,
        meta: Mapping[str, str] | None = None,
        at: datetime,  # noqa: ARG002 - the port's, and nothing here shows it
    ) -> bool:
        if seen in self._seen:
            return False
        if seen is not None:
            self._seen.add(seen)
        for event in events:
            self._append(event, unit_names.get(event.unit, event.unit))
        self._put(drafts)
        for said in spoken:
            self._spoken.setdefault((said.key, said.unit, said.kind, said.stage, said.due), said)
        self._meta.update(meta or {})
        return True

    def _append(self, event: Event, unit_name: str) -> None:
        number, last = self.head()
        columns = {**from_event(event), "number": number + 1, "unit_name": unit_name}
        self._events.append(
            Recorded(number=number + 1, event=event, unit_name=unit_name, hash=link(last, columns))
        )

    def _put(self, drafts: Iterable[Draft]) -> None:
        for draft in drafts:
            unique = (draft.slot, draft.recipient, draft.kind, draft.subject, draft.channel)
            if unique not in self._drafts:
                self._drafts.add(unique)
                kept = replace(draft, payload=json.loads(json.dumps(dict(draft.payload))))
                number = len(self._rows) + 1
                self._rows[number] = Row(
                    id=number, draft=kept, state=RowState.PENDING, due_at=draft.due_at
                )

    def events(self, after: int = 0) -> list[Recorded]:
        return [event for event in self._events if event.number > after]

    def revision(self) -> tuple[int, str]:
        return len(self._events), str(self._changes)

    def head(self) -> tuple[int, str]:
        return (len(self._events), self._events[-1].hash) if self._events else (0, GENESIS)

    def verify(self, heads: Iterable[tuple[int, str]] = ()) -> Broken | None:
        rows = [
            {
                **from_event(kept.event),
                "number": kept.number,
                "unit_name": kept.unit_name,
                "hash": kept.hash,
            }
            for kept in self._events
        ]
        return first_broken(rows, self.head(), heads)

    def spoken(self, plan: str) -> list[Spoken]:
        return [said for said in self._spoken.values() if said.key.plan == plan]

    def spoken_of(self, keys: Iterable[Key]) -> list[Spoken]:
        wanted = set(keys)
        return [said for said in self._spoken.values() if said.key in wanted]

    def lease(
        self, now: datetime, limit: int, hold: timedelta, channels: Iterable[str]
    ) -> list[Row]:
        wanted = set(channels)
        due = [
            row
            for row in self._in(RowState.PENDING)
            if row.due_at <= now and row.draft.channel in wanted
        ]
        due.sort(
            key=lambda row: (
                row.repeat * row.attempts,
                row.repeat,
                row.draft.slot,
                row.id,
            )
        )
        due = [row for row in due if row.draft.kind == "reply" and not row.repeat] or due
        return [
            self._set(row, state=RowState.LEASED, attempts=row.attempts + 1, lease_until=now + hold)
            for row in due[: max(limit, 0)]
        ]

    def mark_sent(self, row: Row, provider_id: str, at: datetime) -> bool:
        sent = {"state": RowState.SENT, "provider_id": provider_id, "sent_at": at, "error": ""}
        return self._end(row, **sent)

    def mark_sent_together(self, sent: Sequence[tuple[Row, str, datetime]]) -> list[bool]:
        return [self.mark_sent(*one) for one in sent]

    def mark_retry(self, row: Row, due_at: datetime, error: str, *, unknown: bool) -> bool:
        repeat = unknown or row.repeat
        return self._end(row, state=RowState.PENDING, due_at=due_at, error=error, repeat=repeat)

    def mark_ended(
        self,
        row: Row,
        state: RowState,
        reason: str,
        *,
        drafts: Iterable[Draft] = (),
        at: datetime,  # noqa: ARG002
    ) -> bool:
        mine = self._end(row, state=state, error=reason)
        if mine:
            self._put(drafts)
        return mine

    def sweep(self, now: datetime, but: Iterable[int] = ()) -> int:
        kept = set(but)
        return self._release(
            lambda row: row.id not in kept and (row.lease_until or BEGINNING) <= now
        )

    def release_all(self, now: datetime) -> int:
        return self._release(lambda _: True, due_at=now)

    def _release(self, over: Callable[[Row], bool], **changes: Any) -> int:
        released = [row for row in self._in(RowState.LEASED) if over(row)]
        for row in released:
            error = LOST_AGAIN if row.repeat else LOST
            changed = {"lease_until": None, "repeat": True, "error": error, **changes}
            self._set(row, state=RowState.PENDING, **changed)
        return len(released)

    def bring_forward(self, now: datetime, wait: timedelta, hold: timedelta) -> int:
        far = [row for row in self._in(RowState.PENDING) if row.due_at > now + wait]
        held = [
            row
            for row in self._in(RowState.LEASED)
            if row.lease_until and row.lease_until > now + hold
        ]
        for row in far:
            self._set(row, due_at=now)
        for row in held:
            self._set(row, lease_until=now + hold)
        return len(far) + len(held)

    def _end(self, row: Row, **changes: Any) -> bool:
        kept = self._rows.get(row.id)
        if kept is None or (kept.state, kept.attempts) != (RowState.LEASED, row.attempts):
            return False
        self._set(kept, lease_until=None, **changes)
        return True

    def _in(self, *states: RowState) -> list[Row]:
        return [row for row in self._rows.values() if row.state in states]

    def _set(self, row: Row, **changes: Any) -> Row:
        self._rows[row.id] = replace(row, **changes)
        return self._rows[row.id]

    def next_due(self) -> datetime | None:
        return min((row.due_at for row in self._in(RowState.PENDING)), default=None)

    def rows(
        self,
        *,
        states: Iterable[RowState] = (),
        kind: str = "",
        recipient: str = "",
        since: datetime | None = None,
        limit: int = 1000,
    ) -> list[Row]:
        wanted = [
            row
            for row in self._in(*(tuple(states) or RowState))
            if kind in ("", row.draft.kind)
            and recipient in ("", row.draft.recipient)
            and row.draft.slot >= (since or BEGINNING)
        ]
        wanted.sort(key=lambda row: (row.draft.slot, row.id), reverse=True)
        return wanted[: max(limit, 0)]

    def newest_slots(
        self, kind: str, recipients: Collection[str], since: datetime
    ) -> dict[str, datetime]:
        found: dict[str, datetime] = {}
        for row in self._in(*RowState):
            draft = row.draft
            if draft.kind == kind and draft.recipient in recipients and draft.slot >= since:
                found[draft.recipient] = max(draft.slot, found.get(draft.recipient, draft.slot))
        return found

    def counts(self) -> dict[str, int]:
        found = Counter(row.state.value for row in self._rows.values())
        repeats = sum(row.repeat for row in self._rows.values())
        return {**{state.value: found[state.value] for state in RowState}, "unknown": repeats}

    def revive(self, row_id: int, due_at: datetime) -> bool:
        return self._move(row_id, REVIVABLE, state=RowState.PENDING, due_at=due_at, error="")

    def drop(self, row_id: int) -> bool:
        return self._move(row_id, DROPPABLE, state=RowState.DROPPED)

    def _move(self, row_id: int, states: tuple[RowState, ...], **changes: Any) -> bool:
        row = self._rows.get(row_id)
        if row is None or row.state not in states:
            return False
        self._set(row, **changes)
        return True

    def bind(self, recipient: str, channel: str, value: str, at: datetime) -> None:
        self._changes += 1
        self._addresses[recipient, channel] = Address(
            recipient=recipient, channel=channel, value=value, bound_at=at
        )

    def unbind(self, recipient: str, channel: str | None = None) -> int:
        gone = [key for key in self._addresses if key[0] == recipient and channel in (None, key[1])]
        for key in gone:
            self._changes += 1
            del self._addresses[key]
        return len(gone)

    def addresses(self) -> list[Address]:
        return [self._addresses[key] for key in sorted(self._addresses)]

    def _at(self, channel: str, value: str) -> list[Address]:
        place = (channel, value)
        return [kept for kept in self._addresses.values() if (kept.channel, kept.value) == place]

    def mark_address_dead(
        self, channel: str, value: str, reason: str, at: datetime, *, drafts: Iterable[Draft] = ()
    ) -> bool:
        alive = [kept for kept in self._at(channel, value) if kept.dead_since is None]
        for kept in alive:
            dead = replace(kept, dead_since=at, dead_reason=reason)
            self._changes += 1
            self._addresses[kept.recipient, channel] = dead
        if alive:
            self._put(drafts)
        return bool(alive)

    def move_address(self, channel: str, old: str, new: str) -> bool:
        moved = self._at(channel, old)
        for kept in moved:
            there = replace(kept, value=new, dead_since=None, dead_reason="")
            self._changes += 1
            self._addresses[kept.recipient, channel] = there
        return bool(moved)

    def invite(self, person: str, code_hash: str, expires_at: datetime) -> None:
        for code, (whose, _, used) in self._invitations.items():
            if whose == person and not used:
                self._invitations[code] = (whose, BEGINNING, used)
        self._invitations[code_hash] = (person, expires_at, False)

    def redeem(self, code_hash: str, now: datetime, channel: str, value: str) -> str | None:
        if self.invitation_fault(code_hash, now):
            return None
        person, expires_at, _ = self._invitations[code_hash]
        self._invitations[code_hash] = (person, expires_at, True)
        self.bind(person, channel, value, now)
        return person

    def invitation_fault(self, code_hash: str, now: datetime) -> str:
        if code_hash not in self._invitations:
            return "unknown"
        _, expires_at, used = self._invitations[code_hash]
        if used:
            return "used"
        return "expired" if expires_at <= now else ""

    def meta(self, name: str) -> str | None:
        return self._meta.get(name)

    def metas(self) -> dict[str, str]:
        return dict(self._meta)

    def set_meta(self, name: str, value: str) -> None:
        self._meta[name] = value

    def backup(self, target: str) -> None:
        Path(target).touch()

    def close(self) -> None:
        pass
