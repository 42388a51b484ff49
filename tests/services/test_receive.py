"""Answers: each recorded once with who and how, told to those whom it concerns, harmless if odd."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reminder.decisions import buttons
from reminder.domain.outbox import SendError
from reminder.domain.payloads import OpenTasks
from reminder.domain.plan import Key, Plan
from reminder.domain.schedule import Scheduler
from reminder.domain.tokens import hash_code
from tests.services.world import EMAIL, PEOPLE, TELEGRAM, World, at, person, world

KEY_1C = Key("cchc-2024", "1c", 1, "2024")
DONE_1C = "done 1c.1 2024 tu-phap an"


@pytest.fixture(scope="module")
def begun(plan2024: Plan, scheduler: Scheduler) -> World:
    """The office on 24/01, after the morning's nudges."""
    made = world(plan2024, scheduler)
    for clock in (at("22/01", "07:00"), at("22/01"), at("24/01")):
        made.tick(clock)
    return made


@pytest.fixture
def office(begun: World) -> World:
    return begun.copy()


def kinds(lines: list[str]) -> list[str]:
    return [line.split(": ")[0] for line in lines]


def test_a_done_is_recorded_answered_and_shown_to_the_others(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """One event with who and by which message; the colleague's nudge is edited: done, by whom."""
    office = world(plan2024, scheduler, people=(PEOPLE[0], person("binh", "tu-phap"), PEOPLE[2]))
    office.tick(at("24/01"))
    lines = office.says("an", "/done 1c", at("24/01", "09:12"))
    assert kinds(lines) == ["telegram an reply", "telegram binh edit"]
    assert office.events() == [DONE_1C]
    event = office.store.events()[0].event
    assert (event.channel, event.message) == ("telegram", "9001")
    edit = office.outgoing[-1].message
    assert (edit.edit != "", "An" in edit.text, "1c" in edit.text) == (True, True, True)


def test_an_update_seen_twice_acts_once(office: World) -> None:
    """The same update from a repeated poll is neither recorded nor answered again."""
    first = office.says("an", "/done 1c", at("24/01", "09:12"), update="77")
    assert office.says("an", "/done 1c", at("24/01", "09:13"), update="77") == []
    assert (kinds(first), office.events()) == (["telegram an reply"], [DONE_1C])


def test_a_reply_without_a_code_means_the_task_of_the_message(office: World) -> None:
    """“xong” in reply to a nudge about one task closes that one."""
    nudge = next(
        p for p in office.outgoing if p.row.draft.recipient == "an" and "1c" in p.message.text
    )
    number = office.outgoing.index(nudge) + 1001
    office.says("an", "xong", at("24/01", "09:00"), reply_to=str(number))
    assert office.events() == [DONE_1C]


def test_a_button_does_what_it_says_and_an_old_one_is_answered(office: World) -> None:
    """✅ closes, ↩️ within the hour takes it back; a button of nothing known gets one line."""
    done = buttons.encode("done", KEY_1C, "tu-phap")
    undo = buttons.encode("undo", KEY_1C, "tu-phap", at("24/01", "09:00"))
    office.says("an", "", at("24/01", "09:00"), press=done)
    office.says("an", "", at("24/01", "09:30"), press=undo)
    assert office.events() == [DONE_1C, "undone 1c.1 2024 tu-phap an"]
    old = office.says("an", "", at("24/01", "09:31"), press="done:0123456789")
    assert old == [
        "telegram an reply: Nút này không còn dùng được. Xin nhắn bằng chữ, ví dụ: xong 1c"
    ]


def test_an_old_undo_button_takes_no_newer_close_back(office: World) -> None:
    """It names what it takes back; of an earlier release it names nothing, and is old."""
    first, then = at("24/01", "09:00"), at("24/01", "09:10")
    office.says("an", "/done 1c", first)
    data = [a.data for row in office.outgoing[-1].message.actions for a in row]
    assert data == [buttons.encode("undo", KEY_1C, "tu-phap", first)]
    office.says("an", "hoàn tác 1c", at("24/01", "09:05"))
    office.says("chi", "/done 1c", then)
    before = office.events()
    for press in (*data, buttons.encode("undo", KEY_1C, "tu-phap")):
        lines = office.says("an", "", at("24/01", "09:11"), press=press)
        assert lines[0].startswith("telegram an reply: Nút này không còn dùng được.")
    assert office.events() == before
    office.says("chi", "", at("24/01", "09:12"), press=buttons.encode("undo", KEY_1C, "", then))
    assert office.events() == [*before, "undone 1c.1 2024 tu-phap chi"]


def test_a_button_in_the_wrong_hands_does_nothing(office: World) -> None:
    """A forwarded button pressed by an officer of another unit changes nothing."""
    press = buttons.encode("done", KEY_1C, "tu-phap")
    lines = office.says("dung", "", at("24/01", "09:00"), press=press)
    assert (kinds(lines), office.events()) == (["telegram dung reply"], [])


@pytest.mark.parametrize("odd", ["edited", "forwarded"])
def test_edited_and_forwarded_messages_act_on_nothing(odd: str, office: World) -> None:
    """They are answered with what to do instead."""
    lines = office.says("an", "/done 1c", at("24/01", "09:00"), **{odd: True})
    assert lines == [
        "telegram an reply: Chưa ghi gì: máy không nhận tin đã sửa hoặc tin chuyển tiếp."
    ]
    assert office.events() == []


def test_in_a_group_what_was_meant_for_the_program_is_answered(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """Edited or forwarded: a command, or a reply to its nudge; other talk is let be."""
    office = world(plan2024, scheduler)
    group = {"chat": "-500", "private": False, "edited": True}
    office.says("chi", "/bind tu-phap", at("22/01", "09:00"), **{**group, "edited": False})
    office.tick(at("24/01"))
    nudge = next(p for p in office.outgoing if p.row.draft.recipient == "group:tu-phap")
    replied = str(office.outgoing.index(nudge) + 1001)
    now = at("24/01", "09:00")
    answers = [
        office.says("an", "xong", now, **group, reply_to=replied),
        office.says("an", "/done 1c", now, **group),
        office.says("an", "xong 1c", now, **group),
        office.says("an", "xong", now, **group, reply_to="77"),
    ]
    line = "telegram an reply: Chưa ghi gì: máy không nhận tin đã sửa hoặc tin chuyển tiếp."
    assert answers == [[line], [line], [], []]
    assert office.events() == []


@pytest.mark.parametrize("typed", ["Tư pháp", "tu phap", "TU-PHAP", "tư  pháp", "tu-phap"])
def test_a_group_is_bound_by_what_the_unit_is_called(typed: str, office: World) -> None:
    """Its id, its name or its short name, with marks or without."""
    group = {"chat": "-500", "private": False}
    lines = office.says("chi", f"/bind {typed}", at("23/01", "09:00"), **group)
    assert lines == ["telegram chi reply: Đã nối: nhóm này nhận tin nhắc của Tư pháp."]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/bind thuế", "Không có bộ phận “thuế” nên chưa nối. Nhắn /bind kèm tên hoặc mã: "),
        ("/bind", "Chưa rõ bộ phận nào nên chưa nối. Nhắn /bind kèm tên hoặc mã: "),
    ],
)
def test_a_wrong_unit_is_answered_with_those_there_are(
    typed: str, said: str, office: World
) -> None:
    """Nothing is bound by it."""
    group = {"chat": "-500", "private": False}
    (line,) = office.says("chi", typed, at("23/01", "09:00"), **group)
    assert line.startswith(f"telegram chi reply: {said}")
    assert "Tư pháp (tu-phap)" in line
    assert not [a for a in office.store.addresses() if a.value == "-500"]


