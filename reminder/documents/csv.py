"""A table as a CSV file (RFC 4180) that a spreadsheet opens in Vietnamese, and runs nothing of."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from reminder.domain.text import normal, squeeze

BOM = "\ufeff"  # without it Excel takes UTF-8 for the code page of the machine
# What makes a spreadsheet take a cell for a formula (OWASP, “CSV Injection”), in full width too; a
# tab or a line's end before it does the same, and is no longer there.
_FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
Cell = str | int


def written(cell: Cell) -> Cell:
    """`cell` as it stands in the file: on one line, and a text that could be a formula behind “'”.

    Numbers are none. Invisible and control characters are left out.
    """
    if isinstance(cell, int):
        return cell
    text = squeeze(normal(cell))
    return f"'{text}" if text.startswith(_FORMULAS) else text


def csv_file(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with a byte order mark, fields parted by commas, lines ended by CR LF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(headings)
    writer.writerows([written(cell) for cell in row] for row in rows)
    return (BOM + out.getvalue()).encode()
