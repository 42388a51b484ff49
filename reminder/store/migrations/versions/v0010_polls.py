"""When each channel last answered a poll: so far Telegram alone was polled."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Keep the mark of polls as Telegram's."""
    op.execute(
        "INSERT INTO meta (name, value)"
        " SELECT 'last_poll:telegram', value FROM meta WHERE name = 'last_poll'"
        " AND NOT EXISTS (SELECT 1 FROM meta WHERE name = 'last_poll:telegram')"
    )
