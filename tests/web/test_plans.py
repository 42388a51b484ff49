"""The plan is changed on the page: seen before it counts, recorded with a reason, taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from reminder.domain.calendar import Cycle
from reminder.domain.payloads import SignIn
from reminder.domain.plan import Every, OnDay
from reminder.files.documents import Documents
from tests.web.browser import BASE, Browser, Town, later

PLAN = "/ke-hoach/cchc-2024"
LARGE = 512 * 1024


def marks(town: Town) -> list[tuple[str, int]]:
    return town.world.store.document_marks()


def confirm(browser: Browser, why: str = "theo công văn 12/UBND") -> Browser:
    return browser.press("Ghi", **{"ly-do": why})


def test_a_due_day_is_changed_in_the_plans_words_and_seen_before_it_counts(
    town: Town, documents: Documents
) -> None:
    """The preview tells what the plan and its nudges become; only its form records."""
    browser = town.browser("chi").open(f"{PLAN}/viec/1d")
    browser.press("Xem thay đổi", **{"sp0-han": "15/3"})
    assert browser.status == 200
    words = browser.words
    assert "dời 1d: Báo cáo hệ thống hóa: hạn 20/02/2024 → hạn 15/3/2024" in words
    assert "1d Báo cáo hệ thống hóa, Tư pháp: dời 06/02 → 01/3" in words
    assert "quá hạn ngay" not in words
    assert marks(town) == [("cchc-2024", 1), ("people", 1)]
    confirm(browser)
    assert browser.url.startswith("/ke-hoach?")
    assert "Đã ghi." in browser.words
    task = town.world.service.refresh().by_plan["cchc-2024"].by_code["1d"]
    assert [(d.number, d.name, d.rule) for d in task.deliverables] == [
        (1, "Báo cáo hệ thống hóa", OnDay(date(2024, 3, 15))),
        (2, "Quyết định công bố", OnDay(date(2024, 3, 1))),
    ]
    newest = documents.newest("cchc-2024")
    assert newest is not None
    assert (newest.version, newest.by, newest.why) == (2, "chi", "theo công văn 12/UBND")


@pytest.mark.parametrize(
    ("words", "rule"),
    [("ngày 10 tháng cuối mỗi quý", Every(Cycle.QUARTER, 10)), ("hàng tháng", Every(Cycle.MONTH))],
)
@pytest.mark.usefixtures("documents")
def test_a_new_phrase_of_time_gives_the_due_days(town: Town, words: str, rule: Every) -> None:
    browser = town.browser("chi").open(f"{PLAN}/viec/1c")
    confirm(browser.press("Xem thay đổi", **{"sp0-thoi-gian": words}))
    (found,) = town.world.service.refresh().by_plan["cchc-2024"].by_code["1c"].deliverables
    assert (found.phrase, found.rule) == (words, rule)


@pytest.mark.usefixtures("documents")
def test_a_day_that_is_past_is_told_before_it_counts(town: Town) -> None:
    """Work that would be late at once, and how the nudges until then go."""
    browser = town.browser("chi").open(f"{PLAN}/viec/1d")
    browser.press("Xem thay đổi", **{"sp0-han": "01/02"})
    assert "1d Báo cáo hệ thống hóa, Tư pháp: bỏ 06/02, 07/02, 16/02, 19/02, 20/02" in (
        browser.words
    )
    assert "1d Báo cáo hệ thống hóa: hạn 01/02 đã qua, máy báo quá hạn ngay" in browser.words


@pytest.mark.usefixtures("documents")
def test_a_time_that_can_not_be_read_is_told_beside_its_field_and_kept(town: Town) -> None:
    browser = town.browser("chi").open(f"{PLAN}/viec/1c")
    browser.press("Xem thay đổi", **{"sp0-han": "mai mốt", "ten": "Danh mục <b>mới</b>"})
    assert browser.status == 422
    assert browser.page.xpath("string(//title)").startswith("Lỗi")
    assert "Không đọc được thời gian “mai mốt”" in browser.page.xpath("string(//*[@role='alert'])")
    shown = {i.get("name"): i.get("value") for i in browser.page.xpath("//input")}
    assert (shown["sp0-han"], shown["ten"]) == ("mai mốt", "Danh mục <b>mới</b>")
    assert marks(town)[0] == ("cchc-2024", 1)


@pytest.mark.usefixtures("documents")
def test_a_task_is_added_and_withdrawn(town: Town) -> None:
    browser = town.browser("chi").open(f"{PLAN}/viec-moi")
    browser.press(
        "Xem thay đổi",
        **{"ma": "1x", "ten": "Rà soát thủ tục", "phan": "1", "chu-tri": "tu-phap"},
        **{"spmoi-ten": "Báo cáo", "spmoi-sp": "Báo cáo rà soát", "spmoi-thoi-gian": "Quý II"},
    )
    assert "thêm 1x: Rà soát thủ tục" in browser.words
    confirm(browser)
    plan = town.world.service.refresh().by_plan["cchc-2024"]
    codes = [task.code for task in plan.tasks]
    assert codes[codes.index("1x") - 1].startswith("1")
    assert plan.by_code["1x"].lead == ("tu-phap",)
    browser.open(f"{PLAN}/viec/1x").press("Rút nhiệm vụ này")
    assert "bỏ 1x: Rà soát thủ tục" in browser.words
    confirm(browser)
    assert "1x" not in town.world.service.refresh().by_plan["cchc-2024"].by_code


@pytest.mark.usefixtures("documents")
def test_a_product_that_is_added_takes_a_number_nobody_had(town: Town) -> None:
    """The others keep theirs, by which the ledger knows them."""
    browser = town.browser("chi").open(f"{PLAN}/viec/1d")
    browser.press("Xem thay đổi", **{"spmoi-ten": "Tờ trình", "spmoi-thoi-gian": "10/02"})
    confirm(browser)
    task = town.world.service.refresh().by_plan["cchc-2024"].by_code["1d"]
    names = [(d.number, d.name) for d in task.deliverables]
    assert names == [(1, "Báo cáo hệ thống hóa"), (2, "Quyết định công bố"), (3, "Tờ trình")]


@pytest.mark.usefixtures("documents")
def test_a_unit_is_renamed_and_one_added(town: Town) -> None:
    browser = town.browser("chi").open(f"{PLAN}/chung")
    browser.press("Xem thay đổi", **{"bp-tu-phap-ten": "Tư pháp - Hộ tịch", "bpm-ten": "Một cửa"})
    assert "sửa bộ phận tu-phap: Tư pháp → Tư pháp - Hộ tịch" in browser.words
    confirm(browser)
    units = town.world.service.refresh().by_plan["cchc-2024"].by_unit
    assert (units["tu-phap"].name, units["mot-cua"].name) == ("Tư pháp - Hộ tịch", "Một cửa")


@pytest.mark.usefixtures("documents")
def test_people_come_change_and_leave(town: Town) -> None:
    """Who left is signed out; whose messages go elsewhere is told before."""
    gone = town.browser("binh").open("/cua-toi")
    browser = town.browser("chi").open("/ke-hoach/people/nguoi-moi")
    browser.press("Xem thay đổi", **{"ten": "Nguyễn Văn Em", "bo-phan": "van-phong"})
    assert "tin của Văn phòng: Chi → Chi, Nguyễn Văn Em" in browser.words
    confirm(browser, "về nhận việc")
    browser.open("/ke-hoach/people/nguoi/an")
    browser.press("Xem thay đổi", **{"chuc-danh": "Công chức", "thu": "an.moi@example.vn"})
    assert "sửa An: chức danh: không → Công chức; thư: an@example.vn → an.moi@example.vn" in (
        browser.words
    )
    confirm(browser)
    confirm(browser.open("/ke-hoach/people/nguoi/binh").press("Người này thôi việc"), "nghỉ hưu")
    people = town.world.service.refresh().people
    assert list(people) == ["an", "chi", "dung", "lan", "nguyen-van-em"]
    assert (people["an"].email, people["an"].title) == ("an.moi@example.vn", "Công chức")
    assert gone.open("/cua-toi").url == "/dang-nhap"
    assert marks(town) == [("cchc-2024", 1), ("people", 4)]


@pytest.mark.usefixtures("documents")
def test_the_whole_text_is_changed_and_its_faults_are_told_with_their_lines(town: Town) -> None:
    browser = town.browser("chi").open(f"{PLAN}/van-ban")
    text = browser.page.xpath("string(//textarea)").removeprefix("\n")
    browser.press("Xem thay đổi", **{"van-ban": text.replace('"tu-phap"', '"tu-phat"', 1)})
    assert (browser.status, "dòng " in browser.page.xpath("string(//*[@role='alert'])")) == (
        422,
        True,
    )
    assert "tu-phat" in browser.page.xpath("string(//textarea)")
    remark = f"# <script>ghi chú</script>\n{text}"
    browser.press("Xem thay đổi", **{"van-ban": remark})
    assert "chỉ đổi cách ghi trong văn bản" in browser.words
    confirm(browser)
    kept = town.world.store.versions("cchc-2024", limit=1)[0]
    assert (kept.version, kept.text.startswith("# <script>ghi chú</script>\n#")) == (2, True)
    assert "<script>ghi" not in browser.open(f"{PLAN}/ban/2").text


@pytest.mark.usefixtures("documents")
def test_a_form_of_an_older_version_is_refused_with_who_changed_it(town: Town) -> None:
    """In its first step and at its record; the same form again records once."""
    town.site.editors = frozenset({"chi", "lan"})
    late = town.browser("chi").open(f"{PLAN}/viec/1c")
    seen = town.browser("chi").open(f"{PLAN}/viec/1c").press("Xem thay đổi", ten="Danh mục")
    first = town.browser("chi").open(f"{PLAN}/viec/1c")
    confirm(first.press("Xem thay đổi", ten="Danh mục văn bản"), "rõ hơn")
    first.again()
    assert "chỉ ghi một lần" in first.words
    late.press("Xem thay đổi", ten="Danh mục khác")
    assert (late.status, "vừa thay đổi (Chi, 09:00 hôm nay: rõ hơn)" in late.words) == (409, True)
    assert confirm(seen).status == 409
    assert marks(town)[0] == ("cchc-2024", 2)


@pytest.mark.usefixtures("documents")
def test_a_reason_is_asked_for_and_nothing_is_no_change(town: Town) -> None:
    browser = town.browser("chi").open(f"{PLAN}/viec/1c")
    assert browser.press("Xem thay đổi").status == 422
    assert "Chưa có gì thay đổi" in browser.words
    browser.press("Xem thay đổi", ten="Danh mục")
    assert (confirm(browser, " ").status, "Xin ghi lý do" in browser.words) == (422, True)
    browser.press("Sửa tiếp")
    shown = {i.get("name"): i.get("value") for i in browser.page.xpath("//input")}
    assert shown["ten"] == "Danh mục"
    assert marks(town)[0] == ("cchc-2024", 1)


@pytest.mark.usefixtures("documents")
def test_an_older_version_is_taken_back_as_a_new_one(town: Town) -> None:
    browser = town.browser("chi").open(f"{PLAN}/viec/1c")
    confirm(browser.press("Xem thay đổi", ten="Danh mục"), "thử")
    browser.open(f"{PLAN}/ban")
    assert "Chi : thử" in browser.words
    assert "sửa 1c: tên: Danh mục VBQPPL hết hiệu lực năm 2023 → Danh mục" in browser.words
    confirm(browser.open(f"{PLAN}/ban/1").press("Lấy lại bản này"), "lấy lại")
    first, _, third = reversed(town.world.store.versions("cchc-2024"))
    assert (third.version, third.text) == (3, first.text)


@pytest.mark.usefixtures("documents")
def test_a_change_is_in_the_log_of_sight(town: Town) -> None:
    browser = town.browser("chi").open(f"{PLAN}/viec/1c")
    confirm(browser.press("Xem thay đổi", ten="Danh mục"), "thử")
    found = [(s.person, s.detail) for s in town.world.store.sights(limit=100) if s.what == "plan"]
    assert found == [("chi", "cchc-2024, bản 2: thử")]


@pytest.mark.usefixtures("documents")
def test_only_editors_change_and_leaders_read_the_versions(town: Town) -> None:
    """An officer sees no version, nobody but the office the people's text."""
    editor = town.browser("chi").open(f"{PLAN}/viec/1c")
    form, _ = editor.form("Xem thay đổi")
    fields = [(i.get("name"), i.get("value", "")) for i in form.xpath(".//input")]
    town.site.editors = frozenset({"lan"})  # a leader: not of the office
    found = {}
    for who in ("chi", "lan", "an"):
        browser = town.browser(who)
        pages = ("viec/1c", "van-ban", "chung", "ban")
        found[who] = [browser.open(f"{PLAN}/{page}").status for page in pages]
        found[who].append(browser.open("/ke-hoach/people/ban").status)
        found[who].append(browser.post(f"{PLAN}/viec/1c", fields).status)
    assert found == {
        "chi": [403, 403, 403, 200, 200, 403],
        "lan": [403, 403, 403, 200, 403, 403],
        "an": [403, 403, 403, 403, 403, 403],
    }


