"""mail-devel on ports of its own choice: python -m tests.fakes.mail_devel …

It says “IMAP-PORT SMTP-PORT” on stdout when both listen; no port is looked for beforehand, which
somebody else could take meanwhile. What else differs from version 0.18 as it comes:

- SMTP runs in the event loop of IMAP. As it comes, aiosmtpd has a thread with a loop of its own,
  and both loops share the mailboxes' asyncio locks. A mail that is handed in while a client reads
  then waits, now and then, for a wake-up that never comes (or meets “is bound to a different event
  loop”), for the five minutes of aiosmtpd.
- Passwords are compared as they are, and the ways to log in are looked up once: the rounds of
  PBKDF2 and the search of all installed packages, at each login, took two thirds of its time.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from argparse import Namespace
from collections.abc import Awaitable, Sequence
from functools import cache
from typing import Any

from aiosmtpd.controller import UnthreadedController
from mail_devel import __main__ as server
from mail_devel import service
from pymap import imap
from pymap.backend.dict import Config
from pymap.sockets import InheritedSockets
from pysasl import SASLAuth
from pysasl.hashing import Cleartext


def bound() -> socket.socket:
    """Return a socket on a free port."""
    # Of a socket that does not name its protocol asyncio does not know that it is TCP, and leaves
    # Nagle's algorithm on: 40 ms for each answer of several pieces.
    made = socket.socket(proto=socket.IPPROTO_TCP)
    made.bind(("127.0.0.1", 0))
    made.listen(100)
    return made


IMAP, SMTP = bound(), bound()


class Bound(InheritedSockets):
    """The socket that IMAP listens on."""

    @classmethod
    def of(cls, service_manager: str) -> Bound:
        del service_manager
        return cls()

    def get(self) -> Sequence[socket.socket]:
        return [IMAP]


async def imap_context(args: Namespace, plain: Any = service.imap_context) -> Namespace:
    """What mail-devel tells pymap, and that there is a socket."""
    context: Namespace = await plain(args)
    context.inherited_sockets = "bound"
    return context


class InTheSameLoop(UnthreadedController):
    """Listens where it is made."""

    def __init__(self, handler: object, **options: Any) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(handler, loop=loop, **options)
        self.SMTP_kwargs["loop"] = loop

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=SMTP)

    def start(self) -> None:
        self._listening = asyncio.ensure_future(self._create_server(), loop=self.loop)


if __name__ == "__main__":
    imap.InheritedSockets = Bound  # type: ignore[attr-defined]
    service.imap_context = imap_context
    service.Controller = InTheSameLoop
    SASLAuth.defaults = cache(SASLAuth.defaults)  # type: ignore[method-assign]
    setattr(Config, "_get_hash_context", lambda *_: Cleartext())  # noqa: B010  a class method
    print(IMAP.getsockname()[1], SMTP.getsockname()[1], flush=True)  # noqa: T201
    sys.stdout = sys.stderr  # for the log
    server.main()
