"""Documents become drafts: what is found in the cases, and shape by shape."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from reminder.files.plan import load_plan
from reminder.importing import draft
from reminder.importing.draft import Draft, Task
from reminder.importing.layout import Cell, Document, Paragraph, Row, Table
from reminder.importing.reading import read_document
from reminder.importing.tasks import make_draft, short_title
from tests.importing.score import score

CASES = Path(__file__).parent / "cases"
MORE = Path(__file__).parent / "more"  # texts by us; `cases` are by others
NAMES = sorted(path.name.removesuffix(".expected.json") for path in CASES.glob("*.expected.json"))


def _expected(name: str, folder: Path = CASES) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / f"{name}.expected.json").read_text("utf-8"))
    return found


def _drafted(name: str, folder: Path = CASES) -> Draft:
    return make_draft(read_document(folder / str(_expected(name, folder)["file"])))


def _figures(folder: Path) -> dict[str, Counter[str]]:
    names = [p.name.removesuffix(".expected.json") for p in folder.glob("*.expected.json")]
    return {
        name: score(_expected(name, folder), tomllib.loads(draft.dumps(_drafted(name, folder))))
        for name in names
    }


@pytest.fixture(scope="module")
def figures() -> dict[str, Counter[str]]:
    return _figures(CASES)


def _bad(figures: dict[str, Counter[str]]) -> dict[tuple[str, str], int]:
    bad = ("INVENTED", "UNFLAGGED", "TRAP", "made_up", "hidden", "mended_silently")
    return {(name, key): found[key] for name, found in figures.items() for key in bad if found[key]}


def test_no_day_is_invented_none_unflagged_no_trap_taken(
    figures: dict[str, Counter[str]],
) -> None:
    """What a draft must never do: it comes before all that it finds."""
    assert _bad(figures) == {}


def test_all_tasks_of_the_ten_documents_are_found(figures: dict[str, Counter[str]]) -> None:
    total = sum(figures.values(), Counter[str]())
    found = {key: total[key] for key in ("tasks", "found", "lead_right", "days_right", "days_lost")}
    assert found == {
        "tasks": 133,
        "found": 133,
        "lead_right": 133,
        "days_right": 98,
        "days_lost": 0,
    }


def test_all_tasks_of_our_own_texts_are_found() -> None:
    """OCR slips, wrapped lines, UTF-16, labels of other kinds."""
    figures = _figures(MORE)
    total = sum(figures.values(), Counter[str]())
    kept = ("tasks", "found", "lead_right", "days_right", "days_lost")
    assert _bad(figures) == {}
    assert {key: total[key] for key in kept} == {
        "tasks": 37,
        "found": 37,
        "lead_right": 37,
        "days_right": 35,
        "days_lost": 0,
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_draft_is_a_plan(name: str, tmp_path: Path) -> None:
    """Without what is open it is read as a plan file; written and read it is the same."""
    made = _drafted(name)
    assert draft.loads(draft.dumps(made)) == made
    path = tmp_path / "plan.toml"
    path.write_text(draft.dumps(made, open_tables=False), "utf-8")
    plan = load_plan(path)
    assert [task.code for task in plan.tasks] == [task.code for task in made.tasks]


# --- shape by shape


def _text(*lines: str) -> Document:
    head = ["Số: 1/KH-UBND", "An Bình, ngày 10 tháng 01 năm 2026", "KẾ HOẠCH", "Công tác năm 2026"]
    paragraphs = [Paragraph(text, f"p:{n}") for n, text in enumerate([*head, *lines])]
    return Document("kh.docx", "0" * 64, "docx", tuple(paragraphs))


def _table(*rows: str) -> Document:
    """A document with one table; cells are parted by |, lines in a cell by /, ^ is merged down."""
    above: list[Cell] = []
    made = []
    for number, row in enumerate(rows):
        cells = []
        for column, text in enumerate(part.strip() for part in row.split("|")):
            if text == "^":
                cells.append(Cell(above[column].paragraphs, above=True))
                continue
            lines = [line.strip() for line in text.split(" / ")] if text else []
            where = f"t:1 r:{number}"
            cells.append(Cell(tuple(Paragraph(line, where) for line in lines)))
        above = cells
        made.append(Row(tuple(cells), f"t:1 r:{number}"))
    head = _text("Kèm theo các việc sau:")
    return Document("kh.docx", "0" * 64, "docx", (*head.blocks, Table(1, tuple(made))))


def _brief(document: Document) -> list[tuple[str, str, list[str], list[str]]]:
    """Code, title, lead and support of each task."""
    made = make_draft(document)
    names = {unit.id: unit.name for unit in made.units}
    return [
        (t.code, t.title, [names[u] for u in t.lead], [names[u] for u in t.support])
        for t in made.tasks
    ]


def _only(document: Document) -> Task:
    (task,) = make_draft(document).tasks
    return task


def _rules(document: Document) -> list[dict[str, object]]:
    return [one.rule for task in make_draft(document).tasks for one in task.deliverables]


def test_a_unit_as_heading_leads_what_stands_under_it() -> None:
    """“Phối hợp với X làm Y” under it: X helps."""
    found = _brief(
        _text(
            "II. PHÂN CÔNG",
            "1. Công an phường:",
            "- Kiểm tra tạm trú trước ngày 15/3/2026.",
            "- Phối hợp với Trạm Y tế kiểm tra bếp ăn trong tháng 5/2026.",
            "2. Trạm Y tế (thường trực):",
            "- Tập huấn sơ cứu, hoàn thành trước ngày 30/4/2026.",
        )
    )
    assert found == [
        ("1.1", "Kiểm tra tạm trú", ["Công an phường"], []),
        ("1.2", "Kiểm tra bếp ăn", ["Công an phường"], ["Trạm Y tế"]),
        ("2", "Tập huấn sơ cứu", ["Trạm Y tế"], []),
    ]


def test_duties_without_a_time_are_tasks_beside_such_as_have_one() -> None:
    """Under a unit of which at least half of the duties name a time; else they are left out."""
    found = _brief(
        _text(
            "II. TRÁCH NHIỆM CỦA CÁC CƠ QUAN",
            "1. Trách nhiệm của Phòng Quản lý công trình",
            "a) Lập danh sách hồ chứa trước ngày 15/9/2026.",
            "b) Tổng hợp kết quả, báo cáo cấp trên.",
            "2. Trách nhiệm của Trạm Y tế",
            "a) Quan tâm chăm sóc sức khỏe.",
            "b) Chủ động bố trí nhân lực.",
            "c) Nâng cao chất lượng phục vụ.",
        )
    )
    assert found == [
        ("1a", "Lập danh sách hồ chứa", ["Phòng Quản lý công trình"], []),
        ("1b", "Tổng hợp kết quả, báo cáo cấp trên", ["Phòng Quản lý công trình"], []),
    ]


def test_a_unit_after_a_colon_and_a_time_in_the_heading() -> None:
    """The heading's time is only assumed for what has none of its own."""
    made = make_draft(
        _text(
            "II. Trước mùa mưa bão (hoàn thành trước ngày 31/5/2026)",
            "1. Kiểm tra đê kè: Phòng Kinh tế; Các khu phố.",
            "2. Cắt tỉa cây xanh: Tổ Dịch vụ công, phối hợp Công an phường; trước ngày 15/5/2026.",
        )
    )
    found = [(t.title, t.lead, t.support, t.deliverables[0].rule) for t in made.tasks]
    assert found == [
        (
            "Kiểm tra đê kè",
            ["phong-kinh-te", "cac-khu-pho"],
            [],
            {"due": date(2026, 5, 31), "before": True, "assumed": True},
        ),
        (
            "Cắt tỉa cây xanh",
            ["to-dich-vu-cong"],
            ["cong-an"],
            {"due": date(2026, 5, 15), "before": True},
        ),
    ]


