"""The work that a message costs grows as its length does, and has a bound: no clock is read here.

What is counted is calls of functions, Python's and C's, which is the same on every machine. In
seconds it was measured by hand: see reminder.understanding.errors.MAX_TOKENS.
"""

from __future__ import annotations

import sys
from typing import Any

import pytest

from reminder.understanding import errors
from reminder.understanding.lexer import _spellings
from reminder.understanding.model import CommandError, Meaning
from reminder.understanding.parse import parse
from reminder.understanding.spelling import tokenise, tokens
from tests.understanding.commands_kit import OFFICE, TODAY, replying

# What it runs is covered elsewhere, and much repeated here.
pytestmark = [pytest.mark.no_cover, pytest.mark.thorough]
PIECES = [
    *("1a,", "xong ", "1", "đ", "đđđ ", "1c, ", "1a-", "/", "\n", "/xong 1c\n", "\n/", "12/QĐ-"),
    *("12/QĐ-UBND ", "?", "(", "tháng ", "0/0/", "1/1/", "1.", "a\u0300", "1c xong; 1d chưa\n"),
    *("1a-6a ", "1a đến 6a, ", "1c 05/02 ", "quý I ", "còn lại ", "không phải 1c mà 1d ", "dạ "),
    *("@nhac_bot ", "1c: abc\n", "/update 1a abc; ", "việc 3 ", "phần 2 ", "tháng 1, ", "1d 1, "),
    *("nhưng ", "trình ký 1c ", "gia hạn 1c ", "🎉", "\u200b", "tư pháp ", "2024-", "1c1d", "t2 "),
    *("em ", "cho ", "a-", "số ", "2024/1c ", "1c đã ", "thứ hai ", "em bc ", "\ufdfa", "ngày "),
]  # fmt: skip
REPLY = replying("1c", "1d")


def work(text: str, meaning: Meaning) -> int:
    """How many functions are called to read `text`."""
    calls = 0
    for kept in (_spellings, tokenise, tokens):  # made anew for each, long or short
        kept.cache_clear()

    def counted(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        parse(text, TODAY, meaning)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("meaning", [OFFICE, REPLY], ids=["new", "reply"])
def test_twice_the_text_is_twice_the_work(piece: str, meaning: Meaning) -> None:
    """And no more than a tenth above it, beside what every message costs."""
    short, long = piece * 30, piece * 60
    parse(long, TODAY, meaning)  # what is kept of words that came before
    assert work(long, meaning) <= 2.2 * work(short, meaning) + work("xong", meaning)


@pytest.mark.parametrize("piece", PIECES)
def test_a_text_is_read_or_refused_as_too_long(piece: str) -> None:
    """By characters, by words and signs, or by codes; refused texts change nothing and are told."""
    within = parse((piece * 5000)[: errors.MAX_CHARS], TODAY, OFFICE)
    beyond = parse(piece * 10_000, TODAY, OFFICE)
    assert isinstance(beyond, CommandError)
    assert beyond.say.endswith("Anh/chị gửi thành vài tin ngắn hơn.")
    assert within


def test_the_bounds_are_told_apart() -> None:
    """A page of prose passes; each bound has words of its own."""
    prose = "Ủy ban nhân dân phường đã tiếp nhận và giải quyết hồ sơ của công dân, tổ chức. "
    assert not isinstance(parse("ghi chú 1c " + prose * 51, TODAY, OFFICE), CommandError)
    said = [
        parse(text, TODAY, OFFICE)
        for text in (
            "x" * 4097,
            "x " * (errors.MAX_TOKENS + 1),
            "xong 1c, " * (errors.MAX_CODES + 1),
        )
    ]
    assert [each.say.partition(" nên")[0] for each in said if isinstance(each, CommandError)] == [
        "Tin dài quá 4.096 ký tự",
        "Tin có hơn 1.100 chữ và dấu",
        "Tin nêu quá nhiều mã việc",
    ]
