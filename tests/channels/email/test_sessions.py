"""Many mails go over one SMTP session, and as slowly as the server wants them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from reminder.channels.email.send import LEAST_GAP, MailChannel
from reminder.domain.outbox import SendError
from tests.channels.email.mailline import HELLO, PERSON, channel
from tests.channels.email.mailserver import Post, serving
from tests.waiting import until


def played(post: Post, script: Callable[[MailChannel], Awaitable[None]], **options: Any) -> None:
    """Play the script with a channel to a server that behaves as `post` says."""

    async def main() -> None:
        async with serving(post) as port:
            mail = channel(port, **options)
            try:
                await script(mail)
            finally:
                await mail.stop()
            await until(lambda: all(session.transport is None for session in post.sessions))

    asyncio.run(main())


async def send(mail: MailChannel, *keys: str) -> None:
    for key in keys:
        await mail.send(PERSON, HELLO, key)


def test_mails_that_follow_each_other_share_a_session() -> None:
    """It is ended when the channel stops."""
    post = Post()
    played(post, lambda mail: send(mail, "1", "2", "3"))
    assert (len(post.received), len(post.sessions)) == (3, 1)


def test_mails_at_one_time_have_a_session_each_which_the_next_ones_use() -> None:
    post = Post()

    async def script(mail: MailChannel) -> None:
        await asyncio.gather(*(send(mail, key) for key in "abc"))
        await asyncio.gather(*(send(mail, key) for key in "defg"))

    played(post, script)
    assert (len(post.received), len(post.sessions)) == (7, 4)


def test_a_session_that_ended_meanwhile_costs_no_mail() -> None:
    """Closed by the server, or full (421): the mail goes over another, once."""
    closed, full = Post(), Post(most=2)

    async def script(mail: MailChannel) -> None:
        await send(mail, "1")
        assert closed.sessions[0].transport is not None
        closed.sessions[0].transport.close()
        await until(lambda: closed.sessions[0].transport is None)
        await send(mail, "2")

    played(closed, script)
    played(full, lambda mail: send(mail, "1", "2", "3", "4", "5"))
    assert (len(closed.received), len(closed.sessions)) == (2, 2)
    assert (len(full.received), len(full.sessions)) == (5, 3)


def test_a_session_in_which_a_mail_was_refused_is_ended() -> None:
    post = Post(rcpt="550 5.1.1 no such user")

    async def script(mail: MailChannel) -> None:
        for _ in range(2):
            with pytest.raises(SendError):
                await send(mail, "1")
        post.rcpt = ""
        await send(mail, "2")

    played(post, script)
    assert (len(post.received), len(post.sessions)) == (1, 3)


def test_who_has_lost_the_account_begins_no_mail() -> None:
    """Though the session was opened before."""
    post = Post()

    async def script(mail: MailChannel) -> None:
        async def ours() -> bool:
            assert len(post.sessions) == 1
            return False

        mail.ours = ours
        with pytest.raises(SendError) as lost:
            await send(mail, "1")
        assert not lost.value.begun

    played(post, script)
    assert post.received == []


def waits(mail: MailChannel) -> bool:
    """Whether the next mail has to wait; else it is counted."""
    wait = mail.turn(PERSON)
    if wait is None:
        return False
    wait.close()  # type: ignore[attr-defined]  # asyncio.sleep's coroutine, which nobody awaits
    return True


def test_a_minute_has_no_more_mails_than_the_setting() -> None:
    """The next waits for its turn; without the setting none waits."""

    async def script(mail: MailChannel) -> None:
        assert [waits(mail) for _ in range(3)] == [False, limited, limited]

    for limited in (True, False):
        played(Post(), script, per_minute=1 if limited else 0)


@pytest.mark.parametrize(
    ("said", "slower"),
    [
        ("450 4.7.1 Error: too much mail from 10.0.0.1", True),  # Postfix
        ("421 4.3.2 The maximum number of concurrent connections has exceeded a limit", True),
        ("421 4.7.28 Our system has detected an unusual rate of unsolicited mail", True),  # Gmail
        ("450 4.2.0 Greylisted, try again in 300 seconds", False),
        ("452 4.2.2 mailbox full", False),
        ("550 5.7.1 too many complaints", False),
    ],
)
def test_who_has_too_many_mails_gets_them_slower(said: str, *, slower: bool) -> None:
    """All wait for a while, then mails are set apart, less so after each that is taken."""
    post = Post(rcpt=said)

    async def script(mail: MailChannel) -> None:
        with pytest.raises(SendError):
            await send(mail, "1")
        assert (waits(mail), mail._gap) == ((True, LEAST_GAP) if slower else (False, 0.0))
        post.rcpt = ""
        await send(mail, "2")
        assert mail._gap == 0.0

    played(post, script)
