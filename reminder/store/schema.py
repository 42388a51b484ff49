"""Which schema a database has, and how it comes to have this program's.

A look at the version table is all that most starts need: Alembic is loaded only to migrate.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from reminder.services.ports import StoreRefusedError
from reminder.store.database import Database
from reminder.store.files import beside, copy_verified

MIGRATIONS = Path(__file__).with_name("migrations")
_VERSION = text("SELECT version_num FROM alembic_version")


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """The schema that a program works with."""

    version: str  # of its newest migration: four digits that only grow
    folders: tuple[Path, ...]  # where the migrations lie


SHIPPED = Schema(version="0002", folders=(MIGRATIONS / "versions",))


def found(database: Database) -> str:
    """The version of the schema of `database`; empty if it has no table yet.

    StoreRefusedError if its tables are another program's.
    """
    with database.reading() as connection:
        names = inspect(connection).get_table_names()
        versions = connection.execute(_VERSION).scalars().all() if _tracked(names) else []
    if names and len(versions) != 1:
        raise StoreRefusedError(
            f"the database {database.name} holds tables of another program:"
            " give this one a database of its own under [store] url"
        )
    return str(versions[0]) if versions else ""


def _tracked(names: list[str]) -> bool:
    return "alembic_version" in names


def is_current(database: Database, schema: Schema) -> bool:
    """True if nothing is to be migrated; StoreRefusedError if the schema is a newer program's."""
    version = found(database)
    if version > schema.version:
        raise StoreRefusedError(
            f"the database {database.name} was written by a newer program (schema {version}, this"
            f" one knows {schema.version}): install that program again, or restore an older backup"
        )
    return version == schema.version


def migrate(database: Database, schema: Schema) -> None:
    """Brings `database` to `schema`, after a copy of a SQLite file that has one already.

    The copy is the file's name with “.schema-VERSION.bak”. Only for who holds the daemon's lock.
    """
    if is_current(database, schema):  # another process was faster
        return
    version = found(database)
    if version and database.path is not None:
        backup = beside(database.path, f".schema-{version}.bak")
        copy_verified(database.path, backup, database.busy)
    with database.writing() as connection:
        _upgrade(connection, schema)


def _upgrade(connection: Connection, schema: Schema) -> None:
    # Alembic takes 0.2 s and 10 MB: only a start that migrates pays for it.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    places = {
        "script_location": MIGRATIONS.as_posix(),
        "path_separator": "newline",
        "version_locations": "\n".join(folder.as_posix() for folder in schema.folders),
    }
    for name, place in places.items():
        config.set_main_option(
            name, place.replace("%", "%%")
        )  # “%” means something to configparser
    command.upgrade(config, schema.version)