def test_a_mail_from_a_dead_address_revives_it(office: World) -> None:
    """It answers one that had arrived; the next nudge goes there again."""
    address = "binh@example.vn"
    office.store.mark_address_dead(EMAIL, address, "550", at("24/01", "10:00"))
    letter = {"channel": EMAIL, "sender": address, "chat": address}
    office.says("binh", "/viec", at("24/01", "11:00"), **letter)
    assert [a.dead_since for a in office.store.addresses() if a.value == address] == [None]
    assert "email binh nudge" in kinds(office.tick(at("26/01")))


@pytest.mark.parametrize(
    ("units", "reads", "acts"),
    [
        (("lanh-dao",), True, False),
        (("lanh-dao", "van-phong"), False, True),
        (("lanh-dao", "tu-phap"), False, True),
    ],
)
def test_help_is_for_all_that_one_is(
    units: tuple[str, ...], reads: bool, acts: bool, plan2024: Plan, scheduler: Scheduler
) -> None:
    """Who leads and does nothing besides reads only; whoever else is told how to close work."""
    office = world(plan2024, scheduler, people=(person("an", *units),), bound=("an",))
    for typed in ("/trogiup", "/start"):
        office.says("an", typed, at("23/01", "09:00"))
        text = office.outgoing[-1].message.text
        assert ("không cần trả lời" in text, "xong 1c" in text) == (reads, acts)


