"""Tables of tasks: which tables are such, which column says what, one row a task."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from reminder.domain.text import squeeze
from reminder.importing.layout import Change, Row, Table
from reminder.importing.outline import split_label
from reminder.importing.units import is_unit_start
from reminder.importing.vocabulary import head_kind, plain

_SAME = re.compile(r"[-–—.(]*\s*(?:nt|như trên|\"|”|″|'')\s*[-–—.)]*", re.IGNORECASE)
_NOTHING = re.compile(r"[-–—./…\s]*")
_MARK = re.compile(r"[xX×✓✔vV●•*+]|\[x\]")
# What the head of a column stands for; the first that is found decides.
_WORK = "noi dung|nhiem vu|cong viec|viec|hoat dong|chuyen de|mo hinh|hang muc|giai phap|de an"
_TIME = "thoi gian|thoi han|tien do|hoan thanh|moc|han|lich|thoi diem|ngay|bao gio|khi nao|xong"
_TARGETS = (
    "chi tieu|tieu chi|don vi tinh|dvt|ty le|muc thu|ho va ten|ho ten|chuc vu|dan so|dien tich"
    "|ket qua nam|thuc hien nam|ke hoach nam"
)
_COLUMNS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("score", r"(?<!dia )(?<!thoi )\bdiem\b|\bxep loai\b"),
        ("stt", r"^(?:stt|tt|so tt|so thu tu|so)$"),
        ("other", r"\blanh dao\b"),  # who oversees, not who does it
        ("lead", r"^(?!noi dung|nhiem vu).*\bchu tri\b"),
        ("support", r"\bphoi hop\b"),
        ("product", r"^(?!thoi gian|tien do|han)(?!.*\bnam 20).*\b(?:san pham|ket qua|dau ra)\b"),
        ("time", r"^ket thuc\b"),
        ("note", r"\b(?:ghi chu|luu y)\b"),
        ("time", r"^(?:thang(?: nam)?|tuan|ngay(?: thang)?)$"),
        ("money", r"\b(?:kinh phi|so tien|thanh tien|don gia|muc chi|nguon von)\b"),
        ("task", rf"^(?!thoi gian|tien do|ngay)(?:ten$|.*\b(?:{_WORK})\b)"),
        ("time", rf"^(?!.*kinh phi).*\b(?:{_TIME})\b"),
        ("target", rf"\b(?:{_TARGETS})\b"),
        ("lead", r"\b(?:phu trach|chiu trach nhiem|phan cong|dau moi|tham muu|trach nhiem)\b"),
        ("doer", r"\bthuc hien\b"),
        (
            "lead",
            r"^(?:don vi|co quan|bo phan|nguoi|phong|to|ai|can bo|chuyen vien|dong chi|theo doi)\b",
        ),
    )
)
_PERIOD = re.compile(
    r"(?:quy|q)\s*\.?\s*(?P<q>i{1,3}|iv|[1-4])(?:/\d{4}| nam \d{4})?"
    r"|(?:thang|t)\s*\.?\s*(?P<m>0?[1-9]|1[0-2])(?:/\d{4}| nam \d{4})?"
)
_BARE_PERIOD = {"i": "Quý I", "ii": "Quý II", "iii": "Quý III", "iv": "Quý IV"}
MOST_HEAD_ROWS = 3


@dataclass(slots=True)
class TableRow:
    """A row that is a task, its cells by what their columns say."""

    where: str
    label: str = ""
    bands: tuple[str, ...] = ()  # the band rows above it, outermost first
    text: str = ""
    lead: str = ""
    support: str = ""
    product: str = ""
    times: tuple[str, ...] = ()  # one for each column of times that is filled
    note: str = ""
    marks: tuple[str, ...] = ()  # the heads of the period columns that are marked
    has_periods: bool = False
    changes: list[Change] = field(default_factory=list)


def period_name(head: str) -> str:
    """Return the period that a column's head names, as a plan writes it: “Quý II”, “Tháng 5”."""
    base = plain(head).strip(" .:")
    found = _PERIOD.fullmatch(base)
    if found is None:
        return ""
    if found["q"]:
        number = {"1": "I", "2": "II", "3": "III", "4": "IV"}.get(found["q"], found["q"].upper())
        return f"Quý {number}"
    return f"Tháng {int(found['m'])}"


def column_kind(head: str) -> str:
    """Return what a column says: stt, task, time, lead, doer, support, product, note, target, …"""
    base = squeeze(re.sub(r"\([^)]*\)|[^\w\s/]", " ", plain(head)))
    for kind, pattern in _COLUMNS:
        if pattern.search(base):
            return kind
    return (head_kind(head) or "other") if base else ""


