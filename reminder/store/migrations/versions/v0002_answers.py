"""An index by which answers are leased before all else that waits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the index; for a while the step before made it too."""
    pending = sa.column("state") == sa.literal_column("'pending'")
    answer = sa.and_(pending, sa.column("kind") == sa.literal_column("'reply'"))
    op.create_index(
        "outbox_answer",
        "outbox",
        ["state", "kind", "slot", "id"],
        sqlite_where=answer,
        postgresql_where=answer,
        if_not_exists=True,
    )
