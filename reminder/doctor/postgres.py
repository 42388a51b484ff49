"""Checks of a PostgreSQL server, as far as it tells an ordinary role."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Row, text

from reminder.doctor import Check, fault, ok, warn
from reminder.domain.calendar import local
from reminder.store.database import Database
from reminder.store.tables import OF_OFFICE

SUPPORTED = 14  # the oldest version that PostgreSQL's makers still mend
CROWDED = 0.8  # of the server's connections in use, from which on to warn
_SERVER = text(
    """
    SELECT current_setting('server_version') AS version,
           current_setting('server_version_num')::int / 10000 AS major,
           pg_is_in_recovery() AS is_standby,
           current_user AS role,
           (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS sees_all,
           pg_database_size(current_database()) AS size,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
           current_setting('max_connections')::int AS most,
           current_setting('archive_mode') AS archives,
           current_setting('fsync') AS fsync,
           current_setting('synchronous_commit') AS synchronous_commit,
           last_archived_time, last_failed_time, failed_count
    FROM pg_stat_archiver
    """
)
_UNGUARDED = text(
    "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
    " AND relname = ANY(:names) AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY relname"
)


def server(database: Database, *, is_copied: bool, is_many: bool) -> Iterator[Check]:
    """Yield what the server tells of itself; `is_copied`: this program makes daily copies.

    `is_many`: the database has many offices, which must not see each other's rows.
    """
    with database.reading() as connection:
        found = connection.execute(_SERVER).one()
        names = [table.name for table in OF_OFFICE]
        unguarded = connection.execute(_UNGUARDED, {"names": names}).scalars().all()
    yield _version(found)
    yield _role(found, list(unguarded), is_many=is_many)
    yield from _durability(found)
    yield _room(found)
    yield _archive(found, is_copied=is_copied, is_many=is_many)


def _version(found: Row[tuple[object, ...]]) -> Check:
    words = f"PostgreSQL {found.version}"
    if found.is_standby:
        remedy = "trỏ [store] url tới máy chính"
        return fault("server", f"{words} là máy dự phòng, chỉ đọc: không ghi được gì.", remedy)
    if found.major < SUPPORTED:
        return warn("server", f"{words} không còn được sửa lỗi.", "nâng máy chủ lên bản mới")
    return ok("server", f"{words}.")


def _role(found: Row[tuple[object, ...]], unguarded: list[str], *, is_many: bool) -> Check:
    if unguarded:
        return fault(
            "role",
            f"Bảng {', '.join(unguarded)} không chia theo đơn vị (row-level security tắt).",
            "ALTER TABLE … ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY cho từng bảng",
        )
    if found.sees_all:
        words = (
            f"Người dùng {found.role} bỏ qua việc chia dữ liệu theo đơn vị (superuser, BYPASSRLS)."
        )
        remedy = f"ALTER ROLE {found.role} NOSUPERUSER NOBYPASSRLS, hoặc dùng người dùng riêng"
        return fault("role", words, remedy) if is_many else warn("role", words, remedy)
    return ok("role", f"Người dùng {found.role} chỉ thấy dữ liệu của từng đơn vị khi làm cho nó.")


def _durability(found: Row[tuple[object, ...]]) -> Iterator[Check]:
    """Yield the settings by which a power cut takes back what was committed."""
    values = {"fsync": found.fsync, "synchronous_commit": found.synchronous_commit}
    if off := [name for name, value in values.items() if value == "off"]:
        words = (
            f"Máy chủ tắt {', '.join(off)}: mất điện thì mất điều đã ghi, tin đã gửi bị gửi lại."
        )
        yield warn("durability", words, f"đặt {', '.join(f'{name} = on' for name in off)}")


def _room(found: Row[tuple[object, ...]]) -> Check:
    size = f"{found.size / 1e6:.0f} MB"
    words = f"Dữ liệu {size}, {found.used} trong {found.most} kết nối của máy chủ đang dùng"
    if found.used > CROWDED * found.most:
        return warn(
            "connections", f"{words}: sắp hết.", "tăng max_connections, hoặc bớt tiến trình"
        )
    return ok("connections", f"{words}; ổ đĩa máy chủ còn bao nhiêu thì nó không cho biết.")


def _archive(found: Row[tuple[object, ...]], *, is_copied: bool, is_many: bool) -> Check:
    if found.archives == "off":
        words = "Máy chủ không lưu trữ WAL: hỏng ổ đĩa thì mất mọi điều ghi sau bản sao cuối"
        remedy = "bật archive_mode và pg_basebackup hằng ngày"
        if is_copied:  # which is enough for one ward
            return warn("archive", f"{words}.", remedy) if is_many else ok("archive", f"{words}.")
        return fault("archive", f"{words}, mà bản sao hằng ngày cũng tắt.", remedy)
    last, failed = found.last_archived_time, found.last_failed_time
    if failed is not None and (last is None or failed > last):
        words = f"Lưu trữ WAL đang hỏng từ {_hour(failed)} ({found.failed_count} lần)."
        return fault("archive", words, "xem archive_command và nhật ký của máy chủ")
    if last is None:
        words = "Máy chủ bật lưu trữ WAL nhưng chưa lưu gì."
        return warn("archive", words, "xem archive_command và nhật ký của máy chủ")
    return ok("archive", f"Máy chủ lưu trữ WAL, lần cuối {_hour(last)}.")


def _hour(at: datetime) -> str:
    return f"{local(at):%H:%M %d/%m/%Y}"
