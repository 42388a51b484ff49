"""What a sentence comes to: state of affairs, sender and text → events and views."""

from __future__ import annotations

from datetime import date

import pytest

from reminder.domain.context import Decision, Notice
from reminder.domain.ledger import Event, EventKind
from reminder.domain.payloads import (
    ClosedNotice,
    Done,
    ListedBack,
    NotYourUnit,
    WhichOccurrence,
    WhichPlan,
)
from reminder.domain.plan import Key
from reminder.understanding.model import Target
from tests.decisions.decide_kit import Room, moment, next_plan, told_of
from tests.understanding.commands_kit import PLAN

NOW = "2024-01-30 09:12"  # a Tuesday; 1c, 4b and 2c of January are due tomorrow
Said = tuple[str, str]  # who, text; or who@when, text

CASES: list[tuple[list[Said], str, list[str], list[str]]] = [
    # done, by the own unit, by the office, by others
    ([], "an: xong 1c", ["done 1c.1:2024 tu-phap"], ["done"]),
    ([], "an: xong 1c số 12/QĐ-UBND", ["done 1c.1:2024 tu-phap [số 12/QĐ-UBND]"], ["done"]),
    ([], "an: xong 1c hôm qua", ["done 1c.1:2024 tu-phap (hôm qua)"], ["done"]),
    ([], "cuc: xong 1c", [], ["not-your-unit"]),
    ([], "chu: xong 1c", [], ["not-your-unit"]),
    ([], "binh: xong 1c", ["done 1c.1:2024 tu-phap"], ["done"]),
    ([], "binh: xong 1d báo cáo", ["done 1d.1:2024 van-phong"], ["done"]),
    ([("an", "xong 1c")], "dung: xong 1c", [], ["already-done"]),
    ([("an", "xong 1c")], "an: xong 1c", [], ["already-done"]),
    # several products
    ([], "an: xong 1d", [], ["which"]),
    ([("binh", "xong 1d báo cáo")], "an: xong 1d", [], ["which"]),
    ([], "an: xong 1d cả hai", ["done 1d.1:2024 tu-phap", "done 1d.2:2024 tu-phap"], ["done"]),
    ([], "an: xong 1d năm 2024", [], ["which"]),
    ([], "an: 1d số 05/BC-UBND", ["done 1d.1:2024 tu-phap [số 05/BC-UBND]"], ["done"]),
    ([], "binh: xong 2a", ["done 2a.1:2024 van-phong"], ["done"]),
    ([("binh", "xong 2a")], "binh: xong 2a", [], ["already-done"]),
    # evidence, told after
    (
        [("an", "xong 1c")],
        "dung: 1c số 12/QĐ-UBND ngày 30/01",
        ["evidence 1c.1:2024 tu-phap [số 12/QĐ-UBND ngày 30/01]"],
        ["evidence"],
    ),
    ([("an", "xong 1c số 12/QĐ")], "an: 1c số 12/QĐ", [], ["already-done"]),
    ([("an", "xong 1c số 12/QĐ")], "cuc: 1c số 13/QĐ", [], ["not-your-unit"]),
    # shared work
    ([], "an: xong 2c", ["done 2c.1:2024-01 tu-phap"], ["done"]),
    ([("an", "xong 2c")], "an: xong 2c", [], ["already-done"]),
    ([("an", "xong 2c")], "giang: 2c xong", ["done 2c.1:2024-01 van-hoa-xa-hoi"], ["done"]),
    (
        [],
        "kiem: 2c xong",
        ["done 2c.1:2024-01 van-hoa-xa-hoi", "done 2c.1:2024-01 dia-chinh-xay-dung"],
        ["done"],
    ),
    (
        [("giang", "2c xong")],
        "kiem: 2c xong",
        ["done 2c.1:2024-01 dia-chinh-xay-dung"],
        ["done"],
    ),
    ([], "binh: xong 2c", ["done 2c.1:2024-01 van-phong"], ["done"]),
    ([], "binh: /done 2c tư pháp", ["done 2c.1:2024-01 tu-phap"], ["done"]),
    ([], "an: /done 2c văn hóa xã hội", [], ["not-your-unit"]),
    ([], "cuc: xong 2c", [], ["not-your-unit"]),
    (
        [("an", "xong 2c")],
        "binh: xong 2c tất cả",
        [
            "done 2c.1:2024-01 van-phong",
            "done 2c.1:2024-01 van-hoa-xa-hoi",
            "done 2c.1:2024-01 dia-chinh-xay-dung",
        ],
        ["done"],
    ),
    ([], "an: xong 2c tất cả", ["done 2c.1:2024-01 tu-phap"], ["done"]),
    # periods
    ([], "an: xong 2c tháng 4", ["done 2c.1:2024-04 tu-phap"], ["done"]),
    ([], "binh: xong BC", [], ["which"]),
    ([], "binh: xong BC quý I", ["done BC.1:2024-Q1 van-phong"], ["done"]),
    ([], "cuc@2024-11-01: xong 4a", ["done 4a.1:2024 tai-chinh-ke-toan"], ["done"]),
    (
        [("an@2024-03-05 09:00", "xong 2c tháng 1")],
        "dung@2024-03-05 09:00: xong 2c",
        [],
        ["already-done"],
    ),
    (
        [("an@2024-03-05 09:00", "xong 2c tháng 1")],
        "dung@2024-03-05 09:05: xong 2c",
        [],
        ["which"],
    ),
    # several targets, one answer
    (
        [("an", "xong 2c")],
        "an: xong 1c, 1d, 2c",
        ["done 1c.1:2024 tu-phap"],
        ["done,which,already-done"],
    ),
    ([], "an: xong 1c, 4b", ["done 1c.1:2024 tu-phap"], ["done,not-your-unit"]),
    (
        [],
        "an: 1c xong, 1d chưa xong",
        ["done 1c.1:2024 tu-phap", "answered 1d.1:2024 tu-phap (chưa xong)"],
        ["done,not-done"],
    ),
    ([], "an: 1a-1e xong", [], ["listed-back"]),
    ([], "an: xong 9z", [], ["error"]),
    # check-ins
    (
        [],
        "an: 1a thẩm định 03 văn bản; 1e 02 buổi",
        [
            "updated 1a.1:2024-Q1 tu-phap (thẩm định 03 văn bản)",
            "updated 1e.1:2024-Q1 tu-phap (02 buổi)",
        ],
        ["updated"],
    ),
    ([], "an: xong 1a", ["updated 1a.1:2024-Q1 tu-phap"], ["done"]),
    ([], "an: 1a đang làm", ["updated 1a.1:2024-Q1 tu-phap (đang làm)"], ["updated"]),
    ([("an", "1a 03 văn bản")], "dung: 1a 03 văn bản", [], ["already-done"]),
    (
        [("an", "1a 03 văn bản")],
        "dung: 1a thêm 01 văn bản",
        ["noted 1a.1:2024-Q1 tu-phap (thêm 01 văn bản)"],
        ["noted"],
    ),
    ([], "cuc: 1a 03 văn bản", [], ["not-your-unit"]),
    ([], "an: /update 1c 03 văn bản", [], ["refused:no-check-in"]),
    (
        [("an", "1a 03 văn bản; 1e 02 buổi")],
        "an: cập nhật tất cả bình thường",
        [
            "updated 1đ.2:2024-Q1 tu-phap (bình thường)",
            "updated 2h.1:2024-Q1 tu-phap (bình thường)",
        ],
        ["updated"],
    ),
    ([], "giang: cập nhật tất cả bình thường", [], ["refused:nothing-to-update"]),
    ([], "chu: cập nhật tất cả bình thường", [], ["refused:nothing-to-update"]),
    # remarks
    ([], "an: 1c chưa xong", ["answered 1c.1:2024 tu-phap (chưa xong)"], ["not-done"]),
    ([("an", "1c chưa xong")], "an: 1c chưa xong", [], ["not-done"]),
    (
        [("an@2024-01-29 08:00", "1c chưa xong")],
        "an@2024-01-30 08:00: 1c chưa xong",
        ["answered 1c.1:2024 tu-phap (chưa xong)"],
        ["not-done"],
    ),
    (
        [("an", "1c chưa xong")],
        "dung: 1c chưa xong",
        ["answered 1c.1:2024 tu-phap (chưa xong)"],
        ["not-done"],
    ),
    (
        [],
        "an: chưa xong 1c vì chờ số liệu",
        ["noted 1c.1:2024 tu-phap (vì chờ số liệu)"],
        ["not-done"],
    ),
    ([], "cuc: chưa xong 1c vì lười", [], ["not-your-unit"]),
    ([], "an: 1c đang làm", ["answered 1c.1:2024 tu-phap (đang làm)"], ["seen"]),
    ([("an", "1c đang làm")], "an: 1c đang làm", [], ["seen"]),
    ([], "cuc: 1c đang làm", [], ["seen"]),
    ([("an", "xong 1c")], "an: 1c đang làm", [], ["seen"]),
    ([], "an: ok", [], ["heard"]),
    ([], "an: chưa", [], ["heard"]),
    ([], "cuc: 1c xong chưa?", [], ["asked"]),
    ([("an", "xong 1c")], "cuc: 1c xong chưa?", [], ["already-done"]),
    ([], "an: /ghichu 1c vướng", ["noted 1c.1:2024 tu-phap (vướng)"], ["noted"]),
    ([("an", "xong 1c")], "an: /ghichu 1c x", ["noted 1c.1:2024 tu-phap (x)"], ["noted"]),
    ([], "cuc: /ghichu 1c vướng", [], ["not-your-unit"]),
    # signatures
    ([], "an: trình ký 1c", ["submitted 1c.1:2024 tu-phap"], ["submitted"]),
    ([("an", "trình ký 1c")], "dung: trình ký 1c", [], ["submitted"]),
    ([], "an: trình ký 1d", [], ["which-part"]),
    ([], "an: trình ký 1a", [], ["refused:no-signature"]),
    ([("an", "trình ký 1c")], "an: 1c bị trả lại", ["returned 1c.1:2024 tu-phap"], ["returned"]),
    ([], "an: 1c bị trả lại", [], ["refused:not-submitted"]),
    # undo and reopen
    ([("an", "xong 1c")], "an: 1c chưa xong", ["undone 1c.1:2024 tu-phap"], ["undone"]),
    ([("dung", "xong 1c")], "an: 1c chưa xong", [], ["already-done"]),
    ([("an", "xong 1c")], "dung: hoàn tác 1c", ["undone 1c.1:2024 tu-phap"], ["undone"]),
    (
        [("an@2024-01-30 08:00", "xong 1c")],
        "an@2024-01-30 09:01: hoàn tác 1c",
        [],
        ["reopen-requested", "reopen-asked>van-phong"],
    ),
    (
        [("an@2024-01-30 08:00", "trình ký 1c")],  # not closed: nothing to reopen
        "an@2024-01-30 09:01: hoàn tác 1c",
        [],
        ["refused:undo-late"],
    ),
    (
        [("binh@2024-01-30 08:00", "xong 1c")],
        "binh@2024-01-30 09:01: hoàn tác 1c",
        [],
        ["refused:undo-late"],
    ),
    ([("binh", "xong 1c")], "an: hoàn tác 1c", [], ["refused:undo-others"]),
    ([("binh", "xong 1c")], "hoa: hoàn tác 1c", ["undone 1c.1:2024 tu-phap"], ["undone"]),
    ([("an", "xong 1c")], "chu: hoàn tác 1c", [], ["refused:undo-others"]),
    ([], "an: hoàn tác 1c", [], ["refused:nothing-to-undo"]),
    (
        [("an", "xong 1c"), ("an", "hoàn tác 1c")],
        "an: hoàn tác 1c",
        [],
        ["refused:nothing-to-undo"],
    ),
    ([("an", "trình ký 1c")], "an: hoàn tác 1c", ["returned 1c.1:2024 tu-phap"], ["undone"]),
    (
        [("an", "gia hạn 1c 05/02 vì x")],
        "an: hoàn tác 1c",
        ["extension-withdrawn 1c.1:2024 tu-phap"],
        ["undone", "extension-withdrawn>van-phong"],
    ),
    (
        [("kiem", "xong 2c")],
        "giang: hoàn tác 2c",
        ["undone 2c.1:2024-01 van-hoa-xa-hoi", "undone 2c.1:2024-01 dia-chinh-xay-dung"],
        ["undone"],
    ),
    (
        [("an", "xong 1c")],
        "binh: /molai 1c sai thể thức",
        ["reopened 1c.1:2024 tu-phap (sai thể thức)"],
        ["reopened", "reopened>tu-phap"],
    ),
    ([], "binh: /molai 1c sai", [], ["refused:not-closed"]),
    ([("an", "xong 1c")], "an: /molai 1c sai", [], ["office-only"]),
    ([("an", "xong 1d cả hai")], "binh: /molai 1d sai", [], ["which-part"]),
    # snooze: a working day, never past the due day
    ([], "an: nhắc sau 1c 1", ["snoozed 1c.1:2024 tu-phap →2024-01-31"], ["snoozed"]),
    ([], "an: nhắc sau 1c 9", ["snoozed 1c.1:2024 tu-phap →2024-01-31"], ["snoozed"]),
    (
        [],
        "an: nhắc sau 1d báo cáo 10/02",
        ["snoozed 1d.1:2024 tu-phap →2024-02-15"],
        ["snoozed"],
    ),
    # of several open instances none is guessed: what records asks which, a question lists all
    ([], "an@2024-03-06: 2c vướng", [], ["which-part"]),
    ([], "an@2024-03-06: 2c đang làm", [], ["which-part"]),
    ([], "an@2024-03-06: /ghichu 2c chờ số liệu", [], ["which-part"]),
    ([], "an@2024-03-06: 2c sao rồi", [], ["asked,asked,asked"]),
    ([], "an@2024-03-06: 2c ok", [], ["seen"]),
    (
        [],
        "an@2024-03-06: 2c tháng 2 vướng số liệu",
        ["noted 2c.1:2024-02 tu-phap (vướng số liệu)"],
        ["not-done"],
    ),
    ([], "binh@2024-03-06: gia hạn 2c 20/3", [], ["which-part"]),
    ([], "an@2024-02-01: nhắc sau 1c 3", [], ["refused:snooze-late"]),
    ([], "an@2024-01-31: nhắc sau 1c 3", [], ["refused:snooze-last-day"]),
    ([], "an: nhắc sau 2g 3", [], ["refused:snooze-awaiting"]),
    ([], "binh: nhắc sau 1c 1", [], ["not-your-unit"]),
    ([], "an: nhắc sau 1d 3 ngày", [], ["which-part"]),
    # extensions
    (
        [],
        "an: gia hạn 1c 05/02 chờ số liệu",
        ["extension-asked 1c.1:2024 tu-phap (chờ số liệu) →2024-02-05"],
        ["extension-requested", "extension-asked>van-phong"],
    ),
    (
        [("an", "gia hạn 1c 05/02 x")],
        "dung: gia hạn 1c 05/02 x",
        [],
        ["extension-requested"],
    ),
    ([], "an: gia hạn 1c 31/01 x", [], ["refused:not-after-due"]),
    ([], "an@2024-02-05: gia hạn 1c 02/02/2024 x", [], ["refused:not-after-today"]),
    ([], "an: gia hạn 1c 02/01/2025 x", [], ["refused:outside-year"]),
    ([], "an: gia hạn 2g 05/02 x", [], ["refused:extend-awaiting"]),
    ([], "binh: gia hạn 5c 05/4 x", [], ["set-due-asked"]),
    ([], "binh: xin thêm 3 ngày cho 5c", [], ["set-due-asked"]),
    ([], "binh: gia hạn 5c 05/01/2025 x", [], ["refused:outside-year"]),
    ([], "an@2024-04-20: cập nhật 1a 03 văn bản", [], ["which-part"]),
    ([], "an@2024-04-20: 1a đang làm", [], ["which-part"]),
    ([], "cuc: gia hạn 1c 05/02 x", [], ["not-your-unit"]),
    (
        [("an", "gia hạn 1c 05/02 x")],
        "binh: /dongy 1c",
        ["extension-granted 1c.1:2024 tu-phap →2024-02-05"],
        ["extension-decided", "extension-decided>tu-phap"],
    ),
    (
        [("an", "gia hạn 1c 05/02 x")],
        "binh: /khongdongy 1c đã hứa",
        ["extension-refused 1c.1:2024 tu-phap (đã hứa)"],
        ["extension-decided", "extension-decided>tu-phap"],
    ),
    ([("an", "gia hạn 1c 05/02 x"), ("binh", "/dongy 1c")], "hoa: /dongy 1c", [], ["no-request"]),
    ([], "binh: /dongy 1c", [], ["no-request"]),
    ([("an", "gia hạn 1c 05/02 x")], "an: /dongy 1c", [], ["office-only"]),
    (
        [("an", "gia hạn 1c 05/02 x")],
        "binh@2024-02-06: /dongy 1c",
        [],
        ["refused:not-after-today"],
    ),
    # dates
    (
        [],
        "binh: /dathan 5a 15/9/2024",
        ["due-set 5a.1:2024 van-phong →2024-09-15"],
        ["date-set", "date-set>van-phong"],
    ),
    (
        [],
        "binh: /dathan 4b 10/02 chờ HĐND",
        ["due-set 4b.1:2024 tai-chinh-ke-toan (chờ HĐND) →2024-02-10"],
        ["date-set", "date-set>tai-chinh-ke-toan"],
    ),
    ([], "binh: /dathan 4b 10/01/2024", [], ["refused:not-after-today"]),
    ([], "binh: /dathan 4b 10/02/2025", [], ["refused:outside-year"]),
    ([], "cuc: /dathan 4b 10/02", [], ["office-only"]),
    ([], "chu: /dathan 4b 10/02", [], ["office-only"]),
    ([("cuc", "xong 4b")], "binh: /dathan 4b 10/02", [], ["already-done"]),
    ([], "binh: /xacnhan 4b", ["confirmed 4b.1:2024 tai-chinh-ke-toan"], ["confirmed"]),
    ([("binh", "/xacnhan 4b")], "hoa: /xacnhan 4b", [], ["refused:not-assumed"]),
    ([], "binh: /xacnhan 5a", [], ["refused:not-assumed"]),
    ([], "cuc: /xacnhan 4b", [], ["office-only"]),
    # read
    ([], "an: /viec", [], ["tasks"]),
    ([], "chu: /viec", [], ["tasks"]),
    ([], "an: /viec 1c", [], ["task"]),
    ([], "cuc: /viec 1c", [], ["due"]),
    ([], "cuc: /han", [], ["due"]),
    ([], "an: /lichsu 1c", [], ["history"]),
    ([], "cuc: /lichsu 1c", [], ["refused:history-closed"]),
    ([], "chu: /lichsu 1c", [], ["history"]),
    ([], "an: /trogiup", [], ["help"]),
    (
        [],
        "an: /nghiphep 01/02-10/02",
        ["away /an.0:2024-02-01 tu-phap →2024-02-10"],
        ["away", "away-word>van-phong"],
    ),
    ([], "binh: /tonghop", [], ["digest"]),
    ([], "chu: tổng hợp tuần", [], ["digest"]),
    ([], "chu: /zalo", [], ["zalo"]),
    ([], "an: /digest", [], ["refused:reads-all-only"]),
    ([], "an: /zalo", [], ["refused:reads-all-only"]),
]  # fmt: skip