@dataclass(frozen=True, slots=True)
class Head:
    """The columns of a table by what they say, and the number of its head rows."""

    rows: int
    kinds: tuple[str, ...]
    periods: tuple[str, ...]  # of each column; "" for one that is no period
    months: tuple[bool, ...]  # of each column: “Tháng”, with a number in each row

    def column(self, kind: str) -> int | None:
        return self.kinds.index(kind) if kind in self.kinds else None


def read_head(table: Table, has_time: Callable[[str], bool]) -> Head | None:
    """Return the head of a table of tasks; None for any other table.

    Columns whose heads say nothing are known by their cells, if times and units are among them.
    """
    for count in range(1, min(MOST_HEAD_ROWS, len(table.rows)) + 1):
        rows = table.rows[:count]
        below = table.rows[count] if count < len(table.rows) else None
        if _continues_head(rows, below):
            continue
        width = max(len(row.columns) for row in rows)
        columns = [[_text_at(row, column) for row in rows] for column in range(width)]
        periods = tuple(
            _period_of(heads) or _year_of(heads, table, column)
            for column, heads in enumerate(columns)
        )
        kinds = tuple(
            "period" if period else _kind_of(heads)
            for heads, period in zip(columns, periods, strict=True)
        )
        months = tuple(plain(heads[-1]).startswith("thang") for heads in columns)
        head = Head(count, kinds, periods, months)
        if not _is_of_tasks(head):
            head = replace(head, kinds=_kinds_by_cells(table, head, has_time))
        return head if _is_of_tasks(head) and not _is_agenda(table, head) else None
    return None


_SHARE = 0.6  # of the cells that are filled


