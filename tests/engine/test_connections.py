"""The connections of PgQueuer's engine, where no server is."""

from __future__ import annotations

import asyncio
import logging

import psycopg
import pytest
from sqlalchemy import make_url

from reminder.engine import connections
from reminder.engine.connections import Connections
from reminder.ops.supervisor import Troubles
from tests.waiting import LONGEST, until, within

pytestmark = pytest.mark.asyncio
NOWHERE = make_url("postgresql+psycopg://app@/x?host=/nowhere")


class Deaf(Connections):
    """Loses the first cancellation, as asyncio.wait_for does at times before Python 3.12."""

    lost = 0

    async def _connect(self) -> psycopg.AsyncConnection:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if self.lost:
                raise
            self.lost += 1
        await asyncio.Event().wait()
        raise AssertionError


async def test_listening_ends_though_a_cancellation_is_lost() -> None:
    """Else the process would never end."""
    deaf = Deaf(NOWHERE, Troubles())
    async with asyncio.timeout(LONGEST):
        async with deaf:
            await deaf.add_listener("x", lambda _: None)
            await asyncio.sleep(0)
        assert deaf.lost == 1


async def test_a_server_that_is_away_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However often the listener tries it again."""
    monkeypatch.setattr(connections, "PAUSE", 0.0)
    caplog.set_level(logging.INFO, "reminder")
    tried = 0

    class Counted(Connections):
        async def _connect(self) -> psycopg.AsyncConnection:
            nonlocal tried
            tried += 1
            return await super()._connect()

    listening = Counted(NOWHERE, Troubles())
    async with listening:
        await listening.add_listener("x", lambda _: None)
        await until(lambda: tried > 3)
    await within(listening.close(), "the end")
    assert [record.message.partition(":")[0] for record in caplog.records] == ["listening again"]