def test_what_a_line_of_content_says_is_no_unit() -> None:
    task = _only(
        _text(
            "1. Rà soát văn bản",
            "- Nội dung thực hiện: Rà soát văn bản do UBND ban hành.",
            "- Bộ phận chủ trì tham mưu: Tư pháp",
            "- Thời gian hoàn thành: Tháng 11",
        )
    )
    assert (task.title, task.lead, task.support) == ("Rà soát văn bản", ["tu-phap"], [])


def test_a_table_is_known_by_its_cells_too() -> None:
    """Where the heads say nothing: a column of times, one of units, the longest is the title."""
    found = _brief(
        _table(
            "Tiêu chí | Việc phải làm | Bắt đầu | Kết thúc | Người phụ trách",
            "Giao thông | Cứng hóa đường trục | 01/3/2026 | 30/6/2026 | Phòng Kinh tế",
            "Môi trường | Thu gom rác | Tháng 4 | Tháng 5 | Hội Phụ nữ",
        )
    )
    assert [title for _, title, _, _ in found] == ["Cứng hóa đường trục", "Thu gom rác"]
    found = _brief(
        _table(
            "Mục | Mô tả | Đến | Đội",
            "Đường | Cứng hóa đường trục thôn | Trước ngày 30/6/2026 | Phòng Kinh tế",
            "Rác | Thu gom rác tại các thôn | Trong tháng 5/2026 | Hội Phụ nữ",
        )
    )
    assert found == [
        ("1", "Cứng hóa đường trục thôn", ["Phòng Kinh tế"], []),
        ("2", "Thu gom rác tại các thôn", ["Hội Phụ nữ"], []),
    ]


