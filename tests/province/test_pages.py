"""The pages of many offices in one app, and the province's page: who sees what, and goes where."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from reminder.domain.tokens import hash_code
from reminder.files.documents import PEOPLE
from reminder.files.settings import ProvinceSection
from reminder.province.cache import OfficeCache
from reminder.province.figures import FiguresKeeper, figures_of
from reminder.province.pages import Pages, ProvinceSite
from reminder.services.history import NO_PAST
from reminder.store import tables
from reminder.store.database import EVERY, OfficeDatabase
from reminder.store.figures import FIGURES
from reminder.store.offices import Account, Stores
from reminder.store.records import stamp
from reminder.store.store import open_store
from reminder.store.web import Token
from tests.channels.email.mailserver import Post, serving
from tests.fakes.blank import memory_store
from tests.province.kit import SETTINGS, Clock, add_account, add_office, put
from tests.services.world import at
from tests.store.conftest import no_sleep
from tests.store.test_queries import statements
from tests.web.browser import Browser

BASE = "https://nhacviec.example.vn"
MAIL = '{"host": "smtp.example.vn", "sender": "may@example.vn", "username": "u"}'
OPERATOR = "quan-tri@tinh.example.vn"
NOW = at("08/04", "09:00")


def people(office: str) -> str:
    """Chi serves both offices by one address; An and Lan, each their own."""
    rows = [
        ("an", "An", "tu-phap", f"an@{office}.example.vn"),
        ("chi", f"Chi {office}", "van-phong", "Chi@example.vn"),
        ("lan", "Lan", "lanh-dao", f"lan@{office}.example.vn"),
    ]
    return "".join(
        f'[[person]]\nid = "{who}"\nname = "{name}"\nunit = "{unit}"\nemail = "{mail}"\n'
        for who, name, unit, mail in rows
    )


@dataclass
class Land:
    """A province of two offices with their pages, on the clock of the test."""

    stores: Stores
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    woken: list[str] = field(default_factory=list)
    origin: str = BASE  # of its address

    def __post_init__(self) -> None:
        async def do(work: Callable[[], Any]) -> Any:
            return work()

        async def send(account: str) -> None:
            self.woken.append(account)

        province = ProvinceSection(name="Hoa Sen", operators=(OPERATOR,))
        web = replace(SETTINGS.web, base_url=self.origin)
        settings = replace(SETTINGS, province=province, web=web)
        self.cache = OfficeCache(self.stores, settings, self.clock.now)
        links = self.cache.province_links
        assert links is not None
        self.site = ProvinceSite(
            cache=self.cache, links=links, do=do, now=self.clock.now, send=send
        )
        self.keeper = FiguresKeeper(self.cache, self.site.table)
        self.app = Pages(self.site)

    @property
    def now(self) -> Any:
        return self.clock.now()

    def reckon(self, *offices: str) -> list[bool]:
        return [self.keeper.keep(each, self.now) for each in offices]

    def browser(self, mail: str = "") -> Browser:
        """A browser; signed in to the province's page with a mail address."""
        found = Browser(self)  # type: ignore[arg-type]
        if mail:
            login = self.site.store.add_login(mail, self.now)
            found.open(self.site.links.login(login)).press("Đăng nhập")
        return found

    def in_office(self, office: str, person: str) -> Browser:
        """A browser that is signed in to the page of one office."""
        links, found = self.cache.links(office), Browser(self)  # type: ignore[arg-type]
        assert links is not None
        found.open(links.login(self.stores.of(office).add_login(person, self.now)))
        return found.press("Đăng nhập")


@pytest.fixture(params=["memory"])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    url = ""
    if request.param == "postgres":
        url = request.getfixturevalue("lent_postgres_url")
    if request.param == "file":
        url = f"sqlite:///{request.getfixturevalue('tmp_path')}/reminder.db"
    store = open_store(url, exclusive=False, sleep=no_sleep) if url else memory_store()
    stores = Stores(store)
    yield stores
    stores.close()


on_both = pytest.mark.parametrize("stores", ["memory", "postgres"], indirect=True)


@pytest.fixture
def land(stores: Stores) -> Land:
    """Two offices that send mail by one account, and have been looked at once."""
    return land_in(stores)


def land_in(stores: Stores, origin: str = BASE) -> Land:
    """Return that province, with its pages at `origin`."""
    add_account(stores, "mail", "email", MAIL)
    land = Land(stores, origin=origin)
    for office in ("hoa-an", "hoa-binh"):
        add_office(stores, office, people=people(office), account="")
        stores.link(office, "email", "mail")
        land.cache.service(office)
    return land


