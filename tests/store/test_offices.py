"""Many offices in one database: what one reads and writes is its own."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import select

from reminder.store import tables
from reminder.store.database import EVERY, OfficeDatabase
from reminder.store.offices import Account, OfficeRecord, OfficeState, Stores, has_offices, shard_of
from reminder.store.senders import Senders
from reminder.store.store import Store, open_store
from tests.store.conftest import no_sleep
from tests.store.samples import CHANNELS, HOLD, NOW, UNITS, draft, event, minutes, said, set_next
from tests.store.test_queries import statements, use_all


def two(sql: Store) -> Stores:
    stores = Stores(sql)
    for office_id in ("a", "b"):
        record = OfficeRecord(id=office_id, name=f"Phường {office_id}", province="", made_at=NOW)
        assert stores.add_office(record)
    return stores


def rows_of(sql: Store, office_id: str) -> dict[str, list[Any]]:
    """All that a database holds of an office."""
    found = {}
    with OfficeDatabase(sql.database, EVERY).reading() as connection:
        for table in tables.OF_OFFICE:
            asked = select(table).where(table.c.office == office_id)
            found[table.name] = sorted(map(repr, connection.raw.execute(asked).all()))
    return found


def test_whatever_an_office_does_another_sees_none_of_it(sql: Store) -> None:
    """Every method of the store, on rows that are alike but for their office."""
    stores = two(sql)
    one, other = stores.of("a"), stores.of("b")
    use_all(other)
    before = rows_of(sql, "b")
    use_all(one)
    assert rows_of(sql, "b") == before
    assert rows_of(sql, "a").keys() == before.keys()


def test_every_statement_says_whose_rows_it_means(sql: Store) -> None:
    with statements(sql) as said:
        use_all(two(sql).of("a"))
    silent = {words for words, _ in said if "office" not in words and words[:5] != "BEGIN"}
    assert silent == set()


def test_each_office_has_a_chain_of_its_own(sql: Store) -> None:
    """Whose hashes do not say the office, so that a ward takes its chain along."""
    stores = two(sql)
    for office_id in ("a", "b"):
        stores.of(office_id).record([event(), event("2")], unit_names=UNITS, at=NOW)
    stores.of("a").record([event("3")], unit_names=UNITS, at=NOW)
    assert [one.number for one in stores.of("a").events()] == [1, 2, 3]
    assert stores.of("a").events()[:2] == stores.of("b").events()
    assert (stores.of("a").verify(), stores.of("b").verify()) == (None, None)
    assert stores.of("a").head()[0] == 3


def test_a_lease_takes_of_its_office_alone(sql: Store) -> None:
    stores = two(sql)
    for office_id in ("a", "b"):
        drafts = [draft("1"), draft("2")]
        stores.of(office_id).record([], unit_names={}, drafts=drafts, at=NOW)
    leased = stores.of("b").lease(NOW, 9, HOLD, CHANNELS)
    assert [row.office for row in leased] == ["b", "b"]
    assert not stores.of("a").mark_sent(leased[0], "1", NOW)
    assert stores.of("b").mark_sent(leased[0], "1", NOW)


def test_offices_are_added_once_listed_and_retired(sql: Store) -> None:
    stores = two(sql)
    assert not stores.add_office(OfficeRecord(id="a", name="", province="", made_at=NOW))
    assert [one.id for one in stores.offices()] == ["a", "b"]
    assert stores.retire_office("a", minutes(5))
    assert not stores.retire_office("a", minutes(6))
    assert [one.id for one in stores.offices()] == ["b"]
    retired = stores.office("a")
    assert retired is not None
    assert (retired.state, retired.retired_at) == (OfficeState.RETIRED, minutes(5))


def test_a_database_is_of_many_offices_once_it_has_one(tmp_path: Path) -> None:
    """To ask makes no database."""
    url = f"sqlite:///{tmp_path / 'r.db'}"
    assert not has_offices(url)
    assert list(tmp_path.iterdir()) == []
    with closing(open_store(url, exclusive=False, sleep=no_sleep)) as store:
        assert not has_offices(url)
        two(store)
        assert has_offices(url)


def test_what_one_office_has_recorded_makes_the_database_its_own(sql: Store) -> None:
    """A daemon's marks alone don't; nor does anything once there are many."""
    stores = Stores(sql)
    sql.set_meta("last_tick", NOW.isoformat())
    assert not stores.is_one()
    sql.bind("an", "telegram", "1", NOW)
    assert stores.is_one()
    two(sql)
    assert not stores.is_one()


def test_an_office_is_due_until_it_is_said_when_it_can_speak_next(sql: Store) -> None:
    stores = two(sql)
    due = [each for shard in range(4) for each in stores.due_offices(NOW, shard, 4)]
    assert sorted(due) == ["a", "b"]
    assert stores.due_offices(NOW, shard_of("a", 64), 64) == ["a"]
    set_next(stores, "a", minutes(5))
    assert stores.due_offices(minutes(4), shard_of("a", 64), 64) == []
    assert stores.due_offices(minutes(5), shard_of("a", 64), 64) == ["a"]


def test_an_address_is_found_by_its_account(sql: Store) -> None:
    """The same chat with two bots is two addresses."""
    stores = two(sql)
    for name, office_id in (("bot-a", "a"), ("bot-b", "b")):
        added = Account(id=name, kind="telegram", secret="env:X", made_at=NOW)
        assert stores.add_account(added)
        assert not stores.add_account(added)
        stores.link(office_id, "telegram", name)
        stores.of(office_id).bind("an", "telegram", "100", NOW)
    senders = Senders(sql.database)
    assert senders.owners("bot-a", "telegram", ["100"]) == [("a", "an", "100")]
    stores.link("b", "telegram", "bot-a")
    both = [("a", "an", "100"), ("b", "an", "100")]
    assert senders.owners("bot-a", "telegram", ["100"]) == both
    stores.link("a", "telegram", "")
    assert stores.links() == [("b", "telegram", "bot-a")]


def test_what_is_gathered_is_written_at_once_and_is_each_its_office_s(store: Store) -> None:
    """It is read as if it had been written one by one, and a failure takes all of it back."""
    stores = two(store)
    a, b = stores.of("a"), stores.of("b")
    before = [rows_of(store, office_id) for office_id in ("a", "b")]
    with suppress(ZeroDivisionError), stores.gathering():
        for one in (a, b):
            one.record([], unit_names=UNITS, drafts=[draft()], meta={"mark": "1"}, at=NOW)
        assert b.meta("mark") == "1"
        raise ZeroDivisionError
    assert [rows_of(store, office_id) for office_id in ("a", "b")] == before
    with stores.gathering():
        for one, value in ((a, "1"), (b, "2"), (b, "3")):
            drafts, spoken, meta = [draft(value)], [said()], {"mark": value}
            one.record([], unit_names=UNITS, drafts=drafts, spoken=spoken, meta=meta, at=NOW)
        assert [one.meta("mark") for one in (a, b)] == ["1", "3"]
        a.record([event()], unit_names=UNITS, drafts=[draft("4")], at=NOW)
    assert [[row.draft.recipient for row in reversed(one.rows())] for one in (a, b)] == [
        [draft(value).recipient for value in values] for values in ("14", "23")
    ]
    assert [one.spoken_among({said().place}) for one in (a, b)] == [{said().place}] * 2
    assert stores.standings(["a", "b"]) == {"a": a.standing(), "b": b.standing()}
    assert [one.verify() for one in (a, b)] == [None, None]


def test_an_office_sees_only_its_own_rows_where_many_are_gathered(postgres_url: str) -> None:
    """A statement that forgets to say whose rows it means: PostgreSQL shows no others."""
    with closing(open_store(postgres_url, exclusive=False, sleep=no_sleep)) as store:
        stores = two(store)
        with stores.gathering():
            for office_id in ("a", "b"):
                stores.of(office_id).record([], unit_names={}, drafts=[draft()], at=NOW)
            with OfficeDatabase(stores.database, "a").reading() as connection:
                seen = connection.raw.execute(select(tables.outbox.c.office)).scalars().all()
            with stores.database.reading() as every:
                all_of_them = every.execute(select(tables.outbox.c.office)).scalars().all()
        assert (seen, sorted(all_of_them)) == (["a"], ["a", "b"])
