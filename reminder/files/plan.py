"""The plan file (data/plan2024.toml) → Plan, or all its faults with their lines.

docs/plan-format.md shows each form.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import lru_cache, partial
from itertools import count

from reminder.domain.calendar import Cycle, Period
from reminder.domain.errors import Problem
from reminder.domain.plan import (
    MAX_INSTANCES,
    MAX_NAME,
    MAX_PHRASE,
    MAX_PRODUCT,
    MAX_TITLE,
    MAX_UNIT,
    AfterEvent,
    Awaiting,
    Before,
    Confirm,
    Deliverable,
    DueRule,
    EventUnit,
    Every,
    Kind,
    OnDay,
    OnDays,
    Plan,
    Recurrence,
    Task,
    Unit,
    Within,
    cycle_periods,
    instances,
    recurrence_days,
    units_named,
)
from reminder.files.toml import ID, Document, Source, Table, Text, nearest

CODE = re.compile(
    r"\d{1,2}[a-zđ]?|[A-ZĐ]{2,6}"
    r"|(?:\d{1,3}|[IVX]{1,5}|[A-ZĐ])(?:[.-](?:\d{1,3}[a-zđ]?|[a-zđ]|[IVX]{1,5})){1,3}"
)
_YEARS = range(2000, 2100)
_MOST_YEARS = 10  # of one plan
YEARS_BEHIND = 5  # a due day may lie so many years behind the plan's last
_MONTHS = {Cycle.MONTH: 1, Cycle.QUARTER: 3, Cycle.HALF_YEAR: 6, Cycle.YEAR: 12}


# How the tables of a plan file are written; a draft (importing/draft.py) has some more.
LISTS = ("task", "task.deliverable")
TABLES = ("plan", "sections", "unit")
OF_DRAFTS = ("question", "leftover", "note")


def load_plan(path: Source) -> Plan:
    """Return the plan in the file `path`; raise FileError with all faults."""
    return _of_text(path) if isinstance(path, Text) else read_plan(path)[0]


@lru_cache(maxsize=12)  # the page's list of versions compares eleven
def _of_text(text: Text) -> Plan:
    return read_plan(text)[0]


def read_plan(path: Source) -> tuple[Plan, tuple[Problem, ...]]:
    """Return the plan, and what might be written better in its file; FileError with all faults."""
    document = Document(path, lists=(*LISTS, *OF_DRAFTS), tables=TABLES)
    plan = _plan(document.root())
    document.check()
    return plan, tuple(document.advice)


def _plan(root: Table) -> Plan:
    """Return the plan; a faulty value is noted in its document, and replaced by a harmless one."""
    head = root.table("plan")
    if not root.has("plan"):
        root.lacks("thiếu bảng [plan] với id, title, year, office, leaders")
    sections = root.table("sections")
    year = _year(head)
    plan = Plan(
        id=head.identifier("id"),
        title=head.text("title", required=True),
        year=year,
        office=head.text("office", required=True),
        leaders=head.text("leaders", required=True),
        units=tuple(_unit(name, table) for name, table in root.table("unit").named_tables()),
        sections={key: sections.text(key) for key in sections.data},
        tasks=(),
        last_year=_last_year(head, year),
        span=_span(head, year),
        before=Before(head.choice("before", list(Before), Before.DAY_BEFORE)),
        document=head.text("document"),
        sha256=_digest(head),
    )
    plan = replace(
        plan,
        office=_unit_id(plan, head, "office", plan.office),
        leaders=_unit_id(plan, head, "leaders", plan.leaders),
    )
    tasks = root.each("task", partial(_task, plan))
    if not tasks:
        root.lacks("kế hoạch chưa có nhiệm vụ nào: viết từng mục [[task]]")
    seen: Counter[str] = Counter()
    for task, table in zip(tasks, root.tables("task"), strict=True):
        seen[task.code] += 1
        if task.code and seen[task.code] == 2:
            table.complain("code", f"mã “{task.code}” có hai lần")
    if draft := [key for key in OF_DRAFTS if root.has(key)]:
        words = "tệp này còn là bản nháp: gõ reminder plan review, rồi reminder plan accept"
        root.complain(draft[0], words)
        head.has("issued")
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


def _last_year(head: Table, year: int) -> int | None:
    last = head.integer("last_year")
    if last is None or year <= last < year + _MOST_YEARS:
        return last
    head.complain("last_year", f"`last_year` phải từ {year} đến {year + _MOST_YEARS - 1}")
    return None


def _span(head: Table, year: int) -> tuple[date, date] | None:
    """Return the first and last day of a plan that crosses a year, as a school year does."""
    first, last = head.day("first_day"), head.day("last_day")
    if head.has("first_day") != head.has("last_day"):
        given, wanted = ("first_day", "last_day")[:: 1 if head.has("first_day") else -1]
        head.complain(given, f"`{given}` phải đi với `{wanted}`")
    if first is None or last is None:
        return None
    if head.has("last_year"):
        head.complain("last_year", "chọn một: `last_year`, hoặc `first_day` với `last_day`")
    elif first.year != year:
        head.complain("first_day", f"`first_day` phải nằm trong năm {year} (`year`)")
    elif not first < last or last.year > year + 1:
        head.complain("last_day", f"`last_day` phải sau `first_day`, đến hết năm {year + 1}")
    else:
        return first, last
    return None


def _digest(head: Table) -> str:
    digest = head.text("sha256").lower()
    if digest and not re.fullmatch(r"[0-9a-f]{64}", digest):
        head.complain("sha256", "`sha256` phải gồm 64 chữ số 0–9, a–f")
    return digest


def _unit(name: str, table: Table) -> Unit:
    if not ID.fullmatch(name):
        table.complain(None, f"mã bộ phận chỉ gồm chữ thường không dấu, số, gạch nối: “{name}”")
    unit = Unit(
        id=name,
        name=table.text("name", required=True, longest=MAX_UNIT),
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
        right = _right_code(code)
        words = f"viết {right}" if right else "viết như 1c, 1đ, 3, 1.1, II.3 hoặc BC"
        table.complain("code", f"mã “{code}” không đúng: {words}")
    lead = _unit_ids(plan, table, "lead")
    if not table.data.get("lead"):
        table.lacks(f"nhiệm vụ {code or '?'} thiếu `lead`: bộ phận chủ trì")
    section = table.text("section", required=True)
    if section:
        table.knows("section", section, plan.sections, "phần")
    return Task(
        code=code,
        title=_title(table),
        section=section,
        lead=lead,
        support=_unit_ids(plan, table, "support"),
        confirm=Confirm(table.choice("confirm", list(Confirm), "any")),
        deliverables=_deliverables(table, code, plan),
        full_title=table.text("full_title", longest=1000),
        written=table.text("written", longest=20),
        source=table.text("source"),
    )


def _right_code(code: str) -> str:
    """Return the code that was meant by “1A”, “1c)” or “bc”; empty if none is near."""
    bare = re.sub(r"\s+", "", code).strip(".,:;()[]-")
    return next((c for c in (bare, bare.lower(), bare.upper()) if CODE.fullmatch(c)), "")


def _title(table: Table) -> str:
    title = table.text("title", required=True, longest=1000)
    if len(title) > MAX_TITLE:
        words = f"`title` dài {len(title)} ký tự, tối đa {MAX_TITLE}"
        table.complain("title", f"{words}: ghi tên ngắn ở đây, cả câu ở `full_title`")
    return title


def _unit_ids(plan: Plan, table: Table, key: str) -> tuple[str, ...]:
    known = [i for word in table.words(key) if (i := _unit_id(plan, table, key, word))]
    if len(set(known)) != len(known):
        table.complain(key, f"`{key}` ghi một bộ phận hai lần")
    return tuple(dict.fromkeys(known))


def _unit_id(plan: Plan, table: Table, key: str, word: str) -> str:
    """Return the id of the unit that `word`, an id, name or spelling, means; empty: a fault."""
    if not word or word in plan.by_unit:
        return word
    named = units_named(plan.units)
    found = named.get(word.casefold(), [])
    if len(found) == 1:
        table.advise(key, f"bộ phận “{word}”: nên ghi mã “{found[0]}”")
        return found[0]
    if found:
        units = ", ".join(found)
        table.complain(key, f"“{word}” là tên của nhiều bộ phận: ghi mã ({units})")
    else:
        near = difflib.get_close_matches(word.casefold(), named, n=1, cutoff=0.55)
        hint = nearest(word, plan.by_unit)
        if near and not hint:
            hint = f"; có phải là “{named[near[0]][0]}”?"
        table.complain(key, f"không có bộ phận “{word:.40}”{hint}")
    return ""


def _deliverables(task: Table, code: str, plan: Plan) -> tuple[Deliverable, ...]:
    tables = task.tables("deliverable")
    found = [d for d in task.each("deliverable", partial(_deliverable, plan)) if d is not None]
    if not tables:
        task.lacks(f"nhiệm vụ {code or '?'} chưa có sản phẩm: [[task.deliverable]]")
    for key, values in (
        ("number", [str(t.data.get("number", "")) for t in tables]),
        ("name", [str(t.data.get("name", "")).strip().casefold() for t in tables]),
    ):
        twice = [value for value, times in Counter(values).items() if value and times > 1]
        if twice:
            task.complain(None, f"hai sản phẩm của {code} cùng `{key}` “{twice[0]}”")
    if sum(d.kind is Kind.CHECK_IN for d in found) > 1:
        task.complain(None, f"nhiệm vụ {code} có hai mục cập nhật: chỉ một mục mỗi nhiệm vụ")
    return _numbered(found, plan)


def _deliverable(plan: Plan, table: Table) -> Deliverable | None:
    kind = Kind(table.choice("kind", list(Kind), "product"))
    rule = _rule(plan, table)
    times = _times(table)
    number = table.integer("number")
    if number is not None and not 1 <= number <= 99:
        table.complain("number", "`number` phải từ 1 đến 99")
    deliverable = Deliverable(
        number=number or 0,
        name=table.text("name", required=True, longest=MAX_NAME),
        product=table.text("product", required=True, longest=MAX_PRODUCT),
        phrase=table.text("phrase", required=True, longest=MAX_PHRASE),
        rule=rule or Awaiting(),
        kind=kind,
        assumed=table.flag("assumed") or times > 0,
        leads=_days(table, "leads", least=0),
        late=_days(table, "late", least=1),
        opens=_opens(plan, table, rule),
        before=plan.before if table.flag("before") else None,
        times=times,
        source=table.text("source"),
    )
    if deliverable.assumed and isinstance(rule, Awaiting):
        table.complain("assumed", "`assumed` cần một ngày; chưa có ngày thì chỉ ghi awaiting")
    return deliverable if rule else None


def _days(table: Table, key: str, *, least: int) -> tuple[int, ...] | None:
    """Return the list of days before or after the due day."""
    if not table.has(key):
        return None
    days = table.items(key, int, "số ngày")
    for day in days:
        if not least <= day <= 366:
            table.complain(key, f"`{key}` có {day}: mỗi số phải từ {least} đến 366")
    return tuple(sorted(set(days), reverse=key == "leads"))


def _times(table: Table) -> int:
    times = table.integer("times")
    if times is None or 1 <= times <= 99:
        return times or 0
    table.complain("times", f"`times` = {times}: phải từ 1 đến 99 lần mỗi kỳ")
    return 0


def _opens(plan: Plan, table: Table, rule: DueRule | None) -> date | None:
    """Return the day from which a one-off is open."""
    day = table.day("from")
    if day is None or rule is None:
        return None
    last = rule.day if isinstance(rule, OnDay) else plan.last_day
    last = rule.period.last if isinstance(rule, Within) else last
    if not plan.first_day <= day <= last:
        span = f"từ {plan.first_day:%d/%m/%Y} đến {last:%d/%m/%Y}"
        table.complain("from", f"`from` {day:%d/%m/%Y} phải nằm {span}")
        return None
    return day


# Which rule each further key goes with.
_BESIDE = {
    "day": ("every",),
    "only": ("every",),
    "month": ("every",),
    "following": ("every",),
    "times": ("every",),
    "periods": ("due",),
    "from": ("due", "within", "awaiting"),
    "before": ("due", "every", "rrule"),
    "event": ("awaiting",),
}


def _rule(plan: Plan, table: Table) -> DueRule | None:
    """Return the due rule, which has exactly one of its forms."""
    given = [key for key in _RULES if table.has(key)]
    for key, rules in _BESIDE.items():
        if table.has(key) and len(given) == 1 and given[0] not in rules:
            with_ = " hoặc ".join(f"`{rule}`" for rule in rules)
            table.complain(key, f"`{key}` chỉ đi với {with_}")
    if not given and any(nearest(key, _RULES) for key in table.data if key not in _BESIDE):
        return None  # a misspelt key, for which `finish` names the right one
    if len(given) != 1:
        what = "thiếu hạn" if not given else f"ghi hạn hai cách ({', '.join(given)})"
        words = f"{what}: chọn một trong {', '.join(_RULES)}"
        table.complain(given[-1], words) if given else table.lacks(words)
        return None
    return _RULES[given[0]](plan, table)


def _on_day(plan: Plan, table: Table) -> DueRule | None:
    if isinstance(table.data["due"], list):
        return _on_days(plan, table)
    day = table.day("due")
    if table.has("periods"):
        table.complain("periods", "`periods` chỉ đi với `due` có nhiều ngày: due = […, …]")
    return OnDay(day) if day and _is_near(plan, table, day) else None


def _on_days(plan: Plan, table: Table) -> DueRule | None:
    days = table.items("due", date, "ngày ghi theo năm-tháng-ngày, ví dụ 2024-01-31")
    if table.has("from"):
        table.complain("from", "`from` chỉ đi với một ngày, không với danh sách ngày")
    if not days or not all(_is_near(plan, table, day) for day in days):
        if not table.data["due"]:
            table.complain("due", "`due` = [] không có ngày nào")
        return None
    if days != sorted(set(days)) or len(days) > MAX_INSTANCES:
        words = f"xếp theo thứ tự, mỗi ngày một lần, tối đa {MAX_INSTANCES} ngày"
        table.complain("due", f"các ngày của `due` phải {words}")
        return None
    if not table.has("periods"):
        return OnDays(tuple(days))
    names = table.words("periods")
    found = [_period_near(name, day) for name, day in zip(names, days, strict=False)]
    known = [period for period in found if period]
    if len(names) != len(days) or len(known) != len(days):
        bad = next((n for n, p in zip(names, found, strict=False) if p is None), "")
        what = f"không nhận “{bad:.40}”" if bad else f"có {len(names)} mục, `due` có {len(days)}"
        table.complain("periods", f"`periods` {what}: mỗi ngày một kỳ (Q1, H1, 03 hoặc 2024-Q1)")
        return None
    if len(set(known)) != len(known):
        table.complain("periods", "`periods` ghi một kỳ hai lần")
        return None
    return OnDays(tuple(days), tuple(known))


def _period_near(name: str, day: date) -> str | None:
    """Return the id of the period `name` (Q1, 03, year) that is nearest to `day`."""
    years = range(day.year - 1, day.year + 2)
    near = [f"{year}" if name == "year" else f"{year}-{name}" for year in years]
    found = []
    for each in (name, *near):
        try:
            found.append(Period.parse(each))
        except ValueError:
            continue
    found = [p for p in found if len(p.id) < len("2024-01-31")]
    away = min(found, key=lambda p: max(p.first - day, day - p.last), default=None)
    return away.id if away else None


def _is_near(plan: Plan, table: Table, day: date) -> bool:
    """Return whether `day` may be meant: one far from the plan's years is a slip of the fingers."""
    first, last = plan.first_day.year - 1, plan.last_day.year + YEARS_BEHIND
    if first <= day.year <= last:
        return True
    table.complain("due", f"{day:%d/%m/%Y} ở xa {plan.time} của kế hoạch")
    return False