def edits(lines: list[str]) -> list[str]:
    return [line for line in kinds(lines) if line.endswith(" edit")]


def test_what_was_never_changed_is_not_edited_back(plan2024: Plan, scheduler: Scheduler) -> None:
    """Who closes keeps the own nudge as it was; after an undo only the other's is edited again."""
    people = (*PEOPLE[:1], person("dung", "tu-phap"), PEOPLE[2])
    office = world(plan2024, scheduler, people=people, bound=("an", "chi", "dung"))
    office.tick(at("24/01"))
    assert edits(office.says("an", "/done 1c", at("24/01", "09:00"))) == ["telegram dung edit"]
    assert edits(office.says("dung", "hoàn tác 1c", at("24/01", "09:10"))) == ["telegram dung edit"]
    assert edits(office.says("dung", "/done 1c", at("24/01", "09:20"))) == ["telegram an edit"]
    reopened = office.says("chi", "/molai 1c chưa ký", at("24/01", "10:00"))
    assert edits(reopened) == ["telegram an edit", "telegram dung edit"]


def test_two_officers_in_the_same_second_close_it_once(office: World) -> None:
    """The second is told that it was done, by whom."""
    now = at("24/01", "09:00")
    office.says("an", "/done 1c", now)
    lines = office.says("chi", "/done 1c", now)
    assert office.events() == [DONE_1C]
    assert "đã xong từ" in lines[0]


def test_in_a_group_a_stranger_hears_nothing_and_chatter_is_let_be(office: World) -> None:
    """No answer to who is not enrolled, nor to talk that names no work."""
    group = {"chat": "-500", "private": False}
    assert office.says("666", "/done 1c", at("24/01", "09:00"), **group) == []
    assert office.says("an", "trưa nay ăn gì", at("24/01", "09:00"), **group) == []
    assert office.says("an", "1c xong rồi nha mọi người", at("24/01", "09:00"), **group) == []
    lines = office.says("an", "/done@nhac_bot 1c", at("24/01", "09:01"), **group)
    assert (kinds(lines), office.outgoing[-1].address) == (["telegram an reply"], "-500")
    assert office.outgoing[-1].message.reply_to == "9004"


def test_a_stranger_gets_one_line_an_hour(office: World) -> None:
    """However often a stranger writes, and it says nothing of the office."""
    now = at("24/01", "09:00")
    said = [office.says("666", "/viec", now + timedelta(minutes=m)) for m in (0, 1, 59, 61)]
    line = (
        "telegram stranger:666 reply: Xin lỗi, tài khoản này chưa được đăng ký nên máy chưa trả "
        "lời được. Nếu cần, xin hỏi nơi đã gửi mã mời."
    )
    assert said == [[line], [], [], [line]]


def test_an_officer_who_floods_is_told_once(office: World) -> None:
    """Thirty messages a minute are taken; then one line, then silence until the minute is over."""
    now = at("24/01", "09:00")
    answers = [office.says("an", "/viec", now) for _ in range(33)]
    assert [len(lines) for lines in answers] == [1] * 31 + [0, 0]
    assert "quá nhanh" in answers[30][0]
    assert len(office.says("an", "/viec", now + timedelta(minutes=2))) == 1


def test_start_pressed_again_and_again_counts_as_a_message(office: World) -> None:
    """An officer's /start is answered like any other message: thirty a minute, then one line."""
    now = at("24/01", "09:00")
    answers = [office.says("an", "/start", now) for _ in range(33)]
    assert [len(lines) for lines in answers] == [1] * 31 + [0, 0]
    assert "quá nhanh" in answers[30][0]


@pytest.mark.parametrize(
    "words",
    ["Cảm ơn đã gửi thư, chúng tôi sẽ phản hồi sớm nhất.", "Đã nhận", "/viec", "xyz"],
)
def test_two_machines_do_not_write_to_each_other_without_end(words: str, office: World) -> None:
    """An auto-responder that does not say so gets twenty answers an hour; acts count all the same.

    RFC 3834 leaves it to either side to end the round; the other one has nothing to answer then.
    """
    now = at("24/01", "09:00")
    letter = {"channel": EMAIL, "sender": "an@example.vn", "chat": "an@example.vn"}
    times = [now + timedelta(seconds=3 * number) for number in range(40)]
    answers = [office.says("an", words, time, **letter) for time in times]
    assert [len(lines) for lines in answers] == [1] * 20 + [0] * 20
    assert len(office.says("an", "xong 1c", now + timedelta(minutes=5), **letter)) == 1
    assert DONE_1C in office.events()
    assert len(office.says("an", words, now + timedelta(hours=2), **letter)) == 1


