"""Spreadsheets: the workbook of a plan (.xlsx) with the figures of its units, and CSV files.

All text is written as text, so that a title such as “=1+1” is never run as a formula.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING

from reminder.domain import digest
from reminder.domain.calendar import local_day, vn_date
from reminder.domain.digest import closed_in_time, parts_of
from reminder.domain.ledger import State
from reminder.domain.plan import Key, Plan
from reminder.domain.schedule import Scheduler
from reminder.domain.text import normal, one_line

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

LONGEST = 32_767  # UTF-16 units that Excel takes in a cell
BOM = "\ufeff"  # without it Excel does not recognise UTF-8
# A spreadsheet takes a cell that begins with one of these for a formula (OWASP, “CSV Injection”). A
# tab or line end before them would do the same; `squeeze` removes those.
_FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_BEFORE_FORMULA = re.compile(rf"(^|;[\s\"]*)(?=[{re.escape(''.join(_FORMULAS))}])")
Cell = str | int | date | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list; widths are in digits of the default font, as Excel counts them."""

    heading: str
    width: float
    centred: bool = False


COLUMNS = (
    Column("STT", 5, centred=True),
    Column("Mã", 5, centred=True),
    Column("Nhiệm vụ", 26),
    Column("Sản phẩm", 22),
    Column("Kỳ", 9),
    Column("Chủ trì", 12),
    Column("Phối hợp", 11),
    Column("Hạn", 10.5, centred=True),
    Column("Hạn gốc", 10.5, centred=True),
    Column("Về hạn", 13),
    Column("Tình trạng", 14),
    Column("Ngày xong", 10.5, centred=True),
    Column("Số, ký hiệu", 14),
    Column("Ghi chú", 26),
)


def written(text: str) -> str:
    """Return `text` without control characters, cut to what Excel takes in a cell."""
    units = normal(text).strip().encode("utf-16-le")
    return units[: 2 * LONGEST].decode("utf-16-le", errors="ignore")


def row(plan: Plan, state: State, scheduler: Scheduler, day: date) -> list[Cell]:
    """Return the cells of `state` in the order of COLUMNS, without the row's number."""
    occurrence = state.occurrence
    return [
        occurrence.task.code,
        occurrence.task.title,
        occurrence.deliverable.product,
        occurrence.period_name,
        unit_names(plan, occurrence.task.lead),
        unit_names(plan, occurrence.task.support),
        state.due,
        occurrence.due if occurrence.due != state.due else None,
        about_due(state),
        standing_words(state, scheduler, day),
        local_day(state.closed.at) if state.closed else None,
        "; ".join(state.papers),
        _notes(plan, state),
    ]


def unit_names(plan: Plan, units: Sequence[str]) -> str:
    return ", ".join(plan.by_unit[unit].label for unit in units)


def about_due(state: State) -> str:
    """Return “gia hạn từ 31/01”, “hạn dự kiến”, and an undecided request."""
    said = []
    original, due, deliverable = state.occurrence.due, state.due, state.occurrence.deliverable
    if times := deliverable.times_words:
        said.append(times)
    if deliverable.event and due is None:
        said.append(deliverable.event.words)
    if state.assumed:
        said.append("hạn dự kiến")
    elif due is not None and original is None:
        said.append("Văn phòng đặt hạn")
    elif due is not None and original is not None and due != original:
        was = vn_date(original, year=original.year != due.year)
        said.append(f"{'gia hạn' if due > original else 'dời'} từ {was}")
    if state.request is not None and not state.closed:
        until = f" đến {vn_date(state.request.until)}" if state.request.until else ""
        said.append(f"xin gia hạn{until}, chờ quyết")
    return "; ".join(said)


def _notes(plan: Plan, state: State) -> str:
    """Return one line each: the closed parts of shared work, the check-in's text, notes."""
    lines = []
    if state.parts and not state.closed:
        parts = (
            f"{unit_names(plan, [unit])} {vn_date(local_day(event.at))}"
            for unit, event in state.parts.items()
        )
        lines.append(f"Đã báo xong: {', '.join(parts)}")
    said = [*state.parts.values(), *state.notes]
    lines += [
        f"{vn_date(local_day(event.at))}: {event.note}"
        for event in sorted(said, key=lambda event: event.at)
        if event.note
    ]
    return "\n".join(lines)


