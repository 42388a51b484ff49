"""The part of the store that leases, marks, finds and counts the rows of the outbox."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Text,
    Update,
    bindparam,
    case,
    false,
    func,
    select,
    true,
    update,
)

from reminder.domain.outbox import LOST, LOST_AGAIN, Draft, Row, RowState
from reminder.domain.plan import Key
from reminder.store import tables
from reminder.store.database import OfficeConnection, Part, as_json, given, of_places, places_of
from reminder.store.records import UnreadableRowError, moment, stamp, words
from reminder.store.tables import ANSWER, PENDING, mine, naming, outbox, to_row

log = logging.getLogger(__name__)

_c = outbox.c
_MINE = mine(outbox)
# “|| ''” keeps SQLite from the indexes of the office where a row's id or an occurrence finds it.
_MINE_BY_ID = _c.office.concat("") == tables.OFFICE
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)

_DUE = (
    select(_c.id)
    .where(
        _MINE,
        _c.due_at.concat("") <= bindparam("now"),  # in the order of the slots, not by outbox_due
        _c.channel.in_(bindparam("channels", expanding=True)),
        (_c.channel + " " + _c.recipient).not_in(bindparam("crowded", expanding=True)),
    )
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)  # a no-op on SQLite, which has one writer at a time
)
# Statements of their own, so that the first two, of most leases, read in the order of an index.
_PENDING = _DUE.where(_c.state == RowState.PENDING.value)
_ANSWERS = _DUE.where(_c.state == PENDING, _c.kind == ANSWER, _c.repeat.is_(false())).order_by(
    _c.slot, _c.id
)
_FIRST = _PENDING.where(_c.repeat.is_(false())).order_by(_c.slot, _c.id)
_AGAIN = _PENDING.where(_c.repeat.is_(true())).order_by(_c.attempts, _c.slot, _c.id)
# By a CTE, which PostgreSQL runs once: a subquery may run once a row, and pass by what it locked.
CLAIMS = tuple(
    update(outbox)
    .where(_MINE_BY_ID, _c.id.in_(select(due.cte("due").c.id)))
    .values(
        state=RowState.LEASED.value, attempts=_c.attempts + 1, lease_until=bindparam("lease_end")
    )
    .returning(outbox)
    for due in (_ANSWERS, _FIRST, _AGAIN)
)

# Only who holds the row's latest lease may mark it.
_HELD = update(outbox).where(
    _MINE_BY_ID,
    _c.id == bindparam("row"),
    _c.state == RowState.LEASED.value,
    _c.attempts == bindparam("attempt"),
)


def _sent(rows: Update, value: Callable[[str], Any]) -> Update:
    """Return the mark of rows as sent; `value` makes it of a name in `_sent_values`."""
    return rows.values(
        state=RowState.SENT.value,
        lease_until=None,
        provider_id=value("provider"),
        address=value("where"),
        error="",
        ended_at=value("now"),
    )


_SENT = _sent(_HELD, bindparam)
_MARK = given(
    {
        **dict.fromkeys(("row", "attempt"), BigInteger()),
        **dict.fromkeys(("provider", "where", "now", "of_office"), Text()),
    }
)
_LEASED = _c.state == RowState.LEASED.value
_SENT_ALL = (
    _sent(update(outbox), _MARK.__getitem__)
    .where(_c.id == _MARK["row"], _c.attempts == _MARK["attempt"], _LEASED)
    .where(_c.office == _MARK["of_office"])
    .returning(_c.id, _c.attempts, _c.office)
)
_HELD_NOW = select(_c.id, _c.attempts, _c.office).where(
    _c.id.in_(bindparam("rows", expanding=True)), _LEASED
)
RETRY = _HELD.values(
    state=RowState.PENDING.value,
    lease_until=None,
    due_at=bindparam("then"),
    error=bindparam("reason"),
)
RETRY_UNKNOWN = RETRY.values(repeat=True)
ENDED = _HELD.values(
    state=bindparam("end"),
    lease_until=None,
    error=bindparam("reason"),
    ended_at=bindparam("now"),
)

RELEASED: dict[str, Any] = {  # a leased row whose outcome is unknown
    "state": RowState.PENDING.value,
    "lease_until": None,
    "repeat": True,
    "error": case((_c.repeat.is_(true()), LOST_AGAIN), else_=LOST),
}
_RELEASE = update(outbox).where(_MINE, _c.state == RowState.LEASED.value).values(**RELEASED)
SWEEP = _RELEASE.where(
    _c.lease_until <= bindparam("now"), _c.id.not_in(bindparam("but", expanding=True))
)
RELEASE_ALL = _RELEASE.values(due_at=bindparam("now"))
NEXT_DUE = select(func.min(_c.due_at)).where(_MINE, _c.state == PENDING)
COUNTS = select(_c.state, func.count().label("rows")).where(_MINE).group_by(_c.state)
REPEATS = select(func.count()).where(_MINE, _c.repeat.is_(true()))
NEWEST_SLOTS = (
    select(_c.recipient, func.max(_c.slot))
    .where(
        _MINE,
        _c.kind == bindparam("kind"),
        _c.recipient.in_(bindparam("who", expanding=True)),
        _c.slot >= bindparam("since"),
    )
    .group_by(_c.recipient)
)
ROWS = (
    select(outbox)
    .where(_c.slot >= bindparam("since"))
    .order_by(_c.slot.desc(), _c.id.desc())
    .limit(bindparam("most"))
)


class OutboxPart(Part):
    """The outbox: messages until they are sent, and after."""

    def lease(
        self,
        now: datetime,
        limit: int,
        hold: timedelta,
        channels: Iterable[str],
        crowded: Collection[tuple[str, str]] = (),
    ) -> list[Row]:
        """Lease up to `limit` pending rows that are due, the oldest slot first.

        Where answers are among them, those alone: whoever has written waits, and a morning's
        nudges would hold the answer up for long. None by a channel to a recipient of `crowded`.
        Each is the caller's until `now + hold`, and nobody else gets it before a sweep. Possible
        repeats come after all others, those tried least first: a program that dies of a send, or
        right after it, gets to all rows before it comes back to one.
        """
        values: dict[str, Any] = {
            "now": stamp(now),
            "lease_end": stamp(now + hold),
            "channels": list(channels),
        }
        values["crowded"] = ["", *map(" ".join, crowded)]
        leased: list[Row] = []
        with self._database.writing() as connection:
            for claim in CLAIMS:
                if (most := limit - len(leased)) > 0:
                    # All at once: a row that can't be read would leave the statement open.
                    claimed = connection.execute(claim, {**values, "most": most}).all()
                    leased += readable(connection, claimed, now)
                if leased and claim is CLAIMS[0]:
                    break  # answers alone: who has written waits for them
        return sorted(leased, key=_turn)  # RETURNING has no order

    def mark_sent(self, row: Row, provider_id: str, at: datetime) -> bool:
        """Mark the row as sent, to its address, and clear its error.

        False if the row's lease is no longer the caller's (the fence): nothing is changed.
        """
        return self._changes_one(_SENT, **_sent_values(row, provider_id, at))

    def mark_sent_together(self, sent: Sequence[tuple[Row, str, datetime]]) -> list[bool]:
        """Do `mark_sent` for each in one commit; return whose rows were still the caller's."""
        if len(sent) == 1:
            return [self.mark_sent(*sent[0])]
        with self._database.writing() as connection:
            return mark_sent(connection.raw, sent)

    def mark_retry(self, row: Row, due_at: datetime, error: str, *, unknown: bool) -> bool:
        """Mark the row as pending again; `unknown`: the provider may have taken it."""
        return self._changes_one(
            RETRY_UNKNOWN if unknown else RETRY,
            row=row.id,
            attempt=row.attempts,
            then=stamp(due_at),
            reason=words(error),
        )

    def mark_ended(
        self, row: Row, state: RowState, reason: str, *, drafts: Iterable[Draft] = (), at: datetime
    ) -> bool:
        """Mark the row as dead or superseded, and queue `drafts` (the next channel, a notice).

        `reason` is the row's error from then on. False, as in mark_sent, changes nothing.
        """
        values = {
            "row": row.id,
            "attempt": row.attempts,
            "end": state.value,
            "reason": words(reason),
            "now": stamp(at),
        }
        with self._database.writing() as connection:
            mine = connection.execute(ENDED, values).rowcount == 1
            if mine:
                self._put(connection, drafts, at)
        return mine

    def mark_returned(
        self, row: Row, reason: str, *, drafts: Iterable[Draft] = (), at: datetime
    ) -> bool:
        """Mark a sent row as returned, and queue `drafts`; False if it is not sent any more."""
        returned = (
            update(outbox)
            .where(_MINE_BY_ID, _c.id == row.id, _c.state == RowState.SENT.value)
            .values(state=RowState.RETURNED.value, error=words(reason))
        )
        with self._database.writing() as connection:
            was_sent = connection.execute(returned).rowcount == 1
            if was_sent:
                self._put(connection, drafts, at)
        return was_sent

    def sweep(self, now: datetime, but: Iterable[int] = ()) -> int:
        """Make rows whose lease ran out pending again, as possible repeats; return how many.

        Rows with an id in `but` are under way still, and stay. The error of the others is LOST,
        or LOST_AGAIN of what was a repeat already.
        """
        return self._change(SWEEP, now=stamp(now), but=[0, *but])  # no row has the id 0

    def release_all(self, now: datetime) -> int:
        """Make all leased rows pending again, due at once, as possible repeats; return how many.

        Their errors are those of `sweep`. Only for a daemon at its start: its lock on the database
        says that their holders are dead.
        """
        return self._change(RELEASE_ALL, now=stamp(now))

    def bring_forward(self, now: datetime, wait: timedelta, hold: timedelta) -> int:
        """Bring rows forward after the clock was set back; return how many.

        What would wait beyond `now + wait` is due at once; no lease runs beyond `now + hold`.
        """
        latest, end = stamp(now + wait), stamp(now + hold)
        pending, leased = (_c.state == s.value for s in (RowState.PENDING, RowState.LEASED))
        hurry = update(outbox).where(_MINE, pending, _c.due_at > latest).values(due_at=stamp(now))
        shorten = update(outbox).where(_MINE, leased, _c.lease_until > end).values(lease_until=end)
        with self._database.writing() as connection:
            return connection.execute(hurry).rowcount + connection.execute(shorten).rowcount

    def revive(self, row_id: int, due_at: datetime) -> bool:
        """Make a dead, dropped or returned row pending again; False if it is none of these."""
        ended = [state.value for state in (RowState.DEAD, RowState.DROPPED, RowState.RETURNED)]
        return self._changes_one(
            update(outbox)
            .where(_MINE_BY_ID, _c.id == row_id, _c.state.in_(ended))
            .values(state=RowState.PENDING.value, due_at=stamp(due_at), ended_at=None, error="")
        )

    def drop(self, row_id: int) -> bool:
        """Drop a pending or dead row; return False if it is neither."""
        return self._changes_one(
            update(outbox)
            .where(
                _MINE_BY_ID,
                _c.id == row_id,
                _c.state.in_([RowState.PENDING.value, RowState.DEAD.value]),
            )
            .values(state=RowState.DROPPED.value)
        )

    def next_due(self) -> datetime | None:
        """Return when the earliest pending row is due."""
        ((due,),) = self._database.all(NEXT_DUE)
        try:
            return None if due is None else moment(due)
        except (TypeError, ValueError) as error:
            asked = select(_c.id).where(_MINE, _c.state == PENDING, _c.due_at == due)
            row = self._database.all(asked)[0][0]
            raise UnreadableRowError("outbox", row, f"due_at is {due!r:.40}") from error

    def rows(
        self,
        *,
        states: Iterable[RowState] = (),
        kind: str = "",
        recipient: str = "",
        subject: str = "",
        provider_id: str = "",
        naming: Iterable[Key] | None = None,
        since: datetime | None = None,
        limit: int = 1000,
    ) -> list[Row]:
        """Return rows of the outbox with a slot from `since` on, the newest slot first.

        `naming`: those alone that name one of these occurrences. Any other empty filter lets all
        pass.
        """
        named = {} if naming is None else places_of(naming)
        wanted: dict[str, Any] = {
            "states": [state.value for state in states],
            "of_kind": kind,
            "who": recipient,
            "about": subject,
            "message": provider_id,
        }
        wanted = {name: value for name, value in wanted.items() if value}
        window = {"since": stamp(since or BEGINNING), "most": max(limit, 0)}
        query = _rows_by(*wanted, named=naming is not None)
        return list(map(to_row, self._database.all(query, **window, **wanted, **named)))

    def newest_slots(
        self, kind: str, recipients: Collection[str], since: datetime
    ) -> dict[str, datetime]:
        """Return the latest slot since `since` of the rows of a kind, by recipient."""
        wanted = {"kind": kind, "who": sorted(recipients), "since": stamp(since)}
        return {who: moment(slot) for who, slot in self._database.all(NEWEST_SLOTS, **wanted)}

    def counts(self) -> dict[str, int]:
        """Return how many rows are in each state, and “unknown”: those marked as repeats."""
        with self._database.reading() as connection:
            found = {row.state: row.rows for row in connection.execute(COUNTS)}
            repeats = connection.execute(REPEATS).scalar_one()
        return {
            **{state.value: found.get(state.value, 0) for state in RowState},
            "unknown": repeats,
        }

    def _changes_one(self, change: Update, **values: Any) -> bool:
        return self._change(change, **values) == 1


