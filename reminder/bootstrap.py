"""Wires the program: the only place that knows every room, and that binds the real clock."""

from __future__ import annotations

import sysconfig
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from reminder.core.errors import FileError, Problem
from reminder.core.plan import Plan
from reminder.core.schedule import Scheduler
from reminder.core.workdays import local
from reminder.files.calendar import load_calendar
from reminder.files.plan import load_plan

_ROOT = Path(__file__).resolve().parent.parent  # of a checkout
_SHARE = Path(sysconfig.get_path("data")) / "share" / "reminder"  # of an installed wheel


def now() -> datetime:
    """The present instant, UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The office's day, now."""
    return local(now()).date()


def shipped(relative: str) -> Path:
    """A file that ships with the program: from here, the checkout, or beside the package."""
    for folder in (Path(), _ROOT, _SHARE):
        if (folder / relative).is_file():
            return folder / relative
    return Path(relative)


def plan_paths(given: Sequence[Path]) -> list[Path]:
    """The plan files that are meant: those given, else all in data/, else the one that ships."""
    return list(given) or sorted(Path("data").glob("plan*.toml")) or [shipped("data/plan2024.toml")]


def load_plans(paths: Sequence[Path]) -> list[Plan]:
    """All plans, or one FileError with the faults of all files."""
    plans: list[Plan] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            plan = load_plan(path)
        except FileError as error:
            problems += error.problems
            continue
        if plan.id in {p.id for p in plans}:
            problems.append(Problem(str(path), None, f"kế hoạch “{plan.id}” có hai tệp"))
        plans.append(plan)
    if problems:
        raise FileError(problems)
    return plans


def scheduler_for(plans: Sequence[Plan], days: Sequence[date] = ()) -> Scheduler:
    """The calendar of all years that the plans and `days` touch, and the policy."""
    years = [plan.year for plan in plans] + [day.year for day in days]
    return Scheduler(load_calendar(shipped("config/calendar.toml"), years))
