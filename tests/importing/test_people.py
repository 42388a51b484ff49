"""An office's list of people: columns as offices keep them, and every slip told with its row."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from reminder.domain.errors import FileError
from reminder.domain.people import Person
from reminder.domain.plan import Plan
from reminder.files.toml import unused_id
from reminder.importing.people import (
    Change,
    Listed,
    Roster,
    changes,
    read_roster,
)


def roster(folder: Path, text: str | bytes, plan: Plan) -> Roster:
    path = folder / "can-bo.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_roster(path, plan.units)


def faults(folder: Path, text: str, plan: Plan) -> list[tuple[int | None, str]]:
    with pytest.raises(FileError) as caught:
        roster(folder, text, plan)
    return [(problem.line, problem.message) for problem in caught.value.problems]


def test_columns_in_any_order_and_spelling(tmp_path: Path, plan2024: Plan) -> None:
    """Rows above the headings and unknown columns are left out; the latter are told."""
    text = (
        "UBND PHƯỜNG HOA SEN;;;;;;\n"
        "DANH SÁCH CÁN BỘ;;;;;;\n"
        ";;;;;;\n"
        "TT;Đơn vị công tác;HỌ VÀ TÊN;E-mail;Chức vụ;SĐT;Ghi chú\n"
        "1;Bộ phận Tư pháp phường;Nguyễn Văn An;an@xa.example;Công chức;0912 345 678;mới\n"
        "2;tai chinh - ke toan;Trần Thị Bình;-;Kế toán;;\n"
        "3;Văn phòng, Văn hóa và Thông tin phường;Lê Chi;chi@xa.example;;;\n"
        ";;Tổng số: 3 người;;;;\n".replace(";;Tổng số: 3 người", "Tổng số: 3 người;;")
    )
    assert roster(tmp_path, text, plan2024) == Roster(
        people=(
            Listed(
                row=5,
                name="Nguyễn Văn An",
                title="Công chức",
                units=("tu-phap",),
                email="an@xa.example",
                phone="0912 345 678",
            ),
            Listed(
                row=6,
                name="Trần Thị Bình",
                title="Kế toán",
                units=("tai-chinh-ke-toan",),
            ),
            Listed(
                row=7,
                name="Lê Chi",
                units=("van-phong", "van-hoa-thong-tin"),
                email="chi@xa.example",
            ),
        ),
        ignored=("Ghi chú",),
    )


def test_units_as_headings_and_names_in_two_columns(tmp_path: Path, plan2024: Plan) -> None:
    """A row with a unit alone heads those below; a leader's unit is known by the title."""
    text = (
        "STT,Họ và tên đệm,Tên,Chức vụ\n"
        "I,Lãnh đạo UBND phường,,\n"
        "1,Phạm Thị,Dung,Chủ tịch\n"
        "II,2. Tư pháp,,\n"
        "1,Nguyễn Văn,An,Công chức\n"
    )
    people = roster(tmp_path, text, plan2024).people
    assert [(p.row, p.name, p.units) for p in people] == [
        (3, "Phạm Thị Dung", ("lanh-dao",)),
        (5, "Nguyễn Văn An", ("tu-phap",)),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1258"])
def test_as_a_spreadsheet_saves_it(tmp_path: Path, plan2024: Plan, encoding: str) -> None:
    """A byte order mark, UTF-16 and windows-1258 are read, with tabs or commas."""
    line = "Họ tên\tBộ phận\nLê Chí Hòa\tTư pháp\n"
    if encoding == "cp1258":  # which has no composed letter with two marks
        line = "Ho\u0323 tên\tBô\u0323 phâ\u0323n\nLê Chí Hòa\tTu\u031b pháp\n".replace(
            "ò", "o\u0300"
        ).replace("u\u031b", "ư")
    people = roster(tmp_path, line.encode(encoding), plan2024).people
    assert [(p.name, p.units) for p in people] == [("Lê Chí Hòa", ("tu-phap",))]


def test_a_workbook_as_offices_keep_it(tmp_path: Path, plan2024: Plan) -> None:
    """A title above, the unit in one merged cell for several people, numbers without their zero."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in (
        ["DANH SÁCH CÁN BỘ, CÔNG CHỨC"],
        [],
        ["STT", "Bộ phận", "Họ và tên", "Điện thoại", "Email"],
        [1, "Tư pháp", "Nguyễn Văn An", 912345678, "an@xa.example"],
        [2, None, "Trần Thị Bình", "0911 222 333", None],
        [3, "Văn phòng", "Lê Chi", None, None],
    ):
        sheet.append(row)
    sheet.merge_cells("A1:E1")
    sheet.merge_cells("B4:B5")
    path = tmp_path / "can-bo.xlsx"
    book.save(path)
    found = read_roster(path, plan2024.units).people
    assert [(p.row, p.name, p.units, p.phone, p.email) for p in found] == [
        (4, "Nguyễn Văn An", ("tu-phap",), "0912345678", "an@xa.example"),
        (5, "Trần Thị Bình", ("tu-phap",), "0911 222 333", ""),
        (6, "Lê Chi", ("van-phong",), "", ""),
    ]


def test_all_slips_at_once(tmp_path: Path, plan2024: Plan) -> None:
    """Each with its row, and the nearest unit."""
    text = (
        "Họ và tên,Bộ phận,Thư\n"
        "Nguyễn Văn An,Tư phápp,an@xa.example\n"
        ",Tư pháp,b@xa.example\n"
        "Lê Chi,,chi@\n"
        "Vũ Dũng,Văn phòng,d@xa.example\n"
        "Vũ Dũng,Văn phòng,d@xa.example\n"
    )
    assert faults(tmp_path, text, plan2024) == [
        (2, "không có bộ phận “Tư phápp” trong kế hoạch; có phải là “Tư pháp”?"),
        (3, "thiếu họ và tên"),
        (4, "“chi@” không phải địa chỉ thư; ví dụ ten@xa.example"),
        (4, "Lê Chi thuộc bộ phận nào? Ô bộ phận trống"),
        (6, "Vũ Dũng đã có ở dòng 5"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "không thấy dòng tiêu đề"),
        ("một,hai\nba,bốn\n", None, "không thấy dòng tiêu đề"),
        ("Họ tên,Bộ phận\n", 1, "dưới dòng tiêu đề không có ai"),
        (f'Họ tên,Bộ phận\n"{"x" * 200_000}",Tư pháp\n', 2, "không đọc được dòng này"),
        (f"Họ tên,Bộ phận\n{'An,Tư pháp' * 1}\n" + "x,Tư pháp\n" * 100_000, None, "quá lớn"),
    ],
    ids=["empty", "no headings", "nobody", "one huge cell", "too large"],
)
def test_what_is_no_list_is_refused(
    tmp_path: Path, plan2024: Plan, text: str, line: int | None, words: str
) -> None:
    """In one sentence."""
    [(row, message)] = faults(tmp_path, text, plan2024)
    assert row == line
    assert words in message


AN = Person(id="tp-1", name="Nguyễn Văn An", units=("tu-phap",), email="an@x.vn", channels=())
BINH = Person(id="vp-1", name="Trần Bình", units=("van-phong",), channels=())


def test_what_a_list_changes() -> None:
    """Known by id, address or name; an empty cell keeps what is written; ids come from names."""
    listed = [
        Listed(row=2, name="Nguyễn Văn  An".replace("  ", " "), units=("van-phong",), phone="09"),
        Listed(row=3, name="Lê Chi", units=("tu-phap",), email="chi@x.vn"),
        Listed(row=4, name="Lê Chí", units=("tu-phap",)),
    ]
    an = Person(
        id="tp-1", name=AN.name, units=("van-phong",), email="an@x.vn", phone="09", channels=()
    )
    new = [
        Person(id="le-chi", name="Lê Chi", units=("tu-phap",), email="chi@x.vn", channels=()),
        Person(id="le-chi-2", name="Lê Chí", units=("tu-phap",), channels=()),
    ]
    added = [Change(before=None, after=person) for person in new]
    assert changes([AN, BINH], listed, drop=False) == [
        Change(before=AN, after=an),
        Change(before=BINH, after=BINH),
        *added,
    ]
    assert changes([AN, BINH], listed, drop=True)[1] == Change(before=BINH, after=None)


def test_a_new_name_for_a_known_address() -> None:
    """The address says who it is."""
    [change] = changes([AN], [Listed(row=2, name="Nguyễn An", email="AN@x.vn")], drop=False)
    assert (change.after and (change.after.id, change.after.name, change.after.units)) == (
        "tp-1", "Nguyễn An", ("tu-phap",),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "taken", "made"),
    [
        ("Đặng Thị Ánh", [], "dang-thi-anh"),
        ("Đặng Thị Ánh", ["dang-thi-anh"], "dang-thi-anh-2"),
        ("李", [], "nguoi"),
        ("A" * 60, ["a" * 40], f"{'a' * 36}-2"),
    ],
)
def test_ids_from_names(name: str, taken: list[str], made: str) -> None:
    assert unused_id(name, taken, "nguoi") == made