def readable(
    connection: OfficeConnection, claimed: Iterable[Sequence[Any]], now: datetime
) -> list[Row]:
    """Read claimed rows; one that can't be read is dead, or it would hold up all others."""
    found: list[Row] = []
    for columns in claimed:
        try:
            found.append(to_row(columns))
        except UnreadableRowError as error:
            log.error("%s", error)
            dead = update(outbox).where(_MINE_BY_ID, _c.id == columns[0])
            ended = {"state": RowState.DEAD.value, "error": "không đọc được dòng này"}
            connection.execute(
                dead.values(**ended, due_at=stamp(now), lease_until=None, ended_at=stamp(now))
            )
    return found


_FILTERS: dict[str, ColumnElement[bool]] = {
    "states": _c.state.in_(bindparam("states", expanding=True)),
    "of_kind": _c.kind == bindparam("of_kind"),
    "who": _c.recipient == bindparam("who"),
    "about": _c.subject == bindparam("about"),
    "message": _c.provider_id == bindparam("message"),
}
_NAMED = _c.id.in_(select(naming.c.outbox_id).where(of_places(naming)))
# As in _MINE_BY_ID: few rows name an occurrence, many are of a kind.
_FILTERS_OF_NAMED: dict[str, ColumnElement[bool]] = {
    **_FILTERS,
    "states": _c.state.concat("").in_(bindparam("states", expanding=True)),
    "of_kind": _c.kind.concat("") == bindparam("of_kind"),
    "who": _c.recipient.concat("") == bindparam("who"),
}


