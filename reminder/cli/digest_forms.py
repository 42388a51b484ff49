"""What `reminder digest` shows and writes: the full text, the mail as a page, the workbooks."""

from __future__ import annotations

from pathlib import Path

from reminder.channels.compose import with_footer
from reminder.channels.digest_files import workbooks
from reminder.channels.rows import RowRenderer
from reminder.cli.digest import Asked
from reminder.core.digest import speaking
from reminder.core.errors import ReminderError
from reminder.core.periods import vn_date, vn_weekday
from reminder.core.workdays import local
from reminder.files.calendar import holiday_name
from reminder.ports import Outbound, Store
from reminder.service.health import health


def rendered(asked: Asked, store: Store) -> Outbound:
    """The digest of that instant, in all forms."""
    office, at = asked.office, asked.at
    found = health(office, store, at, head=asked.head)
    return RowRenderer(holiday_name).digest(office, at, found, mailed=False, attached=False)


def write_page(message: Outbound, path: Path, asked: Asked) -> None:
    """The mail, for a browser."""
    here = local(asked.at)
    day = f"{vn_weekday(here.date())} {vn_date(here.date(), year=True)}"
    footer = f"Bản tổng hợp của máy nhắc việc, số liệu lúc {here:%H:%M} {day}."
    footed = with_footer(message, footer)
    _write(path, footed.mail_html.encode())


def write_workbooks(asked: Asked, path: Path) -> None:
    """One file a plan; of several plans each name gets its year."""
    renderer = RowRenderer()
    context = renderer.context(asked.office, asked.at)
    made = workbooks(context, speaking(asked.office.plans, context.scheduler, context.today),
                     context.today)  # fmt: skip
    for name, _, content in made:
        year = name.removeprefix("theo-doi-ke-hoach-")[:4]
        target = path if len(made) == 1 else path.with_stem(f"{path.stem}-{year}")
        _write(target, content)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ReminderError(f"không ghi được {path}: {error.strerror or error}") from error
    print(f"Đã ghi {path}")
