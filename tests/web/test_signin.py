"""Signing in: by a link, by a code, and what strangers and scanners get."""

from __future__ import annotations

import re

import pytest

from reminder.messages.rows import RowRenderer
from tests.services.world import EMAIL
from tests.web.browser import BASE, Browser, Town, later

SPENT = "Đường dẫn đã dùng hoặc đã hết hạn. Xin mở trang này và lấy đường dẫn khác."


def link_of(town: Town, person: str = "chi") -> str:
    return town.links.login(town.world.store.add_login(person, town.now))


def asked(town: Town, address: str = "chi@example.vn") -> Browser:
    """A browser that has asked for a mail to `address`."""
    return town.browser().open("/").press("Gửi", **{"dia-chi": address})


def mailed(town: Town) -> tuple[str, str]:
    """The code and the link of the newest sign-in mail."""
    from reminder.messages.rows import RowRenderer

    town.world.service.renderer = RowRenderer(links=town.links).render
    town.world.deliver(town.now)
    text = town.world.outgoing[-1].message.text
    code, link = re.search(r"\b\d{6}\b", text), re.search(rf"{BASE}\S+", text)
    assert code
    assert link
    return code[0], link[0]


def test_every_page_asks_who_is_not_signed_in_to_sign_in(town: Town) -> None:
    places = (
        "/",
        "/quyet",
        "/bang",
        "/cua-toi",
        "/viec/cchc-2024/1c",
        "/lich",
        "/nguoi",
        "/so-ghi",
    )
    assert {town.browser().open(place).url for place in places} == {"/dang-nhap"}


@pytest.mark.parametrize(
    ("person", "place"), [("chi", "/quyet"), ("lan", "/bang"), ("an", "/cua-toi")]
)
def test_each_begins_where_their_work_is(town: Town, person: str, place: str) -> None:
    assert town.browser(person).url == place


def test_looking_at_a_link_spends_nothing_and_pressing_spends_it(town: Town) -> None:
    """Scanners of mail servers open links; only the button signs in, once."""
    link = link_of(town)
    scanner, person, second = town.browser(), town.browser(), town.browser()
    scanner.open(link)
    scanner.open(link)
    assert "với tên Chi" in person.open(link).words
    assert person.press("Đăng nhập").url == "/quyet"
    assert SPENT in second.open(link).words
    assert scanner.again_at(link) == SPENT


def test_a_link_ends_after_ten_minutes(town: Town) -> None:
    link = link_of(town)
    later(town, minutes=10)
    assert SPENT in town.browser().open(link).words


def test_a_link_that_was_changed_opens_nothing(town: Town) -> None:
    link = link_of(town)
    assert SPENT in town.browser().open(link[:-1] + ("a" if link[-1] != "a" else "b")).words


def test_a_mail_carries_a_link_and_a_code(town: Town) -> None:
    browser = asked(town)
    code, link = mailed(town)
    assert town.world.outgoing[-1].row.draft.channel == EMAIL
    assert browser.press("Đăng nhập", ma=code).url == "/quyet"
    assert SPENT in town.browser().open(link).words  # one of the two is enough


def test_the_link_of_a_mail_signs_in_on_another_device(town: Town) -> None:
    asked(town)
    _, link = mailed(town)
    assert town.browser().open(link).press("Đăng nhập").url == "/quyet"


def test_a_code_is_worth_nothing_in_another_browser(town: Town) -> None:
    asked(town)
    code, _ = mailed(town)
    other = asked(town, "nobody@example.vn")
    assert "Mã không đúng" in other.press("Đăng nhập", ma=code).words


def test_five_wrong_codes_are_all(town: Town) -> None:
    browser = asked(town)
    code, _ = mailed(town)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for _ in range(5):
        assert "Mã không đúng" in browser.press("Đăng nhập", ma=wrong).words
    assert "Mã không đúng hoặc đã hết hạn" in browser.press("Đăng nhập", ma=code).words


def test_an_unknown_address_is_answered_as_a_known_one(town: Town) -> None:
    known, unknown = asked(town), asked(town, "stranger@example.vn")
    assert (known.url, known.text) == (unknown.url, unknown.text)
    town.world.deliver(town.now)
    assert not any(
        o.row.draft.recipient not in town.world.service.office.people for o in town.world.outgoing
    )


