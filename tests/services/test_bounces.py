"""Bounces are claims: the message goes on, and only a second one ends the address."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from reminder.domain.outbox import RowState
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.domain.tokens import BOUNCE_LIFETIME
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
        "reason": "không có hộp thư này (5.1.1)",
        "said": "user unknown",
        "claimed_by": "mailer-daemon@xa.example",
        "hard": True,
        "final": True,
    }
    return Bounce(**{**values, **more})


FULL = {"hard": False, "reason": "hộp thư đã đầy (5.2.2)", "said": "mailbox full"}


def dead(office: World) -> list[str]:
    return [a.recipient for a in office.store.addresses() if a.dead_since]


def returned(office: World) -> list[str]:
    return [row.error for row in office.store.rows(states=[RowState.RETURNED])]


def notices(office: World) -> list[str]:
    return [p.message.text for p in office.outgoing if p.row.draft.kind == "notice"]


def next_mail(office: World, day: str, hour: str = "08:00") -> datetime:
    """Tick until An has had another mail; return a moment after it."""
    before = len([p for p in office.outgoing if p.address == "an@example.vn"])
    office.tick(at(day, hour))
    assert len([p for p in office.outgoing if p.address == "an@example.vn"]) > before
    return at(day, "09:00")


def test_a_hard_bounce_sends_the_message_on_and_makes_the_address_a_suspect(office: World) -> None:
    """The message goes by Telegram; the office reads who claims what; the row says “returned”."""
    assert office.service.bounced(bounce(office), NOW)
    lines = office.deliver(NOW)
    assert sorted(line.split(": ")[0] for line in lines) == [
        "telegram an nudge",
        "telegram chi notice",
    ]
    said = notices(office)[-1]
    for words in (
        "tin nhắc gửi An (an@example.vn): không có hộp thư này (5.1.1)",
        "Nơi báo: mailer-daemon@xa.example",
        "gửi tiếp qua Telegram",
        "Nếu thư kế tiếp cũng bị trả lại, máy sẽ ngừng",
    ):
        assert words in said
    assert dead(office) == []
    assert returned(office) == ["thư bị trả lại: không có hộp thư này (5.1.1) (user unknown)"]
    assert not office.service.bounced(bounce(office), NOW)  # the same once more
    assert office.deliver(NOW) == []


def test_the_address_is_dead_when_a_mail_sent_after_the_first_bounce_bounces(
    office: World,
) -> None:
    """The next mail is the probe."""
    office.service.bounced(bounce(office), NOW)
    office.deliver(NOW)
    later = next_mail(office, "26/01")
    assert office.service.bounced(bounce(office), later)
    office.deliver(later)
    assert dead(office) == ["an"]
    assert "không gửi được tin qua thư điện tử cho An" in notices(office)[-1]


def test_a_mail_that_had_left_before_the_first_bounce_is_no_probe(office: World) -> None:
    """Two mails of one morning come back: one suspicion."""
    later = next_mail(office, "26/01")
    mails = [n for n, p in enumerate(office.outgoing) if p.address == "an@example.vn"]
    assert office.service.bounced(bounce(office, message_id=str(1001 + mails[0])), later)
    assert office.service.bounced(bounce(office), later)
    assert dead(office) == []


def test_three_full_mailboxes_in_a_week_end_the_address(office: World) -> None:
    """Each of a mail that was sent after the bounce before it."""
    now = NOW
    for day in ("26/01", "30/01"):
        assert office.service.bounced(bounce(office, **FULL), now)
        assert dead(office) == []
        now = next_mail(office, day)
    assert office.service.bounced(bounce(office, **FULL), now)
    assert dead(office) == ["an"]


def test_a_full_mailbox_sends_this_mail_on_and_says_so_on_the_row(office: World) -> None:
    """The address lives; with another channel the office has nothing to do."""
    assert office.service.bounced(bounce(office, **FULL), NOW)
    assert [line.split(": ")[0] for line in office.deliver(NOW)] == ["telegram an nudge"]
    assert dead(office) == []
    assert returned(office) == ["thư bị trả lại: hộp thư đã đầy (5.2.2) (mailbox full)"]


def test_a_full_mailbox_of_who_has_no_other_way_is_told_to_the_office(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """The same day, once."""
    people = (person("an", "tu-phap", channels=("email",)), person("chi", "van-phong"))
    office = world(plan2024, scheduler, people=people)
    office.tick(at("24/01"))
    assert office.service.bounced(bounce(office, **FULL), NOW)
    assert [line.split(": ")[0] for line in office.deliver(NOW)] == ["telegram chi notice"]
    assert "Không còn cách nào khác để gửi: xin báo giúp người này." in notices(office)[-1]
    assert "Máy chưa ngừng" not in notices(office)[-1]


def test_a_delay_changes_nothing(office: World) -> None:
    """The other server goes on trying."""
    assert office.service.bounced(bounce(office, final=False, **FULL), NOW)
    assert (office.deliver(NOW), dead(office), returned(office)) == ([], [], [])


@pytest.mark.parametrize(
    "claim",
    [{"address": "la@example.vn"}, {"message_id": "<invented@x>"}],
    ids=["another address", "another mail"],
)
def test_a_bounce_of_no_mail_of_ours_changes_nothing(office: World, claim: dict[str, str]) -> None:
    """Nothing is sent, and the caller hears that it was not believed."""
    assert not office.service.bounced(bounce(office, **claim), NOW)
    assert (office.deliver(NOW), dead(office), returned(office)) == ([], [], [])


def test_a_bounce_that_comes_after_a_week_changes_nothing(office: World) -> None:
    """Servers give up after five days."""
    assert not office.service.bounced(bounce(office), NOW + BOUNCE_LIFETIME)
    assert (dead(office), returned(office)) == ([], [])
