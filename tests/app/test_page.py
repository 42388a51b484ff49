"""The page in a process of its own, beside the daemon, on the same database and files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from reminder.app.channels import mail_secret
from reminder.app.wiring import PageProgram, page_program
from reminder.domain.errors import ReminderError
from reminder.domain.weblinks import WebLinks
from reminder.store.store import Store
from tests.app.kit import Mailbox, SetClock, mail_server, runs, settings, wired_fast
from tests.services.world import at
from tests.waiting import until, within

WEB = '[web]\nlisten = "127.0.0.1:0"\nbase_url = "http://127.0.0.1:8080"\n'
HOST = {"host": "127.0.0.1:8080", "origin": "http://127.0.0.1:8080"}


async def visited(page: PageProgram, method: str, path: str, cookie: str = "") -> httpx.Response:
    """The answer of this process to a browser behind a proxy."""
    [server] = page.servers
    url = f"http://127.0.0.1:{server.port}{path}"
    headers = HOST | ({"cookie": cookie} if cookie else {})
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.request(method, url, headers=headers)


@pytest.mark.asyncio
async def test_a_session_of_one_process_holds_in_another_until_the_person_leaves(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """Each takes up changed files by itself; the daemon goes on beside them."""
    clock = SetClock(at("24/01", "09:00"))
    async with mail_server(mailbox) as port:
        config = settings(tmp_path, None, port, more=WEB)
        async with runs(wired_fast(config, clock)) as wired:
            pages = [page_program(config, clock) for _ in range(2)]
            for page in pages:
                page.daemon.reload_seconds = 0.05
            tasks = [asyncio.create_task(page.run()) for page in pages]
            await until(lambda: all(page.servers[0].port for page in pages))
            assert (await visited(pages[0], "GET", "/healthz")).json() == {"status": "ok"}
            link = await wired.daemon.do(lambda: _link(wired.store, clock))
            signed = await visited(pages[0], "POST", link)
            cookie = signed.headers["set-cookie"].partition(";")[0]
            seen = [(await visited(page, "GET", "/quyet", cookie)).status_code for page in pages]
            people = tmp_path / "people.toml"
            text = people.read_text("utf-8")
            people.write_text(text.replace('id = "chi"', 'id = "chinh"'), "utf-8")
            await until(lambda: all("chi" not in p.daemon.service.office.people for p in pages))
            gone = [(await visited(page, "GET", "/quyet", cookie)).status_code for page in pages]
            for page in pages:
                page.daemon.worker.stop.set()
            await within(asyncio.gather(*tasks), "the pages' end")
    assert (seen, gone) == ([200, 200], [303, 303])


def _link(store: Store, clock: SetClock) -> str:
    links = WebLinks(base_url=HOST["origin"], secret=mail_secret(store))
    return links.login(store.add_login("chi", clock.now())).removeprefix(links.base_url)


def test_a_page_that_is_off_says_what_turns_it_on(tmp_path: Path) -> None:
    config = settings(tmp_path, None, 9)
    with pytest.raises(ReminderError, match="REMINDER_WEB__LISTEN"):
        page_program(config, SetClock(at("24/01", "09:00")))
