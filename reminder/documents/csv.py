"""CSV files (RFC 4180) for spreadsheets, without formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from reminder.domain.text import normal, squeeze

BOM = "\ufeff"  # without it Excel does not recognise UTF-8
# A spreadsheet takes a cell that begins with one of these for a formula (OWASP, “CSV Injection”). A
# tab or line end before them would do the same; `squeeze` removes those.
_FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
Cell = str | int


def written(cell: Cell) -> Cell:
    """`cell` as written: text on one line without control characters, “'” before a formula."""
    if isinstance(cell, int):
        return cell
    text = squeeze(normal(cell))
    return f"'{text}" if text.startswith(_FORMULAS) else text


def csv_file(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The file: UTF-8 with a byte order mark, fields separated by commas, lines ended by CR LF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(headings)
    writer.writerows([written(cell) for cell in row] for row in rows)
    return (BOM + out.getvalue()).encode()
