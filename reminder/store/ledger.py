"""The parts of the store for events and their chain, marks, addresses and invitations."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Integer, Text, bindparam, cast, delete, insert, select, update

from reminder.domain.ledger import Event
from reminder.domain.outbox import Draft
from reminder.domain.people import Address
from reminder.domain.plan import Key
from reminder.store import tables
from reminder.store.database import Database, Part, of_places, places_of, put_all
from reminder.store.records import (
    Broken,
    Recorded,
    Spoken,
    from_event,
    from_spoken,
    stamp,
    to_address,
    to_recorded,
    to_spoken,
    words,
)

REPLACED = stamp(datetime(1, 1, 1, tzinfo=UTC))  # the expiry of an invitation that no longer holds

ADDRESS_MARK = "addresses"  # in the table meta
ADDRESSES = select(tables.address)
UNBIND_ALL = delete(tables.address).where(tables.address.c.recipient == bindparam("who"))
UNBIND = UNBIND_ALL.where(tables.address.c.channel == bindparam("via"))
_AT = update(tables.address).where(
    tables.address.c.channel == bindparam("via"), tables.address.c.value == bindparam("place")
)
KILL = _AT.where(tables.address.c.dead_since.is_(None)).values(
    dead_since=bindparam("now"), dead_reason=bindparam("reason")
)
MOVE = _AT.values(value=bindparam("new_place"), dead_since=None, dead_reason="")

REPLACE = (
    update(tables.invitation)
    .where(tables.invitation.c.person == bindparam("who"), tables.invitation.c.used_at.is_(None))
    .values(expires_at=REPLACED)
)
USE = (
    update(tables.invitation)
    .where(
        tables.invitation.c.code_hash == bindparam("code"),
        tables.invitation.c.used_at.is_(None),
        tables.invitation.c.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
    .returning(tables.invitation.c.person)
)
INVITATION = select(tables.invitation.c.expires_at, tables.invitation.c.used_at).where(
    tables.invitation.c.code_hash == bindparam("code")
)

GENESIS = "0" * 64  # the hash before the first event

HEAD = select(tables.head.c.number, tables.head.c.hash)
HEAD_TO_MOVE = HEAD.with_for_update()  # a no-op on SQLite, which has one writer at a time
MOVE_HEAD = update(tables.head).values(number=bindparam("last"), hash=bindparam("last_hash"))
APPEND = insert(tables.event)
EVENTS = (
    select(tables.event)
    .where(tables.event.c.number > bindparam("after"))
    .order_by(tables.event.c.number)
)
SPOKEN_OF = select(tables.spoken).where(of_places(tables.spoken))
AT_ONCE = 500  # values in one statement; SQLite limits them
METAS = select(tables.meta.c.name, tables.meta.c.value)
REVISION = select(
    tables.head.c.number,
    select(tables.meta.c.value).where(tables.meta.c.name == ADDRESS_MARK).scalar_subquery(),
)
SEEN = select(tables.seen.c.at).where(
    tables.seen.c.channel == bindparam("via"), tables.seen.c.update_id == bindparam("which")
)
META = select(tables.meta.c.value).where(tables.meta.c.name == bindparam("key"))


class LedgerPart(Part):
    """Events, chained; stages spoken; updates seen; marks by name; addresses and invitations."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        insert_ = database.insert
        new = insert_(tables.seen).on_conflict_do_nothing()
        self._insert_seen = new.returning(tables.seen.c.at)  # an INSERT has no rowcount on psycopg
        self._insert_spoken = insert_(tables.spoken).on_conflict_do_nothing()
        setting = insert_(tables.meta)
        self._put_meta = setting.on_conflict_do_update(
            index_elements=["name"], set_={"value": setting.excluded.value}
        )
        place = insert_(tables.address)
        self._bind = place.on_conflict_do_update(
            index_elements=["recipient", "channel"],
            set_={name: place.excluded[name] for name in _BINDING},
        )
        self._mark = setting.on_conflict_do_update(
            index_elements=["name"],
            set_={"value": cast(cast(tables.meta.c.value, Integer) + 1, Text)},
        )
        offer = insert_(tables.invitation)
        self._invite = offer.on_conflict_do_update(
            index_elements=["code_hash"],
            set_={name: offer.excluded[name] for name in ("person", "expires_at", "used_at")},
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
        with self._database.writing() as connection:
            if seen is not None:
                channel, update_id = seen
                mark = {"channel": channel, "update_id": words(update_id), "at": stamp(at)}
                if connection.execute(self._insert_seen, mark).first() is None:
                    return False
            if events:
                _append(connection, events, unit_names)
            self._put(connection, drafts, at)
            put_all(connection, self._insert_spoken, [from_spoken(one) for one in spoken])
            if meta:
                self._keep(connection, meta)
        return True

    def events(self, after: int = 0) -> list[Recorded]:
        """The ledger's events with a number above `after`, in order."""
        with self._database.reading() as connection:
            found = connection.execute(EVENTS, {"after": after}).all()
        return [to_recorded(row._asdict()) for row in found]

    def revision(self) -> tuple[int, str]:
        """Two marks: the number of the ledger's last event, and one that each address changes.

        Whoever has read both ledger and addresses at these marks need not read them again.
        """
        with self._database.reading() as connection:
            number, addresses = connection.execute(REVISION).one()
        return number, addresses or ""

    def head(self) -> tuple[int, str]:
        """Number and hash of the ledger's last event; (0, 64 zeros) of an empty one."""
        with self._database.reading() as connection:
            number, last_hash = connection.execute(HEAD).one()
        return number, last_hash

    def verify(self, heads: Iterable[tuple[int, str]] = ()) -> Broken | None:
        """The first event that was changed, removed or slipped in; None: the chain is whole.

        `heads`, each a number and the hash told of it elsewhere or the beginning of that hash, find
        a ledger that was rewritten as a whole. Nothing of the ledger needs to be readable for it.
        """
        with self._database.reading() as connection:
            number, last_hash = connection.execute(HEAD).one()
            rows = connection.execute(EVENTS, {"after": BEFORE_ALL}).mappings()
            return first_broken(map(dict, rows), (number, last_hash), heads)

    def spoken_of(self, keys: Iterable[Key]) -> list[Spoken]:
        """The stages of these occurrences that were spoken, in no order."""
        wanted = list(keys)
        found: list[Spoken] = []
        with self._database.reading() as connection:
            for start in range(0, len(wanted), AT_ONCE):
                some = places_of(wanted[start : start + AT_ONCE])
                found += [to_spoken(row) for row in connection.execute(SPOKEN_OF, some)]
        return found

    def metas(self) -> dict[str, str]:
        """All such values, by name."""
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(METAS)}

    def meta(self, name: str) -> str | None:
        """What set_meta or record kept under `name`."""
        with self._database.reading() as connection:
            value: str | None = connection.execute(META, {"key": name}).scalar()
        return value

    def set_meta(self, name: str, value: str) -> None:
        """Store one value under `name`."""
        with self._database.writing() as connection:
            self._keep(connection, {name: value})

    def was_seen(self, channel: str, update: str) -> bool:
        """Whether `record` has marked this update as seen."""
        with self._database.reading() as connection:
            found = connection.execute(SEEN, {"via": channel, "which": update}).first()
        return found is not None

    def _keep(self, connection: Connection, meta: Mapping[str, str]) -> None:
        rows = [{"name": name, "value": words(value)} for name, value in meta.items()]
        connection.execute(self._put_meta, rows)

    def bind(self, recipient: str, channel: str, value: str, at: datetime) -> None:
        """Make `value` the address of `recipient` on `channel`."""
        with self._database.writing() as connection:
            connection.execute(self._bind, _binding(recipient, channel, value, at))
            connection.execute(self._mark, _MARK)

    def unbind(self, recipient: str, channel: str | None = None) -> int:
        """Remove the addresses of `recipient`, on one channel or all; return how many."""
        which = UNBIND_ALL if channel is None else UNBIND
        with self._database.writing() as connection:
            gone = connection.execute(which, {"who": words(recipient), "via": channel}).rowcount
            connection.execute(self._mark, _MARK)
        return gone

    def addresses(self) -> list[Address]:
        """All addresses, by recipient and channel."""
        with self._database.reading() as connection:
            found = [to_address(columns) for columns in connection.execute(ADDRESSES)]
        return sorted(found, key=lambda a: (a.recipient, a.channel))

    def mark_address_dead(
        self, channel: str, value: str, reason: str, at: datetime, *, drafts: Iterable[Draft] = ()
    ) -> bool:
        """Mark an address as dead and queue `drafts`; False if it was dead already."""
        values = {"via": channel, "place": words(value), "reason": words(reason), "now": stamp(at)}
        with self._database.writing() as connection:
            was_alive = connection.execute(KILL, values).rowcount > 0
            if was_alive:
                connection.execute(self._mark, _MARK)
                self._put(connection, drafts, at)
        return was_alive

    def move_address(self, channel: str, old: str, new: str) -> bool:
        """Replace the address of a group that became a supergroup; False if there is none."""
        values = {"via": channel, "place": words(old), "new_place": words(new)}
        with self._database.writing() as connection:
            moved = connection.execute(MOVE, values).rowcount > 0
            connection.execute(self._mark, _MARK)
        return moved

    def invite(self, person: str, code_hash: str, expires_at: datetime) -> None:
        """Add a one-time invitation; an older unused one of the person expires."""
        offer = {
            "code_hash": code_hash,
            "person": words(person),
            "expires_at": stamp(expires_at),
            "used_at": None,
        }
        with self._database.writing() as connection:
            connection.execute(REPLACE, {"who": words(person)})
            connection.execute(self._invite, offer)

    def redeem(self, code_hash: str, now: datetime, channel: str, value: str) -> str | None:
        """Use an invitation once: bind the address, return the person; None for another code."""
        with self._database.writing() as connection:
            values = {"code": words(code_hash), "now": stamp(now)}
            person: str | None = connection.execute(USE, values).scalar()
            if person is not None:
                connection.execute(self._bind, _binding(person, channel, value, now))
                connection.execute(self._mark, _MARK)
        return person

    def invitation_fault(self, code_hash: str, now: datetime) -> str:
        """Why a code was not redeemed: “unknown”, “used”, “expired”; empty: it still holds."""
        with self._database.reading() as connection:
            found = connection.execute(INVITATION, {"code": words(code_hash)}).one_or_none()
        if found is None:
            return "unknown"
        expires_at, used_at = found
        if used_at is not None:
            return "used"
        return "expired" if expires_at <= stamp(now) else ""


