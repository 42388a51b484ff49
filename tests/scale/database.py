"""The database of a run as its operator sees it: what stands there, and what RLS lets through."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from reminder.store import tables
from tests.postgres import OWNER, Server
from tests.scale.verdict import Queued, Recorded

_ROWS = """
    SELECT o.id, o.office, coalesce(a.account, ''), o.recipient, o.kind, o.slot, o.state,
        o.address, o.provider_id, o.created_at, o.due_at, o.error, o.attempts
    FROM outbox o LEFT JOIN office_account a ON a.office = o.office AND a.channel = o.channel
    ORDER BY o.id
"""
_OPEN = "SELECT count(*) FROM outbox WHERE state IN ('pending', 'leased')"
_SENT = """
    SELECT a.account, o.provider_id
    FROM outbox o JOIN office_account a ON a.office = o.office AND a.channel = o.channel
    WHERE o.provider_id <> ''
"""
_EVENTS = "SELECT office, person, task, kind FROM event ORDER BY office, number"
_DONE = "SELECT count(*) FROM event WHERE kind = 'done'"
_TICKED = "SELECT count(DISTINCT office) FROM meta WHERE name = 'last_tick'"
_FAULTS = "SELECT id, fault FROM office WHERE fault <> ''"


class Base:
    """One database on a server, read past row-level security."""

    def __init__(self, server: Server, name: str) -> None:
        self.server, self.name = server, name

    def _ask(self, statement: str) -> list[Any]:
        found: list[Any] = self.server.ask(statement, database=self.name)
        return found

    def number(self, statement: str) -> int:
        """Return the one number of a statement."""
        return int(self._ask(statement)[0][0])

    def open_rows(self) -> int:
        """Return how many rows are not at their end."""
        return self.number(_OPEN)

    def sent(self) -> set[tuple[str, str]]:
        """Return (account, the provider's id) of each message on record."""
        return set(self._ask(_SENT))

    def done(self) -> int:
        """Return how many answers are on record."""
        return self.number(_DONE)

    def ticked(self) -> int:
        """Return how many offices were ticked."""
        return self.number(_TICKED)

    def faults(self) -> list[Any]:
        """Return the offices with a fault, and it."""
        return self._ask(_FAULTS)

    def rows(self) -> list[Queued]:
        """Return the outboxes of all offices."""
        return [
            Queued(
                id=row[0],
                office=row[1],
                account=row[2],
                recipient=row[3],
                kind=row[4],
                slot=row[5],
                state=row[6],
                chat=row[7],
                provider_id=row[8],
                ready=max(map(_unix, row[9:11])),
                error=row[11],
                attempts=row[12],
            )
            for row in self._ask(_ROWS)
        ]

    def events(self) -> list[Recorded]:
        """Return the ledgers of all offices."""
        found = self._ask(_EVENTS)
        return [Recorded(office=o, by=person, task=t, kind=k) for o, person, t, k in found]

    def across(self, offices: Sequence[str]) -> list[str]:
        """Return in which tables a connection of one office sees or changes rows of another.

        And those of which a connection that names no office sees anything.
        """
        found = []
        with closing(self.server.connect(self.name, role=OWNER)) as connection:
            for table in tables.OF_OFFICE:
                name = table.name
                for office in ("", *offices):
                    setting = "SELECT set_config('reminder.office', %s, false)"
                    connection.execute(setting, [office])
                    connection.execute("BEGIN")
                    others = f"FROM {name} WHERE office <> %s"
                    (seen,) = connection.execute(f"SELECT count(*) {others}", [office]).fetchone()
                    changed = connection.execute(
                        f"UPDATE {name} SET office = office WHERE office <> %s", [office]
                    ).rowcount
                    gone = connection.execute(f"DELETE {others}", [office]).rowcount
                    connection.execute("ROLLBACK")
                    if seen or changed or gone:
                        found.append(f"{name}: {office or 'nobody'} sees {seen}, changes {changed}")
        return found


def _unix(stamped: str) -> float:
    return datetime.fromisoformat(stamped).timestamp()
