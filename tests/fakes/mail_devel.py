"""mail-devel with its SMTP in the event loop of its IMAP: python -m tests.fakes.mail_devel …

Version 0.18 runs aiosmtpd in a thread with a loop of its own, and both loops share the mailboxes'
asyncio locks. A mail that is handed in while a client reads then waits, now and then, for a wake-up
that never comes (or meets “is bound to a different event loop”), for the five minutes of aiosmtpd.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiosmtpd.controller import UnthreadedController
from mail_devel import __main__ as server
from mail_devel import service


class InTheSameLoop(UnthreadedController):
    """Listens where it is made."""

    def __init__(self, handler: object, **options: Any) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(handler, loop=loop, **options)
        self.SMTP_kwargs["loop"] = loop

    def start(self) -> None:
        self._listening = asyncio.ensure_future(self._create_server(), loop=self.loop)


if __name__ == "__main__":
    service.Controller = InTheSameLoop
    server.main()
