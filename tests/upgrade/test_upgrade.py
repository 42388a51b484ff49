"""A database and the settings of the release before open, and the program goes on with them.

reminder.sql and waiting.txt were made with that release, by the script in made_with.txt; where a
message was reworded since, `python -m tests.upgrade.test_upgrade` writes waiting.txt anew.
"""

from __future__ import annotations

import sqlite3
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from reminder.app.bootstrap import read_files
from reminder.app.channels import known_channels
from reminder.domain.schedule import Scheduler
from reminder.files.calendar import load_calendar
from reminder.files.people import load_people
from reminder.files.plan import load_plan
from reminder.files.settings import Secret, load_settings
from reminder.store.store import Store, open_store
from tests.services.world import EMAIL, World, at, world
from tests.store.conftest import no_sleep

FOLDER = Path(__file__).parent
CONFIG = FOLDER / "config"
PLAN = load_plan(CONFIG / "plan2024.toml")
PEOPLE = load_people(CONFIG / "people.toml", {unit.id for unit in PLAN.units}, known_channels())
NOW = at("05/02", "08:10")


@contextmanager
def opened(folder: Path, dump: str = "reminder.sql") -> Iterator[Store]:
    """The old database, opened as a daemon does."""
    path = folder / "reminder.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript((FOLDER / dump).read_text("utf-8"))
    with closing(open_store(f"sqlite:///{path}", exclusive=True, sleep=no_sleep)) as store:
        yield store


def office(store: Store) -> World:
    """The people of that database, five minutes after it was last written."""
    calendar = load_calendar(CONFIG / "calendar.toml", [2023, 2024, 2025])
    start = at("05/02", "08:05")
    return world(PLAN, Scheduler(calendar), people=PEOPLE, bound=(), store=store, start=start)


def said(found: World) -> str:
    """Each message that waits, as it is read where it goes."""
    found.service.tick(NOW)
    found.deliver(NOW)
    told = {}
    for rendered in found.outgoing:
        row, draft, message = rendered.row, rendered.row.draft, rendered.message
        head = (
            f"## {row.id} {draft.kind} to {draft.recipient} ({rendered.address}) by {draft.channel}"
        )
        text = message.text if draft.channel == EMAIL else message.chat_text
        told[row.id] = "\n".join((f"{head}: {message.subject}", text, ""))
    return "\n".join(told[row] for row in sorted(told))


def test_the_database_is_migrated_and_its_ledger_is_whole(tmp_path: Path) -> None:
    """No event and no row is lost or changed; a copy is set aside."""
    with opened(tmp_path) as store:
        assert store.verify() is None
        assert len(store.events()) == store.head()[0] == 23
        assert store.counts() == {
            "pending": 144,
            "leased": 3,
            "sent": 82,
            "dead": 1,
            "superseded": 0,
            "dropped": 0,
            "returned": 0,
            "unknown": 0,
        }
    assert (tmp_path / "reminder.db.schema-0002.bak").is_file()


def test_the_migration_knows_what_each_row_names(tmp_path: Path) -> None:
    """As this program does when it writes a row."""
    with opened(tmp_path) as store:
        rows = store.rows(limit=1000)
        keys = {key for row in rows for key in row.draft.payload.occurrences()}
        assert len(keys) > 10
        for key in keys:
            naming = [row.id for row in rows if key in row.draft.payload.occurrences()]
            assert [row.id for row in store.rows(naming=[key], limit=1000)] == naming


def test_what_waited_is_said_word_for_word(tmp_path: Path) -> None:
    """Rows of every kind and of every view, written by the release before."""
    with opened(tmp_path) as store:
        assert said(office(store)) == (FOLDER / "waiting.txt").read_text("utf-8")


def test_the_office_goes_on(tmp_path: Path) -> None:
    """An answer to what the release before has asked, and the mornings after it."""
    with opened(tmp_path) as store:
        found = office(store)
        said(found)
        found.updates = 100_000  # after all that the database has seen
        found.says("201", "xong 1d báo cáo", at("05/02", "09:00"))
        found.says("203", "/dongy 1c", at("05/02", "09:01"))
        assert found.events()[23:] == ["done 1d.1 2024 tu-phap an"]
        (nudge,) = found.tick(at("06/02", "08:00"))
        assert nudge == (
            "telegram cuc nudge: Chào anh/chị. Hôm nay, Thứ Ba 06/02, là hạn của "
            "4b Dự toán ngân sách nhà nước năm 2024 (gia hạn từ 31/01)."
        )
        assert store.verify() is None


def test_where_a_message_went_is_filled_in_as_far_as_it_is_known(tmp_path: Path) -> None:
    """Of a group that has moved nobody knows it."""
    with opened(tmp_path, "schema0003.sql") as store:
        went = {row.id: row.address for row in store.rows()}
    assert went == {
        **dict.fromkeys((1, 3, 8, 12), ""),  # the group's
        **dict.fromkeys((2, 6, 7, 10, 11), "103"),
        **dict.fromkeys((5, 9, 14), "104"),
        **dict.fromkeys((4, 13), "binh@example.vn"),
    }


def test_a_reply_counts_only_where_the_old_message_stands(tmp_path: Path) -> None:
    """In the officer's own chat it closes; in the group that has moved it names nothing."""
    with opened(tmp_path, "schema0003.sql") as store:
        calendar = load_calendar(CONFIG / "calendar.toml", [2023, 2024, 2025])
        start = at("26/01", "08:30")
        found = world(PLAN, Scheduler(calendar), bound=(), store=store, start=start)
        found.updates = 100
        group = {"chat": "-100500", "private": False, "reply_to": "1012"}
        assert found.says("an", "xong", at("26/01", "09:00"), **group) == []
        found.says("dung", "xong 4b", at("26/01", "09:01"), reply_to="1014")
        assert found.events()[1:] == ["done 4b.1 2024 tai-chinh-ke-toan dung"]
        assert store.verify() is None


def test_every_setting_means_what_it_meant(tmp_path: Path) -> None:
    """And the files that it names are read."""
    written = tomllib.loads((CONFIG / "reminder.toml").read_text("utf-8"))
    for file in CONFIG.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "ca.pem").touch()
    (tmp_path / "second").mkdir()
    settings = load_settings(tmp_path / "reminder.toml", {})
    assert read(written, settings, tmp_path) == written
    files = read_files(settings, NOW)
    assert files.plans == (PLAN,)
    assert files.people == PEOPLE


def read(table: Mapping[str, Any], section: object, folder: Path) -> dict[str, Any]:
    """The settings of `section` that stand in `table`, as one writes them."""
    return {
        key: read(value, getattr(section, key), folder)
        if isinstance(value, dict)
        else as_written(key, getattr(section, key), folder)
        for key, value in table.items()
    }


def as_written(key: str, value: Any, folder: Path) -> object:
    if key == "speaks_until":
        month, day = value
        return f"{day:02}/{month:02}"
    match value:
        case Secret():
            return value.value
        case Path():
            return value.relative_to(folder).as_posix()
        case time():
            return f"{value:%H:%M}"
        case tuple() | list():
            return [as_written("", each, folder) for each in value]
    return value


if __name__ == "__main__":
    with TemporaryDirectory() as name, opened(Path(name)) as kept:
        (FOLDER / "waiting.txt").write_text(said(office(kept)), "utf-8")
