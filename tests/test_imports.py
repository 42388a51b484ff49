"""What a running daemon loads: only what it needs, since each megabyte is there all year."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.kit import settings
from tests.conftest import ROOT
from tests.fakes.telegram import FakeTelegram
from tests.waiting import within

HEAVY = [
    *("aiohttp", "alembic", "bs4", "docx", "icalendar"),
    *("imap_tools", "lxml", "openpyxl", "pdfplumber", "pgqueuer", "prometheus_client", "psycopg"),
    *("pydantic", "rich", "segno", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm"),
    *("starlette", "structlog", "uvicorn", "xlsxwriter"),
]


@pytest.mark.asyncio
async def test_a_daemon_loads_nothing_that_only_some_days_need(tmp_path: Path) -> None:
    """From the start of `reminder run` with Telegram and mail to its end, with nothing to send."""
    program = f"""
import sys
from reminder.cli import main
try:
    main()
except SystemExit:
    print(*[name for name in {HEAVY!r} if name in sys.modules])
"""
    async with FakeTelegram() as telegram:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, "run", "--config"),
            settings(tmp_path, telegram, 1),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        await telegram.until(lambda: telegram.being_polled)
        process.send_signal(signal.SIGTERM)
        loaded, _ = await within(process.communicate(), "its end")
    assert (process.returncode, loaded) == (0, b"\n")


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
