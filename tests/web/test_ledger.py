"""The ledger on the page: its filters, its files, and who visited the page."""

from __future__ import annotations

import csv
import io

from tests.services.world import at
from tests.web.browser import Browser, Town, later


def table(browser: Browser, url: str) -> list[dict[str, str]]:
    """The rows of a CSV file, by their headings."""
    answer = browser.request("GET", url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def spoken(town: Town) -> None:
    """An officer of each of two units says something, a day apart."""
    town.world.says("an", "xong 1c số 12/QĐ-UBND ngày 30/01", at("30/01", "09:12"))
    town.world.says("dung", "ghi chú 4b chờ số liệu", at("31/01", "10:00"))


def shown(browser: Browser) -> list[str]:
    codes = browser.page.xpath("//ol[1][@class='log']//b")
    return [code.text for code in codes]


def test_the_office_filters_the_ledger_and_the_filter_is_said(town: Town) -> None:
    spoken(town)
    browser = town.browser("chi").open("/so-ghi")
    assert shown(browser) == ["4b", "1c"]
    browser.press("Lọc", viec="1C")
    assert "Đang lọc: việc 1C 1 mục" in browser.words
    assert shown(browser) == ["1c"]
    assert shown(browser.open("/so-ghi?nguoi=dung&tu=31/01/2024&den=2024-01-31")) == ["4b"]
    assert shown(browser.open("/so-ghi?loai=done")) == ["1c"]
    assert "Không có mục nào." in browser.open("/so-ghi?den=29/01/2024").words
    assert [r["line"] for r in browser.request("GET", "/so-ghi.json?viec=1c").json()["rows"]]


def test_an_officer_reads_of_the_ledger_what_is_of_the_own_units(town: Town) -> None:
    spoken(town)
    browser = town.browser("an").open("/so-ghi")
    assert shown(browser) == ["1c"]
    assert "Vào trang" not in browser.text
    assert [row["Mã việc"] for row in table(browser, "/so-ghi.csv")] == ["1c"]
    assert browser.open("/so-ghi/vao-trang.csv").status == 403


def test_the_ledger_as_csv_is_what_the_filter_shows(town: Town) -> None:
    spoken(town)
    browser = town.browser("chi")
    [row] = table(browser, "/so-ghi.csv?viec=1c")
    assert row == {
        "Lúc": "2024-01-30T09:12:00+07:00", "Loại": "xong", "Kế hoạch": "cchc-2024",
        "Mã việc": "1c", "Việc": "1c Quyết định", "Bộ phận": "Tư pháp", "Người ghi": "An",
        "Kênh": "telegram", "Đến ngày": "", "Văn bản": "số 12/QĐ-UBND ngày 30/01", "Ghi chú": "",
    }  # fmt: skip


def test_the_ledger_is_verified_on_request(town: Town) -> None:
    spoken(town)
    browser = town.browser("chi").open("/so-ghi")
    assert "nguyên vẹn" not in browser.words
    browser.open("/so-ghi?doi-chieu=1")
    assert "Sổ ghi nguyên vẹn: 2 mục, mã mục cuối" in browser.words
    assert "nguyên vẹn" not in town.browser("an").open("/so-ghi?doi-chieu=1").words


def test_the_proof_of_a_task_tells_who_was_told_what(town: Town) -> None:
    """As `reminder log --export` has it; whoever takes it along stands in the log of sight."""
    town.world.tick(at("22/01"))
    town.world.tick(at("31/01"))
    browser = town.browser("an")
    rows = table(browser, "/viec/cchc-2024/1c/bang-chung.csv")
    told = {(r["Người nhận"], r["Mã việc"], r["Mốc nhắc"], r["Tình trạng"]) for r in rows}
    assert ("An", "1c", "đúng hạn", "đã gửi") in told
    assert {row["Mã việc"] for row in rows} == {"1c"}
    assert town.browser("dung").open("/viec/cchc-2024/1c/bang-chung.csv").status == 403
    assert browser.open("/viec/cchc-2024/9z/bang-chung.csv").status == 404
    browser.open("/viec/cchc-2024/1đ").page.xpath("//a[contains(., 'CSV')]")
    table(browser, browser.page.xpath("//a[contains(., 'CSV')]/@href")[0])
    office = town.browser("chi").open("/so-ghi")
    assert "An: tải bằng chứng bang-chung-1c-2024.csv" in office.words
    assert "Dung: bị từ chối /viec/cchc-2024/1c/bang-chung.csv" in office.words


def test_the_visits_are_filtered_and_taken_along_too(town: Town) -> None:
    town.browser("an")
    later(town, days=1)
    office = town.browser("chi")
    rows = table(office, "/so-ghi/vao-trang.csv?nguoi=an")
    assert [(r["Lúc"], r["Mã người"], r["Việc"]) for r in rows] == [
        ("2024-02-05T09:00:00+07:00", "an", "đăng nhập")
    ]
    assert table(office, "/so-ghi/vao-trang.csv?den=05/02/2024") == rows
