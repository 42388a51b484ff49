"""A background task that ends is said and started anew; a trouble is said once."""

from __future__ import annotations

import asyncio
import logging

import pytest

from reminder.ops.supervisor import Troubles, supervise
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
