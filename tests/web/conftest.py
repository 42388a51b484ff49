"""An office with its page, on the morning of 05/02/2024."""

from __future__ import annotations

from pathlib import Path

import pytest

from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.files.documents import Documents, Sources
from reminder.files.people import people_text
from reminder.files.toml import Text
from tests.conftest import ROOT
from tests.services.world import PEOPLE, at, documents_in, world
from tests.web.browser import Town


@pytest.fixture
def town(plan2024: Plan, scheduler: Scheduler, tmp_path: Path) -> Town:
    return Town(world(plan2024, scheduler), at("05/02", "09:00"), tmp_path)


@pytest.fixture
def documents(town: Town, scheduler: Scheduler) -> Documents:
    """The town's texts in its database; Chi may change them."""
    found = documents_in(town.world.store, scheduler)
    people = Text("people.toml", people_text(PEOPLE))
    found.take_up(Sources([ROOT / "data/plan2024.toml"], people), town.now)
    town.site.editors = frozenset({"chi"})
    town.site.documents = lambda: found
    return found