def sign_in_mail(land: Land, office: str) -> tuple[str, str]:
    """The code and the link of the newest sign-in mail in an office's outbox."""
    row = land.stores.of(office).rows(limit=10)[0]
    service = land.cache.service(office)
    message = service.renderer(service.office, land.now, row, NO_PAST)
    assert message is not None
    code, link = re.search(r"\b\d{6}\b", message.text), re.search(rf"{BASE}\S+", message.text)
    assert code
    assert link
    return code[0], link[0]


def names(browser: Browser) -> list[str]:
    """The offices of the list, as they stand there."""
    found = browser.page.xpath("//table//tbody/tr/td[1]//*[self::button or self::b][1]")
    return [" ".join(each.text_content().split()) for each in found]


def test_each_office_has_its_page_under_its_own_path(land: Land) -> None:
    browser = land.in_office("hoa-an", "chi")
    assert (browser.url, browser.status) == ("/p/hoa-an/quyet", 200)
    assert "Chi hoa-an" in browser.text
    [cookie] = list(browser.cookies.jar)
    assert (cookie.name, cookie.path) == ("__Secure-nv", "/p/hoa-an")
    assert browser.open("/p/hoa-binh/quyet").url == "/p/hoa-binh/dang-nhap"


def test_an_office_that_is_not_there_or_retired_is_not_found(land: Land) -> None:
    """By one and the same page, whoever asks."""
    land.stores.retire_office("hoa-binh", NOW)
    land.clock.moment += timedelta(minutes=1)
    browser = land.in_office("hoa-an", "chi")
    asked = ["hoa-binh/quyet", "hoa-binh/", "khong-co/quyet", "khong-co", "x" * 200]
    answers = [browser.request("GET", f"/p/{path}") for path in asked]
    assert [answer.status_code for answer in answers] == [404] * len(asked)
    assert len({answer.text for answer in answers}) == 1
    assert "Không có trang này" in answers[0].text


def test_the_page_of_an_office_with_a_faulty_plan_says_so_and_others_go_on(land: Land) -> None:
    put(land.stores.of("hoa-binh"), PEOPLE, "[[person]]\nid = 5\n")
    land.clock.moment += timedelta(minutes=1)
    browser = land.browser()
    assert browser.open("/p/hoa-binh/quyet").status == 503
    assert "đang có lỗi trong kế hoạch" in browser.words
    assert browser.open("/p/hoa-an/quyet").url == "/p/hoa-an/dang-nhap"


@on_both
def test_who_serves_two_offices_signs_in_once_by_mail_and_goes_on_to_both(land: Land) -> None:
    """The code comes by an office's own account; each page opens as who one is there."""
    land.reckon("hoa-an", "hoa-binh")
    browser = land.browser().open("/").press("Gửi", **{"dia-chi": "chi@EXAMPLE.vn"})
    assert land.woken == ["mail"]
    code, link = sign_in_mail(land, "hoa-an")
    assert link.startswith(f"{BASE}/dang-nhap/")
    browser.press("Đăng nhập", ma=code)
    assert (browser.url, browser.status) == ("/", 200)
    assert names(browser) == ["Phường hoa-an", "Phường hoa-binh"]
    browser.press("Phường hoa-binh")
    assert browser.url == "/p/hoa-binh/quyet"
    assert "Chi hoa-binh" in browser.text
    assert browser.open("/p/hoa-an/quyet").url == "/p/hoa-an/dang-nhap"


def test_late_work_leads_into_the_page_of_its_office(land: Land) -> None:
    """Where the reader is somebody; there it opens signed in."""
    land.reckon("hoa-an", "hoa-binh")
    browser = land.browser("chi@example.vn").open("/qua-han")
    first = browser.page.xpath("//section[contains(.//h2, 'hoa-an')]//button")[0]
    title, place = " ".join(first.text_content().split()), first.get("value")
    browser.press(title, within="hoa-an")
    assert browser.url == f"/p/hoa-an{place}"
    assert title in browser.words
    assert "Chi hoa-an" in browser.text


@on_both
def test_an_operator_sees_all_offices_and_acts_in_none(land: Land) -> None:
    """Figures and faults of all; no way into a page, not by hand either."""
    land.reckon("hoa-an")
    land.stores.settle("hoa-binh", NOW, NOW, fault="plan.toml: dòng 3: thiếu dấu", fault_since=NOW)
    browser = land.browser(OPERATOR)
    assert names(browser) == ["Phường hoa-binh", "Phường hoa-an"]
    assert "Lỗi: plan.toml: dòng 3: thiếu dấu" in browser.words
    assert "chưa có số liệu" in browser.words
    assert not [b for b in browser.buttons() if "Phường" in b]
    assert browser.post("/p/hoa-an/vao", []).status == 404
    assert not browser.open("/qua-han").buttons()
    assert browser.open("/p/hoa-an/quyet").url == "/p/hoa-an/dang-nhap"


