"""Reminders of who is away go to the unit's others, and where there are none, to the office."""

from __future__ import annotations

import pytest

from reminder.domain.outbox import SendError
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.services.service import Service
from tests.services.world import PEOPLE, World, at, person, world


@pytest.fixture(scope="module")
def begun(plan2024: Plan, scheduler: Scheduler) -> World:
    made = world(plan2024, scheduler)
    made.tick(at("22/01", "07:00"))
    made.tick(at("22/01", "07:30"))
    return made


@pytest.fixture
def office(begun: World) -> World:
    return begun.copy()


def nudged(office: World, day: str) -> list[str]:
    """Who is nudged on the morning of `day`."""
    lines = office.tick(at(day))
    return sorted(line.split(":")[0] for line in lines if " nudge:" in line)


def text_to(office: World, who: str) -> str:
    return next(p.message.text for p in reversed(office.outgoing) if p.row.draft.recipient == who)


def test_the_others_of_the_unit_hear_it(office: World) -> None:
    """An is away, Binh is there, and reads that An does not hear it; on return An hears again."""
    answer = office.says("an", "/nghiphep 24/01-25/01", at("23/01", "09:00"))
    assert answer == [
        "telegram an reply: Đã ghi: anh/chị nghỉ từ Thứ Tư 24/01 đến hết Thứ Năm 25/01.",
        "telegram chi notice: An (Tư pháp) nghỉ từ Thứ Tư 24/01 đến hết Thứ Năm 25/01.",
    ]
    assert nudged(office, "24/01") == ["email binh nudge", "telegram dung nudge"]
    assert text_to(office, "binh").splitlines()[-1] == "An nghỉ đến hết Thứ Năm 25/01."
    assert nudged(office, "26/01") == [
        "email binh nudge",
        "telegram an nudge",
        "telegram chi nudge",
        "telegram dung nudge",
    ]
    assert "nghỉ" not in text_to(office, "binh")


def test_where_all_are_away_the_office_stands_in(office: World) -> None:
    """It is told for whom, may close the work, and is offered no snooze that it can't use."""
    office.says("an", "/nghiphep 24/01-31/01", at("23/01", "09:00"))
    office.says("chi", "/nghiphep binh 24/01", at("23/01", "09:01"))
    assert nudged(office, "24/01") == ["telegram chi nudge", "telegram dung nudge"]
    message = next(p.message for p in office.outgoing[::-1] if p.row.draft.recipient == "chi")
    assert message.text.splitlines()[0] == (
        "Tin của Tư pháp gửi anh/chị thay: An nghỉ đến hết Thứ Tư 31/01 và "
        "Binh nghỉ đến hết Thứ Tư 24/01."
    )
    assert [[a.label for a in row] for row in message.actions] == [["✅ 1c"]]
    pressed = office.says("chi", "", at("24/01", "10:00"), press=message.actions[0][0].data)
    assert pressed[0].startswith("telegram chi reply: ✅ Đã ghi 1c")


def test_what_a_stand_in_types_of_shared_work_names_the_unit(office: World) -> None:
    """“xong 2c” would be the office's own part; check-ins are not answered all at once."""
    office.says("an", "xong 1c", at("25/01", "09:00"))
    office.says("chi", "xong 2c", at("25/01", "09:00"))
    office.says("an", "/nghiphep 26/01", at("25/01", "09:01"))
    office.says("chi", "/nghiphep binh 26/01", at("25/01", "09:02"))
    nudged(office, "26/01")
    assert text_to(office, "chi").splitlines()[-1] == "Xong việc nào xin nhắn: xong 2c Tư pháp"
    office.says("chi", "xong 2c Tư pháp", at("26/01", "10:00"))
    assert office.events()[-1] == "done 2c.1 2024-01 tu-phap chi"


def test_the_person_may_answer_all_the_same(office: World) -> None:
    """Away is about being nudged."""
    office.says("an", "/nghiphep 24/01-31/01", at("23/01", "09:00"))
    assert office.says("an", "xong 1c", at("24/01", "10:00"))[0].startswith(
        "telegram an reply: ✅ Đã ghi 1c"
    )