def test_where_plans_are_files_the_page_says_how_they_are_changed(town: Town) -> None:
    town.site.editors = frozenset({"chi"})
    browser = town.browser("chi").open("/ke-hoach")
    assert "Kế hoạch nằm trong tệp." in browser.words
    links = browser.page.xpath("//a[starts-with(@href, '/ke-hoach/')]/@href")
    assert links == ["/ke-hoach/nhap"]
    assert browser.open(f"{PLAN}/viec/1c").status == 403


@pytest.mark.usefixtures("documents")
def test_a_code_is_asked_for_half_an_hour_after_the_sign_in(town: Town) -> None:
    """What was typed goes on after it; a wrong code records nothing."""
    browser = town.browser("chi").open(f"{PLAN}/viec/1c")
    later(town, minutes=31)
    browser.press("Xem thay đổi", ten="Danh mục")
    assert "Máy đã gửi mã sáu chữ số" in browser.words
    login = browser.page.xpath("string(//input[@name='lan']/@value)")
    mails = [row.draft for row in town.world.store.rows(kind="notice")]
    assert [(d.recipient, d.channel, d.payload) for d in mails] == [
        ("chi", "email", SignIn(login=login))
    ]
    browser.press("Xác nhận", **{"ma-xac-nhan": "000000"})
    assert (browser.status, "Mã không đúng" in browser.words) == (422, True)
    code = town.links.code(login)
    browser.press("Xác nhận", **{"ma-xac-nhan": f"{code[:3]} {code[3:]}"})
    assert "sửa 1c: tên:" in browser.words
    confirm(browser)
    assert marks(town)[0] == ("cchc-2024", 2)