def test_an_operator_is_written_to_by_the_first_account(stores: Stores) -> None:
    """The mail's code signs in; a stranger is answered the same, and nothing is sent."""
    post, headers = Post(), {"origin": BASE}

    async def ask() -> tuple[httpx.Response, int, httpx.Response]:
        async with serving(post) as port:
            values = {"host": "127.0.0.1", "port": port, "security": "none"}
            told = json.dumps({**values, "sender": "may@tinh.vn"})
            stores.add_account(
                Account(id="mail", kind="email", secret="", settings=told, made_at=NOW)
            )
            land = Land(stores)
            transport = httpx.ASGITransport(land.app)
            async with httpx.AsyncClient(
                transport=transport, base_url=BASE, headers=headers
            ) as client:
                stranger = await client.post("/dang-nhap", data={"dia-chi": "ai-do@example.vn"})
                await land.site.settled()
                before = len(post.received)
                await client.post("/dang-nhap", data={"dia-chi": OPERATOR})
                await land.site.settled()
                content = post.received[0].content
                assert isinstance(content, bytes)
                mail = message_from_bytes(content, policy=default)
                body = mail.get_body(("plain",))
                found = re.search(r"\b\d{6}\b", body.get_content() if body else "")
                entered = {"ma": found[0] if found else ""}
                return stranger, before, await client.post("/dang-nhap/ma", data=entered)

    stranger, sent, signed_in = asyncio.run(ask())
    assert (stranger.headers["location"], sent) == ("/dang-nhap/ma", 0)
    assert signed_in.headers["location"] == "/"
    assert "__Host-nv-tinh" in signed_in.headers["set-cookie"]
    assert [each.rcpt_tos for each in post.received] == [[OPERATOR]]


def test_the_session_ends_with_its_sessions_in_offices(land: Land) -> None:
    """Signing out of the province signs out of the offices that were opened from it."""
    land.reckon("hoa-an", "hoa-binh")
    browser = land.browser("chi@example.vn").press("Phường hoa-an")
    assert browser.url == "/p/hoa-an/quyet"
    browser.open("/").press("Thoát")
    assert browser.url == "/dang-nhap"
    assert browser.open("/p/hoa-an/quyet").url == "/p/hoa-an/dang-nhap"
    assert browser.open("/").url == "/dang-nhap"


def test_who_left_the_list_of_people_is_signed_out(land: Land) -> None:
    browser = land.browser("an@hoa-an.example.vn")
    assert names(browser) == ["Phường hoa-an"]
    put(land.stores.of("hoa-an"), PEOPLE, people("hoa-an").replace("an@hoa-an.", "ba@hoa-an."))
    land.clock.moment += timedelta(minutes=1)
    assert browser.open("/").url == "/dang-nhap"


def test_the_twin_and_the_file_have_the_rows_of_the_list(land: Land) -> None:
    """For an officer those of their own offices alone, without faults."""
    land.reckon("hoa-an", "hoa-binh")
    land.stores.settle("hoa-binh", NOW, NOW, fault="hỏng", fault_since=NOW)
    of_an = land.browser("an@hoa-an.example.vn")
    told = json.loads(of_an.open("/phuong.json").text)
    assert [each["id"] for each in told["offices"]] == ["hoa-an"]
    assert told["sums"]["offices"] == 1
    figures = told["offices"][0]["figures"]
    assert (figures["late"] > 0, figures["people"], figures["reached"]) == (True, 3, 3)
    file = land.browser("chi@example.vn").open("/phuong.csv").text
    assert [line.split(",")[0] for line in file.splitlines()[1:]] == ['"hoa-an"', '"hoa-binh"']
    assert "hỏng" not in file
    assert "hỏng" in land.browser(OPERATOR).open("/phuong.csv").text


def test_figures_are_reckoned_again_only_when_something_changed(land: Land) -> None:
    """Day, ledger, addresses or texts; a look at the page reckons nothing."""
    assert land.reckon("hoa-an", "hoa-an") == [True, False]
    land.browser("chi@example.vn").open("/")
    assert land.reckon("hoa-an") == [False]
    land.clock.moment += timedelta(days=1)
    assert land.reckon("hoa-an", "hoa-an") == [True, False]
    put(land.stores.of("hoa-an"), PEOPLE, people("hoa-an").replace("Lan", "Mai"))
    land.clock.moment += timedelta(minutes=1)
    assert land.reckon("hoa-an") == [True]


def pages_of(browser: Browser, start: str) -> set[str]:
    """All addresses that can be reached from a page by links, and those of its forms.

    Without those of calendars, which open to whoever has them.
    """
    seen, wait = {start}, [start]
    kinds: set[tuple[str, int]] = set()
    while wait:
        browser.open(wait.pop())
        if "html" not in browser.headers["content-type"]:
            continue
        for found in map(str, browser.page.xpath("//@href|//@action|//@formaction")):
            path = found.removeprefix(BASE).partition("#")[0]
            kind = (path.split("?")[0].split("/")[3:4] or [""])[0], path.count("/")
            if not path.startswith("/p/") or path in seen or path.endswith(".ics"):
                continue
            seen.add(path)
            if kind not in kinds or "json" in path:
                kinds.add(kind)
                wait.append(path)
    return seen


