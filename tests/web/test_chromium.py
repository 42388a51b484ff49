"""The page in a real browser: a morning at both widths without scripts, and what axe finds."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from lxml import html as lxml_html
from typer.testing import CliRunner

from reminder.app.wiring import Program, program
from reminder.cli import app
from reminder.files.plan import load_plan
from tests.app.kit import Mailbox, SetClock, mail_server, reserved_port, runs, settings
from tests.conftest import ROOT
from tests.people import officers
from tests.services.world import at
from tests.waiting import LONGEST, until

pytest.importorskip("playwright", reason="no Playwright here: pip install playwright")

from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright

pytestmark = [
    pytest.mark.xdist_group("chromium"),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.thorough,
    pytest.mark.no_cover,
]

WIDTHS = (390, 1280)
DOCUMENT = ROOT / "tests/importing/cases/d02-pccc.docx"
TASKS = ("1a", "1c", "1d", "2c", "2g", "2i", "5a", "5c")  # of the plan of 2024; few, for axe's sake
PEOPLE = officers("an", "binh", "chi", "lan")
# As root, and in a network without a way out.
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def small_plan(folder: Path) -> Path:
    """The plan of 2024 with some of its tasks."""
    head, *tasks = (ROOT / "data/plan2024.toml").read_text("utf-8").split("\n[[task]]\n")
    kept = [task for task in tasks if re.search(r'code = "(.+)"', task)[1] in TASKS]  # type: ignore[index]
    path = folder / "plan.toml"
    path.write_text("\n[[task]]\n".join([head, *kept]), encoding="utf-8")
    return path


@dataclass
class Office:
    """A daemon with its page on a port, and the mails that it has sent."""

    base: str
    config: Path
    clock: SetClock
    mailbox: Mailbox
    wired: Program

    async def mail(self, person: str, has: str, after: int = 0) -> str:
        """The first mail to `person` that has these words, of those after the first `after`."""

        def found() -> list[str]:
            return [text for text in self.mailbox.to(person)[after:] if has in text]

        await until(lambda: bool(found()), more=lambda: f"“{has}” to {person}")
        return found()[0]

    def command(self, *words: str) -> str:
        """What a command of `reminder` prints."""
        called = [*words, "--config", str(self.config)]
        return CliRunner().invoke(app, called, catch_exceptions=False).stdout

    def log(self) -> list[dict[str, str]]:
        """What `reminder log --json` tells."""
        return [json.loads(line) for line in self.command("log", "--json").splitlines()]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """The office on 26/01/2024 at eight, when its reminders have gone out by mail."""
    folder, clock, mailbox = (
        tmp_path_factory.mktemp("office"),
        SetClock(at("26/01", "07:55")),
        Mailbox(),
    )
    async with AsyncExitStack() as stack:
        place = f"127.0.0.1:{stack.enter_context(reserved_port())}"
        port = await stack.enter_async_context(mail_server(mailbox))
        base = f"http://{place}"  # told, or mails had no link: nobody else can open it
        more = f'[web]\nlisten = "{place}"\nbase_url = "{base}"\neditors = ["chi"]\n'
        config = settings(folder, None, port, people=PEOPLE, more=more)
        whole = (ROOT / "data/plan2024.toml").as_posix()
        text = config.read_text("utf-8").replace(whole, small_plan(folder).as_posix())
        config.write_text(text, encoding="utf-8")
        wired = await stack.enter_async_context(runs(program(config, clock, tick_seconds=0.5)))
        await until(lambda: all(page.port for page in wired.servers))
        clock.moment = at("26/01", "08:00")
        yield Office(base, config, clock, mailbox, wired)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for all: the system's, or Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    system = next(filter(None, map(shutil.which, names)), None)
    async with async_playwright() as playwright:
        path = shutil.which(system or playwright.chromium.executable_path)
        if path is None:
            pytest.skip("no Chromium here: apt install chromium, or playwright install chromium")
        browser = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        await browser.close()


@dataclass
class Reader:
    """A browser without scripts, of one width."""

    office: Office
    context: BrowserContext
    page: Page

    async def open(self, place: str) -> None:
        await self.page.goto(place if "://" in place else self.office.base + place)

    async def signs_in(self, person: str) -> None:
        """Asks for a mail, and types its code."""
        before = len(self.office.mailbox.to(person))
        await self.open("/")
        await self.page.get_by_role("textbox", name="Địa chỉ thư").fill(f"{person}@example.vn")
        await self.press("Gửi")
        mail = await self.office.mail(person, "Mã", after=before)
        code = re.search(r"\b\d{6}\b", mail)
        assert code
        await self.page.get_by_role("textbox", name="Mã").fill(code[0])
        await self.press("Đăng nhập")
        await self.page.get_by_role("button", name="Thoát").wait_for()

    def section(self, *has: str) -> Locator:
        """The section whose heading has these words."""
        heading = self.page.get_by_role("heading", name=re.compile(".*".join(has)))
        return self.page.locator("section").filter(has=heading)

    async def press(self, button: str, within: Locator | None = None, **typed: str) -> None:
        """Fill fields by their labels, open what is folded, and press."""
        place = within or self.page.locator("body")
        pressed = place.get_by_role("button", name=button, include_hidden=True).first
        form = pressed.locator("xpath=ancestor::form")
        for folded in await pressed.locator("xpath=ancestor::details[not(@open)]").all():
            await folded.locator("summary").first.click()
        for label, value in typed.items():
            await form.get_by_label(label.replace("_", " ")).fill(value)
        await pressed.click()

    async def said(self, words: str) -> None:
        """Wait for the page that says it."""
        await self.page.get_by_role("status").filter(has_text=words).wait_for()


async def reader(office: Office, chromium: Browser, width: int) -> Reader:
    context = await chromium.new_context(
        java_script_enabled=False, viewport={"width": width, "height": 844}
    )
    context.set_default_timeout(LONGEST * 1000)
    return Reader(office, context, await context.new_page())


@dataclass
class Morning:
    """What differs between the two widths, whose mornings come one after the other."""

    officer: str
    until: str
    undated: str
    day: str
    kept: str  # whose assumed date is confirmed


MORNINGS = {
    390: Morning("an", "28/02", "2g", "15/3", "1a"),
    1280: Morning("binh", "29/02", "5a", "15/9", "2i"),
}


@pytest.mark.parametrize("width", WIDTHS)
async def test_a_morning_without_scripts(office: Office, chromium: Browser, width: int) -> None:
    """Sign-in by mail, an officer's and the office's acts; each is recorded once, by the page."""
    of, before = MORNINGS[width], len(office.log())
    officer = await reader(office, chromium, width)
    nudge = await office.mail(of.officer, "• 1c")
    link = nudge.partition("• 1c")[2].partition("Báo xong: ")[2].split()[0]
    for _ in range(2):  # a scanner
        await officer.context.request.get(link)
        await officer.context.request.head(link)
    await officer.open(link)
    await officer.press("Báo xong", Số="12/QĐ-UBND")
    await officer.said("Đã ghi. ✅ Đã ghi 1c")
    await officer.open(link)
    assert "đã dùng" in await officer.page.locator("main").inner_text()
    assert await officer.page.get_by_role("button").count() == 0

    await officer.signs_in(of.officer)
    await officer.open("/viec/cchc-2024/1d")
    work = officer.section("Báo cáo")
    await officer.press("Xin gia hạn", work, Xin_đến_ngày=of.until, Lý_do="chờ số liệu")
    await officer.said("Đã ghi")

    desk = await reader(office, chromium, width)
    await desk.signs_in("chi")
    assert urlsplit(desk.page.url).path == "/quyet"
    await desk.press(f"Đồng ý đến {of.until}", desk.section("1d"))
    await desk.said("Đã ghi")
    await desk.press("Đặt hạn", desk.section(of.undated), Ngày_khác=of.day)
    await desk.said("Đã ghi")
    await desk.page.locator("summary", has_text="hạn dự kiến").click()
    boxes = desk.page.get_by_role("checkbox")
    for box in await boxes.all():
        if f"/{of.kept}/" not in (await box.get_attribute("value") or ""):
            await box.uncheck()
    await desk.press("Giữ những hạn đã chọn")
    await desk.said("Đã ghi")
    await desk.open("/viec/cchc-2024/5c")
    await desk.press("Báo xong", Số=f"{width}/KH-UBND")
    await desk.said("Đã ghi. ✅ Đã ghi 5c")
    await desk.press("Hoàn tác")
    await desk.said("Đã hoàn tác 5c")
    await desk.open("/viec/cchc-2024/1c")
    assert "trang theo dõi" in await desk.page.locator("ol.log").first.inner_text()
    await desk.press("Mở lại", Lý_do="thiếu phụ lục")
    await desk.said("Đã ghi")
    await desk.press("Thoát")
    await desk.page.get_by_role("textbox", name="Địa chỉ thư").wait_for()

    told = [(line["event"], line["task"], line["by"]) for line in office.log()[before:]]
    assert [line for line in told if line[0] != "confirmed"] == [
        ("done", "1c", of.officer),
        ("extension-asked", "1d", of.officer),
        ("extension-granted", "1d", "chi"),
        ("due-set", of.undated, "chi"),
        ("done", "5c", "chi"),
        ("undone", "5c", "chi"),
        ("reopened", "1c", "chi"),
    ]
    assert {line for line in told if line[0] == "confirmed"} == {("confirmed", of.kept, "chi")}
    assert {line["channel"] for line in office.log()[before:]} == {"web"}
    for each in (officer, desk):
        await each.context.close()


@pytest.mark.parametrize("width", WIDTHS)
async def test_a_leader_reads_and_changes_nothing(
    office: Office, chromium: Browser, width: int
) -> None:
    before = office.log()
    leader = await reader(office, chromium, width)
    await leader.signs_in("lan")
    assert urlsplit(leader.page.url).path == "/bang"
    await leader.open("/viec/cchc-2024/5c")
    buttons = await leader.page.get_by_role("button", include_hidden=True).all_inner_texts()
    assert buttons == ["Thoát"]
    forged = await leader.context.request.post(
        f"{office.base}/viec/cchc-2024/5c/1/2024/xong",
        headers={"origin": office.base},
        form={"nonce": "x" * 16, "revision": "2"},
    )
    assert (forged.status, office.log()) == (403, before)
    await leader.context.close()


async def test_a_document_becomes_a_plan_without_scripts(office: Office, chromium: Browser) -> None:
    """Sent in, read while its page opens itself again, reviewed by a few presses, taken."""
    desk = await reader(office, chromium, 390)
    await desk.signs_in("chi")
    await send_in(desk.page, office.base)
    for button in ("Giữ mọi bộ phận", "Giữ mọi hạn", "“trước ngày D” là hạn cuối D−1"):
        await desk.press(button)
        await desk.said("Đã ghi")
    await desk.page.get_by_role("link", name="Dùng kế hoạch này").click()
    await desk.press("Dùng kế hoạch này")
    await desk.page.get_by_text("Đã ghi plan2026.toml").wait_for()
    plan = load_plan(office.config.parent / "plan2026.toml")
    assert (plan.title, len(plan.tasks)) == ("Kế hoạch Phòng cháy, chữa cháy năm 2026", 12)
    await desk.context.close()


async def send_in(page: Page, base: str) -> None:
    """Send a document in, and wait for its review."""
    await page.goto(f"{base}/ke-hoach/nhap")
    await page.get_by_label("Tệp kế hoạch").set_input_files(DOCUMENT)
    await page.get_by_role("button", name="Gửi và đọc").click()
    review = page.get_by_role("heading", name=re.compile("^Soát "))
    await review.wait_for(timeout=LONGEST * 1000)


AXE = (Path(__file__).parent / "axe/axe.min.js").read_text("utf-8")
WRONG = """axe.run({resultTypes: ["violations"]}).then(found => found.violations.map(
    one => one.id + ": " + one.nodes.map(node => node.html).join(" ").slice(0, 200)))"""


def kind_of(place: str) -> str:
    """What pages of one template have in common: their address without names and numbers."""
    path, _, query = place.partition("?")
    first, *rest = path.strip("/").split("/")
    return "/".join([first, *("x" for _ in rest)]) + ("?" if query else "")


async def places_from(page: Page, base: str, begun: str) -> list[str]:
    """The pages that links lead to, at most two of a kind; none leads nowhere."""
    kinds: dict[str, int] = {}
    found, waiting = list[str](), [begun]
    while waiting:
        place = waiting.pop(0).partition("#")[0]
        kind = kind_of(place)
        if place in found or kinds.get(kind, 0) == 2:
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
        answer = await page.context.request.get(base + place)
        assert answer.status == 200, place
        is_page = "text/html" in answer.headers["content-type"]
        if answer.url != base + place or not is_page or "content-disposition" in answer.headers:
            continue
        found.append(place)
        links = lxml_html.fromstring(await answer.text()).xpath("//a/@href")
        assert "#" not in links, place
        waiting += [link for link in links if link.startswith("/")]
    return found


async def wrong_of(page: Page, place: str) -> list[str]:
    """What axe finds on the page that is open, at both widths, with all details open."""
    found = []
    await page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    await page.evaluate(AXE)
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 844})
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{place} at {width}: scrolls sideways")
        found += [f"{place} at {width}: {one}" for one in await page.evaluate(WRONG)]
    return found


@pytest.mark.parametrize("who", ["chi", "an", "lan"])
async def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    office: Office, chromium: Browser, who: str
) -> None:
    """On each kind of page of the office, an officer and a leader, at both widths, all unfolded.

    No page breaks the CSP, and no link leads nowhere.
    """
    office.clock.moment = at("05/02", "09:00")  # some work is late by now
    context = await chromium.new_context()
    context.set_default_timeout(LONGEST * 1000)
    page, said, found = await context.new_page(), list[str](), list[str]()
    page.on("console", lambda message: said.append(f"{page.url}: {message.text}"))

    async def look(place: str, status: int = 200) -> None:
        answer = await page.goto(office.base + place)
        assert answer
        assert answer.status == status, place
        found.extend(await wrong_of(page, place))

    nudge = await office.mail("an", "• 2c")
    by_mail = nudge.partition("• 2c")[2].partition("Báo xong: ")[2].split()[0]
    sign_in: str = json.loads(office.command("web-link", who, "--json"))["url"]
    for place in ("/dang-nhap", "/dang-nhap/ma", "/dang-nhap/none", by_mail, sign_in):
        await look(place.removeprefix(office.base))
    await page.get_by_role("button", name="Đăng nhập").click()
    await page.get_by_role("button", name="Thoát").wait_for()
    if who == "chi":
        await send_in(page, office.base)
    for place in await places_from(page, office.base, urlsplit(page.url).path):
        await look(place)
    await look("/viec/cchc-2024/9z", 404)
    broken = [line for line in said if "Security Policy" in line]
    assert (found, broken) == ([], [])
    await context.close()


async def test_the_plan_is_changed_in_the_database_without_scripts(
    office: Office, chromium: Browser
) -> None:
    """Once the settings say so: by a form at each width, then taken back; axe finds nothing."""
    text = office.config.read_text("utf-8").replace("[plan]", '[plan]\nsource = "database"')
    office.config.write_text(text, encoding="utf-8")
    await office.wired.daemon.reload_now()
    days, plan, wrong = [], "/ke-hoach/cchc-2024", list[str]()

    def due() -> str:
        task = office.wired.daemon.service.office.by_plan["cchc-2024"].by_code["1d"]
        return str(task.deliverables[0].rule)

    for width, day in zip(WIDTHS, ("15/3", "16/3"), strict=True):
        desk = await reader(office, chromium, width)
        await desk.signs_in("chi")
        await desk.open("/ke-hoach")
        await desk.page.get_by_role("link", name="Sửa 1d").click()
        for typed in ("mai mốt", day):
            await desk.section("Báo cáo").get_by_label("Đổi hạn thành").fill(typed)
            await desk.press("Xem thay đổi")
            if typed != day:
                await desk.page.get_by_role("alert").filter(has_text=typed).wait_for()
        await desk.press("Ghi", Lý_do="theo công văn 12")
        await desk.said("Đã ghi")
        days.append(due())
        state = await desk.context.storage_state()
        await desk.context.close()
    scripted = await chromium.new_context(storage_state=state)
    scripted.set_default_timeout(LONGEST * 1000)
    page = await scripted.new_page()
    pages = ("/ke-hoach", f"{plan}/viec/1d", f"{plan}/chung", f"{plan}/van-ban", f"{plan}/ban",
             "/ke-hoach/people/nguoi/an", f"{plan}/ban/1")  # fmt: skip
    for place in pages:
        await page.goto(office.base + place)
        wrong += await wrong_of(page, place)
    await page.get_by_role("button", name="Lấy lại bản này").click()
    wrong += await wrong_of(page, "the preview")
    await page.get_by_label("Lý do").fill("nhầm")
    await page.get_by_role("button", name="Ghi", exact=True).click()
    await page.get_by_role("status").filter(has_text="Đã ghi").wait_for()
    days.append(due())
    assert days == [
        "OnDay(day=datetime.date(2024, 3, 15))",
        "OnDay(day=datetime.date(2024, 3, 16))",
        "OnDay(day=datetime.date(2024, 2, 20))",
    ]
    assert wrong == []
    await scripted.close()
