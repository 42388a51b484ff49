"""Tables for spreadsheets: a plan's list, the figures of its units, and CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import date
from enum import StrEnum

from reminder.domain.calendar import local_day, vn_date
from reminder.domain.digest import closed_in_time
from reminder.domain.digest import figures as count
from reminder.domain.ledger import Event, State
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.domain.text import normal, one_line

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


def closed_by(state: State, unit: str) -> Event | None:
    """The event that closed the part of `unit`; None while that is open."""
    return state.parts.get(unit, state.closed)


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
    rows = [
        (unit.name, _counts(mine, scheduler, day))
        for unit in plan.units
        if (mine := [_part(s, unit.id) for s in states if unit.id in s.occurrence.task.lead])
    ]
    return [*rows, ("Cả kế hoạch", _counts(states, scheduler, day))]


def _part(state: State, unit: str) -> State:
    """`state` reduced to the part of `unit`."""
    submitted = state.submitted if state.awaits_signature(unit) else {}
    return replace(state, closed=closed_by(state, unit), submitted=submitted)


def _counts(states: Sequence[State], scheduler: Scheduler, day: date) -> list[int]:
    """The total, and the figures of the weekly digest; the last is neither closed nor begun."""
    found = count(states, scheduler, day)
    begun = found.in_time + found.done_late + found.open
    return [len(states), *astuple(found), len(states) - begun]


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