def test_rows_with_times_of_a_table_that_is_none_of_tasks_are_left_over() -> None:
    made = make_draft(_table("Nội dung | Hạn | Điểm", "Gửi báo cáo | 31/3/2026 | 10"))
    assert [(left.place, left.text) for left in made.leftovers] == [
        ("t:1 r:1", "Gửi báo cáo | 31/3/2026 | 10")
    ]


def test_who_helps_may_stand_after_the_work() -> None:
    found = _brief(
        _text(
            "II. PHÂN CÔNG",
            "1. Phòng Kinh tế:",
            "- Kiểm tra chợ trước ngày 15/5/2026 (Công an phường, Trạm Y tế phối hợp).",
            "- Dọn kênh mương trong tháng 6/2026, các tổ dân phố phối hợp.",
        )
    )
    assert [(title, support) for _, title, _, support in found] == [
        ("Kiểm tra chợ", ["Công an phường", "Trạm Y tế"]),
        ("Dọn kênh mương", ["các tổ dân phố"]),
    ]


def test_a_wrapped_cell_of_a_pdf_is_joined() -> None:
    cells = [["1"], ["Kiểm tra chợ", "trung tâm"], ["Phòng Kinh", "tế"], ["Trước", "15/12/2026"]]
    heads = [["TT"], ["Việc"], ["Chủ trì"], ["Thời gian"]]
    rows = [
        Row(tuple(Cell(tuple(Paragraph(line, place) for line in c)) for c in row), place)
        for place, row in (("tr:1 bảng 1 dòng 1", heads), ("tr:1 bảng 1 dòng 2", cells))
    ]
    head = _text("Kèm theo:")
    task = _only(Document("kh", "0" * 64, "pdf", (*head.blocks, Table(1, tuple(rows)))))
    assert (task.title, task.lead) == ("Kiểm tra chợ trung tâm", ["phong-kinh-te"])
    assert task.deliverables[0].rule == {"due": date(2026, 12, 15), "before": True}


def test_letters_that_say_who_and_when_are_no_tasks() -> None:
    task = _only(
        _text(
            "1. Nhiệm vụ",
            "1.1. Sửa cầu",
            "a) Chủ trì: Phòng Kinh tế",
            "b) Thời gian:",
            "+ Khảo sát: tháng 3/2026;",
            "+ Thi công: trước ngày 30/8/2026.",
        )
    )
    assert (task.code, task.title) == ("1.1", "Sửa cầu")
    assert [one.rule for one in task.deliverables] == [
        {"within": "03"},
        {"due": date(2026, 8, 30), "before": True},
    ]


def test_aims_and_sentences_about_all_are_left_over() -> None:
    """They have a date or “chủ trì”, so people see that they were not taken."""
    made = make_draft(
        _text(
            "I. MỤC TIÊU",
            "- Phấn đấu 100% hộ có nước sạch trước ngày 31/12/2026.",
            "II. TỔ CHỨC THỰC HIỆN",
            "1. Các cơ quan, đơn vị báo cáo kết quả trước ngày 20/11/2026.",
            "2. Kinh phí lấy từ ngân sách phường.",
        )
    )
    assert made.tasks == []
    assert [leftover.place for leftover in made.leftovers] == ["p:5", "p:7"]


def test_a_table_in_any_column_order_with_bands_and_repeats() -> None:
    found = _brief(
        _table(
            "TT | Thời gian | Nội dung | Chủ trì | Phối hợp",
            "I | | TUYÊN TRUYỀN | |",
            "1 | Quý I/2026 | Phát tờ rơi | Công an phường | Trạm Y tế",
            "2 | -nt- | Mở lớp tập huấn | ^ |",
            "II | | KIỂM TRA | |",
            "1 | Tháng 9 | Kiểm tra chợ | Phòng Kinh tế |",
            "| | Tổng cộng | |",
        )
    )
    assert found == [
        ("I.1", "Phát tờ rơi", ["Công an phường"], ["Trạm Y tế"]),
        ("I.2", "Mở lớp tập huấn", ["Công an phường"], []),
        ("II.1", "Kiểm tra chợ", ["Phòng Kinh tế"], []),
    ]


