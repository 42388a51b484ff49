"""The daily copies: when one is due, which are kept, what is said when a folder is missing."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.errors import ReminderError
from reminder.ops.backups import PAUSE, Backups, is_due
from reminder.store.records import BACKED_UP, BACKED_UP_AWAY
from reminder.store.store import Store, open_store
from tests.fakes.blank import lay_blank
from tests.services.world import at
from tests.store.conftest import no_sleep

HOUR = time(2, 30)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    lay_blank(tmp_path / "var/r.db")
    with closing(
        open_store(f"sqlite:///{tmp_path}/var/r.db", exclusive=True, sleep=no_sleep)
    ) as opened:
        yield opened


def copies(tmp_path: Path, **more: object) -> Backups:
    values: dict[str, object] = {
        "stem": "r",
        "database": tmp_path / "var/r.db",
        "folder": tmp_path / "copies",
        "hour": HOUR,
    }
    return Backups(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        (None, at("22/01", "12:00"), True),
        (at("22/01", "02:30"), at("22/01", "12:00"), False),
        (at("22/01", "02:30"), at("23/01", "02:29"), False),
        (at("22/01", "02:30"), at("23/01", "02:30"), True),
        (at("22/01", "02:29"), at("22/01", "02:30"), True),
        (at("19/01", "02:30"), at("22/01", "08:01"), True),  # the machine was off at 02:30
        (at("22/01", "08:01"), at("23/01", "02:30"), True),
        (at("31/12", "02:30"), at("22/01", "08:01"), True),  # made by a clock that ran ahead
    ],
)
def test_a_copy_is_due_once_a_day_from_its_hour_on(
    last: datetime | None, now: datetime, due: bool
) -> None:
    assert is_due(last, HOUR, now) == due


@given(
    hour=st.times(),
    start=st.integers(0, 86_399),
    steps=st.lists(st.integers(1, 200_000), min_size=1, max_size=40),
)
def test_never_two_between_two_hours(hour: time, start: int, steps: list[int]) -> None:
    """However the looks fall: a copy for each day that was looked at after its hour, no second."""
    hour = hour.replace(microsecond=0, tzinfo=None, fold=0)
    now = at("22/01", "00:00") + timedelta(seconds=start)
    last: datetime | None = None
    made = set()
    for step in steps:
        now += timedelta(seconds=step)
        if is_due(last, hour, now):
            turn = now - timedelta(hours=hour.hour, minutes=hour.minute, seconds=hour.second)
            day = (turn + timedelta(hours=7)).date()
            assert day not in made
            made.add(day)
            last = now


def test_the_newest_are_kept(store: Store, tmp_path: Path) -> None:
    """Fourteen by name; what else lies in the folder stays; folder and copies are the owner's.

    So is a copy that was open to others, when the next one is made.
    """
    backups = copies(tmp_path, keep=14)
    backups.folder.mkdir(mode=0o700)
    others = {"r-2024.db", "r-2024-01-01.db.bak", "other-2024-01-01.db"}
    for name in others:
        (backups.folder / name).touch()
    for day in range(1, 21):
        if day == 20:
            (backups.folder / "r-2024-02-19.db").chmod(0o644)
        backups.look(store, at(f"{day:02}/02", "02:30"))
        backups.look(store, at(f"{day:02}/02", "09:00"))
    names = {file.name for file in backups.folder.iterdir()}
    assert names - others == {f"r-2024-02-{day:02}.db" for day in range(7, 21)}
    assert names >= others
    modes = {stat.S_IMODE(file.stat().st_mode) for file in backups.copies(backups.folder)}
    assert modes == {0o600}
    assert store.meta(BACKED_UP) == at("20/02", "02:30").isoformat()


def test_todays_copy_of_a_lost_database_is_kept(store: Store, tmp_path: Path) -> None:
    """A database that is new on the same day puts it aside, once."""
    backups = copies(tmp_path)
    backups.folder.mkdir()
    (backups.folder / "r-2024-01-22.db").write_bytes(b"lost")
    for day in ("22/01", "23/01"):
        backups.look(store, at(day, "08:00"))
    names = sorted(file.name for file in backups.folder.iterdir())
    assert names == ["r-2024-01-22.cu.db", "r-2024-01-22.db", "r-2024-01-23.db"]
    assert (backups.folder / "r-2024-01-22.cu.db").read_bytes() == b"lost"


def test_a_folder_that_is_made_is_the_owners(store: Store, tmp_path: Path) -> None:
    backups = copies(tmp_path)
    backups.look(store, at("22/01", "08:00"))
    assert stat.S_IMODE(backups.folder.stat().st_mode) == 0o700


def test_a_missing_second_disk_keeps_nothing_else_back(store: Store, tmp_path: Path) -> None:
    """The first copy is made; the second folder is not made in its disk's stead, and is said."""
    usb = tmp_path / "usb"
    backups = copies(tmp_path, second_folder=usb)
    missing = rf"the second folder of copies, {usb}, is not there: connect its disk"
    for clock in ("08:00", "08:01"):
        with pytest.raises(ReminderError, match=missing):
            backups.look(store, at("22/01", clock))
    assert [file.name for file in backups.folder.iterdir()] == ["r-2024-01-22.db"]
    assert not usb.exists()
    usb.mkdir()
    backups.look(store, at("22/01", "08:00") + PAUSE)
    assert [file.name for file in usb.iterdir()] == ["r-2024-01-22.db"]
    assert (store.meta(BACKED_UP), store.meta(BACKED_UP_AWAY)) == (
        at("22/01", "08:00").isoformat(),
        (at("22/01", "08:00") + PAUSE).isoformat(),
    )


