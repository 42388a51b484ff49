"""Answers and notices: each names the task's title, what remains, and what one can type."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from reminder.decisions.buttons import encode
from reminder.domain.ledger import EventKind
from reminder.domain.payloads import (
    ClosedNotice,
    Done,
    ExtensionAsked,
    ExtensionDecided,
    NotDone,
    Seen,
    Stranger,
)
from reminder.domain.schedule import MessageKind
from reminder.messages import escalation
from reminder.messages.context import short_name
from reminder.messages.rows import render
from reminder.services.history import Past, Reminded
from tests.messages import scenes
from tests.messages.office import at, done, items, key, plan, said, scene


def test_a_done_names_the_title_the_punctuality_and_what_remains() -> None:
    """Sample 3, with the undo as a button and typed."""
    event = done(at("2024-01-30"), key("1c"), "tu-phap")
    context = scene("2024-01-30", [event])
    message = scenes.done_beside(context, [event], key("2c", period="2024-01"), key("1d", 2))
    assert message.text.splitlines() == [
        (
            "✅ Đã ghi 1c Danh mục VBQPPL hết hiệu lực năm 2023: xong lúc 09:12 hôm nay, "
            "trước hạn 1 ngày. Người báo: Nguyễn Thị An."
        ),
        "Có số văn bản xin nhắn: 1c số …/… ngày 30/01",
        "Tư pháp còn 2c, hạn Thứ Tư 31/01; 1d quyết định, hạn Thứ Sáu 01/3.",
        "Ghi nhầm thì trong 1 giờ xin nhắn: hoàn tác 1c",
    ]
    assert [a.data for row in message.actions for a in row] == [
        encode("undo", key("1c"), "tu-phap", at("2024-01-30", "09:12"))
    ]


def test_many_remaining_tasks_are_three_and_a_number() -> None:
    """The nearest by name; an awaiting one comes last."""
    event = done(at("2024-01-02"), key("1c"), "tu-phap")
    context = scene("2024-01-02", [event])
    remaining = [work for work in context.begun() if "tu-phap" in work.state.open_units]
    message = scenes.told(context, Done(events=(event,), unit="tu-phap"))
    line = message.text.splitlines()[2]
    assert line.startswith(
        "Tư pháp còn 2c, hạn Thứ Tư 31/01; 1d báo cáo, hạn Thứ Ba 20/02; 1d quyết định, hạn"
    )
    assert line.endswith(f"và {len(remaining) - 3} việc nữa: /viec")


def test_several_closed_at_once_have_an_undo_each() -> None:
    """One answer to one message, however many codes it had."""
    events = [done(at("2024-01-30"), k, "tu-phap") for k in (key("1c"), key("1d", 1))]
    context = scene("2024-01-30", events)
    message = scenes.done_beside(context, events)
    assert [row[0].label for row in message.actions] == ["↩️ 1c", "↩️ 1d báo cáo"]
    assert "Tư pháp không còn việc nào đang mở." in message.text


@pytest.mark.parametrize(
    ("code", "number", "name"),
    [
        ("1d", 1, "báo cáo"),
        ("1d", 2, "quyết định"),
        ("BC", 1, "báo cáo quý"),
        ("2a", 1, "kế hoạch"),
    ],
)
def test_a_product_is_named_in_as_few_words_as_tell_it_apart(
    code: str, number: int, name: str
) -> None:
    """What an officer types after the code."""
    assert short_name(plan().by_code[code], number) == name


def test_a_handle_names_exactly_one_occurrence() -> None:
    """One open month is plain 2c; of several open each needs its month; BC its period."""
    closed = [
        done(at("2024-01-30"), key("2c", period="2024-01"), unit)
        for unit in plan().by_code["2c"].lead
    ]
    before, after = scene("2024-02-26"), scene("2024-02-26", closed)
    february = key("2c", period="2024-02")
    of = [(before, february), (after, february)]
    of += [(before, key("BC", 1, period)) for period in ("2024-Q1", "2024-Q3")]
    names = [work.name for context, what in of for work in context.works([what])]
    assert names == ["2c tháng 02", "2c", "BC quý I", "BC quý III"]


def test_an_escalation_tells_the_office_all_it_has_to_decide_with() -> None:
    """How often reminded, what the unit said, signatures, when the leaders hear, three buttons."""
    events = [
        said(EventKind.SUBMITTED, at("2024-01-30"), key("1c"), "tu-phap"),
        said(EventKind.NOTED, at("2024-01-31"), key("4b"), "tai-chinh-ke-toan", note="chờ HĐND"),
    ]
    context = scene("2024-02-01", events)
    told = items(context, "van-phong", MessageKind.ESCALATION, events)
    times = Reminded(count=6, channels=("telegram", "email"), last=at("2024-02-01", "08:00"))
    context = replace(context, past=Past(reminded={key("1c"): times}))
    message = escalation.to_office(context, told)
    assert message is not None
    assert message.text.splitlines() == [
        "Văn phòng lưu ý, Thứ Năm 01/02: 2 việc mới quá hạn.",
        (
            "• 1c Danh mục VBQPPL hết hiệu lực năm 2023 – Tư pháp, hạn Thứ Tư 31/01, "
            "chờ ký từ Thứ Ba 30/01"
        ),
        "Đã nhắc 6 lần qua Telegram và thư điện tử, gần nhất 08:00 hôm nay. Đã trình ký.",
        "Chưa báo Lãnh đạo. Nếu chưa xong, sẽ báo sáng Thứ Hai 05/02.",
        "• 4b Dự toán ngân sách nhà nước năm 2024 – TCKT, hạn dự kiến Thứ Tư 31/01",
        "Chưa nhắc được lần nào. Bộ phận nêu: chờ HĐND.",
        "Không báo Lãnh đạo (hạn dự kiến).",
        "Nhắn: /nhacngay 1c · /dathan 1c 05/02 lý do · /ghichu 1c lý do",
    ]
    assert [[a.typed for a in row] for row in message.actions] == [
        [f"/nhacngay {code}", f"/dathan {code} 05/02 lý do", f"/ghichu {code} lý do"]
        for code in ("1c", "4b")
    ]


def test_what_closed_since_is_not_escalated() -> None:
    """A row that waited while the work was done has nothing to say."""
    told = items(scene("2024-02-05"), "lanh-dao", MessageKind.ESCALATION)
    everything = [
        done(at("2024-02-05", "07:59"), item.key, unit)
        for item in told
        for unit in plan().by_code[item.key.task].lead
    ]
    later = scene("2024-02-05", everything)
    assert escalation.to_leaders(later, told) is None
    assert escalation.to_office(later, told) is None


def test_leaders_read_a_report_that_needs_no_answer() -> None:
    """Sample 7: no buttons, the reason, since when the office knows."""
    context = scene("2024-02-05")
    told = items(context, "lanh-dao", MessageKind.ESCALATION)
    told = tuple(item for item in told if item.key.task == "1c")
    context = replace(context, past=Past(told={key("1c"): at("2024-02-01", "08:00")}))
    message = escalation.to_leaders(context, told)
    assert message is not None
    assert message.actions == ()
    assert message.text.splitlines() == [
        "Kính báo cáo Lãnh đạo UBND phường, sáng Thứ Hai 05/02:",
        (
            "• 1c Danh mục VBQPPL hết hiệu lực năm 2023 – Tư pháp chủ trì, hạn Thứ Tư 31/01, "
            "quá hạn 3 ngày làm việc."
        ),
        "Lý do bộ phận nêu: chưa có. Văn phòng đã được báo từ Thứ Năm 01/02.",
        "Tin này để Lãnh đạo biết, không cần trả lời. Xem thêm: nhắn /viec",
    ]


def test_the_word_that_it_is_done_needs_something_done() -> None:
    """A reopened task is not reported as done."""
    context = scene("2024-02-05")
    assert render(context, ClosedNotice(keys=(key("1c"),), leaders=True)) is None


def test_a_stranger_learns_nothing() -> None:
    """No task, no unit, no name, no way in."""
    message = scenes.reply(Stranger())
    assert message.text == message.html
    assert not {"Tư pháp", "Văn phòng", "1c", "/"} & set(message.text.split())


def test_a_check_in_answered_is_named_with_what_is_missing() -> None:
    """One: by its title; several: by code; nothing missing: said."""
    context = scene("2024-03-07")
    event = scenes.answered(context, scenes.quarter("1a"))
    message = scenes.updated_beside(context, [event], steady=True)
    assert message.text == (
        "Đã ghi 1a Nâng cao chất lượng soạn thảo, thẩm định VBQPPL quý I: "
        "đang thực hiện thường xuyên.\nKhông còn việc nào chờ cập nhật.\n"
        "Ghi nhầm thì trong 1 giờ xin nhắn: hoàn tác 1a"
    )
    assert [[a.label for a in row] for row in message.actions] == [["↩️ Hoàn tác"]]


def test_many_check_ins_answered_at_once_can_be_taken_back() -> None:
    """Eight buttons at most, four in a row; the others are typed alike."""
    context = scene("2024-03-07")
    states = [work.state for work in context.begun() if work.occurrence.is_check_in]
    found = [scenes.answered(context, state.key) for state in states]
    codes = [state.key.task for state in states]
    message = scenes.updated_beside(context, found)
    assert len(found) > 8
    assert [[a.label for a in row] for row in message.actions] == [
        [f"↩️ {code}" for code in codes[:4]],
        [f"↩️ {code}" for code in codes[4:8]],
    ]
    forms = " · ".join(f"hoàn tác {code}" for code in codes[:6])
    assert message.text.endswith(f"Ghi nhầm thì trong 1 giờ xin nhắn: {forms} …")


def test_a_code_names_its_plan_only_beside_another_that_speaks() -> None:
    """1c of 2024 is open for good, and silent from February on: 2025 needs no prefix."""
    other = replace(plan(), id="cchc-2025", year=2025)
    key_2025 = key("1c", period="2025")._replace(plan="cchc-2025")
    codes = {
        day: work.code
        for day in ("2025-01-20", "2025-12-01")
        for work in scene(day, plans=(plan(), other)).works([key_2025])
    }
    assert codes == {"2025-01-20": "2025/1c", "2025-12-01": "1c"}


def test_a_refused_extension_leaves_the_date() -> None:
    """With the office's words where it gave any."""
    context = scene("2024-01-31")
    decided = ExtensionDecided(key=key("1c"), granted=False, note="đã hứa với thành phố")
    message = scenes.told(context, decided)
    assert message.text == (
        "Văn phòng không đồng ý gia hạn 1c Danh mục VBQPPL hết hiệu lực năm 2023; "
        "hạn vẫn là Thứ Tư 31/01.\nÝ kiến: đã hứa với thành phố"
    )


def test_an_awaiting_product_can_be_spoken_of() -> None:
    """“Chưa có hạn”: no date is made up, in an answer or in a request."""
    asked = said(
        EventKind.EXTENSION_ASKED, at("2024-01-31"), key("5a"), "van-phong", until=date(2024, 9, 15)
    )
    context = scene("2024-01-31", [asked])
    of = key("5a")
    told = [ExtensionAsked(key=of), Seen(keys=(of,)), NotDone(key=of)]
    asked_for, seen, not_done = (scenes.told(context, payload).text for payload in told)
    assert "từ chưa có hạn đến Chủ Nhật 15/9" in asked_for
    assert "(chưa có hạn)" in seen
    assert "chưa có hạn" in not_done
