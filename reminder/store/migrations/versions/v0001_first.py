"""The ledger, the outbox, the people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables."""
    _ledger()
    _outbox()
    _spoken_and_seen()
    _people()


def _ledger() -> None:
    op.create_table(
        "event",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("deliverable", sa.Integer, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("unit_name", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("until", sa.Text),
        sa.Column("hash", sa.Text, nullable=False),
    )
    head = op.create_table(
        "head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "hash": "0" * 64}])


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("slot", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("drafted_due", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_at", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("lease_until", sa.Text),
        sa.Column("repeat", sa.Boolean, nullable=False),
        sa.Column("provider_id", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Text),
        sa.UniqueConstraint("slot", "recipient", "kind", "subject", "channel", name="outbox_draft"),
    )
    op.create_index("outbox_state", "outbox", ["state", "slot", "id"])
    op.create_index("outbox_kind", "outbox", ["kind", "recipient", "slot", "id"])
    op.create_index("outbox_recipient", "outbox", ["recipient", "slot", "id"])
    _partial_index("outbox_due", "due_at", sa.column("state") == sa.literal_column("'pending'"))
    _partial_index("outbox_repeat", "id", sa.column("repeat").is_(sa.true()))


def _partial_index(name: str, column: str, where: sa.ColumnElement[bool]) -> None:
    op.create_index(name, "outbox", [column], sqlite_where=where, postgresql_where=where)


def _spoken_and_seen() -> None:
    op.create_table(
        "spoken",
        sa.Column("plan", sa.Text, primary_key=True),
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("deliverable", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("period", sa.Text, primary_key=True),
        sa.Column("unit", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("stage", sa.Text, primary_key=True),
        sa.Column("due", sa.Text, primary_key=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("skipped", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "seen",
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("update_id", sa.Text, primary_key=True),
        sa.Column("at", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )


def _people() -> None:
    op.create_table(
        "address",
        sa.Column("recipient", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("bound_at", sa.Text, nullable=False),
        sa.Column("dead_since", sa.Text),
        sa.Column("dead_reason", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("address_value", "address", ["channel", "value"])
    op.create_table(
        "invitation",
        sa.Column("code_hash", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sa.Column("used_at", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_index("invitation_person", "invitation", ["person"])
    op.create_table(
        "meta",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
