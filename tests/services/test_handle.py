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


def answer_to(office: World, who: str, text: str, moment: str = "10:00") -> list[str]:
    """The lines that `who` reads after writing `text` on 24/01."""
    office.says(who, text, at("24/01", moment))
    answered = (p for p in reversed(office.outgoing) if p.row.draft.kind == "reply")
    return next(answered).message.text.splitlines()


def test_who_denies_what_a_colleague_reported_reads_how_to_take_it_back(office: World) -> None:
    """Nothing is recorded; the words that were named take it back."""
    office.says("binh", "xong 1c", at("24/01", "09:30"))
    assert answer_to(office, "an", "1c chưa xong, còn chờ chữ ký")[1:] == [
        "Nếu thật ra chưa xong, xin nhắn: hoàn tác 1c"
    ]
    assert answer_to(office, "an", "hoàn tác 1c")[0].startswith("Đã hoàn tác 1c")
    assert answer_to(office, "an", "xong 1c")[0].startswith("✅ Đã ghi 1c")
    assert len(answer_to(office, "binh", "xong 1c")) == 1


def test_what_went_to_be_signed_comes_back_by_its_own_word(office: World) -> None:
    """After the hour nothing is undone; open work is not to be reopened."""
    office.says("an", "trình ký 1c", at("24/01", "08:30"))
    [line] = answer_to(office, "an", "hoàn tác 1c")
    assert line.endswith("Chưa trình, hoặc bị trả lại, xin nhắn: /tralai 1c lý do")
    assert answer_to(office, "an", "/tralai 1c sai tên")[0].startswith("Đã ghi: 1c")


def test_what_is_left_of_a_task_needs_no_name_to_be_put_off(office: World) -> None:
    """With its report done, 1d is the decision, for all that closes nothing."""
    office.says("an", "xong 1d báo cáo", at("24/01", "09:00"))
    assert answer_to(office, "an", "nhắc sau 1d 2")[0].startswith("Đã ghi: sẽ nhắc lại 1d Quyết")
    assert answer_to(office, "an", "gia hạn 1d 05/3")[0].startswith("Đã chuyển Văn phòng: xin")
    assert "đã xong rồi phải không?" in answer_to(office, "an", "xong 1d")[0]


def test_a_leader_s_free_words_are_answered_with_what_leaders_can_do(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """Nothing of “xong 1c”, which is not theirs to say."""
    office = world(plan2024, scheduler)
    assert answer_to(office, "lan", "tình hình thế nào") == [
        "Máy chưa hiểu tin này. Việc đang mở: /viec. Bản tổng hợp: /tonghop. Còn gì: /trogiup"
    ]


def test_several_open_months_are_told_apart_as_such(office: World) -> None:
    """They are “kỳ”, and each button names its own, however long the work's title."""
    office.says("chi", "xong 2c", at("01/02", "09:00"))
    asked = office.outgoing[-1].message
    assert asked.text.splitlines()[0] == "Chưa ghi gì. 2c còn 2 kỳ, anh/chị xong kỳ nào?"
    assert [action.label for row in asked.actions for action in row] == [
        "2c tháng 01 – hạn Thứ Tư 31/01",
        "2c tháng 02 – hạn Thứ Năm 29/02",
        "Cả hai",
    ]


def test_a_paper_s_number_is_kept_while_it_is_asked_for_which_period(office: World) -> None:
    """“xong BC số 15/BC-UBND” with three reports open: the button records the number too."""
    office.says("chi", "xong BC số 15/BC-UBND", at("24/01", "09:00"))
    [[first], *_] = office.outgoing[-1].message.actions
    asked = office.store.rows(recipient="chi")[0].provider_id
    office.says("chi", "", at("24/01", "09:01"), press=first.data, message=asked)
    [recorded] = office.store.events()
    event = recorded.event
    assert (event.kind.value, event.key.period, event.evidence, event.note) == (
        "done",
        "2024-Q1",
        "số 15/BC-UBND",
        "",
    )


def test_no_day_beyond_the_plan_is_named_as_an_example(office: World) -> None:
    """4a is due on the last day of the year: no more time can be asked for."""
    assert answer_to(office, "dung", "4a chưa xong")[1:] == ["Vướng gì, nhắn một dòng."]
    assert answer_to(office, "an", "1c chưa xong")[1].startswith("Cần thêm thời gian, nhắn: gia")
