"""The workbook, reopened by a library that did not write it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from io import BytesIO
from zipfile import ZipFile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from reminder.documents.workbook import (
    COLUMNS,
    FILLS,
    LONGEST,
    about_due,
    standing,
    standing_words,
    workbook,
    written,
)
from reminder.domain.ledger import Event, EventKind, State, fold, initial
from reminder.domain.plan import Key, Plan, occurrences
from reminder.domain.schedule import Scheduler
from tests.conftest import examples
from tests.messages.office import at, documented, done, key, said

DAY = date(2024, 3, 8)
NASTY = (
    "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "{=A1}", "http://x.example", "<b>&amp;",
    "'=1", "mailto:a@b.example", "\t=1+1",
)  # fmt: skip
STORY = (
    done(at("2024-01-30"), key("1c"), "tu-phap", evidence="12/QĐ-UBND"),
    said(EventKind.SUBMITTED, at("2024-02-19"), key("1d"), "tu-phap", by="an"),
    said(
        EventKind.EXTENSION_ASKED, at("2024-02-22"), key("1d", 2), "tu-phap", until=date(2024, 3, 8)
    ),
    said(EventKind.DUE_SET, at("2024-02-01"), key("4b"), "van-phong", until=date(2024, 2, 16)),
    done(at("2024-02-20"), key("4b"), "tai-chinh-ke-toan", evidence="15/QĐ"),
    said(EventKind.DUE_SET, at("2024-02-01"), key("5a"), "van-phong", until=date(2024, 9, 15)),
    done(at("2024-02-01"), key("2c", 1, "2024-01"), "tu-phap", evidence="7/TP"),
    done(at("2024-01-31"), key("2c", 1, "2024-01"), "van-phong", evidence="05/BC"),
    said(
        EventKind.UPDATED, at("2024-03-07"), key("1a", 1, "2024-Q1"), "tu-phap", note="03 văn bản"
    ),
    said(EventKind.NOTED, at("2024-03-08"), key("1a", 1, "2024-Q1"), "tu-phap", note="đủ hồ sơ"),
)


def states(plan: Plan, events: tuple[Event, ...] = STORY) -> dict[Key, State]:
    return fold(occurrences(plan), events)


def book(plan: Plan, scheduler: Scheduler, events: tuple[Event, ...] = STORY) -> Workbook:
    """The workbook as openpyxl reads it; formulas stay formulas."""
    return load_workbook(BytesIO(workbook(plan, states(plan, events), scheduler, DAY)))


def rows(sheet: Worksheet) -> list[list[object]]:
    """All cells from the headings on; days as days."""
    return [
        [value.date() if isinstance(value, datetime) else value for value in row]
        for row in sheet.iter_rows(min_row=4, values_only=True)
    ]


def titled(plan: Plan, title: str) -> Plan:
    """`plan` with `title` wherever a person's words stand."""
    return replace(
        plan,
        title=title,
        units=tuple(replace(unit, name=title, short=title) for unit in plan.units),
        tasks=tuple(
            replace(
                task,
                title=title,
                deliverables=tuple(replace(d, product=title) for d in task.deliverables),
            )
            for task in plan.tasks
        ),
    )


