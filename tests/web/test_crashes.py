"""kill -9 around the record of a form, and a locked database: nothing is lost or done twice."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from lxml import html as lxml_html
from typer.testing import CliRunner

from reminder.cli import app
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.store.database import Database
from reminder.store.store import Store
from tests.app.kit import reserved_port
from tests.channels.email.test_crashes import started
from tests.conftest import ROOT
from tests.fakes.blank import lay_blank
from tests.people import officers
from tests.services.world import at, world
from tests.waiting import LONGEST, until
from tests.web.browser import Town, later

FORM = "/viec/cchc-2024/1c/1/2024/xong"


def settings(folder: Path, port: int) -> Path:
    """The files of an office with a page on that port."""
    lay_blank(folder / "r.db")
    (folder / "people.toml").write_text(officers("an"), encoding="utf-8")
    (folder / "reminder.toml").write_text(
        f"""
[plan]
files = ["{(ROOT / "data/plan2024.toml").as_posix()}"]
people = "people.toml"
calendar = "{(ROOT / "config/calendar.toml").as_posix()}"
[store]
url = "sqlite:///{(folder / "r.db").as_posix()}"
[web]
listen = "127.0.0.1:{port}"
""",
        encoding="utf-8",
    )
    return folder / "reminder.toml"


@pytest.fixture
def port() -> Iterator[int]:
    with reserved_port() as port:
        yield port


def answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/healthz").status_code > 0
    except httpx.TransportError:
        return False


@asynccontextmanager
async def daemon(base: str, config: Path, *gap: str) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A daemon that answers on 05/02/2024; with `gap`, one that is killed at its first form."""
    shift = str((at("05/02", "09:00") - datetime.now(UTC)).total_seconds())
    module = "tests.web.gap_process" if gap else "tests.daemon_process"
    with started(module, str(config), shift, *gap) as process:
        await until(lambda: answers(base), pause=0.05, apart=True)
        yield process


@pytest.mark.thorough
@pytest.mark.asyncio
async def test_a_form_is_neither_lost_nor_done_twice(tmp_path: Path, port: int) -> None:
    """Killed before the record it may be sent again; between the record and its answer it tells."""
    config, base = settings(tmp_path, port), f"http://127.0.0.1:{port}"
    link = CliRunner().invoke(app, ["web-link", "an", "--json", "--config", str(config)])
    async with httpx.AsyncClient(
        base_url=base, headers={"origin": base}, timeout=LONGEST
    ) as client:
        async with daemon(base, config, "before") as process:
            await client.post(json.loads(link.stdout)["url"])
            page = lxml_html.fromstring((await client.get("/viec/cchc-2024/1c")).text)
            form = page.xpath(f"//form[@action='{FORM}']")[0]
            fields = {one.get("name"): one.get("value", "") for one in form.xpath(".//input")}
            with pytest.raises(httpx.TransportError):
                await client.post(FORM, data=fields)
            assert process.wait(timeout=LONGEST) == -signal.SIGKILL
        assert recorded(tmp_path) == []
        async with daemon(base, config, "after") as process:
            with pytest.raises(httpx.TransportError):
                await client.post(FORM, data=fields)
            assert process.wait(timeout=LONGEST) == -signal.SIGKILL
        assert recorded(tmp_path) == ["done"]
        async with daemon(base, config):
            again = await client.post(FORM, data=fields, follow_redirects=True)
    assert (again.status_code, "chỉ ghi một lần" in again.text) == (200, True)
    assert recorded(tmp_path) == ["done"]


def recorded(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "r.db")) as raw:
        return [kind for (kind,) in raw.execute("SELECT kind FROM event WHERE channel = 'web'")]


def test_a_database_locked_in_mid_act_is_a_sentence_and_the_form_acts_later(
    plan2024: Plan, scheduler: Scheduler, tmp_path: Path
) -> None:
    """Nothing is lost or doubled; what only reads goes on."""
    lay_blank(tmp_path / "r.db")
    store = Store(Database(f"sqlite:///{tmp_path / 'r.db'}", busy=0.01))
    town = Town(world(plan2024, scheduler, store=store), at("05/02", "09:00"))
    browser = town.browser("an").open("/viec/cchc-2024/1c")
    later(town, minutes=30)
    with closing(sqlite3.connect(tmp_path / "r.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert town.browser().open("/dang-nhap").status == 200
        assert browser.open("/viec/cchc-2024/1c").status == 200
        browser.press("Báo xong")
        heading = browser.page.xpath("string(//h1)")
        say = "Máy đang bận, chưa ghi được gì. Xin thử lại sau một phút."
        assert (browser.status, heading) == (503, say)
        assert town.world.events() == []
    browser.again()
    assert "Đã ghi. ✅ Đã ghi 1c" in browser.words
    browser.again()
    assert "Đã ghi rồi" in browser.words
    assert town.world.events() == ["done 1c.1 2024 tu-phap an"]
    store.close()
