"""The year in pictures, one unit, the week's digest, the office's report; what the board adds."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest

from tests.services.world import at
from tests.web.browser import Town, later


def test_the_pictures_say_their_numbers_as_text(town: Town) -> None:
    town.world.says("an", "xong 1c", town.now)
    browser = town.browser("lan").open("/tien-do")
    rows = browser.request("GET", "/tien-do.json").json()["months"]["rows"]
    shown = browser.page.xpath("//table[1]//tbody/tr")
    assert [r["due"] for r in rows] == [
        int(row.xpath("string(td[1])")) for row in shown[: len(rows)]
    ]
    assert [r["done"] for r in rows] == [0, 1, *[None] * 10]
    assert rows[0]["due"] == sum(
        s.due is not None and s.due.month == 1 for s in town.world.service.office.states.values()
    )
    assert len(browser.page.xpath("//*[@class='heat']/*[name()='rect']")) == 366
    assert "Thứ Tư 31/01: 3 việc đến hạn" in browser.words
    assert not browser.page.xpath("//@style")
    assert len(browser.text.encode()) <= 50_000


def test_the_pictures_of_one_unit_are_of_its_parts(town: Town) -> None:
    whole, unit = (
        town.browser("chi").request("GET", f"/tien-do.json{query}").json()["months"]["rows"]
        for query in ("", "?bo-phan=tu-phap")
    )
    assert 0 < unit[-1]["due"] < whole[-1]["due"]


def test_a_units_page_is_for_the_unit_and_those_who_read_all(town: Town) -> None:
    place = "/bo-phan/tu-phap"
    for person in ("an", "chi", "lan"):
        browser = town.browser(person).open(place)
        assert (browser.status, browser.page.xpath("string(//h1)")) == (200, "Tư pháp")
        assert {"1c", "1d"} <= {c.text for c in browser.page.xpath("//td[@class='code']")}
    assert town.browser("dung").open(place).status == 403
    assert town.browser("chi").open("/bo-phan/nothing").status == 404


def test_the_week_is_shown_as_it_is_and_as_it_was(town: Town) -> None:
    town.world.says("an", "xong 1c", at("30/01", "09:12"))
    browser = town.browser("chi").open("/tong-hop")
    assert "Xong đúng hạn 1 (+1)" in browser.words
    assert "Quá hạn (" in browser.words
    assert "Nhắc việc tuần 05/02–07/02" in browser.words
    browser.open(browser.page.xpath("//a[.='Tuần trước']/@href")[0])
    assert browser.page.xpath("string(//h1)") == "Tổng hợp tuần, Thứ Hai 29/01/2024"
    assert "Xong đúng hạn 0" in browser.words
    assert browser.page.xpath("//a[.='Tuần sau']")
    assert town.browser("an").open("/tong-hop").status == 403


@pytest.mark.parametrize("asked", ["x", "1999-01-01", "9999-12-31", "2024-02-10"])
def test_an_odd_week_is_this_one(town: Town, asked: str) -> None:
    browser = town.browser("chi").open(f"/tong-hop?tuan={asked}")
    assert (browser.status, browser.page.xpath("string(//h1)")) == (
        200,
        "Tổng hợp tuần, Thứ Hai 05/02/2024",
    )


def test_the_report_is_drafted_as_a_word_file(town: Town) -> None:
    browser = town.browser("chi").open("/bao-cao")
    assert "chưa tới kỳ" in browser.words
    browser.open(browser.page.xpath("//a[.='Quý I năm 2024']/@href")[0])
    assert browser.page.xpath("string(//h1)") == "Báo cáo quý I năm 2024"
    answer = browser.request("GET", browser.page.xpath("//a[contains(., 'Tải')]/@href")[0])
    assert "word/document.xml" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert browser.open("/bao-cao?ky=2031-Q1").status == 404
    assert browser.open("/bao-cao.docx?ky=x").status == 404
    assert "tải tệp bao-cao-2024-Q1.docx" in browser.open("/so-ghi").words
    assert town.browser("an").open("/bao-cao.docx?ky=2024-Q1").status == 403


def test_the_figures_tell_what_changed_since_the_last_digest(town: Town) -> None:
    town.world.says("an", "xong 1c", at("30/01", "09:12"))
    figures = town.browser("chi").open("/bang").page.xpath("//ul[@class='figs']//a")
    assert figures[0].text_content() == "1 Xong đúng hạn +1"


def test_check_ins_of_one_day_are_folded_into_a_line(town: Town) -> None:
    later(town, days=28)
    browser = town.browser("chi").open("/bang")
    [line] = [s.text_content() for s in browser.page.xpath("//summary") if "cập nhật" in s.text]
    assert line.startswith("15 cập nhật quý I hạn dự kiến Chủ Nhật 10/3")
    assert "còn chờ: Văn phòng 10" in line


def test_the_board_in_the_plans_order_as_csv_and_for_a_wall(town: Town) -> None:
    browser = town.browser("chi").open("/bang?xep=ke-hoach")
    codes = [c.text for c in browser.page.xpath("//td[@class='code']")]
    assert codes[:2] == ["1a", "1a"]
    assert browser.page.xpath("//a[.='Trang sau']")
    table = browser.request("GET", "/bang.csv?tinh-trang=qua-han").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["Mã"] for row in rows] == [
        c.text for c in browser.open("/bang?tinh-trang=qua-han").page.xpath("//td[@class='code']")
    ]
    assert browser.open("/bang?tv=1").page.xpath("//meta[@http-equiv='refresh']/@content") == [
        "300"
    ]
    assert not browser.open("/bang").page.xpath("//meta[@http-equiv='refresh']")
    assert town.browser("an").open("/bang.csv").status == 403


def test_the_filter_is_always_written_out_in_words(town: Town) -> None:
    browser = town.browser("chi").open(
        "/bang?bo-phan=tu-phap&tinh-trang=dang-mo&han=thang-nay&q=1d"
    )
    assert "Đang lọc: Tư pháp, Đang mở, hạn tháng này, có “1d”" in browser.words


def test_a_request_tells_what_it_comes_to_for_what_follows(town: Town) -> None:
    town.world.says("an", "xin gia hạn 1d báo cáo đến 28/02 chờ số liệu", town.now)
    assert (
        "Sau ngày ấy còn 2 ngày làm việc đến hạn Thứ Sáu 01/3 của “Quyết định công bố kết quả hệ "
        "thống hóa VBQPPL”."
    ) in town.browser("chi").words


def test_a_page_that_others_can_hear_says_so(town: Town) -> None:
    said = "Trang này đi qua http, không mã hóa"
    browser = town.browser("chi")
    assert said not in browser.text
    town.site.is_heard = True
    assert said in browser.open("/tai-khoan").text
