"""The wired daemon as others watch it: page, figures, heartbeat, systemd."""

from __future__ import annotations

import json
import re
import socket
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from reminder.app.wiring import Program
from tests.app.kit import (
    CHATS,
    Mailbox,
    SetClock,
    enrolled,
    logged,
    mail_server,
    runs,
    settings,
    wired_fast,
)
from tests.fakes.http import HttpServer
from tests.fakes.telegram import FakeTelegram
from tests.services.world import at
from tests.waiting import until

WATCH = '[watch]\nlisten = "127.0.0.1:0"\n'


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


async def asked(wired: Program, path: str) -> httpx.Response:
    [server] = wired.servers
    await until(lambda: server.port > 0)
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"http://127.0.0.1:{server.port}{path}")


def samples(text: str) -> dict[str, float]:
    """“name{label=value}” → value, as Prometheus' own parser reads the page."""
    return {
        sample.name
        + "".join(f"{{{k}={v}}}" for k, v in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.asyncio
async def test_health_and_figures(tmp_path: Path, mailbox: Mailbox) -> None:
    """After the slot's nudges: 200, and numbers that add up; no name, address or token in them."""
    clock = SetClock(at("24/01", "07:59"))
    async with FakeTelegram() as telegram, mail_server(mailbox) as port:
        wired = wired_fast(settings(tmp_path, telegram, port, more=WATCH), clock)
        enrolled(wired, telegram, clock, "an")
        monitor = wired.monitor
        async with runs(wired):
            clock.moment = at("24/01", "08:02")
            await telegram.until(lambda: bool(telegram.sent_to(CHATS["an"])))
            await until(lambda: len(mailbox.to("binh")) == 1)
            await until(lambda: wired.store.counts()["leased"] == 0)
            await until(lambda: monitor.liveness.faults() == {})
            health = await asked(wired, "/healthz")
            page = await asked(wired, "/metrics")
            counts = await wired.daemon.do(wired.store.counts)
    assert health.json() == {"status": "ok", "faults": {}}
    found = samples(page.text)
    assert found["reminder_healthy"] == 1
    assert found["reminder_messages{state=sent}"] == counts["sent"] >= 2
    assert found["reminder_outbox_depth"] == 0
    assert found["reminder_ledger_events"] == 0
    assert found["reminder_tasks_open"] > 0
    assert found["reminder_unreachable_people"] == 5  # units that have nobody
    assert found["reminder_messages_not_taken"] == 0
    assert found["reminder_database_bytes"] > 4096
    assert found["reminder_last_tick_timestamp_seconds"] == at("24/01", "08:02").timestamp()
    assert found["reminder_delivery_delay_seconds_count{channel=email}{kind=nudge}"] == 1
    assert found["reminder_delivery_delay_seconds_sum{channel=email}{kind=nudge}"] == 120
    said = page.text + json.dumps(health.json())
    for secret in (telegram.token, "An", "Bình", "example.vn", "tu-phap", "1c"):
        assert not re.search(rf"\b{re.escape(secret)}\b", said)


@pytest.mark.asyncio
async def test_a_database_that_can_not_be_written_is_no_health(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """Before its first tick, and once ticks are no more written down, 503 says why."""
    clock = SetClock(at("24/01", "09:00"))
    async with mail_server(mailbox) as port:
        wired = wired_fast(settings(tmp_path, None, port, more=WATCH), clock)
        monitor = wired.monitor
        now = 0.0
        monitor.liveness.monotonic = lambda: now
        monitor.liveness.start()
        async with runs(wired):
            await until(lambda: monitor.liveness.faults() == {})
            assert (await asked(wired, "/healthz")).status_code == 200
            wired.daemon.mark = lambda name: None if name == "ticked" else monitor.mark(name)
            now = 151.0
            await until(lambda: "sending" not in monitor.liveness.faults())
            monitor.mark("tried")
            ill = await asked(wired, "/healthz")
    assert ill.status_code == 503
    assert ill.json()["status"] == "fault"
    assert ill.json()["faults"]["ticked"].startswith("no tick was written down for ")


@pytest.mark.asyncio
async def test_a_good_tick_is_told_outside(tmp_path: Path, mailbox: Mailbox) -> None:
    """The heartbeat comes by itself; its address is in no line of the log."""
    calls: list[str] = []

    async def taken() -> web.Response:
        calls.append("ping")
        return web.Response(text="OK")

    server = HttpServer({"/ping/very-secret": taken})
    await server.start("127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.port}/ping/very-secret"
    clock = SetClock(at("24/01", "09:00"))
    async with mail_server(mailbox) as port:
        more = f'[watch]\nheartbeat_url = "{url}"\n'
        async with runs(wired_fast(settings(tmp_path, None, port, more=more), clock)):
            await until(lambda: bool(calls))
    await server.stop()
    assert calls == ["ping"]


@pytest.mark.asyncio
async def test_the_daily_copy_comes_by_itself(
    tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """One a day, however often it is looked for; a missing second disk is one line."""
    clock = SetClock(at("24/01", "09:00"))
    async with mail_server(mailbox) as port:
        more = '[backup]\nfolder = "copies"\nsecond_folder = "usb"\nhour = "02:30"\n'
        wired = wired_fast(settings(tmp_path, None, port, more=more), clock)
        wired.daemon.backup_seconds = 0.05
        looks = 0
        look = wired.daemon.backup
        assert look is not None

        def counted() -> None:
            nonlocal looks
            looks += 1
            look()

        wired.daemon.backup = counted
        async with runs(wired):
            await until(lambda: looks >= 3)
            clock.moment = at("25/01", "02:30")
            await until(lambda: len(list((tmp_path / "copies").glob("*"))) == 2)
    assert sorted(file.name for file in (tmp_path / "copies").iterdir()) == [
        "r-2024-01-24.db", "r-2024-01-25.db",
    ]  # fmt: skip
    [line] = logged(caplog, "backup")
    assert line == (
        f"backup failed: the second folder of copies, {tmp_path / 'usb'}, is not there: "
        "connect its disk"
    )


@pytest.mark.asyncio
@pytest.mark.skipif(sys.platform == "win32", reason="systemd is Linux's")
async def test_systemd_hears_of_start_reload_and_end(
    tmp_path: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """READY, a sign of life and a status, RELOADING and READY around changed files, STOPPING."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "20000")
        words: list[str] = []

        def told(*wanted: str) -> bool:
            while True:
                try:
                    words.append(heard.recv(4096).decode())
                except BlockingIOError:
                    return set(wanted) <= set(words)

        clock = SetClock(at("24/01", "09:00"))
        async with mail_server(mailbox) as port:
            config = settings(tmp_path, None, port)
            wired = wired_fast(config, clock)
            async with runs(wired):
                await until(lambda: told("READY=1", "WATCHDOG=1", "STATUS=runs"))
                words.clear()
                people = tmp_path / "people.toml"
                people.write_text(people.read_text("utf-8").replace('"An"', '"Ân"'), "utf-8")
                await until(lambda: told("RELOADING=1", "READY=1"))
                words.clear()
                wired._end()
                await until(lambda: told("STOPPING=1"))
    assert words
