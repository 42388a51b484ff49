"""The parts of the store for events and their chain, marks, addresses and invitations."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection, Integer, Text, bindparam, cast, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from reminder.domain.ledger import Event
from reminder.domain.outbox import Draft
from reminder.domain.people import Address
from reminder.domain.plan import Key
from reminder.store import tables
from reminder.store.database import (
    Database,
    OfficeConnection,
    Part,
    Put,
    of_places,
    places_of,
    put_all,
)
from reminder.store.records import (
    Broken,
    Place,
    Recorded,
    Spoken,
    UnreadableRowError,
    meta_number,
    stamp,
    words,
)
from reminder.store.tables import ADDRESS, EVENT, SPOKEN, address, event, head, invitation, mine

log = logging.getLogger(__name__)

REPLACED = stamp(datetime(1, 1, 1, tzinfo=UTC))  # the expiry of an invitation that no longer holds
GENESIS = "0" * 64  # the hash before the first event
BEFORE_ALL = -(2**31)  # a forged number may be below 1
AT_ONCE = 500  # values in one statement; SQLite limits them
# A number that grows when an address changes, so that readers notice without rereading all.
ADDRESS_MARK = "addresses"  # in the table meta

HEAD = select(head.c.number, head.c.hash).where(mine(head))
HEAD_TO_MOVE = HEAD.with_for_update()  # a no-op on SQLite, which has one writer at a time
MOVE_HEAD = (
    update(head).where(mine(head)).values(number=bindparam("last"), hash=bindparam("last_hash"))
)
APPEND = insert(event)
EVENTS = (
    select(event).where(mine(event), event.c.number > bindparam("after")).order_by(event.c.number)
)
SPOKEN_OF = select(tables.spoken).where(of_places(tables.spoken))
METAS = select(tables.meta.c.name, tables.meta.c.value).where(mine(tables.meta))
META = select(tables.meta.c.value).where(mine(tables.meta), tables.meta.c.name == bindparam("key"))
REVISION = select(
    head.c.number,
    head.c.hash,
    select(tables.meta.c.value)
    .where(mine(tables.meta), tables.meta.c.name == ADDRESS_MARK)
    .scalar_subquery(),
).where(mine(head))
_SPOKEN_AMONG = select(tables.spoken).where(
    *(
        tables.spoken.c[name].in_(bindparam(name, expanding=True))
        for name in ("office", "plan", "task", "stage", "due")
    )
)
_AT = update(address).where(
    mine(address), address.c.channel == bindparam("via"), address.c.value == bindparam("place")
)
KILL = _AT.where(address.c.dead_since.is_(None)).values(
    dead_since=bindparam("now"), dead_reason=bindparam("reason")
)
MOVE = _AT.values(value=bindparam("new_place"), dead_since=None, dead_reason="")


class Standing(NamedTuple):
    """What a tick reads first of an office: the ledger's head and the marks of earlier ticks."""

    number: int
    hash: str
    metas: Mapping[str, str]

    @property
    def revision(self) -> tuple[int, str]:
        """As `LedgerPart.revision`."""
        return self.number, self.metas.get(ADDRESS_MARK, "")


