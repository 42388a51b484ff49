"""A document becomes a plan on the page: sent in, read, reviewed."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from reminder.domain.plan import Plan
from reminder.files.documents import Documents
from reminder.files.plan import load_plan
from reminder.files.toml import Text
from reminder.importing.answers import answer_question, as_plan, hindrances, open_questions
from reminder.importing.draft import Draft, Question, dumps, loads
from reminder.importing.drafting import Drafted, Line, draft_apart, lines_of
from reminder.importing.layout import Document, Paragraph
from reminder.importing.page import review_page
from reminder.importing.tasks import make_draft
from reminder.store.documents import ImportState, PlanImport
from reminder.web.uploads import STEADY, Reader, UploadError, received
from tests.services.world import person
from tests.waiting import LONGEST
from tests.web.browser import Browser, Town, later

CASES = Path(__file__).parents[1] / "importing" / "cases"
FOOD = CASES / "d09-an-toan-thuc-pham.pdf"  # contradictions, assumed days, long titles
WHO = ("Chi", "2024-02-05T02:00:00+00:00")  # who answers here, and when


@pytest.fixture(scope="module")
def food(plan2024: Plan) -> Drafted:
    return draft_apart(FOOD, FOOD.name, like=plan2024)


def brought(town: Town, found: Drafted, who: str = "chi") -> str:
    """A document that is read; the address of its page."""
    kept = PlanImport(
        id=f"of-{who}",
        person=who,
        name="KH.pdf",
        state=ImportState.OPEN,
        draft=dumps(found.draft),
        lines=json.dumps(found.lines),
        made_at=town.now,
        changed_at=town.now,
    )
    assert town.world.store.add_import(kept)
    return f"/ke-hoach/nhap/{kept.id}"


def kept_draft(town: Town, import_id: str = "of-chi") -> Draft:
    found = town.world.store.import_of(import_id)
    assert found is not None
    return loads(found.draft)


def when_read(town: Town, browser: Browser) -> Browser:
    """The page of a document, once it is read."""
    browser.open(browser.url)
    for job in [*town.site.reader._jobs.values()]:
        assert job.ended.wait(LONGEST)
    return browser.open(browser.url)


def text_of(*lines: str) -> bytes:
    return "\n".join(["KẾ HOẠCH", "Công tác năm 2027", *lines]).encode()


TASK = ("1. Xây dựng kế hoạch phòng dịch", "a) Chủ trì: Tư pháp", "b) Thời gian: Quý I")


# ---- sending in


@pytest.mark.parametrize("who", ["an", "lan"])
def test_only_editors_of_the_office_bring_documents_in(town: Town, who: str, food: Drafted) -> None:
    """Nobody else reads a draft, answers in it, or sees the way there."""
    place = brought(town, food)
    town.site.editors = frozenset(["chi", who])  # a name alone is not enough
    browser = town.browser(who)
    assert "/ke-hoach/nhap" not in browser.open("/ke-hoach").text
    statuses = [browser.open(page).status for page in ("/ke-hoach/nhap", place)]
    statuses.append(browser.send("KH.txt", text_of(*TASK)).status)
    statuses.append(browser.post(f"{place}/tra-loi", [("cau", "q1"), ("tra-loi", "yes")]).status)
    statuses.append(browser.post(f"{place}/bo", []).status)
    assert statuses == [403] * 5
    assert kept_draft(town) == food.draft


def test_an_office_person_who_is_no_editor_is_told_why(town: Town) -> None:
    town.site.editors = frozenset()
    browser = town.browser("chi").open("/ke-hoach/nhap")
    assert (browser.status, "editors" in browser.words) == (403, True)


def test_a_document_is_read_and_reviewed(town: Town) -> None:
    """Its page tells how far it is, and opens itself again; then it shows what was understood."""
    browser = town.browser("chi").open("/ke-hoach")
    assert browser.page.xpath("//a[@href='/ke-hoach/nhap']")
    browser.send("C:\\Tài liệu\\KH 2027.txt", text_of(*TASK), theo="cchc-2024")
    assert "Đang đọc KH 2027.txt" in browser.words
    assert browser.headers["refresh"] == "2"
    when_read(town, browser)
    assert "1 việc: 1 cuối kỳ" in browser.words
    assert browser.page.xpath("//div[@class='words']/p[@class='taken']/text()") == [
        "1. Xây dựng kế hoạch phòng dịch", "a) Chủ trì: ", "b) Thời gian: "
    ]  # fmt: skip
    assert browser.page.xpath("//mark/text()") == ["Tư pháp", "Quý I"]
    assert "cuối quý I, hạn 31/3/2027" in browser.words
    assert [*town.folder.iterdir()] == []
    (made,) = town.world.store.imports()
    assert (made.person, made.name, made.state) == ("chi", "KH 2027.txt", ImportState.OPEN)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x89PNG\r\n", "Không đọc KH.docx: đây là ảnh, không có chữ để đọc"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"),
         "Không đọc KH.docx: đây là tệp Word kiểu cũ (.doc)"),
        (text_of("Kính gửi các phòng."), "Không thấy việc nào trong KH.docx"),
    ],
)  # fmt: skip
def test_what_is_no_plan_is_refused_as_the_command_refuses_it(
    town: Town, content: bytes, says: str
) -> None:
    """Another document may come at once."""
    browser = when_read(town, town.browser("chi").send("KH.docx", content))
    assert says in browser.words
    assert browser.page.xpath("//div[@role='alert']")
    assert [*town.folder.iterdir()] == []
    assert "Đang đọc" in browser.send("KH.docx", content).words
    assert town.site.reader._jobs == {} or when_read(town, browser)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "", "content": b""}, "Xin chọn tệp kế hoạch"),
        ({"name": "KH.txt", "content": b"x", "nam": "hai"}, "Năm phải có bốn chữ số"),
    ],
)
def test_a_form_that_lacks_something(town: Town, fields: dict[str, Any], says: str) -> None:
    browser = town.browser("chi").send(**fields)
    assert (browser.status, says in browser.words) == (422, True)
    assert browser.page.xpath("string(//title)").startswith("Lỗi: ")
    assert town.world.store.imports() == []


def test_a_body_that_is_no_such_form(town: Town) -> None:
    """Of another type, without its end, or with a boundary that does not stand in it."""
    browser = town.browser("chi")
    for content_type in ("application/x-www-form-urlencoded", "multipart/form-data",
                         "multipart/form-data; boundary=x"):  # fmt: skip
        headers = {"content-type": content_type, "origin": town.base}
        response = browser.request("POST", "/ke-hoach/nhap", content=b"--y\r\n", headers=headers)
        assert response.status_code == 422


def test_a_file_over_the_limit_is_refused_in_a_sentence(town: Town) -> None:
    """All of it is read, so that the browser shows the sentence; nothing of it is kept."""
    browser = town.browser("chi").send("KH.docx", bytes(21 * 1024 * 1024))
    assert (browser.status, "Tệp lớn hơn 20 MB" in browser.words) == (413, True)
    assert (town.world.store.imports(), [*town.folder.iterdir()]) == ([], [])


def test_other_addresses_take_no_large_body(town: Town) -> None:
    """The larger limit is that of one address alone, to the letter."""
    browser = town.browser("chi")
    for place in ("/ke-hoach/nhap/x", "/ke-hoach/nhap/", "/quyet/xac-nhan"):
        headers = {"origin": town.base}
        response = browser.request("POST", place, content=bytes(70_000), headers=headers)
        assert response.status_code == 413


def test_a_connection_lasts_while_a_document_comes_steadily() -> None:
    """Each quarter of a megabyte gives it its time anew; a client that leaves is no fault."""
    told: list[int] = []
    head = b'--x\r\nContent-Disposition: form-data; name="tep"; filename="a"\r\n\r\n'
    pieces = [head, *[bytes(STEADY // 2)] * 6]

    async def receive() -> dict[str, Any]:
        if pieces:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": True}
        return {"type": "http.disconnect"}

    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    scope = {"type": "http", "headers": headers, "prolong": lambda: told.append(1)}

    async def take() -> None:
        async with received(Request(scope, receive)):
            raise AssertionError("half a form")

    with pytest.raises(UploadError):
        asyncio.run(take())
    assert len(told) == 3


def test_one_document_a_person_at_a_time(town: Town, food: Drafted) -> None:
    """The draft that is there stays; dropped, it makes room."""
    place = brought(town, food)
    browser = town.browser("chi").send("KH.txt", text_of(*TASK))
    assert (browser.status, "chưa xong" in browser.words) == (409, True)
    assert kept_draft(town) == food.draft
    assert [*town.folder.iterdir()] == []
    assert browser.open("/ke-hoach/nhap").press("Bỏ bản nháp").url == "/ke-hoach/nhap"
    assert browser.open(place).status == 404
    assert "Đang đọc" in browser.send("KH.txt", text_of(*TASK)).words
    when_read(town, browser)


def test_a_restart_begins_the_reading_again(town: Town) -> None:
    """The document lay on disk, what is asked of it in the database."""
    browser = town.browser("chi").send("KH.txt", text_of(*TASK), theo="cchc-2024", nam="2028")
    town.site.reader = Reader(town.folder)
    when_read(town, browser)
    assert "cuối quý I, hạn 31/3/2028" in browser.words


def test_a_restart_that_lost_the_document_says_so(town: Town) -> None:
    found = PlanImport(id="x", person="chi", name="KH.txt", state=ImportState.READING,
                       asked="{}", made_at=town.now, changed_at=town.now)  # fmt: skip
    town.world.store.add_import(found)
    browser = when_read(town, town.browser("chi").open("/ke-hoach/nhap/x"))
    assert "Không đọc KH.txt: không có tệp này" in browser.words


def test_a_new_version_keeps_the_answers_that_still_hold(town: Town) -> None:
    """One of another document is refused, and the draft stays."""
    lines = (*TASK, "2. Tuyên truyền phòng cháy", "a) Chủ trì: Ban Quản lý chợ")
    browser = town.browser("chi").send("KH.txt", text_of(*lines), theo="cchc-2024")
    when_read(town, browser).press("Bộ phận mới")
    place = browser.url.partition("?")[0]
    import_id = place.rpartition("/")[2]
    changed = text_of(*lines, "3. Kiểm tra chợ", "a) Chủ trì: Tư pháp")
    browser.send("KH-sua.txt", changed, theo="cchc-2024", lai=import_id)
    when_read(town, browser)
    draft = kept_draft(town, import_id)
    assert [task.code for task in draft.tasks] == ["1", "2", "3"]
    assert [(q.text, q.answer, q.by) for q in draft.questions if q.unit] == [
        ("Ban Quản lý chợ", "new", "Chi")
    ]
    other = text_of("1. Trồng cây xanh", "a) Chủ trì: Tư pháp")
    when_read(town, browser.send("khac.txt", other, lai=import_id))
    assert "khac.txt không có việc nào của bản nháp này" in browser.words
    assert kept_draft(town, import_id) == draft


# ---- reviewing


def of_kind(draft: Draft, kind: str) -> Question:
    return next(q for q in open_questions(draft) if q.kind == kind)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("date", "yes"), ("date", "15/9"), ("date", "awaiting"), ("contradiction", "both"),
     ("before", "same-day"), ("unit", "new"), ("unit", "tu-phap")],
)  # fmt: skip
def test_an_answer_changes_the_draft_as_the_command_does(
    town: Town, food: Drafted, kind: str, value: str
) -> None:
    """With who answered and when; the same form again acts no more."""
    place = brought(town, food)
    question = of_kind(food.draft, kind)
    expected = loads(dumps(food.draft))
    answer_question(expected, question.id, value, *WHO)
    fields = [("cau", question.id), ("tra-loi", value)]
    browser = town.browser("chi").post(f"{place}/tra-loi", fields)
    assert (browser.status, "Đã ghi" in browser.words) == (200, True)
    assert kept_draft(town) == expected
    browser.post(f"{place}/tra-loi", fields)
    given = next(q.answer for q in expected.questions if q.id == question.id)
    assert (browser.status, kept_draft(town)) == (200 if given == value else 409, expected)


def test_every_question_of_the_command_is_on_the_page(town: Town, food: Drafted) -> None:
    """With a button for what is right as it stands; a line stands beside its task."""
    place = brought(town, food)
    browser = town.browser("chi")
    asked: list[str] = []
    number = 1
    while f"trang {number}" in browser.open(f"{place}?trang={number}").words.lower():
        asked += browser.page.xpath(
            "//form[contains(@action, 'tra-loi')]//input[@name='cau']/@value"
        )
        number += 1
    assert sorted(asked) == sorted(q.id for q in open_questions(food.draft))
    only_open = browser.open(f"{place}?loc=hoi")
    tasks = only_open.page.xpath("//div[contains(@class, 'beside')]")
    assert tasks
    assert all(task.xpath(".//form[contains(@action, 'tra-loi')]") for task in tasks)


def test_the_typed_answer_counts_before_the_button(town: Town, food: Drafted) -> None:
    """Enter in a field presses the form's first button, whatever that is."""
    place = brought(town, food)
    question = of_kind(food.draft, "date")
    fields = [("cau", question.id), ("khac", "15/9"), ("tra-loi", "yes")]
    town.browser("chi").post(f"{place}/tra-loi", fields)
    kept = next(q for q in kept_draft(town).questions if q.id == question.id)
    assert kept.answer == "2027-09-15"


