"""Hundreds of mails at once, a line that is cut in the middle of a mail: it goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reminder.channels.email.receive import MARK
from tests.app.kit import SetClock
from tests.channels.email import replies
from tests.channels.email.conftest import INBOX, PASSWORD, MailWorld
from tests.channels.email.line import over_a_line
from tests.channels.email.test_course import (
    AN,
    CHI,
    SAID,
    clock,
    events,
    nudged,
    running,
    settings,
    until,
)
from tests.services.world import at

__all__ = ["clock"]

FLOOD = 400


@pytest.mark.thorough
@pytest.mark.asyncio
async def test_hundreds_of_mails_at_once_hold_nobody_up(
    tmp_path: Path, post: MailWorld, clock: SetClock
) -> None:
    """Four hundred of no meaning, thirty of one officer: all in turn, and twenty are answered."""
    async with running(settings(tmp_path, post), clock) as wired:
        nudge = await nudged(post)
        junk = b"From: la@evil.example\r\nTo: nhac@example.vn\r\nSubject: x\r\n\r\nxong 1c\r\n"
        await asyncio.to_thread(post.hand_in, junk, INBOX, times=FLOOD)
        asks = [replies.iphone(nudge, "/viec", AN) for _ in range(30)]
        for ask in asks:
            post.hand_in(ask, str(ask["To"]))
        recall = wired.store.meta
        await until(lambda: recall("inbox:unknown") == str(FLOOD), moves=lambda: recall(MARK))
        await post.until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 20)
        assert len(post.mails(AN)) <= 21
        clock.moment = at("24/01", "08:02")
        await post.until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 30)
        await post.until(lambda: len(post.mails(AN)) == 21)
        assert await events(wired) == []
        assert len(post.mails(INBOX, which="UNSEEN")) == FLOOD


@pytest.mark.thorough
@pytest.mark.asyncio
async def test_a_line_that_is_cut_in_the_middle_of_a_mail_is_taken_up_again(
    tmp_path: Path, post: MailWorld, clock: SetClock
) -> None:
    """Twice away in mid-fetch: the reply is read at the third try, and closes once."""
    async with over_a_line(tmp_path, post) as (cut, config), running(config, clock) as wired:
        nudge = await nudged(post)
        cut.cuts = 2
        reply = replies.gmail(nudge, SAID, AN)
        post.hand_in(reply, str(reply["To"]))
        await post.until(lambda: len(post.mails(AN)) == 2)
        assert (await events(wired), cut.was_cut) == (["done 1c an email"], 2)
        await post.until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 1)


@pytest.mark.asyncio
async def test_a_mailbox_that_cannot_be_read_is_told_by_mail_and_told_when_it_can(
    tmp_path: Path, post: MailWorld, clock: SetClock
) -> None:
    """A wrong password for the mailbox: the office reads it after 15 minutes, and its end."""
    config = settings(tmp_path, post)
    right = config.read_text(encoding="utf-8")
    config.write_text(right.replace(f'password = "{PASSWORD}"', 'password = "x"'), "utf-8")
    async with running(config, clock) as wired:
        await nudged(post)
        await until(lambda: bool(wired.daemon.service._troubled()))
        clock.moment = at("24/01", "08:16")
        await post.until(lambda: told(post, "Hộp thư trả lời đang không đọc được"))
    config.write_text(right, "utf-8")
    async with running(config, clock):
        await post.until(lambda: told(post, "Hộp thư trả lời đã đọc lại được"))


def told(post: MailWorld, subject: str) -> bool:
    return [str(mail["Subject"]) for mail in post.mails(CHI)].count(subject) == 1
