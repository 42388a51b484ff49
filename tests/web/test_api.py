"""The API: what other programs read and do, by the rights of the token's owner."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from reminder.web.acts import ACTS
from tests.conftest import ROOT
from tests.web.browser import Town, later

TASK = "/api/v1/viec/cchc-2024/1c"
KEY = "cchc-2024/1c/1/2024"


def token(town: Town, person: str = "an", right: str = "ghi") -> str:
    browser = town.browser(person).open("/tai-khoan")
    browser.press("Tạo mã", ten="bảng", ngay="90", quyen=right)
    found: str = browser.page.xpath("string(//code)")
    return found


def asked(town: Town, method: str, url: str, secret: str, **more: Any) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {secret}", **more.pop("headers", {})}
    response = town.browser().request(method, url, headers=headers, **more)
    return response.status_code, response.json()


def act(town: Town, secret: str, once: str = "", **body: Any) -> tuple[int, Any]:
    whole = {"key": KEY, "act": "xong", "revision": 0} | body
    headers = {"idempotency-key": once} if once else {}
    return asked(town, "POST", "/api/v1/acts", secret, json=whole, headers=headers)


def test_the_board_and_a_task_as_json(town: Town) -> None:
    status, board = asked(town, "GET", "/api/v1/bang", token(town, "chi", "doc"))
    assert status == 200
    assert board["figures"] == {
        "in_time": 0, "done_late": 0, "open": 32, "late": 3, "signing": 0, "awaiting": 3
    }  # fmt: skip
    assert (board["page"], board["pages"], len(board["items"])) == (1, 2, 80)
    status, task = asked(town, "GET", TASK, token(town))
    assert (status, task["items"][0]["key"], task["items"][0]["revision"]) == (200, KEY, 0)


def test_an_act_is_recorded_once(town: Town) -> None:
    secret = token(town)
    status, done = act(town, secret, once="a1", evidence="12/QĐ")
    assert (status, done["item"]["revision"]) == (200, 1)
    assert act(town, secret, once="a1", evidence="12/QĐ")[0] == 200
    assert act(town, secret, once="a1", evidence="13/QĐ")[0] == 409
    assert act(town, secret)[0] == 409  # the revision is an older one
    assert town.world.events() == ["done 1c.1 2024 tu-phap an"]
    assert town.world.store.events()[0].event.channel == "web"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"key": "x"}, 422),
        ({"key": "cchc-2024/9z/1/2024"}, 404),
        ({"act": "xoa"}, 422),
        ({"revision": "0"}, 422),
        ({"revision": True}, 422),
        ({"until": 5}, 422),
        ({"act": "gia-han", "until": "mai mốt"}, 422),
        ({"more": 1}, 422),
    ],
)
def test_a_wrong_body_is_a_problem(town: Town, body: dict[str, Any], status: int) -> None:
    found, problem = act(town, token(town), **body)
    assert (found, problem["status"], bool(problem["title"])) == (status, status, True)
    assert town.world.events() == []


def test_a_refused_act_may_be_sent_again_by_the_same_key(town: Town) -> None:
    """Only what was recorded is answered as done."""
    secret, body = token(town), {"act": "gia-han", "until": "2024-01-01"}
    statuses = [act(town, secret, once="a1", **body)[0] for _ in range(2)]
    assert (statuses, town.world.events()) == ([409, 409], [])


@pytest.mark.parametrize("until", ["0001-01-01", "2024-02-29", "9999-12-31"])
@pytest.mark.parametrize("name", ["gia-han", "nhac-sau", "dat-han"])
def test_any_day_is_taken_or_refused(town: Town, name: str, until: str) -> None:
    who = "an" if name == "nhac-sau" else "chi"
    assert act(town, token(town, who), act=name, until=until)[0] in (200, 409)


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 201])
def test_an_idempotency_key_is_visible_ascii(town: Town, key: str) -> None:
    headers = {"idempotency-key": key.encode()}
    body = {"key": KEY, "act": "xong", "revision": 0}
    status, _ = asked(town, "POST", "/api/v1/acts", token(town), json=body, headers=headers)
    assert (status, town.world.events()) == (400, [])


def test_whatever_is_refused_is_a_problem(town: Town) -> None:
    """Also by what stands before the routes: method, size, host; and what a token has to be."""
    browser, large = town.browser(), {"content-length": "70000"}
    answers = [
        browser.request("DELETE", "/api/v1/bang"),
        browser.request("PUT", "/api/v1/acts"),
        browser.request("GET", "/api/v1/nothing"),
        browser.request("GET", "/api/v1/bang", headers={"host": "evil.example"}),
        browser.request("POST", "/api/v1/acts", headers=large),
        browser.request("POST", "/api/v1/acts"),
        browser.request("GET", "/api/v1/bang", headers={"authorization": "Basic eA=="}),
    ]
    assert [a.status_code for a in answers] == [405, 405, 404, 421, 413, 401, 401]
    assert {a.headers["content-type"] for a in answers} == {"application/problem+json"}
    assert all(a.json()["status"] == a.status_code and a.json()["title"] for a in answers)
    assert answers[1].headers["allow"] == "POST"
    assert answers[-1].headers["www-authenticate"] == "Bearer"


def test_a_session_acts_on_nothing_by_the_api(town: Town) -> None:
    """A page elsewhere could have a browser send it."""
    browser = town.browser("an")
    body = {"key": KEY, "act": "xong", "revision": 0}
    assert browser.request("GET", TASK).status_code == 200
    assert browser.request("POST", "/api/v1/acts", json=body).status_code == 401
    assert town.world.events() == []


def test_no_json_is_a_problem(town: Town) -> None:
    for content in (b"", b"{", b"[" * 50_000, b"\xff"):
        status, _ = asked(town, "POST", "/api/v1/acts", token(town), content=content)
        assert status == 400
    status, _ = asked(town, "POST", "/api/v1/acts", token(town), content=b"[]")
    assert status == 422


def test_rights_are_the_owners_and_the_tokens(town: Town) -> None:
    assert act(town, token(town, "an", "doc"))[0] == 403
    assert act(town, token(town, "dung"))[0] == 403
    assert act(town, token(town, "lan"))[0] == 403
    assert asked(town, "GET", "/api/v1/bang", token(town, "an"))[0] == 403
    status, task = asked(town, "GET", TASK, token(town, "dung"))
    assert (status, set(task["items"][0])) == (200, {"key", "code", "title", "lead", "due"})
    assert town.world.events() == []


def test_a_token_that_is_wrong_ended_or_expired_opens_nothing(town: Town) -> None:
    secret = token(town)
    assert asked(town, "GET", TASK, secret + "x")[0] == 401
    assert town.browser().request("GET", TASK).status_code == 401
    later(town, days=91)
    assert asked(town, "GET", TASK, secret)[0] == 401
    other = token(town)
    town.browser("an").open("/tai-khoan").press("Bỏ mã")
    town.browser("an").open("/tai-khoan").press("Bỏ mã")
    assert asked(town, "GET", TASK, other)[0] == 401


def test_a_flood_of_acts_is_held_back(town: Town) -> None:
    secret = token(town)
    statuses = [act(town, secret, act="ghi-chu", note=f"{n}", revision=n)[0] for n in range(40)]
    assert set(statuses) == {200, 429}
    later(town, minutes=2)
    done = statuses.count(200)
    assert act(town, secret, act="ghi-chu", note="sau", revision=done)[0] == 200


def test_the_description_names_what_is_there(town: Town) -> None:
    browser = town.browser()
    found = browser.request("GET", "/api/v1/openapi.json").json()
    assert found["openapi"] == "3.1.0"
    assert set(found["paths"]) == {
        "/api/v1/quyet",
        "/api/v1/lich",
        "/api/v1/so-ghi",
        "/api/v1/bang", "/api/v1/viec/{plan}/{code}", "/api/v1/acts"
    }  # fmt: skip
    assert browser.request("GET", "/api/v1/nothing").json()["status"] == 404


def test_a_calendar_is_read_by_its_address_until_that_is_changed(town: Town) -> None:
    browser = town.browser("an").open("/tai-khoan")
    address = browser.page.xpath("//a[contains(@href, '.ics')]/@href")[0]
    calendar = town.browser().request("GET", address)
    assert (calendar.status_code, "BEGIN:VCALENDAR" in calendar.text) == (200, True)
    assert town.browser().request("GET", address.replace(".ics", "x.ics")).status_code == 404
    browser.press("Đổi đường dẫn")
    assert town.browser().request("GET", address).status_code == 404
    following = browser.page.xpath("//a[contains(@href, '.ics')]/@href")[0]
    assert town.browser().request("GET", following).status_code == 200


def test_nobody_ends_anothers_token_or_session(town: Town) -> None:
    secret, other = token(town), town.browser("dung")
    form = town.browser("an").open("/tai-khoan").page.xpath("//form[@action='/tai-khoan/ma/bo']")
    other.post("/tai-khoan/ma/bo", [("ma", form[0].xpath("string(.//input/@value)"))])
    other.post("/tai-khoan/thoat-het", [])
    other.post("/tai-khoan/lich", [])
    assert asked(town, "GET", TASK, secret)[0] == 200
    assert len(town.world.store.sessions("an")) == 2


def test_a_calendars_address_is_good_as_long_as_its_readers_right(town: Town) -> None:
    """Of another unit or person it can't be made; it ends with the unit of its reader."""
    page = town.browser("an").open("/tai-khoan").page
    address = page.xpath("string(//a[contains(@href, '.ics')]/@href)")
    for unit in ("van-phong", "van-hoa-xa-hoi"):
        forged = town.links.feed("an", unit, 0)
        assert town.browser().request("GET", forged).status_code == 404
    other = town.links.feed("chi", "tu-phap", 0).rpartition("/")[2].partition(".")[0]
    mac = address.rpartition("/")[2].partition(".")[2]
    assert town.browser().request("GET", f"/lich/{other}.{mac}").status_code == 404
    assert town.browser().request("GET", address).status_code == 200
    service = town.world.service
    files = service.office.files
    for people in (
        [replace(p, units=("van-hoa-xa-hoi",)) if p.id == "an" else p for p in files.people],
        [p for p in files.people if p.id != "an"],
    ):
        service.reload(replace(files, people=tuple(people)), town.now)
        assert town.browser().request("GET", address).status_code == 404