def test_an_answer_that_can_not_be_read_is_shown_again(town: Town, food: Drafted) -> None:
    place = brought(town, food)
    question = of_kind(food.draft, "date")
    for typed, says in (("hôm nào đó", "“hôm nào đó” không phải ngày"), ("", "Xin chọn hoặc gõ")):
        browser = town.browser("chi").post(
            f"{place}/tra-loi",
            [("cau", question.id), ("khac", typed), ("ve", question.task), ("viec", question.task)],
        )
        assert (browser.status, says in browser.words) == (422, True)
        (field,) = browser.page.xpath(f"//input[@id='{question.id}-k']")
        assert field.get("value") == typed
    assert kept_draft(town) == food.draft


def test_who_answers_second_is_told_what_the_first_said(town: Town, food: Drafted) -> None:
    """Two of the office review one draft; no answer is written over."""
    place = brought(town, food)
    colleague = replace(person("bich", "van-phong"))
    service = town.world.service
    files = service.office.files
    service.reload(replace(files, people=(*files.people, colleague)), town.now)
    town.site.editors = frozenset(["chi", "bich"])
    question = of_kind(food.draft, "before")
    first = [("cau", question.id), ("tra-loi", "same-day")]
    town.browser("bich").post(f"{place}/tra-loi", first)
    browser = town.browser("chi").post(f"{place}/tra-loi", [first[0], ("tra-loi", "day-before")])
    assert browser.status == 409
    assert "vừa thay đổi: Bich đã trả lời “same-day”" in browser.words
    assert kept_draft(town).before == "same-day"


