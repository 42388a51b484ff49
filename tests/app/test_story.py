"""The daemon as wired by its settings, against a Telegram and a mail server that speak for real."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.kit import Mailbox, SetClock, invited, running
from tests.fakes.telegram import FakeTelegram
from tests.services.world import at


@pytest.mark.asyncio
async def test_from_invitation_to_the_closed_task(tmp_path: Path, mailbox: Mailbox) -> None:
    """Invite, /start, the nudge at 08:00, /done 1c, the confirmation; then silence about 1c."""
    clock = SetClock(at("24/01", "07:58"))
    async with FakeTelegram() as telegram, running(tmp_path, clock, telegram, mailbox) as wired:
        code = await invited(wired, clock, "an")
        telegram.start(11)
        telegram.user_sends(11, f"/start {code}")
        await telegram.until(lambda: len(telegram.sent_to(11)) == 1)
        assert "Chào An" in telegram.sent_to(11)[0].text

        clock.moment = at("24/01", "08:00")
        await telegram.until(lambda: len(telegram.sent_to(11)) == 2)
        assert "1c Danh mục VBQPPL hết hiệu lực năm 2023" in telegram.sent_to(11)[1].text
        await telegram.until(lambda: any(to == "binh@example.vn" for to, _ in mailbox.mails))

        clock.moment = at("24/01", "09:12")
        telegram.user_sends(11, "/done 1c")
        await telegram.until(lambda: len(telegram.sent_to(11)) == 3)
        assert "Đã ghi" in telegram.sent_to(11)[2].text
        assert [e.event.kind.value for e in await wired.daemon.do(wired.store.events)] == ["done"]

        clock.moment = at("26/01", "08:00")
        await telegram.until(lambda: len(telegram.sent_to(11)) == 4)
        assert "1c" not in telegram.sent_to(11)[3].text
        assert telegram.too_many == 0


@pytest.mark.asyncio
async def test_a_stranger_changes_and_learns_nothing(tmp_path: Path, mailbox: Mailbox) -> None:
    """One polite line in private, nothing in a group, no event; a second try hears nothing."""
    clock = SetClock(at("24/01", "10:00"))
    async with FakeTelegram() as telegram, running(tmp_path, clock, telegram, mailbox) as wired:
        telegram.start(66)
        telegram.add_group(-7, "Nhóm")
        for text in ("/done 1c", "/viec", "/start khong-phai-ma"):
            telegram.user_sends(66, text)
        telegram.user_sends(66, "/done 1c", -7)
        await telegram.until(lambda: not telegram.pending and len(telegram.sent_to(66)) == 2)
        assert [m.text.split(",")[0].split(".")[0] for m in telegram.sent_to(66)] == [
            "Xin lỗi",
            "Mã mời này không đúng",
        ]
        assert telegram.sent_to(-7) == []
        assert await wired.daemon.do(wired.store.events) == []


@pytest.mark.asyncio
async def test_who_blocks_the_bot_gets_mail_and_the_office_hears(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """403: the mail comes instead, and the office is told; who writes again is nudged there."""
    clock = SetClock(at("24/01", "07:58"))
    async with FakeTelegram() as telegram, running(tmp_path, clock, telegram, mailbox) as wired:
        code = await invited(wired, clock, "an")
        telegram.start(11)
        telegram.user_sends(11, f"/start {code}")
        await telegram.until(lambda: len(telegram.sent_to(11)) == 1)
        telegram.block(11)
        clock.moment = at("24/01", "08:00")

        def told() -> bool:
            an = any(to == "an@example.vn" and "1c" in text for to, text in mailbox.mails)
            office = any(to == "chi@example.vn" and "(an)" in text for to, text in mailbox.mails)
            return an and office

        await telegram.until(told)

        telegram.unblock(11)
        clock.moment = at("25/01", "09:00")
        telegram.user_sends(11, "ok")
        await telegram.until(lambda: len(telegram.sent_to(11)) == 2)
        clock.moment = at("26/01", "08:00")
        await telegram.until(lambda: len(telegram.sent_to(11)) == 3)
        assert "2c Kết quả đánh giá" in telegram.sent_to(11)[2].text