def test_twenty_requests_an_hour_of_one_place_and_ten_mails_to_one_address(town: Town) -> None:
    for _ in range(20):
        assert asked(town).status == 200
    assert len(town.world.store.rows(subject="", kind="notice", recipient="chi")) == 10
    refused = asked(town)
    assert (refused.status, "Hỏi quá nhiều lần" in refused.words) == (429, True)
    later(town, minutes=61)
    assert asked(town).status == 200


@pytest.mark.thorough
def test_ten_thousand_tries_leave_twenty_and_keep_nobody_else_out(town: Town) -> None:
    """Nothing is written for a try that is one too many; of IPv6 a network counts as one place."""
    flood = town.browser()
    for n in range(300):
        flood.ip = f"2001:db8::{n:x}"
        flood.post("/dang-nhap", [("dia-chi", f"{n}@example.vn")])
        flood.post("/dang-nhap/ma", [("ma", f"{n:06}")])
    assert flood.status == 429
    with town.world.store.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT what, count(*) FROM web_try GROUP BY 1").all()
    counts = {what: count for what, count in rows if not what.startswith("mail:")}
    assert counts == {"ask:2001:db8::/64": 20, "code:2001:db8::/64": 60}
    other = town.browser()
    other.ip = "2001:db8:0:1::1"
    assert other.open("/").press("Gửi", **{"dia-chi": "chi@example.vn"}).status == 200


@pytest.mark.parametrize("ip", ["", "unknown", "::ffff:192.0.2.1", "192.0.2.1"])
def test_any_address_may_ask(town: Town, ip: str) -> None:
    browser = town.browser()
    browser.ip = ip
    browser.open("/").press("Gửi", **{"dia-chi": "chi@example.vn"})
    assert (browser.url, browser.status) == ("/dang-nhap/ma", 200)


def test_a_session_is_never_one_that_the_browser_had_before(town: Town) -> None:
    """Session fixation: a planted cookie signs nobody in, and ends with the sign-in."""
    victim, attacker = town.browser(), town.browser("an")
    victim.cookies, planted = attacker.cookies, attacker.cookies["nv"]
    victim.open(link_of(town)).press("Đăng nhập")
    assert (victim.url, victim.cookies["nv"] == planted) == ("/quyet", False)
    assert attacker.open("/cua-toi").url == "/dang-nhap"
    made_up = town.browser()
    made_up.cookies.set("nv", "x" * 43, domain="127.0.0.1")
    assert made_up.open("/quyet").url == "/dang-nhap"


@pytest.mark.parametrize(
    ("base", "named", "flags"),
    [
        (BASE, "nv", ["HttpOnly", "Path=/", "SameSite=lax"]),
        ("https://nhac.example.vn", "__Host-nv", ["HttpOnly", "Path=/", "SameSite=lax", "Secure"]),
    ],
)
def test_cookies_have_their_flags(town: Town, base: str, named: str, flags: list[str]) -> None:
    """Over https `__Host-` and Secure; a browser would drop both over http."""
    secure = Town(town.world, town.now, base=base)
    link = secure.links.login(town.world.store.add_login("chi", town.now))
    browser = secure.browser()
    browser.open(link)
    headers = {"origin": base}
    answer = browser.request("POST", link, headers=headers)
    begun = answer.headers.get_list("set-cookie")
    session = next(cookie for cookie in begun if cookie.startswith(f"{named}="))
    assert sorted(session.split("; ")[1:]) == flags
    assert ("strict-transport-security" in answer.headers) == base.startswith("https")
    assert browser.open("/quyet").url == "/quyet"
    left = browser.request("POST", "/thoat", headers=headers).headers["set-cookie"]
    assert left.startswith(f'{named}=""; ')
    assert "Max-Age=0" in left


def test_a_session_ends_after_twelve_idle_hours(town: Town) -> None:
    browser = town.browser("chi")
    later(town, hours=11)
    assert browser.open("/bang").url == "/bang"
    later(town, hours=11)
    assert browser.open("/bang").url == "/bang"
    later(town, hours=12)
    assert browser.open("/bang").url == "/dang-nhap"


