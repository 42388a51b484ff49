"""Addresses that are refused, on a channel where some refusals may be taken back."""

from __future__ import annotations

import pytest

from reminder.app.channels import known_channels
from reminder.domain.outbox import AddressSource, ChannelTraits, SendError
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.services.deliver import Rendered
from reminder.services.office import Files, Office
from tests.services.world import CHATS, World, at, person, world

CHAT = ChannelTraits(name="chat", title="Chat", addresses=AddressSource.INVITATION, confirms=True)
PEOPLE = (person("an", "tu-phap", channels=("chat", "email")), person("chi", "van-phong"))


@pytest.fixture
def office(plan2024: Plan, scheduler: Scheduler) -> World:
    """An is enrolled in the chat; the first nudge is of 24/01, a Wednesday."""
    made = world(plan2024, scheduler, people=PEOPLE, bound=("chi",))
    made.service.office = Office(
        files=Files(plans=(plan2024,), people=PEOPLE, scheduler=scheduler),
        channels=("chat", "telegram", "email"),
        known=(*known_channels(), CHAT),
    )
    made.service.begin(at("22/01", "07:00"))
    made.store.bind("an", "chat", CHATS["an"], at("22/01", "07:00"))
    made.tick(at("22/01"))
    return made


def refuse(office: World, *, recheck: bool) -> None:
    error = SendError("không được nhắn", retry=False, address_dead=True, recheck=recheck)
    office.refuse = lambda sent: error if sent.row.draft.channel == "chat" else None


def morning(office: World, day: str) -> list[str]:
    """The ways of An's nudge: each that was tried, the refused ones too."""
    tried: set[str] = set()
    refusing = office.refuse

    def watching(sent: Rendered) -> SendError | None:
        if sent.row.draft.recipient == "an":
            tried.add(sent.row.draft.channel)
        return refusing(sent)

    office.refuse = watching
    for clock in ("08:00", "08:01"):
        office.tick(at(day, clock))
    office.refuse = refusing
    return sorted(tried)


def told(office: World) -> list[str]:
    """What the office was told of dead addresses."""
    return [
        one.message.text for one in office.outgoing if one.row.draft.payload.view == "address-dead"
    ]


def test_a_refused_message_goes_by_the_next_channel_within_a_minute(office: World) -> None:
    """The office is told once, with person and channel; nudges and answers go on by mail."""
    refuse(office, recheck=False)
    assert morning(office, "24/01") == ["chat", "email"]
    (notice,) = told(office)
    assert "không gửi được tin qua Chat cho An" in notice
    sent = office.says("an", "xong 2c", at("24/01", "09:00"), channel="chat")
    sent += office.deliver(at("24/01", "09:01"))
    assert [line.split(":")[0] for line in sent] == ["email an reply"]
    assert len(told(office)) == 1


def test_a_message_of_theirs_revives_it(office: World) -> None:
    """Once something is accepted again, a later refusal is told anew."""
    refuse(office, recheck=False)
    morning(office, "24/01")
    office.refuse = lambda _: None
    sent = office.says("an", "/viec", at("24/01", "09:00"), channel="chat")
    assert [line.split(":")[0] for line in sent] == ["chat an reply"]
    assert morning(office, "29/01") == ["chat"]
    refuse(office, recheck=False)
    morning(office, "31/01")
    assert len(told(office)) == 2


def test_the_first_nudge_of_each_following_week_tries_it_once_more(office: World) -> None:
    """Not within the same week; untold where it fails again; alive where it is accepted."""
    refuse(office, recheck=True)
    assert morning(office, "24/01") == ["chat", "email"]
    days = {day: morning(office, day) for day in ("29/01", "31/01", "01/02", "05/02")}
    assert days == {
        "29/01": ["chat", "email"],
        "31/01": ["email"],
        "01/02": ["email"],
        "05/02": ["chat", "email"],
    }
    assert len(told(office)) == 1
    office.refuse = lambda _: None
    assert morning(office, "19/02") == ["chat"]
    assert [a.dead_since for a in office.store.addresses() if a.channel == "chat"] == [None]
    assert morning(office, "26/02") == ["chat"]


def test_what_is_gone_for_good_is_not_tried(office: World) -> None:
    """An address that the provider no longer knows waits for a message of its person."""
    refuse(office, recheck=False)
    morning(office, "24/01")
    assert [morning(office, day) for day in ("29/01", "05/02")] == [["email"], ["email"]]
