"""Each office of the province of `make scale` can be ticked, and has something to say to all."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reminder.files.settings import load_settings
from reminder.province.cache import OfficeCache
from reminder.province.ticking import SHARDS, Ticker
from reminder.store.offices import Stores
from reminder.store.store import open_in_memory
from tests.province.kit import tick_shard
from tests.scale.province import WORD, WORDS, Province, seed, settings_text

DAYS = (
    datetime(2026, 11, 30, 6, 50, tzinfo=UTC),  # a Monday
    datetime(2026, 12, 5, 23, 0, tzinfo=UTC),  # 06:00 on a Sunday
    datetime(2027, 2, 6, 17, 0, 30, tzinfo=UTC),  # the first minute of a day of Tết
)


@pytest.mark.parametrize(
    "now", [DAYS[0], *(pytest.param(day, marks=pytest.mark.thorough) for day in DAYS[1:])], ids=str
)
def test_at_any_hour_everybody_is_told_of_the_task_of_today(tmp_path: Path, now: datetime) -> None:
    """And one person of each office has several messages that were queued in their order."""
    province = Province(offices=23, accounts=20, more=30, answers=5, today=now)
    config = tmp_path / "reminder.toml"
    config.write_text(settings_text(province, tmp_path, "sqlite:///unused.db", "8080"), "utf-8")
    stores = Stores(open_in_memory())
    seed(stores, province, tmp_path, 1, 2)
    later = now + timedelta(seconds=30)
    ticker = Ticker(OfficeCache(stores, load_settings(config, {}), lambda: later), lambda: later)
    woken = set()
    for shard in range(SHARDS):
        woken |= tick_shard(ticker, shard)
    assert [office.fault for office in stores.offices() if office.fault] == []
    assert woken == {bot.id for bot in province.bots if bot.offices}
    found = Counter(
        (row.office, row.draft.recipient)
        for office in stores.offices()
        for row in stores.of(office.id).rows(kind="nudge", limit=1000)
    )
    assert found == Counter((reader.office, reader.person) for reader in province.readers)
    said = stores.of("00007").rows(recipient=WORD, kind="notice", limit=100)
    assert len([row for row in said if row.draft.subject.startswith("scale:")]) == WORDS
    stores.close()
