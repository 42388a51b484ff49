"""The differences between two versions of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from reminder.domain.calendar import vn_date, with_period
from reminder.domain.plan import Occurrence, Plan, Task, occurrences

Slots = dict[tuple[int, int, str], Occurrence]


def diff(old: Plan, new: Plan) -> list[str]:
    """Return the changes from `old` to `new`, a Vietnamese line each, whatever the year."""
    lines = [
        f"sửa kế hoạch: {what}: {_or_none(was)} → {_or_none(now)}"
        for what, was, now in (
            ("văn bản", old.document, new.document),
            ("“trước ngày”", _before(old), _before(new)),
        )
        if was != now
    ]
    lines += [f"bỏ {task.code}: {task.title}" for task in old.tasks if task.code not in new.by_code]
    ours, theirs = _by_slot(old), _by_slot(new)
    for task in new.tasks:
        before = old.by_code.get(task.code)
        slots = (ours.get(task.code, {}), theirs.get(task.code, {}))
        changes = _of_task(old, new, before, task, *slots) if before else [("thêm", task.title)]
        lines += [f"{kind} {task.code}: {text}" for kind, text in changes]
    return lines


def diff_of_names(old: Plan, new: Plan) -> list[str]:
    """Return the changes that move no work: titles, units, sections, and how products are named."""
    pairs = [("tên kế hoạch", old.title, new.title)]
    pairs += [(f"phần {key}", old.sections.get(key, ""), new.sections.get(key, ""))
              for key in dict.fromkeys([*old.sections, *new.sections])]  # fmt: skip
    for unit in dict.fromkeys([*old.by_unit, *new.by_unit]):
        was, now = old.by_unit.get(unit), new.by_unit.get(unit)
        pairs.append((f"bộ phận {unit}", was.name if was else "", now.name if now else ""))
        if was and now:
            pairs.append((f"tên ngắn của {unit}", was.short, now.short))
            spellings = (", ".join(was.spellings), ", ".join(now.spellings))
            pairs.append((f"cách ghi khác của {unit}", *spellings))
    lines = [f"sửa {what}: {_or_none(a)} → {_or_none(b)}" for what, a, b in pairs if a != b]
    known = {(task.code, one.number): one for task in old.tasks for one in task.deliverables}
    for task in new.tasks:
        for one in task.deliverables:
            was_one = known.get((task.code, one.number))
            if was_one is None:
                continue
            for what, a, b in (
                ("sản phẩm", was_one.product, one.product),
                ("kế hoạch ghi", was_one.phrase, one.phrase),
            ):
                if a != b:
                    lines.append(
                        f"sửa {task.code}: {one.name}, {what}: {_or_none(a)} → {_or_none(b)}"
                    )
    return lines


def _before(plan: Plan) -> str:
    used = any(deliverable.before for task in plan.tasks for deliverable in task.deliverables)
    return plan.before.words if used else ""


def _of_task(
    old: Plan, new: Plan, before: Task, after: Task, ours: Slots, theirs: Slots
) -> Iterator[tuple[str, str]]:
    facts = {
        "tên": (before.title, after.title),
        "nguyên văn": (before.full_title, after.full_title),
        "mã trong văn bản": (before.written, after.written),
        "chủ trì": (_names(old, before.lead), _names(new, after.lead)),
        "phối hợp": (_names(old, before.support), _names(new, after.support)),
        "xác nhận": (before.confirm.value, after.confirm.value),
    }
    for what, (was, now) in facts.items():
        if was != now:
            yield "sửa", f"{what}: {_or_none(was)} → {_or_none(now)}"
    slots = dict.fromkeys([*ours, *theirs])
    told = (change for s in slots for change in _of_occurrence(ours.get(s), theirs.get(s)))
    yield from dict.fromkeys(told)  # what is true of all periods once


def _of_occurrence(was: Occurrence | None, now: Occurrence | None) -> Iterator[tuple[str, str]]:
    if was and now:
        old, new = was.deliverable, now.deliverable
        if old.name != new.name:
            yield "sửa", f"sản phẩm số {new.number}: {old.name} → {new.name}"
        if old.kind != new.kind:
            yield "sửa", f"loại: {old.kind} → {new.kind}"
        if old.times_words != new.times_words:
            yield "sửa", f"{new.name}: {_or_none(old.times_words)} → {_or_none(new.times_words)}"
        if (old.opens, new.opens) != (None, None) and was.opens != now.opens:
            yield "dời", f"{_name(now)}: mở từ {_day(was.opens)} → {_day(now.opens)}"
        if _due(was) != _due(now):
            yield "dời", f"{_name(now)}: {_due(was)} → {_due(now)}"
    elif now:
        yield "thêm", f"{_name(now)}, {_due(now)}"
    elif was:
        yield "bỏ", f"{_name(was)}, {_due(was)}"


def _by_slot(plan: Plan) -> dict[str, Slots]:
    """Return each task's occurrences by deliverable, and by year (from the first) and period."""
    found: dict[str, Slots] = {}
    for o in occurrences(plan):
        slot = (o.key.deliverable, o.period.year - plan.year, o.key.period.partition("-")[2])
        found.setdefault(o.key.task, {})[slot] = o
    return found


def _names(plan: Plan, units: tuple[str, ...]) -> str:
    return ", ".join(plan.by_unit[unit].name for unit in units)


def _name(occurrence: Occurrence) -> str:
    name = occurrence.deliverable.name
    recurs = occurrence.deliverable.recurs
    return with_period(name, occurrence.period_name) if recurs else name


def _due(occurrence: Occurrence) -> str:
    if occurrence.due is None:
        event = occurrence.deliverable.event
        return f"chưa có hạn ({event.words})" if event else "chưa có hạn"
    word = "hạn dự kiến" if occurrence.deliverable.assumed else "hạn"
    return f"{word} {_day(occurrence.due)}"


def _day(day: date) -> str:
    return vn_date(day, year=True)


def _or_none(text: str) -> str:
    return text or "không"
