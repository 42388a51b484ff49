"""Accounts at providers: who may send by one, which rows wait for it, and how it fares.

One process sends by an account at a time. The account's fence says which: taking the account raises
it, and a lease counts only under the newest fence. So a process that was frozen and wakes up leases
nothing more, and the rows that it held are sent once more, marked as possible repeats.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)

from reminder.domain.errors import ReminderError
from reminder.domain.outbox import LOST_AGAIN, Row, RowState
from reminder.store.database import (
    EVERY,
    Database,
    OfficeConnection,
    OfficeDatabase,
    as_json,
    given,
)
from reminder.store.ledger import ADDRESS_MARK
from reminder.store.offices import OfficeState
from reminder.store.outbox import RELEASED, mark_sent, readable
from reminder.store.records import moment, stamp
from reminder.store.tables import (
    ANSWER,
    PENDING,
    account,
    head,
    meta,
    office,
    office_account,
    outbox,
)

_c, _link = outbox.c, office_account.c
_ACTIVE = (
    select(_link.office, _link.channel, _link.account, _link.served)
    .join(office, office.c.id == _link.office)
    .where(office.c.state == OfficeState.ACTIVE.value)
)
_LINKED = tuple_(_c.office, _c.channel).in_(
    select(_link.office, _link.channel).where(_link.account == bindparam("of_account"))
)
# Of an older holder; or of another account whose office has gone over to this one.
_LOST = and_(
    _c.state == RowState.LEASED.value,
    or_(_c.fence < bindparam("newest"), _c.lease_until <= bindparam("now")),
)
_RELEASE = update(outbox).where(_LINKED, _LOST).values(**RELEASED)
_FENCE = select(account.c.fence, account.c.freed_at, account.c.pace).where(
    account.c.id == bindparam("of_account")
)
_FENCES = select(account.c.id, account.c.fence).where(
    account.c.id.in_(bindparam("accounts", expanding=True))
)
# Those who lease wait for who takes the account, and the other way round.
_LAST_TURN = select(func.max(_link.served)).where(_link.account == account.c.id).scalar_subquery()
_HELD = _FENCE.add_columns(_LAST_TURN.label("turn")).with_for_update(read=True, of=account)
_TAKEN = _FENCE.with_for_update()
_CLAIM = (
    update(outbox)
    .where(
        _c.id.in_(
            select(_c.id)
            .where(_c.id.in_(bindparam("rows", expanding=True)), _c.state == PENDING)
            .with_for_update(skip_locked=True)
        )
    )
    .values(
        state=RowState.LEASED.value,
        attempts=_c.attempts + 1,
        lease_until=bindparam("lease_end"),
        fence=bindparam("newest"),
    )
    .returning(outbox)
)
_TURN = given({"office": Text(), "turn": BigInteger()})
_SERVED = (
    update(office_account)
    .where(  # “|| ''” has the office's key find them, not the account's index, which has all
        _link.account.concat("") == bindparam("of_account"), _link.office == _TURN["office"]
    )
    .values(served=_TURN["turn"])
)
_REVISIONS = (
    select(head.c.office, head.c.number, meta.c.value)
    .outerjoin(meta, and_(meta.c.office == head.c.office, meta.c.name == ADDRESS_MARK))
    .where(head.c.office.in_(bindparam("offices", expanding=True)))
)
_NEWEST = (
    select(_c.office, _c.recipient, func.max(_c.slot).label("slot"))
    .where(
        _c.kind == bindparam("kind"),
        tuple_(_c.office, _c.recipient).in_(bindparam("who", expanding=True)),
        _c.slot >= bindparam("since"),
    )
    .group_by(_c.office, _c.recipient)
)


class AccountTakenError(ReminderError):
    """Another process has taken the account."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """What a process that takes an account has to know."""

    fence: int
    repeats: int  # rows whose outcome is unknown, and which are sent once more
    free: timedelta | None  # since its last holder let go of it; None: it never did
    pace: str  # what that holder's channel told of its latest sends


@dataclass(frozen=True, kw_only=True, slots=True)
class Queue:
    """What waits for an account."""

    account: str
    due: int  # rows
    since: datetime  # when the first of them was due


class Accounts:
    """The rows of all offices, by the account that sends them.

    Synchronous; one thread at a time. Fences and what is compared between processes go by the
    database's clock.
    """

    def __init__(self, database: Database) -> None:
        self._every = OfficeDatabase(database, EVERY)

    def together(self) -> AbstractContextManager[None]:
        """Make one transaction of all that this thread reads and writes within the block."""
        return self._every.together()

    def seize(self, account_id: str) -> Hold | None:
        """Take an account: nobody else may send by it any more. None: there is no such account.

        Rows that an older holder has leased are pending again, as possible repeats.
        """
        with self._every.writing() as connection:
            raw, names = connection.raw, {"of_account": account_id}
            found = raw.execute(_TAKEN, names).first()
            if found is None:
                return None
            now, fence = database_time(raw), found.fence + 1
            taken = update(account).where(account.c.id == account_id)
            raw.execute(taken.values(fence=fence, freed_at=None, pace=""))
            values = {**names, "newest": fence, "now": stamp(now)}
            repeats = raw.execute(_RELEASE, values).rowcount
        free = now - moment(found.freed_at) if found.freed_at else None
        return Hold(fence=fence, repeats=repeats, free=free, pace=found.pace)

    def free(self, account_id: str, fence: int, pace: str = "") -> bool:
        """Let go of an account, with what the next holder has to know; False if it was taken."""
        with self._every.writing() as connection:
            change = update(account).where(account.c.id == account_id, account.c.fence == fence)
            freed = stamp(database_time(connection.raw))
            return connection.raw.execute(change.values(freed_at=freed, pace=pace)).rowcount == 1

    def fences(self, accounts: Sequence[str]) -> dict[str, int]:
        """Return the fences of accounts, which rise as somebody takes them."""
        with self._every.reading() as connection:
            found = connection.raw.execute(_FENCES, {"accounts": accounts}).all()
        return {row.id: row.fence for row in found}

    def lease(
        self,
        account_id: str,
        fence: int,
        now: datetime,
        limit: int,
        hold: timedelta,
        crowded: Collection[tuple[str, str]] = (),
    ) -> list[Row]:
        """Lease up to `limit` rows that are due; AccountTakenError if the fence was raised.

        Where answers are among them, those alone. The offices take turns, who was served longest
        ago first: each one's first row comes before any one's second. Of an office the oldest slot
        is first, what may be a repeat too, so that a recipient's order is kept when a process dies.
        What was lost more than once comes after all others: a process may die of it. None to a
        recipient of `crowded`, (office, recipient).
        """
        values = {
            "of_account": account_id,
            "newest": fence,
            "now": stamp(now),
            "lease_end": stamp(now + hold),
            "crowded": ["", *map(" ".join, crowded)],
        }
        leased: list[Row] = []
        with self._every.writing() as connection:
            raw = connection.raw
            held = raw.execute(_HELD, {"of_account": account_id}).first()
            if held is None or held.fence != fence:
                raise AccountTakenError(f"account {account_id}: another process sends by it now")
            found = _found(raw, ("answers", "first"), limit, values)
            leased += _claimed(raw, found, values, now)
            only_answers = bool(found) and found[0].kind == "answers"  # who has written waits
            if not only_answers and (most := limit - len(leased)) > 0:
                leased += _claimed(raw, _found(raw, ("again",), most, values), values, now)
            if leased:
                # By office, when it was served last.
                turns = {row.office: held.turn + n for n, row in enumerate(leased, start=1)}
                served = as_json([{"office": each, "turn": n} for each, n in turns.items()])
                raw.execute(_SERVED, {"of_account": account_id, "given": served})
        return leased

    def mark_sent(self, sent: Sequence[tuple[Row, str, datetime]]) -> list[bool]:
        """Mark rows of any offices as sent; return whose leases were still the caller's."""
        with self._every.writing() as connection:
            return mark_sent(connection.raw, sent)

    def revisions(self, offices: Collection[str]) -> dict[str, tuple[int, str]]:
        """Return `LedgerPart.revision` of each of these offices."""
        with self._every.reading() as connection:
            found = connection.raw.execute(_REVISIONS, {"offices": sorted(offices)}).all()
        return {row.office: (row.number, row.value or "") for row in found}

    def newest_slots(
        self, kind: str, who: Collection[tuple[str, str]], since: datetime
    ) -> dict[str, dict[str, datetime]]:
        """Return by office the latest slot since `since` of a kind to each of `who`.

        `who`: office and recipient.
        """
        found: dict[str, dict[str, datetime]] = defaultdict(dict)
        if not who:
            return found
        values = {"kind": kind, "who": sorted(who), "since": stamp(since)}
        with self._every.reading() as connection:
            for row in connection.raw.execute(_NEWEST, values):
                found[row.office][row.recipient] = moment(row.slot)
        return found

    def next_due(self, account_id: str) -> datetime | None:
        """Return when the earliest row that waits for the account is due."""
        first = (
            select(func.min(_c.due_at))
            .where(_c.office == _link.office, _c.channel == _link.channel, _c.state == PENDING)
            .correlate(office_account)
            .scalar_subquery()
        )
        asked = _ACTIVE.with_only_columns(first.label("due")).where(_link.account == account_id)
        with self._every.reading() as connection:
            found = connection.raw.execute(select(func.min(asked.subquery().c.due))).scalar()
        return moment(found) if found else None

    def due_accounts(self, now: datetime) -> list[str]:
        """Return the accounts with rows that are due, or with leases that nobody ended."""
        mine = and_(_c.office == _link.office, _c.channel == _link.channel)
        at = stamp(now)
        waits = exists().where(mine, _c.state == PENDING, _c.due_at <= at)
        left = exists().where(mine, _c.state == RowState.LEASED.value, _c.lease_until <= at)
        asked = _ACTIVE.with_only_columns(_link.account).where(or_(waits, left)).distinct()
        with self._every.reading() as connection:
            return list(connection.raw.execute(asked.order_by(_link.account)).scalars())

    def queues(self, now: datetime) -> list[Queue]:
        """Return what is due by account, those alone for which anything is."""
        asked = (
            select(_link.account, func.count().label("due"), func.min(_c.due_at).label("since"))
            .join(outbox, and_(_c.office == _link.office, _c.channel == _link.channel))
            .where(_c.state == PENDING, _c.due_at <= stamp(now))
            .group_by(_link.account)
            .order_by(_link.account)
        )
        with self._every.reading() as connection:
            return [
                Queue(account=row.account, due=row.due, since=moment(row.since))
                for row in connection.raw.execute(asked)
            ]

    def down(self, account_id: str, reason: str, at: datetime) -> bool:
        """Note that an account refuses everything; False if that is noted already, so worded."""
        c = account.c
        with self._every.writing() as connection:
            since = func.coalesce(c.down_since, stamp(at))
            change = (
                update(account)
                .where(c.id == account_id, or_(c.down_since.is_(None), c.down_reason != reason))
                .values(down_since=since, down_reason=reason)
            )
            return connection.raw.execute(change).rowcount == 1

    def up(self, account_id: str) -> bool:
        """Note that an account works; False if that is no news."""
        c = account.c
        change = update(account).where(c.id == account_id, c.down_since.is_not(None))
        with self._every.writing() as connection:
            values = change.values(down_since=None, down_reason="")
            return connection.raw.execute(values).rowcount == 1

    def time(self) -> datetime:
        """Return the time by the database's clock, which all processes share."""
        with self._every.reading() as connection:
            return database_time(connection.raw)


