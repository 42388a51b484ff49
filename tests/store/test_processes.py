"""Several processes, some of which are killed: nothing is lost, halved or taken twice."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from reminder.domain.outbox import RowState
from reminder.store.records import StoreRefusedError
from reminder.store.store import Store, open_store
from tests.store.conftest import Opener, no_sleep
from tests.store.samples import NOW, draft, minutes, spoken

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["file", "postgres"])
def url(request: pytest.FixtureRequest, path: Path) -> str:
    """The address of an empty database."""
    if request.param == "file":
        return f"sqlite:///{path}"
    found: str = request.getfixturevalue("lent_postgres_url")
    return found


def _first(where: str, other: str) -> pytest.MarkDecorator:
    rest = pytest.param(other, marks=pytest.mark.thorough)
    return pytest.mark.parametrize("url", [where, rest], indirect=True)


on_the_file = _first("file", "postgres")  # there only in `make test`
on_postgres = _first("postgres", "file")


@pytest.fixture
def opened(url: str) -> Iterator[Opener]:
    """Opens the store at `url`, and closes it after."""
    with ExitStack() as stores:

        def opened(**changes: object) -> Store:
            options: dict[str, object] = {"exclusive": False, "sleep": no_sleep, "busy": 1}
            store = open_store(url, **{**options, **changes})  # type: ignore[arg-type]
            return stores.enter_context(closing(store))

        yield opened


@contextmanager
def worker(job: str, url: str) -> Iterator[subprocess.Popen[str]]:
    """A process of tests/store/worker.py, killed at the end if it still runs."""
    command = [sys.executable, "-m", "tests.store.worker", job, url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


@pytest.mark.parametrize(
    "told", [8, *(pytest.param(n, marks=pytest.mark.thorough) for n in (1, 21))]
)
def test_a_killed_writer_leaves_whole_transactions(url: str, opened: Opener, told: int) -> None:
    """What it said it had is there, and of what it was at either all or nothing."""
    with worker("write", url) as process:
        assert [line(process) for _ in range(told)] == [str(number) for number in range(told)]
        process.kill()
        process.wait()
        more = process.stdout.read().split() if process.stdout else []
    store = opened(exclusive=True, sleep=time.sleep)
    answers, rest = divmod(len(store.events()), 3)
    assert rest == 0
    assert told + len(more) <= answers <= told + len(more) + 1
    assert (len(store.rows()), len(spoken(store))) == (2 * answers, answers)
    assert store.verify() is None
    seen = [("telegram", str(number)) for number in range(answers + 1)]
    news = [store.record([], unit_names={}, seen=update, at=NOW) for update in seen]
    assert news == [False] * answers + [True]


@on_the_file
def test_a_writer_killed_within_a_transaction_wrote_nothing(url: str, opened: Opener) -> None:
    with worker("die_midway", url) as process:
        assert process.wait() < 0
    store = opened(exclusive=True, sleep=time.sleep)
    assert (store.events(), store.rows(), store.head()[0]) == ([], [], 0)
    assert store.record([], unit_names={}, seen=("telegram", "0"), at=NOW)


@on_postgres
def test_two_processes_lease_each_row_once(url: str, opened: Opener) -> None:
    drafts = [draft(str(number)) for number in range(100)]
    opened().record([], unit_names={}, drafts=drafts, at=NOW)
    with worker("lease", url) as one, worker("lease", url) as other:
        assert (line(one), line(other)) == ("ready", "ready")
        tell(one)
        tell(other)
        got = [process.communicate()[0].split() for process in (one, other)]
    assert sorted(map(int, got[0] + got[1])) == list(range(1, 101))


def test_a_killed_daemon_frees_its_lock_and_its_leases(
    url: str, path: Path, opened: Opener
) -> None:
    """While it lives it is named, and the command line works beside it."""
    beside = opened()
    beside.record([], unit_names={}, drafts=[draft("an"), draft("binh")], at=NOW)
    with worker("hold", url) as daemon:
        assert line(daemon) == "ready"
        with pytest.raises(StoreRefusedError) as refusal:
            opened(exclusive=True, wait=0)
        name = beside.database.name
        who = f" (process {daemon.pid})" if name == str(path) else ""  # PostgreSQL knows sessions
        assert str(refusal.value) == (
            f"another reminder daemon{who} runs on {name}:"
            " stop it first, or name another database under [store] url"
        )
        assert [row.state for row in beside.rows()] == [RowState.PENDING, RowState.LEASED]
        assert beside.drop(2)
        daemon.kill()
        daemon.wait()
    store = opened(exclusive=True, sleep=time.sleep)  # a server hears of a death a little later
    assert store.release_all(minutes(1)) == 1
    assert [(row.state, row.repeat) for row in store.rows()] == [
        (RowState.DROPPED, False),
        (RowState.PENDING, True),
    ]


@on_the_file
def test_a_start_without_migration_loads_neither_alembic_nor_the_orm(
    url: str, opened: Opener
) -> None:
    """They are heavy, and an idle daemon keeps what it loaded."""
    opened()
    with worker("look", url) as process:
        assert line(process) == "0 False False"
