"""What a person answers about a draft, and what of it a new version of the document keeps."""

from __future__ import annotations

from copy import deepcopy
from datetime import date

import pytest

from reminder.domain.errors import FileError
from reminder.importing.answers import (
    AnswerError,
    answer_question,
    as_plan,
    carry_over,
    hindrances,
    lost,
    open_questions,
)
from reminder.importing.draft import Deliverable, Draft, Question, Task, Unit

BY, AT = "Chị Lan, Văn phòng", "2026-12-01T08:00:00+00:00"


def made(*questions: Question) -> Draft:
    return Draft(
        id="kh-2027",
        title="Kế hoạch năm 2027",
        year=2027,
        office="van-phong",
        leaders="lanh-dao",
        sections={"1": "Cải cách thể chế"},
        units=[
            Unit(id="van-phong", name="Văn phòng", spellings=["VP"]),
            Unit(id="lanh-dao", name="Lãnh đạo"),
            Unit(id="bo-phan-vp", name="Bộ phận VP", spellings=["Bộ phận văn phòng"]),
        ],
        tasks=[
            Task(
                code="1a",
                title="Rà soát văn bản",
                section="1",
                lead=["bo-phan-vp"],
                support=["van-phong"],
                source="p:4..8",
                deliverables=[
                    Deliverable(
                        name="Danh mục",
                        product="Danh mục",
                        phrase="Đầu năm 2027",
                        rule={"due": date(2027, 1, 31), "assumed": True},
                    ),
                    Deliverable(
                        name="Báo cáo",
                        product="Báo cáo",
                        phrase="Định kỳ hàng quý",
                        rule={"every": "quarter", "assumed": True},
                    ),
                ],
            ),
            Task(
                code="2b",
                title="Rà soát văn bản của phường",
                section="1",
                lead=["van-phong"],
                source="t:1 r:2",
                deliverables=[
                    Deliverable(
                        name="Danh mục",
                        product="Danh mục",
                        phrase="15/02/2027",
                        rule={"due": date(2027, 2, 15), "assumed": True},
                    )
                ],
            ),
        ],
        questions=list(questions),
    )


def ask(kind: str, **more: object) -> Question:
    values: dict[str, object] = {"id": "q1", "kind": kind, "ask": "Thế nào?", "task": "1a", **more}
    return Question(**values)  # type: ignore[arg-type]


def rules(draft: Draft, code: str = "1a") -> list[dict[str, object]]:
    return [one.rule for one in draft.task(code).deliverables]


QUARTERLY = {"every": "quarter", "assumed": True}
STAND_IN = {"due": date(2027, 1, 31), "assumed": True}


@pytest.mark.parametrize(
    ("answer", "kept", "rule"),
    [
        ("yes", "yes", {"due": date(2027, 1, 31)}),
        ("Đúng", "yes", {"due": date(2027, 1, 31)}),
        ("15/2", "2027-02-15", {"due": date(2027, 2, 15)}),
        ("15.02.2027", "2027-02-15", {"due": date(2027, 2, 15)}),
        ("2028-01-15", "2028-01-15", {"due": date(2028, 1, 15)}),
        (
            "30/6 và 31/3",
            "2027-03-31, 2027-06-30",
            {"due": [date(2027, 3, 31), date(2027, 6, 30)]},
        ),
        ("awaiting", "awaiting", {"awaiting": True}),
        ("check-in", "check-in", {"every": "quarter", "day": 10, "kind": "check-in"}),
    ],
)
def test_a_day_is_confirmed_or_named(answer: str, kept: str, rule: dict[str, object]) -> None:
    """The deliverable that the question is about gets the rule; who and when are kept."""
    draft = made(ask("date", deliverable=1))
    answer_question(draft, "q1", answer, BY, AT)
    assert rules(draft) == [rule, QUARTERLY]
    assert draft.questions == [ask("date", deliverable=1, answer=kept, by=BY, at=AT)]


def test_a_cycle_gets_a_day() -> None:
    """“ngày 15” is the day of each period."""
    draft = made(ask("date", deliverable=2))
    answer_question(draft, "q1", "Ngày 15", BY, AT)
    assert rules(draft) == [STAND_IN, {"every": "quarter", "day": 15}]


