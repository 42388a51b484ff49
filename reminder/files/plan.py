"""The plan file (data/plan2024.toml) → Plan, or all its faults with their lines.

docs/plan-format.md shows each form.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
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
    recurrence_days,
)
from reminder.files.toml import Document, Table, nearest

CODE = re.compile(
    r"\d{1,2}[a-zđ]?|[A-ZĐ]{2,6}"
    r"|(?:\d{1,2}|[IVX]{1,5})(?:[.-](?:\d{1,2}|[a-zđ]|[IVX]{1,5})){1,3}"
)
_ID = re.compile(r"[a-z0-9][a-z0-9-]*")
_RULES = ("due", "within", "every", "rrule", "awaiting")
_YEARS = range(2000, 2100)


def load_plan(path: Path) -> Plan:
    """The plan in the file `path`; FileError with all faults."""
    document = Document(path)
    plan = _Reader(document).plan()
    document.check()
    return plan


class _Reader:
    """Reads one document; a faulty value is noted there, and replaced by a harmless one."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.year = 2000
        self.units: dict[str, Unit] = {}
        self.sections: dict[str, str] = {}

    def plan(self) -> Plan:
        root = self.document.root()
        head = root.table("plan")
        if not root.has("plan"):
            root.complain(None, "thiếu bảng [plan] với id, title, year, office, leaders")
        self.year = self._year(head)
        self.sections = {k: root.table("sections").text(k) for k in root.table("sections").data}
        self.units = {name: self._unit(name, t) for name, t in root.table("unit").named_tables()}
        tasks = tuple(root.each("task", self._task))
        if not tasks:
            root.complain(None, "kế hoạch chưa có nhiệm vụ nào: viết từng mục [[task]]")
        self._no_code_twice(root.tables("task"))
        plan = Plan(
            id=self._identifier(head, "id"),
            title=head.text("title", required=True),
            year=self.year,
            office=self._unit_id(head, "office"),
            leaders=self._unit_id(head, "leaders"),
            units=tuple(self.units.values()),
            sections=self.sections,
            tasks=tasks,
        )
        head.finish()
        root.finish()
        return plan

    def _year(self, head: Table) -> int:
        year = head.integer("year")
        if year is None or year not in _YEARS:
            if year is not None or not head.has("year"):
                head.complain("year", "`year` phải là năm của kế hoạch, ví dụ year = 2024")
            return 2000
        return year

    def _identifier(self, table: Table, key: str) -> str:
        value = table.text(key, required=True, longest=40)
        if value and not _ID.fullmatch(value):
            table.complain(key, f"`{key}` chỉ gồm chữ thường không dấu, số và gạch nối: “{value}”")
        return value

    def _unit_id(self, table: Table, key: str) -> str:
        value = table.text(key, required=True)
        if value:
            self._known_unit(table, key, value)
        return value

    def _known_unit(self, table: Table, key: str, value: str) -> bool:
        if value not in self.units:
            table.complain(key, f"không có bộ phận “{value}”{nearest(value, self.units)}")
        return value in self.units

    def _unit(self, name: str, table: Table) -> Unit:
        if not _ID.fullmatch(name):
            table.complain(None, f"mã bộ phận chỉ gồm chữ thường không dấu, số, gạch nối: “{name}”")
        unit = Unit(
            id=name,
            name=table.text("name", required=True, longest=60),
            short=table.text("short", longest=30),
            spellings=tuple(table.words("spellings")),
        )
        table.finish()
        return unit

    def _no_code_twice(self, tables: list[Table]) -> None:
        seen: Counter[str] = Counter()
        for table in tables:
            code = _code(table)
            seen[code] += 1
            if code and seen[code] == 2:
                table.complain("code", f"mã “{code}” có hai lần")

    def _task(self, table: Table) -> Task:
        code = _code(table)
        if code and not CODE.fullmatch(code):
            table.complain("code", f"mã “{code}” không đúng: viết như 1c, 1đ, 3 hoặc BC")
        lead = self._unit_ids(table, "lead")
        if not table.data.get("lead"):
            table.complain(None, f"nhiệm vụ {code or '?'} thiếu `lead`: bộ phận chủ trì")
        section = table.text("section", required=True)
        if section and section not in self.sections:
            table.complain("section", f"không có phần “{section}”{nearest(section, self.sections)}")
        task = Task(
            code=code,
            title=table.text("title", required=True, longest=MAX_TITLE),
            section=section,
            lead=lead,
            support=self._unit_ids(table, "support"),
            confirm=Confirm(table.choice("confirm", list(Confirm), "any")),
            deliverables=self._deliverables(table, code),
        )
        table.finish()
        return task

    def _unit_ids(self, table: Table, key: str) -> tuple[str, ...]:
        known = [word for word in table.words(key) if self._known_unit(table, key, word)]
        if len(set(known)) != len(known):
            table.complain(key, f"`{key}` ghi một bộ phận hai lần")
        return tuple(dict.fromkeys(known))

    def _deliverables(self, task: Table, code: str) -> tuple[Deliverable, ...]:
        tables = task.tables("deliverable")
        found = [d for table in tables if (d := self._deliverable(table)) is not None]
        if not tables:
            task.complain(None, f"nhiệm vụ {code or '?'} chưa có sản phẩm: [[task.deliverable]]")
        for key, values in (
            ("number", [t.integer("number") for t in tables]),
            ("name", [t.text("name").casefold() for t in tables]),
        ):
            twice = [v for v, count in Counter(values).items() if count > 1 and v]
            if twice:
                task.complain(None, f"hai sản phẩm của {code} cùng `{key}` “{twice[0]}”")
        if sum(d.kind is Kind.CHECK_IN for d in found) > 1:
            task.complain(None, f"nhiệm vụ {code} có hai mục cập nhật: chỉ một mục mỗi nhiệm vụ")
        return _numbered(found, self.year)

    def _deliverable(self, table: Table) -> Deliverable | None:
        kind = Kind(table.choice("kind", list(Kind), "product"))
        rule = self._rule(table)
        number = table.integer("number") if table.has("number") else 0
        if number is not None and table.has("number") and not 1 <= number <= 99:
            table.complain("number", "`number` phải từ 1 đến 99")
        deliverable = Deliverable(
            number=number or 0,
            name=table.text("name", required=True, longest=40),
            product=table.text("product", required=True, longest=80),
            phrase=table.text("phrase", required=True, longest=120),
            rule=rule or Awaiting(),
            kind=kind,
            assumed=table.flag("assumed"),
            leads=self._days(table, "leads"),
            late=self._days(table, "late"),
        )
        if deliverable.assumed and isinstance(deliverable.rule, Awaiting) and rule:
            table.complain("assumed", "`assumed` cần một ngày; chưa có ngày thì chỉ ghi awaiting")
        table.finish()
        return deliverable if rule else None

    def _days(self, table: Table, key: str) -> tuple[int, ...] | None:
        """The list of days before or after the due day."""
        if not table.has(key):
            return None
        days = table.items(key, int, "số ngày")
        for day in days:
            least = 0 if key == "leads" else 1
            if not least <= day <= 366:
                table.complain(key, f"`{key}` có {day}: mỗi số phải từ {least} đến 366")
        return tuple(sorted(set(days), reverse=key == "leads"))

    def _rule(self, table: Table) -> DueRule | None:
        """The due rule, which has exactly one of its forms."""
        given = [key for key in _RULES if table.has(key)]
        table.has("day"), table.has("only")
        if not given and any(nearest(key, _RULES) for key in table.data):
            return None  # a misspelt key, for which `finish` names the right one
        if len(given) != 1:
            what = "thiếu hạn" if not given else f"ghi hạn hai cách ({', '.join(given)})"
            table.complain(
                given[-1] if given else None, f"{what}: chọn một trong {', '.join(_RULES)}"
            )
            return None
        for key in ("day", "only"):
            if table.has(key) and given[0] != "every":
                table.complain(key, f"`{key}` chỉ đi với `every`")
        readers: dict[str, Callable[[Table], DueRule | None]] = {
            "due": self._on_day,
            "within": self._within,
            "every": self._every,
            "rrule": self._recurrence,
            "awaiting": self._awaiting,
        }
        return readers[given[0]](table)

    def _on_day(self, table: Table) -> DueRule | None:
        day = table.day("due")
        if day is not None and day.year != self.year:
            table.complain("due", f"{day:%d/%m/%Y} không nằm trong năm {self.year} của kế hoạch")
            return None
        return OnDay(day) if day else None

    def _within(self, table: Table) -> DueRule | None:
        word = table.text("within", required=True)
        known = {"year": f"{self.year}", **_suffixes(self.year)}
        if word not in known:
            hint = nearest(word, known)
            table.complain("within", f"`within` không nhận “{word}”{hint} (Q1, H1, 03 hoặc year)")
            return None
        return Within(Period.parse(known[word]))

    def _every(self, table: Table) -> DueRule | None:
        word = table.text("every", required=True)
        if word not in list(Cycle):
            hint = nearest(word, list(Cycle))
            table.complain("every", f"`every` không nhận “{word}”{hint} ({', '.join(Cycle)})")
            return None
        cycle = Cycle(word)
        day = table.integer("day")
        if day is not None and not 1 <= day <= 31:
            table.complain("day", f"`day` = {day}: phải từ 1 đến 31")
            day = None
        own = [period.id.partition("-")[2] for period in Period.each(cycle, self.year)]
        only = table.words("only")
        for name in only:
            if name not in own:
                table.complain("only", f"`only` không nhận “{name}”{nearest(name, own)}")
        return Every(cycle, day, frozenset(only))

    def _recurrence(self, table: Table) -> DueRule | None:
        rule = table.text("rrule", required=True, longest=300)
        try:
            days = recurrence_days(rule, self.year)
        except ValueError as error:
            table.complain("rrule", f"rrule “{rule[:60]}” không dùng được: {error}")
            return None
        outside = [day for day in days if day.year != self.year]
        if outside or not days:
            what = f"có ngày {outside[0]:%d/%m/%Y} ngoài" if outside else "không có ngày nào trong"
            table.complain("rrule", f"rrule {what} năm {self.year}")
            return None
        return Recurrence(rule)

    def _awaiting(self, table: Table) -> DueRule | None:
        if not table.flag("awaiting"):
            table.complain("awaiting", "`awaiting` chỉ ghi true; có ngày thì dùng `due`")
            return None
        return Awaiting()


