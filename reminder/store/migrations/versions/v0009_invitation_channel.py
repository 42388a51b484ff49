"""To which channel each invitation is, and of which channel the last poll was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column, empty in old invitations; earlier releases polled Telegram alone."""
    op.add_column("invitation", sa.Column("channel", sa.Text, nullable=False, server_default=""))
    op.execute(
        "INSERT INTO meta (name, value) "
        "SELECT 'last_poll:telegram', value FROM meta WHERE name = 'last_poll' "
        "AND NOT EXISTS (SELECT 1 FROM meta WHERE name = 'last_poll:telegram')"
    )
