"""Who does which work: keys of roles, each at one process at a time, and periods."""

from __future__ import annotations

from reminder.domain.errors import ReminderError
from reminder.engine.port import Engine
from reminder.ops.supervisor import Clock, Troubles


def open_engine(url: str, clock: Clock, troubles: Troubles | None = None) -> Engine:
    """Return the engine of a database: on PostgreSQL for many processes, else for one."""
    if not url.startswith("postgres"):
        from reminder.engine.embedded import Embedded

        return Embedded(clock)
    try:
        from reminder.engine.queue import PgQueue
    except ModuleNotFoundError as error:
        raise ReminderError(
            "[store] url names PostgreSQL, and the engine for it is missing:"
            " pip install “reminder[scale]”"
        ) from error
    return PgQueue(url, troubles=troubles)
