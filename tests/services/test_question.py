"""“Anh/chị báo 1c đã xong phải không?”: what is asked back, and what answers it."""

from __future__ import annotations

import pytest

from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from tests.services.world import World, at, world

WORDS = "1c em quăng xong"


@pytest.fixture
def office(plan2024: Plan, scheduler: Scheduler) -> World:
    found = world(plan2024, scheduler)
    found.says("an", WORDS, at("30/01", "09:00"))
    assert found.events() == []
    return found


def kept(office: World) -> list[tuple[str, str]]:
    """What is on record: each event and its note."""
    return [(r.event.kind.value, r.event.note) for r in office.store.events()]


def test_it_quotes_the_words_and_offers_two_answers(office: World) -> None:
    """One message, with the code, the officer's words, and one tap for each answer."""
    message = office.outgoing[-1].message
    assert f"“{WORDS}”" in message.text
    assert "Anh/chị báo 1c" in message.text
    assert [a.label for row in message.actions for a in row] == ["✅ Đúng, xong", "⏳ Chưa"]


@pytest.mark.parametrize("answer", ["đúng", "Đúng rồi ạ", "vâng ạ", "phải"])
def test_yes_closes_and_keeps_the_words(office: World, answer: str) -> None:
    """Typed, while the question is the last thing said."""
    office.says("an", answer, at("30/01", "09:05"))
    assert kept(office) == [("done", WORDS)]


@pytest.mark.parametrize("answer", ["chưa", "chưa ạ", "không phải"])
def test_no_leaves_it_open_and_keeps_the_words(office: World, answer: str) -> None:
    """The words are a note of the work."""
    office.says("an", answer, at("30/01", "09:05"))
    assert kept(office) == [("noted", WORDS)]


@pytest.mark.parametrize(("place", "expected"), [(0, ("done", WORDS)), (1, ("noted", WORDS))])
def test_a_tap_does_the_same(office: World, place: int, expected: tuple[str, str]) -> None:
    """The buttons of the question, even after something else was said."""
    sent = office.outgoing[-1]
    actions = [action for row in sent.message.actions for action in row]
    asked = str(1000 + len(office.outgoing))
    office.says("an", "/viec", at("30/01", "09:03"))
    office.says("an", "", at("30/01", "09:05"), press=actions[place].data, message=asked)
    assert kept(office) == [expected]


@pytest.mark.parametrize(
    ("answer", "kept_then"), [("đúng", [("due-set", "chờ số liệu")]), ("không", [])]
)
def test_the_office_is_asked_whether_it_sets_the_date_itself(
    plan2024: Plan, scheduler: Scheduler, answer: str, kept_then: list[tuple[str, str]]
) -> None:
    """Its own “xin gia hạn” is a question; “đúng” or a tap sets the date, with the reason."""
    typed, tapped = world(plan2024, scheduler), world(plan2024, scheduler)
    for office in (typed, tapped):
        office.says("chi", "xin lùi 5c đến 10/4 chờ số liệu", at("30/01", "09:00"))
        assert kept(office) == []
    message = typed.outgoing[-1].message
    assert [a.label for row in message.actions for a in row] == ["✅ Đúng, đặt hạn", "Không"]
    press = message.actions[0][0 if answer == "đúng" else 1].data
    typed.says("chi", answer, at("30/01", "09:05"))
    asked = str(1000 + len(tapped.outgoing))
    tapped.says("chi", "", at("30/01", "09:05"), press=press, message=asked)
    assert kept(typed) == kept(tapped) == kept_then


def test_a_bare_yes_answers_only_what_was_said_last(office: World) -> None:
    """Something else was said since, or three days have gone by: it is only “đã đọc”."""
    office.says("an", "/viec", at("30/01", "09:03"))
    office.says("an", "đúng", at("30/01", "09:05"))
    assert kept(office) == []


def test_a_bare_yes_never_answers_a_nudge(plan2024: Plan, scheduler: Scheduler) -> None:
    """A nudge asks nothing."""
    found = world(plan2024, scheduler)
    found.tick(at("30/01"))
    found.says("an", "đúng", at("30/01", "09:05"))
    assert found.events() == []


def test_a_question_is_answered_within_three_days(office: World) -> None:
    """On the fourth day “đúng” may mean anything."""
    office.says("an", "đúng", at("03/02", "10:00"))
    assert kept(office) == []


def test_the_office_sees_what_was_asked_back(office: World) -> None:
    """Until it is answered; the words are quoted."""
    office.says("chi", "/nhiemvu 1c", at("30/01", "10:00"))
    assert (
        f"“{WORDS}” (09:00 hôm nay), đã hỏi lại, chưa trả lời" in office.outgoing[-1].message.text
    )
    office.says("an", "chưa", at("30/01", "10:05"))
    office.says("chi", "/nhiemvu 1c", at("30/01", "10:10"))
    assert "đã hỏi lại" not in office.outgoing[-1].message.text
