"""How wide a text is in Times New Roman Bold, for lines that are as long as the text above them."""

from __future__ import annotations

import unicodedata

TWIPS_A_POINT = 20
_USUAL = 500  # figures, and letters that are not listed
# The font's advance widths, in thousandths of the size; a mark does not widen its letter.
_GROUPS = {
    250: " .,",
    278: "il/",
    333: "fjt-;:()",
    389: "Is",
    444: "cerz",
    556: "Sbdhknpquđ",
    611: "FP",
    667: "BELTZ",
    722: "ACDNRUVXYwĐ",
    778: "GHKOQ",
    833: "m",
    944: "M",
    1000: "W…",
}
_WIDTHS = {char: width for width, group in _GROUPS.items() for char in group}


def bold_width(text: str, points: float) -> int:
    """The width of `text` in bold at `points`, in twips."""
    thousandths = sum(
        _WIDTHS.get(char, _USUAL)
        for char in unicodedata.normalize("NFD", text)
        if not unicodedata.combining(char)
    )
    return round(thousandths * points * TWIPS_A_POINT / 1000)
