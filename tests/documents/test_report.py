"""The report's paper, read by hand: NĐ 30/2020/NĐ-CP, appendix I, part by part."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reminder.documents.paper import bold_width
from reminder.documents.report import docx, file_name, subject
from reminder.domain.calendar import Period
from reminder.domain.ledger import Event, EventKind
from reminder.domain.plan import Kind
from reminder.domain.report import DOTS, Letterhead, draft_report, fill_from_plan
from reminder.domain.schedule import Scheduler
from tests.documents.docxreader import TWIPS_A_MM, Docx, Line
from tests.domain.reportstory import Q1, story
from tests.messages import office
from tests.messages.office import at, key, said

NAMES = Letterhead(
    authority="Ủy ban nhân dân phường Hoa Sen",
    place="Hoa Sen",
    addressees=("Ủy ban nhân dân thành phố Bình Minh",),
    recipients=("Thường trực HĐND phường", "Các bộ phận"),
    archive="VT, VP",
)
SCHEDULER = Scheduler(office.calendar())
PLAN = office.plan()
MARCH = date(2024, 3, 15)
SENTENCES = """\
- Danh mục VBQPPL hết hiệu lực năm 2023 (1c): Tư pháp hoàn thành ngày 30/01/2024, trước \
hạn; sản phẩm: Quyết định công bố Danh mục, số 12/QĐ-UBND ngày 30/01.
- Nâng cao chất lượng soạn thảo, thẩm định VBQPPL (1a): Tư pháp: thẩm định 03 văn bản.
- Theo dõi thi hành pháp luật (1đ): chưa có số liệu của Tư pháp (hạn dự kiến 10/3/2024, \
quá hạn 3 ngày làm việc).
- Tuyên truyền, phổ biến, giáo dục pháp luật (1e): Tư pháp: tuyên truyền 02 buổi \
(báo ngày 15/3/2024).
- Hệ thống hóa VBQPPL kỳ 2019–2023 – Quyết định công bố (1d): Tư pháp, Văn phòng chủ trì, \
hạn 01/3/2024, quá hạn 9 ngày làm việc; đã hoàn thành ngày 15/3/2024, sau ngày chốt số \
liệu, số 30/QĐ-UBND. Lý do: Tư pháp báo ngày 05/3/2024: đang lấy ý kiến HĐND.
- Hệ thống hóa VBQPPL kỳ 2019–2023 – Báo cáo hệ thống hóa (1d): từ 20/02/2024 đến \
26/02/2024, theo đề nghị của Tư pháp. Lý do: chờ số liệu HĐND.
- Kế hoạch chuyển đổi số năm 2024 (5c): Văn phòng đã trình ký ngày 12/3/2024 \
(hạn 31/3/2024).
- Kết quả đánh giá chất lượng phục vụ (2c): Văn phòng, Tư pháp, Văn hóa - Xã hội, Địa \
chính - Xây dựng; tháng 02 (tiếp tục hoàn thành, đã quá hạn 29/02/2024), tháng 03 \
(hạn 31/3/2024), tháng 04 (hạn 30/4/2024), tháng 05 (hạn 31/5/2024).
- Cập nhật nhiệm vụ thường xuyên quý II (hạn dự kiến 10/6/2024): 1a, 1b, 1đ, 1e.
- Đánh giá chỉ số chuyển đổi số (5a): Văn phòng, Kế hoạch và báo cáo kết quả, chưa có \
hạn.
Số nhiệm vụ có sản phẩm trong kỳ: 15; trong đó: đã hoàn thành 04 (đúng hạn 03, quá hạn \
01); chờ ký 01; quá hạn 02; đang thực hiện 05; chưa có hạn 03.
Số lượt cập nhật nhiệm vụ thường xuyên: 15; trong đó: đã có số liệu 02; chưa có số liệu \
13.
"""


def paper(
    names: Letterhead = NAMES,
    events: list[Event] | None = None,
    period: str = Q1,
    day: date = MARCH,
) -> Docx:
    kept = story() if events is None else events
    made = draft_report(PLAN, kept, SCHEDULER, Period.parse(period), day)
    return Docx(docx(made, names))


@pytest.fixture(scope="module")
def read() -> Docx:
    return paper()


def line(read: Docx, start: str) -> Line:
    """The one line outside of the tables that begins so."""
    (found,) = [each for each in read.lines if each.text.startswith(start)]
    return found


def cell(read: Docx, grid: int, row: int, column: int) -> list[Line]:
    return [each for each in read.grids[grid].rows[row][column] if each.text.strip()]


def test_the_sheet_is_a4_upright_with_the_decrees_margins(read: Docx) -> None:
    """Top and bottom 20–25 mm, left 30–35, right 15–20, on every sheet."""
    assert len(read.sheets) == 2
    for sheet in read.sheets:
        assert sheet.size == pytest.approx((210, 297), abs=0.1)
        assert not sheet.landscape
        assert 20 <= sheet.margins["top"] <= 25
        assert 20 <= sheet.margins["bottom"] <= 25
        assert 30 <= sheet.margins["left"] <= 35
        assert 15 <= sheet.margins["right"] <= 20


def test_everything_is_in_times_new_roman_and_black(read: Docx) -> None:
    """All four fonts of each run, in text, tables and headers; no colour but black."""
    runs = [run for each in read.every_line for run in each.runs]
    assert len(runs) > 250
    assert {run.fonts for run in runs} == {frozenset({"Times New Roman"})}
    assert {run.colour for run in runs} <= {"000000", "auto"}


def test_the_page_number_is_in_the_middle_of_the_top_margin_but_not_on_page_one(
    read: Docx,
) -> None:
    """A field of 13–14 points, centred; a first page of its own; the annex counts from 1 again."""
    first, annex = read.sheets
    assert first.first_differs
    assert annex.first_differs
    assert (first.starts_at, annex.starts_at, annex.headers) == ("", "1", {})
    number, fields = read.header(first.headers["default"])
    assert (fields, number.align) == ("PAGE", "center")
    assert number.sizes <= {13, 14}
    assert first.margins["header"] + 14 / 72 * 25.4 < first.margins["top"]
    mark, fields = read.header(first.headers["first"])
    assert (mark.text, fields) == ("DỰ THẢO", "")


def test_the_head_names_who_issues_it_and_the_state(read: Docx) -> None:
    """Left the authority, right Quốc hiệu and Tiêu ngữ; below number and date, both empty."""
    assert not read.grids[0].ruled
    ours, country = cell(read, 0, 0, 0), cell(read, 0, 0, 1)
    number, place = cell(read, 0, 1, 0), cell(read, 0, 1, 1)
    assert [each.text for each in ours] == ["ỦY BAN NHÂN DÂN", "PHƯỜNG HOA SEN"]
    assert [each.text for each in country] == [
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
    ]
    assert [each.sizes for each in (*ours, *country)] == [{13}, {13}, {13}, {14}]
    assert all(each.is_bold and each.align == "center" for each in (*ours, *country))
    assert [" ".join(each.text.split()) for each in number] == ["Số: /BC-UBND"]
    assert (number[0].sizes, number[0].is_bold) == ({13}, False)
    assert [" ".join(each.text.split()) for each in place] == ["Hoa Sen, ngày tháng năm 2024"]
    assert (place[0].sizes, place[0].is_italic) == ({14}, True)


def test_the_lines_below_names_have_the_decrees_length(read: Docx) -> None:
    """As long as the motto; a third to a half of the authority's name and of the trích yếu."""
    widths = [width / TWIPS_A_MM for width in read.grids[0].widths]
    (ours,) = [each for each in read.grids[0].rows[0][0] if each.bordered]
    (motto,) = [each for each in read.grids[0].rows[0][1] if each.bordered]
    (title,) = [each for each in read.lines if each.bordered]
    sheet = read.sheets[0]
    whole = sheet.size[0] - sheet.margins["left"] - sheet.margins["right"]

    def share(each: Line, width: float, text: str, size: float) -> float:
        return (width - each.left - each.right) / (bold_width(text, size) / TWIPS_A_MM)

    about = line(read, "Kết quả cải cách").text
    assert share(motto, widths[1], "Độc lập - Tự do - Hạnh phúc", 14) == pytest.approx(1, abs=0.01)
    assert 1 / 3 <= share(ours, widths[0], "PHƯỜNG HOA SEN", 13) <= 1 / 2
    assert 1 / 3 <= share(title, whole, about, 14) <= 1 / 2
    assert sum(widths) == pytest.approx(whole, abs=0.5)