def test_one_press_answers_all_of_a_kind(town: Town, food: Drafted) -> None:
    """What has to be looked at one by one is not among them."""
    place = brought(town, food)
    browser = town.browser("chi").open(place)
    kinds = browser.page.xpath("//form[contains(@action, 'ca-loai')]/input[@name='loai']/@value")
    assert kinds == ["date", "unit"]
    browser.press("Giữ mọi bộ phận còn lại là bộ phận mới")
    assert "Đã ghi 6 câu trả lời" in browser.words
    browser.again()
    assert "Đã ghi rồi" in browser.words
    draft = kept_draft(town)
    assert {(q.answer, q.by) for q in draft.questions if q.unit} == {("new", "Chi")}
    browser.post(f"{place}/ca-loai", [("loai", "contradiction"), ("tra-loi", "both")])
    assert kept_draft(town) == draft


def test_short_titles_are_kept_at_once_or_changed_one_by_one(town: Town) -> None:
    place = brought(town, long_plan(2))
    browser = town.browser("chi").open(place)
    browser.press("Ghi", "1 Rà soát", khac="Rà soát văn bản")
    browser.press("Giữ mọi tên rút gọn còn lại như máy đề xuất")
    draft = kept_draft(town)
    titles = [(q.answer, q.by) for q in draft.questions if q.kind == "title"]
    assert titles == [("Rà soát văn bản", "Chi"), (draft.tasks[1].title, "Chi")]
    assert draft.tasks[0].title == "Rà soát văn bản"
    assert draft.tasks[0].full_title == long_plan(2).draft.tasks[0].full_title


