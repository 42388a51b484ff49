"""A country of wards: copies of the plan, each with units and officers of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path

from reminder.app import bootstrap
from reminder.app.channels import known_channels
from reminder.domain.calendar import instant
from reminder.domain.people import Person
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.messages.rows import RowRenderer
from reminder.services.office import Files, Office
from reminder.services.service import Service
from reminder.store.store import Store, open_store

NATION = 3321  # communes, wards and special zones since 1 July 2025
BEFORE, SLOT = time(7, 0), time(8, 0)


def base() -> tuple[Plan, Scheduler]:
    """The plan of 2024 and its calendar."""
    plan = bootstrap.load_plans([bootstrap.shipped("data/plan2024.toml")])[0]
    return plan, bootstrap.scheduler_for([plan])


def copies(plan: Plan, count: int) -> tuple[Plan, ...]:
    """`count` wards; of one alone the plan itself."""
    return (plan,) if count == 1 else tuple(_copy(plan, n) for n in range(count))


def _copy(plan: Plan, number: int) -> Plan:
    def own(unit: str) -> str:
        return f"w{number}-{unit}"

    return replace(
        plan,
        id=f"{plan.id}-w{number}",
        office=own(plan.office),
        leaders=own(plan.leaders),
        units=tuple(replace(unit, id=own(unit.id)) for unit in plan.units),
        tasks=tuple(
            replace(task, lead=tuple(map(own, task.lead)), support=tuple(map(own, task.support)))
            for task in plan.tasks
        ),
    )


def officers(plans: tuple[Plan, ...]) -> tuple[Person, ...]:
    """One officer for each unit."""
    return tuple(
        Person(id=unit.id, name=f"Công chức {unit.name}", units=(unit.id,), channels=("telegram",))
        for plan in plans
        for unit in plan.units
    )


def bind(store: Store, people: tuple[Person, ...], at: datetime) -> None:
    """Each has a chat, in one transaction."""
    with store.together():
        for n, person in enumerate(people, start=1):
            store.bind(person.id, "telegram", str(n), at)


@contextmanager
def service(
    plans: tuple[Plan, ...], scheduler: Scheduler, path: Path | None = None
) -> Iterator[Service]:
    """A service on a SQLite database, `path` or a new one, all of whose people are enrolled."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{path or Path(folder) / 'r.db'}"
        store = open_store(url, exclusive=True, sleep=bootstrap.pause)
        people = officers(plans)
        if not store.addresses():
            bind(store, people, instant(date(2024, 1, 22), BEFORE))
        files = Files(plans=plans, people=people, scheduler=scheduler)
        made = Service(
            store=store,
            renderer=RowRenderer().render,
            office=Office(files=files, channels=("telegram",), known=known_channels()),
        )
        try:
            yield made
        finally:
            store.close()