def test_the_parts_stand_in_the_decrees_order(read: Docx) -> None:
    """Head, title, addressee, text by I., 1., a), closing, signature; then the annex."""
    starts = (
        "BÁO CÁO", "Kết quả cải cách hành chính quý I năm 2024",
        "(DỰ THẢO – Số liệu đến ngày 14/3/2024)", "Kính gửi: Ủy ban nhân dân thành phố Bình Minh",
        "Thực hiện Kế hoạch", "I. TÌNH HÌNH CHUNG", "II. KẾT QUẢ THỰC HIỆN",
        "III. NHIỆM VỤ THỜI GIAN TỚI (ĐẾN NGÀY 14/6/2024)", "IV. KIẾN NGHỊ",
        "Trên đây là báo cáo", "Phụ lục", "TÌNH HÌNH THỰC HIỆN NHIỆM VỤ QUÝ I NĂM 2024",
        "(Kèm theo Báo cáo số",
    )  # fmt: skip
    texts = [each.text for each in read.lines]
    places = [next(n for n, text in enumerate(texts) if text.startswith(s)) for s in starts]
    assert places == sorted(places)
    assert texts[places[9]].endswith("của Ủy ban nhân dân phường Hoa Sen./.")
    title, about = line(read, "BÁO CÁO"), line(read, "Kết quả cải cách hành chính quý I năm 2024")
    assert all((e.align, e.sizes, e.is_bold) == ("center", {14}, True) for e in (title, about))
    to = line(read, "Kính gửi:")
    assert (to.sizes, to.is_bold, to.is_italic) == ({14}, False, False)


