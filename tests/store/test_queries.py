"""No query reads a whole table that grows: ten years from now each is as quick as today."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import product
from pathlib import Path
from typing import Any

from sqlalchemy import event as sqlalchemy_event

from reminder.domain.outbox import RowState
from reminder.store.store import Store
from tests.store.samples import CHANNELS, HOLD, KEY, NOW, UNITS, draft, event, minutes, said

# All of an office's `address` and `meta` is asked for, `head` has one row an office; none of them
# grows with the years, `invitation` by few.
# Constant rows are the values that the query itself brings.
WHOLE = (
    *("SEARCH address", "SEARCH head", "SEARCH invitation", "SEARCH meta"),
    # The first entry; entries of rows that are few; a count, as the operator asks for.
    "SEARCH outbox USING INDEX outbox_due (office=?)",
    "SEARCH outbox USING INDEX outbox_repeat (office=?)",
    "SEARCH outbox USING COVERING INDEX outbox_state (office=?)",
    *("SCAN CONSTANT ROW", "SCAN 2 CONSTANT ROWS"),
    "SCAN due",  # the rows that a lease has found
)


KEYS = [KEY, KEY._replace(task="2c", period="2024-01")]


@contextmanager
def statements(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """Collects what the store says to SQLite, with the values."""
    said: list[tuple[str, Any]] = []

    def listen(_c: Any, _cursor: Any, statement: str, values: Any, _x: Any, many: bool) -> None:
        said.append((statement, values[0] if many else values))

    engines = (store.database._writer, store.database._reader)
    for engine in engines:
        sqlalchemy_event.listen(engine, "before_cursor_execute", listen)
    yield said
    for engine in engines:
        sqlalchemy_event.remove(engine, "before_cursor_execute", listen)


def use_all(store: Store) -> None:
    """Every method once, and rows() with every set of filters."""
    heirs = [draft(str(number)) for number in range(6)]
    store.record(
        [event()],
        unit_names=UNITS,
        drafts=heirs,
        spoken=[said()],
        seen=("telegram", "1"),
        meta={"a": "b"},
        at=NOW,
    )
    one, two, three, four, *_ = store.lease(NOW, 5, HOLD, CHANNELS)
    store.mark_sent(one, "1", NOW)
    store.mark_sent_together([(one, "1", NOW), (one, "2", NOW)])
    store.mark_retry(two, NOW, "", unknown=True)
    store.mark_retry(three, NOW, "", unknown=False)
    store.mark_ended(four, RowState.DEAD, "", drafts=heirs, at=NOW)
    store.sweep(minutes(9))
    store.release_all(minutes(9))
    store.bring_forward(NOW, HOLD, HOLD)
    store.newest_slots("nudge", ["an", "binh"], NOW)
    store.revive(1, NOW)
    store.drop(1)
    store.next_due()
    store.counts()
    states: tuple[list[RowState], ...] = ([], [RowState.DEAD], [RowState.PENDING, RowState.LEASED])
    for some, kind, who, since in product(states, ("", "nudge"), ("", "an"), (None, NOW)):
        store.rows(states=some, kind=kind, recipient=who, since=since)
        store.rows(states=some, kind=kind, recipient=who, since=since, naming=KEYS)
    store.rows(recipient="an", provider_id="1")
    store.events(after=1)
    store.head()
    store.revision()
    store.verify()
    store.spoken_of(KEYS)
    store.spoken_among({said().place})
    store.standing()
    store.metas()
    use_people(store)


def use_people(store: Store) -> None:
    store.bind("an", "telegram", "1", NOW)
    store.mark_address_dead("telegram", "1", "", NOW)
    store.move_address("telegram", "1", "2")
    store.addresses()
    store.unbind("an", "telegram")
    store.unbind("an")
    store.invite("an", "hash", minutes(5))
    store.redeem("hash", NOW, "telegram", "1")
    store.invitation_fault("hash", NOW)
    store.meta("a")
    store.set_meta("a", "b")


def plan_of(raw: sqlite3.Connection, statement: str, values: Any) -> list[str]:
    return [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


def test_every_query_has_its_index(sql: Store, path: Path) -> None:
    with statements(sql) as said:
        use_all(sql)
    queries = {statement: values for statement, values in said if not statement.startswith("BEGIN")}
    assert len(queries) > 40
    with closing(sqlite3.connect(path)) as raw:
        scans = {
            (step, statement)
            for statement, values in queries.items()
            for step in plan_of(raw, statement, values)
            if ((step.startswith("SCAN") and "USING" not in step) or step.endswith("(office=?)"))
            and not step.startswith(WHOLE)
        }
    assert scans == set()


def test_a_lease_reads_what_it_takes_and_no_more(sql: Store, path: Path) -> None:
    """In the order of its index: 10,000 waiting rows are not sorted for one."""
    sql.record([], unit_names={}, drafts=[draft()], at=NOW)
    with statements(sql) as said:
        sql.lease(NOW, 1, HOLD, CHANNELS)
    with closing(sqlite3.connect(path)) as raw:
        answers, others = (plan_of(raw, *query) for query in said if query[0].startswith("WITH"))
    by_id = ["SEARCH outbox USING INTEGER PRIMARY KEY (rowid=?)", "LIST SUBQUERY 2"]
    found = {
        "outbox_answer": "(office=? AND state=? AND kind=?)",
        "outbox_state": "(office=? AND state=?)",
    }
    assert [answers, others] == [
        [*by_id, "CO-ROUTINE due", f"SEARCH outbox USING INDEX {index} {columns}", "SCAN due"]
        for index, columns in found.items()
    ]


def test_rows_that_name_an_occurrence_are_found_by_it(sql: Store, path: Path) -> None:
    """However many others there are: by the names' own index, then one by one."""
    with statements(sql) as said:
        sql.rows(kind="nudge", recipient="an", states=[RowState.SENT], naming=KEYS)
    ((query, values),) = (each for each in said if each[0].startswith("SELECT"))
    with closing(sqlite3.connect(path)) as raw:
        plan = [step for step in plan_of(raw, query, values) if "LIST" not in step]
    assert plan == [
        "SEARCH outbox USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH naming USING PRIMARY KEY (office=? AND plan=? AND task=?)",
        "SCAN 2 CONSTANT ROWS",
        "USE TEMP B-TREE FOR ORDER BY",
    ]
