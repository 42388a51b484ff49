"""Moving an office with all its records: a ward's SQLite file into a database of many, and out.

Row ids of the outbox are those of the database that a row is in: each row gets a new one, in the
same order, and what names a row is changed with it. All else is copied as it stands, the chain of
events too, so that it can be verified on both sides.
"""

from __future__ import annotations

import json
import re
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, text, update
from sqlalchemy.exc import DataError, IntegrityError

from reminder.domain.errors import ReminderError
from reminder.domain.payloads import DeadLetter
from reminder.store import tables
from reminder.store.database import EVERY, OfficeConnection, Put, explain, put_all
from reminder.store.files import PRIVATE, written_whole
from reminder.store.offices import OfficeRecord, OfficeState, Stores
from reminder.store.records import (
    BACKED_UP,
    BACKED_UP_AWAY,
    ENDED,
    MOVED,
    MOVED_FROM,
    SECRET,
    Move,
    StoreBusyError,
    StoreRefusedError,
    move_of,
)
from reminder.store.restore import (
    into_one_file,
    locked,
    mark_doubtful,
    open_copy,
    take_copy,
    url_of,
)
from reminder.store.store import BUSY, Store, open_store
from reminder.store.tables import mine, outbox

PART = 1000  # rows read and written at a time
# Of a place, not of an office: who is signed in at an address, how often somebody tried there,
# by which accounts of the database it is served.
_LEFT = (tables.web_session, tables.web_try, tables.office_account)
# The outbox first: the others name its rows.
_MOVED = (outbox, *(t for t in tables.OF_OFFICE if t not in (outbox, *_LEFT)))
# Names in `meta` that are of a place too, by how they begin: its polls, its copies.
_NOT_KEPT = re.compile(
    f"(?:{MOVED}|{MOVED_FROM}|reload|reloaded|last_poll(?::.*)?"
    f"|(?:(?:wanted|overdue):)?(?:{BACKED_UP}|{BACKED_UP_AWAY}))"
)
_IMPORTING = 0x696D706F7274  # “import”: an advisory lock's number
SeenAs = Callable[[str, str], str]  # a channel and an update's id → its id in the other database


@dataclass(frozen=True, slots=True)
class Ward:
    """A ward's file that is held: no daemon runs on it meanwhile."""

    path: Path
    store: Store  # an open copy, at the current schema
    ended: bool  # the last run ended in order; False: killed, or this is a copy of a running one's
    move: Move | None  # begun before, and interrupted


@contextmanager
def ward_at(path: Path, at: datetime, *, sleep: Callable[[float], None]) -> Iterator[Ward]:
    """Hold a ward's file, and open a verified copy of it, in which doubts are marked.

    StoreRefusedError: a daemon has it, it was moved before, is damaged, or no ward's.
    ReminderError: it can't be read, or the copy can't be written.
    """
    path = path.resolve()
    if not path.is_file():
        raise ReminderError(f"không có tệp {path}: ghi tên tệp dữ liệu của phường")
    with locked(path, "chuyển"), TemporaryDirectory() as folder:
        copied = Path(folder) / "ward.db"
        take_copy(path, copied)
        with closing(open_copy(copied, path, sleep)) as copy:
            move = move_of(copy.meta(MOVED))
            if move and move.done:
                raise StoreRefusedError(
                    f"{path} đã chuyển vào {move.to} thành phường {move.office} ngày {move.day}: "
                    "không nhập lần nữa"
                )
            if others := [one.id for one in Stores(copy).offices(state=None)]:
                raise StoreRefusedError(
                    f"{path} là dữ liệu của nhiều phường ({', '.join(others)}): tách từng phường "
                    "bằng reminder export-office rồi nhập"
                )
            unread = next(iter(copy.unreadable()), None)
            if unread is not None:
                raise StoreRefusedError(
                    f"{path}: bảng {unread.table}, dòng {unread.row} không đọc được "
                    f"({unread.what}): lấy một bản sao cũ hơn"
                )
            ended = bool(copy.meta(ENDED)) or copy.meta(ENDED) is None
            copy.release_all(at)
            if not ended:
                mark_doubtful(copy, at)
            yield Ward(path, copy, ended, move)


