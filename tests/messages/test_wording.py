"""What a message says of time is true on the day it is read."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.messages.context import (
    closed_words,
    coming_rest,
    due_words,
    left_words,
    together,
)
from tests.messages.office import at, calendar


@pytest.mark.parametrize(
    ("due", "today", "words"),
    [
        ("2024-01-31", "2024-01-26", "hạn Thứ Tư 31/01, còn 5 ngày (3 ngày làm việc)"),
        ("2024-01-31", "2024-01-30", "hạn Thứ Tư 31/01, còn 1 ngày"),
        ("2024-01-31", "2024-01-31", "hôm nay là hạn"),
        ("2024-01-31", "2024-02-01", "quá hạn 1 ngày làm việc (hạn Thứ Tư 31/01)"),
        ("2024-02-20", "2024-02-07", "hạn Thứ Ba 20/02, còn 13 ngày (4 ngày làm việc)"),
        ("2024-03-31", "2024-03-29", "hôm nay là ngày làm việc cuối cùng trước hạn Chủ Nhật 31/3"),
        ("2024-03-31", "2024-03-28", "hạn Chủ Nhật 31/3, còn 3 ngày (1 ngày làm việc)"),
        ("2024-03-31", "2024-04-01", "hạn Chủ Nhật 31/3, nhận đến hết hôm nay"),
        ("2024-03-31", "2024-04-02", "quá hạn 1 ngày làm việc (hạn Chủ Nhật 31/3)"),
        ("2024-02-10", "2024-02-12", "hạn Thứ Bảy 10/02, nhận đến hết Thứ Năm 15/02"),
        ("2023-12-29", "2024-01-02", "quá hạn 1 ngày làm việc (hạn Thứ Sáu 29/12/2023)"),
    ],
)
def test_a_due_day_as_it_stands_today(due: str, today: str, words: str) -> None:
    """“Hôm nay” only on the day itself; late only after the rolled day; real days to go."""
    said = due_words(date.fromisoformat(due), date.fromisoformat(today), calendar())
    assert said == words


@given(st.dates(date(2023, 6, 1), date(2025, 6, 1)), st.dates(date(2023, 6, 1), date(2025, 6, 1)))
def test_today_is_the_due_day_only_on_the_due_day(due: date, today: date) -> None:
    """The sentence that people act on is never wrong."""
    words = due_words(due, today, calendar())
    assert (words == "hôm nay là hạn") == (due == today)
    assert words.startswith("quá hạn") == (
        calendar().count(calendar().roll_forward(due), today) > 0
    )


def test_working_days_are_named_only_where_they_differ() -> None:
    """Within a plain week one number says it all."""
    assert left_words(date(2024, 1, 25), date(2024, 1, 23), calendar()) == "còn 2 ngày"


@pytest.mark.parametrize(
    ("today", "rest"),
    [
        ("2024-02-07", (date(2024, 2, 8), date(2024, 2, 14))),
        ("2024-02-01", (date(2024, 2, 8), date(2024, 2, 14))),
        ("2024-01-31", None),  # more than a week ahead
        ("2024-02-09", None),  # in the midst of it: it has begun
        ("2024-03-08", None),  # a weekend is no holiday
        ("2024-04-26", (date(2024, 4, 27), date(2024, 5, 1))),
    ],
)
def test_a_long_rest_is_seen_a_week_ahead(today: str, rest: tuple[date, date] | None) -> None:
    """Three days off in a row, starting within seven days."""
    assert coming_rest(date.fromisoformat(today), calendar()) == rest


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2024-01-30", "lúc 09:12 hôm nay, trước hạn 1 ngày"),
        ("2024-01-31", "lúc 09:12 hôm nay, đúng hạn"),
        ("2024-02-05", "lúc 09:12 hôm nay, quá hạn 3 ngày làm việc"),
    ],
)
def test_how_punctual_a_close_was(day: str, words: str) -> None:
    """Counted from the day on which it was closed."""
    today = date.fromisoformat(day)
    assert closed_words(at(day), date(2024, 1, 31), today, calendar()) == words


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["tháng 01", "tháng 02", "tháng 3"], "tháng 01, 02, 3"),
        (["tháng 01"], "tháng 01"),
        (["quý I", "6 tháng đầu năm"], "quý I, 6 tháng đầu năm"),
        ([], ""),
    ],
)
def test_what_periods_share_is_said_once(names: list[str], said: str) -> None:
    """“tháng 01, 02”, as one says it."""
    assert together(names) == said