BEFORE_ALL = -(2**31)  # a forged number may be below 1


def _append(connection: Connection, events: Sequence[Event], unit_names: Mapping[str, str]) -> None:
    number, last_hash = connection.execute(HEAD_TO_MOVE).one()
    rows = []
    for entry in events:
        number += 1
        row = from_event(entry)
        row |= {"number": number, "unit_name": words(unit_names.get(entry.unit, entry.unit))}
        last_hash = row["hash"] = link(last_hash, row)
        rows.append(row)
    connection.execute(APPEND, rows)
    connection.execute(MOVE_HEAD, {"last": number, "last_hash": last_hash})


def link(previous: str, columns: Mapping[str, Any]) -> str:
    """Hex SHA-256 over the hash before and the canonical JSON of an event's columns but its hash.

    Canonical: keys sorted, no spaces, ASCII, values as the table keeps them.
    """
    said = {name: value for name, value in columns.items() if name != "hash"}
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


# A number that grows when an address changes, so that readers notice without rereading all.
_MARK = {"name": ADDRESS_MARK, "value": "1"}
_BINDING = ("value", "bound_at", "dead_since", "dead_reason")


def _binding(recipient: str, channel: str, value: str, at: datetime) -> dict[str, Any]:
    return {
        "recipient": words(recipient),
        "channel": channel,
        "value": words(value),
        "bound_at": stamp(at),
        "dead_since": None,
        "dead_reason": "",
    }
