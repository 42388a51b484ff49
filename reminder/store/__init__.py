"""The store: SQLAlchemy rows ↔ core values, on SQLite or PostgreSQL; nobody else knows which."""

from __future__ import annotations

from reminder.store.opening import open_store
from reminder.store.repository import SqlStore

__all__ = ["SqlStore", "open_store"]
