"""A ledger that somebody changed behind the program's back is found out, at the first such row."""

from __future__ import annotations

import pytest

from reminder.store.ledger import link
from reminder.store.records import Broken
from reminder.store.store import Store
from tests.store.samples import NOW, UNITS, event, on_writer

COLUMNS = "at, kind, plan, task, deliverable, period, unit, unit_name, person, channel, message"


@pytest.fixture
def ledger(sql: Store) -> Store:
    sql.record([event(note=str(n)) for n in range(5)], unit_names=UNITS, at=NOW)
    return sql


@pytest.mark.parametrize("column", [*COLUMNS.split(", "), "evidence", "note", "until", "hash"])
def test_each_column_is_covered(ledger: Store, column: str) -> None:
    on_writer(ledger, f"UPDATE event SET {column} = '7' WHERE number IN (3, 5)")
    assert ledger.verify() == Broken(number=3, what="changed")


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("DELETE FROM event WHERE number = 1", Broken(number=1, what="missing")),
        ("DELETE FROM event WHERE number = 3", Broken(number=3, what="missing")),
        ("DELETE FROM event WHERE number = 5", Broken(number=5, what="missing")),
        ("DELETE FROM event", Broken(number=1, what="missing")),
        ("UPDATE event SET number = 9 WHERE number = 2", Broken(number=2, what="missing")),
        ("UPDATE event SET number = -1 WHERE number = 2", Broken(number=1, what="missing")),
        ("UPDATE event SET note = x'ff' WHERE number = 4", Broken(number=4, what="changed")),
        ("UPDATE event SET deliverable = 'x' WHERE number = 4", Broken(number=4, what="changed")),
        ("UPDATE head SET number = 4", Broken(number=5, what="added")),
        ("UPDATE head SET hash = 'f'", Broken(number=5, what="changed")),
    ],
)
def test_what_was_changed_or_removed_is_named(
    ledger: Store, tampering: str, broken: Broken
) -> None:
    on_writer(ledger, tampering)
    assert ledger.verify() == broken


def test_a_chain_forged_as_a_whole_is_found_by_a_head_told_before(ledger: Store) -> None:
    """Whoever can write the file can compute hashes; what a digest carried they can't take back."""
    told = [ledger.head()]
    on_writer(ledger, "UPDATE event SET person = 'mallory' WHERE number = 2")
    with ledger.database.writing() as connection:
        last = "0" * 64
        for row in connection.exec_driver_sql("SELECT * FROM event").mappings().all():
            last = link(last, dict(row))
            change = "UPDATE event SET hash = ? WHERE number = ?"
            connection.exec_driver_sql(change, (last, row["number"]))
        connection.exec_driver_sql("UPDATE head SET hash = ?", (last,))
    assert ledger.verify() is None
    assert ledger.verify(told) == Broken(number=5, what="rewritten")
