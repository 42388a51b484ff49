"""What holds for every answer: headers, host, origin, size; and odd requests get one sentence."""

from __future__ import annotations

import re

import pytest

from tests.services.world import at
from tests.web.browser import BASE, Town, later

PAGES = ("/quyet", "/bang", "/cua-toi", "/viec/cchc-2024/1c", "/lich", "/nguoi", "/so-ghi",
         "/ke-hoach", "/tai-khoan", "/dang-nhap", "/kieu.css", "/nothing")  # fmt: skip
ALWAYS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}


@pytest.mark.parametrize("page", PAGES)
def test_every_answer_has_the_headers(town: Town, page: str) -> None:
    browser = town.browser("chi").open(page)
    assert {name: browser.headers.get(name) for name in ALWAYS} == ALWAYS
    assert "cache-control" in browser.headers


# Routes that need no session: signing in, links that prove themselves, files of the look.
OPEN = ("/dang-nhap", "/tu-thu/", "/lich/{token}", "/kieu.css", "/favicon.ico", "/api/v1/openapi")
FILLED = {"plan": "cchc-2024", "code": "1c", "number": "1", "period": "2024", "act": "xong",
          "name": "cchc-2024", "unit": "tu-phap", "person": "an", "version": "1"}  # fmt: skip


def routes(town: Town) -> list[tuple[str, str, str]]:
    """Method, address and pattern of each route."""
    return [
        (method, re.sub(r"\{(\w+)[^}]*\}", lambda m: FILLED.get(m[1], "x"), route.path), route.path)
        for route in town.app._app.routes  # type: ignore[attr-defined]
        for method in sorted(route.methods - {"HEAD"})
    ]


def test_no_route_answers_who_is_not_signed_in(town: Town) -> None:
    """But by leading to the sign-in, or with 401 in the API; and each answer has the headers."""
    stranger, found = town.browser(), routes(town)
    for method, place, pattern in found:
        answer = stranger.request(method, place, headers={"origin": BASE})
        assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS, pattern
        if not pattern.startswith(OPEN):
            refused = pattern.startswith("/api/") and answer.status_code == 401
            assert refused or answer.headers.get("location") == "/dang-nhap", (method, pattern)
    assert len(found) > 40


def test_no_form_is_taken_from_elsewhere(town: Town) -> None:
    """Of anybody, on any route; those of the API need a token, which no browser sends by itself."""
    office = town.browser("chi")
    before = len(town.world.store.sessions())
    for method, place, pattern in routes(town):
        if method == "GET":
            continue
        for headers in ({}, {"origin": "http://evil.example"}, {"origin": "null"}):
            status = office.request(method, place, headers=headers).status_code
            assert status == (401 if pattern.startswith("/api/") else 403), pattern
    assert (len(town.world.store.sessions()), town.world.events()) == (before, [])


@pytest.mark.parametrize("person", ["lan", "dung"])
def test_no_form_of_the_office_is_taken_from_others(town: Town, person: str) -> None:
    """Nothing is recorded, and no other person's session, address or document is touched."""
    town.browser("an")
    other, store = town.browser(person), town.world.store
    addresses = store.addresses()
    for method, place, pattern in routes(town):
        if method == "POST" and pattern != "/thoat" and not pattern.startswith("/nghi-phep"):
            fields = [("nonce", "n" * 16), ("revision", "0"), ("nguoi", "an"), ("ly-do", "x")]
            other.post(place, fields)
            assert other.status in (200, 401, 403, 404, 409, 413, 422), pattern
    assert (town.world.events(), store.addresses()) == ([], addresses)
    assert [session.person for session in store.sessions("an")] == ["an"]


@pytest.mark.parametrize("page", PAGES[:10])
def test_no_page_has_a_script_or_a_style_of_its_own(town: Town, page: str) -> None:
    shown = town.browser("chi").open(page).page
    assert not shown.xpath("//script | //style | //@style | //@onclick | //*[@href='#']")


@pytest.mark.thorough
def test_every_link_leads_to_a_page(town: Town) -> None:
    """From the start, for the office; none leads nowhere."""
    browser = town.browser("chi")
    seen: set[str] = set()
    waiting = ["/quyet"]
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        status = browser.open(place).status
        assert status == 200, place
        if "text/html" in browser.headers["content-type"]:
            links = [a.get("href") for a in browser.page.xpath("//a[@href]")]
            waiting += [link for link in links if link.startswith("/") and "thang=" not in link]
    assert len(seen) > 30


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "/viec/cchc-2024/9z", 404),
        ("GET", "/viec/no-plan/1c", 404),
        ("GET", "/bang?trang=99999999999999999999", 200),
        ("GET", f"/bang?trang={'9' * 5000}", 200),
        ("GET", "/bang?trang=\u0663", 200),
        ("GET", "/bang?tinh-trang=x&bo-phan=y&han=z", 200),
        ("GET", "/lich?thang=2024-13", 200),
        ("GET", "/lich?thang=9999-12", 200),
        ("GET", "/nothing", 404),
        ("POST", f"/ke-hoach/cchc-2024/ban/{'9' * 5000}", 404),
        ("DELETE", "/bang", 405),
        ("GET", "/tu-thu/x", 200),
        ("GET", "/tu-thu/é.é", 200),
        ("GET", "/dang-nhap/%00.x", 200),
    ],
)
def test_an_odd_request_gets_one_sentence(town: Town, method: str, url: str, status: int) -> None:
    browser = town.browser("chi")
    headers = {"origin": BASE}
    assert browser.request(method, url, headers=headers).status_code == status