class Standing(StrEnum):
    """The state of an occurrence as one of seven; the values are the words of the column."""

    DONE = "Xong đúng hạn"
    DONE_LATE = "Xong quá hạn"
    SIGNING = "Chờ ký"  # a unit has handed it in for signature, late or not
    LATE = "Quá hạn"
    OPEN = "Đang mở"
    AHEAD = "Chưa đến kỳ"  # its period has not begun
    AWAITING = "Chưa có hạn"


def standing(state: State, scheduler: Scheduler, day: date) -> Standing:
    """Return the state of an occurrence on `day`."""
    if state.closed:
        return Standing.DONE if closed_in_time(state, scheduler) else Standing.DONE_LATE
    if state.submitted:
        return Standing.SIGNING
    if state.due is None:
        return Standing.AWAITING
    if scheduler.days_late(state, day):
        return Standing.LATE
    return Standing.OPEN if state.occurrence.opens <= day else Standing.AHEAD


def standing_words(state: State, scheduler: Scheduler, day: date) -> str:
    """Return `standing` with how late: “Quá hạn 3 ngày làm việc”."""
    found = standing(state, scheduler, day)
    until = local_day(state.closed.at) if state.closed else day
    late = scheduler.days_late(state, until)
    if not late:
        return found.value
    joint = ", quá hạn" if found is Standing.SIGNING else ""
    return f"{found.value}{joint} {late} ngày làm việc"


FIGURES = (
    "Bộ phận", "Tổng số", "Xong đúng hạn", "Xong quá hạn", "Đang mở", "trong đó quá hạn",
    "trong đó chờ ký", "trong đó chưa có hạn", "Chưa đến kỳ",
)  # fmt: skip


def figures(
    plan: Plan, states: Sequence[State], scheduler: Scheduler, day: date
) -> list[tuple[str, list[int]]]:
    """Return a row for each unit that leads anything, and one for the whole plan.

    A unit's row counts its own parts: a unit that has done its part of shared work is not late.
    """
    of_units = [(unit.name, parts_of(states, unit.id)) for unit in plan.units]
    rows = []
    for name, mine in [*(each for each in of_units if each[1]), ("Cả kế hoạch", list(states))]:
        found = digest.figures(mine, scheduler, day)
        ahead = len(mine) - found.in_time - found.done_late - found.open
        rows.append((name, [len(mine), *astuple(found), ahead]))
    return rows


FOOTER = 80  # characters of the title in the footer; Excel takes 255 for the whole footer
A4 = 9  # Excel's number of the paper size
LINE, HIGHEST = 15.0, 405.0  # points: a line of text, and the highest row that Excel takes
DENSITY = 1.2  # small letters of 11 points in a column's unit of width
CAPITAL = 1.25  # the width of a capital in small letters
HEAD = 3  # the row of the headings, counted from 0
FROZEN = 3  # columns that don't scroll: number, code, task
NAME_WIDTH = 30  # of the units' names in the figures
FILLS: Mapping[Standing, str] = {
    Standing.DONE: "#C6E7CE",
    Standing.DONE_LATE: "#E3EBC2",
    Standing.SIGNING: "#CFE2F7",
    Standing.LATE: "#F8C9C4",
    Standing.OPEN: "#FFF0BF",
    Standing.AHEAD: "#FFFFFF",
    Standing.AWAITING: "#E4DFEC",
}
BASE = {"font_name": "Times New Roman", "font_size": 11, "valign": "top"}
GRID = {**BASE, "border": 1, "border_color": "#B7B7B7"}
TEXT = {**GRID, "text_wrap": True}
NOTES = (  # below the figures
    "Việc có nhiều bộ phận chủ trì được tính cho từng bộ phận, và tính một lần ở dòng cuối.",
    "“Đang mở” ở bảng này gồm cả việc quá hạn, chờ ký và chưa có hạn.",
)
STANDING = [column.heading for column in COLUMNS].index("Tình trạng")


