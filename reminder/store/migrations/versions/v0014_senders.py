"""Indexes by which an invitation's code finds its office among many."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("invitation_code", "invitation", ["code_hash"])
    op.create_index("invitation_open", "invitation", ["channel", "expires_at"])