def test_the_text_is_set_as_the_decree_asks(read: Docx) -> None:
    """14 points, justified, first line 12.7 mm in, at least 6 points apart, 1 to 1.5 lines."""
    start = next(n for n, each in enumerate(read.lines) if each.text.startswith("Thực hiện"))
    end = next(n for n, each in enumerate(read.lines) if each.text.startswith("Trên đây"))
    text = [each for each in read.lines[start : end + 1] if each.style == "Normal"]
    assert len(text) > 40
    for each in text:
        assert (each.align, each.sizes) == ("both", {14})
        assert each.first_line == pytest.approx(12.7, abs=0.1)
        assert each.after >= 6
        assert 1 <= each.spacing <= 1.5


def test_headings_are_numbered_as_the_decree_does(read: Docx) -> None:
    """I. in capitals and 1., both bold; a), b), c), d), đ) upright."""
    chapters = [each for each in read.lines if each.style == "Heading1"]
    assert [each.text.split()[0] for each in chapters] == ["I.", "II.", "III.", "IV."]
    assert all(each.is_bold and each.text.isupper() for each in chapters)
    sections = [each.text for each in read.lines if each.style == "Heading2"]
    assert sections[:6] == [
        "1. Cải cách thể chế", "2. Cải cách thủ tục hành chính", "3. Cải cách chế độ công vụ",
        "4. Cải cách tài chính công", "5. Chính quyền điện tử, chính quyền số",
        "6. Chỉ đạo, điều hành cải cách hành chính",
    ]  # fmt: skip
    points = [each.text for each in read.lines if each.text[1:2] == ")"]
    assert points[:4] == [
        "a) Sản phẩm đã hoàn thành:", "b) Nhiệm vụ thường xuyên:", "c) Quá hạn và lý do:",
        "d) Gia hạn:",
    ]  # fmt: skip


def test_the_foot_has_who_gets_it_and_room_for_the_signature(read: Docx) -> None:
    """Nơi nhận 12 bold italic, the list 11, first “Như trên”, last “Lưu”; no name is signed."""
    heading, *listed = cell(read, 1, 0, 0)
    assert (heading.text, heading.sizes, heading.is_bold, heading.is_italic) == (
        "Nơi nhận:", {12}, True, True,
    )  # fmt: skip
    assert [each.text for each in listed] == [
        "- Như trên;", "- Thường trực HĐND phường;", "- Các bộ phận;", "- Lưu: VT, VP.",
    ]  # fmt: skip
    assert all(each.sizes == {11} for each in listed)
    signed = cell(read, 1, 0, 1)
    assert [each.text for each in signed] == ["TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH"]
    assert all(each.is_bold and each.sizes == {14} for each in signed)
    assert len(read.grids[1].rows[0][1]) >= 6


