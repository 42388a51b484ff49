"""The daily copy of the database: when it is due, where it goes, which old ones are deleted."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from reminder.domain.calendar import instant, local, local_day
from reminder.domain.errors import ReminderError
from reminder.store.records import BACKED_UP, BACKED_UP_AWAY, meta_moment

if TYPE_CHECKING:
    from reminder.store.store import Store

PRIVATE_FOLDER = 0o700
PRIVATE = 0o600
PAUSE = timedelta(minutes=15)  # after a copy that failed
_DAY = timedelta(days=1)


def is_due(last: datetime | None, hour: time, now: datetime) -> bool:
    """Return whether the daily copy of `hour` is due; `last` is the time of the last one.

    A machine that is off at that hour makes it when it is on again. A last copy that lies in the
    future was made by a clock that ran ahead: it counts for nothing.
    """
    today = instant(local_day(now), hour)
    turn = today if today <= now else instant(local_day(now) - _DAY, hour)
    return last is None or not turn <= last <= now


@dataclass(kw_only=True)
class Backups:
    """The copies of one database."""

    stem: str  # of their names
    folder: Path
    suffix: str = ".db"
    database: Path | None = None  # the file; None: PostgreSQL's lies elsewhere
    second_folder: Path | None = None  # must be there: another disk's, that may be unplugged
    keep: int = 14  # in each folder
    hour: time = time(2, 30)
    _fault: ReminderError = field(default_factory=ReminderError)
    _failed: datetime | None = None  # a full disk is not written to each minute

    @property
    def marks(self) -> tuple[str, ...]:
        """The names of the store's marks with the time of each copy."""
        return (BACKED_UP, BACKED_UP_AWAY) if self.second_folder else (BACKED_UP,)

    def look(self, store: Store, now: datetime) -> None:
        """Make the copies that are due; then ReminderError for those that failed."""
        if self._failed is not None and timedelta(0) <= now - self._failed < PAUSE:
            raise self._fault
        self._failed = None
        faults = []
        for mark, folder in self.due(store, now):
            try:
                self._make(store, mark, folder, now)
            except ReminderError as error:
                faults.append(str(error))
            else:
                store.set_meta(mark, now.isoformat())
        if faults:
            self._failed, self._fault = now, ReminderError("; ".join(faults))
            raise self._fault

    def due(self, store: Store, now: datetime) -> list[tuple[str, Path]]:
        """Return the copies that are due: the mark of each, and its folder."""
        folders = ((BACKED_UP, self.folder), (BACKED_UP_AWAY, self.second_folder))
        return [
            (mark, folder)
            for mark, folder in folders
            if folder and is_due(meta_moment(mark, store.meta(mark)), self.hour, now)
        ]

    def _make(self, store: Store, mark: str, folder: Path, now: datetime) -> None:
        if folder == self.second_folder and not self._is_connected(folder, store):
            raise ReminderError(
                f"the second folder of copies, {folder}, is not there: connect its disk"
            )
        with suppress(OSError):  # the copy itself says what is wrong with the folder
            folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        target = folder / f"{self.stem}-{local(now):%Y-%m-%d}{self.suffix}"
        if store.meta(mark) is None and target.exists():
            # This database never made a copy: today's is of another one, which was lost perhaps.
            with suppress(OSError):
                target.replace(target.with_suffix(f".cu{self.suffix}"))
        store.backup(str(target))
        copies = self.copies(folder)
        for old in copies[: -self.keep]:
            with suppress(OSError):
                old.unlink()
        for kept in copies[-self.keep :]:  # one that was put there by hand may be open to others
            with suppress(OSError):
                kept.chmod(PRIVATE)

    def _is_connected(self, folder: Path, store: Store) -> bool:
        """Return False for a missing folder, and for the bare mount point of another disk.

        That one lies on the database's disk, and the copies that were made there are gone.
        """
        if not folder.is_dir():
            return False
        emptied = bool(store.meta(BACKED_UP_AWAY)) and not self.copies(folder)
        beside = self.database or self.folder
        return not emptied or folder.stat().st_dev != beside.stat().st_dev

    def copies(self, folder: Path) -> list[Path]:
        """Return the daily copies in `folder`, the oldest first."""
        stem, suffix = re.escape(self.stem), re.escape(self.suffix)
        name = re.compile(rf"{stem}-\d{{4}}-\d\d-\d\d{suffix}")
        try:
            return sorted(file for file in folder.iterdir() if name.fullmatch(file.name))
        except OSError:
            return []
