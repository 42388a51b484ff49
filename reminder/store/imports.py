"""The part of the store for documents brought in on the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import delete, insert, literal, select, update

from reminder.store.database import Part
from reminder.store.records import words
from reminder.store.tables import Shape, mine, plan_import


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
        asked = select(plan_import).where(mine(plan_import), plan_import.c.id == words(import_id))
        return next(map(IMPORT.read, self._database.all(asked)), None)

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