def test_unit_title_and_days_are_corrected_in_place(town: Town, food: Drafted) -> None:
    """Each is kept as an answer, with who and when; a form of older work records nothing."""
    place = brought(town, food)
    task = food.draft.tasks[0]
    browser = town.browser("chi").open(place)
    fields = {"chu-tri": "Tư pháp; Đội xung kích", "ten": "Kế hoạch liên ngành", "han-1": "15/3"}
    browser.press("Ghi sửa", task.code, **fields)
    assert f"Đã sửa việc {task.code}" in browser.words
    draft = kept_draft(town)
    changed = draft.task(task.code)
    assert (changed.lead, changed.title) == (["tu-phap", "doi-xung-kich"], "Kế hoạch liên ngành")
    assert changed.full_title == (task.full_title or task.title)
    assert [str(day) for day in [changed.deliverables[0].rule["due"]]] == ["2027-03-15"]
    mine = [q for q in draft.questions if q.task == task.code and q.by]
    assert [(q.kind, q.answer, q.by, q.at) for q in mine] == [
        ("unit", "Tư pháp; Đội xung kích", *WHO),
        ("title", "Kế hoạch liên ngành", *WHO),
        ("date", "2027-03-15", *WHO),
    ]
    assert (browser.again().status, kept_draft(town)) == (409, draft)
    browser.open(place).press("Ghi sửa", task.code)
    assert "Không có gì thay đổi" in browser.words
    browser.open(place).press("Ghi sửa", task.code, **{"han-1": "ngày mốt"})
    assert (browser.status, kept_draft(town)) == (422, draft)
    (field,) = browser.page.xpath("//section[.//details[@open]]//input[@name='han-1']")
    assert field.get("value") == "ngày mốt"


