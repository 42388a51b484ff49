"""The store of many offices: which there are, their accounts at providers, and what is due."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from zlib import crc32

from sqlalchemy import (
    BindParameter,
    Text,
    bindparam,
    case,
    delete,
    func,
    insert,
    inspect,
    or_,
    select,
    update,
)

from reminder.store import tables
from reminder.store.database import EVERY, Database, OfficeDatabase, as_json, file_of, given
from reminder.store.ledger import GENESIS, Standing, head_of, spoken_among
from reminder.store.records import Place, moment, stamp, words
from reminder.store.store import BUSY, Store
from reminder.store.tables import Shape, account, head, office, office_account


class OfficeState(StrEnum):
    """Whether an office is served."""

    ACTIVE = "active"
    RETIRED = "retired"  # its records stay; nothing is sent or taken


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficeRecord:
    """An office of the database."""

    id: str
    name: str
    province: str
    state: OfficeState = OfficeState.ACTIVE
    next_at: datetime | None = None  # when it can speak next; None: it is looked at at once
    fault: str = ""  # why it is not ticked, in a sentence for the operator
    fault_since: datetime | None = None
    made_at: datetime
    retired_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A bot, a mail sender or a mailbox at a provider, which serves one office or many."""

    id: str
    kind: str  # a channel's name, or `inbox`
    secret: str = field(repr=False)  # where it is: env:NAME or file:PATH
    settings: str = "{}"  # JSON: the values of the settings section of that name
    rate: int = 0  # messages a second over all workers; 0: the channel's own limits
    fence: int = 0  # raised by each process that takes the account
    down_since: datetime | None = None
    down_reason: str = ""
    made_at: datetime


class Used(NamedTuple):
    """An account as an office uses it."""

    channel: str
    account: str  # its id
    secret: str
    settings: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """What shows whether an office has changed since it was read."""

    state: OfficeState
    documents: tuple[tuple[str, int], ...] = ()  # name and newest version of its texts
    accounts: tuple[Used, ...] = ()


class Due(NamedTuple):
    """An office that is to be ticked, and what kept it from that before."""

    id: str
    fault: str
    fault_since: datetime | None


# Marks of accounts, which are kept with those of no office, as ACCOUNT/MARK.
POLLED, DELIVERED, LOOKED, DEAF = "polled", "delivered", "inbox:last_look", "deaf"
BOT_NAME = "bot_name"


class Heard(NamedTuple):
    """How it stands with what comes in by an account."""

    at: datetime | None  # when it was last polled or looked at, or delivered something
    deaf_since: datetime | None = None  # since when nothing comes in, as far as it is known
    reason: str = ""


def deafness(why: str, since: datetime) -> str:
    """Return the mark `DEAF` of an account that hands out nothing."""
    return json.dumps({"since": since.isoformat(), "reason": why}, ensure_ascii=False)


CLOCK = "clock:"  # a mark of no office, by machine: how far its clock is from the database's
CLOCK_KEPT = timedelta(minutes=5)  # a clock that was noted before that may be right by now


OFFICE = Shape(office, OfficeRecord)
ACCOUNT = Shape(account, Account)


LONGEST_WAIT = timedelta(hours=25)  # until the next day's start, and an hour of wrong clocks


_GIVEN = given(dict.fromkeys(("id", "then"), Text()))
_SETTLE = (
    update(office)
    .where(office.c.id == _GIVEN["id"])
    .values(
        next_at=case((office.c.next_at == bindparam("claimed"), _GIVEN["then"])),
        fault=bindparam("why"),
        fault_since=bindparam("since", type_=Text),
    )
)
_HEADS = select(head.c.office, head.c.number, head.c.hash).where(
    head.c.office.in_(bindparam("ids", expanding=True))
)
_METAS = select(tables.meta.c.office, tables.meta.c.name, tables.meta.c.value).where(
    tables.meta.c.office.in_(bindparam("ids", expanding=True))
)


def shard_of(office_id: str, shards: int) -> int:
    """Return the shard of an office, the same in every process."""
    return crc32(office_id.encode()) % shards