def workbook(plan: Plan, states: Mapping[Key, State], scheduler: Scheduler, day: date) -> bytes:
    """Return the .xlsx of `plan` on `day`; the same bytes for the same arguments.

    `states` may contain other plans' states. CalendarError if the calendar lacks a year.
    """
    # Importing xlsxwriter takes 60 ms.
    from xlsxwriter import Workbook

    mine = [state for key, state in states.items() if key.plan == plan.id]
    target = io.BytesIO()
    book = Workbook(
        target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties(
        {
            "title": written(plan.title),
            "subject": "Theo dõi thực hiện kế hoạch",
            "comments": f"Số liệu đến ngày {vn_date(day, year=True)}",
            "created": datetime.combine(day, time(), UTC),
        }
    )
    sheets = _Sheets(book, plan, day)
    _list(sheets, mine, scheduler)
    _summary(sheets, mine, scheduler)
    book.close()
    return target.getvalue()


class _Sheets:
    """The workbook's formats, and what its sheets have in common."""

    def __init__(self, book: Workbook, plan: Plan, day: date) -> None:
        self.book, self.plan, self.day = book, plan, day
        middle = {"align": "center"}
        self.title = book.add_format({**BASE, "font_size": 14, "bold": True})
        self.plain = book.add_format({**BASE, "italic": True})
        self.head = book.add_format(
            {**GRID, **middle, "bold": True, "text_wrap": True, "valign": "vcenter",
             "bg_color": "#1F4E79", "font_color": "#FFFFFF"}
        )  # fmt: skip
        self.text = book.add_format(TEXT)
        # quote_prefix keeps a text a text when the cell is edited.
        self.quoted = book.add_format({**TEXT, "quote_prefix": True})
        self.centred = book.add_format({**GRID, **middle})
        self.date = book.add_format({**GRID, **middle, "num_format": "dd/mm/yyyy"})
        self.total = book.add_format({**GRID, "bold": True, "bg_color": "#EDEDED"})
        self.total_number = book.add_format({**GRID, **middle, "bold": True, "bg_color": "#EDEDED"})

    def add(self, name: str, headings: Sequence[str], frozen: int) -> Worksheet:
        """Add a sheet with its title and headings; the `frozen` first columns don't scroll."""
        sheet = self.book.add_worksheet(name)
        title, until = written(self.plan.title), vn_date(self.day, year=True)
        sheet.write_string(0, 0, title, self.title)
        sheet.write_string(1, 0, f"Số liệu đến ngày {until}", self.plain)
        for place, heading in enumerate(headings):
            sheet.write_string(HEAD, place, heading, self.head)
        sheet.set_row(HEAD, 32)
        sheet.freeze_panes(HEAD + 1, frozen)
        sheet.set_landscape()
        sheet.set_paper(A4)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(HEAD)
        name = title[:FOOTER].replace("&", "&&")
        sheet.set_footer(f"&L{name}&CTrang &P/&N&RSố liệu đến {until}")
        return sheet

    def put(self, sheet: Worksheet, at: tuple[int, int], cell: Cell, text: Format) -> None:
        """Write `cell` by its type; a text never as a formula, a link or a number."""
        match cell:
            case None | "":
                sheet.write_blank(*at, None, text)
            case date():
                sheet.write_datetime(*at, cell, self.date)
            case int():
                sheet.write_number(*at, cell, self.centred)
            case str():
                kept = written(cell)
                style = self.quoted if kept.startswith(_FORMULAS) else text
                sheet.write_string(*at, kept, style)


def _list(sheets: _Sheets, states: Sequence[State], scheduler: Scheduler) -> None:
    book, day = sheets.book, sheets.day
    sheet = sheets.add("Theo dõi", [column.heading for column in COLUMNS], FROZEN)
    coloured = {
        each: book.add_format({**TEXT, "bg_color": colour}) for each, colour in FILLS.items()
    }
    for number, column in enumerate(COLUMNS):
        sheet.set_column(number, number, column.width)
    for number, state in enumerate(states, start=1):
        cells = [number, *row(sheets.plan, state, scheduler, day)]
        sheet.set_row(HEAD + number, _height(cells, [column.width for column in COLUMNS]))
        for place, cell in enumerate(cells):
            style = sheets.centred if COLUMNS[place].centred else sheets.text
            if place == STANDING:
                style = coloured[standing(state, scheduler, day)]
            sheets.put(sheet, (HEAD + number, place), cell, style)
    last = HEAD + max(1, len(states))
    # These colours follow an edited text; previews show the cells' own. The format of a conditional
    # rule may not have a font.
    for each, colour in FILLS.items():
        sheet.conditional_format(
            HEAD + 1, STANDING, last, STANDING,
            {"type": "text", "criteria": "begins with", "value": each.value,
             "format": book.add_format({"bg_color": colour}), "stop_if_true": True},
        )  # fmt: skip
    sheet.autofilter(HEAD, 0, last, len(COLUMNS) - 1)
    # A task's code may be “3”, which Excel would mark as a number stored as text.
    sheet.ignore_errors({"number_stored_as_text": f"B{HEAD + 2}:B{last + 1}"})


def _height(cells: Sequence[Cell], widths: Sequence[float]) -> float:
    """Return a row's height in points; LibreOffice does not adjust it to wrapped text."""
    lines = [
        sum(_lines(line, width * DENSITY) for line in written(cell).split("\n"))
        for cell, width in zip(cells, widths, strict=True)
        if isinstance(cell, str)
    ]
    return min(HIGHEST, LINE * max(lines, default=1))


def _lines(text: str, room: float) -> int:
    """Return the number of lines of `text`, wrapped between words at `room` small letters."""
    lines, used = 1, 0.0
    for word in text.split():
        size = sum(CAPITAL if char.isupper() else 1 for char in word)
        if used and used + 1 + size > room:
            lines, used = lines + 1, 0.0
        used += size + bool(used)
        while used > room:  # a word that is longer than a line
            lines, used = lines + 1, used - room
    return lines


def _summary(sheets: _Sheets, states: Sequence[State], scheduler: Scheduler) -> None:
    sheet = sheets.add("Tổng hợp", FIGURES, 1)
    sheet.set_column(0, 0, NAME_WIDTH)
    sheet.set_column(1, len(FIGURES) - 1, 13)
    lines = figures(sheets.plan, states, scheduler, sheets.day)
    last = HEAD + len(lines)
    for number, (name, counts) in enumerate(lines, start=HEAD + 1):
        sheet.set_row(number, _height([name], [NAME_WIDTH]))
        sheets.put(sheet, (number, 0), name, sheets.total if number == last else sheets.text)
        style = sheets.total_number if number == last else sheets.centred
        for place, count in enumerate(counts, start=1):
            sheet.write_number(number, place, count, style)
    for number, note in enumerate(NOTES, start=last + 2):
        sheet.write_string(number, 0, note, sheets.plain)


def _csv_cell(cell: str | int) -> str | int:
    """Return `cell` as written: text on one line without control characters, “'” before a formula.

    Where Excel's list separator is a semicolon, what stands behind one is a cell of its own.
    """
    if isinstance(cell, int):
        return cell
    return _BEFORE_FORMULA.sub(r"\1'", one_line(normal(cell)))


def csv_file(headings: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    """Return a CSV file (RFC 4180) without formulas: UTF-8 with a BOM, texts in quotes."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(headings)
    writer.writerows([_csv_cell(cell) for cell in row] for row in rows)
    return (BOM + out.getvalue()).encode()


def table_file(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a workbook of one table, all of it text."""
    from xlsxwriter import Workbook

    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = Workbook(target, options)
    sheet = book.add_worksheet()
    text = book.add_format({**TEXT, "num_format": "@"})
    head = book.add_format({**GRID, "bold": True})
    widths = [len(heading) for heading in headings]
    for place, heading in enumerate(headings):
        sheet.write_string(0, place, heading, head)
    for number, row in enumerate(rows, start=1):
        for place, cell in enumerate(row):
            sheet.write_string(number, place, written(cell), text)
            widths[place] = max(widths[place], min(len(cell), 50))
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width + 2)
    sheet.freeze_panes(1, 0)
    book.close()
    return target.getvalue()
