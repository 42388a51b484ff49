"""`reminder plan import`, `review` and `accept`: a document becomes a plan."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reminder.cli import app
from reminder.cli.drafting import read_draft
from reminder.domain.errors import FileError, ReminderError
from reminder.domain.plan import Plan, occurrences
from reminder.files.plan import load_plan
from reminder.importing.draft import Draft
from tests.conftest import ROOT

CASES = ROOT / "tests/importing/cases"
PLAN_2024 = CASES / "ke-hoach-2024.txt"
BY = ("--by", "Chị Lan, Văn phòng")


def run(*arguments: object, typed: str | None = None) -> str:
    """The output of a command that succeeds."""
    given = [str(argument) for argument in arguments]
    result = CliRunner().invoke(app, given, input=typed, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(autouse=True)
def _office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of an office with last year's plan."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    shutil.copy(ROOT / "data/plan2024.toml", "data")


def questions(draft: Draft, *kinds: str) -> Iterable[str]:
    return [q.id for q in draft.questions if not q.answer and q.kind in kinds]


def days(plan: Plan) -> dict[str, list[date | None]]:
    """The due days of each task."""
    found: dict[str, list[date | None]] = {task.code: [] for task in plan.tasks}
    for occurrence in occurrences(plan):
        found[occurrence.key.task].append(occurrence.due)
    return {code: sorted(of_task, key=str) for code, of_task in found.items()}


def test_a_document_becomes_a_draft_and_a_page() -> None:
    """No running plan is changed; the counts are printed, and stand on the page."""
    shutil.copy(CASES / "d01-tiet-kiem.docx", "KH-2026.docx")
    lines = run("plan", "import", "KH-2026.docx").splitlines()
    assert lines[0] == "Kế hoạch Thực hành tiết kiệm, chống lãng phí năm 2026"
    assert lines[1].startswith("10 việc: ")
    draft = "data/plan2026.draft"
    written = f"Đã ghi bản nháp {draft}.toml, và trang để soát {draft}.html"
    assert lines[2:] == [
        f"{written}: mở bằng trình duyệt hoặc in ra.",
        f"Tiếp theo: reminder plan review {draft}.toml",
    ]
    page = Path("data/plan2026.draft.html").read_text("utf-8")
    assert lines[1] in page
    assert "Chậm nhất ngày 31/12/2025" in page
    assert "kế hoạch cải cách hành chính năm 2024" in run("plan", "check").casefold()


def test_a_document_without_a_year_or_without_work() -> None:
    """The year may be given; a text that names no work is no plan."""
    text = "KẾ HOẠCH\n1. Rà soát hộ nghèo\n- Chủ trì: Văn phòng\n- Thời gian: Quý I\n"
    Path("kh.txt").write_text(text, "utf-8")
    run("plan", "import", "kh.txt", "-o", "kh.draft.toml", "--year", "2027")
    draft = read_draft(Path("kh.draft.toml"))
    assert (draft.year, [task.deliverables[0].rule for task in draft.tasks]) == (
        2027,
        [{"within": "Q1"}],
    )
    Path("tho.txt").write_text("Hôm nay trời đẹp năm 2027.\n", "utf-8")
    with pytest.raises(ReminderError, match="không thấy việc nào"):
        run("plan", "import", "tho.txt", "-o", "tho.draft.toml")
    assert not Path("tho.draft.toml").exists()


def test_a_draft_that_is_there_is_kept() -> None:
    """Reading the document again needs --again; a draft is never named like a running plan."""
    document = CASES / "d01-tiet-kiem.docx"
    run("plan", "import", document)
    before = Path("data/plan2026.draft.toml").read_bytes()
    with pytest.raises(ReminderError, match="--again"):
        run("plan", "import", document)
    with pytest.raises(ReminderError, match="đang chạy"):
        run("plan", "import", document, "-o", "data/plan2026.toml")
    with pytest.raises(ReminderError, match=r"đuôi \.toml"):
        run("plan", "import", document, "-o", "nhap.txt")
    assert Path("data/plan2026.draft.toml").read_bytes() == before
    assert sorted(path.name for path in Path("data").iterdir()) == [
        *["plan2024.toml", "plan2026.draft.html", "plan2026.draft.toml"],
    ]


def test_questions_are_asked_and_saved_one_by_one() -> None:
    """A number chooses, Enter leaves for later, a stop stops; who answered is kept."""
    run("plan", "import", PLAN_2024, "-o", "kh.draft.toml")
    still = [q.id for q in read_draft(Path("kh.draft.toml")).questions]
    shown = run("plan", "review", "kh.draft.toml", *BY, typed="\n1\nhôm nào đó\n.\n")
    answered = [q for q in read_draft(Path("kh.draft.toml")).questions if q.answer]
    assert [(q.by, bool(q.at)) for q in answered] == [("Chị Lan, Văn phòng", True)]
    assert f"[3/{len(still)}]" in shown
    assert f"[4/{len(still)}]" not in shown
    assert f"Còn {len(still) - 1} câu hỏi" in shown
    assert "Chị Lan" in Path("kh.draft.html").read_text("utf-8")


def test_an_answer_needs_a_name() -> None:
    """Without a terminal it is an option; a wrong answer saves nothing."""
    run("plan", "import", CASES / "d01-tiet-kiem.docx", "-o", "kh.draft.toml")
    before = Path("kh.draft.toml").read_bytes()
    with pytest.raises(ReminderError, match="ghi ai trả lời"):
        run("plan", "review", "kh.draft.toml", "--answer", "q1=yes")
    for answer, why in (("q1", "MÃ=TRẢ-LỜI"), ("q999=yes", "không có câu hỏi")):
        with pytest.raises(ReminderError, match=why):
            run("plan", "review", "kh.draft.toml", *BY, "--answer", answer)
    assert Path("kh.draft.toml").read_bytes() == before


def test_no_plan_while_something_has_to_be_answered() -> None:
    """Slips of OCR: nothing is written, and each is told."""
    run("plan", "import", CASES / "d04-dan-so-ocr.txt", "-o", "kh.draft.toml")
    slips = questions(read_draft(Path("kh.draft.toml")), "ocr")
    assert slips
    with pytest.raises(ReminderError) as refused:
        run("plan", "accept", "kh.draft.toml", "-o", "data/plan2026.toml")
    assert all(f"  {slip}: " in str(refused.value) for slip in slips)
    assert not Path("data/plan2026.toml").exists()
    given = [part for slip in slips for part in ("--answer", f"{slip}=yes")]
    run("plan", "review", "kh.draft.toml", *BY, *given)
    shown = run("plan", "accept", "kh.draft.toml", "-o", "data/plan2026.toml")
    assert "So với Kế hoạch cải cách hành chính năm 2024:" in shown
    assert "Đã ghi data/plan2026.toml: 10 việc." in shown
    assert len(load_plan(Path("data/plan2026.toml")).tasks) == 10


def test_no_plan_is_overwritten_unasked() -> None:
    """Without a terminal --yes says so."""
    run("plan", "import", CASES / "d01-tiet-kiem.docx", "-o", "kh.draft.toml")
    Path("plan2026.toml").write_text("cũ", "utf-8")
    with pytest.raises(ReminderError, match="--yes"):
        run("plan", "accept", "kh.draft.toml", "-o", "plan2026.toml")
    assert Path("plan2026.toml").read_text("utf-8") == "cũ"
    run("plan", "accept", "kh.draft.toml", "-o", "plan2026.toml", "--yes")
    assert tomllib.loads(Path("plan2026.toml").read_text("utf-8"))["plan"]["year"] == 2026


def test_a_changed_document_keeps_the_answers_of_what_stayed() -> None:
    """What changed is asked again and told as a diff; both orders of the arguments do."""
    text = (CASES / "d04-dan-so-ocr.txt").read_text("utf-8")
    Path("kh.txt").write_text(text, "utf-8")
    run("plan", "import", "kh.txt", "-o", "kh.draft.toml")
    slips = list(questions(read_draft(Path("kh.draft.toml")), "ocr"))
    given = [part for slip in slips for part in ("--answer", f"{slip}=yes")]
    run("plan", "review", "kh.draft.toml", *BY, *given)
    shown = run("plan", "import", "kh.txt", "--again", "kh.draft.toml")
    assert f"Giữ {len(slips)} câu trả lời; 0 câu phải hỏi lại" in shown
    assert "Các việc không có gì thay đổi." in shown
    Path("kh2.txt").write_text(text.replace("25 hàng tháng", "20 hàng tháng"), "utf-8")
    shown = run("plan", "import", "--again", "kh2.txt", "kh.draft.toml")
    assert f"Giữ {len(slips)} câu trả lời" in shown
    assert "So với bản nháp trước:" in shown
    assert "dời 2" in shown
    assert read_draft(Path("kh.draft.toml")).document == "kh2.txt"


def test_last_years_plan_gives_units_and_titles() -> None:
    """Units that it has are known; it has the office and the leaders."""
    run("plan", "import", PLAN_2024, "-o", "kh.draft.toml", "--like", "data/plan2024.toml")
    draft, plan = read_draft(Path("kh.draft.toml")), load_plan(Path("data/plan2024.toml"))
    assert (draft.office, draft.leaders) == (plan.office, plan.leaders)
    assert {unit.id for unit in plan.units} <= {unit.id for unit in draft.units}


@pytest.mark.parametrize("text", ["", "[plan]\n", "x =", '[plan]\nid = 1\ntitle = "a"\n'])
def test_what_is_no_draft(text: str) -> None:
    """Refused in a sentence."""
    Path("kh.draft.toml").write_text(text, "utf-8")
    for command in (("review", *BY), ("accept", "-o", "plan2027.toml")):
        with pytest.raises((ReminderError, FileError)):
            run("plan", command[0], "kh.draft.toml", *command[1:])


def test_a_draft_that_was_edited_in_word() -> None:
    """Each line as it should read; as a plan it is told to be a draft yet."""
    run("plan", "import", CASES / "d01-tiet-kiem.docx", "-o", "kh.draft.toml")
    path = Path("kh.draft.toml")
    with pytest.raises(FileError, match="tệp này còn là bản nháp: gõ reminder plan review"):
        load_plan(path)
    path.write_text(path.read_text("utf-8").replace('code = "1a"', "code = “1a”"), "utf-8")
    with pytest.raises(FileError) as caught:
        run("plan", "review", "kh.draft.toml", *BY)
    assert [problem.message for problem in caught.value.problems] == [
        'dấu nháy cong của Word; viết: code = "1a"'
    ]


ANSWERS_2024 = {
    ("1đ", 1): "awaiting",
    ("1đ", 2): "check-in",
    ("2a", 1): "yes",
    ("2a", 2): "check-in",
    ("2b", 1): "yes",
    ("2b", 2): "check-in",
    ("2c", 1): "yes",
    ("2g", 1): "awaiting",
    ("3", 1): "check-in",
    ("4b", 1): "31/01",
    ("5b", 1): "check-in",
    ("6a", 1): "yes",
    ("6a", 2): "check-in",
    ("BC", 1): "15/3, 15/9",
    ("BC", 2): "15/6",
    ("BC", 3): "15/12",
}


def test_the_plan_of_2024_from_its_own_document() -> None:
    """With its own questions answered: the tasks and the due days of data/plan2024.toml."""
    run("plan", "import", PLAN_2024, "-o", "kh.draft.toml")
    draft = read_draft(Path("kh.draft.toml"))
    given: list[str] = []
    for question in draft.questions:
        answer = "yes" if question.kind == "title" else "new"
        if question.kind == "date":
            answer = ANSWERS_2024[question.task, question.deliverable]
        given += ["--answer", f"{question.id}={answer}"]
    run("plan", "review", "kh.draft.toml", *BY, *given)
    run("plan", "accept", "kh.draft.toml", "-o", "plan2024.toml")
    made, written = (load_plan(Path(p)) for p in ("plan2024.toml", "data/plan2024.toml"))
    assert days(made) == days(written)
    names = {unit.id: unit.name for unit in made.units}
    for task in made.tasks:
        leads = [names[unit].casefold().removesuffix(" phường") for unit in task.lead]
        known = {unit.id: unit.name for unit in written.units}
        wanted = [known[unit].casefold() for unit in written.by_code[task.code].lead]
        assert sorted(leads) == sorted(wanted), task.code


def test_two_documents_of_one_year_become_two_plans() -> None:
    """Each file's plan has an id of its own, and keeps it when it is written again."""
    for name in ("d01-tiet-kiem", "d02-pccc"):
        run("plan", "import", CASES / f"{name}.docx", "-o", f"{name}.draft.toml")
    for name, out in (("d01-tiet-kiem", "plan2026"), ("d02-pccc", "pccc"), ("d02-pccc", "pccc")):
        run("plan", "accept", f"{name}.draft.toml", "-o", f"data/{out}.toml", "--yes")
    found = [load_plan(Path(f"data/{name}.toml")).id for name in ("plan2026", "pccc")]
    assert found == ["kh-2026", "pccc"]


def test_another_document_is_no_newer_version() -> None:
    run("plan", "import", CASES / "d01-tiet-kiem.docx", "-o", "kh.draft.toml")
    with pytest.raises(ReminderError, match=r"không có việc nào của kh\.draft\.toml"):
        run("plan", "import", CASES / "d02-pccc.docx", "--again", "kh.draft.toml")
