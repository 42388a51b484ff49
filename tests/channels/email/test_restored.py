"""An older copy is restored: answers by mail that came since lie put away, and are read again."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from reminder.channels.email.receive import LOOK
from reminder.store.restore import restore
from tests.app.kit import SetClock
from tests.channels.email import replies
from tests.channels.email.conftest import INBOX, MailWorld, text_in
from tests.channels.email.line import over_a_line
from tests.channels.email.test_course import AN, CHI, SAID, clock, events, nudged, running, until
from tests.services.world import at
from tests.store.conftest import no_sleep

__all__ = ["clock"]
REPEAT = "(có thể là tin gửi lại)"


@pytest.mark.thorough
@pytest.mark.asyncio
async def test_answers_since_the_copy_are_read_again_and_each_is_recorded_once(
    tmp_path: Path, post: MailWorld, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    """What the copy knows is neither recorded nor answered anew, what it doesn't know is, with a
    mark; though the line is cut in the middle, and through another start it happens once."""
    copy = tmp_path / "copy.db"
    async with over_a_line(tmp_path, post) as (cut, config):
        async with running(config, clock) as wired:
            nudge = await nudged(post)
            note = replies.gmail(nudge, "chưa xong 1c", AN)
            post.hand_in(note, str(note["To"]))
            await post.until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 1)
            await post.until(lambda: len(post.mails(AN)) == 2)
            known = await events(wired)
            on_record = wired.store.counts
            await until(lambda: on_record()["leased"] == on_record()["pending"] == 0)
            await until(lambda: wired.store.meta(LOOK) is not None)
            await wired.daemon.do(lambda: wired.store.backup(str(copy)))
            clock.moment = at("24/01", "09:12")
            away = replies.out_of_office(nudge, AN)
            post.hand_in(away, str(away["To"]))
            reply = replies.gmail(nudge, SAID, AN)
            post.hand_in(reply, str(reply["To"]))
            await post.until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 3)
            await post.until(lambda: len(post.mails(AN)) == 3)
            whole = await events(wired)
        assert whole == [*known, "done 1c an email"]

        clock.moment = at("24/01", "10:00")
        done = restore(copy, f"sqlite:///{tmp_path / 'r.db'}", clock.moment, sleep=no_sleep)
        assert (done.ran_on, done.missing) == (True, 1)
        cut.cuts = 1
        with caplog.at_level(logging.WARNING):
            async with running(config, clock) as wired:
                await post.until(lambda: len(post.mails(AN)) == 4)
                assert await events(wired) == whole
                await until(lambda: bool(wired.store.meta("inbox:reread")))
        assert cut.was_cut == 1
        told = [r.getMessage() for r in caplog.records if "read again" in r.getMessage()]
        assert told == 2 * [
            "inbox: an older copy was restored: 3 mails since 2024-01-22 are read again"
        ]
        assert [REPEAT in text_in(mail) for mail in post.mails(AN)] == [False, False, False, True]
        assert "Đã ghi 1c" in text_in(post.mails(AN)[3])

        async with running(config, clock) as wired:
            last = replies.gmail(nudge, "chưa xong 1c", CHI)
            post.hand_in(last, INBOX)
            await until(lambda: wired.store.meta("inbox:unknown") == "1")
            assert await events(wired) == whole
        assert len(post.mails(AN)) == 4
        assert (len(post.mails(INBOX)), len(post.mails(INBOX, "Da-xu-ly"))) == (1, 3)
