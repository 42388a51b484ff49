"""What one person or server does holds up nobody else's answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reminder.channels.telegram.pacer import Gaps, Pacer
from reminder.channels.telegram.receive import ACKNOWLEDGED, ACKNOWLEDGED_OF_ALL
from reminder.channels.telegram.send import TelegramChannel
from reminder.domain.outbox import RowState
from tests.e2e.town import AN, CHI, Town, data_of, town
from tests.waiting import until

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("timedelta_retry")]
FLOOD = 25  # messages: fewer than the thirty a minute that one may send
STRANGER = 99
GROUP = -100


async def stand_still(place: Town) -> None:
    """From now on the clock by which Telegram's limits are kept stands still."""
    await place.time.skip(60)
    channel = place.wired.daemon.channels["telegram"]
    assert isinstance(channel, TelegramChannel)
    channel._pacer = Pacer(place.time.clock, place.time.sleep, Gaps(overall=0))


def answers(place: Town, who: int, words: str) -> int:
    return sum(words in m.text for m in place.telegram.sent_to(who))


async def test_the_flood_of_one_officer_holds_up_nobody(tmp_path: Path) -> None:
    """An asks more often than one may be answered in a second; Chi's answer goes before them."""
    async with town(tmp_path) as place:
        await place.enrol("an", "chi")
        await stand_still(place)
        before = len(place.telegram.sent_to(AN))
        for _ in range(FLOOD):
            place.telegram.user_sends(AN, "/han 1c")
        await until(
            lambda: not place.telegram.pending and len(place.telegram.sent_to(AN)) == before + 1
        )
        place.telegram.user_sends(CHI, "/done 4b")
        await until(lambda: answers(place, CHI, "✅ Đã ghi 4b") == 1)
        assert len(place.telegram.sent_to(AN)) == before + 1
        leased = [row.draft.recipient for row in await place.rows(RowState.LEASED)]
        assert leased.count("an") == 2  # a kill makes no more than these possible repeats
        await place.time.run(place.quiet())
        assert len(place.telegram.sent_to(AN)) == before + FLOOD


async def test_a_mail_server_that_says_nothing_holds_up_no_answer_by_telegram(
    tmp_path: Path,
) -> None:
    """It takes each mail and never answers; as many as may be in flight hang, and Chi is heard."""
    let_go = asyncio.Event()

    async def silent(_: str) -> None:
        await let_go.wait()

    async with town(tmp_path) as place:
        await place.enrol("chi")
        place.wired.daemon.dispatcher.in_flight = 1
        place.mailbox.hold, before = silent, len(place.mailbox.mails)
        place.clock.moment = place.clock.moment.replace(hour=1, minute=0)  # 08:00 in Hanoi
        await place.wired.daemon.tick()
        await until(lambda: len(place.mailbox.mails) == before + 1)
        place.telegram.user_sends(CHI, "/done 4b")
        await until(lambda: answers(place, CHI, "✅ Đã ghi 4b") == 1)
        assert len(place.mailbox.mails) == before + 1
        let_go.set()
        await place.quiet()
        assert len(place.mailbox.mails) > before + 1


@pytest.mark.parametrize(
    ("strangers", "most"),
    [([STRANGER], ACKNOWLEDGED), (list(range(STRANGER, STRANGER + 50)), ACKNOWLEDGED_OF_ALL)],
    ids=["one", "fifty"],
)
async def test_presses_of_strangers_hold_up_no_answer(
    tmp_path: Path, strangers: list[int], most: int
) -> None:
    """Telegram answers no acknowledgement: a few of them hang, and Chi is heard."""
    async with town(tmp_path) as place:
        await place.enrol("an", "chi")
        place.telegram.add_group(GROUP)
        await place.says(CHI, "/bind tu-phap", GROUP)
        await place.hour("24/01")
        nudge = place.newest(GROUP, "1c")
        place.telegram.fail_next("answerCallbackQuery", "timeout", times=1000)
        for who in strangers * (150 // len(strangers)):
            place.telegram.user_presses(who, nudge.message_id, GROUP, data_of(nudge, "✅"))
        place.telegram.user_sends(CHI, "/done 4b")
        await until(lambda: answers(place, CHI, "✅ Đã ghi 4b") == 1)
        hung = [c for c in place.telegram.calls if c.method == "answerCallbackQuery"]
        assert 0 < len(hung) <= most
