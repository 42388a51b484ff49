"""An office with its page, on the morning of 05/02/2024."""

from __future__ import annotations

from pathlib import Path

import pytest

from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from tests.services.world import at, world
from tests.web.browser import Town


@pytest.fixture
def town(plan2024: Plan, scheduler: Scheduler, tmp_path: Path) -> Town:
    return Town(world(plan2024, scheduler), at("05/02", "09:00"), tmp_path)
