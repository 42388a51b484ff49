"""The part of the store for the texts of plans and people: each version is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from reminder.store.database import Database, Part
from reminder.store.records import words
from reminder.store.tables import Shape, document, mine


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One version of a text, and who recorded it."""

    name: str  # a plan's id, or `people`
    version: int  # from 1
    text: str  # TOML; empty: withdrawn
    sha256: str
    by: str  # a person's id; empty: at the terminal
    at: datetime
    why: str


VERSION = Shape(document, Version, by="person")
_C = document.c
_NEWEST = (
    select(_C.name, func.max(_C.version).label("version"))
    .where(mine(document))
    .group_by(_C.name)
    .subquery()
)


class DocumentPart(Part):
    """The texts, which are added and never changed."""

    def __init__(self, database: Database, office: str = "") -> None:
        super().__init__(database, office)
        self._add = database.insert(document).returning(_C.version)

    def documents(self) -> list[Version]:
        """Return the newest version of each text, by name; withdrawn ones too."""
        newest = (_C.name == _NEWEST.c.name) & (_C.version == _NEWEST.c.version)
        asked = select(document).join(_NEWEST, newest).where(mine(document)).order_by(_C.name)
        return list(map(VERSION.read, self._database.all(asked)))

    def document_marks(self) -> list[tuple[str, int]]:
        """Return the name and the newest version of each text."""
        asked = select(_NEWEST.c.name, _NEWEST.c.version).order_by(_NEWEST.c.name)
        return [(name, version) for name, version in self._database.all(asked)]

    def versions(self, name: str, *, below: int | None = None, limit: int = 20) -> list[Version]:
        """Return up to `limit` versions of a text, the newest first, those `below` a number."""
        asked = (
            select(document)
            .where(mine(document), _C.name == words(name))
            .order_by(_C.version.desc())
        )
        if below is not None:
            asked = asked.where(_C.version < below)
        return list(map(VERSION.read, self._database.all(asked.limit(limit))))

    def add_version(self, version: Version) -> bool:
        """Keep a version; False, and nothing is changed, if that number is taken."""
        with self._database.writing() as connection:
            added = connection.execute(self._add, VERSION.columns(version)).first() is not None
            self._wake(connection)
        return added