def test_the_annex_is_a_ruled_table_whose_head_repeats(read: Docx) -> None:
    """STT, task, lead, due day, state, product; a row for each piece of work."""
    grid = read.grids[2]
    assert grid.ruled
    assert grid.repeats == (True, *[False] * (len(grid.rows) - 1))
    assert grid.texts[0] == [
        "STT", "Nhiệm vụ", "Chủ trì", "Hạn", "Tình trạng", "Sản phẩm (số, ngày văn bản)",
    ]  # fmt: skip
    rows = {row[1]: row[2:] for row in grid.texts if len(row) == 6}
    assert rows["Danh mục VBQPPL hết hiệu lực năm 2023 (1c)"] == [
        "Tư pháp", "31/01/2024", "Hoàn thành ngày 30/01/2024",
        "Quyết định công bố Danh mục, số 12/QĐ-UBND ngày 30/01",
    ]  # fmt: skip
    assert rows["Hệ thống hóa VBQPPL kỳ 2019–2023 – Báo cáo hệ thống hóa (1d)"][1] == (
        "26/02/2024 (gia hạn từ 20/02/2024)"
    )
    assert rows["Dự toán ngân sách nhà nước năm 2024 (4b)"][1:3] == [
        "31/01/2024 (dự kiến)", "Hoàn thành ngày 05/02/2024, quá hạn 3 ngày làm việc",
    ]  # fmt: skip
    assert rows["Kế hoạch chuyển đổi số năm 2024 (5c)"][2] == "Chờ ký"
    assert rows["Số hóa hồ sơ, kết quả giải quyết TTHC (2g)"][1:3] == [
        "Chưa có hạn", "Đang thực hiện",
    ]  # fmt: skip
    numbers = [row[0] for row in grid.texts[1:] if len(row) == 6]
    assert numbers == [f"{n}" for n in range(1, len(numbers) + 1)]
    whole = [row[0] for row in grid.texts if len(row) == 1]
    assert whole[:2] == ["Cải cách thể chế", "Cải cách thủ tục hành chính"]


def test_the_annex_tells_where_each_date_comes_from() -> None:
    """The place stands behind the date, the document below the table; an event where one is due."""
    plan = office.documented()
    read = Docx(docx(draft_report(plan, [], SCHEDULER, Period.parse(Q1), MARCH), NAMES))
    rows = {row[1]: row[3] for row in read.grids[2].texts if len(row) == 6}
    assert rows["Danh mục VBQPPL hết hiệu lực năm 2023 (1c)"] == "30/01/2024 – bảng 1, dòng 7"
    assert rows["Kế hoạch chuyển đổi số năm 2024 (5c)"] == "31/3/2024"
    texts = [each.text for each in read.lines]
    assert "Bảng, dòng, đoạn ở cột “Hạn” là chỗ ghi hạn trong KH-2024.docx." in texts
    (waiting,) = [text for text in texts if "(2g)" in text]
    assert waiting == (
        "- Số hóa hồ sơ, kết quả giải quyết TTHC (2g): Tư pháp, Báo cáo kết quả và tỷ lệ số hóa, "
        "chưa có hạn (trong 05 ngày làm việc kể từ khi nhận)."
    )


def test_the_text_tells_what_the_ledger_holds(read: Docx) -> None:
    """Each kind of sentence once, word for word."""
    assert {each.text for each in read.lines} >= set(SENTENCES.splitlines())


def test_a_ward_that_has_set_nothing_gets_dots_and_no_other_wards_name() -> None:
    """What the plan knows stands there; the rest is for a person to fill in."""
    read = paper(Letterhead())
    assert [each.text for each in cell(read, 0, 0, 0)] == ["ỦY BAN NHÂN DÂN", f"PHƯỜNG {DOTS}"]
    assert line(read, "Kính gửi").text == f"Kính gửi: {DOTS}"
    assert cell(read, 0, 1, 1)[0].text.startswith(f"{DOTS}, ngày")
    assert [each.text for each in cell(read, 1, 0, 0)][1:] == [
        "- Như trên;", "- Lãnh đạo UBND phường;", "- Lưu: VT.",
    ]  # fmt: skip


def test_an_office_that_is_no_committee_signs_for_itself() -> None:
    """Its parent above it, no TM.; several addressees in a list."""
    names = Letterhead(
        parent="Ủy ban nhân dân phường Hoa Sen",
        authority="Trung tâm Phục vụ hành chính công",
        symbol="TTPVHCC",
        addressees=("Sở Nội vụ", "Ủy ban nhân dân phường"),
        signer="Giám đốc",
        subject="Báo cáo công tác",
    )
    read = paper(names)
    assert [(e.text, e.is_bold) for e in cell(read, 0, 0, 0)] == [
        ("ỦY BAN NHÂN DÂN PHƯỜNG HOA SEN", False), ("TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG", True),
    ]  # fmt: skip
    assert "/BC-TTPVHCC" in cell(read, 0, 1, 0)[0].text
    assert [each.text for each in cell(read, 1, 0, 1)] == ["GIÁM ĐỐC"]
    texts = [each.text for each in read.lines]
    at_ = texts.index("Kính gửi:")
    assert texts[at_ + 1 : at_ + 3] == ["- Sở Nội vụ;", "- Ủy ban nhân dân phường."]
    assert "Công tác quý I năm 2024" in texts


