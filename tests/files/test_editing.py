"""A plan's text is changed line by line: only what was changed differs."""

from __future__ import annotations

import difflib
import tomllib
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.domain.text import one_line
from reminder.files.editing import Editor, NotEditableError
from reminder.files.plan import load_plan
from reminder.files.toml import Text
from tests.conftest import ROOT, examples

PLAN = (ROOT / "data/plan2024.toml").read_text(encoding="utf-8")


def changed(old: str, new: str) -> list[str]:
    """The lines that came and went."""
    found = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
    return [line for line in found if not line.startswith(("---", "+++", "@@"))]


def test_a_key_is_changed_added_and_removed_in_its_place() -> None:
    """Its comment and its indent stay."""
    editor = Editor(PLAN)
    editor.set(("plan",), {"office": "tu-phap"})
    rule = {"due": date(2024, 2, 15), "before": True, "phrase": "15/2"}
    editor.set(("task", 2, "deliverable", 0), rule)
    editor.set(("task", 0), {"support": ["van-phong"]})
    editor.set(("task", 0, "deliverable", 0), {"assumed": None, "times": None})
    assert changed(PLAN, editor.text) == [
        '-office = "van-phong"  # bộ phận theo dõi kế hoạch',
        '+office = "tu-phap"  # bộ phận theo dõi kế hoạch',
        '+support = ["van-phong"]',
        "-  assumed = true",
        '-  phrase = "Chậm nhất 31/01/2024"',
        "-  due = 2024-01-31",
        '+  phrase = "15/2"',
        "+  due = 2024-02-15",
        "+  before = true",
    ]


def test_a_task_is_removed_with_its_products_and_nothing_else() -> None:
    editor = Editor(PLAN)
    editor.remove(("task", 2))
    gone = changed(PLAN, editor.text)
    assert {line[0] for line in gone} == {"-"}
    before, after = (load_plan(Text("plan", text)) for text in (PLAN, editor.text))
    assert after.tasks == tuple(task for task in before.tasks if task.code != "1c")


def test_a_task_a_product_and_a_unit_are_added_behind_others() -> None:
    editor = Editor(PLAN)
    values = {"code": "1x", "title": "Việc <b>mới</b>", "section": "1", "lead": ["tu-phap"]}
    task = editor.append(("task",), values, behind=("task", 2))
    product = {"name": "Báo cáo", "product": "Báo cáo", "phrase": "Quý I", "within": "Q1"}
    editor.append((*task, "deliverable"), product)
    editor.append((*task, "deliverable"), {**product, "name": "Quyết định"})
    editor.add(("unit", "mot-cua"), {"name": "Một cửa"}, behind=("unit", "tu-phap"))
    assert {line[:1] for line in changed(PLAN, editor.text)} == {"+"}
    plan = load_plan(Text("plan", editor.text))
    assert [t.code for t in plan.tasks[:5]] == ["1a", "1b", "1c", "1x", "1d"]
    assert [d.name for d in plan.by_code["1x"].deliverables] == ["Báo cáo", "Quyết định"]
    assert [u.id for u in plan.units[:3]] == ["van-phong", "tu-phap", "mot-cua"]


def test_a_list_is_begun_in_an_empty_text() -> None:
    editor = Editor("")
    editor.append(("person",), {"id": "an", "name": "An", "unit": "tu-phap"})
    editor.append(("person",), {"id": "binh", "name": "Bình", "unit": "tu-phap"})
    assert editor.text == (
        '[[person]]\nid = "an"\nname = "An"\nunit = "tu-phap"\n\n'
        '[[person]]\nid = "binh"\nname = "Bình"\nunit = "tu-phap"\n'
    )
    editor.remove(("person", 0))
    editor.remove(("person", 0))
    assert (editor.text.strip(), editor.data) == ("", {})


@pytest.mark.parametrize(
    "text",
    [
        'task = [{ code = "1a", title = "A" }]\n',
        '[[task]]\ncode = "1a"\nnote = """\n[[task]]\ntitle = "B"\n"""\ntitle = "A"\n',
    ],
)
def test_a_text_that_can_not_be_changed_line_by_line_is_left(text: str) -> None:
    """Inline tables, and texts of several lines that look like headers."""
    editor = Editor(text)
    with pytest.raises(NotEditableError):
        editor.set(("task", 0), {"title": "C"})


@settings(max_examples=examples(25), deadline=None)
@given(st.integers(0, 22), st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])))
def test_any_words_come_back_as_they_were_set(task: int, words: str) -> None:
    """And all else of the plan stays as it was."""
    editor = Editor(PLAN)
    editor.set(("task", task), {"title": words})
    wanted = tomllib.loads(PLAN)
    wanted["task"][task]["title"] = one_line(words)
    assert tomllib.loads(editor.text) == wanted