@cache
def _rows_by(*filters: str, named: bool) -> Select[Any]:
    """Return the query of these filters; building it takes longer than executing it."""
    if named:
        return ROWS.where(_MINE_BY_ID, _NAMED, *(_FILTERS_OF_NAMED[name] for name in filters))
    return ROWS.where(_MINE, *(_FILTERS[name] for name in filters))


def mark_sent(raw: Connection, sent: Sequence[tuple[Row, str, datetime]]) -> list[bool]:
    """Mark rows of any offices as sent; return whose leases were still the caller's."""
    if not sent:
        return []
    values = [{"of_office": one[0].office, **_sent_values(*one)} for one in sent]
    if raw.dialect.name == "sqlite":  # where UPDATE … FROM takes twice as long
        found = raw.execute(_HELD_NOW, {"rows": [row.id for row, *_ in sent]}).all()
        raw.execute(_SENT, values)
    else:
        found = raw.execute(_SENT_ALL, {"given": as_json(values)}).all()
    held = set(map(tuple, found))
    return [(row.id, row.attempts, row.office) in held for row, *_ in sent]


def _sent_values(row: Row, provider_id: str, at: datetime) -> dict[str, Any]:
    """Return the values of _SENT."""
    return {
        "row": row.id,
        "attempt": row.attempts,
        "provider": provider_id,
        "where": words(row.address),
        "now": stamp(at),
    }


def _turn(row: Row) -> tuple[bool, int, datetime, int]:
    """Return the order in which leased rows are sent."""
    return (row.repeat, row.attempts if row.repeat else 0, row.draft.slot, row.id)