def counted(store: Store) -> dict[str, int]:
    """Return how many rows of each table are to be moved, by the table's name."""
    with store.database.of(store.office, writes=False) as connection:
        return {table.name: _count(connection, table) for table in _MOVED}


def _count(connection: OfficeConnection, table: Table) -> int:
    asked = select(func.count()).select_from(table).where(mine(table))
    return int(connection.execute(asked).scalar_one())


# ---- in


def _hindrance(ward: Ward, stores: Stores, office_id: str) -> str:
    """Return why the ward can't become this office of the database; empty: it can."""
    if stores.database.path == ward.path:
        return f"{ward.path} chính là cơ sở dữ liệu đích: ghi [store] url là của tỉnh"
    move = ward.move
    if move and move.to != stores.database.name:
        return (
            f"{ward.path} đang chuyển dở vào {move.to} (phường {move.office}): chạy lại lệnh ấy, "
            "với đúng cơ sở dữ liệu ấy"
        )
    of_one = stores.of("")
    if of_one.head()[0] > 0 or any(of_one.counts().values()) or of_one.addresses():
        return (
            f"{stores.database.name} đang là dữ liệu của một phường đứng riêng: dùng một cơ sở dữ "
            "liệu khác cho nhiều phường"
        )
    if (there := stores.office(office_id)) is not None:
        words = "" if there.state is OfficeState.ACTIVE else ", đã thôi phục vụ"
        return f"đã có phường {office_id} ({there.name}{words}): chọn mã khác"
    if same := _same_ward(ward.store, stores):
        return f"phường ấy đã ở đây, mã {same}: không nhập lần nữa"
    return ""


def was_moved(ward: Ward, stores: Stores) -> str:
    """Return the office that an interrupted move has made of the ward; empty: of none."""
    if ward.move is None or ward.move.to != stores.database.name:
        return ""
    for one in stores.offices(state=None):
        if stores.of(one.id).meta(MOVED_FROM) == ward.move.id:
            return one.id
    return ""


def _same_ward(ward: Store, stores: Stores) -> str:
    """Return the active office that is this ward: with its secret, or if it has none its ledger."""
    event, meta = tables.event.c, tables.meta.c
    secret, (number, hash_) = ward.meta(SECRET), ward.head()
    if secret:
        asked = select(meta.office).where(meta.name == SECRET, meta.value == secret)
    elif number:
        asked = select(event.office).where(event.number == number, event.hash == hash_)
    else:
        return ""
    active = select(tables.office.c.id).where(tables.office.c.state == OfficeState.ACTIVE.value)
    where = asked.selected_columns[0].in_(active)
    with stores.database.of(EVERY, writes=True) as connection:
        return connection.raw.execute(asked.where(where)).scalar() or ""


class _RehearsedError(Exception):
    """All went well; it is taken back."""


def bring_in(
    ward: Ward,
    stores: Stores,
    record: OfficeRecord,
    settle: Callable[[], None],
    *,
    seen_as: SeenAs,
    dry_run: bool = False,
) -> None:
    """Make the ward an office of the database, in one transaction; its file is marked.

    `settle` writes what the office has besides its records, in the same transaction. The file is
    marked as being moved before, and as moved after: whatever dies in between, no daemon begins on
    it, and the same call goes on. ReminderError: nothing is changed. `dry_run`: all of it is taken
    back.
    """

    def write() -> None:
        _alone(stores)
        if (why := _hindrance(ward, stores, record.id)) or not stores.add_office(record):
            raise ReminderError(why or f"đã có phường {record.id}: chọn mã khác")
        copy_office(ward.store, stores.of(record.id), seen_as=seen_as)
        settle()

    if dry_run:
        with suppress(_RehearsedError), stores.database.together():
            write()
            raise _RehearsedError
        return
    move = ward.move or Move(
        id=uuid.uuid4().hex,
        to=stores.database.name,
        office=record.id,
        at=record.made_at.isoformat(),
        done=False,
    )
    _mark(ward.path, move)
    committing = False
    try:
        with stores.database.together():
            write()
            stores.of(record.id).set_meta(MOVED_FROM, move.id)
            committing = True  # from here on only the database knows whether it came about
    except BaseException:
        if not committing:
            _mark(ward.path, ward.move)
        raise
    mark_moved(ward, stores, record.id)