@pytest.mark.parametrize("name", ["nonce", "revision"])
@pytest.mark.parametrize("value", ["", "x" * 5000, "\0", "é", "-1"])
def test_an_odd_form_records_nothing(town: Town, name: str, value: str) -> None:
    browser = town.browser("an").open("/viec/cchc-2024/1c")
    form, _ = browser.form("Báo xong")
    fields = {i.get("name"): i.get("value", "") for i in form.xpath(".//input")} | {name: value}
    browser.post(form.get("action"), list(fields.items()))
    assert browser.status in (409, 422)
    assert town.world.events() == []


def test_a_large_body_is_refused(town: Town) -> None:
    browser = town.browser("an")
    browser.post("/viec/cchc-2024/1c/1/2024/xong", [("van-ban", "x" * 70_000)])
    assert (browser.status, "quá dài" in browser.words) == (413, True)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:8081", "", "é"])
def test_another_host_is_refused(town: Town, host: str) -> None:
    """DNS rebinding: a page elsewhere whose name leads here; none is sent on to such a host."""
    browser = town.browser("chi")
    sent = {"host": host.encode(), "x-forwarded-host": b"127.0.0.1:8080"}
    for place in ("/bang", "/", "/dang-nhap", "/api/v1/bang"):
        response = browser.request("GET", place, headers=sent)
        assert (response.status_code, "location" in response.headers) == (421, False)
        assert "Trang theo dõi không ở địa chỉ này." in response.text


@pytest.mark.parametrize(
    ("base", "origin", "site", "status"),
    [
        (BASE, BASE, None, 200),
        (BASE, BASE, "same-origin", 200),
        (BASE, None, "same-origin", 200),
        (BASE, None, None, 403),
        (BASE, BASE, "cross-site", 403),
        (BASE, BASE, "same-site", 403),
        (BASE, None, "none", 403),
        (BASE, "https://127.0.0.1:8080", None, 403),
        ("https://nhac.example.vn", "https://nhac.example.vn", "same-origin", 200),
        ("https://nhac.example.vn", "http://nhac.example.vn", None, 403),
        ("https://nhac.example.vn", "https://x.nhac.example.vn", "same-site", 403),
    ],
)
def test_a_form_counts_from_the_pages_own_origin_alone(
    town: Town, base: str, origin: str | None, site: str | None, status: int
) -> None:
    sent = {"origin": origin, "sec-fetch-site": site}
    headers = {name: value for name, value in sent.items() if value}
    browser = Town(town.world, town.now, base=base).browser("an")
    answer = browser.request("POST", "/tai-khoan/thoat-het", headers=headers)
    assert answer.status_code == (303 if status == 200 else 403)


def test_titles_of_html_are_shown_as_text(town: Town) -> None:
    from dataclasses import replace

    service = town.world.service
    files = service.office.files
    plan = files.plans[0]
    tasks = tuple(replace(t, title="<b>1</b>\u202e<script>") for t in plan.tasks)
    service.reload(replace(files, plans=(replace(plan, tasks=tasks),)), town.now)
    browser = town.browser("chi")
    for page in ("/quyet", "/bang", "/viec/cchc-2024/1c", "/ke-hoach"):
        browser.open(page)
        assert "<script" not in browser.text
        assert "\u202e" not in browser.text
        assert browser.status == 200


def test_the_figures_lead_to_just_their_rows(town: Town) -> None:
    town.world.says("an", "xong 1c", town.now)
    town.world.says("an", "trình ký 1d báo cáo", town.now)
    browser = town.browser("chi").open("/bang")
    figures = browser.page.xpath("//ul[@class='figs']//a")
    assert len(figures) == 6
    for figure in figures:
        number = int(figure.xpath("string(b)"))
        browser.open(figure.get("href"))
        assert len(browser.page.xpath("//table//tbody/tr")) == number, figure.get("href")


def test_a_plan_of_five_hundred_tasks_stays_small(town: Town) -> None:
    from dataclasses import replace

    service = town.world.service
    files = service.office.files
    plan = files.plans[0]
    some = [t for t in plan.tasks if not any(d.recurs for d in t.deliverables)]
    tasks = tuple(
        replace(some[n % len(some)], code=f"{n}a", title=f"{n} " + "việc dài " * 6)
        for n in range(500)
    )
    service.reload(replace(files, plans=(replace(plan, tasks=tasks),)), town.now)
    browser = town.browser("chi")
    own = [f"{page}?trang={n}" for page in ("/cua-toi", "/ke-hoach") for n in (1, 2)]
    for page in ("/bang", "/quyet", "/bang?tinh-trang=dang-mo", "/bang?tinh-trang=qua-han&trang=2",
                 *own):  # fmt: skip
        assert len(browser.open(page).text.encode()) <= 60_000, page