def play(room: Room, said: str, text: str) -> tuple[list[str], list[str]]:
    who, _, when = said.partition("@")
    return told_of(room.say(who, when or NOW, text))


@pytest.mark.parametrize(("before", "said", "events", "views"), CASES)
def test_a_sentence_and_what_it_comes_to(
    before: list[Said], said: str, events: list[str], views: list[str]
) -> None:
    """Who may, what closes what, and what is asked instead of guessed: the contract's rules."""
    room = Room()
    for who, text in before:
        play(room, who, text)
    who, _, text = said.partition(": ")
    assert play(room, who, text) == (events, views)


def test_an_answer_to_a_reminder_of_several_tasks_asks_which() -> None:
    """“xong” closes nothing then; each task that the sender may close is a button."""
    room = Room()
    both = (Target(task="1c"), Target(task="2c"))
    decision = room.say("an", NOW, "xong", reply_to=both)
    assert decision.events == ()
    keys = (Key("cchc-2024", "1c", 1, "2024"), Key("cchc-2024", "2c", 1, "2024-01"))
    assert decision.answers == (WhichOccurrence(keys=keys, unit="tu-phap"),)
    assert decision.notices == ()
    assert told_of(room.say("an", NOW, "ok", reply_to=both)) == ([], ["seen"])
    only_2c = room.say("giang", NOW, "xong", reply_to=both)
    assert told_of(only_2c) == ([], ["error"])
    assert only_2c.answers[0].occurrences() == keys[1:]