def mark_moved(ward: Ward, stores: Stores, office_id: str) -> None:
    """Mark the ward's file: no daemon begins on it any more."""
    identity = stores.of(office_id).meta(MOVED_FROM) or ""
    made = stores.office(office_id)
    at = made.made_at.isoformat() if made else ""
    name = stores.database.name
    _mark(ward.path, Move(id=identity, to=name, office=office_id, at=at, done=True))


def _alone(stores: Stores) -> None:
    """Refuse a second import at the same time; on SQLite the write lock does."""
    if stores.database.is_sqlite:
        return
    with stores.database.of(EVERY, writes=True) as connection:
        asked = text("SELECT pg_try_advisory_xact_lock(:number)")
        if not connection.raw.execute(asked, {"number": _IMPORTING}).scalar():
            raise StoreBusyError("một lệnh import-office khác đang chạy: chờ nó xong rồi chạy lại")


def _mark(path: Path, move: Move | None) -> None:
    """Write the move into the file of whichever schema; None takes the mark away."""
    try:
        with closing(sqlite3.connect(path, timeout=BUSY, isolation_level=None)) as raw:
            raw.execute("PRAGMA synchronous=FULL")
            raw.execute("BEGIN IMMEDIATE")
            raw.execute("DELETE FROM meta WHERE name = ?", (MOVED,))
            if move is not None:
                values = {name: getattr(move, name) for name in Move.__dataclass_fields__}
                raw.execute("INSERT INTO meta (name, value) VALUES (?, ?)",
                            (MOVED, json.dumps(values)))  # fmt: skip
            raw.execute("COMMIT")
    except sqlite3.Error as error:
        raise explain(str(path), error) or error from error


# ---- out


def check_new(target: Path) -> None:
    """Raise ReminderError unless `target` can be a new file."""
    if target.exists():
        raise ReminderError(f"đã có tệp {target}: ghi tên khác")
    if not target.parent.is_dir():
        raise ReminderError(f"không có thư mục {target.parent}: tạo thư mục rồi chạy lại")


@contextmanager
def leaving(stores: Stores, office_id: str, at: datetime) -> Iterator[None]:
    """Stop serving an office; if the block fails it is served again."""
    c, links = tables.office.c, stores.links(office_id=office_id)
    retired = stores.retire_office(office_id, at)
    again = (
        update(tables.office)
        .where(c.id == office_id)
        .values(state=OfficeState.ACTIVE.value, retired_at=None, next_at=None)
    )
    try:
        yield
    except BaseException:
        if retired:
            with stores.database.of(EVERY, writes=True) as connection:
                connection.raw.execute(again)
            for link in links:
                stores.link(*link)
        raise