def test_a_row_tells_all_of_an_occurrence(plan2024: Plan, scheduler: Scheduler) -> None:
    """Every occurrence in the plan's order; days are days, what is unknown is empty."""
    head, *body = rows(book(plan2024, scheduler)["Theo dõi"])
    assert head == [column.heading for column in COLUMNS]
    assert [(row[0], row[1]) for row in body] == [
        (number, o.task.code) for number, o in enumerate(occurrences(plan2024), start=1)
    ]
    found = {(row[1], row[3], row[4]): row[5:] for row in body}
    none = None
    assert found["1c", "Quyết định công bố Danh mục", "năm 2024"] == [
        "Tư pháp", none, date(2024, 1, 31), none, none, "Xong đúng hạn", date(2024, 1, 30),
        "12/QĐ-UBND", none,
    ]  # fmt: skip
    assert found["1a", "VBQPPL ban hành đúng thẩm quyền, trình tự", "quý I"] == [
        "Tư pháp", none, date(2024, 3, 10), none, "hạn dự kiến", "Xong đúng hạn",
        date(2024, 3, 7), none, "07/3: 03 văn bản\n08/3: đủ hồ sơ",
    ]  # fmt: skip
    first, second = (row[5:] for row in body if row[1] == "1d")
    assert first == [
        "Tư pháp, Văn phòng", none, date(2024, 2, 20), none, none,
        "Chờ ký, quá hạn 13 ngày làm việc", none, none, none,
    ]  # fmt: skip
    assert second == [
        "Tư pháp, Văn phòng", none, date(2024, 3, 1), none, "xin gia hạn đến 08/3, chờ quyết",
        "Quá hạn 5 ngày làm việc", none, none, none,
    ]  # fmt: skip
    (moved,) = (row[5:] for row in body if row[1] == "4b")
    assert moved == [
        "TCKT", none, date(2024, 2, 16), date(2024, 1, 31), "gia hạn từ 31/01",
        "Xong quá hạn 2 ngày làm việc", date(2024, 2, 20), "15/QĐ", none,
    ]  # fmt: skip
    (settled,) = (row[7:11] for row in body if row[1] == "5a")
    assert settled == [date(2024, 9, 15), none, "Văn phòng đặt hạn", "Đang mở"]
    shared = next(row[5:] for row in body if row[1] == "2c")
    assert shared == [
        "Văn phòng, Tư pháp, VHXH, Địa chính", none, date(2024, 1, 31), none, none,
        "Quá hạn 22 ngày làm việc", none, "7/TP; 05/BC",
        "Đã báo xong: Tư pháp 01/02, Văn phòng 31/01",
    ]  # fmt: skip
    (awaiting,) = (row[5:] for row in body if row[1] == "2g")
    assert awaiting == ["Tư pháp", none, none, none, none, "Chưa có hạn", none, none, none]


def test_a_row_tells_what_a_date_waits_for() -> None:
    """The event, and how often in a period."""
    states = {s.key: s for s in map(initial, occurrences(documented()))}
    assert [about_due(states[key(*of)]) for of in (("2g",), ("1a", 1, "2024-Q1"))] == [
        "trong 05 ngày làm việc kể từ khi nhận",
        "02 lần mỗi quý; hạn dự kiến",
    ]


def test_days_are_written_as_days(plan2024: Plan, scheduler: Scheduler) -> None:
    """A date's cell is a number with a date's format: filters and sums of Excel know it."""
    sheet = book(plan2024, scheduler)["Theo dõi"]
    for column in ("H", "I", "L"):
        for cell in sheet[column][4:]:
            assert cell.value is None or (cell.is_date and cell.number_format == "dd/mm/yyyy")


def test_it_opens_ready_to_work_with(plan2024: Plan, scheduler: Scheduler) -> None:
    """Head and first columns stay in sight, each column filters, pages are A4 across."""
    sheet = book(plan2024, scheduler)["Theo dõi"]
    last = 4 + len(occurrences(plan2024))
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("D5", f"A4:N{last}")
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert sheet.sheet_properties.pageSetUpPr is not None
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (None, 0)  # 1 by default
    assert sheet.oddFooter is not None
    assert sheet.oddFooter.center is not None
    assert (sheet.print_title_rows, sheet.oddFooter.center.text) == ("$4:$4", "Trang &P/&N")
    assert all(sheet[f"{column}5"].alignment.wrap_text for column in "CDN")


def test_colours_follow_the_standing(plan2024: Plan, scheduler: Scheduler) -> None:
    """Each cell of the column has its standing's colour, and so has what somebody types there."""
    sheet = book(plan2024, scheduler)["Theo dõi"]
    kept = states(plan2024)
    told = {
        (str(cell.value), cell.fill.fgColor.rgb)
        for cell in sheet["K"][4:]
        if cell.value is not None
    }
    assert told == {
        (
            standing_words(state, scheduler, DAY),
            "FF" + FILLS[standing(state, scheduler, DAY)].removeprefix("#"),
        )
        for state in kept.values()
    }
    (ruled,) = sheet.conditional_formatting
    assert str(ruled.sqref) == f"K5:K{4 + len(kept)}"
    assert {rule.text: "#" + rule.dxf.fill.bgColor.rgb[2:] for rule in ruled.rules if rule.dxf} == {
        each.value: colour for each, colour in FILLS.items()
    }