class LedgerPart(Part):
    """Events, chained; stages spoken; updates seen; marks by name; addresses and invitations."""

    def __init__(self, database: Database, office: str = "") -> None:
        super().__init__(database, office)
        # An INSERT has no rowcount on psycopg.
        self._insert_seen = database.insert(tables.seen).returning(tables.seen.c.at)
        self._put_spoken = database.put(tables.spoken)
        self._put_meta = database.put(tables.meta, "value")
        self._bind = database.insert(address, "value", "bound_at", "dead_since", "dead_reason")
        self._invite = database.insert(invitation, "person", "expires_at", "used_at", "channel")
        one_more = cast(cast(tables.meta.c.value, Integer) + 1, Text)
        self._mark = (
            database.new(tables.meta)
            .values(office=bindparam("office"), name=ADDRESS_MARK, value="1")
            .on_conflict_do_update(index_elements=["office", "name"], set_={"value": one_more})
        )

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
        """Append events, drafts and spoken stages, and mark an update as seen.

        `seen` is (channel, id of the update). False, and nothing is changed, if it was seen.
        A draft that is already in the outbox (its unique columns), and a Spoken already noted,
        change nothing. A unit without a name in `unit_names` is kept by its id.
        """
        if seen is None and not events and self._database.whole.gathered is not None:
            self._database.gather(self._rows(drafts, spoken, meta, at))
            return True
        with self._database.writing() as connection:
            if seen is not None:
                channel, update_id = seen
                mark = {"channel": channel, "update_id": words(update_id), "at": stamp(at)}
                if connection.execute(self._insert_seen, mark).first() is None:
                    return False
            if events:
                _append(connection, events, unit_names)
            put_all(connection, self._rows(drafts, spoken, meta, at))
            if events:
                self._wake(connection)
        return True

    def _rows(
        self,
        drafts: Iterable[Draft],
        spoken: Iterable[Spoken],
        meta: Mapping[str, str] | None,
        at: datetime,
    ) -> dict[Put, list[dict[str, Any]]]:
        return {
            **self._rows_of(drafts, at),
            self._put_spoken: [SPOKEN.columns(one) for one in spoken],
            self._put_meta: _meta_rows(meta or {}),
        }

    def events(self, after: int = 0) -> list[Recorded]:
        """Return the ledger's events with a number above `after`, in order."""
        return [
            Recorded(event=EVENT.read(e), number=e.number, unit_name=e.unit_name, hash=e.hash)
            for e in self._database.all(EVENTS, after=after)
        ]

    def revision(self) -> tuple[int, str]:
        """Return the number of the last event, and a mark that each change of an address moves.

        Whoever has read both ledger and addresses at these marks need not read them again.
        """
        found = self._database.all(REVISION)
        return head_of(found)[0], found[0][-1] or ""

    def head(self) -> tuple[int, str]:
        """Return number and hash of the ledger's last event; (0, 64 zeros) of an empty one."""
        return head_of(self._database.all(HEAD))

    def standing(self) -> Standing:
        """Return what a tick reads first."""
        with self._database.reading() as connection:
            head = head_of(connection.execute(HEAD).all())
            return Standing(*head, dict(map(tuple, connection.execute(METAS))))

    def spoken_among(self, places: Collection[Place]) -> frozenset[Place]:
        """Return those of these stages that were spoken."""
        if not places:
            return frozenset()
        office = self._database.office
        with self._database.reading() as connection:
            return spoken_among(connection.raw, {office: places})[office]

    def verify(self, heads: Iterable[tuple[int, str]] = ()) -> Broken | None:
        """Return the first event that was changed, removed or slipped in; None: the chain is whole.

        `heads`, each a number and the hash told of it elsewhere or the beginning of that hash, find
        a ledger that was rewritten as a whole. Nothing of the ledger needs to be readable for it.
        """
        with self._database.reading() as connection:
            head = head_of(connection.execute(HEAD).all())
            rows = connection.execute(EVENTS, {"after": BEFORE_ALL}).mappings()
            return first_broken(map(dict, rows), head, heads)

    def spoken_of(self, keys: Iterable[Key]) -> list[Spoken]:
        """Return the stages of these occurrences that were spoken, in no order."""
        wanted = list(keys)
        found: list[Spoken] = []
        with self._database.reading() as connection:
            for start in range(0, len(wanted), AT_ONCE):
                some = places_of(wanted[start : start + AT_ONCE])
                found += [SPOKEN.read(row) for row in connection.execute(SPOKEN_OF, some)]
        return found

    def metas(self) -> dict[str, str]:
        """Return all values that set_meta or record kept, by name."""
        return dict(map(tuple, self._database.all(METAS)))

    def meta(self, name: str) -> str | None:
        """Return what set_meta or record kept under `name`."""
        return next((row[0] for row in self._database.all(META, key=name)), None)

    def number(self, name: str) -> int:
        """Return the number that `count` keeps under `name`; 0 if there is none."""
        return meta_number(name, self.meta(name))

    def set_meta(self, name: str, value: str) -> None:
        """Store one value under `name`."""
        with self._database.writing() as connection:
            self._keep(connection, {name: value})

    def count(self, name: str, more: int = 1) -> None:
        """Add to the number under `name`; one that was altered begins anew."""
        with self._database.together(), self._database.writing() as connection:
            try:
                number = self.number(name)
            except UnreadableRowError as error:
                log.error("%s", error)
                number = 0
            self._keep(connection, {name: str(number + more)})
            self._wake(connection)

    def was_seen(self, channel: str, update: str) -> bool:
        """Return whether `record` has marked this update as seen."""
        c = tables.seen.c
        return bool(
            self._database.all(
                select(c.at).where(mine(tables.seen), c.channel == channel, c.update_id == update)
            )
        )

    def _keep(self, connection: OfficeConnection, meta: Mapping[str, str]) -> None:
        put_all(connection, {self._put_meta: _meta_rows(meta)})

    def bind(self, recipient: str, channel: str, value: str, at: datetime) -> None:
        """Make `value` the address of `recipient` on `channel`."""
        bound = Address(recipient=recipient, channel=channel, value=value, bound_at=at)
        with self._database.writing() as connection:
            connection.execute(self._bind, ADDRESS.columns(bound))
            self._addresses_change(connection)

    def _addresses_change(self, connection: OfficeConnection) -> None:
        connection.execute(self._mark)
        self._wake(connection)

    def unbind(self, recipient: str, channel: str | None = None) -> int:
        """Remove the addresses of `recipient`, on one channel or all; return how many."""
        gone = delete(address).where(mine(address), address.c.recipient == words(recipient))
        if channel is not None:
            gone = gone.where(address.c.channel == channel)
        with self._database.writing() as connection:
            self._addresses_change(connection)
            return connection.execute(gone).rowcount

    def addresses(self) -> list[Address]:
        """Return all addresses, by recipient and channel."""
        found = [
            ADDRESS.read(row) for row in self._database.all(select(address).where(mine(address)))
        ]
        return sorted(found, key=lambda a: (a.recipient, a.channel))

    def revive_addresses(self, recipient: str, channel: str | None = None) -> list[Address]:
        """Have the dead addresses of `recipient` tried again, on one channel or all."""
        dead = [
            each
            for each in self.addresses()
            if each.recipient == recipient and each.dead_since and channel in (None, each.channel)
        ]
        with self._database.together():
            for each in dead:
                self.bind(each.recipient, each.channel, each.value, each.bound_at)
        return dead

    def mark_address_dead(
        self, channel: str, value: str, reason: str, at: datetime, *, drafts: Iterable[Draft] = ()
    ) -> bool:
        """Mark an address as dead and queue `drafts`; False if it was dead already."""
        values = {"via": channel, "place": words(value), "reason": words(reason), "now": stamp(at)}
        with self._database.writing() as connection:
            was_alive = connection.execute(KILL, values).rowcount > 0
            if was_alive:
                self._addresses_change(connection)
                self._put(connection, drafts, at)
        return was_alive

    def move_address(self, channel: str, old: str, new: str) -> bool:
        """Replace the address of a group that became a supergroup; False if there is none."""
        values = {"via": channel, "place": words(old), "new_place": words(new)}
        with self._database.writing() as connection:
            self._addresses_change(connection)
            return connection.execute(MOVE, values).rowcount > 0

    def invite(self, person: str, code_hash: str, expires_at: datetime, channel: str = "") -> None:
        """Add a one-time invitation; an older unused one of the person to the channel expires."""
        offer = {"code_hash": code_hash, "person": words(person), "expires_at": stamp(expires_at)}
        older = update(invitation).where(
            mine(invitation),
            invitation.c.person == words(person),
            invitation.c.used_at.is_(None),
            invitation.c.channel.in_([channel, ""]),
        )
        with self._database.writing() as connection:
            connection.execute(older.values(expires_at=REPLACED))
            connection.execute(self._invite, {**offer, "used_at": None, "channel": channel})

    def invited(self, code_hash: str, now: datetime) -> str | None:
        """Return whom a code invites, which holds still and is not used up by this."""
        c = invitation.c
        asked = select(c.person).where(
            mine(invitation),
            c.code_hash == words(code_hash),
            c.used_at.is_(None),
            c.expires_at > stamp(now),
        )
        return next((row[0] for row in self._database.all(asked)), None)

    def redeem(self, code_hash: str, now: datetime, channel: str, value: str) -> str | None:
        """Use an invitation once: bind the address, return the person; None for another code."""
        c = invitation.c
        use = (
            update(invitation)
            .where(
                mine(invitation),
                c.code_hash == words(code_hash),
                c.used_at.is_(None),
                c.expires_at > stamp(now),
            )
            .values(used_at=stamp(now))
            .returning(c.person)
        )
        with self._database.together(), self._database.writing() as connection:
            person: str | None = connection.execute(use).scalar()
            if person is not None:
                self.bind(person, channel, value, now)
        return person

    def invitation_fault(self, code_hash: str, now: datetime) -> str:
        """Return why a code was not redeemed: “unknown”, “used”, “expired”; empty: it holds."""
        c = invitation.c
        asked = select(c.expires_at, c.used_at).where(
            mine(invitation), c.code_hash == words(code_hash)
        )
        for expires_at, used_at in self._database.all(asked):
            if used_at is not None:
                return "used"
            return "expired" if expires_at <= stamp(now) else ""
        return "unknown"