@pytest.mark.parametrize(
    ("who", "texts"),
    [
        ("an", ("gia hạn 1c 5/02 vì chờ số liệu", "gia hạn 1c 6/02 vì chờ số liệu")),
        ("chi", ("/dathan 1c 5/02 chờ số liệu", "/dathan 1c 6/02 chờ số liệu")),
    ],
)
def test_nobody_is_flooded_by_anothers_answers(
    who: str, texts: tuple[str, ...], office: World
) -> None:
    """Sixty acts an hour may send word to others; one more records nothing and says so."""
    start = at("24/01", "09:00")
    others = []
    mine = []
    for number in range(80):
        lines = office.says(who, texts[number % len(texts)], start + timedelta(seconds=20 * number))
        mine.append(lines[0])
        others.append(len([line for line in lines if f" {who} " not in line]))
    assert all(others[:60])
    assert others[60:] == [0] * 20
    assert len(office.events()) == 60
    assert mine[60] == (
        f"telegram {who} reply: Chưa ghi gì: trong một giờ qua máy đã chuyển 60 tin của anh/chị "
        "đến người khác."
    )
    assert office.says(who, "/viec", start + timedelta(minutes=40)) != []
    assert len(office.says(who, texts[0], start + timedelta(hours=2))) > 1


def test_the_leaders_hear_once_of_what_is_late_and_when_it_closes(office: World) -> None:
    """Escalated on late-3; closed at 10:20, told the same day to whoever was told before."""
    for day in ("26/01", "29/01", "30/01", "31/01", "01/02"):
        office.tick(at(day))
    told = office.tick(at("05/02"))
    assert "telegram lan escalation" in kinds(told)
    office.tick(at("06/02"))
    assert kinds(office.sent).count("telegram lan escalation") == 1
    lines = office.says("an", "/done 1c số 12/QĐ-UBND", at("06/02", "10:20"))
    assert sorted(kinds(lines)) == [
        "telegram an reply",
        "telegram chi notice",
        "telegram lan notice",
    ]
    leader = next(p for p in office.outgoing[-3:] if p.row.draft.recipient == "lan")
    assert leader.message.text.startswith("Kính báo cáo: 1c")


def test_the_office_hears_how_often_it_was_reminded(office: World) -> None:
    """The first escalation counts the nudges that were sent, and says when the leaders hear."""
    for day in ("26/01", "30/01", "31/01"):
        office.tick(at(day))
    office.tick(at("01/02"))
    message = next(p for p in office.outgoing if p.row.draft.kind == "escalation").message.text
    assert "Đã nhắc" in message
    assert "05/02" in message


def test_nothing_is_answered_twice_when_the_answer_is_lost(office: World) -> None:
    """An answer that could not be sent is tried again, and the event stands meanwhile."""
    office.refuse = lambda p: SendError("mất mạng", retry=True) if p.address == "101" else None
    assert office.says("an", "/done 1c", at("24/01", "09:00")) == []
    office.refuse = lambda _: None
    assert kinds(office.deliver(at("24/01", "09:01"))) == ["telegram an reply"]
    assert office.events() == [DONE_1C]


