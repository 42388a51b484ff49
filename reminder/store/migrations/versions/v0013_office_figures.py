"""What the list of a province's offices shows of each, so that it is not reckoned at each look."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table; nothing is known yet."""
    numbers = ("open", "late", "long_late", "undated", "people", "reached")
    op.create_table(
        "office_figures",
        sa.Column("office", sa.Text, primary_key=True, server_default=""),
        sa.Column("at", sa.Text, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in numbers),
        sa.Column("late_work", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("address_mail", "address", [sa.text("lower(value)"), "office"])
    if op.get_bind().dialect.name == "postgresql":
        setting = "current_setting('reminder.office', true)"
        shown = f"coalesce(office = {setting} OR {setting} = '*', false)"
        op.execute("ALTER TABLE office_figures ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE office_figures FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY of_office ON office_figures USING ({shown})")