def _meta_rows(meta: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "value": words(value)} for name, value in meta.items()]


def head_of(rows: Sequence[Sequence[Any]]) -> tuple[int, str]:
    """Return number and hash of the one row of the table head."""
    number, last_hash = rows[0][:2] if len(rows) == 1 else (None, None)
    if type(number) is not int or not isinstance(last_hash, str):
        what = f"number is {number!r:.40}, hash {last_hash!r:.80}" if rows else "it is missing"
        raise UnreadableRowError("head", 1, what)
    return number, last_hash


def spoken_among(
    raw: Connection, places: Mapping[str, Collection[Place]]
) -> dict[str, frozenset[Place]]:
    """Return those of these stages that were spoken, by office."""
    found: dict[str, set[Place]] = {office: set() for office in places}
    asked = [place for some in places.values() for place in some]
    wanted = {
        "office": sorted(found),
        "plan": sorted({key.plan for key, *_ in asked}),
        "task": sorted({key.task for key, *_ in asked}),
        "stage": sorted({stage for *_, stage, _ in asked}),
        "due": sorted({due for *_, due in asked}),
    }
    for row in raw.execute(_SPOKEN_AMONG, wanted):
        found[row.office].add(SPOKEN.read(row).place)
    return {office: frozenset(some.intersection(places[office])) for office, some in found.items()}


