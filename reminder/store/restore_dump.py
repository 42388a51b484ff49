"""Putting a dump in the place of a PostgreSQL database's tables, which move to a schema aside.

pg_restore and psql do so in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL, Connection, text, update

from reminder.domain.calendar import local
from reminder.domain.outbox import RowState
from reminder.store.database import EVERY, Database, OfficeDatabase
from reminder.store.dump import NO_OWNER, SCHEMA, run
from reminder.store.files import AdvisoryLock
from reminder.store.records import (
    ENDED,
    RESTORED,
    Restored,
    StoreRefusedError,
    meta_moment,
    stamp,
)
from reminder.store.store import SHIPPED, Store, migrate
from reminder.store.tables import outbox

BUSY = 5.0  # seconds for another program's transaction to end
_MAGIC = b"PGDMP"
_UNDER_WAY = "restoring "  # before the schema's version: until it is done no program begins on it
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND pid <> :lock"
)


def put_back(source: Path, url: str, at: datetime) -> Restored:
    """Put the copy `source` in the place of the tables at `url`; those move to a schema aside.

    Errors are as of `reminder.store.restore.restore`; where the copy proves faulty the tables that
    were there are put back.
    """
    _check(source)
    with closing(Database(url, busy=BUSY)) as database, _alone(database):
        before = _present(database)
        aside = f"before_{local(at):%Y%m%d_%H%M%S}" if before is not None else None
        _swap_in(source, database.url, aside)
        try:
            return _completed(database, before or {}, aside, at, source)
        except BaseException:
            _swap_out(database, aside)
            raise


def _check(source: Path) -> None:
    with source.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise StoreRefusedError(
                f"{source} không phải bản sao dữ liệu PostgreSQL: ghi tên một bản sao của "
                "`reminder backup`"
            )
    listed = run("pg_restore", ["--list", str(source)])
    if not all(f" TABLE {SCHEMA} {name} " in listed for name in ("alembic_version", "event")):
        raise StoreRefusedError(
            f"{source} không có dữ liệu của chương trình này: ghi tên một bản sao khác"
        )


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    """Hold the daemon's lock; raise StoreRefusedError while any program is connected."""
    lock = AdvisoryLock(database)
    if not lock.take():
        raise StoreRefusedError(
            f"máy nhắc việc đang chạy trên {database.name}: dừng máy trước rồi khôi phục"
        )
    try:
        with database.reading() as connection:
            others = connection.execute(_OTHERS, {"lock": lock.session}).scalar_one()
        if others:
            raise StoreRefusedError(
                f"còn {others} kết nối khác tới {database.name}: dừng hết tiến trình của máy nhắc "
                "việc và mọi chương trình đang mở dữ liệu ấy rồi khôi phục"
            )
        yield
    finally:
        lock.release()


@dataclass(frozen=True, slots=True)
class _Standing:
    """How far an office has come."""

    number: int  # of its ledger's last entry
    ticked: str | None


def _present(database: Database) -> dict[str, _Standing] | None:
    """Return how far each office has come; None where there are no tables of the program."""
    with database.reading() as connection:
        found = {
            name
            for (name,) in connection.execute(
                text("SELECT tablename FROM pg_tables WHERE schemaname = :here"), {"here": SCHEMA}
            )
        }
    if not {"head", "meta"} <= found:
        return {} if found else None
    with OfficeDatabase(database, EVERY).reading() as all_offices:
        return _standing(all_offices.raw)


_OF_OFFICES = text("SELECT count(*) FROM information_schema.columns WHERE table_schema = :here"
                   " AND table_name = 'head' AND column_name = 'office'")  # fmt: skip


def _standing(connection: Connection) -> dict[str, _Standing]:
    office = "office" if connection.execute(_OF_OFFICES, {"here": SCHEMA}).scalar_one() else "''"
    heads = connection.execute(text(f"SELECT {office}, number FROM head"))  # noqa: S608  constants
    ticks = connection.execute(
        text(f"SELECT {office}, value FROM meta WHERE name = 'last_tick'")  # noqa: S608
    )
    last = dict(tuple(row) for row in ticks)
    return {name: _Standing(number, last.get(name)) for name, number in heads}


