"""The process that parses mails: what comes back, its limits, and how it dies alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from reminder.channels.email.classify import own_words, read
from reminder.channels.email.quotes import OwnMarks
from reminder.channels.email.reader import (
    LONGEST,
    MEMORY,
    SECONDS,
    BrokenMailError,
    DeadlyMailError,
    MailReader,
    MailReaderError,
)
from reminder.channels.email.receive import ASIDE, MailListener
from tests.app.kit import SetClock
from tests.channels.email import replies
from tests.channels.email.conftest import INBOX, MailWorld, text_in
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

__all__ = ["clock"]

DEADLY = Path(__file__).with_name("deadly_reader.py")
MAIL = (
    "From: An <an@xa.example>\r\nTo: nhac+x@xa.example\r\nMessage-ID: <a@b>\r\n"
    "Date: Wed, 24 Jan 2024 09:12:00 +0700\r\nAuthentication-Results: mx; dmarc=pass\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\nDạ em xong 1c\r\n> xong 2c\r\n"
).encode()
BOUNCE = (
    b"From: mailer-daemon@b.c\r\nMessage-ID: <c@d>\r\n\r\n"
    b"<an@xa.example>: 550 5.1.1 no such user\r\nMessage-ID: <goc@xa.example>\r\n"
)
LARGE = b"\r\n" + b"x\r\n" * 8_000_000  # the library makes as many lines of it, for seconds
OURS = OwnMarks(("nhac@xa.example",), "Máy nhắc việc", "xong 2c")


@pytest.fixture
def reader() -> Iterator[MailReader]:
    made = MailReader()
    yield made
    made.stop()


def test_what_comes_back_is_what_the_parser_says(reader: MailReader) -> None:
    """An answer with its words, a bounce with its failures; one process reads both."""
    for content in (MAIL, BOUNCE):
        mail = reader.read(content)
        assert (mail, reader.own_words(OURS)) == (read(content), own_words(read(content), OURS))


@pytest.mark.parametrize(
    "limit", [pytest.param("seconds", marks=pytest.mark.thorough), "memory", "longest"]
)
def test_a_mail_beyond_the_limits_ends_the_process_alone(limit: str, reader: MailReader) -> None:
    """Processor time, memory, time on the clock; the next mail is read by another process."""
    reader.seconds = 0 if limit == "seconds" else 60
    reader.memory = 64_000_000 if limit == "memory" else 2**32
    reader.read(MAIL)
    reader.longest = 0.1 if limit == "longest" else LONGEST
    with pytest.raises(DeadlyMailError):
        reader.read(LARGE)
    reader.seconds, reader.memory, reader.longest = SECONDS, MEMORY, LONGEST
    assert reader.read(MAIL) == read(MAIL)


def test_a_process_that_does_not_start_is_no_fault_of_the_mail(tmp_path: Path) -> None:
    """An interpreter that is gone, or a program that is: the mail waits."""
    for command in ((str(tmp_path / "python"),), (sys.executable, str(tmp_path / "gone.py"))):
        with pytest.raises(MailReaderError):
            MailReader(command=command).read(MAIL)


def test_an_error_of_the_parser_names_its_kind_and_the_process_goes_on(
    reader: MailReader,
) -> None:
    """Words are asked for only of a mail that was read."""
    with pytest.raises(BrokenMailError, match="AssertionError"):
        reader.own_words(OURS)
    assert reader.read(MAIL) == read(MAIL)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc")
def test_the_process_is_told_no_secret(reader: MailReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that are set in the environment stay with the daemon."""
    monkeypatch.setenv("REMINDER_EMAIL__PASSWORD", "mat-khau")
    reader.read(MAIL)
    assert reader._process is not None
    environment = Path(f"/proc/{reader._process.pid}/environ").read_bytes()
    assert (b"mat-khau" in environment, b"PATH=" in environment) == (False, True)


@pytest.mark.asyncio
async def test_a_deadly_mail_is_put_aside_and_holds_nobody_up(
    tmp_path: Path, post: MailWorld, clock: SetClock
) -> None:
    """Two of them, an answer between: it counts, the office hears of it once, /healthz is well."""
    config = settings(tmp_path, post)
    with config.open("a", encoding="utf-8") as file:
        file.write('[watch]\nlisten = "127.0.0.1:0"\n')
    async with running(config, clock) as wired, httpx.AsyncClient(timeout=60) as client:
        (listener,) = wired.daemon.listeners
        assert isinstance(listener, MailListener)
        listener.reader = MailReader(command=(sys.executable, str(DEADLY)))
        nudge = await nudged(post)
        reply = replies.gmail(nudge, SAID, AN)
        deadly = replies.iphone(nudge, SAID, AN)
        deadly["X-Deadly"] = "yes"
        for mail in (deadly, reply, deadly):
            post.hand_in(mail, str(mail["To"]))
        await post.until(lambda: len(post.mails(INBOX, ASIDE)) == 2)
        [server] = wired.servers
        health = await client.get(f"http://127.0.0.1:{server.port}/healthz")
        assert (health.status_code, json.loads(health.text)["faults"]) == (200, {})
        assert await events(wired) == ["done 1c an email"]
        assert wired.store.meta("inbox:put_aside") == "2"
        assert post.mails(INBOX, ASIDE, "SEEN") == []

        def told() -> list[str]:
            subjects = (str(mail["Subject"]) for mail in post.mails(CHI))
            return [one for one in subjects if "không đọc được" in one]

        await until(lambda: len(told()) == 1)
        assert ASIDE in text_in(next(m for m in post.mails(CHI) if m["Subject"] == told()[0]))
    assert (len(told()), post.mails(INBOX)) == (1, [])