def _append(
    connection: OfficeConnection, events: Sequence[Event], unit_names: Mapping[str, str]
) -> None:
    number, last_hash = head_of(connection.execute(HEAD_TO_MOVE).all())
    rows = []
    for entry in events:
        number += 1
        row = EVENT.columns(entry)
        row |= {"number": number, "unit_name": words(unit_names.get(entry.unit, entry.unit))}
        last_hash = row["hash"] = link(last_hash, row)
        rows.append(row)
    try:
        connection.execute(APPEND, rows)
    except IntegrityError as error:
        what = f"number is {number - len(rows)}, and there are events after it"
        raise UnreadableRowError("head", 1, what) from error
    connection.execute(MOVE_HEAD, {"last": number, "last_hash": last_hash})


_UNSAID = ("hash", "office")


def link(previous: str, columns: Mapping[str, Any]) -> str:
    """Return the hex SHA-256 over the hash before and the canonical JSON of an event's columns.

    Canonical: keys sorted, no spaces, ASCII, values as the table keeps them; without the office,
    which may come to a database of many with the chain that it has.
    """
    said = {name: value for name, value in columns.items() if name not in _UNSAID}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), default=repr)
    return sha256(f"{previous}{canonical}".encode()).hexdigest()


def first_broken(
    rows: Iterable[Mapping[str, Any]], head: tuple[int, str], heads: Iterable[tuple[int, str]]
) -> Broken | None:
    """Return the first of `rows` (of `event`, by number) that breaks the chain to `head`.

    `heads` as in Store.verify.
    """
    told: dict[int, list[str]] = defaultdict(list)
    for number, beginning in heads:
        told[number].append(beginning)
    number, previous, before = 0, GENESIS, ""
    for row in rows:
        number += 1
        what = _fault(row, number, previous, told.get(number, ()))
        if what:
            return Broken(number=number, what=what, before=before, at=str(row["at"]))
        previous, before = row["hash"], str(row["at"])
    return _wrong_end(number, previous, head, max(told, default=0), before)


def _fault(
    row: Mapping[str, Any], number: int, previous: str, beginnings: Iterable[str]
) -> str | None:
    if row["number"] != number:
        return "missing"
    if row["hash"] != link(previous, row):
        return "changed"
    agrees = all(row["hash"].startswith(beginning) for beginning in beginnings)
    return None if agrees else "rewritten"


def _wrong_end(
    number: int, last: str, head: tuple[int, str], told: int, before: str
) -> Broken | None:
    if head[0] < number:
        return Broken(number=head[0] + 1, what="added", at=before)
    if max(head[0], told) > number:
        return Broken(number=number + 1, what="missing", before=before)
    if head[1] != last:
        return Broken(number=number, what="changed", at=before)
    return None
