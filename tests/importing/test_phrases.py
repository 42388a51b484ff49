"""Time phrases of office plans."""

from __future__ import annotations

from datetime import date

from reminder.importing.phrases import Kind, Part, Status, find, read


def test_a_day_before_which_work_is_due_is_not_included() -> None:
    """“Trước ngày 15/6” is due on the 14th, and “chậm nhất 15/6” on the 15th."""
    before = read("Trước ngày 15/6/2026", 2026)
    assert before.parts == (
        Part(kind=Kind.DATE, status=Status.LITERAL, due=(date(2026, 6, 14),), op="before"),
    )
    assert read("chậm nhất 15/6", 2026).parts[0].due == (date(2026, 6, 15),)


def test_time_phrases_are_found_in_prose() -> None:
    """A year alone, a paper's number and somebody's schedule are none."""
    text = "Văn phòng trình kế hoạch năm 2027 theo Nghị định 15/2026 trước ngày 15/02/2027, gửi Sở."
    assert [text[f.start : f.end] for f in find(text, 2027)] == ["trước ngày 15/02/2027"]
