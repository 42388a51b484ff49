"""Buttons under a nudge: whoever presses, and whenever, is answered and does no harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.town import AN, CHI, CUC, DUNG, LAN, STRANGER, Town, data_of, labels, town

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("timedelta_retry")]


async def nudged(place: Town) -> None:
    """An, Cúc, Dũng and the office have enrolled; it is the morning on which 1c is told."""
    await place.enrol("an", "cuc", "chi", "dung")
    await place.hour("31/01")


async def test_done_by_button_edits_the_colleagues_nudge(tmp_path: Path) -> None:
    """✅ closes, says so, ends the button's spinning, and the colleague's nudge shows who did."""
    async with town(tmp_path) as place:
        await nudged(place)
        nudge, colleagues = place.newest(AN, "1c"), place.newest(CUC, "1c")
        assert "✅ 1c" in labels(nudge)
        (answer,) = await place.presses(AN, "✅ 1c", nudge)
        assert answer.startswith("✅ Đã ghi 1c Danh mục VBQPPL hết hiệu lực năm 2023")
        assert await place.events() == ["done 1c an"]
        assert len(place.telegram.answers) == 1
        assert "An" in colleagues.text
        assert "✅ 1c" not in labels(colleagues)
        assert len(colleagues.history) == 1


async def test_pressed_twice_records_once(tmp_path: Path) -> None:
    """The second press hears that it is done already; both are acknowledged."""
    async with town(tmp_path) as place:
        await nudged(place)
        nudge = place.newest(AN, "1c")
        await place.presses(AN, "✅ 1c", nudge)
        (again,) = await place.presses(AN, "✅ 1c", nudge)
        assert "đã xong" in again
        assert "Không ghi thêm" in again
        assert await place.events() == ["done 1c an"]
        assert len(place.telegram.answers) == 2


async def test_two_presses_in_one_poll_record_once(tmp_path: Path) -> None:
    """A double tap, and a colleague at the same second: one event, three answers."""
    async with town(tmp_path) as place:
        await nudged(place)
        mine, hers = place.newest(AN, "1c"), place.newest(CUC, "1c")
        for who, message in ((AN, mine), (AN, mine), (CUC, hers)):
            data = data_of(message, "✅ 1c")
            place.telegram.user_presses(who, message.message_id, who, data)
        await place.quiet()
        assert await place.events() == ["done 1c an"]
        assert len(place.telegram.answers) == 3
        assert "Không ghi thêm" in place.newest(AN).text
        assert "Không ghi thêm" in place.newest(CUC).text


async def test_a_strangers_press_changes_and_shows_nothing(tmp_path: Path) -> None:
    """In private one polite line, in a group nothing; the press is acknowledged."""
    async with town(tmp_path) as place:
        await nudged(place)
        data = data_of(place.newest(AN, "1c"), "✅ 1c")
        place.telegram.start(STRANGER)
        message = place.telegram._world.post(STRANGER, "chuyển tiếp")
        message.offered.add(data)
        place.telegram.user_presses(STRANGER, message.message_id, STRANGER, data)
        place.telegram.add_group(-9)
        in_group = place.telegram._world.post(-9, "chuyển tiếp")
        in_group.offered.add(data)
        place.telegram.user_presses(STRANGER, in_group.message_id, -9, data)
        await place.quiet()
        said = [m.text for m in place.telegram.sent_to(STRANGER) if m is not message]
        assert [text[:8] for text in said] == ["Xin lỗi,"]
        assert "1c" not in said[0]
        assert [m for m in place.telegram.sent_to(-9) if m is not in_group] == []
        assert await place.events() == []
        assert len(place.telegram.answers) == 2


async def test_an_officer_of_another_unit_closes_nothing(tmp_path: Path) -> None:
    """A press that reached somebody of another unit is refused with the way to go."""
    async with town(tmp_path) as place:
        await nudged(place)
        data = data_of(place.newest(AN, "1c"), "✅ 1c")
        message = place.newest(DUNG)
        message.offered.add(data)
        place.telegram.user_presses(DUNG, message.message_id, DUNG, data)
        await place.quiet()
        assert "Tư pháp" in place.newest(DUNG).text
        assert "chưa" in place.newest(DUNG).text
        assert await place.events() == []
        assert len(place.telegram.answers) == 1


async def test_an_old_message_whose_task_has_closed(tmp_path: Path) -> None:
    """Last week's nudge still has its button: it says that the task is closed, records nothing."""
    async with town(tmp_path) as place:
        await place.enrol("an", "chi")
        await place.hour("24/01")
        old = place.newest(AN, "1c")
        await place.hour("26/01")
        await place.says(CHI, "/done 1c")
        (answer,) = await place.presses(AN, "✅ 1c", old)
        assert "Không ghi thêm" in answer
        (answer,) = await place.presses(AN, "⏰", old)
        assert "Chưa ghi" in answer or "không ghi thêm" in answer.lower() or "đã xong" in answer
        assert await place.events() == ["done 1c chi"]
        assert len(place.telegram.answers) == 2


