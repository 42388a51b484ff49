"""A PostgreSQL server of the tests' own: started at the first use, ended after the last.

Its data is not flushed, its connections come by a Unix socket.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote
from uuid import uuid4

from reminder.store.ledger import GENESIS
from reminder.store.store import open_store
from reminder.store.tables import metadata

OWNER = "app"  # of the databases: an ordinary role, which row-level security holds
ADMIN = "admin"  # a superuser
SECURED = "secured"  # an ordinary role that must name its password
PASSWORD = "opensesame"
_TEMPLATE = "migrated"
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "jit": "off",
    "log_min_messages": "fatal",
}
_HBA = f"local all {SECURED} scram-sha-256\nlocal all all trust\n"
_EMPTY = "".join(
    (
        *(f"DELETE FROM {table};" for table in metadata.tables),
        f"INSERT INTO head VALUES ('', 0, '{GENESIS}');",  # the one row of a new database
        "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'",
    )
)
WHY_NOT = "no PostgreSQL server here: `make postgres` installs it (Debian, Ubuntu)"


def programs() -> Path | None:
    """The folder of the newest installed server's programs; None: there is none."""
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    found = sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)
    if on_path := shutil.which("initdb"):
        found.insert(0, Path(on_path).resolve().parent)
    return next((one for one in found if (one / "initdb").exists()), None)


def _account() -> dict[str, Any]:
    """As whom the server runs: it refuses root."""
    if os.geteuid() != 0:
        return {}
    import pwd

    with suppress(KeyError):
        entry = pwd.getpwnam("postgres")
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@dataclass
class Server:
    """A running server; `folder` holds its socket and its data."""

    folder: Path
    bin: Path
    _numbers: Iterator[int] = field(default_factory=count)
    _emptied: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str, *, role: str = OWNER, socket: Path | None = None) -> str:
        """The address of a database; `socket`: a folder with another way to the server."""
        host = quote(str(socket or self.folder), safe="")
        return f"postgresql+psycopg://{role}@/{database}?host={host}"

    def connect(self, database: str = "postgres", *, role: str = ADMIN) -> Any:
        """A psycopg connection of its own that commits each statement."""
        import psycopg

        address = f"host={self.folder} dbname={database} user={role}"
        return psycopg.connect(address, autocommit=True)

    def ask(self, statement: str, values: Sequence[Any] = (), *, database: str = "postgres") -> Any:
        """Execute a statement as the superuser; return its rows, if it has any."""
        with closing(self.connect(database)) as connection:
            done = connection.execute(statement, values)
            return done.fetchall() if done.description else []

    def make(self, template: str = _TEMPLATE) -> str:
        """Make a database; return its name. `template`: “template0” for an empty one."""
        name = f"t{os.getpid()}_{next(self._numbers)}"
        self.ask(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        """Drop a database and whoever is connected to it."""
        self.ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    @contextmanager
    def lend(self) -> Iterator[str]:
        """The name of an empty database, emptied afterwards and lent again.

        Making one costs 0.1 s, emptying it 1 ms. Its schema and its settings must stay as they are.
        """
        name = self._emptied.pop() if self._emptied else self.make()
        try:
            yield name
        finally:
            self.cut(name)
            self.ask(_EMPTY, database=name)
            self._emptied.append(name)

    def cut(self, database: str) -> int:
        """End all sessions of a database, as a failover does; return how many there were."""
        ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
        return len(self.ask(ended, [database]))

    def launch(self) -> None:
        """Start the server on its data; return when it answers."""
        log = str(self.folder / "log")
        done = self._run("pg_ctl", "-D", str(self.data), "-l", log, "-t", "120", "start")
        if done.returncode:
            raise RuntimeError(f"PostgreSQL did not start: {Path(log).read_text()[-2000:]}")

    def end(self) -> None:
        """Stop the server at once, as a crash does; return when it has ended."""
        self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "stop")

    def prepare(self) -> None:
        """Make the data of a server."""
        shutil.rmtree(self.data, ignore_errors=True)
        options = ["-U", ADMIN, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        made = self._run("initdb", "-D", str(self.data), *options)
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr}")
        (self.data / "pg_hba.conf").write_text(_HBA)
        settings = {**_SETTINGS, "unix_socket_directories": str(self.folder)}
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.bin / program), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, cwd="/", check=False, **_account()
        )


def _joined(folder: Path) -> IO[str]:
    """The file whose lock says who uses the server of `folder`, locked."""
    while True:
        folder.mkdir(mode=0o755, exist_ok=True)
        if account := _account():
            os.chown(folder, account["user"], account["group"])
        users = (folder / "users").open("w")
        fcntl.flock(users, fcntl.LOCK_SH)
        with suppress(FileNotFoundError):  # the guard of a server before has removed it
            if (folder / "users").stat().st_ino == os.fstat(users.fileno()).st_ino:
                return users
        users.close()


@contextmanager
def server(name: str | None = None) -> Iterator[Server]:
    """A server, shared by all processes that give the same name at the same time.

    The kernel counts them: each holds a shared lock. A process of its own waits for that lock, and
    so ends the server however they ended.
    """
    bin_ = programs()
    if bin_ is None:
        raise RuntimeError(WHY_NOT)
    # Its user must be able to enter it, and the path of a socket must be short.
    folder = Path(tempfile.gettempdir()) / f"reminder-pg-{name or uuid4().hex[:12]}"
    with _joined(folder), (folder / "start").open("w") as start:
        found = Server(folder, bin_)
        fcntl.flock(start, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            _GUARDS.append(_guarded(folder))
            _start(found)
            (folder / "ready").touch()
        fcntl.flock(start, fcntl.LOCK_UN)
        yield found


def _start(server: Server) -> None:
    server.prepare()
    server.launch()
    server.ask(f"CREATE ROLE {OWNER} LOGIN")
    server.ask(f"CREATE ROLE {SECURED} LOGIN PASSWORD '{PASSWORD}'")
    server.ask(f"CREATE DATABASE {_TEMPLATE} OWNER {OWNER}")
    open_store(server.url(_TEMPLATE), exclusive=True, sleep=time.sleep).close()


_GUARDS: list[subprocess.Popen[bytes]] = []  # kept, as nobody waits for their end


def _guarded(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.postgres", str(folder)]
    root = Path(__file__).resolve().parents[1]
    none = subprocess.DEVNULL
    return subprocess.Popen(
        command, cwd=root, start_new_session=True, stdin=none, stdout=none, stderr=none
    )


def _guard(folder: Path) -> None:
    """End the server and remove its folder when nobody uses it any more."""
    with (folder / "users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        Server(folder, programs() or folder).end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _guard(Path(sys.argv[1]))