@pytest.mark.parametrize(
    "answer", ["", "mai", "31/2", "15/2/2019", "ngày 15", "15/2 hay 16/2", "32/13", "ngày 45"]
)
def test_what_is_no_day_changes_nothing(answer: str) -> None:
    """The question stays open."""
    draft = made(ask("date", deliverable=1))
    before = deepcopy(draft)
    with pytest.raises(AnswerError):
        answer_question(draft, "q1", answer, BY, AT)
    assert draft == before


def test_nothing_can_be_confirmed_where_there_is_no_day() -> None:
    """A yes needs a day; an event keeps its name when it is still awaited."""
    draft = made(ask("date", deliverable=1))
    event = {"name": "nhận văn bản", "offset": 5, "unit": "working-day"}
    draft.task("1a").deliverables[0].rule = {"awaiting": True, "event": event}
    with pytest.raises(AnswerError, match="chưa có ngày nào"):
        answer_question(draft, "q1", "yes", BY, AT)
    answer_question(draft, "q1", "awaiting", BY, AT)
    assert rules(draft)[0] == {"awaiting": True, "event": event}


def test_days_of_a_school_year() -> None:
    """A month before the first one is of the next year."""
    draft = made(ask("date", deliverable=1))
    draft.first_day, draft.last_day = date(2027, 9, 1), date(2028, 5, 31)
    answer_question(draft, "q1", "20/11, 15/1", BY, AT)
    assert rules(draft)[0] == {"due": [date(2027, 11, 20), date(2028, 1, 15)]}


def test_a_unit_is_another_one() -> None:
    """Its names become spellings, and it is gone from every task."""
    other = ask("unit", id="q2", choices=["bo-phan-vp", "van-phong", "new"])
    draft = made(ask("unit", unit="bo-phan-vp", task=""), other)
    answer_question(draft, "q1", "văn phòng", BY, AT)
    assert [unit.id for unit in draft.units] == ["van-phong", "lanh-dao"]
    assert draft.unit("van-phong").spellings == ["VP", "Bộ phận VP", "Bộ phận văn phòng"]
    assert (draft.task("1a").lead, draft.task("1a").support) == (["van-phong"], [])
    assert draft.questions[0].answer == "van-phong"
    assert draft.questions[1].choices == ["van-phong", "new"]
    with pytest.raises(AnswerError, match="đã trả lời"):
        answer_question(draft, "q1", "new", BY, AT)


def test_a_unit_is_new() -> None:
    """It stays as it is; a unit that nobody knows is refused."""
    draft = made(ask("unit", unit="bo-phan-vp", task=""))
    before = deepcopy(draft)
    with pytest.raises(AnswerError, match="không có bộ phận “Kho bạc”"):
        answer_question(draft, "q1", "Kho bạc", BY, AT)
    answer_question(draft, "q1", "new", BY, AT)
    assert (draft.units, draft.tasks) == (before.units, before.tasks)


def test_who_leads_a_task_is_named() -> None:
    """By name or spelling; an unknown name makes a new unit."""
    draft = made(ask("unit"))
    draft.task("1a").lead = []
    answer_question(draft, "q1", "VP, Tổ Một cửa", BY, AT)
    assert (draft.task("1a").lead, draft.task("1a").support) == (["van-phong", "to-mot-cua"], [])
    assert draft.unit("to-mot-cua").name == "Tổ Một cửa"
    assert draft.questions[0].answer == "Văn phòng; Tổ Một cửa"


CONTRADICTION = ask(
    "contradiction", place="p:4..8; t:1 r:2", choices=["2027-01-31", "2027-02-15"], text="a / b"
)


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("2027-02-15", {"1a": [{"due": date(2027, 2, 15)}]}),
        ("2027-01-31", {"1a": [{"due": date(2027, 1, 31)}, {"every": "quarter"}]}),
        ("1/3", {"1a": [{"due": date(2027, 3, 1)}, {"due": date(2027, 3, 1)}]}),
        (
            "both",
            {
                "1a": [{"due": date(2027, 1, 31)}, {"every": "quarter"}],
                "2b": [{"due": date(2027, 2, 15)}],
            },
        ),
    ],
)
def test_two_passages_about_one_thing(answer: str, left: dict[str, object]) -> None:
    """One of them is followed and one task stays; or both are work of their own."""
    draft = made(deepcopy(CONTRADICTION))
    answer_question(draft, "q1", answer, BY, AT)
    assert {task.code: rules(draft, task.code) for task in draft.tasks} == left
    assert draft.questions[0].by == BY