def test_marks_side_by_side_are_one_job_marks_apart_are_several() -> None:
    rules = _rules(
        _table(
            "STT | Việc | Phụ trách | Quý I | Quý II | Quý III | Quý IV",
            "1 | Duy tu mái chợ | Bộ phận Hạ tầng | | x | x |",
            "2 | Kiểm tra cân | Tổ Cân đo | x | | x |",
        )
    )
    assert rules == [
        {"within": "Q3", "from": date(2026, 4, 1)},
        {"within": "Q1"},
        {"within": "Q3"},
    ]


def test_lines_of_a_cell_pair_products_with_days() -> None:
    task = _only(
        _table(
            "STT | Nội dung | Sản phẩm | Thời hạn | Thực hiện",
            "1 | Giao khoán quầy | - Phương án / - hợp đồng"
            " | Phương án: 28/02/2026 / Hợp đồng: 31/3/2026 | CT: Kế toán / PH: Tổ Vệ sinh",
        )
    )
    assert [(one.product, one.rule) for one in task.deliverables] == [
        ("Phương án", {"due": date(2026, 2, 28)}),
        ("hợp đồng", {"due": date(2026, 3, 31)}),
    ]


def test_a_cell_that_lists_tasks_is_several() -> None:
    """Line n of the other cells is of task n, where there are as many."""
    found = _brief(
        _table(
            "Tháng | Nội dung | Người thực hiện",
            "Tháng 9 | - Khai giảng / - Cân đo trẻ | - Ban Giám hiệu / - Nhân viên y tế",
            "Tháng 10 | Sơ kết: / - Đánh giá / - Báo cáo | Ban Giám hiệu",
        )
    )
    assert found == [
        ("1", "Khai giảng", ["Ban Giám hiệu"], []),
        ("2", "Cân đo trẻ", ["Nhân viên y tế"], []),
        ("3", "Sơ kết: - Đánh giá - Báo cáo", ["Ban Giám hiệu"], []),
    ]


def test_time_may_stand_before_the_sentence() -> None:
    task = _only(_text("IV. TIẾN ĐỘ", "- Từ ngày 06/4 đến ngày 15/4/2026: Trạm Y tế khám tuyển."))
    assert (task.title, task.lead) == ("Khám tuyển", ["tram-y-te"])
    assert [one.rule for one in task.deliverables] == [
        {"due": date(2026, 4, 15), "from": date(2026, 4, 6)}
    ]


def test_of_two_columns_of_times_the_finer_one_counts() -> None:
    """The month stands alone only where the other column says nothing."""
    rules = _rules(
        _table(
            "Tháng | Ngày | Nội dung | Người thực hiện",
            "9/2026 | 5/9 | Khai giảng | Hiệu trưởng",
            "^ | trước 15/9 | Họp phụ huynh | Hiệu trưởng",
            "^ | | Đại hội | Công đoàn",
            "10/2026 | 20 | Hội thi | Công đoàn",
        )
    )
    assert rules == [
        {"due": date(2026, 9, 5)},
        {"due": date(2026, 9, 15), "before": True},
        {"within": "09"},
        {"due": date(2026, 10, 20)},
    ]


def test_columns_where_work_starts_and_ends() -> None:
    rules = _rules(
        _table(
            "STT | Việc | Đơn vị thực hiện | Bắt đầu | Hoàn thành",
            "1 | Sửa mái | Tổ 1 | 01/3 | 30/4",
        )
    )
    assert rules == [{"due": date(2026, 4, 30), "from": date(2026, 3, 1)}]


@pytest.mark.parametrize(
    "rows",
    [
        ("STT | Tiêu chí | Điểm", "1 | Ban hành kế hoạch trước ngày 31/01 | 10"),
        ("Nội dung | Hạn | Điểm | Người chấm", "Gửi báo cáo | 31/3/2026 | 10 | Phòng Nội vụ"),
        ("STT | Chỉ tiêu | Đơn vị tính | Năm 2026", "1 | Tỷ lệ thu gom | % | 95"),
        ("STT | Nội dung chi | Đơn vị thực hiện | Số tiền", "1 | In tài liệu | Văn phòng | 80"),
        ("Thời gian | Nội dung | Thực hiện", "7h30 | Đón khách | Tổ 1", "8h00 | Chào cờ | Tổ 2"),
        ("STT | Họ và tên | Chức vụ | Nhiệm vụ", "1 | A | Bí thư | Trưởng ban"),
    ],
)
def test_tables_of_scores_targets_costs_hours_people_are_no_tasks(rows: tuple[str, ...]) -> None:
    assert _brief(_table(*rows)) == []


