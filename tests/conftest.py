"""The plan of 2024 and its calendar, as the program loads them; a PostgreSQL where one is."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.main
import typer.testing
from hypothesis import settings

from reminder.domain.calendar import WorkCalendar
from reminder.domain.errors import Problem
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.files import plan as plan_files
from reminder.files.calendar import load_calendar
from reminder.files.plan import load_plan, read_plan
from reminder.files.toml import Source
from tests.postgres import WHY_NOT, Server, programs, server

# The tests start Python some hundred times: without kept bytecode each start compiles the program
# anew, and each worker the tests.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# No timed asserts; in CI the same examples every time, elsewhere new ones at each run, so that few
# of them will do.
FIXED = "CI" in os.environ
settings.register_profile("few", deadline=None, max_examples=15, derandomize=FIXED)
settings.register_profile("thorough", deadline=None, max_examples=50, derandomize=FIXED)
settings.load_profile("few")


def examples(most: int) -> int:
    """How many to try of what makes up so many where the thorough tests are run."""
    return max(3, most * settings().max_examples // 50)


# The tree of commands takes Typer longer than most commands take, and tests run hundreds.
typer.main.get_command = cache(typer.main.get_command)
vars(typer.testing)["_get_command"] = typer.main.get_command

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "data/plan2024.toml"


def pytest_configure(config: pytest.Config) -> None:
    """Try three times as many made-up examples where the thorough tests are run."""
    if not config.option.markexpr:
        settings.load_profile("thorough")


def pytest_collection_finish() -> None:
    """Exclude modules and collected tests from garbage collection: they stay to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def plan2024() -> Plan:
    return load_plan(SHIPPED)


@pytest.fixture(scope="session", autouse=True)
def _shipped_plan_is_read_once() -> Iterator[None]:
    """Some hundred tests start the program on the shipped plan, which is never changed."""
    found = read_plan(SHIPPED)

    def read(path: Source) -> tuple[Plan, tuple[Problem, ...]]:
        return found if path == SHIPPED else read_plan(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_files, "read_plan", read)
        yield


@pytest.fixture(scope="session")
def calendar2024() -> WorkCalendar:
    return load_calendar(ROOT / "config/calendar.toml", [2023, 2024, 2025, 2026])


@pytest.fixture(scope="session")
def scheduler(calendar2024: WorkCalendar) -> Scheduler:
    return Scheduler(calendar2024)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The server that all processes of this run share; skips where none can be had."""
    if programs() is None:
        pytest.skip(WHY_NOT)
    with server(os.environ.get("PYTEST_XDIST_TESTRUNUID")) as found:
        yield found


@pytest.fixture
def postgres_database(postgres: Server) -> Iterator[str]:
    """The name of a database of one test, at the newest schema, with nothing in it."""
    name = postgres.make()
    yield name
    postgres.drop(name)


@pytest.fixture
def postgres_url(postgres: Server, postgres_database: str) -> str:
    """The address of `postgres_database`, as an ordinary role."""
    return postgres.url(postgres_database)


@pytest.fixture
def lent_postgres_url(postgres: Server) -> Iterator[str]:
    """As `postgres_url`, for a test that leaves the schema as it is: a database used before."""
    with postgres.lend() as name:
        yield postgres.url(name)


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    logger = logging.getLogger()
    level, handlers = logger.level, list(logger.handlers)
    yield logger
    logger.setLevel(level)
    logger.handlers[:] = handlers
