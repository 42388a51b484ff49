"""One use case for every front: a form, the command line, a message; the same rights and words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reminder.domain.context import Inbound
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.services.handle import Outcome
from reminder.understanding.model import Command, Target
from reminder.understanding.verbs import Verb
from tests.services.world import CHATS, PEOPLE, TELEGRAM, World, at, person, world

DONE_1C = "done 1c.1 2024 tu-phap an"
AN, _, CHI, DUNG, _ = PEOPLE


@pytest.fixture(scope="module")
def begun(plan2024: Plan, scheduler: Scheduler) -> World:
    """An's colleague Binh reads Telegram too; both were nudged about 1c this morning."""
    people = (AN, person("binh", "tu-phap"), CHI, DUNG)
    made = world(plan2024, scheduler, people=people, bound=("an", "binh", "chi", "dung"))
    for clock in (at("22/01", "07:00"), at("22/01"), at("24/01")):
        made.tick(clock)
    return made


@pytest.fixture
def office(begun: World) -> World:
    return begun.copy()


def told(outcome: Outcome) -> tuple[list[str], bool, bool, bool]:
    """What was recorded; whether it acted, was seen before, and answers something."""
    events = [f"{e.kind} {e.key.task} {e.by} {e.channel}" for e in outcome.events]
    return events, outcome.acted, outcome.seen, outcome.answer is not None


def test_a_form_acts_once_and_shows_its_answer_itself(office: World) -> None:
    """The same form again changes nothing; no answer is sent, and the colleague's nudge changes."""
    now = at("24/01", "09:00")
    first, again = (
        office.service.handle(AN, "xong 1c", now, channel="web", update="form-1") for _ in range(2)
    )
    assert told(first) == (["done 1c an web"], True, False, True)
    assert told(again) == ([], False, True, False)
    assert office.events() == [DONE_1C]
    assert [line.split(": ")[0] for line in office.deliver(now)] == ["telegram binh edit"]


def test_a_command_needs_no_words(office: World) -> None:
    """What a form means is given as it is; what comes of it is what a message would come to."""
    command = Command(verb=Verb.DONE, targets=(Target(task="1c"),))
    outcome = office.service.handle(AN, command, at("24/01", "09:00"), channel="web")
    assert told(outcome) == (["done 1c an web"], True, False, True)
    states = office.service.refresh().states
    assert states[outcome.events[0].key].closed == outcome.events[0]


@pytest.mark.parametrize("said", ["xong 1c", "/dathan 1c 15/9/2024", "/dongy 1c", "xong 9z", "a?"])
def test_a_right_is_the_same_by_every_front(office: World, said: str) -> None:
    """An officer of another unit closes, dates and grants nothing, and reads why."""
    outcome = office.service.handle(DUNG, said, at("24/01", "09:00"), channel="web")
    assert told(outcome) == ([], False, False, True)
    assert office.store.events() == []


def test_others_are_told_as_of_a_message(office: World) -> None:
    """A request for more time reaches the office; “nhắc ngay” reaches the unit, and is an act."""
    now = at("24/01", "09:00")
    asked = office.service.handle(AN, "gia hạn 1c 05/02 chờ số liệu", now, channel="cli")
    assert told(asked) == (["extension-asked 1c an cli"], True, False, True)
    reminded = office.service.handle(CHI, "/nhacngay 1c", now, channel="cli")
    assert told(reminded) == ([], True, False, True)
    assert [unit for _, unit in reminded.reminded] == ["tu-phap"]
    assert sorted(line.split(": ")[0] for line in office.deliver(now)) == [
        "telegram an nudge",
        "telegram binh nudge",
        "telegram chi notice",
    ]


def test_what_a_channel_brings_says_what_it_came_to(office: World) -> None:
    """Acted on; the same update again; an officer's talk in a group; a stranger in one."""
    message = Inbound(
        channel=TELEGRAM, update="7", sender=CHATS["an"], chat=CHATS["an"], private=True,
        text="xong 1c", message="70",
    )  # fmt: skip
    talk = replace(message, update="8", chat="-5", private=False, text="ok")
    stranger = replace(talk, update="9", sender="666", text="xong 1c")
    came = [message, message, talk, stranger]
    outcomes = [office.service.receive(each, at("24/01", "09:00")) for each in came]
    assert [(o.acted, o.seen, o.ignored, o.taken) for o in outcomes] == [
        (True, False, False, True),
        (False, True, False, False),
        (False, False, True, False),
        (False, False, True, False),
    ]