def test_texts_of_a_document_are_shown_as_text(town: Town) -> None:
    """Also in a name, a title, and what is marked."""
    lines = [
        "1. Rà soát <script>alert(1)</script> & <b>văn bản</b>\u202e",
        "a) Chủ trì: Ban <i>Quản lý</i> chợ",
        "b) Thời gian: trước ngày 15/6/2027 <img src=x>",
    ]
    browser = town.browser("chi").send("<b>KH</b>.txt", text_of(*lines))
    pages = [browser.text, when_read(town, browser).text, browser.open("/ke-hoach/nhap").text]
    for page in pages:
        assert not re.search(r"<script|<b>KH|<img|<i>Q|\u202e", page)
    assert "&lt;script&gt;" in pages[1]


def long_plan(tasks: int) -> Drafted:
    units = ("Tư pháp", "Văn hóa - Xã hội", "Ban Quản lý chợ", "Tổ dân phố")
    times = ("trước ngày 15/6/2027", "Quý II", "Thường xuyên", "Đầu năm 2027")
    lines = ["KẾ HOẠCH", "Công tác năm 2027", "I. NHIỆM VỤ"]
    for n in range(1, tasks + 1):
        lines += [
            f"{n}. Rà soát, xây dựng và trình ban hành văn bản số {n} về công tác quản lý",
            f"a) Chủ trì: {units[n % 4]}",
            f"b) Thời gian: {times[n % 4]}",
        ]
    paragraphs = tuple(Paragraph(text, f"line:{n}") for n, text in enumerate(lines, start=1))
    document = Document("KH.txt", "0" * 64, "txt", paragraphs)
    return Drafted(make_draft(document), tuple(lines_of(document)))


