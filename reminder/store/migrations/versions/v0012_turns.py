"""Whose turn it is among the offices of an account, and when its last holder let go of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the columns; nobody has had a turn yet."""
    op.add_column("account", sa.Column("freed_at", sa.Text))
    op.add_column("account", sa.Column("pace", sa.Text, nullable=False, server_default=""))
    served = sa.Column("served", sa.BigInteger, nullable=False, server_default="0")
    op.add_column("office_account", served)
    if op.get_bind().dialect.name == "postgresql":
        _expect_rows()


def _expect_rows() -> None:
    """Have PostgreSQL expect that row security shows half of the rows, not one in a hundred.

    Else it sorts all of an office's rows that wait rather than read an index in its order.
    """
    setting = "current_setting('reminder.office', true)"
    shown = f"coalesce(office = {setting} OR {setting} = '*', false)"
    named = sa.text("SELECT tablename FROM pg_policies WHERE policyname = 'of_office'")
    for table in op.get_bind().execute(named).scalars().all():
        op.execute(f"ALTER POLICY of_office ON {table} USING ({shown})")
