"""`reminder plan phrase`: how the time phrases of plans are read."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reminder.app import bootstrap
from reminder.cli import options
from reminder.cli.options import option
from reminder.domain.errors import ReminderError

if TYPE_CHECKING:
    from reminder.importing.readings import Part, Reading

EXAMPLES = (
    'Ví dụ: reminder plan phrase "Quý I" --year 2026; '
    "reminder plan phrase --batch cum-tu.tsv --json"
)
_FIRST_YEAR, _LAST_YEAR = 2000, 2100


def phrase(
    text: Annotated[
        str | None, typer.Argument(metavar="CỤM-TỪ", help="Thời gian, như kế hoạch ghi.")
    ] = None,
    year: Annotated[int | None, option("NĂM", "Năm của kế hoạch. [năm nay]")] = None,
    school_year: Annotated[
        bool, typer.Option("--school-year", help="Năm học, bắt đầu trong năm ấy.")
    ] = False,
    batch: Annotated[
        Path | None, option("TỆP", "Đọc từng dòng của tệp TSV có các cột phrase, year.")
    ] = None,
    as_json: options.AsJsonLines = False,
) -> None:
    """Xem máy hiểu thời gian ghi trong kế hoạch thế nào, và chỗ nào phải hỏi lại."""
    if batch is not None:
        rows = _rows(batch)
    elif text is not None:
        rows = [(text, _year(year or bootstrap.today().year))]
    else:
        raise ReminderError("xin ghi CỤM-TỪ, hoặc --batch TỆP")
    from reminder.importing.days import PlanYear
    from reminder.importing.phrases import read  # its patterns take a while to compile

    for words, of_year in rows:
        reading = read(words, PlanYear(of_year, school=school_year))
        if as_json:
            print(json.dumps(_fields(words, reading), ensure_ascii=False))
        else:
            _print(words, reading, alone=batch is None)


def _year(year: int) -> int:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise ReminderError(f"năm {year}: xin ghi một năm từ {_FIRST_YEAR} đến {_LAST_YEAR}")
    return year


def _rows(path: Path) -> list[tuple[str, int]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        # A phrase may begin with a quotation mark; one of several lines stands in two.
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
            lines = io.StringIO(text, newline="")
            table = csv.DictReader(lines, delimiter="\t", quoting=quoting)
            rows = list(table)
            if not {"phrase", "year"} <= set(table.fieldnames or ()):
                words = "dòng đầu phải có tên cột phrase và year, cách nhau bằng tab"
                raise ReminderError(f"{path}: {words}")
            if all(_is_row(row) for row in rows):
                return [(row["phrase"], _year(int(row["year"]))) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = getattr(error, "strerror", None) or "không phải tệp TSV ghi bằng UTF-8"
        raise ReminderError(f"không đọc được {path}: {why}") from None
    line = next(n for n, row in enumerate(rows, start=2) if not _is_row(row))
    raise ReminderError(f"{path}, dòng {line}: cần hai cột phrase và year, cách nhau bằng tab")


def _is_row(row: dict[str, str]) -> bool:
    return row.get("phrase") is not None and (row.get("year") or "").strip().isdecimal()


def _print(words: str, reading: Reading, *, alone: bool) -> None:
    from reminder.importing.readings import in_words

    if not alone:
        print(f"“{' '.join(words.split())}”")
    for part in reading.parts:
        label = f"{part.label}: " if part.label else ""
        print(f"{'' if alone else '  '}{label}{in_words(part)}")
    if reading.ask:
        print(f"{'' if alone else '  '}cần hỏi lại: {reading.why}")


def _fields(words: str, reading: Reading) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "phrase": words,
        "parts": [_part_fields(part) for part in reading.parts],
        "ask": reading.ask,
    }
    if reading.why:
        fields["why"] = reading.why
    if reading.mended:
        fields["mended"] = reading.mended
    return fields


_OFFSET_UNITS = {"working-day": "working days", "hour": "hours", "month": "months", "day": "days"}


def _part_fields(part: Part) -> dict[str, Any]:
    """Return the keys of a reading that hold something; kind, due, start, op and every always."""
    fields: dict[str, Any] = {
        "kind": part.kind.value,
        "due": [day.isoformat() for day in part.due],
        "start": _iso(part.start),
        "op": (part.op or None) if part.kind.value != "event-relative" else None,
        "every": part.every or None,
    }
    more = {
        "status": part.status.value,
        "proposed": [day.isoformat() for day in part.proposed],
        "until": _iso(part.until),
        "open_end": part.open_end or None,
        "times": part.times or None,
        "weekday": part.weekday,
        "label": part.label,
        "event": part.event,
        "offset_days": part.offset,
        "offset_unit": _OFFSET_UNITS.get(part.unit, ""),
        "fuzzy": part.fuzzy,
    }
    return {**fields, **{key: value for key, value in more.items() if value or value == 0}}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
