"""The normal form of Vietnamese text."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.text import MOST_MARKS, composed, fold, normal, one_line


def test_look_alikes_and_invisible_signs() -> None:
    """Eth is đ; zero-width signs and controls are gone; fold leaves plain ASCII."""
    assert normal("1\u00d0\u200b\x00 \u00f0") == "1Đ  đ"
    assert fold("Đã Hoàn thành") == "da hoan thanh"


MARKS = st.sampled_from("\u0300\u0323\u0327\u0344")


@given(st.lists(st.sampled_from("aơ đ\n中") | MARKS, max_size=MOST_MARKS).map("".join))
def test_a_text_is_composed(text: str) -> None:
    """In NFC, where no letter has more marks than any language writes."""
    assert composed(text) == unicodedata.normalize("NFC", text)


@given(st.lists(MARKS, min_size=MOST_MARKS).map("".join), st.lists(MARKS).map("".join))
def test_of_marks_in_a_row_the_first_ones_stay(row: str, more: str) -> None:
    """Each row begins anew at a letter."""
    few = row[:MOST_MARKS]
    assert composed(f"a{row}{more}b{row}") == unicodedata.normalize("NFC", f"a{few}b{few}")


@given(st.text(max_size=500))
def test_any_text_becomes_one_clean_line(text: str) -> None:
    """No line end, no control character, no mark that turns the line's direction; and stable."""
    line = one_line(text, 300)
    assert len(line) <= 300
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in line)
    assert one_line(line, 300) == line
    line.encode()  # no lone surrogate
