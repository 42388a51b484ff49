"""What a draft says of its days, and the page to review."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from typing import Any

import pytest

from reminder.domain.text import squeeze
from reminder.importing.draft import Deliverable, Draft, Leftover, Note, Question, Task, Unit
from reminder.importing.page import review_page
from reminder.importing.wording import counts, offered, understood


def deliverable(rule: dict[str, Any], phrase: str = "Quý I", product: str = "") -> Deliverable:
    return Deliverable(name="Báo cáo", product=product, phrase=phrase, rule=rule)


def made(*tasks: Task, **more: Any) -> Draft:
    values: dict[str, Any] = {
        "id": "kh-2027",
        "title": "Kế hoạch năm 2027",
        "year": 2027,
        "document": "KH-2027.docx",
        "sha256": "ab" * 32,
        "units": [Unit(id="tu-phap", name="Tư pháp"), Unit(id="vp", name="Văn phòng")],
        "tasks": list(tasks),
        **more,
    }
    return Draft(**values)


def task(code: str, *rules: dict[str, Any], **more: Any) -> Task:
    return Task(code=code, title=f"Việc {code}", lead=["tu-phap"], source=f"p:{len(code)}",
                deliverables=[deliverable(rule) for rule in rules], **more)  # fmt: skip


DAY = date(2027, 6, 15)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"due": DAY}, "hạn 15/6"),
        ({"due": date(2028, 1, 15)}, "hạn 15/01/2028"),
        ({"due": DAY, "from": date(2027, 4, 1)}, "từ 01/4 – hạn 15/6"),
        ({"due": DAY, "before": True}, "trước 15/6: hạn 14/6"),
        ({"due": DAY, "assumed": True}, "dự kiến hạn 15/6"),
        ({"due": [date(2027, 1, n) for n in range(1, 7)]},
         "hạn 01/01, 02/01, 03/01, 04/01 … (6 ngày)"),
        ({"within": "Q1"}, "cuối quý I, hạn 31/3/2027"),
        ({"within": "H2"}, "cuối 6 tháng cuối năm, hạn 31/12/2027"),
        ({"within": "02"}, "cuối tháng 02, hạn 28/02/2027"),
        ({"within": "year"}, "cuối năm 2027, hạn 31/12/2027"),
        ({"every": "month", "day": 25}, "hằng tháng, ngày 25"),
        ({"every": "month", "day": 5, "before": True},
         "hằng tháng, ngày 5 (văn bản ghi “trước”: hạn là hôm trước ngày ấy)"),
        ({"every": "quarter", "only": ["Q1"]}, "hằng quý, ngày cuối tháng cuối kỳ (chỉ Q1)"),
        ({"every": "quarter", "day": 5, "month": 1}, "hằng quý, ngày 5 tháng thứ 1 của kỳ"),
        ({"every": "quarter", "day": 5, "following": True}, "hằng quý, ngày 5 tháng sau kỳ ấy"),
        ({"every": "month", "times": 2}, "2 lần mỗi tháng"),
        ({"rrule": "FREQ=WEEKLY;BYDAY=MO;UNTIL=20271231"}, "hằng tuần, thứ Hai"),
        ({"rrule": "FREQ=MONTHLY;BYDAY=-1FR;BYMONTH=5,6"},
         "hằng tháng các tháng 5,6, thứ Sáu cuối"),
        ({"rrule": "FREQ=WEEKLY;INTERVAL=2"}, "cứ 2 tuần"),
        ({"rrule": "FREQ=MONTHLY;BYMONTHDAY=-1"}, "hằng tháng, ngày cuối"),
        ({"awaiting": True}, "chưa có hạn: Văn phòng định sau"),
        ({"awaiting": True, "event": {"name": "nhận văn bản", "offset": 5, "unit": "working-day"}},
         "5 ngày làm việc sau khi nhận văn bản: chờ Văn phòng báo ngày ấy"),
        ({"every": "quarter", "day": 10, "kind": "check-in"},
         "việc thường xuyên, hỏi tình hình hằng quý, ngày 10 tháng cuối kỳ"),
    ],
)  # fmt: skip
def test_what_was_understood(rule: dict[str, Any], words: str) -> None:
    """Each rule in words that a clerk reads."""
    assert understood(deliverable(rule), made()) == words


def test_the_days_of_a_school_year() -> None:
    """A month before the first one lies in the next year."""
    draft = made(first_day=date(2027, 9, 1), last_day=date(2028, 5, 31))
    assert understood(deliverable({"within": "03"}), draft) == "cuối tháng 03, hạn 31/3/2028"


def question(kind: str, **more: Any) -> Question:
    return Question(**{"id": "q1", "kind": kind, "ask": "Thế nào?", **more})


def test_counts() -> None:
    """Each task counts once, by its least certain day."""
    draft = made(
        task("1", {"due": DAY}),
        task("2", {"within": "Q1"}, {"awaiting": True}),
        task("3", {"due": DAY, "assumed": True}, {"every": "quarter", "kind": "check-in"}),
        task("4", {"every": "year"}),
        questions=[question("unit", unit="vp"), question("date")],
        leftovers=[Leftover(place="p:9", text="Chủ trì")],
    )
    assert counts(draft) == (
        "4 việc: 1 hạn có trong văn bản, 1 cuối kỳ, 1 dự kiến, 1 chưa có hạn; "
        "1 đoạn có thể là việc nhưng chưa lấy; 1 bộ phận chưa biết"
    )
    assert counts(made()) == "0 việc"


def test_what_a_question_offers() -> None:
    """The days as they stand, other ways, and names in place of ids."""
    draft = made(task("1", {"within": "Q1", "assumed": True}, {"awaiting": True}))
    dated = question("date", task="1", deliverable=1, choices=["2027-03-31"])
    assert offered(draft, dated) == [
        ("yes", "đúng như máy hiểu: cuối quý I, hạn 31/3/2027"),
        ("awaiting", "chưa định được: Văn phòng định sau"),
        ("check-in", "việc thường xuyên: chỉ hỏi tình hình mỗi quý"),
    ]
    assert offered(draft, question("unit", unit="x", choices=["vp", "new"])) == [
        ("vp", "Văn phòng"),
        ("new", "bộ phận mới, giữ tên này"),
    ]
    assert offered(draft, question("unit", task="1")) == [
        ("tu-phap", "Tư pháp"),
        ("vp", "Văn phòng"),
    ]
    assert offered(draft, question("contradiction", choices=["2027-04-15", "2027-04-12"])) == [
        ("2027-04-15", "15/4/2027"),
        ("2027-04-12", "12/4/2027"),
        ("both", "hai việc khác nhau: giữ cả hai"),
    ]


def words(page: str) -> str:
    body = re.sub(r"(?s)<(style|title)>.*?</\1>", "", page)
    return squeeze(unescape(re.sub(r"<[^>]+>", " ", body)))


def test_the_page_shows_all_in_the_order_of_the_plan() -> None:
    """What the text says and where, what was understood, what is open, who answered what."""
    first = task("1a", {"due": DAY}, full_title="Rà soát <văn bản> của phường", section="1")
    second = task("1b", {"due": DAY, "assumed": True}, section="1")
    second.source = "t:1 r:7"
    draft = made(
        first,
        second,
        sections={"1": "Thể chế"},
        questions=[
            question("contradiction", task="1a", place="p:2; t:1 r:7", text="a / b"),
            question("ocr", id="q2", task="1b", deliverable=1, text="3l/5", place="t:1 r:7"),
            question("date", id="q3", task="1a", answer="2027-06-15", by="Chị Lan",
                     at="2026-12-01T08:00:00+00:00"),
            question("unit", id="q4", unit="vp", choices=["tu-phap"]),
        ],
        leftovers=[Leftover(place="p:30", text="Văn phòng chủ trì", why="câu chung")],
        notes=[Note(place="p:2", text="đã sửa “30/4” thành “31/5”", task="1a")],
    )  # fmt: skip
    page = review_page(draft)
    shown = words(page)
    for text in (
        "Kế hoạch năm 2027 Bản soát trước khi dùng. Văn bản: KH-2027.docx .",
        "2 việc: 1 hạn có trong văn bản, 1 dự kiến; 1 đoạn có thể là việc nhưng chưa lấy",
        "3 điều phải trả lời",
        "q1 : Thế nào? đoạn 2 Rà soát <văn bản> của phường “ Quý I ” bảng 1, dòng 7 Việc 1b",
        "1. Thể chế 1a Rà soát <văn bản> của phường “Quý I” đoạn 2 Việc 1a",
        "Việc 1a Chủ trì: Tư pháp hạn 15/6",
        "q3: 2027-06-15 – Chị Lan, 15:00 01/12/2026",
        "đã sửa “30/4” thành “31/5”",
        "dự kiến hạn 15/6 q1 : nói khác chỗ kia, xem ở trên q2 : Thế nào?",
        "q4 : Thế nào? Gần nhất: tu-phap",
        "đoạn 30 Văn phòng chủ trì câu chung",
        "Việc 1b, bảng 1, dòng 7: “3l/5”",
    ):
        assert text in shown, shown
    assert "<văn bản>" not in page