def in_turns(rows: Sequence[Any], most: int) -> list[Any]:
    """Return the first of `rows`, each office's first before any one's second.

    They come in the order of the offices' turns, and of each office in its own.
    """
    seen: dict[str, int] = {}
    turns = []
    for n, row in enumerate(rows):
        seen[row.office] = turn = seen.get(row.office, 0) + 1
        turns.append((turn, n, row))
    return [row for _, _, row in sorted(turns, key=lambda turn: turn[:2])][:most]


def database_time(connection: Connection) -> datetime:
    """Return the time by the database's clock."""
    if connection.dialect.name == "sqlite":
        text = connection.execute(select(func.strftime("%Y-%m-%dT%H:%M:%f+00:00", "now"))).scalar()
        return datetime.fromisoformat(str(text))
    at: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return at.astimezone(UTC)


# Which rows of an office are leased, in which order; what stands first goes first.
_WAITING: dict[str, tuple[tuple[ColumnElement[bool], ...], tuple[ColumnElement[Any], ...]]] = {
    "answers": ((_c.kind == ANSWER, _c.repeat.is_(false())), (_c.slot, _c.id)),
    "first": ((_c.error != LOST_AGAIN,), (_c.slot, _c.id)),
    "again": ((_c.error == LOST_AGAIN,), (_c.attempts, _c.slot, _c.id)),
}


