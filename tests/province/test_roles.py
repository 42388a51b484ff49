"""A process of a province: its work, its health and figures, its end; and what it refuses."""

from __future__ import annotations

import asyncio
import json
import platform
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from reminder.app import bootstrap
from reminder.app.logs import set_up
from reminder.app.offices import OF_ONE
from reminder.domain.errors import ReminderError
from reminder.files.settings import BackupSection, StoreSection, WatchSection
from reminder.province import roles
from reminder.province.process import Part, Province
from reminder.province.roles import Process
from reminder.store import dump
from reminder.store.accounts import Accounts
from reminder.store.offices import Stores
from reminder.store.records import StoreRefusedError
from reminder.store.store import open_store
from tests.cli.test_people import Terminal
from tests.fakes.blank import memory_store
from tests.fakes.telegram import FakeTelegram
from tests.province.kit import BEGUN, CHATS, SETTINGS, Clock, add_account, add_office, province_of
from tests.services.world import at
from tests.waiting import until, within

WATCHED = replace(SETTINGS, watch=WatchSection(listen="127.0.0.1:0"))


@pytest.fixture
def stores() -> Iterator[Stores]:
    stores = Stores(memory_store())
    yield stores
    stores.close()


@asynccontextmanager
async def running(stores: Stores, *names: str) -> AsyncIterator[Process]:
    """A process with these roles, until the test is through with it."""
    clock = Clock(at("31/01", "08:00"))
    province = province_of(stores, clock, WATCHED)
    process = Process(province, names)
    task = asyncio.create_task(process.run())
    try:
        await until(lambda: task.done() or any(server.port for server in process.servers))
        yield process
    finally:
        process.stop.set()
        await within(task, "the process's end")


