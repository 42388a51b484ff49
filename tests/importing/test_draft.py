"""A draft is written as a plan file and read again."""

from __future__ import annotations

import tomllib
from datetime import date

from reminder.importing import draft
from reminder.importing.draft import Deliverable, Draft, Leftover, Note, Question, Task, Unit


def _draft() -> Draft:
    task = Task(
        code="II.3",
        title='Danh mục "TTHC"',
        full_title='Rà soát, lập Danh mục "TTHC" của phường',
        written="3",
        section="II",
        lead=["van-phong"],
        source="t:1 r:4",
        deliverables=[
            Deliverable(
                name="Báo cáo",
                product="Báo cáo",
                phrase="hằng quý, ngày 05 tháng đầu quý sau",
                rule={"due": [date(2026, 4, 5), date(2027, 1, 5)], "periods": ["Q1", "Q4"]},
            ),
            Deliverable(
                name="Kế hoạch",
                phrase="trong 05 ngày làm việc kể từ ngày nhận hồ sơ",
                rule={
                    "awaiting": True,
                    "event": {"name": "nhận hồ sơ", "offset": 5, "unit": "working-day"},
                },
            ),
        ],
    )
    return Draft(
        id="kh-2026",
        title="Kế hoạch năm 2026",
        year=2026,
        before="day-before",
        document="kh.docx",
        sha256="0" * 64,
        issued=date(2026, 1, 15),
        sections={"II": "Nhiệm vụ", "1.1": "Thể chế"},
        units=[Unit(id="van-phong", name="Văn phòng", spellings=["Văn phòng phường"])],
        tasks=[task],
        questions=[
            Question(
                id="q1",
                kind="date",
                ask="Hạn là ngày nào?",
                task="II.3",
                deliverable=2,
                text="x\ty",
            )
        ],
        leftovers=[Leftover(place="p:4", text="Chủ trì họp", why="chủ trì")],
        notes=[Note(place="p:9", text="30/11/2026 sửa thành 15/12/2026", task="II.3")],
    )


def test_a_draft_that_is_written_and_read_is_the_same() -> None:
    made = _draft()
    made.questions[0].text = "x y"
    assert draft.loads(draft.dumps(made)) == made


def test_a_draft_says_its_place_in_words_beside_it() -> None:
    assert 'source = "t:1 r:4"  # bảng 1, dòng 4' in draft.dumps(_draft())


def test_a_plan_made_of_a_draft_has_nothing_open() -> None:
    data = tomllib.loads(draft.dumps(_draft(), open_tables=False))
    assert set(data) == {"plan", "sections", "unit", "task"}
    assert "issued" not in data["plan"]
