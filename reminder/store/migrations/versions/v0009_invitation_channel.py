"""To which channel each invitation is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column; invitations of an earlier release keep it empty."""
    op.add_column("invitation", sa.Column("channel", sa.Text, nullable=False, server_default=""))
