"""What a running daemon loads: only what it needs, since each megabyte is there all year."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

HEAVY = [
    *("alembic", "bs4", "docx", "holidays", "icalendar", "imap_tools", "lxml", "openpyxl"),
    *("prometheus_client", "psycopg", "segno", "sqlalchemy.dialects.postgresql", "structlog"),
    "xlsxwriter",
]


def test_the_wired_daemon_loads_nothing_that_only_some_days_need() -> None:
    """Neither the makers of files, nor the readers of a mailbox, nor what migrates."""
    program = f"""
import sys
import reminder.cli, reminder.app.wiring, reminder.app.logs, reminder.files.settings
print(*[name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_a_command_loads_what_it_needs_alone() -> None:
    """Neither the database nor the page nor the daemon's timer, before a command asks for them."""
    code = "import sys, reminder.cli; print(*sorted({n.partition('.')[0] for n in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"sqlalchemy", "apscheduler", "starlette", "uvicorn", "pdfplumber"}.isdisjoint(loaded)


def test_the_calendar_loads_one_country() -> None:
    """The library's package of countries would load all 250, 17 MB."""
    code = f"""
import sys
from pathlib import Path
from reminder.files.calendar import load_calendar
load_calendar(Path({str(ROOT / "config/calendar.toml")!r}), [2024])
print(*[name for name in sys.modules if name.startswith("holidays.countries.")])
"""
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert loaded == ["holidays.countries.vietnam"]
