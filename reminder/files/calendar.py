"""The working calendar: the library `holidays`, and the notices in config/calendar.toml."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import date
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import TYPE_CHECKING

from reminder.domain.calendar import WorkCalendar, days_between
from reminder.files.toml import Document, Table

if TYPE_CHECKING:
    from holidays import HolidayBase


def load_calendar(path: Path, years: Iterable[int]) -> WorkCalendar:
    """Return the calendar of `years` and a year around them; raise FileError with all faults.

    Years that are not under `confirmed` in the file are computed, and marked as unconfirmed.
    """
    document = Document(path, lists=("change",))
    root = document.root()
    confirmed = root.items("confirmed", int, "số năm")
    changes = root.each("change", _change)
    root.finish()
    document.check()
    first, last = min(years) - 1, max(years) + 1
    official = _official(first, last)
    return WorkCalendar(
        first,
        last,
        off={*official, *(d for c in changes for d in c["off"])}
        - {d for c in changes for d in c["remove"]},
        worked={*official.weekend_workdays, *(d for c in changes for d in c["worked"])},
        unconfirmed=set(range(first, last + 1)) - set(confirmed),
    )


def holiday_name(first: date, last: date) -> str:
    """Return “Tết” if a day from `first` to `last` belongs to the lunar new year; else ""."""
    found = _official(first.year, last.year, language="en_US")
    names = (found.get(day, "") for day in days_between(first, last))
    return "Tết" if any("Lunar New Year" in name for name in names) else ""


def _official(first: int, last: int, language: str | None = None) -> HolidayBase:
    """The days off from the year `first` to `last` by the library, which takes 70 ms to load.

    Its package of countries would load all of them, 17 MB, to give one: it is not executed.
    """
    spec = find_spec("holidays.countries")
    if spec is not None:
        sys.modules.setdefault("holidays.countries", module_from_spec(spec))
    from holidays import country_holidays

    return country_holidays("VN", language=language, years=range(first, last + 1))


def _change(table: Table) -> dict[str, list[date]]:
    wanted = "ngày, ví dụ 2026-01-02"
    table.text("notice", required=True)
    change: dict[str, list[date]] = {
        key: table.items(key, date, wanted) for key in ("off", "worked", "remove")
    }
    for day in change["worked"]:
        if day.weekday() < 5 and day not in change["remove"]:
            table.complain("worked", f"{day:%d/%m/%Y} không phải Thứ Bảy, Chủ Nhật: dùng `remove`")
    for day in change["off"]:
        if day.weekday() >= 5:
            table.complain("off", f"{day:%d/%m/%Y} vốn đã là ngày nghỉ cuối tuần")
    if not any(key in table.data for key in change):
        table.lacks("mục này không có ngày nào: cần `off`, `worked` hoặc `remove`")
    return change