def _within(plan: Plan, table: Table) -> DueRule | None:
    word = table.text("within", required=True)
    every = [p for cycle in Cycle for p in cycle_periods(cycle, plan.years)]
    periods = [p for p in every if plan.first_day <= p.last <= plan.last_day]
    if (dated := next((p for p in periods if p.id == word), None)) is not None:
        return Within(dated)
    known = {_suffix(p) or "year": p for p in reversed(periods)}  # of several years the first
    if not table.knows("within", word, known, more=" (Q1, H1, 03 hoặc year)"):
        return None
    return Within(known[word])


def _every(plan: Plan, table: Table) -> DueRule | None:
    word = table.text("every", required=True)
    if not table.knows("every", word, list(Cycle), more=f" ({', '.join(Cycle)})"):
        return None
    cycle = Cycle(word)
    day, month = table.integer("day"), table.integer("month")
    if day is not None and not 1 <= day <= 31:
        table.complain("day", f"`day` = {day}: phải từ 1 đến 31")
        day = None
    if month is not None and not 1 <= month <= _MONTHS[cycle]:
        table.complain("month", f"`month` = {month}: phải từ 1 đến {_MONTHS[cycle]}")
        month = None
    following = table.flag("following")
    if following and month is not None:
        table.complain("month", "chọn một: `month` hoặc `following`")
    if table.has("times") and day is not None:
        table.complain("times", "`times` là số lần không có ngày, nên không đi với `day`")
    own = dict.fromkeys(_suffix(p) for year in plan.years for p in Period.each(cycle, year.year))
    only = [name for name in table.words("only") if table.knows("only", name, own)]
    return Every(cycle, day, frozenset(only), month, following)