def _found(raw: Connection, kinds: tuple[str, ...], most: int, values: dict[str, Any]) -> list[Any]:
    """Return which rows of the first kind that has any are next, in the turns of the offices."""
    names = {name: values[name] for name in ("of_account", "now", "crowded")}
    asked = _waiting_of(kinds, lateral=raw.dialect.name != "sqlite")
    found = raw.execute(asked, {**names, "most": most}).all()
    of_kind = (tuple(row for row in found if row.kind == kind) for kind in kinds)
    return in_turns(next(filter(None, of_kind), ()), most)


def _claimed(
    raw: Connection, found: Sequence[Any], values: dict[str, Any], now: datetime
) -> list[Row]:
    """Lease rows; return them in the order in which they were found."""
    if not found:
        return []
    place = {row.id: n for n, row in enumerate(found)}
    claim = {"rows": list(place), "newest": values["newest"], "lease_end": values["lease_end"]}
    rows = [
        row
        for each in raw.execute(_CLAIM, claim).all()
        for row in readable(OfficeConnection(raw, each.office), [each], now)
    ]
    return sorted(rows, key=lambda row: place[row.id])


@cache
def _waiting_of(kinds: tuple[str, ...], *, lateral: bool) -> CompoundSelect[Any]:
    """Return the query for the first rows of each office, of each of these kinds."""
    of_each = (_waiting(kind, lateral=lateral).subquery(kind) for kind in kinds)
    return union_all(*map(select, of_each))


