"""What was left over from one day is said on another in that day's words, or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reminder.domain.outbox import RowState
from tests.app.kit import Mailbox, SetClock, mail_server, quiet, running, runs, settings, wired_fast
from tests.services.world import at
from tests.waiting import until


def nudges(mailbox: Mailbox) -> list[str]:
    """The first lines of all nudges that name 1c, to whomever."""
    return [
        line
        for _, text in mailbox.mails
        if "1c" in text
        for line in text.splitlines()
        if line.startswith("Chào anh/chị.")
    ]


@pytest.mark.asyncio
async def test_what_was_rendered_ahead_is_rendered_anew_after_midnight(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """Two nudges of the due day wait behind a send; at 08:00 the new day's go in their place."""
    clock = SetClock(at("31/01"))
    let_go = asyncio.Event()

    async def hold(_: str) -> None:
        mailbox.hold = None
        await let_go.wait()

    mailbox.hold = hold
    async with mail_server(mailbox) as port:
        wired = wired_fast(settings(tmp_path, None, port), clock, tick_seconds=3600)
        wired.daemon.dispatcher.in_flight = 1
        async with runs(wired):
            await until(lambda: len(mailbox.mails) == 1 and len(wired.daemon.dispatcher._ready) > 1)
            ahead = [rendered.message.text for rendered in wired.daemon.dispatcher._ready]
            clock.moment = at("01/02", "00:01")
            let_go.set()
            await until(
                lambda: not wired.daemon.dispatcher._ready and wired.store.counts()["leased"] == 0
            )
            nudged_at_night = nudges(mailbox)
            clock.moment = at("01/02", "08:00")
            await until(lambda: nudges(mailbox) != [])
            clock.moment = at("01/02", "08:02")
            await until(lambda: quiet(wired))
    _, *later = [text for _, text in mailbox.mails]
    assert any("Hôm nay, Thứ Tư 31/01" in text for text in ahead)
    assert nudged_at_night == []
    assert len(nudges(mailbox)) == 2  # to an and to binh: one each
    assert [text for text in later if "Hôm nay, Thứ Tư 31/01" in text] == []


@pytest.mark.asyncio
async def test_what_a_kill_left_leased_is_said_in_the_words_of_the_day_it_goes(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """Leased and rendered on the due day, never sent; the next day's nudge alone says it all."""
    clock = SetClock(at("31/01"))
    async with mail_server(mailbox) as port:
        killed = wired_fast(settings(tmp_path, None, port), clock)
        killed.daemon.service.begin(clock.now())
        killed.daemon.service.tick(clock.now())
        outgoing = killed.daemon.service.lease(clock.now(), 50)
        assert any("Hôm nay, Thứ Tư 31/01" in rendered.message.text for rendered in outgoing)
        killed.store.close()
    clock.moment = at("01/02", "08:00")
    async with running(tmp_path, clock, None, mailbox) as wired:
        await until(lambda: nudges(mailbox) != [] and quiet(wired))
        superseded = wired.store.rows(states=[RowState.SUPERSEDED], kind="nudge")
    assert all("Hôm nay" not in line for line in nudges(mailbox))
    assert sum("quá hạn 1 ngày làm việc" in text for text in mailbox.to("binh")) == 1
    assert superseded != []