def test_the_examples_of_the_docs_work(town: Town) -> None:
    """Each curl command of docs/api.md, its address and its body."""
    said = (ROOT / "docs/api.md").read_text("utf-8")
    reads, writes = token(town, "chi", "doc"), token(town)
    places = re.findall(r"http://127\.0\.0\.1:8080(/api/\S+)", said)
    body = json.loads(re.findall(r"-d '(.+?)'", said)[0])
    assert len(places) == 3
    assert [asked(town, "GET", place, reads)[0] for place in places[:2]] == [200, 200]
    assert asked(town, "POST", places[2], writes, json=body)[0] == 200
    acts_named = set(re.findall(r"`([a-z-]+)`", said.partition("Acts: ")[2].partition(". What")[0]))
    assert acts_named == set(ACTS)


def test_decisions_calendar_and_ledger_are_there_too(town: Town) -> None:
    """As their pages have them, with the rights of the token's owner."""
    town.world.says("an", "xong 1c", town.now)
    reads = token(town, "chi", "doc")
    status, desk = asked(town, "GET", "/api/v1/quyet", reads)
    assert (status, [work["code"] for work in desk["desk"]["undated"]]) == (200, ["1đ", "2g", "5a"])
    status, month = asked(town, "GET", "/api/v1/lich?thang=2024-02", reads)
    assert (status, month["after"], len(month["days"])) == (200, "2024-03", 29)
    status, ledger = asked(town, "GET", "/api/v1/so-ghi?viec=1c", reads)
    assert (status, [row["code"] for row in ledger["rows"]]) == (200, ["1c"])
    status, refused = asked(town, "GET", "/api/v1/quyet", token(town, "an", "doc"))
    assert (status, refused["title"]) == (403, "Trang này của Văn phòng.")
