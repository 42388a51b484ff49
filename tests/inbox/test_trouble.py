"""Hundreds of mails at once, a line that is cut in the middle of a mail: it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.daemon.kit import SetClock
from tests.inbox import replies
from tests.inbox.conftest import INBOX, MailWorld
from tests.inbox.test_course import AN, SAID, clock, events, nudged, running, settings, until
from tests.service.world import at

__all__ = ["clock"]

FLOOD = 400


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
        await until(lambda: recall("inbox:unknown") == str(FLOOD), 120)
        await until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 20)
        assert len(post.mails(AN)) <= 21
        clock.moment = at("24/01", "08:02")
        await until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 30)
        await until(lambda: len(post.mails(AN)) == 21)
        assert await events(wired) == []
        assert len(post.mails(INBOX, which="UNSEEN")) == FLOOD


@dataclass
class Line:
    """A line to the IMAP server that is cut in the middle of the next mail, `cuts` times."""

    target: int
    cuts: int = 0
    was_cut: int = 0
    open: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        task.add_done_callback(self.open.discard)
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        up = asyncio.create_task(self._copy(reader, back))
        try:
            while data := await there.read(4096):
                if self.cuts and b"FETCH" in data:
                    self.cuts -= 1
                    self.was_cut += 1
                    writer.write(data[: len(data) // 2])
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            up.cancel()
            for end in (writer, back):
                end.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(4096):
                writer.write(data)
        writer.close()


@asynccontextmanager
async def line(target: int) -> AsyncIterator[tuple[Line, int]]:
    made = Line(target)
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    try:
        yield made, listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        await asyncio.gather(*made.open)


@pytest.mark.asyncio
async def test_a_line_that_is_cut_in_the_middle_of_a_mail_is_taken_up_again(
    tmp_path: Path, post: MailWorld, clock: SetClock
) -> None:
    """Twice away in mid-fetch: the reply is read at the third try, and closes once."""
    async with line(post.imap_port) as (cut, port):
        config = settings(tmp_path, post)
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace(f"port = {post.imap_port}", f"port = {port}"), "utf-8")
        async with running(config, clock) as wired:
            nudge = await nudged(post)
            cut.cuts = 2
            reply = replies.gmail(nudge, SAID, AN)
            post.hand_in(reply, str(reply["To"]))
            await until(lambda: len(post.mails(AN)) == 2, 60)
            assert (await events(wired), cut.was_cut) == (["done 1c an email"], 2)
            await until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 1)
