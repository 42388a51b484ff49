"""The documents brought in on the page: one a person, changed only as they were seen."""

from __future__ import annotations

from dataclasses import replace

from reminder.store.documents import ImportState, PlanImport
from reminder.store.store import Store
from tests.store.samples import NOW, minutes

READING, OPEN, TAKEN = ImportState.READING, ImportState.OPEN, ImportState.TAKEN


def brought(number: str, person: str = "an") -> PlanImport:
    return PlanImport(
        id=number, person=person, name="KH.docx", state=READING, made_at=NOW, changed_at=NOW
    )


def test_one_document_a_person_at_a_time(store: Store) -> None:
    """The next one may come when the first has become a plan, or is dropped."""
    added = [store.add_import(brought(n, who)) for n, who in (("1", "an"), ("2", "an"), ("3", "b"))]
    assert added == [True, False, True]
    store.change_import(brought("1"), minutes(1), state=OPEN)
    assert not store.add_import(brought("4"))
    store.drop_import("1")
    assert store.add_import(brought("4"))
    store.change_import(brought("4"), minutes(1), state=TAKEN)
    assert store.add_import(brought("5"))
    assert [found.id for found in store.imports()] == ["3", "4", "5"]


def test_a_change_is_refused_where_another_was_first(store: Store) -> None:
    """Of two who answer at once, the second sees what the first has said."""
    store.add_import(brought("1"))
    seen = store.import_of("1")
    assert seen == brought("1")
    first = store.change_import(seen, minutes(1), state=OPEN, draft="a", lines="[]")
    assert first == replace(
        seen, revision=1, state=OPEN, draft="a", lines="[]", changed_at=minutes(1)
    )
    assert store.change_import(seen, minutes(2), draft="b") is None
    assert store.import_of("1") == first
    assert store.imports() == [replace(first, draft="", lines="")]
    assert store.import_of("9") is None
