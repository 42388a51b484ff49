"""The province's page in a real browser without scripts, and what axe finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing

import pytest
import pytest_asyncio

from reminder.store.offices import Stores
from reminder.web.server import PageServer
from tests.app.kit import reserved_port
from tests.fakes.blank import memory_store
from tests.province.test_pages import NOW, OPERATOR, Land, land_in
from tests.waiting import LONGEST
from tests.web.test_chromium import WIDTHS, chromium, wrong_of

pytest.importorskip("playwright", reason="no Playwright here: pip install playwright")

from playwright.async_api import Browser, BrowserContext, Page

__all__ = ["chromium"]  # a fixture
pytestmark = [
    pytest.mark.xdist_group("chromium"),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.thorough,
    pytest.mark.no_cover,
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def served() -> AsyncIterator[Land]:
    """Two offices with late work, of which one has a fault; on a port."""
    with reserved_port() as port, closing(Stores(memory_store())) as stores:
        land = land_in(stores, f"http://127.0.0.1:{port}")
        land.reckon("hoa-an", "hoa-binh")
        stores.settle("hoa-binh", NOW, NOW, fault="plan2024.toml, dòng 31: …", fault_since=NOW)
        server = PageServer(land.app, "127.0.0.1", port)
        assert await server.start()
        yield land
        await server.stop()


async def signed_in(land: Land, context: BrowserContext, mail: str) -> Page:
    context.set_default_timeout(LONGEST * 1000)
    page = await context.new_page()
    await page.goto(land.site.links.login(land.site.store.add_login(mail, NOW)))
    await page.get_by_role("button", name="Đăng nhập").click()
    return page


@pytest.mark.parametrize("width", WIDTHS)
async def test_one_goes_on_to_each_office_without_scripts(
    served: Land, chromium: Browser, width: int
) -> None:
    """By a press on its name, or on a piece of its late work."""
    size = {"width": width, "height": 844}
    context = await chromium.new_context(java_script_enabled=False, viewport=size)  # type: ignore[arg-type]
    page = await signed_in(served, context, "chi@example.vn")
    await page.get_by_role("button", name="Phường hoa-binh").click()
    await page.get_by_role("heading", name="Cần quyết").first.wait_for()
    assert page.url == f"{served.origin}/p/hoa-binh/quyet"
    await page.goto(f"{served.origin}/qua-han")
    section = page.locator("section").filter(has_text="Phường hoa-an")
    place = await section.get_by_role("button").first.get_attribute("value")
    await section.get_by_role("button").first.click()
    await page.get_by_role("button", name="Thoát").wait_for()
    assert page.url == f"{served.origin}/p/hoa-an{place}"
    await context.close()


@pytest.mark.parametrize("mail", ["chi@example.vn", OPERATOR])
async def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    served: Land, chromium: Browser, mail: str
) -> None:
    context = await chromium.new_context(bypass_csp=True)
    page = await signed_in(served, context, mail)
    found = []
    for place in ("/", "/qua-han"):
        await page.goto(f"{served.origin}{place}")
        found += await wrong_of(page, place)
    assert found == []
    await context.close()