def test_all_dates_are_confirmed_at_once_and_once() -> None:
    """59 check-ins, 4 reports and 4b are assumed in 2024: 1a to 6a for four quarters."""
    room = Room()
    events, views = play(room, "binh", "/xacnhan tất cả")
    assert (len(events), {e.split()[0] for e in events}, views) == (
        65,
        {"confirmed"},
        ["confirmed"],
    )
    assert play(room, "binh", "/xacnhan tất cả") == ([], ["refused:nothing-assumed"])


def test_what_was_late_at_the_start_is_spoken_of_once_the_office_answers() -> None:
    """Held back until then, it is silent no longer from the next working day on."""
    room = Room()
    late = Key("cchc-2024", "1c", 1, "2024")
    held = Event(
        at=moment("2024-02-01 08:00"),
        kind=EventKind.HELD,
        key=late,
        unit="van-phong",
        until=date(2024, 2, 15),
    )
    room.events.append(held)
    assert play(room, "binh@2024-02-02 16:00", "/xacnhan 1c") == (
        ["held 1c.1:2024 tu-phap →2024-02-05"],
        ["confirmed"],
    )


def test_who_was_told_of_the_delay_is_told_when_it_closes() -> None:
    """In one message a unit, however many closed; not before the last part of shared work."""
    late, shared = Key("cchc-2024", "1c", 1, "2024"), Key("cchc-2024", "2c", 1, "2024-01")
    both = frozenset({"van-phong", "lanh-dao"})
    room = Room(told={late: both, shared: frozenset({"lanh-dao"})})
    assert play(room, "an@2024-02-05", "xong 2c tháng 1")[1] == ["done"]
    decision = room.say("binh", "2024-02-05 10:00", "xong 1c; xong 2c tháng 1 tất cả")
    assert decision.notices == (
        Notice(to="unit:lanh-dao", payload=ClosedNotice(keys=(late, shared), leaders=True)),
        Notice(to="unit:van-phong", payload=ClosedNotice(keys=(late,), leaders=False)),
    )