async def test_a_button_of_no_plan_is_answered(tmp_path: Path) -> None:
    """Data that names nothing any more says so; it is acknowledged all the same."""
    async with town(tmp_path) as place:
        await nudged(place)
        message = place.newest(AN)
        for data in ("done:00000000000000000000", "x", "done:", ":", "\u202exong"):
            message.offered.add(data)
            place.telegram.user_presses(AN, message.message_id, AN, data)
        before = len(place.telegram.sent_to(AN))
        await place.quiet()
        assert len(place.telegram.answers) == 5
        assert len(place.telegram.sent_to(AN)) == before + 5
        assert await place.events() == []


async def test_undo_by_button_within_the_hour(tmp_path: Path) -> None:
    """↩️ takes a close back for an hour; the colleague's nudge has its button again."""
    async with town(tmp_path) as place:
        await nudged(place)
        hers = place.newest(CUC, "1c")
        await place.presses(AN, "✅ 1c", place.newest(AN, "1c"))
        confirmation = place.newest(AN)
        await place.presses(AN, "↩️", confirmation)
        assert await place.events() == ["done 1c an", "undone 1c an"]
        assert "✅ 1c" in labels(hers)
        await place.presses(AN, "✅ 1c", place.newest(AN, "là hạn"))
        late = place.newest(AN)
        await place.hour("31/01", "09:30")
        (answer,) = await place.presses(AN, "↩️", late)
        assert "đã quá 1 giờ" in answer
        assert (await place.events())[-1] == "done 1c an"


async def test_snooze_holds_for_the_unit_and_delays_no_escalation(tmp_path: Path) -> None:
    """⏰ the day before spares both officers, Telegram and mail; what is late is told as ever."""
    async with town(tmp_path) as place:
        await place.enrol("an", "cuc", "chi", "dung", "lan")
        await place.hour("24/01")
        (answer,) = await place.presses(AN, "⏰ 1c", place.newest(AN, "1c"))
        assert "1c" in answer
        assert await place.events() == ["snoozed 1c an"]
        await place.hour("25/01")
        assert "1c" in place.newest(AN).text  # the day has passed: both hear it again
        assert "1c" in place.newest(CUC).text
        await place.says(CUC, "nhắc sau 1c 5")
        before = {who: len(place.telegram.sent_to(who)) for who in (AN, CUC)}
        mails = len(place.mails_to("binh"))
        await place.hour("26/01")
        for who in (AN, CUC):
            assert not [m for m in place.telegram.sent_to(who)[before[who] :] if "1c" in m.text]
        assert not [mail for mail in place.mails_to("binh")[mails:] if "1c" in mail]
        await place.hour("31/01")
        assert "1c" in place.newest(AN).text
        await place.hour("01/02")
        assert "• 1c" in place.newest(CHI, "Văn phòng lưu ý").text
        await place.hour("05/02")
        assert "1c" in place.newest(LAN, "Kính báo cáo").text