def test_nothing_of_an_office_is_open_to_another(land: Land) -> None:
    """All addresses of one office, with each thing by which another's pages open."""
    mine = land.in_office("hoa-an", "chi")
    addresses = sorted(pages_of(mine, "/p/hoa-an/quyet"))
    assert len(addresses) > 100
    other = land.in_office("hoa-binh", "chi")
    [cookie] = list(other.cookies.jar)
    token = "nv_" + "x" * 32
    land.stores.of("hoa-binh").add_token(
        Token(hash=hash_code(token), person="chi", name="t", acts=True,
              expires_at=NOW + timedelta(days=9))
    )  # fmt: skip
    headers = {
        "cookie": f"{cookie.name}={cookie.value}",  # as if the browser sent it everywhere
        "authorization": f"Bearer {token}",
        "origin": BASE,
    }
    before = land.stores.of("hoa-an").head()
    stranger = land.browser()
    for path in [*addresses, "/p/hoa-an/api/v1/bang", "/p/hoa-an/api/v1/openapi.json"]:
        for method in ("GET", "POST"):
            answer = stranger.request(method, path, headers=headers)
            led = answer.headers.get("location", "")
            open_to_all = re.search(r"/kieu.css$|/dang-nhap$|openapi.json$", path)
            refused = answer.status_code in (401, 403, 404, 405) or led == "/p/hoa-an/dang-nhap"
            assert refused or open_to_all, (method, path, answer.status_code, led)
    assert land.stores.of("hoa-an").head() == before


def test_links_of_one_office_open_nothing_in_another(land: Land) -> None:
    """A feed, a mail's link, a sign-in link: each is signed with its office's own secret."""
    ours, theirs = land.cache.links("hoa-an"), land.cache.links("hoa-binh")
    assert ours
    assert theirs
    key = next(iter(land.cache.service("hoa-an").office.states))
    login = land.stores.of("hoa-binh").add_login("chi", NOW)
    made = [
        theirs.feed("an", "tu-phap", 0),
        theirs.task("an", key, NOW.date()),
        theirs.login(login),
    ]
    browser = land.browser()
    own = [browser.request("GET", url).status_code for url in made]
    assert own == [200, 200, 200]
    moved = [url.replace("/p/hoa-binh/", "/p/hoa-an/") for url in made]
    answers = [browser.request("GET", url) for url in moved]
    assert answers[0].status_code == 404
    assert "Đường dẫn này không còn" in answers[1].text
    assert "đã dùng hoặc đã hết hạn" in answers[2].text


def nation(stores: Stores, land: Land, number: int) -> None:
    """That many more offices, in two provinces, with the figures of one."""
    of = land.cache.service("hoa-an").office
    columns = FIGURES.columns(figures_of(of, NOW))
    made = {"state": "active", "fault": "", "made_at": stamp(NOW)}
    rows = [
        {"id": f"xa-{n:05}", "name": f"Xã {n}", "province": ("Hoa Sen", "Hải Vân")[n % 2], **made}
        for n in range(number)
    ]
    with OfficeDatabase(stores.database, EVERY).writing() as connection:
        connection.raw.execute(insert(tables.office), rows)
        connection.raw.execute(
            insert(tables.office_figures), [{"office": row["id"], **columns} for row in rows]
        )


@pytest.mark.parametrize("stores", ["file"], indirect=True)
def test_the_list_of_the_nation_is_paged_filtered_and_small(stores: Stores, land: Land) -> None:
    """A look at it asks as few questions as one at two offices, and folds no ledger."""
    browser = land.browser(OPERATOR)
    with statements(land.stores.of("")) as few:
        browser.open("/")
    nation(stores, land, 3_319)
    with statements(land.stores.of("")) as many:
        browser.open("/")
    assert len(many) == len(few)
    assert browser.page.xpath("string(//h1)").startswith("3321 xã, phường")
    assert (len(names(browser)), len(browser.text) < 40_000) == (60, True)
    browser.press("Xem", tinh="Hải Vân")
    assert "1659 xã, phường" in browser.words
    assert {"Trang trước", "Trang sau"} & set(browser.page.xpath("//p/a/text()")) == {"Trang sau"}
    browser.open("/?trang=56")
    assert len(names(browser)) == 3_321 - 55 * 60
    assert len(land.browser(OPERATOR).open("/qua-han").text) < 60_000
    assert len(land.browser(OPERATOR).open("/phuong.csv").text.splitlines()) == 3_322
