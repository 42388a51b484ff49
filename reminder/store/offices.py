"""The store of many offices: which there are, their accounts at providers, and what is due."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from zlib import crc32

from sqlalchemy import delete, insert, or_, select, update

from reminder.store import tables
from reminder.store.database import EVERY, OfficeDatabase
from reminder.store.ledger import GENESIS
from reminder.store.records import stamp, words
from reminder.store.store import Store
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


OFFICE = Shape(office, OfficeRecord)
ACCOUNT = Shape(account, Account)


def shard_of(office_id: str, shards: int) -> int:
    """Return the shard of an office, the same in every process."""
    return crc32(office_id.encode()) % shards


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
        with self._every.reading() as connection:
            return connection.raw.execute(select(office.c.id).limit(1)).first() is not None

    def offices(self, *, state: OfficeState | None = OfficeState.ACTIVE) -> list[OfficeRecord]:
        """Return the offices in `state`, or all, by id."""
        asked = select(office).order_by(office.c.id)
        if state is not None:
            asked = asked.where(office.c.state == state.value)
        with self._every.reading() as connection:
            return list(map(OFFICE.read, connection.raw.execute(asked)))

    def office(self, office_id: str) -> OfficeRecord | None:
        """Return the office with this id, retired or not."""
        asked = select(office).where(office.c.id == words(office_id))
        with self._every.reading() as connection:
            return next(map(OFFICE.read, connection.raw.execute(asked)), None)

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
        with self._every.writing() as connection:
            return connection.raw.execute(change).rowcount == 1

    def due_offices(self, now: datetime, shard: int, shards: int) -> list[str]:
        """Return the active offices of a shard that can speak at `now`, by id."""
        c = office.c
        asked = (
            select(c.id)
            .where(
                c.state == OfficeState.ACTIVE.value,
                or_(c.next_at.is_(None), c.next_at <= stamp(now)),
            )
            .order_by(c.id)
        )
        with self._every.reading() as connection:
            found = connection.raw.execute(asked).scalars().all()
        return [each for each in found if shard_of(each, shards) == shard]

    def set_next(self, office_id: str, next_at: datetime | None) -> None:
        """Note when an office can speak next; None: at once."""
        change = (
            update(office)
            .where(office.c.id == words(office_id))
            .values(next_at=None if next_at is None else stamp(next_at))
        )
        with self._every.writing() as connection:
            connection.raw.execute(change)

    def accounts(self) -> list[Account]:
        """Return all accounts, by id."""
        with self._every.reading() as connection:
            found = connection.raw.execute(select(account).order_by(account.c.id))
            return list(map(ACCOUNT.read, found))

    def account(self, account_id: str) -> Account | None:
        """Return the account with this id."""
        asked = select(account).where(account.c.id == words(account_id))
        with self._every.reading() as connection:
            return next(map(ACCOUNT.read, connection.raw.execute(asked)), None)

    def add_account(self, added: Account) -> bool:
        """Add an account; False, and nothing is changed, if its id is taken."""
        with self._every.writing() as connection:
            made = self.database.insert(account).returning(account.c.id)
            return connection.raw.execute(made, ACCOUNT.columns(added)).first() is not None

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

    def links(self, *, office_id: str = "", account_id: str = "") -> list[tuple[str, str, str]]:
        """Return (office, channel, account) of the office's or the account's links, or all."""
        c = office_account.c
        asked = select(c.office, c.channel, c.account).order_by(c.office, c.channel)
        asked = asked.where(c.office == office_id) if office_id else asked
        asked = asked.where(c.account == account_id) if account_id else asked
        with self._every.reading() as connection:
            return [tuple(row) for row in connection.raw.execute(asked)]

    def owners(self, account_id: str, value: str) -> list[tuple[str, str]]:
        """Return (office, recipient) of those whom an address reaches by an account."""
        a, link = tables.address.c, office_account.c
        asked = (
            select(a.office, a.recipient)
            .join(office_account, (link.office == a.office) & (link.channel == a.channel))
            .where(link.account == account_id, a.value == words(value))
            .order_by(a.office, a.recipient)
        )
        with self._every.reading() as connection:
            return [(row.office, row.recipient) for row in connection.raw.execute(asked)]
