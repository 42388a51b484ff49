"""Forms: the rights of chat, once each, on the work as it was shown."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from reminder.messages.rows import RowRenderer
from tests.services.world import EMAIL, at
from tests.web.browser import BASE, Town, later

TASK = "/viec/cchc-2024/1c"


def test_an_officer_closes_with_a_number_and_takes_it_back(town: Town) -> None:
    browser = town.browser("an").open(TASK)
    browser.press("Báo xong", **{"van-ban": "12/QĐ-UBND ngày 30/01"})
    assert (browser.status, "Đã ghi. ✅ Đã ghi 1c" in browser.words) == (200, True)
    browser.press("Hoàn tác")
    assert "Đã hoàn tác 1c" in browser.words
    assert town.world.events() == ["done 1c.1 2024 tu-phap an", "undone 1c.1 2024 tu-phap an"]
    assert {e.event.channel for e in town.world.store.events()} == {"web"}


def test_the_same_form_twice_acts_once_and_says_so(town: Town) -> None:
    browser = town.browser("an").open(TASK).press("Báo xong")
    browser.again()
    assert "Đã ghi rồi: mỗi biểu mẫu chỉ ghi một lần." in browser.words
    assert town.world.events() == ["done 1c.1 2024 tu-phap an"]


def test_a_form_of_an_older_state_records_nothing_and_says_who_changed_it(town: Town) -> None:
    office, officer = town.browser("chi").open(TASK), town.browser("an").open(TASK)
    officer.press("Báo xong")
    office.press("Báo xong")
    assert (office.status, "Việc này vừa thay đổi (An, " in office.words) == (409, True)
    assert town.world.events() == ["done 1c.1 2024 tu-phap an"]


def test_a_field_that_can_not_be_read_is_told_and_kept(town: Town) -> None:
    browser = town.browser("an").open("/viec/cchc-2024/1d")
    browser.press("Xin gia hạn", within="Báo cáo", ngay="mai mốt", **{"ly-do": "chờ số liệu"})
    assert browser.status == 422
    assert browser.page.xpath("string(//title)").startswith("Lỗi")
    assert browser.page.xpath("//*[@role='alert']")
    shown = {i.get("name"): i.get("value") for i in browser.page.xpath("//details[@open]//input")}
    assert (shown["ngay"], shown["ly-do"]) == ("mai mốt", "chờ số liệu")
    assert town.world.events() == []


def test_the_office_decides_a_request_on_its_desk(town: Town) -> None:
    town.browser("an").open("/viec/cchc-2024/1d").press(
        "Xin gia hạn", within="Báo cáo", ngay="28/02", **{"ly-do": "chờ số liệu"}
    )
    desk = town.browser("chi")
    assert "Tư pháp xin đến Thứ Tư 28/02" in desk.words
    desk.press("Đồng ý đến 28/02")
    assert (desk.url.partition("?")[0], "Đã ghi." in desk.words) == ("/quyet", True)
    assert town.world.events() == [
        "extension-asked 1d.1 2024 tu-phap an",
        "extension-granted 1d.1 2024 tu-phap chi",
    ]


def test_the_office_sets_a_missing_date_by_one_press_or_by_hand(town: Town) -> None:
    desk = town.browser("chi")
    desk.press("Hai tuần nữa", within="2g")
    desk.press("Đặt hạn", within="5a", khac="15/9")
    assert town.world.events() == [
        "due-set 2g.1 2024 tu-phap chi",
        "due-set 5a.1 2024 van-phong chi",
    ]


def test_the_office_keeps_the_assumed_dates_that_are_ticked(town: Town) -> None:
    desk = town.browser("chi")
    boxes = desk.page.xpath("//input[@name='viec']")
    desk.press("Giữ những hạn đã chọn")
    events = town.world.store.events()
    assert "Đã ghi." in desk.words
    assert {e.event.kind.value for e in events} == {"confirmed"}
    assert len({e.event.key[:3] for e in events}) == len(boxes)


def test_a_leader_reads_and_changes_nothing(town: Town) -> None:
    leader = town.browser("lan")
    for page in ("/bang", TASK, "/lich", "/nguoi", "/so-ghi", "/ke-hoach"):
        assert leader.open(page).buttons() in ([], ["Lọc"])
    officer = town.browser("an").open(TASK)
    form, _ = officer.form("Báo xong")
    fields = [(i.get("name"), i.get("value", "")) for i in form.xpath(".//input")]
    leader.post(form.get("action"), fields)
    assert leader.status == 403
    assert town.world.events() == []


def test_work_of_others_shows_title_unit_and_date_and_takes_nothing(town: Town) -> None:
    other = town.browser("dung").open(TASK)
    assert "Việc của bộ phận khác: chỉ xem được tên, bộ phận và hạn." in other.words
    assert other.buttons() == []
    form, _ = town.browser("an").open(TASK).form("Báo xong")
    fields = [(i.get("name"), i.get("value", "")) for i in form.xpath(".//input")]
    assert other.post(form.get("action"), fields).status == 403
    assert town.world.events() == []


@pytest.mark.parametrize("origin", ["", "http://evil.example", "null", "http://127.0.0.1:8081"])
def test_a_form_from_elsewhere_is_refused(town: Town, origin: str) -> None:
    browser = town.browser("an").open(TASK)
    browser.press("Báo xong", origin=origin)
    assert (browser.status, town.world.events()) == (403, [])


def test_a_closed_task_is_opened_again_with_a_reason(town: Town) -> None:
    town.browser("an").open(TASK).press("Báo xong")
    office = town.browser("chi").open(TASK)
    assert office.press("Mở lại").status == 422
    office.press("Mở lại", **{"ly-do": "thiếu phụ lục"})
    assert town.world.events()[-1] == "reopened 1c.1 2024 tu-phap chi"


def test_shared_work_is_closed_for_the_own_unit(town: Town) -> None:
    browser = town.browser("an").open("/viec/cchc-2024/2c")
    browser.press("Báo xong", within="tháng 01")
    assert town.world.events() == ["done 2c.1 2024-01 tu-phap an"]


def test_a_refused_form_may_be_sent_again(town: Town) -> None:
    """Only what was recorded is “đã ghi rồi”."""
    browser = town.browser("an").open("/viec/cchc-2024/1d")
    browser.press("Xin gia hạn", within="Báo cáo", ngay="1/2", **{"ly-do": "chờ số liệu"})
    assert browser.status == 409
    browser.again()
    assert (browser.status, "Đã ghi rồi" in browser.words) == (409, False)
    assert town.world.events() == []
    office = town.browser("chi")
    form, _ = office.form("Giữ những hạn đã chọn")
    fields = [(i.get("name"), i.get("value", "")) for i in form.xpath(".//input")]
    officer = town.browser("an")
    for _ in range(2):
        officer.post("/quyet/xac-nhan", fields)
        assert (officer.status, "Đã ghi rồi" in officer.words) == (403, False)


@pytest.mark.parametrize("person", ["dung", "lan"])
def test_a_stale_form_of_who_has_no_right_is_refused_as_such(town: Town, person: str) -> None:
    """It does not tell who changed the work."""
    form, _ = town.browser("an").open(TASK).form("Báo xong")
    fields = [(i.get("name"), i.get("value", "")) for i in form.xpath(".//input")]
    town.browser("an").open(TASK).press("Báo xong")
    other = town.browser(person).post(form.get("action"), fields)
    assert (other.status, "vừa thay đổi" in other.words) == (403, False)
    assert town.world.events() == ["done 1c.1 2024 tu-phap an"]


@pytest.mark.parametrize("number", ["0", "7", "9" * 5000, "-1", "é"])
def test_no_such_part_of_a_task(town: Town, number: str) -> None:
    fields = [("nonce", "x" * 16), ("revision", "0")]
    found = town.browser("an").post(f"/viec/cchc-2024/1c/{number}/2024/xong", fields)
    assert found.status == 404


def link(town: Town, person: str = "binh", code: str = "1c") -> str:
    state = next(s for k, s in town.world.service.refresh().states.items() if k.task == code)
    return town.links.task(person, state.key, at("05/02").date()).removeprefix(BASE)


def test_a_mails_link_closes_one_task_for_one_person_once(town: Town) -> None:
    """Scanners open it; a forwarded mail works for nobody after the act."""
    place = link(town)
    scanner, officer = town.browser().open(place), town.browser().open(place)
    assert "Báo xong" in scanner.buttons()
    officer.press("Báo xong", **{"van-ban": "12/QĐ"})
    assert "Đã ghi. ✅ Đã ghi 1c" in officer.words
    assert town.world.events() == ["done 1c.1 2024 tu-phap binh"]
    late = town.browser().open(place)
    assert "Đường dẫn này đã dùng. Đây là việc 1c" in late.words
    assert late.buttons() == []
    assert "Đường dẫn này đã dùng" in scanner.press("Báo xong").words
    assert len(town.world.events()) == 1


def test_a_spent_link_does_not_act_again_whatever_its_form_says(town: Town) -> None:
    """Also where two are sent at once: the second one sees what the first has spent."""
    browser = town.browser().open(link(town))
    action = browser.form("Báo xong")[0].get("action").replace("/xong", "/ghi-chu")
    browser.press("Báo xong")
    fields = [("nonce", "x" * 16), ("revision", "1"), ("noi-dung", "thêm")]
    assert "Đường dẫn này đã dùng" in browser.post(action, fields).words
    assert town.world.events() == ["done 1c.1 2024 tu-phap binh"]


def test_a_mails_link_is_good_for_its_own_task_and_acts(town: Town) -> None:
    """Another task, another act, a part of another link: nothing is recorded."""
    place, other = link(town), link(town, code="1d")
    body, _, mac = place.removeprefix("/tu-thu/").partition(".")
    mixed = f"/tu-thu/{other.removeprefix('/tu-thu/').partition('.')[0]}.{mac}"
    fields = [("nonce", "x" * 16), ("revision", "0"), ("khac", "28/2"), ("ly-do", "x")]
    for action in (f"{place}/dat-han", f"{place}/mo-lai", f"{mixed}/xong", f"/tu-thu/{body}/xong",
                   f"{place}/xong/1d", f"{place}/nhac-ngay", f"{place}/dong-y"):  # fmt: skip
        assert "Đã ghi" not in town.browser().post(action, fields).words
    assert town.world.events() == []
    assert "1c" in town.browser().open(place).words


def test_a_mails_link_is_spent_by_no_look(town: Town) -> None:
    """Scanners of mail servers open links by GET and HEAD, and follow what is on the page."""
    place = link(town)
    scanner = town.browser()
    for method in ("GET", "HEAD", "OPTIONS", "GET"):
        scanner.request(method, place)
    for form in scanner.open(place).page.xpath("//form/@action"):
        assert scanner.request("GET", form).status_code == 405
    assert "Báo xong" in town.browser().open(place).buttons()


def test_a_mails_link_asks_for_more_time(town: Town) -> None:
    browser = town.browser().open(link(town, code="1d") + "?gia-han")
    browser.press("Xin gia hạn", ngay="28/02", **{"ly-do": "chờ số liệu"})
    assert town.world.events() == ["extension-asked 1d.1 2024 tu-phap binh"]


def test_a_mails_link_ends_after_fourteen_days_and_opens_no_other_page(town: Town) -> None:
    place = link(town)
    browser = town.browser().open(place)
    assert browser.open("/bang").url == "/dang-nhap"
    later(town, days=15)
    assert "Đường dẫn này đã hết hạn" in browser.open(place).words
    assert "không còn" in browser.open(f"{place}x").words


def mailed(town: Town, person: str, kind: str) -> dict[str, str]:
    """The links of the newest mail of this kind: words and address, the same in both parts."""
    [*_, mail] = [
        o.message
        for o in town.world.outgoing
        if (o.row.draft.recipient, o.row.draft.channel, o.row.draft.kind) == (person, EMAIL, kind)
    ]
    plain = dict(re.findall(rf"(?m)^ *(.+): {BASE}(/\S+)$", mail.text))
    shown = re.findall(rf'<a href="{BASE}([^"]+)"[^>]*>([^<]+)</a>', mail.mail_html)
    assert plain
    assert {(unescape(words), url) for url, words in shown} >= set(plain.items())
    return plain


def test_a_digest_by_mail_carries_the_offices_decisions(town: Town) -> None:
    """Each opens its task for that person; the act is recorded once and spends the link."""
    town.world.service.renderer = RowRenderer(links=town.links).render
    town.world.service.reads_mail = True
    town.world.says("an", "xin gia hạn 1d báo cáo đến 28/02 chờ số liệu", town.now)
    later(town, days=7)  # 12/02 is a day of Tết
    town.world.tick(at("15/02", "07:30"))
    town.now = at("15/02", "09:00")
    links = mailed(town, "chi", "digest")
    assert {"Đồng ý đến 28/02", "Không đồng ý", "Đặt hạn"} <= set(links)
    browser = town.browser().open(links["Đồng ý đến 28/02"])
    assert "Trang này chỉ dành cho Chi" in browser.words
    browser.press("Đồng ý đến 28/02")
    assert "Đường dẫn này đã dùng" in town.browser().open(links["Không đồng ý"]).words
    town.browser().open(links["Đặt hạn"]).press("Đặt hạn", khac="15/9")
    said = [e.split()[0] for e in town.world.events() if not e.startswith("held")]
    assert said == ["extension-asked", "extension-granted", "due-set"]


def test_a_request_and_an_escalation_by_mail_carry_them_too(town: Town) -> None:
    """Of an office that is reached by mail alone."""
    service = town.world.service
    service.renderer = RowRenderer(links=town.links).render
    service.office = replace(service.office, channels=(EMAIL,))
    town.world.tick(at("22/01"))
    officer = town.browser("an").open("/viec/cchc-2024/1d")
    officer.press("Xin gia hạn", within="Báo cáo", ngay="28/02", **{"ly-do": "chờ số liệu"})
    town.world.deliver(town.now)
    links = mailed(town, "chi", "notice")
    town.browser().open(links["Không đồng ý"]).press("Không đồng ý", **{"ly-do": "phải đúng hạn"})
    assert town.world.events()[-1] == "extension-refused 1d.1 2024 tu-phap chi"
    town.world.tick(at("21/02"))
    town.now = at("21/02", "09:00")
    links = mailed(town, "chi", "escalation")
    browser = town.browser().open(links["Xem và quyết"]).press("Đặt hạn", khac="15/3")
    assert "Đã ghi." in browser.words
    assert town.world.events()[-1].startswith("due-set ")
