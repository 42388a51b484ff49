"""The line to Telegram: what is wrong with it is mended or waited out, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from reminder.channels.telegram.receive import EMPTY_WAIT, TelegramListener
from reminder.channels.telegram.send import make_bot
from reminder.domain.context import Inbound
from tests.channels.telegram.line import Told
from tests.e2e.town import AN, CHI, town
from tests.fakes.telegram import FakeTelegram

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("timedelta_retry")]
WEBHOOK = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)


async def test_a_webhook_of_former_days_is_taken_off(tmp_path: Path) -> None:
    """It would keep every message from this program; what waits for the bot is kept."""
    async with town(tmp_path) as place:
        await place.enrol("an")
        place.telegram.fail_next("getUpdates", 409, description=WEBHOOK)
        (answer,) = await place.says(AN, "/done 1c")
        assert answer.startswith("✅ Đã ghi 1c")
        calls = [c.params for c in place.telegram.calls if c.method == "deleteWebhook"]
        assert len(calls) == 1
        assert "true" not in calls[0].values()


async def test_a_server_that_does_not_wait_is_not_hammered() -> None:
    """Each empty answer that comes at once is followed by a pause."""
    pauses: list[float] = []

    class EnoughError(Exception):
        pass

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise EnoughError

    async def take(_: Inbound) -> bool:
        return True

    async with FakeTelegram() as telegram:
        bot = make_bot(telegram.token, telegram.base_url)
        await bot.initialize()
        try:
            with pytest.raises(EnoughError):
                await TelegramListener(bot, Told(), sleep=sleep, poll_seconds=0).run(take)
        finally:
            await bot.shutdown()
        assert pauses == [EMPTY_WAIT] * 3


async def test_a_429_is_obeyed_and_loses_nothing(tmp_path: Path) -> None:
    """Refused with a wait of 7 s: sent once that has passed, once, and no mail instead."""
    async with town(tmp_path) as place:
        await place.enrol("an", "chi")
        before = len(place.telegram.sent_to(AN))
        place.telegram.fail_next("sendMessage", 429, retry_after=7)
        await place.hour("24/01")
        await place.hour("24/01", "08:01")
        assert ["1c" in m.text for m in place.telegram.sent_to(AN)[before:]] == [True]
        assert place.mails_to("an") == []


async def test_an_unknown_outcome_is_sent_once_more_and_marked(tmp_path: Path) -> None:
    """Telegram took the nudge, its answer was lost: a second one says that it may be a repeat."""
    async with town(tmp_path) as place:
        await place.enrol("an", "chi")
        before = len(place.telegram.sent_to(AN))
        place.telegram.fail_next("sendMessage", "reset-after")
        await place.hour("24/01")
        await place.hour("24/01", "08:01")
        marked = ["có thể là tin gửi lại" in m.text for m in place.telegram.sent_to(AN)[before:]]
        assert marked == [False, True]
        assert (await place.says(CHI, "/done 1c"))[0].startswith("✅ Đã ghi 1c")


async def test_telegram_away_for_two_hours_the_mail_comes(tmp_path: Path) -> None:
    """Not accepted for the patience that is set: the next channel, and Telegram not as well."""
    async with town(tmp_path) as place:
        await place.enrol("an", "chi")
        before = len(place.telegram.sent_to(AN))
        place.telegram.fail_next("sendMessage", 503, times=10_000)
        for clock in ("08:00", "08:30", "09:30", "10:01"):
            await place.hour("24/01", clock)
        assert ["1c" in mail for mail in place.mails_to("an")] == [True]
        place.telegram._faults._waiting.clear()
        await place.hour("24/01", "10:30")
        assert len(place.telegram.sent_to(AN)) == before