def test_the_mount_point_of_an_unplugged_disk_is_no_second_folder(
    store: Store, tmp_path: Path
) -> None:
    """Its folder is there, empty, and on the database's disk: no copy lands there instead."""
    usb, unplugged = tmp_path / "usb", tmp_path / "unplugged"
    usb.mkdir()
    backups = copies(tmp_path, second_folder=usb)
    backups.look(store, at("22/01", "08:00"))
    usb.rename(unplugged)
    usb.mkdir()
    with pytest.raises(ReminderError, match="is not there: connect its disk"):
        backups.look(store, at("23/01", "08:00"))
    assert list(usb.iterdir()) == []
    usb.rmdir()
    unplugged.rename(usb)
    backups.look(store, at("23/01", "08:00") + PAUSE)
    assert [file.name for file in backups.copies(usb)] == ["r-2024-01-22.db", "r-2024-01-23.db"]


def test_a_failed_copy_is_not_tried_each_minute(store: Store, tmp_path: Path) -> None:
    """The same sentence meanwhile; the older copies stay."""
    backups = copies(tmp_path)
    backups.folder.write_text("a file where the folder should be")
    said = set()
    for minute in (0, 1, 2):
        with pytest.raises(ReminderError) as caught:
            backups.look(store, at("22/01", f"08:{minute:02}"))
        said.add(str(caught.value))
    backups.folder.unlink()
    with pytest.raises(ReminderError) as caught:
        backups.look(store, at("22/01", "08:03"))
    assert said == {str(caught.value)}
    backups.look(store, at("22/01", "08:00") + PAUSE)
    assert len(backups.copies(backups.folder)) == 1


def test_the_daily_copies_of_postgresql_are_dumps(postgres_url: str, tmp_path: Path) -> None:
    """Made, kept and counted as a file's."""
    copying = copies(tmp_path, suffix=".dump", database=None, second_folder=tmp_path / "away")
    (tmp_path / "away").mkdir()
    with closing(open_store(postgres_url, exclusive=True, sleep=no_sleep)) as store:
        for day in ("22/01", "23/01"):
            replace(copying, keep=1).look(store, at(day, "03:00"))
        assert (
            store.meta(BACKED_UP) == store.meta(BACKED_UP_AWAY) == at("23/01", "03:00").isoformat()
        )
    for folder in ("copies", "away"):
        assert [one.name for one in (tmp_path / folder).iterdir()] == ["r-2024-01-23.dump"]