@pytest.mark.usefixtures("documents")
def test_a_token_too_asks_for_a_fresh_sign_in(town: Town) -> None:
    browser = town.browser("chi").open("/tai-khoan")
    later(town, minutes=31)
    browser.press("Tạo mã", ten="bảng của quận")
    assert ("Xác nhận lại" in browser.words, town.world.store.tokens()) == (True, [])


@pytest.mark.usefixtures("documents")
def test_only_the_form_of_a_text_may_be_large(town: Town) -> None:
    browser = town.browser("chi")
    statuses = [
        browser.post(path, [("van-ban", "x" * size)], BASE).status
        for path, size in (
            (f"{PLAN}/viec/1c", LARGE // 8),
            (f"{PLAN}/van-ban", LARGE // 2),
            (f"{PLAN}/van-ban", LARGE),
        )
    ]
    assert statuses == [413, 422, 413]


@pytest.mark.usefixtures("documents")
def test_a_plan_is_added_and_put_out_of_use(town: Town) -> None:
    """Its versions stay; the last plan can't go."""
    text = town.world.store.versions("cchc-2024", limit=1)[0].text
    browser = town.browser("chi").open("/ke-hoach-moi")
    browser.press("Xem thay đổi", **{"van-ban": text.replace("cchc-2024", "dan-van-2024")})
    confirm(browser, "kế hoạch thứ hai")
    assert set(town.world.service.refresh().by_plan) == {"cchc-2024", "dan-van-2024"}
    confirm(browser.open("/ke-hoach/dan-van-2024/ban").press("Thôi dùng kế hoạch này"), "gộp lại")
    assert set(town.world.service.refresh().by_plan) == {"cchc-2024"}
    browser.open(f"{PLAN}/ban").press("Thôi dùng kế hoạch này")
    assert "phải còn ít nhất một kế hoạch" in browser.words
    assert marks(town)[:2] == [("cchc-2024", 1), ("dan-van-2024", 2)]


def test_a_plan_of_hundreds_of_tasks_is_shown_in_pages(town: Town) -> None:
    """Each has less than 60 kB, and all tasks are on one of them."""
    service = town.world.service
    files = service.office.files
    (plan,) = files.plans
    tasks = [
        replace(
            plan.tasks[n % len(plan.tasks)], code=f"{n // 100 + 1}.{n % 100 + 1}", title="<b>V</b>"
        )
        for n in range(250)
    ]
    service.reload(replace(files, plans=(replace(plan, tasks=tuple(tasks)),)), town.now)
    browser = town.browser("chi")
    shown = []
    for page in (1, 2, 3, 4):
        browser.open(f"/ke-hoach?trang={page}")
        assert len(browser.text.encode()) < 60_000
        assert "<b>V</b>" not in browser.text
        shown += browser.page.xpath("//td[@class='code']/text()")
    assert shown == [task.code for task in tasks]
    assert [browser.open(f"/ke-hoach?trang={p}").status for p in ("0", "x", "9" * 99)] == [200] * 3


@pytest.mark.parametrize(
    ("page", "status"),
    [
        ("/ke-hoach/people/viec/1a", 404),
        ("/ke-hoach/people/chung", 404),
        ("/ke-hoach/no-plan/van-ban", 404),
        (f"{PLAN}/viec/9z", 404),
        (f"{PLAN}/viec/1%C4%91", 200),
        (f"{PLAN}/ban/0", 404),
        (f"{PLAN}/ban/{'9' * 400}", 404),
        (f"{PLAN}/ban?truoc=x", 200),
        ("/ke-hoach/%00/ban", 404),
        ("/ke-hoach/people/nguoi/no-one", 404),
    ],
)
@pytest.mark.usefixtures("documents")
def test_odd_addresses_lead_to_a_page_with_a_sentence(town: Town, page: str, status: int) -> None:
    assert town.browser("chi").open(page).status == status


def test_a_text_in_another_style_is_changed_as_a_whole_alone(
    town: Town, documents: Documents
) -> None:
    """Its forms say so; what they would have written is not recorded."""
    text = 'person = [{ id = "chi", name = "Chi", unit = "van-phong" }]\n'
    documents.record("people", text, seen=1, by="", why="thử", at=town.now)
    browser = town.browser("chi").open("/ke-hoach/people/nguoi/chi")
    browser.press("Xem thay đổi", ten="Chị Chi")
    assert (browser.status, "xin dùng Sửa cả văn bản" in browser.words) == (422, True)
    assert marks(town)[1] == ("people", 2)


def test_json_of_the_plan_tells_no_text_to_who_may_not_see_it(
    town: Town, documents: Documents
) -> None:
    """Neither the plan's page nor the people's versions give an officer addresses."""
    del documents
    officer = town.browser("an")
    plans = officer.request("GET", "/ke-hoach.json").json()
    assert plans["texts"] == []
    answer = officer.request("GET", "/ke-hoach/people/ban.json")
    assert (answer.status_code, "@example.vn" in answer.text) == (403, False)


@pytest.mark.usefixtures("documents")
@pytest.mark.parametrize("gone", [{"sp0-bo": "1"}, {"bo-viec": "1"}])
def test_what_was_recorded_of_work_that_is_gone_is_shown(town: Town, gone: dict[str, str]) -> None:
    """A product or a task that leaves the plan keeps its entries, and breaks no page or file."""
    town.world.says("chi", "/done 1d báo cáo", town.now)
    assert town.world.events() == ["done 1d.1 2024 van-phong chi"]
    browser = town.browser("chi").open(f"{PLAN}/viec/1d")
    button = "Rút nhiệm vụ này" if "bo-viec" in gone else "Xem thay đổi"
    confirm(browser.press(button, **({} if "bo-viec" in gone else gone)))
    assert "Đã ghi." in browser.words
    pages = (
        "/so-ghi", "/so-ghi.csv", "/so-ghi?viec=1d", "/so-ghi.json", "/bang", "/bang.csv", "/quyet",
        "/cua-toi", "/tong-hop", "/tien-do", "/bo-phan/tu-phap", "/bao-cao?ky=2024-Q1", "/lich",
        "/nguoi", f"{PLAN}/ban", "/bang.xlsx", "/bao-cao.docx?ky=2024-Q1",
    )  # fmt: skip
    assert [page for page in pages if browser.open(page).status != 200] == []
    browser.open("/viec/cchc-2024/1d")
    assert browser.status == (404 if "bo-viec" in gone else 200)
    browser.open("/so-ghi")
    assert "1d (không còn trong kế hoạch), Chi: xong" in browser.words
