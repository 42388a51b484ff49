"""What comes with a digest by mail: each plan as a workbook."""

from __future__ import annotations

from reminder.channels.context import Context
from reminder.core.digest import Digest

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbooks(context: Context, found: Digest) -> tuple[tuple[str, str, bytes], ...]:
    """(file name, media type, content) of each plan of the digest."""
    # xlsxwriter is loaded once a week, not at each start.
    from reminder.documents.workbook import workbook

    return tuple(
        (
            f"theo-doi-ke-hoach-{plan.year}-{found.day:%d-%m}.xlsx",
            XLSX,
            workbook(plan, context.states, context.scheduler, found.day),
        )
        for plan in found.plans
    )