@pytest.mark.thorough
def test_a_long_document_comes_in_small_pages(town: Town) -> None:
    """Each task stands on one page, with its lines; each line of the document is there once."""
    found = long_plan(160)
    place = brought(town, found)
    browser = town.browser("chi").open(place)
    codes: list[str] = []
    texts: list[str] = []
    number = 1
    while True:
        browser.open(f"{place}?trang={number}")
        assert len(browser.text.encode()) <= 60_000
        codes += browser.page.xpath("//section[@id]/@id")
        texts += [p.text_content() for p in browser.page.xpath("//div[@class='words']/p")]
        if not browser.page.xpath("//a[@rel='next']"):
            break
        number += 1
    assert number > 2
    assert codes == [f"v-{task.code}" for task in found.draft.tasks]
    assert texts == [line.text for line in found.lines]
    far = found.draft.tasks[-3].code
    assert browser.open(f"{place}?viec={far}").page.xpath(f"//section[@id='v-{far}']")


def test_the_pages_need_no_script(town: Town, food: Drafted) -> None:
    place = brought(town, food)
    browser = town.browser("chi")
    for page in ("/ke-hoach/nhap", place, f"{place}?loc=hoi", f"{place}?trang=99999"):
        shown = browser.open(page).page
        assert browser.status == 200
        assert not shown.xpath("//script | //style | //@style | //@onclick | //*[@href='#']")
        ids = shown.xpath("//@id")
        assert len(ids) == len(set(ids))


def test_text_that_became_no_task_stands_in_its_place(town: Town) -> None:
    """Long passages too, before, between and after the tasks; leftovers say why."""
    prose = tuple(
        f"Đoạn mở đầu số {n} " + "nói về tình hình chung của phường " * 20 for n in range(9)
    )
    texts = ("KẾ HOẠCH", "Công tác năm 2027", *prose, *TASK, *prose)
    paragraphs = tuple(Paragraph(text, f"line:{n}") for n, text in enumerate(texts, start=1))
    document = Document("KH.txt", "0" * 64, "txt", paragraphs)
    found = Drafted(make_draft(document), tuple(lines_of(document)))
    browser = town.browser("chi").open(brought(town, found))
    shown = [p.text_content() for p in browser.page.xpath("//div[@class='words']/p")]
    assert shown == [Line(*line).text for line in found.lines]


def test_a_passage_is_taken_up_as_a_task_or_set_aside(town: Town, food: Drafted) -> None:
    """With who did it; a field that can't be read is shown again, and nothing is changed."""
    first, second = food.draft.leftovers
    place = brought(town, food)
    browser = town.browser("chi").open(place)
    while "Lấy làm việc" not in browser.buttons():
        browser.open(browser.page.xpath("string(//a[@rel='next']/@href)"))
    shown = browser.url
    for fields in ({"chu-tri": ""}, {"chu-tri": "Tư pháp", "han": "hôm nào"}, {"ten": "x" * 61}):
        browser.open(shown).press("Lấy làm việc", **fields)
        assert (browser.status, kept_draft(town)) == (422, food.draft)
    typed = {"ten": "Họp giao ban", "chu-tri": "Tư pháp", "han": "31/3, 30/6"}
    browser.open(shown).press("Lấy làm việc", **typed)
    assert "Đã lấy làm việc B.1" in browser.words
    draft = kept_draft(town)
    task = draft.task("B.1")
    assert (task.title, task.full_title, task.lead) == ("Họp giao ban", first.text, ["tu-phap"])
    assert task.source == first.place
    mine = [(q.kind, q.answer, q.by, q.at) for q in draft.questions if q.task == "B.1"]
    assert mine == [("unit", "Tư pháp", *WHO), ("date", "2027-03-31, 2027-06-30", *WHO)]
    assert browser.again().status == 409
    browser.open(shown).press("Không phải việc", "Chưa lấy làm việc")
    draft = kept_draft(town)
    assert draft.leftovers == []
    assert draft.notes[-1].text == f"Chi xem ngày 05/02/2024, không phải việc: {second.text}"
    assert as_plan(draft, lenient=True).by_code["B.1"].title == "Họp giao ban"


