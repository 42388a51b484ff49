"""The database: can it be read, is it sound, does a daemon use it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from reminder.core.errors import ReminderError
from reminder.core.workdays import local
from reminder.doctor.check import Check, fault, ok, warn
from reminder.ports import Store
from reminder.service import heads
from reminder.store.database import Database
from reminder.store.files import integrity
from reminder.store.lock import lock_of
from reminder.store.schema import SHIPPED, found

BUSY = 5.0  # seconds for another program's transaction to end
SILENT = timedelta(minutes=5)  # since the last tick of a daemon that runs
OWNERS = (
    "gõ lệnh bằng người dùng của máy nhắc việc (sudo -u reminder …); tệp đã thuộc người khác thì "
    "chown -R reminder: /srv/reminder/var"
)
_START = "chạy: systemctl start reminder (hoặc reminder run)"


def file(url: str) -> Check | None:
    """Whether the database can be read as it lies there; None: all is well, open it."""
    database = Database(url, busy=BUSY)
    try:
        path = database.path
        if path is not None and not path.exists():
            words = f"Chưa có dữ liệu ở {path}: sẽ được tạo ở lần chạy đầu."
            return warn("database", words, _START)
        if path is not None and (kept_from := _forbidden(path)):
            words = f"Người dùng đang gõ lệnh không đọc, ghi được {kept_from}."
            return fault("database", words, OWNERS)
        if path is not None and (verdict := integrity(path)) != "ok":
            return fault(
                "database",
                f"Dữ liệu {path} hỏng ({verdict}).",
                "dừng máy nhắc việc rồi khôi phục bản sao mới nhất: reminder restore TỆP",
            )
        version = found(database)
        if version < SHIPPED.version:
            words = f"Dữ liệu {database.name} của bản chương trình cũ."
            return warn("database", words, f"{_START}: dữ liệu được nâng cấp lúc ấy")
        if version > SHIPPED.version:
            words = f"Dữ liệu {database.name} của bản chương trình mới hơn bản này."
            return fault("database", words, "cài lại bản mới")
    except ReminderError as error:
        return fault("database", f"Không đọc được dữ liệu: {error}.", "xem docs/operations.md")
    except PermissionError as error:
        words = f"Người dùng đang gõ lệnh không vào được thư mục của {error.filename}."
        return fault("database", words, OWNERS)
    finally:
        database.close()
    return None


def _forbidden(path: Path) -> Path | None:
    """The database or its folder, whichever this user may not write; SQLite needs both."""
    whose = os.access in os.supports_effective_ids
    wanted = os.R_OK | os.W_OK
    places = (path, path.parent)
    return next((p for p in places if not os.access(p, wanted, effective_ids=whose)), None)


def ledger(store: Store) -> Check:
    """The ledger against its chain and against the heads that digests have told."""
    broken = heads.verify(store).broken
    if broken is not None:
        return fault(
            "database",
            f"Sổ ghi đã bị sửa ngoài chương trình, từ ghi nhận số {broken.number} ({broken.what}).",
            "giữ nguyên tệp, tìm bản sao trước đó rồi báo người phụ trách",
        )
    return ok("database", f"Dữ liệu lành lặn; sổ ghi {store.head()[0]} việc còn nguyên chuỗi.")


def daemon(url: str, store: Store, now: datetime) -> Iterator[Check]:
    """Whether one runs and ticks, and whether a channel refuses everything."""
    kept = store.meta("last_tick")
    last = datetime.fromisoformat(kept) if kept else None
    when = f"quét lần cuối {local(last):%H:%M %d/%m/%Y}" if last else "chưa quét lần nào"
    with closing(Database(url, busy=BUSY)) as database:
        lock = lock_of(database)
        idle = lock.take()
        lock.release()
    if idle:
        yield warn("daemon", f"Máy nhắc việc không chạy ({when}).", _START)
    elif last is None or now - last > SILENT:
        yield fault(
            "daemon",
            f"Máy nhắc việc chạy mà không quét ({when}).",
            "xem dòng cuối của nhật ký; thường là ổ đĩa đầy hoặc dữ liệu bị khóa",
        )
    else:
        yield ok("daemon", f"Máy nhắc việc đang chạy, {when}.")
    for channel in ("telegram", "email"):
        if since := store.meta(f"down:{channel}"):
            at = f"{local(datetime.fromisoformat(since)):%H:%M %d/%m/%Y}"
            yield fault(
                f"{channel}-down", f"Kênh {channel} từ chối mọi tin từ {at}.", _mend(channel)
            )


def _mend(channel: str) -> str:
    if channel == "telegram":
        return "lấy lại mã bot từ @BotFather, ghi vào [telegram] token rồi khởi động lại"
    return "xem tên đăng nhập, mật khẩu ở [email]"
