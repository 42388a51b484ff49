"""Spreadsheets: the workbook of a plan (.xlsx) with the figures of its units, and CSV files.

All text is written as text, so that a title such as “=1+1” is never run as a formula.
"""

from __future__ import annotations

import csv
import io
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
    """`text` without control characters, cut to what Excel takes in a cell."""
    units = normal(text).strip().encode("utf-16-le")
    return units[: 2 * LONGEST].decode("utf-16-le", errors="ignore")


def row(plan: Plan, state: State, scheduler: Scheduler, day: date) -> list[Cell]:
    """The cells of `state` in the order of COLUMNS, without the row's number."""
    occurrence = state.occurrence
    original = state.original_due
    return [
        occurrence.task.code,
        occurrence.task.title,
        occurrence.deliverable.product,
        occurrence.period.name,
        unit_names(plan, occurrence.task.lead),
        unit_names(plan, occurrence.task.support),
        state.due,
        original if original != state.due else None,
        about_due(state),
        standing_words(state, scheduler, day),
        local_day(state.closed.at) if state.closed else None,
        "; ".join(state.papers),
        _notes(plan, state),
    ]


def unit_names(plan: Plan, units: Sequence[str]) -> str:
    return ", ".join(plan.by_unit[unit].label for unit in units)


def about_due(state: State) -> str:
    """“gia hạn từ 31/01”, “hạn dự kiến”, and an undecided request."""
    said = []
    original, due = state.original_due, state.due
    if state.assumed:
        said.append("hạn dự kiến")
    elif due is not None and original is None:
        said.append("Văn phòng đặt hạn")
    elif due is not None and original is not None and due != original:
        said.append(f"{'gia hạn' if due > original else 'dời'} từ {vn_date(original)}")
    if state.request is not None and not state.closed:
        until = f" đến {vn_date(state.request.until)}" if state.request.until else ""
        said.append(f"xin gia hạn{until}, chờ quyết")
    return "; ".join(said)


def _notes(plan: Plan, state: State) -> str:
    """One line each: the closed parts of shared work, the check-in's text, notes."""
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
    """The state of an occurrence on `day`."""
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
    """`standing` with how late: “Quá hạn 3 ngày làm việc”, “Chờ ký, quá hạn 2 ngày làm việc”."""
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
    """The rows under FIGURES: one for each unit that leads anything, the last for the whole plan.

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
STANDING = [column.heading for column in COLUMNS].index("Tình trạng")


def workbook(plan: Plan, states: Mapping[Key, State], scheduler: Scheduler, day: date) -> bytes:
    """The .xlsx of `plan` on `day`; the same bytes for the same arguments.

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
    styles = Styles(book)
    _list(book, styles, plan, mine, scheduler, day)
    _summary(book, styles, plan, mine, scheduler, day)
    book.close()
    return target.getvalue()


class Styles:
    """The workbook's formats."""

    def __init__(self, book: Workbook) -> None:
        base = {"font_name": "Times New Roman", "font_size": 11, "valign": "top"}
        grid = {**base, "border": 1, "border_color": "#B7B7B7"}
        middle = {"align": "center"}
        self.title = book.add_format({**base, "font_size": 14, "bold": True})
        self.plain = book.add_format({**base, "italic": True})
        self.head = book.add_format(
            {**grid, **middle, "bold": True, "text_wrap": True, "valign": "vcenter",
             "bg_color": "#1F4E79", "font_color": "#FFFFFF"}
        )  # fmt: skip
        self.text = book.add_format({**grid, "text_wrap": True})
        # quote_prefix keeps a text a text when the cell is edited.
        self.quoted = book.add_format({**grid, "text_wrap": True, "quote_prefix": True})
        self.centred = book.add_format({**grid, **middle})
        self.date = book.add_format({**grid, **middle, "num_format": "dd/mm/yyyy"})
        self.total = book.add_format({**grid, "bold": True, "bg_color": "#EDEDED"})
        self.total_number = book.add_format({**grid, **middle, "bold": True, "bg_color": "#EDEDED"})
        self.standing = {
            each: book.add_format({**grid, "text_wrap": True, "bg_color": colour})
            for each, colour in FILLS.items()
        }
        # The format of a conditional rule may not have a font.
        self.rule = {each: book.add_format({"bg_color": colour}) for each, colour in FILLS.items()}


def _put(sheet: Worksheet, at: tuple[int, int], cell: Cell, styles: Styles, text: Format) -> None:
    """Write `cell` by its type; a text never as a formula, a link or a number."""
    match cell:
        case None | "":
            sheet.write_blank(*at, None, text)
        case date():
            sheet.write_datetime(*at, cell, styles.date)
        case int():
            sheet.write_number(*at, cell, styles.centred)
        case str():
            kept = written(cell)
            style = styles.quoted if kept.startswith(_FORMULAS) else text
            sheet.write_string(*at, kept, style)