def test_what_is_no_task_is_taken_out_and_can_be_taken_back(town: Town, food: Drafted) -> None:
    task = food.draft.tasks[0]
    place = brought(town, food)
    browser = town.browser("chi").open(place).press("Không phải việc: bỏ", task.code)
    assert f"Đã bỏ việc {task.code}" in browser.words
    draft = kept_draft(town)
    assert draft.tasks == food.draft.tasks[1:]
    assert [q for q in draft.questions if q.task == task.code] == []
    left = draft.leftovers[-1]
    assert (left.place, left.why) == (task.source, "Chi bỏ khỏi các việc ngày 05/02/2024")
    browser.press("Lấy làm việc", **{"chu-tri": "Tư pháp"})
    assert kept_draft(town).task("B.1").source == task.source


def test_the_page_to_print_is_the_one_of_the_command(town: Town, food: Drafted) -> None:
    place = brought(town, food)
    browser = town.browser("chi").open(place)
    browser.open(browser.page.xpath("//a[contains(@href, 'soat.html')]/@href")[0])
    assert browser.text == review_page(food.draft)
    assert "attachment" in browser.headers["content-disposition"]


# ---- taking it


def settled(food: Drafted) -> Drafted:
    """The draft with an answer to all that hinders a plan."""
    draft = loads(dumps(food.draft))
    for question in open_questions(draft):
        value = {"unit": "new", "contradiction": "both", "before": "same-day"}.get(question.kind)
        if value:
            answer_question(draft, question.id, value, *WHO)
    return Drafted(draft, food.lines)


def test_what_is_not_answered_hinders_a_plan(
    town: Town, food: Drafted, documents: Documents
) -> None:
    """The page says what, as the command does; its form and the text are refused."""
    place = brought(town, food)
    browser = town.browser("chi").open(place).open(f"{place}/dung")
    told = browser.page.xpath("//section//li/text()")
    assert told == hindrances(food.draft)
    assert "Kế hoạch mới" not in " ".join(browser.buttons())
    fields = [("dang", "0"), ("nonce", "n" * 12), ("ma", "kh-2027"), ("ban", "0")]
    browser.post(f"{place}/dung", fields)
    assert (browser.status, "Còn phải trả lời" in browser.words) == (422, True)
    assert browser.open(f"{place}/plan.toml").url == f"{place}/dung"
    assert documents.newest("kh-2027") is None


def test_a_draft_is_taken_as_a_new_plan(town: Town, food: Drafted, documents: Documents) -> None:
    """What it changes is seen first; then it is a version with its reason, and it counts."""
    ready = settled(food)
    place = brought(town, ready)
    browser = town.browser("chi").open(f"{place}/dung")
    assert "Chưa có người nhận nhắc việc" in browser.words
    assert "So với" not in browser.words  # the plan of 2024 is of other work
    browser.press("Kế hoạch mới (kh-2027)")
    assert "kế hoạch mới: Kế hoạch Bảo đảm an toàn thực phẩm năm 2027" in browser.words
    assert documents.newest("kh-2027") is None
    browser.press("Ghi", **{"ly-do": "theo kế hoạch 51/KH-BCĐ"})
    version = documents.newest("kh-2027")
    assert version is not None
    assert (version.version, version.by, version.why) == (1, "chi", "theo kế hoạch 51/KH-BCĐ")
    plan = town.world.service.office.by_plan["kh-2027"]
    assert plan == as_plan(ready.draft)
    assert "Đã dùng làm kế hoạch kh-2027" in browser.words
    assert browser.open(place).status == 200
    assert town.world.store.imports()[0].state is ImportState.TAKEN
    assert browser.post(f"{place}/tra-loi", [("cau", "q1"), ("tra-loi", "yes")]).url == place
    assert kept_draft(town) == ready.draft