def _suffix(period: Period) -> str:
    """Return “Q1” of 2024-Q1; empty for a year."""
    return period.id.partition("-")[2]


def _recurrence(plan: Plan, table: Table) -> DueRule | None:
    rule = table.text("rrule", required=True, longest=300)
    try:
        days = recurrence_days(rule, plan.years)
    except ValueError as error:
        table.complain("rrule", f"rrule “{rule[:60]}” không dùng được: {error}")
        return None
    outside = [day for day in days if not plan.first_day <= day <= plan.last_day]
    if outside or not days:
        what = f"có ngày {outside[0]:%d/%m/%Y} ngoài" if outside else "không có ngày nào trong"
        table.complain("rrule", f"rrule {what} {plan.time}")
        return None
    return Recurrence(rule)


def _awaiting(_: Plan, table: Table) -> DueRule | None:
    if not table.flag("awaiting"):
        table.complain("awaiting", "`awaiting` chỉ ghi true; có ngày thì dùng `due`")
        return None
    return Awaiting(_event(table.table("event")) if table.has("event") else None)


def _event(table: Table) -> AfterEvent | None:
    """Return the event of `event = { name = "nhận văn bản", offset = 5, unit = "working-day" }`."""
    name = table.text("name", required=True, longest=120)
    unit = table.text("unit", required=True)
    offset = table.integer("offset")
    known = table.knows("unit", unit, list(EventUnit), listed=True) if unit else False
    if offset is None and not table.has("offset"):
        table.complain(None, "thiếu `offset`: số ngày sau sự kiện (0: đúng ngày, số âm: trước đó)")
    if offset is not None and abs(offset) > _FARTHEST:
        table.complain("offset", f"`offset` = {offset}: tối đa {_FARTHEST}")
    table.finish()
    return AfterEvent(name=name, offset=offset or 0, unit=EventUnit(unit)) if known else None


_FARTHEST = 400  # days from an event to the due day
_RULES: dict[str, Callable[[Plan, Table], DueRule | None]] = {
    "due": _on_day,
    "within": _within,
    "every": _every,
    "rrule": _recurrence,
    "awaiting": _awaiting,
}


def _numbered(deliverables: list[Deliverable], plan: Plan) -> tuple[Deliverable, ...]:
    """Return the deliverables with numbers: by due day, then awaiting ones, then the check-in.

    A `number` in the file is kept, so that the ledger still refers to the same deliverable when
    others are added during the year.
    """

    def order(deliverable: Deliverable) -> tuple[bool, bool, date]:
        # As written: what `before` comes to may change during the year.
        written = replace(deliverable, before=None)
        first = next((due for _, _, due in instances(written, plan.years)), None)
        return deliverable.kind is Kind.CHECK_IN, first is None, first or date.max

    taken = {d.number for d in deliverables}
    free = (n for n in count(1) if n not in taken)
    numbered = [
        d if d.number else replace(d, number=next(free)) for d in sorted(deliverables, key=order)
    ]
    return tuple(sorted(numbered, key=lambda d: d.number))
