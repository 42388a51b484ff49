"""The figures of the offices: kept, listed with the worst first, and shown to whom they are of."""

from __future__ import annotations

from sqlalchemy import select

from reminder.store.database import OfficeDatabase
from reminder.store.figures import FiguresTable, Listed, OfficeFigures, Sums
from reminder.store.offices import OfficeRecord, Stores
from reminder.store.store import Store
from reminder.store.tables import office_figures
from tests.store.samples import NOW


def of(late: int, long_late: int = 0, reached: int = 2) -> OfficeFigures:
    return OfficeFigures(
        at=NOW, open=9, late=late, long_late=long_late, undated=1, people=3, reached=reached
    )


def three(store: Store) -> FiguresTable:
    """Offices of two provinces; “c” has no figures yet."""
    stores = Stores(store)
    for office_id, province in (("a", "Hoa Sen"), ("b", "Hoa Sen"), ("c", "Hải Vân")):
        name = f"Phường {office_id}"
        made = OfficeRecord(id=office_id, name=name, province=province, made_at=NOW)
        assert stores.add_office(made)
    table = FiguresTable(stores)
    table.keep("a", of(2))
    table.keep("b", of(1))
    table.keep("b", of(5, 4, reached=0))
    return table


def test_the_worst_stand_first_and_the_last_figures_count(store: Store) -> None:
    """Faulty ones before all; sums are of all, or of a province."""
    table, stores = three(store), Stores(store)
    assert [(line.id, line.figures) for line in table.lines(limit=9)] == [
        ("b", of(5, 4, reached=0)), ("a", of(2)), ("c", None),
    ]  # fmt: skip
    stores.settle("c", NOW, NOW, fault="hỏng", fault_since=NOW)
    assert [line.id for line in table.lines(limit=2)] == ["c", "b"]
    assert [line.id for line in table.lines(limit=9, behind=True)] == ["b", "a"]
    assert [line.id for line in table.lines(limit=1, skip=1, province="Hoa Sen")] == ["a"]
    assert table.sums() == Sums(3, 18, 7, 4, 2, unreached=1, behind=2, faulty=1)
    assert table.sums(province="Hải Vân") == Sums(1, faulty=1)
    assert table.provinces() == ["Hoa Sen", "Hải Vân"]


def test_a_retired_office_is_not_in_the_list(store: Store) -> None:
    table = three(store)
    Stores(store).of("b").bind("an", "email", "An@example.vn", NOW)
    assert table.served_by("an@example.vn", ["email"]) == [("b", "an")]
    assert table.served_by("an@example.vn", ["telegram"]) == []
    Stores(store).retire_office("b", NOW)
    assert [line.id for line in table.lines(limit=9)] == ["a", "c"]
    assert (table.line("b"), table.sums().offices) == (None, 2)
    assert table.served_by("an@example.vn", ["email"]) == []


def test_an_office_is_read_as_the_database_shows_it_to_that_office(store: Store) -> None:
    """And PostgreSQL shows none of another's figures, whatever is asked."""
    table = three(store)
    expected = Listed(
        id="a", name="Phường a", province="Hoa Sen", fault="", last_tick=None, figures=of(2)
    )
    assert table.line("a") == expected
    with OfficeDatabase(store.database, "a").reading() as connection:
        seen = connection.raw.execute(select(office_figures.c.office)).scalars().all()
    is_postgres = connection.raw.dialect.name == "postgresql"
    assert sorted(seen) == (["a"] if is_postgres else ["a", "b"])
