"""A line to the mailbox that is cut in the middle of a mail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.channels.email.conftest import MailWorld
from tests.channels.email.test_course import settings
from tests.fakes.relay import Relay


class Line(Relay):
    """Cut in the middle of the next mail, `cuts` times."""

    cuts = 0
    was_cut = 0

    def cut_from_server(self, data: bytes) -> bool:
        if not self.cuts or b"FETCH" not in data:
            return False
        self.cuts -= 1
        self.was_cut += 1
        return True


@asynccontextmanager
async def over_a_line(tmp_path: Path, post: MailWorld) -> AsyncIterator[tuple[Line, Path]]:
    """The line, and settings of an office that reads its mailbox over it."""
    made = Line(post.imap_port)
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    config = settings(tmp_path, post)
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(f"port = {post.imap_port}", f"port = {port}"), "utf-8")
    try:
        yield made, config
    finally:
        listening.close()
        await asyncio.gather(*made.open)
