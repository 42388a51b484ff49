"""A draft that is made in a process of its own, and the places of tasks in the document's text."""

from __future__ import annotations

from pathlib import Path

import pytest

from reminder.domain.plan import Plan
from reminder.importing.drafting import Line, Places, draft_apart, lines_of
from reminder.importing.layout import Document, RefusedError
from reminder.importing.reading import read_document
from reminder.importing.tasks import NoYearError, make_draft

CASES = Path(__file__).parent / "cases"


def test_a_draft_made_apart_is_the_one_made_here(plan2024: Plan) -> None:
    """Merged cells, a former plan's units and the document's name come through."""
    path = CASES / "d02-pccc.docx"
    document = read_document(path)
    found = draft_apart(path, path.name, like=plan2024)
    assert found.draft == make_draft(document, like=plan2024)
    assert [*found.lines] == lines_of(document)


@pytest.mark.parametrize("name", ["d01-tiet-kiem.docx", "d09-an-toan-thuc-pham.pdf",
                                  "d08-cho-ben-do.docx", "d10-nam-hoc.txt"])  # fmt: skip
def test_every_task_has_its_place_in_the_text(name: str) -> None:
    document = read_document(CASES / name)
    found = Places(lines_of(document))
    assert [t.code for t in make_draft(document).tasks if not found.lines(t.source)] == []


def test_the_lines_of_a_place() -> None:
    """A range of paragraphs, a table's row, and two places at once."""
    lines = [Line(where, where) for where in ("p:1", "p:2", "t:1 r:2", "p:3", "p:4")]
    places = ("p:2..4", "t:1 r:2", "p:4; p:1", "p:9", "", "p:1..999999999")
    found = [Places(lines).lines(place) for place in places]
    assert found == [[1, 3, 4], [2], [0, 4], [], [], [0, 1, 3, 4]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "không đọc KH.docx: tệp rỗng"),
        (b"%PDF-1.7", "không đọc KH.docx: tệp bị hỏng hoặc tải về chưa trọn; xin lấy lại tệp gốc"),
        ("Kế hoạch năm 2026\nKính gửi các phòng.\n".encode(),
         "không thấy việc nào trong KH.docx: đây có phải văn bản kế hoạch không?"),
        (b"1. Viec nao do", "không thấy năm của kế hoạch trong văn bản"),
    ],
)  # fmt: skip
def test_what_is_no_plan_is_refused_by_the_name_people_gave_it(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(RefusedError) as caught:
        draft_apart(path, "KH.docx")
    assert str(caught.value) == says


def test_no_year() -> None:
    with pytest.raises(NoYearError):
        make_draft(Document("kh", "0" * 64, "txt", ()))