@pytest.mark.parametrize("title", NASTY)
def test_nothing_that_people_write_runs(title: str, plan2024: Plan, scheduler: Scheduler) -> None:
    """No formula and no link in the whole file; the text stands there as it was written."""
    events = (
        done(at("2024-01-30"), key("1c"), "tu-phap", evidence=title),
        said(EventKind.NOTED, at("2024-01-30"), key("1d"), "tu-phap", note=title),
    )
    data = workbook(
        titled(plan2024, title), states(titled(plan2024, title), events), scheduler, DAY
    )
    reopened = load_workbook(BytesIO(data))
    for sheet in reopened:
        for line in sheet.iter_rows():
            assert all(cell.data_type in ("s", "n", "d") and not cell.hyperlink for cell in line)
    cell = reopened["Theo dõi"]["C5"]
    assert cell.value == written(title) == title.strip()
    assert bool(cell.quotePrefix) == (title.strip()[0] in "=+-@")  # stays a text when edited
    with ZipFile(BytesIO(data)) as parts:
        sheets = [parts.read(n) for n in parts.namelist() if n.startswith("xl/worksheets/")]
    assert not any(b"<f>" in text.replace(b"<formula>", b"") for text in sheets)


@settings(max_examples=examples(25))
@given(st.text())
@example("\x00a\x0bb\ufffe")
@example("_x0041_")
@example("\ud800x")
@example("a" * 40_000)
@example("😀" * 20_000)
def test_any_text_fits_a_cell(plan2024: Plan, scheduler: Scheduler, text: str) -> None:
    """Whatever stands in a note, Excel's limits hold, and another library reads the same."""
    fitting = written(text)
    assert len(fitting.encode("utf-16-le")) <= 2 * LONGEST
    few = replace(plan2024, tasks=plan2024.tasks[2:3])
    noted = (done(at("2024-01-30"), key("1c"), "tu-phap", evidence=text),)
    sheet = load_workbook(BytesIO(workbook(few, states(few, noted), scheduler, DAY)))["Theo dõi"]
    assert (sheet["M5"].value or "") == fitting


def test_the_same_plan_gives_the_same_bytes(plan2024: Plan, scheduler: Scheduler) -> None:
    """Nothing of the hour or the machine is in the file; its date is the day it tells of."""
    first, second = (workbook(plan2024, states(plan2024), scheduler, DAY) for _ in range(2))
    assert first == second
    properties = load_workbook(BytesIO(first)).properties
    assert properties.created is not None
    assert (properties.title, properties.created.date()) == (plan2024.title, DAY)


def test_the_figures_of_the_units(plan2024: Plan, scheduler: Scheduler) -> None:
    """Counted by hand for 08/3/2024: a unit's own parts; shared work once in the last line."""
    head, *body = (r for r in rows(book(plan2024, scheduler)["Tổng hợp"]) if r[1] is not None)
    assert head == [
        "Bộ phận", "Tổng số", "Xong đúng hạn", "Xong quá hạn", "Đang mở", "trong đó quá hạn",
        "trong đó chờ ký", "trong đó chưa có hạn", "Chưa đến kỳ",
    ]  # fmt: skip
    assert body == [
        ["Văn phòng", 63, 1, 0, 21, 3, 1, 0, 41],
        ["Tư pháp", 33, 2, 1, 9, 3, 1, 2, 21],
        ["Tài chính - Kế toán", 2, 0, 1, 1, 0, 0, 0, 0],
        ["Văn hóa - Xã hội", 12, 0, 0, 3, 2, 0, 0, 9],
        ["Địa chính - Xây dựng", 12, 0, 0, 3, 2, 0, 0, 9],
        ["Văn hóa - Thông tin", 9, 0, 0, 3, 0, 0, 0, 6],
        ["Cả kế hoạch", 89, 2, 1, 30, 4, 1, 2, 56],
    ]


def test_rows_are_as_high_as_their_longest_text(plan2024: Plan, scheduler: Scheduler) -> None:
    """A long name of a unit is wrapped and stands in full, in the list and in the figures.

    Not every program adjusts the height of a row, so it is in the file; capitals are wider.
    """
    small = "Ban quản lý dự án đầu tư xây dựng và phát triển quỹ đất"
    heights = []
    for name in ("Tư pháp", small, small.upper()):
        units = tuple(replace(u, name=name, short="") for u in plan2024.units)
        made = book(replace(plan2024, units=units), scheduler)
        heights.append([made[s].row_dimensions[5].height for s in ("Theo dõi", "Tổng hợp")])
    assert heights == [[30, None], [60, 30], [75, 30]]


def test_only_this_plans_occurrences(plan2024: Plan, scheduler: Scheduler) -> None:
    """Of two plans that run at once each has its own workbook."""
    other = replace(plan2024, id="khac")
    both = states(plan2024) | states(other, ())
    assert workbook(plan2024, both, scheduler, DAY) == workbook(
        plan2024, states(plan2024), scheduler, DAY
    )
