"""A background task that ends is said and started anew; a trouble is said once."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from reminder.ops.supervisor import SharedClock, Troubles, supervise
from reminder.store.records import StoreBusyError
from tests.waiting import within


@pytest.mark.asyncio
async def test_a_task_that_ends_starts_anew_after_a_growing_pause(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With an error or without one: a line each, a longer pause each; at the stop it ends."""
    stop, runs = asyncio.Event(), 0

    async def fragile() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise ValueError("odd")
        if runs == 3:
            stop.set()

    await within(supervise("sending", fragile, stop, 0.001), "the end")
    assert [record.getMessage() for record in caplog.records] == [
        "sending has ended (ValueError: odd): restarted in 0.001 s",
        "sending has ended (without an error): restarted in 0.002 s",
    ]


@pytest.mark.asyncio
async def test_the_stop_cuts_the_pause_short() -> None:
    stop = asyncio.Event()

    async def ends() -> None:
        asyncio.get_running_loop().call_soon(stop.set)

    await within(supervise("x", ends, stop, 3600), "the end")


def test_a_trouble_is_said_once_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    """What waits for one reason is one trouble, over when the last of it works."""
    caplog.set_level(logging.INFO)
    troubles, locked = Troubles(), StoreBusyError("the database is locked")
    for _ in range(3):
        troubles.waits("tick", locked)
        troubles.waits("lease", locked)
    troubles.fails("look", OSError("gone"))
    troubles.fails("look", OSError("gone"))
    troubles.over("lease")
    troubles.over("lease")
    troubles.over("tick")
    troubles.over("look")
    troubles.waits("tick", locked)
    assert [record.getMessage() for record in caplog.records] == [
        "tick waits: the database is locked",
        "look failed: OSError: gone",
        "tick works again",
        "look works again",
        "tick waits: the database is locked",
    ]


def test_what_is_not_tried_again_keeps_no_later_trouble_unsaid(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A mark that was left out has no end that could be told: the next lock is told."""
    caplog.set_level(logging.ERROR)
    troubles, locked = Troubles(), StoreBusyError("the database is locked")
    for _ in range(2):
        troubles.waits("tick", locked)
        troubles.waits("note last_poll", locked, again=False)
        troubles.over("tick")
    assert caplog.messages == ["tick waits: the database is locked"] * 2
    troubles.waits("note last_poll", locked, again=False)
    assert caplog.messages[2:] == ["note last_poll was left out: the database is locked"]


def test_a_trouble_that_comes_and_goes_is_one_trouble(caplog: pytest.LogCaptureFixture) -> None:
    """On a full disk one statement works, the next does not: it ends when none has failed lately.

    What failed once and was left to others keeps no later trouble unsaid.
    """
    caplog.set_level(logging.INFO)
    clock = Moving(datetime(2026, 11, 30, 1, tzinfo=UTC))
    troubles, full = Troubles(clock.now), StoreBusyError("the disk is full")
    for _ in range(3):
        troubles.waits("lease", full)
        clock.moment += timedelta(seconds=5)
        troubles.over("lease")
        troubles.waits("a handler", full, again=False)
    assert caplog.messages == ["lease waits: the disk is full"]
    clock.moment += timedelta(seconds=9)
    troubles.over("tick")
    assert len(caplog.messages) == 1
    clock.moment += timedelta(seconds=1)
    troubles.over("tick")
    troubles.waits("lease", full)
    assert caplog.messages[1:] == ["lease works again", "lease waits: the disk is full"]


def test_the_clock_of_a_server_is_gone_by_and_a_difference_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A second more or less is left alone, as is what a slow answer would tell."""
    caplog.set_level(logging.INFO)
    start = datetime(2026, 11, 30, 1, tzinfo=UTC)
    own, server = Moving(start), Moving(start)
    clock = SharedClock(own, server.now)
    told = []
    for ahead in (0.9, 2.0, 120.0, 120.5, 0.5, -7.0):
        own.moment = server.moment + timedelta(seconds=ahead)
        clock.look()
        told.append(((clock.now() - server.moment).total_seconds(), clock.is_wrong))
    assert told == [
        (0.9, False), (0.0, False), (0.0, True), (0.5, True), (0.5, False), (0.0, True)
    ]  # fmt: skip
    own.step = timedelta(seconds=3)  # between the question and the answer
    own.moment = server.moment
    clock.look()
    assert clock.ahead == timedelta(seconds=-7)
    because = "the database's, by which all is timed: turn on NTP on both machines"
    assert [record.getMessage() for record in caplog.records] == [
        f"this machine's clock is 120 s ahead of {because}",
        "this machine's clock agrees with the database's again",
        f"this machine's clock is 7 s behind {because}",
    ]


@dataclass
class Moving:
    """A clock that moves by a step at each look."""

    moment: datetime
    step: timedelta = timedelta(0)

    def now(self) -> datetime:
        self.moment += self.step
        return self.moment
