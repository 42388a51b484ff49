"""The tables, each index for a query that is asked; what the migrations add up to.

Times are text, ISO 8601 in UTC to the microsecond (records.stamp): they sort as they read, the same
in every database, and a person who opens the file can read them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    and_,
    literal_column,
    true,
)

metadata = MetaData()


def _key(*, primary: bool) -> list[Column[Any]]:
    """The columns that name an occurrence."""
    return [
        Column("plan", Text, primary_key=primary, nullable=False),
        Column("task", Text, primary_key=primary, nullable=False),
        Column("deliverable", Integer, primary_key=primary, autoincrement=False, nullable=False),
        Column("period", Text, primary_key=primary, nullable=False),
    ]


event = Table(
    "event",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1, without gaps
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    *_key(primary=False),
    Column("unit", Text, nullable=False),
    Column("unit_name", Text, nullable=False),
    Column("person", Text, nullable=False),  # Event.by: a reserved word in SQL
    Column("channel", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("until", Text),  # a day
    Column("hash", Text, nullable=False),
)

# One row: the chain's end, apart from the chain, so that a row cut off its end is missed too.
head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("hash", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    # Only an INTEGER key is SQLite's own rowid.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("slot", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("payload", Text, nullable=False),  # JSON
    Column("drafted_due", Text, nullable=False),  # Draft.due_at
    Column("state", Text, nullable=False),
    Column("due_at", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", Text),
    Column("repeat", Boolean, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("ended_at", Text),  # sent, given up or superseded
    UniqueConstraint("slot", "recipient", "kind", "subject", "channel", name="outbox_draft"),
)
# Partial on PostgreSQL too, as the migrations say; said here, each start would load its dialect.
PENDING: ColumnElement[str] = literal_column(
    "'pending'"
)  # a partial index serves only what is spelt as it is
Index("outbox_state", outbox.c.state, outbox.c.slot, outbox.c.id)  # lease, sweep, rows, counts
Index("outbox_kind", outbox.c.kind, outbox.c.recipient, outbox.c.slot, outbox.c.id)  # rows
Index("outbox_recipient", outbox.c.recipient, outbox.c.slot, outbox.c.id)  # rows
ANSWER: ColumnElement[str] = literal_column("'reply'")
_IS_ANSWER = and_(outbox.c.state == PENDING, outbox.c.kind == ANSWER)
Index(
    "outbox_answer",  # lease; state and kind first, or SQLite takes outbox_state
    outbox.c.state,
    outbox.c.kind,
    outbox.c.slot,
    outbox.c.id,
    sqlite_where=_IS_ANSWER,
)
Index(
    "outbox_due",  # next_due
    outbox.c.due_at,
    sqlite_where=outbox.c.state == PENDING,
)
Index(
    "outbox_repeat",  # counts
    outbox.c.id,
    sqlite_where=outbox.c.repeat.is_(true()),
)

# Which occurrences a row names, so that what was said of one is found by them.
naming = Table(
    "naming",
    metadata,
    *_key(primary=True),
    Column("outbox_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    sqlite_with_rowid=False,
)

spoken = Table(
    "spoken",
    metadata,
    *_key(primary=True),
    Column("unit", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("due", Text, primary_key=True),
    Column("at", Text, nullable=False),
    Column("skipped", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

seen = Table(
    "seen",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("update_id", Text, primary_key=True),
    Column("at", Text, nullable=False),
    sqlite_with_rowid=False,
)

address = Table(
    "address",
    metadata,
    Column("recipient", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("bound_at", Text, nullable=False),
    Column("dead_since", Text),
    Column("dead_reason", Text, nullable=False),
    sqlite_with_rowid=False,
)
Index("address_value", address.c.channel, address.c.value)  # mark_address_dead, move_address

invitation = Table(
    "invitation",
    metadata,
    Column("code_hash", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("used_at", Text),
    sqlite_with_rowid=False,
)
Index("invitation_person", invitation.c.person)  # invite

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)