async def asked(process: Process, path: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(f"http://127.0.0.1:{process.servers[0].port}{path}", timeout=60)


@pytest.mark.asyncio
async def test_one_process_with_all_roles_ticks_and_sends_for_all(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within its first minute, and a figure tells what waits by account."""
    async with FakeTelegram() as telegram:
        monkeypatch.setenv("BOT", telegram.token)
        add_account(stores, "bot", settings=json.dumps({"base_url": telegram.base_url}))
        add_account(stores, "idle")
        for number, office in enumerate(("a", "b"), start=1):
            add_office(stores, office, chats=str(number))
            for chat in CHATS.values():
                telegram.start(int(f"{number}{chat}"))
        async with running(stores, "worker", "tick") as process:
            await until(lambda: {message.chat_id for message in telegram.sent} >= {1101, 2101})
            health = await asked(process, "/healthz")
            figures = (await asked(process, "/metrics")).text
        assert (health.status_code, health.json()) == (200, {"status": "ok"})
        said = [line for line in figures.splitlines() if line.startswith("reminder_account_down")]
        labels = [f'{{account="{account}"}}' for account in ("bot", "idle")]
        assert said == [f"reminder_account_down{label} 0.0" for label in labels]
        for name in ("queue_messages", "queue_age_seconds", "offices_faulty", "tick_lag_seconds"):
            assert f"\nreminder_{name}" in figures


@pytest.mark.asyncio
@pytest.mark.usefixtures("root")
async def test_a_line_of_the_log_names_the_office_or_the_account_at_work(
    stores: Stores,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A tick its office; what becomes of a message its office and the account."""
    set_up("json", "info", [])
    lines: list[dict[str, str]] = []

    def logged() -> list[dict[str, str]]:
        lines.extend(map(json.loads, capsys.readouterr().err.splitlines()))
        return lines

    def ended(lines: list[dict[str, str]]) -> set[tuple[str, str]]:
        return {(e["office"], e["account"]) for e in lines if "was given up" in e["message"]}

    async with FakeTelegram() as telegram:
        monkeypatch.setenv("BOT", telegram.token)
        add_account(stores, "bot", settings=json.dumps({"base_url": telegram.base_url}))
        for number, office in enumerate(("a", "b"), start=1):
            add_office(stores, office, chats=str(number))
        async with running(stores, "worker", "tick"):
            await until(lambda: len(ended(logged())) == 2)
    ticked = [one["office"] for one in logged() if one["message"].startswith("tick ")]
    assert sorted(ticked) == ["a", "b"]
    assert ended(logged()) == {("a", "bot"), ("b", "bot")}


@pytest.mark.asyncio
async def test_the_figures_of_the_province_are_said_by_the_role_tick(stores: Stores) -> None:
    async with running(stores, "worker") as process:
        figures = (await asked(process, "/metrics")).text
    assert "reminder_queue_messages" not in figures
    assert "reminder_build_info" in figures


@pytest.mark.asyncio
async def test_the_daily_copy_is_made_once_over_all_processes(
    tmp_path: Path,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where pg_dump is missing that is said once; the copy's age is a figure."""
    settings = replace(
        WATCHED,
        store=StoreSection(url=postgres_url),
        backup=BackupSection(folder=tmp_path / "copies"),
    )
    with ExitStack() as opened:

        def province() -> Province:
            store = open_store(postgres_url, exclusive=False, sleep=bootstrap.pause)
            stores = opened.enter_context(closing(Stores(store)))
            return province_of(stores, Clock(), settings)

        both = [province(), province()]
        copies = [roles.copies(each).handlers[roles.COPIES] for each in both]
        with monkeypatch.context() as bare:
            bare.setattr(dump, "DEBIAN", tmp_path)
            bare.setenv("PATH", str(tmp_path))
            for copy in (copies[0], copies[0]):
                await copy("")
        (record,) = caplog.records
        assert record.getMessage() == (
            "backup failed: pg_dump is not installed: install PostgreSQL's client programs "
            "(Debian: apt-get install postgresql-client)"
        )
        figures = roles.figures(both[0]).figures
        assert figures is not None
        assert not [one for one in await figures() if "backup" in one.name]
        await copies[1]("")
        (copy_made,) = (tmp_path / "copies").iterdir()
        made = copy_made.stat().st_mtime_ns
        for copy in copies:
            await copy("")
        assert copy_made.stat().st_mtime_ns == made
        (told,) = [one for one in await figures() if "backup" in one.name]
        assert (told.name, told.samples[0].value) == (
            "reminder_last_backup_timestamp_seconds", BEGUN.timestamp(),
        )  # fmt: skip


def test_a_role_is_of_a_province_on_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere one process does all, and --role is refused in a sentence."""
    terminal = Terminal(tmp_path, monkeypatch)
    assert terminal.refused("run", "--role", "tick") == (
        "--role chia việc của nhiều phường, mà cơ sở dữ liệu này là của một phường: gõ reminder "
        "run; thêm phường bằng reminder office add"
    )
    with pytest.raises(ReminderError, match="với SQLite một tiến trình làm cả: reminder run"):
        roles.run(terminal.config, ["tick"])


def test_a_role_refuses_what_one_office_alone_has_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    """And runs on a database that is empty still, so that the first office can be added later."""
    terminal = Terminal(tmp_path, monkeypatch)
    terminal.config.write_text(f'[store]\nurl = "{postgres_url}"\n', "utf-8")
    started: list[Sequence[str]] = []

    class Started(Process):
        async def run(self) -> None:
            started.append(self.roles)
            self.province.stores.close()

    monkeypatch.setattr(roles, "Process", Started)
    roles.run(terminal.config, ["tick"])
    assert started == [("tick",)]
    with closing(open_store(postgres_url, exclusive=False, sleep=bootstrap.pause)) as store:
        store.bind("an", "telegram", "1", at("31/01", "08:00"))
    assert terminal.refused("run", "--role", "tick") == OF_ONE
    assert started == [("tick",)]


@pytest.mark.asyncio
async def test_a_process_ends_when_a_newer_program_has_changed_the_tables(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself, in one sentence."""
    monkeypatch.setattr(roles, "LOOK_AT_DATABASE", 0.01)

    def upgrade() -> None:
        with stores.database.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    async def upgraded() -> None:
        async with running(stores, "worker", "tick") as process:
            await process.province.do(upgrade)
            await until(process.stop.is_set)

    with pytest.raises(StoreRefusedError, match="was written by a newer program"):
        await upgraded()


@pytest.mark.asyncio
async def test_a_process_goes_by_the_clock_of_the_database(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And notes for the operator that its machine's is wrong, until it is right."""
    monkeypatch.setattr(roles, "LOOK_AT_DATABASE", 0.01)
    settings = replace(WATCHED, store=StoreSection(url=postgres_url))
    machine = Skewed(timedelta(minutes=-2))
    with closing(Stores(open_store(postgres_url, exclusive=False, sleep=bootstrap.pause))) as seen:
        province = roles.open_province(settings, machine, ["worker"])
        database = Accounts(seen.database)

        def noted() -> dict[str, int]:
            found = seen.wrong_clocks(database.time())
            return {name: round(ahead.total_seconds()) for name, ahead in found.items()}

        process = Process(province, ["worker"])
        running = asyncio.create_task(process.run())
        try:
            await until(lambda: noted() == {platform.node(): -120})
            assert abs(province.clock.now() - database.time()) < timedelta(seconds=2)
            figures = (await asked(process, "/metrics")).text
            (said,) = re.findall(r"^reminder_clock_ahead_seconds (\S+)", figures, re.MULTILINE)
            assert round(float(said)) == -120
            machine.ahead = timedelta(0)
            await until(lambda: not noted())
        finally:
            process.stop.set()
            await within(running, "the process's end")


@dataclass
class Skewed(bootstrap.SystemClock):
    """The clock of a machine that goes wrong."""

    ahead: timedelta

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.mark.asyncio
async def test_work_that_does_not_end_is_broken_off(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A provider or database that never answers holds no process up for good."""
    begun = asyncio.Event()

    async def stuck(_: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(roles, "END", 0.05)
    monkeypatch.setitem(roles.ROLES, "worker", (lambda _: Part(handlers={"stuck": stuck}),))
    async with running(stores, "worker") as process:
        await process.province.engine.wake("stuck", "")
        await within(begun.wait(), "its work")
    assert "is broken off" in caplog.text
