"""What PostgreSQL alone has: the daemon's lock on a connection, and errors of its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from reminder.domain.errors import ReminderError
from reminder.store.database import Database, explain
from reminder.store.records import LockLostError, StoreBusyError, StoreRefusedError
from reminder.store.store import Store, open_store
from tests.postgres import PASSWORD, SECURED, WHY_NOT, Server, programs, server
from tests.store.conftest import no_sleep
from tests.store.samples import NOW, UNITS, draft, event

HOLDS = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
LOCKS_HERE = f"{HOLDS} AND database = (SELECT oid FROM pg_database WHERE datname = %s)"


def daemon_of(url: str) -> Store:
    return open_store(url, exclusive=True, sleep=no_sleep, wait=0)


@pytest.fixture
def daemon(postgres_url: str) -> Iterator[Store]:
    with closing(daemon_of(postgres_url)) as store:
        yield store


def cut_lock(postgres: Server, database: str) -> None:
    """End the connection that holds the lock, alone."""
    ((holder,),) = postgres.ask(LOCKS_HERE, [database])
    postgres.ask("SELECT pg_terminate_backend(%s, 10000)", [holder])


def test_a_second_daemon_is_refused_until_the_first_ends(postgres_url: str) -> None:
    first = daemon_of(postgres_url)
    with pytest.raises(StoreRefusedError, match="another reminder daemon runs on postgresql"):
        daemon_of(postgres_url)
    first.close()
    daemon_of(postgres_url).close()


def test_a_cut_lock_is_taken_anew_before_anything_is_written(
    daemon: Store,
    postgres: Server,
    postgres_url: str,
    postgres_database: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What was leased before belongs to another term; a second daemon is refused again."""
    first = daemon.term()
    cut_lock(postgres, postgres_database)
    assert daemon.term() is None
    assert daemon.record([event()], unit_names=UNITS, at=NOW)
    assert (first, daemon.term()) == (1, 2)
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["the connection that held the daemon's lock was cut: it is taken anew"]
    with pytest.raises(StoreRefusedError, match="another reminder daemon runs on"):
        daemon_of(postgres_url)


def test_a_daemon_whose_lock_another_has_writes_nothing_more(
    daemon: Store, postgres: Server, postgres_url: str, postgres_database: str
) -> None:
    cut_lock(postgres, postgres_database)
    with closing(daemon_of(postgres_url)) as other:
        for _ in range(2):
            with pytest.raises(LockLostError, match="another reminder daemon has taken over"):
                daemon.record([], unit_names={}, drafts=[draft()], at=NOW)
            with pytest.raises(LockLostError):
                daemon.release_all(NOW)
        assert daemon.term() is None
        assert other.rows() == []
        assert other.record([event()], unit_names=UNITS, at=NOW)


def test_a_notice_to_the_lock_is_no_end_of_it(daemon: Store) -> None:
    """A server that reads its settings anew tells its sessions so."""
    before = daemon.term()
    lock: Any = daemon._lock
    raw = lock._connection.connection.dbapi_connection
    raw.pgconn.send_query(b"SELECT 1")
    raw.pgconn.flush()
    while daemon.term() is not None:
        pass
    raw.pgconn.consume_input()
    while raw.pgconn.get_result() is not None:
        pass
    assert daemon.record([event()], unit_names=UNITS, at=NOW)
    assert daemon.term() == before


def test_a_failover_loses_nothing(daemon: Store, postgres: Server, postgres_database: str) -> None:
    """All connections are cut, between two calls and within one."""
    assert daemon.record([event()], unit_names=UNITS, at=NOW)
    postgres.cut(postgres_database)
    assert daemon.record([event("2")], unit_names=UNITS, at=NOW)

    def cut_midway() -> Iterator[object]:
        yield draft("an")
        postgres.cut(postgres_database)

    with pytest.raises(StoreBusyError):
        daemon.record([], unit_names={}, drafts=cut_midway(), at=NOW)  # type: ignore[arg-type]
    assert daemon.rows() == []
    assert daemon.record([event("3")], unit_names=UNITS, drafts=[draft("an")], at=NOW)
    assert (len(daemon.events()), len(daemon.rows()), daemon.verify()) == (3, 1, None)


