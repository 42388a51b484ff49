"""`reminder ics`: a unit's year as a calendar file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reminder import bootstrap
from reminder.cli import options
from reminder.core.errors import ReminderError
from reminder.documents.calendar_file import unit_calendar, unit_dues

EXAMPLE = "Example: reminder ics --unit tu-phap -o tu-phap.ics"


def ics(
    unit: Annotated[
        str, typer.Option("--unit", metavar="UNIT", help="The unit, by its id: tu-phap.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")
    ],
    config: options.Config = None,
) -> None:
    """Write a unit's due days as an .ics file, for Google Calendar, Outlook or Thunderbird.

    Each event keeps its name (UID) in every such file: when dates have moved, import a new file,
    and a program that goes by names moves the events that are there.
    """
    with bootstrap.office(config) as office:
        options.unit(unit, office.plans)
        name = office.office.units[unit].name
        dues = unit_dues(office.plans, office.states, unit)
        if not dues:
            raise ReminderError(
                f"{name} ({unit}) không chủ trì việc nào có hạn: không có gì để ghi"
            )
        made = unit_calendar(office.plans, office.states, office.scheduler, unit, office.now)
        undated = sum(
            s.awaiting and not s.closed and unit in s.occurrence.task.lead
            for s in office.states.values()
        )
    try:
        output.write_bytes(made)
    except OSError as error:
        raise ReminderError(f"không ghi được {output}: {error.strerror or error}") from error
    rest = f"; {undated} việc chưa có hạn nên không có trong lịch" if undated else ""
    print(f"Đã ghi {output}: {len(dues)} hạn của {name}{rest}.")
