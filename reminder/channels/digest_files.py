"""What comes with a digest by mail: each plan as a workbook."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from reminder.channels.context import Context
from reminder.core.plan import Plan

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbooks(
    context: Context, plans: Iterable[Plan], day: date
) -> tuple[tuple[str, str, bytes], ...]:
    """(file name, media type, content) of each of `plans`, as it stands on `day`."""
    # xlsxwriter is loaded once a week, not at each start.
    from reminder.documents.workbook import workbook

    return tuple(
        (
            f"theo-doi-ke-hoach-{plan.year}_{day:%Y-%m-%d}.xlsx",
            XLSX,
            workbook(plan, context.states, context.scheduler, day),
        )
        for plan in plans
    )