def _swap_in(source: Path, url: URL, aside: str | None) -> None:
    """Put the tables of `source` in place in one transaction, as a restore that is under way."""
    with TemporaryDirectory(prefix="reminder-") as folder:
        script, wanted = Path(folder) / "copy.sql", Path(folder) / "wanted"
        listed = run("pg_restore", ["--list", str(source)]).splitlines()
        # The schema itself is made below, whether the copy makes it or not.
        wanted.write_text("\n".join(one for one in listed if " SCHEMA " not in one), "utf-8")
        options = ["--enable-row-security", *NO_OWNER, f"--use-list={wanted}", f"--file={script}"]
        run("pg_restore", [*options, str(source)])
        move = f"ALTER SCHEMA {SCHEMA} RENAME TO {aside}" if aside else f"DROP SCHEMA {SCHEMA}"
        mark = f"UPDATE {SCHEMA}.alembic_version SET version_num = '{_UNDER_WAY}' || version_num"  # noqa: S608
        run(
            "psql",
            [
                *("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"),
                f"--command={move}",
                f"--command=CREATE SCHEMA {SCHEMA}",
                f"--file={script}",
                f"--command={mark}",
            ],
            url,
        )


def _swap_out(database: Database, aside: str | None) -> None:
    """Put back the tables that were there."""
    with database.writing() as connection:
        connection.execute(text(f"DROP SCHEMA {SCHEMA} CASCADE"))
        again = f"ALTER SCHEMA {aside} RENAME TO {SCHEMA}" if aside else f"CREATE SCHEMA {SCHEMA}"
        connection.execute(text(again))


def _completed(
    database: Database,
    before: dict[str, _Standing],
    aside: str | None,
    at: datetime,
    source: Path,
) -> Restored:
    """Bring the copy to the newest schema, verify it, and mark what may have been sent since."""
    with database.together(), database.writing() as connection:
        version = "UPDATE alembic_version SET version_num = replace(version_num, :under_way, '')"
        connection.execute(text(version), {"under_way": _UNDER_WAY})
        migrate(database, SHIPPED)
        with OfficeDatabase(database, EVERY).writing() as all_offices:
            now = _standing(all_offices.raw)
        stood = True
        for office in now:
            stood &= _complete_office(Store(database, office=office), now[office],
                                      before.get(office), at, source)  # fmt: skip
    lacking = [max(0, were.number - now[name].number if name in now else were.number)
               for name, were in before.items()]  # fmt: skip
    ticks = [meta_moment("last_tick", one.ticked) for one in now.values() if one.ticked]
    return Restored(
        ticked=max((tick for tick in ticks if tick), default=None),
        events=sum(one.number for one in now.values()),
        missing=sum(lacking),
        aside=None,
        schema=aside,
        ran_on=not stood,
    )


def _complete_office(
    store: Store, now: _Standing, before: _Standing | None, at: datetime, source: Path
) -> bool:
    """Verify the records of an office; return whether it goes on exactly, else mark it."""
    broken = store.verify()
    if broken is not None:
        raise StoreRefusedError(
            f"{source}: sổ ghi đã bị sửa từ mục {broken.number}: lấy một bản sao cũ hơn"
        )
    if store.meta(ENDED) and before in (None, now):
        return True
    store.set_meta(RESTORED, at.isoformat())
    store.set_meta(ENDED, "")
    waiting = update(outbox).where(
        outbox.c.office == store.office,
        outbox.c.state == RowState.PENDING.value,
        outbox.c.due_at <= stamp(at),
    )
    with OfficeDatabase(store.database, store.office).writing() as connection:
        connection.raw.execute(waiting.values(repeat=True))
    return False
