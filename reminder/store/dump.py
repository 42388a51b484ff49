"""Copies of a PostgreSQL database, and its programs pg_dump, pg_restore and psql."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL

from reminder.domain.errors import ReminderError
from reminder.store.database import EVERY
from reminder.store.files import written_whole

DEBIAN = Path("/usr/lib/postgresql")  # a folder for each version
SCHEMA = "public"  # with the tables of the program
NO_OWNER = ("--no-owner", "--no-privileges")
_FOR_LIBPQ = {"connect_timeout": "PGCONNECT_TIMEOUT", "application_name": "PGAPPNAME"}


def dump(url: URL, target: Path) -> None:
    """Write the database's tables to `target`, atomically, as pg_dump's custom format.

    The copy is read through before it gets its name. ReminderError: a program or a right is
    missing, or the target can't be written.
    """
    with written_whole(target.resolve()) as part:
        options = ["--format=custom", f"--schema={SCHEMA}", "--enable-row-security"]
        run("pg_dump", [*options, *NO_OWNER, f"--file={part}"], url)
        run("pg_restore", [f"--file={os.devnull}", str(part)])


def program(name: str) -> Path | None:
    """Return the newest installed program of PostgreSQL that is called so."""
    installed = DEBIAN.glob(f"*/bin/{name}")
    newest = max(installed, key=lambda path: float(path.parents[1].name), default=None)
    found = shutil.which(name)
    return newest or (Path(found) if found else None)


def run(name: str, arguments: Sequence[str], url: URL | None = None) -> str:
    """Run a program of PostgreSQL; return what it prints. ReminderError says why it failed."""
    path = program(name)
    if path is None:
        raise ReminderError(
            f"{name} is not installed: install PostgreSQL's client programs (Debian: apt-get"
            " install postgresql-client)"
        )
    environment = {**os.environ, "LC_ALL": "C", **(_libpq(url) if url else {})}
    done = subprocess.run(  # noqa: S603  a program of PostgreSQL, without a shell
        [str(path), *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise ReminderError(_why(name, done.stderr))
    return done.stdout


def _libpq(url: URL) -> dict[str, str]:
    """Return the variables by which PostgreSQL's programs find the database and all its rows."""
    found = {"PGHOST": url.host, "PGUSER": url.username, "PGDATABASE": url.database}
    found |= {"PGPASSWORD": url.password, "PGPORT": str(url.port) if url.port else None}
    for name, value in url.query.items():
        known = _FOR_LIBPQ.get(name, f"PG{name.upper().replace('_', '')}")
        found[known] = value if isinstance(value, str) else ",".join(value)
    options = f"{found.get('PGOPTIONS') or ''} -c reminder.office={EVERY}"
    return {"PGCONNECT_TIMEOUT": "5", "PGOPTIONS": options.strip()} | {
        name: value for name, value in found.items() if value and name != "PGOPTIONS"
    }


def _why(name: str, said: str) -> str:
    versions = re.search(r"server version: ([\d.]+).*?; pg_dump version: ([\d.]+)", said, re.DOTALL)
    if versions:
        server, own = versions.groups()
        return (
            f"{name} {own} is too old for the server, {server}: install postgresql-client-"
            f"{server.partition('.')[0]}"
        )
    if "unsupported version" in said:
        return f"{name} is older than the program that made the copy: install a newer one"
    lines = [line.strip() for line in said.splitlines() if "error:" in line or "FATAL:" in line]
    first = re.sub(r"^.*?(?:error|ERROR|FATAL):\s+", "", (lines or said.splitlines() or [""])[0])
    if "row-level security" in said or "permission denied" in said or "must be owner" in said:
        return f"{name}: the role of [store] url may not: make it the owner of its tables ({first})"
    return f"{name} failed: {first}"