def test_all_within_a_transaction_that_was_cut_says_so(
    daemon: Store, postgres: Server, postgres_database: str
) -> None:
    """Also what follows upon the first error, and the end of it."""
    said: list[str] = []

    def asked() -> str:
        with pytest.raises(StoreBusyError) as refused:
            daemon.meta("a")
        return str(refused.value)

    def cut_midway() -> None:
        with daemon.together():
            postgres.cut(postgres_database)
            said.extend(asked() for _ in range(2))

    with pytest.raises(StoreBusyError):
        cut_midway()
    words = ("its server is being stopped or started", "it has broken off what was begun")
    assert [end in each for end, each in zip(words, said, strict=True)] == [True, True]
    assert daemon.meta("a") is None


# ---- what is wrong at the server is one sentence


def refusal(url: str) -> str:
    with pytest.raises(ReminderError) as error:
        open_store(url, exclusive=True, sleep=no_sleep, wait=0, busy=1).close()
    return str(error.value)


def test_a_server_that_is_away_is_one_sentence(postgres: Server, tmp_path: Path) -> None:
    url = postgres.url("x", socket=tmp_path)
    assert refusal(url) == (
        f"the database {url} can't be reached (No such file or directory): is its server running, "
        "at that address?"
    )


@pytest.mark.thorough
def test_a_server_that_says_nothing_holds_nobody_up() -> None:
    """It takes the connection, as a frozen one does: given up after connect_timeout, here 2 s."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql+psycopg://app@127.0.0.1:{port}/x?connect_timeout=2"
        assert refusal(url) == (
            f"the database {url} can't be reached (connection timeout expired): is its server "
            "running, at that address?"
        )


@pytest.mark.thorough
def test_a_server_that_is_started_anew_loses_nothing() -> None:
    """Killed as by a power cut under a daemon, which goes on when it is back."""
    if programs() is None:
        pytest.skip(WHY_NOT)
    with server() as own:
        url = own.url(own.make())
        with closing(daemon_of(url)) as store:
            assert store.record([event()], unit_names=UNITS, drafts=[draft()], at=NOW)
            own.end()
            for _ in range(2):
                with pytest.raises(StoreBusyError, match="is its server running"):
                    store.record([event("2")], unit_names=UNITS, at=NOW)
            own.launch()
            assert store.record([event("2")], unit_names=UNITS, at=NOW)
            assert (len(store.events()), store.verify(), store.term()) == (2, None, 2)


def test_a_missing_database_is_one_sentence(postgres: Server) -> None:
    url = postgres.url("nowhere")
    assert (
        refusal(url) == f'the database {url} can\'t be used now: database "nowhere" does not exist'
    )


def test_a_wrong_password_is_one_sentence_without_it(
    postgres: Server, postgres_database: str
) -> None:
    url = postgres.url(postgres_database, role=f"{SECURED}:wrong")
    shown = postgres.url(postgres_database, role=f"{SECURED}:***")
    assert refusal(url) == (
        f"the database {shown} can't be used now: password authentication failed for user "
        f'"{SECURED}"'
    )


def test_a_role_without_rights_is_one_sentence(postgres: Server, postgres_database: str) -> None:
    url = postgres.url(postgres_database, role=f"{SECURED}:{PASSWORD}")
    shown = postgres.url(postgres_database, role=f"{SECURED}:***")
    assert refusal(url) == (
        f"the database {shown} does not let this role do what it must: make the role of [store] "
        "url its owner (permission denied for table alembic_version)"
    )


def test_too_many_connections_are_one_sentence(postgres: Server, postgres_database: str) -> None:
    postgres.ask(f"ALTER DATABASE {postgres_database} CONNECTION LIMIT 0")
    url = postgres.url(postgres_database)
    assert refusal(url) == (
        f"the database {url} has too many connections: raise max_connections, or run fewer "
        "programs on it"
    )


def test_the_address_of_several_servers_that_cannot_be_read_is_one_sentence() -> None:
    """As libpq takes it; the sentence says how it is written here."""
    with pytest.raises(ReminderError) as refused:
        Database("postgresql://app@a:5432,b:5432/x", busy=0)
    assert str(refused.value) == (
        "[store] url can't be read: write sqlite:///PATH or postgresql://USER@HOST/NAME, with "
        "several servers postgresql://USER@/NAME?host=A,B&port=5432,5432"
    )
    assert "nhiều máy chủ thì" in refused.value.vietnamese


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("FATAL:  sorry, too many clients already", "has too many connections"),
        (
            "FATAL:  remaining connection slots are reserved for roles with SUPERUSER",
            "has too many connections",
        ),
        ("session is read-only", "is read-only"),
        ("FATAL:  the database system is in recovery mode", "can't be used now: its server is"),
    ],
)
def test_who_lets_no_session_come_about_is_understood_by_its_words(said: str, why: str) -> None:
    """No SQLSTATE comes with them; of several servers the last one's count."""
    at = 'connection to server at "127.0.0.1", port'
    refused = psycopg.OperationalError(
        f"connection failed: {at} 5501 failed: Connection refused\n{at} 5502 failed: {said}"
    )
    error = explain("x", OperationalError("", {}, refused))
    assert isinstance(error, StoreBusyError)
    assert str(error).startswith(f"the database x {why}")


