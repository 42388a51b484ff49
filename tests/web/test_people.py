"""The people of the office on the page: invitations, addresses, days off."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reminder.channels import telegram, zalo
from reminder.domain.outbox import ChannelTraits, Invited
from tests.services.world import EMAIL
from tests.web.browser import Town


def inviting(town: Town, traits: ChannelTraits = telegram.TRAITS) -> None:
    """Has the page invite to a channel, as the daemon does."""
    town.site.invite = lambda person: Invited(
        channel=traits,
        code=f"CODE{person.id}",
        url=f"https://t.me/nhac_bot?start=CODE{person.id}",
        expires_at=town.now + timedelta(hours=72),
    )


def test_an_invitation_is_shown_once_with_its_picture(town: Town) -> None:
    inviting(town)
    browser = town.browser("chi").open("/nguoi")
    browser.press("Mời")
    assert browser.page.xpath("string(//h1)") == "Lời mời cho An"
    assert "/start CODEan" in browser.words
    assert browser.page.xpath("//a[@href='https://t.me/nhac_bot?start=CODEan']")
    [drawing] = browser.page.xpath("//*[name()='svg']")
    assert drawing.xpath(".//*[name()='path']")
    assert not browser.page.xpath("//@style | //style")
    assert browser.headers["cache-control"] == "no-store"
    assert "mời, gỡ người mời an" in browser.open("/so-ghi").words


def test_a_code_that_is_typed_is_shown_in_two_halves(town: Town) -> None:
    inviting(town, zalo.TRAITS)
    browser = town.browser("chi").open("/nguoi").press("Mời")
    assert "nhắn cho bot mã này: CODE an" in browser.words


def test_where_nobody_can_be_invited_no_button_says_so(town: Town) -> None:
    browser = town.browser("chi").open("/nguoi")
    assert "Mời" not in browser.buttons()
    browser.post("/nguoi/an/moi", [])
    assert (browser.status, "Ở đây không mời được" in browser.words) == (422, True)


def test_who_is_unbound_has_neither_chat_nor_session(town: Town) -> None:
    officer, office = town.browser("an"), town.browser("chi").open("/nguoi")
    office.press("Gỡ tài khoản")
    assert "Đã gỡ Telegram của An, và thoát trang ở mọi nơi." in office.words
    assert officer.open("/cua-toi").url == "/dang-nhap"
    assert not town.world.service.refresh().address("an", "telegram")
    assert town.world.service.office.address("an", EMAIL)


def test_an_address_that_was_given_up_is_tried_again(town: Town) -> None:
    store = town.world.store
    store.mark_address_dead(EMAIL, "binh@example.vn", "550 no such user", town.now)
    office = town.browser("chi").open("/nguoi")
    assert "thư điện tử không nhận tin từ Thứ Hai 05/02" in office.words
    office.press("Thử lại")
    assert "dùng lại từ lần nhắc tới" in office.words
    assert not [a for a in store.addresses() if a.dead_since]


@pytest.mark.parametrize("act", ["moi", "go", "thu-lai"])
@pytest.mark.parametrize("person", ["an", "lan"])
def test_the_office_alone_changes_people(town: Town, act: str, person: str) -> None:
    inviting(town)
    browser = town.browser(person)
    before = town.world.store.addresses()
    browser.post(f"/nguoi/chi/{act}", [("nonce", "x" * 12)])
    assert (browser.status, town.world.store.addresses()) == (403, before)
    assert town.browser("chi").post(f"/nguoi/nobody/{act}", []).status == 404


def test_days_off_are_told_and_taken_back(town: Town) -> None:
    officer = town.browser("an").open("/cua-toi").open("/nghi-phep")
    officer.press("Ghi ngày nghỉ", tu="15/02", den="16/02")
    assert "Đã ghi." in officer.words
    assert "An: từ Thứ Năm 15/02 đến hết Thứ Sáu 16/02" in officer.words
    assert "An" not in town.browser("dung").open("/nghi-phep").page.xpath("string(//main)")
    office = town.browser("chi").open("/nghi-phep")
    office.press("Ghi ngày nghỉ", nguoi="dung", tu="19/02")
    assert "Dung: Thứ Hai 19/02" in office.words
    officer.press("Bỏ ngày nghỉ còn lại")
    assert [e.split()[0] for e in town.world.events()] == ["away", "away", "back"]


@pytest.mark.parametrize(
    ("fields", "say"),
    [
        ({"tu": "mai mốt"}, "“mai mốt” không phải một ngày"),
        ({"tu": "16/02", "den": "15/02"}, "Ngày cuối đứng trước ngày đầu"),
        ({"tu": ""}, "Xin ghi ngày"),
        ({"tu": "15/01", "den": "16/01"}, ""),
    ],
)
def test_days_off_that_make_no_sense_are_told_and_kept(
    town: Town, fields: dict[str, str], say: str
) -> None:
    browser = town.browser("an").open("/nghi-phep")
    browser.press("Ghi ngày nghỉ", **fields)
    assert browser.status in (409, 422)
    assert say in browser.words
    assert browser.page.xpath("string(//title)").startswith("Lỗi")
    assert browser.page.xpath("//input[@name='tu']/@value") == [fields["tu"]]
    assert town.world.events() == []


def test_a_leader_tells_no_days_off(town: Town) -> None:
    browser = town.browser("lan").open("/nghi-phep")
    assert browser.buttons() == []
    fields = [("nonce", "x" * 12), ("tu", "15/02")]
    assert browser.post("/nghi-phep", fields).status == 403
    assert town.browser("an").post("/nghi-phep", fields[1:]).status == 422
