"""The office's mailbox: a server that is not this project's, behind a line that fails as told."""

from __future__ import annotations

import asyncio
import imaplib
import os
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage

from tests.channels.email.conftest import INBOX, PASSWORD
from tests.conftest import ROOT
from tests.fakes.relay import Relay
from tests.waiting import within

DOWN, IN_A_MAIL, BEFORE_MOVED, HELD = (
    *("out of reach", "cut in a mail", "cut before a mail is moved"),
    "held before a mail is moved",
)
_BODY = re.compile(rb"BODY\[\]")
_MOVES = re.compile(rb" UID (STORE|COPY|MOVE) ", re.IGNORECASE)  # after the act, and only then


class Mailroom(Relay):
    """A mailbox, and the daemon's line to it; as many things as `faults` lists go wrong first."""

    def __init__(self) -> None:
        super().__init__(0)  # until it is served
        self.faults: list[str] = []
        self.happened: Counter[str] = Counter()
        self.held = asyncio.Event()  # the daemon has acted; its next word is kept from the server
        self._down = False

    def hand_in(self, mail: EmailMessage) -> None:
        """Somebody's mail arrives, whatever the daemon's line is like."""
        client = imaplib.IMAP4("127.0.0.1", self.target)
        client.login(INBOX, PASSWORD)
        kind, _ = client.append("INBOX", "", "", mail.as_bytes())
        client.logout()
        assert kind == "OK"

    def go_down(self) -> None:
        """Nobody is let in, and who was in is thrown out."""
        self._down = True
        self.happened[DOWN] += bool(self.ends)
        for line in self.ends:
            line.close()

    def come_up(self) -> None:
        self._down = False

    def _is_next(self, fault: str) -> bool:
        if self.faults[:1] != [fault]:
            return False
        self.faults.pop(0)
        self.happened[fault] += 1
        return True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._down:
            self.happened[DOWN] += 1
            writer.close()
            return
        await super().serve(reader, writer)

    def cut_from_server(self, data: bytes) -> bool:
        return bool(_BODY.search(data)) and self._is_next(IN_A_MAIL)

    async def cut_to_server(self, data: bytes, reader: asyncio.StreamReader) -> bool:
        if not _MOVES.search(data):
            return False
        if self._is_next(HELD):
            self.held.set()
            await reader.read()  # until it dies
            return True
        return self._is_next(BEFORE_MOVED)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[int]:
        """Serves; the port of the line to it."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.fakes.mail_devel"),
            *("--user", INBOX, "--password", PASSWORD, "--no-http"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=ROOT,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
        try:
            assert process.stdout is not None
            ports = await within(process.stdout.readline(), "the mail server's start")
            self.target = int(ports.split()[0])
            listening = await asyncio.start_server(self.serve, "127.0.0.1", 0)
            yield listening.sockets[0].getsockname()[1]
            listening.close()
            self.go_down()
        finally:
            process.terminate()
            await process.wait()
