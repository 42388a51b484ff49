"""The part of the store for events and their hash chain, spoken stages, seen updates, marks."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from reminder.domain.ledger import Event
from reminder.domain.occurrences import Key
from reminder.domain.outbox import Draft
from reminder.store import tables
from reminder.store.database import Database, Part, of_places, places_of, put_all
from reminder.store.people import ADDRESS_MARK
from reminder.store.records import (
    Broken,
    Recorded,
    Spoken,
    from_event,
    from_spoken,
    stamp,
    to_recorded,
    to_spoken,
    words,
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
    """Events, chained; stages that were spoken; updates that were seen; marks by name."""

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
            if seen is not None and not self._is_new(connection, seen, at):
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

    def _is_new(self, connection: Connection, seen: tuple[str, str], at: datetime) -> bool:
        channel, update_id = seen
        values = {"channel": channel, "update_id": words(update_id), "at": stamp(at)}
        return connection.execute(self._insert_seen, values).first() is not None

    def _keep(self, connection: Connection, meta: Mapping[str, str]) -> None:
        rows = [{"name": name, "value": words(value)} for name, value in meta.items()]
        connection.execute(self._put_meta, rows)


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
