"""Whose each row is, so that many offices share a database; offices, and accounts at providers.

The tables are made anew, since SQLite can't change a key, and filled with what they held.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

KEYS = {  # table → its new key
    "event": ("office", "number"),
    "head": ("office",),
    "outbox": ("id",),
    "naming": ("office", "plan", "task", "deliverable", "period", "outbox_id"),
    "spoken": (
        *("office", "plan", "task", "deliverable", "period"),
        *("unit", "kind", "stage", "due"),
    ),
    "seen": ("office", "channel", "update_id"),
    "address": ("office", "recipient", "channel"),
    "invitation": ("office", "code_hash"),
    "meta": ("office", "name"),
    "document": ("office", "name", "version"),
    "web_login": ("office", "id"),
    "web_session": ("office", "hash"),
    "web_token": ("office", "hash"),
    "web_spent": ("office", "link"),
    "web_try": ("id",),
    "web_log": ("id",),
    "plan_import": ("office", "id"),
}
WITH_ROWID = ("event", "head", "outbox", "web_try", "web_log")
PENDING = sa.column("state") == sa.literal_column("'pending'")
ANSWER = sa.and_(PENDING, sa.column("kind") == sa.literal_column("'reply'"))
INDEXES: tuple[tuple[str, str, list[str], sa.ColumnElement[bool] | None], ...] = (
    ("outbox_state", "outbox", ["office", "state", "slot", "id"], None),
    ("outbox_kind", "outbox", ["office", "kind", "recipient", "slot", "id"], None),
    ("outbox_recipient", "outbox", ["office", "recipient", "slot", "id"], None),
    ("outbox_answer", "outbox", ["office", "state", "kind", "slot", "id"], ANSWER),
    ("outbox_due", "outbox", ["office", "due_at"], PENDING),
    ("outbox_repeat", "outbox", ["office", "id"], sa.column("repeat").is_(sa.true())),
    ("address_value", "address", ["office", "channel", "value"], None),
    ("web_try_what", "web_try", ["office", "what", "at"], None),
    ("web_log_at", "web_log", ["office", "at"], None),
)
ONCE = ("office", "slot", "recipient", "kind", "subject", "channel")


def upgrade() -> None:
    """Make the tables with the column, and those that span offices."""
    for name, key in KEYS.items():
        _anew(name, key)
    for name, table, columns, where in INDEXES:
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    _spanning()
    if op.get_bind().dialect.name == "postgresql":
        for name in (*KEYS, "office_account"):
            _guard(name)


def _anew(name: str, key: tuple[str, ...]) -> None:
    connection = op.get_bind()
    old = sa.Table(name, sa.MetaData(), autoload_with=connection)
    kept = [column for column in old.columns if (name, column.name) != ("head", "id")]
    columns = [
        sa.Column(
            column.name,
            column.type,
            primary_key=column.name in key,
            autoincrement=column.name == "id" and key == ("id",),
            nullable=column.nullable,
            server_default=sa.text("''")
            if column.server_default is not None and column.name != "id"
            else None,
        )
        for column in kept
    ]
    office = sa.Column(
        "office", sa.Text, primary_key="office" in key, nullable=False, server_default=""
    )
    more: list[Any] = []
    if name == "outbox":
        more = [
            sa.Column("fence", sa.Integer, nullable=False, server_default="0"),
            sa.UniqueConstraint(*ONCE, name="outbox_once"),
        ]
    options = {} if name in WITH_ROWID else {"sqlite_with_rowid": False}
    columns.insert(1 if key == ("id",) else 0, office)
    new = op.create_table(f"{name}_new", *columns, *more, **options)
    names = [column.name for column in kept]
    connection.execute(sa.insert(new).from_select(names, sa.select(*kept)))
    op.drop_table(name)
    op.rename_table(f"{name}_new", name)
    if key == ("id",) and connection.dialect.name == "postgresql":
        connection.execute(
            sa.text(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'),"  # noqa: S608  a constant
                f" (SELECT coalesce(max(id), 0) + 1 FROM {name}), false)"
            )
        )


def _spanning() -> None:
    op.create_table(
        "office",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("province", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("next_at", sa.Text),
        sa.Column("fault", sa.Text, nullable=False),
        sa.Column("fault_since", sa.Text),
        sa.Column("made_at", sa.Text, nullable=False),
        sa.Column("retired_at", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_index("office_next", "office", ["state", "next_at"])
    op.create_table(
        "account",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("rate", sa.Integer, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("down_since", sa.Text),
        sa.Column("down_reason", sa.Text, nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "office_account",
        sa.Column("office", sa.Text, primary_key=True, server_default=""),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("office_account_account", "office_account", ["account", "office"])


def _guard(name: str) -> None:
    """Show a transaction the rows of its own office only; “*” is what spans offices."""
    setting = "current_setting('reminder.office', true)"
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")  # of the owner, too
    op.execute(f"CREATE POLICY of_office ON {name} USING (office = {setting} OR {setting} = '*')")
