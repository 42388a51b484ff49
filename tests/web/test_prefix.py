"""The page under a path of a host that has other pages, too."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from reminder.domain.plan import Key, Plan
from reminder.domain.schedule import Scheduler
from reminder.files.documents import Documents, Sources
from reminder.files.people import people_text
from reminder.files.toml import Text
from tests.conftest import ROOT
from tests.services.world import PEOPLE, at, documents_in, world
from tests.web.browser import Browser, Town

PREFIX = "/p/00123"
BASE = f"https://tinh.example.vn{PREFIX}"
ALIKE = 3  # pages of one kind that are opened


@pytest.fixture
def town(plan2024: Plan, scheduler: Scheduler, tmp_path: Path) -> Town:
    found = Town(world(plan2024, scheduler), at("05/02", "09:00"), tmp_path, base=BASE)
    documents: Documents = documents_in(found.world.store, scheduler)
    people = Text("people.toml", people_text(PEOPLE))
    documents.take_up(Sources([ROOT / "data/plan2024.toml"], people), found.now)
    found.site.documents = lambda: documents
    return found


def addresses(browser: Browser) -> list[str]:
    """All addresses that a page names, also those to which its forms are sent."""
    if browser.headers["content-type"] == "application/json":
        return re.findall(r'"(/[^"]*)"', browser.text)
    return [str(each) for each in browser.page.xpath("//@href|//@src|//@action")]


def kind(path: str) -> str:
    """What pages that are alike have in common."""
    parts = urlsplit(path)
    inner = parts.path.removeprefix(PREFIX).split("/")
    asked = sorted(re.findall(r"(?:^|&)([^=]+)=", parts.query))
    return f"{inner[1]} {len(inner)} {inner[-1].rpartition('.')[2]} {asked}"


def crawl(town: Town, person: str) -> set[str]:
    """Open what is to be reached from the first page; the paths of all."""
    browser = town.browser(person)
    seen, wait, alike = {f"{PREFIX}/"}, [f"{PREFIX}/"], Counter[str]()
    while wait:
        asked = wait.pop()
        browser.open(asked)
        assert browser.status == 200, asked
        assert browser.url.startswith(f"{PREFIX}/"), f"{asked} led to {browser.url}"
        if not re.match("text/html|application/json", browser.headers["content-type"]):
            continue
        forms = set() if "json" in browser.headers["content-type"] else {
            str(form.get("action")) for form in browser.page.xpath("//form[@method='post']")
        }  # fmt: skip
        for found in addresses(browser):
            url = urljoin(f"{town.origin}{browser.url}", found)
            assert url.startswith(f"{BASE}/"), f"{asked} names {found}"
            path = url.removeprefix(town.origin).partition("#")[0]
            if found in forms or path in seen or alike[kind(path)] >= ALIKE:
                continue
            alike[kind(path)] += 1
            seen.add(path)
            wait.append(path)
    return {path.partition("?")[0].removeprefix(PREFIX) for path in seen}


@pytest.mark.parametrize(
    ("person", "some"),
    [
        pytest.param(
            *("chi", {"/quyet", "/quyet.json", "/bang.xlsx", "/ke-hoach/nhap", "/bo-phan/tu-phap"}),
            marks=pytest.mark.thorough,
        ),
        ("an", {"/cua-toi", "/cua-toi.json", "/lich", "/nghi-phep", "/viec/cchc-2024/1a"}),
    ],
)
def test_no_link_leaves_the_path(town: Town, person: str, some: set[str]) -> None:
    """All that can be reached from a page under a path is under that path, JSON too."""
    found = crawl(town, person)
    assert some | {"/kieu.css", "/tai-khoan", "/ke-hoach"} <= found, sorted(found)


def test_forms_and_cookies_keep_to_the_path(town: Town) -> None:
    """A form leads back under the path; the session's cookie goes to no other page of the host."""
    browser = town.browser()
    browser.open(BASE)
    assert (browser.url, browser.status) == (f"{PREFIX}/dang-nhap", 200)
    browser.open(town.links.login(town.world.store.add_login("chi", town.now)))
    browser.press("Đăng nhập")
    assert browser.url == f"{PREFIX}/quyet"
    [cookie] = list(browser.cookies.jar)
    assert (cookie.name, cookie.path, cookie.secure) == ("__Secure-nv", PREFIX, True)
    assert f"form-action {BASE}/;" in browser.headers["content-security-policy"]
    browser.open(f"{PREFIX}/viec/cchc-2024/1c").press("Báo xong", within="")
    assert browser.url.startswith(f"{PREFIX}/viec/cchc-2024/1c?ghi=")
    browser.press("Thoát")
    assert (browser.url, list(browser.cookies.jar)) == (f"{PREFIX}/dang-nhap", [])


def test_links_of_mails_programs_and_calendars_are_under_the_path(town: Town) -> None:
    """A mail's link, a calendar's address and the API's description name the path."""
    link = town.links.task("an", Key("cchc-2024", "1c", 1, "2024"), town.now.date())
    browser = town.browser()
    opened = browser.open(link)
    assert (opened.status, opened.url) == (200, link.removeprefix(town.origin))
    assert link.startswith(f"{BASE}/tu-thu/")
    feed = town.links.feed("an", "tu-phap", 0)
    assert feed.startswith(f"{BASE}/lich/")
    assert "BEGIN:VCALENDAR" in browser.open(feed).text
    described: Any = browser.request("GET", f"{PREFIX}/api/v1/openapi.json").json()
    assert described["servers"] == [{"url": BASE}]
    problem = browser.request("POST", f"{PREFIX}/api/v1/acts", json={})
    assert (problem.status_code, problem.headers["content-type"]) == (
        401,
        "application/problem+json",
    )


def test_nothing_is_beyond_the_path(town: Town) -> None:
    """What is asked for outside the path is not found, and is told so in the page's look."""
    browser = town.browser("chi")
    outside = ["/", "/quyet", "/p/001234/quyet", "/p/00123x", "/kieu.css", "/p/00123/../p/1/"]
    assert [browser.request("GET", path).status_code for path in outside] == [404] * len(outside)
    assert f'href="{PREFIX}/kieu.css"' in browser.request("GET", "/quyet").text
