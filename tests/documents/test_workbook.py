"""The workbook, reopened by a library that did not write it."""

from __future__ import annotations

from datetime import date
from io import BytesIO

from openpyxl import load_workbook

from reminder.core.ledger import fold
from reminder.core.occurrences import occurrences
from reminder.core.plan import Plan
from reminder.core.schedule import Scheduler
from reminder.documents.workbook import workbook

DAY = date(2024, 1, 26)


def test_every_occurrence_has_its_row(plan2024: Plan, scheduler: Scheduler) -> None:
    """The plan's occurrences in the plan's order, below the headings."""
    states = fold(occurrences(plan2024), [])
    sheet = load_workbook(BytesIO(workbook(plan2024, states, scheduler, DAY)))["Theo dõi"]
    codes = [row[1].value for row in sheet.iter_rows(min_row=5)]
    assert codes == [o.task.code for o in occurrences(plan2024)]