def test_leaving_ends_the_session_here_and_elsewhere(town: Town) -> None:
    here, there = town.browser("chi"), town.browser("chi")
    here.open("/tai-khoan").press("Thoát ở mọi nơi khác")
    assert there.open("/bang").url == "/dang-nhap"
    copy = here.cookies
    assert here.press("Thoát").url == "/dang-nhap"
    here.cookies = copy
    assert here.open("/bang").url == "/dang-nhap"


def test_who_is_taken_from_the_list_has_no_session_any_more(town: Town) -> None:
    from dataclasses import replace

    browser, link = town.browser("chi"), link_of(town)
    service = town.world.service
    files = service.office.files
    service.reload(replace(files, people=tuple(p for p in files.people if p.id != "chi")), town.now)
    assert browser.open("/bang").url == "/dang-nhap"
    assert SPENT in town.browser().open(link).press("Đăng nhập").words
    service.reload(files, town.now)
    assert browser.open("/bang").url == "/dang-nhap"  # it does not come back with the person


def test_the_log_of_sight_tells_who_came_was_refused_and_took_something(town: Town) -> None:
    """Each once; what a calendar fetches, once a day; of two years ago nothing."""
    officer, office = town.browser("an"), town.browser("chi")
    officer.open("/nguoi")
    office.open("/bang.xlsx")
    feed = officer.open("/tai-khoan").page.xpath("//a[contains(@href, '.ics')]/@href")[0]
    for _ in range(3):
        town.browser().open(feed)
    officer.press("Thoát")
    seen = [(s.person, s.what, s.detail) for s in reversed(town.world.store.sights(limit=99))]
    agent = officer.request("GET", "/dang-nhap").request.headers["user-agent"]
    assert seen == [
        ("an", "sign-in", agent),
        ("chi", "sign-in", agent),
        ("an", "refused", "/nguoi"),
        ("chi", "export", "cchc-2024-2024-02-05.xlsx"),
        ("an", "feed", "tu-phap"),
        ("an", "sign-out", ""),
    ]
    later(town, days=732)
    town.browser("chi")
    assert [s.what for s in town.world.store.sights(limit=99)] == ["sign-in"]


def test_the_draft_of_a_report_is_the_offices(town: Town) -> None:
    """The address that a chat without files names: the file, a refusal, or what is wrong."""
    office, officer = town.browser("chi"), town.browser("an")
    place = "/bao-cao/cchc-2024/2024-Q1.docx"
    found = office.request("GET", place)
    assert found.status_code == 200
    assert found.content.startswith(b"PK")
    assert "du-thao-bao-cao-2024-Q1.docx" in found.headers["content-disposition"]
    assert officer.request("GET", place).status_code == 403
    for wrong in ("cchc-2024/2030-Q1", "khong-co/2024-Q1", "cchc-2024/x"):
        assert office.request("GET", f"/bao-cao/{wrong}.docx").status_code == 404


def test_who_writes_web_to_the_bot_gets_a_link_that_signs_in(town: Town) -> None:
    town.world.service.renderer = RowRenderer(links=town.links).render
    town.world.says("an", "/web", town.now)
    text = town.world.outgoing[-1].message.text
    found = re.search(rf"{BASE}\S+", text)
    assert found
    assert town.browser().open(found[0]).press("Đăng nhập").url == "/cua-toi"
    assert SPENT in town.browser().open(found[0]).words


def test_in_a_group_the_bot_sends_no_link(town: Town) -> None:
    town.world.service.renderer = RowRenderer(links=town.links).render
    town.world.says("an", "/web", town.now, private=False, chat="-100")
    text = town.world.outgoing[-1].message.text
    assert "xin nhắn /web riêng cho bot" in text
    assert BASE not in text


def test_where_the_page_is_off_the_bot_says_so(town: Town) -> None:
    town.world.says("an", "/web", town.now)
    assert town.world.outgoing[-1].message.text == "Trang theo dõi chưa bật."
