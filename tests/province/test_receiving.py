"""A province's processes and what people write: by webhooks, by polls, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from reminder.files.settings import Settings, StoreSection, WebSection
from reminder.province.roles import ROLES, Process, open_province
from reminder.store.offices import Stores
from tests.app.kit import reserved_port
from tests.fakes.blank import lay_blank
from tests.fakes.telegram import FakeTelegram
from tests.province.kit import BEGUN, CHATS, Clock, add_account, add_office
from tests.waiting import until, within

pytestmark = pytest.mark.asyncio
CHI = int(CHATS["chi"])


@pytest.fixture(autouse=True)
def timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's coming type of retry_after, without its warning."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    monkeypatch.setenv("BOT", "4242:fake")
    monkeypatch.setenv("ZALO", "1:zalo")


@asynccontextmanager
async def serving(folder: Path, telegram: FakeTelegram, port: int) -> AsyncIterator[Stores]:
    """A process with all roles, of two offices by one bot; `port`: of its page, 0: it has none."""
    lay_blank(folder / "r.db")
    web = WebSection(listen=f"127.0.0.1:{port}" if port else "", base_url="https://nhac.example.vn")
    url = f"sqlite:///{(folder / 'r.db').as_posix()}"
    settings = replace(Settings(), store=StoreSection(url=url), web=web if port else WebSection())
    clock = Clock()
    province = open_province(settings, clock)
    add_account(province.stores, "bot", settings=f'{{"base_url": "{telegram.base_url}"}}')
    for office in ("a", "b"):
        add_office(province.stores, office)
    province.stores.of("b").bind("chi", "telegram", CHATS["chi"], BEGUN)
    process = Process(province, ROLES)
    running = asyncio.create_task(process.run())
    try:
        yield province.stores
    finally:
        process.stop.set()
        await within(running, "the process's end")


async def test_deliveries_to_any_process_are_taken_once(tmp_path: Path) -> None:
    """The webhook is set with a secret of the account's own; the answer leaves by the bot."""
    with reserved_port() as port:
        async with (
            FakeTelegram(local=True, enforce_limits=False) as telegram,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as provider,
        ):
            telegram.webhook.by = f"http://127.0.0.1:{port}"
            telegram.start(CHI)
            async with serving(tmp_path, telegram, port):
                await until(lambda: telegram.webhook.url != "")
                assert telegram.webhook.url == "https://nhac.example.vn/vao/telegram/bot"
                telegram.user_sends(CHI, "/done 4b")
                await until(lambda: any("Đã ghi 4b" in m.text for m in telegram.sent_to(CHI)))
                await until(lambda: telegram.pending == [])
                header = "X-Telegram-Bot-Api-Secret-Token"
                body = {"update_id": 1, "message": {}}
                good, path = telegram.webhook.secret, "/vao/telegram/bot"
                asked = [
                    (path, "0" * 64), (path, ""), ("/vao/telegram/khac", good),
                    ("/vao/zalo/bot", good), ("/vao/", good), (path, good),
                ]  # fmt: skip
                statuses = [
                    (await provider.post(to, json=body, headers={header: secret})).status_code
                    for to, secret in asked
                ]
                large = await provider.post(path, content=b"x" * 300_000)
    assert telegram.webhook.answers == [200]
    assert statuses == [403, 403, 404, 404, 404, 200]
    assert large.status_code == 413
    assert "getUpdates" not in [call.method for call in telegram.calls]


async def test_without_a_public_address_the_bot_is_polled(tmp_path: Path) -> None:
    """A webhook that was set before is removed; what waited comes."""
    async with FakeTelegram(local=True, enforce_limits=False) as telegram:
        telegram.webhook.url = "http://127.0.0.1:1/"
        telegram.user_sends(CHI, "/done 4b")
        async with serving(tmp_path, telegram, 0):
            await until(lambda: any("Đã ghi 4b" in m.text for m in telegram.sent_to(CHI)))
            await until(lambda: telegram.pending == [])
    assert telegram.webhook.url == ""