def test_a_shared_mailbox_speaks_for_whom_the_answered_mail_went_to(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """Two officers of two units, one mailbox: the answer counts as that of the mail's recipient."""
    shared = "mot-cua@example.vn"
    people = tuple(
        replace(person(name, unit, channels=(EMAIL,)), email=shared)
        for name, unit in (("an", "tu-phap"), ("dung", "tai-chinh-ke-toan"))
    )
    office = world(plan2024, scheduler, people=(*people, *PEOPLE[2:3]), bound=("chi",))
    office.tick(at("24/01"))
    row = next(r for r in office.store.rows(kind="nudge") if r.draft.recipient == "dung")
    letter = {"channel": EMAIL, "sender": shared, "chat": shared, "reply_to": row.provider_id}
    office.says(shared, "xong 4b", at("24/01", "09:00"), **letter)
    assert office.events() == ["done 4b.1 2024 tai-chinh-ke-toan dung"]


def test_in_a_group_the_bots_name_makes_a_text_a_message_to_it(office: World) -> None:
    """Where nobody is named, the same words are talk among people."""
    group = {"chat": "-500", "private": False}
    (line,) = office.says("an", "@nhac_bot xong 1c", at("24/01", "09:01"), **group)
    assert line.startswith("telegram an reply: ✅ Đã ghi 1c")


@pytest.mark.parametrize("again", ["bound", "moved"])
def test_a_message_counts_in_its_own_chat_alone(
    plan2024: Plan, scheduler: Scheduler, again: str
) -> None:
    """Where a group is bound anew, or becomes a supergroup, its messages are counted from 1."""
    office = world(plan2024, scheduler)
    office.tick(at("22/01"))
    old, new = ({"chat": chat, "private": False} for chat in ("-500", "-100500"))
    office.says("chi", "/bind tu-phap", at("23/01"), **old)
    office.tick(at("24/01"))
    nudge = next(p for p in office.outgoing if p.row.draft.recipient == "group:tu-phap")
    number = str(1001 + office.outgoing.index(nudge))
    if again == "bound":
        office.says("chi", "/bind tu-phap", at("24/01", "08:10"), **new)
    else:
        office.store.move_address(TELEGRAM, "-500", "-100500")
        office.store.set_meta("moved:telegram:-500", "-100500")
    assert office.says("an", "xong", at("24/01", "09:00"), **new, reply_to=number) == []
    assert office.events() == []
    told = office.says("binh", "/done 1c", at("24/01", "09:01"), **new)
    assert [line.split(": ")[0] for line in told] == ["telegram binh reply"]  # nothing is edited


def test_an_answer_on_its_way_follows_its_group_and_quotes_nothing_there(office: World) -> None:
    """The number of the message that it answers means another one in the supergroup."""
    old = {"chat": "-500", "private": False}
    office.says("chi", "/bind tu-phap", at("23/01"), **old)
    office.refuse = lambda p: (
        SendError("siêu nhóm", retry=True, moved_to="-100500") if p.address == "-500" else None
    )
    office.says("an", "/done 1c", at("24/01", "09:00"), **old)
    answer = office.outgoing[-1]
    assert (answer.address, answer.message.reply_to) == ("-100500", "")


@pytest.mark.parametrize("typed", ["/digest", "/zalo", "/baocao"])
def test_the_offices_views_are_for_private_and_its_own_group(office: World, typed: str) -> None:
    """In a group of others, or of nobody, they are not posted; nor is a list of all units' work."""
    now, named = at("24/01", "09:00"), typed.replace("digest", "tonghop")
    for chat in ("-500", "-600"):
        group = {"chat": chat, "private": False}
        (line,) = office.says("chi", typed, now, **group)
        assert line == (
            f"telegram chi reply: Lệnh {named} chỉ được trả lời trong tin nhắn riêng với máy, "
            "hoặc trong nhóm của Văn phòng."
        )
        office.says("chi", "/viec", now, **group)
        assert office.outgoing[-1].row.draft.payload == OpenTasks(units=("van-phong",), every=False)
        office.says("chi", "/bind tu-phap", now, chat="-600", private=False)
    own = {"chat": "-700", "private": False}
    office.says("chi", "/bind văn phòng", now, **own)
    for more in (own, {}):
        (line,) = office.says("chi", typed, now, **more)
        assert "chỉ được trả lời" not in line


def test_of_other_units_work_only_the_date_is_said(office: World) -> None:
    """Who closed it, when and with which paper is for those who do it, and the office."""
    office.says("dung", "xong 4b số 12/BC-UBND ngày 24/01", at("24/01", "09:00"))
    for typed in ("/nhiemvu 4b", "/han 4b", "/han 4b, 4a"):
        office.says("an", typed, at("24/01", "09:01"))
        first, *others = office.outgoing[-1].message.text.splitlines()
        assert first == "• 4b Dự toán ngân sách nhà nước năm 2024 – TCKT, đã xong"
        assert not [line for line in others if "Dung" in line]
    office.says("chi", "/han 4b", at("24/01", "09:02"))
    assert "người báo: Dung" in office.outgoing[-1].message.text


def test_a_forwarded_invitation_binds_nothing(office: World) -> None:
    """A code that was forwarded to the bot by somebody else's telephone is not redeemed."""
    now = at("24/01", "09:00")
    office.store.invite("binh", hash_code("CODE"), at("25/01"))
    (line,) = office.says("666", "/start CODE", now, forwarded=True)
    assert line.startswith("telegram stranger:666 reply: ")
    office.says("an", "/start CODE", now, forwarded=True)
    assert office.store.invitation_fault(hash_code("CODE"), now) == ""
    (line,) = office.says("666", "/start CODE", now)
    assert line.startswith("telegram binh reply: ") or "Chào" in line
    assert office.store.invitation_fault(hash_code("CODE"), now) == "used"