async def test_a_late_task_is_not_snoozed(tmp_path: Path) -> None:
    """⏰ is not shown on what is late; an old one records nothing and says what to ask for."""
    async with town(tmp_path) as place:
        await place.enrol("an", "chi")
        await place.hour("30/01")
        old = place.newest(AN, "1c")
        await place.hour("01/02")
        assert "⏰ 1c" not in str(place.newest(AN, "1c"))
        (answer,) = await place.presses(AN, "⏰ 1c", old)
        assert answer.startswith("Chưa ghi gì. 1c")
        assert "gia hạn 1c" in answer
        assert await place.events() == []


async def test_the_offices_buttons_under_an_escalation(tmp_path: Path) -> None:
    """“Nhắc ngay” nudges at once; the other two say how to type it."""
    async with town(tmp_path) as place:
        await nudged(place)
        await place.hour("01/02")
        told = place.newest(CHI, "Văn phòng lưu ý")
        before = len(place.telegram.sent_to(AN))
        await place.hour("01/02", "09:00")
        (answer,) = await place.presses(CHI, "Nhắc ngay 1c", told)
        assert "1c" in answer
        assert "1c" in "".join(m.text for m in place.telegram.sent_to(AN)[before:])
        (answer,) = await place.presses(CHI, "Dời hạn 1c", told)
        assert "1c" in answer
        assert "không còn dùng được" not in answer
        (answer,) = await place.presses(CHI, "Ghi lý do 1c", told)
        assert "1c" in answer
        assert "không còn dùng được" not in answer
        assert await place.events() == []


async def test_an_extension_is_granted_by_button(tmp_path: Path) -> None:
    """The unit asks, the office presses “Đồng ý”, the unit hears the new day; once.

    The buttons go; a press that was on its way already, or of an old screen, decides nothing.
    """
    async with town(tmp_path) as place:
        await nudged(place)
        await place.says(AN, "gia hạn 1c 05/02 chờ số liệu")
        asked = place.newest(CHI, "xin gia hạn")
        yes, no = data_of(asked, "✅ Đồng ý"), data_of(asked, "❌ Không")
        await place.presses(CHI, "✅ Đồng ý", asked)
        assert "05/02" in place.newest(AN, "đồng ý").text
        decided = place.newest(CHI, "xin gia hạn")
        assert (decided.message_id, labels(decided)) == (asked.message_id, [])
        before = await place.events()
        for data in (yes, no):
            place.telegram.user_presses(CHI, asked.message_id, asked.chat_id, data)
            await place.quiet()
        assert await place.events() == before
        assert len(place.telegram.answers) == 3


async def test_a_reply_without_a_code_asks_which_with_buttons(tmp_path: Path) -> None:
    """“xong” under a nudge of two tasks records nothing; the button that follows closes one."""
    async with town(tmp_path) as place:
        await nudged(place)
        nudge = place.newest(AN, "là hạn")
        (question,) = await place.says(AN, "xong", reply_to=nudge.message_id)
        assert await place.events() == []
        assert [label[:2] for label in labels(place.newest(AN))] == ["1c", "2c"]
        (answer,) = await place.presses(AN, "1c", place.newest(AN))
        assert answer.startswith("✅ Đã ghi 1c")
        assert await place.events() == ["done 1c an"]
        assert question != answer


async def test_a_bare_1d_offers_the_other_reading_by_button(tmp_path: Path) -> None:
    """“/done 1d” where 1đ is open too: asked; “Ý tôi là 1đ” is a button that works."""
    async with town(tmp_path, "19/02") as place:
        await place.enrol("an", "chi")
        await place.hour("19/02")
        await place.says(AN, "/done 1d")
        question = place.newest(AN)
        assert await place.events() == []
        label = next(label for label in labels(question) if "1đ" in label)
        (answer,) = await place.presses(AN, label, question)
        assert "không còn dùng được" not in answer
        assert "1đ" in answer
