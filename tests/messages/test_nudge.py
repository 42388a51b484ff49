"""The morning's nudge says what is true on the day it is read, and nothing that has closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from reminder.decisions.buttons import encode
from reminder.domain.calendar import Period
from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import Action, Outbound
from reminder.domain.plan import Key
from reminder.domain.schedule import AGAIN, Item
from reminder.messages.nudge import nudge
from tests.messages.office import at, done, key, nudged, plan, said, scene

MONTH = key("2c", period="2024-01")


def rendered(day: str, *units: str, events: Sequence[Event] = (), edit: str = "") -> Outbound:
    context = scene(day, events)
    message = nudge(context, nudged(context, *units, events=events), edit=edit)
    assert message is not None
    return message


def item(what: Key) -> Item:
    context = scene("2024-01-01")
    due = context.states[what].due
    assert due is not None
    return Item(what, due, AGAIN)


def test_a_friday_with_two_tasks() -> None:
    """Sample 1a: how long is left is said once of one due day; a row of two buttons a task."""
    assert rendered("2024-01-26", "tu-phap") == Outbound(
        subject="Nhắc việc Thứ Sáu 26/01: 1c, 2c (2 việc sắp đến hạn)",
        html=(
            "Chào anh/chị. Thứ Sáu 26/01, Tư pháp có 2 việc sắp đến hạn:\n"
            "• <b>1c</b> Danh mục VBQPPL hết hiệu lực năm 2023 – hạn Thứ Tư 31/01, "
            "còn 5 ngày (3 ngày làm việc)\n"
            "• <b>2c</b> Kết quả đánh giá chất lượng phục vụ tháng 01 – hạn Thứ Tư 31/01\n"
            "Xong việc nào bấm ✅ việc ấy, hoặc nhắn: <code>xong 1c</code>"
        ),
        text=(
            "Chào anh/chị. Thứ Sáu 26/01, Tư pháp có 2 việc sắp đến hạn:\n"
            "• 1c Danh mục VBQPPL hết hiệu lực năm 2023 – hạn Thứ Tư 31/01, "
            "còn 5 ngày (3 ngày làm việc)\n"
            "• 2c Kết quả đánh giá chất lượng phục vụ tháng 01 – hạn Thứ Tư 31/01\n"
            "Xong việc nào xin nhắn: xong 1c"
        ),
        mail_html=rendered("2024-01-26", "tu-phap").mail_html,
        attachments=rendered("2024-01-26", "tu-phap").attachments,
        actions=tuple(
            (
                Action(
                    label=f"✅ {what.task}",
                    data=encode("done", what, "tu-phap"),
                    typed=f"xong {what.task}",
                ),
                Action(
                    label=f"⏰ {what.task}",
                    data=encode("snooze", what, "tu-phap"),
                    typed=f"/nhacsau {what.task} 1",
                ),
            )
            for what in (key("1c"), MONTH)
        ),
    )


@pytest.mark.parametrize(
    ("day", "first"),
    [
        ("2024-01-31", "Chào anh/chị. Hôm nay, Thứ Tư 31/01, là hạn của 1c Danh mục"),
        ("2024-02-01", "Chào anh/chị. 1c Danh mục VBQPPL hết hiệu lực năm 2023 quá hạn 1 ngày"),
        ("2024-02-05", "Chào anh/chị. 1c Danh mục VBQPPL hết hiệu lực năm 2023 quá hạn 3 ngày"),
    ],
)
def test_how_one_task_opens(day: str, first: str) -> None:
    """“Hôm nay là hạn” on the day, “quá hạn” with the real number after it."""
    events = [done(at("2024-01-24"), MONTH, "tu-phap")]
    assert rendered(day, "tu-phap", events=events).text.startswith(first)


def test_leaders_are_announced_only_until_they_have_heard() -> None:
    """Late-1 says when they hear; late-3, the day on which they do, does not."""
    events = [done(at("2024-01-24"), MONTH, "tu-phap")]
    first, third = (
        rendered(day, "tu-phap", events=events).text for day in ("2024-02-01", "2024-02-05")
    )
    assert (
        "Nếu hết Thứ Sáu 02/02 chưa xong, sáng Thứ Hai 05/02 máy sẽ báo Lãnh đạo UBND phường."
        in first.splitlines()
    )
    assert "báo Lãnh đạo" not in third


def test_assumed_dates_never_threaten_with_the_leaders() -> None:
    """4b has a date that stands in: it is late, and the leaders will not hear of it."""
    text = rendered("2024-02-01", "tai-chinh-ke-toan").text
    assert "quá hạn 1 ngày làm việc (hạn dự kiến Thứ Tư 31/01)" in text
    assert "Lãnh đạo" not in text


def test_what_was_rendered_late_says_the_later_day() -> None:
    """A row that waited over the weekend is true on Monday, not on Friday."""
    waited = nudge(scene("2024-01-29"), {"tu-phap": [item(key("1c"))]})
    assert waited is not None
    assert waited.text.splitlines()[:2] == [
        "Chào anh/chị. Thứ Hai 29/01, Tư pháp có 1 việc sắp đến hạn:",
        "• 1c Danh mục VBQPPL hết hiệu lực năm 2023 – hạn Thứ Tư 31/01, còn 2 ngày",
    ]


def test_what_has_closed_is_not_nudged_about() -> None:
    """Nothing open: no message. In an edit it is shown as done, by whom, without a button."""
    closed = [done(at("2024-01-26"), k, "tu-phap") for k in (key("1c"), MONTH)]
    context = scene("2024-01-26", closed)
    both = {"tu-phap": [item(key("1c")), item(MONTH)]}
    assert nudge(context, both) is None
    edited = nudge(context, both, edit="17")
    assert edited is not None
    assert (edited.edit, edited.actions) == ("17", ())
    assert edited.text == (
        "Chào anh/chị. Việc đã nhắc nay đã xong:\n"
        "✅ 1c Danh mục VBQPPL hết hiệu lực năm 2023 – "
        "đã xong lúc 09:12 hôm nay, người báo: Nguyễn Thị An\n"
        "✅ 2c Kết quả đánh giá chất lượng phục vụ tháng 01 – "
        "đã xong lúc 09:12 hôm nay, người báo: Nguyễn Thị An"
    )


def test_shared_work_of_a_unit_that_confirmed_is_done_for_it_alone() -> None:
    """2c: Tư pháp has, Văn phòng has not; a person of both is asked for the one part."""
    events = [done(at("2024-01-24"), MONTH, "tu-phap")]
    context = scene("2024-01-31", events)
    assert nudge(context, {"tu-phap": [item(MONTH)]}) is None
    message = nudge(context, {"tu-phap": [item(MONTH)], "van-phong": [item(MONTH)]})
    assert message is not None
    assert "(phần của Văn phòng)" in message.text
    assert message.actions[0][0].data == encode("done", MONTH, "van-phong")


def test_work_that_two_units_lead_is_one_line_for_a_person_of_both() -> None:
    """1d is Tư pháp's and Văn phòng's: the first to confirm closes it, so it is named once."""
    message = nudge(scene("2024-02-06"), {u: [item(key("1d"))] for u in ("tu-phap", "van-phong")})
    assert message is not None
    assert message.text.count("1d") == 2  # the line, and the typed form
    assert "Tư pháp và Văn phòng có 1 việc sắp đến hạn" in message.text


def test_late_months_of_one_task_share_a_line() -> None:
    """Late first, the months together, then what is ahead."""
    march = Period.parse("2024-03").name
    what = [key("2c", period=f"2024-0{n}") for n in (1, 2, 3)]
    message = nudge(scene("2024-03-28"), {"van-phong": [item(k) for k in [*what, key("5c")]]})
    assert message is not None
    assert message.text.splitlines()[:4] == [
        "Chào anh/chị. Thứ Năm 28/3, Văn phòng có 1 việc quá hạn, 2 việc sắp đến hạn:",
        (
            "• 2c Kết quả đánh giá chất lượng phục vụ tháng 01, 02 – quá hạn, lâu nhất "
            "36 ngày làm việc (hạn Thứ Tư 31/01 và Thứ Năm 29/02)"
        ),
        (
            f"• 2c Kết quả đánh giá chất lượng phục vụ {march} – hạn Chủ Nhật 31/3, "
            "còn 3 ngày (1 ngày làm việc)"
        ),
        "• 5c Kế hoạch chuyển đổi số năm 2024 – hạn Chủ Nhật 31/3",
    ]
    assert [row[0].typed for row in message.actions] == [
        "xong 2c tháng 01",
        f"xong 2c {march}",
        "xong 5c",
    ]


def test_a_moved_date_shows_the_one_before() -> None:
    """“Gia hạn từ 31/01”, counted from the new day."""
    until = at("2024-02-05").date()
    event = said(EventKind.EXTENSION_GRANTED, at("2024-01-31"), key("1c"), "van-phong", until=until)
    message = nudge(scene("2024-02-05", [event]), {"tu-phap": [item(key("1c"))]})
    assert message is not None
    assert message.text.startswith(
        "Chào anh/chị. Hôm nay, Thứ Hai 05/02, là hạn của 1c "
        "Danh mục VBQPPL hết hiệu lực năm 2023 (gia hạn từ 31/01)."
    )


def test_check_ins_are_one_block_with_one_way_to_answer() -> None:
    """After the tasks, after a gap; the office's ten are all named."""
    quarter = [
        key(t, 2 if t in ("2a", "2b") else 1, "2024-Q1")
        for t in ("1b", "2a", "2b", "2d", "2đ", "2e", "2i", "2k", "3", "5b")
    ]
    message = nudge(
        scene("2024-03-11"),
        {"van-phong": [item(k) for k in [*quarter, key("BC", 1, "2024-Q1")]]},
    )
    assert message is not None
    head, block = message.text.split("\n\n")
    assert "• BC Báo cáo kết quả cải cách hành chính quý I – hạn dự kiến Thứ Sáu 15/3" in head
    lines = block.splitlines()
    assert lines[0] == (
        "Tổng hợp quý I: xin cho biết tình hình 10 việc thường xuyên (hạn dự kiến Chủ Nhật 10/3, "
        "nhận đến hết hôm nay). Mỗi việc một dòng, gửi chung một tin:"
    )
    assert lines[1] == "1b Xây dựng, ban hành VBQPPL được giao"
    assert len(lines) == 13
    assert lines[-1] == "Không có gì phát sinh, nhắn: cập nhật tất cả bình thường"
    assert [row[0].label for row in message.actions] == ["✅ BC quý I"]


