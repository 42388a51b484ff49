"""A channel that the services have never heard of: its traits are all that they look at."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reminder.app.channels import known_channels
from reminder.domain.outbox import AddressSource, ChannelTraits, SendError
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.domain.tokens import hash_code
from reminder.services.office import Files, Office
from tests.services.world import World, at, person, world

SMS = ChannelTraits(name="sms", title="SMS", addresses=AddressSource.INVITATION)
PAGER = ChannelTraits(
    name="pager", title="Pager", addresses=AddressSource.INVITATION, groups=True, edits=True
)
PEOPLE = (
    person("an", "tu-phap", channels=("sms", "email")),
    person("binh", "tu-phap", channels=("pager",)),
    person("chi", "van-phong", channels=("sms",)),
)


@pytest.fixture
def office(plan2024: Plan, scheduler: Scheduler) -> World:
    """The office of the tests on SMS, a pager and mail; An and Chi are enrolled by SMS."""
    made = world(plan2024, scheduler, people=PEOPLE, bound=())
    files = Files(plans=(plan2024,), people=PEOPLE, scheduler=scheduler)
    made.service.office = Office(
        files=files,
        channels=("sms", "pager", "email"),
        known=(*known_channels(), SMS, PAGER),
    )
    for who in ("an", "chi"):
        enrol(made, who, "sms")
    for clock in ("07:00", "07:30"):
        made.tick(at("22/01", clock))
    return made


def enrol(office: World, who: str, channel: str) -> None:
    now = at("22/01", "07:00")
    office.store.invite(who, hash_code(who), now + timedelta(hours=1))
    (welcome,) = office.says(who, f"/start {who}", now, channel=channel)
    assert welcome.startswith(f"{channel} stranger:")


def test_who_is_enrolled_on_it_is_nudged_and_answers(office: World) -> None:
    """What buttons would do stands in the message as one types it."""
    office.tick(at("24/01"))
    (nudge,) = (p for p in office.outgoing if p.row.draft.kind == "nudge")
    assert (nudge.row.draft.channel, nudge.row.draft.recipient) == ("sms", "an")
    assert "xong 1c" in nudge.message.text
    (reply,) = office.says("an", "xong 1c", at("24/01", "09:00"), channel="sms")
    assert reply.startswith("sms an reply: ")
    assert office.events() == ["done 1c.1 2024 tu-phap an"]
    assert office.store.events()[-1].event.channel == "sms"


def test_where_it_fails_the_next_channel_goes_on(office: World) -> None:
    """As from Telegram to mail."""
    office.refuse = lambda rendered: (
        SendError("no credit", retry=False) if rendered.row.draft.channel == "sms" else None
    )
    sent = office.tick(at("24/01"))
    assert [line.split(":")[0] for line in sent] == ["email an nudge"]


def test_only_a_channel_that_edits_is_edited(office: World) -> None:
    """The colleague's nudge on the pager is, once the work is done; that by SMS is left."""
    enrol(office, "binh", "pager")
    office.tick(at("24/01"))
    sent = office.says("binh", "xong 1c", at("24/01", "09:00"), channel="pager")
    assert [line.split(":")[0] for line in sent] == ["pager binh reply"]
    office.says("an", "hoàn tác 1c", at("24/01", "09:05"), channel="sms")
    sent = office.says("an", "xong 1c", at("24/01", "09:10"), channel="sms")
    assert [line.split(":")[0] for line in sent] == ["sms an reply", "pager binh edit"]


def test_a_group_is_bound_where_there_are_groups(office: World) -> None:
    """The group hears the nudge in place of those who would on that channel."""
    enrol(office, "binh", "pager")
    group = {"chat": "-7", "private": False}
    enrol(office, "chi", "pager")
    bound = office.says("chi", "/bind tu-phap", at("22/01", "09:00"), channel="pager", **group)
    assert [line.split(":")[0] for line in bound] == ["pager chi reply"]
    sent = office.tick(at("24/01"))
    assert [line.split(": ")[0] for line in sent] == [
        "pager group:tu-phap nudge",
        "sms an nudge",
    ]


def test_a_person_of_a_channel_that_is_off_is_unreachable(office: World) -> None:
    """The office hears it, by the channel that works."""
    office.service.office = replace(office.service.office, channels=("sms", "email"))
    office.tick(at("24/01"))
    told = [p.message.text for p in office.outgoing if p.row.draft.recipient == "chi"]
    assert any("Binh" in text for text in told)


def test_nobody_is_sent_to_a_group_where_there_are_none(office: World) -> None:
    """The help and the answer to /bind name groups only where a channel that is set up has them."""
    with_groups = office.service.office
    for channels, told in ((with_groups.channels, True), (("sms", "email"), False)):
        office.service.office = replace(with_groups, channels=channels)
        for typed in ("/trogiup", "/bind tu-phap"):
            office.says("chi", typed, at("22/01", "09:00"), channel="sms")
            assert ("/bind" in office.outgoing[-1].message.text) is told
