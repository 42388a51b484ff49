"""kill -9 in the middle of the morning's nudges: none is lost, and few come twice, marked."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from reminder.store.store import Store, open_store
from tests.conftest import ROOT
from tests.fakes.telegram import FakeTelegram
from tests.faults.month import write_clock
from tests.faults.nursery import nursery
from tests.faults.process import HURRY
from tests.services.world import at
from tests.waiting import LONGEST

OFFICERS = 40
KILLS = 20
IN_FLIGHT = 3
REPEAT = "(có thể là tin gửi lại)"


def prepared(folder: Path, telegram: FakeTelegram) -> Path:
    """Settings, and a database in which forty officers of one unit are enrolled."""
    people = "".join(
        f'[[person]]\nid = "p{n}"\nname = "P{n}"\nunit = "tu-phap"\nchannels = ["telegram"]\n'
        for n in range(OFFICERS)
    )
    (folder / "people.toml").write_text(people, encoding="utf-8")
    url = f"sqlite:///{(folder / 'r.db').as_posix()}"
    store: Store = open_store(url, exclusive=False, sleep=lambda _: None)
    for n in range(OFFICERS):
        store.bind(f"p{n}", "telegram", f"{1000 + n}", at("22/01"))
        telegram.start(1000 + n)
    store.close()
    config = folder / "reminder.toml"
    config.write_text(
        f"""
[plan]
files = ["{(ROOT / "data/plan2024.toml").as_posix()}"]
people = "people.toml"
calendar = "{(ROOT / "config/calendar.toml").as_posix()}"
[store]
url = "{url}"
[telegram]
token = "{telegram.token}"
base_url = "{telegram.base_url}"
[delivery]
in_flight = {IN_FLIGHT}
""",
        encoding="utf-8",
    )
    return config


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="forks")
@pytest.mark.asyncio
async def test_kills_lose_no_nudge_and_repeat_few(tmp_path: Path) -> None:
    """After any number of kills each officer has the nudge; repeats ≤ kills × sends in flight."""
    chance = random.Random(7)
    write_clock(tmp_path, at("24/01", "08:00"))
    hurried = FakeTelegram(clock=lambda: time.monotonic() * HURRY)  # as the daemons' pauses are
    async with hurried as telegram, nursery() as daemons:
        config = prepared(tmp_path, telegram)
        for _ in range(KILLS):
            goal = len(telegram.accepted) + chance.randint(0, 5)
            daemon = await daemons.start(config, tmp_path / "clock")
            await telegram.until(lambda g=goal: len(telegram.accepted) >= g, seconds=LONGEST)  # type: ignore[misc]
            await daemons.kill(daemon)
        before = len(telegram.calls)
        daemon = await daemons.start(config, tmp_path / "clock")
        await telegram.until(
            lambda: (
                len({m.chat_id for m in telegram.sent if "1c" in m.text}) == OFFICERS
                and any(call.method == "getUpdates" for call in telegram.calls[before:])
            ),
            seconds=LONGEST,
        )  # it polls: a SIGTERM before that would find no handler yet
        os.kill(daemon, signal.SIGTERM)
        assert await daemons.wait(daemon) == 0
        sends = Counter(m.chat_id for m in telegram.sent if "1c" in m.text)
        marked = [m for m in telegram.sent if m.text.startswith(REPEAT)]
        twice = sum(sends.values()) - OFFICERS
        assert set(sends) == {1000 + n for n in range(OFFICERS)}
        assert twice <= KILLS * IN_FLIGHT
        assert twice <= len(marked)
        assert telegram.too_many == 0