def has_offices(url: str) -> bool:
    """Return whether the database at `url` is one of many offices; none is made."""
    path = file_of(url)
    if path is not None and not path.exists():
        return False
    with closing(Database(url, busy=BUSY)) as database, database.reading() as connection:
        if not inspect(connection).has_table(office.name):
            return False  # of an earlier release, or empty
        return connection.execute(select(office.c.id).limit(1)).first() is not None


class Stores:
    """An open database with the records of many offices.

    Synchronous; one thread at a time. What spans offices is read and written here, all else by
    the store of one office.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.database = store.database
        self._every = OfficeDatabase(store.database, EVERY)

    def of(self, office_id: str) -> Store:
        """Return the store of one office, which shares the database; it is not closed."""
        return self._store.of(office_id)

    def close(self) -> None:
        """Close the database."""
        self._store.close()

    def is_many(self) -> bool:
        """Return whether the database is one of many offices: any has an id."""
        return bool(self._every.all(select(office.c.id).limit(1)))

    def is_one(self) -> bool:
        """Return whether the database is one of a single office: one has recorded something.

        The marks of a daemon that had nothing to say don't count.
        """
        store = self.of("")
        recorded = store.head()[0] or store.documents() or store.addresses() or store.rows(limit=1)
        return bool(recorded) and not self.is_many()

    def offices(self, *, state: OfficeState | None = OfficeState.ACTIVE) -> list[OfficeRecord]:
        """Return the offices in `state`, or all, by id."""
        asked = select(office).order_by(office.c.id)
        if state is not None:
            asked = asked.where(office.c.state == state.value)
        return list(map(OFFICE.read, self._every.all(asked)))

    def count_events(self) -> int:
        """Return how many entries the ledgers of all offices have."""
        with self._every.reading() as connection:
            return int(connection.raw.execute(select(func.sum(head.c.number))).scalar() or 0)

    def office(self, office_id: str) -> OfficeRecord | None:
        """Return the office with this id, retired or not."""
        asked = select(office).where(office.c.id == words(office_id))
        return next(map(OFFICE.read, self._every.all(asked)), None)

    def add_office(self, added: OfficeRecord) -> bool:
        """Add an office with an empty ledger; False, and nothing is changed, if its id is taken."""
        row = OFFICE.columns(added)
        with self._every.writing() as connection:
            made = self.database.insert(office).returning(office.c.id)
            if connection.raw.execute(made, row).first() is None:
                return False
            connection.raw.execute(insert(head), {"office": added.id, "number": 0, "hash": GENESIS})
        return True

    def retire_office(self, office_id: str, at: datetime) -> bool:
        """Stop serving an office, whose records stay; False if there is no such active one."""
        change = (
            update(office)
            .where(office.c.id == words(office_id), office.c.state == OfficeState.ACTIVE.value)
            .values(state=OfficeState.RETIRED.value, retired_at=stamp(at))
        )
        unused = delete(office_account).where(office_account.c.office == words(office_id))
        with self._every.writing() as connection:
            if connection.raw.execute(change).rowcount != 1:
                return False
            connection.raw.execute(unused)
        return True

    def marks(self, office_ids: Sequence[str]) -> dict[str, Mark]:
        """Return what shows whether these offices have changed; of those that there are."""
        d, link, a = tables.document.c, office_account.c, account.c
        ids: BindParameter[Any] = bindparam("ids", list(office_ids), expanding=True)
        texts = (
            select(d.office, d.name, func.max(d.version))
            .where(d.office.in_(ids))
            .group_by(d.office, d.name)
            .order_by(d.office, d.name)
        )
        used = (
            select(link.office, link.channel, a.id, a.secret, a.settings)
            .join(account, a.id == link.account)
            .where(link.office.in_(ids))
            .order_by(link.office, link.channel)
        )
        states = select(office.c.id, office.c.state).where(office.c.id.in_(ids))
        documents: dict[str, list[tuple[str, int]]] = defaultdict(list)
        accounts: dict[str, list[Used]] = defaultdict(list)
        if not office_ids:
            return {}
        with self._every.reading() as connection:
            for owner, name, version in connection.raw.execute(texts):
                documents[owner].append((name, version))
            for owner, *columns in connection.raw.execute(used):
                accounts[owner].append(Used(*columns))
            return {
                each: Mark(
                    state=OfficeState(state),
                    documents=tuple(documents[each]),
                    accounts=tuple(accounts[each]),
                )
                for each, state in connection.raw.execute(states).all()
            }

    def due_offices(self, now: datetime, shard: int, shards: int) -> list[str]:
        """Return the active offices of a shard that can speak at `now`, by id.

        And one whose time is further off than any can be: it was set by a clock that ran ahead.
        """
        c = office.c
        asked = (
            select(c.id)
            .where(
                c.state == OfficeState.ACTIVE.value,
                or_(
                    c.next_at.is_(None),
                    c.next_at <= stamp(now),
                    c.next_at > stamp(now + LONGEST_WAIT),
                ),
            )
            .order_by(c.id)
        )
        return [each for (each,) in self._every.all(asked) if shard_of(each, shards) == shard]

    def claim_due(self, now: datetime, until: datetime, shard: int, shards: int) -> list[Due]:
        """Return the `due_offices`, which come due again at `until` unless `settle` says else."""
        due = self.due_offices(now, shard, shards)
        c = office.c
        claim = (
            update(office)
            .where(c.id.in_(bindparam("ids", due, expanding=True)))
            .values(next_at=stamp(until))
            .returning(c.id, c.fault, c.fault_since)
        )
        if not due:
            return []
        with self._every.writing() as connection:
            found = connection.raw.execute(claim).all()
        return sorted(Due(one, fault, since and moment(since)) for one, fault, since in found)

    def settle(
        self,
        office_id: str,
        claimed: datetime,
        next_at: datetime,
        *,
        fault: str = "",
        fault_since: datetime | None = None,
    ) -> None:
        """Note when an office that was claimed until `claimed` can speak next.

        Whatever has woken it since the claim has it come due at once.
        """
        values = {
            "given": as_json([{"id": office_id, "then": stamp(next_at)}]),
            "claimed": stamp(claimed),
            "why": words(fault),
            "since": None if fault_since is None else stamp(fault_since),
        }
        # As the office, within whose transaction this is: PostgreSQL need show no other rows.
        with OfficeDatabase(self.database, office_id).writing() as connection:
            connection.raw.execute(_SETTLE, values)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Make one transaction of the ticks of several offices, whose rows are written at once.

        Whatever fails takes all of it back.
        """
        whole = self.database
        with whole.together(), self._every.writing() as every, whole.gathering(every.raw):
            yield

    def standings(self, office_ids: Collection[str]) -> dict[str, Standing]:
        """Return `LedgerPart.standing` of each of these offices."""
        ids = {"ids": sorted(office_ids)}
        heads: dict[str, list[tuple[int, str]]] = {each: [] for each in office_ids}
        metas: dict[str, dict[str, str]] = {each: {} for each in office_ids}
        with self._every.reading() as connection:
            for owner, number, last_hash in connection.raw.execute(_HEADS, ids):
                heads[owner].append((number, last_hash))
            for owner, name, value in connection.raw.execute(_METAS, ids):
                metas[owner][name] = value
        return {each: Standing(*head_of(heads[each]), metas[each]) for each in office_ids}

    def spoken_among(
        self, places: Mapping[str, Collection[Place]]
    ) -> Mapping[str, frozenset[Place]]:
        """Return `LedgerPart.spoken_among` of each of these offices."""
        with self._every.reading() as connection:
            return spoken_among(connection.raw, places)

    def settle_all(self, claimed: datetime, next_at: Mapping[str, datetime]) -> None:
        """Do `settle` for offices without a fault, each with its time."""
        then = [{"id": each, "then": stamp(at)} for each, at in sorted(next_at.items())]
        values = {"given": as_json(then), "claimed": stamp(claimed), "why": "", "since": None}
        with self._every.writing() as connection:
            connection.raw.execute(_SETTLE, values)

    def faulty(self) -> int:
        """Return how many active offices can't be ticked."""
        c = office.c
        active = c.state == OfficeState.ACTIVE.value
        asked = select(func.count()).select_from(office).where(active, c.fault != "")
        with self._every.reading() as connection:
            return int(connection.raw.execute(asked).scalar_one())

    def lag(self, now: datetime) -> timedelta:
        """Return for how long the active office that is due for longest has waited."""
        c = office.c
        first = select(func.min(c.next_at)).where(c.state == OfficeState.ACTIVE.value)
        with self._every.reading() as connection:
            at = connection.raw.execute(first).scalar()
        return max(timedelta(0), now - moment(at)) if at else timedelta(0)

    def accounts(self) -> list[Account]:
        """Return all accounts, by id."""
        return list(map(ACCOUNT.read, self._every.all(select(account).order_by(account.c.id))))

    def bot_name(self, office_id: str, channel: str) -> str:
        """Return what the office's bot is called at the provider; empty: nobody has heard it."""
        used = {each: account_id for _, each, account_id in self.links(office_id=office_id)}
        return self.of("").meta(f"{used.get(channel, '')}/{BOT_NAME}") or ""

    def heard(self) -> dict[str, Heard]:
        """Return how it stands with what comes in, by account; of those that receive."""
        marks: dict[str, dict[str, str]] = defaultdict(dict)
        for name, value in self.of("").metas().items():
            account_id, slash, mark = name.partition("/")
            if slash and value:
                marks[account_id][mark] = value
        found = {}
        for account_id, its in marks.items():
            at = [
                datetime.fromisoformat(its[mark])
                for mark in (POLLED, DELIVERED, LOOKED)
                if mark in its
            ]
            deaf = json.loads(its[DEAF]) if DEAF in its else None
            if at or deaf:
                told = (
                    (datetime.fromisoformat(deaf["since"]), deaf["reason"]) if deaf else (None, "")
                )
                found[account_id] = Heard(max(at, default=None), *told)
        return found

    def note_clock(self, machine: str, ahead: timedelta, at: datetime) -> None:
        """Keep by how much a machine's clock is ahead of the database's."""
        noted = {"at": at.isoformat(), "ahead": ahead.total_seconds()}
        self.of("").set_meta(f"{CLOCK}{machine}", json.dumps(noted) if ahead else "")

    def wrong_clocks(self, now: datetime) -> dict[str, timedelta]:
        """Return by how much clocks are ahead of the database's, as noted lately, by machine."""
        found = {}
        for name, value in self.of("").metas().items():
            if name.startswith(CLOCK) and value:
                noted = json.loads(value)
                if now - datetime.fromisoformat(noted["at"]) < CLOCK_KEPT:
                    found[name.removeprefix(CLOCK)] = timedelta(seconds=noted["ahead"])
        return found

    def account(self, account_id: str) -> Account | None:
        """Return the account with this id."""
        asked = select(account).where(account.c.id == words(account_id))
        return next(map(ACCOUNT.read, self._every.all(asked)), None)

    def add_account(self, added: Account) -> bool:
        """Add an account; False, and nothing is changed, if its id is taken."""
        with self._every.writing() as connection:
            made = self.database.insert(account).returning(account.c.id)
            return connection.raw.execute(made, ACCOUNT.columns(added)).first() is not None

    def change_account(self, changed: Account) -> None:
        """Keep another secret, settings or rate of an account."""
        change = (
            update(account)
            .where(account.c.id == changed.id)
            .values(secret=changed.secret, settings=changed.settings, rate=changed.rate)
        )
        with self._every.writing() as connection:
            connection.raw.execute(change)

    def link(self, office_id: str, channel: str, account_id: str) -> None:
        """Have an office use a channel by an account from now on; “” ends its use."""
        c = office_account.c
        row = {"office": office_id, "channel": channel, "account": account_id}
        with self._every.writing() as connection:
            if account_id:
                connection.raw.execute(self.database.insert(office_account, "account"), row)
            else:
                connection.raw.execute(
                    delete(office_account).where(c.office == office_id, c.channel == channel)
                )
            connection.raw.execute(
                update(office).where(office.c.id == words(office_id)).values(next_at=None)
            )

    def links(self, *, office_id: str = "", account_id: str = "") -> list[tuple[str, str, str]]:
        """Return (office, channel, account) of the office's or the account's links, or all."""
        c = office_account.c
        asked = select(c.office, c.channel, c.account).order_by(c.office, c.channel)
        asked = asked.where(c.office == office_id) if office_id else asked
        asked = asked.where(c.account == account_id) if account_id else asked
        return [tuple(row) for row in self._every.all(asked)]
