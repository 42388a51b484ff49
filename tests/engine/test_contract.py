"""The port's rules, on each engine."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

import pytest

from reminder.engine.embedded import Embedded
from reminder.engine.port import Engine, Jobs, Pauses
from reminder.engine.queue import PgQueue
from tests.engine.kit import QUICK, Gate, RealClock, has_jobs, running
from tests.waiting import until

pytestmark = pytest.mark.asyncio


Make = Callable[[Pauses], Engine]


@pytest.fixture(params=["embedded", "postgresql"])
def make(request: pytest.FixtureRequest) -> Make:
    if request.param == "embedded":
        return lambda pauses: Embedded(RealClock(), pauses=pauses)
    url: str = request.getfixturevalue("postgres_url")
    return lambda pauses: PgQueue(url, pauses=pauses)


@pytest.fixture
def engine(make: Make) -> Engine:
    return make(QUICK)


async def test_a_woken_key_runs_by_the_handler_of_its_role(engine: Engine) -> None:
    """Whether it was woken before the roles ran or after; a role that isn't run waits."""
    send, tick = Gate(), Gate()
    await engine.wake("send", "a")
    await engine.wake("mailbox", "a")
    async with running(engine, {"send": send, "tick": tick}, free=(send, tick)):
        await engine.wake("tick", "7")
        await send.has_begun("a")
        await tick.has_begun("7")
        assert await engine.jobs() == {
            "mailbox": Jobs(waiting=1),
            "send": Jobs(running=1),
            "tick": Jobs(running=1),
        }


async def test_keys_run_side_by_side_and_a_key_once(engine: Engine) -> None:
    """A key that waits or runs is not run beside itself, however often it is woken."""
    gate = Gate()
    await engine.wake("send", "a", "b")
    await engine.wake("send", "a", "a", "c")
    await engine.wake("send")
    async with running(engine, {"send": gate}, free=(gate,)):
        await gate.has_begun("a", "b", "c")
        assert gate.ended == []


async def test_a_key_woken_while_it_runs_runs_once_more(engine: Engine) -> None:
    """Once, for all the wakes during a run; and for none of those before it."""
    gate = Gate()
    async with running(engine, {"send": gate}, free=(gate,)):
        await engine.wake("send", "a")
        await gate.has_begun("a")
        for _ in range(3):
            await engine.wake("send", "a")
        gate.let_go("a", runs=3)
        await gate.has_begun("a", "a")
        await until(lambda: gate.ended == ["a", "a"])
        await engine.wake("send", "b")  # a third run of “a” would begin before it
        await gate.has_begun("a", "a", "b")


async def test_a_handler_may_wake_its_own_key(engine: Engine) -> None:
    """So work that takes long comes in pieces."""
    runs: list[str] = []

    async def piece(key: str) -> None:
        runs.append(key)
        if len(runs) < 5:
            await engine.wake("send", key)

    async with running(engine, {"send": piece}):
        await engine.wake("send", "a")
        await until(lambda: len(runs) == 5)
        await has_jobs(engine, {})


async def test_a_handler_that_fails_is_run_again_and_costs_no_other_key(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """Its trouble is logged once, with its end."""
    caplog.set_level(logging.INFO, logger="reminder")
    runs: Counter[str] = Counter()

    async def handle(key: str) -> None:
        runs[key] += 1
        if key == "bad" and runs[key] < 4:
            raise OSError("no route")

    async with running(engine, {"send": handle}):
        for key in ["bad", "good", "fine"]:
            await engine.wake("send", key)
        await until(lambda: runs == {"bad": 4, "good": 1, "fine": 1}, more=lambda: runs)
    assert [record.message for record in caplog.records] == [
        "send bad failed: OSError: no route",
        "send bad works again",
    ]


async def test_a_wake_does_not_shorten_the_pause_of_a_handler_that_failed(make: Make) -> None:
    """A sweep that wakes it every second would else undo the pause."""
    engine = make(Pauses(first=600.0))
    runs: Counter[str] = Counter()

    async def handle(key: str) -> None:
        runs[key] += 1
        if key == "bad":
            raise OSError("no route")

    async with running(engine, {"send": handle}):
        await engine.wake("send", "bad")
        await until(lambda: runs["bad"] == 1)
        await engine.wake("send", "bad")
        await engine.wake("send", "good")
        await until(lambda: runs["good"] == 1)
        assert runs == {"bad": 1, "good": 1}
        await has_jobs(engine, {"send": Jobs(waiting=1)})


async def test_an_end_waits_for_the_handlers_under_way_and_begins_nothing(make: Make) -> None:
    """What was woken meanwhile runs at the next start."""
    engine, gate = make(Pauses(first=600.0)), Gate()

    async def fail(key: str) -> None:
        gate.begun.append(key)
        raise OSError

    async with running(engine, {"send": gate, "bad": fail}) as stop:
        await engine.wake("send", "a")
        await engine.wake("bad", "b")  # its pause is no reason to wait
        await gate.has_begun("a", "b")
        stop.set()
        await engine.wake("send", "a")
        await engine.wake("send", "c")
        await asyncio.sleep(0)
        gate.let_go("a")
    assert (sorted(gate.begun), gate.ended) == (["a", "b"], ["a"])
    later = Gate()
    async with running(engine, {"send": later}, free=(later,)):
        await later.has_begun("a", "c")


async def test_a_period_wakes_its_key_at_its_begin_again_and_again(engine: Engine) -> None:
    """The one under way at once."""
    runs: list[str] = []

    async def handle(key: str) -> None:
        runs.append(key)

    engine.every(0.02, "tick", "short")
    engine.every(1e9, "tick", "long")
    async with running(engine, {"tick": handle}):
        await until(lambda: runs.count("short") > 3 and "long" in runs)
    assert set(runs) == {"short", "long"}
    assert runs.count("long") == 1
