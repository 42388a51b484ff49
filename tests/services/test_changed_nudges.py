"""What a new version of a plan changes in its reminders, told before it counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from reminder.domain.calendar import Cycle
from reminder.domain.plan import DueRule, Every, OnDay, Plan
from reminder.domain.schedule import Scheduler
from reminder.services.simulation import changed_nudges
from tests.services.world import at

MOVED = "dời 24/01 → 22/3, 26/01 → 26/3, 30/01 → 28/3, 31/01 → 29/3"
NOW = at("22/01", "07:00")


def moved(plan: Plan, rule: DueRule) -> Plan:
    """The plan with another due rule for 1c, which is due on 31/01/2024."""
    task = plan.by_code["1c"]
    (one,) = task.deliverables
    changed = replace(task, deliverables=(replace(one, rule=rule),))
    return replace(plan, tasks=tuple(changed if t.code == "1c" else t for t in plan.tasks))


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (OnDay(date(2024, 1, 31)), []),
        (
            OnDay(date(2024, 3, 29)),
            [f"1c Quyết định, Tư pháp: {MOVED}; thêm 15/3"],
        ),
        (
            OnDay(date(2024, 1, 17)),
            [
                "1c Quyết định, Tư pháp: bỏ 24/01, 26/01, 30/01, 31/01",
                "1c Quyết định: hạn 17/01 đã qua, máy báo quá hạn ngay nếu chưa báo xong",
            ],
        ),
        (
            Every(Cycle.MONTH),
            ["1c Quyết định, Tư pháp: bỏ 24/01, 30/01; thêm 21 lần (26/02, 29/02, …, 31/12)"],
        ),
    ],
)
def test_nudges_that_come_go_and_move_are_told_by_product_and_unit(
    plan2024: Plan, scheduler: Scheduler, rule: DueRule, told: list[str]
) -> None:
    new = moved(plan2024, rule)
    assert changed_nudges((plan2024, scheduler), (new, scheduler), {}, NOW) == told


def test_a_plan_that_comes_or_goes_has_all_its_nudges_told(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    only = replace(plan2024, tasks=(plan2024.by_code["1c"],))
    come = changed_nudges((None, scheduler), (only, scheduler), {}, NOW)
    gone = changed_nudges((only, scheduler), (None, scheduler), {}, NOW)
    days = "24/01, 26/01, 30/01, 31/01"
    assert come == [f"1c Quyết định, Tư pháp: thêm {days}"]
    assert gone == [f"1c Quyết định, Tư pháp: bỏ {days}"]
