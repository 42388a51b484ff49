"""Copies of PostgreSQL by its own programs, and the way back: old tables aside, doubts marked."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from reminder.domain.errors import ReminderError
from reminder.store import dump
from reminder.store.offices import OfficeRecord, Stores
from reminder.store.records import ENDED, Restored, StoreRefusedError
from reminder.store.restore import restore
from reminder.store.store import Store, open_store
from tests.postgres import PASSWORD, SECURED, Server
from tests.store.conftest import no_sleep
from tests.store.samples import NOW, UNITS, draft, event, minutes
from tests.store.test_restore import lived, repeats

LATER = minutes(60)
ASIDE = "before_20240124_090000"


def opened(url: str) -> Store:
    return open_store(url, exclusive=False, sleep=no_sleep)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy.dump"


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    with closing(opened(postgres_url)) as found:
        yield found


def put_back(copy: Path, url: str) -> Restored:
    return restore(copy, url, LATER, sleep=no_sleep)


def test_a_stopped_programs_copy_goes_on_as_if_nothing_had_happened(
    store: Store, postgres: Server, postgres_url: str, postgres_database: str, copy: Path
) -> None:
    """Here and in another database; the tables that were there are kept in a schema aside."""
    lived(store, ended=True)
    before = (store.rows(), store.events(), store.addresses(), store.meta(ENDED))
    store.backup(str(copy))
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    store.close()
    done = put_back(copy, postgres_url)
    assert done == Restored(ticked=NOW, events=1, missing=0, aside=None, schema=ASIDE, ran_on=False)
    kept = f"SELECT count(*) FROM {ASIDE}.outbox"
    assert postgres.ask(kept, database=postgres_database) == [(4,)]
    elsewhere = postgres.make("template0")
    other_url = postgres.url(elsewhere)
    other = put_back(copy, other_url)
    assert other == Restored(ticked=NOW, events=1, missing=0, aside=None, ran_on=False)
    for url in (postgres_url, other_url):
        with closing(opened(url)) as back:
            after = (back.rows(), back.events(), back.addresses(), back.meta(ENDED))
            assert after == before
            assert back.verify() is None
            assert back.record([event("2")], unit_names=UNITS, drafts=[draft("new")], at=NOW)
    postgres.drop(elsewhere)


def test_an_older_copy_marks_what_may_have_been_sent_since(
    store: Store, postgres_url: str, copy: Path
) -> None:
    lived(store, ended=True)
    store.backup(str(copy))
    store.record([event("since")], unit_names=UNITS, at=minutes(1))
    store.close()
    done = put_back(copy, postgres_url)
    assert (done.missing, done.ran_on) == (1, True)
    with closing(opened(postgres_url)) as back:
        assert repeats(back) == {"sent": False, "leased": False, "waits": True, "tomorrow": False}
        assert (back.meta(ENDED), back.meta("restored")) == ("", LATER.isoformat())


def test_the_copy_holds_all_offices_and_the_next_one_leaves_out_what_is_aside(
    store: Store, postgres: Server, postgres_url: str, postgres_database: str, copy: Path
) -> None:
    """By an ordinary role, to which the server shows one office at a time."""
    stores = Stores(store)
    for name in ("a", "b"):
        assert stores.add_office(OfficeRecord(id=name, name=name, province="", made_at=NOW))
        lived(stores.of(name), ended=False)
    store.backup(str(copy))
    store.close()
    done = put_back(copy, postgres_url)
    assert (done.events, done.missing, done.ran_on) == (2, 0, True)
    with closing(opened(postgres_url)) as back:
        for name in ("a", "b"):
            office = Stores(back).of(name)
            assert (len(office.rows()), office.verify()) == (4, None)
            assert repeats(office)["waits"]
        back.backup(str(copy))
    listed = dump.run("pg_restore", ["--list", str(copy)])
    assert ASIDE not in listed
    assert postgres.ask("SELECT count(*) FROM event", database=postgres_database) == [(2,)]
    guarded = "SELECT count(*) FROM pg_class WHERE relforcerowsecurity"
    there = f"{guarded} AND relnamespace = 'public'::regnamespace"
    aside = f"{guarded} AND relnamespace = '{ASIDE}'::regnamespace"
    assert postgres.ask(there, database=postgres_database) == postgres.ask(
        aside, database=postgres_database
    )


def test_a_copy_whose_ledger_was_changed_leaves_all_as_it_was(
    store: Store, postgres: Server, postgres_url: str, postgres_database: str, copy: Path
) -> None:
    lived(store, ended=True)
    postgres.ask("UPDATE event SET note = 'x'", database=postgres_database)
    store.backup(str(copy))
    postgres.ask("UPDATE event SET note = ''", database=postgres_database)
    store.close()
    with pytest.raises(StoreRefusedError, match="sổ ghi đã bị sửa từ mục 1"):
        put_back(copy, postgres_url)
    with closing(opened(postgres_url)) as back:
        assert back.verify() is None
        assert len(back.rows()) == 4
    schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'before%%'"
    assert postgres.ask(schemas, database=postgres_database) == [(0,)]


def test_nothing_is_restored_beside_a_running_program(
    store: Store, postgres_url: str, copy: Path
) -> None:
    """Neither beside the daemon nor beside a page or a worker, which has no lock."""
    store.backup(str(copy))
    with pytest.raises(StoreRefusedError, match="còn 1 kết nối khác tới"):
        put_back(copy, postgres_url)
    store.close()
    with (
        closing(open_store(postgres_url, exclusive=True, sleep=no_sleep)),
        pytest.raises(StoreRefusedError, match="máy nhắc việc đang chạy trên"),
    ):
        put_back(copy, postgres_url)
    put_back(copy, postgres_url)


def test_what_is_no_copy_is_refused(store: Store, postgres_url: str, copy: Path) -> None:
    store.backup(str(copy))
    store.close()
    whole = copy.read_bytes()
    for content, why in (
        (b"SQLite format 3\0", "không phải bản sao dữ liệu PostgreSQL"),
        (whole[: len(whole) // 2], "pg_restore"),
    ):
        copy.write_bytes(content)
        with pytest.raises(ReminderError, match=why):
            put_back(copy, postgres_url)
    with closing(opened(postgres_url)) as back:
        assert back.head()[0] == 0


def test_a_missing_or_old_program_is_one_sentence(
    store: Store, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dump, "DEBIAN", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReminderError) as missing:
        store.backup(str(copy))
    assert str(missing.value) == (
        "pg_dump is not installed: install PostgreSQL's client programs (Debian: apt-get install "
        "postgresql-client)"
    )
    old = tmp_path / "pg_dump"
    old.write_text(
        "#!/bin/sh\necho 'pg_dump: error: aborting because of server version mismatch' >&2\n"
        "echo 'pg_dump: detail: server version: 17.2; pg_dump version: 15.18' >&2\nexit 1\n"
    )
    old.chmod(0o755)
    with pytest.raises(ReminderError) as mismatch:
        store.backup(str(copy))
    assert str(mismatch.value) == (
        "pg_dump 15.18 is too old for the server, 17.2: install postgresql-client-17"
    )
    assert list(tmp_path.glob("copy*")) == []


def test_a_role_that_may_not_read_all_is_one_sentence(
    postgres: Server, postgres_database: str, copy: Path
) -> None:
    address = make_url(postgres.url(postgres_database, role=f"{SECURED}:{PASSWORD}"))
    with pytest.raises(ReminderError) as refused:
        dump.dump(address, copy)
    assert str(refused.value).startswith(
        "pg_dump: the role of [store] url may not: make it the owner of its tables (query failed"
    )


def test_a_copy_is_not_written_where_it_cannot_be(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ReminderError, match=r"file/copy.dump can't be written: Not a dir"):
        store.backup(str(tmp_path / "file" / "copy.dump"))