def test_two_plans_at_once_are_told_apart_by_their_years() -> None:
    """A code means its plan; where both have it open, the year stands before it."""
    other = replace(plan(), id="cchc-2023", year=2023)
    message = nudge(scene("2024-01-26", (), [plan(), other]), {"tu-phap": [item(key("1c"))]})
    assert message is not None
    assert "• 2024/1c Danh mục" in message.text
    assert message.actions[0][0].typed == "xong 2024/1c"


def test_a_signature_or_a_snooze_keeps_a_nudge_that_waited_from_being_sent() -> None:
    """Unless the office insists; an edit shows why it rests."""
    until = at("2024-01-30").date()
    context = scene(
        "2024-01-26",
        [
            said(EventKind.SUBMITTED, at("2024-01-25"), key("1c"), "tu-phap"),
            said(EventKind.SNOOZED, at("2024-01-25"), MONTH, "tu-phap", until=until),
        ],
    )
    both = {"tu-phap": [item(key("1c")), item(MONTH)]}
    assert nudge(context, both) is None
    insisting, edited = nudge(context, both, insist=True), nudge(context, both, edit="9")
    assert insisting is not None
    assert "Tư pháp có 2 việc sắp đến hạn" in insisting.text
    assert edited is not None
    assert edited.text.splitlines() == [
        "Chào anh/chị. Việc đã nhắc, nay:",
        "• 1c Danh mục VBQPPL hết hiệu lực năm 2023 – chờ ký từ Thứ Năm 25/01",
        "• 2c Kết quả đánh giá chất lượng phục vụ tháng 01 – hạn Thứ Tư 31/01, nhắc lại sau",
    ]


def test_the_sentence_on_the_rest_counts_what_is_left_after_it() -> None:
    """A name only where it has one; a count only where all lines share it."""
    of, other = key("1d", 1), key("1d", 2)
    named, plain = scene("2024-02-07"), replace(scene("2024-02-07"), holiday=lambda *_: "")
    alone, both = (
        nudge(named, {"tu-phap": [item(of)]}),
        nudge(plain, {"tu-phap": [item(of), item(other)]}),
    )
    assert alone is not None
    assert both is not None
    spring = "Nghỉ Tết từ Thứ Năm 08/02 đến hết Thứ Tư 14/02, sau Tết còn 4 ngày làm việc."
    assert spring in alone.text.splitlines()
    assert "Nghỉ từ Thứ Năm 08/02 đến hết Thứ Tư 14/02." in both.text.splitlines()