def _waiting(kind: str, *, lateral: bool) -> Select[Any]:
    """Return the query for the first rows of each office, in the offices' turns.

    One row of each; where fewer offices than rows are asked for have any, as many more of each as
    one of them may get. `lateral`: the database is PostgreSQL, which takes each office's rows from
    an index; SQLite is told the same by a condition.
    """
    conditions, order = _WAITING[kind]
    most = bindparam("most", type_=Integer)

    def first(of: FromClause, each: Any) -> Select[Any]:
        return (
            select(_c.id, _c.slot, _c.attempts)
            .where(
                _c.office == of.c.office,
                _c.channel == of.c.channel,
                _c.state == PENDING,
                _c.due_at.concat("")
                <= bindparam("now"),  # in the order of the slots, not by outbox_due
                (_c.office + " " + _c.recipient).not_in(bindparam("crowded", expanding=True)),
                *conditions,
            )
            .order_by(*order)
            .limit(each)
            .correlate(of)
        )

    def taken(of: FromClause, each: Any) -> tuple[Select[Any], Sequence[Any]]:
        columns = (of.c.office, of.c.channel, of.c.served)
        rows = first(of, each)
        if lateral:
            found = rows.lateral()
            asked = select(*columns, found.c.id).select_from(of.join(found, true()))
            return asked, [found.c[column.name] for column in order]
        ids = rows.with_only_columns(_c.id)
        return select(*columns, _c.id).select_from(of.join(outbox, _c.id.in_(ids))), order

    links = _ACTIVE.where(_link.account == bindparam("of_account")).subquery("links")
    # One row of each office is not sorted by itself, so that PostgreSQL stops at the last one.
    one = taken(links, 1)[0].order_by(links.c.served, links.c.office).limit(most).cte(f"one_{kind}")
    offices = select(func.count()).select_from(one).scalar_subquery()
    asked, within = taken(one, case((offices < most, most - offices + 1), else_=1))
    return asked.add_columns(literal(kind).label("kind")).order_by(
        one.c.served, one.c.office, *within
    )