def test_pages_are_small(town: Town) -> None:
    browser = town.browser("chi")
    for page in PAGES[:9]:
        assert len(browser.open(page).text.encode()) <= 50_000, page


@pytest.mark.parametrize("page", PAGES[:8])
def test_each_page_names_its_twin_which_tells_the_same(town: Town, page: str) -> None:
    browser = town.browser("chi").open(page)
    [alternate] = browser.page.xpath("//link[@rel='alternate']")
    assert alternate.get("type") == "application/json"
    found = town.browser().request("GET", alternate.get("href"))
    assert found.status_code == 303  # of nobody
    answer = browser.request("GET", alternate.get("href"))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json()["at"] == "2024-02-05T09:00:00+07:00"


def test_the_twins_of_board_desk_and_task_have_its_rows(town: Town) -> None:
    browser = town.browser("chi")
    board = browser.request("GET", "/bang.json?tinh-trang=qua-han").json()
    rows = browser.open("/bang?tinh-trang=qua-han").page.xpath("//table//td[@class='code']")
    assert [row["code"] for row in board["rows"]] == [row.text for row in rows]
    assert [row["key"] for row in board["rows"]][:1] == ["cchc-2024/1c/1/2024"]
    desk = browser.request("GET", "/quyet.json").json()["desk"]
    assert [work["code"] for work in desk["undated"]] == ["1đ", "2g", "5a"]
    task = browser.request("GET", "/viec/cchc-2024/1c.json").json()
    assert [part["work"]["revision"] for part in task["parts"]] == [0]


def test_a_twin_tells_no_more_than_its_page(town: Town) -> None:
    """Of other units' work neither standing nor log; the board leads officers to their own work."""
    other = town.browser("dung")
    task = other.request("GET", "/viec/cchc-2024/1c.json").json()
    assert (task["parts"], task["log"]) == ([], [])
    assert task["dates"] == [["Danh mục VBQPPL hết hiệu lực năm 2023", "hạn Thứ Tư 31/01"]]
    assert other.request("GET", "/bang.json").headers["location"] == "/cua-toi.json"
    people = town.browser("chi").request("GET", "/nguoi.json").text
    assert "example.vn" not in people


@pytest.mark.parametrize("page", [*PAGES[:6], "/bang.json"])
def test_a_page_that_a_browser_has_is_not_made_again(town: Town, page: str) -> None:
    """Until something is recorded, somebody else asks, or the hour has passed."""
    browser = town.browser("chi").open(page)
    has = {"if-none-match": browser.headers["etag"]}
    again = browser.request("GET", page, headers=has)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "private, no-cache"
    assert "content-security-policy" in again.headers
    assert town.browser("an").request("GET", page, headers=has).status_code != 304
    town.browser("an").open("/viec/cchc-2024/1c").press("Báo xong")
    assert browser.request("GET", page, headers=has).status_code == 200
    has = {"if-none-match": browser.open(page).headers["etag"]}
    later(town, hours=1)
    assert browser.request("GET", page, headers=has).status_code == 200


def test_a_tasks_timeline_has_what_was_said_and_sent_the_newest_first(town: Town) -> None:
    town.world.tick(at("22/01"))
    town.world.tick(at("31/01"))
    town.world.says("an", "xong 1c số 12/QĐ", at("31/01", "09:12"))
    browser = town.browser("chi").open("/viec/cchc-2024/1c")
    lines = [" ".join(li.text_content().split()) for li in browser.page.xpath("//ol/li")]
    assert lines[0].startswith("09:12 Thứ Tư 31/01 An")
    assert "qua Telegram: báo xong" in lines[0]
    assert lines[1].startswith("08:00 Thứ Tư 31/01 Máy nhắc An qua Telegram: đã gửi")
    assert lines[2].startswith("08:00 Thứ Tư 31/01 Máy nhắc Binh qua thư điện tử: đã gửi")
    acts = [li.get("class") for li in browser.page.xpath("//ol/li")]
    assert acts[:3] == ["act", None, None]


def test_a_page_that_is_refused_has_no_twin(town: Town) -> None:
    for place in ("/nguoi", "/viec/cchc-2024/9z"):
        assert not town.browser("an").open(place).page.xpath("//link[@rel='alternate']")


def test_own_work_is_what_one_s_unit_has_to_do_still(town: Town) -> None:
    """Of work that all units confirm, only while the own part is open, as /viec has it."""
    mine = town.browser("an").open("/cua-toi")
    assert "2c Kết quả đánh giá" in mine.words
    for month in ("01", "02"):
        town.world.says("an", f"xong 2c tháng {month}", town.now)
    assert "2c Kết quả đánh giá" not in mine.open("/cua-toi").words
    assert "2c Kết quả đánh giá" in town.browser("dung").open("/cua-toi").words
