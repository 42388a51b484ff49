"""A fault at each step of taking an update: no answer is lost, each is told or tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reminder.app.dispatcher import Dispatcher
from reminder.channels.telegram import receive
from reminder.channels.telegram.receive import TelegramListener
from reminder.channels.telegram.send import TelegramChannel
from reminder.domain.outbox import RowState
from reminder.messages.rows import RowRenderer
from reminder.services import handle
from reminder.services.handle import Handling
from reminder.services.service import Service
from reminder.store.store import Store
from tests.e2e.town import AN, CHI, Town, town
from tests.waiting import until

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("timedelta_retry")]
NOT_TAKEN = "Chưa ghi được tin vừa rồi: máy gặp lỗi. Xin nhắn lại; nếu vẫn vậy xin báo người phụ"
DONE = "✅ Đã ghi 4b"
UNWORDED = "Máy đã xử lý tin của anh/chị, nhưng gặp lỗi khi soạn câu trả lời."
LATER = datetime.max.replace(tzinfo=UTC)
STEPS: list[tuple[Any, str]] = [
    (receive, "to_inbound"),
    (TelegramListener, "_is_news"),
    (Dispatcher, "take"),
    (Service, "take"),
    (Service, "handling"),
    (Handling, "receive"),
    (handle, "parse"),
    (handle, "decide"),
    (Store, "record"),
    (Service, "claimed"),
    (Service, "prepared"),
    (RowRenderer, "render"),
    (Dispatcher, "taken"),
    (Dispatcher, "_hold"),
    (Dispatcher, "_start_sends"),
    (TelegramChannel, "turn"),
]


class Fault:
    """The next `times` calls of a function fail; those after them work."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, times: int) -> None:
        self.left = times
        works = getattr(place, name)

        def fails(*args: Any, **named: Any) -> Any:
            if self.left:
                self.left -= 1
                raise LookupError("a slip that nobody foresaw")
            return works(*args, **named)

        monkeypatch.setattr(place, name, fails)


async def settled(place: Town) -> None:
    """Until all is at rest, and once more when leases that were lost have run out."""
    await place.telegram.until(lambda: not place.telegram.pending)
    for _ in range(4):
        place.clock.moment += timedelta(minutes=6)
        await place.wired.daemon._sweep()
        place.wired.daemon.wake()
        await until(lambda: (place.wired.store.next_due() or LATER) > place.clock.moment)
    await place.quiet()


@pytest.mark.parametrize(
    ("where", "name", "times"),
    [
        *((*step, 1) for step in STEPS),
        *(pytest.param(*step, 4, marks=pytest.mark.thorough) for step in STEPS),
        (Store, "record", 9),
    ],
    ids=lambda one: str(getattr(one, "__name__", one)),
)
async def test_no_answer_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, times: int
) -> None:
    """It is recorded and confirmed, or its sender is asked to send it again; once, and counted."""
    async with town(tmp_path) as place:
        await place.enrol("chi")
        for listener in place.wired.daemon.listeners:
            assert isinstance(listener, TelegramListener)
            listener._sleep = place.time.skip
        place.wired.daemon.worker.busy_pause = 0.01
        before = len(place.telegram.sent_to(CHI))
        fault = Fault(monkeypatch, where, name, times)
        place.telegram.user_sends(CHI, "/done 4b")
        await settled(place)
        fault.left = 0
        said = [m.text for m in place.telegram.sent_to(CHI)[before:]]
        told = [text for text in said if text.startswith(NOT_TAKEN)]
        recorded = "done 4b chi" in await place.events()
        counted = int(await place.wired.daemon.do(lambda: place.wired.store.meta("not_taken")) or 0)
        assert (len(told), counted) == ((0, 0) if recorded else (1, 1))
        if recorded:
            assert any(DONE in text or UNWORDED in text for text in said)
        else:
            assert DONE in (await place.says(CHI, "/done 4b"))[0]
        assert (await place.events()).count("done 4b chi") == 1
        assert await place.rows(RowState.LEASED, RowState.PENDING) == []


async def test_a_group_hears_of_what_was_meant_for_the_program_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Free talk that could not be taken is counted, and nobody is bothered."""
    async with town(tmp_path) as place:
        await place.enrol("an")
        place.telegram.add_group(-100)
        Fault(monkeypatch, Handling, "receive", 2)
        assert await place.says(AN, "trưa nay ăn gì", -100) == []
        Fault(monkeypatch, Handling, "receive", 2)
        (told,) = await place.says(AN, "/done 1c", -100)
        assert told.startswith(NOT_TAKEN)