def take_out(
    source: Store,
    target: Path,
    at: datetime,
    *,
    left: bool,
    seen_as: SeenAs,
    sleep: Callable[[float], None],
    marks: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write all records of an office to a new SQLite file, which a daemon of its own can begin on.

    `left`: the office is no longer served where it was; else what waits is marked as possibly sent
    by the office that goes on. `marks`: what `meta` has besides. ReminderError: the file is there,
    or can't be written; nothing is.
    """
    check_new(target)
    with written_whole(target.resolve()) as part:
        with closing(open_store(url_of(part), exclusive=False, sleep=sleep)) as new:
            with new.together():
                copy_office(source, new, seen_as=seen_as)
            for name, value in marks.items():
                new.set_meta(name, value)
            new.set_meta(ENDED, at.isoformat() if left else "")
            if new.release_all(at) or not left:
                mark_doubtful(new, at)
        into_one_file(part)
        part.chmod(PRIVATE)


# ---- the copy


def copy_office(source: Store, target: Store, *, seen_as: SeenAs) -> None:
    """Copy all records of the source's office to the target's, and verify what came.

    The caller holds the target's transaction. ReminderError: the copy is not whole.
    """
    with (
        source.database.of(source.office, writes=False) as old,
        target.database.of(target.office, writes=True) as new,
    ):
        ids = _new_ids(old, new)
        new.execute(delete(tables.head).where(mine(tables.head)))
        for table in _MOVED:
            change = _change_of(table, ids, seen_as)
            written = _copied(old, new, table, change)
            if (there := _count(new, table)) != written:
                raise ReminderError(
                    f"bảng {table.name}: chép {written} dòng mà có {there}: chưa chuyển gì"
                )
    broken = target.verify()
    if broken is not None:
        raise ReminderError(f"sổ ghi bị đứt ở mục {broken.number} khi chép: chưa chuyển gì")


def _new_ids(old: OfficeConnection, new: OfficeConnection) -> dict[int, int]:
    """Return the new id of each row of the outbox; the order stays."""
    found = old.execute(select(outbox.c.id).where(mine(outbox)).order_by(outbox.c.id))
    before = found.scalars().all()
    if new.raw.dialect.name == "sqlite":
        most = new.raw.execute(select(func.max(outbox.c.id))).scalar() or 0
        return {each: most + place for place, each in enumerate(before, start=1)}
    reserved = new.raw.execute(
        text(
            "SELECT nextval(pg_get_serial_sequence('outbox', 'id')) FROM generate_series(1, :rows)"
        ),
        {"rows": len(before)},
    )
    return dict(zip(before, sorted(reserved.scalars()), strict=True))


Row = dict[str, Any]
Change = Callable[[Row], Row | None]  # None: the row is not moved


def _change_of(table: Table, ids: Mapping[int, int], seen_as: SeenAs) -> Change:
    """Return what makes of a row the one that is written."""

    def message(row: Row) -> Row:
        row |= {"id": ids[row["id"]], "fence": 0, "lease_until": None}
        if row["kind"] == "edit":  # of a message that was sent: see services.history
            number, colon, tag = row["subject"].partition(":")
            if colon and number.isdecimal():
                row["subject"] = f"{ids.get(int(number), 0)}:{tag}"
        if f'"{DeadLetter.view}"' in row["payload"]:
            row["payload"] = _of_row(row["payload"], ids)
        return row

    def name(row: Row) -> Row | None:
        number = ids.get(row["outbox_id"])
        return None if number is None else row | {"outbox_id": number}

    def update(row: Row) -> Row:
        return row | {"update_id": seen_as(row["channel"], row["update_id"])}

    def mark(row: Row) -> Row | None:
        return None if _NOT_KEPT.fullmatch(row["name"]) else row

    def numbered(row: Row) -> Row:
        del row["id"]
        return row

    changes: dict[str, Change] = {
        "outbox": message,
        "naming": name,
        "seen": update,
        "meta": mark,
        "web_log": numbered,
    }
    return changes.get(table.name, lambda row: row)


def _of_row(payload: str, ids: Mapping[int, int]) -> str:
    """Return the JSON of a message about a row of the outbox, with the row's new id."""
    raw = json.loads(payload)
    data = raw.get("data") if raw.get("view") == DeadLetter.view else None
    if isinstance(data, dict) and data.get("row") in ids:
        data["row"] = ids[data["row"]]
        return json.dumps(raw, separators=(",", ":"))
    return payload


def _copied(old: OfficeConnection, new: OfficeConnection, table: Table, change: Change) -> int:
    """Copy the rows of one table; return how many were written."""
    asked = select(table).where(mine(table)).order_by(*table.primary_key)
    result = old.execute(asked.execution_options(yield_per=PART)).mappings()
    written, put = 0, Put(insert, table, None)
    try:
        for part in result.partitions(PART):
            rows = [row for each in part if (row := change(dict(each))) is not None]
            for row in rows:
                del row["office"]
            put_all(new, {put: rows})
            written += len(rows)
    except (DataError, IntegrityError) as error:
        raise ReminderError(
            f"bảng {table.name}: có dòng không ghi được vào cơ sở dữ liệu đích "
            f"({type(error).__name__}): chưa chuyển gì"
        ) from error
    return written
