"""Whatever a message prints as an address is understood by every verb, as its own occurrence.

Rule 7 of how an answer is read: an instance that can't be told apart is never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from functools import cache
from pathlib import Path

import pytest

from reminder.domain.calendar import instant
from reminder.domain.ledger import State
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.files.calendar import load_calendar
from reminder.files.plan import load_plan
from reminder.messages.context import Context, Work
from reminder.services.office import Files, Office
from reminder.understanding.model import Command, Meaning, Target
from reminder.understanding.parse import parse

# What it runs is covered elsewhere, and much repeated here.
pytestmark = [pytest.mark.no_cover, pytest.mark.thorough]
ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
PLANS = {
    "2024": (ROOT / "data" / "plan2024.toml",),
    "own codes": (DATA / "codes.toml",),
    "two plans": (ROOT / "data" / "plan2024.toml", DATA / "codes.toml"),
}
DAYS = (date(2024, 1, 10), date(2024, 1, 30), date(2024, 3, 6), date(2024, 7, 17))
FORMS = (
    "xong {}", "{} xong", "đã xong {} ạ", "{} đã gửi văn phòng rồi", "{} chưa xong",
    "chưa xong {}", "{} đang làm", "trình ký {}", "{} đã trình ký", "bị trả lại {}",
    "hoàn tác {}", "em bấm nhầm {}", "ghi chú {}: chờ số liệu", "{} vướng số liệu",
    "gia hạn {} đến 20/12/2024 vì chờ số liệu", "{} xin gia hạn đến 20/12/2024",
    "xin lùi {} đến 20/12/2024", "nhắc sau {} 3 ngày", "/dathan {} 20/12/2024 chờ", "/xacnhan {}",
    "/dongy {}", "/khongdongy {}: thiếu lý do", "/molai {}: báo nhầm", "/nhacngay {}",
    "/lichsu {}", "/xong {}", "/done {}: xong", "/tralai {}: sai", "việc {}",
)  # fmt: skip
OF_CHECK_INS = ("cập nhật {}: 3 văn bản", "/update {} 3 văn bản", "{} bình thường")


@cache
def plans(name: str) -> tuple[Plan, ...]:
    return tuple(load_plan(path) for path in PLANS[name])


@cache
def scene(name: str, day: date) -> Context:
    """The plans on `day`, nothing ever answered."""
    calendar = load_calendar(ROOT / "config/calendar.toml", [2023, 2024, 2025])
    files = Files(plans=plans(name), people=(), scheduler=Scheduler(calendar))
    return Context(office=Office(files), at=instant(day, time(9)))


def meant(context: Context, target: Target, *, standing: bool) -> list[State]:
    """The open occurrences that `target` may mean; standing work's, or of products."""
    return [
        state
        for key, state in context.states.items()
        if key.task == target.task
        and state.occurrence.is_check_in == standing
        and target.plan in (None, key.plan)
        and (not target.deliverables or key.deliverable in target.deliverables)
        and (
            target.period == key.period
            or (target.period is None and not state.occurrence.deliverable.recurs)
            or (target.period is None and state.occurrence.opens <= context.today)
        )
    ]


def printed(context: Context) -> Iterator[tuple[State, str]]:
    """Every occurrence that a message may name, with its address."""
    for state in context.states.values():
        yield state, Work(context, state).name


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("day", DAYS)
def test_every_verb_understands_every_printed_address(name: str, day: date) -> None:
    """Before it and behind it; of standing work, with the verbs that its messages offer."""
    context = scene(name, day)
    missed: list[tuple[str, str]] = []
    for state, address in printed(context):
        standing = state.occurrence.is_check_in
        meaning = Meaning(plans=plans(name), units=state.occurrence.task.lead, office=True)
        for form in OF_CHECK_INS if standing else FORMS:
            said = parse(form.format(address), day, meaning)
            targets = said.targets if isinstance(said, Command) and not said.also else ()
            if [meant(context, each, standing=standing) for each in targets] != [[state]]:
                missed.append((form, address))
    assert missed == []