def test_a_contradiction_leaves_what_is_asked_besides() -> None:
    """A day that another question is about stays flagged."""
    draft = made(deepcopy(CONTRADICTION), ask("date", id="q2", deliverable=2))
    answer_question(draft, "q1", "both", BY, AT)
    assert rules(draft) == [{"due": date(2027, 1, 31)}, QUARTERLY]


def test_the_plan_says_what_before_means() -> None:
    """One answer for the whole plan."""
    draft = made(ask("before", task=""))
    with pytest.raises(AnswerError):
        answer_question(draft, "q1", "yes", BY, AT)
    answer_question(draft, "q1", "same-day", BY, AT)
    assert draft.before == "same-day"


def test_a_title_is_kept_or_changed() -> None:
    """At most sixty characters; the full title stays beside it."""
    draft = made(ask("title"), ask("title", id="q2"))
    with pytest.raises(AnswerError, match="70 ký tự"):
        answer_question(draft, "q1", "a" * 70, BY, AT)
    answer_question(draft, "q1", "Rà soát", BY, AT)
    answer_question(draft, "q2", "yes", BY, AT)
    assert (draft.task("1a").title, draft.task("1a").full_title) == ("Rà soát", "Rà soát văn bản")
    assert [question.answer for question in draft.questions] == ["Rà soát", "Rà soát"]


def test_what_hinders_a_plan() -> None:
    """Units, contradictions and slips of OCR without an answer, and a task that nobody leads."""
    draft = made(
        ask("date", deliverable=1),
        ask("ocr", id="q2", deliverable=1),
        ask("unit", id="q3", unit="bo-phan-vp", task=""),
        ask("contradiction", id="q4", answer="both"),
    )
    draft.task("2b").lead = []
    assert [question.id for question in open_questions(draft)] == ["q2", "q3", "q1"]
    assert hindrances(draft) == [
        *["q2: Thế nào?", "q3: Thế nào?", "việc 2b chưa có bộ phận chủ trì"],
    ]


def test_an_unknown_question() -> None:
    """Refused in a sentence."""
    with pytest.raises(AnswerError, match="không có câu hỏi “q9”"):
        answer_question(made(), "q9", "yes", BY, AT)


def test_answers_are_kept_where_the_text_is_the_same() -> None:
    """Under another number and code too; what changed is asked again."""
    old = made(
        ask("date", deliverable=1, text="Đầu năm 2027"),
        ask("date", id="q2", deliverable=2, text="Định kỳ hàng quý"),
        ask("title", id="q3", text="Rà soát văn bản"),
        ask("before", id="q4", task="", text=""),
    )
    new = deepcopy(old)
    for number, answer in (("q1", "15/2"), ("q2", "ngày 15"), ("q3", "Rà soát"),
                           ("q4", "same-day")):  # fmt: skip
        answer_question(old, number, answer, BY, AT)
    new.tasks[0].code = "2a"
    for question in new.questions:
        question.id = f"x{question.id}"
        question.task = "2a" if question.task else ""
    new.questions[1].text = new.tasks[0].deliverables[1].phrase = "Định kỳ 6 tháng"
    carry_over(old, new)
    assert [(q.id, q.answer, q.by, q.at) for q in new.questions] == [
        *[("xq1", "2027-02-15", BY, AT), ("xq2", "", "", "")],
        *[("xq3", "Rà soát", BY, AT), ("xq4", "same-day", BY, AT)],
    ]
    assert rules(new, "2a") == [{"due": date(2027, 2, 15)}, QUARTERLY]
    assert [question.id for question in lost(old, new)] == ["q2"]


def test_a_draft_is_read_as_a_plan() -> None:
    """Its faults are told without the lines of a file that nobody sees."""
    draft = made()
    draft.document = "KH.docx"
    assert [task.code for task in as_plan(draft).tasks] == ["1a", "2b"]
    draft.task("1a").lead = []
    assert as_plan(draft, lenient=True).by_code["1a"].lead == ("van-phong",)
    with pytest.raises(FileError, match=r"^KH.docx: nhiệm vụ 1a thiếu `lead`: bộ phận chủ trì$"):
        as_plan(draft)
