"""“chưa xong”, “đang làm”: an answer that closes nothing, told to whoever hears of the delay."""

from __future__ import annotations

import pytest

from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from tests.services.world import World, at, world


@pytest.fixture(scope="module")
def begun(plan2024: Plan, scheduler: Scheduler) -> World:
    made = world(plan2024, scheduler)
    made.tick(at("22/01", "07:00"))
    made.tick(at("22/01", "07:30"))
    return made


@pytest.fixture
def office(begun: World) -> World:
    return begun.copy()


def answers(office: World) -> list[str]:
    """What the ledger has, with its words."""
    return [f"{r.event.kind} {r.event.key.task} {r.event.note}" for r in office.store.events()]


def last_to(office: World, who: str) -> str:
    return next(p.message.text for p in reversed(office.outgoing) if p.row.draft.recipient == who)


def to_late(office: World) -> str:
    """Ticks to the first day of delay; what the office reads of 1c then."""
    for day in ("24/01", "26/01", "30/01", "31/01", "01/02"):
        office.tick(at(day))
    lines = last_to(office, "chi").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("• 1c"))
    return lines[start + 1]


@pytest.mark.parametrize("words", ["chưa xong", "đang làm"])
def test_the_office_reads_what_the_unit_answered(office: World, words: str) -> None:
    """Late work of which that alone was said: by whom and when, not that nobody has answered."""
    (line,) = office.says("an", f"1c {words}", at("24/01", "09:12"))
    assert "1c" in line
    assert answers(office) == [f"answered 1c {words}"]
    assert to_late(office) == (
        "Đã nhắc 5 lần qua thư điện tử và Telegram, gần nhất 08:00 hôm nay. "
        f"Phản hồi gần nhất: {words} (09:12 Thứ Tư 24/01, An)."
    )
    office.says("an", "1c vướng số liệu của thuế", at("01/02", "09:00"))
    office.tick(at("05/02"))
    assert "Lý do bộ phận nêu: vướng số liệu của thuế." in last_to(office, "lan")


def test_without_an_answer_it_is_said_so(office: World) -> None:
    """“vâng” says that it was read, and nothing of the work."""
    office.says("an", "1c vâng", at("24/01", "09:12"))
    assert answers(office) == []
    assert to_late(office).endswith("Chưa có phản hồi.")


def test_the_leaders_read_it_where_no_reason_was_given(office: World) -> None:
    """An answer is no reason; the history has it too."""
    office.says("an", "chưa xong 1c", at("31/01", "15:00"))
    to_late(office)
    office.tick(at("05/02"))
    assert (
        "Lý do bộ phận nêu: chưa có. Phản hồi gần nhất: chưa xong (15:00 Thứ Tư 31/01, An)."
    ) in last_to(office, "lan")
    office.says("an", "/lichsu 1c", at("05/02", "09:00"))
    assert "15:00 Thứ Tư 31/01, An qua Telegram: trả lời, chưa xong" in last_to(office, "an")


def test_a_bare_answer_is_to_the_last_nudge(office: World) -> None:
    """Where that named one thing; of several, or days later, nothing is known to be meant."""
    office.tick(at("24/01"))
    assert "1c" in last_to(office, "an")
    office.says("an", "chưa xong", at("24/01", "09:00"))
    office.says("an", "chưa xong ạ", at("24/01", "09:05"))  # said once today
    office.says("an", "xong", at("24/01", "09:06"))  # closes nothing without a code
    office.says("an", "đang làm", at("30/01", "07:00"))  # the nudge of 26/01 named two
    assert answers(office) == ["answered 1c chưa xong"]