def _code(table: Table) -> str:
    """The task's code; Eth (ð), which some keyboards and converters write for đ, becomes đ."""
    code = table.text("code", required=True, longest=20)
    return code.replace("\u00f0", "đ").replace("\u00d0", "Đ")


def _suffixes(year: int) -> dict[str, str]:
    periods = [p for cycle in Cycle for p in Period.each(cycle, year)]
    return {p.id.partition("-")[2]: p.id for p in periods if "-" in p.id}


def _numbered(deliverables: list[Deliverable], year: int) -> tuple[Deliverable, ...]:
    """The deliverables with numbers: by due day, then awaiting ones, then the check-in.

    A `number` in the file is kept, so that the ledger still refers to the same deliverable when
    others are added during the year.
    """

    def order(deliverable: Deliverable) -> tuple[bool, bool, date]:
        first = _first_due(deliverable, year)
        return deliverable.kind is Kind.CHECK_IN, first is None, first or date.max

    taken = {d.number for d in deliverables}
    free = (n for n in count(1) if n not in taken)
    numbered = [
        d if d.number else replace(d, number=next(free)) for d in sorted(deliverables, key=order)
    ]
    return tuple(sorted(numbered, key=lambda d: d.number))


def _first_due(deliverable: Deliverable, year: int) -> date | None:
    match deliverable.rule:
        case OnDay(day):
            return day
        case Within(period):
            return period.last
        case Every(cycle, day, only):
            periods = [p for p in Period.each(cycle, year) if not only or p.id[5:] in only]
            last = periods[0].last if periods else date.max
            return last.replace(day=min(day or 31, last.day))
        case Recurrence(rule):
            return recurrence_days(rule, year)[0]
        case _:
            return None