def test_of_several_units_each_goes_its_own_way(plan2024: Plan, scheduler: Scheduler) -> None:
    """Dung has two units: of one a colleague hears, of the other the office, in its own message."""
    people = (*PEOPLE, person("hoa", "van-hoa-xa-hoi"))
    office = world(plan2024, scheduler, people=people)
    office.tick(at("22/01", "07:00"))
    office.says("dung", "/nghiphep 26/01", at("25/01", "09:00"))
    assert nudged(office, "26/01") == [
        "email binh nudge",
        "email hoa nudge",
        "telegram an nudge",
        "telegram chi nudge",
    ]
    assert "Tin của TCKT gửi anh/chị thay: Dung" in text_to(office, "chi")
    assert "VHXH" not in text_to(office, "chi").splitlines()[0]
    assert text_to(office, "hoa").splitlines()[-1] == "Dung nghỉ đến hết Thứ Sáu 26/01."


def test_an_office_that_is_away_itself_hears_it_all_the_same(office: World) -> None:
    """Nobody is left: better a reminder on leave than none."""
    office.says("chi", "/nghiphep 26/01", at("25/01", "09:00"))
    assert "telegram chi nudge" in nudged(office, "26/01")


def test_a_group_is_left_as_it_is(office: World) -> None:
    """It stands for the unit; only the private mail of who is away is spared."""
    office.says("chi", "/bind tu-phap", at("23/01"), chat="-500", private=False)
    office.says("an", "/nghiphep 24/01", at("23/01", "09:00"))
    office.says("chi", "/nghiphep binh 24/01", at("23/01", "09:01"))
    assert nudged(office, "24/01") == ["telegram dung nudge", "telegram group"]


def test_a_group_that_is_lost_goes_on_to_those_who_are_there(office: World) -> None:
    """An, who is away, is left alone: Binh has it by mail. Were nobody there, An would hear it."""
    office.says("chi", "/bind tu-phap", at("23/01"), chat="-500", private=False)
    office.refuse = lambda p: (
        SendError("bot đã bị đưa ra khỏi nhóm", retry=False, address_dead=True)
        if p.address == "-500"
        else None
    )
    office.says("an", "/nghiphep 24/01", at("23/01", "09:00"))
    assert nudged(office, "24/01") == ["email binh nudge", "telegram dung nudge"]


def test_an_absence_is_remembered_over_a_restart(office: World) -> None:
    """It is in the ledger, and nowhere else."""
    office.says("an", "/nghiphep 24/01-25/01", at("23/01", "09:00"))
    again = Service(
        store=office.store,
        renderer=office.service.renderer,
        office=type(office.service.office)(
            files=office.service.office.files, channels=office.service.office.channels
        ),
        bot_names={"telegram": "nhac_bot"},
    )
    again.begin(at("23/01", "20:00"))
    office.service = again
    assert nudged(office, "24/01") == ["email binh nudge", "telegram dung nudge"]
    assert office.events()[-1] == "away an.0 2024-01-24 tu-phap an"
    assert office.store.verify() is None


def test_an_ended_absence_is_over_at_the_next_slot(office: World) -> None:
    """Back early: the next morning is as ever."""
    office.says("an", "/nghiphep 23/01-31/01", at("23/01", "09:00"))
    assert office.says("an", "/nghiphep hủy", at("23/01", "16:00")) == [
        "telegram an reply: Đã ghi: anh/chị không nghỉ nữa. Máy lại nhắc như lịch.",
        "telegram chi notice: An không nghỉ nữa. Máy lại nhắc như lịch.",
    ]
    assert "telegram an nudge" in nudged(office, "24/01")


def test_who_stands_in_for_a_part_of_the_time_alone_is_said_so(office: World) -> None:
    """Binh is away for the first days of An's leave: the office stands in, until Binh is back."""
    office.says("chi", "/nghiphep binh 30/01-31/01", at("23/01", "09:00"))
    office.says("an", "/nghiphep 30/01-02/02", at("23/01", "09:01"))
    assert text_to(office, "an").splitlines()[1] == (
        "Trước mắt, tin nhắc của Tư pháp gửi Văn phòng, vì bộ phận không còn ai khác."
    )
    office.says("an", "/nghiphep hủy", at("23/01", "09:02"))
    office.says("an", "/nghiphep 30/01-31/01", at("23/01", "09:03"))
    assert text_to(office, "an").splitlines()[1] == (
        "Tin nhắc của Tư pháp gửi Văn phòng, vì bộ phận không còn ai khác."
    )
