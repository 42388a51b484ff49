"""The differences between two versions of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reminder.domain.calendar import vn_date, with_period
from reminder.domain.plan import Occurrence, Plan, Task, occurrences


class ChangeKind(StrEnum):
    """The kinds of change, in the order in which they are listed."""

    ADDED = "thêm"
    DROPPED = "bỏ"
    MOVED = "dời"
    CHANGED = "sửa"


@dataclass(frozen=True, slots=True)
class Change:
    """One change, in Vietnamese, for the office and the log."""

    kind: ChangeKind
    task: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind} {self.task}: {self.text}"


def diff(old: Plan, new: Plan) -> list[Change]:
    """The changes from `old` to `new`, in the order of the tasks, whatever the year."""
    changes = [
        Change(ChangeKind.DROPPED, task.code, task.title)
        for task in old.tasks
        if task.code not in new.by_code
    ]
    for task in new.tasks:
        before = old.by_code.get(task.code)
        if before is None:
            changes.append(Change(ChangeKind.ADDED, task.code, task.title))
        else:
            changes += _task_changes(old, new, before, task)
    return changes


def _task_changes(old: Plan, new: Plan, before: Task, after: Task) -> list[Change]:
    facts = {
        "tên": (before.title, after.title),
        "chủ trì": (_names(old, before.lead), _names(new, after.lead)),
        "phối hợp": (_names(old, before.support), _names(new, after.support)),
        "xác nhận": (before.confirm.value, after.confirm.value),
    }
    changed = [
        Change(ChangeKind.CHANGED, after.code, f"{what}: {was or 'không'} → {now or 'không'}")
        for what, (was, now) in facts.items()
        if was != now
    ]
    return changed + _occurrence_changes(old, new, after.code)


def _occurrence_changes(old: Plan, new: Plan, code: str) -> list[Change]:
    before, after = _by_slot(old, code), _by_slot(new, code)
    changes = []
    for slot in dict.fromkeys([*before, *after]):
        was, now = before.get(slot), after.get(slot)
        if was is None and now is not None:
            changes.append(Change(ChangeKind.ADDED, code, f"{_name(now)}, {_due(now)}"))
        elif now is None and was is not None:
            changes.append(Change(ChangeKind.DROPPED, code, f"{_name(was)}, {_due(was)}"))
        elif was is not None and now is not None:
            changes += _one(code, was, now)
    return changes


def _one(code: str, was: Occurrence, now: Occurrence) -> list[Change]:
    changes = []
    if was.deliverable.name != now.deliverable.name:
        text = f"sản phẩm số {now.key.deliverable}: {was.deliverable.name} → {now.deliverable.name}"
        changes.append(Change(ChangeKind.CHANGED, code, text))
    if was.deliverable.kind != now.deliverable.kind:
        text = f"loại: {was.deliverable.kind} → {now.deliverable.kind}"
        changes.append(Change(ChangeKind.CHANGED, code, text))
    if _due(was) != _due(now):
        changes.append(Change(ChangeKind.MOVED, code, f"{_name(now)}: {_due(was)} → {_due(now)}"))
    return changes


def _by_slot(plan: Plan, code: str) -> dict[tuple[int, str], Occurrence]:
    """Occurrences by deliverable and by their period without its year."""
    return {
        (o.key.deliverable, o.key.period.partition("-")[2]): o
        for o in occurrences(plan)
        if o.key.task == code
    }


def _names(plan: Plan, units: tuple[str, ...]) -> str:
    return ", ".join(plan.by_unit[unit].name for unit in units)


def _name(occurrence: Occurrence) -> str:
    name = occurrence.deliverable.name
    recurs = occurrence.deliverable.recurs
    return with_period(name, occurrence.period.name) if recurs else name


def _due(occurrence: Occurrence) -> str:
    if occurrence.due is None:
        return "chưa có hạn"
    word = "hạn dự kiến" if occurrence.deliverable.assumed else "hạn"
    return f"{word} {vn_date(occurrence.due, year=True)}"
