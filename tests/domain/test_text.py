"""The normal form of Vietnamese text."""

from __future__ import annotations

from reminder.domain.text import fold, normal


def test_look_alikes_and_invisible_signs() -> None:
    """Eth is đ; zero-width signs and controls are gone; fold leaves plain ASCII."""
    assert normal("1\u00d0\u200b\x00 \u00f0") == "1Đ  đ"
    assert fold("Đã Hoàn thành") == "da hoan thanh"