def test_two_plans_that_have_it_open_are_asked_about() -> None:
    """In January both speak; the year, or a period of one of them, says which is meant."""
    room, day = Room(PLAN, next_plan()), "2025-01-06 09:00"
    asked = room.say("an", day, "xong 2c")
    question = WhichPlan(code="2c", typed=("xong 2024/2c", "xong 2025/2c"))
    assert asked == Decision(answers=(question,))
    assert play(room, f"an@{day}", "xong 2025/2c") == (
        ["done cchc-2025/2c.1:2025-01 tu-phap"],
        ["done"],
    )
    assert play(room, f"an@{day}", "xong 2c tháng 12/2024") == (
        ["done 2c.1:2024-12 tu-phap"],
        ["done"],
    )
    assert play(room, f"an@{day}", "xong 2c") == ([], ["which"])
    assert play(room, f"an@{day}", "xong 1c") == (["done 1c.1:2024 tu-phap"], ["done"])


def test_remind_names_who_still_has_to_act() -> None:
    """Shared work: those who have not confirmed; what has no date can't be nudged about."""
    room = Room()
    room.say("an", NOW, "xong 2c")
    decision = room.say("binh", NOW, "/nhacngay 2c")
    month = Key("cchc-2024", "2c", 1, "2024-01")
    units = ("van-phong", "van-hoa-xa-hoi", "dia-chinh-xay-dung")
    assert decision.remind == tuple((month, unit) for unit in units)
    assert told_of(room.say("binh", NOW, "/nhacngay 5a")) == ([], ["refused:remind-awaiting"])
    assert told_of(room.say("an", NOW, "/nhacngay 1c")) == ([], ["office-only"])