def test_a_draft_replaces_a_plan_of_its_year(
    town: Town, food: Drafted, documents: Documents
) -> None:
    """By the office's choice; another document of that year is a plan of its own."""
    ready = settled(food)
    first = brought(town, ready)
    browser = town.browser("chi").open(f"{first}/dung").press("Kế hoạch mới")
    browser.press("Ghi", **{"ly-do": "mới"})
    shorter = loads(dumps(ready.draft))
    shorter.tasks = shorter.tasks[:5]
    town.world.store.drop_import("of-chi")
    second = brought(town, Drafted(shorter, ready.lines))
    browser.open(f"{second}/dung")
    assert browser.buttons() == [
        "Kế hoạch mới (kh-2027-2)", "Thay kế hoạch Kế hoạch Bảo đảm an toàn thực phẩm năm 2027"
    ]  # fmt: skip
    browser.press("Thay kế hoạch").press("Ghi", **{"ly-do": "bản sửa"})
    version = documents.newest("kh-2027")
    assert version is not None
    assert (version.version, version.why) == (2, "bản sửa")
    assert len(town.world.service.office.by_plan["kh-2027"].tasks) == 5


def test_a_draft_that_changed_since_is_not_taken(
    town: Town, food: Drafted, documents: Documents
) -> None:
    """Not from the page that shows what it would change, and not from its preview."""
    place = brought(town, settled(food))
    browser = town.browser("chi").open(f"{place}/dung").press("Kế hoạch mới")
    question = of_kind(kept_draft(town), "date")
    town.browser("chi").post(f"{place}/tra-loi", [("cau", question.id), ("tra-loi", "yes")])
    browser.press("Ghi", **{"ly-do": "x"})
    assert (browser.status, "Bản nháp vừa thay đổi" in browser.words) == (422, True)
    assert documents.newest("kh-2027") is None


def test_where_plans_are_files_it_is_written_beside_them(town: Town, food: Drafted) -> None:
    """As the command writes it; where a plan stands there, its id stays, and it is shown."""
    folder = town.folder / "data"
    folder.mkdir()
    town.site.plan_folder = folder
    town.site.plan_paths = lambda: [*folder.glob("plan*.toml")]
    ready = settled(food)
    place = brought(town, ready)
    browser = town.browser("chi").open(f"{place}/dung").press("Dùng kế hoạch này")
    assert "Đã ghi plan2027.toml" in browser.words
    assert "Máy nhận trong một phút" in browser.words
    assert load_plan(folder / "plan2027.toml") == as_plan(ready.draft)
    text = (folder / "plan2027.toml").read_text("utf-8").replace('"kh-2027"', '"atvstp"')
    (folder / "plan2027.toml").write_text(text, "utf-8")
    town.world.store.drop_import("of-chi")
    place = brought(town, ready)
    browser.open(f"{place}/dung")
    assert "thay cho tệp đang có" in browser.words
    assert f"So với {ready.draft.title}: không thay đổi" in browser.words
    browser.press("Dùng kế hoạch này")
    assert load_plan(folder / "plan2027.toml").id == "atvstp"


def test_where_the_folder_can_not_be_written_the_text_is_given(town: Town, food: Drafted) -> None:
    """With a sentence how to put it in; it is a plan file."""
    ready = settled(food)
    place = brought(town, ready)
    browser = town.browser("chi").open(f"{place}/dung")
    assert "nhờ quản trị chép tệp này thành data/plan2027.toml" in browser.words
    (link,) = browser.page.xpath("//a[@class='btn']/@href")
    browser.open(link)
    assert 'filename="plan2027.toml"' in browser.headers["content-disposition"]
    assert load_plan(Text("plan2027.toml", browser.text)) == as_plan(ready.draft)
    browser.post(f"{place}/dung", [("dang", "0"), ("tep", "")])
    assert browser.status == 403


def test_taking_a_draft_needs_a_fresh_sign_in(town: Town, food: Drafted) -> None:
    """As all changes of a plan do."""
    town.site.plan_folder = town.folder
    place = brought(town, settled(food))
    browser = town.browser("chi").open(f"{place}/dung")
    later(town, minutes=31)
    browser.press("Dùng kế hoạch này")
    assert "Xác nhận lại" in browser.words
    assert [*town.folder.glob("plan*")] == []
