"""Bounces: hard at once, soft at the third mail in a week; the next channel, and the office."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.services.deliver import Bounce
from tests.services.world import World, at, person, world

NOW = at("24/01", "09:00")


@pytest.fixture(scope="module")
def begun(plan2024: Plan, scheduler: Scheduler) -> World:
    """An hears by mail first and by Telegram next; the nudge of 24/01 has gone by mail."""
    people = (person("an", "tu-phap", channels=("email", "telegram")), person("chi", "van-phong"))
    made = world(plan2024, scheduler, people=people)
    made.tick(at("24/01"))
    return made


@pytest.fixture
def office(begun: World) -> World:
    return begun.copy()


def bounce(office: World, **more: Any) -> Bounce:
    mails = [(n, p) for n, p in enumerate(office.outgoing) if p.address == "an@example.vn"]
    values: dict[str, Any] = {
        "channel": "email",
        "address": "an@example.vn",
        "message_id": str(1001 + mails[-1][0]),
        "reason": "5.1.1 user unknown",
        "hard": True,
        "final": True,
    }
    return Bounce(**{**values, **more})


def dead(office: World) -> list[str]:
    return [a.recipient for a in office.store.addresses() if a.dead_since]


def test_a_hard_bounce_marks_the_address_and_goes_to_the_next_channel(office: World) -> None:
    """At once, once: the message comes by Telegram, and the office hears why."""
    assert office.service.bounced(bounce(office), NOW)
    lines = office.deliver(NOW)
    assert sorted(line.split(": ")[0] for line in lines) == [
        "telegram an nudge",
        "telegram chi notice",
    ]
    notice = next(
        p for p in office.outgoing if p.row.draft.kind == "notice" and p in office.outgoing[-2:]
    )
    assert "không có địa chỉ này (5.1.1)" in notice.message.text
    assert dead(office) == ["an"]
    office.service.bounced(bounce(office), NOW)
    assert office.deliver(NOW) == []


def test_soft_bounces_of_three_mails_in_a_week_kill_the_address(office: World) -> None:
    """One mail's repeated warnings count once; older ones are forgotten."""
    soft = {"hard": False, "final": False, "reason": "4.2.2 mailbox full"}
    for n in range(5):
        assert not office.service.bounced(bounce(office, **soft), NOW + timedelta(hours=n))
    assert not office.service.bounced(bounce(office, message_id="<a@b>", **soft), NOW)
    later = NOW + timedelta(days=8)
    assert not office.service.bounced(bounce(office, message_id="<c@d>", **soft), later)
    assert not office.service.bounced(bounce(office, message_id="<e@f>", **soft), later)
    assert dead(office) == []
    assert office.service.bounced(bounce(office, message_id="<g@h>", **soft), later)
    assert dead(office) == ["an"]


def test_a_soft_bounce_that_is_final_sends_this_mail_on(office: World) -> None:
    """A full mailbox: the address lives, the message comes by the next channel."""
    full = bounce(office, hard=False, reason="5.2.2 mailbox full")
    assert not office.service.bounced(full, NOW)
    assert [line.split(": ")[0] for line in office.deliver(NOW)] == ["telegram an nudge"]
    assert dead(office) == []


def test_a_bounce_of_nobodys_mail_changes_nothing(office: World) -> None:
    """An address that no mail went to."""
    assert not office.service.bounced(bounce(office, address="la@example.vn"), NOW)
    assert (office.deliver(NOW), dead(office)) == ([], [])
