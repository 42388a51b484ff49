"""`reminder digest`, `report`, `ics`: what the office reads, prints and puts into its calendar.

Templates, Word and calendar libraries take up to a third of a second to load: only the command that
needs one does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminder.app import bootstrap
from reminder.cli import options
from reminder.cli.options import Config, day_option, option
from reminder.domain.calendar import instant, local, local_day, vn_date, vn_weekday
from reminder.domain.digest import digest_day, speaking
from reminder.domain.errors import ReminderError
from reminder.files.toml import write_file

if TYPE_CHECKING:
    from reminder.domain.outbox import Outbound, Row
    from reminder.services.office import Office
    from reminder.store.store import Store

WEEK = timedelta(days=7)
DIGEST_EXAMPLE = (
    "Ví dụ: reminder digest --week 2024-02-05 --html tong-hop.html --xlsx ke-hoach.xlsx"
)


def digest(
    week: Annotated[
        date | None, day_option("Của tuần có ngày này, lúc đầu tuần. [bây giờ]")
    ] = None,
    send: Annotated[bool, typer.Option("--send", help="Gửi cho Văn phòng ngay.")] = False,
    text: Annotated[
        bool, typer.Option("--text", help="In ra màn hình. [khi không xin dạng khác]")
    ] = False,
    html: Annotated[Path | None, option("TỆP", "Ghi thành trang HTML như trong thư.")] = None,
    xlsx: Annotated[Path | None, option("TỆP", "Ghi bảng theo dõi kế hoạch (Excel).")] = None,
    config: Config = None,
) -> None:
    """Xem bản tổng hợp tuần: số liệu, việc quá hạn, việc sắp tới, điều Văn phòng cần quyết.

    Tính từ sổ ghi, nên tuần đã qua hiện đúng những gì biết lúc ấy. --send chỉ gửi một lần mỗi
    ngày; máy đang chạy sẽ gửi đi.
    """
    if send and week is not None:
        raise ReminderError("--send gửi bản tổng hợp lúc này: xin bỏ --week")
    with bootstrap.office(config) as opened:
        office, at, head = _asked(opened.office, opened.store, week, opened.now)
        _say_nobody(office, fatal=send)
        if send:
            bootstrap.need_served(opened.store)
            from reminder.services import tick

            rows = tick.send_by_hand(opened.office, opened.store, opened.now)
            print(_sent(rows, opened.now))
        if xlsx:
            _write_workbooks(office, at, xlsx)
        if html or text or not (send or xlsx):
            from reminder.files.calendar import holiday_name
            from reminder.messages.rows import RowRenderer
            from reminder.services.status import health

            found = health(office, opened.store, at, head=head)
            renderer = RowRenderer(holiday_name)
            message = renderer.digest(office, at, found, mailed=False, attached=False)
            if html:
                _write_page(message, html, at)
            if text or not (html or send or xlsx):
                print(message.text)  # last: its reader may be `head`


def _asked(
    office: Office, store: Store, week: date | None, now: datetime
) -> tuple[Office, datetime, tuple[int, str]]:
    """Return the office at the time asked for, that time, and the head of its ledger.

    ReminderError if no plan has a digest for it.
    """
    day = week or local_day(now)
    plans = sorted(office.plans, key=lambda plan: plan.year)
    if not plans:
        raise ReminderError("chưa có kế hoạch nào để tổng hợp")
    last_day = office.scheduler.policy.last_day
    if not any(p.first_day - WEEK < day < last_day(p) + WEEK for p in plans):
        raise ReminderError(_no_plan(office, day))
    at: datetime | None = now
    if week is not None:
        first = digest_day(office.scheduler, week)  # the week's first working day
        at = instant(first, office.scheduler.policy.digest) if first else None
    if not speaking(plans, office.scheduler, local_day(at) if at else day):
        raise ReminderError(_no_plan(office, day))
    if at is None:
        raise ReminderError(
            f"tuần có ngày {vn_date(day, year=True)} không có ngày làm việc nào, "
            "nên không có bản tổng hợp"
        )
    if at > now:
        print("Tuần này chưa tới: số liệu như sổ ghi lúc này.", file=sys.stderr)
    recorded = [r for r in store.events() if r.event.at < at]
    head = (recorded[-1].number, recorded[-1].hash) if recorded else (0, "")
    return replace(office, events=tuple(r.event for r in recorded)), at, head


def _no_plan(office: Office, day: date) -> str:
    """Return why there is no digest: before the first plan, after the last one, or in between."""
    week = f"ngày {vn_date(day, year=True)}"
    coming = [plan for plan in office.plans if plan.first_day > day]
    if coming:
        first = min(coming, key=lambda plan: plan.year)
        begins = vn_date(first.first_day, year=True)
        return f"{week}: {first.title} bắt đầu từ {begins}, trước đó chưa có gì để tổng hợp"
    last = max(office.plans, key=lambda plan: plan.year)
    end = vn_date(office.scheduler.policy.last_day(last), year=True)
    return (
        f"{week}: {last.title} được theo dõi đến hết {end}, sau đó không có gì để tổng hợp; "
        f"xem lại một tuần cũ: --week {last.last_day - timedelta(days=29)}"
    )


def _say_nobody(office: Office, *, fatal: bool) -> None:
    """Say that an office has no people, so that nobody gets the digest."""
    from reminder.services import tick

    empty = tick.empty_offices(office)
    if not empty:
        return
    names = ", ".join(f"{office.units[unit].name} ({unit})" for unit in empty)
    sentence = f"bản tổng hợp không tới ai: {names} chưa có người trong people.toml"
    if fatal and set(empty) == office.offices:
        raise ReminderError(sentence)
    print(f"Lưu ý: {sentence}", file=sys.stderr)


def _sent(rows: Sequence[Row], now: datetime) -> str:
    """Return who gets it, and the state of each row."""
    from reminder.domain.outbox import STATE_WORDS, RowState

    lines = [f"Bản tổng hợp gửi tay ngày {vn_date(local_day(now), year=True)}:"]
    for row in sorted(rows, key=lambda row: row.id):
        draft = row.draft
        lines.append(f"  {draft.recipient} ({draft.channel}): {STATE_WORDS[row.state]}")
    if any(row.state is RowState.PENDING for row in rows):
        lines.append("`reminder run` đang chạy sẽ gửi trong vòng một phút.")
    if dead := [row.id for row in rows if row.state is RowState.DEAD]:
        lines.append(f"Gửi lại: reminder outbox retry {dead[0]}")
    return "\n".join(lines)


def _write_page(message: Outbound, path: Path, at: datetime) -> None:
    """Write the mail as a page for a browser."""
    from reminder.messages.compose import with_footer

    here = local(at)
    day = f"{vn_weekday(here.date())} {vn_date(here.date(), year=True)}"
    footer = f"Bản tổng hợp của máy nhắc việc, số liệu lúc {here:%H:%M} {day}."
    footed = with_footer(message, footer)
    write_file(path, footed.mail_html.encode())
    print(f"Đã ghi {path}")


def _write_workbooks(office: Office, at: datetime, path: Path) -> None:
    """Write one file for each plan; with several plans the names get their years."""
    from reminder.messages.digest import workbooks
    from reminder.messages.rows import RowRenderer

    renderer = RowRenderer()
    context = renderer.context(office, at)
    made = workbooks(context, speaking(office.plans, context.scheduler, context.today),
                     context.today)  # fmt: skip
    for name, _, content in made:
        year = name.removeprefix("theo-doi-ke-hoach-")[:4]
        target = path if len(made) == 1 else path.with_stem(f"{path.stem}-{year}")
        write_file(target, content)
        print(f"Đã ghi {target}")


REPORT_EXAMPLE = "Ví dụ: reminder report --period 2024-Q1 -o bao-cao.docx"


def report(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="TỆP", help="Tệp .docx sẽ ghi.")
    ],
    period: Annotated[
        str | None, option("KỲ", "2024-Q1, 2024-H1, 2024-Q3 hoặc 2024. [kỳ đang phải báo cáo]")
    ] = None,
    day: Annotated[date | None, day_option("Theo sổ ghi đến hết ngày này. [hôm nay]")] = None,
    config: Config = None,
) -> None:
    """Dự thảo báo cáo của cơ quan theo thể thức NĐ 30/2020; số, ngày, chữ ký để trống.

    Số liệu đến ngày chốt của nghị định (ngày 14 của tháng cuối kỳ) hoặc đến hôm nay, tùy ngày nào
    trước. Tên cơ quan, người ký ghi ở [report] trong tệp cài đặt.
    """
    from reminder.documents.report import docx
    from reminder.domain.report import draft_report, find_report

    with bootstrap.office(config) as opened:
        office, today = opened.office, local_day(opened.now)
    at = day or today
    if at > today:
        raise ReminderError(
            f"--day {vn_date(at, year=True)} chưa đến: số liệu chỉ có đến hôm nay, "
            f"{vn_date(today, year=True)}"
        )
    plan, found = find_report(office.plans, office.states, period, at)
    made = draft_report(plan, office.events, office.scheduler, found, at)
    write_file(output, docx(made, office.files.letterhead))
    print(
        f"Dự thảo báo cáo {made.name}, số liệu đến ngày {vn_date(made.last, year=True)}: {output}"
    )


ICS_EXAMPLE = "Ví dụ: reminder ics --unit tu-phap -o tu-phap.ics"


def ics(
    unit: Annotated[str, typer.Option("--unit", metavar="BỘ-PHẬN", help="Mã bộ phận: tu-phap.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="TỆP", help="Tệp .ics sẽ ghi.")],
    config: Config = None,
) -> None:
    """Ghi các hạn của một bộ phận thành tệp .ics cho Google Calendar, Outlook hoặc Thunderbird.

    Mỗi hạn giữ nguyên mã (UID) trong mọi tệp: khi hạn đổi thì nhập tệp mới, phần mềm lịch nào
    theo mã sẽ dời đúng mục đã có.
    """
    from reminder.documents.ics import unit_calendar, unit_dues

    with bootstrap.office(config) as opened:
        office = opened.office
        options.unit(unit, office.plans)
        name = office.units[unit].name
        dues = unit_dues(office.plans, office.states, unit)
        if not dues:
            raise ReminderError(
                f"{name} ({unit}) không chủ trì việc nào có hạn: không có gì để ghi"
            )
        made = unit_calendar(office.plans, office.states, office.scheduler, unit, opened.now)
        undated = sum(
            s.due is None and not s.closed and unit in s.occurrence.task.lead
            for s in office.states.values()
        )
    write_file(output, made)
    rest = f"; {undated} việc chưa có hạn nên không có trong lịch" if undated else ""
    print(f"Đã ghi {output}: {len(dues)} hạn của {name}{rest}.")