def test_what_was_done_last_year_is_no_task() -> None:
    made = make_draft(
        _text(
            "Phần thứ nhất",
            "KẾT QUẢ NĂM 2025",
            "I. Kết quả",
            "- Công an xã đã rà soát hộ khẩu trước ngày 30/6/2025.",
            "Phần thứ hai",
            "NHIỆM VỤ NĂM 2026",
            "I. Nhiệm vụ",
            "1. Công an xã",
            "- Phấn đấu giảm 5% số vụ trong quý IV/2026.",
            "- Mở đợt cao điểm trong quý III/2026.",
        )
    )
    assert [task.title for task in made.tasks] == ["Mở đợt cao điểm"]


def test_who_is_in_charge_may_stand_after_the_work() -> None:
    found = _brief(
        _text(
            "I. NHIỆM VỤ",
            "1. Kiện toàn Ban Chỉ huy trước ngày 15/02/2026 (Hạt Kiểm lâm tham mưu).",
            "2. Trình phương án trong tháng 3. Giao Hạt Kiểm lâm chủ trì, Công an xã phối hợp.",
            "3. Dọn thực bì. Thời hạn: 28/02. Đơn vị thực hiện: Các thôn; Công an xã phối hợp.",
            "4. Lắp biển báo, do Phòng Kinh tế thực hiện, xong trước ngày 30/6/2026.",
            "5. Mở lớp tập huấn",
            "Giao Trạm Y tế chủ trì, phối hợp với Công an xã. Hoàn thành trong quý II/2026.",
        )
    )
    assert found == [
        ("1", "Kiện toàn Ban Chỉ huy", ["Hạt Kiểm lâm"], []),
        ("2", "Trình phương án", ["Hạt Kiểm lâm"], ["Công an xã"]),
        ("3", "Dọn thực bì", ["Các thôn"], ["Công an xã"]),
        ("4", "Lắp biển báo", ["Phòng Kinh tế"], []),
        ("5", "Mở lớp tập huấn", ["Trạm Y tế"], ["Công an xã"]),
    ]


def test_prose_and_annex_that_disagree_are_flagged_and_asked() -> None:
    prose = _text(
        "I. PHÂN CÔNG", "1. Sở Y tế:", "- Tổ chức Lễ phát động Tháng hành động 15/4/2026."
    )
    annex = _table(
        "TT | Việc | Mốc thời gian | Đơn vị",
        "1 | Lễ phát động Tháng hành động | 12/4/2026 | Sở Y tế",
    )
    made = make_draft(Document("kh", "0" * 64, "docx", (*prose.blocks, annex.blocks[-1])))
    assert all(one.is_flagged for task in made.tasks for one in task.deliverables)
    assert [(q.kind, q.choices) for q in made.questions] == [
        ("contradiction", ["2026-04-15", "2026-04-12"])
    ]


def test_a_long_title_is_cut_to_its_core() -> None:
    full = (
        "Tham mưu UBND phường rà soát, lập Danh mục văn bản quy phạm pháp luật hết hiệu lực theo "
        "Nghị định số 34/2016/NĐ-CP ngày 14/5/2016 của Chính phủ"
    )
    assert short_title(full) == "Rà soát, lập Danh mục văn bản quy phạm pháp luật hết hiệu"


def test_units_and_short_titles_come_from_a_former_plan(tmp_path: Path) -> None:
    """An unknown unit is asked about, with the nearest known ones."""
    lines = ["II. NHIỆM VỤ", "1. Rà soát hộ nghèo", "- Chủ trì: VHXH", "- Thời gian: Quý I"]
    before = make_draft(_text(*lines[:2], "- Chủ trì: Văn hóa - Xã hội", lines[3]))
    path = tmp_path / "plan.toml"
    path.write_text(draft.dumps(before, open_tables=False), "utf-8")
    more = ["2. Khám sức khỏe", "- Chủ trì: Trạm Y tế", "- Thời gian: Quý II"]
    made = make_draft(_text(*lines, *more), like=load_plan(path))
    assert [task.lead for task in made.tasks] == [["van-hoa-xa-hoi"], ["tram-y-te"]]
    assert [(q.kind, q.unit, q.choices[-1]) for q in made.questions] == [
        ("unit", "tram-y-te", "new")
    ]
