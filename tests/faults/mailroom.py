"""The office's mailbox: a server that is not this project's, behind a line that fails as told."""

from __future__ import annotations

import asyncio
import imaplib
import os
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage
from pathlib import Path

from tests.inbox.conftest import INBOX, PASSWORD, free_port

DOWN, IN_A_MAIL, BEFORE_MOVED, HELD = (
    *("out of reach", "cut in a mail", "cut before a mail is moved"),
    "held before a mail is moved",
)
_BODY = re.compile(rb"BODY\[\]")
_MOVES = re.compile(rb" UID (STORE|COPY|MOVE) ", re.IGNORECASE)  # after the act, and only then


class Mailroom:
    """A mailbox, and the daemon's line to it; as many things as `faults` lists go wrong first."""

    def __init__(self) -> None:
        self.port = free_port()
        self.faults: list[str] = []
        self.happened: Counter[str] = Counter()
        self.held = (
            asyncio.Event()
        )  # the daemon has acted, and its next word is kept from the server
        self._down = False
        self._lines: set[asyncio.StreamWriter] = set()

    def hand_in(self, mail: EmailMessage) -> None:
        """Somebody's mail arrives, whatever the daemon's line is like."""
        client = imaplib.IMAP4("127.0.0.1", self.port)
        client.login(INBOX, PASSWORD)
        kind, _ = client.append("INBOX", "", "", mail.as_bytes())
        client.logout()
        assert kind == "OK"

    def go_down(self) -> None:
        """Nobody is let in, and who was in is thrown out."""
        self._down = True
        self.happened[DOWN] += bool(self._lines)
        for line in self._lines:
            line.close()

    def come_up(self) -> None:
        self._down = False

    def _is_next(self, fault: str) -> bool:
        if self.faults[:1] != [fault]:
            return False
        self.faults.pop(0)
        self.happened[fault] += 1
        return True

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._down:
            self.happened[DOWN] += 1
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        self._lines |= {writer, back}
        up = asyncio.create_task(self._up(reader, back, writer))
        try:
            while data := await there.read(65536):
                if _BODY.search(data) and self._is_next(IN_A_MAIL):
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
                self._lines.discard(end)

    async def _up(
        self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, line: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if _MOVES.search(data) and self._is_next(BEFORE_MOVED):
                    line.close()
                    break
                if _MOVES.search(data) and self._is_next(HELD):
                    self.held.set()
                    await reader.read()  # until it dies
                    break
                back.write(data)
                await back.drain()
        back.close()

    @asynccontextmanager
    async def served(self) -> AsyncIterator[int]:
        """Serves; the port of the line to it."""
        process = await asyncio.create_subprocess_exec(
            *(str(Path(sys.executable).with_name("mail_devel")), "--host", "127.0.0.1"),
            *("--user", INBOX, "--password", PASSWORD, "--no-http"),
            *("--imap-port", str(self.port), "--smtp-port", str(free_port())),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
        try:
            await self._answers(process)
            listening = await asyncio.start_server(self._line, "127.0.0.1", 0)
            yield listening.sockets[0].getsockname()[1]
            listening.close()
            self.go_down()
        finally:
            process.terminate()
            await process.wait()

    async def _answers(self, process: asyncio.subprocess.Process) -> None:
        while True:
            assert process.returncode is None, "mail_devel did not start"
            with suppress(OSError):
                there, back = await asyncio.open_connection("127.0.0.1", self.port)
                greeting = await there.read(4)
                back.close()
                if greeting:
                    return
            await asyncio.sleep(0.05)
