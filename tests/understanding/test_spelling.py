"""Tokens, and comparing them with the phrases of a table."""

from __future__ import annotations

import pytest

from reminder.domain.text import normal
from reminder.understanding.spelling import Phrases, tokenise


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("vang", True), ("vâng", True), ("VÂNG", True), ("va\u0302ng", True), ("vắng", False)],
)
def test_marks_may_lack_but_not_differ(typed: str, meant: bool) -> None:
    """“vang” is “vâng” without its marks; “vắng” is another word."""
    table = Phrases({"vâng": True})
    assert bool(table.at(tokenise(normal(typed)), 0)) is meant


def test_the_tone_belongs_to_the_word() -> None:
    """Old and new places of the tone mark are one spelling."""
    table = Phrases({"hòa": 1, "thủy": 2})
    assert table.at(tokenise("hoà"), 0) == (1, 1)
    assert table.at(tokenise("thuỷ"), 0) == (1, 2)


def test_a_marked_phrase_needs_its_marks() -> None:
    """“=đợi” is not read into “doi”, which has too many other meanings."""
    table = Phrases({"=đợi": True})
    assert table.at(tokenise("đợi"), 0)
    assert table.at(tokenise("doi"), 0) is None


def test_the_longest_phrase_wins() -> None:
    """“không vướng” is not “không”."""
    table = Phrases({"không": "no", "không vướng": "fine"})
    assert table.at(tokenise("khong vuong gi"), 0) == (2, "fine")


def test_codes_stay_whole_and_other_digits_part_from_letters() -> None:
    """1dd and 1d9 are one token; xong1c and 3ngày are two."""
    assert [t.text for t in tokenise("1dd 1d9 xong1c 3ngày 80%")] == [
        "1dd", "1d9", "xong", "1c", "3", "ngày", "80", "%",
    ]  # fmt: skip
