"""What lies on the disk: room, rights, copies."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from reminder.core.workdays import local
from reminder.doctor.check import Check, fault, ok, warn
from reminder.ops.backups import Backups

_MEGABYTE = 1_000_000
SCARCE = 500 * _MEGABYTE  # free space below which it is time to make room
TOO_LITTLE = 50 * _MEGABYTE
_OTHERS = 0o077
OLD = timedelta(days=2)  # of a daily copy: one night was missed
TOO_OLD = timedelta(days=7)


def space(places: Iterable[Path]) -> Iterator[Check]:
    """Free space where the database and its copies lie, a line a disk."""
    seen: set[int] = set()
    for place in places:
        folder = next((p for p in (place, *place.parents) if _is_folder(p)), None)
        if folder is None or folder.stat().st_dev in seen:
            continue
        seen.add(folder.stat().st_dev)
        free = shutil.disk_usage(folder).free
        words = f"Ổ đĩa của {folder} còn trống {_size(free)}"
        if free < TOO_LITTLE:
            yield fault("disk", f"{words}: sắp không ghi được nữa.", "xóa bớt tệp trên ổ đĩa ấy")
        elif free < SCARCE:
            yield warn("disk", f"{words}.", "xóa bớt tệp trên ổ đĩa ấy trước khi đầy")
        else:
            yield ok("disk", f"{words}.")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # it lies in a folder that this user may not enter
        return False


def _size(free: int) -> str:
    megabytes = free / _MEGABYTE
    in_gigabytes = f"{megabytes / 1000:.1f} GB".replace(".", ",")
    return in_gigabytes if megabytes >= 1000 else f"{megabytes:.0f} MB"


def rights(private: Iterable[Path], holding: Iterable[Path]) -> Iterator[Check]:
    """Files that others may read; `holding`: those in which a secret is written."""
    if sys.platform == "win32":
        return  # rights are the folder's there: docs/operations.md
    open_files = [str(path) for path in private if _is_open(path)]
    open_secrets = [str(path) for path in holding if _is_open(path)]
    if open_files:
        names = ", ".join(open_files)
        yield fault(
            "rights", f"Người khác trên máy đọc được: {names}.", f"chmod 600 {' '.join(open_files)}"
        )
    if open_secrets:
        names = ", ".join(open_secrets)
        yield warn(
            "secrets",
            f"Người khác trên máy đọc được tệp có bí mật: {names}.",
            f"chmod 600 {' '.join(open_secrets)}",
        )
    if not open_files and not open_secrets:
        yield ok("rights", "Dữ liệu và bí mật chỉ chủ của chúng đọc được.")


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False


def copies(backups: Backups, last: str | None, last_away: str | None, now: datetime) -> list[Check]:
    """How old the newest daily copies are; `last`…: when they were made, ISO."""
    found = [_age("backup", backups.folder, last, now)]
    second = backups.second_folder
    if second is None:
        found.append(
            warn(
                "second-backup",
                "Chưa có bản sao ở ổ đĩa khác: ổ này hỏng thì mất cả dữ liệu lẫn bản sao.",
                "đặt [backup] second_folder",
            )
        )
    elif not _is_folder(second):
        words = f"Thư mục bản sao thứ hai {second} không có."
        found.append(fault("second-backup", words, "cắm ổ đĩa ấy, hoặc tạo thư mục"))
    elif _same_disk(second, backups.database.parent):
        words = f"Thư mục bản sao thứ hai {second} nằm cùng ổ đĩa với dữ liệu."
        found.append(warn("second-backup", words, "chọn thư mục ở ổ đĩa khác"))
    else:
        found.append(_age("second-backup", second, last_away, now))
    return found


def _age(name: str, folder: Path, kept: str | None, now: datetime) -> Check:
    remedy = "xem nhật ký có dòng “backup failed” không; sao ngay: reminder backup TỆP"
    if not kept:
        return warn(name, f"Chưa có bản sao nào ở {folder}.", "để máy chạy qua giờ sao lưu")
    made = datetime.fromisoformat(kept)
    words = f"Bản sao cuối ở {folder}: {local(made):%H:%M %d/%m/%Y}"
    if now - made > TOO_OLD:
        return fault(name, f"{words}, đã quá 7 ngày.", remedy)
    if now - made > OLD:
        return warn(name, f"{words}, đã quá 2 ngày.", remedy)
    return ok(name, f"{words}.")


def _same_disk(one: Path, other: Path) -> bool:
    try:
        return one.stat().st_dev == other.stat().st_dev
    except OSError:
        return False


def data_files(database: Path, folders: Sequence[Path]) -> list[Path]:
    """The database with what SQLite keeps beside it, and all copies."""
    beside = [*database.parent.glob(f"{database.name}*")] if _is_folder(database.parent) else []
    return [
        *beside,
        *(f for folder in filter(_is_folder, folders) for f in sorted(folder.glob("*.db"))),
    ]
