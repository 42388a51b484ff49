"""`reminder ics` and `reminder report`: files for a calendar and for Word."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reminder.app import bootstrap
from reminder.cli import options
from reminder.cli.options import Config
from reminder.cli.options import day as day_of
from reminder.documents.ics import unit_calendar, unit_dues
from reminder.domain.errors import ReminderError
from reminder.domain.periods import vn_date
from reminder.domain.report import draft_report
from reminder.domain.report_periods import current_report, find_report
from reminder.domain.schedule import local_day

REPORT_EXAMPLE = "Ví dụ: reminder report --period 2024-Q1 -o bao-cao.docx"


def report(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="TỆP", help="Tệp .docx sẽ ghi.")
    ],
    period: Annotated[
        str | None,
        typer.Option(
            metavar="KỲ",
            help="2024-Q1, 2024-H1, 2024-Q3 hoặc 2024. [kỳ đang phải báo cáo]",
        ),
    ] = None,
    day: Annotated[
        str | None,
        typer.Option(metavar="NGÀY", help="Theo sổ ghi đến hết ngày này. [hôm nay]"),
    ] = None,
    config: Config = None,
) -> None:
    """Dự thảo báo cáo của cơ quan theo thể thức NĐ 30/2020; số, ngày, chữ ký để trống.

    Số liệu đến ngày chốt của nghị định (ngày 14 của tháng cuối kỳ) hoặc đến hôm nay, tùy ngày nào
    trước. Tên cơ quan, người ký ghi ở [report] trong tệp cài đặt.
    """
    with bootstrap.office(config) as office:
        files, events, states = office.office.files, office.events, office.states
        plans, today = office.plans, local_day(office.now)
    at = day_of(day) if day else today
    if at > today:
        raise ReminderError(
            f"--day {vn_date(at, year=True)} chưa đến: số liệu chỉ có đến hôm nay, "
            f"{vn_date(today, year=True)}"
        )
    wanted = (
        find_report(plans, period, at) if period is not None else current_report(plans, states, at)
    )
    made = draft_report(wanted.plan, events, files.scheduler, wanted.period, at)
    # python-docx takes 0.2 s to load: only what is sure to be written waits for it.
    from reminder.documents.report import docx

    _write(output, docx(made, files.letterhead))
    print(
        f"Dự thảo báo cáo {made.name}, số liệu đến ngày {vn_date(made.last, year=True)}: {output}"
    )


def _write(path: Path, content: bytes) -> None:
    """Replace the file atomically."""
    if path.is_dir():
        raise ReminderError(f"{path}: là một thư mục; ghi tên tệp, ví dụ -o bao-cao.docx")
    half = path.with_name(f".{path.name}.part")
    try:
        half.write_bytes(content)
        half.replace(path)
    except OSError as error:
        half.unlink(missing_ok=True)
        why = error.strerror or type(error).__name__
        raise ReminderError(f"{path}: không ghi được tệp báo cáo ({why})") from None


ICS_EXAMPLE = "Ví dụ: reminder ics --unit tu-phap -o tu-phap.ics"


def ics(
    unit: Annotated[str, typer.Option("--unit", metavar="BỘ-PHẬN", help="Mã bộ phận: tu-phap.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="TỆP", help="Tệp .ics sẽ ghi.")],
    config: options.Config = None,
) -> None:
    """Ghi các hạn của một bộ phận thành tệp .ics cho Google Calendar, Outlook hoặc Thunderbird.

    Mỗi hạn giữ nguyên mã (UID) trong mọi tệp: khi hạn đổi thì nhập tệp mới, phần mềm lịch nào
    theo mã sẽ dời đúng mục đã có.
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