def test_a_standby_is_one_sentence(
    postgres: Server, postgres_url: str, postgres_database: str
) -> None:
    postgres.ask(f"ALTER DATABASE {postgres_database} SET default_transaction_read_only = on")
    with closing(daemon_of(postgres_url)) as store:
        with pytest.raises(StoreBusyError) as error:
            store.record([event()], unit_names=UNITS, at=NOW)
        assert str(error.value) == (
            f"the database {postgres_url} is read-only: its server is a standby, or "
            "default_transaction_read_only is on"
        )
        postgres.ask(f"ALTER DATABASE {postgres_database} RESET default_transaction_read_only")
        postgres.cut(postgres_database)
        assert store.record([event()], unit_names=UNITS, at=NOW)


def raising(postgres: Server, database: str, code: str) -> None:
    """Have the server refuse each new row with this SQLSTATE."""
    postgres.ask(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END$$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON event EXECUTE FUNCTION refuse()",
        database=database,
    )


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("53100", "can't grow: its server's disk is full"),
        ("53300", "has too many connections: raise max_connections, or run fewer programs on it"),
        ("57P01", "can't be used now: its server is being stopped or started"),
        ("55P03", "is locked by another program"),
    ],
)
def test_what_the_server_refuses_for_now_is_tried_again(
    daemon: Store, postgres: Server, postgres_url: str, postgres_database: str, code: str, why: str
) -> None:
    raising(postgres, postgres_database, code)
    with pytest.raises(StoreBusyError) as error:
        daemon.record([event()], unit_names=UNITS, at=NOW)
    assert str(error.value) == f"the database {postgres_url} {why}"
    postgres.ask("DROP TRIGGER refuse ON event", database=postgres_database)
    assert daemon.record([event()], unit_names=UNITS, at=NOW)


def test_an_older_program_beside_a_newer_schema_says_so(
    daemon: Store, postgres: Server, postgres_url: str, postgres_database: str
) -> None:
    """One that runs while another migrates; one that starts is refused."""
    postgres.ask("ALTER TABLE event RENAME COLUMN note TO remark", database=postgres_database)
    with pytest.raises(StoreRefusedError) as error:
        daemon.record([event()], unit_names=UNITS, at=NOW)
    assert str(error.value).startswith(
        f"the database {postgres_url} has another schema than this program: run the newest program"
    )
    postgres.ask("UPDATE alembic_version SET version_num = '9999'", database=postgres_database)
    with pytest.raises(StoreRefusedError, match="was written by a newer program"):
        open_store(postgres_url, exclusive=False, sleep=no_sleep)


def test_an_exhausted_pool_is_one_sentence(postgres_url: str) -> None:
    with closing(open_store(postgres_url, exclusive=False, sleep=no_sleep, busy=1)) as store:
        engine = store.database._reader
        held = [engine.connect() for _ in range(11)]
        with pytest.raises(StoreBusyError) as error:
            store.head()
        for connection in held:
            connection.close()
        assert store.head()[0] == 0
    assert str(error.value) == (
        f"the database {postgres_url} can't be used now: all connections of this program are in use"
    )


def test_a_driverless_address_means_the_same_driver(
    postgres: Server, postgres_database: str
) -> None:
    url = postgres.url(postgres_database).replace("+psycopg", "")
    with closing(open_store(url, exclusive=False, sleep=no_sleep)) as store:
        assert store.head()[0] == 0
