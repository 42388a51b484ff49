"""How the ledger's entries are named."""

from __future__ import annotations

from dataclasses import replace

from reminder.domain.ledger import Event, EventKind
from reminder.domain.plan import Key, Plan
from reminder.messages.proof import what_words
from tests.services.world import at


def test_a_product_that_is_gone_from_the_plan_is_named_by_its_task(plan2024: Plan) -> None:
    """What was recorded of it stays; the products that are left keep their names."""
    plan = plan2024
    task = plan.by_code["1d"]
    first, second = task.deliverables
    left = replace(task, deliverables=(second,))
    changed = replace(plan, tasks=tuple(left if t.code == "1d" else t for t in plan.tasks))

    def named(number: int, of: Plan) -> str:
        key = Key(plan.id, "1d", number, "2024")
        event = Event(key=key, kind=EventKind.DONE, at=at("20/02"), unit="tu-phap", by="an")
        return what_words(event, [of])

    assert [named(n, plan) for n in (1, 2)] == [f"1d {first.name}", f"1d {second.name}"]
    assert [named(n, changed) for n in (1, 2)] == ["1d", f"1d {second.name}"]
