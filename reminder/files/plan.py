"""The plan file (data/plan2024.toml) → Plan, or all its faults with their lines.

docs/plan-format.md shows each form.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path

from reminder.domain.calendar import Cycle, Period
from reminder.domain.plan import (
    MAX_TITLE,
    Awaiting,
    Confirm,
    Deliverable,
    DueRule,
    Every,
    Kind,
    OnDay,
    Plan,
    Recurrence,
    Task,
    Unit,
    Within,
    instances,
    recurrence_days,
)
from reminder.files.toml import ID, Document, Table, nearest

CODE = re.compile(
    r"\d{1,2}[a-zđ]?|[A-ZĐ]{2,6}"
    r"|(?:\d{1,2}|[IVX]{1,5})(?:[.-](?:\d{1,2}|[a-zđ]|[IVX]{1,5})){1,3}"
)
_YEARS = range(2000, 2100)


def load_plan(path: Path) -> Plan:
    """The plan in the file `path`; FileError with all faults."""
    document = Document(path)
    plan = _plan(document.root())
    document.check()
    return plan


def _plan(root: Table) -> Plan:
    """The plan; a faulty value is noted in its document, and replaced by a harmless one."""
    head = root.table("plan")
    if not root.has("plan"):
        root.complain(None, "thiếu bảng [plan] với id, title, year, office, leaders")
    sections = root.table("sections")
    plan = Plan(
        id=head.identifier("id"),
        title=head.text("title", required=True),
        year=_year(head),
        office=head.text("office", required=True),
        leaders=head.text("leaders", required=True),
        units=tuple(_unit(name, table) for name, table in root.table("unit").named_tables()),
        sections={key: sections.text(key) for key in sections.data},
        tasks=(),
    )
    for key, unit in (("office", plan.office), ("leaders", plan.leaders)):
        if unit:
            head.knows(key, unit, plan.by_unit, "bộ phận")
    tasks = root.each("task", partial(_task, plan))
    if not tasks:
        root.complain(None, "kế hoạch chưa có nhiệm vụ nào: viết từng mục [[task]]")
    seen: Counter[str] = Counter()
    for task, table in zip(tasks, root.tables("task"), strict=True):
        seen[task.code] += 1
        if task.code and seen[task.code] == 2:
            table.complain("code", f"mã “{task.code}” có hai lần")
    head.finish()
    root.finish()
    return replace(plan, tasks=tuple(tasks))


def _year(head: Table) -> int:
    year = head.integer("year")
    if year is not None and year in _YEARS:
        return year
    if year is not None or not head.has("year"):
        head.complain("year", "`year` phải là năm của kế hoạch, ví dụ year = 2024")
    return _YEARS[0]


def _unit(name: str, table: Table) -> Unit:
    if not ID.fullmatch(name):
        table.complain(None, f"mã bộ phận chỉ gồm chữ thường không dấu, số, gạch nối: “{name}”")
    unit = Unit(
        id=name,
        name=table.text("name", required=True, longest=60),
        short=table.text("short", longest=30),
        spellings=tuple(table.words("spellings")),
    )
    table.finish()
    return unit


def _task(plan: Plan, table: Table) -> Task:
    # Eth (ð), which some keyboards and converters write for đ.
    code = table.text("code", required=True, longest=20).replace("\u00f0", "đ")
    code = code.replace("\u00d0", "Đ")
    if code and not CODE.fullmatch(code):
        table.complain("code", f"mã “{code}” không đúng: viết như 1c, 1đ, 3 hoặc BC")
    lead = _unit_ids(plan, table, "lead")
    if not table.data.get("lead"):
        table.complain(None, f"nhiệm vụ {code or '?'} thiếu `lead`: bộ phận chủ trì")
    section = table.text("section", required=True)
    if section:
        table.knows("section", section, plan.sections, "phần")
    return Task(
        code=code,
        title=table.text("title", required=True, longest=MAX_TITLE),
        section=section,
        lead=lead,
        support=_unit_ids(plan, table, "support"),
        confirm=Confirm(table.choice("confirm", list(Confirm), "any")),
        deliverables=_deliverables(table, code, plan.year),
    )


def _unit_ids(plan: Plan, table: Table, key: str) -> tuple[str, ...]:
    words = table.words(key)
    known = [word for word in words if table.knows(key, word, plan.by_unit, "bộ phận")]
    if len(set(known)) != len(known):
        table.complain(key, f"`{key}` ghi một bộ phận hai lần")
    return tuple(dict.fromkeys(known))


def _deliverables(task: Table, code: str, year: int) -> tuple[Deliverable, ...]:
    tables = task.tables("deliverable")
    found = [d for d in task.each("deliverable", partial(_deliverable, year)) if d is not None]
    if not tables:
        task.complain(None, f"nhiệm vụ {code or '?'} chưa có sản phẩm: [[task.deliverable]]")
    for key, values in (
        ("number", [str(t.data.get("number", "")) for t in tables]),
        ("name", [str(t.data.get("name", "")).strip().casefold() for t in tables]),
    ):
        twice = [value for value, times in Counter(values).items() if value and times > 1]
        if twice:
            task.complain(None, f"hai sản phẩm của {code} cùng `{key}` “{twice[0]}”")
    if sum(d.kind is Kind.CHECK_IN for d in found) > 1:
        task.complain(None, f"nhiệm vụ {code} có hai mục cập nhật: chỉ một mục mỗi nhiệm vụ")
    return _numbered(found, year)


def _deliverable(year: int, table: Table) -> Deliverable | None:
    kind = Kind(table.choice("kind", list(Kind), "product"))
    rule = _rule(year, table)
    number = table.integer("number")
    if number is not None and not 1 <= number <= 99:
        table.complain("number", "`number` phải từ 1 đến 99")
    deliverable = Deliverable(
        number=number or 0,
        name=table.text("name", required=True, longest=40),
        product=table.text("product", required=True, longest=80),
        phrase=table.text("phrase", required=True, longest=120),
        rule=rule or Awaiting(),
        kind=kind,
        assumed=table.flag("assumed"),
        leads=_days(table, "leads", least=0),
        late=_days(table, "late", least=1),
    )
    if deliverable.assumed and isinstance(rule, Awaiting):
        table.complain("assumed", "`assumed` cần một ngày; chưa có ngày thì chỉ ghi awaiting")
    return deliverable if rule else None


def _days(table: Table, key: str, *, least: int) -> tuple[int, ...] | None:
    """The list of days before or after the due day."""
    if not table.has(key):
        return None
    days = table.items(key, int, "số ngày")
    for day in days:
        if not least <= day <= 366:
            table.complain(key, f"`{key}` có {day}: mỗi số phải từ {least} đến 366")
    return tuple(sorted(set(days), reverse=key == "leads"))


def _rule(year: int, table: Table) -> DueRule | None:
    """The due rule, which has exactly one of its forms."""
    given = [key for key in _RULES if table.has(key)]
    for key in ("day", "only"):
        if table.has(key) and len(given) == 1 and given != ["every"]:
            table.complain(key, f"`{key}` chỉ đi với `every`")
    if not given and any(nearest(key, _RULES) for key in table.data):
        return None  # a misspelt key, for which `finish` names the right one
    if len(given) != 1:
        what = "thiếu hạn" if not given else f"ghi hạn hai cách ({', '.join(given)})"
        words = f"{what}: chọn một trong {', '.join(_RULES)}"
        table.complain(given[-1] if given else None, words)
        return None
    return _RULES[given[0]](year, table)


def _on_day(year: int, table: Table) -> DueRule | None:
    day = table.day("due")
    if day is not None and day.year != year:
        table.complain("due", f"{day:%d/%m/%Y} không nằm trong năm {year} của kế hoạch")
        return None
    return OnDay(day) if day else None


def _within(year: int, table: Table) -> DueRule | None:
    word = table.text("within", required=True)
    periods = [p for cycle in Cycle for p in Period.each(cycle, year)]
    known = {"year": str(year), **{_suffix(p): p.id for p in periods if _suffix(p)}}
    if not table.knows("within", word, known, more=" (Q1, H1, 03 hoặc year)"):
        return None
    return Within(Period.parse(known[word]))


def _every(year: int, table: Table) -> DueRule | None:
    word = table.text("every", required=True)
    if not table.knows("every", word, list(Cycle), more=f" ({', '.join(Cycle)})"):
        return None
    day = table.integer("day")
    if day is not None and not 1 <= day <= 31:
        table.complain("day", f"`day` = {day}: phải từ 1 đến 31")
        day = None
    own = [_suffix(period) for period in Period.each(Cycle(word), year)]
    only = [name for name in table.words("only") if table.knows("only", name, own)]
    return Every(Cycle(word), day, frozenset(only))


def _suffix(period: Period) -> str:
    """“Q1” of 2024-Q1; empty for a year."""
    return period.id.partition("-")[2]


def _recurrence(year: int, table: Table) -> DueRule | None:
    rule = table.text("rrule", required=True, longest=300)
    try:
        days = recurrence_days(rule, year)
    except ValueError as error:
        table.complain("rrule", f"rrule “{rule[:60]}” không dùng được: {error}")
        return None
    outside = [day for day in days if day.year != year]
    if outside or not days:
        what = f"có ngày {outside[0]:%d/%m/%Y} ngoài" if outside else "không có ngày nào trong"
        table.complain("rrule", f"rrule {what} năm {year}")
        return None
    return Recurrence(rule)


def _awaiting(_: int, table: Table) -> DueRule | None:
    if not table.flag("awaiting"):
        table.complain("awaiting", "`awaiting` chỉ ghi true; có ngày thì dùng `due`")
        return None
    return Awaiting()


_RULES: dict[str, Callable[[int, Table], DueRule | None]] = {
    "due": _on_day,
    "within": _within,
    "every": _every,
    "rrule": _recurrence,
    "awaiting": _awaiting,
}


def _numbered(deliverables: list[Deliverable], year: int) -> tuple[Deliverable, ...]:
    """The deliverables with numbers: by due day, then awaiting ones, then the check-in.

    A `number` in the file is kept, so that the ledger still refers to the same deliverable when
    others are added during the year.
    """

    def order(deliverable: Deliverable) -> tuple[bool, bool, date]:
        first = next((due for _, _, due in instances(deliverable, year)), None)
        return deliverable.kind is Kind.CHECK_IN, first is None, first or date.max

    taken = {d.number for d in deliverables}
    free = (n for n in count(1) if n not in taken)
    numbered = [
        d if d.number else replace(d, number=next(free)) for d in sorted(deliverables, key=order)
    ]
    return tuple(sorted(numbered, key=lambda d: d.number))