def _list(
    book: Workbook,
    styles: Styles,
    plan: Plan,
    states: Sequence[State],
    scheduler: Scheduler,
    day: date,
) -> None:
    sheet = book.add_worksheet("Theo dõi")
    _heading(sheet, styles, plan, day, [c.heading for c in COLUMNS])
    for number, column in enumerate(COLUMNS):
        sheet.set_column(number, number, column.width)
    for number, state in enumerate(states, start=1):
        cells = [number, *row(plan, state, scheduler, day)]
        sheet.set_row(HEAD + number, _height(cells, [column.width for column in COLUMNS]))
        for place, cell in enumerate(cells):
            style = styles.centred if COLUMNS[place].centred else styles.text
            if place == STANDING:
                style = styles.standing[standing(state, scheduler, day)]
            _put(sheet, (HEAD + number, place), cell, styles, style)
    last = HEAD + max(1, len(states))
    _colour(sheet, styles, (HEAD + 1, last))
    sheet.autofilter(HEAD, 0, last, len(COLUMNS) - 1)
    sheet.freeze_panes(HEAD + 1, FROZEN)
    # A task's code may be “3”, which Excel would mark as a number stored as text.
    sheet.ignore_errors({"number_stored_as_text": f"B{HEAD + 2}:B{last + 1}"})
    _print_setup(sheet, plan, day)


def _height(cells: Sequence[Cell], widths: Sequence[float]) -> float:
    """The height of a row in points; LibreOffice and previews don't adjust it to wrapped text."""
    lines = [
        sum(_lines(line, width * DENSITY) for line in written(cell).split("\n"))
        for cell, width in zip(cells, widths, strict=True)
        if isinstance(cell, str)
    ]
    return min(HIGHEST, LINE * max(lines, default=1))


def _lines(text: str, room: float) -> int:
    """The number of lines of `text`, wrapped between words at `room` small letters."""
    lines, used = 1, 0.0
    for word in text.split():
        size = sum(CAPITAL if char.isupper() else 1 for char in word)
        if used and used + 1 + size > room:
            lines, used = lines + 1, 0.0
        used += size + bool(used)
        while used > room:  # a word that is longer than a line
            lines, used = lines + 1, used - room
    return lines


def _colour(sheet: Worksheet, styles: Styles, rows: tuple[int, int]) -> None:
    """Conditional colours, which follow an edited text; previews show the cells' own colours."""
    for each in Standing:
        sheet.conditional_format(
            rows[0], STANDING, rows[1], STANDING,
            {"type": "text", "criteria": "begins with", "value": each.value,
             "format": styles.rule[each], "stop_if_true": True},
        )  # fmt: skip


def _heading(
    sheet: Worksheet, styles: Styles, plan: Plan, day: date, headings: Sequence[str]
) -> None:
    sheet.write_string(0, 0, written(plan.title), styles.title)
    told = f"Số liệu đến ngày {vn_date(day, year=True)}"
    sheet.write_string(1, 0, told, styles.plain)
    for place, heading in enumerate(headings):
        sheet.write_string(HEAD, place, heading, styles.head)
    sheet.set_row(HEAD, 32)


def _print_setup(sheet: Worksheet, plan: Plan, day: date) -> None:
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEAD)
    name = written(plan.title)[:FOOTER].replace("&", "&&")
    sheet.set_footer(f"&L{name}&CTrang &P/&N&RSố liệu đến {vn_date(day, year=True)}")


def _summary(
    book: Workbook,
    styles: Styles,
    plan: Plan,
    states: Sequence[State],
    scheduler: Scheduler,
    day: date,
) -> None:
    sheet = book.add_worksheet("Tổng hợp")
    _heading(sheet, styles, plan, day, FIGURES)
    sheet.set_column(0, 0, NAME_WIDTH)
    sheet.set_column(1, len(FIGURES) - 1, 13)
    lines = figures(plan, states, scheduler, day)
    for number, (name, counts) in enumerate(lines, start=HEAD + 1):
        whole = number == HEAD + len(lines)
        sheet.set_row(number, _height([name], [NAME_WIDTH]))
        _put(sheet, (number, 0), name, styles, styles.total if whole else styles.text)
        style = styles.total_number if whole else styles.centred
        for place, count in enumerate(counts, start=1):
            sheet.write_number(number, place, count, style)
    sheet.write_string(
        HEAD + len(lines) + 2,
        0,
        "Việc có nhiều bộ phận chủ trì được tính cho từng bộ phận, và tính một lần ở dòng cuối.",
        styles.plain,
    )
    sheet.write_string(
        HEAD + len(lines) + 3,
        0,
        "“Đang mở” ở bảng này gồm cả việc quá hạn, chờ ký và chưa có hạn.",
        styles.plain,
    )
    sheet.freeze_panes(HEAD + 1, 1)
    _print_setup(sheet, plan, day)


def _csv_cell(cell: str | int) -> str | int:
    """`cell` as written: text on one line without control characters, “'” before a formula."""
    if isinstance(cell, int):
        return cell
    text = one_line(cell)
    return f"'{text}" if text.startswith(_FORMULAS) else text


def csv_file(headings: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    """A CSV file (RFC 4180) without formulas: UTF-8 with a byte order mark, lines end in CR LF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(headings)
    writer.writerows([_csv_cell(cell) for cell in row] for row in rows)
    return (BOM + out.getvalue()).encode()
