"""Where each message of the outbox was sent, as far as that is known of those sent before."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

AT_ONCE = 1000  # rows of the outbox
OUTBOX = sa.table(
    "outbox",
    *map(sa.column, ("id", "recipient", "channel", "payload", "state", "ended_at", "address")),
)
ADDRESS = sa.table("address", *map(sa.column, ("recipient", "channel", "value", "bound_at")))
META = sa.table("meta", sa.column("name"), sa.column("value"))


def upgrade() -> None:
    """Adds the column and fills it.

    A message went to the chat that its row names, or to the address that its recipient has had
    since before it was sent. Of a group that has moved nobody knows which messages are older.
    """
    op.add_column("outbox", sa.Column("address", sa.Text, nullable=False, server_default=""))
    connection, last = op.get_bind(), 0
    metas = connection.execute(sa.select(META).where(META.c.name.like("moved:%"))).all()
    moved = {row.name.rpartition(":")[2] for row in metas} | {row.value for row in metas}
    bound = {
        (row.recipient, row.channel): (row.value, row.bound_at)
        for row in connection.execute(sa.select(ADDRESS))
    }
    sent = sa.select(OUTBOX).where(OUTBOX.c.state == "sent").order_by(OUTBOX.c.id).limit(AT_ONCE)
    fill = sa.update(OUTBOX).where(OUTBOX.c.id == sa.bindparam("row"))
    while rows := connection.execute(sent.where(OUTBOX.c.id > last)).all():
        last = rows[-1].id
        found = []
        for row in rows:
            value, since = bound.get((row.recipient, row.channel), ("", ""))
            address = _chat(row.payload) or (value if since <= (row.ended_at or "") else "")
            if address and address not in moved:
                found.append({"row": row.id, "place": address})
        if found:
            connection.execute(fill.values(address=sa.bindparam("place")), found)


def _chat(payload: str) -> str:
    try:
        chat = json.loads(payload).get("chat")
    except (AttributeError, ValueError, RecursionError):  # a damaged row is told of when it is read
        return ""
    return chat if isinstance(chat, str) else ""