def test_a_bare_1d_offers_1dd_too() -> None:
    """In a question, a confirmation and a refusal alike, while 1đ is open."""
    room = Room()
    other = Key("cchc-2024", "1đ", 1, "2024")
    assert instead(room.say("an", NOW, "xong 1d")) == other
    assert instead(room.say("an", NOW, "xong 1d báo cáo")) == other
    assert instead(room.say("cuc", NOW, "xong 1d")) is None
    room.say("an", NOW, "xong 1đ kế hoạch theo dõi")
    standing = Key("cchc-2024", "1đ", 2, "2024-Q1")
    assert instead(room.say("an", NOW, "xong 1d")) == standing


def instead(decision: Decision) -> Key | None:
    match decision.answers:
        case (Done(instead=key) | WhichOccurrence(instead=key) | NotYourUnit(instead=key),):
            return key
    raise AssertionError(decision.answers)


def test_events_say_who_when_and_by_which_message() -> None:
    """What the audit log needs."""
    room = Room()
    made = room.say("an", NOW, "xong 1c số 12/QĐ-UBND").events[0]
    assert (made.by, made.channel, made.message, made.at) == (
        "an",
        "telegram",
        "m1",
        room.context("an", NOW).now,
    )


def test_a_range_is_listed_back_with_the_list_that_means_it() -> None:
    """Nothing is recorded until the list is typed."""
    room = Room()
    room.say("an", NOW, "1a 03 văn bản")
    decision = room.say("an", NOW, "1a-1c xong")
    assert decision.events == ()
    key = Key("cchc-2024", "1c", 1, "2024")
    assert decision.answers == (ListedBack(keys=(key,), typed="xong 1a, 1c"),)


def test_several_sentences_see_each_other() -> None:
    """A date that one sentence set is no longer assumed for the next of the same message."""
    room = Room()
    assert play(room, "binh", "/dathan 4b 10/02\n/xacnhan 4b") == (
        ["due-set 4b.1:2024 tai-chinh-ke-toan →2024-02-10"],
        ["date-set,refused:not-assumed", "date-set>tai-chinh-ke-toan"],
    )
