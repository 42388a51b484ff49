"""Days and periods as an office writes them."""

from __future__ import annotations

from datetime import date

import pytest

from reminder.understanding.dates import day_at, days_at, near, period_at
from reminder.understanding.spelling import tokenise

TODAY = date(2024, 1, 30)  # a Tuesday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15/3", date(2024, 3, 15)), ("15-3-2024", date(2024, 3, 15)), ("15.3", date(2024, 3, 15)),
        ("15/9/24", date(2024, 9, 15)), ("2024-03-15", date(2024, 3, 15)), ("30/2", None),
        ("ngày 31 tháng 1", date(2024, 1, 31)), ("31 tháng 1 năm 2025", date(2025, 1, 31)),
        ("mai", date(2024, 1, 31)), ("thứ sáu", date(2024, 2, 2)), ("thu 6", date(2024, 2, 2)),
        ("thứ 6 tuần sau", date(2024, 2, 9)), ("cuối tháng", date(2024, 1, 31)),
        ("hết tháng 2", date(2024, 2, 29)), ("hết quý I", date(2024, 3, 31)),
        ("giữa tháng 3", date(2024, 3, 15)), ("hôm thứ sáu", date(2024, 1, 26)),
    ],
)  # fmt: skip
def test_days(text: str, expected: date | None) -> None:
    """Each form of a day; an impossible one is a day without a date."""
    found = day_at(text, tokenise(text), 0, TODAY)
    assert found is not None
    assert found.value.day == expected


@pytest.mark.parametrize("text", ["12/3/QĐ", "2-3 ngày", "12/QĐ-UBND", "3", "xong"])
def test_no_days(text: str) -> None:
    """A paper's number and a span of days are no dates."""
    assert day_at(text, tokenise(text), 0, TODAY) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tháng 3", "2024-03"), ("thang 03/2025", "2025-03"), ("tháng ba", "2024-03"),
        ("quý I", "2024-Q1"), ("quí 4", "2024-Q4"), ("Q3", "2024-Q3"), ("quý một", "2024-Q1"),
        ("6 tháng đầu năm", "2024-H1"), ("sáu tháng cuối năm", "2024-H2"), ("năm 2024", "2024"),
        ("2024-03", "2024-03"), ("2024-q1", "2024-Q1"), ("03/2024", "2024-03"),
        ("tháng trước", "2023-12"), ("quý này", "2024-Q1"),
    ],
)  # fmt: skip
def test_periods(text: str, expected: str) -> None:
    """Each form of a period, as an identifier."""
    found = period_at(text, tokenise(text), 0, TODAY)
    assert found is not None
    assert found.value == expected


@pytest.mark.parametrize(("text", "days"), [("3 ngày", 3), ("một tuần", 7), ("2-3 ngày", 3)])
def test_spans(text: str, days: int) -> None:
    """A stretch of days; of two numbers the longer."""
    found = days_at(tokenise(text), 0)
    assert found is not None
    assert found.value == days


def test_a_year_is_guessed_near() -> None:
    """More than half a year back means next year; a day just past stays."""
    assert near(15, 3, date(2024, 12, 28)) == date(2025, 3, 15)
    assert near(28, 1, TODAY) == date(2024, 1, 28)
    assert near(29, 2, date(2025, 1, 5)) is None