def test_the_subject_is_the_plans_own_task() -> None:
    """Without a task for reports, the plan's title."""
    made = draft_report(PLAN, [], SCHEDULER, Period.parse("2024-H1"), date(2024, 6, 14))
    assert subject(made, Letterhead()) == "Kết quả cải cách hành chính 6 tháng đầu năm 2024"
    assert file_name(made) == "du-thao-bao-cao-2024-H1.docx"
    kept = tuple(t for t in PLAN.tasks if all(d.kind is not Kind.REPORT for d in t.deliverables))
    bare = draft_report(
        replace(PLAN, tasks=kept), [], SCHEDULER, Period.parse("2024-H1"), date(2024, 6, 14)
    )
    assert subject(bare, Letterhead()).startswith("Kết quả thực hiện Kế hoạch cải cách")
    assert fill_from_plan(Letterhead(), bare.plan).symbol == "UBND"


def test_the_subject_names_its_period_once() -> None:
    """Neither “năm 2024 năm 2024” of a plan's title nor “quý quý I” of the settings' subject."""
    kept = tuple(t for t in PLAN.tasks if all(d.kind is not Kind.REPORT for d in t.deliverables))
    bare = replace(PLAN, tasks=kept)
    year = draft_report(bare, [], SCHEDULER, Period.parse("2024"), date(2024, 12, 14))
    quarter = draft_report(bare, [], SCHEDULER, Period.parse(Q1), MARCH)
    assert [
        subject(year, Letterhead()),
        subject(quarter, Letterhead()),
        subject(quarter, Letterhead(subject="Báo cáo cải cách hành chính quý")),
    ] == [
        "Kết quả thực hiện Kế hoạch cải cách hành chính năm 2024",
        "Kết quả thực hiện Kế hoạch cải cách hành chính quý I năm 2024",
        "Cải cách hành chính quý I năm 2024",
    ]


def test_a_plan_with_nothing_in_the_period_still_gives_a_paper() -> None:
    """Each empty part says so."""
    bare = replace(PLAN, tasks=())
    made = draft_report(bare, [], SCHEDULER, Period.parse("2024-Q3"), date(2024, 9, 14))
    read = Docx(docx(made, NAMES))
    assert read.grids[2].texts[1:] == [["Trong kỳ không có nhiệm vụ."]]
    assert [each.text for each in read.lines].count("Không có.") == 2


def test_the_same_ledger_gives_the_same_bytes() -> None:
    """No clock, no author, nothing of this machine in the file."""
    made = draft_report(PLAN, story(), SCHEDULER, Period.parse(Q1), MARCH)
    assert docx(made, NAMES) == docx(made, NAMES)
    read = paper()
    assert read.stamps == {(2024, 3, 15, 0, 0, 0)}
    core = read.parts["docProps/core.xml"].decode()
    assert "python-docx" not in core
    assert "2024-03-15T00:00:00Z" in core


@settings(max_examples=3)
@given(text=st.text(max_size=60))
@example("<w:p/>&amp;\x00\x0b\ud800\ufffe\u202e]]>")
@example("=1+1\nhai dòng\tvà cột")
@pytest.mark.thorough
def test_anything_that_a_person_types_gives_a_sound_file(text: str) -> None:
    """Signs of XML stand as they were typed; what XML can't hold is left out."""
    events = [
        said(EventKind.UPDATED, at("2024-03-08"), key("1a", 1, Q1), "tu-phap", note=f"đầu {text}"),
        said(EventKind.DONE, at("2024-01-30"), key("1c"), "tu-phap", evidence=text, note=text),
    ]
    read = paper(replace(NAMES, place=text, recipients=(text,)), events)
    assert line(read, "- Nâng cao chất lượng soạn thảo").text.startswith(
        "- Nâng cao chất lượng soạn thảo, thẩm định VBQPPL (1a): Tư pháp: đầu"
    )


def test_signs_of_xml_stand_as_typed() -> None:
    """“<b>&” is four signs to a reader."""
    note = "tỷ lệ <b>46%</b> & hơn"
    events = [said(EventKind.UPDATED, at("2024-03-08"), key("2h", 1, Q1), "tu-phap", note=note)]
    assert line(paper(events=events), "- Dịch vụ công trực tuyến").text.endswith(f": {note}.")
