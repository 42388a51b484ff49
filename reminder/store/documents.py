"""The parts of the store for the texts of plans and people, and for documents brought in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import delete, func, insert, literal, select, update

from reminder.store.database import Database, Part
from reminder.store.records import words
from reminder.store.tables import Shape, document, mine, plan_import


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
    """The texts, each with its versions, which are added and never changed."""

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

    def version(self, name: str, number: int | None = None) -> Version | None:
        """Return a version of a text, without a number the newest; None if there is none."""
        below = None if number is None else number + 1
        found = next(iter(self.versions(name, below=below, limit=1)), None)
        return found if found and number in (None, found.version) else None

    def add_version(self, version: Version) -> bool:
        """Keep a version; False, and nothing is changed, if that number is taken."""
        with self._database.writing() as connection:
            added = connection.execute(self._add, VERSION.columns(version)).first() is not None
            self._wake(connection)
        return added


# ---- documents brought in on the page


class ImportState(Enum):
    """How far a document has come."""

    READING = "reading"
    REFUSED = "refused"
    OPEN = "open"  # it has a draft, which is reviewed
    TAKEN = "taken"  # it became a plan


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanImport:
    """A document on its way to a plan."""

    id: str
    person: str  # who brought it in
    name: str  # of the document
    state: ImportState
    asked: str = ""  # how it is to be read, as JSON
    said: str = ""  # why it was refused; which plan it became
    draft: str = ""  # TOML
    lines: str = ""  # the document's text, as JSON
    revision: int = 0
    made_at: datetime
    changed_at: datetime


IMPORT = Shape(plan_import, PlanImport)
_LONG = ("draft", "lines")  # columns that a list leaves out


class ImportPart(Part):
    """The documents, with the drafts made of them."""

    def add_import(self, found: PlanImport) -> bool:
        """Keep a new document; False if its person has one that is not yet a plan."""
        c = plan_import.c
        under_way = (ImportState.READING.value, ImportState.OPEN.value)
        busy = select(c.id).where(
            mine(plan_import), c.person == words(found.person), c.state.in_(under_way)
        )
        with self._database.writing() as connection:
            if connection.execute(busy).first() is not None:
                return False
            connection.execute(insert(plan_import), IMPORT.columns(found))
            return True

    def imports(self) -> list[PlanImport]:
        """Return all documents without their drafts and texts, the newest first."""
        kept = (literal("") if c.name in _LONG else c for c in plan_import.columns)
        asked = (
            select(*kept)
            .where(mine(plan_import))
            .order_by(plan_import.c.made_at.desc(), plan_import.c.id)
        )
        return list(map(IMPORT.read, self._database.all(asked)))

    def import_of(self, import_id: str) -> PlanImport | None:
        """Return the document with this id."""
        return self._one(IMPORT, plan_import.c.id == words(import_id))

    def change_import(self, found: PlanImport, at: datetime, **changes: Any) -> PlanImport | None:
        """Change a document that is as `found` has it; return the new one, None if it is not."""
        c = plan_import.c
        new = replace(found, revision=found.revision + 1, changed_at=at, **changes)
        change = (
            update(plan_import)
            .where(mine(plan_import), c.id == found.id, c.revision == found.revision)
            .values(IMPORT.columns(new))
            .returning(c.id)
        )
        return new if self._changed(change) else None

    def drop_import(self, import_id: str) -> None:
        """Forget a document."""
        self._change(
            delete(plan_import).where(mine(plan_import), plan_import.c.id == words(import_id))
        )