def _kinds_by_cells(table: Table, head: Head, has_time: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the kinds, with those that only the cells show; `head.kinds` unless all are found."""
    kinds = list(head.kinds)
    lengths: dict[int, float] = {}
    for column, kind in enumerate(kinds):
        cells = [_text_at(row, column) for row in table.rows[head.rows :][:MOST_LOOKED_AT]]
        filled = [cell for cell in cells if cell]
        if kind not in ("", "other", "target") or len(filled) < 2:
            continue
        if sum(len(c) < 80 and has_time(c) for c in filled) >= _SHARE * len(filled):
            kinds[column] = "time"
        elif sum(len(c) < 80 and is_unit_start(c) for c in filled) >= _SHARE * len(filled):
            kinds[column] = "lead"
        else:
            lengths[column] = sum(map(len, filled)) / len(filled)
    if "task" not in kinds and lengths:
        longest = max(lengths, key=lambda column: lengths[column])
        if lengths[longest] >= 10:
            kinds[longest] = "task"
    is_whole = "task" in kinds and {"time", "start"} & set(kinds) and {"lead", "doer"} & set(kinds)
    return tuple(kinds) if is_whole else head.kinds


MOST_LOOKED_AT = 50  # rows


def _period_of(heads: list[str]) -> str:
    """Return the period that a column's heads name, also by a bare II or 5 under “Thời gian”."""
    if named := next((p for head in reversed(heads) if (p := period_name(head))), ""):
        return named
    base = plain(heads[-1]).strip(" .")
    if len(heads) > 1 and (column_kind(heads[0]) == "time" or "quy" in plain(heads[0])):
        if base in _BARE_PERIOD:
            return _BARE_PERIOD[base]
        if re.fullmatch(r"0?[1-9]|1[0-2]", base):
            return f"Tháng {int(base)}"
    return ""


def _year_of(heads: list[str], table: Table, column: int) -> str:
    """Return the year that a column is of, if it has marks and not figures."""
    found = re.fullmatch(r"(?:nam )?(20\d\d)", plain(heads[-1]).strip(" ."))
    if found and any(_MARK.fullmatch(_text_at(row, column)) for row in table.rows):
        return f"Năm {found[1]}"
    return ""


def _kind_of(heads: list[str]) -> str:
    if re.match(r"bat dau|khoi cong|tu ngay|ngay bat dau", plain(heads[-1])):
        return "start"
    return next((kind for head in heads if (kind := column_kind(head))), "")


_CLOCK = re.compile(r"\d{1,2}\s*(?:h|g|:|giờ)\s*\d{0,2}\b.*", re.IGNORECASE)


def _is_agenda(table: Table, head: Head) -> bool:
    """Return whether the times are hours of one day: the programme of a meeting."""
    column = head.column("time")
    if column is None:
        return False
    times = [_text_at(row, column) for row in table.rows[head.rows :]]
    filled = [time for time in times if time]
    clocks = [t for t in filled if _CLOCK.fullmatch(t) and not re.search(r"\d/\d|ngày|tháng", t)]
    return len(filled) > 1 and len(clocks) * 2 > len(filled)


def _continues_head(rows: Sequence[Row], below: Row | None) -> bool:
    """Whether the row below still belongs to the head: merged into it, or split under a span."""
    if below is None:
        return False
    if any(cell.above for cell in below.cells):
        return True
    spans = any(cell.span > 1 for cell in rows[-1].cells)
    filled = [cell.text for cell in below.cells if cell.text.strip()]
    if spans and filled and any(period_name(text) for text in filled):
        return True
    if spans and {"i", "ii"} <= {plain(text) for text in filled}:
        return True
    return len(rows) == 1 and len(rows[0].cells) == 1  # a title over all columns


def _is_of_tasks(head: Head) -> bool:
    """Return whether a table is of tasks: not of scores, targets or costs."""
    kinds = set(head.kinds)
    if "task" not in kinds or "score" in kinds:
        return False
    is_of_costs = bool({"target", "money"} & kinds)
    return bool(
        {"time", "start", "period"} & kinds or ({"lead", "doer"} & kinds and not is_of_costs)
    )


def _texts(row: Row) -> list[str]:
    """Return the text of each column, on one line."""
    return [squeeze(cell.text) for cell in row.columns]


def _text_at(row: Row, column: int) -> str:
    columns = row.columns
    return squeeze(columns[column].text) if column < len(columns) else ""


def read_rows(table: Table, head: Head) -> Iterator[TableRow]:
    """Yield the rows of a table that are tasks."""
    bands: list[_Band] = []
    previous: dict[str, str] = {}
    heads = [_texts(row) for row in table.rows[: head.rows]]  # each page of a PDF repeats them
    rows = [
        (row, _cells(row, head))
        for row in table.rows[head.rows :]
        if any(texts := _texts(row)) and texts not in heads and not _is_numbers(row)
    ]
    for place, (row, cells) in enumerate(rows):
        following = rows[place + 1][1] if place + 1 < len(rows) else {}
        if band := _band(row, cells, following):
            while bands and (
                bands[-1].kind == band.kind or band.kind in ("roman", "upper", "part")
            ):
                bands.pop()
            bands.append(band)
            continue
        _fill(cells, previous)
        if not _TOTAL.match(cells.get("task", "").casefold()):
            for one in _split(cells):
                yield _task_row(row, one, head, bands)


_TOTAL = re.compile(r"(?:tổng (?:cộng|số)|cộng)\b")


def _split(cells: dict[str, str]) -> list[dict[str, str]]:
    """Return a row whose cell lists several tasks, each with a bullet: one row for each.

    Line n of another cell is of task n, if it has as many lines.
    """
    tasks = cells.get("task", "").split("\n")
    if len(tasks) < 2 or not all(
        split_label(line)[0][:1] in ("-", "+", "*", "•") for line in tasks
    ):
        return [cells]
    made = []
    for number, text in enumerate(tasks):
        one = {**cells, "task": text}
        for kind in ("lead", "doer", "support", "product", "time", "time2", "note"):
            lines = cells.get(kind, "").split("\n")
            if len(lines) == len(tasks):
                one[kind] = lines[number]
        made.append(one)
    return made


def _fill(cells: dict[str, str], previous: dict[str, str]) -> None:
    """Put what stands above in the place of “-nt-”, and nothing in the place of a dash."""
    for kind in ("lead", "doer", "support", "product", "start", "time", "time2"):
        if kind in previous and _SAME.fullmatch(cells.get(kind, "").strip()):
            cells[kind] = previous[kind]
        elif _NOTHING.fullmatch(cells.get(kind, "")):
            cells[kind] = ""
        previous[kind] = cells.get(kind, "")


def _task_row(row: Row, cells: dict[str, str], head: Head, bands: Sequence[_Band]) -> TableRow:
    label, text = cells.get("stt", ""), cells.get("task", "")
    kind, own, rest = split_label(text)
    if kind:
        label, text = label or (own if kind[0].isalpha() else ""), rest
    marks, inside = _marks(row, head)
    doer = cells.get("doer", "")
    lead = cells.get("lead", "") or (bands[-1].lead if bands and not doer else "")
    support = [cells.get("support", ""), doer if lead else ""]
    return TableRow(
        row.where,
        label=label if _STT.fullmatch(label := label.strip(" .)(")) else "",
        bands=tuple(band.text for band in bands),
        text=text,
        lead=lead or doer,
        support="\n".join(filter(None, support)),
        product=cells.get("product", ""),
        times=_times(cells, inside),
        note=cells.get("note", ""),
        marks=marks,
        has_periods="period" in head.kinds,
        changes=[
            change
            for cell in row.cells
            if not cell.above
            for paragraph in cell.paragraphs
            for change in paragraph.changes
        ],
    )


_STT = re.compile(r"[\w.-]{1,12}")


def _times(cells: dict[str, str], inside: str) -> tuple[str, ...]:
    """Return the times of a row: from the columns of times, or from where work starts and ends."""
    times = [cells[kind] for kind in ("time", "time2") if cells.get(kind)]
    if start := cells.get("start", "").strip(" -–"):
        return (f"từ {start} đến {times[-1]}" if times else f"từ {start}",)
    return tuple(times) or ((inside,) if inside else ())


_OPEN_END = re.compile(
    r"(?:[,–-]|\b(?:và|của|với|theo|về|cho|tại|các|từ|đến|ngày|trong|ở|là|do|trước|sau|tháng|quý|năm"
    r"|kể|khi|chậm nhất|lãnh đạo|thường trực|trưởng|hđnd))$",
    re.IGNORECASE,
)
_LABELLED = re.compile(r"[^\W\d][\w ]{0,25}:")


def _unwrapped(lines: list[str], *, of_units: bool) -> str:
    """Return the lines of a cell on a page, those joined that a narrow column cut."""
    made = lines[:1]
    for line in lines[1:]:
        is_open = bool(_OPEN_END.search(made[-1]))
        if split_label(line)[0] or _LABELLED.match(line):
            goes_on = False
        elif of_units:
            is_office = made[-1].casefold() == "văn phòng" and not line.startswith("Văn")
            goes_on = is_open or is_office or not (line[:1].isupper() and is_unit_start(line))
        else:
            goes_on = is_open or not line[:1].isupper()
        if goes_on:
            made[-1] += f" {line}"
        else:
            made.append(line)
    return "\n".join(made)


_MONTH_NUMBER = re.compile(r"(?:0?[1-9]|1[0-2])(?:\s*/\s*20\d\d)?")


def _cells(row: Row, head: Head) -> dict[str, str]:
    """Return the texts of a row by kind; of two columns of a kind, one under the other.

    A second column of times stays apart: one may name the month, the other the day.
    """
    found: dict[str, str] = {}
    columns = row.columns
    for column, kind in enumerate(head.kinds):
        if kind in ("", "other", "period", "target", "money") or column >= len(columns):
            continue
        text = columns[column].text.strip()
        if column and columns[column] is columns[column - 1]:
            continue
        if row.where.startswith("tr:"):  # of a PDF: lines of the page, not paragraphs
            text = _unwrapped(text.split("\n"), of_units=kind in ("lead", "doer", "support"))
        if kind == "time" and head.months[column] and _MONTH_NUMBER.fullmatch(text):
            text = f"Tháng {text}"
        key = "time2" if kind == "time" and "time" in found else kind
        joined = (found.get(key, ""), text)
        found[key] = "\n".join(filter(None, joined))
    return found


def _marks(row: Row, head: Head) -> tuple[tuple[str, ...], str]:
    """Return the marked period columns, and what their cells say instead of a mark."""
    marks, inside = [], []
    columns = row.columns
    for column, period in enumerate(head.periods):
        if not period or column >= len(columns):
            continue
        text = columns[column].text.strip()
        if _MARK.fullmatch(text):
            marks.append(period)
        elif not _NOTHING.fullmatch(text):
            marks.append(period)
            if text not in inside:
                inside.append(text)
    return tuple(marks), "; ".join(inside)


@dataclass(frozen=True, slots=True)
class _Band:
    """A row that heads those below it."""

    kind: str  # the class of its label
    text: str
    lead: str = ""


def _band(row: Row, cells: dict[str, str], following: dict[str, str]) -> _Band | None:
    """Return what a row heads; None for a task."""
    texts = {text for text in _texts(row) if text}
    if len(texts) == 1:
        text = texts.pop()
        in_task_column = len(row.cells) > 1 and text == squeeze(cells.get("task", ""))
        if not (in_task_column and split_label(text)[0].startswith(("-", "+"))):
            return _Band(split_label(text)[0] or "band", text)
    stt, task = cells.get("stt", ""), cells.get("task", "")
    if not stt or not task or any(cells.get(kind) for kind in ("time", "start", "product")):
        return None
    kind = split_label(f"{stt.rstrip('.)')}. x")[0]
    text = f"{stt.rstrip('.)')}. {task}"
    if not following.get("stt") and split_label(following.get("task", ""))[0] in ("-", "+"):
        return _Band(kind or "band", text, cells.get("lead") or cells.get("doer", ""))
    named = any(cells.get(kind) for kind in ("lead", "doer", "support"))
    if named or sum(bool(c.text.strip()) for c in row.columns) > 2:
        return None
    below = following.get("stt", "")
    below_kind = split_label(f"{below.rstrip('.)')}. x")[0] if below else ""
    if kind in ("roman", "upper") or (following and kind != below_kind):
        return _Band(kind or "band", text)
    return None


def _is_numbers(row: Row) -> bool:
    """Return whether a row only numbers the columns: (1) (2) (3)."""
    texts = [c.text.strip(" ()") for c in row.cells]
    return len(texts) > 2 and texts == [str(n) for n in range(1, len(texts) + 1)]
